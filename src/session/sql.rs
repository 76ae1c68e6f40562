//! The functions of `sql/session.sql`: thin wrappers over the context.

use super::rights::Rights;
use super::{context, own_role_name, selected_context};
use crate::error::{self, Result};
use crate::log;
use pgrx::datum::Uuid;
use pgrx::prelude::*;

/// The long way of `fast::current_owner_fast`.
#[pg_extern(sql = false)]
fn current_owner() -> Result<Uuid> {
    Ok(context()?.owner.id)
}

/// `ringfence.enter()`: binds the transaction. An empty project is none.
#[pg_extern(sql = false)]
fn enter(owner: Option<&str>, project: Option<&str>, agent: Option<&str>) -> Result<Uuid> {
    let owner = owner.filter(|owner| !owner.is_empty()).ok_or_else(|| error::missing_argument("owner"))?;
    super::enter(owner, project.filter(|project| !project.is_empty()), agent.filter(|agent| !agent.is_empty()))
}

/// The same by the owner's id, for clients that bind it as a uuid.
#[pg_extern(sql = false)]
fn enter_by_id(owner: Option<Uuid>, project: Option<&str>, agent: Option<&str>) -> Result<Uuid> {
    enter(owner.map(|owner| owner.to_string()).as_deref(), project, agent)
}

/// `ringfence.login()`: as `enter()`, by a signed token.
#[pg_extern(sql = false)]
fn login(token: Option<&str>) -> Result<Uuid> {
    log::statement_holds_secret();
    super::login(token.ok_or_else(|| error::missing_argument("token"))?)
}

#[pg_extern(sql = false)]
fn current_project() -> Result<Option<Uuid>> {
    Ok(context()?.project.as_ref().map(|project| project.id))
}

#[pg_extern(sql = false)]
fn current_agent() -> Result<Option<String>> {
    super::agent()
}

#[pg_extern(sql = false)]
fn current_source() -> Result<Option<String>> {
    match super::source()? {
        Some(source) if !context()?.may_act_as(Some(&source)) => Err(error::source_not_allowed(&source)),
        source => Ok(source),
    }
}

/// Who is writing, for created_by and updated_by: the application's user if it tells, else the role.
#[pg_extern(sql = false)]
fn current_actor() -> Result<String> {
    super::actor()
}

/// The long way of `fast::has_right_fast`.
#[pg_extern(sql = false)]
fn has_right(name: &str) -> Result<bool> {
    let right = Rights::parse(name)?;
    Ok(context()?.rights.contains(right))
}

/// True, or error 42501 without the right.
#[pg_extern(sql = false)]
fn check_right(name: &str) -> Result<bool> {
    super::require(Rights::parse(name)?, name).map(|()| true)
}

/// Whether the session's role holds the right in that project, or where none is named in all, selected or not.
#[pg_extern(sql = false)]
fn has_right_in(name: Option<&str>, project: Option<Uuid>) -> Result<bool> {
    let name = name.ok_or_else(|| error::missing_argument("right_name"))?;
    Ok(context()?.rights_within(project).contains(Rights::parse(name)?))
}

#[pg_extern(sql = false)]
fn works_in(project: Uuid) -> Result<bool> {
    Ok(context()?.works_in(project))
}

/// One row, also with no owner selected: then only the role is told. An owner or project that was asked for and
/// refused is the same error as anywhere else.
#[pg_extern(sql = false)]
fn whoami() -> Result<
    TableIterator<
        'static,
        (
            name!(role_name, String),
            name!(owner_id, Option<Uuid>),
            name!(owner_name, Option<String>),
            name!(project_id, Option<Uuid>),
            name!(project_name, Option<String>),
            name!(agent, Option<String>),
            name!(source, Option<String>),
            name!(rights, Vec<String>),
            name!(bound, Option<String>),
        ),
    >,
> {
    let role = own_role_name();
    let (agent, source) = (super::agent()?, super::source()?);
    let row = match selected_context()? {
        Some(context) => (
            role,
            Some(context.owner.id),
            Some(context.owner.name.clone()),
            context.project.as_ref().map(|project| project.id),
            context.project.as_ref().map(|project| project.name.clone()),
            agent,
            source,
            context.rights.names().map(str::to_owned).collect(),
            Some(context.bound.name().to_owned()),
        ),
        None => (role, None, None, None, None, agent, source, Vec::new(), None),
    };
    Ok(TableIterator::once(row))
}
