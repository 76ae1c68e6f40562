//! Posting lists of the search index: where the index says that customers with a key are. Read from the pages as GIN keeps them.
//!
//! GIN's own scan reads on from each place it looks for to the end of the page, some thousands of places further. To find what several
//! lists have in common, most of which are long, is to look for many places: here each is found by the short pieces that a page is
//! made of, and only one of them is unpacked.
//!
//! The pages are those of PostgreSQL 9.4 to 18 (`access/ginblock.h`), which pg_upgrade keeps as they are. They are read as GIN reads
//! them (`access/gin/README`, "Concurrency"): one page is locked at a time; what a split has moved meanwhile, lies to the right; pages
//! of the tree of keys are never deleted, and those of a tree of places are not used again while a snapshot from before is held.

use crate::error::{self, Result};
use crate::pg::unguarded;
use pgrx::pg_sys;
use std::cell::{Cell, RefCell};
use std::cmp::Ordering;
use std::ops::Range;

/// Where a row is in the table, so that places are sorted as rows are: the number of its block, times 2^11, and its line.
pub type Place = u64;

/// Before all places, of which lines are counted from 1; and behind them.
pub const BEGIN: Place = 0;
pub const END: Place = u64::MAX;

/// Bits for the line, as the packed form of GIN's lists has them.
const LINE_BITS: u32 = 11;

/// The block of a place.
pub fn block_of(place: Place) -> u32 {
    (place >> LINE_BITS) as u32
}

/// The place of a row, by its block and line.
pub fn place((block, line): (u32, u16)) -> Place {
    u64::from(block) << LINE_BITS | u64::from(line)
}

/// The row at a place.
pub fn row(place: Place) -> (u32, u16) {
    (block_of(place), (place & ((1 << LINE_BITS) - 1)) as u16)
}

/// A place as PostgreSQL has it.
pub fn as_item_pointer(place: Place) -> pg_sys::ItemPointerData {
    let (block, line) = row(place);
    item_pointer(block, line)
}

pub fn item_pointer(block: u32, line: u16) -> pg_sys::ItemPointerData {
    let block = pg_sys::BlockIdData { bi_hi: (block >> 16) as u16, bi_lo: block as u16 };
    pg_sys::ItemPointerData { ip_blkid: block, ip_posid: line }
}

pub fn block_and_line(pointer: &pg_sys::ItemPointerData) -> (u32, u16) {
    (u32::from(pointer.ip_blkid.bi_hi) << 16 | u32::from(pointer.ip_blkid.bi_lo), pointer.ip_posid)
}

/// As many keys as there are.
pub const ALL: usize = usize::MAX;

/// Pages that are copied, at most.
const UPPER_PAGES: usize = 64;

const ROOT: u32 = 1;
const NO_BLOCK: u32 = u32::MAX;
const PAGE: usize = pg_sys::BLCKSZ as usize;

// Flags of a page.
const DATA: u16 = 1;
const LEAF: u16 = 1 << 1;
const DELETED: u16 = 1 << 2;
const COMPRESSED: u16 = 1 << 7;

/// Where things begin on a page: its line pointers; of a page of places, what it has instead of them.
const LINES: usize = 24;
const RIGHT_BOUND: usize = 24;
const CONTENT: usize = 32;

/// The index that posting lists are read from.
pub struct Index {
    relation: pg_sys::Relation,
    snapshot: pg_sys::Snapshot,
    /// The upper pages of the tree of keys, copied: splits since then have moved keys to the right only.
    upper: RefCell<Vec<(u32, Vec<u8>)>>,
    /// Whether a posting list came to something that cannot be.
    damaged: Cell<bool>,
}

impl Index {
    /// # Safety
    /// `relation` must be an open and locked index of GIN's layout over keys of type bigint, and the snapshot be held, for as long as
    /// this and what is read from it are used.
    pub unsafe fn new(relation: pg_sys::Relation, snapshot: pg_sys::Snapshot) -> Index {
        Index { relation, snapshot, upper: RefCell::default(), damaged: Cell::new(false) }
    }

    /// Error XX002 if what was read of the posting lists is damaged.
    pub fn check(&self) -> Result<()> {
        if self.damaged.get() { Err(error::damaged_index()) } else { Ok(()) }
    }

