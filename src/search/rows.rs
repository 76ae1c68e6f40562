//! Customers, read by SQL under row-level security: a search can never see more than a SELECT.
//! Applications may not read all columns that are searched, so the statements run as
//! `ringfence_definer`, whom the wall binds as it binds anybody.

use super::bounds::MAX_SEARCHED_VALUES;
use super::form::{self, Form, Formed};
use super::matching::Candidate;
use super::planner::{self, ScanBy};
use super::value::Probe;
use crate::error::{self, Result};
use crate::field::VisibleFields;
use crate::jsonb::Jsonb;
use crate::pg;
use crate::{catalog, customer, role};
use pgrx::callconv::{BoxRet, FcInfo};
use pgrx::datum::Uuid;
use pgrx::pgrx_sql_entity_graph::metadata::{
    ArgumentError, ReturnsError, ReturnsRef, SqlMappingRef, SqlTranslatable, TypeOrigin,
};
use pgrx::{FromDatum, IntoDatum, pg_sys, varlena};
use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::{CStr, CString};

/// The statements. All names and operators in them are qualified, so that they mean the same under
/// any search_path.
#[derive(Clone, Copy)]
enum Statement {
    /// The customers that a probe finds.
    Matching,
    /// The names of the customers that a probe finds.
    Names,
    /// The places in the table of the most recently active customers that a probe finds, from a
    /// place in that order on. Customers without any activity come last, by their ids.
    Latest,
    /// The customers at these places of the table.
    At,
    /// The customer with this id.
    WithId,
    /// The customers without any activity, from an id on, by id.
    NeverActive,
    /// The customers that were last active at this time, from an id on, by id.
    ActiveAt,
    /// The customers that were last active before this time, the latest first, then by id.
    ActiveBefore,
    /// Whether a probe finds this customer of this owner.
    FindsOne,
    /// The companies with these ids.
    Companies,
    /// Whom the ticket with this number is about, and whom the interaction with this external id was with, each with what was found.
    AboutWhom,
}

const STATEMENTS: usize = 11;

/// The most customers that are read at once in the order of a page, whether they match or not.
pub const MAX_READ_IN_ORDER: usize = 500;

impl Statement {
    fn text(self) -> String {
        let keys =
            "ringfence.search_keys(c.owner_id, c.name, c.normal_phones, c.normal_emails, c.searchable, c.active_on)";
        let activity = "coalesce(c.last_activity_at, '-infinity'::pg_catalog.timestamptz)";
        let customers = |condition: &str| {
            format!(
                "SELECT c.id, c.name, c.phones, c.normal_phones, c.emails, c.normal_emails, c.attributes, c.last_activity_at, c.company_id
                   FROM ringfence.customer AS c WHERE {condition}"
            )
        };
        match self {
            Statement::Matching => customers(&format!("{keys} OPERATOR(ringfence.@@@) $1")),
            Statement::Names => format!("SELECT c.name FROM ringfence.customer AS c WHERE {keys} OPERATOR(ringfence.@@@) $1"),
            Statement::Latest => format!(
                "SELECT c.ctid FROM ringfence.customer AS c WHERE {keys} OPERATOR(ringfence.@@@) $1
                    AND ({activity} OPERATOR(pg_catalog.<) $3 OR {activity} OPERATOR(pg_catalog.=) $3 AND c.id OPERATOR(pg_catalog.>=) $4)
                  ORDER BY {activity} USING OPERATOR(pg_catalog.>), c.id USING OPERATOR(pg_catalog.<) LIMIT $2"
            ),
            Statement::At => customers("c.ctid OPERATOR(pg_catalog.=) ANY ($1)"),
            Statement::WithId => customers("c.id OPERATOR(pg_catalog.=) $1"),
            Statement::NeverActive => customers(&format!(
                "c.active_on OPERATOR(pg_catalog.=) '0001-01-01'::pg_catalog.date AND c.id OPERATOR(pg_catalog.>=) $1
                  ORDER BY c.id USING OPERATOR(pg_catalog.<) LIMIT {MAX_READ_IN_ORDER}"
            )),
            Statement::ActiveAt => customers(&format!(
                "c.last_activity_at OPERATOR(pg_catalog.=) $1 AND c.id OPERATOR(pg_catalog.>=) $2
                  ORDER BY c.id USING OPERATOR(pg_catalog.<) LIMIT {MAX_READ_IN_ORDER}"
            )),
            Statement::ActiveBefore => customers(&format!(
                "c.last_activity_at OPERATOR(pg_catalog.<) $1 AND c.last_activity_at OPERATOR(pg_catalog.>) '-infinity'::pg_catalog.timestamptz
                  ORDER BY c.last_activity_at USING OPERATOR(pg_catalog.>) NULLS LAST, c.id USING OPERATOR(pg_catalog.<) LIMIT {MAX_READ_IN_ORDER}"
            )),
            Statement::FindsOne => format!(
                "SELECT true FROM ringfence.customer AS c WHERE c.owner_id OPERATOR(pg_catalog.=) $1 AND c.id OPERATOR(pg_catalog.=) $2
                    AND {keys} OPERATOR(ringfence.@@@) $3"
            ),
            Statement::Companies => {
                "SELECT c.id, c.name FROM ringfence.company AS c WHERE c.id OPERATOR(pg_catalog.=) ANY ($1)".to_owned()
            }
            Statement::AboutWhom => {
                "SELECT t.customer_id, '#' OPERATOR(pg_catalog.||) t.number::pg_catalog.text FROM ringfence.ticket AS t
                  WHERE t.number OPERATOR(pg_catalog.=) $1 AND t.customer_id IS NOT NULL
                 UNION ALL
                 SELECT i.customer_id, i.external_id FROM ringfence.interaction AS i
                  WHERE i.external_id OPERATOR(pg_catalog.=) $2 AND i.customer_id IS NOT NULL"
                    .to_owned()
            }
        }
    }

