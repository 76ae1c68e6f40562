//! Projects of an owner.

use crate::catalog::{self, Row, Rows, Source};
use crate::error::{self, Result};
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

/// The project of that owner that is meant. Error P0002 if there is none, or if `works_in` denies it.
pub fn in_reach(owner: Uuid, asked: &Reference, works_in: impl Fn(Uuid) -> bool) -> Result<Project> {
    let found = of_owner(owner)?.into_iter().find(|project| project.is_meant_by(asked));
    found.filter(|project| works_in(project.id)).ok_or_else(|| error::no_such_project(asked.text()))
}
