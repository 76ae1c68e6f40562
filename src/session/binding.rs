//! What `enter()` or `login()` has bound this transaction to. It outranks the settings, and goes with the transaction or the
//! subtransaction that it was made in.

use super::resolve::{Question, Way};
use crate::error::{self, Result};
use crate::token;
use pgrx::datum::Uuid;
use pgrx::pg_sys;
use std::cell::{Cell, RefCell};

/// A binding, but for when it ends.
#[derive(Clone)]
pub struct Binding {
    pub role: pg_sys::Oid,
    pub owner: Uuid,
    pub project: Option<Uuid>,
    pub agent: Option<String>,
    /// The source system that a token names.
    pub source: Option<String>,
    pub way: Way,
    /// The key that signed the token.
    pub key: Option<Uuid>,
    /// When the token expires; never without one.
    pub expires: pg_sys::TimestampTz,
}

struct Bound {
    binding: Binding,
    subtransaction: pg_sys::SubTransactionId,
}

thread_local! {
    static BOUND: RefCell<Option<Bound>> = const { RefCell::new(None) };
    /// As in the binding, at hand for every judgement.
    static EXPIRES: Cell<pg_sys::TimestampTz> = const { Cell::new(NEVER) };
}

pub const NEVER: pg_sys::TimestampTz = pg_sys::TimestampTz::MAX;

pub fn begin(binding: Binding) {
    // SAFETY: reads a variable of the backend.
    let subtransaction = unsafe { pg_sys::GetCurrentSubTransactionId() };
    EXPIRES.set(binding.expires);
    BOUND.with(|slot| slot.replace(Some(Bound { binding, subtransaction })));
}

pub fn current() -> Option<Binding> {
    BOUND.with(|slot| slot.borrow().as_ref().map(|bound| bound.binding.clone()))
}

pub fn is_bound() -> bool {
    BOUND.with(|slot| slot.borrow().is_some())
}

/// Whether the binding ends by the clock.
pub fn may_expire() -> bool {
    EXPIRES.get() != NEVER
}

/// Error 28000 once the token that the transaction is bound by has expired: by the clock, whenever the transaction began.
pub fn check_expiry() -> Result<()> {
    if may_expire() && token::now() >= EXPIRES.get() { Err(error::token_expired()) } else { Ok(()) }
}

impl Binding {
    /// Error 42501 if the role has changed since, 28000 if the key of the token is gone.
    pub fn question(self, role: pg_sys::Oid) -> Result<Question> {
        if self.role != role {
            return Err(error::role_changed());
        }
        if let Some(key) = self.key
            && !token::key_exists(key)?
        {
            return Err(error::signing_key_gone());
        }
        Ok(Question {
            role,
            owner: Some(self.owner.to_string()),
            project: self.project.map(|project| project.to_string()),
            way: self.way,
        })
    }
}

pub fn agent() -> Option<String> {
    BOUND.with(|slot| slot.borrow().as_ref().and_then(|bound| bound.binding.agent.clone()))
}

pub fn source() -> Option<String> {
    BOUND.with(|slot| slot.borrow().as_ref().and_then(|bound| bound.binding.source.clone()))
}

/// The transaction has ended.
pub fn end() {
    EXPIRES.set(NEVER);
    BOUND.with(|slot| slot.replace(None));
}

/// A subtransaction was rolled back; true if the binding went with it.
pub fn end_of_subtransaction(own: pg_sys::SubTransactionId) -> bool {
    let made_there = BOUND.with(|slot| slot.borrow().as_ref().is_some_and(|bound| bound.subtransaction == own));
    if made_there {
        end();
    }
    made_there
}

/// A subtransaction has become part of its parent, and what was bound in it too.
pub fn hand_to_parent(own: pg_sys::SubTransactionId, parent: pg_sys::SubTransactionId) {
    BOUND.with(|slot| {
        if let Some(bound) = slot.borrow_mut().as_mut().filter(|bound| bound.subtransaction == own) {
            bound.subtransaction = parent;
        }
    });
}
