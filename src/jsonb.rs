//! Reads and builds jsonb in the form in which PostgreSQL stores it, member by member. No text is
//! made in between, and numbers keep every digit.

use crate::error;
use crate::pg;
use pgrx::callconv::{Arg, ArgAbi, BoxRet, FcInfo};
use pgrx::datum::UnboxDatum;
use pgrx::pgrx_sql_entity_graph::metadata::{
    ArgumentError, ReturnsError, ReturnsRef, SqlMappingRef, SqlTranslatable, TypeOrigin,
};
use pgrx::{AnyNumeric, FromDatum, IntoDatum, PgLogLevel, pg_sys};
use std::borrow::Cow;
use std::cmp::Ordering;

/// A jsonb argument or result. It lives in the memory context of the function call.
pub struct Jsonb(*mut pg_sys::Jsonb);

/// A member of a jsonb object.
#[derive(Clone, Copy)]
pub struct Member<'a> {
    pub name: &'a str,
    pub value: Value<'a>,
}

/// A value inside a [`Jsonb`], which it borrows from.
#[derive(Clone, Copy)]
pub enum Value<'a> {
    Null,
    Text(&'a [u8]),
    /// A numeric, with its header.
    Number(&'a [u8]),
    Boolean(bool),
    Array(Container<'a>),
    Object(Container<'a>),
}

/// A value to build a [`Jsonb`] with.
pub enum New<'a> {
    /// A value inside another [`Jsonb`].
    Kept(Value<'a>),
    Text(Cow<'a, str>),
    Texts(Vec<Cow<'a, str>>),
    Number(AnyNumeric),
    Boolean(bool),
}

/// What kind of value it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Null,
    Text,
    Number,
    Boolean,
    Array,
    Object,
}

// The meaning of the words in a container, from PostgreSQL's utils/jsonb.h. It is the same in all
// versions, because databases are upgraded in place.
const COUNT: u32 = 0x0FFF_FFFF;
const SCALAR: u32 = 0x1000_0000;
const OBJECT: u32 = 0x2000_0000;
const ARRAY: u32 = 0x4000_0000;
const LENGTH: u32 = 0x0FFF_FFFF;
const KIND: u32 = 0x7000_0000;
const IS_TEXT: u32 = 0x0000_0000;
const IS_NUMBER: u32 = 0x1000_0000;
const IS_FALSE: u32 = 0x2000_0000;
const IS_TRUE: u32 = 0x3000_0000;
const IS_NULL: u32 = 0x4000_0000;
const IS_CONTAINER: u32 = 0x5000_0000;
/// Set if the entry tells where the child ends, instead of its length. This is so for every 32nd
/// entry.
const HAS_END: u32 = 0x8000_0000;
const STRIDE: usize = 32;
const WORD: usize = 4;
/// A numeric without digits: the header of a varlena, and one of its own.
const SHORTEST_NUMBER: usize = 6;

/// An array or object as it is stored: a header with the number of children, an entry for each
/// child, and the contents of the children. The children of an object are first all names, sorted
/// by length and then by bytes, then all values. It is read without calls to PostgreSQL, which
/// would cost more than the reading, and never past its end, even if header or entries are wrong.
#[derive(Clone, Copy)]
pub struct Container<'a>(&'a [u8]);

impl<'a> Container<'a> {
    fn word(self, n: usize) -> u32 {
        let bytes = self.0.get(WORD * n..WORD * n + WORD).and_then(|bytes| bytes.try_into().ok());
        bytes.map_or(0, u32::from_ne_bytes)
    }

    fn is(self, kind: u32) -> bool {
        self.word(0) & (kind | SCALAR) == kind
    }

    fn count(self) -> usize {
        (self.word(0) & COUNT) as usize
    }

    fn entries(self) -> usize {
        if self.is(OBJECT) { 2 * self.count() } else { self.count() }
    }

    /// The child of that entry, which begins at `start` of the contents, and where it ends.
    fn child(self, entry: usize, start: usize) -> (Value<'a>, usize) {
        let word = self.word(1 + entry);
        let length = (word & LENGTH) as usize;
        let end = if word & HAS_END != 0 { length } else { start + length };
        let base = WORD * (1 + self.entries());
        let bytes = |from: usize| self.0.get(base + from..base + end).unwrap_or_default();
        let value = match word & KIND {
            IS_TEXT => Value::Text(bytes(start)),
            IS_NUMBER => Value::Number(bytes(start.next_multiple_of(WORD))),
            IS_FALSE => Value::Boolean(false),
            IS_TRUE => Value::Boolean(true),
            IS_CONTAINER => {
                let container = Container(bytes(start.next_multiple_of(WORD)));
                if container.is(ARRAY) { Value::Array(container) } else { Value::Object(container) }
            }
            _ => Value::Null,
        };
        (value, end)
    }

    /// Where the child of that entry begins.
    fn start_of(self, entry: usize) -> usize {
        let before = self.0.get(WORD..WORD * (1 + entry)).unwrap_or_default();
        let mut start = 0;
        for word in before.as_chunks::<WORD>().0.iter().rev().map(|bytes| u32::from_ne_bytes(*bytes)) {
            start += (word & LENGTH) as usize;
            if word & HAS_END != 0 {
                break;
            }
        }
        start
    }

    /// The elements of an array, or first the names and then the values of an object.
    pub fn children(self) -> impl Iterator<Item = Value<'a>> {
        let mut start = 0;
        (0..self.entries()).map(move |entry| {
            let (value, end) = self.child(entry, start);
            start = end;
            value
        })
    }

    /// The members of an object, in the order in which jsonb keeps them.
    pub fn members(self) -> impl Iterator<Item = (&'a [u8], Value<'a>)> {
        let count = if self.is(OBJECT) { self.count() } else { 0 };
        let (mut name_start, mut value_start) = (0, self.start_of(count));
        (0..count).map(move |n| {
            let (name, name_end) = self.child(n, name_start);
            let (value, value_end) = self.child(count + n, value_start);
            (name_start, value_start) = (name_end, value_end);
            (name.bytes(), value)
        })
    }

    /// The member of that name, if it is an object that has one.
    pub fn member(self, name: &[u8]) -> Option<Value<'a>> {
        self.member_near(name, &mut 0)
    }

    /// The same for a caller that looks for one name in many objects. `place` is the member's place
    /// in the previous object, and afterwards its place in this one.
    pub fn member_near(self, name: &[u8], place: &mut usize) -> Option<Value<'a>> {
        let count = if self.is(OBJECT) { self.count() } else { 0 };
        if *place < count && self.child(*place, self.start_of(*place)).0.bytes() == name {
            return Some(self.child(count + *place, self.start_of(count + *place)).0);
        }
        let (mut low, mut high) = (0, count);
        while low < high {
            let middle = low + (high - low) / 2;
            let found = self.child(middle, self.start_of(middle)).0.bytes();
            match order_of_names(found, name) {
                Ordering::Less => low = middle + 1,
                Ordering::Greater => high = middle,
                Ordering::Equal => {
                    *place = middle;
                    return Some(self.child(count + middle, self.start_of(count + middle)).0);
                }
            }
        }
        None
    }
}

