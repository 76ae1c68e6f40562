//! The functions of `sql/authority.sql`.

use super::suspended;
use crate::error::ErrorReport;
use crate::session;
use pgrx::datum::Uuid;
use pgrx::prelude::*;

/// The source with authority over a field of a customer whose record belongs to that source.
#[pg_extern(sql = false)]
fn authority_over(field: Option<Uuid>, record: Option<Uuid>) -> Result<Option<String>, ErrorReport> {
    let context = session::context()?;
    let sources = context.sources()?;
    let source = context.authority()?.over(field, record).map(|source| sources.standing(source));
    Ok(source.and_then(|source| sources.name_of(source)).map(str::to_owned))
}

/// Whether writes are not judged, and not kept in the history, from now on: for the extension's own functions.
#[pg_extern(sql = false)]
fn suspend_authority(suspend: bool) -> bool {
    suspended::suspend(suspend);
    suspend
}
