//! An owner is deleted while others work, and while its own sessions do.

mod common;
use common::{Database, refused, run, value};
use postgres::Client;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

const DELETE: &str = "SELECT count(*) FROM ringfence.delete_owner('Company A', 'Company A')";
const COUNT: &str = "SELECT count(*) FROM ringfence.customer";

/// A session that fails instead of waiting for a lock.
fn impatient(database: &Database, role: &str) -> Client {
    let mut session = database.connect(role);
    run(&mut session, "SET lock_timeout = '10s'; SET statement_timeout = '20s'");
    session
}

/// Waits until a session of that role waits for a lock.
fn wait_until_blocked(database: &Database, role: &str) {
    let mut observer = database.superuser();
    let blocked = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE usename = '{role}' AND wait_event_type = 'Lock' AND datname = current_database()"
    );
    let began = Instant::now();
    while value::<i64>(&mut observer, &blocked) == 0 {
        assert!(began.elapsed() < Duration::from_secs(60), "{role} does not wait");
        thread::yield_now();
    }
}

#[test]
fn others_wait_for_nothing() {
    let database = Database::new("life_others");
    let (mut before, mut reader, mut writer) =
        (impatient(&database, "app_b"), impatient(&database, "app_b"), impatient(&database, "app_b"));
    // A transaction of another owner has written before, and goes on.
    run(&mut before, "BEGIN; INSERT INTO ringfence.customer_card (name) VALUES ('Before')");
    run(&mut before, "SELECT ringfence.open_ticket(id, 'Before') FROM ringfence.customer WHERE name = 'Before'");
    let mut admin = impatient(&database, "dba");
    run(&mut admin, "BEGIN");
    run(&mut admin, DELETE);
    run(&mut before, "UPDATE ringfence.customer_card SET address = 'Meanwhile' WHERE name = 'Before'; COMMIT");
    assert_eq!(value::<i64>(&mut reader, COUNT), 3);
    run(&mut writer, "INSERT INTO ringfence.company (name) VALUES ('Meanwhile')");
    run(
        &mut writer,
        "SELECT ringfence.open_ticket(id, 'Meanwhile'), ringfence.log_interaction('call', customer => id) FROM ringfence.customer",
    );
    run(&mut writer, "UPDATE ringfence.customer SET language = 'pl' WHERE name = 'Before'");
    run(
        &mut impatient(&database, "dba"),
        "SELECT ringfence.create_owner('New'), ringfence.grant_access('app_none', 'New', '{agent}'), ringfence.assign_channel('New', 'email', 'new@example.com')",
    );
    run(&mut impatient(&database, "app_none"), "INSERT INTO ringfence.customer (name) VALUES ('New')");
    run(&mut admin, "COMMIT");
    assert_eq!(value::<i64>(&mut reader, COUNT), 3);
}

#[test]
fn the_owner_is_closed_from_the_first_moment() {
    let database = Database::new("life_closed");
    let mut at_work = database.connect("app_a");
    let mut idle = database.connect("app_a");
    assert_eq!(value::<i64>(&mut idle, COUNT), 3);
    run(&mut at_work, "BEGIN");
    assert_eq!(value::<i64>(&mut at_work, COUNT), 3);
    let mut admin = database.connect("dba");
    run(&mut admin, "BEGIN");
    run(&mut admin, DELETE);
    // Nothing of it is committed.
    assert_eq!(refused(&mut at_work, COUNT), "55000");
    assert_eq!(refused(&mut idle, COUNT), "55000");
    assert_eq!(refused(&mut idle, "INSERT INTO ringfence.company (name) VALUES ('Too late')"), "55000");
    assert_eq!(refused(&mut database.connect("app_ab"), "BEGIN; SELECT ringfence.enter('Company A')"), "55000");
    assert_eq!(
        refused(&mut database.connect("dba"), "SELECT ringfence.grant_access('app_a', 'Company A', '{agent}')"),
        "55000"
    );
    // Nor is it, if the administrator thinks better of it.
    run(&mut admin, "ROLLBACK");
    run(&mut at_work, "ROLLBACK");
    assert_eq!(value::<i64>(&mut at_work, COUNT), 3);
    assert_eq!(value::<i64>(&mut idle, COUNT), 3);
    run(&mut at_work, "BEGIN");
    assert_eq!(value::<i64>(&mut at_work, COUNT), 3);
    run(&mut admin, DELETE);
    // A session that has worked for it is told once. Afterwards it is an owner that does not exist.
    assert_eq!(refused(&mut at_work, COUNT), "55000");
    run(&mut at_work, "ROLLBACK");
    assert_eq!(refused(&mut at_work, COUNT), "42501");
    assert_eq!(refused(&mut idle, COUNT), "55000");
    assert_eq!(refused(&mut idle, COUNT), "42501");
    assert_eq!(refused(&mut database.connect("app_a"), COUNT), "42501");
}

