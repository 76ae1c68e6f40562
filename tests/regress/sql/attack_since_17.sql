-- What came with PostgreSQL 17: MERGE with NOT MATCHED BY SOURCE and RETURNING, and into views; MAINTAIN and pg_maintain; login event triggers;
-- COPY that goes on after errors; EXPLAIN of memory.
\set SHOW_CONTEXT never
\set VERBOSITY terse
SET client_min_messages = warning;
\set hits 'SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS rows_met FROM hit; ALTER SEQUENCE hit RESTART;'

\echo *** NOT MATCHED BY SOURCE: it goes over the rows that match nothing, and those are all rows of its owner, or none
\c - app_a
CREATE TEMP SEQUENCE hit;
MERGE INTO ringfence.customer USING (SELECT 1 AS n WHERE false) s ON true WHEN NOT MATCHED BY SOURCE THEN UPDATE SET address = 'x';
MERGE INTO ringfence.customer USING (SELECT 1 AS n WHERE false) s ON nextval('hit') > 0 WHEN NOT MATCHED BY SOURCE AND nextval('hit') > 0 THEN UPDATE SET address = 'x';
MERGE INTO ringfence.customer USING (SELECT 1 AS n WHERE false) s ON false WHEN NOT MATCHED BY SOURCE AND nextval('hit') > 0 THEN UPDATE SET address = 'x';
MERGE INTO ringfence.customer USING (SELECT 1 AS n WHERE false) s ON false WHEN NOT MATCHED BY SOURCE AND nextval('hit') > 0 THEN DO NOTHING;
MERGE INTO ringfence.company USING (SELECT 1 AS n WHERE false) s ON false WHEN NOT MATCHED BY SOURCE AND nextval('hit') > 0 THEN UPDATE SET description = 'x';
PREPARE blind AS MERGE INTO ringfence.customer USING (SELECT 1 AS n WHERE false) s ON false WHEN NOT MATCHED BY SOURCE AND nextval('hit') > 0 THEN UPDATE SET address = 'x';
EXECUTE blind;
WITH merged AS (MERGE INTO ringfence.customer USING (SELECT 1 AS n WHERE false) s ON false WHEN NOT MATCHED BY SOURCE AND nextval('hit') > 0 THEN UPDATE SET address = 'x' RETURNING 1) SELECT count(*) FROM merged;
:hits
BEGIN;
MERGE INTO ringfence.customer c USING (SELECT 1 AS n WHERE false) s ON c.name = '' WHEN NOT MATCHED BY SOURCE AND nextval('hit') > 0 THEN UPDATE SET address = 'x';
:hits
-- RETURNING alone reads a column too.
MERGE INTO ringfence.customer c USING (SELECT 1 AS n WHERE false) s ON false WHEN NOT MATCHED BY SOURCE AND nextval('hit') > 0 THEN UPDATE SET address = 'x' RETURNING c.name;
:hits
MERGE INTO ringfence.customer c USING (VALUES ('Tsai Mei-Ling'), ('New')) AS s (name) ON c.name = s.name
 WHEN MATCHED THEN UPDATE SET address = 'matched' WHEN NOT MATCHED THEN INSERT (name) VALUES (s.name) WHEN NOT MATCHED BY SOURCE THEN UPDATE SET address = 'gone'
 RETURNING merge_action(), c.name, c.address, s.name AS source;
