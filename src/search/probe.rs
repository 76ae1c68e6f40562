//! What a query looks for in the index. A probe finds every customer that the query matches, and
//! sometimes one more; [`super::matching`] then judges the customers themselves.

use super::fold::fold;
use super::form::Form;
use super::key::day::key_of_day;
use super::key::hash::{EMAILS, FieldKeys, JOINED, KeyKind, NAME, OPTIONS, PHONES, ROW, TEXT};
use super::key::long_word::{MIN_LETTERS_OF_LONG_WORD, WordEnd, has_typo_keys, misspelt_ends};
use super::key::pieces::{beginnings, four_digits, is_code, joints, keys_of_long_numbers, pieces};
use super::misspelt::any_short_misspelt;
use super::query::Query;
use super::term::Term;
use super::tier::Tier;
use super::word::Word;
use crate::field::VisibleField;
use std::iter;
use std::ops::RangeInclusive;

/// The most words of a query that the index is asked for. A longer query is still judged by all of
/// its words.
const MAX_PROBED_WORDS: usize = 8;

/// The same for an owner with very many searchable fields: the most words times fields.
const MAX_PROBED_WORDS_TIMES_FIELDS: usize = 400;

/// The most pieces of a word that the index is asked for. With more of them it finds fewer
/// customers that do not match.
const MAX_PROBED_PIECES: usize = 16;

/// A long number with only one group of four digits is also looked for by the pieces of this many
/// last digits.
const LAST_DIGITS: usize = 5;

/// The fields that a probe looks into.
pub struct Fields {
    text: FieldKeys,
    name: FieldKeys,
    joined: FieldKeys,
    phones: FieldKeys,
    emails: FieldKeys,
    row: FieldKeys,
    custom: Vec<CustomField>,
}

struct CustomField {
    texts: FieldKeys,
    /// The ids of its options, and their folded names.
    options: Vec<(i32, String)>,
    chosen: FieldKeys,
    /// The form of its values, and the keys of their normal forms.
    formed: Option<(Form, FieldKeys)>,
}

