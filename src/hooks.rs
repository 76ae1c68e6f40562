//! PostgreSQL's hooks. Each is installed once, here, and calls the rooms in the order in which they
//! stand in it. In between it calls the hook of a library that was loaded before, or if there is
//! none, PostgreSQL itself.
//!
//! A hook is a plain frame (see `pg`). What a room runs for it has a guard of its own, and is
//! finished before the hook goes on.

#![allow(ffi_unwind_calls)]

use crate::authority::{self, exempt, judge, left_out};
use crate::customer::stored_row;
use crate::history;
use crate::pg::unguarded;
use crate::wall::{self, estimate, shown};
use crate::{channel, error, install, lock, log, search, secret, session, wording};
use pgrx::{PgLogLevel, pg_guard, pg_sys};
use std::cell::Cell;
use std::ffi::{c_char, c_int, c_void};
use std::ptr::null_mut;

/// The hooks that were installed before ours.
struct Before {
    planner: Cell<pg_sys::planner_hook_type>,
    executor_start: Cell<pg_sys::ExecutorStart_hook_type>,
    executor_run: Cell<pg_sys::ExecutorRun_hook_type>,
    executor_finish: Cell<pg_sys::ExecutorFinish_hook_type>,
    process_utility: Cell<pg_sys::ProcessUtility_hook_type>,
    object_access: Cell<pg_sys::object_access_hook_type>,
    emit_log: Cell<pg_sys::emit_log_hook_type>,
    relation_info: Cell<pg_sys::get_relation_info_hook_type>,
    relation_stats: Cell<pg_sys::get_relation_stats_hook_type>,
    index_stats: Cell<pg_sys::get_index_stats_hook_type>,
    average_width: Cell<pg_sys::get_attavgwidth_hook_type>,
}

thread_local! {
    static BEFORE: Before = const {
        Before {
            planner: Cell::new(None),
            executor_start: Cell::new(None),
            executor_run: Cell::new(None),
            executor_finish: Cell::new(None),
            process_utility: Cell::new(None),
            object_access: Cell::new(None),
            emit_log: Cell::new(None),
            relation_info: Cell::new(None),
            relation_stats: Cell::new(None),
            index_stats: Cell::new(None),
            average_width: Cell::new(None),
        }
    };
}

/// For `_PG_init`.
pub fn install() {
    // SAFETY: runs once in a backend. Earlier hooks are kept and called. Hooks and callbacks live
    // as long as the library.
    BEFORE.with(|before| unsafe {
        before.planner.set(put_in_place(&raw mut pg_sys::planner_hook, planner));
        before.executor_start.set(put_in_place(&raw mut pg_sys::ExecutorStart_hook, executor_start));
        before.executor_run.set(put_in_place(&raw mut pg_sys::ExecutorRun_hook, executor_run));
        before.executor_finish.set(put_in_place(&raw mut pg_sys::ExecutorFinish_hook, executor_finish));
        before.process_utility.set(put_in_place(&raw mut pg_sys::ProcessUtility_hook, process_utility));
        before.object_access.set(put_in_place(&raw mut pg_sys::object_access_hook, object_access));
        before.emit_log.set(put_in_place(&raw mut pg_sys::emit_log_hook, emit_log));
        before.relation_info.set(put_in_place(&raw mut pg_sys::get_relation_info_hook, relation_info));
        before.relation_stats.set(put_in_place(&raw mut pg_sys::get_relation_stats_hook, relation_stats));
        before.index_stats.set(put_in_place(&raw mut pg_sys::get_index_stats_hook, index_stats));
        before.average_width.set(put_in_place(&raw mut pg_sys::get_attavgwidth_hook, average_width));

        pg_sys::RegisterXactCallback(Some(transaction_event), null_mut());
        pg_sys::RegisterSubXactCallback(Some(subtransaction_event), null_mut());
        pg_sys::CacheRegisterRelcacheCallback(Some(relation_changed), pg_sys::Datum::null());
        for (cache, callback) in [
            (pg_sys::SysCacheIdentifier::AUTHOID, role_changed as Changed),
            (pg_sys::SysCacheIdentifier::AUTHMEMROLEMEM, membership_changed),
            (pg_sys::SysCacheIdentifier::PROCOID, function_changed),
        ] {
            pg_sys::CacheRegisterSyscacheCallback(cache as _, Some(callback), pg_sys::Datum::null());
        }
    });
}

