//! Posting lists of the search index: the places of the customers that have a key.
//!
//! GIN's own scan reads on from each place that it looks for to the end of the page, some thousands
//! of places further. The places that several long lists have in common are found by many look-ups.
//! So here a look-up goes by the short lists that a page consists of, and unpacks only one of them.
//!
//! Pages are read as GIN reads them (`access/gin/README`, "Concurrency"). One page is locked at a
//! time. What a split has moved meanwhile is further right. Pages of the tree of keys are never
//! deleted. Deleted pages of a tree of places are not reused while a snapshot from before is held.

use super::page::{GinPage, KeyEntry, KeyStep, Leaf, NO_BLOCK, PAGE_BYTES, PlaceStep, ROOT};
use crate::error::{self, Result};
use crate::pg::unguarded;
use crate::search::place::{BEGIN, END, Place};
use pgrx::pg_sys;
use std::cell::{Cell, RefCell};

/// The most inner pages of the tree of keys that are copied.
const MAX_COPIED_PAGES: usize = 64;

/// The index that posting lists are read from.
pub struct Index {
    relation: pg_sys::Relation,
    snapshot: pg_sys::Snapshot,
    /// Copies of inner pages of the tree of keys. Splits since then have only moved keys to the
    /// right.
    inner: RefCell<Vec<(u32, Vec<u8>)>>,
    /// Whether a posting list was found to be damaged.
    is_damaged: Cell<bool>,
}

impl Index {
    /// # Safety
    /// `relation` must be an open and locked index in GIN's layout with keys of type bigint. It
    /// must stay so, and the snapshot be held, for as long as this and what is read from it are
    /// used.
    pub unsafe fn new(relation: pg_sys::Relation, snapshot: pg_sys::Snapshot) -> Index {
        Index { relation, snapshot, inner: RefCell::default(), is_damaged: Cell::new(false) }
    }

    /// Error XX002 if a posting list that was read is damaged.
    pub fn check(&self) -> Result<()> {
        if self.is_damaged.get() { Err(error::damaged_index()) } else { Ok(()) }
    }

    /// Lets `read` look at a page.
    #[allow(ffi_unwind_calls)]
    fn page<T>(&self, block: u32, read: impl FnOnce(GinPage) -> T) -> T {
        // SAFETY: the index is open. The page stays pinned and locked while `read` looks at it,
        // which calls nothing of PostgreSQL's. Reading may fail, and is under pgrx's guard; what is
        // locked can be unlocked.
        unsafe {
            let buffer = pg_sys::ffi::pg_guard_ffi_boundary(|| {
                let buffer = unguarded::ReadBuffer(self.relation, block);
                unguarded::LockBuffer(buffer, pg_sys::BUFFER_LOCK_SHARE as i32);
                buffer
            });
            let page = pg_sys::BufferGetPage(buffer).cast::<u8>();
            let result = read(GinPage(std::slice::from_raw_parts(page, PAGE_BYTES)));
            unguarded::UnlockReleaseBuffer(buffer);
            result
        }
    }

    /// For a serializable transaction: whoever writes what was read from that page conflicts with
    /// it.
    #[allow(ffi_unwind_calls)]
    fn lock_for_serializable(&self, block: u32) {
        // SAFETY: the index is open, and the snapshot held. Under pgrx's guard.
        unsafe {
            pg_sys::ffi::pg_guard_ffi_boundary(|| unguarded::PredicateLockPage(self.relation, block, self.snapshot))
        }
    }

    /// The blocks of the table: behind them are no places.
    pub fn table_blocks(&self) -> u32 {
        // SAFETY: the index is open, and so is its table wherever it is scanned; NULL where it is
        // not.
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

    /// The posting list of a key; None if no customer has it. Error XX002 if the index is damaged.
    pub fn find(&self, key: i64) -> Result<Option<Posting<'_>>> {
        Ok(self.range(key, key, 1)?.pop().map(|(_, posting)| posting))
    }

    /// The first `most` keys of a range that the index has, and their posting lists. Error XX002 if
    /// the index is damaged.
    pub fn range(&self, first: i64, last: i64, most: usize) -> Result<Vec<(i64, Posting<'_>)>> {
        self.range_where(first, last, most, |_| true)
    }

    /// The same, of the wanted keys only.
    pub fn range_where(
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
                KeyEntry::Places(places) => Posting::Short { places, at: 0 },
                KeyEntry::Tree(root) => Posting::Long(PlaceTree::new(self, root).ok_or_else(error::damaged_index)?),
            };
            postings.push((key, posting));
        }
        Ok(postings)
    }

    /// The first key of a range that the index has. Error XX002 if the index is damaged.
    pub fn first_key(&self, first: i64, last: i64) -> Result<Option<i64>> {
        let entries = self.entries(first, last, 1, |_| true).ok_or_else(error::damaged_index)?;
        Ok(entries.first().map(|(key, _)| *key))
    }

    /// What the tree of keys has of the wanted keys of a range, the first `most` of them. None if
    /// it is damaged.
    fn entries(
        &self,
        first: i64,
        last: i64,
        most: usize,
        is_wanted: impl Fn(i64) -> bool,
    ) -> Option<Vec<(i64, KeyEntry)>> {
        // SAFETY: a variable of the backend.
        let is_serializable = unsafe { pg_sys::XactIsoLevel } == pg_sys::XACT_SERIALIZABLE as i32;
        let (mut block, mut locked) = (ROOT, NO_BLOCK);
        let mut entries = Vec::new();
        loop {
            let found = entries.len();
            let from_copy = self
                .inner
                .borrow()
                .iter()
                .find(|(copied, _)| *copied == block)
                .map(|(_, page)| GinPage(page).step_to_key(first, last, most, &is_wanted, &mut entries));
            let step = match from_copy {
                Some(step) => step,
                None => self.page(block, |page| {
                    if page.is_inner_of_keys() && self.inner.borrow().len() < MAX_COPIED_PAGES {
                        self.inner.borrow_mut().push((block, page.0.to_vec()));
                    }
                    page.step_to_key(first, last, most, &is_wanted, &mut entries)
                }),
            };
            match step? {
                KeyStep::To(next) => block = next,
                // Lock first and read again: so a write in between is either seen or conflicts.
                KeyStep::Here(_) if is_serializable && locked != block => {
                    self.lock_for_serializable(block);
                    locked = block;
                    entries.truncate(found);
                }
                KeyStep::Here(Some(next)) if entries.len() < most => block = next,
                KeyStep::Here(_) => break,
            }
            pgrx::check_for_interrupts!();
        }
        for (_, entry) in &entries {
            if let (true, KeyEntry::Tree(root)) = (is_serializable, entry) {
                self.lock_for_serializable(*root);
            }
        }
        Some(entries)
    }
}

