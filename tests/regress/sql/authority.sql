-- Authority over data: by field, by record, as a whole; what is left out; handing over and retiring.
\set SHOW_CONTEXT never
\pset null -
CREATE ROLE authority_crm LOGIN;
CREATE ROLE authority_erp LOGIN;
SET ROLE dba;
SELECT ringfence.grant_access('authority_crm', 'Company A', '{supervisor}', sources => '{CRM}'),
       ringfence.grant_access('authority_erp', 'Company A', '{supervisor}', sources => '{ERP}') \g /dev/null
RESET ROLE;
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.create_source('CRM'), ringfence.create_source('ERP') \g /dev/null
SELECT ringfence.create_field('Payment status', projects => '{Sales,Support}', is_unique => true) \g /dev/null
SELECT ringfence.create_field('Plan', 'choice', projects => '{Sales}', options => '{silver,gold}') \g /dev/null
-- Of the record: a customer belongs to the source that inserted it, in all its data.
RESET SESSION AUTHORIZATION;
RESET ringfence.source;
SET SESSION AUTHORIZATION authority_erp;
SET ringfence.source = 'ERP';
INSERT INTO ringfence.customer_card (id, name, phones) VALUES ('a0000000-0000-0000-0000-0000000000e1', 'Of ERP', '{0911}');
RESET SESSION AUTHORIZATION;
RESET ringfence.source;
SET SESSION AUTHORIZATION authority_crm;
SET ringfence.source = 'CRM';
UPDATE ringfence.customer_card SET address = 'CRM was here' WHERE name = 'Of ERP';
UPDATE ringfence.customer_card SET attributes = '{"Plan": "gold"}' WHERE name = 'Of ERP';
DELETE FROM ringfence.customer_card WHERE name = 'Of ERP';
-- What is nobody's datum can be written: when the customer was active.
UPDATE ringfence.customer_card SET last_activity_at = '2026-05-05 00:00+00' WHERE name = 'Of ERP' RETURNING name, updated_by;
RESET SESSION AUTHORIZATION;
RESET ringfence.source;

-- The field's authority comes before the record's.
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.set_authority('CRM', 'name'), ringfence.set_authority('CRM', 'Plan') \g /dev/null
SELECT f.name AS field, s.name AS source FROM ringfence.authority a JOIN ringfence.source s ON s.id = a.source_id LEFT JOIN ringfence.field f ON f.id = a.field_id ORDER BY 1;
SELECT ringfence.set_authority('CRM', 'No such field');
SELECT ringfence.set_authority('No such source', 'name');
RESET SESSION AUTHORIZATION;
RESET ringfence.source;
SET SESSION AUTHORIZATION authority_crm;
SET ringfence.source = 'CRM';
UPDATE ringfence.customer_card SET name = 'Of ERP, named by CRM', attributes = '{"Plan": "gold"}' WHERE name = 'Of ERP' RETURNING name, attributes;
RESET SESSION AUTHORIZATION;
RESET ringfence.source;
SET SESSION AUTHORIZATION authority_erp;
SET ringfence.source = 'ERP';
UPDATE ringfence.customer_card SET name = 'Back', attributes = '{}' WHERE name LIKE 'Of ERP%';
UPDATE ringfence.customer_card SET address = 'Of ERP' WHERE name LIKE 'Of ERP%' RETURNING address;

-- Skip: what is foreign is left out, and the rest is written. Derived columns and unique values follow what is stored.
SET ringfence.on_foreign_datum = 'skip';
UPDATE ringfence.customer_card SET name = 'Back', address = 'Elsewhere', attributes = '{"Payment status": "P-1"}' WHERE name LIKE 'Of ERP%' RETURNING name, address, attributes;
UPDATE ringfence.customer SET name = 'Back' WHERE name LIKE 'Of ERP%' RETURNING name;
-- A whole new customer cannot be without its name.
INSERT INTO ringfence.customer_card (name, address) VALUES ('Not to be', 'Nowhere') RETURNING name;
INSERT INTO ringfence.customer (name) VALUES ('Not to be');
SELECT * FROM ringfence.save_customer('{"name": "Not to be"}');
SELECT count(*) FROM ringfence.customer WHERE name = 'Not to be';
DELETE FROM ringfence.customer_card WHERE name LIKE 'Of ERP%';
RESET ringfence.on_foreign_datum;
RESET SESSION AUTHORIZATION;
RESET ringfence.source;
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.set_authority(NULL, 'name'), ringfence.set_authority('CRM', 'phones'), ringfence.set_authority('CRM', 'Payment status') \g /dev/null
RESET SESSION AUTHORIZATION;
RESET ringfence.source;
SET SESSION AUTHORIZATION authority_erp;
SET ringfence.source = 'ERP';
SET ringfence.on_foreign_datum = 'skip';
INSERT INTO ringfence.customer_card (id, name, phones, emails, attributes) VALUES ('a0000000-0000-0000-0000-0000000000e2', 'New', '{0922}', '{a@example.com}', '{"Payment status": "P-2"}') RETURNING name, phones, emails, attributes;
INSERT INTO ringfence.customer (id, name, phones) VALUES ('a0000000-0000-0000-0000-0000000000e3', 'Newer', '{0933}');
SELECT name, phones, normal_phones FROM ringfence.customer WHERE name LIKE 'New%' ORDER BY 1;
SELECT count(*) FROM ringfence.find_by_phone('0922');
RESET ringfence.on_foreign_datum;
INSERT INTO ringfence.customer_card (name, phones) VALUES ('X', '{0944}');
INSERT INTO ringfence.customer_card (name, phones) VALUES ('Without a phone', '{}') RETURNING name;
RESET SESSION AUTHORIZATION;
RESET ringfence.source;
-- The value that was left out is not taken.
SELECT count(*) FROM ringfence.unique_value WHERE customer_id = 'a0000000-0000-0000-0000-0000000000e2';
SET SESSION AUTHORIZATION authority_crm;
SET ringfence.source = 'CRM';
UPDATE ringfence.customer_card SET attributes = attributes || '{"Payment status": "P-2"}' WHERE name LIKE 'Of ERP%' RETURNING attributes;
RESET SESSION AUTHORIZATION;
RESET ringfence.source;

