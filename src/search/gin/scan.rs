//! Scans of the search index for a probe: the places that its posting lists have in common.
//!
//! Each part of the expression is asked for the first place from some place on, and answers with
//! the first place that it has. If several parts must all have a place, the shortest leads, and the
//! others are asked only about its places. So a common key costs little beside a rare one, and a
//! key that nobody has costs one look-up.

use super::posting::{Index, Posting};
use crate::error::{Failure, Result};
use crate::search::expression::Visit;
use crate::search::place::{BEGIN, END, Place, address_of, block_of, item_pointer};
use crate::search::value::Probe;
use pgrx::pg_sys;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

/// The most places that are handed on at once.
const MAX_AT_ONCE: usize = 1024;

/// After the first places of a scan, their density tells about how many there are in all.
const PLACES_TO_ESTIMATE: usize = 128;

/// The most keys of days whose posting lists are opened at once.
const MAX_KEYS_AT_ONCE: usize = 16;

/// Places that can be scanned in the time that it takes to open a posting list.
const PLACES_PER_KEY: usize = 300;

/// A part of an expression, with what the index has of it.
enum Node<'a> {
    Nothing,
    List(Posting<'a>),
    /// The shortest comes first. Of the others, one that rules out a place moves a step forward
    /// (transposition: Rivest 1976). So those that rule out most come first. Pieces of one word
    /// rule out little: they mostly occur together.
    All(Vec<Node<'a>>),
    /// The heap has the current place of each.
    Any(Vec<Node<'a>>, BinaryHeap<Reverse<(Place, usize)>>),
}

struct Opener<'a>(&'a Index);

impl<'a> Visit for Opener<'a> {
    type Node = Node<'a>;
    type Error = Failure;

    fn key(&mut self, key: i64) -> Result<Node<'a>> {
        Ok(self.0.find(key)?.map_or(Node::Nothing, Node::List))
    }

    fn range(&mut self, first: i64, last: i64) -> Result<Node<'a>> {
        Ok(Self::any(self.0.range(first, last, usize::MAX)?.into_iter().map(|(_, list)| Node::List(list)).collect()))
    }

    fn is_nothing(node: &Node<'a>) -> bool {
        matches!(node, Node::Nothing)
    }

    fn all(nodes: Vec<Node<'a>>) -> Node<'a> {
        let mut members = Vec::with_capacity(nodes.len());
        for node in nodes {
            match node {
                Node::All(all) => members.extend(all),
                node => members.push(node),
            }
        }
        members.sort_by_key(Node::size);
        Node::All(members)
    }

    fn any(mut nodes: Vec<Node<'a>>) -> Node<'a> {
        match nodes.len() {
            0 => Node::Nothing,
            1 => nodes.pop().unwrap_or(Node::Nothing),
            count => Node::Any(nodes, (0..count).map(|n| Reverse((BEGIN, n))).collect()),
        }
    }
}

impl Node<'_> {
    /// About how many places it has, at most.
    fn size(&self) -> u64 {
        match self {
            Node::Nothing => 0,
            Node::List(list) => list.size(),
            Node::All(nodes) => nodes.first().map_or(0, Node::size),
            Node::Any(nodes, _) => nodes.iter().map(Node::size).sum(),
        }
    }

    /// `place` itself, if the node has it. If not, a later place, with none between them that the
    /// node has. The node need not have the later place either: to find out is wasted work if
    /// another part of the expression rules it out. `place` must not be before that of an earlier
    /// call.
    fn at(&mut self, place: Place) -> Place {
        match self {
            Node::Nothing => END,
            Node::List(list) => list.seek(place),
            Node::All(nodes) => {
                for n in 0..nodes.len() {
                    let there = nodes.get_mut(n).map_or(END, |node| node.at(place));
                    if there != place {
                        if n > 1 {
                            nodes.swap(n - 1, n);
                        }
                        return there;
                    }
                }
                place
            }
            Node::Any(nodes, heads) => {
                while let Some(mut head) = heads.peek_mut() {
                    let Reverse((there, n)) = *head;
                    if there > place {
                        return there;
                    }
                    match nodes.get_mut(n).map_or(END, |node| node.at(place)) {
                        END => {
                            PeekMut::pop(head);
                        }
                        there => {
                            *head = Reverse((there, n));
                            if there == place {
                                return place;
                            }
                        }
                    }
                }
                END
            }
        }
    }

    /// The first place from `place` on that the node has; [`END`] if there is none.
    fn seek(&mut self, mut place: Place) -> Place {
        let mut rounds: u32 = 0;
        loop {
            let there = self.at(place);
            if there == place || there == END {
                return there;
            }
            place = there;
            rounds = rounds.wrapping_add(1);
            if rounds.is_multiple_of(1024) {
                pgrx::check_for_interrupts!();
            }
        }
    }
}

struct Scan<'a> {
    index: &'a Index,
    node: Node<'a>,
    next: Place,
}

