-- ATTACKS 56 to 61, 63, 64, 69, 70, 73: writing into another owner, and learning from a constraint what it has.
\set SHOW_CONTEXT never
CREATE ROLE newcomer_attack_write LOGIN;
\set VERBOSITY default
SET SESSION AUTHORIZATION app_a;
\set B '''bbbbbbbb-0000-0000-0000-000000000002'''

-- 56: a row of another owner, inserted or moved; with and without WHERE and RETURNING (59).
INSERT INTO ringfence.customer (owner_id, name) VALUES (:B, 'planted');
INSERT INTO ringfence.customer (owner_id, name) VALUES (:B, 'planted') RETURNING id;
INSERT INTO ringfence.customer_card (owner_id, name) VALUES (:B, 'planted');
INSERT INTO ringfence.company (owner_id, name) VALUES (:B, 'planted');
UPDATE ringfence.customer SET owner_id = :B;
UPDATE ringfence.customer SET owner_id = :B WHERE name = 'Chen Wei';
UPDATE ringfence.customer SET owner_id = :B WHERE name = 'Chen Wei' RETURNING owner_id;
UPDATE ringfence.customer_card SET owner_id = :B;
UPDATE ringfence.company SET owner_id = :B;
COPY ringfence.customer_card (owner_id, name) FROM STDIN;
bbbbbbbb-0000-0000-0000-000000000002	planted
\.
MERGE INTO ringfence.customer c USING (SELECT 1) s ON c.name = 'nobody'
  WHEN NOT MATCHED THEN INSERT (owner_id, name) VALUES (:B, 'planted');
\set VERBOSITY sqlstate

-- The same for an owner that does not exist: the same refusal.
INSERT INTO ringfence.customer (owner_id, name) VALUES ('dddddddd-0000-0000-0000-000000000004', 'planted');
INSERT INTO ringfence.customer (owner_id, name) VALUES (NULL, 'planted');
UPDATE ringfence.customer SET owner_id = NULL;

-- 59, 60: statements without WHERE reach own rows only. Rows of B, by id or not, are not there.
BEGIN;
UPDATE ringfence.customer SET address = 'Taipei';
UPDATE ringfence.customer SET address = 'x' WHERE id = 'b0000000-0000-0000-0000-000000000001' RETURNING name;
UPDATE ringfence.customer_card SET address = 'x' WHERE id = 'b0000000-0000-0000-0000-000000000001' RETURNING name;
SELECT count(*) FROM ringfence.customer WHERE address = 'Taipei';
ROLLBACK;
SELECT count(*) FROM ringfence.customer WHERE owner_id = :B;
SELECT count(*) FROM ringfence.customer_card WHERE id = 'b0000000-0000-0000-0000-000000000001';

-- 69, 63: an id that B uses is free for A: keys are per owner, so that nothing is learnt from a conflict.
BEGIN;
INSERT INTO ringfence.customer (id, name) VALUES ('b0000000-0000-0000-0000-000000000001', 'mine');
INSERT INTO ringfence.customer (id, name) VALUES ('b0000000-0000-0000-0000-000000000002', 'mine') ON CONFLICT DO NOTHING;
INSERT INTO ringfence.company (id, name) VALUES ('b0000000-0000-0000-0000-00000000000c', 'mine');
SELECT count(*) FROM ringfence.customer WHERE name = 'mine';
ROLLBACK;

