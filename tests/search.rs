//! Searching: what is found is what brute force finds, whoever asks and however it pages, while others write, when it is
//! cancelled, and whatever is done to the index.

mod common;
#[path = "search/crowd.rs"]
mod crowd;
#[path = "search/judge.rs"]
mod judge;
#[path = "../benches/search/people.rs"]
#[allow(dead_code)]
mod names;
#[path = "search/people.rs"]
mod people;
#[path = "search/plans.rs"]
mod plans;
#[path = "search/queries.rs"]
mod queries;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use common::{Database, connect, random, refused, run, superuser, value};
use judge::{Customer, Everybody, NEVER, fold};
use names::{COUNTRIES, Dice};
use postgres::{Client, Statement};
use siphasher::sip::SipHasher13;
use std::collections::{HashMap, HashSet};
use std::hash::Hasher as _;
use std::io::Write as _;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use uuid::Uuid;

/// A customer that was found: its id, its rank, and the cursor behind it.
type Found = (Uuid, f32, String);

/// Somebody who searches, in a session that has searched before, and in one that has not.
struct Searcher {
    client: Client,
    page: Statement,
}

impl Searcher {
    fn new(database: &str, role: &str, settings: &str) -> Searcher {
        let mut client = connect(database, role);
        run(&mut client, settings);
        let page = client
            .prepare("SELECT customer_id, rank, cursor FROM ringfence.search_customers($1, $2, $3)")
            .expect("search_customers()");
        Searcher { client, page }
    }

    fn page(&mut self, query: &str, rows: usize, after: Option<&str>) -> Vec<Found> {
        let page = self.client.query(&self.page, &[&query, &(rows as i32), &after]);
        page.unwrap_or_else(|error| panic!("{query:?}: {error:?}"))
            .iter()
            .map(|row| (row.get(0), row.get(1), row.get(2)))
            .collect()
    }

    /// All pages.
    fn all(&mut self, query: &str, rows: usize) -> Vec<Found> {
        let mut all: Vec<Found> = Vec::new();
        let mut passed = HashSet::new();
        loop {
            let after = all.last().map(|(.., cursor)| cursor.clone());
            // Each cursor is behind the one before: else this would never end.
            assert!(passed.insert(after.clone()), "{query:?} by {rows} comes to the same place again");
            let page = self.page(query, rows, after.as_deref());
            assert!(page.len() <= rows, "{query:?}: {} rows", page.len());
            let full = page.len() == rows;
            all.extend(page);
            if !full {
                return all;
            }
        }
    }

    fn ids(&mut self, query: &str) -> Vec<Uuid> {
        self.ids_by(query, 1000)
    }

    fn ids_by(&mut self, query: &str, rows: usize) -> Vec<Uuid> {
        self.all(query, rows).into_iter().map(|(id, ..)| id).collect()
    }
}

/// How often two typos in a word are found where nobody is nearer.
#[derive(Default)]
struct Recall {
    there: usize,
    found: usize,
}

/// Asks each query, and compares with brute force: the set, the order and the ranks, and that every cursor continues behind its
/// row.
fn compare(
    everybody: &Everybody,
    searcher: &mut Searcher,
    fresh: &mut Searcher,
    fields: &[&str],
    queries: &[String],
    recall: &mut Recall,
) {
    let mut dice = Dice::of(&[queries.len() as u64]);
    for query in queries {
        let expected = everybody.found(query, fields);
        let all = searcher.all(query, 1000);
        let found: Vec<(Uuid, f32)> = all.iter().map(|(id, rank, _)| (*id, *rank)).collect();
        let mut must: Vec<(Uuid, f32)> = expected.iter().map(|(rank, customer)| (customer.id, *rank)).collect();
        if must.first().is_some_and(|(_, rank)| *rank == 0.4) {
            // Of these a few may be missing. Nobody else is there, and the order is as it must be.
            let returned: HashSet<Uuid> = found.iter().map(|(id, _)| *id).collect();
            let there = must.len();
            must.retain(|(id, _)| returned.contains(id));
            // One of a crowd says as much as all of it.
            if there < 100 {
                recall.there += there;
                recall.found += must.len();
            }
        }
        if found != must {
            let same = found.iter().zip(&must).take_while(|(one, other)| one == other).count();
            let name = |id: &Uuid| {
                let customer = everybody.customers.iter().find(|customer| customer.id == *id);
                customer.map(|customer| {
                    (customer.name.clone(), customer.last_activity, customer.values.clone(), customer.emails.clone())
                })
            };
            let told = |place: Option<&(Uuid, f32)>| place.map(|(id, rank)| (*id, *rank, name(id)));
            panic!(
                "{query:?}: found {}, not {}; they differ from {same}: {:?}, not {:?}",
                found.len(),
                must.len(),
                told(found.get(same)),
                told(must.get(same)),
            );
        }
        let ids = |page: &[Found]| page.iter().map(|(id, ..)| *id).collect::<Vec<_>>();
        let order = ids(&all);
        for rows in [20, 7] {
            if order.len() <= 4 * rows {
                assert_eq!(ids(&searcher.all(query, rows)), order, "{query:?} by {rows}");
            }
        }
        if order.len() > 28 {
            // Too many for all pages: where the rank changes, where activity ends, and anywhere.
            let activity: HashMap<Uuid, i64> =
                expected.iter().map(|(_, customer)| (customer.id, customer.last_activity)).collect();
            let kind = |n: usize| (all[n].1, activity[&order[n]] == NEVER);
            let mut places: Vec<usize> = (1..order.len()).filter(|n| kind(*n) != kind(n - 1)).collect();
            places.extend([0, order.len() - 1]);
            places.extend((0..2).map(|_| dice.below(order.len() as u64) as usize));
            for place in (0..3).map(|_| *dice.pick(&places)).collect::<Vec<_>>() {
                // From before it, so that the page goes over it.
                let rows = [20, 7][dice.below(2) as usize];
                let start = place.saturating_sub(dice.below(rows as u64) as usize);
                let page = fresh.page(query, rows, start.checked_sub(1).map(|before| all[before].2.as_str()));
                let end = order.len().min(start + rows);
                assert_eq!(ids(&page), order[start..end], "{query:?}: {rows} rows from {start}");
            }
        }
        if let Some((.., cursor)) = all.last() {
            assert!(searcher.page(query, 20, Some(cursor)).is_empty(), "{query:?}: something behind the last");
        }
    }
}

