//! Whether the installation is as it was made: what only the library knows of that.

use pgrx::{pg_extern, pg_sys};
use std::cell::Cell;
use std::ffi::CStr;

thread_local! {
    /// Whether the server loaded the library when it started.
    static SHARED: Cell<bool> = const { Cell::new(false) };
}

/// For `_PG_init`.
pub fn init() {
    // SAFETY: reads a variable of the postmaster; backends inherit what was noted here.
    SHARED.set(unsafe { pg_sys::process_shared_preload_libraries_in_progress });
}

/// The version of the library.
#[pg_extern(sql = false)]
fn ringfence_version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// The setting that loads the library before the first statement of a session. In C, since only some roles may read the settings.
#[pg_extern(sql = false)]
fn preloaded_by() -> Option<&'static str> {
    if SHARED.get() {
        return Some("shared_preload_libraries");
    }
    // SAFETY: the value of a setting that PostgreSQL defines: NULL or NUL-terminated, read at once.
    let names = unsafe {
        let names = pg_sys::session_preload_libraries_string;
        if names.is_null() { c"" } else { CStr::from_ptr(names) }
    };
    let names = names.to_string_lossy();
    let mut names = names.split(',').map(|name| name.trim().trim_matches('"'));
    names.any(|name| name == "ringfence" || name == "$libdir/ringfence").then_some("session_preload_libraries")
}
