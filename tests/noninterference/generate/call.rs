//! Calls of the extension's own functions, with arguments that are good, foreign or absent.

use super::Maker;
use crate::program::Step;
use crate::schema::Type;
use crate::sql;
use crate::sql::Sql;

const FIELDS: &[&str] = &[
    "ticket",
    "note",
    "ssn",
    "salary",
    "budget",
    "vip",
    "since",
    "plan",
    "tags",
    "mobile",
    "complaint",
    "loose",
    "name",
    "no such",
];
const PROJECTS: &[&str] = &["Sales", "Support", "Closed", "Default", "Company B", "no such"];
const OWNERS: &[&str] =
    &["Company A", "Company A", "Company B", "Company C", "Company D", "Company E", "Nobody", "House"];
const ROLES: &[&str] = &["ni_agent", "ni_admin", "ni_trainee", "ni_fields", "ni_sales", "ni_none", "no_such_role"];
const SEARCHES: &[&str] = &[
    "kowalski",
    "jan",
    "tsai mei",
    "tsia",
    "kowalsky",
    "nowak anna",
    "+48601234010",
    "601 234 010",
    "0912345003",
    "person2@example.com",
    "T-4",
    "t-250",
    "S3",
    "complaint",
    "note 3",
    "firm",
    "silva maria",
    "k",
    "an",
    "",
    "wei 2",
    "complaint 4",
];

