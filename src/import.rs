//! Imports: what others see of how far one is.

use pgrx::prelude::*;

/// Shows in `pg_stat_progress_copy` how many rows of a relation are imported. Said again and again: where a row is refused PostgreSQL forgets it.
#[pg_extern(sql = false)]
fn show_import_progress(relation: pg_sys::Oid, rows: i64) {
    // SAFETY: sets counters of the backend's own entry. PostgreSQL takes the entry back when the transaction or the command ends.
    unsafe {
        pg_sys::pgstat_progress_start_command(pg_sys::ProgressCommandType::PROGRESS_COMMAND_COPY, relation);
        pg_sys::pgstat_progress_update_param(pg_sys::PROGRESS_COPY_TUPLES_PROCESSED as _, rows);
    }
}

/// The import is over.
#[pg_extern(sql = false)]
fn end_import_progress() {
    // SAFETY: as above.
    unsafe { pg_sys::pgstat_progress_end_command() }
}
