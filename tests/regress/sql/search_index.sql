-- The search index: finds what brute force finds, holds on to any input, is kept in the transaction that writes, and by the
-- commands of a DBA (B19, E3).
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.create_field('Plan', projects => '{Sales}', is_searchable => true),
       ringfence.create_field('Note', projects => '{Sales}') \g /dev/null
INSERT INTO ringfence.customer_card (name, phones, emails, attributes, last_activity_at)
SELECT first || ' Commonword ' || last, ARRAY['09' || lpad((n * 7919 % 100000000)::text, 8, '0')],
       ARRAY[n || '.' || lower(first) || '@' || (ARRAY['example', 'poczta', 'posta'])[1 + n % 3] || '.com'],
       jsonb_build_object('Plan', (ARRAY['gold', 'silver', '金卡'])[1 + n % 3] || ' ' || n, 'Note', 'hidden ' || n),
       CASE WHEN n % 3 > 0 THEN timestamptz '2026-01-01' + n % 500 * interval '1 hour' END
  FROM generate_series(1, 2000) AS n,
       LATERAL (SELECT (ARRAY['Łukasz', 'Giulia', 'Jürgen', 'Oksana', 'John', '美玲', 'ハナコ', 'Anna-Maria', 'Zoë', 'O''Brian'])[1 + n % 10] AS first) AS f,
       LATERAL (SELECT (ARRAY['Kowalski', 'Rossi', 'Großmann', 'Яковенко', 'Smith', '蔡', '田中', 'Wiśniewska', 'D''Angelo', 'Lewandowski', 'Ito'])[1 + n % 11] AS last) AS l;
RESET SESSION AUTHORIZATION;
ANALYZE ringfence.customer;

-- However it is paged, and whether the index is asked for all or for the most recent, the same; tests/search.rs compares it with
-- brute force. In an application's own SQL all that is found without typos, and few more.
SET SESSION AUTHORIZATION boss_a;
CREATE TEMP TABLE queries AS SELECT unnest(ARRAY['kowalski', 'kow', 'ski', 'lukasz kowalski', 'a', 'an', 'o''brian', 'grossmann', 'ЯКОВЕНКО', 'jonh smiht', 'kowlaski',
    'lewandoski', '蔡', '美玲', '田中', 'ﾊﾅｺ', 'gold', 'gold 12', '卡', 'silver 1999', 'hidden', 'giulia@posta', '12.giulia@posta.com', '7919', '+886 9 0000 7919', 'x',
    'nobody', 'commonword', 'co', 'monwo', 'kommonwort', 'rossi comonwrod', 'gold commonword']) AS query;
CREATE FUNCTION pg_temp.all_of(query text, size integer) RETURNS TABLE (id uuid, rank real, n bigint) LANGUAGE plpgsql AS $$
DECLARE place text; page record; done bigint := 0;
BEGIN
    LOOP
        page := NULL;
        FOR page IN SELECT s.customer_id, s.rank, s.cursor FROM ringfence.search_customers(query, size, place) AS s LOOP
            done := done + 1;
            id := page.customer_id; rank := page.rank; n := done;
            RETURN NEXT;
        END LOOP;
        EXIT WHEN page IS NULL;
        place := page.cursor;
    END LOOP;
END$$;
CREATE TEMP TABLE found AS SELECT query, a.* FROM queries, pg_temp.all_of(query, 1000) AS a;
SELECT query, count(*) AS differ FROM (
    SELECT f.query, f.id, f.rank, f.n FROM found AS f
    EXCEPT ALL SELECT query, a.* FROM queries, pg_temp.all_of(query, 7) AS a) AS d GROUP BY query;
SELECT query, count(*) AS twice FROM found GROUP BY query, id HAVING count(*) > 1;
SELECT query, count(*) AS misplaced FROM (
    SELECT query, n, row_number() OVER (PARTITION BY query ORDER BY rank DESC, coalesce(c.last_activity_at, '-infinity') DESC, id) AS place
      FROM found JOIN ringfence.customer AS c USING (id)) AS p WHERE n <> place GROUP BY query;
SELECT count(DISTINCT query) AS queries_that_find, count(*) AS found, count(*) FILTER (WHERE rank < 0.6) AS typos,
       (SELECT count(*) FROM (SELECT FROM found GROUP BY query HAVING count(*) > 1500) AS common) AS that_find_nearly_all FROM found;