#[test]
fn finds_what_brute_force_finds() {
    let database = Database::new("search_brute");
    let mut boss = database.connect("boss_a");
    // Whoever the fixture has would be found too.
    let mut server = database.superuser();
    run(&mut server, "DELETE FROM ringfence.customer");
    run(&mut boss, people::FIELDS);
    let ours = people::make(1, &COUNTRIES[5], 5000);
    people::copy(&ours, true, &mut boss);
    let theirs = people::make(2, &COUNTRIES[0], 800);
    people::copy(&theirs, false, &mut database.connect("app_b"));

    let stored = server
        .query("SELECT id, normal_phones FROM ringfence.customer WHERE phones <> '{}'", &[])
        .expect("phones")
        .iter()
        .map(|row| (row.get::<_, Uuid>(0), row.get::<_, Vec<String>>(1)))
        .collect::<HashMap<_, _>>();
    for made in ours.iter().chain(&theirs).filter(|made| !made.customer.phones.is_empty()) {
        assert_eq!(stored[&made.customer.id], made.customer.normal_phones, "{:?}", made.customer.phones);
    }
    let everybody = |country, made: Vec<people::Made>| {
        Everybody::new(country, made.into_iter().map(|made| made.customer).collect::<Vec<Customer>>())
    };
    let ours = everybody("TW", ours);
    let theirs = everybody("PL", theirs);

    let fixed: Vec<String> = queries::FIXED.map(str::to_owned).into_iter().chain(queries::hostile()).collect();
    // Both ways of a page are gone: by all at once, and by the days, in each rank, on the one day and without any activity.
    let crowds = |query: &str, rank: f32| {
        let found = ours.found(query, &people::UNMASKED);
        let ranked = || found.iter().filter(|(other, _)| *other == rank);
        let never = ranked().filter(|(_, customer)| customer.last_activity == NEVER).count();
        (never, ranked().filter(|(_, customer)| people::is_clumped(customer)).count())
    };
    let (never, clumped) = crowds("com", 0.6);
    assert!(never > 1000 && clumped > 1000, "{never} {clumped}");
    for (query, rank) in [("anna nowak", 0.9), ("anna", 0.8), ("anna", 0.7), ("novak", 0.5), ("chrystoferska", 0.4)] {
        let (never, clumped) = crowds(query, rank);
        // Of the second word of a name there is but one half.
        let least = if query == "anna" { 200 } else { 400 };
        assert!(never > least && clumped > least - 50, "{query} {rank}: {never} {clumped}");
    }

    let mut recall = Recall::default();
    let name = database.name.as_str();
    for (role, settings, fields, everybody, seed, each) in [
        ("app_a", "", &people::UNMASKED[..], &ours, 1, 6),
        ("boss_a", "", &people::ALL[..], &ours, 2, 3),
        ("sales_a", "", &["Contract", "City", "Plan", "Work", "Sum"][..], &ours, 3, 2),
        ("boss_a", "SET ringfence.project = 'Support'", &people::SUPPORT[..], &ours, 4, 2),
        ("boss_a", "SET ringfence.project = 'Sales'", &people::SALES[..], &ours, 5, 2),
        ("app_b", "", &[][..], &theirs, 6, 8),
    ] {
        let mut searcher = Searcher::new(name, role, settings);
        let mut fresh = Searcher::new(name, role, settings);
        // All of them for one session, some for the others. Of the people, not of the crowds behind them.
        let share = if seed == 1 { 1 } else { 12 };
        let mut queries: Vec<String> = fixed.iter().skip(seed as usize % share).step_by(share).cloned().collect();
        queries.extend(queries::of(&everybody.customers[..800], seed, each));
        if seed == 1 {
            queries.extend(queries::with_two_typos(&everybody.customers[800..], 150));
        }
        let mut asked = HashSet::new();
        queries.retain(|query| asked.insert(query.clone()));
        compare(everybody, &mut searcher, &mut fresh, fields, &queries, &mut recall);
    }
    assert!(recall.there > 300 && recall.found * 100 >= recall.there * 95, "{} of {}", recall.found, recall.there);

    // Every page of one that nearly everybody matches.
    let mut agent = Searcher::new(name, "app_a", "");
    let whole: Vec<Uuid> = ours.found("com", &people::UNMASKED).iter().map(|(_, customer)| customer.id).collect();
    for rows in [20, 7] {
        let paged: Vec<Uuid> = agent.all("com", rows).into_iter().map(|(id, ..)| id).collect();
        assert!(paged == whole, "by {rows}");
    }
    let too_long = ["x".repeat(1001), "x ".repeat(51), "\u{301}".repeat(1001)];
    for query in too_long {
        let error = agent.client.query(&agent.page, &[&query, &20, &None::<String>]).expect_err("too long");
        assert_eq!(error.code().map(|code| code.code()), Some("22023"));
    }
}

