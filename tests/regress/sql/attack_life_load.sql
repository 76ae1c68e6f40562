-- Attacks by a file to load that somebody has changed on purpose (273 to 275, 282, 283, 285, 326, 329).
\set SHOW_CONTEXT never
\set VERBOSITY terse
SET client_min_messages = error;
CREATE TABLE lines ("position" bigint, relation text, line jsonb);
CREATE TABLE forged (LIKE lines);
CREATE TABLE texts ("position" bigint, relation text, line text);
CREATE ROLE switch LOGIN;
GRANT ringfence_router TO switch;

-- A has a little of everything that is derived. B has a number, and an application that relies on its default owner.
SET SESSION AUTHORIZATION dba;
SELECT ringfence.assign_channel('Company A', 'phone', '+886 2 9999 0000') IS NOT NULL AS assigned;
SELECT ringfence.assign_channel('Company A', 'email', 'help@a.example') IS NOT NULL AS assigned;
SELECT ringfence.assign_channel('Company B', 'phone', '+886212345678') IS NOT NULL AS assigned;
SELECT ringfence.assign_channel('Company B', 'email', 'help@b.example') IS NOT NULL AS assigned;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.create_field('Plan', 'choice', options => '{gold,silver}', is_searchable => true, projects => '{Sales}') IS NOT NULL AS made;
SELECT ringfence.create_field('Contract', is_unique => true, projects => '{Sales}') IS NOT NULL AS made;
SELECT ringfence.create_field('Card', is_masked => true, projects => '{Sales}') IS NOT NULL AS made;
SELECT ringfence.create_field('Debt', 'number', projects => '{Sales}') IS NOT NULL AS made;
SELECT ringfence.create_profile('clerk', '{customer.read}') IS NOT NULL AS made;
SELECT ringfence.create_report_view('Sales', 'report_of_a');
UPDATE ringfence.customer_card SET attributes = '{"Plan": "gold", "Contract": "A-1", "Card": "4711"}' WHERE name = 'Chen Wei';
UPDATE ringfence.customer_card SET attributes = '{"Plan": "silver", "Contract": "A-2"}' WHERE name = 'Tsai Mei-Ling';
SELECT ringfence.open_ticket(id, 'A ticket', 'Sales') IS NOT NULL AS opened FROM ringfence.customer WHERE name = 'Chen Wei';
INSERT INTO ringfence.script (id, name, project_id) SELECT 'a0000000-0000-0000-0000-0000000005c1', 'Survey', id FROM ringfence.project WHERE name = 'Sales';
INSERT INTO ringfence.question (id, script_id, text) VALUES ('a0000000-0000-0000-0000-0000000005c2', 'a0000000-0000-0000-0000-0000000005c1', 'Tea?');
INSERT INTO ringfence.answer (id, question_id, name) VALUES ('a0000000-0000-0000-0000-0000000005c3', 'a0000000-0000-0000-0000-0000000005c2', 'Yes');
SELECT ringfence.respond(ringfence.log_interaction('call', project => 'Sales'), 'a0000000-0000-0000-0000-0000000005c3') IS NOT NULL AS answered;
RESET SESSION AUTHORIZATION;
GRANT ALL ON lines, forged, texts TO PUBLIC;
SET SESSION AUTHORIZATION boss_a;
INSERT INTO lines SELECT * FROM ringfence.export_owner('Company A');
RESET SESSION AUTHORIZATION;

-- Changes a line, leaves it out (NULL), or adds one behind it; the checksums fit.
CREATE FUNCTION forge(of_relation text, which jsonb, change jsonb, adds_to text DEFAULT NULL) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    given    lines;
    made     lines[];
    each     lines;
    checksum text := '';
    n        bigint := 0;
    is_done  boolean := false;
