//! Report views: a customer's values with their SQL types, as the session sees them in the project of the report.

mod fast;

use crate::catalog;
use crate::error::{self, ErrorReport, Result};
use crate::field::{self, VisibleField};
use crate::jsonb::{Jsonb, New, Value};
use crate::pg::MICROSECONDS_FROM_1970_TO_2000;
use crate::session;
use pgrx::AnyNumeric;
use pgrx::datum::{Date, Time, TimestampWithTimeZone, Uuid};
use pgrx::prelude::*;
use std::borrow::Cow;
use std::ffi::CStr;

/// The most texts that are shown of one value, even if the field has more options.
const MAX_TEXTS: usize = 10_000;

/// Whether the session may read customers in that project of its owner, and has not selected
/// another project. Error 55000 if row-level security does not guard the report view of that name.
#[pg_extern(sql = false)]
fn reports(project: Uuid, view: &str) -> Result<bool, ErrorReport> {
    let reads = session::context()?.fields()?.reads_in(project);
    check_guarded(view, &[c"customer"])?;
    Ok(reads)
}

/// As [`reports`], for a report view of interactions. The policies of table `interaction` ask for the right.
#[pg_extern(sql = false)]
fn reports_interactions(project: Uuid, view: &str) -> Result<bool, ErrorReport> {
    let reads = session::context()?.fields()?.reads_in(project);
    check_guarded(view, &[c"interaction", c"customer"])?;
    Ok(reads)
}

/// Error 55000 if row-level security does not bind the owner of the view, or is off for one of the tables.
/// Both can come from a restore without owners, or from a superuser.
fn check_guarded(view: &str, tables: &[&CStr]) -> Result<()> {
    let owner = catalog::owner_of_report(view).ok_or_else(|| error::report_view_missing(view))?;
    if owner != catalog::role_oid(c"ringfence_definer") {
        return Err(error::report_view_of_another(view));
    }
    let is_unguarded = |table: &&&CStr| !catalog::row_security_binds(catalog::table_oid(table), owner);
    match tables.iter().find(is_unguarded) {
        Some(table) => Err(error::report_view_unguarded(view, &table.to_string_lossy())),
        None => Ok(()),
    }
}

/// Whether a statement of the client is running.
#[pg_extern(sql = false)]
fn statement_is_running() -> bool {
    // SAFETY: reads a variable of the backend: the portal that PostgreSQL is running.
    unsafe { !pg_sys::ActivePortal.is_null() }
}

/// What `make` returns for the value of a field. None if there is no value, or if the session does
/// not see the field in that project.
fn value<T>(
    stored: &Jsonb,
    project: Uuid,
    field: Uuid,
    make: impl FnOnce(&VisibleField, Value) -> Option<T>,
) -> Result<Option<T>, ErrorReport> {
    let context = session::context()?;
    let seen = context.fields()?.in_report(project, field);
    Ok(seen.and_then(|field| stored.member(&field.key).and_then(|value| make(field, value))))
}

#[pg_extern(sql = false)]
fn report_text(stored: Jsonb, project: Uuid, field: Uuid) -> Result<Option<String>, ErrorReport> {
    value(&stored, project, field, |field, value| match field.show(value) {
        New::Text(text) => Some(text.into_owned()),
        New::Kept(value) => value.text().map(str::to_owned),
        _ => None,
    })
}

#[pg_extern(sql = false)]
fn report_texts(stored: Jsonb, project: Uuid, field: Uuid) -> Result<Option<Vec<String>>, ErrorReport> {
    value(&stored, project, field, |field, value| {
        Some(field.shown_texts(value).take(MAX_TEXTS).map(Cow::into_owned).collect())
    })
}

#[pg_extern(sql = false)]
fn report_number(stored: Jsonb, project: Uuid, field: Uuid) -> Result<Option<AnyNumeric>, ErrorReport> {
    value(&stored, project, field, |_, value| value.number())
}

#[pg_extern(sql = false)]
fn report_boolean(stored: Jsonb, project: Uuid, field: Uuid) -> Result<Option<bool>, ErrorReport> {
    value(&stored, project, field, |_, value| value.boolean())
}

#[pg_extern(sql = false)]
fn report_date(stored: Jsonb, project: Uuid, field: Uuid) -> Result<Option<Date>, ErrorReport> {
    value(&stored, project, field, |_, value| {
        let day = field::date(value.text()?)?;
        let epoch = jiff::civil::date(2000, 1, 1);
        let days = epoch.until((jiff::Unit::Day, day)).ok()?.get_days();
        Date::try_from(days).ok()
    })
}

#[pg_extern(sql = false)]
fn report_time(stored: Jsonb, project: Uuid, field: Uuid) -> Result<Option<Time>, ErrorReport> {
    value(&stored, project, field, |_, value| {
        let time = field::time(value.text()?)?;
        let seconds = i64::from(time.hour()) * 3600 + i64::from(time.minute()) * 60 + i64::from(time.second());
        Time::try_from(seconds * 1_000_000 + i64::from(time.subsec_nanosecond()) / 1000).ok()
    })
}

#[pg_extern(sql = false)]
fn report_datetime(stored: Jsonb, project: Uuid, field: Uuid) -> Result<Option<TimestampWithTimeZone>, ErrorReport> {
    value(&stored, project, field, |_, value| {
        let moment = field::datetime(value.text()?)?;
        TimestampWithTimeZone::try_from(moment.as_microsecond() - MICROSECONDS_FROM_1970_TO_2000).ok()
    })
}
