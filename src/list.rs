//! PostgreSQL's lists.

use pgrx::pg_sys;

/// What a list points at.
///
/// # Safety
/// `list` must be NULL, or a list of pointers to `T` that lives as long as the iterator.
pub unsafe fn members<T>(list: *mut pg_sys::List) -> impl Iterator<Item = *mut T> {
    // SAFETY: as promised by the caller: an array of cells, `length` long.
    unsafe {
        let count = if list.is_null() { 0 } else { (*list).length as usize };
        (0..count).map(move |n| (*(*list).elements.add(n)).ptr_value.cast())
    }
}
