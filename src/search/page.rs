//! One page of a search: the best customers behind a place, in the order of rank, last activity and id.
//!
//! Most queries find few customers: the index names them, each is judged, the best are kept. One that finds many ("an") would have
//! all of them judged for twenty. So the index is first asked for a sample. If there are many, the ranks are gone through from
//! the best, and the customers of one rank from the most recently active back, by the periods that the index holds, until the page
//! is full.

use super::cursor::Cursor;
use super::index;
use super::key::{FIRST_DAY, LAST_DAY, LONGEST, Period, SAMPLE_LEVELS};
use super::probe::{Fields, Flat, Parts, Term};
use super::query::{Candidate, Query, Tier};
use super::rows::{NEVER_ACTIVE_AT_ONCE, Reader, Row};
use super::value::Probe;
use crate::error::Result;
use crate::field::VisibleFields;
use pgrx::datum::Uuid;
use pgrx::pg_sys;
use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::Range;

/// Customers from which a query is said to find many. To judge so many takes less than a millisecond.
const MANY: u64 = 300;

/// Customers of a sample that tell of more than the sample: fewer may be there by chance.
const TELLING: u64 = 2;

/// Customers that are read at once on the way back through the periods, if it is not a single day that has more.
const READ_AT_ONCE: usize = 400;

/// Customers after which it is asked whether enough of those that are read on that way are of the rank that is looked for.
const READ_IN_VAIN: usize = 100;

/// Customers that are wanted of each step on that way, and days in which most have been active. By these it is chosen how
/// large the first step is; the others are each twice as large as the one before.
const ENOUGH: u64 = 60;
const DAYS_OF_ACTIVITY: u64 = 365;

/// Customers that a sample shall have at most, and searches after which it is looked again which that is.
const SAMPLE_SIZE: u64 = 2048;
const SEARCHES_BY_ONE_SIZE: u32 = 500;

const MICROSECONDS_OF_A_DAY: i64 = 86_400_000_000;

/// Owners up to the size of this level are so small that they need no sample to begin with.
const LARGE_FROM: u32 = 1;

/// What this backend has met of an owner's customers. It tells where a search begins to look, and nothing of what it finds.
struct Known {
    /// Of the sample that fits the owner's size, and for how many more searches it is not looked again.
    level: u32,
    searches: u32,
    latest_activity: i64,
}

impl Default for Known {
    fn default() -> Known {
        Known { level: 0, searches: 0, latest_activity: i64::MIN }
    }
}

thread_local! {
    static KNOWN: RefCell<HashMap<[u8; 16], Known>> = RefCell::new(HashMap::new());
}

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
        let mut page = Page { search: self, reader, terms, found: Vec::new(), level: None };
        page.fill()?;
        Ok(page.found)
    }
}

struct Page<'a, 's> {
    search: &'s Search<'a>,
    reader: &'a Reader<'a>,
    terms: Fields,
    found: Vec<Found<'a>>,
    level: Option<u32>,
}

/// What is looked for on the way back through the periods, and what was met.
struct Way<'a> {
    term: Term,
    tier: Tier,
    after: Option<Cursor>,
    /// About how many the index finds.
    many: u64,
    /// Customers that were read and judged.
    read: usize,
    found: Vec<Found<'a>>,
}

