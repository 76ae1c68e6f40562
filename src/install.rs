//! Guards the installation: dropping the extension by mistake must not delete a BPO's data.

use crate::catalog::{self, Rows};
use crate::error::{self, Result};
use crate::owner::is_house;
use pgrx::guc::{GucContext, GucFlags, GucRegistry, GucSetting};
use pgrx::{pg_extern, pg_guard, pg_sys};
use std::ffi::CStr;

static ALLOW_DROP: GucSetting<bool> = GucSetting::<bool>::new(false);

/// In these tables the house owner has rows from the beginning, which may be lost. Every other table of
/// the schema is guarded from its first row on.
const PROVISIONED: [&CStr; 5] = [c"owner", c"project", c"profile", c"field", c"ticket_status"];

/// Defines `ringfence.allow_drop`. For `_PG_init`.
pub fn init() {
    GucRegistry::define_bool_guc(
        c"ringfence.allow_drop",
        c"Allows DROP EXTENSION ringfence while it holds data.",
        c"All data of all owners goes with it.",
        &ALLOW_DROP,
        GucContext::Suset,
        GucFlags::empty(),
    );
}

/// A relation is about to be dropped, as a whole.
///
/// # Safety
/// Under plain frames only. `argument` must be what PostgreSQL's hook is given with a drop.
pub unsafe fn relation_is_dropped(relation: pg_sys::Oid, argument: *mut std::ffi::c_void) {
    // SAFETY: as promised by the caller.
    unsafe {
        if !is_internal(argument) {
            guard_table(relation);
        }
    }
}

/// Whether PostgreSQL drops a table of its own making: the copy that VACUUM FULL and CLUSTER leave behind.
/// It is in the schema of the table.
///
/// # Safety
/// `argument` must be that of a drop.
unsafe fn is_internal(argument: *mut std::ffi::c_void) -> bool {
    // SAFETY: as promised by the caller: NULL, or how the object is dropped.
    let how = unsafe { argument.cast::<pg_sys::ObjectAccessDrop>().as_ref() };
    how.is_some_and(|how| how.dropflags as u32 & pg_sys::PERFORM_DELETION_INTERNAL != 0)
}

/// Error 55000 where a table that holds data would be dropped.
#[pg_guard]
unsafe extern "C-unwind" fn guard_table(object: pg_sys::Oid) {
    if ALLOW_DROP.get() {
        return;
    }
    let Some(name) = catalog::own_table(object) else {
        return;
    };
    match holds_data(object, &name) {
        Ok(false) => (),
        Ok(true) => error::data_would_be_lost(&name.to_string_lossy()).report(pgrx::PgLogLevel::ERROR),
        Err(failure) => failure.report(pgrx::PgLogLevel::ERROR),
    }
}

/// Whether a table has rows that people made.
fn holds_data(table: pg_sys::Oid, name: &CStr) -> Result<bool> {
    if !PROVISIONED.contains(&name) {
        return Ok(!catalog::is_empty(table)?);
    }
    let owner = if name == c"owner" { c"id" } else { c"owner_id" };
    let others = catalog::read_table(table, &[owner], Rows::All, |row| row.get(0).filter(|owner| !is_house(*owner)))?;
    Ok(!others.is_empty())
}

/// Event trigger on the commands that can drop the extension. Being called loads the library, and with it the guard.
#[pg_extern(sql = false)]
fn guard_drop() {}
