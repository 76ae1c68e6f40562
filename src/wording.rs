//! Rewords PostgreSQL's own errors about the extension's tables: the message names the thing instead of a constraint, a hint says what to
//! do, and CONTEXT has no SQL of the extension.
//!
//! This is done when an error is about to be written to the log and sent to the client. SQLSTATE and the fields that programs read (schema,
//! table, constraint) stay. PostgreSQL calls the hook only for errors that it logs: with `log_min_messages` above `error` they stay raw.

use crate::catalog;
use crate::pg::{copied_text, members};
use memchr::memchr;
use memchr::memmem;
use pgrx::{PgLogLevel, PgSqlErrorCode, pg_guard, pg_sys};
use std::cell::Cell;
use std::ffi::{CStr, c_char, c_int};

thread_local! {
    /// Whether the statement that began last reads or writes columns of table `customer` itself.
    static NAMES_CUSTOMER: Cell<bool> = const { Cell::new(false) };
    /// The oid of table `customer`, until a relation changes.
    static CUSTOMER: Cell<Option<pg_sys::Oid>> = const { Cell::new(None) };
}

/// A relation has changed; InvalidOid stands for all. For callbacks: only empties a cell.
pub fn relation_changed(relation: pg_sys::Oid) {
    if relation == pg_sys::InvalidOid || CUSTOMER.get() == Some(relation) {
        CUSTOMER.set(None);
    }
}

/// A planned statement is about to be executed.
///
/// # Safety
/// `statement` must be a planned statement.
pub unsafe fn statement_begins(statement: *mut pg_sys::PlannedStmt) {
    // SAFETY: as promised by the caller.
    NAMES_CUSTOMER.set(unsafe { names_customer(statement) });
}

/// Whether a statement asks for columns of table `customer` with the privileges of whoever runs it.
///
/// # Safety
/// `statement` must be a planned statement.
unsafe fn names_customer(statement: *mut pg_sys::PlannedStmt) -> bool {
    // SAFETY: as promised by the caller; the lists hold what their names say.
    unsafe {
        #[cfg(feature = "pg15")]
        let mut relations = members::<pg_sys::RangeTblEntry>((*statement).rtable)
            .filter(|relation| (**relation).rtekind == pg_sys::RTEKind::RTE_RELATION);
        #[cfg(not(feature = "pg15"))]
        let mut relations = members::<pg_sys::RTEPermissionInfo>((*statement).permInfos);
        relations.any(|relation| (*relation).checkAsUser == pg_sys::InvalidOid && (*relation).relid == customer())
    }
}

fn customer() -> pg_sys::Oid {
    CUSTOMER.get().unwrap_or_else(|| {
        let customer = look_up_customer();
        // If the extension is not installed yet, it may be later: look again then.
        CUSTOMER.set(Some(customer).filter(|customer| *customer != pg_sys::InvalidOid));
        customer
    })
}

#[pg_guard]
extern "C-unwind" fn look_up_customer() -> pg_sys::Oid {
    catalog::table_oid(c"customer")
}

/// A utility statement begins. COPY is the only one that reads or writes columns.
///
/// # Safety
/// `statement` must be a parse tree node or NULL.
pub unsafe fn utility_begins(statement: *mut pg_sys::Node) {
    // SAFETY: the node's tag tells what it is; names in it are NULL or C strings.
    let copies = unsafe {
        !statement.is_null() && (*statement).type_ == pg_sys::NodeTag::T_CopyStmt && {
            let relation = (*statement.cast::<pg_sys::CopyStmt>()).relation;
            !relation.is_null()
                && CStr::from_ptr((*relation).relname) == c"customer"
                && !(*relation).schemaname.is_null()
                && CStr::from_ptr((*relation).schemaname) == c"ringfence"
        }
    };
    NAMES_CUSTOMER.set(copies);
}

/// # Safety
/// `report` must be an error that is about to be written; its texts are NULL or NUL-terminated strings.
pub unsafe fn improve(report: *mut pg_sys::ErrorData) {
    // SAFETY: as promised by the caller. The texts are replaced by copies in the memory context of the report; a context, which only
    // becomes shorter, is changed in place.
    unsafe {
        if (*report).elevel < PgLogLevel::ERROR as c_int {
            return;
        }
        if !(*report).context.is_null() {
            let length = CStr::from_ptr((*report).context).to_bytes().len();
            let context = std::slice::from_raw_parts_mut((*report).context.cast::<u8>(), length);
            match without_internals(context) {
                0 => (*report).context = std::ptr::null_mut(),
                kept => *(*report).context.add(kept) = 0,
            }
        }
        let kind = bytes_of((*report).message_id);
        if let Some(hint) = hint((*report).sqlerrcode, kind, bytes_of((*report).message)) {
            set_if_empty(&mut (*report).hint, hint);
        }
        if bytes_of((*report).schema_name) == b"ringfence"
            && let Some((message, hint)) = of_constraint(bytes_of((*report).constraint_name), kind)
        {
            if let Some(message) = copied_text(message) {
                (*report).message = message;
            }
            if let Some(hint) = hint {
                set_if_empty(&mut (*report).hint, hint);
            }
        }
    }
}

