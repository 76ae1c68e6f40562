//! The server's log. Errors are reworded, secrets are hidden, and each line says which owner it is
//! about (`ringfence.log_owner`).

use crate::pg::copied_text;
use crate::{secret, session, wording};
use pgrx::guc::{GucContext, GucFlags, GucRegistry, GucSetting};
use pgrx::pg_sys;
use std::ffi::{CStr, CString};

static LOG_OWNER: GucSetting<bool> = GucSetting::<bool>::new(false);

/// Defines `ringfence.log_owner`. For `_PG_init`.
pub fn init() {
    GucRegistry::define_bool_guc(
        c"ringfence.log_owner",
        c"Adds the owner that the session works for to each line of the server's log.",
        c"It is added to the DETAIL of the line, in the log alone: the client does not see it.",
        &LOG_OWNER,
        GucContext::Suset,
        GucFlags::empty(),
    );
    secret::warn_of_preload_order();
}

/// Edits a report that is about to be logged and sent to the client.
///
/// # Safety
/// `report` must be a report that is about to be written; its texts are NULL or NUL-terminated strings.
pub unsafe fn edit(report: *mut pg_sys::ErrorData) {
    // SAFETY: as promised by the caller. The texts are replaced by copies in the memory context of the report.
    unsafe {
        wording::improve(report);
        secret::hide(report);
        keep_sorts_from_client(report);
        if LOG_OWNER.get()
            && let Some(owner) = session::owner_to_log()
        {
            let detail = if (*report).detail_log.is_null() { (*report).detail } else { (*report).detail_log };
            let mut lines = Vec::new();
            if !detail.is_null() {
                let detail = CStr::from_ptr(detail).to_bytes();
                if lines.try_reserve(detail.len() + owner.len() + 1).is_err() {
                    return;
                }
                lines.extend_from_slice(detail);
                lines.push(b'\n');
            }
            lines.extend(owner.bytes());
            if let Some(lines) = CString::new(lines).ok().and_then(|lines| copied_text(&lines)) {
                (*report).detail_log = lines;
            }
        }
    }
}

/// `trace_sort`, which every role may set, tells how much memory a sort took: see `wall::memory`. It stays in the log.
///
/// # Safety
/// As [`edit`].
unsafe fn keep_sorts_from_client(report: *mut pg_sys::ErrorData) {
    // SAFETY: as promised by the caller: the name of a file of PostgreSQL's source.
    unsafe {
        if (*report).elevel == pg_sys::LOG as i32
            && !(*report).filename.is_null()
            && CStr::from_ptr((*report).filename).to_bytes().starts_with(b"tuplesort")
        {
            (*report).output_to_client = false;
        }
    }
}
