//! A search query, and how well a customer matches it.

use super::fold::{fold, words};
use crate::contact;
use strsim::osa_distance;

/// How a customer matches, best last. The order is the rank.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Tier {
    TwoTypos,
    Typo,
    Substring,
    Word,
    Prefix,
    WholeName,
    Exact,
}

impl Tier {
    /// The rank shown to the caller, between 0 and 1.
    pub fn rank(self) -> f32 {
        match self {
            Tier::Exact => 1.0,
            Tier::WholeName => 0.9,
            Tier::Prefix => 0.8,
            Tier::Word => 0.7,
            Tier::Substring => 0.6,
            Tier::Typo => 0.5,
            Tier::TwoTypos => 0.4,
        }
    }
}

pub const MAX_CHARACTERS: usize = 1000;
pub const MAX_WORDS: usize = 50;

/// Letters from which a word may hold one typo, and two. In shorter words a typo makes another word.
const ONE_TYPO_FROM: usize = 4;
const TWO_TYPOS_FROM: usize = 8;

/// Typos are looked for in words and texts as people write them; in longer ones only what is spelled right is found,
/// so that no row, however large, holds up a search.
const TYPOS_UP_TO: usize = 64;
const WORDS_WITH_TYPOS: usize = 200;

pub struct Query {
    folded: String,
    words: Vec<Word>,
    /// The whole query as a phone number, in normal form.
    phone: Option<String>,
    /// The digits of a query that is written like a phone number, enough of them to look for as an ending.
    digits: Option<String>,
    email: Option<String>,
    id: Option<[u8; 16]>,
}

struct Word {
    text: String,
    letters: usize,
    typos: usize,
    digits: Option<String>,
}

/// What of a customer is searched, in the forms in which it is compared.
pub struct Candidate<'a> {
    pub id: [u8; 16],
    pub name: &'a str,
    pub phones: &'a [String],
    pub normal_phones: &'a [String],
    pub emails: &'a [String],
    pub normal_emails: &'a [String],
    pub values: &'a [String],
}

/// A match: how good, and what of the customer it was found in.
#[derive(Debug, PartialEq)]
pub struct Match {
    pub tier: Tier,
    pub matched: String,
}

impl Word {
    fn new(text: &str) -> Word {
        let letters = text.chars().count();
        let typos = match letters {
            TYPOS_UP_TO.. => 0,
            _ if text.chars().any(|letter| letter.is_numeric()) || !text.chars().any(is_spelled) => 0,
            TWO_TYPOS_FROM.. => 2,
            ONE_TYPO_FROM.. => 1,
            _ => 0,
        };
        let digits = Some(text.to_owned())
            .filter(|text| text.len() >= contact::MIN_SUFFIX_DIGITS && text.bytes().all(|byte| byte.is_ascii_digit()));
        Word { text: text.to_owned(), letters, typos, digits }
    }

    /// How the word is found among a text's words, or inside the text.
    fn find(&self, text: &str) -> Option<Tier> {
        let mut best = text.contains(&self.text).then_some(Tier::Substring);
        for (n, word) in words(text).enumerate() {
            if word == self.text {
                return Some(Tier::Word);
            }
            if n < WORDS_WITH_TYPOS && best.is_none_or(|best| best < Tier::Typo) && self.typos > 0 {
                best = best.max(self.misspelt(word));
            }
        }
        best
    }

    fn misspelt(&self, word: &str) -> Option<Tier> {
        let letters = word.chars().count();
        if letters.abs_diff(self.letters) > self.typos {
            return None;
        }
        match osa_distance(&self.text, word) {
            0 | 1 => Some(Tier::Typo),
            2 if self.typos == 2 => Some(Tier::TwoTypos),
            _ => None,
        }
    }
}

/// Letters of scripts that spell words sound by sound; a character of Han script is a word of its own.
fn is_spelled(letter: char) -> bool {
    letter.is_alphabetic()
        && !matches!(letter, '\u{2E80}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}')
}

impl Query {
    /// The query that a text spells, phone numbers read by the country's rules. None where the text is longer than a
    /// query may be.
    pub fn parse(text: &str, country: Option<&str>) -> Option<Query> {
        if text.chars().count() > MAX_CHARACTERS {
            return None;
        }
        let text = text.trim();
        let folded = fold(text);
        let words: Vec<Word> = words(&folded).map(Word::new).collect();
        if words.len() > MAX_WORDS {
            return None;
        }
        let digits = Some(contact::digits(text)).filter(|_| contact::looks_like_phone(text));
        let phone = contact::normal_phone(text, country).filter(|phone| digits.is_some() || phone.starts_with('+'));
        let id = crate::name::parse_id(text).map(|id| *id);
        Some(Query { folded, words, phone, digits, email: contact::normal_email(text), id })
    }

