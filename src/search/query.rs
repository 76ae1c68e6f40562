//! A search query, and how well a customer matches it.

use super::fold::{fold, is_part_of_word, is_spelled, words};
use super::form::{self, Form, Formed};
use super::key::{JOINED_WORDS, SEARCHED_VALUES, TYPOS_UP_TO, beginning, is_looked_for_anywhere, joined_words};
use crate::contact;
use crate::text::without_invisible;
use std::cell::OnceCell;
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

    /// How many typos are looked for in a word, for customers of that rank.
    pub fn typos(self) -> usize {
        match self {
            Tier::TwoTypos => 2,
            Tier::Typo => 1,
            _ => 0,
        }
    }
}

pub const MAX_CHARACTERS: usize = 1000;
pub const MAX_WORDS: usize = 50;

/// Letters from which a word may hold one typo, and two. In shorter words a typo makes another word.
const ONE_TYPO_FROM: usize = 4;
const TWO_TYPOS_FROM: usize = 8;

pub struct Query {
    pub folded: String,
    pub words: Vec<Word>,
    /// The normal forms that the whole query may be stored as, if it is a phone: best first.
    pub phones: Vec<String>,
    /// The digits of a query that is written like a phone number, enough of them to look for as an ending.
    pub digits: Option<String>,
    pub email: Option<String>,
    /// The whole query as part of an e-mail address, folded.
    pub email_part: Option<String>,
    pub id: Option<[u8; 16]>,
    /// By whose rules phone numbers are read.
    country: Option<String>,
    /// The numbers and dates that the whole query may be.
    pub values: Vec<String>,
}

pub struct Word {
    pub text: String,
    pub letters: Vec<char>,
    /// Long enough to be looked for inside of words; else only their beginning is it.
    pub anywhere: bool,
    /// Too short for an e-mail address to be found by the beginning of somebody's name: it is looked for as a whole word only.
    pub whole_only: bool,
    pub typos: usize,
    pub digits: Option<String>,
    /// The normal forms of the phone number that it is or is part of, with other words beside that.
    pub phones: Vec<String>,
}

/// What of a customer is searched. All but the name is read when it is first needed: for most customers the name says enough.
pub trait Candidate {
    fn id(&self) -> [u8; 16];
    fn name(&self) -> &str;
    /// Phone numbers and e-mail addresses as they were typed, and in normal form.
    fn phones(&self) -> Vec<String>;
    fn normal_phones(&self) -> Vec<String>;
    fn emails(&self) -> Vec<String>;
    fn normal_emails(&self) -> Vec<String>;
    /// The texts of its custom fields.
    fn values(&self) -> Vec<String>;
    /// Those of its custom fields that have that form.
    fn formed(&self, form: Form) -> Vec<Formed>;
}

/// A match: how good, and what of the customer it was found in.
#[derive(Debug, PartialEq)]
pub struct Match {
    pub tier: Tier,
    pub matched: String,
}

impl Word {
    pub fn new(text: &str) -> Word {
        let letters: Vec<char> = text.chars().collect();
        let typos = match letters.len() {
            TYPOS_UP_TO.. => 0,
            _ if text.chars().any(|letter| letter.is_numeric()) || !text.chars().any(is_spelled) => 0,
            TWO_TYPOS_FROM.. => 2,
            ONE_TYPO_FROM.. => 1,
            _ => 0,
        };
        let digits = Some(text.to_owned())
            .filter(|text| text.len() >= contact::MIN_SUFFIX_DIGITS && text.bytes().all(|byte| byte.is_ascii_digit()));
        let anywhere = is_looked_for_anywhere(text);
        Word { text: text.to_owned(), letters, anywhere, whole_only: false, typos, digits, phones: Vec::new() }
    }

