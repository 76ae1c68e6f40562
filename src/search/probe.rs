//! Probes: what a query looks for in the index. A probe is an expression over keys, and finds every customer that the
//! query finds, and sometimes one more; [`super::query`] then judges the customer itself.

use super::fold::fold;
use super::form::Form;
use super::key::{self, Keys, LEFT_FROM, LONG_FROM, OPTIONS, Of, WithEnd};
use super::query::{Query, Tier, Word};
use crate::field::VisibleField;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::ops::RangeInclusive;

/// Words of a query that the index is asked for, and for an owner with very many searchable fields how many times one of them. Whoever
/// types more is found by these, and judged by all.
const PROBED_WORDS: usize = 8;
const PROBED_WORDS_AND_FIELDS: usize = 400;

/// Of how many parts of a word the index is asked. Any number finds all that match; the more, the less finds it beside them.
const PARTS: usize = 16;

/// Digits at the end of a long number that it is looked for by besides.
const LAST_DIGITS: usize = 5;

/// Of how many terms of which any will do each is taken once. More are of one word with typos, and differ.
const COMPARED: usize = 16;

/// An expression over keys.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Term {
    Key(i64),
    /// Any key from the first to the second.
    Range(i64, i64),
    All(Vec<Term>),
    /// With no members it finds nothing.
    Any(Vec<Term>),
}

impl Term {
    pub const NOTHING: Term = Term::Any(Vec::new());

    /// Any longer word with one of these ends.
    pub fn with_ends(ends: &[WithEnd]) -> Term {
        any(ends.iter().map(|end| end.range()).map(|(first, last)| Term::Range(first, last)).collect())
    }

    pub fn is_nothing(&self) -> bool {
        matches!(self, Term::Any(members) if members.is_empty())
    }

    pub fn and(self, other: Term) -> Term {
        all(vec![self, other])
    }

    pub fn or(self, other: Term) -> Term {
        any(vec![self, other])
    }
}

/// All of the terms; nothing if there is none, since a query without anything to look for finds nothing.
fn all(mut terms: Vec<Term>) -> Term {
    match terms.len() {
        0 => Term::NOTHING,
        1 => terms.pop().unwrap_or(Term::NOTHING),
        _ if terms.iter().any(Term::is_nothing) => Term::NOTHING,
        _ => Term::All(terms),
    }
}

pub fn any(terms: Vec<Term>) -> Term {
    let mut distinct = Vec::with_capacity(terms.len());
    // A phone number that is typed as it is kept is looked for as a number, as digits, and as a word.
    let mut add = |term: Term| {
        if distinct.len() > COMPARED || !distinct.contains(&term) {
            distinct.push(term);
        }
    };
    for term in terms {
        match term {
            Term::Any(members) => members.into_iter().for_each(&mut add),
            term => add(term),
        }
    }
    match distinct.len() {
        1 => distinct.pop().unwrap_or(Term::NOTHING),
        _ => Term::Any(distinct),
    }
}

/// A custom field that a probe looks into.
struct Custom {
    texts: Keys,
    /// The options of a choice: their ids, and their names folded.
    options: Vec<(i32, String)>,
    choices: Keys,
    /// The values in normal form.
    formed: Option<(Form, Keys)>,
}

/// The fields that a probe looks into.
pub struct Fields {
    text: Keys,
    name: Keys,
    joined: Keys,
    phones: Keys,
    emails: Keys,
    row: Keys,
    custom: Vec<Custom>,
}