BEGIN
    TRUNCATE forged;
    FOR given IN SELECT * FROM lines ORDER BY "position" LOOP
        made := ARRAY[given];
        IF given.relation = of_relation AND given.line @> which AND NOT is_done THEN
            is_done := true;
            IF adds_to IS NOT NULL THEN
                made := made || ROW(0, adds_to, CASE WHEN adds_to = of_relation THEN given.line || change ELSE change END)::lines;
            ELSE
                given.line := (given.line || change) - ARRAY(SELECT key FROM jsonb_each_text(change) WHERE value = 'NO SUCH KEY');
                made := CASE WHEN change IS NULL THEN '{}'::lines[] ELSE ARRAY[given] END;
            END IF;
        END IF;
        FOREACH each IN ARRAY made LOOP
            n := n + 1;
            each.line := CASE each.relation WHEN 'end' THEN jsonb_build_object('lines', n) ELSE each.line - 'checksum' END;
            checksum := ringfence.line_checksum(checksum, n, each.relation, each.line);
            INSERT INTO forged VALUES (n, each.relation, each.line || jsonb_build_object('checksum', checksum));
        END LOOP;
    END LOOP;
    IF NOT is_done THEN
        RAISE EXCEPTION 'no line to forge';
    END IF;
END $$;
-- What becomes of a file. It is never there afterwards.
CREATE FUNCTION try_load(relation regclass DEFAULT 'forged', OUT state text, OUT message text, OUT detail text) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM ringfence.load_owner(relation);
    RAISE EXCEPTION 'it is loaded' USING ERRCODE = '00LOA';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
    -- Ids that are made anew in each run.
    message := regexp_replace(message, '[0-9a-f]{8}-[0-9a-f-]{27}', '...', 'g');
END $$;
SET SESSION AUTHORIZATION dba;
SELECT sum(remaining) FROM ringfence.delete_owner('Company A', 'Company A');
RESET SESSION AUTHORIZATION;

-- 273: a channel of the file has a form that is not that of its address, and takes the calls of B in B's own spelling.
SELECT forge('ringfence.channel', '{"kind": "phone"}', '{"normal_address": "+886 2 1234 5678"}');
SET SESSION AUTHORIZATION dba;
SELECT state, message FROM try_load();
RESET SESSION AUTHORIZATION;
SELECT forge('ringfence.channel', '{"kind": "email"}', '{"normal_address": "help+vip@b.example"}');
SET SESSION AUTHORIZATION dba;
SELECT state, message FROM try_load();
RESET SESSION AUTHORIZATION;
SELECT forge('ringfence.channel', '{"kind": "phone"}', '{"address": "no number at all"}');
SET SESSION AUTHORIZATION dba;
SELECT state, message FROM try_load();
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION switch;
SELECT owner_name FROM ringfence.route('phone', '+886 2 1234 5678');
SELECT owner_name FROM ringfence.route('email', 'help+vip@b.example');
RESET SESSION AUTHORIZATION;

