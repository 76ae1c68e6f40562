//! What the deletion of an owner costs beside that of the same rows by hand, in the order of their foreign keys. Other owners have 30 times as many.

mod common;

use common::{Arm, Bench, Goal, connect, run};

/// An owner of benches/data.sql: one of its 200,000 customers in 36.
const OWNER: &str = "00000000-0000-4000-8000-000000000010";
const NAME: &str = "Owner 10";

/// Undone, so that the next round finds the same. What undoes it is not counted.
fn deletion<'a>(what: &str, role: &str, statements: String) -> Arm<'a> {
    Arm::new(what, connect(role), move |client, meter, times| {
        for _ in 0..times {
            run(client, "BEGIN");
            meter.measure(|| run(client, &statements));
            run(client, "ROLLBACK");
        }
    })
}

fn main() {
    run(
        &mut connect("postgres"),
        "DO $$ BEGIN CREATE ROLE bench_admin LOGIN IN ROLE ringfence_admin; EXCEPTION WHEN duplicate_object THEN NULL; END $$",
    );
    run(
        &mut connect("postgres"),
        &format!(
            "INSERT INTO ringfence.ticket (owner_id, subject, status, customer_id, project_id, created_by, updated_by)
                 SELECT owner_id, 'Ticket', 'new', id, NULL, 'bench', 'bench' FROM ringfence.customer WHERE owner_id = '{OWNER}';
             INSERT INTO ringfence.interaction (owner_id, kind, direction, agent, customer_id, ticket_id, project_id, created_by, updated_by)
                 SELECT owner_id, 'call', 'in', 'agent', customer_id, id, NULL, 'bench', 'bench' FROM ringfence.ticket, generate_series(1, 2) WHERE owner_id = '{OWNER}'"
        ),
    );
    run(&mut connect("postgres"), "VACUUM ANALYZE");
    let by_hand = ["response", "interaction", "ticket", "unique_value", "customer", "company", "owner"]
        .map(|table| match table {
            "owner" => format!("DELETE FROM ringfence.owner WHERE id = '{OWNER}'"),
            _ => format!("DELETE FROM ringfence.{table} WHERE owner_id = '{OWNER}'"),
        })
        .join("; ");
    let mut bench = Bench::new();
    println!("\nAn owner deleted, against DELETEs by hand without RLS, in the right order, with no counts");
    bench.compare(
        "delete_owner()",
        Goal::AtMost(1.2),
        &mut deletion("", "bench_admin", format!("SELECT * FROM ringfence.delete_owner('{NAME}', '{NAME}')")),
        &mut deletion("DELETEs by a superuser", "postgres", by_hand),
        None,
    );
    bench.finish();
}
