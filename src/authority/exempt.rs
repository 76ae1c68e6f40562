//! The one statement of the extension itself that erases a customer, or changes the form of a
//! field's values: whose these data are does not matter then, and no change of a datum is to be
//! kept. What triggers of others do meanwhile is judged and kept as always.

use pgrx::datum::Uuid;
use pgrx::pg_sys;
use std::cell::Cell;
use std::ptr::null_mut;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// This customer is erased.
    Erasure(Uuid),
    /// The values of this field are deleted with it, or get another form.
    Form(Uuid),
}

#[derive(Clone, Copy)]
struct Exempt {
    work: Work,
    /// Within how many triggers the function was called.
    depth: usize,
    subtransaction: pg_sys::SubTransactionId,
}

thread_local! {
    static EXEMPT: Cell<Option<Exempt>> = const { Cell::new(None) };
}

/// Within how many triggers something runs.
fn depth_of_triggers() -> usize {
    // SAFETY: reads a variable of the backend, and has no argument to look at.
    unsafe { pg_sys::pg_trigger_depth(null_mut()).value() }
}

/// Until [`end`], or until the subtransaction that began it is rolled back: statements of the
/// function that calls it.
pub fn begin(work: Work) {
    // SAFETY: reads a variable of the backend.
    let subtransaction = unsafe { pg_sys::GetCurrentSubTransactionId() };
    EXEMPT.set(Some(Exempt { work, depth: depth_of_triggers(), subtransaction }));
}

pub fn end() {
    EXEMPT.set(None);
}

/// For a row trigger: the work of the statement that has called it.
pub fn work() -> Option<Work> {
    let exempt = EXEMPT.get()?;
    (depth_of_triggers() == exempt.depth + 1).then_some(exempt.work)
}

/// Whether the row trigger was called for the erasure of this customer.
pub fn is_erased(customer: Uuid) -> bool {
    work() == Some(Work::Erasure(customer))
}

/// Whether the row trigger was called because values of this field get another form.
pub fn is_reshaped(field: Uuid) -> bool {
    work() == Some(Work::Form(field))
}

/// A subtransaction was rolled back. Those within the exempt statement have greater numbers.
pub fn subtransaction_undone(own: pg_sys::SubTransactionId) {
    if EXEMPT.get().is_some_and(|exempt| own <= exempt.subtransaction) {
        end();
    }
}