    /// How the word is found in a folded name: as one of its words, inside of one, or a short one as a beginning.
    fn find_in_name(&self, name: &str) -> Option<Tier> {
        if self.anywhere {
            return self.find_anywhere(name).or_else(|| self.is_joined(name).then_some(Tier::Substring));
        }
        let mut best = None;
        for word in words(name) {
            if word == self.text {
                return Some(Tier::Word);
            }
            if !self.whole_only && word.starts_with(&self.text) {
                best = Some(Tier::Substring);
            }
        }
        best
    }

    /// Whether the word is several words of a folded name, written together.
    fn is_joined(&self, name: &str) -> bool {
        // Most are not, and do not begin with one of them either.
        let begins = words(name).take(JOINED_WORDS).any(|word| self.text.starts_with(word));
        begins && joined_words(name).contains(&self.text)
    }

    /// How the word is found in a folded value of a field: as one of its words, or inside of one.
    pub fn find_in_value(&self, value: &str) -> Option<Tier> {
        if self.anywhere {
            return self.find_anywhere(value);
        }
        words(value).any(|word| word == self.text).then_some(Tier::Word)
    }

    fn find_anywhere(&self, text: &str) -> Option<Tier> {
        let mut best = None;
        for (start, _) in text.match_indices(&self.text) {
            let before = text.get(..start).and_then(|text| text.chars().next_back());
            let after = text.get(start + self.text.len()..).and_then(|text| text.chars().next());
            if !before.is_some_and(is_part_of_word) && !after.is_some_and(is_part_of_word) {
                return Some(Tier::Word);
            }
            best = Some(Tier::Substring);
        }
        best
    }

    /// How the word is found in a folded name with as many typos.
    fn find_misspelt(&self, name: &str, typos: usize) -> Option<Tier> {
        let typos = typos.min(self.typos);
        if typos == 0 {
            return None;
        }
        words(name).filter_map(|word| self.misspelt(word, typos)).max()
    }

    /// How the word is that word of a folded name with as many typos.
    pub fn misspelt(&self, word: &str, typos: usize) -> Option<Tier> {
        let letters = word.chars().count();
        if letters.abs_diff(self.letters.len()) > typos {
            return None;
        }
        match osa_distance(&self.text, word) {
            0 | 1 => Some(Tier::Typo),
            2 if typos == 2 => Some(Tier::TwoTypos),
            _ => None,
        }
    }
}

impl Query {
    /// Whether so many typos are looked for in any of its words.
    pub fn takes_typos(&self, typos: usize) -> bool {
        self.words.iter().any(|word| word.typos >= typos)
    }

    /// The query that a text spells, phone numbers read by the country's rules. None where the text is longer than a
    /// query may be.
    pub fn parse(text: &str, country: Option<&str>) -> Option<Query> {
        if text.chars().nth(MAX_CHARACTERS).is_some() {
            return None;
        }
        let text = without_invisible(text);
        let text = text.trim();
        let folded = fold(&contact::with_readable_domain(text));
        let mut words: Vec<Word> = words(&folded).map(Word::new).collect();
        if words.len() > MAX_WORDS {
            return None;
        }
        let digits = Some(contact::digits(text)).filter(|_| contact::looks_like_phone(text));
        let asked = contact::asked(text, country);
        if !asked.is_phone {
            note_phones(&mut words, text, country);
        }
        let id = crate::name::parse_id(text).map(|id| *id);
        let email_part = Some(folded.trim())
            .filter(|part| {
                words.len() > 1 && part.contains(['@', '.', '-', '_', '+']) && !part.contains(char::is_whitespace)
            })
            .map(str::to_owned);
        if email_part.as_deref().is_some_and(says_little_before_its_domain) {
            words.iter_mut().for_each(|word| word.whole_only = !word.anywhere);
        }
        Some(Query {
            folded,
            words,
            phones: asked.forms,
            digits,
            country: country.map(str::to_owned),
            email: contact::normal_email(text).filter(|email| email.contains('@')),
            email_part,
            id,
            values: form::values(text),
        })
    }

