//! What the wall costs: the context, the first query of a transaction, reads by primary key.

mod common;

use common::{Arm, Bench, Goal, connect, number, run};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use postgres::{Client, SimpleQueryMessage, Statement};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use uuid::Uuid;

/// The largest owner of benches/data.sql.
const OWNER: &str = "00000000-0000-4000-8000-000000000001";

/// The reads, as each role writes them. An application behind the wall does not name the owner.
const WALLED: &str = "SELECT name FROM ringfence.customer WHERE id = $1";
const LITERAL: &str =
    "SELECT name FROM ringfence.customer WHERE owner_id = '00000000-0000-4000-8000-000000000001' AND id = $1";
const BY_HAND: &str = "SELECT name FROM by_hand.customer WHERE id = $1";

/// How a role reads customers of the owner.
#[derive(Clone, Copy)]
struct Reader {
    what: &'static str,
    role: &'static str,
    select: &'static str,
    query: &'static str,
}

const AGENT: Reader = Reader { what: "wall", role: "bench_agent", select: "ringfence.owner", query: WALLED };
const SINGLE: Reader =
    Reader { what: "SET LOCAL application_name", role: "bench_single", select: "application_name", query: WALLED };
const UNBOUND: Reader =
    Reader { what: "literal owner_id, no RLS", role: "bench_unbound", select: "app.owner", query: LITERAL };
const DIRECT: Reader = Reader { what: "RLS by hand", role: "bench_hand_direct", select: "app.owner", query: BY_HAND };
const SUBQUERY: Reader =
    Reader { what: "RLS by hand, (SELECT ...)", role: "bench_hand_subquery", select: "app.owner", query: BY_HAND };

impl Reader {
    fn set_local(self) -> String {
        format!("SET LOCAL {} = '{OWNER}'", self.select)
    }

    /// A session in a transaction that has selected the owner, and has used it.
    fn session(self) -> Client {
        let mut client = connect(self.role);
        run(&mut client, &format!("BEGIN; {}", self.set_local()));
        let statement = client.prepare(self.query).expect("the read");
        client.query(&statement, &[&Uuid::nil()]).expect("the read");
        client
    }

    /// Reads with a prepared statement, a round trip each.
    fn prepared(self, ids: &[Uuid]) -> Arm<'_> {
        let mut client = self.session();
        let statement = client.prepare(self.query).expect("the read");
        let mut ids = ids.iter().cycle();
        Arm::each(self.what, client, move |client| read(client, &statement, &mut ids))
    }

    /// Reads with a statement that PostgreSQL parses and plans each time.
    fn simple(self, ids: &[Uuid]) -> Arm<'_> {
        let mut ids = ids.iter().cycle();
        Arm::each(self.what, self.session(), move |client| {
            let id = ids.next().expect("endless");
            let messages = client.simple_query(&self.query.replace("$1", &format!("'{id}'"))).expect("the read");
            assert!(messages.iter().any(|message| matches!(message, SimpleQueryMessage::Row(_))), "one customer");
        })
    }

    /// Reads in a loop of PL/pgSQL: without client and connection, what is left is the executor's work.
    fn in_server(self, ids: &[Uuid]) -> Arm<'_> {
        let mut client = self.session();
        run(
            &mut client,
            &format!(
                "CREATE FUNCTION pg_temp.read_many(ids uuid[], times bigint) RETURNS void LANGUAGE plpgsql AS $$
                 DECLARE found_name text; wanted uuid;
                 BEGIN
                     FOR i IN 1 .. times LOOP
                         wanted := ids[1 + i % {}];
                         {};
                         ASSERT found_name IS NOT NULL;
                     END LOOP;
                 END $$",
                ids.len(),
                self.query.replace("name FROM", "name INTO found_name FROM").replace("$1", "wanted"),
            ),
        );
        Arm::new(self.what, client, move |client, meter, times| {
            meter
                .measure(|| client.query("SELECT pg_temp.read_many($1, $2)", &[&ids, &(times as i64)]))
                .expect("the reads");
        })
    }

    /// Whole transactions of one read.
    fn transactions(self, ids: &[Uuid]) -> Arm<'_> {
        let begin = format!("BEGIN; {}", self.set_local());
        let mut client = connect(self.role);
        run(&mut client, &begin);
        let statement = client.prepare(self.query).expect("the read");
        run(&mut client, "COMMIT");
        let mut ids = ids.iter().cycle();
        Arm::each(self.what, client, move |client| {
            run(client, &begin);
            read(client, &statement, &mut ids);
            run(client, "COMMIT");
        })
    }

    /// The first read of each transaction; the rest of the transaction is not counted.
    fn first_reads(self, ids: &[Uuid]) -> Arm<'_> {
        let begin = format!("BEGIN; {}", self.set_local());
        let mut client = connect(self.role);
        run(&mut client, &begin);
        let statement = client.prepare(self.query).expect("the read");
        run(&mut client, "COMMIT");
        let mut ids = ids.iter().cycle();
        Arm::new(self.what, client, move |client, meter, times| {
            for _ in 0..times {
                run(client, &begin);
                meter.measure(|| read(client, &statement, &mut ids));
                run(client, "COMMIT");
            }
        })
    }
}

