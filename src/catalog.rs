//! Reads ringfence's own tables the way PostgreSQL reads its catalogs: under a fresh snapshot, not the
//! transaction's, so that a right revoked by another session counts at once also in REPEATABLE READ; and outside
//! row-level security, because these rows are what row-level security is decided from.
//!
//! Nothing read here may reach a caller before `session` has judged it.

use crate::error::{self, Result};
use crate::pg;
use pgrx::datum::Uuid;
use pgrx::{FromDatum, IntoDatum, PgTrigger, pg_sys};
use std::cell::Cell;
use std::ffi::{CStr, CString};

/// The tables that decisions are made from. A change to one of them makes the cached decisions of every backend stale.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Source {
    Owner,
    Project,
    Profile,
    Access,
    Field,
    FieldProject,
    SigningKey,
    Channel,
    System,
    Authority,
}

const SOURCES: usize = 10;

const ALL: [Source; SOURCES] = [
    Source::Owner,
    Source::Project,
    Source::Profile,
    Source::Access,
    Source::Field,
    Source::FieldProject,
    Source::SigningKey,
    Source::Channel,
    Source::System,
    Source::Authority,
];

/// In every table that is read by its primary key, the first column is also the first of that key.
const FIRST_COLUMN: pg_sys::AttrNumber = 1;

// PostgreSQL's own catalog of memberships, and its index on (member, role, ...): their oids are the same everywhere.
const AUTH_MEMBERS: u32 = 1261;
const AUTH_MEMBERS_BY_MEMBER: u32 = 2695;

impl Source {
    fn name(self) -> &'static CStr {
        match self {
            Source::Owner => c"owner",
            Source::Project => c"project",
            Source::Profile => c"profile",
            Source::Access => c"access",
            Source::Field => c"field",
            Source::FieldProject => c"field_project",
            Source::SigningKey => c"signing_key_material",
            Source::Channel => c"channel",
            Source::System => c"source",
            Source::Authority => c"authority",
        }
    }
}

thread_local! {
    static READ: Cell<[pg_sys::Oid; SOURCES]> = const { Cell::new([pg_sys::InvalidOid; SOURCES]) };
    /// When the statement began in which library and SQL were found to be of one version.
    static VERSION_FOUND_IN: Cell<pg_sys::TimestampTz> = const { Cell::new(0) };
}

/// Whether this backend has read `relation` for a decision. Safe to call from an invalidation callback.
pub fn was_read(relation: pg_sys::Oid) -> bool {
    READ.with(|read| read.get().contains(&relation))
}

/// Whether this backend has read `relation` as that table. Safe to call from an invalidation callback.
pub fn was_read_as(source: Source, relation: pg_sys::Oid) -> bool {
    READ.with(|read| read.get().get(source as usize) == Some(&relation))
}

/// The oid of a table that this backend has read for the decision in force: then nothing has happened to the table since. Looked up
/// otherwise.
pub fn oid_of(source: Source) -> pg_sys::Oid {
    let read = READ.with(|read| read.get().get(source as usize).copied().unwrap_or(pg_sys::InvalidOid));
    if read == pg_sys::InvalidOid { table_oid(source.name()) } else { read }
}

/// Whether a table is one that decisions are made from.
pub fn decides(table: pg_sys::Oid) -> bool {
    ALL.into_iter().any(|source| oid_of(source) == table)
}

/// The oid of schema `ringfence`, or InvalidOid.
pub fn schema_oid() -> pg_sys::Oid {
    // SAFETY: a look-up by a NUL-terminated name, inside a transaction, as every caller runs in one.
    unsafe { pg_sys::get_namespace_oid(c"ringfence".as_ptr(), true) }
}

/// The oid of a table of schema `ringfence`, or InvalidOid.
pub fn table_oid(name: &CStr) -> pg_sys::Oid {
    let schema = schema_oid();
    if schema == pg_sys::InvalidOid {
        return pg_sys::InvalidOid;
    }
    // SAFETY: as above.
    unsafe { pg_sys::get_relname_relid(name.as_ptr(), schema) }
}

