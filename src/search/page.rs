//! One page of a search: the best customers behind a place, in the order of rank, last activity and id.
//!
//! Most queries find few customers: the index names them, each is judged, the best are kept. One that finds many ("an") would have
//! all of them judged for twenty: then the ranks are gone through from the best, and the customers of one rank from the most recently
//! active back, by the days that the index holds, until the page is full. Where that is no good, since very many were active on one day, or the
//! index holds many days on which nobody was active last any more, the owner's customers themselves are gone through in that order.

use super::cursor::Cursor;
use super::fold::{fold, words};
use super::index::{self, LongWord};
use super::key::{self, FIRST_DAY, LAST_DAY, LONG_FROM, beginning};
use super::posting::Place;
use super::probe::{Fields, Flat, Term, any};
use super::query::{Candidate, Match, Query, Tier, Word};
use super::rows::{IN_ORDER_AT_ONCE, Reader, Row};
use super::scan::Found as Places;
use super::value::Probe;
use crate::error::Result;
use crate::field::VisibleFields;
use pgrx::datum::Uuid;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::RangeInclusive;

/// Customers from which a query is said to find many. To read and judge so many takes as long as to find out who is the latest of them.
const MANY: usize = 60;

/// Customers up to which the index tells where all are; of more it is asked step by step.
const KNOWN: usize = 1000;

/// As many as there are.
const ALL: usize = u32::MAX as usize;

/// Customers that a step on the way back shall find where it is not known where they are, in times of those that are to be read, and at
/// most; a single day may have more.
const ENOUGH: usize = 2;
const FOUND_AT_ONCE: usize = 8;

/// Customers that are to be read on that way, where hardly any are of the rank that is looked for, at most.
const READ_IN_STEPS_OF: usize = 1000;

/// Who has to read more than one of so many customers that are known, reads them all at once.
const HALF: usize = 2;

/// Customers, in times of those that are to be read, from which it is asked first which are the latest of them.
const SORTED_FIRST: usize = 2;

/// Places of those who were active on a day that can be looked at while of one customer is read when it was last active, which takes a page that
/// is mostly not in PostgreSQL's buffers.
const PLACES_OF_A_ROW: usize = 1500;

/// Customers of one day, in times of those that are to be read, from which the day is not read as a whole.
const CROWD: usize = 20;

/// Places without a customer, in the table, after which the index is not asked for further days: VACUUM has not been there for long.
const LEFT: usize = 500;

/// Customers that are read and judged where all that are found would have to be, in times of those that are missing: mostly the first of them in the order
/// of the page are enough.
const FIRST_OF_ALL: usize = 10;

/// Customers after which it is asked how many of those that are read on that way are of the rank that is looked for, and whether that is
/// enough.
const READ_TO_TELL: usize = 20;
const READ_IN_VAIN: usize = 50;

/// Days in which most have been active: by these it is chosen how large the first step is.
const DAYS_OF_ACTIVITY: u64 = 365;

/// Words that are judged, of those that may be one with two typos: those whose letters are the most alike.
const WORDS_WITH_TWO_TYPOS: usize = 500;

/// Words that are read at once at least.
const WORDS_AT_ONCE: usize = 50;

const MICROSECONDS_OF_A_DAY: i64 = 86_400_000_000;

/// A customer that was found.
pub struct Found<'a> {
    pub tier: Tier,
    /// What of it was found.
    pub matched: String,
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
    /// Nothing, for they are more.
    Many(Many),
}

/// Many customers.
enum Many {
    /// These, which the index has found.
    Known(Vec<Place>),
    /// About so many.
    About(u64),
}

impl Many {
    fn number(&self) -> u64 {
        match self {
            Many::Known(places) => places.len() as u64,
            Many::About(number) => *number,
        }
    }
}

/// How a search that finds many goes on.
enum Next {
    /// With the days before, or with those who never were active.
    Day,
    /// With the owner's customers in the order of the page.
    InOrder,
    /// With all that the index finds at once.
    All,
}

/// What is looked for on the way back through the days, and what was met.
struct Way<'a> {
    term: Term,
    tier: Tier,
    /// What the index finds.
    many: Many,
    /// Customers that were read and judged.
    read: usize,
    /// Places where the customer that the index has was not any more.
    left: usize,
    found: Vec<Found<'a>>,
}

