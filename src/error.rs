//! Every error that ringfence raises: SQLSTATE, message, detail and hint.
//!
//! Messages name what the caller itself gave. None of them names another owner, another owner's rows,
//! or tells whether they exist: "no such owner" and "not your owner" are one error.

use pgrx::pg_sys::panic::ErrorReport;
use pgrx::{PgLogLevel, PgSqlErrorCode};

/// What a fallible function of ringfence returns. pgrx keeps SQLSTATE, DETAIL and HINT only of an [`ErrorReport`].
pub type Result<T, E = ErrorReport> = std::result::Result<T, E>;

/// For trigger functions: raises the error here and now, where pgrx would make it an internal one (XX000).
pub fn raised<T>(result: Result<T>) -> Result<T> {
    if let Err(failure) = result {
        failure.report(PgLogLevel::ERROR);
        unreachable!("an ERROR does not return");
    }
    result
}

/// An error that passes through Rust has a backtrace in its DETAIL, for the client to read, where the server's environment asks for
/// backtraces of Rust. Whether it does is asked once in a process, and kept: so ask here, in an environment that does not. For
/// `_PG_init`.
pub fn keep_backtraces_out() {
    const ASKS: &str = "RUST_LIB_BACKTRACE";
    let before = std::env::var_os(ASKS);
    // SAFETY: PostgreSQL's processes have one thread. What was set is set again, for libraries of others.
    unsafe {
        std::env::set_var(ASKS, "0");
        let _ = std::backtrace::Backtrace::capture();
        match before {
            Some(before) => std::env::set_var(ASKS, before),
            None => std::env::remove_var(ASKS),
        }
    }
}

fn report(code: PgSqlErrorCode, message: impl Into<String>) -> ErrorReport {
    ErrorReport::new(code, message.into(), "ringfence")
}

/// The part of a given value that an error repeats.
fn quotable(given: &str) -> &str {
    given.char_indices().nth(MAX_QUOTED).and_then(|(end, _)| given.get(..end)).unwrap_or(given)
}

/// Names have at most 200 characters.
const MAX_QUOTED: usize = 200;

fn not_allowed(message: impl Into<String>) -> ErrorReport {
    report(PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE, message)
}

fn bad_value(message: impl Into<String>) -> ErrorReport {
    report(PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE, message)
}

fn wrong_state(message: impl Into<String>) -> ErrorReport {
    report(PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, message)
}

fn not_found(message: impl Into<String>) -> ErrorReport {
    report(PgSqlErrorCode::ERRCODE_NO_DATA_FOUND, message)
}

/// 42501: nothing was selected, and the role has no single owner to take by default.
pub fn no_owner_selected() -> ErrorReport {
    not_allowed("no owner is selected").set_hint(
        "Enter one in the transaction: BEGIN; SELECT ringfence.enter('...'); or SET LOCAL ringfence.owner = '...';",
    )
}

/// The same where the session's last transaction was bound by that function, and has ended.
pub fn no_owner_selected_any_more(function: &str) -> ErrorReport {
    no_owner_selected().set_hint(format!(
        "The last transaction of this session has ended, and its {function}() ended with it. Is autocommit on? Run {function}() and what follows in one transaction: BEGIN; SELECT ringfence.{function}('...'); ... COMMIT;"
    ))
}

/// 42501: the owner asked for does not exist, or the role has no access to it; which of the two is not told.
pub fn no_access(role: &str, owner: &str) -> ErrorReport {
    let role = quotable(role);
    let owner = quotable(owner);
    not_allowed(format!("role \"{role}\" has no access to owner \"{owner}\"")).set_hint(
        "Names of owners are compared exactly, including case and spaces. An administrator grants access with ringfence.grant_access().",
    )
}

/// 42501: the owner was selected in a way that the role's access does not accept.
pub fn not_bound_in_transaction(owner: &str) -> ErrorReport {
    let owner = quotable(owner);
    not_allowed(format!("owner \"{owner}\" was not selected in this transaction"))
        .set_detail("This role selects an owner for one transaction at a time, so that no owner stays behind in a pooled connection.")
        .set_hint("Call ringfence.enter() in the transaction, or use SET LOCAL ringfence.owner in it; or have the access granted with binding => 'session' for a dedicated connection.")
}

