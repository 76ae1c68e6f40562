//! What this transaction has entered by `enter()` or `login()`. It outranks the settings, and goes with the transaction or the
//! subtransaction that entered it.

use super::question::{Question, Way};
use crate::error::{self, Result};
use crate::name::Reference;
use crate::pg::{now, statement_start};
use crate::token;
use pgrx::datum::Uuid;
use pgrx::pg_sys;
use std::cell::{Cell, RefCell};

/// What a transaction has entered.
#[derive(Clone, PartialEq)]
pub struct Entered {
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

struct Kept {
    entered: Entered,
    subtransaction: pg_sys::SubTransactionId,
    /// When the statement that entered it began, for `ringfence.latch = statement`.
    statement: pg_sys::TimestampTz,
}

thread_local! {
    /// The last one counts. There are several only with `ringfence.latch = statement`: those of subtransactions may still be rolled back.
    static KEPT: RefCell<Vec<Kept>> = const { RefCell::new(Vec::new()) };
    /// If the last transaction had entered an owner when it ended: its role, and by which function.
    static LAST: Cell<Option<(pg_sys::Oid, Way)>> = const { Cell::new(None) };
    /// When what was entered last expires: a copy, which every judgement reads.
    static EXPIRES: Cell<pg_sys::TimestampTz> = const { Cell::new(NEVER) };
}

pub const NEVER: pg_sys::TimestampTz = pg_sys::TimestampTz::MAX;

pub fn begin(entered: Entered) {
    // SAFETY: reads a variable of the backend.
    let (subtransaction, statement) = (unsafe { pg_sys::GetCurrentSubTransactionId() }, statement_start());
    EXPIRES.set(entered.expires);
    KEPT.with_borrow_mut(|stack| {
        stack.retain(|kept| kept.subtransaction != subtransaction);
        stack.push(Kept { entered, subtransaction, statement });
    });
}

pub fn current() -> Option<Entered> {
    KEPT.with_borrow(|stack| stack.last().map(|kept| kept.entered.clone()))
}

pub fn is_entered() -> bool {
    KEPT.with_borrow(|stack| !stack.is_empty())
}

/// Whether the statement that began at this time has entered it.
pub fn is_entered_since(statement: pg_sys::TimestampTz) -> bool {
    KEPT.with_borrow(|stack| stack.last().is_some_and(|kept| kept.statement == statement))
}

/// The function by which the session's last transaction had entered an owner, if as this role.
pub fn ended_with_last_transaction(role: pg_sys::Oid) -> Option<Way> {
    LAST.get().filter(|(entered_as, _)| *entered_as == role).map(|(_, way)| way)
}

/// Whether the token that the transaction has entered by has expired: by the clock, whenever the transaction began.
#[inline]
pub fn has_expired() -> bool {
    let expires = EXPIRES.get();
    expires != NEVER && now() >= expires
}

impl Entered {
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
        Ok(Question { role, owner: Some(self.owner.into()), project: self.project.map(Reference::from), way: self.way })
    }
}

fn of_current<T>(read: impl FnOnce(&Entered) -> Option<T>) -> Option<T> {
    KEPT.with_borrow(|stack| stack.last().and_then(|kept| read(&kept.entered)))
}

pub fn agent() -> Option<String> {
    of_current(|entered| entered.agent.clone())
}

pub fn source() -> Option<String> {
    of_current(|entered| entered.source.clone())
}

/// The transaction has ended.
pub fn transaction_ended() {
    LAST.set(of_current(|entered| Some((entered.role, entered.way))));
    EXPIRES.set(NEVER);
    KEPT.take();
}

/// A subtransaction was rolled back, and with it what was entered in it.
pub fn subtransaction_undone(own: pg_sys::SubTransactionId) {
    KEPT.with_borrow_mut(|stack| stack.retain(|kept| kept.subtransaction != own));
    EXPIRES.set(of_current(|entered| Some(entered.expires)).unwrap_or(NEVER));
}

/// A subtransaction has become part of its parent, and what was entered in it too.
pub fn subtransaction_joined(own: pg_sys::SubTransactionId, parent: pg_sys::SubTransactionId) {
    KEPT.with_borrow_mut(|stack| {
        if stack.last().is_some_and(|kept| kept.subtransaction == own) {
            stack.retain(|kept| kept.subtransaction != parent);
            stack.iter_mut().filter(|kept| kept.subtransaction == own).for_each(|kept| kept.subtransaction = parent);
        }
    });
}
