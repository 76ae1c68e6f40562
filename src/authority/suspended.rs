//! Whether the extension itself erases a customer, or changes the form of a field's values: whose they are does not matter then, and no change of
//! a datum is to be kept.

use std::cell::Cell;

thread_local! {
    static SUSPENDED: Cell<bool> = const { Cell::new(false) };
}

/// Until it is called with false, or the transaction or a subtransaction ends.
pub fn suspend(suspended: bool) {
    SUSPENDED.set(suspended);
}

pub fn is_suspended() -> bool {
    SUSPENDED.get()
}
