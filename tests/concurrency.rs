//! Sessions that write at once.

mod common;
use common::random::splitmix64;
use common::{Database, refused, run, value};
use std::thread;
use std::time::{Duration, Instant};

#[test]
fn two_projects_edit_one_customer_and_lose_nothing() {
    let database = Database::new("two_edits");
    let mut boss = database.connect("boss_a");
    run(
        &mut boss,
        "SELECT ringfence.create_field('Plan', projects => '{Sales}'), ringfence.create_field('Fault', projects => '{Support}')",
    );
    let mut sales = database.connect("sales_a");
    let mut support = database.connect("support_a");
    run(&mut sales, "BEGIN");
    run(
        &mut sales,
        "UPDATE ringfence.customer_card SET attributes = attributes || '{\"Plan\": \"gold\"}' WHERE name = 'Chen Wei'",
    );
    // Support read the card before Sales committed, and waits for the row.
    let waiting = thread::spawn(move || {
        run(
            &mut support,
            "UPDATE ringfence.customer_card SET attributes = attributes || '{\"Fault\": \"F7\"}', address = 'Taipei' WHERE name = 'Chen Wei'",
        );
    });
    let mut observer = database.superuser();
    while value::<i64>(
        &mut observer,
        "SELECT count(*) FROM pg_stat_activity WHERE usename = 'support_a' AND wait_event_type = 'Lock' AND datname = current_database()",
    ) == 0
    {
        thread::yield_now();
    }
    run(&mut sales, "UPDATE ringfence.customer_card SET emails = '{new@example.com}' WHERE name = 'Chen Wei'; COMMIT");
    waiting.join().expect("support's update");
    let card = boss
        .query_one("SELECT attributes::text, address, emails FROM ringfence.customer_card WHERE name = 'Chen Wei'", &[])
        .expect("card");
    assert_eq!(card.get::<_, String>(0), r#"{"Plan": "gold", "Fault": "F7"}"#);
    assert_eq!(card.get::<_, String>(1), "Taipei");
    assert_eq!(card.get::<_, Vec<String>>(2), ["new@example.com"]);
}

#[test]
fn an_accepted_proposal_undoes_nothing_that_others_write_meanwhile() {
    let database = Database::new("two_accepts");
    let mut admin = database.connect("dba");
    run(
        &mut admin,
        "SELECT ringfence.grant_access('trainee_a', 'Company A', '{customer.read,customer.propose}'); \
         SELECT ringfence.grant_access('app_session', 'Company A', '{supervisor}')",
    );
    let mut trainee = database.connect("trainee_a");
    run(
        &mut trainee,
        "UPDATE ringfence.customer_card SET language = 'zh', birth_date = '1990-01-01' WHERE name = 'Chen Wei'",
    );
    let mut boss = database.connect("boss_a");
    // Another field is changed while the proposal waits for the row: both changes stay.
    let mut writer = database.connect("app_a");
    run(
        &mut writer,
        "BEGIN; UPDATE ringfence.customer_card SET address = 'Tainan', name = 'Chen Wei-Ting' WHERE name = 'Chen Wei'",
    );
    let accepting = thread::spawn(move || {
        run(&mut boss, "SELECT ringfence.accept_proposal(id) FROM ringfence.proposal WHERE field = 'language'");
        boss
    });
    wait_until_blocked(&database, "boss_a");
    run(&mut writer, "COMMIT");
    let mut boss = accepting.join().expect("the proposal is accepted");
    let card = "SELECT name || ' ' || coalesce(address, '-') || ' ' || coalesce(language, '-') FROM ringfence.customer WHERE id = 'a0000000-0000-0000-0000-000000000002'";
    assert_eq!(value::<String>(&mut boss, card), "Chen Wei-Ting Tainan zh");
    // The field itself is changed: the proposal is refused, and stays open.
    run(
        &mut writer,
        "BEGIN; UPDATE ringfence.customer_card SET birth_date = '1991-12-31' WHERE name = 'Chen Wei-Ting'",
    );
    let accepting = thread::spawn(move || {
        let code = refused(
            &mut boss,
            "SELECT ringfence.accept_proposal(id) FROM ringfence.proposal WHERE field = 'birth_date'",
        );
        (boss, code)
    });
    wait_until_blocked(&database, "boss_a");
    run(&mut writer, "COMMIT");
    let (mut boss, code) = accepting.join().expect("the proposal is refused");
    assert_eq!(code, "55000");
    assert_eq!(
        value::<String>(&mut boss, "SELECT birth_date::text FROM ringfence.customer WHERE name = 'Chen Wei-Ting'"),
        "1991-12-31"
    );
    assert_eq!(value::<String>(&mut boss, "SELECT state FROM ringfence.proposal WHERE field = 'birth_date'"), "open");
}

#[test]
fn what_is_logged_while_a_customer_is_erased_is_erased_too() {
    let database = Database::new("erase_at_once");
    let mut desk = database.connect("app_a");
    run(
        &mut desk,
        "BEGIN; SELECT ringfence.log_interaction('note', customer => id) FROM ringfence.customer WHERE name = 'Chen Wei'; \
         UPDATE ringfence.interaction SET notes = 'GHOST'",
    );
    let mut boss = database.connect("boss_a");
    let erasing = thread::spawn(move || {
        run(
            &mut boss,
            "SELECT ringfence.erase_customer(id, 'asked for') FROM ringfence.customer WHERE name = 'Chen Wei'",
        );
    });
    wait_until_blocked(&database, "boss_a");
    run(&mut desk, "COMMIT");
    erasing.join().expect("the customer is erased");
    let mut observer = database.superuser();
    assert_eq!(value::<i64>(&mut observer, "SELECT count(*) FROM ringfence.interaction WHERE notes IS NOT NULL"), 0);
    assert_eq!(value::<i64>(&mut observer, "SELECT count(*) FROM ringfence.interaction"), 1);
    // A response to an interaction that was there before holds a lock on the interaction only.
    run(
        &mut database.connect("boss_a"),
        "INSERT INTO ringfence.script (name, project_id) SELECT 'Asking', id FROM ringfence.project WHERE name = 'Sales'; INSERT INTO ringfence.question (script_id, text, position) SELECT id, 'Why?', 1 FROM ringfence.script; INSERT INTO ringfence.answer (question_id, name, kind) SELECT id, 'Because', 'text' FROM ringfence.question; INSERT INTO ringfence.customer_card (name) VALUES ('Lin Yi'); SELECT ringfence.log_interaction('call', customer => id, project => 'Sales') FROM ringfence.customer WHERE name = 'Lin Yi'",
    );
    run(
        &mut desk,
        "BEGIN; INSERT INTO ringfence.response (interaction_id, answer_id, value) SELECT i.id, a.id, 'GHOST' FROM ringfence.interaction AS i, ringfence.answer AS a WHERE i.customer_id IS NOT NULL",
    );
    let mut boss = database.connect("boss_a");
    let erasing = thread::spawn(move || {
        run(
            &mut boss,
            "SELECT ringfence.erase_customer(id, 'asked for') FROM ringfence.customer WHERE name = 'Lin Yi'",
        );
    });
    wait_until_blocked(&database, "boss_a");
    run(&mut desk, "COMMIT");
    erasing.join().expect("the customer is erased");
    assert_eq!(value::<i64>(&mut observer, "SELECT count(*) FROM ringfence.response"), 0);
}

#[test]
fn the_owner_limit_holds_for_sessions_at_once() {
    let database = Database::new("owner_limit");
    run(&mut database.superuser(), &format!("ALTER DATABASE {} SET ringfence.max_owners = 5", database.name));
    let attempts: Vec<_> = (0..6)
        .map(|n| {
            let mut admin = database.connect("dba");
            thread::spawn(move || {
                // In REPEATABLE READ the snapshot is older than what the others commit.
                run(&mut admin, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM ringfence.owner");
                let made = admin
                    .batch_execute(&format!("SELECT ringfence.create_owner('Owner {n}')"))
                    .map_err(|e| e.code().map(|c| c.code().to_owned()));
                run(&mut admin, "COMMIT");
                made
            })
        })
        .collect();
    let results: Vec<_> = attempts.into_iter().map(|attempt| attempt.join().expect("attempt")).collect();
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 2, "{results:?}");
    assert!(
        results.iter().filter_map(|result| result.as_ref().err()).all(|code| code.as_deref() == Some("54000")),
        "{results:?}"
    );
    assert_eq!(
        value::<i64>(&mut database.superuser(), "SELECT count(*) FROM ringfence.owner WHERE name <> 'House'"),
        5
    );
}

#[test]
fn an_error_a_rollback_or_a_cancel_leaves_no_owner_behind() {
    let database = Database::new("left_behind");
    let mut agent = database.connect("app_ab");
    let count = "SELECT count(*) FROM ringfence.customer";
    for ending in [
        "COMMIT",
        "ROLLBACK",
        "SELECT 1/0",
        "SELECT pg_cancel_backend(pg_backend_pid())",
        "SELECT ringfence.has_right('x')",
    ] {
        run(&mut agent, "BEGIN; SET LOCAL ringfence.owner = 'Company A'");
        assert_eq!(value::<i64>(&mut agent, count), 3);
        let _ = agent.batch_execute(ending);
        let _ = agent.batch_execute("ROLLBACK");
        assert_eq!(refused(&mut agent, count), "42501", "after {ending}");
        run(&mut agent, "BEGIN; SET LOCAL ringfence.owner = 'Company B'");
        assert_eq!(value::<i64>(&mut agent, count), 2, "after {ending}");
        run(&mut agent, "COMMIT");
    }
    // Several statements in one message are one transaction, also without BEGIN; the next message is another.
    run(&mut agent, "SET LOCAL ringfence.owner = 'Company A'; SELECT count(*) FROM ringfence.customer");
    assert_eq!(refused(&mut agent, count), "42501");
    // What a pooler hands over by DISCARD ALL is nothing.
    run(&mut agent, "SET ringfence.owner = 'Company A'");
    run(&mut agent, "DISCARD ALL");
    assert_eq!(refused(&mut agent, count), "42501");
}

/// Waits until a session of that role waits for a lock.
fn wait_until_blocked(database: &Database, role: &str) {
    let mut observer = database.superuser();
    let blocked = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE usename = '{role}' AND wait_event_type = 'Lock' AND datname = current_database()"
    );
    // A session that never waits is a failure, and must not be a test that never ends.
    let began = Instant::now();
    while value::<i64>(&mut observer, &blocked) == 0 {
        assert!(began.elapsed() < Duration::from_secs(60), "{role} does not wait");
        thread::yield_now();
    }
}

