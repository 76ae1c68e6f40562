-- Attacks on the deletion of owners (260 to 266).
\set SHOW_CONTEXT never
\set VERBOSITY default

-- 260: an administrator of A counts or deletes B, or A itself. The answer is the same for an owner that does not exist.
SET SESSION AUTHORIZATION boss_a;
SELECT * FROM ringfence.delete_owner_preview('Company B');
\echo :SQLSTATE
SELECT ringfence.deletion_question('Company B');
SELECT ringfence.deletion_question('No such owner');
SELECT * FROM ringfence.delete_owner('Company B', 'Company B');
SELECT * FROM ringfence.delete_owner('Company A', 'Company A');
CALL ringfence.purge_owner('Company B', 'Company B');
SELECT ringfence.begin_purge('Company B', 'Company B', 1);
SELECT ringfence.purge_batch('Company B', 'Company B', 1, '{}');
SELECT ringfence.delete_rows();
SELECT ringfence.count_rows();
SELECT ringfence.describe_rows();
SELECT ringfence.delete_batch('{}', 1);
SELECT ringfence.delete_step('{ringfence.customer}');
SELECT ringfence.tables_by_step();
DELETE FROM ringfence.owner;
UPDATE ringfence.owner SET purge_began_at = now();
SELECT name FROM ringfence.owner_association WHERE owner_id <> 'aaaaaaaa-0000-0000-0000-000000000001';
RESET SESSION AUTHORIZATION;

-- 261: a SECURITY DEFINER function of an administrator's deletes for whoever calls it.
CREATE FUNCTION public.delete_for_me(name text) RETURNS SETOF record LANGUAGE sql SECURITY DEFINER AS $$ SELECT ringfence.delete_owner(name, name) $$;
ALTER FUNCTION public.delete_for_me(text) OWNER TO dba;
SET SESSION AUTHORIZATION boss_a;
SELECT public.delete_for_me('Company B');
\echo :SQLSTATE
RESET SESSION AUTHORIZATION;

-- 262: a table of a user's own, with a policy named as the wall's, and a trigger that would run as the definer.
CREATE SCHEMA stranger AUTHORIZATION stranger;
GRANT USAGE ON SCHEMA ringfence TO stranger;
SET SESSION AUTHORIZATION stranger;
CREATE TABLE stranger.bait (owner_id uuid);
INSERT INTO stranger.bait VALUES ('aaaaaaaa-0000-0000-0000-000000000001');
ALTER TABLE stranger.bait ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY owner_wall ON stranger.bait AS RESTRICTIVE USING (true);
CREATE POLICY everything ON stranger.bait USING (true);
CREATE FUNCTION stranger.spy() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE WARNING 'runs as %', current_user; RETURN OLD; END $$;
CREATE TRIGGER spy BEFORE DELETE ON stranger.bait FOR EACH ROW EXECUTE FUNCTION stranger.spy();
GRANT ALL ON stranger.bait TO PUBLIC;
GRANT ALL ON SCHEMA stranger TO PUBLIC;
\set VERBOSITY sqlstate
ALTER TABLE stranger.bait OWNER TO ringfence_tables;
\set VERBOSITY default
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION dba;
BEGIN;
SELECT relation, deleted FROM ringfence.delete_owner('Company A', 'Company A') WHERE relation LIKE 'stranger.%';
ROLLBACK;
RESET SESSION AUTHORIZATION;

