-- ATTACKS 1 to 16: the settings. Whatever they are set to, from wherever and whenever, they only ask. Counts tell the owners
-- apart: Company A has three customers, Company B two. (10 needs the server's configuration, and is in tests/configuration.rs; 11 and 17
-- are tested with parallel workers and with tokens.)
\set SHOW_CONTEXT never
\set VERBOSITY sqlstate
\set ON_ERROR_ROLLBACK on
\pset tuples_only on
\pset format unaligned
SET client_min_messages = warning;
CREATE ROLE setting_ab LOGIN;       -- both owners, one for each transaction
CREATE ROLE setting_a LOGIN;        -- Company A only
CREATE ROLE setting_session LOGIN;  -- both, on dedicated connections
SELECT ringfence.grant_access('setting_ab', 'Company A', '{supervisor}'), ringfence.grant_access('setting_ab', 'Company B', '{supervisor}'),
       ringfence.grant_access('setting_a', 'Company A', '{supervisor}'),
       ringfence.grant_access('setting_session', 'Company A', '{supervisor}', binding => 'session'),
       ringfence.grant_access('setting_session', 'Company B', '{supervisor}', binding => 'session') \g /dev/null
CREATE SCHEMA attack;
GRANT ALL ON SCHEMA attack TO PUBLIC;
SET SESSION AUTHORIZATION setting_ab;
CREATE FUNCTION attack.by_definer() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM ringfence.customer';
CREATE VIEW attack.by_view AS SELECT owner_id, id, name, address FROM ringfence.customer;
GRANT SELECT ON attack.by_view TO PUBLIC;
CREATE FUNCTION attack.by_cursor() RETURNS bigint LANGUAGE plpgsql AS $$DECLARE c CURSOR FOR SELECT count(*) FROM ringfence.customer; n bigint; BEGIN OPEN c; FETCH c INTO n; RETURN n; END$$;
RESET SESSION AUTHORIZATION;

