//! What the index costs those who write, and its size, against the index of (b) on the same table.

use super::data::{Columns, Maker, Owner, Set, copy_line, has_column, memory_for_index};
use super::latency::judge;
use super::people::Dice;
use crate::common::{connect_to, run};
use postgres::Client;
use postgres::types::ToSql;
use std::collections::HashMap;
use std::io::Write as _;
use std::time::Instant;

/// The index of (b) as one of expressions: what its text is made of has to be immutable, and as fast as it can be.
const THEIRS: &str = "
    CREATE FUNCTION bench.joined(text[], text) RETURNS text LANGUAGE internal IMMUTABLE STRICT AS 'array_to_text';
    CREATE INDEX bench_text ON ringfence.customer USING gin (owner_id,
        lower(name || ' ' || bench.joined(normal_phones, ' ') || ' ' || bench.joined(normal_emails, ' ') || ' '
              || jsonb_path_query_array(SEARCHED, '$.*')::text) gin_trgm_ops);";

/// Which indexes are kept while rows are written.
#[derive(Clone, Copy, PartialEq)]
enum Kept {
    None,
    Ours,
    Theirs {
        fastupdate: bool,
    },
    /// Ours, and those by which lists go.
    WithLists,
}

const KEPT: [Kept; 5] =
    [Kept::None, Kept::Ours, Kept::Theirs { fastupdate: true }, Kept::Theirs { fastupdate: false }, Kept::WithLists];

impl Kept {
    fn name(self) -> &'static str {
        match self {
            Kept::None => "neither index",
            Kept::Ours => "ours",
            Kept::Theirs { fastupdate: true } => "(b)'s, as it is by default",
            Kept::Theirs { fastupdate: false } => "(b)'s, fastupdate off",
            Kept::WithLists => "ours, and those of lists",
        }
    }

    /// All that is written here is rolled back: an index that was not kept lacks nothing when it is kept again.
    fn keep(self, server: &mut Client) {
        let (lists, theirs) = (self == Kept::WithLists, matches!(self, Kept::Theirs { .. }));
        let ours = lists || self == Kept::Ours;
        let fastupdate = self != Kept::Theirs { fastupdate: false };
        run(
            server,
            &format!(
                "UPDATE pg_index SET indisready = CASE WHEN indexrelid = 'ringfence.bench_text'::regclass THEN {theirs}
                                                  WHEN indexrelid::regclass::text LIKE 'ringfence.customer_by_%' THEN {lists} ELSE {ours} END
                  WHERE indrelid = 'ringfence.customer'::regclass AND NOT indisunique;
                 ALTER INDEX ringfence.bench_text SET (fastupdate = {fastupdate})"
            ),
        );
    }
}

/// Customers yet to come, of all owners as they are large.
fn new_customers(set: &Set, count: usize) -> Vec<Vec<Option<String>>> {
    let mut maker = Maker::new();
    let mut dice = Dice::of(&[5]);
    let mut come: HashMap<u64, u64> = HashMap::new();
    (0..count)
        .map(|_| {
            let owner = drawn(set, &mut dice);
            let place = come.entry(owner.number).or_default();
            let customer = maker.customer(owner, owner.customers + *place);
            *place += 1;
            Columns::Written.of(&mut maker, owner, &customer)
        })
        .collect()
}

/// An owner, the likelier the larger it is.
pub fn drawn<'a>(set: &'a Set, dice: &mut Dice) -> &'a Owner {
    let mut n = dice.below(set.customers());
    for owner in &set.owners {
        if n < owner.customers {
            return owner;
        }
        n -= owner.customers;
    }
    &set.owners[0]
}

