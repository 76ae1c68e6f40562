//! Many clients of many owners share few connections, as behind PgBouncer in transaction mode: no client sees another
//! owner's canary, and no binding survives its transaction. ATTACKS 5, 7, 18, 27, 30, 31, 34, 35, 36, 144, 149, 170.

#[path = "pooling/breaker.rs"]
mod breaker;
#[path = "pooling/cancel.rs"]
mod cancel;
#[path = "pooling/client.rs"]
mod client;
mod common;
#[path = "pooling/fixture.rs"]
mod fixture;
#[path = "pooling/plan.rs"]
mod plan;

use breaker::{SINS, Sin, sin};
use client::{End, Seen, Session};
use common::pooler::Pooler;
use common::{Database, refused, run, try_connect, value};
use fixture::{APPLICATION, FIXED, OWNERS, ROLES, TOKENS, foreign_canary, owner_id};
use futures_util::future::join_all;
use plan::{DELIVERIES, Delivery, KINDS, Kind, Planner, Random, Way, unbound};
use postgres::{Client, SimpleQueryMessage};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::thread;

const POOL: usize = 8;
const CLIENTS: usize = 64;
/// Beside them, of the role that can only log in.
const TOKEN_CLIENTS: usize = 8;
/// Each of them selects an owner; those that select none come on top. The environment may ask for fewer.
const TRANSACTIONS: usize = 204_800;
/// The machine's cores are for PostgreSQL and the pooler too.
const THREADS: usize = 2;
const SEED: u64 = 20_240_229;

/// What one client, or all of them, have done.
#[derive(Default)]
struct Tally {
    by_kind: BTreeMap<(Kind, Way), u64>,
    by_delivery: BTreeMap<Delivery, u64>,
    unbound: u64,
    denied: u64,
    sins: BTreeMap<Sin, u64>,
    /// Rows more than at the beginning, by owner.
    added: Vec<i64>,
    seen: Seen,
}

impl Tally {
    fn new() -> Tally {
        Tally { added: vec![0; OWNERS], ..Tally::default() }
    }

    fn add(&mut self, other: &Tally) {
        for (kind, count) in &other.by_kind {
            *self.by_kind.entry(*kind).or_default() += count;
        }
        for (delivery, count) in &other.by_delivery {
            *self.by_delivery.entry(*delivery).or_default() += count;
        }
        for (sin, count) in &other.sins {
            *self.sins.entry(*sin).or_default() += count;
        }
        self.unbound += other.unbound;
        self.denied += other.denied;
        for (sum, added) in self.added.iter_mut().zip(&other.added) {
            *sum += added;
        }
        self.seen.add(&other.seen);
    }

    /// Those that selected an owner and came to what was planned.
    fn transactions(&self) -> u64 {
        self.by_kind.values().sum()
    }

    fn of_kind(&self, kind: Kind) -> u64 {
        self.by_kind.iter().filter(|((k, _), _)| *k == kind).map(|(_, count)| count).sum()
    }

    fn of_way(&self, way: Way) -> u64 {
        self.by_kind.iter().filter(|((_, w), _)| *w == way).map(|(_, count)| count).sum()
    }

    fn print(&self, title: &str) {
        println!("{title}, seed {SEED}: {} transactions", self.transactions());
        for way in Way::ALL {
            println!("  {way:?}: {}", self.of_way(way));
        }
        for (delivery, count) in &self.by_delivery {
            println!("  {delivery:?}: {count}");
        }
        for (kind, _) in KINDS {
            println!("  {kind:?}: {}", self.of_kind(kind));
        }
        for (sin, count) in &self.sins {
            println!("  {sin:?}: {count}");
        }
        println!("  denied: {}; without an owner, and refused: {}; {:?}", self.denied, self.unbound, self.seen);
    }

    /// A soak that tests nothing must fail.
    fn assert_everything_happened(&self) {
        for (kind, _) in KINDS {
            assert!(self.of_kind(kind) > 0, "{kind:?} never happened");
        }
        for way in Way::ALL {
            assert!(self.of_way(way) > 0, "nothing happened by {way:?}");
        }
        for (delivery, _) in DELIVERIES {
            assert!(self.by_delivery.contains_key(&delivery), "{delivery:?} never happened");
        }
        assert!(self.unbound > 0 && self.seen.canaries > self.transactions());
    }
}