fn set_if_empty(text: &mut *mut c_char, value: &CStr) {
    if text.is_null() {
        *text = copied_text(value).unwrap_or(std::ptr::null_mut());
    }
}

/// # Safety
/// `text` must be NULL, or a NUL-terminated string that nobody changes while the bytes are looked at.
unsafe fn bytes_of<'a>(text: *const c_char) -> &'a [u8] {
    // SAFETY: as promised by the caller.
    if text.is_null() { b"" } else { unsafe { CStr::from_ptr(text) }.to_bytes() }
}

/// The hint for an error that has none. `kind` is PostgreSQL's message in English, with %s in the place of names.
fn hint(code: c_int, kind: &[u8], message: &[u8]) -> Option<&'static CStr> {
    if code != PgSqlErrorCode::ERRCODE_INSUFFICIENT_PRIVILEGE as c_int {
        return None;
    }
    let names = |name: &[u8]| memmem::find(message, name).is_some();
    match kind {
        b"permission denied for table %s" if NAMES_CUSTOMER.get() && has_word(message, b"customer") => Some(
            c"Applications may not use every column of this table. Use ringfence.customer_card, or name the columns that you need.",
        ),
        b"new row violates row-level security policy \"%s\" for table \"%s\"" if names(b"\"owner_wall\"") => {
            Some(c"A row belongs to the owner that the session works for. Leave owner_id out, or write that owner's id.")
        }
        _ => None,
    }
}

/// Whether a message names a thing: not a longer name that has the same letters in it.
fn has_word(message: &[u8], word: &[u8]) -> bool {
    let of_name = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || b"_$".contains(byte));
    memmem::find_iter(message, word)
        .any(|at| !of_name(message.get(at.wrapping_sub(1))) && !of_name(message.get(at + word.len())))
}

