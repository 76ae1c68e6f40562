//! Which phone numbers a text is, and what else is in it: labels, several numbers side by side, extensions, addresses.

use super::number::{
    NUMBER_DIGITS, Number, alternative, ascii_digits, count_digits, e164, is_date, number, parsed, plainly_one,
};
use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberType};
use std::borrow::Cow;
use std::cell::Cell;
use unicode_normalization::char::is_combining_mark;

/// Texts that are not a number are kept as written only up to this length.
const MAX_WRITTEN_CHARACTERS: usize = 100;

/// The most numbers that are read from one text.
pub const MAX_NUMBERS: usize = 16;

/// The most calls of libphonenumber's parser for one text.
const MAX_ATTEMPTS: usize = 200;

/// The most digits of an extension.
const EXTENSION_DIGITS: usize = 7;

/// Whether a text has only digits and what separates or introduces those of a phone number.
pub(super) fn is_of_phone(plain: &str) -> bool {
    plain.chars().all(|character| is_of_number(character) || character == '/')
}

/// Characters that stand between digits of one number, and never between two numbers.
fn is_of_number(character: char) -> bool {
    matches!(
        character,
        '0'..='9' | '+' | '-' | '(' | ')' | '.' | '#' | '*' | ' ' | '\u{2010}'..='\u{2015}' | '\u{2212}' | 'ー'
    )
}

/// Characters that stand between digits of one number, or between two numbers.
fn is_of_numbers(character: char) -> bool {
    is_of_number(character) || matches!(character, '/' | ',' | '~' | '、' | '\t' | '[' | ']')
}

/// Letters, but not `ー`, which people type as a dash.
fn is_letter(character: char) -> bool {
    (character.is_alphabetic() || is_combining_mark(character)) && character != 'ー'
}

/// The text without characters that are copied with a number by accident, and without brackets or quotes around the whole.
pub(super) fn trimmed(plain: &str) -> &str {
    let is_beside = |character: char| {
        character.is_whitespace()
            || character.is_control()
            || matches!(
                character,
                ',' | ';' | '.' | ':' | '!' | '?' | '"' | '\'' | '`' | '’' | '‘' | '“' | '”' | '„' | '«' | '»'
            )
            || matches!(
                character,
                '<' | '>' | '[' | ']' | '{' | '}' | '|' | '、' | '。' | '・' | '•' | '「' | '」' | '=' | '_'
            )
    };
    let mut text = plain.trim_matches(is_beside);
    loop {
        let before = text;
        let inside = text.strip_prefix('(').and_then(|text| text.strip_suffix(')'));
        if let Some(inside) = inside.filter(|inside| !inside.contains(['(', ')'])) {
            text = inside.trim_matches(is_beside);
        }
        if text.ends_with(')') && !text.contains('(') {
            text = text.trim_end_matches(')').trim_matches(is_beside);
        }
        if text.ends_with(['(', '-', '\u{2013}', '/']) {
            text = text.trim_end_matches(['(', '-', '\u{2013}', '/']).trim_matches(is_beside);
        }
        if text == before {
            return text;
        }
    }
}

/// What of a text is phone numbers.
pub(super) struct Reading {
    pub numbers: Vec<Number>,
    /// Whether the whole text is: the rest only introduces, separates or explains numbers.
    pub is_all: bool,
    /// Whether all its digits are in numbers: the rest has words, but no digits.
    pub is_all_digits: bool,
    /// The digits of a text that is written like a number and is none.
    pub bare: Vec<String>,
}

