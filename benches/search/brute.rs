//! What a search must find: the rules once more, written as plainly as they read, and applied to every customer.

use super::data::{Maker, Owner, Set};
use super::queries::{KINDS, Kind, OTHER_KINDS, Query, queries};
use crate::common::{connect_to, run};
use crate::latency::judge;
use postgres::{Client, Statement};
use std::collections::{HashMap, HashSet};
use strsim::osa_distance;
use unicode_normalization::UnicodeNormalization;
use uuid::Uuid;

/// Case, width, diacritics, apostrophes, and letters with a stroke or ligature do not count.
fn fold(text: &str) -> String {
    let lower: String = text.nfkc().flat_map(char::to_lowercase).collect();
    let mut plain = String::new();
    for character in lower.nfd() {
        match character {
            '\u{300}'..='\u{36f}' | '\'' | '’' | '‘' | '`' | '´' | 'ʼ' => (),
            'ł' => plain.push('l'),
            'ø' => plain.push('o'),
            'đ' => plain.push('d'),
            'ß' => plain.push_str("ss"),
            'æ' => plain.push_str("ae"),
            'œ' => plain.push_str("oe"),
            other => plain.push(other),
        }
    }
    plain.nfc().collect()
}

fn words(folded: &str) -> impl Iterator<Item = &str> {
    folded.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty())
}

