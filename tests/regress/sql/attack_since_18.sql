-- What came with PostgreSQL 18: RETURNING of OLD and NEW, skip scans, self-join elimination, virtual generated columns, temporal constraints,
-- asynchronous I/O, statistics that can be written, a limit for COPY that ignores errors.
\set SHOW_CONTEXT never
\set VERBOSITY terse
SET client_min_messages = warning;
CREATE EXTENSION btree_gist;
CREATE SCHEMA own18 AUTHORIZATION app_a;
GRANT USAGE ON SCHEMA own18 TO app_b;
GRANT REFERENCES (owner_id, id) ON ringfence.customer TO app_a;

\echo *** OLD and NEW: columns that may not be read are not read by another name
\c - app_a
BEGIN;
UPDATE ringfence.customer SET address = 'x' WHERE name = 'Chen Wei' RETURNING old.name, old.address, new.address;
ROLLBACK;
UPDATE ringfence.customer SET address = 'x' WHERE name = 'Chen Wei' RETURNING old.attributes;
UPDATE ringfence.customer SET address = 'x' WHERE name = 'Chen Wei' RETURNING new.attributes;
UPDATE ringfence.customer SET address = 'x' WHERE name = 'Chen Wei' RETURNING new.searchable;
UPDATE ringfence.customer SET address = 'x' WHERE name = 'Chen Wei' RETURNING old;
UPDATE ringfence.customer SET address = 'x' WHERE name = 'Chen Wei' RETURNING new.*;
UPDATE ringfence.customer SET address = 'x' WHERE name = 'Chen Wei' RETURNING old.ctid;
UPDATE ringfence.customer SET address = 'x' WHERE name = 'Chen Wei' RETURNING WITH (OLD AS o, NEW AS n) o.attributes, n.attributes;
INSERT INTO ringfence.customer (name) VALUES ('x') RETURNING old.attributes, new.attributes;
INSERT INTO ringfence.customer (name) VALUES ('x') ON CONFLICT (owner_id, id) DO UPDATE SET name = 'y' RETURNING old.attributes;
MERGE INTO ringfence.customer c USING (VALUES (1)) AS s (n) ON c.name = 'Chen Wei' WHEN MATCHED THEN UPDATE SET address = 'x' RETURNING old.attributes;
-- Nor is a column of it read by OLD alone: MERGE goes over the rows of its owner.
BEGIN;
CREATE TEMP SEQUENCE hit;
MERGE INTO ringfence.customer c USING (VALUES (1)) AS s (n) ON nextval('hit') > 0 WHEN MATCHED THEN UPDATE SET address = 'x' RETURNING old.name;
SELECT last_value FROM hit;
ROLLBACK;
-- A row of another owner is not old either.
BEGIN;
INSERT INTO ringfence.customer (id, name) VALUES ('b0000000-0000-0000-0000-000000000001', 'x') ON CONFLICT (owner_id, id) DO UPDATE SET name = 'taken' RETURNING old.name, new.name;
UPDATE ringfence.customer SET address = 'x' WHERE id = 'b0000000-0000-0000-0000-000000000002' RETURNING old.name;
ROLLBACK;
\c - boss_a
SELECT ringfence.create_field('Card', projects => '{Sales}', is_masked => true) IS NOT NULL AS created;
UPDATE ringfence.customer_card SET attributes = '{"Card": "4111"}' WHERE name = 'Chen Wei' RETURNING old.attributes AS old, new.attributes AS new;
\c - app_a
BEGIN;
UPDATE ringfence.customer_card SET address = 'x' WHERE name = 'Chen Wei' RETURNING old.attributes AS old, new.attributes AS new, old.masked_fields AS masked;
MERGE INTO ringfence.customer_card c USING (VALUES (1)) AS s (n) ON c.name = 'Chen Wei' WHEN MATCHED THEN UPDATE SET address = 'y' RETURNING old.address AS old, new.address AS new, new.attributes;
INSERT INTO ringfence.customer_card (name) VALUES ('x') RETURNING old.name AS old, new.name AS new;
DELETE FROM ringfence.customer_card WHERE name = 'Chen Wei' RETURNING old.attributes;
ROLLBACK;
\c - sales_a
BEGIN;
UPDATE ringfence.customer_card SET attributes = attributes || '{"Card": "4222"}' WHERE name = 'Chen Wei' RETURNING old.attributes AS old, new.attributes AS new, new.masked_fields AS masked;
ROLLBACK;

