-- ATTACKS 24 to 33 and 36 to 39: plans, cursors, transactions. What is kept from one transaction to the next, or from one statement to
-- the next, is judged for the owner, the role and the rights of now. Company A has three customers, Company B two. (34 and 35 are tested
-- with a pooler; 26, 30, 32 and 37 to 39 with sessions of their own, in tests/plan.rs and tests/revocation.rs.)
\set SHOW_CONTEXT never
\set VERBOSITY sqlstate
\set ON_ERROR_ROLLBACK on
\pset tuples_only on
\pset format unaligned
SET client_min_messages = warning;
CREATE ROLE plan_ab LOGIN;       -- both owners, one for each transaction
CREATE ROLE plan_session LOGIN;  -- both, on dedicated connections
CREATE ROLE plan_group NOLOGIN;
CREATE ROLE plan_member LOGIN IN ROLE plan_group;
SELECT ringfence.grant_access('plan_ab', 'Company A', '{supervisor}'), ringfence.grant_access('plan_ab', 'Company B', '{supervisor}'),
       ringfence.grant_access('plan_session', 'Company A', '{supervisor}', binding => 'session'),
       ringfence.grant_access('plan_session', 'Company B', '{supervisor}', binding => 'session'),
       ringfence.grant_access('plan_group', 'Company A', '{agent}') \g /dev/null
GRANT ringfence_user TO plan_member;
CREATE SCHEMA attack;
GRANT ALL ON SCHEMA attack TO PUBLIC;
\set a 'BEGIN; SET LOCAL ringfence.owner = ''Company A'';'
\set b 'BEGIN; SET LOCAL ringfence.owner = ''Company B'';'
\set enter_a 'BEGIN; SELECT ringfence.enter(''Company A'') IS NOT NULL AS entered;'
\set stock 'SELECT o.name, count(c.id), count(*) FILTER (WHERE c.address = ''spoilt'' OR c.name = ''planted'') AS harmed FROM ringfence.owner o LEFT JOIN ringfence.customer c ON c.owner_id = o.id WHERE o.name LIKE ''Company%'' GROUP BY o.name ORDER BY o.name;'

