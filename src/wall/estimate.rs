//! What the planner may know of a walled table: nothing of other owners.
//!
//! PostgreSQL makes its statistics from the rows of all owners. EXPLAIN shows estimates that are made from
//! them. They choose the plan, too, and with it the order of errors and notices. So for a role that the
//! wall binds, the planner gets a fixed size for each walled table, and a fixed share for each owner.
//! The share is small enough that the planner reads an owner's rows by an index. It is large enough that
//! the planner prepares joins and sorts for many rows: a plan for a large owner costs a small one little.

use super::policy;
use crate::pg::members;
use pgrx::{pg_guard, pg_sys};
use std::cell::RefCell;
use std::collections::HashMap;

/// Owners that a walled table is taken to have.
const OWNERS: f64 = 10.0;

/// Rows of an owner in a table that decisions are made from: its projects, fields, profiles.
const SETTINGS_OF_OWNER: f64 = 50.0;

/// Rows of an owner in any other walled table.
const ROWS_OF_OWNER: f64 = 50_000.0;

/// Projects of an owner among whose rows those of such a table are divided.
const PROJECTS: f64 = 4.0;

/// Rows, and entries of an index, on a page.
const ROWS_ON_PAGE: f64 = 40.0;
const ENTRIES_ON_PAGE: f64 = 150.0;

/// Levels of a B-tree above its leaves.
const TREE_HEIGHT: i32 = 2;

thread_local! {
    /// Rows of table pg_statistic, by the number of distinct values that they tell.
    static STATISTICS: RefCell<HashMap<u32, pg_sys::HeapTuple>> = RefCell::new(HashMap::new());
}

fn rows_of_owner(table: pg_sys::Oid) -> f64 {
    if policy::decides(table) { SETTINGS_OF_OWNER } else { ROWS_OF_OWNER }
}

/// Gives a walled table and its indexes their fixed size.
///
/// # Safety
/// `table` must be locked, and `relation` be what the planner has found out about it.
pub unsafe fn relation_info(table: pg_sys::Oid, relation: *mut pg_sys::RelOptInfo) {
    // SAFETY: as promised by the caller.
    unsafe {
        let Some(wall) = policy::in_force(table) else {
            return;
        };
        let rows = rows_of_owner(table) * OWNERS;
        (*relation).tuples = rows;
        (*relation).pages = (rows / ROWS_ON_PAGE) as pg_sys::BlockNumber;
        // An index that has all that is asked for is worth reading alone.
        (*relation).allvisfrac = 1.0;
        // CREATE STATISTICS: made of all rows as well.
        (*relation).statlist = std::ptr::null_mut();
        let mut indexes = std::ptr::null_mut();
        for index in members::<pg_sys::IndexOptInfo>((*relation).indexlist) {
            if !begins_with(index, wall.column) {
                continue;
            }
            (*index).tuples = rows;
            (*index).pages = (rows / ENTRIES_ON_PAGE) as pg_sys::BlockNumber;
            if (*index).tree_height >= 0 {
                (*index).tree_height = TREE_HEIGHT;
            }
            indexes = pg_sys::lappend(indexes, index.cast());
        }
        (*relation).indexlist = indexes;
    }
}

/// Whether an index begins with a column, or with an expression that contains it. A scan of any other
/// index would read the entries of all owners before the wall is checked.
///
/// # Safety
/// `index` must be one that the planner knows.
unsafe fn begins_with(index: *mut pg_sys::IndexOptInfo, column: pg_sys::AttrNumber) -> bool {
    // SAFETY: as promised by the caller: it has at least one column, and an expression for each that is none of the table's.
    unsafe {
        if (*index).nkeycolumns < 1 {
            return false;
        }
        match *(*index).indexkeys {
            0 => {
                let mut columns = std::ptr::null_mut();
                let Some(expression) = members::<pg_sys::Node>((*index).indexprs).next() else {
                    return false;
                };
                pg_sys::pull_varattnos(expression, (*(*index).rel).relid, &mut columns);
                pg_sys::bms_is_member(i32::from(column) - pg_sys::FirstLowInvalidHeapAttributeNumber, columns)
            }
            first => first == i32::from(column),
        }
    }
}

