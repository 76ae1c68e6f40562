//! Merging: what refers to one customer refers to another from then on. The functions of `sql/merge.sql`.

use crate::error::{self, ErrorReport, Result};
use crate::{role, session};
use pgrx::datum::{DatumWithOid, Uuid};
use pgrx::prelude::*;

/// A foreign key to table `customer` of a table that is not the extension's.
struct Reference {
    owner_of_table: pg_sys::Oid,
    update: String,
}

/// Tickets and interactions move with all rights within the owner: the session has been asked for the right to merge, which is
/// one over all projects. Rows of applications' tables move as PostgreSQL's own referential actions write them: as the owner of
/// the table, so that its triggers do not run with the rights of the session.
#[pg_extern(sql = false)]
fn move_references(duplicate: Uuid, keep: Uuid) -> std::result::Result<(), ErrorReport> {
    let owner = session::context()?.owner.clone();
    let pair: [DatumWithOid; 2] = [duplicate.into(), keep.into()];
    let moved =
        session::as_definer_for(owner.clone(), || Spi::run_with_args("SELECT ringfence.move_at_desk($1, $2)", &pair))?;
    moved.map_err(|_| error::not_installed("function ringfence.move_at_desk"))?;
    let row: [DatumWithOid; 3] = [owner.id.into(), duplicate.into(), keep.into()];
    for reference in references()? {
        let moved = role::as_owner_of_table(reference.owner_of_table, || Spi::run_with_args(&reference.update, &row));
        moved.map_err(|_| error::not_installed("a table that refers to customers"))?;
    }
    Ok(())
}

fn references() -> Result<Vec<Reference>> {
    Spi::connect(|client| {
        let rows =
            client.select("SELECT owner_of_table, statement FROM ringfence.references_to_customers()", None, &[])?;
        let mut found = Vec::new();
        for row in rows {
            if let (Some(owner_of_table), Some(update)) = (row.get(1)?, row.get(2)?) {
                found.push(Reference { owner_of_table, update });
            }
        }
        Ok(found)
    })
    .map_err(|_: pgrx::spi::Error| error::not_installed("function ringfence.references_to_customers"))
}
