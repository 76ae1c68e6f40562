//! What a write to table `customer` changes: which of its columns that hold data, and which custom
//! values.

use crate::catalog;
use crate::error::{self, Result};
use crate::jsonb::{Jsonb, Value};
use pgrx::datum::Uuid;
use pgrx::{FromDatum, pg_sys};
use std::cell::Cell;
use std::ffi::{CStr, c_int};

/// The columns that hold data of the person, in the order of a form. Each is a system field of that
/// name.
pub const DATA: [(&CStr, pg_sys::Oid); WIDTH] = [
    (c"name", pg_sys::TEXTOID),
    (c"phones", pg_sys::TEXTARRAYOID),
    (c"emails", pg_sys::TEXTARRAYOID),
    (c"address", pg_sys::TEXTOID),
    (c"birth_date", pg_sys::DATEOID),
    (c"language", pg_sys::TEXTOID),
    (c"company_id", pg_sys::UUIDOID),
];
pub const WIDTH: usize = 7;
pub const NAME: usize = 0;

const KEPT: [(&CStr, pg_sys::Oid); 4] = [
    (c"owner_id", pg_sys::UUIDOID),
    (c"id", pg_sys::UUIDOID),
    (c"attributes", pg_sys::JSONBOID),
    (c"source_id", pg_sys::UUIDOID),
];

/// The numbers of these columns, counted from 1: of [`DATA`], then of [`KEPT`].
type Numbers = [c_int; WIDTH + KEPT.len()];

thread_local! {
    /// The table, and the numbers of its columns.
    static NUMBERS: Cell<(pg_sys::Oid, Numbers)> = const { Cell::new((pg_sys::InvalidOid, [0; _])) };
}

/// A relation has changed; InvalidOid stands for all. For callbacks.
pub fn relation_changed(relation: pg_sys::Oid) {
    if relation == pg_sys::InvalidOid || relation == NUMBERS.get().0 {
        NUMBERS.set((pg_sys::InvalidOid, [0; _]));
    }
}

/// Error 55000 unless the relation is table `customer` with these columns.
///
/// # Safety
/// `relation` must be open.
unsafe fn numbers_of(relation: pg_sys::Relation) -> Result<Numbers> {
    // SAFETY: as promised by the caller; the number is that of a column, or negative.
    unsafe {
        let (table, columns) = ((*relation).rd_id, (*relation).rd_att);
        let (known, numbers) = NUMBERS.get();
        if known == table {
            return Ok(numbers);
        }
        if table != catalog::table_oid(c"customer") {
            return Err(error::wrong_trigger("it is for table ringfence.customer"));
        }
        let mut numbers = [0; WIDTH + KEPT.len()];
        for (number, (name, kind)) in numbers.iter_mut().zip(DATA.into_iter().chain(KEPT)) {
            *number = pg_sys::SPI_fnumber(columns, name.as_ptr());
            if *number <= 0 || pg_sys::SPI_gettypeid(columns, *number) != kind {
                return Err(error::wrong_trigger("table ringfence.customer has other columns"));
            }
        }
        NUMBERS.set((table, numbers));
        Ok(numbers)
    }
}

/// What a row trigger of table `customer` was called for.
pub struct Call {
    relation: pg_sys::Relation,
    numbers: Numbers,
    old: pg_sys::HeapTuple,
    new: pg_sys::HeapTuple,
    /// The columns that an UPDATE assigns, by their numbers from the first of PostgreSQL's own.
    assigned: *const pg_sys::Bitmapset,
}

impl Call {
    /// Error 55000 unless it is a row trigger of table `customer`, BEFORE or AFTER as asked.
    ///
    /// # Safety
    /// `call` must be a call that PostgreSQL has made.
    pub unsafe fn of(call: pg_sys::FunctionCallInfo, timing: u32) -> Result<Call> {
        const ASKED: u32 = pg_sys::TRIGGER_EVENT_TIMINGMASK | pg_sys::TRIGGER_EVENT_ROW;
        let wrong = || error::wrong_trigger("it is for rows of table ringfence.customer");
        // SAFETY: as promised by the caller; the node's tag tells what it is.
        unsafe {
            let context = (*call).context;
            if context.is_null() || (*context).type_ != pg_sys::NodeTag::T_TriggerData {
                return Err(wrong());
            }
            let data = context.cast::<pg_sys::TriggerData>();
            if (*data).tg_event & ASKED != pg_sys::TRIGGER_EVENT_ROW | timing {
                return Err(wrong());
            }
            let relation = (*data).tg_relation;
            let numbers = numbers_of(relation)?;
            let none = std::ptr::null_mut();
            let (old, new) = match (*data).tg_event & pg_sys::TRIGGER_EVENT_OPMASK {
                pg_sys::TRIGGER_EVENT_INSERT => (none, (*data).tg_trigtuple),
                pg_sys::TRIGGER_EVENT_UPDATE => ((*data).tg_trigtuple, (*data).tg_newtuple),
                pg_sys::TRIGGER_EVENT_DELETE => ((*data).tg_trigtuple, none),
                _ => return Err(wrong()),
            };
            Ok(Call { relation, numbers, old, new, assigned: (*data).tg_updatedcols })
        }
    }

