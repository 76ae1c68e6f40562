-- Attacks on the history (ATTACKS 240 to 245).
\set SHOW_CONTEXT never
\pset null -
CREATE ROLE attack_history LOGIN;
SET ROLE dba;
SELECT ringfence.grant_access('attack_history', 'Company A', '{supervisor}') \g /dev/null
RESET ROLE;
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.create_field('Plan', projects => '{Sales}') \g /dev/null
SELECT ringfence.create_field('Case', projects => '{Support}') \g /dev/null
SELECT ringfence.create_field('Secret', projects => '{Sales,Support}', is_masked => true) \g /dev/null
UPDATE ringfence.customer_card SET attributes = '{"Plan": "CANARY-Plan", "Secret": "CANARY-Secret", "Case": "C-1"}' WHERE name = 'Chen Wei';
UPDATE ringfence.customer_card SET attributes = '{"Plan": "CANARY-Plan 2", "Secret": "CANARY-Secret 2", "Case": "C-2"}' WHERE name = 'Chen Wei';
RESET SESSION AUTHORIZATION;

\echo 240: nobody writes, changes or deletes history, nor reads the table
SET SESSION AUTHORIZATION boss_a;
SELECT * FROM ringfence.change;
SELECT count(*) FROM ringfence.change;
INSERT INTO ringfence.change (customer_id, at, kind, role_name) VALUES ('a0000000-0000-0000-0000-000000000002', now(), 'set', 'app_a');
UPDATE ringfence.change SET role_name = 'app_a';
DELETE FROM ringfence.change;
TRUNCATE ringfence.change;
COPY ringfence.change TO stdout;
EXPLAIN ANALYZE SELECT FROM ringfence.change;
SELECT ringfence.note_erased_customer('a0000000-0000-0000-0000-000000000002', 'x');
SELECT * FROM ringfence.seen_changes('a0000000-0000-0000-0000-000000000002');
SET ringfence.keep_history = 'none';
CREATE TEMP TABLE mine (id uuid);
CREATE TRIGGER mine AFTER INSERT ON mine FOR EACH ROW EXECUTE FUNCTION ringfence.keep_history();
CREATE TRIGGER mine BEFORE INSERT ON mine FOR EACH ROW EXECUTE FUNCTION ringfence.judge_authority();
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION dba;
INSERT INTO ringfence.change (owner_id, customer_id, at, kind, role_name) VALUES ('aaaaaaaa-0000-0000-0000-000000000001', 'a0000000-0000-0000-0000-000000000002', now(), 'set', 'app_a');
UPDATE ringfence.change SET role_name = 'app_a';
DELETE FROM ringfence.change;
SELECT ringfence.forget_history(now());
SELECT * FROM ringfence.history('a0000000-0000-0000-0000-000000000002');
RESET SESSION AUTHORIZATION;
-- On another table the triggers do nothing, also where a superuser puts them.
CREATE TABLE mine (id uuid);
CREATE TRIGGER mine AFTER INSERT ON mine FOR EACH ROW EXECUTE FUNCTION ringfence.keep_history();
INSERT INTO mine VALUES (NULL);
DROP TRIGGER mine ON mine;
CREATE TRIGGER mine BEFORE INSERT ON mine FOR EACH ROW EXECUTE FUNCTION ringfence.judge_authority();
INSERT INTO mine VALUES (NULL);
DROP TABLE mine;

