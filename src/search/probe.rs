//! Probes: what a query looks for in the index. A probe is an expression over keys, and finds every customer that the
//! query finds, and sometimes one more; [`super::query`] then judges the customer itself.

use super::fold::fold;
use super::key::{self, Keys, LEFT_FROM, LONG_FROM, OPTIONS, Of, Period};
use super::query::{Query, Tier, Word};
use crate::field::VisibleField;
use std::collections::{BTreeSet, HashMap};

/// Words of a query that the index is asked for, and for an owner with very many searchable fields how many times one of them. Whoever
/// types more is found by these, and judged by all.
const PROBED_WORDS: usize = 8;
const PROBED_WORDS_AND_FIELDS: usize = 400;

/// Of how many parts of a word the index is asked. Any number finds all that match; the more, the less finds it beside them, and the longer
/// it takes where all of them are common.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Parts {
    /// For what is read: a part that is rare makes it short.
    Most,
    /// For a sample: about each second, for what is misspelt lacks two of them or three.
    Half,
    /// For what is known to be common.
    Few,
}

impl Parts {
    fn in_text(self) -> usize {
        match self {
            Parts::Most => 8,
            Parts::Half => 4,
            Parts::Few => 3,
        }
    }

    /// Of custom fields there may be many.
    fn in_value(self) -> usize {
        3
    }
}

/// An expression over keys.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Term {
    Key(i64),
    All(Vec<Term>),
    /// With no members it finds nothing.
    Any(Vec<Term>),
}

