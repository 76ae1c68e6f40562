//! The two SQL types of the search index, both opaque: no role can write a value of them by hand,
//! nor read one.
//!
//! `ringfence.search_keys`: the keys of one customer. It exists between the key function and the
//! index, and is stored nowhere else.
//!
//! `ringfence.search_query`: what to look for. Only `ringfence.query()` makes one, for the owner of
//! the session and for the fields that the session sees. A table may keep a value, and so may a
//! session whose rights change. So a value names its owner and fields. It finds nothing in a
//! session that could not make it ([`Probe::is_allowed`]).

use super::expression::{Expression, Unit, Visit, visit};
use super::place::Place;
use crate::error::{self, ErrorReport, Result};
use crate::field::VisibleField;
use crate::rights::Rights;
use crate::session::{self, Context};
use pgrx::callconv::{Arg, ArgAbi, BoxRet, FcInfo};
use pgrx::pgrx_sql_entity_graph::metadata::{
    ArgumentError, ReturnsError, ReturnsRef, SqlMappingRef, SqlTranslatable, TypeOrigin,
};
use pgrx::{FromDatum, pg_extern, pg_sys};
use std::cell::RefCell;
use std::ffi::{CStr, CString};
use std::rc::Rc;

/// Bytes in a varlena that lives in the memory context of the function call.
struct Stored(*mut pg_sys::varlena);

impl Stored {
    fn empty() -> Stored {
        Stored(std::ptr::null_mut())
    }

    fn new(bytes: &[u8]) -> Stored {
        Stored::of(bytes.len(), |content| content.copy_from_slice(bytes))
    }

    /// So many bytes, written by `fill`.
    fn of(length: usize, fill: impl FnOnce(&mut [u8])) -> Stored {
        // SAFETY: palloc0 gives room for header and content (or raises an error), which are filled
        // with zeros.
        unsafe {
            let size = length + pg_sys::VARHDRSZ;
            let stored: *mut pg_sys::varlena = pg_sys::palloc0(size).cast();
            pgrx::set_varsize_4b(stored, size as i32);
            fill(std::slice::from_raw_parts_mut(stored.cast::<u8>().add(pg_sys::VARHDRSZ), length));
            Stored(stored)
        }
    }

    fn bytes(&self) -> &[u8] {
        // SAFETY: a detoasted varlena that outlives the borrow; a null pointer stands for no bytes.
        if self.0.is_null() { &[] } else { unsafe { pgrx::varlena_to_byte_slice(self.0) } }
    }
}

/// A value of type `ringfence.search_keys`: sorted, each once.
pub struct SearchKeys(Stored);

impl SearchKeys {
    pub fn new(keys: &[i64]) -> SearchKeys {
        SearchKeys(Stored::of(size_of_val(keys), |content| {
            content.as_chunks_mut().0.iter_mut().zip(keys).for_each(|(place, key)| *place = key.to_le_bytes());
        }))
    }

    pub fn iter(&self) -> impl Iterator<Item = i64> {
        numbers(self.0.bytes())
    }

    pub fn contains(&self, key: i64) -> bool {
        let (keys, _) = self.0.bytes().as_chunks::<8>();
        keys.binary_search_by_key(&key, |bytes| i64::from_le_bytes(*bytes)).is_ok()
    }

    /// Whether there is a key from the first to the last.
    fn has_any(&self, first: i64, last: i64) -> bool {
        let (keys, _) = self.0.bytes().as_chunks::<8>();
        let from = keys.partition_point(|bytes| i64::from_le_bytes(*bytes) < first);
        keys.get(from).is_some_and(|bytes| i64::from_le_bytes(*bytes) <= last)
    }
}

fn numbers(bytes: &[u8]) -> impl Iterator<Item = i64> {
    bytes.as_chunks::<8>().0.iter().map(|bytes| i64::from_le_bytes(*bytes))
}

/// A value of type `ringfence.search_query`.
///
/// It has four parts, each after the number of its items:
/// - bytes of the authority: the owner's id, and the storage keys of the custom fields, 22 bytes
///   each;
/// - the keys;
/// - the code over the keys;
/// - places, if the index was already asked. They are good for the snapshot under which they were
///   found.
pub struct Probe(Stored);

