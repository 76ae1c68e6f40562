-- Channels: an address belongs to one owner, whatever spelling a call or a letter brings (A3, C9, C10).
\set SHOW_CONTEXT never
\set VERBOSITY default
\pset null (null)
CREATE ROLE switch LOGIN;
GRANT ringfence_router TO switch;
SET SESSION AUTHORIZATION dba;
SELECT ringfence.assign_channel('Company A', 'phone', '(02) 2345-6789', 'Sales', 'Sales line') IS NOT NULL AS assigned;
SELECT ringfence.assign_channel('Company A', 'phone', 'sip:help@company-a.example', NULL, 'Help') IS NOT NULL AS assigned;
SELECT ringfence.assign_channel('Company A', 'email', 'Help <help@company-a.example>', 'Support') IS NOT NULL AS assigned;
SELECT ringfence.assign_channel('Company A', 'email', 'help+vip@company-a.example', 'Sales') IS NOT NULL AS assigned;
SELECT ringfence.assign_channel('Company A', 'chat', '@Company_A') IS NOT NULL AS assigned;
SELECT ringfence.assign_channel('Company A', 'web', 'https://www.company-a.example/Form/') IS NOT NULL AS assigned;
SELECT ringfence.assign_channel('bbbbbbbb-0000-0000-0000-000000000002', 'phone', '22 123 45 67') IS NOT NULL AS assigned;
SELECT ringfence.assign_channel('Company B', 'messenger', 'whatsapp:+48601234567') IS NOT NULL AS assigned;
SELECT ringfence.assign_channel('Company C', 'phone', '+49 30 1234567') IS NOT NULL AS assigned;

-- What cannot be assigned.
SELECT ringfence.assign_channel('Company B', 'phone', '+886 2 2345 6789');
SELECT ringfence.assign_channel('Company A', 'phone', '02 2345 6789');
SELECT ringfence.assign_channel('Company Z', 'phone', '1');
SELECT ringfence.assign_channel('Company A', 'phone', '0223456780', 'Secret');
SELECT ringfence.assign_channel('Company A', 'fax', '0223456780');
SELECT ringfence.assign_channel('Company A', 'phone', 'hello');
SELECT ringfence.assign_channel('Company A', 'phone', '0912345678, 0912345679');
SELECT ringfence.assign_channel('Company A', 'email', 'help');
SELECT ringfence.assign_channel('Company A', 'phone', '0223456780', NULL, ' ');
SELECT ringfence.assign_channel(NULL, 'phone', '1');
SELECT ringfence.assign_channel('Company A', NULL, '1');
SELECT ringfence.assign_channel('Company A', 'phone', NULL);
-- Administering is not routing, nor seeing an owner's channels.
SELECT * FROM ringfence.route('phone', '+886223456789');
SELECT count(*) FROM ringfence.channel;

-- A router: before any owner is selected, one row or none.
SET SESSION AUTHORIZATION switch;
CREATE FUNCTION pg_temp.led_to(kind text, address text) RETURNS text LANGUAGE sql AS
    $$SELECT coalesce((SELECT concat_ws(' / ', owner_name, project_name) FROM ringfence.route($1, $2)), 'nowhere')$$;
SELECT address, pg_temp.led_to('phone', address) FROM unnest(ARRAY[
    '+886223456789', '+886 (2) 2345-6789', '0223456789', '02-2345-6789', '(02) 2345 6789', '00886223456789', '886223456789',
    'tel:+886-2-2345-6789', 'sip:+886223456789@pbx.example.com', 'sip:0223456789@10.0.0.1:5060;user=phone', '０２２３４５６７８９',
    'sip:help@company-a.example', 'SIP:HELP@company-a.example:5061;transport=tls', 'sip:help@company-b.example',
    '+48221234567', '22 123 45 67', '0048 22 123 45 67', '+49301234567', '030 1234567',
    '+886223456780', '1', '', 'hello']) AS address;
SELECT address, pg_temp.led_to('email', address) FROM unnest(ARRAY[
    'help@company-a.example', 'HELP@Company-A.example', '"Help" <help@company-a.example>', 'help+4711@company-a.example',
    'help+vip@company-a.example', 'hel@company-a.example', 'help', '+@', '']) AS address;
SELECT kind, address, pg_temp.led_to(kind, address) FROM (VALUES
    ('chat', 'company_a'), ('chat', '@COMPANY_A'), ('messenger', 'company_a'), ('messenger', '+48 601 234 567'), ('messenger', '601234567'),
    ('web', 'http://company-a.example/Form?from=ad'), ('web', 'company-a.example/form'), ('web', 'company-a.example')) AS asked (kind, address);
