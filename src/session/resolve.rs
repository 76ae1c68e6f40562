//! Answers, from the tables, what a role and what it selected resolve to.

use super::context::{Bound, Context, Serial};
use super::reach::{self, Reach, Reached};
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
///
/// An owner is looked for among those that the role has access to, and nowhere else.
pub fn decide(question: &Question) -> Result<Option<Context>> {
    let reach = reach::of(question.role)?;
    let latched = latched_owner();
    let (reached, bound) = match &question.owner {
        Some(text) => {
            let Some(reached) = reach.find(text) else {
                return Err(match latched {
                    Some(latched) if !is_called(latched, text)? => error::latched(),
                    _ => error::no_access(&own_role_name(), text),
                });
            };
            if latched.is_some_and(|latched| latched != reached.owner.id) {
                return Err(error::latched());
            }
            if !reached.owner.enabled {
                return Err(error::owner_disabled(text));
            }
            let bound = match question.way {
                Way::Setting(_) => Bound::Setting,
                Way::Enter => Bound::Enter,
                Way::Token(_) => Bound::Token,
            };
            (reached, bound)
        }
        None => {
            let Some(reached) = default_owner(&reach)? else {
                return Ok(None);
            };
            (reached, Bound::Default)
        }
    };
    let owner = reached.owner.clone();
    let entries = access::entries(&reached.held, owner.id)?;
    let only = reach.only_enabled().is_some_and(|only| only.owner.id == owner.id);
    let mut entries = in_enabled_projects(&owner, accepted(question, &owner, only, bound, entries)?)?;
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

/// Whether an owner that this transaction has used is the one that is asked for.
fn is_called(owner: Uuid, text: &str) -> Result<bool> {
    Ok(owner::by_id(owner)?.is_some_and(|owner| owner.is_called(text)))
}

/// Those of the role's entries for the owner that accept the way it was selected. `only`: it is the only one of the role.
fn accepted(question: &Question, owner: &Owner, only: bool, bound: Bound, entries: Vec<Entry>) -> Result<Vec<Entry>> {
    // A role of one owner has nothing to leave behind in a pool: naming its owner says no more than the default does.
    let local = bound == Bound::Default || question.way != Way::Setting(Scope::Session) || only;
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

/// The owner of a role that selects none: its only one. Error 55000 if it is disabled, as its only one or as the one that this
/// transaction has used; 25001 if the transaction has used an owner before, and selects none now.
fn default_owner(reach: &Reach) -> Result<Option<&Reached>> {
    if let Some(only) = reach.only_enabled() {
        return Ok(Some(only));
    }
    if let Some(latched) = latched_owner() {
        return Err(match reach.by_id(latched) {
            Some(reached) if !reached.owner.enabled => error::owner_disabled(&reached.owner.name),
            Some(_) => error::selection_undone(),
            None => error::access_ended(&own_role_name()),
        });
    }
    let mut owners = reach.owners();
    match (owners.next(), owners.next()) {
        (Some(only), None) => Err(error::owner_disabled(&only.owner.name)),
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
