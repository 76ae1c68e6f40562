//! All fields of an owner, seen by the session or not: for what is judged and noted below the session's view.

use super::definition::Definition;
use super::visible::storage_key_of;
use crate::error::Result;
use pgrx::datum::Uuid;
use std::collections::HashMap;

pub struct EveryField {
    /// System fields by the name of their column.
    system: HashMap<String, Uuid>,
    /// Custom fields by the key of their values.
    custom: HashMap<String, Definition>,
}

impl EveryField {
    pub fn of(owner: Uuid) -> Result<EveryField> {
        let (system, custom): (Vec<_>, Vec<_>) =
            Definition::all_of(owner)?.into_iter().partition(|definition| definition.system);
        Ok(EveryField {
            system: system.into_iter().map(|definition| (definition.name, definition.id)).collect(),
            custom: custom.into_iter().map(|definition| (storage_key_of(definition.id), definition)).collect(),
        })
    }

    pub fn of_column(&self, column: &str) -> Option<Uuid> {
        self.system.get(column).copied()
    }

    /// These things with the fields of their keys, in the order of a form; those without a field are left out.
    pub fn in_form<T>(&self, things: Vec<T>, key: impl Fn(&T) -> &str) -> Vec<(&Definition, T)> {
        let with_field = |thing: T| self.of_key(key(&thing)).map(|definition| (definition, thing));
        let mut things: Vec<(&Definition, T)> = things.into_iter().filter_map(with_field).collect();
        things.sort_by(|(a, _), (b, _)| (a.position, &a.name).cmp(&(b.position, &b.name)));
        things
    }

    /// The custom fields with their keys, in the order of a form.
    pub fn custom(&self) -> Vec<(&Definition, &str)> {
        self.in_form(self.custom.keys().map(String::as_str).collect(), |key| key)
    }

    pub fn of_key(&self, key: &str) -> Option<&Definition> {
        self.custom.get(key)
    }
}
