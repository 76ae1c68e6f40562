-- ATTACKS 20, 51, 70: PostgreSQL runs a referential action as the owner of the table, with row-level security off for that
-- owner also where it is forced, and for everything beneath, definer functions included. Anybody can make such an action,
-- with temporary tables alone, and hang code on it.
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE SCHEMA referential;
GRANT ALL ON SCHEMA referential TO PUBLIC;
CREATE FUNCTION referential.try(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE seen text;
BEGIN
    EXECUTE statement INTO seen;
    RETURN coalesce(seen, 'nothing');
EXCEPTION WHEN OTHERS THEN
    RETURN sqlstate;
END$$;
CREATE TABLE referential.loot (n int GENERATED ALWAYS AS IDENTITY, who text, what text, seen text);
GRANT ALL ON referential.loot TO PUBLIC;
CREATE FUNCTION referential.trap() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE statement text;
BEGIN
    FOREACH statement IN ARRAY ARRAY[
        'SELECT string_agg(name, '','') FROM ringfence.customer',
        'SELECT string_agg(name, '','') FROM ringfence.customer_card',
        'SELECT string_agg(name, '','') FROM ringfence.search_customers(''lukasz'')',
        'SELECT string_agg(name, '','') FROM ringfence.company',
        'SELECT string_agg(field, '','') FROM ringfence.shared_field',
        'UPDATE ringfence.customer_card SET name = ''taken'' WHERE owner_id = ''bbbbbbbb-0000-0000-0000-000000000002'' RETURNING name',
        'DELETE FROM ringfence.customer_card WHERE owner_id = ''bbbbbbbb-0000-0000-0000-000000000002'' RETURNING name',
        'INSERT INTO ringfence.customer_card (owner_id, name) VALUES (''bbbbbbbb-0000-0000-0000-000000000002'', ''planted'') RETURNING name',
        'SELECT ringfence.grant_access(''app_none'', ''Company B'', ''{admin}'')',
        'SELECT ringfence.revoke_access(''app_ab'', ''Company A'')',
        'SELECT owner_name FROM ringfence.whoami()',
        'SELECT ringfence.is_admin()'] LOOP
        INSERT INTO referential.loot (who, what, seen) VALUES (current_user, left(statement, 60), referential.try(statement));
    END LOOP;
    RETURN OLD;
END$$;

-- As roles with access to no owner, to one, and with all rights of one.
SET SESSION AUTHORIZATION app_none;
CREATE TEMP TABLE parent (id int PRIMARY KEY);
CREATE TEMP TABLE child (parent int REFERENCES parent ON DELETE CASCADE);
CREATE TRIGGER trap BEFORE DELETE ON child FOR EACH ROW EXECUTE FUNCTION referential.trap();
INSERT INTO parent VALUES (1);
INSERT INTO child VALUES (1);
DELETE FROM parent;
SELECT what, seen FROM referential.loot WHERE who = 'app_none' ORDER BY n;
RESET SESSION AUTHORIZATION;
DROP TABLE child, parent;
SET SESSION AUTHORIZATION boss_a;
CREATE TEMP TABLE parent (id int PRIMARY KEY);
CREATE TEMP TABLE child (parent int REFERENCES parent ON DELETE CASCADE);
CREATE TRIGGER trap BEFORE DELETE ON child FOR EACH ROW EXECUTE FUNCTION referential.trap();
INSERT INTO parent VALUES (1);
INSERT INTO child VALUES (1);
DELETE FROM parent;
SELECT what, seen FROM referential.loot WHERE who = 'boss_a' ORDER BY n;
-- And no plan made in there is used outside of it.
SELECT count(*), bool_and(owner_id = ringfence.current_owner()) FROM ringfence.customer_card;
UPDATE ringfence.customer_card SET owner_id = 'bbbbbbbb-0000-0000-0000-000000000002';
RESET SESSION AUTHORIZATION;
DROP TABLE child, parent;
-- Fired by somebody else: the administrator, who deletes from a table of its own.
SET SESSION AUTHORIZATION dba;
CREATE TABLE referential.region (id int PRIMARY KEY);
GRANT REFERENCES ON referential.region TO app_a;
INSERT INTO referential.region VALUES (1);
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION app_a;
CREATE TABLE referential.mine (region int REFERENCES referential.region ON DELETE CASCADE);
CREATE TRIGGER trap BEFORE DELETE ON referential.mine FOR EACH ROW EXECUTE FUNCTION referential.trap();
INSERT INTO referential.mine VALUES (1);
GRANT SELECT ON referential.mine TO PUBLIC;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION dba;
DELETE FROM referential.region;
SELECT what, seen FROM referential.loot WHERE who = 'app_a' ORDER BY n;
RESET SESSION AUTHORIZATION;

-- A SECURITY DEFINER function as bait: it administers nothing for who calls it.
SET SESSION AUTHORIZATION app_a;
CREATE FUNCTION referential.harmless() RETURNS SETOF text LANGUAGE sql SECURITY DEFINER AS $$
    SELECT referential.try('SELECT ringfence.grant_access(''app_a'', ''Company B'', ''{admin}'')')
    UNION ALL SELECT referential.try('SELECT ringfence.grant_access(''app_a'', ''Company A'', ''{admin}'')')
    UNION ALL SELECT referential.try('SELECT ringfence.revoke_access(''app_b'', ''Company B'')')
    UNION ALL SELECT referential.try('SELECT string_agg(name, '','') FROM ringfence.owner')
    UNION ALL SELECT referential.try('UPDATE ringfence.owner SET enabled = false RETURNING name')$$;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION dba;
SELECT referential.harmless();
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION boss_a;
SELECT referential.harmless();
RESET SESSION AUTHORIZATION;

-- Nothing has changed anywhere.
SELECT o.name, count(*), count(*) FILTER (WHERE c.name IN ('taken', 'planted')) AS changed FROM ringfence.customer c JOIN ringfence.owner o ON o.id = c.owner_id GROUP BY o.name ORDER BY 1;
SELECT o.name, a.role_name, a.rights FROM ringfence.access a JOIN ringfence.owner o ON o.id = a.owner_id WHERE a.role_name IN ('app_none', 'app_a', 'app_b', 'app_ab') ORDER BY 1, 2;

-- ringfence's own referential actions work: a company deleted leaves its customers, an empty owner takes all that is its.
SELECT ringfence.grant_access('trainee_a', 'Company A', '{customer.read,customer.delete}');
SET SESSION AUTHORIZATION trainee_a;
DELETE FROM ringfence.company;
SELECT count(*), count(company_id) FROM ringfence.customer;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION dba;
DELETE FROM ringfence.owner WHERE name = 'Company C';
RESET SESSION AUTHORIZATION;
SELECT count(*) FROM ringfence.field WHERE owner_id = 'cccccccc-0000-0000-0000-000000000003';
DROP SCHEMA referential CASCADE;
