//! How well a customer matches a query.

use super::bounds::{MAX_SEARCHED_VALUES, beginning};
use super::fold::{fold, words};
use super::form::{Form, Formed};
use super::query::Query;
use super::tier::Tier;
use super::word::Word;
use crate::contact;
use std::cell::OnceCell;

/// What of a customer is searched.
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
    /// The values of its custom fields of that form.
    fn formed(&self, form: Form) -> Vec<Formed>;
}

/// A match: how good it is, and what of the customer it was found in.
#[derive(Debug, PartialEq)]
pub struct Match {
    pub tier: Tier,
    pub matched: String,
}

impl Query {
    /// How the customer matches, if it does, with at most `typos` typos in a word. The whole query
    /// may be an id, a phone or an e-mail address of the customer. Else every word must be found
    /// somewhere.
    pub fn matches(&self, customer: &impl Candidate, typos: usize) -> Option<Match> {
        if self.is_empty() {
            return None;
        }
        if self.id == Some(customer.id()) {
            return Some(found(Tier::Exact, customer.name()));
        }
        let texts = Texts::of(customer);
        if let Some(exact) = self.match_email(&texts)
            && self.matches_beside_email(&texts)
        {
            return Some(exact);
        }
        let phone = self.match_phone(&texts);
        if phone.as_ref().is_some_and(|phone| phone.tier == Tier::Exact) {
            return phone;
        }
        let by_words = self.match_words(&texts, typos);
        // Of equal ones the first.
        [phone, by_words, self.match_value(customer)]
            .into_iter()
            .flatten()
            .reduce(|best, next| if next.tier > best.tier { next } else { best })
    }

    /// By the e-mail address in the query.
    fn match_email(&self, texts: &Texts<impl Candidate>) -> Option<Match> {
        let email = self.email.as_deref()?;
        if let Some(n) = texts.normal_emails().iter().take(MAX_SEARCHED_VALUES).position(|stored| *stored == email) {
            return Some(found(Tier::Exact, &texts.email_as_typed(n)));
        }
        let (typed, _) = texts.emails_in_fields().iter().find(|(_, stored)| stored == email)?;
        Some(found(Tier::Exact, typed))
    }

    /// Whether each word beside the e-mail address is found.
    fn matches_beside_email(&self, texts: &Texts<impl Candidate>) -> bool {
        self.beside_email.iter().all(|word| self.match_word(word, texts, 0).is_some())
    }

    /// By a phone number, or its last digits.
    fn match_phone(&self, texts: &Texts<impl Candidate>) -> Option<Match> {
        if self.phones.is_empty() && self.digits.is_none() {
            return None;
        }
        let (stored, in_fields) = (texts.normal_phones(), texts.phones_in_fields());
        let is_exact = |form: &str| self.phones.iter().any(|phone| phone == form);
        let ends_alike = |form: &str| self.digits.as_deref().is_some_and(|digits| form.ends_with(digits));
        let in_field = |is_it: &dyn Fn(&str) -> bool| in_fields.iter().find(|(_, form)| is_it(form));
        // The forms of the query are sorted, the best first.
        if let Some(form) = self.phones.iter().find(|form| stored.contains(form)) {
            return Some(found(Tier::Exact, &self.phone_as_typed(texts, form)));
        }
        if let Some((typed, _)) = in_field(&is_exact) {
            return Some(found(Tier::Exact, typed));
        }
        if let Some(form) = stored.iter().find(|form| ends_alike(form)) {
            return Some(found(Tier::Substring, &self.phone_as_typed(texts, form)));
        }
        in_field(&ends_alike).map(|(typed, _)| found(Tier::Substring, typed))
    }

    /// By a number or a date that is a whole value.
    fn match_value(&self, customer: &impl Candidate) -> Option<Match> {
        if self.values.is_empty() {
            return None;
        }
        let values = customer.formed(Form::Value);
        values.iter().find(|(_, value)| self.values.contains(value)).map(|(typed, _)| found(Tier::Word, typed))
    }

    /// The phone that is stored in that normal form, as it was typed.
    fn phone_as_typed(&self, texts: &Texts<impl Candidate>, form: &str) -> String {
        let is_it =
            |phone: &String| contact::forms_of_phone(phone, self.country.as_deref()).iter().any(|kept| kept == form);
        texts.customer.phones().into_iter().find(is_it).unwrap_or_else(|| form.to_owned())
    }

    /// By each of the words, or all of them together as a part of an e-mail address.
    fn match_words(&self, texts: &Texts<impl Candidate>, typos: usize) -> Option<Match> {
        let by_words = self.match_each_word(texts, typos);
        if by_words.as_ref().is_some_and(|found| found.tier >= Tier::Substring) {
            return by_words;
        }
        let part_of_email = || {
            let part = self.email_part.as_deref()?;
            if let Some(n) = texts.folded_emails().iter().position(|email| email.contains(part)) {
                return Some(found(Tier::Substring, &texts.email_as_typed(n)));
            }
            let (typed, _) = texts.emails_in_fields().iter().find(|(_, email)| fold(email).contains(part))?;
            Some(found(Tier::Substring, typed))
        };
        part_of_email().or(by_words)
    }

