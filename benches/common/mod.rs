//! What the benchmarks share. A figure alone says little on a machine that others use too, so everything is measured as a
//! ratio: blocks of the one and of the other by turns, after warming up, and of the ratios of neighbours the median with its
//! spread. Instructions of the backend are counted beside the clock, where the kernel lets us.
#![allow(dead_code)]

mod counter;

use counter::Counter;
use postgres::{Client, Config, NoTls};
use std::env;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("{name} is not set: run the benchmarks by `make bench`"))
}

/// The database that `database()` has made, for a room whose data would be in the way of others'.
static DATABASE: OnceLock<String> = OnceLock::new();

/// Makes a database with that data, to which all sessions connect from then on; and a superuser's session there.
pub fn database(name: &str, data: &str) -> Client {
    run(&mut connect("postgres"), &format!("CREATE DATABASE {name}"));
    DATABASE.set(name.to_owned()).expect("one database");
    let mut server = connect("postgres");
    run(&mut server, data);
    server
}

/// A session of its own on the throw-away cluster that `benches/run.sh` started.
pub fn connect(role: &str) -> Client {
    connect_to(&DATABASE.get().cloned().unwrap_or_else(|| variable("PGDATABASE")), role)
}

/// The same in a database of that name.
pub fn connect_to(database: &str, role: &str) -> Client {
    let mut client =
        configured(database, role).connect(NoTls).unwrap_or_else(|error| panic!("{role} cannot connect: {error}"));
    // Rows of generate_series() stay in memory, and no autovacuum's snapshot matters to us.
    run(&mut client, "SET work_mem = '64MB'");
    client
}

/// How to connect, for who wants more than a session.
pub fn configured(database: &str, role: &str) -> Config {
    let mut config = Config::new();
    config.host(&variable("PGHOST")).port(variable("PGPORT").parse().expect("a port")).dbname(database).user(role);
    config
}

/// A number that the environment may set.
pub fn number(name: &str, default: u64) -> u64 {
    env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// Runs statements that must succeed.
pub fn run(client: &mut Client, statements: &str) {
    client.batch_execute(statements).unwrap_or_else(|error| panic!("{statements}: {error:?}"));
}

/// What a block of work took.
#[derive(Clone, Copy, Default)]
pub struct Cost {
    seconds: f64,
    instructions: Option<f64>,
}

impl Cost {
    fn less(self, floor: Cost) -> Cost {
        Cost {
            seconds: self.seconds - floor.seconds,
            instructions: self.instructions.zip(floor.instructions).map(|(own, floor)| own - floor),
        }
    }
}

/// Adds up what is measured of a block.
pub struct Meter<'a> {
    counter: Option<&'a Counter>,
    elapsed: Duration,
    instructions: u64,
}

impl Meter<'_> {
    /// Measures `work`; what a block does outside of it is not counted.
    pub fn measure<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let before = self.counter.map(Counter::read);
        let start = Instant::now();
        let result = work();
        self.elapsed += start.elapsed();
        if let Some((counter, before)) = self.counter.zip(before) {
            self.instructions += counter.read() - before;
        }
        result
    }
}

/// Does what is compared so many times, and measures what shall count.
type Work<'a> = Box<dyn FnMut(&mut Client, &mut Meter, u64) + 'a>;

/// One of the things that are compared: a session, and what it does so many times.
pub struct Arm<'a> {
    what: String,
    client: Client,
    counter: Option<Counter>,
    work: Work<'a>,
}