impl Fields {
    /// Of an owner: the system fields, and these custom fields.
    pub fn of<'a>(owner: &[u8; 16], custom: impl Iterator<Item = &'a VisibleField>) -> Fields {
        let custom = custom.map(|field| Custom {
            texts: Keys::of(owner, &field.key),
            options: field
                .options
                .iter()
                .flat_map(|options| options.all())
                .map(|(id, name)| (id, fold(name)))
                .collect(),
            choices: Keys::of(owner, &format!("{}{OPTIONS}", field.key)),
            formed: Form::of(field.kind).map(|form| (form, Keys::of(owner, &form.name(&field.key)))),
        });
        Fields {
            text: Keys::of(owner, key::TEXT),
            name: Keys::of(owner, key::NAME),
            joined: Keys::of(owner, key::JOINED),
            phones: Keys::of(owner, key::PHONES),
            emails: Keys::of(owner, key::EMAILS),
            row: Keys::of(owner, key::ROW),
            custom: custom.collect(),
        }
    }

    /// The customers with a number that ends so, in normal form or digits, also as the value of a field.
    fn phone_ending(&self, digits: &str) -> Term {
        let endings =
            std::iter::once(&self.phones).chain(self.formed(Form::Phone)).map(|keys| match keys.number_end(digits) {
                (first, last) if first == last => Term::Key(first),
                (first, last) => Term::Range(first, last),
            });
        any(endings.collect())
    }

    /// The keys of the fields whose values have that form.
    fn formed(&self, wanted: Form) -> impl Iterator<Item = &Keys> {
        let formed = self.custom.iter().filter_map(|field| field.formed.as_ref());
        formed.filter(move |(form, _)| *form == wanted).map(|(_, keys)| keys)
    }

    /// The customers with that phone, also as the value of a field.
    fn phone_anywhere(&self, normal: &str) -> Term {
        let keys = std::iter::once(&self.phones).chain(self.formed(Form::Phone));
        any(keys.map(|keys| Term::Key(keys.phone(normal))).collect())
    }

    /// The customers with that address, also as the value of a field.
    fn email_anywhere(&self, normal: &str) -> Term {
        let fields = self.formed(Form::Email).map(|keys| Term::Key(keys.address(normal)));
        any(std::iter::once(self.email(normal)).chain(fields).collect())
    }

    /// The customers with a number or a date that the query may be.
    fn with_value(&self, query: &Query) -> Term {
        let values = |keys: &Keys| {
            query.values.iter().map(|value| Term::Key(keys.bytes(Of::Option, value.as_bytes()))).collect::<Vec<_>>()
        };
        any(self.formed(Form::Value).flat_map(values).collect())
    }

    /// The customers with one of these phones, in normal form or digits, and of long ones those that end alike.
    pub fn phones<'a>(&self, forms: impl Iterator<Item = &'a str>) -> Term {
        any(forms.map(|form| Term::Key(self.phones.phone(form))).collect())
    }

    /// The customers with that address, in normal form.
    pub fn email(&self, normal: &str) -> Term {
        Term::Key(self.emails.address(normal))
    }

    /// The customers that the query finds without typos.
    pub fn matching(&self, query: &Query) -> Term {
        // Who has it as part of an e-mail address has all of its words, unless one is too short to be looked for inside of others: then what
        // joins them is looked for.
        let whole =
            if query.words.iter().all(|word| word.anywhere) { self.exact(query) } else { self.as_a_whole(query) };
        let ending = query.digits.as_deref().map_or(Term::NOTHING, |digits| self.phone_ending(digits));
        any(vec![whole, ending, self.with_value(query), self.each_word(query, |word| self.word(word))])
    }

    /// The customers that the query finds in that way, and some others. `long`: the longer words of names that may be a misspelt one.
    pub fn in_tier(&self, query: &Query, tier: Tier, long: impl Fn(&Word) -> Term) -> Term {
        match tier {
            Tier::Exact => self.exact(query),
            Tier::WholeName => {
                let name = key::sorted_words(&query.folded);
                Term::Key(self.name.bytes(Of::WholeName, name.as_bytes()))
            }
            Tier::Prefix => self.beginning_of_name(&query.words),
            Tier::Word => self.each_word(query, |word| self.whole_word(word)).or(self.with_value(query)),
            Tier::Substring => self.matching(query),
            Tier::Typo | Tier::TwoTypos => self.misspelt(query, tier.typos(), long),
        }
    }

    /// The customers with as many typos in a word; of a query of several words, others too.
    fn misspelt(&self, query: &Query, typos: usize, long: impl Fn(&Word) -> Term) -> Term {
        let misspelt = |word: &Word| match typos.min(word.typos) {
            0 => Term::NOTHING,
            typos => short_misspelt(&self.name, &word.letters, typos).or(long(word)),
        };
        match &query.words[..] {
            _ if !query.takes_typos(typos) => Term::NOTHING,
            [word] => misspelt(word),
            _ => self.each_word(query, |word| self.word(word).or(misspelt(word))),
        }
    }

    /// What of their ends those longer words have, and others, that are one with as many typos.
    pub fn ends_misspelt(&self, letters: &[char], typos: usize) -> Vec<WithEnd> {
        key::ends_misspelt(letters, typos).iter().map(|end| self.name.with_end(end)).collect()
    }

    /// The keys of a longer word of a name.
    pub fn keys_of_long(&self, word: &str) -> Vec<i64> {
        key::end_keys(&self.name, &word.chars().collect::<Vec<_>>()).collect()
    }

    /// The words as the first ones of the name, the last of them perhaps not whole.
    fn beginning_of_name(&self, words: &[Word]) -> Term {
        let (Some((last, before)), Some(first)) = (words.split_last(), words.first()) else {
            return Term::NOTHING;
        };
        let start = self.name.starts(&first.letters, !before.is_empty()).map(|(first, last)| Term::Range(first, last));
        let before = before.iter().take(PROBED_WORDS).map(|word| self.word_of_name(word));
        all(start.into_iter().chain(before).chain([self.in_text(last)]).collect())
    }

    /// The customers that were last active on one of these days.
    pub fn active(&self, days: RangeInclusive<i32>) -> Term {
        Term::Range(self.active_on(*days.end()), self.active_on(*days.start()))
    }

    /// The key of those who were last active on that day.
    pub fn active_on(&self, day: i32) -> i64 {
        key::active(&self.row, Some(day))
    }

    /// The customers that never were active.
    pub fn never_active(&self) -> Term {
        Term::Key(key::active(&self.row, None))
    }

    /// By a phone number, or an e-mail address or a part of one.
    fn as_a_whole(&self, query: &Query) -> Term {
        let email_part = query.email_part.as_deref().map_or(Term::NOTHING, |part| self.part_of_email(part, query));
        self.exact(query).or(email_part)
    }

    /// Those who have all that the part of an address consists of: its longer words, and what joins them.
    fn part_of_email(&self, part: &str, query: &Query) -> Term {
        let letters: Vec<char> = part.chars().collect();
        let part_of = |joined: &Keys, texts: &Keys| {
            let joints: Vec<i64> = key::joints(&letters).map(|three| joined.letters(Of::Three, three)).collect();
            let words = self.probed_words(query).into_iter().filter(|word| word.anywhere);
            all(some_of(&joints).chain(words.map(|word| contains(texts, &word.letters))).collect())
        };
        let in_fields = self.custom.iter().filter_map(|field| match &field.formed {
            Some((Form::Email, keys)) => Some(part_of(keys, &field.texts)),
            _ => None,
        });
        any(std::iter::once(part_of(&self.text, &self.text)).chain(in_fields).collect())
    }

    /// By a phone number or an e-mail address.
    fn exact(&self, query: &Query) -> Term {
        let phones = query.phones.iter().chain(&query.digits).map(|phone| self.phone_anywhere(phone));
        let email = query.email.as_deref().map(|email| self.email_anywhere(email));
        any(phones.chain(email).collect())
    }

    fn each_word(&self, query: &Query, find: impl Fn(&Word) -> Term) -> Term {
        all(self.probed_words(query).into_iter().map(find).collect())
    }

    /// The words of a query that the index is asked for: the longest.
    pub fn probed_words<'q>(&self, query: &'q Query) -> Vec<&'q Word> {
        let mut words: Vec<&Word> = query.words.iter().collect();
        words.sort_by_key(|word| std::cmp::Reverse(word.letters.len()));
        words.truncate((PROBED_WORDS_AND_FIELDS / (1 + self.custom.len())).clamp(1, PROBED_WORDS));
        words
    }

    /// A word in the name or an e-mail address; one too short for that at the beginning of a word of the name, or as one.
    fn in_text(&self, word: &Word) -> Term {
        match word.letters.len() {
            _ if word.anywhere => contains(&self.text, &word.letters),
            _ if word.whole_only => self.word_of_name(word),
            1 => Term::Key(self.name.letters(Of::FirstLetter, &word.letters)),
            _ => Term::Key(self.name.letters(Of::FirstTwo, &word.letters)),
        }
    }

    /// A word in any of the fields.
    fn word(&self, word: &Word) -> Term {
        let mut terms = vec![self.in_text(word)];
        terms.extend(word.anywhere.then(|| Term::Key(self.joined.letters(Of::WholeWord, &word.letters))));
        terms.extend(word.digits.as_deref().map(|digits| self.phone_ending(digits)));
        terms.extend(word.phones.iter().map(|phone| self.phone_anywhere(phone)));
        terms.extend(self.custom.iter().map(|field| field.word(word)));
        any(terms)
    }

    /// A word as a whole word of the name or of a custom field.
    fn whole_word(&self, word: &Word) -> Term {
        let in_values = self.custom.iter().map(|field| field.whole_word(word));
        any(std::iter::once(self.word_of_name(word)).chain(in_values).collect())
    }

    fn word_of_name(&self, word: &Word) -> Term {
        if word.letters.len() < LONG_FROM {
            Term::Key(self.name.letters(Of::WholeWord, &word.letters))
        } else if !key::takes_typos(&word.letters) {
            self.in_text(word)
        } else {
            // Any of its keys says it.
            any(key::end_keys(&self.name, &word.letters).take(1).map(Term::Key).collect())
        }
    }
}

