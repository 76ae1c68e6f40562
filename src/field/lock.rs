//! The lock on the definitions of an owner's fields: it keeps writers of values out while all values of a field are changed.

use crate::catalog;
use crate::error::{self, Result};
use pgrx::datum::Uuid;
use pgrx::pg_sys;
use siphasher::sip::SipHasher13;
use std::hash::Hasher;

/// Locks the definitions of an owner's fields against changes that go with all values of a field, until the transaction
/// ends. Any number of writers of values hold it at once. It is a lock of PostgreSQL's lock manager on an object of its
/// own for each owner: no row is written for it, and no SQL that a client can run takes it.
///
/// The session must have read the fields that it sees: with them, which table they are in.
pub fn share_definitions(owner: Uuid) {
    lock(catalog::oid_of(catalog::Source::Field), owner, pg_sys::RowExclusiveLock as _);
}

fn lock(table: pg_sys::Oid, owner: Uuid, mode: pg_sys::LOCKMODE) {
    let mut hasher = SipHasher13::new_with_key(b"ringfence fields");
    hasher.write(owner.as_bytes());
    // Should two owners share a number, they wait for each other, and nothing else.
    let number = hasher.finish();
    let object = pg_sys::Oid::from(number as u32);
    // SAFETY: takes a lock inside a transaction, as every caller runs in one, and reads pending invalidations then.
    unsafe { pg_sys::LockDatabaseObject(table, object, (number >> 48) as u16, mode) }
}

/// Keeps writers of an owner's values out until the transaction ends. Error 25001 in a transaction with one snapshot, which
/// would not see what was written before the lock was there.
pub fn keep_writers_out(owner: Uuid) -> Result<bool> {
    // SAFETY: reads a variable of the backend.
    if unsafe { pg_sys::XactIsoLevel } >= pg_sys::XACT_REPEATABLE_READ as i32 {
        return Err(error::needs_read_committed());
    }
    lock(catalog::table_oid(c"field"), owner, pg_sys::ShareRowExclusiveLock as _);
    Ok(true)
}
