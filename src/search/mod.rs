//! Searching customers by an index that row-level security lets be used. Every row of a result comes from SQL under row-level
//! security (`rows`), so that a search can never see more than a SELECT.

mod access_method;
mod build;
pub mod copying;
mod cursor;
mod fold;
mod form;
mod index;
mod key;
mod letters;
mod opclass;
mod page;
pub mod planner;
mod posting;
mod probe;
mod query;
mod rows;
mod scan;
mod status;
mod value;

use crate::contact;
use crate::error::{self, Result};
use crate::field::{self, SearchedField, Type};
use crate::jsonb::{Jsonb, New};
use crate::owner;
use crate::session;
use cursor::Cursor;
use form::Form;
use key::{OPTIONS, SEARCHED_VALUES};
use page::Search;
use pgrx::datum::{Array, Uuid};
use pgrx::heap_tuple::PgHeapTuple;
use pgrx::prelude::*;
use pgrx::{AllocatedByPostgres, AllocatedByRust, PgTrigger};
use probe::{Fields, Flat, Term};
use query::{Candidate, Query};
use rows::StoredList;
use std::borrow::Cow;
use value::Probe;

/// A page is for a person or a program that pages; whoever wants all customers reads `customer_card`.
const MAX_ROWS: i32 = 1000;

fn parse(text: &str) -> Result<Query> {
    Query::parse(text, session::context()?.owner.country.as_deref())
        .ok_or_else(|| error::query_too_long(query::MAX_CHARACTERS, query::MAX_WORDS))
}

/// Builds a probe for the session's owner, in the fields that the session sees. Nobody else's can be built.
fn build(term: impl FnOnce(&Fields) -> Term) -> Result<Probe> {
    let context = session::context()?;
    let visible = context.fields()?;
    let fields = Fields::of(&context.owner.id, visible.searchable());
    Ok(Probe::new(&context.owner.id, visible.searchable(), &Flat::of(&term(&fields))))
}

/// What to look for in the index. Error 22023 for a query that is too long.
#[pg_extern(sql = false)]
fn query(text: &str) -> Result<Probe> {
    let query = parse(text)?;
    build(|fields| fields.matching(&query))
}

/// The same for a text of another table's row: one that is too long finds nothing. LEAKPROOF: whether there is an error depends on the
/// session alone.
#[pg_extern(sql = false)]
fn query_of_column(text: &str) -> Result<Probe> {
    let query = Query::parse(text, session::context()?.owner.country.as_deref());
    build(|fields| query.map_or(Term::NOTHING, |query| fields.matching(&query)))
}

/// The customers with a phone in one of these normal forms.
#[pg_extern(sql = false)]
fn phone_query(normal: Array<'_, &str>) -> Result<Probe> {
    build(|fields| fields.phones(normal.iter().flatten().take(contact::MAX_PHONE_FORMS)))
}

/// The customers with an e-mail address in normal form.
#[pg_extern(sql = false)]
fn email_query(normal: &str) -> Result<Probe> {
    build(|fields| fields.email(normal))
}

/// A page of the customers that match, best first. Error 22023: no query or one that is too long, a bad number of rows, or a
/// cursor of another search. Runs as the definer.
#[pg_extern(sql = false)]
fn search_customers(
    query: Option<&str>,
    max_rows: Option<i32>,
    after: Option<&str>,
) -> Result<
    TableIterator<
        'static,
        (
            name!(customer_id, Uuid),
            name!(name, String),
            name!(phones, StoredList),
            name!(emails, StoredList),
            name!(company, Option<String>),
            name!(rank, f32),
            name!(matched, String),
            name!(cursor, String),
        ),
    >,
> {
    let text = query.ok_or_else(|| error::missing_argument("query"))?;
    let query = parse(text)?;
    let wanted = max_rows.filter(|rows| (1..=MAX_ROWS).contains(rows)).ok_or_else(|| error::bad_max_rows(MAX_ROWS))?;
    let context = session::context()?;
    let owner = *context.owner.id;
    let after = after.map(|after| Cursor::decode(&owner, text, after).ok_or_else(error::bad_cursor)).transpose()?;
    let fields = context.fields()?;
    let search = Search { query: &query, owner, fields, after, wanted: wanted as usize };
    let rows = rows::read(fields, |reader| {
        let page = search.page(reader)?;
        let companies = reader.companies(page.iter().filter_map(|found| found.row.company()).collect())?;
        let rows = page.into_iter().map(|found| {
            let company = found.row.company().and_then(|id| companies.get(&*id).cloned());
            let name = found.row.name().to_owned();
            let (phones, emails) = (found.row.phones_as_stored(), found.row.emails_as_stored());
            let (rank, cursor) = (found.tier.rank(), found.cursor().encode(&owner, text));
            (Uuid::from_bytes(found.id), name, phones, emails, company, rank, found.matched, cursor)
        });
        Ok(rows.collect::<Vec<_>>())
    })?;
    index::count_search();
    Ok(TableIterator::new(rows))
}

