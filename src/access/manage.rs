//! Granting, revoking and explaining access: who may, and how far.

use super::{Binding, Stored, holds, profile_rights, stored};
use crate::catalog;
use crate::error::{self, Result};
use crate::owner::{self, Owner};
use crate::session::{self, Context, rights::Rights};
use crate::{name, project};
use pgrx::datum::{Array, DatumWithOid, Uuid};
use pgrx::prelude::*;
use std::cell::OnceCell;
use std::ffi::CString;
use std::rc::Rc;

/// Whose access the caller manages, and how far.
struct Manager {
    owner: Owner,
    /// None for `ringfence_admin`, who is limited by nothing; else what the session itself holds.
    limits: Option<Rc<Context>>,
}

impl Manager {
    /// `ringfence_admin` manages any owner; a session with the right access.manage its own; and either only by its own
    /// hand, not by a function that somebody else wrote and that runs as its author. Error 42501, or P0002 for
    /// an owner that is not in reach.
    fn of(owner_text: &str) -> Result<Manager> {
        if !session::acts_itself() {
            return Err(error::may_not_manage_access(&session::own_role_name()));
        }
        if session::is_admin() {
            let owner = owner::find(owner_text)?.ok_or_else(|| error::no_such_owner(owner_text))?;
            return Ok(Manager { owner, limits: None });
        }
        let context = session::context()?;
        if !context.rights.contains(Rights::ACCESS_MANAGE) {
            return Err(error::may_not_manage_access(&session::own_role_name()));
        }
        let own = &context.owner;
        if name::parse_id(owner_text).map_or(owner_text != own.name, |id| id != own.id) {
            return Err(error::no_such_owner(owner_text));
        }
        Ok(Manager { owner: own.clone(), limits: Some(context) })
    }

    /// The project of that name or id. Error P0002 if there is none, or none that the caller works in.
    fn project_id(&self, project: Option<&str>) -> Result<Option<Uuid>> {
        let Some(text) = project else {
            return Ok(None);
        };
        if text.len() > MAX_NAME_BYTES {
            return Err(error::argument_too_long("project"));
        }
        let in_reach = |id| self.limits.as_ref().is_none_or(|own| own.works_in(id));
        match project::find(self.owner.id, text)? {
            Some(project) if in_reach(project.id) => Ok(Some(project.id)),
            _ => Err(error::no_such_project(text)),
        }
    }

    /// Error 42501 unless access may be managed there: in the project, or where none is named in all.
    fn may_manage(&self, project: Option<Uuid>) -> Result<()> {
        let within = self.limits.as_ref().is_none_or(|own| own.rights_within(project).contains(Rights::ACCESS_MANAGE));
        if within { Ok(()) } else { Err(error::may_not_manage_access(&session::own_role_name())) }
    }

    /// Error 42501 if the caller would give a right that it does not hold there itself.
    fn may_give(&self, rights: Rights, project: Option<Uuid>) -> Result<()> {
        let excess = self.limits.as_ref().and_then(|own| rights.without(own.rights_within(project)).names().next());
        excess.map_or(Ok(()), |right| Err(error::grants_more_than_held(right)))
    }

    /// Error 42501 if the caller would let somebody act as a source system that it may not act as itself.
    fn may_give_sources(&self, sources: Option<&[String]>, project: Option<Uuid>) -> Result<()> {
        let Some(own) = &self.limits else {
            return Ok(());
        };
        match sources {
            None if !own.may_act_as_within(None, project) => Err(error::source_not_allowed("any")),
            None => Ok(()),
            Some(sources) => match sources.iter().find(|source| !own.may_act_as_within(Some(source), project)) {
                Some(source) => Err(error::source_not_allowed(source)),
                None => Ok(()),
            },
        }
    }

    /// Error 42501 unless the role has access to this owner already, with no stricter binding than the new one. A role's
    /// first access is `ringfence_admin`'s to give: to a role that works for another owner, a second one would take
    /// away the default. So is a weaker binding: it says how far an application is trusted.
    fn may_change(&self, role: pg_sys::Oid, role_name: &str, binding: Binding) -> Result<()> {
        if self.limits.is_none() {
            return Ok(());
        }
        let known = stored(self.owner.id)?;
        let own = known.iter().filter(|entry| entry.grantee == role && entry.grantee_name == role_name);
        match own.map(|entry| entry.binding).max() {
            None => Err(error::first_access(role_name)),
            Some(strictest) if binding < strictest => Err(error::weaker_binding(role_name)),
            Some(_) => Ok(()),
        }
    }