WITH merged AS (MERGE INTO ringfence.customer c USING (VALUES (1)) AS s (n) ON c.name = 'Tsai Mei-Ling' WHEN MATCHED THEN UPDATE SET address = 'again' RETURNING merge_action() AS action, c.id)
SELECT action, id FROM merged;
ROLLBACK;
-- Values that no application role may read, and rows as a whole.
MERGE INTO ringfence.customer c USING (VALUES (1)) AS s (n) ON c.name = 'Chen Wei' WHEN MATCHED THEN UPDATE SET address = 'x' RETURNING c.attributes;
MERGE INTO ringfence.customer c USING (VALUES (1)) AS s (n) ON c.name = 'Chen Wei' WHEN MATCHED THEN UPDATE SET address = 'x' RETURNING c.*;
MERGE INTO ringfence.customer c USING (VALUES (1)) AS s (n) ON c.name = 'Chen Wei' WHEN MATCHED THEN UPDATE SET address = 'x' RETURNING c;
MERGE INTO ringfence.customer c USING (VALUES (1)) AS s (n) ON c.name = 'Chen Wei' WHEN MATCHED THEN UPDATE SET address = 'x' RETURNING c.ctid;
-- Deleting takes its right, also where nothing would be deleted; a row of another owner is not there.
MERGE INTO ringfence.customer c USING (VALUES (1)) AS s (n) ON c.name = '' WHEN NOT MATCHED BY SOURCE THEN DELETE;
MERGE INTO ringfence.customer c USING (VALUES (1)) AS s (n) ON c.id = 'b0000000-0000-0000-0000-000000000001' WHEN MATCHED THEN UPDATE SET address = 'x' RETURNING c.id;
MERGE INTO ringfence.customer c USING (VALUES (1)) AS s (n) ON c.id = 'b0000000-0000-0000-0000-000000000001' WHEN NOT MATCHED THEN INSERT (owner_id, id, name) VALUES ('bbbbbbbb-0000-0000-0000-000000000002', 'b0000000-0000-0000-0000-000000000001', 'x') RETURNING c.id;

\echo *** MERGE into customer_card
BEGIN;
MERGE INTO ringfence.customer_card c USING (VALUES ('Tsai Mei-Ling'), ('New')) AS s (name) ON c.name = s.name
 WHEN MATCHED THEN UPDATE SET address = 'matched' WHEN NOT MATCHED THEN INSERT (name) VALUES (s.name) WHEN NOT MATCHED BY SOURCE THEN UPDATE SET address = 'gone'
 RETURNING merge_action(), c.name, c.address, s.name AS source;
MERGE INTO ringfence.customer_card c USING (VALUES (1)) AS s (n) ON nextval('hit') > 0 WHEN MATCHED THEN UPDATE SET address = 'blind';
:hits
MERGE INTO ringfence.customer_card c USING (VALUES (1)) AS s (n) ON false WHEN NOT MATCHED BY SOURCE AND nextval('hit') > 0 THEN UPDATE SET address = 'blind';
:hits
MERGE INTO ringfence.customer_card c USING (VALUES (1)) AS s (n) ON c.name = 'Chen Wei' WHEN MATCHED THEN UPDATE SET attributes = '{"Nothing": 1}';
ROLLBACK;
MERGE INTO ringfence.customer_card c USING (VALUES (1)) AS s (n) ON c.name = '' WHEN NOT MATCHED BY SOURCE THEN DELETE;
MERGE INTO ringfence.customer_card c USING (VALUES (1)) AS s (n) ON c.id = 'b0000000-0000-0000-0000-000000000001' WHEN MATCHED THEN UPDATE SET address = 'x' RETURNING c.id;
MERGE INTO ringfence.customer_card c USING (VALUES (1)) AS s (n) ON false WHEN NOT MATCHED THEN INSERT (owner_id, name) VALUES ('bbbbbbbb-0000-0000-0000-000000000002', 'x') RETURNING c.id;
\c - trainee_a
MERGE INTO ringfence.customer_card c USING (VALUES (1)) AS s (n) ON c.name = 'Chen Wei' WHEN MATCHED THEN UPDATE SET address = 'x' RETURNING c.id;
\c - app_none
MERGE INTO ringfence.customer_card c USING (VALUES (1)) AS s (n) ON c.name = 'Chen Wei' WHEN MATCHED THEN UPDATE SET address = 'x' RETURNING c.id;
\echo *** masked values: read as masked, and written as the card is
\c - boss_a
SELECT ringfence.create_field('Card', projects => '{Sales}', is_masked => true) IS NOT NULL AS created;
UPDATE ringfence.customer_card SET attributes = '{"Card": "4111"}' WHERE name = 'Chen Wei';
\c - app_a
BEGIN;
MERGE INTO ringfence.customer_card c USING (VALUES (1)) AS s (n) ON c.name = 'Chen Wei' WHEN MATCHED THEN UPDATE SET attributes = c.attributes, address = 'x' RETURNING c.attributes, c.masked_fields;
MERGE INTO ringfence.customer_card c USING (VALUES (1)) AS s (n) ON c.attributes ->> 'Card' = '4111' WHEN MATCHED THEN UPDATE SET address = 'x' RETURNING c.id;
MERGE INTO ringfence.customer_card c USING (VALUES (1)) AS s (n) ON c.attributes ->> 'Card' = '4111' WHEN NOT MATCHED BY SOURCE AND c.attributes ? 'Card' THEN UPDATE SET address = 'x' RETURNING c.id;
ROLLBACK;
\c - boss_a
SELECT name, address, attributes FROM ringfence.customer_card ORDER BY name;

