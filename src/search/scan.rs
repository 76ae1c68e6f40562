//! Going through the search index for a probe: the places that its posting lists have together.
//!
//! Each part of the expression is asked for the first place from some place on, and answers with the first where it holds: of several
//! that must all hold the shortest leads, and the others are asked only where it leads them. So what is common costs little beside
//! what is rare, and what nobody has costs one look.

use super::posting::{self, BEGIN, END, Index, Place, Posting, block_of};
use super::probe::{Visit, is_masked};
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
    /// The shortest first.
    All(Vec<Node<'a>>),
    /// Never the first of several that must all hold.
    Masked(Vec<Option<Posting<'a>>>, Vec<u32>),
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
        Ok(Self::any(self.0.range(first, last)?.into_iter().map(|(_, list)| Node::List(list)).collect()))
    }

    fn masked(&mut self, keys: Vec<i64>, masks: Vec<u32>) -> Result<Node<'a>> {
        let lists: Vec<_> = keys.into_iter().map(|key| self.0.find(key)).collect::<Result<_>>()?;
        let can_be = is_masked(&masks, |n| lists.get(n).is_some_and(Option::is_some), lists.len());
        Ok(if can_be { Node::Masked(lists, masks) } else { Node::Nothing })
    }

    fn is_nothing(node: &Node<'a>) -> bool {
        matches!(node, Node::Nothing)
    }

    fn all(mut nodes: Vec<Node<'a>>) -> Node<'a> {
        nodes.sort_by_key(Node::size);
        Node::All(nodes)
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
            Node::List(list) => list.size,
            Node::All(nodes) => nodes.first().map_or(0, Node::size),
            Node::Masked(..) => u64::MAX,
            Node::Any(nodes, _) => nodes.iter().map(Node::size).sum(),
        }
    }

    /// The first place that is not before `place`, which must not be before that of a former call.
    fn seek(&mut self, place: Place) -> Place {
        match self {
            Node::Nothing => END,
            Node::List(list) => list.seek(place),
            Node::Masked(lists, masks) => {
                // Whether the next place is one is told when that is asked for.
                let count = lists.len();
                let has = |n: usize| match lists.get_mut(n) {
                    Some(Some(list)) => list.seek(place) == place,
                    _ => false,
                };
                if is_masked(masks, has, count) { place } else { place + 1 }
            }
            Node::All(nodes) => {
                let Some((first, others)) = nodes.split_first_mut() else {
                    return END;
                };
                let mut candidate = first.seek(place);
                let mut rounds: u32 = 0;
                'candidates: while candidate != END {
                    rounds = rounds.wrapping_add(1);
                    if rounds.is_multiple_of(1024) {
                        pgrx::check_for_interrupts!();
                    }
                    for other in &mut *others {
                        let there = other.seek(candidate);
                        if there != candidate {
                            candidate = if there == END { END } else { first.seek(there) };
                            continue 'candidates;
                        }
                    }
                    break;
                }
                candidate
            }
            Node::Any(nodes, heads) => {
                while let Some(mut head) = heads.peek_mut() {
                    let Reverse((there, n)) = *head;
                    if there >= place {
                        return there;
                    }
                    match nodes.get_mut(n).map_or(END, |node| node.seek(place)) {
                        END => {
                            PeekMut::pop(head);
                        }
                        there => *head = Reverse((there, n)),
                    }
                }
                END
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

/// Those of the sorted places that a probe finds. Error XX002 if the index is damaged.
pub fn of_these(index: &Index, probe: &Probe, places: &[Place]) -> Result<Vec<Place>> {
    let mut node = probe.visit(&mut Opener(index))?;
    let found = places.iter().copied().filter(|place| node.seek(*place) == *place).collect();
    index.check()?;
    Ok(found)
}

/// What the beginning of a scan tells.
pub enum Found {
    /// All there is.
    All(Vec<Place>),
    /// More than were to be found; about how many there are, as far as the table is filled evenly.
    Many(u64),
}

/// Looks for at most so many places.
pub fn few(index: &Index, probe: &Probe, most: usize) -> Result<Found> {
    let mut places = Scan::of(index, std::slice::from_ref(probe))?.next(most + 1)?;
    match places.last() {
        Some(last) if places.len() > most => {
            let (blocks, passed) = (u64::from(index.table_blocks()), u64::from(block_of(*last)) + 1);
            places.clear();
            Ok(Found::Many(most as u64 * blocks.max(passed) / passed))
        }
        _ => Ok(Found::All(places)),
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