\echo *** 24, 25: plans are kept longer than an owner, whatever keeps them, generic or custom
-- The functions of policies are STABLE, none IMMUTABLE (catalog): so that there is something to look at here.
SELECT DISTINCT f.proname, f.provolatile FROM pg_policy p JOIN pg_depend d ON d.classid = 'pg_policy'::regclass AND d.objid = p.oid AND d.refclassid = 'pg_proc'::regclass JOIN pg_proc f ON f.oid = d.refobjid ORDER BY 1;
\c - plan_ab
CREATE VIEW attack.invoker WITH (security_invoker = true) AS SELECT owner_id, name FROM ringfence.customer;
CREATE FUNCTION attack.in_plpgsql() RETURNS bigint LANGUAGE plpgsql AS $$BEGIN RETURN (SELECT count(*) FROM ringfence.customer); END$$;
CREATE FUNCTION attack.in_sql() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM ringfence.customer';
CREATE FUNCTION attack.in_atomic() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(*) FROM ringfence.customer; END;
CREATE FUNCTION attack.inlined() RETURNS SETOF text LANGUAGE sql STABLE AS 'SELECT name FROM ringfence.customer';
CREATE FUNCTION attack.in_definer() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM ringfence.customer';
CREATE FUNCTION attack.in_loop() RETURNS bigint LANGUAGE plpgsql AS $$DECLARE n bigint := 0; r record; BEGIN FOR r IN SELECT name FROM ringfence.customer_card LOOP n := n + 1; END LOOP; RETURN n; END$$;
PREPARE p_table AS SELECT count(*) FROM ringfence.customer;
PREPARE p_view AS SELECT count(*) FROM ringfence.customer_card;
PREPARE p_invoker AS SELECT count(*) FROM attack.invoker;
PREPARE p_inlined AS SELECT count(*) FROM attack.inlined();
PREPARE p_cte AS WITH c AS MATERIALIZED (SELECT name FROM ringfence.customer) SELECT count(*) FROM c;
PREPARE p_sublink AS SELECT count(*) FROM ringfence.company WHERE EXISTS (SELECT FROM ringfence.customer);
PREPARE p_owner AS SELECT min(owner_id::text) FROM ringfence.customer;
PREPARE p_search AS SELECT count(*) FROM ringfence.search_customers('tsai');
PREPARE p_update AS UPDATE ringfence.customer SET address = 'spoilt' RETURNING left(owner_id::text, 4);
PREPARE p_update_all AS UPDATE ringfence.customer SET address = 'spoilt';
PREPARE p_insert AS INSERT INTO ringfence.customer (name) VALUES ('planted') RETURNING left(owner_id::text, 4);
\set matrix 'SELECT ''functions'', attack.in_plpgsql(), attack.in_sql(), attack.in_atomic(), attack.in_definer(), attack.in_loop(), (SELECT count(*) FROM attack.inlined()); EXECUTE p_table; EXECUTE p_view; EXECUTE p_invoker; EXECUTE p_inlined; EXECUTE p_cte; EXECUTE p_sublink; EXECUTE p_owner; EXECUTE p_search; EXECUTE p_update; EXECUTE p_insert; EXECUTE p_update_all;'
SET plan_cache_mode = force_generic_plan;
:a
:matrix
ROLLBACK;
:b
:matrix
ROLLBACK;
BEGIN;
:matrix
ROLLBACK;
SET plan_cache_mode = force_custom_plan;
:a
:matrix
ROLLBACK;
:b
:matrix
ROLLBACK;
-- By itself PostgreSQL takes a generic plan from the sixth execution on.
SET plan_cache_mode = auto;
:a
EXECUTE p_table;
EXECUTE p_table;
EXECUTE p_table;
EXECUTE p_table;
EXECUTE p_table;
EXECUTE p_table;
ROLLBACK;
:b
EXECUTE p_table;
ROLLBACK;
EXECUTE p_table;
-- One plan of one DO, over several transactions and owners.
\set VERBOSITY terse
SET client_min_messages = notice;
DO $$
DECLARE owner text; n bigint;
BEGIN
    FOREACH owner IN ARRAY ARRAY['Company A', 'Company B', 'Company A', 'Company C', 'Company B'] LOOP
        PERFORM set_config('ringfence.owner', owner, true);
        BEGIN
            SELECT count(*) INTO n FROM ringfence.customer;
            RAISE NOTICE '%: %', owner, n;
        EXCEPTION WHEN insufficient_privilege THEN
            RAISE NOTICE '%: refused', owner;
        END;
        COMMIT;
    END LOOP;
END$$;
SET client_min_messages = warning;
\set VERBOSITY sqlstate
-- An application's own IMMUTABLE helper freezes its first owner into plans. It gets no rows of it under the next.
CREATE FUNCTION attack.frozen() RETURNS uuid LANGUAGE plpgsql IMMUTABLE AS $$BEGIN RETURN ringfence.current_owner(); END$$;
SET plan_cache_mode = force_generic_plan;
PREPARE p_frozen AS SELECT count(*) FROM ringfence.customer WHERE owner_id = attack.frozen();
:a
EXECUTE p_frozen;
ROLLBACK;
:b
EXECUTE p_frozen;
ROLLBACK;
RESET plan_cache_mode;

