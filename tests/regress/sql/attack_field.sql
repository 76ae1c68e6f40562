-- Attacks on custom values: masked ones, those of another project, those of another owner (ATTACKS 106 to 114).
\set SHOW_CONTEXT never
\set VERBOSITY terse
SET client_min_messages = warning;
SELECT ringfence.grant_access('app_b', 'Company B', '{admin}') \g /dev/null
-- The names of the canaries are put together where they are looked for: no statement's own text contains one.
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.create_field('Seen', projects => '{Sales}', is_searchable => true),
       ringfence.create_field('Card', projects => '{Sales,Support}', is_masked => true, is_searchable => true, is_unique => true),
       ringfence.create_field('Pin', 'number', '{Sales}', is_masked => true),
       ringfence.create_field('Fault', projects => '{Support}', is_searchable => true),
       ringfence.create_field('Unbound', is_searchable => true),
       ringfence.create_field('Kind', 'choice', '{Sales}', is_masked => true, is_searchable => true, options => '{bird,canary}') \g /dev/null
SELECT ringfence.bind_field('Unbound', 'Default') \g /dev/null
UPDATE ringfence.customer_card SET attributes = jsonb_build_object('Seen', 'canary-' || 'seen', 'Card', 'canary-' || 'masked', 'Pin', 4711,
    'Fault', 'canary-' || 'project', 'Unbound', 'canary-' || 'unbound', 'Kind', 'canary') WHERE name = 'Tsai Mei-Ling';
UPDATE ringfence.customer_card SET attributes = '{"Pin": 1}' WHERE name = 'Chen Wei';
SELECT ringfence.unbind_field('Unbound', 'Default'), ringfence.create_report_view('Sales', 'sales'), ringfence.create_report_view('Support', 'support') \g /dev/null
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION app_b;
SELECT ringfence.create_field('Seen', projects => '{Sales}', is_searchable => true) \g /dev/null
UPDATE ringfence.customer_card SET attributes = jsonb_build_object('Seen', 'canary-' || 'owner') WHERE name = 'Tsai Mei-Ling';
SELECT ringfence.create_report_view('Sales', 'sales_b') \g /dev/null
RESET SESSION AUTHORIZATION;
ANALYZE;

-- Every form of statement. Sales sees that there is a card number, and nothing of it.
SET SESSION AUTHORIZATION sales_a;
SELECT name, attributes, masked_fields FROM ringfence.customer_card ORDER BY name COLLATE "C";
SELECT count(*) FROM ringfence.customer_card c WHERE to_jsonb(c)::text LIKE '%masked"%' OR c::text LIKE '%masked"%' OR row_to_json(c)::text ~ '4711';
SELECT count(*) FROM ringfence.customer_card WHERE attributes ? 'Card' OR attributes ->> 'Card' IS NOT NULL OR attributes @> '{"Pin": 4711}' OR attributes @? '$.Pin';
-- Sorting and grouping by it is sorting and grouping by nothing.
SELECT count(DISTINCT attributes -> 'Pin') AS kinds, count(attributes -> 'Pin') AS there FROM ringfence.customer_card;
SELECT string_agg(name, ', ' ORDER BY attributes -> 'Pin', name COLLATE "C") FROM ringfence.customer_card;
SELECT "Card", "Pin", "Kind" FROM ringfence_report.sales WHERE "Card" IS NOT NULL OR "Pin" IS NOT NULL OR "Kind" IS NOT NULL;
SELECT string_agg(name, ', ' ORDER BY "Pin", name COLLATE "C") FROM ringfence_report.sales;
SELECT count(*) FROM ringfence_report.support;
-- Searching for it finds what searching for nothing like it finds; also for a word that a visible field shares.
SELECT (SELECT count(*) FROM ringfence.search_customers('canary-' || 'masked')) AS masked, (SELECT count(*) FROM ringfence.search_customers('4711')) AS pin,
       (SELECT count(*) FROM ringfence.search_customers('canary-' || 'project')) AS project, (SELECT count(*) FROM ringfence.search_customers('canary-' || 'owner')) AS owner,
       (SELECT count(*) FROM ringfence.search_customers('canary-' || 'unbound')) AS unbound, (SELECT count(*) FROM ringfence.search_customers('canary-' || 'seen')) AS seen;
