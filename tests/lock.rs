//! No session of one owner keeps another owner waiting: by a lock on a report view, on a table, or in the queue for one.

mod common;
use common::{Database, refused, run, value};
use postgres::Client;

/// Everything here must go on at once while another session holds what it holds: a statement that waits for a second has failed.
const AT_ONCE: &str = "SET lock_timeout = '1s'";

fn views(database: &Database) {
    run(&mut database.superuser(), "SELECT ringfence.grant_access('app_b', 'Company B', '{admin}')");
    run(
        &mut database.connect("app_b"),
        "SELECT ringfence.create_field('Plan', projects => '{Sales}'), ringfence.create_field('Score', projects => '{Sales}');
         SELECT ringfence.create_report_view('Sales', 'sales_b');
         UPDATE ringfence.customer_card SET attributes = '{\"Plan\": \"gold\", \"Score\": \"7\"}' WHERE name = 'Tsai Mei-Ling'",
    );
}

fn columns(client: &mut Client) -> String {
    value(
        client,
        "SELECT string_agg(attname, ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'ringfence_report.sales_b'::regclass AND attnum > 11",
    )
}

/// Whoever may not read a report view can still name it, and so holds a lock on it until its transaction ends.
#[test]
fn a_report_view_in_use_keeps_no_field_from_changing() {
    for hold in [
        "SELECT count(*) FROM ringfence_report.sales_b",
        "PREPARE held AS SELECT * FROM ringfence_report.sales_b",
        "CREATE TEMP VIEW held AS SELECT name FROM ringfence_report.sales_b",
    ] {
        let database = Database::new("view_in_use");
        views(&database);
        let mut other = database.connect("app_a");
        run(&mut other, "BEGIN");
        run(&mut other, hold);
        let mut boss = database.connect("app_b");
        run(&mut boss, AT_ONCE);
        let mut writer = database.connect("app_b");
        run(&mut writer, AT_ONCE);
        // Changed with all its values, and not yet committed: nobody of the owner waits for anybody else's session.
        run(
            &mut boss,
            "SELECT ringfence.retype_field('Score', 'number'); SELECT ringfence.rename_field('Plan', 'Tariff')",
        );
        run(
            &mut writer,
            "UPDATE ringfence.customer_card SET attributes = attributes || '{\"Tariff\": \"silver\"}' WHERE name = 'Tsai Mei-Ling'",
        );
        assert_eq!(columns(&mut boss), "Plan, Score", "{hold}");
        assert!(!value::<bool>(&mut boss, "SELECT is_current FROM ringfence.report_view"), "{hold}");
        // What it shows meanwhile is never a value of the wrong type.
        assert_eq!(
            value::<String>(
                &mut boss,
                "SELECT concat_ws(' ', \"Plan\", \"Score\") FROM ringfence_report.sales_b WHERE \"Plan\" IS NOT NULL"
            ),
            "silver",
            "{hold}"
        );
        // Nor do dropping it and its project wait, and nobody reads what is left of it.
        run(&mut boss, "BEGIN");
        run(&mut boss, "SELECT ringfence.drop_report_view('Sales')");
        run(&mut boss, "SAVEPOINT s");
        assert_eq!(refused(&mut boss, "SELECT * FROM ringfence_report.sales_b"), "42501", "{hold}");
        run(&mut boss, "ROLLBACK");
        run(&mut boss, "BEGIN");
        run(&mut boss, "DELETE FROM ringfence.project WHERE name = 'Sales'; ROLLBACK");
        // Free again, it follows when it is asked, with all that was made of it.
        run(&mut other, "COMMIT");
        run(&mut boss, "SELECT ringfence.renew_report_views()");
        assert_eq!(
            columns(&mut boss).replace("(gone 13)", "Score").replace(", Score, Score", ", Score"),
            "Tariff, Score",
            "{hold}"
        );
        assert!(value::<bool>(&mut boss, "SELECT is_current FROM ringfence.report_view"), "{hold}");
    }
}

/// A view that was in use when it was dropped is gone when the next is made.
#[test]
fn a_dropped_report_view_goes_when_nobody_uses_it() {
    let database = Database::new("view_abandoned");
    views(&database);
    let mut other = database.connect("app_a");
    run(&mut other, "BEGIN; SELECT count(*) FROM ringfence_report.sales_b");
    let mut boss = database.connect("app_b");
    run(&mut boss, AT_ONCE);
    run(&mut boss, "SELECT ringfence.drop_report_view('Sales')");
    assert_eq!(refused(&mut boss, "SELECT * FROM ringfence_report.sales_b"), "42501");
    assert_eq!(refused(&mut boss, "SELECT ringfence.create_report_view('Sales', 'sales_b')"), "42P07");
    run(&mut boss, "SELECT ringfence.create_report_view('Sales', 'sales_b2')");
    run(&mut other, "COMMIT");
    run(&mut boss, "SELECT ringfence.drop_report_view('Sales')");
    let left = "SELECT count(*) FROM pg_class WHERE relnamespace = 'ringfence_report'::regnamespace";
    assert_eq!(value::<i64>(&mut boss, left), 0);
    run(&mut boss, "SELECT ringfence.create_report_view('Sales', 'sales_b')");
}

