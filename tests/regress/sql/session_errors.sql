-- No owner, an unknown one, a disabled one, somebody else's: the same refusal from every kind of statement.
\set SHOW_CONTEXT never
\set VERBOSITY sqlstate
\set QUIET on

-- Superuser: an owner that app_ab has access to, disabled.
SELECT ringfence.grant_access('app_ab', 'Company C', '{agent}');
UPDATE ringfence.owner SET enabled = false WHERE name = 'Company C';

\set try 'SELECT count(*) FROM ringfence.customer; SELECT count(*) FROM ringfence.customer_card; SELECT count(*) FROM ringfence.company; INSERT INTO ringfence.customer (name) VALUES (''x''); INSERT INTO ringfence.customer_card (name) VALUES (''x''); UPDATE ringfence.customer SET name = ''x''; UPDATE ringfence.customer_card SET name = ''x''; DELETE FROM ringfence.customer; DELETE FROM ringfence.customer_card; SELECT count(*) FROM ringfence.search_customers(''tsai''); SELECT count(*) FROM ringfence.find_by_phone(''0912345678''); SELECT count(*) FROM ringfence.find_by_email(''tsai@example.com''); SELECT count(*) FROM ringfence.visible_fields(); SELECT ringfence.current_owner(); SELECT ringfence.has_right(''customer.read''); COPY ringfence.customer TO STDOUT; COPY (SELECT id FROM ringfence.customer) TO STDOUT; COPY (SELECT id FROM ringfence.customer_card) TO STDOUT;'

SET SESSION AUTHORIZATION app_ab;

\echo *** no owner: 42501
:try
COPY ringfence.customer_card (name) FROM STDIN;
x
\.

\echo *** an owner that does not exist: 42501
SET ringfence.owner = 'No Such Company';
:try
SET ringfence.owner = 'dddddddd-0000-0000-0000-000000000004';
SELECT count(*) FROM ringfence.customer;
COPY ringfence.customer_card (name) FROM STDIN;
x
\.

\echo *** the owner of somebody else: 42501
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION app_a;
SET ringfence.owner = 'Company B';
:try
COPY ringfence.customer_card (name) FROM STDIN;
x
\.
SET ringfence.owner = 'bbbbbbbb-0000-0000-0000-000000000002';
:try

\echo *** a disabled owner: 55000
RESET SESSION AUTHORIZATION;
RESET ringfence.owner;
SET SESSION AUTHORIZATION app_ab;
SET ringfence.owner = 'Company C';
:try
COPY ringfence.customer_card (name) FROM STDIN;
x
\.

\echo *** table privileges, and access to nothing: 42501
RESET SESSION AUTHORIZATION;
RESET ringfence.owner;
SET SESSION AUTHORIZATION app_none;
:try

\echo *** no role of ringfence: 42501
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION stranger;
:try

\echo *** ringfence_admin holds no right over any data: 42501
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION dba;
:try

-- What the errors say. Somebody else's owner and none at all are told apart by nothing.
\set VERBOSITY default
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION app_a;
SET ringfence.owner = 'Company B';
SELECT count(*) FROM ringfence.customer;
SET ringfence.owner = 'Company X';
SELECT count(*) FROM ringfence.customer;
SET ringfence.owner = '';
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION app_ab;
SELECT count(*) FROM ringfence.customer;
SET ringfence.owner = 'Company C';
SELECT count(*) FROM ringfence.customer;
SET ringfence.owner = 'Company A';
SELECT count(*) FROM ringfence.customer;
-- The role's only owner, disabled: it is told, since it is the role's own.
RESET SESSION AUTHORIZATION;
RESET ringfence.owner;
UPDATE ringfence.owner SET enabled = false WHERE name = 'Company A';
SET SESSION AUTHORIZATION app_a;
SELECT count(*) FROM ringfence.customer;
-- And nothing was written by all of these.
RESET SESSION AUTHORIZATION;
SELECT count(*) FROM ringfence.customer;
SELECT count(*) FROM ringfence.customer WHERE name = 'x';