\echo *** skip scan, self-join elimination: the wall is the index condition, and stays in front
\c - app_a
SET enable_seqscan = off;
SET enable_bitmapscan = off;
CREATE FUNCTION pg_temp.leak(text) RETURNS boolean LANGUAGE plpgsql COST 0.000001 AS $$BEGIN RAISE NOTICE 'leak %', $1; RETURN true; END$$;
SET max_parallel_workers_per_gather = 0;
EXPLAIN (COSTS OFF) SELECT id FROM ringfence.customer WHERE id = 'b0000000-0000-0000-0000-000000000001';
SELECT id FROM ringfence.customer WHERE id = 'b0000000-0000-0000-0000-000000000001';
EXPLAIN (COSTS OFF) SELECT a.name FROM ringfence.customer a JOIN ringfence.customer b USING (owner_id, id) WHERE pg_temp.leak(a.name) AND pg_temp.leak(b.name);
SELECT a.name FROM ringfence.customer a JOIN ringfence.customer b USING (owner_id, id) WHERE pg_temp.leak(a.name) AND pg_temp.leak(b.name) ORDER BY name;
EXPLAIN (COSTS OFF) SELECT a.name FROM ringfence.customer_card a JOIN ringfence.customer_card b USING (owner_id, id) WHERE pg_temp.leak(a.name) AND pg_temp.leak(b.name);
SELECT a.name FROM ringfence.customer_card a JOIN ringfence.customer_card b USING (owner_id, id) WHERE pg_temp.leak(a.name) AND pg_temp.leak(b.name) ORDER BY name;
SELECT a.name FROM ringfence.customer a JOIN ringfence.customer b ON a.owner_id = b.owner_id AND a.id = b.id AND a.owner_id = 'bbbbbbbb-0000-0000-0000-000000000002' AND pg_temp.leak(a.name);
-- Of one's own table: an index that begins with another column would be skipped through, with the rows of all owners.
CREATE TABLE own18.skipped (owner_id uuid NOT NULL DEFAULT ringfence.current_owner(), kind int, i int);
ALTER TABLE own18.skipped ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY owner_wall ON own18.skipped AS RESTRICTIVE USING (owner_id = ringfence.current_owner()) WITH CHECK (owner_id = ringfence.current_owner());
CREATE POLICY all_of_it ON own18.skipped USING (true);
CREATE INDEX by_kind ON own18.skipped (kind, owner_id, i);
CREATE INDEX by_owner ON own18.skipped (owner_id, kind, i);
GRANT ALL ON own18.skipped TO app_b;
INSERT INTO own18.skipped (kind, i) SELECT n % 3, n FROM generate_series(1, 300) AS n;
\c - app_b
INSERT INTO own18.skipped (kind, i) SELECT n, n FROM generate_series(1, 3000) AS n;
\c - app_a
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SET max_parallel_workers_per_gather = 0;
EXPLAIN (COSTS OFF) SELECT i FROM own18.skipped WHERE i = 7;
EXPLAIN (COSTS OFF) SELECT DISTINCT kind FROM own18.skipped ORDER BY kind;
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT i FROM own18.skipped WHERE i = 7;
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT i FROM own18.skipped WHERE kind = ANY ('{0,1,2,3,4}') AND i = ANY ('{6,7}');
-- EXPLAIN ANALYZE tells of buffers without being asked: none of what others had a part in.
EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT name FROM ringfence.customer WHERE name = ANY ('{a,b,c,d}');
RESET ALL;

