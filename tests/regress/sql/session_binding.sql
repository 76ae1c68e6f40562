-- How an owner is selected, and what each binding accepts.
\set SHOW_CONTEXT never
\set VERBOSITY sqlstate

-- A role of one owner needs nothing, and may as well name it, by name or id.
SET SESSION AUTHORIZATION app_a;
SELECT role_name, owner_name, bound, rights FROM ringfence.whoami();
SET ringfence.owner = 'Company A';
SELECT owner_name, bound FROM ringfence.whoami();
SET ringfence.owner = 'AAAAAAAA-0000-0000-0000-000000000001';
SELECT count(*) FROM ringfence.customer;
SET ringfence.owner = 'aaaaaaaa000000000000000000000001';
SELECT count(*) FROM ringfence.customer;
RESET ringfence.owner;
RESET SESSION AUTHORIZATION;

-- A role of several: nothing by default; SET LOCAL counts, SET does not, nor does one before the transaction.
SET SESSION AUTHORIZATION app_ab;
SELECT role_name, owner_name, bound, rights FROM ringfence.whoami();
SELECT count(*) FROM ringfence.customer;
BEGIN;
SET LOCAL ringfence.owner = 'Company A';
SELECT owner_name, bound FROM ringfence.whoami();
SELECT count(*) FROM ringfence.customer;
COMMIT;
SELECT count(*) FROM ringfence.customer;
BEGIN;
SELECT set_config('ringfence.owner', 'Company B', true);
SELECT count(*) FROM ringfence.customer;
ROLLBACK;
BEGIN;
SET ringfence.owner = 'Company A';
SELECT count(*) FROM ringfence.customer;
ROLLBACK;
SET ringfence.owner = 'Company A';
SELECT count(*) FROM ringfence.customer;
-- SET LOCAL on top of a SET is bound to the transaction again.
BEGIN;
SET LOCAL ringfence.owner = 'Company B';
SELECT owner_name FROM ringfence.whoami();
COMMIT;
SELECT count(*) FROM ringfence.customer;
RESET ringfence.owner;
-- A savepoint takes the owner with it, when it is rolled back.
BEGIN;
SAVEPOINT s;
SET LOCAL ringfence.owner = 'Company A';
ROLLBACK TO s;
SELECT count(*) FROM ringfence.customer;
ROLLBACK;
BEGIN;
SAVEPOINT s;
SET LOCAL ringfence.owner = 'Company A';
RELEASE s;
SELECT count(*) FROM ringfence.customer;
ROLLBACK;
-- Outside a transaction SET LOCAL does nothing, as PostgreSQL warns (ATTACKS 7).
SET LOCAL ringfence.owner = 'Company A';
SELECT count(*) FROM ringfence.customer;
RESET SESSION AUTHORIZATION;

-- The binding session: a SET and an ALTER ROLE count too.
SET SESSION AUTHORIZATION app_session;
SELECT count(*) FROM ringfence.customer;
SET ringfence.owner = 'Company B';
SELECT owner_name, bound FROM ringfence.whoami();
RESET ringfence.owner;
SELECT count(*) FROM ringfence.customer;
RESET SESSION AUTHORIZATION;

-- The binding token: nothing else counts, not even for a role of one owner.
CREATE ROLE binding_token LOGIN;
SELECT ringfence.grant_access('binding_token', 'Company A', '{agent}', binding => 'token');
SET SESSION AUTHORIZATION binding_token;
SELECT count(*) FROM ringfence.customer;
BEGIN;
SET LOCAL ringfence.owner = 'Company A';
SELECT count(*) FROM ringfence.customer;
ROLLBACK;
RESET SESSION AUTHORIZATION;