/// Installs our hook, and returns the one that was there.
///
/// # Safety
/// `place` must be where PostgreSQL keeps a hook.
unsafe fn put_in_place<T: Copy>(place: *mut Option<T>, ours: T) -> Option<T> {
    // SAFETY: as promised by the caller; PostgreSQL's processes have one thread.
    unsafe { place.replace(Some(ours)) }
}

type Changed = unsafe extern "C-unwind" fn(pg_sys::Datum, c_int, u32);

// Planning.

/// The settings of search are in force during the rest of planning.
unsafe extern "C-unwind" fn planner(
    query: *mut pg_sys::Query,
    text: *const c_char,
    options: c_int,
    parameters: pg_sys::ParamListInfo,
) -> *mut pg_sys::PlannedStmt {
    // SAFETY: called by PostgreSQL with a query, which is passed on; reads and sets counts of the backend.
    unsafe {
        let settings = search::planner::before_planning(options);
        wall::before_planning(query);
        let pages_before = pg_sys::pgBufferUsage;
        let statement = match BEFORE.with(|before| before.planner.get()) {
            Some(before) => before(query, text, options, parameters),
            None => unguarded::standard_planner(query, text, options, parameters),
        };
        // EXPLAIN must not show these pages.
        if wall::after_planning(statement) {
            pg_sys::pgBufferUsage = pages_before;
        }
        search::planner::after_planning(settings);
        statement
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn relation_info(
    root: *mut pg_sys::PlannerInfo,
    table: pg_sys::Oid,
    is_parent: bool,
    relation: *mut pg_sys::RelOptInfo,
) {
    // SAFETY: the planner passes a table that it has locked, and what it has found out about it.
    unsafe {
        if let Some(before) = BEFORE.with(|before| before.relation_info.get()) {
            pg_sys::ffi::pg_guard_ffi_boundary(|| before(root, table, is_parent, relation));
        }
        estimate::relation_info(table, relation);
    }
}

/// For a walled table, no other library is asked.
#[pg_guard]
unsafe extern "C-unwind" fn relation_stats(
    root: *mut pg_sys::PlannerInfo,
    entry: *mut pg_sys::RangeTblEntry,
    column: pg_sys::AttrNumber,
    asked: *mut pg_sys::VariableStatData,
) -> bool {
    // SAFETY: the planner passes a table that it has locked, one of its columns, and where it wants to know.
    unsafe {
        let before = || BEFORE.with(|before| before.relation_stats.get());
        estimate::relation_stats(entry, column, asked)
            || before().is_some_and(|before| pg_sys::ffi::pg_guard_ffi_boundary(|| before(root, entry, column, asked)))
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn index_stats(
    root: *mut pg_sys::PlannerInfo,
    index: pg_sys::Oid,
    column: pg_sys::AttrNumber,
    asked: *mut pg_sys::VariableStatData,
) -> bool {
    // SAFETY: the planner passes an index of a table that it has locked.
    unsafe {
        let before = || BEFORE.with(|before| before.index_stats.get());
        estimate::hides_index_stats(index)
            || before().is_some_and(|before| pg_sys::ffi::pg_guard_ffi_boundary(|| before(root, index, column, asked)))
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn average_width(table: pg_sys::Oid, column: pg_sys::AttrNumber) -> i32 {
    // SAFETY: the planner passes a table that it has locked, and one of its columns.
    unsafe {
        let before = || BEFORE.with(|before| before.average_width.get());
        estimate::average_width(table, column).unwrap_or_else(|| {
            before().map_or(0, |before| pg_sys::ffi::pg_guard_ffi_boundary(|| before(table, column)))
        })
    }
}

// Executing.

/// First come the index entries that a COPY has kept waiting, because the statement may read them.
/// Then the session must be entitled to an owner, before any part of the statement runs.
unsafe extern "C-unwind" fn executor_start(query: *mut pg_sys::QueryDesc, flags: c_int) {
    // SAFETY: called by PostgreSQL with a query that is about to be executed, which is passed on.
    unsafe {
        let statement = (*query).plannedstmt;
        search::copying::statement_begins();
        wall::before_execution(statement, flags);
        wording::statement_begins(statement);
        wall::refuse_blind_merge(statement);
        if authority::skips() && wall::updates_on_conflict(statement) {
            judge::refuse_skipping_upsert();
        }
        match BEFORE.with(|before| before.executor_start.get()) {
            Some(before) => before(query, flags),
            None => unguarded::standard_ExecutorStart(query, flags),
        }
    }
}

#[cfg(not(feature = "pg18"))]
unsafe extern "C-unwind" fn executor_run(
    query: *mut pg_sys::QueryDesc,
    direction: pg_sys::ScanDirection::Type,
    rows: u64,
    once: bool,
) {
    // SAFETY: called by PostgreSQL with a query that is being executed, which is passed on.
    unsafe {
        let depth = left_out::begins();
        let run = session::before_run(query);
        // A query that is fetched in pieces runs without workers. This argument tells, or in newer
        // minor versions already_executed.
        let once = once && !run.without_workers();
        match BEFORE.with(|before| before.executor_run.get()) {
            Some(before) => before(query, direction, rows, once),
            None => unguarded::standard_ExecutorRun(query, direction, rows, once),
        }
        session::after_run(query, run);
        statement_ends(depth);
    }
}

#[cfg(feature = "pg18")]
unsafe extern "C-unwind" fn executor_run(
    query: *mut pg_sys::QueryDesc,
    direction: pg_sys::ScanDirection::Type,
    rows: u64,
) {
    // SAFETY: called by PostgreSQL with a query that is being executed, which is passed on.
    unsafe {
        let depth = left_out::begins();
        let run = session::before_run(query);
        match BEFORE.with(|before| before.executor_run.get()) {
            Some(before) => before(query, direction, rows),
            None => unguarded::standard_ExecutorRun(query, direction, rows),
        }
        session::after_run(query, run);
        statement_ends(depth);
    }
}

unsafe extern "C-unwind" fn executor_finish(query: *mut pg_sys::QueryDesc) {
    // SAFETY: called by PostgreSQL with a query that has been executed.
    unsafe {
        let depth = left_out::begins();
        match BEFORE.with(|before| before.executor_finish.get()) {
            Some(before) => before(query),
            None => unguarded::standard_ExecutorFinish(query),
        }
        shown::after_execution(query);
        statement_ends(depth);
    }
}

/// A statement, or a part of it, is done, that had begun within so many others. After the outermost a warning tells what was left out.
///
/// # Safety
/// Under plain frames only.
unsafe fn statement_ends(depth: u32) {
    if left_out::ends(depth) && left_out::is_counted() {
        // SAFETY: as promised by the caller.
        unsafe { left_out::warn() };
    }
}

/// What a COPY needs begins before everything else, and ends after it. Secrets are hidden last, in
/// the text that other libraries and PostgreSQL get.
unsafe extern "C-unwind" fn process_utility(
    statement: *mut pg_sys::PlannedStmt,
    text: *const c_char,
    read_only: bool,
    level: pg_sys::ProcessUtilityContext::Type,
    parameters: pg_sys::ParamListInfo,
    environment: *mut pg_sys::QueryEnvironment,
    receiver: *mut pg_sys::DestReceiver,
    completion: *mut pg_sys::QueryCompletion,
) {
    // SAFETY: called by PostgreSQL with a utility statement, which is passed on.
    unsafe {
        let node = (*statement).utilityStmt;
        let depth = left_out::begins();
        let copies = search::copying::utility_begins(node);
        session::utility_begins(node);
        wording::utility_begins(node);
        let locks = lock::refuse(node);
        let text = secret::without_secrets(statement, text).unwrap_or(text);
        let pass_on = BEFORE.with(|before| before.process_utility.get()).unwrap_or(unguarded::standard_ProcessUtility);
        pass_on(statement, text, read_only, level, parameters, environment, receiver, completion);
        if locks {
            lock::refuse(node);
        }
        if copies {
            search::copying::end();
        }
        statement_ends(depth);
    }
}

/// PostgreSQL calls this for each function of each statement, so it asks without a guard whether
/// the function concerns us.
unsafe extern "C-unwind" fn object_access(
    access: pg_sys::ObjectAccessType::Type,
    class: pg_sys::Oid,
    object: pg_sys::Oid,
    sub_object: c_int,
    argument: *mut c_void,
) {
    // SAFETY: called by PostgreSQL; another library's hook is called with what PostgreSQL passed.
    unsafe {
        if let Some(before) = BEFORE.with(|before| before.object_access.get()) {
            before(access, class, object, sub_object, argument);
        }
        match access {
            pg_sys::ObjectAccessType::OAT_FUNCTION_EXECUTE => shown::function_runs(object),
            pg_sys::ObjectAccessType::OAT_DROP if class == pg_sys::RelationRelationId && sub_object == 0 => {
                install::relation_is_dropped(object, argument);
            }
            _ => (),
        }
    }
}

/// This runs while PostgreSQL reports an error, and must not disturb that.
unsafe extern "C-unwind" fn emit_log(report: *mut pg_sys::ErrorData) {
    // A failure here must not become an error while another one is being reported. A text that
    // cannot be masked is not shown.
    // SAFETY: PostgreSQL passes the report that it is about to write.
    if std::panic::catch_unwind(|| unsafe { log::edit(report) }).is_err() {
        // SAFETY: as above.
        unsafe { (*report).hide_stmt = true };
    }
    if let Some(before) = BEFORE.with(|before| before.emit_log.get()) {
        // SAFETY: the hook that was there before, called as PostgreSQL would.
        unsafe { before(report) };
    }
}

// Callbacks for transactions, and for changes of the tables that decisions are made from.

#[pg_guard]
unsafe extern "C-unwind" fn transaction_event(event: pg_sys::XactEvent::Type, _argument: *mut c_void) {
    use pg_sys::XactEvent::*;
    match event {
        XACT_EVENT_PRE_PREPARE if session::works_for_transaction_only() => {
            error::prepared_transaction().report(PgLogLevel::ERROR);
        }
        XACT_EVENT_COMMIT | XACT_EVENT_PARALLEL_COMMIT | XACT_EVENT_PREPARE => {
            exempt::end();
            left_out::transaction_committed();
            session::transaction_ended();
        }
        XACT_EVENT_ABORT | XACT_EVENT_PARALLEL_ABORT => {
            exempt::end();
            left_out::forget();
            search::copying::transaction_undone();
            session::transaction_ended();
        }
        _ => (),
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn subtransaction_event(
    event: pg_sys::SubXactEvent::Type,
    own: pg_sys::SubTransactionId,
    parent: pg_sys::SubTransactionId,
    _argument: *mut c_void,
) {
    match event {
        pg_sys::SubXactEvent::SUBXACT_EVENT_ABORT_SUB => {
            exempt::subtransaction_undone(own);
            left_out::subtransaction_undone(own);
            search::copying::subtransaction_undone(own);
            session::subtransaction_undone(own);
        }
        pg_sys::SubXactEvent::SUBXACT_EVENT_COMMIT_SUB => {
            left_out::subtransaction_joined(own, parent);
            session::subtransaction_joined(own, parent);
        }
        _ => (),
    }
}

/// InvalidOid stands for all relations.
#[pg_guard]
unsafe extern "C-unwind" fn relation_changed(_argument: pg_sys::Datum, relation: pg_sys::Oid) {
    session::relation_changed(relation);
    history::relation_changed(relation);
    stored_row::relation_changed(relation);
    wall::relation_changed(relation);
    wording::relation_changed(relation);
    channel::relation_changed(relation);
}

#[pg_guard]
unsafe extern "C-unwind" fn role_changed(_argument: pg_sys::Datum, _cache: c_int, _hash: u32) {
    session::role_changed();
    wall::object_changed();
}

#[pg_guard]
unsafe extern "C-unwind" fn membership_changed(_argument: pg_sys::Datum, _cache: c_int, _hash: u32) {
    session::role_changed();
}

#[pg_guard]
unsafe extern "C-unwind" fn function_changed(_argument: pg_sys::Datum, _cache: c_int, _hash: u32) {
    wall::object_changed();
}
