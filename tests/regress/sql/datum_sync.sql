-- A nightly sync: the CRM owns names and phones, the ERP the payment status, and ticketing reads both.
\set SHOW_CONTEXT never
\pset null -
CREATE ROLE sync_crm LOGIN;
CREATE ROLE sync_erp LOGIN;
CREATE ROLE sync_tickets LOGIN;
SET ROLE dba;
SELECT ringfence.grant_access('sync_crm', 'Company A', '{supervisor}', sources => '{CRM}'),
       ringfence.grant_access('sync_erp', 'Company A', '{agent}', sources => '{ERP}'),
       ringfence.grant_access('sync_tickets', 'Company A', '{sponsor}') \g /dev/null
RESET ROLE;
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.create_source('CRM'), ringfence.create_source('ERP') \g /dev/null
SELECT ringfence.create_field('Customer number', projects => '{Sales,Support}', is_unique => true), ringfence.create_field('Payment status', projects => '{Sales,Support}') \g /dev/null
SELECT ringfence.set_authority('CRM', field) FROM unnest('{name,phones,Customer number}'::text[]) AS field \g /dev/null
SELECT ringfence.set_authority('ERP', 'Payment status') \g /dev/null
RESET SESSION AUTHORIZATION;

-- The CRM has entered 10,000 customers.
SET SESSION AUTHORIZATION sync_crm;
SET ringfence.source = 'CRM';
INSERT INTO ringfence.customer_card (name, phones, attributes) SELECT 'Customer ' || n, ARRAY['0912' || lpad(n::text, 6, '0')], jsonb_build_object('Customer number', 'C' || n) FROM generate_series(1, 10000) AS n;
RESET ringfence.source;
RESET SESSION AUTHORIZATION;

-- Every night the ERP writes what it knows: for each its payment status. 300 rows bring other names and phones too.
SET SESSION AUTHORIZATION sync_erp;
SET ringfence.source = 'ERP';
CREATE TEMP TABLE nightly AS SELECT 'C' || n AS number, CASE WHEN n % 2 = 0 THEN 'paid' ELSE 'open' END AS status, CASE WHEN n <= 300 THEN 'Kunde ' || n END AS name, CASE WHEN n <= 100 THEN ARRAY['0'] END AS phones FROM generate_series(1, 10000) AS n;
ANALYZE nightly;
\set sync 'UPDATE ringfence.customer_card AS card SET attributes = card.attributes || jsonb_build_object(''Payment status'', n.status), name = coalesce(n.name, card.name), phones = coalesce(n.phones, card.phones) FROM nightly AS n WHERE card.attributes ->> ''Customer number'' = n.number'
-- As an error nothing is written.
:sync;
SELECT count(*) FROM ringfence.customer_card WHERE attributes ? 'Payment status';
-- Left out, everything else is.
SET ringfence.on_foreign_datum = 'skip';
SET client_min_messages = error;
:sync;
RESET client_min_messages;
SELECT attributes ->> 'Payment status' AS status, count(*) FROM ringfence.customer_card GROUP BY 1 ORDER BY 1;
SELECT count(*) FROM ringfence.customer WHERE name LIKE 'Kunde%' OR phones = '{0}';
-- The report of what was left out.
SELECT field, source, authority, count(*), count(DISTINCT customer_id) AS customers FROM ringfence.left_out() GROUP BY 1, 2, 3 ORDER BY 1;
SELECT c.name, l.field, l.old, l.new FROM ringfence.left_out() AS l JOIN ringfence.customer AS c ON c.id = l.customer_id WHERE c.name = 'Customer 7' ORDER BY 2;
-- What there is already is not foreign, whoever sends it again.
UPDATE nightly SET name = 'Customer ' || substr(number, 2), phones = NULL;
:sync;
SELECT count(*) FROM ringfence.left_out();
RESET ringfence.on_foreign_datum;
RESET ringfence.source;
RESET SESSION AUTHORIZATION;

-- Ticketing reads both, and writes neither.
SET SESSION AUTHORIZATION sync_tickets;
SELECT name, attributes ->> 'Payment status' AS status FROM ringfence.customer_card WHERE name = 'Customer 7';
SELECT d.value, d.source, d.authority, d.changed_by FROM ringfence.customer AS c, ringfence.datum(c.id, 'Payment status') AS d WHERE c.name = 'Customer 7';
SELECT field, authority, written_by FROM ringfence.data_flow WHERE authority IS NOT NULL ORDER BY field;
UPDATE ringfence.customer_card SET name = 'X';
RESET SESSION AUTHORIZATION;

-- The contract with the ERP ends: its data are handed to the CRM.
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.retire_source('ERP', 'CRM');
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION sync_erp;
SET ringfence.source = 'ERP';
UPDATE ringfence.customer_card SET attributes = attributes || '{"Payment status": "open"}' WHERE name = 'Customer 8';
RESET ringfence.source;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION sync_crm;
SET ringfence.source = 'CRM';
UPDATE ringfence.customer_card SET attributes = attributes || '{"Payment status": "written off"}' WHERE name = 'Customer 7';
SELECT d.value, d.source, d.authority FROM ringfence.customer AS c, ringfence.datum(c.id, 'Payment status') AS d WHERE c.name = 'Customer 7';
SELECT h.kind, h.old, h.new, h.source FROM ringfence.customer AS c, ringfence.history(c.id, 'Payment status') AS h WHERE c.name = 'Customer 7';
RESET ringfence.source;
RESET SESSION AUTHORIZATION;
-- Roles belong to the cluster.
\c - postgres
SET client_min_messages = warning;
DROP OWNED BY sync_crm, sync_erp, sync_tickets;
DROP ROLE sync_crm, sync_erp, sync_tickets;