    /// Nothing to look for: only spaces and punctuation.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// How the customer matches with at most as many typos in a word, if it does: as a whole by id, phone or e-mail, else every
    /// word somewhere.
    pub fn matches(&self, customer: &impl Candidate, typos: usize) -> Option<Match> {
        if self.is_empty() {
            return None;
        }
        if self.id == Some(customer.id()) {
            return Some(found(Tier::Exact, customer.name()));
        }
        if let Some(looked_for) = self.email.as_deref()
            && let Some(n) =
                customer.normal_emails().iter().take(SEARCHED_VALUES).position(|email| *email == looked_for)
        {
            return Some(found(Tier::Exact, as_typed(&customer.emails(), &customer.normal_emails(), n)));
        }
        if let Some(looked_for) = self.email.as_deref()
            && let Some((typed, _)) = customer.formed(Form::Email).iter().find(|(_, email)| email == looked_for)
        {
            return Some(found(Tier::Exact, typed));
        }
        let phone = self.phone_match(customer);
        if let Some(exact) = phone.as_ref().filter(|phone| phone.tier == Tier::Exact) {
            return Some(found(exact.tier, &exact.matched));
        }
        let by_words = self.match_words(customer, typos);
        // Of equal ones the first.
        [phone, by_words, self.value_match(customer)]
            .into_iter()
            .flatten()
            .reduce(|best, next| if next.tier > best.tier { next } else { best })
    }

    /// By a number or a date, which is a whole value.
    fn value_match(&self, customer: &impl Candidate) -> Option<Match> {
        if self.values.is_empty() {
            return None;
        }
        let values = customer.formed(Form::Value);
        values.iter().find(|(_, value)| self.values.contains(value)).map(|(typed, _)| found(Tier::Word, typed))
    }

    fn phone_match(&self, customer: &impl Candidate) -> Option<Match> {
        if self.phones.is_empty() && self.digits.is_none() {
            return None;
        }
        let stored = customer.normal_phones();
        let in_fields = customer.formed(Form::Phone);
        let exact = |form: &str| self.phones.iter().any(|looked_for| looked_for == form);
        let ends = |form: &str| self.digits.as_deref().is_some_and(|ending| form.ends_with(ending));
        // Of several forms the best.
        let best = self.phones.iter().find(|form| stored.contains(form));
        if let Some(form) = best {
            return Some(found(Tier::Exact, &self.phone_as_typed(customer, form)));
        }
        let in_field = |is: &dyn Fn(&str) -> bool| in_fields.iter().find(|(_, form)| is(form)).map(|(typed, _)| typed);
        if let Some(typed) = in_field(&exact) {
            return Some(found(Tier::Exact, typed));
        }
        if let Some(form) = stored.iter().find(|form| ends(form)) {
            return Some(found(Tier::Substring, &self.phone_as_typed(customer, form)));
        }
        in_field(&ends).map(|typed| found(Tier::Substring, typed))
    }

    /// The phone that is stored in that normal form, as it was typed.
    fn phone_as_typed(&self, customer: &impl Candidate, form: &str) -> String {
        let is_it =
            |phone: &String| contact::forms_of_phone(phone, self.country.as_deref()).iter().any(|kept| kept == form);
        customer.phones().into_iter().find(is_it).unwrap_or_else(|| form.to_owned())
    }

    fn match_words(&self, customer: &impl Candidate, typos: usize) -> Option<Match> {
        let folded =
            Folded { name: fold(beginning(customer.name())), values: OnceCell::new(), emails: OnceCell::new() };
        let by_words = self.each_word(&folded, customer, typos);
        if by_words.as_ref().is_some_and(|found| found.tier >= Tier::Substring) {
            return by_words;
        }
        let part = self.email_part.as_deref();
        let by_part = part.and_then(|part| folded.emails(customer).iter().position(|email| email.contains(part)));
        let by_part =
            by_part.map(|n| found(Tier::Substring, as_typed(&customer.emails(), &customer.normal_emails(), n)));
        let in_field = || {
            let part = part?;
            let (typed, _) = customer.formed(Form::Email).into_iter().find(|(_, email)| fold(email).contains(part))?;
            Some(found(Tier::Substring, &typed))
        };
        by_part.or_else(in_field).or(by_words)
    }

