//! Keys: what the search index holds of a customer. Each is a hash of (owner, field, what of the text), in 64 bits, so that
//! owners and fields share no posting list, and a query that has no key of a field cannot meet its values.
//!
//! | key | of | for |
//! |---|---|---|
//! | pairs and single characters | names, e-mails and values in scripts that write a syllable or a word by a character | any part of a word |
//! | three letters in a row | the same in other scripts | any part of a word, from three letters |
//! | some of the four digits in a row | the same, where seven digits or more follow each other | long numbers, or parts of them |
//! | what joins two words, with two characters before it, and with one on either side | e-mails | parts of an address with words of one or two letters |
//! | first letter, first two | each word of a name | queries of one or two letters |
//! | the word | words of a name up to 7 letters, and words of a value, but not codes | whole words; typos |
//! | two to four words in a row, written together | the first eight words of a name | `vanheerden` for van Heerden, `jrr` for J. R. R. |
//! | the word without one of its letters, and which | words of a name of 4 to 7 letters | typos |
//! | the first four letters without one of them, of words of 12 letters or more the first seven, and up to seven at the end; with them of which letters the word is, and which | longer words of a name | typos |
//! | first three letters of the name, and the next three; its sorted words | names | beginning of the name, whole name |
//! | last 4 digits, and up to 4 before them | phone numbers | endings, whole numbers |
//! | all that is written | phones that are no numbers | whole phones |
//! | the whole address | e-mail addresses | whole addresses |
//! | an option | fields of a choice | queries that name it, whatever it is called by then |
//! | the same as of phone numbers and e-mail addresses; the value | fields of type phone and email; of type number and date | values however they are written (`form`) |
//! | the day, the latest first | the last activity | going from the most recent back, where a query finds many |
//!
//! Typos are found by what is left of a word without a letter (deletion neighbourhoods: Mor and Fraenkel 1982, SymSpell): two words
//! are one edit apart only if they are alike once each lacks one letter, or none. With the place of the letter that is left out, and the
//! length, it is the other way round too: who has such a key has a word that is one edit away. Longer words would take many such keys; of
//! them the key tells how often they have which letters, odd or even, and how many: few that share a beginning or an end are near by that.
//!
//! Keys of an owner lie side by side in the index, of these the keys of a kind, and of these the keys of what is the same in several fields: the
//! pages that one owner's searches and writes go through are few, whatever others have, and a word that is looked for in every field takes no more
//! of them than in one.
//!
//! The hash is SipHash-1-3 with a fixed key (the field is mixed in behind it), the same on every platform and in every version,
//! because it is kept in an index. Its key is no secret and need not be: nobody can read the keys, and nobody but `ringfence.query()`
//! can make a query of them (see `value`).

use super::fold::{fold, is_part_of_word, is_spelled, one_word_per_character, words};
use super::form::Form;
use crate::contact::MAX_PHONE_FORMS;
use siphasher::sip::SipHasher13;
use std::borrow::Cow;
use std::collections::BTreeSet;
use std::hash::Hasher;

/// The beginning of a text that is searched. Longer ones are notes or mistakes, and must not fill the index.
pub const SEARCHED_CHARACTERS: usize = 1000;

/// How many of a customer's e-mail addresses, and of the texts of one custom field are searched.
pub const SEARCHED_VALUES: usize = 64;

/// Keys of one customer after which no more of its custom values are searched: those of some 500 long texts.
const MAX_KEYS: usize = 1 << 18;

/// The bytes of the name of a field's values at most: of its id in base 64, and of [`OPTIONS`].
pub const FIELD_BYTES: usize = 22 + OPTIONS.len();

/// Typos are looked for in words and texts as people write them; in longer ones only what is spelled right is found.
pub const TYPOS_UP_TO: usize = 64;

/// Words from this length are kept without one of their letters too.
pub const LEFT_FROM: usize = 4;

/// Words from this length are kept by their ends, shorter ones whole.
pub const LONG_FROM: usize = 8;

/// The letters at the beginning of a longer word by which it is kept, and those of a very long one: so many are put together of words that begin
/// alike that three letters would say little.
const FIRST: usize = 4;
const FIRST_OF_VERY_LONG: usize = 7;
const VERY_LONG_FROM: usize = 12;

/// The letters at the end by which it is kept, at most.
const LAST: usize = 7;

/// Under which name, after that of its field, the options of a choice are kept.
pub const OPTIONS: &str = "#";

/// What of a text a key stands for. At most 16 kinds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Of {
    Active,
    Character,
    Pair,
    Three,
    Four,
    FirstLetter,
    FirstTwo,
    NameStart,
    Option,
    WholeWord,
    Left,
    Ends,
    WholeName,
    NumberEnd,
    ShortNumber,
    Address,
}

const _: () = assert!((Of::Address as u32) < 1 << KIND_BITS);