fn state(result: Result<(), postgres::Error>) -> Option<String> {
    result.err().and_then(|error| error.code().map(|code| code.code().to_owned()))
}

#[test]
fn a_unique_value_is_written_once() {
    let database = Database::new("unique_once");
    run(
        &mut database.connect("boss_a"),
        "SELECT ringfence.create_field('Contract', projects => '{Sales,Support}', is_unique => true)",
    );
    for (isolation, ending, expected) in [
        ("READ COMMITTED", "COMMIT", Some("23505")),
        ("READ COMMITTED", "ROLLBACK", None),
        ("REPEATABLE READ", "COMMIT", Some("40001")),
        ("REPEATABLE READ", "ROLLBACK", None),
    ] {
        let contract = format!("{isolation} {ending}");
        let mut sales = database.connect("sales_a");
        let mut support = database.connect("support_a");
        run(&mut sales, "BEGIN");
        run(
            &mut sales,
            &format!(
                "UPDATE ringfence.customer_card SET attributes = '{{\"Contract\": \"{contract}\"}}' WHERE name = 'Tsai Mei-Ling'"
            ),
        );
        run(&mut support, &format!("BEGIN ISOLATION LEVEL {isolation}"));
        let second = format!(
            "INSERT INTO ringfence.customer_card (name, attributes) VALUES ('New', '{{\"Contract\": \" {contract}\"}}')"
        );
        let waiting = thread::spawn(move || {
            let result = state(support.batch_execute(&second));
            run(&mut support, if result.is_none() { "COMMIT" } else { "ROLLBACK" });
            result
        });
        wait_until_blocked(&database, "support_a");
        run(&mut sales, ending);
        assert_eq!(waiting.join().expect("the second").as_deref(), expected, "{contract}");
        let holders = format!(
            "SELECT count(*) FROM ringfence.customer_card WHERE btrim(attributes ->> 'Contract') = '{contract}'"
        );
        assert_eq!(value::<i64>(&mut database.connect("boss_a"), &holders), 1, "{contract}");
    }
}