impl Custom {
    fn word(&self, word: &Word) -> Term {
        if !self.options.is_empty() {
            self.option(|name| word.find_in_value(name).is_some())
        } else if word.anywhere {
            contains(&self.texts, &word.letters)
        } else {
            self.whole_word(word)
        }
    }

    fn whole_word(&self, word: &Word) -> Term {
        if !self.options.is_empty() {
            return self.option(|name| word.find_in_value(name) == Some(Tier::Word));
        }
        if key::is_code(&word.text) {
            return contains(&self.texts, &word.letters);
        }
        Term::Key(self.texts.letters(Of::WholeWord, &word.letters))
    }

    /// Who has an option with such a name.
    fn option(&self, is_it: impl Fn(&str) -> bool) -> Term {
        let named = self.options.iter().filter(|(_, name)| is_it(name));
        any(named.map(|(id, _)| Term::Key(self.choices.bytes(Of::Option, id.to_string().as_bytes()))).collect())
    }
}

/// A word that is long enough for it inside of the words of a field.
fn contains(keys: &Keys, word: &[char]) -> Term {
    let parts = if word.iter().all(char::is_ascii_digit) {
        parts_of_number(keys, word)
    } else {
        let mut parts = key::fours(keys, word);
        parts.extend(parts_of(keys, word));
        parts
    };
    all(some_of(&parts).collect())
}

