//! Phone numbers and e-mail addresses in the form that look-ups compare.

mod email;
mod phone;

pub use email::{normal_email, with_readable_domain};
pub use phone::{MIN_SUFFIX_DIGITS, digits, is_country, looks_like_phone, normal_phone, phones_among, whole_phone};

use crate::error::Result;
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

/// Normal forms of one customer that are kept, of phones and of e-mail addresses. Look-ups go through the first 64.
const MAX_FORMS: usize = 1000;

/// The normal forms of a customer's phones, without repetition, by the country of the owner (not necessarily the
/// session's: whoever writes the row, it reads the same).
#[pg_extern(sql = false)]
fn normal_phones(phones: Array<'_, &str>, owner: Uuid) -> Result<Vec<String>> {
    let country = owner::by_id(owner)?.and_then(|owner| owner.country);
    Ok(distinct(&phones, |phone| normal_phone(phone, country.as_deref())))
}

/// The normal forms of a customer's e-mail addresses, without repetition.
#[pg_extern(sql = false)]
fn normal_emails(emails: Array<'_, &str>) -> Vec<String> {
    distinct(&emails, normal_email)
}

/// A list may hold many millions of texts: none is copied, and it can be cancelled between them.
fn distinct(texts: &Array<'_, &str>, form: impl Fn(&str) -> Option<String>) -> Vec<String> {
    let mut seen = HashSet::new();
    let forms = texts.iter().filter_map(|text| {
        pgrx::check_for_interrupts!();
        form(text?)
    });
    forms.filter(|form| seen.insert(form.clone())).take(MAX_FORMS).collect()
}

/// The normal form of a phone number that somebody looks for, by the country of the session's owner.
#[pg_extern(sql = false)]
fn phone_to_find(phone: &str) -> Result<Option<String>> {
    Ok(normal_phone(phone, session::context()?.owner.country.as_deref()))
}

/// The normal form of an e-mail address that somebody looks for.
#[pg_extern(sql = false)]
fn email_to_find(email: &str) -> Option<String> {
    normal_email(email)
}
