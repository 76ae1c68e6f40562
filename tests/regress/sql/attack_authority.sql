-- Attacks on authority over data, and on what is kept of its history (ATTACKS 300 to 314).
\set SHOW_CONTEXT never
\pset null -
CREATE ROLE judged_crm LOGIN;
CREATE ROLE judged_erp LOGIN;
CREATE ROLE judged_sales LOGIN;
CREATE ROLE judged_form LOGIN;
CREATE ROLE judged_broom LOGIN;
CREATE ROLE judged_boss LOGIN;
SET ROLE dba;
SELECT ringfence.grant_access('judged_crm', 'Company A', '{customer.read,customer.write,customer.delete}', sources => '{CRM}'),
       ringfence.grant_access('judged_erp', 'Company A', '{customer.read,customer.write,customer.delete}', sources => '{ERP}'),
       ringfence.grant_access('judged_sales', 'Company A', '{customer.read,customer.write,customer.delete}', 'Sales', sources => '{ERP}'),
       ringfence.grant_access('judged_form', 'Company A', '{customer.write}', sources => '{ERP}'),
       ringfence.grant_access('judged_broom', 'Company A', '{customer.delete}', sources => '{ERP}'),
       ringfence.grant_access('judged_boss', 'Company A', '{admin,supervisor}') \g /dev/null
RESET ROLE;
SET SESSION AUTHORIZATION judged_boss;
SELECT ringfence.create_source('CRM'), ringfence.create_source('ERP') \g /dev/null
SELECT ringfence.create_field('Secret', projects => '{Sales,Support}', is_masked => true),
       ringfence.create_field('Fault', projects => '{Support}'),
       ringfence.create_field('Paid', 'number', projects => '{Sales,Support}') \g /dev/null
INSERT INTO ringfence.customer_card (id, name, attributes) VALUES
    ('a0000000-0000-0000-0000-0000000000f1', 'With secret', '{"Secret": "CANARY-Secret"}'),
    ('a0000000-0000-0000-0000-0000000000f2', 'With fault', '{"Fault": "CANARY-Fault"}'),
    ('a0000000-0000-0000-0000-0000000000f3', 'With neither', '{}');
RESET SESSION AUTHORIZATION;

\echo 300: what others have added to the table of the history: every index finds every row, and nothing more
CREATE INDEX ON ringfence.change (owner_id, customer_id) WHERE kind = 'left_out';
CREATE INDEX ON ringfence.change ((data ->> 'new'));
ALTER TABLE ringfence.change ADD COLUMN noted text DEFAULT 'by ' || current_user, ADD COLUMN size integer GENERATED ALWAYS AS (octet_length(data::text)) STORED;
SET SESSION AUTHORIZATION app_a;
UPDATE ringfence.customer_card SET address = 'First' WHERE name = 'Chen Wei';
UPDATE ringfence.customer_card SET address = 'Second' WHERE name = 'Chen Wei';
RESET SESSION AUTHORIZATION;
SET enable_seqscan = off;
SET enable_bitmapscan = off;
SELECT count(*) FROM ringfence.change WHERE owner_id = 'aaaaaaaa-0000-0000-0000-000000000001' AND kind = 'left_out';
SELECT kind, data ->> 'new' AS new FROM ringfence.change WHERE data ->> 'new' = 'Second';
RESET enable_seqscan;
RESET enable_bitmapscan;
SELECT data ->> 'new' AS new, noted, size FROM ringfence.change WHERE data ->> 'new' IS NOT NULL ORDER BY 1;
ALTER TABLE ringfence.change ADD CONSTRAINT change_check CHECK (data ->> 'new' <> 'Third');
SET SESSION AUTHORIZATION app_a;
UPDATE ringfence.customer_card SET address = 'Third' WHERE name = 'Chen Wei';
RESET SESSION AUTHORIZATION;
ALTER TABLE ringfence.change DROP COLUMN noted, DROP COLUMN size, DROP CONSTRAINT change_check;
SET SESSION AUTHORIZATION app_a;
UPDATE ringfence.customer_card SET address = 'Fourth' WHERE name = 'Chen Wei' RETURNING address;
RESET SESSION AUTHORIZATION;

