-- What owners, projects, fields, profiles, options and customers may be called.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
-- What each error is: its words are in other tests.
\set VERBOSITY sqlstate
-- A name must have a visible character, and must not look like another of the installation or of the owner.
SET SESSION AUTHORIZATION dba;
SELECT ringfence.create_owner(U&'\200B');
SELECT ringfence.create_owner(U&'\3164\00AD');
SELECT ringfence.create_owner(U&'Comp\200Bany A');
UPDATE ringfence.owner SET name = U&'Company A\FE0F' WHERE name = 'Company B';
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION boss_a;
INSERT INTO ringfence.project (name) VALUES (U&'\2060');
INSERT INTO ringfence.project (name) VALUES (U&'Sa\200Dles');
SELECT ringfence.create_profile(U&'age\00ADnt', '{customer.read}');
SELECT ringfence.create_field(U&'\200B\FEFF');
SELECT ringfence.create_field('Contract') \g /dev/null
SELECT ringfence.create_field(U&'Con\200Btract');
SELECT ringfence.create_field(U&'Contract\00A0No') \g /dev/null
SELECT ringfence.create_field('Contract No');
SELECT ringfence.rename_field('Contract', U&'Contract\200E No');
SELECT ringfence.create_field(U&'phones\2069');
SELECT ringfence.create_field('Plan', 'choice', options => ARRAY['gold', U&'\200B']);
SELECT ringfence.create_field('Plan', 'choice', options => ARRAY['gold', U&'go\200Bld']);
-- Invisible characters that belong to a name are part of it, and names differ in case.
SELECT ringfence.create_field(U&'\0645\06CC\200C\062E\0648\0627\0647\0645'), ringfence.create_field('CONTRACT') \g /dev/null
SELECT count(*) FROM ringfence.field WHERE name IN (U&'\0645\06CC\200C\062E\0648\0627\0647\0645', 'CONTRACT', 'Contract');
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION app_a;
INSERT INTO ringfence.customer_card (name) VALUES (' ');
INSERT INTO ringfence.customer_card (name) VALUES (U&'\200B\3164 \00A0');
INSERT INTO ringfence.customer (name) VALUES (U&'\FEFF');
UPDATE ringfence.customer_card SET name = U&'\2800' WHERE name = 'Tsai Mei-Ling';
INSERT INTO ringfence.company (name) VALUES (U&' \00AD');
RESET SESSION AUTHORIZATION;
-- A company goes, and its customers stay under their names.
SET SESSION AUTHORIZATION boss_a;
DELETE FROM ringfence.company WHERE name = 'Formosa Tea';
SELECT name, company_id FROM ringfence.customer WHERE name = 'Tsai Mei-Ling';
RESET SESSION AUTHORIZATION;
-- Another owner has names of its own.
SET SESSION AUTHORIZATION dba;
SELECT ringfence.grant_access('boss_a', 'Company B', '{admin}');
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION boss_a;
BEGIN;
SELECT ringfence.enter('Company B');
SELECT ringfence.create_field(U&'Con\200Btract') \g /dev/null
INSERT INTO ringfence.project (name) VALUES (U&'Supp\200Dort');
SELECT count(*) FROM ringfence.field WHERE name = U&'Con\200Btract';
ROLLBACK;
RESET SESSION AUTHORIZATION;
