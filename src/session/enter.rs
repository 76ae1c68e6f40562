//! `enter()` and `login()`: a transaction enters an owner.

use super::context::Context;
use super::entered::{self, Entered};
use super::judge::{decided, forget_what_is_stale, put_in_force};
use super::question::{Question, Way};
use super::{parallel, settings};
use crate::error::{self, Asked, Result};
use crate::name::Reference;
use crate::pg::{database_name, statement_start};
use crate::rights::Rights;
use crate::{role, token};
use pgrx::datum::Uuid;
use pgrx::pg_sys;

/// Enters an owner, and a project or none: until the transaction ends, or a savepoint before is rolled back to, no setting
/// changes either. Entering the same again changes nothing.
///
/// Errors: 25001 the transaction has entered or used another owner; 54000 a long agent; else as [`super::context`].
pub fn enter(owner: &Reference, project: Option<&Reference>, agent: Option<&str>) -> Result<Uuid> {
    if agent.is_some_and(|agent| agent.len() > settings::MAX_BYTES) {
        return Err(error::argument_too_long("agent"));
    }
    let entered = |role, context: &Context| {
        Ok(Entered {
            role,
            owner: context.owner.id,
            project: context.project.as_ref().map(|project| project.id),
            agent: agent.map(str::to_owned),
            source: None,
            way: Way::Enter,
            key: None,
            expires: entered::NEVER,
        })
    };
    enter_as(owner, project, Way::Enter, entered)
        .inspect_err(|refusal| error::log_refusal(&role::own_name(), Asked::Owner(Some(owner.text())), refusal))
}

/// As [`enter`], with what a signed token says. It counts until it expires, or its key is dropped.
///
/// Errors: 28000 the token is not good, or not for this role or database; else as [`enter`].
pub fn login(token: &str) -> Result<Uuid> {
    let mut asked = None;
    (|| {
        let token = token::verify(token)?;
        let asked = asked.insert(token.owner);
        if token.role.is_some_and(|role| role != role::own_name()) {
            return Err(error::bad_claim("role", "is not the role of this session"));
        }
        if token.database.is_some_and(|database| Some(database) != database_name()) {
            return Err(error::bad_claim("database", "is not this database"));
        }
        let way = Way::Token(token.rights.unwrap_or(Rights::ALL));
        let (key, source) = (token.key, token.source);
        let owner = enter_as(asked, token.project.as_ref(), way, |role, context| {
            if let Some(source) = &source
                && !context.may_act_as(Some(source))
            {
                return Err(error::source_not_allowed(source));
            }
            Ok(Entered {
                role,
                owner: context.owner.id,
                project: context.project.as_ref().map(|project| project.id),
                agent: token.agent.clone(),
                source: source.clone(),
                way,
                key: Some(key),
                expires: token.expires,
            })
        })?;
        // Dropped while it was being read, it would have been forgotten with what was stale before.
        if token::key_exists(key)? { Ok(owner) } else { Err(error::signing_key_gone()) }
    })()
    .inspect_err(|refusal| {
        let asked = asked.as_ref().map_or(Asked::Token, |owner| Asked::Owner(Some(owner.text())));
        error::log_refusal(&role::own_name(), asked, refusal)
    })
}

/// Enters, once all is judged: what fails leaves nothing behind.
fn enter_as(
    owner: &Reference,
    project: Option<&Reference>,
    way: Way,
    entered: impl Fn(pg_sys::Oid, &Context) -> Result<Entered>,
) -> Result<Uuid> {
    // A worker knows of what its leader has entered and used only what it has taken over.
    // SAFETY: reads a variable of the backend.
    if parallel::is_worker() || unsafe { pg_sys::IsInParallelMode() } {
        return Err(error::binding_in_parallel());
    }
    // SAFETY: as in `judge`.
    unsafe { pg_sys::AcceptInvalidationMessages() };
    let role = role::judged()?;
    forget_what_is_stale()?;
    if let Some(before) = entered::current() {
        // Judged anew, since the access may have been taken back; but not put in force, for that would fix the owner in this statement.
        if way == Way::Enter && before.way == Way::Enter {
            let context = decided(before.clone().question(role)?)?.ok_or_else(error::no_owner_selected)?;
            let same_project = match (project, &context.project) {
                (Some(asked), Some(project)) => project.is_meant_by(asked),
                (asked, entered) => asked.is_none() && entered.is_none(),
            };
            if context.owner.is_meant_by(owner) && same_project && entered(before.role, &context)? == before {
                return Ok(context.owner.id);
            }
        }
        if settings::latch() == settings::Latch::Transaction || entered::is_entered_since(statement_start()) {
            return Err(error::already_entered());
        }
    }
    let question = Question { role, owner: Some(owner.clone()), project: project.cloned(), way };
    let context = decided(question)?.ok_or_else(error::no_owner_selected)?;
    let entered = entered(role, &context)?;
    let context = put_in_force(role, context)?;
    entered::begin(entered);
    Ok(context.owner.id)
}
