//! Fields: which of an owner's custom fields a session sees, and which it may write.

mod change;
mod definition;
mod kind;

use crate::catalog::{self, Rows, Source};
use crate::error::Result;
use crate::jsonb::{Container, Value, order_of_names};
use crate::project;
use crate::session::rights::Rights;
use crate::session::{self, Context};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pgrx::AnyNumeric;
use pgrx::datum::Uuid;
use pgrx::prelude::*;
use std::collections::{HashMap, HashSet};
use std::ffi::CStr;
use std::ops::Deref;

pub use change::{keep_writers_out, share_definitions};
pub use definition::Definition;
pub use kind::{Type, date, datetime, time};

/// A custom field as one session sees it.
pub struct VisibleField {
    pub definition: Definition,
    pub writable: bool,
    /// Whether the session must fill it: required as such, or in every project in which the session sees it.
    pub required: bool,
    /// See [`storage_key_of`].
    pub key: String,
    /// Its place among the session's fields in the order in which jsonb keeps their names.
    pub rank: usize,
    position: i32,
    shared_with: i32,
    /// The projects in which the session sees it, unmasked.
    seen_in: Vec<Uuid>,
}

impl Deref for VisibleField {
    type Target = Definition;

    fn deref(&self) -> &Definition {
        &self.definition
    }
}

/// A field whose values are unique within the owner, seen by the session or not.
pub struct UniqueField {
    pub id: Uuid,
    pub key: String,
    pub kind: Type,
}

/// A field that is searched, seen by the session or not.
pub struct SearchedField {
    pub key: String,
    pub kind: Type,
    /// Its values are ids of options.
    pub of_options: bool,
}

/// The custom fields of one session.
pub struct VisibleFields {
    fields: Vec<VisibleField>,
    /// In the order of their keys, which all have one length: the order in which a customer's values are stored.
    by_key: Vec<usize>,
    by_name: HashMap<String, usize>,
    /// Those that would be seen but are masked, in order.
    masked: Vec<VisibleField>,
    unique: Vec<UniqueField>,
    searched: Vec<SearchedField>,
    /// The projects in which the session reads customers, of those that it has selected.
    projects: HashSet<Uuid>,
    /// The owner's: phone numbers are read by its rules.
    country: Option<String>,
    by_report: HashMap<(Uuid, Uuid), usize>,
}

impl SearchedField {
    fn of(definition: &Definition) -> Option<SearchedField> {
        let (kind, of_options) = (definition.kind, definition.options.is_some());
        let field = || SearchedField { key: storage_key_of(definition.id), kind, of_options };
        (definition.searchable && !definition.system).then(field)
    }

    /// Those of any owner.
    pub fn all_of(owner: Uuid) -> Result<Vec<SearchedField>> {
        Ok(Definition::all_of(owner)?.iter().filter_map(SearchedField::of).collect())
    }
}

/// See [`storage_key_of`].
#[pg_extern(sql = false)]
fn storage_key(field_id: Uuid) -> String {
    storage_key_of(field_id)
}