/// What every customer has. Custom fields go by the name that their values are stored under.
pub const ROW: &str = "row";
pub const NAME: &str = "name";
/// The name and the e-mail addresses, which are seen by the same sessions and mostly have the same parts.
pub const TEXT: &str = "text";
/// Words of the name that follow each other, as they are written together.
pub const JOINED: &str = "joined";
pub const PHONES: &str = "phones";
pub const EMAILS: &str = "emails";

/// Makes the keys of one field of one owner.
#[derive(Clone)]
pub struct Keys {
    /// Of the owner.
    hasher: SipHasher13,
    /// What all keys of the owner begin with.
    owner: u64,
    /// The hash of the field.
    field: u64,
}

/// The bits of a key of [`Of::Ends`] that tell which word it is: of which letters, and of how many, and some of its hash.
const WORD_MASK: i64 = (1 << (LETTER_CLASSES + LENGTH_BITS + WORD_HASH_BITS)) - 1;
const LETTER_CLASSES: u32 = 20;
const LENGTH_BITS: u32 = 3;
const WORD_HASH_BITS: u32 = 11;

/// The classes of the letters from a to z. Some share one, in most languages only one of them is frequent.
const CLASSES: [u8; 26] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 7, 5, 9, 10, 11, 12, 13, 7, 14, 15, 16, 17, 18, 18, 7, 5, 19];

/// Of which letters a word consists, as far as it tells how many typos there are between it and another at least.
#[derive(Clone, Copy)]
struct Letters(u32);

impl Letters {
    fn of(word: &[char]) -> Letters {
        let odd = word.iter().fold(0, |odd, letter| {
            let latin = u32::from(*letter).checked_sub(u32::from('a')).and_then(|n| CLASSES.get(n as usize));
            odd ^ 1 << latin.map_or(u32::from(*letter) % LETTER_CLASSES, |class| u32::from(*class))
        });
        let length = (word.len() / 2 % (1 << LENGTH_BITS)) as u32;
        Letters(odd | length << LETTER_CLASSES)
    }

    /// Of which classes of letters it has an odd number.
    fn odd(self) -> u32 {
        self.0 & ((1 << LETTER_CLASSES) - 1)
    }

    /// The number of letters, modulo 16: if it is odd, that of classes with an odd number is.
    fn length(self) -> u32 {
        self.0 >> LETTER_CLASSES << 1 | self.odd().count_ones() & 1
    }

    /// How many typos two words are apart at least: a letter too many or too few changes the length and the number of one letter, another letter
    /// that of two, and a swap none.
    fn least_typos(self, other: Letters) -> usize {
        let longer = self.length().wrapping_sub(other.length()) % 16;
        let missing = longer.min(16 - longer);
        let changed = (self.odd() ^ other.odd()).count_ones().saturating_sub(missing);
        (missing + changed.div_ceil(2)) as usize
    }
}

/// The bits of a key of [`Of::NameStart`] for the three letters behind the start, and those for one of them.
const START_MASK: i64 = (1 << (3 * LETTER_BITS)) - 1;
const LETTER_MASK: i64 = (1 << LETTER_BITS) - 1;
const LETTER_BITS: u32 = 7;

/// The next letters, each as a number; `filler` for those that are missing.
fn rest_mark(rest: &[char], filler: i64) -> i64 {
    (0..3).fold(0, |mark, n| {
        let letter = rest.get(n).map_or(filler, |letter| 1 + i64::from(u32::from(*letter) % (LETTER_MASK as u32 - 1)));
        mark << LETTER_BITS | letter
    })
}

/// Longer words that have something of their ends in common: their keys lie side by side.
#[derive(Clone, Copy)]
pub struct WithEnd(i64);

impl WithEnd {
    /// The first of their keys and the last.
    pub fn range(self) -> (i64, i64) {
        (self.0 & !WORD_MASK, self.0 | WORD_MASK)
    }

    /// The mark of the word of such a key. Words with another end or of another owner, whose keys lie between these by chance, seem to consist of
    /// other letters than they do: hardly ever of those of a word that is looked for.
    pub fn mark_of(self, key: i64) -> i64 {
        self.0 ^ key
    }

    fn key_of(self, mark: i64) -> i64 {
        self.0 ^ mark
    }
}

/// How many typos the word of a mark is away from this one at least.
pub fn least_typos(word: &[char]) -> impl Fn(i64) -> usize + use<> {
    let letters = Letters::of(word);
    move |mark| letters.least_typos(Letters((mark >> WORD_HASH_BITS) as u32))
}

/// Digits of a phone number that are looked for together, and the bits of a key of [`Of::NumberEnd`] for as many before them.
const ENDING: usize = 4;
const NUMBER_MASK: i64 = (1 << 14) - 1;

