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
    // Whoever comes is told so while its access is still there, and that it has none afterwards.
    let code = refused(&mut database.connect("app_b"), COUNT);
    assert!(["55000", "42501"].contains(&code.as_str()), "{code}");
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

#[test]
fn a_second_deleter_looks_again() {
    for (ending, expected) in [("COMMIT", "P0002"), ("ROLLBACK", "")] {
        let database = Database::new("life_twice");
        let mut first = database.connect("dba");
        run(&mut first, "BEGIN");
        run(&mut first, DELETE);
        let mut second = database.connect("dba");
        let deletion = thread::spawn(move || second.batch_execute(DELETE));
        wait_until_blocked(&database, "dba");
        run(&mut first, ending);
        let state =
            deletion.join().expect("deletion").err().and_then(|error| error.code().map(|code| code.code().to_owned()));
        assert_eq!(state.unwrap_or_default(), expected, "{ending}");
        assert_eq!(value::<i64>(&mut first, "SELECT count(*) FROM ringfence.owner WHERE name = 'Company A'"), 0);
    }
}

#[test]
fn an_owner_that_is_renamed_meanwhile_stays() {
    let database = Database::new("life_renamed");
    let mut writer = database.connect("boss_a");
    run(&mut writer, "SELECT ringfence.create_field('Late', projects => '{Sales}')");
    // This refers to no owner by itself: the owner can be renamed meanwhile.
    run(&mut writer, "BEGIN; SELECT ringfence.bind_field('Late', 'Support')");
    let mut admin = database.connect("dba");
    let deletion = thread::spawn(move || refused(&mut admin, DELETE));
    wait_until_blocked(&database, "dba");
    run(&mut database.connect("dba"), "UPDATE ringfence.owner SET name = 'Company A (keep!)' WHERE name = 'Company A'");
    run(&mut writer, "COMMIT");
    assert_eq!(deletion.join().expect("deletion"), "22023");
    let kept = "SELECT count(*) FROM ringfence.field WHERE name = 'Late'";
    assert_eq!(value::<i64>(&mut database.superuser(), kept), 1);
}

#[test]
fn what_a_superuser_writes_meanwhile_is_counted() {
    let database = Database::new("life_counted");
    let mut superuser = database.superuser();
    run(
        &mut superuser,
        "BEGIN; INSERT INTO ringfence.profile (owner_id, name, rights) VALUES ('aaaaaaaa-0000-0000-0000-000000000001', 'late', '{customer.read}')",
    );
    let mut admin = database.connect("dba");
    let deletion = thread::spawn(move || {
        let query =
            "SELECT deleted FROM ringfence.delete_owner('Company A', 'Company A') WHERE relation = 'ringfence.profile'";
        value::<i64>(&mut admin, query)
    });
    wait_until_blocked(&database, "dba");
    run(&mut superuser, "COMMIT");
    assert_eq!(deletion.join().expect("deletion"), 8);
}

#[test]
fn whose_access_was_taken_away_is_not_told_of_a_deletion() {
    let database = Database::new("life_told");
    let mut admin = database.connect("dba");
    let mut revoked = database.connect("app_a");
    assert_eq!(value::<i64>(&mut revoked, COUNT), 3);
    run(&mut admin, "SELECT ringfence.revoke_access('app_a', 'Company A')");
    // Works for several, has worked for one of them, and has selected none now.
    run(&mut admin, "SELECT ringfence.grant_access('app_ab', 'Company C', '{agent}')");
    let mut undecided = database.connect("app_ab");
    run(
        &mut undecided,
        "BEGIN; SET LOCAL ringfence.owner = 'Company A'; SELECT count(*) FROM ringfence.customer; COMMIT",
    );
    run(&mut admin, DELETE);
    assert_eq!(refused(&mut revoked, COUNT), "42501");
    assert_eq!(value::<Option<String>>(&mut undecided, "SELECT owner_name FROM ringfence.whoami()"), None);
}

#[test]
fn an_export_in_an_older_snapshot_shows_no_field_that_is_masked_now() {
    let database = Database::new("life_masked");
    run(
        &mut database.connect("boss_a"),
        "SELECT ringfence.create_field('Card', projects => '{Sales}'); UPDATE ringfence.customer_card SET attributes = '{\"Card\": \"4711\"}'",
    );
    run(
        &mut database.connect("dba"),
        "SELECT ringfence.grant_access('trainee_a', 'Company A', '{customer.read,owner.export}')",
    );
    let mut trainee = database.connect("trainee_a");
    let export = "SELECT count(*) FROM ringfence.export_owner('Company A')";
    run(&mut trainee, "BEGIN ISOLATION LEVEL REPEATABLE READ");
    assert!(value::<i64>(&mut trainee, export) > 0);
    run(&mut database.connect("boss_a"), "UPDATE ringfence.field SET is_masked = true WHERE name = 'Card'");
    assert_eq!(refused(&mut trainee, export), "42501");
}

/// Exports Company A, with a report view "report_of_a" and an interaction, into table public.lines, and deletes it.
fn export_and_delete(database: &Database) {
    run(
        &mut database.superuser(),
        "CREATE TABLE public.lines (\"position\" bigint, relation text, line jsonb); GRANT ALL ON public.lines TO PUBLIC",
    );
    run(
        &mut database.connect("boss_a"),
        "SELECT ringfence.create_report_view('Sales', 'report_of_a'), ringfence.log_interaction('call');
         INSERT INTO public.lines SELECT * FROM ringfence.export_owner('Company A')",
    );
    run(&mut database.connect("dba"), DELETE);
}

const LOAD: &str = "SELECT count(*) FROM ringfence.load_owner('public.lines')";

