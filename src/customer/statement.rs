//! The statements behind `customer_card`: what its triggers do to tables. Each is planned once in a backend. PostgreSQL plans it again if a
//! table, the role or `row_security` has changed.
//!
//! PostgreSQL's executor is called as SPI calls it, but without SPI, which would put our SQL into the CONTEXT of each error.

// Plain frames: see `pg`.
#![allow(ffi_unwind_calls)]

use crate::error::{self, Result};
use crate::pg::{members, unguarded};
use pgrx::{PgLogLevel, pg_guard, pg_sys};
use std::cell::RefCell;
use std::ffi::{CString, c_int};

/// The columns of `customer_card` in their order. In a statement of [`Statement`] column n of the new card is argument n, counted from 1.
pub const COLUMNS: [(&str, pg_sys::Oid); WIDTH] = [
    ("owner_id", pg_sys::UUIDOID),
    ("id", pg_sys::UUIDOID),
    ("name", pg_sys::TEXTOID),
    ("phones", pg_sys::TEXTARRAYOID),
    ("emails", pg_sys::TEXTARRAYOID),
    ("address", pg_sys::TEXTOID),
    ("birth_date", pg_sys::DATEOID),
    ("language", pg_sys::TEXTOID),
    ("company_id", pg_sys::UUIDOID),
    ("attributes", pg_sys::JSONBOID),
    ("masked_fields", pg_sys::TEXTARRAYOID),
    ("created_at", pg_sys::TIMESTAMPTZOID),
    ("created_by", pg_sys::TEXTOID),
    ("updated_at", pg_sys::TIMESTAMPTZOID),
    ("updated_by", pg_sys::TEXTOID),
    ("last_activity_at", pg_sys::TIMESTAMPTZOID),
];
pub const WIDTH: usize = 16;
pub const OWNER_ID: usize = 0;
pub const ID: usize = 1;
pub const NAME: usize = 2;
pub const PHONES: usize = 3;
pub const EMAILS: usize = 4;
pub const ADDRESS: usize = 5;
pub const BIRTH_DATE: usize = 6;
pub const LANGUAGE: usize = 7;
pub const COMPANY_ID: usize = 8;
pub const ATTRIBUTES: usize = 9;
pub const MASKED_FIELDS: usize = 10;
pub const CREATED_AT: usize = 11;
pub const CREATED_BY: usize = 12;
pub const UPDATED_AT: usize = 13;
pub const UPDATED_BY: usize = 14;
pub const LAST_ACTIVITY_AT: usize = 15;

/// What a client may change, besides the custom values.
pub const WRITTEN: [usize; 9] =
    [OWNER_ID, NAME, PHONES, EMAILS, ADDRESS, BIRTH_DATE, LANGUAGE, COMPANY_ID, LAST_ACTIVITY_AT];

/// What an UPDATE reads back from the row: triggers, and other sessions, may have changed it.
const RETURNED: [usize; 11] = [
    NAME,
    PHONES,
    EMAILS,
    ADDRESS,
    BIRTH_DATE,
    LANGUAGE,
    COMPANY_ID,
    ATTRIBUTES,
    UPDATED_AT,
    UPDATED_BY,
    LAST_ACTIVITY_AT,
];

/// Further arguments of the statements, behind the columns of the new card: of the old card, and which columns differ.
pub const OLD_OWNER_ID: usize = WIDTH;
pub const OLD_ID: usize = WIDTH + 1;
pub const OLD_ATTRIBUTES: usize = WIDTH + 2;
pub const CHANGED: usize = WIDTH + 3;
const ARGUMENTS: usize = WIDTH + 4;

/// Plans kept in a backend. Clients change few different sets of columns.
const MAX_PLANS: usize = 32;

/// What a trigger does to tables.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Statement {
    Insert,
    /// Sets the columns with these bits, [`ATTRIBUTES`] among them if custom values differ.
    Update(u32),
    /// Sets the columns whose bits are set in argument [`CHANGED`]. It serves once [`MAX_PLANS`] plans are kept.
    UpdateAny,
    Delete,
    /// Error 23505 if another customer has a value that must be unique.
    KeepUnique,
    /// Keeps what is proposed. Its arguments stand in places of the same types: see [`PROPOSED_CUSTOMER`].
    StoreProposal,
}

pub const PROPOSED_CUSTOMER: usize = ID;
pub const PROPOSED_FIELD: usize = COMPANY_ID;
pub const PROPOSED_DATA: usize = ATTRIBUTES;
pub const PROPOSED_BY_ROLE: usize = CREATED_BY;
pub const PROPOSED_BY_AGENT: usize = UPDATED_BY;
pub const PROPOSED_FOR: usize = OLD_ID;

