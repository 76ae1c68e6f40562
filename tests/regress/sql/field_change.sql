-- Renaming, dropping and retyping fields, and values that must be unique (B9); errors that count and never show.
\set SHOW_CONTEXT never
\set VERBOSITY terse
CREATE ROLE manager_change LOGIN;
CREATE ROLE writer_change LOGIN;
SET client_min_messages = warning;
SELECT ringfence.grant_access('manager_change', 'Company A', '{field.manage}'),
       ringfence.grant_access('writer_change', 'Company A', '{customer.write}'),
       ringfence.grant_access('app_b', 'Company B', '{admin}') \g /dev/null
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.create_field('Contract', projects => '{Sales,Support}', is_unique => true, is_searchable => true),
       ringfence.create_field('Card', projects => '{Sales}', is_masked => true),
       ringfence.create_field('Score', projects => '{Sales}'),
       ringfence.create_field('Second', projects => '{Sales}', is_unique => true),
       ringfence.create_field('Line', 'phone', '{Sales}', is_unique => true) \g /dev/null
UPDATE ringfence.customer_card SET attributes = '{"Contract": "C-1", "Card": "4111", "Score": "7"}' WHERE name = 'Tsai Mei-Ling';
UPDATE ringfence.customer_card SET attributes = '{"Contract": "C-2", "Card": "4111", "Score": " 8.50 "}' WHERE name = 'Chen Wei';
RESET SESSION AUTHORIZATION;

-- Unique: trimmed, in NFC, case as typed. Whoever writes it sees the field, and so the other's value as well.
SET SESSION AUTHORIZATION sales_a;
\set VERBOSITY default
UPDATE ringfence.customer_card SET attributes = attributes || '{"Contract": "C-1"}' WHERE name = 'Chen Wei';
\set VERBOSITY terse
\echo :SQLSTATE
INSERT INTO ringfence.customer_card (name, attributes) VALUES ('x', '{"Contract": "  C-1 "}');
INSERT INTO ringfence.customer_card (name, attributes) VALUES ('Small', '{"Contract": "c-1"}') RETURNING attributes;
INSERT INTO ringfence.customer_card (name, attributes) VALUES ('Accent', E'{"Contract": "Caf\u00e9"}') RETURNING attributes;
INSERT INTO ringfence.customer_card (name, attributes) VALUES ('x', E'{"Contract": "Cafe\u0301"}');
-- Nothing but spaces is no value.
INSERT INTO ringfence.customer_card (name, attributes) VALUES ('Blank 1', '{"Contract": " "}'), ('Blank 2', '{"Contract": ""}');
-- Its own value is no duplicate; given up it is free; within a statement, too.
UPDATE ringfence.customer_card SET attributes = attributes || '{"Contract": "C-1 "}' WHERE name = 'Tsai Mei-Ling' RETURNING attributes;
UPDATE ringfence.customer_card SET attributes = attributes || '{"Contract": "C-9"}' WHERE name = 'Tsai Mei-Ling';
UPDATE ringfence.customer_card SET attributes = attributes || '{"Contract": "C-1"}' WHERE name = 'Small';
UPDATE ringfence.customer_card SET attributes = attributes || '{"Contract": "C-3"}' WHERE name LIKE 'Blank%';
INSERT INTO ringfence.customer_card (name, attributes) VALUES ('x', '{"Contract": "C-4"}'), ('x', '{"Contract": "C-4"}');
COPY ringfence.customer_card (name, attributes) FROM STDIN;
x	{"Contract": "C-5"}
x	{"Contract": "C-5"}
\.
-- The same value of another field is another; what moved there is free where it was.
INSERT INTO ringfence.customer_card (name, attributes) VALUES ('Moves', '{"Contract": "M-1"}');
UPDATE ringfence.customer_card SET attributes = '{"Second": "M-1"}' WHERE name = 'Moves';
INSERT INTO ringfence.customer_card (name, attributes) VALUES ('Follows', '{"Contract": "M-1"}') RETURNING attributes;
INSERT INTO ringfence.customer_card (name, attributes) VALUES ('x', '{"Second": "M-1"}');
-- A phone is the same in any spelling.
INSERT INTO ringfence.customer_card (name, attributes) VALUES ('Line', '{"Line": "922 333 444"}');
INSERT INTO ringfence.customer_card (name, attributes) VALUES ('x', '{"Line": "+886 922-333-444"}');
INSERT INTO ringfence.customer_card (name, attributes) VALUES ('x', '{"Line": "(0922) 333444"}');
SELECT count(*) FROM ringfence.customer_card WHERE name = 'x';
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION boss_a;
DELETE FROM ringfence.customer_card WHERE name = 'Small';
UPDATE ringfence.customer_card SET attributes = attributes || '{"Contract": "C-1"}' WHERE name = 'Tsai Mei-Ling' RETURNING attributes;
RESET SESSION AUTHORIZATION;
-- Another owner has the same values, and learns nothing.
SET SESSION AUTHORIZATION app_b;
SELECT ringfence.create_field('Contract', projects => '{Sales}', is_unique => true) IS NOT NULL AS made;
UPDATE ringfence.customer_card SET attributes = '{"Contract": "C-1"}' WHERE name = 'Tsai Mei-Ling' RETURNING attributes;
RESET SESSION AUTHORIZATION;
-- Who writes without reading is no oracle (ATTACKS 111): it sees no field, so can try no value.
SET SESSION AUTHORIZATION writer_change;
INSERT INTO ringfence.customer_card (name, attributes) VALUES ('x', '{"Contract": "C-1"}');
INSERT INTO ringfence.customer_card (name, attributes) VALUES ('x', '{"Contract": "C-77"}');
RESET SESSION AUTHORIZATION;
-- The table behind it is nobody's to read or write.
\set VERBOSITY sqlstate
SET SESSION AUTHORIZATION boss_a;
SELECT count(*) FROM ringfence.unique_value;
INSERT INTO ringfence.unique_value SELECT * FROM ringfence.unique_value;
DELETE FROM ringfence.unique_value;
SELECT ringfence.keep_unique_values(NULL, '{}');
SELECT ringfence.unique_forms('{}');
SELECT ringfence.unique_form('{}', ringfence.new_id(), 'text');
SELECT ringfence.fill_unique_values(NULL, '', 'text');
SELECT ringfence.lock_definitions();
SELECT ringfence.convert_value('{}', NULL, 'text', NULL, NULL, 'text', NULL, NULL);
SELECT ringfence.refuse_duplicate(ringfence.new_id());
RESET SESSION AUTHORIZATION;
\set VERBOSITY default
SELECT o.name AS owner, f.name AS field, count(*), min(length(digest)) AS bytes FROM ringfence.unique_value u
  JOIN ringfence.field f ON f.id = u.field_id JOIN ringfence.owner o ON o.id = u.owner_id GROUP BY 1, 2 ORDER BY 1, 2;

