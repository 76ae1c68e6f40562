//! What the DBA finds in the server's log.

mod common;
use common::{Database, refused, run, server_log};

fn log_lines() -> Vec<String> {
    server_log("server.log").lines().map(str::to_owned).collect()
}

#[test]
fn refused_owners_are_logged_with_role_owner_and_reason() {
    let database = Database::new("logging");
    let mut agent = database.connect("app_a");
    run(&mut agent, "SET ringfence.owner = 'Company B'");
    assert_eq!(refused(&mut agent, "SELECT count(*) FROM ringfence.customer"), "42501");
    assert_eq!(refused(&mut agent, "SELECT ringfence.enter('Nothing To See')"), "42501");
    let long = "x".repeat(5000);
    run(&mut agent, &format!("SET ringfence.owner = '{long}'"));
    assert_eq!(refused(&mut agent, "SELECT count(*) FROM ringfence.customer"), "42501");
    // Entered, and then taken away: the owner that was entered, not what happens to be set.
    run(&mut agent, "RESET ringfence.owner; BEGIN; SELECT ringfence.enter('Company A')");
    run(&mut database.connect("dba"), "SELECT ringfence.revoke_access('app_a', 'Company A')");
    assert_eq!(refused(&mut agent, "SELECT count(*) FROM ringfence.customer"), "42501");
    run(&mut agent, "ROLLBACK");
    // The client sees none of it, whatever it asks for.
    run(&mut agent, "SET client_min_messages = 'log'");

    let log = log_lines();
    let refusals: Vec<&String> = log
        .iter()
        .filter(|line| line.contains("app_a@test_logging") && line.contains("ringfence: role \"app_a\""))
        .collect();
    for asked in
        ["owner \"Company B\"", "owner \"Nothing To See\"", "asking for owner \"aaaaaaaa-0000-0000-0000-000000000001\""]
    {
        let found =
            refusals.iter().find(|line| line.contains(asked)).unwrap_or_else(|| panic!("{asked}: {refusals:?}"));
        assert!(found.contains("LOG:") && found.contains("has no access to owner"), "{found}");
    }
    // The extension's own line repeats no more than a name's length of what it was given, and 300 of its reason.
    let longest = refusals.iter().map(|line| line.chars().count()).max();
    assert!(longest.is_some_and(|longest| (500..800).contains(&longest)), "{longest:?}");
}

/// What is LEAKPROOF logs nothing: it is asked for each row, so that one statement would fill the log.
#[test]
fn a_query_of_another_owner_is_not_logged_for_each_row() {
    let database = Database::new("logging_search");
    let mut agent = database.connect("app_ab");
    run(
        &mut agent,
        "BEGIN;
         SET LOCAL ringfence.owner = 'Company A';
         DECLARE made CURSOR FOR SELECT ringfence.query('tsai') AS query;
         DO $$
         DECLARE made refcursor := 'made'; kept record; found bigint;
         BEGIN
             FETCH made INTO kept;
             PERFORM set_config('ringfence.owner', 'Company B', true);
             SELECT count(*) INTO STRICT found FROM generate_series(1, 1000) WHERE ringfence.new_id() OPERATOR(ringfence.@@@) kept.query;
             ASSERT found = 0;
         END$$;
         ROLLBACK",
    );
    let refusals: Vec<String> =
        log_lines().into_iter().filter(|line| line.contains("app_ab@test_logging_search")).collect();
    assert!(!refusals.iter().any(|line| line.contains("was refused")), "{}", refusals.len());
}

