//! Who is writing, for created_by and updated_by, and for which source system. The agent is provenance, and carries no authority. A source has
//! authority over data: access says which ones a session may be.

use super::context::Context;
use super::{entered, parallel, settings};
use crate::error::{self, Result};
use crate::role;
use pgrx::datum::Uuid;

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

/// The id of the source of that name. Error 42501 if the access does not name it, whether the owner has it or not; else P0002 if the owner
/// does not have it, or it is retired.
pub fn source_of(context: &Context, name: &str) -> Result<Uuid> {
    if !context.may_act_as(Some(name)) {
        return Err(error::source_not_allowed(name));
    }
    context.sources()?.writing(name).ok_or_else(|| error::no_such_source(name))
}

/// The id of the source that the session writes as. Errors as [`source_of`].
pub fn acting_source(context: &Context) -> Result<Option<Uuid>> {
    source()?.map(|name| source_of(context, &name)).transpose()
}
