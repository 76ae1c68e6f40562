//! What the session looks at when a query runs and when a utility statement begins. All here are plain frames (see `pg`).

use super::judge::refuses_held_cursors;
use super::{held, resumed, settings, workers};
use crate::error;
use pgrx::{PgLogLevel, pg_guard, pg_sys};
use std::ffi::c_int;

/// A query that runs.
pub struct Run {
    workers: c_int,
}

#[cfg(not(feature = "pg18"))]
impl Run {
    /// Whether it must run without parallel workers. PostgreSQL 18 asks `already_executed` alone, which is set then.
    pub fn without_workers(&self) -> bool {
        self.workers == workers::REFUSED
    }
}

/// Before a query runs, for the first time or again: what was judged before is judged anew, and workers are told what they have to know.
///
/// # Safety
/// Under plain frames only. `query` must be a query that is being executed.
pub unsafe fn before_run(query: *mut pg_sys::QueryDesc) -> Run {
    // SAFETY: as promised by the caller; a query that is being executed has a plan.
    unsafe {
        if (*query).already_executed {
            resumed::check(query);
        }
        Run {
            workers: if (*(*query).plannedstmt).parallelModeNeeded { workers::prepare(query) } else { workers::NONE },
        }
    }
}

/// # Safety
/// As [`before_run`], for the query that has been run since.
pub unsafe fn after_run(query: *mut pg_sys::QueryDesc, run: Run) {
    // SAFETY: as promised by the caller.
    unsafe {
        if settings::latch() == settings::Latch::Statement {
            resumed::remember_owner(query);
        }
        if run.workers >= 0 {
            workers::dismiss(run.workers);
        }
    }
}

/// A utility statement begins. Error 0A000 or 25001 for a cursor WITH HOLD where rows of the owner may not stay in one.
///
/// # Safety
/// Under plain frames only. `statement` must be a parse tree node or NULL.
pub unsafe fn utility_begins(statement: *mut pg_sys::Node) {
    // SAFETY: as promised by the caller.
    unsafe {
        if held::declares_one(statement) {
            refuse_held_cursor();
        }
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn refuse_held_cursor() {
    if refuses_held_cursors() {
        error::survives_transaction("a cursor WITH HOLD").report(PgLogLevel::ERROR);
    }
    held::is_declared();
}