-- Access comes by membership too, and by SET ROLE; the role is the one after SET ROLE.
CREATE ROLE binding_group NOLOGIN;
CREATE ROLE binding_member LOGIN IN ROLE binding_group;
CREATE ROLE binding_noinherit LOGIN NOINHERIT IN ROLE binding_group;
SELECT ringfence.grant_access('binding_group', 'Company B', '{trainee}');
SET SESSION AUTHORIZATION binding_member;
SELECT role_name, owner_name, bound, rights FROM ringfence.whoami();
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION binding_noinherit;
SELECT role_name, owner_name, bound, rights FROM ringfence.whoami();
SET ROLE binding_group;
SELECT role_name, owner_name, bound, rights FROM ringfence.whoami();
RESET ROLE;
RESET SESSION AUTHORIZATION;

-- A second owner ends the default; a disabled one does not count.
SELECT ringfence.grant_access('binding_member', 'Company C', '{trainee}');
SET SESSION AUTHORIZATION binding_member;
SELECT owner_name FROM ringfence.whoami();
RESET SESSION AUTHORIZATION;
UPDATE ringfence.owner SET enabled = false WHERE name = 'Company C';
SET SESSION AUTHORIZATION binding_member;
SELECT owner_name FROM ringfence.whoami();
RESET SESSION AUTHORIZATION;

-- A definer function works for its caller (ATTACKS 20), a SET clause does not bind, and a setting is never a right (13).
CREATE SCHEMA s;
GRANT ALL ON SCHEMA s TO PUBLIC;
GRANT app_b TO stranger;
SET SESSION AUTHORIZATION app_b;
CREATE FUNCTION s.definer_b() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM ringfence.customer';
CREATE FUNCTION s.owner_a() RETURNS bigint LANGUAGE sql SET ringfence.owner = 'Company A' AS 'SELECT count(*) FROM ringfence.customer';
CREATE FUNCTION s.owner_b() RETURNS bigint LANGUAGE sql SET ringfence.owner = 'Company B' AS 'SELECT count(*) FROM ringfence.customer';
SELECT s.definer_b();
SELECT s.owner_a();
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION app_none;
SELECT s.definer_b();
SELECT s.owner_b();
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION app_ab;
SELECT s.owner_b();
RESET SESSION AUTHORIZATION;

-- Project, agent and source.
INSERT INTO ringfence.source (owner_id, name) VALUES ('aaaaaaaa-0000-0000-0000-000000000001', 'crm'), ('aaaaaaaa-0000-0000-0000-000000000001', 'erp');
SET SESSION AUTHORIZATION app_a;
SELECT ringfence.current_project(), ringfence.current_agent(), ringfence.current_source();
SET ringfence.project = 'Sales';
SET ringfence.agent = 'anna';
SET ringfence.source = 'crm';
SELECT owner_name, project_name, agent, source FROM ringfence.whoami();
SELECT ringfence.current_project() IS NOT NULL, ringfence.current_agent(), ringfence.current_source();
\set VERBOSITY default
SET ringfence.project = 'Secret';
SELECT count(*) FROM ringfence.customer;
SET ringfence.project = 'No Such Project';
SELECT count(*) FROM ringfence.customer;
RESET ringfence.project;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION sales_a;
SET ringfence.project = 'Support';
SELECT ringfence.current_project();
SET ringfence.project = 'Sales';
SELECT project_name, rights FROM ringfence.whoami();
RESET ringfence.project;
RESET SESSION AUTHORIZATION;
SELECT ringfence.grant_access('app_a', 'Company A', '{agent}', sources => '{crm}');
SET SESSION AUTHORIZATION app_a;
SELECT ringfence.current_source();
SET ringfence.source = 'erp';
SELECT ringfence.current_source();
SELECT ringfence.has_right('customer.raed');
SET ringfence.onwer = 'Company A';
RESET SESSION AUTHORIZATION;
UPDATE ringfence.project SET enabled = false WHERE name = 'Sales';
SET SESSION AUTHORIZATION app_a;
SET ringfence.project = 'Sales';
SELECT ringfence.current_project();
RESET SESSION AUTHORIZATION;

REVOKE app_b FROM stranger;
DROP OWNED BY binding_group, binding_member, binding_token, binding_noinherit;
DROP ROLE binding_group, binding_member, binding_token, binding_noinherit;
