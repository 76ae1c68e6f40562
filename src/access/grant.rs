//! What is stored of access, row by row, and what each row gives to a role that holds it.

use crate::catalog::{self, Row, Rows, Source};
use crate::error::Result;
use crate::rights::Rights;
use crate::role;
use pgrx::datum::Uuid;
use pgrx::pg_sys;
use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};
use std::ffi::CStr;

/// How a session must select the owner, so that a grant counts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Binding {
    // From the weakest to the strictest.
    Session,
    Transaction,
    Token,
}

impl Binding {
    pub fn parse(text: &str) -> Option<Binding> {
        match text {
            "transaction" => Some(Binding::Transaction),
            "session" => Some(Binding::Session),
            "token" => Some(Binding::Token),
            _ => None,
        }
    }
}

impl std::fmt::Display for Binding {
    fn fmt(&self, out: &mut std::fmt::Formatter) -> std::fmt::Result {
        out.write_str(match self {
            Binding::Session => "session",
            Binding::Transaction => "transaction",
            Binding::Token => "token",
        })
    }
}

/// What one row of `ringfence.access` gives.
pub struct Grant {
    /// None: all projects of the owner.
    project: Option<Uuid>,
    pub rights: Rights,
    pub binding: Binding,
    /// None: any source system.
    sources: Option<Vec<String>>,
}

impl Grant {
    /// All rights in all projects: for the extension's own work within an owner.
    pub fn unlimited() -> Grant {
        Grant { project: None, rights: Rights::ALL, binding: Binding::Session, sources: None }
    }

    pub fn covers(&self, project: Uuid) -> bool {
        self.project.is_none_or(|own| own == project)
    }

    /// Whether it covers that project and no other.
    pub fn is_limited_to(&self, project: Uuid) -> bool {
        self.project == Some(project)
    }

    /// What the grant gives in that project alone, without the rights over what all projects share.
    /// None if it does not cover the project.
    pub fn limited_to(self, project: Uuid) -> Option<Grant> {
        let rights = self.rights.without(Rights::OF_THE_WHOLE_OWNER);
        self.covers(project).then_some(Grant { project: Some(project), rights, ..self })
    }

    /// Whether it covers all projects of the owner, also those to come.
    pub fn covers_all(&self) -> bool {
        self.project.is_none()
    }

    /// Whether it allows to act as that source system, or if none is named, as any source system.
    pub fn allows_source(&self, source: Option<&str>) -> bool {
        match (&self.sources, source) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(sources), Some(source)) => sources.iter().any(|allowed| allowed == source),
        }
    }
}

/// Whether a role holds what was granted to `grantee`, by PostgreSQL's rules for privileges. The
/// oid of a dropped role gives nothing, even if a new role has the same oid.
pub fn holds(role: pg_sys::Oid, grantee: pg_sys::Oid, grantee_name: &str) -> bool {
    role::name(grantee).as_deref() == Some(grantee_name)
        // SAFETY: a catalog look-up by oid, inside a transaction.
        && unsafe { pg_sys::has_privs_of_role(role, grantee) }
}

/// A row of `ringfence.access`, not yet judged.
pub struct AccessRow {
    pub owner: Uuid,
    pub grantee: pg_sys::Oid,
    pub grantee_name: String,
    pub project: Option<Uuid>,
    /// Of rights and of profiles.
    pub names: Vec<String>,
    sources: Option<Vec<String>>,
    pub binding: Binding,
}

impl AccessRow {
    fn decode(row: &Row) -> Option<AccessRow> {
        let present = |list: Vec<Option<String>>| list.into_iter().flatten().collect::<Vec<_>>();
        Some(AccessRow {
            owner: row.get(0)?,
            grantee: row.get(1)?,
            grantee_name: row.get(2)?,
            project: row.get(3),
            names: present(row.get(4)?),
            sources: row.get(5).map(present),
            binding: Binding::parse(&row.get::<String>(6)?)?,
        })
    }