    /// Nothing to look for: only spaces and punctuation.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// How the customer matches, if it does: as a whole by id, phone or e-mail, else every word somewhere.
    pub fn matches(&self, customer: &Candidate) -> Option<Match> {
        if self.is_empty() {
            return None;
        }
        if self.id == Some(customer.id) {
            return Some(found(Tier::Exact, customer.name));
        }
        if let Some(n) = customer.normal_emails.iter().position(|email| self.email.as_ref() == Some(email)) {
            return Some(found(Tier::Exact, as_typed(customer.emails, customer.normal_emails, n)));
        }
        let phone = self.phone_match(customer);
        if let Some(exact) = phone.as_ref().filter(|phone| phone.tier == Tier::Exact) {
            return Some(found(exact.tier, &exact.matched));
        }
        let by_words = self.match_words(customer);
        match (phone, by_words) {
            (Some(phone), Some(words)) => Some(if phone.tier >= words.tier { phone } else { words }),
            (phone, words) => phone.or(words),
        }
    }

    fn phone_match(&self, customer: &Candidate) -> Option<Match> {
        let looked_for = self.phone.as_deref().or(self.digits.as_deref())?;
        if let Some(n) = customer.normal_phones.iter().position(|phone| phone == looked_for) {
            return Some(found(Tier::Exact, as_typed(customer.phones, customer.normal_phones, n)));
        }
        let ending = self.digits.as_deref()?;
        let n = customer.normal_phones.iter().position(|phone| phone.ends_with(ending))?;
        Some(found(Tier::Substring, as_typed(customer.phones, customer.normal_phones, n)))
    }

    fn match_words(&self, customer: &Candidate) -> Option<Match> {
        let name = fold(customer.name);
        let values: Vec<String> = customer.values.iter().map(|value| fold(value)).collect();
        let mut worst: Option<Match> = None;
        for word in &self.words {
            let found = word_match(word, &name, &values, customer)?;
            if worst.as_ref().is_none_or(|worst| found.tier < worst.tier) {
                worst = Some(found);
            }
        }
        let mut result = worst?;
        if result.tier >= Tier::Substring {
            result.tier = self.name_tier(&name).unwrap_or(Tier::Substring).max(result.tier);
        }
        Some(result)
    }

    /// Whole name, in any order of its words, or its beginning.
    fn name_tier(&self, name: &str) -> Option<Tier> {
        let sorted = |text: &str| {
            let mut list: Vec<String> = words(text).map(str::to_owned).collect();
            list.sort_unstable();
            list
        };
        if sorted(name) == sorted(&self.folded) {
            return Some(Tier::WholeName);
        }
        let spaced = |text: &str| words(text).collect::<Vec<_>>().join(" ");
        spaced(name).starts_with(&spaced(&self.folded)).then_some(Tier::Prefix)
    }
}

fn found(tier: Tier, matched: &str) -> Match {
    Match { tier, matched: matched.to_owned() }
}

/// A phone or e-mail as it was typed. What repeats or is none is left out of the normal forms, so positions may
/// differ; then the normal form is shown.
fn as_typed<'a>(typed: &'a [String], normal: &'a [String], n: usize) -> &'a str {
    let shown = if typed.len() == normal.len() { typed } else { normal };
    shown.get(n).map_or("", String::as_str)
}