    /// By each of the words. The one with the worst match decides.
    fn match_each_word(&self, texts: &Texts<impl Candidate>, typos: usize) -> Option<Match> {
        let mut worst: Option<Match> = None;
        let mut is_variant = false;
        for word in &self.words {
            let found = self.match_word(word, texts, typos)?;
            is_variant |= word.is_variant_in(&found.matched);
            if worst.as_ref().is_none_or(|worst| found.tier < worst.tier) {
                worst = Some(found);
            }
        }
        let mut result = worst?;
        if result.tier >= Tier::Substring {
            let of_name = self.tier_of_name(texts.folded_name()).unwrap_or(Tier::Substring);
            result.tier = if is_variant { tier_of_variant(result.tier, of_name) } else { of_name.max(result.tier) };
        }
        Some(result)
    }

    fn match_word(&self, word: &Word, texts: &Texts<impl Candidate>, typos: usize) -> Option<Match> {
        let in_name = word.find_in_name(texts.folded_name()).map(|tier| (tier, texts.customer.name()));
        // No value is better, so none has to be read.
        if let Some((Tier::Word, name)) = in_name {
            return Some(found(Tier::Word, name));
        }
        let in_values = texts.values().filter_map(|(text, folded)| Some((word.find_in_value(folded)?, text.as_str())));
        // Of equal ones the first.
        let best = in_name.into_iter().chain(in_values).reduce(|best, next| if next.0 > best.0 { next } else { best });
        if let Some((tier, text)) = best {
            return Some(found(tier, text));
        }
        if word.anywhere
            && let Some(n) = texts.folded_emails().iter().position(|email| email.contains(&word.text))
        {
            return Some(found(Tier::Substring, &texts.email_as_typed(n)));
        }
        if let Some(phone) = self.match_phone_of_word(word, texts) {
            return Some(phone);
        }
        word.find_misspelt(texts.folded_name(), typos).map(|tier| found(tier, texts.customer.name()))
    }

    /// By the phone number that a word is part of, or by the last digits of one.
    fn match_phone_of_word(&self, word: &Word, texts: &Texts<impl Candidate>) -> Option<Match> {
        if word.phones.is_empty() && word.digits.is_none() {
            return None;
        }
        let is_it = |phone: &String| {
            word.phones.contains(phone) || word.digits.as_ref().is_some_and(|digits| phone.ends_with(digits))
        };
        if let Some(form) = texts.normal_phones().iter().find(|phone| is_it(phone)) {
            return Some(found(Tier::Substring, &self.phone_as_typed(texts, form)));
        }
        let (typed, _) = texts.phones_in_fields().iter().find(|(_, phone)| is_it(phone))?;
        Some(found(Tier::Substring, typed))
    }

    /// Whether the words are the whole name, in any order, or its beginning.
    fn tier_of_name(&self, name: &str) -> Option<Tier> {
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

/// The tier of a match in another form of kana or Chinese characters: below what is found in the
/// same form, and such that the index is asked for it in that tier, too.
fn tier_of_variant(of_words: Tier, of_name: Tier) -> Tier {
    if of_words == Tier::Word && of_name >= Tier::Prefix { Tier::Word } else { Tier::Substring }
}

/// The texts of a customer. Each is read and folded once, when it is first needed: for most
/// customers the name is enough.
struct Texts<'c, C> {
    customer: &'c C,
    folded_name: OnceCell<String>,
    /// The texts of custom fields, as they are and folded.
    values: OnceCell<(Vec<String>, Vec<String>)>,
    normal_phones: OnceCell<Vec<String>>,
    phones_in_fields: OnceCell<Vec<Formed>>,
    normal_emails: OnceCell<Vec<String>>,
    folded_emails: OnceCell<Vec<String>>,
    emails_in_fields: OnceCell<Vec<Formed>>,
}

impl<'c, C: Candidate> Texts<'c, C> {
    fn of(customer: &'c C) -> Self {
        Texts {
            customer,
            folded_name: OnceCell::new(),
            values: OnceCell::new(),
            normal_phones: OnceCell::new(),
            phones_in_fields: OnceCell::new(),
            normal_emails: OnceCell::new(),
            folded_emails: OnceCell::new(),
            emails_in_fields: OnceCell::new(),
        }
    }

    fn folded_name(&self) -> &str {
        self.folded_name.get_or_init(|| fold(beginning(self.customer.name())))
    }

