//! A query over a large table runs in parallel workers, and returns the same rows however the owner was selected
//! (ATTACKS 11, 149).

mod common;
use common::{Database, refused, run, value};
use postgres::{Client, SimpleQueryMessage};

const CUSTOMERS: i64 = 40_000;
/// Parallel plans at any size, and no rows from the leader: what comes, comes from workers.
const IN_WORKERS: &str = "SET max_parallel_workers_per_gather = 2; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0;
    SET min_parallel_table_scan_size = 0; SET min_parallel_index_scan_size = 0; SET parallel_leader_participation = off;";
const QUERY: &str =
    "SELECT count(*), count(DISTINCT owner_id), sum(length(name)), min(updated_by) FROM ringfence.customer
    WHERE ringfence.current_owner() = owner_id AND ringfence.current_agent() IS DISTINCT FROM 'nobody'";

fn rows(client: &mut Client, query: &str) -> Vec<Vec<Option<String>>> {
    let answer = client.simple_query(query).unwrap_or_else(|error| panic!("{query}: {error:?}"));
    let row = |message| match message {
        SimpleQueryMessage::Row(row) => Some((0..row.len()).map(|n| row.get(n).map(str::to_owned)).collect()),
        _ => None,
    };
    answer.into_iter().filter_map(row).collect()
}

/// How many workers a query was run by.
fn workers_of(client: &mut Client, query: &str) -> usize {
    let plan = rows(client, &format!("EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) {query}"));
    let launched = plan
        .iter()
        .flatten()
        .flatten()
        .find_map(|line| line.trim().strip_prefix("Workers Launched: ").map(str::to_owned));
    launched.map_or(0, |launched| launched.parse().expect("a number"))
}

fn filled(name: &str) -> Database {
    let database = Database::new(name);
    for (role, owner) in [("app_a", 'A'), ("app_b", 'B')] {
        run(
            &mut database.connect(role),
            &format!(
                "INSERT INTO ringfence.customer (name) SELECT 'CANARY-{owner} ' || n FROM generate_series(1, {CUSTOMERS}) AS n"
            ),
        );
    }
    run(&mut database.superuser(), "VACUUM ANALYZE ringfence.customer");
    database
}

#[test]
fn workers_see_what_their_leader_sees() {
    let database = filled("parallel");
    let mut superuser = database.superuser();
    let token: String = value(&mut superuser, "SELECT token('{\"sub\": \"eva\"}')");
    let ways: [(&str, &str, String); 5] = [
        ("setting", "app_ab", "SET LOCAL ringfence.owner = 'Company A'".to_owned()),
        ("session", "app_session", "SET ringfence.owner = 'Company A'".to_owned()),
        ("default", "app_a", "SELECT 1".to_owned()),
        ("enter", "app_ab", "SELECT ringfence.enter('Company A', agent => 'eva')".to_owned()),
        ("token", "app_token", format!("SELECT ringfence.login('{token}')")),
    ];
    for (way, role, select) in ways {
        let mut client = database.connect(role);
        // What is set for the session is set outside.
        run(&mut client, if way == "session" { &select } else { "BEGIN" });
        run(&mut client, if way == "session" { "BEGIN" } else { &select });
        let alone = rows(&mut client, QUERY);
        assert_eq!(alone[0][0].as_deref(), Some((CUSTOMERS + 3).to_string().as_str()), "{way}");
        run(&mut client, IN_WORKERS);
        assert_eq!(workers_of(&mut client, QUERY), 2, "{way}");
        assert_eq!(rows(&mut client, QUERY), alone, "{way}");
        for query in [
            "SELECT count(*) FROM ringfence.customer_card WHERE name LIKE 'CANARY-A%' AND attributes = '{}'",
            "SELECT count(*) FROM ringfence.customer AS a JOIN ringfence.customer AS b USING (id)",
            "SELECT ringfence.current_actor(), ringfence.has_right('customer.read'), count(*) FROM ringfence.customer GROUP BY 1, 2",
        ] {
            let in_workers = rows(&mut client, query);
            assert!(workers_of(&mut client, query) > 0, "{way}: {query}");
            run(&mut client, "SET max_parallel_workers_per_gather = 0");
            assert_eq!(rows(&mut client, query), in_workers, "{way}: {query}");
            run(&mut client, "SET max_parallel_workers_per_gather = 2");
        }
        run(&mut client, "ROLLBACK");
        // Nothing is left for the workers of the next transaction, where the owner was selected for one.
        run(&mut client, IN_WORKERS);
        match way {
            "session" | "default" => assert_eq!(rows(&mut client, QUERY), alone, "{way}"),
            _ => assert_eq!(refused(&mut client, QUERY), "42501", "{way}"),
        }
    }
}

