//! Phone numbers, e-mail addresses, numbers and dates are found however they are written. For this
//! the index holds their normal forms beside their texts, under a name of its own for each field.

use super::bounds::beginning;
use crate::contact;
use crate::field::Type;
use crate::field::{VisibleField, VisibleFields};
use crate::jsonb::Jsonb;
use crate::text::ascii_digit;
use jiff::civil;
use unicode_normalization::UnicodeNormalization;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    Phone,
    Email,
    /// A number or a date.
    Value,
}

/// A value as it was typed, and in normal form.
pub type Formed = (String, String);

/// The mark that the name of a field's normal forms ends with, after the field's storage key. No
/// storage key has one of these characters.
const MARKS: [(Form, char); 3] = [(Form::Phone, '+'), (Form::Email, '@'), (Form::Value, '=')];

impl Form {
    /// The form of the values of a type, if they have one.
    pub fn of(kind: Type) -> Option<Form> {
        match kind {
            Type::Phone => Some(Form::Phone),
            Type::Email => Some(Form::Email),
            Type::Number | Type::Date => Some(Form::Value),
            _ => None,
        }
    }

    /// The name under which the normal forms of a field's values are kept.
    pub fn name(self, key: &str) -> String {
        let mark = MARKS.iter().find(|(form, _)| *form == self).map(|(_, mark)| *mark);
        key.chars().chain(mark).collect()
    }

    /// The form of the values that are kept under a name.
    pub fn named(name: &str) -> Option<Form> {
        MARKS.iter().find(|(_, mark)| name.ends_with(*mark)).map(|(form, _)| *form)
    }

    /// A text in this form. Phone numbers are read by the rules of the country, and one text may
    /// have several.
    pub fn normal(self, text: &str, country: Option<&str>) -> Vec<String> {
        match self {
            Form::Phone => contact::forms_of_phone(text, country),
            Form::Email => contact::normal_email(text).into_iter().collect(),
            Form::Value => vec![plain_number(beginning(text))],
        }
    }
}

/// The values of those visible, searchable fields whose type has this form.
pub fn formed(fields: &VisibleFields, stored: &Jsonb, form: Form) -> Vec<Formed> {
    let is_it = |field: &VisibleField| field.searchable && Form::of(field.kind) == Some(form);
    if !fields.searchable().any(is_it) {
        return Vec::new();
    }
    let values = fields.seen_of(stored.root()).filter(|(field, _)| is_it(field));
    let texts = values.flat_map(|(_, value)| value.texts().take(1));
    let formed = texts.flat_map(|text| {
        let forms = form.normal(&text, fields.country());
        forms.into_iter().map(move |form| (text.clone().into_owned(), form))
    });
    formed.collect()
}

/// A decimal number without trailing zeros; any other text as it is.
fn plain_number(text: &str) -> String {
    let plain = match text.split_once('.') {
        Some((whole, fraction)) if fraction.bytes().all(|byte| byte.is_ascii_digit()) => {
            match fraction.trim_end_matches('0') {
                "" => whole.to_owned(),
                rest => format!("{whole}.{rest}"),
            }
        }
        _ => text.to_owned(),
    };
    if plain == "-0" { "0".to_owned() } else { plain }
}

/// Nobody searches for a longer number or date.
const MAX_VALUE_CHARACTERS: usize = 40;

/// The numbers and dates that a text may be, in normal form.
pub fn values(text: &str) -> Vec<String> {
    if text.chars().nth(MAX_VALUE_CHARACTERS).is_some() || !text.chars().any(char::is_numeric) {
        return Vec::new();
    }
    let plain = |character: char| match character {
        '\u{066B}' => '.',
        '\u{066C}' => '\'',
        _ => ascii_digit(character).unwrap_or(character),
    };
    let text: String = text.trim().nfkc().map(plain).collect();
    numbers(&text).into_iter().chain(date(&text)).collect()
}

