//! Entries of a COPY, which are put into the index together: sorted, so that a key that many customers have is looked for once.
//!
//! Until then nobody misses them. The rows are not visible to others before the transaction commits; the backend itself reads the
//! index only after it has put them there ([`put_in`]); and whatever it executes while it copies, a trigger's query say, ends the
//! waiting, for it might start workers that read the index too. When the COPY ends, so does the waiting. What a transaction leaves that
//! is rolled back is forgotten: its rows are dead.

use super::access_method;
use pgrx::{pg_guard, pg_sys};
use std::cell::{Cell, RefCell};

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
    /// Whether a COPY runs, and nothing within it.
    static COPIES: Cell<bool> = const { Cell::new(false) };
    static WAITING: RefCell<Waiting> = RefCell::new(Waiting::default());
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

/// The COPY that was running has ended, or something is executed within it.
#[pg_guard]
pub unsafe extern "C-unwind" fn end() {
    COPIES.set(false);
    put_in();
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

/// Forgets what waits in that subtransaction or one that it contains, which are rolled back.
fn forget(rolled_back: pg_sys::SubTransactionId) {
    WAITING.with_borrow_mut(|waiting| {
        if waiting.subtransaction >= rolled_back {
            waiting.entries.clear();
            COPIES.set(false);
        }
    });
}
