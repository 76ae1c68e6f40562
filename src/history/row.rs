//! Rows of table `change`, and how they are written: as the executor does it, but without a
//! statement, so that no privilege, policy or trigger is asked. Nobody is granted to write the
//! table, and what is written follows from a row that the wall has judged. Columns, constraints and
//! indexes that somebody has added are kept.

use crate::catalog;
use crate::customer::stored_row::{Changed, DATA, Record};
use crate::error::{self, Result};
use crate::field::Definition;
use crate::jsonb::{Jsonb, New};
use crate::name::new_id;
use crate::pg::unguarded;
use pgrx::datum::{Date, ToIsoString, Uuid};
use pgrx::{FromDatum, IntoDatum, PgMemoryContexts, pg_sys};
use std::borrow::Cow;
use std::ffi::{CStr, c_int};
use std::ptr::null_mut;

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

/// A datum of a customer.
pub enum Datum<'a> {
    /// One of the columns [`DATA`].
    Column(usize),
    Value(&'a Changed<'a>),
}

/// What all rows of one write have in common.
#[derive(Clone)]
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

/// The table and its indexes, open for the rows of one write. Nothing of it is kept for the next: whatever functions on the table do, and
/// however they end, leaves nothing behind.
struct Open {
    relation: pg_sys::Relation,
    state: *mut pg_sys::EState,
    target: *mut pg_sys::ResultRelInfo,
    row: *mut pg_sys::TupleTableSlot,
    /// The places of [`COLUMNS`] in a row.
    places: [usize; WIDTH],
    /// Somebody has added columns.
    has_more: bool,
    /// Columns that PostgreSQL computes are among them.
    computes: bool,
}

