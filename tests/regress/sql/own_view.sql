-- Issue 19, B7: an application maps a view of its own over customer_card. The view is as in docs/orm.md (tests/orm.rs).
\pset format unaligned
CREATE SCHEMA app;
CREATE VIEW app.customer WITH (security_invoker = true) AS
    SELECT id, name, phones, emails, address, birth_date, language, company_id, attributes AS custom,
           created_at, updated_at, last_activity_at
      FROM ringfence.customer_card;
GRANT USAGE ON SCHEMA app TO ringfence_user, stranger;
GRANT SELECT, INSERT, UPDATE, DELETE ON app.customer TO ringfence_user;
GRANT SELECT ON app.customer TO stranger;
SELECT is_updatable, is_insertable_into, is_trigger_updatable FROM information_schema.views WHERE table_schema = 'app';

\echo *** each role sees its own owner, whoever made the view
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.create_field('Plan', projects => '{Default,Sales}') IS NOT NULL, ringfence.create_field('Card', projects => '{Sales}', is_masked => true) IS NOT NULL;
SET SESSION AUTHORIZATION app_a;
SELECT name FROM app.customer ORDER BY name;
SET SESSION AUTHORIZATION app_b;
SELECT name FROM app.customer ORDER BY name;
SET SESSION AUTHORIZATION app_ab;
SELECT name FROM app.customer;
BEGIN;
SELECT ringfence.enter('Company B');
SELECT name FROM app.customer ORDER BY name;
COMMIT;
SET SESSION AUTHORIZATION app_none;
SELECT name FROM app.customer;
SET SESSION AUTHORIZATION tickets_a;
SELECT name FROM app.customer;
-- It may read the view, and not the card: the view gives nothing.
SET SESSION AUTHORIZATION stranger;
SELECT name FROM app.customer;

\echo *** it is written as the card is, with the defaults of the card
SET SESSION AUTHORIZATION app_a;
INSERT INTO app.customer (name, phones, custom) VALUES ('Wu', '{0912000001}', '{"Plan": "gold"}')
    RETURNING id IS NOT NULL AS id, name, phones, custom, created_at = now() AS created, updated_at = now() AS updated;
INSERT INTO app.customer (id, name) VALUES (DEFAULT, 'Wu 2'), (DEFAULT, 'Wu 3') RETURNING id IS NOT NULL AS id, name, phones, custom;
UPDATE app.customer SET custom = custom || '{"Plan": "silver"}' WHERE name = 'Wu' RETURNING name, custom;
UPDATE app.customer SET name = 'Wu Mei', phones = phones WHERE name = 'Wu' RETURNING name;
UPDATE app.customer SET custom = '{"Router": "x"}' WHERE name = 'Wu Mei';
UPDATE app.customer SET name = 'stolen' WHERE id = 'b0000000-0000-0000-0000-000000000001';
DELETE FROM app.customer WHERE name = 'Wu Mei';
SELECT name, custom FROM app.customer WHERE ringfence.matches(id, 'wu') ORDER BY name;
INSERT INTO app.customer (name) VALUES ('Wu') ON CONFLICT DO NOTHING;
COPY app.customer (name) FROM STDIN;
Wu 4
\.
SET SESSION AUTHORIZATION trainee_a;
UPDATE app.customer SET name = 'spoilt';
SET SESSION AUTHORIZATION boss_a;
DELETE FROM app.customer WHERE name LIKE 'Wu%' RETURNING name;

\echo *** fields by project, and masked ones
UPDATE app.customer SET custom = '{"Plan": "gold", "Card": "4111"}' WHERE name = 'Chen Wei';
SET SESSION AUTHORIZATION sales_a;
SELECT custom FROM app.customer WHERE name = 'Chen Wei';
SET SESSION AUTHORIZATION support_a;
SELECT custom FROM app.customer WHERE name = 'Chen Wei';

\echo *** a column of one field is read, and the others are written beside it
RESET SESSION AUTHORIZATION;
CREATE VIEW app.planned WITH (security_invoker = true) AS SELECT id, name, attributes ->> 'Plan' AS plan FROM ringfence.customer_card;
GRANT SELECT, UPDATE ON app.planned TO ringfence_user;
SET SESSION AUTHORIZATION app_a;
SELECT name FROM app.planned WHERE plan = 'gold';
UPDATE app.planned SET name = name WHERE plan = 'gold' RETURNING name, plan;
UPDATE app.planned SET plan = 'silver';

\echo *** what the document warns of: over the table, and not security_invoker, it shows all; over the card it does not
RESET SESSION AUTHORIZATION;
CREATE VIEW app.over_table AS SELECT id, name FROM ringfence.customer;
CREATE VIEW app.over_table_as_invoker WITH (security_invoker = true) AS SELECT id, name FROM ringfence.customer;
CREATE VIEW app.over_card AS SELECT id, name, ringfence.current_owner() AS judged FROM ringfence.customer_card;
GRANT SELECT, UPDATE ON app.over_table, app.over_table_as_invoker, app.over_card TO app_a, app_none, stranger;
SET SESSION AUTHORIZATION app_a;
SELECT count(*), count(*) FILTER (WHERE id::text LIKE 'b0%') AS of_b FROM app.over_table;
SELECT count(*), count(*) FILTER (WHERE id::text LIKE 'b0%') AS of_b FROM app.over_table_as_invoker;
SELECT count(*), count(*) FILTER (WHERE id::text LIKE 'b0%') AS of_b, min(judged::text) AS judged FROM app.over_card;
SET SESSION AUTHORIZATION app_none;
SELECT count(*) FROM app.over_card;
UPDATE app.over_card SET name = 'spoilt';
SET SESSION AUTHORIZATION stranger;
SELECT count(*) FROM app.over_card;
RESET SESSION AUTHORIZATION;
