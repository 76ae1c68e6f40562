//! How long searches take: under the wall, under row-level security by hand, and without any.

use super::data::{Maker, Owner, Set, memory_for_index};
use super::queries::{KINDS, Kind, Query, queries};
use crate::common::{configured, connect_to, run};
use postgres::types::ToSql;
use postgres::{Client, NoTls, Statement};
use std::env;
use std::fmt::Write as _;
use std::fs;
use std::process::{self, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// Queries of one contender before it is the next one's turn.
const BLOCK: usize = 25;

/// Queries of which a median is taken, however long they take.
const FEWEST: usize = 5;

pub fn judge(goal: &str, met: bool, what: &str) {
    println!("goal {goal}: {} ({what})", if met { "met" } else { "missed" });
}

/// The same of each kind of query in each owner; `not`: those of which it does not hold.
fn judge_each(goal: &str, not: &[String]) {
    let what = if not.is_empty() { "every kind".to_owned() } else { format!("not: {}", not.join(", ")) };
    judge(goal, not.is_empty(), &what);
}

/// Makes and fills the tables of (a) and (b), and prints what that took.
pub fn make_by_hand(database: &str) {
    let start = Instant::now();
    let mut server = connect_to(database, "postgres");
    run(&mut server, &format!("{}; {}", memory_for_index(), include_str!("by_hand.sql")));
    const INDEXES: [&str; 4] = [
        "ALTER TABLE bench.by_hand ADD PRIMARY KEY (owner_id, id)",
        "CREATE INDEX by_hand_phones ON bench.by_hand USING gin (owner_id, normal_phones)",
        "CREATE INDEX by_hand_activity ON bench.by_hand (owner_id, last_activity_at DESC NULLS LAST, id)",
        "CREATE INDEX by_hand_text ON bench.by_hand USING gin (owner_id, all_text gin_trgm_ops)",
    ];
    let filled = start.elapsed();
    // One that takes an exclusive lock, then those that can be built side by side.
    run(&mut server, INDEXES[0]);
    thread::scope(|scope| {
        for index in &INDEXES[1..] {
            scope.spawn(move || {
                run(&mut connect_to(database, "postgres"), &format!("{}; {index}", memory_for_index()));
            });
        }
    });
    run(&mut server, "VACUUM (ANALYZE) bench.by_hand");
    println!(
        "the table of (a) and (b) filled in {:.0} s, with its indexes in {:.0} s",
        filled.as_secs_f64(),
        start.elapsed().as_secs_f64()
    );
}

/// Reads all indexes into the server's buffers, ours first: else what was made last is there, and the other is not.
pub fn read_indexes(database: &str) {
    let mut server = connect_to(database, "postgres");
    run(&mut server, "CREATE EXTENSION IF NOT EXISTS pg_prewarm");
    for table in ["ringfence.customer", "bench.by_hand"] {
        run(&mut server, &format!("SELECT pg_prewarm(indexrelid) FROM pg_index WHERE indrelid = '{table}'::regclass"));
    }
}

/// While it lives, this process and the sessions that it measures are on one CPU, for the reason that `benches/run.sh` says. Parallel workers,
/// which (a) and (b) may have, are on all.
pub struct OneCpu {
    before: String,
}

impl OneCpu {
    fn wanted() -> Option<String> {
        env::var("BENCH_CPU").ok().filter(|cpu| cpu != "all")
    }

    /// On which CPUs this process may run.
    fn allowed() -> Option<String> {
        let status = fs::read_to_string("/proc/self/status").ok()?;
        Some(status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?.trim().to_owned())
    }

    /// None where it is left to the kernel.
    pub fn take() -> Option<OneCpu> {
        let before = OneCpu::allowed()?;
        let cpu = OneCpu::wanted().filter(|cpu| run_on(cpu, process::id()))?;
        println!("\nclient and server on CPU {cpu}");
        Some(OneCpu { before })
    }

    fn take_server(client: &mut Client) {
        if let Some(cpu) = OneCpu::wanted().filter(|cpu| OneCpu::allowed().as_ref() == Some(cpu)) {
            let server: i32 = client.query_one("SELECT pg_backend_pid()", &[]).expect("its process").get(0);
            assert!(run_on(&cpu, server as u32), "the server's process {server} on CPU {cpu}");
        }
    }
}

impl Drop for OneCpu {
    fn drop(&mut self) {
        run_on(&self.before, process::id());
    }
}

/// Has a process run on these CPUs.
fn run_on(cpus: &str, process: u32) -> bool {
    let taskset = Command::new("taskset").args(["-cp", cpus, &process.to_string()]).stdout(Stdio::null()).status();
    taskset.is_ok_and(|status| status.success())
}

/// Whom a query is asked of.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Contender {
    Ours,
    /// `find_by_phone()`, of full phones only.
    LookUp,
    /// Row-level security by hand and ILIKE.
    A,
    /// A literal owner, by a role that row-level security does not bind; the GIN index.
    B,
    /// The same two with what may help besides: LIKE, a b-tree in the rows' order, a plan for each query.
    APlus,
    BPlus,
}