/// Bits of a key that are of the owner alone, of what kind it is, and of what it stands for in whatever field; the others are of all that.
const OWNER_BITS: u32 = 16;
const KIND_BITS: u32 = 4;
const SHARED_BITS: u32 = 16;
// Of one text, two fields have the same key in one of 2^28 cases; of two texts, an owner's keys of one kind are the same in one of 2^44.

impl Keys {
    pub fn of(owner: &[u8; 16], field: &str) -> Keys {
        let mut hasher = SipHasher13::new_with_key(b"ringfence search");
        hasher.write(owner);
        let all_of_owner = hasher.finish() >> (u64::BITS - OWNER_BITS) << (u64::BITS - OWNER_BITS);
        let mut of_field = hasher;
        of_field.write(field.as_bytes());
        Keys { hasher, owner: all_of_owner, field: of_field.finish() }
    }

    pub fn bytes(&self, of: Of, bytes: &[u8]) -> i64 {
        let mut hasher = self.begin(of);
        hasher.write(bytes);
        self.end(of, hasher)
    }

    pub fn letters(&self, of: Of, letters: &[char]) -> i64 {
        self.end_letters(of, self.begin(of), letters)
    }

    /// What is left of a word of so many letters without the one at that place.
    pub fn left(&self, letters: &[char], length: usize, place: usize) -> i64 {
        let mut hasher = self.begin(Of::Left);
        hasher.write(&[length as u8, place as u8]);
        self.end_letters(Of::Left, hasher, letters)
    }

    /// The longer words that have that of their ends.
    pub fn with_end(&self, end: &[char]) -> WithEnd {
        WithEnd(self.letters(Of::Ends, end))
    }

    /// What tells a longer word from others that have the same of their ends: its letters, and 11 bits of its hash. Of two words of one owner
    /// that consist of the same letters, more or less, and come into question for the same misspelt one, one in 2,000 is taken for the other.
    fn mark(&self, word: &[char]) -> i64 {
        let hash = self.letters(Of::Ends, word) & ((1 << WORD_HASH_BITS) - 1);
        i64::from(Letters::of(word).0) << WORD_HASH_BITS | hash
    }

    /// The beginning of a name. Those of names that begin alike for up to three letters more follow each other.
    fn start(&self, first_word: &[char]) -> Option<i64> {
        let (start, rest) = name_start(first_word)?;
        Some(self.letters(Of::NameStart, start) & !START_MASK | rest_mark(rest, 0))
    }

    /// The first key and the last of the names that begin with these letters. None where they are too few.
    pub fn starts(&self, letters: &[char], is_whole_word: bool) -> Option<(i64, i64)> {
        let first = self.start(letters)?;
        let (_, rest) = name_start(letters)?;
        let last = if is_whole_word { first } else { first & !START_MASK | rest_mark(rest, LETTER_MASK) };
        Some((first, last))
    }

    /// The first key and the last of the phone numbers that end with these digits, of which the last eight count. Those that end alike
    /// follow each other, by the digits before the last four. One of fewer digits than four is found as a whole only.
    pub fn number_end(&self, normal: &str) -> (i64, i64) {
        let Some((before, last)) = last_digits(normal) else {
            let whole = self.bytes(Of::ShortNumber, beginning(normal).as_bytes());
            return (whole, whole);
        };
        let all = self.bytes(Of::NumberEnd, last) & !NUMBER_MASK;
        // From the last to the first, so that what is typed of them comes first.
        let with = |filler: u8| {
            let digits = before.iter().rev().copied().chain(std::iter::repeat(filler)).take(ENDING);
            digits.fold(0, |number, digit| number * 10 + i64::from(digit - b'0'))
        };
        (all | with(b'0'), all | with(b'9'))
    }

    /// A phone as a whole. One that is no number is found as it is written: those that end in the same digits are others.
    pub fn phone(&self, normal: &str) -> i64 {
        if normal.trim_start_matches('+').bytes().all(|byte| byte.is_ascii_digit()) {
            self.number_end(normal).0
        } else {
            self.bytes(Of::ShortNumber, beginning(normal).as_bytes())
        }
    }

    /// An e-mail address as a whole.
    pub fn address(&self, normal: &str) -> i64 {
        self.bytes(Of::Address, beginning(normal).as_bytes())
    }

    /// Keys in the order of their numbers.
    fn numbered(&self, of: Of, number: u16) -> i64 {
        (self.end(of, self.begin(of)) as u64 >> u16::BITS << u16::BITS | u64::from(number)) as i64
    }

    fn begin(&self, of: Of) -> SipHasher13 {
        let mut hasher = self.hasher;
        hasher.write(&[of as u8]);
        hasher
    }

    fn end_letters(&self, of: Of, mut hasher: SipHasher13, letters: &[char]) -> i64 {
        for letter in letters {
            let mut buffer = [0; 4];
            hasher.write(letter.encode_utf8(&mut buffer).as_bytes());
        }
        self.end(of, hasher)
    }

