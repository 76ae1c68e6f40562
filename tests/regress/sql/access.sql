-- Granting and revoking access: who may, to whom, and what it gives (ATTACKS 150 to 152).
\set SHOW_CONTEXT never
CREATE ROLE newcomer_access LOGIN;
\set VERBOSITY default

-- ringfence_admin grants for any owner. Rights may be rights or profiles.
SET SESSION AUTHORIZATION dba;
SELECT ringfence.grant_access('newcomer_access', 'Company B', '{customer.read,support}', 'Sales', '{crm,erp}', 'session');
RESET SESSION AUTHORIZATION;
SELECT o.name AS owner, a.role, a.role_name, p.name AS project, a.rights, a.sources, a.binding, a.granted_by
  FROM ringfence.access a JOIN ringfence.owner o ON o.id = a.owner_id LEFT JOIN ringfence.project p ON p.id = a.project_id
 WHERE a.role = 'newcomer_access'::regrole;
SET SESSION AUTHORIZATION newcomer_access;
SELECT owner_name, rights FROM ringfence.whoami();
RESET SESSION AUTHORIZATION;

-- Again: replaced, and said.
SET SESSION AUTHORIZATION dba;
SELECT ringfence.grant_access('newcomer_access', 'bbbbbbbb-0000-0000-0000-000000000002', '{sponsor}', 'Sales');
SELECT ringfence.grant_access('newcomer_access', 'Company B', '{ticket.write}');

-- What cannot be granted.
SELECT ringfence.grant_access('nobody', 'Company B', '{agent}');
SELECT ringfence.grant_access('newcomer_access', 'No Such Company', '{agent}');
SELECT ringfence.grant_access('newcomer_access', 'Company B', '{agnet}');
SELECT ringfence.grant_access('newcomer_access', 'Company B', '{}');
SELECT ringfence.grant_access('newcomer_access', 'Company B', NULL);
SELECT ringfence.grant_access('newcomer_access', 'Company B', '{NULL}');
SELECT ringfence.grant_access(NULL, 'Company B', '{agent}');
SELECT ringfence.grant_access('newcomer_access', 'Company B', '{agent}', 'No Such Project');
SELECT ringfence.grant_access('newcomer_access', 'Company A', '{agent}', 'Secret');
SELECT ringfence.grant_access('newcomer_access', 'Company B', '{agent}', binding => 'forever');
SELECT ringfence.grant_access('ringfence_definer', 'Company B', '{agent}');
SELECT ringfence.grant_access('postgres', 'Company A', '{agent}');

-- Revoking: in one project, everywhere, nothing.
SELECT ringfence.revoke_access('newcomer_access', 'Company B', 'Sales');
SELECT ringfence.revoke_access('newcomer_access', 'Company B', 'Sales');
SELECT ringfence.revoke_access('newcomer_access', 'Company B');
SELECT ringfence.revoke_access('newcomer_access', 'Company B');
SELECT ringfence.revoke_access('postgres', 'Company A');
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION newcomer_access;
SELECT count(*) FROM ringfence.customer;
RESET SESSION AUTHORIZATION;

-- ringfence_admin holds no right over data, and does not read access of owners it has not selected.
SET SESSION AUTHORIZATION dba;
SELECT count(*) FROM ringfence.access;
SELECT count(*) FROM ringfence.customer;
RESET SESSION AUTHORIZATION;