CREATE TEMP TABLE matched AS SELECT query, id FROM queries JOIN ringfence.customer ON ringfence.matches(id, query);
SELECT query, count(*) AS missing FROM (SELECT query, id FROM found WHERE rank >= 0.6 EXCEPT SELECT query, id FROM matched) AS missing GROUP BY query;
SELECT count(*) AS matched, count(*) FILTER (WHERE coalesce(rank, 0) < 0.6) AS not_found_by_search FROM matched LEFT JOIN found USING (query, id);
RESET SESSION AUTHORIZATION;

-- Under the wall, the index alone.
SET SESSION AUTHORIZATION app_a;
EXPLAIN (COSTS OFF) SELECT count(*) FROM ringfence.customer WHERE ringfence.matches(id, 'kowalski') \g |$PG_ABS_SRCDIR/plan.sh
EXPLAIN (COSTS OFF) SELECT name FROM ringfence.customer_card WHERE ringfence.matches(id, 'kowalski') AND language = 'pl' ORDER BY name LIMIT 5 \g |$PG_ABS_SRCDIR/plan.sh
EXPLAIN (COSTS OFF) SELECT name FROM ringfence.find_by_phone('0900007919') \g |$PG_ABS_SRCDIR/plan.sh
-- Joined, outer joined, negated, by an id that is not the column: the same customers.
SELECT count(*) FROM ringfence.customer WHERE ringfence.matches(id, 'kowalski');
SELECT count(*) FROM ringfence.customer_card WHERE ringfence.matches(id, 'kowalski');
SELECT count(*) FROM ringfence.customer AS c CROSS JOIN LATERAL (SELECT c.id AS other OFFSET 0) AS o WHERE ringfence.matches(o.other, 'kowalski');
SELECT count(*) - (SELECT count(*) FROM ringfence.customer WHERE NOT ringfence.matches(id, 'kowalski')) FROM ringfence.customer;
SELECT count(*) FROM ringfence.customer AS a LEFT JOIN ringfence.customer AS b ON b.id = a.id AND b.name LIKE 'Ł%' WHERE ringfence.matches(b.id, 'kowalski') IS NOT FALSE AND a.name LIKE '%Kowalski';
--- Queries from another table: by the index, for each of them. One that is too long finds nothing there.
CREATE TEMP TABLE asked AS SELECT unnest(ARRAY['kowalski', 'nobody', repeat('x', 1001), NULL]) AS query;
EXPLAIN (COSTS OFF) SELECT count(*) FROM asked JOIN ringfence.customer AS c ON ringfence.matches(c.id, asked.query) \g |$PG_ABS_SRCDIR/plan.sh
EXPLAIN (COSTS OFF) SELECT count(*) FROM asked, LATERAL (SELECT FROM ringfence.customer_card AS c WHERE ringfence.matches(c.id, asked.query) OFFSET 0) AS found \g |$PG_ABS_SRCDIR/plan.sh
SELECT left(asked.query, 8) AS query, count(c.id) FROM asked LEFT JOIN ringfence.customer AS c ON ringfence.matches(c.id, asked.query) GROUP BY asked.query ORDER BY 1;
SELECT count(*) FROM asked JOIN ringfence.customer_card AS c ON ringfence.matches(c.id, asked.query) WHERE asked.query < 'x';
EXPLAIN (COSTS OFF) SELECT count(*) FROM ringfence.customer AS c WHERE ringfence.matches(c.id, (SELECT min(query) FROM asked)) \g |$PG_ABS_SRCDIR/plan.sh
SELECT count(*) FROM ringfence.customer_card AS c WHERE ringfence.matches(c.id, (SELECT min(query) FROM asked));
SELECT query, (SELECT count(*) FROM ringfence.customer_card AS c WHERE ringfence.matches(c.id, asked.query)) FROM asked WHERE asked.query < 'x' ORDER BY 1;
SELECT ringfence.matches(NULL, 'x') IS NULL, ringfence.matches(ringfence.new_id(), 'x');
SELECT count(*) FROM ringfence.customer WHERE ringfence.matches(id, repeat('x', 1001));
PREPARE own(text) AS SELECT count(*) FROM ringfence.customer WHERE ringfence.matches(id, $1);
EXECUTE own('kowalski');
EXECUTE own('kowalski');
EXECUTE own('kowalski');
EXECUTE own('kowalski');
EXECUTE own('kowalski');
EXECUTE own('kowalski');
EXECUTE own('rossi');
RESET SESSION AUTHORIZATION;