    fn arguments(self, query: pg_sys::Oid) -> Vec<pg_sys::Oid> {
        match self {
            Statement::Matching | Statement::Names => vec![query],
            Statement::Latest => vec![query, pg_sys::INT8OID, pg_sys::TIMESTAMPTZOID, pg_sys::UUIDOID],
            Statement::At => vec![pg_sys::TIDARRAYOID],
            Statement::NeverActive | Statement::WithId => vec![pg_sys::UUIDOID],
            Statement::ActiveAt => vec![pg_sys::TIMESTAMPTZOID, pg_sys::UUIDOID],
            Statement::ActiveBefore => vec![pg_sys::TIMESTAMPTZOID],
            Statement::FindsOne => vec![pg_sys::UUIDOID, pg_sys::UUIDOID, query],
            Statement::Companies => vec![pg_sys::UUIDARRAYOID],
            Statement::AboutWhom => vec![pg_sys::INT8OID, pg_sys::TEXTOID],
        }
    }

    /// The kind of scan that it is planned with.
    fn scans_by(self) -> ScanBy {
        match self {
            Statement::Matching | Statement::Names | Statement::Latest => ScanBy::SearchIndex,
            Statement::At => ScanBy::Place,
            Statement::WithId
            | Statement::NeverActive
            | Statement::ActiveAt
            | Statement::ActiveBefore
            | Statement::FindsOne
            | Statement::Companies
            | Statement::AboutWhom => ScanBy::Order,
        }
    }
}

thread_local! {
    /// The plans of this backend, and the type `ringfence.search_query` that they were made for.
    static PLANS: RefCell<(pg_sys::Oid, [pg_sys::SPIPlanPtr; STATEMENTS])> =
        const { RefCell::new((pg_sys::InvalidOid, [std::ptr::null_mut(); STATEMENTS])) };
}

/// A customer. It lives as long as the [`Reader`] that has read it.
pub struct Row<'a> {
    tuple: [Option<pg_sys::Datum>; COLUMNS],
    fields: &'a VisibleFields,
}

const COLUMNS: usize = 9;
const ID: usize = 0;
const NAME: usize = 1;
const PHONES: usize = 2;
const NORMAL_PHONES: usize = 3;
const EMAILS: usize = 4;
const NORMAL_EMAILS: usize = 5;
const ATTRIBUTES: usize = 6;
const LAST_ACTIVITY: usize = 7;
const COMPANY: usize = 8;

