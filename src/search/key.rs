//! Keys: what the search index holds of a customer. Each is a hash of (owner, field, what of the text), 64 bits, so that
//! owners and fields share no posting list, and a query that has no key of a field cannot meet its values.
//!
//! | key | of | for |
//! |---|---|---|
//! | pairs and single characters | names, e-mails and values in scripts that write a syllable or a word by a character | any part of a word |
//! | three letters in a row | the same in other scripts | any part of a word, from three letters |
//! | first letter, first two | each word of a name; short words of a value | queries of one or two letters |
//! | the word | words of a name up to 3 letters, and short words of a value | whole words; typos |
//! | the word, and the word without one of its letters | words of a name of 4 to 7 letters | whole words; typos |
//! | three of the first four letters with the last three, the first four with two of the last three | longer words of a name | typos |
//! | first three letters of the name, its sorted words | names | beginning of the name, whole name |
//! | last 4 and last 8 digits | phone numbers | endings, whole numbers |
//! | the whole address | e-mail addresses | whole addresses |
//! | an option | fields of a choice | queries that name it, whatever it is called by then |
//! | the day, and the 8, 64, 512 and 4096 days that it is one of | the last activity | going from the most recent back, where a query finds many |
//! | one of 4, of 16, ... of 4096 | some customers | estimating how many a query finds, from a sample |
//!
//! Typos are found by what is left of a word without a letter (deletion neighbourhoods: Mor and Fraenkel 1982, SymSpell): two words
//! are one edit apart only if they are alike once each lacks one letter, or none.
//!
//! The hash is SipHash-1-3 with a fixed key, the same on every platform and in every version, because it is kept in an
//! index. Its key is no secret and need not be: nobody can read the keys, and nobody but `ringfence.query()` can make
//! a query of them (see `value`).

use super::fold::{fold, is_spelled, one_word_per_character, words};
use siphasher::sip::SipHasher13;
use std::hash::Hasher;

/// The beginning of a text that is searched. Longer ones are notes or mistakes, and must not fill the index.
pub const SEARCHED_CHARACTERS: usize = 1000;

/// How many of a customer's phones, of its e-mail addresses, and of the texts of one custom field are searched.
pub const SEARCHED_VALUES: usize = 64;

/// Typos are looked for in words and texts as people write them; in longer ones only what is spelled right is found.
pub const TYPOS_UP_TO: usize = 64;

/// Words from this length are kept without one of their letters too. What is left of them is not taken for a short word.
pub const LEFT_FROM: usize = 4;

/// Words from this length are kept by their ends, shorter ones whole.
pub const LONG_FROM: usize = 8;

/// The letters at the beginning and at the end of a longer word by which it is kept.
const FIRST: usize = 4;
const LAST: usize = 3;

/// Samples: of level n one customer in 4 to the power of n.
pub const SAMPLE_LEVELS: u32 = 6;

/// Under which name, after that of its field, the options of a choice are kept.
pub const OPTIONS: &str = "#";

/// What of a text a key stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Of {
    Character = b'1',
    Pair = b'2',
    Three = b'3',
    FirstLetter = b'a',
    FirstTwo = b'b',
    ShortWord = b's',
    Word = b'w',
    Ends = b'<',
    NameStart = b'^',
    WholeName = b'=',
    LastFour = b'4',
    LastEight = b'8',
    ShortNumber = b'n',
    Address = b'@',
    Option = b'o',
    Active = b't',
    Sample = b'#',
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
pub struct Keys(SipHasher13);

impl Keys {
    pub fn of(owner: &[u8; 16], field: &str) -> Keys {
        let mut hasher = SipHasher13::new_with_key(b"ringfence search");
        hasher.write(owner);
        hasher.write(field.as_bytes());
        // No name of a field continues another's.
        hasher.write(&[0]);
        Keys(hasher)
    }

    pub fn bytes(&self, of: Of, bytes: &[u8]) -> i64 {
        let mut hasher = self.0;
        hasher.write(&[of as u8]);
        hasher.write(bytes);
        hasher.finish() as i64
    }

