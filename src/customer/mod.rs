//! Customers' custom values: stored by field, shown and written by name, and only those that the session may.

// `visible_attributes_fast()` and the triggers of the card alone are plain frames: see `pg`.
#![allow(ffi_unwind_calls)]

mod card;
pub mod day;
mod propose;
mod stamp;
mod statement;
pub mod stored_row;

use crate::authority::judge;
use crate::error::{self, ErrorReport, Result};
use crate::field::{self, VisibleField, VisibleFields};
use crate::jsonb::{self, Container, Jsonb, Kind, Member, New, Value};
use crate::pg::{unguarded, version_1};
use crate::session::{self, fast};
use pgrx::prelude::*;
use std::borrow::Cow;
use std::cell::RefCell;

/// The stored values as this session sees them: by field name, without the fields that it does not see.
#[pg_extern(sql = false)]
fn visible_attributes(stored: Jsonb) -> Result<Jsonb, ErrorReport> {
    Ok(visible(stored)?)
}

fn visible(stored: Jsonb) -> Result<Jsonb> {
    let context = session::context()?;
    let fields = context.fields()?;
    Ok(Jsonb::object(shown(fields, stored.root())))
}

/// By name, in the order in which jsonb keeps names.
fn shown<'a>(fields: &'a VisibleFields, stored: Container<'a>) -> Vec<(&'a str, New<'a>)> {
    let mut seen: Vec<_> = fields.seen_of(stored).collect();
    seen.sort_unstable_by_key(|(field, _)| field.rank);
    seen.into_iter().map(|(field, value)| (field.name.as_str(), field.show(value))).collect()
}

thread_local! {
    /// A row's values as they are shown, until PostgreSQL has them.
    static SHOWN: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// What is kept of [`SHOWN`] from one row to the next.
const SHOWN_KEPT: usize = 1 << 16;

/// `visible_attributes()` for each row: where the context in force is known, without pgrx's guards around each call to
/// PostgreSQL. A plain frame: see `pg`.
///
/// # Safety
/// For PostgreSQL to call, as a strict function of version 1 with an argument of type jsonb.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn visible_attributes_fast(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: as promised by the caller: one argument, which is not NULL.
    unsafe { shown_as_datum((*call).args.as_slice(1)[0].value) }
}

/// Stored values as the session sees them.
///
/// # Safety
/// `stored` must be of type jsonb, and not NULL. Under plain frames only.
unsafe fn shown_as_datum(stored: pg_sys::Datum) -> pg_sys::Datum {
    // SAFETY: as promised by the caller. While the answer is read no function of PostgreSQL's is called; what is allocated is as large as
    // what is copied into it.
    unsafe {
        let stored = unguarded::pg_detoast_datum(stored.cast_mut_ptr());
        let length = fast::answer(|context| {
            let stored = Jsonb::of(stored);
            let shown = shown(context.known_fields()?, stored.root());
            SHOWN.with(|buffer| {
                let mut buffer = buffer.try_borrow_mut().ok()?;
                buffer.clear();
                buffer.shrink_to(SHOWN_KEPT);
                jsonb::write_object(&mut buffer, &shown).is_ok().then_some(buffer.len())
            })
        });
        let Some(length) = length.flatten() else {
            return shown_the_long_way(stored);
        };
        let result = unguarded::palloc(length).cast::<u8>();
        let copied = SHOWN.with(|buffer| {
            let buffer = buffer.try_borrow().ok()?;
            result.copy_from_nonoverlapping(buffer.get(..length)?.as_ptr(), length);
            Some(result)
        });
        match copied {
            Some(result) => result.into(),
            None => shown_the_long_way(stored),
        }
    }
}

version_1!(pg_finfo_visible_attributes_fast);

/// # Safety
/// `stored` must be of type jsonb, and detoasted.
#[pg_guard]
unsafe extern "C-unwind" fn shown_the_long_way(stored: *mut pg_sys::varlena) -> pg_sys::Datum {
    // SAFETY: as promised by the caller.
    let stored = unsafe { Jsonb::of(stored) };
    error::raised(visible(stored)).into_datum().unwrap_or(pg_sys::Datum::null())
}

/// The names of the fields that are masked for this session.
#[pg_extern(sql = false)]
fn masked_fields() -> Result<Vec<String>, ErrorReport> {
    Ok(session::context()?.fields()?.masked().iter().map(|field| field.name.clone()).collect())
}