-- Every way to read, and every way to write, with and without WHERE and RETURNING.
\set reads 'SELECT ''table'', count(*) FROM ringfence.customer; SELECT ''view'', count(*) FROM ringfence.customer_card; SELECT ''view of another role'', count(*) FROM attack.by_view; SELECT ''definer'', attack.by_definer(); SELECT ''cursor'', attack.by_cursor(); PREPARE q AS SELECT ''prepared'', count(*) FROM ringfence.customer; EXECUTE q; DEALLOCATE q; COPY (SELECT ''copy'', count(*) FROM ringfence.customer_card) TO STDOUT; COPY ringfence.company (name) TO STDOUT; SELECT ''search'', count(*) FROM ringfence.search_customers(''tsai'');'
\set writes 'INSERT INTO ringfence.customer (name) VALUES (''planted''); INSERT INTO ringfence.customer_card (name) VALUES (''planted'') RETURNING name; UPDATE ringfence.customer SET address = ''spoilt''; UPDATE ringfence.customer SET address = ''spoilt'' WHERE name = ''Tsai Mei-Ling'' RETURNING name; UPDATE ringfence.customer_card SET address = ''spoilt''; DELETE FROM ringfence.customer_card WHERE name = ''planted'' RETURNING name; DELETE FROM ringfence.customer WHERE name = ''Tsai Mei-Ling''; MERGE INTO ringfence.customer c USING (SELECT 1) s ON c.name <> '''' WHEN MATCHED THEN UPDATE SET address = ''spoilt'';'
-- For the superuser: what there is of each owner.
\set stock 'SELECT o.name, count(c.id), count(*) FILTER (WHERE c.address = ''spoilt'' OR c.name = ''planted'') AS harmed FROM ringfence.owner o LEFT JOIN ringfence.customer c ON c.owner_id = o.id WHERE o.name LIKE ''Company%'' GROUP BY o.name ORDER BY o.name;'

\echo *** 0: a control: the same statements work for an owner of their own
SET SESSION AUTHORIZATION setting_ab;
BEGIN;
SET LOCAL ringfence.owner = 'Company A';
:reads
:writes
RESET SESSION AUTHORIZATION;
:stock
ROLLBACK;
BEGIN;
SELECT ringfence.enter('Company B') IS NOT NULL AS entered;
:reads
:writes
RESET SESSION AUTHORIZATION;
:stock
ROLLBACK;
RESET SESSION AUTHORIZATION;

\echo *** 1: the plain spoof, by SET, SET LOCAL, set_config, enter() and the connection string; by name and by id
SET SESSION AUTHORIZATION setting_a;
SET ringfence.owner = 'Company B';
:reads
:writes
SET ringfence.owner = 'bbbbbbbb-0000-0000-0000-000000000002';
:reads
:writes
RESET ringfence.owner;
BEGIN;
SET LOCAL ringfence.owner = 'Company B';
:reads
:writes
COMMIT;
BEGIN;
SELECT set_config('ringfence.owner', 'bbbbbbbb-0000-0000-0000-000000000002', true);
:reads
:writes
COMMIT;
BEGIN;
SELECT ringfence.enter('Company B');
SELECT ringfence.enter('bbbbbbbb-0000-0000-0000-000000000002');
:reads
ROLLBACK;
\c -reuse-previous=on "user=setting_a options='-c ringfence.owner=bbbbbbbb-0000-0000-0000-000000000002'"
:reads
:writes
\c -reuse-previous=on "user=postgres options=''"
:stock

\echo *** 2: what an application builds into the text of SET, or hands over as a parameter
-- Each value by SET LOCAL for the table, for the view, and by enter(), in a transaction each: the same answer, an owner or a refusal.
SET SESSION AUTHORIZATION setting_ab;
\set VERBOSITY terse
SET client_min_messages = notice;
DO $$
DECLARE
    tried text; answers text[]; answer text; way text;
BEGIN
    FOREACH tried IN ARRAY ARRAY[
        'Company A', 'aaaaaaaa-0000-0000-0000-000000000001', 'AAAAAAAA-0000-0000-0000-000000000001', 'aaaaaaaa000000000000000000000001',
        '{aaaaaaaa-0000-0000-0000-000000000001}', ' aaaaaaaa-0000-0000-0000-000000000001', 'aaaaaaaa-0000-0000-0000-00000000000', 'company a', 'COMPANY A', 'Company A ', ' Company A', 'Company  A', 'Company A' || chr(160),
        'Ｃompany A', 'Cοmpany A', 'Company A' || chr(8203), 'Company', 'Company %', '%', '*', 'Company A,Company B', '{"Company A","Company B"}',
        'aaaaaaaa-0000-0000-0000-000000000001,bbbbbbbb-0000-0000-0000-000000000002',
        'x''; SET LOCAL ringfence.owner = ''Company B', 'x'' OR name = ''Company A', '\', '''', '"Company A"', 'NULL', 'null', 'default', '0', ' ', E'\n', E'Company A\n', repeat('Company A', 1111), repeat('蔡', 10000)]
    LOOP
        answers := '{}';
        FOREACH way IN ARRAY ARRAY['table', 'view', 'enter'] LOOP
            BEGIN
                IF way = 'enter' THEN
                    PERFORM ringfence.enter(tried);
                ELSE
                    PERFORM set_config('ringfence.owner', tried, true);
                END IF;
                IF way = 'view' THEN
                    SELECT count(*) INTO answer FROM ringfence.customer_card;
                ELSE
                    SELECT count(*) INTO answer FROM ringfence.customer;
                END IF;
            EXCEPTION WHEN OTHERS THEN
                answer := sqlstate;
            END;
            answers := answers || answer;
            COMMIT;
        END LOOP;
        RAISE NOTICE '%: %', left(to_json(tried)::text, 80), answers;
    END LOOP;