    /// The texts of custom fields, as they are and folded.
    fn values(&self) -> impl Iterator<Item = (&String, &String)> {
        let (texts, folded) = self.values.get_or_init(|| {
            let texts = self.customer.values();
            let folded = texts.iter().map(|text| fold(beginning(text))).collect();
            (texts, folded)
        });
        texts.iter().zip(folded)
    }

    fn normal_phones(&self) -> &[String] {
        self.normal_phones.get_or_init(|| self.customer.normal_phones())
    }

    fn phones_in_fields(&self) -> &[Formed] {
        self.phones_in_fields.get_or_init(|| self.customer.formed(Form::Phone))
    }

    fn normal_emails(&self) -> &[String] {
        self.normal_emails.get_or_init(|| self.customer.normal_emails())
    }

    fn folded_emails(&self) -> &[String] {
        let searched = || self.normal_emails().iter().take(MAX_SEARCHED_VALUES);
        self.folded_emails.get_or_init(|| searched().map(|email| fold(beginning(email))).collect())
    }

    fn emails_in_fields(&self) -> &[Formed] {
        self.emails_in_fields.get_or_init(|| self.customer.formed(Form::Email))
    }

    /// An e-mail address as it was typed. The normal forms leave out repeated addresses, and texts
    /// that are none. If that changes positions, the normal form is shown.
    fn email_as_typed(&self, n: usize) -> String {
        let (typed, normal) = (self.customer.emails(), self.normal_emails());
        let shown = if typed.len() == normal.len() { &typed } else { normal };
        shown.get(n).cloned().unwrap_or_default()
    }
}

fn found(tier: Tier, matched: &str) -> Match {
    Match { tier, matched: matched.to_owned() }
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
            ("高橋", "高橋", Some(Tier::WholeName)),
            ("髙橋", "高橋", Some(Tier::Word)),
            ("高橋", "髙橋 一郎", Some(Tier::Word)),
            ("高橋", "髙橋一郎", Some(Tier::Substring)),
            ("高橋", "一郎 髙橋", Some(Tier::Substring)),
            ("高橋", "一郎 高橋", Some(Tier::Word)),
            ("やまだ", "ヤマダ タロウ", Some(Tier::Word)),
            ("ﾔﾏﾀﾞ", "ヤマダ タロウ", Some(Tier::Prefix)),
            ("WA12345", "WA 12345", Some(Tier::Substring)),
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
    fn phones() {
        let phones = ["0912-345-678"];
        for query in ["+886 912 345 678", "0912345678", "00886-912-345-678", "(0912) 345678", "０９１２３４５６７８"]
        {
            assert_eq!(matching(query, "Tsai", &phones, &[], &[]), Some(found_exact("0912-345-678")), "{query}");
        }
        assert_eq!(matching("5678", "Tsai", &phones, &[], &[]).map(|found| found.tier), Some(Tier::Substring));
        assert_eq!(matching("678", "Tsai", &phones, &[], &[]), None);
        assert_eq!(matching("tsai 5678", "Tsai", &phones, &[], &[]).map(|found| found.tier), Some(Tier::Substring));

        // Beside other words, in each spelling and order; and each of the others must be found as
        // well.
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
    }

    #[test]
    fn emails() {
        let emails = ["Tsai.ML@Example.com"];
        assert_eq!(matching("tsai.ml@example.com", "X", &[], &emails, &[]), Some(found_exact("Tsai.ML@Example.com")));
        assert_eq!(matching("example", "X", &[], &emails, &[]).map(|found| found.tier), Some(Tier::Substring));

        // With words beside it, which must match: those of a label do.
        for query in [
            "Email tsai.ml@example.com",
            "Tsai tsai.ml@example.com",
            "tsai.ml@example.com X",
            "kontakt: tsai.ml%40example.com",
        ] {
            let name = if query.ends_with(" X") { "X" } else { "Tsai" };
            assert_eq!(matching(query, name, &[], &emails, &[]), Some(found_exact("Tsai.ML@Example.com")), "{query}");
        }
        assert_eq!(matching("Nobody tsai.ml@example.com", "Tsai", &[], &emails, &[]), None);

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
    }

    #[test]
    fn values() {
        for (query, value) in [("WA12345", "WA 12345"), ("wa12345", "Nr. WA-12345/2"), ("12345wa", "12345 WA")] {
            assert_eq!(matching(query, "X", &[], &[], &[value]), Some(found(Tier::Substring, value)), "{query}");
        }
        for (query, value) in
            [("WA12345", "WA 123456"), ("WA12345", "WAB 12345"), ("WA12345", "12345 WA"), ("W1A2", "W 1 A 2")]
        {
            assert_eq!(matching(query, "X", &[], &[], &[value]), None, "{query}");
        }

        assert_eq!(matching("ct-4411", "X", &[], &[], &["CT-4411"]).map(|found| found.matched), Some("CT-4411".into()));
    }

    fn found_exact(matched: &str) -> Match {
        found(Tier::Exact, matched)
    }
}
