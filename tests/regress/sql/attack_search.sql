-- Attacks on the search index: queries made by hand, kept, or made by somebody else; what it tells by rows, errors and estimates.
-- ATTACKS 77, 79, 83, 112, 116; FEATURES A5, A6, E4.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
-- A plan's identifier is another in each database.
SET compute_query_id = off;
CREATE SCHEMA kept;
GRANT ALL ON SCHEMA kept TO PUBLIC;
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.create_field('Card', projects => '{Sales}', is_masked => true, is_searchable => true),
       ringfence.create_field('Contract', projects => '{Sales}', is_searchable => true) \g /dev/null
UPDATE ringfence.customer_card SET attributes = '{"Card": "9999-8888", "Contract": "CT-4411"}' WHERE name = 'Tsai Mei-Ling';
RESET SESSION AUTHORIZATION;

-- So many that the index is used, for a query that may be used and for one that may not.
SET SESSION AUTHORIZATION app_a;
INSERT INTO ringfence.customer (name) SELECT 'Filler ' || translate(n::text, '0123456789', 'abcdefghij') FROM generate_series(1, 3000) AS n;
RESET SESSION AUTHORIZATION;
ANALYZE ringfence.customer;

-- 124: what has the index's name and is not that index, or is not ready, is not asked. The search goes another way.
CREATE PROCEDURE kept.instead(definition text) LANGUAGE plpgsql AS $$
BEGIN
    ALTER INDEX ringfence.customer_search RENAME TO customer_search_before;
    EXECUTE definition;
END$$;
BEGIN;
CALL kept.instead('CREATE INDEX customer_search ON ringfence.customer (name)');
SET LOCAL SESSION AUTHORIZATION app_a;
SELECT name FROM ringfence.search_customers('tsai');
SET LOCAL SESSION AUTHORIZATION dba;
SELECT ringfence.search_status();
ROLLBACK;
BEGIN;
CALL kept.instead('CREATE INDEX customer_search ON ringfence.customer USING gin (normal_phones)');
SET LOCAL SESSION AUTHORIZATION app_b;
SELECT name FROM ringfence.search_customers('tsai');
ROLLBACK;
BEGIN;
CALL kept.instead('CREATE VIEW ringfence.customer_search AS SELECT 1');
SET LOCAL SESSION AUTHORIZATION app_a;
SELECT name FROM ringfence.search_customers('tsai');
ROLLBACK;
BEGIN;
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'ringfence.customer_search'::regclass;
SET LOCAL SESSION AUTHORIZATION app_a;
SELECT name FROM ringfence.search_customers('tsai');
SET LOCAL SESSION AUTHORIZATION dba;
SELECT is_valid FROM ringfence.search_status();
ROLLBACK;
BEGIN;
DROP INDEX ringfence.customer_search;
SET LOCAL SESSION AUTHORIZATION app_a;
SELECT name FROM ringfence.search_customers('tsai');
ROLLBACK;

-- 79: values as deep as PostgreSQL takes them do not end the server, which is everybody's.
SET SESSION AUTHORIZATION app_a;
DO $$
BEGIN
    FOR depth IN 1..40 LOOP
        PERFORM ringfence.search_keys(ringfence.current_owner(), 'Tsai', '{}', '{}',
                                      ('{"a": ' || repeat('[', 1000 * depth) || repeat(']', 1000 * depth) || '}')::jsonb, '-infinity');
    END LOOP;
EXCEPTION WHEN statement_too_complex THEN
    NULL;
END$$;
RESET SESSION AUTHORIZATION;