END$$;
SET client_min_messages = warning;
\set VERBOSITY sqlstate
-- A NUL is no text in PostgreSQL, and bytes that are no UTF-8 are refused before anybody looks at them.
SELECT set_config('ringfence.owner', E'Company A\x00', true);
SELECT ringfence.enter(E'\xff');
-- DOC: text built into SET is code, as in any statement: it selects what the role may, and nothing that it may not.
\set header 'x''; SET LOCAL ringfence.owner = ''Company B'
\set built 'SET LOCAL ringfence.owner = ''':header''';'
BEGIN;
:built
SELECT count(*) FROM ringfence.customer;
ROLLBACK;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION setting_a;
BEGIN;
:built
SELECT count(*) FROM ringfence.customer;
ROLLBACK;
RESET SESSION AUTHORIZATION;
-- As a parameter it is an owner that does not exist, and after enter() it is nothing.
SET SESSION AUTHORIZATION setting_ab;
PREPARE choose(text) AS SELECT set_config('ringfence.owner', $1, true) <> '';
PREPARE enter(text) AS SELECT ringfence.enter($1);
BEGIN;
EXECUTE choose(:'header');
SELECT count(*) FROM ringfence.customer;
ROLLBACK;
BEGIN;
EXECUTE enter(:'header');
ROLLBACK;
BEGIN;
EXECUTE enter('Company A');
:built
SELECT count(*) FROM ringfence.customer;
ROLLBACK;
DEALLOCATE ALL;

\echo *** 3: a switch within the statement, before the policy is asked: one owner or an error, never both, in every kind of statement
-- More of these in attack_latch and, after enter(), in session_enter.
\set switch 'set_config(''ringfence.owner'', ''Company B'', true) <> '''''
BEGIN;
SET LOCAL ringfence.owner = 'Company A';
SELECT count(DISTINCT owner_id) <= 1 FROM ringfence.customer WHERE :switch;
ROLLBACK;
BEGIN;
SET LOCAL ringfence.owner = 'Company A';
SELECT count(*) FROM ringfence.customer;
SAVEPOINT used;
UPDATE ringfence.customer SET address = 'spoilt' WHERE :switch;
ROLLBACK TO used;
UPDATE ringfence.customer SET address = 'spoilt' WHERE :switch RETURNING name;
ROLLBACK TO used;
UPDATE ringfence.customer SET address = set_config('ringfence.owner', 'Company B', true);
SELECT count(*) FROM ringfence.customer_card;
ROLLBACK TO used;
UPDATE ringfence.customer_card SET address = 'spoilt' WHERE :switch;
ROLLBACK TO used;
DELETE FROM ringfence.customer WHERE :switch;
ROLLBACK TO used;
DELETE FROM ringfence.customer WHERE :switch RETURNING name;
ROLLBACK TO used;
DELETE FROM ringfence.customer RETURNING name, :switch, (SELECT count(*) FROM ringfence.company);
ROLLBACK TO used;
INSERT INTO ringfence.customer (name) SELECT 'planted' WHERE :switch;
ROLLBACK TO used;
INSERT INTO ringfence.customer (name) VALUES (set_config('ringfence.owner', 'Company B', true));
ROLLBACK TO used;
MERGE INTO ringfence.customer c USING (SELECT 1 WHERE :switch) s ON c.name <> '' WHEN MATCHED THEN DELETE;
ROLLBACK TO used;
COPY (SELECT name FROM ringfence.customer WHERE :switch) TO STDOUT;
ROLLBACK TO used;
SELECT count(*) FROM attack.by_view WHERE :switch;
ROLLBACK TO used;
SELECT :switch, attack.by_definer();
ROLLBACK TO used;
SELECT :switch, attack.by_cursor();
ROLLBACK TO used;
PREPARE q AS SELECT count(*) FROM ringfence.customer WHERE :switch;
EXECUTE q;
ROLLBACK TO used;
DECLARE c CURSOR FOR SELECT name, set_config('ringfence.owner', 'Company B', true) FROM ringfence.customer ORDER BY name COLLATE "C";
FETCH 1 FROM c;
ROLLBACK TO used;
SELECT count(*) FROM ringfence.customer a FULL JOIN (SELECT :switch AS s, name FROM ringfence.customer) b ON a.name = b.name;
SELECT count(*) FROM ringfence.customer;
ROLLBACK TO used;
RESET SESSION AUTHORIZATION;
:stock
ROLLBACK;
SET SESSION AUTHORIZATION setting_ab;
-- The same after enter(): it goes on with the owner that was entered.
BEGIN;
SELECT ringfence.enter('Company A') IS NOT NULL;
WITH u AS (UPDATE ringfence.customer SET address = 'spoilt' WHERE :switch RETURNING owner_id) SELECT owner_id, count(*) FROM u GROUP BY 1;
UPDATE ringfence.customer_card SET address = 'spoilt' WHERE :switch;
COPY (SELECT count(*) FROM ringfence.customer_card WHERE :switch) TO STDOUT;
SELECT :switch, attack.by_definer(), attack.by_cursor(), (SELECT count(*) FROM attack.by_view);
DELETE FROM ringfence.customer WHERE :switch;
INSERT INTO ringfence.customer (name) SELECT 'planted' WHERE :switch;
RESET SESSION AUTHORIZATION;
:stock
ROLLBACK;
:stock

