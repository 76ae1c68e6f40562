//! Which of an owner's custom fields a session sees, and which it may write.

use super::definition::Definition;
use super::kind::Type;
use crate::access::reach::Reach;
use crate::catalog::{self, Row, Rows, Source};
use crate::error::Result;
use crate::jsonb::{Container, Value, order_of_names};
use crate::project;
use crate::rights::Rights;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use pgrx::datum::Uuid;
use std::cmp::Ordering;
use std::collections::{HashMap, HashSet};
use std::ffi::CStr;
use std::ops::Deref;

/// A custom field as one session sees it.
pub struct VisibleField {
    pub definition: Definition,
    pub writable: bool,
    /// Whether the session may propose values of it.
    pub proposable: bool,
    /// Whether the session must fill it. The field itself is required, or every project in which
    /// the session sees it requires it.
    pub required: bool,
    /// See [`storage_key_of`].
    pub key: String,
    /// Its place among the session's fields in the order in which jsonb keeps their names.
    pub rank: usize,
    /// Its place in a form.
    pub position: i32,
    /// The number of other projects of the owner that have the field.
    pub shared_with: i32,
    /// The projects in which the session sees it, unmasked.
    seen_in: Vec<Uuid>,
}

impl Deref for VisibleField {
    type Target = Definition;

    fn deref(&self) -> &Definition {
        &self.definition
    }
}

/// A field whose values are unique within the owner. The session need not see it.
pub struct UniqueField {
    pub id: Uuid,
    pub key: String,
    pub kind: Type,
}

/// A field that is searched. The session need not see it.
pub struct SearchedField {
    pub key: String,
    pub kind: Type,
    /// Whether its values are ids of options.
    pub of_options: bool,
}

/// The custom fields of one session.
pub struct VisibleFields {
    fields: Vec<VisibleField>,
    /// Places in `fields`, by the keys of the fields. This is the order in which a customer's
    /// values are stored, because all keys have the same length.
    by_key: Vec<usize>,
    by_name: HashMap<String, usize>,
    /// The fields that the session would see if they were not masked, in the order of a form.
    masked: Vec<VisibleField>,
    unique: Vec<UniqueField>,
    searched: Vec<SearchedField>,
    /// The selected project, or if there is none, all projects of the session: those in which it
    /// may read customers.
    projects: HashSet<Uuid>,
    /// The country of the owner. Phone numbers are read by its rules.
    country: Option<String>,
    by_report: HashMap<(Uuid, Uuid), usize>,
}

impl SearchedField {
    fn of(definition: &Definition) -> Option<SearchedField> {
        let (kind, of_options) = (definition.kind, definition.options.is_some());
        let field = || SearchedField { key: storage_key_of(definition.id), kind, of_options };
        (definition.searchable && !definition.system).then(field)
    }

    /// The searched fields of any owner.
    pub fn all_of(owner: Uuid) -> Result<Vec<SearchedField>> {
        Ok(Definition::all_of(owner)?.iter().filter_map(SearchedField::of).collect())
    }
}

/// The name of a field's value inside `customer.attributes`: the field's id in base 64 (RFC 4648
/// §5, without padding). So renaming a field writes no customer.
pub fn storage_key_of(field: Uuid) -> String {
    URL_SAFE_NO_PAD.encode(field.as_bytes())
}

/// A row of `ringfence.field_project`: a project that has a field.
struct InProject {
    field: Uuid,
    project: Uuid,
    writable: bool,
    required: bool,
    position: Option<i32>,
}

impl InProject {
    fn all_of(owner: Uuid) -> Result<Vec<InProject>> {
        let columns: [&CStr; 5] = [c"field_id", c"project_id", c"access", c"required", c"position"];
        catalog::read(Source::FieldProject, &columns, Rows::KeyStartsWith(owner), InProject::decode)
    }

    fn decode(row: &Row) -> Option<InProject> {
        Some(InProject {
            field: row.get(0)?,
            project: row.get(1)?,
            writable: row.get::<&str>(2)? == "write",
            required: row.get(3)?,
            position: row.get(4),
        })
    }
}

/// How the projects that have a field show it to one session.
#[derive(Default)]
struct Placement {
    writable: bool,
    proposable: bool,
    /// How many of the projects in which the session sees it require it.
    required: usize,
    position: Option<i32>,
    /// How many projects of the owner have it.
    projects: usize,
    /// The session's projects that have it, and those of them in which the session sees masked
    /// values.
    seen_in: Vec<Uuid>,
    unmasked_in: Vec<Uuid>,
}

/// The selected project, or if there is none, all projects of the session: those in which it may
/// read customers, with its rights there.
fn rights_by_project(reach: &Reach) -> Result<HashMap<Uuid, Rights>> {
    let projects = match &reach.project {
        Some(project) => vec![project.id],
        None => {
            let projects = project::of_owner(reach.owner.id)?;
            projects.into_iter().filter(|project| project.enabled).map(|project| project.id).collect()
        }
    };
    let rights = projects.into_iter().map(|project| (project, reach.rights_within(Some(project))));
    Ok(rights.filter(|(_, rights)| rights.contains(Rights::CUSTOMER_READ)).collect())
}

fn placements(reach: &Reach, rights: &HashMap<Uuid, Rights>) -> Result<HashMap<Uuid, Placement>> {
    let mut placements: HashMap<Uuid, Placement> = HashMap::new();
    for row in InProject::all_of(reach.owner.id)? {
        let placement = placements.entry(row.field).or_default();
        placement.projects += 1;
        if let Some(rights) = rights.get(&row.project) {
            placement.seen_in.push(row.project);
            if rights.contains(Rights::FIELD_UNMASK) {
                placement.unmasked_in.push(row.project);
            }
            placement.writable |= row.writable && rights.contains(Rights::CUSTOMER_WRITE);
            placement.proposable |= row.writable && rights.contains(Rights::CUSTOMER_PROPOSE);
            placement.required += usize::from(row.required);
            placement.position = row.position.filter(|_| reach.project.is_some());
        }
    }
    Ok(placements)
}

