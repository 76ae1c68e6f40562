//! Customers' custom values: stored by field, shown and written by name, and only those that the session may.

use crate::error::{self, Result};
use crate::field::{self, VisibleField, VisibleFields};
use crate::jsonb::{Jsonb, Kind, Member, New, Value};
use crate::session;
use pgrx::prelude::*;
use std::collections::HashMap;

/// The stored values as this session sees them: by field name, without the fields that it does not see.
#[pg_extern(sql = false)]
fn visible_attributes(stored: Jsonb) -> Result<Jsonb> {
    let context = session::context()?;
    let fields = context.fields()?;
    let members = stored.members().unwrap_or_default();
    let mut seen: Vec<_> =
        members.iter().filter_map(|member| fields.by_key(member.name).map(|field| (field, member.value))).collect();
    // In the order in which jsonb keeps names: PostgreSQL then need not sort them.
    seen.sort_unstable_by_key(|(field, _)| field.rank);
    Ok(Jsonb::object(seen.into_iter().map(|(field, value)| (field.name.as_str(), field.show(value)))))
}

/// The names of the fields that are masked for this session.
#[pg_extern(sql = false)]
fn masked_fields() -> Result<Vec<String>> {
    Ok(session::context()?.fields()?.masked().map(str::to_owned).collect())
}

/// The stored values after a session changed what it sees from `before` to `after`, both by field name. What differs
/// between the two is written, everything else stays as it is stored, so that of two sessions that write different
/// fields at once neither undoes the other. A JSON null removes the value.
///
/// Errors: 42501 a field that the session does not see, or may not write; 22023 a value that is not one of the field;
/// 23502 a required field that loses its value.
#[pg_extern(sql = false)]
fn write_attributes(stored: Jsonb, before: Jsonb, after: Jsonb) -> Result<Jsonb> {
    let old = by_name(&before);
    let new_members = after.members().ok_or_else(error::attributes_not_object)?;
    let new: HashMap<&str, Value> = new_members.iter().map(|member| (member.name, member.value)).collect();

    let differs = |member: &Member| !old.get(member.name).is_some_and(|previous| previous.same_as(member.value));
    let written: Vec<Member> = new_members.iter().filter(|member| differs(member)).copied().collect();
    let mut removed: Vec<&str> = old.keys().filter(|name| !new.contains_key(*name)).copied().collect();
    removed.sort_unstable();
    if written.is_empty() && removed.is_empty() {
        return Ok(stored);
    }
    // From here to the end of the transaction no definition is changed with all its values.
    field::share_definitions(session::context()?.owner.id);
    let context = session::context()?;
    let fields = context.fields()?;

    // In storage keys, owned here so that the result can borrow them.
    let mut changes: Vec<(String, Option<New>)> = Vec::new();
    for member in &written {
        let field = writable(fields, member.name)?;
        let previous = old.get(member.name).copied();
        let value = if member.value.kind() == Kind::Null { None } else { Some(field.accept(member.value, previous)?) };
        keep_required(field, previous, Some(member.value))?;
        changes.push((field.key.clone(), value));
    }
    for name in removed {
        let field = writable(fields, name)?;
        keep_required(field, old.get(name).copied(), None)?;
        changes.push((field.key.clone(), None));
    }
    let kept = stored.members().unwrap_or_default();
    let kept: Vec<Member> =
        kept.into_iter().filter(|member| !changes.iter().any(|(key, _)| key == member.name)).collect();
    let kept = kept.iter().map(|member| (member.name, New::Kept(member.value)));
    let (keys, values): (Vec<String>, Vec<Option<New>>) = changes.into_iter().unzip();
    let written = keys.iter().zip(values).filter_map(|(key, value)| value.map(|value| (key.as_str(), value)));
    Ok(Jsonb::object(kept.chain(written)))
}

fn by_name(object: &Jsonb) -> HashMap<&str, Value<'_>> {
    object.members().unwrap_or_default().into_iter().map(|member| (member.name, member.value)).collect()
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

/// For a new customer's stored values: true, or error 23502 if a field is empty that the session must fill.
#[pg_extern(sql = false)]
fn check_required(stored: Jsonb) -> Result<bool> {
    let context = session::context()?;
    for field in context.fields()?.required() {
        if !stored.member(&field.key).is_some_and(|value| field.fills(value)) {
            return Err(error::required_field(&field.name));
        }
    }
    Ok(true)
}

/// The texts of the visible, searchable custom fields.
pub fn searchable_texts(stored: &Jsonb) -> Result<Vec<String>> {
    let context = session::context()?;
    let fields = context.fields()?;
    let members = stored.members().unwrap_or_default();
    Ok(members
        .iter()
        .filter_map(|member| fields.by_key(member.name).map(|field| (field, member.value)))
        .filter(|(field, _)| field.searchable)
        .flat_map(|(field, value)| field.shown_texts(value))
        .collect())
}
