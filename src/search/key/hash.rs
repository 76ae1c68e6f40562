//! The hash of a key, and the order of keys in the index.
//!
//! A key is a number of 64 bits. From the highest bit down: [`OWNER_BITS`] of the owner,
//! [`KIND_BITS`] of the kind, [`TEXT_BITS`] of owner, kind and text, and the rest of all that and
//! the field. So the same text has neighbouring keys in all fields of an owner. Two fields have the
//! same key of one text in 1 of 2^28 cases. Two texts have the same key of one kind and owner in 1
//! of 2^44.

use siphasher::sip::SipHasher13;
use std::hash::Hasher;

const OWNER_BITS: u32 = 16;
const KIND_BITS: u32 = 4;
const TEXT_BITS: u32 = 16;

/// What a key stands for. At most 16 kinds. Their order is part of the index.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum KeyKind {
    LastActivity,
    Character,
    Pair,
    ThreeLetters,
    FourDigits,
    FirstLetter,
    FirstTwoLetters,
    NameStart,
    /// An option, a number or a date.
    Value,
    WholeWord,
    /// A word without one of its letters.
    Deletion,
    /// Something of an end of a long word.
    WordEnd,
    WholeName,
    NumberEnd,
    /// A phone that is too short for [`KeyKind::NumberEnd`], or no number.
    WholePhone,
    Address,
}

const _: () = assert!((KeyKind::Address as u32) < 1 << KIND_BITS);

// The names of the system fields. A custom field has the storage key of its values as its name.

/// Not a field: what every customer has.
pub const ROW: &str = "row";
pub const NAME: &str = "name";
/// The name and the e-mail addresses together: the same sessions see both, and many parts of them
/// are equal.
pub const TEXT: &str = "text";
/// Words of the name that follow each other, written together.
pub const JOINED: &str = "joined";
pub const PHONES: &str = "phones";
pub const EMAILS: &str = "emails";

/// After the storage key of a field of options: the name under which the ids of its options are
/// searched.
pub const OPTIONS: &str = "#";

/// The longest name of a custom field, in bytes: an id in base 64 and [`OPTIONS`], or another mark
/// of one byte.
pub const MAX_FIELD_NAME_BYTES: usize = 22 + OPTIONS.len();

/// Makes the keys of one field of one owner.
#[derive(Clone)]
pub struct FieldKeys {
    /// Has read the owner.
    hasher: SipHasher13,
    /// The bits that all keys of the owner begin with.
    owner: u64,
    /// The hash of owner and field.
    field: u64,
}

impl FieldKeys {
    pub fn of(owner: &[u8; 16], field: &str) -> FieldKeys {
        let mut hasher = SipHasher13::new_with_key(b"ringfence search");
        hasher.write(owner);
        let owner_bits = hasher.finish() >> (u64::BITS - OWNER_BITS) << (u64::BITS - OWNER_BITS);
        let mut of_field = hasher;
        of_field.write(field.as_bytes());
        FieldKeys { hasher, owner: owner_bits, field: of_field.finish() }
    }

    pub fn of_bytes(&self, kind: KeyKind, bytes: &[u8]) -> i64 {
        let mut hasher = self.begin(kind);
        hasher.write(bytes);
        self.end(kind, hasher)
    }

    pub fn of_letters(&self, kind: KeyKind, letters: &[char]) -> i64 {
        self.end_letters(kind, self.begin(kind), letters)
    }

    /// A word of `length` letters without the letter at `place`; `left` are the letters that are
    /// left.
    pub fn of_deletion(&self, left: &[char], length: usize, place: usize) -> i64 {
        let mut hasher = self.begin(KeyKind::Deletion);
        hasher.write(&[length as u8, place as u8]);
        self.end_letters(KeyKind::Deletion, hasher, left)
    }

    /// Keys that are sorted as their numbers are.
    pub fn of_number(&self, kind: KeyKind, number: u16) -> i64 {
        (self.end(kind, self.begin(kind)) as u64 >> u16::BITS << u16::BITS | u64::from(number)) as i64
    }

    fn begin(&self, kind: KeyKind) -> SipHasher13 {
        let mut hasher = self.hasher;
        hasher.write(&[kind as u8]);
        hasher
    }

    fn end_letters(&self, kind: KeyKind, mut hasher: SipHasher13, letters: &[char]) -> i64 {
        for letter in letters {
            let mut buffer = [0; 4];
            hasher.write(letter.encode_utf8(&mut buffer).as_bytes());
        }
        self.end(kind, hasher)
    }

    fn end(&self, kind: KeyKind, hasher: SipHasher13) -> i64 {
        const BEFORE: u32 = OWNER_BITS + KIND_BITS;
        let beginning = self.owner | u64::from(kind as u8) << (u64::BITS - BEFORE);
        let text = hasher.finish();
        let rest = mixed(text.wrapping_add(self.field)) >> (BEFORE + TEXT_BITS);
        (beginning | text >> (u64::BITS - TEXT_BITS) << (u64::BITS - BEFORE - TEXT_BITS) | rest) as i64
    }
}

/// Mixes a number, so that each bit of the result depends on each bit of the number (the finalizer
/// of MurmurHash3: Appleby).
fn mixed(mut number: u64) -> u64 {
    number = (number ^ number >> 33).wrapping_mul(0xff51_afd7_ed55_8ccd);
    number = (number ^ number >> 33).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    number ^ number >> 33
}