impl Maker<'_> {
    pub fn call(&mut self) -> Vec<Step> {
        let owner = *self.random.pick(OWNERS);
        let role = *self.random.pick(ROLES);
        let project = *self.random.pick(PROJECTS);
        let right = self.right();
        let word = self.word();
        let id = self.value(Type::Id, &[], 1).text();
        let number = self.random.below(70);
        let call = match self.random.below(28) {
            0 => "SELECT owner_id, owner_name, project_name, agent, source, rights, bound FROM ringfence.whoami()"
                .to_owned(),
            1 => format!("SELECT ringfence.enter('{owner}')"),
            2 => format!("SELECT ringfence.enter('{owner}', '{project}', 'agent 7')"),
            3 => format!("SELECT * FROM ringfence.explain_access('{role}', '{owner}')"),
            4 => format!(
                "SELECT ringfence.grant_access('{role}', '{owner}', '{{{}}}')",
                self.random.pick(&["agent", "reader", "customer.read", "trainee", "admin", "Sales"])
            ),
            5 => format!("SELECT ringfence.grant_access('{role}', '{owner}', '{{{right}}}', '{project}')"),
            6 => format!("SELECT ringfence.revoke_access('{role}', '{owner}')"),
            7 => format!("SELECT ringfence.create_profile('{word}', '{{customer.read,{right}}}')"),
            8 => format!(
                "SELECT ringfence.drop_profile('{}')",
                self.random.pick(&["reader", "fields", "agent", "no such"])
            ),
            9 => format!("SELECT ringfence.create_report_view('{project}')"),
            10 => format!(
                "SELECT ringfence.create_report_view('{project}', '{}')",
                self.random.pick(&["mine", "a_sales", "b_sales", "report"])
            ),
            11 => format!("SELECT ringfence.drop_report_view('{project}')"),
            12 => {
                format!("SELECT ringfence.has_right('{right}'), ringfence.current_owner(), ringfence.current_project()")
            }
            13 => return vec![Step::new("", sql!["SELECT * FROM ", self.set_call()])],
            14 => format!("SELECT ringfence.open_ticket({id}, '{word}', '{project}')"),
            15 => format!(
                "INSERT INTO ringfence.ticket (subject, customer_id, status) VALUES ('{word}', {id}, '{}') RETURNING number, status",
                self.random.pick(&["new", "closed", "no such"])
            ),
            16 => format!("SELECT subject, status FROM ringfence.ticket WHERE number = {number}"),
            17 => format!("SELECT ringfence.log_interaction('call', customer => {id}, external_id => 'call-{number}')"),
            18 => format!("SELECT ringfence.log_interaction('call', ticket => {id}, project => '{project}')"),
            19 => {
                let (interaction, answer) = (self.id_of(&format!("interaction {}", 1 + number)), self.id_of("answer"));
                format!("SELECT ringfence.respond({interaction}, {answer}, '{word}')")
            }
            20 => "SELECT * FROM ringfence.script_form('Selling')".to_owned(),
            21 => format!(
                "SELECT * FROM ringfence.import_customers('Import', rows => '[{{\"n\": \"{word}\", \"p\": \"{}\"}}]'::jsonb, dry_run => {})",
                self.random.pick(&["+48601234010", "0912345003", "0911000111", ""]),
                self.random.pick(&["true", "false"])
            ),
            22 => format!(
                "SELECT name, rank, matched FROM ringfence.search_customers('{}{number}')",
                self.random.pick(&["", "#", "call-"])
            ),
            23 => format!(
                "SELECT * FROM ringfence_report.{} ORDER BY interaction_id",
                self.random.pick(&["a_sales_calls", "a_support_calls"])
            ),
            24 | 25 => self.datum_call(),
            _ => {
                let functions: Vec<_> = self.schema.functions.iter().filter(|function| function.ours).collect();
                if functions.is_empty() {
                    return Vec::new();
                }
                let function = *self.random.pick(&functions);
                let arguments: Vec<String> =
                    function.takes.iter().map(|kind| self.value(*kind, &[], 1).text()).collect();
                format!("SELECT {}({})", function.name, arguments.join(", "))
            }
        };
        vec![Step::new("", Sql::from(call))]
    }

    /// What tells whose a datum is, and who changed it.
    fn datum_call(&mut self) -> String {
        let (id, field) = (self.id(), *self.random.pick(FIELDS));
        let source = *self.random.pick(&["CRM", "ERP", "Billing", "no such"]);
        match self.random.below(20) {
            0 | 1 => format!("SELECT * FROM ringfence.history({id})"),
            2 => format!("SELECT count(*) FROM ringfence.history({id}, '{field}')"),
            3 => format!("SELECT * FROM ringfence.datum({id}, '{field}')"),
            4 => format!("SELECT * FROM ringfence.creators({id})"),
            5 => "SELECT * FROM ringfence.data_flow".to_owned(),
            6 => format!("SELECT * FROM ringfence.where_is({id})"),
            7 => "SELECT field, old, new, state FROM ringfence.proposal".to_owned(),
            8 => "SELECT * FROM ringfence.left_out('2000-01-01')".to_owned(),
            9 => format!("SELECT ringfence.set_authority('{source}', '{field}')"),
            10 => format!("SELECT ringfence.hand_over({id}, '{source}')"),
            11 => format!("SELECT ringfence.erase_customer({id}, 'asked for')"),
            12 => format!("SET LOCAL ringfence.source = '{source}'"),
            13 => format!(
                "SELECT ringfence.accept_proposal(id) FROM ringfence.proposal WHERE field = '{field}' ORDER BY id LIMIT 1"
            ),
            14 => "SELECT ringfence.reject_proposal(id, 'no') FROM ringfence.proposal ORDER BY id LIMIT 1".to_owned(),
            15 => "SELECT ringfence.forget_history('2100-01-01')".to_owned(),
            16 => format!("SELECT ringfence.retire_source('{source}', 'CRM')"),
            17 => format!("SELECT ringfence.create_source('{source}') IS NOT NULL"),
            18 => format!(
                "SELECT field, kind, old, new FROM ringfence.history({id}) WHERE kind = 'left_out' OR old IS NOT NULL"
            ),
            _ => "SET LOCAL ringfence.on_foreign_datum = 'skip'".to_owned(),
        }
    }

    /// What manages fields.
    pub fn field_call(&mut self) -> Vec<Step> {
        let field = *self.random.pick(FIELDS);
        let project = *self.random.pick(PROJECTS);
        let customers = self.random.pick(&["", ", 0", ", 66", ", 133", ", 100", ", 134", ", 150"]).to_string();
        let kind = *self.random.pick(&["text", "number", "boolean", "date", "choice", "phone"]);
        let column = *self.random.pick(&["is_masked", "is_searchable", "is_unique", "required"]);
        let new = *self.random.pick(&["ticket", "fresh", "CaNaRy field", "budget", "phones"]);
        let call = match self.random.below(18) {
            0 => format!("SELECT ringfence.create_field('{new}', '{kind}', '{{{project}}}')"),
            1 => format!("SELECT ringfence.create_field('{new}', 'text', '{{Sales,Support}}', is_masked => true, is_unique => true)"),
            2 | 3 => format!("SELECT ringfence.drop_field('{field}'{customers})"),
            4 => format!("SELECT ringfence.retype_field('{field}', '{kind}')"),
            5 => format!("SELECT ringfence.rename_field('{field}', '{new}')"),
            6 => format!("SELECT ringfence.bind_field('{field}', '{project}')"),
            7 => format!("SELECT ringfence.bind_field('{field}', '{project}', 'read', true)"),
            8 | 9 => format!("SELECT ringfence.unbind_field('{field}', '{project}')"),
            10 => format!("SELECT ringfence.add_option('plan', '{}')", self.word()),
            11 => format!("SELECT ringfence.retire_option('{field}', 'gold')"),
            12 | 13 => format!("UPDATE ringfence.field SET {column} = NOT {column} WHERE name = '{field}'"),
            14 => "SELECT name, type, options, required, access, \"position\", is_system, shared_with, is_masked FROM ringfence.visible_fields(false)".to_owned(),
            15 => "TABLE ringfence.shared_field".to_owned(),
            16 => format!("SELECT field, customers FROM ringfence.shared_field WHERE field = '{field}'"),
            _ => "SELECT name, type FROM ringfence.unassigned_field".to_owned(),
        };
        let mut steps = Vec::new();
        // What a value is found in is told by what becomes of the count without some customers.
        if self.random.chance(20) {
            steps.push(Step::new(
                "",
                Sql::from(format!("DELETE FROM ringfence.customer_card WHERE id = {}", self.id())),
            ));
        }
        steps.push(Step::new("", Sql::from(call)));
        steps
    }

    pub fn set_call(&mut self) -> Sql {
        if self.random.chance(50) {
            let search = *self.random.pick(SEARCHES);
            return Sql::from(format!(
                "ringfence.search_customers('{search}', {})",
                self.random.pick(&["20", "5", "100", "1"])
            ));
        }
        if self.schema.sets.is_empty() {
            return Sql::from("ringfence.whoami()");
        }
        let function = self.random.below(self.schema.sets.len());
        let function = &self.schema.sets[function];
        let arguments: Vec<String> = function.takes.iter().map(|kind| self.value(*kind, &[], 0).text()).collect();
        Sql::from(format!("{}({})", function.name, arguments.join(", ")))
    }

    pub fn search(&mut self) -> Vec<Step> {
        let search = *self.random.pick(SEARCHES);
        let rows = *self.random.pick(&["20", "5", "100", "2"]);
        let call = match self.random.below(10) {
            0..=2 => format!("SELECT * FROM ringfence.search_customers('{search}', {rows})"),
            3 | 4 => format!("SELECT count(*), count(DISTINCT customer_id) FROM ringfence.search_customers('{search}', {rows})"),
            // A page, and the next one.
            5 => format!(
                "WITH first AS (SELECT * FROM ringfence.search_customers('{search}', {rows})),
                      place AS (SELECT (array_agg(cursor))[count(*)] AS cursor FROM first)
                 SELECT next.customer_id, next.rank FROM place, LATERAL ringfence.search_customers('{search}', {rows}, place.cursor) AS next"
            ),
            6 => format!("SELECT * FROM ringfence.find_by_phone('{search}')"),
            7 => format!("SELECT * FROM ringfence.find_by_email('{search}')"),
            8 => format!("SELECT id, name FROM ringfence.customer_card WHERE ringfence.matches(id, '{search}')"),
            _ => return vec![Step::new("", sql![format!("SELECT count(*) FROM ringfence.customer AS t WHERE ringfence.matches(id, '{search}') AND "), self.effect(&[])])],
        };
        vec![Step::new("", Sql::from(call))]
    }

    /// Makes many versions of rows, of which the last, or none, is kept.
    pub fn stir(&mut self) -> Vec<Step> {
        let change = *self.random.pick(&[
            "UPDATE ringfence.customer SET phones = phones || '{0800 000}' WHERE name LIKE 'Jan%'",
            "UPDATE ringfence.customer SET last_activity_at = last_activity_at + interval '1 day' WHERE name LIKE 'Jan%'",
            "UPDATE ringfence.customer SET name = name || ' x' WHERE name LIKE 'Jan%'",
            "UPDATE ringfence.customer_card SET attributes = attributes || '{\"note\": \"stirred\"}' WHERE name LIKE 'Jan%'",
            "DELETE FROM ringfence.customer WHERE name LIKE 'Jan%'",
        ]);
        let mut steps: Vec<Step> = (0..1 + self.random.below(5)).map(|_| Step::new("", Sql::from(change))).collect();
        // Search must find the same by whichever plan.
        if self.random.chance(40) {
            let settings = [
                "random_page_cost = 1e9",
                "enable_indexscan = off",
                "enable_bitmapscan = off",
                "cpu_operator_cost = 1e6",
                "seq_page_cost = 0",
            ];
            let setting = *self.random.pick(&settings);
            steps.push(Step::new("", Sql::from(format!("SET LOCAL {setting}"))));
        }
        if self.random.chance(70) {
            let search = *self.random.pick(&["kowalski", "jan", "kowalsky", "an"]);
            steps.push(Step::new(
                "",
                Sql::from(format!(
                    "SELECT count(*), count(DISTINCT customer_id) FROM ringfence.search_customers('{search}', 100)"
                )),
            ));
        }
        steps
    }
}
