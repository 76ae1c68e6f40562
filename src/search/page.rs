//! One page of a search: the best customers behind a place, in the order of rank, last activity and id.
//!
//! Most queries find few customers: the index names them, each is judged, the best are kept. One that finds many ("an") would have
//! all of them judged for twenty: then the ranks are gone through from the best, and the customers of one rank from the most recently
//! active back, by the days that the index holds, until the page is full.

use super::cursor::Cursor;
use super::fold::{fold, words};
use super::index;
use super::key::{self, FIRST_DAY, LAST_DAY, beginning};
use super::posting::Place;
use super::probe::{Fields, Flat, Term, any};
use super::query::{Candidate, Query, Tier, Word};
use super::rows::{NEVER_ACTIVE_AT_ONCE, Reader, Row};
use super::scan::Found as Places;
use super::value::Probe;
use crate::error::Result;
use crate::field::VisibleFields;
use pgrx::datum::Uuid;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::RangeInclusive;

/// Customers from which a query is said to find many. To read and judge so many takes as long as the first step on the way back.
const MANY: usize = 200;

/// As many as there are.
const ALL: usize = u32::MAX as usize;

/// Customers that a step on the way back shall find, in times of those that are missing, and at most; a single day may have more.
const ENOUGH: usize = 2;
const READ_AT_ONCE: usize = 4;

/// What these are at most where hardly any of those that are found are of the rank that is looked for.
const READ_IN_STEPS_OF: usize = 2000;

/// Customers after which it is asked whether enough of those that are read on that way are of the rank that is looked for.
const READ_IN_VAIN: usize = 100;

/// Days in which most have been active: by these it is chosen how large the first step is.
const DAYS_OF_ACTIVITY: u64 = 365;

/// Customers of whom all are looked at, if no more have a word.
const FEW_PLACES: usize = 4;

/// Keys of words that are looked at, of those that may be a misspelt one. Others are found by the customers that have them.
const JUDGED_WORDS: usize = 50_000;

const MICROSECONDS_OF_A_DAY: i64 = 86_400_000_000;

/// A customer that was found.
pub struct Found<'a> {
    pub tier: Tier,
    pub last_activity: i64,
    pub id: [u8; 16],
    pub row: Row<'a>,
}

impl Found<'_> {
    pub fn cursor(&self) -> Cursor {
        Cursor { rank: self.tier.rank(), last_activity: self.last_activity, id: self.id }
    }

    fn place(&self) -> (std::cmp::Reverse<Tier>, std::cmp::Reverse<i64>, [u8; 16]) {
        (std::cmp::Reverse(self.tier), std::cmp::Reverse(self.last_activity), self.id)
    }
}

/// What is searched for, and where.
pub struct Search<'a> {
    pub query: &'a Query,
    pub owner: [u8; 16],
    pub fields: &'a VisibleFields,
    pub after: Option<Cursor>,
    pub wanted: usize,
}

impl<'a> Search<'a> {
    /// The page, read by `reader`.
    pub fn page(&self, reader: &'a Reader) -> Result<Vec<Found<'a>>> {
        let terms = Fields::of(&self.owner, self.fields.searchable());
        let mut page = Page { search: self, reader, terms, found: Vec::new() };
        page.fill()?;
        Ok(page.found)
    }
}

struct Page<'a, 's> {
    search: &'s Search<'a>,
    reader: &'a Reader<'a>,
    terms: Fields,
    found: Vec<Found<'a>>,
}

/// What was read.
enum Read<'a> {
    /// All that may match.
    All(Vec<Row<'a>>),
    /// Nothing, for they are more; about how many.
    Many(u64),
}

/// What the index finds.
enum Few {
    /// These, and how many they are.
    All(Probe, usize),
    /// More than were to be found; about how many.
    Many(u64),
}

/// What is looked for on the way back through the days, and what was met.
struct Way<'a> {
    term: Term,
    tier: Tier,
    /// About how many the index finds.
    many: u64,
    /// Customers that were read and judged.
    read: usize,
    found: Vec<Found<'a>>,
}

impl Way<'_> {
    /// How many are to be read for those that are missing, by what was met so far.
    fn wanted(&self, missing: usize) -> usize {
        let each = if self.read > READ_IN_VAIN { self.read / self.found.len().max(1) } else { 1 };
        (ENOUGH * missing * each.max(1)).min(READ_IN_STEPS_OF.max(ENOUGH * missing))
    }

    /// Whether there seem to be fewer on it than are missing: then all are to be read anyway.
    fn is_in_vain(&self, missing: usize) -> bool {
        self.found.len() < missing
            && self.read > READ_IN_VAIN
            && self.found.len() as u64 * self.many / (self.read as u64) < missing as u64
    }
}

