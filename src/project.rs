//! Projects of an owner.

use crate::catalog::{self, Row, Rows, Source};
use crate::error::Result;
use crate::name::Reference;
use pgrx::datum::Uuid;
use std::ffi::CStr;

#[derive(Clone)]
pub struct Project {
    pub id: Uuid,
    pub name: String,
    pub enabled: bool,
}

const COLUMNS: [&CStr; 4] = [c"owner_id", c"id", c"name", c"enabled"];

fn decode(row: &Row) -> Option<Project> {
    Some(Project { id: row.get(1)?, name: row.get(2)?, enabled: row.get(3)? })
}

/// All projects of an owner.
pub fn of_owner(owner: Uuid) -> Result<Vec<Project>> {
    catalog::read(Source::Project, &COLUMNS, Rows::KeyStartsWith(owner), decode)
}

impl Project {
    pub fn is_meant_by(&self, asked: &Reference) -> bool {
        asked.means(self.id, &self.name)
    }
}

/// The project of that owner that is meant.
pub fn find(owner: Uuid, asked: &Reference) -> Result<Option<Project>> {
    Ok(of_owner(owner)?.into_iter().find(|project| project.is_meant_by(asked)))
}
