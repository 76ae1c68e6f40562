//! Changing what is defined where values exist: the lock that keeps writers out meanwhile, the check of patterns, the
//! conversion of values to another type, and the forms in which the values of unique fields are compared.

use super::definition::{self, Options, texts_of};
use super::kind::Type;
use super::storage_key_of;
use crate::catalog;
use crate::error::{self, Result};
use crate::jsonb::{Jsonb, Kind, New, Value};
use crate::session::{self, Context};
use pgrx::AnyNumeric;
use pgrx::datum::Uuid;
use pgrx::prelude::*;
use siphasher::sip::SipHasher13;
use std::borrow::Cow;
use std::hash::Hasher;

/// Digits of a text that is read as a number, and of its exponent.
const MAX_NUMBER_CHARACTERS: usize = 1000;
const MAX_EXPONENT_DIGITS: usize = 3;

/// Locks the definitions of an owner's fields against changes that go with all values of a field, until the transaction
/// ends. Any number of writers of values hold it at once. It is a lock of PostgreSQL's lock manager on an object of its
/// own for each owner: no row is written for it, and no SQL that a client can run takes it.
pub fn share_definitions(context: &Context) -> Result<()> {
    // They are read for each context anew, and with them which table they are in.
    context.fields()?;
    lock(catalog::oid_of(catalog::Source::Field), context.owner.id, pg_sys::RowExclusiveLock as _);
    Ok(())
}

fn lock(table: pg_sys::Oid, owner: Uuid, mode: pg_sys::LOCKMODE) {
    let mut hasher = SipHasher13::new_with_key(b"ringfence fields");
    hasher.write(owner.as_bytes());
    // Should two owners share a number, they wait for each other, and nothing else.
    let number = hasher.finish();
    let object = pg_sys::Oid::from(number as u32);
    // SAFETY: takes a lock inside a transaction, as every caller runs in one, and reads pending invalidations then.
    unsafe { pg_sys::LockDatabaseObject(table, object, (number >> 48) as u16, mode) }
}

/// See [`keep_writers_out`]: for the session's owner.
#[pg_extern(sql = false)]
fn lock_definitions() -> Result<bool> {
    keep_writers_out(session::context()?.owner.id)
}

/// Keeps writers of an owner's values out until the transaction ends. Error 25001 in a transaction with one snapshot, which
/// would not see what was written before the lock was there.
pub fn keep_writers_out(owner: Uuid) -> Result<bool> {
    // SAFETY: reads a variable of the backend.
    if unsafe { pg_sys::XactIsoLevel } >= pg_sys::XACT_REPEATABLE_READ as i32 {
        return Err(error::needs_read_committed());
    }
    lock(catalog::table_oid(c"field"), owner, pg_sys::ShareRowExclusiveLock as _);
    Ok(true)
}

/// True, or error 22023 that says why it cannot be a pattern.
#[pg_extern(sql = false)]
fn check_pattern(pattern: &str) -> Result<bool> {
    definition::compile(pattern).map(|_| true).map_err(|reason| error::bad_pattern(&reason))
}

fn parse(kind: &str) -> Result<Type> {
    Type::named(kind).ok_or_else(|| error::unknown_field_type(kind))
}

/// The stored values of a customer with that of one field converted to another type; NULL where it does not convert.
#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn convert_value(
    stored: Jsonb,
    field: Uuid,
    from_type: &str,
    from_options: Option<Vec<String>>,
    from_ids: Option<Vec<i32>>,
    to_type: &str,
    to_options: Option<Vec<String>>,
    to_ids: Option<Vec<i32>>,
) -> Result<Option<Jsonb>> {
    let options = |names: Option<Vec<String>>, ids: Option<Vec<i32>>| {
        Options::new(names.unwrap_or_default(), Vec::new(), ids.unwrap_or_default())
    };
    let (from, from_options) = (parse(from_type)?, options(from_options, from_ids));
    let (to, to_options) = (parse(to_type)?, options(to_options, to_ids));
    let key = storage_key_of(field);
    let mut converted = Vec::new();
    for member in stored.members().into_iter().flatten() {
        pgrx::check_for_interrupts!();
        let value = if member.name == key {
            match convert(texts(member.value, from, &from_options), to, &to_options) {
                Some(value) => value,
                None => return Ok(None),
            }
        } else {
            New::Kept(member.value)
        };
        converted.push((member.name, value));
    }
    Ok(Some(Jsonb::object(converted)))
}

