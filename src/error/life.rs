//! Errors about deleting an owner, and moving what it has.

use super::failure::{Failure, bad_value, not_allowed, quotable, wrong_state};
use pgrx::{PgLogLevel, PgSqlErrorCode};

/// 55000: the house owner is always there.
pub fn house_owner_stays() -> Failure {
    wrong_state("the house owner cannot be deleted").set_hint(
        "It holds the contacts that belong to no company. Disable it if you do not want one: UPDATE ringfence.owner SET enabled = false.",
    )
}

/// 22023: whoever deletes an owner repeats its name.
pub fn deletion_not_confirmed() -> Failure {
    bad_value("the deletion is not confirmed").set_hint(
        "Argument \"confirm\" must be the exact name of the owner. SELECT ringfence.deletion_question('...') tells what it has.",
    )
}

/// 22023: a batch of no rows.
pub fn empty_batch() -> Failure {
    bad_value("a batch must have at least one row")
}

/// 55000: a batch of an owner that nobody has begun to purge.
pub fn purge_not_begun(owner: &str) -> Failure {
    let owner = quotable(owner);
    wrong_state(format!("owner \"{owner}\" is not being purged")).set_hint("CALL ringfence.purge_owner(...) begins it.")
}

/// 25001: in REPEATABLE READ and above the snapshot is older than what is to be deleted.
pub fn deletion_needs_read_committed() -> Failure {
    Failure::new(PgSqlErrorCode::ERRCODE_ACTIVE_SQL_TRANSACTION, "an owner is deleted in READ COMMITTED only")
        .set_detail("In a transaction of a stricter level, rows that were written since it began would not be seen.")
        .set_hint("BEGIN ISOLATION LEVEL READ COMMITTED;")
}

/// 42501: masked fields are exported only to who sees them everywhere.
pub fn export_shows_masked() -> Failure {
    not_allowed("the export would show masked fields")
        .set_hint("Exporting an owner that has masked fields takes the right \"field.unmask\" in all projects.")
}

/// 23505: an export is loaded under the ids that it has.
pub fn owner_is_there() -> Failure {
    Failure::new(PgSqlErrorCode::ERRCODE_UNIQUE_VIOLATION, "the owner of this export is there already").set_hint(
        "An export is loaded under the ids that it has: delete the owner first, or load it into another database.",
    )
}

/// 22P04: no relation that lines can be read from.
pub fn no_lines() -> Failure {
    Failure::new(PgSqlErrorCode::ERRCODE_BAD_COPY_FILE_FORMAT, "there are no lines of an export to load")
        .set_hint("Give a table with columns position, relation and line, as export_owner() returns them.")
}

/// NOTICE: the roles that had access to the deleted owner only.
pub fn tell_of_roles(owner: &str, roles: &[String]) {
    if roles.is_empty() {
        return;
    }
    let owner = quotable(owner);
    Failure::new(
        PgSqlErrorCode::ERRCODE_SUCCESSFUL_COMPLETION,
        format!("these roles had access to owner \"{owner}\" only: {}", roles.join(", ")),
    )
    .set_hint("They still exist. DROP ROLE removes the ones that nobody needs.")
    .report(PgLogLevel::NOTICE);
}