/// 42501: the role may act for this owner only by a signed token.
pub fn token_required(owner: &str) -> ErrorReport {
    let owner = quotable(owner);
    not_allowed(format!("owner \"{owner}\" can be selected by token only")).set_hint(
        "Present a signed token with ringfence.login(): the access of this role was granted with binding => 'token'.",
    )
}

/// 28000: a token that does not count. Of what it contains nothing is repeated.
pub fn bad_token(reason: &str) -> ErrorReport {
    report(PgSqlErrorCode::ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION, format!("the token is refused: {reason}"))
}

/// 28000: a claim of a token is not good.
pub fn bad_claim(claim: &'static str, reason: &str) -> ErrorReport {
    bad_token(&format!("its claim \"{claim}\" {reason}"))
}

/// 28000: the time of the token is over, when it is presented or later.
pub fn token_expired() -> ErrorReport {
    bad_token("it has expired").set_hint("Roll back, get a new token, and log in with it.")
}

/// 28000: the key that signed the token has been dropped since.
pub fn signing_key_gone() -> ErrorReport {
    bad_token("its key is not valid any more").set_hint("Roll back, get a new token, and log in with it.")
}

/// 42501: only `ringfence_admin` manages the keys that sign tokens.
pub fn may_not_manage_keys(role: &str) -> ErrorReport {
    let role = quotable(role);
    not_allowed(format!("role \"{role}\" may not manage signing keys"))
        .set_hint("It takes membership of ringfence_admin.")
}

/// 22023: no such algorithm. It is not repeated: it may be the key, given in the wrong place.
pub fn unknown_algorithm() -> ErrorReport {
    bad_value("unknown algorithm of a signing key").set_hint("Use 'EdDSA', 'ES256', 'RS256' or 'HS256'.")
}

/// 22023: what was given is not a key, and nothing of it is repeated.
pub fn bad_signing_key(reason: &'static str) -> ErrorReport {
    bad_value(format!("the signing key is refused: {reason}"))
}

/// 22023: a kid that cannot be used.
pub fn bad_kid() -> ErrorReport {
    bad_value("invalid kid").set_hint("A kid has 1 to 200 characters, and no control characters.")
}

/// 23505: the kid is taken.
pub fn signing_key_exists(kid: &str) -> ErrorReport {
    let kid = quotable(kid);
    report(PgSqlErrorCode::ERRCODE_UNIQUE_VIOLATION, format!("there is a signing key \"{kid}\" already"))
        .set_hint("Add the new key by another kid, and drop the old one when no token is signed with it any more.")
}

/// P0002: no key of that kid.
pub fn no_such_signing_key(kid: &str) -> ErrorReport {
    let kid = quotable(kid);
    not_found(format!("there is no signing key \"{kid}\""))
        .set_hint("SELECT kid FROM ringfence.signing_key lists them.")
}

/// 55000: a stored key cannot be read.
pub fn broken_signing_key() -> ErrorReport {
    wrong_state("a signing key is not stored as it was added")
        .set_hint("Drop it with ringfence.drop_signing_key(), and add it again.")
}

/// 55000: the owner is disabled.
pub fn owner_disabled(owner: &str) -> ErrorReport {
    let owner = quotable(owner);
    wrong_state(format!("owner \"{owner}\" is disabled"))
        .set_hint("Its data is kept. An administrator enables it with UPDATE ringfence.owner SET enabled = true.")
}

/// 25001: the transaction has already used another owner.
pub fn latched() -> ErrorReport {
    report(PgSqlErrorCode::ERRCODE_ACTIVE_SQL_TRANSACTION, "the owner cannot change within a transaction")
        .set_detail("The transaction has worked for another owner. ROLLBACK TO SAVEPOINT does not undo that.")
        .set_hint("Commit or roll back, then select the other owner in a transaction of its own.")
}