    /// Lets `read` look at a page.
    #[allow(ffi_unwind_calls)]
    fn page<T>(&self, block: u32, read: impl FnOnce(Page) -> T) -> T {
        // SAFETY: the index is open. The page stays pinned and locked while `read` looks at it, which calls nothing of PostgreSQL's. Reading
        // may fail, and is under pgrx's guard; what is locked can be unlocked.
        unsafe {
            let buffer = pg_sys::ffi::pg_guard_ffi_boundary(|| {
                let buffer = unguarded::ReadBuffer(self.relation, block);
                unguarded::LockBuffer(buffer, pg_sys::BUFFER_LOCK_SHARE as i32);
                buffer
            });
            let page = pg_sys::BufferGetPage(buffer).cast::<u8>();
            let result = read(Page(std::slice::from_raw_parts(page, PAGE)));
            unguarded::UnlockReleaseBuffer(buffer);
            result
        }
    }

    /// For a serializable transaction: who writes to what was read from that page conflicts with it.
    #[allow(ffi_unwind_calls)]
    fn will_read(&self, block: u32) {
        // SAFETY: the index is open, and the snapshot held. Under pgrx's guard.
        unsafe {
            pg_sys::ffi::pg_guard_ffi_boundary(|| unguarded::PredicateLockPage(self.relation, block, self.snapshot))
        }
    }

    /// The blocks of the table, as far as the index can tell where places end.
    pub fn table_blocks(&self) -> u32 {
        // SAFETY: the index is open, and so is its table wherever it is scanned; NULL where it is not.
        unsafe {
            let table = pg_sys::RelationIdGetRelation((*(*self.relation).rd_index).indrelid);
            if table.is_null() {
                return 0;
            }
            let blocks = pg_sys::RelationGetNumberOfBlocksInFork(table, pg_sys::ForkNumber::MAIN_FORKNUM);
            pg_sys::RelationClose(table);
            blocks
        }
    }

    /// The posting list of a key; None if nobody has it. Error XX002 if the index is damaged.
    pub fn find(&self, key: i64) -> Result<Option<Posting<'_>>> {
        Ok(self.range(key, key, 1)?.pop().map(|(_, posting)| posting))
    }

    /// The keys from the first to the last, so many at most, and their posting lists. Error XX002 if the index is damaged.
    pub fn range(&self, first: i64, last: i64, most: usize) -> Result<Vec<(i64, Posting<'_>)>> {
        self.range_of(first, last, most, |_| true)
    }

    /// The same of those keys alone that are wanted.
    pub fn range_of(
        &self,
        first: i64,
        last: i64,
        most: usize,
        is_wanted: impl Fn(i64) -> bool,
    ) -> Result<Vec<(i64, Posting<'_>)>> {
        let entries = self.entries(first, last, most, is_wanted).ok_or_else(error::damaged_index)?;
        let mut postings = Vec::with_capacity(entries.len());
        for (key, entry) in entries {
            let posting = match entry {
                Entry::Places(places) => Posting::Short { places, at: 0 },
                Entry::Tree(root) => Posting::Long(Tree::new(self, root).ok_or_else(error::damaged_index)?),
            };
            postings.push((key, posting));
        }
        Ok(postings)
    }

    /// The first key that somebody has, of those from one to another. Error XX002 if the index is damaged.
    pub fn first_key(&self, first: i64, last: i64) -> Result<Option<i64>> {
        let entries = self.entries(first, last, 1, |_| true).ok_or_else(error::damaged_index)?;
        Ok(entries.first().map(|(key, _)| *key))
    }

    /// What the tree of keys has from one key to another of those that are wanted, the first so many at most. None if it is damaged.
    fn entries(
        &self,
        first: i64,
        last: i64,
        most: usize,
        is_wanted: impl Fn(i64) -> bool,
    ) -> Option<Vec<(i64, Entry)>> {
        // SAFETY: a variable of the backend.
        let serializable = unsafe { pg_sys::XactIsoLevel } == pg_sys::XACT_SERIALIZABLE as i32;
        let (mut block, mut noted) = (ROOT, NO_BLOCK);
        let mut entries = Vec::new();
        loop {
            let found = entries.len();
            let known = self
                .upper
                .borrow()
                .iter()
                .find(|(known, _)| *known == block)
                .map(|(_, page)| Page(page).step_to_key(first, last, most, &is_wanted, &mut entries));
            let step = match known {
                Some(step) => step,
                None => self.page(block, |page| {
                    if page.is_upper() && self.upper.borrow().len() < UPPER_PAGES {
                        self.upper.borrow_mut().push((block, page.0.to_vec()));
                    }
                    page.step_to_key(first, last, most, &is_wanted, &mut entries)
                }),
            };
            match step? {
                Step::To(next) => block = next,
                // Noted before it is read: what comes in between is then seen by one or the other.
                Step::Here(_) if serializable && noted != block => {
                    self.will_read(block);
                    noted = block;
                    entries.truncate(found);
                }
                Step::Here(Some(next)) if entries.len() < most => block = next,
                Step::Here(_) => break,
            }
            pgrx::check_for_interrupts!();
        }
        for (_, entry) in &entries {
            if let (true, Entry::Tree(root)) = (serializable, entry) {
                self.will_read(*root);
            }
        }
        Some(entries)
    }
}

