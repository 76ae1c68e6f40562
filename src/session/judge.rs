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
use super::{acting, entered, held, last, latch, parallel, settings};
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
    /// Whether it holds for the whole transaction, and not for one statement as with `ringfence.latch = statement`. Any change of that setting
    /// opens the question again.
    for_transaction: bool,
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
        last::forget();
        let asked = entered::current().map(|entered| entered.owner.into()).or_else(|| settings::owner().ok().flatten());
        error::log_refusal(&role::own_name(), Asked::Owner(asked.as_ref().map(Reference::text)), refusal)
    })
}

/// In a referential action: the context of the statement that set it off, if there was one. It may be asked there what is refused, and by whom
/// something is done, and for nothing that it would allow.
pub fn context_of_statement() -> Option<Rc<Context>> {
    if role::to_judge().is_some() || acting::is_acting() {
        return None;
    }
    ANSWER.with_borrow(|answer| {
        answer.as_ref().filter(|answer| answer.role == role::current()).map(|answer| answer.context.clone())
    })
}

/// The role of the session.
pub fn outer_role() -> pg_sys::Oid {
    role::current()
}

/// The context if the session is entitled to one. For what is asked for each row, and answers no where it is not: then nothing is
/// logged either.
pub fn context_if_entitled() -> Option<Rc<Context>> {
    judge().inspect_err(last::refused_silently).ok().flatten()
}

/// What the answer in force is asked for comes to.
pub enum Verdict<T> {
    /// It holds for the session's role, and this was read of it.
    InForce(T),
    /// There is none that holds for this role: it must be resolved.
    Open(pg_sys::Oid),
    /// The extension itself is at work for an owner.
    Acting,
    /// PostgreSQL runs code of a table's owner: see [`role::to_judge`].
    Restricted,
    /// The token that the transaction has entered by has expired.
    Expired,
}

/// The heart of it all: what is asked, and in which order, before the answer in force may be read. It stands here once. [`judge`] begins
/// with it, for each statement, and `fast` consists of it, for each row.
///
/// `accept_messages` processes pending invalidation messages, as PostgreSQL does whenever it locks a relation: without it, a statement that
/// locks nothing new would not hear of a revoked right. It alone may raise an error of PostgreSQL's, and nothing is borrowed then. Whether
/// that is guarded is for the caller to say. `read` is not to call PostgreSQL: an error would leave the answer borrowed.
#[inline(always)]
pub fn verdict<T>(accept_messages: impl FnOnce(), read: impl FnOnce(&Rc<Context>) -> T) -> Verdict<T> {
    if acting::is_acting() {
        return Verdict::Acting;
    }
    accept_messages();
    let Some(role) = role::to_judge() else {
        return Verdict::Restricted;
    };
    if entered::has_expired() {
        return Verdict::Expired;
    }
    if STALE.get() || settings::changed() || held::fills_one() {
        return Verdict::Open(role);
    }
    ANSWER.with(|answer| match answer.try_borrow().as_deref() {
        Ok(Some(answer)) if answer.role == role && answer.for_transaction => Verdict::InForce(read(&answer.context)),
        _ => Verdict::Open(role),
    })
}

/// The context that the session is entitled to; None where no owner is selected and none is the default.
pub fn judge() -> Result<Option<Rc<Context>>> {
    // SAFETY: inside a transaction, as every caller runs in one.
    let accept_messages = || unsafe { pg_sys::AcceptInvalidationMessages() };
    match verdict(accept_messages, Rc::clone) {
        Verdict::InForce(context) => {
            latch::owner_is_used();
            Ok(Some(context))
        }
        Verdict::Open(role) => resolve(role),
        Verdict::Acting => Ok(acting::context()),
        Verdict::Restricted => Err(error::restricted_operation()),
        Verdict::Expired => Err(error::token_expired()),
    }
}

fn resolve(role: pg_sys::Oid) -> Result<Option<Rc<Context>>> {
    parallel::take_over()?;
    // A worker may have taken over what has expired.
    if entered::has_expired() {
        return Err(error::token_expired());
    }
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
        catalog::compare_versions()?;
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
    last::works(role, &context);
    let for_transaction = settings::latch() == settings::Latch::Transaction;
    ANSWER.with(|answer| answer.replace(Some(Answer { role, context: context.clone(), for_transaction })));
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
