//! What a search must find, and in which order: the rules of docs/search.md once more, written as plainly as they read, and
//! applied to every customer. Nothing here is shared with what is tested.

use rlibphonenumber::{PHONE_NUMBER_UTIL, PhoneNumberFormat, Region};
use std::collections::{HashMap, HashSet};
use strsim::osa_distance;
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;
use uuid::Uuid;

/// Of a name and of a value no more is searched.
const SEARCHED_CHARACTERS: usize = 1000;
/// Nor more of a customer's e-mails, and values of one field.
const SEARCHED_VALUES: usize = 64;

pub const NEVER: i64 = i64::MIN;

pub struct Customer {
    pub id: Uuid,
    pub name: String,
    pub phones: Vec<String>,
    /// The same in E.164.
    pub normal_phones: Vec<String>,
    pub emails: Vec<String>,
    /// By field: what is shown of its value, of a choice the options' names.
    pub values: Vec<(&'static str, Vec<String>)>,
    /// Microseconds since 1970. The least is never and -infinity, which sort alike; the greatest is infinity.
    pub last_activity: i64,
}

/// Letters that stand for each other, of those that the people and the queries have.
const SAME: [(&str, &str); 18] = [
    ("ł", "l"),
    ("ø", "o"),
    ("đɗ", "d"),
    ("ß", "ss"),
    ("æ", "ae"),
    ("œ", "oe"),
    ("ƙ", "k"),
    ("ɓ", "b"),
    ("əɛ", "e"),
    ("ґғ", "г"),
    ("қ", "к"),
    ("ם", "מ"),
    ("ן", "נ"),
    ("ىی", "ي"),
    ("ةہ", "ه"),
    ("ک", "ك"),
    ("ٱ", "ا"),
    ("髙", "高"),
];

/// Case, width, diacritics, apostrophes, letters with a stroke or ligature, and what cannot be seen do not count; nor how
/// digits and kana are written.
pub fn fold(text: &str) -> String {
    fold_each(text, true)
}

/// The same with kana and Chinese characters as they are typed.
fn fold_exactly(text: &str) -> String {
    fold_each(text, false)
}

fn fold_each(text: &str, variants: bool) -> String {
    let shown = text.chars().filter(|character| {
        !"'\"’‘`´ʼʻ״ـ\u{ad}\u{200b}\u{200c}\u{200d}\u{200e}\u{200f}\u{202a}\u{202c}\u{202e}\u{2060}\u{feff}\u{fe0f}"
            .contains(*character)
    });
    let lower: String = shown.nfkc().flat_map(char::to_lowercase).collect();
    let mut plain = String::new();
    for character in lower.nfd() {
        if matches!(character, '\u{300}'..='\u{36f}' | '\u{5b0}'..='\u{5c2}' | '\u{64b}'..='\u{65f}') {
            continue;
        }
        match SAME.iter().find(|(letters, _)| letters.contains(character)) {
            _ if !variants && is_cjk(character) => plain.push(character),
            Some((_, same)) => plain.push_str(same),
            None => plain.push(numeral_or_kana(character)),
        }
    }
    plain.nfc().collect::<String>().replace("l·l", "ll")
}

fn numeral_or_kana(character: char) -> char {
    let shifted = |by: i32| char::from_u32((character as i32 + by) as u32).expect("a character");
    let large = |kana: char| {
        "ァアィイゥウェエォオッツャヤュユョヨ"
            .chars()
            .skip_while(|small| *small != kana)
            .nth(1)
            .filter(|_| "ァィゥェォッャュョ".contains(kana))
            .unwrap_or(kana)
    };
    match character {
        '٠'..='٩' => shifted(-0x630),
        '०'..='९' => shifted(-0x936),
        'ぁ'..='ん' => large(shifted(0x60)),
        other => large(other),
    }
}

pub fn words(folded: &str) -> Vec<String> {
    let belongs = |character: char| character.is_alphanumeric() || is_combining_mark(character);
    folded.split(|character| !belongs(character)).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Chinese, Japanese, Korean: one character is enough to look for inside of a word.
fn is_cjk(character: char) -> bool {
    matches!(character, '\u{2e80}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// Han and kana, in which nobody mistypes a letter.
fn is_spelled(letter: char) -> bool {
    letter.is_alphabetic() && (!is_cjk(letter) || matches!(letter, '\u{ac00}'..='\u{d7af}'))
}

/// A customer, folded once.
struct Folded {
    name: Vec<String>,
    name_text: String,
    emails: Vec<String>,
    values: Vec<(&'static str, Vec<String>)>,
    /// The value of the field of type phone, in E.164, of that of type email, in lower case, and of that of type number, in all spellings.
    mobile: Option<String>,
    work: Option<String>,
    sum: Vec<String>,
}

/// A number with a fraction in the ways in which people write it.
pub fn spellings(number: &str) -> Vec<String> {
    let (whole, fraction) = number.split_once('.').expect("a fraction");
    let mut all = vec![number.to_owned(), format!("{number}0"), format!("{whole},{fraction}")];
    if whole.len() > 3 {
        let (thousands, rest) = whole.split_at(whole.len() - 3);
        all.extend([
            format!("{thousands},{rest}.{fraction}"),
            format!("{thousands}.{rest},{fraction}"),
            format!("{thousands} {rest},{fraction}"),
            format!("{thousands}'{rest}.{fraction}0"),
        ]);
    }
    all
}

pub struct Everybody {
    pub customers: Vec<Customer>,
    folded: Vec<Folded>,
    country: &'static str,
    /// The different words of names.
    name_words: HashSet<String>,
}

/// A word of a query.
struct Word {
    text: String,
    /// One letter or two: the beginning of a word of the name, or a word of a value.
    short: bool,
    /// Of an address whose words before the @ are all short: not the beginning of a word of the name.
    not_as_beginning: bool,
    /// As it is typed, if it has kana or Chinese characters: what has it in another form ranks lower.
    exact: Option<String>,
    /// Words of names that are the same with a typo, and with how many.
    misspelt: HashMap<String, usize>,
    /// What the number may be that it belongs to.
    phones: Vec<String>,
}

struct Query {
    id: Option<Uuid>,
    text: String,
    email: String,
    /// An address among other words, and these.
    address: Option<(String, Vec<Word>)>,
    phones: Vec<String>,
    ending: Option<String>,
    email_part: Option<String>,
    words: Vec<Word>,
}

/// A number in E.164, if it can be one in that country.
fn normal_phone(text: &str, country: &str) -> Option<String> {
    let text: String = text.nfkc().collect();
    let number = PHONE_NUMBER_UTIL.parse(&text, country.parse::<Region>().ok()).ok()?;
    PHONE_NUMBER_UTIL
        .is_possible_number(&number)
        .then(|| PHONE_NUMBER_UTIL.format(&number, PhoneNumberFormat::E164).into_owned())
}

/// What a number may be: one of that country; or without its + or with 00 for it one that exists anywhere, in one piece or with
/// the code of a country as the first.
fn phones(text: &str, country: &str) -> Vec<String> {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let own = normal_phone(text, country);
    let international = match digits.strip_prefix("00") {
        _ if text.contains('+') => None,
        Some(number) => Some(number.to_owned()),
        None => Some(digits.clone()).filter(|digits| digits.len() >= 10 && !digits.starts_with('0')),
    };
    let parsed = international.and_then(|digits| PHONE_NUMBER_UTIL.parse(format!("+{digits}"), None).ok());
    let first: String = text.chars().take_while(char::is_ascii_digit).collect();
    let is_meant = |code: i32| first.len() == text.len() || first == code.to_string() || first.starts_with("00");
    let abroad = parsed
        .filter(|number| PHONE_NUMBER_UTIL.is_valid_number(number) && is_meant(number.country_code))
        .map(|number| PHONE_NUMBER_UTIL.format(&number, PhoneNumberFormat::E164).into_owned());
    own.into_iter().chain(abroad).collect()
}

fn beginning(text: &str) -> String {
    text.chars().take(SEARCHED_CHARACTERS).collect()
}

impl Everybody {
    /// The customers of an owner of that country.
    pub fn new(country: &'static str, customers: Vec<Customer>) -> Everybody {
        let folded: Vec<Folded> = customers
            .iter()
            .map(|customer| {
                let name_text = fold(&beginning(&customer.name));
                let value = |wanted: &str| {
                    let found = customer.values.iter().find(|(field, _)| *field == wanted);
                    found.map(|(_, texts)| texts[0].as_str())
                };
                Folded {
                    name: words(&name_text),
                    name_text,
                    mobile: value("Mobile").and_then(|phone| normal_phone(phone, country)),
                    work: value("Work").map(str::to_lowercase),
                    sum: value("Sum").map(spellings).unwrap_or_default(),
                    emails: customer.emails.iter().take(SEARCHED_VALUES).map(|email| fold(email)).collect(),
                    values: customer
                        .values
                        .iter()
                        .map(|(field, texts)| {
                            (*field, texts.iter().take(SEARCHED_VALUES).map(|text| fold(&beginning(text))).collect())
                        })
                        .collect(),
                }
            })
            .collect();
        let name_words = folded.iter().flat_map(|folded| folded.name.iter().cloned()).collect();
        Everybody { customers, folded, country, name_words }
    }

    /// Who is found by a session that sees these searchable fields, best first, with the rank. Those at two typos only where
    /// there is nobody else.
    pub fn found(&self, text: &str, fields: &[&str]) -> Vec<(f32, &Customer)> {
        let query = self.read(text);
        let mut found: Vec<(u8, &Customer)> = self
            .customers
            .iter()
            .zip(&self.folded)
            .filter_map(|(customer, folded)| Some((tenths(&query, customer, folded, fields)?, customer)))
            .collect();
        if found.iter().any(|(rank, _)| *rank > 4) {
            found.retain(|(rank, _)| *rank > 4);
        }
        found.sort_by(|(rank, one), (other_rank, other)| {
            other_rank.cmp(rank).then(other.last_activity.cmp(&one.last_activity)).then(one.id.cmp(&other.id))
        });
        let rank = |tenths: u8| [0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0][usize::from(tenths) - 4];
        found.into_iter().map(|(tenths, customer)| (rank(tenths), customer)).collect()
    }

    fn read(&self, text: &str) -> Query {
        let text = text.trim();
        let folded = fold(text);
        let plain: String = text.nfkc().collect();
        let digits: String = plain.chars().filter(char::is_ascii_digit).collect();
        // What is pasted with a number.
        let number = plain.strip_prefix("tel:").unwrap_or(&plain).trim_end_matches(',');
        let is_phone = digits.len() >= 4 && number.chars().all(|c| c.is_ascii_digit() || "+-(). /".contains(c));
        let mut words: Vec<Word> = words(&folded).into_iter().map(|word| self.word(word)).collect();
        let exact = self::words(&fold_exactly(text));
        if exact.len() == words.len() {
            let exact = exact.into_iter().map(|exact| Some(exact).filter(|exact| exact.contains(is_cjk)));
            words.iter_mut().zip(exact).for_each(|(word, exact)| word.exact = exact);
        }
        if !is_phone {
            self.number_words(&mut words, &plain);
        }
        let part = folded.trim();
        let may_be_part =
            part.contains(['@', '.', '-', '_', '+']) && !part.contains(char::is_whitespace) && words.len() > 1;
        if let Some(at) = part.rfind('@').filter(|_| may_be_part) {
            let before: Vec<Word> = self::words(&part[..at]).into_iter().map(|word| self.word(word)).collect();
            if !before.is_empty() && before.iter().all(|word| word.short) {
                words.iter_mut().for_each(|word| word.not_as_beginning = true);
            }
        }
        Query {
            id: Uuid::try_parse(text).ok(),
            text: text.to_owned(),
            email: plain.to_lowercase(),
            address: self.address_among(&plain),
            phones: match plain.split_once(" ext. ") {
                Some((number, extension)) if extension.bytes().all(|byte| byte.is_ascii_digit()) => {
                    phones(number, self.country)
                }
                _ if is_phone => phones(number, self.country).into_iter().chain([digits.clone()]).collect(),
                _ => Vec::new(),
            },
            ending: Some(digits).filter(|_| is_phone && !plain.starts_with("tel:")),
            email_part: Some(part.to_owned()).filter(|_| may_be_part),
            words,
        }
    }

    /// The one address among other words.
    fn address_among(&self, text: &str) -> Option<(String, Vec<Word>)> {
        let (addresses, beside): (Vec<&str>, Vec<&str>) =
            text.split_whitespace().partition(|word| word.contains('@') && !word.starts_with('@'));
        let [address] = addresses[..] else { return None };
        let beside = words(&fold(&beside.join(" "))).into_iter().map(|word| self.word(word)).collect::<Vec<_>>();
        Some((address.to_lowercase(), beside)).filter(|(_, beside)| !beside.is_empty())
    }

    /// Numbers among other words: as many pieces in a row as have no letter, or one of them.
    fn number_words(&self, query: &mut [Word], text: &str) {
        let pieces: Vec<&str> = text.split_whitespace().collect();
        let is_number = |piece: &str| piece.chars().all(|c| c.is_ascii_digit() || "+-()./".contains(c));
        for (n, piece) in pieces.iter().enumerate().filter(|(_, piece)| is_number(piece)) {
            let before = pieces[..n].iter().rev().take_while(|piece| is_number(piece)).count();
            let after = pieces[n..].iter().take_while(|piece| is_number(piece)).count();
            let number = |text: &str| {
                let digits = text.chars().filter(char::is_ascii_digit).count();
                Some(phones(text, self.country)).filter(|phones| digits >= 4 && !phones.is_empty())
            };
            let Some(phones) = number(&pieces[n - before..n + after].join(" ")).or_else(|| number(piece)) else {
                continue;
            };
            for text in words(piece) {
                query.iter_mut().filter(|word| word.text == text).for_each(|word| word.phones.clone_from(&phones));
            }
        }
    }

    fn word(&self, text: String) -> Word {
        let letters = text.chars().count();
        let typos = match letters {
            _ if text.chars().any(char::is_numeric) || !text.chars().any(is_spelled) => 0,
            4..8 => 1,
            8..64 => 2,
            _ => 0,
        };
        let mut misspelt = HashMap::new();
        for other in self.name_words.iter().filter(|other| typos > 0 && other.chars().any(is_spelled)) {
            if other.chars().count().abs_diff(letters) <= typos {
                let distance = osa_distance(&text, other);
                if distance <= typos {
                    misspelt.insert(other.clone(), distance);
                }
            }
        }
        let short = letters < 3 && !text.chars().any(is_cjk);
        Word { short, not_as_beginning: false, text, exact: None, misspelt, phones: Vec::new() }
    }
}

/// The rank, in tenths.
fn tenths(query: &Query, customer: &Customer, folded: &Folded, fields: &[&str]) -> Option<u8> {
    if query.words.is_empty() {
        return None;
    }
    let seen = |field: &str, value: &Option<String>| value.clone().filter(|_| fields.contains(&field));
    let (mobile, work) = (seen("Mobile", &folded.mobile), seen("Work", &folded.work));
    let mut phones = customer.normal_phones.iter().chain(&mobile);
    if query.id == Some(customer.id)
        || query.email.contains('@') && work.as_ref() == Some(&query.email)
        || query.email.contains('@')
            && customer.emails.iter().take(SEARCHED_VALUES).any(|email| email.to_lowercase() == query.email)
        || phones.clone().any(|phone| query.phones.contains(phone))
    {
        return Some(10);
    }
    if let Some((address, beside)) = &query.address
        && (customer.emails.iter().take(SEARCHED_VALUES).any(|email| email.to_lowercase() == *address)
            || work.as_ref() == Some(address))
        && beside.iter().all(|word| word_tenths(word, customer, folded, fields).is_some_and(|rank| rank >= 6))
    {
        return Some(10);
    }
    let mut best = query.words.iter().map(|word| word_tenths(word, customer, folded, fields)).min().flatten();
    if best.is_some_and(|best| best >= 6) {
        let looked_for: Vec<&String> = query.words.iter().map(|word| &word.text).collect();
        let sorted = |mut words: Vec<&String>| {
            words.sort();
            words.into_iter().cloned().collect::<Vec<String>>()
        };
        let begins = || {
            folded.name.len() >= looked_for.len()
                && looked_for.iter().zip(&folded.name).rev().skip(1).all(|(word, other)| *word == other)
                && folded.name[looked_for.len() - 1].starts_with(looked_for[looked_for.len() - 1])
        };
        let of_name = if sorted(looked_for.clone()) == sorted(folded.name.iter().collect()) {
            Some(9)
        } else {
            Some(8).filter(|_| begins())
        };
        let is_variant = query.words.iter().any(|word| is_variant(word, customer, fields));
        best = match (best, of_name) {
            (Some(7), Some(_)) if is_variant => best,
            _ if is_variant => Some(6),
            _ => of_name.max(best),
        };
    }
    let part = |part: &String| folded.emails.iter().chain(&work).any(|email| email.contains(part));
    let part = query.email_part.as_ref().is_some_and(part);
    let ends = query.ending.as_ref().is_some_and(|ending| phones.any(|phone| phone.ends_with(ending)));
    let is_sum = fields.contains(&"Sum") && folded.sum.contains(&query.text);
    best.max(Some(6).filter(|_| part || ends)).max(Some(7).filter(|_| is_sum))
}

/// Whether the text in which a word is found best has it in another form: hiragana for katakana, an old form of a character.
fn is_variant(word: &Word, customer: &Customer, fields: &[&str]) -> bool {
    let Some(exact) = &word.exact else { return false };
    let values = customer.values.iter().filter(|(field, _)| fields.contains(field));
    let values = values.flat_map(|(_, texts)| texts.iter().take(SEARCHED_VALUES));
    let mut best: Option<(u8, String)> = None;
    for text in std::iter::once(&customer.name).chain(values).map(|text| beginning(text)) {
        let folded = fold(&text);
        let rank = if words(&folded).contains(&word.text) { 7 } else { 6 };
        if folded.contains(&word.text) && best.as_ref().is_none_or(|(known, _)| rank > *known) {
            best = Some((rank, text));
        }
    }
    best.is_some_and(|(_, text)| !fold_exactly(&text).contains(exact))
}

/// Whether a value has the letters and the digits of a word as two words.
fn is_parted(word: &str, value: &str) -> bool {
    let ends = |at: &usize| word.is_char_boundary(*at);
    let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let has_none = |text: &str| !text.bytes().any(|byte| byte.is_ascii_digit());
    (1..word.len()).filter(ends).map(|at| word.split_at(at)).any(|(first, second)| {
        (is_digits(first) && has_none(second) || has_none(first) && is_digits(second))
            && words(value).windows(2).any(|two| two[0] == first && two[1] == second)
    })
}

fn word_tenths(word: &Word, customer: &Customer, folded: &Folded, fields: &[&str]) -> Option<u8> {
    let values = || folded.values.iter().filter(|(field, _)| fields.contains(field)).flat_map(|(_, texts)| texts);
    let is_word_of = |value: &String| value.contains(&word.text) && words(value).contains(&word.text);
    if folded.name.contains(&word.text) || values().any(is_word_of) {
        return Some(7);
    }
    let mobile = folded.mobile.as_ref().filter(|_| fields.contains(&"Mobile"));
    if customer.normal_phones.iter().chain(mobile).any(|phone| word.phones.contains(phone)) {
        return Some(6);
    }
    if word.short {
        let begins = !word.not_as_beginning && folded.name.iter().any(|other| other.starts_with(&word.text));
        return begins.then_some(6);
    }
    let first: Vec<&String> = folded.name.iter().take(8).collect();
    let is_joined = (2..=4).any(|count| {
        first.windows(count).any(|run| run.iter().map(|word| word.as_str()).collect::<String>() == word.text)
    });
    let digits = word.text.len() >= 4 && word.text.chars().all(|c| c.is_ascii_digit());
    if folded.name_text.contains(&word.text)
        || is_joined
        || values().any(|value| value.contains(&word.text) || is_parted(&word.text, value))
        || folded.emails.iter().any(|email| email.contains(&word.text))
        || digits && customer.normal_phones.iter().chain(mobile).any(|phone| phone.ends_with(&word.text))
    {
        return Some(6);
    }
    let fewest = folded.name.iter().filter_map(|other| word.misspelt.get(other)).min()?;
    Some(if *fewest < 2 { 5 } else { 4 })
}