impl Term {
    pub const NOTHING: Term = Term::Any(Vec::new());

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

fn any(terms: Vec<Term>) -> Term {
    let mut terms: Vec<Term> = terms.into_iter().filter(|term| !term.is_nothing()).collect();
    match terms.len() {
        1 => terms.pop().unwrap_or(Term::NOTHING),
        _ => Term::Any(terms),
    }
}

/// A custom field that a probe looks into.
struct Custom {
    texts: Keys,
    /// The options of a choice: their ids, and their names folded.
    options: Vec<(i32, String)>,
    choices: Keys,
}

/// The fields that a probe looks into.
pub struct Fields {
    text: Keys,
    name: Keys,
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
        });
        Fields {
            text: Keys::of(owner, key::TEXT),
            name: Keys::of(owner, key::NAME),
            phones: Keys::of(owner, key::PHONES),
            emails: Keys::of(owner, key::EMAILS),
            row: Keys::of(owner, key::ROW),
            custom: custom.collect(),
        }
    }

    /// The customers with that number, in normal form.
    pub fn phone(&self, normal: &str) -> Term {
        match (key::last_digits(normal, 4), key::last_digits(normal, 8)) {
            (_, Some(eight)) => Term::Key(self.phones.bytes(Of::LastEight, eight.as_bytes())),
            (Some(four), None) => Term::Key(self.phones.bytes(Of::LastFour, four.as_bytes())),
            (None, None) => Term::Key(self.phones.bytes(Of::ShortNumber, normal.as_bytes())),
        }
    }

    /// The customers with that address, in normal form.
    pub fn email(&self, normal: &str) -> Term {
        Term::Key(self.emails.bytes(Of::Address, normal.as_bytes()))
    }

    /// The customers that the query finds without typos.
    pub fn matching(&self, query: &Query, parts: Parts) -> Term {
        self.as_a_whole(query, parts).or(self.each_word(query, |word| self.word(word, parts)))
    }

    /// The customers that the query finds in that way, and some others.
    pub fn in_tier(&self, query: &Query, tier: Tier, parts: Parts) -> Term {
        match tier {
            Tier::Exact => self.as_a_whole(query, parts),
            Tier::WholeName => {
                let name = key::sorted_words(&query.folded);
                Term::Key(self.name.bytes(Of::WholeName, name.as_bytes()))
            }
            Tier::Prefix => {
                let first = query.words.first().map_or(&[][..], |word| &word.letters);
                match (key::name_start(first), &query.words[..]) {
                    (Some(start), [_]) if start.len() == first.len() => {
                        Term::Key(self.name.letters(Of::NameStart, start))
                    }
                    (Some(start), [_]) if !start.is_empty() && first.len() >= start.len() + 3 => {
                        let rest = first.get(start.len()..).unwrap_or_default();
                        Term::Key(self.name.letters(Of::NameStart, start)).and(contains(
                            &self.text,
                            rest,
                            parts.in_text(),
                        ))
                    }
                    (Some(start), _) => Term::Key(self.name.letters(Of::NameStart, start))
                        .and(self.each_word(query, |word| self.in_text(word, parts))),
                    (None, _) => self.each_word(query, |word| self.in_text(word, parts)),
                }
            }
            Tier::Word => self.each_word(query, |word| self.whole_word(word, parts)),
            Tier::Substring => self.matching(query, parts),
            Tier::Typo => self.misspelt(query, 1, parts),
            Tier::TwoTypos => self.misspelt(query, 2, parts),
        }
    }

    /// The customers with as many typos in a word; of a query of several words, others too.
    fn misspelt(&self, query: &Query, typos: usize, parts: Parts) -> Term {
        match &query.words[..] {
            words if words.iter().all(|word| word.typos < typos) => Term::NOTHING,
            [word] => self.misspelt_word(word, typos, parts),
            _ => self.each_word(query, |word| self.word(word, parts).or(self.misspelt_word(word, typos, parts))),
        }
    }

    /// A word of the name with as many typos. Where it is one, of the two halves of a longer word one is right.
    fn misspelt_word(&self, word: &Word, typos: usize, parts: Parts) -> Term {
        let (short, long) = misspelt(&self.name, word, typos);
        let letters = &word.letters[..];
        if parts != Parts::Most || typos.min(word.typos) > 1 || letters.len() < LONG_FROM {
            return short.or(long);
        }
        // A letter between them belongs to neither: two that are swapped lie in one of them, or in none.
        let (first, last) = letters.split_at(letters.len() / 2);
        let half = |letters: &[char]| contains(&self.text, letters, Parts::Few.in_text());
        short.or(long.and(half(first).or(half(last.get(1..).unwrap_or_default()))))
    }

    /// Of these customers those in a sample.
    pub fn sampled(&self, term: Term, level: u32) -> Term {
        if level == 0 { term } else { self.sample(level).and(term) }
    }

    /// The customers in a sample.
    pub fn sample(&self, level: u32) -> Term {
        Term::Key(key::sample(&self.row, level))
    }

    /// The customers that were last active in one of these periods.
    pub fn active(&self, periods: &[Period]) -> Term {
        any(periods.iter().map(|period| Term::Key(period.key(&self.row))).collect())
    }

    /// By a phone number, its ending, or an e-mail address or a part of one.
    fn as_a_whole(&self, query: &Query, parts: Parts) -> Term {
        let phones = [query.phone.as_deref(), query.digits.as_deref()];
        let email_part = query.email_part.as_ref().map(|_| {
            let words = query.words.iter().filter(|word| word.anywhere);
            all(words.map(|word| self.in_text(word, parts)).collect())
        });
        any(phones
            .into_iter()
            .flatten()
            .map(|phone| self.phone(phone))
            .chain(query.email.as_deref().map(|email| self.email(email)))
            .chain(email_part)
            .collect())
    }

    fn each_word(&self, query: &Query, find: impl Fn(&Word) -> Term) -> Term {
        let mut words: Vec<&Word> = query.words.iter().collect();
        words.sort_by_key(|word| std::cmp::Reverse(word.letters.len()));
        words.truncate((PROBED_WORDS_AND_FIELDS / (1 + self.custom.len())).clamp(1, PROBED_WORDS));
        all(words.into_iter().map(find).collect())
    }

    /// A word in the name or an e-mail address; one too short for that at the beginning of a word of the name.
    fn in_text(&self, word: &Word, parts: Parts) -> Term {
        match word.letters.len() {
            _ if word.anywhere => contains(&self.text, &word.letters, parts.in_text()),
            1 => Term::Key(self.name.letters(Of::FirstLetter, &word.letters)),
            _ => Term::Key(self.name.letters(Of::FirstTwo, &word.letters)),
        }
    }

    /// A word in any of the fields.
    fn word(&self, word: &Word, parts: Parts) -> Term {
        let mut terms = vec![self.in_text(word, parts)];
        terms.extend(word.digits.as_deref().map(|digits| self.phone(digits)));
        terms.extend(self.custom.iter().map(|field| field.word(word, parts)));
        any(terms)
    }

    /// A word as a whole word of the name, or in a custom field.
    fn whole_word(&self, word: &Word, parts: Parts) -> Term {
        let in_name = if !key::takes_typos(&word.letters) {
            self.in_text(word, parts)
        } else if word.letters.len() < LEFT_FROM {
            Term::Key(self.name.letters(Of::ShortWord, &word.letters))
        } else if word.letters.len() < LONG_FROM {
            // Of a longer word that this is left of, what is left of this is not left.
            let left = key::without_one(&word.letters).next().unwrap_or_default();
            let key = |letters: &[char]| Term::Key(self.name.letters(Of::Word, letters));
            key(&word.letters).and(key(&left))
        } else {
            // Those that begin and end like it.
            all(key::end_keys(&self.name, &word.letters).map(Term::Key).collect())
        };
        any(std::iter::once(in_name).chain(self.custom.iter().map(|field| field.word(word, parts))).collect())
    }
}

