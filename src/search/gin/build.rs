//! The keys and rows that an index is built from, as far as there is memory for them.
//!
//! They are sorted in runs and packed to a quarter of their size, so that as many as possible are
//! written together. The order of writing makes GIN's pages full, as long as all keys fit into
//! memory; keys that come after that split pages again.
//!
//! GIN splits a page of the tree of keys in the middle. If keys were written in their order, each
//! page would stay half empty, and the index would be twice as large as it need be. So keys are
//! written in two passes. The first writes a little more than every second key, and leaves
//! half-empty pages. The second writes the keys between them, for which these pages have room.
//! About as much stays free as in a B-tree.

use super::write::{KeyedRow, by_key};
use crate::error::{self, Result};
use crate::search::place::{RowAddress, address_of, difference, place_of, push_difference};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

/// The most rows that are written together, in two passes over the same keys.
const MAX_AT_ONCE: usize = 1 << 20;

/// However little memory there is, this many rows are sorted and written together.
const MIN_AT_ONCE: usize = 1 << 16;

/// The bytes of a row while it is written: its own, and its key's slice in a pass.
const WRITTEN_BYTES: usize = size_of::<KeyedRow>() + size_of::<&[KeyedRow]>();

/// How the bytes are divided between the two passes. With these shares, the second fills pages to
/// nine tenths.
const SHARES: [u64; 2] = [56, 44];

/// The most bytes of a packed row: two numbers of 64 bits, seven bits a byte.
const MAX_PACKED_BYTES: usize = 20;

/// The bytes on a page of a key with one place: line pointer, tuple, key, and the beginning of a
/// list.
const KEY_BYTES: u64 = 28;

/// The most bytes of a list on the page of its key. A longer list has a tree of its own.
const MAX_LIST_BYTES: u64 = 2700;

pub struct Collected {
    fresh: Vec<KeyedRow>,
    max_fresh: usize,
    /// Each is sorted and packed.
    runs: Vec<Vec<u8>>,
    max_packed_bytes: usize,
    max_at_once: usize,
}

impl Collected {
    /// In `bytes` of memory: an eighth for rows that are not packed yet, three quarters for packed
    /// ones, an eighth for those that are being written. Error 53200 if there is less memory,
    /// from the other functions too.
    pub fn in_memory(bytes: usize) -> Result<Collected> {
        let max_fresh = (bytes / 8 / size_of::<KeyedRow>()).max(MIN_AT_ONCE);
        let mut fresh = Vec::new();
        // Memory that is not touched costs nothing.
        fresh.try_reserve_exact(max_fresh + MIN_AT_ONCE).map_err(|_| error::too_little_memory())?;
        let max_at_once = (bytes / 8 / WRITTEN_BYTES).clamp(MIN_AT_ONCE, MAX_AT_ONCE);
        Ok(Collected { fresh, max_fresh, runs: Vec::new(), max_packed_bytes: bytes / 4 * 3, max_at_once })
    }

    /// Adds the keys of a row. Returns whether the memory is full, so that they should be written.
    pub fn add(&mut self, rows: impl Iterator<Item = KeyedRow>) -> Result<bool> {
        self.fresh.try_reserve(rows.size_hint().0).map_err(|_| error::too_little_memory())?;
        self.fresh.extend(rows);
        if self.fresh.len() >= self.max_fresh {
            self.pack()?;
        }
        Ok(self.runs.iter().map(Vec::len).sum::<usize>() >= self.max_packed_bytes)
    }

    fn pack(&mut self) -> Result<()> {
        self.fresh.sort_unstable();
        let mut run = Vec::new();
        run.try_reserve_exact(self.fresh.len() * MAX_PACKED_BYTES).map_err(|_| error::too_little_memory())?;
        let mut last = FIRST;
        for row in self.fresh.drain(..) {
            pack(last, row, &mut run);
            last = row;
        }
        run.shrink_to_fit();
        self.runs.push(run);
        Ok(())
    }

    /// Hands all rows to `write`, in slices of one key, in the order in which they are to be
    /// written; and forgets them. The rows of a key are sorted.
    pub fn write_all(&mut self, mut write: impl FnMut(&[&[KeyedRow]])) -> Result<()> {
        self.pack()?;
        let mut merged = Merged::of(&self.runs);
        let mut some = Vec::new();
        some.try_reserve_exact(self.max_at_once).map_err(|_| error::too_little_memory())?;
        loop {
            some.clear();
            some.extend(merged.by_ref().take(self.max_at_once));
            if some.is_empty() {
                break;
            }
            in_two_passes(&some)?.iter().for_each(|pass| write(pass));
        }
        self.runs.clear();
        Ok(())
    }
}

/// Divides the keys between the two passes, evenly wherever one looks. Error 53200 if there is too
/// little memory.
fn in_two_passes(sorted: &[KeyedRow]) -> Result<[Vec<&[KeyedRow]>; 2]> {
    let (mut passes, mut bytes) = ([Vec::new(), Vec::new()], [0, 0]);
    for of_key in by_key(sorted) {
        let pass = usize::from(bytes[1] * SHARES[0] < bytes[0] * SHARES[1]);
        bytes[pass] += KEY_BYTES + Some(list_bytes(of_key)).filter(|bytes| *bytes <= MAX_LIST_BYTES).unwrap_or(0);
        passes[pass].try_reserve(1).map_err(|_| error::too_little_memory())?;
        passes[pass].push(of_key);
    }
    Ok(passes)
}

