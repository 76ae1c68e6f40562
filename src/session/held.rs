//! Cursors WITH HOLD: they outlive the transaction, and with it what their rows were judged by. So an owner's rows may not go to one, unless
//! the access is for a connection that serves one owner throughout.

use pgrx::pg_sys;
use std::cell::Cell;

thread_local! {
    /// One was declared in this transaction.
    static DECLARED: Cell<bool> = const { Cell::new(false) };
}

/// A statement that declares one is about to run.
pub fn is_declared() {
    DECLARED.set(true);
}

/// # Safety
/// `statement` must be a parse tree node or NULL.
pub unsafe fn declares_one(statement: *mut pg_sys::Node) -> bool {
    // SAFETY: the node's tag tells what it is.
    unsafe {
        !statement.is_null()
            && (*statement).type_ == pg_sys::NodeTag::T_DeclareCursorStmt
            && (*statement.cast::<pg_sys::DeclareCursorStmt>()).options & pg_sys::CURSOR_OPT_HOLD as i32 != 0
    }
}

/// The transaction has ended.
pub fn transaction_ended() {
    DECLARED.set(false);
}

/// Whether the rows being read may go to a cursor that outlives the transaction: one was declared in it before the owner
/// was selected, or, where the library was not yet loaded then, one is being read from.
#[inline]
pub fn fills_one() -> bool {
    // SAFETY: the portal that PostgreSQL is running, if any.
    DECLARED.get()
        || unsafe {
            !pg_sys::ActivePortal.is_null()
                && (*pg_sys::ActivePortal).cursorOptions & pg_sys::CURSOR_OPT_HOLD as i32 != 0
        }
}