    /// Error 42501 if a stricter entry of the role would go and a weaker one stay: granted again, it would have the binding
    /// of what is left.
    fn may_remove(&self, role_name: &str, project: Option<Uuid>) -> Result<()> {
        if self.limits.is_none() {
            return Ok(());
        }
        let entries = stored(self.owner.id)?.into_iter().filter(|entry| entry.grantee_name == role_name);
        let (removed, kept): (Vec<Stored>, Vec<Stored>) =
            entries.partition(|entry| project.is_none() || entry.project == project);
        let strictest = removed.iter().map(|entry| entry.binding).max();
        match kept.iter().map(|entry| entry.binding).min() {
            Some(weakest) if strictest > Some(weakest) => Err(error::weaker_binding(role_name)),
            _ => Ok(()),
        }
    }
}

fn role_oid(role_name: &str) -> Result<pg_sys::Oid> {
    let missing = || error::no_such_role(role_name);
    let name = CString::new(role_name).map_err(|_| missing())?;
    let oid = catalog::role_oid(&name);
    if oid == pg_sys::InvalidOid { Err(missing()) } else { Ok(oid) }
}

/// Names in a list, and bytes of a name: more than there can be.
const MAX_NAMES: usize = 1000;
const MAX_NAME_BYTES: usize = 8192;

fn given(argument: &str, value: Option<&str>) -> Result<String> {
    let value = value.filter(|value| !value.is_empty()).ok_or_else(|| error::missing_argument(argument))?;
    if value.len() > MAX_NAME_BYTES { Err(error::argument_too_long(argument)) } else { Ok(value.to_owned()) }
}

fn text_list(argument: &str, list: Array<'_, &str>) -> Result<Vec<String>> {
    if list.len() > MAX_NAMES {
        return Err(error::argument_too_long(argument));
    }
    list.iter().map(|item| given(argument, item)).collect()
}

/// `ringfence.grant_access()`: says what a role may do for an owner, in one project or in all. A second call for the
/// same role, owner and project replaces the first.
///
/// Errors: 42501 the caller may not manage access of this owner, or would give more than it holds; 22023 unknown
/// right, profile or binding, unsuitable role; 42704 no such role; P0002 no such owner or project.
#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn grant_access(
    role_name: Option<&str>,
    owner: Option<&str>,
    rights: Option<Array<'_, &str>>,
    project: Option<&str>,
    sources: Option<Array<'_, &str>>,
    binding: Option<&str>,
) -> Result<()> {
    let role_name = given("role_name", role_name)?;
    let manager = Manager::of(&given("owner", owner)?)?;
    let owner = &manager.owner;
    let rights = text_list("rights", rights.ok_or_else(|| error::missing_argument("rights"))?)?;
    if rights.is_empty() {
        return Err(error::missing_argument("rights"));
    }
    let sources = sources.map(|sources| text_list("sources", sources)).transpose()?;
    let binding_name = given("binding", binding)?;
    let binding = Binding::parse(&binding_name).ok_or_else(|| error::unknown_binding(&binding_name))?;
    let project = manager.project_id(project)?;
    manager.may_manage(project)?;
    manager.may_give_sources(sources.as_deref(), project)?;
    let profiles = OnceCell::new();
    for name in &rights {
        let given = match Rights::named(name) {
            Some(right) => right,
            None => profile_rights(&profiles, owner.id, name)?.ok_or_else(|| error::unknown_right_or_profile(name))?,
        };
        manager.may_give(given, project)?;
    }
    let role = role_oid(&role_name)?;
    manager.may_change(role, &role_name, binding)?;
    if role_name.starts_with("ringfence_") || role_name.starts_with("pg_") {
        return Err(error::unsuitable_role(&role_name, "it is a role of the system; give access to your own roles"));
    }
    // SAFETY: reads the role's catalog entry, inside a transaction.
    if unsafe { pg_sys::has_bypassrls_privilege(role) } {
        error::warn_not_bound(&role_name);
    }

    let granted_by = session::own_role_name();
    let arguments: [DatumWithOid; 7] = [
        role.into(),
        role_name.as_str().into(),
        project.into(),
        rights.into(),
        sources.into(),
        binding_name.into(),
        granted_by.into(),
    ];
    session::as_definer(|| {
        session::acting_for(manager.owner, || {
            Spi::run_with_args("SELECT ringfence.store_access($1, $2, $3, $4, $5, $6, $7)", &arguments)
        })
    })?
    .map_err(|_| error::not_installed("function ringfence.store_access"))
}

