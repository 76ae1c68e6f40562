//! Channels: which owner an address belongs to. `route()` answers before any owner is selected, so it reads the tables as `session`
//! does, and tells nothing but what an address that it is given leads to.

// Of `route_fast()` alone: see `pg`.
#![allow(ffi_unwind_calls)]

mod address;
mod sql;

use crate::catalog::{self, Row, Rows, Source};
use crate::error::{self, Result};
use crate::owner::{self, Owner};
use crate::pg::{self, MICROSECONDS_OF_A_SECOND, is_plain, unguarded, version_1};
use crate::{project, role};
use address::{KINDS, Kind, is_of_all_countries};
use pgrx::datum::Uuid;
use pgrx::prelude::*;
use pgrx::varlena::varlena_to_byte_slice;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap};
use std::ffi::CStr;
use std::slice;

struct Channel {
    owner: Uuid,
    id: Uuid,
    project: Option<Uuid>,
    enabled: bool,
}

const COLUMNS: [&CStr; 4] = [c"owner_id", c"id", c"project_id", c"enabled"];

fn decode(row: &Row) -> Option<Channel> {
    Some(Channel { owner: row.get(0)?, id: row.get(1)?, project: row.get(2), enabled: row.get(3)? })
}

/// The channel with an address in its normal form.
fn with_form(kind: Kind, form: &str) -> Result<Option<Channel>> {
    let rows = Rows::OfAddress { address: form, kind: kind.name() };
    Ok(catalog::read(Source::Channel, &COLUMNS, rows, decode)?.pop())
}

/// The channels that an address may mean, each with its owner. A phone number without the code of its country means another one for the owners
/// of each country.
fn meant(kind: Kind, address: &str) -> Result<Vec<(Channel, Owner)>> {
    let of_owner = |channel: Channel| -> Result<Option<(Channel, Owner)>> {
        Ok(owner::by_id(channel.owner)?.map(|owner| (channel, owner)))
    };
    // Forms that no channel has. The same number is read several times, and its form looked up once.
    let mut missing: Vec<String> = Vec::new();
    let mut look_up = |form: &str| -> Result<Option<Channel>> {
        if missing.iter().any(|known| known == form) {
            return Ok(None);
        }
        let found = with_form(kind, form)?;
        if found.is_none() {
            missing.push(form.to_owned());
        }
        Ok(found)
    };
    // As a switch writes it: the form itself, which need not be read.
    if kind == Kind::Phone
        && address.len() <= MAX_REMEMBERED_BYTES
        && is_of_all_countries(address)
        && let Some(channel) = look_up(address)?
    {
        return Ok(of_owner(channel)?.into_iter().collect());
    }
    for form in kind.forms_to_find(address, None) {
        if (kind != Kind::Phone || is_of_all_countries(&form))
            && let Some(channel) = look_up(&form)?
        {
            return Ok(of_owner(channel)?.into_iter().collect());
        }
    }
    let mut meant: Vec<(Channel, Owner)> = Vec::new();
    if kind != Kind::Phone {
        return Ok(meant);
    }
    for country in countries()? {
        let Some(form) = kind.form(address, country.as_deref()) else {
            continue;
        };
        if let Some(found) = look_up(&form)?.map(of_owner).transpose()?.flatten()
            && found.1.country == country
            && meant.iter().all(|(channel, _)| channel.id != found.0.id)
        {
            meant.push(found);
        }
    }
    Ok(meant)
}

/// The countries of the owners that have phone channels, or None among them for an owner without one.
fn countries() -> Result<BTreeSet<Option<String>>> {
    if let Some(known) = COUNTRIES.with_borrow(Clone::clone) {
        return Ok(known);
    }
    let columns: [&CStr; 2] = [c"owner_id", c"kind"];
    let mut owners = catalog::read(Source::Channel, &columns, Rows::All, |row| {
        let is_phone = row.get::<&str>(1)? == Kind::Phone.name();
        row.get::<Uuid>(0).filter(|_| is_phone)
    })?;
    owners.sort_unstable();
    owners.dedup();
    let countries: BTreeSet<_> = owner::by_ids(&owners)?.into_iter().map(|owner| owner.country).collect();
    COUNTRIES.set(Some(countries.clone()));
    Ok(countries)
}

/// Addresses of each kind that are remembered. A router asks for the same ones again and again.
const REMEMBERED: usize = 10_000;

/// Longer addresses are not remembered.
const MAX_REMEMBERED_BYTES: usize = 256;