/// 25001: a cursor is fetched from for another owner than before.
pub fn cursor_of_other_owner() -> ErrorReport {
    report(PgSqlErrorCode::ERRCODE_ACTIVE_SQL_TRANSACTION, "the owner cannot change while a cursor is being read")
        .set_detail("The cursor has read for another owner.")
        .set_hint("Close the cursor before the session enters another owner.")
}

/// 25001: the transaction has used an owner, and selects none any more: it was reset, or the savepoint that it was selected in was
/// rolled back.
pub fn selection_undone() -> ErrorReport {
    report(PgSqlErrorCode::ERRCODE_ACTIVE_SQL_TRANSACTION, "no owner is selected any more in this transaction")
        .set_detail(
            "The transaction has worked for an owner. A ROLLBACK TO SAVEPOINT or a RESET has undone its selection.",
        )
        .set_hint("Select the same owner again; to keep it, select it before the first SAVEPOINT.")
}

/// 25001: `enter()` was called otherwise before in this transaction.
pub fn already_entered() -> ErrorReport {
    report(PgSqlErrorCode::ERRCODE_ACTIVE_SQL_TRANSACTION, "this transaction has entered an owner already")
        .set_detail("Within a transaction enter() can be repeated with the same owner, project and agent only.")
        .set_hint("Commit or roll back, then enter in a transaction of its own.")
}

/// 25001: no owner is selected within a parallel query, by its leader or by a worker.
pub fn binding_in_parallel() -> ErrorReport {
    report(PgSqlErrorCode::ERRCODE_ACTIVE_SQL_TRANSACTION, "an owner cannot be entered during a parallel operation")
        .set_hint("Enter it in a statement of its own; functions that do are PARALLEL UNSAFE.")
}

/// The code of a refusal, as a number. pgrx keeps it to itself but for the text of the whole, which begins with it.
pub fn code_of(refusal: &ErrorReport) -> i32 {
    let text = refusal.to_string();
    [
        PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE,
        PgSqlErrorCode::ERRCODE_INVALID_AUTHORIZATION_SPECIFICATION,
        PgSqlErrorCode::ERRCODE_ACTIVE_SQL_TRANSACTION,
        PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE,
        PgSqlErrorCode::ERRCODE_NO_DATA_FOUND,
    ]
    .into_iter()
    .find(|code| text.starts_with(&format!("{code}: ")))
    .unwrap_or(PgSqlErrorCode::ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE) as i32
}

/// The refusal of a parallel worker's leader, as it was.
pub fn refused_by_leader(code: i32, message: &str, detail: Option<String>, hint: Option<String>) -> ErrorReport {
    let mut refusal = report(PgSqlErrorCode::from(code), message);
    if let Some(detail) = detail {
        refusal = refusal.set_detail(detail);
    }
    if let Some(hint) = hint {
        refusal = refusal.set_hint(hint);
    }
    refusal
}

/// 42501: the role is not the one that entered.
pub fn role_changed() -> ErrorReport {
    not_allowed("the role has changed since this transaction entered its owner")
        .set_hint("Set the role before ringfence.enter().")
}

/// 42501: the role's access to the owner that it works for has been taken back.
pub fn access_ended(role: &str) -> ErrorReport {
    let role = quotable(role);
    not_allowed(format!("role \"{role}\" has no access any more to the owner of this transaction"))
        .set_hint("Roll back. An administrator grants access with ringfence.grant_access().")
}

/// 55000: something that would outlive the transaction, while the owner is selected for the transaction alone.
pub fn survives_transaction(what: &str) -> ErrorReport {
    wrong_state(format!("{what} would outlive the transaction that the owner is selected for"))
        .set_hint("Close it within the transaction, or use a role whose access has binding => 'session' on a connection of its own.")
}

/// 55000: PREPARE TRANSACTION while the owner is selected for the transaction alone.
pub fn prepared_transaction() -> ErrorReport {
    wrong_state("PREPARE TRANSACTION would outlive the transaction that the owner is selected for")
        .set_hint("Use COMMIT instead. Two-phase commit needs access with binding => 'session', and an owner that is selected by SET on a dedicated connection.")
}