/// What a violated constraint of the extension's tables means. `kind` as in [`hint`]. The function is long,
/// because it is a table: an arm for each constraint.
fn of_constraint(constraint: &[u8], kind: &[u8]) -> Option<(&'static CStr, Option<&'static CStr>)> {
    let still_referred_to = kind.starts_with(b"update or delete on table");
    Some(match constraint {
        b"owner_name_key" => (c"there is an owner of this name already", None),
        b"project_owner_id_name_key" => (c"there is a project of this name already", None),
        b"profile_owner_id_name_key" => (c"there is a profile of this name already", None),
        b"owner_name_as_seen" => (c"there is an owner whose name looks the same", None),
        b"project_name_as_seen" => (c"there is a project whose name looks the same", None),
        b"profile_name_as_seen" => (c"there is a profile whose name looks the same", None),
        b"field_name_as_seen" => (c"there is a field whose name looks the same", None),
        b"profile_name_check" => (
            c"the name of a profile must not contain a full stop",
            Some(c"A name with a full stop is the name of a right."),
        ),
        b"field_owner_id_name_key" => (
            c"there is a field of this name already",
            Some(c"The projects of an owner share its fields: ringfence.bind_field() shows one in another project."),
        ),
        b"field_type_check" => (
            c"unknown field type",
            Some(c"The types are: text, number, boolean, date, time, datetime, choice, choices, phone, email."),
        ),
        b"field_check" => {
            (c"fields of type \"choice\" and \"choices\" must have options, and other fields have none", None)
        }
        b"field_project_pkey" => (c"the field is bound to this project already", None),
        b"field_project_access_check" => (c"the access to a field is either 'read' or 'write'", None),
        b"field_project_owner_id_field_id_fkey" if !still_referred_to => (c"there is no such field", None),
        b"field_project_owner_id_project_id_fkey" if !still_referred_to => (c"there is no such project", None),
        b"customer_pkey" => (
            c"there is a customer with this id already",
            Some(c"ringfence.save_customer() updates a customer, or inserts it where there is none."),
        ),
        b"customer_name_check" => {
            (c"the name of a customer must have a visible character, and at most 2500 bytes", None)
        }
        b"customer_owner_id_company_id_fkey" if !still_referred_to => {
            (c"there is no such company", Some(c"ringfence.company lists the companies of the owner."))
        }
        b"company_pkey" => (c"there is a company with this id already", None),
        b"company_name_check" => (c"the name of a company must have a visible character", None),
        b"channel_address" => (c"the address is taken", Some(c"ringfence.release_channel() sets an address free.")),
        b"channel_owner_id_project_id_fkey" if !still_referred_to => (c"there is no such project", None),
        b"ticket_status_pkey" => (c"there is a ticket status of this name already", None),
        b"ticket_status_name_as_seen" => (c"there is a ticket status whose name looks the same", None),
        b"ticket_pkey" => (c"there is a ticket with this id already", None),
        b"ticket_subject_check" => (c"the subject of a ticket must have a visible character", None),
        b"ticket_assignee_check" => (c"the assignee of a ticket has at most 1000 bytes", None),
        b"ticket_status_check" => {
            (c"there is no such ticket status", Some(c"ringfence.ticket_status lists the statuses of the owner."))
        }
        b"ticket_priority_check" => {
            (c"unknown priority of a ticket", Some(c"The priorities are: low, normal, high, urgent."))
        }
        b"ticket_owner_id_status_fkey" if still_referred_to => (c"there are tickets of this status", None),
        b"ticket_owner_id_status_fkey" => {
            (c"there is no such ticket status", Some(c"ringfence.ticket_status lists the statuses of the owner."))
        }
        b"ticket_owner_id_customer_id_fkey" if !still_referred_to => (c"there is no such customer", None),
        b"ticket_owner_id_project_id_fkey" if !still_referred_to => (c"there is no such project", None),
        b"ticket_owner_id_channel_id_fkey" if !still_referred_to => (c"there is no such channel", None),
        b"ticket_owner_id_fkey" if still_referred_to => (
            c"the owner has tickets",
            Some(c"Delete them first, or disable the owner: UPDATE ringfence.owner SET enabled = false."),
        ),
        b"interaction_kind_check" => (
            c"unknown kind of interaction",
            Some(c"The kinds are: call, email, chat, message, visit, note."),
        ),
        b"interaction_direction_check" => (c"the direction of an interaction is either 'in' or 'out'", None),
        b"interaction_times_check" => (c"an interaction cannot end, or be answered, before it starts", None),
        b"interaction_external_id_check" => (c"an external id has at most 1000 bytes", None),
        b"interaction_pkey" => (c"there is an interaction with this id already", None),
        b"interaction_owner_id_external_id_key" => (c"there is an interaction with this external id already", None),
        b"interaction_owner_id_customer_id_fkey" if !still_referred_to => (c"there is no such customer", None),
        b"interaction_owner_id_project_id_fkey" if !still_referred_to => (c"there is no such project", None),
        b"interaction_owner_id_channel_id_fkey" if !still_referred_to => (c"there is no such channel", None),
        b"interaction_owner_id_fkey" if still_referred_to => (
            c"the owner has interactions",
            Some(c"Delete them first, or disable the owner: UPDATE ringfence.owner SET enabled = false."),
        ),
        b"script_owner_id_project_id_name_key" => (c"there is a script of this name in the project already", None),
        b"script_owner_id_project_id_fkey" if !still_referred_to => (c"there is no such project", None),
        b"question_text_check" => (c"a question must have a visible character", None),
        b"answer_name_check" => (c"the name of an answer must have a visible character", None),
        b"answer_kind_check" => (c"the kind of an answer is either 'choice' or 'text'", None),
        b"answer_next_question_fkey" if still_referred_to => (
            c"an answer leads to this question",
            Some(c"Let the answer lead elsewhere, or delete it: SELECT * FROM ringfence.answer WHERE next_question_id = ..."),
        ),
        b"answer_next_question_fkey" => (c"there is no such question in this script", None),
        b"import_template_owner_id_name_key" => (c"there is an import template of this name already", None),
        b"import_template_mode_check" => {
            (c"unknown mode of an import", Some(c"The modes are: add, update, upsert."))
        }
        b"import_template_match_check" => (
            c"a template that updates must have a match_field",
            Some(c"It is id, phone, email, or the name of a unique field."),
        ),
        b"import_template_owner_id_project_id_fkey" if !still_referred_to => (c"there is no such project", None),
        b"import_mapping_owner_id_template_id_fkey" if !still_referred_to => (c"there is no such import template", None),
        b"import_mapping_target" => (
            c"the template has a mapping for this target already",
            Some(c"Only phones and emails take several. Put several columns into one source: {{First}} {{Last}}."),
        ),
        b"import_mapping_target_check" => (c"the target of a mapping has at most 1000 bytes", None),
        b"import_mapping_on_empty_check" => (c"what an empty cell does is either 'leave' or 'clear'", None),
        b"customer_owner_id_fkey" if still_referred_to => (
            c"the owner has customers",
            Some(c"Delete them first, or disable the owner: UPDATE ringfence.owner SET enabled = false."),
        ),
        b"company_owner_id_fkey" if still_referred_to => (
            c"the owner has companies",
            Some(c"Delete them first, or disable the owner: UPDATE ringfence.owner SET enabled = false."),
        ),
        _ => return None,
    })
}