impl<'a> Page<'a, '_> {
    fn fill(&mut self) -> Result<()> {
        let after = self.search.after.map(|after| after.rank);
        if let Some(id) = self.search.query.id {
            let rows = self.reader.with_ids(vec![Uuid::from_bytes(id)])?;
            let found = self.judge(rows, |tier| tier == Tier::Exact);
            self.take(found);
        }
        if after.is_none_or(|after| after >= Tier::Substring.rank()) {
            let term = self.term(Tier::Substring)?;
            match self.read(&term, MANY)? {
                Read::All(rows) => {
                    let found = self.judge(rows, |tier| tier >= Tier::Substring);
                    self.take(found);
                }
                Read::Many(many) => {
                    [Tier::Exact, Tier::WholeName, Tier::Prefix, Tier::Word]
                        .into_iter()
                        .try_for_each(|tier| self.gather(tier))?;
                    self.gather_many(Tier::Substring, term, many)?;
                }
            }
        }
        self.gather(Tier::Typo)?;
        // Of words with two typos there are many that nobody has meant.
        if after == Some(Tier::TwoTypos.rank()) || (after.is_none() && self.found.is_empty()) {
            self.gather(Tier::TwoTypos)?;
        }
        Ok(())
    }

    /// The customers of one rank, if the page is not full yet.
    fn gather(&mut self, tier: Tier) -> Result<()> {
        let passed = self.search.after.is_some_and(|after| after.rank < tier.rank());
        if passed || self.missing() == 0 {
            return Ok(());
        }
        let term = self.term(tier)?;
        match self.read(&term, MANY)? {
            Read::All(rows) => {
                let found = self.judge(rows, |found| found == tier);
                self.take(found);
                Ok(())
            }
            Read::Many(many) => self.gather_many(tier, term, many),
        }
    }

    /// The same where the index finds about so many: from the most recently active back, until there are enough. Where hardly any of
    /// what it finds is of that rank, all of it is read at once.
    fn gather_many(&mut self, tier: Tier, term: Term, many: u64) -> Result<()> {
        if self.missing() == 0 {
            return Ok(());
        }
        let after = self.search.after.filter(|after| after.rank == tier.rank());
        let mut way = Way { term, tier, many, read: 0, found: Vec::new() };
        let mut days = DaysBack {
            next: after.map_or(Some(LAST_DAY), |after| day_of(after.last_activity)),
            width: (DAYS_OF_ACTIVITY * (ENOUGH * self.missing()) as u64 / many.max(1)).clamp(1, DAYS_OF_ACTIVITY)
                as i32,
        };
        let mut all_days = false;
        while way.found.len() < self.missing() {
            if way.is_in_vain(self.missing()) {
                if let Read::All(rows) = self.read(&way.term, ALL)? {
                    way.found = self.judge(rows, |found| found == tier);
                }
                break;
            }
            if all_days {
                break;
            }
            let Some(last) = self.latest(days.next)? else {
                self.gather_never_active(&mut way, after)?;
                all_days = true;
                continue;
            };
            let step = days.step(last);
            let wanted = way.wanted(self.missing() - way.found.len());
            let there = self.terms.active(step.clone()).and(way.term.clone());
            let most = if step.start() == step.end() { ALL } else { wanted * READ_AT_ONCE };
            match self.find(&there, most)? {
                Few::All(probe, of) => {
                    days.go_on(&step, wanted, of);
                    way.read += of;
                    way.found.extend(self.latest_of(&probe, of, wanted, self.missing() - way.found.len(), tier)?);
                }
                Few::Many(many) => days.narrow(wanted, many),
            }
        }
        self.take(way.found);
        Ok(())
    }

    /// Of so many customers that the index has found those of a rank, the most recently active first: all, or as many as are missing.
    fn latest_of(&self, probe: &Probe, of: usize, wanted: usize, missing: usize, tier: Tier) -> Result<Vec<Found<'a>>> {
        let mut found = Vec::new();
        if of > wanted * READ_AT_ONCE {
            // If the latest are enough, those that come behind them do not matter.
            found = self.judge(self.reader.latest(probe, wanted)?, |found| found == tier);
        }
        if found.len() < missing && of > 0 {
            found = self.judge(self.reader.found(probe)?, |found| found == tier);
        }
        found.sort_unstable_by_key(Found::place);
        Ok(found)
    }

    /// The latest day, up to that one, on which a customer of the owner was last active.
    fn latest(&self, day: Option<i32>) -> Result<Option<i32>> {
        let Some(day) = day else {
            return Ok(None);
        };
        // Without an index the day itself is as good as another.
        let key = index::first_key(self.terms.active_on(day), self.terms.active_on(FIRST_DAY))?;
        Ok(key.map_or(Some(day), |key| key.map(key::day_of)))
    }

    /// Those that were never active: if they are many, in the order of their ids, which is that of the primary key.
    fn gather_never_active(&self, way: &mut Way<'a>, after: Option<Cursor>) -> Result<()> {
        if let Read::All(rows) = self.read(&self.terms.never_active().and(way.term.clone()), MANY)? {
            let mut found = self.judge(rows, |found| found == way.tier);
            found.sort_unstable_by_key(Found::place);
            way.found.extend(found);
            return Ok(());
        }
        let never = after.filter(|after| after.last_activity == i64::MIN);
        // Id 0 is one that a customer may have, and the page begins behind the cursor by what is judged.
        let mut next = Some(never.map_or(0, |after| u128::from_be_bytes(after.id)));
        while let Some(from) = next
            && way.found.len() < self.missing()
            && !way.is_in_vain(self.missing())
        {
            let rows = self.reader.never_active(from.to_be_bytes())?;
            let last = rows.last().filter(|_| rows.len() == NEVER_ACTIVE_AT_ONCE).map(Candidate::id);
            next = last.and_then(|last| u128::from_be_bytes(last).checked_add(1));
            way.read += rows.len();
            way.found.extend(self.judge(rows, |found| found == way.tier));
        }
        Ok(())
    }

    fn missing(&self) -> usize {
        self.search.wanted.saturating_sub(self.found.len())
    }

    fn term(&self, tier: Tier) -> Result<Term> {
        if tier >= Tier::Substring {
            return Ok(self.terms.in_tier(self.search.query, tier));
        }
        let typos = typos_of(tier);
        let words: HashMap<&String, &Word> = self.search.query.words.iter().map(|word| (&word.text, word)).collect();
        let long = words.into_iter().map(|(text, word)| Ok((text, self.long_misspelt(word, typos)?)));
        let long: HashMap<&String, Term> = long.collect::<Result<_>>()?;
        Ok(self.terms.misspelt(self.search.query, typos, |word| long.get(&word.text).cloned().unwrap_or(Term::NOTHING)))
    }

    /// The longer words of names that are the word with as many typos. Of each word that the index has for it one customer's name is read:
    /// many others may have the same.
    fn long_misspelt(&self, word: &Word, typos: usize) -> Result<Term> {
        let ranges = self.terms.ends_to_judge(word, typos);
        let Some(keys) = ranges.map(|ranges| index::keys(&ranges, FEW_PLACES + 1)).transpose()?.flatten() else {
            return Ok(self.terms.long_misspelt(word, typos));
        };
        let mut words_of: HashMap<i64, &[Place]> = HashMap::new();
        for (key, places) in keys.iter().take(JUDGED_WORDS) {
            words_of.entry(key::mark_of(*key)).or_insert(places);
        }
        let mut is_other = HashSet::new();
        // Of a word that few have, the parts that these have may say enough.
        if let Some(narrowed) = self.terms.all_but_gaps(word, typos) {
            let few = || words_of.iter().filter(|(_, places)| places.len() <= FEW_PLACES);
            let places: BTreeSet<Place> = few().flat_map(|(_, places)| *places).copied().collect();
            let places: Vec<Place> = places.into_iter().collect();
            if let Some(left) = index::of_these(&self.probe(&narrowed), &places)? {
                let none_is_left = |places: &[Place]| places.iter().all(|place| left.binary_search(place).is_err());
                is_other.extend(few().filter(|(_, places)| none_is_left(places)).map(|(mark, _)| *mark));
            }
        }
        let first =
            words_of.iter().filter(|(mark, _)| !is_other.contains(*mark)).filter_map(|(_, places)| places.first());
        let places: BTreeSet<Place> = first.copied().collect();
        if !places.is_empty() {
            let places: Vec<Place> = places.into_iter().collect();
            let probe = self.probe(&self.terms.long_misspelt(word, typos)).with_places(&places);
            self.reader.names(&probe, |name| {
                for other in words(&fold(beginning(name))) {
                    let mark = self.terms.mark(other);
                    if words_of.contains_key(&mark) && word.misspelt(other, typos).is_none() {
                        is_other.insert(mark);
                    }
                }
            })?;
        }
        let keys = keys.into_iter().filter(|(key, _)| !is_other.contains(&key::mark_of(*key)));
        Ok(any(keys.map(|(key, _)| Term::Key(key)).collect()))
    }

    fn probe(&self, term: &Term) -> Probe {
        Probe::new(&self.search.owner, self.search.fields.searchable(), &Flat::of(term))
    }

    /// The customers that the index finds, if they are not more than so many.
    fn read(&self, term: &Term, most: usize) -> Result<Read<'a>> {
        Ok(match self.find(term, most)? {
            Few::All(_, 0) => Read::All(Vec::new()),
            Few::All(probe, _) => Read::All(self.reader.found(&probe)?),
            Few::Many(many) => Read::Many(many),
        })
    }

    /// What the index finds, if it is not more than so many.
    fn find(&self, term: &Term, most: usize) -> Result<Few> {
        let probe = self.probe(term);
        if term.is_nothing() {
            return Ok(Few::All(probe, 0));
        }
        Ok(match index::few(&probe, most)? {
            Some(Places::Many(many)) => Few::Many(many),
            Some(Places::All(places)) => Few::All(probe.with_places(&places), places.len()),
            // Without an index each customer is looked at.
            None => Few::All(probe, 1),
        })
    }

    /// Those of the rows that match in a wanted way, and are behind the place where the page begins.
    fn judge(&self, rows: Vec<Row<'a>>, wanted: impl Fn(Tier) -> bool) -> Vec<Found<'a>> {
        let typos = typos_of(if wanted(Tier::TwoTypos) { Tier::TwoTypos } else { Tier::Typo });
        let judged = rows.into_iter().filter_map(|row| {
            pgrx::check_for_interrupts!();
            let tier = self.search.query.matches(&row, typos)?.tier;
            let found = || Found { tier, last_activity: row.last_activity(), id: row.id(), row };
            wanted(tier).then(found)
        });
        judged.filter(|found| self.search.after.is_none_or(|after| is_behind(found, &after))).collect()
    }

    /// Adds what was found, best first, as far as it is missing.
    fn take(&mut self, mut found: Vec<Found<'a>>) {
        found.sort_unstable_by_key(Found::place);
        let known: Vec<[u8; 16]> = self.found.iter().map(|found| found.id).collect();
        let missing = self.missing();
        self.found.extend(found.into_iter().filter(|found| !known.contains(&found.id)).take(missing));
    }
}

