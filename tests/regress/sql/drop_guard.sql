-- Dropping the extension by mistake does not delete a BPO's data.
\set SHOW_CONTEXT never
\set VERBOSITY default
-- A session that has not used the library yet, as a DBA's would be.
\c
DROP EXTENSION ringfence;
\echo :SQLSTATE
DROP EXTENSION ringfence CASCADE;
DROP OWNED BY ringfence_definer CASCADE;
DROP TABLE ringfence.customer CASCADE;
DROP SCHEMA ringfence CASCADE;
BEGIN;
ALTER EXTENSION ringfence DROP TABLE ringfence.company;
DROP TABLE ringfence.company CASCADE;
ROLLBACK;
SELECT count(*) FROM ringfence.customer;
-- What writes a table anew drops what it was before, and loses nothing.
VACUUM FULL ringfence.customer, ringfence.owner, ringfence.access;
CLUSTER ringfence.company USING company_pkey;
BEGIN;
ALTER TABLE ringfence.company ALTER COLUMN description TYPE varchar(100);
ROLLBACK;
SELECT count(*) FROM ringfence.customer;
-- Also where triggers are off.
\c
SET session_replication_role = replica;
DROP EXTENSION ringfence;
RESET session_replication_role;
-- Maintenance, which drops the copy that it makes, is not the guard's business.
VACUUM FULL ringfence.customer;
CLUSTER ringfence.customer USING customer_pkey;
-- Where nobody is left but the house, and nothing but what it has from the beginning.
DELETE FROM ringfence.customer;
DELETE FROM ringfence.company;
DELETE FROM ringfence.owner WHERE id <> '00000000-0000-0000-0000-000000000000';
DELETE FROM ringfence.signing_key_material;
BEGIN;
DROP EXTENSION ringfence;
ROLLBACK;
-- One row of the house's in any other table is enough, also in one that comes later.
BEGIN;
INSERT INTO ringfence.company (owner_id, name) VALUES ('00000000-0000-0000-0000-000000000000', 'One');
DROP EXTENSION ringfence;
ROLLBACK;
CREATE TABLE ringfence.later (id int);
ALTER EXTENSION ringfence ADD TABLE ringfence.later;
INSERT INTO ringfence.later VALUES (1);
DROP EXTENSION ringfence;
-- A column or another extension's objects are not the guard's business.
CREATE TABLE public.other (id int);
DROP TABLE public.other;
-- Nobody but a superuser can switch it off.
SET SESSION AUTHORIZATION boss_a;
SET ringfence.allow_drop = on;
DROP EXTENSION ringfence;
RESET SESSION AUTHORIZATION;
-- Forced, it goes, and comes back empty.
SET ringfence.allow_drop = on;
DROP EXTENSION ringfence;
SELECT count(*) FROM pg_namespace WHERE nspname = 'ringfence';
RESET ringfence.allow_drop;
CREATE EXTENSION ringfence;
SELECT name FROM ringfence.owner;
-- Empty, it is dropped without ado.
DROP EXTENSION ringfence;
