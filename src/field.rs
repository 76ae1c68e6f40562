//! Fields: which of an owner's custom fields a session sees, and which it may write.

use crate::catalog::{self, Rows, Source};
use crate::error::Result;
use crate::project;
use crate::session::rights::Rights;
use crate::session::{self, Context};
use pgrx::datum::Uuid;
use pgrx::prelude::*;
use std::collections::HashMap;
use std::ffi::CStr;

/// A custom field as one session sees it.
pub struct VisibleField {
    pub id: Uuid,
    pub name: String,
    pub kind: String,
    pub writable: bool,
    pub searchable: bool,
    description: Option<String>,
    pub options: Option<Vec<Option<String>>>,
    required: bool,
    position: i32,
}

/// The custom fields of one session.
pub struct VisibleFields {
    fields: Vec<VisibleField>,
    by_key: HashMap<String, usize>,
    by_name: HashMap<String, usize>,
    /// Names of those that would be seen but are masked, in order.
    masked: Vec<String>,
}

/// See [`storage_key_of`].
#[pg_extern(sql = false)]
fn storage_key(field_id: Uuid) -> String {
    storage_key_of(field_id)
}

/// The name of a field's value inside `customer.attributes`: its id in base 64 (RFC 4648 §5, no padding), so that
/// renaming a field rewrites no customer.
pub fn storage_key_of(field: Uuid) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bits = u128::from_be_bytes(*field);
    // 128 bits are 21 groups of six and one of two, which counts as the high bits of the last.
    (0..22)
        .map(|n| {
            let group = if n < 21 { (bits >> (122 - 6 * n)) & 63 } else { (bits & 3) << 4 };
            char::from(ALPHABET[group as usize])
        })
        .collect()
}

struct Stored {
    id: Uuid,
    name: String,
    description: Option<String>,
    kind: String,
    options: Option<Vec<Option<String>>>,
    required: bool,
    masked: bool,
    searchable: bool,
    system: bool,
    position: i32,
}

fn stored_fields(owner: Uuid) -> Result<Vec<Stored>> {
    let columns: [&CStr; 10] = [
        c"id",
        c"name",
        c"description",
        c"type",
        c"options",
        c"required",
        c"is_masked",
        c"is_searchable",
        c"is_system",
        c"position",
    ];
    let mut fields = catalog::read(Source::Field, &columns, Rows::KeyStartsWith(owner), |row| {
        Some(Stored {
            id: row.get(0)?,
            name: row.get(1)?,
            description: row.get(2),
            kind: row.get(3)?,
            options: row.get(4),
            required: row.get(5)?,
            masked: row.get(6)?,
            searchable: row.get(7)?,
            system: row.get(8)?,
            position: row.get(9)?,
        })
    })?;
    fields.sort_by(|a, b| (!a.system, a.position, &a.name).cmp(&(!b.system, b.position, &b.name)));
    Ok(fields)
}

