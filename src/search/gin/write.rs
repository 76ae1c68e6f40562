//! Writes to a GIN index by PostgreSQL's own functions, which pgrx does not declare
//! (`access/gin_private.h`).

use crate::search::place::{RowAddress, item_pointer};
use pgrx::pg_sys;
use std::ffi::c_void;

mod unguarded {
    use pgrx::pg_sys;
    use std::ffi::c_void;

    // SAFETY: as they are declared in PostgreSQL 15 to 18.
    unsafe extern "C-unwind" {
        pub fn initGinState(state: *mut c_void, index: pg_sys::Relation);
        pub fn ginEntryInsert(
            state: *mut c_void,
            column: pg_sys::OffsetNumber,
            key: pg_sys::Datum,
            category: i8,
            items: *mut pg_sys::ItemPointerData,
            count: u32,
            statistics: *mut pg_sys::GinStatsData,
        );
        pub fn GinNewBuffer(index: pg_sys::Relation) -> pg_sys::Buffer;
        pub fn GinInitMetabuffer(buffer: pg_sys::Buffer);
        pub fn GinInitBuffer(buffer: pg_sys::Buffer, flags: u32);
    }
}

const LEAF: u32 = 1 << 1;

/// A key, and a row that has it.
pub type KeyedRow = (i64, RowAddress);

/// Sorted rows with keys, in slices of one key.
pub fn by_key(sorted: &[KeyedRow]) -> impl Iterator<Item = &[KeyedRow]> {
    sorted.chunk_by(|one, next| one.0 == next.0)
}

/// Makes the first two pages of an empty index: the page about the index, and the root of the tree
/// of keys.
///
/// # Safety
/// The index must be open, and nobody else use it.
#[allow(ffi_unwind_calls)]
pub unsafe fn create(index: pg_sys::Relation) {
    use unguarded::{GinInitBuffer, GinInitMetabuffer, GinNewBuffer};
    // SAFETY: as promised by the caller; both pages are locked until they are released. Under
    // pgrx's guard.
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

/// Writes rows into the posting lists of their keys. All rows of one key come in one slice, sorted.
///
/// # Safety
/// `index` must be an open index of this access method, and the rows be rows of its table.
/// `statistics` must be NULL, or to be counted: then the index is being built, and nothing is
/// logged.
#[allow(ffi_unwind_calls)]
pub unsafe fn write_keys<'a>(
    index: pg_sys::Relation,
    keys: impl Iterator<Item = &'a [KeyedRow]>,
    statistics: *mut pg_sys::GinStatsData,
) {
    // SAFETY: as promised by the caller. What is allocated is freed at the end, or by PostgreSQL
    // when it raises an error.
    unsafe {
        let writer = Writer::new(index, pg_sys::CurrentMemoryContext);
        let before = pg_sys::MemoryContextSwitchTo((*writer).memory);
        let mut rows = Vec::new();
        for of_key in keys {
            let Some((key, _)) = of_key.first() else { continue };
            rows.clear();
            rows.extend(of_key.iter().map(|(_, row)| item_pointer(*row)));
            pg_sys::ffi::pg_guard_ffi_boundary(|| (*writer).add(*key, &mut rows, statistics));
            pg_sys::MemoryContextReset((*writer).memory);
            pgrx::check_for_interrupts!();
        }
        pg_sys::MemoryContextSwitchTo(before);
        pg_sys::MemoryContextDelete((*writer).memory);
        pg_sys::pfree(writer.cast());
    }
}

/// What a statement that writes to an index keeps from row to row.
#[repr(C)]
pub struct Writer {
    /// The memory for one row.
    memory: pg_sys::MemoryContext,
    /// A `GinState`, which has 9.7 KiB in PostgreSQL 15 to 18.
    state: [u64; 4096],
}

impl Writer {
    /// # Safety
    /// `index` must stay open for as long as the writer is used. The writer lives in `context`.
    #[allow(ffi_unwind_calls)]
    pub unsafe fn new(index: pg_sys::Relation, context: pg_sys::MemoryContext) -> *mut Writer {
        // SAFETY: as promised by the caller; `state` has room for a `GinState`. Under pgrx's guard.
        unsafe {
            let before = pg_sys::MemoryContextSwitchTo(context);
            let writer: *mut Writer = pg_sys::palloc0(size_of::<Writer>()).cast();
            (*writer).memory = pg_sys::AllocSetContextCreateInternal(
                context,
                c"keys of a customer".as_ptr(),
                pg_sys::ALLOCSET_DEFAULT_MINSIZE as usize,
                pg_sys::ALLOCSET_DEFAULT_INITSIZE as usize,
                pg_sys::ALLOCSET_DEFAULT_MAXSIZE as usize,
            );
            pg_sys::ffi::pg_guard_ffi_boundary(|| unguarded::initGinState((*writer).state(), index));
            pg_sys::MemoryContextSwitchTo(before);
            writer
        }
    }

    /// Writes one row into the posting lists of its keys.
    ///
    /// # Safety
    /// The writer's index must be open, and the row be one of its table.
    #[allow(ffi_unwind_calls)]
    pub unsafe fn write_row(&mut self, keys: impl Iterator<Item = i64>, row: &mut pg_sys::ItemPointerData) {
        // SAFETY: as promised by the caller.
        unsafe {
            let before = pg_sys::MemoryContextSwitchTo(self.memory);
            // One guard for all keys: to write a key takes little longer than a guard does.
            pg_sys::ffi::pg_guard_ffi_boundary(|| {
                for key in keys {
                    self.add(key, std::slice::from_mut(row), std::ptr::null_mut());
                }
            });
            pg_sys::MemoryContextSwitchTo(before);
            pg_sys::MemoryContextReset(self.memory);
        }
    }

    /// Adds rows, which must be sorted, to the posting list of a key.
    ///
    /// # Safety
    /// As for [`write_keys`], and under pgrx's guard.
    #[allow(ffi_unwind_calls)]
    unsafe fn add(&mut self, key: i64, rows: &mut [pg_sys::ItemPointerData], statistics: *mut pg_sys::GinStatsData) {
        // SAFETY: as promised by the caller; `new` has initialised the state.
        unsafe {
            let count = rows.len() as u32;
            unguarded::ginEntryInsert(self.state(), 1, key.into(), 0, rows.as_mut_ptr(), count, statistics);
        }
    }

    fn state(&mut self) -> *mut c_void {
        (&raw mut self.state).cast()
    }
}
