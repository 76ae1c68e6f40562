//! Calls of many agents at once through PgBouncer in transaction mode: a switch asks whose the line is, an agent's session enters
//! that owner, finds the customer, logs the call and keeps an answer. Against the same by hand on tables without tenants.

use crate::common::{Goal, Spread, configured, duration, number, rates, run};
use crate::tests::pooler::Pooler;
use crate::{OWNERS, scale};
use futures_util::future::join_all;
use postgres::Client as Server;
use std::thread;
use std::time::{Duration, Instant};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, NoTls, Row};
use uuid::Uuid;

/// Server connections of each role.
const POOL: usize = 20;
/// Threads of the clients.
const THREADS: usize = 2;
/// Calls of each agent in a round.
const CALLS: usize = 5;

/// Who takes a call, and how.
#[derive(Clone, Copy)]
enum Way {
    Walled,
    ByHand,
}

/// One agent, beside the switch, each with a connection to the pooler.
struct Desk {
    switch: Client,
    agent: Client,
    number: usize,
    calls: usize,
}

/// What the answers of the scripts are, by owner.
struct Script {
    owner: Uuid,
    answer: Uuid,
}

/// Parse, Bind and Execute of an unnamed statement, in one round trip: the pooler keeps no names.
async fn rows(client: &Client, query: &str, parameters: &[(&(dyn ToSql + Sync), Type)]) -> Vec<Row> {
    client.query_typed(query, parameters).await.unwrap_or_else(|error| panic!("{query}: {error:?}"))
}

impl Desk {
    async fn connect(pooler: &Pooler, way: Way, number: usize) -> Desk {
        let client = async |role: &str| {
            let mut config = tokio_postgres::Config::new();
            config.host_path(pooler.host()).dbname("bench_desk").user(role);
            config.port(std::env::var("PGPORT").expect("PGPORT").parse().expect("a port"));
            let (client, connection) = config.connect(NoTls).await.unwrap_or_else(|error| panic!("{role}: {error:?}"));
            tokio::spawn(connection);
            client
        };
        let agent = match way {
            Way::Walled => "bench_desk",
            Way::ByHand => "bench_plain",
        };
        Desk { switch: client("bench_switch").await, agent: client(agent).await, number, calls: 0 }
    }

    /// Takes a call, and says how long it took.
    async fn call(&mut self, way: Way, scripts: &[Script]) -> Duration {
        self.calls += 1;
        let n = self.number * 7919 + self.calls * 104_729;
        let line = format!("+8862223{}", 10000 + n % 1000);
        let caller = format!("+8869{:08}", 1 + n % (20_000 / scale() as usize));
        let start = Instant::now();
        match way {
            Way::Walled => self.walled(&line, &caller, scripts).await,
            Way::ByHand => self.by_hand(&line, &caller, scripts).await,
        }
        start.elapsed()
    }

    async fn walled(&self, line: &str, caller: &str, scripts: &[Script]) {
        const ROUTE: &str = "SELECT owner_id, channel_id FROM ringfence.route('phone', $1)";
        let routed = rows(&self.switch, ROUTE, &[(&line, Type::TEXT)]).await;
        let (owner, channel): (Uuid, Uuid) = (routed[0].get(0), routed[0].get(1));
        let answer = answer_of(scripts, owner);
        self.agent.batch_execute("BEGIN").await.expect("BEGIN");
        rows(&self.agent, "SELECT ringfence.enter($1)", &[(&owner.to_string(), Type::TEXT)]).await;
        let find = "SELECT customer_id, name, phones FROM ringfence.find_by_phone($1)";
        let customer: Uuid = rows(&self.agent, find, &[(&caller, Type::TEXT)]).await[0].get(0);
        let log = "SELECT ringfence.log_interaction('call', customer => $1, project => 'Sales', channel => $2, remote_address => $3)";
        let parameters: [(&(dyn ToSql + Sync), Type); 3] =
            [(&customer, Type::UUID), (&channel, Type::UUID), (&caller, Type::TEXT)];
        let call: Uuid = rows(&self.agent, log, &parameters).await[0].get(0);
        rows(&self.agent, "SELECT ringfence.respond($1, $2)", &[(&call, Type::UUID), (&answer, Type::UUID)]).await;
        self.agent.batch_execute("COMMIT").await.expect("COMMIT");
    }