\echo *** 26: a cursor does not go from one owner to the next; more in attack_latch
:a
DECLARE c CURSOR FOR SELECT name FROM ringfence.customer_card ORDER BY name COLLATE "C";
FETCH 1 FROM c;
SET LOCAL ringfence.owner = 'Company B';
FETCH ALL FROM c;
ROLLBACK;
:a
DECLARE c SCROLL CURSOR FOR SELECT name FROM ringfence.customer ORDER BY name COLLATE "C";
FETCH ALL FROM c;
RESET ringfence.owner;
FETCH BACKWARD 1 FROM c;
MOVE ABSOLUTE 1 FROM c;
ROLLBACK;
-- After enter() it goes on with the owner that was entered.
:enter_a
DECLARE c CURSOR FOR SELECT name FROM ringfence.customer ORDER BY name COLLATE "C";
FETCH 1 FROM c;
SET LOCAL ringfence.owner = 'Company B';
FETCH ALL FROM c;
ROLLBACK;
-- A cursor of a function, a loop, and a cursor handed back.
CREATE FUNCTION attack.switch_in_loop() RETURNS SETOF text LANGUAGE plpgsql AS $$DECLARE r record; BEGIN FOR r IN SELECT name FROM ringfence.customer ORDER BY name COLLATE "C" LOOP RETURN NEXT r.name; PERFORM set_config('ringfence.owner', 'Company B', true); PERFORM count(*) FROM ringfence.company; END LOOP; END$$;
CREATE FUNCTION attack.opened() RETURNS refcursor LANGUAGE plpgsql AS $$DECLARE c refcursor := 'opened'; BEGIN OPEN c FOR SELECT name FROM ringfence.customer ORDER BY name COLLATE "C"; RETURN c; END$$;
:a
SELECT * FROM attack.switch_in_loop();
ROLLBACK;
:enter_a
SELECT * FROM attack.switch_in_loop();
ROLLBACK;
:a
SELECT attack.opened();
SET LOCAL ringfence.owner = 'Company B';
FETCH ALL FROM opened;
ROLLBACK;
:a
SELECT attack.opened();
FETCH 1 FROM opened;
SET LOCAL ringfence.owner = 'Company B';
FETCH 1 FROM opened;
ROLLBACK;

\echo *** 27: cursors that outlive the transaction, in words other than those of session_enter
:a
DO $$BEGIN EXECUTE 'DECLARE c CURSOR WITH HOLD FOR SELECT name FROM ringfence.customer'; END$$;
COMMIT;
:enter_a
DO $$BEGIN EXECUTE 'DECLARE c CURSOR WITH HOLD FOR SELECT name FROM ringfence.customer_card'; END$$;
COMMIT;
:a
DECLARE c CURSOR WITH HOLD FOR SELECT * FROM attack.inlined();
COMMIT;
BEGIN;
DECLARE c CURSOR WITH HOLD FOR SELECT * FROM attack.inlined();
SET LOCAL ringfence.owner = 'Company A';
COMMIT;
BEGIN;
DECLARE c BINARY INSENSITIVE SCROLL CURSOR WITH HOLD FOR SELECT attack.in_definer();
SET LOCAL ringfence.owner = 'Company A';
FETCH 1 FROM c;
COMMIT;
SELECT count(*) FROM pg_cursors;
-- A loop that commits goes on with the rows that its transaction has read, and its cursor ends with it.
SET client_min_messages = notice;
\set VERBOSITY terse
DO $$
DECLARE r record; seen text[] := '{}';
BEGIN
    PERFORM set_config('ringfence.owner', 'Company A', true);
    FOR r IN SELECT name FROM ringfence.customer ORDER BY name COLLATE "C" LOOP
        seen := seen || r.name;
        COMMIT;
        PERFORM set_config('ringfence.owner', 'Company B', true);
        PERFORM count(*) FROM ringfence.customer;
    END LOOP;
    RAISE NOTICE '%', seen;
END$$;
\set VERBOSITY sqlstate
SET client_min_messages = warning;
SELECT count(*) FROM pg_cursors;
SELECT count(*) FROM ringfence.customer;

