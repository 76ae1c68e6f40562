-- The flow of data: whose a field is, who writes and reads it; and where a person's data are, in applications' own tables too.
\set SHOW_CONTEXT never
\pset null -
CREATE ROLE flow_crm LOGIN;
CREATE ROLE flow_owner;
SET ROLE dba;
SELECT ringfence.grant_access('flow_crm', 'Company A', '{supervisor}', sources => '{CRM}') \g /dev/null
RESET ROLE;
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.create_source('CRM'), ringfence.create_source('ERP') \g /dev/null
SELECT ringfence.create_field('Plan', projects => '{Sales}', is_unique => true) \g /dev/null
SELECT ringfence.create_field('Case', projects => '{Support}') \g /dev/null
SELECT ringfence.create_field('Tax', projects => '{Sales}', is_masked => true, is_unique => true) \g /dev/null
SELECT ringfence.bind_field('Plan', 'Support', 'read') \g /dev/null
SELECT ringfence.set_authority('CRM', 'name'), ringfence.set_authority('ERP', 'Plan') \g /dev/null
UPDATE ringfence.customer_card SET attributes = '{"Tax": "T-1"}' WHERE name = 'Chen Wei';
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION flow_crm;
SET ringfence.source = 'CRM';
UPDATE ringfence.customer_card SET name = 'Tsai Mei-Lin', address = 'Taipei' WHERE name = 'Tsai Mei-Ling';
RESET ringfence.source;
RESET SESSION AUTHORIZATION;
\x on
SET SESSION AUTHORIZATION boss_a;
SELECT field, authority, written_by, read_in, written_in, reading_profiles, writing_profiles, reading_roles, writing_roles FROM ringfence.data_flow WHERE field IN ('name', 'address', 'Plan', 'Case', 'Tax');
\x off
RESET SESSION AUTHORIZATION;
-- What entries give together in a project counts, and so do the roles that a role is a member of.
CREATE ROLE flow_group NOLOGIN;
CREATE ROLE flow_member LOGIN IN ROLE flow_group;
CREATE ROLE flow_two LOGIN;
SET ROLE dba;
SELECT ringfence.grant_access('flow_group', 'Company A', '{customer.read}', 'Support'),
       ringfence.grant_access('flow_two', 'Company A', '{customer.read}'), ringfence.grant_access('flow_two', 'Company A', '{field.unmask}', 'Sales') \g /dev/null
RESET ROLE;
SET SESSION AUTHORIZATION boss_a;
SELECT field, role FROM ringfence.data_flow, unnest(reading_roles) AS role WHERE field IN ('name', 'Plan', 'Case', 'Tax') AND role LIKE 'flow\_%' ORDER BY 1, 2;
-- An entry in a disabled project gives nothing.
UPDATE ringfence.project SET enabled = false WHERE name = 'Support';
SELECT field, role FROM ringfence.data_flow, unnest(reading_roles) AS role WHERE field IN ('name', 'Plan') AND role LIKE 'flow\_%' ORDER BY 1, 2;
UPDATE ringfence.project SET enabled = true WHERE name = 'Support';
RESET SESSION AUTHORIZATION;
SET ROLE dba;
SELECT ringfence.revoke_access('flow_group', 'Company A'), ringfence.revoke_access('flow_two', 'Company A') \g /dev/null
RESET ROLE;
-- Who manages neither fields nor access sees whose a field is, and who has written it.
SET SESSION AUTHORIZATION trainee_a;
SELECT field, authority, written_by, read_in, written_in, reading_roles FROM ringfence.data_flow WHERE field IN ('name', 'Plan', 'Tax');
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION support_a;
SELECT field FROM ringfence.data_flow WHERE authority IS NULL;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION app_b;
SELECT field, authority, written_by FROM ringfence.data_flow WHERE authority IS NOT NULL OR written_by <> '{}';
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION stranger;
SELECT field FROM ringfence.data_flow;
RESET SESSION AUTHORIZATION;

-- An application's own tables.
CREATE SCHEMA flow;
GRANT USAGE ON SCHEMA flow TO ringfence_user;
CREATE TABLE flow.visit (owner_id uuid NOT NULL DEFAULT ringfence.current_owner(), id integer, customer_id uuid, guide_id uuid, PRIMARY KEY (owner_id, id),
                         FOREIGN KEY (owner_id, customer_id) REFERENCES ringfence.customer (owner_id, id), FOREIGN KEY (owner_id, guide_id) REFERENCES ringfence.customer (owner_id, id));
