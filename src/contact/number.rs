//! One phone number: what its digits mean in a country.

use super::parse::{self, e164, parsed, region, valid};
use super::plain::plain;
use super::renumbered::{renumbered, was_renumbered};
use rlibphonenumber::{NumberLengthType, PHONE_NUMBER_UTIL, PhoneNumber};
use std::borrow::Cow;

/// The fewest digits of a number that may have other text beside it: `0800 FLOWERS` has fewer
/// before the letters.
pub(super) const NUMBER_DIGITS: usize = 6;

/// The fewest digits of a number with another country's code and no `+`. Shorter ones are too often
/// national numbers.
const INTERNATIONAL_DIGITS: usize = 10;

/// The fewest digits of a number with the country's own code and no `+`.
const OWN_CODE_DIGITS: usize = 8;

/// Whether this is the code of a country that has phone numbers.
pub fn is_country(code: &str) -> bool {
    code.len() == 2 && code.bytes().all(|byte| byte.is_ascii_uppercase()) && region(code).is_some()
}

/// The text without differences of width, without invisible characters, and with the decimal digits
/// of every script in ASCII.
pub(super) fn plain_number(text: &str) -> Cow<'_, str> {
    let plain = plain(text);
    if !plain.contains(|character: char| !character.is_ascii() && character.is_numeric()) {
        return plain;
    }
    let mut digits = String::with_capacity(plain.len());
    for character in plain.chars() {
        if character.is_ascii() || !character.is_numeric() {
            digits.push(character);
        } else {
            digits.push_str(&PHONE_NUMBER_UTIL.normalize_digits_only(character.encode_utf8(&mut [0; 4])));
        }
    }
    Cow::Owned(digits)
}

pub(super) fn ascii_digits(plain: &str) -> String {
    plain.chars().filter(char::is_ascii_digit).collect()
}

pub(super) fn count_digits(plain: &str) -> usize {
    plain.bytes().filter(u8::is_ascii_digit).count()
}

/// A number that was read.
#[derive(Clone, Debug)]
pub(super) struct Number {
    pub e164: String,
    /// Other numbers that the text may mean.
    pub others: Vec<String>,
    pub is_valid: bool,
    pub extension: String,
    /// The digits that it was read from.
    pub digits: String,
}

impl Number {
    /// A valid number without an extension.
    pub fn read(e164: String, digits: &str) -> Number {
        Number { e164, others: Vec::new(), is_valid: true, extension: String::new(), digits: digits.to_owned() }
    }
}

/// The valid number that is dialled like this, or was in an earlier numbering plan.
fn dialled(e164: &str) -> Option<String> {
    let number = parsed(e164, None)?;
    let e164 = parse::e164(&number);
    if PHONE_NUMBER_UTIL.is_valid_number(&number) { Some(e164) } else { renumbered(&e164) }
}

/// The valid number that these digits are with the code of a country, if they are enough for one.
pub(super) fn with_code(digits: &str) -> Option<String> {
    let may_be = digits.len() >= INTERNATIONAL_DIGITS && !digits.starts_with('0');
    if may_be { dialled(&format!("+{digits}")) } else { None }
}