SELECT name, rank, matched FROM ringfence.search_customers('canary');
-- Writing it is refused alike for a value that is there and one that is not: no oracle by the unique index (ATTACKS 111).
UPDATE ringfence.customer_card SET attributes = attributes || jsonb_build_object('Card', 'canary-' || 'masked') WHERE name = 'Chen Wei';
UPDATE ringfence.customer_card SET attributes = attributes || '{"Card": "another"}' WHERE name = 'Chen Wei';
UPDATE ringfence.customer_card SET attributes = attributes || '{"No such field": "another"}' WHERE name = 'Chen Wei';
INSERT INTO ringfence.customer_card (name, attributes) VALUES ('x', jsonb_build_object('Card', 'canary-' || 'masked'));
-- Writing all back what was read keeps what is not seen (ATTACKS 110).
UPDATE ringfence.customer_card SET attributes = attributes, masked_fields = masked_fields, name = name RETURNING attributes;
UPDATE ringfence.customer_card SET attributes = '{}' WHERE name = 'Tsai Mei-Ling' RETURNING attributes;
UPDATE ringfence.customer_card SET attributes = jsonb_build_object('Seen', 'canary-' || 'seen') WHERE name = 'Tsai Mei-Ling' RETURNING attributes;
-- MERGE and ON CONFLICT are not for views with triggers, in this version of PostgreSQL or at all.
\set VERBOSITY sqlstate
INSERT INTO ringfence.customer_card (id, name) VALUES ('a0000000-0000-0000-0000-000000000001', 'x') ON CONFLICT DO NOTHING;
INSERT INTO ringfence.customer (id, name) VALUES ('a0000000-0000-0000-0000-000000000001', 'x') ON CONFLICT (owner_id, id) DO UPDATE SET address = excluded.attributes::text;
MERGE INTO ringfence.customer c USING ringfence.customer_card d ON c.id = d.id WHEN MATCHED THEN UPDATE SET address = c.attributes::text;
MERGE INTO ringfence.customer c USING ringfence.customer d ON c.attributes = d.attributes WHEN MATCHED THEN DO NOTHING;
\set VERBOSITY terse
-- The plan tells estimates and costs, and no value.
CREATE FUNCTION pg_temp.plan(query text) RETURNS SETOF text LANGUAGE plpgsql AS $$ BEGIN RETURN QUERY EXECUTE 'EXPLAIN (ANALYZE, VERBOSE, BUFFERS) ' || query; END $$;
SELECT count(*) FROM pg_temp.plan('SELECT * FROM ringfence.customer_card') AS line WHERE line ~ 'canary|4711|masked"';
SELECT count(*) FROM pg_temp.plan('SELECT "Card" FROM ringfence_report.sales') AS line WHERE line ~ 'canary|4711';
SELECT count(*) FROM pg_stats WHERE schemaname ~ 'ringfence';
SELECT count(*) FROM pg_stats_ext_exprs;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION boss_a;
SELECT attributes - 'Seen' AS kept FROM ringfence.customer_card WHERE name = 'Tsai Mei-Ling';
RESET SESSION AUTHORIZATION;

-- And no other way: every column of every relation that the role can read, whatever schema it is in, and every function of
-- ringfence that it can run, with arguments of every kind. What is found is listed.
-- Thousands of small queries: no worker for each of them.
CREATE FUNCTION public.reach(VARIADIC words text[]) RETURNS TABLE (found_in text) LANGUAGE plpgsql SET client_min_messages = error SET max_parallel_workers = 0 AS $reach$
#variable_conflict use_variable
DECLARE
    place   record;
    hits    bigint;
    call    text;
    sample  record;
    result  text;
    tried   integer := 0;
    needles CONSTANT text[] := ARRAY(SELECT 'canary-' || word FROM unnest(words) AS word);
    needle  CONSTANT text := array_to_string(needles, '|');
    texts   CONSTANT text[] := needles || ARRAY['Card', 'Seen', 'Sales', 'customer.read', 'Tsai Mei-Ling', 'text'];
    uuids   text[];
    jsons   text[];
