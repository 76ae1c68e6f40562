//! The README and the manual say what is true: their examples are run, their links lead somewhere, and nothing that the extension
//! offers is missing in them.
//!
//! `DOCS_ACCEPT=1` writes the results of the examples into the pages instead of comparing them.

mod common;
use common::{Database, at_root, run, superuser, value};
use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

fn read(path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The pages of the manual.
fn pages() -> Vec<PathBuf> {
    let files = std::fs::read_dir("docs").expect("docs").map(|entry| entry.expect("an entry").path());
    let mut pages: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|end| end == "md")).collect();
    pages.sort();
    pages
}

/// The fenced blocks of a page: what stands behind the fence, and the text.
fn blocks(page: &str) -> Vec<(&str, String)> {
    let mut blocks = Vec::new();
    let mut open: Option<(&str, String)> = None;
    for line in page.lines() {
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
    assert!(open.is_none(), "a block is not closed");
    blocks
}

/// What a shell would run: it must be a script, and the targets of make must be there.
fn check_commands(script: &str) {
    let parsed = Command::new("bash").args(["-n", "-c", script]).status().expect("bash");
    assert!(parsed.success(), "{script}");
    let makefile = read("Makefile");
    for target in script.lines().filter_map(|line| line.strip_prefix("make ")?.split_whitespace().next()) {
        assert!(makefile.contains(&format!("\n{target}:")), "make {target}");
    }
}

/// The commands of an image are scripts, and what it copies is what a package is called.
fn check_image(dockerfile: &str) {
    for line in dockerfile.lines() {
        let (instruction, rest) = line.split_once(' ').expect("an instruction and its arguments");
        match instruction {
            "FROM" | "CMD" => (),
            "COPY" => assert!(rest.starts_with("postgresql-15-ringfence_"), "{line}"),
            "RUN" => check_commands(rest),
            _ => panic!("{line}"),
        }
    }
}

/// Pastes the statements of a page into psql, block by block, and compares what is seen with the results that the page shows.
fn run_examples(path: &Path, database: &str) {
    let page = read(path);
    // What is pasted, with a mark behind each block; and what shall be seen.
    let mut pasted = String::new();
    let mut expected = Vec::new();
    let mut follows_statements = false;
    for (language, text) in blocks(&page) {
        match language {
            "sql" => {
                pasted += &format!("{text}\n\\warn --mark--\n");
                expected.push(String::new());
            }
            "text" => {
                assert!(follows_statements, "{}: a result without statements before it", path.display());
                *expected.last_mut().expect("statements") = text.trim_end().to_owned();
            }
            "sh" => check_commands(&text),
            "dockerfile" => check_image(&text),
            other => panic!("{}: a block of \"{other}\" is run by nothing", path.display()),
        }
        follows_statements = language == "sql";
    }
    let mut psql = Command::new("sh")
        .args(["-c", "exec psql -q -X -v SHOW_CONTEXT=never -d \"$0\" 2>&1", database])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("psql");
    psql.stdin.take().expect("stdin").write_all(pasted.as_bytes()).expect("paste");
    let output = psql.wait_with_output().expect("output");
    assert!(output.status.success(), "{}: psql stopped: {}", path.display(), String::from_utf8_lossy(&output.stdout));
    let seen = String::from_utf8(output.stdout).expect("UTF-8");
    let seen: Vec<&str> = seen.split("--mark--\n").map(str::trim_end).collect();
    if std::env::var_os("DOCS_ACCEPT").is_some() {
        std::fs::write(path, with_results(&page, &seen)).expect("write the page");
        return;
    }
    for (n, expected) in expected.iter().enumerate() {
        let seen = seen.get(n).copied().unwrap_or("nothing").trim_end();
        assert_eq!(seen, expected, "{}: block {} of SQL", path.display(), n + 1);
    }
}

/// The page with these results, one for each block of statements, in place of those that it shows.
fn with_results(page: &str, results: &[&str]) -> String {
    let mut written = String::new();
    let mut results = results.iter();
    let mut result = None;
    let mut fence = None;
    for line in page.lines() {
        let is_fence = line.starts_with("```");
        match (fence, is_fence) {
            (None, true) => {
                fence = Some(line);
                result = if line == "```sql" { results.next() } else { result };
            }
            (Some("```text"), true) => {
                if let Some(result) = result.take() {
                    written += &format!("{result}\n");
                }
                fence = None;
            }
            (Some("```text"), false) => continue,
            (Some(_), true) => fence = None,
            (_, false) => (),
        }
        written += &format!("{line}\n");
    }
    written
}

#[test]
fn the_tour_works_as_pasted() {
    at_root();
    let mut server = superuser("postgres");
    run(&mut server, "DROP DATABASE IF EXISTS tour");
    run(&mut server, "DROP ROLE IF EXISTS tour_agent_a, tour_agent_b, tour_desk");
    run(&mut server, "CREATE DATABASE tour");
    run_examples(Path::new("README.md"), "tour");
    let left = "SELECT (SELECT count(*) FROM pg_database WHERE datname = 'tour')
                     + (SELECT count(*) FROM pg_roles WHERE rolname LIKE 'tour%')";
    assert_eq!(value::<i64>(&mut server, left), 0, "the tour cleans up after itself");
    let readme = read("README.md");
    assert!(readme.lines().count() <= 170, "the README is for newcomers: details are for docs/");
    assert!(blocks(&readme).iter().filter(|(language, _)| *language == "sql").count() >= 4, "the tour is gone");
    for (language, script) in blocks(&read("CONTRIBUTING.md")) {
        assert_eq!(language, "sh");
        check_commands(&script);
    }
}

/// Each page in a database of its own. `tests/orm.rs` runs the code of docs/orm.md.
#[test]
fn the_examples_of_the_manual_work() {
    at_root();
    let roles = "SELECT string_agg(rolname, ', ' ORDER BY rolname) FROM pg_roles WHERE rolname NOT LIKE 'tour%'";
    for page in pages().iter().filter(|page| !page.ends_with("orm.md")) {
        let name = page.file_stem().and_then(|stem| stem.to_str()).expect("a name").to_lowercase();
        let before: String = value(&mut superuser("postgres"), roles);
        let database = Database::new(&format!("docs_{name}"));
        run_examples(page, &database.name);
        drop(database);
        assert_eq!(value::<String>(&mut superuser("postgres"), roles), before, "{name} cleans up its roles");
    }
}

/// The page without its fenced blocks and without `code`.
fn prose(page: &str) -> String {
    let outside = page.split("\n```").step_by(2).collect::<Vec<_>>().join("\n");
    outside.split('`').step_by(2).collect()
}

/// The anchor that GitHub gives a heading.
fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase();
    let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.collect::<String>().replace(' ', "-")
}

