-- ATTACKS 18 to 23: roles. Judged is the role that the session acts as, in whatever code it runs; and what PostgreSQL gives to
-- superusers, to BYPASSRLS and to the owner of a table is pinned here, as the manual tells it.
\set SHOW_CONTEXT never
\set VERBOSITY sqlstate
\set ON_ERROR_ROLLBACK on
\pset tuples_only on
\pset format unaligned
SET client_min_messages = warning;
CREATE ROLE role_pool LOGIN NOINHERIT;     -- a pooler's login: reaches the applications' roles by SET ROLE
CREATE ROLE role_inherit LOGIN INHERIT;    -- a login that has their privileges without
CREATE ROLE role_ab LOGIN;                 -- both owners; writes the functions that others call
GRANT app_a, app_b, app_none TO role_pool;
GRANT app_a, app_b TO role_inherit;
SELECT ringfence.grant_access('role_ab', 'Company A', '{supervisor}'), ringfence.grant_access('role_ab', 'Company B', '{supervisor}') \g /dev/null
CREATE SCHEMA attack;
GRANT ALL ON SCHEMA attack TO PUBLIC;
\set count 'SELECT current_user, count(*) FROM ringfence.customer;'

\echo *** 18: SET ROLE is no sandbox. Every way back leads to the login role, and what it may is judged anew
\c - role_pool
:count
SET ROLE app_a;
:count
RESET ROLE;
:count
SET ROLE app_b;
:count
SET ROLE none;
:count
SET ROLE app_a;
:count
DISCARD ALL;
:count
BEGIN;
SET LOCAL ROLE app_a;
:count ROLLBACK;
:count
BEGIN;
SAVEPOINT s;
SET LOCAL ROLE app_a;
:count ROLLBACK TO s;
:count ROLLBACK;
SET ROLE app_b;
BEGIN;
SET LOCAL ROLE app_a;
SELECT current_user;
COMMIT;
:count
RESET ROLE;
-- What was set for one role is judged for the next: neither the owner nor its rows go along.
BEGIN;
SET LOCAL ROLE app_a;
SET LOCAL ringfence.owner = 'Company A';
:count SET LOCAL ROLE app_b;
:count SET LOCAL ROLE app_none;
:count RESET ROLE;
:count ROLLBACK;
SET ROLE app_a;
SET ringfence.owner = 'Company A';
:count SET ROLE app_b;
:count UPDATE ringfence.customer SET address = 'spoilt';
RESET ringfence.owner;
RESET ROLE;
-- Nor does a cursor, fetched from as the next role; nor a prepared statement, nor a view.
BEGIN;
SET LOCAL ROLE app_a;
DECLARE c CURSOR FOR SELECT name FROM ringfence.customer ORDER BY name COLLATE "C";
FETCH 1 FROM c;
SET LOCAL ROLE app_b;
FETCH ALL FROM c;
ROLLBACK;
BEGIN;
SET LOCAL ROLE app_a;
DECLARE c CURSOR FOR SELECT name FROM ringfence.customer_card;
FETCH 1 FROM c;
RESET ROLE;
FETCH ALL FROM c;
ROLLBACK;
SET ROLE app_a;
PREPARE q AS SELECT current_user, count(*) FROM ringfence.customer_card;
EXECUTE q;
SET ROLE app_b;
EXECUTE q;
SET ROLE app_none;
EXECUTE q;
RESET ROLE;
EXECUTE q;
DEALLOCATE q;
-- Within a transaction the first owner stays, and after enter() the role too.
BEGIN;
SET LOCAL ROLE app_a;
:count SET LOCAL ROLE app_b;
:count UPDATE ringfence.customer_card SET address = 'spoilt';
ROLLBACK;
BEGIN;
SET LOCAL ROLE app_a;
SELECT ringfence.enter('Company A') IS NOT NULL;
:count SET LOCAL ROLE app_b;
:count RESET ROLE;
:count SET LOCAL ROLE app_a;
:count ROLLBACK;
-- A login that inherits has both owners, and so none by default.
\c - role_inherit
:count
BEGIN;
SET LOCAL ringfence.owner = 'Company B';
:count ROLLBACK;
SET ROLE app_a;
:count BEGIN;
SET LOCAL ringfence.owner = 'Company B';
:count ROLLBACK;
-- DOC: whoever runs SQL in such a session reaches every role of its login.
RESET ROLE;
SET ROLE app_b;
:count