/// What the index has of a key: some places, or the root of a tree of places.
enum Entry {
    Places(Vec<Place>),
    Tree(u32),
}

/// Where to go on looking for a key; or here it is, and where others follow.
enum Step {
    To(u32),
    Here(Option<u32>),
}

/// A page. Whatever it says of itself is checked: None where it cannot be.
#[derive(Clone, Copy)]
struct Page<'a>(&'a [u8]);

impl<'a> Page<'a> {
    fn short(self, at: usize) -> Option<u16> {
        self.0.get(at..)?.first_chunk().map(|bytes| u16::from_ne_bytes(*bytes))
    }

    fn long(self, at: usize) -> Option<u32> {
        self.0.get(at..)?.first_chunk().map(|bytes| u32::from_ne_bytes(*bytes))
    }

    /// A number of a block, as it stands in item pointers: in two halves.
    fn block(self, at: usize) -> Option<u32> {
        Some(u32::from(self.short(at)?) << 16 | u32::from(self.short(at + 2)?))
    }

    fn place(self, at: usize) -> Option<Place> {
        Some(place((self.block(at)?, self.short(at + 4)?)))
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

    /// How many children a page of a tree of places has.
    fn children(self) -> Option<usize> {
        self.short(self.special()? + 4).map(usize::from)
    }

    fn flags(self) -> Option<u16> {
        self.short(self.special()? + 6)
    }

    // A page of the tree of keys.

    fn lines(self) -> Option<usize> {
        Some(self.lower()?.checked_sub(LINES)? / 4)
    }

    /// The tuple of a line, counted from 0.
    fn tuple(self, line: usize) -> Option<Page<'a>> {
        let pointer = self.long(LINES + 4 * line)?;
        let (start, length) = (pointer & 0x7fff, pointer >> 17);
        self.0.get(start as usize..(start + length) as usize).map(Page)
    }

    fn key(self) -> Option<i64> {
        self.0.get(8..)?.first_chunk().map(|bytes| i64::from_ne_bytes(*bytes))
    }

    /// A key, compared with that of a tuple. Keys that are NULL come last.
    fn compare_key(self, key: i64) -> Option<Ordering> {
        if self.short(6)? & 0x8000 != 0 {
            return Some(Ordering::Less);
        }
        Some(key.cmp(&self.key()?))
    }

    /// Whether it is an inner page of the tree of keys.
    fn is_upper(self) -> bool {
        self.flags().is_some_and(|flags| flags & (DATA | LEAF | DELETED) == 0)
    }

