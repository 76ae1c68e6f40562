//! Searching customers. What is here judges one row; which rows are judged is SQL under row-level security
//! (`sql/search.sql`), so that a search can never see more than a SELECT.

mod cursor;
mod fold;
mod query;

use crate::error::{self, Result};
use crate::jsonb::Jsonb;
use crate::{customer, session};
use cursor::Cursor;
use pgrx::datum::Uuid;
use pgrx::prelude::*;
use query::{Candidate, Query};
use std::cell::RefCell;
use std::rc::Rc;

/// A page is for a person or a program that pages; whoever wants all customers reads `customer_card`.
const MAX_ROWS: i32 = 1000;

/// The last query that was parsed, by its text and the country its phones are read by.
type Parsed = Option<((String, Option<String>), Rc<Query>)>;

thread_local! {
    static PARSED: RefCell<Parsed> = const { RefCell::new(None) };
}

fn parse(text: &str) -> Result<Rc<Query>> {
    let country = session::context()?.owner.country.clone();
    let known = PARSED.with(|parsed| {
        let parsed = parsed.borrow();
        parsed.as_ref().filter(|((known, by), _)| known == text && *by == country).map(|(_, query)| query.clone())
    });
    if let Some(query) = known {
        return Ok(query);
    }
    let query = Query::parse(text, country.as_deref())
        .ok_or_else(|| error::query_too_long(query::MAX_CHARACTERS, query::MAX_WORDS))?;
    let query = Rc::new(query);
    PARSED.with(|parsed| parsed.replace(Some(((text.to_owned(), country), query.clone()))));
    Ok(query)
}

/// `max_rows`, checked. Error 22023 out of range, or for a query that is too long: also where there is no row to judge.
#[pg_extern(sql = false)]
fn check_search(query: Option<&str>, max_rows: Option<i32>, after: Option<&str>) -> Result<i32> {
    let query = query.ok_or_else(|| error::missing_argument("query"))?;
    parse(query)?;
    if let Some(after) = after {
        Cursor::decode(query, after).ok_or_else(error::bad_cursor)?;
    }
    max_rows.filter(|rows| (1..=MAX_ROWS).contains(rows)).ok_or_else(|| error::bad_max_rows(MAX_ROWS))
}

/// How a customer matches the query: one row, or none.
#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn match_customer(
    query: &str,
    id: Uuid,
    name: &str,
    phones: Vec<Option<String>>,
    normal_phones: Vec<Option<String>>,
    emails: Vec<Option<String>>,
    normal_emails: Vec<Option<String>>,
    attributes: Jsonb,
) -> Result<TableIterator<'static, (name!(rank, f32), name!(matched, String))>> {
    pgrx::check_for_interrupts!();
    let query = parse(query)?;
    let present = |list: Vec<Option<String>>| list.into_iter().flatten().collect::<Vec<_>>();
    let (phones, normal_phones) = (present(phones), present(normal_phones));
    let (emails, normal_emails) = (present(emails), present(normal_emails));
    let values = customer::searchable_texts(&attributes)?;
    let found = query.matches(&Candidate {
        id: *id,
        name,
        phones: &phones,
        normal_phones: &normal_phones,
        emails: &emails,
        normal_emails: &normal_emails,
        values: &values,
    });
    Ok(TableIterator::new(found.map(|found| (found.tier.rank(), found.matched))))
}

/// The place of a row in a search, as text that only continues the same search.
#[pg_extern(sql = false)]
fn search_cursor(query: &str, rank: f32, last_activity: TimestampWithTimeZone, id: Uuid) -> String {
    Cursor { rank, last_activity: last_activity.into_inner(), id: *id }.encode(query)
}

/// The place that a cursor names. Error 22023 if it was not made by a search for the same query.
#[pg_extern(sql = false)]
fn read_search_cursor(
    query: &str,
    cursor: &str,
) -> Result<
    TableIterator<'static, (name!(rank, f32), name!(last_activity, TimestampWithTimeZone), name!(customer_id, Uuid))>,
> {
    let cursor = Cursor::decode(query, cursor).ok_or_else(error::bad_cursor)?;
    let last_activity = TimestampWithTimeZone::try_from(cursor.last_activity).map_err(|_| error::bad_cursor())?;
    Ok(TableIterator::once((cursor.rank, last_activity, Uuid::from_bytes(cursor.id))))
}
