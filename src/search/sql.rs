//! The SQL functions of search that applications call.

use super::expression::Expression;
use super::gin::{copying, index};
use super::matching::Candidate;
use super::page::cursor::Cursor;
use super::page::fill::read_page;
use super::page::finder::Search;
use super::probe::Fields;
use super::query::{self, Query};
use super::rows::{self, StoredList};
use super::term::Term;
use super::value::Probe;
use crate::contact;
use crate::error::{self, ErrorReport, Result};
use crate::session;
use pgrx::datum::{Array, Uuid};
use pgrx::prelude::*;

/// The most rows of a page. Whoever wants all customers reads `customer_card`.
const MAX_ROWS: i32 = 1000;

fn parse(text: &str) -> Result<Query> {
    parse_if_short(text)?.ok_or_else(|| error::query_too_long(query::MAX_CHARACTERS, query::MAX_WORDS))
}

fn parse_if_short(text: &str) -> Result<Option<Query>> {
    Ok(Query::parse(text, session::context()?.owner.country.as_deref()))
}

/// Builds a probe for the session's owner, in the fields that the session sees. There is no other
/// way to build one.
fn build(term: impl FnOnce(&Fields) -> Term) -> Result<Probe, ErrorReport> {
    let context = session::context()?;
    let visible = context.fields()?;
    let fields = Fields::of(&context.owner.id, visible.searchable());
    Ok(Probe::new(&context.owner.id, visible.searchable(), &Expression::of(&term(&fields))))
}

/// What to look for in the index. Error 22023: the query is too long.
#[pg_extern(sql = false)]
fn query(text: &str) -> Result<Probe, ErrorReport> {
    let query = parse(text)?;
    build(|fields| fields.matching(&query))
}

/// The same for a text from another table's row. A text that is too long finds nothing. LEAKPROOF:
/// whether it raises an error depends on the session alone.
#[pg_extern(sql = false)]
fn query_of_column(text: &str) -> Result<Probe, ErrorReport> {
    let query = parse_if_short(text)?;
    build(|fields| query.map_or(Term::NOTHING, |query| fields.matching(&query)))
}

/// The customers with a phone in one of these normal forms.
#[pg_extern(sql = false)]
fn phone_query(normal: Array<'_, &str>) -> Result<Probe, ErrorReport> {
    build(|fields| fields.phones(normal.iter().flatten().take(contact::MAX_PHONE_FORMS)))
}

/// The customers with this e-mail address in normal form.
#[pg_extern(sql = false)]
fn email_query(normal: &str) -> Result<Probe, ErrorReport> {
    build(|fields| fields.email(normal))
}

/// Keeps the keys of the rows that the running statement inserts until [`write_search_keys`].
#[pg_extern(sql = false)]
fn gather_search_keys() -> bool {
    copying::gather();
    true
}

/// Writes the keys that wait.
#[pg_extern(sql = false)]
fn write_search_keys() {
    // SAFETY: it is guarded.
    unsafe { copying::end() }
}

/// A page of the customers that match, the best first. Error 22023: no query, one that is too long,
/// a bad number of rows, or a cursor of another search. Runs as the definer.
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
    ErrorReport,
> {
    let text = query.ok_or_else(|| error::missing_argument("query"))?;
    let query = parse(text)?;
    let wanted = max_rows.filter(|rows| (1..=MAX_ROWS).contains(rows)).ok_or_else(|| error::bad_max_rows(MAX_ROWS))?;
    let context = session::context()?;
    let owner = *context.owner.id;
    let after = after.map(|after| Cursor::decode(&owner, text, after).ok_or_else(error::bad_cursor)).transpose()?;
    let visible = context.fields()?;
    let search = Search { query: &query, owner, visible, after, wanted: wanted as usize };
    let rows = rows::read(visible, |reader| {
        let page = read_page(&search, reader)?;
        let companies = reader.companies(page.iter().filter_map(|hit| hit.row.company()).collect())?;
        let rows = page.into_iter().map(|hit| {
            let company = hit.row.company().and_then(|id| companies.get(&*id).cloned());
            let name = hit.row.name().to_owned();
            let (phones, emails) = (hit.row.phones_as_stored(), hit.row.emails_as_stored());
            let (rank, cursor) = (hit.tier.rank(), hit.cursor().encode(&owner, text));
            (Uuid::from_bytes(hit.id), name, phones, emails, company, rank, hit.matched, cursor)
        });
        Ok(rows.collect::<Vec<_>>())
    })?;
    index::count_search();
    Ok(TableIterator::new(rows))
}