\echo *** 4: rows of one owner written to the other in one statement
-- By set_config in attack_latch; here by a statement that reads first, one that moves, and after enter().
SET SESSION AUTHORIZATION setting_ab;
BEGIN;
SET LOCAL ringfence.owner = 'Company B';
WITH r AS MATERIALIZED (SELECT name FROM ringfence.customer), s AS MATERIALIZED (SELECT set_config('ringfence.owner', 'Company A', true), count(*) FROM r)
INSERT INTO ringfence.customer (owner_id, name) SELECT 'aaaaaaaa-0000-0000-0000-000000000001', name FROM r, s;
ROLLBACK;
BEGIN;
SET LOCAL ringfence.owner = 'Company B';
WITH r AS MATERIALIZED (SELECT name FROM ringfence.customer), s AS MATERIALIZED (SELECT set_config('ringfence.owner', 'Company A', true), count(*) FROM r)
INSERT INTO ringfence.customer_card (name) SELECT name FROM r, s RETURNING owner_id;
ROLLBACK;
BEGIN;
SET LOCAL ringfence.owner = 'Company B';
UPDATE ringfence.customer SET owner_id = set_config('ringfence.owner', 'aaaaaaaa-0000-0000-0000-000000000001', true)::uuid;
ROLLBACK;
BEGIN;
SET LOCAL ringfence.owner = 'Company B';
UPDATE ringfence.customer SET owner_id = set_config('ringfence.owner', 'aaaaaaaa-0000-0000-0000-000000000001', true)::uuid WHERE name <> '' RETURNING name;
ROLLBACK;
BEGIN;
SET LOCAL ringfence.owner = 'Company B';
MERGE INTO ringfence.customer c USING (SELECT name, set_config('ringfence.owner', 'Company A', true) FROM ringfence.customer OFFSET 0) s ON c.name = 'nobody'
WHEN NOT MATCHED THEN INSERT (owner_id, name) VALUES ('aaaaaaaa-0000-0000-0000-000000000001', s.name);
ROLLBACK;
BEGIN;
SELECT ringfence.enter('Company B') IS NOT NULL;
INSERT INTO ringfence.customer (owner_id, name) SELECT 'aaaaaaaa-0000-0000-0000-000000000001', name FROM ringfence.customer WHERE set_config('ringfence.owner', 'Company A', true) <> '';
ROLLBACK;
RESET SESSION AUTHORIZATION;
:stock

\echo *** 5: RESET, RESET ALL, SET TO DEFAULT, DISCARD ALL, set_config of NULL give back what the connection began with: still only asking
-- Within a transaction that has used an owner: attack_latch.
\c -reuse-previous=on "user=setting_ab options='-c ringfence.owner=bbbbbbbb-0000-0000-0000-000000000002'"
\set back 'SELECT current_setting(''ringfence.owner''); SELECT count(*) FROM ringfence.customer; SELECT owner_name FROM ringfence.whoami();'
:back
RESET ringfence.owner;
:back
RESET ALL;
:back
SET ringfence.owner TO DEFAULT;
:back
DISCARD ALL;
:back
SELECT set_config('ringfence.owner', NULL, false);
:back
BEGIN;
SET LOCAL ringfence.owner = 'Company A';
SELECT count(*) FROM ringfence.customer;
COMMIT;
:back
-- Whoever asks for the owner of others gets nothing by it, and a dedicated connection what it was made for.
\c -reuse-previous=on "user=setting_a options='-c ringfence.owner=bbbbbbbb-0000-0000-0000-000000000002'"
:back
RESET ALL;
:back
SET ringfence.owner = 'Company A';
:back
DISCARD ALL;
:back
\c -reuse-previous=on "user=setting_session options='-c ringfence.owner=bbbbbbbb-0000-0000-0000-000000000002'"
:back
SET ringfence.owner = 'Company A';
:back
DISCARD ALL;
:back
\c -reuse-previous=on "user=setting_session options=''"
SET ringfence.owner = 'Company A';
:back
DISCARD ALL;
:back