/// A piece of a text.
#[derive(Clone, Copy, Debug)]
enum Piece<'a> {
    /// Digits and what stands between digits.
    Digits(&'a str),
    Word(&'a str),
    /// In parentheses behind a number.
    Note(&'a str),
    Mark(char),
}

impl Reading {
    fn nothing() -> Reading {
        Reading { numbers: Vec::new(), is_all: false, is_all_digits: false, bare: Vec::new() }
    }

    pub fn of(plain: &str, country: Option<&str>) -> Reading {
        if let Some(number) = plainly_one(plain, country) {
            return Reading::of_number(number);
        }
        let text = trimmed(plain);
        if count_digits(text) == 0 {
            return Reading::nothing();
        }
        let Some((text, is_international)) = addressed(text) else {
            return Reading::nothing();
        };
        let text: Cow<str> = if is_international { format!("+{text}").into() } else { text.into() };
        Reading::by_pieces(&text, country)
    }

    /// Reads a text that is one number.
    pub fn of_number(number: Number) -> Reading {
        Reading { numbers: vec![number], is_all: true, is_all_digits: true, bare: Vec::new() }
    }

    /// Reads any text from which what surrounds it has been removed.
    pub fn by_pieces(text: &str, country: Option<&str>) -> Reading {
        Reader { country, attempts: Cell::new(MAX_ATTEMPTS) }.read(text)
    }

    pub fn is_all_numbers(&self) -> bool {
        self.is_all && !self.numbers.is_empty()
    }

    /// The text as written, which is kept besides its numbers unless it is numbers and nothing else.
    pub fn written(&self, plain: &str) -> Option<String> {
        if self.is_all_numbers() { None } else { written(plain) }
    }

    pub fn to_find(&self, country: Option<&str>) -> Vec<String> {
        let numbers = || self.numbers.iter();
        let alternatives = numbers().filter_map(|number| alternative(&number.e164));
        let others = numbers().flat_map(|number| number.others.iter().cloned());
        // If the owner has no country, a number that is typed without + is kept as its digits.
        let unread =
            numbers().filter(|_| country.is_none()).map(|number| number.e164.trim_start_matches('+').to_owned());
        numbers().map(|number| number.e164.clone()).chain(others).chain(alternatives).chain(unread).collect()
    }

    pub fn unique(&self) -> Option<String> {
        let one = |number: &Number| {
            let e164 = if number.e164.starts_with("+549") { alternative(&number.e164) } else { None };
            let e164 = e164.unwrap_or_else(|| number.e164.clone());
            if number.extension.is_empty() { e164 } else { format!("{e164};ext={}", number.extension) }
        };
        let mut forms: Vec<String> = self.numbers.iter().map(one).collect();
        forms.sort_unstable();
        forms.dedup();
        Some(forms.join(" ")).filter(|form| !form.is_empty())
    }
}

/// The text without its scheme (`tel:`, `sip:`) and without the host of an address, and whether its digits are
/// international ones. None where it is the address of something else.
fn addressed(text: &str) -> Option<(&str, bool)> {
    /// WhatsApp's names of people are numbers with the code of a country.
    const WITH_CODE: [&str; 3] = ["@c.us", "@s.whatsapp.net", "@whatsapp.net"];
    const LINKS: [&str; 9] = [
        "https://t.me/+",
        "viber://chat?number=",
        "viber://add?number=",
        "https://wa.me/",
        "http://wa.me/",
        "wa.me/",
        "https://api.whatsapp.com/send?phone=",
        "https://api.whatsapp.com/send/?phone=",
        "whatsapp://send?phone=",
    ];
    const SCHEMES: [&str; 9] =
        ["tel:", "callto:", "skype:", "sms:", "smsto:", "whatsapp:", "facetime:", "facetime-audio:", "viber:"];
    // "Jan" <sip:601234567@example.com>;tag=1, as in RFC 3261.
    let named = text.split_once('<').map(|(_, rest)| rest.split_once('>').map_or(rest, |(address, _)| address));
    let is_address = |address: &&str| ["sip:", "sips:", "tel:"].iter().any(|scheme| address.starts_with(scheme));
    let text = named.filter(is_address).unwrap_or(text);
    let starts = |prefix: &str| text.get(..prefix.len()).is_some_and(|begins| begins.eq_ignore_ascii_case(prefix));
    let is_number = |text: &str| {
        let text = text.strip_prefix('+').unwrap_or(text);
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    let international = |number: &'_ str| !number.starts_with('+');
    for link in LINKS {
        if starts(link) {
            let rest = text.get(link.len()..)?.trim_start_matches("%2B").trim_start_matches('+');
            let number = rest.get(..rest.find(['?', '&', '/', '#']).unwrap_or(rest.len()))?;
            return is_number(number).then_some((number, true));
        }
    }
    for host in WITH_CODE {
        let Some(at) = text.len().checked_sub(host.len()) else { continue };
        if text.get(at..).is_some_and(|ends| ends.eq_ignore_ascii_case(host)) {
            // After a colon comes the number of a device.
            let number = text.get(..at)?.split([':', '.']).find(|part| is_number(part))?;
            return Some((number, international(number)));
        }
    }
    if ["sip:", "sips:"].into_iter().any(starts) {
        let address = text.get(text.find(':')? + 1..)?;
        let number = address.get(..address.find(['@', ';', '?']).unwrap_or(address.len()))?;
        return Some((number, false));
    }
    if SCHEMES.into_iter().any(starts) {
        // RFC 3966: of the parameters only the extension belongs to the number.
        let end = [";phone-context=", ";isub=", "?"].into_iter().filter_map(|parameter| text.find(parameter)).min();
        return Some((text.get(..end.unwrap_or(text.len()))?, false));
    }
    if text.contains('@') && !text.contains(char::is_whitespace) && !text.contains(['<', '>']) {
        return None;
    }
    Some((text, false))
}

/// How an extension is introduced, in lower case.
const EXTENSION: &str = "\
    x w xtn ext extn extension int interno interna intern interne anexo ramal poste wew wewn wewnętrzny \
    dw durchwahl nst nebenstelle klappe kl toestel tst linka dahili mellék ankn anknytning lokal \
    alanumero доб добавочный вн внутр внутрішній внутренний 內線 内線 内线 分機 分机 轉 转 내선 교환";

/// Words between two alternative numbers.
const BETWEEN: &str = "\
    oder und or and lub albo i oraz o oppure e ou et y u of en або или і и 或 または 또는";

/// Words of a label with a colon that say that no phone follows.
const NOT_OF_PHONES: &str = "\
    order invoice contract ticket case ref reference id account customer tracking serial sku po imei isbn ean \
    konto iban nip pesel regon vat tax krs faktura faktury umowa umowy zamówienie zamówienia zam paczka paczki polisa \
    polisy sprawa sprawy rechnung rechnungsnummer rechnungsnr bestellung bestellnummer bestellnr auftrag \
    auftragsnummer auftragsnr vertrag vertragsnummer vertragsnr kundennummer kundennr commande facture pedido \
    factura ordine fattura";

/// Labels that introduce a number without a colon.
const INTRODUCED: [&str; 2] = ["tel", "電話"];

struct Reader<'a> {
    country: Option<&'a str>,
    attempts: Cell<usize>,
}

impl Reader<'_> {
    fn number(&self, text: &str) -> Option<Number> {
        let attempts = self.attempts.get().checked_sub(1)?;
        self.attempts.set(attempts);
        number(text, self.country)
    }

    fn valid(&self, text: &str) -> Option<Number> {
        self.number(text).filter(|number| number.is_valid)
    }

    fn read(&self, text: &str) -> Reading {
        if let Some(number) = self.spelled(text) {
            return Reading::of_number(number);
        }
        let pieces = pieces(text);
        if let Some(number) = self.parted_by_marks(&pieces) {
            return Reading::of_number(number);
        }
        let mut reading = Reading { is_all: true, is_all_digits: true, ..Reading::nothing() };
        let mut bare: Vec<&str> = Vec::new();
        let mut place = 0;
        // The text since the number before.
        let mut between: Vec<Piece> = Vec::new();
        let mut is_noted = false;
        while let Some(piece) = pieces.get(place).copied() {
            place += 1;
            match piece {
                Piece::Digits(run) => {
                    let next = pieces.get(place).copied();
                    if let Some(number) = reading.numbers.last_mut()
                        && is_extension(&between, run)
                    {
                        number.extension = ascii_digits(run);
                        between = vec![Piece::Digits("")];
                        continue;
                    }
                    // 601 234 5xx is the beginning of a number.
                    let is_cut_off =
                        matches!(next, Some(Piece::Word(_))) && run.ends_with(|last: char| last.is_ascii_digit());
                    let run = without_ordinals(run, between.is_empty(), next);
                    if is_label(run, &between, next) {
                        between.push(Piece::Digits(run));
                        continue;
                    }
                    let (mut numbers, is_all) = self.numbers(run);
                    if is_cut_off {
                        numbers.retain(|number| number.is_valid);
                    }
                    reading.is_all_digits &= is_all && !numbers.is_empty();
                    if numbers.is_empty() {
                        if count_digits(run) > 0 {
                            bare.push(run);
                        }
                        if count_digits(run) == 0 || !reading.numbers.is_empty() || !introduces(&between, false, true) {
                            reading.is_all = false;
                        }
                        continue;
                    }
                    reading.is_all &= is_all
                        && introduces(
                            &between,
                            !reading.numbers.is_empty(),
                            numbers.iter().all(|number| number.is_valid),
                        )
                        && bare.is_empty();
                    between.clear();
                    is_noted = false;
                    reading.numbers.extend(numbers);
                    if reading.numbers.len() >= MAX_NUMBERS {
                        reading.numbers.truncate(MAX_NUMBERS);
                        reading.is_all &= place == pieces.len();
                        break;
                    }
                }
                Piece::Note(note) => {
                    let has_number = count_digits(note) >= NUMBER_DIGITS && !is_hours(note);
                    let numbers = if has_number { self.read_note(note) } else { Vec::new() };
                    let is_behind_number = between.iter().all(|piece| matches!(piece, Piece::Digits("")));
                    // A second number, or a note on the first.
                    let is_either = if has_number { !numbers.is_empty() && !note.contains(is_letter) } else { true };
                    reading.is_all &= !is_noted && is_behind_number && is_either;
                    reading.is_all_digits &= has_number != numbers.is_empty();
                    is_noted = true;
                    reading.numbers.extend(numbers);
                }
                Piece::Word(_) | Piece::Mark(_) => between.push(piece),
            }
        }
        // The text after the last number.
        reading.is_all &= between.iter().all(|piece| matches!(piece, Piece::Mark(_) | Piece::Digits("")));
        reading.is_all &= reading.numbers.is_empty() || bare.is_empty();
        if reading.numbers.iter().any(|number| number.is_valid) && !reading.is_all {
            // If a text with words holds one valid number, other digits that are merely possible are hardly numbers.
            reading.is_all_digits &= reading.numbers.iter().all(|number| number.is_valid);
            reading.numbers.retain(|number| number.is_valid);
        }
        // `12:30` is not two numbers, nor is the beginning of one a number beside its end.
        let is_short = |number: &Number| !number.is_valid && number.digits.len() < NUMBER_DIGITS;
        if reading.numbers.len() > 1 && reading.numbers.iter().any(is_short)
            || bare.len() > 1 && reading.numbers.is_empty()
        {
            reading.is_all = false;
        }
        if !reading.is_all {
            let before = reading.numbers.len();
            reading.numbers.retain(|number| number.is_valid || number.digits.len() >= NUMBER_DIGITS);
            reading.is_all_digits &= reading.numbers.len() == before;
        }
        if reading.numbers.is_empty() && reading.is_all {
            reading.bare = bare.into_iter().flat_map(bare_digits).collect();
        }
        reading
    }

    /// The valid number that runs of digits are together, with no words and but one kind of mark between them: `0171|1234567`,
    /// `601·234·567`. Where each run is a number they are several.
    fn parted_by_marks(&self, pieces: &[Piece]) -> Option<Number> {
        let marks: Vec<char> =
            pieces.iter().filter_map(|piece| if let Piece::Mark(mark) = piece { Some(*mark) } else { None }).collect();
        let runs: Vec<&str> = pieces
            .iter()
            .filter_map(|piece| if let Piece::Digits(run) = piece { Some(run.trim()) } else { None })
            .collect();
        let is_parted = marks.len() + runs.len() == pieces.len() && runs.len() > 1 && marks.len() + 1 == runs.len();
        let first = marks.first()?;
        let is_number = |run: &&str| count_digits(run) >= NUMBER_DIGITS && self.valid(run).is_some();
        if !is_parted || *first == '\n' || marks.iter().any(|mark| mark != first) || runs.iter().all(is_number) {
            return None;
        }
        self.valid(&runs.join(" "))
    }

    /// Numbers in a note.
    fn read_note(&self, note: &str) -> Vec<Number> {
        let runs = pieces(note).into_iter().filter_map(|piece| match piece {
            Piece::Digits(run) => Some(run),
            _ => None,
        });
        runs.flat_map(|run| self.numbers(run).0).filter(|number| number.is_valid).collect()
    }

    /// The number that letters spell on the keys of a telephone, as in 1-800-FLOWERS. Toll-free and premium-rate numbers are written like
    /// this, and in North America all numbers; letters after other digits are a name.
    fn spelled(&self, text: &str) -> Option<Number> {
        let first = text.find(is_letter)?;
        let before = text.get(..first)?;
        let letters = text.bytes().filter(u8::is_ascii_alphabetic).count();
        let is_spelled = letters >= 3
            && count_digits(before) > 0
            && is_of_phone(before)
            && text.chars().all(|character| {
                character.is_ascii_alphanumeric() || matches!(character, '+' | '-' | '.' | ' ' | '(' | ')')
            })
            && !is_among(EXTENSION, text.get(first..)?.split(|c: char| !is_letter(c)).next()?);
        let is_joined = before.ends_with(['-', '.']);
        if !is_spelled
            || self.valid(before.trim_end_matches([' ', '-', '.', '('])).is_some() && !is_joined
            || text.ends_with(')')
        {
            return None;
        }
        let mut number = parsed(text, self.country)?;
        if number.country_code == 1 {
            // Letters after the last digit are dialled, but have no effect.
            PHONE_NUMBER_UTIL.truncate_too_long_number(&mut number);
        }
        let is_known = PHONE_NUMBER_UTIL.is_valid_number(&number)
            && (number.country_code == 1
                || matches!(
                    PHONE_NUMBER_UTIL.get_number_type(&number),
                    PhoneNumberType::TollFree
                        | PhoneNumberType::PremiumRate
                        | PhoneNumberType::SharedCost
                        | PhoneNumberType::UAN
                ));
        is_known.then(|| Number {
            e164: e164(&number),
            others: Vec::new(),
            is_valid: true,
            extension: number.extension().to_owned(),
            digits: ascii_digits(text),
        })
    }

    /// The numbers in a run of digits, and whether they are all of it.
    fn numbers(&self, run: &str) -> (Vec<Number>, bool) {
        let is_of_it = |character: char| character.is_ascii_digit() || matches!(character, '+' | '(' | '#' | '*' | ')');
        let run = run.trim_matches(|character: char| !is_of_it(character));
        let run = if run.contains('(') { run } else { run.trim_end_matches(')') };
        if count_digits(run) == 0 || is_date(run) { (Vec::new(), true) } else { self.separated(run, &SEPARATORS) }
    }

    /// The same for a run that is split at these separators. If each part is a number, there are several; else the whole is one number, or
    /// what follows a number is its extension.
    fn separated(&self, run: &str, separators: &[Separator]) -> (Vec<Number>, bool) {
        let Some((separator, closer)) = separators.split_first() else {
            return self.side_by_side(run);
        };
        let parts = separator.parts(run);
        if parts.len() < 2 {
            return self.separated(run, closer);
        }
        let each: Vec<(Vec<Number>, bool)> = parts.iter().map(|part| self.separated(part, closer)).collect();
        let are_numbers = each.iter().zip(&parts).all(|((numbers, is_all), part)| {
            *is_all
                && !numbers.is_empty()
                && numbers.iter().all(|number| number.is_valid)
                && count_digits(part) >= NUMBER_DIGITS
        });
        if are_numbers {
            return (each.into_iter().flat_map(|(numbers, _)| numbers).collect(), true);
        }
        let joined = match separator {
            Separator::Plus => None,
            _ => self.number(&parts.join(" ")).filter(|number| number.extension.is_empty()),
        };
        // 02-312-3456~7 are two numbers that differ in the end.
        let is_one_digit = parts.iter().skip(1).all(|part| count_digits(part) <= 2);
        let is_extended = (matches!(separator, Separator::Comma) || is_one_digit)
            && each.first().is_some_and(|(first, _)| first.iter().any(|first| first.is_valid));
        if let Some(joined) = joined.as_ref().filter(|joined| joined.is_valid && !is_extended) {
            return (vec![joined.clone()], true);
        }
        let may_be_several = |(numbers, is_all): &(Vec<Number>, bool)| {
            *is_all && !numbers.is_empty() && numbers.iter().all(|number| number.digits.len() > NUMBER_DIGITS)
        };
        if joined.is_none() && each.iter().all(may_be_several) {
            return (each.into_iter().flat_map(|(numbers, _)| numbers).collect(), true);
        }
        let mut numbers: Vec<Number> = Vec::new();
        let mut is_all = true;
        for (part, (some, all)) in parts.iter().zip(each) {
            let is_short = count_digits(part) <= EXTENSION_DIGITS;
            match numbers.last_mut() {
                _ if some.iter().any(|number| number.is_valid) => {
                    is_all &= all;
                    numbers.extend(some.into_iter().filter(|number| number.is_valid));
                }
                Some(before) if is_short && before.extension.is_empty() => before.extension = ascii_digits(part),
                _ => is_all = false,
            }
        }
        match joined {
            _ if !numbers.is_empty() => (numbers, is_all),
            Some(joined) => (vec![joined], true),
            None => (Vec::new(), false),
        }
    }

    /// One number; or if the whole cannot be one, the longest numbers in it, each of a few neighbouring pieces.
    fn side_by_side(&self, text: &str) -> (Vec<Number>, bool) {
        let text = text.trim();
        let whole = self.number(text);
        // 601 234 567 (8-16): the hours to call.
        if let Some((before, _)) = text.strip_suffix(')').and_then(|text| text.rsplit_once('('))
            && whole.as_ref().is_none_or(|whole| !whole.is_valid)
            && let Some(number) = self.valid(before.trim_end())
        {
            return (vec![number], true);
        }
        if whole.as_ref().is_some_and(|whole| whole.is_valid) {
            return (whole.into_iter().collect(), true);
        }
        let pieces: Vec<&str> = text.split(' ').filter(|piece| !piece.is_empty()).collect();
        let mut numbers = Vec::new();
        let mut left = &pieces[..];
        let mut is_all = true;
        while pieces.len() > 1 && !left.is_empty() && numbers.len() < MAX_NUMBERS {
            let longest = (1..=left.len().min(PIECES)).rev().find_map(|count| {
                let some = left.get(..count)?.join(" ");
                let number =
                    (count_digits(&some) >= NUMBER_DIGITS && count_digits(&some) <= 20).then(|| self.valid(&some));
                number.flatten().map(|number| (number, count))
            });
            match longest {
                Some((number, count)) => {
                    numbers.push(number);
                    left = left.get(count..).unwrap_or_default();
                }
                None => {
                    is_all = false;
                    left = left.get(1..).unwrap_or_default();
                }
            }
        }
        // (1) 601234567: the first of a list.
        if let [first, rest @ ..] = &pieces[..]
            && count_digits(first) == 1
            && !first.contains('+')
            && let Some(number) = self.valid(&rest.join(" "))
        {
            return (vec![number], true);
        }
        match whole {
            Some(whole) if numbers.is_empty() || !is_all => (vec![whole], true),
            _ if numbers.is_empty() => (Vec::new(), false),
            _ => (numbers, is_all),
        }
    }
}

/// The digits of a run that is not a number; those of each part if all parts are long enough to be numbers.
fn bare_digits(run: &str) -> Vec<String> {
    if run.contains(['*', '#']) {
        return Vec::new();
    }
    let several = SEPARATORS.iter().find_map(|separator| {
        let are_long = |parts: &[&str]| parts.iter().all(|part| count_digits(part) >= NUMBER_DIGITS);
        Some(separator.parts(run)).filter(|parts| parts.len() > 1 && are_long(parts))
    });
    let digits = several.unwrap_or_else(|| vec![run]).into_iter().take(MAX_NUMBERS).map(ascii_digits);
    digits.filter(|digits| digits.len() < MAX_WRITTEN_CHARACTERS).collect()
}

/// What separates numbers, if each part is one, from what separates those that belong together most.
#[derive(Clone, Copy)]
enum Separator {
    /// `2)`, between spaces.
    Ordinal,
    Comma,
    /// A `+` begins a number.
    Plus,
    /// Between spaces.
    Dash,
    Slash,
}

const SEPARATORS: [Separator; 5] =
    [Separator::Ordinal, Separator::Comma, Separator::Plus, Separator::Dash, Separator::Slash];

impl Separator {
    /// The parts of a run that have digits.
    fn parts(self, run: &str) -> Vec<&str> {
        let mut parts: Vec<&str> = match self {
            Separator::Ordinal => between_ordinals(run),
            Separator::Comma => run.split([',', '、', '\t', '[', ']']).collect(),
            Separator::Plus => run.split(" + ").flat_map(before_plus).collect(),
            Separator::Dash => run.split(" - ").collect(),
            Separator::Slash => run.split(['/', '~']).collect(),
        };
        parts.retain(|part| count_digits(part) > 0);
        parts.iter_mut().for_each(|part| *part = part.trim());
        parts
    }
}

fn between_ordinals(run: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    for (at, _) in run.match_indices(')') {
        let before = run.get(start..at).unwrap_or_default();
        let number = before.trim_end_matches(|character: char| character.is_ascii_digit());
        if number.ends_with([' ', ',', '/'])
            && (1..=2).contains(&(before.len() - number.len()))
            && !number.contains('(')
        {
            parts.push(number);
            start = at + 1;
        }
    }
    parts.extend(run.get(start..));
    parts
}

fn before_plus(run: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    for (at, _) in run.match_indices('+') {
        let at = if run.get(..at).is_some_and(|before| before.ends_with('(')) { at - 1 } else { at };
        if run.get(start..at).is_some_and(|before| count_digits(before) > 0) {
            parts.extend(run.get(start..at));
            start = at;
        }
    }
    parts.extend(run.get(start..));
    parts
}

fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end_of = |is_in: &dyn Fn(char) -> bool| rest.find(|character| !is_in(character)).unwrap_or(rest.len());
        let end = if is_letter(first) {
            let end = end_of(&is_letter);
            pieces.extend(rest.get(..end).map(Piece::Word));
            end
        } else if first == '(' && matches!(pieces.last(), Some(Piece::Digits(_) | Piece::Note(_)))
            || first == '(' && !pieces.is_empty() && is_note(rest).is_some()
        {
            match is_note(rest) {
                Some((note, end)) => {
                    pieces.push(Piece::Note(note));
                    end
                }
                None => {
                    pieces.push(Piece::Mark(first));
                    1
                }
            }
        } else if is_of_numbers(first) {
            let mut end = end_of(&is_of_numbers);
            // A note ends the run.
            let notes = rest.get(..end).unwrap_or_default().match_indices('(');
            let note = notes.map(|(at, _)| at).find(|at| {
                rest.get(..*at).is_some_and(|before| count_digits(before) > 0)
                    && rest.get(*at..).is_some_and(|rest| is_note(rest).is_some())
            });
            end = note.filter(|at| *at > 0).unwrap_or(end);
            pieces.extend(rest.get(..end).map(Piece::Digits));
            end
        } else {
            if !first.is_whitespace() {
                pieces.push(Piece::Mark(first));
            } else if first == '\n' {
                pieces.push(Piece::Mark('\n'));
            }
            first.len_utf8()
        };
        rest = rest.get(end..).unwrap_or_default();
    }
    // Only separators count as nothing.
    pieces.retain(|piece| !matches!(piece, Piece::Digits(run) if count_digits(run) == 0 && !run.contains(['*', '#'])));
    pieces
}

