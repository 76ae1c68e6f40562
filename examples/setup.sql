-- The installation of the demo: five owners, their projects and fields, and the roles that work with them.
-- As superuser; what an owner's own people do is done as one of them.
\set ON_ERROR_STOP on
SET client_min_messages = warning;

CREATE EXTENSION ringfence;

-- Who administers, who loads and manages, and who works: the desk serves every owner on one login role, the agents have
-- one each, and BI reads Company A.
CREATE ROLE administrator LOGIN;
GRANT ringfence_admin TO administrator;
CREATE ROLE manager LOGIN;
CREATE ROLE desk LOGIN;
CREATE ROLE agent_a LOGIN;
CREATE ROLE agent_b LOGIN;
CREATE ROLE seller_a LOGIN;
CREATE ROLE bi_a LOGIN;
-- The telephone switch asks which owner a line belongs to, and nothing else; so may the desk, which takes letters itself.
CREATE ROLE switchboard LOGIN;
GRANT ringfence_router TO switchboard, desk;

SET ROLE administrator;
INSERT INTO ringfence.owner (name, description, country) VALUES
    ('Company A', 'Internet provider in Taiwan', 'TW'),
    ('Company B', 'Mobile operator in Poland', 'PL'),
    ('Denki Service', 'Home appliances in Japan', 'JP'),
    ('Casa Italiana', 'Furniture in Italy', 'IT'),
    ('Зв''язок', 'Internet provider in Ukraine', 'UA');
SELECT ringfence.grant_access('manager', name, '{admin}') FROM ringfence.owner WHERE name <> 'House' \g /dev/null
SELECT ringfence.grant_access('desk', name, '{agent}') FROM ringfence.owner WHERE name <> 'House' \g /dev/null
SELECT ringfence.grant_access('agent_a', 'Company A', '{agent}'),
       ringfence.grant_access('agent_b', 'Company B', '{agent}'),
       ringfence.grant_access('bi_a', 'Company A', '{sponsor}') \g /dev/null
RESET ROLE;

SET ROLE manager;
BEGIN;
SELECT ringfence.enter('Company A') \g /dev/null
INSERT INTO ringfence.project (name) VALUES ('Sales'), ('Support');
SELECT ringfence.create_field('Plan', 'choice', '{Sales,Support}', options => '{basic,silver,gold}'),
       ringfence.create_field('Contract', projects => '{Sales,Support}', is_searchable => true),
       ringfence.create_field('Comment', projects => '{Sales,Support}', is_searchable => true),
       ringfence.create_field('Router', projects => '{Support}'),
       ringfence.create_field('Fault code', 'number', '{Support}'),
       ringfence.create_field('Card number', projects => '{Sales}', is_masked => true) \g /dev/null
COMMIT;
BEGIN;
SELECT ringfence.enter('Company B') \g /dev/null
INSERT INTO ringfence.project (name) VALUES ('Retention');
SELECT ringfence.create_field('Contract', projects => '{Default,Retention}', is_searchable => true),
       ringfence.create_field('Tariff', 'choice', '{Default}', options => '{prepaid,start,max}'),
       ringfence.create_field('Comment', projects => '{Default}'),
       ringfence.create_field('Debt', 'number', '{Retention}') \g /dev/null
COMMIT;
BEGIN;
SELECT ringfence.enter('Denki Service') \g /dev/null
SELECT ringfence.create_field('Appliance', projects => '{Default}', is_searchable => true),
       ringfence.create_field('Warranty until', 'date', '{Default}'),
       ringfence.create_field('Visited', 'boolean', '{Default}'),
       ringfence.create_field('Note', projects => '{Default}') \g /dev/null
COMMIT;
BEGIN;
SELECT ringfence.enter('Casa Italiana') \g /dev/null
SELECT ringfence.create_field('Style', 'choice', '{Default}', options => '{classico,moderno}'),
       ringfence.create_field('Budget', 'number', '{Default}'),
       ringfence.create_field('Architect', projects => '{Default}') \g /dev/null
COMMIT;
BEGIN;
SELECT ringfence.enter('Зв''язок') \g /dev/null
SELECT ringfence.create_field('Line', projects => '{Default}', is_searchable => true),
       ringfence.create_field('Speed', 'number', '{Default}'),
       ringfence.create_field('Technician', projects => '{Default}') \g /dev/null
COMMIT;
RESET ROLE;

SET ROLE administrator;
SELECT ringfence.grant_access('seller_a', 'Company A', '{sales}', 'Sales') \g /dev/null
RESET ROLE;

-- The service desk: the lines that customers call, and what agents ask on them.
SET ROLE administrator;
SELECT ringfence.assign_channel('Company A', 'phone', '0800 080 080', 'Support', 'Service line'),
       ringfence.assign_channel('Company A', 'email', 'service@company-a.example', 'Support'),
       ringfence.assign_channel('Company A', 'phone', '(02) 2345-6789', 'Sales', 'Sales line'),
       ringfence.assign_channel('Company B', 'phone', '22 123 45 67', 'Retention', 'Service line'),
       ringfence.assign_channel('Denki Service', 'phone', '03-1234-5678', NULL, 'Service line'),
       ringfence.assign_channel('Casa Italiana', 'phone', '06 1234 5678', NULL, 'Service line'),
       ringfence.assign_channel('Зв''язок', 'phone', '044 123 45 67', NULL, 'Service line') \g /dev/null
RESET ROLE;
SET ROLE manager;
BEGIN;
SELECT ringfence.enter('Company A', 'Support') \g /dev/null
INSERT INTO ringfence.script (name) VALUES ('No connection') RETURNING id AS script \gset
INSERT INTO ringfence.question (script_id, text, required) VALUES (:'script', 'Does the lamp of the router blink?', true) RETURNING id AS lamp \gset
INSERT INTO ringfence.question (script_id, text) VALUES (:'script', 'Which router is it?') RETURNING id AS router \gset
INSERT INTO ringfence.answer (question_id, name, next_question_id) VALUES (:'lamp', 'Yes', :'router'), (:'lamp', 'No', NULL);
INSERT INTO ringfence.answer (question_id, kind, name, field_id) SELECT :'router', 'text', 'As it says on the box', field_id FROM ringfence.visible_fields() WHERE name = 'Router';
COMMIT;
BEGIN;
SELECT ringfence.enter('Company B', 'Retention') \g /dev/null
INSERT INTO ringfence.script (name) VALUES ('Wants to leave') RETURNING id AS script \gset
INSERT INTO ringfence.question (script_id, text) VALUES (:'script', 'What do you owe?') RETURNING id AS debt \gset
INSERT INTO ringfence.answer (question_id, kind, name, field_id) SELECT :'debt', 'text', 'Amount', field_id FROM ringfence.visible_fields() WHERE name = 'Debt';
COMMIT;
RESET ROLE;
