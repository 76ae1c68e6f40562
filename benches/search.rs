//! What searching costs, and what it finds: under the wall, against row-level security by hand and against none at all.
//!
//! `SET=S` (200,000 customers) or `SET=M` (5,000,000, and set S beside it). BENCH_QUERIES: of each kind, 1,000. BENCH_SECONDS:
//! how long (a) and (b) each may take with one kind, each of two times. BENCH_RECALL: queries of each kind that are compared with
//! brute force. BENCH_SCALE: by what the sets are divided, to try something out. BENCH_PARTS: which of alone, latency, recall, mix, writes and activity.
//! BENCH_CPU: the one on which latencies are measured, all to leave it to the kernel.

mod common;

#[path = "search/activity.rs"]
mod activity;
#[path = "search/brute.rs"]
mod brute;
#[path = "search/data.rs"]
mod data;
#[path = "search/latency.rs"]
mod latency;
#[path = "search/mix.rs"]
mod mix;
#[path = "search/people.rs"]
mod people;
#[path = "search/queries.rs"]
mod queries;
#[path = "../tests/common/random.rs"]
mod random;
#[path = "search/writes.rs"]
mod writes;

use common::{connect_to, number, run};
use data::Set;
use std::env;
use std::fs;
use std::path::PathBuf;
use std::time::Instant;

/// Seconds in which set M has to be made.
const GOAL: f64 = 600.0;

/// Makes a set in a database of its own, and tells how long that took.
fn make(set: &Set) -> String {
    let database = format!("search_{}", set.name.to_lowercase());
    println!("\nSet {}: {} owners, {} customers", set.name, set.owners.len(), set.customers());
    let made = data::load(set, &database);
    for (what, time) in &made.parts {
        println!("  {what:24} {:7.1} s", time.as_secs_f64());
    }
    let total = made.total().as_secs_f64();
    let goal = if set.name == "M" { format!(" (goal {GOAL:.0})") } else { String::new() };
    println!("set {} made in {total:.1} s{goal}", set.name);
    let mut server = connect_to(&database, "postgres");
    let row = server
        .query_one(
            "SELECT sum(customers)::bigint,
                    count(*) FILTER (WHERE owners > 1) * 100.0::float8 / count(*),
                    pg_size_pretty(pg_table_size('ringfence.customer')), pg_size_pretty(pg_indexes_size('ringfence.customer'))
               FROM (SELECT count(*) AS customers, count(DISTINCT owner_id) AS owners FROM ringfence.customer GROUP BY normal_phones[1]) AS person",
            &[],
        )
        .expect("the people");
    assert_eq!(row.get::<_, i64>(0), set.customers() as i64, "all customers of the set");
    write_out(&mut server);
    println!(
        "{:.1} % of the people are customers of two owners or more; table {}, its indexes {}",
        row.get::<_, f64>(1),
        row.get::<_, String>(2),
        row.get::<_, String>(3)
    );
    database
}

/// What was just made is not written out while searches are measured, by those that need its buffers.
fn write_out(server: &mut postgres::Client) {
    run(server, "CHECKPOINT");
}

fn main() {
    let name = env::var("SET").ok().filter(|name| !name.is_empty()).unwrap_or_else(|| "S".to_owned());
    let scale = number("BENCH_SCALE", 1);
    let set = Set::named(&name, scale).unwrap_or_else(|| panic!("no set {name}: SET=S or SET=M"));
    let count = number("BENCH_QUERIES", 1000) as usize;
    let seconds = number("BENCH_SECONDS", if set.name == "M" { 7 } else { 2 }) as f64;
    let parts = env::var("BENCH_PARTS").unwrap_or_else(|_| "alone latency recall mix writes activity".to_owned());
    let wanted = |part: &str| parts.split([' ', ',']).any(|wanted| wanted == part);
    let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("search");
    let _ = fs::remove_dir_all(&directory);
    fs::create_dir_all(&directory).expect("a directory for plans and logs");
    let start = Instant::now();

    // What one set leaves in memory is not what the other is made with: the smaller one first.
    let small = if set.name == "S" { set.clone() } else { Set::named("S", scale).expect("set S") };
    let small_database = make(&small);
    let database = if set.name == "S" { small_database.clone() } else { make(&set) };

    if wanted("alone") {
        let _one_cpu = latency::OneCpu::take();
        latency::alone(&set, &database, count);
    }
    if wanted("latency") {
        latency::make_by_hand(&database);
        write_out(&mut connect_to(&database, "postgres"));
        latency::read_indexes(&database);
        let one_cpu = latency::OneCpu::take();
        let latencies = latency::measure(&set, &database, count, seconds);
        latencies.judge(&set);
        let file = directory.join(format!("plans-{}.txt", set.name));
        fs::write(&file, &latencies.plans).expect("the plans");
        println!("the plans in full: {}", file.display());
        if set.name != "S" {
            latency::independence((&small, &small_database), (&set, &database), count);
        }
        drop(one_cpu);
    }
    if wanted("recall") {
        brute::compare(&small, &small_database, number("BENCH_RECALL", 100) as usize);
    }
    if wanted("mix") {
        mix::run_mix(&set, &database, number("BENCH_MIX_SECONDS", 20), &directory);
    }
    if wanted("writes") {
        writes::compare(&set, &database, (20_000 / scale) as usize, number("BENCH_ROUNDS", 2) as usize);
    }
    if wanted("activity") {
        activity::compare(&set, &database, (count / 10).max(5));
    }
    println!("\nall that in {:.0} s", start.elapsed().as_secs_f64());
}
