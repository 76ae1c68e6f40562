//! The triggers of `customer_card`: what is written to a card goes to its customer's row, and nothing else of the row changes.
//!
//! They run as `ringfence_definer`, since applications may not write `attributes` (`sql/customer.sql` declares them SECURITY DEFINER, with a
//! search_path of their own). The wall binds that role as it does anybody.

// Plain frames: see `pg`.
#![allow(ffi_unwind_calls)]

use super::propose::{propose_change, propose_customer, proposes, read, store_proposals};
use super::statement::*;
use super::{shown_as_datum, written};
use crate::authority::judge;
use crate::error;
use crate::jsonb::Jsonb;
use crate::pg::{unguarded, version_1};
use crate::{catalog, session};
use pgrx::{FromDatum, IntoDatum, PgLogLevel, pg_guard, pg_sys};
use std::ffi::c_int;

/// The trigger's data, if it is one of the card for that event; else an error.
///
/// # Safety
/// `call` must be a call that PostgreSQL has made.
unsafe fn trigger_of(call: pg_sys::FunctionCallInfo, event: u32) -> *mut pg_sys::TriggerData {
    const ROW_INSTEAD: u32 = pg_sys::TRIGGER_EVENT_ROW | pg_sys::TRIGGER_EVENT_INSTEAD;
    const ASKED: u32 = pg_sys::TRIGGER_EVENT_OPMASK | pg_sys::TRIGGER_EVENT_TIMINGMASK | pg_sys::TRIGGER_EVENT_ROW;
    // SAFETY: as promised by the caller; the node's tag tells what it is. Once it was looked at for a statement, a mark is left.
    unsafe {
        let context = (*call).context;
        if context.is_null() || (*context).type_ != pg_sys::NodeTag::T_TriggerData {
            wrong_trigger();
        }
        let data = context.cast::<pg_sys::TriggerData>();
        let site = (*call).flinfo;
        if (*data).tg_event & ASKED != event | ROW_INSTEAD {
            wrong_trigger();
        }
        if (*site).fn_extra.is_null() {
            check_relation((*data).tg_relation);
            (*site).fn_extra = (&raw mut MARK).cast();
        }
        data
    }
}

/// What a trigger leaves at its place of call after it has looked at its relation.
static mut MARK: u8 = 0;

#[pg_guard]
unsafe extern "C-unwind" fn wrong_trigger() {
    error::wrong_trigger("it is for view ringfence.customer_card").report(PgLogLevel::ERROR);
}

/// Error 55000 unless the relation is the card with the columns of [`COLUMNS`]: values are read by their types.
///
/// # Safety
/// `relation` must be an open relation.
#[pg_guard]
unsafe extern "C-unwind" fn check_relation(relation: pg_sys::Relation) {
    // SAFETY: as promised by the caller.
    let is_card = unsafe {
        let columns = (*relation).rd_att;
        (*relation).rd_id == catalog::table_oid(c"customer_card")
            && (*columns).natts as usize == WIDTH
            && COLUMNS
                .into_iter()
                .enumerate()
                .all(|(n, (_, kind))| pg_sys::SPI_gettypeid(columns, n as c_int + 1) == kind)
    };
    if !is_card {
        error::wrong_trigger("it is for view ringfence.customer_card").report(PgLogLevel::ERROR);
    }
}

/// # Safety
/// `tuple` must be a card.
unsafe fn card(trigger: *mut pg_sys::TriggerData, tuple: pg_sys::HeapTuple) -> Arguments {
    let mut card = Arguments::NONE;
    // SAFETY: as promised by the caller: a card has WIDTH columns.
    unsafe {
        let columns = (*(*trigger).tg_relation).rd_att;
        unguarded::heap_deform_tuple(tuple, columns, card.values.as_mut_ptr(), card.nulls.as_mut_ptr());
    }
    card
}

/// # Safety
/// The values must be those of a card.
unsafe fn tuple_of(trigger: *mut pg_sys::TriggerData, card: &mut Arguments) -> pg_sys::Datum {
    // SAFETY: as promised by the caller.
    unsafe {
        let columns = (*(*trigger).tg_relation).rd_att;
        unguarded::heap_form_tuple(columns, card.values.as_mut_ptr(), card.nulls.as_mut_ptr()).into()
    }
}

/// Whether the statement has changed a column. Of values whose bytes differ PostgreSQL is asked.
///
/// # Safety
/// Both must be cards.
unsafe fn differs(new: &Arguments, old: &Arguments, column: usize) -> bool {
    if new.nulls[column] || old.nulls[column] {
        return new.nulls[column] != old.nulls[column];
    }
    let (a, b) = (new.values[column], old.values[column]);
    // SAFETY: as promised by the caller: values of the column's type.
    unsafe {
        match COLUMNS[column].1 {
            pg_sys::UUIDOID => *a.cast_mut_ptr::<[u8; 16]>() != *b.cast_mut_ptr::<[u8; 16]>(),
            pg_sys::TEXTOID | pg_sys::JSONBOID => bytes_of(a) != bytes_of(b),
            pg_sys::TEXTARRAYOID => {
                bytes_of(a) != bytes_of(b) && {
                    let (function, collation) = (pg_sys::Oid::from(pg_sys::F_ARRAY_EQ), pg_sys::DEFAULT_COLLATION_OID);
                    unguarded::OidFunctionCall2Coll(function, collation, a, b).value() == 0
                }
            }
            _ => a.value() != b.value(),
        }
    }
}

