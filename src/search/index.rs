//! What is asked of the search index itself: whether it has few or many entries for a probe, and where. Of the session's own owner, whose
//! keys alone a probe holds. It tells by which way a search goes; every row that a search returns comes from under row-level
//! security (`rows`).

use super::access_method;
use super::copying;
use super::key::WithEnd;
use super::posting::{ALL, BEGIN, END, Index, Place};
use super::scan::{self, Found, Latest};
use super::value::Probe;
use crate::catalog;
use crate::error::Result;
use pgrx::pg_sys;

/// Runs `work` with the index, open and locked. None where it was dropped, or what has its name is no index of our access method over
/// `ringfence.search_keys`.
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
            && access_method::is_ours(relation)
            && *(*relation).rd_opcintype == catalog::type_oid(c"search_keys");
        let result = is_it.then(|| work(relation));
        pg_sys::relation_close(relation, lock);
        result
    }
}

/// Counts a search as one scan of the index, however often it was asked: that depends on what others have left there.
pub fn count_search() {
    // SAFETY: the index is open.
    with(|relation| unsafe { access_method::count_scan(relation) });
}

/// What the index has for the probe, if it is not more than so much. None where there is no such index. Error XX002 if it is damaged.
pub fn few(probe: &Probe, most: usize) -> Result<Option<Found>> {
    read(|index| scan::few(index, probe, most))
}

/// The first of the keys from one to another that the index has. None where there is no such index. Error XX002 if it is damaged.
pub fn first_key(first: i64, last: i64) -> Result<Option<Option<i64>>> {
    read(|index| index.first_key(first, last))
}

/// Which of the sorted places the keys from one to another have: from the first key on until these are so many, or it is to be expected that
/// more than so many places would have to be looked at for the rest. None where there is no such index. Error XX002 if it is damaged.
pub fn latest(first: i64, last: i64, places: &[Place], wanted: usize, most: usize) -> Result<Option<Latest>> {
    read(|index| scan::latest(index, first, last, places, wanted, most))
}

/// A longer word that the index has, by one of its keys.
pub struct LongWord {
    pub key: i64,
    pub mark: i64,
    /// Of somebody who has it.
    pub place: Place,
}

impl LongWord {
    /// The same for all keys of a word, and another for hardly any two.
    pub fn identity(&self) -> (i64, Place) {
        (self.mark, self.place)
    }
}

/// The longer words that the index has with these ends, and whose marks are wanted. None where there is no such index. Error XX002 if it is
/// damaged.
pub fn long_words(ends: &[WithEnd], is_wanted: impl Fn(i64) -> bool) -> Result<Option<Vec<LongWord>>> {
    read(|index| {
        let mut words = Vec::new();
        for end in ends {
            let (first, last) = end.range();
            for (key, mut posting) in index.range_of(first, last, ALL, |key| is_wanted(end.mark_of(key)))? {
                let word = LongWord { key, mark: end.mark_of(key), place: posting.seek(BEGIN + 1) };
                words.extend(Some(word).filter(|word| word.place != END));
            }
        }
        index.check()?;
        Ok(words)
    })
}

fn read<T>(work: impl FnOnce(&Index) -> Result<T>) -> Result<Option<T>> {
    copying::put_in();
    // SAFETY: the index is open and locked, and the snapshot held, as long as it is scanned.
    let found = with(|relation| unsafe {
        let index = may_be_read(relation).then(|| Index::new(relation, pg_sys::GetActiveSnapshot()));
        index.map(|index| work(&index))
    });
    found.flatten().transpose()
}

/// Whether the index holds all that this transaction may see, as PostgreSQL's planner asks it (`get_relation_info()`): while it is built, and
/// after that has failed, it need not; nor, where a row was changed while it was built, what older snapshots see of that.
///
/// # Safety
/// `relation` must be an open index.
unsafe fn may_be_read(relation: pg_sys::Relation) -> bool {
    // SAFETY: as promised by the caller: its row in pg_index is kept with it. A variable of the backend.
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
