//! A page of a GIN index as PostgreSQL 9.4 to 18 writes it (`access/ginblock.h`). pg_upgrade keeps
//! such pages.
//!
//! An index has a tree of keys. A key has a short list of places on the page itself, or a tree of
//! places of its own. Whatever a page says of itself is checked: what cannot be is None.

use crate::search::place::{BEGIN, END, Place, difference, place_of};
use pgrx::pg_sys;
use std::cmp::Ordering;
use std::ops::Range;

pub const PAGE_BYTES: usize = pg_sys::BLCKSZ as usize;
pub const ROOT: u32 = 1;
pub const NO_BLOCK: u32 = u32::MAX;

// Flags of a page.
const DATA: u16 = 1;
const LEAF: u16 = 1 << 1;
const DELETED: u16 = 1 << 2;
const COMPRESSED: u16 = 1 << 7;

/// Where the line pointers of a page of the tree of keys begin.
const LINES: usize = 24;

// A page of a tree of places has, instead of line pointers, its last possible place, and then its
// content.
const RIGHT_BOUND: usize = 24;
const CONTENT: usize = 32;

/// The bytes of a page, or of one of its tuples.
#[derive(Clone, Copy)]
pub struct GinPage<'a>(pub &'a [u8]);

/// What the index has of a key.
pub enum KeyEntry {
    Places(Vec<Place>),
    /// The root of a tree of places.
    Tree(u32),
}

/// A step in the tree of keys.
pub enum KeyStep {
    /// Look on in this block.
    To(u32),
    /// The page has the keys; further ones are in this block.
    Here(Option<u32>),
}

/// A page of a tree of places, for somebody who looks for a place.
pub enum PlaceStep {
    /// The place is further right, in this block.
    Right(u32),
    /// The page is an inner one, with these bytes.
    Inner(Vec<u8>),
    /// The page is a leaf, with this last possible place.
    Leaf(Place),
}

impl<'a> GinPage<'a> {
    fn short(self, at: usize) -> Option<u16> {
        self.0.get(at..)?.first_chunk().map(|bytes| u16::from_ne_bytes(*bytes))
    }

    fn long(self, at: usize) -> Option<u32> {
        self.0.get(at..)?.first_chunk().map(|bytes| u32::from_ne_bytes(*bytes))
    }

    /// The number of a block, in two halves as in item pointers.
    fn block(self, at: usize) -> Option<u32> {
        Some(u32::from(self.short(at)?) << 16 | u32::from(self.short(at + 2)?))
    }

    fn place(self, at: usize) -> Option<Place> {
        Some(place_of((self.block(at)?, self.short(at + 4)?)))
    }

    fn lower(self) -> Option<usize> {
        self.short(12).map(usize::from)
    }

    fn special(self) -> Option<usize> {
        self.short(16).map(usize::from)
    }

    /// The page to the right, or [`NO_BLOCK`].
    fn right(self) -> Option<u32> {
        self.long(self.special()?)
    }

    /// How many children an inner page of a tree of places has.
    pub fn children(self) -> Option<usize> {
        self.short(self.special()? + 4).map(usize::from)
    }

    fn flags(self) -> Option<u16> {
        self.short(self.special()? + 6)
    }

    // The tree of keys.

    fn lines(self) -> Option<usize> {
        Some(self.lower()?.checked_sub(LINES)? / 4)
    }

