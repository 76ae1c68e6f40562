//! The sets of customers, the same in each run, and how they get into a database.

use super::people::{COUNTRIES, Country, Dice, People, Person};
use crate::common::{connect_to, run};
use jiff::Timestamp;
use postgres::Client;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::thread;
use std::time::{Duration, Instant};
use uuid::{Builder, Uuid};

/// Customers of the smallest owner, who are the same in each set.
const SMALLEST: u64 = 2_500;

/// Rows in a hundred that are people whom several owners know, and how many rows such a person has on average: so that
/// one person in ten is a customer of two owners at least.
const SHARED_ROWS: u64 = 30;
const ROWS_OF_SHARED: u64 = 3;

/// Customers are entered from one day to the other, in the time order of their ids.
const FIRST_DAY: i64 = 1_688_169_600; // 2023-07-01
const LAST_DAY: i64 = 1_782_864_000; // 2026-07-01

/// The custom fields of each owner: name and type. The searchable ones come first, and every customer has them.
pub const FIELDS: [(&str, &str); 12] = [
    ("Contract", "text"),
    ("City", "text"),
    ("Plan", "choice"),
    ("Note", "text"),
    ("Segment", "choices"),
    ("Device", "text"),
    ("Consent", "boolean"),
    ("Balance", "number"),
    ("Renewal", "date"),
    ("Channel", "choice"),
    ("Score", "number"),
    ("Agent", "text"),
];
pub const SEARCHABLE: usize = 3;

/// The options of each field of type choice or choices. A value is the number of its option.
pub const OPTIONS: [&str; 4] = ["basic", "silver", "gold", "platinum"];

const CITIES: [&str; 28] = [
    "Warszawa",
    "Kraków",
    "Łódź",
    "Gdańsk",
    "Roma",
    "Milano",
    "Napoli",
    "Torino",
    "Київ",
    "Львів",
    "Харків",
    "Одеса",
    "Berlin",
    "München",
    "Köln",
    "Düsseldorf",
    "London",
    "Boston",
    "Chicago",
    "Seattle",
    "台北",
    "高雄",
    "台中",
    "台南",
    "東京",
    "大阪",
    "京都",
    "札幌",
];
const TOPICS: [&str; 8] =
    ["an invoice", "a delivery", "the contract", "a complaint", "an upgrade", "the router", "roaming", "nothing"];

/// An owner, and how many customers it has in a set.
#[derive(Clone, Debug)]
pub struct Owner {
    pub number: u64,
    pub customers: u64,
    /// People that several owners know, of whom it knows some.
    shared: u64,
}

impl Owner {
    /// Not numbered by size, for the smallest to be the same in each set.
    const SMALLEST: u64 = 999;

    pub fn id(&self) -> Uuid {
        Uuid::from_u128(0x0000_0000_0000_4000_8000_0000_0000_0000 | u128::from(self.number))
    }

    pub fn name(&self) -> String {
        format!("Owner {}", self.number)
    }

    pub fn country(&self) -> &'static Country {
        &COUNTRIES[(self.number % COUNTRIES.len() as u64) as usize]
    }

    pub fn field_id(&self, field: usize) -> Uuid {
        Uuid::from_u128(0x0000_0000_0000_4000_9000_0000_0000_0000 | u128::from(self.number * 100 + field as u64))
    }
}

/// A set of customers.
#[derive(Clone)]
pub struct Set {
    pub name: &'static str,
    /// From the largest to the smallest.
    pub owners: Vec<Owner>,
}

impl Set {
    /// S or M, each size divided by `scale`.
    pub fn named(name: &str, scale: u64) -> Option<Set> {
        let (name, owners, customers, largest) = match name {
            "S" => ("S", 20_u64, 200_000, 60_000),
            "M" => ("M", 200, 5_000_000, 1_000_000),
            _ => return None,
        };
        let smallest = (SMALLEST / scale).max(20);
        let weights: Vec<f64> = (2..owners).map(|n| 1.0 / n as f64).collect();
        let part = ((customers - largest) / scale - smallest) as f64 / weights.iter().sum::<f64>();
        let mut sizes = vec![largest / scale];
        sizes.extend(weights.iter().map(|weight| ((weight * part) as u64).max(20)));
        sizes[1] += (customers / scale).saturating_sub(smallest + sizes.iter().sum::<u64>());
        let shared = |customers: u64| (customers / scale * SHARED_ROWS / 100 / ROWS_OF_SHARED).max(1);
        let mut owners: Vec<Owner> = (1..)
            .zip(sizes)
            .map(|(number, size)| Owner { number, customers: size, shared: shared(customers) })
            .collect();
        owners.push(Owner { number: Owner::SMALLEST, customers: smallest, shared: shared(200_000) });
        Some(Set { name, owners })
    }

