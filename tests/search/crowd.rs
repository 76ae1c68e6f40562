//! What a search reads does not grow with those who have something in common: a domain, a day, or no activity at all.

use super::common::{Database, run, value};
use postgres::Client;

const CUSTOMERS: i64 = 6000;

/// Everybody at one domain; of the last third of those that came in the other half of the address too.
fn fill(database: &Database) {
    run(
        &mut database.connect("boss_a"),
        &format!(
            "INSERT INTO ringfence.customer (name, emails)
                 SELECT (ARRAY['Jolanta', 'Joachim', 'Piotr', 'Ewa'])[1 + n % 4] || ' Nowak ' || n,
                        ARRAY[CASE WHEN n > {CUSTOMERS} * 2 / 3 THEN 'late' ELSE 'early' END || n || '@mail.example']
                   FROM generate_series(1, {CUSTOMERS}) AS n;
             INSERT INTO ringfence.customer (name, emails) VALUES ('Jo Short', '{{jo@mail.example}}'), ('X', '{{banjo@mail.example}}'),
                 ('Y', '{{jo.k@x.pl}}')"
        ),
    );
}

/// What the query finds, and how many rows of the table were read for it.
fn asked(connection: &mut Client, query: &str) -> (i64, i64) {
    // Counts of the transactions before are there too, until the server collects them, which it does between transactions.
    let fetched = "SELECT pg_stat_get_xact_tuples_fetched('ringfence.customer'::regclass)";
    run(connection, "BEGIN");
    let before: i64 = value(connection, fetched);
    run(connection, "SET SESSION AUTHORIZATION app_a");
    let found = value(connection, query);
    run(connection, "RESET SESSION AUTHORIZATION");
    let after: i64 = value(connection, fetched);
    run(connection, "COMMIT");
    (found, after - before)
}

fn searched(connection: &mut Client, query: &str) -> (i64, i64) {
    asked(connection, &format!("SELECT count(*) FROM ringfence.search_customers('{query}')"))
}

#[test]
fn a_short_part_of_an_address_is_not_read_for_all_at_its_domain() {
    let database = Database::new("search_short_part");
    fill(&database);
    let mut connection = database.superuser();
    for (query, there) in [
        ("jo@mail.example", 2),
        ("JO@Mail.Example", 2),
        ("jo.k@x.pl", 1),
        ("o.k@x", 1),
        ("k@x.pl", 1),
        ("jo@mail", 2),
        ("ja@mail.example", 0),
        ("j@mail.example", 0),
        ("jo@mail.example.com", 0),
        ("jo.j@mail.example", 0),
    ] {
        let (found, read) = searched(&mut connection, query);
        assert!(found == there && read <= 10, "{query}: {found} found, {read} read");
        let matching = format!("SELECT count(*) FROM ringfence.customer WHERE ringfence.matches(id, '{query}')");
        let (found, read) = asked(&mut connection, &matching);
        assert!(found == there && read <= 10, "matches(), {query}: {found} found, {read} read");
    }
    // Words beside each other are not an address.
    assert_eq!(searched(&mut connection, "jo mail.example").0, 20);
}

#[test]
fn a_page_of_a_crowd_is_read_without_the_crowd() {
    let database = Database::new("search_crowd");
    let mut server = database.superuser();
    run(&mut server, "ALTER TABLE ringfence.customer SET (autovacuum_enabled = off)");
    fill(&database);
    let mut boss = database.connect("boss_a");
    let mut connection = database.superuser();
    let mut check = |step: &str, most: i64| {
        for query in ["mail", "nowak", "mail.example"] {
            let (found, read) = searched(&mut connection, query);
            assert!(found == 20 && read <= most, "{step}, {query}: {found} found, {read} read");
            let second = format!(
                "SELECT count(*) FROM ringfence.search_customers('{query}', 20,
                     (SELECT cursor FROM ringfence.search_customers('{query}') OFFSET 19))"
            );
            let (found, read) = asked(&mut connection, &second);
            assert!(found == 20 && read <= 2 * most, "{step}, {query}, second page: {found} found, {read} read");
        }
    };
    check("without any activity", 1200);
    run(&mut boss, "UPDATE ringfence.customer SET last_activity_at = '2026-03-01'");
    check("all at one time", 1200);
    run(
        &mut boss,
        "UPDATE ringfence.customer SET last_activity_at = '2026-03-02'::timestamptz + random() * interval '1 day'",
    );
    check("all on one day", 1200);
    for days in [400, 300, 200] {
        let spread = format!(
            "UPDATE ringfence.customer SET last_activity_at = '2026-03-02'::timestamptz - random() * interval '{days} day'"
        );
        run(&mut boss, &spread);
    }
    check("on many days", 1200);
    run(&mut boss, "UPDATE ringfence.customer SET last_activity_at = last_activity_at - interval '900 days'");
    check("on earlier days", 1200);
    run(&mut boss, "UPDATE ringfence.customer SET last_activity_at = NULL");
    check("without any activity again", 1200);
    // All have both words, one in the name and one in the address, and nobody has a name that begins with both.
    run(&mut boss, "UPDATE ringfence.customer SET name = 'Jolanta Nowak'");
    for query in ["jolanta mail", "jolanta example", "jo.mail", "mail jolanta"] {
        let (found, read) = searched(&mut connection, query);
        assert!(found == 20 && read <= 1200, "{query}: {found} found, {read} read");
    }
}
