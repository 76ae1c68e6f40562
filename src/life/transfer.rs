//! Hands an owner out as lines, and takes it back: `export_owner()` and `load_owner()`.

use super::line;
use super::{COUNT, administers, ask, decode_count, require_writing};
use crate::access::grant;
use crate::catalog::{self, Row, Rows, Source};
use crate::error::{self, ErrorReport, Result};
use crate::field::Definition;
use crate::name::{self, Reference};
use crate::owner::sql::require_room;
use crate::owner::{self, Owner, closed};
use crate::pg::{tuplestore_receiver, version_1};
use crate::rights::Rights;
use crate::{contact, role, session};
use pgrx::datum::{DatumWithOid, Uuid};
use pgrx::memcxt::PgMemoryContexts;
use pgrx::prelude::*;
use pgrx::spi::SpiHeapTupleData;

/// The owner that the session may export: its own. Errors: P0002 another one, whether it exists or not; 42501 without the right, or with masked fields
/// that the session does not see.
fn exported(asked: Option<&str>) -> Result<Owner> {
    let asked = Reference::new(asked.ok_or_else(|| error::missing_argument("owner"))?);
    let context = session::context()?;
    let owner = &context.owner;
    if !owner.is_meant_by(&asked) {
        return Err(error::no_such_owner(asked.text()));
    }
    session::require(Rights::OWNER_EXPORT, "owner.export")?;
    // A SECURITY DEFINER function would hand out what its own owner may export.
    if !role::acts_itself() {
        return Err(error::exports_for_another());
    }
    // As they are now, and not as an older snapshot of the transaction has them.
    let is_masked =
        Definition::all_of(owner.id)?.iter().any(|field| field.masked) || has_values_of_dropped_fields(owner)?;
    if is_masked && !context.rights_within(None).contains(Rights::FIELD_UNMASK) {
        return Err(error::export_shows_masked());
    }
    Ok(owner.clone())
}

/// Whether there are responses to questions that filled a field which is gone: it may have been masked, so that sessions without the right do not
/// see them.
fn has_values_of_dropped_fields(owner: &Owner) -> Result<bool> {
    const QUERY: &str = "SELECT EXISTS (SELECT FROM ringfence.response AS r \
        WHERE r.owner_id OPERATOR(pg_catalog.=) $1 AND r.field_id IS NOT NULL AND NOT EXISTS (SELECT FROM ringfence.field AS f \
            WHERE f.owner_id OPERATOR(pg_catalog.=) r.owner_id AND f.id OPERATOR(pg_catalog.=) r.field_id))";
    let own: [DatumWithOid; 1] = [owner.id.into()];
    let found = session::as_definer_for(owner.clone(), || {
        Spi::connect(|client| client.select(QUERY, Some(1), &own)?.first().get_one::<bool>())
    })?;
    found.map(|found| found == Some(true)).map_err(|_| error::not_installed("table ringfence.response"))
}

/// `ringfence.export_owner()`: all rows of the session's owner. They go into PostgreSQL's own store, which keeps them in a file when they are many.
///
/// # Safety
/// For PostgreSQL to call, as a function of version 1 with an argument of type text, which may be NULL.
#[unsafe(no_mangle)]
#[pg_guard]
pub unsafe extern "C-unwind" fn export_owner(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: as promised by the caller.
    unsafe {
        let argument = (*call).args.as_slice(1).first().copied();
        let asked = argument.and_then(|argument| <&str>::from_datum(argument.value, argument.isnull));
        error::raised(exported(asked).and_then(|owner| export(call, owner)));
        (*call).isnull = true;
    }
    pg_sys::Datum::null()
}

version_1!(pg_finfo_export_owner);