    pub fn customers(&self) -> u64 {
        self.owners.iter().map(|owner| owner.customers).sum()
    }

    /// The largest owner, a middling one and the smallest.
    pub fn measured(&self) -> [&Owner; 3] {
        let owners = &self.owners;
        [&owners[0], &owners[owners.len() / 2], &owners[owners.len() - 1]]
    }

    /// Owners and places among their customers, in the order in which the customers are entered: all owners at once, each
    /// evenly over the whole time. Of `workers` that share the work, those of one.
    fn in_order(&self, worker: u64, workers: u64) -> impl Iterator<Item = (&Owner, u64)> {
        let mut next: BinaryHeap<Reverse<(i64, usize, u64)>> = BinaryHeap::new();
        for (n, owner) in self.owners.iter().enumerate() {
            if worker < owner.customers {
                next.push(Reverse((entered(owner, worker), n, worker)));
            }
        }
        std::iter::from_fn(move || {
            let Reverse((_, n, place)) = next.pop()?;
            let owner = &self.owners[n];
            if place + workers < owner.customers {
                next.push(Reverse((entered(owner, place + workers), n, place + workers)));
            }
            Some((owner, place))
        })
    }
}

/// Milliseconds of the epoch. Places beyond an owner's customers are customers yet to come.
fn entered(owner: &Owner, place: u64) -> i64 {
    let part = (place as f64 + Dice::of(&[owner.number, place, 1]).part()) / owner.customers as f64;
    ((FIRST_DAY as f64 + part * (LAST_DAY - FIRST_DAY) as f64) * 1000.0) as i64
}

pub struct Customer {
    pub id: Uuid,
    pub person: Person,
    /// As typed.
    pub phones: Vec<String>,
    pub emails: Vec<String>,
    /// Of each field its JSON, or nothing.
    pub values: [String; FIELDS.len()],
    created: i64,
    last_activity: Option<i64>,
}

impl Customer {
    pub fn normal_phones(&self) -> Vec<String> {
        self.person.phones.iter().map(|phone| phone.e164()).collect()
    }
}

/// Makes the customers of a set.
pub struct Maker {
    people: People,
    /// By owner's number and field: the name of its values in `attributes`.
    keys: Vec<Vec<String>>,
}

impl Maker {
    pub fn new() -> Maker {
        Maker { people: People::new(), keys: Vec::new() }
    }

    /// The customer at a place of an owner: always the same one.
    pub fn customer(&self, owner: &Owner, place: u64) -> Customer {
        let mut dice = Dice::of(&[owner.number, place, 2]);
        let person = if dice.percent(SHARED_ROWS) {
            let number = dice.below(owner.shared);
            let mut own = Dice::of(&[number, 3]);
            let home = own.pick(&COUNTRIES);
            self.people.person(&mut own, home)
        } else {
            self.people.person(&mut dice, owner.country())
        };
        let phones = person.phones.iter().map(|phone| phone.typed(owner.country(), &mut dice)).collect();
        let mut emails = person.emails.clone();
        if dice.percent(5) {
            emails.iter_mut().for_each(|email| *email = email.to_uppercase());
        }
        let created = entered(owner, place);
        let last_activity =
            (!dice.percent(10)).then(|| created + ((LAST_DAY * 1000 - created).max(1) as f64 * dice.part()) as i64);
        let values = values(&mut dice);
        let random = [dice.next().to_be_bytes(), dice.next().to_be_bytes()].concat();
        let id = Builder::from_unix_timestamp_millis(created as u64, random[..10].try_into().expect("ten bytes"));
        Customer { id: id.into_uuid(), person, phones, emails, values, created, last_activity }
    }

