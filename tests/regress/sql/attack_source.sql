-- Attacks on whose datum it is (ATTACKS 230 to 236).
\set SHOW_CONTEXT never
\pset null -
CREATE ROLE attack_crm LOGIN;
CREATE ROLE attack_erp LOGIN;
CREATE ROLE attack_any LOGIN;
CREATE ROLE attack_both LOGIN;
CREATE ROLE attack_form LOGIN;
SET ROLE dba;
SELECT ringfence.grant_access('attack_crm', 'Company A', '{supervisor}', sources => '{CRM}'),
       ringfence.grant_access('attack_erp', 'Company A', '{supervisor}', sources => '{ERP}'),
       ringfence.grant_access('attack_any', 'Company A', '{supervisor}'),
       ringfence.grant_access('attack_both', 'Company A', '{supervisor}'),
       ringfence.grant_access('attack_both', 'Company B', '{supervisor}'),
       ringfence.grant_access('attack_form', 'Company A', '{customer.write}', sources => '{ERP}') \g /dev/null
SELECT ringfence.grant_access('app_b', 'Company B', '{admin}') \g /dev/null
RESET ROLE;
SET SESSION AUTHORIZATION app_b;
SELECT ringfence.create_source('CANARY-B') IS NOT NULL AS created \g /dev/null
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.create_source('CRM'), ringfence.create_source('ERP') \g /dev/null
SELECT ringfence.create_field('Payment status', projects => '{Sales,Support}') \g /dev/null
SELECT ringfence.create_field('Secret', projects => '{Sales,Support}', is_masked => true) \g /dev/null
SELECT ringfence.set_authority('CRM', 'name'), ringfence.set_authority('CRM', 'phones'), ringfence.set_authority('ERP', 'Payment status') \g /dev/null
RESET SESSION AUTHORIZATION;

\echo 230: a session that sets ringfence.source to a source that its access does not name, there or not
SET SESSION AUTHORIZATION attack_erp;
SET ringfence.source = 'CRM';
UPDATE ringfence.customer_card SET name = 'Stolen' WHERE name = 'Chen Wei';
SET ringfence.source = 'No such source';
UPDATE ringfence.customer_card SET name = 'Stolen' WHERE name = 'Chen Wei';
SET ringfence.source = 'CANARY-B';
UPDATE ringfence.customer_card SET name = 'Stolen' WHERE name = 'Chen Wei';
RESET ringfence.source;
RESET SESSION AUTHORIZATION;

\echo 318: an entry of access that does not name sources, and gives no right to write customers, widens what the session may write as
SET ROLE dba;
SELECT ringfence.grant_access('attack_erp', 'Company A', '{ticket.read}', 'Support'),
       ringfence.grant_access('attack_erp', 'Company A', '{customer.read}', 'Sales') \g /dev/null
RESET ROLE;
SET SESSION AUTHORIZATION attack_erp;
SET ringfence.source = 'CRM';
UPDATE ringfence.customer_card SET name = 'Stolen' WHERE name = 'Chen Wei';
SET ringfence.project = 'Support';
UPDATE ringfence.customer_card SET name = 'Stolen' WHERE name = 'Chen Wei';
RESET ringfence.project;
SET ringfence.source = 'ERP';
SELECT ringfence.current_source();
RESET ringfence.source;
RESET SESSION AUTHORIZATION;
SET ROLE dba;
SELECT ringfence.revoke_access('attack_erp', 'Company A', 'Support'), ringfence.revoke_access('attack_erp', 'Company A', 'Sales') \g /dev/null
RESET ROLE;

\echo 231: a source of another owner is the same error as one that nobody has
SET SESSION AUTHORIZATION attack_any;
SET ringfence.source = 'CANARY-B';
SELECT ringfence.current_source_id();
INSERT INTO ringfence.customer_card (name) VALUES ('X');
SELECT ringfence.set_authority('CANARY-B');
SET ringfence.source = 'CANARY-X';
SELECT ringfence.current_source_id();
INSERT INTO ringfence.customer_card (name) VALUES ('X');
RESET ringfence.source;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.set_authority('CANARY-B');
SELECT ringfence.set_authority('CANARY-X');
SELECT ringfence.retire_source('ERP', 'CANARY-B');
SELECT ringfence.retire_source('ERP', 'CANARY-X');
SELECT ringfence.hand_over('a0000000-0000-0000-0000-000000000002', 'CANARY-B');
SELECT ringfence.hand_over('b0000000-0000-0000-0000-000000000001', 'CRM');
SELECT ringfence.hand_over('c0000000-0000-0000-0000-00000000dead', 'CRM');
SELECT ringfence.create_source('CANARY-B') IS NOT NULL AS created;
RESET SESSION AUTHORIZATION;

\echo 232: changing whose the data are without source.manage, or in a table
SET SESSION AUTHORIZATION attack_erp;
SET ringfence.source = 'ERP';
SELECT ringfence.set_authority('ERP', 'name');
SELECT ringfence.set_authority(NULL, 'name');
SELECT ringfence.hand_over('a0000000-0000-0000-0000-000000000002', 'ERP');
SELECT ringfence.retire_source('CRM', 'ERP');
SELECT ringfence.create_source('ERP 2');
SELECT * FROM ringfence.authority;
DELETE FROM ringfence.authority;
INSERT INTO ringfence.authority (source_id) VALUES ('c0000000-0000-0000-0000-00000000dead');
UPDATE ringfence.source SET description = 'mine';
SELECT ringfence.exempt_own_work();
SELECT ringfence.authority_over(NULL, NULL);
SET ringfence.keep_history = 'none';
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION boss_a;
INSERT INTO ringfence.authority (source_id) SELECT id FROM ringfence.source;
UPDATE ringfence.authority SET source_id = source_id;
DELETE FROM ringfence.authority;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION dba;
SELECT ringfence.set_authority('ERP', 'name');
DELETE FROM ringfence.authority;
RESET SESSION AUTHORIZATION;

