//! The owners that a role has access to, and what is stored about its access to each.
//!
//! A session's question is judged by this list alone. An owner that is not on the list is not
//! looked up, by id or by name. So the same work refuses an owner that does not exist and one that
//! the role has no access to, whether that one is enabled or disabled.

use super::grant::{self, AccessRow, Binding};
use crate::error::Result;
use crate::name::Reference;
use crate::owner::{self, Owner};
use pgrx::datum::Uuid;
use pgrx::pg_sys;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

/// The most owners that are kept for all roles together.
const MAX_OWNERS_KEPT: usize = 50_000;

/// An owner that a role has access to, enabled or not, and the rows of `ringfence.access` that give it.
pub struct OwnerOfRole {
    pub owner: Owner,
    pub held: Vec<AccessRow>,
}

impl OwnerOfRole {
    /// Whether only a token can select the owner.
    pub fn by_token_only(&self) -> bool {
        self.held.iter().all(|stored| stored.binding == Binding::Token)
    }
}

/// The owners that a role has access to, by id.
pub struct OwnersOfRole {
    owners: BTreeMap<Uuid, OwnerOfRole>,
    by_name: HashMap<String, Uuid>,
}

thread_local! {
    static STALE: Cell<bool> = const { Cell::new(true) };
    static KEPT: RefCell<HashMap<pg_sys::Oid, Rc<OwnersOfRole>>> = RefCell::new(HashMap::new());
    /// The owners that this transaction has begun to insert.
    static BEGUN: RefCell<Vec<Uuid>> = const { RefCell::new(Vec::new()) };
}

/// A table that access is decided from has changed. This only sets a flag, because callbacks call
/// it.
pub fn forget() {
    STALE.set(true);
}

/// The owners of a role. Pending invalidation messages must have been processed.
pub fn of(role: pg_sys::Oid) -> Result<Rc<OwnersOfRole>> {
    // Cleared before the tables are read: a change that arrives meanwhile sets it again.
    if STALE.replace(false) {
        KEPT.with(|kept| kept.borrow_mut().clear());
    }
    if let Some(known) = KEPT.with(|kept| kept.borrow().get(&role).cloned()) {
        return Ok(known);
    }
    let owners = Rc::new(OwnersOfRole::read(role)?);
    KEPT.with(|kept| {
        let mut kept = kept.borrow_mut();
        if kept.values().map(|owners| 1 + owners.owners.len()).sum::<usize>() >= MAX_OWNERS_KEPT {
            kept.clear();
        }
        kept.insert(role, owners.clone());
    });
    Ok(owners)
}

impl OwnersOfRole {
    fn read(role: pg_sys::Oid) -> Result<OwnersOfRole> {
        let mut held: BTreeMap<Uuid, Vec<AccessRow>> = BTreeMap::new();
        for stored in grant::held(role)? {
            held.entry(stored.owner).or_default().push(stored);
        }
        let ids: Vec<Uuid> = held.keys().copied().collect();
        let mut found = OwnersOfRole { owners: BTreeMap::new(), by_name: HashMap::new() };
        for owner in owner::by_ids(&ids)? {
            if let Some(held) = held.remove(&owner.id) {
                found.by_name.insert(owner.name.clone(), owner.id);
                found.owners.insert(owner.id, OwnerOfRole { owner, held });
            }
        }
        Ok(found)
    }

    /// The owner that is meant, if the role has access to it.
    pub fn find(&self, owner: &Reference) -> Option<&OwnerOfRole> {
        let id = owner.id().or_else(|| self.by_name.get(owner.text()).copied())?;
        self.owners.get(&id)
    }

    pub fn by_id(&self, id: Uuid) -> Option<&OwnerOfRole> {
        self.owners.get(&id)
    }

    /// All of them, disabled ones too.
    pub fn owners(&self) -> impl Iterator<Item = &OwnerOfRole> {
        self.owners.values()
    }

    /// The enabled owner, if there is exactly one.
    pub fn only_enabled(&self) -> Option<&OwnerOfRole> {
        let mut enabled = self.owners().filter(|of_role| of_role.owner.enabled);
        enabled.next().filter(|_| enabled.next().is_none())
    }
}

/// An owner is about to be inserted. The statement that inserts it does not see it yet.
pub fn begin(owner: Uuid) {
    BEGUN.with(|begun| begun.borrow_mut().push(owner));
}

/// The ids of all owners, and of those that this transaction has begun to insert: for an INSERT
/// with RETURNING, PostgreSQL asks the policies whether the session may read the new row.
pub fn all() -> Result<Vec<Uuid>> {
    let mut ids = owner::all_ids()?;
    BEGUN.with(|begun| ids.extend(begun.borrow().iter()));
    Ok(ids)
}

/// The transaction has ended.
pub fn transaction_ended() {
    BEGUN.with(|begun| begun.take());
}

/// The names of the roles that have access to that owner and to no other, as far as the roles exist.
pub fn with_no_other(owner: Uuid) -> Result<Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    for entry in grant::stored(owner)? {
        if grant::holds(entry.grantee, entry.grantee, &entry.grantee_name)
            && !names.contains(&entry.grantee_name)
            && grant::held(entry.grantee)?.iter().all(|held| held.owner == owner)
        {
            names.push(entry.grantee_name);
        }
    }
    names.sort();
    Ok(names)
}
