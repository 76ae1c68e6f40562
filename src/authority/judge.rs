//! Judges each write to a customer: only a session of the source with authority over a datum may change it. A trigger of table `customer`, so
//! that it stands below every way to write one.

use super::rules::Rules;
use super::setting;
use super::suspended::is_suspended;
use crate::catalog;
use crate::customer::stored_row::{Call, Changed, DATA, NAME, Record, WIDTH, values_changed};
use crate::error::{self, Result};
use crate::field::EveryField;
use crate::history;
use crate::jsonb::{Jsonb, New};
use crate::pg::version_1;
use crate::rights::Rights;
use crate::session::{self, Context};
use crate::source::Sources;
use pgrx::datum::Uuid;
use pgrx::{PgLogLevel, pg_guard, pg_sys};
use std::ffi::CStr;
use std::rc::Rc;

/// A datum that the session may not change.
enum Foreign<'a> {
    Column(usize, Uuid),
    Value(Changed<'a>, Uuid),
}

/// What a write is judged by.
struct Judge<'a> {
    context: &'a Context,
    rules: &'a Rules,
    sources: &'a Sources,
    /// The source that the session writes as.
    own: Option<Uuid>,
    /// The source that the record belongs to.
    record: Option<Uuid>,
}

impl<'a> Judge<'a> {
    fn new(context: &'a Context, own: Option<Uuid>, record: Option<Uuid>) -> Result<Judge<'a>> {
        Ok(Judge { context, rules: context.authority()?, sources: context.sources()?, own, record })
    }

    /// Whether anybody with the right may write everything.
    fn is_free(&self) -> bool {
        self.rules.is_empty() && self.record.is_none_or(|record| Some(self.sources.standing(record)) == self.own)
    }

    /// The source that has authority over a field, if it is not the session's.
    fn over(&self, field: Option<Uuid>) -> Option<Uuid> {
        let authority = self.sources.standing(self.rules.over(field, self.record)?);
        (Some(authority) != self.own).then_some(authority)
    }

    fn over_column(&self, every: &EveryField, column: usize) -> Option<Uuid> {
        self.over(every.of_column(name_of(column)))
    }

    /// Of these changes those that the session may not make. Values of a field that is dropped belong to nobody.
    fn foreign<'c>(&self, columns: impl Iterator<Item = usize>, values: Vec<Changed<'c>>) -> Result<Vec<Foreign<'c>>> {
        let every = self.context.every_field()?;
        let columns = columns.filter_map(|column| Some(Foreign::Column(column, self.over_column(every, column)?)));
        let mut foreign: Vec<Foreign> = columns.collect();
        for (definition, changed) in every.in_form(values, |changed| changed.key) {
            if let Some(source) = self.over(Some(definition.id)) {
                foreign.push(Foreign::Value(changed, source));
            }
        }
        Ok(foreign)
    }

    /// The data with the sources that they belong to, as a message lists them. Only what the session sees is named.
    fn listed(&self, foreign: &[Foreign]) -> Result<String> {
        if !self.context.rights.contains(Rights::CUSTOMER_READ) {
            return Ok(String::new());
        }
        let fields = self.context.fields()?;
        let mut named: Vec<String> = Vec::new();
        for datum in foreign {
            let (name, source) = match datum {
                Foreign::Column(column, source) => (Some(name_of(*column)), source),
                Foreign::Value(changed, source) => {
                    (fields.by_key(changed.key).map(|field| field.name.as_str()), source)
                }
            };
            if let (Some(name), Some(source)) = (name, self.sources.name_of(*source)) {
                named.push(format!("\"{name}\" (source \"{source}\")"));
            }
        }
        Ok(named.join(", "))
    }
}

fn name_of(column: usize) -> &'static str {
    DATA.get(column).and_then(|(name, _): &(&CStr, _)| name.to_str().ok()).unwrap_or_default()
}

/// Whether writes of the session are judged: not those of a role that row-level security does not bind, nor the extension's own.
fn is_judged(table: pg_sys::Oid) -> bool {
    !is_suspended() && !session::is_acting() && catalog::row_security_binds(table, session::outer_role())
}

