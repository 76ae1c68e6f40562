-- ATTACKS 149, and what parallel workers make possible: a worker is a backend that knows of its leader what it was told.
\set SHOW_CONTEXT never
\set VERBOSITY terse
CREATE SCHEMA attack;
GRANT ALL ON SCHEMA attack TO PUBLIC;
CREATE FUNCTION attack.in_workers() RETURNS void LANGUAGE sql AS $$
    SELECT set_config(CASE WHEN current_setting('server_version_num')::integer >= 160000 THEN 'debug_parallel_query' ELSE 'force_parallel_mode' END, 'regress', false)
$$;
-- Whatever a function does, its author may call it PARALLEL SAFE.
CREATE FUNCTION attack.hop(owner text) RETURNS text LANGUAGE plpgsql PARALLEL SAFE AS
    $$BEGIN PERFORM ringfence.enter(owner); RETURN (SELECT string_agg(name, ', ' ORDER BY name COLLATE "C") FROM ringfence.customer); END$$;
CREATE FUNCTION attack.hop_by_token(token text) RETURNS bigint LANGUAGE plpgsql PARALLEL SAFE AS
    $$BEGIN PERFORM ringfence.login(token); RETURN (SELECT count(*) FROM ringfence.customer); END$$;
CREATE FUNCTION attack.counted() RETURNS bigint LANGUAGE plpgsql PARALLEL SAFE AS $$BEGIN RETURN (SELECT count(*) FROM ringfence.customer); END$$;

\echo a worker enters nothing: not another owner, and not the same one without the limits of a token
\c - app_ab
SELECT attack.in_workers() \g /dev/null
BEGIN;
SELECT ringfence.enter('Company A') IS NOT NULL AS entered;
SELECT count(*) FROM ringfence.customer;
SELECT attack.hop('Company B');
ROLLBACK;
SELECT attack.hop('Company B');
SELECT attack.hop_by_token(token());
BEGIN;
SELECT ringfence.login(token('{"rights": ["ticket.read"]}')) IS NOT NULL AS bound;
SELECT attack.counted();
SELECT attack.hop('Company A');
ROLLBACK;
BEGIN;
SELECT ringfence.enter('Company A') IS NOT NULL AS entered;
SELECT attack.counted();
ROLLBACK;
SELECT attack.counted();

\echo what a worker uses its leader has used
BEGIN;
SET LOCAL ringfence.owner = 'Company A';
SELECT attack.counted();
SET LOCAL ringfence.owner = 'Company B';
SELECT count(*) FROM ringfence.customer;
ROLLBACK;

\echo 27: a worker fills no cursor WITH HOLD that its leader may not fill
CREATE FUNCTION attack.names() RETURNS SETOF text LANGUAGE plpgsql AS $$BEGIN RETURN QUERY SELECT name FROM ringfence.customer; END$$;
SET parallel_leader_participation = off;
SET plan_cache_mode = force_generic_plan;
BEGIN;
SET LOCAL ringfence.owner = 'Company A';
SELECT count(*) FROM attack.names();
COMMIT;
BEGIN;
DECLARE c CURSOR WITH HOLD FOR SELECT * FROM attack.names();
SET LOCAL ringfence.owner = 'Company A';
COMMIT;
SELECT count(*) FROM pg_cursors;

\echo what was refused leaves nothing behind: a token whose source the role may not act as
\c - postgres
CREATE ROLE worker_crm LOGIN;
SET ROLE dba;
SELECT ringfence.grant_access('worker_crm', 'Company A', '{agent}', sources => '{crm}', binding => 'token') \g /dev/null
\c - worker_crm
BEGIN;
SAVEPOINT s;
SELECT ringfence.login(token('{"source": "erp"}'));
ROLLBACK TO s;
SELECT bound, owner_name FROM ringfence.whoami();
ROLLBACK;
BEGIN;
SAVEPOINT s;
SELECT ringfence.login(token('{"source": "erp"}'));
ROLLBACK TO s;
SELECT count(*) FROM ringfence.customer;
ROLLBACK;
DO $$BEGIN
    BEGIN PERFORM ringfence.login(token('{"source": "erp"}')); EXCEPTION WHEN OTHERS THEN RAISE NOTICE '%', sqlerrm; END;
    RAISE NOTICE 'customers: %', (SELECT count(*) FROM ringfence.customer);
END$$;

\echo where it takes a token, even the names of owners do
\c - app_token
SELECT name FROM ringfence.owner;
BEGIN;
SELECT ringfence.login(token('{"rights": []}')) IS NOT NULL AS bound;
SELECT name FROM ringfence.owner;
ROLLBACK;

\echo a token for a project is access to that project
\c - postgres
SET ROLE dba;
SELECT ringfence.grant_access('app_token', 'Company A', '{admin}', binding => 'token') \g /dev/null
\c - app_token
BEGIN;
SELECT ringfence.login(token('{"project": "Sales"}')) IS NOT NULL AS bound;
SELECT name FROM ringfence.project ORDER BY name;
SELECT rights FROM ringfence.whoami();
SAVEPOINT s;
SELECT ringfence.grant_access('app_a', 'Company A', '{admin}');
ROLLBACK TO s;
SAVEPOINT s;
SELECT ringfence.create_profile('mine', '{customer.read}');
ROLLBACK TO s;
SAVEPOINT s;
UPDATE ringfence.project SET enabled = false;
ROLLBACK TO s;
SAVEPOINT s;
SELECT ringfence.create_field('x');
ROLLBACK TO s;
ROLLBACK;
\c - postgres
DROP SCHEMA attack CASCADE;
DROP OWNED BY worker_crm;
DROP ROLE worker_crm;
