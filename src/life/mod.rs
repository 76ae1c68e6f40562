//! An owner's whole life: its deletion, with counts before and proof after; how it is handed out and taken back.
//!
//! The administrator who deletes an owner sees none of its rows. The functions here are called by `ringfence_admin`. They work as the definer, behind the
//! wall of the one owner, so that what they delete can be of no other.

mod line;
mod transfer;

use crate::access::owners;
use crate::catalog;
use crate::error::{self, ErrorReport, Result};
use crate::name::Reference;
use crate::owner::{self, Owner, closed};
use crate::{role, session};
use pgrx::datum::{DatumWithOid, JsonB};
use pgrx::prelude::*;
use pgrx::spi::SpiHeapTupleData;
use std::ffi::CStr;

/// Error 42501 unless `ringfence_admin` is at work, by its own hand.
fn administers() -> Result<()> {
    if !role::is_admin() {
        return Err(error::may_not_administer(&role::own_name()));
    }
    catalog::require_own_version()
}

/// The owner that an administrator names. Error 42501 not for `ringfence_admin`; P0002 no such owner.
fn administered(owner: Option<&str>) -> Result<Owner> {
    administers()?;
    let owner = Reference::new(owner.ok_or_else(|| error::missing_argument("owner"))?);
    owner::find(&owner)?.ok_or_else(|| error::no_such_owner(owner.text()))
}

/// As [`administered`], for an owner that is to be deleted. Errors: 55000 the house owner; 22023 its name is not repeated.
fn to_delete(owner: Option<&str>, confirm: Option<&str>) -> Result<Owner> {
    let owner = administered(owner)?;
    if owner::is_house(owner.id) {
        return Err(error::house_owner_stays());
    }
    confirmed(owner, confirm)
}

fn confirmed(owner: Owner, confirm: Option<&str>) -> Result<Owner> {
    if confirm == Some(owner.name.as_str()) { Ok(owner) } else { Err(error::deletion_not_confirmed()) }
}

/// Runs a query of the extension's own for an owner, as the definer, and collects what `decode` makes of each row.
fn ask<T>(
    owner: &Owner,
    query: &str,
    arguments: &[DatumWithOid],
    decode: impl Fn(&SpiHeapTupleData) -> Option<T>,
) -> Result<Vec<T>> {
    session::as_definer_for(owner.clone(), || {
        Spi::connect_mut(|client| {
            let rows = client.update(query, None, arguments)?;
            Ok::<_, pgrx::spi::Error>(rows.filter_map(|row| decode(&row)).collect())
        })
    })?
    .map_err(|_| error::not_installed("a function of room life"))
}

/// As [`ask`], for what only reads: by the snapshot of the statement, without a transaction id, and so also on a standby.
fn read<T>(owner: &Owner, query: &str, decode: impl Fn(&SpiHeapTupleData) -> Option<T>) -> Result<Vec<T>> {
    session::as_definer_for(owner.clone(), || {
        Spi::connect(|client| {
            let rows = client.select(query, None, &[])?;
            Ok::<_, pgrx::spi::Error>(rows.filter_map(|row| decode(&row)).collect())
        })
    })?
    .map_err(|_| error::not_installed("a function of room life"))
}

const COUNT: &str = "SELECT relation, rows FROM ringfence.count_rows()";

fn decode_count(row: &SpiHeapTupleData) -> Option<(String, i64)> {
    Some((row.get(1).ok()??, row.get(2).ok()??))
}

/// Runs a statement on table `owner`, as the session's role, and returns how many rows it returns.
fn on_owner(owner: &Owner, statement: &str) -> Result<usize> {
    Spi::connect_mut(|client| Ok::<_, pgrx::spi::Error>(client.update(statement, None, &[owner.id.into()])?.len()))
        .map_err(|_| error::not_installed("table ringfence.owner"))
}

const OWNER: &str = "ringfence.owner";

/// Locks the row of an owner that is closed, and reads it again: another session may have deleted or renamed the owner while this one waited.
/// While it is locked, no row can be written that refers to it. Errors: P0002, 22023.
fn lock(owner: &Owner, confirm: Option<&str>) -> Result<Owner> {
    on_owner(owner, "SELECT 1 FROM ringfence.owner WHERE id OPERATOR(pg_catalog.=) $1 FOR UPDATE")?;
    let found = owner::by_id(owner.id)?.ok_or_else(|| error::no_such_owner(&owner.name))?;
    confirmed(found, confirm)
}

/// Deletes the owner itself, when all its rows are gone. Error 55000 if it is there afterwards, or rows of it are.
fn delete(owner: &Owner) -> Result<()> {
    let deleted = on_owner(owner, "DELETE FROM ringfence.owner WHERE id OPERATOR(pg_catalog.=) $1 RETURNING 1")?;
    let left: Option<String> =
        ask(owner, COUNT, &[], decode_count)?.into_iter().find(|(_, rows)| *rows > 0).map(|(relation, _)| relation);
    match left {
        Some(relation) => Err(error::rows_are_left(&relation)),
        None if deleted != 1 || owner::by_id(owner.id)?.is_some() => Err(error::rows_are_left(OWNER)),
        None => Ok(()),
    }
}

