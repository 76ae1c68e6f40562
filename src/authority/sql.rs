//! The functions of `sql/authority.sql`.

use super::exempt::{self, Work};
use crate::error::ErrorReport;
use crate::session;
use pgrx::datum::Uuid;
use pgrx::prelude::*;

/// The source with authority over a field of a customer whose record belongs to that source.
#[pg_extern(sql = false)]
fn authority_over(field: Option<Uuid>, record: Option<Uuid>) -> Result<Option<String>, ErrorReport> {
    let context = session::context()?;
    let sources = context.sources()?;
    let source = context.authority()?.over(field, record).map(|source| sources.successor_of(source));
    Ok(source.and_then(|source| sources.name_of(source)).map(str::to_owned))
}

/// From now on, until it is called with NULLs, writes of the calling function's own statements are
/// neither judged nor kept in the history if they erase this customer, or give values of this field
/// another form.
#[pg_extern(sql = false)]
fn exempt_own_work(customer: Option<Uuid>, field: Option<Uuid>) -> bool {
    match (customer, field) {
        (Some(customer), _) => exempt::begin(Work::Erasure(customer)),
        (None, Some(field)) => exempt::begin(Work::Form(field)),
        (None, None) => exempt::end(),
    }
    true
}