-- The table is open for a statement of the client: across subtransactions, commits and commands within it.
CREATE PROCEDURE write_in_parts() LANGUAGE plpgsql AS $$ BEGIN
    UPDATE ringfence.customer_card SET address = 'committed' WHERE name = 'Chen Wei';
    COMMIT;
    BEGIN
        UPDATE ringfence.customer_card SET address = 'undone' WHERE name = 'Chen Wei';
        PERFORM 1 / 0;
    EXCEPTION WHEN division_by_zero THEN NULL;
    END;
    UPDATE ringfence.customer_card SET address = 'rolled back' WHERE name = 'Chen Wei';
    ROLLBACK;
    BEGIN
        UPDATE ringfence.customer_card SET address = 'joined' WHERE name = 'Chen Wei';
    EXCEPTION WHEN division_by_zero THEN NULL;
    END;
END $$;
GRANT EXECUTE ON PROCEDURE write_in_parts() TO PUBLIC;
SET SESSION AUTHORIZATION app_a;
CALL write_in_parts();
RESET SESSION AUTHORIZATION;
DO $$ BEGIN
    SET LOCAL ROLE app_a;
    UPDATE ringfence.customer_card SET address = 'before' WHERE name = 'Chen Wei';
    RESET ROLE;
    ALTER TABLE ringfence.change ADD COLUMN noted text DEFAULT 'later';
    SET LOCAL ROLE app_a;
    UPDATE ringfence.customer_card SET address = 'after' WHERE name = 'Chen Wei';
END $$;
SELECT data ->> 'new' AS new, noted FROM ringfence.change WHERE customer_id = 'a0000000-0000-0000-0000-000000000002' AND kind <> 'insert' ORDER BY at, id;
ALTER TABLE ringfence.change DROP COLUMN noted;

\echo 301: whether a customer can be deleted tells whether it has a value that the session does not see
SET SESSION AUTHORIZATION judged_boss;
SELECT ringfence.set_authority('CRM', 'Secret') \g /dev/null
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION judged_erp;
SET ringfence.source = 'ERP';
BEGIN;
DELETE FROM ringfence.customer_card WHERE name = 'With secret';
ROLLBACK;
BEGIN;
DELETE FROM ringfence.customer_card WHERE name = 'With neither';
ROLLBACK;
SET ringfence.on_foreign_datum = 'skip';
BEGIN;
DELETE FROM ringfence.customer_card WHERE name LIKE 'With %' RETURNING name;
SELECT customer_id, field, role_name, source FROM ringfence.left_out() ORDER BY customer_id;
ROLLBACK;
RESET ringfence.on_foreign_datum;
RESET ringfence.source;
RESET SESSION AUTHORIZATION;
-- Of a field of another project.
SET SESSION AUTHORIZATION judged_boss;
SELECT ringfence.set_authority(NULL, 'Secret'), ringfence.set_authority('CRM', 'Fault') \g /dev/null
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION judged_sales;
SET ringfence.source = 'ERP';
BEGIN;
DELETE FROM ringfence.customer_card WHERE name = 'With fault';
ROLLBACK;
BEGIN;
DELETE FROM ringfence.customer_card WHERE name = 'With neither';
ROLLBACK;
RESET ringfence.source;
RESET SESSION AUTHORIZATION;
-- Who sees the field is asked for the value.
SET SESSION AUTHORIZATION judged_erp;
SET ringfence.source = 'ERP';
BEGIN;
DELETE FROM ringfence.customer_card WHERE name = 'With fault';
ROLLBACK;
BEGIN;
DELETE FROM ringfence.customer_card WHERE name = 'With neither' RETURNING name;
ROLLBACK;
RESET ringfence.source;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION judged_boss;
SELECT ringfence.set_authority(NULL, 'Fault'), ringfence.set_authority('CRM', 'phones') \g /dev/null
RESET SESSION AUTHORIZATION;