-- 263: an administrator's session has a hostile search_path.
CREATE SCHEMA hostile;
GRANT ALL ON SCHEMA hostile TO PUBLIC;
SET SESSION AUTHORIZATION stranger;
CREATE FUNCTION hostile.never(uuid, uuid) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE WARNING 'hostile operator as %', current_user; RETURN true; END $$;
CREATE OPERATOR hostile.= (FUNCTION = hostile.never, LEFTARG = uuid, RIGHTARG = uuid);
CREATE FUNCTION hostile.less(integer, integer) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE WARNING 'hostile operator as %', current_user; RETURN true; END $$;
CREATE OPERATOR hostile.< (FUNCTION = hostile.less, LEFTARG = integer, RIGHTARG = integer);
CREATE FUNCTION hostile.clock_timestamp() RETURNS timestamptz LANGUAGE plpgsql AS $$ BEGIN RAISE WARNING 'hostile function as %', current_user; RETURN NULL; END $$;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION dba;
SET search_path = hostile, pg_catalog;
SELECT rows > 0 AS counted FROM ringfence.delete_owner_preview('Company A') WHERE relation OPERATOR(pg_catalog.=) 'ringfence.customer';
SELECT ringfence.deletion_question('Company A');
CALL ringfence.purge_owner('Company C', 'Company C');
BEGIN;
SELECT sum(remaining) FROM ringfence.delete_owner('Company A', 'Company A');
ROLLBACK;
RESET search_path;
RESET SESSION AUTHORIZATION;

-- 264: a row of B's cannot refer to A's, so that no deletion of A reaches B, or is kept by B. The error does not say whether A's row exists.
SET SESSION AUTHORIZATION app_b;
INSERT INTO ringfence.ticket (subject, customer_id) VALUES ('not mine', 'a0000000-0000-0000-0000-000000000001');
\echo :SQLSTATE
INSERT INTO ringfence.ticket (subject, customer_id) VALUES ('not mine', 'a0000000-0000-0000-0000-0000000000ff');
\echo :SQLSTATE
UPDATE ringfence.customer_card SET company_id = 'a0000000-0000-0000-0000-00000000000c' WHERE name = 'Tsai Mei-Ling';
\echo :SQLSTATE
RESET SESSION AUTHORIZATION;
-- Not even for a superuser: every foreign key between tables of owners has the owner on both sides.
SELECT conrelid::regclass, conname FROM pg_constraint
 WHERE contype = 'f' AND conrelid IN (SELECT relation FROM ringfence.tables_by_step()) AND confrelid IN (SELECT relation FROM ringfence.tables_by_step())
   AND NOT EXISTS (SELECT FROM unnest(conkey, confkey) AS pair (own, other)
                    JOIN pg_attribute AS a ON a.attrelid = conrelid AND a.attnum = pair.own AND a.attname = 'owner_id'
                    JOIN pg_attribute AS b ON b.attrelid = confrelid AND b.attnum = pair.other AND b.attname = 'owner_id');

-- 265: a superuser has switched row-level security off on a table, or forgotten the wall: nothing of others is deleted.
ALTER TABLE ringfence.company DISABLE ROW LEVEL SECURITY;
SET SESSION AUTHORIZATION dba;
BEGIN;
SELECT sum(remaining) FROM ringfence.delete_owner('Company A', 'Company A');
\echo :SQLSTATE
ROLLBACK;
RESET SESSION AUTHORIZATION;
SELECT count(*) FROM ringfence.company;
ALTER TABLE ringfence.company ENABLE ROW LEVEL SECURITY;

-- 266: roles with BYPASSRLS and superusers delete one owner, not all.
CREATE ROLE bypasses_life LOGIN BYPASSRLS;
GRANT ringfence_admin TO bypasses_life;
SET SESSION AUTHORIZATION bypasses_life;
BEGIN;
SELECT sum(remaining) FROM ringfence.delete_owner('Company A', 'Company A');
SELECT name FROM ringfence.owner ORDER BY name;
ROLLBACK;
RESET SESSION AUTHORIZATION;
BEGIN;
SELECT sum(remaining) FROM ringfence.delete_owner('Company A', 'Company A');
SELECT count(*) FROM ringfence.customer WHERE owner_id = 'bbbbbbbb-0000-0000-0000-000000000002';
ROLLBACK;
SET SESSION AUTHORIZATION app_b;
SELECT count(*) FROM ringfence.customer;
RESET SESSION AUTHORIZATION;
DROP ROLE bypasses_life;

