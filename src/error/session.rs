//! Errors about the owner that a session works for: how it was selected, and when it no longer may.

use super::failure::{Failure, bad_value, not_allowed, quotable, wrong_state};
use pgrx::PgSqlErrorCode;

/// 42501: nothing was selected, and the role has no single owner to take by default.
pub fn no_owner_selected() -> Failure {
    not_allowed("no owner is selected").set_hint(
        "Enter one in the transaction: BEGIN; SELECT ringfence.enter('...'); or SET LOCAL ringfence.owner = '...';",
    )
}

/// The same where the session's last transaction was bound by that function, and has ended.
pub fn no_owner_selected_any_more(function: &str) -> Failure {
    no_owner_selected().set_hint(format!(
        "The last transaction of this session has ended, and its {function}() ended with it. Is autocommit on? Run {function}() and what follows in one transaction: BEGIN; SELECT ringfence.{function}('...'); ... COMMIT;"
    ))
}

/// 42501: the owner asked for does not exist, or the role has no access to it; which of the two is not told.
pub fn no_access(role: &str, owner: &str) -> Failure {
    let role = quotable(role);
    let owner = quotable(owner);
    not_allowed(format!("role \"{role}\" has no access to owner \"{owner}\"")).set_hint(
        "Names of owners are compared exactly, including case and spaces. An administrator grants access with ringfence.grant_access().",
    )
}

/// 42501: the owner was selected in a way that the role's access does not accept.
pub fn not_bound_in_transaction(owner: &str) -> Failure {
    let owner = quotable(owner);
    not_allowed(format!("owner \"{owner}\" was not selected in this transaction"))
        .set_detail("This role selects an owner for one transaction at a time, so that no owner stays behind in a pooled connection.")
        .set_hint("Call ringfence.enter() in the transaction, or use SET LOCAL ringfence.owner in it; or have the access granted with binding => 'session' for a dedicated connection.")
}

/// 42501: the role may act for this owner only by a signed token.
pub fn token_required(owner: &str) -> Failure {
    let owner = quotable(owner);
    not_allowed(format!("this role may select owner \"{owner}\" only with a signed token")).set_hint(
        "Present a signed token with ringfence.login(): the access of this role was granted with binding => 'token'.",
    )
}

/// 55000: the owner is disabled.
pub fn owner_disabled(owner: &str) -> Failure {
    let owner = quotable(owner);
    wrong_state(format!("owner \"{owner}\" is disabled"))
        .set_hint("Its data is kept. An administrator enables it with UPDATE ringfence.owner SET enabled = true.")
}

/// 55000: another session is deleting the owner.
pub fn owner_being_deleted(owner: &str) -> Failure {
    let owner = quotable(owner);
    wrong_state(format!("owner \"{owner}\" is being deleted"))
        .set_detail("An administrator has called ringfence.delete_owner() or ringfence.purge_owner().")
}

/// 55000: the owner that this session has worked for was deleted.
pub fn owner_deleted(owner: &str) -> Failure {
    let owner = quotable(owner);
    wrong_state(format!("owner \"{owner}\" was deleted"))
}

/// 25001: the transaction has already used another owner.
pub fn latched() -> Failure {
    Failure::new(PgSqlErrorCode::ERRCODE_ACTIVE_SQL_TRANSACTION, "the owner cannot change within a transaction")
        .set_detail("The transaction has worked for another owner. ROLLBACK TO SAVEPOINT does not undo that.")
        .set_hint("Commit or roll back, then select the other owner in a transaction of its own.")
}

/// 25001: a cursor is fetched from for another owner than before.
pub fn cursor_of_other_owner() -> Failure {
    Failure::new(PgSqlErrorCode::ERRCODE_ACTIVE_SQL_TRANSACTION, "the owner cannot change while a cursor is being read")
        .set_detail("The cursor has read for another owner.")
        .set_hint("Close the cursor before the session enters another owner.")
}

/// 25001: the transaction has used an owner, and selects none any more: it was reset, or the savepoint that it was selected in was
/// rolled back.
pub fn selection_undone() -> Failure {
    Failure::new(PgSqlErrorCode::ERRCODE_ACTIVE_SQL_TRANSACTION, "no owner is selected any more in this transaction")
        .set_detail(
            "The transaction has worked for an owner. A ROLLBACK TO SAVEPOINT or a RESET has undone its selection.",
        )
        .set_hint("Select the same owner again; to keep it, select it before the first SAVEPOINT.")
}