\echo *** virtual generated columns
CREATE TABLE own18.virtual (tenant uuid DEFAULT ringfence.current_owner(), owner_id uuid GENERATED ALWAYS AS (tenant) VIRTUAL, name text, shout text GENERATED ALWAYS AS (upper(name)) VIRTUAL);
ALTER TABLE own18.virtual ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY owner_wall ON own18.virtual AS RESTRICTIVE USING (owner_id = ringfence.current_owner()) WITH CHECK (owner_id = ringfence.current_owner());
CREATE POLICY all_of_it ON own18.virtual USING (true);
GRANT ALL ON own18.virtual TO app_b;
INSERT INTO own18.virtual (name) VALUES ('of A') RETURNING owner_id, shout;
INSERT INTO own18.virtual (tenant, name) VALUES ('bbbbbbbb-0000-0000-0000-000000000002', 'of B') RETURNING owner_id;
\c - app_b
INSERT INTO own18.virtual (name) VALUES ('CANARY-B') RETURNING owner_id, shout;
SELECT * FROM own18.virtual WHERE shout LIKE '%';
UPDATE own18.virtual SET tenant = 'aaaaaaaa-0000-0000-0000-000000000001';
\c - app_a
CREATE FUNCTION pg_temp.leak(text) RETURNS boolean LANGUAGE plpgsql COST 0.000001 AS $$BEGIN RAISE NOTICE 'leak %', $1; RETURN true; END$$;
SELECT owner_id, name, shout FROM own18.virtual WHERE pg_temp.leak(shout);
SELECT v.name, c.name FROM own18.virtual AS v JOIN ringfence.customer AS c USING (owner_id) WHERE c.name = 'Chen Wei';
UPDATE own18.virtual SET name = 'changed' RETURNING old.shout, new.shout;
DELETE FROM own18.virtual WHERE owner_id = 'bbbbbbbb-0000-0000-0000-000000000002';
CREATE TABLE own18.divided (owner_id uuid NOT NULL DEFAULT ringfence.current_owner(), i int, half int GENERATED ALWAYS AS (100 / i) VIRTUAL);
ALTER TABLE own18.divided ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY owner_wall ON own18.divided AS RESTRICTIVE USING (owner_id = ringfence.current_owner()) WITH CHECK (owner_id = ringfence.current_owner());
CREATE POLICY all_of_it ON own18.divided USING (true);
GRANT ALL ON own18.divided TO app_b;
INSERT INTO own18.divided (i) VALUES (1);
\c - app_b
INSERT INTO own18.divided (i) VALUES (0);
\c - app_a
SELECT i, half FROM own18.divided WHERE half > 1;
UPDATE own18.divided SET i = 2 WHERE half > 1 RETURNING old.half, new.half;
SET max_parallel_workers_per_gather = 0;
EXPLAIN (COSTS OFF) SELECT i FROM own18.divided WHERE half > 1;
-- What a session may would be kept by such a column: PostgreSQL refuses.
CREATE TABLE own18.refused (i int, f uuid GENERATED ALWAYS AS (ringfence.current_owner()) VIRTUAL);
CREATE TABLE own18.refused (i int, f boolean GENERATED ALWAYS AS (ringfence.has_right('customer.read')) VIRTUAL);

\echo *** temporal keys
CREATE TABLE own18.contract (owner_id uuid NOT NULL DEFAULT ringfence.current_owner(), id int, during daterange, customer_id uuid,
    PRIMARY KEY (owner_id, id, during WITHOUT OVERLAPS), FOREIGN KEY (owner_id, customer_id) REFERENCES ringfence.customer (owner_id, id));
CREATE TABLE own18.line (owner_id uuid NOT NULL DEFAULT ringfence.current_owner(), id int, contract int, during daterange, PRIMARY KEY (owner_id, id),
    FOREIGN KEY (owner_id, contract, PERIOD during) REFERENCES own18.contract (owner_id, id, PERIOD during));