    pub fn letters(&self, of: Of, letters: &[char]) -> i64 {
        let mut hasher = self.0;
        hasher.write(&[of as u8]);
        for letter in letters {
            let mut buffer = [0; 4];
            hasher.write(letter.encode_utf8(&mut buffer).as_bytes());
        }
        hasher.finish() as i64
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

/// What is left of some letters without one of them.
pub fn without_one(word: &[char]) -> impl Iterator<Item = Vec<char>> {
    let without = |n: usize| word.iter().enumerate().filter(move |(m, _)| *m != n).map(|(_, letter)| *letter).collect();
    // Of two equal letters side by side it does not matter which one goes.
    (0..word.len()).filter(move |n| *n == 0 || word[*n] != word[*n - 1]).map(without)
}

/// The beginning and the end of a longer word.
pub fn ends(word: &[char]) -> (&[char], &[char]) {
    let last = word.len().saturating_sub(LAST);
    (word.get(..FIRST).unwrap_or_default(), word.get(last..).unwrap_or_default())
}

/// What is left of the ends of a longer word by a typo in one of them. One between them leaves both.
fn ends_left(word: &[char]) -> impl Iterator<Item = Vec<char>> {
    let (first, last) = ends(word);
    let in_first = without_one(first).map(move |left| [&left, last].concat());
    in_first.chain(without_one(last).map(move |left| [first, &left].concat()))
}

/// The keys by which a longer word is found with a typo.
pub fn end_keys(keys: &Keys, word: &[char]) -> impl Iterator<Item = i64> {
    ends_left(word).map(|ends| keys.letters(Of::Ends, &ends))
}

/// Whether typos are looked for in such a word.
pub fn takes_typos(word: &[char]) -> bool {
    word.len() <= TYPOS_UP_TO + 2 && word.iter().any(|letter| is_spelled(*letter))
}

/// By what the beginning of a name is found: its first three letters, or its first character. None if the first word is
/// shorter.
pub fn name_start(first_word: &[char]) -> Option<&[char]> {
    if first_word.first().is_some_and(|letter| one_word_per_character(*letter)) {
        return first_word.get(..1);
    }
    first_word.get(..3)
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

/// A time of last activity, as the index holds it: days since 2000-01-01 and what they are part of. Days before, and those after
/// the last, are the first and the last of them; the index does not tell them apart, who sorts does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Period {
    /// 8 to the power of the level days, and which of them.
    Days {
        level: u8,
        number: i32,
    },
    Never,
}

pub const FIRST_DAY: i32 = 0;
pub const LAST_DAY: i32 = 8 * 8 * 8 * 8 * 8 - 1;

/// The level of the longest periods, of which there are eight.
pub const LONGEST: u8 = 4;

impl Period {
    /// The period of that level that a day is in.
    pub fn around(day: i32, level: u8) -> Period {
        Period::Days { level, number: day >> (3 * level) }
    }

    /// The periods of a day as PostgreSQL counts them, of which the least means never.
    fn of(day: i32) -> impl Iterator<Item = Period> {
        let active = day != i32::MIN;
        let day = day.clamp(FIRST_DAY, LAST_DAY);
        let never = (!active).then_some(Period::Never);
        (0..=LONGEST).filter(move |_| active).map(move |level| Period::around(day, level)).chain(never)
    }

    pub fn key(self, row: &Keys) -> i64 {
        let (level, number) = match self {
            Period::Days { level, number } => (level, number),
            Period::Never => (u8::MAX, 0),
        };
        let mut bytes = [level, 0, 0, 0, 0];
        bytes[1..].copy_from_slice(&number.to_be_bytes());
        row.bytes(Of::Active, &bytes)
    }
}

/// The samples that a customer is in: by its id, so that it stays there. Who is in one is in those of lower levels.
fn samples(row: &Keys, id: &[u8; 16]) -> impl Iterator<Item = i64> {
    let level = (row.bytes(Of::Sample, id).trailing_zeros() / 2).min(SAMPLE_LEVELS);
    (1..=level).map(|level| sample(row, level))
}

/// The key of a sample.
pub fn sample(row: &Keys, level: u32) -> i64 {
    row.bytes(Of::Sample, &[level as u8])
}

fn add_text(keys: &Keys, folded: &str, into: &mut Vec<i64>) {
    for word in words(folded) {
        let word: Vec<char> = word.chars().collect();
        into.extend(parts(&word).map(|(of, letters)| keys.letters(of, letters)));
    }
}

/// What of a customer is searched, as it is stored.
pub struct Customer<'a, P, E, V> {
    pub owner: [u8; 16],
    pub id: [u8; 16],
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
    all.extend(samples(&row, &customer.id));
    all.extend(Period::of(customer.active_on).map(|period| period.key(&row)));
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
        let short = words(&folded).filter(|word| word.chars().nth(2).is_none());
        all.extend(short.map(|word| keys.bytes(Of::ShortWord, word.as_bytes())));
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
            all.extend(name_start(&word).map(|letters| keys.letters(Of::NameStart, letters)));
        }
        if !takes_typos(&word) {
            continue;
        }
        if word.len() >= LONG_FROM {
            all.extend(end_keys(keys, &word));
            continue;
        }
        if word.len() < LEFT_FROM {
            all.push(keys.letters(Of::ShortWord, &word));
            continue;
        }
        all.push(keys.letters(Of::Word, &word));
        all.extend(without_one(&word).map(|letters| keys.letters(Of::Word, &letters)));
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
            id: [1; 16],
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
        let sum = name_keys(7, "Łukasz D'Angelo").iter().fold(0, |sum: i64, key| sum.wrapping_add(*key));
        let day = Period::around(9000, 0).key(&Keys::of(&[7; 16], ROW));
        let computed = [keys.bytes(Of::Three, "tsa".as_bytes()), keys.bytes(Of::Pair, "美玲".as_bytes()), day, sum];
        assert_eq!(computed, [-7555511768584970531, -9115694314170000806, -2265255834683709163, 8263745537743007192]);
    }

    /// None of them is stored, but whoever calls `ringfence.search_keys()` can give them.
    #[test]
    fn of_long_texts_the_beginning_counts() {
        let long: String = (0..100_000).map(|n| format!("{n:x}")).collect();
        let keys = of_customer(Customer {
            owner: [1; 16],
            id: [1; 16],
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
    fn every_day_has_its_periods() {
        let periods = |day| Period::of(day).collect::<Vec<_>>();
        assert_eq!(periods(i32::MIN), [Period::Never]);
        let numbers = [9821, 1227, 153, 19, 2];
        let expected = numbers.into_iter().zip(0..).map(|(number, level)| Period::Days { level, number });
        assert!(periods(9821).into_iter().eq(expected));
        assert_eq!(periods(-5), periods(0));
        assert_eq!(periods(i32::MAX), periods(LAST_DAY));
    }

    #[test]
    fn samples_are_as_large_as_they_say() {
        let row = Keys::of(&[3; 16], ROW);
        let count = |level| {
            let key = sample(&row, level);
            (0..1 << 16).filter(|n: &u128| samples(&row, &n.to_be_bytes()).any(|held| held == key)).count()
        };
        for level in 1..=SAMPLE_LEVELS {
            let expected = (1 << 16) >> (2 * level);
            assert!(count(level).abs_diff(expected) <= 8 + expected / 8, "{level}: {}", count(level));
        }
    }
}
