-- Imports (B11, B12, B13): files that people have, by templates.
\set SHOW_CONTEXT never
\set VERBOSITY default
\pset null (null)
SET SESSION AUTHORIZATION dba;
SELECT ringfence.grant_access('app_a', 'Company A', '{agent,import.run}') \g /dev/null
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.create_field('Plan', 'choice', '{Sales}', options => '{gold,tin}'), ringfence.create_field('Tags', 'choices', '{Sales}', options => '{red,green}'),
       ringfence.create_field('Debt', 'number', '{Sales}'), ringfence.create_field('Since', 'date', '{Sales}'), ringfence.create_field('Vip', 'boolean', '{Sales}'),
       ringfence.create_field('Contract', projects => '{Sales}', is_unique => true), ringfence.create_field('Mobile', 'phone', '{Sales}'),
       ringfence.create_field('Origin', projects => '{Sales}'), ringfence.create_field('Code', projects => '{Sales}', is_masked => true),
       ringfence.create_field('Fault', projects => '{Support}') \g /dev/null
SET SESSION AUTHORIZATION app_a;

-- A file as it comes: quoted CSV in a temporary table, names in any script, exactly.
CREATE TEMP TABLE file ("Imię" text, "Nazwisko" text, "電話" text, "E-mail" text, "Data" text, "Debt" text, "Plan" text, "VIP?" text, "Nr" text);
COPY file FROM stdin WITH (FORMAT csv, DELIMITER ';');
"Jan";"Kowalski";"+48 601 234 500; +48601234501";"jan@example.pl, JAN2@example.pl";"31.12.1980";"1 234,50";"gold";"yes";"C-1"
"Anna ""Ania""";"Nowak";"'+48601234502";"";"1.2.1990";"1,234.5";"tin";"0";"C-2"
"Łukasz";"";"48601234503.0";"lukasz@example.pl";"";"";"";"";"C-3"
"";"";"4.8601E10";;;;;;"C-4"
"Ewa";"Zła";"601 234 505";"ewa@example.pl";"31.02.1990";"";"";"";"C-5"
"Zofia";"Plan";"601 234 506";"";"";"";"silver";"";"C-6"
"Bad";"Number";"";"";"";"many";"";"";"C-7"
"Jan";"Again";"";"";"";"";"";"";"C-1"
\.
BEGIN;
SET LOCAL ringfence.project = 'Sales';
INSERT INTO ringfence.import_template (name, mode, match_field, date_format) VALUES ('Customers', 'upsert', 'Contract', 'DD.MM.YYYY') RETURNING id AS template \gset
COMMIT;
INSERT INTO ringfence.import_mapping (template_id, target, source) VALUES (:'template', 'name', '{{Imię}} {{Nazwisko}}'), (:'template', 'phones', '{{電話}}'), (:'template', 'emails', '{{E-mail}}'),
    (:'template', 'birth_date', '{{Data}}'), (:'template', 'Debt', '{{Debt}}'), (:'template', 'Plan', '{{Plan}}'), (:'template', 'Vip', '{{VIP?}}'), (:'template', 'Contract', '{{Nr}}'),
    (:'template', 'Origin', 'fair \{{2026}}');
SELECT position, target, source FROM ringfence.import_mapping ORDER BY position;
-- Tried first: nothing stays.
SELECT line, action, customer_id IS NOT NULL AS is_there, regexp_replace(reason, '[0-9a-f]{8}-[0-9a-f-]{27}', '<id>') AS reason FROM ringfence.import_customers('Customers', 'file', dry_run => true);
SELECT count(*) FROM ringfence.customer;
SELECT line, action, customer_id IS NOT NULL AS is_there, reason FROM ringfence.import_customers('Customers', 'file');
SELECT name, phones, emails, birth_date, attributes FROM ringfence.customer_card WHERE name NOT IN ('Tsai Mei-Ling', 'Chen Wei', '蔡美玲') ORDER BY attributes ->> 'Contract';
-- Again: what is as it was is not written. The last line says something else than the first.
SELECT line, action FROM ringfence.import_customers('Customers', 'file'::regclass);
-- With strict everything or nothing.
SELECT * FROM ringfence.import_customers('Customers', 'file', strict => true);
SELECT count(*) FROM ringfence.customer WHERE name LIKE '%Again';
DELETE FROM file WHERE "Nr" IN ('C-4', 'C-5', 'C-6', 'C-7');
UPDATE file SET "Debt" = '7', "Plan" = '' WHERE "Nr" = 'C-2';
SELECT line, action FROM ringfence.import_customers('Customers', 'file', strict => true);
SELECT attributes FROM ringfence.customer_card WHERE attributes ->> 'Contract' = 'C-2';
-- An empty cell leaves the value, or clears it, as the mapping says.
UPDATE ringfence.import_mapping SET on_empty = 'clear' WHERE target IN ('Plan', 'phones', 'birth_date');
SELECT line, action FROM ringfence.import_customers('Customers', 'file');
SELECT name, phones, birth_date, attributes FROM ringfence.customer_card WHERE attributes ? 'Contract' ORDER BY attributes ->> 'Contract';