/// Reads a text that holds one number and no letters.
pub(super) fn number(text: &str, country: Option<&str>) -> Option<Number> {
    if text.contains('*') || text.starts_with('#') || is_date(text) {
        return None;
    }
    let digits = ascii_digits(text);
    let is_international = text.trim_start_matches([' ', '(']).starts_with('+');
    let parsed = parsed(text, country);
    let own = parsed.as_ref().map(|number| (e164(number), PHONE_NUMBER_UTIL.is_valid_number(number)));
    let extension = || parsed.as_ref().map(|number| number.extension().to_owned()).unwrap_or_default();
    let found = |e164: String, is_valid: bool, others: Vec<String>| {
        Some(Number { others, is_valid, extension: extension(), digits: digits.clone(), e164 })
    };
    let is_bare = text.bytes().all(|byte| byte.is_ascii_digit());
    if let Some((e164, true)) = &own {
        let own_code = parsed.as_ref().map(|number| number.country_code.to_string()).unwrap_or_default();
        // In many countries 10 digits are a whole national number, but hardly any number with a
        // country code has so few.
        let may_have_code = digits.starts_with(&own_code) || is_bare && digits.len() > INTERNATIONAL_DIGITS;
        if is_international || digits.starts_with('0') || digits.len() < OWN_CODE_DIGITS || !may_have_code {
            return found(e164.clone(), true, Vec::new());
        }
    }
    // If the owner has no country, it is unknown whether the text begins with a country code.
    let with_code = match digits.strip_prefix("00") {
        _ if is_international => None,
        Some(number) => dialled(&format!("+{number}")),
        None if digits.len() >= OWN_CODE_DIGITS && !digits.starts_with('0') => {
            let may_be = |number: &String| {
                may_begin_with_code(text, number)
                    && (digits.len() >= INTERNATIONAL_DIGITS
                        || own.as_ref().is_some_and(|(own, _)| have_one_code(own, number)))
            };
            dialled(&format!("+{digits}")).filter(may_be)
        }
        None => None,
    };
    match (own, with_code) {
        (Some((own, true)), Some(with_code)) if own == with_code => found(own, true, Vec::new()),
        (Some((own, true)), Some(with_code)) => {
            if is_written_with_code(&digits, &own, &with_code, country) {
                found(with_code, true, vec![own])
            } else {
                found(own, true, if is_bare { vec![with_code] } else { Vec::new() })
            }
        }
        (Some((own, true)), None) => found(own, true, Vec::new()),
        (own, Some(with_code)) if country.is_some() || digits.starts_with("00") => found(
            with_code,
            true,
            own.map(|(own, _)| own).filter(|_| is_possible(parsed.as_ref())).into_iter().collect(),
        ),
        (Some((own, false)), _) => match renumbered(&own) {
            Some(valid) => found(valid, true, Vec::new()),
            None if is_possible(parsed.as_ref()) => found(own, false, Vec::new()),
            None => None,
        },
        (None, _) => None,
    }
}

/// The most digits of a national number, in most countries. More digits may be two numbers.
const NATIONAL_DIGITS: usize = 11;

/// A short cut for most texts: if the digits can mean nothing else, whether they are valid need not
/// be checked, which halves the time.
pub(super) fn plainly_one(text: &str, country: Option<&str>) -> Option<Number> {
    let is_international = text.starts_with('+');
    let rest = if is_international { text.get(1..)? } else { text };
    let mut digits = 0;
    for byte in rest.bytes() {
        match byte {
            b'0'..=b'9' => digits += 1,
            b' ' | b'-' | b'(' | b')' => (),
            _ => return None,
        }
    }
    if text.ends_with(')') || digits < NUMBER_DIGITS || (!is_international && digits > NATIONAL_DIGITS) || is_date(text)
    {
        return None;
    }
    // 02-123-4567-8 may be a range.
    if rest.rsplit_once('-').is_some_and(|(_, last)| last.len() <= 2) {
        return None;
    }
    if !is_international && digits >= INTERNATIONAL_DIGITS {
        let first = rest.split([' ', '-', '(', ')']).find(|group| !group.is_empty())?;
        // 00 begins an international number everywhere, other prefixes in some countries.
        let begins_with_code = |code| PHONE_NUMBER_UTIL.get_region_for_country_code(code).is_some();
        if first.starts_with("00")
            || first == "0" && !text.starts_with('(')
            || !first.starts_with('0') && (first.len() == text.len() || first.parse().is_ok_and(begins_with_code))
        {
            return None;
        }
    }
    let number = parsed(text, country)?;
    let code = number.country_code.to_string();
    let begins_with_own_code = !is_international
        && digits >= OWN_CODE_DIGITS
        && rest.bytes().filter(u8::is_ascii_digit).take(code.len()).eq(code.bytes());
    // A number of an earlier plan, or one with a trunk prefix 0 that is needed or is one too many.
    let is_doubtful = begins_with_own_code || was_renumbered(number.country_code) || number.italian_leading_zero();
    let is_it =
        !is_doubtful && PHONE_NUMBER_UTIL.is_possible_number_with_reason(&number) == Ok(NumberLengthType::IsPossible);
    is_it.then(|| Number::read(e164(&number), ""))
}

