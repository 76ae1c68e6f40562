//! The first of many customers of one rank, in the order of last activity and id.
//!
//! The index lists customers by the day of their last activity. So the search goes back from the
//! most recent day, until it has found enough customers of the rank. In two cases it goes another
//! way. If very many customers were active on one day, or the index still lists many customers on
//! days on which they were not active last, the owner's customers are read in the order of the page.
//! If hardly any customer has the rank, or the days have too many entries, all matching customers
//! are read at once.

use super::cursor::Cursor;
use super::days::{DaysBack, day_before, day_of};
use super::finder::{Finder, Finding, Hit, Many};
use crate::error::Result;
use crate::search::gin::index;
use crate::search::gin::scan::Lookup;
use crate::search::key::day::{FIRST_DAY, LAST_DAY, day_of_key};
use crate::search::matching::Candidate;
use crate::search::place::Place;
use crate::search::rows::{MAX_READ_IN_ORDER, Row};
use crate::search::term::Term;
use crate::search::tier::Tier;
use crate::search::value::Probe;

// How many customers a step back finds, where their places are not known, as a multiple of those
// that are to be read.

/// A step is made as long as it takes to find about this many.
const STEP_TARGET: usize = 2;
/// A step that would find more than this many is made shorter.
const STEP_LIMIT: usize = 8;
/// A single day with more than this many is not read as a whole.
const DAY_LIMIT: usize = 20;

/// The most customers that a step reads where hardly any of them has the rank.
const MAX_READ_IN_STEP: usize = 1000;

/// Once the steps have met this many dead places, in which the customer is no more, the index is
/// not asked for further days. VACUUM has not been there for long.
const MAX_DEAD_PLACES: usize = 500;

/// If all matching customers had to be read, first this many times the missing ones are read, in
/// the order of the page. Mostly they are enough.
const FIRST_READ: usize = 10;

/// After this many customers were read, their share of the rank tells how many must be read for the
/// rest of the page.
const MIN_READ_TO_ESTIMATE: usize = 20;

/// After this many customers were read, their share of the rank may tell that the page cannot be
/// filled this way.
const MIN_READ_TO_GIVE_UP: usize = 50;

/// The first `wanted` of the customers of a rank. `many` is what the index finds for `term`.
pub fn first_of_many<'a>(
    finder: &Finder<'a, '_>,
    tier: Tier,
    term: Term,
    many: Many,
    wanted: usize,
) -> Result<Vec<Hit<'a>>> {
    let after = finder.begins_within(tier);
    let last_day = after.map_or(Some(LAST_DAY), |after| day_of(after.last_activity));
    let days = DaysBack::from(last_day, STEP_TARGET * wanted, many.number());
    FirstOfMany { finder, tier, term, many, wanted, after, days, read: 0, dead_places: 0, hits: Vec::new() }.run()
}

struct FirstOfMany<'a, 's, 'f> {
    finder: &'f Finder<'a, 's>,
    tier: Tier,
    term: Term,
    many: Many,
    wanted: usize,
    after: Option<Cursor>,
    days: DaysBack,
    /// The customers that were read and judged.
    read: usize,
    dead_places: usize,
    hits: Vec<Hit<'a>>,
}

/// How the search goes on.
enum Next {
    /// With earlier days, or with the customers without any activity.
    Back,
    /// With the owner's customers in the order of the page.
    InOrder,
    /// With all matching customers at once.
    All,
}

