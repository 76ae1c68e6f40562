//! What a session asks: whom it wants to work for, and where.

use super::settings::{self, Scope};
use crate::error::Result;
use crate::name::Reference;
use crate::rights::Rights;
use pgrx::pg_sys;

#[derive(PartialEq, Eq, Hash, Clone)]
pub struct Question {
    pub role: pg_sys::Oid,
    pub owner: Option<Reference>,
    pub project: Option<Reference>,
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

/// What a role asks by the settings.
pub fn by_settings(role: pg_sys::Oid) -> Result<Question> {
    let (owner, project) = (settings::owner()?, settings::project()?);
    Ok(Question { role, owner, project, way: Way::Setting(settings::owner_scope()) })
}