impl Row<'_> {
    fn get<T: FromDatum>(&self, column: usize) -> Option<T> {
        let datum = self.tuple.get(column).copied().flatten()?;
        // SAFETY: the statement selects the column with this type, and the row lives.
        unsafe { T::from_datum(datum, false) }
    }

    fn list(&self, column: usize) -> Vec<String> {
        self.get::<Vec<Option<String>>>(column).unwrap_or_default().into_iter().flatten().collect()
    }

    /// Phone numbers as they are stored, for a result.
    pub fn phones_as_stored(&self) -> StoredList {
        self.stored_list(PHONES)
    }

    /// E-mail addresses as they are stored, for a result.
    pub fn emails_as_stored(&self) -> StoredList {
        self.stored_list(EMAILS)
    }

    fn stored_list(&self, column: usize) -> StoredList {
        let Some(datum) = self.tuple.get(column).copied().flatten() else {
            return StoredList(Vec::new());
        };
        // SAFETY: the statement selects the column with type text[], and the row lives. The value
        // is copied with its header.
        unsafe {
            let list = pg_sys::pg_detoast_datum(datum.cast_mut_ptr());
            let bytes = std::slice::from_raw_parts(list.cast::<u8>(), varlena::varsize_4b(list));
            StoredList(bytes.to_vec())
        }
    }

    /// Microseconds since 2000-01-01, as PostgreSQL counts. The least number means that there was
    /// no activity.
    pub fn last_activity(&self) -> i64 {
        self.tuple.get(LAST_ACTIVITY).copied().flatten().map_or(i64::MIN, |datum| datum.value() as i64)
    }

    pub fn company(&self) -> Option<Uuid> {
        self.get(COMPANY)
    }
}

/// A value of type text[] as PostgreSQL stores it, with its header.
pub struct StoredList(Vec<u8>);

impl IntoDatum for StoredList {
    fn into_datum(self) -> Option<pg_sys::Datum> {
        if self.0.is_empty() {
            return None;
        }
        Some(pg::copied(&self.0))
    }

    fn type_oid() -> pg_sys::Oid {
        pg_sys::TEXTARRAYOID
    }
}

// SAFETY: its values are of this SQL type.
unsafe impl SqlTranslatable for StoredList {
    const TYPE_IDENT: &'static str = "ringfence::search::rows::StoredList";
    const TYPE_ORIGIN: TypeOrigin = TypeOrigin::External;
    const ARGUMENT_SQL: std::result::Result<SqlMappingRef, ArgumentError> = Ok(SqlMappingRef::literal("text[]"));
    const RETURN_SQL: std::result::Result<ReturnsRef, ReturnsError> =
        Ok(ReturnsRef::One(SqlMappingRef::literal("text[]")));
}

// SAFETY: returns a pointer to a palloc'd varlena, which is what a datum of type text[] is.
unsafe impl BoxRet for StoredList {
    unsafe fn box_into<'fcx>(self, fcinfo: &mut FcInfo<'fcx>) -> pgrx::datum::Datum<'fcx> {
        match self.into_datum() {
            // SAFETY: as above.
            Some(datum) => unsafe { fcinfo.return_raw_datum(datum) },
            None => fcinfo.return_null(),
        }
    }
}

impl Candidate for Row<'_> {
    fn id(&self) -> [u8; 16] {
        self.get::<Uuid>(ID).map_or([0; 16], |id| *id)
    }

    fn name(&self) -> &str {
        // SAFETY: a text of a row that outlives the borrow.
        self.tuple.get(NAME).copied().flatten().map_or("", |datum| unsafe { text(datum) })
    }

    fn phones(&self) -> Vec<String> {
        self.list(PHONES)
    }

    fn normal_phones(&self) -> Vec<String> {
        self.list(NORMAL_PHONES)
    }

    fn emails(&self) -> Vec<String> {
        self.list(EMAILS)
    }

    fn normal_emails(&self) -> Vec<String> {
        self.list(NORMAL_EMAILS)
    }

    fn values(&self) -> Vec<String> {
        let attributes = self.get::<Jsonb>(ATTRIBUTES);
        attributes
            .map(|stored| customer::searchable_texts(self.fields, &stored, MAX_SEARCHED_VALUES))
            .unwrap_or_default()
    }

    fn formed(&self, form: Form) -> Vec<Formed> {
        let attributes = self.get::<Jsonb>(ATTRIBUTES);
        attributes.map(|stored| form::formed(self.fields, &stored, form)).unwrap_or_default()
    }
}

/// # Safety
/// `datum` must be of type text, and its row outlive the result.
unsafe fn text<'a>(datum: pg_sys::Datum) -> &'a str {
    let text: *mut pg_sys::varlena = datum.cast_mut_ptr();
    // SAFETY: as promised by the caller. A detoasted text lives until the reader ends.
    let bytes = unsafe {
        varlena::varlena_to_byte_slice(if pg::is_plain(text) { text } else { pg_sys::pg_detoast_datum_packed(text) })
    };
    std::str::from_utf8(bytes).unwrap_or_default()
}

