-- ATTACKS 3, 4, 5, 18, 24, 25, 26, 29, 31, 58, 202, 204: no way to another owner within a transaction, and none left behind after it.
-- app_ab may act for both owners; it may not act for both at once.
\set SHOW_CONTEXT never
\set VERBOSITY sqlstate
SET SESSION AUTHORIZATION app_ab;

-- 3: set_config runs before the policy does, on each row. The customers of one owner at most.
BEGIN;
SET LOCAL ringfence.owner = 'Company A';
SELECT count(*) FROM ringfence.customer;
SELECT name FROM ringfence.customer WHERE set_config('ringfence.owner', 'Company B', false) IS NOT NULL;
ROLLBACK;
BEGIN;
SET LOCAL ringfence.owner = 'Company A';
SELECT (SELECT count(*) FROM ringfence.customer), set_config('ringfence.owner', 'Company B', true), (SELECT count(*) FROM ringfence.customer);
ROLLBACK;
BEGIN;
SET LOCAL ringfence.owner = 'Company A';
SELECT name, set_config('ringfence.owner', 'Company B', true) FROM ringfence.customer ORDER BY name;
ROLLBACK;
BEGIN;
SET LOCAL ringfence.owner = 'Company A';
SELECT count(*) FROM ringfence.customer a CROSS JOIN LATERAL (SELECT set_config('ringfence.owner', 'Company B', true) || a.name AS x OFFSET 0) s CROSS JOIN LATERAL (SELECT count(*) FROM ringfence.customer b WHERE s.x IS NOT NULL) t;
ROLLBACK;

-- 4: copying from one owner to the other in one statement.
BEGIN;
SET LOCAL ringfence.owner = 'Company B';
INSERT INTO ringfence.customer (owner_id, name)
SELECT 'aaaaaaaa-0000-0000-0000-000000000001', c.name FROM ringfence.customer c, LATERAL (SELECT set_config('ringfence.owner', 'Company A', true) OFFSET 0) s;
ROLLBACK;
BEGIN;
SET LOCAL ringfence.owner = 'Company B';
INSERT INTO ringfence.customer_card (owner_id, name)
SELECT 'aaaaaaaa-0000-0000-0000-000000000001', c.name FROM ringfence.customer_card c, LATERAL (SELECT set_config('ringfence.owner', 'Company A', true) OFFSET 0) s;
ROLLBACK;

-- The owner by its id is no other owner than by its name; another value is.
BEGIN;
SET LOCAL ringfence.owner = 'Company A';
SELECT count(*) FROM ringfence.customer;
SET LOCAL ringfence.owner = 'aaaaaaaa-0000-0000-0000-000000000001';
SELECT count(*) FROM ringfence.customer;
SET LOCAL ringfence.owner = 'Company B';
SELECT count(*) FROM ringfence.customer;
ROLLBACK;
-- Other values: empty, unknown, no access. One refusal for all.
BEGIN;
SET LOCAL ringfence.owner = 'Company A';
SELECT count(*) FROM ringfence.customer;
SET LOCAL ringfence.owner = '';
SELECT count(*) FROM ringfence.customer;
ROLLBACK;
BEGIN;
SET LOCAL ringfence.owner = 'Company A';
SELECT count(*) FROM ringfence.customer;
SET LOCAL ringfence.owner = 'No Such Company';
SELECT count(*) FROM ringfence.customer;
ROLLBACK;
BEGIN;
SET LOCAL ringfence.owner = 'Company A';
SELECT count(*) FROM ringfence.customer;
SET LOCAL ringfence.owner = 'Company C';
SELECT count(*) FROM ringfence.customer;
ROLLBACK;

-- 29: a savepoint rolled back, or an exception caught, does not unlatch.
BEGIN;
SET LOCAL ringfence.owner = 'Company A';
SAVEPOINT s;
SELECT count(*) FROM ringfence.customer;
ROLLBACK TO s;
SET LOCAL ringfence.owner = 'Company B';
SELECT count(*) FROM ringfence.customer;
ROLLBACK;
BEGIN;
SET LOCAL ringfence.owner = 'Company A';
DO $$BEGIN PERFORM count(*) FROM ringfence.customer; RAISE EXCEPTION 'x'; EXCEPTION WHEN OTHERS THEN NULL; END$$;
\set VERBOSITY terse
DO $$BEGIN
  PERFORM set_config('ringfence.owner', 'Company B', true);
  RAISE NOTICE 'customers: %', (SELECT count(*) FROM ringfence.customer);
EXCEPTION WHEN active_sql_transaction THEN RAISE NOTICE 'refused';
END$$;
\set VERBOSITY sqlstate
SELECT count(*) FROM ringfence.customer;
ROLLBACK;

-- 26: a cursor does not carry one owner's rows into another's.
BEGIN;
SET LOCAL ringfence.owner = 'Company A';
DECLARE c CURSOR FOR SELECT name FROM ringfence.customer ORDER BY name COLLATE "C";
FETCH 1 FROM c;
SET LOCAL ringfence.owner = 'Company B';
FETCH ALL FROM c;
ROLLBACK;
-- Nor is one that was opened and not fetched from.
BEGIN;
SET LOCAL ringfence.owner = 'Company A';
DECLARE c CURSOR FOR SELECT name FROM ringfence.customer ORDER BY name COLLATE "C";
SET LOCAL ringfence.owner = 'Company B';
FETCH ALL FROM c;
ROLLBACK;