#[test]
fn a_view_that_another_owner_makes_meanwhile_is_not_replaced() {
    let database = Database::new("life_view");
    export_and_delete(&database);
    run(&mut database.connect("dba"), "SELECT ringfence.grant_access('app_b', 'Company B', '{admin}')");
    // The loader has read the line of its report view, and waits at a later table.
    let mut superuser = database.superuser();
    run(&mut superuser, "BEGIN; LOCK TABLE ringfence.interaction IN SHARE MODE");
    let mut admin = database.connect("dba");
    let load = thread::spawn(move || refused(&mut admin, LOAD));
    wait_until_blocked(&database, "dba");
    let mut other = database.connect("app_b");
    run(&mut other, "SELECT ringfence.create_report_view('Secret', 'report_of_a')");
    run(&mut superuser, "COMMIT");
    assert_eq!(load.join().expect("load"), "42P07");
    assert_eq!(value::<i64>(&mut other, "SELECT count(*) FROM ringfence_report.report_of_a"), 2);
}

#[test]
fn a_report_view_that_is_in_use_does_not_keep_its_owner_from_coming_back() {
    let database = Database::new("life_in_use");
    let mut reader = database.connect("app_b");
    run(&mut database.connect("boss_a"), "SELECT ringfence.create_report_view('Support', 'left_by_a')");
    run(&mut reader, "BEGIN; PREPARE named AS SELECT count(*) FROM ringfence_report.left_by_a");
    export_and_delete(&database);
    run(&mut database.connect("dba"), LOAD);
    let mut boss = database.connect("boss_a");
    assert_eq!(value::<i64>(&mut boss, COUNT), 3);
    assert_eq!(value::<i64>(&mut boss, "SELECT count(*) FROM ringfence_report.report_of_a"), 3);
    run(&mut reader, "ROLLBACK");
    run(&mut boss, "SELECT ringfence.renew_report_views()");
    assert_eq!(value::<i64>(&mut boss, "SELECT count(*) FROM ringfence_report.left_by_a"), 3);
}

#[test]
fn a_lock_does_not_tell_whose_it_is() {
    let database = Database::new("life_lock");
    let mut writer = database.connect("boss_a");
    run(&mut writer, "BEGIN; INSERT INTO ringfence.company (name) VALUES ('New')");
    // What anybody can compute of the owner's id.
    let any = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 29287
                  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";
    let known = &format!("{any} AND classid = 2700699298 AND objid = 2388246617");
    let mut stranger = database.connect("stranger");
    assert_eq!(value::<i64>(&mut stranger, any), 1);
    assert_eq!(value::<i64>(&mut stranger, known), 0);
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

/// As the manual says.
const CLEAN_UP: [&str; 3] = [
    "DELETE FROM pg_statistic WHERE starelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'ringfence'::regnamespace)",
    "ANALYZE",
    "VACUUM FULL",
];

#[test]
fn nothing_of_it_is_left_in_a_dump_or_a_file() {
    let database = Database::new("life_canary");
    let dump = || {
        let dumped = Command::new("pg_dump").arg(&database.name).output().expect("pg_dump");
        assert!(dumped.status.success(), "{}", String::from_utf8_lossy(&dumped.stderr));
        String::from_utf8_lossy(&dumped.stdout).into_owned()
    };
    let id = "bbbbbbbb-0000-0000-0000-000000000002";
    // The planner's statistics have values of the most common rows.
    run(
        &mut database.connect("app_b"),
        "SELECT ringfence.open_ticket(id, 'CANARY-B'), ringfence.log_interaction('note', notes => 'CANARY-B') FROM ringfence.customer",
    );
    let mut superuser = database.superuser();
    run(&mut superuser, "ANALYZE");
    let known =
        "SELECT count(*) FROM pg_statistic WHERE stavalues1::text || coalesce(stavalues2::text, '') ~ 'CANARY-B'";
    assert!(value::<i64>(&mut superuser, known) > 0);
    let before = dump();
    assert!(before.contains("CANARY-B") && before.contains(id));
    assert!(files_with(&database, "CANARY-B") > 0);
    run(&mut database.connect("dba"), "SELECT ringfence.delete_owner('Company B', 'Company B')");
    let after = dump();
    assert!(!after.contains("CANARY-B") && !after.contains(id));
    assert!(after.contains("Formosa Tea"), "the others are there");
    CLEAN_UP.iter().for_each(|statement| run(&mut superuser, statement));
    assert_eq!(value::<i64>(&mut superuser, known), 0);
    assert_eq!(files_with(&database, "CANARY-B"), 0);
}

#[test]
fn a_plain_deletion_waits_for_history_that_is_being_written() {
    let database = Database::new("life_plain");
    let mut admin = database.connect("dba");
    run(
        &mut admin,
        "SELECT ringfence.create_owner('Empty'); SELECT ringfence.grant_access('app_none', 'Empty', '{admin}')",
    );
    let mut writer = database.connect("app_none");
    run(&mut writer, "SELECT ringfence.create_source('CRM'); SELECT ringfence.set_authority('CRM')");
    run(
        &mut writer,
        "BEGIN; SET LOCAL ringfence.on_foreign_datum = 'skip'; INSERT INTO ringfence.customer (name) VALUES ('Left out')",
    );
    let deleting = thread::spawn(move || run(&mut admin, "DELETE FROM ringfence.owner WHERE name = 'Empty'"));
    wait_until_blocked(&database, "dba");
    run(&mut writer, "COMMIT");
    deleting.join().expect("the owner is deleted");
    let left = "SELECT count(*) FROM ringfence.change WHERE data::text LIKE '%Left out%'";
    assert_eq!(value::<i64>(&mut database.superuser(), left), 0);
}