-- What is wrong with a template is said before any row.
UPDATE ringfence.import_mapping SET source = '{{imię}}' WHERE target = 'name';
SELECT * FROM ringfence.import_customers('Customers', 'file');
UPDATE ringfence.import_mapping SET source = '{{Vorname}}' WHERE target = 'name';
SELECT * FROM ringfence.import_customers('Customers', 'file');
UPDATE ringfence.import_mapping SET source = '{{Imię}}' WHERE target = 'name';
UPDATE ringfence.import_mapping SET source = '{{Imię' WHERE target = 'name';
UPDATE ringfence.import_mapping SET target = 'Fault' WHERE target = 'Origin';
SELECT * FROM ringfence.import_customers('Customers', 'file');
UPDATE ringfence.import_mapping SET target = 'Code' WHERE target = 'Fault';
SELECT * FROM ringfence.import_customers('Customers', 'file');
UPDATE ringfence.import_mapping SET target = 'No such field' WHERE target = 'Code';
SELECT * FROM ringfence.import_customers('Customers', 'file');
UPDATE ringfence.import_mapping SET target = 'created_at' WHERE target = 'No such field';
SELECT * FROM ringfence.import_customers('Customers', 'file');
DELETE FROM ringfence.import_mapping WHERE target = 'created_at';
INSERT INTO ringfence.import_mapping (template_id, target, source) VALUES (:'template', 'name', 'x');
INSERT INTO ringfence.import_template (name, mode) VALUES ('No match', 'update');
INSERT INTO ringfence.import_template (name, mode, match_field) VALUES ('Wrong', 'replace', 'id');
INSERT INTO ringfence.import_template (name, mode) VALUES ('Customers', 'add');
INSERT INTO ringfence.import_mapping (template_id, target, source) VALUES ('a0000000-0000-0000-0000-00000000dead', 'name', 'x');
SELECT * FROM ringfence.import_customers('No such', 'file');
SELECT * FROM ringfence.import_customers('Customers', 'no_such_table');
SELECT * FROM ringfence.import_customers('Customers', rows => '{"a": 1}');
BEGIN;
SET LOCAL ringfence.project = 'Support';
SELECT * FROM ringfence.import_customers('Customers', 'file');
ROLLBACK;

