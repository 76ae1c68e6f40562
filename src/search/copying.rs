//! Entries of a COPY, which are put into the index together: sorted, so that a key that many customers have is looked for once.
//!
//! Until then nobody misses them. The rows are not visible to others before the transaction commits; the backend itself reads the
//! index only after it has put them there ([`put_in`]); and whatever it executes while it copies, a trigger's query say, ends the
//! waiting, for it might start workers that read the index too. When the COPY ends, so does the waiting. What a transaction leaves that
//! is rolled back is forgotten: its rows are dead.

// As in `session::hooks`: what stands below every statement of the backend is a plain frame, with nothing to drop, which PostgreSQL's
// longjmp may skip.
#![allow(ffi_unwind_calls)]

use super::access_method;
use crate::pg::unguarded;
use pgrx::{pg_guard, pg_sys};
use std::cell::{Cell, RefCell};
use std::ffi::{c_char, c_int, c_void};

/// Entries that wait at most: 1 MiB of them, or some thousands of customers.
pub const MOST: usize = 1 << 16;

/// An entry: a key, and a row by its block and line.
pub type Entry = (i64, (u32, u16));

/// Sorted entries, key by key.
pub fn by_key(sorted: &[Entry]) -> impl Iterator<Item = &[Entry]> {
    sorted.chunk_by(|one, next| one.0 == next.0)
}

#[derive(Default)]
struct Waiting {
    index: pg_sys::Oid,
    /// The subtransaction of the COPY.
    subtransaction: pg_sys::SubTransactionId,
    entries: Vec<Entry>,
}

thread_local! {
    static PREVIOUS_START: Cell<pg_sys::ExecutorStart_hook_type> = const { Cell::new(None) };
    static PREVIOUS_UTILITY: Cell<pg_sys::ProcessUtility_hook_type> = const { Cell::new(None) };
    /// Whether a COPY runs, and nothing within it.
    static COPIES: Cell<bool> = const { Cell::new(false) };
    static WAITING: RefCell<Waiting> = RefCell::new(Waiting::default());
}

/// For `_PG_init`.
pub fn init() {
    // SAFETY: once per backend; the hooks before are kept and called. The callbacks are guarded, and live as long as the library.
    unsafe {
        PREVIOUS_START.set(pg_sys::ExecutorStart_hook);
        pg_sys::ExecutorStart_hook = Some(executor_start);
        PREVIOUS_UTILITY.set(pg_sys::ProcessUtility_hook);
        pg_sys::ProcessUtility_hook = Some(process_utility);
        pg_sys::RegisterXactCallback(Some(transaction_event), std::ptr::null_mut());
        pg_sys::RegisterSubXactCallback(Some(subtransaction_event), std::ptr::null_mut());
    }
}

/// Has a customer's entries wait, if they may; else they are the caller's to put in.
///
/// # Safety
/// `index` must be open.
pub unsafe fn wait(index: pg_sys::Relation, keys: impl Iterator<Item = i64>, row: (u32, u16)) -> bool {
    if !COPIES.get() {
        return false;
    }
    // SAFETY: as promised by the caller; a variable of the backend.
    let (oid, subtransaction) = unsafe { ((*index).rd_id, pg_sys::GetCurrentSubTransactionId()) };
    let fits = |waiting: &Waiting| {
        waiting.entries.is_empty() || (waiting.index, waiting.subtransaction) == (oid, subtransaction)
    };
    if !WAITING.with_borrow(fits) || WAITING.with_borrow(|waiting| waiting.entries.len() >= MOST) {
        put_in();
    }
    WAITING.with_borrow_mut(|waiting| {
        (waiting.index, waiting.subtransaction) = (oid, subtransaction);
        waiting.entries.extend(keys.map(|key| (key, row)));
    });
    true
}

/// Puts what waits into the index.
pub fn put_in() {
    let (index, mut entries) = WAITING.with_borrow_mut(|waiting| (waiting.index, std::mem::take(&mut waiting.entries)));
    if entries.is_empty() {
        return;
    }
    entries.sort_unstable();
    // SAFETY: an index that the COPY has locked, until the transaction ends; it is closed when PostgreSQL raises an error.
    unsafe {
        let index = pg_sys::index_open(index, pg_sys::RowExclusiveLock as _);
        access_method::put_in(index, by_key(&entries), std::ptr::null_mut());
        pg_sys::index_close(index, pg_sys::NoLock as _);
    }
    // The memory is good for the next ones.
    entries.clear();
    WAITING.with_borrow_mut(|waiting| waiting.entries = entries);
}

#[pg_guard]
unsafe extern "C-unwind" fn begin_copy() {
    put_in();
    COPIES.set(true);
}

#[pg_guard]
unsafe extern "C-unwind" fn end_copy() {
    COPIES.set(false);
    put_in();
}

unsafe extern "C-unwind" fn executor_start(query: *mut pg_sys::QueryDesc, flags: c_int) {
    // SAFETY: called by PostgreSQL with a query that is about to be executed; a plain frame, as said above.
    unsafe {
        if COPIES.get() {
            end_copy();
        }
        match PREVIOUS_START.get() {
            Some(previous) => previous(query, flags),
            None => unguarded::standard_ExecutorStart(query, flags),
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
        if COPIES.get() {
            end_copy();
        }
        let copies = copies_from((*statement).utilityStmt);
        if copies {
            begin_copy();
        }
        let pass_on = PREVIOUS_UTILITY.get().unwrap_or(unguarded::standard_ProcessUtility);
        pass_on(statement, text, read_only, level, parameters, environment, receiver, completion);
        if copies {
            end_copy();
        }
    }
}

/// # Safety
/// `statement` must be a parse tree node or NULL.
unsafe fn copies_from(statement: *mut pg_sys::Node) -> bool {
    // SAFETY: the node's tag tells what it is.
    unsafe {
        !statement.is_null()
            && (*statement).type_ == pg_sys::NodeTag::T_CopyStmt
            && (*statement.cast::<pg_sys::CopyStmt>()).is_from
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn transaction_event(event: pg_sys::XactEvent::Type, _argument: *mut c_void) {
    if matches!(event, pg_sys::XactEvent::XACT_EVENT_ABORT | pg_sys::XactEvent::XACT_EVENT_PARALLEL_ABORT) {
        forget(0);
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn subtransaction_event(
    event: pg_sys::SubXactEvent::Type,
    own: pg_sys::SubTransactionId,
    _parent: pg_sys::SubTransactionId,
    _argument: *mut c_void,
) {
    if event == pg_sys::SubXactEvent::SUBXACT_EVENT_ABORT_SUB {
        forget(own);
    }
}

/// Forgets what waits in that subtransaction or one that it contains, which are rolled back.
fn forget(rolled_back: pg_sys::SubTransactionId) {
    WAITING.with_borrow_mut(|waiting| {
        if waiting.subtransaction >= rolled_back {
            waiting.entries.clear();
            COPIES.set(false);
        }
    });
}