/// The order in which jsonb keeps the names of members.
pub fn order_of_names(a: &[u8], b: &[u8]) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

impl Jsonb {
    /// # Safety
    /// `jsonb` must be a detoasted datum of type jsonb, which lives as long as this and what is read of it.
    pub unsafe fn of(jsonb: *mut pg_sys::varlena) -> Jsonb {
        Jsonb(jsonb.cast())
    }

    /// The outermost container: an object, an array, or an array of one scalar.
    pub fn root(&self) -> Container<'_> {
        // SAFETY: a detoasted varlena that outlives the borrow.
        Container(unsafe { pgrx::varlena_to_byte_slice(self.0.cast()) })
    }

    /// The members in the order in which jsonb keeps them, if it is an object. There may be many
    /// millions: collect them only if something bounds their number.
    pub fn members(&self) -> Option<impl Iterator<Item = Member<'_>>> {
        let root = self.root();
        let named = |(name, value)| Member { name: text_of(name), value };
        root.is(OBJECT).then(|| root.members().map(named))
    }

    /// The object of these names and values.
    pub fn object<'n, 'v>(members: impl IntoIterator<Item = (&'n str, New<'v>)>) -> Jsonb {
        let mut members: Vec<(&str, New)> = members.into_iter().collect();
        members.sort_by(|(a, _), (b, _)| order_of_names(a.as_bytes(), b.as_bytes()));
        let mut bytes = Vec::new();
        match write_object(&mut bytes, &members) {
            Ok(()) => (),
            Err(NotWritten::TooLarge) => error::values_too_large().report(PgLogLevel::ERROR),
            Err(NotWritten::NoMemory) => error::out_of_memory().report(PgLogLevel::ERROR),
        }
        Jsonb(pg::copied(&bytes).cast_mut_ptr())
    }

    /// The member of that name, if it is an object that has one.
    pub fn member(&self, name: &str) -> Option<Value<'_>> {
        self.root().member(name.as_bytes())
    }
}