\echo *** 6: no owner is not all owners: never set, empty after SET LOCAL, after RESET, after a SET that was rolled back, and by name
\c - setting_ab
SELECT coalesce(current_setting('ringfence.owner', true), '') = '';
BEGIN;
:reads
ROLLBACK;
:writes
BEGIN;
SET LOCAL ringfence.owner = 'Company A';
SELECT count(*) FROM ringfence.customer;
COMMIT;
SELECT current_setting('ringfence.owner', true) IS NULL, current_setting('ringfence.owner');
BEGIN;
:reads
ROLLBACK;
:writes
SET ringfence.owner = 'Company A';
RESET ringfence.owner;
BEGIN;
:reads
ROLLBACK;
:writes
BEGIN;
SET ringfence.owner = 'Company A';
ROLLBACK;
SELECT count(*) FROM ringfence.customer;
UPDATE ringfence.customer SET address = 'spoilt';
BEGIN;
SET LOCAL ringfence.owner = '';
:reads
:writes
COMMIT;
BEGIN;
SET LOCAL ringfence.owner = 'garbage';
:reads
:writes
COMMIT;
BEGIN;
SELECT set_config('ringfence.owner', NULL, true);
:reads
:writes
COMMIT;
BEGIN;
SELECT ringfence.enter('');
SELECT ringfence.enter(NULL);
SELECT ringfence.enter('garbage');
:reads
:writes
COMMIT;
\c - postgres
:stock

\echo *** 7: SET LOCAL outside of a transaction selects nothing, and does not fall back to what is left in the session
\c - setting_ab
SET ringfence.owner = 'Company B';
SET LOCAL ringfence.owner = 'Company A';
SELECT count(*) FROM ringfence.customer;
UPDATE ringfence.customer SET address = 'spoilt';
SELECT set_config('ringfence.owner', 'Company A', true);
SELECT count(*) FROM ringfence.customer;
SELECT ringfence.enter('Company A') IS NOT NULL;
SELECT count(*) FROM ringfence.customer;
-- Several statements in one message are one transaction, and it ends with the message.
SET LOCAL ringfence.owner = 'Company A' \; SELECT count(*) FROM ringfence.customer;
SELECT count(*) FROM ringfence.customer;
SELECT ringfence.enter('Company A') IS NOT NULL \; SELECT count(*) FROM ringfence.customer;
SELECT count(*) FROM ringfence.customer;

