//! EXPLAIN ANALYZE does not show how much memory a query of walled tables took. Rows carry the stored
//! values of all fields up to where a view picks those that the session sees, so that the memory of a
//! sort would tell how long a masked value is.

use pgrx::pg_sys;

/// Removes the use of memory and disk from the counts of a node.
///
/// # Safety
/// `state` must be a node of a query that has been executed to its end, and will only be shown and
/// ended.
pub unsafe fn hide(state: *mut pg_sys::PlanState) {
    // SAFETY: as promised by the caller; the tag tells which node it is. What is shared with workers is
    // either absent or a copy that belongs to the query.
    unsafe {
        match (*state).type_ {
            pg_sys::NodeTag::T_SortState => {
                let sort = &mut *state.cast::<pg_sys::SortState>();
                sort.sort_Done = false;
                no_workers(sort.shared_info.as_mut().map(|shared| &mut shared.num_workers));
            }
            pg_sys::NodeTag::T_IncrementalSortState => {
                let sort = &mut *state.cast::<pg_sys::IncrementalSortState>();
                sort.incsort_info = pg_sys::IncrementalSortInfo::default();
                no_workers(sort.shared_info.as_mut().map(|shared| &mut shared.num_workers));
            }
            pg_sys::NodeTag::T_HashState => {
                let hash = &mut *state.cast::<pg_sys::HashState>();
                if let Some(counts) = hash.hinstrument.as_mut() {
                    *counts = pg_sys::HashInstrumentation::default();
                }
                no_workers(hash.shared_info.as_mut().map(|shared| &mut shared.num_workers));
            }
            pg_sys::NodeTag::T_AggState => {
                let aggregate = &mut *state.cast::<pg_sys::AggState>();
                aggregate.hash_mem_peak = 0;
                aggregate.hash_disk_used = 0;
                aggregate.hash_batches_used = 0;
                no_workers(aggregate.shared_info.as_mut().map(|shared| &mut shared.num_workers));
            }
            pg_sys::NodeTag::T_MemoizeState => {
                let memoize = &mut *state.cast::<pg_sys::MemoizeState>();
                memoize.stats = pg_sys::MemoizeInstrumentation::default();
                no_workers(memoize.shared_info.as_mut().map(|shared| &mut shared.num_workers));
            }
            #[cfg(feature = "pg18")]
            pg_sys::NodeTag::T_MaterialState => {
                end_store(&mut (*state.cast::<pg_sys::MaterialState>()).tuplestorestate)
            }
            #[cfg(feature = "pg18")]
            pg_sys::NodeTag::T_WindowAggState => end_store(&mut (*state.cast::<pg_sys::WindowAggState>()).buffer),
            _ => (),
        }
    }
}

/// EXPLAIN shows the counts of workers beside those of the leader.
fn no_workers(count: Option<&mut i32>) {
    if let Some(count) = count {
        *count = 0;
    }
}

/// A store of rows keeps the most that it took to itself: it is ended before it is shown. The nodes
/// end only a store that is there.
///
/// # Safety
/// Nobody may read rows of the store any more.
#[cfg(feature = "pg18")]
unsafe fn end_store(store: &mut *mut pg_sys::Tuplestorestate) {
    let ended = std::mem::replace(store, std::ptr::null_mut());
    if !ended.is_null() {
        // SAFETY: as promised by the caller.
        unsafe { pg_sys::tuplestore_end(ended) };
    }
}
