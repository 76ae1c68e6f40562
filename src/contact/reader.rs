//! What reads the numbers of one text, and how much it may do for that.

use super::number::{Number, number};
use std::cell::Cell;

/// The most numbers that are read from one text.
pub(super) const MAX_NUMBERS: usize = 16;

/// The most words that a number is written in.
pub(super) const PIECES: usize = 16;

/// The most calls of libphonenumber's parser for one text.
const MAX_ATTEMPTS: usize = 200;

/// Reads the numbers of a text by the rules of a country, with a bound on what that may cost.
pub(super) struct Reader<'a> {
    pub(super) country: Option<&'a str>,
    attempts: Cell<usize>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(country: Option<&'a str>) -> Self {
        Reader { country, attempts: Cell::new(MAX_ATTEMPTS) }
    }

    /// The number that a text without letters is.
    pub(super) fn number(&self, text: &str) -> Option<Number> {
        if self.may_try() { number(text, self.country) } else { None }
    }

    /// Whether another number may be parsed; it counts as one.
    pub(super) fn may_try(&self) -> bool {
        let attempts = self.attempts.get().checked_sub(1);
        self.attempts.set(attempts.unwrap_or_default());
        attempts.is_some()
    }

    /// The same, if it is a valid one.
    pub(super) fn valid(&self, text: &str) -> Option<Number> {
        self.number(text).filter(|number| number.is_valid)
    }
}
