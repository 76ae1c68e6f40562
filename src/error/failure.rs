//! The error type, and what the constructors of errors are made with.

use pgrx::pg_sys::panic::{ErrorReport, ErrorReportable};
use pgrx::{PgLogLevel, PgSqlErrorCode};

/// What a function of ringfence returns if it can fail. Two kinds of functions return another error, because pgrx calls them:
///
/// - A function that SQL calls (`pg_extern`) returns `Result<T, ErrorReport>`, and `?` makes an [`ErrorReport`] of a [`Failure`]. pgrx
///   passes on all of an `ErrorReport`. Of other types it passes on the text alone, with SQLSTATE 22000. `Failure` has no `Display`, so
///   that a `pg_extern` that returns it does not compile.
/// - A trigger (`pg_trigger`) returns `Result<T, Infallible>`, and raises its errors with [`raised`]. pgrx would make an internal error
///   (XX000) of any error that a trigger returns.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

/// An error: what PostgreSQL is to be told.
#[derive(Clone, Debug)]
pub struct Failure {
    pub(super) code: PgSqlErrorCode,
    pub(super) message: String,
    pub(super) detail: Option<String>,
    pub(super) hint: Option<String>,
}

impl Failure {
    pub(super) fn new(code: PgSqlErrorCode, message: impl Into<String>) -> Failure {
        Failure { code, message: message.into(), detail: None, hint: None }
    }

    pub(super) fn set_detail(mut self, detail: impl Into<String>) -> Failure {
        self.detail = Some(detail.into());
        self
    }

    pub(super) fn set_hint(mut self, hint: impl Into<String>) -> Failure {
        self.hint = Some(hint.into());
        self
    }

    pub fn code(&self) -> PgSqlErrorCode {
        self.code
    }

    pub fn message(&self) -> &str {
        &self.message
    }

    pub fn detail(&self) -> Option<&str> {
        self.detail.as_deref()
    }

    pub fn hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// Hands it to PostgreSQL. An ERROR does not return.
    pub fn report(self, level: PgLogLevel) {
        ErrorReport::from(self).report(level);
    }
}

impl From<Failure> for ErrorReport {
    fn from(failure: Failure) -> ErrorReport {
        let mut report = ErrorReport::new(failure.code, failure.message, "ringfence");
        if let Some(detail) = failure.detail {
            report = report.set_detail(detail);
        }
        if let Some(hint) = failure.hint {
            report = report.set_hint(hint);
        }
        report
    }
}

/// The value, or else raises the error here and now. For functions that PostgreSQL calls and that cannot return an error.
pub fn raised<T>(result: Result<T>) -> T {
    result.map_err(ErrorReport::from).unwrap_or_report()
}

/// An error that passes through Rust has a backtrace in its DETAIL, for the client to read, where the server's environment asks for
/// backtraces of Rust. Whether it does is asked once in a process, and kept: so ask here, in an environment that does not. For
/// `_PG_init`.
pub fn keep_backtraces_out() {
    const ASKS: &str = "RUST_LIB_BACKTRACE";
    let before = std::env::var_os(ASKS);
    // SAFETY: PostgreSQL's processes have one thread. What was set is set again, for libraries of others.
    unsafe {
        std::env::set_var(ASKS, "0");
        let _ = std::backtrace::Backtrace::capture();
        match before {
            Some(before) => std::env::set_var(ASKS, before),
            None => std::env::remove_var(ASKS),
        }
    }
}

/// The part of a given value that an error repeats.
pub(super) fn quotable(given: &str) -> &str {
    given.char_indices().nth(MAX_QUOTED).and_then(|(end, _)| given.get(..end)).unwrap_or(given)
}

/// Names have at most 200 characters.
const MAX_QUOTED: usize = 200;

pub(super) fn not_allowed(message: impl Into<String>) -> Failure {
    Failure::new(PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE, message)
}

pub(super) fn bad_value(message: impl Into<String>) -> Failure {
    Failure::new(PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE, message)
}

pub(super) fn wrong_state(message: impl Into<String>) -> Failure {
    Failure::new(PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, message)
}

pub(super) fn warning(message: impl Into<String>) -> Failure {
    Failure::new(PgSqlErrorCode::ERRCODE_WARNING, message)
}

pub(super) fn not_found(message: impl Into<String>) -> Failure {
    Failure::new(PgSqlErrorCode::ERRCODE_NO_DATA_FOUND, message)
}