/// A name that a transaction of somebody else's has taken and not committed is not waited for.
#[test]
fn a_name_that_is_being_taken_keeps_nobody_waiting() {
    let database = Database::new("view_name");
    views(&database);
    let mut other = database.connect("boss_a");
    run(&mut other, "BEGIN; SELECT ringfence.create_report_view('Sales', 'taken')");
    let mut boss = database.connect("app_b");
    run(&mut boss, AT_ONCE);
    run(&mut boss, "SELECT ringfence.drop_report_view('Sales')");
    assert_eq!(refused(&mut boss, "SELECT ringfence.create_report_view('Sales', 'taken')"), "42P07");
    run(&mut other, "ROLLBACK");
    run(&mut boss, "SELECT ringfence.create_report_view('Sales', 'taken')");
}

/// Which roles, in which words: no table of the extension is locked by whom row-level security binds.
#[test]
fn no_table_is_locked_for_all_owners() {
    let database = Database::new("lock_table");
    views(&database);
    run(&mut database.superuser(), "GRANT CREATE ON SCHEMA public TO app_a");
    let mut agent = database.connect("app_a");
    run(
        &mut agent,
        "SELECT ringfence.current_owner();
         CREATE VIEW public.own AS SELECT name FROM ringfence.customer_card;
         CREATE VIEW public.deep AS SELECT (SELECT max(name) FROM public.own) AS name FROM generate_series(1, 2) WHERE EXISTS (SELECT FROM ringfence.company);
         CREATE VIEW public.plain AS SELECT name FROM ringfence.project",
    );
    for relation in [
        "ringfence.customer",
        "ringfence.customer_card",
        "ringfence.project",
        "ringfence.company",
        "ringfence_report.sales_b",
        "ONLY ringfence.customer",
        "public.own",
        "public.deep",
        "public.plain",
    ] {
        for mode in
            ["ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE", "SHARE", "SHARE ROW EXCLUSIVE", "EXCLUSIVE", "ACCESS EXCLUSIVE"]
        {
            for statement in [
                format!("LOCK TABLE {relation} IN {mode} MODE NOWAIT"),
                format!("DO $$ BEGIN LOCK TABLE {relation} IN {mode} MODE; END $$"),
            ] {
                run(&mut agent, "BEGIN");
                assert_eq!(refused(&mut agent, &statement), "42501", "{statement}");
                run(&mut agent, "ROLLBACK");
            }
        }
    }
    // What every SELECT takes, and what locks rows takes, is given.
    run(
        &mut agent,
        "BEGIN; LOCK TABLE ringfence.customer_card IN ACCESS SHARE MODE; LOCK TABLE ringfence.customer IN ROW SHARE MODE; COMMIT",
    );
    // Where the library is loaded with the session, its first statement is judged too.
    run(
        &mut database.superuser(),
        &format!("ALTER DATABASE {} SET session_preload_libraries = 'ringfence'", database.name),
    );
    assert_eq!(refused(&mut database.connect("app_a"), "BEGIN; LOCK TABLE ringfence.customer"), "42501");
    // Its own tables it locks as it likes; and so does who is not bound.
    run(&mut agent, "CREATE TABLE public.mine (id uuid); BEGIN; LOCK TABLE public.mine; COMMIT");
    run(&mut database.superuser(), "BEGIN; LOCK TABLE ringfence.customer, public.deep; COMMIT");
    // Others that write owners, projects and access are bound as well.
    let mut admin = database.connect("dba");
    run(&mut admin, "SELECT count(*) FROM ringfence.owner; BEGIN");
    assert_eq!(refused(&mut admin, "LOCK TABLE ringfence.owner"), "42501");
    run(&mut admin, "ROLLBACK");
    // The extension's own lock, which counts owners, is none of theirs.
    run(&mut database.superuser(), &format!("ALTER DATABASE {} SET ringfence.max_owners = 9", database.name));
    run(&mut database.connect("dba"), "SELECT ringfence.create_owner('Company D')");
}