/// Of very many keys some from everywhere.
fn some_of(keys: &[i64]) -> impl Iterator<Item = Term> {
    let count = keys.len().min(PARTS);
    let some = (0..count).filter_map(move |n| keys.get(n * (keys.len() - 1) / (count - 1).max(1)));
    some.copied().map(Term::Key)
}

fn parts_of<'k>(keys: &'k Keys, word: &'k [char]) -> impl Iterator<Item = i64> + 'k {
    // A pair says all that its characters do.
    let alone = word.len() == 1;
    key::parts(word).filter(move |(of, _)| alone || *of != Of::Character).map(|(of, letters)| keys.letters(of, letters))
}

/// A number inside of others. Two fours of a long one that share no digit leave few others, and each more is a page to be read. From its end, since
/// numbers that are given out in turn begin alike. One that has no such two is looked for by all that it has; by one, and by how it ends.
fn parts_of_number(keys: &Keys, number: &[char]) -> Vec<i64> {
    let fours = key::fours_of_number(keys, number);
    match &fours[..] {
        [] => parts_of(keys, number).collect(),
        [only] => {
            let end = number.get(number.len() - LAST_DIGITS..).unwrap_or_default();
            std::iter::once(only.key).chain(parts_of(keys, end)).collect()
        }
        [before @ .., last] => match before.iter().rev().find(|four| !four.shares_digits_with(last)) {
            Some(other) => vec![last.key, other.key],
            None => fours.iter().map(|four| four.key).collect(),
        },
    }
}