\echo 302: a session that may write, and not read, compares values with those of all customers, or gets their ids
SET SESSION AUTHORIZATION judged_form;
SET ringfence.source = 'ERP';
UPDATE ringfence.customer SET phones = '{(02) 2345-6789}';
UPDATE ringfence.customer SET phones = '{CANARY}';
SET ringfence.on_foreign_datum = 'skip';
UPDATE ringfence.customer SET phones = '{(02) 2345-6789}';
UPDATE ringfence.customer SET phones = '{CANARY}';
BEGIN;
UPDATE ringfence.customer SET address = 'Somewhere';
ROLLBACK;
INSERT INTO ringfence.customer (name, phones) VALUES ('By a form', '{0912345678}');
RESET ringfence.on_foreign_datum;
RESET ringfence.source;
RESET SESSION AUTHORIZATION;
SELECT name, phones FROM ringfence.customer WHERE name = 'By a form';

\echo 303: a session that may delete, and not read, gets the ids of customers
SET SESSION AUTHORIZATION judged_broom;
SET ringfence.source = 'ERP';
DELETE FROM ringfence.customer;
SET ringfence.on_foreign_datum = 'skip';
DELETE FROM ringfence.customer;
RESET ringfence.on_foreign_datum;
RESET ringfence.source;
RESET SESSION AUTHORIZATION;

\echo 304: an error that a trigger of others catches, while values of a field get another form
SET SESSION AUTHORIZATION judged_boss;
SELECT ringfence.set_authority('CRM', 'Paid') \g /dev/null
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION judged_crm;
SET ringfence.source = 'CRM';
UPDATE ringfence.customer_card SET attributes = attributes || '{"Paid": 1}' WHERE name LIKE 'With %';
RESET ringfence.source;
RESET SESSION AUTHORIZATION;
CREATE FUNCTION stumble() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    BEGIN
        PERFORM 1 / 0;
    EXCEPTION WHEN OTHERS THEN NULL;
    END;
    RETURN NEW;
END $$;
CREATE TRIGGER aa_stumble BEFORE UPDATE ON ringfence.customer FOR EACH ROW EXECUTE FUNCTION stumble();
SET SESSION AUTHORIZATION judged_boss;
SET ringfence.on_foreign_datum = 'skip';
SELECT ringfence.retype_field('Paid', 'text');
RESET ringfence.on_foreign_datum;
SELECT name, attributes FROM ringfence.customer_card WHERE name LIKE 'With %' AND attributes ? 'Paid' ORDER BY name;
SELECT count(*) FROM ringfence.left_out();
SELECT count(*) FROM ringfence.history('a0000000-0000-0000-0000-0000000000f1', 'Paid');
RESET SESSION AUTHORIZATION;
DROP TRIGGER aa_stumble ON ringfence.customer;

\echo 305: what a trigger of others writes while a customer is erased is judged, and kept
CREATE TABLE visit (owner_id uuid, customer_id uuid, FOREIGN KEY (owner_id, customer_id) REFERENCES ringfence.customer ON DELETE CASCADE);
CREATE FUNCTION count_visits() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    UPDATE ringfence.customer_card SET address = 'lost a friend', phones = current_setting('test.phones')::text[] WHERE name = 'With fault';
    RETURN NULL;
END $$;
CREATE TRIGGER count_visits AFTER DELETE ON visit FOR EACH ROW EXECUTE FUNCTION count_visits();
GRANT ALL ON visit TO PUBLIC;
INSERT INTO visit VALUES ('aaaaaaaa-0000-0000-0000-000000000001', 'a0000000-0000-0000-0000-0000000000f3');
SET test.phones = '{}';
SET SESSION AUTHORIZATION judged_boss;
SELECT ringfence.erase_customer('a0000000-0000-0000-0000-0000000000f3', 'asked for it') \g /dev/null
SELECT kind, field, new FROM ringfence.history('a0000000-0000-0000-0000-0000000000f2') WHERE field = 'address';
SELECT kind FROM ringfence.history('a0000000-0000-0000-0000-0000000000f3');
RESET SESSION AUTHORIZATION;
DROP TABLE visit;