/// 25001: `enter()` was called otherwise before in this transaction.
pub fn already_entered() -> Failure {
    Failure::new(PgSqlErrorCode::ERRCODE_ACTIVE_SQL_TRANSACTION, "this transaction has entered an owner already")
        .set_detail("Within a transaction, another enter() must name the same owner, project and agent.")
        .set_hint("Commit or roll back, then enter in a transaction of its own.")
}

/// 25001: no owner is selected within a parallel query, by its leader or by a worker.
pub fn binding_in_parallel() -> Failure {
    Failure::new(
        PgSqlErrorCode::ERRCODE_ACTIVE_SQL_TRANSACTION,
        "an owner cannot be entered during a parallel operation",
    )
    .set_hint(
        "Enter the owner in a statement of its own. Declare functions that call ringfence.enter() PARALLEL UNSAFE.",
    )
}

/// The refusal of a parallel worker's leader, as it was.
pub fn refused_by_leader(code: i32, message: &str, detail: Option<String>, hint: Option<String>) -> Failure {
    Failure { code: PgSqlErrorCode::from(code), message: message.to_owned(), detail, hint }
}

/// 42501: the role is not the one that entered.
pub fn role_changed() -> Failure {
    not_allowed("the role has changed since this transaction entered its owner")
        .set_hint("Set the role before ringfence.enter().")
}

/// 42501: the role's access to the owner that it works for has been taken back.
pub fn access_ended(role: &str) -> Failure {
    let role = quotable(role);
    not_allowed(format!("role \"{role}\" has no access any more to the owner of this transaction"))
        .set_hint("Roll back. An administrator grants access with ringfence.grant_access().")
}

/// 55000: something that would outlive the transaction, while the owner is selected for the transaction alone.
pub fn survives_transaction(what: &str) -> Failure {
    wrong_state(format!("{what} would outlive the transaction that the owner is selected for"))
        .set_hint("Close it within the transaction, or use a role whose access has binding => 'session' on a connection of its own.")
}

/// 55000: PREPARE TRANSACTION while the owner is selected for the transaction alone.
pub fn prepared_transaction() -> Failure {
    wrong_state("PREPARE TRANSACTION would outlive the transaction that the owner is selected for")
        .set_hint("Use COMMIT instead. Two-phase commit needs access with binding => 'session', and an owner that is selected by SET on a dedicated connection.")
}

/// 42501: code of a table's owner is being run for somebody else.
pub fn restricted_operation() -> Failure {
    not_allowed("no owner can be used in a security-restricted operation or a referential action")
        .set_detail("PostgreSQL runs index expressions, materialized views and triggers of referential actions on behalf of another role.")
        .set_hint("Use a view instead of a materialized view.")
}

/// 42501: the source system is not among those that the role may write as.
pub fn source_not_allowed(source: &str) -> Failure {
    let source = quotable(source);
    not_allowed(format!("this session may not act as source \"{source}\""))
        .set_hint("ringfence.grant_access(..., sources => ...) sets the sources that a role may act as.")
}

/// 55000: the project is disabled.
pub fn project_disabled(project: &str) -> Failure {
    let project = quotable(project);
    wrong_state(format!("project \"{project}\" is disabled"))
}

/// 55000: in a parallel worker, whose leader had not loaded the library when the query began.
pub fn nothing_handed_over() -> Failure {
    wrong_state("no owner was handed over to this parallel worker").set_hint(
        "Select the owner before the query: SELECT ringfence.enter('...'), or SELECT ringfence.current_owner().",
    )
}

/// 22023: a setting holds bytes that are not UTF-8.
pub fn setting_not_utf8(setting: &str) -> Failure {
    bad_value(format!("setting \"{setting}\" is not valid UTF-8")).set_hint("Set it again, in the client's encoding.")
}

/// 54000: a setting is longer than anything that it can name.
pub fn setting_too_long(setting: &str) -> Failure {
    Failure::new(PgSqlErrorCode::ERRCODE_PROGRAM_LIMIT_EXCEEDED, format!("setting \"{setting}\" is too long"))
}

/// 42501: the session lacks a right.
pub fn missing_right(role: &str, right: &str) -> Failure {
    let role = quotable(role);
    let right = quotable(right);
    not_allowed(format!("role \"{role}\" lacks the right \"{right}\" for this owner"))
        .set_hint("SELECT * FROM ringfence.whoami() lists the rights that the session holds.")
}
