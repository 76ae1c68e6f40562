//! The functions of `sql/history.sql`.

use super::keep::note_erasure;
use crate::error::ErrorReport;
use pgrx::datum::Uuid;
use pgrx::prelude::*;

#[pg_extern(sql = false)]
fn note_erased_customer(customer: Uuid, reason: &str) -> Result<bool, ErrorReport> {
    note_erasure(customer, Some(reason.to_owned()))?;
    Ok(true)
}