\echo *** 19: SET SESSION AUTHORIZATION is for logins of superusers only
\c - role_pool
SET SESSION AUTHORIZATION app_a;
:count
\c - app_a
SET SESSION AUTHORIZATION app_b;
SET ROLE app_b;
:count
-- What is kept of one is not for the next, in either order, with the plan of a function too.
\c - postgres
CREATE FUNCTION attack.planned() RETURNS bigint LANGUAGE plpgsql AS $$BEGIN RETURN (SELECT count(*) FROM ringfence.customer); END$$;
SET plan_cache_mode = force_generic_plan;
SELECT attack.planned();
SET SESSION AUTHORIZATION app_a;
SELECT attack.planned();
SET SESSION AUTHORIZATION app_b;
SELECT attack.planned();
SET SESSION AUTHORIZATION app_none;
SELECT attack.planned();
SET SESSION AUTHORIZATION tickets_a;
SELECT attack.planned();
SET SESSION AUTHORIZATION app_a;
SELECT attack.planned();
RESET SESSION AUTHORIZATION;
SELECT attack.planned();
BEGIN;
SET LOCAL SESSION AUTHORIZATION app_a;
SELECT attack.planned();
SET LOCAL SESSION AUTHORIZATION app_b;
SELECT attack.planned();
ROLLBACK;
RESET plan_cache_mode;
-- CVE-2024-10978: rolled back, it made the role set before it the login role. The counts are then a superuser's.
SET ROLE app_a;
BEGIN;
SET SESSION AUTHORIZATION app_a;
ROLLBACK;
SELECT (current_user = 'app_a' AND (SELECT count(*) FROM ringfence.customer) = 3)
       = (current_setting('server_version_num')::int NOT BETWEEN 150000 AND 150008 AND current_setting('server_version_num')::int NOT BETWEEN 160000 AND 160004 AND current_setting('server_version_num')::int <> 170000) AS as_released;
\c - postgres

\echo *** 20: current_user in a definer function is its owner. Judged is who acts: directly, by SET ROLE, in functions, views, triggers
SET SESSION AUTHORIZATION role_ab;
CREATE VIEW attack.customers AS SELECT owner_id, name FROM ringfence.customer;
CREATE VIEW attack.invoker_customers WITH (security_invoker = true) AS SELECT owner_id, name FROM ringfence.customer;
CREATE VIEW attack.cards AS SELECT owner_id, name, address FROM ringfence.customer_card;
CREATE FUNCTION attack.inner_definer() RETURNS text LANGUAGE sql SECURITY DEFINER AS $$SELECT concat_ws(' ', (SELECT role_name FROM ringfence.whoami()), (SELECT count(*) FROM ringfence.customer), (SELECT count(*) FROM attack.customers), (SELECT count(*) FROM ringfence.search_customers('tsai')))$$;
CREATE FUNCTION attack.rename_all() RETURNS text LANGUAGE sql SECURITY DEFINER AS $$UPDATE ringfence.customer SET address = 'spoilt'; SELECT 'done'$$;
CREATE FUNCTION attack.become() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER AS $$BEGIN SET LOCAL ROLE app_b; RETURN (SELECT count(*) FROM ringfence.customer); END$$;
CREATE TABLE attack.fired (who text, i int);
CREATE FUNCTION attack.fire() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$BEGIN NEW.who := attack.inner_definer(); RETURN NEW; END$$;
CREATE TRIGGER fire BEFORE INSERT ON attack.fired FOR EACH ROW EXECUTE FUNCTION attack.fire();
GRANT SELECT ON attack.customers, attack.invoker_customers TO PUBLIC;
GRANT SELECT, UPDATE ON attack.cards TO PUBLIC;
GRANT SELECT, INSERT ON attack.fired TO PUBLIC;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION app_b;
CREATE FUNCTION attack.outer_definer() RETURNS text LANGUAGE sql SECURITY DEFINER AS 'SELECT attack.inner_definer()';
RESET SESSION AUTHORIZATION;
\set everywhere 'SELECT attack.inner_definer(); SELECT attack.outer_definer(); SELECT count(*) FROM attack.customers; SELECT count(*) FROM attack.cards; INSERT INTO attack.fired VALUES (NULL, 1) RETURNING who; SELECT attack.become();'
SET SESSION AUTHORIZATION app_a;
:everywhere
SELECT count(*) FROM attack.invoker_customers;
SET SESSION AUTHORIZATION app_b;
:everywhere
SET SESSION AUTHORIZATION app_none;
:everywhere
SELECT attack.rename_all();
SET SESSION AUTHORIZATION stranger;
:everywhere
SELECT attack.rename_all();
SET SESSION AUTHORIZATION tickets_a;
:everywhere
SELECT attack.rename_all();
-- No right of the function's owner either: a trainee reads, and writes nothing through it.
SET SESSION AUTHORIZATION trainee_a;
:everywhere
SELECT attack.rename_all();
UPDATE attack.cards SET address = 'spoilt';
SET SESSION AUTHORIZATION role_pool;
SET ROLE app_a;
:everywhere
RESET ROLE;
:everywhere
RESET SESSION AUTHORIZATION;
-- Referential actions, which run as the owner of a table: attack_referential. Maintenance: attack_maintenance.

