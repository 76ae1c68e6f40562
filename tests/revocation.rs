//! What is taken away is gone at the next statement of every other session (C9, D5; ATTACKS 9, 37, 38, 39, 150).

mod common;
use common::{Database, refused, run, value};

const COUNT: &str = "SELECT count(*) FROM ringfence.customer";

#[test]
fn revoked_access_ends_at_the_next_statement() {
    let database = Database::new("revoked");
    let mut admin = database.connect("dba");
    // One session a way in which an old decision might survive.
    let mut autocommit = database.connect("app_a");
    let mut read_committed = database.connect("app_a");
    let mut repeatable_read = database.connect("app_a");
    let mut serializable = database.connect("app_a");
    let mut prepared = database.connect("app_a");
    let mut cursor = database.connect("app_a");
    let mut sorted_cursor = database.connect("app_a");
    let mut writer = database.connect("app_a");
    let mut entered = database.connect("app_a");

    assert_eq!(value::<i64>(&mut autocommit, COUNT), 3);
    run(&mut read_committed, "BEGIN");
    assert_eq!(value::<i64>(&mut read_committed, COUNT), 3);
    run(&mut repeatable_read, "BEGIN ISOLATION LEVEL REPEATABLE READ");
    assert_eq!(value::<i64>(&mut repeatable_read, COUNT), 3);
    run(&mut serializable, "BEGIN ISOLATION LEVEL SERIALIZABLE");
    assert_eq!(value::<i64>(&mut serializable, COUNT), 3);
    run(&mut prepared, "SET plan_cache_mode = force_generic_plan");
    let statement = prepared.prepare(COUNT).expect("prepare");
    assert_eq!(prepared.query_one(&statement, &[]).expect("execute").get::<_, i64>(0), 3);
    run(&mut cursor, "BEGIN; DECLARE c CURSOR FOR SELECT name FROM ringfence.customer");
    assert_eq!(cursor.query("FETCH 1 FROM c", &[]).expect("fetch").len(), 1);
    run(&mut sorted_cursor, "BEGIN; DECLARE c CURSOR FOR SELECT name FROM ringfence.customer_card ORDER BY name");
    assert_eq!(sorted_cursor.query("FETCH 1 FROM c", &[]).expect("fetch").len(), 1);
    run(&mut writer, "BEGIN ISOLATION LEVEL REPEATABLE READ");
    assert_eq!(value::<i64>(&mut writer, COUNT), 3);

    run(&mut entered, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT ringfence.enter('Company A')");
    assert_eq!(value::<i64>(&mut entered, COUNT), 3);

    run(&mut admin, "SELECT ringfence.revoke_access('app_a', 'Company A')");

    assert_eq!(refused(&mut entered, COUNT), "42501");
    assert_eq!(refused(&mut autocommit, COUNT), "42501");
    assert_eq!(refused(&mut read_committed, COUNT), "42501");
    assert_eq!(refused(&mut repeatable_read, COUNT), "42501");
    assert_eq!(refused(&mut serializable, COUNT), "42501");
    assert!(prepared.query_one(&statement, &[]).is_err());
    assert!(cursor.query("FETCH ALL FROM c", &[]).is_err());
    assert!(sorted_cursor.query("FETCH ALL FROM c", &[]).is_err());
    assert_eq!(refused(&mut writer, "INSERT INTO ringfence.customer (name) VALUES ('late')"), "42501");
}

#[test]
fn a_disabled_owner_ends_at_the_next_statement() {
    let database = Database::new("disabled");
    let mut admin = database.connect("dba");
    let mut agent = database.connect("app_ab");
    run(&mut agent, "BEGIN ISOLATION LEVEL REPEATABLE READ; SET LOCAL ringfence.owner = 'Company A'");
    assert_eq!(value::<i64>(&mut agent, COUNT), 3);
    run(&mut admin, "UPDATE ringfence.owner SET enabled = false WHERE name = 'Company A'");
    assert_eq!(refused(&mut agent, COUNT), "55000");
    run(&mut agent, "ROLLBACK");
    // A change that is rolled back changes nothing for anybody.
    run(&mut admin, "BEGIN; UPDATE ringfence.owner SET enabled = true WHERE name = 'Company A'; ROLLBACK");
    run(&mut agent, "BEGIN; SET LOCAL ringfence.owner = 'Company A'");
    assert_eq!(refused(&mut agent, COUNT), "55000");
    run(&mut agent, "ROLLBACK");
    run(&mut admin, "UPDATE ringfence.owner SET enabled = true WHERE name = 'Company A'");
    run(&mut agent, "BEGIN; SET LOCAL ringfence.owner = 'Company A'");
    assert_eq!(value::<i64>(&mut agent, COUNT), 3);
}

/// enter() with the same owner again returns its id, unless the access is gone.
#[test]
fn an_owner_is_entered_again_only_with_access() {
    let database = Database::new("entered_again");
    let mut admin = database.connect("dba");
    let mut agent = database.connect("app_ab");
    const ENTER: &str = "SELECT ringfence.enter('Company A')::text";
    run(&mut agent, "BEGIN ISOLATION LEVEL REPEATABLE READ");
    let id = value::<String>(&mut agent, ENTER);
    assert_eq!(value::<String>(&mut agent, ENTER), id);
    run(&mut admin, "SELECT ringfence.revoke_access('app_ab', 'Company A')");
    assert_eq!(refused(&mut agent, ENTER), "42501");
    run(&mut agent, "ROLLBACK");
    run(&mut agent, "BEGIN");
    assert_eq!(refused(&mut agent, ENTER), "42501");
}

#[test]
fn rights_profiles_fields_and_memberships_follow() {
    let database = Database::new("rights");
    let mut server = database.superuser();
    let mut boss = database.connect("boss_a");
    let mut agent = database.connect("app_a");
    let mut sales = database.connect("sales_a");
    assert_eq!(value::<i64>(&mut agent, COUNT), 3);
    assert_eq!(value::<i64>(&mut sales, "SELECT count(*) FROM ringfence.visible_fields() WHERE NOT is_system"), 0);

    // A field bound, and unbound.
    run(&mut boss, "SELECT ringfence.create_field('Plan', projects => '{Sales}')");
    assert_eq!(value::<i64>(&mut sales, "SELECT count(*) FROM ringfence.visible_fields() WHERE NOT is_system"), 1);
    run(&mut boss, "SELECT ringfence.unbind_field('Plan', 'Sales')");
    assert_eq!(value::<i64>(&mut sales, "SELECT count(*) FROM ringfence.visible_fields() WHERE NOT is_system"), 0);

    // A profile changed.
    run(&mut agent, "BEGIN ISOLATION LEVEL REPEATABLE READ");
    assert!(value::<bool>(&mut agent, "SELECT ringfence.has_right('customer.write')"));
    run(&mut server, "UPDATE ringfence.profile SET rights = '{ticket.read}' WHERE name = 'agent'");
    assert!(!value::<bool>(&mut agent, "SELECT ringfence.has_right('customer.write')"));
    assert_eq!(value::<i64>(&mut agent, COUNT), 0);
    run(&mut agent, "COMMIT");

    // A membership revoked; a role dropped, and another made of the same name.
    run(&mut server, "CREATE ROLE revocation_group; CREATE ROLE revocation_member LOGIN IN ROLE revocation_group");
    run(&mut server, "SELECT ringfence.grant_access('revocation_group', 'Company B', '{customer.read}')");
    let mut member = database.connect("revocation_member");
    assert_eq!(value::<i64>(&mut member, COUNT), 2);
    run(&mut server, "GRANT ringfence_user TO revocation_member; REVOKE revocation_group FROM revocation_member");
    assert_eq!(refused(&mut member, COUNT), "42501");
    run(&mut server, "GRANT revocation_group TO revocation_member");
    assert_eq!(value::<i64>(&mut member, COUNT), 2);
    run(&mut server, "DROP ROLE revocation_group; CREATE ROLE revocation_group ROLE revocation_member");
    assert_eq!(refused(&mut member, COUNT), "42501");
    drop(member);
    run(&mut server, "DROP ROLE revocation_group, revocation_member");
}

/// Statements that answer 3 for Company A's three customers, each planned in its own way.
const FORMS: [&str; 8] = [
    "SELECT count(*) FROM ringfence.customer",
    "SELECT count(*) FROM ringfence.customer_card",
    "SELECT count(*) FROM revocation.invoker",
    "SELECT count(*) FROM revocation.inlined()",
    "WITH c AS MATERIALIZED (SELECT name FROM ringfence.customer) SELECT count(*) FROM c",
    "SELECT count(*) FROM generate_series(1, 3) WHERE EXISTS (SELECT FROM ringfence.customer)",
    "WITH u AS (UPDATE ringfence.customer SET address = 'seen' RETURNING 1) SELECT count(*) FROM u",
    "SELECT revocation.planned()",
];

#[test]
fn no_kept_plan_outlives_what_it_was_made_for() {
    // ATTACKS 37: one generic plan of each form, and between its executions another session takes something away.
    let database = Database::new("kept_plans");
    let mut server = database.superuser();
    run(
        &mut server,
        "CREATE ROLE revocation_plan_group;
         CREATE ROLE revocation_plan_member LOGIN IN ROLE revocation_plan_group;
         GRANT ringfence_user TO revocation_plan_member;
         SELECT ringfence.grant_access('revocation_plan_group', 'Company A', '{agent}');
         CREATE SCHEMA revocation;
         GRANT USAGE ON SCHEMA revocation TO PUBLIC;
         CREATE VIEW revocation.invoker WITH (security_invoker = true) AS SELECT name FROM ringfence.customer;
         GRANT SELECT ON revocation.invoker TO PUBLIC;
         CREATE FUNCTION revocation.inlined() RETURNS SETOF text LANGUAGE sql STABLE AS 'SELECT name FROM ringfence.customer';
         CREATE FUNCTION revocation.planned() RETURNS bigint LANGUAGE plpgsql AS $$BEGIN RETURN (SELECT count(*) FROM ringfence.customer); END$$",
    );
    let mut member = database.connect("revocation_plan_member");
    run(&mut member, "SET plan_cache_mode = force_generic_plan");
    let statements: Vec<_> = FORMS.iter().map(|form| member.prepare(form).expect(form)).collect();
    let mut answers = || -> Vec<Result<i64, String>> {
        let answer = |statement| {
            member
                .query_one(statement, &[])
                .map(|row| row.get(0))
                .map_err(|error| error.code().map_or_else(|| error.to_string(), |code| code.code().to_owned()))
        };
        statements.iter().map(answer).collect()
    };
    let all = |answer: Result<i64, &str>| vec![answer.map_err(str::to_owned); FORMS.len()];
    assert_eq!(answers(), all(Ok(3)));
    for (taken, given_back) in [
        (
            "SELECT ringfence.revoke_access('revocation_plan_group', 'Company A')",
            "SELECT ringfence.grant_access('revocation_plan_group', 'Company A', '{agent}')",
        ),
        (
            "REVOKE revocation_plan_group FROM revocation_plan_member",
            "GRANT revocation_plan_group TO revocation_plan_member",
        ),
        ("ALTER ROLE revocation_plan_member NOINHERIT", "ALTER ROLE revocation_plan_member INHERIT"),
        (
            "ALTER ROLE revocation_plan_group RENAME TO revocation_plan_other",
            "ALTER ROLE revocation_plan_other RENAME TO revocation_plan_group",
        ),
    ] {
        run(&mut server, taken);
        // From PostgreSQL 16 on a membership keeps how it inherits, whatever becomes of the role.
        if !taken.contains("NOINHERIT")
            || value::<i32>(&mut server, "SELECT current_setting('server_version_num')::int") < 160000
        {
            assert_eq!(answers(), all(Err("42501")), "{taken}");
        }
        run(&mut server, given_back);
        assert_eq!(answers(), all(Ok(3)), "{given_back}");
    }
    run(&mut server, "UPDATE ringfence.owner SET enabled = false WHERE name = 'Company A'");
    assert_eq!(answers(), all(Err("55000")));
    // The same plans for another owner: his rows, and not one of the first.
    run(
        &mut server,
        "SELECT ringfence.revoke_access('revocation_plan_group', 'Company A'), ringfence.grant_access('revocation_plan_group', 'Company B', '{agent}')",
    );
    let of_b = answers();
    assert_eq!(of_b[0], Ok(2));
    assert_eq!(of_b[6], Ok(2));
    assert_eq!(of_b[7], Ok(2));
    drop(member);
    run(&mut server, "DROP ROLE revocation_plan_member, revocation_plan_group");
}

#[test]
fn a_value_that_postgresql_gives_back_is_judged_again() {
    // ATTACKS 9: RESET, ROLLBACK, ROLLBACK TO, an error and the end of a function bring back an owner without asking.
    let database = Database::new("given_back");
    let mut admin = database.connect("dba");
    let mut session = database.connect("app_session");
    run(
        &mut session,
        "CREATE FUNCTION pg_temp.elsewhere() RETURNS bigint LANGUAGE plpgsql AS $$BEGIN PERFORM set_config('ringfence.owner', 'Company A', true); RETURN (SELECT count(*) FROM ringfence.customer); END$$",
    );
    run(&mut session, "SET ringfence.owner = 'Company B'");
    assert_eq!(value::<i64>(&mut session, COUNT), 2);
    // In the middle of a transaction that works for the other owner, which stays.
    run(&mut session, "BEGIN; SET LOCAL ringfence.owner = 'Company A'");
    assert_eq!(value::<i64>(&mut session, COUNT), 3);
    run(&mut admin, "SELECT ringfence.revoke_access('app_session', 'Company B')");
    assert_eq!(value::<i64>(&mut session, COUNT), 3);
    run(&mut session, "ROLLBACK");
    for back in [
        "SELECT 1",
        "BEGIN; SET LOCAL ringfence.owner = 'Company A'; SELECT count(*) FROM ringfence.customer; COMMIT",
        "BEGIN; SET ringfence.owner = 'Company A'; SELECT count(*) FROM ringfence.customer; ROLLBACK",
        "BEGIN; SAVEPOINT s; SET ringfence.owner = 'Company A'; ROLLBACK TO s; COMMIT",
        "SELECT pg_temp.elsewhere()",
        "DO $$BEGIN PERFORM set_config('ringfence.owner', 'Company A', false); RAISE EXCEPTION 'x'; EXCEPTION WHEN OTHERS THEN NULL; END$$",
    ] {
        run(&mut session, back);
        assert_eq!(value::<String>(&mut session, "SELECT current_setting('ringfence.owner')"), "Company B");
        assert_eq!(refused(&mut session, COUNT), "42501", "after {back}");
        assert_eq!(refused(&mut session, "UPDATE ringfence.customer SET address = 'late'"), "42501", "after {back}");
    }
    assert_eq!(refused(&mut session, "SET ringfence.owner = 'Company A'; SELECT 1/0"), "22012");
    assert_eq!(refused(&mut session, COUNT), "42501");
}

#[test]
fn no_snapshot_keeps_an_access_that_is_over() {
    // ATTACKS 38: every kind of statement in an old snapshot, its own or imported.
    let database = Database::new("snapshots");
    let mut admin = database.connect("dba");
    let mut exporter = database.connect("app_b");
    let mut importer = database.connect("boss_a");
    run(&mut exporter, "BEGIN ISOLATION LEVEL REPEATABLE READ");
    let snapshot = value::<String>(&mut exporter, "SELECT pg_export_snapshot()");
    let mut sessions: Vec<_> = ["REPEATABLE READ", "SERIALIZABLE", "SERIALIZABLE READ ONLY"]
        .iter()
        .map(|level| {
            let mut session = database.connect("boss_a");
            run(&mut session, &format!("BEGIN ISOLATION LEVEL {level}"));
            assert_eq!(value::<i64>(&mut session, COUNT), 3);
            (session, level.contains("READ ONLY"))
        })
        .collect();
    run(&mut admin, "SELECT ringfence.revoke_access('boss_a', 'Company A')");
    // From before the revocation, in a transaction that begins after it.
    run(&mut importer, &format!("BEGIN ISOLATION LEVEL REPEATABLE READ; SET TRANSACTION SNAPSHOT '{snapshot}'"));
    sessions.push((importer, false));
    for (session, read_only) in &mut sessions {
        run(session, "SAVEPOINT s");
        for statement in [
            COUNT,
            "SELECT count(*) FROM ringfence.customer_card",
            "SELECT count(*) FROM ringfence.search_customers('tsai')",
            "COPY ringfence.customer (name) TO STDOUT",
            "COPY (SELECT name FROM ringfence.customer_card) TO STDOUT",
            "DECLARE c CURSOR FOR SELECT name FROM ringfence.customer; FETCH ALL FROM c",
            "PREPARE late AS SELECT name FROM ringfence.customer; EXECUTE late",
            "SELECT ringfence.enter('Company A')",
        ] {
            assert_eq!(refused(session, statement), "42501", "{statement}");
            run(session, "ROLLBACK TO s; DEALLOCATE ALL");
        }
        for statement in [
            "INSERT INTO ringfence.customer (name) VALUES ('late')",
            "INSERT INTO ringfence.customer (owner_id, name) VALUES ('aaaaaaaa-0000-0000-0000-000000000001', 'late')",
            "INSERT INTO ringfence.customer_card (name) VALUES ('late')",
            "UPDATE ringfence.customer SET address = 'late'",
            "UPDATE ringfence.customer SET address = 'late' WHERE name = 'Chen Wei' RETURNING name",
            "DELETE FROM ringfence.customer",
            "DELETE FROM ringfence.customer_card WHERE name = 'Chen Wei' RETURNING name",
            "SELECT name FROM ringfence.customer FOR UPDATE",
        ] {
            let expected = if *read_only { ["25006", "42501"] } else { ["42501", "42501"] };
            let code = refused(session, statement);
            assert!(expected.contains(&code.as_str()), "{statement}: {code}");
            run(session, "ROLLBACK TO s");
        }
        run(session, "COMMIT");
    }
    let mut server = database.superuser();
    assert_eq!(value::<i64>(&mut server, COUNT), 5);
    assert_eq!(
        value::<i64>(&mut server, "SELECT count(*) FROM ringfence.customer WHERE address = 'late' OR name = 'late'"),
        0
    );
}

#[test]
fn the_sub_select_race_of_policies_is_not_ours() {
    // ATTACKS 39: a row that waits for a lock is judged again with what is true after the wait. So in every statement that
    // waits for rows, and whatever was taken away meanwhile.
    let database = Database::new("evalplanqual");
    let mut server = database.superuser();
    let give = "SELECT ringfence.grant_access('boss_a', 'Company A', '{admin}')";
    let revoke = "SELECT ringfence.revoke_access('boss_a', 'Company A')";
    let disable = "UPDATE ringfence.owner SET enabled = false WHERE name = 'Company A'";
    let enable = "UPDATE ringfence.owner SET enabled = true WHERE name = 'Company A'";
    let one = "SELECT address FROM ringfence.customer WHERE name = 'Chen Wei' FOR UPDATE";
    let set = "SET LOCAL ringfence.owner = 'Company A'";
    let enter = "SELECT ringfence.enter('Company A')";
    let rows = [
        (one, set, revoke, give, "42501"),
        (one, enter, revoke, give, "42501"),
        (one, set, disable, enable, "55000"),
        ("SELECT address FROM ringfence.customer FOR SHARE", set, revoke, give, "42501"),
        ("SELECT address FROM ringfence.customer ORDER BY name FOR NO KEY UPDATE", enter, revoke, give, "42501"),
        (
            "UPDATE ringfence.customer SET language = 'x' WHERE name = 'Chen Wei' RETURNING address",
            set,
            revoke,
            give,
            "42501",
        ),
        ("UPDATE ringfence.customer SET language = address", set, revoke, give, "42501"),
        ("UPDATE ringfence.customer SET language = 'x'", enter, revoke, give, "42501"),
        ("DELETE FROM ringfence.customer WHERE name = 'Chen Wei' RETURNING address", set, revoke, give, "42501"),
        ("DELETE FROM ringfence.customer", set, revoke, give, "42501"),
        (
            "UPDATE ringfence.customer_card SET language = 'x' WHERE name = 'Chen Wei' RETURNING address",
            set,
            revoke,
            give,
            "42501",
        ),
        ("DELETE FROM ringfence.customer_card WHERE name = 'Chen Wei' RETURNING address", enter, revoke, give, "42501"),
        (
            "MERGE INTO ringfence.customer c USING (SELECT 1) s ON c.name = 'Chen Wei' WHEN MATCHED THEN UPDATE SET language = c.address",
            set,
            revoke,
            give,
            "42501",
        ),
    ];
    for (statement, bind, taken, given_back, expected) in rows {
        let mut agent = database.connect("boss_a");
        run(&mut agent, "BEGIN");
        run(&mut agent, bind);
        run(&mut server, "BEGIN; UPDATE ringfence.customer SET address = 'secret' WHERE name = 'Chen Wei'");
        run(&mut server, taken);
        let waiting = std::thread::spawn(move || refused(&mut agent, statement));
        let mut observer = database.superuser();
        while value::<i64>(
            &mut observer,
            "SELECT count(*) FROM pg_stat_activity WHERE usename = 'boss_a' AND wait_event_type = 'Lock' AND datname = current_database()",
        ) == 0
        {
            assert!(!waiting.is_finished(), "it did not wait: {statement}");
            std::thread::yield_now();
        }
        run(&mut server, "COMMIT");
        assert_eq!(waiting.join().expect("the waiting session"), expected, "{statement}");
        run(&mut server, given_back);
    }
    assert_eq!(
        value::<i64>(&mut server, "SELECT count(*) FROM ringfence.customer WHERE language IS NOT NULL OR name IS NULL"),
        0
    );
    assert_eq!(value::<i64>(&mut server, COUNT), 5);
}
