//! Searches, look-ups and writes at once, by pgbench.

use super::data::{Maker, Set};
use super::latency::Times;
use super::people::Dice;
use super::queries::{KINDS, queries};
use super::writes::drawn;
use crate::common::{connect_to, run};
use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::process::Command;

/// What is asked at random.
const ASKED: usize = 4000;

/// Name, how many a second, and the script after its owner was bound. Scripts read what they ask for from a table: pgbench's
/// own variables are numbers.
const SCRIPTS: [(&str, u32, &str); 5] = [
    ("search", 200, "SELECT * FROM ringfence.search_customers(:query);"),
    ("look-up by phone", 30, "SELECT * FROM ringfence.find_by_phone(:phone);"),
    (
        "new customer",
        20,
        "INSERT INTO ringfence.customer_card (name, phones, emails, attributes) VALUES (:name, ARRAY[:phone], ARRAY[:email], jsonb_build_object('Contract', :contract::text, 'City', 'Roma', 'Plan', 'gold'));",
    ),
    ("last activity", 20, "UPDATE ringfence.customer SET last_activity_at = now() WHERE id = :customer;"),
    (
        "new phone number",
        20,
        "UPDATE ringfence.customer_card SET phones = phones || :phone::text WHERE id = :customer AND cardinality(phones) < 5;",
    ),
];

/// Runs the mix for so many seconds and prints how long each kind of transaction took.
pub fn run_mix(set: &Set, database: &str, seconds: u64, directory: &Path) {
    let rate: u32 = SCRIPTS.iter().map(|(_, rate, _)| rate).sum();
    println!("\nAll at once by pgbench, set {}: {rate} transactions a second from 8 clients, {seconds} s", set.name);
    let mut server = connect_to(database, "postgres");
    run(
        &mut server,
        "CREATE TABLE bench.asked (n integer PRIMARY KEY, owner text, query text, phone text, customer text, name text, email text, contract text);
         GRANT SELECT ON bench.asked TO search_agent",
    );
    let maker = Maker::new();
    let mut dice = Dice::of(&[6]);
    let mut texts: HashMap<(u64, usize), Vec<String>> = HashMap::new();
    let insert = server.prepare("INSERT INTO bench.asked VALUES ($1, $2, $3, $4, $5, $6, $7, $8)").expect("INSERT");
    let mut transaction = server.transaction().expect("BEGIN");
    for n in 1..=ASKED {
        let owner = drawn(set, &mut dice);
        let kind = n % KINDS.len();
        let list = texts
            .entry((owner.number, kind))
            .or_insert_with(|| queries(&maker, owner, KINDS[kind], 50).into_iter().map(|query| query.text).collect());
        let customer = maker.customer(owner, dice.below(owner.customers));
        let new = maker.customer(owner, owner.customers + 1_000_000 + n as u64);
        let Some(query) = (!list.is_empty()).then(|| dice.pick(list)) else { continue };
        transaction
            .execute(
                &insert,
                &[
                    &(n as i32),
                    &owner.id().to_string(),
                    query,
                    &customer.normal_phones()[0],
                    &customer.id.to_string(),
                    &new.person.name,
                    &new.emails.first().cloned().unwrap_or_else(|| "nobody@example.com".to_owned()),
                    &new.values[0].trim_matches('"'),
                ],
            )
            .expect("INSERT");
    }
    transaction.commit().expect("COMMIT");
    run(&mut server, "VACUUM (ANALYZE) bench.asked");

    let mut pgbench = Command::new("pgbench");
    pgbench.args(["--no-vacuum", "--protocol=prepared", "--client=8", "--jobs=2", "--log"]);
    pgbench.arg(format!("--log-prefix={}", directory.join("mix").display()));
    pgbench.args([format!("--time={seconds}"), format!("--rate={rate}")]);
    pgbench.args(["--random-seed=1", "--username=search_agent"]);
    for (n, (_, weight, statement)) in SCRIPTS.iter().enumerate() {
        let file = directory.join(format!("mix{n}.sql"));
        let script = format!(
            "\\set n random(1, {ASKED})\n\
             SELECT owner, query, phone, customer, name, email, contract FROM bench.asked WHERE n >= :n ORDER BY n LIMIT 1 \\gset\n\
             BEGIN;\nSELECT set_config('ringfence.owner', :owner, true);\n{statement}\nCOMMIT;\n"
        );
        fs::write(&file, script).expect("a script");
        pgbench.arg(format!("--file={}@{weight}", file.display()));
    }
    let output = pgbench.arg(database).output().expect("pgbench, which comes with PostgreSQL");
    if !output.status.success() {
        println!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        return;
    }
    print_log(directory, seconds);
}

/// Of each script the times in its log, which pgbench counts from when a transaction was due.
fn print_log(directory: &Path, seconds: u64) {
    let mut from_due: Vec<Vec<f64>> = vec![Vec::new(); SCRIPTS.len()];
    let mut begun = from_due.clone();
    for entry in fs::read_dir(directory).expect("the logs").flatten() {
        if !entry.file_name().to_string_lossy().starts_with("mix.") {
            continue;
        }
        for line in fs::read_to_string(entry.path()).expect("a log").lines() {
            // client, transaction, time, script, epoch, microseconds, lag
            let column: Vec<&str> = line.split(' ').collect();
            let (Ok(script), Ok(time), Ok(lag)) =
                (column[3].parse::<usize>(), column[2].parse::<f64>(), column[6].parse::<f64>())
            else {
                continue;
            };
            from_due[script].push(time / 1000.0);
            begun[script].push((time - lag) / 1000.0);
        }
    }
    println!(
        "  whole transactions in ms: median, p95, p99, longest; in brackets without the time for which all clients were busy"
    );
    for (n, (name, _, _)) in SCRIPTS.iter().enumerate() {
        let (due, begun) = (Times::new(std::mem::take(&mut from_due[n])), Times::new(std::mem::take(&mut begun[n])));
        let figures = |times: &Times| [0.5, 0.95, 0.99, 1.0].map(|part| format!("{:.2}", times.at(part))).join(", ");
        println!("  {name:20} {:6.1}/s   {} ({})", due.len() as f64 / seconds as f64, figures(&due), figures(&begun));
    }
}
