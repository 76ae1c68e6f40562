-- Attacks on report views: given to another owner, locked by who may not read them, dropped under a running statement.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
SELECT ringfence.grant_access('app_b', 'Company B', '{admin}') \g /dev/null
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.create_field('Plan', projects => '{Sales}'), ringfence.create_field('Score', 'number', '{Sales,Support}'),
       ringfence.create_report_view('Sales', 'attacked') \g /dev/null
UPDATE ringfence.customer_card SET attributes = '{"Plan": "gold", "Score": 7}' WHERE name = 'Chen Wei';
RESET SESSION AUTHORIZATION;

-- The view has the wall's own condition: the owner's rows are looked up by it, and counted once.
SET SESSION AUTHORIZATION app_a;
SELECT pg_get_viewdef('ringfence_report.attacked') ~ 'WHERE \(\((customer\.)?owner_id = ringfence.current_owner\(\)\) AND ringfence.reports\(' AS first;
CREATE FUNCTION pg_temp.plan(query text) RETURNS SETOF text LANGUAGE plpgsql SET enable_seqscan = off SET enable_bitmapscan = off AS $$
BEGIN RETURN QUERY EXECUTE 'EXPLAIN (COSTS OFF) ' || query; END $$;
SELECT btrim(line) AS plan FROM pg_temp.plan('SELECT name FROM ringfence_report.attacked WHERE customer_id = ''a0000000-0000-0000-0000-000000000001''') AS line WHERE line ~ 'Index';
SELECT count(*) FROM ringfence_report.attacked;
RESET SESSION AUTHORIZATION;

-- Of another owner, whom row-level security does not bind: refused, also where no row is read, or by a function that asks for each.
ALTER VIEW ringfence_report.attacked OWNER TO postgres;
SET SESSION AUTHORIZATION app_a;
SELECT count(*) FROM ringfence_report.attacked;
\echo :LAST_ERROR_SQLSTATE
CREATE TEMP SEQUENCE hit;
SELECT count(*) FROM ringfence_report.attacked WHERE nextval('hit') > 0 OR name = ANY ('{Tsai Mei-Ling}');
SELECT is_called FROM hit;
SELECT FROM ringfence_report.attacked WHERE false;
RESET SESSION AUTHORIZATION;
-- The owner's people can still change their fields.
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.rename_field('Plan', 'Tariff');
RESET SESSION AUTHORIZATION;
-- What the hint says mends it.
ALTER VIEW ringfence_report.attacked OWNER TO ringfence_definer;
SET SESSION AUTHORIZATION boss_a;
SELECT name, is_current FROM ringfence.report_view;
SELECT ringfence.renew_report_views();
SELECT name, "Tariff" FROM ringfence_report.attacked WHERE "Score" = 7;
SELECT name, is_current FROM ringfence.report_view;
RESET SESSION AUTHORIZATION;
-- Under another name, and where row-level security is switched off.
ALTER VIEW ringfence_report.attacked RENAME TO another;
SET SESSION AUTHORIZATION app_a;
SELECT count(*) FROM ringfence_report.another;
RESET SESSION AUTHORIZATION;
ALTER VIEW ringfence_report.another RENAME TO attacked;
ALTER TABLE ringfence.customer DISABLE ROW LEVEL SECURITY;
SET SESSION AUTHORIZATION app_a;
SELECT count(*) FROM ringfence_report.attacked;
RESET SESSION AUTHORIZATION;
ALTER TABLE ringfence.customer ENABLE ROW LEVEL SECURITY;
-- A superuser's view of that schema that is none of ours stays what it is.
CREATE VIEW ringfence_report.other AS SELECT 1 AS one;
SELECT relowner::regrole, relacl FROM pg_class WHERE oid = 'ringfence_report.other'::regclass;
DROP VIEW ringfence_report.other;
-- Whoever makes views elsewhere is not kept from it.
SET SESSION AUTHORIZATION stranger;
CREATE TEMP VIEW mine AS SELECT 1 AS one;
RESET SESSION AUTHORIZATION;