\echo *** 8: an owner that is stored: with a role, a database, a function
-- A session that has not loaded the library may not store it; one that has may, and gains nothing.
\c - setting_a
ALTER ROLE setting_a SET ringfence.owner = 'Company B';
SELECT count(*) FROM ringfence.customer;
ALTER ROLE setting_a SET ringfence.owner = 'Company B';
ALTER ROLE setting_ab SET ringfence.owner = 'Company B';
\c - setting_a
SELECT current_setting('ringfence.owner'), usename FROM pg_user WHERE usename = current_user;
BEGIN;
:reads
ROLLBACK;
:writes
\c - setting_ab
SELECT ringfence.current_owner();
ALTER ROLE setting_ab SET ringfence.owner = 'Company B';
\c - setting_ab
SELECT current_setting('ringfence.owner');
BEGIN;
:reads
ROLLBACK;
:writes
-- DOC: it counts where the access has been given for it, with binding => 'session'.
\c - setting_session
SELECT ringfence.current_owner();
ALTER ROLE setting_session SET ringfence.owner = 'Company B';
\c - setting_session
SELECT count(*) FROM ringfence.customer;
-- With the database.
\c - postgres
ALTER ROLE setting_a RESET ALL;
ALTER ROLE setting_ab RESET ALL;
ALTER ROLE setting_session RESET ALL;
SELECT format('ALTER DATABASE %I SET ringfence.owner = %L', current_database(), 'Company B') \gexec
\c - setting_a
SELECT current_setting('ringfence.owner');
SELECT count(*) FROM ringfence.customer;
\c - setting_ab
SELECT current_setting('ringfence.owner');
SELECT count(*) FROM ringfence.customer;
\c - setting_session
SELECT current_setting('ringfence.owner');
SELECT count(*) FROM ringfence.customer;
\c - postgres
SELECT format('ALTER DATABASE %I RESET ringfence.owner', current_database()) \gexec
-- In a function, whose SET clause would make whoever calls it act for its owner: it asks for the caller, who has its own access.
\c - setting_ab
SELECT ringfence.current_owner();
CREATE FUNCTION attack.for_b() RETURNS bigint LANGUAGE sql SET ringfence.owner = 'Company B' AS 'SELECT count(*) FROM ringfence.customer';
CREATE FUNCTION attack.definer_for_b() RETURNS bigint LANGUAGE sql SECURITY DEFINER SET ringfence.owner = 'Company B' AS 'SELECT count(*) FROM ringfence.customer';
BEGIN;
SET LOCAL ringfence.owner = 'Company B';
CREATE FUNCTION attack.from_current() RETURNS bigint LANGUAGE sql SET ringfence.owner FROM CURRENT AS 'SELECT count(*) FROM ringfence.customer';
COMMIT;
SELECT proconfig FROM pg_proc WHERE proname = 'from_current';
SELECT attack.for_b();
SELECT attack.definer_for_b();
SELECT attack.from_current();
BEGIN;
SET LOCAL ringfence.owner = 'Company A';
SELECT attack.for_b();
SELECT attack.definer_for_b();
SELECT attack.from_current();
SELECT count(*) FROM ringfence.customer;
ROLLBACK;
BEGIN;
SET LOCAL ringfence.owner = 'Company A';
SELECT count(*) FROM ringfence.customer;
SELECT attack.for_b();
SELECT attack.definer_for_b();
SELECT count(*) FROM ringfence.customer;
ROLLBACK;
BEGIN;
SELECT ringfence.enter('Company A') IS NOT NULL;
SELECT attack.for_b(), attack.definer_for_b(), attack.from_current();
ROLLBACK;
\c - setting_a
SELECT attack.for_b();
SELECT attack.definer_for_b();
SELECT attack.from_current();
SELECT count(*) FROM ringfence.customer;
\c - app_none
SELECT attack.for_b();
SELECT attack.definer_for_b();
SELECT attack.from_current();
\c - app_b
SELECT attack.for_b();

\echo *** 9: PostgreSQL gives back an older value without asking anybody, after the access to it was revoked
\c - postgres
SET SESSION AUTHORIZATION setting_session;
SET ringfence.owner = 'Company B';
SELECT count(*) FROM ringfence.customer;
CREATE FUNCTION attack.elsewhere() RETURNS bigint LANGUAGE sql SET ringfence.owner = 'Company A' AS 'SELECT count(*) FROM ringfence.customer';
RESET SESSION AUTHORIZATION;
SELECT ringfence.revoke_access('setting_session', 'Company B');
SET SESSION AUTHORIZATION setting_session;
SELECT count(*) FROM ringfence.customer;
BEGIN;
SET LOCAL ringfence.owner = 'Company A';
SELECT count(*) FROM ringfence.customer;
COMMIT;
SELECT current_setting('ringfence.owner');
SELECT count(*) FROM ringfence.customer;
BEGIN;
SET LOCAL ringfence.owner = 'Company A';
SELECT count(*) FROM ringfence.customer;
ROLLBACK;
SELECT count(*) FROM ringfence.customer;
BEGIN;
SET ringfence.owner = 'Company A';
SELECT count(*) FROM ringfence.customer;
SELECT 1/0;
ROLLBACK;
SELECT current_setting('ringfence.owner');
SELECT count(*) FROM ringfence.customer;
BEGIN;
SAVEPOINT s;
SET ringfence.owner = 'Company A';
ROLLBACK TO s;
SELECT current_setting('ringfence.owner');
SELECT count(*) FROM ringfence.customer;
ROLLBACK;
BEGIN;
SAVEPOINT s;
SET LOCAL ringfence.owner = 'Company A';
SELECT count(*) FROM ringfence.customer;
ROLLBACK TO s;
SELECT current_setting('ringfence.owner');
SELECT count(*) FROM ringfence.customer;
ROLLBACK;
SELECT attack.elsewhere();
SELECT current_setting('ringfence.owner');
SELECT count(*) FROM ringfence.customer;
DO $$BEGIN BEGIN PERFORM set_config('ringfence.owner', 'Company A', false); RAISE EXCEPTION 'x'; EXCEPTION WHEN OTHERS THEN NULL; END; PERFORM count(*) FROM ringfence.customer; END$$;
SELECT current_setting('ringfence.owner');
UPDATE ringfence.customer SET address = 'spoilt';
-- The other owner is still there for it, by the same ways.
SET ringfence.owner = 'Company A';
SELECT count(*) FROM ringfence.customer;
RESET SESSION AUTHORIZATION;
RESET ringfence.owner;
SELECT ringfence.grant_access('setting_session', 'Company B', '{supervisor}', binding => 'session');