/// 42501: a MERGE that PostgreSQL would run over the rows of all owners.
pub fn blind_merge() -> ErrorReport {
    not_allowed("MERGE into this table must read a column of it")
        .set_detail("Otherwise PostgreSQL does not ask row-level security which rows it may go over.")
        .set_hint("Name a column of the table in ON, such as its id.")
}

/// 0A000: ON CONFLICT on the card.
pub fn no_on_conflict() -> ErrorReport {
    report(PgSqlErrorCode::ERRCODE_FEATURE_NOT_SUPPORTED, "ON CONFLICT does not work on view \"customer_card\"")
        .set_hint("ringfence.save_customer() inserts a customer, or updates the one with the same id, phone, e-mail or value of a unique field.")
}

/// 0A000: a sample is taken of pages, on which the rows of all owners lie.
pub fn no_sample_of_walled_table() -> ErrorReport {
    report(PgSqlErrorCode::ERRCODE_FEATURE_NOT_SUPPORTED, "TABLESAMPLE does not work on a table behind the wall")
        .set_detail("How many rows it finds would depend on where other owners' rows lie.")
        .set_hint("Take a sample of the rows instead: WHERE random() < 0.01.")
}

/// 55000: policy `owner_wall` cannot be found, though it was there when the statement was planned.
pub fn wall_is_gone() -> ErrorReport {
    wrong_state("the wall of a table changed while a statement was planned").set_hint("Run the statement again.")
}

/// 42501: counts of what a transaction has read, of whichever owner.
pub fn counts_of_transaction(role: &str) -> ErrorReport {
    let role = quotable(role);
    not_allowed(format!("role \"{role}\" may not see how many rows its transaction has read"))
        .set_detail("PostgreSQL counts the rows of all owners.")
        .set_hint("Roles that monitor the database may, with GRANT pg_read_all_stats.")
}

/// 42501: a lock on a table of the extension, which all owners share.
pub fn locks_all_owners(relation: &str) -> ErrorReport {
    not_allowed(format!("relation \"{relation}\" cannot be locked for the rows of all owners"))
        .set_detail("Its table holds the rows of all owners, who would wait for this transaction.")
        .set_hint("Lock the rows that are meant with SELECT ... FOR UPDATE, or agree on an advisory lock.")
}

/// 42501: a foreign key to a table of the extension.
pub fn may_not_refer_to(relation: &str) -> ErrorReport {
    not_allowed(format!("this role may not refer to relation \"{relation}\" by a foreign key"))
        .set_detail("A foreign key can be used to find out which rows exist, of all owners, and locks the table while it is created.")
        .set_hint("Create it as a role that no application is a member of. A superuser gives that role the privilege: GRANT REFERENCES (owner_id, id) ON ringfence.customer TO ...;")
}

/// 42501: the session lacks a right.
pub fn missing_right(role: &str, right: &str) -> ErrorReport {
    let role = quotable(role);
    let right = quotable(right);
    not_allowed(format!("role \"{role}\" lacks the right \"{right}\" for this owner"))
        .set_hint("SELECT * FROM ringfence.whoami() lists the rights that the session holds.")
}

/// 42501: what concerns all owners together is for `ringfence_admin`.
pub fn may_not_administer(role: &str) -> ErrorReport {
    let role = quotable(role);
    not_allowed(format!("role \"{role}\" may not administer the installation"))
        .set_hint("It takes membership of ringfence_admin.")
}

/// 22023: a value of an opaque type was written by hand.
pub fn opaque_value(type_name: &str) -> ErrorReport {
    bad_value(format!("a value of type {type_name} cannot be written by hand"))
        .set_hint("ringfence.query() makes what a search looks for.")
}

/// 42501: managing access needs ringfence_admin, or the right access.manage within the owner.
pub fn may_not_manage_access(role: &str) -> ErrorReport {
    let role = quotable(role);
    not_allowed(format!("role \"{role}\" may not manage access"))
        .set_hint("It takes membership of ringfence_admin, or the right access.manage for the selected owner.")
}

/// 42501: nobody hands out a right that it does not hold.
pub fn grants_more_than_held(right: &str) -> ErrorReport {
    let right = quotable(right);
    not_allowed(format!("right \"{right}\" cannot be granted by a session that does not hold it"))
        .set_hint("Have it granted by a role that holds it, or by a member of ringfence_admin.")
}

