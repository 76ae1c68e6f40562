//! What a session sees of custom values is the same through every door: `customer_card`, the report views and search agree,
//! with each other and with a model of the rules, for random rights, projects, bindings and masks.

mod common;
use common::random::splitmix64;
use common::{Database, run, value};
use postgres::Client;
use std::collections::{BTreeSet, HashMap};

const CASES: usize = 2000;
const CUSTOMERS: usize = 200;
const FIELDS: usize = 6;
const PROJECTS: [&str; 3] = ["Default", "Sales", "Support"];

/// Random choices that are the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        splitmix64(&mut self.0) as usize % bound
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }
}

#[derive(Clone, Copy, Default, Debug)]
struct Rights {
    read: bool,
    unmask: bool,
}

/// What the tables say in one case.
#[derive(Debug)]
struct Case {
    /// Of the role: in one project, or in all.
    entries: Vec<(Option<usize>, Rights)>,
    selected: Option<usize>,
    bound: [[bool; PROJECTS.len()]; FIELDS],
    masked: [bool; FIELDS],
}

impl Case {
    fn covers(&self, project: usize) -> bool {
        self.entries.iter().any(|(only, _)| only.is_none_or(|only| only == project))
    }

    fn rights(&self, project: Option<usize>) -> Rights {
        let mut held = Rights::default();
        for (only, rights) in &self.entries {
            if only.is_none() || project.is_none() || *only == project {
                held.read |= rights.read;
                held.unmask |= rights.unmask;
            }
        }
        held
    }

    /// Whether the field is seen by what the session holds in that project.
    fn seen_in(&self, field: usize, project: usize) -> bool {
        let rights = self.rights(Some(project));
        self.selected.is_none_or(|selected| selected == project)
            && self.covers(project)
            && self.bound[field][project]
            && rights.read
            && (!self.masked[field] || rights.unmask)
    }

    fn seen(&self, field: usize) -> bool {
        (0..PROJECTS.len()).any(|project| self.seen_in(field, project))
    }

    fn reads(&self) -> bool {
        self.rights(self.selected).read
    }
}

fn word(field: usize, customer: usize) -> String {
    format!("w{field}x{customer:03}y")
}

type Values = BTreeSet<(usize, usize)>;

fn shown<'a>(values: impl Iterator<Item = &'a (usize, usize)>) -> String {
    let lines: BTreeSet<String> =
        values.map(|(customer, field)| format!("N{customer:03} F{field} {}", word(*field, *customer))).collect();
    lines.into_iter().collect::<Vec<_>>().join("\n")
}

fn listed(session: &mut Client, relation: &str, object: &str) -> String {
    value(
        session,
        &format!(
            "SELECT coalesce(string_agg(concat_ws(' ', row.name, pair.key, pair.value), E'\\n' ORDER BY concat_ws(' ', row.name, pair.key) COLLATE \"C\"), '')
               FROM {relation} AS row, jsonb_each_text({object}) AS pair WHERE pair.value IS NOT NULL AND pair.key ~ '^F[0-9]$'"
        ),
    )
}

/// The SQLSTATE of an error, where there is one.
fn refusal(session: &mut Client, query: &str) -> Option<String> {
    session.batch_execute(query).err().and_then(|error| error.code().map(|code| code.code().to_owned()))
}

