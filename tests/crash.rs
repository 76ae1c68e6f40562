//! The server is killed in the middle of imports and of ticket writing: after recovery each statement is there as a whole or not at
//! all, what was confirmed is there, ticket numbers have no gaps, indexes are sound, and search and unique values agree with the rows.

mod common;

use common::cluster::Cluster;
use common::random::splitmix64;
use common::{refused, run, value};
use postgres::Client;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::sync::Mutex;
use std::thread;

/// How often; the environment may ask for more, by RINGFENCE_KILLS.
const KILLS: usize = 3;
/// Rows of an import of new customers, and of one that changes some of them.
const NEW: usize = 2000;
const CHANGED: usize = 300;
const SEED: u64 = 22;

/// All that makes a commit durable where the processes are killed, and not the machine.
const SETTINGS: [&str; 3] = ["synchronous_commit=on", "full_page_writes=on", "checkpoint_timeout=30s"];

const PREPARE: &str = "
    SELECT ringfence.create_field('Contract', projects => '{Sales}', is_unique => true);
    INSERT INTO ringfence.import_template (id, name, mode, match_field)
        VALUES ('a0000000-0000-0000-0000-0000000001e7', 'File', 'upsert', 'Contract');
    INSERT INTO ringfence.import_mapping (template_id, target, source)
        SELECT 'a0000000-0000-0000-0000-0000000001e7', target, source
          FROM (VALUES ('name', '{{name}}'), ('phones', '{{phone}}'), ('address', '{{address}}'), ('Contract', '{{contract}}')) AS m (target, source)";

/// What was tried, and of that what the server has confirmed.
#[derive(Default)]
struct Journal {
    /// By the word that the customers of an import have in their names: the last version of the import that was tried, and the
    /// last that was confirmed.
    imports: BTreeMap<String, (usize, usize)>,
    /// By owner's role and subject: the tickets of the transaction, and whether it was confirmed.
    tickets: BTreeMap<(&'static str, String), (i64, bool)>,
    /// Of Company A: numbers of tickets that were perhaps deleted, and of those that were.
    perhaps_deleted: BTreeSet<i64>,
    deleted: BTreeSet<i64>,
    /// Of Company A: the highest number that was told to anybody.
    highest: i64,
}

/// A word of twelve letters: far from any other one, so that no search takes it for a misspelt one.
fn word(state: &mut u64) -> String {
    let mut bits = splitmix64(state);
    (0..12)
        .map(|_| {
            let letter = b'a' + (bits % 26) as u8;
            bits /= 26;
            char::from(letter)
        })
        .collect()
}

fn import(word: &str, version: usize, rows: usize) -> String {
    format!(
        "SELECT count(*) FROM ringfence.import_customers('File', (
             SELECT jsonb_agg(jsonb_build_object('name', '{word} ' || n, 'phone', '09' || lpad(n::text, 8, '0'),
                                                 'contract', '{word}-' || n, 'address', 'Version {version}'))
               FROM generate_series(1, {rows}) AS n)) WHERE action IN ('inserted', 'updated')"
    )
}

/// Imports new customers, then changes some of them, and so on, until the server is gone.
fn keep_importing(client: &mut Client, journal: &Mutex<Journal>, mut state: u64) {
    loop {
        let word = word(&mut state);
        for (version, rows) in [(1, NEW), (2, CHANGED), (3, CHANGED)] {
            journal.lock().expect("the journal").imports.entry(word.clone()).or_default().0 = version;
            let Ok(row) = client.query_one(&import(&word, version, rows), &[]) else { return };
            assert_eq!(row.get::<_, i64>(0), rows as i64, "{word}, version {version}");
            journal.lock().expect("the journal").imports.entry(word.clone()).or_default().1 = version;
        }
    }
}

/// Opens tickets: one, five in one statement, or two in one transaction.
fn keep_opening(client: &mut Client, role: &'static str, journal: &Mutex<Journal>, mut state: u64) {
    loop {
        let subject = word(&mut state);
        let open = format!("SELECT ringfence.open_ticket(NULL, '{subject}')");
        let (statements, tickets) = match splitmix64(&mut state) % 3 {
            0 => (open, 1),
            1 => (format!("INSERT INTO ringfence.ticket (subject) SELECT '{subject}' FROM generate_series(1, 5)"), 5),
            _ => (format!("BEGIN; {open}; {open}; COMMIT"), 2),
        };
        let key = (role, subject);
        journal.lock().expect("the journal").tickets.insert(key.clone(), (tickets, false));
        if client.batch_execute(&statements).is_err() {
            return;
        }
        journal.lock().expect("the journal").tickets.insert(key, (tickets, true));
    }
}

/// Opens tickets of Company A and deletes them.
fn keep_deleting(client: &mut Client, journal: &Mutex<Journal>) {
    const OPEN: &str = "INSERT INTO ringfence.ticket (subject) VALUES ('To be deleted') RETURNING number";
    loop {
        let Ok(row) = client.query_one(OPEN, &[]) else { return };
        let number: i64 = row.get(0);
        {
            let mut journal = journal.lock().expect("the journal");
            journal.highest = journal.highest.max(number);
            journal.perhaps_deleted.insert(number);
        }
        if client.execute("DELETE FROM ringfence.ticket WHERE number = $1", &[&number]).is_err() {
            return;
        }
        journal.lock().expect("the journal").deleted.insert(number);
    }
}