\echo *** 28: WHERE CURRENT OF a cursor of the owner before
:a
DECLARE c CURSOR FOR SELECT name FROM ringfence.customer ORDER BY id FOR UPDATE;
FETCH 1 FROM c;
UPDATE ringfence.customer SET address = 'spoilt' WHERE CURRENT OF c RETURNING name;
ROLLBACK;
:a
DECLARE c CURSOR FOR SELECT name FROM ringfence.customer;
FETCH 1 FROM c;
SET LOCAL ringfence.owner = 'Company B';
UPDATE ringfence.customer SET address = 'spoilt' WHERE CURRENT OF c;
DELETE FROM ringfence.customer WHERE CURRENT OF c RETURNING name;
ROLLBACK;
-- With the latch of test suites, which lets the owner change: the row is not there for the next.
\c - postgres
SELECT ringfence.is_admin();
SET ringfence.latch = 'statement';
SET SESSION AUTHORIZATION plan_ab;
:a
DECLARE c CURSOR FOR SELECT name FROM ringfence.customer ORDER BY id FOR UPDATE;
FETCH 1 FROM c;
SET LOCAL ringfence.owner = 'Company B';
WITH u AS (UPDATE ringfence.customer SET address = 'spoilt' WHERE CURRENT OF c RETURNING 1) SELECT count(*) FROM u;
ROLLBACK;
:a
DECLARE c CURSOR FOR SELECT name FROM ringfence.customer ORDER BY id FOR UPDATE;
FETCH 1 FROM c;
SET LOCAL ringfence.owner = 'Company B';
UPDATE ringfence.customer SET address = 'spoilt' WHERE CURRENT OF c;
DELETE FROM ringfence.customer WHERE CURRENT OF c;
RESET SESSION AUTHORIZATION;
:stock
ROLLBACK;
RESET SESSION AUTHORIZATION;
RESET ringfence.latch;

\echo *** 29: savepoints and exceptions bring back what was set before, and no owner with it; more in attack_latch and session_enter
\c - plan_ab
\set count 'SELECT current_setting(''ringfence.owner''), count(*) FROM ringfence.customer;'
SELECT ringfence.has_right('nothing');
-- RELEASE keeps, until the end; nested too.
BEGIN;
SAVEPOINT s;
SAVEPOINT t;
SET LOCAL ringfence.owner = 'Company A';
RELEASE t;
RELEASE s;
:count COMMIT;
:count
-- ROLLBACK TO goes back to the owner before: another one than the transaction has used, or the same.
:b
SAVEPOINT s;
SET LOCAL ringfence.owner = 'Company A';
:count ROLLBACK TO s;
:count ROLLBACK;
:a
SAVEPOINT s;
:count SAVEPOINT t;
SET LOCAL ringfence.owner = 'Company B';
:count ROLLBACK TO t;
:count ROLLBACK TO s;
:count COMMIT;
:a
SAVEPOINT s;
SET LOCAL ringfence.owner = 'Company B';
ROLLBACK TO s;
:count COMMIT;
:a
SAVEPOINT s;
:count SELECT 1/0;
ROLLBACK TO s;
SET LOCAL ringfence.owner = 'Company B';
:count COMMIT;
-- A plain SET does not count, rolled back or not; after SET and SET LOCAL the SET stays, and does not count.
BEGIN;
SET ringfence.owner = 'Company A';
SAVEPOINT s;
SET LOCAL ringfence.owner = 'Company B';
:count ROLLBACK TO s;
:count ROLLBACK;
SELECT current_setting('ringfence.owner');
BEGIN;
SET ringfence.owner = 'Company A';
SET LOCAL ringfence.owner = 'Company B';
:count COMMIT;
:count
RESET ringfence.owner;
BEGIN;
SET LOCAL ringfence.owner = 'Company B';
SET ringfence.owner = 'Company A';
:count COMMIT;
:count
RESET ringfence.owner;
-- Exceptions, one within the other.
SET client_min_messages = notice;
\set VERBOSITY terse
BEGIN;
SET LOCAL ringfence.owner = 'Company A';
DO $$
BEGIN
    BEGIN
        BEGIN
            PERFORM set_config('ringfence.owner', 'Company B', true);
            RAISE EXCEPTION 'x';
        EXCEPTION WHEN raise_exception THEN
            RAISE NOTICE 'inner: %', (SELECT count(*) FROM ringfence.customer);
            PERFORM set_config('ringfence.owner', 'Company B', false);
            RAISE NOTICE 'not reached: %', (SELECT count(*) FROM ringfence.customer);
        END;
    EXCEPTION WHEN active_sql_transaction THEN
        RAISE NOTICE 'outer: %', (SELECT count(*) FROM ringfence.customer);
    END;