/// Many writers of few values: at the end no two customers have the same, and what is kept of it is what they have.
#[test]
fn unique_values_stay_unique_under_load() {
    let database = Database::new("unique_load");
    run(
        &mut database.connect("boss_a"),
        "SELECT ringfence.create_field('Contract', projects => '{Sales}', is_unique => true), ringfence.create_field('Seat', 'number', '{Sales}', is_unique => true);
         INSERT INTO ringfence.customer_card (name) SELECT 'Load ' || n FROM generate_series(1, 12) AS n",
    );
    let writers: Vec<_> = (0..4_u64)
        .map(|writer| {
            let mut session = database.connect("sales_a");
            thread::spawn(move || {
                let mut seed = writer + 1;
                let mut written = 0;
                for _ in 0..150 {
                    let random = splitmix64(&mut seed);
                    let (customer, contract, seat) = ((random >> 33) % 12 + 1, (random >> 40) % 15, (random >> 45) % 15);
                    let update = format!(
                        "UPDATE ringfence.customer_card SET attributes = attributes || '{{\"Contract\": \"C{contract}\", \"Seat\": {seat}.0}}' WHERE name = 'Load {customer}'"
                    );
                    match state(session.batch_execute(&update)).as_deref() {
                        None => written += 1,
                        Some("23505" | "40P01") => (),
                        other => panic!("{other:?}"),
                    }
                }
                written
            })
        })
        .collect();
    let written: usize = writers.into_iter().map(|writer| writer.join().expect("writer")).sum();
    assert!(written > 12, "{written}");
    let mut server = database.superuser();
    for field in ["Contract", "Seat"] {
        let duplicates = format!(
            "SELECT count(*) - count(DISTINCT attributes -> ringfence.storage_key(f.id)) FROM ringfence.customer c JOIN ringfence.field f
                ON f.owner_id = c.owner_id AND f.name = '{field}' AND c.attributes ? ringfence.storage_key(f.id)"
        );
        assert_eq!(value::<i64>(&mut server, &duplicates), 0, "{field}");
    }
    let kept = "SELECT count(*) FROM ringfence.unique_value u FULL JOIN (SELECT f.id AS field_id, c.id FROM ringfence.customer c JOIN ringfence.field f
                    ON f.owner_id = c.owner_id AND f.is_unique AND c.attributes ? ringfence.storage_key(f.id)) v ON v.field_id = u.field_id AND v.id = u.customer_id
                 WHERE u.field_id IS NULL OR v.field_id IS NULL";
    assert_eq!(value::<i64>(&mut server, kept), 0);
}