\echo *** 21: membership of the role that owns the tables
-- Nobody but a superuser gives it, and no application role touches the wall.
SET SESSION AUTHORIZATION app_a;
GRANT ringfence_tables TO app_a;
GRANT ringfence_definer TO app_a;
GRANT ringfence_admin TO app_a;
SET ROLE ringfence_tables;
SET ROLE ringfence_definer;
ALTER TABLE ringfence.customer NO FORCE ROW LEVEL SECURITY;
ALTER TABLE ringfence.customer DISABLE ROW LEVEL SECURITY;
DROP POLICY owner_wall ON ringfence.customer;
ALTER POLICY owner_wall ON ringfence.customer USING (true);
CREATE POLICY mine ON ringfence.customer USING (true);
ALTER TABLE ringfence.customer DISABLE TRIGGER ALL;
ALTER TABLE ringfence.customer OWNER TO app_a;
ALTER VIEW ringfence.customer_card OWNER TO app_a;
CREATE OR REPLACE VIEW ringfence.customer_card AS SELECT 1;
TRUNCATE ringfence.customer CASCADE;
CREATE OR REPLACE FUNCTION ringfence.current_owner() RETURNS uuid LANGUAGE sql AS 'SELECT NULL::uuid';
ALTER FUNCTION ringfence.current_owner() IMMUTABLE;
CREATE FUNCTION ringfence.mine() RETURNS int LANGUAGE sql AS 'SELECT 1';
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION dba;
GRANT ringfence_tables TO dba;
GRANT ringfence_definer TO dba;
ALTER TABLE ringfence.customer NO FORCE ROW LEVEL SECURITY;
DROP POLICY owner_wall ON ringfence.customer;
RESET SESSION AUTHORIZATION;
-- DOC: with it, FORCE still holds, and its holder can take that away.
GRANT ringfence_tables TO app_a;
SET SESSION AUTHORIZATION app_a;
:count
BEGIN;
ALTER TABLE ringfence.customer NO FORCE ROW LEVEL SECURITY;
:count ROLLBACK;
:count
RESET SESSION AUTHORIZATION;
REVOKE ringfence_tables FROM app_a;
-- With the definer's role, which views and functions run as, no row more.
GRANT ringfence_definer TO app_a;
SET SESSION AUTHORIZATION app_a;
:count
SET ROLE ringfence_definer;
:count SELECT count(*) FROM ringfence.access;
SELECT ringfence.store_access('app_a'::regrole, 'app_a', NULL, '{admin}', NULL, 'session', 'app_a');
RESET SESSION AUTHORIZATION;
REVOKE ringfence_definer FROM app_a;

