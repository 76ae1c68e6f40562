//! What is in reach of a role: the owners that it has access to, and its entries for each.
//!
//! A session's question is judged by this list alone. An owner that is not on it is not looked up, by id or by name: one that does
//! not exist, one that the role has no access to, and one that is disabled besides, are refused by the same work.

use crate::access::{self, Binding, Stored};
use crate::error::Result;
use crate::owner::{self, Owner};
use pgrx::datum::Uuid;
use pgrx::pg_sys;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

/// How many owners are kept, those of all roles together.
const MAX_OWNERS_KEPT: usize = 50_000;

/// An owner that a role has access to, enabled or not, and the entries that give it.
pub struct Reached {
    pub owner: Owner,
    pub held: Vec<Stored>,
}

impl Reached {
    /// Whether it takes a token to select the owner.
    pub fn by_token_only(&self) -> bool {
        self.held.iter().all(|stored| stored.binding == Binding::Token)
    }
}

/// The owners that a role has access to, by id.
pub struct Reach {
    owners: BTreeMap<Uuid, Reached>,
    by_name: HashMap<String, Uuid>,
}

thread_local! {
    static STALE: Cell<bool> = const { Cell::new(true) };
    static KEPT: RefCell<HashMap<pg_sys::Oid, Rc<Reach>>> = RefCell::new(HashMap::new());
    /// Owners that this transaction has begun to insert.
    static BEGUN: RefCell<Vec<Uuid>> = const { RefCell::new(Vec::new()) };
}

/// Something has changed that access is decided from. For callbacks: sets a flag.
pub fn forget() {
    STALE.set(true);
}

/// The reach of a role. Pending invalidation messages must have been processed.
pub fn of(role: pg_sys::Oid) -> Result<Rc<Reach>> {
    // Before reading on: what changes meanwhile makes it stale again.
    if STALE.replace(false) {
        KEPT.with(|kept| kept.borrow_mut().clear());
    }
    if let Some(known) = KEPT.with(|kept| kept.borrow().get(&role).cloned()) {
        return Ok(known);
    }
    let reach = Rc::new(Reach::read(role)?);
    KEPT.with(|kept| {
        let mut kept = kept.borrow_mut();
        if kept.values().map(|reach| 1 + reach.owners.len()).sum::<usize>() >= MAX_OWNERS_KEPT {
            kept.clear();
        }
        kept.insert(role, reach.clone());
    });
    Ok(reach)
}

impl Reach {
    fn read(role: pg_sys::Oid) -> Result<Reach> {
        let mut held: BTreeMap<Uuid, Vec<Stored>> = BTreeMap::new();
        for stored in access::held(role)? {
            held.entry(stored.owner).or_default().push(stored);
        }
        let ids: Vec<Uuid> = held.keys().copied().collect();
        let mut reach = Reach { owners: BTreeMap::new(), by_name: HashMap::new() };
        for owner in owner::by_ids(&ids)? {
            if let Some(held) = held.remove(&owner.id) {
                reach.by_name.insert(owner.name.clone(), owner.id);
                reach.owners.insert(owner.id, Reached { owner, held });
            }
        }
        Ok(reach)
    }

    /// The owner with that id or exact name, if it is in reach.
    pub fn find(&self, text: &str) -> Option<&Reached> {
        let id = crate::name::parse_id(text).or_else(|| self.by_name.get(text).copied())?;
        self.owners.get(&id)
    }

    pub fn by_id(&self, id: Uuid) -> Option<&Reached> {
        self.owners.get(&id)
    }

    /// All of them, disabled ones too.
    pub fn owners(&self) -> impl Iterator<Item = &Reached> {
        self.owners.values()
    }

    /// The only enabled one, if it is only one.
    pub fn only_enabled(&self) -> Option<&Reached> {
        let mut enabled = self.owners().filter(|reached| reached.owner.enabled);
        enabled.next().filter(|_| enabled.next().is_none())
    }
}

/// An owner is about to be inserted: to the statement that does, it is not visible yet.
pub fn begin_owner(owner: Uuid) {
    BEGUN.with(|begun| begun.borrow_mut().push(owner));
}

/// The ids of all owners, and of those that this transaction has begun to insert: an INSERT with
/// RETURNING asks the policies whether the session may read the new row.
pub fn all() -> Result<Vec<Uuid>> {
    let mut ids = owner::all_ids()?;
    BEGUN.with(|begun| ids.extend(begun.borrow().iter()));
    Ok(ids)
}

/// The transaction has ended.
pub fn end_of_transaction() {
    BEGUN.with(|begun| begun.take());
}
