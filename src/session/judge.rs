//! The judgement: for whom a session works, where, and with which rights. All that the wall asks is answered from here.
//!
//! A setting asks, table `ringfence.access` answers. The answer is kept until something it depends on changes: a setting, the role, the
//! transaction, or (told by PostgreSQL's invalidation messages) one of the tables it was made from. What is kept where:
//!
//! * [`ANSWER`]: the context in force, valid within one transaction.
//! * [`CONTEXTS`]: what a role and its settings resolve to; valid across transactions, until an invalidation.
//! * `entered`: the owner that the transaction has entered, whatever is set.
//! * `latch`: the owner that the transaction has used.
//! * `access::owners`: which owners a role has access to; valid as long as [`CONTEXTS`].

use super::context::Context;
use super::decide::decide;
use super::question::{self, Question, Way};
use super::settings::Scope;
use super::{acting, entered, held, latch, parallel, settings};
use crate::access::owners;
use crate::catalog;
use crate::error::{self, Asked, Result};
use crate::name::Reference;
use crate::pg::statement_start;
use crate::rights::Rights;
use crate::role;
use pgrx::pg_sys;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

/// Contexts kept at once. A pooled backend meets each of its roles with each of its owners and projects.
const CONTEXTS_KEPT: usize = 512;

struct Answer {
    role: pg_sys::Oid,
    context: Rc<Context>,
}

/// What a transaction has worked for that a statement has ended: the statement may still be logged.
struct Ended {
    context: Rc<Context>,
    statement: pg_sys::TimestampTz,
}

thread_local! {
    /// Something has changed that contexts are made from.
    static STALE: Cell<bool> = const { Cell::new(true) };
    static ANSWER: RefCell<Option<Answer>> = const { RefCell::new(None) };
    static CONTEXTS: RefCell<HashMap<Question, Rc<Context>>> = RefCell::new(HashMap::new());
    static ENDED: RefCell<Option<Ended>> = const { RefCell::new(None) };
}

/// The context of this session. Using it fixes the owner until the transaction ends.
///
/// Errors: 42501 no owner selected, no access, or not selected in the way that the access accepts; 55000 owner or
/// project disabled; 25001 another owner was used before in this transaction; P0002 no such project in reach.
pub fn context() -> Result<Rc<Context>> {
    selected_context()?.ok_or_else(|| match entered::ended_with_last_transaction(role::current()) {
        Some(Way::Token(_)) => error::no_owner_selected_any_more("login"),
        Some(_) => error::no_owner_selected_any_more("enter"),
        None => error::no_owner_selected(),
    })
}

/// As [`context`], but None where no owner is selected and none is the default.
pub fn selected_context() -> Result<Option<Rc<Context>>> {
    judge().inspect_err(|refusal| {
        let asked = entered::current().map(|entered| entered.owner.into()).or_else(|| settings::owner().ok().flatten());
        error::log_refusal(&role::own_name(), Asked::Owner(asked.as_ref().map(Reference::text)), refusal)
    })
}

/// The context if the session is entitled to one. For what is asked for each row, and answers no where it is not: then nothing is
/// logged either.
pub fn context_if_entitled() -> Option<Rc<Context>> {
    judge().ok().flatten()
}

pub fn judge() -> Result<Option<Rc<Context>>> {
    if let Some(context) = acting::context() {
        return Ok(Some(context));
    }
    // SAFETY: processes pending invalidation messages, as PostgreSQL does whenever it locks a relation. Without it, a
    // statement that locks nothing new would not hear of a revoked right.
    unsafe { pg_sys::AcceptInvalidationMessages() };
    let role = role::judged()?;
    parallel::take_over()?;
    entered::check_expiry()?;
    if let Some(known) = in_force(role, Rc::clone) {
        return Ok(Some(known));
    }
    resolve(role)
}

/// Reads the answer in force, if there is one for the role and nothing has happened that it depends on. Calls nothing of
/// PostgreSQL's, and does not panic.
pub fn in_force<T>(role: pg_sys::Oid, read: impl FnOnce(&Rc<Context>) -> T) -> Option<T> {
    let read = |context: &Rc<Context>| {
        latch::owner_is_used();
        read(context)
    };
    look_at_answer(role, read)
}

/// Like [`in_force`], but reading the answer does not count as using the owner.
pub fn look_at_answer<T>(role: pg_sys::Oid, read: impl FnOnce(&Rc<Context>) -> T) -> Option<T> {
    if STALE.get() || settings::changed() || settings::latch() != settings::Latch::Transaction || held::fills_one() {
        return None;
    }
    ANSWER.with(|answer| {
        let answer = answer.try_borrow().ok()?;
        answer.as_ref().filter(|answer| answer.role == role).map(|answer| read(&answer.context))
    })
}

fn resolve(role: pg_sys::Oid) -> Result<Option<Rc<Context>>> {
    forget_what_is_stale()?;
    let question = match entered::current() {
        Some(entered) => entered.question(role)?,
        None if parallel::is_worker() => parallel::asked(role)?,
        None => question::by_settings(role)?,
    };
    answer(question)
}

