//! The wall around a table: what its policies cannot do by themselves.

pub mod estimate;
mod memory;
mod order;
mod policy;
mod refuse;
pub mod shown;

use crate::catalog;
use crate::error::{self, Result};
use crate::owner::closed;
use crate::rights::Rights;
use crate::session::{self, fast};
use pgrx::heap_tuple::PgHeapTuple;
use pgrx::{AllocatedByPostgres, PgLogLevel, PgTrigger, pg_guard, pg_sys, pg_trigger};
use std::cell::Cell;
use std::convert::Infallible;
use std::ffi::c_int;

pub use policy::{object_changed, relation_changed};
pub use refuse::updates_on_conflict;

thread_local! {
    /// The transaction in which the library was loaded: statements of it may have been planned without us.
    static LOADED_IN: Cell<Option<pg_sys::LocalTransactionId>> = const { Cell::new(None) };
}

/// For `_PG_init`.
pub fn init() {
    // SAFETY: MyProc is NULL where the library is preloaded: then nothing has been planned yet. Plans that are kept were made without us, and
    // are made again.
    unsafe {
        if !pg_sys::MyProc.is_null() {
            LOADED_IN.set(Some(local_transaction()));
            pg_sys::ResetPlanCache();
        }
    }
}

/// The number of the backend's transaction, which no other transaction of the backend has.
///
/// # Safety
/// The backend must have an entry in the array of processes.
unsafe fn local_transaction() -> pg_sys::LocalTransactionId {
    // SAFETY: as promised by the caller.
    unsafe {
        #[cfg(any(feature = "pg15", feature = "pg16"))]
        let number = (*pg_sys::MyProc).lxid;
        #[cfg(not(any(feature = "pg15", feature = "pg16")))]
        let number = (*pg_sys::MyProc).vxid.lxid;
        number
    }
}

/// Before a statement is planned.
///
/// # Safety
/// Under plain frames only. `query` must be a query that is about to be planned.
pub unsafe fn before_planning(query: *mut pg_sys::Query) {
    // SAFETY: as promised by the caller.
    unsafe {
        if !(*query).onConflict.is_null() || (*query).hasModifyingCTE {
            refuse::on_conflict(query);
        }
    }
}

/// A statement has been planned. Returns whether EXPLAIN must not show the pages that planning has read.
///
/// # Safety
/// `statement` must have just been planned.
#[pg_guard]
pub unsafe extern "C-unwind" fn after_planning(statement: *mut pg_sys::PlannedStmt) -> bool {
    // SAFETY: called with a statement that has just been planned: its tables are locked.
    unsafe {
        order::put_walls_first(statement);
        shown::may_count_pages_of_others(statement)
    }
}

/// Before a statement is executed. If it reads a walled table, the session must be entitled to an owner
/// before any row is read. Else the error would come with the first row, and tell that there is one.
///
/// # Safety
/// Under plain frames only: PostgreSQL may raise an error here that no guard catches. `statement` must be about to be executed.
pub unsafe fn before_execution(statement: *mut pg_sys::PlannedStmt, flags: c_int) {
    // SAFETY: as promised by the caller; a backend that executes has a process entry.
    unsafe {
        if LOADED_IN.get().is_some() {
            order_as_planned_before(statement);
        }
        if flags & pg_sys::EXEC_FLAG_EXPLAIN_ONLY as c_int == 0
            && pg_sys::ParallelWorkerNumber < 0
            && !fast::is_in_force()
        {
            require_owner(statement);
        }
    }
}

/// Error 0A000 for a MERGE that would count rows of all owners.
///
/// # Safety
/// As [`before_execution`].
pub unsafe fn refuse_blind_merge(statement: *mut pg_sys::PlannedStmt) {
    // SAFETY: as promised by the caller.
    unsafe {
        if (*statement).commandType == pg_sys::CmdType::CMD_MERGE || (*statement).hasModifyingCTE {
            refuse::blind_merge(statement);
        }
    }
}

/// In the transaction that the library was loaded in: the statement may have been planned before.
#[pg_guard]
unsafe extern "C-unwind" fn order_as_planned_before(statement: *mut pg_sys::PlannedStmt) {
    // SAFETY: called before the statement is executed. What is added to it lives as long as the transaction: it is planned anew
    // if it is kept for longer.
    unsafe {
        if LOADED_IN.get() != Some(local_transaction()) {
            LOADED_IN.set(None);
            return;
        }
        refuse::planned_on_conflict(statement);
        let before = pg_sys::MemoryContextSwitchTo(pg_sys::TopTransactionContext);
        order::put_walls_first(statement);
        pg_sys::MemoryContextSwitchTo(before);
    }
}

/// Error as [`session::context`] where the session is not entitled to an owner, and the statement's plan asks for one.
#[pg_guard]
unsafe extern "C-unwind" fn require_owner(statement: *mut pg_sys::PlannedStmt) {
    // SAFETY: called before the statement is executed: its tables are locked.
    let asks = unsafe { policy::binds(pg_sys::GetUserId()) && order::asks_for_owner(statement) };
    if asks && let Err(refusal) = session::context() {
        refusal.report(PgLogLevel::ERROR);
    }
}

/// Before a statement writes: error 42501 without the right that the trigger names, or one of them. The first is the one that is missed. A policy alone would let an
/// UPDATE or DELETE without the right pass as one that finds no rows.
///
/// Where row-level security is not in force (a superuser, a referential action) it asks nothing. A view has no
/// row-level security of its own, but its rows always pass that of the tables beneath.
#[pg_trigger(sql = false)]
fn require_right<'a>(trigger: &'a PgTrigger<'a>) -> Result<Option<PgHeapTuple<'a, AllocatedByPostgres>>, Infallible> {
    Ok(error::raised((|| {
        let arguments = trigger.extra_args().map_err(|_| error::wrong_trigger("require_right takes a right"))?;
        let Some((right, others)) = arguments.split_first() else {
            return Err(error::wrong_trigger("require_right takes a right"));
        };
        // SAFETY: the trigger's relation is open for as long as the trigger runs.
        let (relation, is_view) = unsafe {
            let relation = trigger.trigger_data().tg_relation;
            ((*relation).rd_id, (*(*relation).rd_rel).relkind == pg_sys::RELKIND_VIEW as i8)
        };
        let bound = is_view || catalog::row_security_binds(relation, pg_sys::InvalidOid);
        if bound {
            let held = session::context()?.rights;
            let mut any = false;
            for other in others {
                any |= held.contains(Rights::parse(other)?);
            }
            if !any {
                session::require(Rights::parse(right)?, right)?;
            }
            if !is_view {
                closed::begin_to_write(&session::context()?.owner)?;
            }
        }
        Ok(None)
    })()))
}

/// After a statement changed a table that decisions are made from: every backend forgets what it made from it, this
/// one at once and the others when the transaction commits.
#[pg_trigger(sql = false)]
fn forget_decisions<'a>(
    trigger: &'a PgTrigger<'a>,
) -> Result<Option<PgHeapTuple<'a, AllocatedByPostgres>>, Infallible> {
    // SAFETY: the trigger's relation is open for as long as the trigger runs.
    unsafe { pg_sys::CacheInvalidateRelcacheByRelid((*trigger.trigger_data().tg_relation).rd_id) };
    Ok(None)
}