/// A searcher of Company A's among 40,000 customers: so many that a search goes by the days of their activity, and has its own
/// way of telling few from many.
#[test]
fn finds_all_of_a_large_owner() {
    let database = Database::new("search_large");
    let mut server = database.superuser();
    // By a loader that brings what triggers would compute, as a restore does; and the index when all are there.
    run(
        &mut server,
        "DELETE FROM ringfence.customer;
         UPDATE pg_index SET indisready = false WHERE indexrelid = 'ringfence.customer_search'::regclass;
         SET session_replication_role = replica",
    );
    let mut dice = Dice::of(&[40_000]);
    let mut writer = server
        .copy_in("COPY ringfence.customer (owner_id, id, name, normal_emails, last_activity_at, active_on, created_at, updated_at, created_by, updated_by) FROM STDIN")
        .expect("COPY");
    let mut customers = Vec::new();
    for n in 0..40_000_u64 {
        // Of one word everybody, of others a half, a tenth, a hundredth, a thousandth, and one.
        let shares = [(2, "bb"), (10, "ccccc"), (100, "ddddd"), (1000, "eeeee"), (40_000, "fffff")];
        let mut name = "aaaaa".to_owned();
        for (share, word) in shares {
            if dice.below(share) > 0 && n < 39_999 {
                continue;
            }
            // The first word of some is the last of others.
            name = if dice.percent(50) { format!("{word}x {name}") } else { format!("{name} y{word}") };
        }
        let day = 1_700_000_000_000_000 + people::DAY * dice.below(700) as i64;
        let activity = [NEVER, day, day, 1_777_000_000_000_000][dice.below(4) as usize];
        let id = Uuid::from_u128(u128::from(dice.next()) << 64 | u128::from(dice.next()));
        let (when, day) = if activity == NEVER {
            ("\\N".to_owned(), "0001-01-01".to_owned())
        } else {
            let when = jiff::Timestamp::from_microsecond(activity).expect("a time").to_string();
            (when.clone(), when[..10].to_owned())
        };
        use std::io::Write;
        writeln!(
            writer,
            "aaaaaaaa-0000-0000-0000-000000000001\t{id}\t{name}\t{{}}\t{when}\t{day}\t2026-01-01\t2026-01-01\tx\tx"
        )
        .expect("a row");
        let empty = Vec::new;
        customers.push(Customer {
            id,
            name,
            phones: empty(),
            normal_phones: empty(),
            emails: empty(),
            values: Vec::new(),
            last_activity: activity,
        });
    }
    writer.finish().expect("COPY");
    // In several portions, for each of which there is memory.
    run(&mut server, "SET maintenance_work_mem = '1MB'");
    run(&mut server, "REINDEX INDEX ringfence.customer_search");
    run(&mut server, "VACUUM ANALYZE ringfence.customer");
    let everybody = Everybody::new("TW", customers);
    let mut searcher = Searcher::new(&database.name, "app_a", "");
    let mut fresh = Searcher::new(&database.name, "app_a", "");
    let queries = [
        "aaaaa",
        "aaa",
        "aaaax",
        "bb",
        "b",
        "bbx aaaaa",
        "ccccc",
        "ccc aaaa",
        "cccccx",
        "yccccc",
        "cccdc",
        "ddddd",
        "dddddx aaaaa",
        "dddcd",
        "eeeee",
        "eee aaa",
        "eeexe",
        "fffff",
        "ffffg",
        "fff bb ccc",
        "ccccc ddddd",
        "aaaaa bbx",
        "aaaaa yeeeee",
        "zzzzz",
        "bb ccccc ddd",
    ];
    compare(&everybody, &mut searcher, &mut fresh, &[], &queries.map(str::to_owned), &mut Recall::default());
}

/// Customers named "Kowal <number>" of Company A, with what a test needs of them.
fn seed(database: &Database, count: usize) {
    run(
        &mut database.connect("boss_a"),
        &format!(
            "INSERT INTO ringfence.customer_card (name, phones, emails, last_activity_at)
                 SELECT 'Kowal ' || n, ARRAY['+48601' || 100000 + n], ARRAY['kowal.' || n || '@example.com'],
                        CASE WHEN n % 3 > 0 THEN '2026-01-01'::timestamptz + n % 40 * interval '1 day' END
                   FROM generate_series(1, {count}) AS n"
        ),
    );
}

#[test]
fn who_stays_comes_once_whatever_is_written() {
    let database = Database::new("search_paging");
    seed(&database, 800);
    let mut boss = database.connect("boss_a");
    // A third stays and is not written, a third stays where it is while something else of it changes; the others move and go.
    let stays = "SELECT array_agg(id ORDER BY last_activity_at DESC NULLS LAST, id) FROM ringfence.customer
                  WHERE name LIKE 'Kowal %' AND substr(name, 7)::int % 7 < 4";
    let stays: Vec<Uuid> = value(&mut boss, stays);
    let stop = AtomicBool::new(false);
    let mut searcher = Searcher::new(&database.name, "app_a", "");
    thread::scope(|scope| {
        let writers: Vec<_> = [
            "INSERT INTO ringfence.customer_card (name, last_activity_at) SELECT 'Kowal', '2026-01-20'::timestamptz + (random() * 900000 - 450000) * interval '1 second' FROM generate_series(1, 3)",
            "UPDATE ringfence.customer SET last_activity_at = CASE WHEN random() < 0.7 THEN '2026-01-20'::timestamptz + (random() * 40 - 20) * interval '1 day' END
               WHERE name LIKE 'Kowal %' AND substr(name, 7)::int % 7 > 3 AND random() < 0.01",
            "DELETE FROM ringfence.customer WHERE random() < 0.003 AND (name = 'Kowal' OR name LIKE 'Kowal %' AND substr(name, 7)::int % 7 > 4)",
            "UPDATE ringfence.customer SET address = random()::text WHERE name LIKE 'Kowal %' AND substr(name, 7)::int % 7 IN (2, 3) AND random() < 0.01",
        ]
        .into_iter()
        .map(|statement| {
            let mut session = database.connect("boss_a");
            let stop = &stop;
            scope.spawn(move || {
                let mut written = 0;
                while !stop.load(Ordering::Relaxed) {
                    // Two that write the same row in another order may have to begin again.
                    if let Ok(rows) = session.execute(statement, &[]) {
                        written += rows;
                    }
                }
                written
            })
        })
        .collect();
        let upkeep = scope.spawn(|| {
            let (mut server, mut rounds) = (database.superuser(), 0);
            while !stop.load(Ordering::Relaxed) {
                run(&mut server, "VACUUM ringfence.customer");
                run(&mut server, "REINDEX INDEX CONCURRENTLY ringfence.customer_search");
                rounds += 1;
            }
            rounds
        });
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            for (query, rows) in
                [("kowal", 7), ("kowla", 20), ("owal", 100), ("kowal", 333), ("kowal", 1000), ("kowla", 50)]
            {
                let found = searcher.ids_by(query, rows);
                let known: HashSet<&Uuid> = stays.iter().collect();
                let stayed: Vec<Uuid> = found.into_iter().filter(|id| known.contains(id)).collect();
                assert!(stayed == stays, "{query} by {rows}: {} of {}", stayed.len(), stays.len());
            }
        }));
        stop.store(true, Ordering::Relaxed);
        for writer in writers {
            assert!(writer.join().expect("a writer") > 0, "a writer wrote nothing");
        }
        assert!(upkeep.join().expect("the upkeep") > 0, "no index was built");
        if let Err(panic) = outcome {
            std::panic::resume_unwind(panic);
        }
    });
    finds_right(&database.name, &mut searcher);
}

