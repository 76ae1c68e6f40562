//! What the transactions of the soak do: statements, and what each must come to.

use super::fixture::{FIXED, OWNERS, canary, company_id, fixed_id, owner_id, owner_name, phone};
use crate::common::random::splitmix64;
use std::ops::RangeInclusive;

/// Random choices that are the same for the same seed.
pub struct Random(pub u64);

impl Random {
    fn next(&mut self) -> u64 {
        splitmix64(&mut self.0)
    }

    pub fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit as u64) as usize
    }

    pub fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == 0
    }

    pub fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    /// One of them, as often as its weight says.
    pub fn weighted<T: Copy>(&mut self, choices: &[(T, usize)]) -> T {
        let mut left = self.below(choices.iter().map(|(_, weight)| weight).sum());
        for (choice, weight) in choices {
            if left < *weight {
                return *choice;
            }
            left -= weight;
        }
        unreachable!("the weights were counted")
    }

    fn id(&mut self) -> String {
        let (a, b) = (self.next(), self.next());
        format!("{:08x}-0000-4000-8000-{:012x}", a as u32, b & 0xffff_ffff_ffff)
    }
}

/// How an owner is selected.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Way {
    SetLocal,
    Enter,
    Login,
}

impl Way {
    pub const ALL: [Way; 3] = [Way::SetLocal, Way::Enter, Way::Login];
}

#[derive(Clone, PartialEq, Debug)]
pub enum Expect {
    /// So many rows are returned or affected.
    Count(RangeInclusive<u64>),
    /// So many rows, and each shows the canary of the owner.
    Canaries(RangeInclusive<u64>),
    /// One of these SQLSTATEs.
    Refused(&'static [&'static str]),
    /// Cancelled while it runs, which it does until then.
    Cancelled,
    /// Whatever it comes to, it shows no canary of another owner.
    Anything,
    /// Whatever it comes to, it reads what a client has copied: no wall is around that.
    Copy,
}

#[derive(Clone, Debug)]
pub struct Step {
    pub sql: String,
    /// Text for $1, $2 ...
    pub parameters: Vec<String>,
    pub expect: Expect,
}

impl Step {
    pub fn new(sql: impl Into<String>, parameters: &[&str], expect: Expect) -> Step {
        Step { sql: sql.into(), parameters: parameters.iter().map(|&text| text.to_owned()).collect(), expect }
    }

    fn done(sql: impl Into<String>) -> Step {
        Step::new(sql, &[], Expect::Count(0..=0))
    }

    pub fn anything(sql: impl Into<String>) -> Step {
        Step::new(sql, &[], Expect::Anything)
    }

