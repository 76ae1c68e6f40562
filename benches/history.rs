//! What the history of customers costs: cards written with it and without, its size, and what is asked of it.

mod common;

use common::{Arm, Bench, Goal, connect, database, number, run};
use postgres::Client;
use uuid::Uuid;

/// The owner of benches/fields.sql whose customers have 12 values.
const OWNER: &str = "00000000-0000-4000-8000-0000000000f1";

/// Customers that one statement updates.
fn bulk_size() -> usize {
    (10_000 / number("BENCH_SCALE", 1)).max(10) as usize
}

const UPDATE: &str =
    "UPDATE ringfence.customer_card SET attributes = attributes || jsonb_build_object('Field 1', $1::text) WHERE";

/// Updates one customer after the other, a prepared statement and a round trip each. It is rolled back, for the next block to find the same.
fn single<'a>(what: &str, role: &str, ids: &'a [Uuid]) -> Arm<'a> {
    let mut client = connect(role);
    let statement = client.prepare(&format!("{UPDATE} id = $2")).expect("the update");
    let (mut ids, mut n) = (ids.iter().cycle(), 0_u64);
    Arm::new(what, client, move |client, meter, times| {
        run(client, "BEGIN");
        client.execute(&statement, &[&"first", &Uuid::nil()]).expect("the update");
        meter.measure(|| {
            for _ in 0..times {
                n += 1;
                let id = ids.next().expect("endless");
                assert_eq!(client.execute(&statement, &[&format!("value {n}"), &id]).expect("the update"), 1);
            }
        });
        run(client, "ROLLBACK");
    })
}

/// Updates many customers in one statement.
fn bulk<'a>(what: &str, role: &str, ids: &'a [Uuid]) -> Arm<'a> {
    let mut client = connect(role);
    let statement = client.prepare(&format!("{UPDATE} id = ANY ($2)")).expect("the update");
    let mut n = 0_u64;
    let mut chunks = ids.chunks_exact(bulk_size()).cycle();
    Arm::new(what, client, move |client, meter, times| {
        for _ in 0..times {
            run(client, "BEGIN");
            n += 1;
            let chunk = chunks.next().expect("endless");
            let updated = meter.measure(|| client.execute(&statement, &[&format!("value {n}"), &chunk]));
            assert_eq!(updated.expect("the update"), bulk_size() as u64);
            run(client, "ROLLBACK");
        }
    })
}

/// As [`single`], without history, and with the triggers of authority and history in place or disabled.
fn with_triggers<'a>(what: &str, ids: &'a [Uuid], in_place: bool) -> Arm<'a> {
    let mut client = connect("postgres");
    let statement = client.prepare(&format!("{UPDATE} id = $2")).expect("the update");
    let (mut ids, mut n) = (ids.iter().cycle(), 0_u64);
    Arm::new(what, client, move |client, meter, times| {
        run(client, "BEGIN; SET LOCAL ringfence.keep_history = 'none'");
        if !in_place {
            run(client, "ALTER TABLE ringfence.customer DISABLE TRIGGER judge_authority, DISABLE TRIGGER keep_history");
        }
        run(client, "SET LOCAL SESSION AUTHORIZATION bench_none");
        client.execute(&statement, &[&"first", &Uuid::nil()]).expect("the update");
        meter.measure(|| {
            for _ in 0..times {
                n += 1;
                let id = ids.next().expect("endless");
                assert_eq!(client.execute(&statement, &[&format!("value {n}"), &id]).expect("the update"), 1);
            }
        });
        run(client, "ROLLBACK");
    })
}

fn size(server: &mut Client, table: &str) -> i64 {
    server.query_one("SELECT pg_total_relation_size($1::text::regclass)", &[&table]).expect("the size").get(0)
}