/// `ringfence.log_owner` in the line format, in csvlog and in jsonlog; and nothing of it at the client.
#[test]
fn each_line_names_the_owner_where_that_is_asked_for() {
    let database = Database::new("log_owner");
    run(
        &mut database.superuser(),
        "ALTER ROLE app_ab SET ringfence.log_owner = on; ALTER ROLE app_ab SET log_statement = 'all'; ALTER ROLE app_ab SET log_duration = on",
    );
    let mut agent = database.connect("app_ab");
    run(&mut database.superuser(), "ALTER ROLE app_ab RESET ALL");
    run(&mut agent, "/* nothing yet */ SELECT 1");
    run(&mut agent, "BEGIN; SET LOCAL ringfence.owner = 'Company B'");
    run(&mut agent, "/* asked for */ SELECT 1");
    run(&mut agent, "SELECT count(*) FROM ringfence.customer");
    let error = agent.batch_execute("/* in use */ SELECT 1/0").expect_err("an error");
    assert_eq!(error.as_db_error().and_then(|error| error.detail()), None);
    run(&mut agent, "ROLLBACK");
    let error = agent.batch_execute("SET ringfence.log_owner = off").expect_err("an error");
    assert_eq!(error.code().map(|code| code.code()), Some("42501"));
    // A statement that is its own transaction is logged when that has ended.
    run(&mut agent, "/* own transaction */ SELECT ringfence.enter('Company A')");
    run(&mut agent, "/* nothing any more */ SELECT 1");

    const OWNER_B: &str = "Owner: \"Company B\" (bbbbbbbb-0000-0000-0000-000000000002)";
    let lines: Vec<String> = server_log("server.log")
        .lines()
        .filter(|line| line.contains("app_ab@test_log_owner"))
        .map(str::to_owned)
        .collect();
    let detail_after = |text: &str| {
        let n = lines.iter().position(|line| line.contains(text)).unwrap_or_else(|| panic!("{text}: {lines:#?}"));
        lines.get(n + 1).filter(|line| line.contains("DETAIL:")).cloned()
    };
    assert_eq!(detail_after("/* nothing yet */"), None);
    assert!(detail_after("/* asked for */").is_some_and(|line| line.contains("Owner asked for: \"Company B\"")));
    assert!(detail_after("ERROR:  division by zero").is_some_and(|line| line.contains(OWNER_B)));
    assert!(detail_after("LOG:  statement: ROLLBACK").is_some_and(|line| line.contains(OWNER_B)));
    assert_eq!(detail_after("/* nothing any more */"), None);
    let own = lines.iter().position(|line| line.contains("/* own transaction */")).expect("the line");
    assert!(lines[own..own + 3].iter().any(|line| line.contains("Owner: \"Company A\"")), "{lines:#?}");

    let csv = server_log("server.csv");
    let line = csv
        .lines()
        .find(|line| line.contains("test_log_owner") && line.contains("division by zero"))
        .expect("the line");
    assert!(line.contains(&OWNER_B.replace('"', "\"\"")), "{line}");
    let json = server_log("server.json");
    let line = json
        .lines()
        .find(|line| line.contains("test_log_owner") && line.contains("division by zero"))
        .expect("the line");
    assert!(line.contains(&format!("\"detail\":\"{}\"", OWNER_B.replace('"', "\\\""))), "{line}");
}

/// A router that tries addresses shows in the log, and cannot fill it.
#[test]
fn addresses_that_lead_nowhere_are_logged_once_a_second() {
    let database = Database::new("logging_route");
    let mut setup = database.superuser();
    run(
        &mut setup,
        "DROP ROLE IF EXISTS log_router; CREATE ROLE log_router LOGIN; GRANT ringfence_router TO log_router",
    );
    let mut router = database.connect("log_router");
    let tried = "SELECT count(*) FROM generate_series(1, 20000) AS n, LATERAL ringfence.route('chat', 'nobody' || n)";
    run(&mut router, tried);
    let log = log_lines();
    let lines = log
        .iter()
        .filter(|line| line.contains("log_router@test_logging_route") && line.contains("which leads to no owner"))
        .collect::<Vec<_>>();
    assert!(
        lines.first().is_some_and(|line| line.contains("role \"log_router\"") && line.contains("nobody1\"")),
        "{lines:?}"
    );
    assert!(lines.len() < 100, "{}", lines.len());
    drop(router);
    run(&mut setup, "DROP ROLE log_router");
}