pub const fn bit(column: usize) -> u32 {
    1 << column
}

/// The argument of that place, as SQL writes it.
fn argument(place: usize) -> String {
    format!("${}", place + 1)
}

fn name_of(column: usize) -> &'static str {
    COLUMNS.get(column).map_or("", |(name, _)| name)
}

impl Statement {
    /// Everything in it is qualified: it means the same under any search_path.
    fn text(self) -> String {
        let listed = |columns: &[usize], each: fn(usize) -> String| {
            columns.iter().map(|column| each(*column)).collect::<Vec<_>>().join(", ")
        };
        let row = format!(
            "stored.owner_id OPERATOR(pg_catalog.=) {} AND stored.id OPERATOR(pg_catalog.=) {}",
            argument(OLD_OWNER_ID),
            argument(OLD_ID)
        );
        let update = |assignments: Vec<String>| {
            format!(
                "UPDATE ringfence.customer AS stored SET {} WHERE {row} RETURNING {}",
                assignments.join(", "),
                listed(&RETURNED, |column| format!("stored.{}", name_of(column)))
            )
        };
        let new_values = || {
            let (before, after) = (argument(OLD_ATTRIBUTES), argument(ATTRIBUTES));
            format!("attributes = ringfence.write_attributes(stored.attributes, {before}, {after})")
        };
        match self {
            // No RETURNING: it would take the right to read, and a session may have that to write only.
            Statement::Insert => {
                let columns: Vec<usize> = [ID, ATTRIBUTES].into_iter().chain(WRITTEN).collect();
                format!(
                    "INSERT INTO ringfence.customer ({}) VALUES ({})",
                    listed(&columns, |column| name_of(column).to_owned()),
                    listed(&columns, argument)
                )
            }
            Statement::Update(changed) => {
                let changes = |column: &usize| changed & bit(*column) != 0;
                let mut assignments: Vec<String> = WRITTEN
                    .into_iter()
                    .filter(changes)
                    .map(|column| format!("{} = {}", name_of(column), argument(column)))
                    .collect();
                if changes(&ATTRIBUTES) {
                    assignments.push(new_values());
                } else if changed & !bit(LAST_ACTIVITY_AT) == 0 {
                    // Any UPDATE of a card stamps who wrote it: this makes the trigger of the table do so.
                    assignments.push("attributes = stored.attributes".to_owned());
                }
                update(assignments)
            }
            Statement::UpdateAny => {
                let either = |column: usize| {
                    let (name, new, changed) = (name_of(column), argument(column), argument(CHANGED));
                    let is_set =
                        format!("({changed} OPERATOR(pg_catalog.&) {}) OPERATOR(pg_catalog.<>) 0", bit(column));
                    format!("{name} = CASE WHEN {is_set} THEN {new} ELSE stored.{name} END")
                };
                update(WRITTEN.into_iter().map(either).chain([new_values()]).collect())
            }
            Statement::Delete => format!("DELETE FROM ringfence.customer AS stored WHERE {row}"),
            Statement::KeepUnique => {
                format!("SELECT ringfence.keep_unique_values({}, {})", argument(ID), argument(ATTRIBUTES))
            }
            Statement::StoreProposal => {
                let places = [
                    PROPOSED_CUSTOMER,
                    PROPOSED_FIELD,
                    PROPOSED_DATA,
                    PROPOSED_BY_ROLE,
                    PROPOSED_BY_AGENT,
                    PROPOSED_FOR,
                ];
                format!("SELECT ringfence.store_proposal({})", listed(&places, argument))
            }
        }
    }
}

const ARGUMENT_TYPES: [pg_sys::Oid; ARGUMENTS] = {
    let mut types = [pg_sys::UUIDOID; ARGUMENTS];
    let mut n = 0;
    while n < WIDTH {
        types[n] = COLUMNS[n].1;
        n += 1;
    }
    types[OLD_ATTRIBUTES] = pg_sys::JSONBOID;
    types[CHANGED] = pg_sys::INT4OID;
    types
};

thread_local! {
    /// What this backend has prepared. A plan lives as long as the backend.
    static PLANS: RefCell<Vec<(Statement, *mut pg_sys::CachedPlanSource)>> = const { RefCell::new(Vec::new()) };
}

/// The arguments of a statement; also a card, which is the first of them.
pub struct Arguments {
    pub values: [pg_sys::Datum; ARGUMENTS],
    pub nulls: [bool; ARGUMENTS],
}

impl Arguments {
    pub const NONE: Arguments = Arguments { values: [pg_sys::Datum::null(); ARGUMENTS], nulls: [true; ARGUMENTS] };

