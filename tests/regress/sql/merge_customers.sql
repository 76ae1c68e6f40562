-- Two records of one person become one; and attacks on it (ATTACKS 323 to 325).
\set SHOW_CONTEXT never
\pset null -
SET client_min_messages = warning;
CREATE ROLE merge_lead LOGIN;
CREATE ROLE merge_agent LOGIN;
CREATE ROLE merge_erp LOGIN;
CREATE ROLE merge_shop NOLOGIN;
SET ROLE dba;
SELECT ringfence.grant_access('merge_lead', 'Company A', '{supervisor}'), ringfence.grant_access('merge_agent', 'Company A', '{agent,customer.delete}'),
       ringfence.grant_access('merge_erp', 'Company A', '{supervisor}', sources => '{ERP}') \g /dev/null
RESET ROLE;
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.create_source('CRM'), ringfence.create_source('ERP'), ringfence.create_field('Contract', projects => '{Sales}', is_unique => true),
       ringfence.create_field('Case', projects => '{Support}'), ringfence.create_field('Tax', projects => '{Sales}', is_masked => true), ringfence.create_field('Loose', projects => '{}') \g /dev/null
INSERT INTO ringfence.customer_card (id, name, phones, emails, attributes) VALUES
    ('a0000000-0000-0000-0000-0000000000c1', 'Lin Yi', '{0912 345 600}', '{lin@example.com}', '{"Contract": "C-1"}');
INSERT INTO ringfence.customer_card (id, name, phones, emails, address, birth_date, language, company_id, last_activity_at, attributes) VALUES
    ('a0000000-0000-0000-0000-0000000000c2', 'Lin Yi-Ling', '{+886912345600,0922 000 000}', '{LIN@example.com,yi@example.com}', 'Tainan', '1990-01-01', 'zh',
     (SELECT id FROM ringfence.company LIMIT 1), '2026-05-05 10:00+00', '{"Contract": "C-2", "Case": "K-2", "Tax": "T-2"}');
UPDATE ringfence.customer_card SET address = 'Taipei' WHERE name = 'Lin Yi-Ling';
SELECT ringfence.open_ticket('a0000000-0000-0000-0000-0000000000c2', 'Of the second', 'Support') AS ticket \gset
SELECT ringfence.log_interaction('call', customer => 'a0000000-0000-0000-0000-0000000000c2', project => 'Sales') \g /dev/null
RESET SESSION AUTHORIZATION;
-- What no project has follows too.
UPDATE ringfence.customer AS c SET attributes = c.attributes || jsonb_build_object(ringfence.storage_key(f.id), 'L-2') FROM ringfence.field AS f
 WHERE c.name = 'Lin Yi-Ling' AND f.name = 'Loose' AND f.owner_id = c.owner_id;
-- Tables of an application, one of them with a trigger that would like to be somebody else.
CREATE SCHEMA shop AUTHORIZATION merge_shop;
GRANT REFERENCES (owner_id, id) ON ringfence.customer TO merge_shop;
SET ROLE merge_shop;
CREATE TABLE shop.visit (owner_id uuid, id integer, customer_id uuid, guide_id uuid, FOREIGN KEY (owner_id, customer_id) REFERENCES ringfence.customer (owner_id, id), FOREIGN KEY (owner_id, guide_id) REFERENCES ringfence.customer (owner_id, id) ON DELETE CASCADE);
CREATE FUNCTION shop.tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE WARNING 'a trigger runs as %', current_user; RETURN NEW; END $$;
CREATE TRIGGER tell BEFORE UPDATE ON shop.visit FOR EACH ROW EXECUTE FUNCTION shop.tell();
ALTER TABLE shop.visit ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
RESET ROLE;
INSERT INTO shop.visit VALUES ('aaaaaaaa-0000-0000-0000-000000000001', 1, 'a0000000-0000-0000-0000-0000000000c2', NULL), ('aaaaaaaa-0000-0000-0000-000000000001', 2, 'a0000000-0000-0000-0000-0000000000c1', 'a0000000-0000-0000-0000-0000000000c2'),
    ('bbbbbbbb-0000-0000-0000-000000000002', 3, 'b0000000-0000-0000-0000-000000000001', NULL);

