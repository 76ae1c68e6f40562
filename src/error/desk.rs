//! Errors of the service desk: about channels and their addresses.

use super::failure::{Failure, bad_value, not_found, quotable};
use pgrx::{PgLogLevel, PgSqlErrorCode};

/// 22023: no such kind of a channel.
pub fn unknown_channel_kind(kind: &str) -> Failure {
    let kind = quotable(kind);
    bad_value(format!("unknown kind of channel \"{kind}\""))
        .set_hint("The kinds are: phone, email, chat, messenger, web.")
}

/// 22023: a text that is not one address of that kind.
pub fn bad_address(kind: &str) -> Failure {
    bad_value(format!("this is not one address of kind \"{kind}\"")).set_hint(
        "Give a phone number, a SIP URI, an e-mail address, a handle or the address of a page, of at most 320 characters.",
    )
}

/// 23505: a channel has the address, of whichever owner.
pub fn address_taken() -> Failure {
    Failure::new(PgSqlErrorCode::ERRCODE_UNIQUE_VIOLATION, "the address is taken")
        .set_hint("ringfence.release_channel() sets an address free.")
}

/// P0002: no channel has the address.
pub fn no_such_channel() -> Failure {
    not_found("no channel has this address")
}

/// 21000: a national number that means a channel in each of several countries.
pub fn ambiguous_address() -> Failure {
    Failure::new(PgSqlErrorCode::ERRCODE_CARDINALITY_VIOLATION, "several channels have this address")
        .set_hint("Write the number with + and the code of its country.")
}

/// 0A000: a function that returns rows was called where there is room for one value.
pub fn no_place_for_rows() -> Failure {
    Failure::new(
        PgSqlErrorCode::ERRCODE_FEATURE_NOT_SUPPORTED,
        "set-valued function called in context that cannot accept a set",
    )
}

/// LOG, to the server alone: a router asked for an address that leads nowhere.
pub fn log_unknown_address(role: &str, kind: &str, address: &str, not_logged: u64) {
    let address: String = quotable(address).chars().filter(|character| !character.is_control()).collect();
    let others = if not_logged == 0 { String::new() } else { format!(" ({not_logged} more since the line before)") };
    Failure::new(
        PgSqlErrorCode::ERRCODE_SUCCESSFUL_COMPLETION,
        format!("ringfence: role \"{role}\" asked for {kind} address \"{address}\", which leads to no owner{others}"),
    )
    .report(PgLogLevel::LOG_SERVER_ONLY);
}
