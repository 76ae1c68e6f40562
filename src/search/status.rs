//! The size of the search index, for whoever maintains the installation.

use super::gin::index;
use crate::error::{self, ErrorReport, Result};
use crate::role;
use pgrx::pg_sys;
use pgrx::prelude::*;

/// The size and the pages of the search index, and PostgreSQL's estimate of its rows. They are of
/// all owners together. Error 42501 for others than `ringfence_admin`.
#[pg_extern(sql = false)]
fn search_status() -> Result<
    TableIterator<
        'static,
        (
            name!(index_bytes, i64),
            name!(table_bytes, i64),
            name!(rows, i64),
            name!(entry_pages, i64),
            name!(posting_pages, i64),
            name!(is_valid, bool),
        ),
    >,
    ErrorReport,
> {
    if !role::is_admin() {
        return Err(error::may_not_administer(&role::own_name()).into());
    }
    // SAFETY: index and table are open and locked while they are read; ginGetStats fills the
    // struct.
    let row = index::with(|relation| unsafe {
        let table = pg_sys::table_open((*(*relation).rd_index).indrelid, pg_sys::AccessShareLock as _);
        let mut pages = pg_sys::GinStatsData::default();
        let is_valid = (*(*relation).rd_index).indisvalid;
        if is_valid {
            pg_sys::ginGetStats(relation, &mut pages);
        }
        let bytes = |relation: pg_sys::Relation| {
            let blocks = pg_sys::RelationGetNumberOfBlocksInFork(relation, pg_sys::ForkNumber::MAIN_FORKNUM);
            i64::from(blocks) * i64::from(pg_sys::BLCKSZ)
        };
        let row = (
            bytes(relation),
            bytes(table),
            ((*(*table).rd_rel).reltuples as i64).max(0),
            i64::from(pages.nEntryPages),
            i64::from(pages.nDataPages),
            is_valid,
        );
        pg_sys::table_close(table, pg_sys::AccessShareLock as _);
        row
    });
    let row = row.ok_or_else(|| error::not_installed("index ringfence.customer_search"))?;
    Ok(TableIterator::once(row))
}
