//! Judges each write to a customer: only a session of the source with authority over a datum may
//! change it. A trigger of table `customer`, so that it stands below every way to write one.

use super::exempt;
use super::left_out::{self, LeftOut};
use super::rules::Rules;
use super::setting::skips;
use crate::customer::stored_row::{Call, Changed, DATA, NAME, Record, WIDTH, values_changed};
use crate::error::{self, Result};
use crate::field::EveryField;
use crate::history;
use crate::jsonb::{Jsonb, New};
use crate::pg::version_1;
use crate::rights::Rights;
use crate::session::{self, Context};
use crate::source::Sources;
use crate::{catalog, role};
use pgrx::datum::{DatumWithOid, Uuid};
use pgrx::spi::{Spi, SpiError};
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

    /// The source that has authority over a field, if it is not the session's.
    fn foreign_source(&self, field: Option<Uuid>) -> Option<Uuid> {
        let authority = self.sources.successor_of(self.rules.over(field, self.record)?);
        (Some(authority) != self.own).then_some(authority)
    }

    fn foreign_source_of_column(&self, every: &EveryField, column: usize) -> Option<Uuid> {
        self.foreign_source(every.of_column(name_of(column)))
    }

    fn reads(&self) -> bool {
        self.context.rights.contains(Rights::CUSTOMER_READ)
    }

    /// Of these changes those that the session may not make. Values of a field that is dropped
    /// belong to nobody.
    fn foreign<'c>(&self, columns: impl Iterator<Item = usize>, values: Vec<Changed<'c>>) -> Result<Vec<Foreign<'c>>> {
        let every = self.context.every_field()?;
        let mut foreign: Vec<Foreign> = columns
            .filter_map(|column| Some(Foreign::Column(column, self.foreign_source_of_column(every, column)?)))
            .collect();
        for (definition, changed) in every.in_form(values, |changed| changed.key) {
            if let Some(source) = self.foreign_source(Some(definition.id))
                && !exempt::is_reshaped(definition.id)
            {
                foreign.push(Foreign::Value(changed, source));
            }
        }
        Ok(foreign)
    }

    /// The data because of which the session may not delete a customer, by name if it sees them.
    /// What it does not see counts whether there is a value or not: else the answer would tell.
    fn foreign_to_delete<'c>(&'c self, old: &Record, held: &Jsonb) -> Result<Vec<(Option<&'c str>, Uuid)>> {
        let every = self.context.every_field()?;
        let seen = if self.reads() { Some(self.context.fields()?) } else { None };
        let columns = (0..WIDTH).filter(|column| seen.is_none() || old.holds(*column));
        let mut foreign: Vec<_> = columns
            .filter_map(|column| {
                let source = self.foreign_source_of_column(every, column)?;
                Some((seen.map(|_| name_of(column)), source))
            })
            .collect();
        for (definition, key) in every.custom() {
            let name = seen.and_then(|fields| fields.by_key(key)).map(|field| field.name.as_str());
            if (name.is_none() || held.member(key).is_some())
                && let Some(source) = self.foreign_source(Some(definition.id))
            {
                foreign.push((name, source));
            }
        }
        Ok(foreign)
    }

    /// The names of data that the session sees, with the sources that they belong to.
    fn named<'c>(&'c self, foreign: &[Foreign<'c>]) -> Result<Vec<(Option<&'c str>, Uuid)>> {
        let seen = if self.reads() { Some(self.context.fields()?) } else { None };
        let named = foreign.iter().map(|datum| match datum {
            Foreign::Column(column, source) => (seen.map(|_| name_of(*column)), *source),
            Foreign::Value(changed, source) => {
                (seen.and_then(|seen| seen.by_key(changed.key)).map(|field| field.name.as_str()), *source)
            }
        });
        Ok(named.collect())
    }

    /// These, as an error lists them.
    fn listed(&self, named: &[(Option<&str>, Uuid)]) -> String {
        let listed = named.iter().filter_map(|(name, source)| {
            Some(format!("\"{}\" (source \"{}\")", (*name)?, self.sources.name_of(*source)?))
        });
        listed.collect::<Vec<_>>().join(", ")
    }

    /// Counts these for the warning of the statement.
    fn count_left_out(&self, named: &[(Option<&str>, Uuid)]) {
        for (name, source) in named {
            left_out::count(match (name, self.sources.name_of(*source)) {
                (Some(field), Some(source)) => LeftOut::Value { field: (*field).to_owned(), source: source.to_owned() },
                _ => LeftOut::Other,
            });
        }
    }
}