-- 70: a company of B and one that does not exist: the same error, to the letter.
\set VERBOSITY default
UPDATE ringfence.customer SET company_id = 'b0000000-0000-0000-0000-00000000000c' WHERE name = 'Chen Wei';
UPDATE ringfence.customer SET company_id = 'd0000000-0000-0000-0000-00000000000d' WHERE name = 'Chen Wei';
INSERT INTO ringfence.customer (name, company_id) VALUES ('x', 'b0000000-0000-0000-0000-00000000000c');
INSERT INTO ringfence.customer (name, company_id) VALUES ('x', 'd0000000-0000-0000-0000-00000000000d');
INSERT INTO ringfence.customer_card (name, company_id) VALUES ('x', 'b0000000-0000-0000-0000-00000000000c');
INSERT INTO ringfence.customer_card (name, company_id) VALUES ('x', 'd0000000-0000-0000-0000-00000000000d');
-- The foreign keys themselves, with the wall out of the way: as superuser.
RESET SESSION AUTHORIZATION;
INSERT INTO ringfence.customer (owner_id, name, company_id) VALUES ('aaaaaaaa-0000-0000-0000-000000000001', 'x', 'b0000000-0000-0000-0000-00000000000c');
\set VERBOSITY sqlstate
INSERT INTO ringfence.field_project (owner_id, field_id, project_id)
  SELECT 'aaaaaaaa-0000-0000-0000-000000000001', f.id, p.id FROM ringfence.field f, ringfence.project p
   WHERE f.owner_id = 'aaaaaaaa-0000-0000-0000-000000000001' AND f.name = 'name' AND p.name = 'Secret';

-- Deleting a company of A leaves its customers, without a company, and B's alone.
RESET SESSION AUTHORIZATION;
BEGIN;
SELECT ringfence.grant_access('app_a', 'Company A', '{admin}');
SET LOCAL SESSION AUTHORIZATION app_a;
DELETE FROM ringfence.company;
SELECT name, company_id FROM ringfence.customer ORDER BY name COLLATE "C";
RESET SESSION AUTHORIZATION;
SELECT count(*) FROM ringfence.company;
SELECT count(*) FROM ringfence.customer WHERE company_id IS NOT NULL;
ROLLBACK;

-- 54: a permissive policy that a DBA adds later opens nothing.
CREATE POLICY debug_read ON ringfence.customer FOR SELECT USING (true);
CREATE POLICY debug_insert ON ringfence.customer FOR INSERT WITH CHECK (true);
CREATE POLICY debug_update ON ringfence.customer FOR UPDATE USING (true) WITH CHECK (true);
CREATE POLICY debug_delete ON ringfence.customer FOR DELETE USING (true);
SET SESSION AUTHORIZATION app_a;
SELECT count(*) FROM ringfence.customer;
INSERT INTO ringfence.customer (owner_id, name) VALUES (:B, 'planted');
BEGIN;
UPDATE ringfence.customer SET address = 'x';
UPDATE ringfence.customer SET owner_id = :B;
ROLLBACK;
RESET SESSION AUTHORIZATION;

-- 66: DROP OWNED BY does not take a role out of a policy that is for everybody.
SELECT ringfence.grant_access('newcomer_attack_write', 'Company A', '{trainee}');
SET SESSION AUTHORIZATION newcomer_attack_write;
DROP OWNED BY newcomer_attack_write;
SELECT count(*) FROM ringfence.customer;
RESET SESSION AUTHORIZATION;

-- 50, 75, 91, 123: what would let an application around the wall is not granted.
SET SESSION AUTHORIZATION app_a;
TRUNCATE ringfence.customer;
CREATE TRIGGER t AFTER INSERT ON ringfence.customer FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
ALTER TABLE ringfence.customer DISABLE ROW LEVEL SECURITY;
CREATE POLICY p ON ringfence.customer USING (true);
DROP POLICY owner_wall ON ringfence.customer;
SET row_security = off;
SELECT count(*) FROM ringfence.customer;
RESET row_security;
SET ROLE ringfence_definer;
-- 119, 122: what goes with a CASCADE leaves nothing allowed. As superuser, who may.
RESET SESSION AUTHORIZATION;
BEGIN;
DROP POLICY owner_wall ON ringfence.company;
DROP POLICY may_read ON ringfence.company;
SET LOCAL SESSION AUTHORIZATION app_a;
SELECT count(*) FROM ringfence.company;
ROLLBACK;
RESET SESSION AUTHORIZATION;
DROP OWNED BY newcomer_attack_write;
DROP ROLE newcomer_attack_write;