    /// The way to the keys from `key` to `last`, or what the page has of them.
    fn step_to_key(
        self,
        key: i64,
        last: i64,
        most: usize,
        is_wanted: &impl Fn(i64) -> bool,
        entries: &mut Vec<(i64, Entry)>,
    ) -> Option<Step> {
        let (flags, lines, right) = (self.flags()?, self.lines()?, self.right()?);
        if flags & DATA != 0 {
            return None;
        }
        let is_rightmost = right == NO_BLOCK;
        if !is_rightmost && (lines == 0 || self.tuple(lines - 1)?.compare_key(key)?.is_gt()) {
            return Some(Step::To(right));
        }
        // The first tuple whose key is not below: of inner pages a tuple has the last key of its child, the very last none.
        let (mut low, mut high) = (0, lines);
        while low < high {
            let middle = low + (high - low) / 2;
            let infinite = flags & LEAF == 0 && is_rightmost && middle == lines - 1;
            if !infinite && self.tuple(middle)?.compare_key(key)?.is_gt() {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        if flags & LEAF == 0 {
            return Some(Step::To(self.tuple(low)?.block(0)?));
        }
        while low < lines {
            let tuple = self.tuple(low)?;
            if entries.len() == most || tuple.compare_key(last)?.is_lt() {
                return Some(Step::Here(None));
            }
            let key = tuple.key()?;
            if is_wanted(key)
                && let Some(entry) = tuple.entry()?
            {
                entries.push((key, entry));
            }
            low += 1;
        }
        Some(Step::Here(
            (!is_rightmost && self.tuple(lines.checked_sub(1)?)?.compare_key(last)?.is_gt()).then_some(right),
        ))
    }

    /// What a tuple has of its key; None inside if it is an empty list, which VACUUM leaves behind.
    fn entry(self) -> Option<Option<Entry>> {
        let (offset, count) = (self.block(0)?, self.short(4)?);
        if count == u16::MAX {
            return Some(Some(Entry::Tree(offset)));
        }
        let mut places = Vec::with_capacity(usize::from(count));
        if count > 0 {
            self.unpack((offset & 0x7fff_ffff) as usize, &mut places)?;
        }
        Some((!places.is_empty()).then_some(Entry::Places(places)))
    }

    // A page of a tree of places.

    /// The last place that can be on it.
    fn bound(self) -> Option<Place> {
        if self.right()? == NO_BLOCK { Some(END) } else { self.place(RIGHT_BOUND) }
    }

    /// The child of an inner page in which a place would be.
    fn child(self, place: Place) -> Option<u32> {
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

    /// The first place of the list that begins there; END if that is the end of the page.
    fn first_of(self, at: usize) -> Option<Place> {
        if at < self.0.len() { self.place(at) } else { Some(END) }
    }

    /// The list that begins there: its first place, and where the differences to the others begin and end.
    fn list(self, at: usize) -> Option<(Place, Range<usize>)> {
        let differences = at + 8..at + 8 + usize::from(self.short(at + 6)?);
        (differences.end <= self.0.len()).then_some((self.place(at)?, differences))
    }

    /// Unpacks the list that begins there, and tells where the next one would.
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

/// The next of the differences that a list consists of: seven bits a byte, the lower ones first. Few take more than three bytes.
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

/// Adds a difference in the form that [`difference`] reads.
pub fn push_difference(mut difference: u64, bytes: &mut Vec<u8>) {
    while difference >= 0x80 {
        bytes.push(difference as u8 | 0x80);
        difference >>= 7;
    }
    bytes.push(difference as u8);
}

/// A posting list, gone through from the first place to the last.
pub enum Posting<'a> {
    Short { places: Vec<Place>, at: usize },
    Long(Tree<'a>),
}

impl Posting<'_> {
    /// About how many places there are.
    pub fn size(&self) -> u64 {
        match self {
            Posting::Short { places, .. } => places.len() as u64,
            Posting::Long(tree) => tree.size(),
        }
    }

    /// Hands all places to `look`, some at a time, in their order. What is damaged ends there; see [`Index::check`].
    pub fn each(self, look: impl FnMut(&[Place])) {
        match self {
            Posting::Short { places, .. } => std::iter::once(places.as_slice()).for_each(look),
            Posting::Long(mut tree) => {
                let index = tree.index;
                index.damaged.set(index.damaged.get() || tree.each(look).is_none());
            }
        }
    }

    /// The first place that is not before `place`, which must not be before that of a former call. What is damaged ends there; see
    /// [`Index::check`].
    pub fn seek(&mut self, place: Place) -> Place {
        match self {
            Posting::Short { places, at } => {
                *at += first_from(places.get(*at..).unwrap_or_default(), place);
                places.get(*at).copied().unwrap_or(END)
            }
            Posting::Long(tree) if place <= tree.leaf.current => tree.leaf.current,
            Posting::Long(tree) => tree.seek(place).unwrap_or_else(|| {
                tree.index.damaged.set(true);
                tree.leaf.current = END;
                END
            }),
        }
    }
}

/// How many of the sorted places come before one: near the beginning mostly.
fn first_from(places: &[Place], place: Place) -> usize {
    let mut reach = 1;
    while places.get(reach).is_some_and(|there| *there < place) {
        reach *= 2;
    }
    let from = reach / 2;
    let to = places.len().min(reach + 1);
    from + places.get(from..to).unwrap_or_default().partition_point(|there| *there < place)
}

/// A leaf of a tree of places: lists, gone through from the first place to the last.
struct Leaf {
    /// The page, as far as it is filled.
    bytes: Vec<u8>,
    /// The last place that was found; [`BEGIN`] before the first, [`END`] behind the last.
    current: Place,
    /// Of its list what was not looked at yet.
    rest: Range<usize>,
    /// Where the next list begins, and its first place; [`END`] if there is none.
    next: usize,
    next_first: Place,
}

impl Leaf {
    const NONE: Leaf = Leaf { bytes: Vec::new(), current: BEGIN, rest: 0..0, next: CONTENT, next_first: END };

    /// Begins with the page that it has now. None if that is damaged.
    fn begin(&mut self) -> Option<()> {
        (self.rest, self.next) = (0..0, CONTENT);
        self.next_first = Page(&self.bytes).first_of(CONTENT)?;
        Some(())
    }

    /// Goes on to the next list, with its first place as the current one.
    fn next_list(&mut self) -> Option<()> {
        let page = Page(&self.bytes);
        let (first, rest) = page.list(self.next)?;
        self.next = rest.end.next_multiple_of(2);
        self.next_first = page.first_of(self.next)?;
        (self.current, self.rest) = (first, rest);
        Some(())
    }

    /// The first place from `place` on, which must be behind the current one; [`END`] if there is none. None if the page is damaged.
    fn seek(&mut self, place: Place) -> Option<Place> {
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
            // It is behind the place.
            self.next_list()?;
        }
        Some(if self.current < place { END } else { self.current })
    }

    /// Hands all places to `look`, a list at a time. None if the page is damaged.
    fn each(&mut self, mut look: impl FnMut(&[Place])) -> Option<()> {
        let mut places = Vec::new();
        while self.next_first != END {
            places.clear();
            self.next = Page(&self.bytes).unpack(self.next, &mut places)?;
            self.next_first = Page(&self.bytes).first_of(self.next)?;
            look(&places);
        }
        Some(())
    }
}

/// A tree of places, read from left to right.
pub struct Tree<'a> {
    index: &'a Index,
    /// The inner pages on the way down, copied: splits since then have moved places to the right only.
    inner: Vec<(u32, Vec<u8>)>,
    root: u32,
    leaf: Leaf,
    /// The last place that can be on the leaf.
    bound: Place,
}

impl<'a> Tree<'a> {
    /// None if it is damaged.
    fn new(index: &'a Index, root: u32) -> Option<Tree<'a>> {
        let mut tree = Tree { index, inner: Vec::new(), root, leaf: Leaf::NONE, bound: BEGIN };
        tree.descend(BEGIN)?;
        Some(tree)
    }

    /// The first place from `place` on, which must be behind the current one. None if the tree is damaged.
    fn seek(&mut self, mut place: Place) -> Option<Place> {
        loop {
            if place > self.bound {
                self.descend(place)?;
            }
            let there = self.leaf.seek(place)?;
            if there != END || self.bound == END {
                self.leaf.current = there;
                return Some(there);
            }
            place = place.max(self.bound + 1);
        }
    }

    /// Hands all places to `look`, a list at a time. None if the tree is damaged.
    fn each(&mut self, mut look: impl FnMut(&[Place])) -> Option<()> {
        loop {
            self.leaf.each(&mut look)?;
            if self.bound == END {
                return Some(());
            }
            self.descend(self.bound + 1)?;
        }
    }

    /// Goes to the leaf where a place would be. None if the tree is damaged.
    fn descend(&mut self, place: Place) -> Option<()> {
        let (mut level, mut block) = (0, self.root);
        loop {
            if let Some((known, page)) = self.inner.get(level)
                && *known == block
            {
                block = Page(page).child(place)?;
                level += 1;
                continue;
            }
            // A page that was read for another place, and what is below it. Damaged pages may lead in a circle.
            self.inner.truncate(level);
            pgrx::check_for_interrupts!();
            let (index, leaf) = (self.index, &mut self.leaf.bytes);
            let kind = index.page(block, |page| {
                let flags = page.flags()?;
                if flags & DATA == 0 {
                    return None;
                }
                if flags & DELETED != 0 || place > page.bound()? {
                    return Some(Kind::Passed(page.right()?));
                }
                if flags & LEAF == 0 {
                    return Some(Kind::Inner(page.0.to_vec()));
                }
                if flags & COMPRESSED == 0 {
                    return None;
                }
                leaf.clear();
                leaf.extend_from_slice(page.0.get(..page.lower()?)?);
                Some(Kind::Leaf(page.bound()?))
            });
            match kind? {
                Kind::Passed(NO_BLOCK) => {
                    self.leaf.bytes.clear();
                    self.bound = END;
                    return self.leaf.begin();
                }
                Kind::Passed(right) => block = right,
                Kind::Inner(page) => {
                    // Its own number: a page to the right of the one that was asked for is asked for the next time too.
                    self.inner.push((block, page));
                }
                Kind::Leaf(bound) => {
                    self.bound = bound;
                    return self.leaf.begin();
                }
            }
        }
    }

    /// About how many places there are: if all leaves were as full as this one, and a difference took two bytes.
    fn size(&self) -> u64 {
        let pages = self.inner.iter().map(|(_, page)| Page(page).children().unwrap_or(1) as u64);
        pages.fold(self.leaf.bytes.len().saturating_sub(CONTENT) as u64 / 2, u64::saturating_mul)
    }
}

/// What a page of a tree of places is to who looks for a place.
enum Kind {
    /// To be found further right.
    Passed(u32),
    Inner(Vec<u8>),
    /// Its last possible place.
    Leaf(Place),
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    /// A list as GIN packs it.
    fn packed(places: &[Place]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for pair in places.windows(2) {
            push_difference(pair[1] - pair[0], &mut bytes);
        }
        let first = as_item_pointer(places[0]);
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
            assert_eq!(Page(&list).unpack(0, &mut unpacked), Some(list.len().next_multiple_of(2)));
            assert_eq!(unpacked, places);
            assert_eq!(Page(&list[..list.len() - 1]).unpack(0, &mut Vec::new()), None);
        }
    }