-- Nobody writes a query or keys by hand, or reads them.
SET SESSION AUTHORIZATION app_a;
SELECT '(query)'::ringfence.search_query;
\echo :SQLSTATE
SELECT '{1,2,3}'::ringfence.search_keys;
SELECT CAST('\x00'::bytea AS ringfence.search_query);
SELECT CAST('{1}'::bigint[] AS ringfence.search_keys);
SELECT ringfence.query('tsai'), ringfence.query('tsai')::text, to_jsonb(ringfence.query('tsai')), row(ringfence.query('tsai'));
SELECT ringfence.query('tsai')::bytea;
SELECT ringfence.search_keys(ringfence.current_owner(), 'Tsai', '{}', '{}', '{}', '-infinity');
COPY (SELECT ringfence.query('tsai')) TO STDOUT (FORMAT binary);
-- Nor asks what the columns that it goes by hold.
SELECT ringfence.searchable_values('{}', 'bbbbbbbb-0000-0000-0000-000000000002');
SELECT searchable FROM ringfence.customer;
SELECT pg_column_size(ringfence.search_keys(owner_id, name, normal_phones, normal_emails, searchable, active_on)) FROM ringfence.customer;
INSERT INTO ringfence.customer (name, searchable) VALUES ('x', '{}');
UPDATE ringfence.customer SET searchable = '{}';
SELECT ringfence.search_status();

-- E4: a masked field, another project's, and one that is not searchable take no part.
SELECT count(*) FROM ringfence.customer WHERE ringfence.matches(id, '9999');
SELECT count(*) FROM ringfence.customer_card WHERE ringfence.matches(id, '9999-8888');
SELECT count(*) FROM ringfence.customer WHERE ringfence.matches(id, 'ct-4411');
SET ringfence.project = 'Support';
SELECT count(*) FROM ringfence.customer WHERE ringfence.matches(id, 'ct-4411');
RESET ringfence.project;

-- A query that somebody else made, kept in a table, finds nothing that its reader could not have looked for.
SET SESSION AUTHORIZATION app_b;
CREATE TABLE kept.of_b AS SELECT ringfence.query('tsai') AS query;
RESET SESSION AUTHORIZATION;
-- The right to keep one is not given to anybody. Given here, to see that a query which is kept all the same is worth nothing.
GRANT USAGE ON TYPE ringfence.search_query TO PUBLIC;
SET SESSION AUTHORIZATION app_b;
CREATE TABLE kept.of_b AS SELECT ringfence.query('tsai') AS query;
GRANT SELECT ON kept.of_b TO PUBLIC;
SET SESSION AUTHORIZATION boss_a;
CREATE TABLE kept.of_boss AS SELECT ringfence.query('9999-8888') AS query;
GRANT SELECT ON kept.of_boss TO PUBLIC;
SELECT name FROM ringfence.customer WHERE id OPERATOR(ringfence.@@@) (SELECT query FROM kept.of_boss);
SET SESSION AUTHORIZATION app_a;
SELECT count(*) FROM ringfence.customer WHERE id OPERATOR(ringfence.@@@) (SELECT query FROM kept.of_b);
EXPLAIN (COSTS OFF) SELECT count(*) FROM ringfence.customer WHERE id OPERATOR(ringfence.@@@) (SELECT query FROM kept.of_boss) \g |$PG_ABS_SRCDIR/plan.sh
SELECT count(*) FROM ringfence.customer WHERE id OPERATOR(ringfence.@@@) (SELECT query FROM kept.of_boss);
SELECT count(*) FROM ringfence.customer_card, kept.of_boss WHERE id OPERATOR(ringfence.@@@) query;
SET enable_bitmapscan = off;
SELECT count(*) FROM ringfence.customer WHERE id OPERATOR(ringfence.@@@) (SELECT query FROM kept.of_boss);
RESET enable_bitmapscan;
-- By id alone, of a customer that is there: not with another's query, and not another owner's customer.
SELECT 'a0000000-0000-0000-0000-000000000001'::uuid OPERATOR(ringfence.@@@) ringfence.query('tsai') AS own,
       'b0000000-0000-0000-0000-000000000001'::uuid OPERATOR(ringfence.@@@) ringfence.query('tsai') AS of_b,
       'b0000000-0000-0000-0000-000000000001'::uuid OPERATOR(ringfence.@@@) (SELECT query FROM kept.of_b) AS of_b_by_its_query,
       'a0000000-0000-0000-0000-000000000001'::uuid OPERATOR(ringfence.@@@) (SELECT query FROM kept.of_boss) AS masked;