/// The note in parentheses that a text begins with, and where it ends. Parentheses without letters, a number or a time of day are part
/// of a number, not a note.
fn is_note(text: &str) -> Option<(&str, usize)> {
    let end = text.find(')')?;
    let note = text.get(1..end)?;
    let is_it = note.contains(|character: char| is_letter(character) || character == ':')
        || count_digits(note) >= NUMBER_DIGITS
        || is_hours(note);
    is_it.then_some((note, end + 1))
}

/// `8-16`, `8 - 16`, `08.00-16.00`.
fn is_hours(note: &str) -> bool {
    let is_hour = |text: &str| {
        let text = text.trim();
        let hour = text.split(['.', ':']).next().unwrap_or_default();
        (1..=5).contains(&text.len()) && hour.parse::<u8>().is_ok_and(|hour| hour <= 24)
    };
    note.split_once(['-', '\u{2013}']).is_some_and(|(from, to)| is_hour(from) && is_hour(to))
}

/// Whether a run of digits behind a number is its extension, by what stands between.
fn is_extension(between: &[Piece], run: &str) -> bool {
    // RFC 3966 has a semicolon before it.
    let between = if let [Piece::Mark(';'), rest @ ..] = between { rest } else { between };
    let [Piece::Word(word), rest @ ..] = between else {
        return false;
    };
    let word = word.to_lowercase();
    let digits = run.trim_matches([' ', '.', '-', '#']);
    is_among(EXTENSION, &word)
        && rest.iter().all(|piece| matches!(piece, Piece::Mark(':' | '=' | '.')))
        && (1..=EXTENSION_DIGITS).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// A run of digits without the number of a list entry before it (`1)`), and without digits that belong to the word after it.
fn without_ordinals<'a>(run: &'a str, is_first: bool, next: Option<Piece>) -> &'a str {
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
fn is_label(run: &str, between: &[Piece], next: Option<Piece>) -> bool {
    let is_few = (1..=2).contains(&count_digits(run)) && !run.contains(['+', '*', '#']);
    is_few
        && match next {
            Some(Piece::Mark(':')) => matches!(between.last(), Some(Piece::Word(_))),
            Some(Piece::Word(_)) => between.is_empty() && run.trim_end().ends_with('.'),
            _ => false,
        }
}

