//! The lock on the definitions of an owner's fields. It keeps sessions from writing values while
//! all values of a field are changed.

use crate::catalog;
use crate::error::{self, Result};
use crate::pg::cluster_secret;
use pgrx::datum::Uuid;
use pgrx::pg_sys;
use siphasher::sip::SipHasher13;
use std::hash::Hasher;

/// Until the transaction ends, nobody can change all values of a field of this owner. Every writer
/// of values takes this lock, and any number of them hold it at once. PostgreSQL's lock manager
/// keeps it, on an object of its own for each owner: no row is written for it, and no SQL of a
/// client takes it.
///
/// The session must have read the fields that it sees, because that finds the oid of their table.
pub fn share_definitions(owner: Uuid) {
    lock(catalog::oid_of(catalog::Source::Field), owner, pg_sys::RowExclusiveLock as _);
}

fn lock(table: pg_sys::Oid, owner: Uuid, mode: pg_sys::LOCKMODE) {
    // `pg_locks` shows it to everybody.
    let mut hasher = SipHasher13::new_with_key(&cluster_secret());
    hasher.write(owner.as_bytes());
    // If two owners have the same number, they wait for each other. Nothing else comes of it.
    let number = hasher.finish();
    let object = pg_sys::Oid::from(number as u32);
    // SAFETY: takes a lock inside a transaction, as every caller runs in one, and reads pending invalidations then.
    unsafe { pg_sys::LockDatabaseObject(table, object, (number >> 48) as u16, mode) }
}

/// Keeps others from writing values of this owner until the transaction ends. Error 25001 if the
/// transaction keeps one snapshot throughout: it would not see values that were written while it
/// waited for the lock.
pub fn keep_writers_out(owner: Uuid) -> Result<bool> {
    // SAFETY: reads a variable of the backend.
    if unsafe { pg_sys::XactIsoLevel } >= pg_sys::XACT_REPEATABLE_READ as i32 {
        return Err(error::needs_read_committed());
    }
    lock(catalog::table_oid(c"field"), owner, pg_sys::ShareRowExclusiveLock as _);
    Ok(true)
}