END$$;
COMMIT;
\set VERBOSITY sqlstate
SET client_min_messages = warning;
:count
-- With binding session what is restored is a choice like any other.
\c - plan_session
SET ringfence.owner = 'Company A';
BEGIN;
SAVEPOINT s;
SET ringfence.owner = 'Company B';
ROLLBACK TO s;
:count COMMIT;
BEGIN;
SET ringfence.owner = 'Company B';
:count ROLLBACK;
:count
BEGIN;
SET ringfence.owner = 'Company B';
SET LOCAL ringfence.owner = 'Company A';
:count COMMIT;
:count

\echo *** 30: PREPARE TRANSACTION commits what was set for the session; where the owner is for the transaction, session_enter refuses it
\c - plan_ab
BEGIN;
SET ringfence.owner = 'Company A';
PREPARE TRANSACTION 'plan_unused';
ROLLBACK PREPARED 'plan_unused';
SELECT current_setting('ringfence.owner');
SELECT count(*) FROM ringfence.customer;
BEGIN;
SET ringfence.owner = 'Company A';
SELECT ringfence.enter('Company B') IS NOT NULL;
PREPARE TRANSACTION 'plan_refused';
ROLLBACK;
BEGIN;
SAVEPOINT s;
SET LOCAL ringfence.owner = 'Company A';
SELECT count(*) FROM ringfence.customer;
ROLLBACK TO s;
PREPARE TRANSACTION 'plan_refused';
ROLLBACK;
-- What may be prepared leaves nothing latched, and its rows belong to their owner, whoever commits them.
\c - plan_session
SET ringfence.owner = 'Company A';
BEGIN;
INSERT INTO ringfence.customer (name) VALUES ('prepared');
SELECT count(*) FROM ringfence.customer;
PREPARE TRANSACTION 'plan_kept';
BEGIN;
SET LOCAL ringfence.owner = 'Company B';
SELECT count(*) FROM ringfence.customer;
COMMIT;
SET ringfence.owner = 'Company B';
SELECT count(*) FROM ringfence.customer;
\c - plan_session
SET ringfence.owner = 'Company B';
BEGIN;
SELECT count(*) FROM ringfence.customer;
COMMIT;
COMMIT PREPARED 'plan_kept';
SELECT count(*) FROM ringfence.customer;
SET ringfence.owner = 'Company A';
SELECT count(*) FROM ringfence.customer;
DELETE FROM ringfence.customer WHERE name = 'prepared';
-- Nobody else of lesser rank ends it; that it is there, everybody sees. DOC.
BEGIN;
SELECT count(*) FROM ringfence.customer;
PREPARE TRANSACTION 'plan_seen';
\c - app_b
SELECT gid, owner FROM pg_prepared_xacts;
COMMIT PREPARED 'plan_seen';
ROLLBACK PREPARED 'plan_seen';
\c - plan_session
ROLLBACK PREPARED 'plan_seen';

\echo *** 31: COMMIT in a procedure ends SET LOCAL and enter(), and does not fall back to what is left in the session
\c - plan_ab
SELECT ringfence.has_right('nothing');
CREATE PROCEDURE attack.commits(entered boolean) LANGUAGE plpgsql AS $$
BEGIN
    IF entered THEN PERFORM ringfence.enter('Company A'); ELSE PERFORM set_config('ringfence.owner', 'Company A', true); END IF;
    RAISE NOTICE 'before: %', (SELECT count(*) FROM ringfence.customer);
    COMMIT;
    UPDATE ringfence.customer SET address = 'spoilt';
    RAISE NOTICE 'after: %', (SELECT name FROM ringfence.owner WHERE id = ringfence.current_owner());
    ROLLBACK;
