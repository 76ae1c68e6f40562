-- Reading another owner's rows by ways around the query: ATTACKS 13, 41, 53, 76, 77, 81, 139; what cannot be prevented (86) is pinned.
\set SHOW_CONTEXT never
\set VERBOSITY default
CREATE SCHEMA attack;
GRANT ALL ON SCHEMA attack TO PUBLIC;
SET SESSION AUTHORIZATION app_a;

-- 13: no setting of the extension that a user may set shows one row more.
DO $$
DECLARE
    setting text; value text; before bigint; after bigint;
BEGIN
    SELECT count(*) INTO before FROM ringfence.customer;
    FOR setting IN SELECT name FROM pg_settings WHERE name LIKE 'ringfence.%' AND context = 'user' LOOP
        FOREACH value IN ARRAY ARRAY['true', 'on', 'admin', '*', '%', 'Company A,Company B', 'bbbbbbbb-0000-0000-0000-000000000002', 'ringfence_admin'] LOOP
            BEGIN
                PERFORM set_config(setting, value, true);
                SELECT count(*) INTO after FROM ringfence.customer;
                IF after > before THEN RAISE WARNING '% = % shows % rows', setting, value, after; END IF;
                RAISE EXCEPTION 'undo';
            EXCEPTION WHEN OTHERS THEN
                NULL;
            END;
        END LOOP;
    END LOOP;
END$$;