#[test]
fn every_link_leads_somewhere() {
    at_root();
    let mut linked = BTreeSet::new();
    let others = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"].map(PathBuf::from);
    for page in pages().into_iter().chain(others) {
        let text = prose(&read(&page));
        for target in text.split("](").skip(1).map(|rest| rest.split(')').next().expect("the end of a link")) {
            if target.starts_with("https://") {
                continue;
            }
            let (file, heading) = target.split_once('#').unwrap_or((target, ""));
            let path = if file.is_empty() { page.clone() } else { page.parent().expect("a directory").join(file) };
            assert!(path.exists(), "{}: {target}", page.display());
            if !heading.is_empty() {
                let text = read(&path);
                let headings =
                    text.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches(['#', ' ']));
                assert!(headings.map(anchor).any(|anchor| anchor == heading), "{}: {target}", page.display());
            }
            if page.ends_with("docs/README.md") {
                linked.extend(path.canonicalize());
            }
        }
    }
    for page in pages().iter().filter(|page| !page.ends_with("README.md")) {
        assert!(
            linked.contains(&page.canonicalize().expect("a path")),
            "docs/README.md does not list {}",
            page.display()
        );
    }
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
    at_root();
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

/// The names of the arguments that the reference gives for a function: `name(first, second DEFAULT NULL)`.
fn arguments_in<'a>(reference: &'a str, function: &str) -> Vec<Vec<&'a str>> {
    let call = format!("`{function}(");
    let calls = reference.split(&call).skip(1);
    let arguments = calls.filter_map(|rest| rest.split(')').next());
    arguments.map(|list| list.split(',').filter_map(|argument| argument.split_whitespace().next()).collect()).collect()
}

#[test]
fn every_function_is_in_the_reference() {
    at_root();
    let reference = read("docs/reference.md");
    let (offered, helpers) = reference.split_once("## Helpers").expect("the helpers come last");
    let callable = "SELECT proname::text,
                           coalesce(proargnames[1 : pronargs], '{}') AS arguments
                      FROM pg_proc
                     WHERE pronamespace = 'ringfence'::regnamespace AND prorettype <> 'trigger'::regtype
                       AND EXISTS (SELECT FROM unnest(ARRAY['ringfence_user', 'ringfence_admin', 'ringfence_router']) AS role
                                    WHERE has_function_privilege(role, oid, 'EXECUTE'))";
    let database = Database::new("reference");
    let mut server = database.superuser();
    for row in server.query(callable, &[]).expect("the functions") {
        let (name, arguments): (String, Vec<String>) = (row.get(0), row.get(1));
        if helpers.contains(&format!("`{name}()`")) {
            continue;
        }
        let described = arguments_in(offered, &name);
        assert!(described.iter().any(|described| *described == arguments), "{name}({arguments:?}): {described:?}");
    }
}

