//! Proposals: what a session writes to a card that may propose, and not write. Nothing of the customer changes.

use super::statement::{ATTRIBUTES, Arguments, COLUMNS, ID, OWNER_ID};
use super::stored_row::{DATA, Record, WIDTH};
use crate::error::{self, Result};
use crate::field::VisibleField;
use crate::history::{data_of_change, shown};
use crate::jsonb::{Jsonb, Kind, New, Value};
use crate::name::new_id;
use crate::rights::Rights;
use crate::session::{self, Context};
use crate::{catalog, role};
use pgrx::datum::{DatumWithOid, Uuid};
use pgrx::spi::Spi;
use pgrx::{FromDatum, IntoDatum, PgLogLevel, pg_guard, pg_sys};

/// Whether what the session writes becomes proposals.
#[pg_guard]
pub unsafe extern "C-unwind" fn proposes() -> bool {
    if session::is_acting() || !catalog::row_security_binds(catalog::table_oid(c"customer"), session::outer_role()) {
        return false;
    }
    match session::context() {
        Ok(context) => {
            let rights = context.rights;
            !rights.contains(Rights::CUSTOMER_WRITE) && rights.contains(Rights::CUSTOMER_PROPOSE)
        }
        Err(failure) => error::raised(Err(failure)),
    }
}

/// Proposes each value that differs between two cards.
///
/// # Safety
/// Both must be cards.
#[pg_guard]
pub unsafe extern "C-unwind" fn propose_change(old: &Arguments, new: &Arguments) {
    // SAFETY: as promised by the caller.
    error::raised(unsafe { changes(old, new) });
}

/// Proposes a new customer, and gives its card an id.
///
/// # Safety
/// It must be a card.
#[pg_guard]
pub unsafe extern "C-unwind" fn propose_customer(card: &mut Arguments) {
    // SAFETY: as promised by the caller.
    error::raised(unsafe { customer(card) });
}

/// The columns of a card that hold data, and its custom values.
///
/// # Safety
/// It must be a card.
unsafe fn read(card: &Arguments) -> (Record, Jsonb) {
    let place = |name: &str| COLUMNS.iter().position(|(column, _)| *column == name);
    let value = |place: usize| card.values.get(place).copied().filter(|_| card.nulls.get(place) == Some(&false));
    let of_column = |n: usize| DATA.get(n).and_then(|(name, _)| place(name.to_str().ok()?)).and_then(value);
    // SAFETY: as promised by the caller: values of the columns' types.
    let id = |place| value(place).and_then(|id| unsafe { Uuid::from_datum(id, false) });
    let none = Uuid::from_bytes([0; 16]);
    let record = Record::of_card(std::array::from_fn(of_column), id(ID).unwrap_or(none), id(OWNER_ID).unwrap_or(none));
    // SAFETY: as promised by the caller.
    let attributes = value(ATTRIBUTES).and_then(|value| unsafe { Jsonb::from_datum(value, false) });
    (record, attributes.unwrap_or_else(|| Jsonb::object([])))
}

/// The field of that name, if the session may propose values of it. Error 22023 for a value that is not one of the field.
fn proposable<'a>(
    context: &'a Context,
    name: &str,
    value: Option<Value>,
    before: Option<Value>,
) -> Result<&'a VisibleField> {
    let field = context.fields()?.by_name(name).filter(|field| field.proposable);
    let field = field.ok_or_else(|| error::field_not_writable(name))?;
    if let Some(value) = value.filter(|value| value.kind() != Kind::Null) {
        field.accept(value, before)?;
    }
    Ok(field)
}

