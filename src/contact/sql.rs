//! The functions of `sql/contact.sql`.

use super::{MAX_EMAILS, MAX_PHONE_FORMS, MAX_PHONES, forms_of_phone, normal_email, phone};
use crate::error::{self, ErrorReport, Result};
use crate::{owner, session};
use pgrx::datum::{Array, Uuid};
use pgrx::prelude::*;
use std::cell::RefCell;
use std::collections::HashSet;

/// The normal forms of a customer's phones, without repetition, by the country of the customer's
/// owner, which need not be the session's. Error 23514: too many phones.
#[pg_extern(sql = false)]
fn normal_phones(phones: Array<'_, &str>, owner: Uuid) -> Result<Vec<String>, ErrorReport> {
    if phones.len() > MAX_PHONES {
        return Err(error::too_many_phones(MAX_PHONES).into());
    }
    let country = owner::by_id(owner)?.and_then(|owner| owner.country);
    Ok(distinct(&phones, MAX_PHONE_FORMS, |phone| forms_of_phone(phone, country.as_deref())))
}

/// The normal forms of a customer's e-mail addresses, without repetition. Error 23514: too many
/// addresses.
#[pg_extern(sql = false)]
fn normal_emails(emails: Array<'_, &str>) -> Result<Vec<String>, ErrorReport> {
    if emails.len() > MAX_EMAILS {
        return Err(error::too_many_emails(MAX_EMAILS).into());
    }
    Ok(distinct(&emails, MAX_EMAILS, normal_email))
}

/// A list may hold many millions of texts, so none is copied, and the work can be cancelled between
/// two of them.
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

/// A phone that was looked for, and the forms that it was read as.
struct ReadPhone {
    /// Kept for this owner alone: the time that a look-up takes must not tell another owner that
    /// somebody looked for the phone.
    owner: Uuid,
    country: Option<String>,
    phone: String,
    forms: Vec<String>,
}

thread_local! {
    /// `find_by_phone()` asks three times for the forms of the same phone.
    static LAST_READ_PHONE: RefCell<Option<ReadPhone>> = const { RefCell::new(None) };
}

/// The most bytes of a phone that is kept.
const MAX_KEPT_BYTES: usize = 100;

/// The normal forms of a phone number that somebody looks for, best first, by the country of the
/// session's owner.
#[pg_extern(sql = false)]
fn phones_to_find(phone: &str) -> Result<Vec<String>, ErrorReport> {
    let context = session::context()?;
    let (owner, country) = (context.owner.id, context.owner.country.as_deref());
    let kept = LAST_READ_PHONE.with_borrow(|last| {
        let is_it =
            |last: &&ReadPhone| last.phone == phone && last.owner == owner && last.country.as_deref() == country;
        last.as_ref().filter(is_it).map(|last| last.forms.clone())
    });
    if let Some(forms) = kept {
        return Ok(forms);
    }
    let forms = phone::phones_to_find(phone, country);
    if phone.len() <= MAX_KEPT_BYTES {
        let (country, phone) = (country.map(str::to_owned), phone.to_owned());
        LAST_READ_PHONE.set(Some(ReadPhone { owner, country, phone, forms: forms.clone() }));
    }
    Ok(forms)
}

/// The likeliest of these forms.
#[pg_extern(sql = false)]
fn phone_to_find(phone: &str) -> Result<Option<String>, ErrorReport> {
    Ok(phones_to_find(phone)?.into_iter().next())
}

/// The normal form of an e-mail address that somebody looks for.
#[pg_extern(sql = false)]
fn email_to_find(email: &str) -> Option<String> {
    normal_email(email)
}
