-- The types of fields and their limits: what is a value, in which form it is kept, and what is refused.
\set SHOW_CONTEXT never
\set VERBOSITY default
SET SESSION AUTHORIZATION boss_a;
SELECT count(ringfence.create_field(initcap(type), type, '{Sales}', options => CASE WHEN type LIKE 'choice%' THEN '{gold,silver,"with, comma"}'::text[] END))
  FROM unnest('{text,number,boolean,date,time,datetime,choice,choices,phone,email}'::text[]) AS type;
SELECT ringfence.create_field('Code', projects => '{Sales}', max_length => 8, pattern => '[A-Z]{2}-[0-9]+'),
       ringfence.create_field('Short', projects => '{Sales}', max_length => 3),
       ringfence.create_field('Percent', 'number', '{Sales}', minimum => 0, maximum => 100),
       ringfence.create_field('Positive', 'number', '{Sales}', minimum => 0.5),
       ringfence.create_field('Debt', 'number', '{Sales}', maximum => 0) \g /dev/null
RESET SESSION AUTHORIZATION;

-- As an agent of the project writes them, and as they come back.
SET SESSION AUTHORIZATION sales_a;
-- Whatever the session has set, a date is read and shown alike.
SET datestyle = 'SQL, DMY';
SET timezone = 'America/New_York';
INSERT INTO ringfence.customer_card (name, attributes) VALUES ('Types', '{
  "Text": " as typed ", "Number": 12345678901234567890.1200, "Boolean": false, "Date": "2024-02-29", "Time": "09:30",
  "Datetime": "2026-03-31 09:30:00.50+08", "Choice": "with, comma", "Choices": ["silver", "gold"], "Phone": "0912-345-678",
  "Email": "Tsai.ML@Example.com", "Code": "CT-4411", "Short": "蔡美玲", "Percent": 100, "Positive": 0.5, "Debt": -3}')
RETURNING jsonb_pretty(attributes);
SELECT jsonb_pretty(attributes) FROM ringfence.customer_card WHERE name = 'Types';
-- What is written back as it was read changes nothing.
UPDATE ringfence.customer_card SET attributes = attributes WHERE name = 'Types' RETURNING attributes -> 'Time' AS time;
-- The same again in another form is the same.
UPDATE ringfence.customer_card SET attributes = attributes || '{"Time": "09:30:00.000", "Datetime": "2026-03-31T01:30:00.5Z"}'
 WHERE name = 'Types' RETURNING attributes -> 'Time' AS time, attributes -> 'Datetime' AS datetime;
-- Empty values are values of text, and of nothing else but the list.
UPDATE ringfence.customer_card SET attributes = '{"Text": "", "Choices": []}' WHERE name = 'Types' RETURNING attributes;

-- What is refused: always 22023, with the field and what was expected, and never a server's own error.
DO $$
DECLARE
    attempt record;
    hint    text;
BEGIN
    FOR attempt IN SELECT field, value::jsonb FROM (VALUES
        ('Text', '1'), ('Text', 'true'), ('Text', '["a"]'), ('Text', '{"a": "b"}'),
        ('Number', '"1"'), ('Number', 'true'), ('Number', '"NaN"'), ('Number', '1e1000'), ('Number', '[1]'),
        ('Boolean', '"true"'), ('Boolean', '1'), ('Boolean', '"t"'),
        ('Date', '"2026-02-29"'), ('Date', '"2026-13-01"'), ('Date', '"31/03/2026"'), ('Date', '"today"'), ('Date', '"infinity"'),
        ('Date', '20260331'), ('Date', '""'), ('Date', '"0000-00-00"'), ('Date', '"2026-03-31T00:00:00Z"'),
        ('Time', '"24:00"'), ('Time', '"9:30"'), ('Time', '"09:30:60"'), ('Time', '"now"'),
        ('Datetime', '"2026-03-31T09:30:00"'), ('Datetime', '"2026-03-31"'), ('Datetime', '"2026-02-30T09:30:00Z"'), ('Datetime', '"now"'),
        ('Choice', '"bronze"'), ('Choice', '"1"'), ('Choice', '1'), ('Choice', '["gold"]'), ('Choice', '""'),
        ('Choices', '"gold"'), ('Choices', '["gold", "bronze"]'), ('Choices', '["gold", "gold"]'), ('Choices', '["gold", 1]'), ('Choices', '[["gold"]]'), ('Choices', '["1"]'),
        ('Phone', '"none"'), ('Phone', '912345678'), ('Email', '"tsai"'), ('Email', '"a@b, c@d"'), ('Email', '""'),
        ('Code', '"ct-4411"'), ('Code', '"CT-4411x"'), ('Code', '"xCT-4411"'), ('Code', '"CT-12345678"'), ('Code', '"CT-1\n"'),
        ('Short', '"蔡美玲蔡"'), ('Percent', '100.01'), ('Percent', '-0.01'), ('Positive', '0'), ('Debt', '1')) AS tried (field, value)
    LOOP
        BEGIN
            INSERT INTO ringfence.customer_card (name, attributes) VALUES ('x', jsonb_build_object(attempt.field, attempt.value));
            RAISE NOTICE 'TAKEN % %', attempt.field, attempt.value;
        EXCEPTION WHEN OTHERS THEN
            GET STACKED DIAGNOSTICS hint = PG_EXCEPTION_HINT;
            RAISE NOTICE '% %: % %', attempt.field, left(attempt.value::text, 40), SQLSTATE, hint;
        END;
    END LOOP;
