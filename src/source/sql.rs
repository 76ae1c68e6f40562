//! The functions of `sql/source.sql`.

use crate::error::ErrorReport;
use crate::session;
use pgrx::datum::Uuid;
use pgrx::prelude::*;

/// The id of the source that the session writes as. Without one, no owner is asked for: a superuser may insert a customer.
#[pg_extern(sql = false)]
fn current_source_id() -> Result<Option<Uuid>, ErrorReport> {
    match session::source()? {
        Some(_) => Ok(session::acting_source(&*session::context()?)?),
        None => Ok(None),
    }
}
