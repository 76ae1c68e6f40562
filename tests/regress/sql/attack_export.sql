-- Attacks on the export and the proof of a deletion (ATTACKS 327, 328, 330).
\set SHOW_CONTEXT never
SET client_min_messages = error;
-- 327: the export shows what filled a masked field that was dropped to a session that does not see masked values.
SET SESSION AUTHORIZATION boss_a;
SET client_min_messages = error;
SELECT ringfence.create_field('Card number', is_masked => true, projects => '{Sales}') IS NOT NULL AS made;
INSERT INTO ringfence.script (name, project_id) SELECT 'Paying', id FROM ringfence.project WHERE name = 'Sales';
INSERT INTO ringfence.question (script_id, text) SELECT id, 'Which card?' FROM ringfence.script WHERE name = 'Paying';
INSERT INTO ringfence.answer (question_id, name, kind, field_id) SELECT q.id, 'Card', 'text', f.id FROM ringfence.question AS q, ringfence.field AS f WHERE q.text = 'Which card?' AND f.name = 'Card number';
SELECT ringfence.respond(ringfence.log_interaction('call', customer => (SELECT id FROM ringfence.customer WHERE name = 'Chen Wei'), project => 'Sales'), a.id, 'CANARY-4711') IS NOT NULL AS answered
  FROM ringfence.answer AS a WHERE a.name = 'Card';
SELECT ringfence.drop_field('Card number', 1) AS dropped;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION dba;
SELECT ringfence.grant_access('trainee_a', 'Company A', '{interaction.read,owner.export}') \g /dev/null
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION trainee_a;
SELECT count(*) FROM ringfence.response WHERE value LIKE 'CANARY%';
SELECT count(*) FROM ringfence.export_owner('Company A') WHERE line::text LIKE '%CANARY-4711%';
RESET SESSION AUTHORIZATION;

-- 328: a policy that was added hides rows of an owner from the extension: they would be missing in the export, and deleted without being counted.
CREATE POLICY recent ON ringfence.change AS RESTRICTIVE TO PUBLIC USING (at > now() + interval '1 year');
SET SESSION AUTHORIZATION boss_a;
SELECT count(*) FROM ringfence.export_owner('Company A');
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION dba;
SELECT * FROM ringfence.delete_owner('Company A', 'Company A');
RESET SESSION AUTHORIZATION;
ALTER POLICY recent ON ringfence.change TO app_a;
SET SESSION AUTHORIZATION boss_a;
SELECT count(*) > 40 AS exported FROM ringfence.export_owner('Company A');
RESET SESSION AUTHORIZATION;
DROP POLICY recent ON ringfence.change;

-- 330: a purge that a trigger keeps from deleting ends, and says so.
CREATE FUNCTION keep_row() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER keep BEFORE DELETE ON ringfence.interaction FOR EACH ROW EXECUTE FUNCTION keep_row();
SET SESSION AUTHORIZATION boss_a;
SELECT count(ringfence.log_interaction('note')) AS logged FROM generate_series(1, 3);
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION dba;
CALL ringfence.purge_owner('Company A', 'Company A', 1);
RESET SESSION AUTHORIZATION;
DROP TRIGGER keep ON ringfence.interaction;
DROP FUNCTION keep_row();
