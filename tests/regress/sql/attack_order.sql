-- ATTACKS 173, 176, 177, 178 and what belongs to them: the wall is judged before any other condition, whatever that costs, and by nothing
-- but its own function; and nothing that is shown of a plan is made of other owners' rows. Company B has a customer with the number
-- +48601234567, nobody has +48601234568: no statement may tell the two apart.
\set SHOW_CONTEXT never
\set VERBOSITY sqlstate
\pset tuples_only on
\pset format unaligned
SET client_min_messages = warning;
CREATE SCHEMA attack;
GRANT ALL ON SCHEMA attack TO PUBLIC;
CREATE ROLE order_fields LOGIN;
SELECT ringfence.grant_access('order_fields', 'Company A', '{field.manage,project.manage,access.manage}') \g /dev/null
SET ROLE app_b;
INSERT INTO ringfence.customer_card (name, phones) SELECT 'canary ' || n, ARRAY['+4860' || 2000000 + n] FROM generate_series(1, 300) AS n;
RESET ROLE;
ANALYZE ringfence.customer;

-- What a statement ends in: its rows, or its SQLSTATE.
CREATE FUNCTION attack.outcome(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    n bigint;
BEGIN
    EXECUTE statement;
    GET DIAGNOSTICS n = ROW_COUNT;
    RETURN n || ' rows';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE;
END $$;

-- Which of these forms tell the two numbers apart, under that setting of the planner: none.
CREATE FUNCTION attack.told_apart(setting text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    fails CONSTANT text := 'address = ANY (ARRAY[(SELECT (1 / (random() * 0))::text)])';
    form text;
BEGIN
    EXECUTE setting;
    FOREACH form IN ARRAY ARRAY[
        'SELECT FROM ringfence.customer WHERE normal_phones[1] = ANY (''{%1$s}'') AND ' || fails,
        'SELECT FROM ringfence.customer WHERE normal_phones = ''{%1$s}'' AND ' || fails,
        'SELECT FROM ringfence.customer WHERE normal_phones[1] >= ''%1$s'' AND normal_phones[1] <= ''%1$s'' AND ' || fails,
        'SELECT FROM ringfence.customer WHERE normal_phones[1] = ''%1$s'' AND address IS NOT NULL AND (SELECT 1 / (random() * 0)) IS NOT NULL',
        'SELECT FROM ringfence.customer WHERE normal_phones[1] = ''%1$s'' AND random() / (random() * 0) > 0',
        'SELECT FROM ringfence.customer_card WHERE phones[1] = ''%1$s'' AND ' || fails,
        'SELECT FROM ringfence.customer c, ringfence.company o WHERE c.normal_phones[1] = ''%1$s'' AND o.id = c.company_id AND c.' || fails,
        'SELECT FROM (VALUES (''%1$s'')) AS v (n) CROSS JOIN LATERAL (SELECT FROM ringfence.customer WHERE normal_phones[1] = v.n AND ' || fails || ') AS c',
        'SELECT FROM (VALUES (''%1$s'')) AS v (n) LEFT JOIN ringfence.customer AS c ON c.normal_phones[1] = v.n AND c.' || fails,
        'SELECT FROM ringfence.customer WHERE normal_phones[1] = ''%1$s'' AND ' || fails || ' FOR UPDATE',
        'UPDATE ringfence.customer SET language = ''xx'' WHERE normal_phones[1] = ''%1$s'' AND ' || fails,
        'DELETE FROM ringfence.customer WHERE normal_phones[1] = ''%1$s'' AND ' || fails,
        'MERGE INTO ringfence.customer AS c USING (VALUES (''%1$s'')) AS v (n) ON c.normal_phones[1] = v.n AND c.' || fails || ' WHEN MATCHED THEN DO NOTHING',
        'WITH c AS MATERIALIZED (SELECT name FROM ringfence.customer WHERE normal_phones[1] = ''%1$s'' AND ' || fails || ') SELECT FROM c',
        'SELECT FROM ringfence.customer WHERE owner_id = ''bbbbbbbb-0000-0000-0000-000000000002'' AND normal_phones[1] = ''%1$s'' AND ' || fails,
        'SELECT FROM ringfence.customer WHERE owner_id = (SELECT ''bbbbbbbb-0000-0000-0000-000000000002''::uuid) AND normal_phones[1] = ''%1$s'' AND ' || fails,
        'SELECT FROM ringfence.customer WHERE (owner_id = ''bbbbbbbb-0000-0000-0000-000000000002'' OR language = ''q'') AND normal_phones[1] = ''%1$s'' AND ' || fails]
    LOOP
        IF attack.outcome(format(form, '+48601234567')) <> attack.outcome(format(form, '+48601234568')) THEN
            RETURN NEXT format(form, '+48601234567') || ': ' || attack.outcome(format(form, '+48601234567'));
        END IF;
    END LOOP;
END $$;

\c - app_a
\echo *** 173: conditions that are cheaper than the wall, in every kind of scan
SELECT attack.told_apart('SET enable_seqscan = on');
SELECT attack.told_apart('SET enable_indexscan = off');
SELECT attack.told_apart('SET enable_bitmapscan = off');
SELECT attack.told_apart('SET enable_indexonlyscan = off; SET enable_tidscan = off; SET enable_nestloop = off');
SELECT attack.told_apart('SET enable_hashjoin = off; SET enable_nestloop = on; SET enable_seqscan = off');
RESET ALL;
-- The forms do find what is there.
SELECT attack.outcome('SELECT FROM ringfence.customer WHERE normal_phones[1] = ''+886912345678'' AND name = ANY (ARRAY[(SELECT (1 / (random() * 0))::text)])');
-- A condition without a column: how many rows others have.
CREATE TEMP SEQUENCE hit;
SET enable_indexscan = off;
SET enable_bitmapscan = off;
SET enable_indexonlyscan = off;
SELECT count(*) FROM ringfence.customer WHERE owner_id <> ALL (ARRAY[(SELECT ringfence.current_owner())]) AND nextval('hit') IS NOT NULL;
SELECT is_called FROM hit;
SELECT count(*) FROM ringfence.customer WHERE nextval('hit') > 0;
SELECT last_value FROM hit;
SELECT count(*) FROM ringfence.customer_card WHERE nextval('hit') > 0 AND name LIKE 'canary%';
SELECT last_value FROM hit;
RESET ALL;
-- A role without the right to read: not even its own owner's rows.
\c - order_fields
SELECT attack.outcome('SELECT FROM ringfence.customer WHERE normal_phones[1] = ''+886912345678'' AND address = ANY (ARRAY[(SELECT (1 / (random() * 0))::text)])');
SELECT attack.outcome('SELECT FROM ringfence.customer WHERE name = ANY (''{Tsai Mei-Ling}'') AND random() / (random() * 0) > 0');
SELECT attack.outcome('SELECT FROM ringfence.field WHERE name = ANY (''{name}'') AND random() / (random() * 0) > 0');

\echo *** The wall is judged by its own function, not by a function of the user that was equal to it a moment ago
\c - app_a
CREATE TEMP SEQUENCE turn;
CREATE FUNCTION attack.lies() RETURNS uuid LANGUAGE plpgsql STABLE COST 0.0001 AS $$
BEGIN
    RETURN CASE WHEN nextval('turn') % 2 = 1 THEN 'aaaaaaaa-0000-0000-0000-000000000001'::uuid ELSE 'bbbbbbbb-0000-0000-0000-000000000002' END;
END $$;
CREATE FUNCTION attack.read_by(condition text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    n int;
BEGIN
    -- However often the planner asks.
    FOR n IN 1 .. 8 LOOP
        PERFORM setval('turn', n, n % 2 = 0);
        RETURN QUERY EXECUTE 'SELECT name FROM ringfence.customer WHERE ' || condition || ' AND owner_id <> ringfence.current_owner()';
        PERFORM setval('turn', n);
        RETURN QUERY EXECUTE 'SELECT name FROM ringfence.customer WHERE ' || condition;
        RETURN QUERY EXECUTE 'SELECT c.name FROM ringfence.company o LEFT JOIN LATERAL (SELECT * FROM ringfence.customer_card c WHERE c.owner_id = o.owner_id) c ON true WHERE ' || regexp_replace(condition, '(owner_id|\mid) ', 'o.\1 ', 'g');
        RETURN QUERY EXECUTE 'UPDATE ringfence.customer SET language = language WHERE ' || condition || ' RETURNING name';
    END LOOP;
END $$;
SELECT DISTINCT name FROM attack.read_by('owner_id = attack.lies()') AS name WHERE name NOT LIKE 'Tsai%' AND name NOT IN ('Chen Wei', '蔡美玲') LIMIT 3;
SET enable_indexscan = off;
SET enable_bitmapscan = off;
SET enable_indexonlyscan = off;
SELECT DISTINCT name FROM attack.read_by('owner_id = attack.lies()') AS name WHERE name NOT LIKE 'Tsai%' AND name NOT IN ('Chen Wei', '蔡美玲') LIMIT 3;
RESET ALL;
SET enable_seqscan = off;
SELECT DISTINCT name FROM attack.read_by('owner_id = attack.lies() AND (id = ''b0000000-0000-0000-0000-000000000001'' OR id > ''00000000-0000-0000-0000-000000000000'')') AS name WHERE name NOT LIKE 'Tsai%' AND name NOT IN ('Chen Wei', '蔡美玲') LIMIT 3;
SELECT DISTINCT name FROM attack.read_by('(owner_id = attack.lies() AND id = ''b0000000-0000-0000-0000-000000000001'' OR owner_id = attack.lies() AND id > ''00000000-0000-0000-0000-000000000000'')') AS name WHERE name NOT LIKE 'Tsai%' AND name NOT IN ('Chen Wei', '蔡美玲') LIMIT 3;
RESET ALL;
-- A condition of the user's that has the wall in each of its alternatives, behind something else.
CREATE FUNCTION attack.own() RETURNS uuid LANGUAGE plpgsql STABLE COST 0.0001 AS $$ BEGIN RETURN ringfence.current_owner(); END $$;
CREATE TEMP SEQUENCE looked_at;
CREATE FUNCTION attack.looks_at(value text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS $$
BEGIN
    PERFORM nextval('looked_at');
    RETURN true;
END $$;
CREATE FUNCTION attack.alternatives(condition text) RETURNS SETOF bigint LANGUAGE plpgsql AS $$
DECLARE
    setting text;
BEGIN
    FOREACH setting IN ARRAY ARRAY['SET enable_indexscan = off; SET enable_bitmapscan = off; SET enable_indexonlyscan = off', 'SET enable_bitmapscan = on', 'SET enable_indexscan = on'] LOOP
        EXECUTE setting;
        PERFORM setval('looked_at', 1, false);
        EXECUTE 'SELECT FROM ringfence.customer WHERE ' || condition;
        RETURN NEXT nextval('looked_at') - 1;
    END LOOP;
END $$;
-- At most twice for each of the three customers.
SELECT max(looks) <= 6 FROM attack.alternatives('owner_id = attack.own() AND ((attack.looks_at(name) AND owner_id = ringfence.current_owner()) OR (attack.looks_at(address) AND ringfence.current_owner() = owner_id))') AS looks;
SELECT max(looks) <= 6 FROM attack.alternatives('((attack.looks_at(name) AND owner_id = ringfence.current_owner()) OR (attack.looks_at(address) AND ringfence.current_owner() = owner_id))') AS looks;
SELECT max(looks) <= 6 FROM attack.alternatives('owner_id = attack.own() AND NOT ((NOT attack.looks_at(name) OR owner_id <> ringfence.current_owner()) AND (NOT attack.looks_at(address) OR ringfence.current_owner() <> owner_id))') AS looks;
RESET ALL;
-- The planner does merge the two conditions; the wall stands beside what it made of them.
EXPLAIN (COSTS OFF) SELECT name FROM ringfence.customer WHERE owner_id = attack.lies() AND id = 'b0000000-0000-0000-0000-000000000001';
EXPLAIN (COSTS OFF) SELECT owner_id FROM ringfence.customer WHERE owner_id = attack.lies();
SET enable_indexscan = off;
SET enable_bitmapscan = off;
SET enable_indexonlyscan = off;
EXPLAIN (COSTS OFF) SELECT name FROM ringfence.customer WHERE owner_id = attack.lies();
RESET ALL;

\echo *** A plan that was made under a good owner and is run under a bad one fails whatever rows there are
SET plan_cache_mode = force_generic_plan;
PREPARE present AS SELECT FROM ringfence.customer WHERE normal_phones[1] = ANY ('{+48601234567}');
PREPARE absent AS SELECT FROM ringfence.customer WHERE normal_phones[1] = ANY ('{+48601234568}');
PREPARE deleting AS DELETE FROM ringfence.customer WHERE normal_phones[1] = ANY ('{+48601234568}');
EXECUTE present;
EXECUTE absent;
EXECUTE deleting;
SET ringfence.owner = 'Nobody Ltd.';
EXECUTE present;
EXECUTE absent;
EXECUTE deleting;
EXPLAIN (COSTS OFF) EXECUTE absent;
RESET ALL;

\echo *** The first statement of a session is planned before the library is there
\c - app_a
SELECT count(*) FROM ringfence.customer WHERE normal_phones[1] = ANY ('{+48601234567}') AND address = ANY (ARRAY[(SELECT (1 / (random() * 0))::text)]);
\c - app_a
SET enable_indexscan = off;
SET enable_bitmapscan = off;
SET enable_indexonlyscan = off;
SET max_parallel_workers_per_gather = 0;
EXPLAIN SELECT name FROM ringfence.customer WHERE name = ANY ('{x}');
\c - app_a
SET plan_cache_mode = force_generic_plan;
PREPARE first AS SELECT FROM ringfence.customer WHERE normal_phones[1] = ANY ('{+48601234567}') AND address = ANY (ARRAY[(SELECT (1 / (random() * 0))::text)]);
EXECUTE first;
EXECUTE first;
RESET ALL;

\echo *** 176: EXPLAIN ANALYZE and the counts of the transaction
SET enable_indexscan = off;
SET enable_bitmapscan = off;
SET enable_indexonlyscan = off;
SET max_parallel_workers_per_gather = 0;
EXPLAIN (ANALYZE, BUFFERS OFF, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT name FROM ringfence.customer WHERE name || '' = 'Chen Wei' \g |$PG_ABS_SRCDIR/plan.sh
CREATE FUNCTION attack.nodes_with_pages(query text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    plan jsonb;
BEGIN
    EXECUTE 'EXPLAIN (ANALYZE, BUFFERS, WAL, FORMAT json) ' || query INTO plan;
    RETURN (SELECT count(*) FROM regexp_matches((plan -> 0)::text, '"[^"]*(Block|WAL)[^"]*": [1-9]', 'g'));
END $$;
SELECT attack.nodes_with_pages('SELECT name FROM ringfence.customer_card WHERE name = ''Chen Wei'''), attack.nodes_with_pages('UPDATE ringfence.customer SET name = name'), attack.nodes_with_pages('SELECT relname FROM pg_class') > 0;
-- Nor of pages that functions, triggers and planning read.
BEGIN;
SELECT attack.nodes_with_pages('INSERT INTO ringfence.customer (name) VALUES (''x'')'), attack.nodes_with_pages('INSERT INTO ringfence.customer_card (name) VALUES (''x'')'),
       attack.nodes_with_pages('SELECT * FROM ringfence.search_customers(''canary'')');
ROLLBACK;
RESET ALL;
SET enable_seqscan = off;
-- Of its own rows it is told how many the filter removed.
EXPLAIN (ANALYZE, BUFFERS OFF, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT name FROM ringfence.customer WHERE name || '' = 'Chen Wei' \g |$PG_ABS_SRCDIR/plan.sh
SET enable_bitmapscan = off;
EXPLAIN (ANALYZE, BUFFERS OFF, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT name FROM ringfence.customer WHERE name || '' = 'Chen Wei' \g |$PG_ABS_SRCDIR/plan.sh
EXPLAIN (ANALYZE, BUFFERS OFF, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT count(*) FROM ringfence.customer \g |$PG_ABS_SRCDIR/plan.sh
RESET ALL;
-- Entries of rows that are gone do not count.
BEGIN;
INSERT INTO ringfence.customer (name) SELECT 'gone' FROM generate_series(1, 50);
ROLLBACK;
SET enable_seqscan = off;
SET enable_indexscan = off;
SET enable_indexonlyscan = off;
EXPLAIN (ANALYZE, BUFFERS OFF, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT name FROM ringfence.customer WHERE name || '' = 'Chen Wei' \g |$PG_ABS_SRCDIR/plan.sh
EXPLAIN (ANALYZE, BUFFERS OFF, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT name FROM ringfence.customer WHERE ringfence.matches(id, 'tsai') \g |$PG_ABS_SRCDIR/plan.sh
RESET ALL;
SELECT pg_stat_get_xact_tuples_returned('ringfence.customer'::regclass);
SELECT pg_stat_get_xact_tuples_fetched('ringfence.customer_pkey'::regclass), pg_stat_get_xact_blocks_hit('ringfence.customer'::regclass), pg_stat_get_xact_blocks_fetched('ringfence.customer'::regclass);
-- An update that stays on its page tells that the rows of others have left room there.
SELECT pg_stat_get_xact_tuples_hot_updated('ringfence.customer'::regclass);
SELECT count(*) FROM pg_stat_xact_user_tables;
SELECT relname FROM ringfence.customer, pg_stat_xact_all_tables;
\c - postgres
GRANT pg_read_all_stats TO app_a;
SET ROLE app_a;
SELECT count(*) > 0 FROM pg_stat_xact_user_tables;
RESET ROLE;
REVOKE pg_read_all_stats FROM app_a;

\echo *** 177: estimates; a table of one size, whoever has how many rows
\c - app_a
CREATE FUNCTION attack.estimate(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    plan jsonb;
BEGIN
    EXECUTE 'EXPLAIN (FORMAT json) ' || query INTO plan;
    RETURN concat_ws(' ', plan #>> '{0,Plan,Node Type}', plan #>> '{0,Plan,Plan Rows}', plan #>> '{0,Plan,Plan Width}', plan #>> '{0,Plan,Total Cost}');
END $$;
SELECT attack.estimate('SELECT FROM ringfence.customer WHERE name = ''canary 1''') = attack.estimate('SELECT FROM ringfence.customer WHERE name = ''nobody''');
SELECT attack.estimate('SELECT FROM ringfence.customer WHERE name LIKE ''canary%''') = attack.estimate('SELECT FROM ringfence.customer WHERE name LIKE ''nobody%''');
SELECT attack.estimate('SELECT FROM ringfence.customer WHERE owner_id = ''bbbbbbbb-0000-0000-0000-000000000002''') = attack.estimate('SELECT FROM ringfence.customer WHERE owner_id = ''dddddddd-0000-0000-0000-000000000002''');
SELECT attack.estimate('SELECT name, phones, address FROM ringfence.customer_card'), attack.estimate('SELECT name FROM ringfence.customer WHERE id = ''a0000000-0000-0000-0000-000000000001'''), attack.estimate('SELECT name FROM ringfence.project');
\c - postgres
DELETE FROM ringfence.customer WHERE name LIKE 'canary%';
VACUUM (ANALYZE) ringfence.customer;
CREATE STATISTICS ringfence.dba ON name, address FROM ringfence.customer;
ANALYZE ringfence.customer;
\c - app_a
SELECT attack.estimate('SELECT name, phones, address FROM ringfence.customer_card'), attack.estimate('SELECT name FROM ringfence.customer WHERE id = ''a0000000-0000-0000-0000-000000000001'''), attack.estimate('SELECT name FROM ringfence.project');
\echo *** 178: an index that does not begin with the column of the wall is not read for roles that the wall binds
\c - postgres
CREATE INDEX customer_by_address ON ringfence.customer (address);
CREATE INDEX customer_by_language ON ringfence.customer (owner_id, language);
\c - app_a
SET enable_seqscan = off;
EXPLAIN (COSTS OFF) SELECT name FROM ringfence.customer WHERE address = 'CANARY-B';
EXPLAIN (COSTS OFF) SELECT name FROM ringfence.customer WHERE language = 'pl';
EXPLAIN (COSTS OFF) SELECT description FROM ringfence.owner WHERE name = 'Company B';
RESET enable_seqscan;
\c - postgres
SET enable_seqscan = off;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT name FROM ringfence.customer WHERE address = 'CANARY-B';
RESET enable_bitmapscan;
RESET enable_seqscan;
DROP INDEX ringfence.customer_by_address, ringfence.customer_by_language;

\echo *** A sample of pages
\c - app_a
SELECT count(*) FROM ringfence.customer TABLESAMPLE SYSTEM (50);
SELECT count(*) FROM ringfence.customer TABLESAMPLE BERNOULLI (50) REPEATABLE (1);
\c - postgres
SELECT count(*) FROM ringfence.customer TABLESAMPLE BERNOULLI (100);

\echo *** Nor does EXPLAIN ANALYZE tell of rows of its owner that the session may not see
\c - sales_a
SET enable_seqscan = off;
EXPLAIN (ANALYZE, BUFFERS OFF, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT description FROM ringfence.project WHERE name = 'Support' \g |$PG_ABS_SRCDIR/plan.sh
EXPLAIN (ANALYZE, BUFFERS OFF, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT name FROM ringfence.field WHERE name = 'name' \g |$PG_ABS_SRCDIR/plan.sh
SET enable_indexscan = off;
SET enable_indexonlyscan = off;
EXPLAIN (ANALYZE, BUFFERS OFF, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT description FROM ringfence.project \g |$PG_ABS_SRCDIR/plan.sh
\c - tickets_a
SET enable_seqscan = off;
EXPLAIN (ANALYZE, BUFFERS OFF, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT name FROM ringfence.customer WHERE ringfence.matches(id, 'chen') \g |$PG_ABS_SRCDIR/plan.sh
EXPLAIN (ANALYZE, BUFFERS OFF, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT name FROM ringfence.customer WHERE name || '' = 'Chen Wei' \g |$PG_ABS_SRCDIR/plan.sh

\echo *** A policy of that name on a table of a user is no wall, whatever its condition
\c - app_a
-- The library is there.
SELECT ringfence.current_owner();
CREATE TABLE attack.own (owner_id int PRIMARY KEY, word text);
CREATE FUNCTION attack.number(value int DEFAULT 1) RETURNS int LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN value; END $$;
CREATE FUNCTION attack.one() RETURNS int LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN 1; END $$;
CREATE FUNCTION attack.some() RETURNS int[] LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN '{1,2}'; END $$;
CREATE FUNCTION attack.whole() RETURNS attack.own LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN ROW(1, 'word'::text)::attack.own; END $$;
INSERT INTO attack.own SELECT n, 'word' FROM generate_series(1, 1000) AS n;
CREATE INDEX ON attack.own ((own.*));
ALTER TABLE attack.own ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY everything ON attack.own USING (true);
CREATE FUNCTION attack.with_policy(condition text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    counted text;
BEGIN
    DROP POLICY IF EXISTS owner_wall ON attack.own;
    EXECUTE format('CREATE POLICY owner_wall ON attack.own AS RESTRICTIVE USING (%s)', condition);
    SELECT concat_ws(' ', count(*), (SELECT count(owner_id) FROM attack.own WHERE owner_id < 5), (SELECT count(*) FROM attack.own WHERE own.* = ROW(1, 'word')::attack.own))
      INTO counted FROM attack.own WHERE owner_id IN (2, 4);
    RETURN counted;
END $$;
SET enable_seqscan = off;
SELECT attack.with_policy('owner_id = attack.number(length(word) - 2)');
SELECT attack.with_policy('owner_id <> attack.one()');
SELECT attack.with_policy('owner_id < ANY (attack.some())');
SELECT attack.with_policy('owner_id = ANY (attack.some())');
SELECT attack.with_policy('own = attack.whole()');
SELECT attack.with_policy('own.* IS DISTINCT FROM attack.whole()');
RESET ALL;

\echo *** A hash join with too little memory does not begin with the values that statistics know as the most frequent
\c - app_a
SET client_min_messages = warning;
CREATE TABLE attack.asked AS SELECT 'asked ' || n AS name, repeat('x', 100) AS much FROM generate_series(1, 9000) AS n;
INSERT INTO attack.asked SELECT 'guessed ' || n, '' FROM generate_series(1, 30) AS n;
ANALYZE attack.asked;
CREATE FUNCTION attack.in_order() RETURNS text LANGUAGE plpgsql
    SET enable_mergejoin = off SET enable_nestloop = off SET work_mem = '64kB' SET max_parallel_workers_per_gather = 0 AS $$
DECLARE
    found text;
BEGIN
    INSERT INTO ringfence.customer (name) SELECT 'guessed ' || n FROM generate_series(1, 30) AS n;
    SELECT string_agg(name, ' ') INTO found FROM (SELECT c.name FROM ringfence.customer AS c JOIN attack.asked USING (name) OFFSET 0) AS joined;
    RAISE EXCEPTION USING MESSAGE = found;
EXCEPTION WHEN raise_exception THEN
    RETURN SQLERRM;
END $$;
\c - postgres
DELETE FROM ringfence.customer WHERE owner_id = 'bbbbbbbb-0000-0000-0000-000000000002';
VACUUM (ANALYZE) ringfence.customer;
SET ROLE app_b;
INSERT INTO ringfence.customer (name) SELECT 'guessed ' || n FROM generate_series(26, 30) AS n, generate_series(1, 100);
\c - app_a
SELECT attack.in_order() AS unknown \gset
\c - postgres
ANALYZE ringfence.customer;
\c - app_a
SELECT attack.in_order() = :'unknown';
\echo *** 228: the memory that a plan took would tell how long values are that the session may not see
\c - postgres
CREATE FUNCTION attack.memory_shown(settings text, query text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    line text;
BEGIN
    EXECUTE settings;
    FOR line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) ' || query LOOP
        IF line ~* '(memory|disk|buckets|storage|[0-9] ?kB)' THEN
            RETURN NEXT line;
        END IF;
    END LOOP;
    RESET ALL;
END $$;
-- What is asked shows it: of tables without a wall.
SELECT count(*) > 2 FROM attack.memory_shown('SET enable_mergejoin = off', 'SELECT DISTINCT c.oid FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid ORDER BY c.oid');
\c - app_a
SELECT attack.memory_shown('SET enable_hashagg = off', 'SELECT attributes FROM ringfence.customer_card ORDER BY address');
SELECT attack.memory_shown('SET enable_sort = on', 'SELECT attributes FROM ringfence.customer_card ORDER BY owner_id, id, address');
SELECT attack.memory_shown('SET enable_mergejoin = off; SET enable_nestloop = off', 'SELECT a.attributes FROM ringfence.customer_card a JOIN ringfence.customer_card b ON a.address = b.address');
SELECT attack.memory_shown('SET enable_sort = off', 'SELECT address, max(attributes::text) FROM ringfence.customer_card GROUP BY address');
SELECT attack.memory_shown('SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_indexscan = on', 'SELECT a.attributes FROM ringfence.customer_card a, LATERAL (SELECT b.attributes FROM ringfence.customer_card b WHERE b.id = a.id OFFSET 0) AS c');
SELECT attack.memory_shown('SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_memoize = off', 'SELECT a.attributes FROM ringfence.customer_card a JOIN ringfence.customer_card b ON a.address < b.address');
SELECT attack.memory_shown('SET work_mem = 64', 'SELECT attributes, count(*) OVER (ORDER BY address) FROM ringfence.customer_card, generate_series(1, 1000)');
SET client_min_messages = log;
SET trace_sort = on;
SELECT count(attributes) FROM (SELECT attributes FROM ringfence.customer_card ORDER BY address) AS sorted;
RESET trace_sort;
SET client_min_messages = warning;
\c - postgres
DROP OWNED BY order_fields;
DROP ROLE order_fields;
DROP SCHEMA attack CASCADE;