#[test]
fn every_door_shows_the_same() {
    let database = Database::new("fields_property");
    let mut random = Random(20261122);
    let mut server = database.superuser();
    run(&mut server, "CREATE ROLE property_reader LOGIN IN ROLE ringfence_user");
    let mut boss = database.connect("boss_a");
    run(&mut boss, "SET client_min_messages = warning; DELETE FROM ringfence.customer_card");
    for field in 0..FIELDS {
        run(
            &mut boss,
            &format!("SELECT ringfence.create_field('F{field}', projects => '{{Sales}}', is_searchable => true)"),
        );
    }
    let mut values = Values::new();
    for customer in 0..CUSTOMERS {
        let held: Vec<usize> = (0..FIELDS).filter(|_| random.chance(60)).collect();
        values.extend(held.iter().map(|field| (customer, *field)));
        let members: Vec<String> =
            held.iter().map(|field| format!("\"F{field}\": \"{}\"", word(*field, customer))).collect();
        run(
            &mut boss,
            &format!(
                "INSERT INTO ringfence.customer_card (name, attributes) VALUES ('N{customer:03}', '{{{}}}')",
                members.join(", ")
            ),
        );
    }
    for project in PROJECTS {
        run(&mut boss, &format!("SELECT ringfence.create_report_view('{project}', 'report_{project}')"));
    }
    let mut reader = database.connect("property_reader");
    let mut case =
        Case { entries: Vec::new(), selected: None, bound: [[false; PROJECTS.len()]; FIELDS], masked: [false; FIELDS] };
    for bound in &mut case.bound {
        bound[1] = true;
    }
    let mut outcomes: HashMap<&str, usize> = HashMap::new();
    for number in 0..CASES {
        // One binding and one mask change at a time, the role's access each time.
        if number % 4 == 0 {
            let (field, project) = (random.below(FIELDS), random.below(PROJECTS.len()));
            let verb = if case.bound[field][project] { "unbind" } else { "bind" };
            run(&mut boss, &format!("SELECT ringfence.{verb}_field('F{field}', '{}')", PROJECTS[project]));
            case.bound[field][project] ^= true;
        }
        if number % 3 == 0 {
            let field = random.below(FIELDS);
            run(&mut boss, &format!("UPDATE ringfence.field SET is_masked = NOT is_masked WHERE name = 'F{field}'"));
            case.masked[field] ^= true;
        }
        case.entries.clear();
        let mut grants = "DELETE FROM ringfence.access WHERE role_name = 'property_reader'".to_owned();
        for project in [None, Some(0), Some(1), Some(2)] {
            if !random.chance(if project.is_none() { 30 } else { 40 }) {
                continue;
            }
            let rights = Rights { read: random.chance(80), unmask: random.chance(30) };
            let names = ["ticket.read"]
                .into_iter()
                .chain(rights.read.then_some("customer.read"))
                .chain(rights.unmask.then_some("field.unmask"));
            let project_name = project.map_or("NULL".to_owned(), |project| format!("'{}'", PROJECTS[project]));
            grants += &format!(
                "; SELECT ringfence.grant_access('property_reader', 'Company A', '{{{}}}', {project_name})",
                names.collect::<Vec<_>>().join(",")
            );
            case.entries.push((project, rights));
        }
        run(&mut server, &grants);
        case.selected = if random.chance(50) { Some(random.below(PROJECTS.len())) } else { None };
        run(
            &mut reader,
            &format!("SET ringfence.project = '{}'", case.selected.map_or("", |project| PROJECTS[project])),
        );

        let card = "SELECT * FROM ringfence.customer_card";
        if case.entries.is_empty() {
            assert_eq!(refusal(&mut reader, card).as_deref(), Some("42501"), "case {number}: {case:?}");
            *outcomes.entry("no access").or_default() += 1;
            continue;
        }
        if case.selected.is_some_and(|project| !case.covers(project)) {
            assert_eq!(refusal(&mut reader, card).as_deref(), Some("P0002"), "case {number}: {case:?}");
            *outcomes.entry("no such project").or_default() += 1;
            continue;
        }
        let seen: Values = values.iter().filter(|(_, field)| case.reads() && case.seen(*field)).copied().collect();
        *outcomes.entry(if seen.is_empty() { "nothing" } else { "something" }).or_default() += 1;
        assert_eq!(
            listed(&mut reader, "ringfence.customer_card", "row.attributes"),
            shown(seen.iter()),
            "customer_card, case {number}: {case:?}"
        );
        for (project, name) in PROJECTS.iter().enumerate() {
            let here = values.iter().filter(|(_, field)| case.reads() && case.seen_in(*field, project));
            assert_eq!(
                listed(&mut reader, &format!("ringfence_report.\"report_{name}\""), "to_jsonb(row)"),
                shown(here),
                "report of {name}, case {number}: {case:?}"
            );
        }
        let customer = random.below(CUSTOMERS);
        for field in [random.below(FIELDS), random.below(FIELDS)] {
            let word = word(field, customer);
            let found: String = value(
                &mut reader,
                &format!("SELECT coalesce(string_agg(name, ' '), '') FROM ringfence.search_customers('{word}')"),
            );
            let expected = if seen.contains(&(customer, field)) { format!("N{customer:03}") } else { String::new() };
            assert_eq!(found, expected, "search for {word}, case {number}: {case:?}");
        }
    }
    // Each kind of case has been met often enough to mean something.
    for kind in ["no access", "no such project", "nothing", "something"] {
        assert!(outcomes.get(kind).is_some_and(|cases| *cases > CASES / 50), "{kind}: {outcomes:?}");
    }
    run(&mut server, "DELETE FROM ringfence.access WHERE role_name = 'property_reader'");
    drop(reader);
    run(&mut server, "DROP ROLE property_reader");
}
