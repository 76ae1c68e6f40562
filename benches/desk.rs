//! What the service desk costs: routing a call, reading and opening tickets, whole calls through PgBouncer, and imports.
//!
//! BENCH_SCALE divides customers, tickets, callers and rows of the import. BENCH_PARTS: which of route, lists, tickets, calls and import.

#[path = "desk/calls.rs"]
mod calls;
mod common;
#[path = "desk/import.rs"]
mod import;
#[path = "desk/lists.rs"]
mod lists;
#[path = "desk/route.rs"]
mod route;
#[path = "../tests/common/mod.rs"]
mod tests;
#[path = "desk/tickets.rs"]
mod tickets;

use common::{Bench, connect, database, number, run};
use std::env;

const OWNERS: usize = 4;

/// What everything large is divided by.
fn scale() -> u64 {
    number("BENCH_SCALE", 1)
}

fn owner(n: usize) -> String {
    format!("00000000-0000-4000-8000-0000000000d{n}")
}

/// The role of an owner's application alone.
fn role(n: usize) -> String {
    format!("bench_desk_{n}")
}

fn main() {
    let data = format!("SET bench.scale = {};\n{}", scale(), include_str!("desk.sql"));
    let mut server = database("bench_desk", &data);
    for n in 1..=OWNERS {
        run(&mut connect(&role(n)), include_str!("desk/script.sql"));
    }
    run(
        &mut server,
        "INSERT INTO plain.question SELECT * FROM ringfence.question; INSERT INTO plain.answer SELECT * FROM ringfence.answer",
    );
    run(&mut server, "VACUUM (FREEZE, ANALYZE)");
    run(&mut server, "CHECKPOINT");

    let parts = env::var("BENCH_PARTS").unwrap_or_else(|_| "route lists tickets calls import".to_owned());
    let asked = |part: &str| parts.split_whitespace().any(|word| word == part);
    let mut bench = Bench::new();
    if asked("route") {
        route::compare(&mut bench);
    }
    if asked("lists") {
        lists::compare(&mut bench);
    }
    if asked("tickets") {
        tickets::compare();
    }
    if asked("calls") {
        calls::compare(&mut server);
    }
    // As the last: it begins with a table that is empty.
    if asked("import") {
        import::compare(&mut server);
    }
    bench.finish();
}
