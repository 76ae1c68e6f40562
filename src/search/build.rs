//! Entries that an index is built from. They are sorted in portions and packed, a quarter of their size, so that as many as can be are put in
//! together; and they are put in so that GIN's pages become full, as far as the memory holds all entries. What comes after that splits them again.
//!
//! GIN splits a page of the tree of keys in the middle. Whoever puts keys in by their order leaves each page half empty behind, and the
//! index is twice as large as it need be. Here every other key comes first, somewhat more than half of them, and leaves half full
//! pages; then the others come between them, and find that room. What is left free is about what a B-tree leaves by default.

use super::copying::{self, Entry};
use super::posting;
use crate::error::{self, Result};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

/// Entries that are put in together, at most: two goes over what lies side by side.
const AT_ONCE: usize = 1 << 20;

/// Bytes of an entry while it is put in: its own, and those of its key's list in a go.
const PUT_IN: usize = size_of::<Entry>() + size_of::<&[Entry]>();

/// How much of them comes first, and how much then: pages that were left half full become full to nine tenths.
const GOES: [u64; 2] = [56, 44];

/// Bytes of an entry, packed, at most: two numbers of 64 bits, seven bits a byte.
const MOST_PACKED: usize = 20;

/// Bytes of a key on a page with its first place: line pointer, tuple, key, and the beginning of a list. And of the longest list; longer ones
/// are in trees of their own.
const OF_KEY: u64 = 28;
const LONGEST_LIST: u64 = 2700;

/// Entries as far as there is memory for them.
pub struct Collected {
    fresh: Vec<Entry>,
    most_fresh: usize,
    /// Sorted, each.
    runs: Vec<Vec<u8>>,
    most_packed: usize,
    at_once: usize,
}

impl Collected {
    /// In so many bytes: an eighth for those that are not packed yet, three quarters for those that are, and the rest for what is put in. Error 53200 if
    /// there are not so many; likewise of the others.
    pub fn in_memory(bytes: usize) -> Result<Collected> {
        let most_fresh = (bytes / 8 / size_of::<Entry>()).max(copying::MOST);
        let mut fresh = Vec::new();
        // What is not touched of it costs nothing.
        fresh.try_reserve_exact(most_fresh + copying::MOST).map_err(|_| error::too_little_memory())?;
        let at_once = (bytes / 8 / PUT_IN).clamp(copying::MOST, AT_ONCE);
        Ok(Collected { fresh, most_fresh, runs: Vec::new(), most_packed: bytes / 4 * 3, at_once })
    }

    /// Adds those of a row; whether it is time to put all of them in.
    pub fn add(&mut self, entries: impl Iterator<Item = Entry>) -> Result<bool> {
        self.fresh.try_reserve(entries.size_hint().0).map_err(|_| error::too_little_memory())?;
        self.fresh.extend(entries);
        if self.fresh.len() >= self.most_fresh {
            self.pack()?;
        }
        Ok(self.runs.iter().map(Vec::len).sum::<usize>() >= self.most_packed)
    }

    fn pack(&mut self) -> Result<()> {
        self.fresh.sort_unstable();
        let mut run = Vec::new();
        run.try_reserve_exact(self.fresh.len() * MOST_PACKED).map_err(|_| error::too_little_memory())?;
        let mut last = FIRST;
        for entry in self.fresh.drain(..) {
            pack(last, entry, &mut run);
            last = entry;
        }
        run.shrink_to_fit();
        self.runs.push(run);
        Ok(())
    }

    /// Hands all entries to `put_in`, some keys' at a time, in the order in which they are to be put in; and forgets them. The entries of
    /// a key are sorted.
    pub fn put_in(&mut self, mut put_in: impl FnMut(&[&[Entry]])) -> Result<()> {
        self.pack()?;
        let mut merged = Merged::of(&self.runs);
        let mut some = Vec::new();
        some.try_reserve_exact(self.at_once).map_err(|_| error::too_little_memory())?;
        loop {
            some.clear();
            some.extend(merged.by_ref().take(self.at_once));
            if some.is_empty() {
                break;
            }
            in_two_goes(&some)?.iter().for_each(|go| put_in(go));
        }
        self.runs.clear();
        Ok(())
    }
}

/// The entries of each key: of those side by side some in the first go, and the others in the second. Error 53200 if there is no memory for them.
fn in_two_goes(sorted: &[Entry]) -> Result<[Vec<&[Entry]>; 2]> {
    let (mut goes, mut bytes) = ([Vec::new(), Vec::new()], [0, 0]);
    for of_key in copying::by_key(sorted) {
        let go = usize::from(bytes[1] * GOES[0] < bytes[0] * GOES[1]);
        bytes[go] += OF_KEY + Some(list_bytes(of_key)).filter(|bytes| *bytes <= LONGEST_LIST).unwrap_or(0);
        goes[go].try_reserve(1).map_err(|_| error::too_little_memory())?;
        goes[go].push(of_key);
    }
    Ok(goes)
}

