//! What clients read of errors is there: of those that ringfence raises, and of PostgreSQL's own in a backend that has loaded the library.

mod common;
use common::cluster::Cluster;
use common::{Database, run, value};

#[test]
fn errors_of_postgresql_keep_their_fields() {
    let database = Database::new("error_fields");
    let mut agent = database.connect("app_a");
    assert_eq!(value::<i64>(&mut agent, "SELECT count(*) FROM ringfence.customer"), 3);

    let error = agent
        .batch_execute(
            "INSERT INTO ringfence.company (id, name) VALUES ('a0000000-0000-0000-0000-00000000000c', 'again')",
        )
        .expect_err("a duplicate");
    let error = error.as_db_error().expect("from the server");
    assert_eq!(error.code().code(), "23505");
    assert_eq!(error.schema(), Some("ringfence"));
    assert_eq!(error.table(), Some("company"));
    assert_eq!(error.constraint(), Some("company_pkey"));

    let error = agent.batch_execute("INSERT INTO ringfence.customer_card (name) VALUES (NULL)").expect_err("no name");
    let error = error.as_db_error().expect("from the server");
    assert_eq!((error.code().code(), error.column()), ("23502", Some("name")));
    // Nothing of the SQL of the extension.
    assert_eq!(error.where_(), None);

    let error = agent.batch_execute("SELECT 'x'::int").expect_err("not a number");
    assert!(error.as_db_error().expect("from the server").position().is_some());

    let error = agent.batch_execute("DO $$BEGIN PERFORM 1/0; END$$").expect_err("division");
    let error = error.as_db_error().expect("from the server");
    assert!(error.where_().is_some_and(|context| context.contains("inline_code_block")), "{:?}", error.where_());
    // Of the server's source, not of ours.
    assert_eq!(error.file(), Some("int.c"));
}

/// Whichever kind of function raises them.
#[test]
fn errors_of_ringfence_keep_their_fields() {
    let database = Database::new("own_error_fields");
    for (kind, role, statement, code, has_detail) in [
        (
            "function",
            "app_a",
            "SELECT ringfence.enter('Company A'), ringfence.enter('Company A', 'Sales')",
            "25001",
            true,
        ),
        (
            "set-returning function",
            "app_a",
            "SELECT * FROM ringfence.search_customers(repeat('x', 9999))",
            "22023",
            false,
        ),
        ("input function", "app_a", "SELECT 'x'::ringfence.search_query", "22023", false),
        ("trigger", "dba", "INSERT INTO ringfence.owner (name, country) VALUES ('New', 'ZZ')", "22023", false),
        (
            "trigger of cards",
            "app_a",
            "INSERT INTO ringfence.customer_card (name, attributes) VALUES ('x', '[]')",
            "22023",
            false,
        ),
    ] {
        let error = database.connect(role).batch_execute(statement).expect_err(kind);
        let error = error.as_db_error().expect("from the server");
        assert_eq!(error.code().code(), code, "{kind}: {error:?}");
        assert_eq!(error.detail().is_some(), has_detail, "{kind}: {error:?}");
        assert!(error.hint().is_some(), "{kind}: {error:?}");
        assert_eq!(error.where_(), None, "{kind}: {error:?}");
    }
}

/// An error of PostgreSQL's that passes through Rust has no backtrace in its DETAIL, whatever the server's environment asks for.
#[test]
fn clients_get_no_backtrace() {
    let asks = [("RUST_BACKTRACE", "full"), ("RUST_LIB_BACKTRACE", "1")];
    for settings in [&[][..], &["shared_preload_libraries=ringfence"]] {
        let cluster = Cluster::new("backtrace", settings, &asks);
        let mut server = cluster.connect("postgres", "postgres");
        run(&mut server, "CREATE EXTENSION ringfence");
        // Raised by PostgreSQL beneath our trigger that provisions an owner; by a cancelled statement there; and by ourselves.
        run(
            &mut server,
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN PERFORM 1/0; END$$;
             CREATE TRIGGER refuse BEFORE INSERT ON ringfence.profile FOR EACH ROW WHEN (current_setting('ringfence.agent') = '') EXECUTE FUNCTION refuse();
             CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$BEGIN PERFORM pg_cancel_backend(pg_backend_pid()); PERFORM pg_sleep(60); END$$;
             CREATE TRIGGER wait BEFORE INSERT ON ringfence.project FOR EACH ROW WHEN (current_setting('ringfence.agent') = 'wait') EXECUTE FUNCTION wait()",
        );
        for (statement, code) in [
            ("INSERT INTO ringfence.owner (name) VALUES ('x')", "22012"),
            ("SET ringfence.agent = 'wait'; INSERT INTO ringfence.owner (name) VALUES ('x')", "57014"),
            ("SELECT ringfence.enter('nobody')", "42501"),
            ("SELECT ringfence.check_name(' ')", "22023"),
        ] {
            let error = server.batch_execute(statement).expect_err(statement);
            let error = error.as_db_error().expect("from the server");
            assert_eq!(error.code().code(), code, "{statement}");
            assert_eq!(error.detail(), None, "{statement}");
        }
    }
}
