-- Writing cards: the statements behind customer_card are kept for the backend, and must serve each role, owner and search_path as if they were new.
\set SHOW_CONTEXT always
\pset null -
SET client_min_messages = warning;

-- No SQL of the extension in CONTEXT, also where PostgreSQL does not ask how to word an error since it is not logged.
SET log_min_messages = panic;
SET SESSION AUTHORIZATION app_a;
INSERT INTO ringfence.customer_card (id, name) SELECT id, 'Twice' FROM ringfence.customer WHERE name = 'Tsai Mei-Ling';
\echo :SQLSTATE :LAST_ERROR_MESSAGE
INSERT INTO ringfence.customer_card (name, company_id) VALUES ('Nowhere', 'c0000000-0000-0000-0000-00000000dead');
UPDATE ringfence.customer_card SET name = '' WHERE name = 'Tsai Mei-Ling';
UPDATE ringfence.customer_card SET attributes = '[]' WHERE name = 'Tsai Mei-Ling';
UPDATE ringfence.customer_card SET attributes = '{"No Such Field": 1}' WHERE name = 'Tsai Mei-Ling';
UPDATE ringfence.customer_card SET owner_id = 'bbbbbbbb-0000-0000-0000-000000000002' WHERE name = 'Tsai Mei-Ling';
UPDATE ringfence.customer_card SET id = 'c0000000-0000-0000-0000-00000000dead' WHERE name = 'Tsai Mei-Ling';
RESET SESSION AUTHORIZATION;
RESET log_min_messages;

-- One backend, one owner after the other, by roles with other rights.
SET SESSION AUTHORIZATION app_a;
UPDATE ringfence.customer_card SET address = 'of A' WHERE true RETURNING owner_id, name, address;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION app_b;
UPDATE ringfence.customer_card SET address = 'of B' WHERE true RETURNING owner_id, name, address;
RESET SESSION AUTHORIZATION;
GRANT app_a, app_b, trainee_a, app_none TO stranger;
SET SESSION AUTHORIZATION stranger;
SET ROLE app_b;
UPDATE ringfence.customer_card SET language = 'b1' WHERE true RETURNING owner_id, language;
SET ROLE app_a;
UPDATE ringfence.customer_card SET language = 'a1' WHERE true RETURNING owner_id, language;
SET ROLE trainee_a;
UPDATE ringfence.customer_card SET language = 't1';
SET ROLE app_none;
UPDATE ringfence.customer_card SET language = 'n1';
SET ROLE app_b;
DELETE FROM ringfence.customer_card WHERE owner_id = 'aaaaaaaa-0000-0000-0000-000000000001';
SELECT count(*) FROM ringfence.customer_card WHERE owner_id <> ringfence.current_owner();
RESET ROLE;
RESET SESSION AUTHORIZATION;
REVOKE app_a, app_b, trainee_a, app_none FROM stranger;
SELECT owner_id, address, language, count(*) FROM ringfence.customer GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;

-- Without row-level security nothing is written.
SET SESSION AUTHORIZATION app_a;
SET row_security = off;
UPDATE ringfence.customer_card SET language = 'off';
SET row_security = on;

-- Impostors of operators, functions and tables, in front of PostgreSQL's own. Each says that any row is the one.
RESET SESSION AUTHORIZATION;
CREATE SCHEMA impostor;
GRANT USAGE, CREATE ON SCHEMA impostor TO boss_a;
GRANT TEMPORARY ON DATABASE :DBNAME TO boss_a;
SET SESSION AUTHORIZATION boss_a;
CREATE FUNCTION impostor.yes(uuid, uuid) RETURNS boolean LANGUAGE plpgsql AS 'BEGIN RAISE WARNING ''the impostor runs as %'', current_user; RETURN true; END';
CREATE OPERATOR impostor.= (LEFTARG = uuid, RIGHTARG = uuid, FUNCTION = impostor.yes);
CREATE TEMPORARY TABLE customer (owner_id uuid, id uuid, attributes jsonb, birth_date date);
CREATE FUNCTION pg_temp.write_attributes(jsonb, jsonb, jsonb) RETURNS jsonb LANGUAGE sql AS $$SELECT '{}'::jsonb$$;
BEGIN;
SET LOCAL search_path = pg_temp, impostor, pg_catalog;
UPDATE ringfence.customer_card SET birth_date = '1990-01-02' WHERE name = 'Tsai Mei-Ling' RETURNING name, birth_date;
SELECT count(*) FROM ringfence.customer_card WHERE birth_date = '1990-01-02';
INSERT INTO ringfence.customer_card (name) VALUES ('Under impostors') RETURNING name, phones, attributes;
DELETE FROM ringfence.customer_card WHERE name = 'Under impostors' RETURNING name;
ROLLBACK;
RESET SESSION AUTHORIZATION;