/// The clients of one database and pooler.
struct Crowd<'a> {
    host: &'a Path,
    database: &'a str,
    tokens: Arc<Vec<String>>,
    /// Rule breakers are about.
    among_breakers: bool,
}

impl Crowd<'_> {
    fn planner(&self, number: usize) -> Planner {
        Planner {
            random: Random(SEED + number as u64),
            tokens: self.tokens.clone(),
            own_rows: vec![Vec::new(); OWNERS],
            made: number,
        }
    }

    /// A client that keeps the rules: it selects an owner in each transaction. Now and then it selects none, on whatever
    /// connection somebody has just used, and must be refused.
    async fn honest(&self, number: usize, role: &str, ways: &[Way], transactions: usize) -> Tally {
        let mut session = Session::open(self.host, self.database, role).await;
        session.among_breakers = self.among_breakers;
        let mut planner = self.planner(number);
        let mut tally = Tally::new();
        for _ in 0..transactions {
            let plan = planner.next(ways);
            match session.run(&plan).await {
                End::Denied => tally.denied += 1,
                End::AsPlanned => {
                    *tally.by_kind.entry((plan.kind, plan.way)).or_default() += 1;
                    *tally.by_delivery.entry(plan.delivery).or_default() += 1;
                    let owner = plan.owner;
                    tally.added[owner] += planner.learn(plan);
                }
            }
            if planner.random.one_in(6) {
                session.run(&unbound(&mut planner.random)).await;
                tally.unbound += 1;
            }
        }
        tally.seen.add(&session.seen);
        tally
    }

    /// A client that breaks the rules, and leaves what it did to whoever comes next.
    async fn breaker(&self, number: usize, ways: &[Way], sins: usize) -> Tally {
        let mut planner = self.planner(number);
        let mut tally = Tally::new();
        let mut session = self.session().await;
        for _ in 0..sins {
            let kind = planner.random.weighted(&SINS);
            session.run(&sin(kind, &mut planner, ways)).await;
            *tally.sins.entry(kind).or_default() += 1;
            if kind.disconnects() {
                tally.seen.add(&session.seen);
                session.abandon((kind == Sin::GoneInStatement).then_some(breaker::LAST_STATEMENT)).await;
                session = self.session().await;
            }
        }
        tally.seen.add(&session.seen);
        tally
    }

    async fn session(&self) -> Session {
        let mut session = Session::open(self.host, self.database, APPLICATION).await;
        session.among_breakers = self.among_breakers;
        session
    }
}

/// Runs the clients on a few threads, each of which many of them share. `client` is asked for each number.
fn run_clients<F>(count: usize, client: F) -> Tally
where
    F: AsyncFn(usize) -> Tally + Sync,
{
    let client = &client;
    let tallies = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                scope.spawn(move || {
                    let runtime =
                        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
                    let clients = (thread..count).step_by(THREADS).map(|number| client(number));
                    runtime.block_on(join_all(clients))
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join()).collect::<Vec<_>>()
    });
    let mut sum = Tally::new();
    for tally in tallies {
        // A client's panic is the test's.
        tally.unwrap_or_else(|panic| std::panic::resume_unwind(panic)).iter().for_each(|tally| sum.add(tally));
    }
    sum
}

/// As superuser, whom no wall binds: every row shows its owner's canary and no other, and there are as many as were
/// put there and not taken away.
fn assert_rows_are_whole(database: &Database, tally: &Tally) {
    let mut server = database.superuser();
    for table in ["customer", "company"] {
        let rows = server
            .query(&format!("SELECT owner_id::text, t::text FROM ringfence.{table} AS t"), &[])
            .expect("all rows");
        assert!(rows.len() >= OWNERS);
        for row in rows {
            let (owner, text): (String, String) = (row.get(0), row.get(1));
            let owner = (0..OWNERS).find(|&n| owner_id(n) == owner);
            let Some(owner) = owner else { continue };
            assert_eq!(foreign_canary(&text, owner), None, "{text}");
            // Once as the owner, and again in its columns.
            assert!(text.matches(&owner_id(owner)).count() > 1, "{text}");
        }
    }
    for (owner, added) in tally.added.iter().enumerate() {
        let count: i64 = value(
            &mut server,
            &format!("SELECT count(*) FROM ringfence.customer WHERE owner_id = '{}'", owner_id(owner)),
        );
        assert_eq!(count, FIXED as i64 + added, "rows of owner {owner}");
    }
}

