//! What a session does around its statements: settings, transactions, prepared statements, cursors, objects of its own.

use super::Maker;
use crate::program::{How, Step};
use crate::schema::Type;
use crate::sql;
use crate::sql::{Sql, optional};

const SETTINGS: &[&str] = &[
    "enable_seqscan = off",
    "enable_indexscan = off",
    "enable_bitmapscan = off",
    "enable_indexonlyscan = off",
    "enable_tidscan = off",
    "enable_nestloop = off",
    "enable_hashjoin = off",
    "enable_mergejoin = off",
    "enable_hashagg = off",
    "enable_material = off",
    "enable_memoize = off",
    "enable_sort = off",
    "random_page_cost = 0.01",
    "random_page_cost = 1e9",
    "seq_page_cost = 1e9",
    "cpu_tuple_cost = 1e6",
    "cpu_operator_cost = 1e6",
    "cpu_operator_cost = 0",
    "effective_cache_size = 8",
    "work_mem = 64",
    "from_collapse_limit = 1",
    "join_collapse_limit = 1",
    "geqo_threshold = 2",
    "cursor_tuple_fraction = 0",
    "default_statistics_target = 1",
    "plan_cache_mode = force_generic_plan",
    "plan_cache_mode = force_custom_plan",
    "constraint_exclusion = on",
    "force_parallel_mode = regress",
    "row_security = off",
    "search_path = ringfence, ringfence_report",
    "ringfence.agent = 'agent 7'",
    "client_min_messages = log",
];

/// Whom a session may ask to work for.
const OWNERS: &[(usize, &str)] = &[
    (60, "Company A"),
    (8, "Company B"),
    (3, "Company E"),
    (4, "Nobody"),
    (4, "Company D"),
    (6, "Company C"),
    (2, ""),
    (2, "00000000-0000-0000-0000-000000000000"),
];

