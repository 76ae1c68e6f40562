//! Rows of table `change`, and how they are written. As PostgreSQL writes its catalogs: no statement, and so no privilege, policy or trigger is
//! asked. Nobody is granted to write the table, and what is written follows from a row that the wall has judged.

use crate::catalog;
use crate::customer::stored_row::{Changed, DATA, Record};
use crate::error::{self, Result};
use crate::field::Definition;
use crate::jsonb::{Jsonb, New};
use crate::name::new_id;
use pgrx::datum::{Date, ToIsoString, Uuid};
use pgrx::{FromDatum, IntoDatum, pg_sys};
use std::borrow::Cow;
use std::cell::Cell;
use std::ffi::{CStr, c_int};

/// The columns of table `change`.
const COLUMNS: [(&CStr, pg_sys::Oid); WIDTH] = [
    (c"owner_id", pg_sys::UUIDOID),
    (c"customer_id", pg_sys::UUIDOID),
    (c"id", pg_sys::UUIDOID),
    (c"field_id", pg_sys::UUIDOID),
    (c"at", pg_sys::TIMESTAMPTZOID),
    (c"kind", pg_sys::TEXTOID),
    (c"role_name", pg_sys::TEXTOID),
    (c"agent", pg_sys::TEXTOID),
    (c"source_id", pg_sys::UUIDOID),
    (c"data", pg_sys::JSONBOID),
    (c"reason", pg_sys::TEXTOID),
];
const WIDTH: usize = 11;

thread_local! {
    /// The table that was found to have these columns, at these places, and no others.
    static KNOWN: Cell<pg_sys::Oid> = const { Cell::new(pg_sys::InvalidOid) };
}

/// A datum of a customer.
pub enum Datum<'a> {
    /// One of the columns [`DATA`].
    Column(usize),
    Value(&'a Changed<'a>),
}

/// What all rows of one write have in common.
pub struct Writer {
    pub owner: Uuid,
    pub customer: Uuid,
    pub role_name: String,
    pub agent: Option<String>,
    pub source: Option<Uuid>,
}

/// A row of table `change`.
pub struct Change {
    pub kind: &'static str,
    pub field: Option<Uuid>,
    /// The values before and after, as they are shown.
    pub data: Option<Jsonb>,
    pub reason: Option<String>,
}

impl Change {
    /// One of the customer as a whole.
    pub fn whole(kind: &'static str) -> Change {
        Change { kind, field: None, data: None, reason: None }
    }
}

/// Writes these rows.
pub fn write(writer: &Writer, changes: Vec<Change>) -> Result<()> {
    if changes.is_empty() {
        return Ok(());
    }
    let table = catalog::table_oid(c"change");
    if table == pg_sys::InvalidOid {
        return Err(error::not_installed("table ringfence.change"));
    }
    // SAFETY: what is opened is closed; after an error PostgreSQL does so. The values are of the types of the columns.
    unsafe {
        let relation = pg_sys::table_open(table, pg_sys::RowExclusiveLock as _);
        check_columns(relation)?;
        let indexes = pg_sys::CatalogOpenIndexes(relation);
        let now = pg_sys::Datum::from(pg_sys::GetCurrentTransactionStartTimestamp());
        for change in changes {
            let given: [Option<pg_sys::Datum>; WIDTH] = [
                writer.owner.into_datum(),
                writer.customer.into_datum(),
                new_id().into_datum(),
                change.field.and_then(IntoDatum::into_datum),
                Some(now),
                change.kind.into_datum(),
                writer.role_name.as_str().into_datum(),
                writer.agent.as_deref().and_then(IntoDatum::into_datum),
                writer.source.and_then(IntoDatum::into_datum),
                change.data.and_then(IntoDatum::into_datum),
                change.reason.and_then(IntoDatum::into_datum),
            ];
            let mut values = given.map(|value| value.unwrap_or(pg_sys::Datum::null()));
            let mut nulls = given.map(|value| value.is_none());
            let row = pg_sys::heap_form_tuple((*relation).rd_att, values.as_mut_ptr(), nulls.as_mut_ptr());
            pg_sys::CatalogTupleInsertWithInfo(relation, row, indexes);
            pg_sys::heap_freetuple(row);
        }
        pg_sys::CatalogCloseIndexes(indexes);
        pg_sys::table_close(relation, pg_sys::RowExclusiveLock as _);
    }
    Ok(())
}

/// Error 55000 unless the table has these columns: values are written by their types.
///
/// # Safety
/// `relation` must be open.
unsafe fn check_columns(relation: pg_sys::Relation) -> Result<()> {
    // SAFETY: as promised by the caller.
    unsafe {
        let columns = (*relation).rd_att;
        if (*columns).natts as usize == WIDTH {
            if KNOWN.get() == (*relation).rd_id {
                return Ok(());
            }
            let is_there = |(n, (name, kind)): (usize, (&CStr, pg_sys::Oid))| {
                let number = pg_sys::SPI_fnumber(columns, name.as_ptr());
                number == n as c_int + 1 && pg_sys::SPI_gettypeid(columns, number) == kind
            };
            if COLUMNS.into_iter().enumerate().all(is_there) {
                KNOWN.set((*relation).rd_id);
                return Ok(());
            }
        }
        Err(error::not_installed("a column of table ringfence.change"))
    }
}

/// The values before and after, as an object with those of "old" and "new" that there are.
pub fn data_of_change(old: Option<New>, new: Option<New>) -> Jsonb {
    let members = [("old", old), ("new", new)];
    Jsonb::object(members.into_iter().filter_map(|(name, value)| Some((name, value?))))
}

/// The values of a column before and after.
pub fn data_of_column(old: &Record, new: &Record, column: usize) -> Jsonb {
    data_of_change(shown(old, column), shown(new, column))
}

/// The values of a custom field before and after.
pub fn data_of_value(definition: &Definition, changed: &Changed) -> Jsonb {
    data_of_change(changed.old.map(|value| definition.show(value)), changed.new.map(|value| definition.show(value)))
}

/// Names of sources before and after.
pub fn data_of_sources(old: Option<&str>, new: Option<&str>) -> Jsonb {
    let text = |name: &str| New::Text(Cow::Owned(name.to_owned()));
    data_of_change(old.map(text), new.map(text))
}

/// The value of a column, as JSON shows it; None if it holds nothing.
pub fn shown(record: &Record, column: usize) -> Option<New<'static>> {
    let value = record.column(column).filter(|_| record.holds(column))?;
    // SAFETY: values of the columns' types.
    unsafe {
        match DATA.get(column)?.1 {
            pg_sys::TEXTARRAYOID => {
                let texts = Vec::<Option<String>>::from_datum(value, false)?;
                Some(New::Texts(texts.into_iter().flatten().map(Cow::Owned).collect()))
            }
            pg_sys::DATEOID => Date::from_datum(value, false).map(|date| New::Text(Cow::Owned(date.to_iso_string()))),
            pg_sys::UUIDOID => Uuid::from_datum(value, false).map(|id| New::Text(Cow::Owned(id.to_string()))),
            _ => String::from_datum(value, false).map(|text| New::Text(Cow::Owned(text))),
        }
    }
}
