//! Interactions with customers: the values of the customer that the call log shows, the customer's last activity, and responses.

use crate::catalog;
use crate::error::{self, ErrorReport};
use crate::field::Definition;
use crate::jsonb::{Jsonb, New};
use crate::rights::Rights;
use crate::session::{self, Serial};
use pgrx::datum::{DatumWithOid, TimestampWithTimeZone, Uuid};
use pgrx::heap_tuple::PgHeapTuple;
use pgrx::prelude::*;
use pgrx::{AllocatedByPostgres, PgTrigger};
use std::cell::RefCell;
use std::convert::Infallible;

/// The stored values of the fields that the session sees in that project, by name.
#[pg_extern(sql = false)]
fn attributes_in(stored: Jsonb, project: Uuid) -> Result<Jsonb, ErrorReport> {
    let context = session::context()?;
    let fields = context.fields()?;
    let seen = fields.seen_of(stored.root());
    let mut shown: Vec<_> = seen.filter(|(field, _)| fields.in_report(project, field.id).is_some()).collect();
    shown.sort_unstable_by_key(|(field, _)| field.rank);
    let shown: Vec<(&str, New)> =
        shown.into_iter().map(|(field, value)| (field.name.as_str(), field.show(value))).collect();
    Ok(Jsonb::object(shown))
}

/// Whether the session may write that custom field in that project.
#[pg_extern(sql = false)]
fn writes_field_in(field: Uuid, project: Uuid) -> Result<bool, ErrorReport> {
    Ok(session::context()?.fields()?.in_report(project, field).is_some_and(|field| field.writable))
}

thread_local! {
    /// For one context the owner's fields that are not masked.
    static OPEN: RefCell<(Serial, Vec<Uuid>)> = const { RefCell::new((Serial::NONE, Vec::new())) };
}

/// Whether the session may see the values of that field in that project. A field that has been dropped counts as masked.
#[pg_extern(sql = false)]
fn sees_values_of(field: Option<Uuid>, project: Option<Uuid>) -> Result<bool, ErrorReport> {
    let context = session::context()?;
    let Some(field) = field.filter(|_| !context.rights_within(project).contains(Rights::FIELD_UNMASK)) else {
        return Ok(true);
    };
    if OPEN.with_borrow(|open| open.0 != context.serial) {
        let fields = Definition::all_of(context.owner.id)?.into_iter().filter(|field| !field.masked);
        OPEN.set((context.serial, fields.map(|field| field.id).collect()));
    }
    Ok(OPEN.with_borrow(|open| open.1.contains(&field)))
}

/// After an interaction with a customer is stored: updates the customer's last activity. That takes no right over customers.
#[pg_trigger(sql = false)]
fn note_activity<'a>(trigger: &'a PgTrigger<'a>) -> Result<Option<PgHeapTuple<'a, AllocatedByPostgres>>, Infallible> {
    Ok(error::raised((|| {
        const REASON: &str = "note_activity is for rows of ringfence.interaction";
        let wrong = || error::wrong_trigger(REASON);
        catalog::require_trigger_on(c"interaction", trigger, REASON)?;
        // A superuser who restores rows changes no customer.
        if !catalog::row_security_binds(catalog::table_oid(c"interaction"), pg_sys::InvalidOid) {
            return Ok(None);
        }
        let new = trigger.new().ok_or_else(wrong)?;
        let customer: Option<Uuid> = new.get_by_name("customer_id").map_err(|_| wrong())?;
        let started: Option<TimestampWithTimeZone> = new.get_by_name("started_at").map_err(|_| wrong())?;
        let owner = session::context()?.owner.clone();
        let arguments: [DatumWithOid; 3] = [owner.id.into(), customer.into(), started.into()];
        session::as_definer_for(owner, || {
            Spi::run_with_args("SELECT ringfence.touch_customer($1, $2, $3)", &arguments)
        })?
        .map_err(|_| wrong())?;
        Ok(None)
    })()))
}

/// After an interaction has moved to another project: moves its responses too, also those that the session does not see. Else sessions of
/// the old project would go on reading them.
#[pg_trigger(sql = false)]
fn move_responses<'a>(trigger: &'a PgTrigger<'a>) -> Result<Option<PgHeapTuple<'a, AllocatedByPostgres>>, Infallible> {
    Ok(error::raised((|| {
        const REASON: &str = "move_responses is for rows of ringfence.interaction";
        let wrong = || error::wrong_trigger(REASON);
        catalog::require_trigger_on(c"interaction", trigger, REASON)?;
        let new = trigger.new().ok_or_else(wrong)?;
        let interaction: Option<Uuid> = new.get_by_name("id").map_err(|_| wrong())?;
        let project: Option<Uuid> = new.get_by_name("project_id").map_err(|_| wrong())?;
        let owner = session::context()?.owner.clone();
        let arguments: [DatumWithOid; 3] = [owner.id.into(), interaction.into(), project.into()];
        session::as_definer_for(owner, || {
            Spi::run_with_args("SELECT ringfence.put_responses($1, $2, $3)", &arguments)
        })?
        .map_err(|_| wrong())?;
        Ok(None)
    })()))
}
