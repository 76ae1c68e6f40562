//! Errors about customers: their fields and values, their search, their reports.

use super::failure::{Failure, bad_value, not_allowed, quotable, warning, wrong_state};
use pgrx::PgSqlErrorCode;

/// 42501: the field does not exist, or this session may not write it; which of the two is not told.
pub fn field_not_writable(field: &str) -> Failure {
    let field = quotable(field);
    not_allowed(format!("field \"{field}\" cannot be written in this session"))
        .set_hint("SELECT * FROM ringfence.visible_fields() lists the fields of this session and how they may be used.")
}

/// 23502: a field that the session must fill is not filled.
pub fn required_field(field: &str) -> Failure {
    Failure::new(PgSqlErrorCode::ERRCODE_NOT_NULL_VIOLATION, format!("field \"{field}\" must be filled"))
        .set_hint("SELECT name FROM ringfence.visible_fields() WHERE required lists the fields that you must fill.")
}

/// 23505: another customer of the owner has the value of a unique field; the field is named if the session sees it.
pub fn duplicate_value(field: Option<&str>) -> Failure {
    let message = match field {
        Some(field) => format!("another customer has this value of field \"{field}\""),
        None => "another customer has a value that must be unique".to_owned(),
    };
    Failure::new(PgSqlErrorCode::ERRCODE_UNIQUE_VIOLATION, message)
        .set_hint("No two customers of an owner may have the same value of a unique field.")
}

/// 25001: a change of a field together with all its values, in a transaction that cannot see all of them.
pub fn needs_read_committed() -> Failure {
    Failure::new(
        PgSqlErrorCode::ERRCODE_ACTIVE_SQL_TRANSACTION,
        "changing a field together with its values requires isolation level READ COMMITTED",
    )
    .set_hint("Begin the transaction with SET TRANSACTION ISOLATION LEVEL READ COMMITTED.")
}

/// 22023: not a pattern that can be matched.
pub fn bad_pattern(reason: &str) -> Failure {
    bad_value(format!("invalid pattern: {reason}"))
        .set_hint("Use a regular expression without look-around and back-references, of at most 1000 characters.")
}

/// 22023: no such type of a field.
pub fn unknown_field_type(name: &str) -> Failure {
    let name = quotable(name);
    bad_value(format!("unknown field type \"{name}\""))
        .set_hint("The types are: text, number, boolean, date, time, datetime, choice, choices, phone, email.")
}

/// 22023: options for a field that has none, or none for one that must have some.
pub fn wrong_options(kind: &str) -> Failure {
    bad_value(format!("wrong options for type \"{kind}\""))
        .set_hint("Types \"choice\" and \"choices\" need at least one option. Other types have none.")
}

/// 22023: the value is not one of the field.
pub fn wrong_field_value(field: &str, expected: &str) -> Failure {
    bad_value(format!("wrong value for field \"{field}\"")).set_hint(format!("Expected {expected}."))
}

/// 54000: all values of a customer together are more than PostgreSQL can keep in one.
pub fn values_too_large() -> Failure {
    Failure::new(PgSqlErrorCode::ERRCODE_PROGRAM_LIMIT_EXCEEDED, "the values of one customer are too large together")
}

/// 22023: `attributes` is not a JSON object.
pub fn attributes_not_object() -> Failure {
    bad_value("attributes must be a JSON object").set_hint("Give the values by field name, as in {\"Plan\": \"gold\"}.")
}

/// 42501: data that belong to another source were to change. `listed`: those that the session sees, with their sources.
pub fn foreign_datum(listed: &str) -> Failure {
    let message = "this session cannot change data of another source";
    not_allowed(if listed.is_empty() { message.to_owned() } else { format!("{message}: {listed}") }).set_hint(
        "Only a session of the source with authority over a datum can change it: SET ringfence.source. SET ringfence.on_foreign_datum = 'skip' leaves such changes out.",
    )
}

/// 42501: a customer was to be deleted of which data belong to another source, or may do so.
pub fn foreign_deletion(listed: &str) -> Failure {
    let message = "this session cannot delete data of another source";
    not_allowed(if listed.is_empty() { message.to_owned() } else { format!("{message}: {listed}") }).set_hint(
        "To delete a customer is to change all its data, and all fields that this session does not see. ringfence.erase_customer() asks for no source.",
    )
}

/// A warning: what belongs to another source was left out. Each part is a sentence, or None for what is not named.
pub fn left_out(parts: impl Iterator<Item = Option<String>>) -> Failure {
    let told = warning("changes of data that belong to another source were left out");
    let parts: Vec<String> = parts.flatten().collect();
    if parts.is_empty() {
        return told;
    }
    told.set_detail(parts.join(" ")).set_hint("If history is kept, SELECT * FROM ringfence.left_out() lists them.")
}