-- 151, 152: an owner's own admin grants within its owner, and nothing that it does not hold; an agent grants nothing.
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.grant_access('trainee_a', 'Company A', '{trainee,customer.write}');
SELECT ringfence.grant_access('newcomer_access', 'Company A', '{trainee}');
SELECT ringfence.grant_access('app_b', 'Company A', '{trainee}');
SELECT ringfence.grant_access('newcomer_access', 'Company B', '{trainee}');
SELECT ringfence.grant_access('newcomer_access', 'No Such Company', '{trainee}');
SELECT role_name, rights FROM ringfence.access ORDER BY role_name;
INSERT INTO ringfence.access (role, role_name, rights, binding) VALUES ('boss_a'::regrole, 'boss_a', '{admin}', 'session');
UPDATE ringfence.access SET rights = '{admin}';
DELETE FROM ringfence.access;
UPDATE ringfence.profile SET rights = '{owner.export}';
SELECT ringfence.grant_access('trainee_a', 'Company A', '{trainee}');
SELECT ringfence.revoke_access('newcomer_access', 'Company A');
SELECT ringfence.revoke_access('app_b', 'Company B');
SELECT ringfence.store_access('app_b'::regrole, 'app_b', NULL, '{agent}', NULL, 'session', 'x');
SELECT ringfence.remove_access('app_a', NULL);
RESET SESSION AUTHORIZATION;
SELECT ringfence.grant_access('newcomer_access', 'Company A', '{access.manage,customer.read}', sources => '{crm}');
SELECT ringfence.grant_access('app_none', 'Company A', '{customer.read}');
SET SESSION AUTHORIZATION newcomer_access;
SELECT ringfence.grant_access('app_none', 'Company A', '{customer.read}', sources => '{crm,erp}');
SELECT ringfence.grant_access('app_none', 'Company A', '{customer.read}');
SELECT ringfence.grant_access('app_none', 'Company A', '{customer.read}', sources => '{crm}');
SELECT ringfence.grant_access('app_none', 'Company A', '{admin}', sources => '{crm}');
SELECT ringfence.grant_access('app_none', 'Company A', '{customer.write}', 'Sales', '{crm}');
RESET SESSION AUTHORIZATION;
-- And in one project, nothing of another or of all.
SELECT ringfence.revoke_access('newcomer_access', 'Company A');
SELECT ringfence.grant_access('newcomer_access', 'Company A', '{access.manage,customer.read}', 'Sales');
SET SESSION AUTHORIZATION newcomer_access;
SELECT ringfence.grant_access('app_none', 'Company A', '{customer.read}', 'Sales');
SELECT ringfence.grant_access('app_none', 'Company A', '{customer.read}', 'Support');
SELECT ringfence.grant_access('app_none', 'Company A', '{customer.read}');
SELECT ringfence.revoke_access('boss_a', 'Company A');
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION app_a;
SELECT ringfence.grant_access('app_a', 'Company A', '{admin}');
SELECT ringfence.grant_access('app_a', 'Company B', '{agent}');
SELECT ringfence.revoke_access('app_b', 'Company A');
SELECT count(*) FROM ringfence.access;
RESET SESSION AUTHORIZATION;
SELECT ringfence.revoke_access('app_none', 'Company A');
SET SESSION AUTHORIZATION app_none;
SELECT ringfence.revoke_access('app_none', 'Company A');
RESET SESSION AUTHORIZATION;

-- Profiles: what the built-in ones allow.
SELECT profile.name, rights FROM ringfence.profile JOIN ringfence.owner o ON o.id = profile.owner_id AND o.name = 'Company A' ORDER BY 1;
SET SESSION AUTHORIZATION trainee_a;
SELECT count(*) FROM ringfence.customer;
INSERT INTO ringfence.customer_card (name) VALUES ('x');
UPDATE ringfence.customer SET name = 'x' WHERE false;
UPDATE ringfence.customer_card SET name = 'x' WHERE false;
DELETE FROM ringfence.customer WHERE false;
DELETE FROM ringfence.customer_card;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION tickets_a;
SELECT count(*) FROM ringfence.customer;
SELECT count(*) FROM ringfence.customer_card;
SELECT count(*) FROM ringfence.search_customers('tsai');
SELECT count(*) FROM ringfence.find_by_phone('0912345678');
SELECT count(*) FROM ringfence.visible_fields();
RESET SESSION AUTHORIZATION;
-- B17: with the right in one project and not in another.
SELECT ringfence.grant_access('newcomer_access', 'Company A', '{support}', 'Support');
SELECT ringfence.grant_access('newcomer_access', 'Company A', '{sales}', 'Sales');
SET SESSION AUTHORIZATION newcomer_access;
SET ringfence.project = 'Support';
SELECT ringfence.has_right('customer.read'), ringfence.has_right('ticket.read'), (SELECT count(*) FROM ringfence.customer);
SET ringfence.project = 'Sales';
SELECT ringfence.has_right('customer.read'), ringfence.has_right('ticket.read'), (SELECT count(*) FROM ringfence.customer);
RESET ringfence.project;
SELECT name FROM ringfence.project ORDER BY name;
RESET SESSION AUTHORIZATION;

