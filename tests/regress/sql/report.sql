-- Report views (B8): the story of sales and support; typed columns; each reader sees its own owner, its projects, its fields.
\set SHOW_CONTEXT never
\set VERBOSITY terse
\pset null -
CREATE ROLE bi_report LOGIN;
CREATE ROLE bi_sales_report LOGIN;
CREATE ROLE nobody_report LOGIN;
CREATE ROLE unmask_support_report LOGIN;
SET client_min_messages = warning;
SELECT ringfence.grant_access('bi_report', 'Company A', '{sponsor}'),
       ringfence.grant_access('bi_sales_report', 'Company A', '{sponsor}', 'Sales'),
       ringfence.grant_access('unmask_support_report', 'Company A', '{customer.read,field.unmask}', 'Support'),
       ringfence.grant_access('unmask_support_report', 'Company A', '{customer.read}', 'Sales'),
       ringfence.grant_access('app_b', 'Company B', '{admin}') \g /dev/null
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.create_field('Comment', projects => '{Sales,Support}'),
       ringfence.create_field('Contract', projects => '{Sales,Support}', is_unique => true),
       ringfence.create_field('Plan', 'choice', '{Sales}', options => '{gold,silver}'),
       ringfence.create_field('Debt', 'number', '{Sales}'),
       ringfence.create_field('Since', 'date', '{Sales}'),
       ringfence.create_field('Call at', 'time', '{Sales}'),
       ringfence.create_field('Due', 'datetime', '{Sales}'),
       ringfence.create_field('Active', 'boolean', '{Sales}'),
       ringfence.create_field('Tags', 'choices', '{Sales}', options => '{vip,late}'),
       ringfence.create_field('Card', projects => '{Sales,Support}', is_masked => true),
       ringfence.create_field('Fault', 'number', '{Support}'),
       ringfence.create_field('created_at', projects => '{Support}') \g /dev/null
UPDATE ringfence.customer_card SET attributes = '{"Comment": "tea", "Contract": "C-1", "Plan": "gold", "Debt": 12.50, "Since": "2024-02-29",
  "Call at": "09:30", "Due": "2026-03-31T09:30:00.25+08:00", "Active": true, "Tags": ["late", "vip"], "Card": "4111", "Fault": 7}' WHERE name = 'Tsai Mei-Ling';
SET client_min_messages = notice;
\set VERBOSITY default
SELECT ringfence.create_report_view('Sales', 'sales_a');
\set VERBOSITY terse
SET client_min_messages = warning;
SELECT ringfence.create_report_view('Support') = format('ringfence_report.project_%s', translate(id::text, '-', ''))::regclass AS made
  FROM ringfence.project WHERE name = 'Support';
SELECT name FROM ringfence.report_view WHERE name !~ '^project_' ORDER BY name;
-- Called by an opaque name, it is found by its project.
SELECT name AS support_view FROM ringfence.report_view WHERE name ~ '^project_' \gset
RESET SESSION AUTHORIZATION;
-- Dates and times as their types are; whatever the session has set.
\d ringfence_report.sales_a

