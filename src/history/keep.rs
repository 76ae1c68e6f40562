//! The trigger that keeps the history of customers, and what others note in it.

use super::row::{Change, Datum, Writer, data_of_change, data_of_column, data_of_sources, data_of_value, shown, write};
use super::setting::{Keep, keeps};
use crate::authority::exempt;
use crate::customer::stored_row::{Call, DATA, Record, WIDTH, values_changed};
use crate::error::{self, Result};
use crate::field::EveryField;
use crate::owner::closed;
use crate::pg::{statement_start, version_1};
use crate::session::{self, Context};
use crate::source::Sources;
use crate::{catalog, role};
use pgrx::datum::Uuid;
use pgrx::{pg_guard, pg_sys};
use std::cell::{Cell, RefCell};
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
    /// A table that decisions are made from has changed since.
    static IS_STALE: Cell<bool> = const { Cell::new(false) };
}

/// A relation has changed. For callbacks: sets a flag.
pub fn relation_changed(relation: pg_sys::Oid) {
    if relation == pg_sys::InvalidOid || catalog::was_read(relation) {
        IS_STALE.set(true);
    }
}

fn of_any_owner(owner: Uuid) -> Result<Rc<(EveryField, Sources)>> {
    let now = statement_start();
    if IS_STALE.replace(false) {
        REMEMBERED.take();
    }
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

/// The one who writes, and what is known of the owner. A function of a role that row-level security
/// does not bind may write customers of another owner than the session's: there that role has
/// written, and nothing of the session is told.
fn writer(table: pg_sys::Oid, record: &Record) -> Result<(Writer, Known)> {
    let of_session = |known: Known, source: Option<Uuid>| {
        let (role_name, agent) = (role::own_name(), session::agent()?);
        Ok((Writer { owner: record.owner, customer: record.id, role_name, agent, source }, known))
    };
    if session::is_acting() {
        return of_session(Known::Own(session::context()?), None);
    }
    if role::is_bound(table) {
        let context = match session::context_of_statement() {
            Some(context) => context,
            None => session::context()?,
        };
        let source = session::acting_source(&context)?;
        return of_session(Known::Own(context), source);
    }
    if !role::acts_itself()
        && catalog::row_security_binds(table, role::current())
        && session::context_if_entitled().is_none_or(|context| context.owner.id != record.owner)
    {
        let (owner, customer) = (record.owner, record.id);
        let writer = Writer { owner, customer, role_name: role::name_at_work(), agent: None, source: None };
        return Ok((writer, Known::Any(of_any_owner(owner)?)));
    }
    let known = of_any_owner(record.owner)?;
    let source = session::source()?.and_then(|name| known.1.writing(&name));
    of_session(Known::Any(known), source)
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
        // An owner that is deleted as a whole leaves no history.
        if keeps() == Keep::None || closed::is_deleting() {
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
        if new.is_none() && exempt::is_erased(record.id) {
            return Ok(none);
        }
        let (writer, known) = writer(call.table(), record)?;
        match (&old, &new) {
            // Each owner sees what it lost or got, and nothing of the other.
            (Some(old), Some(new)) if old.owner != new.owner => {
                let from = Writer { owner: old.owner, customer: old.id, ..writer.clone() };
                write(&from, vec![Change::whole("delete")])?;
                write(&writer, vec![Change::whole("insert")])?;
            }
            (Some(old), Some(new)) => write(&writer, changes(&known, old, new)?)?,
            (None, _) => write(&writer, vec![Change::whole("insert")])?,
            (_, None) => write(&writer, vec![Change::whole("delete")])?,
        }
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
            if exempt::is_reshaped(definition.id) {
                continue;
            }
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

/// Notes what a write would have changed of data of another source, and did not. `old`: None of a
/// new customer.
pub fn note_left_out<'a>(
    context: &Context,
    source: Option<Uuid>,
    old: Option<&Record>,
    new: &Record,
    left_out: impl Iterator<Item = Datum<'a>>,
) -> Result<()> {
    if keeps() == Keep::None {
        return Ok(());
    }
    let every = context.every_field()?;
    let with_values = keeps() == Keep::Values;
    let changes = left_out.filter_map(|datum| {
        let (field, data) = match datum {
            Datum::Column(column) => (
                every.of_column(name_of(column)),
                with_values.then(|| data_of_change(old.and_then(|old| shown(old, column)), shown(new, column))),
            ),
            Datum::Value(changed) => {
                let definition = every.of_key(changed.key)?;
                (Some(definition.id), with_values.then(|| data_of_value(definition, changed)))
            }
        };
        Some(Change { kind: "left_out", field, data, reason: None })
    });
    write(&writer_of(old.unwrap_or(new), source)?, changes.collect())
}

/// Notes that a customer was not deleted, because data of it belong to another source.
pub fn note_deletion_left_out(source: Option<Uuid>, old: &Record) -> Result<()> {
    if keeps() == Keep::None {
        return Ok(());
    }
    write(&writer_of(old, source)?, vec![Change::whole("left_out")])
}

/// The session, as the writer of a record of its owner.
fn writer_of(record: &Record, source: Option<Uuid>) -> Result<Writer> {
    let (role_name, agent) = (role::own_name(), session::agent()?);
    Ok(Writer { owner: record.owner, customer: record.id, role_name, agent, source })
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
