-- enter(): after it nothing in the transaction changes the owner, the project, or widens what is visible; after the
-- transaction it is gone. And what would outlive the transaction is refused (ATTACKS 27, 30).
\set SHOW_CONTEXT never
\set VERBOSITY terse
CREATE FUNCTION public.who() RETURNS text LANGUAGE sql AS $$SELECT concat_ws('/', owner_name, project_name, agent, bound) FROM ringfence.whoami()$$;
CREATE FUNCTION public.set_in_function() RETURNS bigint LANGUAGE plpgsql AS $$BEGIN PERFORM set_config('ringfence.owner', 'Company B', false); RETURN (SELECT count(*) FROM ringfence.customer); END$$;
CREATE FUNCTION public.set_clause() RETURNS bigint LANGUAGE sql SET ringfence.owner = 'Company B' AS 'SELECT count(*) FROM ringfence.customer';
CREATE FUNCTION public.set_in_trigger() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN PERFORM set_config('ringfence.owner', 'Company B', true); RETURN NEW; END$$;
GRANT CREATE ON SCHEMA public TO app_ab;
CREATE ROLE enter_pool LOGIN NOINHERIT;
GRANT app_ab, app_b, app_none TO enter_pool;
SET SESSION AUTHORIZATION app_ab;

-- What it binds, and that it goes with the transaction.
BEGIN;
SELECT ringfence.enter('Company A', 'Sales', 'anna');
SELECT who(), ringfence.current_agent(), ringfence.current_project() IS NOT NULL AS project, (SELECT count(*) FROM ringfence.customer);
COMMIT;
SELECT count(*) FROM ringfence.customer;
SELECT ringfence.enter('aaaaaaaa-0000-0000-0000-000000000001');
SELECT count(*) FROM ringfence.customer;
BEGIN;
SELECT ringfence.enter('Company B') IS NOT NULL AS entered;
SELECT 1/0;
ROLLBACK;
SELECT count(*) FROM ringfence.customer;
-- A savepoint before takes it along (ATTACKS 29); one after does not; released, it stays.
BEGIN;
SAVEPOINT s;
SELECT ringfence.enter('Company A') IS NOT NULL AS entered;
ROLLBACK TO s;
SELECT count(*) FROM ringfence.customer;
ROLLBACK;
BEGIN;
SELECT ringfence.enter('Company A') IS NOT NULL AS entered;
SAVEPOINT s;
SELECT 1/0;
ROLLBACK TO s;
SELECT who(), count(*) FROM ringfence.customer;
ROLLBACK;
BEGIN;
SAVEPOINT s;
SELECT ringfence.enter('Company A') IS NOT NULL AS entered;
RELEASE s;
SELECT who(), count(*) FROM ringfence.customer;
ROLLBACK;
BEGIN;
SAVEPOINT s;
SAVEPOINT t;
SELECT ringfence.enter('Company A') IS NOT NULL AS entered;
RELEASE t;
ROLLBACK TO s;
SELECT count(*) FROM ringfence.customer;
ROLLBACK;
BEGIN;
DO $$BEGIN PERFORM ringfence.enter('Company A'); RAISE EXCEPTION 'x'; EXCEPTION WHEN OTHERS THEN NULL; END$$;
SELECT count(*) FROM ringfence.customer;
ROLLBACK;

-- Refused where the owner, the project or the role's access is not there.
BEGIN;
SELECT ringfence.enter('Company C');
ROLLBACK;
BEGIN;
SELECT ringfence.enter('No Such Company');
ROLLBACK;
BEGIN;
SELECT ringfence.enter('Company A', 'Secret');
ROLLBACK;
SELECT ringfence.enter(NULL);
SELECT ringfence.enter('');