impl Fields {
    /// The system fields of an owner, and these custom fields.
    pub fn of<'a>(owner: &[u8; 16], custom: impl Iterator<Item = &'a VisibleField>) -> Fields {
        let keys_of = |field: &str| FieldKeys::of(owner, field);
        let custom = custom.map(|field| CustomField {
            texts: keys_of(&field.key),
            options: field
                .options
                .iter()
                .flat_map(|options| options.all())
                .map(|(id, name)| (id, fold(name)))
                .collect(),
            chosen: keys_of(&format!("{}{OPTIONS}", field.key)),
            formed: Form::of(field.kind).map(|form| (form, keys_of(&form.name(&field.key)))),
        });
        Fields {
            text: keys_of(TEXT),
            name: keys_of(NAME),
            joined: keys_of(JOINED),
            phones: keys_of(PHONES),
            emails: keys_of(EMAILS),
            row: keys_of(ROW),
            custom: custom.collect(),
        }
    }

    /// The customers that match the query without typos.
    pub fn matching(&self, query: &Query) -> Term {
        // A part of an e-mail address is found by its words. Only if one of them is too short to be
        // looked for anywhere, the part is looked for as a whole too.
        let email_part = query.email_part.as_deref().filter(|_| query.words.iter().any(|word| !word.anywhere));
        let email_part = email_part.map_or(Term::NOTHING, |part| self.part_of_email(part, query));
        let ending = query.digits.as_deref().map_or(Term::NOTHING, |digits| self.phone_ending(digits));
        Term::any(vec![
            self.exact(query),
            email_part,
            ending,
            self.with_value(query),
            self.each_word(query, |word| self.word(word)),
        ])
    }

    /// The customers that match the query with that rank, and some others. `long_misspelt` finds
    /// the long words of names that a word may be with typos.
    pub fn in_tier(&self, query: &Query, tier: Tier, long_misspelt: impl Fn(&Word) -> Term) -> Term {
        match tier {
            Tier::Exact => self.exact(query),
            Tier::WholeName => Term::Key(self.name.of_whole_name(&query.folded)),
            Tier::Prefix => self.beginning_of_name(&query.words),
            Tier::Word => self.each_word(query, |word| self.whole_word(word)).or(self.with_value(query)),
            Tier::Substring => self.matching(query),
            Tier::Typo | Tier::TwoTypos => self.misspelt(query, tier.typos(), long_misspelt),
        }
    }

    /// By a phone number as a whole, or by an e-mail address and the words beside it.
    fn exact(&self, query: &Query) -> Term {
        let phones = query.phones.iter().chain(&query.digits).map(|phone| self.phone_anywhere(phone));
        let email = query.email.as_deref().map(|email| {
            let beside = self.probed_words(&query.beside_email).into_iter().map(|word| self.word(word));
            Term::all(iter::once(self.email_anywhere(email)).chain(beside).collect())
        });
        Term::any(phones.chain(email).collect())
    }

    // Phones, e-mail addresses and values.

    /// The customers with one of these phones in normal form. Of a long number only the last eight
    /// digits count.
    pub fn phones<'a>(&self, forms: impl Iterator<Item = &'a str>) -> Term {
        Term::any_key(forms.map(|form| self.phones.of_phone(form)))
    }

    /// The customers with that e-mail address in normal form.
    pub fn email(&self, normal: &str) -> Term {
        Term::Key(self.emails.of_address(normal))
    }

    /// The keys of the normal forms of the custom fields with that form.
    fn formed(&self, wanted: Form) -> impl Iterator<Item = &FieldKeys> {
        let formed = self.custom.iter().filter_map(|field| field.formed.as_ref());
        formed.filter(move |(form, _)| *form == wanted).map(|(_, keys)| keys)
    }

    /// The customers with that phone, also in a custom field.
    fn phone_anywhere(&self, normal: &str) -> Term {
        Term::any_key(iter::once(&self.phones).chain(self.formed(Form::Phone)).map(|keys| keys.of_phone(normal)))
    }

    /// The customers with a phone that ends with these digits, also in a custom field.
    fn phone_ending(&self, digits: &str) -> Term {
        let fields = iter::once(&self.phones).chain(self.formed(Form::Phone));
        Term::any(fields.map(|keys| Term::range(keys.of_number_end(digits))).collect())
    }

    /// The customers with that e-mail address, also in a custom field.
    fn email_anywhere(&self, normal: &str) -> Term {
        Term::any_key(iter::once(&self.emails).chain(self.formed(Form::Email)).map(|keys| keys.of_address(normal)))
    }

    /// The customers with an e-mail address that has all long words of the part, and all of its
    /// joints.
    fn part_of_email(&self, part: &str, query: &Query) -> Term {
        let letters: Vec<char> = part.chars().collect();
        let part_of = |joined: &FieldKeys, texts: &FieldKeys| {
            let joints: Vec<i64> =
                joints(&letters).map(|joint| joined.of_letters(KeyKind::ThreeLetters, joint)).collect();
            let words = self.probed_words(&query.words).into_iter().filter(|word| word.anywhere);
            Term::all(sample(&joints).chain(words.map(|word| inside_words(texts, &word.letters))).collect())
        };
        let in_fields = self.custom.iter().filter_map(|field| match &field.formed {
            Some((Form::Email, keys)) => Some(part_of(keys, &field.texts)),
            _ => None,
        });
        Term::any(iter::once(part_of(&self.text, &self.text)).chain(in_fields).collect())
    }

    /// The customers with a number or a date that the query may be.
    fn with_value(&self, query: &Query) -> Term {
        let keys_of_values = |keys: &FieldKeys| {
            let values = query.values.iter();
            values.map(|value| keys.of_bytes(KeyKind::Value, value.as_bytes())).collect::<Vec<_>>()
        };
        Term::any_key(self.formed(Form::Value).flat_map(keys_of_values))
    }

    // The last activity.

    /// The customers that were last active on one of these days.
    pub fn active(&self, days: RangeInclusive<i32>) -> Term {
        Term::Range(self.active_on(*days.end()), self.active_on(*days.start()))
    }

    /// The key of the customers that were last active on that day.
    pub fn active_on(&self, day: i32) -> i64 {
        key_of_day(&self.row, Some(day))
    }

    /// The customers without any activity.
    pub fn never_active(&self) -> Term {
        Term::Key(key_of_day(&self.row, None))
    }

    // Words.

    fn each_word(&self, query: &Query, find: impl Fn(&Word) -> Term) -> Term {
        Term::all(self.probed_words(&query.words).into_iter().map(find).collect())
    }

    /// The words of these that the index is asked for: the longest.
    pub fn probed_words<'q>(&self, words: &'q [Word]) -> Vec<&'q Word> {
        let mut words: Vec<&Word> = words.iter().collect();
        words.sort_by_key(|word| std::cmp::Reverse(word.letters.len()));
        words.truncate((MAX_PROBED_WORDS_TIMES_FIELDS / (1 + self.custom.len())).clamp(1, MAX_PROBED_WORDS));
        words
    }

    /// A word in any of the fields.
    fn word(&self, word: &Word) -> Term {
        let mut terms = vec![self.in_text(word)];
        terms.extend(word.anywhere.then(|| Term::Key(self.joined.of_letters(KeyKind::WholeWord, &word.letters))));
        terms.extend(word.digits.as_deref().map(|digits| self.phone_ending(digits)));
        terms.extend(word.phones.iter().map(|phone| self.phone_anywhere(phone)));
        terms.extend(self.custom.iter().map(|field| field.word(word)));
        Term::any(terms)
    }

    /// A word in the name or in an e-mail address. A short word only in the name, at the beginning
    /// of a word.
    fn in_text(&self, word: &Word) -> Term {
        match word.letters.len() {
            _ if word.anywhere => inside_words(&self.text, &word.letters),
            _ if word.whole_only => self.word_of_name(word),
            1 => Term::Key(self.name.of_letters(KeyKind::FirstLetter, &word.letters)),
            _ => Term::Key(self.name.of_letters(KeyKind::FirstTwoLetters, &word.letters)),
        }
    }

    /// A word as a whole word of the name or of a custom field.
    fn whole_word(&self, word: &Word) -> Term {
        let in_values = self.custom.iter().map(|field| field.whole_word(word));
        Term::any(iter::once(self.word_of_name(word)).chain(in_values).collect())
    }

    fn word_of_name(&self, word: &Word) -> Term {
        if word.letters.len() < MIN_LETTERS_OF_LONG_WORD {
            Term::Key(self.name.of_letters(KeyKind::WholeWord, &word.letters))
        } else if !has_typo_keys(&word.letters) {
            self.in_text(word)
        } else {
            // Each of its keys stands for the whole word, so one is enough.
            Term::any_key(self.name.of_long_word(&word.letters).take(1))
        }
    }

    /// The words as the first words of the name; the last of them may be only the beginning of a
    /// word.
    fn beginning_of_name(&self, words: &[Word]) -> Term {
        let (Some((last, before)), Some(first)) = (words.split_last(), words.first()) else {
            return Term::NOTHING;
        };
        let start = self.name.of_name_starts(&first.letters, !before.is_empty());
        let start = start.map(|(first, last)| Term::Range(first, last));
        // Where all customers have the last word in their e-mail addresses, few have a word in the
        // name that begins like it.
        let beginning = beginnings(&last.letters).last().filter(|_| !before.is_empty());
        let beginning = beginning.map(|(kind, letters)| Term::Key(self.name.of_letters(kind, letters)));
        let before = before.iter().take(MAX_PROBED_WORDS).map(|word| self.word_of_name(word));
        Term::all(start.into_iter().chain(before).chain(beginning).chain([self.in_text(last)]).collect())
    }

    // Typos.

    /// The customers with at most `typos` typos in a word. A query of several words also finds others.
    fn misspelt(&self, query: &Query, typos: usize, long_misspelt: impl Fn(&Word) -> Term) -> Term {
        let misspelt = |word: &Word| match typos.min(word.typos) {
            0 => Term::NOTHING,
            typos => any_short_misspelt(&self.name, &word.letters, typos).or(long_misspelt(word)),
        };
        match &query.words[..] {
            _ if !query.takes_typos(typos) => Term::NOTHING,
            [word] => misspelt(word),
            _ => self.each_word(query, |word| self.word(word).or(misspelt(word))),
        }
    }

    /// The beginnings and endings of the long words of names that are at most `typos` typos away
    /// from this word.
    pub fn misspelt_ends(&self, letters: &[char], typos: usize) -> Vec<WordEnd> {
        misspelt_ends(letters, typos).iter().map(|end| self.name.of_word_end(end)).collect()
    }

    /// The keys of a long word of a name.
    pub fn keys_of_long_word(&self, word: &str) -> Vec<i64> {
        self.name.of_long_word(&word.chars().collect::<Vec<_>>()).collect()
    }
}

