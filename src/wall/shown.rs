//! EXPLAIN ANALYZE and a session's own statistics show counts of a walled table only if they come
//! from the session's rows.

// PostgreSQL's walk over a query's nodes is called inside a guard.
#![allow(ffi_unwind_calls)]

use super::memory;
use super::order::{self, WalledScan};
use super::policy;
use crate::error;
use crate::role;
use pgrx::{PgLogLevel, pg_guard, pg_sys};
use std::ffi::c_void;

/// pgrx lacks this for PostgreSQL 15 only.
#[cfg(feature = "pg15")]
mod walk {
    use pgrx::pg_sys;
    use std::ffi::c_void;

    unsafe extern "C-unwind" {
        pub fn planstate_tree_walker(
            state: *mut pg_sys::PlanState,
            walker: unsafe extern "C-unwind" fn(*mut pg_sys::PlanState, *mut c_void) -> bool,
            context: *mut c_void,
        ) -> bool;
    }
}

/// Calls `walker` with each child of a node.
///
/// # Safety
/// `state` must be a node of a query that is being executed.
unsafe fn each_child(
    state: *mut pg_sys::PlanState,
    walker: unsafe extern "C-unwind" fn(*mut pg_sys::PlanState, *mut c_void) -> bool,
    context: *mut c_void,
) -> bool {
    // SAFETY: as promised by the caller.
    unsafe {
        #[cfg(feature = "pg15")]
        {
            pg_sys::ffi::pg_guard_ffi_boundary(|| walk::planstate_tree_walker(state, walker, context))
        }
        #[cfg(not(feature = "pg15"))]
        pg_sys::planstate_tree_walker_impl(state, Some(walker), context)
    }
}

/// A query has been executed.
///
/// # Safety
/// Under plain frames only. `query` must be such a query.
pub unsafe fn after_execution(query: *mut pg_sys::QueryDesc) {
    // SAFETY: as promised by the caller.
    unsafe {
        if (*query).instrument_options != 0 {
            hide_parts_of_others(query);
        }
    }
}

/// Removes from a query's counts whatever rows of other owners had a part in. Counts of pages that
/// were read and written are removed too if the pages may belong to a walled table, because rows of
/// other owners lie on them.
///
/// # Safety
/// `query` must be a query that has been executed with its nodes instrumented.
#[pg_guard]
unsafe extern "C-unwind" fn hide_parts_of_others(query: *mut pg_sys::QueryDesc) {
    // SAFETY: as promised by the caller.
    unsafe {
        let statement = (*query).plannedstmt;
        if order::reads_walled_table(statement) {
            hide_counts_of((*query).planstate, statement.cast());
        }
        if may_count_pages_of_others(statement) {
            hide_pages_of((*query).planstate, std::ptr::null_mut());
        }
    }
}