    /// With its parameters as literals, for a simple query.
    pub fn literal(&self) -> String {
        self.parameters.iter().enumerate().fold(self.sql.clone(), |sql, (n, text)| {
            sql.replace(&format!("${}", n + 1), &format!("'{}'", text.replace('\'', "''")))
        })
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Kind {
    ReadTable,
    ReadCard,
    ReadById,
    Search,
    FindByEmail,
    FindByPhone,
    Aggregate,
    ReadOthers,
    Cursor,
    Whoami,
    InsertCard,
    InsertTable,
    UpdateCard,
    UpdateEverything,
    DeleteCard,
    DeleteTable,
    WriteOthers,
    Division,
    Unique,
    InsertForOther,
    GiveToOther,
    SecondOwner,
    RollBack,
    SavepointUndone,
    SavepointError,
    SavepointBinding,
    CommitInside,
    Timeout,
    Cancel,
    /// Selects no owner; not among the others, since it has none.
    Unbound,
    BreaksRules,
}

/// How often, of all.
pub const KINDS: [(Kind, usize); 29] = [
    (Kind::ReadTable, 60),
    (Kind::ReadCard, 60),
    (Kind::ReadById, 120),
    (Kind::Search, 40),
    (Kind::FindByEmail, 60),
    (Kind::FindByPhone, 40),
    (Kind::Aggregate, 60),
    (Kind::ReadOthers, 60),
    (Kind::Cursor, 20),
    (Kind::Whoami, 40),
    (Kind::InsertCard, 50),
    (Kind::InsertTable, 30),
    (Kind::UpdateCard, 50),
    (Kind::UpdateEverything, 20),
    (Kind::DeleteCard, 50),
    (Kind::DeleteTable, 30),
    (Kind::WriteOthers, 40),
    (Kind::Division, 30),
    (Kind::Unique, 20),
    (Kind::InsertForOther, 30),
    (Kind::GiveToOther, 20),
    (Kind::SecondOwner, 30),
    (Kind::RollBack, 30),
    (Kind::SavepointUndone, 20),
    (Kind::SavepointError, 15),
    (Kind::SavepointBinding, 15),
    (Kind::CommitInside, 15),
    (Kind::Timeout, 4),
    (Kind::Cancel, 1),
];

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Delivery {
    /// BEGIN, everything, COMMIT in one message.
    OneMessage,
    /// Everything in one message, which is one transaction without being told.
    Implicit,
    /// A message for each statement, each awaited.
    Conversation,
    /// The extended protocol, with parameters.
    Parameters,
    /// A message for each statement, as they are: for those who do not care for transactions.
    Loose,
}

pub const DELIVERIES: [(Delivery, usize); 4] =
    [(Delivery::OneMessage, 35), (Delivery::Implicit, 30), (Delivery::Conversation, 10), (Delivery::Parameters, 25)];

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    Commit,
    RollBack,
}

/// One transaction for one owner.
pub struct Plan {
    pub kind: Kind,
    pub owner: usize,
    pub way: Way,
    pub delivery: Delivery,
    pub steps: Vec<Step>,
    pub ending: Ending,
    /// The rows that are there, or no longer, once it has committed.
    pub inserted: Option<String>,
    pub deleted: Option<String>,
}

/// What a client knows when it makes its plans.
pub struct Planner {
    pub random: Random,
    /// A token for each owner.
    pub tokens: std::sync::Arc<Vec<String>>,
    /// The ids of the rows that this client has put there, by owner.
    pub own_rows: Vec<Vec<String>>,
    pub made: usize,
}

impl Planner {
    pub fn bind(&mut self, way: Way, owner: usize) -> Step {
        let one = Expect::Count(1..=1);
        // By its id or by its name.
        let named = if self.random.one_in(2) { owner_id(owner) } else { owner_name(owner) };
        match way {
            Way::SetLocal if self.random.one_in(2) => Step::done(format!("SET LOCAL ringfence.owner = '{named}'")),
            Way::SetLocal => Step::new("SELECT set_config('ringfence.owner', $1, true)", &[&named], one),
            Way::Enter => Step::new("SELECT ringfence.enter($1)::text", &[&named], Expect::Canaries(1..=1)),
            Way::Login => {
                Step::new("SELECT ringfence.login($1)::text", &[&self.tokens[owner]], Expect::Canaries(1..=1))
            }
        }
    }

