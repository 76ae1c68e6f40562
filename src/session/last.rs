//! The owner that this session has worked for last. If that owner is deleted, the session is told so once, and then no more than whoever never had
//! access to it.

use super::context::Context;
use crate::error::{self, Failure, Result};
use crate::name::Reference;
use crate::owner;
use pgrx::pg_sys;
use std::cell::RefCell;
use std::rc::Rc;

thread_local! {
    static LAST: RefCell<Option<(pg_sys::Oid, Rc<Context>)>> = const { RefCell::new(None) };
}

/// The session works for an owner, as that role.
pub fn works(role: pg_sys::Oid, context: &Rc<Context>) {
    LAST.with(|last| last.replace(Some((role, context.clone()))));
}

/// The session was refused.
pub fn forget() {
    LAST.with(|last| last.replace(None));
}

/// Error 55000 if the owner that this role has worked for last is the one that is asked for, or none is asked for, and is no more.
pub fn deleted(role: pg_sys::Oid, asked: Option<&Reference>) -> Result<Option<Failure>> {
    let last =
        LAST.with(|last| last.borrow().as_ref().filter(|(by, _)| *by == role).map(|(_, context)| context.clone()));
    let Some(context) = last.filter(|context| asked.is_none_or(|asked| context.owner.is_meant_by(asked))) else {
        return Ok(None);
    };
    let name = &context.owner.name;
    Ok(match owner::by_id(context.owner.id)? {
        None => Some(error::owner_deleted(name)),
        Some(owner) if owner.is_purged => Some(error::owner_being_deleted(name)),
        Some(_) => None,
    })
}