/// Error 55000, with that reason, unless the trigger is on that table of schema `ringfence`.
pub fn require_trigger_on(table: &CStr, trigger: &PgTrigger, reason: &'static str) -> Result<()> {
    match trigger.relid() {
        Ok(relation) if relation == table_oid(table) => Ok(()),
        _ => Err(error::wrong_trigger(reason)),
    }
}

/// The name of a table of schema `ringfence`; None for another relation.
pub fn own_table(relation: pg_sys::Oid) -> Option<CString> {
    // SAFETY: look-ups by oid; the name is a NUL-terminated copy, or null.
    unsafe {
        let kind = pg_sys::get_rel_relkind(relation) as u8;
        if pg_sys::get_rel_namespace(relation) != schema_oid() || !matches!(kind, b'r' | b'p') {
            return None;
        }
        let name = pg_sys::get_rel_name(relation);
        (!name.is_null()).then(|| CStr::from_ptr(name).to_owned())
    }
}

/// Whether row-level security binds a role, or for InvalidOid the role at work, where it reads a table or writes to it.
pub fn row_security_binds(table: pg_sys::Oid, role: pg_sys::Oid) -> bool {
    // SAFETY: looks at catalogs, inside a transaction; with `noError` it raises nothing of its own.
    let judged = unsafe { pg_sys::check_enable_rls(table, role, true) };
    judged == pg_sys::CheckEnableRlsResult::RLS_ENABLED as i32
}

/// The oid of a role, or InvalidOid.
pub fn role_oid(name: &CStr) -> pg_sys::Oid {
    // SAFETY: a catalog look-up by a NUL-terminated name, inside a transaction.
    unsafe { pg_sys::get_role_oid(name.as_ptr(), true) }
}

/// The owner of a view of schema `ringfence_report`, if there is such a view.
pub fn owner_of_report(view: &str) -> Option<pg_sys::Oid> {
    let name = CString::new(view).ok()?;
    // SAFETY: catalog look-ups by NUL-terminated names and an oid, inside a transaction.
    let owner = unsafe {
        let schema = pg_sys::get_namespace_oid(c"ringfence_report".as_ptr(), true);
        let relation = pg_sys::get_relname_relid(name.as_ptr(), schema);
        pg_sys::GetSysCacheOid(
            pg_sys::SysCacheIdentifier::RELOID as _,
            pg_sys::Anum_pg_class_relowner as _,
            relation.into(),
            pg_sys::Datum::null(),
            pg_sys::Datum::null(),
            pg_sys::Datum::null(),
        )
    };
    (owner != pg_sys::InvalidOid).then_some(owner)
}

/// The oid of a type of schema `ringfence`, or InvalidOid.
pub fn type_oid(name: &CStr) -> pg_sys::Oid {
    // SAFETY: as above; the name is copied by PostgreSQL where it keeps it.
    unsafe {
        pg_sys::GetSysCacheOid(
            pg_sys::SysCacheIdentifier::TYPENAMENSP as _,
            pg_sys::Anum_pg_type_oid as _,
            pg_sys::Datum::from(name.as_ptr()),
            schema_oid().into(),
            pg_sys::Datum::null(),
            pg_sys::Datum::null(),
        )
    }
}