/// Error 55000 if the library and the SQL of the extension are of different versions: what the one means, the other may
/// not say.
pub fn forget_what_is_stale() -> Result<()> {
    ANSWER.with(|answer| answer.replace(None));
    if STALE.get() {
        CONTEXTS.with(|contexts| contexts.borrow_mut().clear());
        let installed = catalog::installed_version()?;
        if installed.as_deref() != Some(env!("CARGO_PKG_VERSION")) {
            return Err(error::other_version(env!("CARGO_PKG_VERSION"), installed.as_deref()));
        }
        // Before reading on: what changes meanwhile makes it stale again.
        STALE.set(false);
    }
    settings::acknowledge();
    Ok(())
}

/// Answers a question, and fixes the owner.
fn answer(question: Question) -> Result<Option<Rc<Context>>> {
    let role = question.role;
    let Some(context) = decided(question)? else {
        return Ok(None);
    };
    let context = put_in_force(role, context)?;
    latch::owner_is_used();
    Ok(Some(context))
}

/// What a question resolves to, from memory or from the tables. Nothing is fixed by it yet.
pub fn decided(question: Question) -> Result<Option<Rc<Context>>> {
    let known = CONTEXTS.with(|contexts| contexts.borrow().get(&question).cloned());
    let context = match known {
        Some(context) => context,
        None => {
            let Some(context) = decide(&question)? else {
                return Ok(None);
            };
            let context = Rc::new(context);
            CONTEXTS.with(|contexts| {
                let mut contexts = contexts.borrow_mut();
                if contexts.len() >= CONTEXTS_KEPT {
                    contexts.clear();
                }
                contexts.insert(question, context.clone());
            });
            context
        }
    };
    Ok(Some(context))
}

pub fn put_in_force(role: pg_sys::Oid, context: Rc<Context>) -> Result<Rc<Context>> {
    latch::latch(context.owner.id, context.transaction_only)?;
    if !context.may_hold && held::fills_one() {
        return Err(error::survives_transaction("a cursor WITH HOLD"));
    }
    ANSWER.with(|answer| answer.replace(Some(Answer { role, context: context.clone() })));
    Ok(context)
}

/// Error 42501 unless the session holds the right.
pub fn require(right: Rights, right_name: &str) -> Result<()> {
    if context()?.rights.contains(right) { Ok(()) } else { Err(error::missing_right(&role::own_name(), right_name)) }
}

/// Whether an owner was selected for this transaction alone, used or not yet.
pub fn works_for_transaction_only() -> bool {
    let used = latch::is_for_transaction_only();
    let selected =
        || settings::owner_scope() == Scope::Transaction && settings::owner().is_ok_and(|owner| owner.is_some());
    used || entered::is_entered() || selected()
}

/// Whether rows of an owner may not stay in a cursor WITH HOLD: they would be there for whoever the connection, or its
/// role, is handed to.
pub fn refuses_held_cursors() -> bool {
    let used = ANSWER.with(|answer| answer.borrow().as_ref().is_some_and(|answer| !answer.context.may_hold));
    used || works_for_transaction_only()
}

/// For the server's log: the owner that the session works for, or that the statement at hand has worked for, or that is
/// asked for. It is called while an error is reported, and looks at nothing but what is remembered.
pub fn owner_to_log() -> Option<String> {
    let of = |context: &Context| format!("Owner: \"{}\" ({})", context.owner.name, context.owner.id);
    let in_force = || ANSWER.with(|answer| answer.try_borrow().ok()?.as_ref().map(|answer| of(&answer.context)));
    let ended = || {
        ENDED.with(|ended| {
            let ended = ended.try_borrow().ok()?;
            // A transaction that has failed has ended for us, and for PostgreSQL with the ROLLBACK that is still to come.
            // SAFETY: reads the state of the transaction.
            let failed = unsafe { pg_sys::IsAbortedTransactionBlockState() };
            ended
                .as_ref()
                .filter(|ended| failed || ended.statement == statement_start())
                .map(|ended| of(&ended.context))
        })
    };
    let asked = || {
        let asked = settings::owner().ok()??;
        let asked: String = asked.text().chars().filter(|character| !character.is_control()).take(200).collect();
        Some(format!("Owner asked for: \"{asked}\""))
    };
    in_force().or_else(ended).or_else(asked)
}

/// Something has changed that contexts are made from. For callbacks: sets flags.
pub fn forget() {
    STALE.set(true);
    owners::forget();
}

/// The transaction has ended.
pub fn transaction_ended() {
    let answer = ANSWER.with(|answer| answer.replace(None));
    let ended = answer.map(|answer| Ended { context: answer.context, statement: statement_start() });
    ENDED.with(|kept| kept.replace(ended));
}

/// A subtransaction was rolled back: the answer may come from it.
pub fn subtransaction_undone() {
    ANSWER.with(|answer| answer.replace(None));
}
