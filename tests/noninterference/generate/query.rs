//! Statements that read.

use super::{Maker, Named};
use crate::program::Step;
use crate::schema::{Table, Type};
use crate::sql;
use crate::sql::{Sql, instead, list, optional};

const HINTS: &[&str] = &["", "ANALYZE, ", "ANALYZE, VERBOSE, ", "VERBOSE, ", "SETTINGS, ", "ANALYZE, BUFFERS FALSE, "];

impl Maker<'_> {
    pub fn table(&mut self) -> Table {
        let customers = ["ringfence.customer", "ringfence.customer_card"];
        if self.random.chance(35) {
            let name = *self.random.pick(&customers);
            if let Some(table) = self.schema.tables.iter().find(|table| table.name == name) {
                return table.clone();
            }
        }
        self.random.pick(&self.schema.tables).clone()
    }

    /// The columns of a table under that name; now and then those that nobody may read too.
    pub fn columns(&mut self, table: &Table, alias: &str) -> Vec<Named> {
        let closed = self.random.chance(5);
        table
            .columns
            .iter()
            .filter(|column| column.open || closed)
            .map(|column| Named { name: format!("{alias}.\"{}\"", column.name), kind: column.kind })
            .collect()
    }

    /// WHERE, of a few conditions.
    pub fn filter(&mut self, scope: &[Named], depth: usize) -> Sql {
        let mut conditions = Vec::new();
        for _ in 0..1 + self.random.below(3) {
            conditions.push(self.condition(scope, depth));
        }
        sql![" WHERE ", list(conditions, " AND ")]
    }

    /// What the wall must come before: cheap conditions, then one that tells.
    fn probing(&mut self, scope: &[Named]) -> Sql {
        let mut conditions = vec![self.cheap(scope)];
        if self.random.chance(35) {
            conditions.push(self.cheap(scope));
        }
        if self.random.chance(85) {
            conditions.push(self.effect(scope));
        }
        if self.random.chance(50) {
            conditions.reverse();
        }
        sql![" WHERE ", list(conditions, " AND ")]
    }

    fn sample(&mut self) -> Sql {
        if self.random.chance(95) { sql![] } else { optional(Sql::from(" TABLESAMPLE BERNOULLI (100) REPEATABLE (1)")) }
    }

    pub fn probe_sql(&mut self) -> Sql {
        let table = self.table();
        let scope = self.columns(&table, "t");
        if scope.is_empty() {
            return sql![format!("SELECT count(*) FROM {} AS t", table.name)];
        }
        let filter = self.probing(&scope);
        let shown = match self.random.below(3) {
            0 => self.random.pick(&scope).name.clone(),
            _ => "count(*)".to_owned(),
        };
        match self.random.below(12) {
            0 => sql![format!("DELETE FROM {} AS t", table.name), filter],
            1 => {
                let column = self.random.pick(&table.columns).clone();
                sql![
                    format!("UPDATE {} AS t SET \"{}\" = {}", table.name, column.name, self.literal(column.kind)),
                    filter
                ]
            }
            2 if shown != "count(*)" => sql![format!("SELECT {shown} FROM {} AS t", table.name), filter, " FOR UPDATE"],
            _ => sql![format!("SELECT {shown} FROM {} AS t", table.name), self.sample(), filter],
        }
    }

    pub fn probe(&mut self) -> Vec<Step> {
        let probe = Step::new("", self.probe_sql());
        if self.random.chance(60) {
            return vec![probe];
        }
        vec![
            probe,
            Step::new("", Sql::from(*self.random.pick(&["SELECT last_value, is_called FROM hit", "SELECT random()"]))),
        ]
    }

    pub fn query(&mut self) -> Vec<Step> {
        let select = self.select(2, &[]);
        vec![Step::new("", select)]
    }

    /// FROM, and the columns that it brings.
    fn from(&mut self, depth: usize, outer: &[Named], level: &str) -> (Sql, Vec<Named>) {
        let mut scope = outer.to_vec();
        let mut parts = Vec::new();
        for n in 0..*self.random.weighted(&[(6, 1), (3, 2), (1, 3)]) {
            let alias = format!("{level}{n}");
            let (item, columns) = match self.random.below(20) {
                0 if depth > 0 => {
                    let inner = self.select_one(Type::Text, depth - 1);
                    (
                        sql!["(", inner, format!(") AS {alias} (v)")],
                        vec![Named { name: format!("{alias}.v"), kind: Type::Text }],
                    )
                }
                1 if depth > 0 => {
                    let lateral = self.select_of(Type::Text, depth - 1, &scope);
                    (
                        sql!["LATERAL (", lateral, format!(") AS {alias} (v)")],
                        vec![Named { name: format!("{alias}.v"), kind: Type::Text }],
                    )
                }
                2 => (sql![self.set_call(), format!(" AS {alias}")], Vec::new()),
                3 => (
                    sql!["pg_temp.seen(", self.value(Type::Id, &scope, 1), format!(") AS {alias} (v)")],
                    vec![Named { name: format!("{alias}.v"), kind: Type::Text }],
                ),
                _ => {
                    let table = self.table();
                    let columns = self.columns(&table, &alias);
                    (sql![format!("{} AS {alias}", table.name)], columns)
                }
            };
            if n == 0 {
                parts.push(item);
            } else {
                let join = *self.random.pick(&[" JOIN ", " LEFT JOIN ", " FULL JOIN ", " RIGHT JOIN ", " CROSS JOIN "]);
                let mut both = scope.clone();
                both.extend(columns.clone());
                let on = if join == " CROSS JOIN " {
                    sql![]
                } else {
                    sql![" ON ", self.join_condition(&scope, &columns, &both)]
                };
                parts.push(optional(sql![join, item, on]));
            }
            scope.extend(columns);
        }
        (Sql::All(parts), scope)
    }

    fn join_condition(&mut self, left: &[Named], right: &[Named], both: &[Named]) -> Sql {
        let mut pairs = Vec::new();
        for l in left {
            for r in right.iter().filter(|r| r.kind == l.kind && matches!(l.kind, Type::Id | Type::Text)) {
                pairs.push(format!("{} = {}", l.name, r.name));
            }
        }
        if pairs.is_empty() || self.random.chance(10) {
            return instead(self.condition(both, 1), "true");
        }
        Sql::from(self.random.pick(&pairs).clone())
    }

    pub fn select(&mut self, depth: usize, outer: &[Named]) -> Sql {
        let level = format!("t{depth}_");
        let (from, scope) = self.from(depth, outer, &level);
        let filter = if self.random.chance(70) { optional(self.filter(&scope, depth)) } else { sql![] };
        let shown = |maker: &mut Self| {
            let kind = *maker.random.pick(&[
                Type::Text,
                Type::Text,
                Type::Id,
                Type::Texts,
                Type::Int,
                Type::Bool,
                Type::Json,
                Type::Date,
            ]);
            maker.value(kind, &scope, depth)
        };
        let columns: Vec<Sql> = (0..1 + self.random.below(3)).map(|_| shown(self)).collect();
        match self.random.below(20) {
            0..=6 => sql!["SELECT count(*) FROM ", from, filter],
            7 => {
                let by = shown(self);
                sql![
                    "SELECT count(*), ",
                    by,
                    " FROM ",
                    from,
                    filter,
                    " GROUP BY 2",
                    optional(sql![" HAVING count(*) > 1"])
                ]
            }
            8 => {
                let (value, over) = (shown(self), shown(self));
                // Of rows that are equal in order, each of these says the same.
                let window = *self.random.pick(&["count(*)", "rank()", "dense_rank()", "sum(1)"]);
                sql![format!("SELECT {window} OVER (ORDER BY "), over, "), ", value, " FROM ", from, filter]
            }
            9 if depth > 0 => {
                let both = *self.random.pick(&[" UNION ", " UNION ALL ", " EXCEPT ", " INTERSECT "]);
                sql![
                    "SELECT ",
                    self.value(Type::Text, &scope, 1),
                    " FROM ",
                    from,
                    filter,
                    both,
                    self.select_one(Type::Text, depth - 1)
                ]
            }
            10 if depth > 0 => {
                let how = *self.random.pick(&["", "MATERIALIZED ", "NOT MATERIALIZED "]);
                sql![
                    format!("WITH c (v) AS {how}("),
                    self.select_of(Type::Text, depth - 1, outer),
                    ") SELECT count(*), max(v) FROM c",
                    optional(sql![" WHERE v IS NOT NULL AND ", self.effect(&[])])
                ]
            }
            11 => sql!["SELECT DISTINCT ", list(columns, ", "), " FROM ", from, filter],
            12 => sql!["SELECT ", list(columns, ", "), " FROM ", from, filter, optional(Sql::from(" FOR UPDATE"))],
            13 => {
                let kind = *self.random.pick(&[Type::Text, Type::Id, Type::Date]);
                let (value, by) = (self.value(kind, &scope, 1), shown(self));
                sql![
                    "SELECT ",
                    value,
                    " FROM ",
                    from,
                    filter,
                    " ORDER BY ",
                    by,
                    format!(", 1 LIMIT {}", self.random.below(4))
                ]
            }
            14 => {
                let value = shown(self);
                sql!["SELECT count(DISTINCT ", value, ") FROM ", from, filter]
            }
            _ => sql!["SELECT ", list(columns, ", "), " FROM ", from, filter],
        }
    }

    /// A select of one column of that type.
    pub fn select_one(&mut self, kind: Type, depth: usize) -> Sql {
        self.select_of(kind, depth, &[])
    }

    fn select_of(&mut self, kind: Type, depth: usize, outer: &[Named]) -> Sql {
        let level = format!("s{depth}_");
        let (from, scope) = self.from(depth, outer, &level);
        let value = self.value(kind, &scope, depth.min(1));
        let filter = if self.random.chance(70) { optional(self.filter(&scope, depth)) } else { sql![] };
        // The type, whatever a literal would be taken for.
        sql!["SELECT (", value, format!(")::{} FROM ", kind.name()), from, filter]
    }

    fn explained(&mut self) -> Sql {
        match self.random.below(10) {
            0..=3 => self.probe_sql(),
            4..=6 => self.select(1, &[]),
            7 => self.write_sql(),
            8 => sql!["SELECT * FROM ", self.set_call()],
            _ => self.owner_sql(),
        }
    }

    pub fn explain(&mut self) -> Vec<Step> {
        let format = *self.random.pick(&["TEXT", "TEXT", "JSON", "YAML", "XML"]);
        let costs = *self.random.pick(&["", "", "COSTS FALSE, "]);
        let more = *self.random.pick(&["", "VERBOSE, ", "SETTINGS, "]);
        vec![Step::new("", sql![format!("EXPLAIN ({more}{costs}FORMAT {format}) "), self.explained()]).ordered()]
    }

    pub fn explain_analyze(&mut self) -> Vec<Step> {
        let hint = *self.random.pick(HINTS);
        let hint = if hint.contains("ANALYZE") { hint } else { "ANALYZE, " };
        let format = *self.random.pick(&["TEXT", "TEXT", "TEXT", "JSON"]);
        let costs = if self.random.chance(75) { "COSTS FALSE, " } else { "" };
        vec![
            Step::new(
                "",
                sql![format!("EXPLAIN ({hint}{costs}TIMING FALSE, SUMMARY FALSE, FORMAT {format}) "), self.explained()],
            )
            .ordered(),
        ]
    }

    pub fn owner_sql(&mut self) -> Sql {
        let name = self.quoted();
        let id = self.id();
        let shown = *self.random.pick(&["count(*)", "name", "id", "enabled", "country"]);
        let scope: Vec<Named> = [
            ("name", Type::Text),
            ("id", Type::Id),
            ("enabled", Type::Bool),
            ("country", Type::Text),
            ("created_at", Type::Moment),
        ]
        .map(|(name, kind)| Named { name: name.to_owned(), kind })
        .to_vec();
        let condition = match self.random.below(6) {
            0 => Sql::from(format!("name = {name}")),
            1 => Sql::from(format!("id = {id}")),
            2 => Sql::from("name >= 'Company'"),
            3 => Sql::from(format!("name = ANY ('{{{}}}')", self.word())),
            _ => self.cheap(&scope),
        };
        let table = *self.random.pick(&["ringfence.owner", "ringfence.owner", "owner_view"]);
        let effect = if self.random.chance(60) { optional(sql![" AND ", self.effect(&scope)]) } else { sql![] };
        sql![format!("SELECT {shown} FROM {table} WHERE "), condition, effect]
    }

    pub fn owner(&mut self) -> Vec<Step> {
        let sql = self.owner_sql();
        let explained = self.random.chance(40);
        vec![if explained {
            Step::new("", sql!["EXPLAIN (ANALYZE, COSTS FALSE, TIMING FALSE, SUMMARY FALSE) ", sql]).ordered()
        } else {
            Step::new("", sql)
        }]
    }

    pub fn copy(&mut self) -> Vec<Step> {
        let probe = if self.random.chance(50) { self.probe_sql() } else { self.select(1, &[]) };
        let how = *self.random.pick(&["STDOUT", "STDOUT (FORMAT csv, HEADER)", "STDOUT WITH CSV"]);
        vec![Step::new("", sql!["COPY (", probe, format!(") TO {how}")])]
    }

    /// Rows by where they lie.
    pub fn place(&mut self) -> Vec<Step> {
        let names = [
            "customer",
            "company",
            "project",
            "field",
            "field_project",
            "access",
            "owner",
            "profile",
            "report_view",
            "unique_value",
            "form_being_saved",
        ];
        let table = *self.random.pick(&names);
        let place = self.literal(Type::Place);
        vec![Step::new(
            "",
            match self.random.below(6) {
                0 => Sql::from(format!("SELECT currtid2('ringfence.{table}', {place})")),
                1 => Sql::from(format!("SELECT ctid FROM ringfence.{table}")),
                2 => Sql::from(format!("SELECT count(*) FROM ringfence.{table} WHERE ctid > {place}")),
                3 => Sql::from(format!(
                    "SELECT count(*) FROM ringfence.{table} WHERE ctid = {place} AND nextval('hit') > 0"
                )),
                4 => Sql::from(format!(
                    "EXPLAIN (ANALYZE, COSTS FALSE, TIMING FALSE, SUMMARY FALSE) SELECT count(*) FROM ringfence.{table} WHERE ctid = {place}"
                )),
                _ => Sql::from(format!(
                    "SELECT count(*) FROM ringfence.{table} WHERE ctid < ANY (ARRAY[{place}, '(0,3)'])"
                )),
            },
        )]
    }

    /// What the session is told of what it did.
    pub fn statistics(&mut self) -> Vec<Step> {
        let names =
            ["customer", "company", "project", "field", "field_project", "access", "owner", "profile", "report_view"];
        let table = *self.random.pick(&names);
        let probe = Step::new("", self.probe_sql());
        let function = *self.random.pick(&[
            "numscans",
            "tuples_returned",
            "tuples_fetched",
            "tuples_inserted",
            "tuples_updated",
            "tuples_deleted",
        ]);
        let look = match self.random.below(6) {
            0..=2 => format!("SELECT pg_stat_get_xact_{function}('ringfence.{table}'::regclass)"),
            3 => format!(
                "SELECT seq_scan, seq_tup_read, idx_scan, idx_tup_fetch, n_tup_ins, n_tup_upd, n_tup_del FROM pg_stat_xact_all_tables WHERE relid = 'ringfence.{table}'::regclass"
            ),
            4 => format!("SELECT seq_tup_read, idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = '{table}'"),
            _ => format!(
                "SELECT tablename, attname, n_distinct, most_common_vals, null_frac, histogram_bounds FROM pg_stats WHERE schemaname = 'ringfence' AND tablename = '{table}'"
            ),
        };
        vec![probe, Step::new("", Sql::from(look))]
    }

    /// By parallel workers, of which only what has no order is asked.
    pub fn parallel(&mut self) -> Vec<Step> {
        let table = self.table();
        let scope = self.columns(&table, "t");
        let failing = *self.random.pick(&[
            "",
            " AND (SELECT current_setting('no.such')) IS NOT NULL",
            " AND 'x' = ANY (ARRAY[(SELECT ('x' || count(*))::int::text FROM mine)])",
        ]);
        let settings = [
            "parallel_setup_cost",
            "parallel_tuple_cost",
            "min_parallel_table_scan_size",
            "min_parallel_index_scan_size",
        ];
        let mut steps: Vec<Step> =
            settings.iter().map(|setting| Step::new("", Sql::from(format!("SET LOCAL {setting} = 0")))).collect();
        steps.push(Step::new("", Sql::from("SET LOCAL max_parallel_workers = 8")));
        let filter = list(vec![self.cheap(&scope), self.cheap(&scope)], " AND ");
        steps.push(Step::new(
            "",
            sql![format!("SELECT count(*) FROM {} AS t WHERE ", table.name), filter, optional(Sql::from(failing))],
        ));
        steps.push(Step::new("", Sql::from("SET LOCAL max_parallel_workers = 0")));
        steps
    }

    pub fn lock(&mut self) -> Vec<Step> {
        let table = self.table();
        let mode = *self.random.pick(&["ACCESS SHARE", "ROW EXCLUSIVE", "SHARE", "EXCLUSIVE", "ACCESS EXCLUSIVE"]);
        vec![Step::new("", Sql::from(format!("LOCK TABLE {} IN {mode} MODE NOWAIT", table.name)))]
    }

    pub fn printed_plan(&mut self) -> Vec<Step> {
        let mut what = if self.random.chance(60) { self.probe_sql() } else { sql!["SELECT * FROM ", self.set_call()] };
        // Which statements a search runs inside depends on how many index entries of rows that are gone it meets; its answer does not.
        if what.text().contains("search_customers(") {
            what = Sql::from("SELECT * FROM ringfence.visible_fields()");
        }
        vec![
            Step::new("", Sql::from("SET LOCAL debug_print_plan = on")),
            Step::new("", Sql::from("SET LOCAL client_min_messages = log")),
            Step::new("", what),
            Step::new("", Sql::from("SET LOCAL debug_print_plan = off")),
        ]
    }
}
