//! Keys by which long words of names are found with typos.
//!
//! A long word has a key for each deletion of one letter from its beginning, and one for its end
//! ([`WordEnd`]). All words with the same of these have neighbouring keys, which differ in the mark
//! of the word: how many letters it has, which of them an odd number of times, and some bits of a
//! hash. By the mark alone most words that are too far from a misspelt one are left out.

use super::hash::{FieldKeys, KeyKind};
use super::pieces::without_one;
use crate::search::fold::is_spelled;
use std::collections::BTreeSet;

/// The most letters of a query's word in which typos are looked for. Nobody misspells a longer one.
pub const MAX_LETTERS_WITH_TYPOS: usize = 64;

/// The fewest letters of a long word. Shorter words have a key as a whole.
pub const MIN_LETTERS_OF_LONG_WORD: usize = 8;

/// The fewest letters of a very long word. Many of these are compounds that begin alike, so more of
/// their beginning is kept.
const MIN_LETTERS_OF_VERY_LONG_WORD: usize = 12;

/// The letters of the beginning that is kept, of a long word and of a very long one.
const BEGINNING_OF_LONG: usize = 4;
const BEGINNING_OF_VERY_LONG: usize = 7;

/// The most letters of the end that is kept.
const MAX_ENDING: usize = 7;

// The bits of a mark, from the highest down: length, letters, hash.
const LENGTH_BITS: u32 = 3;
const LETTER_CLASSES: u32 = 20;
const WORD_HASH_BITS: u32 = 11;
const MARK_MASK: i64 = (1 << (LETTER_CLASSES + LENGTH_BITS + WORD_HASH_BITS)) - 1;

/// The classes of the letters from a to z. In most languages only one of the letters that share a
/// class is frequent.
const CLASSES: [u8; 26] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 7, 5, 9, 10, 11, 12, 13, 7, 14, 15, 16, 17, 18, 18, 7, 5, 19];

/// The classes of letters that a word has an odd number of times, and half its length. They tell how
/// many typos there are at least between two words: see [`Letters::least_typos`].
#[derive(Clone, Copy)]
struct Letters(u32);

impl Letters {
    fn of(word: &[char]) -> Letters {
        let odd = word.iter().fold(0, |odd, letter| {
            let latin = u32::from(*letter).checked_sub(u32::from('a')).and_then(|n| CLASSES.get(n as usize));
            odd ^ 1 << latin.map_or(u32::from(*letter) % LETTER_CLASSES, |class| u32::from(*class))
        });
        let half_length = (word.len() / 2 % (1 << LENGTH_BITS)) as u32;
        Letters(odd | half_length << LETTER_CLASSES)
    }

    fn odd_classes(self) -> u32 {
        self.0 & ((1 << LETTER_CLASSES) - 1)
    }

    /// The length of the word modulo 16. It is odd if and only if the number of odd classes is.
    fn length(self) -> u32 {
        self.0 >> LETTER_CLASSES << 1 | self.odd_classes().count_ones() & 1
    }

    /// The fewest typos between two words. A letter too many or too few changes the length and one
    /// class. A wrong letter changes two classes. Two swapped letters change nothing.
    fn least_typos(self, other: Letters) -> usize {
        let longer = self.length().wrapping_sub(other.length()) % 16;
        let missing = longer.min(16 - longer);
        let changed = (self.odd_classes() ^ other.odd_classes()).count_ones().saturating_sub(missing);
        (missing + changed.div_ceil(2)) as usize
    }
}

/// The fewest typos between a word and the word of a mark.
pub fn least_typos(word: &[char]) -> impl Fn(i64) -> usize + use<> {
    let letters = Letters::of(word);
    move |mark| letters.least_typos(Letters((mark >> WORD_HASH_BITS) as u32))
}

/// The long words that share a beginning without one of its letters, or an ending. Their keys are
/// neighbours.
#[derive(Clone, Copy)]
pub struct WordEnd(i64);

impl WordEnd {
    /// The first and the last of the keys.
    pub fn range(self) -> (i64, i64) {
        (self.0 & !MARK_MASK, self.0 | MARK_MASK)
    }

    /// The mark in one of these keys. By chance, a key of another end or of another owner may lie
    /// in the range. Then the mark is a random one, which hardly ever fits the word that is looked
    /// for.
    pub fn mark_of(self, key: i64) -> i64 {
        self.0 ^ key
    }

    fn key_of(self, mark: i64) -> i64 {
        self.0 ^ mark
    }
}

impl FieldKeys {
    pub fn of_word_end(&self, end: &[char]) -> WordEnd {
        WordEnd(self.of_letters(KeyKind::WordEnd, end))
    }

    /// The mark of a word. Of two words of one owner that have the same letters, more or less, and
    /// that both may be meant by one misspelt word, 1 in 2,000 has the mark of the other.
    fn mark_of_word(&self, word: &[char]) -> i64 {
        let hash = self.of_letters(KeyKind::WordEnd, word) & ((1 << WORD_HASH_BITS) - 1);
        i64::from(Letters::of(word).0) << WORD_HASH_BITS | hash
    }

    /// All keys of a long word.
    pub fn of_long_word(&self, word: &[char]) -> impl Iterator<Item = i64> {
        let mark = self.mark_of_word(word);
        misspelt_beginnings(word, beginning_length(word.len()))
            .chain(ending(word, word.len()))
            .map(move |end| self.of_word_end(&end).key_of(mark))
    }
}