\echo 241: history of fields that the session does not see
SET SESSION AUTHORIZATION support_a;
SELECT field, kind, old, new, is_masked FROM ringfence.history('a0000000-0000-0000-0000-000000000002') ORDER BY at, id;
SELECT count(*) FROM ringfence.history('a0000000-0000-0000-0000-000000000002') AS h WHERE h::text LIKE '%CANARY%';
SELECT * FROM ringfence.history('a0000000-0000-0000-0000-000000000002', 'Plan');
SELECT * FROM ringfence.history('a0000000-0000-0000-0000-000000000002', 'No such field');
SELECT * FROM ringfence.datum('a0000000-0000-0000-0000-000000000002', 'Plan');
SELECT * FROM ringfence.datum('a0000000-0000-0000-0000-000000000002', 'Secret');
SELECT * FROM ringfence.datum('a0000000-0000-0000-0000-000000000002', 'No such field');
SELECT field FROM ringfence.creators('a0000000-0000-0000-0000-000000000002');
SELECT count(*) FROM ringfence.search_customers('CANARY');
-- EXPLAIN shows the function, and not what is in it.
EXPLAIN (COSTS OFF) SELECT old FROM ringfence.history('a0000000-0000-0000-0000-000000000002') WHERE field = 'Plan';
-- A function of the reader's own gets what is shown, and no more.
CREATE FUNCTION pg_temp.peek(value jsonb) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS $$ BEGIN IF value IS NOT NULL THEN RAISE NOTICE '%', value; END IF; RETURN true; END $$;
SELECT count(*) FROM ringfence.history('a0000000-0000-0000-0000-000000000002') WHERE pg_temp.peek(new);
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION tickets_a;
SELECT * FROM ringfence.history('a0000000-0000-0000-0000-000000000002');
SELECT * FROM ringfence.creators('a0000000-0000-0000-0000-000000000002');
SELECT * FROM ringfence.datum('a0000000-0000-0000-0000-000000000002', 'name');
SELECT * FROM ringfence.left_out();
RESET SESSION AUTHORIZATION;

\echo 242: history of another owner's customer is that of one that does not exist
SET SESSION AUTHORIZATION attack_history;
SELECT * FROM ringfence.history('b0000000-0000-0000-0000-000000000001');
SELECT * FROM ringfence.history('c0000000-0000-0000-0000-00000000dead');
SELECT * FROM ringfence.creators('b0000000-0000-0000-0000-000000000001');
SELECT * FROM ringfence.datum('b0000000-0000-0000-0000-000000000001', 'name');
SELECT * FROM ringfence.datum('c0000000-0000-0000-0000-00000000dead', 'name');
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.erase_customer('b0000000-0000-0000-0000-000000000001', 'not mine');
SELECT ringfence.erase_customer('c0000000-0000-0000-0000-00000000dead', 'not mine');
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION app_a;
SELECT ringfence.erase_customer('a0000000-0000-0000-0000-000000000002', 'no right');
SELECT ringfence.erase_customer('b0000000-0000-0000-0000-000000000002', 'no right');
RESET SESSION AUTHORIZATION;
SELECT count(*) FROM ringfence.customer;

\echo 243: a statement of several customers, a cascade and COPY leave their traces
SET SESSION AUTHORIZATION attack_history;
UPDATE ringfence.customer SET language = 'zh' WHERE true;
SELECT name, (SELECT count(*) FROM ringfence.history(id, 'language')) AS changes FROM ringfence.customer ORDER BY name;
DELETE FROM ringfence.company WHERE name = 'Formosa Tea';
SELECT kind, old IS NOT NULL AS old, new, role_name FROM ringfence.history('a0000000-0000-0000-0000-000000000001', 'company_id');
COPY ringfence.customer_card (id, name) FROM stdin WITH (FORMAT csv);
a0000000-0000-0000-0000-0000000000c0,Copied
\.
SELECT kind, field FROM ringfence.history('a0000000-0000-0000-0000-0000000000c0');
RESET SESSION AUTHORIZATION;

\echo 244: a restore brings the history, and does not write it again
SET row_security = off;
INSERT INTO ringfence.customer (owner_id, id, name) VALUES ('aaaaaaaa-0000-0000-0000-000000000001', 'a0000000-0000-0000-0000-0000000000c1', 'Restored');
RESET row_security;
SELECT count(*) FROM ringfence.change WHERE customer_id = 'a0000000-0000-0000-0000-0000000000c1';

\echo 245: a session that is no restore, and says that it is one
SET SESSION AUTHORIZATION attack_history;
SET row_security = off;
UPDATE ringfence.customer_card SET address = 'Untraced' WHERE name = 'Chen Wei';
UPDATE ringfence.customer SET address = 'Untraced' WHERE name = 'Chen Wei';
INSERT INTO ringfence.customer_card (name) VALUES ('Untraced');
RESET row_security;
SET session_replication_role = replica;
SELECT count(*) FROM ringfence.customer WHERE address = 'Untraced' OR name = 'Untraced';
RESET SESSION AUTHORIZATION;
-- Roles belong to the cluster.
\c - postgres
SET client_min_messages = warning;
DROP OWNED BY attack_history;
DROP ROLE attack_history;
