//! The resolved context of this backend: for which owner, in which project, with which rights it works.
//!
//! A setting asks, table `ringfence.access` answers. The answer is kept until something it depends on changes: a
//! setting, the role, the transaction, or (told by PostgreSQL's invalidation messages) one of the tables it was
//! made from. What may be kept where is the whole art of this module:
//!
//! * `binding`: the owner that `enter()` or `login()` has bound this transaction to, whatever is set.
//! * [`LATCH`]: the owner that this transaction has used. Emptied when the transaction ends. It is emptied earlier only if `enter()`
//!   fixed it in a subtransaction that is rolled back, and nothing has used the owner since.
//! * [`ANSWER`]: the context in force, valid within one transaction.
//! * [`CONTEXTS`]: what a role and its settings resolve to; valid across transactions, until an invalidation.
//! * `reach`: which owners a role has access to; as long.

mod binding;
mod context;
pub mod fast;
pub mod hooks;
mod parallel;
mod reach;
mod resolve;
pub mod rights;
pub mod settings;
mod sql;

use crate::access::Entry;
use crate::catalog;
use crate::error::{self, Asked, Result};
use crate::owner::Owner;
use crate::pg::{database_name, statement_start};
use crate::token;
use binding::Binding;
use context::Bound;
pub use context::{Context, Serial};
use pgrx::datum::Uuid;
use pgrx::{pg_guard, pg_sys};
use resolve::{Question, Way, decide};
use rights::Rights;
use settings::Scope;
use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::ffi::CStr;
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

struct Latched {
    owner: Uuid,
    /// When the statement that fixed it began, for `ringfence.latch = statement`.
    statement: pg_sys::TimestampTz,
    /// The transaction has used an owner that was selected for it alone.
    transaction_only: bool,
    /// The subtransaction in which entering the owner has fixed it.
    entered_in: pg_sys::SubTransactionId,
}

thread_local! {
    static STALE: Cell<bool> = const { Cell::new(true) };
    static ANSWER: RefCell<Option<Answer>> = const { RefCell::new(None) };
    static LATCH: RefCell<Option<Latched>> = const { RefCell::new(None) };
    /// The transaction has used its owner, so it may have read the owner's rows.
    static USED: Cell<bool> = const { Cell::new(false) };
    static CONTEXTS: RefCell<HashMap<Question, Rc<Context>>> = RefCell::new(HashMap::new());
    static ACTING: RefCell<Option<Rc<Context>>> = const { RefCell::new(None) };
    static ENDED: RefCell<Option<Ended>> = const { RefCell::new(None) };
}

/// Defines the settings and listens for what makes answers stale. For `_PG_init`.
pub fn init() {
    settings::define();
    // SAFETY: the callbacks are guarded, live as long as the library, and only set flags or drop what Rust owns.
    unsafe {
        pg_sys::CacheRegisterRelcacheCallback(Some(relation_changed), pg_sys::Datum::null());
        for cache in [pg_sys::SysCacheIdentifier::AUTHOID, pg_sys::SysCacheIdentifier::AUTHMEMROLEMEM] {
            pg_sys::CacheRegisterSyscacheCallback(cache as _, Some(role_changed), pg_sys::Datum::null());
        }
        pg_sys::RegisterXactCallback(Some(transaction_event), std::ptr::null_mut());
        pg_sys::RegisterSubXactCallback(Some(subtransaction_event), std::ptr::null_mut());
    }
    hooks::install();
}