#[test]
fn every_relation_setting_and_role_is_in_the_manual() {
    at_root();
    let database = Database::new("reference_of_settings");
    let mut server = database.superuser();
    let mut expect = |query: &str, page: &str| {
        let names: Vec<String> = value(&mut server, query);
        assert!(names.len() >= 5, "{query}");
        let text = read(page);
        for name in names {
            assert!(text.contains(&format!("`{name}`")), "{page} does not tell of {name}");
        }
    };
    expect(
        "SELECT array_agg(relname::text) FROM pg_class WHERE relnamespace = 'ringfence'::regnamespace AND relkind IN ('r', 'v')",
        "docs/reference.md",
    );
    // Loads the library, which makes its settings known.
    expect(
        "SELECT array_agg(name) FROM pg_settings, ringfence.ringfence_version() WHERE name LIKE 'ringfence.%'",
        "docs/session.md",
    );
    expect("SELECT array_agg(rolname::text) FROM pg_roles WHERE rolname LIKE 'ringfence%'", "docs/access.md");
}

#[test]
fn every_error_is_in_the_manual() {
    at_root();
    let errors = read("docs/errors.md");
    let mut names = BTreeSet::new();
    let is_name = |c: char| c.is_ascii_uppercase() || c == '_' || c.is_ascii_digit();
    for entry in std::fs::read_dir("src/error").expect("src/error") {
        for rest in read(entry.expect("a file").path()).split("ERRCODE_").skip(1) {
            names.insert(rest.chars().take_while(|c| is_name(*c)).collect::<String>().to_lowercase());
        }
    }
    for entry in std::fs::read_dir("sql").expect("sql") {
        for rest in read(entry.expect("a file").path()).split("ERRCODE = '").skip(1) {
            names.insert(rest.split('\'').next().expect("a name").to_owned());
        }
    }
    assert!(names.len() > 15, "{names:?}");
    let mut server = superuser("postgres");
    // A message of the log, a warning, and errors that functions raise to catch them.
    let unseen = ["successful_completion", "warning", "lock_not_available", "RFDRY"];
    for name in names.iter().filter(|name| !unseen.contains(&name.as_str())) {
        let raise = format!("DO $$BEGIN RAISE EXCEPTION 'test' USING ERRCODE = '{name}'; END$$");
        let raised = common::refused(&mut server, &raise);
        assert!(errors.contains(&format!("| {raised} |")), "docs/errors.md does not tell of {raised}, {name}");
    }
}

/// What the catalogue of attacks names as a test is one; an attack without a test says what is left for the reader; and each
/// attack that a test names is in the catalogue.
#[test]
fn every_attack_has_its_test() {
    at_root();
    let mut numbers = BTreeSet::new();
    for line in read("docs/attacks.md").lines() {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let Ok(number) = cells[0].parse::<usize>() else { continue };
        assert_eq!(cells.len(), 4, "{line}");
        assert!(numbers.last().is_none_or(|before| *before < number), "{line}");
        numbers.insert(number);
        assert!(!cells[2].is_empty() || !cells[3].is_empty(), "{line}");
        for test in cells[2].split('`').skip(1).step_by(2) {
            let exists = Path::new(test).exists() || Path::new(&format!("tests/regress/sql/{test}.sql")).exists();
            assert!(exists, "{number}: there is no test {test}");
        }
    }
    assert!(numbers.contains(&205), "the catalogue is gone");
    for directory in ["tests", "tests/regress/sql"] {
        for file in std::fs::read_dir(directory).expect(directory).map(|entry| entry.expect("an entry").path()) {
            let Ok(test) = std::fs::read_to_string(&file) else { continue };
            for cited in test.split("ATTACKS ").skip(1) {
                let words = cited.split_whitespace().map(|word| word.trim_end_matches([',', '.', ':', ';', ')']));
                let cited = words.take_while(|word| matches!(*word, "and" | "to") || word.parse::<usize>().is_ok());
                for number in cited.filter_map(|word| word.parse::<usize>().ok()) {
                    assert!(numbers.contains(&number), "{}: {number} is not in the catalogue", file.display());
                }
            }
        }
    }
}