/// # Safety
/// As [`export_owner`].
unsafe fn export(call: pg_sys::FunctionCallInfo, owner: Owner) -> Result<()> {
    // SAFETY: as promised by the caller; the tag tells what the node is. Store and descriptor live as long as the query.
    let options = unsafe {
        let info: *mut pg_sys::ReturnSetInfo = (*call).resultinfo.cast();
        let takes_store = !info.is_null()
            && (*info).type_ == pg_sys::NodeTag::T_ReturnSetInfo
            && (*info).allowedModes & pg_sys::SetFunctionReturnMode::SFRM_Materialize as i32 != 0
            && !(*info).expectedDesc.is_null();
        if !takes_store {
            return Err(error::no_place_for_rows());
        }
        let query = (*(*info).econtext).ecxt_per_query_memory;
        let before = pg_sys::MemoryContextSwitchTo(query);
        let random = (*info).allowedModes & pg_sys::SetFunctionReturnMode::SFRM_Materialize_Random as i32 != 0;
        let store = pg_sys::tuplestore_begin_heap(random, false, pg_sys::work_mem);
        (*info).returnMode = pg_sys::SetFunctionReturnMode::SFRM_Materialize;
        (*info).setResult = store;
        (*info).setDesc = pg_sys::CreateTupleDescCopy((*info).expectedDesc);
        pg_sys::MemoryContextSwitchTo(before);
        // By the snapshot of the query, so that all tables are of one moment.
        pg_sys::SPIExecuteOptions { read_only: true, dest: tuplestore_receiver(store, query), ..Default::default() }
    };
    let query = std::ffi::CString::new(format!(
        "SELECT \"position\", relation, line FROM ringfence.export_rows('{}')",
        env!("CARGO_PKG_VERSION")
    ))
    .map_err(|_| error::not_installed("function ringfence.export_rows"))?;
    role::as_definer(|| {
        session::acting_for(owner, || {
            Spi::connect(|_| {
                // SAFETY: connected to SPI; the query is NUL-terminated, and what the options point at lives as long as the query.
                let done = unsafe { pg_sys::SPI_execute_extended(query.as_ptr(), &options) };
                if done < 0 { Err(error::not_installed("function ringfence.export_rows")) } else { Ok(()) }
            })
        })
    })?
}

/// A line as the caller's relation has it.
type Line = (Option<i64>, Option<String>, Option<String>);

/// How many lines are fetched at once, and how many are loaded at once: so many, or as many as have so many bytes.
///
/// Switching triggers off and on again makes PostgreSQL plan anew all that the session has prepared. So it is not done for every few lines.
const FETCHED: i64 = 200;
const BATCH_LINES: usize = 10_000;
const BATCH_BYTES: usize = 2 << 20;

/// The lines of a relation, read in the order of their positions with the rights of the session.
struct Lines {
    cursor: String,
    /// The line that was read last. It is kept back, since the last one of all is another.
    kept: Option<Line>,
}

impl Lines {
    fn of(relation: pg_sys::Oid) -> Result<Lines> {
        let unreadable = |_| error::no_lines();
        let quoted: Option<String> = Spi::get_one_with_args(
            // A view, a policy or a type of somebody's would run that somebody's code with the rights of the administrator.
            "SELECT pg_catalog.format('%I.%I', s.nspname, c.relname) FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS s ON s.oid OPERATOR(pg_catalog.=) c.relnamespace \
              WHERE c.oid OPERATOR(pg_catalog.=) $1 AND c.relkind OPERATOR(pg_catalog.=) 'r' AND NOT c.relrowsecurity \
                AND NOT EXISTS (SELECT FROM pg_catalog.pg_attribute AS a \
                     WHERE a.attrelid OPERATOR(pg_catalog.=) c.oid AND a.attname OPERATOR(pg_catalog.=) ANY ('{position,relation,line}') \
                       AND a.atttypid OPERATOR(pg_catalog.>=) 16384::pg_catalog.oid)",
            &[relation.into()],
        )
        .map_err(unreadable)?;
        let query = format!(
            "SELECT \"position\"::pg_catalog.int8, relation::pg_catalog.text, line::pg_catalog.text FROM ONLY {} ORDER BY 1",
            quoted.ok_or_else(error::no_lines)?
        );
        let cursor = Spi::connect(|client| client.open_cursor(query.as_str(), &[]).detach_into_name());
        Ok(Lines { cursor, kept: None })
    }

    fn fetch(&self, count: i64) -> Result<Vec<Line>> {
        Spi::connect(|client| {
            let mut cursor = client.find_cursor(&self.cursor)?;
            let line = |row: SpiHeapTupleData| -> Line {
                (row.get(1).ok().flatten(), row.get(2).ok().flatten(), row.get(3).ok().flatten())
            };
            let lines = cursor.fetch(count)?.map(line).collect();
            // Dropped, it would be closed.
            let _ = cursor.detach_into_name();
            Ok::<_, pgrx::spi::Error>(lines)
        })
        .map_err(|_| error::no_lines())
    }