impl VisibleFields {
    /// A field is seen in the selected project if it is bound to it; with none selected, if it is bound to any enabled
    /// project. In either case only where the session may read customers (B15, B18), and if the field is masked, only
    /// where it may unmask (B10).
    pub fn of(context: &Context) -> Result<VisibleFields> {
        let owner = context.owner.id;
        let projects: Vec<Uuid> = match &context.project {
            Some(project) => vec![project.id],
            None => project::of_owner(owner)?
                .into_iter()
                .filter(|project| project.enabled)
                .map(|project| project.id)
                .collect(),
        };
        let rights: HashMap<Uuid, Rights> = projects
            .into_iter()
            .map(|project| (project, context.rights_within(Some(project))))
            .filter(|(_, rights)| rights.contains(Rights::CUSTOMER_READ))
            .collect();

        struct Reach {
            unmasked: bool,
            writable: bool,
        }
        let mut reach: HashMap<Uuid, Reach> = HashMap::new();
        let columns: [&CStr; 3] = [c"field_id", c"project_id", c"access"];
        let bindings = catalog::read(Source::FieldProject, &columns, Rows::KeyStartsWith(owner), |row| {
            Some((row.get::<Uuid>(0)?, row.get::<Uuid>(1)?, row.get::<String>(2)?))
        })?;
        for (field, project, access) in bindings {
            if let Some(rights) = rights.get(&project) {
                let seen = reach.entry(field).or_insert(Reach { unmasked: false, writable: false });
                seen.unmasked |= rights.contains(Rights::FIELD_UNMASK);
                seen.writable |= access == "write" && rights.contains(Rights::CUSTOMER_WRITE);
            }
        }

        let mut visible =
            VisibleFields { fields: Vec::new(), by_key: HashMap::new(), by_name: HashMap::new(), masked: Vec::new() };
        for stored in stored_fields(owner)? {
            let Some(seen) = reach.get(&stored.id).filter(|_| !stored.system) else {
                continue;
            };
            if stored.masked && !seen.unmasked {
                visible.masked.push(stored.name);
                continue;
            }
            let n = visible.fields.len();
            visible.by_key.insert(storage_key_of(stored.id), n);
            visible.by_name.insert(stored.name.clone(), n);
            visible.fields.push(VisibleField {
                id: stored.id,
                name: stored.name,
                kind: stored.kind,
                writable: seen.writable,
                searchable: stored.searchable,
                description: stored.description,
                options: stored.options,
                required: stored.required,
                position: stored.position,
            });
        }
        Ok(visible)
    }

    /// The field whose values are stored under that key.
    pub fn by_key(&self, key: &str) -> Option<&VisibleField> {
        self.by_key.get(key).and_then(|n| self.fields.get(*n))
    }

    /// Names of those that are masked for the session: it may know that they are there, and nothing of their values.
    pub fn masked(&self) -> &[String] {
        &self.masked
    }

    /// The field of that name.
    pub fn by_name(&self, name: &str) -> Option<&VisibleField> {
        self.by_name.get(name).and_then(|n| self.fields.get(*n))
    }
}

fn access_name(writable: bool) -> String {
    if writable { "write" } else { "read" }.to_owned()
}

/// The fields of this session in the order of a form: system fields, which are in every project (B7), then the custom
/// fields that it sees.
#[pg_extern(sql = false)]
fn visible_fields() -> Result<
    TableIterator<
        'static,
        (
            name!(field_id, Uuid),
            name!(name, String),
            name!(description, Option<String>),
            name!(type, String),
            name!(options, Option<Vec<Option<String>>>),
            name!(required, bool),
            name!(access, String),
            name!(position, i32),
            name!(is_system, bool),
        ),
    >,
> {
    let context = session::context()?;
    let mut rows: Vec<_> = Vec::new();
    if context.rights.contains(Rights::CUSTOMER_READ) {
        let writable = context.rights.contains(Rights::CUSTOMER_WRITE);
        for field in stored_fields(context.owner.id)?.into_iter().filter(|field| field.system) {
            rows.push((
                field.id,
                field.name,
                field.description,
                field.kind,
                field.options,
                field.required,
                access_name(writable),
                field.position,
                true,
            ));
        }
    }
    for field in &context.fields()?.fields {
        rows.push((
            field.id,
            field.name.clone(),
            field.description.clone(),
            field.kind.clone(),
            field.options.clone(),
            field.required,
            access_name(field.writable),
            field.position,
            false,
        ));
    }
    Ok(TableIterator::new(rows))
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    #[test]
    fn storage_keys() {
        assert_eq!(storage_key(Uuid::from_bytes([0; 16])), "AAAAAAAAAAAAAAAAAAAAAA");
        assert_eq!(storage_key(Uuid::from_bytes([255; 16])), "_____________________w");
        // RFC 4648: the bytes 14 fb 9c 03 d9 7e encode as FPucA9l-.
        let mut bytes = [0; 16];
        bytes[..6].copy_from_slice(&[0x14, 0xfb, 0x9c, 0x03, 0xd9, 0x7e]);
        assert_eq!(storage_key(Uuid::from_bytes(bytes)), "FPucA9l-AAAAAAAAAAAAAA");
    }
}
