//! The server's log: errors are reworded, secrets hidden, and each line tells which owner it is about (`ringfence.log_owner`).

use crate::pg::copied_text;
use crate::{secret, session, wording};
use pgrx::guc::{GucContext, GucFlags, GucRegistry, GucSetting};
use pgrx::pg_sys;
use std::cell::Cell;
use std::ffi::{CStr, CString};

static LOG_OWNER: GucSetting<bool> = GucSetting::<bool>::new(false);

thread_local! {
    static PREVIOUS_HOOK: Cell<pg_sys::emit_log_hook_type> = const { Cell::new(None) };
}

/// Defines `ringfence.log_owner`, and asks to see what is logged. For `_PG_init`.
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
    // SAFETY: _PG_init runs once per process; the hook before is kept and called.
    unsafe {
        PREVIOUS_HOOK.set(pg_sys::emit_log_hook);
        pg_sys::emit_log_hook = Some(emit_log);
    }
}

// A plain frame (see `pg`): it runs inside of PostgreSQL's reporting of errors, which must not be disturbed.
#[allow(ffi_unwind_calls)]
unsafe extern "C-unwind" fn emit_log(report: *mut pg_sys::ErrorData) {
    // A failure here must not become an error while one is being reported; what cannot be masked is not shown.
    // SAFETY: PostgreSQL passes the report that it is about to write.
    if std::panic::catch_unwind(|| unsafe { edit(report) }).is_err() {
        // SAFETY: as above.
        unsafe { (*report).hide_stmt = true };
    }
    if let Some(previous) = PREVIOUS_HOOK.get() {
        // SAFETY: the hook that was there before, called as PostgreSQL would.
        unsafe { previous(report) };
    }
}

/// # Safety
/// `report` must be a report that is about to be written; its texts are NULL or NUL-terminated strings.
unsafe fn edit(report: *mut pg_sys::ErrorData) {
    // SAFETY: as promised by the caller. The texts are replaced by copies in the memory context of the report.
    unsafe {
        wording::improve(report);
        secret::hide(report);
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