struct Content<'a> {
    authority: &'a [u8],
    keys: &'a [u8],
    code: &'a [u8],
    places: &'a [u8],
}

/// The bytes of a storage key.
const FIELD_BYTES: usize = 22;

thread_local! {
    /// The last verdict, with its context and authority.
    static LAST_VERDICT: RefCell<Option<(Rc<Context>, Vec<u8>, bool)>> = const { RefCell::new(None) };
}

impl Probe {
    pub fn new<'a>(owner: &[u8; 16], fields: impl Iterator<Item = &'a VisibleField>, expression: &Expression) -> Probe {
        let mut authority = owner.to_vec();
        authority.extend(fields.flat_map(|field| field.key.bytes()));
        let mut bytes = (authority.len() as u32).to_le_bytes().to_vec();
        bytes.extend(authority);
        bytes.extend((expression.keys.len() as u32).to_le_bytes());
        bytes.extend(expression.keys.iter().flat_map(|key| key.to_le_bytes()));
        bytes.extend((expression.code.len() as u32).to_le_bytes());
        bytes.extend(expression.code.iter().flatten());
        bytes.extend([0; 4]);
        Probe(Stored::new(&bytes))
    }

    /// The same probe, with the places that it finds, and no others. They save asking the index
    /// again. A plan without the index evaluates the expression, and must find the same customers.
    pub fn with_places(&self, places: &[Place]) -> Probe {
        let mut bytes = self.0.bytes().to_vec();
        bytes.truncate(bytes.len().saturating_sub(4));
        bytes.extend((places.len() as u32).to_le_bytes());
        bytes.extend(places.iter().flat_map(|place| place.to_le_bytes()));
        Probe(Stored::new(&bytes))
    }

    /// The value for PostgreSQL. It lives in the memory context in which it was made.
    pub fn datum(&self) -> pg_sys::Datum {
        self.0.0.into()
    }

    fn content(&self) -> Option<Content<'_>> {
        let (authority, rest) = counted(self.0.bytes(), 1)?;
        let (keys, rest) = counted(rest, 8)?;
        let (code, rest) = counted(rest, size_of::<Unit>())?;
        let (places, _) = counted(rest, size_of::<Place>())?;
        Some(Content { authority, keys, code, places })
    }

    /// The owner whose customers it looks for.
    pub fn owner(&self) -> Option<[u8; 16]> {
        self.content()?.authority.first_chunk().copied()
    }

    /// The places that it finds, if they are known.
    pub fn places(&self) -> Option<Vec<Place>> {
        let places = self.content()?.places.as_chunks().0;
        (!places.is_empty()).then(|| places.iter().map(|bytes| Place::from_le_bytes(*bytes)).collect())
    }

    /// Visits its expression.
    pub fn visit<V: Visit>(&self, visitor: &mut V) -> Result<V::Node, V::Error> {
        let Some(content) = self.content() else {
            return Ok(V::any(Vec::new()));
        };
        let keys = content.keys.as_chunks().0;
        visit(content.code.as_chunks().0, &|n| keys.get(n).map(|key| i64::from_le_bytes(*key)), visitor)
    }

    /// Whether the session could make it now: it works for that owner, may read its customers, and
    /// sees those fields. It never raises an error: if the session may do nothing at all, the wall
    /// raises one, and this returns false.
    pub fn is_allowed(&self) -> bool {
        let (Some(Content { authority, .. }), Some(context)) = (self.content(), session::context_if_entitled()) else {
            return false;
        };
        let known = LAST_VERDICT.with_borrow(|last| {
            last.as_ref()
                .filter(|(known, by, _)| Rc::ptr_eq(known, &context) && by == authority)
                .map(|(_, _, verdict)| *verdict)
        });
        known.unwrap_or_else(|| {
            let verdict = may_make(&context, authority);
            LAST_VERDICT.replace(Some((context, authority.to_vec(), verdict)));
            verdict
        })
    }

    /// Whether it finds the customer with these keys.
    pub fn finds(&self, keys: &SearchKeys) -> bool {
        match self.visit(&mut Held(keys)) {
            Ok(found) => found,
        }
    }
}

/// Evaluates an expression for the customer with these keys.
struct Held<'a>(&'a SearchKeys);