\echo 306: everything that skip leaves out is in the report: values of new customers, new customers, deletions
SET SESSION AUTHORIZATION judged_boss;
SELECT ringfence.set_authority('CRM', 'emails') \g /dev/null
RESET SESSION AUTHORIZATION;
DELETE FROM ringfence.change;
SET SESSION AUTHORIZATION judged_erp;
SET ringfence.source = 'ERP';
SET ringfence.on_foreign_datum = 'skip';
INSERT INTO ringfence.customer_card (id, name, emails, phones, attributes) VALUES ('a0000000-0000-0000-0000-0000000000a1', 'By card', '{a@example.com}', '{0911}', '{"Paid": "yes"}');
INSERT INTO ringfence.customer (id, name, emails) VALUES ('a0000000-0000-0000-0000-0000000000a2', 'By table', '{a@example.com}');
UPDATE ringfence.customer_card SET phones = '{0922}', address = 'New' WHERE name IN ('By card', 'By table');
DELETE FROM ringfence.customer WHERE name = 'Chen Wei';
RESET ringfence.source;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION judged_boss;
SELECT ringfence.set_authority('CRM', 'name') \g /dev/null
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION judged_erp;
SET ringfence.source = 'ERP';
INSERT INTO ringfence.customer_card (id, name) VALUES ('a0000000-0000-0000-0000-0000000000a3', 'Not to be') RETURNING name;
INSERT INTO ringfence.customer (id, name) VALUES ('a0000000-0000-0000-0000-0000000000a4', 'Not to be') RETURNING name;
SELECT right(customer_id::text, 2) AS customer, field, old, new, source, authority FROM ringfence.left_out() ORDER BY 1, 2;
-- An error that is caught takes its warnings along.
DO $$ BEGIN
    UPDATE ringfence.customer_card SET phones = '{0933}' WHERE name = 'By card';
    BEGIN
        UPDATE ringfence.customer_card SET phones = '{0933}' WHERE name = 'By table';
        PERFORM 1 / 0;
    EXCEPTION WHEN division_by_zero THEN NULL;
    END;
END $$;
RESET ringfence.on_foreign_datum;
RESET ringfence.source;
RESET SESSION AUTHORIZATION;

\echo 307: ON CONFLICT DO UPDATE on the table changes what the session may change, and nothing else
SET SESSION AUTHORIZATION judged_erp;
SET ringfence.source = 'ERP';
INSERT INTO ringfence.customer (id, name, address) VALUES ('a0000000-0000-0000-0000-0000000000f1', 'With secret', 'Permitted')
    ON CONFLICT (owner_id, id) DO UPDATE SET address = excluded.address RETURNING name, address;
INSERT INTO ringfence.customer (id, name, address) VALUES ('a0000000-0000-0000-0000-0000000000f1', 'Stolen', 'Permitted')
    ON CONFLICT (owner_id, id) DO UPDATE SET address = excluded.address, name = excluded.name;
INSERT INTO ringfence.customer (id, name) VALUES ('a0000000-0000-0000-0000-0000000000a5', 'Not to be')
    ON CONFLICT (owner_id, id) DO UPDATE SET address = excluded.address;
INSERT INTO ringfence.customer (id, name) VALUES ('a0000000-0000-0000-0000-0000000000f1', 'Not to be') ON CONFLICT DO NOTHING;
COPY ringfence.customer_card (name) FROM stdin;
Not to be
\.
SET ringfence.on_foreign_datum = 'skip';
INSERT INTO ringfence.customer (id, name, address) VALUES ('a0000000-0000-0000-0000-0000000000f1', 'With secret', 'Silently lost')
    ON CONFLICT (owner_id, id) DO UPDATE SET address = excluded.address;
WITH lost AS (INSERT INTO ringfence.customer (id, name) VALUES ('a0000000-0000-0000-0000-0000000000f1', 'With secret')
    ON CONFLICT (owner_id, id) DO UPDATE SET address = excluded.address RETURNING name) SELECT * FROM lost;