impl Way<'_> {
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
        let continues = |tier: Tier| after.is_none_or(|after| after >= tier.rank());
        if let Some(id) = self.search.query.id {
            let rows = self.reader.with_id(Uuid::from_bytes(id))?;
            let found = self.judge(rows, |tier| tier == Tier::Exact);
            self.take(found);
        }
        if continues(Tier::Substring) {
            match self.read_few(&[Tier::Substring])? {
                Ok(rows) => {
                    let found = self.judge(rows, |tier| tier >= Tier::Substring);
                    self.take(found);
                }
                Err(many) => {
                    self.gather_best()?;
                    self.gather_many(Tier::Substring, many)?;
                }
            }
        }
        if continues(Tier::Typo) {
            self.gather(Tier::Typo)?;
        }
        // Of words with two typos there are many that nobody has meant.
        if after == Some(Tier::TwoTypos.rank()) || (after.is_none() && self.found.is_empty()) {
            self.gather(Tier::TwoTypos)?;
        }
        Ok(())
    }

    /// The customers of the ranks above [`Tier::Substring`].
    fn gather_best(&mut self) -> Result<()> {
        let tiers = [Tier::Exact, Tier::WholeName, Tier::Prefix, Tier::Word];
        if self.sample_level() <= LARGE_FROM
            && let Ok(rows) = self.read_few(&tiers)?
        {
            let found = self.judge(rows, |tier| tier > Tier::Substring);
            self.take(found);
            return Ok(());
        }
        tiers.into_iter().try_for_each(|tier| self.gather(tier))
    }

    /// The customers of one rank, if the page is not full yet.
    fn gather(&mut self, tier: Tier) -> Result<()> {
        let passed = self.search.after.is_some_and(|after| after.rank < tier.rank());
        if passed || self.missing() == 0 {
            return Ok(());
        }
        match self.read_few(&[tier])? {
            Ok(rows) => {
                let found = self.judge(rows, |found| found == tier);
                self.take(found);
                Ok(())
            }
            Err(many) => self.gather_many(tier, many),
        }
    }

    /// The same where the index finds about so many: from the most recently active back, until there are enough. Where hardly any of
    /// what it finds is of that rank, all of it is read at once.
    fn gather_many(&mut self, tier: Tier, many: u64) -> Result<()> {
        if self.missing() == 0 {
            return Ok(());
        }
        let after = self.search.after.filter(|after| after.rank == tier.rank());
        let from = after.map_or_else(|| self.latest_activity(), |after| day_of(after.last_activity));
        let term = self.terms.in_tier(self.search.query, tier, Parts::Few);
        let mut way = Way { term, tier, after, many, read: 0, found: Vec::new() };
        for periods in back_from(from, after.is_none(), DAYS_OF_ACTIVITY * ENOUGH / many.max(1)) {
            self.gather_in(&periods, &mut way)?;
            if way.found.len() >= self.missing() {
                break;
            }
            if way.is_in_vain(self.missing()) {
                let term = self.terms.in_tier(self.search.query, tier, Parts::Most);
                let rows = self.reader.found(&probe_of(self.search, &term), None)?;
                way.found = self.judge(rows.unwrap_or_default(), |found| found == tier);
                break;
            }
        }
        self.take(way.found);
        Ok(())
    }

    /// The customers of one rank that were last active in these periods, the most recent first, until there are enough.
    fn gather_in(&self, periods: &[Period], way: &mut Way<'a>) -> Result<()> {
        if way.found.len() >= self.missing() {
            return Ok(());
        }
        let most = if matches!(periods, [Period::Days { level: 0, .. }]) { None } else { Some(READ_AT_ONCE) };
        let there = probe_of(self.search, &self.terms.active(periods).and(way.term.clone()));
        if let Some(rows) = self.reader.found(&there, most)? {
            way.read += rows.len();
            let mut found = self.judge(rows, |found| found == way.tier);
            found.sort_unstable_by_key(Found::place);
            way.found.extend(found);
            return Ok(());
        }
        match periods {
            [Period::Never] => self.gather_never_active(way),
            [] => Ok(()),
            [period] => self.gather_in(&parts_of(*period), way),
            _ => {
                let (later, earlier) = periods.split_at(periods.len() / 2);
                self.gather_in(later, way)?;
                self.gather_in(earlier, way)
            }
        }
    }

    /// Those of many that were never active: in the order of their ids, which is that of the primary key.
    fn gather_never_active(&self, way: &mut Way<'a>) -> Result<()> {
        let never = way.after.filter(|after| after.last_activity == i64::MIN);
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

    /// The customers of these ranks, and some others, if they are not many; else about how many.
    fn read_few(&mut self, tiers: &[Tier]) -> Result<std::result::Result<Vec<Row<'a>>, u64>> {
        let term = |parts| {
            let terms = tiers.iter().map(|tier| self.terms.in_tier(self.search.query, *tier, parts));
            terms.reduce(Term::or).unwrap_or(Term::NOTHING)
        };
        let most = term(Parts::Most);
        if most.is_nothing() {
            return Ok(Ok(Vec::new()));
        }
        let (most, half) = (probe_of(self.search, &most), term(Parts::Half));
        let level = self.sample_level();
        if level <= LARGE_FROM
            && let Some(rows) = self.reader.found(&most, Some(MANY as usize))?
        {
            return Ok(Ok(rows));
        }
        let count = index::count(&probe_of(self.search, &self.terms.sampled(half, level))).unwrap_or(0);
        let many = count << (2 * level);
        if level > LARGE_FROM && (many <= MANY || count < TELLING) {
            return Ok(Ok(self.reader.found(&most, None)?.unwrap_or_default()));
        }
        Ok(Err(many))
    }

    /// Those of the rows that match in a wanted way, and are behind the place where the page begins.
    fn judge(&self, rows: Vec<Row<'a>>, wanted: impl Fn(Tier) -> bool) -> Vec<Found<'a>> {
        let typos = if wanted(Tier::TwoTypos) { 2 } else { 1 };
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
        self.remember_latest_activity(&found);
        let known: Vec<[u8; 16]> = self.found.iter().map(|found| found.id).collect();
        let missing = self.missing();
        self.found.extend(found.into_iter().filter(|found| !known.contains(&found.id)).take(missing));
    }

    /// The level of the largest sample of the owner's customers that is no larger than a sample shall be.
    fn sample_level(&mut self) -> u32 {
        if let Some(level) = self.level {
            return level;
        }
        let kept = KNOWN.with_borrow_mut(|known| {
            let known = known.get_mut(&self.search.owner)?;
            known.searches = known.searches.checked_sub(1)?;
            Some(known.level)
        });
        let level = kept.unwrap_or_else(|| {
            let size = |level| index::count(&probe_of(self.search, &self.terms.sample(level))).unwrap_or(0);
            let mut level = SAMPLE_LEVELS;
            while level > 0 && size(level) <= SAMPLE_SIZE / 4 {
                level -= 1;
            }
            KNOWN.with_borrow_mut(|known| {
                let known = known.entry(self.search.owner).or_default();
                (known.level, known.searches) = (level, SEARCHES_BY_ONE_SIZE);
            });
            level
        });
        self.level = Some(level);
        level
    }

    /// The day to begin with on the way back: of the latest activity that was met, since there may be none since then.
    fn latest_activity(&self) -> Option<i32> {
        let known =
            KNOWN.with_borrow(|known| known.get(&self.search.owner).map_or(i64::MIN, |known| known.latest_activity));
        day_of(known).min(today()).or_else(today)
    }

    fn remember_latest_activity(&self, found: &[Found]) {
        let latest = found.iter().map(|found| found.last_activity).max().unwrap_or(i64::MIN);
        KNOWN.with_borrow_mut(|known| {
            if let Some(known) = known.get_mut(&self.search.owner) {
                known.latest_activity = known.latest_activity.max(latest);
            }
        });
    }
}