fn is_han(character: char) -> bool {
    matches!(character, '\u{2e80}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// One letter or two, which are looked for as the beginning of a name's word, or as a word of a value.
fn is_short(word: &str) -> bool {
    word.chars().count() < 3 && !word.chars().any(is_han)
}

/// How near a customer comes to a query: the fewer typos, the nearer.
type Typos = usize;

struct Row {
    id: Uuid,
    name: String,
    /// E-mails and visible searchable values.
    emails: Vec<String>,
    values: Vec<String>,
    phones: Vec<String>,
}

/// All customers of an owner, as a superuser reads them.
struct Everybody {
    rows: Vec<Row>,
    /// The different words of names, and who has them.
    by_word: HashMap<String, Vec<usize>>,
}

impl Everybody {
    fn of(owner: &Owner, server: &mut Client) -> Everybody {
        let rows: Vec<Row> = server
            .query(
                "SELECT id, name, normal_emails, bench.shown_values(attributes, searched), normal_phones
                   FROM ringfence.customer JOIN bench.searched USING (owner_id) WHERE owner_id = $1",
                &[&owner.id()],
            )
            .expect("the customers")
            .iter()
            .map(|row| {
                let folded = |list: Vec<String>| list.iter().map(|text| fold(text)).collect();
                Row {
                    id: row.get(0),
                    name: fold(row.get(1)),
                    emails: folded(row.get(2)),
                    values: folded(row.get(3)),
                    phones: row.get(4),
                }
            })
            .collect();
        let mut by_word: HashMap<String, Vec<usize>> = HashMap::new();
        for (n, row) in rows.iter().enumerate() {
            for word in words(&row.name) {
                by_word.entry(word.to_owned()).or_default().push(n);
            }
        }
        Everybody { rows, by_word }
    }

    /// Everybody who matches, and with how many typos at most in one word.
    fn matching(&self, query: &Query) -> HashMap<Uuid, Typos> {
        let folded = fold(&query.text);
        // Of an address whose words before the @ are short, these are whole words.
        let before = folded.split_once('@').map_or("", |(before, _)| before);
        let whole =
            words(before).next().is_some() && words(before).all(is_short) && !folded.contains(char::is_whitespace);
        let mut best: Option<HashMap<usize, Typos>> = None;
        for word in words(&folded) {
            let found = self.matching_word(word, whole);
            best = Some(match best {
                None => found,
                Some(others) => {
                    others.into_iter().filter_map(|(row, typos)| Some((row, typos.max(*found.get(&row)?)))).collect()
                }
            });
        }
        let mut best = best.unwrap_or_default();
        // The query as a whole may be part of an e-mail address, whose dots part no words then.
        if folded.contains(['@', '.', '-', '_', '+'])
            && !folded.contains(char::is_whitespace)
            && words(&folded).count() > 1
        {
            let has_part = |row: &Row| row.emails.iter().any(|email| email.contains(&folded));
            best.extend((0..self.rows.len()).filter(|n| has_part(&self.rows[*n])).map(|n| (n, 0)));
        }
        // The query as a whole may be a phone number, or the end of one.
        let whole = query.text.chars().all(|c| c.is_ascii_digit() || "+-(). /".contains(c));
        let digits: String = query.text.chars().filter(char::is_ascii_digit).collect();
        for (n, row) in self.rows.iter().enumerate() {
            let ends = whole && digits.len() >= 4 && row.phones.iter().any(|phone| phone.ends_with(&digits));
            if ends || query.phone.as_ref().is_some_and(|phone| row.phones.contains(phone)) {
                best.insert(n, 0);
            }
        }
        best.into_iter().map(|(n, typos)| (self.rows[n].id, typos)).collect()
    }

    fn matching_word(&self, word: &str, whole: bool) -> HashMap<usize, Typos> {
        let letters = word.chars().count();
        let digits = letters >= 4 && word.chars().all(|c| c.is_ascii_digit());
        let mut found = HashMap::new();
        for (n, row) in self.rows.iter().enumerate() {
            let matches = if is_short(word) {
                words(&row.name).any(|other| other == word || !whole && other.starts_with(word))
                    || row.values.iter().any(|value| words(value).any(|other| other == word))
            } else {
                row.name.contains(word)
                    || row.emails.iter().chain(&row.values).any(|text| text.contains(word))
                    || digits && row.phones.iter().any(|phone| phone.ends_with(word))
            };
            if matches {
                found.insert(n, 0);
            }
        }
        let allowed = match letters {
            _ if word.chars().any(|c| is_han(c) || c.is_numeric()) => 0,
            0..4 => 0,
            4..8 => 1,
            _ => 2,
        };
        if allowed > 0 {
            for (other, rows) in &self.by_word {
                let typos = osa_distance(word, other);
                if typos <= allowed {
                    for row in rows {
                        let best = found.entry(*row).or_insert(typos);
                        *best = (*best).min(typos);
                    }
                }
            }
        }
        found
    }
}

/// Finds everybody, page by page.
struct Searcher {
    agent: Client,
    page: Statement,
}

impl Searcher {
    fn new(database: &str, owner: &Owner) -> Searcher {
        let mut agent = connect_to(database, "search_agent");
        run(&mut agent, &format!("BEGIN; SET LOCAL ringfence.owner = '{}'", owner.id()));
        let page = agent
            .prepare("SELECT customer_id, cursor FROM ringfence.search_customers($1, 1000, $2)")
            .expect("search_customers()");
        Searcher { agent, page }
    }

    fn found(&mut self, query: &str) -> Vec<Uuid> {
        let (mut ids, mut after) = (Vec::new(), None::<String>);
        loop {
            let rows = self.agent.query(&self.page, &[&query, &after]).expect("a page");
            ids.extend(rows.iter().map(|row| row.get::<_, Uuid>(0)));
            match rows.last() {
                Some(last) if rows.len() == 1000 => after = last.get(1),
                _ => return ids,
            }
        }
    }
}

#[derive(Default)]
struct Tally {
    queries: usize,
    must: usize,
    missing: usize,
    returned: usize,
    wrong: usize,
    /// Customers at two typos in a word. A search looks for them where nobody is nearer.
    far: usize,
    far_found: usize,
    /// Queries of two typos, and those that find the customer whom they were made of.
    meant: usize,
    meant_found: usize,
    examples: Vec<String>,
}

impl Tally {
    fn add(&mut self, query: &Query, matching: &HashMap<Uuid, Typos>, found: &[Uuid]) {
        let returned: HashSet<&Uuid> = found.iter().collect();
        let near: Vec<&Uuid> = matching.iter().filter(|(_, typos)| **typos < 2).map(|(id, _)| id).collect();
        let missing: Vec<&&Uuid> = near.iter().filter(|id| !returned.contains(**id)).collect();
        let wrong: Vec<&&Uuid> = returned.iter().filter(|id| !matching.contains_key(**id)).collect();
        for (what, ids) in
            [("missing", missing.iter().map(|id| ***id).next()), ("wrong", wrong.iter().map(|id| ***id).next())]
        {
            if let Some(id) = ids {
                self.examples.push(format!("{:?} {what} {id}", query.text));
            }
        }
        self.queries += 1;
        self.must += near.len();
        self.missing += missing.len();
        self.returned += found.len();
        // A customer who is returned twice is wrong once.
        self.wrong += wrong.len() + found.len() - returned.len();
        if near.is_empty() {
            let (found, not): (Vec<&Uuid>, Vec<&Uuid>) = matching.keys().partition(|id| returned.contains(id));
            self.far += matching.len();
            self.far_found += found.len();
            self.examples.extend(not.first().map(|id| format!("{:?} does not find at two typos {id}", query.text)));
        }
    }

    fn line(&self, customers: u64, kind: Kind) {
        let mut far = String::new();
        if self.far > 0 {
            far = format!("{} of {}", self.far_found, self.far);
        }
        if self.meant > 0 {
            far += &format!("; the customer meant: {} of {}", self.meant_found, self.meant);
        }
        println!(
            "{customers:>9} {:20} {:>8} {:>9} {:>8} {:>9} {:>6}  {far}",
            kind.name(),
            self.queries,
            self.must,
            self.missing,
            self.returned,
            self.wrong
        );
        for example in self.examples.iter().take(3) {
            println!("{:>9} for example: {example}", "");
        }
    }
}

/// Compares what searches find with what they must find, in the smallest owner and in the largest.
pub fn compare(set: &Set, database: &str, count: usize) {
    println!(
        "\nRecall and precision against brute force over the same rows, set {}, {count} queries of each kind",
        set.name
    );
    println!(
        "{:>9} {:20} {:>8} {:>9} {:>8} {:>9} {:>6}  found at two typos, where nobody is nearer",
        "customers", "", "queries", "must", "missing", "returned", "wrong"
    );
    let maker = Maker::new();
    let mut server = connect_to(database, "postgres");
    let (mut missing, mut wrong, mut far, mut far_found, mut meant, mut meant_found) = (0, 0, 0, 0, 0, 0);
    let [largest, _, smallest] = set.measured();
    for owner in [smallest, largest] {
        let everybody = Everybody::of(owner, &mut server);
        let mut searcher = Searcher::new(database, owner);
        for kind in KINDS.into_iter().chain(OTHER_KINDS) {
            let mut tally = Tally::default();
            for query in queries(&maker, owner, kind, count) {
                let found = searcher.found(&query.text);
                tally.add(&query, &everybody.matching(&query), &found);
                if kind == Kind::TwoTypos {
                    tally.meant += 1;
                    tally.meant_found += usize::from(found.contains(&maker.customer(owner, query.place).id));
                }
            }
            tally.line(owner.customers, kind);
            missing += tally.missing;
            wrong += tally.wrong;
            far += tally.far;
            far_found += tally.far_found;
            meant += tally.meant;
            meant_found += tally.meant_found;
        }
    }
    judge("all that must be found is found (100 %)", missing == 0, &format!("{missing} missing"));
    judge("nothing is returned that must not be", wrong == 0, &format!("{wrong} wrong"));
    println!(
        "recall at two edits: {far_found} of {far} customers at two typos where nobody is nearer; of {meant} misspelt names {meant_found} find the customer meant"
    );
}
