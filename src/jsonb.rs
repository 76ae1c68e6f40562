//! jsonb as PostgreSQL stores it, read and built member by member: no text in between, and numbers keep every digit.

use pgrx::callconv::{Arg, ArgAbi, BoxRet, FcInfo};
use pgrx::pgrx_sql_entity_graph::metadata::{
    ArgumentError, ReturnsError, ReturnsRef, SqlMappingRef, SqlTranslatable, TypeOrigin,
};
use pgrx::{AnyNumeric, FromDatum, IntoDatum, pg_sys};
use std::borrow::Cow;

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
pub struct Value<'a> {
    raw: pg_sys::JsonbValue,
    of: std::marker::PhantomData<&'a Jsonb>,
}

/// A value to build a [`Jsonb`] with.
pub enum New<'a> {
    /// One that is in another [`Jsonb`].
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

impl Jsonb {
    /// The members, if it is an object; in the order in which jsonb keeps them.
    pub fn members(&self) -> Option<Vec<Member<'_>>> {
        use pg_sys::JsonbIteratorToken::*;
        // SAFETY: a detoasted jsonb; the header counts its members.
        let count = unsafe { (*self.0).root.header & pg_sys::JB_CMASK };
        let mut members = Vec::with_capacity(count as usize);
        // SAFETY: self.0 is a detoasted jsonb that outlives the borrow. The iterator yields BEGIN, then key and value in
        // turn (nested containers whole), then END; keys are strings of the server's encoding, which is UTF-8.
        unsafe {
            let mut iterator = pg_sys::JsonbIteratorInit(&raw mut (*self.0).root);
            let mut raw = pg_sys::JsonbValue::default();
            if pg_sys::JsonbIteratorNext(&mut iterator, &mut raw, false) != WJB_BEGIN_OBJECT {
                return None;
            }
            while pg_sys::JsonbIteratorNext(&mut iterator, &mut raw, true) == WJB_KEY {
                let name = string_of(&raw);
                if pg_sys::JsonbIteratorNext(&mut iterator, &mut raw, true) != WJB_VALUE {
                    break;
                }
                members.push(Member { name, value: Value { raw, of: std::marker::PhantomData } });
            }
        }
        Some(members)
    }

    /// The object of these members.
    pub fn from_members<'a>(members: impl IntoIterator<Item = Member<'a>>) -> Jsonb {
        Jsonb::object(members.into_iter().map(|member| (member.name, New::Kept(member.value))))
    }

    /// The object of these names and values.
    pub fn object<'n, 'v>(members: impl IntoIterator<Item = (&'n str, New<'v>)>) -> Jsonb {
        use pg_sys::JsonbIteratorToken::*;
        // Strings are copied when the whole is made: until then they must live.
        let members: Vec<(&str, New)> = members.into_iter().collect();
        // SAFETY: PostgreSQL's own builder, fed BEGIN, key and value in turn, END. It copies names and values at the
        // end, and `members` lives until then.
        unsafe {
            let mut state = std::ptr::null_mut();
            pg_sys::pushJsonbValue(&mut state, WJB_BEGIN_OBJECT, std::ptr::null_mut());
            for (name, value) in &members {
                pg_sys::pushJsonbValue(&mut state, WJB_KEY, &mut raw_text(name));
                match value {
                    New::Kept(value) => {
                        let mut value = value.raw;
                        pg_sys::pushJsonbValue(&mut state, WJB_VALUE, &mut value);
                    }
                    New::Text(text) => {
                        pg_sys::pushJsonbValue(&mut state, WJB_VALUE, &mut raw_text(text));
                    }
                    New::Texts(texts) => {
                        pg_sys::pushJsonbValue(&mut state, WJB_BEGIN_ARRAY, std::ptr::null_mut());
                        for text in texts {
                            pg_sys::pushJsonbValue(&mut state, WJB_ELEM, &mut raw_text(text));
                        }
                        pg_sys::pushJsonbValue(&mut state, WJB_END_ARRAY, std::ptr::null_mut());
                    }
                    New::Number(number) => {
                        let mut raw = pg_sys::JsonbValue { type_: pg_sys::jbvType::jbvNumeric, ..Default::default() };
                        let datum = number.clone().into_datum().unwrap_or(pg_sys::Datum::null());
                        raw.val.numeric = datum.cast_mut_ptr();
                        pg_sys::pushJsonbValue(&mut state, WJB_VALUE, &mut raw);
                    }
                    New::Boolean(truth) => {
                        let mut raw = pg_sys::JsonbValue { type_: pg_sys::jbvType::jbvBool, ..Default::default() };
                        raw.val.boolean = *truth;
                        pg_sys::pushJsonbValue(&mut state, WJB_VALUE, &mut raw);
                    }
                }
            }
            let object = pg_sys::pushJsonbValue(&mut state, WJB_END_OBJECT, std::ptr::null_mut());
            Jsonb(pg_sys::JsonbValueToJsonb(object))
        }
    }

    /// The member of that name, if it is an object that has one.
    pub fn member(&self, name: &str) -> Option<Value<'_>> {
        // SAFETY: self.0 is a detoasted jsonb that outlives the borrow. The look-up is for objects only, compares bytes,
        // and fills `raw` with pointers into it.
        unsafe {
            if (*self.0).root.header & pg_sys::JB_FOBJECT == 0 {
                return None;
            }
            let mut raw = pg_sys::JsonbValue::default();
            let found = pg_sys::getKeyJsonValueFromContainer(
                &raw mut (*self.0).root,
                name.as_ptr().cast(),
                name.len() as _,
                &mut raw,
            );
            if found.is_null() { None } else { Some(Value { raw, of: std::marker::PhantomData }) }
        }
    }

    fn bytes(&self) -> &[u8] {
        // SAFETY: a detoasted varlena, that outlives the borrow.
        unsafe { pgrx::varlena_to_byte_slice(self.0.cast()) }
    }
}