/// The name of a field's value inside `customer.attributes`: its id in base 64 (RFC 4648 §5, no padding), so that
/// renaming a field rewrites no customer.
pub fn storage_key_of(field: Uuid) -> String {
    URL_SAFE_NO_PAD.encode(field.as_bytes())
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

        #[derive(Default)]
        struct Reach {
            writable: bool,
            /// In how many of the projects where it is seen it is required.
            required: usize,
            position: Option<i32>,
            /// All projects of the owner that have it.
            bound: usize,
            /// The session's projects that have it, and those of them where it sees what is masked.
            seen_in: Vec<Uuid>,
            unmasked_in: Vec<Uuid>,
        }
        let mut reach: HashMap<Uuid, Reach> = HashMap::new();
        let columns: [&CStr; 5] = [c"field_id", c"project_id", c"access", c"required", c"position"];
        let bindings = catalog::read(Source::FieldProject, &columns, Rows::KeyStartsWith(owner), |row| {
            let (field, project) = (row.get::<Uuid>(0)?, row.get::<Uuid>(1)?);
            Some((field, project, row.get::<String>(2)?, row.get::<bool>(3)?, row.get::<i32>(4)))
        })?;
        for (field, project, access, required, position) in bindings {
            let reach = reach.entry(field).or_default();
            reach.bound += 1;
            if let Some(rights) = rights.get(&project) {
                reach.seen_in.push(project);
                if rights.contains(Rights::FIELD_UNMASK) {
                    reach.unmasked_in.push(project);
                }
                reach.writable |= access == "write" && rights.contains(Rights::CUSTOMER_WRITE);
                reach.required += usize::from(required);
                reach.position = position.filter(|_| context.project.is_some());
            }
        }

        let mut visible = VisibleFields {
            fields: Vec::new(),
            by_key: Vec::new(),
            by_name: HashMap::new(),
            masked: Vec::new(),
            unique: Vec::new(),
            searched: Vec::new(),
            projects: rights.keys().copied().collect(),
            country: context.owner.country.clone(),
            by_report: HashMap::new(),
        };
        for definition in Definition::all_of(owner)?.into_iter().filter(|definition| !definition.system) {
            if definition.unique {
                let key = storage_key_of(definition.id);
                visible.unique.push(UniqueField { id: definition.id, key, kind: definition.kind });
            }
            visible.searched.extend(SearchedField::of(&definition));
            let Some(reach) = reach.remove(&definition.id).filter(|reach| !reach.seen_in.is_empty()) else {
                continue;
            };
            let masked = definition.masked && reach.unmasked_in.is_empty();
            let field = VisibleField {
                writable: reach.writable,
                required: definition.required || reach.required == reach.seen_in.len(),
                key: storage_key_of(definition.id),
                rank: 0,
                seen_in: if definition.masked { reach.unmasked_in } else { reach.seen_in },
                position: reach.position.unwrap_or(definition.position),
                shared_with: i32::try_from(reach.bound).unwrap_or(i32::MAX) - 1,
                definition,
            };
            let list = if masked { &mut visible.masked } else { &mut visible.fields };
            list.push(field);
        }
        for list in [&mut visible.fields, &mut visible.masked] {
            list.sort_by(|a, b| (a.position, &a.name).cmp(&(b.position, &b.name)));
        }
        let mut by_length: Vec<usize> = (0..visible.fields.len()).collect();
        by_length.sort_by_key(|n| visible.fields.get(*n).map(|field| (field.name.len(), field.name.clone())));
        for (rank, n) in by_length.into_iter().enumerate() {
            if let Some(field) = visible.fields.get_mut(n) {
                field.rank = rank;
            }
        }
        for (n, field) in visible.fields.iter().enumerate() {
            visible.by_name.insert(field.name.clone(), n);
            visible.by_report.extend(field.seen_in.iter().map(|project| ((*project, field.id), n)));
        }
        let mut by_key: Vec<usize> = (0..visible.fields.len()).collect();
        by_key.sort_unstable_by_key(|n| visible.fields.get(*n).map(|field| field.key.as_str()));
        visible.by_key = by_key;
        Ok(visible)
    }

    /// The fields of a customer's stored values, with the values: those that the session sees. In the order of the keys.
    pub fn seen_of<'a>(&'a self, stored: Container<'a>) -> impl Iterator<Item = (&'a VisibleField, Value<'a>)> {
        let mut left = self.by_key.as_slice();
        // Most customers have most fields: the next field is nearly always the one, and else not far.
        stored.members().filter_map(move |(key, value)| {
            let before = |place: &usize| {
                self.fields.get(*place).is_some_and(|field| order_of_names(field.key.as_bytes(), key).is_lt())
            };
            if left.first().is_some_and(before) {
                left = left.get(left.partition_point(before)..).unwrap_or_default();
            }
            let field = left.first().and_then(|place| self.fields.get(*place))?;
            (field.key.as_bytes() == key).then_some((field, value))
        })
    }

    /// The fields in the order of a form: the place of one is the same for as long as the context lives.
    pub fn at(&self, place: usize) -> Option<&VisibleField> {
        self.fields.get(place)
    }

    /// The place of a field that the session sees in that project.
    pub fn place_in_report(&self, project: Uuid, field: Uuid) -> Option<usize> {
        self.by_report.get(&(project, field)).copied()
    }

    /// Names of those that are masked for the session: it may know that they are there, and nothing of their values.
    pub fn masked(&self) -> impl Iterator<Item = &str> {
        self.masked.iter().map(|field| field.name.as_str())
    }

    /// Those that the session can fill and must.
    pub fn required(&self) -> impl Iterator<Item = &VisibleField> {
        self.fields.iter().filter(|field| field.required && field.writable)
    }

    /// The fields of the owner whose values are unique, also those that the session does not see.
    pub fn unique(&self) -> &[UniqueField] {
        &self.unique
    }

    /// The fields of the owner that are searched, also those that the session does not see.
    pub fn searched(&self) -> &[SearchedField] {
        &self.searched
    }

    /// The fields that the session sees and that are searched.
    pub fn searchable(&self) -> impl Iterator<Item = &VisibleField> {
        self.fields.iter().filter(|field| field.searchable)
    }

    /// The country of the owner.
    pub fn country(&self) -> Option<&str> {
        self.country.as_deref()
    }

    /// Whether the session reads customers in that project, and has selected it or none.
    pub fn reads_in(&self, project: Uuid) -> bool {
        self.projects.contains(&project)
    }

    /// The field as the session sees it in that project, if it does.
    pub fn in_report(&self, project: Uuid, field: Uuid) -> Option<&VisibleField> {
        self.place_in_report(project, field).and_then(|place| self.at(place))
    }

    /// The field with that id.
    pub fn by_id(&self, id: Uuid) -> Option<&VisibleField> {
        self.fields.iter().find(|field| field.id == id)
    }

    /// The field of that name.
    pub fn by_name(&self, name: &str) -> Option<&VisibleField> {
        self.by_name.get(name).and_then(|n| self.fields.get(*n))
    }
}

