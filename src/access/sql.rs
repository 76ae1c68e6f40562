//! The functions of `sql/access.sql`. Arguments are checked here, in the order in which they are
//! given.

use super::grant::Binding;
use super::manage::{Manager, Wanted};
use crate::error::{self, ErrorReport, Result};
use crate::name::Reference;
use pgrx::datum::Array;
use pgrx::prelude::*;

/// Limits for lists of names and for the bytes of a name. No valid argument comes near them.
const MAX_NAMES: usize = 1000;
const MAX_NAME_BYTES: usize = 8192;

/// A text that must be given. Error 22023 if it is not, 54000 if it is too long.
fn given(argument: &str, value: Option<&str>) -> Result<String> {
    let value = value.filter(|value| !value.is_empty()).ok_or_else(|| error::missing_argument(argument))?;
    if value.len() > MAX_NAME_BYTES { Err(error::argument_too_long(argument)) } else { Ok(value.to_owned()) }
}

fn given_list(argument: &str, list: Array<'_, &str>) -> Result<Vec<String>> {
    if list.len() > MAX_NAMES {
        return Err(error::argument_too_long(argument));
    }
    list.iter().map(|item| given(argument, item)).collect()
}

fn manager(owner: Option<&str>) -> Result<Manager> {
    Manager::of(&Reference::new(&given("owner", owner)?))
}

/// The project that is meant, if one is given. An empty text is a name that no project has.
fn project_given(project: Option<&str>) -> Result<Option<Reference>> {
    match project {
        Some(text) if text.len() > MAX_NAME_BYTES => Err(error::argument_too_long("project")),
        given => Ok(given.map(Reference::new)),
    }
}

/// `ringfence.grant_access()`: see [`Manager::grant`].
#[pg_extern(sql = false)]
fn grant_access(
    role_name: Option<&str>,
    owner: Option<&str>,
    rights: Option<Array<'_, &str>>,
    project: Option<&str>,
    sources: Option<Array<'_, &str>>,
    binding: Option<&str>,
) -> Result<(), ErrorReport> {
    let role_name = given("role_name", role_name)?;
    let manager = manager(owner)?;
    let rights = given_list("rights", rights.ok_or_else(|| error::missing_argument("rights"))?)?;
    if rights.is_empty() {
        return Err(error::missing_argument("rights").into());
    }
    let sources = sources.map(|sources| given_list("sources", sources)).transpose()?;
    let binding = given("binding", binding)?;
    let binding = Binding::parse(&binding).ok_or_else(|| error::unknown_binding(&binding))?;
    let project = project_given(project)?;
    Ok(manager.grant(Wanted { role_name, rights, project, sources, binding })?)
}

/// `ringfence.revoke_access()`: see [`Manager::revoke`].
#[pg_extern(sql = false)]
fn revoke_access(role_name: Option<&str>, owner: Option<&str>, project: Option<&str>) -> Result<(), ErrorReport> {
    let role_name = given("role_name", role_name)?;
    let manager = manager(owner)?;
    Ok(manager.revoke(&role_name, project_given(project)?.as_ref())?)
}

/// `ringfence.explain_access()`: see [`Manager::explain`].
#[pg_extern(sql = false)]
fn explain_access(
    role_name: Option<&str>,
    owner: Option<&str>,
) -> Result<
    TableIterator<
        'static,
        (
            name!(right_name, String),
            name!(held, bool),
            name!(given_to, Option<String>),
            name!(project, Option<String>),
            name!(binding, Option<String>),
            name!(reason, String),
        ),
    >,
    ErrorReport,
> {
    let role_name = given("role_name", role_name)?;
    let explained = manager(owner)?.explain(&role_name)?;
    Ok(TableIterator::new(
        explained
            .into_iter()
            .map(|row| (row.right_name.to_owned(), row.held, row.given_to, row.project, row.binding, row.reason)),
    ))
}