/// Why an object cannot be written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NotWritten {
    /// It would be larger than a jsonb can be.
    TooLarge,
    NoMemory,
}

/// Writes the object of these members into an empty buffer, as a jsonb with its header. The names
/// must be in the order of jsonb, and each there once. It calls no function of PostgreSQL, and
/// returns an error if there is no memory.
pub fn write_object(buffer: &mut Vec<u8>, members: &[(&str, New)]) -> Result<(), NotWritten> {
    let most = members.iter().map(|(name, value)| 2 * WORD + name.len() + value.most_bytes());
    buffer.try_reserve(most.sum::<usize>() + 2 * WORD).map_err(|_| NotWritten::NoMemory)?;
    buffer.extend([0; WORD]);
    let mut object = Writer::begin(buffer, OBJECT, members.len(), 2 * members.len());
    for (name, _) in members {
        object.child(buffer, IS_TEXT, name.as_bytes());
    }
    for (_, value) in members {
        object.value(buffer, value);
    }
    let fits = u32::try_from(buffer.len()).ok().filter(|length| object.total <= LENGTH as usize && *length < 1 << 30);
    if let (Some(length), Some(header)) = (fits, buffer.first_chunk_mut::<WORD>()) {
        // The header of a varlena of four bytes, as SET_VARSIZE() writes it.
        *header = if cfg!(target_endian = "little") { (length << 2).to_ne_bytes() } else { length.to_ne_bytes() };
    }
    fits.map(|_| ()).ok_or(NotWritten::TooLarge)
}

impl New<'_> {
    /// The most bytes that it takes, not counting its entry.
    fn most_bytes(&self) -> usize {
        let length = match self {
            New::Kept(value) => value.bytes().len(),
            New::Text(text) => text.len(),
            New::Texts(texts) => WORD + texts.iter().map(|text| WORD + text.len()).sum::<usize>(),
            New::Number(_) => MOST_OF_A_NUMBER,
            New::Boolean(_) => 0,
        };
        WORD + length
    }
}

/// The most bytes of a number that was made from a text, which has at most 1,000 digits and an
/// exponent of three digits.
const MOST_OF_A_NUMBER: usize = 4096;

/// An array or object that is being written.
struct Writer {
    /// The place of its next entry, and the number of that entry.
    entry_at: usize,
    entry: usize,
    total: usize,
}

impl Writer {
    fn begin(buffer: &mut Vec<u8>, kind: u32, count: usize, entries: usize) -> Writer {
        buffer.extend((kind | (count as u32 & COUNT)).to_ne_bytes());
        let entry_at = buffer.len();
        buffer.resize(entry_at + WORD * entries, 0);
        Writer { entry_at, entry: 0, total: 0 }
    }

