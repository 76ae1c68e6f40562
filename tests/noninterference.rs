//! Noninterference: what owner A's sessions observe is the same whether or not other owners exist, whatever they run.
//!
//! Random programs run in two worlds (`noninterference/worlds.rs`) that differ in one thing which the session may not tell. All
//! that comes back is compared (`noninterference/answer.rs`). The environment says what is run; CONTRIBUTING.md says how.

#[path = "noninterference/allowed.rs"]
mod allowed;
#[path = "noninterference/answer.rs"]
mod answer;
#[path = "noninterference/generate/mod.rs"]
mod generate;
#[path = "common/random.rs"]
mod generator;
#[path = "noninterference/program.rs"]
mod program;
#[path = "noninterference/random.rs"]
mod random;
#[path = "noninterference/runner.rs"]
mod runner;
#[path = "noninterference/schema.rs"]
mod schema;
#[path = "noninterference/sql.rs"]
mod sql;
#[path = "noninterference/wire.rs"]
mod wire;
#[path = "noninterference/worlds.rs"]
mod worlds;

use answer::Answer;
use generate::Generator;
use runner::{Failure, Outcome, PROGRAMS_PER_COPY, Run};
use schema::Schema;
use std::env;
use std::io;
use std::process::ExitCode;
use std::time::Instant;
use worlds::{Kind, Templates};

/// Programs of `make test`; half of them of a seed that stays, half of that of the day.
const PROGRAMS: u64 = 20_000;
const FIXED_SEED: u64 = 18;

/// A variable of the environment, NONINTERFERENCE_... in full.
fn asked(name: &str) -> Option<String> {
    env::var(format!("NONINTERFERENCE_{name}")).ok().filter(|value| !value.is_empty())
}

fn number(name: &str) -> Option<u64> {
    asked(name).and_then(|value| value.parse().ok())
}

fn main() -> ExitCode {
    match all() {
        Ok((passed, failed)) => {
            // As cargo's own test runner says it, for tests/run.sh counts by this line.
            let result = if failed == 0 { "ok" } else { "FAILED" };
            println!(
                "\ntest result: {result}. {passed} passed; {failed} failed; 0 ignored; 0 measured; 0 filtered out"
            );
            if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            println!("noninterference: {error}");
            ExitCode::FAILURE
        }
    }
}

fn all() -> io::Result<(usize, usize)> {
    let mut database = worlds::superuser("postgres")?;
    let days = database.rows("SELECT (current_date + n)::text FROM generate_series(-1, 1) AS n")?;
    let mut days = days.into_iter().flatten().flatten();
    let mut day = || days.next().unwrap_or_default();
    let days = [day(), day(), day()];
    let of_the_day: u64 = days[1].replace('-', "").parse().unwrap_or(0);
    drop(database);

    let programs = number("PROGRAMS").unwrap_or(PROGRAMS);
    let seeds = number("SEED").map_or_else(|| vec![FIXED_SEED, of_the_day], |seed| vec![seed]);
    let kinds = match asked("KIND") {
        Some(name) => Kind::ALL.into_iter().filter(|kind| kind.name() == name).collect(),
        None => Kind::USUAL.to_vec(),
    };
    let (mut passed, mut failed) = (0, 0);
    for kind in &kinds {
        let templates = Templates::make(*kind)?;
        for seed in &seeds {
            let share = if kinds.len() == 1 {
                programs
            } else {
                // Other owners are the first question; the rest is for the other two.
                if *kind == Kind::Neighbour { programs - programs / 5 * 2 } else { programs / 5 }
            };
            let without = asked("WITHOUT").unwrap_or_default().split(',').map(str::to_owned).collect();
            let schema = Schema::read(&templates.name(false, true))?;
            let generator = Generator { schema, seed: *seed, kind: *kind, without };
            let only = number("ONLY");
            let run = Run {
                templates: &templates,
                generator: &generator,
                days: days.clone(),
                first: only.unwrap_or(0),
                programs: if only.is_some() { 1 } else { share / seeds.len() as u64 },
                threads: if only.is_some() { 1 } else { 2 },
                failures: number("FAILURES").unwrap_or(1) as usize,
                found: &|failure| show(*kind, *seed, failure),
            };
            if only.is_some() {
                println!("{}", generator.program(run.first).text());
            }
            let begun = Instant::now();
            let mut outcome = runner::run(&run)?;
            if let (Some(only), 0) = (only, outcome.failures) {
                println!("not alone; now with those before it on the same databases");
                let first = only - only % PROGRAMS_PER_COPY;
                outcome = runner::run(&Run { first, programs: only - first + 1, ..run })?;
            }
            report(*kind, *seed, begun, &outcome);
            // A few that are not seen again are noise; many are a difference that is not understood.
            if outcome.failures == 0 && outcome.unconfirmed <= outcome.run / 1000 { passed += 1 } else { failed += 1 }
        }
        if *kind == Kind::Neighbour && number("ONLY").is_none() {
            let gone = allowed::no_longer_true(&templates)?;
            for what in &gone {
                println!("no longer true, take it from the list of what is allowed: {what}");
            }
            if gone.is_empty() { passed += 1 } else { failed += 1 }
        }
        templates.drop()?;
    }
    worlds::drop_roles()?;
    Ok((passed, failed))
}

fn report(kind: Kind, seed: u64, begun: Instant, outcome: &Outcome) {
    let seconds = begun.elapsed().as_secs_f64();
    let Outcome { run, steps, skipped, refused, failures, unconfirmed } = outcome;
    println!(
        "{} seed {seed}: {run} programs of {steps} statements in {seconds:.1} s, {:.0} a second; {skipped} skipped; {} that differ, {unconfirmed} that did so only once",
        kind.name(),
        *run as f64 / seconds,
        failures
    );
    let mut refused: Vec<_> = refused.iter().map(|(state, count)| (count, state)).collect();
    refused.sort_unstable_by(|one, other| other.cmp(one));
    let refused: Vec<String> = refused.iter().take(12).map(|(count, state)| format!("{state} {count}")).collect();
    println!("    refused: {}", refused.join(", "));
}

fn show(kind: Kind, seed: u64, failure: &Failure) {
    let Failure { number, history, program, why, step, without, with } = failure;
    let kind = kind.name();
    println!("\n=== {kind}: {why}, in program {number}: make noninterference KIND={kind} SEED={seed} ONLY={number}");
    if !history.is_empty() {
        println!("--- after {} of the programs from {} to {}", history.len(), history[0], history[history.len() - 1]);
    }
    println!("{}", program.text());
    println!("--- at: {step}");
    // A line that is there more often than in the other answer stays as often as it is more.
    let only = |answer: &Answer, other: &Answer| -> Vec<String> {
        let mut left = other.lines.clone();
        let more = |line: &&String| match left.iter().position(|other| other == *line) {
            Some(at) => {
                left.swap_remove(at);
                false
            }
            None => true,
        };
        answer.lines.iter().filter(more).cloned().collect()
    };
    let (without, with) = (only(without, with), only(with, without));
    for at in 0..without.len().max(with.len()).min(12) {
        let line = |lines: &[String]| lines.get(at).cloned().unwrap_or_default();
        let (one, other) = (line(&without), line(&with));
        // Long ones from a little before they differ.
        let same = one.chars().zip(other.chars()).take_while(|(one, other)| one == other).count();
        let from = if same > 200 { same - 100 } else { 0 };
        for (name, line) in [("without", one), ("with", other)] {
            println!("{name:>8}: {}", line.chars().skip(from).take(500).collect::<String>());
        }
    }
}
