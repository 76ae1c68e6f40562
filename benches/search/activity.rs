//! What very many have in common, while nobody was ever active, as after an import, and after all were active at once, before a VACUUM and after
//! it: how much longer than where the activity is spread over many days.

use super::data::{Maker, Set};
use super::queries::{Kind, queries};
use crate::common::{connect_to, run};
use std::time::Instant;

const KINDS: [Kind; 3] = [Kind::CommonSubstring, Kind::Domain, Kind::ShortWords];

/// Changes the activity of all customers of the largest owner.
pub fn compare(set: &Set, database: &str, count: usize) {
    let Some(owner) = set.owners.iter().max_by_key(|owner| owner.customers) else { return };
    println!("\nCommon parts, {} customers of one owner: median in ms, and in times of the first", owner.customers);
    let (mut server, maker) = (connect_to(database, "postgres"), Maker::new());
    let mut agent = connect_to(database, "search_agent");
    run(&mut server, "ALTER TABLE ringfence.customer SET (autovacuum_enabled = off)");
    let mut first = [0.0; KINDS.len()];
    let activity = |value: &str| {
        format!("UPDATE ringfence.customer SET last_activity_at = {value} WHERE owner_id = '{}'", owner.id())
    };
    let vacuum = || "VACUUM ringfence.customer".to_owned();
    for (state, statement) in [
        ("as it is", None),
        ("never active", Some(activity("NULL"))),
        ("the same, vacuumed", Some(vacuum())),
        ("all on one day", Some(activity("'2026-03-01'::timestamptz + random() * interval '1 day'"))),
        ("the same, vacuumed", Some(vacuum())),
        ("all on earlier days", Some(activity("last_activity_at - random() * interval '1000 days'"))),
        ("the same, vacuumed", Some(vacuum())),
    ] {
        statement.iter().for_each(|statement| run(&mut server, statement));
        run(&mut agent, &format!("BEGIN; SET LOCAL ringfence.owner = '{}'", owner.id()));
        print!("  {state:20}");
        for (n, kind) in KINDS.into_iter().enumerate() {
            let mut times: Vec<f64> = queries(&maker, owner, kind, count)
                .iter()
                .map(|query| {
                    let start = Instant::now();
                    agent.query("SELECT * FROM ringfence.search_customers($1)", &[&query.text]).expect("a search");
                    start.elapsed().as_secs_f64() * 1000.0
                })
                .collect();
            times.sort_by(f64::total_cmp);
            let median = times.get(times.len() / 2).copied().unwrap_or_default();
            if first[n] == 0.0 {
                first[n] = median;
            }
            print!("   {} {median:.2} ({:.1})", kind.name(), median / first[n]);
        }
        println!();
        run(&mut agent, "COMMIT");
    }
}