#[test]
fn sixty_four_clients_of_twenty_owners_share_eight_connections() {
    let database = fixture::database("soak");
    let pooler = Pooler::start("soak", POOL, &ROLES, "");
    let crowd = Crowd {
        host: pooler.host(),
        database: &database.name,
        tokens: Arc::new(fixture::tokens(&database)),
        among_breakers: false,
    };
    let asked = std::env::var("POOLING_TRANSACTIONS").ok().and_then(|number| number.parse().ok());
    let wanted: usize = asked.unwrap_or(TRANSACTIONS);
    let transactions = wanted / CLIENTS;
    let tally = run_clients(CLIENTS + TOKEN_CLIENTS, async |number| {
        if number < CLIENTS {
            crowd.honest(number, APPLICATION, &Way::ALL, transactions).await
        } else {
            crowd.honest(number, TOKENS, &[Way::Login], transactions / 4).await
        }
    });
    tally.print("Clients that keep the rules");
    // As many as were asked for, or nearly.
    assert!(tally.transactions() >= wanted as u64 / 128 * 125);
    assert_eq!(tally.denied, 0);
    // In as many transactions as it takes, each kind in each way.
    for (kind, way) in KINDS.iter().flat_map(|(kind, _)| Way::ALL.map(|way| (*kind, way))) {
        assert!(tally.by_kind.contains_key(&(kind, way)), "{kind:?} never happened by {way:?}");
    }
    tally.assert_everything_happened();
    assert_rows_are_whole(&database, &tally);
}

#[test]
fn rule_breakers_in_the_pool_fail_closed() {
    let database = fixture::database("rule_breakers");
    let pooler = Pooler::start("rule_breakers", POOL, &ROLES, "");
    let crowd = Crowd {
        host: pooler.host(),
        database: &database.name,
        tokens: Arc::new(fixture::tokens(&database)),
        among_breakers: true,
    };
    let tally = run_clients(CLIENTS, async |number| {
        if number % 4 == 0 {
            crowd.breaker(number, &Way::ALL, 250).await
        } else {
            crowd.honest(number, APPLICATION, &Way::ALL, 400).await
        }
    });
    tally.print("Among rule breakers");
    tally.assert_everything_happened();
    for (sin, _) in SINS {
        assert!(tally.sins.contains_key(&sin), "{sin:?} never happened");
    }
    // They were in each other's way, and most work was done all the same.
    assert!(tally.denied > 0 && tally.transactions() > tally.denied);
    // What PostgreSQL itself leaves in a connection, docs/limits.md says: a temporary table is a copy outside of the wall, and
    // whoever comes next hears what was listened for.
    assert!(tally.seen.foreign_copies > 0 && tally.seen.notifications > 0);
    assert_rows_are_whole(&database, &tally);
    let prepared = "SELECT count(*) FROM pg_prepared_xacts WHERE database = current_database()";
    assert_eq!(value::<i64>(&mut database.superuser(), prepared), 0);
}

// One connection for everybody: what the one client leaves is what the next one finds.

struct OneConnection {
    // In this order: the pooler is gone before the database.
    pooler: Pooler,
    database: Database,
    tokens: Vec<String>,
}

impl OneConnection {
    fn new(name: &str, settings: &str) -> OneConnection {
        let database = fixture::database(name);
        let tokens = fixture::tokens(&database);
        OneConnection { pooler: Pooler::start(name, 1, &ROLES, settings), database, tokens }
    }

    /// The ways to select an owner, each a statement without a result.
    fn ways(&self, owner: usize) -> [String; 3] {
        let id = owner_id(owner);
        let quietly = |call: String| format!("DO $$ BEGIN PERFORM {call}; END $$");
        [
            format!("SET LOCAL ringfence.owner = '{id}'"),
            quietly(format!("ringfence.enter('{id}')")),
            quietly(format!("ringfence.login('{}')", self.tokens[owner])),
        ]
    }

    /// The client's transactions for an owner show that owner's rows and no other, however it selects it.
    fn assert_works_for(&self, client: &mut Client, owner: usize) {
        for way in self.ways(owner) {
            assert_shows(&rows(client, &format!("{way}; {CARDS}")), owner);
        }
    }

    fn client(&self) -> Client {
        self.pooler.connect(&self.database, APPLICATION)
    }
}

