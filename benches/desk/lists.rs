//! A project's tickets, read by who works in it, against a condition written by hand.

use crate::common::{Arm, Bench, Goal, connect};
use crate::owner;

/// A prepared statement, a round trip each.
fn prepared<'a>(what: &str, role: &str, query: &str, rows: usize) -> Arm<'a> {
    let mut client = connect(role);
    let statement = client.prepare(query).expect("the query");
    Arm::each(what, client, move |client| {
        assert_eq!(client.query(&statement, &[]).expect("the query").len(), rows);
    })
}

pub fn compare(bench: &mut Bench) {
    println!("\nThe tickets of one project of ten, read by its agent");
    let project: String = connect("bench_sales")
        .query_one("SELECT id::text FROM ringfence.project WHERE name = 'Sales'", &[])
        .expect("the project")
        .get(0);
    let condition = format!("WHERE project_id = '{project}'");
    let by_hand = format!("FROM plain.ticket WHERE owner_id = '{}' AND project_id = '{project}'", owner(1));
    let columns = "SELECT number, subject, status, created_at";
    for order in ["created_at, id", "created_at DESC, id DESC"] {
        let page = format!("ORDER BY {order} LIMIT 50");
        let hand = format!("{columns} {by_hand} {page}");
        for (what, condition, goal) in [
            (format!("50 by {order}"), condition.as_str(), Goal::AtMost(1.05)),
            ("the same without the condition".to_owned(), "", Goal::None),
        ] {
            let walled = format!("{columns} FROM ringfence.ticket {condition} {page}");
            bench.compare(
                &what,
                goal,
                &mut prepared("", "bench_sales", &walled, 50),
                &mut prepared("WHERE by hand, no RLS", "bench_plain", &hand, 50),
                None,
            );
            bench.plan("a page", &mut connect("bench_sales"), &walled);
        }
    }
    let hand = format!("SELECT count(*) {by_hand}");
    for (what, condition, goal) in [
        ("count(*)", condition.as_str(), Goal::AtMost(1.05)),
        ("the same without the condition", "", Goal::AtMost(1.05)),
    ] {
        let walled = format!("SELECT count(*) FROM ringfence.ticket {condition}");
        bench.compare(
            what,
            goal,
            &mut prepared("", "bench_sales", &walled, 1),
            &mut prepared("WHERE by hand, no RLS", "bench_plain", &hand, 1),
            None,
        );
        bench.plan("a count", &mut connect("bench_sales"), &walled);
    }
    bench.plan("by hand", &mut connect("bench_plain"), &hand);
}