impl VisibleField {
    fn new(definition: Definition, placement: Placement) -> VisibleField {
        VisibleField {
            writable: placement.writable,
            proposable: placement.proposable,
            required: definition.required || placement.required == placement.seen_in.len(),
            key: storage_key_of(definition.id),
            rank: 0,
            seen_in: if definition.masked { placement.unmasked_in } else { placement.seen_in },
            position: placement.position.unwrap_or(definition.position),
            shared_with: i32::try_from(placement.projects).unwrap_or(i32::MAX) - 1,
            definition,
        }
    }
}

impl VisibleFields {
    /// A session sees the fields that are bound to the selected project, or if it has selected
    /// none, to any enabled project. It must have the right to read customers there, and for a
    /// masked field also the right to unmask.
    pub fn of(reach: &Reach) -> Result<VisibleFields> {
        let rights = rights_by_project(reach)?;
        let mut placements = placements(reach, &rights)?;
        let mut visible = VisibleFields {
            fields: Vec::new(),
            by_key: Vec::new(),
            by_name: HashMap::new(),
            masked: Vec::new(),
            unique: Vec::new(),
            searched: Vec::new(),
            projects: rights.into_keys().collect(),
            country: reach.owner.country.clone(),
            by_report: HashMap::new(),
        };
        for definition in Definition::all_of(reach.owner.id)?.into_iter().filter(|definition| !definition.system) {
            if definition.unique {
                let key = storage_key_of(definition.id);
                visible.unique.push(UniqueField { id: definition.id, key, kind: definition.kind });
            }
            visible.searched.extend(SearchedField::of(&definition));
            let placement = placements.remove(&definition.id).filter(|placement| !placement.seen_in.is_empty());
            if let Some(placement) = placement {
                let masked = definition.masked && placement.unmasked_in.is_empty();
                let list = if masked { &mut visible.masked } else { &mut visible.fields };
                list.push(VisibleField::new(definition, placement));
            }
        }
        visible.sort();
        Ok(visible)
    }

    /// Sorts the fields in the order of a form, and notes their places in the other orders.
    fn sort(&mut self) {
        for list in [&mut self.fields, &mut self.masked] {
            list.sort_by(|a, b| (a.position, &a.name).cmp(&(b.position, &b.name)));
        }
        let in_order = |compare: &dyn Fn(&VisibleField, &VisibleField) -> Ordering| {
            let mut order: Vec<(usize, &VisibleField)> = self.fields.iter().enumerate().collect();
            order.sort_by(|(_, a), (_, b)| compare(a, b));
            order.into_iter().map(|(place, _)| place).collect::<Vec<usize>>()
        };
        let by_name = in_order(&|a, b| order_of_names(a.name.as_bytes(), b.name.as_bytes()));
        self.by_key = in_order(&|a, b| a.key.cmp(&b.key));
        for (rank, place) in by_name.into_iter().enumerate() {
            if let Some(field) = self.fields.get_mut(place) {
                field.rank = rank;
            }
        }
        for (place, field) in self.fields.iter().enumerate() {
            self.by_name.insert(field.name.clone(), place);
            self.by_report.extend(field.seen_in.iter().map(|project| ((*project, field.id), place)));
        }
    }

    /// The fields that the session sees, in the order of a form.
    pub fn in_form(&self) -> &[VisibleField] {
        &self.fields
    }

    /// The stored values that the session sees, each with its field, in the order of the keys.
    pub fn seen_of<'a>(&'a self, stored: Container<'a>) -> impl Iterator<Item = (&'a VisibleField, Value<'a>)> {
        let mut left = self.by_key.as_slice();
        // Most customers have most fields, so the next value nearly always belongs to the next
        // field.
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

    /// The field at that place in the order of a form. Places stay the same as long as the context
    /// lives.
    pub fn at(&self, place: usize) -> Option<&VisibleField> {
        self.fields.get(place)
    }

    /// The place of a field, if the session sees it in that project.
    pub fn place_in_report(&self, project: Uuid, field: Uuid) -> Option<usize> {
        self.by_report.get(&(project, field)).copied()
    }

    /// The fields that are masked for the session: it may know that they exist, but not their
    /// values.
    pub fn masked(&self) -> &[VisibleField] {
        &self.masked
    }

    /// The fields that the session must fill and may write.
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

    /// Whether the session may read customers in that project, and has not selected another one.
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

    /// The field whose values have that key.
    pub fn by_key(&self, key: &str) -> Option<&VisibleField> {
        self.fields.iter().find(|field| field.key == key)
    }

    /// The field of that name.
    pub fn by_name(&self, name: &str) -> Option<&VisibleField> {
        self.by_name.get(name).and_then(|n| self.fields.get(*n))
    }
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    #[test]
    fn storage_keys() {
        assert_eq!(storage_key_of(Uuid::from_bytes([0; 16])), "AAAAAAAAAAAAAAAAAAAAAA");
        assert_eq!(storage_key_of(Uuid::from_bytes([255; 16])), "_____________________w");
        // RFC 4648: the bytes 14 fb 9c 03 d9 7e encode as FPucA9l-.
        let mut bytes = [0; 16];
        bytes[..6].copy_from_slice(&[0x14, 0xfb, 0x9c, 0x03, 0xd9, 0x7e]);
        assert_eq!(storage_key_of(Uuid::from_bytes(bytes)), "FPucA9l-AAAAAAAAAAAAAA");
    }
}
