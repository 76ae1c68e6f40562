//! What `enter()` or `login()` has bound this transaction to. It outranks the settings, and goes with the transaction or the
//! subtransaction that it was made in.

use super::resolve::{Question, Way};
use crate::error::{self, Result};
use crate::pg::{now, statement_start};
use crate::token;
use pgrx::datum::Uuid;
use pgrx::pg_sys;
use std::cell::{Cell, RefCell};

/// What a transaction is bound to.
#[derive(Clone, PartialEq)]
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
    /// When the statement that made the binding began, for `ringfence.latch = statement`.
    statement: pg_sys::TimestampTz,
}

thread_local! {
    /// The last binding counts. There are several only with `ringfence.latch = statement`: those made in subtransactions may still be
    /// rolled back.
    static BOUND: RefCell<Vec<Bound>> = const { RefCell::new(Vec::new()) };
    /// If the last transaction was bound when it ended: its role, and the function that bound it.
    static LAST_BOUND: Cell<Option<(pg_sys::Oid, Way)>> = const { Cell::new(None) };
    /// When the last binding expires: a copy, which every judgement reads.
    static EXPIRES: Cell<pg_sys::TimestampTz> = const { Cell::new(NEVER) };
}

pub const NEVER: pg_sys::TimestampTz = pg_sys::TimestampTz::MAX;

pub fn begin(binding: Binding) {
    // SAFETY: reads a variable of the backend.
    let (subtransaction, statement) = (unsafe { pg_sys::GetCurrentSubTransactionId() }, statement_start());
    EXPIRES.set(binding.expires);
    BOUND.with_borrow_mut(|stack| {
        stack.retain(|bound| bound.subtransaction != subtransaction);
        stack.push(Bound { binding, subtransaction, statement });
    });
}

pub fn current() -> Option<Binding> {
    BOUND.with_borrow(|stack| stack.last().map(|bound| bound.binding.clone()))
}

pub fn is_bound() -> bool {
    BOUND.with_borrow(|stack| !stack.is_empty())
}

/// Whether the transaction was bound by the statement that began at this time.
pub fn is_bound_since(statement: pg_sys::TimestampTz) -> bool {
    BOUND.with_borrow(|stack| stack.last().is_some_and(|bound| bound.statement == statement))
}

/// The function that bound the session's last transaction, if this role bound it.
pub fn ended_with_last_transaction(role: pg_sys::Oid) -> Option<Way> {
    LAST_BOUND.get().filter(|(bound, _)| *bound == role).map(|(_, way)| way)
}

/// Whether the binding ends by the clock.
pub fn may_expire() -> bool {
    EXPIRES.get() != NEVER
}

/// Error 28000 once the token that the transaction is bound by has expired: by the clock, whenever the transaction began.
pub fn check_expiry() -> Result<()> {
    if may_expire() && now() >= EXPIRES.get() { Err(error::token_expired()) } else { Ok(()) }
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

fn of_current<T>(read: impl FnOnce(&Binding) -> Option<T>) -> Option<T> {
    BOUND.with_borrow(|stack| stack.last().and_then(|bound| read(&bound.binding)))
}

pub fn agent() -> Option<String> {
    of_current(|binding| binding.agent.clone())
}

pub fn source() -> Option<String> {
    of_current(|binding| binding.source.clone())
}

/// The transaction has ended.
pub fn end() {
    LAST_BOUND.set(of_current(|binding| Some((binding.role, binding.way))));
    EXPIRES.set(NEVER);
    BOUND.take();
}

/// A subtransaction was rolled back, and with it what was bound in it.
pub fn end_of_subtransaction(own: pg_sys::SubTransactionId) {
    BOUND.with_borrow_mut(|stack| stack.retain(|bound| bound.subtransaction != own));
    EXPIRES.set(of_current(|binding| Some(binding.expires)).unwrap_or(NEVER));
}

/// A subtransaction has become part of its parent, and what was bound in it too.
pub fn hand_to_parent(own: pg_sys::SubTransactionId, parent: pg_sys::SubTransactionId) {
    BOUND.with_borrow_mut(|stack| {
        if stack.last().is_some_and(|bound| bound.subtransaction == own) {
            stack.retain(|bound| bound.subtransaction != parent);
            stack
                .iter_mut()
                .filter(|bound| bound.subtransaction == own)
                .for_each(|bound| bound.subtransaction = parent);
        }
    });
}
