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

/// 22023: a batch of no rows, or of too many.
pub fn wrong_batch(most: i32) -> Failure {
    bad_value(format!("a batch has 1 to {most} rows"))
}

/// 55000: something has kept rows of the owner, or the owner.
pub fn rows_are_left(relation: &str) -> Failure {
    wrong_state(format!("rows of {relation} are left")).set_hint(
        "Nothing is deleted by this statement. A trigger or rule that was added to the table, or a role that row-level security does not bind, may have kept them.",
    )
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

/// 42501: a SECURITY DEFINER function exports with another role's rights.
pub fn exports_for_another() -> Failure {
    not_allowed("an owner is exported by the session's own role only")
        .set_hint("A SECURITY DEFINER function of another role cannot export. Call export_owner() outside of it.")
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
        .set_hint("Give an ordinary table with columns position, relation and line, as export_owner() returns them, and without row-level security.")
}

/// Whether the first two characters of an SQLSTATE are the same. PostgreSQL packs a character into six bits, the first one lowest.
fn is_of_class(code: PgSqlErrorCode, class: PgSqlErrorCode) -> bool {
    (code as i32 ^ class as i32) & 0xFFF == 0
}

/// An error of PostgreSQL's about what a line of an export says. None for an error that is about something else, or tells of the line already.
pub fn line_refused(line: Option<i64>, code: PgSqlErrorCode, message: &str, detail: Option<&str>) -> Option<Failure> {
    let (code, message) = match code {
        PgSqlErrorCode::ERRCODE_BAD_COPY_FILE_FORMAT => return None,
        // The wall has refused the row.
        PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE if line.is_some() => {
            (PgSqlErrorCode::ERRCODE_FOREIGN_KEY_VIOLATION, "it is of a project that the export does not have")
        }
        PgSqlErrorCode::ERRCODE_DUPLICATE_TABLE => (code, message),
        _ if is_of_class(code, PgSqlErrorCode::ERRCODE_UNIQUE_VIOLATION) => (code, message),
        _ if is_of_class(code, PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE) => {
            (PgSqlErrorCode::ERRCODE_BAD_COPY_FILE_FORMAT, message)
        }
        _ => return None,
    };
    let export = line.map_or_else(|| "the export".to_owned(), |line| format!("line {line} of the export"));
    let failure = Failure::new(code, format!("{export} cannot be loaded: {message}"))
        .set_hint("Nothing is loaded. Load the lines as export_owner() gave them, all of them, with their positions.");
    Some(match detail {
        Some(detail) => failure.set_detail(detail),
        None => failure,
    })
}

/// NOTICE: the roles that had access to the deleted owner only.
pub fn tell_of_roles(owner: &str, roles: &[String]) {
    if roles.is_empty() {
        return;
    }
    let owner = quotable(owner);
    let quoted: Vec<String> = roles.iter().map(pgrx::spi::quote_identifier).collect();
    Failure::new(
        PgSqlErrorCode::ERRCODE_SUCCESSFUL_COMPLETION,
        format!("these roles had access to owner \"{owner}\" only: {}", quoted.join(", ")),
    )
    .set_hint("They still exist. DROP ROLE removes the ones that nobody needs.")
    .report(PgLogLevel::NOTICE);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_line_is_refused_for() {
        let refused = |code, line| line_refused(line, code, "x", None).map(|failure| (failure.code, failure.message));
        let said = |code, text: &str| Some((code, text.to_owned()));
        let (bad, taken) = (PgSqlErrorCode::ERRCODE_BAD_COPY_FILE_FORMAT, PgSqlErrorCode::ERRCODE_UNIQUE_VIOLATION);
        let text = PgSqlErrorCode::ERRCODE_INVALID_PARAMETER_VALUE;
        assert_eq!(refused(text, Some(7)), said(bad, "line 7 of the export cannot be loaded: x"));
        assert_eq!(refused(taken, None), said(taken, "the export cannot be loaded: x"));
        assert_eq!(refused(bad, Some(7)), None);
        assert_eq!(refused(PgSqlErrorCode::ERRCODE_NO_DATA_FOUND, Some(7)), None);
        assert_eq!(refused(PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE, None), None);
    }
}
