//! What words beside digits say of them: that a phone number follows, that something else follows,
//! that it is an extension.

use super::number::{NUMBER_DIGITS, count_digits};
use super::pieces::Piece;

/// The most digits of an extension.
pub(super) const EXTENSION_DIGITS: usize = 7;

/// The most words of a label.
const LABEL_WORDS: usize = 4;

// The lists below are in lower case.

/// How an extension is introduced.
const EXTENSION: &str = "\
    x w xtn ext extn extension int interno interna intern interne anexo ramal poste wew wewn \
    wewnętrzny dw durchwahl nst nebenstelle klappe kl toestel tst linka dahili mellék ankn \
    anknytning lokal alanumero доб добавочный вн внутр внутрішній внутренний 內線 内線 内线 分機 分机 轉 转 내선 \
    교환 ต่อ";

/// Words between two alternative numbers.
const BETWEEN: &str = "\
    oder und or and lub albo i oraz o oppure e ou et y u of en або или і и або หรือ 或 または 또는";

/// Words between the first and the last number of a range.
const RANGE: &str = "\
    to do bis à hasta al tot ถึง 至 到 から 부터";

/// Words that introduce a phone number, with or without a colon.
const OF_PHONES: &str = "\
    tel tél tlf telef teléf telefon telefonu telefony telefonnummer telefonnr telefonski telefoon telefoonnummer \
    telefono teléfono telefone telefón telefonní téléphone telephone phone phones phonenumber \
    mobile mobil mobilní mobitel mobiltelefon mobilnummer mobilfunk mob ph hp wa cell cellular cellphone handy \
    handynr handynummer fon fono fone fax faks telefax komórka komórki komórkowy komórkowego kom \
    stacjonarny cel celular cellulare movil móvil movel móvel telemóvel telemovel portable gsm \
    whatsapp signal viber telegram sms call dial zadzwoń dzwonić infolinia hotline rufnummer rufnr \
    puh puhelin matkapuhelin tlfn tfno tef tfn tln cep моб мобильный мобільний тел телефон телефону сот \
    сотовый факс τηλ τηλέφωνο κιν κινητό טל טלפון נייד هاتف تلفون تليفون جوال موبايل موبایل تلفن \
    फ़ोन फोन मोबाइल 電話 电话 電話番号 電話號碼 电话号码 手機 手机 手機號碼 手机号 手机号码 行動 行動電話 移动电话 傳真 传真 携帯 携帯電話 携帯番号 ケータイ \
    전화 전화번호 휴대폰 휴대전화 핸드폰 โทร โทรศัพท์ มือถือ điện thoại di động đt sđt đtdđ";

/// Letters that introduce a phone number on visiting cards: `M +48 601 234 567`, `t. 22 123 45 67`.
const LETTERS_OF_PHONES: &str = "t m p f h k c w d o т м";

/// Words that tell one phone of a person from another, beside a word of [`OF_PHONES`].
const WHICH: &str = "\
    home work office private business direct main personal domowy służbowy prywatny do domu pracy \
    biura privat geschäftlich dienstlich casa trabajo oficina ufficio lavoro maison bureau travail \
    domicile";

/// Words for a number of whatever kind.
const NUMBER: &str = "\
    no nr num number numbers numer numery numero número numéro nummer n номер № số αριθμός מספר \
    رقم شماره नंबर 番号 號碼 号码 เลขที่";

/// Words that say that the digits behind them are no phone number.
const NOT_OF_PHONES: &str = "\
    order orders invoice invoices contract contracts ticket tickets ref reference id account \
    tracking serial sn pn meter shipment parcel imei imsi iccid meid vin sku upc ean gtin isbn \
    issn iban bic passport ssn tin ein vat tax booking reservation barcode seryjny seryjna seryjne \
    konto konta nip pesel regon krs faktura faktury umowa umowy zamówienie zamówienia zam paczka \
    paczki przesyłka przesyłki polisa polisy sprawa sprawy zgłoszenie zgłoszenia dowód dowodu \
    paszport paszportu rachunek rachunku rechnung bestellung auftrag vertrag vorgang aktenzeichen \
    sendung seriennummer steuernummer kontonummer commande facture série contrat dossier siret \
    siren référence réf pedido pedidos factura serie contrato expediente referencia cuenta nif cif \
    dni fatura série conta cpf cnpj ordine fattura seriale contratto conto pratica order \
    ordernummer bestelnummer factuurnummer bsn kvk sipariş fatura seri заказ заказа замовлення \
    серийный серійний счет счёт счета рахунок рахунку договор договора договір договору инн снилс \
    паспорт паспорта окпо єдрпоу іпн 訂單 訂單號 訂單編號 订单 订单号 订单编号 序號 序列號 序号 序列号 發票 发票 統編 統一編號 帳號 账号 身分證 \
    身份证 注文 注文番号 請求書 シリアル シリアル番号 製造番号 口座番号 会員番号 일련번호 주문 주문번호 계좌번호 송장번호";

