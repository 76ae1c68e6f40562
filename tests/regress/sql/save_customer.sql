-- save_customer(): what ON CONFLICT would do on a table (ATTACKS 111: it tells nothing that the session may not read).
\set SHOW_CONTEXT never
\set VERBOSITY default
\pset null -
SET client_min_messages = warning;
CREATE ROLE form_save LOGIN;
SELECT ringfence.grant_access('form_save', 'Company A', '{customer.write}') \g /dev/null
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.create_field('Contract', projects => '{Sales}', is_unique => true),
       ringfence.create_field('Comment', projects => '{Sales,Support}'),
       ringfence.create_field('Card', projects => '{Sales}', is_masked => true, is_unique => true),
       ringfence.create_field('Line', 'phone', projects => '{Sales}', is_unique => true) \g /dev/null
UPDATE ringfence.customer_card SET attributes = '{"Card": "4111"}' WHERE name = 'Chen Wei';
RESET SESSION AUTHORIZATION;

SET SESSION AUTHORIZATION sales_a;
-- Without a key it inserts.
SELECT action, customer_id IS NOT NULL AS has_id FROM ringfence.save_customer('{"name": "Lin"}');
SELECT action FROM ringfence.save_customer('{"name": "Lin", "phones": ["0922-111-222"], "emails": ["Lin@Example.com"], "birth_date": "1980-02-29", "attributes": {"Contract": "C-1", "Comment": "tea"}}', 'Contract');
-- By a unique field: keys that are not given stay, values of fields too; null removes.
SELECT action FROM ringfence.save_customer('{"address": "Taipei", "attributes": {"Contract": " C-1 "}}', 'Contract');
SELECT name, phones, emails, address, birth_date, attributes FROM ringfence.customer_card WHERE address = 'Taipei';
SELECT action FROM ringfence.save_customer('{"birth_date": null, "emails": null, "attributes": {"Contract": "C-1", "Comment": null}}', 'Contract');
SELECT name, phones, emails, address, birth_date, attributes FROM ringfence.customer_card WHERE address = 'Taipei';
SELECT action FROM ringfence.save_customer('{"language": "zh", "attributes": null, "phones": ["+886 922 111 222"]}', 'phone');
SELECT action FROM ringfence.save_customer('{"emails": ["lin@example.com"], "phones": ["(0922) 111222", "0922 333 444"]}', 'phones');
SELECT action FROM ringfence.save_customer('{"emails": ["LIN@example.com"], "attributes": {"Comment": "by e-mail"}}', 'email');
SELECT action FROM ringfence.save_customer('{"name": "Lin Line", "attributes": {"Line": "02 2345 0000"}}', 'Line');
SELECT action FROM ringfence.save_customer('{"attributes": {"Line": "+886 2 23450000"}}', 'Line');
SELECT name, phones, emails, language, attributes FROM ringfence.customer_card WHERE address = 'Taipei' OR name = 'Lin Line' ORDER BY name;
-- By id, given or not; what the server keeps is ignored, so that a card that was read can be saved.
SELECT action, customer_id FROM ringfence.save_customer('{"id": "a0000000-0000-0000-0000-000000000077", "name": "By id"}');
SELECT action, customer_id FROM ringfence.save_customer('{"id": "a0000000-0000-0000-0000-000000000077", "address": "Tainan"}', 'id');
SELECT saved.action FROM ringfence.customer_card AS card, ringfence.save_customer(to_jsonb(card) || '{"address": "Hualien"}') AS saved WHERE card.name = 'By id';
SELECT name, address, created_by, updated_by FROM ringfence.customer_card WHERE name = 'By id';

-- Refusals: unknown keys, fields that are not unique, no value, several customers, wrong values.
SELECT ringfence.save_customer('{"name": "x", "Contract": "C-2", "phone": "1"}', 'Contract');
\echo :SQLSTATE
SELECT ringfence.save_customer('[{"name": "x"}]');
SELECT ringfence.save_customer(NULL);
SELECT ringfence.save_customer('{"name": "x", "attributes": ["Contract"]}');
SELECT ringfence.save_customer('{"name": "x", "attributes": {"Comment": "tea"}}', 'Comment');
\echo :SQLSTATE
SELECT ringfence.save_customer('{"name": "x"}', 'name');
SELECT ringfence.save_customer('{"name": "x"}', 'Contract');
SELECT ringfence.save_customer('{"name": "x", "attributes": {"Contract": " "}}', 'Contract');
SELECT ringfence.save_customer('{"name": "x"}', 'id');
SELECT ringfence.save_customer('{"name": "x", "phones": []}', 'phone');
SELECT ringfence.save_customer('{"name": "x", "emails": ["tsai@example.com", "chen@example.com"]}', 'email');
\echo :SQLSTATE
SELECT ringfence.save_customer('{"id": "a0000000-0000-0000-0000-000000000002", "emails": ["tsai@example.com"]}', 'email');
SELECT ringfence.save_customer('{"phones": ["0900-000-000"]}', 'phone');
\echo :SQLSTATE
SELECT ringfence.save_customer('{"name": "", "phones": ["0900-000-000"]}', 'phone');
-- Each unknown key is named, up to the length of a name.
SELECT ringfence.save_customer(jsonb_build_object(repeat('a', 150), 1, repeat('b', 300), 1));
SELECT ringfence.save_customer('{"name": "x", "phones": "0900-000-000"}', 'phone');
SELECT ringfence.save_customer('{"name": "x", "attributes": {"No Such Field": 1}}');
-- What is typed where there is no phone or e-mail does not make one customer of two.
SELECT ringfence.save_customer('{"name": "x", "emails": ["none"]}', 'email');
SELECT ringfence.save_customer('{"name": "x", "emails": ["@", "-"]}', 'email');
SELECT ringfence.save_customer('{"name": "x", "phones": ["n/a", "unknown"]}', 'phone');
SELECT ringfence.save_customer('{"name": "x", "phones": ["0", "000-000-000", "+0"]}', 'phone');
BEGIN;
SELECT action FROM ringfence.save_customer('{"name": "First", "emails": ["none", "first@example.com"], "phones": ["0"]}');
SELECT action FROM ringfence.save_customer('{"name": "Second", "emails": ["none", "second@example.com"], "phones": ["0", "0922 000 000"]}', 'email');
SELECT action FROM ringfence.save_customer('{"name": "Third", "emails": ["none"], "phones": ["0", "0922 100 000"]}', 'phone');
SELECT count(*) FROM ringfence.customer_card WHERE name IN ('First', 'Second', 'Third');
ROLLBACK;
-- A value of another unique field is taken: 23505, and nothing is inserted.
SELECT ringfence.save_customer('{"name": "x", "phones": ["0900-000-000"], "attributes": {"Contract": "C-1"}}', 'phone');
\echo :SQLSTATE
SELECT count(*) FROM ringfence.customer_card WHERE name IN ('x', '');

