-- Stored values are read and written without PostgreSQL's own functions for jsonb, and a column of a report view keeps what it has
-- found: what comes out is what PostgreSQL would make of it, and never what another context has found.
\set SHOW_CONTEXT never
\set VERBOSITY terse
\pset null -
SET client_min_messages = warning;
SET SESSION AUTHORIZATION boss_a;
-- More fields than jsonb counts from one entry that tells its place to the next, their names of different lengths.
SELECT count(ringfence.create_field(repeat('f', 1 + n % 7) || n, (ARRAY['text', 'number', 'boolean', 'choices', 'choice'])[1 + n % 5], '{Sales}',
                                    options => CASE WHEN n % 5 > 2 THEN ARRAY['gold', 'silver', 'Łódź'] END))
  FROM generate_series(1, 70) AS n;
UPDATE ringfence.customer_card SET attributes =
       (SELECT jsonb_object_agg(repeat('f', 1 + n % 7) || n, CASE n % 5 WHEN 0 THEN to_jsonb(repeat('蔡', n)) WHEN 1 THEN to_jsonb(n / 7.0) WHEN 2 THEN to_jsonb(n % 2 = 0)
                                           WHEN 3 THEN CASE WHEN n % 2 = 0 THEN '["silver", "Łódź"]'::jsonb ELSE '[]' END ELSE '"gold"' END)
          FROM generate_series(1, 70) AS n)
 WHERE name = 'Tsai Mei-Ling';
-- As PostgreSQL reads it, and as it would have written it.
SELECT name, (SELECT count(*) FROM jsonb_object_keys(attributes)) AS fields, attributes = attributes::text::jsonb AS same,
       pg_column_size(attributes || '{}') = pg_column_size(attributes::text::jsonb) AS same_size
  FROM ringfence.customer_card WHERE name = 'Tsai Mei-Ling';
SELECT bool_and(attributes->key IS NOT DISTINCT FROM value) AS found FROM ringfence.customer_card, jsonb_each(attributes) WHERE name = 'Tsai Mei-Ling';
SELECT attributes->>'ff1' AS number, attributes->>'ffffff5' AS text, attributes->>'ff8' AS choices, attributes->>'ffff3' AS none, attributes->>'fffff4' AS choice, attributes->>'fff2' AS truth
  FROM ringfence.customer_card WHERE name = 'Tsai Mei-Ling';
-- One value goes, one comes, all others stay.
CREATE TEMP TABLE before AS SELECT attributes FROM ringfence.customer_card WHERE name = 'Tsai Mei-Ling';
UPDATE ringfence.customer_card SET attributes = attributes - 'ff1' || '{"fff2": false}' WHERE name = 'Tsai Mei-Ling';
SELECT card.attributes = before.attributes - 'ff1' || '{"fff2": false}' AS as_told FROM ringfence.customer_card AS card, before WHERE name = 'Tsai Mei-Ling';
RESET SESSION AUTHORIZATION;
SELECT attributes = attributes::text::jsonb AS same, pg_column_size(attributes || '{}') = pg_column_size(attributes::text::jsonb) AS same_size
  FROM ringfence.customer WHERE name = 'Tsai Mei-Ling' AND attributes <> '{}';
SET SESSION AUTHORIZATION boss_a;
-- What is no object, or is none of a customer's, shows nothing.
SELECT ringfence.visible_attributes(value) FROM (VALUES ('{}'::jsonb), ('[1, {"a": 2}]'), ('7'), ('null'), ('{"": 1, "zz": {"b": [true]}}')) AS given (value);

-- Report views: a cursor's columns follow the context.
SELECT ringfence.create_field('Comment', projects => '{Sales,Support}'), ringfence.create_field('Debt', 'number', '{Sales}') \g /dev/null
UPDATE ringfence.customer_card SET attributes = attributes || '{"Comment": "tea", "Debt": 1.50}';
SELECT ringfence.create_report_view('Sales', 'sales_reading') \g /dev/null
BEGIN;
DECLARE report SCROLL CURSOR FOR SELECT "Comment", "Debt" FROM ringfence_report.sales_reading;
FETCH 1 FROM report;
SET LOCAL ringfence.project = 'Support';
FETCH 1 FROM report;
SET LOCAL ringfence.project = 'Sales';
MOVE BACKWARD ALL FROM report;
FETCH 1 FROM report;
COMMIT;
-- One call site, asked for one field after the other, and in one project after the other.
SELECT project.name, field.name, ringfence.report_text(jsonb_build_object(ringfence.storage_key(field.id), 'tea'), project.id, field.id)
  FROM ringfence.field, ringfence.project WHERE field.name IN ('Comment', 'f70', 'Debt') AND project.name IN ('Sales', 'Support') ORDER BY 1, 2;
RESET SESSION AUTHORIZATION;