-- 150: a dropped role's access is not inherited by a new role of the same name; and a renamed one is granted anew.
CREATE ROLE short_lived LOGIN;
SELECT ringfence.grant_access('short_lived', 'Company A', '{agent}');
SET SESSION AUTHORIZATION short_lived;
SELECT count(*) FROM ringfence.customer;
RESET SESSION AUTHORIZATION;
DROP ROLE short_lived;
CREATE ROLE short_lived LOGIN IN ROLE ringfence_user;
SET SESSION AUTHORIZATION short_lived;
SELECT count(*) FROM ringfence.customer;
RESET SESSION AUTHORIZATION;
SELECT ringfence.revoke_access('short_lived', 'Company A');
SELECT ringfence.grant_access('short_lived', 'Company A', '{agent}');
ALTER ROLE short_lived RENAME TO long_lived;
SET SESSION AUTHORIZATION long_lived;
SELECT count(*) FROM ringfence.customer;
RESET SESSION AUTHORIZATION;
DROP ROLE long_lived;
-- A membership revoked ends what it gave.
CREATE ROLE access_group NOLOGIN;
SELECT ringfence.grant_access('access_group', 'Company C', '{agent}');
GRANT access_group TO app_none;
SET SESSION AUTHORIZATION app_none;
SELECT count(*) FROM ringfence.customer;
RESET SESSION AUTHORIZATION;
REVOKE access_group FROM app_none;
SET SESSION AUTHORIZATION app_none;
SELECT count(*) FROM ringfence.customer;
RESET SESSION AUTHORIZATION;
DROP ROLE access_group;

-- Access to one project: nothing over what all projects share, and no more of others than is needed.
CREATE ROLE limited LOGIN;
SELECT ringfence.grant_access('limited', 'Company A', '{admin}', 'Sales');
SET SESSION AUTHORIZATION limited;
SELECT name FROM ringfence.project;
SELECT ringfence.has_right('project.manage'), ringfence.has_right('field.manage'), ringfence.has_right('owner.export'), ringfence.has_right('customer.delete'), ringfence.has_right('access.manage');
SELECT ringfence.has_right_in('customer.delete', NULL), ringfence.has_right_in('customer.delete', (SELECT id FROM ringfence.project));
DELETE FROM ringfence.project;
UPDATE ringfence.project SET enabled = false;
INSERT INTO ringfence.project (name) VALUES ('Mine');
SELECT ringfence.create_field('Mine', projects => '{Sales}');
DELETE FROM ringfence.field_project;
SELECT count(*) FROM ringfence.field;
-- Entries of its project; and a project that is not in reach is one that does not exist.
SELECT role_name FROM ringfence.access ORDER BY 1;
SELECT ringfence.grant_access('trainee_a', 'Company A', '{trainee}', 'Support');
SELECT ringfence.grant_access('trainee_a', 'Company A', '{trainee}', 'No Such Project');
RESET SESSION AUTHORIZATION;
SELECT count(*) FROM ringfence.project p JOIN ringfence.owner o ON o.id = p.owner_id WHERE o.name = 'Company A' AND p.enabled;