pub const CONTENDERS: [Contender; 6] =
    [Contender::Ours, Contender::LookUp, Contender::A, Contender::B, Contender::APlus, Contender::BPlus];

impl Contender {
    pub fn name(self) -> &'static str {
        match self {
            Contender::Ours => "ringfence",
            Contender::LookUp => "find_by_phone",
            Contender::A => "(a)",
            Contender::B => "(b)",
            Contender::APlus => "(a+)",
            Contender::BPlus => "(b+)",
        }
    }

    fn takes_part(self, kind: Kind) -> bool {
        self != Contender::LookUp || kind == Kind::FullPhone
    }

    fn role(self) -> &'static str {
        match self {
            Contender::Ours | Contender::LookUp => "search_agent",
            Contender::A | Contender::APlus => "search_hand",
            Contender::B | Contender::BPlus => "search_unbound",
        }
    }

    /// What a session says before it asks. Ours binds its owner for a transaction, in which many searches follow.
    fn prelude(self, owner: &Owner, kind: Kind) -> String {
        const NO_B_TREE: &str = "SET enable_indexscan = off";
        const PLAN_EACH: &str = "SET plan_cache_mode = force_custom_plan";
        let id = owner.id();
        match self {
            Contender::Ours | Contender::LookUp => format!("BEGIN; SET LOCAL ringfence.owner = '{id}'"),
            Contender::A => format!("SET app.owner = '{id}'; {NO_B_TREE}"),
            // A plan that is kept does not know that there is no trigram in the pattern, and reads the whole index.
            Contender::B if kind == Kind::TwoCharacters => format!("{NO_B_TREE}; {PLAN_EACH}"),
            Contender::B => NO_B_TREE.to_owned(),
            Contender::APlus => format!("SET app.owner = '{id}'; {PLAN_EACH}"),
            Contender::BPlus => PLAN_EACH.to_owned(),
        }
    }

    fn statement(self, owner: &Owner, kind: Kind) -> String {
        let scope = match self {
            Contender::Ours => return "SELECT * FROM ringfence.search_customers($1)".to_owned(),
            Contender::LookUp => return "SELECT * FROM ringfence.find_by_phone($1)".to_owned(),
            Contender::A | Contender::APlus => String::new(),
            Contender::B | Contender::BPlus => format!("owner_id = '{}' AND ", owner.id()),
        };
        let like = if self == Contender::A { "ILIKE" } else { "LIKE" };
        let condition = match kind {
            Kind::Typo => "all_text %> $1".to_owned(),
            Kind::FullPhone => "normal_phones @> ARRAY[$1]".to_owned(),
            Kind::TwoWords => format!("all_text {like} $1 AND all_text {like} $2"),
            _ => format!("all_text {like} $1"),
        };
        format!(
            "SELECT id, name, phones, emails, company_id, last_activity_at FROM bench.by_hand
              WHERE {scope}{condition} ORDER BY last_activity_at DESC NULLS LAST, id LIMIT 20"
        )
    }

    fn parameters(self, kind: Kind, query: &Query) -> Vec<String> {
        if matches!(self, Contender::Ours | Contender::LookUp) {
            return vec![query.text.clone()];
        }
        let lower = query.text.to_lowercase();
        match kind {
            Kind::Typo => vec![lower],
            Kind::FullPhone => vec![query.text.clone()],
            Kind::TwoWords => lower.split(' ').map(|word| format!("%{word}%")).collect(),
            Kind::PhoneEnding => vec![format!("%{lower} %")],
            _ => vec![format!("%{lower}%")],
        }
    }
}

