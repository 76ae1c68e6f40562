//! The short words of names that a word of a query may be with typos. Long words are in
//! [`super::page::long_misspelt`].

use super::key::customer::MIN_LETTERS_FOR_DELETIONS;
use super::key::hash::{FieldKeys, KeyKind};
use super::key::long_word::MIN_LETTERS_OF_LONG_WORD;
use super::key::pieces::{without, without_one};
use super::term::Term;

/// The short words that are at most `typos` edits away from this word. With two edits: those from
/// which one letter is missing and that have one edit more.
pub fn any_short_misspelt(keys: &FieldKeys, letters: &[char], typos: usize) -> Term {
    let mut found = Vec::new();
    add_one_typo_away(keys, letters, &mut found);
    if typos > 1 {
        without_one(letters).for_each(|letters| add_one_typo_away(keys, &letters, &mut found));
    }
    Term::any_key(found)
}

fn add_one_typo_away(keys: &FieldKeys, letters: &[char], found: &mut Vec<i64>) {
    let length = letters.len();
    let has_deletions = |length: usize| (MIN_LETTERS_FOR_DELETIONS..MIN_LETTERS_OF_LONG_WORD).contains(&length);
    let whole = |letters: &[char]| keys.of_letters(KeyKind::WholeWord, letters);
    if length <= MIN_LETTERS_OF_LONG_WORD {
        found.extend(without_one(letters).map(|letters| whole(&letters)));
    }
    if has_deletions(length) {
        found.extend((1..length).map(|place| whole(&swapped(letters, place))));
        found.extend((0..length).map(|place| keys.of_deletion(&without(letters, place), length, place)));
    }
    if has_deletions(length + 1) {
        found.extend((0..=length).map(|place| keys.of_deletion(letters, length + 1, place)));
    }
}

/// The letters with the one at `place` and the one before it swapped.
fn swapped(letters: &[char], place: usize) -> Vec<char> {
    let mut other = letters.to_vec();
    if place < other.len() && place > 0 {
        other.swap(place - 1, place);
    }
    other
}
