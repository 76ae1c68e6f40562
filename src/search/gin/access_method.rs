//! The access method of the search index, `ringfence_search`. It is GIN with a scan of its own
//! (`scan`), and without GIN's list of pending entries: every search would have to read the pending
//! entries of all owners.
//!
//! PostgreSQL's GIN does the rest: vacuuming, splitting pages, writing WAL. The pages are GIN's.

use super::build::Collected;
use super::copying;
use super::posting::Index;
use super::scan;
use super::write::{self, Writer};
use crate::error;
use crate::pg::version_1;
use crate::search::place::address_in;
use crate::search::planner;
use crate::search::value::{Probe, SearchKeys};
use pgrx::{FromDatum, PgLogLevel, pg_guard, pg_sys};
use std::ffi::{c_int, c_void};

/// The handler: `ringfence.search_access_method(internal)`.
///
/// # Safety
/// PostgreSQL calls it, by its calling convention version 1.
#[unsafe(no_mangle)]
#[pg_guard]
pub unsafe extern "C-unwind" fn search_access_method(_call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: GIN's handler ignores its argument, and returns a routine that is allocated for its
    // caller.
    unsafe {
        let handled = pg_sys::OidFunctionCall1Coll(
            pg_sys::Oid::from(pg_sys::F_GINHANDLER),
            pg_sys::InvalidOid,
            pg_sys::Datum::null(),
        );
        // A copy, because from PostgreSQL 19 on GIN's own routine is read-only.
        let routine: *mut pg_sys::IndexAmRoutine = pg_sys::palloc(size_of::<pg_sys::IndexAmRoutine>()).cast();
        routine.copy_from_nonoverlapping(handled.cast_mut_ptr(), 1);
        #[cfg(any(feature = "pg17", feature = "pg18"))]
        {
            (*routine).amcanbuildparallel = false;
        }
        (*routine).amcanmulticol = false;
        (*routine).amoptionalkey = false;
        (*routine).ambuild = Some(build);
        (*routine).aminsert = Some(insert);
        (*routine).amoptions = Some(options);
        (*routine).amcostestimate = Some(estimate_cost);
        (*routine).ambeginscan = Some(begin_scan);
        (*routine).amrescan = Some(rescan);
        (*routine).amgetbitmap = Some(get_bitmap);
        (*routine).amendscan = Some(end_scan);
        routine.into()
    }
}

version_1!(pg_finfo_search_access_method);

/// Whether an index is one of this access method.
///
/// # Safety
/// `relation` must be an open index.
pub unsafe fn is_ours(relation: pg_sys::Relation) -> bool {
    // SAFETY: as promised by the caller: an open index has its routine.
    unsafe {
        let routine = (*relation).rd_indam;
        !routine.is_null()
            && (*routine).amgetbitmap.is_some_and(|own| std::ptr::fn_addr_eq(own, get_bitmap as GetBitmap))
    }
}

/// Counts a scan of an index for `pg_stat_user_indexes`. Somebody might drop an index that is never
/// scanned.
///
/// # Safety
/// `index` must be an open index.
pub unsafe fn count_scan(index: pg_sys::Relation) {
    // SAFETY: as promised by the caller. An open relation has statistics once they are associated
    // with it.
    unsafe {
        if (*index).pgstat_info.is_null() && (*index).pgstat_enabled {
            pg_sys::pgstat_assoc_relation(index);
        }
        if let Some(statistics) = (*index).pgstat_info.as_mut() {
            #[cfg(feature = "pg15")]
            let scans = &mut statistics.t_counts.t_numscans;
            #[cfg(not(feature = "pg15"))]
            let scans = &mut statistics.counts.numscans;
            *scans += 1;
        }
    }
}

type GetBitmap = unsafe extern "C-unwind" fn(pg_sys::IndexScanDesc, *mut pg_sys::TIDBitmap) -> i64;

// Writing.

/// An index that is being built.
struct Building {
    index: pg_sys::Relation,
    /// The keys and rows that are not in the index yet.
    collected: Collected,
    count: f64,
    statistics: pg_sys::GinStatsData,
}

