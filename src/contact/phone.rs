//! Phone numbers in the form that look-ups compare: E.164 by the owner's country.

use super::plain;
use rlibphonenumber::{NumberLengthType, PHONE_NUMBER_UTIL, PhoneNumber, PhoneNumberFormat, Region};

/// Digits that a number typed only in part must have to be looked for.
pub const MIN_SUFFIX_DIGITS: usize = 4;

/// Longer texts are not phone numbers (E.164 allows 15 digits), and are not worth a parser's time.
const MAX_PHONE_CHARACTERS: usize = 100;

/// Digits before letters from which they are a number, and the letters are not part of it: 0800 FLOWERS has fewer.
const DIGITS_BEFORE_LABEL: usize = 6;

/// Whether it is the code of a country that has phone numbers.
pub fn is_country(code: &str) -> bool {
    code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase()) && region(code).is_some()
}

fn region(code: &str) -> Option<Region> {
    code.parse().ok().filter(|region| PHONE_NUMBER_UTIL.get_country_code_for_region(*region).is_some())
}

/// The decimal digits of a text in ASCII, from whatever script or width.
pub fn digits(text: &str) -> String {
    plain(text).chars().filter(char::is_ascii_digit).collect()
}

/// E.164 where the text is a number that can exist, as `+48601234567`; its bare digits where it is not (a short code,
/// an internal extension); None where it has none. An extension dialled after the number is not part of the form.
pub fn normal_phone(text: &str, country: Option<&str>) -> Option<String> {
    if text.chars().nth(MAX_PHONE_CHARACTERS).is_some() {
        return None;
    }
    let text = plain(text);
    let before_label = before_label(&text).and_then(|before| {
        let is_set_apart = before.ends_with([' ', '(']);
        parsed(before, country).filter(|number| match PHONE_NUMBER_UTIL.is_possible_number_with_reason(number) {
            Ok(NumberLengthType::IsPossible) => true,
            // As it is dialled from next door, unless the letters go on with it, as in 1-800-555-CALL.
            Ok(NumberLengthType::IsPossibleLocalOnly) => is_set_apart,
            _ => false,
        })
    });
    let number =
        before_label.or_else(|| parsed(&text, country).filter(|number| PHONE_NUMBER_UTIL.is_possible_number(number)));
    match number {
        Some(number) => Some(PHONE_NUMBER_UTIL.format(&number, PhoneNumberFormat::E164).into_owned()),
        None => Some(digits(&text)).filter(|digits| !digits.is_empty()),
    }
}

fn parsed(text: &str, country: Option<&str>) -> Option<PhoneNumber> {
    PHONE_NUMBER_UTIL.parse(text, country.and_then(region)).ok()
}

/// The number that stands before letters, as in "601 234 567 (mama)", which the parser would dial on the keys of a telephone.
fn before_label(text: &str) -> Option<&str> {
    let number = text.get(text.find(|character: char| character == '+' || character.is_ascii_digit())?..)?;
    let number = number.get(..number.find(is_letter)?)?;
    (number.bytes().filter(u8::is_ascii_digit).count() >= DIGITS_BEFORE_LABEL).then_some(number)
}

/// Not what is written for a dash.
fn is_letter(character: char) -> bool {
    character.is_alphabetic() && character != 'ー'
}

/// Whether a text is written as phone numbers are, with digits enough for the end of one.
pub fn looks_like_phone(text: &str) -> bool {
    is_of_phone(text) && digits(text).len() >= MIN_SUFFIX_DIGITS
}

/// Whether a text has only digits and what separates or introduces those of a phone number.
fn is_of_phone(text: &str) -> bool {
    plain(text).chars().all(|character| {
        matches!(
            character,
            '0'..='9' | '+' | '-' | '(' | ')' | '.' | '/' | '#' | '*' | ' ' | '\u{2010}'..='\u{2015}' | '\u{2212}' | 'ー'
        )
    })
}

