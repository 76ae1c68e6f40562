//! The source systems of an owner, as a session knows them.

use crate::catalog::{self, Row, Rows, Source};
use crate::error::Result;
use pgrx::datum::Uuid;
use std::ffi::CStr;

/// A row of table `source`.
struct System {
    id: Uuid,
    name: String,
    /// Where it is retired: the source that has what belonged to it.
    successor: Option<Uuid>,
}

/// All of one owner.
pub struct Sources {
    systems: Vec<System>,
}

impl Sources {
    pub fn of(owner: Uuid) -> Result<Sources> {
        let columns: [&CStr; 3] = [c"id", c"name", c"successor_id"];
        let decode = |row: &Row| Some(System { id: row.get(0)?, name: row.get(1)?, successor: row.get(2) });
        Ok(Sources { systems: catalog::read(Source::System, &columns, Rows::KeyStartsWith(owner), decode)? })
    }

    fn by_id(&self, id: Uuid) -> Option<&System> {
        self.systems.iter().find(|system| system.id == id)
    }

    pub fn name_of(&self, id: Uuid) -> Option<&str> {
        self.by_id(id).map(|system| system.name.as_str())
    }

    /// The source that has what belonged to that one: itself, or where it is retired the last of its successors.
    pub fn successor_of(&self, id: Uuid) -> Uuid {
        let mut standing = id;
        // A source is retired once, in favour of one that is not: there are no more steps than sources.
        for _ in &self.systems {
            match self.by_id(standing).and_then(|system| system.successor) {
                Some(successor) => standing = successor,
                None => break,
            }
        }
        standing
    }

    /// The source of that name that sessions can write as.
    pub fn writing(&self, name: &str) -> Option<Uuid> {
        self.systems.iter().find(|system| system.name == name && system.successor.is_none()).map(|system| system.id)
    }
}