    /// The next transaction; the ways take turns.
    pub fn next(&mut self, ways: &[Way]) -> Plan {
        let mut owner = self.random.below(OWNERS);
        let way = ways[self.made % ways.len()];
        self.made += 1;
        let mut kind = self.random.weighted(&KINDS);
        // It deletes only what it has put there itself, and takes away before it puts more, so that there are ever as
        // many rows to read.
        let with_own_rows = (0..OWNERS).find(|&n| !self.own_rows[n].is_empty());
        kind = match (kind, with_own_rows) {
            (Kind::DeleteCard, None) => Kind::InsertCard,
            (Kind::DeleteTable, None) => Kind::InsertTable,
            (Kind::InsertCard, Some(_)) => Kind::DeleteCard,
            (Kind::InsertTable, Some(_)) => Kind::DeleteTable,
            (kind, _) => kind,
        };
        if let (Kind::DeleteCard | Kind::DeleteTable, Some(with_own_rows)) = (kind, with_own_rows) {
            owner = with_own_rows;
        }
        let delivery = match kind {
            // A statement that fails and is not the last, or one that somebody else cancels.
            Kind::SavepointError | Kind::Cancel => self.random.of(&[Delivery::Conversation, Delivery::Parameters]),
            // COMMIT is for code that is no part of a transaction.
            Kind::CommitInside => Delivery::Implicit,
            // SAVEPOINT is for transactions that were begun.
            Kind::SavepointUndone | Kind::SavepointBinding => {
                self.random.of(&[Delivery::OneMessage, Delivery::Conversation, Delivery::Parameters])
            }
            _ => self.random.weighted(&DELIVERIES),
        };
        let mut plan = Plan {
            kind,
            owner,
            way,
            delivery,
            steps: Vec::new(),
            ending: Ending::Commit,
            inserted: None,
            deleted: None,
        };
        if !matches!(kind, Kind::SavepointBinding | Kind::CommitInside) {
            plan.steps.push(self.bind(way, owner));
        }
        self.statements(&mut plan);
        plan
    }

    /// The plan was carried out. Returns how many rows more there are.
    pub fn learn(&mut self, plan: Plan) -> i64 {
        let own = &mut self.own_rows[plan.owner];
        let before = own.len() as i64;
        own.extend(plan.inserted);
        if let Some(deleted) = plan.deleted {
            own.retain(|id| *id != deleted);
        }
        own.len() as i64 - before
    }

    fn other(&mut self, owner: usize) -> usize {
        (owner + 1 + self.random.below(OWNERS - 1)) % OWNERS
    }