/// # Safety
/// Both must be cards.
unsafe fn changes(old: &Arguments, new: &Arguments) -> Result<()> {
    let context = session::context()?;
    // SAFETY: as promised by the caller.
    let ((old, before), (new, after)) = unsafe { (read(old), read(new)) };
    if new.id != old.id || new.owner != old.owner {
        return Err(error::id_cannot_change());
    }
    let every = context.every_field()?;
    let mut names = Vec::new();
    for column in (0..WIDTH).filter(|column| new.differs(&old, *column)) {
        let (from, to) = (shown(&old, column), shown(&new, column));
        // NULL and an empty list are one.
        if from.is_none() && to.is_none() {
            continue;
        }
        let name = DATA.get(column).and_then(|(name, _)| name.to_str().ok()).unwrap_or_default();
        store(Some(old.id), every.of_column(name), data_of_change(from, to))?;
        names.push(name.to_owned());
    }
    let differs = |name: &str, value: Value| !before.member(name).is_some_and(|previous| previous.same_as(value));
    for member in after.members().ok_or_else(error::attributes_not_object)?.filter(|it| differs(it.name, it.value)) {
        let previous = before.member(member.name);
        let field = proposable(&context, member.name, Some(member.value), previous)?;
        let value = Some(member.value).filter(|value| value.kind() != Kind::Null);
        store(Some(old.id), Some(field.id), data_of_change(previous.map(New::Kept), value.map(New::Kept)))?;
        names.push(member.name.to_owned());
    }
    for member in before.members().into_iter().flatten().filter(|it| after.member(it.name).is_none()) {
        let field = proposable(&context, member.name, None, None)?;
        store(Some(old.id), Some(field.id), data_of_change(Some(New::Kept(member.value)), None))?;
        names.push(member.name.to_owned());
    }
    if !names.is_empty() {
        error::proposed(&names).report(PgLogLevel::NOTICE);
    }
    Ok(())
}

/// # Safety
/// It must be a card.
unsafe fn customer(card: &mut Arguments) -> Result<()> {
    let context = session::context()?;
    // SAFETY: as promised by the caller.
    let (record, given) = unsafe { read(card) };
    if !card.nulls[OWNER_ID] && record.owner != context.owner.id {
        return Err(error::not_for_this_owner());
    }
    let id = if card.nulls[ID] { new_id() } else { record.id };
    let mut values = Vec::new();
    for member in given.members().ok_or_else(error::attributes_not_object)?.filter(|it| it.value.kind() != Kind::Null) {
        let field = proposable(&context, member.name, Some(member.value), None)?;
        values.push((field.id.to_string(), member.value));
    }
    let attributes = Jsonb::object(values.iter().map(|(id, value)| (id.as_str(), New::Kept(*value))));
    let columns = (0..WIDTH).filter_map(|column| {
        let name = DATA.get(column).and_then(|(name, _)| name.to_str().ok())?;
        Some((name, shown(&record, column)?))
    });
    let members = columns
        .chain([("id", New::Text(id.to_string().into())), ("attributes", New::Kept(Value::Object(attributes.root())))]);
    let new = Jsonb::object(members);
    store(None, None, Jsonb::object([("new", New::Kept(Value::Object(new.root())))]))?;
    card.set(ID, id.into_datum().unwrap_or(pg_sys::Datum::null()));
    card.set(OWNER_ID, context.owner.id.into_datum().unwrap_or(pg_sys::Datum::null()));
    error::proposed(&[]).report(PgLogLevel::NOTICE);
    Ok(())
}

/// The trigger of the card runs as the definer, whom the wall binds.
fn store(customer: Option<Uuid>, field: Option<Uuid>, data: Jsonb) -> Result<()> {
    let source = session::acting_source(&*session::context()?)?;
    let (role_name, agent) = (role::own_name(), session::agent()?);
    let data = data.into_datum().unwrap_or(pg_sys::Datum::null());
    // SAFETY: each value is of the type whose oid stands with it.
    let arguments = unsafe {
        [
            DatumWithOid::new(customer, pg_sys::UUIDOID),
            DatumWithOid::new(field, pg_sys::UUIDOID),
            DatumWithOid::new(data, pg_sys::JSONBOID),
            DatumWithOid::new(role_name, pg_sys::TEXTOID),
            DatumWithOid::new(agent, pg_sys::TEXTOID),
            DatumWithOid::new(source, pg_sys::UUIDOID),
        ]
    };
    Spi::run_with_args("SELECT ringfence.store_proposal($1, $2, $3, $4, $5, $6)", &arguments)
        .map_err(|_| error::not_installed("table ringfence.proposed_value"))
}
