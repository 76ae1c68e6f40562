//! pg_dump and a restore give back the same content behind the same wall (ATTACKS 127).

mod common;
use common::{Database, connect, refused, run, superuser, value};
use std::process::Command;

/// Every row of every table, as text.
fn content(client: &mut postgres::Client) -> Vec<(String, Vec<String>)> {
    let tables: Vec<String> = client
        .query("SELECT oid::regclass::text FROM pg_class WHERE relnamespace = 'ringfence'::regnamespace AND relkind = 'r' ORDER BY 1", &[])
        .expect("tables")
        .iter()
        .map(|row| row.get(0))
        .collect();
    tables
        .into_iter()
        .map(|table| {
            let rows = client.query(&format!("SELECT t::text FROM {table} t ORDER BY 1"), &[]).expect("rows");
            let rows = rows.iter().map(|row| row.get(0)).collect();
            (table, rows)
        })
        .collect()
}

fn policies(client: &mut postgres::Client) -> Vec<String> {
    let query = "SELECT concat_ws(' | ', c.relname, c.relrowsecurity, c.relforcerowsecurity, p.polname, p.polpermissive, p.polcmd,
                                  pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))
                   FROM pg_class c LEFT JOIN pg_policy p ON p.polrelid = c.oid
                  WHERE c.relnamespace = 'ringfence'::regnamespace AND c.relkind = 'r' ORDER BY 1";
    client.query(query, &[]).expect("policies").iter().map(|row| row.get(0)).collect()
}