-- Attacks on the export of owners, and on loading them (268 to 272).
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.create_field('Secret', is_masked => true, projects => '{Sales}') IS NOT NULL AS made;
-- 268: an administrator of A exports B. The error is the same for an owner that does not exist.
SELECT * FROM ringfence.export_owner('Company B');
\echo :SQLSTATE
SELECT * FROM ringfence.export_owner('bbbbbbbb-0000-0000-0000-000000000002');
SELECT * FROM ringfence.export_owner('No such owner');
SELECT count(*) FROM ringfence.export_owner('Company A') WHERE line::text ~ 'CANARY-B|Kowalski';
SELECT ringfence.export_rows('0');
SELECT * FROM ringfence.load_owner('pg_class');
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION app_a;
SELECT * FROM ringfence.export_owner('Company A');
\echo :SQLSTATE
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION dba;
SELECT * FROM ringfence.export_owner('Company A');
\echo :SQLSTATE
-- 269: who may export but not see masked fields, or sees them in one project only, sees them in the export.
SELECT ringfence.grant_access('trainee_a', 'Company A', '{owner.export}');
SELECT ringfence.grant_access('trainee_a', 'Company A', '{field.unmask}', 'Sales');
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION trainee_a;
SELECT * FROM ringfence.export_owner('Company A');
\echo :SQLSTATE
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION dba;
SELECT ringfence.grant_access('trainee_a', 'Company A', '{owner.export,field.unmask}');
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION trainee_a;
SELECT count(*) > 40 AS exported FROM ringfence.export_owner('Company A');
SELECT count(*) FROM ringfence.customer;
RESET SESSION AUTHORIZATION;

-- A file that is changed on purpose, with checksums that fit.
SET client_min_messages = error;
CREATE TABLE lines ("position" bigint, relation text, line jsonb);
CREATE TABLE forged (LIKE lines);
GRANT ALL ON lines, forged TO PUBLIC;
SET SESSION AUTHORIZATION boss_a;
INSERT INTO lines SELECT * FROM ringfence.export_owner('Company A');
RESET SESSION AUTHORIZATION;
CREATE FUNCTION forge(of_relation text, change jsonb, new_relation text DEFAULT NULL) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    given lines;
    checksum text := '';
    is_done boolean := false;
BEGIN
    TRUNCATE forged;
    FOR given IN SELECT * FROM lines ORDER BY "position" LOOP
        IF given.relation = of_relation AND NOT is_done THEN
            given.line := given.line || change;
            given.relation := coalesce(new_relation, given.relation);
            is_done := true;
        END IF;
        checksum := ringfence.line_checksum(checksum, given."position", given.relation, given.line - 'checksum');
        INSERT INTO forged VALUES (given."position", given.relation, given.line || jsonb_build_object('checksum', checksum));
    END LOOP;
END $$;
-- B has a report view, a channel and a project.
UPDATE ringfence.owner SET enabled = true;
SET SESSION AUTHORIZATION dba;
SELECT ringfence.grant_access('app_b', 'Company B', '{admin}');
SELECT ringfence.assign_channel('Company B', 'email', 'b@example.com') IS NOT NULL AS assigned;
SELECT ringfence.assign_channel('Company A', 'email', 'a@example.com') IS NOT NULL AS assigned;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION app_b;
SELECT ringfence.create_report_view('Secret', 'report_of_b');
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.create_report_view('Sales', 'report_of_a');
SELECT ringfence.open_ticket(id, 'A ticket') IS NOT NULL AS opened FROM ringfence.customer WHERE name = 'Chen Wei';
DELETE FROM lines;
INSERT INTO lines SELECT * FROM ringfence.export_owner('Company A');
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION dba;
SET client_min_messages = error;
SELECT sum(remaining) FROM ringfence.delete_owner('Company A', 'Company A');
RESET client_min_messages;
RESET SESSION AUTHORIZATION;

