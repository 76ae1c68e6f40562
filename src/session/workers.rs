//! In the leader of a parallel query: hands its workers what they have to know (see `parallel`).

use super::judge::judge;
use super::{acting, parallel, settings};
use pgrx::{pg_guard, pg_sys};
use std::ffi::c_int;

// What [`prepare`] returns: there are none, or none that could ask for an owner; or the query must do without; or
// else the level of settings at which their context was handed over.
pub const NONE: c_int = -1;
pub const REFUSED: c_int = -2;

/// Before a query that may start parallel workers: hands over what they have to know. What they may use the leader uses, so
/// the owner is fixed from now on.
///
/// # Safety
/// `query` must be a query that is being executed.
#[pg_guard]
pub unsafe extern "C-unwind" fn prepare(query: *mut pg_sys::QueryDesc) -> c_int {
    // SAFETY: as promised by the caller; a query that is being executed has a plan. What is fetched from again, or lies within
    // a parallel query, starts no workers, or workers that are told already.
    let (starts, asks) = unsafe {
        let plan = (*query).plannedstmt;
        (
            !(*query).already_executed && !pg_sys::IsInParallelMode(),
            (*plan).dependsOnRole || !(*plan).invalItems.is_null(),
        )
    };
    if !starts {
        return NONE;
    }
    // Where neither row-level security nor a function has a part in it, nothing should ask; and what nobody hands over nobody
    // can have forged.
    if !asks {
        return settings::hand_over(c"");
    }
    if acting::is_acting() {
        // SAFETY: as above. PostgreSQL takes it for a query that is fetched from again, and sets the same when it has run.
        unsafe { (*query).already_executed = true };
        return REFUSED;
    }
    // A refusal is the worker's to report, if it comes to ask: the query may be about something else.
    let context = parallel::to_hand_over(judge().map(|_| ()));
    settings::hand_over(context.as_deref().unwrap_or(c""))
}

/// # Safety
/// `workers` must be the level that [`prepare`] returned for the query that has been run.
#[pg_guard]
pub unsafe extern "C-unwind" fn dismiss(workers: c_int) {
    settings::take_back(workers);
}