    fn key(&mut self, owner: &Owner, field: usize) -> &str {
        let number = owner.number as usize;
        if self.keys.len() <= number {
            self.keys.resize(number + 1, Vec::new());
        }
        if self.keys[number].is_empty() {
            self.keys[number] = (0..FIELDS.len()).map(|field| storage_key(owner.field_id(field))).collect();
        }
        &self.keys[number][field]
    }

    /// `attributes` of a customer.
    pub fn attributes(&mut self, owner: &Owner, customer: &Customer) -> String {
        let mut json = String::from("{");
        for (field, value) in customer.values.iter().enumerate().filter(|(_, value)| !value.is_empty()) {
            let separator = if json.len() > 1 { "," } else { "" };
            write!(json, "{separator}\"{}\":{value}", self.key(owner, field)).expect("a string");
        }
        json.push('}');
        json
    }

    /// What is searched of them, as the trigger keeps it: lists of texts, and of options under a name that tells them apart.
    fn searchable(&mut self, owner: &Owner, customer: &Customer) -> String {
        let values = customer.values.iter().enumerate().take(SEARCHABLE);
        let lists: Vec<String> = values
            .map(|(field, value)| {
                let mark = if FIELDS[field].1 == "choice" { "#" } else { "" };
                format!("\"{}{mark}\":[{value}]", self.key(owner, field))
            })
            .collect();
        format!("{{{}}}", lists.join(","))
    }
}

/// 8 to 12 values, always those that are searched.
fn values(dice: &mut Dice) -> [String; FIELDS.len()] {
    let option = |dice: &mut Dice| 1 + dice.below(OPTIONS.len() as u64);
    let mut values = [
        format!("\"CT-{:07}\"", dice.below(10_000_000)),
        format!("\"{}\"", dice.pick(&CITIES)),
        format!("\"{}\"", option(dice)),
        format!("\"Called on day {} about {}\"", dice.below(1000), dice.pick(&TOPICS)),
        format!("[\"{}\"]", option(dice)),
        format!("\"RX-{:04}\"", dice.below(10_000)),
        dice.percent(70).to_string(),
        format!("{}.{:02}", dice.below(2000), dice.below(100)),
        format!("\"202{}-{:02}-{:02}\"", 4 + dice.below(4), 1 + dice.below(12), 1 + dice.below(28)),
        format!("\"{}\"", option(dice)),
        dice.below(1000).to_string(),
        format!("\"agent {}\"", dice.below(200)),
    ];
    for _ in 0..dice.below(5) {
        values[SEARCHABLE + dice.below((FIELDS.len() - SEARCHABLE) as u64) as usize].clear();
    }
    values
}

/// The name of a field's values, as `ringfence.storage_key()` has it.
fn storage_key(field: Uuid) -> String {
    use base64::Engine;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(field.as_bytes())
}

fn array(list: &[String]) -> String {
    // Nothing in them needs escaping but spaces.
    format!("{{{}}}", list.iter().map(|text| format!("\"{text}\"")).collect::<Vec<_>>().join(","))
}

/// A time as PostgreSQL reads it.
fn time(milliseconds: i64) -> String {
    Timestamp::from_millisecond(milliseconds).expect("a time").to_string()
}

/// What a customer is written with: by an application, or by a loader that also brings what triggers would compute.
#[derive(Clone, Copy, PartialEq)]
pub enum Columns {
    Written,
    Loaded { searchable: bool },
}