fn probe_of(search: &Search, term: &Term) -> Probe {
    Probe::new(&search.owner, search.fields.searchable(), &Flat::of(term))
}

fn is_behind(found: &Found, after: &Cursor) -> bool {
    let (rank, place) = (found.tier.rank(), (std::cmp::Reverse(found.last_activity), found.id));
    rank < after.rank || (rank == after.rank && place > (std::cmp::Reverse(after.last_activity), after.id))
}

fn today() -> Option<i32> {
    // SAFETY: reads the clock.
    day_of(unsafe { pg_sys::GetCurrentTimestamp() })
}

/// The day of an activity, as the index holds days; None for never.
fn day_of(last_activity: i64) -> Option<i32> {
    let day = last_activity.div_euclid(MICROSECONDS_OF_A_DAY).clamp(i64::from(FIRST_DAY), i64::from(LAST_DAY));
    (last_activity != i64::MIN).then_some(day as i32)
}

/// All periods from a day back in steps, the most recent first, of about so many days in the first step and twice as many in each
/// further one; and before these, if it is wanted, what is later than the day.
fn back_from(day: Option<i32>, with_later: bool, first: u64) -> Vec<Vec<Period>> {
    let Some(day) = day else {
        return vec![vec![Period::Never]];
    };
    // Of each length those that share the next longer period with the day, which is none of them.
    let beside = |level: u8, numbers: Range<i32>| numbers.rev().map(move |number| Period::Days { level, number });
    let number = |level: u8| day >> (3 * level);
    let mut steps = Steps { steps: Vec::new(), last: Vec::new(), days: 0, wanted: first.max(1) };
    if with_later {
        let later = (0..=LONGEST).rev().flat_map(|level| beside(level, number(level) + 1..(number(level) | 7) + 1));
        steps.steps.push(later.collect());
    }
    let earlier = (0..=LONGEST).flat_map(|level| beside(level, number(level) & !7..number(level)));
    for period in std::iter::once(Period::around(day, 0)).chain(earlier) {
        steps.add(period);
    }
    steps.steps.extend([steps.last, vec![Period::Never]]);
    steps.steps.retain(|step| !step.is_empty());
    steps.steps
}

struct Steps {
    steps: Vec<Vec<Period>>,
    last: Vec<Period>,
    days: u64,
    wanted: u64,
}

impl Steps {
    fn add(&mut self, period: Period) {
        let days = days_of(period);
        if days > 2 * self.wanted {
            parts_of(period).into_iter().for_each(|part| self.add(part));
            return;
        }
        self.last.push(period);
        self.days += days;
        if self.days >= self.wanted {
            self.steps.push(std::mem::take(&mut self.last));
            self.days = 0;
            self.wanted *= 2;
        }
    }
}

/// What a period consists of, the most recent first; of a day, nothing.
fn parts_of(period: Period) -> Vec<Period> {
    match period {
        Period::Days { level: level @ 1.., number } => {
            (0..8).rev().map(|n| Period::Days { level: level - 1, number: number * 8 + n }).collect()
        }
        _ => Vec::new(),
    }
}

fn days_of(period: Period) -> u64 {
    match period {
        Period::Days { level, .. } => 1 << (3 * level),
        Period::Never => 0,
    }
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    #[test]
    fn going_back_leaves_out_no_day() {
        for day in [FIRST_DAY, 1, 7, 8, 63, 64, 4095, 4096, 9821, LAST_DAY - 1, LAST_DAY] {
            let all: Vec<Period> = back_from(Some(day), true, 1 + day as u64 % 50).concat();
            let days: Vec<i32> = all
                .iter()
                .flat_map(|period| {
                    let days = match *period {
                        Period::Days { level, number } => number << (3 * level)..(number + 1) << (3 * level),
                        Period::Never => 0..0,
                    };
                    days.rev()
                })
                .collect();
            assert!(days.iter().copied().eq((FIRST_DAY..=LAST_DAY).rev()), "{day}");
            assert_eq!(all.last(), Some(&Period::Never));
            assert_eq!(back_from(Some(day), false, 0).concat().first(), Some(&Period::around(day, 0)));
        }
        assert_eq!(back_from(None, true, 1), [[Period::Never]]);
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
