//! Keys of phones and e-mail addresses in normal form.

use super::hash::{FieldKeys, KeyKind};
use crate::search::bounds::beginning;
use std::iter;

/// A number's key tells its last digits apart in two groups of this many. The last group is hashed.
const GROUP_DIGITS: usize = 4;

/// The bits of a key of [`KeyKind::NumberEnd`] that hold the group before the last as a number, up
/// to 9999.
const GROUP_MASK: i64 = (1 << 14) - 1;

impl FieldKeys {
    /// The first and the last key of the phone numbers that end with these digits, of which the
    /// last eight count. Numbers that end alike have neighbouring keys. A number of fewer than four
    /// digits is found only as a whole.
    pub fn of_number_end(&self, normal: &str) -> (i64, i64) {
        let Some((before, last)) = last_digits(normal) else {
            let whole = self.of_whole_phone(normal);
            return (whole, whole);
        };
        let all = self.of_bytes(KeyKind::NumberEnd, last) & !GROUP_MASK;
        // Begin with the digit beside the last group, so that the digits that are missing come
        // last.
        let with = |missing: u8| {
            let digits = before.iter().rev().copied().chain(iter::repeat(missing)).take(GROUP_DIGITS);
            digits.fold(0, |number, digit| number * 10 + i64::from(digit - b'0'))
        };
        (all | with(b'0'), all | with(b'9'))
    }

    /// A phone as a whole. One that is no number is found as it is written, because texts that end
    /// with the same digits are other phones.
    pub fn of_phone(&self, normal: &str) -> i64 {
        if normal.trim_start_matches('+').bytes().all(|byte| byte.is_ascii_digit()) {
            self.of_number_end(normal).0
        } else {
            self.of_whole_phone(normal)
        }
    }

    fn of_whole_phone(&self, normal: &str) -> i64 {
        self.of_bytes(KeyKind::WholePhone, beginning(normal).as_bytes())
    }

    /// An e-mail address as a whole.
    pub fn of_address(&self, normal: &str) -> i64 {
        self.of_bytes(KeyKind::Address, beginning(normal).as_bytes())
    }
}

/// The last four digits of a phone number in normal form, after up to four digits before them. None
/// if there are fewer than four.
fn last_digits(normal: &str) -> Option<(&[u8], &[u8])> {
    let bytes = normal.as_bytes();
    let digits = bytes.iter().rev().take(2 * GROUP_DIGITS).take_while(|byte| byte.is_ascii_digit()).count();
    bytes.split_at(bytes.len() - digits).1.split_at_checked(digits.checked_sub(GROUP_DIGITS)?)
}

#[cfg(test)]
mod unit_tests {
    use super::super::hash::PHONES;
    use super::*;

    #[test]
    fn numbers_that_end_alike_follow_each_other() {
        let keys = FieldKeys::of(&[3; 16], PHONES);
        let stored = |normal: &str| keys.of_number_end(normal).0;
        for normal in ["+48601234567", "601234567", "234567", "34567", "4567", "+999999999999999", "0000"] {
            let digits = normal.trim_start_matches('+');
            for ending in (4..=digits.len()).map(|count| &digits[digits.len() - count..]) {
                let (first, last) = keys.of_number_end(ending);
                assert!((first..=last).contains(&stored(normal)), "{ending} of {normal}");
                assert!(ending.len() < 8 || first == last, "{ending}");
            }
        }
        let is_found = |ending: &str, normal: &str| {
            let (first, last) = keys.of_number_end(ending);
            (first..=last).contains(&stored(normal))
        };
        assert!(!is_found("34567", "+48601244567") && !is_found("4567", "+48601234566"));
        assert!(!is_found("01234567", "+48611234567") && is_found("1234567", "+48611234567"));
        for short in ["112", "1", "", "*", "12x345"] {
            assert_eq!(keys.of_number_end(short).0, keys.of_number_end(short).1, "{short}");
            assert_ne!(stored(short), stored("112112"), "{short}");
        }
    }
}