-- The binding of a role is not weakened within an owner; made stricter it may be.
SELECT ringfence.grant_access('limited', 'Company A', '{agent}', binding => 'token');
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.grant_access('limited', 'Company A', '{agent}');
SELECT ringfence.grant_access('app_ab', 'Company A', '{agent}', binding => 'session');
SELECT ringfence.grant_access('app_ab', 'Company A', '{agent}', binding => 'token');
RESET SESSION AUTHORIZATION;
SELECT role_name, binding FROM ringfence.access WHERE role_name IN ('limited', 'app_ab') ORDER BY 1, 2;
-- Nor by taking the stricter entry away, and granting it again beside a weaker one. Who granted is the role, not the agent.
SELECT ringfence.revoke_access('limited', 'Company A', 'Sales');
SELECT ringfence.grant_access('limited', 'Company A', '{agent}', 'Sales', binding => 'token');
SELECT ringfence.grant_access('limited', 'Company A', '{trainee}', 'Support', binding => 'session');
SET SESSION AUTHORIZATION boss_a;
SET ringfence.agent = 'dba';
SELECT ringfence.revoke_access('limited', 'Company A', 'Sales');
SELECT ringfence.revoke_access('limited', 'Company A', 'Support');
SELECT ringfence.grant_access('limited', 'Company A', '{trainee}', 'Support', binding => 'token');
RESET ringfence.agent;
RESET SESSION AUTHORIZATION;
SELECT role_name, binding, granted_by FROM ringfence.access WHERE role_name = 'limited' ORDER BY binding, granted_by;
-- Roles of the system are not given access, which would let all their members in.
SELECT ringfence.grant_access('pg_read_all_data', 'Company A', '{agent}');

-- A source that is allowed in one project is not in another; a disabled project takes what was limited to it.
INSERT INTO ringfence.source (owner_id, name) VALUES ('aaaaaaaa-0000-0000-0000-000000000001', 'crm'), ('aaaaaaaa-0000-0000-0000-000000000001', 'erp');
SELECT ringfence.revoke_access('limited', 'Company A');
SELECT ringfence.grant_access('limited', 'Company A', '{agent}', 'Sales', '{crm}');
SELECT ringfence.grant_access('limited', 'Company A', '{support}', 'Support');
SET SESSION AUTHORIZATION limited;
SET ringfence.project = 'Sales';
SET ringfence.source = 'erp';
SELECT ringfence.current_source();
SET ringfence.project = 'Support';
SELECT ringfence.current_source();
RESET ringfence.project;
RESET ringfence.source;
SELECT count(*) FROM ringfence.customer;
RESET SESSION AUTHORIZATION;
UPDATE ringfence.project SET enabled = false WHERE name = 'Sales' AND owner_id = 'aaaaaaaa-0000-0000-0000-000000000001';
SET SESSION AUTHORIZATION limited;
SELECT count(*) FROM ringfence.customer;
SELECT rights FROM ringfence.whoami();
RESET SESSION AUTHORIZATION;
UPDATE ringfence.project SET enabled = false WHERE name = 'Support';
SET SESSION AUTHORIZATION limited;
SELECT count(*) FROM ringfence.customer;
\echo :SQLSTATE
RESET SESSION AUTHORIZATION;
DROP ROLE limited;
-- Why can this role (not) see that? (E10)
CREATE ROLE explained LOGIN;
CREATE ROLE explained_group NOLOGIN ROLE explained;
SELECT ringfence.grant_access('explained_group', 'Company A', '{sponsor}');
SELECT ringfence.grant_access('explained', 'Company A', '{customer.write,admin}', 'Default', binding => 'session');
SET SESSION AUTHORIZATION boss_a;
SELECT * FROM ringfence.explain_access('explained', 'Company A');
SELECT right_name, held, reason FROM ringfence.explain_access('app_b', 'Company A') LIMIT 2;
SELECT count(*) FROM ringfence.explain_access('app_b', 'Company B');
SELECT count(*) FROM ringfence.explain_access('nobody', 'Company A');
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION app_a;
SELECT count(*) FROM ringfence.explain_access('app_a', 'Company A');
SELECT count(*) FROM ringfence.explain_access('app_b', 'Company B');
RESET SESSION AUTHORIZATION;
ALTER ROLE explained RENAME TO renamed;
REVOKE explained_group FROM renamed;
UPDATE ringfence.owner SET enabled = false WHERE name = 'Company A';
SET SESSION AUTHORIZATION dba;
SELECT right_name, held, reason FROM ringfence.explain_access('renamed', 'Company A') LIMIT 1;
SELECT right_name, held, reason FROM ringfence.explain_access('explained_group', 'Company A') LIMIT 1;
RESET SESSION AUTHORIZATION;
UPDATE ringfence.owner SET enabled = true WHERE name = 'Company A';
CREATE ROLE explained LOGIN;
SELECT right_name, held, reason FROM ringfence.explain_access('explained', 'Company A') LIMIT 1;
DROP ROLE explained, renamed, explained_group;

