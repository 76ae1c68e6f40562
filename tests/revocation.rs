//! What is taken away is gone at the next statement of every other session (C9, D5; ATTACKS 37, 38, 39, 150).

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

#[test]
fn the_sub_select_race_of_policies_is_not_ours() {
    // ATTACKS 39: a row that waits for a lock is judged again with what is true after the wait.
    let database = Database::new("evalplanqual");
    let mut server = database.superuser();
    let mut agent = database.connect("app_a");
    run(&mut server, "BEGIN; UPDATE ringfence.customer SET address = 'secret' WHERE name = 'Chen Wei'");
    run(&mut server, "SELECT ringfence.revoke_access('app_a', 'Company A')");
    let waiting = std::thread::spawn(move || {
        agent
            .query("SELECT address FROM ringfence.customer WHERE name = 'Chen Wei' FOR UPDATE", &[])
            .map(|rows| rows.len())
    });
    let mut observer = database.superuser();
    while value::<i64>(
        &mut observer,
        "SELECT count(*) FROM pg_stat_activity WHERE usename = 'app_a' AND wait_event_type = 'Lock' AND datname = current_database()",
    ) == 0
    {
        std::thread::yield_now();
    }
    run(&mut server, "COMMIT");
    assert!(!matches!(waiting.join().expect("the waiting session"), Ok(1..)), "it saw the row");
}
