//! The examples: the sample data is what it is said to be, and each client program finds the right Ms. Tsai.
//! `tests/run.sh` has loaded the sample data into database `demo`, and copied it to `demo_calls` for the examples that write.

mod common;
use common::{at_root, clients, node_program, superuser, value};
use std::path::Path;
use std::process::Command;

#[test]
fn the_sample_data_is_what_it_is_said_to_be() {
    at_root();
    let mut server = superuser("demo");
    assert_eq!(value::<i64>(&mut server, "SELECT count(*) FROM ringfence.owner WHERE name <> 'House'"), 5);
    assert!(value::<i64>(&mut server, "SELECT count(*) FROM ringfence.project WHERE name <> 'Default'") >= 3);
    assert_eq!(value::<i64>(&mut server, "SELECT count(*) FROM ringfence.field WHERE NOT is_system"), 20);
    // Another test imports three more.
    let loaded =
        "SELECT count(*) FROM ringfence.customer WHERE NOT normal_phones && '{+48601555001,+48601555002,+48601555000}'";
    assert_eq!(value::<i64>(&mut server, loaded), 5000);
    assert_eq!(value::<i64>(&mut server, "SELECT count(DISTINCT language) FROM ringfence.customer"), 6);
    // A person is a name with a phone.
    let shared = "SELECT (count(*) FILTER (WHERE owners > 1))::float8 / count(*)
                    FROM (SELECT count(DISTINCT owner_id) AS owners FROM ringfence.customer GROUP BY name, normal_phones[1]) AS person";
    let share = value::<f64>(&mut server, shared);
    assert!((0.09..0.11).contains(&share), "{share}");
    // A month of calls and tickets.
    let calls = "SELECT count(*) FROM ringfence.interaction WHERE started_at BETWEEN '2026-09-01 00:00+00' AND '2026-09-30 23:59+00'";
    assert_eq!(value::<i64>(&mut server, calls), 504);
    let tickets = "SELECT count(*) = 5 AND bool_and(tickets > 10 AND first = 1 AND last = tickets)
                     FROM (SELECT count(*) AS tickets, min(number) AS first, max(number) AS last FROM ringfence.ticket GROUP BY owner_id) AS owner";
    assert!(value::<bool>(&mut server, tickets));
}

#[test]
fn the_sample_data_can_be_made_again() {
    at_root();
    let directory = std::env::temp_dir().join(format!("ringfence-sample-{}", std::process::id()));
    let made = Command::new("python3").arg("examples/make_sample_data.py").arg(&directory).status().expect("python3");
    assert!(made.success());
    let same = Command::new("diff").args(["-r", "examples/data"]).arg(&directory).status().expect("diff");
    std::fs::remove_dir_all(&directory).expect("remove");
    assert!(same.success());
}

#[test]
fn the_demo_tells_its_story() {
    at_root();
    let told = Command::new("psql").args(["-X", "-d", "demo", "-f", "examples/demo.sql"]).output().expect("psql");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
    let (story, refusals) = (text(&told.stdout), text(&told.stderr));
    if let Ok(directory) = std::env::var("REGRESS_RESULTS") {
        std::fs::write(format!("{directory}/demo.out"), &story).expect("write");
    }
    assert_eq!(story, std::fs::read_to_string("tests/expected/demo.out").expect("expected"));
    let is_id = |text: &str| text.len() == 36 && text.bytes().all(|byte| byte == b'-' || byte.is_ascii_hexdigit());
    let without_ids = |error: &str| {
        error.split('"').map(|part| if is_id(part) { "<id>" } else { part }).collect::<Vec<_>>().join("\"")
    };
    let errors: Vec<String> =
        refusals.lines().filter_map(|line| line.split_once("ERROR:  ").map(|(_, error)| without_ids(error))).collect();
    assert_eq!(
        errors,
        [
            "no owner is selected",
            "the owner cannot change within a transaction",
            "new row violates row-level security policy \"owner_wall\" for table \"customer\"",
            "role \"agent_a\" has no access to owner \"Company B\"",
            "field \"Router\" cannot be written in this session",
            "role \"bi_a\" lacks the right \"customer.write\" for this owner",
            "there is no such customer",
            "no ticket \"<id>\" is in reach",
            "no interaction \"<id>\" is in reach",
            "no script \"No connection\" is in reach",
            "no project \"Support\" is in reach",
        ]
    );
}

/// That of role `desk`, which `tests/run.sh` has set.
const PASSWORD: &str = "the desk's password";