-- A trigger of others on the table runs under the extension's search_path, whatever the session has set.
CREATE FUNCTION impostor.notes_path() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE WARNING '% by % under %', TG_OP, current_user, current_setting('search_path');
    RETURN coalesce(NEW, OLD);
END $$;
CREATE TRIGGER notes_path BEFORE INSERT OR UPDATE OR DELETE ON ringfence.customer FOR EACH ROW EXECUTE FUNCTION impostor.notes_path();
\set SHOW_CONTEXT never
SET SESSION AUTHORIZATION boss_a;
SET search_path = impostor, pg_catalog;
BEGIN;
INSERT INTO ringfence.customer_card (name) VALUES ('Noted');
UPDATE ringfence.customer_card SET address = 'noted' WHERE name = 'Noted';
DELETE FROM ringfence.customer_card WHERE name = 'Noted';
ROLLBACK;
RESET search_path;
RESET SESSION AUTHORIZATION;
DROP TRIGGER notes_path ON ringfence.customer;

-- One that keeps a row from being written: no card is returned.
CREATE FUNCTION impostor.keeps() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER keeps BEFORE INSERT OR UPDATE OR DELETE ON ringfence.customer FOR EACH ROW EXECUTE FUNCTION impostor.keeps();
SET SESSION AUTHORIZATION boss_a;
UPDATE ringfence.customer_card SET address = 'kept' WHERE name = 'Tsai Mei-Ling' RETURNING address;
DELETE FROM ringfence.customer_card WHERE name = 'Tsai Mei-Ling' RETURNING name;
INSERT INTO ringfence.customer_card (name) VALUES ('Kept away') RETURNING name;
SELECT * FROM ringfence.save_customer('{"name": "Kept away"}');
RESET SESSION AUTHORIZATION;
DROP TRIGGER keeps ON ringfence.customer;

-- A rule of others on the table does its part too.
CREATE TABLE impostor.noted (name text);
GRANT INSERT ON impostor.noted TO PUBLIC;
CREATE RULE notes AS ON UPDATE TO ringfence.customer DO ALSO INSERT INTO impostor.noted VALUES (NEW.name);
CREATE RULE notifies AS ON UPDATE TO ringfence.customer DO ALSO NOTIFY customers;
SET SESSION AUTHORIZATION boss_a;
UPDATE ringfence.customer_card SET address = 'ruled' WHERE name = 'Tsai Mei-Ling' RETURNING address;
RESET SESSION AUTHORIZATION;
SELECT * FROM impostor.noted;
DROP RULE notes ON ringfence.customer;
DROP RULE notifies ON ringfence.customer;

-- The trigger functions serve the card alone, and nobody may attach them.
SET SESSION AUTHORIZATION boss_a;
CREATE VIEW impostor.card AS SELECT 1 AS id;
CREATE TRIGGER planted INSTEAD OF UPDATE ON impostor.card FOR EACH ROW EXECUTE FUNCTION ringfence.update_customer_card();
RESET SESSION AUTHORIZATION;
CREATE TRIGGER planted INSTEAD OF UPDATE ON impostor.card FOR EACH ROW EXECUTE FUNCTION ringfence.update_customer_card();
UPDATE impostor.card SET id = 2;
CREATE TABLE impostor.plain (id integer);
CREATE TRIGGER planted BEFORE INSERT ON impostor.plain FOR EACH ROW EXECUTE FUNCTION ringfence.insert_customer_card();
INSERT INTO impostor.plain VALUES (1);