\echo *** 12: set before the library is there to know the settings, in a session that is judged when it comes
\set VERBOSITY terse
\c - setting_a
SET ringfence.owner = 'Company B';
SELECT count(*) FROM ringfence.customer;
\c - setting_a
BEGIN;
SET LOCAL ringfence.owner = 'Company B';
SELECT count(*) FROM ringfence.customer;
ROLLBACK;
SELECT count(*) FROM ringfence.customer;
\c - setting_ab
SET ringfence.owner = 'Company B';
SELECT count(*) FROM ringfence.customer;
BEGIN;
SET LOCAL ringfence.owner = 'Company A';
SELECT count(*) FROM ringfence.customer;
COMMIT;
SELECT count(*) FROM ringfence.customer;
-- SET LOCAL is for the transaction, and SET is not, also where the library comes in between; so with savepoints and functions.
\c - setting_ab
BEGIN;
SET LOCAL ringfence.owner = 'Company A';
SELECT count(*) FROM ringfence.customer;
SET LOCAL ringfence.owner = 'Company B';
SELECT count(*) FROM ringfence.customer;
COMMIT;
SELECT count(*) FROM ringfence.customer;
\c - setting_ab
BEGIN;
SET ringfence.owner = 'Company A';
SELECT count(*) FROM ringfence.customer;
COMMIT;
SELECT count(*) FROM ringfence.customer;
\c - setting_ab
BEGIN;
SET ringfence.owner = 'Company B';
SET LOCAL ringfence.owner = 'Company A';
SELECT count(*) FROM ringfence.customer;
COMMIT;
SELECT current_setting('ringfence.owner');
SELECT count(*) FROM ringfence.customer;
\c - setting_ab
BEGIN;
SET LOCAL ringfence.owner = 'Company B';
SAVEPOINT s;
SET LOCAL ringfence.owner = 'Company A';
SELECT count(*) FROM ringfence.customer;
ROLLBACK TO s;
SELECT current_setting('ringfence.owner');
SELECT count(*) FROM ringfence.customer;
ROLLBACK;
\c - setting_ab
SET ringfence.owner = 'Company A';
SELECT attack.for_b();
SELECT current_setting('ringfence.owner');
\c - setting_ab
BEGIN;
SET LOCAL ringfence.owner = 'Company B';
SELECT ringfence.enter('Company A') IS NOT NULL;
SELECT count(*) FROM ringfence.customer;
COMMIT;
SELECT count(*) FROM ringfence.customer;
-- What only a superuser may set is taken away from who is none, as soon as it is known; so is what there is not.
\c - setting_ab
SET ringfence.latch = 'statement';
SET ringfence.allow_drop = 'on';
SET ringfence.onwer = 'Company A';
BEGIN;
SET LOCAL ringfence.owner = 'Company A';
SELECT count(*) FROM ringfence.customer;
SET LOCAL ringfence.owner = 'Company B';
SELECT count(*) FROM ringfence.customer;
ROLLBACK;
SHOW ringfence.latch;
SHOW ringfence.allow_drop;
SHOW ringfence.onwer;
\c -reuse-previous=on "user=setting_ab options='-c ringfence.latch=statement -c ringfence.allow_drop=on'"
BEGIN;
SET LOCAL ringfence.owner = 'Company A';
SELECT count(*) FROM ringfence.customer;
SET LOCAL ringfence.owner = 'Company B';
SELECT count(*) FROM ringfence.customer;
ROLLBACK;
SHOW ringfence.latch;
SHOW ringfence.allow_drop;
SET ringfence.latch = 'statement';
ALTER ROLE setting_ab SET ringfence.latch = 'statement';
CREATE FUNCTION attack.unlatched() RETURNS int LANGUAGE sql SET ringfence.latch = 'statement' AS 'SELECT 1';
\c -reuse-previous=on "user=setting_ab options=''"
ALTER ROLE setting_ab SET ringfence.latch = 'statement';