-- 274: the file gives access to a role that works for B, or to a group of such roles: B's application would have two owners, and no default one.
SELECT forge('ringfence.access', '{"role_name": "app_a"}', '{"role_name": "app_b", "binding": "session", "rights": ["trainee"], "id": "a0000000-0000-0000-0000-0000000000a1"}', 'ringfence.access');
SET SESSION AUTHORIZATION dba;
SET client_min_messages = notice;
\set VERBOSITY default
SELECT sum(rows) > 0 AS loaded FROM ringfence.load_owner('forged');
\set VERBOSITY terse
SET client_min_messages = error;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION app_b;
SELECT count(*) FROM ringfence.customer;
RESET SESSION AUTHORIZATION;
SELECT role_name FROM ringfence.access WHERE owner_id = 'aaaaaaaa-0000-0000-0000-000000000001' ORDER BY 1;
SET SESSION AUTHORIZATION dba;
SELECT sum(remaining) FROM ringfence.delete_owner('Company A', 'Company A');
RESET SESSION AUTHORIZATION;
CREATE ROLE everybody_of_b;
GRANT everybody_of_b TO app_b;
SELECT forge('ringfence.access', '{"role_name": "app_a"}', '{"role_name": "everybody_of_b"}');
SET SESSION AUTHORIZATION dba;
SELECT sum(rows) > 0 AS loaded FROM ringfence.load_owner('forged');
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION app_b;
SELECT count(*) FROM ringfence.customer;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION dba;
SELECT sum(remaining) FROM ringfence.delete_owner('Company A', 'Company A');
RESET SESSION AUTHORIZATION;
-- A role whose privileges everybody has who works for any owner.
CREATE ROLE above_all;
GRANT above_all TO ringfence_user;
SELECT forge('ringfence.access', '{"role_name": "app_a"}', '{"role_name": "above_all"}');
SET SESSION AUTHORIZATION dba;
SET client_min_messages = warning;
SELECT state, message FROM try_load();
SET client_min_messages = error;
RESET SESSION AUTHORIZATION;
REVOKE above_all FROM ringfence_user;
DROP ROLE above_all, everybody_of_b;
-- Rights that there are not, or not yet; none; and profiles that are not what every owner has.
SELECT forge('ringfence.access', '{"role_name": "app_a"}', '{"rights": ["customer.everything"]}');
SET SESSION AUTHORIZATION dba;
SELECT state, message FROM try_load();
RESET SESSION AUTHORIZATION;
SELECT forge('ringfence.access', '{"role_name": "app_a"}', '{"rights": []}');
SET SESSION AUTHORIZATION dba;
SELECT state, message FROM try_load();
RESET SESSION AUTHORIZATION;
SELECT forge('ringfence.access', '{"role_name": "app_a"}', '{"rights": [null]}');
SET SESSION AUTHORIZATION dba;
SELECT state, message FROM try_load();
RESET SESSION AUTHORIZATION;
SELECT forge('ringfence.profile', '{"name": "clerk"}', '{"rights": ["customer.everything"]}');
SET SESSION AUTHORIZATION dba;
SELECT state, message FROM try_load();
RESET SESSION AUTHORIZATION;
SELECT forge('ringfence.profile', '{"name": "trainee"}', '{"rights": ["customer.read", "customer.delete"]}');
SET SESSION AUTHORIZATION dba;
SELECT state, message FROM try_load();
RESET SESSION AUTHORIZATION;
SELECT forge('ringfence.profile', '{"name": "clerk"}', '{"is_system": true}');
SET SESSION AUTHORIZATION dba;
SELECT state, message FROM try_load();
RESET SESSION AUTHORIZATION;
SELECT forge('ringfence.profile', '{"name": "trainee"}', NULL);
SET SESSION AUTHORIZATION dba;
SELECT state, message FROM try_load();
RESET SESSION AUTHORIZATION;
SELECT forge('ringfence.field', '{"name": "phones"}', '{"is_masked": true}');
SET SESSION AUTHORIZATION dba;
SELECT state, message FROM try_load();
RESET SESSION AUTHORIZATION;

-- 275: the file takes the name of another owner's report view, or one that another owner's will have.
SELECT forge('ringfence.report_view', '{}', jsonb_build_object('name', 'project_' || (SELECT replace(id::text, '-', '') FROM ringfence.project WHERE owner_id = 'bbbbbbbb-0000-0000-0000-000000000002' AND name = 'Secret')));
SET SESSION AUTHORIZATION dba;
SELECT state, regexp_replace(message, 'project_\w+', 'project_...') AS message FROM try_load();
RESET SESSION AUTHORIZATION;
SELECT forge('ringfence.report_view', '{}', '{"of": "interaction"}', 'ringfence.report_view');
SET SESSION AUTHORIZATION dba;
SELECT state, message FROM try_load();
RESET SESSION AUTHORIZATION;
SELECT forge('ringfence.report_view', '{}', jsonb_build_object('name', repeat('x', 64)));
SET SESSION AUTHORIZATION dba;
SELECT state, message FROM try_load();
RESET SESSION AUTHORIZATION;
SELECT forge('ringfence.report_view', '{}', '{"name": " "}');
SET SESSION AUTHORIZATION dba;
SELECT state, message FROM try_load();
RESET SESSION AUTHORIZATION;
-- The id of another owner's project, and with it the name that its report view would have.
BEGIN;
UPDATE lines SET line = replace(line::text, (SELECT line ->> 'id' FROM lines WHERE relation = 'ringfence.project' AND line ->> 'name' = 'Sales'),
                                (SELECT id::text FROM ringfence.project WHERE owner_id = 'bbbbbbbb-0000-0000-0000-000000000002' AND name = 'Secret'))::jsonb;
SELECT forge('ringfence.owner', '{}', '{}');
SET SESSION AUTHORIZATION dba;
SELECT state, message FROM try_load();
ROLLBACK;
RESET SESSION AUTHORIZATION;
-- The maker of report views itself replaces no view of another project.
SET SESSION AUTHORIZATION dba;
SELECT ringfence.grant_access('app_b', 'Company B', '{admin}');
SET SESSION AUTHORIZATION app_b;
SELECT ringfence.create_report_view('Secret', 'report_of_b');
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION dba;
SELECT sum(rows) > 0 AS loaded FROM ringfence.load_owner('lines');
RESET SESSION AUTHORIZATION;
UPDATE ringfence.report_view SET name = 'report_of_b', is_current = false WHERE owner_id = 'aaaaaaaa-0000-0000-0000-000000000001';
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.renew_report_views();
RESET SESSION AUTHORIZATION;
UPDATE ringfence.report_view SET name = 'report_of_a', is_current = true WHERE owner_id = 'aaaaaaaa-0000-0000-0000-000000000001';
SET SESSION AUTHORIZATION app_b;
SELECT count(*) FROM ringfence_report.report_of_b;
RESET SESSION AUTHORIZATION;