ALTER TABLE own18.contract ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY owner_wall ON own18.contract AS RESTRICTIVE USING (owner_id = ringfence.current_owner()) WITH CHECK (owner_id = ringfence.current_owner());
CREATE POLICY all_of_it ON own18.contract USING (true);
ALTER TABLE own18.line ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY owner_wall ON own18.line AS RESTRICTIVE USING (owner_id = ringfence.current_owner()) WITH CHECK (owner_id = ringfence.current_owner());
CREATE POLICY all_of_it ON own18.line USING (true);
GRANT ALL ON own18.contract, own18.line TO app_b;
\set VERBOSITY default
INSERT INTO own18.contract (id, during, customer_id) VALUES (1, '[2026-01-01,2026-06-01)', 'a0000000-0000-0000-0000-000000000001');
INSERT INTO own18.contract (id, during) VALUES (1, '[2026-05-01,2026-07-01)');
INSERT INTO own18.line (id, contract, during) VALUES (1, 1, '[2026-01-01,2026-02-01)');
INSERT INTO own18.line (id, contract, during) VALUES (2, 1, '[2026-01-01,2027-02-01)');
\c - app_b
-- The same keys, in the same time: no conflict, and nothing that a line could refer to.
INSERT INTO own18.line (id, contract, during) VALUES (1, 1, '[2026-01-01,2026-02-01)');
INSERT INTO own18.line (id, contract, during) VALUES (1, 9, '[2026-01-01,2026-02-01)');
INSERT INTO own18.line (owner_id, id, contract, during) VALUES ('aaaaaaaa-0000-0000-0000-000000000001', 1, 1, '[2026-01-01,2026-02-01)');
INSERT INTO own18.contract (id, during) VALUES (1, '[2026-05-01,2026-07-01)');
INSERT INTO own18.contract (id, during, customer_id) VALUES (2, '[2026-05-01,2026-07-01)', 'a0000000-0000-0000-0000-000000000001');
SELECT count(*) FROM own18.contract;
DELETE FROM own18.contract;
\c - app_a
UPDATE own18.contract SET during = '[2026-03-01,2026-06-01)';
SELECT count(*) FROM own18.contract;
\set VERBOSITY terse

\echo *** asynchronous I/O is shown to no application role; what each session has read and written is, until that is taken away: README
SELECT count(*) FROM pg_aios;
SELECT count(*) FROM pg_get_aios();
\c - postgres
REVOKE EXECUTE ON FUNCTION pg_stat_get_backend_io(integer), pg_stat_get_backend_wal(integer) FROM PUBLIC;
\c - app_a
SELECT count(*) FROM pg_stat_get_backend_io(pg_backend_pid());
SELECT wal_records FROM pg_stat_get_backend_wal(pg_backend_pid());

\echo *** statistics are not written by application roles; written by who may, they change no plan of theirs
SELECT pg_restore_relation_stats('schemaname', 'ringfence', 'relname', 'customer', 'reltuples', 5::real);
SELECT pg_clear_relation_stats('ringfence', 'customer');
SELECT pg_clear_attribute_stats('ringfence', 'customer', 'name', false);
EXPLAIN SELECT name FROM ringfence.customer WHERE address = 'x';
\c - postgres
SELECT pg_restore_relation_stats('schemaname', 'ringfence', 'relname', 'customer', 'relpages', 100000, 'reltuples', 10000000::real, 'relallvisible', 0),
       pg_restore_attribute_stats('schemaname', 'ringfence', 'relname', 'customer', 'attname', 'address', 'inherited', false,
                                  'null_frac', 0::real, 'avg_width', 5, 'n_distinct', 1::real, 'most_common_vals', '{x}'::text, 'most_common_freqs', '{1}'::real[]);
\c - app_a
EXPLAIN SELECT name FROM ringfence.customer WHERE address = 'x';

\echo *** COPY that gives up after so many errors
COPY ringfence.customer_card (name, birth_date) FROM STDIN WITH (ON_ERROR ignore, REJECT_LIMIT 1);
Good	2000-01-01
Bad	2000-13-01
Bad	2000-13-02
\.
SELECT count(*) FROM ringfence.customer WHERE name IN ('Good', 'Bad');

\c - postgres
SET client_min_messages = warning;
DROP SCHEMA own18 CASCADE;
DROP EXTENSION btree_gist;
ANALYZE ringfence.customer;
