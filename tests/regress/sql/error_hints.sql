-- What errors say to whoever meets them: the way out in a hint, the thing in the message, and none of the extension's SQL in CONTEXT.
\set SHOW_CONTEXT always
\set VERBOSITY default
SET client_min_messages = warning;
CREATE SCHEMA shop;
CREATE TABLE shop.customer (id int, secret text);
CREATE TABLE shop.customer_note (id int, secret text);
CREATE TABLE shop.old_customer (id int, secret text);
GRANT USAGE ON SCHEMA shop TO PUBLIC;
GRANT SELECT (id) ON shop.customer TO PUBLIC;
CREATE FUNCTION shop.add_customer(name text) RETURNS void LANGUAGE plpgsql AS $$BEGIN
    INSERT INTO ringfence.customer_card (name) VALUES (add_customer.name);
END$$;
CREATE FUNCTION shop.add_customer_sql(name text) RETURNS void LANGUAGE sql AS 'INSERT INTO ringfence.customer_card (name) VALUES (add_customer_sql.name)';
CREATE FUNCTION shop.refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'not this one'; END$$;
SET SESSION AUTHORIZATION app_a;
SELECT ringfence.current_owner() \g /dev/null

-- Columns that no application has: the hint names customer_card, for this table alone.
SELECT * FROM ringfence.customer;
INSERT INTO ringfence.customer (name) VALUES ('x') RETURNING *;
UPDATE ringfence.customer SET created_by = 'x';
INSERT INTO ringfence.customer (name, created_at) VALUES ('x', now());
SELECT attributes FROM ringfence.customer;
SELECT count(c) FROM ringfence.customer c;
COPY ringfence.customer TO STDOUT;
COPY ringfence.customer FROM STDIN;
\.
DO $$BEGIN PERFORM * FROM ringfence.customer; END$$;
PREPARE p AS SELECT * FROM ringfence.customer;
EXECUTE p;
SELECT * FROM shop.customer;
TRUNCATE shop.customer;
SELECT count(*) FROM ringfence.customer;
TRUNCATE shop.customer;
SELECT * FROM ringfence.unique_value;
SELECT customer.name FROM ringfence.customer, shop.customer_note;
SELECT customer.name FROM shop.old_customer, ringfence.customer;

-- Errors through the card, and beneath it.
INSERT INTO ringfence.customer_card (name) VALUES ('');
INSERT INTO ringfence.customer_card (name) VALUES (NULL);
INSERT INTO ringfence.customer_card (name, company_id) VALUES ('x', 'b0000000-0000-0000-0000-00000000000c');
INSERT INTO ringfence.customer_card (name, attributes) VALUES ('x', '{"No Such Field": 1}');
INSERT INTO ringfence.customer_card (id, name) VALUES ('a0000000-0000-0000-0000-000000000001', 'x');
INSERT INTO ringfence.customer_card (owner_id, name) VALUES ('bbbbbbbb-0000-0000-0000-000000000002', 'x');
UPDATE ringfence.customer_card SET name = '' WHERE name = 'Chen Wei';
UPDATE ringfence.customer_card SET id = ringfence.new_id() WHERE name = 'Chen Wei';
UPDATE ringfence.customer_card SET attributes = '[]' WHERE name = 'Chen Wei';
DELETE FROM ringfence.customer_card;
COPY ringfence.customer_card (name) FROM STDIN;
Kuo

\.
INSERT INTO ringfence.customer (name) VALUES ('');
INSERT INTO ringfence.company (name) VALUES ('');
INSERT INTO ringfence.company (id, name) VALUES ('a0000000-0000-0000-0000-00000000000c', 'again');
SELECT ringfence.save_customer('{"name": ""}');
-- Names that look the same.
SET SESSION AUTHORIZATION boss_a;
INSERT INTO ringfence.project (name) VALUES (U&'Sales\200B');
INSERT INTO ringfence.field (name) VALUES (U&'na\200Bme');
SET SESSION AUTHORIZATION app_a;
-- Functions of the user stay in CONTEXT, with what they run.
SELECT shop.add_customer('');
SELECT shop.add_customer_sql('');
DO $$BEGIN PERFORM shop.add_customer(''); END$$;
RESET SESSION AUTHORIZATION;
CREATE TRIGGER refuse BEFORE INSERT ON ringfence.customer FOR EACH ROW EXECUTE FUNCTION shop.refuse();
SET SESSION AUTHORIZATION app_a;
SELECT shop.add_customer('x');
RESET SESSION AUTHORIZATION;
DROP TRIGGER refuse ON ringfence.customer;
-- What is caught by code is as PostgreSQL raised it, with the same SQLSTATE.
SET SESSION AUTHORIZATION app_a;
DO $$DECLARE code text; constraint_name text; BEGIN
    INSERT INTO ringfence.customer_card (name) VALUES ('');
EXCEPTION WHEN check_violation THEN
    GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, constraint_name = CONSTRAINT_NAME;
    RAISE WARNING '% %', code, constraint_name;
END$$;
RESET SESSION AUTHORIZATION;

-- Fields, projects, profiles, owners.
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.create_field('Plan', projects => '{Sales}') IS NOT NULL AS made;
SELECT ringfence.create_field('Plan');
\echo :SQLSTATE :LAST_ERROR_MESSAGE
INSERT INTO ringfence.field (name, position) VALUES ('Plan', 1);
SELECT ringfence.create_field('Fault', 'kind');
INSERT INTO ringfence.project (name) VALUES ('Sales');
SELECT ringfence.create_profile('agent', '{customer.read}');
INSERT INTO ringfence.field_project (field_id, project_id) SELECT field.id, project.id FROM ringfence.field, ringfence.project WHERE field.name = 'Plan' AND project.name = 'Sales';
SELECT ringfence.bind_field('Plan', 'Sales', 'all');
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION dba;
INSERT INTO ringfence.owner (name) VALUES ('Company A');
SELECT ringfence.create_owner('Company A');
DELETE FROM ringfence.owner WHERE name = 'Company A';
RESET SESSION AUTHORIZATION;
-- What is referred to is there.
UPDATE ringfence.company SET id = 'a0000000-0000-0000-0000-00000000000d' WHERE name = 'Formosa Tea';
DROP SCHEMA shop CASCADE;
