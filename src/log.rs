//! The server's log: which owner a line is about (`ringfence.log_owner`), and that no line holds a token or a key.
//!
//! PostgreSQL writes the text of statements to the log, to `pg_stat_activity`, `pg_prepared_statements`, `pg_cursors` and
//! `pg_stat_statements`. A token that is passed as a parameter is in none of them, but for the logging of parameters; one
//! that is written into the statement is in all. So whatever looks like a token, and the arguments of the functions that
//! take one, is masked before it gets there.

use crate::session;
use pgrx::guc::{GucContext, GucFlags, GucRegistry, GucSetting};
use pgrx::{PgLogLevel, pg_sys};
use std::cell::Cell;
use std::ffi::{CStr, CString, c_char};

static LOG_OWNER: GucSetting<bool> = GucSetting::<bool>::new(false);

thread_local! {
    static PREVIOUS_HOOK: Cell<pg_sys::emit_log_hook_type> = const { Cell::new(None) };
    /// When the statement began that passes a token or a key.
    static SECRET_STATEMENT: Cell<pg_sys::TimestampTz> = const { Cell::new(pg_sys::TimestampTz::MIN) };
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
    // SAFETY: _PG_init runs once per process; the hook before is kept and called.
    unsafe {
        PREVIOUS_HOOK.set(pg_sys::emit_log_hook);
        pg_sys::emit_log_hook = Some(emit_log);
    }
}

/// The statement at hand passes a token or a key: whatever is logged of it from now on shows none of its values.
pub fn statement_holds_secret() {
    SECRET_STATEMENT.set(statement_start());
    if let Some(text) = statement().and_then(|text| mask_values(text.to_bytes())) {
        // SAFETY: a NUL-terminated text, which PostgreSQL copies.
        unsafe { pg_sys::pgstat_report_activity(pg_sys::BackendState::STATE_RUNNING, text.as_ptr()) };
    }
}

/// The text of a utility statement as others may see it, of the same length: None if there is nothing to hide in it.
/// It lives as long as the memory context of the statement.
///
/// # Safety
/// `text` must be a NUL-terminated string or NULL.
pub unsafe fn without_secrets(text: *const c_char) -> Option<*const c_char> {
    if text.is_null() {
        return None;
    }
    // SAFETY: as promised by the caller.
    let masked = mask(unsafe { CStr::from_ptr(text) }.to_bytes())?;
    copied(&masked).map(|copy| copy.cast_const())
}

fn statement_start() -> pg_sys::TimestampTz {
    // SAFETY: reads a variable of the backend.
    unsafe { pg_sys::GetCurrentStatementStartTimestamp() }
}

/// The text of the statement that the client has sent.
fn statement() -> Option<&'static CStr> {
    // SAFETY: NULL, or a NUL-terminated string that lives until the statement ends; nobody here keeps it.
    unsafe {
        let text = pg_sys::debug_query_string;
        if text.is_null() { None } else { Some(CStr::from_ptr(text)) }
    }
}

/// A copy in PostgreSQL's current memory context, or None if there is no memory left for it.
fn copied(text: &CStr) -> Option<*mut c_char> {
    let bytes = text.to_bytes_with_nul();
    // SAFETY: as many bytes are written as were allocated.
    unsafe {
        let copy: *mut c_char =
            pg_sys::palloc_extended(bytes.len(), pg_sys::MCXT_ALLOC_NO_OOM as std::ffi::c_int).cast();
        if copy.is_null() {
            return None;
        }
        std::ptr::copy_nonoverlapping(bytes.as_ptr().cast(), copy, bytes.len());
        Some(copy)
    }
}