    /// The next child has been written behind `start`, where the one before it ends.
    fn wrote(&mut self, buffer: &mut [u8], kind: u32, start: usize) {
        let length = buffer.len() - start;
        self.total += length;
        let says = if self.entry.is_multiple_of(STRIDE) {
            HAS_END | self.total as u32 & LENGTH
        } else {
            length as u32 & LENGTH
        };
        if let Some(word) = buffer.get_mut(self.entry_at..self.entry_at + WORD) {
            word.copy_from_slice(&(kind | says).to_ne_bytes());
        }
        self.entry_at += WORD;
        self.entry += 1;
    }

    fn child(&mut self, buffer: &mut Vec<u8>, kind: u32, bytes: &[u8]) {
        let start = buffer.len();
        if kind == IS_NUMBER || kind == IS_CONTAINER {
            buffer.resize(start.next_multiple_of(WORD), 0);
        }
        buffer.extend_from_slice(bytes);
        self.wrote(buffer, kind, start);
    }

    fn value(&mut self, buffer: &mut Vec<u8>, value: &New) {
        match value {
            New::Kept(Value::Null) => self.child(buffer, IS_NULL, &[]),
            New::Kept(Value::Text(text)) => self.child(buffer, IS_TEXT, text),
            New::Kept(Value::Number(number)) => self.child(buffer, IS_NUMBER, number),
            New::Kept(Value::Boolean(truth)) | New::Boolean(truth) => {
                self.child(buffer, if *truth { IS_TRUE } else { IS_FALSE }, &[]);
            }
            New::Kept(Value::Array(container) | Value::Object(container)) => {
                self.child(buffer, IS_CONTAINER, container.0);
            }
            New::Text(text) => self.child(buffer, IS_TEXT, text.as_bytes()),
            New::Texts(texts) => {
                let start = buffer.len();
                buffer.resize(start.next_multiple_of(WORD), 0);
                let mut array = Writer::begin(buffer, ARRAY, texts.len(), texts.len());
                for text in texts {
                    array.child(buffer, IS_TEXT, text.as_bytes());
                }
                self.wrote(buffer, IS_CONTAINER, start);
            }
            New::Number(number) => {
                let datum = number.clone().into_datum().unwrap_or(pg_sys::Datum::null());
                // SAFETY: a numeric, just made: a varlena with a header of four bytes.
                self.child(buffer, IS_NUMBER, unsafe {
                    let numeric = datum.cast_mut_ptr::<pg_sys::varlena>();
                    std::slice::from_raw_parts(numeric.cast(), pgrx::varlena::varsize_any(numeric))
                });
            }
        }
    }
}

impl<'a> Value<'a> {
    pub fn kind(self) -> Kind {
        match self {
            Value::Null => Kind::Null,
            Value::Text(_) => Kind::Text,
            Value::Number(_) => Kind::Number,
            Value::Boolean(_) => Kind::Boolean,
            Value::Array(_) => Kind::Array,
            Value::Object(_) => Kind::Object,
        }
    }