    /// What one of the row's names gives here. A profile that is gone gives nothing. Access that is
    /// limited to a project gives no rights over what all projects share.
    pub fn rights_by(&self, name: &str, profiles: &Profiles, owner: Uuid) -> Result<Rights> {
        let rights = match Rights::named(name) {
            Some(right) => right,
            None => profile_rights(profiles, owner, name)?.unwrap_or_default(),
        };
        Ok(if self.project.is_some() { rights.without(Rights::OF_THE_WHOLE_OWNER) } else { rights })
    }
}

const COLUMNS: [&CStr; 7] = [c"owner_id", c"role", c"role_name", c"project_id", c"rights", c"sources", c"binding"];

/// All rows for an owner.
pub fn stored(owner: Uuid) -> Result<Vec<AccessRow>> {
    catalog::read(Source::Access, &COLUMNS, Rows::KeyStartsWith(owner), AccessRow::decode)
}

/// All rows that a role holds, for all owners: its own rows, and those of the roles that it is a
/// member of. Rows of other roles are not read, so that the time this takes tells nothing about
/// them.
pub fn held(role: pg_sys::Oid) -> Result<Vec<AccessRow>> {
    let roles = roles_to_ask(role)?;
    let rows = roles.as_deref().map_or(Rows::All, Rows::OfRoles);
    let held = catalog::read(Source::Access, &COLUMNS, rows, AccessRow::decode)?;
    Ok(held.into_iter().filter(|stored| holds(role, stored.grantee, &stored.grantee_name)).collect())
}

/// The roles whose privileges a role might hold, each once. [`holds`] decides. None: any role might
/// be one of them.
fn roles_to_ask(role: pg_sys::Oid) -> Result<Option<Vec<pg_sys::Oid>>> {
    // SAFETY: reads the role's catalog entry, inside a transaction.
    if unsafe { pg_sys::superuser_arg(role) } {
        return Ok(None);
    }
    // The owner of the database is a member of pg_database_owner, and no catalog says so.
    let mut roles = vec![pg_sys::Oid::from(pg_sys::ROLE_PG_DATABASE_OWNER), role];
    let mut known: HashSet<pg_sys::Oid> = roles.iter().copied().collect();
    let mut next = 1;
    while let Some(member) = roles.get(next).copied() {
        next += 1;
        roles.extend(catalog::memberships(member)?.into_iter().filter(|group| known.insert(*group)));
    }
    Ok(Some(roles))
}

/// What rows of one owner give for that owner.
pub fn grants(held: &[AccessRow], owner: Uuid) -> Result<Vec<Grant>> {
    let profiles = OnceCell::new();
    held.iter()
        .map(|stored| {
            let mut rights = Rights::NONE;
            for name in &stored.names {
                rights = rights.union(stored.rights_by(name, &profiles, owner)?);
            }
            let (project, sources) = (stored.project, stored.sources.clone());
            Ok(Grant { project, rights, binding: stored.binding, sources })
        })
        .collect()
}

/// The profiles of one owner, read at first use.
pub type Profiles = OnceCell<HashMap<String, Rights>>;

pub fn profile_rights(profiles: &Profiles, owner: Uuid, name: &str) -> Result<Option<Rights>> {
    if profiles.get().is_none() {
        let columns: [&CStr; 2] = [c"name", c"rights"];
        let read = catalog::read(Source::Profile, &columns, Rows::KeyStartsWith(owner), |row| {
            let rights = row.get::<Vec<Option<String>>>(1)?;
            let rights = rights.iter().flatten().filter_map(|name| Rights::named(name));
            Some((row.get(0)?, rights.fold(Rights::NONE, Rights::union)))
        })?;
        let _ = profiles.set(read.into_iter().collect());
    }
    Ok(profiles.get().and_then(|profiles| profiles.get(name).copied()))
}