SELECT * FROM ringfence.save_customer('{"id": "a0000000-0000-0000-0000-0000000000f1", "name": "Left out", "address": "Saved"}');
RESET ringfence.on_foreign_datum;
RESET ringfence.source;
RESET SESSION AUTHORIZATION;
-- Refused once, and then inserted as the session may.
SET SESSION AUTHORIZATION judged_boss;
SELECT ringfence.set_authority(NULL, 'name') \g /dev/null
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION judged_erp;
SET ringfence.source = 'ERP';
DO $$ BEGIN
    BEGIN
        INSERT INTO ringfence.customer (id, name, phones) VALUES ('a0000000-0000-0000-0000-0000000000a6', 'Twice', '{0911}');
    EXCEPTION WHEN insufficient_privilege THEN RAISE NOTICE 'refused';
    END;
    INSERT INTO ringfence.customer (id, name) VALUES ('a0000000-0000-0000-0000-0000000000a6', 'Twice');
END $$;
SELECT name, phones FROM ringfence.customer WHERE name = 'Twice';
RESET ringfence.source;
RESET SESSION AUTHORIZATION;
-- With the trigger that would raise it disabled, the error comes at once.
ALTER TABLE ringfence.customer DISABLE TRIGGER keep_history;
SET SESSION AUTHORIZATION judged_erp;
SET ringfence.source = 'ERP';
INSERT INTO ringfence.customer (name, phones) VALUES ('Not to be', '{0911}');
RESET ringfence.source;
RESET SESSION AUTHORIZATION;
SELECT count(*) FROM ringfence.customer WHERE name IN ('Not to be', 'Stolen') OR address = 'Silently lost';

\echo 308: health() tells that a trigger is disabled or gone
SET SESSION AUTHORIZATION dba;
SELECT ok, detail FROM ringfence.health() WHERE "check" = 'authority and history';
RESET SESSION AUTHORIZATION;
ALTER TABLE ringfence.customer ENABLE TRIGGER keep_history;
SET SESSION AUTHORIZATION dba;
SELECT ok, detail FROM ringfence.health() WHERE "check" = 'authority and history';
RESET SESSION AUTHORIZATION;

\echo 309: a required field of another source is not required of the session, and skip stores no customer that lacks one of its own
SET SESSION AUTHORIZATION judged_boss;
SELECT ringfence.create_field('Status', projects => '{Sales,Support}', required => true) \g /dev/null
SELECT ringfence.set_authority('CRM', 'Status') \g /dev/null
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION judged_erp;
SET ringfence.source = 'ERP';
INSERT INTO ringfence.customer_card (name) VALUES ('Of ERP') RETURNING name, attributes;
INSERT INTO ringfence.customer (name) VALUES ('Of ERP') RETURNING name;
SET ringfence.on_foreign_datum = 'skip';
INSERT INTO ringfence.customer_card (name, attributes) VALUES ('Of ERP', '{"Status": "new"}') RETURNING name, attributes;
RESET ringfence.on_foreign_datum;
RESET ringfence.source;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION judged_crm;
SET ringfence.source = 'CRM';
INSERT INTO ringfence.customer_card (name) VALUES ('Of CRM');
INSERT INTO ringfence.customer (name) VALUES ('Of CRM');
RESET ringfence.source;
RESET SESSION AUTHORIZATION;

\echo 310: a function of a superuser, called by a session of A, writes a customer of B: judged by nobody, and B is not told of A
CREATE FUNCTION repair(customer uuid, address text) RETURNS void LANGUAGE sql SECURITY DEFINER
    BEGIN ATOMIC UPDATE ringfence.customer AS c SET address = repair.address WHERE c.id = repair.customer; END;
GRANT EXECUTE ON FUNCTION repair(uuid, text) TO PUBLIC;
SET SESSION AUTHORIZATION judged_erp;
SET ringfence.source = 'ERP';
SET ringfence.agent = 'CANARY-agent';
SELECT repair('b0000000-0000-0000-0000-000000000002', 'Repaired') \g /dev/null
SELECT repair('a0000000-0000-0000-0000-0000000000f1', 'Repaired') \g /dev/null
RESET ringfence.agent;
RESET ringfence.source;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION stranger;
SELECT repair('b0000000-0000-0000-0000-000000000002', 'Repaired again') \g /dev/null
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION app_b;
SELECT kind, field, new, role_name LIKE 'judged%' AS told, agent, source FROM ringfence.history('b0000000-0000-0000-0000-000000000002') WHERE field = 'address';
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION judged_boss;
SELECT kind, field, new, role_name, agent, source FROM ringfence.history('a0000000-0000-0000-0000-0000000000f1', 'address') WHERE new = '"Repaired"';
RESET SESSION AUTHORIZATION;