-- Whatever is set afterwards has no effect (ATTACKS 3, 33), and entering another owner is an error.
BEGIN;
SELECT ringfence.enter('Company A', 'Sales') IS NOT NULL AS entered;
SET ringfence.owner = 'Company B';
SELECT who(), count(*) FROM ringfence.customer;
SET LOCAL ringfence.owner = 'Company B';
SELECT who(), count(*) FROM ringfence.customer;
SET SESSION ringfence.owner = 'Company B';
SELECT who(), count(*) FROM ringfence.customer;
SET LOCAL ringfence.project = 'Support';
SELECT who(), count(*) FROM ringfence.customer;
RESET ringfence.owner;
SELECT who(), count(*) FROM ringfence.customer;
RESET ALL;
SELECT who(), count(*) FROM ringfence.customer;
SELECT count(*) FROM ringfence.customer WHERE set_config('ringfence.owner', 'Company B', false) <> '';
SELECT (SELECT count(*) FROM ringfence.customer), set_config('ringfence.owner', 'Company B', true), (SELECT count(*) FROM ringfence.customer);
SELECT set_in_function();
SELECT set_clause();
PREPARE p AS SELECT who(), count(*) FROM ringfence.customer;
EXECUTE p;
DO $$BEGIN PERFORM set_config('ringfence.owner', 'Company B', true); RAISE NOTICE '%', who(); END$$;
CREATE TEMP TABLE fired (i int);
CREATE TRIGGER t BEFORE INSERT ON fired FOR EACH ROW EXECUTE FUNCTION set_in_trigger();
INSERT INTO fired VALUES (1);
SELECT who(), count(*) FROM ringfence.customer;
INSERT INTO ringfence.customer (owner_id, name) SELECT 'bbbbbbbb-0000-0000-0000-000000000002', 'x' WHERE set_config('ringfence.owner', 'Company B', true) <> '';
ROLLBACK;
BEGIN;
SELECT ringfence.enter('Company A') IS NOT NULL AS entered;
SELECT ringfence.enter('Company B');
ROLLBACK;
-- The same once more is none: nested transactions, savepoints, functions that call functions.
BEGIN;
SELECT ringfence.enter('Company A') IS NOT NULL AS entered;
SELECT ringfence.enter('Company A');
SELECT who();
COMMIT;
BEGIN;
SELECT ringfence.enter('Company A', 'Sales', 'anna') IS NOT NULL AS entered;
SAVEPOINT s;
SELECT ringfence.enter('aaaaaaaa-0000-0000-0000-000000000001', 'Sales', 'anna');
RELEASE s;
SELECT who();
SAVEPOINT s;
SELECT ringfence.enter('Company A', ringfence.current_project()::text, 'anna');
ROLLBACK TO s;
SELECT who();
DO $$BEGIN BEGIN PERFORM ringfence.enter('Company A', 'Sales', 'anna'); RAISE EXCEPTION 'x'; EXCEPTION WHEN raise_exception THEN NULL; END; PERFORM ringfence.enter('Company A', 'Sales', 'anna'); RAISE NOTICE '%', who(); END$$;
SAVEPOINT s;
SELECT ringfence.enter('Company A', 'Sales');
ROLLBACK TO s;
SAVEPOINT s;
SELECT ringfence.enter('Company A', 'Sales', 'bert');
ROLLBACK TO s;
SAVEPOINT s;
SELECT ringfence.enter('Company A', 'Support', 'anna');
ROLLBACK TO s;
SAVEPOINT s;
SELECT ringfence.enter('Company A', NULL, 'anna');
ROLLBACK TO s;
SAVEPOINT s;
SELECT ringfence.enter('Company A', 'No Such Project', 'anna');
ROLLBACK TO s;
SAVEPOINT s;
SELECT ringfence.enter('No Such Company', 'Sales', 'anna');
ROLLBACK TO s;
SAVEPOINT s;
SELECT ringfence.enter('Company C', 'Sales', 'anna');
ROLLBACK TO s;
SELECT who(), count(*) FROM ringfence.customer;
ROLLBACK;
-- By a value of type uuid; what has no type is text, as before.
BEGIN;
SELECT ringfence.enter('aaaaaaaa-0000-0000-0000-000000000001'::uuid, 'Sales', 'anna');
SELECT ringfence.enter('Company A', 'Sales', 'anna');
SELECT who();
COMMIT;
BEGIN;
SELECT ringfence.enter('dddddddd-0000-0000-0000-000000000004'::uuid);
ROLLBACK;
SELECT ringfence.enter(NULL::uuid);
PREPARE e AS SELECT ringfence.enter($1, $2);
SELECT parameter_types FROM pg_prepared_statements WHERE name = 'e';
BEGIN;
EXECUTE e('Company A', NULL);
COMMIT;
PREPARE u AS SELECT ringfence.enter(owner => $1::uuid);
SELECT parameter_types FROM pg_prepared_statements WHERE name = 'u';
BEGIN;
EXECUTE u('aaaaaaaa-0000-0000-0000-000000000001');
COMMIT;
DEALLOCATE e;
DEALLOCATE u;

