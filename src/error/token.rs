//! Errors about signed tokens, and about the keys that sign them.

use super::failure::{Failure, bad_value, not_allowed, not_found, quotable, wrong_state};
use pgrx::PgSqlErrorCode;

/// 28000: a token that does not count. Of what it contains nothing is repeated.
pub fn bad_token(reason: &str) -> Failure {
    Failure::new(PgSqlErrorCode::ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION, format!("the token is refused: {reason}"))
}

/// 28000: a claim of a token is not good.
pub fn bad_claim(claim: &'static str, reason: &str) -> Failure {
    bad_token(&format!("its claim \"{claim}\" {reason}"))
}

/// 28000: the time of the token is over, when it is presented or later.
pub fn token_expired() -> Failure {
    bad_token("it has expired").set_hint("Roll back, get a new token, and log in with it.")
}

/// 28000: the key that signed the token has been dropped since.
pub fn signing_key_gone() -> Failure {
    bad_token("its key is not valid any more").set_hint("Roll back, get a new token, and log in with it.")
}

/// 42501: only `ringfence_admin` manages the keys that sign tokens.
pub fn may_not_manage_keys(role: &str) -> Failure {
    let role = quotable(role);
    not_allowed(format!("role \"{role}\" may not manage signing keys"))
        .set_hint("Only a member of ringfence_admin may do this.")
}

/// 22023: no such algorithm. It is not repeated: it may be the key, given in the wrong place.
pub fn unknown_algorithm() -> Failure {
    bad_value("unknown algorithm of a signing key").set_hint("Use 'EdDSA', 'ES256', 'RS256' or 'HS256'.")
}

/// 22023: what was given is not a key, and nothing of it is repeated.
pub fn bad_signing_key(reason: &'static str) -> Failure {
    bad_value(format!("the signing key is refused: {reason}"))
}

/// 22023: a kid that cannot be used.
pub fn bad_kid() -> Failure {
    bad_value("invalid kid").set_hint("A kid has 1 to 200 characters, and no control characters.")
}

/// 23505: the kid is taken.
pub fn signing_key_exists(kid: &str) -> Failure {
    let kid = quotable(kid);
    Failure::new(PgSqlErrorCode::ERRCODE_UNIQUE_VIOLATION, format!("there is a signing key \"{kid}\" already"))
        .set_hint("Add the new key by another kid, and drop the old one when no token is signed with it any more.")
}

/// P0002: no key of that kid.
pub fn no_such_signing_key(kid: &str) -> Failure {
    let kid = quotable(kid);
    not_found(format!("there is no signing key \"{kid}\""))
        .set_hint("SELECT kid FROM ringfence.signing_key lists them.")
}

/// 55000: a stored key cannot be read.
pub fn broken_signing_key() -> Failure {
    wrong_state("a stored signing key cannot be read")
        .set_hint("Drop the key with ringfence.drop_signing_key(), and add it again.")
}
