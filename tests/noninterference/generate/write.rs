//! Statements that write.

use super::Maker;
use crate::program::{How, Step};
use crate::schema::Type;
use crate::sql;
use crate::sql::{Sql, list, optional};

impl Maker<'_> {
    pub fn write(&mut self) -> Vec<Step> {
        if self.random.chance(10) {
            let name = self.word();
            let mut step =
                Step::new("", Sql::from("COPY ringfence.customer_card (name, phones, attributes) FROM STDIN"));
            step.how =
                How::CopyIn(format!("{name}\t{{0912 345 001}}\t{{\"ticket\": \"T-{}\"}}\n", self.random.below(260)));
            return vec![step];
        }
        let sql = self.write_sql();
        vec![Step::new("", sql)]
    }

    pub fn write_sql(&mut self) -> Sql {
        // What report views follow, and so may change beneath a statement that reads one.
        if self.random.chance(6) {
            let change = *self.random.pick(&[
                "DELETE FROM ringfence.field_project AS t",
                "UPDATE ringfence.field AS t SET position = position + 1",
                "DELETE FROM ringfence.field AS t",
            ]);
            let view = *self.random.pick(&[
                "ringfence_report.a_sales",
                "ringfence_report.a_support",
                "ringfence.shared_field",
            ]);
            return sql![
                change,
                format!(" WHERE EXISTS (SELECT FROM {view} AS r"),
                optional(sql![" WHERE ", self.effect(&[])]),
                ")"
            ];
        }
        let table = self.table();
        let returning = if self.random.chance(30) { optional(Sql::from(" RETURNING *")) } else { sql![] };
        match self.random.below(10) {
            0..=3 => {
                // The id of another owner's row is not taken; nor are its unique values.
                let (id, name, number) = (self.id(), self.quoted(), self.random.below(260));
                let value = match self.random.below(5) {
                    0 => format!("'{{\"ticket\": \"T-{number}\"}}'"),
                    1 => format!("'{{\"ssn\": \"S{number}\"}}'"),
                    2 => format!("'{{\"mobile\": \"0912 000 {number:03}\", \"plan\": \"gold\"}}'"),
                    3 => format!("'{{\"complaint\": \"c\", \"budget\": {number}}}'"),
                    _ => "'{}'".to_owned(),
                };
                match self.random.below(8) {
                    0 | 1 => sql![
                        format!(
                            "INSERT INTO ringfence.customer_card (id, name, attributes) VALUES ({id}, {name}, {value})"
                        ),
                        returning
                    ],
                    2 => sql![
                        format!(
                            "INSERT INTO ringfence.customer (id, name) VALUES ({id}, {name}) ON CONFLICT (owner_id, id) DO NOTHING"
                        ),
                        returning
                    ],
                    3 => sql![format!(
                        "INSERT INTO ringfence.customer (id, name) VALUES ({id}, {name}) ON CONFLICT (owner_id, id) DO UPDATE SET name = excluded.name || 'x'"
                    )],
                    4 => sql![format!("INSERT INTO ringfence.project (name) VALUES ({name})"), returning],
                    5 => sql![format!(
                        "INSERT INTO ringfence.profile (name, rights) VALUES ({name}, '{{customer.read}}') ON CONFLICT DO NOTHING"
                    )],
                    6 => sql![format!("INSERT INTO ringfence.company (id, name) VALUES ({id}, {name})")],
                    _ => {
                        let field = self.id();
                        sql![
                            format!(
                                "INSERT INTO ringfence.field_project (field_id, project_id) VALUES ({field}, {id})"
                            ),
                            returning
                        ]
                    }
                }
            }
            4 => {
                let select = self.select_one(Type::Text, 1);
                sql!["INSERT INTO ringfence.customer (name) ", select, returning]
            }
            5..=7 => {
                let scope = self.columns(&table, "t");
                let set: Vec<Sql> = (0..1 + self.random.below(2))
                    .map(|_| {
                        let column = self.random.pick(&table.columns).clone();
                        sql![format!("\"{}\" = ", column.name), self.value(column.kind, &scope, 1)]
                    })
                    .collect();
                let from = if self.random.chance(20) { " FROM mine AS m" } else { "" };
                sql![
                    format!("UPDATE {} AS t SET ", table.name),
                    list(set, ", "),
                    from,
                    optional(self.filter(&scope, 1)),
                    returning
                ]
            }
            _ => {
                let scope = self.columns(&table, "t");
                let using = if self.random.chance(20) { " USING mine AS m" } else { "" };
                sql![format!("DELETE FROM {} AS t{using}", table.name), optional(self.filter(&scope, 1)), returning]
            }
        }
    }

    pub fn merge(&mut self) -> Vec<Step> {
        let table =
            *self.random.pick(&["ringfence.customer", "ringfence.project", "ringfence.company", "ringfence.field"]);
        let Some(table) = self.schema.tables.iter().find(|known| known.name == table).cloned() else {
            return Vec::new();
        };
        let mut scope = self.columns(&table, "t");
        let source = if self.random.chance(50) {
            "mine".to_owned()
        } else {
            format!("(VALUES ({}, 'Jan Kowalski')) AS s (customer, name)", self.id())
        };
        let source = if source == "mine" { "mine AS s".to_owned() } else { source };
        let on = *self.random.pick(&[
            "t.name = s.name",
            "t.id = s.customer",
            "t.name = s.name AND nextval('hit') > 0",
            "true",
        ]);
        scope.push(super::Named { name: "s.name".to_owned(), kind: Type::Text });
        let when = self.condition(&scope, 1);
        let action = *self.random.pick(&["UPDATE SET name = s.name || 'x'", "DELETE", "DO NOTHING"]);
        let tail = *self.random.pick(&[
            "",
            " WHEN NOT MATCHED THEN INSERT (name) VALUES (s.name)",
            " WHEN NOT MATCHED THEN DO NOTHING",
        ]);
        vec![Step::new(
            "",
            sql![
                format!("MERGE INTO {} AS t USING {source} ON {on} WHEN MATCHED AND ", table.name),
                when,
                format!(" THEN {action}{tail}")
            ],
        )]
    }
}
