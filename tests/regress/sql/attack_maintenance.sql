-- ATTACKS 36, 48, 51, 153: code that a tenant plants in its own table runs when somebody with more power maintains it: as
-- the tenant, but in the session of a superuser, who has access to every owner. It learns nothing and is given nothing.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
CREATE SCHEMA own_a AUTHORIZATION app_a;
SET SESSION AUTHORIZATION app_a;
CREATE TABLE own_a.loot (who text, what text);
CREATE FUNCTION own_a.try(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE seen text;
BEGIN
    PERFORM set_config('ringfence.owner', 'Company B', true);
    EXECUTE statement INTO seen;
    RETURN coalesce(seen, 'nothing');
EXCEPTION WHEN OTHERS THEN
    RETURN sqlstate;
END$$;
CREATE FUNCTION own_a.trap(i int) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
    -- Not where the tenant fires it itself.
    IF current_setting('own_a.armed', true) = 'yes' THEN
        INSERT INTO own_a.loot VALUES
            ('read', own_a.try('SELECT string_agg(name, '','') FROM ringfence.customer')),
            ('card', own_a.try('SELECT string_agg(name, '','') FROM ringfence.customer_card')),
            ('search', own_a.try('SELECT string_agg(name, '','') FROM ringfence.search_customers(''tsai'')')),
            ('owner', own_a.try('SELECT string_agg(name, '','') FROM ringfence.owner')),
            ('whoami', own_a.try('SELECT owner_name FROM ringfence.whoami()')),
            ('admin', own_a.try('SELECT ringfence.is_admin()')),
            ('grant', own_a.try('SELECT ringfence.grant_access(''app_a'', ''Company B'', ''{admin}'', binding => ''session'')')),
            ('revoke', own_a.try('SELECT ringfence.revoke_access(''app_b'', ''Company B'')')),
            ('write', own_a.try('INSERT INTO ringfence.customer (name) VALUES (''planted'') RETURNING name'));
    END IF;
    RETURN i;
END$$;
CREATE FUNCTION own_a.immutable_trap(i int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$BEGIN RETURN own_a.trap(i); END$$;
CREATE TABLE own_a.bait (i int);
CREATE INDEX bait_trap ON own_a.bait (own_a.immutable_trap(i));
INSERT INTO own_a.bait VALUES (1);
-- The tenant's own materialized view, of what it sees: refused when it is filled, and so filled by nobody else.
CREATE MATERIALIZED VIEW own_a.copy AS SELECT name FROM ringfence.customer WITH NO DATA;
REFRESH MATERIALIZED VIEW own_a.copy;
\echo :SQLSTATE
CREATE MATERIALIZED VIEW own_a.copy2 AS SELECT name FROM ringfence.customer;
\echo :SQLSTATE
RESET SESSION AUTHORIZATION;

-- A superuser maintains it.
SET own_a.armed = 'yes';
ANALYZE own_a.bait;
SELECT 'analyze' AS fired_by, count(*) FROM own_a.loot WHERE who = 'read';
REINDEX TABLE own_a.bait;
VACUUM FULL own_a.bait;
CREATE INDEX ON own_a.bait (own_a.immutable_trap(i + 1));
SELECT who, what, count(*) FROM own_a.loot GROUP BY who, what ORDER BY who, what;
BEGIN;
SET LOCAL ringfence.owner = 'Company B';
REFRESH MATERIALIZED VIEW own_a.copy;
ROLLBACK;
RESET own_a.armed;
SELECT count(*) FROM ringfence.access WHERE role = 'app_a'::regrole;
SELECT count(*) FROM ringfence.customer WHERE name = 'planted';

-- Outside of maintenance everything works as before in the same session.
SET SESSION AUTHORIZATION app_a;
SELECT count(*) FROM ringfence.customer;
RESET SESSION AUTHORIZATION;
DROP SCHEMA own_a CASCADE;
