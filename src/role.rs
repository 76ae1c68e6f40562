//! Roles: which one the session acts as, which one it is judged by, and the one that the extension's own statements run as.

use crate::catalog;
use crate::error::{self, Result};
use crate::pg::unguarded;
use pgrx::pg_sys;
use std::ffi::{CStr, CString, c_int};

/// Where PostgreSQL runs code of a table's owner for whoever uses or maintains the table.
const RESTRICTED: c_int = (pg_sys::SECURITY_RESTRICTED_OPERATION | pg_sys::SECURITY_NOFORCE_RLS) as c_int;

/// The role the session acts as: the one after SET ROLE, whatever SECURITY DEFINER function is running.
pub fn current() -> pg_sys::Oid {
    // SAFETY: reads a variable of the backend.
    unsafe { pg_sys::GetOuterUserId() }
}

/// The role to judge by. None in a security-restricted operation (index expressions, materialized views) and in a referential action
/// (triggers on the referencing table). There PostgreSQL runs code of a table's owner for whoever uses or maintains the table, who may be
/// autovacuum's superuser: the session's role says nothing about who wrote it.
#[inline]
#[allow(ffi_unwind_calls)]
pub fn to_judge() -> Option<pg_sys::Oid> {
    let (mut user, mut flags) = (pg_sys::InvalidOid, 0);
    // SAFETY: both read variables of the backend and raise no error, so that they need no guard.
    let role = unsafe {
        unguarded::GetUserIdAndSecContext(&mut user, &mut flags);
        unguarded::GetOuterUserId()
    };
    (flags & RESTRICTED == 0).then_some(role)
}

/// As [`to_judge`]. Error 42501 where there is none.
pub fn judged() -> Result<pg_sys::Oid> {
    to_judge().ok_or_else(error::restricted_operation)
}

/// Whether row-level security binds who writes to a table: the session's role, and the role at
/// work. A role that it does not bind may have written the function that the session has called.
/// In a referential action the owner of a table is at work for the session.
pub fn is_bound(table: pg_sys::Oid) -> bool {
    catalog::row_security_binds(table, current())
        && (acts_itself() || to_judge().is_none() || catalog::row_security_binds(table, pg_sys::InvalidOid))
}

/// Whether the session's role is at work itself, and no SECURITY DEFINER function between.
pub fn acts_itself() -> bool {
    // SAFETY: reads a variable of the backend.
    unsafe { pg_sys::GetUserId() == current() }
}

/// The name of a role, if it exists.
pub fn name(role: pg_sys::Oid) -> Option<String> {
    // SAFETY: with `noerr` set it returns NULL for an unknown role, else a palloc'd C string, copied here.
    unsafe {
        let name = pg_sys::GetUserNameFromId(role, true);
        if name.is_null() { None } else { Some(CStr::from_ptr(name).to_string_lossy().into_owned()) }
    }
}

/// The name of the role at work: that of the function that the session has called, or else the session's.
pub fn name_at_work() -> String {
    // SAFETY: reads a variable of the backend.
    name(unsafe { pg_sys::GetUserId() }).unwrap_or_default()
}

/// The name of the session's role, for messages.
pub fn own_name() -> String {
    name(current()).unwrap_or_default()
}

/// The oid of a role. Error 42704 if there is none of that name.
pub fn oid(name: &str) -> Result<pg_sys::Oid> {
    let missing = || error::no_such_role(name);
    let oid = catalog::role_oid(&CString::new(name).map_err(|_| missing())?);
    if oid == pg_sys::InvalidOid { Err(missing()) } else { Ok(oid) }
}

/// Whether the session's role is `ringfence_admin`, or has its privileges, and is at work itself: a SECURITY DEFINER
/// function of somebody else's, called by an administrator, administers nothing.
pub fn is_admin() -> bool {
    let admin = catalog::role_oid(c"ringfence_admin");
    admin != pg_sys::InvalidOid
        && acts_itself()
        // SAFETY: a catalog look-up inside a transaction, as every caller runs in one.
        && to_judge().is_some_and(|role| unsafe { pg_sys::has_privs_of_role(role, admin) })
}

/// Runs `work` as role `ringfence_definer`, like a SECURITY DEFINER function of its own.
pub fn as_definer<T>(work: impl FnOnce() -> T) -> Result<T> {
    let definer = catalog::role_oid(c"ringfence_definer");
    if definer == pg_sys::InvalidOid {
        return Err(error::not_installed("role ringfence_definer"));
    }
    Ok(as_user(definer, pg_sys::SECURITY_LOCAL_USERID_CHANGE, work))
}

/// Runs `work` as the owner of a table, as PostgreSQL runs a referential action on that table: row-level security does not bind the owner,
/// and what its triggers run is not judged by the session's role.
pub fn as_owner_of_table<T>(owner: pg_sys::Oid, work: impl FnOnce() -> T) -> T {
    as_user(owner, pg_sys::SECURITY_LOCAL_USERID_CHANGE | pg_sys::SECURITY_NOFORCE_RLS, work)
}

/// Runs `work` as that user, in a context with these flags too.
fn as_user<T>(user: pg_sys::Oid, more: u32, work: impl FnOnce() -> T) -> T {
    struct Restore(pg_sys::Oid, c_int);
    impl Drop for Restore {
        fn drop(&mut self) {
            // SAFETY: gives the backend back the user that was read from it below. After an error PostgreSQL does so too.
            unsafe { pg_sys::SetUserIdAndSecContext(self.0, self.1) }
        }
    }
    // SAFETY: the same that PostgreSQL does for a SECURITY DEFINER function or a referential action: the user changes, the flags of the
    // context stay.
    let _restore = unsafe {
        let (mut before, mut flags) = (pg_sys::InvalidOid, 0);
        pg_sys::GetUserIdAndSecContext(&mut before, &mut flags);
        pg_sys::SetUserIdAndSecContext(user, flags | more as c_int);
        Restore(before, flags)
    };
    work()
}
