//! The functions of `sql/token.sql`.

use super::key::{self, Algorithm};
use crate::error::{self, ErrorReport, Result};
use crate::{catalog, role, secret};
use pgrx::datum::DatumWithOid;
use pgrx::prelude::*;

const MAX_KID_CHARACTERS: usize = 200;

/// `ringfence.add_signing_key()`: from now on, tokens that are signed with the key count.
///
/// Errors: 42501 the caller is not `ringfence_admin`, or does not act itself; 22023 the kid, the
/// algorithm or the key is invalid; 23505 there already is a key of that kid.
#[pg_extern(sql = false)]
fn add_signing_key(kid: Option<&str>, algorithm: Option<&str>, key: Option<&str>) -> Result<(), ErrorReport> {
    secret::statement_holds_secret();
    may_manage_keys()?;
    let kid = given_kid(kid)?;
    let algorithm = algorithm.ok_or_else(|| error::missing_argument("algorithm"))?;
    let algorithm = Algorithm::named(algorithm).ok_or_else(error::unknown_algorithm)?;
    let material = key.ok_or_else(|| error::missing_argument("key"))?;
    key::decoding_key(algorithm, material).map_err(error::bad_signing_key)?;
    if key::find(kid)?.is_some() {
        return Err(error::signing_key_exists(kid).into());
    }
    let added_by = role::own_name();
    let arguments: [DatumWithOid; 4] = [kid.into(), algorithm.name().into(), material.into(), added_by.into()];
    role::as_definer(|| {
        Spi::run_with_args(
            "INSERT INTO ringfence.signing_key_material (kid, algorithm, material, added_by) VALUES ($1, $2, $3, $4)",
            &arguments,
        )
    })?
    .map_err(|_| error::not_installed("table ringfence.signing_key_material").into())
}

/// `ringfence.drop_signing_key()`: tokens that are signed with the key no longer count, not even in
/// transactions that have entered an owner by one.
///
/// Errors: 42501 as [`add_signing_key`]; P0002 there is no key of that kid.
#[pg_extern(sql = false)]
fn drop_signing_key(kid: Option<&str>) -> Result<(), ErrorReport> {
    may_manage_keys()?;
    let kid = given_kid(kid)?;
    if key::find(kid)?.is_none() {
        return Err(error::no_such_signing_key(kid).into());
    }
    role::as_definer(|| {
        // This runs under the caller's search_path. An operator without its schema could be the
        // caller's own, and would run as the definer.
        Spi::run_with_args(
            "DELETE FROM ringfence.signing_key_material WHERE kid OPERATOR(pg_catalog.=) $1",
            &[kid.into()],
        )
    })?
    .map_err(|_| error::not_installed("table ringfence.signing_key_material").into())
}

fn may_manage_keys() -> Result<()> {
    catalog::require_own_version()?;
    if role::is_admin() { Ok(()) } else { Err(error::may_not_manage_keys(&role::own_name())) }
}

fn given_kid(kid: Option<&str>) -> Result<&str> {
    let kid = kid.filter(|kid| !kid.is_empty()).ok_or_else(|| error::missing_argument("kid"))?;
    if kid.chars().count() > MAX_KID_CHARACTERS || kid.chars().any(char::is_control) {
        return Err(error::bad_kid());
    }
    Ok(kid)
}
