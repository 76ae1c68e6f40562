//! The access method of the search index, `ringfence_search`: GIN, with a scan of its own (`scan`), and without a list of pending
//! entries, which every search would have to read, of whichever owner they are.
//!
//! What PostgreSQL's GIN does it does here too: building, vacuuming, splitting, writing WAL. The pages are GIN's.

use super::build::Collected;
use super::copying;
use super::planner;
use super::posting::{Index, block_and_line, item_pointer};
use super::scan;
use super::value::{Probe, SearchKeys};
use crate::error;
use crate::pg::version_1;
use pgrx::{FromDatum, PgLogLevel, pg_guard, pg_sys};
use std::ffi::{c_int, c_void};

/// PostgreSQL's functions for GIN indexes (`access/gin_private.h`), which pgrx does not declare.
mod gin {
    // All calls are under pgrx's guard.
    #![allow(ffi_unwind_calls)]

    use pgrx::pg_sys;
    use std::ffi::c_void;

    // SAFETY: as they are declared in PostgreSQL 15 to 18.
    unsafe extern "C-unwind" {
        fn initGinState(state: *mut c_void, index: pg_sys::Relation);
        fn ginEntryInsert(
            state: *mut c_void,
            column: pg_sys::OffsetNumber,
            key: pg_sys::Datum,
            category: i8,
            items: *mut pg_sys::ItemPointerData,
            count: u32,
            statistics: *mut pg_sys::GinStatsData,
        );
        fn GinNewBuffer(index: pg_sys::Relation) -> pg_sys::Buffer;
        fn GinInitMetabuffer(buffer: pg_sys::Buffer);
        fn GinInitBuffer(buffer: pg_sys::Buffer, flags: u32);
    }

    const LEAF: u32 = 1 << 1;

    /// Makes the first two pages of an index that has none: what there is to say of it, and the root of the tree of keys.
    ///
    /// # Safety
    /// The index must be open, and nobody else use it.
    pub unsafe fn begin(index: pg_sys::Relation) {
        // SAFETY: as promised by the caller; both pages are locked until they are released.
        unsafe {
            pg_sys::ffi::pg_guard_ffi_boundary(|| {
                let (meta, root) = (GinNewBuffer(index), GinNewBuffer(index));
                GinInitMetabuffer(meta);
                pg_sys::MarkBufferDirty(meta);
                GinInitBuffer(root, LEAF);
                pg_sys::MarkBufferDirty(root);
                pg_sys::UnlockReleaseBuffer(meta);
                pg_sys::UnlockReleaseBuffer(root);
            });
        }
    }

    /// # Safety
    /// The index must be open, and `state` have room for a `GinState`.
    pub unsafe fn init(state: *mut c_void, index: pg_sys::Relation) {
        // SAFETY: as promised by the caller.
        unsafe { pg_sys::ffi::pg_guard_ffi_boundary(|| initGinState(state, index)) }
    }

    /// Puts rows into the posting list of a key: they are sorted. With statistics the index is being built, and nothing of it logged.
    ///
    /// # Safety
    /// `state` must have been initialised, for an index that is open; the places be those of rows; the statistics NULL or to be counted.
    pub unsafe fn insert(
        state: *mut c_void,
        key: i64,
        places: &mut [pg_sys::ItemPointerData],
        statistics: *mut pg_sys::GinStatsData,
    ) {
        // SAFETY: as promised by the caller.
        unsafe { ginEntryInsert(state, 1, key.into(), 0, places.as_mut_ptr(), places.len() as u32, statistics) }
    }
}

