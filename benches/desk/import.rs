//! An import of a file with 12 columns, against COPY of the same rows into a bare table with the same indexes.

use crate::common::{Goal, connect, number, rates, run};
use crate::{role, scale};
use postgres::Client;
use std::fs;
use std::io::{Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

/// The columns that COPY writes: all but those that PostgreSQL would compute alike.
const COLUMNS: &str =
    "owner_id, id, name, phones, emails, address, birth_date, language, company_id, attributes, created_at, created_by,
    updated_at, updated_by, last_activity_at, normal_phones, normal_emails, searchable, active_on";

/// The template and the file of one owner's application: 12 columns, of which 5 are system fields and 6 custom ones, one searchable.
fn prepare(client: &mut Client, rows: u64) {
    for n in 1..=6 {
        run(
            client,
            &format!(
                "SELECT ringfence.create_field('Field {n}', projects => '{{Sales}}', is_searchable => {})",
                n == 1
            ),
        );
    }
    run(
        client,
        &format!(
            "INSERT INTO ringfence.import_template (name, mode) VALUES ('File', 'add');
             INSERT INTO ringfence.import_mapping (template_id, target, source)
                 SELECT template.id, target, source
                   FROM ringfence.import_template AS template,
                        (VALUES ('name', '{{{{first}}}} {{{{last}}}}'), ('phones', '{{{{phone}}}}'), ('emails', '{{{{mail}}}}'),
                                ('address', '{{{{address}}}}'), ('birth_date', '{{{{born}}}}'), ('Field 1', '{{{{f1}}}}'), ('Field 2', '{{{{f2}}}}'),
                                ('Field 3', '{{{{f3}}}}'), ('Field 4', '{{{{f4}}}}'), ('Field 5', '{{{{f5}}}}'), ('Field 6', '{{{{f6}}}}')) AS m (target, source);
             SET work_mem = '4MB';
             CREATE TEMPORARY TABLE file (first text, last text, phone text, mail text, address text, born text, f1 text, f2 text, f3 text,
                                          f4 text, f5 text, f6 text);
             INSERT INTO file
                 SELECT 'First' || n % 1000, 'Last' || n, '09' || lpad(n::text, 8, '0'), 'mail' || n || '@example.com', 'Street ' || n, '1980-01-01',
                        'v' || n, 'w' || n % 10, 'x', 'y' || n, 'z', 'a' || n
                   FROM generate_series(1, {rows}) AS n;
             ANALYZE file"
        ),
    );
}

/// The memory of a backend's own, without what all backends share, in KiB.
fn resident(backend: i32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{backend}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// What the backend of an import has while a tenth is done, and the most that it has later.
#[derive(Default)]
struct Memory {
    tenth: Option<u64>,
    later: u64,
}

fn watch(backend: i32, rows: u64, done: &AtomicBool) -> Memory {
    let mut observer = connect("postgres");
    let progress = observer
        .prepare("SELECT max(tuples_processed) FROM pg_stat_progress_copy WHERE pid = $1")
        .expect("the progress");
    let mut memory = Memory::default();
    while !done.load(Ordering::Relaxed) {
        let processed: Option<i64> = observer.query_one(&progress, &[&backend]).expect("the progress").get(0);
        if processed.is_some_and(|processed| processed as u64 >= rows / 10) {
            let now = resident(backend).unwrap_or(0);
            memory.tenth.get_or_insert(now);
            memory.later = memory.later.max(now);
        }
        thread::sleep(Duration::from_millis(20));
    }
    memory
}

/// Rows a second of an import into an empty table.
fn import(server: &mut Client, client: &mut Client, rows: u64) -> (f64, Memory) {
    run(server, "TRUNCATE ringfence.customer CASCADE; CHECKPOINT");
    let backend: i32 = client.query_one("SELECT pg_backend_pid()", &[]).expect("the backend").get(0);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let watcher = scope.spawn(|| watch(backend, rows, &done));
        let start = Instant::now();
        let inserted: i64 = client
            .query_one("SELECT count(*) FROM ringfence.import_customers('File', 'file') WHERE action = 'inserted'", &[])
            .expect("the import")
            .get(0);
        let elapsed = start.elapsed().as_secs_f64();
        done.store(true, Ordering::Relaxed);
        assert_eq!(inserted as u64, rows);
        (rows as f64 / elapsed, watcher.join().expect("the watcher"))
    })
}

/// Rows a second of COPY into an empty table.
fn copy(server: &mut Client, data: &[u8], rows: u64) -> f64 {
    run(server, "TRUNCATE plain.new_customer; CHECKPOINT");
    let mut writer = connect("postgres");
    let start = Instant::now();
    let mut to = writer.copy_in(&format!("COPY plain.new_customer ({COLUMNS}) FROM STDIN")).expect("COPY");
    to.write_all(data).expect("COPY");
    let copied = to.finish().expect("COPY");
    let elapsed = start.elapsed().as_secs_f64();
    assert_eq!(copied, rows);
    rows as f64 / elapsed
}

pub fn compare(server: &mut Client) {
    let rows = 100_000 / scale();
    println!("\n{rows} rows of 12 columns imported, against COPY into a bare table with the same indexes");
    let mut client = connect(&role(1));
    prepare(&mut client, rows);
    // Once before it counts, and for what COPY reads.
    let (_, _) = import(server, &mut client, rows);
    let mut data = Vec::new();
    server
        .copy_out(&format!("COPY (SELECT {COLUMNS} FROM ringfence.customer) TO STDOUT"))
        .expect("the rows")
        .read_to_end(&mut data)
        .expect("the rows");
    let (mut own, mut other) = (Vec::new(), Vec::new());
    let mut memories = Vec::new();
    for _ in 0..number("BENCH_ROUNDS", 3) {
        let (rate, memory) = import(server, &mut client, rows);
        own.push(rate);
        memories.push(memory);
        other.push(copy(server, &data, rows));
    }
    rates("import_customers()", "COPY", Goal::AtLeast(0.25), &own, &other);
    for memory in memories {
        match memory.tenth {
            Some(tenth) => println!(
                "{:44} {:44} {:+.2} MiB from {:.2} MiB",
                "memory of the backend's own, at most",
                "when a tenth was done",
                memory.later as f64 / 1024.0 - tenth as f64 / 1024.0,
                tenth as f64 / 1024.0
            ),
            None => println!("{:44} too short to look at", "memory of the backend's own"),
        }
    }
}