const CARDS: &str = "SELECT c::text FROM ringfence.customer_card AS c";

/// The rows of the last statement, by the simple protocol.
fn rows(client: &mut Client, statements: &str) -> Vec<String> {
    let messages = client.simple_query(statements).unwrap_or_else(|error| panic!("{statements}: {error:?}"));
    let rows = messages.iter().filter_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some((0..row.len()).map(|n| row.get(n).unwrap_or("")).collect::<Vec<_>>()),
        _ => None,
    });
    rows.map(|row| row.join("|")).collect()
}

fn assert_shows(cards: &[String], owner: usize) {
    assert_eq!(cards.len(), FIXED);
    assert!(
        cards.iter().all(|card| card.contains(&owner_id(owner)) && foreign_canary(card, owner).is_none()),
        "{cards:?}"
    );
}

fn assert_has_no_owner(client: &mut Client) {
    for statement in [CARDS, "SELECT ringfence.current_owner()", "SELECT * FROM ringfence.search_customers('fixed')"] {
        assert_eq!(refused(client, statement), "42501", "{statement}");
    }
}

#[test]
fn attack_34_what_a_session_sets_selects_no_owner_for_the_next_client() {
    let pool = OneConnection::new("attack_34", "");
    let (mut a, mut b) = (pool.client(), pool.client());
    let id = owner_id(1);
    for left_behind in [
        format!("SET ringfence.owner = '{id}'"),
        format!("SELECT set_config('ringfence.owner', '{id}', false)"),
        format!("BEGIN; SET LOCAL ringfence.owner = '{id}'; {CARDS}; SET ringfence.owner = '{id}'; COMMIT"),
        format!("SET ringfence.owner = '{id}'; SET SESSION AUTHORIZATION DEFAULT; SET ringfence.project = 'Default'"),
        format!(
            "SET ringfence.owner = '{id}'; SET search_path = pg_temp, ringfence; SET plan_cache_mode = force_generic_plan"
        ),
    ] {
        run(&mut a, &left_behind);
        // It is one connection: the setting is there, and counts for nobody.
        assert_eq!(rows(&mut b, "SHOW ringfence.owner"), std::slice::from_ref(&id), "{left_behind}");
        assert_has_no_owner(&mut a);
        assert_has_no_owner(&mut b);
        pool.assert_works_for(&mut b, 2);
        assert_has_no_owner(&mut b);
        run(&mut a, "DISCARD ALL");
    }
    // Not even for the transaction that sets it: what outlives a transaction selects nothing in it.
    assert_eq!(refused(&mut a, &format!("BEGIN; SET ringfence.owner = '{id}'; {CARDS}")), "42501");
    run(&mut a, "ROLLBACK");
    assert_has_no_owner(&mut b);
}

#[test]
fn attack_34_leftovers_deny_and_never_give() {
    let pool = OneConnection::new("leftovers", "");
    let (mut a, mut b) = (pool.client(), pool.client());
    let bound = format!("SET LOCAL ringfence.owner = '{}'; {CARDS}", owner_id(2));
    for (left_behind, denial) in [
        // 18: a role is no sandbox, and no owner either.
        ("SET ROLE pool_nobody", "42501"),
        ("SET row_security = off", "42501"),
        ("SET ringfence.project = 'No Such'", "P0002"),
    ] {
        run(&mut a, left_behind);
        assert_has_no_owner(&mut b);
        assert_eq!(refused(&mut b, &bound), denial, "{left_behind}");
        run(&mut a, "DISCARD ALL");
        pool.assert_works_for(&mut b, 2);
    }
    // A client that is gone in the middle of a transaction takes the connection with it.
    run(&mut a, &format!("BEGIN; SET LOCAL ringfence.owner = '{}'; {CARDS}", owner_id(1)));
    let process = rows(&mut a, "SELECT pg_backend_pid()");
    drop(a);
    assert_has_no_owner(&mut b);
    assert_ne!(rows(&mut b, "SELECT pg_backend_pid()"), process);
}