/// Builds an index. It collects keys in `maintenance_work_mem` ([`super::build`]), and writes them
/// whenever that is full. Error 53200 if the memory is not to be had.
#[pg_guard]
#[allow(ffi_unwind_calls)]
unsafe extern "C-unwind" fn build(
    table: pg_sys::Relation,
    index: pg_sys::Relation,
    info: *mut pg_sys::IndexInfo,
) -> *mut pg_sys::IndexBuildResult {
    // SAFETY: PostgreSQL passes an open table, and an open index of it that nobody else uses yet.
    // The callback is called while the table is scanned.
    unsafe {
        if pg_sys::RelationGetNumberOfBlocksInFork(index, pg_sys::ForkNumber::MAIN_FORKNUM) != 0 {
            error::damaged_index().report(PgLogLevel::ERROR);
        }
        write::create(index);
        let bytes = usize::try_from(pg_sys::maintenance_work_mem).unwrap_or(0) * 1024;
        let statistics = pg_sys::GinStatsData { nEntryPages: 1, ..Default::default() };
        let collected = error::raised(Collected::in_memory(bytes));
        let mut building = Building { index, collected, count: 0.0, statistics };
        let scan = (*(*table).rd_tableam).index_build_range_scan;
        let rows = scan.map_or(0.0, |scan| {
            let all = pg_sys::InvalidBlockNumber;
            let state = (&raw mut building).cast();
            pg_sys::ffi::pg_guard_ffi_boundary(|| {
                scan(table, index, info, false, false, true, 0, all, Some(add_row), state, std::ptr::null_mut())
            })
        });
        building.write_collected();
        building.statistics.nTotalPages =
            pg_sys::RelationGetNumberOfBlocksInFork(index, pg_sys::ForkNumber::MAIN_FORKNUM);
        pg_sys::ginUpdateStats(index, &building.statistics, true);
        if needs_wal(index) {
            let (fork, blocks) = (pg_sys::ForkNumber::MAIN_FORKNUM, building.statistics.nTotalPages);
            pg_sys::log_newpage_range(index, fork, 0, blocks, true);
        }
        let result: *mut pg_sys::IndexBuildResult = pg_sys::palloc0(size_of::<pg_sys::IndexBuildResult>()).cast();
        (*result).heap_tuples = rows;
        (*result).index_tuples = building.count;
        result
    }
}

impl Building {
    fn write_collected(&mut self) {
        let (index, statistics) = (self.index, &mut self.statistics);
        // SAFETY: the index is open while it is built.
        let done =
            self.collected.write_all(|keys| unsafe { write::write_keys(index, keys.iter().copied(), statistics) });
        error::raised(done);
    }
}

/// Adds a row to an index that is being built.
#[pg_guard]
unsafe extern "C-unwind" fn add_row(
    _index: pg_sys::Relation,
    row: pg_sys::ItemPointer,
    values: *mut pg_sys::Datum,
    nulls: *mut bool,
    _is_alive: bool,
    state: *mut c_void,
) {
    // SAFETY: PostgreSQL passes the state that the scan was given, a row of the table, and its
    // value for the index's one column.
    unsafe {
        let building = &mut *state.cast::<Building>();
        let Some(keys) = SearchKeys::from_datum(*values, *nulls) else {
            return;
        };
        let row = address_in(&*row);
        building.count += keys.iter().count() as f64;
        let is_full = error::raised(building.collected.add(keys.iter().map(|key| (key, row))));
        if is_full {
            building.write_collected();
        }
    }
}

/// Whether changes to an index are written to WAL (`utils/rel.h`). If not, the whole file is synced
/// when the transaction commits.
///
/// # Safety
/// `index` must be open.
unsafe fn needs_wal(index: pg_sys::Relation) -> bool {
    // SAFETY: as promised by the caller; a variable of the backend.
    unsafe {
        #[cfg(feature = "pg15")]
        let new_file = (*index).rd_firstRelfilenodeSubid;
        #[cfg(not(feature = "pg15"))]
        let new_file = (*index).rd_firstRelfilelocatorSubid;
        let is_new = (*index).rd_createSubid != 0 || new_file != 0;
        let archived = pg_sys::wal_level >= pg_sys::WalLevel::WAL_LEVEL_REPLICA as i32;
        (*(*index).rd_rel).relpersistence as u8 == pg_sys::RELPERSISTENCE_PERMANENT && (archived || !is_new)
    }
}

