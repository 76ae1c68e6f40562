//! What `enter()` has bound this transaction to. It outranks the settings, and goes with the transaction or the
//! subtransaction that it was made in.

use pgrx::datum::Uuid;
use pgrx::pg_sys;
use std::cell::RefCell;

struct Binding {
    role: pg_sys::Oid,
    owner: Uuid,
    project: Option<Uuid>,
    agent: Option<String>,
    subtransaction: pg_sys::SubTransactionId,
}

/// The part of a binding that a context is resolved from.
pub struct BoundTo {
    pub role: pg_sys::Oid,
    pub owner: String,
    pub project: Option<String>,
}

thread_local! {
    static BINDING: RefCell<Option<Binding>> = const { RefCell::new(None) };
}

pub fn begin(role: pg_sys::Oid, owner: Uuid, project: Option<Uuid>, agent: Option<&str>) {
    // SAFETY: reads a variable of the backend.
    let subtransaction = unsafe { pg_sys::GetCurrentSubTransactionId() };
    let binding = Binding { role, owner, project, agent: agent.map(str::to_owned), subtransaction };
    BINDING.with(|slot| slot.replace(Some(binding)));
}

pub fn current() -> Option<BoundTo> {
    BINDING.with(|slot| {
        slot.borrow().as_ref().map(|binding| BoundTo {
            role: binding.role,
            owner: binding.owner.to_string(),
            project: binding.project.map(|project| project.to_string()),
        })
    })
}

pub fn is_bound() -> bool {
    BINDING.with(|slot| slot.borrow().is_some())
}

pub fn agent() -> Option<String> {
    BINDING.with(|slot| slot.borrow().as_ref().and_then(|binding| binding.agent.clone()))
}

/// The transaction has ended.
pub fn end() {
    BINDING.with(|slot| slot.replace(None));
}

/// A subtransaction was rolled back; true if the binding went with it.
pub fn end_of_subtransaction(own: pg_sys::SubTransactionId) -> bool {
    BINDING.with(|slot| {
        let made_there = slot.borrow().as_ref().is_some_and(|binding| binding.subtransaction == own);
        if made_there {
            slot.replace(None);
        }
        made_there
    })
}

/// A subtransaction has become part of its parent, and what was bound in it too.
pub fn hand_to_parent(own: pg_sys::SubTransactionId, parent: pg_sys::SubTransactionId) {
    BINDING.with(|slot| {
        if let Some(binding) = slot.borrow_mut().as_mut().filter(|binding| binding.subtransaction == own) {
            binding.subtransaction = parent;
        }
    });
}