/// What changes a field with its values waits for who is writing some, and keeps who comes next waiting: no value of the
/// former type, or twice the same, is left behind. Readers and other owners do not wait.
#[test]
fn a_field_changes_with_all_its_values() {
    let database = Database::new("field_changes");
    let mut boss = database.connect("boss_a");
    run(
        &mut boss,
        "SELECT ringfence.create_field('Score', projects => '{Sales}'), ringfence.create_field('Code', projects => '{Sales}')",
    );
    run(
        &mut boss,
        "UPDATE ringfence.customer_card SET attributes = '{\"Score\": \"7\", \"Code\": \"A\"}' WHERE name = 'Chen Wei'",
    );
    let write = |text: &str| {
        format!("UPDATE ringfence.customer_card SET attributes = attributes || '{text}' WHERE name = 'Tsai Mei-Ling'")
    };
    for (change, before, after, seen, refused) in [
        (
            "SELECT ringfence.retype_field('Score', 'number')",
            r#"{"Score": "8"}"#,
            r#"{"Score": "9"}"#,
            r#"{"Score": 8}"#,
            "22023",
        ),
        (
            "UPDATE ringfence.field SET is_unique = true WHERE name = 'Code'",
            r#"{"Code": "B"}"#,
            r#"{"Code": "A"}"#,
            r#"{"Code": "B"}"#,
            "23505",
        ),
        (
            "SELECT ringfence.drop_field('Score', 2)",
            r#"{"Score": 10}"#,
            r#"{"Score": 11}"#,
            r#"{"Code": "B"}"#,
            "42501",
        ),
    ] {
        let mut first = database.connect("sales_a");
        run(&mut first, "BEGIN");
        run(&mut first, &write(before));
        let mut changer = database.connect("boss_a");
        let waiting = thread::spawn(move || {
            run(&mut changer, "BEGIN");
            run(&mut changer, change);
            changer
        });
        wait_until_blocked(&database, "boss_a");
        run(&mut first, "COMMIT");
        let mut changer = waiting.join().expect("the change");
        // Changed and not yet committed: who writes a value waits, who reads or works for another owner does not.
        let mut second = database.connect("support_a");
        run(&mut second, "SELECT attributes FROM ringfence.customer_card");
        let mut other = database.connect("app_b");
        run(
            &mut other,
            "SET lock_timeout = '1s'; UPDATE ringfence.customer_card SET address = 'Gdynia', attributes = '{}' WHERE name = 'Tsai Mei-Ling'",
        );
        let mut late = database.connect("sales_a");
        let statement = write(after);
        let waiting = thread::spawn(move || state(late.batch_execute(&statement)));
        wait_until_blocked(&database, "sales_a");
        run(&mut changer, "COMMIT");
        assert_eq!(waiting.join().expect("the late one").as_deref(), Some(refused), "{change}");
        let card = value::<String>(
            &mut boss,
            "SELECT attributes::text FROM ringfence.customer_card WHERE name = 'Tsai Mei-Ling'",
        );
        let seen = seen.trim_matches(['{', '}']);
        assert!(card.contains(seen), "{change}: {card}");
    }
}