// A plain frame, as in session/hooks.rs: it runs inside of PostgreSQL's reporting of errors, which must not be disturbed.
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
        // Known since one of the functions was called, or before by the statement's text: parameters are logged first.
        let passes_secret = SECRET_STATEMENT.get() == statement_start()
            || statement().is_some_and(|text| arguments_of_secrets(text.to_bytes()).is_some());
        if passes_secret || statement().is_some_and(|text| mask(text.to_bytes()).is_some()) {
            (*report).hide_stmt = true;
        }
        // What PostgreSQL logs of a statement quotes its text and its parameters; an error has a message of its own.
        let quotes =
            passes_secret && [PgLogLevel::LOG as i32, PgLogLevel::LOG_SERVER_ONLY as i32].contains(&(*report).elevel);
        mask_in_place(&mut (*report).message, quotes);
        mask_in_place(&mut (*report).detail, quotes);
        mask_in_place(&mut (*report).detail_log, quotes);
        mask_in_place(&mut (*report).context, passes_secret);
        mask_in_place(&mut (*report).internalquery, passes_secret);

        if LOG_OWNER.get()
            && let Some(owner) = session::owner_to_log()
        {
            let detail = if (*report).detail_log.is_null() { (*report).detail } else { (*report).detail_log };
            let mut lines = Vec::new();
            if !detail.is_null() {
                lines.extend_from_slice(CStr::from_ptr(detail).to_bytes());
                lines.push(b'\n');
            }
            lines.extend(owner.bytes());
            if let Some(lines) = CString::new(lines).ok().and_then(|lines| copied(&lines)) {
                (*report).detail_log = lines;
            }
        }
    }
}

/// # Safety
/// `text` must be a NUL-terminated string or NULL.
unsafe fn mask_in_place(text: &mut *mut c_char, quotes_values: bool) {
    if text.is_null() {
        return;
    }
    // SAFETY: as promised by the caller.
    let bytes = unsafe { CStr::from_ptr(*text) }.to_bytes();
    let masked = if quotes_values { mask_values(bytes) } else { mask(bytes) };
    if let Some(copy) = masked.and_then(|masked| copied(&masked)) {
        *text = copy;
    }
}

/// As [`mask`], for the text of a statement that is known to pass a secret: without a function's name to go by, all from
/// the first literal on.
fn mask_values(text: &[u8]) -> Option<CString> {
    let masked = mask(text);
    match arguments_of_secrets(text).or_else(|| text.iter().position(|byte| matches!(byte, b'\'' | b'$'))) {
        Some(start) => Some(starred(masked.as_ref().map_or(text, |masked| masked.to_bytes()), start)),
        None => masked,
    }
}

/// The text with what may be a secret replaced by stars, byte for byte; None if there is none.
fn mask(text: &[u8]) -> Option<CString> {
    let mut masked: Option<Vec<u8>> = None;
    let is_token_byte = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let mut rest = 0;
    while let Some(start) = find(&text[rest..], b"ey").map(|n| rest + n) {
        let length = text[start..].iter().take_while(|byte| is_token_byte(byte)).count();
        if length >= SHORTEST_TOKEN && BEGINNINGS.iter().any(|beginning| text[start..].starts_with(beginning)) {
            masked.get_or_insert_with(|| text.to_vec())[start..start + length].fill(b'*');
            rest = start + length;
        } else {
            rest = start + 2;
        }
    }
    if let Some(start) = arguments_of_secrets(text) {
        return Some(starred(masked.as_deref().unwrap_or(text), start));
    }
    masked.and_then(|masked| CString::new(masked).ok())
}

/// A JSON object begins with a brace, and a quote or white space: base64 makes these of them.
const BEGINNINGS: [&[u8]; 3] = [b"eyJ", b"eyA", b"eyI"];
const SHORTEST_TOKEN: usize = 16;

