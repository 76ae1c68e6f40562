//! Nobody is shown the tokens and keys that a client writes into a statement.
//!
//! PostgreSQL writes the text of statements to the log, to `pg_stat_activity`,
//! `pg_prepared_statements`, `pg_cursors` and `pg_stat_statements`. A token that is written into
//! the statement is in all of them. A token that is passed as a parameter is in none, unless
//! parameters are logged. So whatever looks like a token, and the arguments of functions that take
//! one, are masked before PostgreSQL writes them.

mod mask;

use crate::pg::{copied_text, statement_start};
use pgrx::{PgLogLevel, pg_sys};
use std::cell::Cell;
use std::ffi::{CStr, c_char};

thread_local! {
    /// The start of the last statement that passed a token or a key.
    static SECRET_STATEMENT: Cell<pg_sys::TimestampTz> = const { Cell::new(pg_sys::TimestampTz::MIN) };
}

/// Warns if pg_stat_statements would keep secrets. It sees the masked text of utility statements
/// only if it was loaded before this library. For `_PG_init`.
pub fn warn_of_preload_order() {
    // SAFETY: PostgreSQL keeps the setting at a valid C string or NULL.
    let listed = unsafe {
        if !pg_sys::process_shared_preload_libraries_in_progress || pg_sys::shared_preload_libraries_string.is_null() {
            return;
        }
        CStr::from_ptr(pg_sys::shared_preload_libraries_string).to_string_lossy()
    };
    let place = |library| listed.find(library);
    if place("pg_stat_statements") > place("ringfence") {
        crate::error::warn_of_preload_order();
    }
}

/// The current statement passes a token or a key. From now on the log shows none of its values.
pub fn statement_holds_secret() {
    SECRET_STATEMENT.set(statement_start());
    hide_activity(true);
}

/// Shows other sessions the statement of this session without its secrets, or with `values`,
/// without any of its values.
fn hide_activity(values: bool) {
    let Some(text) = statement().filter(|text| mask::has_secret(text.to_bytes(), values)) else {
        return;
    };
    // SAFETY: the copy is NUL-terminated and ours; PostgreSQL copies of it what it shows.
    unsafe {
        if let Some(copy) = copied_text(text) {
            mask::cover(bytes_of(copy), values);
            pg_sys::pgstat_report_activity(pg_sys::BackendState::STATE_RUNNING, copy);
            pg_sys::pfree(copy.cast());
        }
    }
}

/// The text that contains a utility statement, as others may see it. It has the same length, and
/// PostgreSQL's scanner finds the same words in it. None if the statement has nothing to hide. The
/// text lives as long as the memory context of the statement.
///
/// # Safety
/// `statement` must be a planned statement, and `text` NULL or the NUL-terminated string that it was read from.
pub unsafe fn without_secrets(statement: *mut pg_sys::PlannedStmt, text: *const c_char) -> Option<*const c_char> {
    if text.is_null() {
        return None;
    }
    // Only the statement's own part is masked, because a script of thousands of statements is one
    // text. But PREPARE and DECLARE keep the whole text.
    // SAFETY: as promised by the caller: location and length are those of the statement within the
    // text; a node's tag tells what it is.
    let own = unsafe {
        let node = (*statement).utilityStmt;
        let kept = !node.is_null()
            && [pg_sys::NodeTag::T_PrepareStmt, pg_sys::NodeTag::T_DeclareCursorStmt].contains(&(*node).type_);
        let start = text.add(usize::try_from((*statement).stmt_location).unwrap_or(0));
        match usize::try_from((*statement).stmt_len) {
            Ok(length) if length > 0 && !kept => std::slice::from_raw_parts(start.cast::<u8>(), length),
            _ if kept => CStr::from_ptr(text).to_bytes(),
            _ => CStr::from_ptr(start).to_bytes(),
        }
    };
    if !mask::literals_have_secret(own) {
        return None;
    }
    hide_activity(false);
    // SAFETY: as promised by the caller; the copy is ours.
    unsafe {
        let whole = CStr::from_ptr(text);
        let copy = copied_text(whole)?;
        mask::cover_literals(whole.to_bytes(), bytes_of(copy), !pg_sys::standard_conforming_strings);
        Some(copy.cast_const())
    }
}

