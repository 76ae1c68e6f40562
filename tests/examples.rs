//! The examples: the sample data is what it is said to be, and each client program finds the right Ms. Tsai.
//! `tests/run.sh` has loaded the sample data into database `demo`.

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
    assert_eq!(value::<i64>(&mut server, "SELECT count(*) FROM ringfence.customer"), 5000);
    assert_eq!(value::<i64>(&mut server, "SELECT count(DISTINCT language) FROM ringfence.customer"), 6);
    // A person is a name with a phone.
    let shared = "SELECT (count(*) FILTER (WHERE owners > 1))::float8 / count(*)
                    FROM (SELECT count(DISTINCT owner_id) AS owners FROM ringfence.customer GROUP BY name, normal_phones[1]) AS person";
    let share = value::<f64>(&mut server, shared);
    assert!((0.09..0.11).contains(&share), "{share}");
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
    let errors: Vec<&str> =
        refusals.lines().filter_map(|line| line.split_once("ERROR:  ").map(|(_, error)| error)).collect();
    assert_eq!(
        errors,
        [
            "no owner is selected",
            "the owner cannot change within a transaction",
            "new row violates row-level security policy \"owner_wall\" for table \"customer\"",
            "role \"agent_a\" has no access to owner \"Company B\"",
            "field \"Router\" cannot be written in this session",
            "role \"bi_a\" lacks the right \"customer.write\" for this owner",
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