thread_local! {
    static STALE: Cell<bool> = const { Cell::new(true) };
    /// For each kind the rows that addresses lead to, as they are written and as PostgreSQL takes them.
    static ROUTES: RefCell<[HashMap<Box<[u8]>, Box<[u8]>>; KINDS]> = RefCell::default();
    static COUNTRIES: RefCell<Option<BTreeSet<Option<String>>>> = const { RefCell::new(None) };
    /// When an unknown address was last logged, and how many were not since.
    static LOGGED: Cell<(pg_sys::TimestampTz, u64)> = const { Cell::new((pg_sys::TimestampTz::MIN, 0)) };
    /// What a row of `route()` has in it.
    static DESCRIPTOR: Cell<pg_sys::TupleDesc> = const { Cell::new(std::ptr::null_mut()) };
}

/// A relation has changed; InvalidOid stands for all. For callbacks: sets a flag.
pub fn relation_changed(relation: pg_sys::Oid) {
    if relation == pg_sys::InvalidOid || catalog::was_read(relation) {
        STALE.set(true);
    }
}

/// `ringfence.route()`: where nothing has changed since an address was looked up, its row is given at once. A plain frame with nothing to
/// drop: see `pg`.
///
/// # Safety
/// For PostgreSQL to call, as a function of version 1 with two arguments of type text, of which either may be NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn route_fast(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: as promised by the caller. Nothing of PostgreSQL's is called while what is remembered is borrowed, nor between that and
    // the copy but an allocation, as large as what is copied into it.
    unsafe {
        unguarded::AcceptInvalidationMessages();
        match remembered(call) {
            Some((row, length)) => {
                let result = unguarded::palloc(length).cast::<u8>();
                result.copy_from_nonoverlapping(row, length);
                result.into()
            }
            None => route_by_tables(call),
        }
    }
}

version_1!(pg_finfo_route_fast);

/// The row of an address that is remembered. It calls nothing of PostgreSQL's.
///
/// # Safety
/// As [`route_fast`]. What is returned is good until the next look-up.
unsafe fn remembered(call: pg_sys::FunctionCallInfo) -> Option<(*const u8, usize)> {
    // SAFETY: as promised by the caller; arguments that are not NULL are texts.
    unsafe {
        let [kind, address] = (*call).args.as_slice(2) else {
            return None;
        };
        let text = |argument: &pg_sys::NullableDatum| {
            let value: *const pg_sys::varlena = argument.value.cast_mut_ptr();
            (!argument.isnull && is_plain(value)).then(|| varlena_to_byte_slice(value))
        };
        if STALE.get() || !returns_rows(call) {
            return None;
        }
        let kind = Kind::named(text(kind)?)?;
        ROUTES.with(|routes| {
            let routes = routes.try_borrow().ok()?;
            let row = routes.get(kind as usize)?.get(text(address)?)?;
            Some((row.as_ptr(), row.len()))
        })
    }
}

/// Whether the caller takes rows. One call answers: a row that is marked as the only one ends the set.
///
/// # Safety
/// As [`route_fast`].
unsafe fn returns_rows(call: pg_sys::FunctionCallInfo) -> bool {
    // SAFETY: as promised by the caller; the tag tells what the node is.
    unsafe {
        let node = (*call).resultinfo;
        !node.is_null() && (*node).type_ == pg_sys::NodeTag::T_ReturnSetInfo
    }
}

/// # Safety
/// As [`route_fast`].
#[pg_guard]
unsafe extern "C-unwind" fn route_by_tables(call: pg_sys::FunctionCallInfo) -> pg_sys::Datum {
    // SAFETY: as promised by the caller; the result is marked as the end of the set where there is no row.
    unsafe {
        let row = error::raised(if returns_rows(call) {
            let [kind, address] = [0, 1].map(|n| {
                (*call).args.as_slice(2).get(n).and_then(|argument| <&str>::from_datum(argument.value, argument.isnull))
            });
            row_of(kind, address)
        } else {
            Err(error::no_place_for_rows())
        });
        match row {
            Some(row) => {
                let result = pg_sys::palloc(row.len()).cast::<u8>();
                result.copy_from_nonoverlapping(row.as_ptr(), row.len());
                result.into()
            }
            None => {
                (*(*call).resultinfo.cast::<pg_sys::ReturnSetInfo>()).isDone = pg_sys::ExprDoneCond::ExprEndResult;
                (*call).isnull = true;
                pg_sys::Datum::null()
            }
        }
    }
}

