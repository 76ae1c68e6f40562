-- health: checks of the installation and of the server.

CREATE FUNCTION ringfence.ringfence_version() RETURNS text
    LANGUAGE c IMMUTABLE PARALLEL SAFE STRICT AS 'MODULE_PATHNAME', 'ringfence_version_wrapper';
REVOKE ALL ON FUNCTION ringfence.ringfence_version() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.ringfence_version() TO ringfence_user, ringfence_admin;
COMMENT ON FUNCTION ringfence.ringfence_version() IS 'The version of the library that this session has loaded';

CREATE FUNCTION ringfence.preloaded_by() RETURNS text
    LANGUAGE c STABLE PARALLEL RESTRICTED STRICT AS 'MODULE_PATHNAME', 'preloaded_by_wrapper';
REVOKE ALL ON FUNCTION ringfence.preloaded_by() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.preloaded_by() TO ringfence_admin;
COMMENT ON FUNCTION ringfence.preloaded_by() IS
    'The setting that loads the library before a session''s first statement: shared_preload_libraries, session_preload_libraries, or NULL for none. Part of health()';

-- The known holes in PostgreSQL's own row-level security, which ringfence cannot close. For each major version: the first
-- minor version without the hole, by the release notes.
CREATE FUNCTION ringfence.holes_of_server(version_num integer, OUT cve text, OUT description text, OUT mended_in integer) RETURNS SETOF record
    LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT
    BEGIN ATOMIC
        SELECT known.cve, known.description, (holes_of_server.version_num / 10000) * 10000 + mended.minor
          FROM (VALUES
            ('CVE-2026-116311', 'DROP OWNED BY removes its role from policies of others', '{15,16,17,18}'::integer[], '{20,16,12,7}'::integer[]),
            ('CVE-2026-120154', 'ON CONFLICT runs conditions on a row before row-level security has judged it', '{15,16,17,18}', '{20,16,12,7}'),
            ('CVE-2026-116327', 'CASE runs a leaky operator on rows that are hidden', '{15,16,17,18}', '{20,16,12,7}'),
            ('CVE-2026-16237', 'ON CONFLICT through a view shows rows that the view hides', '{15,16,17,18}', '{20,16,12,7}'),
            ('CVE-2026-120146', 'REASSIGN OWNED needs no SET ROLE', '{16,17,18}', '{16,12,7}'),
            ('CVE-2026-14666', 'a kept plan outlives a change of membership or BYPASSRLS', '{15,16,17,18}', '{19,15,11,6}'),
            ('CVE-2025-8713', 'leaky operators read statistics of rows that are hidden', '{15,16,17}', '{14,10,6}'),
            ('CVE-2024-10976', 'a kept plan with row-level security below a subquery is used by another role', '{15,16,17}', '{9,5,1}'),
            ('CVE-2024-10978', 'ROLLBACK of SET SESSION AUTHORIZATION resets the role to the login', '{15,16,17}', '{9,5,1}'),
            ('CVE-2023-39418', 'MERGE ignores policies of UPDATE and SELECT', '{15}', '{4}'),
            ('CVE-2023-2455', 'row-level security disregards a change of role after inlining', '{15}', '{3}')
          ) AS known (cve, description, majors, minors)
         CROSS JOIN LATERAL ROWS FROM (unnest(known.majors), unnest(known.minors)) AS mended (major, minor)
         WHERE mended.major OPERATOR(pg_catalog.=) holes_of_server.version_num / 10000
           AND holes_of_server.version_num % 10000 OPERATOR(pg_catalog.<) mended.minor;
    END;
