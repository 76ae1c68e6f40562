//! An owner is closed while it is deleted: no session begins to work for it, and those that write are waited for.
//!
//! What a transaction writes is not seen by others before it commits. So this is told by two locks, which PostgreSQL keeps in shared memory, and by
//! a message to all sessions that what they have decided may be out of date. Only the session that deletes an owner ever waits for these
//! locks: the others ask, and are refused.

use crate::catalog;
use crate::error::{self, Result};
use crate::owner::Owner;
use crate::pg::cluster_secret;
use pgrx::datum::Uuid;
use pgrx::pg_sys;
use siphasher::sip::SipHasher13;
use std::cell::Cell;

/// The last part of the locks' tags. Advisory locks that SQL takes have 1 or 2 there, so that no role can take ours.
#[derive(Clone, Copy)]
#[repr(u16)]
enum Lock {
    /// Held by who deletes the owner.
    Closed = 0x7266,
    /// Shared by the transactions that write rows of the owner, until they end.
    Written = 0x7267,
}

impl Lock {
    /// A hash with a secret key, because `pg_locks` shows the tag to everybody: who knows an owner's id does not know its tag.
    fn tag(self, owner: Uuid) -> pg_sys::LOCKTAG {
        let hash = SipHasher13::new_with_key(&cluster_secret()).hash(owner.as_bytes());
        pg_sys::LOCKTAG {
            // SAFETY: reads a variable of the backend.
            locktag_field1: unsafe { pg_sys::MyDatabaseId }.to_u32(),
            locktag_field2: (hash >> 32) as u32,
            locktag_field3: hash as u32,
            locktag_field4: self as u16,
            locktag_type: pg_sys::LockTagType::LOCKTAG_ADVISORY as u8,
            locktag_lockmethodid: pg_sys::USER_LOCKMETHOD as u8,
        }
    }

    /// Takes the lock until the transaction ends. False if another session has it, where the caller does not wait.
    fn take(self, owner: Uuid, mode: u32, waits: bool) -> bool {
        // SAFETY: the tag is one of advisory locks; PostgreSQL copies it, and releases the lock when the transaction ends.
        let taken = unsafe { pg_sys::LockAcquire(&self.tag(owner), mode as _, false, !waits) };
        taken != pg_sys::LockAcquireResult::LOCKACQUIRE_NOT_AVAIL
    }
}

/// Closes an owner until the transaction ends, and waits for the transactions that have written rows of it.
pub fn close(owner: Uuid) {
    Lock::Closed.take(owner, pg_sys::ExclusiveLock, true);
    tell_all_sessions();
    Lock::Written.take(owner, pg_sys::ExclusiveLock, true);
}

/// As [`close`], for an owner that is disabled for good: nobody works for it, and there is nobody to tell.
pub fn keep_closed(owner: Uuid) {
    Lock::Closed.take(owner, pg_sys::ExclusiveLock, true);
    Lock::Written.take(owner, pg_sys::ExclusiveLock, true);
}

/// All sessions decide anew at their next statement. PostgreSQL sends the messages of a transaction only when it commits.
fn tell_all_sessions() {
    let mut message = pg_sys::SharedInvalidationMessage::default();
    // SAFETY: reads a variable of the backend. The message is copied into the queue that all sessions read.
    unsafe {
        message.rc = pg_sys::SharedInvalRelcacheMsg {
            id: pg_sys::SHAREDINVALRELCACHE_ID as _,
            dbId: pg_sys::MyDatabaseId,
            relId: catalog::table_oid(c"owner"),
        };
        pg_sys::SendSharedInvalidMessages(&message, 1);
    }
}

/// Error 55000 if another session is deleting the owner.
pub fn require_open(owner: &Owner) -> Result<()> {
    if !Lock::Closed.take(owner.id, pg_sys::ShareLock, false) {
        return Err(error::owner_being_deleted(&owner.name));
    }
    // SAFETY: the lock was taken just now. It was only to ask.
    unsafe { pg_sys::LockRelease(&Lock::Closed.tag(owner.id), pg_sys::ShareLock as _, false) };
    Ok(())
}

/// The transaction is about to write rows of the owner: who deletes the owner waits for it. Error 55000 if that has begun.
pub fn begin_to_write(owner: &Owner) -> Result<()> {
    if Lock::Written.take(owner.id, pg_sys::ShareLock, false) {
        Ok(())
    } else {
        Err(error::owner_being_deleted(&owner.name))
    }
}

thread_local! {
    static IS_DELETING: Cell<bool> = const { Cell::new(false) };
    static IS_LOADING: Cell<bool> = const { Cell::new(false) };
}

struct Unset(&'static std::thread::LocalKey<Cell<bool>>);

impl Drop for Unset {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

fn set<T>(what: &'static std::thread::LocalKey<Cell<bool>>, work: impl FnOnce() -> T) -> T {
    what.set(true);
    let _unset = Unset(what);
    work()
}

/// Whether the extension itself is loading the rows of an owner.
pub fn is_loading() -> bool {
    IS_LOADING.get()
}

/// Runs what loads the rows of an owner, also that of the owner itself.
pub fn loading<T>(work: impl FnOnce() -> T) -> T {
    set(&IS_LOADING, work)
}

/// Whether the extension itself is deleting all rows of an owner.
pub fn is_deleting() -> bool {
    IS_DELETING.get()
}

/// Runs what deletes the rows of an owner, also those that an owner cannot be without.
pub fn deleting<T>(work: impl FnOnce() -> T) -> T {
    set(&IS_DELETING, work)
}