/// The bytes of the places after the first, as GIN packs them: the differences, seven bits a byte.
fn list_bytes(of_key: &[KeyedRow]) -> u64 {
    let differences = of_key.windows(2).take(MAX_LIST_BYTES as usize + 1).map(|pair| match pair {
        [(_, before), (_, next)] => place_of(*next) - place_of(*before),
        _ => 0,
    });
    differences.map(|difference| u64::from(difference.max(1).ilog2()) / 7 + 1).sum()
}

// Packing.

/// Before all rows.
const FIRST: KeyedRow = (i64::MIN, (0, 0));

/// Packs a row as its difference to the one before: that of the key, and if it is zero, that of the
/// place.
fn pack((last_key, last_row): KeyedRow, (key, row): KeyedRow, run: &mut Vec<u8>) {
    let key_difference = key.wrapping_sub(last_key) as u64;
    push_difference(key_difference, run);
    push_difference(place_of(row) - base(key_difference, last_row), run);
}

/// What a place is packed as a difference to.
fn base(key_difference: u64, last_row: RowAddress) -> u64 {
    if key_difference == 0 { place_of(last_row) } else { 0 }
}

/// Unpacks a run from its beginning.
struct Run<'a> {
    bytes: &'a [u8],
    last: KeyedRow,
}

impl Iterator for Run<'_> {
    type Item = KeyedRow;

    fn next(&mut self) -> Option<KeyedRow> {
        let (last_key, last_row) = self.last;
        let key_difference = difference(&mut self.bytes)?;
        let place = difference(&mut self.bytes)? + base(key_difference, last_row);
        self.last = (last_key.wrapping_add(key_difference as i64), address_of(place));
        Some(self.last)
    }
}

/// The rows of all runs, sorted.
struct Merged<'a> {
    runs: Vec<Run<'a>>,
    /// The next row of each run.
    heads: BinaryHeap<Reverse<(KeyedRow, usize)>>,
}

impl<'a> Merged<'a> {
    fn of(runs: &'a [Vec<u8>]) -> Merged<'a> {
        let mut runs: Vec<Run> = runs.iter().map(|bytes| Run { bytes, last: FIRST }).collect();
        let heads = runs.iter_mut().enumerate().filter_map(|(n, run)| Some(Reverse((run.next()?, n)))).collect();
        Merged { runs, heads }
    }
}

impl Iterator for Merged<'_> {
    type Item = KeyedRow;

    fn next(&mut self) -> Option<KeyedRow> {
        let mut head = self.heads.peek_mut()?;
        let Reverse((row, n)) = *head;
        match self.runs.get_mut(n).and_then(Run::next) {
            Some(next) => *head = Reverse((next, n)),
            None => {
                PeekMut::pop(head);
            }
        }
        Some(row)
    }
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    fn rows() -> Vec<KeyedRow> {
        let mut all = Vec::new();
        for n in 0..300_000_u64 {
            // Steele, Lea, Flood: SplitMix64.
            let mixed = (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (n >> 3)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            let key = if n % 3 == 0 { mixed as i64 } else { (n % 50) as i64 - 25 };
            all.push((key, (n as u32 / 7, (n % 7) as u16 + 1)));
        }
        all.push((i64::MIN, (0, 1)));
        all.push((i64::MAX, (u32::MAX - 1, 291)));
        all
    }

    #[test]
    fn all_are_written_once_and_each_pass_is_sorted() {
        let mut all = rows();
        let mut collected = Collected::in_memory(0).expect("memory");
        for some in all.chunks(50) {
            collected.add(some.iter().copied()).expect("memory");
        }
        assert!(collected.runs.len() > 3);
        let (mut written, mut passes) = (Vec::new(), 0);
        collected
            .write_all(|pass| {
                passes += 1;
                assert!(pass.iter().all(|of_key| of_key.is_sorted() && of_key.iter().all(|row| row.0 == of_key[0].0)));
                assert!(pass.is_sorted());
                written.extend(pass.concat());
            })
            .expect("memory");
        assert_eq!(passes, 2 * all.len().div_ceil(MIN_AT_ONCE));
        written.sort_unstable();
        all.sort_unstable();
        assert!(written == all);
        collected.write_all(|pass| assert!(pass.is_empty())).expect("memory");
    }

    #[test]
    fn packed_rows_fill_the_memory() {
        let mut collected = Collected::in_memory(1 << 21).expect("memory");
        let full: Vec<bool> = rows().iter().map(|row| collected.add(std::iter::once(*row)).expect("memory")).collect();
        let first = full.iter().position(|is_full| *is_full).expect("full");
        assert!(first > (1 << 21) / 4 * 3 / size_of::<KeyedRow>(), "more than fit unpacked: {first}");
    }

    /// Wherever one looks, the second pass has about as much as half-empty pages have room for.
    #[test]
    fn passes_are_even() {
        let mut all = rows();
        all.sort_unstable();
        let passes = in_two_passes(&all).expect("memory");
        let last = passes[0].len() * 9 / 10;
        for from in (0..last).step_by(1000) {
            let (low, high) = (passes[0][from][0].0, passes[0][from + 200][0].0);
            let between = passes[1].iter().filter(|of_key| (low..high).contains(&of_key[0].0)).count();
            assert!((140..175).contains(&between) || low < 25 && high > -25, "{between} of 200");
        }
    }
}