/// Reads while connected to PostgreSQL's SPI.
pub struct Reader<'a> {
    fields: &'a VisibleFields,
}

/// Runs `work` with a reader. All that it reads is gone when it returns.
pub fn read<T>(fields: &VisibleFields, work: impl FnOnce(&Reader) -> Result<T>) -> Result<T> {
    connected(|| work(&Reader { fields }))
}

fn connected<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    // SAFETY: SPI is connected and finished once each. After an error PostgreSQL finishes it.
    unsafe {
        if pg_sys::SPI_connect() != pg_sys::SPI_OK_CONNECT as i32 {
            return Err(error::not_installed("a connection to SPI"));
        }
        let result = work();
        pg_sys::SPI_finish();
        result
    }
}

impl<'a> Reader<'a> {
    /// The customers that a probe finds.
    pub fn matching(&self, probe: &Probe) -> Result<Vec<Row<'a>>> {
        self.rows(Statement::Matching, &mut [probe.datum()])
    }

    /// Hands the names of the customers that a probe finds to `look`.
    pub fn names(&self, probe: &Probe, mut look: impl FnMut(&str)) -> Result<()> {
        for [name] in execute::<1>(Statement::Names, &mut [probe.datum()])? {
            // There may be very many of them.
            pgrx::check_for_interrupts!();
            // SAFETY: the column is a text of a row that lives until the reader ends.
            name.into_iter().for_each(|name| look(unsafe { text(name) }));
        }
        Ok(())
    }

    /// The most recently active of the customers that a probe finds, at most `most`, from a place
    /// on: a time, as PostgreSQL counts, and an id.
    pub fn latest(&self, probe: &Probe, most: usize, from: Option<(i64, [u8; 16])>) -> Result<Vec<Row<'a>>> {
        // The greatest number is infinity.
        let (time, id) = from.unwrap_or((i64::MAX, [0; 16]));
        let mut arguments = [probe.datum(), datum(most as i64), datum(time), datum(Uuid::from_bytes(id))];
        let tuples = execute::<1>(Statement::Latest, &mut arguments)?;
        // SAFETY: the column is the place of a row.
        let places =
            tuples.into_iter().filter_map(|[place]| unsafe { pg_sys::ItemPointerData::from_datum(place?, false) });
        // Both statements use one snapshot, so these are the same versions of the rows.
        self.rows(Statement::At, &mut [datum(places.collect::<Vec<_>>())])
    }

    /// The customer with this id, if the session may read it.
    pub fn with_id(&self, id: Uuid) -> Result<Vec<Row<'a>>> {
        self.rows(Statement::WithId, &mut [datum(id)])
    }

    /// Whom the ticket with this number is about, and whom the interaction with this external id was with, as far as the session sees ticket
    /// and interaction. With each what was found.
    pub fn about_whom(&self, ticket: i64, external_id: &str) -> Result<HashMap<[u8; 16], String>> {
        let tuples = execute::<2>(Statement::AboutWhom, &mut [datum(ticket), datum(external_id)])?;
        // SAFETY: the columns are an id and a text of rows that live until the reader ends.
        let found = |[id, found]: [Option<pg_sys::Datum>; 2]| unsafe {
            Some((*Uuid::from_datum(id?, false)?, text(found?).to_owned()))
        };
        Ok(tuples.into_iter().filter_map(found).collect())
    }

    /// The first [`MAX_READ_IN_ORDER`] customers without any activity, from an id on.
    pub fn never_active(&self, from: [u8; 16]) -> Result<Vec<Row<'a>>> {
        self.rows(Statement::NeverActive, &mut [datum(Uuid::from_bytes(from))])
    }

    /// The first [`MAX_READ_IN_ORDER`] customers that were last active at that time, as PostgreSQL
    /// counts, from an id on.
    pub fn active_at(&self, time: i64, from: [u8; 16]) -> Result<Vec<Row<'a>>> {
        self.rows(Statement::ActiveAt, &mut [datum(time), datum(Uuid::from_bytes(from))])
    }

    /// The first [`MAX_READ_IN_ORDER`] customers that were last active before that time.
    pub fn active_before(&self, time: i64) -> Result<Vec<Row<'a>>> {
        self.rows(Statement::ActiveBefore, &mut [datum(time)])
    }

    /// The names of companies.
    pub fn companies(&self, ids: Vec<Uuid>) -> Result<HashMap<[u8; 16], String>> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let tuples = execute::<2>(Statement::Companies, &mut [datum(ids)])?;
        // SAFETY: the columns are an id and a text of rows that live until the reader ends.
        let named = |[id, name]: [Option<pg_sys::Datum>; 2]| unsafe {
            Some((*Uuid::from_datum(id?, false)?, text(name?).to_owned()))
        };
        Ok(tuples.into_iter().filter_map(named).collect())
    }

    fn rows(&self, statement: Statement, arguments: &mut [pg_sys::Datum]) -> Result<Vec<Row<'a>>> {
        let tuples = execute::<COLUMNS>(statement, arguments)?;
        Ok(tuples.into_iter().map(|tuple| Row { tuple, fields: self.fields }).collect())
    }
}

