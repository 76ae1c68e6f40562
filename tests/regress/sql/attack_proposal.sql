-- Attacks on proposals (ATTACKS 250 to 252).
\set SHOW_CONTEXT never
\pset null -
CREATE ROLE attack_trainee LOGIN;
CREATE ROLE attack_trainee_b LOGIN;
CREATE ROLE attack_accept LOGIN;
SET ROLE dba;
SELECT ringfence.grant_access('attack_trainee', 'Company A', '{customer.read,customer.propose}'),
       ringfence.grant_access('attack_trainee_b', 'Company B', '{customer.read,customer.propose}'),
       ringfence.grant_access('attack_accept', 'Company A', '{agent}', 'Support') \g /dev/null
RESET ROLE;
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.create_field('Secret', projects => '{Sales,Support}', is_masked => true), ringfence.create_field('Plan', projects => '{Sales}') \g /dev/null
RESET SESSION AUTHORIZATION;
SET ROLE dba;
SELECT ringfence.grant_access('attack_trainee', 'Company A', '{customer.read,customer.propose,field.unmask}') \g /dev/null
RESET ROLE;
SET SESSION AUTHORIZATION attack_trainee;
UPDATE ringfence.customer_card SET attributes = '{"Secret": "CANARY-Secret", "Plan": "CANARY-Plan"}' WHERE name = 'Chen Wei';
INSERT INTO ringfence.customer_card (name, attributes) VALUES ('New', '{"Secret": "CANARY-Secret", "Plan": "CANARY-Plan"}');
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION attack_trainee_b;
UPDATE ringfence.customer_card SET address = 'CANARY-B2' WHERE name = 'Tsai Mei-Ling';
RESET SESSION AUTHORIZATION;

\echo 250: nobody writes or reads the table; a proposal of another owner is one that is not there
SET SESSION AUTHORIZATION boss_a;
SELECT * FROM ringfence.proposed_value;
UPDATE ringfence.proposed_value SET state = 'accepted';
DELETE FROM ringfence.proposed_value;
INSERT INTO ringfence.proposed_value (data, role_name) VALUES ('{}', 'app_a');
INSERT INTO ringfence.proposal (field) VALUES ('name');
DELETE FROM ringfence.proposal;
SELECT ringfence.store_proposal(NULL, NULL, '{}', 'app_a', NULL, NULL);
SELECT count(*) FROM ringfence.proposal WHERE new::text LIKE '%CANARY-B%';
RESET SESSION AUTHORIZATION;
SELECT id AS of_b FROM ringfence.proposed_value WHERE owner_id = 'bbbbbbbb-0000-0000-0000-000000000002' \gset
SELECT id AS masked FROM ringfence.proposed_value WHERE data ->> 'new' = 'CANARY-Secret' \gset
SELECT id AS hidden FROM ringfence.proposed_value WHERE data ->> 'new' = 'CANARY-Plan' \gset
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.accept_proposal(:'of_b');
SELECT ringfence.reject_proposal(:'of_b');
SELECT ringfence.accept_proposal('c0000000-0000-0000-0000-00000000dead');
SELECT ringfence.reject_proposal('c0000000-0000-0000-0000-00000000dead');
RESET SESSION AUTHORIZATION;

\echo 251: proposals show no value of a field that the session does not see, nor does accepting them
SET SESSION AUTHORIZATION attack_accept;
SELECT customer_id IS NULL AS new_customer, field, old, CASE WHEN customer_id IS NULL THEN new - 'id' ELSE new END AS new FROM ringfence.proposal;
SELECT count(*) FROM ringfence.proposal AS p WHERE p::text LIKE '%CANARY%';
SELECT ringfence.accept_proposal(:'masked');
SELECT ringfence.reject_proposal(:'masked');
SELECT ringfence.accept_proposal(:'hidden');
SELECT ringfence.accept_proposal(id) FROM ringfence.proposal WHERE customer_id IS NULL;
SELECT count(*) FROM ringfence.customer WHERE name = 'New';
EXPLAIN (COSTS OFF) SELECT new FROM ringfence.proposal WHERE field = 'Plan';
RESET SESSION AUTHORIZATION;

\echo 252: to propose reads nothing more, and writes nothing
SET SESSION AUTHORIZATION attack_trainee;
SELECT ringfence.accept_proposal(:'masked');
BEGIN;
SELECT count(*) FROM ringfence.customer;
UPDATE ringfence.customer_card SET name = 'X' WHERE true;
SELECT count(*) FROM ringfence.customer WHERE name = 'X';
ROLLBACK;
COPY ringfence.customer_card (name) FROM stdin;
Copied
\.
SELECT count(*) FROM ringfence.customer WHERE name = 'Copied';
RESET SESSION AUTHORIZATION;
-- Roles belong to the cluster.
\c - postgres
SET client_min_messages = warning;
DROP OWNED BY attack_trainee, attack_trainee_b, attack_accept;
DROP ROLE attack_trainee, attack_trainee_b, attack_accept;
