//! Owners: the companies that the installation serves.

pub mod closed;
mod limit;
pub mod sql;

use crate::catalog::{self, Row, Rows, Source};
use crate::error::Result;
use crate::name::Reference;
use pgrx::datum::{TimestampWithTimeZone, Uuid};
use std::ffi::CStr;

pub use limit::init;

/// The owner of contacts that belong to no company. It does not count against `ringfence.max_owners`.
pub const HOUSE: [u8; 16] = [0; 16];

pub fn is_house(owner: Uuid) -> bool {
    *owner.as_bytes() == HOUSE
}

#[derive(Clone)]
pub struct Owner {
    pub id: Uuid,
    pub name: String,
    pub enabled: bool,
    /// `purge_owner()` has begun to delete it.
    pub is_purged: bool,
    /// ISO 3166-1 alpha-2. Phone numbers without a country code are read as numbers of this
    /// country.
    pub country: Option<String>,
}

const COLUMNS: [&CStr; 5] = [c"id", c"name", c"enabled", c"country", c"purge_began_at"];

fn decode(row: &Row) -> Option<Owner> {
    let is_purged = row.get::<TimestampWithTimeZone>(4).is_some();
    Some(Owner { id: row.get(0)?, name: row.get(1)?, enabled: row.get(2)?, is_purged, country: row.get(3) })
}

/// The owner with that id.
pub fn by_id(id: Uuid) -> Result<Option<Owner>> {
    Ok(catalog::read(Source::Owner, &COLUMNS, Rows::KeyStartsWith(id), decode)?.pop())
}

impl Owner {
    pub fn is_meant_by(&self, asked: &Reference) -> bool {
        asked.means(self.id, &self.name)
    }
}

/// The owners with these ids, in the same order, without those that do not exist. No other owner is
/// looked at.
pub fn by_ids(ids: &[Uuid]) -> Result<Vec<Owner>> {
    catalog::read(Source::Owner, &COLUMNS, Rows::KeysStartWith(ids), decode)
}

/// The ids of all owners. For `ringfence_admin`.
pub fn all_ids() -> Result<Vec<Uuid>> {
    catalog::read(Source::Owner, &COLUMNS[..1], Rows::All, |row| row.get(0))
}

/// Finds an owner among all owners. For `ringfence_admin`. Sessions search the owners that their
/// role has access to.
pub fn find(asked: &Reference) -> Result<Option<Owner>> {
    match asked.id() {
        Some(id) => by_id(id),
        None => {
            let decode = |row: &Row| decode(row).filter(|owner| owner.is_meant_by(asked));
            Ok(catalog::read(Source::Owner, &COLUMNS, Rows::All, decode)?.pop())
        }
    }
}