/// How many typos are looked for in a word, for customers of that rank.
fn typos_of(tier: Tier) -> usize {
    if tier == Tier::TwoTypos { 2 } else { 1 }
}

fn is_behind(found: &Found, after: &Cursor) -> bool {
    let (rank, place) = (found.tier.rank(), (std::cmp::Reverse(found.last_activity), found.id));
    rank < after.rank || (rank == after.rank && place > (std::cmp::Reverse(after.last_activity), after.id))
}

/// The day of an activity, as the index holds days; None for never.
fn day_of(last_activity: i64) -> Option<i32> {
    let day = last_activity.div_euclid(MICROSECONDS_OF_A_DAY).clamp(i64::from(FIRST_DAY), i64::from(LAST_DAY));
    (last_activity != i64::MIN).then_some(day as i32)
}

/// Days in steps from the latest back.
struct DaysBack {
    /// The day before those that have been gone through; None where that was the first.
    next: Option<i32>,
    /// Days of the next step.
    width: i32,
}

impl DaysBack {
    /// The next step, which ends with a day that is not after `next`.
    fn step(&self, last: i32) -> RangeInclusive<i32> {
        (last - self.width + 1).max(FIRST_DAY)..=last
    }

    /// A step that found so many has been gone through: the next one shall find about as many as are wanted.
    fn go_on(&mut self, step: &RangeInclusive<i32>, wanted: usize, found: usize) {
        self.next = Some(step.start() - 1).filter(|day| *day >= FIRST_DAY);
        let factor = (wanted / found.max(1)).clamp(1, 8) as i32;
        self.width = self.width.saturating_mul(factor).min(LAST_DAY);
    }

