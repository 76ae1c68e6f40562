//! What a statement of the client has left out because it belongs to another source, and the one
//! warning that tells it. Functions and triggers run statements within the client's: the warning
//! comes when the outermost is done.

use crate::error;
use crate::pg::statement_start;
use pgrx::{PgLogLevel, pg_guard, pg_sys};
use std::cell::{Cell, RefCell};

/// What was left out.
#[derive(Clone, PartialEq, Eq)]
pub enum LeftOut {
    /// A value of a field that the session sees.
    Value {
        field: String,
        source: String,
    },
    NewCustomer,
    Deletion,
    /// Something that is not named.
    Other,
}

struct Counted {
    what: LeftOut,
    count: u64,
    subtransaction: pg_sys::SubTransactionId,
}

thread_local! {
    static COUNTED: RefCell<Vec<Counted>> = const { RefCell::new(Vec::new()) };
    static IS_COUNTED: Cell<bool> = const { Cell::new(false) };
    /// How many statements are running, each within the one before.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    /// When the message of the client came that is being worked on.
    static MESSAGE: Cell<pg_sys::TimestampTz> = const { Cell::new(0) };
}

/// Of what was committed already, in a procedure.
const COMMITTED: pg_sys::SubTransactionId = 0;

pub fn count(what: LeftOut) {
    // SAFETY: reads a variable of the backend.
    let subtransaction = unsafe { pg_sys::GetCurrentSubTransactionId() };
    IS_COUNTED.set(true);
    COUNTED.with_borrow_mut(|counted| {
        match counted.iter_mut().find(|it| it.subtransaction == subtransaction && it.what == what) {
            Some(it) => it.count += 1,
            None => counted.push(Counted { what, count: 1, subtransaction }),
        }
    });
}

/// A statement begins, within how many others. [`ends`] is told so when it is done. The first of a message of the client begins within none,
/// and what an error has left of the message before, which may have been another user's, is forgotten.
pub fn begins() -> u32 {
    let message = statement_start();
    if MESSAGE.replace(message) != message {
        DEPTH.set(0);
        forget();
    }
    let depth = DEPTH.get();
    DEPTH.set(depth + 1);
    depth
}

/// A statement that had begun within so many others is done. Returns whether it was the outermost.
pub fn ends(depth: u32) -> bool {
    DEPTH.set(depth);
    depth == 0
}

/// Whether there is something to warn of.
pub fn is_counted() -> bool {
    IS_COUNTED.get()
}

/// Warns, once for all.
#[pg_guard]
pub unsafe extern "C-unwind" fn warn() {
    IS_COUNTED.set(false);
    let mut summed: Vec<(LeftOut, u64)> = Vec::new();
    for counted in COUNTED.take() {
        match summed.iter_mut().find(|(what, _)| *what == counted.what) {
            Some((_, sum)) => *sum += counted.count,
            None => summed.push((counted.what, counted.count)),
        }
    }
    error::left_out(summed.into_iter().map(|(what, count)| described(what, count))).report(PgLogLevel::WARNING);
}

fn described(what: LeftOut, count: u64) -> Option<String> {
    match what {
        LeftOut::Value { field, source } => Some(format!("Values of \"{field}\", of source \"{source}\": {count}.")),
        LeftOut::NewCustomer => Some(format!("New customers: {count}.")),
        LeftOut::Deletion => Some(format!("Deletions of customers: {count}.")),
        LeftOut::Other => None,
    }
}

/// The transaction was committed, by a procedure that goes on or at the end of the statement.
pub fn transaction_committed() {
    if IS_COUNTED.get() {
        COUNTED.with_borrow_mut(|counted| counted.iter_mut().for_each(|it| it.subtransaction = COMMITTED));
    }
}

/// Nothing is told: the transaction was rolled back, or the client has sent another message.
pub fn forget() {
    if IS_COUNTED.replace(false) {
        COUNTED.take();
    }
}

/// A subtransaction was rolled back: what was left out in it was not written anyway.
pub fn subtransaction_undone(own: pg_sys::SubTransactionId) {
    if !IS_COUNTED.get() {
        return;
    }
    COUNTED.with_borrow_mut(|counted| {
        counted.retain(|it| it.subtransaction != own);
        IS_COUNTED.set(!counted.is_empty());
    });
}

/// A subtransaction has become part of its parent, and so has what was left out in it. There may be one for each of many rows.
pub fn subtransaction_joined(own: pg_sys::SubTransactionId, parent: pg_sys::SubTransactionId) {
    if !IS_COUNTED.get() {
        return;
    }
    COUNTED.with_borrow_mut(|counted| {
        while let Some(n) = counted.iter().position(|it| it.subtransaction == own) {
            let joins = counted.swap_remove(n);
            match counted.iter_mut().find(|it| it.subtransaction == parent && it.what == joins.what) {
                Some(it) => it.count += joins.count,
                None => counted.push(Counted { subtransaction: parent, ..joins }),
            }
        }
    });
}