-- ROLLBACK TO takes back what was selected after the savepoint. That is no change of the owner, and what has been read stays known.
\set VERBOSITY default
BEGIN;
SAVEPOINT s;
SET LOCAL ringfence.owner = 'Company A';
SELECT count(*) FROM ringfence.customer;
ROLLBACK TO s;
SELECT count(*) FROM ringfence.customer;
ROLLBACK TO s;
SET LOCAL ringfence.owner = 'Company A';
SELECT count(*) FROM ringfence.customer;
ROLLBACK;
BEGIN;
SAVEPOINT s;
SELECT ringfence.enter('Company A') IS NOT NULL AS entered;
SELECT count(*) FROM ringfence.customer;
ROLLBACK TO s;
SELECT count(*) FROM ringfence.customer;
ROLLBACK TO s;
SELECT ringfence.enter('Company B');
ROLLBACK TO s;
SELECT ringfence.enter('Company A') IS NOT NULL AS entered;
SELECT count(*) FROM ringfence.customer;
ROLLBACK;
\set VERBOSITY terse
-- Where nothing has asked for the owner since, another one can be entered.
BEGIN;
SAVEPOINT s;
SELECT ringfence.enter('Company A') IS NOT NULL AS entered;
SELECT 1;
ROLLBACK TO s;
SELECT ringfence.enter('Company B') IS NOT NULL AS entered;
SELECT who(), count(*) FROM ringfence.customer;
ROLLBACK;
BEGIN;
SAVEPOINT s;
SAVEPOINT t;
SELECT ringfence.enter('Company A') IS NOT NULL AS entered;
RELEASE t;
ROLLBACK TO s;
SELECT ringfence.enter('Company B') IS NOT NULL AS entered;
SELECT who();
ROLLBACK;
DO $$BEGIN BEGIN PERFORM ringfence.enter('Company A'); RAISE EXCEPTION 'x'; EXCEPTION WHEN raise_exception THEN NULL; END; PERFORM ringfence.enter('Company B'); RAISE NOTICE '%', who(); END$$;
-- Whatever was asked, in whatever savepoint within, it stays fixed (ATTACKS 29).
BEGIN;
SAVEPOINT s;
SELECT ringfence.enter('Company A') IS NOT NULL AS entered;
SELECT ringfence.current_owner();
ROLLBACK TO s;
SELECT ringfence.enter('Company B');
ROLLBACK;
BEGIN;
SAVEPOINT s;
SELECT ringfence.enter('Company A') IS NOT NULL AS entered;
SAVEPOINT t;
SELECT count(*) FROM ringfence.customer;
ROLLBACK TO t;
ROLLBACK TO s;
SELECT ringfence.enter('Company B');
ROLLBACK;
BEGIN;
SAVEPOINT s;
SELECT ringfence.enter('Company A') IS NOT NULL AS entered;
SAVEPOINT t;
SELECT count(*) FROM ringfence.customer WHERE 1/(length(name)-length(name)) = 1;
ROLLBACK TO s;
SELECT ringfence.enter('Company B');
ROLLBACK;
BEGIN;
SAVEPOINT s;
SELECT ringfence.enter('Company A') IS NOT NULL AS entered;
SELECT * FROM ringfence.whoami() \g /dev/null
ROLLBACK TO s;
SELECT ringfence.enter('Company B');
ROLLBACK;
BEGIN;
SAVEPOINT s;
SELECT ringfence.enter('Company A') IS NOT NULL AS entered;
DECLARE c CURSOR FOR SELECT name FROM ringfence.customer;
ROLLBACK TO s;
SELECT ringfence.enter('Company B');
ROLLBACK;
BEGIN;
SET LOCAL ringfence.owner = 'Company A';
SELECT count(*) FROM ringfence.customer;
SAVEPOINT s;
SELECT ringfence.enter('Company A') IS NOT NULL AS entered;
ROLLBACK TO s;
SELECT ringfence.enter('Company B');
ROLLBACK;
BEGIN;
SELECT ringfence.enter('Company A') IS NOT NULL AS entered;
SAVEPOINT s;
ROLLBACK TO s;
SELECT ringfence.enter('Company B');
ROLLBACK;
DO $$BEGIN BEGIN PERFORM ringfence.enter('Company A'); PERFORM count(*) FROM ringfence.customer; RAISE EXCEPTION 'x'; EXCEPTION WHEN raise_exception THEN NULL; END; PERFORM ringfence.enter('Company B'); END$$;