/// Sorted times in milliseconds.
#[derive(Clone, Debug, Default)]
pub struct Times(Vec<f64>);

impl Times {
    pub fn new(mut times: Vec<f64>) -> Times {
        times.sort_by(f64::total_cmp);
        Times(times)
    }

    pub fn at(&self, part: f64) -> f64 {
        let last = self.0.len().saturating_sub(1);
        self.0.get((last as f64 * part).round() as usize).copied().unwrap_or(f64::NAN)
    }

    pub fn median(&self) -> f64 {
        self.at(0.5)
    }

    pub fn p95(&self) -> f64 {
        self.at(0.95)
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }
}

/// A session that asks, and how long its queries took so far.
struct Arm {
    client: Client,
    statement: Statement,
    asked: Vec<Vec<String>>,
    times: Vec<f64>,
    rows: usize,
    left: Duration,
}

impl Arm {
    fn new(database: &str, contender: Contender, owner: &Owner, kind: Kind, queries: &[Query], left: Duration) -> Arm {
        let mut client = connect_to(database, contender.role());
        OneCpu::take_server(&mut client);
        run(&mut client, &contender.prelude(owner, kind));
        let statement = client.prepare(&contender.statement(owner, kind)).expect("the query");
        let asked = queries.iter().map(|query| contender.parameters(kind, query)).collect();
        Arm { client, statement, asked, times: Vec::new(), rows: 0, left }
    }

    /// Asks queries, so many or as many as there is time for, without counting them.
    fn warm_up(&mut self, most: usize) {
        let left = self.left;
        for n in 0..self.asked.len().min(most) {
            if self.left.is_zero() {
                break;
            }
            self.ask(n);
        }
        (self.rows, self.times, self.left) = (0, Vec::new(), left);
    }

    fn ask(&mut self, n: usize) {
        let parameters: Vec<&(dyn ToSql + Sync)> =
            self.asked[n].iter().map(|text| text as &(dyn ToSql + Sync)).collect();
        let start = Instant::now();
        let rows = self.client.query(&self.statement, &parameters).expect("the query");
        let elapsed = start.elapsed();
        self.rows += rows.len();
        self.times.push(elapsed.as_secs_f64() * 1000.0);
        self.left = self.left.saturating_sub(elapsed);
    }

    /// The next block of queries; what takes long is not waited for a thousand times.
    fn block(&mut self) -> bool {
        let from = self.times.len();
        for n in from..self.asked.len().min(from + BLOCK) {
            if self.left.is_zero() && self.times.len() >= FEWEST {
                return false;
            }
            self.ask(n);
        }
        self.times.len() < self.asked.len()
    }
}

/// What was measured of one contender with one kind of query in one owner.
pub struct Measured {
    pub owner: u64,
    pub kind: Kind,
    pub contender: Contender,
    pub times: Times,
    /// The same in the order of the queries.
    in_order: Vec<f64>,
    rows: f64,
}

impl Measured {
    /// How many times ours is faster, over the queries that both were asked.
    fn ratio(&self, ours: &Measured) -> f64 {
        let both = self.in_order.len().min(ours.in_order.len());
        let median = |measured: &Measured| Times::new(measured.in_order[..both].to_vec()).median();
        median(self) / median(ours)
    }
}

pub struct Latencies {
    measured: Vec<Measured>,
    /// Every plan in full.
    pub plans: String,
}

impl Latencies {
    fn of(&self, owner: u64, kind: Kind, contender: Contender) -> Option<&Measured> {
        self.measured.iter().find(|m| (m.owner, m.kind, m.contender) == (owner, kind, contender))
    }