END$$;
CREATE PROCEDURE attack.rolls_back() LANGUAGE plpgsql AS $$BEGIN PERFORM set_config('ringfence.owner', 'Company A', true); PERFORM count(*) FROM ringfence.customer; ROLLBACK; PERFORM count(*) FROM ringfence.customer; END$$;
SET client_min_messages = notice;
\set VERBOSITY terse
SET ringfence.owner = 'Company B';
CALL attack.commits(false);
CALL attack.commits(true);
CALL attack.rolls_back();
-- DOC: with binding session what is left in the session is an owner that counts.
\c - plan_session
SET ringfence.owner = 'Company B';
CALL attack.commits(false);
CALL attack.commits(true);
SET client_min_messages = warning;
\set VERBOSITY sqlstate
\c - postgres
:stock

\echo *** 32: deferred triggers run when the transaction commits, with what is set by then
\c - plan_ab
CREATE TABLE attack.note (i int);
CREATE FUNCTION attack.at_commit() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE NOTICE 'at commit: %', (SELECT count(*) FROM ringfence.customer); UPDATE ringfence.customer SET language = 'xx'; RETURN NULL; END$$;
CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON attack.note DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION attack.at_commit();
GRANT INSERT ON attack.note TO PUBLIC;
SET client_min_messages = notice;
\set VERBOSITY terse
:a
SELECT count(*) FROM ringfence.customer;
INSERT INTO attack.note VALUES (1);
SET LOCAL ringfence.owner = 'Company B';
COMMIT;
:a
SELECT count(*) FROM ringfence.customer;
INSERT INTO attack.note VALUES (1);
RESET ringfence.owner;
COMMIT;
:a
SELECT count(*) FROM ringfence.customer;
INSERT INTO attack.note VALUES (1);
SET CONSTRAINTS ALL IMMEDIATE;
SET LOCAL ringfence.owner = 'Company B';
SELECT count(*) FROM ringfence.customer;
ROLLBACK;
:enter_a
INSERT INTO attack.note VALUES (1);
SET LOCAL ringfence.owner = 'Company B';
COMMIT;
-- Never used before: it is the owner that was chosen last, and no other.
:a
INSERT INTO attack.note VALUES (1);
SET LOCAL ringfence.owner = 'Company B';
COMMIT;
INSERT INTO attack.note VALUES (1);
SELECT count(*) FROM attack.note;
-- Another role by then: the one at the time of the commit, and after enter() none but the one that entered.
\c - postgres
CREATE ROLE plan_pool LOGIN NOINHERIT;
GRANT plan_ab, app_b, app_none TO plan_pool;
\c - plan_pool
SET client_min_messages = notice;
\set VERBOSITY sqlstate
BEGIN;
SET LOCAL ROLE plan_ab;
SET LOCAL ringfence.owner = 'Company A';
SELECT count(*) FROM ringfence.customer;
INSERT INTO attack.note VALUES (1);
SET LOCAL ROLE app_b;
COMMIT;
BEGIN;
SET LOCAL ROLE plan_ab;
SET LOCAL ringfence.owner = 'Company A';
SELECT count(*) FROM ringfence.customer;
INSERT INTO attack.note VALUES (1);
SET LOCAL ROLE app_none;
COMMIT;
BEGIN;
SET LOCAL ROLE plan_ab;
SELECT ringfence.enter('Company A') IS NOT NULL;
INSERT INTO attack.note VALUES (1);
RESET ROLE;
COMMIT;
\c - postgres
SELECT o.name, count(*) FROM ringfence.customer c JOIN ringfence.owner o ON o.id = c.owner_id WHERE language = 'xx' GROUP BY 1 ORDER BY 1;

