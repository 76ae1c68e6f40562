//! Questions to the search index itself: where it has customers for a probe, and whether they are
//! few or many. A probe has only keys of the session's own owner. The answers decide how a search
//! goes on. Every row that a search returns is read under row-level security (`rows`).

use super::access_method;
use super::copying;
use super::posting::Index;
use super::scan::{self, Latest, Lookup};
use crate::catalog;
use crate::error::Result;
use crate::search::key::long_word::WordEnd;
use crate::search::place::{BEGIN, END, Place};
use crate::search::value::Probe;
use pgrx::pg_sys;

/// Runs `work` with the index, open and locked. None if there is no such index: it was dropped, or
/// its name belongs to something else than an index of our access method over
/// `ringfence.search_keys`.
pub fn with<T>(work: impl FnOnce(pg_sys::Relation) -> T) -> Option<T> {
    let index = catalog::table_oid(c"customer_search");
    if index == pg_sys::InvalidOid {
        return None;
    }
    // SAFETY: the relation is NULL, or open and locked until it is closed; if PostgreSQL raises an
    // error, it closes it. The relation of an index has a row of pg_index, and as many types as
    // columns.
    unsafe {
        let lock = pg_sys::AccessShareLock as pg_sys::LOCKMODE;
        let relation = pg_sys::try_relation_open(index, lock);
        if relation.is_null() {
            return None;
        }
        let is_it = (*(*relation).rd_rel).relkind as u8 == pg_sys::RELKIND_INDEX
            && access_method::is_ours(relation)
            && *(*relation).rd_opcintype == catalog::type_oid(c"search_keys");
        let result = is_it.then(|| work(relation));
        pg_sys::relation_close(relation, lock);
        result
    }
}

/// Counts a search as one scan of the index. It may have asked the index several times, but how
/// often depends on what other owners have in it.
pub fn count_search() {
    // SAFETY: the index is open.
    with(|relation| unsafe { access_method::count_scan(relation) });
}

// In all of these None means that there is no such index. Error XX002: the index is damaged.

/// Where the index has customers for a probe, if they are at most `most`.
pub fn look_up(probe: &Probe, most: usize) -> Result<Option<Lookup>> {
    read(|index| scan::look_up(index, probe, most))
}

/// The first key of a range that the index has.
pub fn first_key(first: i64, last: i64) -> Result<Option<Option<i64>>> {
    read(|index| index.first_key(first, last))
}

/// Which of the sorted places belong to the keys from `first` to `last`; see [`scan::latest`].
pub fn latest(first: i64, last: i64, places: &[Place], wanted: usize, most: usize) -> Result<Option<Latest>> {
    read(|index| scan::latest(index, first, last, places, wanted, most))
}

/// A long word that the index has, by one of its keys.
pub struct LongWord {
    pub key: i64,
    pub mark: i64,
    /// The place of a customer that has the word.
    pub place: Place,
}

impl LongWord {
    /// The same for all keys of a word. Hardly any two words have the same.
    pub fn identity(&self) -> (i64, Place) {
        (self.mark, self.place)
    }
}

/// The long words that the index has with one of these beginnings or endings, and with a wanted
/// mark.
pub fn long_words(ends: &[WordEnd], is_wanted: impl Fn(i64) -> bool) -> Result<Option<Vec<LongWord>>> {
    read(|index| {
        let mut words = Vec::new();
        for end in ends {
            let (first, last) = end.range();
            for (key, mut posting) in index.range_where(first, last, usize::MAX, |key| is_wanted(end.mark_of(key)))? {
                let word = LongWord { key, mark: end.mark_of(key), place: posting.seek(BEGIN + 1) };
                words.extend(Some(word).filter(|word| word.place != END));
            }
        }
        index.check()?;
        Ok(words)
    })
}

fn read<T>(work: impl FnOnce(&Index) -> Result<T>) -> Result<Option<T>> {
    copying::write_waiting();
    // SAFETY: the index is open and locked, and the snapshot held, for as long as the index is
    // scanned.
    let found = with(|relation| unsafe {
        let index = may_be_read(relation).then(|| Index::new(relation, pg_sys::GetActiveSnapshot()));
        index.map(|index| work(&index))
    });
    found.flatten().transpose()
}

/// Whether the index has all rows that this transaction may see. PostgreSQL's planner asks the same
/// (`get_relation_info()`). An index that is being built, or could not be built, may lack rows. If
/// rows were changed while it was built, it lacks their older versions, which older snapshots see.
///
/// # Safety
/// `relation` must be an open index.
unsafe fn may_be_read(relation: pg_sys::Relation) -> bool {
    // SAFETY: as promised by the caller; an open index has its row of pg_index. A variable of the
    // backend.
    unsafe {
        let form = (*relation).rd_index;
        if !(*form).indisvalid || !(*form).indcheckxmin {
            return (*form).indisvalid;
        }
        let header = (*(*relation).rd_indextuple).t_data;
        let is_frozen = u32::from((*header).t_infomask) & pg_sys::HEAP_XMIN_FROZEN == pg_sys::HEAP_XMIN_FROZEN;
        is_frozen || pg_sys::TransactionIdPrecedes((*header).t_choice.t_heap.t_xmin, pg_sys::TransactionXmin)
    }
}