-- 270: the file names what is B's.
SELECT forge('ringfence.owner', '{"id": "bbbbbbbb-0000-0000-0000-000000000002", "name": "Company A"}');
SET SESSION AUTHORIZATION dba;
SELECT * FROM ringfence.load_owner('forged');
\echo :SQLSTATE
RESET SESSION AUTHORIZATION;
SELECT forge('ringfence.customer', '{"owner_id": "bbbbbbbb-0000-0000-0000-000000000002"}');
SET SESSION AUTHORIZATION dba;
SELECT * FROM ringfence.load_owner('forged');
\echo :SQLSTATE
RESET SESSION AUTHORIZATION;
SELECT forge('ringfence.customer', '{"company_id": "b0000000-0000-0000-0000-00000000000c"}');
SET SESSION AUTHORIZATION dba;
\set VERBOSITY terse
SELECT * FROM ringfence.load_owner('forged');
\set VERBOSITY default
\echo :SQLSTATE
RESET SESSION AUTHORIZATION;
SELECT forge('ringfence.ticket', jsonb_build_object('project_id', (SELECT id FROM ringfence.project WHERE owner_id = 'bbbbbbbb-0000-0000-0000-000000000002' AND name = 'Secret')));
SET SESSION AUTHORIZATION dba;
\set VERBOSITY terse
SELECT * FROM ringfence.load_owner('forged');
\set VERBOSITY default
RESET SESSION AUTHORIZATION;
SELECT forge('ringfence.channel', '{"address": "b@example.com", "normal_address": "b@example.com"}');
SET SESSION AUTHORIZATION dba;
SELECT * FROM ringfence.load_owner('forged');
\echo :SQLSTATE
RESET SESSION AUTHORIZATION;
SELECT forge('ringfence.report_view', '{"name": "report_of_b"}');
SET SESSION AUTHORIZATION dba;
SELECT * FROM ringfence.load_owner('forged');
\echo :SQLSTATE
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION app_b;
SELECT count(*) FROM ringfence_report.report_of_b;
RESET SESSION AUTHORIZATION;

-- 271: the file names a table that has no rows of owners, or a table of somebody's.
SELECT forge('ringfence.project', '{}', 'ringfence.signing_key_material');
SET SESSION AUTHORIZATION dba;
SELECT * FROM ringfence.load_owner('forged');
\echo :SQLSTATE
RESET SESSION AUTHORIZATION;
SELECT forge('ringfence.project', '{}', 'public.lines; DROP TABLE lines');
SET SESSION AUTHORIZATION dba;
SELECT * FROM ringfence.load_owner('forged');
RESET SESSION AUTHORIZATION;
SELECT forge('ringfence.project', '{}', 'stranger.bait');
SET SESSION AUTHORIZATION dba;
SELECT * FROM ringfence.load_owner('forged');
RESET SESSION AUTHORIZATION;

-- 272: the file gives access to a role that row-level security does not bind, or to one of the system.
SELECT forge('ringfence.access', '{"role_name": "bypasses_life2", "rights": ["admin"]}');
CREATE ROLE bypasses_life2 BYPASSRLS;
SET SESSION AUTHORIZATION dba;
BEGIN;
SELECT sum(rows) > 0 AS loaded FROM ringfence.load_owner('forged');
ROLLBACK;
RESET SESSION AUTHORIZATION;
DROP ROLE bypasses_life2;
SELECT forge('ringfence.access', '{"role_name": "ringfence_definer", "rights": ["admin"]}');
SET SESSION AUTHORIZATION dba;
BEGIN;
SELECT sum(rows) > 0 AS loaded FROM ringfence.load_owner('forged');
ROLLBACK;
RESET SESSION AUTHORIZATION;
SELECT forge('ringfence.access', '{"role_name": "\"; DROP TABLE lines; --", "rights": ["customer.everything"]}');
SET SESSION AUTHORIZATION dba;
BEGIN;
SELECT sum(rows) > 0 AS loaded FROM ringfence.load_owner('forged');
ROLLBACK;
-- A view would run its owner's functions with the rights of the administrator (326): nothing but a plain table is read.
CREATE VIEW pg_temp.spying AS SELECT "position", relation, line FROM lines WHERE current_user = 'dba' AND current_setting('session_replication_role') = 'origin';
SELECT sum(rows) > 0 AS loaded FROM ringfence.load_owner('pg_temp.spying');
RESET SESSION AUTHORIZATION;
SELECT count(*) FROM ringfence.customer WHERE owner_id = 'bbbbbbbb-0000-0000-0000-000000000002';
