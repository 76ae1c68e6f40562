-- Fields by project (B1 to B7, B15, B16): sales and support of one owner, a shared field, exclusive ones, a masked one.
\set SHOW_CONTEXT never
CREATE ROLE newcomer_field LOGIN;
\set VERBOSITY default
SET SESSION AUTHORIZATION boss_a;

-- B2: only the name must be given. B3: bound to any number of projects, none included. B6: sharing is told.
SELECT ringfence.create_field('Plan', projects => '{Sales}', type => 'choice', options => '{gold,silver}') IS NOT NULL AS made;
SELECT ringfence.create_field('Comment', projects => '{Sales,Support}', is_searchable => true) IS NOT NULL AS made;
SELECT ringfence.create_field('Fault', projects => '{Support}', type => 'number', description => 'Code of the fault') IS NOT NULL AS made;
SELECT ringfence.create_field('Card', projects => '{Sales}', is_masked => true, is_searchable => true) IS NOT NULL AS made;
SELECT ringfence.create_field('Tags', projects => '{Support}', type => 'choices', options => '{vip,late}') IS NOT NULL AS made;
SELECT ringfence.create_field('Later') IS NOT NULL AS made;
SELECT ringfence.create_field('Imię 蔡', at_position => 1) IS NOT NULL AS made;
-- B4
SELECT name, type FROM ringfence.unassigned_field ORDER BY name;
-- B6
SELECT field, projects, customers FROM ringfence.shared_field;
SELECT name, type, options, required, is_unique, is_masked, is_searchable, is_system, position FROM ringfence.field ORDER BY is_system DESC, position, name;

-- Binding later, and again; read only; unbinding keeps values.
SELECT ringfence.bind_field('Later', 'Support', 'read');
SELECT ringfence.bind_field('Later', 'Sales');
SELECT ringfence.bind_field('Later', 'Support', 'write');
SELECT ringfence.unbind_field('Later', 'Sales');
SELECT ringfence.bind_field('Plan', 'Support', 'read');
-- What cannot be.
SELECT ringfence.bind_field('Later', 'Support', 'admin');
SELECT ringfence.bind_field('Nothing', 'Support');
SELECT ringfence.bind_field('Later', 'Secret');
SELECT ringfence.bind_field('Later', 'Nowhere');
SELECT ringfence.unbind_field('Later', 'Sales');
SELECT ringfence.create_field(NULL);
SELECT ringfence.create_field('Plan');
SELECT ringfence.create_field('name');
SELECT ringfence.create_field('x', 'colour');
SELECT ringfence.create_field('x', 'choice');
SELECT ringfence.create_field('x', 'text', options => '{a}');
SELECT ringfence.create_field('x', projects => '{Secret}');
SELECT count(*) FROM ringfence.field WHERE name = 'x';
INSERT INTO ringfence.field (name, type) VALUES ('x', 'colour');
INSERT INTO ringfence.field (name, is_system) VALUES ('x', true);
INSERT INTO ringfence.field (name, option_ids) VALUES ('x', '{1}');

-- B7: system fields are in every project, and are not changed, bound or unbound.
UPDATE ringfence.field SET name = 'full name' WHERE name = 'name';
SELECT ringfence.bind_field('name', 'Sales');
SELECT ringfence.unbind_field('name', 'Sales');
INSERT INTO ringfence.field_project (field_id, project_id)
  SELECT f.id, p.id FROM ringfence.field f, ringfence.project p WHERE f.name = 'phones' AND p.name = 'Sales';
UPDATE ringfence.field_project SET field_id = (SELECT id FROM ringfence.field WHERE name = 'phones');
RESET SESSION AUTHORIZATION;

