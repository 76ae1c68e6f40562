//! All keys of one customer.

use super::day::key_of_day;
use super::hash::{EMAILS, FieldKeys, JOINED, KeyKind, NAME, OPTIONS, PHONES, ROW, TEXT};
use super::long_word::{MIN_LETTERS_OF_LONG_WORD, has_typo_keys};
use super::name::joined_words;
use super::pieces::{beginnings, is_code, joints, keys_of_long_numbers, pieces, without};
use crate::contact::MAX_PHONE_FORMS;
use crate::customer::day::NEVER;
use crate::search::bounds::{MAX_SEARCHED_VALUES, beginning};
use crate::search::fold::{fold, words};
use crate::search::form::Form;
use std::borrow::Cow;

/// Once a customer has this many keys, the rest of its custom values is not searched. About 500
/// long texts have as many.
const MAX_KEYS: usize = 1 << 18;

/// The fewest letters of a word with keys for the deletion of a letter.
pub const MIN_LETTERS_FOR_DELETIONS: usize = 4;

/// What of a customer is searched, as it is stored.
pub struct Customer<'a, P, E, V> {
    pub owner: [u8; 16],
    pub name: &'a str,
    pub normal_phones: P,
    pub normal_emails: E,
    /// The texts of custom fields, each with the name of its field, at most [`MAX_SEARCHED_VALUES`]
    /// of a field. If the name ends with [`OPTIONS`], the texts are ids of options. If it is the
    /// name of a [`Form`], they are normal forms.
    pub values: V,
    /// The day of the last activity, as PostgreSQL counts days.
    pub active_on: i32,
}

/// The keys of a customer, sorted, each once.
pub fn keys_of_customer<'a>(
    customer: Customer<
        'a,
        impl Iterator<Item = &'a str>,
        impl Iterator<Item = &'a str>,
        impl Iterator<Item = (&'a str, Cow<'a, str>)>,
    >,
) -> Vec<i64> {
    let mut all = Vec::with_capacity(128);
    let keys_of = |field: &str| FieldKeys::of(&customer.owner, field);
    all.push(key_of_day(&keys_of(ROW), Some(customer.active_on).filter(|day| *day != NEVER)));

    let text = keys_of(TEXT);
    let name = fold(beginning(customer.name));
    add_text(&text, &name, &mut all);
    add_name(&keys_of(NAME), &name, &mut all);
    let joined = keys_of(JOINED);
    all.extend(joined_words(&name).iter().map(|word| joined.of_bytes(KeyKind::WholeWord, word.as_bytes())));

    let phones = keys_of(PHONES);
    for phone in customer.normal_phones.take(MAX_PHONE_FORMS) {
        add_phone(&phones, phone, &mut all);
    }
    let emails = keys_of(EMAILS);
    for email in customer.normal_emails.take(MAX_SEARCHED_VALUES) {
        let folded = fold(beginning(email));
        all.push(emails.of_address(email));
        add_text(&text, &folded, &mut all);
        add_joints(&text, &folded, &mut all);
    }
    for (field, value) in customer.values {
        if all.len() > MAX_KEYS {
            break;
        }
        add_value(&keys_of(field), field, beginning(&value), &mut all);
    }
    all.sort_unstable();
    all.dedup();
    all
}

/// A value of a custom field.
fn add_value(keys: &FieldKeys, field: &str, value: &str, all: &mut Vec<i64>) {
    match Form::named(field) {
        Some(Form::Phone) => add_phone(keys, value, all),
        Some(Form::Email) => {
            all.push(keys.of_address(value));
            add_joints(keys, &fold(value), all);
        }
        Some(Form::Value) => all.push(keys.of_bytes(KeyKind::Value, value.as_bytes())),
        None if field.ends_with(OPTIONS) => all.push(keys.of_bytes(KeyKind::Value, value.as_bytes())),
        None => {
            let folded = fold(value);
            add_text(keys, &folded, all);
            let whole = words(&folded).filter(|word| !is_code(word));
            all.extend(whole.map(|word| keys.of_bytes(KeyKind::WholeWord, word.as_bytes())));
        }
    }
}

fn add_phone(keys: &FieldKeys, normal: &str, all: &mut Vec<i64>) {
    all.extend([keys.of_phone(normal), keys.of_number_end(normal).0]);
}

fn add_text(keys: &FieldKeys, folded: &str, all: &mut Vec<i64>) {
    for word in words(folded) {
        let word: Vec<char> = word.chars().collect();
        all.extend(pieces(&word).map(|(kind, letters)| keys.of_letters(kind, letters)));
        all.extend(keys_of_long_numbers(keys, &word));
    }
}

fn add_joints(keys: &FieldKeys, folded: &str, all: &mut Vec<i64>) {
    let address: Vec<char> = folded.chars().collect();
    all.extend(joints(&address).map(|joint| keys.of_letters(KeyKind::ThreeLetters, joint)));
}