-- Switched on for existing data: the error counts, and names nobody.
SET SESSION AUTHORIZATION boss_a;
UPDATE ringfence.field SET is_unique = true WHERE name = 'Card';
UPDATE ringfence.field SET is_unique = false WHERE name = 'Contract';
UPDATE ringfence.customer_card SET attributes = attributes || '{"Contract": "C-1"}' WHERE name IN ('Chen Wei', 'Accent') RETURNING name;
UPDATE ringfence.field SET is_unique = true WHERE name = 'Contract';
UPDATE ringfence.customer_card SET attributes = attributes || jsonb_build_object('Contract', name) WHERE name IN ('Chen Wei', 'Accent');
UPDATE ringfence.field SET is_unique = true WHERE name = 'Contract';
UPDATE ringfence.customer_card SET attributes = attributes || '{"Contract": "Accent"}' WHERE name = 'Chen Wei';
\set VERBOSITY terse
BEGIN ISOLATION LEVEL REPEATABLE READ;
UPDATE ringfence.field SET is_unique = false WHERE name = 'Contract';
ROLLBACK;
RESET SESSION AUTHORIZATION;
-- Managing fields is not seeing values (B16): the count of a masked field's values is not for all who manage fields.
SET SESSION AUTHORIZATION manager_change;
UPDATE ringfence.field SET is_unique = true WHERE name = 'Card';
UPDATE ringfence.field SET is_unique = true WHERE name = 'Score';
SELECT ringfence.retype_field('Score', 'number');
SELECT ringfence.drop_field('Score');
RESET SESSION AUTHORIZATION;
SELECT ringfence.grant_access('manager_change', 'Company A', '{field.manage,customer.read,customer.write}');
SET SESSION AUTHORIZATION manager_change;
UPDATE ringfence.field SET is_unique = true WHERE name = 'Card';
SELECT ringfence.retype_field('Card', 'number');
RESET SESSION AUTHORIZATION;
-- The country of an owner decides what is one phone number.
SET SESSION AUTHORIZATION sales_a;
UPDATE ringfence.customer_card SET attributes = '{"Line": "+48 922 333 444"}' WHERE name = 'Accent';
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION dba;
\set VERBOSITY default
UPDATE ringfence.owner SET country = 'PL' WHERE name = 'Company A';
\set VERBOSITY terse
UPDATE ringfence.owner SET country = 'JP' WHERE name = 'Company A';
UPDATE ringfence.owner SET country = 'TW' WHERE name = 'Company A';
RESET SESSION AUTHORIZATION;

-- Renamed: no customer is written.
CREATE TABLE before AS SELECT id, ctid AS place, xmin::text AS writer FROM ringfence.customer;
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.rename_field('Score', 'Points');
SELECT attributes ->> 'Points' AS points FROM ringfence.customer_card WHERE name = 'Tsai Mei-Ling';
SELECT ringfence.rename_field('Score', 'x');
SELECT ringfence.rename_field('name', 'x');
SELECT ringfence.rename_field('Points', 'Card');
SELECT ringfence.rename_field('Points', ' ');
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION sales_a;
SELECT ringfence.rename_field('Points', 'x');
SELECT ringfence.retype_field('Points', 'number');
SELECT ringfence.drop_field('Points');
RESET SESSION AUTHORIZATION;
SELECT count(*) AS rewritten FROM ringfence.customer JOIN before USING (id) WHERE (customer.ctid, customer.xmin::text) <> (place, writer);