\echo *** 13, 16: the settings there are: none that a user may set is a right (attack_read tries them all), and none is a secret
SELECT ringfence.has_right('nothing');
SELECT name, context FROM pg_settings WHERE name LIKE 'ringfence.%' ORDER BY name;
\c - setting_a
SET ringfence.project = 'Secret';
SELECT count(*) FROM ringfence.customer;
RESET ringfence.project;
SET ringfence.agent = 'postgres';
SET ringfence.source = 'ringfence';
SELECT count(*) FROM ringfence.customer;
DELETE FROM ringfence.owner;
SELECT ringfence.grant_access('setting_a', 'Company B', '{admin}');
\c - setting_a
-- The order of the warnings is chance.
SET client_min_messages = error;
SET ringfence.is_admin = 'on';
SET ringfence.bypass = 'on';
SET ringfence.projects = '*';
SET ringfence.rights = 'customer.read';
SELECT count(*) FROM ringfence.customer;
SELECT count(*) FROM pg_settings WHERE name IN ('ringfence.is_admin', 'ringfence.bypass', 'ringfence.projects', 'ringfence.rights');

\echo *** 14: the name of a setting in another case is the same setting; a list is no owner (2)
\set VERBOSITY sqlstate
\c - setting_ab
BEGIN;
SET LOCAL "RingFence"."OWNER" = 'Company A';
SELECT current_setting('ringfence.owner');
SELECT count(*) FROM ringfence.customer;
SET LOCAL RINGFENCE.Owner = 'Company B';
SELECT count(*) FROM ringfence.customer;
ROLLBACK;
\c - setting_a
SET "RINGFENCE".owner = 'Company B';
SELECT count(*) FROM ringfence.customer;
SELECT ringfence.current_owner();
SELECT set_config('RingFence.Owner', 'Company B', false);
SELECT count(*) FROM ringfence.customer;
RESET "ringFENCE"."ownER";
SELECT count(*) FROM ringfence.customer;
SELECT count(*) FROM pg_settings WHERE name ILIKE 'ringfence.owner';

\echo *** 15: a superuser may give away a setting of its own. Then the holder decides on the latch, and access is as it was
\c - postgres
SELECT ringfence.is_admin();
GRANT SET ON PARAMETER ringfence.latch TO setting_ab, setting_a;
\c - setting_ab
SELECT ringfence.has_right('nothing');
SET ringfence.latch = 'statement';
BEGIN;
SET LOCAL ringfence.owner = 'Company A';
SELECT count(*) FROM ringfence.customer;
SET LOCAL ringfence.owner = 'Company B';
SELECT count(*) FROM ringfence.customer;
ROLLBACK;
BEGIN;
SET LOCAL ringfence.owner = 'Company A';
SELECT (SELECT count(*) FROM ringfence.customer), set_config('ringfence.owner', 'Company B', true), (SELECT count(*) FROM ringfence.customer);
ROLLBACK;
\c - setting_a
SET ringfence.latch = 'statement';
BEGIN;
SELECT count(*) FROM ringfence.customer;
SET LOCAL ringfence.owner = 'Company B';
SELECT count(*) FROM ringfence.customer;
ROLLBACK;
\c - postgres
SELECT ringfence.is_admin();
REVOKE SET ON PARAMETER ringfence.latch FROM setting_ab, setting_a;
SELECT count(*) FROM pg_parameter_acl WHERE parname LIKE 'ringfence.%';
:stock
SET client_min_messages = warning;
DROP SCHEMA attack CASCADE;
DROP OWNED BY setting_a, setting_ab, setting_session;
DROP ROLE setting_a, setting_ab, setting_session;
