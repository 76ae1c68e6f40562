//! Erasure: a person is forgotten. The functions of `sql/erasure.sql`.

use crate::error::{self, ErrorReport};
use crate::session;
use pgrx::datum::{DatumWithOid, Uuid};
use pgrx::prelude::*;

/// Clears what the desk keeps of a customer of the session's owner; false if there is no such customer. The session has been
/// asked for the right to erase, which is one over all projects: its rights over tickets and interactions are not asked.
#[pg_extern(sql = false)]
fn erase_from_desk(customer: Uuid) -> Result<Option<bool>, ErrorReport> {
    let owner = session::context()?.owner.clone();
    let customer: [DatumWithOid; 1] = [customer.into()];
    let erased = session::as_definer_for(owner, || {
        Spi::get_one_with_args::<bool>("SELECT ringfence.erase_at_desk($1)", &customer)
    })?;
    Ok(erased.map_err(|_| error::not_installed("function ringfence.erase_at_desk"))?)
}