    /// The next lines but the last of all, which stays in `kept`. None if there are no more.
    fn next(&mut self) -> Result<Option<Vec<Line>>> {
        let mut lines: Vec<Line> = self.kept.take().into_iter().collect();
        let mut bytes = 0;
        loop {
            let fetched = self.fetch(FETCHED)?;
            if fetched.is_empty() {
                break;
            }
            bytes += fetched.iter().filter_map(|line| line.2.as_ref()).map(String::len).sum::<usize>();
            lines.extend(fetched);
            if bytes > BATCH_BYTES || lines.len() > BATCH_LINES {
                break;
            }
        }
        self.kept = lines.pop();
        Ok(if lines.is_empty() { None } else { Some(lines) })
    }

    /// The relation and text of the line that was kept back, if it is the line of that number.
    fn last(&mut self, place: i64) -> (Option<String>, Option<String>) {
        let (position, relation, text) = self.kept.take().unwrap_or_default();
        (relation.filter(|_| position == Some(place)), text)
    }

    fn close(self) -> Result<()> {
        Spi::connect(|client| client.find_cursor(&self.cursor).map(drop)).map_err(|_| error::no_lines())
    }
}

/// Runs `work` without the triggers of tables, but those that always run, and without foreign keys.
fn without_triggers<T>(work: impl FnOnce() -> T) -> T {
    // SAFETY: sets a setting until the level ends. If an error of PostgreSQL's comes between, the level ends with the transaction.
    unsafe {
        let level = pg_sys::NewGUCNestLevel();
        pg_sys::set_config_option(
            c"session_replication_role".as_ptr(),
            c"replica".as_ptr(),
            pg_sys::GucContext::PGC_SUSET,
            pg_sys::GucSource::PGC_S_SESSION,
            pg_sys::GucAction::GUC_ACTION_SAVE,
            true,
            0,
            false,
        );
        let done = work();
        pg_sys::AtEOXact_GUC(true, level);
        done
    }
}

/// Runs `work`, and frees what PostgreSQL has allocated for it: what is loaded in many batches takes the memory of one.
fn in_own_memory<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    let mut memory = PgMemoryContexts::new("a batch of lines");
    // SAFETY: what is returned is Rust's own, and nothing of it is in this memory.
    unsafe { memory.switch_to(|_| work()) }
}

/// Reads the first line: of which owner the export is, under which name it is loaded, and the checksum.
fn begin(line: &Line, new_name: Option<&str>) -> Result<(Owner, String)> {
    let arguments: [DatumWithOid; 4] =
        [line.1.clone().into(), line.2.clone().into(), env!("CARGO_PKG_VERSION").into(), new_name.into()];
    let read = role::as_definer(|| {
        Spi::connect(|client| {
            let query = "SELECT id, name, checksum, country FROM ringfence.load_first_line($1, $2, $3, $4)";
            let row = client.select(query, Some(1), &arguments)?.first();
            Ok::<_, pgrx::spi::Error>((
                row.get::<Uuid>(1)?,
                row.get::<String>(2)?,
                row.get::<String>(3)?,
                row.get::<String>(4)?,
            ))
        })
    })?
    .map_err(|_| error::not_installed("function ringfence.load_first_line"))?;
    let (Some(id), Some(name), Some(checksum), country) = read else {
        return Err(error::no_lines());
    };
    name::require_name(&name)?;
    if let Some(country) = country.as_deref().filter(|country| !contact::is_country(country)) {
        return Err(error::unknown_country(country));
    }
    Ok((Owner { id, name, enabled: true, is_purged: false, country }, checksum))
}

/// Runs a part of room life for the owner that is loaded, without triggers, and returns its one answer.
fn load(owner: &Owner, query: &str, arguments: &[DatumWithOid]) -> Result<Option<String>> {
    let read = |row: &SpiHeapTupleData| Some(row.get::<String>(1).ok()?.unwrap_or_default());
    without_triggers(|| closed::loading(|| ask(owner, query, arguments, read))).map(|mut rows| rows.pop())
}