/// A cursor with the checksum that belongs to it, as anybody can make one who reads the source.
fn cursor(owner: &Uuid, query: &str, rank: f32, last_activity: i64, id: &Uuid) -> String {
    let mut content = [&rank.to_be_bytes()[..], &last_activity.to_be_bytes(), id.as_bytes()].concat();
    let mut checksum = SipHasher13::new_with_key(b"ringfence cursor");
    checksum.write(&[owner.as_bytes(), query.as_bytes(), &[0xff], &content].concat());
    content.extend(checksum.finish().to_be_bytes());
    URL_SAFE_NO_PAD.encode(content)
}

/// Whatever a cursor says, its page has the customers of the own owner behind that place: whether one of another owner is there makes no
/// difference.
#[test]
fn a_cursor_made_up_tells_nothing_of_others() {
    let database = Database::new("search_made_up_cursor");
    seed(&database, 60);
    let (mut ours, mut theirs) = (database.connect("boss_a"), database.connect("app_b"));
    run(
        &mut theirs,
        "INSERT INTO ringfence.customer (name, last_activity_at) SELECT 'Kowal', '2026-01-20'::timestamptz + n * interval '1 hour' FROM generate_series(1, 30) AS n",
    );
    let activities = |client: &mut Client| -> HashMap<Uuid, i64> {
        let rows = client.query("SELECT id, (extract(epoch FROM coalesce(last_activity_at, '1999-01-01') - '2000-01-01'::timestamptz) * 1000000)::bigint FROM ringfence.customer WHERE name LIKE 'Kowal%'", &[]);
        rows.expect("customers").iter().map(|row| (row.get(0), row.get(1))).collect()
    };
    let (own, theirs) = (activities(&mut ours), activities(&mut theirs));
    let owner: Uuid = value(&mut ours, "SELECT ringfence.current_owner()");
    let mut searcher = Searcher::new(&database.name, "app_a", "");
    let all = searcher.all("kowal", 1000);
    assert_eq!((all.len(), theirs.len()), (60, 30));
    let last = &all[20];
    assert_eq!(cursor(&owner, "kowal", last.1, own[&last.0], &last.0), last.2, "made up as it is made");

    // The place of each customer of theirs, and the one beside it, which is nobody's.
    for (id, activity) in &theirs {
        let nobody = Uuid::from_u128(id.as_u128() ^ 1);
        for rank in [1.0, 0.9, last.1, 0.7, 0.5, 0.0] {
            let behind = |(other, others_rank, _): &&Found| {
                let place = (own[other].cmp(activity).reverse()).then(other.cmp(id));
                *others_rank < rank || (*others_rank == rank && place.is_gt())
            };
            let expected: Vec<&Found> = all.iter().filter(behind).collect();
            for id in [id, &nobody] {
                let page = searcher.page("kowal", 1000, Some(&cursor(&owner, "kowal", rank, *activity, id)));
                assert!(page.iter().eq(expected.iter().copied()), "{rank} {id}");
            }
        }
    }
    // And what no customer has.
    for rank in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, -1.0, 2.0] {
        for activity in [i64::MIN, -1, i64::MAX] {
            for id in [Uuid::nil(), Uuid::max()] {
                let page = searcher.page("kowal", 1000, Some(&cursor(&owner, "kowal", rank, activity, &id)));
                assert!(page.iter().all(|found| all.contains(found)), "{rank} {activity}");
            }
        }
    }
}

#[test]
fn a_cursor_is_good_for_its_own_search_alone() {
    let database = Database::new("search_cursor");
    seed(&database, 30);
    run(
        &mut database.connect("app_b"),
        "INSERT INTO ringfence.customer (name) SELECT 'Kowal' FROM generate_series(1, 30)",
    );
    let mut ours = Searcher::new(&database.name, "app_a", "");
    let mut theirs = Searcher::new(&database.name, "app_b", "");
    let good = ours.page("kowal", 5, None)[4].2.clone();
    let other_query = ours.page("kowa", 5, None)[4].2.clone();
    let other_owner = theirs.page("kowal", 5, None)[4].2.clone();
    assert_eq!(ours.page("kowal", 5, Some(&good)).len(), 5);
    let mut bad = vec![
        other_query,
        other_owner,
        String::new(),
        good.to_uppercase(),
        format!("{good}A"),
        format!("{good}=="),
        format!(" {good}"),
        "é".repeat(24),
        "A".repeat(good.len()),
    ];
    bad.extend([1, 2, 8, 36, 47].map(|length| good[..length].to_owned()));
    for n in 0..good.len() {
        let mut damaged = good.clone().into_bytes();
        damaged[n] = if damaged[n] == b'7' { b'8' } else { b'7' };
        bad.push(String::from_utf8(damaged).expect("ASCII"));
    }
    for cursor in bad {
        let error = ours.client.query(&ours.page, &[&"kowal", &5, &cursor]).expect_err(&cursor);
        let error = error.as_db_error().expect("the server's error");
        assert_eq!(error.code().code(), "22023", "{cursor}");
        // Whatever is wrong with it: the same words, and nothing of it.
        assert_eq!(error.message(), "invalid search cursor");
        assert_eq!(error.detail(), None);
        assert_eq!(error.hint(), Some("Pass the cursor of the last row of the same query, or NULL to start over."));
    }
}

/// The plans of a search are kept for all sessions that a connection serves.
#[test]
fn no_session_plans_a_search_for_others() {
    let database = Database::new("search_plan");
    seed(&database, 3000);
    // So many on the last day that the latest of them are read by their places.
    let active = "UPDATE ringfence.customer_card SET last_activity_at = '2026-06-01' WHERE name LIKE 'Kowal 1%'";
    run(&mut database.connect("boss_a"), active);
    run(&mut database.superuser(), "ANALYZE ringfence.customer");
    let mut agent = database.superuser();
    let off = ["enable_bitmapscan", "enable_indexscan", "enable_tidscan"].map(|name| format!("SET LOCAL {name} = off"));
    for settings in [off.join("; ").as_str(), ""] {
        run(&mut agent, &format!("SET SESSION AUTHORIZATION app_a; BEGIN; {settings}"));
        let before: String = value(&mut agent, "SHOW enable_bitmapscan");
        let count: i64 = value(&mut agent, "SELECT count(*) FROM ringfence.search_customers('kowal 2999')");
        assert_eq!(count, 1);
        let count: i64 = value(&mut agent, "SELECT count(*) FROM ringfence.search_customers('kowal')");
        assert_eq!(count, 20);
        // The superuser sees what was read. Of an index, the entries that a scan has returned; of a table, the rows that a sequential scan has.
        run(&mut agent, "RESET SESSION AUTHORIZATION");
        let mut returned = |of: &str| -> i64 {
            value(&mut agent, &format!("SELECT pg_stat_get_xact_tuples_returned('ringfence.{of}'::regclass)"))
        };
        assert!(returned("customer_search") > 0 && returned("customer") == 0, "{settings}");
        assert_eq!(value::<String>(&mut agent, "SHOW enable_bitmapscan"), before);
        run(&mut agent, "COMMIT");
    }
}