fn word_match(word: &Word, name: &str, values: &[String], customer: &Candidate) -> Option<Match> {
    let mut best: Option<Match> = None;
    let mut offer = |tier: Option<Tier>, text: &str| {
        if let Some(tier) = tier
            && best.as_ref().is_none_or(|best| best.tier < tier)
        {
            best = Some(found(tier, text));
        }
    };
    offer(word.find(name), customer.name);
    for (value, shown) in values.iter().zip(customer.values) {
        offer(word.find(value), shown);
    }
    for (n, email) in customer.normal_emails.iter().enumerate() {
        let shown = as_typed(customer.emails, customer.normal_emails, n);
        offer(email.contains(&word.text).then_some(Tier::Substring), shown);
    }
    if let Some(digits) = &word.digits {
        for (n, phone) in customer.normal_phones.iter().enumerate() {
            offer(
                phone.ends_with(digits).then_some(Tier::Substring),
                as_typed(customer.phones, customer.normal_phones, n),
            );
        }
    }
    best
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    fn tier(query: &str, name: &str) -> Option<Tier> {
        matching(query, name, &[], &[], &[]).map(|found| found.tier)
    }

    fn matching(query: &str, name: &str, phones: &[&str], emails: &[&str], values: &[&str]) -> Option<Match> {
        let own = |list: &[&str]| list.iter().map(|text| text.to_string()).collect::<Vec<_>>();
        let (phones, emails, values) = (own(phones), own(emails), own(values));
        let normal_phones: Vec<_> =
            phones.iter().filter_map(|phone| contact::normal_phone(phone, Some("TW"))).collect();
        let normal_emails: Vec<_> = emails.iter().filter_map(|email| contact::normal_email(email)).collect();
        Query::parse(query, Some("TW")).expect("short enough").matches(&Candidate {
            id: [7; 16],
            name,
            phones: &phones,
            normal_phones: &normal_phones,
            emails: &emails,
            normal_emails: &normal_emails,
            values: &values,
        })
    }

    #[test]
    fn tiers() {
        for (query, name, expected) in [
            ("07070707-0707-0707-0707-070707070707", "X", Some(Tier::Exact)),
            ("tsai mei-ling", "Tsai Mei-Ling", Some(Tier::WholeName)),
            ("Rossi Mario", "Mario Rossi", Some(Tier::WholeName)),
            ("tsai", "Tsai Mei-Ling", Some(Tier::Prefix)),
            ("tsa", "Tsai Mei-Ling", Some(Tier::Prefix)),
            ("ling", "Tsai Mei-Ling", Some(Tier::Word)),
            ("ling tsai", "Tsai Mei-Ling", Some(Tier::Word)),
            ("sai", "Tsai Mei-Ling", Some(Tier::Substring)),
            ("ling sai", "Tsai Mei-Ling", Some(Tier::Substring)),
            ("Jonh Smiht", "John Smith", Some(Tier::Typo)),
            ("Kovalenko", "Ковaленко", None),
            ("Yakovnekko", "Yakovenko", Some(Tier::TwoTypos)),
            ("蔡", "蔡美玲", Some(Tier::Prefix)),
            ("美玲", "蔡美玲", Some(Tier::Substring)),
            ("王", "蔡美玲", None),
            ("lukasz", "Łukasz Żak", Some(Tier::Prefix)),
            ("strasse", "Straße", Some(Tier::WholeName)),
            ("dangelo", "Anna D'Angelo", Some(Tier::Word)),
            ("ｔｓａｉ", "Tsai", Some(Tier::WholeName)),
            ("tsai chen", "Tsai Mei-Ling", None),
            ("tza", "Tsai", None),
            ("...", "Tsai", None),
            ("", "Tsai", None),
        ] {
            assert_eq!(tier(query, name), expected, "{query} / {name}");
        }
    }

    #[test]
    fn phones_emails_and_values() {
        let phones = ["0912-345-678"];
        for query in ["+886 912 345 678", "0912345678", "00886-912-345-678", "(0912) 345678", "０９１２３４５６７８"]
        {
            let found = matching(query, "Tsai", &phones, &[], &[]);
            // 00 is dialled from many countries, but not from Taiwan (002, 005 ...).
            let expected = if query.starts_with("00886") { None } else { Some(found_exact("0912-345-678")) };
            assert_eq!(found, expected, "{query}");
        }
        assert_eq!(matching("5678", "Tsai", &phones, &[], &[]).map(|found| found.tier), Some(Tier::Substring));
        assert_eq!(matching("678", "Tsai", &phones, &[], &[]), None);
        assert_eq!(matching("tsai 5678", "Tsai", &phones, &[], &[]).map(|found| found.tier), Some(Tier::Substring));

        let emails = ["Tsai.ML@Example.com"];
        assert_eq!(matching("tsai.ml@example.com", "X", &[], &emails, &[]), Some(found_exact("Tsai.ML@Example.com")));
        assert_eq!(matching("example", "X", &[], &emails, &[]).map(|found| found.tier), Some(Tier::Substring));

        assert_eq!(matching("ct-4411", "X", &[], &[], &["CT-4411"]).map(|found| found.matched), Some("CT-4411".into()));
    }

    fn found_exact(matched: &str) -> Match {
        found(Tier::Exact, matched)
    }

    #[test]
    fn limits() {
        assert!(Query::parse(&"x".repeat(MAX_CHARACTERS + 1), None).is_none());
        assert!(Query::parse(&"x ".repeat(MAX_WORDS + 1), None).is_none());
        assert!(Query::parse(&"x ".repeat(MAX_WORDS), None).is_some());
    }
}
