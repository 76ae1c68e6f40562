//! Owners to which random things have happened are exported, deleted and loaded again: then everything is equal, and what a load looks at refuses
//! nothing that the extension itself has written.

mod common;

use common::random::splitmix64;
use common::{Database, run, value};
use postgres::Client;

/// How many owners; the environment may ask for more, by RINGFENCE_OWNERS. The seeds are 1, 2, 3 ...
const OWNERS: u64 = 8;
const STEPS: usize = 300;
const A: &str = "aaaaaaaa-0000-0000-0000-000000000001";

/// All that A's roles may do, they may do for A only: then a load gives it to them again.
const PREPARE: &str =
    "SELECT ringfence.revoke_access(name, 'Company B') FROM unnest('{app_ab,app_session,app_token}'::text[]) AS name";

const HELPERS: &str = "
    CREATE TABLE public.lines (\"position\" bigint, relation text, line jsonb);
    CREATE TABLE public.again (\"position\" bigint, relation text, line jsonb);
    GRANT ALL ON public.lines, public.again TO PUBLIC;
    CREATE FUNCTION public.digests_of(owner uuid) RETURNS text LANGUAGE plpgsql AS $$
    DECLARE
        place text;
        part  text;
        whole text := '';
    BEGIN
        FOR place IN SELECT relation::text FROM ringfence.tables_by_step() ORDER BY 1 LOOP
            EXECUTE format('SELECT count(*) || md5(coalesce(string_agg(t::text, ''|'' ORDER BY t::text COLLATE \"C\"), '''')) FROM %s AS t WHERE owner_id = $1', place) INTO part USING owner;
            whole := whole || place || ' ' || part || E'\\n';
        END LOOP;
        RETURN whole || coalesce((SELECT t::text FROM ringfence.owner AS t WHERE t.id = owner), '');
    END $$";

const TYPES: [&str; 10] =
    ["text", "number", "boolean", "date", "time", "datetime", "choice", "choices", "phone", "email"];
const TEXTS: [&str; 12] = [
    "gold",
    "silver",
    "  Ä text,\t\"quoted\" ",
    "蔡美玲",
    "+48 601 234 567",
    "0912-345-678",
    "(02) 2345-6789 ext. 7",
    "Someone <a.B@Example.com>",
    "12.500",
    "-0",
    "2020-02-29",
    "12:30",
];

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        (splitmix64(&mut self.0) % sides as u64) as usize
    }

    fn of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.roll(choices.len())]
    }

    fn field(&mut self) -> String {
        format!("Field {}", self.roll(8))
    }

    fn text(&mut self) -> String {
        self.of(&TEXTS).replace('\'', "''")
    }

    fn project(&mut self) -> &'static str {
        self.of(&["Sales", "Support", "Default", "Third"])
    }

    /// A value as JSON: of any type.
    fn json(&mut self) -> String {
        match self.roll(6) {
            0 => ["12.500", "0", "-17", "1e3", "123456789012345678901234567890.10"][self.roll(5)].to_owned(),
            1 => ["true", "false", "null"][self.roll(3)].to_owned(),
            2 => "[\"gold\", \"silver\"]".to_owned(),
            _ => format!("{:?}", self.of(&TEXTS)).replace("\\t", " "),
        }
    }
}

/// Who does something, and what. Much of it is refused, as it would be for a person.
fn step(dice: &mut Dice) -> (&'static str, String) {
    const SOME: &str = "(SELECT id FROM ringfence.customer ORDER BY md5(id::text || :seed) LIMIT 1)";
    let some = SOME.replace(":seed", &format!("'{}'", dice.roll(1000)));
    let (field, text, project) = (dice.field(), dice.text(), dice.project());
    let boss = match dice.roll(34) {
        0..=3 => {
            let kind = dice.of(&TYPES);
            let options = if kind.starts_with("choice") { ", options => '{gold,silver,Ä}'" } else { "" };
            let flag = |dice: &mut Dice| ["true", "false"][dice.roll(2)];
            let (unique, searchable, masked) = (flag(dice), flag(dice), flag(dice));
            format!("SELECT ringfence.create_field('{field}', '{kind}', projects => '{{{project}}}', is_unique => {unique}, is_searchable => {searchable}, is_masked => {masked}{options})")
        }
        4 => format!("SELECT ringfence.retype_field('{field}', '{}')", dice.of(&TYPES)),
        5 => format!("SELECT ringfence.drop_field('{field}', (SELECT count(*) FROM ringfence.customer_card WHERE attributes ? '{field}'))"),
        6 => format!("SELECT ringfence.{}", [format!("add_option('{field}', '{text}')"), format!("retire_option('{field}', 'silver')"), format!("rename_option('{field}', 'gold', '{text}')")][dice.roll(3)]),
        7 => format!("UPDATE ringfence.field SET {0} = NOT {0} WHERE name = '{field}'", dice.of(&["is_unique", "is_searchable", "is_masked", "required"])),
        8 => format!("SELECT ringfence.{}('{field}', '{project}')", dice.of(&["bind_field", "unbind_field"])),
        9..=14 => format!("INSERT INTO ringfence.customer_card (name, phones, emails, attributes) VALUES ('{text} {}', ARRAY['{}'], ARRAY['{}'], '{{\"{field}\": {}}}')",
            dice.roll(100), dice.text(), dice.text(), dice.json()),
        15..=19 => format!("UPDATE ringfence.customer_card SET attributes = attributes || '{{\"{field}\": {}}}', phones = phones || ARRAY['{text}'] WHERE id = {some}", dice.json()),
        20 => format!("DELETE FROM ringfence.customer WHERE id = {some}"),
        21 => format!("INSERT INTO ringfence.customer (name, emails, last_activity_at) VALUES ('{text}', ARRAY['{}'], now())", dice.text()),
        22 => format!("SELECT ringfence.open_ticket({some}, '{text}', '{project}')"),
        23 => "DELETE FROM ringfence.ticket WHERE number = (SELECT max(number) FROM ringfence.ticket)".to_owned(),
        24 => format!("UPDATE ringfence.ticket SET status = '{}', project_id = NULL WHERE number % 3 = {}", dice.of(&["solved", "open", "pending"]), dice.roll(3)),
        25 => format!("SELECT ringfence.log_interaction('{}', customer => {some}, project => '{project}', notes => '{text}')", dice.of(&["call", "email", "note"])),
        26 => format!("UPDATE ringfence.interaction SET project_id = (SELECT id FROM ringfence.project WHERE name = '{project}') WHERE kind = 'call'"),
        27 => format!("WITH s AS (INSERT INTO ringfence.script (name, project_id) SELECT 'Script {}', id FROM ringfence.project WHERE name = '{project}' RETURNING id)
            INSERT INTO ringfence.question (script_id, text) SELECT id, '{text}' FROM s", dice.roll(5)),
        28 => format!("INSERT INTO ringfence.answer (question_id, name, kind, field_id) SELECT id, '{text}', '{}', (SELECT id FROM ringfence.field WHERE name = '{field}') FROM ringfence.question",
            dice.of(&["choice", "text"])),
        29 => format!("SELECT ringfence.respond(i.id, a.id, '{text}') FROM (SELECT id FROM ringfence.interaction ORDER BY id LIMIT 1) AS i, (SELECT id FROM ringfence.answer ORDER BY id LIMIT 1) AS a"),
        30 => format!("SELECT ringfence.{}('{project}')", dice.of(&["create_report_view", "drop_report_view"])),
        31 => format!("SELECT ringfence.create_profile('{text}', '{{customer.read,ticket.write}}')"),
        32 => format!("INSERT INTO ringfence.project (name) VALUES ('Third'); UPDATE ringfence.project SET enabled = NOT enabled WHERE name = 'Third'; UPDATE ringfence.ticket_status SET name = '{text}' WHERE name = 'pending'"),
        _ => format!("WITH t AS (INSERT INTO ringfence.import_template (name, mode) VALUES ('{text}', 'add') RETURNING id)
            INSERT INTO ringfence.import_mapping (template_id, target, source) SELECT id, 'name', '{{{{Name}}}}' FROM t"),
    };
    match dice.roll(12) {
        0 => (
            "dba",
            format!("UPDATE ringfence.owner SET country = {} WHERE id = '{A}'", dice.of(&["'PL'", "'TW'", "NULL"])),
        ),
        1 => (
            "dba",
            format!(
                "SELECT ringfence.assign_channel('{A}', 'phone', '{} {}')",
                dice.of(&["02 2345", "+886 2 2345"]),
                1000 + dice.roll(50)
            ),
        ),
        _ => ("boss", boss),
    }
}

fn digests(server: &mut Client) -> String {
    value(server, &format!("SELECT public.digests_of('{A}')"))
}

#[test]
fn an_owner_comes_back_as_it_was() {
    let owners = std::env::var("RINGFENCE_OWNERS").ok().and_then(|text| text.parse().ok()).unwrap_or(OWNERS);
    for seed in 1..=owners {
        let database = Database::new("life_random");
        let mut server = database.superuser();
        run(&mut server, HELPERS);
        let (mut dba, mut boss) = (database.connect("dba"), database.connect("boss_a"));
        run(&mut dba, PREPARE);
        let mut dice = Dice(seed);
        for n in 0..8 {
            let kind = dice.of(&TYPES);
            let options = if kind.starts_with("choice") { ", options => '{gold,silver,Ä}'" } else { "" };
            run(
                &mut boss,
                &format!(
                    "SELECT ringfence.create_field('Field {n}', '{kind}', projects => '{{Sales,Support}}', is_searchable => {}{options})",
                    n % 2 == 0
                ),
            );
        }
        let mut done = 0;
        for _ in 0..STEPS {
            let (who, statement) = step(&mut dice);
            let session = if who == "dba" { &mut dba } else { &mut boss };
            match session.batch_execute(&statement) {
                Ok(()) => done += 1,
                Err(error) if std::env::var_os("RINGFENCE_SHOW").is_some() => {
                    println!("{statement}\n    {}", error.as_db_error().map_or("", |error| error.message()));
                }
                Err(_) => {}
            }
        }
        assert!(done > STEPS / 4, "seed {seed}: {done} of {STEPS} steps were possible");
        run(&mut boss, &format!("INSERT INTO public.lines SELECT * FROM ringfence.export_owner('{A}')"));
        let before = digests(&mut server);
        let name: String = value(&mut dba, &format!("SELECT name FROM ringfence.owner WHERE id = '{A}'"));
        let deleted = format!("SELECT sum(deleted)::bigint FROM ringfence.delete_owner('{A}', '{name}')");
        let rows: i64 = value(&mut dba, &deleted);
        dba.batch_execute("SELECT ringfence.load_owner('public.lines')")
            .unwrap_or_else(|error| panic!("seed {seed}: {error:?}"));
        assert_eq!(digests(&mut server), before, "seed {seed}");
        run(&mut boss, &format!("INSERT INTO public.again SELECT * FROM ringfence.export_owner('{A}')"));
        let differ = "SELECT count(*) FROM public.lines FULL JOIN public.again USING (\"position\") WHERE lines.line::text IS DISTINCT FROM again.line::text";
        assert_eq!(value::<i64>(&mut server, differ), 0, "seed {seed}: the same bytes");
        println!("Seed {seed}: {done} of {STEPS} steps, {rows} rows");
    }
}
