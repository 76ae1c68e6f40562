//! Triggers of table `customer` for columns that the server keeps. Each row that anybody writes goes through them, so they change the tuple
//! itself, without pgrx's copies of it.

use super::day::active_on;
use crate::error::{self, Result};
use crate::pg::version_1;
use crate::{catalog, session};
use pgrx::{IntoDatum, pg_guard, pg_sys};
use std::ffi::{CStr, c_int};

/// What a row trigger was called for.
struct Call {
    relation: pg_sys::Relation,
    /// The row that is about to be written.
    row: pg_sys::HeapTuple,
}

impl Call {
    /// Error 55000 unless it is a row trigger BEFORE an INSERT or UPDATE of table `customer`: values are read and written by its types.
    ///
    /// # Safety
    /// `call` must be a call that PostgreSQL has made.
    unsafe fn of(call: pg_sys::FunctionCallInfo) -> Result<Call> {
        const ASKED: u32 = pg_sys::TRIGGER_EVENT_TIMINGMASK | pg_sys::TRIGGER_EVENT_ROW;
        const ROW_BEFORE: u32 = pg_sys::TRIGGER_EVENT_ROW | pg_sys::TRIGGER_EVENT_BEFORE;
        let wrong = || error::wrong_trigger("it is for table ringfence.customer");
        // SAFETY: as promised by the caller; the node's tag tells what it is.
        unsafe {
            let context = (*call).context;
            if context.is_null() || (*context).type_ != pg_sys::NodeTag::T_TriggerData {
                return Err(wrong());
            }
            let data = context.cast::<pg_sys::TriggerData>();
            let relation = (*data).tg_relation;
            let row = match (*data).tg_event & pg_sys::TRIGGER_EVENT_OPMASK {
                pg_sys::TRIGGER_EVENT_INSERT => (*data).tg_trigtuple,
                pg_sys::TRIGGER_EVENT_UPDATE => (*data).tg_newtuple,
                _ => return Err(wrong()),
            };
            if (*data).tg_event & ASKED != ROW_BEFORE || (*relation).rd_id != catalog::table_oid(c"customer") {
                return Err(wrong());
            }
            Ok(Call { relation, row })
        }
    }

    /// The number of a column of that type.
    fn column(&self, name: &CStr, kind: pg_sys::Oid) -> Result<c_int> {
        // SAFETY: an open relation; the number is that of a column, or negative.
        let (column, found) = unsafe {
            let columns = (*self.relation).rd_att;
            let column = pg_sys::SPI_fnumber(columns, name.as_ptr());
            (column, if column > 0 { pg_sys::SPI_gettypeid(columns, column) } else { pg_sys::InvalidOid })
        };
        if found == kind { Ok(column) } else { Err(error::wrong_trigger("table ringfence.customer has other columns")) }
    }

    fn value(&self, column: c_int) -> Option<pg_sys::Datum> {
        let mut is_null = true;
        // SAFETY: a row of the relation, and the number of a column.
        let value = unsafe { pg_sys::SPI_getbinval(self.row, (*self.relation).rd_att, column, &mut is_null) };
        (!is_null).then_some(value)
    }

    /// The row with other values in these columns.
    fn with<const N: usize>(&self, mut columns: [c_int; N], mut values: [pg_sys::Datum; N]) -> pg_sys::Datum {
        // SAFETY: a row of the relation, numbers of its columns, and values of their types, which are copied.
        unsafe {
            pg_sys::heap_modify_tuple_by_cols(
                self.row,
                (*self.relation).rd_att,
                N as c_int,
                columns.as_mut_ptr(),
                values.as_mut_ptr(),
                [false; N].as_mut_ptr(),
            )
            .into()
        }
    }
}

/// Before a customer is updated: notes when, and by whom.
///
/// # Safety
/// For PostgreSQL to call, as a trigger function.
#[unsafe(no_mangle)]
#[pg_guard]
pub unsafe extern "C-unwind" fn stamp_update_wrapper(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    error::raised((|| {
        // SAFETY: as promised by the caller; a variable of the transaction is read.
        let (call, now) = unsafe { (Call::of(call)?, pg_sys::GetCurrentTransactionStartTimestamp()) };
        let columns =
            [call.column(c"updated_at", pg_sys::TIMESTAMPTZOID)?, call.column(c"updated_by", pg_sys::TEXTOID)?];
        let actor = session::actor()?.into_datum().unwrap_or(pg_sys::Datum::null());
        Ok(call.with(columns, [now.into(), actor]))
    })())
}

/// Before a customer is written: keeps the day of its last activity.
///
/// # Safety
/// For PostgreSQL to call, as a trigger function.
#[unsafe(no_mangle)]
#[pg_guard]
pub unsafe extern "C-unwind" fn keep_active_on(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    error::raised((|| {
        // SAFETY: as promised by the caller.
        let call = unsafe { Call::of(call)? };
        let (time, day) =
            (call.column(c"last_activity_at", pg_sys::TIMESTAMPTZOID)?, call.column(c"active_on", pg_sys::DATEOID)?);
        let active_on = active_on(call.value(time).map(|time| time.value() as i64));
        if call.value(day).is_some_and(|day| day.value() as i32 == active_on) {
            return Ok(call.row.into());
        }
        Ok(call.with([day], [active_on.into()]))
    })())
}

version_1!(pg_finfo_stamp_update_wrapper, pg_finfo_keep_active_on);
