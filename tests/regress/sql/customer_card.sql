-- customer_card: reading and writing by visible fields (B1, B6, B10, B15), whatever the form of the statement.
\set SHOW_CONTEXT never
\set VERBOSITY default
\pset null -
SET client_min_messages = warning;
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.create_field('Plan', projects => '{Sales}', type => 'choice', options => '{gold,silver}'),
       ringfence.create_field('Comment', projects => '{Sales,Support}', is_searchable => true),
       ringfence.create_field('Fault', projects => '{Support}', type => 'number'),
       ringfence.create_field('Card', projects => '{Sales}', is_masked => true, is_searchable => true),
       ringfence.create_field('Tags', projects => '{Support}', type => 'choices', options => '{vip,late}'),
       ringfence.create_field('Active', projects => '{Support}', type => 'boolean'),
       ringfence.bind_field('Plan', 'Support', 'read') \g /dev/null
-- field.unmask: the boss fills the masked field.
UPDATE ringfence.customer_card SET attributes = '{"Plan": "gold", "Comment": "prefers tea", "Card": "4111-1111"}'
 WHERE name = 'Tsai Mei-Ling' RETURNING name, attributes, masked_fields;
RESET SESSION AUTHORIZATION;

-- Sales: its fields, without the masked one, which is named.
SET SESSION AUTHORIZATION sales_a;
SELECT name, attributes, masked_fields FROM ringfence.customer_card ORDER BY name COLLATE "C";
-- Support: the shared field has one value; the fault is its own.
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION support_a;
UPDATE ringfence.customer_card SET attributes = attributes || '{"Comment": "prefers coffee", "Fault": 12345678901234567890.120, "Tags": ["vip", "late"], "Active": true}'
 WHERE name = 'Tsai Mei-Ling' RETURNING attributes;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION sales_a;
SELECT attributes FROM ringfence.customer_card WHERE name = 'Tsai Mei-Ling';
-- What is left out is removed, a null too; what is not seen is kept.
UPDATE ringfence.customer_card SET attributes = '{"Plan": "silver"}' WHERE name = 'Tsai Mei-Ling' RETURNING attributes;
UPDATE ringfence.customer_card SET attributes = '{"Plan": null}' WHERE name = 'Tsai Mei-Ling' RETURNING attributes;
UPDATE ringfence.customer_card SET attributes = NULL WHERE name = 'Tsai Mei-Ling' RETURNING attributes;
UPDATE ringfence.customer_card SET address = 'Taipei' WHERE name = 'Tsai Mei-Ling' RETURNING attributes, address, updated_by;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION boss_a;
SELECT attributes FROM ringfence.customer_card WHERE name = 'Tsai Mei-Ling';

-- A field that is not there, not seen, masked or only to be read: one refusal, 42501.
RESET SESSION AUTHORIZATION;
\set VERBOSITY terse
SET SESSION AUTHORIZATION support_a;
UPDATE ringfence.customer_card SET attributes = attributes || '{"No Such Field": 1}' WHERE name = 'Tsai Mei-Ling';
UPDATE ringfence.customer_card SET attributes = attributes || '{"Card": "4222"}' WHERE name = 'Tsai Mei-Ling';
UPDATE ringfence.customer_card SET attributes = attributes || '{"Plan": "gold"}' WHERE name = 'Tsai Mei-Ling';
\echo :SQLSTATE
INSERT INTO ringfence.customer_card (name, attributes) VALUES ('x', '{"Card": null}');
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION sales_a;
UPDATE ringfence.customer_card SET attributes = attributes || '{"Fault": 1}' WHERE name = 'Tsai Mei-Ling';
UPDATE ringfence.customer_card SET attributes = attributes || '{"Card": "4222"}' WHERE name = 'Tsai Mei-Ling';
-- A wrong value: 22023, with the field and what was expected.
\set VERBOSITY default
INSERT INTO ringfence.customer_card (name, attributes) VALUES ('x', '["Plan"]');
\set VERBOSITY terse
INSERT INTO ringfence.customer_card (name, attributes) VALUES ('x', '"Plan"');
INSERT INTO ringfence.customer_card (name, attributes) VALUES ('x', '{"Plan": "bronze"}');
INSERT INTO ringfence.customer_card (name, attributes) VALUES ('x', '{"Plan": 1}');
\echo :SQLSTATE
INSERT INTO ringfence.customer_card (name, attributes) VALUES ('x', '{"Comment": ["a"]}');
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION support_a;
INSERT INTO ringfence.customer_card (name, attributes) VALUES ('x', '{"Fault": "12"}');
INSERT INTO ringfence.customer_card (name, attributes) VALUES ('x', '{"Active": "yes"}');
INSERT INTO ringfence.customer_card (name, attributes) VALUES ('x', '{"Tags": "vip"}');
INSERT INTO ringfence.customer_card (name, attributes) VALUES ('x', '{"Tags": ["vip", "new"]}');
INSERT INTO ringfence.customer_card (name, attributes) VALUES ('x', '{"Tags": ["vip", 1]}');
INSERT INTO ringfence.customer_card (name) VALUES (NULL);
INSERT INTO ringfence.customer_card (name) VALUES ('');
SELECT count(*) FROM ringfence.customer_card WHERE name IN ('x', '');