impl CustomField {
    fn word(&self, word: &Word) -> Term {
        if !self.options.is_empty() {
            self.any_option(|name| word.find_in_value(name).is_some())
        } else if word.anywhere {
            let parts = word.parts.iter().map(|part| self.whole_word(part)).collect();
            inside_words(&self.texts, &word.letters).or(Term::all(parts))
        } else {
            self.whole_word(word)
        }
    }

    fn whole_word(&self, word: &Word) -> Term {
        if !self.options.is_empty() {
            self.any_option(|name| word.find_in_value(name) == Some(Tier::Word))
        } else if is_code(&word.text) {
            inside_words(&self.texts, &word.letters)
        } else {
            Term::Key(self.texts.of_letters(KeyKind::WholeWord, &word.letters))
        }
    }

    /// The customers with an option of such a name.
    fn any_option(&self, is_wanted: impl Fn(&str) -> bool) -> Term {
        let wanted = self.options.iter().filter(|(_, name)| is_wanted(name));
        Term::any_key(wanted.map(|(id, _)| self.chosen.of_bytes(KeyKind::Value, id.to_string().as_bytes())))
    }
}

/// A word inside of the words of a field. It must be long enough for that.
fn inside_words(keys: &FieldKeys, word: &[char]) -> Term {
    let keys_of_word = if word.iter().all(char::is_ascii_digit) {
        keys_of_number(keys, word)
    } else {
        let mut all = keys_of_long_numbers(keys, word);
        all.extend(keys_of_pieces(keys, word));
        all
    };
    Term::all(sample(&keys_of_word).collect())
}

