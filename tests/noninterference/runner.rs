//! Runs programs in both worlds, and makes those small whose answers differ.

use crate::answer::{self, Answer, Difference, Names};
use crate::generate::Generator;
use crate::program::Program;
use crate::wire::{self, Connection};
use crate::worlds::Templates;
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Programs that share a pair of databases. What one leaves behind (dead rows, kept plans) can be seen by those after it; then the
/// databases are copied anew, so that a program depends on few others.
pub const PROGRAMS_PER_COPY: u64 = 250;

/// How long a smaller program is looked for.
const TIME_TO_MAKE_SMALLER: Duration = Duration::from_secs(20);

/// Where other sessions of the server are at the time decides when a page is tidied up and when a cache is filled again.
const NOT_SEEN_AGAIN: &str = "not seen again";

/// Settings of every session, which RESET ALL goes back to.
/// Which worker gets which row is chance: plans for workers are run without, but where the order and number of rows do not show.
const OPTIONS: &str = "-c statement_timeout=20s -c jit=off -c max_parallel_workers=0";

pub struct Run<'a> {
    pub templates: &'a Templates,
    pub generator: &'a Generator,
    pub days: [String; 3],
    pub first: u64,
    pub programs: u64,
    pub threads: usize,
    /// Stop after so many failures.
    pub failures: usize,
    /// Is told of each.
    pub found: &'a (dyn Fn(&Failure) + Sync),
}

pub struct Failure {
    pub number: u64,
    /// What must be run before it, if it does not fail alone.
    pub history: Vec<u64>,
    pub program: Program,
    pub why: &'static str,
    pub step: String,
    pub without: Answer,
    pub with: Answer,
}

#[derive(Default)]
pub struct Outcome {
    pub run: u64,
    pub steps: u64,
    pub skipped: u64,
    /// How often statements were refused, by SQLSTATE.
    pub refused: BTreeMap<String, u64>,
    pub failures: usize,
    /// Programs that differed once, and not when they were run again with all that had run before them.
    pub unconfirmed: u64,
}

/// Both worlds, with a session per role in each.
struct Pair<'a> {
    run: &'a Run<'a>,
    databases: [String; 2],
    sessions: HashMap<&'static str, [Connection; 2]>,
}

/// What running a program came to.
enum Result {
    Same {
        steps: u64,
        refused: Vec<String>,
    },
    /// A statement took too long in one of the worlds, so that nothing is told by the answers.
    Skipped,
    Differ(Box<Difference>),
}

