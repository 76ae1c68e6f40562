//! However the library comes into a session, what is shown is the same (ATTACKS 12). `tests/run.sh` adds the rest: the
//! regression tests run without and with shared_preload_libraries, and at last without the library's file.

mod common;
use common::{Database, refused, run, value};
use postgres::{Client, Config, NoTls};

/// A session that asks for settings in its connection string, as that role.
fn connect(database: &Database, role: &str, options: &str) -> Result<Client, postgres::Error> {
    let variable = |name| std::env::var(name).expect("run the tests by `make test`");
    Config::new()
        .host(&variable("PGHOST"))
        .port(variable("PGPORT").parse().expect("a port"))
        .dbname(&database.name)
        .user(role)
        .options(options)
        .connect(NoTls)
}

#[test]
fn loaded_by_session_preload_libraries() {
    let database = Database::new("session_preload");
    run(
        &mut database.superuser(),
        "CREATE ROLE preload_ab LOGIN; ALTER ROLE preload_ab SET session_preload_libraries = 'ringfence'",
    );
    run(
        &mut database.connect("dba"),
        "SELECT ringfence.grant_access('preload_ab', 'Company A', '{agent}'), ringfence.grant_access('preload_ab', 'Company B', '{agent}')",
    );
    const OWNER: &str = "-c ringfence.owner=Company\\ B";
    // What the connection string asks for is asked, and no more: the owner is not selected in the transaction. What is a
    // superuser's is dropped; or where the library is there before the session, ends it.
    let preloaded: String = value(&mut database.superuser(), "SHOW shared_preload_libraries");
    for others in ["latch=statement", "allow_drop=on", "parallel_context={}", "max_token_lifetime=999999", "no_such=x"]
    {
        match connect(&database, "preload_ab", &format!("{OWNER} -c ringfence.{others}")) {
            Ok(mut client) => {
                assert!(!preloaded.contains("ringfence"), "{others}");
                assert_eq!(value::<String>(&mut client, "SHOW ringfence.latch"), "transaction");
                assert_eq!(value::<String>(&mut client, "SHOW ringfence.allow_drop"), "off");
                assert_eq!(value::<String>(&mut client, "SHOW ringfence.max_token_lifetime"), "1h");
                assert_eq!(refused(&mut client, "SHOW ringfence.no_such"), "42704");
            }
            Err(error) => {
                assert!(preloaded.contains("ringfence"), "{others}: {error:?}");
                assert!(
                    error.code().is_some_and(|code| ["42501", "42602"].contains(&code.code())),
                    "{others}: {error:?}"
                );
            }
        }
    }
    let mut client = connect(&database, "preload_ab", OWNER).expect("connected");
    assert_eq!(value::<String>(&mut client, "SHOW ringfence.owner"), "Company B");
    assert_eq!(refused(&mut client, "SELECT count(*) FROM ringfence.customer"), "42501");
    assert_eq!(refused(&mut client, "SET ringfence.onwer = 'Company A'"), "42602");
    run(&mut client, "BEGIN; SET LOCAL ringfence.owner = 'Company A'");
    assert_eq!(value::<i64>(&mut client, "SELECT count(*) FROM ringfence.customer"), 3);
    assert_eq!(
        refused(&mut client, "SET LOCAL ringfence.owner = 'Company B'; SELECT count(*) FROM ringfence.customer"),
        "25001"
    );
    run(&mut client, "ROLLBACK");
    drop(client);
    run(&mut database.superuser(), "DROP OWNED BY preload_ab; DROP ROLE preload_ab");
}

/// A role of one owner asks for another in its connection string.
#[test]
fn asked_for_in_the_connection_string() {
    let database = Database::new("connection_string");
    let mut client = connect(&database, "app_a", "-c ringfence.owner=Company\\ B").expect("connected");
    assert_eq!(refused(&mut client, "SELECT count(*) FROM ringfence.customer"), "42501");
    let mut client = connect(&database, "app_a", "-c ringfence.owner=Company\\ A").expect("connected");
    assert_eq!(value::<i64>(&mut client, "SELECT count(*) FROM ringfence.customer"), 3);
}