/// # Safety
/// `value` must be of a type of variable length. The bytes live as long as the value, or the function call.
unsafe fn bytes_of<'a>(value: pg_sys::Datum) -> &'a [u8] {
    // SAFETY: as promised by the caller; detoasted it is here, with a header that tells its length.
    unsafe { pgrx::varlena::varlena_to_byte_slice(unguarded::pg_detoast_datum_packed(value.cast_mut_ptr())) }
}

/// INSTEAD OF INSERT. What a client writes to columns that the server keeps (created_at and the like) is ignored: object-relational
/// mappers write all columns.
///
/// # Safety
/// For PostgreSQL to call, as a function of version 1.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn insert_customer_card(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: as promised by the caller; what is called guarded has nothing borrowed when it returns.
    unsafe {
        let trigger = trigger_of(call, pg_sys::TRIGGER_EVENT_INSERT);
        let mut new = card(trigger, (*trigger).tg_trigtuple);
        if proposes() {
            propose_customer(&mut new);
            store_proposals();
            return tuple_of(trigger, &mut new);
        }
        fill_new_card(&mut new);
        // A trigger of others may have kept it from being written.
        if execute(Statement::Insert, &new, std::ptr::null_mut()) == 0 {
            return pg_sys::Datum::null();
        }
        if has_values(&new) {
            keep_unique_values(&new);
        }
        new.set(ATTRIBUTES, shown_as_datum(new.values[ATTRIBUTES]));
        stamp_new_card(&mut new);
        tuple_of(trigger, &mut new)
    }
}

/// INSTEAD OF UPDATE. Writes what the statement changed and nothing else, against the row as it is when it is written: of two sessions that
/// change different things of one customer at once, neither undoes the other.
///
/// # Safety
/// For PostgreSQL to call, as a function of version 1.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn update_customer_card(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: as promised by the caller.
    unsafe {
        let trigger = trigger_of(call, pg_sys::TRIGGER_EVENT_UPDATE);
        let (old, mut new) = (card(trigger, (*trigger).tg_trigtuple), card(trigger, (*trigger).tg_newtuple));
        if proposes() {
            propose_change(&old, &new);
            store_proposals();
            return (*trigger).tg_trigtuple.into();
        }
        if !new.nulls[ID] && differs(&new, &old, ID) {
            refuse_other_id();
        }
        for column in [ID, MASKED_FIELDS, CREATED_AT, CREATED_BY] {
            new.copy(column, &old, column);
        }
        if new.nulls[OWNER_ID] {
            new.copy(OWNER_ID, &old, OWNER_ID);
        }
        // Clients whose dates have milliseconds (JavaScript) write back less than they read: that changes nothing.
        if is_truncated(&new, &old) {
            new.copy(LAST_ACTIVITY_AT, &old, LAST_ACTIVITY_AT);
        }
        let mut changed = 0;
        for column in WRITTEN.into_iter().chain([ATTRIBUTES]) {
            changed |= if differs(&new, &old, column) { bit(column) } else { 0 };
        }
        if new.nulls[PHONES] || new.nulls[EMAILS] || new.nulls[ATTRIBUTES] {
            fill_empty(&mut new);
        }
        new.copy(OLD_OWNER_ID, &old, OWNER_ID);
        new.copy(OLD_ID, &old, ID);
        new.copy(OLD_ATTRIBUTES, &old, ATTRIBUTES);
        new.set(CHANGED, pg_sys::Datum::from(changed as i32));
        let exact = Statement::Update(changed);
        let statement = if known_plan(exact).is_none() && is_full() { Statement::UpdateAny } else { exact };
        let mut after = Arguments { values: new.values, nulls: new.nulls };
        if execute(statement, &new, &mut after) == 0 {
            return pg_sys::Datum::null();
        }
        if changed & bit(ATTRIBUTES) != 0 {
            keep_unique_values(&after);
        }
        if !after.nulls[ATTRIBUTES] {
            after.set(ATTRIBUTES, shown_as_datum(after.values[ATTRIBUTES]));
        }
        tuple_of(trigger, &mut after)
    }
}

/// INSTEAD OF DELETE.
///
/// # Safety
/// For PostgreSQL to call, as a function of version 1.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn delete_customer_card(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: as promised by the caller.
    unsafe {
        let trigger = trigger_of(call, pg_sys::TRIGGER_EVENT_DELETE);
        let old = card(trigger, (*trigger).tg_trigtuple);
        let mut row = Arguments::NONE;
        row.copy(OLD_OWNER_ID, &old, OWNER_ID);
        row.copy(OLD_ID, &old, ID);
        match execute(Statement::Delete, &row, std::ptr::null_mut()) {
            0 => pg_sys::Datum::null(),
            _ => (*trigger).tg_trigtuple.into(),
        }
    }
}

