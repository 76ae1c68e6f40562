//! Values of any size: no function that a role may call takes more memory than there is for it. PostgreSQL's own allocations fail with an
//! error; one of Rust's would end the backend, and with it every session of the server.

mod common;

use common::{Database, refused, run, value};
use postgres::Client;
use postgres::error::SqlState;

/// What a session may take beyond what it has: PostgreSQL needs a part of it, to read the values.
const SPARE: u64 = 64 << 20;

/// Values for all that can be given, in a temporary table.
const VALUES: &str = "
    CREATE TEMP TABLE large AS SELECT
        -- 30 MB of one text, of digits, and of something between spaces.
        repeat('abcdefghi ', 3000000) AS text, repeat('1', 30000000) AS digits, repeat(' ', 30000000) AS spaces,
        -- Lists of 2,000,000.
        array_fill(''::text, ARRAY[2000000]) AS empty_texts, array_fill(NULL::text, ARRAY[20000000]) AS no_texts,
        array_fill('+48 601 234 567'::text, ARRAY[100000]) AS phones";

/// The session may not have more memory from now on than it has and [`SPARE`]. By the server, whose process it is.
fn limit(server: &mut Client, session: &mut Client) {
    let process: i32 = value(session, "SELECT pg_backend_pid()");
    let status: String = value(server, &format!("SELECT pg_read_file('/proc/{process}/status')"));
    let kilobytes = status.lines().find_map(|line| line.strip_prefix("VmSize:")?.trim().strip_suffix(" kB"));
    let bytes = kilobytes.and_then(|number| number.parse::<u64>().ok()).expect("the size of a process") * 1024 + SPARE;
    run(server, &format!("COPY (SELECT) TO PROGRAM 'prlimit --pid {process} --as={bytes}'"));
}

/// Nobody else notices, whatever comes of it: it is done, or refused for a reason that is listed.
fn survives(session: &mut Client, statement: &str, reasons: &[&SqlState]) {
    if let Err(error) = session.batch_execute(statement) {
        let state = error.code().unwrap_or_else(|| panic!("{statement}: {error:?}"));
        assert!(*state == SqlState::OUT_OF_MEMORY || reasons.contains(&state), "{statement}: {error:?}");
        let length = error.as_db_error().map_or(0, |error| error.message().len());
        assert!(length < 10_000, "{statement}: an error of {length} bytes");
    }
}