    async fn by_hand(&self, line: &str, caller: &str, scripts: &[Script]) {
        let find = "SELECT owner_id, channel_id, project_id FROM plain.line WHERE address = $1";
        let routed = rows(&self.switch, find, &[(&line, Type::TEXT)]).await;
        let (owner, channel, project): (Uuid, Uuid, Uuid) = (routed[0].get(0), routed[0].get(1), routed[0].get(2));
        let answer = answer_of(scripts, owner);
        self.agent.batch_execute("BEGIN").await.expect("BEGIN");
        let find = "SELECT id, name, phones FROM plain.customer WHERE owner_id = $1 AND phone = $2 ORDER BY last_activity_at DESC NULLS LAST";
        let customer: Uuid = rows(&self.agent, find, &[(&owner, Type::UUID), (&caller, Type::TEXT)]).await[0].get(0);
        // In a statement each, as its function does for the agent of ringfence.
        let log = "WITH active AS (UPDATE plain.customer SET last_activity_at = now() WHERE owner_id = $1 AND id = $2)
            INSERT INTO plain.interaction (owner_id, kind, customer_id, project_id, channel_id, remote_address)
            VALUES ($1, 'call', $2, $3, $4, $5) RETURNING id";
        let parameters: [(&(dyn ToSql + Sync), Type); 5] = [
            (&owner, Type::UUID),
            (&customer, Type::UUID),
            (&project, Type::UUID),
            (&channel, Type::UUID),
            (&caller, Type::TEXT),
        ];
        let call: Uuid = rows(&self.agent, log, &parameters).await[0].get(0);
        let respond = "WITH filled AS (UPDATE plain.customer SET attributes = attributes || jsonb_build_object('Line', 'DSL'), updated_at = now()
                                         WHERE owner_id = $1 AND id = $2)
            INSERT INTO plain.response (owner_id, interaction_id, project_id, question_id, answer_id, question, answer, value)
            SELECT i.owner_id, i.id, i.project_id, q.id, a.id, q.text, a.name, a.name
              FROM plain.interaction AS i
              JOIN plain.answer AS a ON a.owner_id = i.owner_id AND a.id = $4
              JOIN plain.question AS q ON q.owner_id = i.owner_id AND q.id = a.question_id
             WHERE i.owner_id = $1 AND i.id = $3 RETURNING id";
        let parameters: [(&(dyn ToSql + Sync), Type); 4] =
            [(&owner, Type::UUID), (&customer, Type::UUID), (&call, Type::UUID), (&answer, Type::UUID)];
        assert_eq!(rows(&self.agent, respond, &parameters).await.len(), 1, "the response");
        self.agent.batch_execute("COMMIT").await.expect("COMMIT");
    }
}

fn answer_of(scripts: &[Script], owner: Uuid) -> Uuid {
    scripts.iter().find(|script| script.owner == owner).expect("the owner's script").answer
}

/// All agents take their calls at once: calls a second, and how long each took.
fn round(pooler: &Pooler, way: Way, agents: usize, scripts: &[Script]) -> (f64, Vec<f64>) {
    let barrier = std::sync::Barrier::new(THREADS + 1);
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let barrier = &barrier;
                scope.spawn(move || {
                    let runtime =
                        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
                    runtime.block_on(async {
                        let mut desks = Vec::new();
                        // One after the other: the queue of a socket is short.
                        for number in (thread..agents).step_by(THREADS) {
                            desks.push(Desk::connect(pooler, way, number).await);
                        }
                        barrier.wait();
                        let took = join_all(desks.iter_mut().map(async |desk| {
                            let mut took = Vec::new();
                            for _ in 0..CALLS {
                                took.push(desk.call(way, scripts).await.as_secs_f64());
                            }
                            took
                        }))
                        .await;
                        barrier.wait();
                        took.concat()
                    })
                })
            })
            .collect();
        barrier.wait();
        let start = Instant::now();
        barrier.wait();
        let elapsed = start.elapsed().as_secs_f64();
        let took: Vec<f64> = threads.into_iter().flat_map(|thread| thread.join().expect("the agents")).collect();
        (took.len() as f64 / elapsed, took)
    })
}

fn p95(took: &mut [f64]) -> f64 {
    took.sort_by(f64::total_cmp);
    took[(took.len() - 1) * 95 / 100]
}

