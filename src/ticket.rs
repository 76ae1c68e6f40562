//! Tickets: the numbers that an owner's tickets have, from 1 and without gaps.

use crate::catalog;
use crate::error::{self, ErrorReport, Result};
use crate::owner::closed;
use crate::session;
use pgrx::datum::{DatumWithOid, Uuid};
use pgrx::heap_tuple::PgHeapTuple;
use pgrx::prelude::*;
use pgrx::{AllocatedByRust, FromDatum, IntoDatum, PgTrigger};
use std::convert::Infallible;

/// `ringfence.highest_ticket_number()`.
#[pg_extern(sql = false)]
fn highest_ticket_number(owner: Uuid) -> Result<i64, ErrorReport> {
    Ok(highest_number(owner)?)
}

/// The highest number of an owner's tickets, of all projects, also of those that this statement has inserted; 0 if there is none. The caller
/// holds the owner's row of `ticket_counter`, so that no other transaction numbers tickets.
fn highest_number(owner: Uuid) -> Result<i64> {
    let missing = || error::not_installed("table ringfence.ticket");
    let (table, index) = (catalog::table_oid(c"ticket"), catalog::table_oid(c"ticket_owner_id_number_key"));
    if table == pg_sys::InvalidOid || index == pg_sys::InvalidOid {
        return Err(missing());
    }
    let mut key = pg_sys::ScanKeyData::default();
    // SAFETY: relation and index are open and locked until they are closed, and the scan ends before; the row is read while the scan stands
    // at it. The snapshot sees what is committed, and all that this transaction has written. If PostgreSQL raises an error in
    // between, its resource owner closes them.
    let highest = unsafe {
        let column = |name: &std::ffi::CStr| pg_sys::get_attnum(table, name.as_ptr());
        let (owner_column, number_column) = (column(c"owner_id"), column(c"number"));
        if owner_column <= 0 || number_column <= 0 {
            return Err(missing());
        }
        let owner = owner.into_datum().unwrap_or(pg_sys::Datum::null());
        let equal = pg_sys::F_UUID_EQ.into();
        pg_sys::ScanKeyInit(&mut key, owner_column, pg_sys::BTEqualStrategyNumber as _, equal, owner);
        let lock = pg_sys::AccessShareLock as pg_sys::LOCKMODE;
        let relation = pg_sys::table_open(table, lock);
        let index = pg_sys::index_open(index, lock);
        let snapshot = &raw mut pg_sys::SnapshotSelfData;
        let scan = pg_sys::systable_beginscan_ordered(relation, index, snapshot, 1, &mut key);
        let row = pg_sys::systable_getnext_ordered(scan, pg_sys::ScanDirection::BackwardScanDirection);
        let highest = if row.is_null() {
            None
        } else {
            let mut null = false;
            let number = pg_sys::heap_getattr(row, number_column.into(), (*relation).rd_att, &mut null);
            i64::from_datum(number, null)
        };
        pg_sys::systable_endscan_ordered(scan);
        pg_sys::index_close(index, lock);
        pg_sys::table_close(relation, lock);
        highest
    };
    Ok(highest.unwrap_or(0))
}

/// Before a ticket is inserted: gives it the next number. Before one is deleted: if it is the last, its number is kept from being given again.
///
/// Where row-level security is not in force (a restore by a superuser) a number that is given stays.
#[pg_trigger(sql = false)]
fn number_ticket<'a>(trigger: &'a PgTrigger<'a>) -> Result<Option<PgHeapTuple<'a, AllocatedByRust>>, Infallible> {
    Ok(error::raised((|| {
        const REASON: &str = "number_ticket is for rows of ringfence.ticket";
        let wrong = || error::wrong_trigger(REASON);
        catalog::require_trigger_on(c"ticket", trigger, REASON)?;
        let event = trigger.event();
        let row = if event.fired_by_delete() { trigger.old() } else { trigger.new() };
        let mut row = row.ok_or_else(wrong)?.into_owned();
        let owner: Uuid =
            row.get_by_name("owner_id").map_err(|_| wrong())?.ok_or_else(|| error::missing_argument("owner_id"))?;
        let number: Option<i64> = row.get_by_name("number").map_err(|_| wrong())?;
        let is_bound = catalog::row_security_binds(catalog::table_oid(c"ticket"), pg_sys::InvalidOid);
        // Another owner's row would be refused after this: that owner's counter is not for this session to touch.
        let is_own = !is_bound || session::context()?.owner.id == owner;
        if event.fired_by_delete() {
            if is_own && !closed::is_deleting() && number == Some(highest_number(owner)?) {
                let arguments: [DatumWithOid; 2] = [owner.into(), number.into()];
                count(is_bound, || {
                    Spi::run_with_args("SELECT ringfence.never_reuse_ticket_number($1, $2)", &arguments)
                })?
                .map_err(|_| wrong())?;
            }
            return Ok(Some(row));
        }
        if is_bound || number.is_none() {
            let next = if is_own {
                let arguments: [DatumWithOid; 1] = [owner.into()];
                count(is_bound, || {
                    Spi::get_one_with_args::<i64>("SELECT ringfence.next_ticket_number($1)", &arguments)
                })?
                .map_err(|_| wrong())?
            } else {
                Some(0)
            };
            row.set_by_name("number", next).map_err(|_| wrong())?;
        }
        Ok(Some(row))
    })()))
}

/// Runs the work of counting, which takes no right but the one to write tickets. A superuser runs it by its own power.
fn count<T>(is_bound: bool, work: impl FnOnce() -> T) -> Result<T> {
    if is_bound { session::as_definer_for(session::context()?.owner.clone(), work) } else { Ok(work()) }
}
