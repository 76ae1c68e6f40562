//! The long words of names that a word of a query may be with typos, as the search index has them.

use super::finder::Finder;
use crate::error::Result;
use crate::search::bounds::beginning;
use crate::search::fold::{fold, words};
use crate::search::gin::index::{self, LongWord};
use crate::search::key::long_word::{MIN_LETTERS_OF_LONG_WORD, least_typos};
use crate::search::place::Place;
use crate::search::term::Term;
use crate::search::word::Word;
use std::collections::{BTreeSet, HashMap, HashSet};

/// The most words that are checked as matches with two typos: the likeliest, by their letters.
const MAX_WORDS_WITH_TWO_TYPOS: usize = 500;

/// At least this many words are read at once.
const MIN_WORDS_AT_ONCE: usize = 50;

/// The long words at most `typos` typos away from a word. The index has hashes of words
/// only. So for each word that it has, the name of one customer with that word is read; many others
/// may have the same word.
pub fn long_misspelt(finder: &Finder, word: &Word, typos: usize) -> Result<Term> {
    let typos = typos.min(word.typos);
    let ends = finder.fields.misspelt_ends(&word.letters, typos);
    let least_typos = least_typos(&word.letters);
    let Some(found) = index::long_words(&ends, |mark| least_typos(mark) <= typos)? else {
        return Ok(Term::any_with_end(&ends));
    };
    // A word is found by several of its keys.
    let distinct: HashMap<_, &LongWord> = found.iter().map(|word| (word.identity(), word)).collect();
    let mut likeliest: Vec<&LongWord> = distinct.into_values().collect();
    likeliest.sort_unstable_by_key(|word| (least_typos(word.mark), word.identity()));
    let most = if typos > 1 { MAX_WORDS_WITH_TWO_TYPOS } else { usize::MAX };
    let may_be_meant = check(&likeliest, most, |some| {
        // The term finds these customers and more; the places leave only these.
        let places: BTreeSet<Place> = some.iter().map(|word| word.place).collect();
        let places: Vec<Place> = places.into_iter().collect();
        let probe = finder.probe(&Term::any_with_end(&ends)).with_places(&places);
        let mut verdicts = HashMap::new();
        finder.reader.names(&probe, |name| {
            let name = fold(beginning(name));
            for other in words(&name).filter(|word| word.chars().nth(MIN_LETTERS_OF_LONG_WORD - 1).is_some()) {
                let is_meant = word.misspelt(other, typos).is_some();
                for key in finder.fields.keys_of_long_word(other) {
                    verdicts.entry(key).and_modify(|known| *known |= is_meant).or_insert(is_meant);
                }
            }
        })?;
        Ok(verdicts)
    })?;
    let meant = found.into_iter().filter(|word| may_be_meant.contains(&word.identity()));
    Ok(Term::any_key(meant.map(|word| word.key)))
}

/// Which of the words, the likeliest first, may be meant. `read` gives a verdict by key. A word
/// without a verdict belongs to another owner: it may be meant, and does not count. After `most`
/// verdicts the rest of the words is left out.
fn check(
    words: &[&LongWord],
    most: usize,
    mut read: impl FnMut(&[&LongWord]) -> Result<HashMap<i64, bool>>,
) -> Result<HashSet<(i64, Place)>> {
    let (mut may_be_meant, mut rest, mut missing) = (HashSet::new(), words, most);
    while missing > 0 && !rest.is_empty() {
        let (next, later) = rest.split_at(missing.max(MIN_WORDS_AT_ONCE).min(rest.len()));
        let verdicts = read(next)?;
        for word in next {
            let verdict = verdicts.get(&word.key).copied();
            missing -= usize::from(verdict.is_some());
            if verdict.unwrap_or(true) {
                may_be_meant.insert(word.identity());
            }
            if missing == 0 {
                break;
            }
        }
        rest = later;
    }
    Ok(may_be_meant)
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    #[test]
    fn words_of_other_owners_do_not_count() {
        let words: Vec<LongWord> = (0..3000).map(|n| LongWord { key: -n, mark: n, place: 1 }).collect();
        let words: Vec<&LongWord> = words.iter().collect();
        let mut reads = 0;
        let may_be_meant = check(&words, 500, |some| {
            reads += 1;
            let own = some.iter().filter(|word| word.mark % 3 == 0);
            Ok(own.map(|word| (word.key, word.mark % 2 == 0)).collect())
        });
        let mut own: Vec<i64> =
            may_be_meant.expect("readable").into_iter().map(|(mark, _)| mark).filter(|mark| mark % 3 == 0).collect();
        own.sort_unstable();
        assert!(own.iter().copied().eq((0..1500).step_by(6)));
        assert!(reads < 20, "{reads}");
    }
}
