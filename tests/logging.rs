//! What the DBA finds in the server's log (`RINGFENCE_SERVER_LOG`, set by `tests/run.sh`).

mod common;
use common::{Database, refused, run};

fn log_lines() -> Vec<String> {
    let path = std::env::var("RINGFENCE_SERVER_LOG").expect("RINGFENCE_SERVER_LOG: run the tests by `make test`");
    String::from_utf8_lossy(&std::fs::read(path).expect("the server's log")).lines().map(str::to_owned).collect()
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