impl Custom {
    fn word(&self, word: &Word, parts: Parts) -> Term {
        if !self.options.is_empty() {
            let named = self.options.iter().filter(|(_, name)| word.find_in_value(name).is_some());
            return any(named
                .map(|(id, _)| Term::Key(self.choices.bytes(Of::Option, id.to_string().as_bytes())))
                .collect());
        }
        if word.anywhere {
            contains(&self.texts, &word.letters, parts.in_value())
        } else {
            Term::Key(self.texts.letters(Of::ShortWord, &word.letters))
        }
    }
}

/// A word that is long enough for it inside of the words of a field.
fn contains(keys: &Keys, word: &[char], most: usize) -> Term {
    // A pair says all that its characters do.
    let alone = word.len() == 1;
    let parts: Vec<Term> = key::parts(word)
        .filter(|(of, _)| alone || *of != Of::Character)
        .map(|(of, letters)| Term::Key(keys.letters(of, letters)))
        .collect();
    match parts.len() {
        few if few <= most => all(parts),
        // Spread over the word.
        many => all((0..most).filter_map(|n| parts.get(n * (many - 1) / (most - 1)).cloned()).collect()),
    }
}

/// The words of a name that differ from this one by as many edits: of those that are kept whole, and of the longer ones.
///
/// One edit is always found, and two hardly ever not: see the tests.
fn misspelt(keys: &Keys, word: &Word, typos: usize) -> (Term, Term) {
    let (letters, typos) = (&word.letters[..], typos.min(word.typos));
    let (mut short, mut long) = (Vec::new(), Vec::new());
    if typos == 0 {
        return (Term::NOTHING, Term::NOTHING);
    }
    // Words that are kept whole: this one's remainders are theirs, or themselves.
    if letters.len() < LONG_FROM + typos {
        let mut left = BTreeSet::from([letters.to_vec()]);
        for _ in 0..typos {
            left.extend(left.iter().flat_map(|letters| key::without_one(letters)).collect::<Vec<_>>());
        }
        // Longer ones are nobody's.
        for letters in left.into_iter().filter(|letters| letters.len() < LONG_FROM) {
            short.push(Term::Key(keys.letters(Of::Word, &letters)));
            if letters.len() < LEFT_FROM {
                short.push(Term::Key(keys.letters(Of::ShortWord, &letters)));
            }
        }
    }
    // Words that are kept by their ends.
    if letters.len() + typos >= LONG_FROM {
        long.extend(key::end_keys(keys, letters).map(Term::Key));
    }
    if typos > 1 {
        long.extend(ends_two_typos_away(letters).map(|ends| Term::Key(keys.letters(Of::Ends, &ends))));
    }
    (any(short), any(long))
}

/// What the index may hold of the ends of words that differ from this one by two typos at the ends: one at each, or two
/// at one. All letters of the alphabet are tried, since the index has only one left out.
fn ends_two_typos_away(word: &[char]) -> impl Iterator<Item = Vec<char>> {
    let (first, last) = key::ends(word);
    let alphabet = alphabet_of(word);
    let mut found = BTreeSet::new();
    // Inside of a window of some letters one is another, one is missing, or one is there that was not.
    let mut last_ones = BTreeSet::from([last.to_vec()]);
    last_ones.extend(with_another(last, &alphabet));
    last_ones.extend((1..last.len()).map(|n| swapped(last, n)));
    if let Some(before) = word.len().checked_sub(last.len() + 1).and_then(|n| word.get(n)) {
        last_ones.extend(key::without_one(last).map(|left| [&[*before], left.as_slice()].concat()));
    }
    for n in 0..last.len() {
        let (outside, inside) = last.get(1..).unwrap_or_default().split_at(n.min(last.len() - 1));
        last_ones.extend(alphabet.iter().map(|letter| [outside, &[*letter], inside].concat()));
    }
    let first_left: Vec<Vec<char>> = key::without_one(first).collect();
    for left in &first_left {
        found.extend(last_ones.iter().map(|last| [left.as_slice(), last].concat()));
        found.extend(with_another(left, &alphabet).map(|left| [left.as_slice(), last].concat()));
    }
    for left in key::without_one(last) {
        found.extend(with_another(&left, &alphabet).map(|left| [first, left.as_slice()].concat()));
    }
    found.into_iter()
}

/// The same letters with another in the place of one.
fn with_another<'a>(letters: &'a [char], alphabet: &'a [char]) -> impl Iterator<Item = Vec<char>> + 'a {
    (0..letters.len()).flat_map(move |n| {
        alphabet.iter().map(move |letter| {
            let mut other = letters.to_vec();
            if let Some(place) = other.get_mut(n) {
                *place = *letter;
            }
            other
        })
    })
}

