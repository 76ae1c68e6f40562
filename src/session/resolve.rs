//! Answers, from the tables, what a role and what it selected resolve to.

use super::context::{Bound, Context, Serial};
use super::rights::Rights;
use super::settings::Scope;
use super::{latched_owner, own_role_name};
use crate::access::{self, Binding, Entry};
use crate::error::{self, Result};
use crate::owner::{self, Owner};
use crate::project::{self, Project};
use pgrx::datum::Uuid;
use pgrx::pg_sys;
use std::cell::OnceCell;

#[derive(PartialEq, Eq, Hash, Clone)]
pub struct Question {
    pub role: pg_sys::Oid,
    pub owner: Option<String>,
    pub project: Option<String>,
    pub way: Way,
}

/// How the owner of a question was selected.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum Way {
    Setting(Scope),
    Enter,
    /// By a token, and limited to those rights.
    Token(Rights),
}

/// Answers a question from the tables: None if no owner is asked for and none is the default.
pub fn decide(question: &Question) -> Result<Option<Context>> {
    let latched = latched_owner();
    let (owner, entries, bound) = match &question.owner {
        Some(text) => {
            let found = owner::find(text)?;
            let found_id = found.as_ref().map(|owner| owner.id);
            let entries = match &found {
                Some(owner) => access::entries(question.role, owner.id)?,
                // Read the table all the same: an owner that does not exist is refused in the same time.
                None => access::entries(question.role, Uuid::from_bytes([0xff; 16]))?,
            };
            let Some(owner) = found.filter(|_| !entries.is_empty()) else {
                return Err(match latched {
                    Some(latched) if found_id != Some(latched) => error::latched(),
                    _ => error::no_access(&own_role_name(), text),
                });
            };
            if latched.is_some_and(|latched| latched != owner.id) {
                return Err(error::latched());
            }
            if !owner.enabled {
                return Err(error::owner_disabled(text));
            }
            let bound = match question.way {
                Way::Setting(_) => Bound::Setting,
                Way::Enter => Bound::Enter,
                Way::Token(_) => Bound::Token,
            };
            (owner, entries, bound)
        }
        None => {
            let Some(owner) = default_owner(question.role)? else {
                return Ok(None);
            };
            let entries = access::entries(question.role, owner.id)?;
            (owner, entries, Bound::Default)
        }
    };
    let mut entries = in_enabled_projects(&owner, accepted(question, &owner, bound, entries)?)?;
    let project = match &question.project {
        Some(text) => Some(select_project(text, &owner, &entries)?),
        None => None,
    };
    if let Way::Token(limit) = question.way {
        entries.iter_mut().for_each(|entry| entry.rights = entry.rights.intersection(limit));
        // A token for a project is access to that project.
        if let Some(project) = &project {
            entries = entries.into_iter().filter_map(|entry| entry.limited_to(project.id)).collect();
        }
    }
    let rights = entries
        .iter()
        .filter(|entry| project.as_ref().is_none_or(|project| entry.covers(project.id)))
        .fold(Rights::NONE, |rights, entry| rights.union(entry.rights));
    let transaction_only = match question.way {
        Way::Enter | Way::Token(_) => true,
        Way::Setting(scope) => bound == Bound::Setting && scope == Scope::Transaction,
    };
    let may_hold = !transaction_only && entries.iter().any(|entry| entry.binding == Binding::Session);
    let (fields, serial) = (OnceCell::new(), Serial::next());
    Ok(Some(Context { owner, project, bound, rights, transaction_only, may_hold, entries, fields, serial }))
}

/// Those of the role's entries for the owner that accept the way it was selected.
fn accepted(question: &Question, owner: &Owner, bound: Bound, entries: Vec<Entry>) -> Result<Vec<Entry>> {
    // A role of one owner has nothing to leave behind in a pool: naming its owner says no more than the default does.
    let local = bound == Bound::Default
        || question.way != Way::Setting(Scope::Session)
        || only_enabled(&access::owners(question.role)?)?.is_some_and(|only| only.id == owner.id);
    let token_only = entries.iter().all(|entry| entry.binding == Binding::Token);
    let accepted: Vec<Entry> = entries
        .into_iter()
        .filter(|entry| match entry.binding {
            Binding::Transaction => local,
            Binding::Session => true,
            Binding::Token => matches!(question.way, Way::Token(_)),
        })
        .collect();
    if accepted.is_empty() {
        let name = question.owner.as_deref().unwrap_or(&owner.name);
        return Err(if token_only { error::token_required(name) } else { error::not_bound_in_transaction(name) });
    }
    Ok(accepted)
}

/// The entries without those that are limited to a disabled project. Error 55000 if none are left.
fn in_enabled_projects(owner: &Owner, entries: Vec<Entry>) -> Result<Vec<Entry>> {
    if entries.iter().all(Entry::covers_all) {
        return Ok(entries);
    }
    let projects = project::of_owner(owner.id)?;
    let disabled = |entry: &Entry| projects.iter().find(|project| !project.enabled && entry.is_limited_to(project.id));
    let reason = entries.iter().find_map(disabled).map(|project| project.name.clone());
    let entries: Vec<Entry> = entries.into_iter().filter(|entry| disabled(entry).is_none()).collect();
    match reason {
        Some(project) if entries.is_empty() => Err(error::project_disabled(&project)),
        _ => Ok(entries),
    }
}

/// The only enabled one of these owners, if it is only one.
fn only_enabled(owners: &[Uuid]) -> Result<Option<Owner>> {
    let mut enabled = Vec::new();
    for id in owners {
        enabled.extend(owner::by_id(*id)?.filter(|owner| owner.enabled));
    }
    Ok(if enabled.len() == 1 { enabled.pop() } else { None })
}

/// The owner of a role that selects none: its only one. Error 55000 if that is disabled, 25001 if this transaction
/// has used an owner before.
fn default_owner(role: pg_sys::Oid) -> Result<Option<Owner>> {
    let owners = access::owners(role)?;
    if let Some(owner) = only_enabled(&owners)? {
        return Ok(Some(owner));
    }
    if let Some(latched) = latched_owner() {
        return Err(if owners.contains(&latched) { error::latched() } else { error::access_ended(&own_role_name()) });
    }
    match owners[..] {
        [only] => match owner::by_id(only)? {
            Some(owner) => Err(error::owner_disabled(&owner.name)),
            None => Ok(None),
        },
        _ => Ok(None),
    }
}

fn select_project(text: &str, owner: &Owner, entries: &[Entry]) -> Result<Project> {
    let found = project::find(owner.id, text)?.filter(|project| entries.iter().any(|entry| entry.covers(project.id)));
    match found {
        None => Err(error::no_such_project(text)),
        Some(project) if !project.enabled => Err(error::project_disabled(text)),
        Some(project) => Ok(project),
    }
}