-- 282: a report view that is not dropped yet keeps its owner from coming back.
SET SESSION AUTHORIZATION dba;
BEGIN;
SELECT sum(remaining) FROM ringfence.delete_owner('Company A', 'Company A');
SELECT sum(rows) > 0 AS loaded FROM ringfence.load_owner('lines');
COMMIT;
SET SESSION AUTHORIZATION boss_a;
SELECT count(*) FROM ringfence_report.report_of_a;
SET SESSION AUTHORIZATION dba;
SELECT sum(remaining) FROM ringfence.delete_owner('Company A', 'Company A');
RESET SESSION AUTHORIZATION;

-- 283: what is derived from other data is not what they give.
SELECT forge('ringfence.unique_value', '{}', NULL);
SET SESSION AUTHORIZATION dba;
SELECT state, message FROM try_load();
RESET SESSION AUTHORIZATION;
SELECT forge('ringfence.unique_value', '{}', jsonb_build_object('customer_id', 'a0000000-0000-0000-0000-000000000003'));
SET SESSION AUTHORIZATION dba;
SELECT state, message FROM try_load();
RESET SESSION AUTHORIZATION;
SELECT forge('ringfence.customer', '{"name": "Chen Wei"}', '{"normal_phones": ["+886912345678"]}');
SET SESSION AUTHORIZATION dba;
SELECT state, message FROM try_load();
RESET SESSION AUTHORIZATION;
SELECT forge('ringfence.customer', '{"name": "Chen Wei"}', '{"normal_emails": ["tsai@example.com"]}');
SET SESSION AUTHORIZATION dba;
SELECT state, message FROM try_load();
RESET SESSION AUTHORIZATION;
SELECT forge('ringfence.customer', '{"name": "Chen Wei"}', '{"searchable": {}}');
SET SESSION AUTHORIZATION dba;
SELECT state, message FROM try_load();
RESET SESSION AUTHORIZATION;
-- Two customers with one contract number, and the table of unique values to match.
SELECT forge('ringfence.customer', '{"name": "Chen Wei"}', (SELECT jsonb_build_object('attributes', line -> 'attributes', 'searchable', line -> 'searchable') FROM lines WHERE relation = 'ringfence.customer' AND line ->> 'name' = 'Tsai Mei-Ling'));
SET SESSION AUTHORIZATION dba;
SELECT state, message FROM try_load();
RESET SESSION AUTHORIZATION;
SELECT forge('ringfence.field', '{"name": "Plan"}', '{"options": ["gold", "gold"]}');
SET SESSION AUTHORIZATION dba;
SELECT state, message FROM try_load();
RESET SESSION AUTHORIZATION;
SELECT forge('ringfence.field', '{"name": "Plan"}', '{"options": ["gold", null]}');
SET SESSION AUTHORIZATION dba;
SELECT state, message FROM try_load();
RESET SESSION AUTHORIZATION;
SELECT forge('ringfence.field', '{"name": "Plan"}', '{"option_ids": [1, 1]}');
SET SESSION AUTHORIZATION dba;
SELECT state, message FROM try_load();
RESET SESSION AUTHORIZATION;
SELECT forge('ringfence.field', '{"name": "Plan"}', '{"option_ids": [1, null]}');
SET SESSION AUTHORIZATION dba;
SELECT state, message FROM try_load();
RESET SESSION AUTHORIZATION;
SELECT forge('ringfence.field', '{"name": "Debt"}', '{"minimum": "NaN"}');
SET SESSION AUTHORIZATION dba;
SELECT state, message FROM try_load();
RESET SESSION AUTHORIZATION;
SELECT forge('ringfence.field', '{"name": "Debt"}', '{"max_length": 5}');
SET SESSION AUTHORIZATION dba;
SELECT state, message FROM try_load();
RESET SESSION AUTHORIZATION;
SELECT forge('ringfence.field', '{"name": "Card"}', '{"pattern": "(a"}');
SET SESSION AUTHORIZATION dba;
SELECT state, message FROM try_load();
RESET SESSION AUTHORIZATION;
SELECT forge('ringfence.field_project', '{}', jsonb_build_object('field_id', (SELECT line -> 'id' FROM lines WHERE relation = 'ringfence.field' AND line ->> 'name' = 'phones')));
SET SESSION AUTHORIZATION dba;
SELECT state, message FROM try_load();
RESET SESSION AUTHORIZATION;
SELECT forge('ringfence.ticket', '{}', '{"number": -1}');
SET SESSION AUTHORIZATION dba;
SELECT state, message FROM try_load();
RESET SESSION AUTHORIZATION;
SELECT forge('ringfence.ticket', '{}', '{"number": 9223372036854775807}');
SET SESSION AUTHORIZATION dba;
SELECT state, message FROM try_load();
RESET SESSION AUTHORIZATION;
SELECT forge('ringfence.ticket_counter', '{}', '{"highest_deleted": 9223372036854775807}');
SET SESSION AUTHORIZATION dba;
SELECT state, message FROM try_load();
RESET SESSION AUTHORIZATION;
SELECT forge('ringfence.ticket', '{}', '{"form": "+886912345678"}', 'ringfence.form_being_saved');
SET SESSION AUTHORIZATION dba;
SELECT state, message FROM try_load();
RESET SESSION AUTHORIZATION;
SELECT forge('ringfence.response', '{}', jsonb_build_object('project_id', (SELECT line -> 'id' FROM lines WHERE relation = 'ringfence.project' AND line ->> 'name' = 'Support')));
SET SESSION AUTHORIZATION dba;
SELECT state, message FROM try_load();
RESET SESSION AUTHORIZATION;