    /// The step has about so many: a part of it is gone through first.
    fn narrow(&mut self, wanted: usize, many: u64) {
        let share = i64::from(self.width) * wanted as i64 / many.max(1) as i64;
        self.width = (share as i32).clamp(1, (self.width / 2).max(1));
    }
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    #[test]
    fn going_back_leaves_out_no_day() {
        for (last, width, found) in [(LAST_DAY, 1, 0), (9821, 50, 7), (3, 365, 1), (FIRST_DAY, 1, 1), (9821, 1, 1000)] {
            let mut days = DaysBack { next: Some(last), width };
            let mut seen = Vec::new();
            while let Some(last) = days.next {
                if days.width > 3 && seen.len() % 2 == 0 {
                    days.narrow(40, 1000);
                    assert!((1..365).contains(&days.width));
                }
                let step = days.step(last);
                days.go_on(&step, 40, found);
                seen.extend(step.rev());
            }
            assert!(seen.iter().copied().eq((FIRST_DAY..=last).rev()), "{last} {width} {found}");
        }
    }

    #[test]
    fn days_of_activity() {
        assert_eq!(day_of(i64::MIN), None);
        assert_eq!(day_of(-1), Some(0));
        assert_eq!(day_of(0), Some(0));
        assert_eq!(day_of(MICROSECONDS_OF_A_DAY * 9821 - 1), Some(9820));
        assert_eq!(day_of(i64::MAX), Some(LAST_DAY));
    }
}
