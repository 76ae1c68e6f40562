//! Going through the search index for a probe: the places that its posting lists have together.
//!
//! Each part of the expression is asked for the first place from some place on, and answers with the first where it holds: of several
//! that must all hold the shortest leads, and the others are asked only where it leads them. So what is common costs little beside
//! what is rare, and what nobody has costs one look.

use super::posting::{self, ALL, BEGIN, END, Index, Place, Posting, block_of};
use super::probe::Visit;
use super::value::Probe;
use crate::error::Result;
use pgrx::pg_sys;
use pgrx::pg_sys::panic::ErrorReport;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;

/// Places that are handed on at once.
const AT_ONCE: usize = 1024;

/// What of the index a probe finds.
enum Node<'a> {
    Nothing,
    List(Posting<'a>),
    /// The shortest first; of the others those that rule out the most come forward as they do (transposition: Rivest 1976). Parts of one word
    /// are mostly found where its other parts are, and say little beside them.
    All(Vec<Node<'a>>),
    /// With the places where they stand.
    Any(Vec<Node<'a>>, BinaryHeap<Reverse<(Place, usize)>>),
}

impl<'a> Visit for Opener<'a> {
    type Node = Node<'a>;
    type Error = ErrorReport;

    fn key(&mut self, key: i64) -> Result<Node<'a>> {
        Ok(self.0.find(key)?.map_or(Node::Nothing, Node::List))
    }

    fn range(&mut self, first: i64, last: i64) -> Result<Node<'a>> {
        Ok(Self::any(self.0.range(first, last, ALL)?.into_iter().map(|(_, list)| Node::List(list)).collect()))
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

struct Opener<'a>(&'a Index);

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

    /// `place` itself if it is found there. If not, some place behind it, with none between them that is found; that place need not be found
    /// either: to look for the next one in one part of an expression is wasted where another part rules it out. `place` must not be before
    /// that of a former call.
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

    /// The first place from `place` on that is found.
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

/// A scan of the index for a probe.
struct Scan<'a> {
    index: &'a Index,
    node: Node<'a>,
    next: Place,
}

impl<'a> Scan<'a> {
    /// For all of the probes together. Error XX002 if the index is damaged.
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

    /// The next places, at most so many; none at the end. Error XX002 if the index is damaged.
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

/// What the beginning of a scan tells.
pub enum Found {
    /// All there is.
    All(Vec<Place>),
    /// More than were to be found; about how many there are, as far as the table is filled evenly.
    Many(u64),
}

/// Looks for at most so many places. Where the first ones show that there are more, it looks no further.
pub fn few(index: &Index, probe: &Probe, most: usize) -> Result<Found> {
    let mut scan = Scan::of(index, std::slice::from_ref(probe))?;
    let mut places = Vec::new();
    loop {
        let wanted = (most + 1 - places.len()).min(if places.is_empty() { FIRST_ONES } else { AT_ONCE });
        let next = scan.next(wanted)?;
        places.extend_from_slice(&next);
        let Some(last) = places.last().filter(|_| next.len() == wanted) else {
            return Ok(Found::All(places));
        };
        let (blocks, passed) = (u64::from(index.table_blocks()), u64::from(block_of(*last)) + 1);
        let about = places.len() as u64 * blocks.max(passed) / passed;
        if places.len() > most || about > most as u64 {
            return Ok(Found::Many(about));
        }
    }
}

/// Places after which it is asked how many there seem to be.
const FIRST_ONES: usize = 128;

/// What the first of some keys have of places that are known.
pub struct Latest {
    /// Sorted.
    pub places: Vec<Place>,
    /// How many places were looked at; a key counts as [`PLACES_OF_A_KEY`] more.
    pub looked_at: usize,
    /// The last key that was looked at; None if there are no more.
    pub last: Option<i64>,
}

impl Latest {
    /// Whether to look on for so many: as long as it seems that, for those that are missing, less than so many places are to be looked at.
    fn is_worth_it(&self, wanted: usize, most: usize) -> bool {
        let missing = wanted.saturating_sub(self.places.len());
        let expected = self.looked_at.saturating_mul(missing) / self.places.len().max(1);
        self.looked_at < most / 4 || (self.looked_at < 2 * most && expected < most)
    }
}

/// Which of the sorted places the keys from one to another have: from the first key on until these are so many, or it is to be expected that
/// more than so many places would have to be looked at for the rest. Error XX002 if the index is damaged.
pub fn latest(index: &Index, first: i64, last: i64, places: &[Place], wanted: usize, most: usize) -> Result<Latest> {
    let mut latest = Latest { places: Vec::new(), looked_at: 0, last: None };
    let known = Known::new(places);
    let mut next = Some(first);
    while let Some(first) = next {
        let postings = index.range(first, last, KEYS_AT_ONCE)?;
        if postings.is_empty() {
            latest.last = None;
            break;
        }
        for (key, posting) in postings {
            posting.each(|some| {
                latest.looked_at += some.len();
                known.add_those_of(some, &mut latest.places);
            });
            latest.looked_at += PLACES_OF_A_KEY;
            latest.last = Some(key);
            next = key.checked_add(1).filter(|_| latest.places.len() < wanted && latest.is_worth_it(wanted, most));
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

/// Keys whose posting lists are opened at once.
const KEYS_AT_ONCE: usize = 16;

/// To open a posting list takes as long as to look at so many places.
const PLACES_OF_A_KEY: usize = 300;

/// Places of which it is asked whether others are among them: most are told apart by a bit (Bloom 1970, with one hash).
struct Known<'a> {
    places: &'a [Place],
    bits: Box<[u64; BITS / 64]>,
}

const BITS: usize = 1 << 14;

impl Known<'_> {
    fn new(places: &[Place]) -> Known<'_> {
        let mut bits = Box::new([0; BITS / 64]);
        for place in places {
            let bit = Self::bit(*place);
            bits[bit / 64] |= 1 << (bit % 64);
        }
        Known { places, bits }
    }

    /// Multiplicative hashing (Knuth, volume 3, 6.4).
    fn bit(place: Place) -> usize {
        (place.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - BITS.ilog2())) as usize
    }

    fn add_those_of(&self, some: &[Place], found: &mut Vec<Place>) {
        for place in some {
            let bit = Self::bit(*place);
            if self.bits[bit / 64] >> (bit % 64) & 1 != 0 && self.places.binary_search(place).is_ok() {
                found.push(*place);
            }
        }
    }
}

/// Hands all places to `take`, in portions, as PostgreSQL has them; tells how many there were.
pub fn all(index: &Index, probes: &[Probe], mut take: impl FnMut(&mut [pg_sys::ItemPointerData])) -> Result<u64> {
    if let [probe] = probes
        && let Some(places) = probe.places()
    {
        take(&mut places.iter().copied().map(posting::as_item_pointer).collect::<Vec<_>>());
        return Ok(places.len() as u64);
    }
    let mut scan = Scan::of(index, probes)?;
    let mut count = 0;
    loop {
        let places = scan.next(AT_ONCE)?;
        if places.is_empty() {
            return Ok(count);
        }
        count += places.len() as u64;
        take(&mut places.into_iter().map(posting::as_item_pointer).collect::<Vec<_>>());
    }
}
