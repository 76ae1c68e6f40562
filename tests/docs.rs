//! The README's tour does what it says, when it is pasted into psql.

mod common;
use common::{Database, run, superuser, value};
use std::io::Write;
use std::process::{Command, Stdio};

/// The fenced blocks of the README: language and text.
fn blocks(readme: &str) -> Vec<(&str, String)> {
    let mut blocks = Vec::new();
    let mut open: Option<(&str, String)> = None;
    for line in readme.lines() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(language), None) => open = Some((language, String::new())),
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (None, Some((_, text))) => {
                text.push_str(line);
                text.push('\n');
            }
            (None, None) => (),
        }
    }
    blocks
}

#[test]
fn the_tour_works_as_pasted() {
    let readme = std::fs::read_to_string("README.md").expect("README.md");
    let blocks = blocks(&readme);
    assert!(blocks.iter().filter(|(language, _)| *language == "sql").count() >= 4, "the tour is gone");

    // What is pasted block by block, with a mark behind each; and what shall be seen.
    let mut pasted = String::new();
    let mut expected = Vec::new();
    for (language, text) in &blocks {
        match *language {
            "sql" => {
                pasted += &format!("{text}\n\\warn --mark--\n");
                expected.push(String::new());
            }
            "text" => *expected.last_mut().expect("a result follows its statements") = text.trim().to_owned(),
            other => panic!("a block of {other} is tested by nothing"),
        }
    }

    let mut server = superuser("postgres");
    run(&mut server, "DROP DATABASE IF EXISTS tour");
    run(&mut server, "DROP ROLE IF EXISTS tour_dba, tour_boss, tour_agent_a, tour_agent_b, tour_desk");
    run(&mut server, "CREATE DATABASE tour");
    let mut psql = Command::new("sh")
        .args(["-c", "exec psql -q -X -v SHOW_CONTEXT=never -d tour 2>&1"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("psql");
    psql.stdin.take().expect("stdin").write_all(pasted.as_bytes()).expect("paste");
    let seen = String::from_utf8(psql.wait_with_output().expect("output").stdout).expect("UTF-8");

    let seen: Vec<&str> = seen.split("--mark--\n").map(str::trim).collect();
    for (n, expected) in expected.iter().enumerate() {
        assert_eq!(seen.get(n).copied().unwrap_or("nothing"), expected, "block {}", n + 1);
    }
    let left = "SELECT (SELECT count(*) FROM pg_database WHERE datname = 'tour')
                     + (SELECT count(*) FROM pg_roles WHERE rolname LIKE 'tour%')";
    assert_eq!(value::<i64>(&mut server, left), 0, "the tour cleans up after itself");
}

/// The rows of the tables of a document, each a list of cells.
fn rows(document: &str) -> Vec<Vec<&str>> {
    let table_lines = document.lines().filter(|line| line.starts_with("| `"));
    table_lines
        .map(|line| line.trim_matches('|').split('|').map(|cell| cell.trim().trim_matches('`')).collect())
        .collect()
}

/// docs/columns.md names the columns and types that there are, and which of them take what is written.
#[test]
fn the_columns_are_those_of_the_reference() {
    let document = std::fs::read_to_string("docs/columns.md").expect("docs/columns.md");
    let (card, report) = document.split_once("## Report views").expect("two parts");
    let database = Database::new("columns");

    let columns_of = |view: &str| {
        format!(
            "SELECT string_agg(attname || ' ' || format_type(atttypid, atttypmod), ', ' ORDER BY attnum)
               FROM pg_attribute WHERE attrelid = '{view}'::regclass AND attnum > 0"
        )
    };
    let described = |rows: &[Vec<&str>]| rows.iter().map(|row| format!("{} {}", row[0], row[1])).collect::<Vec<_>>();

    let card = rows(card);
    let mut server = database.superuser();
    let there: String = value(&mut server, &columns_of("ringfence.customer_card"));
    assert_eq!(described(&card).join(", "), there);
    let mut session = database.connect("app_a");
    for row in &card {
        let (column, written) = (row[0], row[2]);
        let other = match row[1] {
            "uuid" => "'a0000000-0000-0000-0000-00000000000c'::uuid",
            "jsonb" => "'{}'::jsonb",
            "text[]" => "'{other}'::text[]",
            "date" => "'2001-01-01'::date",
            "text" => "'other'",
            _ => "'2001-01-01 00:00+00'::timestamptz",
        };
        let write = format!(
            "UPDATE ringfence.customer_card SET {column} = {other} WHERE name = 'Chen Wei' RETURNING {column} = {other}"
        );
        let mut transaction = session.transaction().expect("begin");
        let takes = transaction.query_one(&write, &[]);
        match written {
            "kept" => assert!(!takes.expect("ignored").get::<_, Option<bool>>(0).unwrap_or(false), "{column}"),
            _ if written.starts_with("yes") => assert!(takes.expect("written").get::<_, bool>(0), "{column}"),
            _ => assert!(takes.is_err(), "{column}"),
        }
        transaction.rollback().expect("roll back");
    }

    // A field of each type, named as its type.
    let (columns, types) = report.split_once("and then one for each field").expect("two tables");
    let (columns, types) = (rows(columns), rows(types));
    let mut boss = database.connect("boss_a");
    for row in &types {
        let options = if row[0].starts_with("choice") { ", options => '{one}'" } else { "" };
        run(
            &mut boss,
            &format!("DO $$BEGIN PERFORM ringfence.create_field('{0}', '{0}', '{{Support}}'{options}); END$$", row[0]),
        );
    }
    run(&mut boss, "DO $$BEGIN PERFORM ringfence.create_report_view('Support', 'reported'); END$$");
    let there: String = value(&mut server, &columns_of("ringfence_report.reported"));
    assert_eq!([described(&columns), described(&types)].concat().join(", "), there);
    assert!(!value::<bool>(
        &mut boss,
        "SELECT has_table_privilege('ringfence_report.reported', 'INSERT, UPDATE, DELETE')"
    ));
}

/// What the tables under a heading of the README say, up to the next heading.
fn section<'a>(readme: &'a str, heading: &str) -> &'a str {
    let (_, section) = readme.split_once(&format!("\n### {heading}\n")).expect("the heading");
    section.split("\n### ").next().expect("a section")
}