-- Rights that are gone take the queries with them.
SET SESSION AUTHORIZATION boss_a;
BEGIN;
SELECT count(*) FROM ringfence.customer WHERE id OPERATOR(ringfence.@@@) (SELECT query FROM kept.of_boss);
UPDATE ringfence.field SET is_searchable = false WHERE name = 'Card';
SELECT count(*) FROM ringfence.customer WHERE id OPERATOR(ringfence.@@@) (SELECT query FROM kept.of_boss);
SELECT count(*) FROM ringfence.search_customers('9999-8888');
ROLLBACK;
SELECT count(*) FROM ringfence.customer WHERE id OPERATOR(ringfence.@@@) (SELECT query FROM kept.of_boss);
-- Without the right to read, there is nothing to find, by no way.
SET SESSION AUTHORIZATION tickets_a;
SELECT count(*) FROM ringfence.customer WHERE ringfence.matches(id, 'tsai');
SELECT count(*) FROM ringfence.search_customers('tsai');
SELECT 'a0000000-0000-0000-0000-000000000001'::uuid OPERATOR(ringfence.@@@) ringfence.query('tsai');
SET SESSION AUTHORIZATION app_ab;
SELECT ringfence.query('tsai');
SELECT 'a0000000-0000-0000-0000-000000000001'::uuid OPERATOR(ringfence.@@@) (SELECT query FROM kept.of_b);
SET SESSION AUTHORIZATION stranger;
SELECT ringfence.query('tsai');
RESET SESSION AUTHORIZATION;

-- What is hidden by a policy that a DBA adds is not asked for by id either.
BEGIN;
CREATE POLICY hidden ON ringfence.customer AS RESTRICTIVE USING (name <> 'Tsai Mei-Ling');
SET LOCAL SESSION AUTHORIZATION app_a;
SELECT count(*) FROM ringfence.customer WHERE ringfence.matches(id, 'tsai');
SELECT 'a0000000-0000-0000-0000-000000000001'::uuid OPERATOR(ringfence.@@@) ringfence.query('tsai');
ROLLBACK;

