//! The owner that this session has worked for last. If that owner is deleted, the session is told so once: otherwise a session at work would be
//! refused as if its access had been taken away. Then it is told no more than whoever never had access to the owner.

use super::context::{Context, SelectedBy};
use super::latch::latched_owner;
use crate::catalog::{self, Source};
use crate::error::{self, Failure, Result};
use crate::name::Reference;
use crate::owner;
use pgrx::{PgSqlErrorCode, pg_sys};
use std::cell::{Cell, RefCell};
use std::rc::Rc;

thread_local! {
    static LAST: RefCell<Option<(pg_sys::Oid, Rc<Context>)>> = const { RefCell::new(None) };
    /// Which of two tables was heard of first since then.
    static HEARD_OF: Cell<Option<Heard>> = const { Cell::new(None) };
}

/// A deletion is heard of by table `owner`, before it is committed. Whoever hears of table `access` before may have had no access any more when
/// the owner was deleted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Heard {
    Owner,
    Access,
}

/// The session works for an owner, as that role.
pub fn works(role: pg_sys::Oid, context: &Rc<Context>) {
    LAST.with(|last| last.replace(Some((role, context.clone()))));
    HEARD_OF.set(None);
}

/// The session was refused.
pub fn forget() {
    LAST.with(|last| last.replace(None));
}

/// The session was refused, and is not told why. A deletion it is still told of.
pub fn refused_silently(refusal: &Failure) {
    if refusal.code() != PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE {
        forget();
    }
}

/// A relation has changed, or for InvalidOid all. For callbacks: sets a flag.
pub fn relation_changed(relation: pg_sys::Oid) {
    let heard = if relation == pg_sys::InvalidOid || catalog::was_read_as(Source::Access, relation) {
        Heard::Access
    } else if catalog::was_read_as(Source::Owner, relation) {
        Heard::Owner
    } else {
        return;
    };
    if HEARD_OF.get().is_none() {
        HEARD_OF.set(Some(heard));
    }
}

/// Error 55000 if the owner that this role has worked for last is no more, and is the one that is asked for; or none is asked for, and it was the
/// role's default owner or the one of this transaction.
pub fn deleted(role: pg_sys::Oid, asked: Option<&Reference>) -> Result<Option<Failure>> {
    let last =
        LAST.with(|last| last.borrow().as_ref().filter(|(by, _)| *by == role).map(|(_, context)| context.clone()));
    let is_meant = |context: &Rc<Context>| match asked {
        Some(asked) => context.owner.is_meant_by(asked),
        None => context.selected_by == SelectedBy::Default || latched_owner() == Some(context.owner.id),
    };
    let Some(context) = last.filter(is_meant).filter(|_| HEARD_OF.get() != Some(Heard::Access)) else {
        return Ok(None);
    };
    let name = &context.owner.name;
    Ok(match owner::by_id(context.owner.id)? {
        None => Some(error::owner_deleted(name)),
        Some(owner) if owner.is_purged => Some(error::owner_being_deleted(name)),
        Some(_) => None,
    })
}