fn read<'a>(client: &mut Client, statement: &Statement, ids: &mut impl Iterator<Item = &'a Uuid>) {
    client.query_one(statement, &[ids.next().expect("endless")]).expect("one customer");
}

/// Evaluates an expression many times in one statement, in a transaction that has selected the owner.
fn per_row<'a>(what: &str, expression: &'a str) -> Arm<'a> {
    let query = format!("SELECT count({expression}) FROM generate_series(1, $1::bigint) AS n");
    let mut client = AGENT.session();
    let statement = client.prepare(&query).expect("the expression");
    Arm::new(what, client, move |client, meter, times| {
        meter.measure(|| client.query_one(&statement, &[&(times as i64)])).expect("the expression");
    })
}

/// A token for the owner, signed with Ed25519, and the server told to take it.
fn token() -> String {
    let mut server = connect("postgres");
    let key = include_str!("../tests/keys/eddsa.pub.pem");
    server.execute("SELECT ringfence.add_signing_key('bench', 'EdDSA', $1)", &[&key]).expect("the key");
    let expires = SystemTime::now() + Duration::from_secs(3000);
    let claims = serde_json::json!({
        "owner": OWNER, "sub": "bench", "exp": expires.duration_since(UNIX_EPOCH).expect("a clock").as_secs(),
    });
    let header = Header { kid: Some("bench".to_owned()), ..Header::new(Algorithm::EdDSA) };
    let key = EncodingKey::from_ed_pem(include_bytes!("../tests/keys/eddsa.pem")).expect("the key");
    jsonwebtoken::encode(&header, &claims, &key).expect("a token")
}

/// Transactions that do nothing but evaluate an expression.
fn evaluated<'a>(what: &str, expression: &str, parameter: &'a str) -> Arm<'a> {
    let mut client = connect("bench_agent");
    let statement = client.prepare(&format!("SELECT {expression}, $1::text IS NULL")).expect("the expression");
    Arm::each(what, client, move |client| {
        run(client, "BEGIN");
        client.query_one(&statement, &[&parameter]).expect("the expression");
        run(client, "ROLLBACK");
    })
}

/// Of owners that the role has no access to: one that exists, with many entries of others, and one that does not. Their names are of one
/// length, since a longer statement takes longer.
const REFUSED: [&str; 2] = ["Owner 2", "Owner X"];

