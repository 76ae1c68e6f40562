//! What one search reads and judges: customers that a term finds, as far as they belong on the
//! page.

use super::cursor::Cursor;
use crate::error::Result;
use crate::field::VisibleFields;
use crate::search::expression::Expression;
use crate::search::gin::index;
use crate::search::gin::scan::Lookup;
use crate::search::matching::{Candidate, Match};
use crate::search::place::Place;
use crate::search::probe::Fields;
use crate::search::query::Query;
use crate::search::rows::{Reader, Row};
use crate::search::term::Term;
use crate::search::tier::Tier;
use crate::search::value::Probe;
use pgrx::datum::Uuid;
use std::cmp::Reverse;
use std::collections::HashMap;

/// If the index finds at most this many customers, all are read and judged. That takes about as
/// long as finding out which of this many were active last.
const MAX_READ_AT_ONCE: usize = 60;

/// The most places that the index is asked for at once. If it has more, it only says about how
/// many.
const MAX_KNOWN_PLACES: usize = 1000;

/// What is searched for, and where.
pub struct Search<'a> {
    pub query: &'a Query,
    pub owner: [u8; 16],
    pub visible: &'a VisibleFields,
    /// The page begins behind this place.
    pub after: Option<Cursor>,
    /// The length of the page.
    pub wanted: usize,
}

/// A customer that matches.
pub struct Hit<'a> {
    pub tier: Tier,
    /// What of the customer was found.
    pub matched: String,
    pub last_activity: i64,
    pub id: [u8; 16],
    pub row: Row<'a>,
}

impl Hit<'_> {
    pub fn cursor(&self) -> Cursor {
        Cursor { rank: self.tier.rank(), last_activity: self.last_activity, id: self.id }
    }

    /// The place in the order of pages.
    pub fn order(&self) -> (Reverse<Tier>, Reverse<i64>, [u8; 16]) {
        (Reverse(self.tier), Reverse(self.last_activity), self.id)
    }

    fn is_behind(&self, after: &Cursor) -> bool {
        let (rank, order) = (self.tier.rank(), (Reverse(self.last_activity), self.id));
        rank < after.rank || (rank == after.rank && order > (Reverse(after.last_activity), after.id))
    }
}

pub struct Finder<'a, 's> {
    pub search: &'s Search<'a>,
    pub reader: &'a Reader<'a>,
    pub fields: Fields,
    /// Whom the ticket or the interaction that the query names is about, with what names it. These customers match exactly.
    about_whom: HashMap<[u8; 16], String>,
}

/// What a term finds.
pub enum Finding<'a> {
    /// All customers that it finds.
    Rows(Vec<Row<'a>>),
    /// There are too many to read them all.
    Many(Many),
}

/// Many customers.
pub enum Many {
    /// Their places, as the index has found them.
    Known(Vec<Place>),
    /// About how many they are.
    About(u64),
}

impl Many {
    pub fn number(&self) -> u64 {
        match self {
            Many::Known(places) => places.len() as u64,
            Many::About(number) => *number,
        }
    }
}

impl<'a, 's> Finder<'a, 's> {
    pub fn new(search: &'s Search<'a>, reader: &'a Reader<'a>) -> Result<Finder<'a, 's>> {
        let about_whom = match &search.query.about {
            Some((ticket, external_id)) => reader.about_whom(*ticket, external_id)?,
            None => HashMap::new(),
        };
        Ok(Finder { search, reader, fields: Fields::of(&search.owner, search.visible.searchable()), about_whom })
    }

    /// The customers whom the ticket or the interaction is about that the query names.
    pub fn named(&self) -> Result<Vec<Row<'a>>> {
        let mut rows = Vec::new();
        for id in self.about_whom.keys() {
            rows.extend(self.reader.with_id(Uuid::from_bytes(*id))?);
        }
        Ok(rows)
    }

    pub fn probe(&self, term: &Term) -> Probe {
        Probe::new(&self.search.owner, self.search.visible.searchable(), &Expression::of(term))
    }

    /// Where the page begins, if it begins among the customers of that rank.
    pub fn begins_within(&self, tier: Tier) -> Option<Cursor> {
        self.search.after.filter(|after| after.rank == tier.rank())
    }

    /// Reads the customers that a term finds, unless they are many.
    pub fn find(&self, term: &Term) -> Result<Finding<'a>> {
        if term.is_nothing() {
            return Ok(Finding::Rows(Vec::new()));
        }
        let probe = self.probe(term);
        Ok(match index::look_up(&probe, MAX_KNOWN_PLACES)? {
            Some(Lookup::All(places)) if places.len() > MAX_READ_AT_ONCE => Finding::Many(Many::Known(places)),
            Some(Lookup::All(places)) if places.is_empty() => Finding::Rows(Vec::new()),
            Some(Lookup::All(places)) => Finding::Rows(self.reader.matching(&probe.with_places(&places))?),
            Some(Lookup::More(about)) => Finding::Many(Many::About(about)),
            // Without an index every customer is read.
            None => Finding::Rows(self.reader.matching(&probe)?),
        })
    }

    /// Those of the customers that match with a wanted rank, and are behind the beginning of the
    /// page.
    pub fn judge(&self, rows: Vec<Row<'a>>, is_wanted: impl Fn(Tier) -> bool) -> Vec<Hit<'a>> {
        let typos = [Tier::TwoTypos, Tier::Typo].into_iter().find(|tier| is_wanted(*tier)).map_or(0, Tier::typos);
        let hits = rows.into_iter().filter_map(|row| {
            pgrx::check_for_interrupts!();
            let named = self.about_whom.get(&row.id()).map(|name| Match { tier: Tier::Exact, matched: name.clone() });
            let Match { tier, matched } = named.or_else(|| self.search.query.matches(&row, typos))?;
            let hit = || Hit { tier, matched, last_activity: row.last_activity(), id: row.id(), row };
            is_wanted(tier).then(hit)
        });
        hits.filter(|hit| self.search.after.is_none_or(|after| hit.is_behind(&after))).collect()
    }
}
