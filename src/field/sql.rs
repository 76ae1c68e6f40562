//! The functions of `sql/field.sql` and `sql/unique.sql`.

use super::change::{convert, texts, unique_form_of};
use super::definition::{self, Definition, Options};
use super::kind::Type;
use super::lock::keep_writers_out;
use super::visible::{VisibleField, storage_key_of};
use crate::error::{self, ErrorReport, Result};
use crate::jsonb::{Jsonb, New};
use crate::rights::Rights;
use crate::session;
use pgrx::AnyNumeric;
use pgrx::datum::Uuid;
use pgrx::prelude::*;

/// See [`storage_key_of`].
#[pg_extern(sql = false)]
fn storage_key(field_id: Uuid) -> String {
    storage_key_of(field_id)
}

/// What a session may do with a field.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    Read,
    Write,
    Masked,
}

impl Access {
    fn of(writable: bool) -> Access {
        if writable { Access::Write } else { Access::Read }
    }

    fn name(self) -> &'static str {
        match self {
            Access::Read => "read",
            Access::Write => "write",
            Access::Masked => "masked",
        }
    }
}

/// A field as `visible_fields()` shows it.
struct FormField<'a> {
    definition: &'a Definition,
    access: Access,
    required: bool,
    position: i32,
    shared_with: Option<i32>,
}

impl<'a> FormField<'a> {
    fn system(definition: &'a Definition, access: Access) -> FormField<'a> {
        let (required, position) = (definition.required, definition.position);
        FormField { definition, access, required, position, shared_with: None }
    }

    fn seen(field: &'a VisibleField) -> FormField<'a> {
        let (access, required) = (Access::of(field.writable), field.required && field.writable);
        let (definition, position) = (&field.definition, field.position);
        FormField { definition, access, required, position, shared_with: Some(field.shared_with) }
    }

    fn masked(field: &'a VisibleField) -> FormField<'a> {
        let (definition, position) = (&field.definition, field.position);
        FormField {
            definition,
            access: Access::Masked,
            required: false,
            position,
            shared_with: Some(field.shared_with),
        }
    }

    /// The row of `visible_fields()`. For a masked field it has nothing from which values could be
    /// guessed.
    fn into_row(self) -> FieldRow {
        let FormField { definition, access, required, position, shared_with } = self;
        let told = Some(definition).filter(|_| access != Access::Masked);
        let limits = told.and_then(|definition| definition.limits.as_deref());
        (
            definition.id,
            definition.name.clone(),
            told.and_then(|definition| definition.description.clone()),
            definition.kind.name().to_owned(),
            told.and_then(|definition| definition.options.as_deref()).map(|options| options.choosable().to_vec()),
            required,
            access.name().to_owned(),
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
}

type FieldRow = (
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

/// The fields of this session in the order of a form: first the system fields, which are in every
/// project, then the custom fields that the session sees. Fields that are masked for the session
/// come last. A form leaves them out.
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
    ErrorReport,
> {
    let context = session::context()?;
    let (fields, mut rows) = (context.fields()?, Vec::new());
    if context.rights.contains(Rights::CUSTOMER_READ) {
        let access = Access::of(context.rights.contains(Rights::CUSTOMER_WRITE));
        let definitions = Definition::all_of(context.owner.id)?;
        let system = definitions.iter().filter(|field| field.system);
        rows.extend(system.map(|field| FormField::system(field, access).into_row()));
    }
    rows.extend(fields.in_form().iter().map(|field| FormField::seen(field).into_row()));
    if !for_form {
        rows.extend(fields.masked().iter().map(|field| FormField::masked(field).into_row()));
    }
    Ok(TableIterator::new(rows))
}

/// [`keep_writers_out`] for the session's owner.
#[pg_extern(sql = false)]
fn lock_definitions() -> Result<bool, ErrorReport> {
    Ok(keep_writers_out(session::context()?.owner.id)?)
}

/// True, or error 22023 that says why it cannot be a pattern.
#[pg_extern(sql = false)]
fn check_pattern(pattern: &str) -> Result<bool, ErrorReport> {
    definition::compile(pattern).map_err(|reason| error::bad_pattern(&reason))?;
    Ok(true)
}

fn parse(kind: &str) -> Result<Type> {
    Type::named(kind).ok_or_else(|| error::unknown_field_type(kind))
}

/// The stored values of a customer, with the value of one field converted to another type. NULL if
/// that value does not convert.
#[pg_extern(sql = false)]
#[allow(clippy::too_many_arguments)]
fn convert_value(
    stored: Jsonb,
    field: Uuid,
    from_type: &str,
    from_options: Option<Vec<String>>,
    from_ids: Option<Vec<i32>>,
    to_type: &str,
    to_options: Option<Vec<String>>,
    to_ids: Option<Vec<i32>>,
) -> Result<Option<Jsonb>, ErrorReport> {
    let options = |names: Option<Vec<String>>, ids: Option<Vec<i32>>| {
        Options::new(names.unwrap_or_default(), Vec::new(), ids.unwrap_or_default())
    };
    let (from, from_options) = (parse(from_type)?, options(from_options, from_ids));
    let (to, to_options) = (parse(to_type)?, options(to_options, to_ids));
    let key = storage_key_of(field);
    let mut converted = Vec::new();
    for member in stored.members().into_iter().flatten() {
        pgrx::check_for_interrupts!();
        let value = if member.name == key {
            match convert(texts(member.value, from, &from_options), to, &to_options) {
                Some(value) => value,
                None => return Ok(None),
            }
        } else {
            New::Kept(member.value)
        };
        converted.push((member.name, value));
    }
    Ok(Some(Jsonb::object(converted)))
}

/// The form in which the value of one field is compared, if it is read as a value of that type.
#[pg_extern(sql = false)]
fn unique_form(stored: Jsonb, field: Uuid, kind: &str) -> Result<Option<String>, ErrorReport> {
    let kind = parse(kind)?;
    let context = session::context()?;
    let value = stored.member(&storage_key_of(field));
    Ok(value.and_then(|value| unique_form_of(value, kind, context.owner.country.as_deref())))
}

/// The forms in which the values of unique fields are compared, for all unique fields of the
/// session's owner. The session need not see the fields.
#[pg_extern(sql = false)]
fn unique_forms(
    stored: Jsonb,
) -> Result<TableIterator<'static, (name!(field_id, Uuid), name!(form, String))>, ErrorReport> {
    let context = session::context()?;
    let country = context.owner.country.as_deref();
    let mut forms = Vec::new();
    for field in context.fields()?.unique() {
        let value = stored.member(&field.key);
        forms.extend(value.and_then(|value| unique_form_of(value, field.kind, country)).map(|form| (field.id, form)));
    }
    Ok(TableIterator::new(forms))
}

/// Whether the session's owner has fields whose values are unique.
#[pg_extern(sql = false)]
fn has_unique_fields() -> Result<bool, ErrorReport> {
    Ok(!session::context()?.fields()?.unique().is_empty())
}

/// Raises error 23505 for a unique field.
#[pg_extern(sql = false)]
fn refuse_duplicate(field: Uuid) -> Result<bool, ErrorReport> {
    let context = session::context()?;
    Err(error::duplicate_value(context.fields()?.by_id(field).map(|field| field.name.as_str())).into())
}
