//! New customers that the session may not insert. PostgreSQL asks before it knows whether there
//! will be a new customer: with ON CONFLICT it may be the change of an old one, which is judged by
//! itself. So the error waits until the customer is inserted.

use crate::error::{Failure, Result};
use pgrx::datum::Uuid;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;

thread_local! {
    /// By the owner and the id of the customer.
    static REFUSED: RefCell<HashMap<(Uuid, Uuid), Failure>> = RefCell::default();
    static IS_ANY: Cell<bool> = const { Cell::new(false) };
}

/// The error for that customer of that owner, once it is inserted.
pub fn refuse(owner: Uuid, customer: Uuid, failure: Failure) {
    IS_ANY.set(true);
    REFUSED.with_borrow_mut(|refused| refused.insert((owner, customer), failure));
}

/// The customer is about to be inserted otherwise, after an error that was caught.
pub fn allow(owner: Uuid, customer: Uuid) {
    REFUSED.with_borrow_mut(|refused| refused.remove(&(owner, customer)));
}

/// After a customer was inserted: the error, if it was refused.
pub fn check(owner: Uuid, customer: Uuid) -> Result<()> {
    if !IS_ANY.get() {
        return Ok(());
    }
    let refused = REFUSED.with_borrow(|refused| refused.get(&(owner, customer)).cloned());
    refused.map_or(Ok(()), Err)
}

/// Whether an error waits: asked at the end of each statement.
#[inline]
pub fn is_any() -> bool {
    IS_ANY.get()
}

/// The statement, or its transaction, has ended. A customer that is refused ends it by an error.
pub fn forget() {
    if IS_ANY.replace(false) {
        REFUSED.take();
    }
}
