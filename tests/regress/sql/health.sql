-- health(): what is right is said to be, and each thing that is not is named. Breaking it is for superusers, so that it is they who do it here.
\set SHOW_CONTEXT never
\set VERBOSITY default
\c - dba
SELECT ringfence.ringfence_version() = (SELECT extversion FROM pg_extension WHERE extname = 'ringfence') AS same;
-- The server and how the library is loaded are another in each run.
SELECT "check", ok, detail FROM ringfence.health() WHERE "check" NOT IN ('server', 'preload', 'library');
SELECT "check", ok FROM ringfence.health() WHERE "check" = 'library';
SELECT detail ~ CASE WHEN ok THEN '^(shared|session)_preload_libraries loads the library\.$' ELSE '^Put ringfence into ' END AS says_what_to_do FROM ringfence.health() WHERE "check" = 'preload';
SELECT ok = (SELECT count(*) = 0 FROM ringfence.holes_of_server(current_setting('server_version_num')::integer)) AS as_the_list_says FROM ringfence.health() WHERE "check" = 'server';
\c - postgres
SET client_min_messages = error;
CREATE FUNCTION pg_temp.broken(statement text) RETURNS TABLE ("check" text, detail text) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE statement;
    RETURN QUERY SELECT health."check", health.detail FROM ringfence.health() AS health WHERE NOT ok AND health."check" NOT IN ('server', 'preload');
END
$$;
BEGIN;
SELECT * FROM pg_temp.broken('ALTER TABLE ringfence.customer DISABLE ROW LEVEL SECURITY');
ROLLBACK;
BEGIN;
SELECT * FROM pg_temp.broken('ALTER TABLE ringfence.project NO FORCE ROW LEVEL SECURITY');
ROLLBACK;
BEGIN;
SELECT * FROM pg_temp.broken('DROP POLICY owner_wall ON ringfence.company');
ROLLBACK;
BEGIN;
SELECT * FROM pg_temp.broken('GRANT ringfence_definer TO app_a');
ROLLBACK;
BEGIN;
SELECT * FROM pg_temp.broken('ALTER ROLE ringfence_tables LOGIN');
ROLLBACK;
BEGIN;
SELECT * FROM pg_temp.broken('ALTER EVENT TRIGGER ringfence_guard_drop DISABLE');
ROLLBACK;
BEGIN;
SELECT * FROM pg_temp.broken('UPDATE pg_index SET indisvalid = false WHERE indexrelid = ''ringfence.customer_search''::regclass');
ROLLBACK;
BEGIN;
SELECT * FROM pg_temp.broken('ALTER EXTENSION ringfence DROP FUNCTION ringfence.holes_of_server(integer); ALTER INDEX ringfence.customer_search RENAME TO other');
ROLLBACK;
-- Which minor version mends what.
SELECT version, count(cve), coalesce(max(mended_in), 0) AS mended_in FROM unnest(ARRAY[150002, 150019, 150020, 150021, 160015, 160016, 170000, 170012, 180006, 180007, 190000]) AS version
  LEFT JOIN LATERAL ringfence.holes_of_server(version) ON true GROUP BY version ORDER BY version;
-- Loaded by a setting, it says so.
ALTER ROLE dba SET session_preload_libraries = 'ringfence';
SET client_min_messages = error;
\c - dba
SELECT ok, detail ~ '^(shared|session)_preload_libraries loads the library\.$' AS told FROM ringfence.health() WHERE "check" = 'preload';
\c - postgres
ALTER ROLE dba RESET session_preload_libraries;
-- It is not for everybody.
\c - app_a
SELECT * FROM ringfence.health();
SELECT ringfence.ringfence_version() IS NOT NULL AS told;