/// Whether a statement's counts of pages can tell of other owners: the wall binds the role of the
/// session, and the statement names a walled table, or runs functions or triggers, which may read
/// one.
///
/// # Safety
/// `statement` must be a planned statement whose tables are locked.
pub unsafe fn may_count_pages_of_others(statement: *mut pg_sys::PlannedStmt) -> bool {
    // SAFETY: as promised by the caller.
    unsafe {
        policy::binds(pg_sys::GetOuterUserId())
            && ((*statement).commandType != pg_sys::CmdType::CMD_SELECT
                || (*statement).hasModifyingCTE
                || !(*statement).invalItems.is_null()
                || order::reads_walled_table(statement))
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn hide_counts_of(state: *mut pg_sys::PlanState, context: *mut c_void) -> bool {
    // SAFETY: called with a node of the query, and its statement; the tags tell what the nodes are.
    unsafe {
        if state.is_null() {
            return false;
        }
        memory::hide(state);
        if let Some(scan) = WalledScan::of(context.cast(), (*state).plan) {
            let own = scan.is_kept_by_index() && !scan.judges_rights_by_row() && rows_passed(state) > 0.0;
            each_instrument(state, &mut |counts| {
                // If the wall is not a condition of the index, the filter has met rows of others.
                // Without the right, it has removed all rows that there are. PostgreSQL rechecks
                // whole pages, and for pages that are not visible to all it fetches rows from the
                // table. Rows of others lie on both.
                if !own {
                    (*counts).nfiltered1 = 0.0;
                }
                (*counts).nfiltered2 = 0.0;
                (*counts).ntuples2 = 0.0;
            });
            #[cfg(feature = "pg18")]
            hide_index_searches(state);
            if (*state).type_ == pg_sys::NodeTag::T_BitmapHeapScanState {
                hide_heap_blocks(state.cast());
                each_child(state, hide_counts_of, context);
                let mut rows = rows_passed(state) + rows_removed(state);
                return each_child(state, hide_entries_of, (&raw mut rows).cast());
            }
        }
        each_child(state, hide_counts_of, context)
    }
}

/// The number of rows that passed the filter of a scan.
///
/// # Safety
/// `state` must be a scan that has been executed.
unsafe fn rows_passed(state: *mut pg_sys::PlanState) -> f64 {
    // SAFETY: as promised by the caller.
    unsafe {
        let counts = (*state).instrument;
        if counts.is_null() {
            return 0.0;
        }
        pg_sys::InstrEndLoop(counts);
        (*counts).ntuples
    }
}

/// The number of rows that the filter of a scan removed, if it is shown.
///
/// # Safety
/// As [`rows_passed`].
unsafe fn rows_removed(state: *mut pg_sys::PlanState) -> f64 {
    // SAFETY: as promised by the caller.
    unsafe { (*state).instrument.as_ref().map_or(0.0, |counts| counts.nfiltered1) }
}

/// An index keeps entries of deleted rows until VACUUM or a scan removes them. When that happens
/// depends on other rows on their pages. So as the number of entries of a bitmap, EXPLAIN shows the
/// number of rows that were read by it.
#[pg_guard]
unsafe extern "C-unwind" fn hide_entries_of(state: *mut pg_sys::PlanState, context: *mut c_void) -> bool {
    // SAFETY: called with a node of the query, and the rows that were read.
    unsafe {
        if state.is_null() {
            return false;
        }
        if (*state).type_ == pg_sys::NodeTag::T_BitmapIndexScanState {
            let rows = *context.cast::<f64>();
            each_instrument(state, &mut |counts| {
                pg_sys::InstrEndLoop(counts);
                (*counts).ntuples = rows;
            });
            #[cfg(feature = "pg18")]
            hide_index_searches(state);
        }
        each_child(state, hide_entries_of, context)
    }
}

/// # Safety
/// `state` must be a bitmap heap scan that has been executed.
unsafe fn hide_heap_blocks(state: *mut pg_sys::BitmapHeapScanState) {
    // SAFETY: as promised by the caller; in 18 workers have an array of counts of their own.
    unsafe {
        #[cfg(not(feature = "pg18"))]
        {
            (*state).exact_pages = 0;
            (*state).lossy_pages = 0;
        }
        #[cfg(feature = "pg18")]
        {
            (*state).stats = pg_sys::BitmapHeapScanInstrumentation::default();
            if let Some(workers) = (*state).sinstrument.as_mut() {
                workers.sinstrument.as_mut_slice(workers.num_workers as usize).fill((*state).stats);
            }
        }
    }
}

/// How often a scan went down from the root of its index. For a list of values this is less often
/// if they are on one page, and rows of other owners decide what is on one page.
///
/// # Safety
/// `state` must be a node that has been executed.
#[cfg(feature = "pg18")]
unsafe fn hide_index_searches(state: *mut pg_sys::PlanState) {
    // SAFETY: the tag tells which node it is; workers have an array of counts of their own.
    unsafe {
        let (own, workers) = match (*state).type_ {
            pg_sys::NodeTag::T_IndexScanState => {
                let scan = &mut *state.cast::<pg_sys::IndexScanState>();
                (&mut scan.iss_Instrument, scan.iss_SharedInfo)
            }
            pg_sys::NodeTag::T_IndexOnlyScanState => {
                let scan = &mut *state.cast::<pg_sys::IndexOnlyScanState>();
                (&mut scan.ioss_Instrument, scan.ioss_SharedInfo)
            }
            pg_sys::NodeTag::T_BitmapIndexScanState => {
                let scan = &mut *state.cast::<pg_sys::BitmapIndexScanState>();
                (&mut scan.biss_Instrument, scan.biss_SharedInfo)
            }
            _ => return,
        };
        *own = pg_sys::IndexScanInstrumentation::default();
        if let Some(workers) = workers.as_mut() {
            workers.winstrument.as_mut_slice(workers.num_workers as usize).fill(*own);
        }
    }
}

/// Which pages were in the buffers depends on what other owners have read.
#[pg_guard]
unsafe extern "C-unwind" fn hide_pages_of(state: *mut pg_sys::PlanState, context: *mut c_void) -> bool {
    // SAFETY: called with a node of the query.
    unsafe {
        if state.is_null() {
            return false;
        }
        each_instrument(state, &mut |counts| {
            (*counts).bufusage = pg_sys::BufferUsage::default();
            (*counts).walusage = pg_sys::WalUsage::default();
        });
        each_child(state, hide_pages_of, context)
    }
}

/// The counts of a node: in the leader, and in each of its parallel workers.
///
/// # Safety
/// `state` must be a node of a query that has been executed.
unsafe fn each_instrument(state: *mut pg_sys::PlanState, work: &mut impl FnMut(*mut pg_sys::Instrumentation)) {
    // SAFETY: as promised by the caller: an array of `num_workers`.
    unsafe {
        if !(*state).instrument.is_null() {
            work((*state).instrument);
        }
        let workers = (*state).worker_instrument;
        if !workers.is_null() {
            let first = (&raw mut (*workers).instrument).cast::<pg_sys::Instrumentation>();
            (0..(*workers).num_workers as usize).for_each(|n| work(first.add(n)));
        }
    }
}

/// Functions that count what the current transaction did to the rows of all owners: rows and pages
/// that it read, and updates that found room on their page, which depends on the rows of others. Scans
/// count too, because a policy may look into another table for each row.
const COUNTS_OF_TRANSACTION: [u32; 6] = [
    pg_sys::F_PG_STAT_GET_XACT_NUMSCANS,
    pg_sys::F_PG_STAT_GET_XACT_TUPLES_HOT_UPDATED,
    pg_sys::F_PG_STAT_GET_XACT_TUPLES_RETURNED,
    pg_sys::F_PG_STAT_GET_XACT_TUPLES_FETCHED,
    pg_sys::F_PG_STAT_GET_XACT_BLOCKS_FETCHED,
    pg_sys::F_PG_STAT_GET_XACT_BLOCKS_HIT,
];

/// A function is about to run.
///
/// # Safety
/// Under plain frames only.
pub unsafe fn function_runs(function: pg_sys::Oid) {
    if COUNTS_OF_TRANSACTION.contains(&function.to_u32()) {
        // SAFETY: inside a transaction, as functions are.
        unsafe { refuse_counts() };
    }
}

/// Error 42501 for a role that the wall binds, unless it may read all statistics.
#[pg_guard]
unsafe extern "C-unwind" fn refuse_counts() {
    // SAFETY: look-ups of roles, inside a transaction.
    let allowed = unsafe {
        let user = pg_sys::GetUserId();
        pg_sys::has_bypassrls_privilege(user)
            || pg_sys::has_privs_of_role(user, pg_sys::Oid::from(pg_sys::ROLE_PG_READ_ALL_STATS))
    };
    if !allowed {
        error::counts_of_transaction(&role::own_name()).report(PgLogLevel::ERROR);
    }
}