    /// A leaf of several lists, of which each place is looked for from each, and those between them.
    #[test]
    fn goes_through_a_leaf() {
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

    #[test]
    fn finds_the_first_that_is_not_before() {
        let places = [2, 3, 5, 8, 13, 21];
        for place in 0..=21 {
            assert_eq!(first_from(&places, place), places.iter().filter(|there| **there < place).count(), "{place}");
        }
        assert_eq!(first_from(&[], 7), 0);
    }

    /// What is damaged is an error, and neither the end of the server nor of the search.
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
            let mut bytes = vec![0; PAGE];
            bytes.chunks_mut(8).for_each(|chunk| chunk.copy_from_slice(&random().to_ne_bytes()));
            if round % 2 == 0 {
                // So that it is looked into further.
                bytes[12..14].copy_from_slice(&(LINES as u16 + 4 * (random() % 20) as u16).to_ne_bytes());
                bytes[16..18].copy_from_slice(&(PAGE as u16 - 8).to_ne_bytes());
                bytes[PAGE - 2..].copy_from_slice(&((random() % 256) as u16).to_ne_bytes());
            }
            let page = Page(&bytes);
            let (key, place) = (random() as i64, random() >> 11);
            page.step_to_key(key, key.saturating_add(100), 10, &|_| true, &mut Vec::new());
            page.child(place);
            page.bound();
            page.unpack(CONTENT, &mut Vec::new());
        }
    }
}
