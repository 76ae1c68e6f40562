//! The pieces of words and addresses by which texts are found inside of others.

use super::hash::{FieldKeys, KeyKind};
use crate::search::fold::{is_part_of_word, one_word_per_character};

/// The fewest letters of a word that is looked for inside of other words. A shorter one is looked
/// for at their beginning, unless it has a character that stands for a word or a syllable.
const MIN_LETTERS_ANYWHERE: usize = 3;

/// The fewest digits in a row that count as a long number.
const MIN_DIGITS_OF_LONG_NUMBER: usize = 7;

/// The digits in a row that have a key together.
const DIGITS_TOGETHER: usize = 4;

/// The fewest letters and digits of a code.
const MIN_CHARACTERS_OF_CODE: usize = 7;

/// Whether a word is looked for inside of others.
pub fn is_looked_for_anywhere(word: &str) -> bool {
    word.chars().nth(MIN_LETTERS_ANYWHERE - 1).is_some() || word.chars().any(one_word_per_character)
}

/// The pieces by which a word is found inside of other words.
pub fn pieces(word: &[char]) -> impl Iterator<Item = (KeyKind, &[char])> {
    let stands_alone = |n: usize| word.get(n).is_some_and(|letter| one_word_per_character(*letter));
    (0..word.len()).flat_map(move |n| {
        let character = stands_alone(n).then(|| (KeyKind::Character, &word[n..=n]));
        let pair =
            (n + 1 < word.len() && (stands_alone(n) || stands_alone(n + 1))).then(|| (KeyKind::Pair, &word[n..n + 2]));
        let three =
            (n + 2 < word.len() && !(n..n + 3).any(stands_alone)).then(|| (KeyKind::ThreeLetters, &word[n..n + 3]));
        character.into_iter().chain(pair).chain(three)
    })
}

/// The joints of an e-mail address: each character that joins two words, with two characters before
/// it, or with one on either side. A joint tells that two words are neighbours, also where they are
/// too short for keys of their own. Every part of an address that has two words has a joint.
pub fn joints(address: &[char]) -> impl Iterator<Item = &[char]> {
    address.windows(3).filter(|three| three[1..].iter().any(|character| !is_part_of_word(*character)))
}

/// The beginnings by which a query of one or two letters finds a word.
pub fn beginnings(word: &[char]) -> impl Iterator<Item = (KeyKind, &[char])> {
    let is_letter = |n: usize| word.get(n).is_some_and(|letter| !one_word_per_character(*letter));
    let one = is_letter(0).then(|| (KeyKind::FirstLetter, &word[..1]));
    let two = (is_letter(0) && is_letter(1)).then(|| (KeyKind::FirstTwoLetters, &word[..2]));
    one.into_iter().chain(two)
}

/// Whether a word of a value is a code, as contracts and devices have. Hardly any two codes are
/// equal, and hardly any is a part of another. So a code has no key as a whole: its pieces are
/// enough.
pub fn is_code(word: &str) -> bool {
    word.chars().nth(MIN_CHARACTERS_OF_CODE - 1).is_some() && word.bytes().any(|byte| byte.is_ascii_digit())
}

/// The letters of a word without the one at `place`.
pub fn without(word: &[char], place: usize) -> Vec<char> {
    word.iter().enumerate().filter(|(n, _)| *n != place).map(|(_, letter)| *letter).collect()
}

/// The letters of a word without one of them, each result once.
pub fn without_one(word: &[char]) -> impl Iterator<Item = Vec<char>> {
    // If two equal letters are neighbours, it does not matter which of them is left out.
    (0..word.len()).filter(move |n| *n == 0 || word[*n] != word[*n - 1]).map(|n| without(word, n))
}

/// The key of four digits in a row.
#[derive(Clone, Copy)]
pub struct FourDigits {
    /// Where they begin in their number.
    start: usize,
    pub key: i64,
}

impl FourDigits {
    pub fn shares_digits_with(&self, other: &FourDigits) -> bool {
        self.start.abs_diff(other.start) < DIGITS_TOGETHER
    }
}