#[test]
fn a_long_search_can_be_ended() {
    let database = Database::new("search_cancel");
    seed(&database, 3000);
    let mut agent = database.connect("app_a");
    // Hours of it.
    let long = "SELECT count(*) FROM generate_series(1, 10000000) AS n, LATERAL ringfence.search_customers(left('kowal', 4 + n % 2), 1000)";
    let works = |agent: &mut Client| {
        let count: i64 = value(agent, "SELECT count(*) FROM ringfence.search_customers('kowal', 1000)");
        assert_eq!(count, 1000);
        let count: i64 = value(agent, "SELECT count(*) FROM ringfence.search_customers('kowal 2999')");
        assert_eq!(count, 1);
    };
    works(&mut agent);
    for _ in 0..3 {
        run(&mut agent, "SET statement_timeout = '60ms'");
        assert_eq!(refused(&mut agent, long), "57014");
        run(&mut agent, "RESET statement_timeout");
        works(&mut agent);
        // In a transaction, back to before the search.
        run(
            &mut agent,
            "BEGIN; INSERT INTO ringfence.customer (name) VALUES ('Kept Kowalenko'); SAVEPOINT before; SET LOCAL statement_timeout = '60ms'",
        );
        assert_eq!(refused(&mut agent, long), "57014");
        run(&mut agent, "ROLLBACK TO before");
        works(&mut agent);
        let count: i64 = value(&mut agent, "SELECT count(*) FROM ringfence.search_customers('kowalenko')");
        assert_eq!(count, 1);
        run(&mut agent, "ROLLBACK");
    }
    // By who calls it, and by who ends it.
    let cancel = agent.cancel_token();
    let mut observer = database.superuser();
    let searching = thread::spawn(move || (refused(&mut agent, long), agent));
    wait_for(
        &mut observer,
        "SELECT count(*) FROM pg_stat_activity WHERE usename = 'app_a' AND state = 'active' AND datname = current_database()",
    );
    cancel.cancel_query(postgres::NoTls).expect("cancel");
    let (state, mut agent) = searching.join().expect("the search");
    assert_eq!(state, "57014");
    works(&mut agent);
    // A single search, too: of so many that to judge them takes longer than this.
    run(&mut agent, "SET statement_timeout = '1ms'");
    assert_eq!(refused(&mut agent, "SELECT FROM ringfence.search_customers('kowal', 1000)"), "57014");
}

/// Waits until a query counts something.
fn wait_for(observer: &mut Client, query: &str) {
    let began = Instant::now();
    while value::<i64>(observer, query) == 0 {
        assert!(began.elapsed() < Duration::from_secs(60), "{query}");
        thread::yield_now();
    }
}

/// Waits until a session of that role waits for a lock.
fn wait_until_blocked(database: &Database, role: &str) {
    let blocked = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE usename = '{role}' AND wait_event_type = 'Lock' AND datname = current_database()"
    );
    wait_for(&mut database.superuser(), &blocked);
}

/// That a new session, and one that has searched before, find who is there: by a scan as the superuser sees it.
fn finds_right(database: &str, old: &mut Searcher) {
    let mut server = superuser(database);
    let rows = server
        .query("SELECT id, name, normal_phones, emails FROM ringfence.customer WHERE owner_id = 'aaaaaaaa-0000-0000-0000-000000000001'", &[])
        .expect("customers");
    let rows: Vec<(Uuid, String, Vec<String>, Vec<String>)> =
        rows.iter().map(|row| (row.get(0), fold(row.get(1)), row.get(2), row.get(3))).collect();
    let mut new = Searcher::new(database, "app_a", "");
    for query in ["kowal", "owa", "kowal 7", "kowal 77", "kowalska", "tsai", "example.com", "100077", "0999", "nobody"]
    {
        let mut expected: Vec<Uuid> = rows
            .iter()
            .filter(|(_, name, phones, emails)| {
                phones.iter().any(|phone| query.len() > 3 && phone.ends_with(query))
                    || emails.iter().any(|email| email.contains(query))
                    || judge::words(query).iter().all(|word| {
                        let mut words = judge::words(name).into_iter();
                        if word.len() < 3 {
                            words.any(|other| other.starts_with(word))
                        } else {
                            name.contains(word) || emails.iter().any(|email| email.contains(word))
                        }
                    })
            })
            .map(|(id, ..)| *id)
            .collect();
        expected.sort_unstable();
        for searcher in [&mut *old, &mut new] {
            let mut found = searcher.ids(query);
            found.sort_unstable();
            assert!(found == expected, "{query}: {} of {}", found.len(), expected.len());
        }
    }
}

/// How much of the leaves of the tree of keys is free.
fn free_of_leaves(server: &mut Client) -> f64 {
    run(server, "CHECKPOINT");
    let file: Vec<u8> =
        value(server, "SELECT pg_read_binary_file(pg_relation_filepath('ringfence.customer_search'::regclass))");
    let short = |page: &[u8], at: usize| f64::from(u16::from_ne_bytes([page[at], page[at + 1]]));
    // Flags are at the end of a page of GIN's; 2 is a leaf, and of no tree of places. Then where its free space begins and ends.
    let leaves: Vec<&[u8]> = file.chunks(8192).filter(|page| short(page, 8190) == 2.0).collect();
    assert!(leaves.len() > 10, "{}", leaves.len());
    leaves.iter().map(|page| (short(page, 14) - short(page, 12)) / 8192.0).sum::<f64>() / leaves.len() as f64
}