-- What the errors say of enter(): where it ended with its transaction, that it did.
\set VERBOSITY default
SELECT 1;
SELECT count(*) FROM ringfence.customer;
SELECT ringfence.enter('Company A') IS NOT NULL AS entered;
SELECT count(*) FROM ringfence.customer;
SELECT count(*) FROM ringfence.customer;
BEGIN;
SELECT ringfence.enter('Company A') IS NOT NULL AS entered;
ROLLBACK;
INSERT INTO ringfence.customer_card (name) VALUES ('x');
SELECT ringfence.enter('company a');
BEGIN;
SELECT ringfence.enter('Company A') IS NOT NULL AS entered;
SELECT ringfence.enter('Company B');
ROLLBACK;
BEGIN;
SELECT ringfence.enter('Company A') IS NOT NULL AS entered;
PREPARE TRANSACTION 'kept';
ROLLBACK;
\set VERBOSITY terse

-- ringfence.latch = statement, for test suites: one owner after another, each as its savepoint has it.
RESET SESSION AUTHORIZATION;
SET ringfence.latch = 'statement';
SET SESSION AUTHORIZATION app_ab;
BEGIN;
SELECT ringfence.enter('Company A') IS NOT NULL AS entered;
SELECT who(), count(*) FROM ringfence.customer;
SELECT ringfence.enter('Company B', NULL, 'bert') IS NOT NULL AS entered;
SELECT who(), count(*) FROM ringfence.customer;
SAVEPOINT s;
SELECT ringfence.enter('Company A', 'Sales') IS NOT NULL AS entered;
SELECT who();
ROLLBACK TO s;
SELECT who(), count(*) FROM ringfence.customer;
SAVEPOINT s;
SELECT ringfence.enter('Company A', 'Sales') IS NOT NULL AS entered;
RELEASE s;
SELECT who();
SAVEPOINT s;
SELECT ringfence.enter('Company C');
ROLLBACK TO s;
SELECT who();
ROLLBACK;
BEGIN;
SAVEPOINT test_1;
SELECT ringfence.enter('Company A') IS NOT NULL AS entered;
INSERT INTO ringfence.customer_card (name) VALUES ('x');
SELECT who(), count(*) FROM ringfence.customer;
ROLLBACK TO test_1;
SAVEPOINT test_2;
SELECT ringfence.enter('Company B') IS NOT NULL AS entered;
SELECT who(), count(*) FROM ringfence.customer;
ROLLBACK TO test_2;
SELECT count(*) FROM ringfence.customer;
ROLLBACK;
-- But not within one statement.
BEGIN;
SELECT ringfence.enter('Company A'), ringfence.enter('Company B');
ROLLBACK;
BEGIN;
SELECT (SELECT count(*) FROM ringfence.customer), ringfence.enter('Company B') FROM ringfence.enter('Company A');
ROLLBACK;
RESET SESSION AUTHORIZATION;
RESET ringfence.latch;
SET SESSION AUTHORIZATION app_ab;
BEGIN;
SELECT ringfence.enter('Company A') IS NOT NULL AS entered;
DISCARD ALL;
ROLLBACK;
-- Nor is another owner entered than the one the transaction has used.
BEGIN;
SET LOCAL ringfence.owner = 'Company A';
SELECT count(*) FROM ringfence.customer;
SELECT ringfence.enter('Company B');
ROLLBACK;
BEGIN;
SET LOCAL ringfence.owner = 'Company A';
SELECT count(*) FROM ringfence.customer;
SELECT ringfence.enter('Company A') IS NOT NULL AS entered;
SELECT who();
ROLLBACK;
-- COMMIT inside a procedure ends it (ATTACKS 31).
DO $$BEGIN PERFORM ringfence.enter('Company A'); COMMIT; PERFORM count(*) FROM ringfence.customer; END$$;
-- ALTER ROLE changes nothing in a transaction that has entered.
BEGIN;
SELECT ringfence.enter('Company A') IS NOT NULL AS entered;
ALTER ROLE app_ab SET ringfence.owner = 'Company B';
SELECT who();
ROLLBACK;
RESET SESSION AUTHORIZATION;

-- The role is bound too: neither one without access nor one with more gets in.
SET SESSION AUTHORIZATION enter_pool;
BEGIN;
SET LOCAL ROLE app_ab;
SELECT ringfence.enter('Company B') IS NOT NULL AS entered;
SAVEPOINT s;
SET LOCAL ROLE app_b;
SELECT count(*) FROM ringfence.customer;
ROLLBACK TO s;
SAVEPOINT s;
SET LOCAL ROLE app_none;
SELECT count(*) FROM ringfence.customer;
ROLLBACK TO s;
SAVEPOINT s;
RESET ROLE;
SELECT count(*) FROM ringfence.customer;
ROLLBACK TO s;
SELECT who(), count(*) FROM ringfence.customer;
ROLLBACK;
RESET SESSION AUTHORIZATION;
-- SET SESSION AUTHORIZATION is a superuser's, whom the wall does not bind; what asks the session still notices.
BEGIN;
SET LOCAL SESSION AUTHORIZATION app_ab;
SELECT ringfence.enter('Company A') IS NOT NULL AS entered;
SET LOCAL SESSION AUTHORIZATION app_b;
SELECT count(*) FROM ringfence.customer;
ROLLBACK;