    pub fn table(&self) -> pg_sys::Oid {
        // SAFETY: the trigger's relation is open for as long as the trigger runs.
        unsafe { (*self.relation).rd_id }
    }

    /// The source that the record belongs to: before the write, if it was there. Nothing else of
    /// the row is looked at.
    pub fn source(&self) -> Option<Uuid> {
        let row = if self.old.is_null() { self.new } else { self.old };
        let [.., number] = self.numbers;
        let mut is_null = true;
        // SAFETY: a row of the relation, the number of a column, and a value of its type.
        unsafe {
            let source = pg_sys::SPI_getbinval(row, (*self.relation).rd_att, number, &mut is_null);
            Uuid::from_datum(source, is_null)
        }
    }

    /// Whether the UPDATE assigns a column of [`DATA`], be it the value that is there.
    pub fn assigns(&self, column: usize) -> bool {
        let number = self.numbers.get(column).copied().unwrap_or_default();
        // SAFETY: a set of PostgreSQL's, or NULL.
        unsafe { pg_sys::bms_is_member(number - pg_sys::FirstLowInvalidHeapAttributeNumber, self.assigned) }
    }

    /// The row before, if there was one.
    pub fn before(&self) -> Option<Record> {
        self.record(self.old)
    }

    /// The row after, if there is one.
    pub fn after(&self) -> Option<Record> {
        self.record(self.new)
    }

    fn record(&self, row: pg_sys::HeapTuple) -> Option<Record> {
        if row.is_null() {
            return None;
        }
        // SAFETY: a row of the relation, deformed by its descriptor into arrays of its width.
        unsafe {
            let columns = (*self.relation).rd_att;
            let width = (*columns).natts as usize;
            let (mut values, mut nulls) = (vec![pg_sys::Datum::null(); width], vec![true; width]);
            pg_sys::heap_deform_tuple(row, columns, values.as_mut_ptr(), nulls.as_mut_ptr());
            let get = |number: &c_int| {
                let place = *number as usize - 1;
                values.get(place).copied().filter(|_| nulls.get(place) == Some(&false))
            };
            let [ref data @ .., owner, id, attributes, source] = self.numbers;
            Some(Record {
                data: std::array::from_fn(|n| data.get(n).and_then(get)),
                owner: uuid(get(&owner)),
                id: uuid(get(&id)),
                attributes: get(&attributes),
                source: get(&source).map(|source| uuid(Some(source))),
            })
        }
    }

    /// What a trigger BEFORE a write returns: the row as it was given.
    pub fn row(&self) -> pg_sys::Datum {
        if self.new.is_null() { self.old.into() } else { self.new.into() }
    }

    /// The new row with other values in these columns of [`DATA`], and other custom values.
    pub fn row_with(&self, columns: &[(usize, Option<pg_sys::Datum>)], attributes: Option<Jsonb>) -> pg_sys::Datum {
        let (mut numbers, mut values, mut nulls) = (Vec::new(), Vec::new(), Vec::new());
        let attributes = attributes.and_then(pgrx::IntoDatum::into_datum).map(|datum| (WIDTH + 2, Some(datum)));
        for (column, value) in columns.iter().copied().chain(attributes) {
            numbers.push(self.numbers.get(column).copied().unwrap_or_default());
            values.push(value.unwrap_or(pg_sys::Datum::null()));
            nulls.push(value.is_none());
        }
        // SAFETY: a row of the relation, numbers of its columns, and values of their types, which
        // are copied.
        unsafe {
            pg_sys::heap_modify_tuple_by_cols(
                self.new,
                (*self.relation).rd_att,
                numbers.len() as c_int,
                numbers.as_mut_ptr(),
                values.as_mut_ptr(),
                nulls.as_mut_ptr(),
            )
            .into()
        }
    }
}

fn uuid(value: Option<pg_sys::Datum>) -> Uuid {
    // SAFETY: callers name a column of type uuid; NULL is no id of any row.
    let id = value.and_then(|value| unsafe { Uuid::from_datum(value, false) });
    id.unwrap_or(Uuid::from_bytes([0; 16]))
}

/// A row of table `customer`.
pub struct Record {
    /// Of the columns [`DATA`].
    data: [Option<pg_sys::Datum>; WIDTH],
    attributes: Option<pg_sys::Datum>,
    pub owner: Uuid,
    pub id: Uuid,
    pub source: Option<Uuid>,
}

