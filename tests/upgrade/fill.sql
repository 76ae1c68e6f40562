-- Data of every kind, in a database that has the extension, of the first release or of any later one: what is written here must stay
-- possible. And an application's own objects that depend on the extension's, which an upgrade must not ask to drop.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
GRANT ringfence_admin TO dba;
GRANT ringfence_user TO app_none;

INSERT INTO ringfence.owner (id, name, country, description) VALUES
    ('aaaaaaaa-0000-0000-0000-000000000001', 'Company A', 'TW', 'the first'),
    ('bbbbbbbb-0000-0000-0000-000000000002', 'Company B', 'PL', NULL),
    ('cccccccc-0000-0000-0000-000000000003', 'Firma 株式会社', NULL, NULL);
INSERT INTO ringfence.owner (id, name, enabled) VALUES ('dddddddd-0000-0000-0000-000000000004', 'Closed', false);
INSERT INTO ringfence.project (owner_id, id, name) VALUES
    ('aaaaaaaa-0000-0000-0000-000000000001', 'aaaaaaaa-0000-0000-0001-000000000001', 'Sales'),
    ('aaaaaaaa-0000-0000-0000-000000000001', 'aaaaaaaa-0000-0000-0001-000000000002', 'Support'),
    ('bbbbbbbb-0000-0000-0000-000000000002', 'bbbbbbbb-0000-0000-0001-000000000001', 'Sales');
-- What was provisioned and is gone stays gone; what was changed stays changed.
DELETE FROM ringfence.project WHERE owner_id = 'bbbbbbbb-0000-0000-0000-000000000002' AND name = 'Default';
UPDATE ringfence.owner SET description = 'changed' WHERE id = '00000000-0000-0000-0000-000000000000';

SET SESSION AUTHORIZATION dba;
SELECT ringfence.grant_access('app_a', 'Company A', '{agent}'),
       ringfence.grant_access('app_b', 'Company B', '{agent}'),
       ringfence.grant_access('app_ab', 'Company A', '{agent}', sources => '{crm,erp}'),
       ringfence.grant_access('app_ab', 'Company B', '{customer.read}'),
       ringfence.grant_access('app_token', 'Company A', '{supervisor}', binding => 'token'),
       ringfence.grant_access('boss_a', 'Company A', '{admin}'),
       ringfence.grant_access('sales_a', 'Company A', '{sales}', 'Sales', binding => 'session'),
       ringfence.add_signing_key('test', 'HS256', 'a secret that the tests alone know') \g /dev/null
RESET SESSION AUTHORIZATION;
-- The entry of a role that no longer is. It cannot be filled in twice in one cluster: the row itself stands for it.
INSERT INTO ringfence.access (owner_id, id, role, role_name, rights, binding) VALUES
    ('aaaaaaaa-0000-0000-0000-000000000001', 'aaaaaaaa-0000-0000-0009-000000000001', 4294967000::oid::regrole, 'dropped', '{agent}', 'transaction');

SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.create_profile('night shift', '{customer.read,customer.write}', 'Reads and writes'),
       ringfence.create_field('Plan', 'choice', '{Sales,Support}', options => '{gold,silver,bronze}', is_searchable => true),
       ringfence.create_field('Contract', projects => '{Sales}', is_unique => true, pattern => '[A-Z]+-[0-9]+', is_searchable => true),
       ringfence.create_field('Card', projects => '{Sales}', is_masked => true),
       ringfence.create_field('Tags', 'choices', '{Support}', options => '{vip,slow}'),
       ringfence.create_field('Mobile', 'phone', '{Sales,Support}', is_searchable => true, is_unique => true),
       ringfence.create_field('Mail', 'email', '{Sales}', is_searchable => true),
       ringfence.create_field('Visits', 'number', '{Sales}', is_searchable => true),
       ringfence.create_field('Since', 'date', '{Sales}', is_searchable => true),
       ringfence.create_field('Call at', 'time', '{Sales}'),
       ringfence.create_field('Seen', 'datetime', '{Sales}'),
       ringfence.create_field('Newsletter', 'boolean', '{Sales,Default}'),
       ringfence.create_field('Gone', projects => '{Sales}') \g /dev/null
SELECT ringfence.add_option('Plan', 'tin', 1), ringfence.retire_option('Plan', 'bronze'), ringfence.rename_option('Plan', 'silver', 'Silver'),
       ringfence.rename_field('Visits', 'Number of visits'), ringfence.drop_field('Gone') \g /dev/null
SELECT ringfence.create_report_view('Sales', 'sales_of_a'), ringfence.create_report_view('Support') IS NOT NULL AS by_id \g /dev/null
INSERT INTO ringfence.company (id, name, description) VALUES ('a0000000-0000-0000-0000-00000000000c', 'Formosa Tea', 'tea');
INSERT INTO ringfence.customer_card (id, name, phones, emails, address, birth_date, language, company_id, attributes, last_activity_at) VALUES
    ('a0000000-0000-0000-0000-000000000001', 'Tsai Mei-Ling', '{0912-345-678,+49 171 1234567}', '{"Tsai <tsai@example.com>",x@bücher.example}', 'Taipei', '1970-02-03', 'zh',
     'a0000000-0000-0000-0000-00000000000c',
     '{"Plan": "gold", "Contract": "C-1", "Card": "4111 1111", "Tags": ["vip", "slow"], "Mobile": "0912 000 001", "Mail": "Second@Example.com", "Number of visits": 12.50,
       "Since": "2026-03-31", "Call at": "09:30", "Seen": "2026-03-31T09:30:00Z", "Newsletter": true}', '2026-03-01'),
    ('a0000000-0000-0000-0000-000000000002', 'Chen Wei', '{(02) 2345-6789,"no number"}', '{chen@example.com}', NULL, NULL, NULL, NULL, '{"Plan": "Silver", "Contract": "C-2"}', '2026-02-01'),
    ('a0000000-0000-0000-0000-000000000003', '蔡美玲', '{}', '{}', NULL, NULL, NULL, NULL, '{}', NULL),
    ('a0000000-0000-0000-0000-000000000004', 'Łukasz Kowalski', '{}', '{}', NULL, NULL, NULL, NULL, '{}', '-infinity');