/// Whether a table is walled: then these are all the statistics of its column that the planner sees.
///
/// # Safety
/// `entry` must be of a table that the planner has locked, and `asked` be where it wants to know.
pub unsafe fn relation_stats(
    entry: *mut pg_sys::RangeTblEntry,
    column: pg_sys::AttrNumber,
    asked: *mut pg_sys::VariableStatData,
) -> bool {
    // SAFETY: as promised by the caller.
    unsafe {
        if (*entry).rtekind == pg_sys::RTEKind::RTE_RELATION
            && let Some(wall) = policy::in_force((*entry).relid)
        {
            let rows = rows_of_owner((*entry).relid);
            let distinct = if column == wall.column {
                Some(OWNERS)
            } else if policy::is_of_project((*entry).relid, column) {
                Some(PROJECTS)
            } else {
                // The wall's own share counts already: in an owner's rows such a value is there once.
                is_unique_within_owner((*asked).rel, wall.column, column).then_some(rows)
            };
            if let Some(distinct) = distinct {
                (*asked).statsTuple = statistics_of(distinct as u32);
                (*asked).freefunc = Some(keep);
            }
            return true;
        }
        false
    }
}

/// Whether there is a unique index of the wall's column and this one.
///
/// # Safety
/// `relation` must be NULL, or what the planner knows of the table.
unsafe fn is_unique_within_owner(
    relation: *mut pg_sys::RelOptInfo,
    wall: pg_sys::AttrNumber,
    column: pg_sys::AttrNumber,
) -> bool {
    // SAFETY: as promised by the caller; an index has `nkeycolumns` keys.
    unsafe {
        !relation.is_null()
            && members::<pg_sys::IndexOptInfo>((*relation).indexlist).any(|index| {
                let keys = std::slice::from_raw_parts((*index).indexkeys, (*index).nkeycolumns as usize);
                (*index).unique && (*index).indpred.is_null() && keys == [i32::from(wall), i32::from(column)]
            })
    }
}

/// Whether an index is one of a walled table: of its expressions the planner sees no statistics.
///
/// # Safety
/// `index` must be one of a table that the planner has locked.
pub unsafe fn hides_index_stats(index: pg_sys::Oid) -> bool {
    // SAFETY: as promised by the caller.
    unsafe {
        let table = pg_sys::IndexGetRelation(index, true);
        table != pg_sys::InvalidOid && policy::in_force(table).is_some()
    }
}

/// How wide the values of a column of a walled table are taken to be: as its type says.
///
/// # Safety
/// `table` must be one that the planner has locked.
pub unsafe fn average_width(table: pg_sys::Oid, column: pg_sys::AttrNumber) -> Option<i32> {
    // SAFETY: as promised by the caller, who names a column of it.
    unsafe {
        policy::in_force(table)?;
        let (mut kind, mut modifier, mut collation) = (pg_sys::InvalidOid, -1, pg_sys::InvalidOid);
        pg_sys::get_atttypetypmodcoll(table, column, &mut kind, &mut modifier, &mut collation);
        Some(pg_sys::get_typavgwidth(kind, modifier))
    }
}

/// A row of table pg_statistic that tells the number of distinct values, and nothing else. Made once for each number.
///
/// # Safety
/// In a transaction.
unsafe fn statistics_of(distinct: u32) -> pg_sys::HeapTuple {
    if let Some(known) = STATISTICS.with(|made| made.borrow().get(&distinct).copied()) {
        return known;
    }
    // SAFETY: the relation is open while its descriptor is used. The columns up to the number of distinct values cannot be NULL, nor can
    // the numbers of kinds, operators and collations behind it; zero is valid for each. The row is allocated where nothing frees it.
    let row = unsafe {
        let relation = pg_sys::table_open(pg_sys::StatisticRelationId, pg_sys::AccessShareLock as _);
        let descriptor = (*relation).rd_att;
        let width = (*descriptor).natts as usize;
        let mut values = vec![pg_sys::Datum::from(0_usize); width];
        let mut nulls = vec![false; width];
        let first_list = pg_sys::Anum_pg_statistic_stanumbers1 as usize - 1;
        nulls.iter_mut().skip(first_list).for_each(|null| *null = true);
        if let Some(value) = values.get_mut(pg_sys::Anum_pg_statistic_stadistinct as usize - 1) {
            *value = pg_sys::Datum::from(f32::to_bits(distinct as f32));
        }
        let before = pg_sys::MemoryContextSwitchTo(pg_sys::TopMemoryContext);
        let row = pg_sys::heap_form_tuple(descriptor, values.as_mut_ptr(), nulls.as_mut_ptr());
        pg_sys::MemoryContextSwitchTo(before);
        pg_sys::table_close(relation, pg_sys::AccessShareLock as _);
        row
    };
    STATISTICS.with(|made| made.borrow_mut().insert(distinct, row));
    row
}

/// What the planner frees statistics with: these are kept.
#[pg_guard]
unsafe extern "C-unwind" fn keep(_row: pg_sys::HeapTuple) {}