fn main() {
    let scale = number("BENCH_SCALE", 1);
    let data = format!("SET bench.scale = {scale};\n{}", include_str!("fields.sql"));
    let mut server = database("bench_history", &data);
    // The same access, and another history. The one customer that is asked about has 1,000 changes and 1,000 visits.
    run(
        &mut server,
        "CREATE ROLE bench_none LOGIN; CREATE ROLE bench_who LOGIN;
         SELECT ringfence.grant_access('bench_none', 'Cards', '{admin}'), ringfence.grant_access('bench_who', 'Cards', '{admin}');
         ALTER ROLE bench_none SET ringfence.keep_history = 'none';
         ALTER ROLE bench_who SET ringfence.keep_history = 'who';
         CREATE TABLE plain.visit (owner_id uuid, id integer, customer_id uuid, PRIMARY KEY (owner_id, id),
             FOREIGN KEY (owner_id, customer_id) REFERENCES ringfence.customer (owner_id, id));
         CREATE INDEX ON plain.visit (owner_id, customer_id);
         GRANT USAGE ON SCHEMA plain TO bench_cards;
         GRANT SELECT ON plain.visit TO bench_cards",
    );
    let ids: Vec<Uuid> = server
        .query(
            &format!("SELECT id FROM ringfence.customer WHERE owner_id = '{OWNER}' ORDER BY md5(id::text) LIMIT 20000"),
            &[],
        )
        .expect("customers")
        .iter()
        .map(|row| row.get(0))
        .collect();
    let asked = ids[0];
    run(
        &mut server,
        &format!(
            "INSERT INTO plain.visit SELECT '{OWNER}', n, '{asked}' FROM generate_series(1, 1000) AS n;
             INSERT INTO plain.visit SELECT '{OWNER}', 1000 + n, id FROM (SELECT row_number() OVER () AS n, id FROM ringfence.customer WHERE owner_id = '{OWNER}') AS c"
        ),
    );
    let mut cards = connect("bench_cards");
    for n in 0..1000 {
        run(&mut cards, &format!("UPDATE ringfence.customer_card SET address = 'Street {n}' WHERE id = '{asked}'"));
    }
    run(&mut server, "VACUUM (FREEZE, ANALYZE)");
    run(&mut server, "CHECKPOINT");
    let mut bench = Bench::new();

    println!("\nOne value of a card written, against the same without history");
    let mut none = single("keep_history = none", "bench_none", &ids);
    bench.compare("one card, values", Goal::AtMost(1.25), &mut single("", "bench_cards", &ids), &mut none, None);
    bench.compare("one card, who", Goal::AtMost(1.15), &mut single("", "bench_who", &ids), &mut none, None);
    drop(none);
    let cards_of = bulk_size();
    let mut none = bulk("keep_history = none", "bench_none", &ids);
    bench.compare(
        &format!("{cards_of} cards in a statement, values"),
        Goal::AtMost(1.25),
        &mut bulk("", "bench_cards", &ids),
        &mut none,
        None,
    );
    bench.compare(
        &format!("{cards_of} cards in a statement, who"),
        Goal::AtMost(1.15),
        &mut bulk("", "bench_who", &ids),
        &mut none,
        None,
    );
    drop(none);

    println!("\nOne value that no source has authority over, against the same without the triggers");
    let mut without = with_triggers("no triggers", &ids, false);
    bench.compare("no authority at all", Goal::None, &mut with_triggers("", &ids, true), &mut without, None);
    run(
        &mut connect("bench_cards"),
        "SELECT ringfence.create_source('Other'), ringfence.set_authority('Other', 'phones')",
    );
    bench.compare("authority over another field", Goal::None, &mut with_triggers("", &ids, true), &mut without, None);
    drop(without);

    println!("\nOf a customer with 1,000 changes and 1,000 visits, against one card read");
    let mut card = Arm::each("one card", connect("bench_cards"), |client| {
        run(client, &format!("SELECT * FROM ringfence.customer_card WHERE id = '{asked}'"));
    });
    for (name, question) in [
        ("datum()", format!("SELECT * FROM ringfence.datum('{asked}', 'address')")),
        ("history() of a field", format!("SELECT count(*) FROM ringfence.history('{asked}', 'address')")),
        ("where_is()", format!("SELECT * FROM ringfence.where_is('{asked}')")),
    ] {
        let mut arm = Arm::each("", connect("bench_cards"), |client| run(client, &question));
        bench.compare(name, Goal::None, &mut arm, &mut card, None);
    }
    drop(card);

    println!("\nSize, after one value of each customer was written once");
    run(&mut server, "TRUNCATE ringfence.change");
    run(&mut cards, "UPDATE ringfence.customer_card SET attributes = attributes || '{\"Field 1\": \"other\"}'");
    run(&mut server, "VACUUM (FULL, FREEZE) ringfence.customer");
    run(&mut server, "VACUUM (FULL, FREEZE) ringfence.change");
    let (history, table) = (size(&mut server, "ringfence.change"), size(&mut server, "ringfence.customer"));
    println!(
        "the history takes {:.0} % of the table with its indexes: {history} of {table} bytes",
        100.0 * history as f64 / table as f64
    );
    bench.finish();
}