#[pg_guard]
unsafe extern "C-unwind" fn relation_changed(_argument: pg_sys::Datum, relation: pg_sys::Oid) {
    if relation == pg_sys::InvalidOid || catalog::was_read(relation) {
        forget();
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn role_changed(_argument: pg_sys::Datum, _cache: std::ffi::c_int, _hash: u32) {
    forget();
}

fn forget() {
    STALE.set(true);
    reach::forget();
}

#[pg_guard]
unsafe extern "C-unwind" fn transaction_event(event: pg_sys::XactEvent::Type, _argument: *mut std::ffi::c_void) {
    use pg_sys::XactEvent::*;
    match event {
        XACT_EVENT_PRE_PREPARE if works_for_transaction_only() => {
            error::prepared_transaction().report(pgrx::PgLogLevel::ERROR);
        }
        XACT_EVENT_COMMIT
        | XACT_EVENT_PARALLEL_COMMIT
        | XACT_EVENT_ABORT
        | XACT_EVENT_PARALLEL_ABORT
        | XACT_EVENT_PREPARE => {
            LATCH.with(|latch| latch.replace(None));
            USED.set(false);
            let answer = ANSWER.with(|answer| answer.replace(None));
            ENDED.with(|ended| {
                ended.replace(answer.map(|answer| Ended { context: answer.context, statement: statement_start() }))
            });
            ACTING.with(|acting| acting.replace(None));
            binding::end();
            reach::end_of_transaction();
            hooks::end_of_transaction();
        }
        _ => (),
    }
}

#[pg_guard]
unsafe extern "C-unwind" fn subtransaction_event(
    event: pg_sys::SubXactEvent::Type,
    own: pg_sys::SubTransactionId,
    parent: pg_sys::SubTransactionId,
    _argument: *mut std::ffi::c_void,
) {
    match event {
        pg_sys::SubXactEvent::SUBXACT_EVENT_ABORT_SUB => {
            binding::end_of_subtransaction(own);
            if !USED.get() {
                LATCH.with(|latch| latch.borrow_mut().take_if(|latched| latched.entered_in == own));
            }
            // The answer may come from the subtransaction that was rolled back.
            ANSWER.with(|answer| answer.replace(None));
        }
        pg_sys::SubXactEvent::SUBXACT_EVENT_COMMIT_SUB => {
            binding::hand_to_parent(own, parent);
            LATCH.with(|latch| {
                if let Some(latched) = latch.borrow_mut().as_mut().filter(|latched| latched.entered_in == own) {
                    latched.entered_in = parent;
                }
            });
        }
        _ => (),
    }
}

/// Whether an owner was selected for this transaction alone, used or not yet.
fn works_for_transaction_only() -> bool {
    let used = LATCH.with(|latch| latch.borrow().as_ref().is_some_and(|latched| latched.transaction_only));
    let selected =
        || settings::owner_scope() == Scope::Transaction && settings::owner().is_ok_and(|owner| owner.is_some());
    used || binding::is_bound() || selected()
}

/// Whether rows of an owner may not stay in a cursor WITH HOLD: they would be there for whoever the connection, or its
/// role, is handed to.
fn refuses_held_cursors() -> bool {
    let used = ANSWER.with(|answer| answer.borrow().as_ref().is_some_and(|answer| !answer.context.may_hold));
    used || works_for_transaction_only()
}

/// The role the session acts as: the one after SET ROLE, whatever SECURITY DEFINER function is running.
pub fn role() -> pg_sys::Oid {
    // SAFETY: reads a variable of the backend.
    unsafe { pg_sys::GetOuterUserId() }
}

/// The role to judge by. Error 42501 where PostgreSQL runs code of a table's owner for whoever uses or maintains the
/// table, which may be autovacuum's superuser: in a security-restricted operation (index expressions, materialized views)
/// and in a referential action (triggers on the referencing table). The session's role says nothing about who wrote it.
fn judged_role() -> Result<pg_sys::Oid> {
    // SAFETY: reads variables of the backend.
    if unsafe { pg_sys::InSecurityRestrictedOperation() || pg_sys::InNoForceRLSOperation() } {
        Err(error::restricted_operation())
    } else {
        Ok(role())
    }
}

/// Whether the session's role is at work itself, and no SECURITY DEFINER function between.
pub fn acts_itself() -> bool {
    // SAFETY: reads a variable of the backend.
    unsafe { pg_sys::GetUserId() == role() }
}

/// Whether the extension itself is at work for an owner, with [`acting_for`].
fn is_acting() -> bool {
    ACTING.with(|acting| acting.borrow().is_some())
}

/// The name of a role, if it exists.
pub fn role_name(role: pg_sys::Oid) -> Option<String> {
    // SAFETY: with `noerr` set it returns NULL for an unknown role, else a palloc'd C string, copied here.
    unsafe {
        let name = pg_sys::GetUserNameFromId(role, true);
        if name.is_null() { None } else { Some(CStr::from_ptr(name).to_string_lossy().into_owned()) }
    }
}

/// The name of the session's role, for messages.
pub fn own_role_name() -> String {
    role_name(role()).unwrap_or_default()
}

/// Whether the session's role is `ringfence_admin`, or has its privileges, and is at work itself: a SECURITY DEFINER
/// function of somebody else's, called by an administrator, administers nothing.
pub fn is_admin() -> bool {
    // SAFETY: catalog look-ups inside a transaction, as every caller runs in one.
    unsafe {
        let admin = catalog::role_oid(c"ringfence_admin");
        admin != pg_sys::InvalidOid
            && acts_itself()
            && judged_role().is_ok_and(|role| pg_sys::has_privs_of_role(role, admin))
    }
}

/// The context of this session. Using it fixes the owner until the transaction ends.
///
/// Errors: 42501 no owner selected, no access, or not selected in the way that the access accepts; 55000 owner or
/// project disabled; 25001 another owner was used before in this transaction; P0002 no such project in reach.
pub fn context() -> Result<Rc<Context>> {
    selected_context()?.ok_or_else(|| match binding::ended_with_last_transaction(role()) {
        Some(Way::Token(_)) => error::no_owner_selected_any_more("login"),
        Some(_) => error::no_owner_selected_any_more("enter"),
        None => error::no_owner_selected(),
    })
}

/// As [`context`], but None where no owner is selected and none is the default.
pub fn selected_context() -> Result<Option<Rc<Context>>> {
    judge().inspect_err(|refusal| {
        let asked =
            binding::current().map(|bound| bound.owner.to_string()).or_else(|| settings::owner().ok().flatten());
        error::log_refusal(&own_role_name(), Asked::Owner(asked.as_deref()), refusal)
    })
}

/// The context if the session is entitled to one. For what is asked for each row, and answers no where it is not: then nothing is
/// logged either.
pub fn context_if_entitled() -> Option<Rc<Context>> {
    judge().ok().flatten()
}

fn judge() -> Result<Option<Rc<Context>>> {
    if let Some(acting) = ACTING.with(|acting| acting.borrow().clone()) {
        return Ok(Some(acting));
    }
    // SAFETY: processes pending invalidation messages, as PostgreSQL does whenever it locks a relation. Without it, a
    // statement that locks nothing new would not hear of a revoked right.
    unsafe { pg_sys::AcceptInvalidationMessages() };
    let role = judged_role()?;
    parallel::take_over()?;
    binding::check_expiry()?;
    if let Some(known) = in_force(role, Rc::clone) {
        return Ok(Some(known));
    }
    resolve(role)
}

/// Reads the answer in force, if there is one for the role and nothing has happened that it depends on. Calls nothing of
/// PostgreSQL's, and does not panic.
fn in_force<T>(role: pg_sys::Oid, read: impl FnOnce(&Rc<Context>) -> T) -> Option<T> {
    let read = |context: &Rc<Context>| {
        USED.set(true);
        read(context)
    };
    look_at_answer(role, read)
}

/// Like [`in_force`], but reading the answer does not count as using the owner.
fn look_at_answer<T>(role: pg_sys::Oid, read: impl FnOnce(&Rc<Context>) -> T) -> Option<T> {
    if STALE.get()
        || settings::changed()
        || settings::latch() != settings::Latch::Transaction
        || hooks::fills_held_cursor()
    {
        return None;
    }
    ANSWER.with(|answer| {
        let answer = answer.try_borrow().ok()?;
        answer.as_ref().filter(|answer| answer.role == role).map(|answer| read(&answer.context))
    })
}

fn resolve(role: pg_sys::Oid) -> Result<Option<Rc<Context>>> {
    forget_what_is_stale()?;
    let question = match binding::current() {
        Some(binding) => binding.question(role)?,
        None if parallel::is_worker() => parallel::asked(role)?,
        None => question_by_settings(role)?,
    };
    answer(question)
}

fn question_by_settings(role: pg_sys::Oid) -> Result<Question> {
    let (owner, project) = (settings::owner()?, settings::project()?);
    Ok(Question { role, owner, project, way: Way::Setting(settings::owner_scope()) })
}

/// Error 55000 if the library and the SQL of the extension are of different versions: what the one means, the other may
/// not say.
fn forget_what_is_stale() -> Result<()> {
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
    USED.set(true);
    Ok(Some(context))
}

/// What a question resolves to, from memory or from the tables. Nothing is fixed by it yet.
fn decided(question: Question) -> Result<Option<Rc<Context>>> {
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

fn put_in_force(role: pg_sys::Oid, context: Rc<Context>) -> Result<Rc<Context>> {
    latch(context.owner.id, context.transaction_only)?;
    if !context.may_hold && hooks::fills_held_cursor() {
        return Err(error::survives_transaction("a cursor WITH HOLD"));
    }
    ANSWER.with(|answer| answer.replace(Some(Answer { role, context: context.clone() })));
    Ok(context)
}

/// The owner that this transaction (or statement) has used, if any, and whether it was selected for it alone.
fn latched() -> Option<(Uuid, bool)> {
    let statement = statement_start();
    LATCH.with(|latch| {
        latch
            .borrow()
            .as_ref()
            .filter(|latched| settings::latch() == settings::Latch::Transaction || latched.statement == statement)
            .map(|latched| (latched.owner, latched.transaction_only))
    })
}

fn latched_owner() -> Option<Uuid> {
    latched().map(|(owner, _)| owner)
}

/// Fixes the owner, or error 25001 if another one was fixed before.
fn latch(owner: Uuid, transaction_only: bool) -> Result<()> {
    match latched_owner() {
        Some(latched) if latched != owner => Err(error::latched()),
        _ => {
            LATCH.with(|latch| {
                let mut latch = latch.borrow_mut();
                let before = latch.as_ref();
                let transaction_only = transaction_only || before.is_some_and(|latched| latched.transaction_only);
                // SAFETY: reads a variable of the backend.
                let entered_in = before
                    .map_or_else(|| unsafe { pg_sys::GetCurrentSubTransactionId() }, |latched| latched.entered_in);
                *latch = Some(Latched { owner, statement: statement_start(), transaction_only, entered_in });
            });
            Ok(())
        }
    }
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
        let asked: String = asked.chars().filter(|character| !character.is_control()).take(200).collect();
        Some(format!("Owner asked for: \"{asked}\""))
    };
    in_force().or_else(ended).or_else(asked)
}

/// Binds this transaction to an owner, and to a project or to none: until it ends, or a savepoint before is rolled
/// back to, no setting changes either. Entering the same again changes nothing.
///
/// Errors: 25001 the transaction is bound otherwise, or has used another owner; 54000 a long agent; else as [`context`].
pub fn enter(owner: &str, project: Option<&str>, agent: Option<&str>) -> Result<Uuid> {
    let (owner, project) = (settings::name_in(owner), project.map(settings::name_in));
    if agent.is_some_and(|agent| agent.len() > settings::MAX_BYTES) {
        return Err(error::argument_too_long("agent"));
    }
    let binding = |role, context: &Context| {
        Ok(Binding {
            role,
            owner: context.owner.id,
            project: context.project.as_ref().map(|project| project.id),
            agent: agent.map(str::to_owned),
            source: None,
            way: Way::Enter,
            key: None,
            expires: binding::NEVER,
        })
    };
    bind(owner, project, Way::Enter, binding)
        .inspect_err(|refusal| error::log_refusal(&own_role_name(), Asked::Owner(Some(owner)), refusal))
}

/// As [`enter`], with what a signed token says. It counts until it expires, or its key is dropped.
///
/// Errors: 28000 the token is not good, or not for this role or database; else as [`enter`].
pub fn login(token: &str) -> Result<Uuid> {
    let mut asked = None;
    (|| {
        let token = token::verify(token)?;
        let asked = asked.insert(token.owner);
        if token.role.is_some_and(|role| role != own_role_name()) {
            return Err(error::bad_claim("role", "is not the role of this session"));
        }
        if token.database.is_some_and(|database| Some(database) != database_name()) {
            return Err(error::bad_claim("database", "is not this database"));
        }
        let way = Way::Token(token.rights.unwrap_or(Rights::ALL));
        let (key, source) = (token.key, token.source);
        let owner = bind(asked, token.project.as_deref(), way, |role, context| {
            if let Some(source) = &source
                && !context.may_act_as(Some(source))
            {
                return Err(error::source_not_allowed(source));
            }
            Ok(Binding {
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
        let asked = asked.as_deref().map_or(Asked::Token, |owner| Asked::Owner(Some(owner)));
        error::log_refusal(&own_role_name(), asked, refusal)
    })
}

/// Binds, once all is judged: what fails leaves nothing behind.
fn bind(
    owner: &str,
    project: Option<&str>,
    way: Way,
    binding: impl Fn(pg_sys::Oid, &Context) -> Result<Binding>,
) -> Result<Uuid> {
    // A worker knows of its leader's binding and latch only what it has taken over.
    // SAFETY: reads a variable of the backend.
    if parallel::is_worker() || unsafe { pg_sys::IsInParallelMode() } {
        return Err(error::binding_in_parallel());
    }
    // SAFETY: as in `judge`.
    unsafe { pg_sys::AcceptInvalidationMessages() };
    let role = judged_role()?;
    forget_what_is_stale()?;
    if let Some(before) = binding::current() {
        // Judged anew, since the access may have been taken back; but not put in force, for that would fix the owner in this statement.
        if way == Way::Enter && before.way == Way::Enter {
            let context = decided(before.clone().question(role)?)?.ok_or_else(error::no_owner_selected)?;
            let in_project = context.project.as_ref().map(|project| (project.id, project.name.as_str()));
            let same_project = match (project, in_project) {
                (Some(text), Some((id, name))) => crate::name::parse_id(text).map_or(text == name, |asked| asked == id),
                (asked, entered) => asked.is_none() && entered.is_none(),
            };
            if context.owner.is_called(owner) && same_project && binding(before.role, &context)? == before {
                return Ok(context.owner.id);
            }
        }
        if settings::latch() == settings::Latch::Transaction || binding::is_bound_since(statement_start()) {
            return Err(error::already_entered());
        }
    }
    let question = Question { role, owner: Some(owner.to_owned()), project: project.map(str::to_owned), way };
    let context = decided(question)?.ok_or_else(error::no_owner_selected)?;
    let binding = binding(role, &context)?;
    let context = put_in_force(role, context)?;
    binding::begin(binding);
    Ok(context.owner.id)
}

/// The application's user: the one of the binding, or else as set.
pub fn agent() -> Result<Option<String>> {
    parallel::take_over()?;
    match binding::agent() {
        Some(agent) => Ok(Some(agent)),
        None => settings::agent(),
    }
}

/// Who is writing: the application's user if it tells, else the role.
pub fn actor() -> Result<String> {
    Ok(agent()?.unwrap_or_else(own_role_name))
}

/// The source system: the one of the binding, or else as set. Whether the session may act as it is not asked here.
pub fn source() -> Result<Option<String>> {
    parallel::take_over()?;
    match binding::source() {
        Some(source) => Ok(Some(source)),
        None => settings::source(),
    }
}

/// The owners that the role may see: enabled, with access; for `ringfence_admin` all.
pub fn owners_in_reach() -> Result<Vec<Uuid>> {
    let mut ids = Vec::new();
    if is_admin() {
        ids = reach::all()?;
    } else {
        // SAFETY: as in `judge`.
        unsafe { pg_sys::AcceptInvalidationMessages() };
        let reach = reach::of(judged_role()?)?;
        for reached in reach.owners().filter(|reached| reached.owner.enabled) {
            if !reached.by_token_only() || is_bound_to(reached.owner.id)? {
                ids.push(reached.owner.id);
            }
        }
    }
    if let Some(acting) = ACTING.with(|acting| acting.borrow().as_ref().map(|acting| acting.owner.id))
        && !ids.contains(&acting)
    {
        ids.push(acting);
    }
    Ok(ids)
}

/// Whether this transaction works for that owner by `login()` or `enter()`. Where it takes a token, even the name of the owner does.
fn is_bound_to(owner: Uuid) -> Result<bool> {
    parallel::take_over()?;
    Ok(binding::current().is_some_and(|binding| binding.owner == owner) && judge()?.is_some())
}

/// For the trigger on table `owner`: a row with that id is about to be inserted.
pub fn owner_begins(owner: Uuid) {
    reach::begin_owner(owner);
}

/// Runs `work` for an owner, with all rights, behind the owner's wall: how provisioning a new owner and granting
/// access reach rows of an owner that the session has not selected. What runs inside is this extension's own SQL on
/// its own tables; the session's context is back when it returns, also by an error.
pub fn acting_for<T>(owner: Owner, work: impl FnOnce() -> T) -> T {
    struct Restore(Option<Rc<Context>>);
    impl Drop for Restore {
        fn drop(&mut self) {
            ACTING.with(|acting| acting.replace(self.0.take()));
        }
    }
    let context = Context {
        owner,
        project: None,
        bound: Bound::Setting,
        rights: Rights::ALL,
        transaction_only: false,
        may_hold: false,
        entries: vec![Entry::unlimited()],
        fields: OnceCell::new(),
        serial: Serial::next(),
    };
    let _restore = Restore(ACTING.with(|acting| acting.replace(Some(Rc::new(context)))));
    work()
}

/// Runs `work` as role `ringfence_definer`, like a SECURITY DEFINER function of its own.
pub fn as_definer<T>(work: impl FnOnce() -> T) -> Result<T> {
    struct Restore(pg_sys::Oid, std::ffi::c_int);
    impl Drop for Restore {
        fn drop(&mut self) {
            // SAFETY: gives the backend back the user that was read from it below. After an error PostgreSQL does so too.
            unsafe { pg_sys::SetUserIdAndSecContext(self.0, self.1) }
        }
    }
    // SAFETY: the same that fmgr does for a SECURITY DEFINER function: the user changes, the flags of the context stay.
    let _restore = unsafe {
        let definer = catalog::role_oid(c"ringfence_definer");
        if definer == pg_sys::InvalidOid {
            return Err(error::not_installed("role ringfence_definer"));
        }
        let (mut user, mut flags) = (pg_sys::InvalidOid, 0);
        pg_sys::GetUserIdAndSecContext(&mut user, &mut flags);
        pg_sys::SetUserIdAndSecContext(definer, flags | pg_sys::SECURITY_LOCAL_USERID_CHANGE as std::ffi::c_int);
        Restore(user, flags)
    };
    Ok(work())
}

/// Error 42501 unless the session holds the right.
pub fn require(right: Rights, right_name: &str) -> Result<()> {
    if context()?.rights.contains(right) { Ok(()) } else { Err(error::missing_right(&own_role_name(), right_name)) }
}