/// Bytes of the places after the first, as GIN packs them: the differences, seven bits a byte.
fn list_bytes(of_key: &[Entry]) -> u64 {
    let differences = of_key.windows(2).take(LONGEST_LIST as usize + 1).map(|pair| match pair {
        [(_, before), (_, next)] => posting::place(*next) - posting::place(*before),
        _ => 0,
    });
    differences.map(|difference| u64::from(difference.max(1).ilog2()) / 7 + 1).sum()
}

// Packing.

/// Before all entries.
const FIRST: Entry = (i64::MIN, (0, 0));

/// What an entry has more than the one before: of its key, and of its place if that is the same.
fn pack(last: Entry, (key, place): Entry, run: &mut Vec<u8>) {
    let more = key.wrapping_sub(last.0) as u64;
    posting::push_difference(more, run);
    posting::push_difference(posting::place(place) - if more == 0 { posting::place(last.1) } else { 0 }, run);
}

/// A run, unpacked from its beginning.
struct Run<'a> {
    bytes: &'a [u8],
    last: Entry,
}

impl Iterator for Run<'_> {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        let more = posting::difference(&mut self.bytes)?;
        let place = posting::difference(&mut self.bytes)? + if more == 0 { posting::place(self.last.1) } else { 0 };
        self.last = (self.last.0.wrapping_add(more as i64), posting::row(place));
        Some(self.last)
    }
}

/// All runs together, by their order.
struct Merged<'a> {
    runs: Vec<Run<'a>>,
    heads: BinaryHeap<Reverse<(Entry, usize)>>,
}

impl<'a> Merged<'a> {
    fn of(runs: &'a [Vec<u8>]) -> Merged<'a> {
        let mut runs: Vec<Run> = runs.iter().map(|bytes| Run { bytes, last: FIRST }).collect();
        let heads = runs.iter_mut().enumerate().filter_map(|(n, run)| Some(Reverse((run.next()?, n)))).collect();
        Merged { runs, heads }
    }
}

impl Iterator for Merged<'_> {
    type Item = Entry;

    fn next(&mut self) -> Option<Entry> {
        let mut head = self.heads.peek_mut()?;
        let Reverse((entry, n)) = *head;
        match self.runs.get_mut(n).and_then(Run::next) {
            Some(next) => *head = Reverse((next, n)),
            None => {
                PeekMut::pop(head);
            }
        }
        Some(entry)
    }
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    fn entries() -> Vec<Entry> {
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
    fn all_are_put_in_once_and_each_go_is_sorted() {
        let mut all = entries();
        let mut collected = Collected::in_memory(0).expect("memory");
        for some in all.chunks(50) {
            collected.add(some.iter().copied()).expect("memory");
        }
        assert!(collected.runs.len() > 3);
        let (mut put_in, mut goes) = (Vec::new(), 0);
        collected
            .put_in(|go| {
                goes += 1;
                assert!(
                    go.iter().all(|of_key| of_key.is_sorted() && of_key.iter().all(|entry| entry.0 == of_key[0].0))
                );
                assert!(go.is_sorted());
                put_in.extend(go.concat());
            })
            .expect("memory");
        assert_eq!(goes, 2 * all.len().div_ceil(copying::MOST));
        put_in.sort_unstable();
        all.sort_unstable();
        assert!(put_in == all);
        collected.put_in(|go| assert!(go.is_empty())).expect("memory");
    }

    #[test]
    fn it_is_time_when_the_memory_is_full() {
        let mut collected = Collected::in_memory(1 << 21).expect("memory");
        let all = entries();
        let times: Vec<bool> =
            all.iter().map(|entry| collected.add(std::iter::once(*entry)).expect("memory")).collect();
        let first = times.iter().position(|time| *time).expect("full");
        // Packed, more than would fit otherwise.
        assert!(first > (1 << 21) / 4 * 3 / size_of::<Entry>(), "{first}");
    }

    /// Wherever one looks, about as much is left for the second go as a page that is left half full has room for.
    #[test]
    fn goes_are_even() {
        let mut all = entries();
        all.sort_unstable();
        let goes = in_two_goes(&all).expect("memory");
        let last = goes[0].len() * 9 / 10;
        for from in (0..last).step_by(1000) {
            let (low, high) = (goes[0][from][0].0, goes[0][from + 200][0].0);
            let between = goes[1].iter().filter(|of_key| (low..high).contains(&of_key[0].0)).count();
            assert!((140..175).contains(&between) || low < 25 && high > -25, "{between} of 200");
        }
    }
}
