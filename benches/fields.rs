//! What fields cost: cards and report views read, cards written, and the memory of a backend that knows many fields.

mod common;

use common::{Arm, Bench, Goal, connect, database, number, run};
use postgres::Client;
use std::fs;
use std::io::{self, Read};
use uuid::Uuid;

/// The owner of benches/fields.sql whose customers have 12 values.
const OWNER: &str = "00000000-0000-4000-8000-0000000000f1";
const FIELDS: usize = 12;

/// Customers that one statement updates.
const BULK: usize = 1000;

/// What the 100,000 customers are divided by, to try something out.
fn scale() -> u64 {
    number("BENCH_SCALE", 1)
}

/// A card with another value of its first field, and the same of a table without wall, fields or triggers.
const CARD: &str = "ringfence.customer_card";
const PLAIN: &str = "plain.customer";

/// The system columns that a report view shows.
const REPORT_COLUMNS: &str = "id AS customer_id, name, phones, emails, address, birth_date, language, company_id, created_at, updated_at, last_activity_at";

/// Reads all rows of a query as text, as COPY sends them: the rows are made and written out, and nobody parses them.
fn copied<'a>(what: &str, role: &str, query: &str) -> Arm<'a> {
    let copy = format!("COPY ({query}) TO STDOUT");
    Arm::each(what, connect(role), move |client| {
        let mut rows = client.copy_out(copy.as_str()).expect("the rows");
        let bytes = io::copy(&mut Read::by_ref(&mut rows), &mut io::sink()).expect("the rows");
        assert!(bytes > 10_000_000 / scale(), "all customers");
    })
}

/// The same without writing them out: what is left is the executor's work.
fn executed<'a>(what: &str, role: &str, query: &str) -> Arm<'a> {
    let explain = format!("EXPLAIN (ANALYZE, TIMING OFF, SUMMARY OFF, COSTS OFF) {query}");
    Arm::each(what, connect(role), move |client| run(client, &explain))
}

fn update(target: &str) -> String {
    format!(
        "UPDATE {target} SET attributes = attributes || jsonb_build_object('Field 1', $1::text) WHERE owner_id = '{OWNER}' AND "
    )
}

/// Updates one customer after the other, a prepared statement and a round trip each. What was written is rolled back, for
/// the next block to find the same.
fn single<'a>(what: &str, role: &str, target: &str, ids: &'a [Uuid]) -> Arm<'a> {
    let mut client = connect(role);
    let statement = client.prepare(&format!("{} id = $2", update(target))).expect("the update");
    let (mut ids, mut n) = (ids.iter().cycle(), 0_u64);
    Arm::new(what, client, move |client, meter, times| {
        run(client, "BEGIN");
        // Once before it counts: in each transaction the owner is judged and fixed once.
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
fn bulk<'a>(what: &str, role: &str, target: &str, ids: &'a [Uuid]) -> Arm<'a> {
    let mut client = connect(role);
    let statement = client.prepare(&format!("{} id = ANY ($2)", update(target))).expect("the update");
    let mut n = 0_u64;
    let mut chunks = ids.chunks_exact(BULK).cycle();
    Arm::new(what, client, move |client, meter, times| {
        for _ in 0..times {
            run(client, "BEGIN");
            n += 1;
            let chunk = chunks.next().expect("endless");
            let updated = meter.measure(|| client.execute(&statement, &[&format!("value {n}"), &chunk]));
            assert_eq!(updated.expect("the update"), BULK as u64);
            run(client, "ROLLBACK");
        }
    })
}

/// The memory of a new backend's own, without what all backends share, after it has read a card of that owner: in KiB.
fn resident(owner: &str) -> i64 {
    let mut client = connect("bench_fields");
    run(&mut client, &format!("BEGIN; SET LOCAL ringfence.owner = '{owner}'"));
    let cards = client.query("SELECT name, attributes::text FROM ringfence.customer_card", &[]).expect("a card");
    assert_eq!(cards.len(), 1, "the customer of {owner}");
    let backend: i32 = client.query_one("SELECT pg_backend_pid()", &[]).expect("the backend's id").get(0);
    let status = fs::read_to_string(format!("/proc/{backend}/status")).expect("the backend's status");
    let of = |name: &str| -> i64 {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("a line of its name");
        line.trim_start_matches(':').trim().trim_end_matches(" kB").parse().expect("a number")
    };
    of("VmRSS") - of("RssShmem")
}

fn memory() {
    let figures = || -> Vec<i64> { (0..7).map(|_| resident("Many fields") - resident("No fields")).collect() };
    resident("No fields");
    let mut more = figures();
    more.sort_unstable();
    let mib = |kib: i64| kib as f64 / 1024.0;
    let goal = if mib(more[3]) < 10.0 { "met" } else { "missed" };
    println!(
        "{:44} {:44} {:+6.2} MiB [{:.2}..{:.2}]  goal < 10 MiB {goal}",
        "a backend whose owner has 6,000 fields",
        "one whose owner has none",
        mib(more[3]),
        mib(more[0]),
        mib(more[6])
    );
}

