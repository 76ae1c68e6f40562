//! The functions of `sql/owner.sql`.

use crate::access::owners;
use crate::error::{self, ErrorReport, Result};
use crate::owner::limit::max_owners;
use crate::owner::{self, Owner, closed};
use crate::pg::version_1;
use crate::{catalog, contact, name, role, session};
use pgrx::datum::Uuid;
use pgrx::heap_tuple::PgHeapTuple;
use pgrx::{AllocatedByPostgres, PgTrigger, pg_extern, pg_guard, pg_sys, pg_trigger, spi::Spi};
use std::convert::Infallible;

type Tuple<'a> = PgHeapTuple<'a, AllocatedByPostgres>;

/// The row that a trigger of table `owner` was fired for. Error 22023 for an invalid name or
/// country, before either is copied.
fn new_row<'a>(trigger: &'a PgTrigger<'a>) -> Result<(Tuple<'a>, Owner)> {
    let missing = |_| error::wrong_trigger("it is for rows of table owner");
    let new = trigger.new().ok_or_else(|| error::wrong_trigger("it is for rows of table owner"))?;
    // The constraints of the table refuse NULL.
    let own_name: &str = new.get_by_name("name").map_err(missing)?.unwrap_or_default();
    let country: Option<&str> = new.get_by_name("country").map_err(missing)?;
    if !own_name.is_empty() {
        name::require_name(own_name)?;
    }
    if let Some(country) = country
        && !contact::is_country(country)
    {
        return Err(error::unknown_country(country));
    }
    let owner = Owner {
        id: new.get_by_name("id").map_err(missing)?.ok_or_else(|| error::missing_argument("id"))?,
        name: own_name.to_owned(),
        is_purged: false,
        enabled: new.get_by_name("enabled").map_err(missing)?.unwrap_or_default(),
        country: country.map(str::to_owned),
    };
    Ok((new, owner))
}

/// `ringfence.owners_in_reach()`: the enabled owners that the session's role has access to, or all
/// owners for `ringfence_admin`.
///
/// # Safety
/// For PostgreSQL to call, as a function of version 1 without arguments.
#[unsafe(no_mangle)]
#[pg_guard]
pub unsafe extern "C-unwind" fn owners_in_reach(_call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    array_of(&error::raised(catalog::require_own_version().and_then(|()| session::owners_in_reach())))
}

version_1!(pg_finfo_owners_in_reach);

/// A value of type uuid[]. A role may have thousands of owners, so it is made in one go: all ids
/// have the same length, and none is NULL.
fn array_of(ids: &[Uuid]) -> pg_sys::Datum {
    const HEADER: usize = size_of::<pg_sys::ArrayType>() + 2 * size_of::<i32>();
    const ID: usize = size_of::<Uuid>();
    // SAFETY: exactly the allocated bytes are written: a header for one dimension whose first index
    // is 1, then the elements. Both are aligned as their types demand: the header to 8 bytes, ids
    // not at all.
    unsafe {
        if ids.is_empty() {
            return pg_sys::construct_empty_array(pg_sys::UUIDOID).into();
        }
        let size = HEADER + ids.len() * ID;
        let array: *mut pg_sys::ArrayType = pg_sys::palloc0(size).cast();
        pgrx::set_varsize_4b(array.cast(), size as i32);
        (*array).ndim = 1;
        (*array).elemtype = pg_sys::UUIDOID;
        let bounds: *mut i32 = array.add(1).cast();
        bounds.write(ids.len() as i32);
        bounds.add(1).write(1);
        let mut place = array.cast::<u8>().add(HEADER);
        for id in ids {
            place.copy_from_nonoverlapping(id.as_bytes().as_ptr(), ID);
            place = place.add(ID);
        }
        array.into()
    }
}

/// Whether the session's role has the privileges of `ringfence_admin`.
#[pg_extern(sql = false)]
fn is_admin() -> Result<bool, ErrorReport> {
    catalog::require_own_version()?;
    Ok(role::is_admin() || closed::is_loading() || closed::is_deleting())
}

/// Error 54000 if there are `ringfence.max_owners` owners without this one. For the definer.
pub fn require_room(owner: Uuid) -> Result<()> {
    let Some(limit) = max_owners().filter(|_| !owner::is_house(owner)) else {
        return Ok(());
    };
    // Sessions count one after the other. If two counted at once, both would see room for one more.
    Spi::run("LOCK TABLE ringfence.owner IN SHARE UPDATE EXCLUSIVE MODE").map_err(|_| error::too_many_owners(limit))?;
    if owner::all_ids()?.iter().filter(|id| !owner::is_house(**id)).count() >= limit as usize {
        return Err(error::too_many_owners(limit));
    }
    Ok(())
}

/// Before an owner is inserted or its country changes: error 22023 for an invalid name or an
/// unknown country, 54000 if `ringfence.max_owners` is reached.
#[pg_trigger(sql = false)]
fn check_owner<'a>(trigger: &'a PgTrigger<'a>) -> Result<Option<Tuple<'a>>, Infallible> {
    Ok(error::raised((|| {
        let (new, owner) = new_row(trigger)?;
        if trigger.event().fired_by_insert() {
            require_room(owner.id)?;
        }
        if trigger.event().fired_by_insert() {
            owners::begin(owner.id);
        }
        Ok(Some(new))
    })()))
}

/// After a row of `owner` is inserted or updated: runs the SQL function that the trigger names,
/// acting for that owner. This is how a room provisions its part of a new owner.
///
/// It does nothing in a session with `row_security = off`: pg_dump's scripts restore with that
/// setting, and they bring the rows.
#[pg_trigger(sql = false)]
fn as_owner<'a>(trigger: &'a PgTrigger<'a>) -> Result<Option<Tuple<'a>>, Infallible> {
    Ok(error::raised((|| {
        let (new, owner) = new_row(trigger)?;
        // A user could attach this trigger to a table of their own, and would then act for any
        // owner.
        catalog::require_trigger_on(c"owner", trigger, "as_owner is for table ringfence.owner")?;
        if restoring() {
            return Ok(Some(new));
        }
        let arguments = trigger.extra_args().map_err(|_| error::wrong_trigger("as_owner takes a function name"))?;
        let [function] = &arguments[..] else {
            return Err(error::wrong_trigger("as_owner takes a function name"));
        };
        let call =
            format!("SELECT {}.{}()", pgrx::spi::quote_identifier("ringfence"), pgrx::spi::quote_identifier(function));
        session::acting_for(owner, || Spi::run(&call))
            .map_err(|_| error::wrong_trigger("as_owner could not run its function"))?;
        Ok(Some(new))
    })()))
}

/// Whether this session restores a dump.
fn restoring() -> bool {
    // SAFETY: reads a variable of the backend.
    unsafe { !pg_sys::row_security }
}

/// `ringfence.close_owner()`: for a DELETE of an owner that has nothing but what came with it.
#[pg_extern(sql = false)]
fn close_owner(owner: Uuid) {
    closed::close(owner);
}