#[test]
fn attack_34_what_postgresql_leaves_in_a_connection_is_outside_of_the_wall() {
    let pool = OneConnection::new("outside", "");
    let (mut a, mut b) = (pool.client(), pool.client());
    let bind = |owner| format!("SET LOCAL ringfence.owner = '{}'", owner_id(owner));

    // 36: a copy has no wall. docs/limits.md says so; the tables of ringfence are not mistaken for it, whatever its name is.
    run(&mut a, &format!("BEGIN; {}; CREATE TEMP TABLE customer AS {CARDS}; COMMIT", bind(1)));
    assert_eq!(rows(&mut b, "SELECT * FROM customer").len(), FIXED);
    assert_has_no_owner(&mut b);
    pool.assert_works_for(&mut b, 2);
    run(&mut a, "DISCARD ALL");

    // 144: a prepared statement stays, text and all; it runs for the owner of whoever executes it.
    run(&mut a, &format!("PREPARE theirs AS {CARDS}; BEGIN; {}; EXECUTE theirs; COMMIT", bind(1)));
    assert_eq!(rows(&mut b, "SELECT name FROM pg_prepared_statements"), ["theirs"]);
    assert_eq!(refused(&mut b, "EXECUTE theirs"), "42501");
    assert_shows(&rows(&mut b, &format!("{}; EXECUTE theirs", bind(2))), 2);

    // 140: what is listened for comes to whoever has the connection; and a lock of the session is everybody's.
    run(&mut a, "LISTEN news; SELECT pg_advisory_lock(34)");
    assert_eq!(rows(&mut b, "SELECT pg_listening_channels()"), ["news"]);
    assert_eq!(rows(&mut b, "SELECT pg_advisory_unlock(34)"), ["t"]);
    run(&mut a, "DISCARD ALL");
    assert!(rows(&mut b, "SELECT pg_listening_channels()").is_empty());
}

#[test]
fn attack_34_a_pooler_that_resets_leaves_nothing() {
    // What docs/limits.md tells to do about the test above.
    let pool = OneConnection::new("resets", "server_reset_query_always = 1");
    let (mut a, mut b) = (pool.client(), pool.client());
    let [bind, ..] = pool.ways(1);
    run(&mut a, &format!("BEGIN; {bind}; CREATE TEMP TABLE copy AS {CARDS}; COMMIT"));
    run(&mut a, &format!("SET ROLE pool_nobody; SET ringfence.owner = '{}'", owner_id(1)));
    assert_eq!(refused(&mut b, "SELECT * FROM copy"), "42P01");
    assert_eq!(
        rows(&mut b, "SELECT current_user, current_setting('ringfence.owner', true)"),
        [format!("{APPLICATION}|")]
    );
    assert_has_no_owner(&mut b);
    pool.assert_works_for(&mut b, 2);
}

#[test]
fn attacks_27_30_31_nothing_of_an_owner_outlives_its_transaction() {
    let pool = OneConnection::new("outlives", "");
    let (mut a, mut b) = (pool.client(), pool.client());
    for bind in pool.ways(1) {
        let held = format!("DECLARE held CURSOR WITH HOLD FOR {CARDS}");
        // Planned without an owner, which the tables are not.
        let search = "DECLARE held CURSOR WITH HOLD FOR SELECT s::text FROM ringfence.search_customers('fixed') AS s";
        for (statements, code) in [
            // In a backend that has not met ringfence yet it is what fills the cursor that is refused.
            (format!("BEGIN; {bind}; {held}; COMMIT"), "55000"),
            (format!("BEGIN; {held}; {bind}; COMMIT"), "42501"),
            (format!("BEGIN; {search}; {bind}; FETCH 1 FROM held"), "55000"),
            (format!("BEGIN; {search}; {bind}; COMMIT"), "55000"),
            (format!("BEGIN; {bind}; {CARDS}; PREPARE TRANSACTION 'left'"), "55000"),
            (format!("BEGIN; {bind}; {CARDS}; COMMIT AND CHAIN; {CARDS}"), "42501"),
            (format!("BEGIN; {bind}; {CARDS}; ROLLBACK AND CHAIN; {CARDS}"), "42501"),
            (format!("BEGIN; {bind}; {CARDS}; COMMIT; {CARDS}"), "42501"),
            (format!("BEGIN; SAVEPOINT s; {bind}; {CARDS}; ROLLBACK TO s; COMMIT; {CARDS}"), "42501"),
            (format!("BEGIN; {bind}; {CARDS}; SELECT 1 / 0"), "22012"),
            (format!("BEGIN; {bind}; {CARDS}; SET LOCAL statement_timeout = 1; SELECT pg_sleep(600)"), "57014"),
        ] {
            assert_eq!(refused(&mut a, &statements), code, "{statements}");
            run(&mut a, "ROLLBACK");
            assert_has_no_owner(&mut b);
            assert_eq!(refused(&mut b, "FETCH ALL FROM held"), "34000", "{statements}");
            pool.assert_works_for(&mut b, 2);
        }
    }
    let block = format!(
        "DO $$ BEGIN PERFORM set_config('ringfence.owner', '{}', true); PERFORM ringfence.current_owner(); COMMIT;
         PERFORM ringfence.current_owner(); END $$",
        owner_id(1)
    );
    assert_eq!(refused(&mut a, &block), "42501");
    assert_has_no_owner(&mut b);
}