-- 27, 30: what outlives the transaction is refused, however the owner was selected for it alone.
SET SESSION AUTHORIZATION app_ab;
BEGIN;
SELECT ringfence.enter('Company A') IS NOT NULL AS entered;
DECLARE c CURSOR WITH HOLD FOR SELECT name FROM ringfence.customer;
ROLLBACK;
BEGIN;
SET LOCAL ringfence.owner = 'Company A';
DECLARE c CURSOR WITH HOLD FOR SELECT name FROM ringfence.customer;
ROLLBACK;
BEGIN;
SET LOCAL ringfence.owner = 'Company A';
DECLARE c CURSOR FOR SELECT name FROM ringfence.customer ORDER BY name COLLATE "C";
FETCH 1 FROM c;
COMMIT;
FETCH 1 FROM c;
BEGIN;
SET LOCAL ringfence.owner = 'Company A';
SELECT count(*) FROM ringfence.customer;
PREPARE TRANSACTION 'kept';
ROLLBACK;
BEGIN;
SELECT ringfence.enter('Company A') IS NOT NULL AS entered;
PREPARE TRANSACTION 'kept';
ROLLBACK;
SELECT count(*) FROM pg_prepared_xacts;
-- In a session that has not loaded the library when the cursor is declared, it is refused when it is filled; else before.
RESET SESSION AUTHORIZATION;
\c - app_ab
BEGIN;
SET LOCAL ringfence.owner = 'Company A';
DECLARE c CURSOR WITH HOLD FOR SELECT name FROM ringfence.customer\; FETCH 1 FROM c;
ROLLBACK;
\c - app_ab
BEGIN;
SET LOCAL ringfence.owner = 'Company A';
DECLARE c CURSOR WITH HOLD FOR SELECT name FROM ringfence.customer;
COMMIT;
SELECT count(*) FROM pg_cursors;
-- Declared before the owner is entered, and filled by a function whose plan is known already.
\c - app_ab
CREATE FUNCTION pg_temp.cards() RETURNS SETOF text LANGUAGE plpgsql AS $$DECLARE r record; BEGIN FOR r IN SELECT name FROM ringfence.customer_card LOOP RETURN NEXT r.name; END LOOP; END$$;
BEGIN;
SELECT ringfence.enter('Company A') IS NOT NULL AS entered;
SELECT count(*) FROM pg_temp.cards();
COMMIT;
BEGIN;
DECLARE c CURSOR WITH HOLD FOR SELECT * FROM pg_temp.cards();
SELECT ringfence.enter('Company A');
COMMIT;
SELECT count(*) FROM pg_cursors;
-- What was used is remembered, whatever is set or tried afterwards.
BEGIN;
SET LOCAL ringfence.owner = 'Company A';
SELECT count(*) FROM ringfence.customer;
SET ringfence.owner = '';
SAVEPOINT s;
SELECT * FROM ringfence.whoami();
ROLLBACK TO s;
PREPARE TRANSACTION 'kept';
ROLLBACK;
-- A role's default owner is not for whoever the connection is handed to by SET ROLE.
\c - app_a
SELECT count(*) FROM ringfence.customer;
BEGIN;
DECLARE c CURSOR WITH HOLD FOR SELECT name FROM ringfence.customer;
COMMIT;
SELECT count(*) FROM pg_cursors;
-- Cursors, held ones too, over what is not ringfence's are nobody's business.
BEGIN;
SELECT count(*) FROM ringfence.customer;
DECLARE c CURSOR FOR SELECT n FROM generate_series(1, 3) n;
FETCH 1 FROM c;
SET LOCAL ringfence.owner = 'Company B';
FETCH 1 FROM c;
ROLLBACK;
-- With a binding that lasts, a cursor may last too.
\c - app_session
SET ringfence.owner = 'Company A';
BEGIN;
DECLARE c CURSOR WITH HOLD FOR SELECT name FROM ringfence.customer ORDER BY name COLLATE "C";
COMMIT;
FETCH 1 FROM c;
CLOSE c;
\c - postgres
DROP OWNED BY enter_pool;
DROP ROLE enter_pool;