/// Asks for the one and for the other by turns, and prints how likely the times differ as they do, or more, where nothing
/// distinguishes the two: the p of Mann-Whitney's test. `ask` begins and ends what it does not measure.
fn tell_apart(what: &str, mut ask: impl FnMut(&str) -> Duration) {
    let calls = number("BENCH_CALLS", 10_000) as usize;
    for _ in 0..calls / 10 {
        for owner in REFUSED {
            ask(owner);
        }
    }
    let mut times: Vec<(Duration, usize)> = Vec::with_capacity(2 * calls);
    for n in 0..calls {
        // By turns also who comes first.
        for which in [n % 2, 1 - n % 2] {
            times.push((ask(REFUSED[which]), which));
        }
    }
    let median = |which: usize| {
        let mut own: Vec<Duration> = times.iter().filter(|time| time.1 == which).map(|time| time.0).collect();
        own.sort_unstable();
        own[own.len() / 2].as_secs_f64() * 1e6
    };
    let (exists, does_not) = (median(0), median(1));
    let p = mann_whitney(&mut times);
    let met = if p > 0.01 { "met" } else { "missed" };
    println!("{what:44} p = {p:.3}  median {exists:.2} us / {does_not:.2} us  goal > 0.01 {met}");
}

/// Two-sided, by the normal approximation with a correction for equal times: samples are large.
fn mann_whitney(times: &mut [(Duration, usize)]) -> f64 {
    times.sort_unstable();
    let (mut rank_sum, mut ties, mut at) = (0.0, 0.0, 0);
    while at < times.len() {
        let equal = times[at..].iter().take_while(|time| time.0 == times[at].0).count();
        let rank = at as f64 + (equal as f64 + 1.0) / 2.0;
        rank_sum += rank * times[at..at + equal].iter().filter(|time| time.1 == 0).count() as f64;
        ties += (equal as f64).powi(3) - equal as f64;
        at += equal;
    }
    let own = times.iter().filter(|time| time.1 == 0).count() as f64;
    let all = times.len() as f64;
    let other = all - own;
    let u = rank_sum - own * (own + 1.0) / 2.0;
    let variance = own * other / 12.0 * (all + 1.0 - ties / (all * (all - 1.0)));
    let z = (u - own * other / 2.0).abs() / variance.sqrt();
    // The complementary error function, by Abramowitz and Stegun 7.1.26: right to seven places.
    let x = z / std::f64::consts::SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * x);
    t * (0.254_829_592 + t * (-0.284_496_736 + t * (1.421_413_741 + t * (-1.453_152_027 + t * 1.061_405_429))))
        * (-x * x).exp()
}

/// What a role of one owner can tell of others by the clock.
fn refusals() {
    let mut server = connect("postgres");
    run(
        &mut server,
        "DO $$BEGIN
             FOR n IN 1 .. 300 LOOP
                 EXECUTE format('CREATE ROLE bench_other_%s', n);
                 PERFORM ringfence.grant_access(format('bench_other_%s', n), 'Owner 2', '{agent}');
             END LOOP;
         END$$;
         ANALYZE ringfence.owner, ringfence.access",
    );
    let mut client = connect("bench_single");
    let measured = |client: &mut Client, statements: &str, refused: bool| {
        let start = Instant::now();
        let outcome = client.simple_query(statements);
        let elapsed = start.elapsed();
        assert_eq!(outcome.is_err(), refused, "{statements}");
        elapsed
    };
    tell_apart("enter()", |owner| measured(&mut client, &format!("SELECT ringfence.enter('{owner}')"), true));
    tell_apart("SET and a query", |owner| {
        let elapsed = measured(
            &mut client,
            &format!("BEGIN; SET LOCAL ringfence.owner = '{owner}'; SELECT count(*) FROM ringfence.customer"),
            true,
        );
        run(&mut client, "ROLLBACK");
        elapsed
    });
    tell_apart("a query on owner, by name", |owner| {
        measured(&mut client, &format!("SELECT id FROM ringfence.owner WHERE name = '{owner}'"), false)
    });
}