/// A list or an object that is NULL is an empty one.
#[pg_guard]
unsafe extern "C-unwind" fn fill_empty(card: &mut Arguments) {
    if card.nulls[ATTRIBUTES] {
        card.set(ATTRIBUTES, datum(Jsonb::object([])));
    }
    for column in [PHONES, EMAILS] {
        if card.nulls[column] {
            // SAFETY: makes an array in the memory of the function call.
            card.set(column, unsafe { pg_sys::construct_empty_array(pg_sys::TEXTOID).into() });
        }
    }
}

/// Whether the new time of the last activity is the old one without its microseconds.
fn is_truncated(new: &Arguments, old: &Arguments) -> bool {
    if new.nulls[LAST_ACTIVITY_AT] || old.nulls[LAST_ACTIVITY_AT] {
        return false;
    }
    let (new, old) = (new.values[LAST_ACTIVITY_AT].value() as i64, old.values[LAST_ACTIVITY_AT].value() as i64);
    old.checked_sub(old.rem_euclid(1000)) == Some(new)
}

#[pg_guard]
unsafe extern "C-unwind" fn refuse_other_id() {
    error::id_cannot_change().report(PgLogLevel::ERROR);
}

/// Gives a new card what its client left out, and its custom values the form in which they are stored.
///
/// # Safety
/// It must be a card.
#[pg_guard]
unsafe extern "C-unwind" fn fill_new_card(card: &mut Arguments) {
    let filled = (|| {
        let nothing = || Jsonb::object([]);
        // SAFETY: as promised by the caller: a value of the column's type, if any.
        let given = unsafe {
            fill_empty(card);
            Jsonb::from_datum(card.values[ATTRIBUTES], card.nulls[ATTRIBUTES])
        };
        let stored = written(nothing(), nothing(), given.unwrap_or_else(nothing))?;
        if card.nulls[OWNER_ID] {
            card.set(OWNER_ID, datum(session::context()?.owner.id));
        }
        if card.nulls[ID] {
            card.set(ID, datum(crate::name::new_id()));
        }
        // SAFETY: as promised by the caller.
        let (record, _) = unsafe { read(card) };
        let (stored, left_out) = judge::left_out_of_card(&record, stored)?;
        for place in left_out.into_iter().filter_map(|name| COLUMNS.iter().position(|(column, _)| *column == name)) {
            card.nulls[place] = true;
        }
        card.set(ATTRIBUTES, datum(stored));
        // SAFETY: as promised by the caller.
        unsafe { fill_empty(card) };
        Ok(())
    })();
    error::raised(filled);
}

/// For the statement's RETURNING: what the server has written to a new card.
#[pg_guard]
unsafe extern "C-unwind" fn stamp_new_card(card: &mut Arguments) {
    let stamped = (|| {
        let masked: Vec<String> =
            session::context()?.fields()?.masked().iter().map(|field| field.name.clone()).collect();
        let actor = datum(session::actor()?);
        // SAFETY: reads a variable of the transaction.
        let now = pg_sys::Datum::from(unsafe { pg_sys::GetCurrentTransactionStartTimestamp() });
        card.set(MASKED_FIELDS, datum(masked));
        for (at, by) in [(CREATED_AT, CREATED_BY), (UPDATED_AT, UPDATED_BY)] {
            card.set(at, now);
            card.set(by, actor);
        }
        Ok(())
    })();
    error::raised(stamped);
}

fn datum(value: impl IntoDatum) -> pg_sys::Datum {
    value.into_datum().unwrap_or(pg_sys::Datum::null())
}

/// # Safety
/// It must be a card.
#[pg_guard]
unsafe extern "C-unwind" fn has_values(card: &Arguments) -> bool {
    // SAFETY: as promised by the caller: a value of the column's type.
    let values = unsafe { Jsonb::from_datum(card.values[ATTRIBUTES], card.nulls[ATTRIBUTES]) };
    values.is_some_and(|values| values.members().into_iter().flatten().next().is_some())
}

/// Keeps the values of unique fields of a card whose custom values are those that are stored.
///
/// # Safety
/// It must be a card; under plain frames only.
unsafe fn keep_unique_values(card: &Arguments) {
    // SAFETY: as promised by the caller.
    unsafe {
        if has_unique_fields() {
            execute(Statement::KeepUnique, card, std::ptr::null_mut());
        }
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn has_unique_fields() -> bool {
    error::raised(session::context().and_then(|context| Ok(!context.fields()?.unique().is_empty())))
}

version_1!(pg_finfo_insert_customer_card, pg_finfo_update_customer_card, pg_finfo_delete_customer_card);