/// Whether typos are looked for in such a word of a name.
pub fn has_typo_keys(word: &[char]) -> bool {
    word.len() <= MAX_LETTERS_WITH_TYPOS + 2 && word.iter().any(|letter| is_spelled(*letter))
}

/// The letters of the beginning that is kept of a word of this length.
fn beginning_length(word_length: usize) -> usize {
    if word_length < MIN_LETTERS_OF_VERY_LONG_WORD { BEGINNING_OF_LONG } else { BEGINNING_OF_VERY_LONG }
}

/// The beginning of a word without one of its letters. If the beginnings of two words are at most
/// one typo apart, they have one of these in common.
fn misspelt_beginnings(word: &[char], length: usize) -> impl Iterator<Item = Vec<char>> {
    without_one(word.get(..length).unwrap_or_default())
}

/// The ending of `word` that is kept of words of length `kept_of`. It is right if two typos are in
/// the beginning, also if one of them has swapped the last letter of the beginning with the next. A
/// blank tells it from a beginning. None if the word is too short.
fn ending(word: &[char], kept_of: usize) -> Option<Vec<char>> {
    let kept = kept_of.checked_sub(beginning_length(kept_of) + 1)?.min(MAX_ENDING);
    let last = word.get(word.len().checked_sub(kept)?..)?;
    Some(std::iter::once(' ').chain(last.iter().copied()).collect())
}

/// The beginnings and endings of all long words that are at most `typos` typos away from this word.
/// The lengths of such words differ by at most `typos` letters.
pub fn misspelt_ends(word: &[char], typos: usize) -> BTreeSet<Vec<char>> {
    let lengths = || word.len().saturating_sub(typos).max(MIN_LETTERS_OF_LONG_WORD)..=word.len() + typos;
    let beginnings: BTreeSet<usize> = lengths().map(beginning_length).collect();
    let mut ends: BTreeSet<Vec<char>> =
        beginnings.into_iter().flat_map(|length| misspelt_beginnings(word, length)).collect();
    if typos > 1 {
        ends.extend(lengths().filter_map(|length| ending(word, length)));
    }
    ends
}

#[cfg(test)]
mod unit_tests {
    use super::super::hash::NAME;
    use super::*;

    #[test]
    fn letters_tell_how_many_typos_there_are_at_least() {
        let keys = FieldKeys::of(&[3; 16], NAME);
        let name: Vec<char> = "pietrarossetti".chars().collect();
        for (word, least) in [
            ("pietrarossetti", 0),
            ("peitrarossetti", 0),
            ("pietrarosseti", 1),
            ("pietrarossettti", 1),
            ("pietrarossexti", 1),
            ("pietrarosset", 2),
            ("pietraroossettii", 2),
            ("pietxarossezti", 2),
            ("pietrarosxet", 3),
            ("pietrabianchi", 5),
            ("pietrarossettini", 2),
            ("pietraross", 4),
            ("capovaletti", 5),
        ] {
            let word: Vec<char> = word.chars().collect();
            assert_eq!(least_typos(&name)(keys.mark_of_word(&word)), least, "{word:?}");
            let end = keys.of_word_end(&['x']);
            assert_eq!(least_typos(&word)(end.mark_of(end.key_of(keys.mark_of_word(&name)))), least, "{word:?}");
        }
    }

    /// The owners of the attack in `tests/regress/sql/attack_search.sql`. A word of one owner has a
    /// key in the range of the other owner's query, and its mark fits. If keys change, look for
    /// another pair: some 100 million ids have to be tried.
    #[test]
    fn two_owners_meet() {
        let owner = |id: u128| FieldKeys::of(&id.to_be_bytes(), NAME);
        let (meets, met) =
            (owner(0xa0000000_0000_4000_8000_000000000001), owner(0xb0000000_0000_4000_8000_00002d23754b));
        let letters = |word: &str| word.chars().collect::<Vec<_>>();
        let (end, other) = (meets.of_word_end(&['p', 'i', 'e']), met.of_word_end(&['p', 'i', 'e']));
        assert_eq!(end.range(), other.range());
        assert!(misspelt_ends(&letters("pietroslee"), 2).contains(&['p', 'i', 'e'][..]));
        let word = letters("pietabhintu");
        assert_eq!(least_typos(&letters("pietroslee"))(end.mark_of(other.key_of(met.mark_of_word(&word)))), 0);
    }

    #[test]
    fn words_of_other_owners_hardly_ever_fit() {
        let word: Vec<char> = "pietrarossetti".chars().collect();
        let own = FieldKeys::of(&[3; 16], NAME).of_word_end(&['p', 'i', 'e']);
        let fit = (0..1000_u16).filter(|n| {
            let mut owner = [0; 16];
            owner[..2].copy_from_slice(&n.to_be_bytes());
            let other = FieldKeys::of(&owner, NAME);
            let met = own.0 & !MARK_MASK | other.of_word_end(&['p', 'i', 'e']).0 & MARK_MASK;
            let key = WordEnd(met).key_of(other.mark_of_word(&word));
            least_typos(&word)(own.mark_of(key)) <= 2
        });
        assert!(fit.count() < 20);
    }
}