-- What is written to the columns that ringfence keeps is ignored, as ORMs write all columns: RETURNING shows what is stored.
INSERT INTO ringfence.customer_card (name, created_by) VALUES ('Forged', 'forged') RETURNING created_by;
INSERT INTO ringfence.customer_card (id, owner_id, name, phones, emails, attributes, masked_fields, created_at, created_by, updated_at, updated_by)
VALUES (NULL, NULL, 'Mapped', NULL, NULL, NULL, '{Fault}', '2001-01-01', 'forged', '2001-01-01', 'forged')
RETURNING owner_id, id IS NOT NULL AS has_id, phones, emails, attributes, masked_fields, created_at = now() AS created, created_by, updated_at = now() AS updated, updated_by;
SELECT created_at > '2020-01-01' AS created, created_by, updated_at = created_at AS updated, updated_by, masked_fields FROM ringfence.customer_card WHERE name = 'Mapped';
COPY ringfence.customer_card (id, owner_id, name, created_at, created_by, updated_at, updated_by, masked_fields) FROM STDIN;
\N	\N	Copied	2001-01-01	forged	\N	forged	{Fault}
\.
SELECT owner_id, id IS NOT NULL AS has_id, created_at > '2020-01-01' AS created, created_by, updated_by FROM ringfence.customer_card WHERE name = 'Copied';
UPDATE ringfence.customer_card SET created_at = '2001-01-01', created_by = 'forged', updated_at = '2001-01-01', updated_by = 'forged', masked_fields = '{Fault}'
 WHERE name = 'Copied' RETURNING created_at > '2020-01-01' AS created, created_by, updated_at = now() AS updated, updated_by, masked_fields;
SELECT created_at > '2020-01-01' AS created, created_by, updated_at > '2020-01-01' AS updated, updated_by, masked_fields FROM ringfence.customer_card WHERE name = 'Copied';
-- Read, change, write back, with dates that lost their microseconds on the way.
UPDATE ringfence.customer_card SET last_activity_at = '2026-03-01 10:00:00.123456+00', attributes = '{"Fault": 3}' WHERE name = 'Copied' RETURNING last_activity_at AT TIME ZONE 'UTC' AS active;
CREATE TEMP TABLE read AS SELECT * FROM ringfence.customer_card WHERE name = 'Copied';
UPDATE ringfence.customer_card AS card
   SET id = read.id, owner_id = read.owner_id, name = read.name, phones = '{0933-333-333}', emails = read.emails, address = read.address, birth_date = read.birth_date,
       language = read.language, company_id = read.company_id, attributes = read.attributes, masked_fields = read.masked_fields,
       created_at = date_trunc('milliseconds', read.created_at), created_by = read.created_by, updated_at = date_trunc('milliseconds', read.updated_at),
       updated_by = read.updated_by, last_activity_at = date_trunc('milliseconds', read.last_activity_at)
  FROM read WHERE card.id = read.id