-- Retyped: all values or none.
\set VERBOSITY default
SET SESSION AUTHORIZATION boss_a;
UPDATE ringfence.customer_card SET attributes = attributes || '{"Points": "many"}' WHERE name = 'Accent';
SELECT ringfence.retype_field('Points', 'number');
UPDATE ringfence.customer_card SET attributes = attributes - 'Points' WHERE name = 'Accent';
SELECT ringfence.retype_field('Points', 'number') AS converted;
SELECT name, attributes -> 'Points' AS points FROM ringfence.customer_card WHERE attributes ? 'Points' ORDER BY name;
SELECT ringfence.retype_field('Points', 'choice', '{7,8.50,9}') AS converted;
SELECT name, attributes -> 'Points' AS points FROM ringfence.customer_card WHERE attributes ? 'Points' ORDER BY name;
SELECT ringfence.retire_option('Points', '7');
SELECT ringfence.rename_option('Points', '8.50', 'eight and a half');
SELECT ringfence.retype_field('Points', 'choices') AS converted;
SELECT options, retired_options, option_ids FROM ringfence.field WHERE name = 'Points';
SELECT name, attributes -> 'Points' AS points FROM ringfence.customer_card WHERE attributes ? 'Points' ORDER BY name;
SELECT ringfence.retype_field('Points', 'date');
SELECT ringfence.retype_field('Points', 'text') AS converted;
SELECT name, attributes -> 'Points' AS points FROM ringfence.customer_card WHERE attributes ? 'Points' ORDER BY name;
SELECT options, option_ids FROM ringfence.field WHERE name = 'Points';
SELECT ringfence.create_field('Any', projects => '{Sales}', max_length => 30) IS NOT NULL AS made;
UPDATE ringfence.customer_card SET attributes = attributes || '{"Any": "2026-03-31T09:30:00+08:00"}' WHERE name = 'Chen Wei';
SELECT ringfence.retype_field('Any', 'datetime') AS converted;
SELECT attributes -> 'Any' AS any FROM ringfence.customer_card WHERE name = 'Chen Wei';
SELECT max_length FROM ringfence.field WHERE name = 'Any';
\set VERBOSITY terse
SELECT ringfence.retype_field('Any', 'colour');
SELECT ringfence.retype_field('Any', 'choice');
SELECT ringfence.retype_field('Any', 'text', '{a}');
SELECT ringfence.retype_field('name', 'number');
SELECT ringfence.retype_field('Nothing', 'number');
-- What is unique stays so.
SELECT ringfence.retype_field('Line', 'text') AS converted;
SELECT ringfence.retype_field('Line', 'phone') AS converted;
UPDATE ringfence.customer_card SET attributes = attributes || '{"Points": "1"}' WHERE name = 'Chen Wei';
UPDATE ringfence.customer_card SET attributes = attributes || '{"Points": "1.0"}' WHERE name = 'Accent';
UPDATE ringfence.field SET is_unique = true WHERE name = 'Points';
UPDATE ringfence.customer_card SET attributes = attributes - 'Points' WHERE name = 'Tsai Mei-Ling';
SELECT ringfence.retype_field('Points', 'number');

-- Dropped: after a preview, with all values, and those of no other field.
\set VERBOSITY default
SELECT ringfence.drop_field('Points');
SELECT ringfence.drop_field('Points', 1);
SELECT ringfence.drop_field('Points', 2) AS customers;
SELECT ringfence.create_field('Points', projects => '{Sales}') IS NOT NULL AS made;
SELECT name, attributes FROM ringfence.customer_card WHERE attributes <> '{}' ORDER BY name COLLATE "C";
SELECT ringfence.drop_field('Points') AS customers;
\set VERBOSITY terse
SELECT ringfence.drop_field('Points');
SELECT ringfence.drop_field('phones');
SELECT ringfence.drop_field('Contract', 5) AS customers;
DELETE FROM ringfence.field WHERE name = 'Contract';
RESET SESSION AUTHORIZATION;
SELECT count(*) FROM ringfence.unique_value u WHERE NOT EXISTS (SELECT FROM ringfence.customer c WHERE c.id = u.customer_id AND c.attributes ? ringfence.storage_key(u.field_id));
-- Nobody's fields but one's own.
SELECT id AS card_of_a FROM ringfence.field WHERE name = 'Card' \gset
SET SESSION AUTHORIZATION app_b;
\set VERBOSITY sqlstate
SELECT ringfence.drop_field(:'card_of_a');
SELECT ringfence.retype_field(:'card_of_a', 'number');
SELECT ringfence.rename_field(:'card_of_a', 'x');
UPDATE ringfence.field SET is_unique = true WHERE id = :'card_of_a';
SELECT ringfence.drop_field('Card');
RESET SESSION AUTHORIZATION;
SELECT name, is_unique FROM ringfence.field WHERE name = 'Card';
DROP OWNED BY manager_change, writer_change;
DROP ROLE manager_change, writer_change;