/// A posting list, read from the first place to the last.
pub enum Posting<'a> {
    Short { places: Vec<Place>, at: usize },
    Long(PlaceTree<'a>),
}

impl Posting<'_> {
    /// About how many places there are.
    pub fn size(&self) -> u64 {
        match self {
            Posting::Short { places, .. } => places.len() as u64,
            Posting::Long(tree) => tree.size(),
        }
    }

    /// Hands all places to `look`, some at a time, sorted. It ends where the list is damaged; see
    /// [`Index::check`].
    pub fn each(self, look: impl FnMut(&[Place])) {
        match self {
            Posting::Short { places, .. } => std::iter::once(places.as_slice()).for_each(look),
            Posting::Long(mut tree) => {
                let index = tree.index;
                index.is_damaged.set(index.is_damaged.get() || tree.each(look).is_none());
            }
        }
    }

    /// The first place from `place` on; [`END`] if there is none. `place` must not be before that
    /// of an earlier call. A damaged list ends there; see [`Index::check`].
    pub fn seek(&mut self, place: Place) -> Place {
        match self {
            Posting::Short { places, at } => {
                *at += count_before(places.get(*at..).unwrap_or_default(), place);
                places.get(*at).copied().unwrap_or(END)
            }
            Posting::Long(tree) if place <= tree.leaf.current => tree.leaf.current,
            Posting::Long(tree) => tree.seek(place).unwrap_or_else(|| {
                tree.index.is_damaged.set(true);
                tree.leaf.current = END;
                END
            }),
        }
    }
}

/// How many of the sorted places come before one. Mostly they are few, so the search begins in
/// small steps.
fn count_before(places: &[Place], place: Place) -> usize {
    let mut reach = 1;
    while places.get(reach).is_some_and(|there| *there < place) {
        reach *= 2;
    }
    let from = reach / 2;
    let to = places.len().min(reach + 1);
    from + places.get(from..to).unwrap_or_default().partition_point(|there| *there < place)
}

/// A tree of places, read from left to right.
pub struct PlaceTree<'a> {
    index: &'a Index,
    root: u32,
    /// Copies of the inner pages on the way down. Splits since then have only moved places to the
    /// right.
    inner: Vec<(u32, Vec<u8>)>,
    leaf: Leaf,
    /// The last place that can be on the leaf.
    bound: Place,
}

impl<'a> PlaceTree<'a> {
    /// None if the tree is damaged.
    fn new(index: &'a Index, root: u32) -> Option<PlaceTree<'a>> {
        let mut tree = PlaceTree { index, root, inner: Vec::new(), leaf: Leaf::NONE, bound: BEGIN };
        tree.descend(BEGIN)?;
        Some(tree)
    }

    /// The first place from `place` on, which must be behind the current one. None if the tree is
    /// damaged.
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
            if let Some((copied, page)) = self.inner.get(level)
                && *copied == block
            {
                block = GinPage(page).child(place)?;
                level += 1;
                continue;
            }
            // The copies from here on are of another way down.
            self.inner.truncate(level);
            // Damaged pages may lead in a circle.
            pgrx::check_for_interrupts!();
            let (index, leaf) = (self.index, &mut self.leaf.bytes);
            match index.page(block, |page| page.step_to_place(place, leaf))? {
                PlaceStep::Right(NO_BLOCK) => {
                    self.leaf.bytes.clear();
                    self.bound = END;
                    return self.leaf.begin();
                }
                PlaceStep::Right(right) => block = right,
                // If this page was reached from its left neighbour, the next descent comes by that
                // neighbour again.
                PlaceStep::Inner(page) => self.inner.push((block, page)),
                PlaceStep::Leaf(bound) => {
                    self.bound = bound;
                    return self.leaf.begin();
                }
            }
        }
    }

    /// About how many places there are, if all leaves are as full as this one and a difference
    /// takes two bytes.
    fn size(&self) -> u64 {
        let pages = self.inner.iter().map(|(_, page)| GinPage(page).children().unwrap_or(1) as u64);
        pages.fold(self.leaf.content_bytes() as u64 / 2, u64::saturating_mul)
    }
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    #[test]
    fn counts_the_places_before_one() {
        let places = [2, 3, 5, 8, 13, 21];
        for place in 0..=21 {
            assert_eq!(count_before(&places, place), places.iter().filter(|there| **there < place).count(), "{place}");
        }
        assert_eq!(count_before(&[], 7), 0);
    }
}