/// Rows a second, by INSERTs of one row and by COPY.
fn rates(database: &str, rows: &[Vec<Option<String>>]) -> [f64; 2] {
    let mut client = connect_to(database, "postgres");
    let insert = client
        .prepare(&format!(
            "INSERT INTO ringfence.customer ({}) VALUES ($1::text::uuid, $2::text::uuid, $3, $4::text::text[], $5::text::text[],
                                                         $6, $7::text::jsonb, $8::text::timestamptz)",
            Columns::Written.list()
        ))
        .expect("INSERT");
    let rate = |start: Instant| rows.len() as f64 / start.elapsed().as_secs_f64();

    run(&mut client, "BEGIN");
    let start = Instant::now();
    for row in rows {
        let parameters: Vec<&(dyn ToSql + Sync)> = row.iter().map(|value| value as &(dyn ToSql + Sync)).collect();
        client.execute(&insert, &parameters).expect("INSERT");
    }
    let inserted = rate(start);
    run(&mut client, "ROLLBACK");

    let mut lines = String::new();
    rows.iter().for_each(|row| copy_line(row, &mut lines));
    run(&mut client, "BEGIN");
    let start = Instant::now();
    let mut writer =
        client.copy_in(&format!("COPY ringfence.customer ({}) FROM STDIN", Columns::Written.list())).expect("COPY");
    writer.write_all(lines.as_bytes()).expect("COPY");
    writer.finish().expect("COPY");
    let copied = rate(start);
    run(&mut client, "ROLLBACK");
    [inserted, copied]
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Measures both. Leaves the index of (b) on the table.
pub fn compare(set: &Set, database: &str, count: usize, rounds: usize) {
    println!(
        "\nWriting {count} customers in one transaction, set {}: rows a second, median of {rounds} rounds",
        set.name
    );
    let mut server = connect_to(database, "postgres");
    let searched = if has_column(&mut server, "searchable") { "searchable" } else { "attributes" };
    run(&mut server, &format!("{}; {}", memory_for_index(), THEIRS.replace("SEARCHED", searched)));
    let ours: Vec<String> = server
        .query(
            "SELECT indexrelid::regclass::text FROM pg_index
              WHERE indrelid = 'ringfence.customer'::regclass AND NOT indisunique AND indexrelid <> 'ringfence.bench_text'::regclass",
            &[],
        )
        .expect("the indexes")
        .iter()
        .map(|row| row.get(0))
        .collect();
    println!("ours: {}", ours.join(", "));
    let rows = new_customers(set, count);
    let mut measured: Vec<[Vec<f64>; 2]> = KEPT.iter().map(|_| [Vec::new(), Vec::new()]).collect();
    for _ in 0..rounds {
        for (n, kept) in KEPT.into_iter().enumerate() {
            kept.keep(&mut server);
            for (values, rate) in measured[n].iter_mut().zip(rates(database, &rows)) {
                values.push(rate);
            }
        }
    }
    let medians: Vec<[f64; 2]> = measured.into_iter().map(|of| of.map(median)).collect();
    println!("  {:28} {:>10} {:>10}", "", "INSERT", "COPY");
    for (kept, [inserted, copied]) in KEPT.iter().zip(&medians) {
        println!("  {:28} {inserted:>10.0} {copied:>10.0}", kept.name());
    }
    for (n, what) in ["INSERT", "COPY"].into_iter().enumerate() {
        for theirs in [2, 3] {
            let factor = medians[theirs][n] / medians[1][n];
            let goal = format!("{what} with our index within a factor of 2 of {}", KEPT[theirs].name());
            judge(&goal, factor <= 2.0, &format!("{factor:.2}"));
        }
    }

    println!(
        "with the indexes of lists an INSERT takes {:.2} times as long, a COPY {:.2}",
        medians[1][0] / medians[4][0],
        medians[1][1] / medians[4][1]
    );

    let mut size = |index: &str| -> i64 {
        run(&mut server, &format!("{}; REINDEX INDEX {index}", memory_for_index()));
        server.query_one("SELECT pg_relation_size($1::text::regclass)", &[&index]).expect("its size").get(0)
    };
    println!("\nSizes of the indexes, built anew");
    let mib = |bytes: i64| bytes as f64 / (1 << 20) as f64;
    let theirs = size("ringfence.bench_text");
    println!("  {:32} {:>9.1} MiB", "(b)'s", mib(theirs));
    for index in &ours {
        let own = size(index);
        println!("  {index:32} {:>9.1} MiB, {:.2} of (b)'s", mib(own), own as f64 / theirs as f64);
        if index.ends_with("customer_search") {
            let factor = own as f64 / theirs as f64;
            judge("size within a factor of 3 of (b)'s index", factor <= 3.0, &format!("{factor:.2}"));
        }
    }
}