\echo *** MAINTAIN is a privilege to run maintenance, and to read nothing
\c - postgres
SET client_min_messages = warning;
CREATE ROLE maintains17 LOGIN;
CREATE ROLE all_maintain17 LOGIN IN ROLE pg_maintain;
GRANT MAINTAIN ON ringfence.customer TO maintains17;
GRANT USAGE ON SCHEMA ringfence TO maintains17, all_maintain17;
SELECT ringfence.grant_access('maintains17', 'Company A', '{agent}') \g /dev/null
SELECT count(*) FROM information_schema.role_table_grants WHERE privilege_type = 'MAINTAIN' AND table_schema = 'ringfence' AND grantee IN ('ringfence_user', 'ringfence_admin', 'ringfence_definer', 'PUBLIC');
\c - maintains17
ANALYZE ringfence.customer;
REINDEX TABLE ringfence.customer;
BEGIN; LOCK TABLE ringfence.customer; ROLLBACK;
BEGIN; LOCK TABLE ringfence.customer IN SHARE MODE; ROLLBACK;
SELECT count(*) FROM ringfence.customer;
SET client_min_messages = error;
VACUUM ringfence.company;
RESET client_min_messages;
SELECT count(*) FROM pg_stats WHERE schemaname = 'ringfence' AND tablename = 'customer';
\c - all_maintain17
VACUUM (ANALYZE) ringfence.customer;
BEGIN; LOCK TABLE ringfence.customer; ROLLBACK;
SELECT count(*) FROM ringfence.customer;
SELECT count(*) FROM ringfence.owner;
SELECT count(*) FROM pg_stats WHERE schemaname = 'ringfence';
-- VACUUM VERBOSE tells how many rows all owners have together, as pg_class does to every role: README. It names no value.
\! psql -X -U all_maintain17 -d regress_attack_since_17 -c 'VACUUM (VERBOSE) ringfence.customer' 2>&1 | grep -cE 'tuples: [0-9]+ removed, 5 remain'
\! psql -X -U all_maintain17 -d regress_attack_since_17 -c 'VACUUM (VERBOSE, ANALYZE, FULL) ringfence.customer' 2>&1 | grep -cE 'Tsai|Chen|CANARY|Company|aaaaaaaa|bbbbbbbb'

\echo *** a login event trigger selects nothing that the session could not, and its transaction ends with it
\c - postgres
SET client_min_messages = warning;
CREATE SCHEMA login17;
CREATE TABLE login17.seen (who text, what text);
-- A DBA's: it reads as superuser, in the session of whoever connects.
CREATE FUNCTION login17.note() RETURNS event_trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog AS $$
BEGIN
    INSERT INTO login17.seen SELECT session_user, string_agg(name, ', ' ORDER BY name) FROM ringfence.owner;
END$$;
-- And one that selects an owner for everybody.
CREATE FUNCTION login17.choose() RETURNS event_trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('ringfence.owner', 'Company B', false);
    BEGIN
        PERFORM ringfence.enter('Company B');
    EXCEPTION WHEN OTHERS THEN
        NULL;
    END;