/// Works, and kills the server where some more imports are confirmed, and another one has come so far.
fn work_and_kill(cluster: &Cluster, journal: &Mutex<Journal>, imports: usize, state: &mut u64) -> String {
    let (rows, polls) = (splitmix64(state) % NEW as u64 / 500 * 500, splitmix64(state) % 300);
    let mut seed = || splitmix64(state);
    let seeds = [seed(), seed(), seed(), seed(), seed()];
    let mut at = String::new();
    thread::scope(|scope| {
        let mut workers = Vec::new();
        for seed in &seeds[..2] {
            workers.push(scope.spawn(|| keep_importing(&mut cluster.connect("postgres", "boss_a"), journal, *seed)));
        }
        for (role, seed) in [("app_a", seeds[2]), ("app_a", seeds[3]), ("app_b", seeds[4])] {
            workers
                .push(scope.spawn(move || keep_opening(&mut cluster.connect("postgres", role), role, journal, seed)));
        }
        workers.push(scope.spawn(|| keep_deleting(&mut cluster.connect("postgres", "boss_a"), journal)));
        let mut observer = cluster.connect("postgres", "postgres");
        let confirmed = || {
            let journal = journal.lock().expect("the journal");
            let tickets = journal.tickets.values().filter(|(_, done)| *done).count();
            (tickets, journal.imports.values().map(|(_, version)| version).sum::<usize>())
        };
        let before = confirmed();
        let has_worked = || {
            let now = confirmed();
            now.0 >= before.0 + 20 && now.1 >= before.1 + imports
        };
        let progress = format!("SELECT EXISTS (SELECT FROM pg_stat_progress_copy WHERE tuples_processed >= {rows})");
        while !has_worked() || !value::<bool>(&mut observer, &progress) {
            assert!(
                !workers.iter().any(|worker| worker.is_finished()),
                "a statement failed before the server was killed"
            );
        }
        for _ in 0..polls {
            value::<i32>(&mut observer, "SELECT 1");
        }
        let running = "SELECT coalesce(string_agg(coalesce(tuples_processed::text, left(query, 40)), ', '), '')
              FROM pg_stat_activity LEFT JOIN pg_stat_progress_copy USING (pid)
             WHERE state = 'active' AND usename ~ '_[ab]$'";
        at = value(&mut observer, running);
        cluster.kill_and_recover(&SETTINGS);
    });
    at
}

fn assert_imports_are_whole(cluster: &Cluster, journal: &Journal) -> (usize, usize) {
    let mut boss = cluster.connect("postgres", "boss_a");
    let (mut whole, mut none) = (0, 0);
    for (word, (tried, confirmed)) in &journal.imports {
        // The address tells the version of the last import that has written the row.
        let row = boss
            .query_one(
                "SELECT count(*), count(*) FILTER (WHERE address = 'Version 1'), min(address) FILTER (WHERE n <= $2), max(address) FILTER (WHERE n <= $2)
                   FROM (SELECT address, split_part(name, ' ', 2)::integer AS n FROM ringfence.customer WHERE name LIKE $1 || ' %') AS own",
                &[word, &(CHANGED as i32)],
            )
            .expect("the customers");
        let (count, first): (i64, i64) = (row.get(0), row.get(1));
        let found = if count == 0 {
            none += 1;
            0
        } else {
            assert_eq!(count, NEW as i64, "{word}");
            let (least, most): (String, String) = (row.get(2), row.get(3));
            assert_eq!(least, most, "{word}: one version of all rows of an import");
            whole += 1;
            least.trim_start_matches("Version ").parse::<usize>().expect("a version")
        };
        assert!((*confirmed..=*tried).contains(&found), "{word}: version {found} of {confirmed}..{tried}");
        if found > 1 {
            assert_eq!(first, (NEW - CHANGED) as i64, "{word}");
        }
        // Search finds what a sequential read finds.
        let searched = format!("SELECT count(*) FROM ringfence.customer WHERE ringfence.matches(id, '{word}')");
        assert_eq!(value::<i64>(&mut boss, &searched), count, "{word}: searched");
        // A value is unique if its row is there, and free if it is not.
        let contract = format!(
            "INSERT INTO ringfence.customer_card (name, attributes) VALUES ('Again', '{{\"Contract\": \"{word}-{NEW}\"}}')"
        );
        if count == 0 {
            run(&mut boss, &format!("BEGIN; {contract}; ROLLBACK"));
        } else {
            assert_eq!(refused(&mut boss, &contract), "23505", "{word}");
        }
    }
    let phone = "SELECT count(*) FROM ringfence.find_by_phone('09' || lpad('7', 8, '0'))";
    assert_eq!(value::<i64>(&mut boss, phone), whole as i64);
    // The keys of unique values are those of the rows, and no others.
    let mut server = cluster.connect("postgres", "postgres");
    let rows = "SELECT count(DISTINCT customer_id) = count(*) AND count(*) = (
                    SELECT count(*) FROM ringfence.customer
                     WHERE attributes ? (SELECT ringfence.storage_key(id) FROM ringfence.field WHERE name = 'Contract'))
                  FROM ringfence.unique_value";
    assert!(value::<bool>(&mut server, rows), "unique values and rows");
    (whole, none)
}