fn restore(format: &str) {
    let database = Database::new(&format!("dump_{format}"));
    let mut server = database.superuser();
    run(
        &mut database.connect("boss_a"),
        "SELECT ringfence.create_field('Plan', projects => '{Sales,Support}');
         SELECT ringfence.create_field('Contract', projects => '{Sales}', is_unique => true, pattern => '[A-Z]+-[0-9]+');
         SELECT ringfence.create_field('Tier', 'choice', '{Sales}', options => '{gold,silver}'), ringfence.add_option('Tier', 'tin', 1), ringfence.retire_option('Tier', 'gold');
         SELECT ringfence.create_report_view('Sales', 'restored_sales'), ringfence.create_report_view('Sales', 'restored_calls', 'interaction');
         UPDATE ringfence.customer_card SET attributes = '{\"Plan\": \"gold\", \"Contract\": \"C-1\", \"Tier\": \"silver\"}' WHERE name = 'Chen Wei'",
    );
    // The service desk: numbers go on where they were, and what was answered stays.
    run(
        &mut database.connect("boss_a"),
        "SELECT ringfence.open_ticket(NULL, 'Ticket ' || n, 'Sales') FROM generate_series(1, 3) AS n; DELETE FROM ringfence.ticket WHERE number = 3;
         INSERT INTO ringfence.interaction (id, kind, customer_id, external_id, created_at) VALUES ('a0000000-0000-0000-0000-0000000000ca', 'call', 'a0000000-0000-0000-0000-000000000001', 'call-1', now());
         INSERT INTO ringfence.script (id, name, project_id) SELECT 'a0000000-0000-0000-0000-00000000005c', 'Script', id FROM ringfence.project WHERE name = 'Sales';
         INSERT INTO ringfence.question (id, script_id, text) VALUES ('a0000000-0000-0000-0000-00000000009e', 'a0000000-0000-0000-0000-00000000005c', 'Question?');
         INSERT INTO ringfence.answer (id, question_id, name, next_question_id) VALUES ('a0000000-0000-0000-0000-0000000000a5', 'a0000000-0000-0000-0000-00000000009e', 'Answer', 'a0000000-0000-0000-0000-00000000009e');
         SELECT ringfence.respond('a0000000-0000-0000-0000-0000000000ca', 'a0000000-0000-0000-0000-0000000000a5');
         UPDATE ringfence.ticket_status SET name = 'begun' WHERE name = 'open';
         INSERT INTO ringfence.import_template (id, name, mode) VALUES ('a0000000-0000-0000-0000-0000000001e7', 'Import', 'add');
         INSERT INTO ringfence.import_mapping (template_id, target, source) VALUES ('a0000000-0000-0000-0000-0000000001e7', 'name', '{{Name}}')",
    );
    run(&mut database.connect("dba"), "SELECT ringfence.assign_channel('Company A', 'phone', '0223456789', 'Sales')");
    // What was changed of what CREATE EXTENSION makes must come back changed.
    run(&mut server, "UPDATE ringfence.owner SET description = 'changed', enabled = false WHERE name = 'House'");
    run(&mut server, "DELETE FROM ringfence.project WHERE name = 'Default'");
    // And access of a role that is gone must not come back to life.
    run(
        &mut server,
        "CREATE ROLE restore_gone LOGIN; SELECT ringfence.grant_access('restore_gone', 'Company A', '{agent}'); DROP ROLE restore_gone",
    );

    let target = format!("{}_restored", database.name);
    let file = std::env::temp_dir().join(format!("{}.dump", database.name));
    let dumped =
        Command::new("pg_dump").args(["-F", format, "-f"]).arg(&file).arg(&database.name).status().expect("pg_dump");
    assert!(dumped.success());
    run(&mut superuser("postgres"), &format!("CREATE DATABASE {target}"));
    let restored = if format == "p" {
        Command::new("psql")
            .args(["-q", "-X", "-v", "ON_ERROR_STOP=1", "-o", "/dev/null", "-d", &target, "-f"])
            .arg(&file)
            .status()
    } else {
        // Several at once load a table before the one it refers to: foreign keys must be off, as docs/operations.md says.
        let options = "-c session_replication_role=replica";
        Command::new("pg_restore")
            .args(["--exit-on-error", "-j", "2", "-d", &target])
            .arg(&file)
            .env("PGOPTIONS", options)
            .status()
    };
    assert!(restored.expect("restore").success());
    std::fs::remove_file(&file).expect("remove the dump");

    run(&mut server, "CREATE ROLE restore_gone LOGIN IN ROLE ringfence_user");
    let mut copy = superuser(&target);
    assert_eq!(content(&mut copy), content(&mut server));
    assert_eq!(policies(&mut copy), policies(&mut server));
    let count = "SELECT count(*) FROM ringfence.customer";
    assert_eq!(value::<i64>(&mut connect(&target, "app_a"), count), 3);
    assert_eq!(value::<i64>(&mut connect(&target, "app_b"), count), 2);
    assert_eq!(refused(&mut connect(&target, "app_ab"), count), "42501");
    assert_eq!(refused(&mut connect(&target, "restore_gone"), count), "42501");
    // Fields are what they were: unique, with their options, and in reports.
    let mut boss = connect(&target, "boss_a");
    let insert = "INSERT INTO ringfence.customer_card (name, attributes) VALUES ('x', '{\"Contract\": \"C-1\"}')";
    assert_eq!(refused(&mut boss, insert), "23505");
    let report = "SELECT concat_ws(' ', \"Plan\", \"Contract\", \"Tier\") FROM ringfence_report.restored_sales WHERE name = 'Chen Wei'";
    assert_eq!(value::<String>(&mut boss, report), "gold C-1 silver");
    assert_eq!(value::<i64>(&mut connect(&target, "app_b"), "SELECT count(*) FROM ringfence_report.restored_sales"), 0);
    run(
        &mut boss,
        "SELECT ringfence.rename_field('Tier', 'Rank'); SELECT \"Rank\" FROM ringfence_report.restored_sales",
    );
    run(&mut boss, "SELECT ringfence.rename_field('Rank', 'Tier')");
    let next = "INSERT INTO ringfence.ticket (subject) VALUES ('The next') RETURNING number";
    assert_eq!(value::<i64>(&mut boss, next), 4);
    drop(boss);
    let route = "SELECT concat_ws(' ', owner_name, project_name) FROM ringfence.route('phone', '+886223456789')";
    assert_eq!(value::<String>(&mut copy, route), "Company A Sales");
    // Provisioning is back for owners to come.
    run(&mut copy, "INSERT INTO ringfence.owner (name) VALUES ('After the restore')");
    let provisioned = "SELECT count(*) FROM ringfence.project p JOIN ringfence.owner o ON o.id = p.owner_id WHERE o.name = 'After the restore'";
    assert_eq!(value::<i64>(&mut copy, provisioned), 1);
    drop(copy);
    run(&mut server, "DROP ROLE restore_gone");
    run(&mut superuser("postgres"), &format!("DROP DATABASE {target} WITH (FORCE)"));
}

// One after the other: both use the role restore_gone.
#[test]
fn a_dump_restores_the_same() {
    restore("p");
    restore("c");
}

/// The arguments of pg_restore, one call after the other, and the options of its sessions.
const WAYS: [(&[&[&str]], &str); 8] = [
    (&[&[]], ""),
    (&[&["--no-owner"]], ""),
    (&[&["--no-privileges"]], ""),
    (&[&["--no-owner", "--no-privileges"]], ""),
    (&[&["--section=pre-data"], &["--section=data"], &["--section=post-data"]], ""),
    (&[&["--section=pre-data", "-O", "-x"], &["--section=data", "-O"], &["--section=post-data", "-O", "-x"]], ""),
    // The owner of the tables is bound by row-level security too: rows are loaded as superuser.
    (
        &[
            &["--use-set-session-authorization", "--section=pre-data"],
            &["--section=data"],
            &["--use-set-session-authorization", "--section=post-data"],
        ],
        "",
    ),
    (&[&["-j", "2", "-O", "-x"]], "-c session_replication_role=replica"),
];