    fn each_word(&self, folded: &Folded, customer: &impl Candidate, typos: usize) -> Option<Match> {
        let mut worst: Option<Match> = None;
        for word in &self.words {
            let found = self.word_match(word, folded, customer, typos)?;
            if worst.as_ref().is_none_or(|worst| found.tier < worst.tier) {
                worst = Some(found);
            }
        }
        let mut result = worst?;
        if result.tier >= Tier::Substring {
            result.tier = self.name_tier(&folded.name).unwrap_or(Tier::Substring).max(result.tier);
        }
        Some(result)
    }

    fn word_match(&self, word: &Word, folded: &Folded, customer: &impl Candidate, typos: usize) -> Option<Match> {
        let in_name = word.find_in_name(&folded.name).map(|tier| (tier, customer.name()));
        // No value is better, and most need not be read.
        if let Some((Tier::Word, name)) = in_name {
            return Some(found(Tier::Word, name));
        }
        let in_values =
            folded.values(customer).filter_map(|(text, folded)| Some((word.find_in_value(folded)?, text.as_str())));
        // Of equal ones the first.
        let best = in_name.into_iter().chain(in_values).reduce(|best, next| if next.0 > best.0 { next } else { best });
        if let Some((tier, text)) = best {
            return Some(found(tier, text));
        }
        if word.anywhere
            && let Some(n) = folded.emails(customer).iter().position(|email| email.contains(&word.text))
        {
            return Some(found(Tier::Substring, as_typed(&customer.emails(), &customer.normal_emails(), n)));
        }
        let is_it = |phone: &String| {
            word.phones.contains(phone) || word.digits.as_ref().is_some_and(|digits| phone.ends_with(digits))
        };
        if !word.phones.is_empty() || word.digits.is_some() {
            if let Some(form) = customer.normal_phones().iter().find(|phone| is_it(phone)) {
                return Some(found(Tier::Substring, &self.phone_as_typed(customer, form)));
            }
            if let Some((typed, _)) = customer.formed(Form::Phone).iter().find(|(_, phone)| is_it(phone)) {
                return Some(found(Tier::Substring, typed));
            }
        }
        word.find_misspelt(&folded.name, typos).map(|tier| found(tier, customer.name()))
    }

    /// Whole name, in any order of its words, or its beginning.
    fn name_tier(&self, name: &str) -> Option<Tier> {
        let mut own: Vec<&str> = words(name).collect();
        let mut looked_for: Vec<&str> = self.words.iter().map(|word| word.text.as_str()).collect();
        let (last, before) = looked_for.split_last()?;
        let starts = own.starts_with(before) && own.get(before.len()).is_some_and(|word| word.starts_with(last));
        if own.len() == looked_for.len() {
            own.sort_unstable();
            looked_for.sort_unstable();
            if own == looked_for {
                return Some(Tier::WholeName);
            }
        }
        starts.then_some(Tier::Prefix)
    }
}

/// What is compared of a customer, folded when it is first needed: for most customers the name says enough.
struct Folded {
    name: String,
    values: OnceCell<(Vec<String>, Vec<String>)>,
    emails: OnceCell<Vec<String>>,
}

impl Folded {
    /// The texts of custom fields, as they are and folded.
    fn values(&self, customer: &impl Candidate) -> impl Iterator<Item = (&String, &String)> {
        let (texts, folded) = self.values.get_or_init(|| {
            let texts = customer.values();
            let folded = texts.iter().map(|text| fold(beginning(text))).collect();
            (texts, folded)
        });
        texts.iter().zip(folded)
    }