/// Functions that applications may call since policies, constraints and the extension's own functions call them as their role.
const HELPERS: [&str; 12] = [
    "can_be_seen",
    "check_field_type",
    "check_name",
    "check_pattern",
    "check_right",
    "field_in_reach",
    "is_admin",
    "name_as_seen",
    "owners_in_reach",
    "project_in_reach",
    "search_keys",
    "storage_key",
];

#[test]
fn every_function_is_in_the_reference() {
    let readme = std::fs::read_to_string("README.md").expect("README.md");
    let functions = section(&readme, "Functions");
    let callable = "SELECT array_agg(DISTINCT proname::text ORDER BY proname::text)
                      FROM pg_proc
                     WHERE pronamespace = 'ringfence'::regnamespace
                       AND (has_function_privilege('ringfence_user', oid, 'EXECUTE')
                            OR has_function_privilege('ringfence_admin', oid, 'EXECUTE'))
                       AND obj_description(oid, 'pg_proc') !~* '(part of |internal|^trigger|planner support|^operator)'";
    let names: Vec<String> = value(&mut Database::new("reference").superuser(), callable);
    let missing: Vec<&String> = names.iter().filter(|name| !functions.contains(&format!("`{name}("))).collect();
    assert_eq!(missing, HELPERS);
}

#[test]
fn every_error_is_in_the_reference() {
    let readme = std::fs::read_to_string("README.md").expect("README.md");
    let errors = section(&readme, "Errors");
    let source = std::fs::read_to_string("src/error.rs").expect("src/error.rs");
    for line in source.lines() {
        let Some((code, _)) = line.strip_prefix("/// ").and_then(|comment| comment.split_once(": ")) else { continue };
        let is_code = code.len() == 5 && code.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
        assert!(!is_code || errors.contains(code), "{line}");
    }
}