SELECT * FROM ringfence.route('fax', '1');
SELECT * FROM ringfence.route(NULL, '1');
SELECT * FROM ringfence.route('phone', NULL);
SELECT ringfence.route('phone', '+886223456789') IS NOT NULL AS called_in_a_list;
SELECT count(*) FROM generate_series(1, 3) AS n, LATERAL ringfence.route('phone', '+88622345678' || n + 6);
-- A prepared look-up hears of each change.
PREPARE look_up AS SELECT owner_name, project_name FROM ringfence.route('phone', '0223456789');
EXECUTE look_up;
\c - -
SET SESSION AUTHORIZATION switch;
PREPARE look_up AS SELECT owner_name, project_name FROM ringfence.route('phone', '0223456789');
EXECUTE look_up;
RESET SESSION AUTHORIZATION;
UPDATE ringfence.project SET enabled = false WHERE owner_id = 'aaaaaaaa-0000-0000-0000-000000000001' AND name = 'Sales';
SET SESSION AUTHORIZATION switch;
EXECUTE look_up;
RESET SESSION AUTHORIZATION;
UPDATE ringfence.project SET enabled = true, name = 'Selling' WHERE owner_id = 'aaaaaaaa-0000-0000-0000-000000000001' AND name = 'Sales';
SET SESSION AUTHORIZATION switch;
EXECUTE look_up;
RESET SESSION AUTHORIZATION;
UPDATE ringfence.owner SET enabled = false WHERE name = 'Company A';
SET SESSION AUTHORIZATION switch;
EXECUTE look_up;
RESET SESSION AUTHORIZATION;
UPDATE ringfence.owner SET enabled = true, name = 'Formosa' WHERE name = 'Company A';
SET SESSION AUTHORIZATION switch;
EXECUTE look_up;
RESET SESSION AUTHORIZATION;
UPDATE ringfence.owner SET name = 'Company A' WHERE name = 'Formosa';
UPDATE ringfence.project SET name = 'Sales' WHERE name = 'Selling';
-- So it does of one that is undone.
BEGIN;
DELETE FROM ringfence.channel WHERE name = 'Sales line';
SET SESSION AUTHORIZATION switch;
EXECUTE look_up;
ROLLBACK;
SET SESSION AUTHORIZATION switch;
EXECUTE look_up;

-- The owner's people: they rename a channel, set its project, enable and disable it, and nothing else.
SET SESSION AUTHORIZATION boss_a;
SET ringfence.agent = 'anna';
UPDATE ringfence.channel SET enabled = false, name = 'Closed line' WHERE name = 'Sales line' RETURNING name, address, normal_address, updated_by;
SET SESSION AUTHORIZATION switch;
EXECUTE look_up;
SET SESSION AUTHORIZATION boss_a;
UPDATE ringfence.channel SET enabled = true, name = 'Sales line', project_id = (SELECT id FROM ringfence.project WHERE name = 'Support') WHERE name = 'Closed line';
SET SESSION AUTHORIZATION switch;
EXECUTE look_up;
SET SESSION AUTHORIZATION boss_a;
UPDATE ringfence.channel SET address = '1' WHERE name = 'Sales line';
UPDATE ringfence.channel SET normal_address = '1' WHERE name = 'Sales line';
UPDATE ringfence.channel SET kind = 'chat' WHERE name = 'Sales line';
INSERT INTO ringfence.channel (kind, address, normal_address) VALUES ('phone', '1', '1');
DELETE FROM ringfence.channel;
UPDATE ringfence.channel SET project_id = gen_random_uuid() WHERE name = 'Sales line';
SELECT ringfence.assign_channel('Company A', 'phone', '0223456780');
SELECT ringfence.release_channel('phone', '0223456789');
SET SESSION AUTHORIZATION app_a;
UPDATE ringfence.channel SET enabled = false;
SELECT kind, address, name FROM ringfence.channel ORDER BY kind, normal_address;
-- Who works in one project sees its channels, and those of all projects together.
SET SESSION AUTHORIZATION sales_a;
SELECT kind, address FROM ringfence.channel ORDER BY kind, normal_address;
SELECT * FROM ringfence.route('phone', '0223456789');

-- A number without the code of its country, that means one in two countries, leads nowhere; with the code it does.
SET SESSION AUTHORIZATION dba;
SELECT ringfence.create_owner('Company D', NULL, 'PL') IS NOT NULL, ringfence.create_owner('Company E', NULL, 'TW') IS NOT NULL;
SELECT ringfence.assign_channel('Company D', 'phone', '22 234 56 78') IS NOT NULL, ringfence.assign_channel('Company E', 'phone', '0222345678') IS NOT NULL;
SET SESSION AUTHORIZATION switch;
SELECT address, (SELECT owner_name FROM ringfence.route('phone', address)) FROM unnest(ARRAY['0222345678', '+48222345678', '+886222345678']) AS address;
SET SESSION AUTHORIZATION dba;
SELECT ringfence.release_channel('phone', '0222345678');
UPDATE ringfence.owner SET enabled = false WHERE name = 'Company D';
SET SESSION AUTHORIZATION switch;
SELECT address, (SELECT owner_name FROM ringfence.route('phone', address)) FROM unnest(ARRAY['0222345678', '+48222345678', '+886222345678']) AS address;
-- A national number reads differently after its owner has moved.
SET SESSION AUTHORIZATION dba;
UPDATE ringfence.owner SET country = 'JP' WHERE name = 'Company E';
SET SESSION AUTHORIZATION switch;
SELECT address, (SELECT owner_name FROM ringfence.route('phone', address)) FROM unnest(ARRAY['0222345678', '+81222345678', '+886222345678']) AS address;

-- Set free, an address can be another's.
SET SESSION AUTHORIZATION dba;
SELECT ringfence.release_channel('email', 'help+4711@company-a.example');
SELECT ringfence.release_channel('email', 'HELP@company-a.example');
SELECT ringfence.release_channel('email', 'HELP@company-a.example');
SELECT ringfence.release_channel('fax', '1');
SELECT ringfence.release_channel('phone', NULL);
SELECT ringfence.assign_channel('Company B', 'email', 'help@company-a.example') IS NOT NULL AS assigned;
SET SESSION AUTHORIZATION switch;
SELECT owner_name FROM ringfence.route('email', 'help@company-a.example');

-- Deleting a project keeps its channels; deleting an owner deletes them.
SET SESSION AUTHORIZATION boss_a;
DELETE FROM ringfence.project WHERE name = 'Support';
SELECT address, project_id FROM ringfence.channel WHERE name = 'Sales line';
SET SESSION AUTHORIZATION dba;
DELETE FROM ringfence.owner WHERE name = 'Company E';
RESET SESSION AUTHORIZATION;
SELECT count(*) FROM ringfence.channel WHERE normal_address LIKE '%222345678';
\c - postgres
DROP ROLE switch;