\echo 311: a new customer of another owner that is left out leaves nothing in the history of that owner
SET SESSION AUTHORIZATION judged_boss;
SELECT ringfence.set_authority('CRM', 'name') \g /dev/null
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION judged_erp;
SET ringfence.source = 'ERP';
SET ringfence.on_foreign_datum = 'skip';
INSERT INTO ringfence.customer (owner_id, name) VALUES ('bbbbbbbb-0000-0000-0000-000000000002', 'CANARY-A');
INSERT INTO ringfence.customer_card (owner_id, name, phones) VALUES ('bbbbbbbb-0000-0000-0000-000000000002', 'CANARY-A', '{0911}');
RESET ringfence.on_foreign_datum;
RESET ringfence.source;
RESET SESSION AUTHORIZATION;
SELECT count(*) FROM ringfence.change WHERE owner_id = 'bbbbbbbb-0000-0000-0000-000000000002' AND data::text LIKE '%CANARY-A%';

\echo 312: a customer that a superuser gives to another owner: either history tells of its own part
UPDATE ringfence.customer SET owner_id = 'bbbbbbbb-0000-0000-0000-000000000002', attributes = '{}' WHERE id = 'a0000000-0000-0000-0000-0000000000f2';
SELECT o.name, c.kind, c.field_id FROM ringfence.change c JOIN ringfence.owner o ON o.id = c.owner_id
 WHERE c.customer_id = 'a0000000-0000-0000-0000-0000000000f2' AND c.kind IN ('insert', 'delete') ORDER BY 1, c.at, c.id;

\echo 313: a session that does not read customers manages sources
CREATE ROLE judged_blind LOGIN;
SET ROLE dba;
SELECT ringfence.grant_access('judged_blind', 'Company A', '{source.manage}') \g /dev/null
RESET ROLE;
SET SESSION AUTHORIZATION judged_blind;
SELECT ringfence.set_authority('CRM', 'name');
SELECT ringfence.retire_source('CRM', 'ERP');
SELECT ringfence.hand_over('a0000000-0000-0000-0000-0000000000f1', 'CRM');
RESET SESSION AUTHORIZATION;

\echo 314: proposals: the same twice, one that fills the disk, and SQL of the extension in the context of an error
CREATE ROLE judged_trainee LOGIN;
SET ROLE dba;
SELECT ringfence.grant_access('judged_trainee', 'Company A', '{customer.read,customer.propose}') \g /dev/null
RESET ROLE;
SET SESSION AUTHORIZATION judged_trainee;
UPDATE ringfence.customer_card SET address = 'Proposed' WHERE name = 'With secret';
UPDATE ringfence.customer_card SET address = 'Proposed' WHERE name = 'With secret';
UPDATE ringfence.customer_card SET address = 'Proposed, too' WHERE name = 'With secret';
SELECT field, new FROM ringfence.proposal ORDER BY new;
UPDATE ringfence.customer_card SET address = repeat('x', 100000) WHERE name = 'With secret';
INSERT INTO ringfence.customer_card (name, address) VALUES ('Large', repeat('x', 100000));
RESET SESSION AUTHORIZATION;
ALTER TABLE ringfence.proposed_value ADD CHECK (data ->> 'new' <> 'Refused');
\set SHOW_CONTEXT always
SET SESSION AUTHORIZATION judged_trainee;
UPDATE ringfence.customer_card SET address = 'Refused' WHERE name = 'With secret';
RESET SESSION AUTHORIZATION;
\set SHOW_CONTEXT never
ALTER TABLE ringfence.proposed_value DROP CONSTRAINT proposed_value_data_check;