\echo 233: writing a foreign datum by every way
SET SESSION AUTHORIZATION attack_erp;
SET ringfence.source = 'ERP';
UPDATE ringfence.customer_card SET name = 'Stolen' WHERE name = 'Chen Wei';
UPDATE ringfence.customer SET name = 'Stolen' WHERE name = 'Chen Wei';
UPDATE ringfence.customer SET phones = '{}', address = 'New' WHERE name = 'Chen Wei';
SELECT ringfence.save_customer('{"id": "a0000000-0000-0000-0000-000000000002", "name": "Stolen"}');
SELECT ringfence.save_customer('{"emails": ["chen@example.com"], "phones": ["0955"]}', 'email');
MERGE INTO ringfence.customer AS c USING (SELECT 'Chen Wei' AS name) AS n ON c.name = n.name WHEN MATCHED THEN UPDATE SET name = 'Stolen';
WITH stolen AS (UPDATE ringfence.customer_card SET name = 'Stolen' WHERE name = 'Chen Wei' RETURNING name) SELECT * FROM stolen;
INSERT INTO ringfence.customer_card (name) VALUES ('New');
INSERT INTO ringfence.customer (name) VALUES ('New');
DELETE FROM ringfence.customer_card WHERE name = 'Chen Wei';
DELETE FROM ringfence.customer WHERE name = 'Chen Wei';
COPY ringfence.customer_card (name) FROM stdin;
New
\.
-- Writing back what is there changes nothing; other data may be written.
UPDATE ringfence.customer_card SET name = name, phones = phones, address = 'New' WHERE name = 'Chen Wei' RETURNING name, address;
UPDATE ringfence.customer_card SET attributes = attributes || '{"Payment status": "paid"}' WHERE name = 'Chen Wei' RETURNING attributes;
RESET ringfence.source;
-- Without a source: neither.
UPDATE ringfence.customer_card SET attributes = '{}' WHERE name = 'Chen Wei';
UPDATE ringfence.customer_card SET name = 'Stolen', attributes = attributes || '{"Payment status": "open"}' WHERE name = 'Chen Wei';
RESET SESSION AUTHORIZATION;
-- A session that does not read is told of no source.
SET SESSION AUTHORIZATION attack_form;
UPDATE ringfence.customer SET name = 'Stolen';
RESET SESSION AUTHORIZATION;

\echo 234: by way of a referential action: deleting a company clears the datum of its customers
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.set_authority('CRM', 'company_id') \g /dev/null
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION attack_erp;
SET ringfence.source = 'ERP';
DELETE FROM ringfence.company WHERE name = 'Formosa Tea';
SET ringfence.on_foreign_datum = 'skip';
DELETE FROM ringfence.company WHERE name = 'Formosa Tea';
RESET ringfence.on_foreign_datum;
RESET ringfence.source;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION attack_crm;
SET ringfence.source = 'CRM';
BEGIN;
DELETE FROM ringfence.company WHERE name = 'Formosa Tea';
SELECT name, company_id FROM ringfence.customer WHERE name = 'Tsai Mei-Ling';
ROLLBACK;
RESET ringfence.source;
RESET SESSION AUTHORIZATION;

\echo 235: changing the definition of a field, and then a foreign datum in the same transaction
SET SESSION AUTHORIZATION boss_a;
BEGIN;
SELECT ringfence.retype_field('Payment status', 'choice', '{paid,open}');
UPDATE ringfence.customer_card SET attributes = '{"Payment status": "open"}' WHERE name = 'Chen Wei';
ROLLBACK;
BEGIN;
SAVEPOINT s;
SELECT ringfence.retype_field('Payment status', 'date');
ROLLBACK TO s;
UPDATE ringfence.customer_card SET attributes = '{"Payment status": "open"}' WHERE name = 'Chen Wei';
ROLLBACK;
DO $$ BEGIN
    BEGIN
        PERFORM ringfence.retype_field('Payment status', 'number');
    EXCEPTION WHEN OTHERS THEN NULL;
    END;
    UPDATE ringfence.customer_card SET name = 'Stolen' WHERE name = 'Chen Wei';
END $$;
RESET SESSION AUTHORIZATION;

\echo 236: another owner is not told of, and not bound by it
SET SESSION AUTHORIZATION app_b;
SELECT count(*) FROM ringfence.authority;
SELECT name FROM ringfence.source;
UPDATE ringfence.customer_card SET name = 'Tsai' WHERE name = 'Tsai Mei-Ling';
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION attack_both;
BEGIN;
SELECT ringfence.enter('Company B') \g /dev/null
UPDATE ringfence.customer_card SET name = 'Tsai Mei-Ling' WHERE name = 'Tsai';
COMMIT;
BEGIN;
SELECT ringfence.enter('Company A') \g /dev/null
UPDATE ringfence.customer_card SET name = 'Tsai' WHERE name = 'Tsai Mei-Ling';
ROLLBACK;
RESET SESSION AUTHORIZATION;
SELECT name, phones FROM ringfence.customer WHERE owner_id = 'aaaaaaaa-0000-0000-0000-000000000001' ORDER BY name;
-- Roles belong to the cluster.
\c - postgres
SET client_min_messages = warning;
DROP OWNED BY attack_crm, attack_erp, attack_any, attack_both, attack_form;
DROP ROLE attack_crm, attack_erp, attack_any, attack_both, attack_form;