\echo *** 33: an owner that a function sets stays set when it is over; it is the caller who is asked for it
\c - plan_ab
SELECT ringfence.has_right('nothing');
CREATE FUNCTION attack.leaves_b() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER AS $$BEGIN PERFORM set_config('ringfence.owner', 'Company B', false); RETURN 0; END$$;
CREATE FUNCTION attack.clause_leaves_b() RETURNS bigint LANGUAGE plpgsql SET ringfence.owner = '' AS $$BEGIN PERFORM set_config('ringfence.owner', 'Company B', false); RETURN (SELECT count(*) FROM ringfence.customer); END$$;
CREATE FUNCTION attack.local_b() RETURNS bigint LANGUAGE plpgsql SET ringfence.owner = '' AS $$BEGIN PERFORM set_config('ringfence.owner', 'Company B', true); RETURN (SELECT count(*) FROM ringfence.customer); END$$;
SELECT attack.leaves_b();
:count
RESET ringfence.owner;
SELECT attack.clause_leaves_b();
SELECT attack.local_b();
:count
RESET ringfence.owner;
:a
:count SELECT attack.leaves_b();
:count SELECT attack.clause_leaves_b();
:count COMMIT;
:count
RESET ringfence.owner;
:a
:count SELECT attack.local_b();
:count COMMIT;
:enter_a
SELECT attack.leaves_b(), attack.clause_leaves_b(), attack.local_b();
SELECT count(*) FROM ringfence.customer;
COMMIT;
:count
\c - app_a
SELECT attack.leaves_b();
:count SELECT attack.local_b();
:count RESET ringfence.owner;
:count
-- The functions of ringfence set none for their callers: none has it in its text or clauses, and after work for many owners none is set.
\c - postgres
SELECT count(*) FILTER (WHERE p.prosrc ~* 'set_config|\mset\s+(local\s+|session\s+)?ringfence' OR replace(p.proconfig::text, 'ringfence.on_foreign_datum', '') ~ 'ringfence'), count(*) > 20 FROM pg_proc p WHERE p.pronamespace = 'ringfence'::regnamespace;
\c - dba
SELECT ringfence.create_owner('Company D') IS NOT NULL;
SELECT ringfence.grant_access('app_none', 'Company D', '{agent}');
SELECT ringfence.revoke_access('app_none', 'Company D');
UPDATE ringfence.owner SET country = 'PL' WHERE name = 'Company A';
UPDATE ringfence.owner SET country = 'TW' WHERE name = 'Company A';
DELETE FROM ringfence.owner WHERE name = 'Company D';
SELECT current_setting('ringfence.owner');
SELECT ringfence.current_owner();

\echo *** 36: copies have no row-level security. DOC: the next owner on the same login role reads them
\c - plan_ab
:a
CREATE TEMP TABLE temp_copy AS SELECT name FROM ringfence.customer;
CREATE TABLE attack.copy AS SELECT name FROM ringfence.customer_card;
SELECT name INTO attack.copy2 FROM ringfence.customer;
PREPARE p AS SELECT name FROM ringfence.customer;
CREATE TABLE attack.copy3 AS EXECUTE p;
COMMIT;
:b
SELECT count(*) FROM temp_copy;
SELECT count(*) FROM attack.copy;
SELECT count(*) FROM ringfence.customer;
COMMIT;
DISCARD ALL;
SELECT count(*) FROM temp_copy;
\c - plan_ab
SELECT count(*) FROM attack.copy;
SELECT count(*) FROM attack.copy2;
SELECT count(*) FROM attack.copy3;
-- Other roles do not, unless they are let.
\c - app_a
SELECT count(*) FROM attack.copy;
-- They hold no more than their maker saw, and a materialized view nothing: it is refused (attack_maintenance).
:a
CREATE TEMP TABLE more AS SELECT owner_id FROM ringfence.customer;
SELECT count(DISTINCT owner_id) FROM more;
COMMIT;
CREATE MATERIALIZED VIEW attack.filled AS SELECT name FROM ringfence.customer;
CREATE MATERIALIZED VIEW attack.filled AS SELECT * FROM attack.in_plpgsql();
SET ringfence.owner = 'Company B';
CREATE TEMP TABLE none AS SELECT name FROM ringfence.customer;
SELECT name INTO TEMP none FROM ringfence.customer_card;
SELECT count(*) FROM pg_class WHERE relname = 'none';