fn main() {
    let mut agent = AGENT.session();
    let ids: Vec<Uuid> = agent
        .query("SELECT id FROM ringfence.customer ORDER BY md5(id::text) LIMIT 1000", &[])
        .expect("customers")
        .iter()
        .map(|row| row.get(0))
        .collect();
    assert_eq!(ids.len(), 1000, "the data of benches/data.sql");

    let mut bench = Bench::new();

    println!("\nThe machine: how far from 1 a ratio is where there is no difference");
    bench.compare("prepared read", Goal::None, &mut UNBOUND.prepared(&ids), &mut UNBOUND.prepared(&ids), None);
    bench.compare("read in PL/pgSQL", Goal::None, &mut UNBOUND.in_server(&ids), &mut UNBOUND.in_server(&ids), None);

    println!("\nPer call, without the loop around it");
    let mut empty = per_row("an empty loop", "n");
    let mut current_owner = per_row("current_owner()", "ringfence.current_owner()");
    let mut setting = per_row("current_setting(...)", "current_setting('ringfence.owner')");
    let mut cast_setting = per_row("current_setting(...)::uuid", "current_setting('ringfence.owner')::uuid");
    bench.compare("current_owner()", Goal::None, &mut current_owner, &mut setting, Some(&mut empty));
    bench.compare("current_owner()", Goal::None, &mut current_owner, &mut cast_setting, Some(&mut empty));
    let mut has_right = per_row("has_right(...)", "ringfence.has_right('customer.read')");
    bench.compare("has_right('customer.read')", Goal::None, &mut has_right, &mut setting, Some(&mut empty));

    println!("\nWhich RLS by hand is the faster");
    let better = |ratio: f64| if ratio <= 1.0 { DIRECT } else { SUBQUERY };
    let direct = bench.compare(
        "current_setting(...)::uuid in the policy",
        Goal::None,
        &mut DIRECT.in_server(&ids),
        &mut SUBQUERY.in_server(&ids),
        None,
    );
    let by_hand = better(direct.median);

    println!("\nA read by primary key under the wall, the owner selected before");
    let mut shapes: [(&str, [Arm; 3]); 3] = [
        ("prepared, a round trip each", [AGENT, UNBOUND, by_hand].map(|reader| reader.prepared(&ids))),
        ("simple protocol, a round trip each", [AGENT, UNBOUND, by_hand].map(|reader| reader.simple(&ids))),
        ("in a loop of PL/pgSQL", [AGENT, UNBOUND, by_hand].map(|reader| reader.in_server(&ids))),
    ];
    for (shape, [wall, literal, by_hand]) in &mut shapes {
        bench.compare(shape, Goal::AtMost(1.05), wall, literal, None);
        bench.compare(shape, Goal::Below(1.0), wall, by_hand, None);
    }
    drop(shapes);

    println!("\nThe same as a whole transaction: BEGIN; SET LOCAL, the read, COMMIT");
    let [mut wall, mut literal, mut hand] = [AGENT, UNBOUND, by_hand].map(|reader| reader.transactions(&ids));
    bench.compare("transaction of one read", Goal::AtMost(1.05), &mut wall, &mut literal, None);
    bench.compare("transaction of one read", Goal::Below(1.0), &mut wall, &mut hand, None);

    println!(
        "\nAfter SET LOCAL ringfence.owner, against the same read by a role of one owner after SET LOCAL application_name"
    );
    bench.compare(
        "the first read alone",
        Goal::None,
        &mut AGENT.first_reads(&ids),
        &mut SINGLE.first_reads(&ids),
        None,
    );
    bench.compare("transaction of one read", Goal::None, &mut wall, &mut SINGLE.transactions(&ids), None);

    println!("\nTo bind a transaction, without the transaction around it: BEGIN; SELECT 1; ROLLBACK");
    let token = token();
    let mut login = evaluated("login(token)", "ringfence.login($1)", &token);
    let mut enter = evaluated("enter(owner)", "ringfence.enter($1)", OWNER);
    let mut nothing = evaluated("nothing", "1", "");
    bench.compare("login() with Ed25519", Goal::None, &mut login, &mut enter, Some(&mut nothing));

    println!(
        "\nRefused owners, one that exists and one that does not: whether the times of {} calls of each tell which",
        number("BENCH_CALLS", 10_000)
    );
    refusals();

    let id = ids[0].to_string();
    for reader in [AGENT, UNBOUND, DIRECT, SUBQUERY] {
        bench.plan(reader.what, &mut reader.session(), &reader.query.replace("$1", &format!("'{id}'")));
    }
    bench.plan("per call", &mut agent, "SELECT count(ringfence.current_owner()) FROM generate_series(1, 1000000) AS n");
    bench.finish();
}