impl<'a> Arm<'a> {
    /// `work` does it as many times as it is told, and measures what shall count.
    pub fn new(what: &str, mut client: Client, work: impl FnMut(&mut Client, &mut Meter, u64) + 'a) -> Arm<'a> {
        let backend = client.query_one("SELECT pg_backend_pid()", &[]).expect("the backend's id").get(0);
        Arm { what: what.to_owned(), client, counter: Counter::of(backend).ok(), work: Box::new(work) }
    }

    /// `work` does it once, and all of it counts.
    pub fn each(what: &str, client: Client, mut work: impl FnMut(&mut Client) + 'a) -> Arm<'a> {
        Arm::new(what, client, move |client, meter, times| {
            meter.measure(|| {
                for _ in 0..times {
                    work(client);
                }
            });
        })
    }

    fn block(&mut self, times: u64) -> Cost {
        let mut meter = Meter { counter: self.counter.as_ref(), elapsed: Duration::ZERO, instructions: 0 };
        (self.work)(&mut self.client, &mut meter, times);
        let each = times as f64;
        Cost {
            seconds: meter.elapsed.as_secs_f64() / each,
            instructions: meter.counter.map(|_| meter.instructions as f64 / each),
        }
    }

    /// How many times make a block that is long enough for the clock; also the warming up.
    fn block_size(&mut self, target: Duration) -> u64 {
        let mut times = 1;
        loop {
            let start = Instant::now();
            self.block(times);
            if start.elapsed() >= target {
                return times;
            }
            times *= 2;
        }
    }
}

/// What a ratio should be.
#[derive(Clone, Copy)]
pub enum Goal {
    None,
    AtMost(f64),
    Below(f64),
    AtLeast(f64),
}

impl Goal {
    fn judge(self, ratios: &Spread) -> String {
        let (text, limit, met) = match self {
            Goal::None => return String::new(),
            Goal::AtMost(limit) => (format!("<= {limit:.2}"), limit, ratios.median <= limit),
            Goal::Below(limit) => (format!("< {limit:.2}"), limit, ratios.median < limit),
            Goal::AtLeast(limit) => (format!(">= {limit:.2}"), limit, ratios.median >= limit),
        };
        let met = if met { "met" } else { "missed" };
        let close = if ratios.low <= limit && limit <= ratios.high { ", within the spread" } else { "" };
        format!("goal {text} {met}{close}")
    }
}

/// Median and quartiles of what was measured, and its extremes.
#[derive(Clone, Copy)]
pub struct Spread {
    pub median: f64,
    pub low: f64,
    pub high: f64,
    pub least: f64,
    pub most: f64,
}

impl Spread {
    pub fn of(mut values: Vec<f64>) -> Spread {
        values.sort_by(f64::total_cmp);
        let at = |part: f64| values[((values.len() - 1) as f64 * part).round() as usize];
        Spread { median: at(0.5), low: at(0.25), high: at(0.75), least: at(0.0), most: at(1.0) }
    }
}

/// Compares, and prints a line for each comparison.
pub struct Bench {
    rounds: usize,
    block: Duration,
    plans: Vec<(String, String)>,
}

impl Bench {
    pub fn new() -> Bench {
        let bench = Bench {
            rounds: number("BENCH_ROUNDS", 41) as usize,
            block: Duration::from_millis(number("BENCH_BLOCK_MS", 30)),
            plans: Vec::new(),
        };
        println!(
            "{} rounds, blocks of {} ms at least. Each line: median ratio [quartiles; least..most], the medians, and",
            bench.rounds,
            bench.block.as_millis()
        );
        println!("the same of the instructions in user space that the backend executes.");
        bench
    }

    /// How much `subject` costs against `baseline`. What `floor` costs, where there is one, is part of both and taken off.
    pub fn compare(
        &mut self,
        name: &str,
        goal: Goal,
        subject: &mut Arm,
        baseline: &mut Arm,
        mut floor: Option<&mut Arm>,
    ) -> Spread {
        let times = subject.block_size(self.block).max(baseline.block_size(self.block));
        if let Some(floor) = &mut floor {
            floor.block(times);
        }
        let (mut own, mut other) = (Vec::new(), Vec::new());
        for round in 0..self.rounds {
            // By turns also who comes first: what the first leaves behind in the machine's caches is not always the same's.
            let (subject_cost, baseline_cost) = if round % 2 == 0 {
                let cost = subject.block(times);
                (cost, baseline.block(times))
            } else {
                let cost = baseline.block(times);
                (subject.block(times), cost)
            };
            let floor_cost = floor.as_mut().map(|floor| floor.block(times));
            own.push(floor_cost.map_or(subject_cost, |floor| subject_cost.less(floor)));
            other.push(floor_cost.map_or(baseline_cost, |floor| baseline_cost.less(floor)));
        }
        let seconds = |costs: &[Cost]| costs.iter().map(|cost| cost.seconds).collect::<Vec<_>>();
        let ratios = line(name, &baseline.what, goal, seconds(&own), seconds(&other), duration);
        let counted = |costs: &[Cost]| costs.iter().map(|cost| cost.instructions).collect::<Option<Vec<_>>>();
        match (counted(&own), counted(&other)) {
            (Some(own), Some(other)) => {
                line("", "  instructions", Goal::None, own, other, |count| format!("{count:.0}"));
            }
            _ => println!("{:44} {:44} not measured: the kernel does not let us count", "", "  instructions"),
        }
        ratios
    }

    /// Keeps the plan of a query, as that session has it, to be printed at the end.
    pub fn plan(&mut self, name: &str, client: &mut Client, query: &str) {
        let rows = client.query(&format!("EXPLAIN (VERBOSE, COSTS OFF) {query}"), &[]).expect("EXPLAIN");
        let lines: Vec<String> = rows.iter().map(|row| format!("    {}", row.get::<_, String>(0))).collect();
        self.plans.push((format!("{name}: {query}"), lines.join("\n")));
    }

    /// Prints the plans.
    pub fn finish(self) {
        println!("\nPlans");
        for (name, plan) in self.plans {
            println!("  {name}\n{plan}");
        }
    }
}

fn line(name: &str, against: &str, goal: Goal, own: Vec<f64>, other: Vec<f64>, unit: impl Fn(f64) -> String) -> Spread {
    let ratios = Spread::of(own.iter().zip(&other).map(|(own, other)| own / other).collect());
    let (own, other) = (Spread::of(own), Spread::of(other));
    let Spread { median, low, high, least, most } = ratios;
    println!(
        "{name:44} {against:44} {median:6.3} [{low:.3} {high:.3}; {least:.3}..{most:.3}]  {} / {}  {}",
        unit(own.median),
        unit(other.median),
        goal.judge(&ratios)
    );
    ratios
}

/// Compares how many a second the one and the other did in rounds by turns, and prints the line; returns those of the one.
pub fn rates(name: &str, against: &str, goal: Goal, own: &[f64], other: &[f64]) -> Spread {
    line(name, against, goal, own.to_vec(), other.to_vec(), |rate| format!("{rate:.0}/s"));
    Spread::of(own.to_vec())
}

pub fn duration(seconds: f64) -> String {
    match seconds.abs() {
        s if s < 1e-6 => format!("{:.1} ns", seconds * 1e9),
        s if s < 1e-3 => format!("{:.2} us", seconds * 1e6),
        _ => format!("{:.2} ms", seconds * 1e3),
    }
}