/// The same 12 values as a role reads them that RLS does not bind, as text or with the types of the report view.
fn by_hand(client: &mut Client, typed: bool) -> String {
    let fields = client
        .query(
            "SELECT ringfence.storage_key(id), name, type FROM ringfence.field WHERE owner_id = $1::text::uuid AND NOT is_system ORDER BY position",
            &[&OWNER],
        )
        .expect("the fields");
    assert_eq!(fields.len(), FIELDS, "the data of benches/fields.sql");
    let columns: String = fields
        .iter()
        .map(|field| {
            let (key, name, kind): (String, String, String) = (field.get(0), field.get(1), field.get(2));
            let cast = match kind.as_str() {
                "number" => "::numeric",
                "boolean" => "::boolean",
                "date" => "::date",
                "time" => "::time",
                "datetime" => "::timestamptz",
                _ => "",
            };
            format!(", (attributes->>'{key}'){} AS \"{name}\"", if typed { cast } else { "" })
        })
        .collect();
    format!("SELECT {REPORT_COLUMNS}{columns} FROM ringfence.customer")
}

fn main() {
    let data = format!("SET bench.scale = {};\n{}", scale(), include_str!("fields.sql"));
    let mut server = database("bench_fields", &data);
    let customers = 100_000 / scale();
    run(&mut server, "VACUUM (FREEZE, ANALYZE)");
    run(&mut server, "CHECKPOINT");
    let ids: Vec<Uuid> = server
        .query("SELECT id FROM plain.customer ORDER BY md5(id::text) LIMIT 20000", &[])
        .expect("customers")
        .iter()
        .map(|row| row.get(0))
        .collect();
    let mut bench = Bench::new();

    println!("\n{customers} cards with {FIELDS} values, all columns");
    let (cards, table) = (format!("SELECT * FROM {CARD}"), "SELECT * FROM ringfence.customer");
    bench.compare(
        "SELECT * FROM customer_card, sent",
        Goal::AtMost(1.5),
        &mut copied("", "bench_cards", &cards),
        &mut copied("SELECT * FROM customer, no RLS", "bench_unbound", table),
        None,
    );
    bench.compare(
        "the same, not sent",
        Goal::None,
        &mut executed("", "bench_cards", &cards),
        &mut executed("SELECT * FROM customer, no RLS", "bench_unbound", table),
        None,
    );

    println!("\n{customers} customers in a report view with {FIELDS} columns of fields");
    let report = "SELECT * FROM ringfence_report.bench_cards";
    let (as_text, typed) = (by_hand(&mut server, false), by_hand(&mut server, true));
    let mut view = copied("", "bench_cards", report);
    bench.compare(
        "report view, sent",
        Goal::AtMost(1.3),
        &mut view,
        &mut copied("attributes->>, no RLS", "bench_unbound", &as_text),
        None,
    );
    bench.compare(
        "the same",
        Goal::None,
        &mut view,
        &mut copied("(attributes->>)::type, no RLS", "bench_unbound", &typed),
        None,
    );
    bench.compare(
        "the same, not sent",
        Goal::None,
        &mut executed("", "bench_cards", report),
        &mut executed("attributes->>, no RLS", "bench_unbound", &as_text),
        None,
    );
    drop(view);

    println!("\nOne value of a card written, against a plain UPDATE of a table without triggers or RLS");
    const PLAIN_UPDATE: &str = "UPDATE of a jsonb column";
    let unbound = "bench_unbound";
    let mut plain = single(PLAIN_UPDATE, unbound, PLAIN, &ids);
    bench.compare(
        "one card, a round trip each",
        Goal::AtMost(2.0),
        &mut single("", "bench_cards", CARD, &ids),
        &mut plain,
        None,
    );
    for (name, target) in [
        ("floor: an INSTEAD OF trigger that does nothing", "plain.idle_card"),
        ("floor: one in PL/pgSQL that updates", "plain.writing_card"),
    ] {
        bench.compare(name, Goal::None, &mut single("", unbound, target, &ids), &mut plain, None);
    }
    drop(plain);
    let mut plain = bulk(PLAIN_UPDATE, unbound, PLAIN, &ids);
    bench.compare(
        &format!("{BULK} cards in a statement"),
        Goal::AtMost(2.0),
        &mut bulk("", "bench_cards", CARD, &ids),
        &mut plain,
        None,
    );
    for (name, target) in [
        ("floor: an INSTEAD OF trigger that does nothing", "plain.idle_card"),
        ("floor: one in PL/pgSQL that updates", "plain.writing_card"),
    ] {
        bench.compare(name, Goal::None, &mut bulk("", unbound, target, &ids), &mut plain, None);
    }
    drop(plain);

    println!("\nResident memory, without what backends share");
    memory();

    let mut cards_client = connect("bench_cards");
    let mut unbound_client = connect("bench_unbound");
    bench.plan("cards", &mut cards_client, &cards);
    bench.plan("table", &mut unbound_client, table);
    bench.plan("report view", &mut cards_client, report);
    bench.finish();
}
