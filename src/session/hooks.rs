//! Where PostgreSQL asks us while it runs: what would carry an owner's rows past their judgement, or past their transaction.

// A hook of PostgreSQL's executor stands below every statement of the backend, and pgrx's guards would rebuild each error
// that passes through: without the constraint's name, the context and the position that clients rely on. So the hooks
// are plain frames, with nothing to drop, which PostgreSQL's longjmp may skip (RFC 2945); they call PostgreSQL, or the hook of another
// library before us, as C would. What is ours to run is guarded for itself, and finished before.
#![allow(ffi_unwind_calls)]

use super::{context, is_acting, judge, latched_owner, parallel, refuses_held_cursors, settings};
use crate::pg::{members, unguarded};
use crate::{error, lock, log, wording};
use pgrx::datum::Uuid;
use pgrx::{PgLogLevel, pg_guard, pg_sys};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ffi::{CStr, c_char, c_int};

thread_local! {
    static PREVIOUS_START: Cell<pg_sys::ExecutorStart_hook_type> = const { Cell::new(None) };
    static PREVIOUS_RUN: Cell<pg_sys::ExecutorRun_hook_type> = const { Cell::new(None) };
    static HOLD_DECLARED: Cell<bool> = const { Cell::new(false) };
    static PREVIOUS_UTILITY: Cell<pg_sys::ProcessUtility_hook_type> = const { Cell::new(None) };
    /// With `ringfence.latch = statement`: the owners that the transaction's queries have been run for, by the query's address.
    static RUN_FOR: RefCell<HashMap<usize, Uuid>> = RefCell::new(HashMap::new());
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
            judge_resumed_query(query);
        }
        let workers = if (*(*query).plannedstmt).parallelModeNeeded { prepare_workers(query) } else { WORKERS_NONE };
        // What is fetched in pieces runs without workers: by this argument, or in newer minors by already_executed.
        let once = once && workers != WORKERS_REFUSED;
        match PREVIOUS_RUN.get() {
            Some(previous) => previous(query, direction, rows, once),
            None => unguarded::standard_ExecutorRun(query, direction, rows, once),
        }
        if settings::latch() == settings::Latch::Statement {
            remember_owner(query);
        }
        if workers >= 0 {
            dismiss_workers(workers);
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
            judge_resumed_query(query);
        }
        let workers = if (*(*query).plannedstmt).parallelModeNeeded { prepare_workers(query) } else { WORKERS_NONE };
        match PREVIOUS_RUN.get() {
            Some(previous) => previous(query, direction, rows),
            None => unguarded::standard_ExecutorRun(query, direction, rows),
        }
        if settings::latch() == settings::Latch::Statement {
            remember_owner(query);
        }
        if workers >= 0 {
            dismiss_workers(workers);
        }
    }
}

/// A cursor that is fetched from again may hold rows that were judged long ago, sorted or materialised: where the
/// transaction works for an owner, it is judged anew whether the session still may.
///
/// # Safety
/// `query` must be a query that is being executed, and not for the first time.
#[pg_guard]
unsafe extern "C-unwind" fn judge_resumed_query(query: *mut pg_sys::QueryDesc) {
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
unsafe extern "C-unwind" fn remember_owner(query: *mut pg_sys::QueryDesc) {
    RUN_FOR.with_borrow_mut(|owners| match latched_owner() {
        Some(owner) => owners.insert(query.addr(), owner),
        // One that was freed may have had the same address.
        None => owners.remove(&query.addr()),
    });
}

// What `prepare_workers` returns: there are none, or none that could ask for an owner; or the query must do without; or
// else the level of settings at which their context was handed over.
const WORKERS_NONE: c_int = -1;
const WORKERS_REFUSED: c_int = -2;

/// Before a query that may start parallel workers: hands over what they have to know. What they may use the leader uses, so
/// the owner is fixed from now on.
///
/// # Safety
/// `query` must be a query that is being executed.
#[pg_guard]
unsafe extern "C-unwind" fn prepare_workers(query: *mut pg_sys::QueryDesc) -> c_int {
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
        return WORKERS_NONE;
    }
    // Where neither row-level security nor a function has a part in it, nothing should ask; and what nobody hands over nobody
    // can have forged.
    if !asks {
        return settings::hand_over(c"");
    }
    if is_acting() {
        // SAFETY: as above. PostgreSQL takes it for a query that is fetched from again, and sets the same when it has run.
        unsafe { (*query).already_executed = true };
        return WORKERS_REFUSED;
    }
    // A refusal is the worker's to report, if it comes to ask: the query may be about something else.
    let context = parallel::to_hand_over(judge().map(|_| ()));
    settings::hand_over(context.as_deref().unwrap_or(c""))
}

/// # Safety
/// `workers` must be the level that `prepare_workers` returned for the query that has been run.
#[pg_guard]
unsafe extern "C-unwind" fn dismiss_workers(workers: c_int) {
    settings::take_back(workers);
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
        if declares_held_cursor((*statement).utilityStmt) {
            refuse_held_cursor();
        }
        wording::utility_begins((*statement).utilityStmt);
        let locks = lock::refuse((*statement).utilityStmt);
        let text = log::without_secrets(statement, text).unwrap_or(text);
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
    HOLD_DECLARED.set(true);
}

/// # Safety
/// `statement` must be a parse tree node or NULL.
unsafe fn declares_held_cursor(statement: *mut pg_sys::Node) -> bool {
    // SAFETY: the node's tag tells what it is.
    unsafe {
        !statement.is_null()
            && (*statement).type_ == pg_sys::NodeTag::T_DeclareCursorStmt
            && (*statement.cast::<pg_sys::DeclareCursorStmt>()).options & pg_sys::CURSOR_OPT_HOLD as i32 != 0
    }
}

/// The transaction has ended.
pub fn end_of_transaction() {
    HOLD_DECLARED.set(false);
    RUN_FOR.take();
}

/// Whether the rows being read may go to a cursor that outlives the transaction: one was declared in it before the owner
/// was selected, or, where the library was not yet loaded then, one is being read from.
pub fn fills_held_cursor() -> bool {
    // SAFETY: the portal that PostgreSQL is running, if any.
    HOLD_DECLARED.get()
        || unsafe {
            !pg_sys::ActivePortal.is_null()
                && (*pg_sys::ActivePortal).cursorOptions & pg_sys::CURSOR_OPT_HOLD as i32 != 0
        }
}