/// Whether anybody with the right may write everything of a record of that source.
fn is_free(context: &Context, own: Option<Uuid>, record: Option<Uuid>) -> Result<bool> {
    Ok(context.authority()?.is_empty()
        && match record {
            Some(record) => Some(context.sources()?.successor_of(record)) == own,
            None => true,
        })
}

fn name_of(column: usize) -> &'static str {
    DATA.get(column).and_then(|(name, _): &(&CStr, _)| name.to_str().ok()).unwrap_or_default()
}

/// Whether writes are judged: not those that row-level security does not bind, nor the extension's
/// own.
fn is_judged(table: pg_sys::Oid) -> bool {
    !session::is_acting() && role::is_bound(table)
}

/// The context of the session. In a referential action that of the statement that set it off: it
/// decides there only what is refused.
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
        if is_free(&context, own, call.source())? {
            return Ok(call.row());
        }
        match (call.before(), call.after()) {
            (None, Some(new)) => judge_insert(&call, &context, own, &new),
            (Some(old), Some(new)) => judge_update(&call, &context, own, &old, &new, is_consequence),
            (Some(old), None) => judge_delete(&call, &context, own, &old, is_consequence),
            (None, None) => Ok(call.row()),
        }
    })())
}

/// Whether the session sees a customer with that id, which stays as long as the transaction.
fn is_there(new: &Record) -> Result<bool> {
    const QUERY: &str = "SELECT 1 FROM ringfence.customer AS c \
        WHERE c.owner_id OPERATOR(pg_catalog.=) $1 AND c.id OPERATOR(pg_catalog.=) $2 FOR KEY SHARE";
    let key: [DatumWithOid; 2] = [new.owner.into(), new.id.into()];
    match Spi::get_one_with_args::<i32>(QUERY, &key) {
        Ok(found) => Ok(found.is_some()),
        Err(SpiError::InvalidPosition) => Ok(false),
        Err(_) => Err(error::not_installed("table ringfence.customer")),
    }
}

fn judge_insert(call: &Call, context: &Context, own: Option<Uuid>, new: &Record) -> Result<pg_sys::Datum> {
    // The wall refuses it.
    if new.owner != context.owner.id {
        return Ok(call.row());
    }
    let judge = Judge::new(context, own, new.source)?;
    let (none, given) = (Jsonb::object([]), new.attributes());
    let columns = (0..WIDTH).filter(|column| new.holds(*column));
    let foreign = judge.foreign(columns, values_changed(&none, &given))?;
    if foreign.is_empty() {
        return Ok(call.row());
    }
    // Then there will be no new customer: it is an error of the key, or with ON CONFLICT the change of the old one, which is judged by itself.
    if is_there(new)? {
        return Ok(call.row());
    }
    let named = judge.named(&foreign)?;
    if !skips() {
        return Err(error::foreign_datum(&judge.listed(&named)));
    }
    let (columns, keys) = split(&foreign);
    // There is no customer without a name.
    if columns.contains(&NAME) {
        let name: Vec<_> = foreign.iter().filter(|datum| matches!(datum, Foreign::Column(NAME, _))).collect();
        left_out::count(LeftOut::NewCustomer);
        history::note_left_out(context, own, None, new, name.into_iter().map(datum_of))?;
        return Ok(pg_sys::Datum::null());
    }
    judge.count_left_out(&named);
    history::note_left_out(context, own, None, new, foreign.iter().map(datum_of))?;
    let empty: Vec<_> = columns.iter().map(|column| (*column, empty_of(*column))).collect();
    Ok(call.row_with(&empty, Some(without(&given, &none, &keys))))
}