/// The same column of one customer in two projects, and fields of both with it: the later statement wins the column, and
/// neither loses what the other did not touch.
#[test]
fn unseen_and_untouched_values_survive_at_once() {
    let database = Database::new("survive");
    run(
        &mut database.connect("boss_a"),
        "SELECT ringfence.create_field('Plan', 'choice', '{Sales}', options => '{gold,silver}'), ringfence.create_field('Fault', 'number', '{Support}'),
                ringfence.create_field('Comment', projects => '{Sales,Support}'), ringfence.create_field('Card', projects => '{Sales,Support}', is_masked => true)",
    );
    run(
        &mut database.connect("boss_a"),
        "UPDATE ringfence.customer_card SET attributes = '{\"Plan\": \"gold\", \"Fault\": 1, \"Comment\": \"a\", \"Card\": \"4111\"}' WHERE name = 'Chen Wei'",
    );
    let sessions: Vec<_> = [("sales_a", "Plan", "\"silver\""), ("support_a", "Fault", "2"), ("sales_a", "Comment", "\"b\""), ("support_a", "Comment", "\"b\"")]
        .into_iter()
        .map(|(role, field, new)| {
            let mut session = database.connect(role);
            thread::spawn(move || {
                for _ in 0..50 {
                    run(
                        &mut session,
                        &format!("UPDATE ringfence.customer_card SET attributes = attributes || '{{\"{field}\": {new}}}' WHERE name = 'Chen Wei'"),
                    );
                }
            })
        })
        .collect();
    for session in sessions {
        session.join().expect("a session");
    }
    assert_eq!(
        value::<String>(
            &mut database.connect("boss_a"),
            "SELECT attributes::text FROM ringfence.customer_card WHERE name = 'Chen Wei'"
        ),
        r#"{"Card": "4111", "Plan": "silver", "Fault": 2, "Comment": "b"}"#
    );
}