-- 285: a damaged line is refused without its number, or not at all.
SELECT forge('ringfence.owner', '{}', '{"format": "NO SUCH KEY", "version": "NO SUCH KEY"}');
SET SESSION AUTHORIZATION dba;
SELECT state, message FROM try_load();
RESET SESSION AUTHORIZATION;
SELECT forge('ringfence.owner', '{}', '{"id": "nobody"}');
SET SESSION AUTHORIZATION dba;
SELECT state, message FROM try_load();
RESET SESSION AUTHORIZATION;
SELECT forge('ringfence.owner', '{}', '{"enabled": "perhaps"}');
SET SESSION AUTHORIZATION dba;
SELECT state, message FROM try_load();
RESET SESSION AUTHORIZATION;
SELECT forge('ringfence.customer', '{"name": "Chen Wei"}', '{"birth_date": "tomorrow or so"}');
SET SESSION AUTHORIZATION dba;
SELECT state, regexp_replace(message, 'line \d+', 'line N') AS message FROM try_load();
RESET SESSION AUTHORIZATION;
SELECT forge('ringfence.customer', '{"name": "Chen Wei"}', '{"phones": "not a list"}');
SET SESSION AUTHORIZATION dba;
SELECT state, regexp_replace(message, 'line \d+', 'line N') AS message FROM try_load();
RESET SESSION AUTHORIZATION;
SELECT forge('ringfence.customer', '{"name": "Chen Wei"}', '{"name": null}');
SET SESSION AUTHORIZATION dba;
SELECT state, regexp_replace(message, 'line \d+', 'line N') AS message FROM try_load();
RESET SESSION AUTHORIZATION;
SELECT forge('ringfence.channel', '{"kind": "email"}', '{"address": "help@b.example", "normal_address": "help@b.example"}');
SET SESSION AUTHORIZATION dba;
SELECT state, regexp_replace(message, 'line \d+', 'line N') AS message, detail FROM try_load();
RESET SESSION AUTHORIZATION;
SELECT forge('ringfence.report_view', '{}', '{"name": "report_of_b"}');
SET SESSION AUTHORIZATION dba;
SELECT state, regexp_replace(message, 'line \d+', 'line N') AS message FROM try_load();
INSERT INTO texts SELECT "position", relation, CASE "position" WHEN 9 THEN '{"name": ' ELSE line::text END FROM lines;
SELECT state, message FROM try_load('texts');
UPDATE texts SET line = '"a scalar"' WHERE "position" = 9;
SELECT state, message FROM try_load('texts');
UPDATE texts SET line = '[1, 2]' WHERE "position" = 9;
SELECT state, message FROM try_load('texts');
UPDATE texts SET line = NULL WHERE "position" = 9;
SELECT state, message FROM try_load('texts');
UPDATE texts SET line = '17' WHERE "position" = 1;
SELECT state, message FROM try_load('texts');
UPDATE texts SET line = '{' WHERE "position" = 1;
SELECT state, message FROM try_load('texts');
TRUNCATE texts;
INSERT INTO texts SELECT "position", CASE "position" WHEN 2 THEN NULL ELSE relation END, line::text FROM lines;
SELECT state, message FROM try_load('texts');
TRUNCATE texts;
INSERT INTO texts SELECT "position", relation, CASE relation WHEN 'end' THEN '[' ELSE line::text END FROM lines;
SELECT state, regexp_replace(message, 'line \d+', 'line N') AS message FROM try_load('texts');
TRUNCATE texts;
INSERT INTO texts SELECT "position", relation, line::text FROM lines;
SELECT state, message FROM try_load('texts');
RESET SESSION AUTHORIZATION;
DROP ROLE switch;