    fn statements(&mut self, plan: &mut Plan) {
        let owner = plan.owner;
        let own = canary(owner);
        let one = Expect::Canaries(1..=1);
        let none = Expect::Count(0..=0);
        let all = Expect::Canaries(FIXED as u64..=u64::MAX);
        let fixed = self.random.below(FIXED);
        let some = fixed_id(owner, fixed);
        let other = self.other(owner);
        let table = "SELECT owner_id::text, id::text, name, phones::text, emails::text, normal_emails::text, address, \
                     created_by FROM ringfence.customer";
        let card = "SELECT c::text FROM ringfence.customer_card AS c";
        let mut add = |step| plan.steps.push(step);
        match plan.kind {
            Kind::ReadTable => add(Step::new(table, &[], all)),
            Kind::ReadCard => add(Step::new(card, &[], all)),
            Kind::ReadById => {
                add(Step::new(format!("{card} WHERE c.id = $1::uuid"), &[&some], one));
            }
            Kind::Search => {
                let query = format!("fixed {}", owner_name(owner));
                let found = Expect::Canaries(1..=FIXED as u64);
                add(Step::new("SELECT s::text FROM ringfence.search_customers($1, 10) AS s", &[&query], found));
            }
            Kind::FindByEmail => {
                let email = format!("Fixed{fixed}@{own}.example");
                add(Step::new("SELECT f::text FROM ringfence.find_by_email($1) AS f", &[&email], one));
            }
            Kind::FindByPhone => {
                let phone = phone(owner, fixed);
                add(Step::new("SELECT f::text FROM ringfence.find_by_phone($1) AS f", &[&phone], one));
            }
            Kind::Aggregate => {
                let aggregate = "SELECT min(owner_id::text), max(owner_id::text), string_agg(DISTINCT address, ' '), \
                     string_agg(DISTINCT attributes ->> 'Canary', ' '), 1 / (count(*) >= $1::int)::int, \
                     1 / (count(DISTINCT owner_id) = 1)::int FROM ringfence.customer_card";
                add(Step::new(aggregate, &[&FIXED.to_string()], one));
            }
            Kind::ReadOthers => {
                let (sql, parameter) = match self.random.below(5) {
                    0 => (format!("{card} WHERE c.owner_id = $1::uuid"), owner_id(other)),
                    1 => (format!("{table} WHERE address = $1"), canary(other)),
                    2 => (format!("{table} WHERE id = $1::uuid"), fixed_id(other, fixed)),
                    3 => (
                        "SELECT f::text FROM ringfence.find_by_email($1) AS f".to_owned(),
                        format!("fixed{fixed}@{}.example", canary(other)),
                    ),
                    _ => ("SELECT f::text FROM ringfence.find_by_phone($1) AS f".to_owned(), phone(other, fixed)),
                };
                add(Step::new(sql, &[&parameter], none));
            }
            Kind::Cursor => {
                add(Step::done(format!("DECLARE here CURSOR FOR {card} ORDER BY c.name")));
                add(Step::new("FETCH 3 FROM here", &[], Expect::Canaries(3..=3)));
                add(Step::new("FETCH ALL FROM here", &[], Expect::Canaries(FIXED as u64 - 3..=u64::MAX)));
            }
            Kind::Whoami => {
                add(Step::new("SELECT ringfence.current_owner()::text", &[], one.clone()));
                add(Step::new("SELECT w::text FROM ringfence.whoami() AS w", &[], one.clone()));
                add(Step::new("SELECT c::text FROM ringfence.company AS c", &[], one));
            }
            Kind::InsertCard => {
                let id = self.random.id();
                let insert = "INSERT INTO ringfence.customer_card (id, name, emails, address, attributes) \
                              VALUES ($1::uuid, $2, ARRAY[$2 || '@example.com'], $2, jsonb_build_object('Canary', $2))";
                if self.random.one_in(2) {
                    let insert = format!("{insert} RETURNING owner_id::text, name, emails::text, attributes::text");
                    add(Step::new(insert, &[&id, &own], one));
                } else {
                    add(Step::new(insert, &[&id, &own], Expect::Count(1..=1)));
                }
                plan.inserted = Some(id);
            }
            Kind::InsertTable => {
                let id = self.random.id();
                let insert = "INSERT INTO ringfence.customer (id, name, emails, address) \
                              VALUES ($1::uuid, $2, ARRAY[$2 || '@example.com'], $2)";
                add(Step::new(insert, &[&id, &own], Expect::Count(1..=1)));
                plan.inserted = Some(id);
            }
            Kind::UpdateCard => {
                let update = "UPDATE ringfence.customer_card AS c SET address = $1, language = $2, \
                              attributes = attributes || jsonb_build_object('Note', $1::text) WHERE c.id = $3::uuid";
                let language = self.random.of(&["pl", "en", "zh"]);
                let (update, expect) = if self.random.one_in(2) {
                    (format!("{update} RETURNING c::text"), one)
                } else {
                    (update.to_owned(), Expect::Count(1..=1))
                };
                add(Step::new(update, &[&own, language, &some], expect));
            }
            // Without WHERE: it comes to all rows that are in reach, which is one.
            Kind::UpdateEverything => {
                let update = "UPDATE ringfence.company SET description = $1";
                add(Step::new(update, &[&own], Expect::Count(1..=1)));
            }
            Kind::DeleteCard | Kind::DeleteTable => {
                let id = self.own_rows[owner][0].clone();
                let relation = if plan.kind == Kind::DeleteCard { "customer_card" } else { "customer" };
                let delete = format!("DELETE FROM ringfence.{relation} WHERE id = $1::uuid");
                add(Step::new(delete, &[&id], Expect::Count(1..=1)));
                plan.deleted = Some(id);
            }
            Kind::WriteOthers => {
                let write = self.random.of(&[
                    "UPDATE ringfence.customer SET name = $1 WHERE owner_id = $2::uuid",
                    "UPDATE ringfence.customer_card SET name = $1 WHERE owner_id = $2::uuid",
                    "DELETE FROM ringfence.customer WHERE $1 <> '' AND owner_id = $2::uuid",
                    "DELETE FROM ringfence.customer_card WHERE $1 <> '' AND owner_id = $2::uuid",
                    "UPDATE ringfence.company SET name = $1 WHERE owner_id = $2::uuid",
                ]);
                add(Step::new(write, &[&own, &owner_id(other)], none));
            }
            Kind::Division => {
                add(Step::new(format!("{card} WHERE c.id = $1::uuid"), &[&some], one));
                let division = "SELECT 1 / (count(*) - count(*)) FROM ringfence.customer";
                add(Step::new(division, &[], Expect::Refused(&["22012"])));
            }
            Kind::Unique => {
                let insert = "INSERT INTO ringfence.company (id, name) VALUES ($1::uuid, $2)";
                add(Step::new(insert, &[&company_id(owner), &own], Expect::Refused(&["23505"])));
            }
            Kind::InsertForOther => {
                let insert = self.random.of(&[
                    "INSERT INTO ringfence.customer (owner_id, name) VALUES ($1::uuid, $2)",
                    "INSERT INTO ringfence.customer_card (owner_id, name) VALUES ($1::uuid, $2)",
                    "INSERT INTO ringfence.company (owner_id, name) VALUES ($1::uuid, $2)",
                ]);
                add(Step::new(insert, &[&owner_id(other), &own], Expect::Refused(&["42501"])));
            }
            Kind::GiveToOther => {
                let update = self.random.of(&[
                    "UPDATE ringfence.customer SET owner_id = $1::uuid WHERE id = $2::uuid",
                    "UPDATE ringfence.customer_card SET owner_id = $1::uuid WHERE id = $2::uuid",
                ]);
                add(Step::new(update, &[&owner_id(other), &some], Expect::Refused(&["42501"])));
            }
            Kind::SecondOwner => {
                add(Step::new(format!("{card} WHERE c.id = $1::uuid"), &[&some], one.clone()));
                match self.random.below(3) {
                    0 => add(Step::new("SELECT ringfence.enter($1)", &[&owner_id(other)], Expect::Refused(&["25001"]))),
                    1 => add(Step::new(
                        "SELECT ringfence.login($1)",
                        &[&self.tokens[other]],
                        Expect::Refused(&["25001"]),
                    )),
                    _ => {
                        let set = "SELECT length(set_config('ringfence.owner', $1, $2::boolean))";
                        let local = self.random.of(&["true", "false"]);
                        add(Step::new(set, &[&owner_id(other), local], Expect::Count(1..=1)));
                        // Entered, a setting counts for nothing; else it would change the owner.
                        let then = if plan.way == Way::SetLocal { Expect::Refused(&["25001"]) } else { all };
                        add(Step::new(card, &[], then));
                        // Rolled back, so that what was set for the session is not left behind: that is for the rule breakers.
                        plan.ending = Ending::RollBack;
                    }
                }
            }
            Kind::RollBack => {
                let insert = "INSERT INTO ringfence.customer_card (name) VALUES ($1) RETURNING owner_id::text";
                add(Step::new(insert, &[&own], one));
                add(Step::new(table, &[], all));
                plan.ending = Ending::RollBack;
            }
            Kind::SavepointUndone => {
                add(Step::done("SAVEPOINT here"));
                let insert = "INSERT INTO ringfence.customer (name) VALUES ($1) RETURNING owner_id::text";
                add(Step::new(insert, &[&own], one));
                add(Step::done("ROLLBACK TO here"));
                add(Step::new(card, &[], all));
            }
            Kind::SavepointError => {
                add(Step::done("SAVEPOINT here"));
                add(Step::new("SELECT 1 / 0", &[], Expect::Refused(&["22012"])));
                add(Step::done("ROLLBACK TO here"));
                add(Step::new(card, &[], all));
            }
            // The owner goes with the savepoint that it was selected in.
            Kind::SavepointBinding => {
                add(Step::done("SAVEPOINT here"));
                let bind = self.bind(plan.way, owner);
                plan.steps.push(bind);
                plan.steps.push(Step::new(format!("{card} WHERE c.id = $1::uuid"), &[&some], one));
                plan.steps.push(Step::done("ROLLBACK TO here"));
                plan.steps.push(Step::new(card, &[], Expect::Refused(&["42501", "25001"])));
            }
            // ATTACKS 31: the owner goes with the transaction, and the rest of the code has none.
            Kind::CommitInside => {
                let bind = self.bind(plan.way, owner).literal();
                let bind = if bind.starts_with("SELECT") { bind.replacen("SELECT", "PERFORM", 1) } else { bind };
                let block = format!(
                    "DO $do$ BEGIN {bind}; PERFORM 1 / count(*) FROM ringfence.customer; COMMIT; \
                     PERFORM count(*) FROM ringfence.customer; END $do$"
                );
                plan.steps.push(Step::new(block, &[], Expect::Refused(&["42501"])));
            }
            Kind::Timeout => {
                add(Step::done("SET LOCAL statement_timeout = 1"));
                let endless = self.random.of(&ENDLESS);
                plan.steps.push(Step::new(endless, &[], Expect::Refused(&["57014"])));
            }
            Kind::Cancel => {
                add(Step::new(format!("{card} WHERE c.id = $1::uuid"), &[&some], one));
                let endless = self.random.of(&ENDLESS).replacen("SELECT", "PERFORM", 1);
                let block = format!("DO $$ BEGIN RAISE NOTICE '{BEGUN}'; {endless}; END $$");
                plan.steps.push(Step::new(block, &[], Expect::Cancelled));
            }
            Kind::Unbound | Kind::BreaksRules => unreachable!("planned elsewhere"),
        }
    }
}

/// What a statement says when it has begun, for whoever is to cancel it.
pub const BEGUN: &str = "begun";

/// They end by being cancelled, wherever in ringfence that is.
const ENDLESS: [&str; 3] = [
    "SELECT count(*) FROM generate_series(1, 100000000) AS n, LATERAL ringfence.search_customers('fixed ' || n)",
    "SELECT count(*) FROM generate_series(1, 100000000), ringfence.customer_card AS a, ringfence.customer_card AS b",
    "SELECT count(ringfence.current_owner()) FROM generate_series(1, 1000000000)",
];

/// A transaction that selects no owner, and must be refused whatever it tries. Any canary is another owner's.
pub fn unbound(random: &mut Random) -> Plan {
    let refused = Expect::Refused(&["42501"]);
    let step = random.of(&[
        "SELECT c::text FROM ringfence.customer_card AS c",
        "SELECT name FROM ringfence.customer",
        "SELECT count(*) FROM ringfence.company",
        "SELECT s::text FROM ringfence.search_customers('fixed') AS s",
        "SELECT f::text FROM ringfence.find_by_phone('600000000') AS f",
        "SELECT ringfence.current_owner()",
        "SELECT ringfence.has_right('customer.read')",
        "INSERT INTO ringfence.customer_card (name) VALUES ('nobody')",
        "UPDATE ringfence.company SET description = 'nobody'",
        "DELETE FROM ringfence.customer",
    ]);
    // It tells that there is no owner, which is no error.
    let whoami = "SELECT 1 / count(owner_id) FROM ringfence.whoami()";
    let step = if random.one_in(8) {
        Step::new(whoami, &[], Expect::Refused(&["22012", "42501"]))
    } else {
        Step::new(step, &[], refused)
    };
    Plan {
        kind: Kind::Unbound,
        owner: OWNERS,
        way: Way::SetLocal,
        delivery: random.of(&[Delivery::OneMessage, Delivery::Implicit, Delivery::Parameters]),
        steps: vec![step],
        ending: Ending::Commit,
        inserted: None,
        deleted: None,
    }
}