impl<'a> FirstOfMany<'a, '_, '_> {
    fn run(mut self) -> Result<Vec<Hit<'a>>> {
        let mut is_never_active_read = false;
        while self.missing() > 0 {
            let mut next = match self.days.next {
                _ if self.is_in_vain() => Next::All,
                Some(day) => self.step_back(day)?,
                None if is_never_active_read => break,
                None => {
                    self.read_never_active()?;
                    is_never_active_read = true;
                    Next::Back
                }
            };
            if let Next::InOrder = next {
                next = self.read_in_order()?;
                self.days.next = None;
            }
            if let Next::All = next {
                self.read_all()?;
                break;
            }
        }
        Ok(self.hits)
    }

    fn missing(&self) -> usize {
        self.wanted.saturating_sub(self.hits.len())
    }

    /// How many customers to read for the missing ones: a quarter more than there will be, judged
    /// by those read so far.
    fn to_read(&self) -> usize {
        let read_for_each = if self.read > MIN_READ_TO_ESTIMATE { self.read / self.hits.len().max(1) } else { 1 };
        let at_least = self.missing() + self.missing() / 4;
        (at_least * read_for_each.max(1)).min(MAX_READ_IN_STEP.max(at_least))
    }

    /// Whether fewer customers of the rank than are wanted seem to exist. Then all must be read
    /// anyway.
    fn is_in_vain(&self) -> bool {
        self.missing() > 0
            && self.read > MIN_READ_TO_GIVE_UP
            && self.hits.len() as u64 * self.many.number() / (self.read as u64) < self.wanted as u64
    }

    /// Goes a step back from a day, and reads the customers that it finds.
    fn step_back(&mut self, day: i32) -> Result<Next> {
        match &self.many {
            Many::Known(_) => self.step_back_among_known(day),
            Many::About(_) => self.step_back_by_days(day),
        }
    }

    /// If the places are known, a step finds the wanted number of them.
    fn step_back_among_known(&mut self, day: i32) -> Result<Next> {
        let Many::Known(places) = &self.many else { return Ok(Next::All) };
        let to_read = self.to_read();
        // If more than half of the known customers must be read, read them all.
        if to_read > places.len() / 2 {
            return Ok(Next::All);
        }
        let fields = &self.finder.fields;
        let (first, last) = (fields.active_on(day), fields.active_on(FIRST_DAY));
        let Some(latest) = index::latest(first, last, places, to_read, self.days.entries_left)? else {
            return Ok(Next::All);
        };
        let first_day = latest.last_key.map_or(FIRST_DAY, day_of_key);
        self.days.next = day_before(first_day);
        self.days.entries_left = self.days.entries_left.saturating_sub(latest.scanned);
        if latest.places.len() < self.missing() && self.days.next.is_some() {
            return Ok(Next::All);
        }
        let there = fields.active(first_day..=day).and(self.term.clone());
        self.read_latest(&self.finder.probe(&there), &latest.places)?;
        Ok(Next::Back)
    }

    /// If the places are not known, a step asks the index for those of some days.
    fn step_back_by_days(&mut self, day: i32) -> Result<Next> {
        let to_read = self.to_read();
        let Some(last) = self.latest_day(day)? else {
            self.days.next = None;
            return Ok(Next::Back);
        };
        let step = self.days.step(last);
        let there = self.finder.fields.active(step.clone()).and(self.term.clone());
        let probe = self.finder.probe(&there);
        let is_one_day = step.start() == step.end();
        match index::look_up(&probe, to_read * if is_one_day { DAY_LIMIT } else { STEP_LIMIT })? {
            Some(Lookup::All(places)) => {
                self.days.go_on(&step, STEP_TARGET * to_read, places.len());
                self.read_latest(&probe, &places)?;
            }
            Some(Lookup::More(_)) if is_one_day => return Ok(Next::InOrder),
            Some(Lookup::More(about)) => self.days.narrow(STEP_TARGET * to_read, about),
            None => return Ok(Next::All),
        }
        Ok(if self.dead_places > MAX_DEAD_PLACES { Next::InOrder } else { Next::Back })
    }

    /// The latest day, not after this one, on which a customer of the owner was last active.
    fn latest_day(&self, day: i32) -> Result<Option<i32>> {
        let fields = &self.finder.fields;
        let key = index::first_key(fields.active_on(day), fields.active_on(FIRST_DAY))?;
        // Without an index any day will do.
        Ok(key.map_or(Some(day), |key| key.map(day_of_key)))
    }

    /// Reads the owner's customers in the order of the page, from its beginning up to those without
    /// any activity, and keeps those of the rank. It takes the place of the steps back.
    fn read_in_order(&mut self) -> Result<Next> {
        (self.read, self.hits) = (0, Vec::new());
        // The greatest number is infinity, which is a time that a customer may have.
        let (mut time, mut from) =
            self.after.map_or((i64::MAX, Some(0)), |after| (after.last_activity, next_id(after.id)));
        while time > i64::MIN && self.missing() > 0 {
            if self.is_in_vain() {
                return Ok(Next::All);
            }
            let rows = match from {
                Some(id) => self.finder.reader.active_at(time, id.to_be_bytes())?,
                None => self.finder.reader.active_before(time)?,
            };
            match rows.last().filter(|_| rows.len() == MAX_READ_IN_ORDER) {
                Some(last) => (time, from) = (last.last_activity(), next_id(last.id())),
                None if from.is_some() => from = None,
                None => time = i64::MIN,
            }
            self.judge(rows);
        }
        Ok(Next::Back)
    }

    /// Reads the customers without any activity. If they are many, by their ids, in the order of
    /// the primary key.
    fn read_never_active(&mut self) -> Result<()> {
        let term = self.finder.fields.never_active().and(self.term.clone());
        if let Finding::Rows(rows) = self.finder.find(&term)? {
            let mut hits = self.of_rank(rows);
            hits.sort_unstable_by_key(Hit::order);
            self.hits.extend(hits);
            return Ok(());
        }
        let after = self.after.filter(|after| after.last_activity == i64::MIN);
        // A customer may have id 0. The customer of the cursor is read again, and left out by its
        // place.
        let mut next = Some(after.map_or(0, |after| u128::from_be_bytes(after.id)));
        while let Some(from) = next
            && self.missing() > 0
            && !self.is_in_vain()
        {
            let rows = self.finder.reader.never_active(from.to_be_bytes())?;
            let last = rows.last().filter(|_| rows.len() == MAX_READ_IN_ORDER).map(Candidate::id);
            next = last.and_then(next_id);
            self.judge(rows);
        }
        Ok(())
    }

    /// Reads all matching customers, as far as the wanted ones are not among the first of them.
    fn read_all(&mut self) -> Result<()> {
        self.hits = Vec::new();
        let probe = self.finder.probe(&self.term);
        if let Many::Known(places) = &mut self.many {
            let places = std::mem::take(places);
            return self.read_latest(&probe, &places);
        }
        let most = FIRST_READ * self.wanted;
        let first = self.latest(&probe, most)?;
        let is_all = first.len() <= most;
        self.hits = self.of_rank(first);
        if self.missing() > 0 && !is_all {
            self.hits = self.of_rank(self.finder.reader.matching(&probe)?);
        }
        Ok(())
    }

    /// Reads the customers at these places, and keeps those of the rank in the order of the page:
    /// all of them, or the first if these are enough.
    fn read_latest(&mut self, probe: &Probe, places: &[Place]) -> Result<()> {
        if places.is_empty() {
            return Ok(());
        }
        let probe = probe.with_places(places);
        let (missing, to_read) = (self.missing(), self.to_read());
        let (mut hits, mut read, mut asked) = (Vec::new(), 0, places.len());
        // If there are more than twice as many as must be read, read only the latest.
        if places.len() > 2 * to_read {
            asked = to_read;
            let latest = self.latest(&probe, to_read)?;
            read = latest.len();
            hits = self.of_rank(latest);
        }
        if hits.len() < missing {
            let all = self.finder.reader.matching(&probe)?;
            (read, asked) = (all.len(), places.len());
            hits = self.of_rank(all);
        }
        hits.sort_unstable_by_key(Hit::order);
        self.read += read;
        self.dead_places += if read < asked { places.len() - read } else { 0 };
        self.hits.extend(hits);
        Ok(())
    }

    /// The first of the customers that a probe finds, in the order of the page from its beginning.
    /// There may be one more than asked for: the customer of the cursor.
    fn latest(&self, probe: &Probe, most: usize) -> Result<Vec<Row<'a>>> {
        let from = self.after.map(|after| (after.last_activity, after.id));
        self.finder.reader.latest(probe, most + 1, from)
    }

    fn judge(&mut self, rows: Vec<Row<'a>>) {
        self.read += rows.len();
        let hits = self.of_rank(rows);
        self.hits.extend(hits);
    }

    fn of_rank(&self, rows: Vec<Row<'a>>) -> Vec<Hit<'a>> {
        self.finder.judge(rows, |tier| tier == self.tier)
    }
}

/// The next id, as a number.
fn next_id(id: [u8; 16]) -> Option<u128> {
    u128::from_be_bytes(id).checked_add(1)
}