-- An owner's own profiles.
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.create_profile('night shift', '{customer.read,ticket.read}', 'reads at night') IS NOT NULL AS made;
SELECT ringfence.grant_access('trainee_a', 'Company A', '{night shift}');
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION trainee_a;
SELECT rights FROM ringfence.whoami();
SELECT ringfence.create_profile('mine', '{customer.read}');
UPDATE ringfence.profile SET rights = '{customer.write}';
DELETE FROM ringfence.profile;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION boss_a;
UPDATE ringfence.profile SET rights = '{customer.read}' WHERE name = 'night shift';
SELECT ringfence.drop_profile('night shift');
SELECT ringfence.drop_profile('no such profile');
SELECT ringfence.drop_profile('agent');
UPDATE ringfence.profile SET rights = '{customer.read}' WHERE name = 'agent';
SELECT ringfence.create_profile('agent', '{customer.read}');
SELECT ringfence.create_profile('customer.read', '{customer.read}');
SELECT ringfence.create_profile('x', '{customer.raed}');
SELECT ringfence.create_profile('x', '{NULL}');
SELECT ringfence.create_profile('x', NULL);
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION trainee_a;
SELECT rights FROM ringfence.whoami();
RESET SESSION AUTHORIZATION;
-- No more than the session holds itself, in all projects.
SELECT ringfence.grant_access('newcomer_access', 'Company A', '{access.manage,customer.read}');
SELECT ringfence.grant_access('newcomer_access', 'Company A', '{admin}', 'Default');
SET SESSION AUTHORIZATION newcomer_access;
SELECT ringfence.create_profile('more', '{customer.read,customer.write}');
UPDATE ringfence.profile SET rights = '{customer.read,customer.delete}' WHERE name = 'night shift';
SELECT ringfence.create_profile('as much', '{customer.read}') IS NOT NULL AS made;
RESET SESSION AUTHORIZATION;
SELECT ringfence.revoke_access('newcomer_access', 'Company A');
SELECT ringfence.grant_access('newcomer_access', 'Company A', '{admin}', 'Default');
SET SESSION AUTHORIZATION newcomer_access;
SELECT ringfence.create_profile('other', '{customer.read}');
DELETE FROM ringfence.profile WHERE name = 'as much';
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.grant_access('trainee_a', 'Company A', '{trainee}');
SELECT ringfence.drop_profile('night shift');
SELECT name FROM ringfence.profile WHERE NOT is_system;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION app_b;
SELECT count(*) FROM ringfence.profile;

RESET SESSION AUTHORIZATION;
DROP OWNED BY newcomer_access;
DROP ROLE newcomer_access;

-- A role that is NOINHERIT works in its own name from PostgreSQL 16 on, where the grant says so; in 15 it stays as the role is.
CREATE ROLE access_apart LOGIN NOINHERIT;
SELECT ringfence.grant_access('access_apart', 'Company A', '{customer.read}') IS NOT NULL AS granted;
SELECT pg_has_role('access_apart', 'ringfence_user', 'USAGE') = (current_setting('server_version_num')::integer >= 160000) AS as_expected;
-- Granted again, nothing is said of a membership that is there.
SELECT ringfence.revoke_access('access_apart', 'Company A'), ringfence.grant_access('access_apart', 'Company A', '{customer.read}') IS NOT NULL AS granted;
DROP OWNED BY access_apart;
DROP ROLE access_apart;
