-- search_customers() by the number of a ticket and by the external id of an interaction, as far as the session sees either (ATTACKS 220).
\set SHOW_CONTEXT never
\set VERBOSITY default
\pset null (null)
SET SESSION AUTHORIZATION dba;
SELECT ringfence.grant_access('sales_a', 'Company A', '{agent}', 'Sales');
SELECT ringfence.grant_access('support_a', 'Company A', '{agent}', 'Support');
SET SESSION AUTHORIZATION boss_a;
INSERT INTO ringfence.customer_card (id, name, phones) VALUES ('a0000000-0000-0000-0000-0000000000d1', 'Desk Sales', '{0912000001}'), ('a0000000-0000-0000-0000-0000000000d2', 'Desk Support', '{0912000002}');
SELECT ringfence.open_ticket('a0000000-0000-0000-0000-0000000000d1', 'Of Sales', 'Sales') IS NOT NULL AS opened;
SELECT ringfence.open_ticket('a0000000-0000-0000-0000-0000000000d2', 'Of Support', 'Support') IS NOT NULL AS opened;
SELECT ringfence.open_ticket('a0000000-0000-0000-0000-0000000000d2', 'Of no project') IS NOT NULL AS opened;
SELECT ringfence.open_ticket(NULL, 'Of nobody', 'Sales') IS NOT NULL AS opened;
SELECT ringfence.log_interaction('call', customer => 'a0000000-0000-0000-0000-0000000000d1', project => 'Sales', external_id => 'call-1') IS NOT NULL AS kept;
SELECT ringfence.log_interaction('call', customer => 'a0000000-0000-0000-0000-0000000000d2', project => 'Support', external_id => 'call-2') IS NOT NULL AS kept;
SELECT ringfence.log_interaction('call', customer => 'a0000000-0000-0000-0000-0000000000d2', project => 'Sales', external_id => '1') IS NOT NULL AS kept;
SELECT ringfence.log_interaction('call', project => 'Sales', external_id => 'call-3') IS NOT NULL AS kept;

-- Exact, with what was found. Both ways of a number, and blanks around it.
SELECT query, name, rank, matched FROM unnest(ARRAY['1', '#1', ' #2 ', '3', '4', '5', 'call-1', 'call-2', 'call-3', 'CALL-1', 'call-', '##1', '-1', '+1', '01', '99999999999999999999']) WITH ORDINALITY AS asked (query, n)
  LEFT JOIN LATERAL ringfence.search_customers(query) ON rank = 1 ORDER BY n, name;
-- One that is found by its ticket and by its phone comes once, on whichever page.
SELECT ringfence.log_interaction('call', customer => 'a0000000-0000-0000-0000-0000000000d1', project => 'Sales', external_id => '000002') IS NOT NULL AS kept;
SELECT name, rank, matched FROM ringfence.search_customers('000002');
SELECT name, rank, matched, cursor FROM ringfence.search_customers('000002', 1) \gset first_
SELECT :'first_name' AS name, :'first_rank' AS rank;
SELECT name, rank, matched FROM ringfence.search_customers('000002', 20, :'first_cursor');

-- Each project by its own numbers and ids; those of no project take the right in all.
SET SESSION AUTHORIZATION sales_a;
SELECT query, name, rank FROM unnest(ARRAY['1', '#2', '#3', 'call-1', 'call-2']) WITH ORDINALITY AS asked (query, n) LEFT JOIN LATERAL ringfence.search_customers(query) ON rank = 1 ORDER BY n, name;
SET SESSION AUTHORIZATION support_a;
SELECT query, name, rank FROM unnest(ARRAY['1', '#2', '#3', 'call-1', 'call-2']) WITH ORDINALITY AS asked (query, n) LEFT JOIN LATERAL ringfence.search_customers(query) ON rank = 1 ORDER BY n, name;

-- Another owner finds its own, and nothing by a number or an id that only A has.
SET SESSION AUTHORIZATION app_b;
SELECT query, count(name) FROM unnest(ARRAY['1', '#2', '#3', 'call-1', 'call-2', 'call-9']) AS asked (query) LEFT JOIN LATERAL ringfence.search_customers(query) ON rank = 1 GROUP BY query ORDER BY query;
SELECT ringfence.open_ticket('b0000000-0000-0000-0000-000000000001', 'Of B') IS NOT NULL AS opened;
SELECT name, rank, matched FROM ringfence.search_customers('#1');

-- Without a right over tickets and interactions, a customer is found by neither.
SET SESSION AUTHORIZATION dba;
SELECT ringfence.grant_access('trainee_a', 'Company A', '{customer.read}');
SET SESSION AUTHORIZATION trainee_a;
SELECT query, count(name) FROM unnest(ARRAY['#1', '#2', 'call-1']) AS asked (query) LEFT JOIN LATERAL ringfence.search_customers(query) ON rank = 1 GROUP BY query ORDER BY query;