    fn where_not(&self, contender: Contender, holds: impl Fn(&Measured) -> bool) -> Vec<String> {
        self.measured
            .iter()
            .filter(|measured| measured.contender == contender && !holds(measured))
            .map(|measured| format!("{} in {}", measured.kind.name(), measured.owner))
            .collect()
    }

    /// A line for each goal.
    pub fn judge(&self, set: &Set) {
        let largest = set.owners[0].number;
        let against = |measured: &Measured, other: Contender| {
            let other = self.of(measured.owner, measured.kind, other).expect("measured");
            other.ratio(measured)
        };
        println!();
        judge_each(
            "100 times faster than (a) in the largest owner",
            &self.where_not(Contender::Ours, |m| m.owner != largest || against(m, Contender::A) >= 100.0),
        );
        judge_each("faster than (b) everywhere", &self.where_not(Contender::Ours, |m| against(m, Contender::B) > 1.0));
        println!(
            "no goal, faster than (b+) as well: {}",
            match self.where_not(Contender::Ours, |m| against(m, Contender::BPlus) > 1.0) {
                not if not.is_empty() => "everywhere".to_owned(),
                not => format!("not {}", not.join(", ")),
            }
        );
        let of = if set.name == "M" { "" } else { " (a goal at M)" };
        judge_each(
            &format!("p95 below 5 ms for every kind{of}, by turns"),
            &self.where_not(Contender::Ours, |m| m.times.p95() < 5.0),
        );
        judge_each(
            "look-up by full phone below 1 ms, by turns",
            &self.where_not(Contender::LookUp, |m| m.times.median() < 1.0),
        );
        judge_each(
            "the same of its p95 (no goal), by turns",
            &self.where_not(Contender::LookUp, |m| m.times.p95() < 1.0),
        );
    }
}

/// Measures ours in three owners of a set with nobody else asking: what (a) and (b) read leaves little of anything in memory. Twice, since of a
/// set that was just made the server has little in its buffers; the second time counts.
pub fn alone(set: &Set, database: &str, count: usize) {
    for time in ["the first time", "the second time"] {
        println!(
            "\nLatency at the client of ringfence alone, set {}, {count} queries asked {time}: median / p95 / p99 in ms",
            set.name
        );
        let (slow, slow_look_up) = ask_alone(set, database, count);
        println!();
        let of = if set.name == "M" { "" } else { " (a goal at M)" };
        judge_each(&format!("p95 below 5 ms for every kind{of}, {time}"), &slow);
        judge_each(&format!("look-up by full phone below 1 ms, {time}"), &slow_look_up);
    }
}

/// Which kinds of searches and look-ups take longer than they should.
fn ask_alone(set: &Set, database: &str, count: usize) -> (Vec<String>, Vec<String>) {
    let maker = Maker::new();
    let (mut slow, mut slow_look_up) = (Vec::new(), Vec::new());
    for owner in set.measured() {
        println!("\n{} of {}, {} customers", owner.name(), set.name, owner.customers);
        for kind in KINDS {
            let queries = queries(&maker, owner, kind, count);
            for contender in [Contender::Ours, Contender::LookUp].into_iter().filter(|one| one.takes_part(kind)) {
                if queries.is_empty() {
                    continue;
                }
                let mut arm = Arm::new(database, contender, owner, kind, &queries, Duration::from_secs(60));
                // Until plans are kept.
                arm.warm_up(2 * BLOCK);
                while arm.block() {}
                let times = Times::new(arm.times);
                let name = if contender == Contender::LookUp { "find_by_phone()" } else { kind.name() };
                println!("  {name:20} {:6.2} / {:6.2} / {:6.2}", times.median(), times.p95(), times.at(0.99));
                let what = format!("{name} in {} {:.2}", owner.number, times.p95());
                match contender {
                    Contender::LookUp if times.median() >= 1.0 => slow_look_up.push(what),
                    Contender::Ours if times.p95() >= 5.0 => slow.push(what),
                    _ => (),
                }
            }
        }
    }
    (slow, slow_look_up)
}