/// The words of a name that are kept whole and differ from this one by one edit, or as many. Exactly these for one; for two, one that
/// is missing in them and one more.
fn short_misspelt(keys: &Keys, letters: &[char], typos: usize) -> Term {
    let mut terms = Vec::new();
    add_one_typo_away(keys, letters, &mut terms);
    if typos > 1 {
        key::without_one(letters).for_each(|letters| add_one_typo_away(keys, &letters, &mut terms));
    }
    any(terms)
}

fn add_one_typo_away(keys: &Keys, letters: &[char], terms: &mut Vec<Term>) {
    let length = letters.len();
    let is_kept = |length: usize| (LEFT_FROM..LONG_FROM).contains(&length);
    let whole = |letters: &[char]| Term::Key(keys.letters(Of::WholeWord, letters));
    if length <= LONG_FROM {
        terms.extend(key::without_one(letters).map(|letters| whole(&letters)));
    }
    if is_kept(length) {
        terms.extend((1..length).map(|place| whole(&swapped(letters, place))));
        terms.extend((0..length).map(|place| Term::Key(keys.left(&key::without(letters, place), length, place))));
    }
    if is_kept(length + 1) {
        terms.extend((0..=length).map(|place| Term::Key(keys.left(letters, length + 1, place))));
    }
}

fn swapped(letters: &[char], n: usize) -> Vec<char> {
    let mut other = letters.to_vec();
    if n < other.len() && n > 0 {
        other.swap(n - 1, n);
    }
    other
}

/// A term in the form that the index is asked with: the keys, each once, and the expression over their numbers.
///
/// The expression is written in prefix form, in units of four bytes: a key as its number; `RANGE` and the numbers of two keys; `ALL` or
/// `ANY`, then how many units belong to it.
pub struct Flat {
    pub keys: Vec<i64>,
    pub code: Vec<Unit>,
}

pub type Unit = [u8; 4];
const ALL: Unit = [0xff; 4];
const ANY: Unit = [0xfe; 4];
const RANGE: Unit = [0xfd; 4];

impl Flat {
    pub fn of(term: &Term) -> Flat {
        let mut flat = Flat { keys: Vec::with_capacity(KEYS_OF_MOST), code: Vec::with_capacity(2 * KEYS_OF_MOST) };
        let mut numbers = Numbers::with_capacity_and_hasher(KEYS_OF_MOST, BuildHasherDefault::default());
        flat.add(term, &mut numbers);
        flat
    }

    fn add(&mut self, term: &Term, numbers: &mut Numbers) {
        let (operator, members) = match term {
            Term::Key(key) => {
                let number = self.number(*key, numbers);
                self.code.push(number);
                return;
            }
            Term::Range(first, last) => {
                let ends = [RANGE, self.number(*first, numbers), self.number(*last, numbers)];
                self.code.extend(ends);
                return;
            }
            Term::All(members) => (ALL, members),
            Term::Any(members) => (ANY, members),
        };
        let start = self.code.len();
        self.code.extend([operator, [0; 4]]);
        for member in members {
            self.add(member, numbers);
        }
        self.code[start + 1] = ((self.code.len() - start - 2) as u32).to_le_bytes();
    }

    fn number(&mut self, key: i64, numbers: &mut Numbers) -> Unit {
        let keys = &mut self.keys;
        let number = *numbers.entry(key).or_insert_with(|| {
            keys.push(key);
            keys.len() as u32 - 1
        });
        number.to_le_bytes()
    }
}

/// So many keys has what most queries look for.
const KEYS_OF_MOST: usize = 64;

/// The numbers of keys.
type Numbers = HashMap<i64, u32, BuildHasherDefault<KeyHasher>>;

/// Keys are hashes already.
#[derive(Default)]
struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write_i64(&mut self, key: i64) {
        // The first bits are the same for all keys of an owner.
        self.0 = (key as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_i64((self.0 as i64).rotate_left(8) ^ i64::from(*byte)));
    }
}

