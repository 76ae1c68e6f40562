-- An owner is handed out as lines, and taken back (E9).
\set SHOW_CONTEXT never
\set VERBOSITY default
CREATE TABLE lines ("position" bigint, relation text, line jsonb);
CREATE TABLE damaged (LIKE lines);
GRANT ALL ON lines, damaged TO PUBLIC;
SET SESSION AUTHORIZATION dba;
SELECT ringfence.assign_channel('Company A', 'phone', '+886 2 1234 5678', 'Sales', 'Hotline') IS NOT NULL AS assigned;
-- Access is loaded of roles that work for no other owner.
SELECT ringfence.revoke_access(name, 'Company B') FROM unnest('{app_ab,app_session,app_token}'::text[]) AS name;
RESET SESSION AUTHORIZATION;

-- A has a little of everything.
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.create_field('Plan', 'choice', options => '{gold,silver}', is_searchable => true, projects => '{Sales}') IS NOT NULL AS made;
SELECT ringfence.create_field('Contract', is_unique => true, projects => '{Sales}') IS NOT NULL AS made;
SELECT ringfence.create_field('Debt', 'number', is_masked => true, projects => '{Sales}') IS NOT NULL AS made;
SELECT ringfence.create_profile('clerk', '{customer.read,ticket.read}') IS NOT NULL AS made;
SELECT ringfence.create_report_view('Sales', 'sales_of_a');
UPDATE ringfence.customer_card SET attributes = '{"Plan": "gold", "Contract": "Ä-1", "Debt": 12345678901234567890.1200}', birth_date = '1950-02-28' WHERE name = 'Chen Wei';
UPDATE ringfence.customer_card SET address = E'a "quoted"\n\t\\ line, 蔡' WHERE name = '蔡美玲';
SELECT ringfence.open_ticket(id, 'No tea', 'Sales') IS NOT NULL AS opened FROM ringfence.customer WHERE name = 'Chen Wei';
SELECT ringfence.log_interaction('call', customer => customer_id, ticket => id, project => 'Sales') IS NOT NULL AS logged FROM ringfence.ticket WHERE subject = 'No tea';
-- A field that became required after customers lacked it: they are loaded as they are.
SELECT ringfence.create_field('Late', required => true, projects => '{Support}') IS NOT NULL AS made;

INSERT INTO lines SELECT * FROM ringfence.export_owner('Company A');
SELECT relation, count(*) FROM lines GROUP BY relation ORDER BY min("position");
SELECT line ->> 'name' AS name, line ->> 'address' AS address, line ->> 'birth_date' AS birth_date FROM lines WHERE relation = 'ringfence.customer' ORDER BY 1;
SELECT line ->> 'country' AS country, line -> 'format' AS format FROM lines WHERE "position" = 1;
-- The same bytes, whatever the session has set.
SET TimeZone = 'Asia/Taipei';
SET DateStyle = 'German';
SET bytea_output = 'escape';
SET extra_float_digits = 0;
SELECT count(*) AS differ FROM ringfence.export_owner('aaaaaaaa-0000-0000-0000-000000000001') AS again FULL JOIN lines USING ("position") WHERE again.line::text IS DISTINCT FROM lines.line::text;
SELECT "position" FROM ringfence.export_owner('Company A') LIMIT 2;
RESET ALL;
RESET SESSION AUTHORIZATION;

-- What A has, and what its sessions see.
CREATE TABLE place AS SELECT relation::text FROM ringfence.tables_by_step();
CREATE FUNCTION rows_of(owner uuid, OUT relation text, OUT digest text) RETURNS SETOF record LANGUAGE plpgsql AS $$
BEGIN
    FOR relation IN SELECT place.relation FROM place ORDER BY 1 LOOP
        EXECUTE format('SELECT md5(string_agg(t::text, ''|'' ORDER BY t::text COLLATE "C")) FROM %s t WHERE owner_id = $1', relation) INTO digest USING owner;
        RETURN NEXT;
    END LOOP;
    relation := 'ringfence.owner';
    SELECT md5(t::text) INTO digest FROM ringfence.owner AS t WHERE t.id = owner;
    RETURN NEXT;
END $$;
CREATE TABLE before AS SELECT * FROM rows_of('aaaaaaaa-0000-0000-0000-000000000001');
CREATE TABLE b_before AS SELECT * FROM rows_of('bbbbbbbb-0000-0000-0000-000000000002');

-- It is still there.
SET SESSION AUTHORIZATION dba;
SELECT * FROM ringfence.load_owner('lines');
\echo :SQLSTATE
SELECT * FROM ringfence.load_owner('lines', 'Company A2');
\echo :SQLSTATE
SET client_min_messages = warning;
SELECT sum(remaining) AS remaining FROM ringfence.delete_owner('Company A', 'Company A');
RESET client_min_messages;