#[test]
fn whatever_is_done_to_the_index() {
    let database = Database::new("search_index");
    seed(&database, 700);
    let name = database.name.as_str();
    let mut server = database.superuser();
    let mut searcher = Searcher::new(name, "app_a", "");
    finds_right(name, &mut searcher);
    run(&mut server, "REINDEX INDEX ringfence.customer_search");
    finds_right(name, &mut searcher);
    assert!(free_of_leaves(&mut server) < 0.25, "{}", free_of_leaves(&mut server));
    run(&mut server, "REINDEX INDEX CONCURRENTLY ringfence.customer_search");
    finds_right(name, &mut searcher);
    run(&mut server, "REINDEX TABLE CONCURRENTLY ringfence.customer");
    finds_right(name, &mut searcher);
    // Half of them go, and others come to where they were.
    run(&mut server, "DELETE FROM ringfence.customer WHERE name LIKE 'Kowal %' AND substr(name, 7)::int % 2 = 0");
    finds_right(name, &mut searcher);
    run(&mut server, "VACUUM ringfence.customer");
    finds_right(name, &mut searcher);
    run(
        &mut database.connect("boss_a"),
        "INSERT INTO ringfence.customer (name) SELECT 'Kowalska ' || n FROM generate_series(1, 400) AS n",
    );
    run(&mut server, "VACUUM FULL ringfence.customer");
    finds_right(name, &mut searcher);
    run(&mut server, "CLUSTER ringfence.customer USING customer_pkey");
    finds_right(name, &mut searcher);

    // A second one beside it, and then instead of it.
    let definition: String = value(&mut server, "SELECT pg_get_indexdef('ringfence.customer_search'::regclass)");
    let second = definition.replacen("INDEX customer_search ON", "INDEX CONCURRENTLY second_search ON", 1);
    assert_ne!(definition, second);
    run(&mut server, &second);
    finds_right(name, &mut searcher);
    run(&mut server, "DROP INDEX CONCURRENTLY ringfence.customer_search");
    finds_right(name, &mut searcher);
    run(&mut database.connect("boss_a"), "INSERT INTO ringfence.customer (name) VALUES ('Kowalska 0999')");
    finds_right(name, &mut searcher);
    run(&mut server, "ALTER INDEX ringfence.second_search RENAME TO customer_search");
    finds_right(name, &mut searcher);

    let mut amcheck = Command::new("pg_amcheck");
    let checked = amcheck.args(["--install-missing", "--heapallindexed", "-d", name]).output().expect("pg_amcheck");
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&[checked.stdout, checked.stderr].concat()));
    finds_right(name, &mut searcher);
}

#[test]
fn a_dump_is_searched_as_before() {
    let database = Database::new("search_dump");
    let mut boss = database.connect("boss_a");
    run(&mut boss, people::FIELDS);
    let made = people::make(3, &COUNTRIES[5], 300);
    people::copy(&made, true, &mut boss);
    let asked = |database: &str| {
        let mut found = Vec::new();
        for (role, settings) in [
            ("app_a", ""),
            ("boss_a", ""),
            ("sales_a", ""),
            ("boss_a", "SET ringfence.project = 'Support'"),
            ("app_b", ""),
        ] {
            let mut searcher = Searcher::new(database, role, settings);
            for query in queries::FIXED {
                // The cursors too: a page goes on where it was before.
                found.push((role, settings, query, searcher.all(query, 1000)));
            }
        }
        found
    };
    let target = format!("{}_restored", database.name);
    let file = std::env::temp_dir().join(format!("{}.dump", database.name));
    let before = asked(&database.name);
    assert!(before.iter().filter(|(.., found)| !found.is_empty()).count() > 200);
    for (dump, options) in [("p", ""), ("c", "-c session_replication_role=replica")] {
        let dumped = Command::new("pg_dump").args(["-F", dump, "-f"]).arg(&file).arg(&database.name).status();
        assert!(dumped.expect("pg_dump").success());
        run(&mut superuser("postgres"), &format!("CREATE DATABASE {target}"));
        let restored = if dump == "p" {
            Command::new("psql")
                .args(["-q", "-X", "-v", "ON_ERROR_STOP=1", "-o", "/dev/null", "-d", &target, "-f"])
                .arg(&file)
                .status()
        } else {
            Command::new("pg_restore")
                .args(["--exit-on-error", "-j", "2", "-d", &target])
                .arg(&file)
                .env("PGOPTIONS", options)
                .status()
        };
        assert!(restored.expect("a restore").success());
        let after = asked(&target);
        for (one, other) in before.iter().zip(&after) {
            assert!(one == other, "{dump}: {} {} {:?}: {} and {}", one.0, one.1, one.2, one.3.len(), other.3.len());
        }
        run(&mut superuser("postgres"), &format!("DROP DATABASE {target} WITH (FORCE)"));
    }
    std::fs::remove_file(&file).expect("remove the dump");
}

#[test]
fn who_was_not_committed_is_not_found() {
    let database = Database::new("search_commit");
    let mut other = Searcher::new(&database.name, "app_a", "");
    let mut writer = database.connect("app_a");
    let mut found = |query: &str| other.ids(query).len();
    run(
        &mut writer,
        "BEGIN; INSERT INTO ringfence.customer (name) SELECT 'Quixote ' || n FROM generate_series(1, 400) AS n",
    );
    assert_eq!(found("quixote"), 0);
    assert_eq!(value::<i64>(&mut writer, "SELECT count(*) FROM ringfence.search_customers('quixote', 1000)"), 400);
    run(&mut writer, "ROLLBACK");
    assert_eq!(found("quixote") + found("quixtoe"), 0);
    assert_eq!(value::<i64>(&mut writer, "SELECT count(*) FROM ringfence.search_customers('quixote')"), 0);

    run(
        &mut writer,
        "BEGIN; INSERT INTO ringfence.customer (name) VALUES ('Sancho'); SAVEPOINT one; INSERT INTO ringfence.customer (name) VALUES ('Panza');
         UPDATE ringfence.customer SET name = 'Rocinante' WHERE name = 'Chen Wei'; ROLLBACK TO one; COMMIT",
    );
    assert_eq!((found("sancho"), found("panza"), found("rocinante"), found("wei")), (1, 0, 0, 1));

    // Two-phase: found when it is committed, whoever commits it.
    for (ending, expected) in [("ROLLBACK", 0), ("COMMIT", 1)] {
        run(
            &mut writer,
            "BEGIN; INSERT INTO ringfence.customer (name) VALUES ('Dulcinea'); UPDATE ringfence.customer SET name = 'Cervantes' WHERE name = 'Chen Wei'; PREPARE TRANSACTION 'search'",
        );
        assert_eq!((found("dulcinea"), found("cervantes"), found("wei")), (0, 0, 1));
        run(&mut database.superuser(), &format!("{ending} PREPARED 'search'"));
        assert_eq!((found("dulcinea"), found("cervantes"), found("wei")), (expected, expected, 1 - expected));
    }

    // A session with one snapshot finds what that shows.
    let mut reader = database.connect("app_a");
    let count = "SELECT count(*) FROM ringfence.search_customers('dulcinea')";
    run(&mut reader, "BEGIN ISOLATION LEVEL REPEATABLE READ");
    assert_eq!(value::<i64>(&mut reader, count), 1);
    run(
        &mut writer,
        "INSERT INTO ringfence.customer (name) VALUES ('Dulcinea'); UPDATE ringfence.customer SET name = 'Aldonza' WHERE name = 'Dulcinea'",
    );
    assert_eq!(value::<i64>(&mut reader, count), 1);
    run(&mut reader, "COMMIT");
    assert_eq!(value::<i64>(&mut reader, count), 0);
    assert_eq!(found("aldonza"), 2);
}

