//! Places of rows in the table, and how lists of places are packed.

use pgrx::pg_sys;

/// Where a row is in the table: the number of its block times 2^11, plus its line. So places are
/// sorted as rows are.
pub type Place = u64;

/// A row by its block and line.
pub type RowAddress = (u32, u16);

/// Before all places, because lines are counted from 1.
pub const BEGIN: Place = 0;
/// Behind all places.
pub const END: Place = u64::MAX;

/// The bits of the line in a place. GIN packs its lists with as many.
const LINE_BITS: u32 = 11;

pub fn block_of(place: Place) -> u32 {
    (place >> LINE_BITS) as u32
}

pub fn place_of((block, line): RowAddress) -> Place {
    u64::from(block) << LINE_BITS | u64::from(line)
}

pub fn address_of(place: Place) -> RowAddress {
    (block_of(place), (place & ((1 << LINE_BITS) - 1)) as u16)
}

/// A row's address as PostgreSQL has it.
pub fn item_pointer((block, line): RowAddress) -> pg_sys::ItemPointerData {
    let block = pg_sys::BlockIdData { bi_hi: (block >> 16) as u16, bi_lo: block as u16 };
    pg_sys::ItemPointerData { ip_blkid: block, ip_posid: line }
}

pub fn address_in(pointer: &pg_sys::ItemPointerData) -> RowAddress {
    (u32::from(pointer.ip_blkid.bi_hi) << 16 | u32::from(pointer.ip_blkid.bi_lo), pointer.ip_posid)
}

/// Reads the next of the differences that a list of places consists of: seven bits a byte, the
/// lower ones first. Few differences take more than three bytes.
#[inline(always)]
pub fn difference(bytes: &mut &[u8]) -> Option<u64> {
    let (first, mut rest) = bytes.split_first()?;
    let mut difference = u64::from(*first);
    if difference >= 0x80 {
        let (mut shift, mut more) = (7, true);
        difference &= 0x7f;
        while more {
            let next;
            (next, rest) = rest.split_first()?;
            difference |= u64::from(next & 0x7f).checked_shl(shift)?;
            (shift, more) = (shift + 7, *next >= 0x80);
        }
    }
    *bytes = rest;
    Some(difference)
}

/// Writes a difference as [`difference`] reads it.
pub fn push_difference(mut difference: u64, bytes: &mut Vec<u8>) {
    while difference >= 0x80 {
        bytes.push(difference as u8 | 0x80);
        difference >>= 7;
    }
    bytes.push(difference as u8);
}