RETURNING card.phones, card.attributes, card.created_at = read.created_at AS created, card.last_activity_at AT TIME ZONE 'UTC' AS active;
SELECT card.created_at = read.created_at AS created, card.last_activity_at = read.last_activity_at AS active FROM ringfence.customer_card AS card JOIN read ON read.id = card.id;
DROP TABLE read;
-- NULL means the default; another id or owner is refused.
UPDATE ringfence.customer_card SET id = NULL, owner_id = NULL, phones = NULL WHERE name = 'Copied' RETURNING owner_id, id IS NOT NULL AS has_id, phones;
UPDATE ringfence.customer_card SET id = 'a0000000-0000-0000-0000-000000000009' WHERE name = 'Copied';
\echo :SQLSTATE
UPDATE ringfence.customer_card SET owner_id = 'bbbbbbbb-0000-0000-0000-000000000002' WHERE name = 'Copied';
INSERT INTO ringfence.customer_card (owner_id, name) VALUES ('bbbbbbbb-0000-0000-0000-000000000002', 'Planted');
SELECT count(*) FROM ringfence.customer_card WHERE name IN ('Forged', 'Mapped', 'Copied');
-- The table itself lets nobody write them.
UPDATE ringfence.customer SET updated_by = 'forged';
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION boss_a;
DELETE FROM ringfence.customer_card WHERE name IN ('Forged', 'Mapped', 'Copied');
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION support_a;
UPDATE ringfence.customer_card SET created_by = created_by, updated_at = updated_at, masked_fields = masked_fields, id = id, owner_id = owner_id
 WHERE name = 'Chen Wei' RETURNING name;
SET ringfence.agent = 'anna';
INSERT INTO ringfence.customer_card (name, attributes) VALUES ('Wang', '{"Fault": 7}') RETURNING name, attributes, phones, created_by, updated_by, owner_id;
UPDATE ringfence.customer SET address = 'Tainan' WHERE name = 'Wang' RETURNING updated_by;
RESET ringfence.agent;
UPDATE ringfence.customer SET address = 'Tainan' WHERE name = 'Wang' RETURNING created_by, updated_by;

-- attributes itself is out of reach, however it is asked for (ATTACKS 107).
\set VERBOSITY sqlstate
SELECT attributes FROM ringfence.customer;
SELECT * FROM ringfence.customer;
SELECT customer FROM ringfence.customer;
SELECT to_jsonb(customer) FROM ringfence.customer;
SELECT row_to_json(c) FROM ringfence.customer c;
SELECT count(customer) FROM ringfence.customer;
SELECT name FROM ringfence.customer WHERE attributes ? 'x';
SELECT name FROM ringfence.customer ORDER BY attributes;
SELECT name FROM ringfence.customer GROUP BY name, attributes;
SELECT count(*) FROM ringfence.customer a JOIN ringfence.customer b USING (attributes);
SELECT count(*) FROM ringfence.customer a NATURAL JOIN ringfence.customer b;
UPDATE ringfence.customer SET attributes = '{}';
UPDATE ringfence.customer SET address = attributes::text;
UPDATE ringfence.customer SET address = 'x' RETURNING attributes;
DELETE FROM ringfence.customer WHERE attributes IS NULL;
INSERT INTO ringfence.customer (name, attributes) VALUES ('x', '{}');
INSERT INTO ringfence.customer (name) VALUES ('x') RETURNING *;
INSERT INTO ringfence.customer (name) VALUES ('x') ON CONFLICT (owner_id, id) DO UPDATE SET address = customer.attributes::text;
MERGE INTO ringfence.customer c USING (SELECT 1) s ON c.attributes IS NULL WHEN MATCHED THEN DO NOTHING;
COPY ringfence.customer (attributes) TO STDOUT;
COPY ringfence.customer (name, attributes) FROM STDIN;
\.
SELECT ringfence.write_attributes('{}', '{}', '{}');
SELECT most_common_vals FROM pg_stats WHERE schemaname = 'ringfence' AND tablename = 'customer';
-- And the functions of the view show nothing more when they are given an object of one's own.
\set VERBOSITY terse
RESET SESSION AUTHORIZATION;
SELECT ringfence.storage_key(id) AS card FROM ringfence.field WHERE name = 'Card' \gset
SET SESSION AUTHORIZATION sales_a;
SELECT ringfence.visible_attributes(jsonb_build_object(:'card', 'x', 'Card', 'y', '', 'z'));
-- Through a cursor, a prepared statement, a whole row, COPY.
PREPARE p AS SELECT to_jsonb(c) -> 'attributes' AS attributes FROM ringfence.customer_card c WHERE name = 'Tsai Mei-Ling';
EXECUTE p;
BEGIN;
DECLARE c CURSOR FOR SELECT attributes FROM ringfence.customer_card WHERE name = 'Tsai Mei-Ling';
FETCH ALL FROM c;
COMMIT;
COPY (SELECT attributes FROM ringfence.customer_card WHERE name = 'Tsai Mei-Ling') TO STDOUT;
SELECT count(*) FROM ringfence.customer_card WHERE attributes::text LIKE '%4111%';
RESET SESSION AUTHORIZATION;

