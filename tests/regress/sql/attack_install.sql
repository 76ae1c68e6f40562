-- ATTACKS 120, 126: CREATE EXTENSION takes over nothing that somebody else made, and its roles only if they are harmless.
\set SHOW_CONTEXT never
\set VERBOSITY default
-- Each attempt in a database without the extension.
CREATE DATABASE install_attack;
\c install_attack
CREATE ROLE squatter LOGIN;
GRANT CREATE ON DATABASE install_attack TO squatter;
GRANT CREATE ON SCHEMA public TO squatter;

-- The schema was made before, by somebody else; also an empty one, also with an object of ours in it.
SET SESSION AUTHORIZATION squatter;
CREATE SCHEMA ringfence;
RESET SESSION AUTHORIZATION;
CREATE EXTENSION ringfence;
\echo :SQLSTATE
CREATE EXTENSION ringfence SCHEMA public;
CREATE EXTENSION IF NOT EXISTS ringfence CASCADE;
SET SESSION AUTHORIZATION squatter;
CREATE TABLE ringfence.access (owner_id uuid, role regrole);
CREATE FUNCTION ringfence.current_owner() RETURNS uuid LANGUAGE sql AS 'SELECT NULL::uuid';
RESET SESSION AUTHORIZATION;
CREATE EXTENSION ringfence;
-- Nothing is left behind by the failure.
SELECT count(*) FROM pg_extension WHERE extname = 'ringfence';
SELECT count(*) FROM pg_proc WHERE pronamespace = 'ringfence'::regnamespace;
DROP SCHEMA ringfence CASCADE;

-- The event trigger, the one object that is not in the schema.
CREATE FUNCTION public.other() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
CREATE EVENT TRIGGER ringfence_guard_drop ON sql_drop EXECUTE FUNCTION public.other();
CREATE EXTENSION ringfence;
SELECT count(*) FROM pg_namespace WHERE nspname = 'ringfence';
DROP EVENT TRIGGER ringfence_guard_drop;

-- Only a superuser installs.
SET SESSION AUTHORIZATION squatter;
CREATE EXTENSION ringfence;
RESET SESSION AUTHORIZATION;

-- A hostile search_path: operators and functions that would be preferred, objects with our names, in the installer's path.
SET SESSION AUTHORIZATION squatter;
CREATE SCHEMA evil;
CREATE FUNCTION evil.eq(name, text) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'evil ran as %', current_user; END$$;
CREATE OPERATOR evil.= (FUNCTION = evil.eq, LEFTARG = name, RIGHTARG = text);
CREATE FUNCTION evil.eq(name, name) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'evil ran as %', current_user; END$$;
CREATE OPERATOR evil.= (FUNCTION = evil.eq, LEFTARG = name, RIGHTARG = name);
CREATE FUNCTION evil.eq(uuid, uuid) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'evil ran as %', current_user; END$$;
CREATE OPERATOR evil.= (FUNCTION = evil.eq, LEFTARG = uuid, RIGHTARG = uuid);
CREATE FUNCTION evil.eq(text, text) RETURNS boolean LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'evil ran as %', current_user; END$$;
CREATE OPERATOR evil.= (FUNCTION = evil.eq, LEFTARG = text, RIGHTARG = text);
CREATE OPERATOR evil.<> (FUNCTION = evil.eq, LEFTARG = text, RIGHTARG = text);
CREATE FUNCTION evil.now() RETURNS timestamptz LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'evil ran as %', current_user; END$$;
CREATE FUNCTION evil.format(text, variadic text[]) RETURNS text LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'evil ran as %', current_user; END$$;
CREATE FUNCTION evil.current_setting(text) RETURNS text LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'evil ran as %', current_user; END$$;
CREATE FUNCTION evil.pg_extension_config_dump(regclass, text) RETURNS void LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'evil ran as %', current_user; END$$;
CREATE TABLE evil.pg_namespace (nspname name, oid oid);
CREATE TABLE evil.owner (id uuid);
CREATE DOMAIN evil.uuid AS text;
CREATE DOMAIN evil.text AS int;
RESET SESSION AUTHORIZATION;
SET search_path = evil, pg_catalog, public;
CREATE EXTENSION ringfence;
RESET search_path;
SELECT extname, extnamespace::regnamespace, extowner::regrole FROM pg_extension WHERE extname = 'ringfence';
SELECT count(*) FROM pg_depend d JOIN pg_namespace n ON n.nspname = 'evil'
 WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = n.oid AND d.classid = 'pg_extension'::regclass;
SELECT DISTINCT d.refobjid::regprocedure FROM pg_depend d JOIN pg_proc p ON p.oid = d.refobjid AND p.pronamespace = 'evil'::regnamespace
 WHERE d.refclassid = 'pg_proc'::regclass AND d.classid <> 'pg_operator'::regclass;
SELECT a.attrelid::regclass, a.attname FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
 WHERE a.attrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'ringfence'::regnamespace) AND t.typnamespace = 'evil'::regnamespace;
-- The squatter's schema goes without the extension, and the extension's schema does not go without the extension.
SET SESSION AUTHORIZATION squatter;
DROP SCHEMA evil CASCADE;
DROP SCHEMA ringfence CASCADE;
RESET SESSION AUTHORIZATION;
DROP SCHEMA ringfence CASCADE;
SELECT extname FROM pg_extension WHERE extname = 'ringfence';
ALTER EXTENSION ringfence SET SCHEMA public;
DROP EXTENSION ringfence;
SELECT count(*) FROM pg_namespace WHERE nspname = 'ringfence';

-- Roles of our names with powers that would open the wall.
\set VERBOSITY terse
ALTER ROLE ringfence_definer LOGIN;
CREATE EXTENSION ringfence;
\echo :SQLSTATE
ALTER ROLE ringfence_definer NOLOGIN SUPERUSER;
CREATE EXTENSION ringfence;
ALTER ROLE ringfence_definer NOSUPERUSER BYPASSRLS;
CREATE EXTENSION ringfence;
ALTER ROLE ringfence_definer NOBYPASSRLS CREATEROLE;
CREATE EXTENSION ringfence;
ALTER ROLE ringfence_definer NOCREATEROLE;
GRANT ringfence_definer TO squatter;
CREATE EXTENSION ringfence;
REVOKE ringfence_definer FROM squatter;
GRANT pg_read_all_data TO ringfence_definer;
CREATE EXTENSION ringfence;
REVOKE pg_read_all_data FROM ringfence_definer;
ALTER ROLE ringfence_user BYPASSRLS CREATEROLE;
CREATE EXTENSION ringfence;
ALTER ROLE ringfence_user NOBYPASSRLS NOCREATEROLE;
ALTER ROLE ringfence_admin SUPERUSER;
CREATE EXTENSION ringfence;
ALTER ROLE ringfence_admin NOSUPERUSER;
GRANT pg_write_all_data TO ringfence_router;
CREATE EXTENSION ringfence;
REVOKE pg_write_all_data FROM ringfence_router;
-- And harmless, it installs again, beside the other database's.
CREATE EXTENSION ringfence;
SELECT count(*) FROM ringfence.owner;

-- Another encoding is refused.
CREATE DATABASE install_latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0;
\c install_latin
CREATE EXTENSION ringfence;
\c install_attack
DROP DATABASE install_latin;
DROP OWNED BY squatter;
DROP ROLE squatter;
\c postgres
DROP DATABASE install_attack;
