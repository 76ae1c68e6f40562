//! Values, conditions, and what tells that they were computed.

use super::{Maker, Named};
use crate::schema::Type;
use crate::sql;
use crate::sql::{Sql, instead, list};

/// Functions and expressions that name no column and tell when, or how often, they are computed.
const TELLING: &[&str] = &[
    "nextval('hit') IS NOT NULL",
    "nextval('hit') > 0",
    "pg_temp.hits() > 0",
    "random() < 2",
    "random() >= 0",
    "pg_temp.tell('reached')",
    "pg_temp.tell_dear('reached')",
    "pg_temp.fails() IS NULL",
    "(1 / (random() * 0)) > 0",
    "(SELECT nextval('hit')) > 0",
    "nextval('hit') <> ALL ('{3,5}')",
    "pg_sleep(0) IS NOT NULL",
];

/// Sub-selects that fail once they are asked for.
const FAILING: &[&str] = &[
    "(SELECT (1/(random()*0))::text)",
    "(SELECT pg_temp.fails())",
    "(SELECT ('x' || random())::int::text)",
    "(SELECT nextval('hit')::text)",
    "(SELECT 'a far too long text'::pg_temp.short::text)",
    "(SELECT current_setting('no.such'))",
    "(SELECT CASE WHEN pg_temp.tell('sub-select') THEN 'Sales' END)",
];

/// What is a value of several owners, or only of another.
const WORDS: &[&str] = &[
    "Jan Kowalski",
    "Tsai Mei-Ling",
    "Chen Wei 2",
    "Anna Nowak",
    "Maria Silva",
    "ticket",
    "note",
    "ssn",
    "salary",
    "budget",
    "vip",
    "loose",
    "complaint",
    "name",
    "phones",
    "Sales",
    "Support",
    "Default",
    "Closed",
    "reader",
    "agent",
    "admin",
    "Company A",
    "Company B",
    "Company C",
    "Company D",
    "Company E",
    "Nobody",
    "House",
    "Firm 1",
    "Firm 30",
    "Street 3",
    "T-4",
    "T-250",
    "S3",
    "S250",
    "zh",
    "PL",
    "TW",
    "text",
    "choice",
    "a_sales",
    "a_support",
    "person2@example.com",
    "+48601234001",
    "+48601234010",
    "+886912345003",
    "0912 345 003",
    "ni_agent",
    "ni_admin",
    "write",
    "",
    "x",
];

const RIGHTS: &[&str] =
    &["customer.read", "customer.write", "field.manage", "field.unmask", "access.manage", "project.manage", "no.such"];