fn swapped(letters: &[char], n: usize) -> Vec<char> {
    let mut other = letters.to_vec();
    if n < other.len() && n > 0 {
        other.swap(n - 1, n);
    }
    other
}

/// The letters of the script that a folded word is written in, if it is one that people mistype letter by letter.
fn alphabet_of(word: &[char]) -> Vec<char> {
    let script = word.iter().find_map(|letter| match letter {
        'a'..='z' => Some(('a'..='z').collect()),
        'α'..='ω' => Some(('α'..='ω').filter(|letter| *letter != 'ς').collect()),
        'а'..='я' | 'є' | 'і' | 'ґ' => Some(('а'..='я').chain(['є', 'і', 'ґ']).collect()),
        _ => None,
    });
    script.unwrap_or_default()
}

/// A term in the form that the index is asked with: the keys, each once, and the expression over their numbers.
///
/// The expression is written in prefix form, in units of four bytes: a key as its number; `ALL` or `ANY`, then how many
/// units belong to it.
pub struct Flat {
    pub keys: Vec<i64>,
    pub code: Vec<Unit>,
}

pub type Unit = [u8; 4];
const ALL: Unit = [0xff; 4];
const ANY: Unit = [0xfe; 4];

impl Flat {
    pub fn of(term: &Term) -> Flat {
        let mut flat = Flat { keys: Vec::new(), code: Vec::new() };
        let mut numbers = HashMap::new();
        flat.add(term, &mut numbers);
        flat
    }

    fn add(&mut self, term: &Term, numbers: &mut HashMap<i64, u32>) {
        let (operator, members) = match term {
            Term::Key(key) => {
                let keys = &mut self.keys;
                let number = *numbers.entry(*key).or_insert_with(|| {
                    keys.push(*key);
                    keys.len() as u32 - 1
                });
                self.code.push(number.to_le_bytes());
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
}

/// Whether a row has a key, as far as the index can tell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Has {
    No,
    Yes,
    Maybe,
}

/// Evaluates an expression over what a row has of the keys. One that is damaged finds nothing.
pub fn evaluate(code: &[Unit], has: &impl Fn(usize) -> Has) -> Has {
    match code {
        [operator @ (ALL | ANY), length, rest @ ..] => {
            let Some(mut members) = rest.get(..number(length)) else {
                return Has::No;
            };
            // What one member decides for all, and what it is if none does.
            let (decisive, otherwise) = if *operator == ALL { (Has::No, Has::Yes) } else { (Has::Yes, Has::No) };
            let mut result = otherwise;
            while let Some(width) = width(members) {
                match evaluate(members, has) {
                    decided if decided == decisive => return decisive,
                    Has::Maybe => result = Has::Maybe,
                    _ => (),
                }
                members = members.get(width..).unwrap_or_default();
            }
            result
        }
        [key, ..] => has(number(key)),
        [] => Has::No,
    }
}

fn number(unit: &Unit) -> usize {
    u32::from_le_bytes(*unit) as usize
}

/// How much of the code the first expression in it takes.
fn width(code: &[Unit]) -> Option<usize> {
    match code {
        [ALL | ANY, length, ..] => Some(2 + number(length)),
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

    fn finds(term: &Term, name: &str) -> bool {
        let keys = of_customer(Customer {
            owner: OWNER,
            id: [2; 16],
            name,
            normal_phones: std::iter::empty(),
            normal_emails: std::iter::empty(),
            values: std::iter::empty(),
            active_on: i32::MIN,
        });
        let flat = Flat::of(term);
        let found =
            evaluate(&flat.code, &|n| if keys.binary_search(&flat.keys[n]).is_ok() { Has::Yes } else { Has::No });
        found == Has::Yes
    }

    fn probe(query: &str, tier: Tier) -> Term {
        Fields::of(&OWNER, std::iter::empty()).in_tier(&Query::parse(query, None).expect("short"), tier, Parts::Most)
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

    const NAMES: [&str; 12] = [
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
    ];

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
                all += 1;
                found += usize::from(finds(&probe(&typed, Tier::TwoTypos), &name));
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
        let with = |held: [Has; 3]| evaluate(&flat.code, &|n| held[n]);
        use Has::*;
        assert_eq!(with([Yes, Yes, No]), Yes);
        assert_eq!(with([Yes, No, Yes]), Yes);
        assert_eq!(with([No, Yes, Yes]), No);
        assert_eq!(with([Yes, No, Maybe]), Maybe);
        assert_eq!(with([Maybe, Yes, No]), Maybe);
        assert_eq!(with([Maybe, No, No]), No);
        assert_eq!(evaluate(&Flat::of(&Term::NOTHING).code, &|_| Yes), No);
        for damaged in [&[][..], &[ALL, [9; 4], [0; 4]], &[ALL]] {
            assert_ne!(evaluate(damaged, &|_| No), Yes);
        }
    }
}