#[test]
fn no_value_is_too_large_to_be_judged() {
    let database = Database::new("large");
    let mut server = database.superuser();
    let mut boss = database.connect("boss_a");
    run(
        &mut boss,
        "SELECT ringfence.create_field('Plan', 'choice', '{Sales,Support}', options => '{gold,silver}', is_searchable => true),
                ringfence.create_field('Tags', 'choices', '{Sales,Support}', options => '{red,green}', is_searchable => true),
                ringfence.create_field('Note', projects => '{Sales,Support}', is_searchable => true, is_unique => true),
                ringfence.create_field('Code', projects => '{Sales,Support}', pattern => '[a-z ]+')",
    );
    for role in ["boss_a"] {
        let mut session = database.connect(role);
        // The compiler alone would take more memory than is spare.
        run(&mut session, "SET jit = off");
        run(&mut session, VALUES);
        // Objects with 1,000,000 members; with a list of 2,000,000 under each field's name, and under its name in storage.
        run(
            &mut session,
            "CREATE TEMP TABLE objects AS
                 SELECT ('{' || string_agg(format('\"%s\":1', n), ',') || '}')::jsonb AS object FROM generate_series(1, 1000000) AS n;
             INSERT INTO objects
                 SELECT format('{\"%s\":[%s\"1\"]}', name, repeat(element, 2000000))::jsonb
                   FROM (SELECT name FROM ringfence.visible_fields() WHERE type <> 'text' AND name IN ('Plan', 'Tags')
                         UNION ALL SELECT ringfence.storage_key(field_id) FROM ringfence.visible_fields() WHERE name IN ('Plan', 'Tags', 'Note')) AS f,
                        (VALUES ('\"1\",'), ('null,')) AS e (element);
             INSERT INTO objects
                 SELECT jsonb_build_object(ringfence.storage_key(field_id), text) FROM ringfence.visible_fields(), large WHERE name IN ('Plan', 'Note', 'Code')",
        );
        limit(&mut server, &mut session);
        let objects: i64 = value(&mut session, "SELECT count(*) FROM objects");
        assert_eq!(objects, 14);
        let of_object = [
            "SELECT ringfence.search_keys('aaaaaaaa-0000-0000-0000-000000000001', 'x', '{}', '{}', object, '2026-01-01')",
            "SELECT ringfence.visible_attributes(object)",
            "SELECT ringfence.check_required(object)",
            "SELECT ringfence.attributes_in(object, (SELECT min(id::text)::uuid FROM ringfence.project))",
            "SELECT ringfence.report_text(object, p.id, f.field_id), ringfence.report_texts(object, p.id, f.field_id),
                    ringfence.report_number(object, p.id, f.field_id), ringfence.report_boolean(object, p.id, f.field_id),
                    ringfence.report_date(object, p.id, f.field_id), ringfence.report_time(object, p.id, f.field_id),
                    ringfence.report_datetime(object, p.id, f.field_id)
               FROM ringfence.project AS p, ringfence.visible_fields() AS f",
            "INSERT INTO ringfence.customer_card (name, attributes) SELECT 'large', object",
            "UPDATE ringfence.customer_card SET attributes = object",
        ];
        for n in 0..objects {
            for statement in of_object {
                // One row, one call: what was freed in between is not there for the next.
                let object = format!("(SELECT object FROM objects ORDER BY ctid LIMIT 1 OFFSET {n})");
                let statement = match statement.split_once(" SET attributes = object") {
                    Some(_) => {
                        format!("UPDATE ringfence.customer_card SET attributes = {object} WHERE name = 'Chen Wei'")
                    }
                    None => statement.replace("object", &object),
                };
                survives(
                    &mut session,
                    &statement,
                    &[
                        &SqlState::INSUFFICIENT_PRIVILEGE,
                        &SqlState::INVALID_PARAMETER_VALUE,
                        &SqlState::PROGRAM_LIMIT_EXCEEDED,
                    ],
                );
            }
        }
        let of_text = [
            "ringfence.query(text)",
            "ringfence.query_of_column(text)",
            "ringfence.matches('a0000000-0000-0000-0000-000000000001', text)",
            "ringfence.search_customers(text)",
            "ringfence.search_customers('tsai', 20, text)",
            "ringfence.phone_query(ARRAY[text])",
            "ringfence.phones_to_find(text)",
            "ringfence.email_query(text)",
            "ringfence.find_by_phone(text)",
            "ringfence.find_by_email(text)",
            "ringfence.search_keys('aaaaaaaa-0000-0000-0000-000000000001', text, ARRAY[text], ARRAY[text], '{}', 'infinity')",
            "ringfence.check_name(text)",
            "ringfence.name_as_seen(text)",
            "ringfence.can_be_seen(text)",
            "ringfence.check_pattern(text)",
            "ringfence.has_right(text)",
            "ringfence.check_right(text)",
            "ringfence.has_right_in(text, NULL)",
            "ringfence.project_in_reach(text)",
            "ringfence.field_in_reach(text)",
            "ringfence.enter(text)",
            "ringfence.enter('Company A', text)",
            "ringfence.enter('Company A', NULL, text)",
            "ringfence.login(text)",
            "set_config('ringfence.owner', text, true); SELECT ringfence.current_owner()",
            "set_config('ringfence.project', text, true); SELECT ringfence.current_owner()",
            "set_config('ringfence.agent', text, true); SELECT ringfence.current_actor()",
            "set_config('ringfence.source', text, true); SELECT ringfence.current_source()",
            "ringfence.grant_access(text, 'Company A', '{agent}')",
            "ringfence.grant_access('app_a', text, '{agent}')",
            "ringfence.grant_access('app_a', 'Company A', ARRAY[text])",
            "ringfence.grant_access('app_a', 'Company A', '{agent}', text)",
            "ringfence.grant_access('app_a', 'Company A', '{agent}', binding => text)",
            "ringfence.revoke_access('app_a', 'Company A', text)",
            "ringfence.explain_access(text, 'Company A')",
            "ringfence.create_profile(text, '{customer.read}')",
            "ringfence.create_profile('large', ARRAY[text])",
            "ringfence.check_field_type(text, NULL)",
            "ringfence.create_field(text)",
            "ringfence.create_field('large', text)",
            "ringfence.create_field('large', pattern => text)",
            "ringfence.rename_field('Note', text)",
            "ringfence.add_option('Plan', text)",
            "ringfence.create_report_view(text)",
            "ringfence.projects_with(text)",
            "ringfence.open_ticket(NULL, text)",
            "ringfence.open_ticket(NULL, 'large', assignee => text)",
            "ringfence.log_interaction('call', external_id => text)",
            "ringfence.script_form(text)",
            "ringfence.import_parts(text)",
            "ringfence.nearest_name(text, ARRAY[text])",
            "ringfence.plain_import_card('{}', '{a}', '{field text}', ARRAY['=' || text], '{1}', '{t}')",
            "ringfence.plain_import_card(jsonb_build_object('c', text), '{phones}', '{phones}', '{\"{c\"}', '{1}', '{t}')",
            "ringfence.create_source(text)",
            "ringfence.source_in_reach(text)",
            "ringfence.set_authority(text, text)",
            "ringfence.retire_source(text, text)",
            "ringfence.history('a0000000-0000-0000-0000-000000000001', text)",
            "ringfence.datum('a0000000-0000-0000-0000-000000000001', text)",
            "ringfence.erase_customer('a0000000-0000-0000-0000-000000000001', text)",
        ];
        let texts = ["text", "digits", "spaces"].map(|column| format!("(SELECT {column} FROM large)"));
        let reasons = [
            &SqlState::INSUFFICIENT_PRIVILEGE,
            &SqlState::INVALID_PARAMETER_VALUE,
            &SqlState::PROGRAM_LIMIT_EXCEEDED,
            &SqlState::NO_DATA_FOUND,
            &SqlState::UNDEFINED_OBJECT,
            &SqlState::INVALID_AUTHORIZATION_SPECIFICATION,
            &SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE,
            &SqlState::CHECK_VIOLATION,
            &SqlState::ACTIVE_SQL_TRANSACTION,
        ];
        for statement in of_text {
            for text in &texts {
                survives(&mut session, &format!("BEGIN; SELECT {}", statement.replace("text", text)), &reasons);
                run(&mut session, "ROLLBACK");
            }
        }
        let of_list = [
            "SELECT ringfence.search_keys('aaaaaaaa-0000-0000-0000-000000000001', 'x', list, list, '{}', '-infinity')",
            "SELECT ringfence.phone_query(list)",
            "INSERT INTO ringfence.customer (name, phones) SELECT 'large', list",
            "INSERT INTO ringfence.customer_card (name, emails) SELECT 'large', list",
            "SELECT ringfence.grant_access('app_a', 'Company A', list)",
            "SELECT ringfence.grant_access('app_a', 'Company A', '{agent}', sources => list)",
            "SELECT ringfence.create_profile('large', list)",
            "SELECT ringfence.check_field_type('choice', list)",
            "SELECT ringfence.create_field('large', 'choice', options => list)",
            "SELECT ringfence.create_field('large', projects => list)",
            "SELECT ringfence.plain_import_card('{}', list, list, list, array_fill(1, ARRAY[2000000]), array_fill(true, ARRAY[2000000]))",
        ];
        for statement in of_list {
            for column in ["empty_texts", "no_texts", "phones"] {
                let statement = statement.replace("list", &format!("(SELECT {column} FROM large)"));
                survives(&mut session, &format!("BEGIN; {statement}"), &reasons);
                run(&mut session, "ROLLBACK");
            }
        }
        assert_eq!(value::<i64>(&mut session, "SELECT count(*) FROM ringfence.search_customers('tsai')"), 1);
    }
}