\echo *** 22: BYPASSRLS is not inherited, and SET ROLE reaches it; pg_read_all_data does not pass the wall
CREATE ROLE role_bypass NOLOGIN BYPASSRLS IN ROLE ringfence_user;
CREATE ROLE role_reader LOGIN IN ROLE pg_read_all_data, pg_write_all_data;
CREATE ROLE role_creator LOGIN CREATEROLE;
GRANT role_bypass TO app_a;
SET SESSION AUTHORIZATION app_a;
:count
-- DOC: it is a superuser's to give away, and then the wall does not bind.
SET ROLE role_bypass;
:count
SET row_security = off;
:count RESET row_security;
RESET SESSION AUTHORIZATION;
REVOKE role_bypass FROM app_a;
SET SESSION AUTHORIZATION app_a;
SET ROLE role_bypass;
SET row_security = off;
:count RESET row_security;
:count
RESET SESSION AUTHORIZATION;
\set VERBOSITY terse
SELECT ringfence.grant_access('role_bypass', 'Company A', '{agent}');
\set VERBOSITY sqlstate
-- All data, and no access; then access to one owner: its rows, and of those every column.
SET SESSION AUTHORIZATION role_reader;
:count UPDATE ringfence.customer SET address = 'spoilt';
SELECT count(*) FROM ringfence.owner;
SELECT count(*) FROM ringfence.access;
COPY ringfence.customer (name) TO STDOUT;
RESET SESSION AUTHORIZATION;
SELECT ringfence.grant_access('role_reader', 'Company B', '{trainee}');
UPDATE ringfence.customer SET attributes = '{"masked": "CANARY-B"}' WHERE address = 'CANARY-B';
SET SESSION AUTHORIZATION role_reader;
:count SELECT count(*) FROM ringfence.customer_card;
SELECT count(*) FROM ringfence.access;
SET ringfence.owner = 'Company A';
:count RESET ringfence.owner;
UPDATE ringfence.customer SET address = 'spoilt';
-- DOC: masked and unbound fields too, since those are kept from roles by the privilege on the column.
SELECT DISTINCT attributes FROM ringfence.customer;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION app_b;
SELECT DISTINCT attributes FROM ringfence.customer;
RESET SESSION AUTHORIZATION;
-- DOC: up to PostgreSQL 15 CREATEROLE reaches every role but superusers, from 16 on only those that it was given to administer.
CREATE FUNCTION attack.outcome(statement text) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN EXECUTE statement; RETURN true; EXCEPTION WHEN insufficient_privilege THEN RETURN false; END$$;
SET SESSION AUTHORIZATION role_creator;
SELECT role, attack.outcome(format('GRANT %I TO role_creator', role)) = (current_setting('server_version_num')::int < 160000) AS as_released
  FROM unnest(ARRAY['role_bypass', 'app_b', 'ringfence_admin', 'ringfence_definer', 'ringfence_tables', 'ringfence_user']) role;
SELECT attack.outcome('GRANT postgres TO role_creator');
RESET SESSION AUTHORIZATION;
-- From 16 on it has none of them.
SET client_min_messages = error;
DROP OWNED BY role_creator;
REVOKE role_bypass, app_b, ringfence_admin, ringfence_definer, ringfence_tables, ringfence_user FROM role_creator;
SET client_min_messages = warning;

\echo *** 23: FORCE binds neither superusers nor BYPASSRLS, nor what belongs to them
-- The functions and views of ringfence belong to none of those (catalog lists them all, and their owners).
SELECT count(*) FILTER (WHERE r.rolsuper OR r.rolbypassrls), count(*) > 0 FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner WHERE p.pronamespace = 'ringfence'::regnamespace AND p.prosecdef;
SELECT count(*) FILTER (WHERE r.rolsuper OR r.rolbypassrls), count(*) > 0 FROM pg_class c JOIN pg_roles r ON r.oid = c.relowner WHERE c.relnamespace = 'ringfence'::regnamespace AND c.relkind IN ('r', 'p', 'v') AND NOT coalesce(c.reloptions @> '{security_invoker=true}', false);
-- DOC: a superuser's function or view shows everything to whoever may use it, whatever row_security says.
CREATE FUNCTION attack.by_superuser() RETURNS bigint LANGUAGE sql SECURITY DEFINER SET row_security = on AS 'SELECT count(*) FROM ringfence.customer';
CREATE VIEW attack.superusers_view AS SELECT name FROM ringfence.customer;
CREATE VIEW attack.superusers_cards AS SELECT name FROM ringfence.customer_card;
GRANT SELECT ON attack.superusers_view, attack.superusers_cards TO PUBLIC;
SET SESSION AUTHORIZATION app_a;
SELECT attack.by_superuser();
SELECT count(*) FROM attack.superusers_view;
-- Not so through customer_card, which reads as the definer, and the definer for whoever acts.
SELECT count(*) FROM attack.superusers_cards;
SELECT set_config('row_security', 'off', false);
SELECT count(*) FROM ringfence.customer;
SELECT count(*) FROM ringfence.customer_card;
RESET row_security;
RESET SESSION AUTHORIZATION;
SELECT count(*) FROM ringfence.customer;
SELECT count(*) FROM ringfence.customer WHERE address = 'spoilt';
SET client_min_messages = warning;
DROP SCHEMA attack CASCADE;
DROP OWNED BY role_pool, role_inherit, role_ab, role_bypass, role_reader, role_creator;
DROP ROLE role_pool, role_inherit, role_ab, role_bypass, role_reader, role_creator;
