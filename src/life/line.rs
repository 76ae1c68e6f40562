//! Which line of an export is being loaded, so that an error of PostgreSQL's about it tells its number.

use crate::error::{self, Result};
use pgrx::pg_sys::panic::CaughtError;
use pgrx::prelude::*;
use std::cell::Cell;
use std::panic::AssertUnwindSafe;

thread_local! {
    /// None: not a single line.
    static LINE: Cell<Option<i64>> = const { Cell::new(None) };
}

/// `ringfence.at_line()`.
#[pg_extern(sql = false)]
fn at_line(place: i64) -> i64 {
    LINE.set(Some(place));
    place
}

/// Runs `work` on lines that begin with that one, or on all of them. If PostgreSQL raises an error about what a line says, this returns one that tells
/// its number and that nothing is loaded. The transaction has failed by then: the error is to be raised, and nothing else to be done.
pub fn telling_of<T>(first: Option<i64>, work: impl FnOnce() -> Result<T>) -> Result<T> {
    LINE.set(first);
    PgTryBuilder::new(AssertUnwindSafe(work))
        .catch_others(|raised| match &raised {
            CaughtError::PostgresError(report) | CaughtError::ErrorReport(report) => {
                match error::line_refused(LINE.get(), report.sql_error_code(), report.message(), report.detail()) {
                    Some(refused) => Err(refused),
                    None => raised.rethrow(),
                }
            }
            CaughtError::RustPanic { .. } => raised.rethrow(),
        })
        .execute()
}