#[test]
fn workers_hear_of_what_was_taken_away() {
    let database = filled("parallel_revoked");
    let mut client = database.connect("app_ab");
    run(&mut client, IN_WORKERS);
    let query = "SELECT count(*) FROM ringfence.customer";
    run(&mut client, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT ringfence.enter('Company A')");
    assert_eq!(rows(&mut client, query)[0][0].as_deref(), Some((CUSTOMERS + 3).to_string().as_str()));
    assert!(workers_of(&mut client, query) > 0);
    run(&mut database.connect("dba"), "SELECT ringfence.revoke_access('app_ab', 'Company A')");
    assert_eq!(refused(&mut client, query), "42501");
    run(&mut client, "ROLLBACK");
}

/// What workers are told is the leader's word alone. In a session that has not loaded the library anybody may set anything;
/// a worker that is the first to load it believes nothing of it.
#[test]
fn workers_believe_nobody_else() {
    let database = Database::new("parallel_forged");
    run(
        &mut database.superuser(),
        "CREATE FUNCTION peek(n integer) RETURNS bigint LANGUAGE plpgsql PARALLEL SAFE AS
             $$BEGIN RETURN (SELECT count(*) FROM ringfence.customer); END$$;
         CREATE TABLE plain AS SELECT n FROM generate_series(1, 1000) AS n;
         GRANT SELECT ON plain TO app_ab; ANALYZE plain",
    );
    let forged = r#"{"Asks":{"role":ROLE,"owner":"bbbbbbbb-0000-0000-0000-000000000002","project":null,"way":"Enter","latched":null,"agent":null,"source":null,"key":null,"expires":9223372036854775807}}"#;
    let role: u32 = value(&mut database.superuser(), "SELECT oid FROM pg_roles WHERE rolname = 'app_ab'");
    let forged = forged.replace("ROLE", &role.to_string());
    let mut client = database.connect("app_ab");
    run(&mut client, IN_WORKERS);
    // Accepted where the library is not loaded yet; refused where it is.
    let _ = client.batch_execute(&format!("SET ringfence.parallel_context = '{forged}'"));
    // 42501 where the leader has loaded the library, 55000 where only the worker has.
    let state = refused(&mut client, "SELECT max(peek(n)) FROM plain");
    assert!(["42501", "55000"].contains(&state.as_str()), "{state}");
    assert_eq!(refused(&mut client, "SELECT ringfence.current_owner()"), "42501");
    assert_eq!(refused(&mut client, &format!("SET ringfence.parallel_context = '{forged}'")), "42501");
    assert_eq!(refused(&mut client, "SELECT max(peek(n)) FROM plain"), "42501");
    run(&mut client, "BEGIN; SELECT ringfence.enter('Company A')");
    assert_eq!(value::<i64>(&mut client, "SELECT max(peek(n)) FROM plain"), 3);
    // Another owner than the leader's cannot be reached from within, and nothing is set in a parallel query.
    run(&mut client, "ROLLBACK");
    assert_eq!(refused(&mut client, "SHOW ringfence.parallel_context"), "42501");
}