/// At most [`MAX_PROBED_PIECES`] of the keys, from the first to the last at equal distances.
fn sample(keys: &[i64]) -> impl Iterator<Item = Term> {
    let count = keys.len().min(MAX_PROBED_PIECES);
    let some = (0..count).filter_map(move |n| keys.get(n * (keys.len() - 1) / (count - 1).max(1)));
    some.copied().map(Term::Key)
}

fn keys_of_pieces<'k>(keys: &'k FieldKeys, word: &'k [char]) -> impl Iterator<Item = i64> + 'k {
    // Whoever has a pair has its characters.
    let has_pairs = word.len() > 1;
    pieces(word)
        .filter(move |(kind, _)| !has_pairs || *kind != KeyKind::Character)
        .map(|(kind, letters)| keys.of_letters(kind, letters))
}

/// The keys of a number inside of others. Two groups of four digits of a long number are enough, if
/// they share no digit: few other numbers have both, and each further key is a further page to
/// read. The groups are taken from the end, because numbers that are given out in turn begin alike.
/// If no two groups are apart, all are taken; if there is only one group, it and the end of the
/// number.
fn keys_of_number(keys: &FieldKeys, number: &[char]) -> Vec<i64> {
    let groups = four_digits(keys, number);
    match &groups[..] {
        [] => keys_of_pieces(keys, number).collect(),
        [only] => {
            let end = number.get(number.len() - LAST_DIGITS..).unwrap_or_default();
            iter::once(only.key).chain(keys_of_pieces(keys, end)).collect()
        }
        [before @ .., last] => match before.iter().rev().find(|group| !group.shares_digits_with(last)) {
            Some(apart) => vec![last.key, apart.key],
            None => groups.iter().map(|group| group.key).collect(),
        },
    }
}

#[cfg(test)]
#[path = "../../tests/common/random.rs"]
mod random;

#[cfg(test)]
mod unit_tests {
    use super::super::expression::Expression;
    use super::super::expression::unit_tests::is_found;
    use super::super::fold::words;
    use super::super::key::customer::{Customer, keys_of_customer};
    use super::super::key::long_word::least_typos;
    use super::random::splitmix64;
    use super::*;
    use strsim::osa_distance;