/// Whoever found nobody, and so entered somebody, did it on what is not true any more if another did the same.
#[test]
fn of_two_who_found_nobody_one_may_enter_somebody() {
    let database = Database::new("search_serializable");
    let mut agents = [database.connect("app_a"), database.connect("app_a")];
    // So many that what they have in common has a tree of places.
    run(
        &mut agents[0],
        "INSERT INTO ringfence.customer (name) SELECT 'Kowalski ' || n FROM generate_series(1, 5000) AS n",
    );
    for looked_for in ["Unheard-of", "Kowalski"] {
        for (n, agent) in agents.iter_mut().enumerate() {
            run(agent, "BEGIN ISOLATION LEVEL SERIALIZABLE; SET LOCAL ringfence.owner = 'Company A'");
            let query = format!("{looked_for} none{n}");
            let found = agent.query("SELECT FROM ringfence.customer WHERE ringfence.matches(id, $1)", &[&query]);
            assert_eq!(found.expect("a search").len(), 0, "{query}");
        }
        // Each enters whom the other has looked for.
        let results: Vec<_> = agents
            .iter_mut()
            .enumerate()
            .map(|(n, agent)| {
                agent
                    .execute(
                        "INSERT INTO ringfence.customer (name) VALUES ($1)",
                        &[&format!("{looked_for} none{}", 1 - n)],
                    )
                    .and_then(|_| agent.batch_execute("COMMIT"))
            })
            .collect();
        let refused: Vec<_> = results
            .iter()
            .filter_map(|result| result.as_ref().err()?.code().map(|code| code.code().to_owned()))
            .collect();
        assert_eq!(refused, ["40001"], "{looked_for}");
        agents.iter_mut().for_each(|agent| run(agent, "ROLLBACK"));
    }
}