/// Two sessions save the same new customer at once: one inserts it, the other updates it, or is told to try again.
#[test]
fn a_customer_that_two_sessions_save_is_there_once() {
    let database = Database::new("save_once");
    run(
        &mut database.connect("boss_a"),
        "SELECT ringfence.create_field('Contract', projects => '{Sales,Support}', is_unique => true)",
    );
    let save = |isolation: &str, ending: &str, by: &str, name: &str| {
        let id = format!("a0000000-0000-0000-0000-{:0>12x}", isolation.len() * 100 + ending.len());
        let key = match by {
            "id" => format!("\"id\": \"{id}\""),
            "phone" => format!("\"phones\": [\"09{:08}\"]", isolation.len() * 100 + ending.len()),
            "email" => format!("\"emails\": [\"{}-{ending}@example.com\"]", isolation.len()),
            _ => format!("\"attributes\": {{\"Contract\": \"{isolation} {ending}\"}}"),
        };
        format!(
            "SELECT action FROM ringfence.save_customer('{{\"name\": \"{name} {by} {isolation} {ending}\", {key}}}', '{by}')"
        )
    };
    for (isolation, ending, by, expected) in [
        ("READ COMMITTED", "COMMIT", "Contract", Ok("updated")),
        ("READ COMMITTED", "ROLLBACK", "Contract", Ok("inserted")),
        ("REPEATABLE READ", "COMMIT", "Contract", Err("40001")),
        ("REPEATABLE READ", "ROLLBACK", "Contract", Ok("inserted")),
        ("READ COMMITTED", "COMMIT", "id", Ok("updated")),
        ("READ COMMITTED", "ROLLBACK", "id", Ok("inserted")),
        ("REPEATABLE READ", "COMMIT", "id", Err("40001")),
        ("READ COMMITTED", "COMMIT", "phone", Ok("updated")),
        ("READ COMMITTED", "ROLLBACK", "phone", Ok("inserted")),
        ("READ COMMITTED", "COMMIT", "email", Ok("updated")),
        ("READ COMMITTED", "ROLLBACK", "email", Ok("inserted")),
    ] {
        let case = format!("{by} {isolation} {ending}");
        let mut sales = database.connect("sales_a");
        let mut support = database.connect("support_a");
        run(&mut sales, "BEGIN");
        assert_eq!(value::<String>(&mut sales, &save(isolation, ending, by, "First")), "inserted", "{case}");
        run(&mut support, &format!("BEGIN ISOLATION LEVEL {isolation}; SELECT count(*) FROM ringfence.customer"));
        let second = save(isolation, ending, by, "Second");
        let waiting = thread::spawn(move || {
            let saved = support.query_one(&second, &[]).map(|row| row.get::<_, String>(0));
            let saved = saved.map_err(|error| error.code().map(|code| code.code().to_owned()).unwrap_or_default());
            run(&mut support, if saved.is_ok() { "COMMIT" } else { "ROLLBACK" });
            saved
        });
        wait_until_blocked(&database, "support_a");
        run(&mut sales, ending);
        let saved = waiting.join().expect("the second");
        assert_eq!(saved.as_deref().map_err(String::as_str), expected, "{case}");
        let names = format!("SELECT string_agg(name, ',') FROM ringfence.customer_card WHERE name LIKE '% {case}'");
        let kept = if expected.is_ok() { "Second" } else { "First" };
        assert_eq!(value::<String>(&mut database.connect("boss_a"), &names), format!("{kept} {case}"));
    }
}

/// Sessions of two owners that save the same phone do not wait for each other.
#[test]
fn saving_waits_for_no_other_owner() {
    let database = Database::new("save_apart");
    let save = "SELECT action FROM ringfence.save_customer('{\"name\": \"Once\", \"phones\": [\"+48 601 999 888\"], \"emails\": [\"once@example.com\"]}', 'phone')";
    let (mut first, mut second) = (database.connect("sales_a"), database.connect("app_b"));
    run(&mut first, "BEGIN");
    assert_eq!(value::<String>(&mut first, save), "inserted");
    run(&mut second, "SET lock_timeout = '1s'");
    assert_eq!(value::<String>(&mut second, save), "inserted");
    // Of one owner they do.
    let mut third = database.connect("support_a");
    run(&mut third, "SET lock_timeout = '1s'");
    let refused = third.query(save, &[]).expect_err("waits");
    assert_eq!(refused.code().map(|code| code.code()), Some("55P03"));
    run(&mut first, "COMMIT");
    assert_eq!(value::<String>(&mut third, save), "updated");
    let left = "SELECT count(*) FROM ringfence.form_being_saved";
    assert_eq!(value::<i64>(&mut database.connect("postgres"), left), 0);
}

