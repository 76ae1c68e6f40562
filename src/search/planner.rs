//! The statements of search are planned with settings of their own, whatever the session has set.
//!
//! A backend keeps their plans for all sessions that it serves. PostgreSQL makes a plan when a
//! statement first runs, and again when something has changed that the plan depends on. Only
//! PostgreSQL knows when. So its planner hook puts the settings in force, and a search whose plans
//! are still good pays nothing for them.

use crate::session::settings::{set_for_now, take_back};
use pgrx::{pg_guard, pg_sys};
use std::cell::Cell;
use std::ffi::{CStr, c_int};

/// The one kind of scan that a statement is planned with. No estimate decides, because statistics
/// may be missing, old, or withheld.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum ScanBy {
    /// The search index, which can only be scanned for a bitmap.
    SearchIndex,
    /// The places of rows.
    Place,
    /// A B-tree index that begins with the owner, in its order.
    Order,
}

/// How the statements of search are prepared, and no others.
pub const OPTIONS: c_int = pg_sys::CURSOR_OPT_GENERIC_PLAN as c_int;

thread_local! {
    /// The kind of scan of the statement of search that is running.
    static RUNNING: Cell<Option<ScanBy>> = const { Cell::new(None) };
}

/// Whether a statement of search is running.
pub fn is_searching() -> bool {
    RUNNING.get().is_some()
}

/// Runs a statement of search that was prepared with [`OPTIONS`]. If PostgreSQL plans it, it gets
/// that kind of scan.
pub fn planned_for<T>(scan: ScanBy, run: impl FnOnce() -> T) -> T {
    /// Restores what was running before, also after an error.
    struct Before(Option<ScanBy>);
    impl Drop for Before {
        fn drop(&mut self) {
            RUNNING.set(self.0);
        }
    }
    let _before = Before(RUNNING.replace(Some(scan)));
    // SAFETY: a variable of the backend.
    if unsafe { pg_sys::plan_cache_mode } == pg_sys::PlanCacheMode::PLAN_CACHE_MODE_AUTO as c_int {
        return run();
    }
    // The session has asked for a new plan at each execution, which would take too long.
    let level = set_for_now(&[(c"plan_cache_mode", c"auto")], pg_sys::GucContext::PGC_USERSET);
    let result = run();
    take_back(level);
    result
}

/// A query is about to be planned. Returns what [`after_planning`] takes when it is.
///
/// # Safety
/// Under plain frames only: PostgreSQL may raise an error here that no guard catches.
pub unsafe fn before_planning(options: c_int) -> c_int {
    // SAFETY: as promised by the caller.
    if options & OPTIONS == 0 { NOT_OURS } else { unsafe { put_settings_in_force() } }
}

/// # Safety
/// As [`before_planning`].
pub unsafe fn after_planning(level: c_int) {
    if level != NOT_OURS {
        // SAFETY: as promised by the caller.
        unsafe { take_settings_back(level) };
    }
}

/// The query is not one of search.
const NOT_OURS: c_int = -1;

#[pg_guard]
unsafe extern "C-unwind" fn put_settings_in_force() -> c_int {
    let Some(scan) = RUNNING.get() else {
        return NOT_OURS;
    };
    let on = |yes: bool| if yes { c"on" } else { c"off" };
    let scans = [
        (c"enable_bitmapscan", on(scan == ScanBy::SearchIndex)),
        (c"enable_tidscan", on(scan == ScanBy::Place)),
        (c"enable_indexscan", on(scan == ScanBy::Order)),
        // Rows from a B-tree come sorted. Rows from the search index never do.
        (c"enable_sort", on(scan != ScanBy::Order)),
    ];
    let settings: Vec<(&CStr, &CStr)> = scans.into_iter().chain(SETTINGS.iter().copied()).collect();
    set_for_now(&settings, pg_sys::GucContext::PGC_USERSET)
}

#[pg_guard]
unsafe extern "C-unwind" fn take_settings_back(level: c_int) {
    take_back(level);
}

/// All settings that PostgreSQL's planner reads and that any session can change. Most are
/// PostgreSQL's defaults.
const SETTINGS: &[(&CStr, &CStr)] = &[
    (c"enable_seqscan", c"off"),
    (c"enable_indexonlyscan", c"off"),
    (c"enable_incremental_sort", c"off"),
    (c"enable_async_append", c"on"),
    (c"enable_gathermerge", c"on"),
    (c"enable_hashagg", c"on"),
    (c"enable_hashjoin", c"on"),
    (c"enable_material", c"on"),
    (c"enable_memoize", c"on"),
    (c"enable_mergejoin", c"on"),
    (c"enable_nestloop", c"on"),
    (c"enable_parallel_append", c"on"),
    (c"enable_parallel_hash", c"on"),
    (c"enable_partition_pruning", c"on"),
    (c"enable_partitionwise_aggregate", c"off"),
    (c"enable_partitionwise_join", c"off"),
    #[cfg(any(feature = "pg16", feature = "pg17", feature = "pg18"))]
    (c"enable_presorted_aggregate", c"on"),
    #[cfg(any(feature = "pg17", feature = "pg18"))]
    (c"enable_group_by_reordering", c"on"),
    #[cfg(feature = "pg18")]
    (c"enable_distinct_reordering", c"on"),
    #[cfg(feature = "pg18")]
    (c"enable_self_join_elimination", c"on"),
    (c"seq_page_cost", c"1"),
    (c"random_page_cost", c"4"),
    (c"cpu_tuple_cost", c"0.01"),
    (c"cpu_index_tuple_cost", c"0.005"),
    (c"cpu_operator_cost", c"0.0025"),
    (c"effective_cache_size", c"4GB"),
    (c"work_mem", c"4MB"),
    (c"hash_mem_multiplier", c"2"),
    (c"cursor_tuple_fraction", c"0.1"),
    (c"constraint_exclusion", c"partition"),
    (c"from_collapse_limit", c"8"),
    (c"join_collapse_limit", c"8"),
    (c"recursive_worktable_factor", c"10"),
    (c"geqo", c"off"),
    // To compile such a plan takes longer than to run it.
    (c"jit", c"off"),
    // The statements read few pages.
    (c"max_parallel_workers_per_gather", c"0"),
    (c"parallel_setup_cost", c"1000"),
    (c"parallel_tuple_cost", c"0.1"),
    (c"min_parallel_table_scan_size", c"8MB"),
    (c"min_parallel_index_scan_size", c"512kB"),
    #[cfg(feature = "pg15")]
    (c"force_parallel_mode", c"off"),
    #[cfg(not(feature = "pg15"))]
    (c"debug_parallel_query", c"off"),
];