/// An index that was built since need not hold the versions of rows that an older snapshot sees.
#[test]
fn an_older_snapshot_finds_what_it_sees() {
    let database = Database::new("search_snapshot");
    let mut reader = database.connect("app_a");
    run(&mut reader, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM pg_class");
    let mut server = database.superuser();
    // Without the index a change of the e-mails stays on the page, and the index that is made then has only what it was changed to.
    run(
        &mut server,
        "ALTER EVENT TRIGGER ringfence_guard_drop DISABLE;
         DROP INDEX ringfence.customer_search;
         UPDATE ringfence.customer SET emails = '{}' WHERE name LIKE 'Tsai%';
         CREATE INDEX customer_search ON ringfence.customer
             USING ringfence_search (ringfence.search_keys(owner_id, name, normal_phones, normal_emails, searchable, active_on))",
    );
    let checked = "SELECT indcheckxmin FROM pg_index WHERE indexrelid = 'ringfence.customer_search'::regclass";
    assert!(value::<bool>(&mut server, checked));
    let count = "SELECT count(*) FROM ringfence.search_customers('tsai@example.com')";
    assert_eq!(value::<i64>(&mut reader, count), 1);
    run(&mut reader, "COMMIT");
    assert_eq!(value::<i64>(&mut reader, count), 0);
}

/// The entries of a COPY are put into the index together: nobody may notice.
#[test]
fn a_copy_is_found_whatever_happens_in_it() {
    const OWNER: &str = "aaaaaaaa-0000-0000-0000-000000000001";
    let database = Database::new("search_copy");
    let mut loader = database.superuser();
    let mut searcher = Searcher::new(&database.name, "app_a", "");
    // As the index has it, and as it is.
    let check = |searcher: &mut Searcher, expected: usize, what: &str| {
        assert_eq!(searcher.ids("copycat").len(), expected, "{what}");
        assert_eq!(searcher.ids("copcyat").len(), expected, "{what}: with a typo");
        let mut server = database.superuser();
        let there = "SELECT count(*) FROM ringfence.customer WHERE name LIKE '%Copycat%'";
        assert_eq!(value::<i64>(&mut server, there), expected as i64, "{what}");
    };
    let copy = |client: &mut Client, lines: &[String]| -> Result<u64, postgres::Error> {
        let mut writer = client.copy_in("COPY ringfence.customer (owner_id, name) FROM STDIN")?;
        writer.write_all(lines.concat().as_bytes()).and_then(|()| writer.flush()).expect("lines are taken");
        writer.finish()
    };
    let lines = |range: std::ops::Range<usize>| -> Vec<String> {
        range.map(|n| format!("{OWNER}\t{} Copycat {n}\n", ["Łukasz", "Giulia", "蔡"][n % 3])).collect()
    };
    // More than wait at once.
    copy(&mut loader, &lines(0..4000)).expect("COPY");
    check(&mut searcher, 4000, "a COPY");

    // A broken line, and another transaction then; the same in a subtransaction, after which others are entered.
    let broken: Vec<String> = lines(4000..4500).into_iter().chain(["nobody's\tCopycat\n".to_owned()]).collect();
    copy(&mut loader, &broken).expect_err("a broken line");
    copy(&mut loader, &lines(4000..4010)).expect("COPY");
    check(&mut searcher, 4010, "after one that failed");
    run(&mut loader, "BEGIN; SAVEPOINT s");
    copy(&mut loader, &broken).expect_err("a broken line");
    run(&mut loader, "ROLLBACK TO s");
    run(&mut loader, &format!("INSERT INTO ringfence.customer (owner_id, name) VALUES ('{OWNER}', 'Copycat one')"));
    copy(&mut loader, &lines(4010..4020)).expect("COPY");
    run(&mut loader, "COMMIT");
    check(&mut searcher, 4021, "in a transaction with one that failed");
    run(&mut loader, "BEGIN");
    copy(&mut loader, &lines(4020..4030)).expect("COPY");
    run(&mut loader, "ROLLBACK");
    check(&mut searcher, 4021, "after one that was rolled back");

    // Triggers that search meanwhile, and that fail on the way without executing anything.
    run(
        &mut loader,
        &format!(
            "CREATE TABLE seen (found bigint);
             CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS $$
             BEGIN
                 BEGIN
                     RAISE division_by_zero;
                 EXCEPTION WHEN division_by_zero THEN
                     NULL;
                 END;
                 IF NEW.name LIKE '%00' THEN
                     PERFORM set_config('ringfence.owner', '{OWNER}', true);
                     INSERT INTO seen SELECT count(*) FROM ringfence.customer WHERE ringfence.matches(id, 'copycat');
                 END IF;
                 RETURN NEW;
             END$$;
             CREATE TRIGGER zz_look BEFORE INSERT ON ringfence.customer FOR EACH ROW EXECUTE FUNCTION look();
             SELECT ringfence.grant_access('postgres', 'Company A', '{{agent}}')"
        ),
    );
    copy(&mut loader, &lines(5000..5350)).expect("COPY");
    check(&mut searcher, 4371, "with triggers");
    let seen: Vec<i64> =
        loader.query("SELECT found FROM seen ORDER BY 1", &[]).expect("seen").iter().map(|row| row.get(0)).collect();
    assert_eq!(seen, [4021, 4121, 4221, 4321]);
}

#[test]
fn a_field_becomes_searchable_with_all_its_values() {
    let database = Database::new("search_field");
    let mut boss = database.connect("boss_a");
    run(
        &mut boss,
        "SELECT ringfence.create_field('Note', projects => '{Sales,Support}'), ringfence.create_field('Other', projects => '{Sales,Support}')",
    );
    let insert = |value: &str| {
        format!("INSERT INTO ringfence.customer_card (name, attributes) VALUES ('Noted', '{{\"Note\": \"{value}\"}}')")
    };
    let mut searcher = Searcher::new(&database.name, "app_a", "");
    let searchable = |yes: bool| format!("UPDATE ringfence.field SET is_searchable = {yes} WHERE name = 'Note'");

    // Whoever is writing a value is waited for.
    for ending in ["COMMIT", "ROLLBACK"] {
        run(&mut boss, &searchable(false));
        let mut writer = database.connect("app_a");
        run(&mut writer, &format!("BEGIN; {}", insert("zebra early")));
        let mut changing = database.connect("boss_a");
        let change = searchable(true);
        let changing = thread::spawn(move || run(&mut changing, &change));
        wait_until_blocked(&database, "boss_a");
        run(&mut writer, ending);
        changing.join().expect("the change");
        assert_eq!(searcher.ids("zebra").len(), 1, "{ending}");
    }

    // Who comes next waits until it is done, and writes what is searched then.
    run(&mut boss, &searchable(false));
    assert_eq!(searcher.ids("zebra").len(), 0);
    run(&mut boss, &format!("BEGIN; {}", searchable(true)));
    let mut writer = database.connect("app_a");
    let late = insert("zebra late");
    let writing = thread::spawn(move || run(&mut writer, &late));
    wait_until_blocked(&database, "app_a");
    run(&mut boss, "COMMIT");
    writing.join().expect("the writer");
    assert_eq!(searcher.ids("zebra").len(), 2);

    // Many who write, by sessions that know the field as it was, while it changes again and again.
    let stop = AtomicBool::new(false);
    let written: usize = thread::scope(|scope| {
        let writers: Vec<_> = (0..3)
            .map(|n| {
                let mut session = database.connect("app_a");
                let (statement, stop) = (insert(&format!("ostrich {n}")), &stop);
                scope.spawn(move || {
                    let mut written = 0;
                    while !stop.load(Ordering::Relaxed) {
                        run(&mut session, &statement);
                        written += 1;
                    }
                    written
                })
            })
            .collect();
        for n in 0..20 {
            run(&mut boss, &searchable(n % 2 > 0));
        }
        stop.store(true, Ordering::Relaxed);
        writers.into_iter().map(|writer| writer.join().expect("a writer")).sum()
    });
    assert!(written > 0);
    assert_eq!(searcher.ids("ostrich").len(), written);
    assert_eq!(searcher.ids("zebra").len(), 2);
}

#[test]
fn an_option_is_found_by_what_it_is_called() {
    let database = Database::new("search_option");
    let mut boss = database.connect("boss_a");
    run(
        &mut boss,
        "SELECT ringfence.create_field('Plan', 'choice', '{Sales,Support}', options => '{copper,silver plus}', is_searchable => true),
                ringfence.create_field('Tags', 'choices', '{Sales,Support}', options => '{zinc,tin}', is_searchable => true);
         INSERT INTO ringfence.customer_card (name, attributes)
             SELECT 'Metal', '{\"Plan\": \"copper\", \"Tags\": [\"zinc\", \"tin\"]}' FROM generate_series(1, 350);
         INSERT INTO ringfence.customer_card (name, attributes) VALUES ('Metal', '{\"Plan\": \"silver plus\"}')",
    );
    let mut searcher = Searcher::new(&database.name, "app_a", "");
    let mut found = |query: &str| searcher.ids(query).len();
    assert_eq!((found("copper"), found("zinc tin"), found("plus"), found("metal silver")), (350, 350, 1, 1));
    run(
        &mut boss,
        "SELECT ringfence.rename_option('Plan', 'copper', 'Brązowy plan'), ringfence.rename_option('Tags', 'zinc', '鋅')",
    );
    assert_eq!(
        (found("copper"), found("zinc"), found("brazowy"), found("鋅"), found("鋅 brąz tin")),
        (0, 0, 350, 350, 350)
    );
    // Of one that is not committed nobody knows yet; of one that is retired, those who have it.
    run(&mut boss, "BEGIN; SELECT ringfence.rename_option('Plan', 'silver plus', 'gold')");
    assert_eq!((found("gold"), found("silver")), (0, 1));
    run(&mut boss, "ROLLBACK; SELECT ringfence.retire_option('Tags', 'tin')");
    assert_eq!((found("gold"), found("silver"), found("tin")), (0, 1, 350));
}