/// The normal form of a text that is a phone number and nothing else but what introduces it, its extension, or a label in parentheses; its digits
/// where it can be no number.
pub fn whole_phone(text: &str, country: Option<&str>) -> Option<String> {
    let introduced = text.get(..3).is_some_and(|begins| begins.eq_ignore_ascii_case("tel"));
    let number = if introduced { text.get(3..)?.trim_start_matches(['.', ':', ' ']) } else { text };
    let is_more = |plain: &str| is_extended(plain, country) || is_labelled(plain);
    normal_phone(number, country).filter(|_| looks_like_phone(number) || is_more(&plain(number)))
}

/// How an extension is introduced, of what the parser knows. It takes any word that ends so, and a comma.
const EXTENSION: [&str; 8] = ["x", "xtn", "ext", "extn", "extension", "int", "anexo", "доб"];

/// Whether it is a number with an extension, and nothing else.
fn is_extended(plain: &str, country: Option<&str>) -> bool {
    let Some((number, rest)) = plain.find(is_letter).and_then(|at| plain.split_at_checked(at)) else {
        return false;
    };
    let (label, extension) = rest.split_at(rest.find(|character| !is_letter(character)).unwrap_or(rest.len()));
    let extension = extension.trim_start_matches(['.', ':', '=', ' ']);
    is_of_phone(number.trim_end_matches([' ', ',', ';']))
        && EXTENSION.contains(&label.to_lowercase().as_str())
        && extension.bytes().all(|byte| byte.is_ascii_digit())
        && parsed(plain, country).is_some_and(|number| !number.extension().is_empty())
}

/// Whether it is a number with a label in parentheses behind it.
fn is_labelled(plain: &str) -> bool {
    plain.strip_suffix(')').and_then(|plain| plain.rsplit_once('(')).is_some_and(|(number, label)| {
        is_of_phone(number) && digits(number).len() >= DIGITS_BEFORE_LABEL && label.contains(is_letter)
    })
}

/// The phone numbers among other words: each as it stands there, which may be in several words, and in normal form.
pub fn phones_among<'a>(text: &'a str, country: Option<&str>) -> Vec<(Vec<&'a str>, String)> {
    let pieces: Vec<&str> = text.split_whitespace().collect();
    let number = |some: &[&'a str]| -> Option<(Vec<&'a str>, String)> {
        let text = some.join(" ");
        let normal = looks_like_phone(&text).then(|| normal_phone(&text, country)).flatten()?;
        normal.starts_with('+').then(|| (some.to_vec(), normal))
    };
    let mut numbers = Vec::new();
    for mut run in pieces.chunk_by(|one, next| is_of_phone(one) && is_of_phone(next)) {
        // Two numbers side by side make none together: the longest that is one.
        while !run.is_empty() {
            let longest = (1..=run.len().min(PIECES)).rev().find_map(|count| number(run.get(..count)?));
            run = run.get(longest.as_ref().map_or(1, |(pieces, _)| pieces.len())..).unwrap_or_default();
            numbers.extend(longest);
        }
    }
    numbers
}

/// Words that a number is written in, at most.
const PIECES: usize = 16;

#[cfg(test)]
mod unit_tests {
    use super::*;