-- Every set of changed columns, more than plans are kept: the named columns change, and no other.
SET SESSION AUTHORIZATION boss_a;
INSERT INTO ringfence.company (id, name) VALUES ('c0000000-0000-0000-0000-0000000000c1', 'Set');
INSERT INTO ringfence.customer_card (id, name) VALUES ('c0000000-0000-0000-0000-0000000000aa', 'Set');
DO $$
DECLARE
    columns CONSTANT text[] := '{name,phones,emails,address,birth_date,language,company_id,last_activity_at}';
    changed CONSTANT text[] := ARRAY['''Set ''', '''{0912000111}''', '''{set@b.example}''', '''street''', '''1980-02-29''', '''pl''',
                                     '''c0000000-0000-0000-0000-0000000000c1''', '''2026-01-02 03:04:05.678901+00'''];
    assigned text;
    expected text;
    same     boolean;
BEGIN
    FOR bits IN 1 .. 255 LOOP
        SELECT string_agg(format('%I = %s', columns[n], changed[n]), ', '),
               string_agg(format('after.%1$I IS NOT DISTINCT FROM %2$s', columns[n], CASE WHEN bits >> (n - 1) & 1 = 1 THEN changed[n] ELSE 'before.' || columns[n] END), ' AND ')
               INTO assigned, expected FROM generate_subscripts(columns, 1) AS n WHERE bits >> (n - 1) & 1 = 1;
        SELECT string_agg(format('after.%1$I IS NOT DISTINCT FROM %2$s', columns[n], CASE WHEN bits >> (n - 1) & 1 = 1 THEN changed[n] ELSE 'before.' || columns[n] END), ' AND ')
               INTO expected FROM generate_subscripts(columns, 1) AS n;
        CREATE TEMPORARY TABLE before AS SELECT * FROM ringfence.customer_card WHERE id = 'c0000000-0000-0000-0000-0000000000aa';
        EXECUTE 'UPDATE ringfence.customer_card SET ' || assigned || ' WHERE id = ''c0000000-0000-0000-0000-0000000000aa''';
        EXECUTE 'SELECT ' || expected || ' FROM before, ringfence.customer_card AS after WHERE after.id = before.id' INTO same;
        IF same IS NOT TRUE THEN
            RAISE WARNING 'wrong: %', assigned;
        END IF;
        DROP TABLE before;
        UPDATE ringfence.customer_card SET name = 'Set', phones = NULL, emails = NULL, address = NULL, birth_date = NULL, language = NULL,
                                           company_id = NULL, last_activity_at = NULL
         WHERE id = 'c0000000-0000-0000-0000-0000000000aa';
    END LOOP;
END $$;
SELECT name, phones, normal_phones, emails, last_activity_at, updated_by FROM ringfence.customer WHERE id = 'c0000000-0000-0000-0000-0000000000aa';
-- The same value written as another text, or without its microseconds, changes nothing; the writer is stamped all the same.
SET ringfence.agent = 'first';
UPDATE ringfence.customer_card SET phones = '{0912000111,0912000222}', last_activity_at = '2026-01-02 03:04:05.678901+00' WHERE id = 'c0000000-0000-0000-0000-0000000000aa';
SET ringfence.agent = 'second';
UPDATE ringfence.customer_card SET phones = array_remove(phones || NULL::text, NULL), last_activity_at = date_trunc('milliseconds', last_activity_at)
 WHERE id = 'c0000000-0000-0000-0000-0000000000aa' RETURNING phones, last_activity_at AT TIME ZONE 'UTC' AS active, updated_by;
SET ringfence.agent = 'third';
UPDATE ringfence.customer_card SET last_activity_at = 'infinity' WHERE id = 'c0000000-0000-0000-0000-0000000000aa' RETURNING last_activity_at, updated_by;
UPDATE ringfence.customer_card SET last_activity_at = '-infinity' WHERE id = 'c0000000-0000-0000-0000-0000000000aa' RETURNING last_activity_at, updated_by;
-- One card twice in one statement: the second time sees the first.
UPDATE ringfence.customer_card AS card SET address = coalesce(card.address, '') || n FROM (VALUES ('1'), ('2')) AS twice (n)
 WHERE id = 'c0000000-0000-0000-0000-0000000000aa' RETURNING address IN ('1', '2') AS written;
