//! What clients keep by the wire protocol: statements and portals (ATTACKS 24, 25, 26).

mod common;
use common::{Database, refused, run};
use postgres::error::SqlState;

const NAMES: &str = "SELECT owner_id::text, name FROM ringfence.customer ORDER BY name COLLATE \"C\"";
const A: &str = "aaaaaaaa-0000-0000-0000-000000000001";
const B: &str = "bbbbbbbb-0000-0000-0000-000000000002";

#[test]
fn a_prepared_statement_follows_the_owner_of_its_transaction() {
    // ATTACKS 24, 25, over the extended protocol.
    let database = Database::new("wire_plans");
    for mode in ["auto", "force_generic_plan", "force_custom_plan"] {
        let mut agent = database.connect("app_ab");
        run(&mut agent, &format!("SET plan_cache_mode = {mode}"));
        let statement = agent.prepare(NAMES).expect("prepare");
        // From its sixth execution on, `auto` takes a generic plan too.
        for (name, id, expected) in [("Company A", A, 3), ("Company B", B, 2)].repeat(7) {
            let mut transaction = agent.transaction().expect("begin");
            transaction.execute("SELECT set_config('ringfence.owner', $1, true)", &[&name]).expect("set");
            let rows = transaction.query(&statement, &[]).expect("execute");
            assert_eq!(rows.len(), expected, "{mode}, {name}");
            assert!(rows.iter().all(|row| row.get::<_, String>(0) == id), "{mode}, {name}");
            transaction.commit().expect("commit");
        }
        let left = agent.query(&statement, &[]).expect_err("no owner is selected");
        assert_eq!(left.code(), Some(&SqlState::INSUFFICIENT_PRIVILEGE), "{mode}");
    }
}

#[test]
fn a_portal_does_not_go_from_one_owner_to_the_next() {
    // ATTACKS 26: fetched from by a limit of rows, as drivers do.
    let database = Database::new("portals");
    let mut agent = database.connect("app_ab");
    for fetched_before in [true, false] {
        let mut transaction = agent.transaction().expect("begin");
        transaction.batch_execute("SET LOCAL ringfence.owner = 'Company A'").expect("set");
        let statement = transaction.prepare(NAMES).expect("prepare");
        let portal = transaction.bind(&statement, &[]).expect("bind");
        if fetched_before {
            let first = transaction.query_portal(&portal, 1).expect("first row");
            assert_eq!(first[0].get::<_, String>(0), A);
        }
        transaction.batch_execute("SET LOCAL ringfence.owner = 'Company B'").expect("set");
        match transaction.query_portal(&portal, 0) {
            Err(error) => assert_eq!(error.code(), Some(&SqlState::ACTIVE_SQL_TRANSACTION)),
            // Planning it has not fixed the owner: then it is the one that is selected now, and only that.
            Ok(rows) => {
                assert!(!fetched_before, "the rest of Company A was fetched");
                assert!(rows.len() == 2 && rows.iter().all(|row| row.get::<_, String>(0) == B));
            }
        }
        transaction.rollback().expect("rollback");
    }
    // Entered, it is that owner's to the end.
    let mut transaction = agent.transaction().expect("begin");
    transaction.query_one("SELECT ringfence.enter($1)", &[&"Company A"]).expect("enter");
    let portal = transaction.bind(NAMES, &[]).expect("bind");
    let mut rows = transaction.query_portal(&portal, 1).expect("first row");
    transaction.batch_execute("SET LOCAL ringfence.owner = 'Company B'").expect("set");
    rows.extend(transaction.query_portal(&portal, 0).expect("the rest"));
    assert!(rows.len() == 3 && rows.iter().all(|row| row.get::<_, String>(0) == A));
    transaction.commit().expect("commit");
    assert_eq!(refused(&mut agent, NAMES), "42501");
}
