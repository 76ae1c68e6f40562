//! What is asked of the search index itself: how many entries it has for a probe. That is no result, nor any part of one: it
//! tells only by which way a search goes, of the session's own owner, whose keys alone a probe holds. Every row
//! that a search returns comes from under row-level security (`rows`).

use super::value::Probe;
use crate::catalog;
use pgrx::pg_sys;

/// The matching strategy of `ringfence.search_keys_ops`.
const MATCHES: u16 = 1;

/// Bytes of memory for a set of places in the table; a larger set is kept by pages, and counts for less than it is.
const SET_BYTES: usize = 4 << 20;

/// Runs `work` with the index, open and locked. None where it was dropped, or what has its name is no
/// GIN index over `ringfence.search_keys`.
pub fn with<T>(work: impl FnOnce(pg_sys::Relation) -> T) -> Option<T> {
    let index = catalog::table_oid(c"customer_search");
    if index == pg_sys::InvalidOid {
        return None;
    }
    // SAFETY: NULL, or open and locked until it is closed; the relation of an index has a form in pg_index, and as many types as
    // columns. What is open when PostgreSQL raises an error, it closes.
    unsafe {
        let lock = pg_sys::AccessShareLock as pg_sys::LOCKMODE;
        let relation = pg_sys::try_relation_open(index, lock);
        if relation.is_null() {
            return None;
        }
        let is_it = (*(*relation).rd_rel).relkind as u8 == pg_sys::RELKIND_INDEX
            && (*(*relation).rd_rel).relam == pg_sys::GIN_AM_OID
            && *(*relation).rd_opcintype == catalog::type_oid(c"search_keys");
        let result = is_it.then(|| work(relation));
        pg_sys::relation_close(relation, lock);
        result
    }
}

/// How many rows the index has for the probe, more or less: those that are not visible any more are counted, and what shares
/// a page of a large set is not told apart. None where there is no such index.
pub fn count(probe: &Probe) -> Option<u64> {
    // SAFETY: the index is open and locked while it is scanned, with one key that lives through the scan, for the operator that
    // its class has; GIN looks at nothing else of the key. What is allocated when PostgreSQL raises an error, it frees.
    with(|relation| unsafe {
        // While it is built, and after that has failed, it need not hold all, nor have any pages.
        if !(*(*relation).rd_index).indisvalid {
            return None;
        }
        let mut key = pg_sys::ScanKeyData { sk_attno: 1, sk_strategy: MATCHES, ..Default::default() };
        key.sk_argument = probe.datum();
        #[cfg(not(feature = "pg18"))]
        let scan = pg_sys::index_beginscan_bitmap(relation, pg_sys::GetActiveSnapshot(), 1);
        #[cfg(feature = "pg18")]
        let scan = pg_sys::index_beginscan_bitmap(relation, pg_sys::GetActiveSnapshot(), std::ptr::null_mut(), 1);
        pg_sys::index_rescan(scan, &mut key, 1, std::ptr::null_mut(), 0);
        let places = pg_sys::tbm_create(SET_BYTES as _, std::ptr::null_mut());
        let count = pg_sys::index_getbitmap(scan, places);
        pg_sys::tbm_free(places);
        pg_sys::index_endscan(scan);
        u64::try_from(count).ok()
    })?
}