-- 326: the lines are read from a view, a table with policies, or one with a type of somebody's, whose functions would run with the administrator's rights.
CREATE FUNCTION spy(line jsonb) RETURNS jsonb LANGUAGE plpgsql AS $$ BEGIN RAISE WARNING 'code of a client runs as %', current_user; RETURN line; END $$;
CREATE VIEW spying AS SELECT "position", relation, spy(line) AS line FROM lines;
CREATE TABLE walled AS SELECT * FROM lines;
ALTER TABLE walled ENABLE ROW LEVEL SECURITY;
CREATE POLICY spy ON walled USING (spy(line) IS NOT NULL);
CREATE DOMAIN spied AS jsonb CHECK (spy(VALUE) IS NOT NULL);
CREATE TABLE typed ("position" bigint, relation text, line spied);
GRANT ALL ON spying, walled, typed TO PUBLIC;
SET SESSION AUTHORIZATION dba;
SET client_min_messages = warning;
SELECT state, message FROM try_load('spying');
SELECT state, message FROM try_load('walled');
SELECT state, message FROM try_load('typed');
SET client_min_messages = error;
RESET SESSION AUTHORIZATION;
DROP TABLE walled, typed;

-- 329: a file has history that nobody could forget, a proposal that nobody could read past, or retired sources without an end.
SELECT forge('ringfence.change', '{"kind": "insert"}', '{"kind": "erase", "data": {"old": "4711"}, "id": "a0000000-0000-0000-0000-0000000000a2"}', 'ringfence.change');
SET SESSION AUTHORIZATION dba;
SELECT state, regexp_replace(message, 'line \d+', 'line N') AS message FROM try_load();
RESET SESSION AUTHORIZATION;
SELECT forge('ringfence.change', '{"kind": "insert"}', '{"kind": "set", "data": {"new": "4711"}, "id": "a0000000-0000-0000-0000-0000000000a2"}', 'ringfence.change');
SET SESSION AUTHORIZATION dba;
SELECT state, regexp_replace(message, 'line \d+', 'line N') AS message FROM try_load();
RESET SESSION AUTHORIZATION;
SELECT forge('ringfence.customer', '{"name": "Chen Wei"}', '{"id": "a0000000-0000-0000-0000-0000000000a3", "customer_id": null, "field_id": null, "data": {"new": {"attributes": 1}}, "proposed_at": "2026-01-01", "role_name": "x", "agent": null, "source_id": null, "state": "open", "decided_at": null, "decided_by": null, "reason": null}', 'ringfence.proposed_value');
SET SESSION AUTHORIZATION dba;
SELECT state, regexp_replace(message, 'line \d+', 'line N') AS message FROM try_load();
RESET SESSION AUTHORIZATION;
SELECT forge('ringfence.project', '{"name": "Sales"}', '{"id": "a0000000-0000-0000-0000-0000000000a4", "name": "Ghost", "description": null, "created_at": "2026-01-01", "retired_at": "2026-01-01", "successor_id": "a0000000-0000-0000-0000-0000000000a5"}', 'ringfence.source');
SET SESSION AUTHORIZATION dba;
SELECT state, regexp_replace(message, 'line \d+', 'line N') AS message FROM try_load();
RESET SESSION AUTHORIZATION;