REVOKE ALL ON FUNCTION ringfence.holes_of_server(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.holes_of_server(integer) TO ringfence_admin;
COMMENT ON FUNCTION ringfence.holes_of_server(integer) IS
    'The known holes in row-level security of a PostgreSQL version (server_version_num), and the first version without each';

CREATE FUNCTION ringfence.health(OUT "check" text, OUT ok boolean, OUT detail text) RETURNS SETOF record
    LANGUAGE sql STABLE PARALLEL RESTRICTED ROWS 8
    BEGIN ATOMIC
        SELECT 'library', ringfence.ringfence_version() = extversion,
               format('The library is version %s, the installed SQL %s.', ringfence.ringfence_version(), extversion)
               || CASE WHEN ringfence.ringfence_version() <> extversion THEN ' As superuser: ALTER EXTENSION ringfence UPDATE; or install the library of the other version.' ELSE '' END
          FROM pg_extension WHERE extname = 'ringfence'
        UNION ALL
        SELECT 'preload', ringfence.preloaded_by() IS NOT NULL,
               coalesce(ringfence.preloaded_by() || ' loads the library.',
                        'Put ringfence into session_preload_libraries or shared_preload_libraries: the library guards a session only once it is loaded.')
        UNION ALL
        SELECT 'server', count(*) = 0,
               format('PostgreSQL %s', current_setting('server_version')) || CASE count(*) WHEN 0 THEN ' has no known hole in row-level security.' ELSE
                   format(' has known holes; update to %s.%s or later. ', max(hole.mended_in) / 10000, max(hole.mended_in) % 10000)
                   || string_agg(format('%s: %s', hole.cve, hole.description), '; ' ORDER BY hole.cve DESC) || '.' END
          FROM ringfence.holes_of_server(current_setting('server_version_num')::integer) AS hole
        UNION ALL
        SELECT 'walls', count(*) = 0,
               coalesce('These tables lack row-level security, its FORCE, or the policy owner_wall: ' || string_agg(bare.relname, ', ' ORDER BY bare.relname)
                        || '. As superuser: ALTER TABLE ... ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; and CREATE POLICY owner_wall as the other tables have it.',
                        'Every table is behind the wall.')
          FROM pg_class AS bare
         WHERE bare.relnamespace = 'ringfence'::regnamespace AND bare.relkind IN ('r', 'p')
           AND NOT (bare.relrowsecurity AND bare.relforcerowsecurity
                    AND (bare.relname = 'signing_key_material'
                         OR EXISTS (SELECT FROM pg_policy AS wall WHERE wall.polrelid = bare.oid AND wall.polname = 'owner_wall' AND NOT wall.polpermissive)))
        UNION ALL
        SELECT 'roles', count(*) = 0,
               coalesce('These internal roles have members, or more privileges than they need: ' || string_agg(internal.rolname, ', ' ORDER BY internal.rolname) || '. Take LOGIN, SUPERUSER, BYPASSRLS and their members away.',
                        'The internal roles are as they were made.')
          FROM pg_roles AS internal
         WHERE internal.rolname IN ('ringfence_definer', 'ringfence_tables')
           AND (internal.rolsuper OR internal.rolbypassrls OR internal.rolcanlogin OR EXISTS (SELECT FROM pg_auth_members AS member WHERE member.roleid = internal.oid))
        UNION ALL
        SELECT 'event triggers', count(*) FILTER (WHERE evtenabled <> 'A') = 0 AND count(*) = 2,
               format('%s of 2 are enabled ALWAYS.', count(*) FILTER (WHERE evtenabled = 'A'))
               || CASE WHEN count(*) FILTER (WHERE evtenabled = 'A') < 2
                       THEN ' As superuser: ALTER EVENT TRIGGER ... ENABLE ALWAYS for ringfence_guard_drop and ringfence_adopt_report_views.' ELSE '' END
          FROM pg_event_trigger WHERE evtname IN ('ringfence_guard_drop', 'ringfence_adopt_report_views')
        UNION ALL
        SELECT 'authority and history', count(*) = 2,
               CASE count(*) WHEN 2 THEN 'Both triggers of table customer are enabled.' ELSE
                   'Triggers judge_authority and keep_history of table customer are not both enabled: data of other sources can be changed, or changes are not kept. As superuser: ALTER TABLE ringfence.customer ENABLE TRIGGER ...; if one is missing, restore it from the SQL of the extension.' END
          FROM pg_trigger AS judged
         WHERE judged.tgrelid = 'ringfence.customer'::regclass AND judged.tgname IN ('judge_authority', 'keep_history')
           AND judged.tgenabled IN ('O', 'A') AND NOT judged.tgisinternal
        UNION ALL
        SELECT 'search index', coalesce(bool_and(found.indisvalid), false),
               CASE WHEN bool_and(found.indisvalid) THEN 'It is there and valid.' ELSE 'It is missing or not valid: searches read all customers of the owner. REINDEX INDEX CONCURRENTLY ringfence.customer_search;' END
          FROM pg_index AS found WHERE found.indexrelid = to_regclass('ringfence.customer_search');
    END;
REVOKE ALL ON FUNCTION ringfence.health() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.health() TO ringfence_admin;
COMMENT ON FUNCTION ringfence.health() IS
    'Checks that the installation is as it was made, and that the server has no known hole in row-level security; column detail says what to do';