    fn emails(&self, customer: &impl Candidate) -> &[String] {
        self.emails.get_or_init(|| {
            customer.normal_emails().iter().take(SEARCHED_VALUES).map(|email| fold(beginning(email))).collect()
        })
    }
}

/// Whether a part of an e-mail address is a domain, or some of one, behind words that are too short to be looked for inside of others: everybody
/// at that domain whose name begins with those letters would be found.
fn says_little_before_its_domain(part: &str) -> bool {
    part.rsplit_once('@').is_some_and(|(before, _)| {
        let mut before = words(before).map(Word::new).peekable();
        before.peek().is_some() && before.all(|word| !word.anywhere)
    })
}

/// Notes of each word the phone number that it belongs to.
fn note_phones(noted: &mut [Word], text: &str, country: Option<&str>) {
    for (pieces, phones) in contact::phones_among(text, country) {
        for piece in pieces {
            let piece = fold(piece);
            for text in words(&piece) {
                noted.iter_mut().filter(|word| word.text == text).for_each(|word| word.phones.clone_from(&phones));
            }
        }
    }
}

fn found(tier: Tier, matched: &str) -> Match {
    Match { tier, matched: matched.to_owned() }
}

/// An e-mail as it was typed. What repeats or is none is left out of the normal forms, so positions may
/// differ; then the normal form is shown.
fn as_typed<'a>(typed: &'a [String], normal: &'a [String], n: usize) -> &'a str {
    let shown = if typed.len() == normal.len() { typed } else { normal };
    shown.get(n).map_or("", String::as_str)
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    fn tier(query: &str, name: &str) -> Option<Tier> {
        matching(query, name, &[], &[], &[]).map(|found| found.tier)
    }

    struct Listed<'a> {
        name: &'a str,
        phones: &'a [&'a str],
        emails: &'a [&'a str],
        values: &'a [&'a str],
        normal_phones: Vec<String>,
        normal_emails: Vec<String>,
    }

    impl Candidate for Listed<'_> {
        fn id(&self) -> [u8; 16] {
            [7; 16]
        }
        fn name(&self) -> &str {
            self.name
        }
        fn phones(&self) -> Vec<String> {
            self.phones.iter().map(|text| text.to_string()).collect()
        }
        fn normal_phones(&self) -> Vec<String> {
            self.normal_phones.clone()
        }
        fn emails(&self) -> Vec<String> {
            self.emails.iter().map(|text| text.to_string()).collect()
        }
        fn normal_emails(&self) -> Vec<String> {
            self.normal_emails.clone()
        }
        fn values(&self) -> Vec<String> {
            self.values.iter().map(|text| text.to_string()).collect()
        }
        fn formed(&self, _form: Form) -> Vec<Formed> {
            Vec::new()
        }
    }

    fn matching(query: &str, name: &str, phones: &[&str], emails: &[&str], values: &[&str]) -> Option<Match> {
        let normal_phones = phones.iter().flat_map(|phone| contact::forms_of_phone(phone, Some("TW"))).collect();
        let normal_emails = emails.iter().filter_map(|email| contact::normal_email(email)).collect();
        let customer = Listed { name, phones, emails, values, normal_phones, normal_emails };
        Query::parse(query, Some("TW")).expect("short enough").matches(&customer, 2)
    }

    #[test]
    fn tiers() {
        for (query, name, expected) in [
            ("07070707-0707-0707-0707-070707070707", "X", Some(Tier::Exact)),
            ("\u{FEFF}07070707-0707-0707-0707-070707070707 \u{202C}", "X", Some(Tier::Exact)),
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
            ("vanheerden", "Anna van Heerden", Some(Tier::Substring)),
            ("vanheerden anna", "Anna van Heerden", Some(Tier::Substring)),
            ("deluca", "De Luca Mario", Some(Tier::Substring)),
            ("jrr", "J. R. R. Tolkien", Some(Tier::Substring)),
            ("jrr tolkien", "J. R. R. Tolkien", Some(Tier::Substring)),
            ("jrrtolkien", "J. R. R. Tolkien", Some(Tier::Substring)),
            ("ジョンスミス", "ジョン・スミス", Some(Tier::Substring)),
            ("ワン", "ワ・ン", Some(Tier::Substring)),
            ("nan", "Anna Nowak", None),
            ("annano", "Anna Nowak", None),
            ("nowakanna", "Anna Nowak", None),
            ("jr", "J. R. R. Tolkien", None),
            ("abcde", "A B C D E", None),
            ("bcde", "A B C D E", Some(Tier::Substring)),
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
            assert_eq!(matching(query, "Tsai", &phones, &[], &[]), Some(found_exact("0912-345-678")), "{query}");
        }
        assert_eq!(matching("5678", "Tsai", &phones, &[], &[]).map(|found| found.tier), Some(Tier::Substring));
        assert_eq!(matching("678", "Tsai", &phones, &[], &[]), None);
        assert_eq!(matching("tsai 5678", "Tsai", &phones, &[], &[]).map(|found| found.tier), Some(Tier::Substring));

        // Beside other words, in each spelling and order; and each of the others must be found as well.
        for query in ["Tsai 0912345678", "0912 345 678 tsai", "tsai +886 912-345-678", "0912-345-678 Tsai 5678"] {
            let found = matching(query, "Tsai", &phones, &[], &[]);
            assert_eq!(found.map(|found| found.tier), Some(Tier::Substring), "{query}");
            assert_eq!(matching(query, "Nobody", &phones, &[], &[]), None, "{query}");
        }
        for query in ["Nobody 0912345678", "CT-0912345678", "tsai 0912345679", "0912345678 Nobody"] {
            assert_eq!(matching(query, "Tsai", &phones, &[], &[]), None, "{query}");
        }
        assert_eq!(matching("0912345678 ext. 12", "X", &phones, &[], &[]), Some(found_exact("0912-345-678")));
        let labelled = ["0912-345-678 (mama)"];
        assert_eq!(matching("+886912345678", "X", &labelled, &[], &[]), Some(found_exact(labelled[0])));
        let several = ["02-2345-6789 / 0912-345-678", "Zimmer 4567"];
        assert_eq!(matching("Mobile: 0912345678,", "X", &several, &[], &[]), Some(found_exact(several[0])));
        assert_eq!(matching("zimmer 4567", "X", &several, &[], &[]), Some(found_exact(several[1])));
        assert_eq!(matching("4567", "X", &several, &[], &[]).map(|found| found.matched), Some(several[1].into()));

        let emails = ["Tsai.ML@Example.com"];
        assert_eq!(matching("tsai.ml@example.com", "X", &[], &emails, &[]), Some(found_exact("Tsai.ML@Example.com")));
        assert_eq!(matching("example", "X", &[], &emails, &[]).map(|found| found.tier), Some(Tier::Substring));

        let emails = ["Info@xn--bcher-kva.example", "Büro <buero@bücher.example>"];
        for query in
            ["info@bücher.example", "mailto:info@xn--bcher-kva.example?subject=x", "Buch <info@BÜCHER.example.>"]
        {
            assert_eq!(matching(query, "X", &[], &emails, &[]), Some(found_exact(emails[0])), "{query}");
        }
        assert_eq!(matching("buero@xn--bcher-kva.example", "X", &[], &emails, &[]), Some(found_exact(emails[1])));
        for query in ["bücher", "bucher.example", "fo@bücher", "@xn--bcher-kva.example", "xn--bcher-kva"] {
            let found = matching(query, "X", &[], &emails[..1], &[]);
            assert_eq!(found.map(|found| found.tier), Some(Tier::Substring), "{query}");
        }
        assert_eq!(matching("buro", "X", &[], &emails[1..], &[]), None);

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