END
$$;
\set VERBOSITY terse
INSERT INTO ringfence.customer_card (name, attributes) VALUES ('x', jsonb_build_object('Text', repeat('x', 1048577)));
INSERT INTO ringfence.customer_card (name, attributes) VALUES ('x', '{"Text": "\u0000"}');
SELECT count(*) FROM ringfence.customer_card WHERE name = 'x';
RESET datestyle;
RESET timezone;
RESET SESSION AUTHORIZATION;

-- Limits that cannot be.
\set VERBOSITY default
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.create_field('x', pattern => '(');
SELECT ringfence.create_field('x', pattern => '(a)\1');
SELECT ringfence.create_field('x', pattern => '(\w{100}){100}');
SELECT ringfence.create_field('x', pattern => repeat('x', 1001));
\set VERBOSITY terse
SELECT ringfence.create_field('x', max_length => 0);
SELECT ringfence.create_field('x', 'number', max_length => 1);
SELECT ringfence.create_field('x', minimum => 1);
SELECT ringfence.create_field('x', 'number', minimum => 1, maximum => 0);
SELECT ringfence.create_field('x', 'number', minimum => 'NaN');
SELECT ringfence.create_field('x', 'choice', options => '{a,a}');
SELECT ringfence.create_field('x', 'choice', options => '{a," b"}');
SELECT ringfence.create_field('x', 'choice', options => '{a,NULL}');
UPDATE ringfence.field SET pattern = '[' WHERE name = 'Code';
UPDATE ringfence.field SET type = 'number' WHERE name = 'Text';
SELECT count(*) FROM ringfence.field WHERE name = 'x';

-- No pattern hangs a backend (each of these takes other engines longer than the age of the universe).
SET statement_timeout = '20s';
SELECT ringfence.create_field('Hang ' || n, projects => '{Sales}', pattern => pattern) IS NOT NULL AS made
  FROM (VALUES (1, '(a+)+b'), (2, '(a|a)*b'), (3, '(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)b'), (4, '(a?){300}a{300}b')) AS evil (n, pattern);
DO $$
BEGIN
    FOR n IN 1..4 LOOP
        BEGIN
            INSERT INTO ringfence.customer_card (name, attributes) VALUES ('x', jsonb_build_object('Hang ' || n, repeat('a', 1000)));
        EXCEPTION WHEN invalid_parameter_value THEN
            RAISE NOTICE 'Hang %: %', n, SQLSTATE;
        END;
    END LOOP;
END
$$;
INSERT INTO ringfence.customer_card (name, attributes) VALUES ('x', jsonb_build_object('Hang 1', repeat('a', 1000) || 'b'));

-- A limit is judged when a value is written: what was there before stays, and may be written back.
UPDATE ringfence.field SET max_length = 4 WHERE name = 'Text';
UPDATE ringfence.customer_card SET attributes = '{"Text": "12345"}' WHERE name = 'Types';
UPDATE ringfence.customer_card SET attributes = '{"Text": "1234"}' WHERE name = 'Types' RETURNING attributes;
UPDATE ringfence.field SET max_length = 2 WHERE name = 'Text';
UPDATE ringfence.customer_card SET attributes = attributes || '{"Short": "a"}' WHERE name = 'Types' RETURNING attributes;
UPDATE ringfence.customer_card SET attributes = attributes || '{"Text": "4321"}' WHERE name = 'Types';
-- A form is told the limits.
SELECT name, max_length, pattern, minimum, maximum FROM ringfence.visible_fields() WHERE name IN ('Code', 'Percent', 'Text') ORDER BY name;
