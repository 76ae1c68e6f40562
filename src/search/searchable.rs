//! The column `customer.searchable`: what of a customer's custom values is searched. A change to
//! any other value does not touch the index.
//!
//! The column follows the definition of the fields alone, not what the writing session sees. A
//! query has only keys of the fields that its session sees.

use super::bounds::{MAX_SEARCHED_VALUES, beginning};
use super::form::Form;
use super::key::hash::OPTIONS;
use crate::catalog;
use crate::error::{self, ErrorReport, Result};
use crate::field::{self, SearchedField, Type};
use crate::jsonb::{Jsonb, New};
use crate::owner;
use crate::session;
use pgrx::datum::Uuid;
use pgrx::heap_tuple::PgHeapTuple;
use pgrx::prelude::*;
use pgrx::{AllocatedByPostgres, AllocatedByRust, PgTrigger};
use std::borrow::Cow;
use std::convert::Infallible;

/// What of a customer's stored values is searched: texts by the storage key of their field; the ids
/// of options under a name of their own, so that an option can be renamed without touching a
/// customer; normal forms under a name of theirs.
#[pg_extern(sql = false)]
fn searchable_values(stored: Jsonb, owner: Uuid) -> Result<Jsonb, ErrorReport> {
    Ok(searched_values(stored, owner)?)
}

fn searched_values(stored: Jsonb, owner: Uuid) -> Result<Jsonb> {
    let context = session::selected_context().ok().flatten().filter(|context| context.owner.id == owner);
    match &context {
        Some(context) => searchable_of(&stored, context.fields()?.searched(), owner),
        None => searchable_of(&stored, &SearchedField::all_of(owner)?, owner),
    }
}

fn searchable_of(stored: &Jsonb, fields: &[SearchedField], owner: Uuid) -> Result<Jsonb> {
    let has_phone = fields.iter().any(|field| field.kind == Type::Phone && stored.member(&field.key).is_some());
    // From the table: if the values are renewed because the country has changed, the context still
    // has the old country.
    let country = if has_phone { owner::by_id(owner)?.and_then(|owner| owner.country) } else { None };
    let formed = fields.iter().filter_map(|field| {
        let form = Form::of(field.kind)?;
        let texts = stored.member(&field.key)?.texts().take(1);
        let normal: Vec<Cow<str>> =
            texts.flat_map(|text| form.normal(&text, country.as_deref())).map(Cow::Owned).collect();
        Some((form.name(&field.key), New::Texts(normal)))
    });
    let values = fields.iter().filter_map(|field| {
        let texts = stored.member(&field.key)?.texts();
        let texts = texts.take(MAX_SEARCHED_VALUES).map(|text| match field.of_options {
            true => text,
            false => Cow::Owned(beginning(&text).to_owned()),
        });
        let name = if field.of_options { format!("{}{OPTIONS}", field.key) } else { field.key.clone() };
        Some((name, New::Texts(texts.collect())))
    });
    let values: Vec<(String, New)> = values.chain(formed).collect();
    let (names, values): (Vec<String>, Vec<New>) = values.into_iter().unzip();
    Ok(Jsonb::object(names.iter().map(String::as_str).zip(values)))
}

/// Keeps the column up to date.
#[pg_trigger(sql = false)]
fn keep_searchable<'a>(trigger: &'a PgTrigger<'a>) -> Result<Option<PgHeapTuple<'a, AllocatedByRust>>, Infallible> {
    Ok(error::raised((|| {
        const REASON: &str = "keep_searchable is for table ringfence.customer";
        let wrong = || error::wrong_trigger(REASON);
        // On a table of one's own, this trigger would tell of any owner's fields.
        catalog::require_trigger_on(c"customer", trigger, REASON)?;
        let mut row = trigger.new().ok_or_else(wrong)?.into_owned();
        let Some(owner) = row.get_by_name::<Uuid>("owner_id").map_err(|_| wrong())? else {
            // The wall refuses a customer without an owner.
            return Ok(Some(row));
        };
        let stored: Jsonb = row.get_by_name("attributes").map_err(|_| wrong())?.ok_or_else(wrong)?;
        row.set_by_name("searchable", searched_values(stored, owner)?).map_err(|_| wrong())?;
        Ok(Some(row))
    })()))
}

/// After a custom field has become searchable: puts its values into the column. It does so for all
/// customers of the owner, whatever the session sees or may write, and changes nothing else of
/// them.
#[pg_trigger(sql = false)]
fn renew_searchable<'a>(
    trigger: &'a PgTrigger<'a>,
) -> Result<Option<PgHeapTuple<'a, AllocatedByPostgres>>, Infallible> {
    Ok(error::raised((|| {
        const REASON: &str = "renew_searchable is for table ringfence.field";
        let wrong = || error::wrong_trigger(REASON);
        // On a table of one's own, this trigger would write for any owner.
        catalog::require_trigger_on(c"field", trigger, REASON)?;
        let new = trigger.new().ok_or_else(wrong)?;
        let owner: Uuid = new.get_by_name("owner_id").map_err(|_| wrong())?.ok_or_else(wrong)?;
        let id: Uuid = new.get_by_name("id").map_err(|_| wrong())?.ok_or_else(wrong)?;
        field::keep_writers_out(owner)?;
        let owner = owner::by_id(owner)?.ok_or_else(wrong)?;
        let renew = "UPDATE ringfence.customer SET searchable = ringfence.searchable_values(attributes, owner_id)
                      WHERE attributes OPERATOR(pg_catalog.?) $1";
        session::acting_for(owner, || Spi::run_with_args(renew, &[field::storage_key_of(id).into()]))
            .map_err(|_| wrong())?;
        Ok(Some(new))
    })()))
}