\echo 320: what one client left out, and then failed, is told to the next client of the connection
CREATE ROLE judged_pool LOGIN;
SET ROLE dba;
SELECT ringfence.grant_access('judged_pool', 'Company A', '{agent}', sources => '{ERP}'), ringfence.grant_access('judged_pool', 'Company B', '{agent}') \g /dev/null
RESET ROLE;
SET SESSION AUTHORIZATION judged_pool;
DO $$
BEGIN
    PERFORM ringfence.enter('Company A', agent => 'Ola');
    SET LOCAL ringfence.source = 'ERP';
    SET LOCAL ringfence.on_foreign_datum = 'skip';
    UPDATE ringfence.customer_card SET name = 'CANARY-A';
    COMMIT;
    RAISE EXCEPTION 'after the commit';
END $$;
BEGIN;
SELECT ringfence.enter('Company B') IS NOT NULL AS entered;
SELECT count(*) FROM ringfence.customer;
ROLLBACK;
-- A procedure that goes on warns at its end, also of what it has rolled back in between.
DO $$
BEGIN
    FOR n IN 1..3 LOOP
        PERFORM ringfence.enter('Company A', agent => 'Ola');
        SET LOCAL ringfence.source = 'ERP';
        SET LOCAL ringfence.on_foreign_datum = 'skip';
        UPDATE ringfence.customer_card SET name = 'CANARY-A' WHERE name = 'Chen Wei';
        COMMIT;
    END LOOP;
END $$;
RESET SESSION AUTHORIZATION;

\echo 321: functions and indexes of an administrator on the history run commands, write customers, and fail
CREATE TABLE public.told (n integer);
GRANT SELECT ON public.told TO PUBLIC;
CREATE FUNCTION tell() RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN NOTIFY changed; LOCK TABLE public.told IN ACCESS SHARE MODE; RETURN true; END $$;
CREATE FUNCTION count_customers(text) RETURNS boolean LANGUAGE sql STABLE AS $$ SELECT count(*) >= 0 AND 1 / (CASE $1 WHEN 'fails' THEN 0 ELSE 1 END) = 1 FROM pg_class $$;
ALTER TABLE ringfence.change ADD told boolean DEFAULT tell(), ADD CHECK (count_customers(data ->> 'new'));
CREATE INDEX change_brin ON ringfence.change USING brin (at);
SET SESSION AUTHORIZATION judged_boss;
SET ringfence.source = 'ERP';
UPDATE ringfence.customer_card SET language = 'aa' WHERE name = 'With secret';
DO $$
BEGIN
    FOR n IN 1..5 LOOP
        UPDATE ringfence.customer_card SET language = 'b' || n WHERE name = 'With secret';
        BEGIN
            UPDATE ringfence.customer_card SET language = 'fails' WHERE name = 'With secret';
        EXCEPTION WHEN division_by_zero THEN
            NULL;
        END;
        UPDATE ringfence.customer_card SET language = 'c' || n WHERE name = 'With secret';
    END LOOP;
END $$;
SELECT count(*) FROM ringfence.customer AS c, ringfence.history(c.id, 'language') AS h WHERE c.name = 'With secret';
RESET ringfence.source;
RESET SESSION AUTHORIZATION;
DROP INDEX ringfence.change_brin;
ALTER TABLE ringfence.change DROP told, DROP CONSTRAINT change_data_check;
DROP FUNCTION tell(), count_customers(text);
DROP TABLE public.told;

\echo 322: an insert that changes nothing writes into the history of the customer that is there
SET SESSION AUTHORIZATION judged_erp;
SET ringfence.source = 'ERP';
SET ringfence.on_foreign_datum = 'skip';
INSERT INTO ringfence.customer (id, name, phones) SELECT id, 'CANARY-note', '{0911}' FROM ringfence.customer WHERE name = 'With secret' ON CONFLICT DO NOTHING;
RESET ringfence.on_foreign_datum;
RESET ringfence.source;
RESET SESSION AUTHORIZATION;
SELECT count(*) FROM ringfence.change WHERE data::text LIKE '%CANARY-note%';
-- Roles belong to the cluster.
\c - postgres
SET client_min_messages = warning;
DROP OWNED BY judged_crm, judged_erp, judged_sales, judged_form, judged_broom, judged_boss, judged_blind, judged_trainee, judged_pool;
DROP ROLE judged_crm, judged_erp, judged_sales, judged_form, judged_broom, judged_boss, judged_blind, judged_trainee, judged_pool;
