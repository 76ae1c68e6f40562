-- Other ways to write than the card, under authority: imports, and answers of a script.
\set SHOW_CONTEXT never
\pset null -
SET client_min_messages = warning;
CREATE ROLE import_crm LOGIN;
CREATE ROLE import_erp LOGIN;
CREATE ROLE import_agent LOGIN;
CREATE ROLE import_trainee LOGIN;
SET ROLE dba;
SELECT ringfence.grant_access('import_crm', 'Company A', '{agent,customer.delete,import.run}', sources => '{CRM}'),
       ringfence.grant_access('import_erp', 'Company A', '{agent,import.run}', sources => '{ERP}'),
       ringfence.grant_access('import_agent', 'Company A', '{agent}', sources => '{Ticketing}'),
       ringfence.grant_access('import_trainee', 'Company A', '{customer.read,customer.propose,interaction.read,interaction.write}') \g /dev/null
RESET ROLE;
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.create_source('CRM'), ringfence.create_source('ERP'), ringfence.create_source('Ticketing'),
       ringfence.create_field('Contract', projects => '{Sales}', is_unique => true), ringfence.create_field('Payment status', projects => '{Sales}'),
       ringfence.set_authority('CRM', 'name'), ringfence.set_authority('CRM', 'phones'), ringfence.set_authority('ERP', 'Payment status') \g /dev/null
INSERT INTO ringfence.import_template (name, mode, match_field) VALUES ('Nightly', 'update', 'Contract'), ('New ones', 'upsert', 'Contract');
INSERT INTO ringfence.import_mapping (template_id, target, source)
    SELECT t.id, m.target, m.source FROM ringfence.import_template AS t,
           (VALUES ('Contract', '{{contract}}'), ('name', '{{name}}'), ('Payment status', '{{status}}')) AS m (target, source);
RESET SESSION AUTHORIZATION;

SET SESSION AUTHORIZATION import_crm;
SET ringfence.source = 'CRM';
INSERT INTO ringfence.customer_card (name, phones, attributes)
    SELECT 'Customer ' || n, ARRAY['+4860' || 1000000 + n], jsonb_build_object('Contract', 'C-' || n) FROM generate_series(1, 1000) AS n;
-- A customer's record belongs to the source that inserted it. The CRM gives them to everybody.
RESET SESSION AUTHORIZATION;
RESET ringfence.source;
SET SESSION AUTHORIZATION boss_a;
SELECT count(ringfence.hand_over(id, NULL)) FROM ringfence.customer WHERE name LIKE 'Customer %' \g /dev/null
RESET SESSION AUTHORIZATION;

\echo *** A file of the ERP names customers as it likes
SET SESSION AUTHORIZATION import_erp;
SET ringfence.source = 'ERP';
CREATE TEMPORARY TABLE file AS
    SELECT 'C-' || n AS contract, CASE WHEN n % 33 = 0 AND n <= 990 THEN 'Renamed ' || n ELSE 'Customer ' || n END AS name, CASE n % 2 WHEN 0 THEN 'paid' ELSE 'open' END AS status
      FROM generate_series(1, 1000) AS n;
-- With 'error', the default, a row that names them is rejected.
SELECT action, regexp_replace(reason, '[0-9]+', 'n', 'g') AS reason, count(*) FROM ringfence.import_customers('Nightly', 'file', dry_run => true) GROUP BY 1, 2 ORDER BY 1, 2;
SET ringfence.on_foreign_datum = 'skip';
SET client_min_messages = error;
SELECT action, reason, count(*) FROM ringfence.import_customers('Nightly', 'file') GROUP BY 1, 2 ORDER BY 1, 2;
-- The second time there is nothing to write.
SELECT action, reason, count(*) FROM ringfence.import_customers('Nightly', 'file') GROUP BY 1, 2 ORDER BY 1, 2;
-- A new customer needs a name, which is not the ERP's to give.
SELECT action, customer_id IS NULL AS none, reason FROM ringfence.import_customers('New ones', rows => '[{"contract": "C-0", "name": "New", "status": "open"}]'::jsonb);
SELECT action, reason FROM ringfence.import_customers('New ones', rows => '[{"contract": "C-1", "name": "New", "status": "late"}]'::jsonb);
SET client_min_messages = warning;
RESET ringfence.on_foreign_datum;
-- A source that is not the session's is one error, and not one of each row.
SET ringfence.source = 'CRM';
SELECT * FROM ringfence.import_customers('Nightly', rows => '[{"contract": "C-1", "name": "New", "status": "late"}]'::jsonb);
RESET SESSION AUTHORIZATION;
RESET ringfence.source;

\echo *** The report
SET SESSION AUTHORIZATION boss_a;
SELECT count(DISTINCT (customer_id, new)), min(field) AS field, min(source) AS source, min(authority) AS authority FROM ringfence.left_out() WHERE new::text LIKE '"Renamed%';
SELECT name, attributes ->> 'Payment status' AS status FROM ringfence.customer_card WHERE name IN ('Customer 33', 'Customer 34') ORDER BY name;
SELECT count(*) FROM ringfence.customer_card WHERE name LIKE 'Renamed%';
RESET SESSION AUTHORIZATION;

\echo *** An answer of a script fills a field of another source: refused, or left out; whoever may only propose proposes
SET SESSION AUTHORIZATION boss_a;
INSERT INTO ringfence.script (name, project_id) SELECT 'Asking', id FROM ringfence.project WHERE name = 'Sales';
INSERT INTO ringfence.question (script_id, text, position) SELECT id, 'Have you paid?', 1 FROM ringfence.script WHERE name = 'Asking';
INSERT INTO ringfence.answer (question_id, name, kind, field_id) SELECT q.id, 'Status', 'text', f.id
  FROM ringfence.question AS q, ringfence.field AS f WHERE q.text = 'Have you paid?' AND f.name = 'Payment status';
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION import_agent;
SELECT ringfence.log_interaction('call', customer => (SELECT id FROM ringfence.customer WHERE name = 'Customer 35'), project => 'Sales') AS call \gset
SELECT ringfence.respond(:'call', answer_id, 'paid yesterday') FROM ringfence.script_form('Asking');
SELECT count(*) FROM ringfence.response;
SET ringfence.on_foreign_datum = 'skip';
SET client_min_messages = error;
SELECT ringfence.respond(:'call', answer_id, 'paid yesterday') IS NOT NULL AS kept FROM ringfence.script_form('Asking');
SET client_min_messages = warning;
RESET ringfence.on_foreign_datum;
SELECT value FROM ringfence.response;
SELECT attributes ->> 'Payment status' AS status FROM ringfence.customer_card WHERE name = 'Customer 35';
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION import_trainee;
SELECT ringfence.log_interaction('call', customer => (SELECT id FROM ringfence.customer WHERE name = 'Customer 36'), project => 'Sales') AS call \gset
SELECT ringfence.respond(:'call', answer_id, 'paid today') IS NOT NULL AS kept FROM ringfence.script_form('Asking');
SELECT field, new, state FROM ringfence.proposal;
SELECT attributes ->> 'Payment status' AS status FROM ringfence.customer_card WHERE name = 'Customer 36';
RESET SESSION AUTHORIZATION;
-- Roles belong to the cluster.
\c - postgres
SET client_min_messages = warning;
DROP OWNED BY import_crm, import_erp, import_agent, import_trainee;
DROP ROLE import_crm, import_erp, import_agent, import_trainee;