/// Whether a probe finds that customer of that owner, if the session may read it.
pub fn finds_one(owner: Uuid, customer: Uuid, probe: &Probe) -> Result<bool> {
    role::as_definer(|| {
        connected(|| {
            let mut arguments = [datum(owner), datum(customer), probe.datum()];
            Ok(!execute::<1>(Statement::FindsOne, &mut arguments)?.is_empty())
        })
    })?
}

fn datum(value: impl IntoDatum) -> pg_sys::Datum {
    value.into_datum().unwrap_or(pg_sys::Datum::null())
}

/// Runs a statement. SPI must be connected, and the current role be the definer.
fn execute<const N: usize>(
    statement: Statement,
    arguments: &mut [pg_sys::Datum],
) -> Result<Vec<[Option<pg_sys::Datum>; N]>> {
    let plan = plan(statement)?;
    // SAFETY: the plan takes these arguments, none of which is NULL. SPI's table has the rows,
    // lives until SPI is finished, and has N columns.
    unsafe {
        let code = planner::planned_for(statement.scans_by(), || {
            pg_sys::SPI_execute_plan(plan, arguments.as_mut_ptr(), std::ptr::null(), true, 0)
        });
        let table = pg_sys::SPI_tuptable;
        if code != pg_sys::SPI_OK_SELECT as i32 || table.is_null() || (*(*table).tupdesc).natts as usize != N {
            return Err(error::not_installed("a statement of search"));
        }
        let mut rows = Vec::with_capacity(pg_sys::SPI_processed as usize);
        for n in 0..pg_sys::SPI_processed as usize {
            let (mut values, mut nulls) = ([pg_sys::Datum::null(); N], [true; N]);
            pg_sys::heap_deform_tuple(*(*table).vals.add(n), (*table).tupdesc, values.as_mut_ptr(), nulls.as_mut_ptr());
            let mut row = [None; N];
            for (column, (value, null)) in row.iter_mut().zip(values.into_iter().zip(nulls)) {
                *column = (!null).then_some(value);
            }
            rows.push(row);
        }
        Ok(rows)
    }
}

/// The plan of a statement. It is made once for all sessions that this backend serves, and for all
/// arguments: a statement has only one kind of scan (`planner`).
fn plan(statement: Statement) -> Result<pg_sys::SPIPlanPtr> {
    let query_type = query_type();
    let kept = PLANS.with_borrow(|(made_for, plans)| {
        plans.get(statement as usize).copied().filter(|plan| *made_for == query_type && !plan.is_null())
    });
    if let Some(plan) = kept {
        return Ok(plan);
    }
    let failed = || error::not_installed("a statement of search");
    let text = CString::new(statement.text()).map_err(|_| failed())?;
    let mut types = statement.arguments(query_type);
    // SAFETY: SPI is connected; the text and the types live through the call. A kept plan lives as
    // long as the backend.
    let plan = unsafe {
        let plan = pg_sys::SPI_prepare_cursor(text.as_ptr(), types.len() as i32, types.as_mut_ptr(), planner::OPTIONS);
        if plan.is_null() || pg_sys::SPI_keepplan(plan) != 0 {
            return Err(failed());
        }
        plan
    };
    PLANS.with_borrow_mut(|(made_for, plans)| {
        if *made_for != query_type {
            // The extension was dropped and created again since the plans were made.
            *plans = [std::ptr::null_mut(); STATEMENTS];
            *made_for = query_type;
        }
        if let Some(place) = plans.get_mut(statement as usize) {
            *place = plan;
        }
    });
    Ok(plan)
}

/// The oid of type `ringfence.search_query`.
fn query_type() -> pg_sys::Oid {
    catalog::type_oid(const { c"search_query" as &CStr })
}
