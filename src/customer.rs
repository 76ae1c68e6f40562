//! Customers' custom values: stored by field, shown and written by name, and only those that the session may.

use crate::error::{self, Result};
use crate::field::{VisibleField, storage_key_of};
use crate::jsonb::{Jsonb, Kind, Member, Value};
use crate::session;
use pgrx::prelude::*;
use std::collections::BTreeMap;

/// A value is something a person types, or a program in its place; every search of the owner reads it.
const MAX_TEXT_BYTES: usize = 1 << 20;

/// The stored values as this session sees them: by field name, without the fields that it does not see.
#[pg_extern(sql = false)]
fn visible_attributes(stored: Jsonb) -> Result<Jsonb> {
    let context = session::context()?;
    let fields = context.fields()?;
    let members = stored.members().unwrap_or_default();
    Ok(Jsonb::from_members(members.iter().filter_map(|member| {
        fields.by_key(member.name).map(|field| Member { name: &field.name, value: member.value })
    })))
}

/// The names of the fields that are masked for this session.
#[pg_extern(sql = false)]
fn masked_fields() -> Result<Vec<String>> {
    Ok(session::context()?.fields()?.masked().to_vec())
}

/// The stored values after a session changed what it sees from `before` to `after`, both by field name. What differs
/// between the two is written, everything else stays as it is stored, so that of two sessions that write different
/// fields at once neither undoes the other. A JSON null removes the value.
///
/// Errors: 42501 a field that the session does not see, or may not write; 22023 a value of the wrong type.
#[pg_extern(sql = false)]
fn write_attributes(stored: Jsonb, before: Jsonb, after: Jsonb) -> Result<Jsonb> {
    let context = session::context()?;
    let fields = context.fields()?;
    let by_name = |object: Vec<Member<'_>>| -> BTreeMap<String, usize> {
        object.iter().enumerate().map(|(n, member)| (member.name.to_owned(), n)).collect()
    };
    let old = before.members().unwrap_or_default();
    let new = after.members().ok_or_else(error::attributes_not_object)?;
    let (old_names, new_names) = (by_name(old.clone()), by_name(new.clone()));

    // In storage keys, owned here so that members can borrow them.
    let mut changes: Vec<(String, Option<Value>)> = Vec::new();
    for member in &new {
        let previous = old_names.get(member.name).map(|n| old[*n].value);
        if previous.is_some_and(|previous| previous.same_as(member.value)) {
            continue;
        }
        let field = fields
            .by_name(member.name)
            .filter(|field| field.writable)
            .ok_or_else(|| error::field_not_writable(member.name))?;
        if member.value.kind() == Kind::Null {
            changes.push((storage_key_of(field.id), None));
        } else {
            check_type(field, member.value)?;
            changes.push((storage_key_of(field.id), Some(member.value)));
        }
    }
    for member in old.iter().filter(|member| !new_names.contains_key(member.name)) {
        let field = fields
            .by_name(member.name)
            .filter(|field| field.writable)
            .ok_or_else(|| error::field_not_writable(member.name))?;
        changes.push((storage_key_of(field.id), None));
    }
    if changes.is_empty() {
        return Ok(stored);
    }
    let kept = stored.members().unwrap_or_default();
    let kept = kept.into_iter().filter(|member| !changes.iter().any(|(key, _)| key == member.name));
    let written = changes.iter().filter_map(|(key, value)| value.map(|value| Member { name: key.as_str(), value }));
    Ok(Jsonb::from_members(kept.chain(written)))
}

/// Error 22023 where a value is not of the JSON type that the field's type is kept in, or not an option of a choice.
fn check_type(field: &VisibleField, value: Value) -> Result<()> {
    let all_text = |value: Value| value.elements().into_iter().all(|element| element.kind() == Kind::Text);
    let (fits, expected) = match field.kind.as_str() {
        "number" => (value.kind() == Kind::Number, "a JSON number"),
        "boolean" => (value.kind() == Kind::Boolean, "true or false"),
        "choices" => (value.kind() == Kind::Array && all_text(value), "a JSON array of strings"),
        _ => (value.kind() == Kind::Text, "a JSON string"),
    };
    if !fits {
        return Err(error::wrong_field_type(&field.name, expected));
    }
    if value.texts().iter().any(|text| text.len() > MAX_TEXT_BYTES) {
        return Err(error::wrong_field_type(&field.name, "at most 1 MiB of text"));
    }
    if let Some(options) = &field.options {
        let known = |text: &String| options.iter().flatten().any(|option| option == text);
        if !value.texts().iter().all(known) {
            let list: Vec<&str> = options.iter().flatten().map(String::as_str).collect();
            return Err(error::wrong_field_type(&field.name, &format!("one of: {}", list.join(", "))));
        }
    }
    Ok(())
}

/// The texts of the visible, searchable custom fields.
pub fn searchable_texts(stored: &Jsonb) -> Result<Vec<String>> {
    let context = session::context()?;
    let fields = context.fields()?;
    let members = stored.members().unwrap_or_default();
    Ok(members
        .iter()
        .filter(|member| fields.by_key(member.name).is_some_and(|field| field.searchable))
        .flat_map(|member| member.value.texts())
        .collect())
}