/// The row of an address, remembered from here on.
fn row_of(kind: Option<&str>, address: Option<&str>) -> Result<Option<Box<[u8]>>> {
    let kind = kind.ok_or_else(|| error::missing_argument("kind"))?;
    let kind = Kind::named(kind.as_bytes()).ok_or_else(|| error::unknown_channel_kind(kind))?;
    let Some(address) = address else {
        return Ok(None);
    };
    if STALE.get() {
        catalog::compare_versions()?;
        // Before reading on: what changes meanwhile makes it stale again.
        STALE.set(false);
        ROUTES.with_borrow_mut(|routes| routes.iter_mut().for_each(HashMap::clear));
        COUNTRIES.set(None);
    }
    let Some(row) = led_to(kind, address)? else {
        log_unknown(kind, address);
        return Ok(None);
    };
    if address.len() <= MAX_REMEMBERED_BYTES {
        ROUTES.with_borrow_mut(|routes| {
            if let Some(known) = routes.get_mut(kind as usize) {
                if known.len() >= REMEMBERED {
                    known.clear();
                }
                known.insert(address.as_bytes().into(), row.clone());
            }
        });
    }
    Ok(Some(row))
}

/// The one owner, and project, that are enabled and that an enabled channel with the address leads to.
fn led_to(kind: Kind, address: &str) -> Result<Option<Box<[u8]>>> {
    let mut found = Vec::new();
    for (channel, owner) in meant(kind, address)? {
        if !channel.enabled || !owner.enabled {
            continue;
        }
        let project = match channel.project {
            Some(id) => match project::of_owner(owner.id)?.into_iter().find(|project| project.id == id) {
                Some(project) if project.enabled => Some(project),
                _ => continue,
            },
            None => None,
        };
        found.push((owner, channel.id, project));
    }
    match <[_; 1]>::try_from(found) {
        Ok([(owner, channel, project)]) => Ok(Some(row(&owner, channel, project.as_ref()))),
        Err(_) => Ok(None),
    }
}

/// A row as PostgreSQL takes it: a value of a composite type.
fn row(owner: &Owner, channel: Uuid, project: Option<&project::Project>) -> Box<[u8]> {
    let mut values = [
        owner.id.into_datum(),
        owner.name.as_str().into_datum(),
        channel.into_datum(),
        project.map(|project| project.id).into_datum(),
        project.map(|project| project.name.as_str()).into_datum(),
    ]
    .map(|value| (value.unwrap_or(pg_sys::Datum::null()), value.is_none()));
    let mut nulls = values.map(|(_, null)| null);
    let mut values = values.each_mut().map(|(value, _)| *value);
    // SAFETY: as many values as the descriptor has columns, of their types. The tuple has its length in it.
    unsafe {
        let tuple = pg_sys::heap_form_tuple(descriptor(), values.as_mut_ptr(), nulls.as_mut_ptr());
        slice::from_raw_parts((*tuple).t_data.cast::<u8>(), (*tuple).t_len as usize).into()
    }
}

/// Made once in a backend, where nothing frees it, and known to PostgreSQL by a number that rows have in them.
fn descriptor() -> pg_sys::TupleDesc {
    if DESCRIPTOR.get().is_null() {
        let columns = [
            (c"owner_id", pg_sys::UUIDOID),
            (c"owner_name", pg_sys::TEXTOID),
            (c"channel_id", pg_sys::UUIDOID),
            (c"project_id", pg_sys::UUIDOID),
            (c"project_name", pg_sys::TEXTOID),
        ];
        // SAFETY: as many columns are set as there is room for; names are NUL-terminated, and copied.
        unsafe {
            let before = pg_sys::MemoryContextSwitchTo(pg_sys::TopMemoryContext);
            let made = pg_sys::CreateTemplateTupleDesc(columns.len() as _);
            for (n, (name, kind)) in columns.into_iter().enumerate() {
                pg_sys::TupleDescInitEntry(made, n as pg_sys::AttrNumber + 1, name.as_ptr(), kind, -1, 0);
            }
            DESCRIPTOR.set(pg_sys::BlessTupleDesc(made));
            pg_sys::MemoryContextSwitchTo(before);
        }
    }
    DESCRIPTOR.get()
}

/// At most one line a second in a session: what the others were is not told, only how many.
fn log_unknown(kind: Kind, address: &str) {
    let (last, not_logged) = LOGGED.get();
    let now = pg::now();
    if now.saturating_sub(last) < MICROSECONDS_OF_A_SECOND {
        LOGGED.set((last, not_logged + 1));
        return;
    }
    LOGGED.set((now, 0));
    error::log_unknown_address(&role::own_name(), kind.name(), address, not_logged);
}