/// # Safety
/// `text` must be a NUL-terminated string that nobody else looks at meanwhile.
unsafe fn bytes_of<'a>(text: *mut c_char) -> &'a mut [u8] {
    // SAFETY: as promised by the caller.
    unsafe { std::slice::from_raw_parts_mut(text.cast(), CStr::from_ptr(text).to_bytes().len()) }
}

/// The text of the statement that the client has sent.
fn statement() -> Option<&'static CStr> {
    // SAFETY: NULL, or a NUL-terminated string that lives until the statement ends; nobody here keeps it.
    unsafe {
        let text = pg_sys::debug_query_string;
        if text.is_null() { None } else { Some(CStr::from_ptr(text)) }
    }
}

/// Whether a text executes a prepared statement that calls a function that takes a token or a key.
/// The arguments of EXECUTE may then be secrets.
fn executes_secret(text: &CStr) -> bool {
    mask::executed(text.to_bytes()).any(|written| {
        let mut name = [0; pg_sys::NAMEDATALEN as usize];
        let (quoted, written) = match written {
            [b'"', inner @ ..] => (true, inner.strip_suffix(b"\"").unwrap_or(inner)),
            _ => (false, written),
        };
        let mut length = 0;
        let mut bytes = written.iter();
        while let Some(byte) = bytes.next() {
            // A longer name is cut off, as PostgreSQL cuts it off. The last byte stays zero.
            if length + 1 == name.len() {
                break;
            }
            name[length] = if quoted { *byte } else { byte.to_ascii_lowercase() };
            length += 1;
            if quoted && *byte == b'"' {
                bytes.next();
            }
        }
        // SAFETY: a NUL-terminated name is looked up among the statements of the session. The text
        // of a prepared statement lives as long as the statement.
        unsafe {
            let statement = pg_sys::FetchPreparedStatement(name.as_ptr().cast(), false);
            if statement.is_null() || (*statement).plansource.is_null() {
                return false;
            }
            let made_from = (*(*statement).plansource).query_string;
            !made_from.is_null() && mask::calls_for_secret(CStr::from_ptr(made_from).to_bytes())
        }
    })
}

/// Takes the secrets out of a report.
///
/// # Safety
/// `report` must be a report that is about to be written; its texts are NULL or NUL-terminated strings.
pub unsafe fn hide(report: *mut pg_sys::ErrorData) {
    // SAFETY: as promised by the caller. The texts are replaced by copies in the memory context of the report.
    unsafe {
        // It is known once one of the functions has been called. Parameters are logged before that:
        // then the statement's text tells.
        let known = SECRET_STATEMENT.get() == statement_start();
        let passes_secret =
            known || statement().is_some_and(|text| mask::calls_for_secret(text.to_bytes()) || executes_secret(text));
        if passes_secret || statement().is_some_and(|text| mask::has_secret(text.to_bytes(), false)) {
            (*report).hide_stmt = true;
            if !known {
                hide_activity(false);
            }
        }
        // What PostgreSQL logs about a statement contains its text, its parameters or its trees. An
        // error has a message of its own.
        let quotes =
            passes_secret && [PgLogLevel::LOG as i32, PgLogLevel::LOG_SERVER_ONLY as i32].contains(&(*report).elevel);
        cover(&mut (*report).message, quotes);
        if quotes && !(*report).detail.is_null() {
            (*report).detail = copied_text(HIDDEN).unwrap_or(std::ptr::null_mut());
        }
        cover(&mut (*report).detail, false);
        cover(&mut (*report).detail_log, false);
        cover(&mut (*report).context, passes_secret);
        cover(&mut (*report).internalquery, passes_secret);
    }
}

/// Stands for a text that is made from a secret, or that cannot be masked because there is no
/// memory.
static HIDDEN: &CStr = c"(not shown, since the statement passes a token or a key)";

/// # Safety
/// `text` must be a NUL-terminated string or NULL.
unsafe fn cover(text: &mut *mut c_char, values: bool) {
    if text.is_null() {
        return;
    }
    // SAFETY: as promised by the caller; the copy is ours.
    unsafe {
        let shown = CStr::from_ptr(*text);
        if mask::has_secret(shown.to_bytes(), values) {
            // PostgreSQL frees this text, so it must be a copy, or NULL.
            *text = match copied_text(shown) {
                Some(copy) => {
                    mask::cover(bytes_of(copy), values);
                    copy
                }
                None => copied_text(HIDDEN).unwrap_or(std::ptr::null_mut()),
            };
        }
    }
}