-- 24, 25: a prepared statement follows the owner of each transaction, with a generic plan too.
PREPARE q AS SELECT count(*) FROM ringfence.customer;
SET plan_cache_mode = force_generic_plan;
BEGIN;
SET LOCAL ringfence.owner = 'Company A';
EXECUTE q;
COMMIT;
BEGIN;
SET LOCAL ringfence.owner = 'Company B';
EXECUTE q;
COMMIT;
EXECUTE q;
BEGIN;
SET LOCAL ringfence.owner = 'Company A';
EXECUTE q;
SET LOCAL ringfence.owner = 'Company B';
EXECUTE q;
ROLLBACK;
RESET plan_cache_mode;

-- 18: SET ROLE: the owner stays, the rights are the new role's.
RESET SESSION AUTHORIZATION;
CREATE ROLE latch_pool LOGIN NOINHERIT;
GRANT app_a, app_b, app_ab TO latch_pool;
SET SESSION AUTHORIZATION latch_pool;
BEGIN;
SET LOCAL ROLE app_a;
SELECT count(*) FROM ringfence.customer;
SET LOCAL ROLE app_b;
SELECT count(*) FROM ringfence.customer;
ROLLBACK;
BEGIN;
SET LOCAL ROLE app_a;
SELECT count(*) FROM ringfence.customer;
RESET ROLE;
SET LOCAL ROLE app_ab;
SET LOCAL ringfence.owner = 'Company B';
SELECT count(*) FROM ringfence.customer;
ROLLBACK;
BEGIN;
SET LOCAL ROLE app_a;
SELECT count(*) FROM ringfence.customer;
SET LOCAL ROLE app_ab;
SET LOCAL ringfence.owner = 'Company A';
SELECT count(*) FROM ringfence.customer;
ROLLBACK;
RESET SESSION AUTHORIZATION;

-- 31: COMMIT inside a procedure ends what SET LOCAL began.
SET SESSION AUTHORIZATION app_ab;
\set VERBOSITY terse
DO $$BEGIN
  PERFORM set_config('ringfence.owner', 'Company A', true);
  RAISE NOTICE 'before: %', (SELECT count(*) FROM ringfence.customer);
  COMMIT;
  RAISE NOTICE 'after: %', (SELECT count(*) FROM ringfence.customer);
END$$;
\set VERBOSITY sqlstate

-- 5: RESET, RESET ALL, DISCARD ALL, SET ... TO DEFAULT after use: another value, so an error; and nothing afterwards.
BEGIN;
SET LOCAL ringfence.owner = 'Company A';
SELECT count(*) FROM ringfence.customer;
RESET ringfence.owner;
SELECT count(*) FROM ringfence.customer;
ROLLBACK;
BEGIN;
SET LOCAL ringfence.owner = 'Company A';
SELECT count(*) FROM ringfence.customer;
RESET ALL;
SELECT count(*) FROM ringfence.customer;
ROLLBACK;
BEGIN;
SET LOCAL ringfence.owner = 'Company A';
SELECT count(*) FROM ringfence.customer;
SET LOCAL ringfence.owner TO DEFAULT;
SELECT count(*) FROM ringfence.customer;
ROLLBACK;
SELECT count(*) FROM ringfence.customer;
RESET SESSION AUTHORIZATION;

-- For a role of one owner the default stays the default.
SET SESSION AUTHORIZATION app_a;
BEGIN;
SELECT count(*) FROM ringfence.customer;
SET LOCAL ringfence.owner = 'Company A';
SELECT count(*) FROM ringfence.customer;
RESET ringfence.owner;
SELECT count(*) FROM ringfence.customer;
ROLLBACK;
RESET SESSION AUTHORIZATION;

-- ringfence.latch = statement, for test suites: only a superuser sets it, and within one statement the latch holds.
SET SESSION AUTHORIZATION app_ab;
SET ringfence.latch = 'statement';
RESET SESSION AUTHORIZATION;
SET ringfence.latch = 'statement';
SET SESSION AUTHORIZATION app_ab;
BEGIN;
SET LOCAL ringfence.owner = 'Company A';
SELECT count(*) FROM ringfence.customer;
SET LOCAL ringfence.owner = 'Company B';
SELECT count(*) FROM ringfence.customer;
SELECT (SELECT count(*) FROM ringfence.customer), set_config('ringfence.owner', 'Company A', true), (SELECT count(*) FROM ringfence.customer);
ROLLBACK;
-- A cursor is one query: it is not fetched from for another owner than before.
BEGIN;
SET LOCAL ringfence.owner = 'Company A';
DECLARE c CURSOR FOR SELECT a.name, b.name FROM ringfence.customer a, LATERAL (SELECT name FROM ringfence.customer b WHERE a.id IS NOT NULL OFFSET 0) b;
FETCH 1 FROM c \g /dev/null
FETCH 1 FROM c \g /dev/null
SET LOCAL ringfence.owner = 'Company B';
SELECT count(*) FROM ringfence.customer;
FETCH ALL FROM c;
ROLLBACK;
BEGIN;
SELECT ringfence.enter('Company A') \g /dev/null
DECLARE c CURSOR FOR SELECT name FROM ringfence.customer_card ORDER BY name COLLATE "C";
SELECT ringfence.enter('Company B') \g /dev/null
-- Not fetched from yet.
FETCH 1 FROM c;
SELECT ringfence.enter('Company A') \g /dev/null
FETCH ALL FROM c;
ROLLBACK;
BEGIN;
SELECT ringfence.enter('Company A') \g /dev/null
DECLARE c CURSOR FOR SELECT name FROM ringfence.customer_card ORDER BY name COLLATE "C";
FETCH 1 FROM c;
SAVEPOINT s;
SELECT ringfence.enter('Company B') \g /dev/null
SELECT count(*) FROM ringfence.customer_card;
ROLLBACK TO s;
FETCH 1 FROM c;
ROLLBACK;
RESET SESSION AUTHORIZATION;
RESET ringfence.latch;
DROP ROLE latch_pool;