-- A file that is damaged is refused whole, with the number of the line.
SET SESSION AUTHORIZATION dba;
INSERT INTO damaged SELECT "position", relation, CASE WHEN "position" = 20 THEN line || '{"position": 99}' ELSE line END FROM lines;
SELECT * FROM ringfence.load_owner('damaged');
\echo :SQLSTATE
TRUNCATE damaged;
INSERT INTO damaged SELECT "position", CASE WHEN "position" = 7 THEN 'ringfence.company' ELSE relation END, line FROM lines;
SELECT * FROM ringfence.load_owner('damaged');
TRUNCATE damaged;
INSERT INTO damaged SELECT * FROM lines WHERE "position" <> 12;
SELECT * FROM ringfence.load_owner('damaged');
TRUNCATE damaged;
INSERT INTO damaged SELECT row_number() OVER (ORDER BY "position"), relation, line FROM lines WHERE "position" <> 12;
SELECT * FROM ringfence.load_owner('damaged');
TRUNCATE damaged;
INSERT INTO damaged SELECT CASE "position" WHEN 10 THEN 11 WHEN 11 THEN 10 ELSE "position" END, relation, line FROM lines;
SELECT * FROM ringfence.load_owner('damaged');
TRUNCATE damaged;
INSERT INTO damaged SELECT * FROM lines UNION ALL SELECT * FROM lines WHERE "position" = 13;
SELECT * FROM ringfence.load_owner('damaged');
TRUNCATE damaged;
INSERT INTO damaged SELECT * FROM lines WHERE relation <> 'end';
SELECT * FROM ringfence.load_owner('damaged');
TRUNCATE damaged;
INSERT INTO damaged SELECT * FROM lines WHERE "position" <= 30;
SELECT * FROM ringfence.load_owner('damaged');
TRUNCATE damaged;
INSERT INTO damaged SELECT * FROM lines WHERE "position" = 1;
SELECT * FROM ringfence.load_owner('damaged');
TRUNCATE damaged;
INSERT INTO damaged SELECT * FROM lines WHERE "position" > 1;
SELECT * FROM ringfence.load_owner('damaged');
TRUNCATE damaged;
SELECT * FROM ringfence.load_owner('damaged');
INSERT INTO damaged SELECT * FROM lines UNION ALL SELECT max("position") + 1, 'end', '{}' FROM lines;
SELECT * FROM ringfence.load_owner('damaged');
SELECT * FROM ringfence.load_owner(NULL);
SELECT * FROM ringfence.load_owner('lines', 'Company B');
\echo :SQLSTATE
SELECT * FROM ringfence.load_owner('lines', ' ');
\echo :SQLSTATE
SELECT name FROM ringfence.owner ORDER BY name;

-- And back again: every table, every search, every report, every right.
SELECT relation, rows FROM ringfence.load_owner('lines') WHERE rows > 0;
RESET SESSION AUTHORIZATION;
SELECT relation FROM before FULL JOIN rows_of('aaaaaaaa-0000-0000-0000-000000000001') AS now USING (relation) WHERE before.digest IS DISTINCT FROM now.digest;
SELECT relation FROM b_before FULL JOIN rows_of('bbbbbbbb-0000-0000-0000-000000000002') AS now USING (relation) WHERE b_before.digest IS DISTINCT FROM now.digest;
SET SESSION AUTHORIZATION boss_a;
SELECT name, phones, attributes FROM ringfence.customer_card ORDER BY name COLLATE "C";
SELECT name FROM ringfence.search_customers('gold');
SELECT name FROM ringfence.search_customers('0912345678');
SELECT customer_name, disposition FROM ringfence.call_log;
SELECT name, "Plan", "Debt" FROM ringfence_report.sales_of_a WHERE "Plan" IS NOT NULL;
SELECT count(*) AS differ FROM ringfence.export_owner('Company A') AS again FULL JOIN lines USING ("position") WHERE again.line::text IS DISTINCT FROM lines.line::text;
-- It works on as before: numbers go on, values stay unique, triggers are there.
SELECT number FROM ringfence.ticket WHERE id = ringfence.open_ticket(NULL, 'More tea');
UPDATE ringfence.customer_card SET attributes = attributes || '{"Contract": "Ä-1"}' WHERE name = 'Tsai Mei-Ling';
\echo :SQLSTATE
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION sales_a;
SELECT name FROM ringfence.project ORDER BY name;
RESET SESSION AUTHORIZATION;
SHOW session_replication_role;

-- Under another name, without the roles that are gone.
SET SESSION AUTHORIZATION dba;
SET client_min_messages = error;
SELECT sum(remaining) AS remaining FROM ringfence.delete_owner('Company A', 'Company A');
RESET client_min_messages;
RESET SESSION AUTHORIZATION;
ALTER ROLE trainee_a RENAME TO trainee_no_more;
SET SESSION AUTHORIZATION dba;
SELECT sum(rows) > 0 AS loaded FROM ringfence.load_owner('lines', 'Company New');
SELECT name, country FROM ringfence.owner WHERE id = 'aaaaaaaa-0000-0000-0000-000000000001';
RESET SESSION AUTHORIZATION;
ALTER ROLE trainee_no_more RENAME TO trainee_a;
-- The limit counts it.
SET SESSION AUTHORIZATION dba;
SET client_min_messages = error;
SELECT sum(remaining) AS remaining FROM ringfence.delete_owner('Company New', 'Company New');
RESET client_min_messages;
RESET SESSION AUTHORIZATION;
SET ringfence.max_owners = 2;
SELECT * FROM ringfence.load_owner('lines');
\echo :SQLSTATE