\echo 323: to merge takes all rights over customers in all projects, and both customers of the owner
SET SESSION AUTHORIZATION merge_agent;
SELECT ringfence.merge_customers('a0000000-0000-0000-0000-0000000000c1', 'a0000000-0000-0000-0000-0000000000c2');
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION sales_a;
SELECT ringfence.merge_customers('a0000000-0000-0000-0000-0000000000c1', 'a0000000-0000-0000-0000-0000000000c2');
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION merge_lead;
SELECT ringfence.merge_customers('a0000000-0000-0000-0000-0000000000c1', 'b0000000-0000-0000-0000-000000000001');
SELECT ringfence.merge_customers('b0000000-0000-0000-0000-000000000001', 'a0000000-0000-0000-0000-0000000000c1');
SELECT ringfence.merge_customers('a0000000-0000-0000-0000-0000000000c1', 'c0000000-0000-0000-0000-00000000dead');
SELECT ringfence.merge_customers('a0000000-0000-0000-0000-0000000000c1', 'a0000000-0000-0000-0000-0000000000c1');
SELECT ringfence.merge_customers('a0000000-0000-0000-0000-0000000000c1', NULL);
SELECT ringfence.move_references('a0000000-0000-0000-0000-0000000000c1', 'a0000000-0000-0000-0000-0000000000c2');
SELECT ringfence.move_at_desk('a0000000-0000-0000-0000-0000000000c1', 'a0000000-0000-0000-0000-0000000000c2');
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT ringfence.merge_customers('a0000000-0000-0000-0000-0000000000c1', 'a0000000-0000-0000-0000-0000000000c2');
ROLLBACK;
RESET SESSION AUTHORIZATION;

\echo 324: data of another source are neither deleted nor written by it, also with skip
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.set_authority('CRM', 'address') \g /dev/null
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION merge_erp;
SET ringfence.source = 'ERP';
SET ringfence.on_foreign_datum = 'skip';
SELECT ringfence.merge_customers('a0000000-0000-0000-0000-0000000000c1', 'a0000000-0000-0000-0000-0000000000c2');
RESET ringfence.on_foreign_datum;
RESET ringfence.source;
RESET SESSION AUTHORIZATION;
SELECT count(*) FROM ringfence.customer WHERE name LIKE 'Lin Yi%';
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.set_authority(NULL, 'address') \g /dev/null
RESET SESSION AUTHORIZATION;

\echo *** Merged
SET SESSION AUTHORIZATION merge_lead;
SELECT ringfence.merge_customers('a0000000-0000-0000-0000-0000000000c1', 'a0000000-0000-0000-0000-0000000000c2');
SELECT id, name, phones, emails, address, to_char(birth_date, 'YYYY-MM-DD') AS born, language, company_id IS NOT NULL AS company, last_activity_at IS NOT NULL AS active, attributes FROM ringfence.customer_card WHERE name LIKE 'Lin Yi%';
SELECT subject, customer_id FROM ringfence.ticket WHERE subject = 'Of the second';
SELECT count(*) FROM ringfence.interaction WHERE customer_id = 'a0000000-0000-0000-0000-0000000000c1';
SELECT field, kind, old, new, role_name, reason FROM ringfence.history('a0000000-0000-0000-0000-0000000000c1') ORDER BY field NULLS FIRST, at, kind, reason;
SELECT count(*) FROM ringfence.history('a0000000-0000-0000-0000-0000000000c2');
SELECT field, role_name FROM ringfence.creators('a0000000-0000-0000-0000-0000000000c1') WHERE field IN ('name', 'address', 'Contract');
SELECT name FROM ringfence.find_by_phone('0922000000');
SELECT name FROM ringfence.search_customers('yi@example.com');
-- The contract of the second is free again, and the first has kept its own.
INSERT INTO ringfence.customer_card (name, attributes) VALUES ('Somebody', '{"Contract": "C-2"}');
INSERT INTO ringfence.customer_card (name, attributes) VALUES ('Nobody', '{"Contract": "C-1"}');
RESET SESSION AUTHORIZATION;
SELECT c.attributes ->> ringfence.storage_key(f.id) AS loose FROM ringfence.customer AS c JOIN ringfence.field AS f ON f.owner_id = c.owner_id AND f.name = 'Loose' WHERE c.name = 'Lin Yi';
\echo 325: rows of an application follow, its triggers run as the owner of its table, and no row of another owner moves
SELECT owner_id, id, customer_id, guide_id FROM shop.visit ORDER BY owner_id, id;
DROP SCHEMA shop CASCADE;
REVOKE REFERENCES (owner_id, id) ON ringfence.customer FROM merge_shop;
-- Roles belong to the cluster.
\c - postgres
SET client_min_messages = warning;
DROP OWNED BY merge_lead, merge_agent, merge_erp, merge_shop;
DROP ROLE merge_lead, merge_agent, merge_erp, merge_shop;