\echo *** 37: one plan, and between its executions the access, a membership or an attribute is gone; by other sessions in tests/revocation.rs
\c - postgres
SET plan_cache_mode = force_generic_plan;
SET SESSION AUTHORIZATION plan_member;
PREPARE q_table AS SELECT count(*) FROM ringfence.customer;
PREPARE q_view AS SELECT count(*) FROM ringfence.customer_card;
PREPARE q_invoker AS SELECT count(*) FROM attack.invoker;
PREPARE q_inlined AS SELECT count(*) FROM attack.inlined();
PREPARE q_cte AS WITH c AS MATERIALIZED (SELECT name FROM ringfence.customer) SELECT count(*) FROM c;
PREPARE q_sublink AS SELECT count(*) FROM (SELECT 1) x WHERE EXISTS (SELECT FROM ringfence.customer);
PREPARE q_update AS UPDATE ringfence.customer SET address = 'spoilt';
\set executed 'EXECUTE q_table; EXECUTE q_view; EXECUTE q_invoker; EXECUTE q_inlined; EXECUTE q_cte; EXECUTE q_sublink; EXECUTE q_update; SELECT attack.in_plpgsql(); SELECT attack.in_definer();'
RESET SESSION AUTHORIZATION;
GRANT SELECT ON attack.invoker TO PUBLIC;
SET SESSION AUTHORIZATION plan_member;
BEGIN;
:executed
ROLLBACK;
RESET SESSION AUTHORIZATION;
REVOKE plan_group FROM plan_member;
SET SESSION AUTHORIZATION plan_member;
BEGIN;
:executed
ROLLBACK;
RESET SESSION AUTHORIZATION;
GRANT plan_group TO plan_member;
SET SESSION AUTHORIZATION plan_member;
BEGIN;
:executed
ROLLBACK;
RESET SESSION AUTHORIZATION;
SELECT ringfence.revoke_access('plan_group', 'Company A');
SET SESSION AUTHORIZATION plan_member;
BEGIN;
:executed
ROLLBACK;
RESET SESSION AUTHORIZATION;
SELECT ringfence.grant_access('plan_group', 'Company B', '{support}');
SET SESSION AUTHORIZATION plan_member;
BEGIN;
:executed
ROLLBACK;
RESET SESSION AUTHORIZATION;
-- CVE-2026-14666: a plan made with BYPASSRLS. Where PostgreSQL has not closed it, it is not ringfence that can.
ALTER ROLE plan_member BYPASSRLS;
SET SESSION AUTHORIZATION plan_member;
EXECUTE q_table;
RESET SESSION AUTHORIZATION;
ALTER ROLE plan_member NOBYPASSRLS;
SET SESSION AUTHORIZATION plan_member;
CREATE TEMP TABLE seen AS EXECUTE q_table;
SELECT (count = 0) = (v >= 150019 AND v / 10000 = 15 OR v / 10000 = 16 AND v >= 160015 OR v / 10000 = 17 AND v >= 170011 OR v >= 180006) AS as_released FROM seen, (SELECT current_setting('server_version_num')::int) s(v);
RESET SESSION AUTHORIZATION;
RESET plan_cache_mode;

\c - postgres
UPDATE ringfence.customer SET language = NULL;
:stock
SET client_min_messages = warning;
DROP SCHEMA attack CASCADE;
DROP OWNED BY plan_ab, plan_session, plan_group, plan_member, plan_pool;
DROP ROLE plan_ab, plan_session, plan_group, plan_member, plan_pool;