/// Words that say the same only before a colon or beside a word of [`NUMBER`]: they are parts of
/// names too, and "po" is Polish for "after".
const NOT_OF_PHONES_WITH_COLON: &str = "\
    po case item part model policy claim batch lot license licence quote swift";

/// Words for people, whose numbers are phones (`Customer: 601234567`), unless a word of [`NUMBER`]
/// stands beside them (`Customer no. 12345678`).
const PEOPLE: &str = "\
    customer client user member patient employee klient klienta klientki pacjent pacjenta \
    pracownika abonenta cliente kunde kunden mitglied клиент клиента клієнт клієнта";

/// What German compounds of `nummer` and `nr` begin with that are no phones: Rechnungsnummer,
/// Kundennr.
const NUMBERED: &str = "\
    rechnungs bestell auftrags vertrags kunden serien artikel steuer konto personal mitglieds \
    versicherungs policen sendungs paket tracking vorgangs akten ausweis pass zähler geräte \
    fahrgestell teile chargen lieferschein buchungs ticket fall";

fn is_among(words: &str, word: &str) -> bool {
    words.split(' ').any(|other| other == word)
}

/// Whether a word introduces an extension.
pub(super) fn introduces_extension(word: &str) -> bool {
    is_among(EXTENSION, &word.to_lowercase())
}

/// Whether a run of digits behind a number is its extension, by what stands between.
pub(super) fn is_extension(between: &[Piece], run: &str) -> bool {
    // RFC 3966 has a semicolon before it.
    let between = if let [Piece::Mark(';'), rest @ ..] = between { rest } else { between };
    let [Piece::Word(word), rest @ ..] = between else {
        return false;
    };
    let digits = run.trim_matches([' ', '.', '-', '#']);
    introduces_extension(word)
        && rest.iter().all(|piece| matches!(piece, Piece::Mark(':' | '=' | '.')))
        && (1..=EXTENSION_DIGITS).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// What the digits behind a number may be the end of, by what stands between.
pub(super) enum Joint {
    /// The last number of a range.
    Range,
    /// Another number.
    Alternative,
}

/// `02-123-4567 to 9`, `555-2671 or 2672`.
pub(super) fn joint(between: &[Piece]) -> Option<Joint> {
    let [Piece::Word(word)] = between else { return None };
    let word = word.to_lowercase();
    if is_among(RANGE, &word) { Some(Joint::Range) } else { is_among(BETWEEN, &word).then_some(Joint::Alternative) }
}

/// A run of digits without the number of a list entry before it (`1)`), and without digits that
/// belong to the word after it.
pub(super) fn without_ordinals<'a>(run: &'a str, is_first: bool, next: Option<Piece>) -> &'a str {
    let mut run = run;
    let trimmed = run.trim_start();
    let digits = trimmed.find(|character: char| !character.is_ascii_digit()).unwrap_or(trimmed.len());
    let rest = trimmed.get(digits..).unwrap_or_default();
    let is_listed = is_first
        && (1..=2).contains(&digits)
        && (rest.starts_with(") ") || rest.starts_with(". ") || rest.starts_with(')'));
    if is_listed && count_digits(rest) >= NUMBER_DIGITS {
        run = rest.get(1..).unwrap_or_default();
    }
    if matches!(next, Some(Piece::Word(_))) {
        let end = run.trim_end_matches([' ', '.']);
        let last = end.len() - end.bytes().rev().take_while(u8::is_ascii_digit).count();
        let (before, last) = end.split_at(last);
        let is_ordinal = run.get(end.len()..).is_some_and(|dot| dot.starts_with('.') || dot.is_empty());
        if (1..=2).contains(&last.len())
            && is_ordinal
            && before.ends_with([' ', ',', '/'])
            && count_digits(before) >= NUMBER_DIGITS
        {
            run = before;
        }
    }
    run
}