    fn end(&self, of: Of, hasher: SipHasher13) -> i64 {
        const BEFORE: u32 = OWNER_BITS + KIND_BITS;
        let beginning = self.owner | u64::from(of as u8) << (u64::BITS - BEFORE);
        let shared = hasher.finish();
        let own = mixed(shared.wrapping_add(self.field)) >> (BEFORE + SHARED_BITS);
        (beginning | shared >> (u64::BITS - SHARED_BITS) << (u64::BITS - BEFORE - SHARED_BITS) | own) as i64
    }
}

/// A number of which each bit depends on each of another (the finalizer of MurmurHash3: Appleby).
fn mixed(mut number: u64) -> u64 {
    number = (number ^ number >> 33).wrapping_mul(0xff51_afd7_ed55_8ccd);
    number = (number ^ number >> 33).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    number ^ number >> 33
}

/// Letters from which a word is looked for inside of words, not only as their beginning. A character of a script that
/// writes a word or a syllable by a character is enough.
const ANYWHERE_FROM: usize = 3;

/// Whether a word is looked for inside of others.
pub fn is_looked_for_anywhere(word: &str) -> bool {
    word.chars().nth(ANYWHERE_FROM - 1).is_some() || word.chars().any(one_word_per_character)
}

/// The parts of a word by which it is found inside of other words.
pub fn parts(word: &[char]) -> impl Iterator<Item = (Of, &[char])> {
    let singly = |n: usize| word.get(n).is_some_and(|letter| one_word_per_character(*letter));
    (0..word.len()).flat_map(move |n| {
        let character = singly(n).then(|| (Of::Character, &word[n..=n]));
        let pair = (n + 1 < word.len() && (singly(n) || singly(n + 1))).then(|| (Of::Pair, &word[n..n + 2]));
        let three = (n + 2 < word.len() && !singly(n) && !singly(n + 1) && !singly(n + 2))
            .then(|| (Of::Three, &word[n..n + 3]));
        character.into_iter().chain(pair).chain(three)
    })
}

/// What holds an e-mail address together: of what joins two words, the two characters before it, and one on either side. They tell that the words are
/// side by side, and find those that are too short for keys of their own. Each part of an address that has two words has one of these at least.
pub fn joints(address: &[char]) -> impl Iterator<Item = &[char]> {
    address.windows(3).filter(|three| three[1..].iter().any(|character| !is_part_of_word(*character)))
}

/// The keys of the long numbers in a word: of every few of the four digits in a row the least, so that a part of a number has none that the whole
/// has not, and one at least (winnowing: Schleimer, Wilkerson, Aiken 2003). Rarer than three in a row, and fewer.
pub fn fours(keys: &Keys, word: &[char]) -> Vec<i64> {
    let mut fours = Vec::new();
    for number in word.split(|letter| !letter.is_ascii_digit()) {
        fours.extend(fours_of_number(keys, number).into_iter().map(|four| four.key));
    }
    fours.dedup();
    fours
}

/// Four digits in a row.
#[derive(Clone, Copy)]
pub struct Four {
    /// Where in its number.
    at: usize,
    pub key: i64,
}

impl Four {
    pub fn shares_digits_with(&self, other: &Four) -> bool {
        self.at.abs_diff(other.at) < FOUR
    }
}

/// The same of a number alone, which has none if it is not long.
pub fn fours_of_number(keys: &Keys, number: &[char]) -> Vec<Four> {
    if number.len() < NUMBER_FROM {
        return Vec::new();
    }
    let four = |(at, four)| Four { at, key: keys.letters(Of::Four, four) };
    let all: Vec<Four> = number.windows(FOUR).enumerate().map(four).collect();
    let least_of = |some: &[Four]| some.iter().min_by_key(|four| four.key).copied();
    let mut least: Vec<Four> = all.windows(NUMBER_FROM + 1 - FOUR).filter_map(least_of).collect();
    least.dedup_by_key(|four| four.key);
    least
}

/// Digits in a row that are a long number.
const NUMBER_FROM: usize = 7;
const FOUR: usize = 4;

/// The beginnings by which a word is found that is looked for by one letter or two.
fn beginnings(word: &[char]) -> impl Iterator<Item = (Of, &[char])> {
    let plain = |n: usize| word.get(n).is_some_and(|letter| !one_word_per_character(*letter));
    let one = plain(0).then(|| (Of::FirstLetter, &word[..1]));
    let two = (plain(0) && plain(1)).then(|| (Of::FirstTwo, &word[..2]));
    one.into_iter().chain(two)
}

/// What is left of some letters without the one at a place.
pub fn without(word: &[char], place: usize) -> Vec<char> {
    word.iter().enumerate().filter(|(n, _)| *n != place).map(|(_, letter)| *letter).collect()
}

