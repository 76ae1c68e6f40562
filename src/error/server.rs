//! Errors about what PostgreSQL would do with the tables of the extension, and about the installation.

use super::failure::{Failure, bad_value, not_allowed, quotable, wrong_state};
use pgrx::PgSqlErrorCode;

/// 42501: a MERGE that PostgreSQL would run over the rows of all owners.
pub fn blind_merge() -> Failure {
    not_allowed("MERGE into this table must read a column of it")
        .set_detail("Without one, PostgreSQL does not apply row-level security to the rows that MERGE visits.")
        .set_hint("Name a column of the table in ON, such as its id.")
}

/// 0A000: a sample is taken of pages, on which the rows of all owners lie.
pub fn no_sample_of_walled_table() -> Failure {
    Failure::new(PgSqlErrorCode::ERRCODE_FEATURE_NOT_SUPPORTED, "TABLESAMPLE does not work on a table behind the wall")
        .set_detail("The number of sampled rows would depend on where PostgreSQL stores the rows of other owners.")
        .set_hint("Take a sample of the rows instead: WHERE random() < 0.01.")
}

/// 55000: policy `owner_wall` cannot be found, though it was there when the statement was planned.
pub fn wall_is_gone() -> Failure {
    wrong_state("the wall of a table changed while a statement was planned").set_hint("Run the statement again.")
}

/// 42501: counts of what a transaction has read, of whichever owner.
pub fn counts_of_transaction(role: &str) -> Failure {
    let role = quotable(role);
    not_allowed(format!("role \"{role}\" may not see how many rows its transaction has read"))
        .set_detail("PostgreSQL counts the rows of all owners.")
        .set_hint("Roles that monitor the database may, with GRANT pg_read_all_stats.")
}

/// 42501: a lock on a table of the extension, which all owners share.
pub fn locks_all_owners(relation: &str) -> Failure {
    not_allowed(format!("this role may not lock relation \"{relation}\""))
        .set_detail("The lock would make the sessions of all owners wait for this transaction.")
        .set_hint("Lock only the rows that you need, with SELECT ... FOR UPDATE, or use an advisory lock.")
}

/// 42501: a foreign key to a table of the extension.
pub fn may_not_refer_to(relation: &str) -> Failure {
    not_allowed(format!("this role may not refer to relation \"{relation}\" by a foreign key"))
        .set_detail("A foreign key reveals which rows exist, also those of other owners. Creating it locks the table.")
        .set_hint("Create the foreign key as a role that no application is a member of. A superuser gives that role the privilege: GRANT REFERENCES (owner_id, id) ON ringfence.customer TO ...;")
}

/// 55000: a table that holds customers' data would be dropped.
pub fn data_would_be_lost(table: &str) -> Failure {
    wrong_state(format!("cannot drop table ringfence.{table}, because it holds data"))
        .set_detail("Dropping the extension deletes all owners, their customers and whatever else is theirs.")
        .set_hint(
            "To delete them for good, a superuser sets ringfence.allow_drop = on for the session, and drops again.",
        )
}

/// 55000: the database has no ringfence, or half of one.
pub fn not_installed(what: &str) -> Failure {
    wrong_state(format!("{what} is missing")).set_hint("CREATE EXTENSION ringfence, in this database.")
}

/// 55000: the library that the session has loaded is not of the version that the database has installed.
pub fn other_version(library: &str, installed: Option<&str>) -> Failure {
    let numbers = |version: &str| version.split('.').map_while(|part| part.parse::<u32>().ok()).collect::<Vec<_>>();
    let hint = match installed {
        Some(installed) if numbers(installed) < numbers(library) => {
            "Run ALTER EXTENSION ringfence UPDATE in this database, as superuser."
        }
        Some(_) => {
            "Reconnect, because this session has loaded an older library. If the error remains, restart the server. If it still remains, install the library of the extension's version."
        }
        None => "Run CREATE EXTENSION ringfence in this database, as superuser.",
    };
    let message = match installed {
        Some(installed) => format!(
            "the ringfence library has version {library}, but the extension in this database has version {installed}"
        ),
        None => format!("the ringfence library has version {library}, but this database has no ringfence extension"),
    };
    wrong_state(message).set_hint(hint)
}

/// XX002: a page of the search index is not what it should be.
pub fn damaged_index() -> Failure {
    Failure::new(PgSqlErrorCode::ERRCODE_INDEX_CORRUPTED, "index ringfence.customer_search is damaged")
        .set_hint("Find out what has damaged it, then REINDEX it.")
}

/// 53200: there is not as much memory as a value takes.
pub fn out_of_memory() -> Failure {
    Failure::new(PgSqlErrorCode::ERRCODE_OUT_OF_MEMORY, "out of memory")
}

/// 53200: there is less memory than `maintenance_work_mem` allows to take.
pub fn too_little_memory() -> Failure {
    Failure::new(PgSqlErrorCode::ERRCODE_OUT_OF_MEMORY, "there is not enough memory to build the search index")
        .set_hint("Set maintenance_work_mem to less.")
}

/// 22023: an index of our access method was given storage parameters.
pub fn no_index_options() -> Failure {
    bad_value("an index of access method ringfence_search takes no parameters")
        .set_hint("Leave out WITH (...). This index has no list of pending entries, so GIN's options do not apply.")
}

/// 0A000: an index of PostgreSQL's own GIN was made with the operator class of ours.
pub fn not_by_gin() -> Failure {
    Failure::new(PgSqlErrorCode::ERRCODE_FEATURE_NOT_SUPPORTED, "access method gin cannot use ringfence's search keys")
        .set_hint("Create the index with USING ringfence_search.")
}

/// 55000: a trigger function was attached where it does not belong.
pub fn wrong_trigger(reason: &'static str) -> Failure {
    wrong_state(format!("a trigger function of ringfence cannot run here: {reason}"))
}