fn add_name(keys: &FieldKeys, folded: &str, all: &mut Vec<i64>) {
    for (n, word) in words(folded).enumerate() {
        let word: Vec<char> = word.chars().collect();
        all.extend(beginnings(&word).map(|(kind, letters)| keys.of_letters(kind, letters)));
        if n == 0 {
            all.extend(keys.of_name_start(&word));
        }
        let length = word.len();
        if length < MIN_LETTERS_OF_LONG_WORD {
            all.push(keys.of_letters(KeyKind::WholeWord, &word));
        }
        if !has_typo_keys(&word) {
            continue;
        }
        if length >= MIN_LETTERS_OF_LONG_WORD {
            all.extend(keys.of_long_word(&word));
        } else if length >= MIN_LETTERS_FOR_DELETIONS {
            all.extend((0..length).map(|place| keys.of_deletion(&without(&word, place), length, place)));
        }
    }
    all.push(keys.of_whole_name(folded));
}

#[cfg(test)]
mod unit_tests {
    use super::*;
    use crate::search::bounds::MAX_SEARCHED_CHARACTERS;

    fn name_keys(owner: u8, name: &str) -> Vec<i64> {
        keys_of_customer(Customer {
            owner: [owner; 16],
            name,
            normal_phones: std::iter::empty(),
            normal_emails: std::iter::empty(),
            values: std::iter::empty(),
            active_on: NEVER,
        })
    }

    /// An index holds keys. A library that computes other keys finds nothing in it.
    #[test]
    fn keys_never_change() {
        let keys = FieldKeys::of(&[7; 16], NAME);
        assert_eq!(
            keys.of_bytes(KeyKind::ThreeLetters, "tsa".as_bytes()),
            keys.of_letters(KeyKind::ThreeLetters, &['t', 's', 'a'])
        );
        let sum = name_keys(7, "Łukasz D'Angelo-Lewandowski").iter().fold(0, |sum: i64, key| sum.wrapping_add(*key));
        let day = key_of_day(&FieldKeys::of(&[7; 16], ROW), Some(9000));
        let computed = [
            keys.of_bytes(KeyKind::ThreeLetters, "tsa".as_bytes()),
            keys.of_bytes(KeyKind::Pair, "美玲".as_bytes()),
            day,
            sum,
        ];
        assert_eq!(computed, [3018032349031016982, 3018016668068058476, 3017979494560324823, 313046924155413369]);
    }

    /// The same for phones, e-mails and all kinds of custom values.
    #[test]
    fn keys_of_values_never_change() {
        let values = [
            ("AAAAAAAAAAAAAAAAAAAAAA", "CT-4411 Altstadt 20240000171234"),
            ("AAAAAAAAAAAAAAAAAAAAAA#", "17"),
            ("AAAAAAAAAAAAAAAAAAAAAA+", "+48601234567"),
            ("AAAAAAAAAAAAAAAAAAAAAA@", "jo.k@mail.example"),
            ("AAAAAAAAAAAAAAAAAAAAAA=", "1234.5"),
        ];
        let keys = keys_of_customer(Customer {
            owner: [7; 16],
            name: "J. R. R. Tolkien 蔡美玲 Featherstonehaugh",
            normal_phones: ["+886912345678", "112", "zimmer 4567"].into_iter(),
            normal_emails: ["tsai.ml@example.com", "buero@bücher.example"].into_iter(),
            values: values.into_iter().map(|(field, value)| (field, Cow::Borrowed(value))),
            active_on: 9821,
        });
        let sum = keys.iter().fold(0, |sum: i64, key| sum.wrapping_add(*key));
        assert_eq!((keys.len(), sum), (126, -7103337730755174874));
    }

    /// Nobody stores such a text, but whoever calls `ringfence.search_keys()` can pass one.
    #[test]
    fn only_the_beginning_of_a_long_text_is_searched() {
        let long: String = (0..100_000).map(|n| format!("{n:x}")).collect();
        let keys = keys_of_customer(Customer {
            owner: [1; 16],
            name: &long,
            normal_phones: [long.as_str()].into_iter(),
            normal_emails: [long.as_str()].into_iter(),
            values: [("field", Cow::Borrowed(long.as_str()))].into_iter(),
            active_on: NEVER,
        });
        assert!(keys.len() < 4 * MAX_SEARCHED_CHARACTERS, "{}", keys.len());
    }

    #[test]
    fn owners_and_fields_share_no_key() {
        let own = name_keys(1, "Tsai Mei-Ling");
        let other = name_keys(2, "Tsai Mei-Ling");
        assert!(own.len() > 20 && own.iter().all(|key| !other.contains(key)));
        let three_letters = |field| FieldKeys::of(&[1; 16], field).of_bytes(KeyKind::ThreeLetters, b"tsa");
        assert_ne!(three_letters(NAME), three_letters(EMAILS));
    }

    #[test]
    fn no_text_makes_many_keys() {
        for text in ["x".repeat(1 << 20), "ab ".repeat(1 << 18), "\u{301}".repeat(1 << 18), "\u{FDFA}".repeat(1 << 17)]
        {
            assert!(name_keys(1, &text).len() < 60_000, "{}", &text[..4]);
        }
    }
}