/// 42501: within an owner access is changed, not begun.
pub fn first_access(role: &str) -> ErrorReport {
    let role = quotable(role);
    not_allowed(format!("role \"{role}\" has no access to this owner yet"))
        .set_hint("A member of ringfence_admin gives a role its first access to an owner; from then on it can be changed with access.manage.")
}

/// 42501: how strictly a role must be bound is not loosened within an owner.
pub fn weaker_binding(role: &str) -> ErrorReport {
    let role = quotable(role);
    not_allowed(format!("the binding of role \"{role}\" cannot be weakened"))
        .set_hint("Give the same binding or a stricter one, or have it changed by a member of ringfence_admin.")
}

/// 42501: code of a table's owner is being run for somebody else.
pub fn restricted_operation() -> ErrorReport {
    not_allowed("no owner can be used in a security-restricted operation or a referential action")
        .set_detail("Index expressions, materialized views and triggers of referential actions are run for whoever uses or maintains the table.")
        .set_hint("Use a view instead of a materialized view.")
}

/// 42501: the source system is not among those that the role may write as.
pub fn source_not_allowed(source: &str) -> ErrorReport {
    let source = quotable(source);
    not_allowed(format!("this session may not act as source \"{source}\""))
        .set_hint("The sources a role may act as are set with ringfence.grant_access(..., sources => ...).")
}

/// 42501: the field does not exist, or this session may not write it; which of the two is not told.
pub fn field_not_writable(field: &str) -> ErrorReport {
    let field = quotable(field);
    not_allowed(format!("field \"{field}\" cannot be written in this session"))
        .set_hint("SELECT * FROM ringfence.visible_fields() lists the fields of this session and how they may be used.")
}

/// 23502: a field that the session must fill is not filled.
pub fn required_field(field: &str) -> ErrorReport {
    report(PgSqlErrorCode::ERRCODE_NOT_NULL_VIOLATION, format!("field \"{field}\" must be filled"))
        .set_hint("SELECT name FROM ringfence.visible_fields() WHERE required lists the fields that must be.")
}

/// 23505: another customer of the owner has the value of a unique field; the field is named if the session sees it.
pub fn duplicate_value(field: Option<&str>) -> ErrorReport {
    let message = match field {
        Some(field) => format!("another customer has this value of field \"{field}\""),
        None => "another customer has a value that must be unique".to_owned(),
    };
    report(PgSqlErrorCode::ERRCODE_UNIQUE_VIOLATION, message)
        .set_hint("The values of a unique field differ from customer to customer of an owner.")
}

/// 25001: a change of a field together with all its values, in a transaction that cannot see all of them.
pub fn needs_read_committed() -> ErrorReport {
    report(
        PgSqlErrorCode::ERRCODE_ACTIVE_SQL_TRANSACTION,
        "a field and its values are changed together in isolation level READ COMMITTED only",
    )
    .set_hint("SET TRANSACTION ISOLATION LEVEL READ COMMITTED, at the beginning of the transaction.")
}

/// 22023: not a pattern that can be matched.
pub fn bad_pattern(reason: &str) -> ErrorReport {
    bad_value(format!("invalid pattern: {reason}"))
        .set_hint("Use a regular expression without look-around and back-references, of at most 1000 characters.")
}

/// 22023: no such type of a field.
pub fn unknown_field_type(name: &str) -> ErrorReport {
    let name = quotable(name);
    bad_value(format!("unknown field type \"{name}\""))
        .set_hint("The types are: text, number, boolean, date, time, datetime, choice, choices, phone, email.")
}

/// 22023: the value is not one of the field.
pub fn wrong_field_value(field: &str, expected: &str) -> ErrorReport {
    bad_value(format!("wrong value for field \"{field}\"")).set_hint(format!("Expected {expected}."))
}

/// 54000: all values of a customer together are more than PostgreSQL can keep in one.
pub fn values_too_large() -> ErrorReport {
    report(PgSqlErrorCode::ERRCODE_PROGRAM_LIMIT_EXCEEDED, "the values of one customer are too large together")
}