-- Rows as JSON; matched by phone; a phone of several customers.
INSERT INTO ringfence.import_template (name, mode, match_field, project_id) VALUES ('By phone', 'update', 'phone', NULL) RETURNING id AS template \gset
INSERT INTO ringfence.import_mapping (template_id, target, source) VALUES (:'template', 'phones', '{{tel}}'), (:'template', 'phones', '{{tel2}}'), (:'template', 'address', '{{address}}');
INSERT INTO ringfence.customer_card (id, name, phones) VALUES ('a0000000-0000-0000-0000-00000000000e', 'First', '{0922000001}'), ('a0000000-0000-0000-0000-00000000000f', 'Second', '{0922000001,0922000002}'), ('a0000000-0000-0000-0000-0000000000ff', 'Third', '{0922000001}');
SELECT * FROM ringfence.import_customers('By phone', rows => '[{"tel": "0912-345-678", "tel2": "", "address": "Taipei"}, {"tel": "922000009.0", "address": "x"}, {"tel": "0922000001", "address": "x"}, {"tel": null, "address": "x"}, {"tel": 912345678, "tel2": "(02) 2345 6700", "address": "Taipei"}]'::jsonb);
SELECT name, phones, address FROM ringfence.customer WHERE id = 'a0000000-0000-0000-0000-000000000001';
-- Add: a customer that is there is named.
UPDATE ringfence.import_template SET mode = 'add', match_field = 'email' WHERE name = 'By phone';
INSERT INTO ringfence.import_mapping (template_id, target, source) VALUES (:'template', 'emails', '{{mail}}'), (:'template', 'name', 'Imported {{mail}}');
SELECT line, action, regexp_replace(reason, '[0-9a-f]{8}-[0-9a-f-]{27}', '<id>') AS reason FROM ringfence.import_customers('By phone', rows => '[{"tel": "", "tel2": "", "address": "", "mail": "chen@example.com"}, {"mail": "new@example.com"}, {"mail": "NEW@example.com"}, {"mail": ""}]'::jsonb);
SELECT line, action FROM ringfence.import_customers('By phone', rows => '[]'::jsonb);
-- Anything else than an array of objects is refused, also an array that has one in it.
SELECT line, action FROM ringfence.import_customers('By phone', rows => '[[]]'::jsonb);
SELECT line, action FROM ringfence.import_customers('By phone', rows => '[[{"tel": "0912345678"}]]'::jsonb);
-- With a byte order mark before the first column, as some programs leave it.
SELECT line, action FROM ringfence.import_customers('By phone', rows => E'[{"\uFEFFmail": "bom@example.com", "tel": "\uFEFF0922000033", "tel2": "", "address": ""}]'::jsonb);
SELECT name, phones, emails FROM ringfence.customer WHERE name LIKE '%bom%';

