//! An expression over keys: what a query looks for in the index.

use super::key::long_word::WordEnd;

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Term {
    Key(i64),
    /// Any key from the first to the second.
    Range(i64, i64),
    All(Vec<Term>),
    /// With no members it finds nothing.
    Any(Vec<Term>),
}

/// Up to this many alternatives, equal ones are removed. Where there are more, they are spellings
/// of one word with typos, which differ.
const MAX_COMPARED: usize = 16;

impl Term {
    pub const NOTHING: Term = Term::Any(Vec::new());

    /// All of the terms. Without any term it finds nothing, because a query without words finds
    /// nothing.
    pub fn all(mut terms: Vec<Term>) -> Term {
        match terms.len() {
            0 => Term::NOTHING,
            1 => terms.pop().unwrap_or(Term::NOTHING),
            _ if terms.iter().any(Term::is_nothing) => Term::NOTHING,
            _ => Term::All(terms),
        }
    }

    pub fn any(terms: Vec<Term>) -> Term {
        let mut distinct = Vec::with_capacity(terms.len());
        // A phone number is often looked for as a number, as digits, and as a word, which have the
        // same key.
        let mut add = |term: Term| {
            if distinct.len() > MAX_COMPARED || !distinct.contains(&term) {
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

    pub fn any_key(keys: impl IntoIterator<Item = i64>) -> Term {
        Term::any(keys.into_iter().map(Term::Key).collect())
    }

    /// The keys from the first to the last, which may be the same.
    pub fn range((first, last): (i64, i64)) -> Term {
        if first == last { Term::Key(first) } else { Term::Range(first, last) }
    }

    /// Any long word with one of these beginnings or endings.
    pub fn any_with_end(ends: &[WordEnd]) -> Term {
        Term::any(ends.iter().map(|end| end.range()).map(|(first, last)| Term::Range(first, last)).collect())
    }

    pub fn is_nothing(&self) -> bool {
        matches!(self, Term::Any(members) if members.is_empty())
    }

    pub fn and(self, other: Term) -> Term {
        Term::all(vec![self, other])
    }

    pub fn or(self, other: Term) -> Term {
        Term::any(vec![self, other])
    }
}
