//! Keys of a name as a whole: its beginning, its words in any order, its words written together.

use super::hash::{FieldKeys, KeyKind};
use super::pieces::is_looked_for_anywhere;
use crate::search::fold::{one_word_per_character, words};

/// The bits of a key of [`KeyKind::NameStart`] that hold the three letters behind the hashed start.
const NEXT_LETTERS_MASK: i64 = (1 << (3 * LETTER_BITS)) - 1;
const LETTER_MASK: i64 = (1 << LETTER_BITS) - 1;
const LETTER_BITS: u32 = 7;

/// The words from the beginning of a name that are also found written together, and the most of
/// them at once.
pub const MAX_JOINED_FROM: usize = 8;
const MAX_JOINED_AT_ONCE: usize = 4;

impl FieldKeys {
    /// The beginning of a name. Names that begin alike have neighbouring keys.
    pub fn of_name_start(&self, first_word: &[char]) -> Option<i64> {
        let (start, next) = name_start(first_word)?;
        Some(self.of_letters(KeyKind::NameStart, start) & !NEXT_LETTERS_MASK | packed_letters(next, 0))
    }

    /// The first and the last key of the names that begin with these letters. None if they are too
    /// few.
    pub fn of_name_starts(&self, letters: &[char], is_whole_word: bool) -> Option<(i64, i64)> {
        let first = self.of_name_start(letters)?;
        let (_, next) = name_start(letters)?;
        let last = if is_whole_word { first } else { first & !NEXT_LETTERS_MASK | packed_letters(next, LETTER_MASK) };
        Some((first, last))
    }

    /// The whole name, in whatever order its words are.
    pub fn of_whole_name(&self, folded: &str) -> i64 {
        let mut sorted: Vec<&str> = words(folded).collect();
        sorted.sort_unstable();
        self.of_bytes(KeyKind::WholeName, sorted.join(" ").as_bytes())
    }
}

/// The first three letters as numbers; `missing` stands for each that is missing.
fn packed_letters(letters: &[char], missing: i64) -> i64 {
    (0..3).fold(0, |packed, n| {
        let letter =
            letters.get(n).map_or(missing, |letter| 1 + i64::from(u32::from(*letter) % (LETTER_MASK as u32 - 1)));
        packed << LETTER_BITS | letter
    })
}

/// The start of a name, and what follows it in the first word. The start is three letters, or one
/// character that stands for a word or a syllable. None if the word is shorter.
fn name_start(first_word: &[char]) -> Option<(&[char], &[char])> {
    let length = if first_word.first().is_some_and(|letter| one_word_per_character(*letter)) { 1 } else { 3 };
    first_word.split_at_checked(length)
}

/// Two or more words of a folded name in a row, written together: `van heerden` as `vanheerden`.
pub fn joined_words(folded: &str) -> Vec<String> {
    let list: Vec<&str> = words(folded).take(MAX_JOINED_FROM).collect();
    let runs = |start: usize| (start + 2..=list.len().min(start + MAX_JOINED_AT_ONCE)).map(move |end| (start, end));
    let joined = (0..list.len()).flat_map(runs).filter_map(|(start, end)| Some(list.get(start..end)?.concat()));
    joined.filter(|joined| is_looked_for_anywhere(joined)).collect()
}
