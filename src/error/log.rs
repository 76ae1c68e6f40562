//! What goes to the log of the server, or to the client as a warning.

use super::failure::Failure;
use pgrx::{PgLogLevel, PgSqlErrorCode};

/// What a refused session has asked for, for the log.
pub enum Asked<'a> {
    Owner(Option<&'a str>),
    /// By a token that was not read so far as to know whose it is.
    Token,
}

/// LOG, to the server alone: a role asked for an owner and was refused.
pub fn log_refusal(role: &str, asked: Asked, refusal: &Failure) {
    // Both repeat what the client gave: no more of it than a name, and a sentence about it, may be long.
    let beginning = |text: &str, characters| text.chars().take(characters).collect::<String>();
    let asked = match asked {
        Asked::Owner(Some(owner)) => format!("asking for owner \"{}\"", beginning(owner, 200)),
        Asked::Owner(None) => "asking for no owner".to_owned(),
        Asked::Token => "presenting a token".to_owned(),
    };
    let reason = beginning(refusal.message(), 300);
    Failure::new(
        PgSqlErrorCode::ERRCODE_SUCCESSFUL_COMPLETION,
        format!("ringfence: role \"{role}\", {asked}, was refused: {reason}"),
    )
    .report(PgLogLevel::LOG_SERVER_ONLY);
}

/// WARNING: access was given to a role that needs none.
pub fn warn_not_bound(role: &str) {
    Failure::new(
        PgSqlErrorCode::ERRCODE_WARNING,
        format!("row-level security does not bind role \"{role}\": it reads the rows of all owners"),
    )
    .set_hint("Give access to roles without SUPERUSER and BYPASSRLS.")
    .report(PgLogLevel::WARNING);
}

/// WARNING, to the log of the starting server: pg_stat_statements would keep tokens that are written into utility statements.
pub fn warn_of_preload_order() {
    Failure::new(PgSqlErrorCode::ERRCODE_WARNING, "ringfence is preloaded before pg_stat_statements")
        .set_detail("Tokens and keys that are written into utility statements are then kept by pg_stat_statements.")
        .set_hint("List ringfence after it in shared_preload_libraries.")
        .report(PgLogLevel::WARNING);
}
