//! Phone numbers and e-mail addresses in the form that look-ups compare.

mod address;
mod email;
#[cfg(test)]
mod examples;
mod label;
mod number;
mod parse;
mod phone;
mod pieces;
mod plain;
mod reader;
mod reading;
mod renumbered;
mod run;
mod sql;

pub use email::{bare_email, email_among, normal_email, with_readable_domain};
pub use number::is_country;
pub use phone::{
    MIN_SUFFIX_DIGITS, asked, digits, is_phone, looks_like_phone, normal_phones as forms_of_phone, phones_among,
    unique_phone,
};

/// The most phones that a customer may have.
const MAX_PHONES: usize = 64;

/// The most normal forms of one customer's phones: the numbers in each, and the text as written.
/// Look-ups read all of them.
pub const MAX_PHONE_FORMS: usize = MAX_PHONES * (reader::MAX_NUMBERS + 1);

/// The most e-mail addresses that a customer may have.
const MAX_EMAILS: usize = 64;