-- COPY FROM on the view, which PostgreSQL refuses on the table.
SET SESSION AUTHORIZATION sales_a;
COPY ringfence.customer FROM STDIN;
\.
COPY ringfence.customer_card (name, phones, emails, birth_date, attributes) FROM STDIN;
Lin	{0922-111-222}	{}	1980-02-29	{"Plan": "gold"}
Hsu	{}	{hsu@example.com}	\N	\N
\.
COPY ringfence.customer_card (name, attributes) FROM STDIN;
Kuo	{"Fault": 1}
\.
SELECT name, phones, birth_date, attributes, created_by FROM ringfence.customer_card WHERE name IN ('Lin', 'Hsu', 'Kuo') ORDER BY name;
DELETE FROM ringfence.customer_card WHERE name = 'Hsu';
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION boss_a;
DELETE FROM ringfence.customer_card WHERE name IN ('Hsu', 'Wang') RETURNING name;
-- An unbound field keeps its values for when it is bound again (B3).
SELECT ringfence.unbind_field('Comment', 'Support');
UPDATE ringfence.customer_card SET attributes = attributes || '{"Comment": "kept"}' WHERE name = 'Lin';
SELECT ringfence.unbind_field('Comment', 'Sales');
SELECT attributes FROM ringfence.customer_card WHERE name = 'Lin';
SELECT ringfence.bind_field('Comment', 'Sales');
UPDATE ringfence.field SET name = 'Remark' WHERE name = 'Comment';
SELECT attributes FROM ringfence.customer_card WHERE name = 'Lin';
SELECT field, projects, customers FROM ringfence.shared_field;

-- Insert without reading: a form or an import that holds customer.write alone. It sees what it wrote itself, and nothing else.
\set VERBOSITY default
RESET SESSION AUTHORIZATION;
CREATE ROLE form_a LOGIN;
SELECT ringfence.grant_access('form_a', 'Company A', '{customer.write}') \g /dev/null
SET SESSION AUTHORIZATION form_a;
INSERT INTO ringfence.customer_card (name, phones, emails) VALUES ('By form', '{0944-444-444}', '{form@example.com}');
INSERT INTO ringfence.customer_card (name, created_by) VALUES ('By form', 'forged') RETURNING owner_id, id IS NOT NULL AS has_id, name, phones, attributes, masked_fields, created_by, updated_by;
COPY ringfence.customer_card (name, birth_date) FROM STDIN;
By form	1980-02-29
\.
SELECT count(*) FROM ringfence.customer_card;
UPDATE ringfence.customer_card SET name = 'Changed';
-- It sees no field, so that it can fill none: no error tells what others have.
INSERT INTO ringfence.customer_card (name, attributes) VALUES ('By form', '{"Plan": "gold"}');
INSERT INTO ringfence.customer_card (name, attributes) VALUES ('By form', '{"No Such Field": "gold"}');
-- An id that is taken is one of its own owner, or of none.
INSERT INTO ringfence.customer_card (id, name) VALUES ('b0000000-0000-0000-0000-000000000001', 'By form') RETURNING id;
INSERT INTO ringfence.customer_card (owner_id, name) VALUES ('bbbbbbbb-0000-0000-0000-000000000002', 'Planted');
DELETE FROM ringfence.customer_card;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION boss_a;
SELECT name, phones, emails, birth_date, created_by FROM ringfence.customer_card WHERE name = 'By form' ORDER BY phones, birth_date;
SELECT name FROM ringfence.find_by_phone('0944444444');
DELETE FROM ringfence.customer_card WHERE name = 'By form';
RESET SESSION AUTHORIZATION;
-- Reading without writing stays what it was.
SET SESSION AUTHORIZATION trainee_a;
INSERT INTO ringfence.customer_card (name) VALUES ('By a trainee');
RESET SESSION AUTHORIZATION;
DROP OWNED BY form_a;
DROP ROLE form_a;
