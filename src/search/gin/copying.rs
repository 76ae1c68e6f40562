//! The keys of rows that a COPY or an import adds wait, and are written to the index together. They
//! are sorted, so that a key of many customers is looked up once.
//!
//! Nobody misses the keys that wait. Others do not see the rows before the transaction commits.
//! This backend writes the keys before it reads the index ([`write_waiting`]). Whatever else it
//! executes during the COPY, such as a trigger's query, ends the waiting, because it may start
//! parallel workers that read the index. The end of the COPY ends it too. If the transaction is
//! rolled back, its keys are forgotten, because its rows are dead.

use super::write::{self, KeyedRow, by_key};
use crate::search::place::RowAddress;
use pgrx::{pg_guard, pg_sys};
use std::cell::{Cell, RefCell};

/// The most keys that wait: 1 MiB of them, or some thousands of customers.
const MAX_WAITING: usize = 1 << 16;

#[derive(Default)]
struct Waiting {
    index: pg_sys::Oid,
    /// The subtransaction of the COPY.
    subtransaction: pg_sys::SubTransactionId,
    rows: Vec<KeyedRow>,
}

thread_local! {
    /// Whether a COPY runs, or a statement that has asked for it, and nothing within it.
    static COPIES: Cell<bool> = const { Cell::new(false) };
    static WAITING: RefCell<Waiting> = RefCell::new(Waiting::default());
}

/// Lets a customer's keys wait, and returns true. Returns false if no COPY runs: then the caller
/// writes them.
///
/// # Safety
/// `index` must be open.
pub unsafe fn wait(index: pg_sys::Relation, keys: impl Iterator<Item = i64>, row: RowAddress) -> bool {
    if !COPIES.get() {
        return false;
    }
    // SAFETY: as promised by the caller; a variable of the backend.
    let (oid, subtransaction) = unsafe { ((*index).rd_id, pg_sys::GetCurrentSubTransactionId()) };
    let fits =
        |waiting: &Waiting| waiting.rows.is_empty() || (waiting.index, waiting.subtransaction) == (oid, subtransaction);
    if !WAITING.with_borrow(fits) || WAITING.with_borrow(|waiting| waiting.rows.len() >= MAX_WAITING) {
        write_waiting();
    }
    WAITING.with_borrow_mut(|waiting| {
        (waiting.index, waiting.subtransaction) = (oid, subtransaction);
        waiting.rows.extend(keys.map(|key| (key, row)));
    });
    true
}

/// Writes the keys that wait to the index.
pub fn write_waiting() {
    let (index, mut rows) = WAITING.with_borrow_mut(|waiting| (waiting.index, std::mem::take(&mut waiting.rows)));
    if rows.is_empty() {
        return;
    }
    rows.sort_unstable();
    // SAFETY: the COPY has locked the index until the transaction ends. If PostgreSQL raises an
    // error, it closes the index.
    unsafe {
        let index = pg_sys::index_open(index, pg_sys::RowExclusiveLock as _);
        write::write_keys(index, by_key(&rows), std::ptr::null_mut());
        pg_sys::index_close(index, pg_sys::NoLock as _);
    }
    // Keep the memory for the next rows.
    rows.clear();
    WAITING.with_borrow_mut(|waiting| waiting.rows = rows);
}

#[pg_guard]
unsafe extern "C-unwind" fn begin_copy() {
    write_waiting();
    COPIES.set(true);
}

/// Lets the keys wait of what the statement that is running inserts. It is for the statement itself to
/// call, when it runs, and [`end`] is to be called after it.
pub fn gather() {
    COPIES.set(true);
}

/// The COPY that was running has ended, or something is executed within it.
#[pg_guard]
pub unsafe extern "C-unwind" fn end() {
    COPIES.set(false);
    write_waiting();
}

/// A statement is about to be executed.
///
/// # Safety
/// Under plain frames only: PostgreSQL may raise an error here that no guard catches.
pub unsafe fn statement_begins() {
    if COPIES.get() {
        // SAFETY: as promised by the caller.
        unsafe { end() };
    }
}

/// A utility statement begins. Returns whether it is a COPY, of which [`end`] must be called when it has run.
///
/// # Safety
/// As [`statement_begins`]. `statement` must be a parse tree node or NULL.
pub unsafe fn utility_begins(statement: *mut pg_sys::Node) -> bool {
    // SAFETY: as promised by the caller.
    unsafe {
        statement_begins();
        let copies = copies_from(statement);
        if copies {
            begin_copy();
        }
        copies
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

/// The transaction was rolled back.
pub fn transaction_undone() {
    forget(0);
}

/// A subtransaction was rolled back.
pub fn subtransaction_undone(own: pg_sys::SubTransactionId) {
    forget(own);
}

/// Forgets the keys that wait in that subtransaction or in one that it contains. Both are rolled
/// back.
fn forget(rolled_back: pg_sys::SubTransactionId) {
    WAITING.with_borrow_mut(|waiting| {
        if waiting.subtransaction >= rolled_back {
            waiting.rows.clear();
            COPIES.set(false);
        }
    });
}