/// The context of the session. In a referential action that of the statement that set it off: it decides there only what is refused.
fn context() -> Result<(Rc<Context>, bool)> {
    match session::context_of_statement() {
        Some(context) => Ok((context, true)),
        None => Ok((session::context()?, false)),
    }
}

/// Before a customer is written.
///
/// # Safety
/// For PostgreSQL to call, as a trigger function.
#[unsafe(no_mangle)]
#[pg_guard]
pub unsafe extern "C-unwind" fn judge_authority(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    error::raised((|| {
        // SAFETY: as promised by the caller.
        let call = unsafe { Call::of(call, pg_sys::TRIGGER_EVENT_BEFORE)? };
        if !is_judged(call.table()) {
            return Ok(call.row());
        }
        let (context, is_consequence) = context()?;
        let own = session::acting_source(&context)?;
        match (call.before(), call.after()) {
            (None, Some(new)) => judge_insert(&call, &context, own, &new),
            (Some(old), Some(new)) => judge_update(&call, &context, own, &old, &new, is_consequence),
            (Some(old), None) => judge_delete(&call, &context, own, &old, is_consequence),
            (None, None) => Ok(call.row()),
        }
    })())
}

fn judge_insert(call: &Call, context: &Context, own: Option<Uuid>, new: &Record) -> Result<pg_sys::Datum> {
    let judge = Judge::new(context, own, new.source)?;
    if judge.is_free() {
        return Ok(call.row());
    }
    let (none, given) = (Jsonb::object([]), new.attributes());
    let columns = (0..WIDTH).filter(|column| new.holds(*column));
    let foreign = judge.foreign(columns, values_changed(&none, &given))?;
    if foreign.is_empty() {
        return Ok(call.row());
    }
    let listed = judge.listed(&foreign)?;
    if !setting::skips() {
        return Err(error::foreign_datum(&listed));
    }
    let (columns, keys) = split(&foreign);
    // There is no customer without a name.
    if columns.contains(&NAME) {
        error::customer_left_out(&listed).report(PgLogLevel::WARNING);
        return Ok(pg_sys::Datum::null());
    }
    error::data_left_out(&listed, None).report(PgLogLevel::WARNING);
    let empty: Vec<_> = columns.iter().map(|column| (*column, empty_of(*column))).collect();
    Ok(call.row_with(&empty, Some(without(&given, &none, &keys))))
}

fn judge_update(
    call: &Call,
    context: &Context,
    own: Option<Uuid>,
    old: &Record,
    new: &Record,
    is_consequence: bool,
) -> Result<pg_sys::Datum> {
    let judge = Judge::new(context, own, old.source)?;
    if judge.is_free() {
        return Ok(call.row());
    }
    let columns = (0..WIDTH).filter(|column| new.differs(old, *column));
    let (before, after, values);
    if new.attributes_differ(old) {
        (before, after) = (old.attributes(), new.attributes());
        values = values_changed(&before, &after);
    } else {
        (before, after) = (Jsonb::object([]), Jsonb::object([]));
        values = Vec::new();
    }
    let foreign = judge.foreign(columns, values)?;
    if foreign.is_empty() {
        return Ok(call.row());
    }
    let listed = judge.listed(&foreign)?;
    // What a referential action must clear cannot be left as it is.
    if is_consequence || !setting::skips() {
        return Err(error::foreign_datum(&listed));
    }
    error::data_left_out(&listed, Some(old.id)).report(PgLogLevel::WARNING);
    history::note_left_out(context, own, old, new, &foreign.iter().map(datum_of).collect::<Vec<_>>())?;
    let (columns, keys) = split(&foreign);
    let kept: Vec<_> = columns.iter().map(|column| (*column, old.column(*column))).collect();
    let attributes = (!keys.is_empty()).then(|| without(&after, &before, &keys));
    Ok(call.row_with(&kept, attributes))
}

