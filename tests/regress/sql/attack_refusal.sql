-- A refused owner: the work is the same whether the owner exists, is disabled, or does not exist, however many entries others have for it.
-- What is compared is what PostgreSQL counts of the tables that access is decided from: scans, rows, and pages.
\set SHOW_CONTEXT never
\set VERBOSITY terse
\pset tuples_only on
\pset format unaligned
SET client_min_messages = warning;
DO $$
BEGIN
    FOR n IN 1 .. 300 LOOP
        EXECUTE format('CREATE ROLE refusal_%s', n);
        PERFORM ringfence.grant_access(format('refusal_%s', n), 'Company B', '{agent}');
    END LOOP;
END
$$;
-- Not of app_a's, and disabled.
INSERT INTO ringfence.owner (id, name, enabled) VALUES ('dddddddd-0000-0000-0000-000000000004', 'Company D', false);
VACUUM ANALYZE ringfence.owner, ringfence.access, ringfence.profile, ringfence.project;
CREATE TABLE public.work (asked text, how text, first bigint[], again bigint[]);
GRANT ALL ON public.work TO PUBLIC;
-- Roles that the wall binds do not see these counts.
GRANT pg_read_all_stats TO app_a;

-- What the backend has counted, table by table and index by index, since it last reported.
CREATE FUNCTION public.counted() RETURNS bigint[] LANGUAGE sql VOLATILE AS $$
    SELECT array_agg(n ORDER BY c.relname, place)
      FROM pg_class c LEFT JOIN pg_index i ON i.indexrelid = c.oid
      JOIN pg_class t ON t.oid = coalesce(i.indrelid, c.oid)
     CROSS JOIN LATERAL unnest(ARRAY[pg_stat_get_xact_numscans(c.oid), pg_stat_get_xact_tuples_returned(c.oid),
                                     pg_stat_get_xact_tuples_fetched(c.oid), pg_stat_get_xact_blocks_fetched(c.oid)]) WITH ORDINALITY AS u(n, place)
     WHERE t.relnamespace = 'ringfence'::regnamespace AND t.relname IN ('owner', 'access', 'profile', 'project') AND c.relkind IN ('r', 'i')
$$;
CREATE FUNCTION public.work_of(asked text, how text) RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE
    before bigint[] := public.counted();
BEGIN
    BEGIN
        IF how = 'enter' THEN
            PERFORM ringfence.enter(asked);
        ELSE
            PERFORM set_config('ringfence.owner', asked, true);
            PERFORM count(*) FROM ringfence.customer;
        END IF;
        RAISE NOTICE '"%" was not refused', asked;
    EXCEPTION WHEN insufficient_privilege THEN
    END;
    RETURN (SELECT array_agg(a - b ORDER BY place) FROM unnest(public.counted(), before) WITH ORDINALITY AS u(a, b, place));
END
$$;
-- The first time in a session, and once the session knows what it may.
\set work 'DO $$ BEGIN PERFORM count(*) FROM public.work; PERFORM public.counted(); END $$; INSERT INTO public.work SELECT :''asked'', :''how'', public.work_of(:''asked'', :''how''), public.work_of(:''asked'', :''how'');'

\echo *** Each in a session of its own
\set how enter
\c - app_a
\set asked 'Company B'
:work
\c - app_a
\set asked 'bbbbbbbb-0000-0000-0000-000000000002'
:work
\c - app_a
\set asked 'Company C'
:work
\c - app_a
\set asked 'Company D'
:work
\c - app_a
\set asked 'dddddddd-0000-0000-0000-000000000004'
:work
\c - app_a
\set asked 'Nobody Ltd'
:work
\c - app_a
\set asked 'eeeeeeee-0000-0000-0000-000000000005'
:work
\set how set
\c - app_a
\set asked 'Company B'
:work
\c - app_a
\set asked 'bbbbbbbb-0000-0000-0000-000000000002'
:work
\c - app_a
\set asked 'Company D'
:work
\c - app_a
\set asked 'Nobody Ltd'
:work
\c - app_a
\set asked 'eeeeeeee-0000-0000-0000-000000000005'
:work
\c - postgres
REVOKE pg_read_all_stats FROM app_a;
SELECT how, count(*) AS asked, count(DISTINCT first) AS kinds_of_work, count(DISTINCT again) AS kinds_again, bool_or(0 <> ANY (first)) AS counts FROM public.work GROUP BY how ORDER BY how;

