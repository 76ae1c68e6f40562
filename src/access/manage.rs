//! Granting, revoking and explaining access: who may, and how far.

use super::grant::{AccessRow, Binding, Profiles, holds, profile_rights, stored};
use crate::catalog;
use crate::error::{self, Result};
use crate::name::Reference;
use crate::owner::{self, Owner};
use crate::project::{self, Project};
use crate::rights::{self, Rights};
use crate::role;
use crate::session::{self, Context};
use pgrx::datum::{DatumWithOid, Uuid};
use pgrx::pg_sys;
use pgrx::spi::Spi;
use std::cell::OnceCell;
use std::rc::Rc;

/// Whose access the caller manages, and how far.
pub struct Manager {
    owner: Owner,
    /// None for `ringfence_admin`, which has no limits. Otherwise what the session itself holds.
    limits: Option<Rc<Context>>,
}

impl Manager {
    /// `ringfence_admin` manages any owner. A session with the right access.manage manages its own
    /// owner. Both must act themselves: a SECURITY DEFINER function of somebody else may not manage
    /// access for them. Error 42501, or P0002 for an owner that is not in reach.
    pub fn of(asked: &Reference) -> Result<Manager> {
        if !role::acts_itself() {
            return Err(error::may_not_manage_access(&role::own_name()));
        }
        if role::is_admin() {
            catalog::require_own_version()?;
            let owner = owner::find(asked)?.ok_or_else(|| error::no_such_owner(asked.text()))?;
            return Ok(Manager { owner, limits: None });
        }
        let context = session::context()?;
        if !context.rights.contains(Rights::ACCESS_MANAGE) {
            return Err(error::may_not_manage_access(&role::own_name()));
        }
        let own = &context.owner;
        if !own.is_meant_by(asked) {
            return Err(error::no_such_owner(asked.text()));
        }
        Ok(Manager { owner: own.clone(), limits: Some(context) })
    }

    /// The project of that name or id. Error P0002 if there is none, or if the caller does not work
    /// in it.
    fn project_id(&self, project: Option<&Reference>) -> Result<Option<Uuid>> {
        let Some(asked) = project else {
            return Ok(None);
        };
        let works_in = |id| self.limits.as_ref().is_none_or(|own| own.works_in(id));
        Ok(Some(project::in_reach(self.owner.id, asked, works_in)?.id))
    }

    /// Error 42501 unless the caller may manage access in the project, or if none is named, in all
    /// projects.
    fn may_manage(&self, project: Option<Uuid>) -> Result<()> {
        let within = self.limits.as_ref().is_none_or(|own| own.rights_within(project).contains(Rights::ACCESS_MANAGE));
        if within { Ok(()) } else { Err(error::may_not_manage_access(&role::own_name())) }
    }

    /// Error 42501 if the caller would give a right that it does not hold there itself.
    fn may_give(&self, rights: Rights, project: Option<Uuid>) -> Result<()> {
        let excess = self.limits.as_ref().and_then(|own| rights.without(own.rights_within(project)).names().next());
        excess.map_or(Ok(()), |right| Err(error::grants_more_than_held(right)))
    }

    /// Error 42501 if the caller itself may not act as one of these source systems.
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

    /// Error 42501 unless the role already has access to this owner, with a binding that is not
    /// stricter than the new one. Only `ringfence_admin` gives a role its first access: a role that
    /// works for one other owner would lose its default owner by it. Only `ringfence_admin` weakens
    /// a binding, because the binding says how far an application is trusted.
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

    /// Error 42501 if a stricter entry of the role would go and a weaker one stay. The access could
    /// then be granted again with the weaker binding.
    fn may_remove(&self, role_name: &str, project: Option<Uuid>) -> Result<()> {
        if self.limits.is_none() {
            return Ok(());
        }
        let entries = stored(self.owner.id)?.into_iter().filter(|entry| entry.grantee_name == role_name);
        let (removed, kept): (Vec<AccessRow>, Vec<AccessRow>) =
            entries.partition(|entry| project.is_none() || entry.project == project);
        let strictest = removed.iter().map(|entry| entry.binding).max();
        match kept.iter().map(|entry| entry.binding).min() {
            Some(weakest) if strictest > Some(weakest) => Err(error::weaker_binding(role_name)),
            _ => Ok(()),
        }
    }
}

/// What a role is to be granted.
pub struct Wanted {
    pub role_name: String,
    /// Of rights and of profiles: at least one.
    pub rights: Vec<String>,
    pub project: Option<Reference>,
    pub sources: Option<Vec<String>>,
    pub binding: Binding,
}

impl Manager {
    /// Says what a role may do for the owner, in one project or in all. A second call for the same
    /// role and project replaces the first.
    ///
    /// Errors: 42501 the caller may not manage access, or would give more than it holds; 22023
    /// unknown right or profile, unsuitable role; 42704 no such role; P0002 no such project.
    pub fn grant(self, wanted: Wanted) -> Result<()> {
        let Wanted { role_name, rights, project, sources, binding } = wanted;
        let project = self.project_id(project.as_ref())?;
        self.may_manage(project)?;
        self.may_give_sources(sources.as_deref(), project)?;
        let profiles = OnceCell::new();
        for name in &rights {
            let given = match Rights::named(name) {
                Some(right) => right,
                None => profile_rights(&profiles, self.owner.id, name)?
                    .ok_or_else(|| error::unknown_right_or_profile(name, &rights::list_of_names()))?,
            };
            self.may_give(given, project)?;
        }
        let role = role::oid(&role_name)?;
        self.may_change(role, &role_name, binding)?;
        if role_name.starts_with("ringfence_") || role_name.starts_with("pg_") {
            let reason = "it is a role of the system; give access to your own roles";
            return Err(error::unsuitable_role(&role_name, reason));
        }
        // SAFETY: reads the role's catalog entry, inside a transaction.
        if unsafe { pg_sys::has_bypassrls_privilege(role) } {
            error::warn_not_bound(&role_name);
        }

        let granted_by = role::own_name();
        let arguments: [DatumWithOid; 7] = [
            role.into(),
            role_name.as_str().into(),
            project.into(),
            rights.into(),
            sources.into(),
            binding.to_string().into(),
            granted_by.into(),
        ];
        let store = "SELECT ringfence.store_access($1, $2, $3, $4, $5, $6, $7)";
        session::as_definer_for(self.owner, || Spi::run_with_args(store, &arguments))?
            .map_err(|_| error::not_installed("function ringfence.store_access"))
    }

