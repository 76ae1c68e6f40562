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

/// How many rows the index has for the probe, more or less: those that are not visible any more are counted, and what shares
/// a page of a large set is not told apart. None where there is no such index.
pub fn count(probe: &Probe) -> Option<u64> {
    let index = catalog::table_oid(c"customer_search");
    if index == pg_sys::InvalidOid {
        return None;
    }
    // SAFETY: the index is open and locked while it is scanned, with one key that lives through the scan, for the operator that
    // its class has; GIN looks at nothing else of the key. What is allocated or open when PostgreSQL raises an error, it frees.
    unsafe {
        let relation = pg_sys::index_open(index, pg_sys::AccessShareLock as _);
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
        pg_sys::index_close(relation, pg_sys::AccessShareLock as _);
        u64::try_from(count).ok()
    }
}