fn assert_tickets_are_whole(cluster: &Cluster, journal: &Journal) -> usize {
    let mut lost = 0;
    for role in ["boss_a", "app_b"] {
        let mut reader = cluster.connect("postgres", role);
        let by_subject: BTreeMap<String, i64> = reader
            .query("SELECT subject, count(*) FROM ringfence.ticket WHERE subject <> 'To be deleted' GROUP BY 1", &[])
            .expect("tickets")
            .iter()
            .map(|row| (row.get(0), row.get(1)))
            .collect();
        let writer = if role == "boss_a" { "app_a" } else { role };
        let tried = journal.tickets.iter().filter(|((own, _), _)| *own == writer);
        let mut known = 0;
        for ((_, subject), (tickets, confirmed)) in tried {
            match by_subject.get(subject) {
                Some(found) => {
                    assert_eq!(found, tickets, "{subject}: all tickets of a transaction");
                    known += 1;
                }
                None => {
                    assert!(!confirmed, "{subject}: confirmed, and lost");
                    lost += 1;
                }
            }
        }
        assert_eq!(known, by_subject.len(), "tickets that nobody wrote");
        let numbers: Vec<i64> = reader
            .query("SELECT number FROM ringfence.ticket ORDER BY number", &[])
            .expect("numbers")
            .iter()
            .map(|row| row.get(0))
            .collect();
        let present: BTreeSet<i64> = numbers.iter().copied().collect();
        assert_eq!(present.len(), numbers.len(), "no number twice");
        let highest = numbers.last().copied().unwrap_or(0);
        let missing: BTreeSet<i64> = (1..=highest).filter(|number| !present.contains(number)).collect();
        if role == "boss_a" {
            assert!(missing.is_subset(&journal.perhaps_deleted), "numbers are missing: {missing:?}");
            assert!(journal.deleted.is_disjoint(&present), "a deleted ticket is there");
        } else {
            assert!(missing.is_empty(), "numbers are missing: {missing:?}");
        }
        // The next number is no number that anybody has been told.
        run(&mut reader, "BEGIN; SELECT ringfence.open_ticket(NULL, 'The next')");
        let next: i64 = value(&mut reader, "SELECT number FROM ringfence.ticket WHERE subject = 'The next'");
        run(&mut reader, "ROLLBACK");
        let told = if role == "boss_a" { highest.max(journal.highest) } else { highest };
        assert!(next == told + 1 || role == "boss_a" && next > highest, "{next} after {told}");
        if role == "boss_a" && journal.deleted.contains(&journal.highest) {
            assert!(next > journal.highest, "a number is given again");
        }
    }
    lost
}

/// PostgreSQL's own check of all tables and b-trees: that every row is in every index, and that the pages hang together.
fn assert_indexes_are_sound(cluster: &Cluster) {
    let output = Command::new("pg_amcheck")
        .args(["--heapallindexed", "--parent-check", "-U", "postgres", "-d", "postgres", "-p", "5432", "-h"])
        .arg(cluster.directory())
        .output()
        .expect("pg_amcheck");
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && said.trim().is_empty(), "{said}");
}

#[test]
fn a_killed_server_keeps_what_it_confirmed_and_nothing_by_half() {
    common::at_root();
    let cluster = Cluster::new("crash", &SETTINGS, &[]);
    let fixture = Command::new("psql")
        .args([
            "-q",
            "-X",
            "-v",
            "ON_ERROR_STOP=1",
            "-U",
            "postgres",
            "-d",
            "postgres",
            "-p",
            "5432",
            "-f",
            "tests/fixture.sql",
            "-h",
        ])
        .arg(cluster.directory())
        .output()
        .expect("psql");
    assert!(fixture.status.success(), "{}", String::from_utf8_lossy(&fixture.stderr));
    run(&mut cluster.connect("postgres", "postgres"), "CREATE EXTENSION amcheck");
    run(&mut cluster.connect("postgres", "boss_a"), PREPARE);

    let kills: usize = std::env::var("RINGFENCE_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(KILLS);
    let journal = Mutex::new(Journal::default());
    let mut state = SEED;
    for kill in 1..=kills {
        let at = work_and_kill(&cluster, &journal, kill % 5, &mut state);
        let journal = journal.lock().expect("the journal");
        let (whole, none) = assert_imports_are_whole(&cluster, &journal);
        let lost = assert_tickets_are_whole(&cluster, &journal);
        assert_indexes_are_sound(&cluster);
        println!(
            "Kill {kill} at {at}: {whole} imports are there and {none} are not; {} transactions of tickets, {lost} are not there; {} deleted",
            journal.tickets.len(),
            journal.deleted.len()
        );
    }
}