/// What is made of an expression from the inside out: of a key, and of what was made of the members of each `ALL` and `ANY`.
pub trait Visit {
    type Node;
    type Error;

    fn key(&mut self, key: i64) -> Result<Self::Node, Self::Error>;

    fn range(&mut self, first: i64, last: i64) -> Result<Self::Node, Self::Error>;

    /// Whether nothing is found: then neither are others found that it must be among, nor does it add to others.
    fn is_nothing(node: &Self::Node) -> bool;

    /// Of several, none of which is nothing.
    fn all(nodes: Vec<Self::Node>) -> Self::Node;

    /// As above, or of none at all.
    fn any(nodes: Vec<Self::Node>) -> Self::Node;
}

/// Visits the expression at the beginning of the code. One that is damaged finds nothing.
pub fn visit<V: Visit>(
    code: &[Unit],
    key: &impl Fn(usize) -> Option<i64>,
    visitor: &mut V,
) -> Result<V::Node, V::Error> {
    match code {
        [operator @ (ALL | ANY), length, rest @ ..] => {
            let mut members = rest.get(..number(length)).unwrap_or_default();
            let is_damaged = members.is_empty();
            let mut nodes = Vec::new();
            while let Some(width) = width(members) {
                let node = visit(members, key, visitor)?;
                match (*operator == ALL, V::is_nothing(&node)) {
                    (true, true) => return Ok(node),
                    (false, true) => (),
                    (_, false) => nodes.push(node),
                }
                members = members.get(width..).unwrap_or_default();
            }
            Ok(if *operator == ALL && !is_damaged { V::all(nodes) } else { V::any(nodes) })
        }
        [RANGE, first, last, ..] => match (key(number(first)), key(number(last))) {
            (Some(first), Some(last)) => visitor.range(first, last),
            _ => Ok(V::any(Vec::new())),
        },
        [one, ..] => key(number(one)).map_or_else(|| Ok(V::any(Vec::new())), |key| visitor.key(key)),
        [] => Ok(V::any(Vec::new())),
    }
}

fn number(unit: &Unit) -> usize {
    u32::from_le_bytes(*unit) as usize
}

/// How much of the code the first expression in it takes.
fn width(code: &[Unit]) -> Option<usize> {
    match code {
        [ALL | ANY, length, ..] => Some(2 + number(length)),
        [RANGE, ..] => Some(3),
        [_, ..] => Some(1),
        [] => None,
    }
}

#[cfg(test)]
mod unit_tests {
    use super::super::fold::{fold, words};
    use super::*;
    use crate::search::key::{Customer, of_customer};
    use strsim::osa_distance;

    const OWNER: [u8; 16] = [1; 16];

