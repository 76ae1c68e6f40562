-- A form from visible_fields() alone: what is required, read or written, in which order, shared with how many (B1, B5, B6, B10).
\set SHOW_CONTEXT never
\set VERBOSITY terse
\pset null -
SET client_min_messages = warning;
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.create_field('Comment', projects => '{Sales,Support}', description => 'What was said'),
       ringfence.create_field('Contract', projects => '{Sales}', required => true, is_unique => true),
       ringfence.create_field('Plan', 'choice', '{Sales,Support}', options => '{basic,gold}'),
       ringfence.create_field('Fault', 'number', '{Support}', minimum => 1),
       ringfence.create_field('Card', projects => '{Sales,Support}', is_masked => true, description => 'Visa only', pattern => '4[0-9]{15}'),
       ringfence.create_field('Kind', 'choice', '{Sales}', is_masked => true, options => '{good,bad}'),
       ringfence.bind_field('Plan', 'Sales', 'write', true, 1),
       ringfence.bind_field('Plan', 'Support', 'read', true),
       ringfence.bind_field('Comment', 'Support', required => true, at_position => 1) \g /dev/null
-- Bound again, it keeps what is not said.
SELECT ringfence.bind_field('Comment', 'Support');
SELECT p.name AS project, f.name AS field, fp.access, fp.required, fp.position
  FROM ringfence.field_project fp JOIN ringfence.field f ON f.id = fp.field_id JOIN ringfence.project p ON p.id = fp.project_id ORDER BY 1, 2;
RESET SESSION AUTHORIZATION;

SET SESSION AUTHORIZATION sales_a;
SELECT name, type, options, required, access, description, shared_with, is_unique FROM ringfence.visible_fields(for_form => true) WHERE NOT is_system;
-- Not for a form: what is there but masked.
SELECT name, access, required, is_masked, shared_with FROM ringfence.visible_fields(for_form => false) WHERE NOT is_system;
-- ... with nothing that its values could be guessed from.
SELECT name, description, options, max_length, pattern, minimum, maximum FROM ringfence.visible_fields(false) WHERE access = 'masked';
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION support_a;
SELECT name, required, access, shared_with, minimum FROM ringfence.visible_fields() WHERE NOT is_system;
RESET SESSION AUTHORIZATION;
-- In all projects: the order of the fields, and required is what is so in each of them.
SET SESSION AUTHORIZATION app_a;
SELECT name, required, access FROM ringfence.visible_fields() WHERE NOT is_system;
SET ringfence.project = 'Support';
SELECT name, required, access FROM ringfence.visible_fields() WHERE NOT is_system;
RESET ringfence.project;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION boss_a;
SELECT name, access FROM ringfence.visible_fields() WHERE is_masked;
RESET SESSION AUTHORIZATION;

-- A new customer has what the session can fill and must.
SET SESSION AUTHORIZATION sales_a;
\set VERBOSITY default
INSERT INTO ringfence.customer_card (name) VALUES ('x');
\set VERBOSITY terse
INSERT INTO ringfence.customer_card (name, attributes) VALUES ('x', '{"Plan": "gold"}');
\echo :SQLSTATE
INSERT INTO ringfence.customer_card (name, attributes) VALUES ('x', '{"Plan": "gold", "Contract": " "}');
INSERT INTO ringfence.customer_card (name, attributes) VALUES ('x', '{"Plan": "gold", "Contract": null}');
COPY ringfence.customer_card (name, attributes) FROM STDIN;
x	{"Plan": "gold"}
\.
-- The table itself is no way round.
INSERT INTO ringfence.customer (name) VALUES ('x');
INSERT INTO ringfence.customer_card (name, attributes) VALUES ('New', '{"Plan": "gold", "Contract": "C-1"}') RETURNING attributes;
-- It is not taken away again.
UPDATE ringfence.customer_card SET attributes = attributes - 'Contract' WHERE name = 'New';
UPDATE ringfence.customer_card SET attributes = attributes || '{"Contract": null}' WHERE name = 'New';
UPDATE ringfence.customer_card SET attributes = attributes || '{"Contract": ""}' WHERE name = 'New';
UPDATE ringfence.customer_card SET attributes = NULL WHERE name = 'New';
-- Who was there before the requirement can be worked with, and completed (B19).
UPDATE ringfence.customer_card SET attributes = attributes || '{"Comment": "called"}' WHERE name = 'Chen Wei' RETURNING attributes;
UPDATE ringfence.customer_card SET attributes = attributes || '{"Contract": "C-2", "Plan": "basic"}' WHERE name = 'Chen Wei' RETURNING attributes;
RESET SESSION AUTHORIZATION;
-- Support cannot write Plan, so need not; and does not see Contract. Its comment it must.
SET SESSION AUTHORIZATION support_a;
INSERT INTO ringfence.customer_card (name, attributes) VALUES ('Of support', '{"Fault": 1}');
INSERT INTO ringfence.customer_card (name, attributes) VALUES ('Of support', '{"Comment": "no light"}') RETURNING attributes;
UPDATE ringfence.customer_card SET attributes = attributes || '{"Plan": "gold"}' WHERE name = 'Of support';
RESET SESSION AUTHORIZATION;
-- In no project in particular nothing of these is required but what is so everywhere.
SET SESSION AUTHORIZATION app_a;
INSERT INTO ringfence.customer_card (name) VALUES ('x');
INSERT INTO ringfence.customer_card (name, attributes) VALUES ('Of all', '{"Contract": "C-3"}') RETURNING attributes;
RESET SESSION AUTHORIZATION;
