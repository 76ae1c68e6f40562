-- ATTACKS 64: MERGE. PostgreSQL asks the policies which rows a MERGE goes over only if it reads a column of its target; without,
-- it goes over the rows of all owners, and runs its conditions for each of them.
\set SHOW_CONTEXT never
\set VERBOSITY terse
CREATE SCHEMA attack;
GRANT ALL ON SCHEMA attack TO PUBLIC;
\set hits 'SELECT CASE WHEN is_called THEN last_value ELSE 0 END AS rows_met FROM hit; ALTER SEQUENCE hit RESTART;'
-- Also as the first statement of a session, which has not loaded the library before.
\c - app_a
CREATE TEMP SEQUENCE hit;
MERGE INTO ringfence.customer USING (SELECT 1 AS n) s ON nextval('hit') > 0 WHEN MATCHED AND s.n = 2 THEN UPDATE SET address = 'x';
:hits
MERGE INTO ringfence.company USING (SELECT 1 AS n) s ON nextval('hit') > 0 WHEN MATCHED AND s.n = 2 THEN UPDATE SET description = 'x';
:hits
MERGE INTO ringfence.customer USING (SELECT 1 AS n) s ON true WHEN MATCHED AND nextval('hit') < 0 THEN UPDATE SET address = 'x' WHEN NOT MATCHED THEN INSERT (name) VALUES ('x');
:hits
MERGE INTO ringfence.customer USING (SELECT 1 AS n) s ON true WHEN MATCHED THEN UPDATE SET address = 'x';
MERGE INTO ringfence.customer USING (SELECT 1 AS n) s ON nextval('hit') > 0 WHEN NOT MATCHED THEN INSERT (name) VALUES ('x');
:hits
PREPARE blind AS MERGE INTO ringfence.customer USING (SELECT 1 AS n) s ON nextval('hit') > 0 WHEN MATCHED AND s.n = 2 THEN UPDATE SET address = 'x';
EXECUTE blind;
EXPLAIN ANALYZE EXECUTE blind;
DO $$BEGIN MERGE INTO ringfence.customer USING (SELECT 1 AS n) s ON nextval('hit') > 0 WHEN MATCHED AND s.n = 2 THEN UPDATE SET address = 'x'; END$$;
BEGIN;
SELECT ringfence.enter('Company A') IS NOT NULL AS entered;
MERGE INTO ringfence.customer USING (SELECT 1 AS n) s ON nextval('hit') > 0 WHEN MATCHED AND s.n = 2 THEN UPDATE SET address = 'x';
ROLLBACK;
:hits
-- With the right to delete, and in other tables.
\c - boss_a
CREATE TEMP SEQUENCE hit;
MERGE INTO ringfence.customer USING (SELECT 1 AS n) s ON nextval('hit') > 0 WHEN MATCHED AND s.n = 2 THEN DELETE;
MERGE INTO ringfence.project USING (SELECT 1 AS n) s ON nextval('hit') > 0 WHEN MATCHED AND s.n = 2 THEN DELETE;
MERGE INTO ringfence.profile USING (SELECT 1 AS n) s ON nextval('hit') > 0 WHEN MATCHED AND s.n = 2 THEN UPDATE SET description = 'x';
:hits
-- One that reads a column meets the rows of its owner, and those alone; so does one that does nothing.
\c - app_a
CREATE TEMP SEQUENCE hit;
BEGIN;
MERGE INTO ringfence.customer c USING (SELECT 1 AS n) s ON c.name <> '' AND nextval('hit') > 0 WHEN MATCHED THEN UPDATE SET address = 'merged';
:hits
MERGE INTO ringfence.customer c USING (SELECT 'New' AS name) s ON c.name = s.name WHEN NOT MATCHED THEN INSERT (name) VALUES (s.name);
MERGE INTO ringfence.customer c USING (SELECT 'New' AS name) s ON c.name = s.name AND nextval('hit') > 0 WHEN MATCHED THEN UPDATE SET address = 'merged' WHEN NOT MATCHED THEN INSERT (name) VALUES (s.name);
MERGE INTO ringfence.customer USING (SELECT 1 AS n) s ON nextval('hit') > 0 WHEN MATCHED THEN DO NOTHING;
SELECT count(*), count(*) FILTER (WHERE address = 'merged') AS merged FROM ringfence.customer;
:hits
ROLLBACK;
-- A row of another owner, by its id: it is not there.
MERGE INTO ringfence.customer c USING (SELECT 1) s ON c.id = 'b0000000-0000-0000-0000-000000000001' WHEN MATCHED THEN UPDATE SET address = 'x';
MERGE INTO ringfence.customer c USING (SELECT 1) s ON c.id = 'b0000000-0000-0000-0000-000000000001' WHEN MATCHED THEN UPDATE SET owner_id = 'aaaaaaaa-0000-0000-0000-000000000001';
-- Tables of others, and row-level security of others, are none of our business; nor are those whom the wall does not bind.
CREATE TABLE attack.own (i int);
INSERT INTO attack.own VALUES (1), (2);
ALTER TABLE attack.own ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY all_of_it ON attack.own USING (true);
MERGE INTO attack.own USING (SELECT 1 AS n) s ON nextval('hit') > 0 WHEN MATCHED AND s.n = 1 THEN UPDATE SET i = 3;
SELECT count(*) FROM attack.own WHERE i = 3;
\c - postgres
SELECT count(*) FROM ringfence.customer WHERE address = 'x';
BEGIN;
MERGE INTO ringfence.customer USING (SELECT 1 AS n) s ON true WHEN MATCHED THEN UPDATE SET address = 'x';
SELECT count(*) FROM ringfence.customer WHERE address = 'x';
ROLLBACK;
SET client_min_messages = warning;
DROP SCHEMA attack CASCADE;
