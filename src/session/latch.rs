//! The latch: which owner this transaction has used. From its first use on the transaction works for no other.
//!
//! It is emptied when the transaction ends. Earlier only if `enter()` fixed it in a subtransaction that is rolled back, and nothing has used
//! the owner since. With `ringfence.latch = statement` it holds for one statement.

use super::settings;
use crate::error::{self, Result};
use crate::pg::statement_start;
use pgrx::datum::Uuid;
use pgrx::pg_sys;
use std::cell::{Cell, RefCell};

struct Latched {
    owner: Uuid,
    /// When the statement that fixed it began, for `ringfence.latch = statement`.
    statement: pg_sys::TimestampTz,
    /// The transaction has used an owner that was selected for it alone.
    transaction_only: bool,
    /// The subtransaction in which entering the owner has fixed it.
    entered_in: pg_sys::SubTransactionId,
}

thread_local! {
    static LATCH: RefCell<Option<Latched>> = const { RefCell::new(None) };
    /// The transaction has used its owner, so it may have read the owner's rows.
    static USED: Cell<bool> = const { Cell::new(false) };
}

/// The owner that this transaction (or statement) has used, if any, and whether it was selected for it alone.
pub fn latched() -> Option<(Uuid, bool)> {
    let statement = statement_start();
    LATCH.with(|latch| {
        latch
            .borrow()
            .as_ref()
            .filter(|latched| settings::latch() == settings::Latch::Transaction || latched.statement == statement)
            .map(|latched| (latched.owner, latched.transaction_only))
    })
}

pub fn latched_owner() -> Option<Uuid> {
    latched().map(|(owner, _)| owner)
}

/// Whether this transaction has used an owner that was selected for it alone, in whichever statement.
pub fn is_for_transaction_only() -> bool {
    LATCH.with(|latch| latch.borrow().as_ref().is_some_and(|latched| latched.transaction_only))
}

/// Fixes the owner, or error 25001 if another one was fixed before.
pub fn latch(owner: Uuid, transaction_only: bool) -> Result<()> {
    match latched_owner() {
        Some(latched) if latched != owner => Err(error::latched()),
        _ => {
            LATCH.with(|latch| {
                let mut latch = latch.borrow_mut();
                let before = latch.as_ref();
                let transaction_only = transaction_only || before.is_some_and(|latched| latched.transaction_only);
                // SAFETY: reads a variable of the backend.
                let entered_in = before
                    .map_or_else(|| unsafe { pg_sys::GetCurrentSubTransactionId() }, |latched| latched.entered_in);
                *latch = Some(Latched { owner, statement: statement_start(), transaction_only, entered_in });
            });
            Ok(())
        }
    }
}

/// The owner is being used: what it was fixed by cannot be undone any more.
#[inline]
pub fn owner_is_used() {
    USED.set(true);
}

/// The transaction has ended.
pub fn transaction_ended() {
    LATCH.with(|latch| latch.replace(None));
    USED.set(false);
}

/// A subtransaction was rolled back.
pub fn subtransaction_undone(own: pg_sys::SubTransactionId) {
    if !USED.get() {
        LATCH.with(|latch| latch.borrow_mut().take_if(|latched| latched.entered_in == own));
    }
}

/// A subtransaction has become part of its parent.
pub fn subtransaction_joined(own: pg_sys::SubTransactionId, parent: pg_sys::SubTransactionId) {
    LATCH.with(|latch| {
        if let Some(latched) = latch.borrow_mut().as_mut().filter(|latched| latched.entered_in == own) {
            latched.entered_in = parent;
        }
    });
}