    pub fn set(&mut self, place: usize, value: pg_sys::Datum) {
        (self.values[place], self.nulls[place]) = (value, false);
    }

    pub fn copy(&mut self, to: usize, from: &Arguments, place: usize) {
        (self.values[to], self.nulls[to]) = (from.values[place], from.nulls[place]);
    }
}

/// Takes the row that a statement returns. PostgreSQL sees its first member only.
#[repr(C)]
struct Receiver {
    for_postgres: pg_sys::DestReceiver,
    /// The card to write the row into, allocated where the trigger was called.
    card: *mut Arguments,
    memory: pg_sys::MemoryContext,
}

unsafe extern "C-unwind" fn no_start(_: *mut pg_sys::DestReceiver, _operation: c_int, _columns: pg_sys::TupleDesc) {}

unsafe extern "C-unwind" fn no_end(_: *mut pg_sys::DestReceiver) {}

/// # Safety
/// For PostgreSQL to call, with a [`Receiver`] and a row of the columns [`RETURNED`].
unsafe extern "C-unwind" fn receive(slot: *mut pg_sys::TupleTableSlot, receiver: *mut pg_sys::DestReceiver) -> bool {
    // SAFETY: as promised by the caller. The row is copied, since it goes when the statement ends.
    unsafe {
        let receiver = receiver.cast::<Receiver>();
        if (*(*slot).tts_tupleDescriptor).natts as usize != RETURNED.len() {
            wrong_statement();
        }
        let mut to_free = false;
        let before = std::ptr::replace(&raw mut pg_sys::CurrentMemoryContext, (*receiver).memory);
        let row = unguarded::heap_copytuple(unguarded::ExecFetchSlotHeapTuple(slot, false, &mut to_free));
        let (mut values, mut nulls) = ([pg_sys::Datum::null(); RETURNED.len()], [true; RETURNED.len()]);
        unguarded::heap_deform_tuple(row, (*slot).tts_tupleDescriptor, values.as_mut_ptr(), nulls.as_mut_ptr());
        pg_sys::CurrentMemoryContext = before;
        for (n, column) in RETURNED.into_iter().enumerate() {
            ((*(*receiver).card).values[column], (*(*receiver).card).nulls[column]) = (values[n], nulls[n]);
        }
        true
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn wrong_statement() {
    error::not_installed("a statement of customer_card").report(PgLogLevel::ERROR);
}

/// The prepared statement, and the one to run in its place if no more are kept.
pub fn known_plan(statement: Statement) -> Option<*mut pg_sys::CachedPlanSource> {
    PLANS.with_borrow(|plans| plans.iter().find(|(known, _)| *known == statement).map(|(_, plan)| *plan))
}

pub fn is_full() -> bool {
    PLANS.with_borrow(|plans| plans.len() >= MAX_PLANS)
}

/// Prepares a statement for as long as the backend lives.
#[pg_guard]
extern "C-unwind" fn prepare(statement: &Statement) -> *mut pg_sys::CachedPlanSource {
    error::raised(prepared(*statement))
}

fn prepared(statement: Statement) -> Result<*mut pg_sys::CachedPlanSource> {
    let failed = || error::not_installed("a statement of customer_card");
    let text = CString::new(statement.text()).map_err(|_| failed())?;
    let mut types = ARGUMENT_TYPES;
    // SAFETY: connected and finished once each; after an error PostgreSQL finishes. The statement and the types live through the call, and a
    // plan that is kept lives on.
    let plan = unsafe {
        if pg_sys::SPI_connect() != pg_sys::SPI_OK_CONNECT as c_int {
            return Err(failed());
        }
        let options = pg_sys::CURSOR_OPT_GENERIC_PLAN as c_int;
        let plan = pg_sys::SPI_prepare_cursor(text.as_ptr(), ARGUMENTS as c_int, types.as_mut_ptr(), options);
        let kept = !plan.is_null() && pg_sys::SPI_keepplan(plan) == 0;
        let source = if kept { members(pg_sys::SPI_plan_get_plan_sources(plan)).next() } else { None };
        pg_sys::SPI_finish();
        source.ok_or_else(failed)?
    };
    PLANS.with_borrow_mut(|plans| plans.push((statement, plan)));
    Ok(plan)
}

/// Runs a statement as SPI would, and writes the row that it returns into `card`. Returns how many rows it has written.
/// In one piece, for what is pushed, started or fetched here must be popped, ended and released here.
///
/// # Safety
/// In a transaction and under plain frames only; the arguments must be of the types [`ARGUMENT_TYPES`].
pub unsafe fn execute(statement: Statement, arguments: &Arguments, card: *mut Arguments) -> u64 {
    // SAFETY: as promised by the caller. What is pushed is popped, and what is started ended; after an error PostgreSQL does both.
    unsafe {
        let source = match known_plan(statement) {
            Some(source) => source,
            None => prepare(&statement),
        };
        let list = unguarded::makeParamList(ARGUMENTS as c_int);
        for (n, place) in (*list).params.as_mut_slice(ARGUMENTS).iter_mut().enumerate() {
            *place = pg_sys::ParamExternData {
                value: arguments.values[n],
                isnull: arguments.nulls[n],
                pflags: pg_sys::PARAM_FLAG_CONST as u16,
                ptype: ARGUMENT_TYPES[n],
            };
        }
        let mut receiver = Receiver {
            for_postgres: pg_sys::DestReceiver {
                receiveSlot: Some(receive),
                rStartup: Some(no_start),
                rShutdown: Some(no_end),
                rDestroy: Some(no_end),
                mydest: pg_sys::CommandDest::DestNone,
            },
            card,
            memory: pg_sys::CurrentMemoryContext,
        };
        let owner = pg_sys::CurrentResourceOwner;
        // First the plan, which waits for locks on tables: the snapshot then has what others have committed meanwhile.
        let plan = unguarded::GetCachedPlan(source, list, owner, std::ptr::null_mut());
        unguarded::PushActiveSnapshot(unguarded::GetTransactionSnapshot());
        let mut written = 0;
        // More than one where somebody has made a rule on the table.
        for planned in members::<pg_sys::PlannedStmt>((*plan).stmt_list) {
            unguarded::CommandCounterIncrement();
            unguarded::UpdateActiveSnapshotCommandId();
            // A rule may NOTIFY.
            if (*planned).commandType == pg_sys::CmdType::CMD_UTILITY {
                unguarded::ProcessUtility(
                    planned,
                    (*source).query_string,
                    true,
                    pg_sys::ProcessUtilityContext::PROCESS_UTILITY_QUERY,
                    list,
                    std::ptr::null_mut(),
                    pg_sys::None_Receiver,
                    std::ptr::null_mut(),
                );
                continue;
            }
            let returns = (*planned).canSetTag && !card.is_null();
            let query = unguarded::CreateQueryDesc(
                planned,
                (*source).query_string,
                unguarded::GetActiveSnapshot(),
                std::ptr::null_mut(),
                if returns { (&raw mut receiver).cast() } else { pg_sys::None_Receiver },
                list,
                std::ptr::null_mut(),
                0,
            );
            unguarded::ExecutorStart(query, 0);
            unguarded::ExecutorRun(
                query,
                pg_sys::ScanDirection::ForwardScanDirection,
                0,
                #[cfg(not(feature = "pg18"))]
                true,
            );
            if (*planned).canSetTag {
                written = (*(*query).estate).es_processed;
            }
            unguarded::ExecutorFinish(query);
            unguarded::ExecutorEnd(query);
            unguarded::FreeQueryDesc(query);
        }
        unguarded::ReleaseCachedPlan(plan, owner);
        unguarded::CommandCounterIncrement();
        unguarded::PopActiveSnapshot();
        written
    }
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    #[test]
    fn statements() {
        assert_eq!(
            Statement::Update(bit(NAME) | bit(ATTRIBUTES)).text(),
            "UPDATE ringfence.customer AS stored SET name = $3, attributes = ringfence.write_attributes(stored.attributes, $19, $10) \
             WHERE stored.owner_id OPERATOR(pg_catalog.=) $17 AND stored.id OPERATOR(pg_catalog.=) $18 \
             RETURNING stored.name, stored.phones, stored.emails, stored.address, stored.birth_date, stored.language, stored.company_id, \
             stored.attributes, stored.updated_at, stored.updated_by, stored.last_activity_at"
        );
        for changed in [0, bit(LAST_ACTIVITY_AT)] {
            assert!(Statement::Update(changed).text().contains("attributes = stored.attributes "), "{changed}");
        }
        assert!(!Statement::Update(bit(NAME)).text().contains("attributes ="));
        assert!(Statement::UpdateAny.text().contains(
            "owner_id = CASE WHEN ($20 OPERATOR(pg_catalog.&) 1) OPERATOR(pg_catalog.<>) 0 THEN $1 ELSE stored.owner_id END, "
        ));
        assert!(
            Statement::Insert.text().starts_with("INSERT INTO ringfence.customer (id, attributes, owner_id, name, ")
        );
        assert!(Statement::Insert.text().ends_with(") VALUES ($2, $10, $1, $3, $4, $5, $6, $7, $8, $9, $16)"));
    }
}