impl Record {
    pub fn column(&self, column: usize) -> Option<pg_sys::Datum> {
        self.data.get(column).copied().flatten()
    }

    /// The custom values.
    pub fn attributes(&self) -> Jsonb {
        // SAFETY: a value of type jsonb.
        let attributes = self.attributes.and_then(|value| unsafe { Jsonb::from_datum(value, false) });
        attributes.unwrap_or_else(|| Jsonb::object([]))
    }

    /// Whether a column holds something: neither NULL nor an empty list.
    pub fn holds(&self, column: usize) -> bool {
        let is_list = DATA.get(column).is_some_and(|(_, kind)| *kind == pg_sys::TEXTARRAYOID);
        // SAFETY: a value of type text[].
        self.column(column).is_some_and(|value| !is_list || unsafe { has_elements(value) })
    }

    /// Made of the values of these columns of a card, in the order of [`DATA`].
    pub fn of_card(data: [Option<pg_sys::Datum>; WIDTH], id: Uuid, owner: Uuid) -> Record {
        Record { data, attributes: None, owner, id, source: None }
    }

    /// Whether a column has another value than in the other row.
    pub fn differs(&self, other: &Record, column: usize) -> bool {
        let kind = DATA.get(column).map_or(pg_sys::InvalidOid, |(_, kind)| *kind);
        match (self.column(column), other.column(column)) {
            (None, None) => false,
            (Some(a), Some(b)) => differ(a, b, kind),
            _ => true,
        }
    }

    /// Whether the custom values may differ: the bytes do.
    pub fn attributes_differ(&self, other: &Record) -> bool {
        match (self.attributes, other.attributes) {
            (Some(a), Some(b)) => differ(a, b, pg_sys::JSONBOID),
            (a, b) => a.is_some() != b.is_some(),
        }
    }
}

/// Whether a list is not empty.
///
/// # Safety
/// `list` must be of type text[].
pub unsafe fn has_elements(list: pg_sys::Datum) -> bool {
    // SAFETY: as promised by the caller.
    unsafe { (*pg_sys::pg_detoast_datum(list.cast_mut_ptr()).cast::<pg_sys::ArrayType>()).ndim != 0 }
}

/// The bytes of a value as the row has them: of one that is stored elsewhere, where.
///
/// # Safety
/// `value` must be of a type of variable length. The bytes live as long as it.
unsafe fn raw<'a>(value: pg_sys::Datum) -> &'a [u8] {
    // SAFETY: as promised by the caller: as many bytes as the header says.
    unsafe {
        let value: *const pg_sys::varlena = value.cast_mut_ptr();
        std::slice::from_raw_parts(value.cast::<u8>(), pgrx::varlena::varsize_any(value))
    }
}

fn differ(a: pg_sys::Datum, b: pg_sys::Datum, kind: pg_sys::Oid) -> bool {
    // SAFETY: values of that type; a varlena is read as long as its header says.
    unsafe {
        match kind {
            pg_sys::UUIDOID => *a.cast_mut_ptr::<[u8; 16]>() != *b.cast_mut_ptr::<[u8; 16]>(),
            pg_sys::DATEOID => a.value() as i32 != b.value() as i32,
            // A value that is stored elsewhere is the same if it is in the same place.
            _ if raw(a) == raw(b) => false,
            pg_sys::TEXTARRAYOID => {
                let (function, collation) = (pg_sys::Oid::from(pg_sys::F_ARRAY_EQ), pg_sys::DEFAULT_COLLATION_OID);
                pg_sys::OidFunctionCall2Coll(function, collation, a, b).value() == 0
            }
            _ => {
                let bytes = |value: pg_sys::Datum| pg_sys::pg_detoast_datum_packed(value.cast_mut_ptr());
                let (a, b) = (bytes(a), bytes(b));
                pgrx::varlena::varlena_to_byte_slice(a) != pgrx::varlena::varlena_to_byte_slice(b)
            }
        }
    }
}

/// A custom value that a write changes.
pub struct Changed<'a> {
    /// See [`crate::field::storage_key_of`].
    pub key: &'a str,
    pub old: Option<Value<'a>>,
    pub new: Option<Value<'a>>,
}

/// The custom values that differ.
pub fn values_changed<'a>(old: &'a Jsonb, new: &'a Jsonb) -> Vec<Changed<'a>> {
    let mut changed = Vec::new();
    for member in new.members().into_iter().flatten() {
        let before = old.member(member.name);
        if !before.is_some_and(|before| before.same_as(member.value)) {
            changed.push(Changed { key: member.name, old: before, new: Some(member.value) });
        }
    }
    for member in old.members().into_iter().flatten() {
        if new.member(member.name).is_none() {
            changed.push(Changed { key: member.name, old: Some(member.value), new: None });
        }
    }
    changed
}