/// Runs a client program as the call centre's application would, by password over TCP, for each of two owners and for
/// one that it has no access to.
fn finds_ms_tsai(program: impl AsRef<Path>, arguments: &[&str]) {
    let find = |owner: &str, query: &str| {
        let output = Command::new(program.as_ref())
            .args(arguments)
            .args([owner, query])
            .env("PGHOST", "127.0.0.1")
            .env("PGDATABASE", "demo")
            .env("PGUSER", "desk")
            .env("PGPASSWORD", PASSWORD)
            .env("NODE_PATH", clients().join("node/node_modules"))
            .env("LC_ALL", "C.UTF-8")
            .output()
            .unwrap_or_else(|error| panic!("{}: {error}", program.as_ref().display()));
        (
            String::from_utf8_lossy(&output.stdout).into_owned(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
            output.status.success(),
        )
    };
    for (owner, query, expected) in [
        ("Company A", "tsai mei-ling 5678", "Tsai Mei-Ling\t091 234 5678\n"),
        ("Company A", "+886 912 345 678", "Tsai Mei-Ling\t091 234 5678\n"),
        ("Company B", "tsai mei-ling 5678", "Tsai Mei-Ling\t+886 912345678\n"),
        ("Company B", "Tsai Nobody", ""),
    ] {
        let (found, errors, success) = find(owner, query);
        assert!(success, "{errors}");
        assert_eq!(found, expected, "{owner}, {query}");
    }
    let (found, errors, success) = find("House", "tsai");
    assert!(!success && found.is_empty(), "{found}");
    assert!(errors.contains("has no access to owner"), "{errors}");
}

/// Takes a call on a line of each of two owners, and on one that is nobody's.
fn takes_calls(program: impl AsRef<Path>, arguments: &[&str]) {
    let take = |line: &str, caller: &str| {
        let output = Command::new(program.as_ref())
            .args(arguments)
            .args([line, caller, "Taken by an example"])
            .env("PGHOST", "127.0.0.1")
            .env("PGDATABASE", "demo_calls")
            .env("PGUSER", "desk")
            .env("PGPASSWORD", PASSWORD)
            .env("NODE_PATH", clients().join("node/node_modules"))
            .env("LC_ALL", "C.UTF-8")
            .output()
            .unwrap_or_else(|error| panic!("{}: {error}", program.as_ref().display()));
        (
            String::from_utf8_lossy(&output.stdout).into_owned(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
            output.status.success(),
        )
    };
    for (line, caller, expected) in [
        ("0800-080-080", "+886 912 345 678", "Company A\tTsai Mei-Ling\tTaken by an example\tanswered\n"),
        (
            "sip:+48221234567@pbx.example",
            "+886 912 345 678",
            "Company B\tTsai Mei-Ling\tTaken by an example\tanswered\n",
        ),
        ("044 123 45 67", "+1 415 555 0000", "Зв'язок\tsomebody unknown\tTaken by an example\tno script\n"),
    ] {
        let (told, errors, success) = take(line, caller);
        assert!(success, "{errors}");
        assert_eq!(told, expected, "{line}, {caller}");
        assert!(errors.contains("ticket "), "{errors}");
    }
    let (told, errors, success) = take("+48 22 123 45 68", "1");
    assert!(!success && told.is_empty(), "{told}");
    assert!(errors.contains("is nobody's line"), "{errors}");
}

#[test]
fn python_takes_calls() {
    at_root();
    takes_calls("/usr/bin/python3", &["examples/clients/take_call.py"]);
}

#[test]
fn node_takes_calls() {
    at_root();
    takes_calls(node_program(), &["examples/clients/take_call.js"]);
}

#[test]
fn java_takes_calls() {
    at_root();
    takes_calls("java", &["-cp", "/usr/share/java/postgresql.jar", "examples/clients/TakeCall.java"]);
}

#[test]
fn rust_takes_calls() {
    at_root();
    let tests = std::env::current_exe().expect("the program");
    let example = tests.parent().and_then(|deps| deps.parent()).expect("target").join("examples/take_call");
    takes_calls(example, &[]);
}

#[test]
fn a_file_is_imported_by_psql_and_python() {
    at_root();
    let run = |program: &str, arguments: &[&str]| {
        let output = Command::new(program)
            .args(arguments)
            .env("PGDATABASE", "demo_calls")
            .env("PGUSER", "manager")
            .env("LC_ALL", "C.UTF-8")
            .output()
            .unwrap_or_else(|error| panic!("{program}: {error}"));
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let told = run("psql", &["-X", "-q", "-A", "-t", "-f", "examples/import/import.sql"]);
    assert_eq!(
        told,
        "1|inserted|\n2|inserted|\n3|inserted|\n4|rejected|\"31.02.1990\" is not a date of the form DD.MM.YYYY\n"
    );
    let file = "examples/import/visitors.csv";
    // The same again, in the encoding of Windows for Polish.
    let text = std::fs::read_to_string(file).expect("the file");
    let windows: Vec<u8> = text
        .chars()
        .map(|letter| match letter {
            'ę' => 0xEA,
            'ó' => 0xF3,
            'ł' => 0xB3,
            'Ł' => 0xA3,
            'ś' => 0x9C,
            'ć' => 0xE6,
            'ń' => 0xF1,
            letter => u8::try_from(u32::from(letter)).expect("a letter that the file has"),
        })
        .collect();
    let copy = std::env::temp_dir().join(format!("ringfence-visitors-{}.csv", std::process::id()));
    std::fs::write(&copy, windows).expect("write");
    let program = "examples/import/import.py";
    let told = run("/usr/bin/python3", &[program, "Company B", "Visitors", &copy.to_string_lossy(), "cp1250"]);
    std::fs::remove_file(&copy).expect("remove");
    let expected = "line 4: \"31.02.1990\" is not a date of the form DD.MM.YYYY\n1 rejected, 3 unchanged\n";
    assert_eq!(told, expected);
    assert_eq!(run("/usr/bin/python3", &[program, "Company B", "Visitors", file]), expected);
}

#[test]
fn python() {
    at_root();
    finds_ms_tsai("/usr/bin/python3", &["examples/clients/find_customer.py"]);
}

#[test]
fn node() {
    at_root();
    finds_ms_tsai(node_program(), &["examples/clients/find_customer.js"]);
}

#[test]
fn java() {
    at_root();
    finds_ms_tsai("java", &["-cp", "/usr/share/java/postgresql.jar", "examples/clients/FindCustomer.java"]);
}

#[test]
fn perl() {
    at_root();
    finds_ms_tsai("/usr/bin/perl", &["examples/clients/find_customer.pl"]);
}

#[test]
fn rust() {
    at_root();
    // Built by `tests/run.sh`, beside the directory of this test's own binary.
    let tests = std::env::current_exe().expect("path");
    let example = tests.parent().and_then(|deps| deps.parent()).expect("target").join("examples/find_customer");
    finds_ms_tsai(example, &[]);
}