/// What is left of some letters without one of them.
pub fn without_one(word: &[char]) -> impl Iterator<Item = Vec<char>> {
    // Of two equal letters side by side it does not matter which one goes.
    (0..word.len()).filter(move |n| *n == 0 || word[*n] != word[*n - 1]).map(|n| without(word, n))
}

/// The letters that are the beginning of a longer word of that length.
fn first(length: usize) -> usize {
    if length < VERY_LONG_FROM { FIRST } else { FIRST_OF_VERY_LONG }
}

/// What is left of the beginning of a longer word where one typo is in it. Two words with no more than that in their beginnings, of as many
/// letters, have one of these in common.
fn beginnings_left(word: &[char], first: usize) -> impl Iterator<Item = Vec<char>> {
    without_one(word.get(..first).unwrap_or_default())
}

/// The end of a longer word that is kept of words of that length: what is right where two typos are in the beginning, of which one may
/// have swapped the last of its letters with the next. Not to be taken for a beginning. None where there are not so many letters.
fn ending(word: &[char], length: usize) -> Option<Vec<char>> {
    let kept = length.checked_sub(first(length) + 1)?.min(LAST);
    let last = word.get(word.len().checked_sub(kept)?..)?;
    Some(std::iter::once(' ').chain(last.iter().copied()).collect())
}

/// What of their ends the longer words have that may be this one with as many typos: they are longer or shorter by so many letters at most.
pub fn ends_misspelt(word: &[char], typos: usize) -> BTreeSet<Vec<char>> {
    let lengths = || word.len().saturating_sub(typos).max(LONG_FROM)..=word.len() + typos;
    let firsts: BTreeSet<usize> = lengths().map(first).collect();
    let mut ends: BTreeSet<Vec<char>> = firsts.into_iter().flat_map(|first| beginnings_left(word, first)).collect();
    if typos > 1 {
        ends.extend(lengths().filter_map(|length| ending(word, length)));
    }
    ends
}

/// The keys by which a longer word is found with typos.
pub fn end_keys(keys: &Keys, word: &[char]) -> impl Iterator<Item = i64> {
    let mark = keys.mark(word);
    beginnings_left(word, first(word.len()))
        .chain(ending(word, word.len()))
        .map(move |end| keys.with_end(&end).key_of(mark))
}

/// Whether typos are looked for in such a word.
pub fn takes_typos(word: &[char]) -> bool {
    word.len() <= TYPOS_UP_TO + 2 && word.iter().any(|letter| is_spelled(*letter))
}

/// By what the beginning of a name is found: its first three letters, or its first character; and what follows in the first word. None if
/// that is shorter.
fn name_start(first_word: &[char]) -> Option<(&[char], &[char])> {
    let length = if first_word.first().is_some_and(|letter| one_word_per_character(*letter)) { 1 } else { 3 };
    first_word.split_at_checked(length)
}

/// Words of a name, from its beginning, that are found written together, and how many of them at once.
pub const JOINED_WORDS: usize = 8;
pub const JOINED_AT_ONCE: usize = 4;

/// Two or more words of a folded name in a row, written together: `van heerden` as `vanheerden`.
pub fn joined_words(folded: &str) -> Vec<String> {
    let list: Vec<&str> = words(folded).take(JOINED_WORDS).collect();
    let runs = |start: usize| (start + 2..=list.len().min(start + JOINED_AT_ONCE)).map(move |end| (start, end));
    let joined = (0..list.len()).flat_map(runs).filter_map(|(start, end)| Some(list.get(start..end)?.concat()));
    joined.filter(|joined| is_looked_for_anywhere(joined)).collect()
}

/// The words of a name in an order that does not depend on theirs.
pub fn sorted_words(folded: &str) -> String {
    let mut list: Vec<&str> = words(folded).collect();
    list.sort_unstable();
    list.join(" ")
}

/// The last four digits of a phone number in normal form, and what comes before them, as far as it counts. None if they are fewer.
fn last_digits(normal: &str) -> Option<(&[u8], &[u8])> {
    let bytes = normal.as_bytes();
    let digits = bytes.iter().rev().take(2 * ENDING).take_while(|byte| byte.is_ascii_digit()).count();
    bytes.split_at(bytes.len() - digits).1.split_at_checked(digits.checked_sub(ENDING)?)
}

/// The first day and the last, since 2000-01-01, that the index tells apart: those before and after count as these, and who sorts goes by
/// the customers themselves.
pub const FIRST_DAY: i32 = 0;
pub const LAST_DAY: i32 = 32_767;

/// 0001-01-01, which `active_on` is for those who never were active.
pub const NEVER: i32 = -730_119;

/// The key of those who were last active on that day; None: of those who never were. The later the day, the earlier comes its key.
pub fn active(row: &Keys, day: Option<i32>) -> i64 {
    row.numbered(Of::Active, day.map_or(u16::MAX, |day| (LAST_DAY - day.clamp(FIRST_DAY, LAST_DAY)) as u16))
}

