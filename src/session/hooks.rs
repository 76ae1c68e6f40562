//! Where PostgreSQL asks us while it runs: what would carry an owner's rows past their judgement, or past their transaction.

// A hook of PostgreSQL's executor stands below every statement of the backend, and pgrx's guards would rebuild each error
// that passes through: without the constraint's name, the context and the position that clients rely on. So the hooks
// are plain frames, with nothing to drop, which PostgreSQL's longjmp may skip (RFC 2945); they call PostgreSQL, or the hook of another
// library before us, as C would. What is ours to run is guarded for itself, and finished before.
#![allow(ffi_unwind_calls)]

use super::judge::refuses_held_cursors;
use super::{held, resumed, settings, workers};
use crate::pg::{members, unguarded};
use crate::{error, lock, secret, wording};
use pgrx::{PgLogLevel, pg_guard, pg_sys};
use std::cell::Cell;
use std::ffi::{CStr, c_char, c_int};

thread_local! {
    static PREVIOUS_START: Cell<pg_sys::ExecutorStart_hook_type> = const { Cell::new(None) };
    static PREVIOUS_RUN: Cell<pg_sys::ExecutorRun_hook_type> = const { Cell::new(None) };
    static PREVIOUS_UTILITY: Cell<pg_sys::ProcessUtility_hook_type> = const { Cell::new(None) };
}

/// For `_PG_init`.
pub fn install() {
    // SAFETY: once per backend; the hooks before are kept and called.
    unsafe {
        PREVIOUS_START.set(pg_sys::ExecutorStart_hook);
        pg_sys::ExecutorStart_hook = Some(executor_start);
        PREVIOUS_RUN.set(pg_sys::ExecutorRun_hook);
        pg_sys::ExecutorRun_hook = Some(executor_run);
        PREVIOUS_UTILITY.set(pg_sys::ProcessUtility_hook);
        pg_sys::ProcessUtility_hook = Some(process_utility);
    }
}

unsafe extern "C-unwind" fn executor_start(query: *mut pg_sys::QueryDesc, flags: c_int) {
    // SAFETY: called by PostgreSQL with a query that is about to be executed; a plain frame, as said above.
    unsafe {
        let statement = (*query).plannedstmt;
        wording::statement_begins(statement);
        if (*statement).commandType == pg_sys::CmdType::CMD_MERGE || (*statement).hasModifyingCTE {
            refuse_blind_merge(statement);
        }
        match PREVIOUS_START.get() {
            Some(previous) => previous(query, flags),
            None => unguarded::standard_ExecutorStart(query, flags),
        }
    }
}

/// PostgreSQL lets a MERGE that reads no column of its target go over all rows, and asks the policies only about those
/// that it comes to change. Its conditions, run once for each row, would count the rows of all owners.
///
/// # Safety
/// `statement` must be a planned statement.
#[pg_guard]
unsafe extern "C-unwind" fn refuse_blind_merge(statement: *mut pg_sys::PlannedStmt) {
    // SAFETY: as promised by the caller.
    unsafe {
        if std::iter::once((*statement).planTree)
            .chain(members::<pg_sys::Plan>((*statement).subplans))
            .any(|plan| merges_blindly(statement, plan))
        {
            error::blind_merge().report(PgLogLevel::ERROR);
        }
    }
}

/// # Safety
/// `plan` must be NULL, or the plan of that statement or of one of its WITH queries.
unsafe fn merges_blindly(statement: *mut pg_sys::PlannedStmt, plan: *mut pg_sys::Plan) -> bool {
    // SAFETY: the node's tag tells what it is; the lists of a plan hold what their names say.
    unsafe {
        if plan.is_null() || (*plan).type_ != pg_sys::NodeTag::T_ModifyTable {
            return false;
        }
        let plan = plan.cast::<pg_sys::ModifyTable>();
        if (*plan).operation != pg_sys::CmdType::CMD_MERGE || reads(statement, (*plan).nominalRelation) {
            return false;
        }
        // The checks are there where row-level security is in force; ours are known by the name of the wall.
        members::<pg_sys::List>((*plan).withCheckOptionLists)
            .flat_map(|checks| members::<pg_sys::WithCheckOption>(checks))
            .any(|check| !(*check).polname.is_null() && CStr::from_ptr((*check).polname) == c"owner_wall")
    }
}