/// What is searched of a customer's stored values: texts by the storage key of their field, and of a choice the ids of the
/// options, under a name of their own, so that an option can be renamed without touching a customer.
#[pg_extern(sql = false)]
fn searchable_values(stored: Jsonb, owner: Uuid) -> Result<Jsonb> {
    let context = session::selected_context().ok().flatten().filter(|context| context.owner.id == owner);
    match &context {
        Some(context) => searched_of(&stored, context.fields()?.searched(), owner),
        None => searched_of(&stored, &SearchedField::all_of(owner)?, owner),
    }
}

fn searched_of(stored: &Jsonb, searched: &[SearchedField], owner: Uuid) -> Result<Jsonb> {
    let has_phone = searched.iter().any(|field| field.kind == Type::Phone && stored.member(&field.key).is_some());
    // From the table: while values are renewed after the country has changed, the context still has the one before.
    let country = if has_phone { owner::by_id(owner)?.and_then(|owner| owner.country) } else { None };
    let formed = searched.iter().filter_map(|field| {
        let form = Form::of(field.kind)?;
        let texts = stored.member(&field.key)?.texts().take(1);
        let normal: Vec<Cow<str>> =
            texts.flat_map(|text| form.normal(&text, country.as_deref())).map(Cow::Owned).collect();
        Some((form.name(&field.key), New::Texts(normal)))
    });
    let values = searched.iter().filter_map(|field| {
        let texts = stored.member(&field.key)?.texts();
        let texts = texts.take(SEARCHED_VALUES).map(|text| match field.of_options {
            true => text,
            false => Cow::Owned(key::beginning(&text).to_owned()),
        });
        let name = if field.of_options { format!("{}{OPTIONS}", field.key) } else { field.key.clone() };
        Some((name, New::Texts(texts.collect())))
    });
    let values: Vec<(String, New)> = values.chain(formed).collect();
    let (names, values): (Vec<String>, Vec<New>) = values.into_iter().unzip();
    Ok(Jsonb::object(names.iter().map(String::as_str).zip(values)))
}

/// Keeps what is searched of a customer's values in a column of its own. It goes by the definition of the fields alone, not by
/// what the writing session sees: a query has keys of the fields that its session sees.
#[pg_trigger(sql = false)]
fn keep_searchable<'a>(trigger: &'a PgTrigger<'a>) -> Result<Option<PgHeapTuple<'a, AllocatedByRust>>> {
    error::raised((|| {
        let wrong = || error::wrong_trigger("keep_searchable is for table ringfence.customer");
        // Whoever could attach this to a table of its own would learn of any owner's fields.
        if trigger.relid().ok() != Some(crate::catalog::table_oid(c"customer")) {
            return Err(wrong());
        }
        let mut row = trigger.new().ok_or_else(wrong)?.into_owned();
        let Some(owner) = row.get_by_name::<Uuid>("owner_id").map_err(|_| wrong())? else {
            // Nobody's: the wall refuses it.
            return Ok(Some(row));
        };
        let stored: Jsonb = row.get_by_name("attributes").map_err(|_| wrong())?.ok_or_else(wrong)?;
        row.set_by_name("searchable", searchable_values(stored, owner)?).map_err(|_| wrong())?;
        Ok(Some(row))
    })())
}

/// After a custom field has become searchable: puts the values that customers have of it where they are searched. All of
/// them, whatever the session sees or may write, and nothing else of them.
#[pg_trigger(sql = false)]
fn renew_searchable<'a>(trigger: &'a PgTrigger<'a>) -> Result<Option<PgHeapTuple<'a, AllocatedByPostgres>>> {
    error::raised((|| {
        let wrong = || error::wrong_trigger("renew_searchable is for table ringfence.field");
        // Whoever could attach this to a table of its own would write for any owner.
        if trigger.relid().ok() != Some(crate::catalog::table_oid(c"field")) {
            return Err(wrong());
        }
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
    })())
}
