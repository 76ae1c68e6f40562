//! An owner in the server's configuration (ATTACKS 10). It is everybody's, so this test has a program of its own: no other
//! test runs meanwhile.

mod common;
use common::{Database, refused, run, superuser, value};

const COUNT: &str = "SELECT count(*) FROM ringfence.customer";

/// Takes the owner out of the configuration again, also where the test fails.
struct Restored;

impl Drop for Restored {
    fn drop(&mut self) {
        let mut server = superuser("postgres");
        // The setting is known only where the library is loaded.
        let _ = server.batch_execute("LOAD 'ringfence'");
        let _ = server.batch_execute("ALTER SYSTEM RESET ringfence.owner");
        let _ = server.batch_execute("SELECT pg_reload_conf()");
    }
}

/// Puts an owner into the configuration, and waits until that session has read it.
fn configure(server: &mut postgres::Client, owner: &str, readers: &mut [&mut postgres::Client]) {
    run(server, "LOAD 'ringfence'");
    run(server, &format!("ALTER SYSTEM SET ringfence.owner = '{owner}'"));
    run(server, "SELECT pg_reload_conf()");
    for reader in readers {
        while value::<Option<String>>(reader, "SELECT current_setting('ringfence.owner', true)").as_deref()
            != Some(owner)
        {
            std::thread::yield_now();
        }
    }
}

#[test]
fn an_owner_in_the_configuration_only_asks() {
    let database = Database::new("configuration");
    let mut server = database.superuser();
    let started = value::<String>(&mut server, "SELECT pg_postmaster_start_time()::text");
    // Sessions that have loaded the library before the reload, and one that has not.
    let mut one = database.connect("app_a");
    let mut both = database.connect("app_ab");
    let mut dedicated = database.connect("app_session");
    let mut unloaded = database.connect("app_a");
    assert_eq!(value::<i64>(&mut one, COUNT), 3);
    assert_eq!(refused(&mut both, COUNT), "42501");
    assert_eq!(refused(&mut dedicated, COUNT), "42501");

    let _restored = Restored;
    configure(&mut server, "Company B", &mut [&mut one, &mut both, &mut dedicated, &mut unloaded]);
    for session in [&mut one, &mut unloaded, &mut database.connect("app_a")] {
        assert_eq!(refused(session, COUNT), "42501");
        assert_eq!(refused(session, "UPDATE ringfence.customer SET address = 'x'"), "42501");
        // What the session selects itself counts, and RESET leads back to the configuration.
        run(session, "SET ringfence.owner = 'Company A'");
        assert_eq!(value::<i64>(session, COUNT), 3);
        run(session, "RESET ringfence.owner");
        assert_eq!(refused(session, COUNT), "42501");
    }
    for session in [&mut both, &mut database.connect("app_ab")] {
        assert_eq!(refused(session, COUNT), "42501");
        run(session, "BEGIN; SET LOCAL ringfence.owner = 'Company A'");
        assert_eq!(value::<i64>(session, COUNT), 3);
        run(session, "COMMIT");
        assert_eq!(refused(session, COUNT), "42501");
    }
    // For those only that may be given an owner from outside of the transaction, it is one.
    for session in [&mut dedicated, &mut database.connect("app_session")] {
        assert_eq!(value::<i64>(session, COUNT), 2);
    }

    // Reloaded amid a transaction, it changes nothing that the transaction has chosen, and no other session's answer stays.
    run(&mut one, "BEGIN; SET LOCAL ringfence.owner = 'Company A'");
    run(&mut dedicated, "BEGIN");
    assert_eq!(value::<i64>(&mut one, COUNT), 3);
    assert_eq!(value::<i64>(&mut dedicated, COUNT), 2);
    configure(&mut server, "Company A", &mut [&mut dedicated]);
    assert_eq!(value::<i64>(&mut one, COUNT), 3);
    assert_eq!(refused(&mut dedicated, COUNT), "25001");
    run(&mut one, "COMMIT");
    run(&mut dedicated, "ROLLBACK");
    assert_eq!(value::<i64>(&mut dedicated, COUNT), 3);

    // Nonsense is read by every process of the server. None looks at it before it is used, and none dies of it.
    configure(&mut server, "x", &mut [&mut one, &mut both, &mut dedicated]);
    for session in [&mut one, &mut both, &mut dedicated, &mut database.connect("app_a")] {
        assert_eq!(refused(session, COUNT), "42501");
    }
    assert_eq!(value::<String>(&mut server, "SELECT pg_postmaster_start_time()::text"), started);

    run(&mut server, "ALTER SYSTEM RESET ringfence.owner");
    run(&mut server, "SELECT pg_reload_conf()");
    while !value::<String>(&mut one, "SELECT current_setting('ringfence.owner')").is_empty() {
        std::thread::yield_now();
    }
    assert_eq!(value::<i64>(&mut one, COUNT), 3);
}
