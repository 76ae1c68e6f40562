//! Which source has authority over which datum of an owner's customers.

use crate::catalog::{self, Row, Rows, Source};
use crate::error::Result;
use pgrx::datum::Uuid;
use std::collections::HashMap;
use std::ffi::CStr;

/// The rows of table `authority` of one owner.
pub struct Rules {
    by_field: HashMap<Uuid, Uuid>,
    /// Over all data of customers that have no authority of their own.
    whole: Option<Uuid>,
}

impl Rules {
    pub fn of(owner: Uuid) -> Result<Rules> {
        let columns: [&CStr; 2] = [c"field_id", c"source_id"];
        let decode = |row: &Row| Some((row.get::<Uuid>(0), row.get::<Uuid>(1)?));
        let mut rules = Rules { by_field: HashMap::new(), whole: None };
        for (field, source) in catalog::read(Source::Authority, &columns, Rows::KeyStartsWith(owner), decode)? {
            match field {
                Some(field) => _ = rules.by_field.insert(field, source),
                None => rules.whole = Some(source),
            }
        }
        Ok(rules)
    }

    pub fn is_empty(&self) -> bool {
        self.by_field.is_empty() && self.whole.is_none()
    }

    /// The source with authority over a field of a customer whose record belongs to that source:
    /// the field's, else the record's, else the whole customer's.
    pub fn over(&self, field: Option<Uuid>, record: Option<Uuid>) -> Option<Uuid> {
        field.and_then(|field| self.by_field.get(&field).copied()).or(record).or(self.whole)
    }
}
