//! Whatever plan PostgreSQL chooses for the statements inside, a search finds what brute force finds: on tables that were changed and not
//! yet vacuumed, with statistics and without, whatever the session sets.

use super::common::{Database, run, value};
use super::judge::{Customer, Everybody, NEVER};
use super::{Recall, Searcher, compare, seed};
use postgres::Client;
use uuid::Uuid;

/// What a session can set of the planner, one after the other.
const SETTINGS: [&str; 24] = [
    "",
    "SET enable_seqscan = off",
    "SET enable_indexscan = off",
    "SET enable_bitmapscan = off",
    "SET enable_tidscan = off",
    "SET enable_seqscan = off; SET enable_indexscan = off",
    "SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_tidscan = off",
    "SET enable_indexscan = off; SET enable_bitmapscan = off",
    "SET enable_sort = off; SET enable_incremental_sort = off; SET enable_hashagg = off",
    "SET random_page_cost = 0",
    "SET random_page_cost = 1e10",
    "SET seq_page_cost = 0",
    "SET seq_page_cost = 1e10",
    "SET cpu_tuple_cost = 0; SET cpu_index_tuple_cost = 0; SET cpu_operator_cost = 0",
    "SET cpu_tuple_cost = 1e10",
    "SET cpu_index_tuple_cost = 1e10",
    "SET cpu_operator_cost = 1e10",
    "SET effective_cache_size = 1; SET work_mem = '64kB'; SET hash_mem_multiplier = 1",
    "SET plan_cache_mode = force_custom_plan",
    "SET plan_cache_mode = force_generic_plan",
    "SET jit = on; SET jit_above_cost = 0",
    "SET from_collapse_limit = 1; SET join_collapse_limit = 1; SET geqo_threshold = 2; SET constraint_exclusion = on",
    FORCED_PARALLEL,
    "SET plan_cache_mode = force_custom_plan; SET random_page_cost = 1e10; SET enable_bitmapscan = off; SET enable_tidscan = off",
];

const FORCED_PARALLEL: &str = "SET force_parallel_mode = on; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0;
     SET min_parallel_table_scan_size = 0; SET min_parallel_index_scan_size = 0";

/// The same, with the names that they have in this version.
fn settings(server: &mut Client) -> Vec<String> {
    let is_older = value::<String>(server, "SHOW server_version_num").as_str() < "160000";
    let named = |settings: &str| {
        if is_older { settings.to_owned() } else { settings.replace("force_parallel_mode", "debug_parallel_query") }
    };
    SETTINGS.iter().map(|settings| named(settings)).collect()
}

const QUERIES: [&str; 12] = [
    "kowalski",
    "jan",
    "jan kowalski 7",
    "kowalsky",
    "owalsk",
    "nowak",
    "nowka",
    "anna nowak",
    "n",
    "example",
    "5678",
    "nobody",
];

/// Company A's customers, as the superuser reads them.
fn everybody(server: &mut Client) -> Everybody {
    let rows = server.query(
        "SELECT id, name, phones, normal_phones, emails, (extract(epoch FROM last_activity_at) * 1000000)::bigint
           FROM ringfence.customer WHERE owner_id = 'aaaaaaaa-0000-0000-0000-000000000001'",
        &[],
    );
    let customers = rows.expect("customers").into_iter().map(|row| Customer {
        id: row.get::<_, Uuid>(0),
        name: row.get(1),
        phones: row.get(2),
        normal_phones: row.get(3),
        emails: row.get(4),
        values: Vec::new(),
        last_activity: row.get::<_, Option<i64>>(5).unwrap_or(NEVER),
    });
    Everybody::new("TW", customers.collect())
}