\echo *** A list of owners is made of rows that the role may see, found by the primary key
\c - app_ab
SET enable_seqscan = on;
EXPLAIN (ANALYZE, BUFFERS OFF, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT name FROM ringfence.owner \g |$PG_ABS_SRCDIR/plan.sh
EXPLAIN (ANALYZE, BUFFERS OFF, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT name FROM ringfence.owner WHERE enabled ORDER BY id \g |$PG_ABS_SRCDIR/plan.sh
\c - app_none
EXPLAIN (ANALYZE, BUFFERS OFF, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT name FROM ringfence.owner \g |$PG_ABS_SRCDIR/plan.sh
\c - dba
SELECT string_agg(name, ', ' ORDER BY name) FROM ringfence.owner;
-- What is inserted is in reach of who inserts it, in the same statement.
INSERT INTO ringfence.owner (name) VALUES ('Company E'), ('Company F') RETURNING name, enabled;
INSERT INTO ringfence.owner (name) VALUES ('Company E') ON CONFLICT (name) DO UPDATE SET description = 'again' RETURNING name, description;
BEGIN;
SAVEPOINT s;
INSERT INTO ringfence.owner (name) VALUES ('Company G') RETURNING name;
ROLLBACK TO s;
SELECT name FROM ringfence.owner WHERE name = 'Company G';
COMMIT;
WITH gone AS (DELETE FROM ringfence.owner WHERE name IN ('Company E', 'Company F') RETURNING name) SELECT string_agg(name, ', ' ORDER BY name) FROM gone;

\echo *** What a role holds: by membership, and not by a name that another role had
\c - postgres
SET client_min_messages = warning;
CREATE ROLE refusal_group;
CREATE ROLE refusal_middle;
CREATE ROLE refusal_member LOGIN;
CREATE ROLE refusal_apart LOGIN NOINHERIT;
GRANT refusal_group TO refusal_middle;
GRANT refusal_middle TO refusal_member, refusal_apart;
GRANT ringfence_user TO refusal_member, refusal_apart;
SELECT ringfence.grant_access('refusal_group', 'Company B', '{agent}'), ringfence.grant_access('refusal_middle', 'Company A', '{sponsor}') \g /dev/null
\c - refusal_member
SELECT string_agg(name, ', ' ORDER BY name) FROM ringfence.owner;
BEGIN;
SELECT ringfence.enter('Company B');
SELECT rights FROM ringfence.whoami();
COMMIT;
\c - refusal_apart
-- It inherits nothing, not even the use of the schema.
SELECT string_agg(name, ', ' ORDER BY name) FROM ringfence.owner;
SET ROLE refusal_middle;
SELECT string_agg(name, ', ' ORDER BY name) FROM ringfence.owner;
SET ROLE refusal_group;
SELECT string_agg(name, ', ' ORDER BY name) FROM ringfence.owner;
RESET ROLE;
\c - postgres
REVOKE refusal_group FROM refusal_middle;
\c - refusal_member
SELECT string_agg(name, ', ' ORDER BY name) FROM ringfence.owner;
\c - postgres
ALTER ROLE refusal_middle RENAME TO refusal_renamed;
\c - refusal_member
SELECT string_agg(name, ', ' ORDER BY name) FROM ringfence.owner;
\c - postgres
SET client_min_messages = warning;
-- A superuser has the privileges of every role.
SELECT count(*) FROM ringfence.owner WHERE id = ANY (ringfence.owners_in_reach());

\echo *** The default owner, disabled in the transaction that works for it
CREATE ROLE refusal_both LOGIN;
GRANT ringfence_admin TO refusal_both;
SELECT ringfence.grant_access('refusal_both', 'Company A', '{agent}') \g /dev/null
\set VERBOSITY sqlstate
\c - refusal_both
BEGIN;
SELECT count(*) FROM ringfence.customer;
UPDATE ringfence.owner SET enabled = false WHERE name = 'Company A';
SAVEPOINT s;
SELECT count(*) FROM ringfence.customer;
ROLLBACK TO s;
UPDATE ringfence.owner SET enabled = true WHERE name = 'Company A';
SELECT count(*) FROM ringfence.customer;
-- With an owner more there is no default, and the one that was used can be used no more without naming it.
SELECT ringfence.grant_access('refusal_both', 'Company B', '{agent}');
SELECT count(*) FROM ringfence.customer;
ROLLBACK;

\c - postgres
SET client_min_messages = warning;
DO $$ BEGIN FOR n IN 1 .. 300 LOOP EXECUTE format('DROP ROLE refusal_%s', n); END LOOP; END $$;
DROP OWNED BY refusal_group, refusal_renamed, refusal_member, refusal_apart, refusal_both;
DROP ROLE refusal_group, refusal_renamed, refusal_member, refusal_apart, refusal_both;