/// The stored values after a session changed what it sees from `before` to `after`, both by field name. What differs
/// between the two is written, everything else stays as it is stored, so that of two sessions that write different
/// fields at once neither undoes the other. A JSON null removes the value.
///
/// Errors: 42501 a field that the session does not see, or may not write; 22023 a value that is not one of the field;
/// 23502 a required field that loses its value.
#[pg_extern(sql = false)]
fn write_attributes(stored: Jsonb, before: Jsonb, after: Jsonb) -> Result<Jsonb, ErrorReport> {
    Ok(written(stored, before, after)?)
}

fn written(stored: Jsonb, before: Jsonb, after: Jsonb) -> Result<Jsonb> {
    let differs = |member: &Member| {
        pgrx::check_for_interrupts!();
        !before.member(member.name).is_some_and(|previous| previous.same_as(member.value))
    };
    // Many millions may be given: each is looked at by itself, and the first that is no field is refused.
    let mut written = after.members().ok_or_else(error::attributes_not_object)?.filter(differs).peekable();
    let old_names = before.members().into_iter().flatten().map(|member| member.name);
    let mut removed: Vec<&str> = old_names.filter(|name| after.member(name).is_none()).collect();
    removed.sort_unstable();
    if written.peek().is_none() && removed.is_empty() {
        return Ok(stored);
    }
    // From here to the end of the transaction no definition is changed with all its values.
    let seen = session::context()?;
    seen.fields()?;
    field::share_definitions(seen.owner.id);
    let context = session::context()?;
    let fields = context.fields()?;

    // In storage keys, owned here so that the result can borrow them.
    let mut changes: Vec<(String, Option<New>)> = Vec::new();
    for member in written {
        let field = writable(fields, member.name)?;
        let previous = before.member(member.name);
        let value = if member.value.kind() == Kind::Null { None } else { Some(field.accept(member.value, previous)?) };
        keep_required(field, previous, Some(member.value))?;
        changes.push((field.key.clone(), value));
    }
    for name in removed {
        let field = writable(fields, name)?;
        keep_required(field, before.member(name), None)?;
        changes.push((field.key.clone(), None));
    }
    let stored = stored.members().into_iter().flatten();
    let kept: Vec<Member> = stored.filter(|member| !changes.iter().any(|(key, _)| key == member.name)).collect();
    let kept = kept.iter().map(|member| (member.name, New::Kept(member.value)));
    let (keys, values): (Vec<String>, Vec<Option<New>>) = changes.into_iter().unzip();
    let written = keys.iter().zip(values).filter_map(|(key, value)| value.map(|value| (key.as_str(), value)));
    Ok(Jsonb::object(kept.chain(written)))
}

fn writable<'a>(fields: &'a VisibleFields, name: &str) -> Result<&'a VisibleField> {
    fields.by_name(name).filter(|field| field.writable).ok_or_else(|| error::field_not_writable(name))
}

/// Error 23502 if a required field loses its value. What was missing before may stay so: a customer that is older than
/// the requirement can still be worked with.
fn keep_required(field: &VisibleField, before: Option<Value>, after: Option<Value>) -> Result<()> {
    let filled = |value: Option<Value>| value.is_some_and(|value| field.fills(value));
    if field.required && filled(before) && !filled(after) { Err(error::required_field(&field.name)) } else { Ok(()) }
}

/// For a new customer's stored values: true, or error 23502 if a field is empty that the session
/// must fill. One that belongs to another source it cannot fill.
#[pg_extern(sql = false)]
fn check_required(stored: Jsonb) -> Result<bool, ErrorReport> {
    let context = session::context()?;
    for field in context.fields()?.required() {
        let is_filled = stored.member(&field.key).is_some_and(|value| field.fills(value));
        if !is_filled && !judge::is_foreign_in_new(&context, field.id)? {
            return Err(error::required_field(&field.name).into());
        }
    }
    Ok(true)
}

/// The texts of the visible, searchable custom fields, at most `most` of each.
pub fn searchable_texts(fields: &VisibleFields, stored: &Jsonb, most: usize) -> Vec<String> {
    let searchable = fields.seen_of(stored.root()).filter(|(field, _)| field.searchable);
    searchable.flat_map(|(field, value)| field.shown_texts(value).take(most).map(Cow::into_owned)).collect()
}
