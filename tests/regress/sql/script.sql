-- Scripts (B5, B10, B14): answers fill fields, and a script that changes does not change what was answered.
\set SHOW_CONTEXT never
\set VERBOSITY default
\pset null (null)
SET SESSION AUTHORIZATION dba;
SELECT ringfence.grant_access('sales_a', 'Company A', '{supervisor}', 'Sales'), ringfence.grant_access('app_a', 'Company A', '{agent}') \g /dev/null
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.create_field('Plan', 'choice', '{Sales}', options => '{gold,tin}') AS plan, ringfence.create_field('Reason', projects => '{Sales}', max_length => 20) AS reason,
       ringfence.create_field('Tags', 'choices', '{Sales}', options => '{red,green,blue}') AS tags, ringfence.create_field('Cups', 'number', '{Sales}') AS cups,
       ringfence.create_field('Regular', 'boolean', '{Sales}') AS regular,
       ringfence.create_field('Fault', projects => '{Support}') AS fault, ringfence.create_field('Code', projects => '{Sales}', is_masked => true) AS code \gset
-- A script of the project at hand. Questions and answers without a place come last.
BEGIN;
SET LOCAL ringfence.project = 'Sales';
INSERT INTO ringfence.script (name) VALUES ('Selling tea') RETURNING id AS script \gset
INSERT INTO ringfence.question (script_id, text, required) VALUES (:'script', 'Which plan?', true) RETURNING id AS q1, position \gset
INSERT INTO ringfence.question (script_id, text) VALUES (:'script', 'Why?') RETURNING id AS q2, position \gset
INSERT INTO ringfence.question (script_id, text) VALUES (:'script', 'Your code?') RETURNING id AS q3 \gset
INSERT INTO ringfence.answer (question_id, name, field_id, next_question_id) VALUES (:'q1', 'gold', :'plan', :'q2') RETURNING id AS gold, kind, position \gset
INSERT INTO ringfence.answer (question_id, name, field_id) VALUES (:'q1', 'tin', :'plan'), (:'q1', 'none', NULL);
INSERT INTO ringfence.answer (question_id, name, next_question_id) VALUES (:'q1', 'Ask again', :'q1') RETURNING id AS again \gset
INSERT INTO ringfence.answer (question_id, kind, name, field_id) VALUES (:'q2', 'text', 'In their words', :'reason') RETURNING id AS why \gset
INSERT INTO ringfence.answer (question_id, kind, name, field_id) VALUES (:'q2', 'text', 'How many cups', :'cups') RETURNING id AS cups \gset
INSERT INTO ringfence.answer (question_id, kind, name, field_id) VALUES (:'q2', 'text', 'Regular customer', :'regular') RETURNING id AS regular \gset
INSERT INTO ringfence.answer (question_id, name, field_id) VALUES (:'q2', 'red', :'tags') RETURNING id AS red \gset
INSERT INTO ringfence.answer (question_id, name, field_id) VALUES (:'q2', 'blue', :'tags') RETURNING id AS blue \gset
\set code_answer 'a0000000-0000-0000-0000-00000000c0de'
INSERT INTO ringfence.answer (id, question_id, kind, name, field_id) VALUES (:'code_answer', :'q3', 'text', 'Code', :'code');
COMMIT;
-- What cannot be defined.
\set VERBOSITY sqlstate
INSERT INTO ringfence.answer (question_id, name, field_id) VALUES (:'q1', 'x', :'fault');
INSERT INTO ringfence.answer (question_id, name, field_id) VALUES (:'q1', 'x', (SELECT id FROM ringfence.field WHERE name = 'language'));
\set VERBOSITY default
INSERT INTO ringfence.answer (question_id, name, field_id) VALUES (:'q1', 'x', 'a0000000-0000-0000-0000-00000000dead');
INSERT INTO ringfence.answer (question_id, name, next_question_id) VALUES (:'q1', 'x', 'a0000000-0000-0000-0000-00000000dead');
INSERT INTO ringfence.answer (question_id, name) VALUES ('a0000000-0000-0000-0000-00000000dead', 'x');
INSERT INTO ringfence.question (script_id, text) VALUES ('a0000000-0000-0000-0000-00000000dead', 'x');
INSERT INTO ringfence.script (name) VALUES ('Of no project');
INSERT INTO ringfence.script (name, project_id) VALUES ('Selling tea', (SELECT id FROM ringfence.project WHERE name = 'Sales'));
INSERT INTO ringfence.script (name, project_id) VALUES ('Selling tea', (SELECT id FROM ringfence.project WHERE name = 'Support')) RETURNING id AS support_script \gset
INSERT INTO ringfence.question (script_id, text) VALUES (:'support_script', 'Which fault?') RETURNING id AS q4 \gset
\set fault_answer 'a0000000-0000-0000-0000-00000000fa17'
INSERT INTO ringfence.answer (id, question_id, kind, name, field_id) VALUES (:'fault_answer', :'q4', 'text', 'Fault', :'fault');
INSERT INTO ringfence.answer (question_id, name, next_question_id) VALUES (:'q1', 'x', :'q4');
-- A question that another leads to is not deleted alone.
DELETE FROM ringfence.question WHERE id = :'q2';