/// `ringfence.revoke_access()`: takes back what was granted for an owner, in one project, or where none is named in
/// all. It takes effect in other sessions at their next statement.
///
/// Errors: 42501 the caller may not manage access of this owner; P0002 no such owner, project or access.
#[pg_extern(sql = false)]
fn revoke_access(role_name: Option<&str>, owner: Option<&str>, project: Option<&str>) -> Result<()> {
    let role_name = given("role_name", role_name)?;
    let manager = Manager::of(&given("owner", owner)?)?;
    let owner_name = manager.owner.name.clone();
    let project = manager.project_id(project)?;
    manager.may_manage(project)?;
    manager.may_remove(&role_name, project)?;
    let arguments: [DatumWithOid; 2] = [role_name.as_str().into(), project.into()];
    let removed = session::as_definer(|| {
        session::acting_for(manager.owner, || {
            Spi::get_one_with_args::<i64>("SELECT ringfence.remove_access($1, $2)", &arguments)
        })
    })?
    .map_err(|_| error::not_installed("function ringfence.remove_access"))?;
    if removed == Some(0) { Err(error::no_such_access(&role_name, &owner_name)) } else { Ok(()) }
}

/// `ringfence.explain_access()`: for each right whether the role holds it for the owner, and which entry gives it or what
/// is missing. A right that several entries give has a row for each.
///
/// Errors: 42501 the caller may not manage access of this owner; 42704 no such role; P0002 no such owner.
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
> {
    let role_name = given("role_name", role_name)?;
    let manager = Manager::of(&given("owner", owner)?)?;
    manager.may_manage(None)?;
    let role = role_oid(&role_name)?;
    let owner = &manager.owner;
    let projects = project::of_owner(owner.id)?;
    let profiles = OnceCell::new();
    let all = stored(owner.id)?;
    let (held, other): (Vec<&Stored>, Vec<&Stored>) =
        all.iter().partition(|entry| holds(role, entry.grantee, &entry.grantee_name));
    // SAFETY: reads the role's catalog entry, inside a transaction.
    let unbound = unsafe { pg_sys::has_bypassrls_privilege(role) };

    let mut rows = Vec::new();
    for right_name in crate::session::rights::names() {
        let right = Rights::parse(right_name)?;
        let before = rows.len();
        for entry in &held {
            let project = projects.iter().find(|project| Some(project.id) == entry.project);
            for name in &entry.names {
                if !entry.rights_by(name, &profiles, owner.id)?.contains(right) {
                    continue;
                }
                let by = if name == right_name { "granted".to_owned() } else { format!("by profile \"{name}\"") };
                let obstacle = match project {
                    _ if !owner.enabled => Some("the owner is disabled"),
                    Some(project) if !project.enabled => Some("the project is disabled"),
                    _ => None,
                };
                rows.push((
                    right_name.to_owned(),
                    obstacle.is_none(),
                    Some(entry.grantee_name.clone()),
                    project.map(|project| project.name.clone()),
                    Some(entry.binding.to_string()),
                    obstacle.map_or_else(|| by.clone(), |obstacle| format!("{by}, but {obstacle}")),
                ));
            }
        }
        if rows.len() == before {
            let missing = if !held.is_empty() {
                if Rights::OF_THE_WHOLE_OWNER.contains(right) && held.iter().all(|entry| entry.project.is_some()) {
                    "none of the entries gives it; access that is limited to a project cannot"
                } else {
                    "none of the entries gives it"
                }
            } else if other.iter().any(|entry| entry.grantee == role) {
                "the role was renamed since access was granted to it: grant it again"
            } else if other.iter().any(|entry| entry.grantee_name == role_name) {
                "access was granted to another role of this name: grant it again"
            } else {
                "no access was granted to the role, or to one whose privileges it has"
            };
            rows.push((right_name.to_owned(), false, None, None, None, missing.to_owned()));
        }
    }
    if unbound {
        for row in &mut rows {
            row.5 += "; but row-level security does not bind this role";
        }
    }
    Ok(TableIterator::new(rows))
}
