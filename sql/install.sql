-- ringfence: what must be true before anything is made, the roles, and the schema.
--
-- The control file names pg_catalog as the extension's schema, as pg_cron does. So the whole script runs with the
-- search_path "pg_catalog, pg_temp", whatever the installer's is. And no schema that somebody owns can take the
-- extension with it by DROP ... CASCADE. All objects live in schema ringfence, which the script makes itself.

DO $install$
DECLARE
    wanted   name;
    existing record;
    danger   text;
    internal CONSTANT name[] := ARRAY['ringfence_definer', 'ringfence_tables'];
BEGIN
    IF current_setting('server_encoding') OPERATOR(pg_catalog.<>) 'UTF8' THEN
        RAISE EXCEPTION 'ringfence needs a database with encoding UTF8, not %', current_setting('server_encoding')
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'CREATE DATABASE ... ENCODING ''UTF8'' TEMPLATE template0.';
    END IF;

    -- Whoever made the schema could drop it, or hide objects in it that are mistaken for ours.
    IF EXISTS (SELECT FROM pg_namespace WHERE nspname OPERATOR(pg_catalog.=) 'ringfence') THEN
        RAISE EXCEPTION 'schema "ringfence" already exists'
            USING ERRCODE = 'duplicate_schema',
                  DETAIL = 'The extension makes this schema itself, and does not take over one that somebody else made.',
                  HINT = 'Look at what is in it, then rename or drop it: ALTER SCHEMA ringfence RENAME TO ...';
    END IF;

    -- Roles belong to the cluster: another database's ringfence may have made them already.
    FOREACH wanted IN ARRAY ARRAY['ringfence_admin', 'ringfence_user', 'ringfence_router', 'ringfence_definer', 'ringfence_tables']::name[] LOOP
        SELECT * INTO existing FROM pg_roles WHERE rolname OPERATOR(pg_catalog.=) wanted;
        IF NOT FOUND THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEDB NOCREATEROLE NOREPLICATION', wanted);
            CONTINUE;
        END IF;
        danger := concat_ws(', ',
            CASE WHEN existing.rolsuper THEN 'is SUPERUSER' END,
            CASE WHEN existing.rolbypassrls THEN 'has BYPASSRLS' END,
            CASE WHEN existing.rolcreaterole THEN 'has CREATEROLE' END,
            CASE WHEN existing.rolreplication THEN 'has REPLICATION' END,
            CASE WHEN existing.rolcanlogin AND wanted OPERATOR(pg_catalog.=) ANY (internal) THEN 'has LOGIN' END,
            CASE WHEN wanted OPERATOR(pg_catalog.=) ANY (internal) AND EXISTS (
                SELECT FROM pg_auth_members WHERE roleid OPERATOR(pg_catalog.=) existing.oid
            ) THEN 'has members' END,
            -- The definer is a member of ringfence_user, so that it can grant it. No other membership is right.
            CASE WHEN EXISTS (
                SELECT FROM pg_auth_members
                WHERE member OPERATOR(pg_catalog.=) existing.oid
                  AND NOT (wanted OPERATOR(pg_catalog.=) 'ringfence_definer'
                           AND roleid OPERATOR(pg_catalog.=) to_regrole('ringfence_user')::oid)
            ) THEN 'is a member of another role' END);
        IF danger OPERATOR(pg_catalog.<>) '' THEN
            RAISE EXCEPTION 'role "%" already exists and %', wanted, danger
                USING ERRCODE = 'object_not_in_prerequisite_state',
                      DETAIL = 'With this role the wall between owners would have a hole.',
                      HINT = 'Drop the role, or remove these attributes and memberships, then create the extension again.';
        END IF;
    END LOOP;

    -- grant_access() runs as the definer and grants ringfence_user.
    IF NOT EXISTS (
        SELECT FROM pg_auth_members
        WHERE roleid OPERATOR(pg_catalog.=) to_regrole('ringfence_user')::oid
          AND member OPERATOR(pg_catalog.=) to_regrole('ringfence_definer')::oid
          AND admin_option
    ) THEN
        GRANT ringfence_user TO ringfence_definer WITH ADMIN OPTION;
    END IF;
END
$install$;

COMMENT ON ROLE ringfence_admin IS 'ringfence: creates, changes and deletes owners, and grants access; holds no right over any owner''s data';
COMMENT ON ROLE ringfence_user IS 'ringfence: the table privileges of applications; what a member may do is decided by table ringfence.access';
COMMENT ON ROLE ringfence_router IS 'ringfence: may resolve channels before an owner is known';
COMMENT ON ROLE ringfence_definer IS 'ringfence: definer functions and views run as it; internal, never to be granted to anybody';
-- The definer must not own the tables. Inside a referential action, PostgreSQL lets a table's owner through row-level
-- security even where it is forced, and anybody can run code inside a referential action of a table of their own.
COMMENT ON ROLE ringfence_tables IS 'ringfence: owns the tables and runs no code; internal, never to be granted to anybody';

CREATE SCHEMA ringfence;
COMMENT ON SCHEMA ringfence IS 'Tenant isolation: owners, projects, fields and customers behind row-level security';
REVOKE ALL ON SCHEMA ringfence FROM PUBLIC;
GRANT USAGE ON SCHEMA ringfence TO ringfence_admin, ringfence_user, ringfence_router, ringfence_definer, ringfence_tables;