/// Which rows to read.
pub enum Rows<'a> {
    All,
    /// Those whose primary key begins with this id: through its index.
    KeyStartsWith(Uuid),
    /// The same for each of several ids, in their order.
    KeysStartWith(&'a [Uuid]),
    /// Of table `access`, the entries of these roles: through the index on the role.
    OfRoles(&'a [pg_sys::Oid]),
    /// Of table `channel`, the one of that kind with that address in normal form: through its unique index.
    OfAddress {
        address: &'a str,
        kind: &'a str,
    },
    /// Those of PostgreSQL's own catalog whose columns of these numbers are these oids: through that index.
    Of {
        index: u32,
        columns: Vec<(pg_sys::AttrNumber, pg_sys::Oid)>,
    },
}

impl Rows<'_> {
    /// By which index, and the keys of each scan of it; None: the whole table.
    ///
    /// # Safety
    /// `relation` must be open.
    unsafe fn keys(&self, relation: pg_sys::Relation) -> (pg_sys::Oid, Option<Vec<Vec<pg_sys::ScanKeyData>>>) {
        let id =
            |id: &Uuid| scan_key(FIRST_COLUMN, pg_sys::F_UUID_EQ, (*id).into_datum().unwrap_or(pg_sys::Datum::null()));
        // SAFETY: as promised by the caller; look-ups by NUL-terminated name.
        unsafe {
            match self {
                Rows::All => (pg_sys::InvalidOid, None),
                Rows::KeyStartsWith(key) => (primary_key(relation), Some(vec![vec![id(key)]])),
                Rows::KeysStartWith(keys) => {
                    (primary_key(relation), Some(keys.iter().map(|key| vec![id(key)]).collect()))
                }
                Rows::OfRoles(roles) => {
                    let column = pg_sys::get_attnum((*relation).rd_id, c"role".as_ptr());
                    let keys = roles.iter().map(|role| vec![scan_key(column, pg_sys::F_OIDEQ, (*role).into())]);
                    (table_oid(c"access_role"), Some(keys.collect()))
                }
                Rows::OfAddress { address, kind } => {
                    let key = |name: &CStr, value: &str| {
                        let column = pg_sys::get_attnum((*relation).rd_id, name.as_ptr());
                        scan_key(column, pg_sys::F_TEXTEQ, value.into_datum().unwrap_or(pg_sys::Datum::null()))
                    };
                    let keys = vec![key(c"normal_address", address), key(c"kind", kind)];
                    (table_oid(c"channel_address"), Some(vec![keys]))
                }
                Rows::Of { index, columns } => {
                    let keys = columns.iter().map(|(column, oid)| scan_key(*column, pg_sys::F_OIDEQ, (*oid).into()));
                    ((*index).into(), Some(vec![keys.collect()]))
                }
            }
        }
    }
}

/// The key of a scan for the rows with that value in that column.
fn scan_key(column: pg_sys::AttrNumber, equal: u32, value: pg_sys::Datum) -> pg_sys::ScanKeyData {
    let mut key = pg_sys::ScanKeyData::default();
    // SAFETY: fills what it is given; the function is one of PostgreSQL's own.
    unsafe { pg_sys::ScanKeyInit(&mut key, column, pg_sys::BTEqualStrategyNumber as _, equal.into(), value) };
    key
}

/// # Safety
/// `relation` must be open.
unsafe fn primary_key(relation: pg_sys::Relation) -> pg_sys::Oid {
    // SAFETY: as promised by the caller.
    unsafe {
        #[cfg(not(feature = "pg18"))]
        let index = pg_sys::RelationGetPrimaryKeyIndex(relation);
        #[cfg(feature = "pg18")]
        let index = pg_sys::RelationGetPrimaryKeyIndex(relation, false);
        index
    }
}

/// One row, decoded by column position in the list that was asked for.
pub struct Row<'a> {
    values: &'a [pg_sys::Datum],
    nulls: &'a [bool],
    positions: &'a [usize],
}

impl Row<'_> {
    /// Column `n` of the list that was asked for, or None if it is NULL.
    pub fn get<T: FromDatum>(&self, n: usize) -> Option<T> {
        let position = *self.positions.get(n)?;
        let value = *self.values.get(position)?;
        let null = *self.nulls.get(position)?;
        // SAFETY: the value was deformed from a live tuple of this relation, and callers name the column's type.
        unsafe { T::from_datum(value, null) }
    }
}

/// Reads `columns` of the rows, and collects what `decode` makes of each. Error 55000 if the table is not there.
pub fn read<T>(source: Source, columns: &[&CStr], rows: Rows, decode: impl FnMut(&Row) -> Option<T>) -> Result<Vec<T>> {
    let oid = table_oid(source.name());
    if oid == pg_sys::InvalidOid {
        return Err(error::not_installed("a table of extension ringfence"));
    }
    READ.with(|read| {
        let mut oids = read.get();
        oids[source as usize] = oid;
        read.set(oids);
    });
    read_table(oid, columns, rows, decode)
}

/// The version of the extension that this database has installed, if it has.
pub fn installed_version() -> Result<Option<String>> {
    let columns: [&CStr; 2] = [c"extname", c"extversion"];
    let versions = read_table(pg_sys::ExtensionRelationId, &columns, Rows::All, |row| {
        let name = row.get::<&CStr>(0)?;
        row.get::<String>(1).filter(|_| name == c"ringfence")
    })?;
    Ok(versions.into_iter().next())
}