    const OWNER: [u8; 16] = [1; 16];

    fn finds(term: &Term, name: &str) -> bool {
        let keys = keys_of_customer(Customer {
            owner: OWNER,
            name,
            normal_phones: std::iter::empty(),
            normal_emails: std::iter::empty(),
            values: std::iter::empty(),
            active_on: i32::MIN,
        });
        let expression = Expression::of(term);
        is_found(&expression.code, &expression.keys, &keys)
    }

    fn probe(query: &str, tier: Tier) -> Term {
        let fields = Fields::of(&OWNER, std::iter::empty());
        let long = |word: &Word| Term::any_with_end(&fields.misspelt_ends(&word.letters, tier.typos().min(word.typos)));
        fields.in_tier(&Query::parse(query, None).expect("short"), tier, long)
    }

    /// Random choices that are the same in each run.
    struct Random(u64);

    impl Random {
        fn below(&mut self, bound: usize) -> usize {
            (splitmix64(&mut self.0) % bound as u64) as usize
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

        /// One of the names, folded; one of its words; and that word with `edits` edits.
        fn misspelt(&mut self, edits: usize) -> (String, String, String) {
            let name = fold(NAMES[self.below(NAMES.len())]);
            let list: Vec<&str> = words(&name).collect();
            let original = list[self.below(list.len())].to_owned();
            let mut letters: Vec<char> = original.chars().collect();
            (0..edits).for_each(|_| self.edit(&mut letters));
            (name, original, letters.iter().collect())
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
    fn a_long_number_is_looked_for_by_two_groups_from_its_end() {
        let keys = FieldKeys::of(&[3; 16], "contract");
        let number: Vec<char> = "2024000451234".chars().collect();
        let other: Vec<char> = "9999990451234".chars().collect();
        let parts = keys_of_number(&keys, &number);
        assert_eq!(parts.len(), 2);
        let end_of_other = keys_of_long_numbers(&keys, &other).pop();
        assert_eq!(parts.first().copied(), end_of_other, "of the last seven digits");
        let kept = keys_of_long_numbers(&keys, &number);
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
    fn finds_each_tier() {
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
            let (name, original, typed) = random.misspelt(1);
            if Word::new(&typed).typos > 0 && osa_distance(&typed, &original) == 1 {
                assert!(finds(&probe(&typed, Tier::Typo), &name), "{typed} for {original}");
            }
        }
    }

    /// A word is left out only if it is too far away.
    #[test]
    fn no_near_word_is_left_out_for_its_letters() {
        let (mut random, keys, mut near) = (Random(3), FieldKeys::of(&OWNER, NAME), 0);
        let alphabets: [Vec<char>; 3] =
            [('a'..='z').collect(), ('а'..='я').collect(), "aeinorstßçاבあ0123".chars().collect()];
        for _ in 0..20_000 {
            let alphabet = &alphabets[random.below(alphabets.len())];
            let mut word: Vec<char> = (0..MIN_LETTERS_OF_LONG_WORD + random.below(58))
                .map(|_| alphabet[random.below(alphabet.len())])
                .collect();
            let original: String = word.iter().collect();
            let stored = keys.of_long_word(&word).next().expect("a key");
            // The first key is of the beginning without its first letter.
            let end = keys.of_word_end(&word[1..if word.len() < 12 { 4 } else { 7 }]);
            assert!((end.range().0..=end.range().1).contains(&stored), "{original}");
            (0..random.below(5)).for_each(|_| random.edit(&mut word));
            let (typed, least) = (word.iter().collect::<String>(), least_typos(&word)(end.mark_of(stored)));
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
            let (name, original, typed) = random.misspelt(2);
            if Word::new(&typed).typos == 2 && osa_distance(&typed, &original) == 2 {
                let is_found = finds(&probe(&typed, Tier::TwoTypos), &name);
                assert!(is_found || original.chars().count() < MIN_LETTERS_OF_LONG_WORD, "{typed} for {original}");
                all += 1;
                found += usize::from(is_found);
            }
        }
        eprintln!("{found} of {all}");
        assert!(all > 10_000 && found * 100 >= all * 95, "{found} of {all}");
    }
}
