-- What sessions are told, and what they may write: the same before an upgrade and after it, refused in between. Nothing stays written.
-- The searches that follow are in search.sql.
\pset format unaligned
\pset tuples_only on
\set VERBOSITY sqlstate
\set SHOW_CONTEXT never
\set writes 'BEGIN; INSERT INTO ringfence.customer_card (name) VALUES (''new'') RETURNING name; WITH changed AS (UPDATE ringfence.customer_card SET address = ''new'' RETURNING name) SELECT name FROM changed ORDER BY name COLLATE "C"; DELETE FROM ringfence.customer_card WHERE name = ''Chen Wei'' RETURNING name; ROLLBACK; BEGIN; UPDATE ringfence.customer SET address = ''new''; ROLLBACK; BEGIN; DELETE FROM ringfence.customer; ROLLBACK;'
\set reads 'SELECT count(*) FROM ringfence.customer; SELECT name, phones, emails, attributes, masked_fields FROM ringfence.customer_card WHERE name < ''F'' OR name > ''M'' ORDER BY name, id LIMIT 20; SELECT name FROM ringfence.company; SELECT name FROM ringfence.project ORDER BY name; SELECT name, type, is_masked FROM ringfence.field ORDER BY name; SELECT name FROM ringfence.owner ORDER BY name; SELECT count(*) FROM shop.visit; SELECT count(*), min(name) FROM shop.people; SELECT name, "Contract", "Card", "Number of visits", "Seen" FROM ringfence_report.sales_of_a WHERE "Plan" IS NOT NULL ORDER BY name; SELECT owner_name FROM ringfence.whoami(); SELECT name FROM ringfence.search_customers(''tsai''); SELECT name FROM ringfence.find_by_phone(''0912345678''); SELECT name FROM ringfence.find_by_email(''tsai@example.com''); COPY (SELECT name FROM ringfence.customer WHERE name LIKE ''T%'') TO STDOUT; PREPARE p AS SELECT name FROM ringfence.customer WHERE name LIKE ''T%''; EXECUTE p;'
\echo *** app_a
\c - app_a
:reads
:writes
SELECT ringfence.enter('Company A');
SELECT ringfence.enter('Company B');
\echo *** app_b
\c - app_b
:reads
\echo *** app_ab
\c - app_ab
SELECT count(*) FROM ringfence.customer;
BEGIN; SELECT ringfence.enter('Company B'); SELECT name FROM ringfence.customer ORDER BY name; SELECT ringfence.enter('Company A'); ROLLBACK;
BEGIN; SET LOCAL ringfence.owner = 'Company A'; SET LOCAL ringfence.source = 'erp'; SELECT count(*), ringfence.current_source() FROM ringfence.customer; ROLLBACK;
\echo *** app_token
\c - app_token
SELECT count(*) FROM ringfence.customer;
BEGIN; SELECT ringfence.login(:'token'); SELECT count(*) FROM ringfence.customer; ROLLBACK;
\echo *** app_none
\c - app_none
:reads
\echo *** boss_a
\c - boss_a
:reads
SELECT role_name, rights, project_id FROM ringfence.access ORDER BY 1, 2;
SELECT name, options FROM ringfence.visible_fields() ORDER BY name;
BEGIN; INSERT INTO ringfence.customer_card (name, attributes) VALUES ('x', '{"Contract": "C-1"}'); ROLLBACK;
BEGIN; SELECT ringfence.rename_field('Plan', 'Tariff'); SELECT "Tariff" FROM ringfence_report.sales_of_a WHERE "Tariff" = 'gold'; ROLLBACK;
BEGIN; SELECT ringfence.grant_access('app_b', 'Company A', '{agent}'); ROLLBACK;
BEGIN; SELECT ringfence.grant_access('app_a', 'Company B', '{agent}'); ROLLBACK;
\echo *** sales_a
\c - sales_a
SET ringfence.owner = 'Company A';
:reads
\echo *** dba
\c - dba
SELECT name, enabled FROM ringfence.owner ORDER BY name;
SELECT count(*) FROM ringfence.customer;
BEGIN; SELECT ringfence.create_owner('Another') IS NOT NULL; ROLLBACK;
SELECT kid, algorithm FROM ringfence.signing_key;
