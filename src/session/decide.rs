//! Answers, from the tables, what a role and what it selected resolve to.

use super::context::{Context, SelectedBy};
use super::last;
use super::latch::latched_owner;
use super::question::{Question, Way};
use super::settings::Scope;
use crate::access::grant::{self, Binding, Grant};
use crate::access::owners::{self, OwnerOfRole, OwnersOfRole};
use crate::access::reach::Reach;
use crate::error::{self, Failure, Result};
use crate::name::Reference;
use crate::owner::{self, Owner, closed};
use crate::project::{self, Project};
use crate::role;
use pgrx::datum::Uuid;
use pgrx::pg_sys;

/// Answers a question from the tables: None if no owner is asked for and none is the default.
///
/// An owner is looked for among those that the role has access to, and nowhere else.
pub fn decide(question: &Question) -> Result<Option<Context>> {
    let owners = owners::of(question.role)?;
    let Some((of_role, selected_by)) = find_owner(question, &owners)? else {
        return Ok(None);
    };
    let owner = of_role.owner.clone();
    closed::require_open(&owner)?;
    let grants = grant::grants(&of_role.held, owner.id)?;
    let only = owners.only_enabled().is_some_and(|only| only.owner.id == owner.id);
    let mut grants = in_enabled_projects(&owner, accepted(question, &owner, only, selected_by, grants)?)?;
    let project = match &question.project {
        Some(asked) => Some(select_project(asked, &owner, &grants)?),
        None => None,
    };
    if let Way::Token(limit) = question.way {
        grants.iter_mut().for_each(|grant| grant.rights = grant.rights.intersection(limit));
        // A token for a project is access to that project.
        if let Some(project) = &project {
            grants = grants.into_iter().filter_map(|grant| grant.limited_to(project.id)).collect();
        }
    }
    let transaction_only = match question.way {
        Way::Enter | Way::Token(_) => true,
        Way::Setting(scope) => selected_by == SelectedBy::Setting && scope == Scope::Transaction,
    };
    let may_hold = !transaction_only && grants.iter().any(|grant| grant.binding == Binding::Session);
    Ok(Some(Context::new(Reach::new(owner, project, grants), selected_by, transaction_only, may_hold)))
}

/// The owner that is asked for, or else the default. Errors: 42501 no access; 25001 the transaction has used another owner; 55000 it is
/// disabled.
fn find_owner<'a>(question: &Question, owners: &'a OwnersOfRole) -> Result<Option<(&'a OwnerOfRole, SelectedBy)>> {
    let Some(asked) = &question.owner else {
        return Ok(default_owner(question.role, owners)?.map(|of_role| (of_role, SelectedBy::Default)));
    };
    let latched = latched_owner();
    let Some(of_role) = owners.find(asked) else {
        if let Some(deleted) = last::deleted(question.role, Some(asked))? {
            return Err(deleted);
        }
        return Err(match latched {
            Some(latched) if !is_meant(latched, asked)? => error::latched(),
            _ => error::no_access(&role::own_name(), asked.text()),
        });
    };
    if latched.is_some_and(|latched| latched != of_role.owner.id) {
        return Err(error::latched());
    }
    if !of_role.owner.enabled {
        return Err(disabled(&of_role.owner, asked.text()));
    }
    let selected_by = match question.way {
        Way::Setting(_) => SelectedBy::Setting,
        Way::Enter => SelectedBy::Enter,
        Way::Token(_) => SelectedBy::Token,
    };
    Ok(Some((of_role, selected_by)))
}

fn disabled(owner: &Owner, asked: &str) -> Failure {
    if owner.is_purged { error::owner_being_deleted(asked) } else { error::owner_disabled(asked) }
}

/// Whether an owner that this transaction has used is the one that is asked for.
fn is_meant(owner: Uuid, asked: &Reference) -> Result<bool> {
    Ok(owner::by_id(owner)?.is_some_and(|owner| owner.is_meant_by(asked)))
}

/// Those of the role's grants for the owner that accept the way it was selected. `only`: it is the only one of the role.
fn accepted(
    question: &Question,
    owner: &Owner,
    only: bool,
    selected_by: SelectedBy,
    grants: Vec<Grant>,
) -> Result<Vec<Grant>> {
    // A role of one owner has nothing to leave behind in a pool: naming its owner says no more than the default does.
    let local = selected_by == SelectedBy::Default || question.way != Way::Setting(Scope::Session) || only;
    let token_only = grants.iter().all(|grant| grant.binding == Binding::Token);
    let accepted: Vec<Grant> = grants
        .into_iter()
        .filter(|grant| match grant.binding {
            Binding::Transaction => local,
            Binding::Session => true,
            Binding::Token => matches!(question.way, Way::Token(_)),
        })
        .collect();
    if accepted.is_empty() {
        let name = question.owner.as_ref().map_or(owner.name.as_str(), Reference::text);
        return Err(if token_only { error::token_required(name) } else { error::not_bound_in_transaction(name) });
    }
    Ok(accepted)
}

/// The grants without those that are limited to a disabled project. Error 55000 if none are left.
fn in_enabled_projects(owner: &Owner, grants: Vec<Grant>) -> Result<Vec<Grant>> {
    if grants.iter().all(Grant::covers_all) {
        return Ok(grants);
    }
    let projects = project::of_owner(owner.id)?;
    let disabled = |grant: &Grant| projects.iter().find(|project| !project.enabled && grant.is_limited_to(project.id));
    let reason = grants.iter().find_map(disabled).map(|project| project.name.clone());
    let grants: Vec<Grant> = grants.into_iter().filter(|grant| disabled(grant).is_none()).collect();
    match reason {
        Some(project) if grants.is_empty() => Err(error::project_disabled(&project)),
        _ => Ok(grants),
    }
}

/// The owner of a role that selects none: its only one. Error 55000 if it is disabled, as its only one or as the one that this
/// transaction has used; 25001 if the transaction has used an owner before, and selects none now.
fn default_owner(role: pg_sys::Oid, owners: &OwnersOfRole) -> Result<Option<&OwnerOfRole>> {
    if let Some(only) = owners.only_enabled() {
        return Ok(Some(only));
    }
    if let Some(deleted) = last::deleted(role, None)? {
        return Err(deleted);
    }
    if let Some(latched) = latched_owner() {
        return Err(match owners.by_id(latched) {
            Some(of_role) if !of_role.owner.enabled => disabled(&of_role.owner, &of_role.owner.name),
            Some(_) => error::selection_undone(),
            None => error::access_ended(&role::own_name()),
        });
    }
    let mut all = owners.owners();
    match (all.next(), all.next()) {
        (Some(only), None) => Err(disabled(&only.owner, &only.owner.name)),
        _ => Ok(None),
    }
}

fn select_project(asked: &Reference, owner: &Owner, grants: &[Grant]) -> Result<Project> {
    let project = project::in_reach(owner.id, asked, |id| grants.iter().any(|grant| grant.covers(id)))?;
    if project.enabled { Ok(project) } else { Err(error::project_disabled(asked.text())) }
}