impl Columns {
    pub fn list(self) -> &'static str {
        match self {
            Columns::Written => "owner_id, id, name, phones, emails, language, attributes, last_activity_at",
            Columns::Loaded { searchable: false } => {
                "owner_id, id, name, phones, emails, language, attributes, last_activity_at, \
                 created_at, updated_at, created_by, updated_by, normal_phones, normal_emails"
            }
            Columns::Loaded { searchable: true } => {
                "owner_id, id, name, phones, emails, language, attributes, last_activity_at, \
                 created_at, updated_at, created_by, updated_by, normal_phones, normal_emails, searchable"
            }
        }
    }

    /// The values of those columns, as text.
    pub fn of(self, maker: &mut Maker, owner: &Owner, customer: &Customer) -> Vec<Option<String>> {
        let mut row = vec![
            Some(owner.id().to_string()),
            Some(customer.id.to_string()),
            Some(customer.person.name.clone()),
            Some(array(&customer.phones)),
            Some(array(&customer.emails)),
            Some(customer.person.country.language.to_owned()),
            Some(maker.attributes(owner, customer)),
            customer.last_activity.map(time),
        ];
        if let Columns::Loaded { searchable } = self {
            let created = Some(time(customer.created));
            row.extend([created.clone(), created, Some("bench".to_owned()), Some("bench".to_owned())]);
            row.push(Some(array(&customer.normal_phones())));
            row.push(Some(array(&customer.emails.iter().map(|email| email.to_lowercase()).collect::<Vec<_>>())));
            row.extend(searchable.then(|| Some(maker.searchable(owner, customer))));
        }
        row
    }
}

/// A row as COPY takes it.
pub fn copy_line(row: &[Option<String>], line: &mut String) {
    for (n, value) in row.iter().enumerate() {
        if n > 0 {
            line.push('\t');
        }
        // Nothing in the data needs escaping but the quotes' backslashes, of which there are none.
        line.push_str(value.as_deref().unwrap_or("\\N"));
    }
    line.push('\n');
}

/// How long the parts of making a set took.
pub struct Made {
    pub parts: Vec<(&'static str, Duration)>,
}

impl Made {
    pub fn total(&self) -> Duration {
        self.parts.iter().map(|(_, time)| *time).sum()
    }
}

pub fn has_column(client: &mut Client, column: &str) -> bool {
    let found = client.query_opt(
        "SELECT FROM pg_attribute WHERE attrelid = 'ringfence.customer'::regclass AND attname = $1 AND NOT attisdropped",
        &[&column],
    );
    found.expect("the columns").is_some()
}

/// How much memory building an index may take: an eighth of the machine's.
pub fn memory_for_index() -> String {
    let total = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| {
        text.lines().find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok())
    });
    format!("SET maintenance_work_mem = '{}kB'", (total.unwrap_or(4 << 20) / 8).max(64 << 10))
}

/// Makes a database with a set. Rows bring what triggers would compute, and all indexes but the primary key are built when
/// all rows are there: as a restore does it. Only a superuser can, and only where nobody else writes.
pub fn load(set: &Set, database: &str) -> Made {
    let mut parts = Vec::new();
    let mut timed = |what: &'static str, start: Instant| parts.push((what, start.elapsed()));

    let start = Instant::now();
    run(&mut connect_to("postgres", "postgres"), &format!("CREATE DATABASE {database}"));
    let mut server = connect_to(database, "postgres");
    run(&mut server, include_str!("owners.sql"));
    make_owners(set, &mut server);
    timed("owners and fields", start);

    let start = Instant::now();
    // As dropping them would, but they keep what the extension says of them.
    run(
        &mut server,
        "UPDATE pg_index SET indisready = false WHERE indrelid = 'ringfence.customer'::regclass AND NOT indisunique",
    );
    let columns = Columns::Loaded { searchable: has_column(&mut server, "searchable") };
    let workers = thread::available_parallelism().map_or(2, |cores| cores.get() as u64);
    thread::scope(|scope| {
        for worker in 0..workers {
            scope.spawn(move || copy(set, database, columns, worker, workers));
        }
    });
    timed("generated and copied", start);

    let start = Instant::now();
    let indexes: Vec<String> = server
        .query(
            "SELECT indexrelid::regclass::text FROM pg_index WHERE indrelid = 'ringfence.customer'::regclass AND NOT indisready",
            &[],
        )
        .expect("the indexes")
        .iter()
        .map(|row| row.get(0))
        .collect();
    thread::scope(|scope| {
        for index in &indexes {
            scope.spawn(move || {
                let mut client = connect_to(database, "postgres");
                run(&mut client, &format!("{}; REINDEX INDEX {index}", memory_for_index()));
            });
        }
    });
    timed("indexes", start);
    check(&mut server, set.customers());

    let start = Instant::now();
    run(&mut server, "VACUUM (ANALYZE) ringfence.customer");
    run(&mut server, "ANALYZE");
    timed("VACUUM ANALYZE", start);
    Made { parts }
}