impl Maker<'_> {
    pub fn word(&mut self) -> &'static str {
        self.random.pick::<&'static str>(WORDS)
    }

    pub fn quoted(&mut self) -> String {
        format!("'{}'", self.word())
    }

    pub fn right(&mut self) -> &'static str {
        self.random.pick::<&'static str>(RIGHTS)
    }

    /// An id of a row of the set-up, there or not.
    pub fn id(&mut self) -> String {
        let what = match self.random.below(10) {
            6 => format!("ticket {}", 1 + self.random.below(70)),
            7 => format!("interaction {}", 1 + self.random.below(70)),
            8 => format!("channel {}", self.random.pick(&["+886223456789", "a", "help@a.example"])),
            9 => (*self.random.pick(&["script", "question", "answer"])).to_owned(),
            0 => "owner".to_owned(),
            1 => format!("project {}", self.random.pick(&["Sales", "Support", "Closed", "Default"])),
            2 => format!(
                "field {}",
                self.random.pick(&["ticket", "ssn", "note", "salary", "loose", "name", "vip", "complaint"])
            ),
            3 => format!("company Firm {}", 1 + self.random.below(25)),
            _ => format!("customer {}", 1 + self.random.below(220)),
        };
        self.id_of(&what)
    }

    /// The id of a thing of the set-up, of whichever owner.
    pub fn id_of(&mut self, what: &str) -> String {
        let owner = *self.random.weighted(&[(6, 'a'), (3, '1'), (1, 'f'), (1, 'c')]);
        // As setup.id() makes them; the planner makes a constant of it.
        let text = format!("{owner} {what}");
        format!("overlay(overlay(md5('{text}') PLACING '4' FROM 13) PLACING '{owner}' FROM 1)::uuid")
    }

    pub fn literal(&mut self, kind: Type) -> String {
        match kind {
            Type::Bool => (*self.random.pick(&["true", "false", "NULL::boolean"])).to_owned(),
            Type::Int => (*self.random.pick(&["0", "1", "2", "-1", "7", "100", "2147483647"])).to_owned(),
            Type::Big => (*self.random.pick(&["0::bigint", "1::bigint", "-5::bigint", "1000::bigint"])).to_owned(),
            Type::Number => (*self.random.pick(&["0::numeric", "1.5", "250::numeric", "10::numeric"])).to_owned(),
            Type::Float => (*self.random.pick(&["0::float8", "1.5::float8", "-1::float8"])).to_owned(),
            Type::Text => match self.random.below(12) {
                0 => "NULL::text".to_owned(),
                1 => format!("'{}'", self.right()),
                2 => "current_user::text".to_owned(),
                _ => format!("'{}'::text", self.word()),
            },
            Type::Texts => match self.random.below(6) {
                0 => "'{}'::text[]".to_owned(),
                _ => format!("ARRAY['{}', '{}']", self.word(), self.word()),
            },
            Type::Id => match self.random.below(12) {
                0 => "'00000000-0000-0000-0000-000000000000'::uuid".to_owned(),
                1 | 2 => "ringfence.current_owner()".to_owned(),
                _ => self.id(),
            },
            Type::Ids => format!("ARRAY[{}]", self.id()),
            Type::Ints => "'{1,2}'::int[]".to_owned(),
            Type::Date => {
                (*self.random.pick(&["'1980-02-01'::date", "'2025-01-05'::date", "'-infinity'::date"])).to_owned()
            }
            Type::Time => "'10:30'::time".to_owned(),
            Type::Moment => {
                (*self.random.pick(&["'2025-01-05 10:00+00'::timestamptz", "'2025-02-03 04:05:06+00'::timestamptz"]))
                    .to_owned()
            }
            Type::Span => "interval '1 day'".to_owned(),
            Type::Json => (*self.random.pick(&[
                "'{}'::jsonb",
                "'{\"ticket\": \"T-4\"}'::jsonb",
                "'{\"ssn\": \"S3\"}'::jsonb",
                "'[1]'::jsonb",
            ]))
            .to_owned(),
            Type::Bytes => "'\\x00'::bytea".to_owned(),
            Type::Oid => {
                (*self.random.pick(&["'ringfence.customer'::regclass::oid", "0::oid", "1259::oid"])).to_owned()
            }
            Type::Class => format!(
                "'{}'::regclass",
                self.random.pick(&["ringfence.customer", "ringfence.owner", "ringfence.field", "mine"])
            ),
            Type::Place => format!("'({},{})'::tid", self.random.below(8), 1 + self.random.below(40)),
        }
    }

    /// A value of that type out of anything.
    pub fn value(&mut self, kind: Type, scope: &[Named], depth: usize) -> Sql {
        let columns: Vec<&Named> = scope.iter().filter(|column| column.kind == kind).collect();
        if !columns.is_empty() && self.random.chance(45) {
            return Sql::from(self.random.pick(&columns).name.clone());
        }
        let simple = self.literal(kind);
        if depth == 0 || self.random.chance(30) {
            return Sql::from(simple);
        }
        let deeper = depth - 1;
        let made = match self.random.below(12) {
            0..=4 => match self.function(kind, scope, deeper) {
                Some(call) => call,
                None => return Sql::from(simple),
            },
            5..=7 => match self.operation(kind, scope, deeper) {
                Some(operation) => operation,
                None => return Sql::from(simple),
            },
            8 => sql![
                "CASE WHEN ",
                self.condition(scope, deeper),
                " THEN ",
                self.value(kind, scope, deeper),
                " ELSE ",
                self.value(kind, scope, deeper),
                " END"
            ],
            9 => sql!["coalesce(", self.value(kind, scope, deeper), ", ", self.value(kind, scope, deeper), ")"],
            10 => sql!["(SELECT ", self.value(kind, &[], deeper), ")"],
            _ => match kind {
                Type::Text => sql!["(", self.any_column(scope), ")::text"],
                Type::Int => sql!["(", self.value(Type::Text, scope, deeper), ")::int"],
                Type::Number => sql!["(", self.value(Type::Text, scope, deeper), ")::numeric"],
                Type::Id => sql!["(", self.value(Type::Text, scope, deeper), ")::uuid"],
                Type::Big => Sql::from("nextval('hit')"),
                Type::Float => Sql::from("random()"),
                _ => return Sql::from(simple),
            },
        };
        // Of several types that it might be, the one that is wanted.
        instead(made, simple)
    }

    fn any_column(&mut self, scope: &[Named]) -> Sql {
        if scope.is_empty() { Sql::from("'x'") } else { Sql::from(self.random.pick(scope).name.clone()) }
    }

    fn function(&mut self, kind: Type, scope: &[Named], depth: usize) -> Option<Sql> {
        let ours = self.random.chance(25);
        let fitting: Vec<_> =
            self.schema.functions.iter().filter(|function| function.gives == kind && function.ours == ours).collect();
        if fitting.is_empty() {
            return None;
        }
        let function = *self.random.pick(&fitting);
        let arguments = function.takes.iter().map(|kind| self.value(*kind, scope, depth)).collect();
        Some(sql![format!("{}(", function.name), arguments_of(arguments), ")"])
    }

    fn operation(&mut self, kind: Type, scope: &[Named], depth: usize) -> Option<Sql> {
        let fitting: Vec<_> = self.schema.operators.iter().filter(|operator| operator.gives == kind).collect();
        if fitting.is_empty() {
            return None;
        }
        let operator = *self.random.pick(&fitting);
        let right = self.value(operator.right, scope, depth);
        let name = format!(" OPERATOR(pg_catalog.{}) ", operator.name);
        Some(match operator.left {
            Some(left) => sql!["(", self.value(left, scope, depth), name, right, ")"],
            None => sql!["(", name, right, ")"],
        })
    }

    /// A condition out of anything.
    pub fn condition(&mut self, scope: &[Named], depth: usize) -> Sql {
        match self.random.below(20) {
            0..=6 => self.cheap(scope),
            7..=8 => self.effect(scope),
            9 if depth > 0 => sql!["NOT (", self.condition(scope, depth - 1), ")"],
            10 if depth > 0 => {
                sql!["(", list(vec![self.condition(scope, depth - 1), self.condition(scope, depth - 1)], " OR "), ")"]
            }
            11 if depth > 0 => sql!["EXISTS (", self.select(depth - 1, scope), ")"],
            12 if depth > 0 && !scope.is_empty() => {
                let column = self.random.pick(scope).clone();
                sql![format!("{} IN (", column.name), self.select_one(column.kind, depth - 1), ")"]
            }
            13 => {
                let pattern = *self.random.pick(&["'%o%'", "'Jan%'", "'T-_'", "'(2'"]);
                let how = *self.random.pick(&["LIKE", "ILIKE", "~", "!~", "NOT LIKE", "SIMILAR TO"]);
                sql![self.value(Type::Text, scope, depth.min(1)), format!(" {how} {pattern}")]
            }
            14 => match self.random.below(4) {
                0 => sql!["ringfence.has_right(", format!("'{}'", self.right()), ")"],
                1 => sql!["ringfence.works_in(", self.value(Type::Id, scope, 1), ")"],
                2 => sql!["ringfence.reports(", self.value(Type::Id, scope, 1), ")"],
                _ => sql!["ringfence.owner_in_reach(", self.value(Type::Id, scope, 1), ")"],
            },
            _ if depth > 0 => self.value(Type::Bool, scope, depth),
            _ => self.cheap(scope),
        }
    }

    /// A condition that PostgreSQL takes to be cheap and often leakproof.
    pub fn cheap(&mut self, scope: &[Named]) -> Sql {
        if scope.is_empty() {
            return Sql::from("1 = 1");
        }
        if self.random.chance(4)
            && let Some(owner) = scope.iter().find(|column| column.name.ends_with("\"owner_id\""))
        {
            // What the planner merges with the wall: one that answers differently each time, and one that is honest.
            let what = *self.random.pick(&["pg_temp.lies()", "pg_temp.says_own()"]);
            return Sql::from(format!("{} = {what}", owner.name));
        }
        let Named { name, kind } = self.random.pick(scope).clone();
        let literal = self.literal(kind);
        match self.random.below(14) {
            0 => Sql::from(format!("{name} IS NULL")),
            1 => Sql::from(format!("{name} IS NOT NULL")),
            2 if kind == Type::Bool => Sql::from(name),
            3 if kind == Type::Bool => Sql::from(format!("NOT {name}")),
            2..=4 if kind == Type::Texts => Sql::from(format!("{name}[1] = ANY ('{{{}}}')", self.word())),
            5 if kind == Type::Texts => Sql::from(format!("{name}[1] = {}", self.quoted())),
            6 if kind == Type::Texts => Sql::from(format!("{name} && ARRAY[{}]", self.quoted())),
            2..=4 if kind == Type::Text => Sql::from(format!("{name} = ANY ('{{{}}}')", self.word())),
            5 => Sql::from(format!("{name} IN ({literal}, {})", self.literal(kind))),
            6 => Sql::from(format!("{name} IS DISTINCT FROM {literal}")),
            7 => Sql::from(format!("{name} {} {literal}", self.random.pick(&["<", ">", "<=", ">=", "<>"]))),
            8 => {
                let other = self.random.pick(scope).clone();
                let right = self.literal(other.kind);
                Sql::from(format!(
                    "({name}, {}) {} ({literal}, {right})",
                    other.name,
                    self.random.pick(&["=", "<", ">="])
                ))
            }
            9 => Sql::from(format!("{name} <> ALL (ARRAY[{literal}])")),
            10 if kind == Type::Id => {
                let how = *self.random.pick(&[
                    "<> ALL (ARRAY[(SELECT ringfence.current_owner())])",
                    "<> ringfence.current_owner()",
                    "= ringfence.current_owner()",
                ]);
                Sql::from(format!("{name} {how}"))
            }
            11 => Sql::from(format!("{name} BETWEEN {literal} AND {}", self.literal(kind))),
            _ => Sql::from(format!("{name} = {literal}")),
        }
    }

    /// A condition that tells that it was judged: by an error, a notice, or a sequence.
    pub fn effect(&mut self, scope: &[Named]) -> Sql {
        if self.quiet {
            return Sql::from("true");
        }
        let texts: Vec<&Named> = scope.iter().filter(|column| column.kind == Type::Text).collect();
        let failing = *self.random.pick(FAILING);
        if self.random.chance(5)
            && let Some(owner) = scope.iter().find(|column| column.name.ends_with("\"owner_id\""))
        {
            // The wall in each alternative, behind something that tells.
            let (name, own) = (&owner.name, "ringfence.current_owner()");
            let (first, second) = (*self.random.pick(TELLING), *self.random.pick(TELLING));
            return Sql::from(format!("(({first} AND {name} = {own}) OR ({second} AND {own} = {name}))"));
        }
        match self.random.below(10) {
            0..=3 => Sql::from(*self.random.pick(TELLING)),
            4..=6 if !texts.is_empty() => {
                let name = self.random.pick(&texts).name.clone();
                match self.random.below(4) {
                    0 => Sql::from(format!("{name} = {failing}")),
                    1 => Sql::from(format!("{name} = ANY (ARRAY['x', {failing}])")),
                    2 => Sql::from(format!("{name} <> ALL (ARRAY[{failing}])")),
                    _ => Sql::from(format!("{name} = ANY (ARRAY[{failing}])")),
                }
            }
            7 if !texts.is_empty() => {
                let name = self.random.pick(&texts).name.clone();
                let function =
                    *self.random.pick(&["tell", "tell_dear", "tell_strict", "one_row", "inlined", "owner_is_there"]);
                Sql::from(format!("pg_temp.{function}({name})"))
            }
            8 if !texts.is_empty() => {
                let name = self.random.pick(&texts).name.clone();
                let domain = *self.random.pick(&["pg_temp.short", "pg_temp.counted", "int", "uuid"]);
                Sql::from(format!("({name}::{domain}) IS NOT NULL"))
            }
            _ => Sql::from(format!("{failing} IS NOT NULL")),
        }
    }
}

fn arguments_of(arguments: Vec<Sql>) -> Sql {
    Sql::List { least: arguments.len(), items: arguments, between: ", " }
}