/// Measures every kind of query in three owners of a set. `seconds`: how long one of (a) and (b) may take with one kind.
pub fn measure(set: &Set, database: &str, count: usize, seconds: f64) -> Latencies {
    println!(
        "\nLatency at the client, median / p95 in ms (queries, if fewer than {count}), and how many times ours is faster, by the"
    );
    println!(
        "medians of those that both were asked, each the second time. (a): RLS by hand, ILIKE; (b): literal owner, no RLS, GIN; (a+), (b+):"
    );
    println!(
        "LIKE, a b-tree in the rows' order, a plan for each query. Then the rows found, on average, in the same order"
    );
    let maker = Maker::new();
    let mut result = Latencies { measured: Vec::new(), plans: String::new() };
    for owner in set.measured() {
        println!("\n{} of {}, {} customers", owner.name(), set.name, owner.customers);
        for kind in KINDS {
            let queries = queries(&maker, owner, kind, count);
            if queries.is_empty() {
                println!("  {:20} nobody to ask for", kind.name());
                continue;
            }
            let contenders: Vec<Contender> = CONTENDERS.into_iter().filter(|one| one.takes_part(kind)).collect();
            let mut arms: Vec<Arm> = contenders
                .iter()
                .map(|contender| {
                    let seconds = match contender {
                        // All of them, unless something is wrong.
                        Contender::Ours | Contender::LookUp => 30.0,
                        Contender::A | Contender::B => seconds,
                        Contender::APlus | Contender::BPlus => seconds / 2.0,
                    };
                    Arm::new(database, *contender, owner, kind, &queries, Duration::from_secs_f64(seconds))
                })
                .collect();
            // The second time counts, for all of them: each has pushed what the others had read out of the server's buffers.
            arms.iter_mut().for_each(|arm| arm.warm_up(usize::MAX));
            // By turns, so that what else the machine does meets all of them.
            while arms.iter_mut().map(Arm::block).fold(false, |any, more| any | more) {}
            for (contender, arm) in contenders.iter().zip(arms) {
                let rows = arm.rows as f64 / arm.times.len() as f64;
                result.measured.push(Measured {
                    owner: owner.number,
                    kind,
                    contender: *contender,
                    times: Times::new(arm.times.clone()),
                    in_order: arm.times,
                    rows,
                });
            }
            result.print(owner, kind, count);
            result.plan(database, owner, kind, &queries[queries.len() / 2]);
        }
    }
    result
}

impl Latencies {
    fn print(&self, owner: &Owner, kind: Kind, count: usize) {
        let ours = self.of(owner.number, kind, Contender::Ours).expect("measured");
        let mut line = format!("  {:18}", kind.name());
        let mut rows = Vec::new();
        for contender in CONTENDERS {
            let Some(measured) = self.of(owner.number, kind, contender).filter(|m| m.contender != Contender::LookUp)
            else {
                continue;
            };
            let times = &measured.times;
            write!(line, "  {} {:.2} / {:.2}", contender.name(), times.median(), times.p95()).expect("a string");
            if contender != Contender::Ours {
                write!(line, " = {:.1}x", measured.ratio(ours)).expect("a string");
            }
            if times.len() < count {
                write!(line, " ({})", times.len()).expect("a string");
            }
            rows.push(format!("{:.1}", measured.rows));
        }
        println!("{line}  rows {}", rows.join("/"));
        if let Some(look_up) = self.of(owner.number, kind, Contender::LookUp) {
            println!("  {:18}  {:.2} / {:.2}", "find_by_phone()", look_up.times.median(), look_up.times.p95());
        }
    }

    /// The plans of one query.
    fn plan(&mut self, database: &str, owner: &Owner, kind: Kind, query: &Query) {
        writeln!(self.plans, "{} in {}: {:?}", kind.name(), owner.name(), query.text).expect("a string");
        for contender in CONTENDERS.into_iter().filter(|one| one.takes_part(kind)) {
            for plan in plans(database, contender, owner, kind, query) {
                writeln!(self.plans, "  {}\n{plan}", contender.name()).expect("a string");
                // Those of one owner say enough at a glance.
                if matches!(contender, Contender::Ours | Contender::A | Contender::B) && owner.number == 1 {
                    println!("    {:10} {}", contender.name(), compact(&plan));
                }
            }
        }
    }
}