-- The owner's own people: the project's fields, masked ones NULL, alike for the BPO's agents (B8).
SET SESSION AUTHORIZATION bi_report;
SET timezone = 'Asia/Taipei';
SELECT name, "Comment", "Contract", "Plan", "Debt", "Since", "Call at", "Due", "Active", "Tags", "Card" FROM ringfence_report.sales_a ORDER BY name COLLATE "C";
SELECT name, "Comment", "Contract", "Card", "Fault", "created_at 2" FROM ringfence_report.:"support_view" WHERE "Fault" > 0;
SELECT count(*), sum("Debt"), min("Since") + 1 AS next_day, extract(hour FROM max("Due")) AS hour FROM ringfence_report.sales_a;
-- Of the project that is selected, and of no other.
SET ringfence.project = 'Sales';
SELECT count(*) FROM ringfence_report.sales_a;
SELECT count(*) FROM ringfence_report.:"support_view";
SET ringfence.project = 'Support';
SELECT count(*) FROM ringfence_report.sales_a;
RESET ringfence.project;
UPDATE ringfence_report.sales_a SET "Comment" = 'x';
UPDATE ringfence_report.sales_a SET name = 'x';
DELETE FROM ringfence_report.sales_a;
CREATE VIEW ringfence_report.mine AS SELECT 1;
DROP VIEW ringfence_report.sales_a;
RESET SESSION AUTHORIZATION;
-- A role of one project reads the report of that one.
SET SESSION AUTHORIZATION bi_sales_report;
SELECT count(*), max("Contract") FROM ringfence_report.sales_a;
SELECT count(*), max("Contract") FROM ringfence_report.:"support_view";
SELECT count(*) FROM ringfence.report_view;
RESET SESSION AUTHORIZATION;
-- What is masked is unmasked in the project of the right alone.
SET SESSION AUTHORIZATION unmask_support_report;
SELECT max("Card") FROM ringfence_report.sales_a;
SELECT max("Card") FROM ringfence_report.:"support_view";
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION boss_a;
SELECT max("Card") FROM ringfence_report.sales_a;
RESET SESSION AUTHORIZATION;
-- Without customer.read, without access, of another owner.
SET SESSION AUTHORIZATION tickets_a;
SELECT count(*) FROM ringfence_report.sales_a;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION app_none;
SELECT count(*) FROM ringfence_report.sales_a;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION nobody_report;
SELECT count(*) FROM ringfence_report.sales_a;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION app_ab;
SELECT count(*) FROM ringfence_report.sales_a;
BEGIN;
SET LOCAL ringfence.owner = 'Company B';
SELECT count(*) FROM ringfence_report.sales_a;
COMMIT;
BEGIN;
SET LOCAL ringfence.owner = 'Company A';
SELECT count(*) FROM ringfence_report.sales_a;
COMMIT;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION app_b;
SELECT * FROM ringfence_report.sales_a;
SELECT count(*) FROM ringfence.report_view;
SELECT ringfence.create_report_view('Support');
SELECT ringfence.drop_report_view('Support');
SELECT ringfence.create_report_view('Sales', 'sales_a');
SELECT ringfence.create_report_view('Sales', 'project_x');
SELECT ringfence.create_report_view('Sales', repeat('x', 64));
SELECT ringfence.create_report_view('Sales', E'a\nb');
SELECT ringfence.create_report_view('Sales', 'x"; DROP TABLE ringfence.customer; --');
SELECT count(*) FROM ringfence_report."x""; DROP TABLE ringfence.customer; --";
-- Leaky functions and errors meet no row that is not there (ATTACKS 76, 77).
SELECT 1 / ("Debt" - 12.5) FROM ringfence_report.sales_a;
CREATE FUNCTION pg_temp.leak(text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$ BEGIN RAISE WARNING 'leaked %', $1; RETURN true; END $$;
SELECT count(*) FROM ringfence_report.sales_a WHERE pg_temp.leak("Comment") AND pg_temp.leak(name);
SELECT ringfence.make_report_view(NULL);
-- What the views are made of shows nothing of an object of one's own that its field would not.
SELECT ringfence.report_text(jsonb_build_object(ringfence.storage_key(id), 'x'), project_id, id) FROM ringfence.new_id() AS id, ringfence.new_id() AS project_id;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION sales_a;
SELECT ringfence.create_report_view('Sales');
SELECT ringfence.drop_report_view('Sales');
SELECT ringfence.renew_report_views();
RESET SESSION AUTHORIZATION;

-- It follows its fields: bound, unbound, renamed, retyped, moved, dropped, unmasked. And what is made of it stays.
CREATE TABLE columns (n serial, change text, columns text);
CREATE PROCEDURE note(change text) LANGUAGE sql AS $$
    INSERT INTO columns (change, columns) SELECT change, string_agg(format('%s %s', attname, format_type(atttypid, atttypmod)), ', ' ORDER BY attnum)
      FROM pg_attribute WHERE attrelid = 'ringfence_report.sales_a'::regclass AND attnum > 11 $$;
CALL note('made');
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.bind_field('Fault', 'Sales'), ringfence.unbind_field('Active', 'Sales'), ringfence.unbind_field('Tags', 'Sales') \g /dev/null
RESET SESSION AUTHORIZATION;
CALL note('bound and unbound');
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.rename_field('Comment', 'Remark') \g /dev/null
SELECT ringfence.retype_field('Debt', 'text') \g /dev/null
UPDATE ringfence.field SET position = 0 WHERE name = 'Due';
RESET SESSION AUTHORIZATION;
CALL note('renamed, retyped, moved');
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.drop_field('Since', 1) \g /dev/null
UPDATE ringfence.field SET is_masked = false WHERE name = 'Card';
RESET SESSION AUTHORIZATION;
CALL note('dropped');
-- Somebody builds on it, as anybody can: the owner changes its fields all the same, and what was built still works.
SET SESSION AUTHORIZATION bi_report;
CREATE TEMP VIEW mine AS SELECT name, "Remark", "Plan", "Call at" FROM ringfence_report.sales_a;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.rename_field('Plan', 'Tariff'), ringfence.rename_field('Remark', 'Plan'), ringfence.unbind_field('Call at', 'Sales'),
       ringfence.bind_field('Active', 'Sales') \g /dev/null
SELECT ringfence.retype_field('Fault', 'text') \g /dev/null
RESET SESSION AUTHORIZATION;
CALL note('with dependents');
SET SESSION AUTHORIZATION bi_report;
SELECT * FROM pg_temp.mine WHERE "Plan" IS NOT NULL;
SELECT "Tariff", "Plan", "Card", "Fault", "Active" FROM ringfence_report.sales_a WHERE "Tariff" IS NOT NULL;
RESET SESSION AUTHORIZATION;
\pset format unaligned
SELECT change, columns FROM columns ORDER BY n;
\pset format aligned
-- Masked at once, in a statement that was prepared before.
SET SESSION AUTHORIZATION bi_report;
PREPARE cards AS SELECT max("Card") FROM ringfence_report.sales_a;
EXECUTE cards;
RESET SESSION AUTHORIZATION;
UPDATE ringfence.field SET is_masked = true WHERE name = 'Card';
SET SESSION AUTHORIZATION bi_report;
EXECUTE cards;
RESET SESSION AUTHORIZATION;
SELECT c.relname ~ '^project_' AS opaque, c.relowner::regrole, c.reloptions FROM pg_class c WHERE c.relnamespace = 'ringfence_report'::regnamespace AND c.relkind = 'v' ORDER BY 1, c.relname;

-- Gone with what it is of.
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.create_report_view('Sales');
SELECT ringfence.drop_report_view('Sales');
SELECT ringfence.drop_report_view('Sales');
DELETE FROM ringfence.project WHERE name = 'Support';
RESET SESSION AUTHORIZATION;
SELECT count(*) FROM pg_class WHERE relnamespace = 'ringfence_report'::regnamespace AND relname <> 'x"; DROP TABLE ringfence.customer; --';
SELECT count(*) FROM ringfence.report_view;
DROP OWNED BY bi_report, bi_sales_report, unmask_support_report;
DROP ROLE bi_report, bi_sales_report, nobody_report, unmask_support_report;
