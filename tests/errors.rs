//! What clients read of PostgreSQL's own errors is there, also in a backend that has loaded the library.

mod common;
use common::{Database, value};

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
    assert!(error.where_().is_some_and(|context| context.contains("insert_customer_card")), "{:?}", error.where_());

    let error = agent.batch_execute("SELECT 'x'::int").expect_err("not a number");
    assert!(error.as_db_error().expect("from the server").position().is_some());

    let error = agent.batch_execute("DO $$BEGIN PERFORM 1/0; END$$").expect_err("division");
    let error = error.as_db_error().expect("from the server");
    assert!(error.where_().is_some_and(|context| context.contains("inline_code_block")), "{:?}", error.where_());
    // Of the server's source, not of ours.
    assert_eq!(error.file(), Some("int.c"));
}