impl Visit for Held<'_> {
    type Node = bool;
    type Error = std::convert::Infallible;

    fn key(&mut self, key: i64) -> Result<bool, Self::Error> {
        Ok(self.0.contains(key))
    }

    fn range(&mut self, first: i64, last: i64) -> Result<bool, Self::Error> {
        Ok(self.0.has_any(first, last))
    }

    fn is_nothing(found: &bool) -> bool {
        !found
    }

    fn all(_: Vec<bool>) -> bool {
        true
    }

    fn any(found: Vec<bool>) -> bool {
        !found.is_empty()
    }
}

/// Whether a session with that context could make a probe with that authority.
fn may_make(context: &Context, authority: &[u8]) -> bool {
    let Some((owner, fields)) = authority.split_first_chunk::<16>() else {
        return false;
    };
    if context.owner.id.as_ref() != owner || !context.rights.contains(Rights::CUSTOMER_READ) {
        return false;
    }
    let Ok(visible) = context.fields() else {
        return false;
    };
    fields.chunks(FIELD_BYTES).all(|field| visible.searchable().any(|visible| visible.key.as_bytes() == field))
}

/// Reads a count and that number of items of `width` bytes. Returns the items and the rest.
fn counted(bytes: &[u8], width: usize) -> Option<(&[u8], &[u8])> {
    let (count, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked((u32::from_le_bytes(*count) as usize).checked_mul(width)?)
}

/// The input function. Error 22023: nobody writes a value by hand.
#[pg_extern(sql = false)]
fn search_keys_in(_text: &CStr) -> Result<SearchKeys, ErrorReport> {
    Err(error::opaque_value("ringfence.search_keys").into())
}

/// See [`search_keys_in`].
#[pg_extern(sql = false)]
fn search_query_in(_text: &CStr) -> Result<Probe, ErrorReport> {
    Err(error::opaque_value("ringfence.search_query").into())
}

/// The output function. It tells nothing of the value.
#[pg_extern(sql = false)]
fn search_keys_out(_keys: SearchKeys) -> CString {
    c"(keys)".to_owned()
}

/// See [`search_keys_out`].
#[pg_extern(sql = false)]
fn search_query_out(_query: Probe) -> CString {
    c"(query)".to_owned()
}

/// Makes a type an argument and a result of SQL functions.
macro_rules! sql_type {
    ($name:ident, $sql:literal) => {
        // SAFETY: unboxes a non-null datum of the type; functions that take it are declared STRICT.
        unsafe impl<'fcx> ArgAbi<'fcx> for $name {
            unsafe fn unbox_arg_unchecked(arg: Arg<'_, 'fcx>) -> Self {
                // SAFETY: the SQL declaration names the type.
                unsafe { arg.unbox_arg_using_from_datum::<$name>().unwrap_or($name(Stored::empty())) }
            }
        }

        impl FromDatum for $name {
            unsafe fn from_polymorphic_datum(datum: pg_sys::Datum, is_null: bool, _type: pg_sys::Oid) -> Option<Self> {
                // SAFETY: a datum of the type is a varlena.
                if is_null {
                    None
                } else {
                    Some($name(Stored(unsafe { pg_sys::pg_detoast_datum_packed(datum.cast_mut_ptr()) })))
                }
            }
        }

        // SAFETY: returns a pointer to a palloc'd varlena.
        unsafe impl BoxRet for $name {
            unsafe fn box_into<'fcx>(self, fcinfo: &mut FcInfo<'fcx>) -> pgrx::datum::Datum<'fcx> {
                // SAFETY: as above.
                unsafe { fcinfo.return_raw_datum(pg_sys::Datum::from(self.0.0)) }
            }
        }

        // SAFETY: it is the SQL type that all of the above read and write.
        unsafe impl SqlTranslatable for $name {
            const TYPE_IDENT: &'static str = concat!("ringfence::search::value::", stringify!($name));
            const TYPE_ORIGIN: TypeOrigin = TypeOrigin::External;
            const ARGUMENT_SQL: std::result::Result<SqlMappingRef, ArgumentError> = Ok(SqlMappingRef::literal($sql));
            const RETURN_SQL: std::result::Result<ReturnsRef, ReturnsError> =
                Ok(ReturnsRef::One(SqlMappingRef::literal($sql)));
        }
    };
}

sql_type!(SearchKeys, "ringfence.search_keys");
sql_type!(Probe, "ringfence.search_query");
