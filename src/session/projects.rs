//! In which projects the session's role holds a right, whichever project is selected. It is kept for as long as the context.

use super::context::{Context, Serial};
use crate::error::Result;
use crate::project;
use crate::rights::Rights;
use pgrx::datum::Uuid;
use std::cell::RefCell;
use std::collections::HashMap;

thread_local! {
    /// For one context the projects in which each right is held, as far as it was asked for.
    static HELD: RefCell<(Serial, HashMap<u32, Vec<Uuid>>)> = RefCell::new((Serial::NONE, HashMap::new()));
}

/// The projects of the session's owner in which its role holds the right.
pub fn with(right: Rights, context: &Context) -> Result<Vec<Uuid>> {
    let projects = project::of_owner(context.owner.id)?.into_iter().map(|project| project.id);
    let held: Vec<Uuid> = projects.filter(|project| context.rights_within(Some(*project)).contains(right)).collect();
    HELD.with_borrow_mut(|(serial, known)| {
        if *serial != context.serial {
            *serial = context.serial;
            known.clear();
        }
        known.insert(right.bits(), held.clone());
    });
    Ok(held)
}

/// The answer of [`with`] if it is known: a pointer to the first project, and their number. It calls nothing of PostgreSQL's. The pointer
/// is valid until the next call of [`with`].
pub fn known(right: Rights, context: &Context) -> Option<(*const Uuid, usize)> {
    HELD.with(|held| {
        let held = held.try_borrow().ok()?;
        let ids = held.1.get(&right.bits()).filter(|_| held.0 == context.serial)?;
        Some((ids.as_ptr(), ids.len()))
    })
}