/// What an administrator gives.
#[test]
fn no_key_is_too_large_to_be_judged() {
    let database = Database::new("large_key");
    let mut server = database.superuser();
    let mut admin = database.connect("dba");
    run(&mut admin, "SET jit = off");
    run(&mut admin, VALUES);
    limit(&mut server, &mut admin);
    for call in [
        "add_signing_key(text, 'HS256', 'a secret that the tests alone know')",
        "add_signing_key('large', text, 'a secret that the tests alone know')",
        "add_signing_key('large', 'HS256', text)",
        "add_signing_key('large', 'RS256', '-----BEGIN PUBLIC KEY-----' || text)",
        "drop_signing_key(text)",
        "create_owner(text)",
        "create_owner('Large', text, text)",
        "create_owner('Large', country => text)",
        "grant_access('app_a', text, '{agent}')",
        "explain_access('app_a', text)",
    ] {
        let call = call.replace("text", "(SELECT text FROM large)");
        let reasons = [
            &SqlState::INVALID_PARAMETER_VALUE,
            &SqlState::PROGRAM_LIMIT_EXCEEDED,
            &SqlState::NO_DATA_FOUND,
            &SqlState::CHECK_VIOLATION,
        ];
        survives(&mut admin, &format!("BEGIN; SELECT ringfence.{call}"), &reasons);
        run(&mut admin, "ROLLBACK");
    }
}

/// A list of e-mails that look-ups would not go through is refused before any of it is read.
#[test]
fn a_long_list_is_refused() {
    let database = Database::new("large_list");
    let mut session = database.connect("app_a");
    run(&mut session, "CREATE TEMP TABLE large AS SELECT array_fill(repeat('łódź', 80), ARRAY[500000]) AS list");
    for column in ["emails", "phones"] {
        let long = format!("INSERT INTO ringfence.customer (name, {column}) SELECT 'large', list FROM large");
        assert_eq!(refused(&mut session, &long), "23514", "{column}");
    }
}
