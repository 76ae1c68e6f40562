//! One page of a search: the best customers behind a place, in the order of rank, last activity and
//! id.
//!
//! Most queries find few customers. The index names them, each is judged, and the best are kept. A
//! query that finds many ("an") is searched rank by rank, from the best, until the page is full
//! ([`super::many`]).

use super::finder::{Finder, Finding, Hit, Search};
use super::long_misspelt::long_misspelt;
use super::many::first_of_many;
use crate::error::Result;
use crate::search::rows::{Reader, Row};
use crate::search::term::Term;
use crate::search::tier::Tier;
use crate::search::word::Word;
use pgrx::datum::Uuid;
use std::collections::HashMap;

/// Reads a page.
pub fn read_page<'a>(search: &Search<'a>, reader: &'a Reader<'a>) -> Result<Vec<Hit<'a>>> {
    let mut page = Page { finder: Finder::new(search, reader)?, hits: Vec::new() };
    page.fill()?;
    Ok(page.hits)
}

struct Page<'a, 's> {
    finder: Finder<'a, 's>,
    /// The best come first.
    hits: Vec<Hit<'a>>,
}

impl<'a> Page<'a, '_> {
    fn fill(&mut self) -> Result<()> {
        let search = self.finder.search;
        if let Some(id) = search.query.id {
            let rows = self.finder.reader.with_id(Uuid::from_bytes(id))?;
            self.judge_and_add(rows, |tier| tier == Tier::Exact);
        }
        let named = self.finder.named()?;
        self.judge_and_add(named, |tier| tier == Tier::Exact);
        let after = search.after.map(|after| after.rank);
        if after.is_none_or(|after| after >= Tier::Substring.rank()) {
            // This term finds the customers of all better ranks too.
            let term = self.term(Tier::Substring)?;
            match self.finder.find(&term)? {
                Finding::Rows(rows) => self.judge_and_add(rows, |tier| tier >= Tier::Substring),
                Finding::Many(many) => {
                    for tier in [Tier::Exact, Tier::WholeName, Tier::Prefix, Tier::Word] {
                        self.add_tier(tier)?;
                    }
                    let hits = match self.missing() {
                        0 => Vec::new(),
                        missing => first_of_many(&self.finder, Tier::Substring, term, many, missing)?,
                    };
                    self.add(hits);
                }
            }
        }
        self.add_tier(Tier::Typo)?;
        // Many words are two typos away, and nobody has meant most of them.
        if after == Some(Tier::TwoTypos.rank()) || (after.is_none() && self.hits.is_empty()) {
            self.add_tier(Tier::TwoTypos)?;
        }
        Ok(())
    }

    fn missing(&self) -> usize {
        self.finder.search.wanted.saturating_sub(self.hits.len())
    }

    /// Adds the customers of one rank, if the page is not full yet.
    fn add_tier(&mut self, tier: Tier) -> Result<()> {
        let is_passed = self.finder.search.after.is_some_and(|after| after.rank < tier.rank());
        if is_passed || self.missing() == 0 {
            return Ok(());
        }
        let term = self.term(tier)?;
        match self.finder.find(&term)? {
            Finding::Rows(rows) => self.judge_and_add(rows, |found| found == tier),
            Finding::Many(many) => {
                let hits = first_of_many(&self.finder, tier, term, many, self.missing())?;
                self.add(hits);
            }
        }
        Ok(())
    }

    /// What finds the customers of a rank.
    fn term(&self, tier: Tier) -> Result<Term> {
        let (query, typos) = (self.finder.search.query, tier.typos());
        let mut long = HashMap::new();
        if typos > 0 && query.takes_typos(typos) {
            let misspelt = self.finder.fields.probed_words(&query.words).into_iter().filter(|word| word.typos > 0);
            let distinct: HashMap<&String, &Word> = misspelt.map(|word| (&word.text, word)).collect();
            for (text, word) in distinct {
                long.insert(text, long_misspelt(&self.finder, word, typos)?);
            }
        }
        Ok(self.finder.fields.in_tier(query, tier, |word| long.get(&word.text).cloned().unwrap_or(Term::NOTHING)))
    }

    fn judge_and_add(&mut self, rows: Vec<Row<'a>>, is_wanted: impl Fn(Tier) -> bool) {
        let hits = self.finder.judge(rows, is_wanted);
        self.add(hits);
    }

    /// Adds the best of the hits that are not on the page yet, until the page is full.
    fn add(&mut self, mut hits: Vec<Hit<'a>>) {
        hits.sort_unstable_by_key(Hit::order);
        let known: Vec<[u8; 16]> = self.hits.iter().map(|hit| hit.id).collect();
        let missing = self.missing();
        self.hits.extend(hits.into_iter().filter(|hit| !known.contains(&hit.id)).take(missing));
    }
}
