//! What is decided anew where the change was made on another server: on a subscriber, and on a hot standby.

mod common;
use common::cluster::Cluster;
use common::{refused, run, value};
use postgres::Client;
use std::time::{Duration, Instant};

const ROLES: &str = "CREATE ROLE desk LOGIN; CREATE ROLE boss LOGIN; CREATE ROLE other LOGIN";

/// One owner with a customer, two fields and a profile of its own, for a role that reads and one that manages.
const CONTENT: &str = "
    INSERT INTO ringfence.owner (id, name) VALUES ('aaaaaaaa-0000-0000-0000-000000000001', 'Company A');
    SELECT ringfence.grant_access('boss', 'Company A', '{admin}'), ringfence.grant_access('desk', 'Company A', '{agent}'),
           ringfence.grant_access('other', 'Company A', '{agent}');
    SET ROLE boss;
    SELECT ringfence.create_field('Plan', projects => '{Default}'), ringfence.create_field('Card', projects => '{Default}');
    SELECT ringfence.create_report_view('Default', 'desk_report');
    SELECT ringfence.create_profile('Desk', '{customer.read,customer.write}');
    SELECT ringfence.grant_access('desk', 'Company A', '{Desk}');
    INSERT INTO ringfence.customer_card (name, attributes) VALUES ('Tsai Mei-Ling', '{\"Plan\": \"gold\", \"Card\": \"4711\"}');
    RESET ROLE";

/// Asks until it is so. A server that never gets there fails the test, after longer than any should take.
fn wait_until(client: &mut Client, what: &str) {
    let begun = Instant::now();
    while !value::<bool>(client, what) {
        assert!(begun.elapsed() < Duration::from_secs(120), "not in time: {what}");
        std::thread::yield_now();
    }
}

fn custom_values(client: &mut Client) -> String {
    value(client, "SELECT attributes::text FROM ringfence.customer_card")
}

#[test]
fn what_is_taken_away_on_the_publisher_is_gone_in_open_sessions_of_the_subscriber() {
    let publisher = Cluster::new("publisher", &["wal_level=logical"], &[]);
    let subscriber = Cluster::new("subscriber", &[], &[]);
    let (mut source, mut target) =
        (publisher.connect("postgres", "postgres"), subscriber.connect("postgres", "postgres"));
    for server in [&mut source, &mut target] {
        run(server, ROLES);
        run(server, "CREATE EXTENSION ringfence; CREATE TABLE public.mark (n integer PRIMARY KEY)");
    }
    run(&mut source, CONTENT);
    run(&mut source, "CREATE PUBLICATION everything FOR TABLES IN SCHEMA ringfence, public");
    // As the manual says: the house owner comes with the publisher's, and roles are each server's own.
    run(&mut target, "TRUNCATE ringfence.owner CASCADE; GRANT ringfence_user TO desk, boss, other");
    let version: i32 = value(&mut target, "SELECT current_setting('server_version_num')::integer");
    let as_subscriber = if version >= 160000 { "WITH (run_as_owner = true)" } else { "" };
    run(
        &mut target,
        &format!(
            "CREATE SUBSCRIPTION everything CONNECTION '{}' PUBLICATION everything {as_subscriber}",
            publisher.connection("postgres")
        ),
    );
    wait_until(&mut target, "SELECT bool_and(srsubstate = 'r') FROM pg_subscription_rel");

    let mut marks = 0;
    let mut publish = |changes: &str| {
        marks += 1;
        run(&mut source, &format!("{changes}; INSERT INTO public.mark VALUES ({marks})"));
        wait_until(&mut target, &format!("SELECT EXISTS (SELECT FROM public.mark WHERE n = {marks})"));
    };
    let (mut desk, mut other) = (subscriber.connect("postgres", "desk"), subscriber.connect("postgres", "other"));
    assert_eq!(custom_values(&mut desk), "{\"Card\": \"4711\", \"Plan\": \"gold\"}");
    assert_eq!(value::<i64>(&mut other, "SELECT count(*) FROM ringfence.customer"), 1);
    run(&mut desk, "PREPARE card AS SELECT attributes FROM ringfence.customer_card; EXECUTE card");

    // Views are no rows: the manual says how to have them.
    let report = "SELECT \"Card\" FROM ringfence_report.desk_report";
    assert_eq!(refused(&mut desk, report), "42P01");
    run(&mut subscriber.connect("postgres", "boss"), "SELECT ringfence.renew_report_views()");
    assert_eq!(value::<String>(&mut desk, report), "4711");

    publish("UPDATE ringfence.field SET is_masked = true WHERE name = 'Card'");
    assert_eq!(custom_values(&mut desk), "{\"Plan\": \"gold\"}");
    assert_eq!(value::<Option<String>>(&mut desk, report), None);
    publish(
        "DELETE FROM ringfence.field_project WHERE field_id = (SELECT id FROM ringfence.field WHERE name = 'Plan')",
    );
    assert_eq!(custom_values(&mut desk), "{}");
    // Within a transaction that is open.
    run(&mut desk, "BEGIN; SELECT count(*) FROM ringfence.customer; SAVEPOINT s");
    publish("UPDATE ringfence.profile SET rights = '{ticket.read}' WHERE name = 'Desk'");
    assert_eq!(value::<i64>(&mut desk, "SELECT count(*) FROM ringfence.customer"), 0);
    publish("SELECT ringfence.revoke_access('desk', 'Company A')");
    assert_eq!(refused(&mut desk, "EXECUTE card"), "42501");
    run(&mut desk, "ROLLBACK");
    assert_eq!(refused(&mut desk, "SELECT count(*) FROM ringfence.customer"), "42501");
    assert_eq!(value::<i64>(&mut desk, "SELECT count(*) FROM ringfence.owner"), 0);

    assert_eq!(value::<i64>(&mut other, "SELECT count(*) FROM ringfence.customer"), 1);
    publish("UPDATE ringfence.owner SET enabled = false WHERE name = 'Company A'");
    assert_eq!(refused(&mut other, "SELECT count(*) FROM ringfence.customer"), "55000");
    publish("UPDATE ringfence.owner SET enabled = true WHERE name = 'Company A'");
    assert_eq!(value::<i64>(&mut other, "SELECT count(*) FROM ringfence.customer"), 1);
    // A publisher's TRUNCATE is applied as such.
    publish("TRUNCATE ringfence.access");
    assert_eq!(refused(&mut other, "SELECT count(*) FROM ringfence.customer"), "42501");
    run(
        &mut target,
        "ALTER SUBSCRIPTION everything DISABLE; ALTER SUBSCRIPTION everything SET (slot_name = NONE); DROP SUBSCRIPTION everything",
    );
}