#[test]
fn no_plan_changes_what_is_found() {
    let database = Database::new("search_plans");
    let mut server = database.superuser();
    // Nothing is vacuumed or analysed before the test says so.
    run(&mut server, "ALTER TABLE ringfence.customer SET (autovacuum_enabled = off)");
    let mut boss = database.connect("boss_a");
    run(
        &mut boss,
        "INSERT INTO ringfence.customer (name, phones, last_activity_at)
             SELECT 'Jan Kowalski ' || n, ARRAY['+48601' || 200000 + n], '2026-01-01'::timestamptz + n * interval '1 day'
               FROM generate_series(1, 15) AS n",
    );
    run(
        &mut database.connect("app_b"),
        "INSERT INTO ringfence.customer (name, last_activity_at)
             SELECT 'Jan Kowalski ' || n, '2026-01-01'::timestamptz + n * interval '1 day' FROM generate_series(1, 40) AS n",
    );
    let phones = "UPDATE ringfence.customer SET phones = ARRAY['+48602' || 100000 + (random() * 800000)::int]";
    let rolled_back = "BEGIN;
         UPDATE ringfence.customer SET last_activity_at = '2026-02-01', name = 'Kowalski Jan';
         INSERT INTO ringfence.customer (name, last_activity_at) SELECT 'Jan Kowalski', '2026-01-07' FROM generate_series(1, 30);
         SAVEPOINT one;
         DELETE FROM ringfence.customer;
         ROLLBACK TO one;
         UPDATE ringfence.customer SET phones = '{}', last_activity_at = NULL;
         ROLLBACK";
    // What is done, to whom, and by whom.
    let steps: [(&str, Vec<String>); 8] = [
        ("entered", vec![]),
        ("each written four times", vec![format!("{phones} WHERE name LIKE 'Jan%'"); 4]),
        ("rolled back", vec![rolled_back.to_owned(); 3]),
        (
            "moved to other days, in places where others were",
            vec![
                "UPDATE ringfence.customer SET last_activity_at = last_activity_at - interval '10 days'
                  WHERE name LIKE 'Jan%' AND right(name, 1) IN ('1', '4', '7')"
                    .to_owned(),
                "UPDATE ringfence.customer SET last_activity_at = NULL WHERE name LIKE 'Jan%' AND right(name, 1) = '2'".to_owned(),
                "UPDATE ringfence.customer SET address = 'the same page'".to_owned(),
                "DELETE FROM ringfence.customer WHERE name LIKE 'Jan%' AND right(name, 1) = '3'".to_owned(),
            ],
        ),
        (
            "many more, a half on one day",
            vec![
                "INSERT INTO ringfence.customer (name, emails, last_activity_at)
                     SELECT CASE n % 3 WHEN 0 THEN 'Anna Nowak' ELSE 'Nowak Ewa ' || n END, ARRAY['nowak.' || n || '@example.com'],
                            CASE WHEN n % 5 > 0 THEN '2026-03-01'::timestamptz + greatest(n % 40 - 20, 0) * interval '1 day' + n * interval '1 s' END
                       FROM generate_series(1, 150) AS n"
                    .to_owned(),
                format!("{phones} WHERE name LIKE '%Nowak%'"),
                rolled_back.to_owned(),
                format!("{phones} WHERE name LIKE '%Nowak%' OR name LIKE 'Jan%'"),
            ],
        ),
        ("analysed", vec!["ANALYZE".to_owned()]),
        ("vacuumed", vec!["VACUUM".to_owned()]),
        ("written after that", vec![format!("{phones} WHERE right(name, 1) IN ('1', '5', 'k')"), rolled_back.to_owned()]),
    ];
    for (n, (step, statements)) in steps.into_iter().enumerate() {
        for statement in statements {
            match statement.as_str() {
                "ANALYZE" | "VACUUM" => run(&mut server, &format!("{statement} ringfence.customer")),
                statement => run(&mut boss, statement),
            }
        }
        let everybody = everybody(&mut server);
        // Each of them at two steps or more.
        for settings in settings(&mut server).iter().skip(n % 3).step_by(3) {
            let mut set = Searcher::new(&database.name, "app_a", settings);
            let mut reset = Searcher::new(&database.name, "app_a", settings);
            // Its plans are made under the settings, and used without them.
            for query in QUERIES {
                reset.all(query, 1000);
            }
            run(&mut reset.client, "RESET ALL");
            eprintln!("{step}; {settings}");
            compare(&everybody, &mut set, &mut reset, &[], &QUERIES.map(str::to_owned), &mut Recall::default());
            // In an application's own SQL.
            for query in ["kowalski", "jan kowalski", "nowak", "owalsk"] {
                let matching = everybody.found(query, &[]).len() as i64;
                let count = format!("SELECT count(*) FROM ringfence.customer WHERE ringfence.matches(id, '{query}')");
                assert_eq!(value::<i64>(&mut set.client, &count), matching, "{step}; {settings}: {query}");
            }
        }
    }
}

/// Asks as app_a by a connection of a pool; then tells what was read. Of an index, the entries that a scan has returned; of a table, the
/// rows that a sequential scan has.
fn read_by_searches(connection: &mut Client, settings: &str) -> [i64; 3] {
    run(connection, &format!("SET SESSION AUTHORIZATION app_a; {settings}; BEGIN"));
    for (query, there) in [("kowal 2999", 1), ("kowal", 20), ("kowla 2999", 1)] {
        let found = format!("SELECT count(*) FROM ringfence.search_customers('{query}')");
        assert_eq!(value::<i64>(connection, &found), there, "{settings}");
    }
    // The superuser sees all of it.
    run(connection, "RESET SESSION AUTHORIZATION");
    let read = ["customer_search", "customer_pkey", "customer"].map(|relation| {
        value(connection, &format!("SELECT pg_stat_get_xact_tuples_returned('ringfence.{relation}'::regclass)"))
    });
    run(connection, "COMMIT; RESET ALL");
    read
}

/// The plans of a search are kept for all sessions that a connection serves, and made again when something has changed.
#[test]
fn no_setting_of_a_session_stays_in_the_plans() {
    let database = Database::new("search_kept_plans");
    seed(&database, 3000);
    let mut server = database.superuser();
    run(&mut server, "ANALYZE ringfence.customer");
    for settings in &settings(&mut server) {
        let mut connection = database.superuser();
        for made in ["first", "again"] {
            for settings in [settings.as_str(), ""] {
                let [by_search_index, by_primary_key, one_by_one] = read_by_searches(&mut connection, settings);
                assert!(by_search_index > 0, "{made}: {settings}");
                assert_eq!((by_primary_key, one_by_one), (0, 0), "{made}: {settings}");
            }
            run(&mut server, "ANALYZE ringfence.customer");
        }
    }
}