    /// Takes back what was granted for the owner, in one project, or if none is named, everywhere.
    /// In other sessions it takes effect at their next statement.
    ///
    /// Errors: 42501 the caller may not; P0002 no such project or access.
    pub fn revoke(self, role_name: &str, project: Option<&Reference>) -> Result<()> {
        let owner_name = self.owner.name.clone();
        let project = self.project_id(project)?;
        self.may_manage(project)?;
        self.may_remove(role_name, project)?;
        let arguments: [DatumWithOid; 2] = [role_name.into(), project.into()];
        let remove = "SELECT ringfence.remove_access($1, $2)";
        let removed = session::as_definer_for(self.owner, || Spi::get_one_with_args::<i64>(remove, &arguments))?
            .map_err(|_| error::not_installed("function ringfence.remove_access"))?;
        if removed == Some(0) { Err(error::no_such_access(role_name, &owner_name)) } else { Ok(()) }
    }

    /// Tells for each right whether the role holds it for the owner, and which row of
    /// `ringfence.access` gives it, or what is missing. If several rows give a right, there is one
    /// answer for each row.
    ///
    /// Errors: 42501 the caller may not manage access in all projects; 42704 no such role.
    pub fn explain(&self, role_name: &str) -> Result<Vec<Explanation>> {
        self.may_manage(None)?;
        let role = role::oid(role_name)?;
        let projects = project::of_owner(self.owner.id)?;
        let profiles = OnceCell::new();
        let all = stored(self.owner.id)?;
        let (held, other): (Vec<&AccessRow>, Vec<&AccessRow>) =
            all.iter().partition(|row| holds(role, row.grantee, &row.grantee_name));

        let mut explained = Vec::new();
        for right_name in rights::names() {
            let right = Rights::parse(right_name)?;
            let before = explained.len();
            for row in &held {
                explained.extend(given_by(row, right_name, right, &self.owner, &projects, &profiles)?);
            }
            if explained.len() == before {
                let reason = why_missing(role, role_name, right, &held, &other).to_owned();
                let (given_to, project, binding) = (None, None, None);
                explained.push(Explanation { right_name, held: false, given_to, project, binding, reason });
            }
        }
        // SAFETY: reads the role's catalog entry, inside a transaction.
        if unsafe { pg_sys::has_bypassrls_privilege(role) } {
            for explanation in &mut explained {
                explanation.reason += "; but row-level security does not bind this role";
            }
        }
        Ok(explained)
    }
}

/// Whether a role holds a right for an owner, and why.
pub struct Explanation {
    pub right_name: &'static str,
    pub held: bool,
    /// The role, project and binding of the row that gives it.
    pub given_to: Option<String>,
    pub project: Option<String>,
    pub binding: Option<String>,
    pub reason: String,
}

/// How a row that the role holds gives the right: one answer for each of the row's names that
/// includes the right.
fn given_by(
    row: &AccessRow,
    right_name: &'static str,
    right: Rights,
    owner: &Owner,
    projects: &[Project],
    profiles: &Profiles,
) -> Result<Vec<Explanation>> {
    let project = projects.iter().find(|project| Some(project.id) == row.project);
    let obstacle = match project {
        _ if !owner.enabled => Some("the owner is disabled"),
        Some(project) if !project.enabled => Some("the project is disabled"),
        _ => None,
    };
    let mut explained = Vec::new();
    for name in &row.names {
        if !row.rights_by(name, profiles, owner.id)?.contains(right) {
            continue;
        }
        let by = if name == right_name { "granted".to_owned() } else { format!("by profile \"{name}\"") };
        explained.push(Explanation {
            right_name,
            held: obstacle.is_none(),
            given_to: Some(row.grantee_name.clone()),
            project: project.map(|project| project.name.clone()),
            binding: Some(row.binding.to_string()),
            reason: obstacle.map_or_else(|| by.clone(), |obstacle| format!("{by}, but {obstacle}")),
        });
    }
    Ok(explained)
}

/// Why a role does not hold a right that none of its rows gives.
fn why_missing(
    role: pg_sys::Oid,
    role_name: &str,
    right: Rights,
    held: &[&AccessRow],
    other: &[&AccessRow],
) -> &'static str {
    if !held.is_empty() {
        if Rights::OF_THE_WHOLE_OWNER.contains(right) && held.iter().all(|row| row.project.is_some()) {
            "none of the entries gives it; access that is limited to a project cannot"
        } else {
            "none of the entries gives it"
        }
    } else if other.iter().any(|row| row.grantee == role) {
        "the role was renamed since access was granted to it: grant it again"
    } else if other.iter().any(|row| row.grantee_name == role_name) {
        "access was granted to another role of this name: grant it again"
    } else {
        "no access was granted to the role, or to one whose privileges it has"
    }
}