/// The same under load: at the end each contract, phone and e-mail has one customer, and nobody was refused.
#[test]
fn customers_are_saved_once_under_load() {
    let database = Database::new("save_load");
    run(
        &mut database.connect("boss_a"),
        "SELECT ringfence.create_field('Contract', projects => '{Sales}', is_unique => true)",
    );
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let mut session = database.connect("sales_a");
            thread::spawn(move || {
                for n in 0..60 {
                    let contract = n / 3;
                    for (key, by) in [("phones", "phone"), ("emails", "email")] {
                        let contact = if by == "phone" { format!("+48 601 900 0{contract:02}") } else { format!("{contract}@load.example") };
                        let card = format!("{{\"name\": \"Load by {by}\", \"{key}\": [\"{contact}\"]}}");
                        run(&mut session, &format!("SELECT ringfence.save_customer('{card}', '{by}')"));
                    }
                    run(
                        &mut session,
                        &format!("SELECT ringfence.save_customer('{{\"name\": \"Load {writer}\", \"attributes\": {{\"Contract\": \"C{contract}\"}}}}', 'Contract')"),
                    );
                }
            })
        })
        .collect();
    for writer in writers {
        writer.join().expect("a writer");
    }
    let saved = "SELECT count(*) FROM ringfence.customer_card WHERE name LIKE 'Load %'";
    assert_eq!(value::<i64>(&mut database.connect("boss_a"), saved), 60);
}

#[test]
fn tickets_are_numbered_without_gaps_by_sessions_at_once() {
    let database = Database::new("ticket_numbers");
    const SESSIONS: usize = 6;
    const TICKETS: usize = 20;
    let writers: Vec<_> = (0..SESSIONS)
        .map(|n| {
            // Two of the six work for the other owner.
            let mut agent = database.connect(if n % 3 == 2 { "app_b" } else { "app_a" });
            thread::spawn(move || {
                for ticket in 0..TICKETS {
                    run(&mut agent, "BEGIN; SELECT ringfence.open_ticket(NULL, 'Rolled back'); ROLLBACK");
                    run(&mut agent, &format!("SELECT ringfence.open_ticket(NULL, 'Ticket {ticket} of {n}')"));
                }
            })
        })
        .collect();
    writers.into_iter().for_each(|writer| writer.join().expect("a writer"));
    for (role, tickets) in [("app_a", 4 * TICKETS), ("app_b", 2 * TICKETS)] {
        let mut reader = database.connect(role);
        let numbers = "SELECT min(number) = 1 AND max(number) = count(DISTINCT number) FROM ringfence.ticket";
        assert!(value::<bool>(&mut reader, numbers), "{role}");
        assert_eq!(value::<i64>(&mut reader, "SELECT count(*) FROM ringfence.ticket"), tickets as i64);
    }
    // A transaction that stays open keeps the sessions of its owner waiting, and nobody else. What its snapshot does not see is an
    // error that says to try again.
    let mut first = database.connect("app_a");
    let mut old = database.connect("app_a");
    run(&mut old, "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM ringfence.ticket");
    run(&mut first, "BEGIN; SELECT ringfence.open_ticket(NULL, 'Not yet committed')");
    run(&mut database.connect("app_b"), "SET lock_timeout = '1s'; SELECT ringfence.open_ticket(NULL, 'At once')");
    run(&mut first, "COMMIT");
    assert_eq!(refused(&mut old, "SELECT ringfence.open_ticket(NULL, 'Too late')"), "40001");
}

#[test]
fn a_response_goes_with_its_interaction_that_is_moved_meanwhile() {
    let database = Database::new("moved_response");
    let mut boss = database.connect("boss_a");
    run(
        &mut boss,
        "INSERT INTO ringfence.script (name, project_id) SELECT 'Script', id FROM ringfence.project WHERE name = 'Sales';
         INSERT INTO ringfence.question (script_id, text) SELECT id, 'Question?' FROM ringfence.script;
         INSERT INTO ringfence.answer (question_id, name) SELECT id, 'Answer' FROM ringfence.question;
         SELECT ringfence.log_interaction('call', project => 'Sales')",
    );
    let mut mover = database.connect("boss_a");
    run(
        &mut boss,
        "BEGIN; SELECT ringfence.respond((SELECT id FROM ringfence.interaction), (SELECT id FROM ringfence.answer))",
    );
    let moving = thread::spawn(move || {
        run(
            &mut mover,
            "UPDATE ringfence.interaction SET project_id = (SELECT id FROM ringfence.project WHERE name = 'Support')",
        );
    });
    let mut observer = database.superuser();
    while !moving.is_finished()
        && value::<i64>(
            &mut observer,
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()",
        ) == 0
    {
        thread::yield_now();
    }
    run(&mut boss, "COMMIT");
    moving.join().expect("the move");
    let apart =
        "SELECT count(*) FROM ringfence.response AS r JOIN ringfence.interaction AS i ON i.id = r.interaction_id
                  WHERE r.project_id IS DISTINCT FROM i.project_id";
    assert_eq!(value::<i64>(&mut boss, apart), 0);
}

