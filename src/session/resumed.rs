//! Queries that are fetched from again: a cursor's rows may have been judged long ago.

use super::judge::context;
use super::latch::latched_owner;
use crate::error;
use pgrx::datum::Uuid;
use pgrx::{PgLogLevel, pg_guard, pg_sys};
use std::cell::RefCell;
use std::collections::HashMap;

thread_local! {
    /// With `ringfence.latch = statement`: the owners that the transaction's queries have been run for, by the query's address.
    static RUN_FOR: RefCell<HashMap<usize, Uuid>> = RefCell::new(HashMap::new());
}

/// A cursor that is fetched from again may hold rows that were judged long ago, sorted or materialised: where the
/// transaction works for an owner, it is judged anew whether the session still may.
///
/// # Safety
/// `query` must be a query that is being executed, and not for the first time.
#[pg_guard]
pub unsafe extern "C-unwind" fn check(query: *mut pg_sys::QueryDesc) {
    // SAFETY: as promised by the caller; a query that is being executed has a plan.
    let judged = unsafe {
        let plan = (*query).plannedstmt;
        // Only what row-level security or a function had a part in; and not inside of what is refused to see anything.
        ((*plan).dependsOnRole || !(*plan).invalItems.is_null())
            && !pg_sys::InSecurityRestrictedOperation()
            && !pg_sys::InNoForceRLSOperation()
    };
    let run_for = RUN_FOR.with_borrow(|owners| owners.get(&query.addr()).copied());
    if judged && (latched_owner().is_some() || run_for.is_some()) {
        match context() {
            Err(refusal) => refusal.report(PgLogLevel::ERROR),
            Ok(context) if run_for.is_some_and(|owner| owner != context.owner.id) => {
                error::cursor_of_other_owner().report(PgLogLevel::ERROR)
            }
            Ok(_) => (),
        }
    }
}

/// With `ringfence.latch = statement` another statement may work for another owner, but a query that is fetched from again is one query: it
/// stays with the owner that it was run for.
///
/// # Safety
/// `query` must be a query that has been run.
#[pg_guard]
pub unsafe extern "C-unwind" fn remember_owner(query: *mut pg_sys::QueryDesc) {
    RUN_FOR.with_borrow_mut(|owners| match latched_owner() {
        Some(owner) => owners.insert(query.addr(), owner),
        // One that was freed may have had the same address.
        None => owners.remove(&query.addr()),
    });
}

/// The transaction has ended.
pub fn transaction_ended() {
    RUN_FOR.take();
}