impl<'a> Value<'a> {
    pub fn kind(self) -> Kind {
        use pg_sys::jbvType;
        match self.raw.type_ {
            jbvType::jbvNull => Kind::Null,
            jbvType::jbvString => Kind::Text,
            jbvType::jbvNumeric => Kind::Number,
            jbvType::jbvBool => Kind::Boolean,
            // SAFETY: a binary value points at a container inside the jsonb it came from, whose header tells its kind.
            jbvType::jbvBinary if unsafe { (*self.raw.val.binary.data).header & pg_sys::JB_FARRAY != 0 } => Kind::Array,
            _ => Kind::Object,
        }
    }

    /// A text's own text.
    pub fn text(self) -> Option<&'a str> {
        // SAFETY: the kind tells which member of the union is set; what it points at lives as long as the jsonb.
        if self.kind() == Kind::Text { Some(unsafe { string_of(&self.raw) }) } else { None }
    }

    /// A number's value.
    pub fn number(self) -> Option<AnyNumeric> {
        if self.kind() != Kind::Number {
            return None;
        }
        // SAFETY: the kind tells which member of the union is set; a numeric is read as a datum of its type, and copied.
        unsafe { AnyNumeric::from_datum(pg_sys::Datum::from(self.raw.val.numeric), false) }
    }

    /// A boolean's value.
    pub fn boolean(self) -> Option<bool> {
        // SAFETY: the kind tells which member of the union is set.
        if self.kind() == Kind::Boolean { Some(unsafe { self.raw.val.boolean }) } else { None }
    }

    /// The texts it holds: a text's own, a number's decimal form, an array's elements'.
    pub fn texts(self) -> Vec<String> {
        match self.kind() {
            Kind::Text => self.text().map(str::to_owned).into_iter().collect(),
            Kind::Number => self.number().map(|number| number.to_string()).into_iter().collect(),
            Kind::Array => self.elements().into_iter().flat_map(Value::texts).collect(),
            _ => Vec::new(),
        }
    }

    /// The elements of an array.
    pub fn elements(self) -> Vec<Value<'a>> {
        use pg_sys::JsonbIteratorToken::*;
        let mut elements = Vec::new();
        if self.kind() == Kind::Array {
            // SAFETY: as in `members`, for the array's container.
            unsafe {
                let mut iterator = pg_sys::JsonbIteratorInit(self.raw.val.binary.data);
                let mut raw = pg_sys::JsonbValue::default();
                if pg_sys::JsonbIteratorNext(&mut iterator, &mut raw, false) == WJB_BEGIN_ARRAY {
                    while pg_sys::JsonbIteratorNext(&mut iterator, &mut raw, true) == WJB_ELEM {
                        elements.push(Value { raw, of: std::marker::PhantomData });
                    }
                }
            }
        }
        elements
    }

    /// Whether both are written alike: 1 and 1.0 are not.
    pub fn same_as(self, other: Value) -> bool {
        let alone = |value| Jsonb::from_members([Member { name: "", value }]);
        self.kind() == other.kind() && alone(self).bytes() == alone(other).bytes()
    }
}

/// A string as the builder takes it. It borrows `text` without saying so: see [`Jsonb::object`].
fn raw_text(text: &str) -> pg_sys::JsonbValue {
    let mut raw = pg_sys::JsonbValue { type_: pg_sys::jbvType::jbvString, ..Default::default() };
    raw.val.string.len = text.len() as _;
    raw.val.string.val = text.as_ptr().cast_mut().cast();
    raw
}

/// # Safety
/// `raw` must be of type jbvString, and what it points at must live for `'a`.
unsafe fn string_of<'a>(raw: &pg_sys::JsonbValue) -> &'a str {
    // SAFETY: length and pointer describe a string; jsonb holds valid text of the server's encoding, UTF-8 (install.sql
    // refuses others), but a replacement is better than undefined behaviour.
    unsafe {
        let bytes = std::slice::from_raw_parts(raw.val.string.val.cast::<u8>(), raw.val.string.len as usize);
        std::str::from_utf8(bytes).unwrap_or_default()
    }
}

// SAFETY: unboxes a non-null datum of type jsonb; functions that take it are declared STRICT or take Option.
unsafe impl<'fcx> ArgAbi<'fcx> for Jsonb {
    unsafe fn unbox_arg_unchecked(arg: Arg<'_, 'fcx>) -> Self {
        // SAFETY: the SQL declaration says jsonb.
        unsafe { arg.unbox_arg_using_from_datum::<Jsonb>().unwrap_or(Jsonb(std::ptr::null_mut())) }
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