/// Removes from a CONTEXT the functions of the extension and the statements that they run; functions of users stay. The lines come innermost
/// first: a function follows the statements that it was running. Returns how many bytes are left.
fn without_internals(context: &mut [u8]) -> usize {
    // Nothing is allocated: it may be the lack of memory that is being reported.
    let (mut read, mut kept, mut kept_for_sure) = (0, 0, 0);
    while read < context.len() {
        let end = memchr(b'\n', &context[read..]).map_or(context.len(), |length| read + length + 1);
        let function = function_of(&context[read..end]);
        context.copy_within(read..end, kept);
        kept += end - read;
        read = end;
        match function {
            Some(true) => kept = kept_for_sure,
            Some(false) => kept_for_sure = kept,
            None => (),
        }
    }
    if kept > 0 && kept < context.len() && context[kept - 1] == b'\n' { kept - 1 } else { kept }
}

/// Whether a line of a CONTEXT is about a function in PL/pgSQL, and if so whether it is one of the extension's. It works in every language of
/// PostgreSQL's messages: the line has the word PL/pgSQL and the function's name and types unquoted, whereas statements are quoted.
fn function_of(line: &[u8]) -> Option<bool> {
    let word = memmem::find(line, b"PL/pgSQL")?;
    let quote = [&b"\""[..], "«".as_bytes(), "»".as_bytes(), "„".as_bytes(), "“".as_bytes(), "「".as_bytes()]
        .into_iter()
        .filter_map(|quote| memmem::find(line, quote))
        .min();
    let arguments = memchr(b'(', line);
    if quote.is_some_and(|quote| arguments.is_none_or(|arguments| quote < arguments)) {
        return None;
    }
    let name = &line[word..arguments.unwrap_or(line.len()).max(word)];
    let schema = memmem::rfind(name, b"ringfence.");
    let begins_there = |at: usize| {
        !name.get(at.wrapping_sub(1)).is_some_and(|byte| byte.is_ascii_alphanumeric() || b"_$.".contains(byte))
    };
    Some(schema.is_some_and(begins_there))
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    fn trimmed(context: &str) -> String {
        let mut bytes = context.as_bytes().to_vec();
        let kept = without_internals(&mut bytes);
        String::from_utf8(bytes[..kept].to_vec()).expect("UTF-8")
    }

    #[test]
    fn contexts() {
        let ours = "SQL statement \"INSERT INTO ringfence.customer\n        (owner_id, id)\n    VALUES (ringfence.new_id())\"\nPL/pgSQL function ringfence.insert_customer_card() line 8 at SQL statement";
        assert_eq!(trimmed(ours), "");
        for kept in [
            "COPY customer_card, line 1: \"x\"",
            "PL/pgSQL function public.my_import(text,integer) line 3 at SQL statement",
            "SQL statement \"INSERT INTO ringfence.customer_card (name) VALUES ('x')\"\nPL/pgSQL function inline_code_block line 1 at SQL statement",
            "PL/pgSQL function my_ringfence.f() line 1 at RAISE",
            "SQL function \"f\" statement 1",
        ] {
            assert_eq!(trimmed(kept), kept);
            assert_eq!(trimmed(&format!("{ours}\n{kept}")), kept);
        }
        // A function of the user within one of ours, as a trigger on the table.
        assert_eq!(
            trimmed(&format!(
                "PL/pgSQL function public.theirs() line 1 at RAISE\n{ours}\nSQL function \"f\" statement 1"
            )),
            "PL/pgSQL function public.theirs() line 1 at RAISE\nSQL function \"f\" statement 1"
        );
        assert_eq!(
            trimmed(
                "PL/pgSQL assignment \"written := ringfence.write_attributes('{}', '{}', '{}')\"\nPL/pgSQL function ringfence.insert_customer_card() line 4 during statement block local variable initialization"
            ),
            ""
        );
        // In other languages.
        for line in [
            "PL/pgSQL-Funktion ringfence.insert_customer_card() Zeile 8 bei SQL-Anweisung",
            "fonction PL/pgSQL ringfence.insert_customer_card(), ligne 8 à instruction SQL",
            "PL/pgSQL関数ringfence.insert_customer_card()の8行目 - SQL文",
        ] {
            assert_eq!(trimmed(&format!("SQL-Anweisung »INSERT\n (x)«\n{line}")), "", "{line}");
        }
        assert_eq!(trimmed(""), "");
        assert_eq!(trimmed("\n"), "\n");
    }
}
