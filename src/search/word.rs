//! A word of a query, and how it is found in a folded text.

use super::bounds::beginning;
use super::fold::{fold_exactly, is_part_of_word, is_spelled, words};
use super::key::long_word::MAX_LETTERS_WITH_TYPOS;
use super::key::name::{MAX_JOINED_FROM, joined_words};
use super::key::pieces::is_looked_for_anywhere;
use super::tier::Tier;
use crate::contact;
use strsim::osa_distance;

/// The fewest letters of a word that may hold one typo, and of one that may hold two. In a shorter
/// word a typo makes another word.
const MIN_LETTERS_WITH_TYPO: usize = 4;
const MIN_LETTERS_WITH_TWO_TYPOS: usize = 8;

pub struct Word {
    pub text: String,
    pub letters: Vec<char>,
    /// Whether it is looked for inside of words. A shorter word is looked for at their beginning.
    pub anywhere: bool,
    /// Whether it is looked for only as a whole word. So is a short word of an e-mail address: the
    /// beginning of a name says too little.
    pub whole_only: bool,
    /// The most typos in it.
    pub typos: usize,
    /// Its digits, if they may be the end of a phone number.
    pub digits: Option<String>,
    /// The normal forms of the phone number that it is part of, where the query has other words
    /// beside the number.
    pub phones: Vec<String>,
    /// A word with kana or Chinese characters as it is typed: what is found by another form of them
    /// ranks lower.
    pub exact: Option<String>,
    /// The letters and the digits of a word that has both, `wa12345`. Fields may have them as two
    /// words.
    pub parts: Vec<Word>,
}

impl Word {
    pub fn new(text: &str) -> Word {
        let letters: Vec<char> = text.chars().collect();
        let is_spelled_out = text.chars().any(is_spelled) && !text.chars().any(char::is_numeric);
        let typos = match letters.len() {
            MAX_LETTERS_WITH_TYPOS.. => 0,
            _ if !is_spelled_out => 0,
            MIN_LETTERS_WITH_TWO_TYPOS.. => 2,
            MIN_LETTERS_WITH_TYPO.. => 1,
            _ => 0,
        };
        let may_end_phone = text.len() >= contact::MIN_SUFFIX_DIGITS && text.bytes().all(|byte| byte.is_ascii_digit());
        Word {
            text: text.to_owned(),
            letters,
            anywhere: is_looked_for_anywhere(text),
            whole_only: false,
            typos,
            digits: may_end_phone.then(|| text.to_owned()),
            phones: Vec::new(),
            exact: None,
            parts: letters_and_digits(text),
        }
    }

    /// How the word is found in a folded name: as one of its words, inside of one, or as the
    /// beginning of one.
    pub fn find_in_name(&self, name: &str) -> Option<Tier> {
        if self.anywhere {
            return self.find_anywhere(name).or_else(|| self.is_joined(name).then_some(Tier::Substring));
        }
        let mut best = None;
        for word in words(name) {
            if word == self.text {
                return Some(Tier::Word);
            }
            if !self.whole_only && word.starts_with(&self.text) {
                best = Some(Tier::Substring);
            }
        }
        best
    }

    /// Whether the word is several words of a folded name, written together.
    fn is_joined(&self, name: &str) -> bool {
        // This is cheap, and rules out most words.
        let begins = words(name).take(MAX_JOINED_FROM).any(|word| self.text.starts_with(word));
        begins && joined_words(name).contains(&self.text)
    }

    /// How the word is found in a folded value of a field: as one of its words, or inside of one.
    pub fn find_in_value(&self, value: &str) -> Option<Tier> {
        if self.anywhere {
            return self.find_anywhere(value).or_else(|| self.is_parted(value).then_some(Tier::Substring));
        }
        words(value).any(|word| word == self.text).then_some(Tier::Word)
    }

    /// Whether a folded value has the word as two: `wa 12345` for `wa12345`.
    fn is_parted(&self, value: &str) -> bool {
        let [first, second] = &self.parts[..] else { return false };
        words(value).zip(words(value).skip(1)).any(|(one, other)| one == first.text && other == second.text)
    }

    /// Whether a text in which the word is found has it in another form: hiragana for katakana, an
    /// old form of a character.
    pub fn is_variant_in(&self, text: &str) -> bool {
        self.exact.as_ref().is_some_and(|exact| !fold_exactly(beginning(text)).contains(exact))
    }

    fn find_anywhere(&self, text: &str) -> Option<Tier> {
        let mut best = None;
        for (start, _) in text.match_indices(&self.text) {
            let before = text.get(..start).and_then(|text| text.chars().next_back());
            let after = text.get(start + self.text.len()..).and_then(|text| text.chars().next());
            if !before.is_some_and(is_part_of_word) && !after.is_some_and(is_part_of_word) {
                return Some(Tier::Word);
            }
            best = Some(Tier::Substring);
        }
        best
    }

    /// How the word is found in a folded name with at most `typos` typos.
    pub fn find_misspelt(&self, name: &str, typos: usize) -> Option<Tier> {
        let typos = typos.min(self.typos);
        if typos == 0 {
            return None;
        }
        words(name).filter_map(|word| self.misspelt(word, typos)).max()
    }

    /// How this word is that word of a folded name with at most `typos` typos.
    pub fn misspelt(&self, word: &str, typos: usize) -> Option<Tier> {
        let letters = word.chars().count();
        if letters.abs_diff(self.letters.len()) > typos {
            return None;
        }
        match osa_distance(&self.text, word) {
            0 | 1 => Some(Tier::Typo),
            2 if typos == 2 => Some(Tier::TwoTypos),
            _ => None,
        }
    }
}

/// The letters and the digits of a word that is letters and then digits, or the reverse.
fn letters_and_digits(text: &str) -> Vec<Word> {
    let is_digit = |letter: char| letter.is_ascii_digit();
    let first_is_digit = text.starts_with(is_digit);
    let Some(end) = text.find(|letter| is_digit(letter) != first_is_digit) else {
        return Vec::new();
    };
    let (first, second) = text.split_at(end);
    let is_two = second.chars().all(|letter| is_digit(letter) != first_is_digit);
    if is_two { vec![Word::new(first), Word::new(second)] } else { Vec::new() }
}
