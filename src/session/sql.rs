//! The functions of `sql/session.sql`: thin wrappers over the context.

use super::judge::{context, require, selected_context};
use super::{author, enter as entering, projects};
use crate::error::{self, ErrorReport, Result};
use crate::name::Reference;
use crate::rights::Rights;
use crate::{project, role, secret};
use pgrx::datum::Uuid;
use pgrx::prelude::*;

/// The long way of `fast::current_owner_fast`.
#[pg_extern(sql = false)]
fn current_owner() -> Result<Uuid, ErrorReport> {
    Ok(context()?.owner.id)
}

/// `ringfence.enter()`. An empty project is none.
#[pg_extern(sql = false)]
fn enter(owner: Option<&str>, project: Option<&str>, agent: Option<&str>) -> Result<Uuid, ErrorReport> {
    enter_given(owner.filter(|owner| !owner.is_empty()).map(Reference::new), project, agent)
}

/// The same by the owner's id, for clients that send it as a uuid.
#[pg_extern(sql = false)]
fn enter_by_id(owner: Option<Uuid>, project: Option<&str>, agent: Option<&str>) -> Result<Uuid, ErrorReport> {
    enter_given(owner.map(Reference::from), project, agent)
}

fn enter_given(owner: Option<Reference>, project: Option<&str>, agent: Option<&str>) -> Result<Uuid, ErrorReport> {
    let owner = owner.ok_or_else(|| error::missing_argument("owner"))?;
    let project = project.filter(|project| !project.is_empty()).map(Reference::new);
    Ok(entering::enter(&owner, project.as_ref(), agent.filter(|agent| !agent.is_empty()))?)
}

/// `ringfence.login()`: as `enter()`, by a signed token.
#[pg_extern(sql = false)]
fn login(token: Option<&str>) -> Result<Uuid, ErrorReport> {
    secret::statement_holds_secret();
    Ok(entering::login(token.ok_or_else(|| error::missing_argument("token"))?)?)
}

#[pg_extern(sql = false)]
fn current_project() -> Result<Option<Uuid>, ErrorReport> {
    Ok(context()?.project.as_ref().map(|project| project.id))
}

#[pg_extern(sql = false)]
fn current_agent() -> Result<Option<String>, ErrorReport> {
    Ok(author::agent()?)
}

#[pg_extern(sql = false)]
fn current_source() -> Result<Option<String>, ErrorReport> {
    let Some(source) = author::source()? else {
        return Ok(None);
    };
    author::source_of(&*context()?, &source)?;
    Ok(Some(source))
}

/// Who is writing, for created_by and updated_by: the application's user if it tells, else the role.
#[pg_extern(sql = false)]
fn current_actor() -> Result<String, ErrorReport> {
    Ok(author::actor()?)
}

/// The long way of `fast::has_right_fast`.
#[pg_extern(sql = false)]
fn has_right(name: &str) -> Result<bool, ErrorReport> {
    let right = Rights::parse(name)?;
    Ok(context()?.rights.contains(right))
}

/// True, or error 42501 without the right.
#[pg_extern(sql = false)]
fn check_right(name: &str) -> Result<bool, ErrorReport> {
    require(Rights::parse(name)?, name)?;
    Ok(true)
}

/// The long way of `fast::projects_with_fast`.
#[pg_extern(sql = false)]
fn projects_with(name: &str) -> Result<Vec<Uuid>, ErrorReport> {
    Ok(projects::with(Rights::parse(name)?, &*context()?)?)
}

/// The long way of `fast::has_right_in_fast`: whether the session's role holds the right in that project, or where none is named in
/// all, selected or not.
#[pg_extern(sql = false)]
fn has_right_in(name: Option<&str>, project: Option<Uuid>) -> Result<bool, ErrorReport> {
    let name = name.ok_or_else(|| error::missing_argument("right_name"))?;
    Ok(context()?.rights_within(project).contains(Rights::parse(name)?))
}

/// The project of that id or name, if the role works in it. NULL is a name that no project has.
#[pg_extern(sql = false)]
fn project_in_reach(project: Option<&str>) -> Result<Uuid, ErrorReport> {
    let context = context()?;
    let asked = Reference::new(project.unwrap_or("<NULL>"));
    Ok(project::in_reach(context.owner.id, &asked, |id| context.works_in(id))?.id)
}

#[pg_extern(sql = false)]
fn works_in(project: Uuid) -> Result<bool, ErrorReport> {
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
    ErrorReport,
> {
    let role = role::own_name();
    let (agent, source) = (author::agent()?, author::source()?);
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
            Some(context.selected_by.name().to_owned()),
        ),
        None => (role, None, None, None, None, agent, source, Vec::new(), None),
    };
    Ok(TableIterator::once(row))
}
