//! The server is killed in the middle of deleting an owner, of purging one and of loading one: after recovery the owner is there as a whole or not at
//! all, or its purge goes on; and nothing of another owner has changed.

mod common;

use common::cluster::Cluster;
use common::random::splitmix64;
use common::{run, value};
use std::process::Command;
use std::thread;

/// How often; the environment may ask for more, by RINGFENCE_KILLS.
const KILLS: usize = 3;
const SEED: u64 = 24;
const SETTINGS: [&str; 3] = ["synchronous_commit=on", "full_page_writes=on", "checkpoint_timeout=30s"];

const A: &str = "aaaaaaaa-0000-0000-0000-000000000001";
const B: &str = "bbbbbbbb-0000-0000-0000-000000000002";

/// All that A's roles may do, they may do for A only: then a load gives it to them again.
const PREPARE: &str = "
    SELECT ringfence.revoke_access(name, 'Company B') FROM unnest('{app_ab,app_session,app_token}'::text[]) AS name";

const FILL: &str = "
    SELECT ringfence.create_field('Contract', projects => '{Sales}', is_unique => true);
    SELECT ringfence.create_report_view('Sales', 'report_of_a');
    INSERT INTO ringfence.customer_card (name, phones, attributes)
        SELECT 'Customer ' || n, ARRAY['09' || lpad(n::text, 8, '0')], jsonb_build_object('Contract', 'C' || n) FROM generate_series(1, 2000) AS n;
    INSERT INTO ringfence.ticket (subject, customer_id) SELECT 'Ticket of ' || name, id FROM ringfence.customer;
    SELECT count(ringfence.log_interaction('call', customer => id)) FROM ringfence.customer;
    INSERT INTO public.lines SELECT * FROM ringfence.export_owner('Company A')";

const HELPERS: &str = "
    CREATE EXTENSION amcheck;
    CREATE TABLE public.lines (\"position\" bigint, relation text, line jsonb);
    GRANT ALL ON public.lines TO PUBLIC;
    CREATE FUNCTION public.digest_of(owner uuid) RETURNS text LANGUAGE plpgsql AS $$
    DECLARE
        place text;
        part  text;
        whole text := '';
    BEGIN
        FOR place IN SELECT relation::text FROM ringfence.tables_by_step() ORDER BY 1 LOOP
            EXECUTE format('SELECT md5(string_agg(t::text, ''|'' ORDER BY t::text COLLATE \"C\")) FROM %s AS t WHERE owner_id = $1', place) INTO part USING owner;
            whole := whole || coalesce(part, '');
        END LOOP;
        RETURN whole || coalesce((SELECT t::text FROM ringfence.owner AS t WHERE t.id = owner), '');
    END $$";

fn digest(cluster: &Cluster, owner: &str) -> String {
    value(&mut cluster.connect("postgres", "postgres"), &format!("SELECT public.digest_of('{owner}')"))
}

/// Runs the statement as an administrator, and kills the server some time after it has begun. Returns whether it had ended.
fn kill_during(cluster: &Cluster, statement: &str, polls: u64) -> bool {
    let mut ended = false;
    thread::scope(|scope| {
        let mut admin = cluster.connect("postgres", "dba");
        let work = scope.spawn(move || admin.batch_execute(statement).is_ok());
        let mut observer = cluster.connect("postgres", "postgres");
        let active = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE usename = 'dba' AND state = 'active')";
        while !value::<bool>(&mut observer, active) && !work.is_finished() {}
        for _ in 0..polls {
            value::<i32>(&mut observer, "SELECT 1");
        }
        cluster.kill_and_recover(&SETTINGS);
        ended = work.join().expect("the statement");
    });
    ended
}

#[test]
fn a_killed_server_has_an_owner_as_a_whole_or_not_at_all() {
    common::at_root();
    let cluster = Cluster::new("crash_life", &SETTINGS, &[]);
    let fixture = Command::new("psql")
        .args(["-q", "-X", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", "postgres", "-p", "5432"])
        .args(["-f", "tests/fixture.sql", "-h"])
        .arg(cluster.directory())
        .output()
        .expect("psql");
    assert!(fixture.status.success(), "{}", String::from_utf8_lossy(&fixture.stderr));
    run(&mut cluster.connect("postgres", "postgres"), HELPERS);
    run(&mut cluster.connect("postgres", "dba"), PREPARE);
    run(&mut cluster.connect("postgres", "boss_a"), FILL);
    let (whole, others) = (digest(&cluster, A), digest(&cluster, B));
    assert!(whole.contains("Company A") && others.contains("Company B"));

    const DELETE: &str = "SELECT ringfence.delete_owner('Company A', 'Company A')";
    const PURGE: &str = "CALL ringfence.purge_owner('Company A', 'Company A', 200)";
    const LOAD: &str = "SELECT ringfence.load_owner('public.lines')";
    let kills: usize = std::env::var("RINGFENCE_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(KILLS);
    let mut state = SEED;
    for kill in 1..=kills {
        for statement in [DELETE, PURGE, LOAD] {
            let polls = splitmix64(&mut state) % 12_000;
            if statement == LOAD {
                run(&mut cluster.connect("postgres", "dba"), DELETE);
            }
            let ended = kill_during(&cluster, statement, polls);
            let mut admin = cluster.connect("postgres", "dba");
            let began = "SELECT count(*) FROM ringfence.owner WHERE name = 'Company A' AND purge_began_at IS NOT NULL AND NOT enabled";
            let is_purged = value::<i64>(&mut admin, began) == 1;
            let found = digest(&cluster, A);
            if is_purged {
                assert_eq!(statement, PURGE);
                run(&mut admin, PURGE);
                assert_eq!(digest(&cluster, A), "", "the purge goes on");
            } else {
                assert!(found == whole || found.is_empty(), "{statement}: by half");
                if ended {
                    assert_eq!(found.is_empty(), statement != LOAD, "{statement}: confirmed, and lost");
                }
            }
            println!(
                "Kill {kill}: {statement} after {polls}: {}",
                if is_purged {
                    "went on"
                } else if found.is_empty() {
                    "nothing"
                } else {
                    "whole"
                }
            );
            assert_eq!(digest(&cluster, B), others, "{statement}: another owner");
            if digest(&cluster, A).is_empty() {
                run(&mut admin, LOAD);
            }
            assert_eq!(digest(&cluster, A), whole, "{statement}: loaded again");
        }
    }
    let output = Command::new("pg_amcheck")
        .args(["--heapallindexed", "--parent-check", "-U", "postgres", "-d", "postgres", "-p", "5432", "-h"])
        .arg(cluster.directory())
        .output()
        .expect("pg_amcheck");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