fn access_name(writable: bool) -> &'static str {
    if writable { "write" } else { "read" }
}

type FormField = (
    Uuid,
    String,
    Option<String>,
    String,
    Option<Vec<String>>,
    bool,
    String,
    i32,
    bool,
    Option<i32>,
    bool,
    bool,
    Option<i32>,
    Option<String>,
    Option<AnyNumeric>,
    Option<AnyNumeric>,
);

fn form_field(
    definition: &Definition,
    access: &str,
    required: bool,
    position: i32,
    shared_with: Option<i32>,
) -> FormField {
    let limits = definition.limits.as_deref();
    (
        definition.id,
        definition.name.clone(),
        definition.description.clone(),
        definition.kind.name().to_owned(),
        definition.options.as_deref().map(|options| options.choosable().to_vec()),
        required,
        access.to_owned(),
        position,
        definition.system,
        shared_with,
        definition.masked,
        definition.unique,
        limits.and_then(|limits| limits.max_length),
        limits.and_then(|limits| limits.pattern.as_ref()).map(|pattern| pattern.text.clone()),
        limits.and_then(|limits| limits.minimum.clone()),
        limits.and_then(|limits| limits.maximum.clone()),
    )
}

/// A field that is masked for the session: that it is there, and nothing that its values could be guessed from.
fn masked_field(field: &VisibleField) -> FormField {
    let (mut row, shared_with) = (form_field(field, "masked", false, field.position, None), field.shared_with);
    (row.2, row.4, row.9) = (None, None, Some(shared_with));
    (row.12, row.13, row.14, row.15) = (None, None, None, None);
    row
}

/// The fields of this session in the order of a form: system fields, which are in every project (B7), then the custom
/// fields that it sees; and where not for a form also those that are masked for it, which a form has no place for (B10).
#[pg_extern(sql = false)]
fn visible_fields(
    for_form: bool,
) -> Result<
    TableIterator<
        'static,
        (
            name!(field_id, Uuid),
            name!(name, String),
            name!(description, Option<String>),
            name!(type, String),
            name!(options, Option<Vec<String>>),
            name!(required, bool),
            name!(access, String),
            name!(position, i32),
            name!(is_system, bool),
            name!(shared_with, Option<i32>),
            name!(is_masked, bool),
            name!(is_unique, bool),
            name!(max_length, Option<i32>),
            name!(pattern, Option<String>),
            name!(minimum, Option<AnyNumeric>),
            name!(maximum, Option<AnyNumeric>),
        ),
    >,
> {
    let context = session::context()?;
    let mut rows: Vec<FormField> = Vec::new();
    if context.rights.contains(Rights::CUSTOMER_READ) {
        let access = access_name(context.rights.contains(Rights::CUSTOMER_WRITE));
        for field in Definition::all_of(context.owner.id)?.iter().filter(|field| field.system) {
            rows.push(form_field(field, access, field.required, field.position, None));
        }
    }
    let fields = context.fields()?;
    for field in &fields.fields {
        let access = access_name(field.writable);
        let required = field.required && field.writable;
        rows.push(form_field(field, access, required, field.position, Some(field.shared_with)));
    }
    if !for_form {
        for field in &fields.masked {
            rows.push(masked_field(field));
        }
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
