-- Source systems: who makes them, which one a session writes as, and to which one a record belongs.
\set SHOW_CONTEXT never
\pset null -
CREATE ROLE source_crm LOGIN;    -- the CRM's connection: writes as CRM only
CREATE ROLE source_any LOGIN;    -- may write as any source
CREATE ROLE source_form LOGIN;   -- a web form: writes and does not read
SET ROLE dba;
SELECT ringfence.grant_access('source_crm', 'Company A', '{supervisor}', sources => '{CRM,Gone}'),
       ringfence.grant_access('source_any', 'Company A', '{supervisor}'),
       ringfence.grant_access('source_form', 'Company A', '{customer.write}', sources => '{CRM}') \g /dev/null
RESET ROLE;

-- Sources are made with source.manage, which profile admin has.
SET SESSION AUTHORIZATION app_a;
SELECT ringfence.create_source('CRM');
INSERT INTO ringfence.source (name) VALUES ('CRM');
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.has_right('source.manage');
SELECT ringfence.create_source('CRM', 'Contacts') IS NOT NULL AS created, ringfence.create_source('ERP', 'Payments') IS NOT NULL AS created;
SELECT ringfence.create_source('CRM');
SELECT ringfence.create_source(U&'CR\200DM');
SELECT ringfence.create_source('');
-- A name is not changed, a source is not deleted, and nobody retires one by hand.
UPDATE ringfence.source SET name = 'X' WHERE name = 'CRM';
UPDATE ringfence.source SET description = 'Contacts, since 2019' WHERE name = 'CRM';
UPDATE ringfence.source SET retired_at = now() WHERE name = 'CRM';
DELETE FROM ringfence.source;
RESET SESSION AUTHORIZATION;
-- All of the owner that read customers see them.
SET SESSION AUTHORIZATION trainee_a;
SELECT name, description, retired_at, successor_id FROM ringfence.source ORDER BY name;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION tickets_a;
SELECT name FROM ringfence.source;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION app_b;
SELECT name FROM ringfence.source;
RESET SESSION AUTHORIZATION;

-- A record belongs to the source of the session that inserted it.
SET SESSION AUTHORIZATION source_crm;
SELECT ringfence.current_source(), ringfence.current_source_id();
SET ringfence.source = 'CRM';
SELECT ringfence.current_source(), ringfence.current_source_id() = (SELECT id FROM ringfence.source WHERE name = 'CRM') AS known;
SELECT source, agent FROM ringfence.whoami();
INSERT INTO ringfence.customer_card (name) VALUES ('By card');
INSERT INTO ringfence.customer (name) VALUES ('By table');
SELECT action FROM ringfence.save_customer('{"name": "By save"}');
COPY ringfence.customer_card (name) FROM stdin;
By copy
\.
-- Not the client's to say.
INSERT INTO ringfence.customer (name, source_id) VALUES ('Forged', NULL);
UPDATE ringfence.customer SET source_id = NULL;
RESET ringfence.source;
INSERT INTO ringfence.customer_card (name) VALUES ('Of nobody');
SELECT c.name, s.name AS source FROM ringfence.customer AS c LEFT JOIN ringfence.source AS s ON s.id = c.source_id WHERE c.name ~ '^(By|Of) ' ORDER BY 1;
-- A source that the access does not name, whether the owner has it or not.
SET ringfence.source = 'ERP';
SELECT ringfence.current_source();
INSERT INTO ringfence.customer_card (name) VALUES ('X');
SET ringfence.source = 'No such source';
SELECT ringfence.current_source();
INSERT INTO ringfence.customer_card (name) VALUES ('X');
-- One that it names, and that the owner does not have.
SET ringfence.source = 'Gone';
SELECT ringfence.current_source();
INSERT INTO ringfence.customer_card (name) VALUES ('X');
UPDATE ringfence.customer_card SET address = 'X' WHERE name = 'By card';
DELETE FROM ringfence.customer_card WHERE name = 'By card';
RESET SESSION AUTHORIZATION;
RESET ringfence.source;
SET SESSION AUTHORIZATION source_form;
SET ringfence.source = 'CRM';
INSERT INTO ringfence.customer_card (name) VALUES ('Of the form');
RESET SESSION AUTHORIZATION;
RESET ringfence.source;
SELECT s.name FROM ringfence.customer AS c JOIN ringfence.source AS s ON s.id = c.source_id AND s.owner_id = c.owner_id WHERE c.name = 'Of the form';
-- Roles belong to the cluster.
\c - postgres
SET client_min_messages = warning;
DROP OWNED BY source_crm, source_any, source_form;
DROP ROLE source_crm, source_any, source_form;