-- Cells as spreadsheets write them.
SELECT cell, ringfence.import_number(cell) AS number, ringfence.import_phone(cell) AS phone FROM unnest(ARRAY['4155552671.0', '4.15555E9', '4,15555E+9', '''0912345678', '1,234.50', '1.234,50', '1 234,5', '12', '-3', 'x', '', '0912 345 678']) AS cell;
SELECT form, cell, (SELECT ringfence.import_date(cell, form)) FROM (VALUES ('DD.MM.YYYY', '1.2.1990'), ('DD.MM.YYYY', '01.02.1990'), ('MM/DD/YYYY', '2/1/1990'), ('DD.MM.YYYY', '1990-02-01'), ('YYYYMMDD', '19900201')) AS dates (form, cell);
SELECT ringfence.import_date('13/13/1990', 'MM/DD/YYYY');
SELECT ringfence.import_date('1.2.1990 about', 'DD.MM.YYYY');
SELECT ringfence.import_list(E'a; b,c/d、e\nf;;') AS items, ringfence.import_parts('x{{A}}-{{B b}}\{{c}}') AS parts;

-- Cells that take no second look make the same card as they do by one.
SELECT count(*) AS cells, count(plain) AS plain, count(*) FILTER (WHERE CASE WHEN plain IS NOT NULL THEN plain <> ringfence.import_card_of(cells, ARRAY[target], ARRAY[type], ARRAY[parts::text], ARRAY[clears], 'DD.MM.YYYY') END) AS different
  FROM unnest(ARRAY['', ' ', 'x', ' x ', E'\u00A0x\uFEFF', '007', '1 234', '1,5', '12.0', '4E5', '0912345678', '''0912345678', '’0912', '''', 'a;b', 'a, b', 'a/b', E'a\nb', '2026-12-31', '2026-13-31',
                    '31.12.2026', 'YES', 'X', '1', '1.0', 'no', 'True', '０', '999999999999999', '9999999999999999', '-5', 'a@example.com', NULL]) AS cell
 CROSS JOIN (VALUES ('phones', 'phones'), ('emails', 'emails'), ('name', 'name'), ('address', 'address'), ('birth_date', 'birth_date'), ('id', 'id'), ('f', 'field text'), ('f', 'field number'), ('f', 'field boolean'),
                    ('f', 'field date'), ('f', 'field time'), ('f', 'field datetime'), ('f', 'field choice'), ('f', 'field choices'), ('f', 'field phone'), ('f', 'field email')) AS targets (target, type)
 CROSS JOIN (VALUES ('{"{c"}'::text[]), ('{"=pre ","{c"}'), ('{"{c","{d","=!"}'), ('{=constant}'), ('{"{none"}')) AS sources (parts)
 CROSS JOIN unnest('{t,f}'::boolean[]) AS clears
 CROSS JOIN LATERAL (SELECT jsonb_build_object('c', cell, 'd', CASE WHEN cell = 'x' THEN to_jsonb(7) ELSE to_jsonb('d '::text) END) AS cells) AS made
 CROSS JOIN LATERAL (SELECT ringfence.plain_import_card(cells, ARRAY[target], ARRAY[type], parts, ARRAY[cardinality(parts)], ARRAY[clears]) AS plain) AS read;

-- Many rows, of which new customers are inserted together: what is done with each is what would be done with it alone, in its turn.
CREATE TEMP TABLE many AS SELECT 'Many ' || n AS name, '0933' || lpad((n % 400)::text, 6, '0') AS phone, CASE WHEN n % 100 = 50 THEN 'nonsense' ELSE n::text END AS debt, 'K-' || n % 450 AS contract FROM generate_series(1, 1000) AS n;
INSERT INTO ringfence.import_template (name, mode, match_field, project_id) VALUES ('Many', 'upsert', 'phone', NULL) RETURNING id AS template \gset
INSERT INTO ringfence.import_mapping (template_id, target, source) VALUES (:'template', 'name', '{{name}}'), (:'template', 'phones', '{{phone}}'), (:'template', 'Debt', '{{debt}}');
SELECT * FROM ringfence.import_customers('Many', 'many', strict => true);
SELECT action, count(*), min(line), max(line), count(customer_id) AS customers, min(reason) AS reason FROM ringfence.import_customers('Many', 'many', dry_run => true) GROUP BY action ORDER BY action;
SELECT count(*) FROM ringfence.customer WHERE name LIKE 'Many %';
SELECT action, count(*), min(line), max(line), count(DISTINCT customer_id) AS customers, bool_and(line = n) AS in_order FROM (SELECT *, row_number() OVER () AS n FROM ringfence.import_customers('Many', 'many')) AS done GROUP BY action ORDER BY action;
SELECT count(*), sum((attributes ->> 'Debt')::integer) AS debt, count(DISTINCT phones) AS phones FROM ringfence.customer_card WHERE name LIKE 'Many %';
SELECT name, rank FROM ringfence.search_customers('0933000007');
-- A unique value that comes again is refused where it comes again.
INSERT INTO ringfence.import_mapping (template_id, target, source) VALUES (:'template', 'Contract', '{{contract}}');
UPDATE ringfence.import_template SET mode = 'add', match_field = NULL WHERE name = 'Many';
SELECT action, count(*), min(line), max(line), reason FROM ringfence.import_customers('Many', 'many') GROUP BY action, reason ORDER BY action, reason;
SELECT count(*), count(DISTINCT attributes ->> 'Contract') FROM ringfence.customer_card WHERE attributes ->> 'Contract' LIKE 'K-%';
-- Found at once, also by keys that have waited, and after what was undone.
BEGIN;
SAVEPOINT before;
SELECT count(*) FROM ringfence.import_customers('Many', rows => '[{"name": "Undone Waitingson", "phone": "0955000001", "debt": "1", "contract": "U-1"}]'::jsonb);
SELECT name FROM ringfence.search_customers('waitingson');
ROLLBACK TO before;
SELECT name FROM ringfence.search_customers('waitingson');
SELECT count(*) FROM ringfence.import_customers('Many', rows => '[{"name": "Done Waitingson", "phone": "0955000001", "debt": "1", "contract": "U-1"}]'::jsonb);
COMMIT;
SELECT name FROM ringfence.search_customers('waitingson');

-- It takes the right to import, and those of the session bind it.
SET SESSION AUTHORIZATION dba;
SELECT ringfence.grant_access('app_a', 'Company A', '{agent}') \g /dev/null
SET SESSION AUTHORIZATION app_a;
SELECT * FROM ringfence.import_customers('Customers', 'file');
SELECT count(*) FROM ringfence.import_template;
SET SESSION AUTHORIZATION dba;
SELECT ringfence.grant_access('app_a', 'Company A', '{import.run,customer.read}') \g /dev/null
SET SESSION AUTHORIZATION app_a;
SELECT * FROM ringfence.import_customers('Customers', 'file');