/// To delete a customer is to change all its data.
fn judge_delete(
    call: &Call,
    context: &Context,
    own: Option<Uuid>,
    old: &Record,
    is_consequence: bool,
) -> Result<pg_sys::Datum> {
    let judge = Judge::new(context, own, old.source)?;
    if judge.is_free() {
        return Ok(call.row());
    }
    let (none, held) = (Jsonb::object([]), old.attributes());
    let columns = (0..WIDTH).filter(|column| old.holds(*column));
    let foreign = judge.foreign(columns, values_changed(&none, &held))?;
    if foreign.is_empty() {
        return Ok(call.row());
    }
    let listed = judge.listed(&foreign)?;
    if is_consequence || !setting::skips() {
        return Err(error::foreign_datum(&listed));
    }
    error::deletion_left_out(&listed, old.id).report(PgLogLevel::WARNING);
    Ok(pg_sys::Datum::null())
}

/// The columns and the keys of these data.
fn split<'a>(foreign: &'a [Foreign]) -> (Vec<usize>, Vec<&'a str>) {
    let columns = foreign.iter().filter_map(|datum| if let Foreign::Column(n, _) = datum { Some(*n) } else { None });
    let keys = foreign.iter().filter_map(|datum| if let Foreign::Value(it, _) = datum { Some(it.key) } else { None });
    (columns.collect(), keys.collect())
}

fn datum_of<'a>(foreign: &'a Foreign) -> history::Datum<'a> {
    match foreign {
        Foreign::Column(column, _) => history::Datum::Column(*column),
        Foreign::Value(changed, _) => history::Datum::Value(changed),
    }
}

/// The custom values `after`, with those of these keys as they were `before`.
fn without(after: &Jsonb, before: &Jsonb, keys: &[&str]) -> Jsonb {
    let members = |values: &Jsonb, foreign: bool| {
        let members: Vec<_> = values.members().into_iter().flatten().map(|member| member.name.to_owned()).collect();
        members.into_iter().filter(move |name| keys.contains(&name.as_str()) == foreign).collect::<Vec<_>>()
    };
    let (kept, restored) = (members(after, false), members(before, true));
    let kept = kept.iter().filter_map(|name| Some((name.as_str(), New::Kept(after.member(name)?))));
    let restored = restored.iter().filter_map(|name| Some((name.as_str(), New::Kept(before.member(name)?))));
    Jsonb::object(kept.chain(restored))
}

/// What a column has that is not given.
fn empty_of(column: usize) -> Option<pg_sys::Datum> {
    let is_list = DATA.get(column).is_some_and(|(_, kind)| *kind == pg_sys::TEXTARRAYOID);
    // SAFETY: makes an array in the memory of the function call.
    is_list.then(|| unsafe { pg_sys::construct_empty_array(pg_sys::TEXTOID).into() })
}

/// For a new card: its custom values without those that are left out, and the names of the columns that are. It names them in a warning, so
/// that the trigger finds nothing more. What is refused, and a card without a name, is left to the trigger.
pub fn left_out_of_card(holds: impl Fn(&str) -> bool, given: Jsonb) -> Result<(Jsonb, Vec<&'static str>)> {
    if !setting::skips() || !is_judged(catalog::table_oid(c"customer")) {
        return Ok((given, Vec::new()));
    }
    let context = session::context()?;
    let own = session::acting_source(&context)?;
    let judge = Judge::new(&context, own, own)?;
    if judge.is_free() {
        return Ok((given, Vec::new()));
    }
    let none = Jsonb::object([]);
    let columns = (0..WIDTH).filter(|column| holds(name_of(*column)));
    let foreign = judge.foreign(columns, values_changed(&none, &given))?;
    let (columns, keys) = split(&foreign);
    if foreign.is_empty() || columns.contains(&NAME) {
        return Ok((given, Vec::new()));
    }
    error::data_left_out(&judge.listed(&foreign)?, None).report(PgLogLevel::WARNING);
    let names = columns.into_iter().map(name_of).collect();
    let kept = without(&given, &none, &keys);
    Ok((kept, names))
}

version_1!(pg_finfo_judge_authority);