/// Some commands wait for a strong lock before they ask whether they may have it, and all others wait behind them.
#[test]
fn no_command_queues_for_a_lock_that_it_may_not_have() {
    let database = Database::new("lock_queue");
    views(&database);
    let mut writer = database.connect("app_a");
    run(&mut writer, "BEGIN; UPDATE ringfence.customer SET address = 'Taipei' WHERE name = 'Chen Wei'");
    let mut agent = database.connect("app_a");
    run(&mut agent, "SELECT ringfence.current_owner(); SET lock_timeout = '1s'");
    run(
        &mut agent,
        "CREATE TEMP TABLE parts (owner_id uuid, id uuid, name text) PARTITION BY LIST (name); CREATE INDEX parts_name ON parts (name); CREATE TEMP TABLE mine (owner_id uuid, id uuid)",
    );
    for statement in [
        "CREATE TRIGGER t BEFORE INSERT ON ringfence.customer FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
        "CREATE TEMP TABLE child (a uuid, b uuid, FOREIGN KEY (a, b) REFERENCES ringfence.customer)",
        "CREATE TEMP TABLE child (a uuid REFERENCES ringfence.customer (id))",
        "ALTER TABLE mine ADD FOREIGN KEY (owner_id, id) REFERENCES ringfence.customer",
        "ALTER TABLE mine ADD COLUMN c uuid REFERENCES ringfence.customer (id)",
        "ALTER TABLE mine INHERIT ringfence.customer",
        "ALTER TABLE parts ATTACH PARTITION ringfence.customer DEFAULT",
        "ALTER INDEX parts_name ATTACH PARTITION ringfence.customer_pkey",
        "CREATE TEMP TABLE child () INHERITS (ringfence.customer)",
    ] {
        // 55P03 would be the lock that it waited for.
        assert_eq!(refused(&mut agent, statement), "42501", "{statement}");
    }
    // Those that wait for what changes the table: a superuser's ANALYZE, or autovacuum, which gives way to whoever waits for it.
    run(&mut database.superuser(), &format!("GRANT CREATE ON DATABASE {} TO app_a", database.name));
    let mut analyst = database.superuser();
    run(&mut analyst, "BEGIN; LOCK TABLE ringfence.customer, ringfence.customer_card IN SHARE UPDATE EXCLUSIVE MODE");
    for statement in [
        "CREATE RULE r AS ON INSERT TO ringfence.customer DO INSTEAD NOTHING",
        "CREATE OR REPLACE RULE \"_RETURN\" AS ON SELECT TO ringfence.customer_card DO INSTEAD SELECT 1",
        "CREATE FOREIGN TABLE pg_temp.child PARTITION OF ringfence.customer DEFAULT SERVER none",
        "CREATE FOREIGN TABLE pg_temp.child () INHERITS (ringfence.customer) SERVER none",
        "CREATE STATISTICS pg_temp.s ON name, address FROM ringfence.customer",
        "COMMENT ON TABLE ringfence.customer IS 'x'",
        "COMMENT ON VIEW ringfence.customer_card IS 'x'",
        "COMMENT ON COLUMN ringfence.customer.name IS 'x'",
        "COMMENT ON COLUMN customer.name IS 'x'",
        "CREATE PUBLICATION p FOR TABLE ringfence.company, ringfence.customer",
    ] {
        run(&mut agent, "SET search_path = ringfence");
        assert_eq!(refused(&mut agent, statement), "42501", "{statement}");
    }
    run(&mut analyst, "ROLLBACK");
    run(&mut writer, "ROLLBACK");
    // What is its own it describes as it likes.
    run(
        &mut agent,
        "COMMENT ON TABLE pg_temp.mine IS 'x'; COMMENT ON COLUMN pg_temp.mine.id IS 'x'; CREATE RULE r AS ON INSERT TO pg_temp.mine DO INSTEAD NOTHING; CREATE STATISTICS pg_temp.s ON owner_id, id FROM pg_temp.mine",
    );
    assert_eq!(refused(&mut agent, "COMMENT ON COLUMN name IS 'x'"), "42601");
    assert_eq!(refused(&mut agent, "COMMENT ON TABLE none IS 'x'"), "42P01");
}

/// A view that was harmless when LOCK TABLE began to wait for it, and is one of a table of the extension when it goes on.
#[test]
fn a_view_that_changes_while_it_is_waited_for_locks_nothing() {
    let database = Database::new("lock_changed");
    run(&mut database.superuser(), "GRANT CREATE ON SCHEMA public TO app_a");
    let mut first = database.connect("app_a");
    run(&mut first, "CREATE TABLE public.mine (name text); CREATE VIEW public.v AS SELECT name FROM public.mine");
    run(&mut first, "SELECT ringfence.current_owner(); BEGIN; LOCK TABLE public.v");
    let mut second = database.connect("app_a");
    run(&mut second, "SELECT ringfence.current_owner(); BEGIN");
    let waiting = std::thread::spawn(move || refused(&mut second, "LOCK TABLE public.v"));
    let mut observer = database.superuser();
    let blocked = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'app_a' AND wait_event_type = 'Lock' AND datname = current_database()";
    let began = std::time::Instant::now();
    while value::<i64>(&mut observer, blocked) == 0 {
        assert!(began.elapsed() < std::time::Duration::from_secs(60), "it does not wait");
        std::thread::yield_now();
    }
    run(&mut first, "CREATE OR REPLACE VIEW public.v AS SELECT name FROM ringfence.customer; COMMIT");
    assert_eq!(waiting.join().expect("the second"), "42501");
}