/// Whether the text before a number, or between two, only introduces it. A label with a colon can introduce anything, so it counts only
/// before a valid number.
fn introduces(between: &[Piece], is_behind_number: bool, is_valid: bool) -> bool {
    let words: Vec<String> = between
        .iter()
        .filter_map(|piece| match piece {
            Piece::Word(word) => Some(word.to_lowercase()),
            _ => None,
        })
        .collect();
    let only_marks = |marks: &[char]| {
        between.iter().all(|piece| match piece {
            Piece::Mark(mark) => marks.contains(mark),
            _ => true,
        })
    };
    const MARKS: [char; 20] =
        [';', '|', '&', '\n', ':', '<', '>', '"', '\\', '•', '·', '=', '☎', '☏', '✆', '📞', '📱', '📲', '🖷', '→'];
    if !only_marks(&MARKS) {
        return false;
    }
    match &words[..] {
        [] => true,
        [word] if INTRODUCED.contains(&word.as_str()) => true,
        [word] if is_behind_number && is_among(BETWEEN, word) => true,
        [_, ..] if words.len() <= 3 && matches!(between.last(), Some(Piece::Mark(':' | '='))) => {
            is_valid && !words.iter().any(|word| is_among(NOT_OF_PHONES, word))
        }
        _ => false,
    }
}