    /// The tuple of a line, counted from 0.
    fn tuple(self, line: usize) -> Option<GinPage<'a>> {
        let pointer = self.long(LINES + 4 * line)?;
        let (start, length) = (pointer & 0x7fff, pointer >> 17);
        self.0.get(start as usize..(start + length) as usize).map(GinPage)
    }

    fn key(self) -> Option<i64> {
        self.0.get(8..)?.first_chunk().map(|bytes| i64::from_ne_bytes(*bytes))
    }

    /// Compares a key with that of a tuple. A key that is NULL comes last.
    fn compare_key(self, key: i64) -> Option<Ordering> {
        if self.short(6)? & 0x8000 != 0 {
            return Some(Ordering::Less);
        }
        Some(key.cmp(&self.key()?))
    }

    /// Whether it is an inner page of the tree of keys.
    pub fn is_inner_of_keys(self) -> bool {
        self.flags().is_some_and(|flags| flags & (DATA | LEAF | DELETED) == 0)
    }

    /// Steps towards the keys from `key` to `last`. If the page has some, those that are wanted are
    /// added to `entries`, up to `most` entries in all.
    pub fn step_to_key(
        self,
        key: i64,
        last: i64,
        most: usize,
        is_wanted: &impl Fn(i64) -> bool,
        entries: &mut Vec<(i64, KeyEntry)>,
    ) -> Option<KeyStep> {
        let (flags, lines, right) = (self.flags()?, self.lines()?, self.right()?);
        if flags & DATA != 0 {
            return None;
        }
        let is_rightmost = right == NO_BLOCK;
        if !is_rightmost && (lines == 0 || self.tuple(lines - 1)?.compare_key(key)?.is_gt()) {
            return Some(KeyStep::To(right));
        }
        let mut line = self.first_line_from(key)?;
        if flags & LEAF == 0 {
            return Some(KeyStep::To(self.tuple(line)?.block(0)?));
        }
        while line < lines {
            let tuple = self.tuple(line)?;
            if entries.len() == most || tuple.compare_key(last)?.is_lt() {
                return Some(KeyStep::Here(None));
            }
            let key = tuple.key()?;
            if is_wanted(key)
                && let Some(entry) = tuple.entry()?
            {
                entries.push((key, entry));
            }
            line += 1;
        }
        let has_more = !is_rightmost && self.tuple(lines.checked_sub(1)?)?.compare_key(last)?.is_gt();
        Some(KeyStep::Here(has_more.then_some(right)))
    }

    /// The first line whose key is not before this one. On an inner page, a tuple has the last key
    /// of its child; the very last tuple of the level has none.
    fn first_line_from(self, key: i64) -> Option<usize> {
        let (lines, is_inner, is_rightmost) = (self.lines()?, self.flags()? & LEAF == 0, self.right()? == NO_BLOCK);
        let (mut low, mut high) = (0, lines);
        while low < high {
            let middle = low + (high - low) / 2;
            let is_without_key = is_inner && is_rightmost && middle == lines - 1;
            if !is_without_key && self.tuple(middle)?.compare_key(key)?.is_gt() {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        Some(low)
    }

    /// What a tuple has of its key. `Some(None)` is an empty list, which VACUUM leaves behind.
    fn entry(self) -> Option<Option<KeyEntry>> {
        let (offset, count) = (self.block(0)?, self.short(4)?);
        if count == u16::MAX {
            return Some(Some(KeyEntry::Tree(offset)));
        }
        let mut places = Vec::with_capacity(usize::from(count));
        if count > 0 {
            self.unpack((offset & 0x7fff_ffff) as usize, &mut places)?;
        }
        Some((!places.is_empty()).then_some(KeyEntry::Places(places)))
    }

    // A tree of places.

    /// Steps towards a place. The bytes of a leaf, as far as it is filled, are copied to `leaf`.
    pub fn step_to_place(self, place: Place, leaf: &mut Vec<u8>) -> Option<PlaceStep> {
        let flags = self.flags()?;
        if flags & DATA == 0 {
            return None;
        }
        if flags & DELETED != 0 || place > self.bound()? {
            return Some(PlaceStep::Right(self.right()?));
        }
        if flags & LEAF == 0 {
            return Some(PlaceStep::Inner(self.0.to_vec()));
        }
        if flags & COMPRESSED == 0 {
            return None;
        }
        leaf.clear();
        leaf.extend_from_slice(self.0.get(..self.lower()?)?);
        Some(PlaceStep::Leaf(self.bound()?))
    }

    /// The last place that can be on the page.
    fn bound(self) -> Option<Place> {
        if self.right()? == NO_BLOCK { Some(END) } else { self.place(RIGHT_BOUND) }
    }

    /// The child of an inner page in which a place would be.
    pub fn child(self, place: Place) -> Option<u32> {
        let (mut low, mut high) = (0, self.children()?.checked_sub(1)?);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.place(CONTENT + 10 * middle + 4)? < place {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        self.block(CONTENT + 10 * low)
    }

    /// The first place of the list that begins at `at`; [`END`] if the page ends there.
    fn first_of_list(self, at: usize) -> Option<Place> {
        if at < self.0.len() { self.place(at) } else { Some(END) }
    }

    /// The list that begins at `at`: its first place, and where the differences to the others begin
    /// and end.
    fn list(self, at: usize) -> Option<(Place, Range<usize>)> {
        let differences = at + 8..at + 8 + usize::from(self.short(at + 6)?);
        (differences.end <= self.0.len()).then_some((self.place(at)?, differences))
    }

    /// Unpacks the list that begins at `at`. Returns where the next one would begin.
    fn unpack(self, at: usize, places: &mut Vec<Place>) -> Option<usize> {
        let (mut place, differences) = self.list(at)?;
        let end = differences.end;
        let mut bytes = self.0.get(differences)?;
        places.reserve(1 + bytes.len());
        places.push(place);
        while !bytes.is_empty() {
            place = place.wrapping_add(difference(&mut bytes)?);
            places.push(place);
        }
        Some(end.next_multiple_of(2))
    }
}

/// A leaf of a tree of places. It consists of lists, and is read from the first place to the last.
pub struct Leaf {
    /// The page, as far as it is filled.
    pub bytes: Vec<u8>,
    /// The place that was found last: [`BEGIN`] before the first, [`END`] behind the last.
    pub current: Place,
    /// What was not read yet of the list of `current`.
    rest: Range<usize>,
    /// Where the next list begins.
    next: usize,
    /// The first place of the next list, or [`END`].
    next_first: Place,
}

impl Leaf {
    pub const NONE: Leaf = Leaf { bytes: Vec::new(), current: BEGIN, rest: 0..0, next: CONTENT, next_first: END };

    /// Begins with the current bytes. None if they are damaged.
    pub fn begin(&mut self) -> Option<()> {
        (self.rest, self.next) = (0..0, CONTENT);
        self.next_first = GinPage(&self.bytes).first_of_list(CONTENT)?;
        Some(())
    }

    /// The bytes of all lists.
    pub fn content_bytes(&self) -> usize {
        self.bytes.len().saturating_sub(CONTENT)
    }

    /// Goes on to the next list. Its first place is then the current one.
    fn next_list(&mut self) -> Option<()> {
        let page = GinPage(&self.bytes);
        let (first, rest) = page.list(self.next)?;
        self.next = rest.end.next_multiple_of(2);
        self.next_first = page.first_of_list(self.next)?;
        (self.current, self.rest) = (first, rest);
        Some(())
    }

    /// The first place from `place` on, which must be behind the current one; [`END`] if there is
    /// none. None if the page is damaged. Only one of the lists is unpacked.
    pub fn seek(&mut self, place: Place) -> Option<Place> {
        while self.next_first <= place && self.next_first != END {
            self.next_list()?;
        }
        let mut bytes = self.bytes.get(self.rest.clone())?;
        let mut current = self.current;
        while current < place && !bytes.is_empty() {
            current = current.wrapping_add(difference(&mut bytes)?);
        }
        self.rest.start = self.rest.end - bytes.len();
        self.current = current;
        if current < place && self.next_first != END {
            // The next list begins behind `place`.
            self.next_list()?;
        }
        Some(if self.current < place { END } else { self.current })
    }

    /// Hands all places to `look`, a list at a time. None if the page is damaged.
    pub fn each(&mut self, mut look: impl FnMut(&[Place])) -> Option<()> {
        let mut places = Vec::new();
        while self.next_first != END {
            places.clear();
            self.next = GinPage(&self.bytes).unpack(self.next, &mut places)?;
            self.next_first = GinPage(&self.bytes).first_of_list(self.next)?;
            look(&places);
        }
        Some(())
    }
}

#[cfg(test)]
mod unit_tests {
    use super::*;
    use crate::search::place::{address_of, item_pointer, push_difference};

    /// A list as GIN packs it.
    fn packed(places: &[Place]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for pair in places.windows(2) {
            push_difference(pair[1] - pair[0], &mut bytes);
        }
        let first = item_pointer(address_of(places[0]));
        let mut list = Vec::new();
        for half in [first.ip_blkid.bi_hi, first.ip_blkid.bi_lo, first.ip_posid, bytes.len() as u16] {
            list.extend(half.to_ne_bytes());
        }
        list.extend(bytes);
        list
    }

    #[test]
    fn unpacks_what_gin_packs() {
        let near: Vec<Place> = (1..200).collect();
        let far = vec![1, 2047, 2049, 1 << 20, (1 << 43) - 1];
        for places in [near, far, vec![5]] {
            let (list, mut unpacked) = (packed(&places), Vec::new());
            assert_eq!(GinPage(&list).unpack(0, &mut unpacked), Some(list.len().next_multiple_of(2)));
            assert_eq!(unpacked, places);
            assert_eq!(GinPage(&list[..list.len() - 1]).unpack(0, &mut Vec::new()), None);
        }
    }

    /// Each place of a leaf of several lists, and those between, is looked for from each other.
    #[test]
    fn reads_through_a_leaf() {
        let lists: [Vec<Place>; 4] =
            [vec![3, 4, 9, 300], vec![301], (400..500).step_by(3).collect(), vec![70_000, 1 << 30]];
        let places: Vec<Place> = lists.concat();
        let mut bytes = vec![0; CONTENT];
        for list in &lists {
            bytes.extend(packed(list));
            bytes.resize(bytes.len().next_multiple_of(2), 0);
        }
        let begun = || {
            let mut leaf = Leaf { bytes: bytes.clone(), ..Leaf::NONE };
            leaf.begin().expect("a leaf");
            leaf
        };
        let sought: Vec<Place> = places.iter().flat_map(|place| [place - 1, *place, place + 1]).collect();
        let after = |from: Place| places.iter().copied().find(|place| *place >= from).unwrap_or(END);
        for (n, first) in sought.iter().enumerate() {
            let mut leaf = begun();
            assert_eq!(leaf.seek(*first), Some(after(*first)), "{first}");
            for second in sought[n..].iter().filter(|second| **second > after(*first)) {
                let mut leaf = begun();
                assert_eq!(leaf.seek(*first), Some(after(*first)), "{first}");
                assert_eq!(leaf.seek(*second), Some(after(*second)), "{first} {second}");
            }
        }
        let mut all = Vec::new();
        assert!(begun().each(|some| all.extend_from_slice(some)).is_some());
        assert_eq!(all, places);
        let mut cut = begun();
        cut.bytes.truncate(bytes.len() - 3);
        assert_eq!(cut.seek(1 << 30), None);
    }

    /// A damaged page is an error. It must neither end the server nor keep the search from ending.
    #[test]
    fn no_page_is_too_damaged() {
        let mut state = 1_u64;
        let mut random = move || {
            // Steele, Lea, Flood: SplitMix64.
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed ^ (mixed >> 29)
        };
        for round in 0..20_000 {
            let mut bytes = vec![0; PAGE_BYTES];
            bytes.chunks_mut(8).for_each(|chunk| chunk.copy_from_slice(&random().to_ne_bytes()));
            if round % 2 == 0 {
                // These make the page look right, so that more of it is read.
                bytes[12..14].copy_from_slice(&(LINES as u16 + 4 * (random() % 20) as u16).to_ne_bytes());
                bytes[16..18].copy_from_slice(&(PAGE_BYTES as u16 - 8).to_ne_bytes());
                bytes[PAGE_BYTES - 2..].copy_from_slice(&((random() % 256) as u16).to_ne_bytes());
            }
            let page = GinPage(&bytes);
            let (key, place) = (random() as i64, random() >> 11);
            page.step_to_key(key, key.saturating_add(100), 10, &|_| true, &mut Vec::new());
            page.child(place);
            page.bound();
            page.unpack(CONTENT, &mut Vec::new());
        }
    }
}