/// The keys of the long numbers in a word.
pub fn keys_of_long_numbers(keys: &FieldKeys, word: &[char]) -> Vec<i64> {
    let mut selected = Vec::new();
    for number in word.split(|letter| !letter.is_ascii_digit()) {
        selected.extend(four_digits(keys, number).into_iter().map(|four| four.key));
    }
    selected.dedup();
    selected
}

/// Some of the groups of four digits in a long number: of all groups in each seven digits the one
/// with the least key. So a part of a number has only groups that the whole number has, and at
/// least one (winnowing: Schleimer, Wilkerson, Aiken 2003). There are fewer of them than of three
/// digits in a row, and fewer customers have the same. None if the number is not long.
pub fn four_digits(keys: &FieldKeys, number: &[char]) -> Vec<FourDigits> {
    if number.len() < MIN_DIGITS_OF_LONG_NUMBER {
        return Vec::new();
    }
    let with_key = |(start, four)| FourDigits { start, key: keys.of_letters(KeyKind::FourDigits, four) };
    let all: Vec<FourDigits> = number.windows(DIGITS_TOGETHER).enumerate().map(with_key).collect();
    let least_of = |some: &[FourDigits]| some.iter().min_by_key(|four| four.key).copied();
    let groups_in_window = MIN_DIGITS_OF_LONG_NUMBER + 1 - DIGITS_TOGETHER;
    let mut selected: Vec<FourDigits> = all.windows(groups_in_window).filter_map(least_of).collect();
    selected.dedup_by_key(|four| four.key);
    selected
}

#[cfg(test)]
mod unit_tests {
    use super::super::hash::TEXT;
    use super::*;

    #[test]
    fn what_fields_share_lies_side_by_side() {
        let fields = [TEXT, "contract", "city"].map(|field| FieldKeys::of(&[7; 16], field));
        let number: Vec<char> = "48601234567".chars().collect();
        let places = |keys| four_digits(keys, &number).iter().map(|four| four.start).collect::<Vec<_>>();
        assert!(fields.iter().all(|keys| places(keys) == places(&fields[0])));
        for letters in ["tsa", "sai", "234", "美"] {
            let mut keys = fields.each_ref().map(|keys| keys.of_bytes(KeyKind::ThreeLetters, letters.as_bytes()));
            keys.sort_unstable();
            assert!(keys[0] != keys[1] && keys[1] != keys[2] && keys[2] - keys[0] < 1 << 28, "{letters}: {keys:?}");
        }
    }

    #[test]
    fn a_word_loses_each_letter_once() {
        let left = |word: &str| {
            without_one(&word.chars().collect::<Vec<_>>())
                .map(|letters| letters.iter().collect())
                .collect::<Vec<String>>()
        };
        assert_eq!(left("anna"), ["nna", "ana", "ann"]);
        assert_eq!(left("x"), [""]);
    }

    #[test]
    fn a_part_of_a_number_has_some_of_its_keys() {
        let keys = FieldKeys::of(&[3; 16], "contract");
        for word in ["48601234567", "00000000", "2024000017", &"90125".repeat(50)] {
            let word: Vec<char> = word.chars().collect();
            let whole = keys_of_long_numbers(&keys, &[&['x', '1', 'y'], &word[..], &['契']].concat());
            assert!(whole.len() <= word.len() - 6, "{whole:?}");
            for start in 0..word.len() {
                for end in start + MIN_DIGITS_OF_LONG_NUMBER..=word.len() {
                    let part = keys_of_long_numbers(&keys, &word[start..end]);
                    assert!(!part.is_empty() && part.iter().all(|key| whole.contains(key)), "{start} {end}");
                }
            }
        }
        assert!(
            ["123456", "12345a678901"].iter().all(|word| keys_of_long_numbers(
                &keys,
                &word.chars().collect::<Vec<_>>()
            )
            .is_empty())
        );
        let held: usize = (1_000_000_000_u64..1_000_100_000)
            .step_by(137)
            .map(|number| keys_of_long_numbers(&keys, &number.to_string().chars().collect::<Vec<_>>()).len())
            .sum();
        assert!(held < 3 * 730, "of seven groups an index holds at most three, on average: {held}");
    }
}