/// 0A000: ON CONFLICT DO UPDATE on table customer with ringfence.on_foreign_datum = 'skip'.
pub fn no_upsert_with_skip() -> Failure {
    Failure::new(
        PgSqlErrorCode::ERRCODE_FEATURE_NOT_SUPPORTED,
        "ON CONFLICT DO UPDATE on table \"customer\" does not work with ringfence.on_foreign_datum = 'skip'",
    )
    .set_hint("ringfence.save_customer() inserts a customer, or updates the one with the same id, and leaves out what belongs to another source.")
}

/// A notice: what was written is proposed; none named: a new customer.
pub fn proposed(fields: &[String]) -> Failure {
    let what = if fields.is_empty() {
        "a new customer".to_owned()
    } else {
        fields.iter().map(|field| format!("\"{field}\"")).collect::<Vec<_>>().join(", ")
    };
    Failure::new(PgSqlErrorCode::ERRCODE_SUCCESSFUL_COMPLETION, format!("proposed, and not written: {what}"))
        .set_hint("A session with the right customer.write accepts or rejects it. SELECT * FROM ringfence.proposal lists proposals.")
}

/// 54000: a value that is proposed, or a new customer, is too large.
pub fn proposal_too_large(most: usize) -> Failure {
    Failure::new(PgSqlErrorCode::ERRCODE_PROGRAM_LIMIT_EXCEEDED, "the proposal is too large")
        .set_hint(format!("A proposed value, with the value before, has at most {most} bytes. So has a new customer."))
}

/// 42501: a new customer of another owner than the session's is proposed.
pub fn not_for_this_owner() -> Failure {
    not_allowed("a customer can be proposed for the session's owner only")
}

/// 42501: the id of a customer was to change.
pub fn id_cannot_change() -> Failure {
    not_allowed("the id of a customer cannot be changed")
        .set_hint("Leave it as it is. To have a customer with another id, insert one.")
}

/// 23514: a customer with more phones than look-ups go through.
pub fn too_many_phones(most: usize) -> Failure {
    Failure::new(PgSqlErrorCode::ERRCODE_CHECK_VIOLATION, "the customer has too many phones").set_hint(format!(
        "A customer has at most {most} phones. Keep further numbers in a custom field, or in further customers."
    ))
}

/// 23514: a customer with more e-mails than look-ups go through.
pub fn too_many_emails(most: usize) -> Failure {
    Failure::new(PgSqlErrorCode::ERRCODE_CHECK_VIOLATION, "the customer has too many e-mails").set_hint(format!(
        "A customer has at most {most} e-mails. Keep further addresses in a custom field, or in further customers."
    ))
}

/// 0A000: ON CONFLICT on the card.
pub fn no_on_conflict() -> Failure {
    Failure::new(PgSqlErrorCode::ERRCODE_FEATURE_NOT_SUPPORTED, "ON CONFLICT does not work on view \"customer_card\"")
        .set_hint("ringfence.save_customer() inserts a customer, or updates the one with the same id, phone, e-mail or value of a unique field.")
}

/// 22023: `max_rows` out of range.
pub fn bad_max_rows(max: i32) -> Failure {
    bad_value(format!("max_rows must be between 1 and {max}"))
}

/// 22023: the search query is too long.
pub fn query_too_long(max_characters: usize, max_words: usize) -> Failure {
    bad_value("the search query is too long")
        .set_hint(format!("Use at most {max_characters} characters and {max_words} words."))
}

/// 22023: the cursor was not made by this search.
pub fn bad_cursor() -> Failure {
    bad_value("invalid search cursor")
        .set_hint("Pass the cursor of the last row of the same query, or NULL to start over.")
}

/// 22023: a value of an opaque type was written by hand.
pub fn opaque_value(type_name: &str) -> Failure {
    bad_value(format!("a value of type {type_name} cannot be written by hand"))
        .set_hint("ringfence.query() makes a search query. PostgreSQL computes the search keys.")
}

/// 55000: a report view was renamed, and not by the extension.
pub fn report_view_missing(view: &str) -> Failure {
    wrong_state(format!("there is no report view \"{view}\""))
        .set_detail("A report view is read under the name that ringfence.create_report_view() gave it.")
        .set_hint("Rename it back, or drop it with ringfence.drop_report_view() and create another.")
}

/// 55000: a report view belongs to a role that row-level security may not bind.
pub fn report_view_of_another(view: &str) -> Failure {
    let name = pgrx::spi::quote_identifier(view);
    wrong_state(format!("report view \"{view}\" does not belong to ringfence_definer"))
        .set_detail("Row-level security judges the rows of a view by the view's owner.")
        .set_hint(format!("As superuser: ALTER VIEW ringfence_report.{name} OWNER TO ringfence_definer;"))
}

/// 55000: row-level security is not in force inside of a report view.
pub fn report_view_unguarded(view: &str, table: &str) -> Failure {
    wrong_state(format!("row-level security does not guard report view \"{view}\""))
        .set_detail(format!("It is switched off on table ringfence.{table}, or does not bind role ringfence_definer."))
        .set_hint(format!("As superuser: ALTER TABLE ringfence.{table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; ALTER ROLE ringfence_definer NOSUPERUSER NOBYPASSRLS;"))
}