-- As a whole: for customers without an authority of their own.
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.set_authority('CRM') \g /dev/null
RESET SESSION AUTHORIZATION;
RESET ringfence.source;
SET SESSION AUTHORIZATION app_a;
UPDATE ringfence.customer_card SET language = 'zh' WHERE name = 'Chen Wei';
UPDATE ringfence.customer_card SET language = 'zh' WHERE name = 'New';
INSERT INTO ringfence.customer_card (name) VALUES ('X');
RESET SESSION AUTHORIZATION;
RESET ringfence.source;
SET SESSION AUTHORIZATION authority_erp;
SET ringfence.source = 'ERP';
UPDATE ringfence.customer_card SET language = 'zh' WHERE name = 'Chen Wei';
UPDATE ringfence.customer_card SET language = 'zh' WHERE name = 'New' RETURNING language;
RESET SESSION AUTHORIZATION;
RESET ringfence.source;

-- Handing over.
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.hand_over('a0000000-0000-0000-0000-0000000000e2', 'CRM') \g /dev/null
RESET SESSION AUTHORIZATION;
RESET ringfence.source;
SET SESSION AUTHORIZATION authority_erp;
SET ringfence.source = 'ERP';
UPDATE ringfence.customer_card SET language = 'pl' WHERE name = 'New';
RESET SESSION AUTHORIZATION;
RESET ringfence.source;
SET SESSION AUTHORIZATION authority_crm;
SET ringfence.source = 'CRM';
UPDATE ringfence.customer_card SET language = 'pl' WHERE name = 'New' RETURNING language;
RESET SESSION AUTHORIZATION;
RESET ringfence.source;

-- Retiring: whatever belonged to ERP is CRM's, and nobody is ERP any more.
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.set_authority('ERP', 'Payment status') \g /dev/null
SELECT ringfence.retire_source('ERP', 'ERP');
SELECT ringfence.retire_source('ERP', NULL);
SELECT ringfence.retire_source('ERP', 'CRM');
SELECT ringfence.retire_source('ERP', 'CRM');
SELECT ringfence.retire_source('CRM', 'ERP');
SELECT ringfence.set_authority('ERP', 'address');
SELECT s.name, s.retired_at IS NOT NULL AS retired, n.name AS successor FROM ringfence.source s LEFT JOIN ringfence.source n ON n.id = s.successor_id ORDER BY 1;
RESET SESSION AUTHORIZATION;
RESET ringfence.source;
SET SESSION AUTHORIZATION authority_erp;
SET ringfence.source = 'ERP';
SELECT ringfence.current_source();
UPDATE ringfence.customer_card SET address = 'X' WHERE name LIKE 'Of ERP%';
RESET SESSION AUTHORIZATION;
RESET ringfence.source;
SET SESSION AUTHORIZATION authority_crm;
SET ringfence.source = 'CRM';
UPDATE ringfence.customer_card SET address = 'CRM has it', attributes = attributes || '{"Payment status": "P-3"}' WHERE name LIKE 'Of ERP%' RETURNING address, attributes;
DELETE FROM ringfence.customer_card WHERE name LIKE 'Of ERP%';
RESET SESSION AUTHORIZATION;
RESET ringfence.source;

-- Definitions are the owner's own: dropping or retyping a field asks for no source.
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.set_authority('CRM', 'Plan') \g /dev/null
RESET SESSION AUTHORIZATION;
RESET ringfence.source;
SET SESSION AUTHORIZATION authority_crm;
SET ringfence.source = 'CRM';
UPDATE ringfence.customer_card SET attributes = '{"Plan": "gold"}' WHERE name = 'Chen Wei' RETURNING attributes;
RESET SESSION AUTHORIZATION;
RESET ringfence.source;
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.retype_field('Plan', 'text'), ringfence.drop_field('Plan', 1);
RESET SESSION AUTHORIZATION;
RESET ringfence.source;
-- A superuser repairs what he likes.
UPDATE ringfence.customer SET name = 'Repaired' WHERE name = 'Chen Wei' RETURNING name;
-- Roles belong to the cluster.
\c - postgres
SET client_min_messages = warning;
DROP OWNED BY authority_crm, authority_erp;
DROP ROLE authority_crm, authority_erp;