-- The form: masked fields are no part of it.
SET SESSION AUTHORIZATION sales_a;
SELECT question_position, question, required, answer_position, answer, kind, next_question_id = :'q2' AS leads_to_q2, field_name, field_type, field_options, field_access FROM ringfence.script_form('Selling tea');
SET SESSION AUTHORIZATION app_a;
BEGIN;
SET LOCAL ringfence.project = 'Sales';
SELECT question, answer, field_name FROM ringfence.script_form('Selling tea');
SELECT count(*) FROM ringfence.script_form(:'script');
COMMIT;
BEGIN;
SET LOCAL ringfence.project = 'Support';
SELECT question, answer, field_name FROM ringfence.script_form('Selling tea');
COMMIT;
SELECT * FROM ringfence.script_form('No such script');

-- Answers fill fields by their rules.
SELECT ringfence.log_interaction('call', customer => 'a0000000-0000-0000-0000-000000000001', project => 'Sales') AS call \gset
SELECT ringfence.respond(:'call', :'gold') IS NOT NULL AS kept;
SELECT ringfence.respond(:'call', :'why', 'Likes oolong') IS NOT NULL AS kept;
SELECT ringfence.respond(:'call', :'again', 'ignored') IS NOT NULL AS kept;
SELECT ringfence.respond(:'call', :'cups', ' 3 ') IS NOT NULL, ringfence.respond(:'call', :'regular', 'Yes') IS NOT NULL AS kept;
SELECT ringfence.respond(:'call', :'red') IS NOT NULL, ringfence.respond(:'call', :'blue') IS NOT NULL, ringfence.respond(:'call', :'red') IS NOT NULL AS kept;
SELECT attributes FROM ringfence.customer_card WHERE id = 'a0000000-0000-0000-0000-000000000001';
SELECT question, answer, value, created_by FROM ringfence.response ORDER BY id;
SELECT ringfence.respond(:'call', :'why');
SELECT ringfence.respond(:'call', :'why', 'far too long a reason for this field');
SELECT ringfence.respond(:'call', :'cups', 'three');
SELECT ringfence.respond(:'call', :'code_answer', '1234');
SELECT ringfence.respond(:'call', 'a0000000-0000-0000-0000-00000000dead');
SELECT ringfence.respond('a0000000-0000-0000-0000-00000000dead', :'gold');
SELECT ringfence.respond(NULL, :'gold');
SELECT ringfence.respond(:'call', NULL);
-- That of a script of another project is none in this one.
SELECT ringfence.respond(:'call', :'fault_answer', 'F7');
-- With nobody known, only the response is kept.
SELECT ringfence.log_interaction('call', project => 'Sales') AS unknown_call \gset
SELECT ringfence.respond(:'unknown_call', :'gold') IS NOT NULL AS kept;
-- What was answered can be corrected in its value only.
UPDATE ringfence.response SET value = 'silver', question = 'x', answer = 'x', answer_id = NULL, project_id = NULL WHERE value = 'gold' AND interaction_id = :'unknown_call'
    RETURNING question, answer, value, answer_id = :'gold' AS same_answer, project_id IS NOT NULL AS same_project;
-- A plain INSERT is the same.
INSERT INTO ringfence.response (interaction_id, answer_id, value, question, answer, project_id) VALUES (:'unknown_call', :'why', 'typed', 'x', 'x', NULL)
    RETURNING question, answer, value, (SELECT name FROM ringfence.project WHERE id = project_id) AS project;

-- Changing a script does not change what was answered.
SET SESSION AUTHORIZATION boss_a;
UPDATE ringfence.question SET text = 'Which plan do you want?' WHERE id = :'q1';
UPDATE ringfence.answer SET name = 'golden' WHERE id = :'gold';
SELECT count(*) AS answered FROM ringfence.response \gset
DELETE FROM ringfence.script WHERE id = :'script';
SELECT count(*) = :answered AS all_there FROM ringfence.response;
SELECT DISTINCT question, answer, value, question_id, answer_id FROM ringfence.response WHERE value = 'gold';
-- The response goes with its interaction.
UPDATE ringfence.interaction SET project_id = (SELECT id FROM ringfence.project WHERE name = 'Support') WHERE id = :'call';
SELECT DISTINCT p.name, count(*) FROM ringfence.response r JOIN ringfence.project p ON p.id = r.project_id GROUP BY 1 ORDER BY 1;
SET SESSION AUTHORIZATION sales_a;
SELECT count(*) FROM ringfence.response;
SELECT name FROM ringfence.script;
INSERT INTO ringfence.script (name, project_id) SELECT 'Second', id FROM ringfence.project RETURNING name;
SET SESSION AUTHORIZATION app_a;
INSERT INTO ringfence.script (name, project_id) SELECT 'Third', id FROM ringfence.project WHERE name = 'Sales';
SELECT name FROM ringfence.script ORDER BY name;
-- A field that is dropped, or unbound, leaves its answers; a project takes its scripts with it.
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.drop_field('Fault') IS NOT NULL AS dropped;
SELECT name, field_id FROM ringfence.answer WHERE id = :'fault_answer';
DELETE FROM ringfence.project WHERE name = 'Support';
SELECT name FROM ringfence.script;
SELECT count(*) FROM ringfence.response WHERE project_id IS NULL;
DELETE FROM ringfence.interaction;
SELECT count(*) FROM ringfence.response;
