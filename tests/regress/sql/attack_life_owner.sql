-- Attacks on owners and their deletion by those who may administer them, or have damaged the wall (276, 278, 279, 284, 288, 289).
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;

-- 289: a SECURITY DEFINER function of somebody else's exports by the right of whoever calls it, and could keep what it reads.
CREATE FUNCTION public.keep_export() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS $$ SELECT count(*) FROM ringfence.export_owner('Company A') $$;
ALTER FUNCTION public.keep_export() OWNER TO app_a;
SET SESSION AUTHORIZATION boss_a;
SELECT public.keep_export() > 0 AS exported;
\echo :SQLSTATE
RESET SESSION AUTHORIZATION;

-- 276: an administrator, or an ORM that writes all columns, marks owners as being deleted: for good, and the house owner too.
SET SESSION AUTHORIZATION dba;
UPDATE ringfence.owner SET enabled = false, purge_began_at = now() WHERE name = 'Company B';
\echo :SQLSTATE
UPDATE ringfence.owner SET enabled = false, purge_began_at = now() WHERE id = '00000000-0000-0000-0000-000000000000';
\echo :SQLSTATE
INSERT INTO ringfence.owner (name, enabled, purge_began_at) VALUES ('New', false, now());
\echo :SQLSTATE
SELECT name, enabled FROM ringfence.owner WHERE purge_began_at IS NOT NULL;
SELECT ringfence.begin_purge('Company C', 'Company C', 10);
SELECT name, enabled FROM ringfence.owner WHERE purge_began_at IS NOT NULL;
UPDATE ringfence.owner SET enabled = true WHERE name = 'Company C';
\echo :SQLSTATE
UPDATE ringfence.owner SET purge_began_at = NULL WHERE name = 'Company C';
\echo :SQLSTATE
RESET SESSION AUTHORIZATION;
-- Not even a superuser marks the house owner, or one that is enabled. It may think better of it.
\set VERBOSITY sqlstate
UPDATE ringfence.owner SET enabled = false, purge_began_at = now() WHERE id = '00000000-0000-0000-0000-000000000000';
UPDATE ringfence.owner SET purge_began_at = now() WHERE name = 'Company B';
\set VERBOSITY default
UPDATE ringfence.owner SET enabled = true, purge_began_at = NULL WHERE name = 'Company C';
SELECT name, enabled, purge_began_at FROM ringfence.owner WHERE name = 'Company C';

-- 278: something keeps the owner itself, and the proof says that all is gone.
CREATE FUNCTION public.keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER keep BEFORE DELETE ON ringfence.owner FOR EACH ROW EXECUTE FUNCTION public.keep();
SET SESSION AUTHORIZATION dba;
SELECT sum(deleted) > 0 AS deleted, sum(remaining) AS remaining FROM ringfence.delete_owner('Company B', 'Company B');
\echo :SQLSTATE
CALL ringfence.purge_owner('Company C', 'Company C');
\echo :SQLSTATE
SELECT name, enabled FROM ringfence.owner WHERE name IN ('Company B', 'Company C') ORDER BY name;
RESET SESSION AUTHORIZATION;
DROP TRIGGER keep ON ringfence.owner;
SELECT count(*) FROM ringfence.customer WHERE owner_id = 'bbbbbbbb-0000-0000-0000-000000000002';
SET SESSION AUTHORIZATION dba;
CALL ringfence.purge_owner('Company C', 'Company C', 3);
SELECT name FROM ringfence.owner WHERE name = 'Company C';
RESET SESSION AUTHORIZATION;

