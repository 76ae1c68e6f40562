-- Report views of interactions: the calls of a project, with the fields of their customers in that project, for who reads both there (B8, B12).
\set SHOW_CONTEXT never
\set VERBOSITY default
\pset null (null)
SET TimeZone = 'UTC';
CREATE ROLE caller_report LOGIN;
SET SESSION AUTHORIZATION dba;
SELECT ringfence.grant_access('sales_a', 'Company A', '{customer.read,customer.write,interaction.read,interaction.write}', 'Sales');
SELECT ringfence.grant_access('support_a', 'Company A', '{customer.read,interaction.read}', 'Support');
SELECT ringfence.grant_access('caller_report', 'Company A', '{interaction.read}');
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.create_field('Calls', 'number', '{Sales}') IS NOT NULL AS created;
SELECT ringfence.create_field('Fault', 'choice', '{Support}', options => '{none,line}') IS NOT NULL AS created;
SELECT ringfence.create_field('Card', projects => '{Sales}', is_masked => true) IS NOT NULL AS created;
UPDATE ringfence.customer_card SET attributes = '{"Calls": 3, "Fault": "line", "Card": "4111"}' WHERE name = 'Chen Wei';
SELECT ringfence.log_interaction('call', customer => (SELECT id FROM ringfence.customer WHERE name = 'Chen Wei'), project => 'Sales', remote_address => '0912345678', started_at => '2026-09-01 10:00+00', ended_at => '2026-09-01 10:05+00', external_id => 'call-1') IS NOT NULL AS kept;
SELECT ringfence.log_interaction('chat', 'out', customer => (SELECT id FROM ringfence.customer WHERE name = 'Chen Wei'), project => 'Support', started_at => '2026-09-02 10:00+00') IS NOT NULL AS kept;
SELECT ringfence.log_interaction('call', project => 'Sales', started_at => '2026-09-03 10:00+00') IS NOT NULL AS kept;
SELECT ringfence.log_interaction('note', started_at => '2026-09-04 10:00+00') IS NOT NULL AS kept;

-- A project has one of each kind.
SELECT ringfence.create_report_view('Sales', 'calls_of_sales', 'interaction');
SELECT ringfence.create_report_view('Sales', name => 'sales');
SELECT ringfence.create_report_view('Support', 'calls_of_support', of => 'interaction');
SELECT ringfence.create_report_view('Sales', 'more_calls', 'interaction');
SELECT ringfence.create_report_view('Default', 'sales', 'interaction');
SELECT ringfence.create_report_view('Default', NULL, 'ticket');
SELECT ringfence.create_report_view('Default', NULL, NULL);
SET client_min_messages = warning;
SELECT regexp_replace(ringfence.create_report_view('Default', NULL, 'interaction')::text, '[0-9a-f]{32}', '<id>') AS named;
RESET client_min_messages;
SELECT p.name AS project, v.of, v.is_current FROM ringfence.report_view AS v JOIN ringfence.project AS p ON p.id = v.project_id ORDER BY 1, 2;
SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'ringfence_report.calls_of_sales'::regclass AND attnum > 0 ORDER BY attnum;
SELECT obj_description('ringfence_report.calls_of_sales'::regclass, 'pg_class');

-- Of each project its own interactions, and its own fields. Masked fields are empty without the right.
SELECT kind, direction, started_at, ended_at, remote_address, external_id, customer_name, "Calls", "Card" FROM ringfence_report.calls_of_sales ORDER BY started_at;
SELECT kind, direction, customer_name, "Fault" FROM ringfence_report.calls_of_support;
SELECT count(*), sum("Calls") FROM ringfence_report.calls_of_sales WHERE "Calls" > 2;
SET SESSION AUTHORIZATION sales_a;
SELECT kind, customer_name, "Calls", "Card" FROM ringfence_report.calls_of_sales ORDER BY started_at;
SELECT count(*) FROM ringfence_report.calls_of_support;
SET SESSION AUTHORIZATION support_a;
SELECT count(*) FROM ringfence_report.calls_of_sales;
SELECT kind, "Fault" FROM ringfence_report.calls_of_support;
-- Nothing in another project than the selected one.
SET SESSION AUTHORIZATION boss_a;
SET ringfence.project = 'Support';
SELECT count(*) FROM ringfence_report.calls_of_sales;
SELECT count(*) FROM ringfence_report.calls_of_support;
RESET ringfence.project;
-- It takes both rights.
SET SESSION AUTHORIZATION caller_report;
SELECT count(*) FROM ringfence_report.calls_of_sales;
SET SESSION AUTHORIZATION trainee_a;
SELECT count(*) FROM ringfence_report.calls_of_sales;
SELECT ringfence.create_report_view('Sales', 'mine', 'interaction');
SELECT ringfence.drop_report_view('Sales', 'interaction');

-- Another owner names the view, and reads nothing, whatever its condition does.
SET SESSION AUTHORIZATION app_b;
CREATE FUNCTION pg_temp.leak(text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$BEGIN RAISE NOTICE 'saw %', $1; RETURN true; END$$;
SELECT count(*) FROM ringfence_report.calls_of_sales WHERE pg_temp.leak(external_id) AND pg_temp.leak(customer_name);
SELECT count(*) FROM ringfence_report.calls_of_sales WHERE 1 / (started_at = '2026-09-01 10:00+00')::integer > 0;
SET SESSION AUTHORIZATION sales_a;
SELECT count(*) FROM ringfence_report.calls_of_sales WHERE pg_temp.leak(external_id);

-- It follows its fields, and refuses where row-level security does not guard it.
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.rename_field('Calls', 'Number of calls');
SELECT customer_name, "Number of calls" FROM ringfence_report.calls_of_sales ORDER BY started_at;
SELECT ringfence.unbind_field('Number of calls', 'Sales');
SELECT count(*) FROM pg_attribute WHERE attrelid = 'ringfence_report.calls_of_sales'::regclass AND attname = 'Number of calls';
RESET SESSION AUTHORIZATION;
ALTER TABLE ringfence.interaction NO FORCE ROW LEVEL SECURITY;
ALTER TABLE ringfence.interaction DISABLE ROW LEVEL SECURITY;
SET SESSION AUTHORIZATION app_b;
SELECT count(*) FROM ringfence_report.calls_of_sales;
RESET SESSION AUTHORIZATION;
ALTER TABLE ringfence.interaction ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER VIEW ringfence_report.calls_of_support OWNER TO CURRENT_USER;
SET SESSION AUTHORIZATION app_b;
SELECT count(*) FROM ringfence_report.calls_of_support;
RESET SESSION AUTHORIZATION;
ALTER VIEW ringfence_report.calls_of_support OWNER TO ringfence_definer;

-- Dropping the one leaves the other. A project takes both along.
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.drop_report_view('Sales');
SELECT of FROM ringfence.report_view AS v JOIN ringfence.project AS p ON p.id = v.project_id WHERE p.name = 'Sales';
SELECT ringfence.drop_report_view('Sales');
SELECT ringfence.drop_report_view('Sales', 'interaction');
SELECT ringfence.create_report_view('Support', 'support');
DELETE FROM ringfence.project WHERE name = 'Support';
SELECT count(*) FROM ringfence.report_view WHERE name IN ('support', 'calls_of_support');
RESET SESSION AUTHORIZATION;
SELECT relname FROM pg_class WHERE relnamespace = 'ringfence_report'::regnamespace AND relname ~ 'sales|support';
SET SESSION AUTHORIZATION dba;
SELECT ringfence.revoke_access('caller_report', 'Company A');
RESET SESSION AUTHORIZATION;
DROP ROLE caller_report;
