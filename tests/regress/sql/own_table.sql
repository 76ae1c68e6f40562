-- An application's own table that refers to customers, as the manual tells to make it (ATTACKS 74, 75: foreign keys tell of hidden rows).
\set SHOW_CONTEXT never
\set VERBOSITY default
SET client_min_messages = warning;
SELECT ringfence.is_admin() \g /dev/null

-- Superuser, once: a role that makes tables, and that no application is a member of.
CREATE ROLE migrations_own;
CREATE SCHEMA app AUTHORIZATION migrations_own;
GRANT USAGE ON SCHEMA app TO ringfence_user;
-- Without the privilege it is refused.
GRANT USAGE ON SCHEMA ringfence TO migrations_own;
SET SESSION AUTHORIZATION migrations_own;
CREATE TABLE app.visit (owner_id uuid, customer_id uuid, FOREIGN KEY (owner_id, customer_id) REFERENCES ringfence.customer (owner_id, id));
RESET SESSION AUTHORIZATION;
GRANT REFERENCES (owner_id, id) ON ringfence.customer TO migrations_own;

SET SESSION AUTHORIZATION migrations_own;
CREATE TABLE app.visit (
    owner_id    uuid NOT NULL DEFAULT ringfence.current_owner(),
    id          uuid NOT NULL DEFAULT gen_random_uuid(),
    customer_id uuid NOT NULL,
    note        text,
    PRIMARY KEY (owner_id, id),
    FOREIGN KEY (owner_id, customer_id) REFERENCES ringfence.customer (owner_id, id) ON DELETE CASCADE
);
CREATE INDEX ON app.visit (owner_id, customer_id);
ALTER TABLE app.visit ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY owner_wall ON app.visit AS RESTRICTIVE
    USING (owner_id = ringfence.current_owner()) WITH CHECK (owner_id = ringfence.current_owner());
CREATE POLICY may_read ON app.visit FOR SELECT USING (ringfence.has_right('customer.read'));
CREATE POLICY may_insert ON app.visit FOR INSERT WITH CHECK (ringfence.has_right('customer.write'));
CREATE POLICY may_update ON app.visit FOR UPDATE USING (ringfence.has_right('customer.write'));
CREATE POLICY may_delete ON app.visit FOR DELETE USING (ringfence.has_right('customer.delete'));
GRANT SELECT, INSERT, UPDATE, DELETE ON app.visit TO ringfence_user;
-- The role itself reads no customer.
SELECT count(*) FROM ringfence.customer;
SELECT count(*) FROM app.visit;
RESET SESSION AUTHORIZATION;

SET SESSION AUTHORIZATION app_b;
INSERT INTO app.visit (customer_id, note) VALUES ('b0000000-0000-0000-0000-000000000001', 'CANARY-B');
SELECT note FROM app.visit;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION app_a;
INSERT INTO app.visit (customer_id, note) VALUES ('a0000000-0000-0000-0000-000000000001', 'first'), ('a0000000-0000-0000-0000-000000000002', 'second');
SELECT card.name, visit.note FROM app.visit JOIN ringfence.customer_card AS card ON card.owner_id = visit.owner_id AND card.id = visit.customer_id ORDER BY note;
-- A customer of another owner, and one that does not exist: the same error, as this owner or as the other.
\set VERBOSITY default
INSERT INTO app.visit (customer_id) VALUES ('b0000000-0000-0000-0000-000000000001');
INSERT INTO app.visit (customer_id) VALUES ('d0000000-0000-0000-0000-000000000001');
INSERT INTO app.visit (owner_id, customer_id) VALUES ('bbbbbbbb-0000-0000-0000-000000000002', 'b0000000-0000-0000-0000-000000000001');
INSERT INTO app.visit (owner_id, customer_id) VALUES ('bbbbbbbb-0000-0000-0000-000000000002', 'd0000000-0000-0000-0000-000000000001');
UPDATE app.visit SET owner_id = 'bbbbbbbb-0000-0000-0000-000000000002', customer_id = 'b0000000-0000-0000-0000-000000000001';
UPDATE app.visit SET owner_id = 'bbbbbbbb-0000-0000-0000-000000000002', customer_id = 'd0000000-0000-0000-0000-000000000001';
UPDATE app.visit SET customer_id = 'b0000000-0000-0000-0000-000000000001';
UPDATE app.visit SET customer_id = 'd0000000-0000-0000-0000-000000000001';
INSERT INTO app.visit (owner_id, customer_id) VALUES ('bbbbbbbb-0000-0000-0000-000000000002', 'b0000000-0000-0000-0000-000000000001') ON CONFLICT DO NOTHING;
COPY app.visit (owner_id, customer_id) FROM STDIN;
bbbbbbbb-0000-0000-0000-000000000002	b0000000-0000-0000-0000-000000000001
\.
SELECT count(*) FROM app.visit;
-- What the wall is for: without it the foreign key tells which customers others have, and keeps them from being deleted.
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION migrations_own;
CREATE TABLE app.unwalled (owner_id uuid, customer_id uuid, FOREIGN KEY (owner_id, customer_id) REFERENCES ringfence.customer (owner_id, id));
GRANT INSERT ON app.unwalled TO ringfence_user;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION app_a;
INSERT INTO app.unwalled VALUES ('bbbbbbbb-0000-0000-0000-000000000002', 'b0000000-0000-0000-0000-000000000001');
INSERT INTO app.unwalled VALUES ('bbbbbbbb-0000-0000-0000-000000000002', 'd0000000-0000-0000-0000-000000000001');
RESET SESSION AUTHORIZATION;
DROP TABLE app.unwalled;
SET SESSION AUTHORIZATION app_a;
-- No table of a role that has not been given the privilege can refer to customers.
CREATE TEMP TABLE probe (owner_id uuid, customer_id uuid, FOREIGN KEY (owner_id, customer_id) REFERENCES ringfence.customer (owner_id, id));
CREATE TEMP TABLE probe (owner_id uuid, customer_id uuid);
ALTER TABLE probe ADD FOREIGN KEY (owner_id, customer_id) REFERENCES ringfence.customer (owner_id, id);
RESET SESSION AUTHORIZATION;
-- Nor by other columns, which would find values.
SET SESSION AUTHORIZATION migrations_own;
CREATE TABLE app.probe (owner_id uuid, name text, FOREIGN KEY (owner_id, name) REFERENCES ringfence.customer (owner_id, name));
RESET SESSION AUTHORIZATION;

-- Customers of one owner go with their visits, and nobody else's do.
SET SESSION AUTHORIZATION boss_a;
DELETE FROM ringfence.customer_card WHERE id = 'a0000000-0000-0000-0000-000000000001' RETURNING name;
SELECT note FROM app.visit;
DELETE FROM ringfence.customer_card WHERE id = 'b0000000-0000-0000-0000-000000000001' RETURNING name;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION app_b;
SELECT note FROM app.visit;
RESET SESSION AUTHORIZATION;
-- No owner, no row.
SET SESSION AUTHORIZATION app_ab;
SELECT count(*) FROM app.visit;
INSERT INTO app.visit (customer_id) VALUES ('a0000000-0000-0000-0000-000000000002');
RESET SESSION AUTHORIZATION;
DROP SCHEMA app CASCADE;
DROP OWNED BY migrations_own;
DROP ROLE migrations_own;
