//! The functions of `sql/channel.sql` but `route()`.

use super::address::Kind;
use super::{meant, with_form};
use crate::catalog;
use crate::error::{self, ErrorReport, Result};
use crate::name::{self, Reference};
use crate::{owner, project, role, session};
use pgrx::datum::{DatumWithOid, Uuid};
use pgrx::prelude::*;

/// Error 42501 unless `ringfence_admin` is at work, by its own hand.
fn administers() -> Result<()> {
    if !role::is_admin() {
        return Err(error::may_not_administer(&role::own_name()));
    }
    catalog::require_own_version()
}

fn given<'a>(argument: &str, value: Option<&'a str>) -> Result<&'a str> {
    value.ok_or_else(|| error::missing_argument(argument))
}

fn kind_of(name: &str) -> Result<Kind> {
    Kind::named(name.as_bytes()).ok_or_else(|| error::unknown_channel_kind(name))
}

/// `ringfence.assign_channel()`: gives an address to an owner, and to one of its projects or none.
///
/// Errors: 42501 not for `ringfence_admin`; 22023 no such kind, not an address, or not a name; P0002 no such owner or project; 23505 the address
/// is taken, by whomever.
#[pg_extern(sql = false)]
fn assign_channel(
    owner: Option<&str>,
    kind: Option<&str>,
    address: Option<&str>,
    project: Option<&str>,
    channel_name: Option<&str>,
) -> Result<Uuid, ErrorReport> {
    administers()?;
    let owner = Reference::new(given("owner", owner)?);
    let owner = owner::find(&owner)?.ok_or_else(|| error::no_such_owner(owner.text()))?;
    let kind = kind_of(given("kind", kind)?)?;
    let address = given("address", address)?;
    let project = match project {
        Some(text) => Some(project::in_reach(owner.id, &Reference::new(text), |_| true)?.id),
        None => None,
    };
    channel_name.map(name::require_name).transpose()?;
    let form = kind.form(address, owner.country.as_deref()).ok_or_else(|| error::bad_address(kind.name()))?;
    if with_form(kind, &form)?.is_some() {
        return Err(error::address_taken().into());
    }
    let arguments: [DatumWithOid; 5] =
        [kind.name().into(), address.into(), form.into(), project.into(), channel_name.into()];
    let made = session::as_definer_for(owner, || {
        Spi::get_one_with_args::<Uuid>(
            "INSERT INTO ringfence.channel (kind, address, normal_address, project_id, name) VALUES ($1, $2, $3, $4, $5) RETURNING id",
            &arguments,
        )
    })?;
    Ok(made.ok().flatten().ok_or_else(|| error::not_installed("table ringfence.channel"))?)
}

/// `ringfence.release_channel()`: deletes the channel with that address, in any spelling.
///
/// Errors: 42501 not for `ringfence_admin`; 22023 no such kind; P0002 no channel has the address; 21000 several have it.
#[pg_extern(sql = false)]
fn release_channel(kind: Option<&str>, address: Option<&str>) -> Result<(), ErrorReport> {
    administers()?;
    let kind = kind_of(given("kind", kind)?)?;
    let address = given("address", address)?;
    // Not the one that a letter with a tag would reach.
    if kind == Kind::Email
        && kind.form(address, None).map(|form| with_form(kind, &form)).transpose()?.flatten().is_none()
    {
        return Err(error::no_such_channel().into());
    }
    let mut found = meant(kind, address)?;
    let (channel, owner) = found.pop().ok_or_else(error::no_such_channel)?;
    if !found.is_empty() {
        return Err(error::ambiguous_address().into());
    }
    let arguments: [DatumWithOid; 2] = [channel.owner.into(), channel.id.into()];
    let deleted = session::as_definer_for(owner, || {
        Spi::run_with_args(
            "DELETE FROM ringfence.channel WHERE owner_id OPERATOR(pg_catalog.=) $1 AND id OPERATOR(pg_catalog.=) $2",
            &arguments,
        )
    })?;
    Ok(deleted.map_err(|_| error::not_installed("table ringfence.channel"))?)
}

/// The form of an address by the country of its owner.
#[pg_extern(sql = false)]
fn channel_form(kind: &str, address: &str, owner: Uuid) -> Result<String, ErrorReport> {
    let kind = kind_of(kind)?;
    let country = owner::by_id(owner)?.and_then(|owner| owner.country);
    Ok(kind.form(address, country.as_deref()).ok_or_else(|| error::bad_address(kind.name()))?)
}