/// 22023: `attributes` is not a JSON object.
pub fn attributes_not_object() -> ErrorReport {
    bad_value("attributes must be a JSON object").set_hint("Give the values by field name, as in {\"Plan\": \"gold\"}.")
}

/// 42501: the id of a customer was to change.
pub fn id_cannot_change() -> ErrorReport {
    not_allowed("the id of a customer cannot be changed")
        .set_hint("Leave it as it is. To have a customer with another id, insert one.")
}

/// 22023: a setting holds bytes that are not UTF-8.
pub fn setting_not_utf8(setting: &str) -> ErrorReport {
    bad_value(format!("setting \"{setting}\" is not valid UTF-8")).set_hint("Set it again, in the client's encoding.")
}

/// 22023: no such right. `rights` are the names of all that there are.
pub fn unknown_right(right: &str, rights: &str) -> ErrorReport {
    let right = quotable(right);
    bad_value(format!("unknown right \"{right}\"")).set_hint(format!("The rights are: {rights}."))
}

/// 22023: neither a right nor a profile of the owner. `rights` are the names of all rights.
pub fn unknown_right_or_profile(name: &str, rights: &str) -> ErrorReport {
    let name = quotable(name);
    bad_value(format!("\"{name}\" is neither a right nor a profile of this owner")).set_hint(format!(
        "The rights are: {rights}. The built-in profiles are: agent, supervisor, sales, support, sponsor, trainee, admin.",
    ))
}

/// 22023: no such binding.
pub fn unknown_binding(binding: &str) -> ErrorReport {
    let binding = quotable(binding);
    bad_value(format!("unknown binding \"{binding}\"")).set_hint("Use 'transaction', 'session' or 'token'.")
}

/// 22023: an argument that must be given is NULL or empty.
pub fn missing_argument(argument: &str) -> ErrorReport {
    bad_value(format!("argument \"{argument}\" must be given"))
}

/// 22023: a name that cannot be used.
pub fn bad_name(reason: &'static str) -> ErrorReport {
    bad_value(format!("invalid name: {reason}"))
        .set_hint("A name has 1 to 200 characters, of which at least one is visible and none a control character. It has no space at either end, and is not a UUID.")
}

/// 22023: not a country.
pub fn unknown_country(country: &str) -> ErrorReport {
    let country = quotable(country);
    bad_value(format!("unknown country \"{country}\""))
        .set_hint("Use the two capital letters of ISO 3166-1, as in 'TW' or 'PL'.")
}

/// 22023: the role cannot be given access.
pub fn unsuitable_role(role: &str, reason: &str) -> ErrorReport {
    let role = quotable(role);
    bad_value(format!("role \"{role}\" cannot be given access: {reason}"))
}

/// 22023: `max_rows` out of range.
pub fn bad_max_rows(max: i32) -> ErrorReport {
    bad_value(format!("max_rows must be between 1 and {max}"))
}

/// 23514: a customer with more phones than look-ups go through.
pub fn too_many_phones(most: usize) -> ErrorReport {
    report(PgSqlErrorCode::ERRCODE_CHECK_VIOLATION, "the customer has too many phones").set_hint(format!(
        "A customer has at most {most} phones. Keep further numbers in a custom field, or in further customers."
    ))
}

/// 22023: the search query is too long.
pub fn query_too_long(max_characters: usize, max_words: usize) -> ErrorReport {
    bad_value("the search query is too long")
        .set_hint(format!("Use at most {max_characters} characters and {max_words} words."))
}

/// 22023: the cursor was not made by this search.
pub fn bad_cursor() -> ErrorReport {
    bad_value("invalid search cursor")
        .set_hint("Pass the cursor of the last row of the same query, or NULL to start over.")
}

/// 42704: no such role.
pub fn no_such_role(role: &str) -> ErrorReport {
    let role = quotable(role);
    report(PgSqlErrorCode::ERRCODE_UNDEFINED_OBJECT, format!("role \"{role}\" does not exist"))
}

