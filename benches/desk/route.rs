//! `route()` against a look-up of the same row by its primary key, by the same client.

use crate::common::{Arm, Bench, Goal, connect, run};

const ROUTE: &str =
    "SELECT owner_id, owner_name, channel_id, project_id, project_name FROM ringfence.route('phone', $1)";
const BY_KEY: &str =
    "SELECT owner_id, owner_name, channel_id, project_id, project_name FROM plain.line WHERE address = $1";
const ROLE: &str = "bench_switch";

/// A prepared statement, a round trip each.
fn prepared<'a>(what: &str, query: &str, addresses: &'a [String], rows: usize) -> Arm<'a> {
    let mut client = connect(ROLE);
    let statement = client.prepare(query).expect("the look-up");
    let mut addresses = addresses.iter().cycle();
    Arm::each(what, client, move |client| {
        let found = client.query(&statement, &[addresses.next().expect("endless")]).expect("the look-up");
        assert_eq!(found.len(), rows, "what the address leads to");
    })
}

/// A loop of PL/pgSQL: without client and connection.
fn in_server<'a>(what: &str, query: &str, addresses: &'a [String], rows: usize) -> Arm<'a> {
    let mut client = connect(ROLE);
    run(
        &mut client,
        &format!(
            "CREATE FUNCTION pg_temp.look_up(addresses text[], times bigint) RETURNS bigint LANGUAGE plpgsql AS $$
             DECLARE line record; wanted text; found_rows bigint := 0;
             BEGIN
                 FOR i IN 1 .. times LOOP
                     wanted := addresses[1 + i % {}];
                     {};
                     IF FOUND THEN found_rows := found_rows + 1; END IF;
                 END LOOP;
                 RETURN found_rows;
             END $$",
            addresses.len(),
            query.replace(" FROM", " INTO line FROM").replace("$1", "wanted"),
        ),
    );
    Arm::new(what, client, move |client, meter, times| {
        let found =
            meter.measure(|| client.query_one("SELECT pg_temp.look_up($1, $2)", &[&addresses, &(times as i64)]));
        assert_eq!(found.expect("the look-ups").get::<_, i64>(0), (times * rows as u64) as i64);
    })
}

pub fn compare(bench: &mut Bench) {
    println!("\nA call's line, of 1,000: route() against a look-up by primary key");
    let each = |spell: &dyn Fn(usize) -> String| (0..1000).map(|n| spell(10000 + n)).collect::<Vec<_>>();
    let keys = each(&|n| format!("+8862223{n}"));
    let unknown = each(&|n| format!("+8862224{n}"));
    for (what, addresses, keys, rows) in [
        ("E.164", keys.clone(), &keys, 1),
        ("(02) 2231-0000", each(&|n| format!("(02) 223{}-{:04}", n / 10000, n % 10000)), &keys, 1),
        ("SIP URI", each(&|n| format!("sip:+8862223{n}@pbx.example.com;user=phone")), &keys, 1),
        ("unknown address", unknown.clone(), &unknown, 0),
    ] {
        bench.compare(
            &format!("{what}, a round trip each"),
            Goal::AtMost(1.5),
            &mut prepared("", ROUTE, &addresses, rows),
            &mut prepared("by primary key", BY_KEY, keys, rows),
            None,
        );
        bench.compare(
            "the same in a loop of PL/pgSQL",
            Goal::None,
            &mut in_server("", ROUTE, &addresses, rows),
            &mut in_server("by primary key", BY_KEY, keys, rows),
            None,
        );
    }
    bench.plan("route", &mut connect(ROLE), &ROUTE.replace("$1", &format!("'{}'", keys[0])));
    bench.plan("by primary key", &mut connect(ROLE), &BY_KEY.replace("$1", &format!("'{}'", keys[0])));
}