pub fn compare(server: &mut Server) {
    let agents = (1000 / scale()).max(4) as usize;
    println!(
        "\n{agents} calls at a time through PgBouncer in transaction mode, {POOL} server connections of a role: route, BEGIN, enter, \
         find_by_phone, log_interaction, respond, COMMIT"
    );
    let scripts: Vec<Script> = server
        .query("SELECT owner_id, id FROM ringfence.answer", &[])
        .expect("answers")
        .iter()
        .map(|row| Script { owner: row.get(0), answer: row.get(1) })
        .collect();
    assert_eq!(scripts.len(), OWNERS);
    let roles = ["bench_desk", "bench_plain", "bench_switch"];
    let start = |name: &str| Pooler::start(name, POOL, &roles, "max_client_conn = 5000\n");
    let pooler = start("bench_calls");
    let (mut walled, mut plain) = (Vec::new(), Vec::new());
    let (mut walled_p95, mut plain_p95) = (Vec::new(), Vec::new());
    // Once before it counts.
    for way in [Way::Walled, Way::ByHand] {
        round(&pooler, way, agents, &scripts);
    }
    for n in 0..number("BENCH_ROUNDS", 5) {
        let order = if n % 2 == 0 { [Way::Walled, Way::ByHand] } else { [Way::ByHand, Way::Walled] };
        for way in order {
            let (rate, mut took) = round(&pooler, way, agents, &scripts);
            let (rates, times) = match way {
                Way::Walled => (&mut walled, &mut walled_p95),
                Way::ByHand => (&mut plain, &mut plain_p95),
            };
            rates.push(rate);
            times.push(p95(&mut took));
        }
    }
    rates("calls a second", "by hand, no RLS, no triggers", Goal::None, &walled, &plain);
    let (own, other) = (Spread::of(walled_p95).median, Spread::of(plain_p95).median);
    println!(
        "{:44} {:44} {:6.3}  {} / {}",
        "95 of 100 calls took at most",
        "the same",
        own / other,
        duration(own),
        duration(other)
    );
    drop(pooler);
    profile(server, &start, agents, &scripts);
}

/// One more round with pg_stat_statements, where the server has it: where the time goes, per call.
fn profile(server: &mut Server, start: &dyn Fn(&str) -> Pooler, agents: usize, scripts: &[Script]) {
    let preloaded = server.query_one("SHOW shared_preload_libraries", &[]).expect("a setting").get::<_, String>(0);
    if !preloaded.contains("pg_stat_statements") {
        println!("Without pg_stat_statements in shared_preload_libraries: no profile.");
        return;
    }
    let mut reader = configured("bench_desk", "postgres").connect(NoTls).expect("a session");
    run(
        server,
        "CREATE EXTENSION IF NOT EXISTS pg_stat_statements;
         ALTER ROLE bench_desk SET pg_stat_statements.track = 'all'; ALTER ROLE bench_switch SET pg_stat_statements.track = 'all';
         ALTER ROLE bench_plain SET pg_stat_statements.track = 'all'",
    );
    for (way, what) in [(Way::Walled, "ringfence"), (Way::ByHand, "by hand")] {
        run(server, "SELECT pg_stat_statements_reset()");
        // Its server connections have the setting.
        let pooler = start("bench_profile");
        round(&pooler, way, agents, scripts);
        drop(pooler);
        let calls = (agents * CALLS) as f64;
        println!(
            "Time of the server in statements, {what}: microseconds a call, with what they call within; executions a call"
        );
        let statements = reader
            .query(
                "SELECT sum(total_exec_time), sum(calls)::float8, toplevel, left(regexp_replace(query, '\\s+', ' ', 'g'), 150)
                   FROM pg_stat_statements JOIN pg_roles AS role ON role.oid = userid
                  WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND rolname <> 'postgres'
                  GROUP BY 3, 4 ORDER BY 1 DESC LIMIT 25",
                &[],
            )
            .expect("the statements");
        for row in statements {
            let (time, executions, toplevel, query): (f64, f64, bool, String) =
                (row.get(0), row.get(1), row.get(2), row.get(3));
            println!(
                "  {:9.1} us {:6.2}  {}{query}",
                time * 1000.0 / calls,
                executions / calls,
                if toplevel { "" } else { "    within: " }
            );
        }
    }
}