-- 279: the wall of a table is damaged, and its rows are left out of counts, proof and export.
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.log_interaction('call') IS NOT NULL AS logged;
RESET SESSION AUTHORIZATION;
ALTER TABLE ringfence.interaction NO FORCE ROW LEVEL SECURITY;
SET SESSION AUTHORIZATION boss_a;
SELECT count(*) FROM ringfence.export_owner('Company A');
\echo :SQLSTATE
SET SESSION AUTHORIZATION dba;
SELECT * FROM ringfence.delete_owner_preview('Company A');
SELECT ringfence.deletion_question('Company A');
SELECT sum(remaining) FROM ringfence.delete_owner('Company A', 'Company A');
CALL ringfence.purge_owner('Company A', 'Company A');
SELECT name FROM ringfence.owner WHERE NOT enabled;
RESET SESSION AUTHORIZATION;
ALTER TABLE ringfence.interaction FORCE ROW LEVEL SECURITY;
ALTER TABLE ringfence.profile DISABLE ROW LEVEL SECURITY;
SET SESSION AUTHORIZATION dba;
SELECT * FROM ringfence.delete_owner_preview('Company A');
RESET SESSION AUTHORIZATION;
ALTER TABLE ringfence.profile ENABLE ROW LEVEL SECURITY;
ALTER POLICY owner_wall ON ringfence.channel TO dba;
SET SESSION AUTHORIZATION dba;
SELECT * FROM ringfence.delete_owner_preview('Company A');
RESET SESSION AUTHORIZATION;
ALTER POLICY owner_wall ON ringfence.channel TO PUBLIC;
ALTER TABLE ringfence.script OWNER TO dba;
SET SESSION AUTHORIZATION dba;
SELECT * FROM ringfence.delete_owner_preview('Company A');
RESET SESSION AUTHORIZATION;
ALTER TABLE ringfence.script OWNER TO ringfence_tables;
-- A table of an application's that would lose rows uncounted; one that keeps rows from being deleted does so itself.
CREATE TABLE public.note (owner_id uuid, customer_id uuid, FOREIGN KEY (owner_id, customer_id) REFERENCES ringfence.customer ON DELETE CASCADE);
INSERT INTO public.note VALUES ('aaaaaaaa-0000-0000-0000-000000000001', 'a0000000-0000-0000-0000-000000000001');
SET SESSION AUTHORIZATION dba;
SELECT sum(remaining) FROM ringfence.delete_owner('Company A', 'Company A');
\echo :SQLSTATE
CALL ringfence.purge_owner('Company A', 'Company A');
\echo :SQLSTATE
RESET SESSION AUTHORIZATION;
ALTER TABLE public.note DROP CONSTRAINT note_owner_id_customer_id_fkey, ADD FOREIGN KEY (owner_id, customer_id) REFERENCES ringfence.customer;
SET SESSION AUTHORIZATION dba;
SELECT sum(remaining) FROM ringfence.delete_owner('Company A', 'Company A');
\echo :SQLSTATE
RESET SESSION AUTHORIZATION;
DROP TABLE public.note;
SELECT count(*) FROM ringfence.customer WHERE owner_id = 'aaaaaaaa-0000-0000-0000-000000000001';

-- 284: a purge begins, which is for good, where none of its batches can run.
SET SESSION AUTHORIZATION dba;
SET default_transaction_isolation = 'repeatable read';
CALL ringfence.purge_owner('Company B', 'Company B');
\echo :SQLSTATE
RESET default_transaction_isolation;
CALL ringfence.purge_owner('Company B', 'Company B', 2147483647);
\echo :SQLSTATE
CALL ringfence.purge_owner('Company B', 'Company B', 0);
\echo :SQLSTATE
CALL ringfence.purge_owner('Company B', 'Company B', NULL);
SELECT name FROM ringfence.owner WHERE NOT enabled;
RESET SESSION AUTHORIZATION;

-- 288: rows that were written past the triggers, as a subscriber writes them, belong to no owner any more.
SET session_replication_role = replica;
INSERT INTO ringfence.company (owner_id, name) VALUES ('dddddddd-0000-0000-0000-000000000004', 'Nobody''s');
RESET session_replication_role;
SELECT * FROM ringfence.rows_without_owner();
SET SESSION AUTHORIZATION dba;
SELECT * FROM ringfence.rows_without_owner();
\echo :SQLSTATE
RESET SESSION AUTHORIZATION;