/// The plans with which a contender answers: of search_customers() those of the statements inside of it.
fn plans(database: &str, contender: Contender, owner: &Owner, kind: Kind, query: &Query) -> Vec<String> {
    let said = Arc::new(Mutex::new(Vec::new()));
    let listener = said.clone();
    let mut config = configured(database, "postgres");
    config.notice_callback(move |notice| {
        if let Some(plan) = notice.message().split_once("plan:\n") {
            listener.lock().expect("nobody panics").push(plan.1.to_owned());
        }
    });
    let mut client = config.connect(NoTls).expect("a superuser");
    let settings = [
        "LOAD 'auto_explain'",
        "SET auto_explain.log_min_duration = 0",
        "SET auto_explain.log_analyze = on",
        "SET auto_explain.log_nested_statements = on",
        "SET auto_explain.log_level = notice",
        "SET work_mem = '64MB'",
    ];
    run(&mut client, &format!("{}; SET SESSION AUTHORIZATION {}", settings.join("; "), contender.role()));
    run(&mut client, &contender.prelude(owner, kind));
    let parameters = contender.parameters(kind, query);
    let parameters: Vec<&(dyn ToSql + Sync)> = parameters.iter().map(|text| text as &(dyn ToSql + Sync)).collect();
    client.query(&contender.statement(owner, kind), &parameters).expect("the query");
    if contender == Contender::Ours {
        // And what plain SQL gets.
        let matches = "SELECT id FROM ringfence.customer WHERE ringfence.matches(id, $1)";
        if let Err(error) = client.query(matches, &parameters) {
            said.lock().expect("nobody panics").push(format!("{matches}: {error:?}"));
        }
    }
    // A plan is told when its portal is dropped: outside of a transaction at once, else at the end of it.
    run(&mut client, "COMMIT");
    drop(client);
    let said = said.lock().expect("nobody panics");
    said.clone()
}

/// The nodes of a plan from the top down.
fn compact(plan: &str) -> String {
    let nodes: Vec<&str> = plan
        .lines()
        .filter(|line| line.contains("(cost=") || line.contains("(actual"))
        .filter_map(|line| line.split("  (").next())
        .map(|line| line.trim().trim_start_matches("->").trim())
        .collect();
    nodes.join(" < ")
}

/// Measures the smallest owner in both sets by turns: it has the same customers in each.
pub fn independence(smaller: (&Set, &str), larger: (&Set, &str), count: usize) {
    let owner = smaller.0.measured()[2];
    println!(
        "\nIndependence: {} with {} customers, in set {} and in set {} by turns, asked the second time; median / p95 in ms",
        owner.name(),
        owner.customers,
        smaller.0.name,
        larger.0.name
    );
    let maker = Maker::new();
    let mut not = Vec::new();
    for kind in KINDS {
        let queries = queries(&maker, owner, kind, count);
        if queries.is_empty() {
            continue;
        }
        let mut arms = [smaller.1, larger.1]
            .map(|database| Arm::new(database, Contender::Ours, owner, kind, &queries, Duration::from_secs(60)));
        // The second time counts: what was asked since has taken the smaller set from the server's buffers.
        arms.iter_mut().for_each(|arm| arm.warm_up(usize::MAX));
        while arms.iter_mut().map(Arm::block).fold(false, |any, more| any | more) {}
        let [alone, among] = arms.map(|arm| Times::new(arm.times));
        let ratio = among.median() / alone.median();
        println!(
            "  {:20} {:.3} / {:.3}   {:.3} / {:.3}   {ratio:.2}",
            kind.name(),
            alone.median(),
            alone.p95(),
            among.median(),
            among.p95()
        );
        if (ratio - 1.0).abs() >= 0.2 {
            not.push(format!("{} {ratio:.2}", kind.name()));
        }
    }
    judge_each("the smallest owner's median differs by less than a fifth", &not);
}