/// For a session that does not read customers, whatever the statement assigns is a change: it must
/// not learn what is there, nor of which customers.
fn judge_update(
    call: &Call,
    context: &Context,
    own: Option<Uuid>,
    old: &Record,
    new: &Record,
    is_consequence: bool,
) -> Result<pg_sys::Datum> {
    let judge = Judge::new(context, own, old.source)?;
    let reads = judge.reads();
    let columns = (0..WIDTH).filter(|column| if reads { new.differs(old, *column) } else { call.assigns(*column) });
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
    let named = judge.named(&foreign)?;
    // What a referential action must clear cannot be left as it is.
    if is_consequence || !reads || !skips() {
        return Err(error::foreign_datum(&judge.listed(&named)));
    }
    judge.count_left_out(&named);
    history::note_left_out(context, own, Some(old), new, foreign.iter().map(datum_of))?;
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
    if exempt::is_erased(old.id) {
        return Ok(call.row());
    }
    let judge = Judge::new(context, own, old.source)?;
    let foreign = judge.foreign_to_delete(old, &old.attributes())?;
    if foreign.is_empty() {
        return Ok(call.row());
    }
    if is_consequence || !judge.reads() || !skips() {
        return Err(error::foreign_deletion(&judge.listed(&foreign)));
    }
    left_out::count(LeftOut::Deletion);
    history::note_deletion_left_out(own, old)?;
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

/// For a new card with an id: its custom values without those that are left out, and the names of
/// the columns that are. They are counted and noted here, so that the trigger finds nothing more.
/// What is refused, and a card without a name, is left to the trigger.
pub fn left_out_of_card(card: &Record, given: Jsonb) -> Result<(Jsonb, Vec<&'static str>)> {
    if !skips() || !is_judged(catalog::table_oid(c"customer")) {
        return Ok((given, Vec::new()));
    }
    let context = session::context()?;
    let own = session::acting_source(&context)?;
    // A customer of another owner is refused by the wall.
    if card.owner != context.owner.id || is_free(&context, own, own)? {
        return Ok((given, Vec::new()));
    }
    let judge = Judge::new(&context, own, own)?;
    let none = Jsonb::object([]);
    let columns = (0..WIDTH).filter(|column| card.holds(*column));
    let foreign = judge.foreign(columns, values_changed(&none, &given))?;
    let (columns, keys) = split(&foreign);
    if foreign.is_empty() || columns.contains(&NAME) {
        return Ok((given, Vec::new()));
    }
    judge.count_left_out(&judge.named(&foreign)?);
    history::note_left_out(&context, own, None, card, foreign.iter().map(datum_of))?;
    let names = columns.into_iter().map(name_of).collect();
    let kept = without(&given, &none, &keys);
    Ok((kept, names))
}

/// Whether the session cannot fill a field of a new customer, because it belongs to another source.
pub fn is_foreign_in_new(context: &Context, field: Uuid) -> Result<bool> {
    if context.authority()?.is_empty() {
        return Ok(false);
    }
    let own = session::acting_source(context)?;
    Ok(Judge::new(context, own, own)?.foreign_source(Some(field)).is_some())
}

/// Error 0A000 for ON CONFLICT DO UPDATE on table `customer`, where changes of foreign data are
/// left out: a new customer whose name is foreign would be left out before PostgreSQL finds that it
/// is there, and with it the changes that the session may make.
#[pg_guard]
pub unsafe extern "C-unwind" fn refuse_skipping_upsert() {
    if is_judged(catalog::table_oid(c"customer")) {
        error::no_upsert_with_skip().report(PgLogLevel::ERROR);
    }
}

version_1!(pg_finfo_judge_authority);