    /// Whether it is found by who has these keys.
    struct Held<'a>(&'a [i64]);

    impl Visit for Held<'_> {
        type Node = bool;
        type Error = ();

        fn key(&mut self, key: i64) -> Result<bool, ()> {
            Ok(self.0.contains(&key))
        }

        fn range(&mut self, first: i64, last: i64) -> Result<bool, ()> {
            Ok(self.0.iter().any(|key| (first..=last).contains(key)))
        }

        fn is_nothing(node: &bool) -> bool {
            !node
        }

        fn all(_: Vec<bool>) -> bool {
            true
        }

        fn any(nodes: Vec<bool>) -> bool {
            !nodes.is_empty()
        }
    }

    fn is_found(code: &[Unit], keys: &[i64], held: &[i64]) -> bool {
        visit(code, &|n| keys.get(n).copied(), &mut Held(held)) == Ok(true)
    }

    fn finds(term: &Term, name: &str) -> bool {
        let keys = of_customer(Customer {
            owner: OWNER,
            name,
            normal_phones: std::iter::empty(),
            normal_emails: std::iter::empty(),
            values: std::iter::empty(),
            active_on: i32::MIN,
        });
        let flat = Flat::of(term);
        is_found(&flat.code, &flat.keys, &keys)
    }

    fn probe(query: &str, tier: Tier) -> Term {
        let fields = Fields::of(&OWNER, std::iter::empty());
        let long = |word: &Word| Term::with_ends(&fields.ends_misspelt(&word.letters, tier.typos().min(word.typos)));
        fields.in_tier(&Query::parse(query, None).expect("short"), tier, long)
    }

    /// A small generator, the same numbers in each run (Steele, Lea, Flood: SplitMix64).
    struct Random(u64);

    impl Random {
        fn below(&mut self, bound: usize) -> usize {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            ((mixed ^ (mixed >> 31)) % bound as u64) as usize
        }

        fn edit(&mut self, word: &mut Vec<char>) {
            let alphabet: Vec<char> = "abcdefghijklmnopqrstuvwxyz".chars().collect();
            let (at, letter) = (self.below(word.len()), alphabet[self.below(alphabet.len())]);
            match self.below(4) {
                0 => word[at] = letter,
                1 => word.insert(at, letter),
                2 if word.len() > 1 => drop(word.remove(at)),
                _ if at + 1 < word.len() => word.swap(at, at + 1),
                _ => word.push(letter),
            }
        }
    }

    const NAMES: [&str; 14] = [
        "Castelrossa Montebianchi Pietraboscolo",
        "Łukasz Kowalski",
        "Giulia Bianchi",
        "Müller-Lüdenscheid",
        "Oleksandr Yakovenko",
        "John Smith",
        "Tsai Mei-Ling",
        "Straße",
        "Яковенко Олена",
        "Xu Wei",
        "Maximilian Featherstonehaugh",
        "Ann Lee",
        "D'Angelo Francesca",
        "AB20240000171234X 4390420",
    ];

    #[test]
    fn a_long_number_is_looked_for_by_two_fours_from_its_end() {
        let keys = Keys::of(&[3; 16], "contract");
        let number: Vec<char> = "2024000451234".chars().collect();
        let other: Vec<char> = "9999990451234".chars().collect();
        let parts = parts_of_number(&keys, &number);
        assert_eq!(parts.len(), 2);
        let end_of_other = key::fours(&keys, &other).pop();
        assert_eq!(parts.first().copied(), end_of_other, "of the last seven digits");
        let kept = key::fours(&keys, &number);
        assert!(parts.iter().all(|part| kept.contains(part)));
    }

    #[test]
    fn finds_every_part_of_a_word() {
        for name in NAMES.into_iter().chain(["蔡美玲", "タナカ ハナコ", "김민수", "王小明 Wang", "A美x7"])
        {
            for word in words(&fold(name)) {
                let letters: Vec<char> = word.chars().collect();
                for start in 0..letters.len() {
                    for end in start + 1..=letters.len() {
                        let part: String = letters[start..end].iter().collect();
                        let word = Word::new(&part);
                        if word.anywhere || start == 0 {
                            assert!(finds(&probe(&part, Tier::Substring), name), "{part} in {name}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn finds_each_stage() {
        for name in NAMES {
            let folded = fold(name);
            assert!(finds(&probe(name, Tier::WholeName), name), "{name}");
            for tier in [Tier::Substring, Tier::Prefix, Tier::Word] {
                assert!(finds(&probe(name, tier), name), "{name} {tier:?}");
            }
            let first: Vec<char> = words(&folded).next().expect("a word").chars().collect();
            for end in 1..=first.len() {
                let beginning: String = first[..end].iter().collect();
                assert!(finds(&probe(&beginning, Tier::Prefix), name), "{beginning} {name}");
            }
            assert!(!finds(&probe("nobody", Tier::Substring), name));
        }
        assert!(finds(&probe("smith john", Tier::WholeName), "John Smith"));
        assert_eq!(probe("", Tier::Substring), Term::NOTHING);
        assert_eq!(probe("...", Tier::Typo), Term::NOTHING);
    }

    #[test]
    fn finds_every_word_with_one_typo() {
        let mut random = Random(1);
        for _ in 0..20_000 {
            let name = fold(NAMES[random.below(NAMES.len())]);
            let list: Vec<&str> = words(&name).collect();
            let original = list[random.below(list.len())];
            let mut letters: Vec<char> = original.chars().collect();
            random.edit(&mut letters);
            let typed: String = letters.iter().collect();
            if Word::new(&typed).typos > 0 && osa_distance(&typed, original) == 1 {
                assert!(finds(&probe(&typed, Tier::Typo), &name), "{typed} for {original}");
            }
        }
    }

    /// A word that is left out for its letters is further away.
    #[test]
    fn letters_tell_of_no_typo_that_is_not_there() {
        let (mut random, keys, mut near) = (Random(3), Keys::of(&OWNER, key::NAME), 0);
        let alphabets: [Vec<char>; 3] =
            [('a'..='z').collect(), ('а'..='я').collect(), "aeinorstßçاבあ0123".chars().collect()];
        for _ in 0..20_000 {
            let alphabet = &alphabets[random.below(alphabets.len())];
            let mut word: Vec<char> =
                (0..LONG_FROM + random.below(58)).map(|_| alphabet[random.below(alphabet.len())]).collect();
            let original: String = word.iter().collect();
            let stored = key::end_keys(&keys, &word).next().expect("a key");
            // The first of its beginnings lacks the first letter.
            let end = keys.with_end(&word[1..if word.len() < 12 { 4 } else { 7 }]);
            assert!((end.range().0..=end.range().1).contains(&stored), "{original}");
            (0..random.below(5)).for_each(|_| random.edit(&mut word));
            let (typed, least) = (word.iter().collect::<String>(), key::least_typos(&word)(end.mark_of(stored)));
            let typos = osa_distance(&typed, &original);
            assert!(least <= typos, "{least} {typos} {original} {typed}");
            near += usize::from(least == typos);
        }
        assert!(near > 5000, "{near}");
    }

    #[test]
    fn finds_most_words_with_two_typos() {
        let (mut random, mut found, mut all) = (Random(2), 0, 0);
        for _ in 0..40_000 {
            let name = fold(NAMES[random.below(NAMES.len())]);
            let list: Vec<&str> = words(&name).collect();
            let original = list[random.below(list.len())];
            let mut letters: Vec<char> = original.chars().collect();
            random.edit(&mut letters);
            random.edit(&mut letters);
            let typed: String = letters.iter().collect();
            if Word::new(&typed).typos == 2 && osa_distance(&typed, original) == 2 {
                let is_found = finds(&probe(&typed, Tier::TwoTypos), &name);
                assert!(is_found || original.chars().count() < LONG_FROM, "{typed} for {original}");
                all += 1;
                found += usize::from(is_found);
            }
        }
        eprintln!("{found} of {all}");
        assert!(all > 10_000 && found * 100 >= all * 95, "{found} of {all}");
    }

    #[test]
    fn the_expression_is_evaluated_as_written() {
        let term = Term::All(vec![
            Term::Key(10),
            Term::Any(vec![Term::Key(20), Term::All(vec![Term::Key(30), Term::Key(10)])]),
        ]);
        let flat = Flat::of(&term);
        assert_eq!(flat.keys, [10, 20, 30]);
        let with = |held: &[i64]| is_found(&flat.code, &flat.keys, held);
        assert!(with(&[10, 20]) && with(&[10, 30]) && with(&[10, 20, 30]));
        assert!(!with(&[20, 30]) && !with(&[10]) && !with(&[]));
        assert!(!is_found(&Flat::of(&Term::NOTHING).code, &[], &[]));
        let range = Flat::of(&Term::All(vec![Term::Range(10, 12), Term::Key(20)]));
        let with = |held: &[i64]| is_found(&range.code, &range.keys, held);
        assert!(with(&[10, 20]) && with(&[12, 20]) && !with(&[13, 20]) && !with(&[9, 20]) && !with(&[11]));
        for damaged in [
            &[][..],
            &[ALL, [9; 4], [0; 4]],
            &[ALL],
            &[ALL, [0; 4]],
            &[[7, 0, 0, 0]],
            &[RANGE],
            &[RANGE, [0; 4], [9; 4]],
        ] {
            assert!(!is_found(damaged, &[10], &[10]));
        }
    }
}