#[test]
fn what_is_taken_away_on_the_primary_is_gone_on_a_standby_once_it_is_replayed() {
    let primary = Cluster::new("primary", &[], &[]);
    let mut source = primary.connect("postgres", "postgres");
    run(&mut source, ROLES);
    run(&mut source, "CREATE EXTENSION ringfence; CREATE ROLE admin LOGIN; GRANT ringfence_admin TO admin");
    run(&mut source, CONTENT);
    let standby = primary.standby("standby", &["hot_standby_feedback=on"]);
    let mut replayed = standby.connect("postgres", "postgres");
    let mut change = |changes: &str| {
        run(&mut source, changes);
        let position: String = value(&mut source, "SELECT pg_current_wal_lsn()::text");
        wait_until(&mut replayed, &format!("SELECT pg_last_wal_replay_lsn() >= '{position}'"));
    };
    let count = "SELECT count(*) FROM ringfence.customer";
    let (mut desk, mut other) = (standby.connect("postgres", "desk"), standby.connect("postgres", "other"));
    assert_eq!(custom_values(&mut desk), "{\"Card\": \"4711\", \"Plan\": \"gold\"}");
    change("UPDATE ringfence.field SET is_masked = true WHERE name = 'Card'");
    assert_eq!(custom_values(&mut desk), "{\"Plan\": \"gold\"}");

    // What only reads of an owner's life.
    let mut boss = standby.connect("postgres", "boss");
    assert!(value::<i64>(&mut boss, "SELECT count(*) FROM ringfence.export_owner('Company A')") > 20);
    let mut admin = standby.connect("postgres", "admin");
    let preview = "SELECT rows FROM ringfence.delete_owner_preview('Company A') WHERE relation = 'ringfence.customer'";
    assert_eq!(value::<i64>(&mut admin, preview), 1);
    assert!(value::<String>(&mut admin, "SELECT ringfence.deletion_question('Company A')").contains("1 customer"));
    assert_eq!(refused(&mut admin, "SELECT ringfence.delete_owner('Company A', 'Company A')"), "25006");
    assert_eq!(refused(&mut admin, "CALL ringfence.purge_owner('Company A', 'Company A')"), "25006");
    assert_eq!(refused(&mut admin, "SELECT ringfence.load_owner('pg_class')"), "25006");

    // An open transaction, also one that sees the rows as they were; a cursor; a prepared statement.
    run(&mut desk, &format!("PREPARE counted AS {count}; EXECUTE counted"));
    run(
        &mut desk,
        "BEGIN ISOLATION LEVEL REPEATABLE READ;
         DECLARE c CURSOR FOR SELECT name FROM ringfence.customer, generate_series(1, 3); FETCH 1 FROM c; SAVEPOINT s",
    );
    assert_eq!(value::<i64>(&mut other, count), 1);
    change("SELECT ringfence.revoke_access('desk', 'Company A')");
    for statement in ["FETCH 1 FROM c", "EXECUTE counted", count, "SELECT attributes FROM ringfence.customer_card"] {
        assert_eq!(refused(&mut desk, statement), "42501", "{statement}");
        run(&mut desk, "ROLLBACK TO s");
    }
    run(&mut desk, "COMMIT");
    assert_eq!(refused(&mut desk, "EXECUTE counted"), "42501");
    assert_eq!(value::<i64>(&mut desk, "SELECT count(*) FROM ringfence.owner"), 0);

    assert_eq!(value::<i64>(&mut other, count), 1);
    change("UPDATE ringfence.owner SET enabled = false WHERE name = 'Company A'");
    assert_eq!(refused(&mut other, count), "55000");
}