/// Report views are ordinary objects in a dump: whoever owns them after a restore, they show a session the rows of its own owner, and
/// follow the fields.
#[test]
fn report_views_stand_after_every_kind_of_restore() {
    let database = Database::new("dump_ways");
    run(
        &mut database.connect("boss_a"),
        "SELECT ringfence.create_field('Plan', projects => '{Sales}'), ringfence.create_field('Card', projects => '{Sales}', is_masked => true);
         SELECT ringfence.create_report_view('Sales', 'restored_sales');
         UPDATE ringfence.customer_card SET attributes = '{\"Plan\": \"gold\", \"Card\": \"4111\"}' WHERE name = 'Chen Wei'",
    );
    let file = std::env::temp_dir().join(format!("{}.dump", database.name));
    let dumped =
        Command::new("pg_dump").args(["-F", "c", "-f"]).arg(&file).arg(&database.name).status().expect("pg_dump");
    assert!(dumped.success());
    for (number, (calls, options)) in WAYS.iter().enumerate() {
        let target = format!("{}_{number}", database.name);
        run(&mut superuser("postgres"), &format!("DROP DATABASE IF EXISTS {target}"));
        run(&mut superuser("postgres"), &format!("CREATE DATABASE {target}"));
        for arguments in *calls {
            let restored = Command::new("pg_restore")
                .args(["--exit-on-error", "-d", &target])
                .args(*arguments)
                .arg(&file)
                .env("PGOPTIONS", options)
                .status();
            assert!(restored.expect("pg_restore").success(), "{arguments:?}");
        }
        let way = format!("{calls:?}");
        let count = "SELECT count(*) FROM ringfence_report.restored_sales";
        let mut agent = connect(&target, "app_a");
        assert_eq!(value::<i64>(&mut agent, count), 3, "{way}");
        let seen = "SELECT concat_ws(' ', name, \"Plan\", \"Card\") FROM ringfence_report.restored_sales WHERE \"Plan\" IS NOT NULL";
        assert_eq!(value::<String>(&mut agent, seen), "Chen Wei gold", "{way}");
        assert_eq!(value::<i64>(&mut connect(&target, "app_b"), count), 0, "{way}");
        assert_eq!(refused(&mut connect(&target, "app_none"), count), "42501", "{way}");
        assert_eq!(refused(&mut connect(&target, "stranger"), count), "42501", "{way}");
        let mut boss = connect(&target, "boss_a");
        run(&mut boss, "SELECT ringfence.rename_field('Plan', 'Tariff')");
        run(&mut boss, "SELECT \"Tariff\" FROM ringfence_report.restored_sales");
        assert!(value::<bool>(&mut boss, "SELECT is_current FROM ringfence.report_view"), "{way}");
        run(&mut boss, "SELECT ringfence.drop_report_view('Sales')");
        drop((agent, boss));
        run(&mut superuser("postgres"), &format!("DROP DATABASE {target} WITH (FORCE)"));
    }
    std::fs::remove_file(&file).expect("remove the dump");
}

/// As the owner of the tables, whom row-level security binds, rows cannot be loaded: that is an error, and no rows that nobody guards.
#[test]
fn rows_are_not_loaded_as_the_owner_of_the_tables() {
    let database = Database::new("dump_authorization");
    let file = std::env::temp_dir().join(format!("{}.dump", database.name));
    let dumped =
        Command::new("pg_dump").args(["-F", "c", "-f"]).arg(&file).arg(&database.name).status().expect("pg_dump");
    assert!(dumped.success());
    let target = format!("{}_restored", database.name);
    run(&mut superuser("postgres"), &format!("DROP DATABASE IF EXISTS {target}"));
    run(&mut superuser("postgres"), &format!("CREATE DATABASE {target}"));
    let restored = Command::new("pg_restore")
        .args(["--use-set-session-authorization", "-d", &target])
        .arg(&file)
        .output()
        .expect("pg_restore");
    assert!(!restored.status.success());
    assert!(String::from_utf8_lossy(&restored.stderr).contains("row-level security policy for table \"owner\""));
    assert_eq!(value::<i64>(&mut superuser(&target), "SELECT count(*) FROM ringfence.customer"), 0);
    std::fs::remove_file(&file).expect("remove the dump");
    run(&mut superuser("postgres"), &format!("DROP DATABASE {target} WITH (FORCE)"));
}