-- Kept in the transaction that writes, and gone with what is rolled back.
SET SESSION AUTHORIZATION boss_a;
BEGIN;
INSERT INTO ringfence.customer_card (name, attributes) VALUES ('Quickfind', '{"Plan": "platinum"}');
SELECT name FROM ringfence.search_customers('quickfind platinum');
SAVEPOINT before;
UPDATE ringfence.customer_card SET name = 'Renamed', attributes = '{"Plan": "bronze"}' WHERE name = 'Quickfind';
SELECT name FROM ringfence.search_customers('quickfind');
SELECT name FROM ringfence.search_customers('renamed bronze');
ROLLBACK TO before;
SELECT name FROM ringfence.search_customers('quickfind');
ROLLBACK;
SELECT count(*) FROM ringfence.search_customers('quickfind');
-- A field that becomes searchable brings what customers have of it; one that is no longer takes no part.
SELECT count(*) FROM ringfence.search_customers('hidden');
UPDATE ringfence.field SET is_searchable = true WHERE name = 'Note';
SELECT count(*), min(rank) FROM ringfence.search_customers('hidden', 1000);
UPDATE ringfence.field SET is_searchable = false WHERE name = 'Note';
SELECT count(*) FROM ringfence.search_customers('hidden');
RESET SESSION AUTHORIZATION;
-- A change to what is not searched leaves the index alone; one of the activity does not, since lists go by it.
SELECT pg_stat_force_next_flush() \g /dev/null
SELECT pg_stat_reset_single_table_counters('ringfence.customer'::regclass) \g /dev/null
VACUUM ringfence.customer;
SET SESSION AUTHORIZATION boss_a;
UPDATE ringfence.customer_card SET attributes = attributes || '{"Note": "other"}', language = 'pl' WHERE name = 'Tsai Mei-Ling';
UPDATE ringfence.customer SET last_activity_at = '2026-11-22 09:00+00' WHERE name = 'Tsai Mei-Ling';
UPDATE ringfence.customer SET last_activity_at = '2026-11-22 10:00+00' WHERE name = 'Tsai Mei-Ling';
RESET SESSION AUTHORIZATION;
SELECT pg_stat_force_next_flush() \g /dev/null
SELECT n_tup_upd, n_tup_hot_upd FROM pg_stat_user_tables WHERE relid = 'ringfence.customer'::regclass;

-- Pages while others write: whoever was there at the first page comes once, and once only.
SET SESSION AUTHORIZATION app_a;
DO $$
DECLARE
    there uuid[]; seen uuid[] := '{}'; page record; place text;
BEGIN
    SELECT array_agg(customer_id) INTO there FROM ringfence.search_customers('rossi', 1000);
    FOR n IN 1 .. 1000 LOOP
        SELECT array_agg(s.customer_id) AS ids, (array_agg(s.cursor))[count(*)] AS last INTO page FROM ringfence.search_customers('rossi', 7, place) AS s;
        EXIT WHEN page.ids IS NULL;
        seen := seen || page.ids;
        place := page.last;
        -- Before the place and behind it, and in the middle of those that are most alike.
        CONTINUE WHEN n > 20;
        INSERT INTO ringfence.customer (name, last_activity_at) VALUES ('Rossi', now()), ('Marossi ' || n, NULL), ('X Rossi', timestamptz '2026-01-01' + n * interval '1 hour');
    END LOOP;
    RAISE WARNING '% there, % of them seen, % twice', cardinality(there), (SELECT count(DISTINCT s) FROM unnest(seen) AS s WHERE s = ANY (there)),
        cardinality(seen) - (SELECT count(DISTINCT s) FROM unnest(seen) AS s);
END$$;
RESET SESSION AUTHORIZATION;

-- A search that takes long can be cancelled.
SET SESSION AUTHORIZATION app_a;
SET statement_timeout = '100ms';
SELECT count(s.*) FROM generate_series(1, 1000000) AS n, LATERAL ringfence.search_customers('commonword ' || n % 10) AS s;
RESET statement_timeout;
RESET SESSION AUTHORIZATION;