fn make_owners(set: &Set, server: &mut Client) {
    for owner in &set.owners {
        server
            .execute(
                "INSERT INTO ringfence.owner (id, name, country) VALUES ($1, $2, $3)",
                &[&owner.id(), &owner.name(), &owner.country().code],
            )
            .expect("an owner");
        for (field, (name, kind)) in FIELDS.iter().enumerate() {
            let options = kind.starts_with("choice").then_some(OPTIONS.as_slice());
            server
                .execute(
                    "INSERT INTO ringfence.field (owner_id, id, name, type, options, is_searchable, position)
                     VALUES ($1, $2, $3, $4, $5, $6, $7)",
                    &[
                        &owner.id(),
                        &owner.field_id(field),
                        name,
                        kind,
                        &options,
                        &(field < SEARCHABLE),
                        &(100 + field as i32),
                    ],
                )
                .expect("a field");
        }
    }
    run(
        server,
        "INSERT INTO ringfence.field_project (owner_id, field_id, project_id)
             SELECT field.owner_id, field.id, project.id FROM ringfence.field JOIN ringfence.project USING (owner_id)
              WHERE NOT field.is_system AND project.name = 'Default';
         SELECT ringfence.grant_access('search_agent', owner.name, '{agent}')
           FROM ringfence.owner WHERE owner.name LIKE 'Owner %';
         INSERT INTO bench.searched
             SELECT owner_id, max(key) FILTER (WHERE name = 'Contract'), max(key) FILTER (WHERE name = 'City'),
                    max(key) FILTER (WHERE name = 'Plan'), (array_agg(options) FILTER (WHERE name = 'Plan'))[1]
               FROM (SELECT owner_id, name, ringfence.storage_key(id) AS key, to_jsonb(options) AS options FROM ringfence.field) AS f
              GROUP BY owner_id HAVING count(*) FILTER (WHERE name = 'Plan') = 1;",
    );
}

fn copy(set: &Set, database: &str, columns: Columns, worker: u64, workers: u64) {
    let mut client = connect_to(database, "postgres");
    run(&mut client, "SET session_replication_role = replica");
    let mut maker = Maker::new();
    let mut writer = client.copy_in(&format!("COPY ringfence.customer ({}) FROM STDIN", columns.list())).expect("COPY");
    let mut lines = String::new();
    for (owner, place) in set.in_order(worker, workers) {
        let customer = maker.customer(owner, place);
        let row = columns.of(&mut maker, owner, &customer);
        copy_line(&row, &mut lines);
        if lines.len() > 1 << 16 {
            writer.write_all(lines.as_bytes()).expect("the customers");
            lines.clear();
        }
    }
    writer.write_all(lines.as_bytes()).expect("the customers");
    writer.finish().expect("the customers");
}

/// That rows came as the triggers would have made them: a thousand customers, more or less, are written again and compared.
fn check(server: &mut Client, customers: u64) {
    let kept = if has_column(server, "searchable") {
        "normal_phones, normal_emails, searchable"
    } else {
        "normal_phones, normal_emails"
    };
    let part = (100_000.0 / customers as f64).min(100.0);
    run(
        server,
        &format!(
            "BEGIN;
             CREATE TEMP TABLE loaded ON COMMIT DROP AS
                 SELECT owner_id, id, ROW({kept})::text AS kept FROM ringfence.customer TABLESAMPLE SYSTEM ({part}) REPEATABLE (1);
             UPDATE ringfence.customer SET phones = phones, emails = emails, attributes = attributes
               FROM loaded WHERE loaded.owner_id = customer.owner_id AND loaded.id = customer.id"
        ),
    );
    let differing = format!(
        "SELECT customer.owner_id::text, customer.id::text, phones::text, loaded.kept, ROW({kept})::text
           FROM ringfence.customer JOIN loaded USING (owner_id, id) WHERE loaded.kept <> ROW({kept})::text LIMIT 1"
    );
    let row = server.query_opt(&differing, &[]).expect("the sample");
    if let Some(row) = row {
        let columns: Vec<String> = (0..row.len()).map(|n| row.get(n)).collect();
        panic!("the loader brings what triggers would not compute: {columns:?}");
    }
    run(server, "ROLLBACK");
}