/// Whether a run of digits is a part of a label: `Tel1:`, `2. numer:`.
pub(super) fn is_label(run: &str, between: &[Piece], next: Option<Piece>) -> bool {
    let is_few = (1..=2).contains(&count_digits(run)) && !run.contains(['+', '*', '#']);
    is_few
        && match next {
            Some(Piece::Mark(':')) => matches!(between.last(), Some(Piece::Word(_))),
            Some(Piece::Word(_)) => between.is_empty() && run.trim_end().ends_with('.'),
            _ => false,
        }
}

/// What a run of digits was read as.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Read {
    ValidNumbers,
    PossibleNumbers,
    /// Digits that are no number.
    Nothing,
}

/// Marks that stand before a number or between two.
const MARKS: [char; 21] =
    [';', '|', '&', '\n', ':', '<', '>', '"', '\\', '•', '·', '=', '°', '☎', '☏', '✆', '📞', '📱', '📲', '🖷', '→'];

/// Whether the text before a run of digits, or between two, only introduces it. A word with a colon
/// can introduce anything, so it counts only before a valid number or before digits alone.
pub(super) fn introduces(between: &[Piece], is_behind_number: bool, read: Read) -> bool {
    let are_marks = between.iter().all(|piece| !matches!(piece, Piece::Mark(mark) if !MARKS.contains(mark)));
    if !are_marks || count_words(between) > LABEL_WORDS + 1 {
        return false;
    }
    let mut words = words_of(between);
    if is_behind_number && words.first().is_some_and(|word| is_among(BETWEEN, word)) {
        words.remove(0);
    }
    let has_colon = matches!(between.last(), Some(Piece::Mark(':' | '=')));
    match &words[..] {
        [] => true,
        [letter] if read == Read::ValidNumbers && is_among(LETTERS_OF_PHONES, letter) => true,
        words if are_of_phones(words) => true,
        words => has_colon && words.len() <= LABEL_WORDS && read != Read::PossibleNumbers,
    }
}

/// Whether the text behind the last number only says what kind of phone it is: `601 234 567 kom.`
pub(super) fn explains(behind: &[Piece]) -> bool {
    let has_marks_only = behind.iter().all(|piece| !matches!(piece, Piece::Note(_)));
    has_marks_only
        && count_words(behind) <= LABEL_WORDS
        && (count_words(behind) == 0 || are_of_phones(&words_of(behind)))
}

/// Whether words are a label of phones: `tel`, `tel. kom.`, `nr telefonu`, `work phone`.
fn are_of_phones(words: &[String]) -> bool {
    words.len() <= LABEL_WORDS
        && words.iter().any(|word| is_among(OF_PHONES, word))
        && words.iter().all(|word| is_among(OF_PHONES, word) || is_among(WHICH, word) || is_among(NUMBER, word))
}

/// Whether the words directly before a run of digits say that it is no phone: `Order: `, `S/N `,
/// `nr zamówienia`, `order no. `.
pub(super) fn says_not_of_phones(between: &[Piece]) -> bool {
    let beside =
        between.iter().rposition(|piece| matches!(piece, Piece::Mark(mark) if !matches!(mark, ':' | '=' | '°')));
    // Only the last words matter.
    let from = beside.map_or(0, |at| at + 1).max(between.len().saturating_sub(2 * LABEL_WORDS));
    let words = words_of(between.get(from..).unwrap_or_default());
    // S/N and P/N.
    if let [.., first, last] = &words[..]
        && last == "n"
        && matches!(first.as_str(), "s" | "p")
    {
        return true;
    }
    let name = words.iter().rposition(|word| !is_among(NUMBER, word));
    let Some((at, word)) = name.and_then(|at| Some((at, words.get(at)?))) else {
        return false;
    };
    let is_numbered = words.len() > at + 1 || at > 0 && words.get(at - 1).is_some_and(|word| is_among(NUMBER, word));
    let compound = word.strip_suffix("nummer").or_else(|| word.strip_suffix("nr"));
    let has_colon = matches!(between.last(), Some(Piece::Mark(':')));
    is_among(NOT_OF_PHONES, word)
        || (is_numbered || has_colon) && is_among(NOT_OF_PHONES_WITH_COLON, word)
        || is_numbered && is_among(PEOPLE, word)
        || compound.is_some_and(|compound| is_among(NUMBERED, compound))
}

fn count_words(pieces: &[Piece]) -> usize {
    pieces.iter().filter(|piece| matches!(piece, Piece::Word(_))).count()
}

/// The words among these pieces, in lower case.
fn words_of(pieces: &[Piece]) -> Vec<String> {
    let words = pieces.iter().filter_map(|piece| match piece {
        Piece::Word(word) => Some(word.to_lowercase()),
        _ => None,
    });
    words.collect()
}