    #[test]
    fn phones() {
        for (country, text, normal) in [
            ("PL", "+48 601-234-567", "+48601234567"),
            ("PL", "601234567", "+48601234567"),
            ("PL", "0048601234567", "+48601234567"),
            ("TW", "(02) 2345-6789 ext. 12", "+886223456789"),
            ("JP", "０９０ー１２３４ー５６７８", "+819012345678"),
            ("IT", "06 1234 5678", "+390612345678"),
            ("UA", "067 123 45 67", "+380671234567"),
            ("US", "(415) 555-2671", "+14155552671"),
            ("PL", "112", "112"),
            // What stands beside a number is not dialled, also where numbers may be longer.
            ("PL", "601 234 567 (mama)", "+48601234567"),
            ("PL", "tel. 601234567", "+48601234567"),
            ("PL", "mama: +48 601 234 567 wieczorem", "+48601234567"),
            ("DE", "030 12345678 Büro", "+493012345678"),
            ("JP", "090-1234-5678（母）", "+819012345678"),
            ("US", "555-2671 (mom)", "+15552671"),
            ("US", "555-2671", "+15552671"),
            ("UA", "067 123 45 67 доб. 12", "+380671234567"),
            // But what spells a number is.
            ("US", "1-800-FLOWERS", "+18003569377"),
            ("US", "1-800-555-CALL", "+18005552255"),
            ("DE", "0800 FLOWERS", "+498003569377"),
        ] {
            assert_eq!(normal_phone(text, Some(country)).as_deref(), Some(normal), "{country} {text}");
        }
        assert_eq!(normal_phone("+48601234567", None).as_deref(), Some("+48601234567"));
        assert_eq!(normal_phone("601234567", None).as_deref(), Some("601234567"));
        assert_eq!(normal_phone("no phone", Some("PL")), None);
        assert_eq!(normal_phone(&"1".repeat(101), Some("PL")), None);
    }

    #[test]
    fn what_looks_like_a_phone() {
        for phone in ["0912-345-678", "+48 601 234 567", "(02) 2345", "４５６７"] {
            assert!(looks_like_phone(phone), "{phone}");
        }
        for other in ["Tsai", "123", "route 66 1234", ""] {
            assert!(!looks_like_phone(other), "{other}");
        }
    }

    #[test]
    fn a_phone_and_nothing_else() {
        for phone in [
            "601 234 567",
            "601234567 ext. 12",
            "+48 601-234-567 x 5",
            "601234567;ext=12",
            "601234567#12",
            "tel:+48601234567",
            "Tel. 601 234 567 ext. 12",
            "601 234 567 (mama)",
        ] {
            assert_eq!(whole_phone(phone, Some("PL")).as_deref(), Some("+48601234567"), "{phone}");
        }
        for other in [
            "Nobody 601234567",
            "601234567 Nobody",
            "CT-601234567",
            "601234567-mama",
            "601234567 Nobody, 12",
            "601234567 Max 5",
            "601234567 x 5 Max",
            "601234567, 602345678",
            "601234567 (mama) Nobody",
            "Nobody 601234567 (mama)",
            "22 123 (Anna)",
            "601234567 (mama) (Nobody)",
            "telefon 601234567",
            "ext. 12",
            "tel",
            "x",
            "(",
        ] {
            assert_eq!(whole_phone(other, Some("PL")), None, "{other}");
        }
    }

    #[test]
    fn phones_among_words() {
        let among = |text: &'static str| phones_among(text, Some("TW"));
        let number = || "+886912345678".to_owned();
        assert_eq!(among("Tsai 0912-345-678"), [(vec!["0912-345-678"], number())]);
        assert_eq!(among("0912 345 678 Tsai"), [(vec!["0912", "345", "678"], number())]);
        let twice = [(vec!["0912345678"], number()), (vec!["+886912345678"], number())];
        assert_eq!(among("0912345678 +886912345678 Tsai"), twice);
        assert_eq!(among("0912 345 678 12345 Tsai"), [(vec!["0912", "345", "678"], number())]);
        assert_eq!(among("12 0912345678 Tsai"), [(vec!["0912345678"], number())]);
        assert_eq!(among("Tsai 5678"), []);
        assert_eq!(among(""), []);
    }

    #[test]
    fn countries() {
        for known in ["TW", "JP", "PL", "IT", "UA", "US"] {
            assert!(is_country(known), "{known}");
        }
        for unknown in ["", "pl", "XX", "ZZ", "POL", "P1", "00"] {
            assert!(!is_country(unknown), "{unknown}");
        }
    }
}