impl Way<'_> {
    /// How many are to be read for those that are missing, by what was met so far: some more.
    fn wanted(&self, missing: usize) -> usize {
        let each = if self.read > READ_TO_TELL { self.read / self.found.len().max(1) } else { 1 };
        let wanted = missing + missing / 4;
        (wanted * each.max(1)).min(READ_IN_STEPS_OF.max(wanted))
    }

    /// Whether there seem to be fewer on it than are missing: then all are to be read anyway.
    fn is_in_vain(&self, missing: usize) -> bool {
        self.found.len() < missing
            && self.read > READ_IN_VAIN
            && self.found.len() as u64 * self.many.number() / (self.read as u64) < missing as u64
    }
}

impl<'a> Page<'a, '_> {
    fn fill(&mut self) -> Result<()> {
        let after = self.search.after.map(|after| after.rank);
        if let Some(id) = self.search.query.id {
            let rows = self.reader.with_id(Uuid::from_bytes(id))?;
            let found = self.judge(rows, |tier| tier == Tier::Exact);
            self.take(found);
        }
        if after.is_none_or(|after| after >= Tier::Substring.rank()) {
            let term = self.term(Tier::Substring)?;
            match self.read(&term)? {
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
        match self.read(&term)? {
            Read::All(rows) => {
                let found = self.judge(rows, |found| found == tier);
                self.take(found);
                Ok(())
            }
            Read::Many(many) => self.gather_many(tier, term, many),
        }
    }

    /// The same where the index finds many: from the most recently active back, until there are enough. Where that takes too long, or hardly
    /// any of what it finds is of that rank, all of it is read at once.
    fn gather_many(&mut self, tier: Tier, term: Term, many: Many) -> Result<()> {
        if self.missing() == 0 {
            return Ok(());
        }
        let after = self.search.after.filter(|after| after.rank == tier.rank());
        let last_day = after.map_or(Some(LAST_DAY), |after| day_of(after.last_activity));
        let mut days = DaysBack::from(last_day, ENOUGH * self.missing(), many.number());
        let mut way = Way { term, tier, many, read: 0, left: 0, found: Vec::new() };
        let mut all_days = false;
        while way.found.len() < self.missing() {
            let mut next = if way.is_in_vain(self.missing()) {
                Next::All
            } else {
                match days.next {
                    Some(day) => self.go_back(&mut way, &mut days, day)?,
                    None if all_days => break,
                    None => {
                        self.gather_never_active(&mut way, after)?;
                        all_days = true;
                        Next::Day
                    }
                }
            };
            if let Next::InOrder = next {
                next = self.go_in_order(&mut way, after)?;
                days.next = None;
            }
            if let Next::All = next {
                way.found = Vec::new();
                let probe = self.probe(&way.term);
                match &mut way.many {
                    Many::Known(places) => {
                        let places = std::mem::take(places);
                        self.read_latest(&mut way, &probe, &places)?;
                    }
                    Many::About(_) => self.read_first_of_all(&mut way, &probe)?,
                }
                break;
            }
        }
        self.take(way.found);
        Ok(())
    }

    /// Goes a step back from a day, and reads whom it finds. Tells how to go on.
    fn go_back(&self, way: &mut Way<'a>, days: &mut DaysBack, day: i32) -> Result<Next> {
        let missing = self.missing() - way.found.len();
        let wanted = way.wanted(missing);
        if let Many::Known(places) = &way.many {
            if wanted > places.len() / HALF {
                return Ok(Next::All);
            }
            let (first, last) = (self.terms.active_on(day), self.terms.active_on(FIRST_DAY));
            let Some(latest) = index::latest(first, last, places, wanted, days.places_left)? else {
                return Ok(Next::All);
            };
            let first_day = latest.last.map_or(FIRST_DAY, key::day_of);
            days.next = day_before(first_day);
            days.places_left = days.places_left.saturating_sub(latest.looked_at);
            if latest.places.len() < missing && days.next.is_some() {
                return Ok(Next::All);
            }
            let there = self.terms.active(first_day..=day).and(way.term.clone());
            self.read_latest(way, &self.probe(&there), &latest.places)?;
            return Ok(Next::Day);
        }
        let Some(last) = self.latest_day(day)? else {
            days.next = None;
            return Ok(Next::Day);
        };
        let step = days.step(last);
        let there = self.terms.active(step.clone()).and(way.term.clone());
        let probe = self.probe(&there);
        let is_one_day = step.start() == step.end();
        match index::few(&probe, wanted * if is_one_day { CROWD } else { FOUND_AT_ONCE })? {
            Some(Places::All(places)) => {
                days.go_on(&step, ENOUGH * wanted, places.len());
                self.read_latest(way, &probe, &places)?;
            }
            Some(Places::Many(_)) if is_one_day => return Ok(Next::InOrder),
            Some(Places::Many(many)) => days.narrow(ENOUGH * wanted, many),
            None => return Ok(Next::All),
        }
        Ok(if way.left > LEFT { Next::InOrder } else { Next::Day })
    }

    /// Goes through the owner's customers in the order of the page, from where it begins to those who never were active, and keeps those of the rank:
    /// instead of the days.
    fn go_in_order(&self, way: &mut Way<'a>, after: Option<Cursor>) -> Result<Next> {
        (way.read, way.found) = (0, Vec::new());
        // The greatest number is infinity, which is a time that a customer may have.
        let (mut time, mut from) = after.map_or((i64::MAX, Some(0)), |after| (after.last_activity, next_id(after.id)));
        while time > i64::MIN && way.found.len() < self.missing() {
            if way.is_in_vain(self.missing()) {
                return Ok(Next::All);
            }
            let rows = match from {
                Some(id) => self.reader.active_at(time, id.to_be_bytes())?,
                None => self.reader.active_before(time)?,
            };
            match rows.last().filter(|_| rows.len() == IN_ORDER_AT_ONCE) {
                Some(last) => (time, from) = (last.last_activity(), next_id(last.id())),
                None if from.is_some() => from = None,
                None => time = i64::MIN,
            }
            way.read += rows.len();
            way.found.extend(self.judge(rows, |found| found == way.tier));
        }
        Ok(Next::Day)
    }

    /// Reads customers that the index has found, and adds those of the rank, the most recently active first: all, or as many as are missing.
    fn read_latest(&self, way: &mut Way<'a>, probe: &Probe, places: &[Place]) -> Result<()> {
        if places.is_empty() {
            return Ok(());
        }
        let probe = probe.with_places(places);
        let missing = self.missing() - way.found.len();
        let wanted = way.wanted(missing);
        let (mut found, mut read) = (Vec::new(), 0);
        let mut asked = places.len();
        if places.len() > SORTED_FIRST * wanted {
            asked = wanted;
            // If the latest are enough, those that come behind them do not matter.
            let latest = self.latest(way.tier, &probe, wanted)?;
            read = latest.len();
            found = self.judge(latest, |found| found == way.tier);
        }
        if found.len() < missing {
            let all = self.reader.found(&probe)?;
            (read, asked) = (all.len(), places.len());
            found = self.judge(all, |found| found == way.tier);
        }
        found.sort_unstable_by_key(Found::place);
        way.read += read;
        way.left += if read < asked { places.len() - read } else { 0 };
        way.found.extend(found);
        Ok(())
    }

    /// The same of all customers that a probe finds, however many.
    fn read_first_of_all(&self, way: &mut Way<'a>, probe: &Probe) -> Result<()> {
        let (missing, most) = (self.missing(), FIRST_OF_ALL * self.missing());
        let first = self.latest(way.tier, probe, most)?;
        let is_all = first.len() <= most;
        way.found = self.judge(first, |found| found == way.tier);
        if way.found.len() < missing && !is_all {
            way.found = self.judge(self.reader.found(probe)?, |found| found == way.tier);
        }
        Ok(())
    }

    /// The first of the customers that a probe finds, in the order of the page from where it begins, and one more at most: that of the cursor.
    fn latest(&self, tier: Tier, probe: &Probe, most: usize) -> Result<Vec<Row<'a>>> {
        let after = self.search.after.filter(|after| after.rank == tier.rank());
        self.reader.latest(probe, most + 1, after.map(|after| (after.last_activity, after.id)))
    }

    /// The latest day, up to that one, on which a customer of the owner was last active.
    fn latest_day(&self, day: i32) -> Result<Option<i32>> {
        // Without an index the day itself is as good as another.
        let key = index::first_key(self.terms.active_on(day), self.terms.active_on(FIRST_DAY))?;
        Ok(key.map_or(Some(day), |key| key.map(key::day_of)))
    }

    /// Those that were never active: if they are many, in the order of their ids, which is that of the primary key.
    fn gather_never_active(&self, way: &mut Way<'a>, after: Option<Cursor>) -> Result<()> {
        if let Read::All(rows) = self.read(&self.terms.never_active().and(way.term.clone()))? {
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
            let last = rows.last().filter(|_| rows.len() == IN_ORDER_AT_ONCE).map(Candidate::id);
            next = last.and_then(next_id);
            way.read += rows.len();
            way.found.extend(self.judge(rows, |found| found == way.tier));
        }
        Ok(())
    }

    fn missing(&self) -> usize {
        self.search.wanted.saturating_sub(self.found.len())
    }

    fn term(&self, tier: Tier) -> Result<Term> {
        let (query, typos) = (self.search.query, tier.typos());
        let mut long = HashMap::new();
        if typos > 0 && query.takes_typos(typos) {
            let misspelt = self.terms.probed_words(query).into_iter().filter(|word| word.typos > 0);
            let words: HashMap<&String, &Word> = misspelt.map(|word| (&word.text, word)).collect();
            for (text, word) in words {
                long.insert(text, self.long_misspelt(word, typos)?);
            }
        }
        Ok(self.terms.in_tier(query, tier, |word| long.get(&word.text).cloned().unwrap_or(Term::NOTHING)))
    }

    /// The longer words of names that are the word with as many typos. Of each word that the index has for it one customer's name is read:
    /// many others may have the same. Of those that differ by two typos, and are very many, the likeliest.
    fn long_misspelt(&self, word: &Word, typos: usize) -> Result<Term> {
        let typos = typos.min(word.typos);
        let ends = self.terms.ends_misspelt(&word.letters, typos);
        let least_typos = key::least_typos(&word.letters);
        let Some(found) = index::long_words(&ends, |mark| least_typos(mark) <= typos)? else {
            return Ok(Term::with_ends(&ends));
        };
        // A word is found by several of its keys.
        let distinct: HashMap<_, &LongWord> = found.iter().map(|word| (word.identity(), word)).collect();
        let mut distinct: Vec<&LongWord> = distinct.into_values().collect();
        distinct.sort_unstable_by_key(|word| (least_typos(word.mark), word.identity()));
        let most = if typos > 1 { WORDS_WITH_TWO_TYPOS } else { ALL };
        let may_be = judged(&distinct, most, |some| {
            // Without the places the same customers are found, and others that have such words too.
            let places: BTreeSet<Place> = some.iter().map(|word| word.place).collect();
            let probe = self.probe(&Term::with_ends(&ends)).with_places(&places.into_iter().collect::<Vec<_>>());
            let mut told = HashMap::new();
            self.reader.names(&probe, |name| {
                for other in words(&fold(beginning(name))).filter(|other| other.chars().nth(LONG_FROM - 1).is_some()) {
                    let is_it = word.misspelt(other, typos).is_some();
                    for key in self.terms.keys_of_long(other) {
                        told.entry(key).and_modify(|known| *known |= is_it).or_insert(is_it);
                    }
                }
            })?;
            Ok(told)
        })?;
        let keys = found.into_iter().filter(|word| may_be.contains(&word.identity())).map(|word| Term::Key(word.key));
        Ok(any(keys.collect()))
    }

    fn probe(&self, term: &Term) -> Probe {
        Probe::new(&self.search.owner, self.search.fields.searchable(), &Flat::of(term))
    }

    /// The customers that the index finds, if they are not many.
    fn read(&self, term: &Term) -> Result<Read<'a>> {
        if term.is_nothing() {
            return Ok(Read::All(Vec::new()));
        }
        let probe = self.probe(term);
        Ok(match index::few(&probe, KNOWN)? {
            Some(Places::All(places)) if places.len() > MANY => Read::Many(Many::Known(places)),
            Some(Places::All(places)) if places.is_empty() => Read::All(Vec::new()),
            Some(Places::All(places)) => Read::All(self.reader.found(&probe.with_places(&places))?),
            Some(Places::Many(many)) => Read::Many(Many::About(many)),
            // Without an index each customer is looked at.
            None => Read::All(self.reader.found(&probe)?),
        })
    }

    /// Those of the rows that match in a wanted way, and are behind the place where the page begins.
    fn judge(&self, rows: Vec<Row<'a>>, wanted: impl Fn(Tier) -> bool) -> Vec<Found<'a>> {
        let typos = [Tier::TwoTypos, Tier::Typo].into_iter().find(|tier| wanted(*tier)).map_or(0, Tier::typos);
        let judged = rows.into_iter().filter_map(|row| {
            pgrx::check_for_interrupts!();
            let Match { tier, matched } = self.search.query.matches(&row, typos)?;
            let found = || Found { tier, matched, last_activity: row.last_activity(), id: row.id(), row };
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

/// Which of those words, of which the likeliest come first, may be the one that is looked for: all but those whose keys `read` says are of others.
/// Once so many were told of, the rest is left out. Words of another owner, of which it can tell nothing, do not count.
fn judged(
    words: &[&LongWord],
    most: usize,
    mut read: impl FnMut(&[&LongWord]) -> Result<HashMap<i64, bool>>,
) -> Result<HashSet<(i64, Place)>> {
    let (mut may_be, mut rest, mut missing) = (HashSet::new(), words, most);
    while missing > 0 && !rest.is_empty() {
        let (next, later) = rest.split_at(missing.max(WORDS_AT_ONCE).min(rest.len()));
        let told = read(next)?;
        for word in next {
            let is_it = told.get(&word.key).copied();
            missing -= usize::from(is_it.is_some());
            if is_it.unwrap_or(true) {
                may_be.insert(word.identity());
            }
            if missing == 0 {
                break;
            }
        }
        rest = later;
    }
    Ok(may_be)
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

/// The id behind one, as a number.
fn next_id(id: [u8; 16]) -> Option<u128> {
    u128::from_be_bytes(id).checked_add(1)
}

/// The day before, if there is one.
fn day_before(day: i32) -> Option<i32> {
    Some(day - 1).filter(|day| *day >= FIRST_DAY)
}

/// Days in steps from the latest back.
struct DaysBack {
    /// The day before those that have been gone through; None where that was the first.
    next: Option<i32>,
    /// Days of the next step.
    width: i32,
    /// Places of who was active on a day that can be looked at in the time that all who are looked for would take.
    places_left: usize,
}

impl DaysBack {
    /// So many are wanted, of about so many.
    fn from(next: Option<i32>, wanted: usize, many: u64) -> DaysBack {
        let width = (DAYS_OF_ACTIVITY * wanted as u64 / many.max(1)).clamp(1, DAYS_OF_ACTIVITY);
        DaysBack { next, width: width as i32, places_left: PLACES_OF_A_ROW.saturating_mul(many as usize) }
    }

    /// The next step, which ends with a day that is not after `next`.
    fn step(&self, last: i32) -> RangeInclusive<i32> {
        (last - self.width + 1).max(FIRST_DAY)..=last
    }

    /// A step that found so many has been gone through: the next one shall find about as many as are wanted.
    fn go_on(&mut self, step: &RangeInclusive<i32>, wanted: usize, found: usize) {
        self.next = day_before(*step.start());
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
            let mut days = DaysBack { next: Some(last), width, places_left: 0 };
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
    fn words_of_others_take_no_places() {
        let words: Vec<LongWord> = (0..3000).map(|n| LongWord { key: -n, mark: n, place: 1 }).collect();
        let words: Vec<&LongWord> = words.iter().collect();
        let mut reads = 0;
        let may_be = judged(&words, 500, |some| {
            reads += 1;
            let own = some.iter().filter(|word| word.mark % 3 == 0);
            Ok(own.map(|word| (word.key, word.mark % 2 == 0)).collect())
        });
        let mut own: Vec<i64> =
            may_be.expect("readable").into_iter().map(|(mark, _)| mark).filter(|mark| mark % 3 == 0).collect();
        own.sort_unstable();
        assert!(own.iter().copied().eq((0..1500).step_by(6)));
        assert!(reads < 20, "{reads}");
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
