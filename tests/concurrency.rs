//! Sessions that write at once.

mod common;
use common::{Database, refused, run, value};
use std::thread;

#[test]
fn two_projects_edit_one_customer_and_lose_nothing() {
    let database = Database::new("two_edits");
    let mut boss = database.connect("boss_a");
    run(
        &mut boss,
        "SELECT ringfence.create_field('Plan', projects => '{Sales}'), ringfence.create_field('Fault', projects => '{Support}')",
    );
    let mut sales = database.connect("sales_a");
    let mut support = database.connect("support_a");
    run(&mut sales, "BEGIN");
    run(
        &mut sales,
        "UPDATE ringfence.customer_card SET attributes = attributes || '{\"Plan\": \"gold\"}' WHERE name = 'Chen Wei'",
    );
    // Support read the card before Sales committed, and waits for the row.
    let waiting = thread::spawn(move || {
        run(
            &mut support,
            "UPDATE ringfence.customer_card SET attributes = attributes || '{\"Fault\": \"F7\"}', address = 'Taipei' WHERE name = 'Chen Wei'",
        );
    });
    let mut observer = database.superuser();
    while value::<i64>(
        &mut observer,
        "SELECT count(*) FROM pg_stat_activity WHERE usename = 'support_a' AND wait_event_type = 'Lock' AND datname = current_database()",
    ) == 0
    {
        thread::yield_now();
    }
    run(&mut sales, "UPDATE ringfence.customer_card SET emails = '{new@example.com}' WHERE name = 'Chen Wei'; COMMIT");
    waiting.join().expect("support's update");
    let card = boss
        .query_one("SELECT attributes::text, address, emails FROM ringfence.customer_card WHERE name = 'Chen Wei'", &[])
        .expect("card");
    assert_eq!(card.get::<_, String>(0), r#"{"Plan": "gold", "Fault": "F7"}"#);
    assert_eq!(card.get::<_, String>(1), "Taipei");
    assert_eq!(card.get::<_, Vec<String>>(2), ["new@example.com"]);
}

#[test]
fn the_owner_limit_holds_for_sessions_at_once() {
    let database = Database::new("owner_limit");
    run(&mut database.superuser(), &format!("ALTER DATABASE {} SET ringfence.max_owners = 5", database.name));
    let attempts: Vec<_> = (0..6)
        .map(|n| {
            let mut admin = database.connect("dba");
            thread::spawn(move || {
                // In REPEATABLE READ the snapshot is older than what the others commit.
                run(&mut admin, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM ringfence.owner");
                let made = admin
                    .batch_execute(&format!("SELECT ringfence.create_owner('Owner {n}')"))
                    .map_err(|e| e.code().map(|c| c.code().to_owned()));
                run(&mut admin, "COMMIT");
                made
            })
        })
        .collect();
    let results: Vec<_> = attempts.into_iter().map(|attempt| attempt.join().expect("attempt")).collect();
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 2, "{results:?}");
    assert!(
        results.iter().filter_map(|result| result.as_ref().err()).all(|code| code.as_deref() == Some("54000")),
        "{results:?}"
    );
    assert_eq!(
        value::<i64>(&mut database.superuser(), "SELECT count(*) FROM ringfence.owner WHERE name <> 'House'"),
        5
    );
}

#[test]
fn an_error_a_rollback_or_a_cancel_leaves_no_owner_behind() {
    let database = Database::new("left_behind");
    let mut agent = database.connect("app_ab");
    let count = "SELECT count(*) FROM ringfence.customer";
    for ending in [
        "COMMIT",
        "ROLLBACK",
        "SELECT 1/0",
        "SELECT pg_cancel_backend(pg_backend_pid())",
        "SELECT ringfence.has_right('x')",
    ] {
        run(&mut agent, "BEGIN; SET LOCAL ringfence.owner = 'Company A'");
        assert_eq!(value::<i64>(&mut agent, count), 3);
        let _ = agent.batch_execute(ending);
        let _ = agent.batch_execute("ROLLBACK");
        assert_eq!(refused(&mut agent, count), "42501", "after {ending}");
        run(&mut agent, "BEGIN; SET LOCAL ringfence.owner = 'Company B'");
        assert_eq!(value::<i64>(&mut agent, count), 2, "after {ending}");
        run(&mut agent, "COMMIT");
    }
    // Several statements in one message are one transaction, also without BEGIN; the next message is another.
    run(&mut agent, "SET LOCAL ringfence.owner = 'Company A'; SELECT count(*) FROM ringfence.customer");
    assert_eq!(refused(&mut agent, count), "42501");
    // What a pooler hands over by DISCARD ALL is nothing.
    run(&mut agent, "SET ringfence.owner = 'Company A'");
    run(&mut agent, "DISCARD ALL");
    assert_eq!(refused(&mut agent, count), "42501");
}