/// Whether a text without `+` may begin with the code of a country, as 48601234567 and 48 601 234
/// 567 do, but 601 234 567 12 does not.
fn may_begin_with_code(text: &str, e164: &str) -> bool {
    let first = text.split([' ', '-', '.', '(', ')', '/']).find(|group| !group.is_empty()).unwrap_or_default();
    let is_all = first.len() == text.len();
    is_all || parsed(e164, None).is_some_and(|number| first == number.country_code.to_string())
}

fn have_one_code(one: &str, other: &str) -> bool {
    let code = |e164: &str| parsed(e164, None).map(|number| number.country_code);
    code(one).is_some() && code(one) == code(other)
}

fn is_possible(number: Option<&PhoneNumber>) -> bool {
    number.is_some_and(|number| PHONE_NUMBER_UTIL.is_possible_number(number))
}

/// Whether digits without `+`, which may be a national number or one with the country's own code,
/// are the latter. In a country with a trunk prefix 0, a number without it is hardly a national
/// one, though a plan of variable length calls it valid.
fn is_written_with_code(digits: &str, own: &str, with_code: &str, country: Option<&str>) -> bool {
    let code = country.and_then(region).and_then(|region| PHONE_NUMBER_UTIL.get_country_code_for_region(region));
    code.is_some_and(|code| with_code.strip_prefix('+').is_some_and(|number| number.starts_with(&code.to_string())))
        && parsed(&format!("0{digits}"), country).is_some_and(|number| e164(&number) == own)
}

/// Another form of the same number. A mobile number of Argentina has a 9 after the country code,
/// but people who leave out the 15 of national calls often leave out the 9 too (ENACOM, Plan
/// Fundamental de Numeración Nacional).
pub(super) fn alternative(e164: &str) -> Option<String> {
    let number = e164.strip_prefix("+54")?;
    match number.strip_prefix('9') {
        Some(without) if without.len() == 10 => valid(&format!("+54{without}")),
        None if number.len() == 10 => valid(&format!("+549{number}")),
        _ => None,
    }
}

/// Whether a text is a date or a month, which can have as many digits as a phone number:
/// `2026-03-31`, `31.03.2026`, `03/31/2026`.
pub(super) fn is_date(text: &str) -> bool {
    if !matches!(text.len(), 6..=10) || !text.bytes().take(5).any(|byte| matches!(byte, b'-' | b'.' | b'/')) {
        return false;
    }
    let parts: Vec<&str> = text.trim().split(['-', '.', '/']).collect();
    let number = |text: &str, digits: std::ops::RangeInclusive<usize>, most: u16| {
        digits.contains(&text.len()) && text.parse::<u16>().is_ok_and(|number| (1..=most).contains(&number))
    };
    let is_year =
        |text: &str| text.len() == 4 && (text.starts_with("19") || text.starts_with("20")) && number(text, 4..=4, 2099);
    let are_day_and_month = |one: &str, other: &str| {
        (number(one, 1..=2, 31) && number(other, 1..=2, 12)) || (number(one, 1..=2, 12) && number(other, 1..=2, 31))
    };
    match parts[..] {
        [first, second, third] => {
            (is_year(first) && are_day_and_month(second, third)) || (is_year(third) && are_day_and_month(first, second))
        }
        [month, year] => is_year(year) && number(month, 1..=2, 12),
        _ => false,
    }
}

#[cfg(test)]
mod unit_tests {
    use super::*;

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