/// P0002: no such owner in the caller's reach.
pub fn no_such_owner(owner: &str) -> ErrorReport {
    let owner = quotable(owner);
    not_found(format!("no owner \"{owner}\" is in reach"))
}

/// P0002: no such project of the owner, or the role does not work in it; which of the two is not told.
pub fn no_such_project(project: &str) -> ErrorReport {
    let project = quotable(project);
    not_found(format!("no project \"{project}\" is in reach"))
        .set_hint("SELECT name FROM ringfence.project lists the projects that this role works in.")
}

/// P0002: the role has no such access entry.
pub fn no_such_access(role: &str, owner: &str) -> ErrorReport {
    let role = quotable(role);
    let owner = quotable(owner);
    not_found(format!("role \"{role}\" has no such access to owner \"{owner}\""))
}

/// 55000: the project is disabled.
pub fn project_disabled(project: &str) -> ErrorReport {
    let project = quotable(project);
    wrong_state(format!("project \"{project}\" is disabled"))
}

/// 54000: `ringfence.max_owners` is reached.
pub fn too_many_owners(limit: i32) -> ErrorReport {
    report(PgSqlErrorCode::ERRCODE_PROGRAM_LIMIT_EXCEEDED, format!("this installation is limited to {limit} owners"))
        .set_hint("Delete an owner, or have a superuser raise ringfence.max_owners.")
}

/// 55000: a table that holds customers' data would be dropped.
pub fn data_would_be_lost(table: &str) -> ErrorReport {
    wrong_state(format!("cannot drop table ringfence.{table}, because it holds data"))
        .set_detail("Dropping the extension deletes all owners, their customers and whatever else is theirs.")
        .set_hint(
            "To delete them for good, a superuser sets ringfence.allow_drop = on for the session, and drops again.",
        )
}

/// 55000: a report view was renamed, and not by the extension.
pub fn report_view_missing(view: &str) -> ErrorReport {
    wrong_state(format!("there is no report view \"{view}\""))
        .set_detail("A report view is read under the name that ringfence.create_report_view() gave it.")
        .set_hint("Rename it back, or drop it with ringfence.drop_report_view() and create another.")
}

/// 55000: a report view belongs to a role that row-level security may not bind.
pub fn report_view_of_another(view: &str) -> ErrorReport {
    let name = pgrx::spi::quote_identifier(view);
    wrong_state(format!("report view \"{view}\" does not belong to ringfence_definer"))
        .set_detail("Row-level security judges the rows of a view by the view's owner.")
        .set_hint(format!("As superuser: ALTER VIEW ringfence_report.{name} OWNER TO ringfence_definer;"))
}

/// 55000: row-level security is not in force inside of a report view.
pub fn report_view_unguarded(view: &str) -> ErrorReport {
    wrong_state(format!("row-level security does not guard report view \"{view}\""))
        .set_detail("It is switched off on table ringfence.customer, or does not bind role ringfence_definer.")
        .set_hint("As superuser: ALTER TABLE ringfence.customer ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; ALTER ROLE ringfence_definer NOSUPERUSER NOBYPASSRLS;")
}

/// 55000: the database has no ringfence, or half of one.
pub fn not_installed(what: &str) -> ErrorReport {
    wrong_state(format!("{what} is missing")).set_hint("CREATE EXTENSION ringfence, in this database.")
}

/// 55000: the library that the server has loaded is not of the version that the database has installed.
pub fn other_version(library: &str, installed: Option<&str>) -> ErrorReport {
    let installed = installed.unwrap_or("not there");
    wrong_state(format!(
        "the library of ringfence is version {library}, and the extension in this database {installed}"
    ))
    .set_hint("ALTER EXTENSION ringfence UPDATE, as superuser, or reconnect if that has been done.")
}

/// 55000: in a parallel worker, whose leader had not loaded the library when the query began.
pub fn nothing_handed_over() -> ErrorReport {
    wrong_state("no owner was handed over to this parallel worker").set_hint(
        "Select the owner before the query: SELECT ringfence.enter('...'), or SELECT ringfence.current_owner().",
    )
}