#[test]
fn writers_of_the_owner_are_waited_for() {
    for ending in ["COMMIT", "ROLLBACK", "SELECT 1", "PREPARE TRANSACTION 'life'"] {
        let database = Database::new("life_writers");
        let mut writer = database.connect("boss_a");
        // It refers to no owner by itself: nothing of the owner's row is locked by it.
        run(
            &mut writer,
            "SELECT ringfence.create_field('Late', projects => '{Sales}'); BEGIN; SELECT ringfence.bind_field('Late', 'Support')",
        );
        let mut admin = database.connect("dba");
        let deletion = thread::spawn(move || {
            value::<i64>(
                &mut admin,
                "SELECT sum(remaining)::bigint FROM ringfence.delete_owner('Company A', 'Company A')",
            )
        });
        wait_until_blocked(&database, "dba");
        // While it waits, nobody new begins.
        assert_eq!(refused(&mut impatient(&database, "app_a"), COUNT), "55000", "{ending}");
        assert_eq!(value::<i64>(&mut impatient(&database, "app_b"), COUNT), 2, "{ending}");
        let prepared = ending.starts_with("PREPARE");
        if prepared && value::<String>(&mut database.superuser(), "SHOW max_prepared_transactions") == "0" {
            run(&mut writer, "ROLLBACK");
        } else if ending.starts_with("SELECT") {
            // Its own next statement is refused, and what it has written goes with it.
            assert_eq!(refused(&mut writer, COUNT), "55000");
            run(&mut writer, "ROLLBACK");
        } else {
            run(&mut writer, ending);
        }
        if prepared && value::<i64>(&mut database.superuser(), "SELECT count(*) FROM pg_prepared_xacts") > 0 {
            assert!(!deletion.is_finished());
            run(&mut writer, "COMMIT PREPARED 'life'");
        }
        assert_eq!(deletion.join().expect("deletion"), 0, "{ending}");
        let left =
            "SELECT count(*) FROM ringfence.field_project WHERE owner_id = 'aaaaaaaa-0000-0000-0000-000000000001'";
        assert_eq!(value::<i64>(&mut database.superuser(), left), 0, "{ending}");
    }
}

#[test]
fn a_purge_that_is_killed_goes_on() {
    let database = Database::new("life_purge");
    run(
        &mut database.connect("app_b"),
        "INSERT INTO ringfence.customer (name) SELECT 'Customer ' || n FROM generate_series(1, 50) AS n",
    );
    let everybody = "SELECT count(*) FROM ringfence.customer WHERE owner_id = 'bbbbbbbb-0000-0000-0000-000000000002'";
    let mut at_work = database.connect("app_b");
    assert_eq!(value::<i64>(&mut at_work, COUNT), 52);
    // A superuser's lock on one row keeps the purge from coming further.
    let mut superuser = database.superuser();
    run(
        &mut superuser,
        "BEGIN; SELECT FROM ringfence.customer WHERE owner_id = 'bbbbbbbb-0000-0000-0000-000000000002' AND name = 'Customer 25' FOR UPDATE",
    );
    let mut admin = database.connect("dba");
    let purge = thread::spawn(move || admin.batch_execute("CALL ringfence.purge_owner('Company B', 'Company B', 1)"));
    wait_until_blocked(&database, "dba");
    let left = value::<i64>(&mut database.superuser(), everybody);
    assert!(left > 0 && left < 52, "{left}");
    // Gone for everybody at once.
    assert_eq!(refused(&mut at_work, COUNT), "55000");
    assert_eq!(refused(&mut database.connect("app_b"), COUNT), "42501");
    run(
        &mut database.superuser(),
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'dba' AND datname = current_database()",
    );
    assert!(purge.join().expect("purge").is_err());
    run(&mut superuser, "ROLLBACK");
    assert_eq!(value::<i64>(&mut superuser, everybody), left);
    let mut admin = database.connect("dba");
    assert_eq!(
        value::<i64>(
            &mut admin,
            "SELECT count(*) FROM ringfence.owner WHERE purge_began_at IS NOT NULL AND NOT enabled"
        ),
        1
    );
    run(&mut admin, "CALL ringfence.purge_owner('Company B', 'Company B')");
    assert_eq!(value::<i64>(&mut admin, "SELECT count(*) FROM ringfence.owner WHERE name = 'Company B'"), 0);
    assert_eq!(value::<i64>(&mut superuser, everybody), 0);
}

/// How many files of tables and indexes have that text in them.
fn files_with(database: &Database, text: &str) -> i64 {
    let mut superuser = database.superuser();
    run(&mut superuser, "CHECKPOINT");
    let query = format!(
        "SELECT count(*) FROM pg_class WHERE relkind IN ('r', 'i', 't') AND pg_relation_filepath(oid) IS NOT NULL AND relpages < 10000
            AND position('{text}'::bytea IN pg_read_binary_file(pg_relation_filepath(oid))) > 0"
    );
    value(&mut superuser, &query)
}

#[test]
fn nothing_of_it_is_left_in_a_dump_or_a_file() {
    let database = Database::new("life_canary");
    let dump = || {
        let dumped = Command::new("pg_dump").arg(&database.name).output().expect("pg_dump");
        assert!(dumped.status.success(), "{}", String::from_utf8_lossy(&dumped.stderr));
        String::from_utf8_lossy(&dumped.stdout).into_owned()
    };
    let id = "bbbbbbbb-0000-0000-0000-000000000002";
    let before = dump();
    assert!(before.contains("CANARY-B") && before.contains(id));
    assert!(files_with(&database, "CANARY-B") > 0);
    run(&mut database.connect("dba"), "SELECT ringfence.delete_owner('Company B', 'Company B')");
    let after = dump();
    assert!(!after.contains("CANARY-B") && !after.contains(id));
    assert!(after.contains("Formosa Tea"), "the others are there");
    run(&mut database.superuser(), "VACUUM FULL");
    assert_eq!(files_with(&database, "CANARY-B"), 0);
}
