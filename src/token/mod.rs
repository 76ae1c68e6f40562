//! Signed tokens: JSON Web Tokens (RFC 7519), read as strictly as RFC 8725 advises. A token says
//! which owner a transaction may enter. Whether the role has access to that owner, `session` judges
//! as always.
//!
//! No error repeats any part of a token, because errors are logged.

mod json;
mod key;
mod sql;

use crate::error::{self, Result};
use crate::name::Reference;
use crate::pg::{MICROSECONDS_OF_A_SECOND, SECONDS_FROM_1970_TO_2000, now};
use crate::rights::Rights;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use json::Object;
use jsonwebtoken::Validation;
use jsonwebtoken::errors::ErrorKind;
pub use key::exists as key_exists;
use pgrx::datum::Uuid;
use pgrx::guc::{GucContext, GucFlags, GucRegistry, GucSetting};
use pgrx::pg_sys;

/// How far clocks may differ, in seconds. Every comparison with a time in a token allows for it.
const LEEWAY: i64 = 30;
/// The longest token. One that is sent in a header of HTTP is shorter.
const MAX_BYTES: usize = 8192;
/// The audience that a token must name, if it names any.
const AUDIENCE: &str = "ringfence";
static MAX_LIFETIME: GucSetting<i32> = GucSetting::<i32>::new(3600);

/// Defines `ringfence.max_token_lifetime`. For `_PG_init`.
pub fn init() {
    GucRegistry::define_int_guc(
        c"ringfence.max_token_lifetime",
        c"How far ahead the expiry of a token may lie.",
        c"A token that expires later is refused.",
        &MAX_LIFETIME,
        1,
        i32::MAX,
        GucContext::Suset,
        GucFlags::UNIT_S,
    );
}

/// What a token says, once its signature and its times have been checked.
pub struct Token {
    /// The key that signed it, as [`key_exists`] knows it.
    pub key: Uuid,
    pub owner: Reference,
    pub project: Option<Reference>,
    pub agent: Option<String>,
    pub source: Option<String>,
    /// If the token names a role: the only one that may present it.
    pub role: Option<String>,
    /// If the token names a database: the only one in which it counts.
    pub database: Option<String>,
    /// If the token names rights: the session has no others.
    pub rights: Option<Rights>,
    /// When the token expires, including the leeway.
    pub expires: pg_sys::TimestampTz,
}

/// Reads and checks a token. Error 28000 says what is wrong with it, but not what it contains.
pub fn verify(token: &str) -> Result<Token> {
    if token.len() > MAX_BYTES {
        return Err(error::bad_token("it is too long"));
    }
    let (kid, algorithm) = read_header(token)?;
    let key = key::find(&kid)?.ok_or_else(|| error::bad_token("it is signed by an unknown key"))?;
    if algorithm != key.algorithm.name() {
        return Err(error::bad_token("its algorithm is not the one of its key"));
    }
    let mut validation = Validation::new(key.algorithm.jwa());
    // Times and audience are compared below, because each has an error of its own, and times are
    // compared as whole numbers with PostgreSQL's clock.
    validation.required_spec_claims.clear();
    (validation.validate_exp, validation.validate_nbf, validation.validate_aud) = (false, false, false);
    let claims = jsonwebtoken::decode::<Object>(token, &key.decoding_key()?, &validation)
        .map_err(|failure| {
            error::bad_token(match failure.kind() {
                ErrorKind::InvalidSignature => "its signature is wrong",
                _ => "it is malformed",
            })
        })?
        .claims;
    read_claims(key.id, &claims, now())
}

/// The id of the key, and the name of the algorithm, that a token's header names.
fn read_header(token: &str) -> Result<(String, String)> {
    let mut parts = token.split('.');
    let (Some(header), Some(_), Some(signature), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(error::bad_token("it is malformed"));
    };
    let malformed = || error::bad_token("its header is malformed");
    let header = URL_SAFE_NO_PAD.decode(header).map_err(|_| malformed())?;
    let header: Object = serde_json::from_slice(&header).map_err(|_| malformed())?;
    let algorithm = header.text("alg").map_err(|_| malformed())?.ok_or_else(malformed)?;
    if algorithm.eq_ignore_ascii_case("none") || signature.is_empty() {
        return Err(error::bad_token("it is not signed"));
    }
    // The token demands something that this library does not know (RFC 7515 §4.1.11, RFC 7519
    // §5.2).
    if header.has("crit") || header.has("cty") || header.has("zip") || header.has("enc") {
        return Err(error::bad_token("its header asks for something that is not supported"));
    }
    match header.text("typ").map_err(|_| malformed())? {
        Some(kind) if !kind.eq_ignore_ascii_case("JWT") && !kind.eq_ignore_ascii_case("at+jwt") => {
            return Err(error::bad_token("it is not of type JWT"));
        }
        _ => (),
    }
    let kid = header.text("kid").map_err(|_| malformed())?;
    Ok((kid.ok_or_else(|| error::bad_token("its header names no key (kid)"))?, algorithm))
}

fn read_claims(key: Uuid, claims: &Object, now: pg_sys::TimestampTz) -> Result<Token> {
    let text = |name| {
        let value = claims.text(name).map_err(|_| error::bad_claim(name, "must be a text"))?;
        // PostgreSQL has no text with a NUL in it.
        if value.as_ref().is_some_and(|value| value.is_empty() || value.contains('\0')) {
            return Err(error::bad_claim(name, "is empty or not a text that PostgreSQL can hold"));
        }
        Ok(value)
    };
    let reference = |name| text(name).map(|text| text.as_deref().map(Reference::new));
    let seconds = |name| claims.integer(name).map_err(|_| error::bad_claim(name, "must be a whole number of seconds"));
    let names = |name| claims.texts(name).map_err(|_| error::bad_claim(name, "must be a list of texts"));

    let now = now.div_euclid(MICROSECONDS_OF_A_SECOND) + SECONDS_FROM_1970_TO_2000;
    let expires = seconds("exp")?.ok_or_else(|| error::bad_claim("exp", "is missing"))?;
    if now >= expires.saturating_add(LEEWAY) {
        return Err(error::token_expired());
    }
    if expires > now + i64::from(MAX_LIFETIME.get()) + LEEWAY {
        return Err(error::bad_claim("exp", "is further ahead than ringfence.max_token_lifetime"));
    }
    if seconds("nbf")?.is_some_and(|not_before| now < not_before.saturating_sub(LEEWAY)) {
        return Err(error::bad_token("it is not valid yet"));
    }
    // A token whose audiences do not include this library must be refused (RFC 7519 §4.1.3).
    let audience = if claims.is_text("aud") { text("aud")?.map(|one| vec![one]) } else { names("aud")? };
    if audience.is_some_and(|audience| !audience.iter().any(|name| name == AUDIENCE)) {
        return Err(error::bad_claim("aud", "does not name ringfence"));
    }
    let rights = match names("rights")? {
        Some(names) => Some(
            names
                .iter()
                .try_fold(Rights::NONE, |rights, name| Rights::named(name).map(|right| rights.union(right)))
                .ok_or_else(|| error::bad_claim("rights", "names a right that does not exist"))?,
        ),
        None => None,
    };
    Ok(Token {
        key,
        owner: reference("owner")?.ok_or_else(|| error::bad_claim("owner", "is missing"))?,
        project: reference("project")?,
        agent: text("sub")?,
        source: text("source")?,
        role: text("role")?,
        database: text("database")?,
        rights,
        expires: (expires + LEEWAY - SECONDS_FROM_1970_TO_2000).saturating_mul(MICROSECONDS_OF_A_SECOND),
    })
}
