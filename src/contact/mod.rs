//! Phone numbers and e-mail addresses in the form that look-ups compare.

mod email;
mod number;
mod phone;
mod reading;

pub use email::{normal_email, with_readable_domain};
pub use number::is_country;
pub use phone::{
    MIN_SUFFIX_DIGITS, asked, digits, is_phone, looks_like_phone, normal_phones as forms_of_phone, phones_among,
    unique_phone,
};

use crate::error::{self, Result};
use crate::text::without_invisible;
use crate::{owner, session};
use pgrx::datum::{Array, Uuid};
use pgrx::prelude::*;
use std::borrow::Cow;
use std::collections::HashSet;
use unicode_normalization::UnicodeNormalization;

/// The text without differences of width and without invisible characters; of ASCII, which most numbers are, itself.
fn plain(text: &str) -> Cow<'_, str> {
    if text.is_ascii() { Cow::Borrowed(text) } else { Cow::Owned(without_invisible(text).nfkc().collect()) }
}

/// Phones that a customer may have.
const MAX_PHONES: usize = 64;

/// Normal forms of one customer's phones, of each its numbers and how it is written. Look-ups go through all of them.
pub const MAX_PHONE_FORMS: usize = MAX_PHONES * (reading::MAX_NUMBERS + 1);

/// Normal forms of one customer's e-mail addresses that are kept. Look-ups go through the first 64.
const MAX_EMAIL_FORMS: usize = 1000;

/// The normal forms of a customer's phones, without repetition, by the country of the owner (not necessarily the
/// session's: whoever writes the row, it reads the same). Error 23514: too many phones.
#[pg_extern(sql = false)]
fn normal_phones(phones: Array<'_, &str>, owner: Uuid) -> Result<Vec<String>> {
    if phones.len() > MAX_PHONES {
        return Err(error::too_many_phones(MAX_PHONES));
    }
    let country = owner::by_id(owner)?.and_then(|owner| owner.country);
    Ok(distinct(&phones, MAX_PHONE_FORMS, |phone| forms_of_phone(phone, country.as_deref())))
}

/// The normal forms of a customer's e-mail addresses, without repetition.
#[pg_extern(sql = false)]
fn normal_emails(emails: Array<'_, &str>) -> Vec<String> {
    distinct(&emails, MAX_EMAIL_FORMS, normal_email)
}

/// A list may hold many millions of texts: none is copied, and it can be cancelled between them.
fn distinct<F: IntoIterator<Item = String>>(
    texts: &Array<'_, &str>,
    most: usize,
    forms: impl Fn(&str) -> F,
) -> Vec<String> {
    let mut seen = HashSet::new();
    let forms = texts.iter().flatten().flat_map(|text| {
        pgrx::check_for_interrupts!();
        forms(text)
    });
    forms.filter(|form| seen.insert(form.clone())).take(most).collect()
}

/// The normal forms of a phone number that somebody looks for, best first, by the country of the session's owner.
#[pg_extern(sql = false)]
fn phones_to_find(phone: &str) -> Result<Vec<String>> {
    Ok(phone::phones_to_find(phone, session::context()?.owner.country.as_deref()))
}

/// The best of them.
#[pg_extern(sql = false)]
fn phone_to_find(phone: &str) -> Result<Option<String>> {
    Ok(phones_to_find(phone)?.into_iter().next())
}

/// The normal form of an e-mail address that somebody looks for.
#[pg_extern(sql = false)]
fn email_to_find(email: &str) -> Option<String> {
    normal_email(email)
}