/// Whether a statement asks for the privilege to read that relation: then the policies for SELECT are in force too.
///
/// # Safety
/// `relation` must be an index of the statement's range table.
unsafe fn reads(statement: *mut pg_sys::PlannedStmt, relation: pg_sys::Index) -> bool {
    // SAFETY: as promised by the caller.
    let required = unsafe {
        let Some(relation) =
            members::<pg_sys::RangeTblEntry>((*statement).rtable).nth((relation as usize).wrapping_sub(1))
        else {
            return false;
        };
        #[cfg(feature = "pg15")]
        let required = (*relation).requiredPerms;
        #[cfg(not(feature = "pg15"))]
        let required = members::<pg_sys::RTEPermissionInfo>((*statement).permInfos)
            .nth(((*relation).perminfoindex as usize).wrapping_sub(1))
            .map_or(0, |permissions| (*permissions).requiredPerms);
        required
    };
    required & pg_sys::AclMode::from(pg_sys::ACL_SELECT) != 0
}

#[cfg(not(feature = "pg18"))]
unsafe extern "C-unwind" fn executor_run(
    query: *mut pg_sys::QueryDesc,
    direction: pg_sys::ScanDirection::Type,
    rows: u64,
    once: bool,
) {
    // SAFETY: called by PostgreSQL with a query that is being executed; a plain frame, as said above.
    unsafe {
        if (*query).already_executed {
            resumed::judge(query);
        }
        let handed = if (*(*query).plannedstmt).parallelModeNeeded { workers::prepare(query) } else { workers::NONE };
        // What is fetched in pieces runs without workers: by this argument, or in newer minors by already_executed.
        let once = once && handed != workers::REFUSED;
        match PREVIOUS_RUN.get() {
            Some(previous) => previous(query, direction, rows, once),
            None => unguarded::standard_ExecutorRun(query, direction, rows, once),
        }
        if settings::latch() == settings::Latch::Statement {
            resumed::remember_owner(query);
        }
        if handed >= 0 {
            workers::dismiss(handed);
        }
    }
}

#[cfg(feature = "pg18")]
unsafe extern "C-unwind" fn executor_run(
    query: *mut pg_sys::QueryDesc,
    direction: pg_sys::ScanDirection::Type,
    rows: u64,
) {
    // SAFETY: called by PostgreSQL with a query that is being executed; a plain frame, as said above.
    unsafe {
        if (*query).already_executed {
            resumed::judge(query);
        }
        let handed = if (*(*query).plannedstmt).parallelModeNeeded { workers::prepare(query) } else { workers::NONE };
        match PREVIOUS_RUN.get() {
            Some(previous) => previous(query, direction, rows),
            None => unguarded::standard_ExecutorRun(query, direction, rows),
        }
        if settings::latch() == settings::Latch::Statement {
            resumed::remember_owner(query);
        }
        if handed >= 0 {
            workers::dismiss(handed);
        }
    }
}

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
    // SAFETY: called by PostgreSQL with a utility statement, which is passed on; a plain frame, as said above.
    unsafe {
        if held::declares_one((*statement).utilityStmt) {
            refuse_held_cursor();
        }
        wording::utility_begins((*statement).utilityStmt);
        let locks = lock::refuse((*statement).utilityStmt);
        let text = secret::without_secrets(statement, text).unwrap_or(text);
        match PREVIOUS_UTILITY.get() {
            Some(previous) => {
                previous(statement, text, read_only, level, parameters, environment, receiver, completion)
            }
            None => unguarded::standard_ProcessUtility(
                statement,
                text,
                read_only,
                level,
                parameters,
                environment,
                receiver,
                completion,
            ),
        }
        if locks {
            lock::refuse((*statement).utilityStmt);
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