-- A statement that names the view, or a value of its row type, while it changes the fields: the view is there until it ends, and
-- right after that. And no statement ends in an internal error, whenever what is left over is cleared away.
\set VERBOSITY terse
SET SESSION AUTHORIZATION boss_a;
CREATE FUNCTION pg_temp.run(statement text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN EXECUTE statement; RETURN 'done'; EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE || ' ' || SQLERRM; END $$;
CREATE FUNCTION pg_temp.settle() RETURNS text LANGUAGE plpgsql AS $$ BEGIN SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED; RETURN 'settled'; END $$;
BEGIN;
SELECT pg_temp.run('EXPLAIN (ANALYZE) DELETE FROM ringfence.field_project WHERE access = ''write'' AND EXISTS (SELECT FROM ringfence_report.attacked)');
SELECT ringfence.bind_field('Tariff', 'Sales'), ringfence.bind_field('Score', 'Sales') \g /dev/null
SELECT name, "Tariff", "Score" FROM ringfence_report.attacked WHERE "Score" = 7;
COMMIT;
SELECT pg_temp.run('EXPLAIN (ANALYZE, VERBOSE) SELECT ringfence.rename_field(''Tariff'', ''Plan'') FROM ringfence_report.attacked LIMIT 1');
SELECT pg_temp.run('EXPLAIN (ANALYZE, VERBOSE) UPDATE ringfence.field SET position = 5 WHERE name = (SELECT ''Plan'' FROM ringfence_report.attacked LIMIT 1)');
SELECT pg_temp.run('EXPLAIN (ANALYZE, VERBOSE) UPDATE ringfence.field SET position = 6 WHERE name = ''Plan'' RETURNING NULL::ringfence_report.attacked');
UPDATE ringfence.field SET position = 7 WHERE name = 'Plan' RETURNING NULL::ringfence_report.attacked IS NULL AS nothing;
SELECT ringfence.unbind_field('Plan', 'Sales'), pg_temp.settle(), (jsonb_populate_record(NULL::ringfence_report.attacked, '{"name": "x"}')).name;
SELECT ringfence.bind_field('Plan', 'Sales'), pg_temp.settle(), jsonb_populate_record(NULL::ringfence_report.attacked, '{"name": "x"}') IS NULL AS nothing;
SELECT ringfence.rename_field('Plan', 'Tariff'), (SELECT attacked FROM ringfence_report.attacked WHERE "Score" = 7) IS NULL AS nothing;
SELECT ringfence.rename_field('Tariff', 'Plan'), ringfence.renew_report_views(), count(attacked.*) FROM ringfence_report.attacked;
DO $$ DECLARE kept ringfence_report.attacked; BEGIN
    SELECT * INTO kept FROM ringfence_report.attacked WHERE "Score" = 7;
    PERFORM ringfence.unbind_field('Plan', 'Sales'), pg_temp.settle();
    kept.name := 'x';
    SELECT * INTO kept FROM ringfence_report.attacked WHERE "Score" = 7;
    PERFORM ringfence.bind_field('Plan', 'Sales');
    RAISE WARNING '% %', kept.name, kept."Score";
END $$;
SELECT pg_temp.run('EXPLAIN (ANALYZE, VERBOSE) SELECT ringfence.drop_report_view(''Sales''), NULL::ringfence_report.attacked FROM ringfence_report.attacked LIMIT 1');
SELECT count(*) FROM ringfence_report.attacked;
-- Dropped and made again in one transaction, in one statement, and with its project.
SELECT ringfence.create_report_view('Sales', 'attacked');
BEGIN;
SELECT ringfence.drop_report_view('Sales');
SELECT count(*) FROM ringfence_report.attacked;
ROLLBACK;
BEGIN;
SELECT ringfence.drop_report_view('Sales');
SELECT ringfence.create_report_view('Sales', 'attacked');
SELECT name, "Plan" FROM ringfence_report.attacked WHERE "Score" = 7;
COMMIT;
SELECT ringfence.drop_report_view('Sales'), pg_temp.settle(), ringfence.create_report_view('Sales', 'attacked'), NULL::ringfence_report.attacked;
SELECT string_agg(attname, ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'ringfence_report.attacked'::regclass AND attnum > 11;
SELECT pg_temp.run('EXPLAIN (ANALYZE, VERBOSE) DELETE FROM ringfence.project WHERE name = ''Sales'' AND EXISTS (SELECT FROM ringfence_report.attacked) RETURNING NULL::ringfence_report.attacked');
SELECT count(*) FROM ringfence_report.attacked;
-- What was in its place when a statement ran is clean when the transaction has ended; also where the session has no owner by then.
SELECT ringfence.bind_field('Plan', 'Support'), ringfence.bind_field('Score', 'Support'), ringfence.create_report_view('Support', 'attacked') \g /dev/null
CREATE FUNCTION pg_temp.columns() RETURNS text LANGUAGE sql AS $$
    SELECT string_agg(attname, ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'ringfence_report.attacked'::regclass AND attnum > 11 $$;
BEGIN;
SELECT "Plan" FROM ringfence_report.attacked WHERE "Score" = 7;
SELECT ringfence.unbind_field('Plan', 'Support'), ringfence.rename_field('Score', 'Points') \g /dev/null
SELECT pg_temp.columns();
COMMIT;
SELECT pg_temp.columns();
SELECT ringfence.bind_field('Plan', 'Support', at_position => 1) \g /dev/null
SELECT pg_temp.columns();
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION dba;
SELECT ringfence.grant_access('boss_a', 'Company B', '{agent}') \g /dev/null
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION boss_a;
SET ringfence.owner = '';
BEGIN;
SET LOCAL ringfence.owner = 'Company A';
SELECT ringfence.unbind_field('Plan', 'Support') \g /dev/null
SET LOCAL ringfence.owner = '';
COMMIT;
SELECT pg_temp.columns();
BEGIN;
SET LOCAL ringfence.owner = 'Company A';
SELECT ringfence.rename_field('Points', 'Score') \g /dev/null
COMMIT;
SELECT pg_temp.columns();
RESET SESSION AUTHORIZATION;
