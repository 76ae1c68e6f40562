//! A search query: what the text that somebody typed may mean.

use super::fold::{fold, fold_exactly, one_word_per_character, words};
use super::form;
use super::word::Word;
use crate::contact;
use crate::text::without_invisible;

pub const MAX_CHARACTERS: usize = 1000;
pub const MAX_WORDS: usize = 50;

pub struct Query {
    pub folded: String,
    pub words: Vec<Word>,
    /// The normal forms in which the whole query may be stored, if it is a phone: the best first.
    pub phones: Vec<String>,
    /// The digits of a query that is written like a phone number, if they are enough to look for as
    /// an ending.
    pub digits: Option<String>,
    /// The e-mail address in the query, in normal form.
    pub email: Option<String>,
    /// The words beside the address, all of which must match, too.
    pub beside_email: Vec<Word>,
    /// The whole query as part of an e-mail address, folded.
    pub email_part: Option<String>,
    pub id: Option<[u8; 16]>,
    /// The number of the ticket and the external id of the interaction that the whole query may be; no ticket has the number 0.
    pub about: Option<(i64, String)>,
    /// Phone numbers are read by the rules of this country.
    pub country: Option<String>,
    /// The numbers and dates that the whole query may be.
    pub values: Vec<String>,
}

impl Query {
    /// The query that a text is. None if the text is longer than a query may be.
    pub fn parse(text: &str, country: Option<&str>) -> Option<Query> {
        if text.chars().nth(MAX_CHARACTERS).is_some() {
            return None;
        }
        let about = about(text.trim());
        let text = without_invisible(text);
        let text = text.trim();
        let folded = fold(&contact::with_readable_domain(text));
        let mut words: Vec<Word> = words(&folded).map(Word::new).collect();
        if words.len() > MAX_WORDS {
            return None;
        }
        note_exact(&mut words, &folded, text);
        let phone = contact::asked(text, country);
        if !phone.is_phone {
            note_phones(&mut words, text, country);
        }
        let email_part = Some(folded.trim()).filter(|part| words.len() > 1 && may_be_part_of_email(part));
        if email_part.is_some_and(says_little_before_its_domain) {
            words.iter_mut().for_each(|word| word.whole_only = !word.anywhere);
        }
        let email_part = email_part.map(str::to_owned);
        let email = contact::email_among(text);
        let beside_email = email.as_ref().map(|email| fold(&email.beside)).unwrap_or_default();
        Some(Query {
            folded,
            words,
            phones: phone.forms,
            digits: contact::looks_like_phone(text).then(|| contact::digits(text)),
            email: email.map(|email| email.address),
            beside_email: self::words(&beside_email).map(Word::new).collect(),
            email_part,
            id: crate::name::parse_id(text).map(|id| *id),
            about,
            country: country.map(str::to_owned),
            values: form::values(text),
        })
    }

    /// Whether there is nothing to look for: the text has only blanks and punctuation.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// Whether `typos` typos are looked for in any of its words.
    pub fn takes_typos(&self, typos: usize) -> bool {
        self.words.iter().any(|word| word.typos >= typos)
    }
}

/// The number of a ticket, as in `17` or `#17`, and the external id that a text may be. A text without a digit is taken for neither: a search
/// for a name looks at no ticket.
fn about(text: &str) -> Option<(i64, String)> {
    if !text.bytes().any(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits = text.strip_prefix('#').unwrap_or(text);
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    Some((digits.parse().ok().filter(|_| is_number).unwrap_or(0), text.to_owned()))
}

/// Whether a folded text joins its words as an e-mail address does.
fn may_be_part_of_email(text: &str) -> bool {
    text.contains(['@', '.', '-', '_', '+']) && !text.contains(char::is_whitespace)
}

/// Whether a part of an e-mail address has only words before its `@` that are too short to be
/// looked for anywhere. If such words were beginnings of names, the query would find everybody at
/// that domain whose name begins with those letters.
fn says_little_before_its_domain(part: &str) -> bool {
    part.rsplit_once('@').is_some_and(|(before, _)| {
        let mut before = words(before).map(Word::new).peekable();
        before.peek().is_some() && before.all(|word| !word.anywhere)
    })
}

/// Gives each word with kana or Chinese characters its form as it is typed.
fn note_exact(query: &mut [Word], folded: &str, text: &str) {
    if !folded.contains(one_word_per_character) {
        return;
    }
    let exact = fold_exactly(&contact::with_readable_domain(text));
    if words(&exact).count() != query.len() {
        return;
    }
    for (word, exact) in query.iter_mut().zip(words(&exact)) {
        word.exact = Some(exact.to_owned()).filter(|exact| exact.contains(one_word_per_character));
    }
}

/// Gives each word the phone number that it is part of.
fn note_phones(query: &mut [Word], text: &str, country: Option<&str>) {
    for (pieces, phones) in contact::phones_among(text, country) {
        for piece in pieces {
            let piece = fold(piece);
            for text in words(&piece) {
                query.iter_mut().filter(|word| word.text == text).for_each(|word| word.phones.clone_from(&phones));
            }
        }
    }
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    #[test]
    fn tickets_and_external_ids() {
        let about = |text| Query::parse(text, None).and_then(|query| query.about);
        assert_eq!(about("17"), Some((17, "17".to_owned())));
        assert_eq!(about(" #17 "), Some((17, "#17".to_owned())));
        assert_eq!(about("call-17"), Some((0, "call-17".to_owned())));
        assert_eq!(about("+17").map(|(ticket, _)| ticket), Some(0));
        assert_eq!(about("-1").map(|(ticket, _)| ticket), Some(0));
        assert_eq!(about("99999999999999999999").map(|(ticket, _)| ticket), Some(0));
        assert_eq!(about("Tsai"), None);
    }

    #[test]
    fn limits() {
        assert!(Query::parse(&"x".repeat(MAX_CHARACTERS + 1), None).is_none());
        assert!(Query::parse(&"x ".repeat(MAX_WORDS + 1), None).is_none());
        assert!(Query::parse(&"x ".repeat(MAX_WORDS), None).is_some());
    }
}
