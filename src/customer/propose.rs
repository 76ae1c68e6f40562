//! Proposals: what a session writes to a card that may propose, and not write. Nothing of the
//! customer changes.

// `store_proposals()` is a plain frame: see `pg`.
#![allow(ffi_unwind_calls)]

use super::statement::{
    ATTRIBUTES, Arguments, COLUMNS, ID, OWNER_ID, PROPOSED_BY_AGENT, PROPOSED_BY_ROLE, PROPOSED_CUSTOMER,
    PROPOSED_DATA, PROPOSED_FIELD, PROPOSED_FOR, Statement, execute,
};
use super::stored_row::{DATA, Record, WIDTH};
use crate::error::{self, Result};
use crate::field::{self, VisibleField};
use crate::history::{data_of_change, shown};
use crate::jsonb::{Jsonb, Kind, New, Value};
use crate::name::new_id;
use crate::rights::Rights;
use crate::session::{self, Context};
use crate::{catalog, role};
use pgrx::datum::Uuid;
use pgrx::{FromDatum, IntoDatum, PgLogLevel, pg_guard, pg_sys};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

/// Whether what the session writes becomes proposals.
#[pg_guard]
pub unsafe extern "C-unwind" fn proposes() -> bool {
    if session::is_acting() || !role::is_bound(catalog::table_oid(c"customer")) {
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
pub unsafe fn read(card: &Arguments) -> (Record, Jsonb) {
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

/// The field of that name, if the session may propose values of it. Error 22023 for a value that is
/// not one of the field.
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

/// The context. From here to the end of the transaction no definition is changed with all its
/// values.
fn context_to_propose() -> Result<Rc<Context>> {
    PROPOSED.take();
    let seen = session::context()?;
    seen.fields()?;
    field::share_definitions(seen.owner.id);
    session::context()
}

/// # Safety
/// Both must be cards.
unsafe fn changes(old: &Arguments, new: &Arguments) -> Result<()> {
    let context = context_to_propose()?;
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
        propose(Some(old.id), every.of_column(name), data_of_change(from, to))?;
        names.push(name.to_owned());
    }
    let differs = |name: &str, value: Value| !before.member(name).is_some_and(|previous| previous.same_as(value));
    for member in after.members().ok_or_else(error::attributes_not_object)?.filter(|it| differs(it.name, it.value)) {
        let previous = before.member(member.name);
        let field = proposable(&context, member.name, Some(member.value), previous)?;
        let value = Some(member.value).filter(|value| value.kind() != Kind::Null);
        propose(Some(old.id), Some(field.id), data_of_change(previous.map(New::Kept), value.map(New::Kept)))?;
        names.push(member.name.to_owned());
    }
    for member in before.members().into_iter().flatten().filter(|it| after.member(it.name).is_none()) {
        let field = proposable(&context, member.name, None, None)?;
        propose(Some(old.id), Some(field.id), data_of_change(Some(New::Kept(member.value)), None))?;
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
    let context = context_to_propose()?;
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
    propose(None, None, Jsonb::object([("new", New::Kept(Value::Object(new.root())))]))?;
    card.set(ID, id.into_datum().unwrap_or(pg_sys::Datum::null()));
    card.set(OWNER_ID, context.owner.id.into_datum().unwrap_or(pg_sys::Datum::null()));
    error::proposed(&[]).report(PgLogLevel::NOTICE);
    Ok(())
}

thread_local! {
    /// What is proposed, and not stored yet: the arguments of the statement that stores it.
    static PROPOSED: RefCell<VecDeque<Arguments>> = const { RefCell::new(VecDeque::new()) };
}

/// The most bytes of a proposal. A proposal takes no right to write, and nobody else may delete it.
const MOST_BYTES: usize = 100_000;

fn propose(customer: Option<Uuid>, field: Option<Uuid>, data: Jsonb) -> Result<()> {
    let source = session::acting_source(&*session::context()?)?;
    let data = data.into_datum().ok_or_else(error::values_too_large)?;
    // SAFETY: a value of type jsonb.
    if unsafe { pgrx::varlena::varsize_any(data.cast_mut_ptr()) } > MOST_BYTES {
        return Err(error::proposal_too_large(MOST_BYTES));
    }
    let mut proposal = Arguments::NONE;
    proposal.set(PROPOSED_DATA, data);
    for (place, value) in [
        (PROPOSED_CUSTOMER, customer.into_datum()),
        (PROPOSED_FIELD, field.into_datum()),
        (PROPOSED_BY_ROLE, role::own_name().into_datum()),
        (PROPOSED_BY_AGENT, session::agent()?.into_datum()),
        (PROPOSED_FOR, source.into_datum()),
    ] {
        if let Some(value) = value {
            proposal.set(place, value);
        }
    }
    PROPOSED.with_borrow_mut(|proposed| proposed.push_back(proposal));
    Ok(())
}

/// Takes the next of what is proposed, if there is any.
#[pg_guard]
unsafe extern "C-unwind" fn next(proposal: &mut Arguments) -> bool {
    let next = PROPOSED.with_borrow_mut(VecDeque::pop_front);
    next.map(|next| *proposal = next).is_some()
}

/// Stores what is proposed.
///
/// # Safety
/// Under plain frames only.
pub unsafe fn store_proposals() {
    // SAFETY: as promised by the caller.
    unsafe {
        let mut proposal = Arguments::NONE;
        while next(&mut proposal) {
            execute(Statement::StoreProposal, &proposal, std::ptr::null_mut());
        }
    }
}