/// The day of such a key.
pub fn day_of(active: i64) -> i32 {
    LAST_DAY - i32::from(active as u16)
}

/// Whether a word of a value is one of the many that are hardly ever the same, and hardly ever a part of another: the code of a contract or a
/// device. It is found by its parts alone, also as a whole.
pub fn is_code(word: &str) -> bool {
    word.chars().nth(CODE_FROM - 1).is_some() && word.bytes().any(|byte| byte.is_ascii_digit())
}

/// Letters and digits of a word with digits that are a code.
const CODE_FROM: usize = 7;

fn add_text(keys: &Keys, folded: &str, into: &mut Vec<i64>) {
    for word in words(folded) {
        let word: Vec<char> = word.chars().collect();
        into.extend(parts(&word).map(|(of, letters)| keys.letters(of, letters)));
        into.extend(fours(keys, &word));
    }
}

fn add_email(keys: &Keys, folded: &str, into: &mut Vec<i64>) {
    add_text(keys, folded, into);
    add_joints(keys, folded, into);
}

fn add_joints(keys: &Keys, folded: &str, into: &mut Vec<i64>) {
    let address: Vec<char> = folded.chars().collect();
    into.extend(joints(&address).map(|three| keys.letters(Of::Three, three)));
}

/// What of a customer is searched, as it is stored.
pub struct Customer<'a, P, E, V> {
    pub owner: [u8; 16],
    pub name: &'a str,
    pub normal_phones: P,
    pub normal_emails: E,
    /// Texts of custom fields, with the name that the field's values are stored under, at most [`SEARCHED_VALUES`] of a field.
    /// Those of names that end with [`OPTIONS`] are ids of options, those of names of a [`Form`] are in that form.
    pub values: V,
    /// The day of its last activity, as PostgreSQL counts days.
    pub active_on: i32,
}

/// The keys of a customer, sorted, each once.
pub fn of_customer<'a>(
    customer: Customer<
        'a,
        impl Iterator<Item = &'a str>,
        impl Iterator<Item = &'a str>,
        impl Iterator<Item = (&'a str, Cow<'a, str>)>,
    >,
) -> Vec<i64> {
    let mut all = Vec::with_capacity(128);
    let row = Keys::of(&customer.owner, ROW);
    all.push(active(&row, Some(customer.active_on).filter(|day| *day != NEVER)));
    let text = Keys::of(&customer.owner, TEXT);
    let name = fold(beginning(customer.name));
    add_text(&text, &name, &mut all);
    add_name(&Keys::of(&customer.owner, NAME), &name, &mut all);
    let keys = Keys::of(&customer.owner, JOINED);
    all.extend(joined_words(&name).iter().map(|joined| keys.bytes(Of::WholeWord, joined.as_bytes())));

    let keys = Keys::of(&customer.owner, PHONES);
    for phone in customer.normal_phones.take(MAX_PHONE_FORMS) {
        all.push(keys.phone(phone));
        all.push(keys.number_end(phone).0);
    }

    let keys = Keys::of(&customer.owner, EMAILS);
    for email in customer.normal_emails.take(SEARCHED_VALUES) {
        all.push(keys.address(email));
        add_email(&text, &fold(beginning(email)), &mut all);
    }

    for (field, text) in customer.values {
        let keys = Keys::of(&customer.owner, field);
        if all.len() > MAX_KEYS {
            break;
        }
        let text = beginning(&text);
        match Form::named(field) {
            Some(Form::Phone) => all.extend([keys.phone(text), keys.number_end(text).0]),
            Some(Form::Email) => {
                all.push(keys.address(text));
                add_joints(&keys, &fold(text), &mut all);
            }
            Some(Form::Value) => all.push(keys.bytes(Of::Option, text.as_bytes())),
            None => (),
        }
        if Form::named(field).is_some() {
            continue;
        }
        if field.ends_with(OPTIONS) {
            all.push(keys.bytes(Of::Option, text.as_bytes()));
            continue;
        }
        let folded = fold(text);
        add_text(&keys, &folded, &mut all);
        all.extend(words(&folded).filter(|word| !is_code(word)).map(|word| keys.bytes(Of::WholeWord, word.as_bytes())));
    }
    all.sort_unstable();
    all.dedup();
    all
}

fn add_name(keys: &Keys, name: &str, all: &mut Vec<i64>) {
    for (n, word) in words(name).enumerate() {
        let word: Vec<char> = word.chars().collect();
        all.extend(beginnings(&word).map(|(of, letters)| keys.letters(of, letters)));
        if n == 0 {
            all.extend(keys.start(&word));
        }
        if word.len() < LONG_FROM {
            all.push(keys.letters(Of::WholeWord, &word));
        }
        if !takes_typos(&word) {
            continue;
        }
        if word.len() >= LONG_FROM {
            all.extend(end_keys(keys, &word));
            continue;
        }
        if word.len() >= LEFT_FROM {
            all.extend((0..word.len()).map(|place| keys.left(&without(&word, place), word.len(), place)));
        }
    }
    all.push(keys.bytes(Of::WholeName, sorted_words(name).as_bytes()));
}

