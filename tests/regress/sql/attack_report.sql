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
SELECT pg_get_viewdef('ringfence_report.attacked') ~ 'WHERE \(\(customer.owner_id = ringfence.current_owner\(\)\) AND ringfence.reports\(' AS first;
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

-- A statement that uses the view while it changes the fields: the view is there until it ends, and is right after that.
\set VERBOSITY terse
SET SESSION AUTHORIZATION boss_a;
CREATE FUNCTION pg_temp.run(statement text) RETURNS text LANGUAGE plpgsql AS $$ BEGIN EXECUTE statement; RETURN 'done'; EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE || ' ' || SQLERRM; END $$;
BEGIN;
SELECT pg_temp.run('EXPLAIN (ANALYZE) DELETE FROM ringfence.field_project WHERE access = ''write'' AND EXISTS (SELECT FROM ringfence_report.attacked)');
SELECT ringfence.bind_field('Tariff', 'Sales'), ringfence.bind_field('Score', 'Sales') \g /dev/null
SELECT name, "Tariff", "Score" FROM ringfence_report.attacked WHERE "Score" = 7;
COMMIT;
SELECT pg_temp.run('EXPLAIN (ANALYZE, VERBOSE) SELECT ringfence.rename_field(''Tariff'', ''Plan'') FROM ringfence_report.attacked LIMIT 1');
SELECT pg_temp.run('EXPLAIN (ANALYZE, VERBOSE) UPDATE ringfence.field SET position = 5 WHERE name = (SELECT ''Plan'' FROM ringfence_report.attacked LIMIT 1)');
SELECT pg_temp.run('EXPLAIN (ANALYZE, VERBOSE) SELECT ringfence.drop_report_view(''Sales'') FROM ringfence_report.attacked LIMIT 1');
SELECT count(*) FROM ringfence_report.attacked;
SELECT ringfence.create_report_view('Sales', 'attacked');
SELECT pg_temp.run('EXPLAIN (ANALYZE, VERBOSE) DELETE FROM ringfence.project WHERE name = ''Sales'' AND EXISTS (SELECT FROM ringfence_report.attacked)');
-- It is gone for everybody, and goes altogether with the next that is made or dropped.
SELECT count(*) FROM ringfence_report.attacked;
SELECT ringfence.bind_field('Plan', 'Support'), ringfence.bind_field('Score', 'Support'), ringfence.create_report_view('Support', 'attacked') \g /dev/null
SELECT count(*) FROM ringfence_report.attacked;
BEGIN;
SELECT "Plan" FROM ringfence_report.attacked WHERE "Score" = 7;
SELECT ringfence.unbind_field('Plan', 'Support'), ringfence.rename_field('Score', 'Points') \g /dev/null
SELECT string_agg(attname, ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'ringfence_report.attacked'::regclass AND attnum > 11;
COMMIT;
SELECT ringfence.bind_field('Plan', 'Support') \g /dev/null
-- The columns in their places after all that, and clean again.
SELECT string_agg(attname, ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'ringfence_report.attacked'::regclass AND attnum > 11;
RESET SESSION AUTHORIZATION;