-- What a DBA does.
REINDEX INDEX ringfence.customer_search;
REINDEX INDEX CONCURRENTLY ringfence.customer_search;
CREATE INDEX CONCURRENTLY second ON ringfence.customer
    USING ringfence_search (ringfence.search_keys(owner_id, name, normal_phones, normal_emails, searchable, active_on));
DROP INDEX CONCURRENTLY ringfence.second;
DELETE FROM ringfence.customer WHERE name LIKE 'Giulia%';
VACUUM (ANALYZE) ringfence.customer;
SELECT amvalidate(oid) FROM pg_opclass WHERE opcname = 'search_keys_ops';
SET SESSION AUTHORIZATION app_a;
SELECT count(*) FROM ringfence.search_customers('giulia', 1000);
SELECT count(*) FROM ringfence.search_customers('lukasz', 1000);
SET SESSION AUTHORIZATION dba;
SELECT index_bytes > 0, table_bytes > 0, "rows", entry_pages > 0, posting_pages >= 0, is_valid FROM ringfence.search_status();
RESET SESSION AUTHORIZATION;

-- Any text that PostgreSQL can hold has keys: every character of Unicode, alone and in company; and nothing raises an error.
SELECT count(*), count(DISTINCT ringfence.search_keys('00000000-0000-0000-0000-000000000001', text, ARRAY[text], ARRAY[text], jsonb_build_object('f', text), current_date)::text)
  FROM (SELECT string_agg(chr(n), '') AS text FROM generate_series(1, 1114111) AS n WHERE n NOT BETWEEN 55296 AND 57343 GROUP BY n / 400
        UNION ALL SELECT repeat(piece, 1048576 / octet_length(piece)) FROM unnest(ARRAY['x', 'ab ', '́', '‍', '‮אב ', '蔡', 'ﷺ', ' ', '''', '🏳️‍🌈', '0', 'ß']) AS piece
        UNION ALL SELECT '') AS texts;
SELECT count(ringfence.search_keys('00000000-0000-0000-0000-000000000001', '', phones, phones, value, active_on))
  FROM unnest(ARRAY['{}', '{NULL}', '{"",NULL,"+","++++","٣٤٥٦٧٨٩٠"}']::text[]) AS list, LATERAL (SELECT list::text[] AS phones) AS p,
       unnest(ARRAY['{}', '[]', '"x"', '1', 'null', '{"a": {"b": 1}, "c": [[1], [null, {"d": "e"}]], "": 1e1000, "f": true, "#": "x"}']::jsonb[]) AS value,
       unnest(ARRAY['-infinity', 'infinity', '4713-01-01 BC', '5874897-12-31', '2026-11-22']::date[]) AS active_on;

-- Nothing to look for, or too much: an empty result or a clear error, at once.
SET SESSION AUTHORIZATION app_a;
SET statement_timeout = '2s';
SELECT count(*) FROM ringfence.search_customers('');
SELECT count(*) FROM ringfence.search_customers('¿?!…—');
SELECT count(*) FROM ringfence.search_customers(repeat('x', 10000));
SELECT count(*) FROM ringfence.search_customers(trim(repeat('x ', 500)));
SELECT count(*) FROM ringfence.search_customers(trim(repeat('anna ', 50)));
SELECT count(*) FROM ringfence.search_customers(repeat('ab', 500));
SELECT count(*) FROM ringfence.search_customers(repeat('蔡', 1000));
SELECT count(*) FROM ringfence.search_customers(repeat('kowalksi ', 50));
SELECT count(*) FROM ringfence.customer WHERE ringfence.matches(id, '');
RESET SESSION AUTHORIZATION;

-- A search counts as one scan of the index, and matches() as one: else tools would advise to drop it.
GRANT pg_read_all_stats TO app_a;
SET SESSION AUTHORIZATION app_a;
BEGIN;
-- A worker counts for itself.
SET LOCAL max_parallel_workers_per_gather = 0;
SET LOCAL ringfence.owner = 'Company A';
SELECT pg_stat_get_xact_numscans('ringfence.customer_search'::regclass) AS before \gset
SELECT count(*) >= 0 FROM ringfence.search_customers('kowalski');
SELECT count(*) >= 0 FROM ringfence.customer WHERE ringfence.matches(id, 'kowalski');
SELECT pg_stat_get_xact_numscans('ringfence.customer_search'::regclass) - :before AS scans;
COMMIT;
RESET SESSION AUTHORIZATION;
REVOKE pg_read_all_stats FROM app_a;
