//! Keys: what the search index holds of a customer. Each is a hash of (owner, field, what of the text), in 64 bits, so that
//! owners and fields share no posting list, and a query that has no key of a field cannot meet its values.
//!
//! | key | of | for |
//! |---|---|---|
//! | pairs and single characters | names, e-mails and values in scripts that write a syllable or a word by a character | any part of a word |
//! | three letters in a row | the same in other scripts | any part of a word, from three letters |
//! | first letter, first two | each word of a name | queries of one or two letters |
//! | the word | words of a name up to 7 letters, and words of a value, but not long numbers | whole words; typos |
//! | the word without one of its letters, and which | words of a name of 4 to 7 letters | typos |
//! | three of the first four letters with the last three, the first four with two of the last three; and of what length and which word | longer words of a name | typos |
//! | first three letters of the name, and the next three; its sorted words | names | beginning of the name, whole name |
//! | last 4 and last 8 digits | phone numbers | endings, whole numbers |
//! | the whole address | e-mail addresses | whole addresses |
//! | an option | fields of a choice | queries that name it, whatever it is called by then |
//! | the day, the latest first | the last activity | going from the most recent back, where a query finds many |
//!
//! Typos are found by what is left of a word without a letter (deletion neighbourhoods: Mor and Fraenkel 1982, SymSpell): two words
//! are one edit apart only if they are alike once each lacks one letter, or none. With the place of the letter that is left out, and the
//! length, it is the other way round too: who has such a key has a word that is one edit away.
//!
//! Keys of an owner lie side by side in the index, and of these the keys of a kind: the pages that one owner's searches and writes go
//! through are few, whatever others have.
//!
//! The hash is SipHash-1-3 with a fixed key, the same on every platform and in every version, because it is kept in an
//! index. Its key is no secret and need not be: nobody can read the keys, and nobody but `ringfence.query()` can make
//! a query of them (see `value`).

use super::fold::{fold, is_spelled, one_word_per_character, words};
use siphasher::sip::SipHasher13;
use std::hash::Hasher;
use std::ops::RangeInclusive;

/// The beginning of a text that is searched. Longer ones are notes or mistakes, and must not fill the index.
pub const SEARCHED_CHARACTERS: usize = 1000;

/// How many of a customer's phones, of its e-mail addresses, and of the texts of one custom field are searched.
pub const SEARCHED_VALUES: usize = 64;

/// Typos are looked for in words and texts as people write them; in longer ones only what is spelled right is found.
pub const TYPOS_UP_TO: usize = 64;

/// Words from this length are kept without one of their letters too.
pub const LEFT_FROM: usize = 4;

/// Words from this length are kept by their ends, shorter ones whole.
pub const LONG_FROM: usize = 8;

/// The letters at the beginning and at the end of a longer word by which it is kept.
pub const FIRST: usize = 4;
pub const LAST: usize = 3;

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
    FirstLetter,
    FirstTwo,
    NameStart,
    Option,
    WholeWord,
    Left,
    Ends,
    WholeName,
    LastFour,
    LastEight,
    ShortNumber,
    Address,
}

/// What every customer has. Custom fields go by the name that their values are stored under.
pub const ROW: &str = "row";
pub const NAME: &str = "name";
/// The name and the e-mail addresses, which are seen by the same sessions and mostly have the same parts.
pub const TEXT: &str = "text";
pub const PHONES: &str = "phones";
pub const EMAILS: &str = "emails";

/// Makes the keys of one field of one owner.
#[derive(Clone)]
pub struct Keys {
    hasher: SipHasher13,
    /// What all keys of the owner begin with.
    owner: u64,
}

/// The bits of a key of [`Of::Ends`] that tell which word it is, and of what length.
const WORD_MASK: i64 = (1 << 22) - 1;
const LENGTH_MASK: i64 = 0xf << 22;