-- Rolled back to a savepoint after an error within, and on.
BEGIN;
SAVEPOINT before;
UPDATE ringfence.customer_card SET name = '' WHERE id = 'c0000000-0000-0000-0000-0000000000aa';
ROLLBACK TO before;
SELECT current_user;
UPDATE ringfence.customer_card SET name = 'On' WHERE id = 'c0000000-0000-0000-0000-0000000000aa' RETURNING name;
COMMIT;
RESET SESSION AUTHORIZATION;
-- Stored values that are NULL, where somebody has allowed that: nothing is read that is not there.
BEGIN;
ALTER TABLE ringfence.customer ALTER COLUMN attributes DROP NOT NULL, DISABLE TRIGGER keep_searchable_update;
UPDATE ringfence.customer SET attributes = NULL WHERE id = 'c0000000-0000-0000-0000-0000000000aa';
SET LOCAL SESSION AUTHORIZATION boss_a;
UPDATE ringfence.customer_card SET address = 'empty' WHERE id = 'c0000000-0000-0000-0000-0000000000aa' RETURNING address, attributes;
ROLLBACK;
-- A column more in the table, while its statements are kept.
BEGIN;
ALTER TABLE ringfence.customer ADD COLUMN extra text DEFAULT 'x';
SET LOCAL SESSION AUTHORIZATION boss_a;
UPDATE ringfence.customer_card SET name = 'Wider' WHERE id = 'c0000000-0000-0000-0000-0000000000aa' RETURNING name;
ROLLBACK;
SET SESSION AUTHORIZATION boss_a;
DELETE FROM ringfence.customer_card WHERE id = 'c0000000-0000-0000-0000-0000000000aa';
RESET SESSION AUTHORIZATION;

-- The day of the last activity, whoever writes it and however.
BEGIN;
INSERT INTO ringfence.customer (owner_id, name, last_activity_at)
    SELECT 'aaaaaaaa-0000-0000-0000-000000000001', 'Day', time
      FROM unnest('{2026-01-01 00:00:00+00,2025-12-31 23:59:59.999999+00,1999-12-31 23:59:59.999999+00,infinity,-infinity,NULL,0001-01-01 12:00:00+00 BC,0001-01-01 00:00:00+00,294276-12-31 00:00:00+00}'::timestamptz[]) AS time;
INSERT INTO ringfence.customer (owner_id, name, active_on) VALUES ('aaaaaaaa-0000-0000-0000-000000000001', 'Forged', '2026-01-01');
SELECT name, last_activity_at AT TIME ZONE 'UTC' AS active_at, active_on FROM ringfence.customer WHERE name IN ('Day', 'Forged') ORDER BY last_activity_at, name;
UPDATE ringfence.customer SET last_activity_at = '2020-02-29 01:00:00+00' WHERE name = 'Forged' RETURNING active_on;
UPDATE ringfence.customer SET active_on = '2026-01-01' WHERE name = 'Forged' RETURNING active_on;
UPDATE ringfence.customer SET last_activity_at = NULL WHERE name = 'Forged' RETURNING active_on;
-- Also a trigger of others, called after the extension's, and a replica.
CREATE FUNCTION impostor.touches() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.last_activity_at := ''2027-07-07 12:00+00''; RETURN NEW; END';
CREATE TRIGGER touches BEFORE INSERT OR UPDATE OF name ON ringfence.customer FOR EACH ROW EXECUTE FUNCTION impostor.touches();
INSERT INTO ringfence.customer (owner_id, name) VALUES ('aaaaaaaa-0000-0000-0000-000000000001', 'Touched') RETURNING active_on;
UPDATE ringfence.customer SET name = 'Touched' WHERE name = 'Forged' RETURNING active_on;
DROP TRIGGER touches ON ringfence.customer;
SET LOCAL session_replication_role = replica;
INSERT INTO ringfence.customer (owner_id, name, last_activity_at) VALUES ('aaaaaaaa-0000-0000-0000-000000000001', 'Replica', '2026-05-05 12:00+00') RETURNING active_on;
UPDATE ringfence.customer SET last_activity_at = '2026-06-06 12:00+00' WHERE name = 'Replica' RETURNING active_on;
ROLLBACK;
