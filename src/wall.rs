//! The wall around a table: what its policies cannot do by themselves.

use crate::error::{self, Result};
use crate::session::{self, rights::Rights};
use pgrx::heap_tuple::PgHeapTuple;
use pgrx::{AllocatedByPostgres, PgTrigger, pg_sys, pg_trigger};

/// Before a statement writes: error 42501 without the right that the trigger names. A policy alone would let an
/// UPDATE or DELETE without the right pass as one that finds no rows.
///
/// Where row-level security is not in force (a superuser, a referential action) it asks nothing. A view has no
/// row-level security of its own, but its rows always pass that of the tables beneath.
#[pg_trigger(sql = false)]
fn require_right<'a>(trigger: &'a PgTrigger<'a>) -> Result<Option<PgHeapTuple<'a, AllocatedByPostgres>>> {
    error::raised((|| {
        let arguments = trigger.extra_args().map_err(|_| error::wrong_trigger("require_right takes a right"))?;
        let [right] = &arguments[..] else {
            return Err(error::wrong_trigger("require_right takes a right"));
        };
        // SAFETY: the trigger's relation is open for as long as the trigger runs; check_enable_rls looks at catalogs only.
        let bound = unsafe {
            let relation = trigger.trigger_data().tg_relation;
            (*(*relation).rd_rel).relkind == pg_sys::RELKIND_VIEW as i8
                || pg_sys::check_enable_rls((*relation).rd_id, pg_sys::InvalidOid, true)
                    == pg_sys::CheckEnableRlsResult::RLS_ENABLED as i32
        };
        if bound {
            session::require(Rights::parse(right)?, right)?;
        }
        Ok(None)
    })())
}

/// After a statement changed a table that decisions are made from: every backend forgets what it made from it, this
/// one at once and the others when the transaction commits.
#[pg_trigger(sql = false)]
fn forget_decisions<'a>(trigger: &'a PgTrigger<'a>) -> Result<Option<PgHeapTuple<'a, AllocatedByPostgres>>> {
    // SAFETY: the trigger's relation is open for as long as the trigger runs.
    unsafe { pg_sys::CacheInvalidateRelcacheByRelid((*trigger.trigger_data().tg_relation).rd_id) };
    Ok(None)
}