CREATE TABLE flow.secret (owner_id uuid, customer_id uuid, FOREIGN KEY (owner_id, customer_id) REFERENCES ringfence.customer (owner_id, id));
GRANT SELECT, INSERT ON flow.visit TO ringfence_user;
INSERT INTO flow.visit VALUES ('aaaaaaaa-0000-0000-0000-000000000001', 1, 'a0000000-0000-0000-0000-000000000002', 'a0000000-0000-0000-0000-000000000001'),
                              ('aaaaaaaa-0000-0000-0000-000000000001', 2, 'a0000000-0000-0000-0000-000000000002', NULL),
                              ('bbbbbbbb-0000-0000-0000-000000000002', 1, 'b0000000-0000-0000-0000-000000000001', NULL);
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.log_interaction('call', customer => 'a0000000-0000-0000-0000-000000000002', project => 'Support') IS NOT NULL AS logged;
SELECT relation, column_name, rows, authority, readers FROM ringfence.where_is('a0000000-0000-0000-0000-000000000002');
RESET SESSION AUTHORIZATION;
-- A count of some of the rows would be a false answer.
SET SESSION AUTHORIZATION sales_a;
SELECT relation, column_name, rows FROM ringfence.where_is('a0000000-0000-0000-0000-000000000002') WHERE relation IN ('ringfence.interaction'::regclass, 'ringfence.response'::regclass, 'ringfence.ticket'::regclass);
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.set_authority('CRM') \g /dev/null
RESET SESSION AUTHORIZATION;
-- A masked value is not counted, and the roles are told to who manages access.
SET SESSION AUTHORIZATION app_a;
SELECT relation, column_name, rows, authority, readers FROM ringfence.where_is('a0000000-0000-0000-0000-000000000002');
SELECT * FROM ringfence.where_is('b0000000-0000-0000-0000-000000000001');
SELECT * FROM ringfence.where_is('c0000000-0000-0000-0000-00000000dead');
SELECT * FROM ringfence.where_is(NULL);
-- It counts only by keys that lead to a customer.
SELECT ringfence.rows_of_customer(ARRAY(SELECT oid FROM pg_constraint WHERE conrelid = 'flow.secret'::regclass AND contype = 'f'), 'a0000000-0000-0000-0000-000000000002');
SELECT ringfence.rows_of_customer(ARRAY(SELECT oid FROM pg_constraint WHERE conrelid = 'ringfence.customer'::regclass AND contype = 'f'), 'a0000000-0000-0000-0000-000000000002');
SELECT ringfence.rows_of_customer(ARRAY(SELECT oid FROM pg_constraint WHERE conrelid = 'ringfence.ticket'::regclass AND contype = 'f' AND confrelid = 'ringfence.customer'::regclass), 'b0000000-0000-0000-0000-000000000001');
SELECT ringfence.rows_of_customer('{}', 'a0000000-0000-0000-0000-000000000002'), ringfence.rows_of_customer(NULL, NULL);
RESET SESSION AUTHORIZATION;
-- Policies of a table that somebody else owns do not run with the rights of the caller, also where it refers to another table.
GRANT REFERENCES, SELECT ON flow.visit TO flow_owner;
GRANT USAGE, CREATE ON SCHEMA flow TO flow_owner;
SET ROLE flow_owner;
CREATE TABLE flow.trap (owner_id uuid, visit_id integer, FOREIGN KEY (owner_id, visit_id) REFERENCES flow.visit);
CREATE FUNCTION flow.steal() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE WARNING 'as %', current_user; RETURN true; END $$;
ALTER TABLE flow.trap ENABLE ROW LEVEL SECURITY;
CREATE POLICY steal ON flow.trap USING (flow.steal());
GRANT SELECT ON flow.trap TO PUBLIC;
RESET ROLE;
INSERT INTO flow.trap VALUES ('aaaaaaaa-0000-0000-0000-000000000001', 1);
SET SESSION AUTHORIZATION boss_a;
SELECT relation, column_name, rows FROM ringfence.where_is('a0000000-0000-0000-0000-000000000002') WHERE relation::text LIKE 'flow.%';
RESET SESSION AUTHORIZATION;
DROP TABLE flow.trap;
SET SESSION AUTHORIZATION tickets_a;
SELECT * FROM ringfence.where_is('a0000000-0000-0000-0000-000000000002');
RESET SESSION AUTHORIZATION;
-- Erased: the history tells that it was there.
TRUNCATE flow.visit;
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.erase_customer('a0000000-0000-0000-0000-000000000002', 'asked for');
SELECT relation, rows FROM ringfence.where_is('a0000000-0000-0000-0000-000000000002') WHERE rows > 0;
RESET SESSION AUTHORIZATION;
DROP SCHEMA flow CASCADE;
-- Roles belong to the cluster.
\c - postgres
SET client_min_messages = warning;
DROP OWNED BY flow_crm, flow_owner, flow_group, flow_member, flow_two;
DROP ROLE flow_crm, flow_owner, flow_group, flow_member, flow_two;