/// A stored value as text: one, or of a choice of several as many as there are.
fn texts(value: Value, kind: Type, options: &Options) -> Vec<String> {
    match kind {
        Type::Choice | Type::Choices => texts_of(value).map(|id| options.name_of(id).to_owned()).collect(),
        Type::Boolean => value.boolean().map(|truth| truth.to_string()).into_iter().collect(),
        _ => value.texts().map(Cow::into_owned).collect(),
    }
}

fn convert(texts: Vec<String>, to: Type, options: &Options) -> Option<New<'static>> {
    let id = |name: &String| options.id_of(name, false).map(Cow::Owned);
    match (to, &texts[..]) {
        (Type::Choices, names) => Some(New::Texts(names.iter().map(id).collect::<Option<_>>()?)),
        (Type::Text, texts) => Some(New::Text(texts.join(", ").into())),
        (Type::Choice, [name]) => id(name).map(New::Text),
        (Type::Number, [text]) => number(text.trim()).map(New::Number),
        (Type::Boolean, [text]) => text.trim().parse().ok().map(New::Boolean),
        (_, [text]) => to.stored_form(text.trim()).map(|form| New::Text(form.into_owned().into())),
        _ => None,
    }
}

/// A number as JSON writes it.
fn number(text: &str) -> Option<AnyNumeric> {
    if is_number(text) { AnyNumeric::try_from(text).ok() } else { None }
}

fn is_number(text: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (mantissa, exponent) = text.split_once(['e', 'E']).map_or((text, None), |(m, e)| (m, Some(e)));
    let mantissa = mantissa.strip_prefix('-').unwrap_or(mantissa);
    let (whole, fraction) = mantissa.split_once('.').map_or((mantissa, None), |(w, f)| (w, Some(f)));
    text.len() <= MAX_NUMBER_CHARACTERS
        && digits(whole)
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|exponent| {
            let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
            digits(exponent) && exponent.len() <= MAX_EXPONENT_DIGITS
        })
}

/// The form of a stored value in which two values are the same, if it counts as one.
fn unique_form_of(value: Value, kind: Type, country: Option<&str>) -> Option<String> {
    match value.kind() {
        Kind::Number => value.number().map(|number| number.normalize().to_owned()),
        Kind::Boolean => value.boolean().map(|truth| truth.to_string()),
        Kind::Array => {
            let mut ids: Vec<&str> = texts_of(value).collect();
            ids.sort_unstable();
            Some(ids.join(",")).filter(|ids| !ids.is_empty())
        }
        _ => value.text().and_then(|text| kind.unique_form(text, country)),
    }
}

/// The form of one field's value among stored values, read as a value of that type.
#[pg_extern(sql = false)]
fn unique_form(stored: Jsonb, field: Uuid, kind: &str) -> Result<Option<String>> {
    let kind = parse(kind)?;
    let context = session::context()?;
    let value = stored.member(&storage_key_of(field));
    Ok(value.and_then(|value| unique_form_of(value, kind, context.owner.country.as_deref())))
}

/// The forms of the values of all unique fields of the session's owner, also those that it does not see.
#[pg_extern(sql = false)]
fn unique_forms(stored: Jsonb) -> Result<TableIterator<'static, (name!(field_id, Uuid), name!(form, String))>> {
    let context = session::context()?;
    let country = context.owner.country.as_deref();
    let mut forms = Vec::new();
    for field in context.fields()?.unique() {
        let value = stored.member(&field.key);
        forms.extend(value.and_then(|value| unique_form_of(value, field.kind, country)).map(|form| (field.id, form)));
    }
    Ok(TableIterator::new(forms))
}

/// Whether the session's owner has fields whose values are unique.
#[pg_extern(sql = false)]
fn has_unique_fields() -> Result<bool> {
    Ok(!session::context()?.fields()?.unique().is_empty())
}

/// Error 23505 for a unique field.
#[pg_extern(sql = false)]
fn refuse_duplicate(field: Uuid) -> Result<bool> {
    let context = session::context()?;
    Err(error::duplicate_value(context.fields()?.by_id(field).map(|field| field.name.as_str())))
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    #[test]
    fn numbers() {
        for good in ["0", "-12", "12.50", "1e3", "1.5E-10", &"9".repeat(1000)] {
            assert!(is_number(good), "{good}");
        }
        for bad in
            ["", "-", "+1", ".5", "5.", "1e", "1e1234", "NaN", "Infinity", "0x1", "1 2", "1,5", "１", &"9".repeat(1001)]
        {
            assert!(!is_number(bad), "{bad}");
        }
    }
}