    /// What it is written with.
    fn bytes(self) -> &'a [u8] {
        match self {
            Value::Text(bytes) | Value::Number(bytes) => bytes,
            Value::Array(container) | Value::Object(container) => container.0,
            Value::Null | Value::Boolean(_) => &[],
        }
    }

    /// A text's own text.
    pub fn text(self) -> Option<&'a str> {
        if let Value::Text(bytes) = self { Some(text_of(bytes)) } else { None }
    }

    /// A number's value.
    pub fn number(self) -> Option<AnyNumeric> {
        let Value::Number(bytes) = self else {
            return None;
        };
        if bytes.len() < SHORTEST_NUMBER {
            return None;
        }
        // SAFETY: a numeric where jsonb keeps it, aligned; it is read as a datum of its type, and copied.
        unsafe { AnyNumeric::from_datum(pg_sys::Datum::from(bytes.as_ptr()), false) }
    }

    /// A boolean's value.
    pub fn boolean(self) -> Option<bool> {
        if let Value::Boolean(truth) = self { Some(truth) } else { None }
    }

    /// The texts in a value: a text itself, the decimal form of a number, and those of an array's
    /// elements. Arrays in arrays are left out: they may be nested so deeply that following them
    /// would exhaust the stack. There may be many millions of texts.
    pub fn texts(self) -> impl Iterator<Item = Cow<'a, str>> {
        let own = |value: Value<'a>| match value.kind() {
            Kind::Text => value.text().map(Cow::Borrowed),
            Kind::Number => value.number().map(|number| Cow::Owned(number.to_string())),
            _ => None,
        };
        own(self).into_iter().chain(self.elements().filter_map(own))
    }

    /// The elements of an array. There may be many millions.
    pub fn elements(self) -> impl Iterator<Item = Value<'a>> {
        let container = if let Value::Array(container) = self { Some(container) } else { None };
        container.into_iter().flat_map(Container::children)
    }

    /// Whether both are written alike: 1 and 1.0 are not.
    pub fn same_as(self, other: Value) -> bool {
        self.kind() == other.kind() && self.boolean() == other.boolean() && self.bytes() == other.bytes()
    }
}

/// The text in a jsonb is valid UTF-8, because install.sql refuses other encodings. If it is not,
/// an empty text is better than undefined behaviour.
fn text_of(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

// SAFETY: unboxes a non-null datum of type jsonb; functions that take it are declared STRICT or take Option.
unsafe impl<'fcx> ArgAbi<'fcx> for Jsonb {
    unsafe fn unbox_arg_unchecked(arg: Arg<'_, 'fcx>) -> Self {
        // SAFETY: the SQL declaration says jsonb.
        unsafe { arg.unbox_arg_using_from_datum::<Jsonb>().unwrap_or(Jsonb(std::ptr::null_mut())) }
    }
}

// SAFETY: unboxes a datum of type jsonb.
unsafe impl UnboxDatum for Jsonb {
    type As<'src> = Jsonb;

    unsafe fn unbox<'src>(datum: pgrx::datum::Datum<'src>) -> Jsonb
    where
        Self: 'src,
    {
        // SAFETY: as promised by the caller.
        Jsonb(unsafe { pg_sys::pg_detoast_datum(datum.sans_lifetime().cast_mut_ptr()).cast() })
    }
}

impl IntoDatum for Jsonb {
    fn into_datum(self) -> Option<pg_sys::Datum> {
        Some(self.0.into())
    }

    fn type_oid() -> pg_sys::Oid {
        pg_sys::JSONBOID
    }
}

impl FromDatum for Jsonb {
    unsafe fn from_polymorphic_datum(datum: pg_sys::Datum, is_null: bool, _type: pg_sys::Oid) -> Option<Self> {
        // SAFETY: a datum of type jsonb is a varlena; detoasting gives a plain copy or the value itself.
        if is_null { None } else { Some(Jsonb(unsafe { pg_sys::pg_detoast_datum(datum.cast_mut_ptr()).cast() })) }
    }
}

// SAFETY: returns a pointer to a palloc'd varlena, which is what a jsonb datum is.
unsafe impl BoxRet for Jsonb {
    unsafe fn box_into<'fcx>(self, fcinfo: &mut FcInfo<'fcx>) -> pgrx::datum::Datum<'fcx> {
        // SAFETY: as above.
        unsafe { fcinfo.return_raw_datum(pg_sys::Datum::from(self.0)) }
    }
}

// SAFETY: jsonb is the SQL type that all of the above read and write.
unsafe impl SqlTranslatable for Jsonb {
    const TYPE_IDENT: &'static str = "ringfence::jsonb::Jsonb";
    const TYPE_ORIGIN: TypeOrigin = TypeOrigin::External;
    const ARGUMENT_SQL: Result<SqlMappingRef, ArgumentError> = Ok(SqlMappingRef::literal("jsonb"));
    const RETURN_SQL: Result<ReturnsRef, ReturnsError> = Ok(ReturnsRef::One(SqlMappingRef::literal("jsonb")));
}