BEGIN
    -- Whole rows where the role has the table, else the columns that it has.
    FOR place IN
        SELECT c.oid::regclass AS relation, c.oid::regclass::text AS shown, format('%I::text', 'whole') AS expression
          FROM pg_class c WHERE c.relkind IN ('r', 'v', 'm', 'p', 'f', 'S') AND has_schema_privilege(c.relnamespace, 'USAGE')
           AND has_table_privilege(c.oid, 'SELECT')
        UNION ALL
        SELECT c.oid::regclass, format('%s.%s', c.oid::regclass, a.attname), format('%I::text', a.attname)
          FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
         WHERE c.relkind IN ('r', 'v', 'm', 'p', 'f', 'S') AND has_schema_privilege(c.relnamespace, 'USAGE')
           AND NOT has_table_privilege(c.oid, 'SELECT') AND has_column_privilege(c.oid, a.attnum, 'SELECT')
    LOOP
        BEGIN
            EXECUTE format('SELECT count(*) FROM %s AS whole WHERE %s ~ $1', place.relation, place.expression) INTO hits USING needle;
        EXCEPTION WHEN OTHERS THEN
            hits := CASE WHEN SQLERRM ~ needle THEN 1 END;
        END;
        tried := tried + 1;
        IF hits > 0 THEN
            found_in := place.shown;
            RETURN NEXT;
        END IF;
    END LOOP;
    -- Ids that a role can come by: its customers' and those that catalogs show (the text of report views has fields and projects).
    uuids := ARRAY(SELECT DISTINCT part[1] FROM pg_views, LATERAL regexp_matches(definition, '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}', 'g') AS part
                    WHERE schemaname = 'ringfence_report');
    BEGIN
        uuids := uuids || ARRAY(SELECT id::text FROM ringfence.customer_card);
    EXCEPTION WHEN OTHERS THEN
        NULL;
    END;
    jsons := ARRAY(SELECT jsonb_build_object(ringfence.storage_key(id::uuid), 'x', 'Card', 'y')::text FROM unnest(uuids) AS id) || '{}'::text;
    FOR place IN
        SELECT p.oid::regproc AS name, p.oid::regprocedure AS signature, p.proretset, ARRAY(SELECT format_type(type, NULL) FROM unnest(p.proargtypes) AS type) AS types
          FROM pg_proc p
         WHERE p.pronamespace = 'ringfence'::regnamespace AND p.prokind = 'f' AND has_schema_privilege(p.pronamespace, 'USAGE')
           AND has_function_privilege(p.oid, 'EXECUTE') AND p.prorettype <> 'trigger'::regtype AND p.prorettype <> 'event_trigger'::regtype
           -- They take a cell apart, and give back what they are given.
           AND p.proname NOT IN ('import_list', 'import_parts', 'import_value')
    LOOP
        -- Each argument takes its samples in turn, the first ones in combination.
        FOR sample IN
            SELECT i, j, k FROM generate_series(1, CASE cardinality(place.types) WHEN 0 THEN 1 ELSE 10 END) AS i,
                   generate_series(1, CASE WHEN cardinality(place.types) > 1 THEN 3 ELSE 1 END) AS j,
                   generate_series(1, CASE WHEN place.types[3] = 'uuid' THEN 3 ELSE 1 END) AS k
        LOOP
            SELECT format('SELECT string_agg(r::text, '' '') FROM ringfence.%I(%s) AS r', (SELECT proname FROM pg_proc WHERE oid = place.signature),
                          string_agg(CASE
                              WHEN type = 'text' AND place_of > 2 THEN 'NULL'
                              WHEN type = 'text' THEN quote_literal(texts[1 + turn % cardinality(texts)])
                              WHEN type = 'uuid' THEN quote_literal(uuids[1 + turn % cardinality(uuids)]) || '::uuid'
                              WHEN type = 'jsonb' THEN quote_literal(jsons[1 + turn % cardinality(jsons)]) || '::jsonb'
                              WHEN type = 'text[]' THEN 'ARRAY[' || quote_literal(texts[1 + turn % cardinality(texts)]) || ']'
                              WHEN type = 'boolean' THEN CASE turn % 2 WHEN 0 THEN 'true' ELSE 'false' END
                              WHEN type IN ('integer', 'bigint', 'numeric') THEN (turn % 20 + 1)::text
                              ELSE 'NULL' END, ', ' ORDER BY place_of))
              INTO call
              FROM (SELECT type, place_of, CASE place_of WHEN 1 THEN sample.i WHEN 2 THEN sample.j WHEN 3 THEN sample.k ELSE sample.i END AS turn
                      FROM unnest(place.types) WITH ORDINALITY AS argument (type, place_of)) AS arguments;
            BEGIN
                EXECUTE coalesce(call, format('SELECT string_agg(r::text, '' '') FROM %s() AS r', place.name)) INTO result;
                -- What it changed is undone.
                RAISE EXCEPTION USING ERRCODE = 'RF000', MESSAGE = coalesce(result, '');
            EXCEPTION WHEN OTHERS THEN
                result := SQLERRM;
                tried := tried + 1;
                -- What a call was given itself it may name in its error, and give back.
                IF result ~ needle AND result <> ALL (needles) AND (SQLSTATE = 'RF000' OR call !~ needle) THEN
                    found_in := place.signature;
                    RETURN NEXT;
                    EXIT;
                END IF;
            END;
        END LOOP;
    END LOOP;
    IF tried < 500 THEN
        found_in := format('only %s places tried', tried);
        RETURN NEXT;
    END IF;
END
$reach$;
-- That it finds what is there: what each sees. And nothing else.
SET SESSION AUTHORIZATION sales_a;
SELECT * FROM public.reach('seen') ORDER BY 1;
SELECT * FROM public.reach('masked', 'project', 'unbound', 'owner') ORDER BY 1;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION support_a;
SELECT * FROM public.reach('project') ORDER BY 1;
SELECT * FROM public.reach('masked', 'seen', 'unbound', 'owner') ORDER BY 1;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION app_b;
SELECT * FROM public.reach('seen', 'masked', 'project', 'unbound') ORDER BY 1;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION tickets_a;
SELECT * FROM public.reach('seen', 'masked', 'project', 'unbound', 'owner') ORDER BY 1;
RESET SESSION AUTHORIZATION;