-- What the session may not read it does not learn: masked, of another project, and not there are one refusal, whatever the value.
SELECT ringfence.save_customer('{"name": "x", "attributes": {"Card": "4111"}}', 'Card');
\echo :SQLSTATE
SELECT ringfence.save_customer('{"name": "x", "attributes": {"Card": "4222"}}', 'Card');
SELECT ringfence.save_customer('{"name": "x", "attributes": {"No Such Field": "4111"}}', 'No Such Field');
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION support_a;
SELECT ringfence.save_customer('{"name": "x", "attributes": {"Contract": "C-1"}}', 'Contract');
SELECT ringfence.save_customer('{"name": "x", "attributes": {"Contract": "C-2"}}', 'Contract');
RESET SESSION AUTHORIZATION;
-- It takes both rights.
SET SESSION AUTHORIZATION trainee_a;
SELECT ringfence.save_customer('{"id": "a0000000-0000-0000-0000-000000000001", "name": "x"}');
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION form_save;
SELECT ringfence.save_customer('{"id": "a0000000-0000-0000-0000-000000000001", "name": "x"}');
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION app_none;
SELECT ringfence.save_customer('{"name": "x"}');
RESET SESSION AUTHORIZATION;
-- Of another owner: nothing is found, and nothing written.
SET SESSION AUTHORIZATION app_b;
SELECT action FROM ringfence.save_customer('{"id": "a0000000-0000-0000-0000-000000000001", "name": "Of B"}');
SELECT action FROM ringfence.save_customer('{"name": "Of B", "emails": ["chen@example.com"]}', 'email');
SELECT ringfence.save_customer('{"owner_id": "aaaaaaaa-0000-0000-0000-000000000001", "name": "Planted"}');
SELECT ringfence.save_customer('{"owner_id": "aaaaaaaa-0000-0000-0000-000000000001", "emails": ["chen@example.com"]}', 'email');
SELECT count(*) FROM ringfence.customer_card WHERE name = 'Of B';
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION boss_a;
SELECT name, emails FROM ringfence.customer_card WHERE name IN ('Of B', 'Planted', 'Tsai Mei-Ling', 'Chen Wei') ORDER BY name;
RESET SESSION AUTHORIZATION;

-- ON CONFLICT names the way, in all its forms.
SET SESSION AUTHORIZATION app_a;
SELECT ringfence.current_owner() \g /dev/null
INSERT INTO ringfence.customer_card (name) VALUES ('x') ON CONFLICT DO NOTHING;
\echo :SQLSTATE
INSERT INTO ringfence.customer_card (id, name) VALUES ('a0000000-0000-0000-0000-000000000001', 'x') ON CONFLICT (id) DO NOTHING;
INSERT INTO ringfence.customer_card AS card (id, name) VALUES ('a0000000-0000-0000-0000-000000000001', 'x') ON CONFLICT (owner_id, id) DO UPDATE SET name = EXCLUDED.name;
WITH added AS (INSERT INTO ringfence.customer_card (name) VALUES ('x') ON CONFLICT DO NOTHING RETURNING id) SELECT * FROM added;
PREPARE p AS INSERT INTO ringfence.customer_card (name) VALUES ($1) ON CONFLICT DO NOTHING;
EXECUTE p('x');
-- On a table of one's own it works.
CREATE TEMP TABLE customer_card (id int PRIMARY KEY);
INSERT INTO customer_card VALUES (1), (1) ON CONFLICT DO NOTHING;
-- Also as the first statement of a session, which is planned before the library is loaded.
\c - app_a
INSERT INTO ringfence.customer_card (name) VALUES ('x') ON CONFLICT DO NOTHING;
\c - app_a
WITH added AS (INSERT INTO ringfence.customer_card (name) VALUES ('x') ON CONFLICT DO NOTHING RETURNING id) SELECT * FROM added;
SELECT count(*) FROM ringfence.customer_card WHERE name = 'x';
\c - postgres
DROP OWNED BY form_save;
DROP ROLE form_save;