impl<'a> Scan<'a> {
    /// A scan for what all of the probes find. Error XX002 if the index is damaged.
    fn of(index: &'a Index, probes: &[Probe]) -> Result<Scan<'a>> {
        let mut nodes = Vec::new();
        for probe in probes {
            let node = probe.visit(&mut Opener(index))?;
            if Opener::is_nothing(&node) {
                return Ok(Scan { index, node, next: BEGIN + 1 });
            }
            nodes.push(node);
        }
        Ok(Scan { index, node: Opener::all(nodes), next: BEGIN + 1 })
    }

    /// The next places, at most `most`. Fewer at the end. Error XX002 if the index is damaged.
    fn next(&mut self, most: usize) -> Result<Vec<Place>> {
        let mut places = Vec::new();
        while places.len() < most && self.next != END {
            let place = self.node.seek(self.next);
            self.next = place.saturating_add(1);
            if place != END {
                places.push(place);
            }
        }
        pgrx::check_for_interrupts!();
        self.index.check()?;
        Ok(places)
    }
}

/// What a look-up finds.
pub enum Lookup {
    /// All places.
    All(Vec<Place>),
    /// There are more than asked for: about this number, if the table is filled evenly.
    More(u64),
}

/// Looks up at most `most` places. It ends early if the first places show that there are more.
pub fn look_up(index: &Index, probe: &Probe, most: usize) -> Result<Lookup> {
    let mut scan = Scan::of(index, std::slice::from_ref(probe))?;
    let mut places = Vec::new();
    loop {
        let at_once = if places.is_empty() { PLACES_TO_ESTIMATE } else { MAX_AT_ONCE };
        let wanted = (most + 1 - places.len()).min(at_once);
        let next = scan.next(wanted)?;
        places.extend_from_slice(&next);
        let Some(last) = places.last().filter(|_| next.len() == wanted) else {
            return Ok(Lookup::All(places));
        };
        let (blocks, passed) = (u64::from(index.table_blocks()), u64::from(block_of(*last)) + 1);
        let about = places.len() as u64 * blocks.max(passed) / passed;
        if places.len() > most || about > most as u64 {
            return Ok(Lookup::More(about));
        }
    }
}

/// The places that some keys of days have of a given list.
pub struct Latest {
    /// Sorted.
    pub places: Vec<Place>,
    /// How many places of the index were scanned. Each key counts as [`PLACES_PER_KEY`] more.
    pub scanned: usize,
    /// The last key that was scanned; None if all were.
    pub last_key: Option<i64>,
}

impl Latest {
    /// Whether it is worth going on until `wanted` places are found: so far it seems that this
    /// takes fewer than `most` further places of the index.
    fn is_worth_going_on(&self, wanted: usize, most: usize) -> bool {
        let missing = wanted.saturating_sub(self.places.len());
        let expected = self.scanned.saturating_mul(missing) / self.places.len().max(1);
        self.scanned < most / 4 || (self.scanned < 2 * most && expected < most)
    }
}

/// Which of the sorted places belong to the keys from `first` to `last`, key by key, until `wanted`
/// of them are found. It ends early if more than `most` places of the index would have to be
/// scanned for the rest. Error XX002 if the index is damaged.
pub fn latest(index: &Index, first: i64, last: i64, places: &[Place], wanted: usize, most: usize) -> Result<Latest> {
    let mut latest = Latest { places: Vec::new(), scanned: 0, last_key: None };
    let known = PlaceSet::new(places);
    let mut next = Some(first);
    while let Some(first) = next {
        let postings = index.range(first, last, MAX_KEYS_AT_ONCE)?;
        if postings.is_empty() {
            latest.last_key = None;
            break;
        }
        for (key, posting) in postings {
            posting.each(|some| {
                latest.scanned += some.len();
                known.add_members(some, &mut latest.places);
            });
            latest.scanned += PLACES_PER_KEY;
            latest.last_key = Some(key);
            let goes_on = latest.places.len() < wanted && latest.is_worth_going_on(wanted, most);
            next = key.checked_add(1).filter(|_| goes_on);
            if next.is_none() {
                break;
            }
        }
        pgrx::check_for_interrupts!();
    }
    index.check()?;
    latest.places.sort_unstable();
    Ok(latest)
}

/// Tells which places are among the given ones. For most places, one bit says no (Bloom 1970, with
/// one hash).
struct PlaceSet<'a> {
    /// Sorted.
    places: &'a [Place],
    bits: Box<[u64; BITS / 64]>,
}

const BITS: usize = 1 << 14;

impl PlaceSet<'_> {
    fn new(places: &[Place]) -> PlaceSet<'_> {
        let mut bits = Box::new([0; BITS / 64]);
        for place in places {
            let bit = Self::bit(*place);
            bits[bit / 64] |= 1 << (bit % 64);
        }
        PlaceSet { places, bits }
    }

    /// Multiplicative hashing (Knuth, volume 3, 6.4).
    fn bit(place: Place) -> usize {
        (place.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - BITS.ilog2())) as usize
    }

    fn add_members(&self, some: &[Place], members: &mut Vec<Place>) {
        for place in some {
            let bit = Self::bit(*place);
            if self.bits[bit / 64] >> (bit % 64) & 1 != 0 && self.places.binary_search(place).is_ok() {
                members.push(*place);
            }
        }
    }
}

/// Hands all places that the probes find to `take`, some at a time, as PostgreSQL has them. Returns
/// their number.
pub fn all(index: &Index, probes: &[Probe], mut take: impl FnMut(&mut [pg_sys::ItemPointerData])) -> Result<u64> {
    let mut hand_on = |places: &[Place]| {
        let mut pointers: Vec<_> = places.iter().map(|place| item_pointer(address_of(*place))).collect();
        take(&mut pointers);
        places.len() as u64
    };
    if let [probe] = probes
        && let Some(places) = probe.places()
    {
        return Ok(hand_on(&places));
    }
    let mut scan = Scan::of(index, probes)?;
    let mut count = 0;
    loop {
        let places = scan.next(MAX_AT_ONCE)?;
        if places.is_empty() {
            return Ok(count);
        }
        count += hand_on(&places);
    }
}