-- 77: the condition is let before the wall, and the attacker's are not.
CREATE FUNCTION kept.leak(text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$BEGIN RAISE WARNING 'saw %', $1; RETURN true; END$$;
SET SESSION AUTHORIZATION app_b;
SELECT count(*) FROM ringfence.customer WHERE kept.leak(name) AND ringfence.matches(id, 'tsai');
RESET SESSION AUTHORIZATION;

-- 83: EXPLAIN takes every search for the same number of rows, and shows no keys.
SET SESSION AUTHORIZATION dba;
SELECT ringfence.create_owner('Large', country => 'PL') IS NOT NULL;
SELECT ringfence.grant_access('app_none', 'Large', '{agent}');
SET SESSION AUTHORIZATION app_none;
INSERT INTO ringfence.customer (name) SELECT 'Kowalski ' || md5(n::text) FROM generate_series(1, 3000) AS n;
RESET SESSION AUTHORIZATION;
ANALYZE ringfence.customer;
CREATE FUNCTION kept.rows_of(query text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE plan json;
BEGIN
    EXECUTE format('EXPLAIN (FORMAT json) SELECT FROM ringfence.customer WHERE ringfence.matches(id, %L)', query) INTO plan;
    RETURN (plan -> 0 -> 'Plan' ->> 'Plan Rows')::bigint;
END$$;
SET SESSION AUTHORIZATION app_none;
SELECT query, kept.rows_of(query) FROM unnest(ARRAY['kowalski', 'nobody', 'a', '', 'kow kowal kowalski', '5678']) AS query;
EXPLAIN (VERBOSE, COSTS OFF) SELECT name FROM ringfence.customer WHERE ringfence.matches(id, 'kowalski') \g |$PG_ABS_SRCDIR/plan.sh
EXPLAIN (COSTS OFF) SELECT name FROM ringfence.customer_card WHERE ringfence.matches(id, 'kowalski') \g |$PG_ABS_SRCDIR/plan.sh
EXPLAIN (COSTS OFF) SELECT name FROM ringfence.customer WHERE id OPERATOR(ringfence.@@@) (SELECT ringfence.query('kowalski')) \g |$PG_ABS_SRCDIR/plan.sh
RESET SESSION AUTHORIZATION;

-- Two owners whose keys meet in the index by chance, as a unit test of `key.rs` makes sure: the words of one, whose letters are chosen so that the
-- other takes them for near to what it looks for, take no place of its own among those that are judged as words with two typos.
INSERT INTO ringfence.owner (id, name) VALUES ('a0000000-0000-4000-8000-000000000001', 'Meets'), ('b0000000-0000-4000-8000-00002d23754b', 'Met');
SET SESSION AUTHORIZATION dba;
SELECT ringfence.grant_access('app_none', 'Meets', '{agent}');
SELECT ringfence.grant_access('app_none', 'Met', '{agent}');
SET SESSION AUTHORIZATION app_none;
BEGIN;
SET LOCAL ringfence.owner = 'a0000000-0000-4000-8000-000000000001';
INSERT INTO ringfence.customer (name) VALUES ('Pietraslea Anna');
SELECT name, matched FROM ringfence.search_customers('pietroslee');
COMMIT;
BEGIN;
SET LOCAL ringfence.owner = 'b0000000-0000-4000-8000-00002d23754b';
INSERT INTO ringfence.customer (name)
SELECT 'piet' || string_agg(letter, '' ORDER BY md5(n || letter || place)) FROM generate_series(1, 1000) AS n,
       regexp_split_to_table('abhintu', '') WITH ORDINALITY AS letters(letter, place) GROUP BY n;
COMMIT;
BEGIN;
SET LOCAL ringfence.owner = 'a0000000-0000-4000-8000-000000000001';
SELECT name, matched FROM ringfence.search_customers('pietroslee');
COMMIT;
RESET SESSION AUTHORIZATION;

-- The access method is good for the search keys alone, with nothing to be set, and an index of somebody's own holds what it is made of.
CREATE INDEX ON ringfence.customer USING ringfence_search (name);
CREATE INDEX ON ringfence.customer USING gin (ringfence.search_keys(owner_id, name, normal_phones, normal_emails, searchable, active_on));
CREATE INDEX ON ringfence.customer USING ringfence_search (ringfence.search_keys(owner_id, name, normal_phones, normal_emails, searchable, active_on)) WITH (fastupdate = on);
ALTER INDEX ringfence.customer_search SET (fastupdate = on);
-- PostgreSQL 15 and 16 ask for it.
GRANT USAGE ON TYPE ringfence.search_keys TO app_a;
SET SESSION AUTHORIZATION app_a;
CREATE TABLE kept.own AS SELECT owner_id, name FROM ringfence.customer;
INSERT INTO kept.own SELECT 'bbbbbbbb-0000-0000-0000-000000000002', 'Tsai ' || n FROM generate_series(1, 2000) AS n;
CREATE INDEX ON kept.own USING ringfence_search (ringfence.search_keys(owner_id, name, '{}', '{}', '{}', '-infinity'));
ANALYZE kept.own;
SELECT owner_id = ringfence.current_owner() AS own, count(*) FROM kept.own
 WHERE ringfence.search_keys(owner_id, name, '{}', '{}', '{}', '-infinity') OPERATOR(ringfence.@@@) ringfence.query('tsai') GROUP BY 1;
RESET SESSION AUTHORIZATION;
DROP SCHEMA kept CASCADE;
