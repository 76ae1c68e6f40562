//! The session: for whom it works, where, and with which rights.
//!
//! A session asks (`settings`, or `enter` by `enter()` and `login()`), and what it asks is a `question`. `judge` answers it: from what is in force,
//! from what it remembers, or by `decide` from the tables. `fast` gives policies the answer for each row. The answer is a `context`; the
//! first use of it fixes the owner (`latch`). `held`, `resumed`, `parallel` and `workers` see to it that no rows go past the judgement: to a
//! cursor WITH HOLD, to a cursor that is fetched from later, to parallel workers.

mod acting;
mod author;
mod context;
mod decide;
mod enter;
mod entered;
pub mod fast;
mod held;
mod hooks;
mod judge;
mod latch;
mod owners;
mod parallel;
mod question;
mod resumed;
pub mod settings;
mod sql;
mod workers;

use crate::access;
use crate::catalog;
use crate::error;
use pgrx::{pg_guard, pg_sys};

pub use acting::acting_for;
pub use author::actor;
pub use context::{Context, Serial};
pub use judge::{context, context_if_entitled, owner_to_log, require, selected_context};
pub use owners::owners_in_reach;

/// Defines the settings and listens for what makes answers stale. For `_PG_init`.
pub fn init() {
    settings::define();
    // SAFETY: the callbacks are guarded, live as long as the library, and only set flags or drop what Rust owns.
    unsafe {
        pg_sys::CacheRegisterRelcacheCallback(Some(relation_changed), pg_sys::Datum::null());
        for cache in [pg_sys::SysCacheIdentifier::AUTHOID, pg_sys::SysCacheIdentifier::AUTHMEMROLEMEM] {
            pg_sys::CacheRegisterSyscacheCallback(cache as _, Some(role_changed), pg_sys::Datum::null());
        }
        pg_sys::RegisterXactCallback(Some(transaction_event), std::ptr::null_mut());
        pg_sys::RegisterSubXactCallback(Some(subtransaction_event), std::ptr::null_mut());
    }
    hooks::install();
}

#[pg_guard]
unsafe extern "C-unwind" fn relation_changed(_argument: pg_sys::Datum, relation: pg_sys::Oid) {
    if relation == pg_sys::InvalidOid || catalog::was_read(relation) {
        judge::forget();
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn role_changed(_argument: pg_sys::Datum, _cache: std::ffi::c_int, _hash: u32) {
    judge::forget();
}

#[pg_guard]
unsafe extern "C-unwind" fn transaction_event(event: pg_sys::XactEvent::Type, _argument: *mut std::ffi::c_void) {
    use pg_sys::XactEvent::*;
    match event {
        XACT_EVENT_PRE_PREPARE if judge::works_for_transaction_only() => {
            error::prepared_transaction().report(pgrx::PgLogLevel::ERROR);
        }
        XACT_EVENT_COMMIT
        | XACT_EVENT_PARALLEL_COMMIT
        | XACT_EVENT_ABORT
        | XACT_EVENT_PARALLEL_ABORT
        | XACT_EVENT_PREPARE => {
            latch::transaction_ended();
            judge::transaction_ended();
            acting::transaction_ended();
            entered::transaction_ended();
            access::owners::transaction_ended();
            held::transaction_ended();
            resumed::transaction_ended();
        }
        _ => (),
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn subtransaction_event(
    event: pg_sys::SubXactEvent::Type,
    own: pg_sys::SubTransactionId,
    parent: pg_sys::SubTransactionId,
    _argument: *mut std::ffi::c_void,
) {
    match event {
        pg_sys::SubXactEvent::SUBXACT_EVENT_ABORT_SUB => {
            entered::subtransaction_undone(own);
            latch::subtransaction_undone(own);
            judge::subtransaction_undone();
        }
        pg_sys::SubXactEvent::SUBXACT_EVENT_COMMIT_SUB => {
            entered::subtransaction_joined(own, parent);
            latch::subtransaction_joined(own, parent);
        }
        _ => (),
    }
}