/// The most words that a number is written in.
pub(super) const PIECES: usize = 16;

/// The form in which a text that is not read as numbers is kept and looked up: letters in lower case, digits, `*` and `#`. If it has
/// letters, a `-` parts groups of digits. It does not begin with `+`, as the form of a number does.
fn written(plain: &str) -> Option<String> {
    let counts = |character: char| is_letter(character) || character.is_numeric() || matches!(character, '*' | '#');
    let has_other = plain.contains(|character: char| counts(character) && !character.is_ascii_digit());
    let mut form = String::new();
    let mut is_parted = false;
    for character in plain.chars() {
        if !counts(character) {
            is_parted = true;
            continue;
        }
        // If there are words, groups of digits stay apart: room 1/2 is not room 12.
        if is_parted && has_other && character.is_ascii_digit() && form.ends_with(|last: char| last.is_ascii_digit()) {
            form.push('-');
        }
        is_parted = false;
        form.extend(character.to_lowercase());
    }
    let is_it = form.contains(|character: char| character.is_ascii_digit())
        && form.chars().nth(MAX_WRITTEN_CHARACTERS).is_none();
    is_it.then_some(form)
}

fn is_among(words: &str, word: &str) -> bool {
    let word = word.to_lowercase();
    words.split(' ').any(|other| other == word)
}