/// As much of a text as is searched.
pub fn beginning(text: &str) -> &str {
    match text.char_indices().nth(SEARCHED_CHARACTERS) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    fn name_keys(owner: u8, name: &str) -> Vec<i64> {
        of_customer(Customer {
            owner: [owner; 16],
            name,
            normal_phones: std::iter::empty(),
            normal_emails: std::iter::empty(),
            values: std::iter::empty(),
            active_on: NEVER,
        })
    }

    /// They are in an index: a library that computes others finds nothing there.
    #[test]
    fn keys_never_change() {
        let keys = Keys::of(&[7; 16], NAME);
        assert_eq!(keys.bytes(Of::Three, "tsa".as_bytes()), keys.letters(Of::Three, &['t', 's', 'a']));
        let sum = name_keys(7, "Łukasz D'Angelo-Lewandowski").iter().fold(0, |sum: i64, key| sum.wrapping_add(*key));
        let day = active(&Keys::of(&[7; 16], ROW), Some(9000));
        let computed = [keys.bytes(Of::Three, "tsa".as_bytes()), keys.bytes(Of::Pair, "美玲".as_bytes()), day, sum];
        assert_eq!(computed, [3018032349031016982, 3018016668068058476, 3017979494560324823, 313046924155413369]);
    }

    /// None of them is stored, but whoever calls `ringfence.search_keys()` can give them.
    #[test]
    fn of_long_texts_the_beginning_counts() {
        let long: String = (0..100_000).map(|n| format!("{n:x}")).collect();
        let keys = of_customer(Customer {
            owner: [1; 16],
            name: &long,
            normal_phones: [long.as_str()].into_iter(),
            normal_emails: [long.as_str()].into_iter(),
            values: [("field", Cow::Borrowed(long.as_str()))].into_iter(),
            active_on: NEVER,
        });
        assert!(keys.len() < 4 * SEARCHED_CHARACTERS, "{}", keys.len());
    }

    #[test]
    fn owners_and_fields_share_none() {
        let own = name_keys(1, "Tsai Mei-Ling");
        let other = name_keys(2, "Tsai Mei-Ling");
        assert!(own.len() > 20 && own.iter().all(|key| !other.contains(key)));
        assert_ne!(
            Keys::of(&[1; 16], NAME).bytes(Of::Three, b"tsa"),
            Keys::of(&[1; 16], EMAILS).bytes(Of::Three, b"tsa")
        );
    }

    #[test]
    fn what_fields_share_lies_side_by_side() {
        let fields = [TEXT, "contract", "city"].map(|field| Keys::of(&[7; 16], field));
        let number: Vec<char> = "48601234567".chars().collect();
        let places = |keys| fours_of_number(keys, &number).iter().map(|four| four.at).collect::<Vec<_>>();
        assert!(fields.iter().all(|keys| places(keys) == places(&fields[0])));
        for letters in ["tsa", "sai", "234", "美"] {
            let mut keys = fields.each_ref().map(|keys| keys.bytes(Of::Three, letters.as_bytes()));
            keys.sort_unstable();
            assert!(keys[0] != keys[1] && keys[1] != keys[2] && keys[2] - keys[0] < 1 << 28, "{letters}: {keys:?}");
        }
    }

    #[test]
    fn no_text_makes_many_keys() {
        for text in ["x".repeat(1 << 20), "ab ".repeat(1 << 18), "\u{301}".repeat(1 << 18), "\u{FDFA}".repeat(1 << 17)]
        {
            assert!(name_keys(1, &text).len() < 60_000, "{}", &text[..4]);
        }
    }

    #[test]
    fn letters_left_out() {
        let left = |word: &str| {
            without_one(&word.chars().collect::<Vec<_>>())
                .map(|letters| letters.iter().collect())
                .collect::<Vec<String>>()
        };
        assert_eq!(left("anna"), ["nna", "ana", "ann"]);
        assert_eq!(left("x"), [""]);
    }

    #[test]
    fn numbers_that_end_alike_follow_each_other() {
        let keys = Keys::of(&[3; 16], PHONES);
        let stored = |normal: &str| keys.number_end(normal).0;
        for normal in ["+48601234567", "601234567", "234567", "34567", "4567", "+999999999999999", "0000"] {
            let digits = normal.trim_start_matches('+');
            for ending in (4..=digits.len()).map(|count| &digits[digits.len() - count..]) {
                let (first, last) = keys.number_end(ending);
                assert!((first..=last).contains(&stored(normal)), "{ending} of {normal}");
                assert!(ending.len() < 8 || first == last, "{ending}");
            }
        }
        let is_found = |ending: &str, normal: &str| {
            let (first, last) = keys.number_end(ending);
            (first..=last).contains(&stored(normal))
        };
        assert!(!is_found("34567", "+48601244567") && !is_found("4567", "+48601234566"));
        assert!(!is_found("01234567", "+48611234567") && is_found("1234567", "+48611234567"));
        for short in ["112", "1", "", "*", "12x345"] {
            assert_eq!(keys.number_end(short).0, keys.number_end(short).1, "{short}");
            assert_ne!(stored(short), stored("112112"), "{short}");
        }
    }

    #[test]
    fn a_part_of_a_number_has_some_of_its_fours() {
        let keys = Keys::of(&[3; 16], "contract");
        for word in ["48601234567", "00000000", "2024000017", &"90125".repeat(50)] {
            let word: Vec<char> = word.chars().collect();
            let whole = fours(&keys, &[&['x', '1', 'y'], &word[..], &['契']].concat());
            assert!(whole.len() <= word.len() - 6, "{whole:?}");
            for start in 0..word.len() {
                for end in start + NUMBER_FROM..=word.len() {
                    let part = fours(&keys, &word[start..end]);
                    assert!(!part.is_empty() && part.iter().all(|key| whole.contains(key)), "{start} {end}");
                }
            }
        }
        assert!(
            ["123456", "12345a678901"].iter().all(|word| fours(&keys, &word.chars().collect::<Vec<_>>()).is_empty())
        );
        let held: usize = (1_000_000_000_u64..1_000_100_000)
            .step_by(137)
            .map(|number| fours(&keys, &number.to_string().chars().collect::<Vec<_>>()).len())
            .sum();
        assert!(held < 3 * 730, "two of five are held, of seven: {held}");
    }

    #[test]
    fn typos_are_told_by_letters() {
        let keys = Keys::of(&[3; 16], NAME);
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
            assert_eq!(least_typos(&name)(keys.mark(&word)), least, "{word:?}");
            let end = keys.with_end(&['x']);
            assert_eq!(least_typos(&word)(end.mark_of(end.key_of(keys.mark(&name)))), least, "{word:?}");
        }
    }

    /// Those of the attack in `tests/regress/sql/attack_search.sql`, and the words of one that the other takes for near to what it looks for. Where
    /// keys are made otherwise, other owners meet: to be found by trying some 100 million ids.
    #[test]
    fn two_owners_meet() {
        let owner = |id: u128| Keys::of(&id.to_be_bytes(), NAME);
        let (meets, met) =
            (owner(0xa0000000_0000_4000_8000_000000000001), owner(0xb0000000_0000_4000_8000_00002d23754b));
        let letters = |word: &str| word.chars().collect::<Vec<_>>();
        let (end, other) = (meets.with_end(&['p', 'i', 'e']), met.with_end(&['p', 'i', 'e']));
        assert_eq!(end.range(), other.range());
        assert!(ends_misspelt(&letters("pietroslee"), 2).contains(&['p', 'i', 'e'][..]));
        let word = letters("pietabhintu");
        assert_eq!(least_typos(&letters("pietroslee"))(end.mark_of(other.key_of(met.mark(&word)))), 0);
    }

    #[test]
    fn words_of_others_are_not_alike() {
        let word: Vec<char> = "pietrarossetti".chars().collect();
        let own = Keys::of(&[3; 16], NAME);
        let alike = (0..1000_u16).filter(|n| {
            let mut owner = [0; 16];
            owner[..2].copy_from_slice(&n.to_be_bytes());
            let other = Keys::of(&owner, NAME);
            let met = own.with_end(&['p', 'i', 'e']).0 & !WORD_MASK | other.with_end(&['p', 'i', 'e']).0 & WORD_MASK;
            let key = WithEnd(met).key_of(other.mark(&word));
            least_typos(&word)(own.with_end(&['p', 'i', 'e']).mark_of(key)) <= 2
        });
        assert!(alike.count() < 20);
    }

    #[test]
    fn days_follow_each_other() {
        let row = Keys::of(&[3; 16], ROW);
        let keys: Vec<i64> = (FIRST_DAY..=LAST_DAY).map(|day| active(&row, Some(day))).collect();
        assert!(keys.is_sorted_by(|one, next| one - 1 == *next));
        assert!((FIRST_DAY..=LAST_DAY).zip(&keys).all(|(day, key)| day_of(*key) == day));
        assert!(active(&row, None) > active(&row, Some(FIRST_DAY)));
        assert_eq!(
            [i32::MIN, -1, i32::MAX].map(|day| active(&row, Some(day))),
            [keys[0], keys[0], keys[keys.len() - 1]]
        );
        let other = Keys::of(&[4; 16], ROW);
        assert!((FIRST_DAY..=LAST_DAY).all(|day| !keys.contains(&active(&other, Some(day)))));
    }
}