fn length_mark(length: usize) -> i64 {
    (length.saturating_sub(LONG_FROM).min(15) as i64) << 22
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

/// The mark of the word of such a key.
pub fn mark_of(ends: i64) -> i64 {
    ends & (WORD_MASK | LENGTH_MASK)
}

/// Bits of a key that are of the owner alone, and of what kind it is; the others are of all that it stands for.
const OWNER_BITS: u32 = 16;
const KIND_BITS: u32 = 4;

impl Keys {
    pub fn of(owner: &[u8; 16], field: &str) -> Keys {
        let mut hasher = SipHasher13::new_with_key(b"ringfence search");
        hasher.write(owner);
        let all_of_owner = hasher.finish() >> (u64::BITS - OWNER_BITS) << (u64::BITS - OWNER_BITS);
        hasher.write(field.as_bytes());
        // No name of a field continues another's.
        hasher.write(&[0]);
        Keys { hasher, owner: all_of_owner }
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

    /// A longer word, by something of its ends: who looks for that finds, side by side, each word that has it.
    pub fn ends(&self, ends: &[char], word: &[char]) -> i64 {
        self.end_of_words(ends) | self.mark(word)
    }

    /// The first key and the last of the words of these lengths that have something of their ends.
    pub fn ends_of(&self, ends: &[char], lengths: RangeInclusive<usize>) -> (i64, i64) {
        let all = self.end_of_words(ends);
        (all | length_mark(*lengths.start()), all | length_mark(*lengths.end()) | WORD_MASK)
    }

    /// What tells a longer word from others that have the same of their ends: its length, and 22 bits of its hash. Of two words that one
    /// owner's customers have, and that come into question for the same misspelt one, one in four million is taken for the other.
    pub fn mark(&self, word: &[char]) -> i64 {
        length_mark(word.len()) | self.letters(Of::Ends, word) & WORD_MASK
    }

    fn end_of_words(&self, ends: &[char]) -> i64 {
        self.letters(Of::Ends, ends) & !(WORD_MASK | LENGTH_MASK)
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
        let beginning = self.owner | u64::from(of as u8) << (u64::BITS - OWNER_BITS - KIND_BITS);
        (beginning | hasher.finish() >> (OWNER_BITS + KIND_BITS)) as i64
    }
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

/// The beginning and the end of a longer word.
pub fn ends(word: &[char]) -> (&[char], &[char]) {
    let last = word.len().saturating_sub(LAST);
    (word.get(..FIRST).unwrap_or_default(), word.get(last..).unwrap_or_default())
}

/// What is left of the ends of a longer word by a typo in one of them. One between them leaves both.
pub fn ends_left(word: &[char]) -> impl Iterator<Item = Vec<char>> {
    let (first, last) = ends(word);
    let in_first = without_one(first).map(move |left| [&left, last].concat());
    in_first.chain(without_one(last).map(move |left| [first, &left].concat()))
}

/// The keys by which a longer word is found with a typo.
pub fn end_keys(keys: &Keys, word: &[char]) -> impl Iterator<Item = i64> {
    ends_left(word).map(|ends| keys.ends(&ends, word))
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

/// The words of a name in an order that does not depend on theirs.
pub fn sorted_words(folded: &str) -> String {
    let mut list: Vec<&str> = words(folded).collect();
    list.sort_unstable();
    list.join(" ")
}

/// The last `count` digits of a phone number in normal form.
pub fn last_digits(phone: &str, count: usize) -> Option<&str> {
    let digits = phone.trim_start_matches('+');
    digits.len().checked_sub(count).and_then(|start| digits.get(start..))
}

/// The first day and the last, since 2000-01-01, that the index tells apart: those before and after count as these, and who sorts goes by
/// the customers themselves.
pub const FIRST_DAY: i32 = 0;
pub const LAST_DAY: i32 = 32_767;

/// The key of those who were last active on that day; None: of those who never were. The later the day, the earlier comes its key.
pub fn active(row: &Keys, day: Option<i32>) -> i64 {
    row.numbered(Of::Active, day.map_or(u16::MAX, |day| (LAST_DAY - day.clamp(FIRST_DAY, LAST_DAY)) as u16))
}

/// The day of such a key.
pub fn day_of(active: i64) -> i32 {
    LAST_DAY - i32::from(active as u16)
}

/// Whether a word of a value is one of the many that are hardly ever the same, and hardly ever a part of another: a long number, of a
/// contract or a device. It is found by its parts alone.
pub fn is_number(word: &str) -> bool {
    word.chars().nth(LONGEST_NUMBER).is_some() && word.bytes().any(|byte| byte.is_ascii_digit())
}

/// Letters of a word with digits that is kept whole.
const LONGEST_NUMBER: usize = 6;

fn add_text(keys: &Keys, folded: &str, into: &mut Vec<i64>) {
    for word in words(folded) {
        let word: Vec<char> = word.chars().collect();
        into.extend(parts(&word).map(|(of, letters)| keys.letters(of, letters)));
    }
}

/// What of a customer is searched, as it is stored.
pub struct Customer<'a, P, E, V> {
    pub owner: [u8; 16],
    pub name: &'a str,
    pub normal_phones: P,
    pub normal_emails: E,
    /// Texts of custom fields, with the name that the field's values are stored under, at most [`SEARCHED_VALUES`] of a field.
    /// Those of names that end with [`OPTIONS`] are ids of options.
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
        impl Iterator<Item = (&'a str, String)>,
    >,
) -> Vec<i64> {
    let mut all = Vec::with_capacity(128);
    let row = Keys::of(&customer.owner, ROW);
    // The least day that PostgreSQL has means never.
    all.push(active(&row, Some(customer.active_on).filter(|day| *day != i32::MIN)));
    let text = Keys::of(&customer.owner, TEXT);
    let name = fold(beginning(customer.name));
    add_text(&text, &name, &mut all);
    add_name(&Keys::of(&customer.owner, NAME), &name, &mut all);

    let keys = Keys::of(&customer.owner, PHONES);
    for phone in customer.normal_phones.take(SEARCHED_VALUES) {
        match (last_digits(phone, 4), last_digits(phone, 8)) {
            (Some(four), eight) => {
                all.push(keys.bytes(Of::LastFour, four.as_bytes()));
                all.extend(eight.map(|eight| keys.bytes(Of::LastEight, eight.as_bytes())));
            }
            (None, _) => all.push(keys.bytes(Of::ShortNumber, phone.as_bytes())),
        }
    }

    let keys = Keys::of(&customer.owner, EMAILS);
    for email in customer.normal_emails.take(SEARCHED_VALUES) {
        all.push(keys.bytes(Of::Address, email.as_bytes()));
        add_text(&text, &fold(beginning(email)), &mut all);
    }

    for (field, text) in customer.values {
        let keys = Keys::of(&customer.owner, field);
        if field.ends_with(OPTIONS) {
            all.push(keys.bytes(Of::Option, text.as_bytes()));
            continue;
        }
        let folded = fold(beginning(&text));
        add_text(&keys, &folded, &mut all);
        all.extend(
            words(&folded).filter(|word| !is_number(word)).map(|word| keys.bytes(Of::WholeWord, word.as_bytes())),
        );
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
            active_on: i32::MIN,
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
        assert_eq!(computed, [3018042965976831581, 3018014327053848088, 3017979619377634519, -2705489055513964494]);
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
            values: [("field", long.clone())].into_iter(),
            active_on: i32::MIN,
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