/// The handler: `ringfence.search_access_method(internal)`.
///
/// # Safety
/// For PostgreSQL to call, as a function of version 1.
#[unsafe(no_mangle)]
#[pg_guard]
pub unsafe extern "C-unwind" fn search_access_method(_call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: GIN's handler takes no argument that counts, and returns a routine that was allocated for its caller.
    unsafe {
        let handled = pg_sys::OidFunctionCall1Coll(
            pg_sys::Oid::from(pg_sys::F_GINHANDLER),
            pg_sys::InvalidOid,
            pg_sys::Datum::null(),
        );
        // A copy: from PostgreSQL 19 on GIN's own is not to be written to.
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

/// Counts a scan of an index, as `pg_stat_user_indexes` shows it: an index that is never scanned looks as if it could be dropped.
///
/// # Safety
/// `index` must be an open index.
pub unsafe fn count_scan(index: pg_sys::Relation) {
    // SAFETY: as promised by the caller; statistics are kept for an open relation once they are associated with it.
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

/// What an index is built from.
struct Built {
    index: pg_sys::Relation,
    /// Entries that are not in the index yet.
    entries: Collected,
    count: f64,
    statistics: pg_sys::GinStatsData,
}

/// Builds an index: entries are collected as far as `maintenance_work_mem` goes (`build`), and put in. Error 53200 if there is not so much.
#[pg_guard]
#[allow(ffi_unwind_calls)]
unsafe extern "C-unwind" fn build(
    table: pg_sys::Relation,
    index: pg_sys::Relation,
    info: *mut pg_sys::IndexInfo,
) -> *mut pg_sys::IndexBuildResult {
    // SAFETY: PostgreSQL passes an open table, and an open index of it that nobody else uses yet; the callback is called while the table is
    // scanned.
    unsafe {
        if pg_sys::RelationGetNumberOfBlocksInFork(index, pg_sys::ForkNumber::MAIN_FORKNUM) != 0 {
            error::damaged_index().report(PgLogLevel::ERROR);
        }
        gin::begin(index);
        let bytes = usize::try_from(pg_sys::maintenance_work_mem).unwrap_or(0) * 1024;
        let statistics = pg_sys::GinStatsData { nEntryPages: 1, ..Default::default() };
        let entries = match Collected::in_memory(bytes) {
            Ok(entries) => entries,
            Err(failure) => {
                failure.report(PgLogLevel::ERROR);
                return std::ptr::null_mut();
            }
        };
        let mut built = Built { index, entries, count: 0.0, statistics };
        let scan = (*(*table).rd_tableam).index_build_range_scan;
        let rows = scan.map_or(0.0, |scan| {
            let all = pg_sys::InvalidBlockNumber;
            let state = (&raw mut built).cast();
            pg_sys::ffi::pg_guard_ffi_boundary(|| {
                scan(table, index, info, false, false, true, 0, all, Some(add_row), state, std::ptr::null_mut())
            })
        });
        built.put_in();
        built.statistics.nTotalPages = pg_sys::RelationGetNumberOfBlocksInFork(index, pg_sys::ForkNumber::MAIN_FORKNUM);
        pg_sys::ginUpdateStats(index, &built.statistics, true);
        if needs_wal(index) {
            let (fork, blocks) = (pg_sys::ForkNumber::MAIN_FORKNUM, built.statistics.nTotalPages);
            pg_sys::log_newpage_range(index, fork, 0, blocks, true);
        }
        let result: *mut pg_sys::IndexBuildResult = pg_sys::palloc0(size_of::<pg_sys::IndexBuildResult>()).cast();
        (*result).heap_tuples = rows;
        (*result).index_tuples = built.count;
        result
    }
}

impl Built {
    fn put_in(&mut self) {
        let (index, statistics) = (self.index, &mut self.statistics);
        // SAFETY: the index is open while it is built.
        let done = self.entries.put_in(|go| unsafe { put_in(index, go.iter().copied(), statistics) });
        done.unwrap_or_else(|failure| failure.report(PgLogLevel::ERROR));
    }
}

/// Adds a row to what an index is built from.
#[pg_guard]
unsafe extern "C-unwind" fn add_row(
    _index: pg_sys::Relation,
    place: pg_sys::ItemPointer,
    values: *mut pg_sys::Datum,
    nulls: *mut bool,
    _is_alive: bool,
    state: *mut c_void,
) {
    // SAFETY: PostgreSQL passes the state that the scan was given, and a row of the table with the value of the index's one column.
    unsafe {
        let built = &mut *state.cast::<Built>();
        let Some(keys) = SearchKeys::from_datum(*values, *nulls) else {
            return;
        };
        let row = block_and_line(&*place);
        built.count += keys.iter().count() as f64;
        match built.entries.add(keys.iter().map(|key| (key, row))) {
            Ok(false) => (),
            Ok(true) => built.put_in(),
            Err(failure) => failure.report(PgLogLevel::ERROR),
        }
    }
}

/// Whether changes to an index are logged, or the file is kept as a whole when the transaction commits (`utils/rel.h`).
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

/// What is kept from one row of a statement to the next.
#[repr(C)]
struct Inserter {
    /// Memory for one row.
    memory: pg_sys::MemoryContext,
    /// A `GinState`, which has 9.7 KiB in PostgreSQL 15 to 18.
    state: [u64; 4096],
}

/// Puts a customer's keys into the index, each at once. Nothing for a row without keys: no scan asks for those.
#[pg_guard]
#[allow(clippy::too_many_arguments)]
unsafe extern "C-unwind" fn insert(
    index: pg_sys::Relation,
    values: *mut pg_sys::Datum,
    nulls: *mut bool,
    place: pg_sys::ItemPointer,
    _table: pg_sys::Relation,
    _unique: pg_sys::IndexUniqueCheck::Type,
    _unchanged: bool,
    info: *mut pg_sys::IndexInfo,
) -> bool {
    // SAFETY: PostgreSQL passes an open index with the values of its one column, the place of their row, and where to keep something
    // as long as the statement runs.
    unsafe {
        let Some(keys) = SearchKeys::from_datum(*values, *nulls) else {
            return false;
        };
        if copying::wait(index, keys.iter(), block_and_line(&*place)) {
            return false;
        }
        if (*info).ii_AmCache.is_null() {
            (*info).ii_AmCache = Inserter::new(index, (*info).ii_Context).cast();
        }
        let inserter: *mut Inserter = (*info).ii_AmCache.cast();
        let before = pg_sys::MemoryContextSwitchTo((*inserter).memory);
        // One guard for all keys, each of which takes little longer than a guard does.
        pg_sys::ffi::pg_guard_ffi_boundary(|| {
            for key in keys.iter() {
                gin::insert((*inserter).state(), key, std::slice::from_mut(&mut *place), std::ptr::null_mut());
            }
        });
        pg_sys::MemoryContextSwitchTo(before);
        pg_sys::MemoryContextReset((*inserter).memory);
        false
    }
}

/// Puts entries into the index, of some keys, those of each sorted.
///
/// # Safety
/// `index` must be an open index of this access method, and the entries' rows be those of its table; `statistics` NULL, unless it is built.
pub unsafe fn put_in<'a>(
    index: pg_sys::Relation,
    keys: impl Iterator<Item = &'a [copying::Entry]>,
    statistics: *mut pg_sys::GinStatsData,
) {
    // SAFETY: as promised by the caller. What is allocated is freed at the end, or by PostgreSQL when it raises an error.
    unsafe {
        let inserter = Inserter::new(index, pg_sys::CurrentMemoryContext);
        let before = pg_sys::MemoryContextSwitchTo((*inserter).memory);
        let mut places = Vec::new();
        for of_key in keys {
            let Some((key, _)) = of_key.first() else { continue };
            places.clear();
            places.extend(of_key.iter().map(|(_, (block, line))| item_pointer(*block, *line)));
            pg_sys::ffi::pg_guard_ffi_boundary(|| gin::insert((*inserter).state(), *key, &mut places, statistics));
            pg_sys::MemoryContextReset((*inserter).memory);
            pgrx::check_for_interrupts!();
        }
        pg_sys::MemoryContextSwitchTo(before);
        pg_sys::MemoryContextDelete((*inserter).memory);
        pg_sys::pfree(inserter.cast());
    }
}

impl Inserter {
    /// # Safety
    /// `index` must be open; it lives in `context`.
    unsafe fn new(index: pg_sys::Relation, context: pg_sys::MemoryContext) -> *mut Inserter {
        // SAFETY: as promised by the caller.
        unsafe {
            let before = pg_sys::MemoryContextSwitchTo(context);
            let inserter: *mut Inserter = pg_sys::palloc0(size_of::<Inserter>()).cast();
            (*inserter).memory = pg_sys::AllocSetContextCreateInternal(
                context,
                c"keys of a customer".as_ptr(),
                pg_sys::ALLOCSET_DEFAULT_MINSIZE as usize,
                pg_sys::ALLOCSET_DEFAULT_INITSIZE as usize,
                pg_sys::ALLOCSET_DEFAULT_MAXSIZE as usize,
            );
            gin::init((*inserter).state(), index);
            pg_sys::MemoryContextSwitchTo(before);
            inserter
        }
    }

    fn state(&mut self) -> *mut c_void {
        (&raw mut self.state).cast()
    }
}

/// There are none: GIN's are about its list of pending entries. Error 22023.
#[pg_guard]
unsafe extern "C-unwind" fn options(options: pg_sys::Datum, validate: bool) -> *mut pg_sys::bytea {
    if validate && !options.is_null() {
        error::no_index_options().report(PgLogLevel::ERROR);
    }
    std::ptr::null_mut()
}

// Reading.

/// What a scan costs: always the same few pages, whoever asks for whatever, since only a look could tell, and EXPLAIN would show it.
/// PostgreSQL then goes by this index alone.
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
    // SAFETY: the planner passes where it wants to know them.
    unsafe {
        (*startup_cost, *total_cost) = (0.0, COST);
        (*selectivity, *correlation, *pages) = (super::opclass::SELECTIVITY, 0.0, COST);
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn begin_scan(index: pg_sys::Relation, keys: c_int, orders: c_int) -> pg_sys::IndexScanDesc {
    // SAFETY: PostgreSQL passes an open index, and how many conditions there are.
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
    // SAFETY: the scan has room for as many conditions as it was begun with. NULL: those that it has.
    unsafe {
        if !keys.is_null() && (*scan).numberOfKeys > 0 {
            std::ptr::copy(keys, (*scan).keyData, (*scan).numberOfKeys as usize);
        }
    }
}

/// All places that the conditions find, for each of which the query must be one that the session may use.
#[pg_guard]
unsafe extern "C-unwind" fn get_bitmap(scan: pg_sys::IndexScanDesc, bitmap: *mut pg_sys::TIDBitmap) -> i64 {
    // SAFETY: a scan of an open index, with conditions of the one operator that the class has; a bitmap to be filled.
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
    // A statement of search_customers() is not counted: the search is, once.
    if !planner::is_searching() {
        // SAFETY: as above.
        unsafe { count_scan((*scan).indexRelation) };
    }
    copying::put_in();
    let found = scan::all(&index, &conditions, |places| {
        // SAFETY: as above; the places are copied.
        unsafe { pg_sys::tbm_add_tuples(bitmap, places.as_mut_ptr(), places.len() as c_int, false) }
    });
    match found {
        Ok(count) => count as i64,
        Err(failure) => {
            failure.report(PgLogLevel::ERROR);
            0
        }
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn end_scan(_scan: pg_sys::IndexScanDesc) {}