/// `ringfence.delete_owner_preview()`: how many rows each table has of an owner.
#[pg_extern(sql = false)]
fn delete_owner_preview(
    owner: Option<&str>,
) -> Result<TableIterator<'static, (name!(relation, String), name!(rows, i64))>, ErrorReport> {
    let owner = administered(owner)?;
    let mut counted = read(&owner, COUNT, decode_count)?;
    counted.push((OWNER.to_owned(), 1));
    Ok(TableIterator::new(counted))
}

/// `ringfence.deletion_question()`.
#[pg_extern(sql = false)]
fn deletion_question(owner: Option<&str>) -> Result<String, ErrorReport> {
    let owner = administered(owner)?;
    let query = "SELECT ringfence.describe_rows()";
    let has: Option<String> = read(&owner, query, |row| row.get(1).ok()?)?.pop();
    let has = has.map(|has| format!(" with {has}")).unwrap_or_default();
    Ok(format!("Delete {}{has}? Repeat its name to confirm.", owner.name))
}

/// `ringfence.delete_owner()`: deletes an owner and every row of it.
///
/// Errors: 42501 not for `ringfence_admin`; P0002 no such owner; 22023 its name is not repeated; 55000 the house owner, or what was counted is not what
/// was deleted; 25001 in REPEATABLE READ and above.
#[pg_extern(sql = false)]
#[allow(clippy::type_complexity)]
#[rustfmt::skip]
fn delete_owner(
    owner: Option<&str>,
    confirm: Option<&str>,
) -> Result<TableIterator<'static, (name!(relation, String), name!(deleted, i64), name!(remaining, i64))>, ErrorReport> {
    let owner = to_delete(owner, confirm)?;
    require_read_committed()?;
    closed::close(owner.id);
    let owner = lock(&owner, confirm)?;
    let left_alone = owners::with_no_other(owner.id)?;
    let query = "SELECT relation, deleted, remaining FROM ringfence.delete_rows()";
    let decode = |row: &SpiHeapTupleData| Some((row.get(1).ok()??, row.get(2).ok()??, row.get(3).ok()??));
    let mut deleted = closed::deleting(|| ask(&owner, query, &[], decode))?;
    delete(&owner)?;
    // As delete() has made sure.
    deleted.push((OWNER.to_owned(), 1, 0));
    error::tell_of_roles(&owner.name, &left_alone);
    Ok(TableIterator::new(deleted))
}

/// An older snapshot would not see what was written since. Errors: 25001; 25006 in a read-only transaction, and so on a standby.
fn require_read_committed() -> Result<()> {
    require_writing(c"a deletion of an owner");
    // SAFETY: reads a variable of the backend.
    if unsafe { pg_sys::XactIsoLevel } > pg_sys::XACT_READ_COMMITTED as i32 {
        Err(error::deletion_needs_read_committed())
    } else {
        Ok(())
    }
}

/// Error 25006 in a read-only transaction.
fn require_writing(command: &CStr) {
    // SAFETY: reads a variable of the backend; the name is NUL-terminated.
    unsafe { pg_sys::PreventCommandIfReadOnly(command.as_ptr()) }
}

/// A batch is deleted by one statement, whose locks and undone work grow with it.
const MAX_BATCH: i32 = 1_000_000;

fn require_batch(batch: Option<i32>) -> Result<i32> {
    batch.filter(|batch| (1..=MAX_BATCH).contains(batch)).ok_or_else(|| error::wrong_batch(MAX_BATCH))
}

/// Part of `ringfence.purge_owner()`: from the next commit on nobody works for the owner.
#[pg_extern(sql = false)]
fn begin_purge(owner: Option<&str>, confirm: Option<&str>, batch: Option<i32>) -> Result<(), ErrorReport> {
    let owner = to_delete(owner, confirm)?;
    require_batch(batch)?;
    require_read_committed()?;
    closed::close(owner.id);
    let owner = lock(&owner, confirm)?;
    error::tell_of_roles(&owner.name, &owners::with_no_other(owner.id)?);
    closed::deleting(|| ask(&owner, "SELECT ringfence.disable_for_purge()", &[], |_| Some(())))?;
    Ok(())
}

/// Part of `ringfence.purge_owner()`: deletes a batch of the owner's rows, behind a position. Returns the position of the next batch, or NULL when the
/// owner is gone.
#[pg_extern(sql = false)]
fn purge_batch(
    owner: Option<&str>,
    confirm: Option<&str>,
    batch: Option<i32>,
    position: Option<JsonB>,
) -> Result<Option<JsonB>, ErrorReport> {
    let owner = to_delete(owner, confirm)?;
    require_read_committed()?;
    let batch = require_batch(batch)?;
    if !owner.is_purged {
        return Err(error::purge_not_begun(&owner.name).into());
    }
    closed::keep_closed(owner.id);
    let owner = lock(&owner, confirm)?;
    let query = "SELECT ringfence.delete_batch($1, $2)";
    let arguments: [DatumWithOid; 2] = [position.into(), batch.into()];
    let next = closed::deleting(|| ask(&owner, query, &arguments, |row| row.get::<JsonB>(1).ok()?))?.pop();
    if next.is_none() {
        delete(&owner)?;
    }
    Ok(next)
}

/// `ringfence.is_deleting_owner()`: for triggers that keep what an owner cannot be without.
#[pg_extern(sql = false)]
fn is_deleting_owner() -> bool {
    closed::is_deleting()
}