-- B1, B15: each sees and fills the fields of its project. B16: managing and seeing are two rights.
SET SESSION AUTHORIZATION sales_a;
SELECT name, type, options, access, is_system FROM ringfence.visible_fields();
SELECT count(*) FROM ringfence.field;
SELECT * FROM ringfence.unassigned_field;
SELECT * FROM ringfence.shared_field;
SELECT ringfence.create_field('Mine');
SELECT ringfence.bind_field('Card', 'Sales');
SELECT ringfence.unbind_field('Card', 'Sales');
UPDATE ringfence.field SET is_masked = false;
DELETE FROM ringfence.field_project;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION support_a;
SELECT name, type, options, access FROM ringfence.visible_fields() WHERE NOT is_system;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION trainee_a;
SELECT name, access FROM ringfence.visible_fields();
RESET SESSION AUTHORIZATION;
-- In all projects, or in one.
SET SESSION AUTHORIZATION app_a;
SELECT name, access FROM ringfence.visible_fields() WHERE NOT is_system;
SET ringfence.project = 'Support';
SELECT name, access FROM ringfence.visible_fields() WHERE NOT is_system;
SET ringfence.project = 'Default';
SELECT name, access FROM ringfence.visible_fields() WHERE NOT is_system;
RESET ringfence.project;
RESET SESSION AUTHORIZATION;
-- field.manage without customer.read: definitions, no fields to use, no counts.
SELECT ringfence.grant_access('newcomer_field', 'Company A', '{field.manage}');
SET SESSION AUTHORIZATION newcomer_field;
SELECT count(*) FROM ringfence.field WHERE NOT is_system;
SELECT count(*) FROM ringfence.visible_fields();
SELECT field, projects, customers FROM ringfence.shared_field;
SELECT count(*) FROM ringfence.customer_card;
RESET SESSION AUTHORIZATION;
-- Managing fields is not seeing what is masked (B10, B16).
SELECT ringfence.grant_access('trainee_a', 'Company A', '{customer.read,field.manage}');
SET SESSION AUTHORIZATION trainee_a;
UPDATE ringfence.field SET is_masked = false WHERE name = 'Card';
UPDATE ringfence.field SET description = 'masked', is_masked = true WHERE name IN ('Card', 'Fault');
UPDATE ringfence.field SET is_masked = false WHERE name = 'Fault';
SELECT ringfence.bind_field('Card', 'Support');
SELECT ringfence.unbind_field('Card', 'Support');
RESET SESSION AUTHORIZATION;
SELECT ringfence.grant_access('trainee_a', 'Company A', '{customer.read,field.unmask}', 'Support');
SET SESSION AUTHORIZATION trainee_a;
SELECT ringfence.bind_field('Card', 'Support');
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION boss_a;
UPDATE ringfence.field SET is_masked = false WHERE name = 'Fault';
UPDATE ringfence.field SET position = 2147483647 WHERE name = 'Later';
SELECT ringfence.create_field('Last') IS NOT NULL AS made;
SELECT ringfence.unbind_field('Fault', 'Support');
SELECT ringfence.bind_field('Fault', 'Support');
-- A project by its name, or by its id in any form of a UUID.
SELECT id = ALL (ARRAY[ringfence.project_in_reach(name), ringfence.project_in_reach(upper(id::text)), ringfence.project_in_reach(format('{%s}', id))]) AS found
  FROM ringfence.project WHERE name = 'Support';
SELECT ringfence.project_in_reach(NULL);
SELECT ringfence.project_in_reach('');
-- The same error whatever the plan.
SET plan_cache_mode = force_generic_plan;
SET enable_indexscan = off;
SET enable_bitmapscan = off;
SELECT ringfence.unbind_field('Last', 'No such project');
SET enable_indexscan = on;
SET enable_seqscan = off;
SELECT ringfence.unbind_field('Last', 'No such project');
RESET ALL;
RESET SESSION AUTHORIZATION;
-- Another owner sees nothing of it, by any name or id.
SET SESSION AUTHORIZATION app_b;
SELECT name FROM ringfence.visible_fields() WHERE NOT is_system;
SELECT count(*) FROM ringfence.field;
RESET SESSION AUTHORIZATION;
SELECT ringfence.grant_access('app_b', 'Company B', '{admin}');
SET SESSION AUTHORIZATION app_b;
SELECT count(*) FROM ringfence.field WHERE NOT is_system;
SELECT ringfence.bind_field('Plan', 'Sales');
SELECT ringfence.create_field('Plan', projects => '{Sales}') IS NOT NULL AS made;
RESET SESSION AUTHORIZATION;
SELECT id AS plan_of_a FROM ringfence.field WHERE name = 'Plan' AND owner_id = 'aaaaaaaa-0000-0000-0000-000000000001' \gset
SET SESSION AUTHORIZATION app_b;
\set VERBOSITY sqlstate
SELECT ringfence.bind_field(:'plan_of_a', 'Secret');
INSERT INTO ringfence.field_project (field_id, project_id) SELECT :'plan_of_a', id FROM ringfence.project WHERE name = 'Secret';
INSERT INTO ringfence.field_project (field_id, project_id) SELECT 'dddddddd-0000-0000-0000-000000000004', id FROM ringfence.project WHERE name = 'Secret';
RESET SESSION AUTHORIZATION;
DROP OWNED BY newcomer_field;
DROP ROLE newcomer_field;