INSERT INTO ringfence.customer_card (name, phones, emails, attributes, last_activity_at)
SELECT concat_ws(' ', (ARRAY['Giulia', 'Jürgen', 'Оксана', 'John', 'Anna-Maria', 'O''Brian', 'ハナコ'])[1 + n % 7], (ARRAY['Rossi', 'Großmann', 'Яковенко', 'Smith', 'Wiśniewska'])[1 + n % 5], n),
       ARRAY['09' || lpad((n * 7919 % 100000000)::text, 8, '0')], ARRAY[n || '@example.com'], jsonb_build_object('Contract', 'N-' || n), '2026-01-01'::timestamptz + n % 40 * interval '1 day'
  FROM generate_series(1, 300) AS n;
-- What 0.2.0 reads otherwise: a number of an earlier plan, a serial number, an address in a link, traditional Chinese. As the last: an
-- upgrade that stores it anew moves it, and rows are told in their order.
INSERT INTO ringfence.customer_card (id, name, phones, emails, attributes) VALUES
    ('a0000000-0000-0000-0000-000000000005', '陳國', '{+84 120 1234567,S/N: 0912345670}', '{mailto:li%40example.com}', '{"Mobile": "+84 121 1234567"}');
SET SESSION AUTHORIZATION app_b;
INSERT INTO ringfence.company (id, name) VALUES ('b0000000-0000-0000-0000-00000000000c', 'CANARY-B Sp. z o.o.');
INSERT INTO ringfence.customer_card (id, name, phones, emails, address, company_id) VALUES
    ('b0000000-0000-0000-0000-000000000001', 'Tsai Mei-Ling', '{+886 912 345 678}', '{tsai@example.com}', 'CANARY-B', 'b0000000-0000-0000-0000-00000000000c'),
    ('b0000000-0000-0000-0000-000000000002', 'Łukasz Kowalski', '{601-234-567}', '{lukasz@example.pl}', 'CANARY-B', NULL);
RESET SESSION AUTHORIZATION;

-- An application's own.
CREATE SCHEMA shop AUTHORIZATION migrations;
GRANT USAGE ON SCHEMA shop TO ringfence_user;
GRANT USAGE ON SCHEMA ringfence TO migrations;
GRANT REFERENCES (owner_id, id) ON ringfence.customer TO migrations;
GRANT ringfence_user TO migrations;
SET SESSION AUTHORIZATION migrations;
CREATE TABLE shop.visit (
    owner_id    uuid NOT NULL DEFAULT ringfence.current_owner(),
    id          uuid NOT NULL DEFAULT gen_random_uuid(),
    customer_id uuid NOT NULL,
    note        text,
    by_whom     text DEFAULT ringfence.current_agent(),
    PRIMARY KEY (owner_id, id),
    FOREIGN KEY (owner_id, customer_id) REFERENCES ringfence.customer (owner_id, id) ON DELETE CASCADE
);
ALTER TABLE shop.visit ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY owner_wall ON shop.visit AS RESTRICTIVE USING (owner_id = ringfence.current_owner()) WITH CHECK (owner_id = ringfence.current_owner());
CREATE POLICY may_all ON shop.visit USING (ringfence.has_right('customer.read'));
GRANT SELECT, INSERT, UPDATE, DELETE ON shop.visit TO ringfence_user;
CREATE VIEW shop.people WITH (security_invoker) AS
    SELECT c.id, c.name, c.phones, c.emails, c.attributes ->> 'Plan' AS plan, c AS card FROM ringfence.customer_card AS c;
GRANT SELECT, INSERT, UPDATE, DELETE ON shop.people TO ringfence_user;
CREATE FUNCTION shop.find(what text) RETURNS SETOF text LANGUAGE sql STABLE
    BEGIN ATOMIC
        SELECT name FROM ringfence.search_customers(what);
    END;
CREATE FUNCTION shop.plain(target ringfence.customer) RETURNS text LANGUAGE sql STABLE RETURN (target).name;
CREATE VIEW shop.who WITH (security_invoker) AS SELECT * FROM ringfence.whoami();
CREATE VIEW shop.form WITH (security_invoker) AS SELECT * FROM ringfence.visible_fields();
GRANT SELECT ON shop.who, shop.form TO ringfence_user;
RESET SESSION AUTHORIZATION;
-- And a DBA's on the extension's tables.
CREATE FUNCTION shop.note_change() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NULL; END$$;
CREATE TRIGGER shop_note AFTER UPDATE ON ringfence.customer FOR EACH STATEMENT EXECUTE FUNCTION shop.note_change();
CREATE INDEX customer_by_language ON ringfence.customer (owner_id, language);
GRANT SELECT (owner_id, id, name) ON ringfence.customer TO auditor;
GRANT EXECUTE ON FUNCTION ringfence.whoami() TO auditor;
ANALYZE;
