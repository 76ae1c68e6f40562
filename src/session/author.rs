//! Who is writing, for created_by and updated_by, and for which source system. It is provenance, and carries no authority.

use super::{entered, parallel, settings};
use crate::error::Result;
use crate::role;

/// The application's user: the one that was entered with, or else as set.
pub fn agent() -> Result<Option<String>> {
    parallel::take_over()?;
    match entered::agent() {
        Some(agent) => Ok(Some(agent)),
        None => settings::agent(),
    }
}

/// Who is writing: the application's user if it tells, else the role.
pub fn actor() -> Result<String> {
    Ok(agent()?.unwrap_or_else(role::own_name))
}

/// The source system: the one that was entered with, or else as set. Whether the session may act as it is not asked here.
pub fn source() -> Result<Option<String>> {
    parallel::take_over()?;
    match entered::source() {
        Some(source) => Ok(Some(source)),
        None => settings::source(),
    }
}