/// Writes these rows.
pub fn write(writer: &Writer, changes: Vec<Change>) -> Result<()> {
    if changes.is_empty() {
        return Ok(());
    }
    let open = open()?;
    // SAFETY: reads a variable of the transaction.
    let now = pg_sys::Datum::from(unsafe { pg_sys::GetCurrentTransactionStartTimestamp() });
    for change in changes {
        let values: [Option<pg_sys::Datum>; WIDTH] = [
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
        // SAFETY: the table is open, and the values are of the types of its columns.
        unsafe { insert(&open, values) };
    }
    // SAFETY: what `open` made, and nobody else has.
    unsafe {
        pg_sys::ExecDropSingleTupleTableSlot(open.row);
        pg_sys::ExecCloseIndices(open.target);
        // The lock is kept: nobody may rewrite the table before the rows can be seen.
        pg_sys::table_close(open.relation, pg_sys::NoLock as _);
        pg_sys::FreeExecutorState(open.state);
    }
    Ok(())
}

/// Opens the table. After an error PostgreSQL closes it.
fn open() -> Result<Open> {
    let table = catalog::table_oid(c"change");
    // SAFETY: reads a catalog.
    if table == pg_sys::InvalidOid || unsafe { pg_sys::get_rel_relkind(table) } as u8 != pg_sys::RELKIND_RELATION {
        return Err(error::not_installed("table ringfence.change"));
    }
    // SAFETY: what is opened is closed by the caller, or by PostgreSQL after an error.
    unsafe {
        let relation = pg_sys::table_open(table, pg_sys::RowExclusiveLock as _);
        let places = match places_of(relation) {
            Ok(places) => places,
            Err(failure) => {
                pg_sys::table_close(relation, pg_sys::NoLock as _);
                return Err(failure);
            }
        };
        let columns = (*relation).rd_att;
        let constraints = (*columns).constr;
        let state = pg_sys::CreateExecutorState();
        let target = PgMemoryContexts::For((*state).es_query_cxt).switch_to(|_| {
            let target = pg_sys::palloc0(size_of::<pg_sys::ResultRelInfo>()).cast();
            pg_sys::InitResultRelInfo(target, relation, 0, null_mut(), 0);
            pg_sys::ExecOpenIndices(target, false);
            target
        });
        Ok(Open {
            relation,
            state,
            target,
            row: pg_sys::table_slot_create(relation, null_mut()),
            places,
            has_more: (*columns).natts as usize != WIDTH,
            computes: !constraints.is_null() && (*constraints).has_generated_stored,
        })
    }
}

/// The places of [`COLUMNS`]. Error 55000 unless all are there: values are written by their types.
///
/// # Safety
/// `relation` must be open.
unsafe fn places_of(relation: pg_sys::Relation) -> Result<[usize; WIDTH]> {
    let mut places = [0; WIDTH];
    for (place, (name, kind)) in places.iter_mut().zip(COLUMNS) {
        // SAFETY: as promised by the caller; the number is that of a column, or negative.
        let (number, found) = unsafe {
            let columns = (*relation).rd_att;
            let number = pg_sys::SPI_fnumber(columns, name.as_ptr());
            (number, if number > 0 { pg_sys::SPI_gettypeid(columns, number) } else { pg_sys::InvalidOid })
        };
        if found != kind {
            return Err(error::not_installed("a column of table ringfence.change"));
        }
        *place = number as usize - 1;
    }
    Ok(places)
}

/// # Safety
/// The table must be open, and the values of the types of [`COLUMNS`].
#[allow(ffi_unwind_calls)]
unsafe fn insert(open: &Open, values: [Option<pg_sys::Datum>; WIDTH]) {
    // SAFETY: as promised by the caller: the slot has as many places as the table has columns.
    unsafe {
        clear(open.row);
        let width = (*(*open.relation).rd_att).natts as usize;
        let row = std::slice::from_raw_parts_mut((*open.row).tts_values, width);
        let nulls = std::slice::from_raw_parts_mut((*open.row).tts_isnull, width);
        row.fill(pg_sys::Datum::null());
        nulls.fill(true);
        for (place, value) in open.places.into_iter().zip(values) {
            if let (Some(value), Some(of_row), Some(is_null)) = (value, row.get_mut(place), nulls.get_mut(place)) {
                (*of_row, *is_null) = (value, false);
            }
        }
        if open.has_more {
            fill_columns_of_others(open, row, nulls);
        }
        pg_sys::ExecStoreVirtualTuple(open.row);
        if open.computes {
            pg_sys::ffi::pg_guard_ffi_boundary(|| {
                unguarded::ExecComputeStoredGenerated(open.target, open.state, open.row, pg_sys::CmdType::CMD_INSERT);
            });
        }
        if !(*(*open.relation).rd_att).constr.is_null() {
            pg_sys::ExecConstraints(open.target, open.row, open.state);
        }
        pg_sys::simple_table_tuple_insert(open.relation, open.row);
        if (*open.target).ri_NumIndices > 0 {
            pg_sys::ExecInsertIndexTuples(
                open.target,
                open.row,
                open.state,
                false,
                false,
                null_mut(),
                null_mut(),
                #[cfg(not(feature = "pg15"))]
                false,
            );
        }
        if !(*open.state).es_per_tuple_exprcontext.is_null() {
            pg_sys::ReScanExprContext((*open.state).es_per_tuple_exprcontext);
        }
        clear(open.row);
    }
}

/// # Safety
/// `row` must be a slot.
#[allow(ffi_unwind_calls)]
unsafe fn clear(row: *mut pg_sys::TupleTableSlot) {
    // SAFETY: as promised by the caller.
    unsafe {
        if let Some(clear) = (*(*row).tts_ops).clear {
            pg_sys::ffi::pg_guard_ffi_boundary(|| clear(row));
        }
    }
}

/// Gives columns that somebody has added their defaults.
///
/// # Safety
/// As [`insert`], with a value and a mark for each column of the table.
#[allow(ffi_unwind_calls)]
unsafe fn fill_columns_of_others(open: &Open, row: &mut [pg_sys::Datum], nulls: &mut [bool]) {
    for (place, (value, is_null)) in row.iter_mut().zip(nulls).enumerate().filter(|(n, _)| !open.places.contains(n)) {
        // SAFETY: as promised by the caller: the number of a column, and an expression of its type.
        unsafe {
            let number = place as c_int + 1;
            let is_dropped = pg_sys::SPI_gettypeid((*open.relation).rd_att, number) == pg_sys::InvalidOid;
            // PostgreSQL computes those that are generated, of the other columns.
            if is_dropped || pg_sys::get_attgenerated((*open.relation).rd_id, number as i16) != 0 {
                continue;
            }
            let default = pg_sys::build_column_default(open.relation, number);
            if !default.is_null() {
                let expression = pg_sys::ExecPrepareExpr(default.cast(), open.state);
                let context = if (*open.state).es_per_tuple_exprcontext.is_null() {
                    pg_sys::MakePerTupleExprContext(open.state)
                } else {
                    (*open.state).es_per_tuple_exprcontext
                };
                if let Some(evaluate) = (*expression).evalfunc {
                    *value = pg_sys::ffi::pg_guard_ffi_boundary(|| evaluate(expression, context, is_null));
                }
            }
        }
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