/// XX002: a page of the search index is not what it should be.
pub fn damaged_index() -> ErrorReport {
    report(PgSqlErrorCode::ERRCODE_INDEX_CORRUPTED, "index ringfence.customer_search is damaged")
        .set_hint("Find out what has damaged it, then REINDEX it.")
}

/// 53200: there is not as much memory as a value takes.
pub fn out_of_memory() -> ErrorReport {
    report(PgSqlErrorCode::ERRCODE_OUT_OF_MEMORY, "out of memory")
}

/// 54000: a setting is longer than anything that it can name.
pub fn setting_too_long(setting: &str) -> ErrorReport {
    report(PgSqlErrorCode::ERRCODE_PROGRAM_LIMIT_EXCEEDED, format!("setting \"{setting}\" is too long"))
}

/// 54000: an argument is longer than anything that it can name.
pub fn argument_too_long(argument: &str) -> ErrorReport {
    report(PgSqlErrorCode::ERRCODE_PROGRAM_LIMIT_EXCEEDED, format!("argument \"{argument}\" is too long"))
}

/// 53200: there is less memory than `maintenance_work_mem` allows to take.
pub fn too_little_memory() -> ErrorReport {
    report(PgSqlErrorCode::ERRCODE_OUT_OF_MEMORY, "there is not enough memory to build the search index")
        .set_hint("Set maintenance_work_mem to less.")
}

/// 22023: an index of our access method was given storage parameters.
pub fn no_index_options() -> ErrorReport {
    bad_value("an index of access method ringfence_search takes no parameters")
        .set_hint("Leave WITH (...) out: its entries are written at once, always.")
}

/// 0A000: an index of PostgreSQL's own GIN was made with the operator class of ours.
pub fn not_by_gin() -> ErrorReport {
    report(PgSqlErrorCode::ERRCODE_FEATURE_NOT_SUPPORTED, "search keys are not scanned by GIN")
        .set_hint("Make the index USING ringfence_search.")
}

/// 55000: a trigger function was attached where it does not belong.
pub fn wrong_trigger(reason: &'static str) -> ErrorReport {
    wrong_state(format!("trigger function of ringfence used wrongly: {reason}"))
}

/// What a refused session has asked for, for the log.
pub enum Asked<'a> {
    Owner(Option<&'a str>),
    /// By a token that was not read so far as to know whose it is.
    Token,
}

/// LOG, to the server alone: a role asked for an owner and was refused.
pub fn log_refusal(role: &str, asked: Asked, refusal: &ErrorReport) {
    // Both repeat what the client gave: no more of it than a name, and a sentence about it, may be long.
    let beginning = |text: &str, characters| text.chars().take(characters).collect::<String>();
    let asked = match asked {
        Asked::Owner(Some(owner)) => format!("asking for owner \"{}\"", beginning(owner, 200)),
        Asked::Owner(None) => "asking for no owner".to_owned(),
        Asked::Token => "presenting a token".to_owned(),
    };
    let reason = beginning(refusal.message(), 300);
    report(
        PgSqlErrorCode::ERRCODE_SUCCESSFUL_COMPLETION,
        format!("ringfence: role \"{role}\", {asked}, was refused: {reason}"),
    )
    .report(PgLogLevel::LOG_SERVER_ONLY);
}

/// WARNING: access was given to a role that needs none.
pub fn warn_not_bound(role: &str) {
    report(
        PgSqlErrorCode::ERRCODE_WARNING,
        format!("row-level security does not bind role \"{role}\": it reads the rows of all owners"),
    )
    .set_hint("Give access to roles without SUPERUSER and BYPASSRLS.")
    .report(PgLogLevel::WARNING);
}

/// WARNING, to the log of the starting server: pg_stat_statements would keep tokens that are written into utility statements.
pub fn warn_of_preload_order() {
    report(PgSqlErrorCode::ERRCODE_WARNING, "ringfence is preloaded before pg_stat_statements")
        .set_detail("Tokens and keys that are written into utility statements are then kept by pg_stat_statements.")
        .set_hint("List ringfence after it in shared_preload_libraries.")
        .report(PgLogLevel::WARNING);
}
