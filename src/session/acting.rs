//! The extension's own work for an owner that the session has not selected.

use super::context::{Context, SelectedBy};
use crate::access::reach::Reach;
use crate::error::Result;
use crate::owner::Owner;
use crate::role;
use std::cell::{Cell, RefCell};
use std::rc::Rc;

thread_local! {
    static CONTEXT: RefCell<Option<Rc<Context>>> = const { RefCell::new(None) };
    /// Whether there is a context: asked for each row.
    static IS_ACTING: Cell<bool> = const { Cell::new(false) };
}

/// Whether the extension itself is at work for an owner, with [`acting_for`].
#[inline]
pub fn is_acting() -> bool {
    IS_ACTING.get()
}

/// The context of that work.
pub fn context() -> Option<Rc<Context>> {
    CONTEXT.with_borrow(Option::clone)
}

/// As [`context`], for what is asked for each row. `read` is not to call PostgreSQL.
pub fn read<T>(read: impl FnOnce(&Context) -> T) -> Option<T> {
    CONTEXT.with(|context| context.try_borrow().ok()?.as_deref().map(read))
}

/// Returns the context that was there before.
fn put(context: Option<Rc<Context>>) -> Option<Rc<Context>> {
    IS_ACTING.set(context.is_some());
    CONTEXT.replace(context)
}

/// Runs `work` for an owner, with all rights, behind the owner's wall: how provisioning a new owner and granting
/// access reach rows of an owner that the session has not selected. What runs inside is this extension's own SQL on
/// its own tables; the session's context is back when it returns, also by an error.
pub fn acting_for<T>(owner: Owner, work: impl FnOnce() -> T) -> T {
    struct Restore(Option<Rc<Context>>);
    impl Drop for Restore {
        fn drop(&mut self) {
            put(self.0.take());
        }
    }
    let context = Context::new(Reach::unlimited(owner), SelectedBy::Setting, false, false);
    let _restore = Restore(put(Some(Rc::new(context))));
    work()
}

/// The same as role `ringfence_definer`: for work that takes no right of the session.
pub fn as_definer_for<T>(owner: Owner, work: impl FnOnce() -> T) -> Result<T> {
    role::as_definer(|| acting_for(owner, work))
}

/// The transaction has ended.
pub fn transaction_ended() {
    put(None);
}