impl Maker<'_> {
    fn asked_owner(&mut self) -> String {
        let owner = *self.random.weighted(OWNERS);
        format!("SET ringfence.owner = '{owner}'")
    }

    pub fn beginning(&mut self) -> Vec<Step> {
        let mut steps = Vec::new();
        if self.random.chance(90) {
            let owner = if self.random.chance(80) {
                "SET ringfence.owner = 'Company A'".to_owned()
            } else {
                self.asked_owner()
            };
            steps.push(Step::new("owner", Sql::from(owner)));
        }
        if self.random.chance(12) {
            let project = *self.random.pick(&["Sales", "Support", "Closed", "no such"]);
            steps.push(Step::new("owner", Sql::from(format!("SET ringfence.project = '{project}'"))));
        }
        for _ in 0..self.random.below(4).saturating_sub(1) {
            let setting = *self.random.pick(SETTINGS);
            steps.push(Step::new("setting", Sql::from(format!("SET {setting}"))));
        }
        // Prepared outside of a transaction, it is there in the next one too.
        if self.random.chance(15) {
            let prepared = self.prepare();
            steps.push(prepared);
        }
        steps
    }

    /// Between two transactions: another owner, for the plans that are kept.
    pub fn between(&mut self) -> Vec<Step> {
        vec![Step::new("owner", Sql::from(self.asked_owner()))]
    }

    pub fn entering(&mut self) -> Vec<Step> {
        let mut steps = Vec::new();
        if self.random.chance(5) {
            steps.push(Step::new("owner", Sql::from("SELECT ringfence.enter('Company A')")));
        }
        if self.prepared > 0 {
            steps.extend(self.prepared());
        }
        steps
    }

    pub fn looking_back(&mut self) -> Vec<Step> {
        if self.random.chance(70) {
            vec![Step::new("look", Sql::from("SELECT last_value, is_called FROM hit"))]
        } else {
            Vec::new()
        }
    }

    pub fn setting(&mut self) -> Vec<Step> {
        let local = *self.random.pick(&["SET", "SET LOCAL"]);
        if self.random.chance(25) {
            let owner = self.asked_owner();
            return vec![Step::new("", Sql::from(owner.replace("SET", local)))];
        }
        let setting = *self.random.pick(SETTINGS);
        vec![Step::new("", Sql::from(format!("{local} {setting}")))]
    }

    /// A plan that is made under an owner who may be used, and run again under one who may not: whether the wall is asked, and says so,
    /// must not depend on what other conditions find.
    pub fn kept_plan(&mut self) -> Vec<Step> {
        let table = self.table();
        let scope = self.columns(&table, "t");
        let texts: Vec<_> = scope.iter().filter(|column| column.kind == Type::Text).cloned().collect();
        let setting = *self.random.pick(SETTINGS);
        let plain = |text: String| Step::new("kept", Sql::from(text));
        let condition = match texts.is_empty() {
            true => self.cheap(&scope),
            false => {
                let how = *self.random.pick(&["= $1", "= ANY (ARRAY[$1])", ">= $1", "<> $1"]);
                sql![self.random.pick(&texts).name.clone(), " ", how]
            }
        };
        let more = self.cheap(&scope);
        let prepare = sql![
            format!("PREPARE k (text) AS SELECT count(*) FROM {} AS t WHERE ", table.name),
            condition,
            optional(sql![" AND ", more])
        ];
        let mut steps = vec![
            plain("SET ringfence.owner = 'Company A'".to_owned()),
            plain("SET plan_cache_mode = force_generic_plan".to_owned()),
            Step::new("kept", optional(Sql::from(format!("SET {setting}")))),
            Step::new("kept", prepare),
        ];
        for round in 0..4 {
            if round == 1 {
                let owner = *self.random.pick(&["Company B", "Nobody", "Company D", "Company E", ""]);
                steps.push(plain(format!("SET ringfence.owner = '{owner}'")));
            }
            // What other owners alone have, as often as anything.
            let word = match self.random.chance(50) {
                true => {
                    format!("'{}'", self.random.pick(&["Firm 30", "Firm 35", "Company B", "Company E", "Jan Kowalski"]))
                }
                false => self.quoted(),
            };
            steps.extend([Step::fixed("BEGIN"), plain(format!("EXECUTE k({word})")), Step::fixed("ROLLBACK")]);
        }
        steps
    }

    fn prepare(&mut self) -> Step {
        self.prepared += 1;
        let table = self.table();
        let scope = self.columns(&table, "t");
        let texts: Vec<_> = scope.iter().filter(|column| column.kind == Type::Text).cloned().collect();
        let statement = if texts.is_empty() || self.random.chance(30) {
            sql![self.probe_sql()]
        } else {
            let column = self.random.pick(&texts).name.clone();
            let compared = *self.random.pick(&["= $1", "= ANY (ARRAY[$1, 'x'])", ">= $1", "IS NOT DISTINCT FROM $1"]);
            let effect = if self.random.chance(50) { optional(sql![" AND ", self.effect(&scope)]) } else { sql![] };
            sql![format!("SELECT count(*) FROM {} AS t WHERE {column} {compared}", table.name), effect]
        };
        Step::new("prepared", sql![format!("PREPARE p{} (text) AS ", self.prepared), statement])
    }

    pub fn prepared(&mut self) -> Vec<Step> {
        if self.random.chance(20) {
            // By the extended protocol, unnamed.
            let table = self.table();
            let scope = self.columns(&table, "t");
            let texts: Vec<_> = scope.iter().filter(|column| column.kind == Type::Text).cloned().collect();
            if !texts.is_empty() {
                let column = self.random.pick(&texts).name.clone();
                let word = self.word().to_owned();
                let mut step = Step::new(
                    "prepared",
                    sql![
                        format!("SELECT count(*) FROM {} AS t WHERE {column} = $1", table.name),
                        optional(sql![" AND ", self.effect(&scope)])
                    ],
                );
                step.how = How::Extended(vec![word], 0);
                return vec![step];
            }
        }
        let mut steps = Vec::new();
        if self.prepared == 0 || self.random.chance(30) {
            let prepared = self.prepare();
            steps.push(prepared);
        }
        let number = 1 + self.random.below(self.prepared);
        let word = self.quoted();
        let execute = match self.random.below(5) {
            0 => format!("EXPLAIN (ANALYZE, COSTS FALSE, TIMING FALSE, SUMMARY FALSE) EXECUTE p{number}({word})"),
            1 => format!("EXPLAIN EXECUTE p{number}({word})"),
            _ => format!("EXECUTE p{number}({word})"),
        };
        steps.push(Step::new("prepared", Sql::from(execute)));
        steps
    }

    pub fn cursor(&mut self) -> Vec<Step> {
        let number = self.random.below(1000);
        let how = *self.random.pick(&["", "SCROLL ", "NO SCROLL ", "INSENSITIVE "]);
        let query = if self.random.chance(50) { self.probe_sql() } else { self.select(1, &[]) };
        let count = self.random.below(5);
        let mut steps = vec![
            Step::new("", sql![format!("DECLARE c{number} {how}CURSOR FOR "), query]),
            Step::new("", Sql::from(format!("FETCH {count} FROM c{number}"))),
        ];
        if self.random.chance(50) {
            steps.push(Step::new(
                "",
                Sql::from(format!(
                    "FETCH {} FROM c{number}",
                    self.random.pick(&["ALL", "BACKWARD 1", "LAST", "FIRST"])
                )),
            ));
        }
        steps
    }

    /// PL/pgSQL, with what it caught.
    pub fn block(&mut self) -> Vec<Step> {
        let probe = self.probe_sql();
        let probe = sql!["EXECUTE $probe$", probe, "$probe$; GET DIAGNOSTICS n = ROW_COUNT; RAISE NOTICE 'rows: %', n"];
        let body = match self.random.below(4) {
            0 => sql![probe],
            1 => {
                sql!["BEGIN ", probe, "; EXCEPTION WHEN others THEN RAISE NOTICE 'caught % %', SQLSTATE, SQLERRM; END"]
            }
            2 => {
                let query = self.select_one(Type::Text, 1);
                sql![
                    "FOR r IN SELECT * FROM (",
                    query,
                    ") AS q ORDER BY 1 LOOP RAISE NOTICE 'row %', r; n := n + 1; EXIT WHEN n > 20; END LOOP"
                ]
            }
            _ => {
                let word = self.quoted();
                let table = *self.random.pick(&[
                    "ringfence.customer",
                    "ringfence.owner",
                    "ringfence.project",
                    "ringfence.field",
                    "ringfence.company",
                ]);
                sql![format!(
                    "FOR i IN 1 .. 7 LOOP SELECT count(*) INTO n FROM {table} WHERE name = {word} AND nextval('hit') > 0; END LOOP; RAISE NOTICE '%', n"
                )]
            }
        };
        vec![Step::new("", sql!["DO $do$DECLARE n bigint := 0; r record; BEGIN ", body, "; END$do$"])]
    }

    pub fn temporary(&mut self) -> Vec<Step> {
        let number = self.random.below(1000);
        let word = self.quoted();
        let statements: Vec<Sql> = match self.random.below(9) {
            0 => vec![sql![format!("INSERT INTO mine (id, name) VALUES (1{number:03}, {word})")]],
            1 => {
                let function = *self.random.pick(&["owner_is_there", "owner_told", "owner_id"]);
                vec![
                    optional(Sql::from(format!(
                        "SET LOCAL enable_seqscan = {}",
                        self.random.pick(&["on", "off", "off"])
                    ))),
                    Sql::from(format!("CREATE TEMP TABLE o{number} AS SELECT {word}::text AS name")),
                    Sql::from(format!("CREATE INDEX ON o{number} ((pg_temp.{function}(name)))")),
                ]
            }
            2 => vec![
                sql![format!("CREATE INDEX i{number} ON mine ((pg_temp.owner_id(name)))")],
                Sql::from(format!("SELECT count(*) FROM mine WHERE pg_temp.owner_id(name) = {}", self.id())),
            ],
            3 => vec![
                sql![format!("CREATE TEMP TABLE c{number} (name text CHECK (pg_temp.owner_is_there(name)))")],
                sql![format!("INSERT INTO c{number} VALUES ({word})")],
            ],
            4 => {
                let select = self.select(1, &[]);
                vec![
                    sql![format!("CREATE TEMP TABLE d{number} AS SELECT count(*) FROM ("), select, ") AS x"],
                    sql![format!("TABLE d{number}")],
                ]
            }
            5 => vec![
                sql![format!(
                    "CREATE TEMP TABLE r{number} (owner_id uuid, id uuid, FOREIGN KEY (owner_id, id) REFERENCES ringfence.customer)"
                )],
                sql![format!("INSERT INTO r{number} VALUES ({}, {})", self.id(), self.id())],
            ],
            6 => {
                let probe = self.probe_sql();
                vec![
                    sql![format!("CREATE TEMP VIEW v{number} AS "), probe],
                    sql![format!("EXPLAIN (COSTS FALSE) SELECT * FROM v{number}")],
                    sql![format!("SELECT * FROM v{number}")],
                ]
            }
            7 => vec![sql!["CREATE STATISTICS ON name, phone FROM mine"], sql!["ANALYZE mine"]],
            _ => {
                let probe = self.probe_sql();
                vec![
                    sql![
                        format!(
                            "CREATE FUNCTION pg_temp.f{number}() RETURNS bigint LANGUAGE sql {} COST {} AS $f$WITH x AS MATERIALIZED (SELECT 1) ",
                            self.random.pick(&["STABLE", "VOLATILE", "IMMUTABLE"]),
                            self.random.pick(&["0.001", "1", "100000"])
                        ),
                        probe,
                        "; SELECT 1::bigint $f$"
                    ],
                    sql![
                        format!("SELECT count(*) FROM ringfence.customer AS t WHERE pg_temp.f{number}() > 0 AND "),
                        "t.name = 'Jan Kowalski'"
                    ],
                ]
            }
        };
        statements.into_iter().map(|sql| Step::new("", sql)).collect()
    }
}
