//! The trigger that keeps the history of customers, and what others note in it.

use super::row::{Change, Datum, Writer, data_of_column, data_of_sources, data_of_value, write};
use super::setting::{Keep, keeps};
use crate::authority::suspended::is_suspended;
use crate::customer::stored_row::{Call, DATA, Record, WIDTH, values_changed};
use crate::error::{self, Result};
use crate::field::EveryField;
use crate::pg::{statement_start, version_1};
use crate::session::{self, Context};
use crate::source::Sources;
use crate::{catalog, role};
use pgrx::datum::Uuid;
use pgrx::{pg_guard, pg_sys};
use std::cell::RefCell;
use std::rc::Rc;

/// What the session knows of an owner's fields and sources.
enum Known {
    /// Of the session's own owner.
    Own(Rc<Context>),
    /// Of any owner: for roles that row-level security does not bind.
    Any(Rc<(EveryField, Sources)>),
}

impl Known {
    fn fields(&self) -> Result<&EveryField> {
        match self {
            Known::Own(context) => context.every_field(),
            Known::Any(known) => Ok(&known.0),
        }
    }

    fn sources(&self) -> Result<&Sources> {
        match self {
            Known::Own(context) => context.sources(),
            Known::Any(known) => Ok(&known.1),
        }
    }
}

type Remembered = (Uuid, pg_sys::TimestampTz, Rc<(EveryField, Sources)>);

thread_local! {
    /// What a role that row-level security does not bind has read of an owner in this statement.
    static REMEMBERED: RefCell<Option<Remembered>> = const { RefCell::new(None) };
}

fn of_any_owner(owner: Uuid) -> Result<Rc<(EveryField, Sources)>> {
    let now = statement_start();
    let known = REMEMBERED.with_borrow(|remembered| {
        let (of, at, known) = remembered.as_ref()?;
        (*of == owner && *at == now).then(|| known.clone())
    });
    if let Some(known) = known {
        return Ok(known);
    }
    let known = Rc::new((EveryField::of(owner)?, Sources::of(owner)?));
    REMEMBERED.replace(Some((owner, now, known.clone())));
    Ok(known)
}

/// Whether this session restores a dump, which brings the history with it.
fn restores() -> bool {
    // SAFETY: reads a variable of the backend.
    unsafe { !pg_sys::row_security }
}

/// The one who writes, and what is known of the owner.
fn writer(table: pg_sys::Oid, record: &Record) -> Result<(Writer, Known)> {
    let (known, source) = if session::is_acting() || catalog::row_security_binds(table, session::outer_role()) {
        let context = match session::context_of_statement() {
            Some(context) => context,
            None => session::context()?,
        };
        let source = session::acting_source(&context)?;
        (Known::Own(context), source)
    } else {
        let known = of_any_owner(record.owner)?;
        let source = session::source()?.and_then(|name| known.1.writing(&name));
        (Known::Any(known), source)
    };
    let (role_name, agent) = (role::own_name(), session::agent()?);
    Ok((Writer { owner: record.owner, customer: record.id, role_name, agent, source }, known))
}

/// After a customer is written.
///
/// # Safety
/// For PostgreSQL to call, as a trigger function.
#[unsafe(no_mangle)]
#[pg_guard]
pub unsafe extern "C-unwind" fn keep_history(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    error::raised((|| {
        let none = pg_sys::Datum::null();
        if keeps() == Keep::None || is_suspended() {
            return Ok(none);
        }
        // SAFETY: as promised by the caller.
        let call = unsafe { Call::of(call, pg_sys::TRIGGER_EVENT_AFTER)? };
        if restores() && !catalog::row_security_binds(call.table(), session::outer_role()) {
            return Ok(none);
        }
        let (old, new) = (call.before(), call.after());
        let Some(record) = new.as_ref().or(old.as_ref()) else {
            return Ok(none);
        };
        let (writer, known) = writer(call.table(), record)?;
        let changes = match (&old, &new) {
            (Some(old), Some(new)) => changes(&known, old, new)?,
            (None, _) => vec![Change::whole("insert")],
            (_, None) => vec![Change::whole("delete")],
        };
        write(&writer, changes)?;
        Ok(none)
    })())
}

/// What an UPDATE changes. A value of a field that is dropped is no datum any more.
fn changes(known: &Known, old: &Record, new: &Record) -> Result<Vec<Change>> {
    let with_values = keeps() == Keep::Values;
    let mut changes = Vec::new();
    for column in (0..WIDTH).filter(|column| new.differs(old, *column)) {
        changes.push(Change {
            kind: kind(old.holds(column), new.holds(column)),
            field: known.fields()?.of_column(name_of(column)),
            data: with_values.then(|| data_of_column(old, new, column)),
            reason: None,
        });
    }
    if new.attributes_differ(old) {
        let (before, after) = (old.attributes(), new.attributes());
        for (definition, changed) in known.fields()?.in_form(values_changed(&before, &after), |changed| changed.key) {
            changes.push(Change {
                kind: kind(changed.old.is_some(), changed.new.is_some()),
                field: Some(definition.id),
                data: with_values.then(|| data_of_value(definition, &changed)),
                reason: None,
            });
        }
    }
    if old.source != new.source {
        let sources = known.sources()?;
        let name = |source: Option<Uuid>| source.and_then(|source| sources.name_of(source));
        let data = Some(data_of_sources(name(old.source), name(new.source)));
        changes.push(Change { data, ..Change::whole("hand_over") });
    }
    Ok(changes)
}

fn kind(held: bool, holds: bool) -> &'static str {
    match (held, holds) {
        (false, true) => "set",
        (true, false) => "clear",
        _ => "change",
    }
}

fn name_of(column: usize) -> &'static str {
    DATA.get(column).and_then(|(name, _)| name.to_str().ok()).unwrap_or_default()
}

/// Notes what a write would have changed of data of another source, and did not.
pub fn note_left_out(
    context: &Context,
    source: Option<Uuid>,
    old: &Record,
    new: &Record,
    left_out: &[Datum],
) -> Result<()> {
    if keeps() == Keep::None {
        return Ok(());
    }
    let every = context.every_field()?;
    let with_values = keeps() == Keep::Values;
    let changes = left_out.iter().filter_map(|datum| {
        let (field, data) = match datum {
            Datum::Column(column) => {
                (every.of_column(name_of(*column)), with_values.then(|| data_of_column(old, new, *column)))
            }
            Datum::Value(changed) => {
                let definition = every.of_key(changed.key)?;
                (Some(definition.id), with_values.then(|| data_of_value(definition, changed)))
            }
        };
        Some(Change { kind: "left_out", field, data, reason: None })
    });
    let (role_name, agent) = (role::own_name(), session::agent()?);
    write(&Writer { owner: old.owner, customer: old.id, role_name, agent, source }, changes.collect())
}

/// Notes that a customer was erased.
pub fn note_erasure(customer: Uuid, reason: Option<String>) -> Result<()> {
    let context = session::context()?;
    let source = session::acting_source(&context)?;
    let (role_name, agent) = (role::own_name(), session::agent()?);
    let writer = Writer { owner: context.owner.id, customer, role_name, agent, source };
    write(&writer, vec![Change { reason, ..Change::whole("erase") }])
}

version_1!(pg_finfo_keep_history);
