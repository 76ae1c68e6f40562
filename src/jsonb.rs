//! jsonb as PostgreSQL stores it, read and built member by member: no text in between, and numbers keep every digit.

use pgrx::callconv::{Arg, ArgAbi, BoxRet, FcInfo};
use pgrx::pgrx_sql_entity_graph::metadata::{
    ArgumentError, ReturnsError, ReturnsRef, SqlMappingRef, SqlTranslatable, TypeOrigin,
};
use pgrx::{AnyNumeric, FromDatum, pg_sys};

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
        let mut members = Vec::new();
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
        use pg_sys::JsonbIteratorToken::*;
        // SAFETY: PostgreSQL's own builder, fed BEGIN, key and value in turn, END. It copies names and values.
        unsafe {
            let mut state = std::ptr::null_mut();
            pg_sys::pushJsonbValue(&mut state, WJB_BEGIN_OBJECT, std::ptr::null_mut());
            for member in members {
                let mut key = pg_sys::JsonbValue { type_: pg_sys::jbvType::jbvString, ..Default::default() };
                key.val.string.len = member.name.len() as _;
                key.val.string.val = member.name.as_ptr().cast_mut().cast();
                pg_sys::pushJsonbValue(&mut state, WJB_KEY, &mut key);
                let mut value = member.value.raw;
                pg_sys::pushJsonbValue(&mut state, WJB_VALUE, &mut value);
            }
            let object = pg_sys::pushJsonbValue(&mut state, WJB_END_OBJECT, std::ptr::null_mut());
            Jsonb(pg_sys::JsonbValueToJsonb(object))
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

    /// The texts it holds: a text's own, a number's decimal form, an array's elements'.
    pub fn texts(self) -> Vec<String> {
        match self.kind() {
            // SAFETY: the kind tells which member of the union is set.
            Kind::Text => vec![unsafe { string_of(&self.raw) }.to_owned()],
            // SAFETY: as above; a numeric is read as a datum of its type.
            Kind::Number => unsafe { AnyNumeric::from_datum(pg_sys::Datum::from(self.raw.val.numeric), false) }
                .map(|number| number.to_string())
                .into_iter()
                .collect(),
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