/// The numbers that a text may be: `1,234` is 1234 or 1.234.
fn numbers(text: &str) -> Vec<String> {
    let (sign, digits) = match text.strip_prefix(['-', '\u{2212}']) {
        Some(rest) => ("-", rest),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let digits = digits.replace(['\u{2019}', '\u{a0}', '\u{202f}', ' '], "'");
    let separators: Vec<char> = digits.chars().filter(|character| !character.is_ascii_digit()).collect();
    let last = separators.last().copied();
    let decimal = last.filter(|last| {
        matches!(last, '.' | ',') && separators.iter().filter(|separator| *separator == last).count() == 1
    });
    // The last separator divides groups like the others; or, if it is the only one of its kind, it
    // may begin a fraction.
    let readings = [(digits.as_str(), ""), decimal.and_then(|decimal| digits.split_once(decimal)).unwrap_or_default()];
    let mut numbers: Vec<String> = readings
        .into_iter()
        .filter(|(_, fraction)| fraction.bytes().all(|byte| byte.is_ascii_digit()))
        .filter_map(|(whole, fraction)| {
            let whole = ungrouped(whole)?;
            let whole = Some(whole.trim_start_matches('0')).filter(|whole| !whole.is_empty()).unwrap_or("0");
            Some(plain_number(&format!("{sign}{whole}{}{fraction}", if fraction.is_empty() { "" } else { "." })))
        })
        .collect();
    numbers.dedup();
    numbers
}

/// The digits of a whole number, which may be in groups of three with the same separator; the first
/// group has one to three.
fn ungrouped(text: &str) -> Option<String> {
    let separator = text.chars().find(|character| !character.is_ascii_digit());
    let groups: Vec<&str> = match separator {
        Some(separator) if matches!(separator, '.' | ',' | '\'') => text.split(separator).collect(),
        Some(_) => return None,
        None => vec![text],
    };
    let are_digits = groups.iter().all(|group| !group.is_empty() && group.bytes().all(|byte| byte.is_ascii_digit()));
    let (first, rest) = groups.split_first()?;
    let is_grouped = rest.is_empty() || first.len() <= 3 && rest.iter().all(|group| group.len() == 3);
    (are_digits && is_grouped).then(|| groups.concat())
}

/// The date that a text is, as `2026-03-31`; the year may be first or last. With slashes, the
/// number above 12 is the day; if both may be the day the date is ambiguous, and there is none.
fn date(text: &str) -> Option<String> {
    let text: String = text.chars().filter(|character| !character.is_whitespace()).collect();
    let text = text.replace(['年', '月', '년', '월'], "-").replace(['日', '일'], "");
    // Of 2026. 3. 31. each number is an ordinal.
    let text = text.strip_suffix('.').unwrap_or(&text);
    let separator = text.chars().find(|character| !character.is_ascii_digit())?;
    let parts: Vec<&str> = text.split(separator).collect();
    let [first, second, third] = parts[..] else { return None };
    if !matches!(separator, '-' | '.' | '/') || !parts.iter().all(|part| (1..=4).contains(&part.len())) {
        return None;
    }
    let number =
        |part: &str| part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse::<i16>().ok()).flatten();
    let (one, two, three) = (number(first)?, number(second)?, number(third)?);
    let (year, month, day) = match (first.len(), third.len()) {
        (4, 1 | 2) => (one, two, three),
        (1 | 2, 4) if separator != '/' || one > 12 || one == two => (three, two, one),
        (1 | 2, 4) if two > 12 => (three, one, two),
        _ => return None,
    };
    civil::Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok().map(|date| date.to_string())
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    #[test]
    fn numbers_and_dates_as_people_write_them() {
        for (text, expected) in [
            ("1234.5", &["1234.5"][..]),
            ("1,234.50", &["1234.5"]),
            ("1.234,50", &["1234.5"]),
            ("1 234,50", &["1234.5"]),
            ("1\u{202f}234,50", &["1234.5"]),
            ("1'234.50", &["1234.5"]),
            ("1234,5", &["1234.5"]),
            ("1,234", &["1234", "1.234"]),
            ("1,234,567", &["1234567"]),
            ("1,234,567.0", &["1234567"]),
            ("12,34,567", &[]),
            ("1.234.5", &[]),
            ("-007", &["-7"]),
            ("-0.0", &["0"]),
            ("１２３", &["123"]),
            ("1e5", &[]),
            ("", &[]),
            ("31.3.2026", &["2026-03-31"]),
            ("31. 3. 2026", &["2026-03-31"]),
            ("31/3/2026", &["2026-03-31"]),
            ("3/31/2026", &["2026-03-31"]),
            ("3/4/2026", &[]),
            ("4/4/2026", &["2026-04-04"]),
            ("2026-3-31", &["2026-03-31"]),
            ("2026年3月31日", &["2026-03-31"]),
            ("31.2.2026", &[]),
            ("31.3.26", &[]),
            ("٣١.٣.٢٠٢٦", &["2026-03-31"]),
            ("३१/३/२०२६", &["2026-03-31"]),
            ("١٢٣٤.٥", &["1234.5"]),
            ("۱۲۳۴٫۵", &["1234.5"]),
            ("١٬٢٣٤٫٥", &["1234.5"]),
            ("2026. 3. 31.", &["2026-03-31"]),
            ("2026년 3월 31일", &["2026-03-31"]),
        ] {
            assert_eq!(values(text), expected, "{text}");
        }
    }

    #[test]
    fn names_tell_the_form() {
        for form in [Form::Phone, Form::Email, Form::Value] {
            let name = form.name("AAAAAAAAAAAAAAAAAAAAAA");
            assert_eq!((name.len(), Form::named(&name)), (23, Some(form)));
        }
        assert_eq!((Form::named("AAAAAAAAAAAAAAAAAAAAA-"), Form::named("AA#")), (None, None));
    }
}
