-- Owners: provisioning, who may see and change them, the house owner, limits (A8, A9, C1 to C3, C6 to C9).
\set SHOW_CONTEXT never
CREATE ROLE newcomer_owner LOGIN;
\set VERBOSITY default
SET SESSION AUTHORIZATION dba;

-- A plain INSERT and create_owner() both make an owner that is ready to use (A9).
INSERT INTO ringfence.owner (name, description, country) VALUES ('Plain', 'by INSERT', 'JP') RETURNING name, enabled;
SELECT ringfence.create_owner('Made', 'by function', 'IT') IS NOT NULL AS made;
SELECT ringfence.create_owner('Bare') IS NOT NULL AS made;
RESET SESSION AUTHORIZATION;
SELECT o.name, (SELECT array_agg(p.name) FROM ringfence.project p WHERE p.owner_id = o.id) AS projects,
       (SELECT count(*) FROM ringfence.profile p WHERE p.owner_id = o.id) AS profiles,
       (SELECT string_agg(f.name, ' ' ORDER BY position) FROM ringfence.field f WHERE f.owner_id = o.id AND f.is_system) AS system_fields
  FROM ringfence.owner o WHERE o.name IN ('Plain', 'Made', 'Bare') ORDER BY 1;
SELECT count(DISTINCT id) = count(*) AS ids_differ, bool_and(substr(id::text, 15, 1) = '7') AS uuid_v7 FROM ringfence.owner WHERE name IN ('Plain', 'Made', 'Bare');

-- C7, C8: a name is mandatory, unique and sensible; the country is one.
SET SESSION AUTHORIZATION dba;
INSERT INTO ringfence.owner (description) VALUES ('no name');
SELECT ringfence.create_owner(NULL);
SELECT ringfence.create_owner('');
SELECT ringfence.create_owner(' Company A');
SELECT ringfence.create_owner(E'Company\nA');
SELECT ringfence.create_owner('bbbbbbbb-0000-0000-0000-000000000002');
SELECT ringfence.create_owner('Company A');
SELECT ringfence.create_owner('Somewhere', country => 'XX');
SELECT ringfence.create_owner('Somewhere', country => 'Poland');
\echo :SQLSTATE
-- The id is the extension's to give, and to keep.
INSERT INTO ringfence.owner (id, name) VALUES ('dddddddd-0000-0000-0000-000000000004', 'D');
UPDATE ringfence.owner SET id = 'dddddddd-0000-0000-0000-000000000004' WHERE name = 'Plain';
-- A8: modify.
UPDATE ringfence.owner SET name = 'Plain & Co', description = 'renamed' WHERE name = 'Plain';
SELECT name, description FROM ringfence.owner WHERE name = 'Plain & Co';

-- C1: delete, while it is empty; with customers it is refused.
DELETE FROM ringfence.owner WHERE name IN ('Plain & Co', 'Made', 'Bare');
DELETE FROM ringfence.owner WHERE name = 'Company A';
-- C6: the house owner stays.
SELECT id, name FROM ringfence.owner WHERE id = '00000000-0000-0000-0000-000000000000';
DELETE FROM ringfence.owner WHERE name = 'House';

-- C9: a disabled owner cannot be selected, its data stays.
UPDATE ringfence.owner SET enabled = false WHERE name = 'Company A';
SELECT name, enabled FROM ringfence.owner WHERE name LIKE 'Company%' ORDER BY name;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION app_a;
SELECT name FROM ringfence.owner;
SELECT count(*) FROM ringfence.customer;
\echo :SQLSTATE
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION dba;
UPDATE ringfence.owner SET enabled = true WHERE name = 'Company A';
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION app_a;
SELECT count(*) FROM ringfence.customer;

-- Who sees which owners: those it has access to, before it selects one; nobody else's.
SELECT name FROM ringfence.owner ORDER BY name;
SELECT count(*) FROM ringfence.owner WHERE id = 'bbbbbbbb-0000-0000-0000-000000000002';
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION app_ab;
SELECT name FROM ringfence.owner ORDER BY name;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION app_none;
SELECT name FROM ringfence.owner ORDER BY name;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION stranger;
SELECT name FROM ringfence.owner ORDER BY name;
RESET SESSION AUTHORIZATION;

-- And who changes them: ringfence_admin alone. The owner's own admin does not.
SET SESSION AUTHORIZATION boss_a;
UPDATE ringfence.owner SET name = 'Mine';
DELETE FROM ringfence.owner;
INSERT INTO ringfence.owner (name) VALUES ('Mine too');
SELECT ringfence.create_owner('Mine too');
RESET SESSION AUTHORIZATION;
SELECT name FROM ringfence.owner ORDER BY name;

-- C3: a limit, which only a superuser sets; the house owner does not count.
SET ringfence.max_owners = 3;
SET SESSION AUTHORIZATION dba;
SELECT ringfence.create_owner('One too many');
\echo :SQLSTATE
SET ringfence.max_owners = 0;
RESET SESSION AUTHORIZATION;
SET ringfence.max_owners = 4;
SET SESSION AUTHORIZATION dba;
SELECT ringfence.create_owner('The fourth') IS NOT NULL AS made;
INSERT INTO ringfence.owner (name) VALUES ('The fifth');
DELETE FROM ringfence.owner WHERE name = 'The fourth';
SELECT ringfence.create_owner('Instead') IS NOT NULL AS made;
RESET SESSION AUTHORIZATION;
RESET ringfence.max_owners;

-- C6: the house owner holds contacts of no company, for those with access to it.
SELECT ringfence.grant_access('newcomer_owner', 'House', '{agent}');
SET SESSION AUTHORIZATION newcomer_owner;
INSERT INTO ringfence.customer_card (name) VALUES ('Nobody''s Customer') RETURNING owner_id, name;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION app_a;
SELECT count(*) FROM ringfence.customer WHERE name LIKE 'Nobody%';
RESET SESSION AUTHORIZATION;

-- A change of country reads the national numbers anew.
SET SESSION AUTHORIZATION app_b;
SELECT name, normal_phones FROM ringfence.customer ORDER BY name;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION dba;
UPDATE ringfence.owner SET country = 'JP' WHERE name = 'Company B';
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION app_b;
SELECT name, normal_phones FROM ringfence.customer ORDER BY name;
RESET SESSION AUTHORIZATION;

-- Provisioning cannot be borrowed: its functions are for the definer, and its trigger for its table.
SET SESSION AUTHORIZATION app_a;
SELECT ringfence.provision_project();
CREATE TEMP TABLE mine (id uuid, name text, enabled boolean, country text);
CREATE TRIGGER t AFTER INSERT ON mine FOR EACH ROW EXECUTE FUNCTION ringfence.as_owner('provision_project');
RESET SESSION AUTHORIZATION;
CREATE TEMP TABLE theirs (id uuid, name text, enabled boolean, country text);
CREATE TRIGGER t AFTER INSERT ON theirs FOR EACH ROW EXECUTE FUNCTION ringfence.as_owner('provision_project');
INSERT INTO theirs VALUES ('bbbbbbbb-0000-0000-0000-000000000002', 'Company B', true, NULL);
RESET SESSION AUTHORIZATION;
DROP OWNED BY newcomer_owner;
DROP ROLE newcomer_owner;