pub fn run(run: &Run) -> io::Result<Outcome> {
    let next = AtomicU64::new(0);
    let stop = AtomicBool::new(false);
    let outcome = Mutex::new(Outcome::default());
    let work = || -> io::Result<()> {
        while !stop.load(Ordering::Relaxed) {
            let first = next.fetch_add(PROGRAMS_PER_COPY, Ordering::Relaxed);
            if first >= run.programs {
                break;
            }
            let end = (first + PROGRAMS_PER_COPY).min(run.programs);
            batch(run, run.first + first..run.first + end, &outcome, &stop)?;
        }
        Ok(())
    };
    let work = &work;
    thread::scope(|scope| {
        let threads: Vec<_> = (0..run.threads).map(|_| scope.spawn(work)).collect();
        threads
            .into_iter()
            .try_for_each(|thread| thread.join().unwrap_or_else(|_| Err(io::Error::other("a thread panicked"))))
    })?;
    Ok(outcome.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// The programs of one pair of databases.
fn batch(run: &Run, programs: std::ops::Range<u64>, outcome: &Mutex<Outcome>, stop: &AtomicBool) -> io::Result<()> {
    let first = programs.start;
    let mut pair = Pair::new(run, first)?;
    let mut from = first;
    for number in programs {
        if stop.load(Ordering::Relaxed) {
            return Ok(());
        }
        let program = run.generator.program(number);
        let result = pair.try_run(&program);
        let count = |change: &dyn Fn(&mut Outcome)| change(&mut outcome.lock().unwrap_or_else(PoisonError::into_inner));
        count(&|outcome| outcome.run += 1);
        match result {
            Ok(Result::Same { steps, refused }) => count(&|outcome| {
                outcome.steps += steps;
                for state in &refused {
                    *outcome.refused.entry(state.clone()).or_default() += 1;
                }
            }),
            Ok(Result::Skipped) => {
                count(&|outcome| outcome.skipped += 1);
                pair = Pair::new(run, first)?;
                from = number + 1;
            }
            Ok(Result::Differ(difference)) => {
                println!("program {number} as {}: {}; making it smaller", program.role, difference.why);
                let failure = explain(run, from..number, program, *difference)?;
                let mut outcome = outcome.lock().unwrap_or_else(PoisonError::into_inner);
                if failure.why == NOT_SEEN_AGAIN {
                    println!("{}", failure.step);
                    outcome.unconfirmed += 1;
                } else if outcome.failures < run.failures {
                    (run.found)(&failure);
                    outcome.failures += 1;
                }
                if outcome.failures >= run.failures {
                    stop.store(true, Ordering::Relaxed);
                }
                drop(outcome);
                pair = Pair::new(run, first)?;
                from = number + 1;
            }
            Err(error) => return Err(io::Error::other(format!("program {number}: {error}\n{}", program.text()))),
        }
    }
    Ok(())
}

/// Finds out whether the program fails alone or after which others, and makes it small.
fn explain(run: &Run, before: std::ops::Range<u64>, program: Program, found: Difference) -> io::Result<Failure> {
    let number = before.end;
    let first = number;
    let differs = |history: &[u64], program: &Program| -> io::Result<Option<Difference>> {
        let mut pair = Pair::new(run, before.start)?;
        for earlier in history {
            pair.try_run(&run.generator.program(*earlier))?;
        }
        match pair.try_run(program)? {
            Result::Differ(difference) => Ok(Some(*difference)),
            _ => Ok(None),
        }
    };
    let mut history: Vec<u64> = Vec::new();
    let mut known = differs(&history, &program)?;
    let mut length = 1;
    while known.is_none() && history.len() as u64 != first - before.start {
        history = (before.start.max(first.saturating_sub(length))..first).collect();
        length *= 4;
        known = differs(&history, &program)?;
    }
    let Some(mut known) = known else {
        let step = program.steps[found.step].sql.text();
        return Ok(Failure {
            number,
            history,
            program,
            why: NOT_SEEN_AGAIN,
            step,
            without: found.without,
            with: found.with,
        });
    };
    // Fewer of those before it, then less of the program itself. Both take new databases for each try where it depends on others.
    let begun = Instant::now();
    let in_time = || begun.elapsed() < TIME_TO_MAKE_SMALLER;
    let mut part = history.len() / 2;
    while part > 0 {
        let mut at = 0;
        while at < history.len() && in_time() {
            let mut fewer = history.clone();
            fewer.drain(at..(at + part).min(history.len()));
            match differs(&fewer, &program)? {
                Some(difference) => (history, known) = (fewer, difference),
                None => at += part,
            }
        }
        part /= 2;
    }
    let mut program = program;
    let mut pair = Pair::new(run, before.start)?;
    let mut at = 0;
    let mut changed = false;
    while in_time() {
        let candidate = program.smaller().nth(at);
        let Some(smaller) = candidate else {
            if !changed {
                break;
            }
            (at, changed) = (0, false);
            continue;
        };
        let result = if history.is_empty() {
            pair.try_run(&smaller)?
        } else {
            differs(&history, &smaller)?.map_or(Result::Skipped, |found| Result::Differ(Box::new(found)))
        };
        match result {
            Result::Differ(difference) => (program, known, changed) = (smaller, *difference, true),
            _ => at += 1,
        }
    }
    let step = program.steps[known.step].sql.text();
    Ok(Failure { number, history, program, why: known.why, step, without: known.without, with: known.with })
}

impl Drop for Pair<'_> {
    fn drop(&mut self) {
        self.sessions.clear();
        if let Err(error) = self.run.templates.done_with(&self.databases) {
            println!("{error}");
        }
    }
}

impl<'a> Pair<'a> {
    /// A new pair of databases; by the number of the batch they are analysed or not.
    fn new(run: &'a Run<'a>, batch: u64) -> io::Result<Pair<'a>> {
        let analysed = (batch / PROGRAMS_PER_COPY) % 4 != 3;
        let copy = |with| run.templates.copy(with, analysed);
        Ok(Pair { run, databases: [copy(false)?, copy(true)?], sessions: HashMap::new() })
    }

    fn try_run(&mut self, program: &Program) -> io::Result<Result> {
        if !self.sessions.contains_key(program.role) {
            let open = |database: &str| -> io::Result<Connection> {
                let mut connection = Connection::open(database, program.role, OPTIONS)?;
                connection.run(include_str!("session.sql"))?;
                Ok(connection)
            };
            self.sessions.insert(program.role, [open(&self.databases[0])?, open(&self.databases[1])?]);
        }
        let Some(sessions) = self.sessions.get_mut(program.role) else { return Ok(Result::Skipped) };
        let mut messages = [wire::query("ROLLBACK"), wire::query(include_str!("reset.sql"))].concat();
        let mut places = Vec::new();
        let mut replies = 2;
        let mut savepoint = false;
        for step in &program.steps {
            let (sent, count, own) = step.messages(savepoint);
            savepoint = step.guarded || (savepoint && !step.fixed);
            messages.extend(sent);
            places.push(replies + own);
            replies += count;
        }
        for session in sessions.iter_mut() {
            session.send(&messages)?;
        }
        let mut answers = [Vec::new(), Vec::new()];
        let (mut skipped, mut refused) = (false, Vec::new());
        for (world, session) in sessions.iter_mut().enumerate() {
            let names = Names { database: self.databases[world].clone(), days: self.run.days.clone() };
            let mut place = 0;
            for reply in 0..replies {
                let reply_to = session.receive()?;
                if place < places.len() && places[place] == reply {
                    let states = reply_to
                        .messages
                        .iter()
                        .filter(|(kind, _)| *kind == b'E')
                        .map(|(_, error)| wire::sqlstate(error));
                    for state in states {
                        skipped |= state == "57014";
                        if world == 0 {
                            refused.push(state);
                        }
                    }
                    answers[world].push(Answer::of(&program.steps[place], &reply_to, &names));
                    place += 1;
                }
            }
        }
        if skipped {
            return Ok(Result::Skipped);
        }
        let [without, with] = answers;
        let steps = program.steps.len() as u64;
        Ok(match answer::compare(program, without, with) {
            Some(difference) => Result::Differ(Box::new(difference)),
            None => Result::Same { steps, refused },
        })
    }
}