#[test]
fn many_tickets_in_one_transaction_leave_one_version_of_the_counter() {
    let database = Database::new("ticket_counter");
    let mut agent = database.connect("app_a");
    run(
        &mut agent,
        "BEGIN; INSERT INTO ringfence.ticket (subject) SELECT 'Ticket ' || n FROM generate_series(1, 5000) AS n",
    );
    run(
        &mut agent,
        "DO $$BEGIN FOR n IN 1..500 LOOP PERFORM ringfence.open_ticket(NULL, 'One by one'); END LOOP; END$$; COMMIT",
    );
    assert_eq!(value::<i64>(&mut agent, "SELECT max(number) FROM ringfence.ticket"), 5500);
    let size = "SELECT pg_relation_size('ringfence.ticket_counter')";
    assert_eq!(value::<i64>(&mut database.superuser(), size), 8192);
}

#[test]
fn a_rewrite_of_the_history_waits_for_those_who_write_it() {
    let database = Database::new("history_rewrite");
    let mut agent = database.connect("app_a");
    run(&mut agent, "BEGIN; UPDATE ringfence.customer_card SET address = 'Kept' WHERE name = 'Chen Wei'");
    let mut admin = database.superuser();
    let process = value::<i32>(&mut admin, "SELECT pg_backend_pid()");
    let rewriting = thread::spawn(move || run(&mut admin, "ALTER TABLE ringfence.change ALTER at TYPE timestamptz(3)"));
    let mut observer = database.superuser();
    let waits = format!("SELECT count(*) FROM pg_stat_activity WHERE pid = {process} AND wait_event_type = 'Lock'");
    let began = Instant::now();
    while value::<i64>(&mut observer, &waits) == 0 {
        assert!(!rewriting.is_finished(), "it does not wait");
        assert!(began.elapsed() < Duration::from_secs(60), "it neither waits nor ends");
        thread::yield_now();
    }
    run(&mut agent, "COMMIT");
    rewriting.join().expect("the rewrite");
    let kept = "SELECT count(*) FROM ringfence.change WHERE data ->> 'new' = 'Kept'";
    assert_eq!(value::<i64>(&mut observer, kept), 1);
}

#[test]
fn two_sessions_set_one_authority() {
    let database = Database::new("one_authority");
    let mut first = database.connect("boss_a");
    run(&mut first, "SELECT ringfence.create_source('CRM'), ringfence.create_source('ERP')");
    run(&mut first, "BEGIN; SELECT ringfence.set_authority('CRM', 'name')");
    let mut second = database.connect("boss_a");
    let waiting = thread::spawn(move || run(&mut second, "SELECT ringfence.set_authority('ERP', 'name')"));
    wait_until_blocked(&database, "boss_a");
    run(&mut first, "COMMIT");
    waiting.join().expect("the second");
    let source = "SELECT s.name FROM ringfence.authority a JOIN ringfence.source s ON (s.owner_id, s.id) = (a.owner_id, a.source_id)";
    assert_eq!(value::<String>(&mut first, source), "ERP");
}

#[test]
fn a_proposal_waits_for_the_change_of_its_field() {
    let database = Database::new("proposal_waits");
    run(
        &mut database.connect("dba"),
        "SELECT ringfence.grant_access('sales_a', 'Company A', '{customer.read,customer.propose}', 'Sales')",
    );
    let mut boss = database.connect("boss_a");
    run(
        &mut boss,
        "SELECT ringfence.create_field('Plan', 'choice', projects => '{Sales}', options => '{silver,gold}')",
    );
    run(&mut boss, "BEGIN; SELECT ringfence.retype_field('Plan', 'number')");
    let mut trainee = database.connect("sales_a");
    let waiting = thread::spawn(move || {
        state(trainee.batch_execute(
            "UPDATE ringfence.customer_card SET attributes = '{\"Plan\": \"gold\"}' WHERE name = 'Chen Wei'",
        ))
    });
    wait_until_blocked(&database, "sales_a");
    run(&mut boss, "COMMIT");
    // It is judged by the definition that is in force then.
    assert_eq!(waiting.join().expect("the proposal").as_deref(), Some("22023"));
}