/// Where the arguments of the first function begin that takes a secret, if the text calls one.
fn arguments_of_secrets(text: &[u8]) -> Option<usize> {
    let lower = text.to_ascii_lowercase();
    let separators = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'"' | b'.');
    let opening = |after: usize| {
        let gap = lower[after..].iter().take_while(|byte| separators(byte)).count();
        (lower.get(after + gap) == Some(&b'(')).then_some(after + gap + 1)
    };
    let key = find(&lower, b"add_signing_key").and_then(|n| opening(n + b"add_signing_key".len()));
    let mut login = None;
    let mut rest = 0;
    while let Some(start) = find(&lower[rest..], b"login").map(|n| rest + n) {
        rest = start + b"login".len();
        let before = lower[..start].iter().rposition(|byte| !separators(byte)).map_or(0, |n| n + 1);
        let whole_word = before < start || start == 0 || !is_name_byte(&lower[start - 1]);
        if let Some(arguments) = opening(rest).filter(|_| whole_word) {
            // Somebody else's login(), or a table of that name, is not our business, unless it is given a literal.
            let first = lower[arguments..].iter().find(|byte| !byte.is_ascii_whitespace());
            if lower[..before].ends_with(b"ringfence") || matches!(first, Some(b'\'' | b'$')) {
                login = Some(arguments);
                break;
            }
        }
    }
    match (key, login) {
        (Some(key), Some(login)) => Some(key.min(login)),
        (key, login) => key.or(login),
    }
}

fn is_name_byte(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || *byte == b'_'
}

/// The text, with stars from there on; white space is kept.
fn starred(text: &[u8], start: usize) -> CString {
    let (shown, hidden) = text.split_at(start.min(text.len()));
    let stars = hidden.iter().map(|byte| if byte.is_ascii_whitespace() { *byte } else { b'*' });
    CString::new(shown.iter().copied().chain(stars).collect::<Vec<u8>>()).unwrap_or_default()
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    fn masked(text: &str) -> String {
        mask(text.as_bytes()).map_or_else(|| text.to_owned(), |masked| masked.into_string().unwrap())
    }

    #[test]
    fn tokens_and_keys_are_masked_in_place() {
        let token = "eyJhbGciOiJFZERTQSJ9.eyJvd25lciI6IkEifQ.c2lnbmF0dXJl";
        let stars = "*".repeat(token.len());
        assert_eq!(masked(&format!("EXECUTE p('{token}')")), format!("EXECUTE p('{stars}')"));
        assert_eq!(masked(&format!("$1 = '{token}', $2 = '{token}'")), format!("$1 = '{stars}', $2 = '{stars}'"));
        assert_eq!(masked("SELECT ringfence.login('abc')"), "SELECT ringfence.login(******");
        assert_eq!(masked("select \"ringfence\" . \"LOGIN\" ( 'abc')"), "select \"ringfence\" . \"LOGIN\" ( ******");
        assert_eq!(masked("SELECT add_signing_key('k', 'HS256', 'x')"), "SELECT add_signing_key(**** ******** ****");
        assert_eq!(masked("SELECT 'eyJhbGciOiJFZERTQSJ9"), "SELECT '********************");
        assert_eq!(masked("SELECT login ('abc')"), "SELECT login (******");
    }

    #[test]
    fn other_texts_are_left_alone() {
        for text in [
            "",
            "SELECT 1",
            "UPDATE app.users SET last_login = now()",
            "INSERT INTO app.login (who) VALUES ('x')",
            "SELECT last_login('x'), app.login(who)",
            "SELECT * FROM ringfence.signing_key",
            "SELECT kid FROM ringfence.signing_key (x)",
            "SELECT 'they are eyJ short'",
            "ringfence",
            "ringfence.login",
        ] {
            assert_eq!(mask(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn of_a_statement_that_passes_a_secret_no_value_is_shown() {
        let shown = |text: &str| mask_values(text.as_bytes()).map(|masked| masked.into_string().unwrap());
        assert_eq!(shown("EXECUTE p('abc', 1)").as_deref(), Some("EXECUTE p(****** **"));
        assert_eq!(shown("SELECT login(x) FROM t"), None);
    }
}