/// Loads all lines between the first and the last. Returns the number of the last, and the checksum of the one before.
fn load_rows(owner: &Owner, lines: &mut Lines, mut checksum: String) -> Result<(i64, String)> {
    let mut place: i64 = 2;
    while let Some((count, last)) = in_own_memory(|| {
        let Some(batch) = line::telling_of(None, || lines.next())? else {
            return Ok(None);
        };
        let count = batch.len() as i64;
        let (positions, (relations, texts)): (Vec<_>, (Vec<_>, Vec<_>)) =
            batch.into_iter().map(|(position, relation, text)| (position, (relation, text))).unzip();
        let arguments: [DatumWithOid; 5] =
            [place.into(), positions.into(), relations.into(), texts.into(), checksum.as_str().into()];
        let query = "SELECT ringfence.load_lines($1, $2, $3, $4, $5)";
        let last = line::telling_of(Some(place), || load(owner, query, &arguments))?;
        Ok(Some((count, last.unwrap_or_default())))
    })? {
        checksum = last;
        place += count;
    }
    Ok((place, checksum))
}

/// Looks at all that was loaded, and makes the report views.
fn finish(owner: &Owner) -> Result<()> {
    let house = owner::by_id(Uuid::from_bytes(owner::HOUSE))?.ok_or_else(|| error::not_installed("the house owner"))?;
    let expected =
        ask(&house, "SELECT ringfence.system_rows()::pg_catalog.text", &[], |row| row.get::<String>(1).ok()?)?.pop();
    ask(owner, "SELECT ringfence.check_loaded_rows($1::pg_catalog.jsonb)", &[expected.into()], |_| Some(()))?;
    ask(owner, "SELECT ringfence.finish_load()", &[], |_| Some(()))?;
    Ok(())
}

/// `ringfence.load_owner()`.
///
/// Errors: 42501 not for `ringfence_admin`; 22P04 a line is damaged, missing, moved, of another version, or not what the extension would have
/// written; 23505 an id or a name is taken; 42P07 the name of a report view is; 23503 a row refers to one that is not there; 54000 too many owners.
#[pg_extern(sql = false)]
fn load_owner(
    lines: Option<pg_sys::Oid>,
    new_name: Option<&str>,
) -> Result<TableIterator<'static, (name!(relation, String), name!(rows, i64))>, ErrorReport> {
    administers()?;
    require_writing(c"load_owner()");
    let mut lines = Lines::of(lines.ok_or_else(|| error::missing_argument("lines"))?)?;
    let first = line::telling_of(None, || lines.fetch(1))?.pop().unwrap_or_default();
    let (owner, checksum) = line::telling_of(Some(1), || begin(&first, new_name))?;
    if owner::by_id(owner.id)?.is_some() {
        return Err(error::owner_is_there().into());
    }
    role::as_definer(|| require_room(owner.id))??;
    let query = "SELECT ringfence.load_owner_row($1::pg_catalog.jsonb, $2)::pg_catalog.text";
    line::telling_of(Some(1), || load(&owner, query, &[first.2.into(), owner.name.as_str().into()]))?;
    let (place, checksum) = load_rows(&owner, &mut lines, checksum)?;
    let (relation, text) = lines.last(place);
    lines.close()?;
    let arguments: [DatumWithOid; 4] = [place.into(), relation.into(), text.into(), checksum.into()];
    let query = "SELECT ringfence.load_last_line($1, $2, $3, $4)";
    line::telling_of(Some(place), || ask(&owner, query, &arguments, |_| Some(())))?;
    line::telling_of(None, || finish(&owner))?;
    let mut loaded = ask(&owner, COUNT, &[], decode_count)?;
    loaded.push((super::OWNER.to_owned(), 1));
    Ok(TableIterator::new(loaded))
}

/// `ringfence.works_for_another()`: whether a role has access to another owner than the one that the extension is at work for.
#[pg_extern(sql = false)]
fn works_for_another(role: pg_sys::Oid) -> Result<bool, ErrorReport> {
    let own = session::context()?.owner.id;
    Ok(grant::held(role)?.iter().any(|held| held.owner != own))
}

/// `ringfence.is_project_of_another()`: whether another owner than the one that the extension is at work for has a project with that id.
#[pg_extern(sql = false)]
fn is_project_of_another(project: Uuid) -> Result<bool, ErrorReport> {
    let own = session::context()?.owner.id;
    let columns = [c"owner_id", c"id"];
    let is_taken = |row: &Row| (row.get(0) != Some(own) && row.get(1) == Some(project)).then_some(());
    Ok(!catalog::read(Source::Project, &columns, Rows::All, is_taken)?.is_empty())
}