-- 77: a cheap function of the attacker's is not run on rows of others; nor an operator.
CREATE FUNCTION attack.leak(text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$BEGIN RAISE NOTICE 'saw %', $1; RETURN true; END$$;
CREATE FUNCTION attack.leak2(text, text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$BEGIN RAISE NOTICE 'saw %', $1; RETURN true; END$$;
CREATE OPERATOR attack.<<<< (FUNCTION = attack.leak2, LEFTARG = text, RIGHTARG = text);
SELECT count(*) FROM ringfence.customer WHERE attack.leak(name);
SELECT count(*) FROM ringfence.customer_card WHERE attack.leak(address);
SELECT count(*) FROM ringfence.company WHERE name OPERATOR(attack.<<<<) 'x';
SELECT count(*) FROM ringfence.search_customers('tsai') WHERE attack.leak(name);
SELECT count(*) FROM ringfence.owner WHERE attack.leak(name);
SELECT count(*) FROM ringfence.project WHERE attack.leak(name);
-- 76: nor does an error tell of them.
SELECT count(*) FROM ringfence.customer WHERE 1 / (CASE WHEN address = 'CANARY-B' THEN 0 ELSE 1 END) = 1;
SELECT count(*) FROM ringfence.customer_card WHERE CASE WHEN address = 'CANARY-B' THEN address::int = 1 ELSE true END;

-- 41: a hostile search_path changes nothing that the extension does.
CREATE FUNCTION attack.always(uuid, uuid) RETURNS boolean LANGUAGE sql AS 'SELECT true';
CREATE OPERATOR attack.= (FUNCTION = attack.always, LEFTARG = uuid, RIGHTARG = uuid);
CREATE FUNCTION attack.always(text, text) RETURNS boolean LANGUAGE sql AS 'SELECT true';
CREATE OPERATOR attack.= (FUNCTION = attack.always, LEFTARG = text, RIGHTARG = text);
CREATE FUNCTION attack.current_owner() RETURNS uuid LANGUAGE sql AS $$SELECT 'bbbbbbbb-0000-0000-0000-000000000002'::uuid$$;
CREATE FUNCTION attack.coalesce_evil(anyelement) RETURNS anyelement LANGUAGE sql AS 'SELECT $1';
CREATE TABLE attack.customer (owner_id uuid, name text);
CREATE TEMP TABLE customer (owner_id uuid, name text);
CREATE TEMP TABLE access (owner_id uuid, role regrole, rights text[]);
SET search_path = attack, pg_temp, pg_catalog;
SELECT pg_catalog.count(*) FROM ringfence.customer;
SELECT pg_catalog.count(*) FROM ringfence.customer_card;
SELECT name FROM ringfence.search_customers('tsai');
SELECT name FROM ringfence.find_by_phone('0912345678');
INSERT INTO ringfence.customer_card (name) VALUES ('Searchpath') RETURNING owner_id, name;
UPDATE ringfence.customer_card SET address = 'x' WHERE name OPERATOR(pg_catalog.=) 'Searchpath' RETURNING name, address;
RESET search_path;
SELECT count(*) FROM attack.customer;

-- 53: a function over the row type sees own rows.
CREATE FUNCTION attack.peek(ringfence.customer_card) RETURNS text LANGUAGE sql AS 'SELECT $1.name';
SELECT attack.peek(c) FROM ringfence.customer_card c WHERE attack.peek(c) LIKE '%Tsai%';

-- 81: statistics of a table under row-level security are hidden.
RESET SESSION AUTHORIZATION;
ANALYZE ringfence.customer;
SET SESSION AUTHORIZATION app_a;
SELECT count(*) FROM pg_stats WHERE schemaname = 'ringfence';
SELECT count(*) FROM pg_stats_ext WHERE schemaname = 'ringfence';

-- 139: the catalogs hold the code of the extension, and no owner's data.
SELECT count(*) FROM pg_proc WHERE prosrc LIKE '%CANARY%';
SELECT count(*) FROM pg_policies WHERE qual LIKE '%CANARY%';

-- Joins, set operations, CTEs, lateral, window functions, sub-selects: own rows.
SELECT count(*) FROM ringfence.customer a FULL JOIN ringfence.customer b ON a.name = b.name;
WITH x AS MATERIALIZED (SELECT * FROM ringfence.customer_card) SELECT count(*) FROM x UNION ALL SELECT count(*) FROM ringfence.company;
SELECT DISTINCT count(*) OVER () FROM ringfence.customer_card c, LATERAL (SELECT 1 FROM ringfence.customer WHERE id = c.id) l;
SELECT count(*) FROM ringfence.customer WHERE id IN (SELECT 'b0000000-0000-0000-0000-000000000001'::uuid);
SELECT EXISTS (SELECT FROM ringfence.customer WHERE address = 'CANARY-B'), EXISTS (SELECT FROM ringfence.company WHERE name LIKE 'CANARY%');
SELECT name FROM ringfence.company;

-- 86: currtid2 tells where a row was moved, whoever's it is, and an error of ctid's whether there is one. Both take the privilege on the
-- table, and application roles have it on columns; what they may read they read as ever, by SELECT * too, and as whole rows.
SELECT has_function_privilege('app_a', 'currtid2(text, tid)', 'EXECUTE');
RESET SESSION AUTHORIZATION;
CREATE FUNCTION public.outcome(statement text) RETURNS text LANGUAGE plpgsql AS $$BEGIN EXECUTE statement; RETURN 'done'; EXCEPTION WHEN OTHERS THEN RETURN SQLSTATE; END$$;
\set outcomes 'SELECT c.relname, public.outcome(format(''SELECT currtid2(%L, ''''(0,1)'''')'', c.oid::regclass)) AS currtid2, public.outcome(format(''SELECT ctid FROM %s'', c.oid::regclass)) AS ctid, public.outcome(format(''SELECT * FROM %s'', c.oid::regclass)) AS star, public.outcome(format(''SELECT t FROM %s AS t'', c.oid::regclass)) AS whole, public.outcome(format(''SELECT t.* FROM %s AS t WHERE t IS NULL OR t::text = ''''x'''''', c.oid::regclass)) AS compared, public.outcome(format(''SELECT count(*) FROM %s'', c.oid::regclass)) AS counted FROM pg_class c WHERE c.relnamespace = ''ringfence''::regnamespace AND c.relkind = ''r'' AND has_any_column_privilege(c.oid, ''SELECT'') ORDER BY c.relname COLLATE "C";'
SET ROLE boss_a;
:outcomes
SET ROLE dba;
:outcomes
RESET ROLE;
DROP FUNCTION public.outcome(text);
RESET SESSION AUTHORIZATION;
DROP SCHEMA attack CASCADE;
