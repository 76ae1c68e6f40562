//! The README's tour does what it says, when it is pasted into psql.

mod common;
use common::{run, superuser};
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

    run(&mut superuser("postgres"), "CREATE DATABASE readme_tour");
    let mut psql = Command::new("sh")
        .args(["-c", "exec psql -q -X -v SHOW_CONTEXT=never -d readme_tour 2>&1"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("psql");
    psql.stdin.take().expect("stdin").write_all(pasted.as_bytes()).expect("paste");
    let seen = String::from_utf8(psql.wait_with_output().expect("output").stdout).expect("UTF-8");
    let mut server = superuser("postgres");
    run(&mut server, "DROP DATABASE readme_tour");
    run(&mut server, "DROP ROLE tour_dba, tour_boss, tour_agent_a, tour_agent_b, tour_desk");

    let seen: Vec<&str> = seen.split("--mark--\n").map(str::trim).collect();
    for (n, expected) in expected.iter().enumerate() {
        assert_eq!(seen.get(n).copied().unwrap_or("nothing"), expected, "block {}", n + 1);
    }
}