/// Writes a customer's keys into the index. A row without keys is not written, because no scan asks
/// for such rows.
#[pg_guard]
#[allow(clippy::too_many_arguments)]
unsafe extern "C-unwind" fn insert(
    index: pg_sys::Relation,
    values: *mut pg_sys::Datum,
    nulls: *mut bool,
    row: pg_sys::ItemPointer,
    _table: pg_sys::Relation,
    _unique: pg_sys::IndexUniqueCheck::Type,
    _unchanged: bool,
    info: *mut pg_sys::IndexInfo,
) -> bool {
    // SAFETY: PostgreSQL passes an open index, the values of its one column, the address of their
    // row, and a place to keep something as long as the statement runs.
    unsafe {
        let Some(keys) = SearchKeys::from_datum(*values, *nulls) else {
            return false;
        };
        if copying::wait(index, keys.iter(), address_in(&*row)) {
            return false;
        }
        if (*info).ii_AmCache.is_null() {
            (*info).ii_AmCache = Writer::new(index, (*info).ii_Context).cast();
        }
        let writer: *mut Writer = (*info).ii_AmCache.cast();
        (*writer).write_row(keys.iter(), &mut *row);
        false
    }
}

/// There are no options: GIN's are about its list of pending entries. Error 22023.
#[pg_guard]
unsafe extern "C-unwind" fn options(options: pg_sys::Datum, validate: bool) -> *mut pg_sys::bytea {
    if validate && !options.is_null() {
        error::no_index_options().report(PgLogLevel::ERROR);
    }
    std::ptr::null_mut()
}

// Reading.

/// The cost of a scan, in pages. It is the same for every query, because EXPLAIN shows it and must
/// not tell what the index has. It is low, so that the planner uses this index.
const COST: f64 = 4.0;

#[pg_guard]
#[allow(clippy::too_many_arguments)]
unsafe extern "C-unwind" fn estimate_cost(
    _root: *mut pg_sys::PlannerInfo,
    _path: *mut pg_sys::IndexPath,
    _loops: f64,
    startup_cost: *mut pg_sys::Cost,
    total_cost: *mut pg_sys::Cost,
    selectivity: *mut pg_sys::Selectivity,
    correlation: *mut f64,
    pages: *mut f64,
) {
    // SAFETY: the planner passes where it wants the results.
    unsafe {
        (*startup_cost, *total_cost) = (0.0, COST);
        (*selectivity, *correlation, *pages) = (crate::search::opclass::SELECTIVITY, 0.0, COST);
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn begin_scan(index: pg_sys::Relation, keys: c_int, orders: c_int) -> pg_sys::IndexScanDesc {
    // SAFETY: PostgreSQL passes an open index, and the number of conditions.
    unsafe { pg_sys::RelationGetIndexScan(index, keys, orders) }
}

#[pg_guard]
unsafe extern "C-unwind" fn rescan(
    scan: pg_sys::IndexScanDesc,
    keys: pg_sys::ScanKey,
    _count: c_int,
    _orders: pg_sys::ScanKey,
    _order_count: c_int,
) {
    // SAFETY: the scan has room for as many conditions as it began with. NULL means that they stay
    // as they are.
    unsafe {
        if !keys.is_null() && (*scan).numberOfKeys > 0 {
            std::ptr::copy(keys, (*scan).keyData, (*scan).numberOfKeys as usize);
        }
    }
}

/// Adds all rows that meet the conditions. None, if the session may not use one of the queries.
#[pg_guard]
unsafe extern "C-unwind" fn get_bitmap(scan: pg_sys::IndexScanDesc, bitmap: *mut pg_sys::TIDBitmap) -> i64 {
    // SAFETY: PostgreSQL passes a scan of an open index with conditions of the class's one
    // operator, and a bitmap.
    let (conditions, index) = unsafe {
        let count = usize::try_from((*scan).numberOfKeys).unwrap_or(0);
        let keys = std::slice::from_raw_parts((*scan).keyData, count);
        let conditions: Option<Vec<Probe>> = keys
            .iter()
            .map(|key| Probe::from_datum(key.sk_argument, key.sk_flags & pg_sys::SK_ISNULL as i32 != 0))
            .collect();
        (conditions.unwrap_or_default(), Index::new((*scan).indexRelation, (*scan).xs_snapshot))
    };
    if conditions.is_empty() || !conditions.iter().all(Probe::is_allowed) {
        return 0;
    }
    // A statement of search_customers() is not counted: the whole search is, once.
    if !planner::is_searching() {
        // SAFETY: as above.
        unsafe { count_scan((*scan).indexRelation) };
    }
    copying::write_waiting();
    let found = scan::all(&index, &conditions, |places| {
        // SAFETY: as above; PostgreSQL copies the places.
        unsafe { pg_sys::tbm_add_tuples(bitmap, places.as_mut_ptr(), places.len() as c_int, false) }
    });
    error::raised(found) as i64
}

#[pg_guard]
unsafe extern "C-unwind" fn end_scan(_scan: pg_sys::IndexScanDesc) {}