#[test]
fn attacks_5_and_7_neither_reset_nor_a_lost_set_local_is_an_owner() {
    let pool = OneConnection::new("attack_7", "");
    let (mut a, mut b) = (pool.client(), pool.client());
    run(&mut a, &format!("SET LOCAL ringfence.owner = '{}'", owner_id(1)));
    assert_has_no_owner(&mut a);
    for reset in ["RESET ringfence.owner", "RESET ALL", "DISCARD ALL"] {
        run(&mut a, reset);
        assert_has_no_owner(&mut b);
    }
    // In the transaction it was selected for, RESET takes it away: what the session had, or nothing, is in its place.
    run(&mut a, &format!("BEGIN; SET LOCAL ringfence.owner = '{}'; {CARDS}; RESET ALL", owner_id(1)));
    assert_eq!(refused(&mut a, CARDS), "25001");
    run(&mut a, "ROLLBACK");
    assert_has_no_owner(&mut b);
}

#[test]
fn attack_35_the_pooler_is_told_no_setting_of_ours() {
    let pool = OneConnection::new("attack_35", "");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let reported = runtime.block_on(client::reported(
        pool.pooler.host(),
        &pool.database.name,
        APPLICATION,
        "SET application_name = 'seen'; SET ringfence.owner = 'x'; SET ringfence.project = 'x'; SET ringfence.agent = 'x';
         SET ringfence.source = 'x'; SELECT ringfence.enter('Pool 01')",
        &["application_name", "ringfence.owner", "ringfence.project", "ringfence.agent", "ringfence.source"],
    ));
    // What PostgreSQL reports, and what the pooler would keep for each client: none of ours.
    assert_eq!(reported, [("application_name".to_owned(), "seen".to_owned())]);
}

#[test]
fn attack_35_an_owner_in_startup_options_that_the_pooler_drops_is_no_owner() {
    let options = format!("-c ringfence.owner={}", owner_id(1));
    let strict = OneConnection::new("attack_35_strict", "");
    let host = |pool: &OneConnection| pool.pooler.host().display().to_string();
    let refusal = try_connect(&host(&strict), &strict.database.name, APPLICATION, &options);
    assert!(refusal.is_err(), "the pooler takes startup options");

    let lax = OneConnection::new("attack_35_lax", "ignore_startup_parameters = options");
    let mut a = try_connect(&host(&lax), &lax.database.name, APPLICATION, &options).expect("a connection");
    assert_eq!(rows(&mut a, "SELECT current_setting('ringfence.owner', true)"), [""]);
    assert_has_no_owner(&mut a);
    lax.assert_works_for(&mut a, 2);
}

#[test]
fn a_role_of_tokens_works_by_token_only() {
    let pool = OneConnection::new("tokens_only", "");
    let mut a = pool.pooler.connect(&pool.database, TOKENS);
    let mut b = pool.pooler.connect(&pool.database, TOKENS);
    let [set_local, enter, login] = pool.ways(2);
    for other_way in [set_local, enter, format!("SET ringfence.owner = '{}'", owner_id(2))] {
        assert_eq!(refused(&mut a, &format!("{other_way}; {CARDS}")), "42501", "{other_way}");
        assert_shows(&rows(&mut a, &format!("{login}; {CARDS}")), 2);
        // It is gone with its transaction, for the one as for the other.
        assert_has_no_owner(&mut a);
        assert_has_no_owner(&mut b);
    }
    // A token of one owner, and a setting that asks for another.
    run(&mut a, &format!("BEGIN; SET LOCAL ringfence.owner = '{}'; {login}", owner_id(3)));
    assert_shows(&rows(&mut a, CARDS), 2);
    drop(a);
    assert_has_no_owner(&mut b);
}