END$$;
CREATE EVENT TRIGGER note17 ON login EXECUTE FUNCTION login17.note();
CREATE EVENT TRIGGER choose17 ON login EXECUTE FUNCTION login17.choose();
\c - app_a
SHOW ringfence.owner;
SELECT count(*) FROM ringfence.customer;
RESET ringfence.owner;
SELECT name FROM ringfence.customer ORDER BY name;
SET ringfence.owner = 'Company A';
SELECT count(*) FROM ringfence.customer;
\c - app_b
SELECT name FROM ringfence.customer ORDER BY name;
-- Selected for the session: this access wants each transaction to select its owner.
\c - app_ab
SELECT count(*) FROM ringfence.customer;
BEGIN; SELECT ringfence.enter('Company A'); SELECT count(*) FROM ringfence.customer; COMMIT;
\c - app_session
SELECT name FROM ringfence.customer ORDER BY name;
SET ringfence.owner = 'Company A';
SELECT count(*) FROM ringfence.customer;
\c - app_none
SELECT count(*) FROM ringfence.customer;
SELECT name FROM ringfence.owner;
\c - postgres
DROP EVENT TRIGGER note17;
DROP EVENT TRIGGER choose17;
SELECT DISTINCT who, what FROM login17.seen ORDER BY who;
SET client_min_messages = warning;
DROP SCHEMA login17 CASCADE;

\echo *** COPY that ignores errors: of values that are none, and of nothing else
\c - app_a
\pset null NULL
COPY ringfence.customer_card (name, birth_date) FROM STDIN WITH (ON_ERROR ignore, LOG_VERBOSITY verbose);
Good	2000-01-01
Bad date	2000-13-01
\.
COPY ringfence.customer_card (name, birth_date) FROM STDIN WITH (ON_ERROR ignore);
	2000-01-01
\.
COPY ringfence.customer_card (name, attributes) FROM STDIN WITH (ON_ERROR ignore);
Bad field	{"Nothing": 1}
\.
COPY ringfence.customer_card (owner_id, name) FROM STDIN WITH (ON_ERROR ignore);
no uuid	skipped
bbbbbbbb-0000-0000-0000-000000000002	Bad owner
\.
COPY ringfence.customer_card (name, company_id) FROM STDIN WITH (ON_ERROR ignore);
Bad company	b0000000-0000-0000-0000-00000000000c
\.
SELECT name, birth_date FROM ringfence.customer WHERE name ~ '^(Good|Bad|skipped)';

\echo *** the memory that planning takes does not depend on rows of other owners
CREATE TEMP TABLE planned (run int, line text);
CREATE FUNCTION pg_temp.plan() RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    RETURN QUERY EXECUTE 'EXPLAIN (MEMORY) SELECT name FROM ringfence.customer WHERE name = ''x'' AND address > ''y'' AND language <> ''l1''';
END$$;
SELECT count(*) > 0 AS planned FROM pg_temp.plan();
INSERT INTO planned SELECT 1, pg_temp.plan();
\! psql -qX -U app_b -d regress_attack_since_17 -c "INSERT INTO ringfence.customer_card (name, address, language) SELECT repeat('x', 900) || n, repeat('y', 1500) || n % 100, 'l' || n % 10 FROM generate_series(1, 1000) n"
\! psql -qX -U postgres -d regress_attack_since_17 -c "ANALYZE ringfence.customer"
SELECT count(*) > 0 AS planned FROM pg_temp.plan();
INSERT INTO planned SELECT 2, pg_temp.plan();
SELECT line FROM planned GROUP BY line HAVING count(*) <> 2;

\c - postgres
SET client_min_messages = warning;
SELECT count(*) FROM ringfence.customer WHERE address IN ('x', 'blind', 'gone');
DROP OWNED BY maintains17, all_maintain17;
DROP ROLE maintains17, all_maintain17;