/// Error 55000 if the library and the SQL of the extension are of different versions.
pub fn compare_versions() -> Result<()> {
    let installed = installed_version()?;
    if installed.as_deref() == Some(env!("CARGO_PKG_VERSION")) {
        Ok(())
    } else {
        Err(error::other_version(env!("CARGO_PKG_VERSION"), installed.as_deref()))
    }
}

/// As [`compare_versions`], once a statement. For what shows or changes anything without asking for the session's owner: who asks for the
/// owner, asks this too.
pub fn require_own_version() -> Result<()> {
    let statement = pg::statement_start();
    if VERSION_FOUND_IN.get() != statement {
        compare_versions()?;
        VERSION_FOUND_IN.set(statement);
    }
    Ok(())
}

/// The roles that a role is a member of, not by way of others.
pub fn memberships(member: pg_sys::Oid) -> Result<Vec<pg_sys::Oid>> {
    // Its number differs from one version of PostgreSQL to the next.
    // SAFETY: a look-up by NUL-terminated name.
    let column = unsafe { pg_sys::get_attnum(AUTH_MEMBERS.into(), c"member".as_ptr()) };
    let rows = Rows::Of { index: AUTH_MEMBERS_BY_MEMBER, columns: vec![(column, member)] };
    read_table(AUTH_MEMBERS.into(), &[c"roleid"], rows, |row| row.get(0))
}

/// Whether the table has any row.
pub fn is_empty(table: pg_sys::Oid) -> Result<bool> {
    let mut found = false;
    read_table(table, &[], Rows::All, |_| {
        found = true;
        None::<()>
    })?;
    Ok(!found)
}

/// Reads `columns` of a table of the database, or of a catalog of PostgreSQL's.
pub fn read_table<T>(
    table: pg_sys::Oid,
    columns: &[&CStr],
    rows: Rows,
    mut decode: impl FnMut(&Row) -> Option<T>,
) -> Result<Vec<T>> {
    let mut positions = Vec::with_capacity(columns.len());
    for column in columns {
        // SAFETY: a catalog look-up by oid and NUL-terminated name.
        let attribute = unsafe { pg_sys::get_attnum(table, column.as_ptr()) };
        if attribute <= 0 {
            return Err(error::not_installed("a column of extension ringfence"));
        }
        positions.push(attribute as usize - 1);
    }
    let mut result = Vec::new();
    // SAFETY: the relation is open and locked from table_open to table_close; the scan and its snapshot (NULL: a fresh
    // catalog snapshot) end before that; tuples are deformed with the relation's own descriptor into arrays of its
    // width. If PostgreSQL raises an error in between, its resource owner closes scan and relation.
    unsafe {
        let relation = pg_sys::table_open(table, pg_sys::AccessShareLock as _);
        let descriptor = (*relation).rd_att;
        let width = (*descriptor).natts as usize;
        let mut values = vec![pg_sys::Datum::null(); width];
        let mut nulls = vec![true; width];

        let (index, scans) = rows.keys(relation);
        let mut scan = |keys: &mut [pg_sys::ScanKeyData]| {
            let by_index = !keys.is_empty() && index != pg_sys::InvalidOid;
            let (count, keys) = (keys.len() as _, keys.as_mut_ptr());
            let scan = pg_sys::systable_beginscan(relation, index, by_index, std::ptr::null_mut(), count, keys);
            loop {
                let tuple = pg_sys::systable_getnext(scan);
                if tuple.is_null() {
                    break;
                }
                pg_sys::heap_deform_tuple(tuple, descriptor, values.as_mut_ptr(), nulls.as_mut_ptr());
                let row = Row { values: &values, nulls: &nulls, positions: &positions };
                if let Some(item) = decode(&row) {
                    result.push(item);
                }
            }
            pg_sys::systable_endscan(scan);
        };
        match scans {
            Some(mut scans) => scans.iter_mut().for_each(|keys| scan(keys)),
            None => scan(&mut []),
        }
        pg_sys::table_close(relation, pg_sys::AccessShareLock as _);
    }
    Ok(result)
}
