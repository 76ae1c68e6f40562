-- The service desk of one owner, from that of another (A3, A4, A6, A11; ATTACKS 214 to 218, 221 and 225): whatever is tried is answered the same whether the other owner's row
-- exists or not.
\set SHOW_CONTEXT never
\set VERBOSITY default
\pset null (null)
CREATE SCHEMA attack;
GRANT ALL ON SCHEMA attack TO PUBLIC;
CREATE ROLE dialer LOGIN;
GRANT ringfence_router TO dialer;
-- Says what a statement is answered. Ids of those that exist and of those that do not are written alike.
CREATE FUNCTION attack.answer(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    message text; detail text; hint text; constraint_name text; found bigint;
BEGIN
    EXECUTE statement;
    GET DIAGNOSTICS found = ROW_COUNT;
    RETURN format('%s rows', found);
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT, constraint_name = CONSTRAINT_NAME;
    RETURN regexp_replace(concat_ws(' | ', SQLSTATE, message, detail, hint, constraint_name), '[0-9a-f]{8}-[0-9a-f-]{27}', '<id>', 'g');
END $$;

-- Channels ----------------------------------------------------------------------------------------------------------------
SET SESSION AUTHORIZATION dba;
SELECT ringfence.assign_channel('Company A', 'phone', '0223456789', 'Sales', 'Line A') IS NOT NULL,
       ringfence.assign_channel('Company A', 'chat', 'support_a', 'Support', 'Chat A') IS NOT NULL,
       ringfence.assign_channel('Company B', 'phone', '+48221234567', 'Secret', 'CANARY-B') IS NOT NULL;
RESET SESSION AUTHORIZATION;
CREATE TABLE attack.known AS SELECT id, kind FROM ringfence.channel WHERE name = 'CANARY-B' UNION ALL SELECT gen_random_uuid(), 'none';
CREATE TABLE attack.projects AS SELECT id, name FROM ringfence.project WHERE name = 'Secret' UNION ALL SELECT gen_random_uuid(), 'none';
GRANT SELECT ON attack.known, attack.projects TO PUBLIC;

-- Each pair must be answered alike.
SET SESSION AUTHORIZATION boss_a;
SELECT kind, attack.answer(format(what, id)) FROM attack.known, unnest(ARRAY[
    'SELECT FROM ringfence.channel WHERE id = %L',
    'UPDATE ringfence.channel SET name = ''mine'' WHERE id = %L',
    'UPDATE ringfence.channel SET owner_id = ringfence.current_owner() WHERE id = %L',
    'DELETE FROM ringfence.channel WHERE id = %L',
    'SELECT FROM ringfence.channel WHERE id = %L FOR UPDATE']) WITH ORDINALITY AS tried (what, n) ORDER BY n, kind;
SELECT name, attack.answer(format('UPDATE ringfence.channel SET project_id = %L', id)) FROM attack.projects ORDER BY name;
SELECT name, attack.answer(format('UPDATE ringfence.channel SET project_id = (SELECT id FROM ringfence.project WHERE name = %L)', name)) FROM attack.projects ORDER BY name;
-- An owner's people cannot try addresses: neither by a row of theirs, nor by a function.
SELECT address, attack.answer(format('INSERT INTO ringfence.channel (kind, address, normal_address) VALUES (''phone'', %L, %L)', address, address)) FROM unnest(ARRAY['+48221234567', '+48221234568']) AS address;
SELECT address, attack.answer(format('UPDATE ringfence.channel SET normal_address = %L', address)) FROM unnest(ARRAY['+48221234567', '+48221234568']) AS address;
SELECT address, attack.answer(format('SELECT ringfence.route(''phone'', %L)', address)) FROM unnest(ARRAY['+48221234567', '+48221234568']) AS address;
SELECT address, attack.answer(format('SELECT ringfence.channel_form(''phone'', %L, ''bbbbbbbb-0000-0000-0000-000000000002'')', address)) FROM unnest(ARRAY['221234567']) AS address;
SELECT address, attack.answer(format('SELECT ringfence.assign_channel(''Company A'', ''phone'', %L)', address)) FROM unnest(ARRAY['+48221234567', '+48221234568']) AS address;
SELECT address, attack.answer(format('SELECT ringfence.release_channel(''phone'', %L)', address)) FROM unnest(ARRAY['+48221234567', '+48221234568']) AS address;
SELECT count(*) FROM ringfence.channel WHERE name = 'CANARY-B';
-- A function of the attacker's is run on no row of others, and the index on all addresses is in no plan.
CREATE FUNCTION attack.leak(text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS $$BEGIN RAISE NOTICE 'saw %', $1; RETURN true; END$$;
SELECT count(*) FROM ringfence.channel WHERE attack.leak(address);
SELECT count(*) FROM ringfence.channel WHERE normal_address = '+48221234567' AND attack.leak(address);
SET enable_seqscan = off;
SET enable_bitmapscan = off;
EXPLAIN (COSTS OFF) SELECT name FROM ringfence.channel WHERE normal_address = '+48221234567' AND kind = 'phone';
RESET ALL;

-- An administrator learns that an address is taken, and not by whom.
SET SESSION AUTHORIZATION dba;
SELECT owner, attack.answer(format('SELECT ringfence.assign_channel(%L, ''phone'', ''+48 22 123 45 67'')', owner)) FROM unnest(ARRAY['Company A', 'Company B', 'Company C']) AS owner;
SELECT * FROM ringfence.channel;
-- A function of somebody else's that an administrator calls administers nothing.
RESET SESSION AUTHORIZATION;
CREATE FUNCTION attack.trap() RETURNS uuid LANGUAGE sql SECURITY DEFINER AS $$SELECT ringfence.assign_channel('Company A', 'phone', '+886223456700')$$;
CREATE ROLE other_admin;
GRANT ringfence_admin TO other_admin;
GRANT USAGE ON SCHEMA attack TO other_admin;
ALTER FUNCTION attack.trap() OWNER TO other_admin;
SET SESSION AUTHORIZATION dba;
SELECT attack.answer('SELECT attack.trap()');
-- A router reads no table, and is no administrator.
SET SESSION AUTHORIZATION dialer;
SELECT attack.answer(what) FROM unnest(ARRAY['SELECT FROM ringfence.channel', 'SELECT FROM ringfence.owner', 'SELECT FROM ringfence.project',
    'SELECT ringfence.assign_channel(''Company A'', ''phone'', ''1'')', 'SELECT ringfence.release_channel(''phone'', ''+48221234567'')',
    'SELECT ringfence.current_owner()', 'SELECT ringfence.enter(''Company B'')']) AS what;

-- Tickets -----------------------------------------------------------------------------------------------------------------
-- Owner B's ticket 1, with the id of one that owner A's sessions try, and one that is not there. The same for B's other things.
SET SESSION AUTHORIZATION dba;
SELECT ringfence.grant_access('app_none', 'Company B', '{admin}'), ringfence.grant_access('sales_a', 'Company A', '{admin}', 'Sales'),
       ringfence.grant_access('support_a', 'Company A', '{admin}', 'Support') \g /dev/null
SET SESSION AUTHORIZATION app_none;
INSERT INTO ringfence.ticket (id, subject, description, customer_id, project_id) VALUES ('b0000000-0000-0000-0000-00000000001f', 'CANARY-B', 'CANARY-B', 'b0000000-0000-0000-0000-000000000001',
    (SELECT id FROM ringfence.project WHERE name = 'Secret'));
INSERT INTO ringfence.ticket_status (name) VALUES ('CANARY status');
RESET SESSION AUTHORIZATION;
CREATE TABLE attack.thing AS
    SELECT 'customer' AS kind, 'there' AS which, 'b0000000-0000-0000-0000-000000000001'::uuid AS id UNION ALL SELECT 'customer', 'not there', gen_random_uuid()
    UNION ALL SELECT 'project', 'there', id FROM ringfence.project WHERE name = 'Secret' UNION ALL SELECT 'project', 'not there', gen_random_uuid()
    UNION ALL SELECT 'channel', 'there', id FROM ringfence.channel WHERE name = 'CANARY-B' UNION ALL SELECT 'channel', 'not there', gen_random_uuid()
    UNION ALL SELECT 'ticket', 'there', 'b0000000-0000-0000-0000-00000000001f' UNION ALL SELECT 'ticket', 'not there', gen_random_uuid();
GRANT SELECT ON attack.thing TO PUBLIC;
-- Whether each pair of answers is one: what is answered, once.
SET SESSION AUTHORIZATION boss_a;
CREATE FUNCTION attack.both(things text, statements text[]) RETURNS TABLE (statement text, alike boolean, answer text) LANGUAGE sql AS $$
    SELECT what, count(DISTINCT answered) = 1 AND count(*) = 2, min(answered)
      FROM unnest(statements) WITH ORDINALITY AS tried (what, n)
     CROSS JOIN LATERAL (SELECT attack.answer(format(what, id)) AS answered FROM attack.thing WHERE kind = things) AS answers
     GROUP BY n, what ORDER BY n $$;
-- A ticket of owner A selects only A's customers, projects and channels.
SELECT * FROM attack.both('customer', ARRAY['SELECT ringfence.open_ticket(%L, ''x'')', 'INSERT INTO ringfence.ticket (subject, customer_id) VALUES (''x'', %L)',
    'SELECT FROM ringfence.ticket WHERE customer_id = %L']);
SELECT * FROM attack.both('project', ARRAY['SELECT ringfence.open_ticket(NULL, ''x'', %L)', 'INSERT INTO ringfence.ticket (subject, project_id) VALUES (''x'', %L)',
    'SELECT FROM ringfence.ticket WHERE project_id = %L']);
SELECT name, attack.answer(format('SELECT ringfence.open_ticket(NULL, ''x'', %L)', name)) FROM unnest(ARRAY['Secret', 'Sacred']) AS name;
SELECT * FROM attack.both('channel', ARRAY['SELECT ringfence.open_ticket(NULL, ''x'', channel => %L)', 'INSERT INTO ringfence.ticket (subject, channel_id) VALUES (''x'', %L)']);
-- B's ticket, by id and by number.
SELECT * FROM attack.both('ticket', ARRAY['SELECT FROM ringfence.ticket WHERE id = %L', 'UPDATE ringfence.ticket SET subject = ''mine'' WHERE id = %L',
    'UPDATE ringfence.ticket SET owner_id = ringfence.current_owner() WHERE id = %L', 'DELETE FROM ringfence.ticket WHERE id = %L',
    'SELECT FROM ringfence.ticket WHERE id = %L FOR UPDATE',
    'INSERT INTO ringfence.ticket (id, owner_id, subject) VALUES (%L, ''bbbbbbbb-0000-0000-0000-000000000002'', ''x'')',
    'INSERT INTO ringfence.ticket (id, subject) VALUES (%L, ''x'') ON CONFLICT (owner_id, id) DO UPDATE SET subject = ''y''',
    'MERGE INTO ringfence.ticket AS t USING (SELECT %L::uuid AS id) AS s ON t.id = s.id WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN DO NOTHING']);
SELECT number, attack.answer(format('SELECT FROM ringfence.ticket WHERE subject <> ''x'' AND number = %s', number)) FROM unnest(ARRAY[1, 1000]) AS number;
-- The same id is A's own: no key tells that B has it too. B's tickets take none of A's numbers.
INSERT INTO ringfence.ticket (id, subject) VALUES ('b0000000-0000-0000-0000-00000000001f', 'The same id') RETURNING number < 5 AS own_number;
SELECT attack.answer(format('INSERT INTO ringfence.ticket (subject, status) VALUES (''x'', %L)', status)) FROM unnest(ARRAY['CANARY status', 'no status']) AS status;
SELECT count(*) FROM ringfence.ticket_status WHERE name LIKE 'CANARY%';
-- No counts, no functions of the server's own.
SELECT attack.answer(what) FROM unnest(ARRAY['SELECT FROM ringfence.ticket_counter', 'UPDATE ringfence.ticket_counter SET highest_deleted = 0',
    'SELECT ringfence.highest_ticket_number(''bbbbbbbb-0000-0000-0000-000000000002'')', 'SELECT ringfence.next_ticket_number(''bbbbbbbb-0000-0000-0000-000000000002'')',
    'SELECT ringfence.never_reuse_ticket_number(''bbbbbbbb-0000-0000-0000-000000000002'', 1)']) AS what;
-- A row of B's that A tries to write takes no number of B's, and does not wait for B.
RESET SESSION AUTHORIZATION;
SELECT ringfence.highest_ticket_number('bbbbbbbb-0000-0000-0000-000000000002');
SET SESSION AUTHORIZATION boss_a;
SELECT count(*) FROM ringfence.ticket WHERE attack.leak(CASE WHEN subject = 'CANARY-B' THEN subject END) AND subject = 'CANARY-B';
-- From one project into another of the same owner.
DELETE FROM ringfence.ticket;
INSERT INTO ringfence.ticket (id, subject, project_id) SELECT 'a0000000-0000-0000-0000-00000000005a', 'SUPPORT CANARY', id FROM ringfence.project WHERE name = 'Support';
INSERT INTO ringfence.ticket (id, subject) VALUES ('a0000000-0000-0000-0000-0000000000a1', 'CANARY of all projects');
RESET SESSION AUTHORIZATION;
DELETE FROM attack.thing;
INSERT INTO attack.thing VALUES ('ticket', 'there', 'a0000000-0000-0000-0000-00000000005a'), ('ticket', 'not there', gen_random_uuid()),
    ('of none', 'there', 'a0000000-0000-0000-0000-0000000000a1'), ('of none', 'not there', gen_random_uuid());
INSERT INTO attack.thing SELECT 'project', 'there', id FROM ringfence.project WHERE name = 'Support' UNION ALL SELECT 'project', 'not there', gen_random_uuid();
SET SESSION AUTHORIZATION sales_a;
SELECT * FROM attack.both('ticket', ARRAY['SELECT FROM ringfence.ticket WHERE id = %L', 'UPDATE ringfence.ticket SET subject = ''mine'' WHERE id = %L',
    'UPDATE ringfence.ticket SET project_id = NULL WHERE id = %L', 'DELETE FROM ringfence.ticket WHERE id = %L', 'SELECT FROM ringfence.ticket WHERE id = %L FOR UPDATE']);
SELECT * FROM attack.both('of none', ARRAY['SELECT FROM ringfence.ticket WHERE id = %L', 'UPDATE ringfence.ticket SET subject = ''mine'' WHERE id = %L', 'DELETE FROM ringfence.ticket WHERE id = %L']);
SELECT * FROM attack.both('project', ARRAY['SELECT ringfence.open_ticket(NULL, ''x'', %L)', 'INSERT INTO ringfence.ticket (subject, project_id) VALUES (''x'', %L)']);
SELECT count(*) FROM ringfence.ticket WHERE attack.leak(subject);
-- What EXPLAIN ANALYZE counts tells nothing of other projects.
SET enable_bitmapscan = off;
SET max_parallel_workers_per_gather = 0;
EXPLAIN (ANALYZE, BUFFERS OFF, COSTS OFF, TIMING OFF, SUMMARY OFF) SELECT subject FROM ringfence.ticket \g |$PG_ABS_SRCDIR/plan.sh
RESET ALL;
-- Selecting a project widens nothing, and a token narrows as it does everywhere.
SET SESSION AUTHORIZATION app_token;
BEGIN;
SELECT ringfence.login(token('{"project": "Sales"}')) IS NOT NULL AS entered;
SELECT count(*) FROM ringfence.ticket;
ROLLBACK;
BEGIN;
SELECT ringfence.login(token('{"rights": ["customer.read"]}')) IS NOT NULL AS entered;
SELECT count(*) FROM ringfence.ticket;
ROLLBACK;
BEGIN;
SELECT ringfence.login(token()) IS NOT NULL AS entered;
SELECT count(*) FROM ringfence.ticket;
ROLLBACK;

-- Interactions, scripts and responses ----------------------------------------------------------------------------------------
SET SESSION AUTHORIZATION app_none;
SELECT ringfence.create_field('CANARY field', projects => '{Secret}') AS field_b \gset
INSERT INTO ringfence.interaction (id, kind, customer_id, external_id, notes) VALUES ('b0000000-0000-0000-0000-0000000000ca', 'call', 'b0000000-0000-0000-0000-000000000001', 'call-1', 'CANARY-B');
INSERT INTO ringfence.script (id, name, project_id) SELECT 'b0000000-0000-0000-0000-00000000005c', 'CANARY script', id FROM ringfence.project WHERE name = 'Secret';
INSERT INTO ringfence.question (id, script_id, text) VALUES ('b0000000-0000-0000-0000-00000000009e', 'b0000000-0000-0000-0000-00000000005c', 'CANARY question?');
INSERT INTO ringfence.answer (id, question_id, name) VALUES ('b0000000-0000-0000-0000-0000000000a5', 'b0000000-0000-0000-0000-00000000009e', 'CANARY answer');
SELECT ringfence.respond('b0000000-0000-0000-0000-0000000000ca', 'b0000000-0000-0000-0000-0000000000a5') AS response_b \gset
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.create_field('Note', projects => '{Sales}') AS field_a \gset
INSERT INTO ringfence.interaction (id, kind, project_id) VALUES ('a0000000-0000-0000-0000-0000000000ca', 'call', NULL);
INSERT INTO ringfence.script (id, name, project_id) SELECT 'a0000000-0000-0000-0000-00000000005c', 'Script', id FROM ringfence.project WHERE name = 'Sales';
INSERT INTO ringfence.question (id, script_id, text) VALUES ('a0000000-0000-0000-0000-00000000009e', 'a0000000-0000-0000-0000-00000000005c', 'Question?');
INSERT INTO ringfence.answer (id, question_id, name) VALUES ('a0000000-0000-0000-0000-0000000000a5', 'a0000000-0000-0000-0000-00000000009e', 'Answer');
RESET SESSION AUTHORIZATION;
DELETE FROM attack.thing;
INSERT INTO attack.thing SELECT kind, which, CASE which WHEN 'there' THEN id ELSE gen_random_uuid() END
  FROM (VALUES ('customer', 'b0000000-0000-0000-0000-000000000001'), ('ticket', 'b0000000-0000-0000-0000-00000000001f'), ('interaction', 'b0000000-0000-0000-0000-0000000000ca'),
               ('script', 'b0000000-0000-0000-0000-00000000005c'), ('question', 'b0000000-0000-0000-0000-00000000009e'), ('answer', 'b0000000-0000-0000-0000-0000000000a5'),
               ('field', :'field_b'), ('response', :'response_b')) AS known (kind, id_text)
 CROSS JOIN LATERAL (SELECT id_text::uuid AS id) AS ids CROSS JOIN (VALUES ('there'), ('not there')) AS w (which);
INSERT INTO attack.thing SELECT 'project', 'there', id FROM ringfence.project WHERE name = 'Secret' UNION ALL SELECT 'project', 'not there', gen_random_uuid()
    UNION ALL SELECT 'channel', 'there', id FROM ringfence.channel WHERE name = 'CANARY-B' UNION ALL SELECT 'channel', 'not there', gen_random_uuid();
SET SESSION AUTHORIZATION boss_a;
SELECT * FROM attack.both('customer', ARRAY['SELECT ringfence.log_interaction(''call'', customer => %L)', 'INSERT INTO ringfence.interaction (kind, customer_id) VALUES (''call'', %L)',
    'SELECT FROM ringfence.call_log WHERE customer_id = %L']);
SELECT * FROM attack.both('ticket', ARRAY['SELECT ringfence.log_interaction(''call'', ticket => %L)', 'INSERT INTO ringfence.interaction (kind, ticket_id) VALUES (''call'', %L)',
    'UPDATE ringfence.interaction SET ticket_id = %L']);
SELECT * FROM attack.both('project', ARRAY['SELECT ringfence.log_interaction(''call'', project => %L)', 'INSERT INTO ringfence.interaction (kind, project_id) VALUES (''call'', %L)',
    'INSERT INTO ringfence.script (name, project_id) VALUES (''x'', %L)', 'UPDATE ringfence.script SET project_id = %L']);
SELECT * FROM attack.both('channel', ARRAY['SELECT ringfence.log_interaction(''call'', channel => %L)', 'UPDATE ringfence.interaction SET channel_id = %L']);
SELECT * FROM attack.both('interaction', ARRAY['SELECT FROM ringfence.interaction WHERE id = %L', 'UPDATE ringfence.interaction SET notes = ''x'' WHERE id = %L', 'DELETE FROM ringfence.interaction WHERE id = %L',
    'SELECT ringfence.respond(%L, ''a0000000-0000-0000-0000-0000000000a5'')', 'INSERT INTO ringfence.response (interaction_id, answer_id, value, question, answer) VALUES (%L, NULL, ''x'', ''x'', ''x'')',
    'INSERT INTO ringfence.interaction (id, owner_id, kind) VALUES (%L, ''bbbbbbbb-0000-0000-0000-000000000002'', ''call'')', 'SELECT FROM ringfence.call_log WHERE interaction_id = %L']);
SELECT * FROM attack.both('script', ARRAY['SELECT ringfence.script_form(%L)', 'INSERT INTO ringfence.question (script_id, text) VALUES (%L, ''x'')', 'UPDATE ringfence.script SET name = ''x'' WHERE id = %L',
    'DELETE FROM ringfence.script WHERE id = %L', 'SELECT FROM ringfence.question WHERE script_id = %L']);
SELECT name, attack.answer(format('SELECT ringfence.script_form(%L)', name)) FROM unnest(ARRAY['CANARY script', 'Canary script']) AS name;
SELECT * FROM attack.both('question', ARRAY['INSERT INTO ringfence.answer (question_id, name) VALUES (%L, ''x'')', 'SELECT FROM ringfence.question WHERE id = %L', 'SELECT FROM ringfence.answer WHERE question_id = %L']);
-- The check of what an answer leads to comes when the transaction ends: the same error then.
SELECT count(DISTINCT attack.answer(format('DO $do$BEGIN UPDATE ringfence.answer SET next_question_id = %L; SET CONSTRAINTS ALL IMMEDIATE; END$do$', id))) AS answers FROM attack.thing WHERE kind = 'question';
SELECT * FROM attack.both('answer', ARRAY['SELECT ringfence.respond(''a0000000-0000-0000-0000-0000000000ca'', %L)', 'SELECT FROM ringfence.answer WHERE id = %L', 'DELETE FROM ringfence.answer WHERE id = %L']);
SELECT * FROM attack.both('field', ARRAY['INSERT INTO ringfence.answer (question_id, name, field_id) VALUES (''a0000000-0000-0000-0000-00000000009e'', ''x'', %L)', 'UPDATE ringfence.answer SET field_id = %L',
    'SELECT ringfence.writes_field_in(%L, (SELECT id FROM ringfence.project WHERE name = ''Sales''))']);
SELECT * FROM attack.both('response', ARRAY['SELECT FROM ringfence.response WHERE id = %L', 'UPDATE ringfence.response SET value = ''x'' WHERE id = %L', 'DELETE FROM ringfence.response WHERE id = %L']);
-- The external id of another's call is free for A.
SELECT external_id, attack.answer(format('SELECT ringfence.log_interaction(''call'', external_id => %L)', external_id)) FROM unnest(ARRAY['call-1', 'call-2']) AS external_id;
SELECT count(*) FROM ringfence.interaction WHERE notes = 'CANARY-B';
SELECT count(*) FROM ringfence.call_log WHERE attack.leak(CASE WHEN notes = 'CANARY-B' OR customer_name LIKE 'CANARY%' THEN notes END);
-- From one project of the owner into another: a ticket, an interaction, a script and a response of Sales, for who works in Support.
SELECT ringfence.open_ticket(NULL, 'Of Sales', 'Sales') AS ticket_a, ringfence.log_interaction('call', project => 'Sales') AS call_a \gset
SELECT ringfence.respond(:'call_a', 'a0000000-0000-0000-0000-0000000000a5') AS response_a \gset
RESET SESSION AUTHORIZATION;
UPDATE attack.thing SET id = CASE kind WHEN 'ticket' THEN :'ticket_a' WHEN 'interaction' THEN :'call_a' WHEN 'script' THEN 'a0000000-0000-0000-0000-00000000005c' WHEN 'question' THEN 'a0000000-0000-0000-0000-00000000009e'
    WHEN 'answer' THEN 'a0000000-0000-0000-0000-0000000000a5' WHEN 'response' THEN :'response_a' WHEN 'field' THEN :'field_a' ELSE id END::uuid WHERE which = 'there';
SET SESSION AUTHORIZATION support_a;
INSERT INTO ringfence.interaction (id, kind, project_id) SELECT 'a0000000-0000-0000-0000-0000000005ca', 'call', id FROM ringfence.project WHERE name = 'Support';
SELECT * FROM attack.both('ticket', ARRAY['SELECT ringfence.log_interaction(''call'', ticket => %L, project => ''Support'')', 'UPDATE ringfence.interaction SET ticket_id = %L']);
SELECT * FROM attack.both('interaction', ARRAY['SELECT FROM ringfence.interaction WHERE id = %L', 'UPDATE ringfence.interaction SET notes = ''x'' WHERE id = %L', 'SELECT ringfence.respond(%L, NULL)',
    'DELETE FROM ringfence.interaction WHERE id = %L']);
SELECT * FROM attack.both('script', ARRAY['SELECT ringfence.script_form(%L)', 'INSERT INTO ringfence.question (script_id, text) VALUES (%L, ''x'')', 'DELETE FROM ringfence.script WHERE id = %L']);
SELECT * FROM attack.both('question', ARRAY['INSERT INTO ringfence.answer (question_id, name) VALUES (%L, ''x'')', 'SELECT FROM ringfence.question WHERE id = %L']);
SELECT * FROM attack.both('answer', ARRAY['SELECT ringfence.respond(''a0000000-0000-0000-0000-0000000005ca'', %L)', 'SELECT FROM ringfence.answer WHERE id = %L']);
SELECT * FROM attack.both('response', ARRAY['SELECT FROM ringfence.response WHERE id = %L', 'UPDATE ringfence.response SET value = ''x'' WHERE id = %L', 'DELETE FROM ringfence.response WHERE id = %L']);
SELECT count(*) FROM ringfence.response;
SELECT count(*), count(attributes) FROM ringfence.call_log;

-- Imports --------------------------------------------------------------------------------------------------------------------
SET SESSION AUTHORIZATION app_none;
INSERT INTO ringfence.import_template (id, name, mode) VALUES ('b0000000-0000-0000-0000-0000000001e7', 'CANARY template', 'add');
INSERT INTO ringfence.import_mapping (template_id, target, source) VALUES ('b0000000-0000-0000-0000-0000000001e7', 'name', 'CANARY {{n}}');
CREATE TEMP TABLE of_b (n text);
INSERT INTO of_b VALUES ('CANARY row');
RESET SESSION AUTHORIZATION;
DELETE FROM attack.thing;
INSERT INTO attack.thing SELECT kind, which, CASE which WHEN 'there' THEN id_text::uuid ELSE gen_random_uuid() END
  FROM (VALUES ('template', 'b0000000-0000-0000-0000-0000000001e7'), ('customer', 'b0000000-0000-0000-0000-000000000002'), ('company', 'b0000000-0000-0000-0000-00000000000c')) AS known (kind, id_text)
 CROSS JOIN (VALUES ('there'), ('not there')) AS w (which);
SET SESSION AUTHORIZATION boss_a;
INSERT INTO ringfence.import_template (id, name, mode, match_field) VALUES ('a0000000-0000-0000-0000-0000000001e7', 'By id', 'update', 'id'), ('a0000000-0000-0000-0000-0000000001e8', 'Company', 'add', NULL),
    ('a0000000-0000-0000-0000-0000000001e9', 'By phone', 'update', 'phone'), ('a0000000-0000-0000-0000-0000000001ea', 'By mail', 'add', 'email');
INSERT INTO ringfence.import_mapping (template_id, target, source) VALUES ('a0000000-0000-0000-0000-0000000001e7', 'id', '{{id}}'), ('a0000000-0000-0000-0000-0000000001e7', 'address', 'mine'),
    ('a0000000-0000-0000-0000-0000000001e8', 'company_id', '{{id}}'), ('a0000000-0000-0000-0000-0000000001e8', 'name', 'x'),
    ('a0000000-0000-0000-0000-0000000001e9', 'phones', '{{v}}'), ('a0000000-0000-0000-0000-0000000001e9', 'address', 'mine'),
    ('a0000000-0000-0000-0000-0000000001ea', 'emails', '{{v}}'), ('a0000000-0000-0000-0000-0000000001ea', 'name', 'x');
SELECT * FROM attack.both('template', ARRAY['SELECT ringfence.import_customers(%L, rows => ''[{"n": "x"}]''::jsonb)', 'INSERT INTO ringfence.import_mapping (template_id, target, source) VALUES (%L, ''address'', ''x'')',
    'UPDATE ringfence.import_template SET name = ''x'' WHERE id = %L', 'SELECT FROM ringfence.import_mapping WHERE template_id = %L']);
SELECT name, attack.answer(format('SELECT ringfence.import_customers(%L, rows => ''[{"n": "x"}]''::jsonb)', name)) FROM unnest(ARRAY['CANARY template', 'Canary template']) AS name;
-- What an import says of ids, companies, phones and e-mails that only B has.
SELECT kind, count(DISTINCT regexp_replace(answer::text, '[0-9a-f]{8}-[0-9a-f-]{27}', '<id>', 'g')) AS answers, min(regexp_replace(answer.reason, '[0-9a-f]{8}-[0-9a-f-]{27}', '<id>', 'g')) AS reason
  FROM attack.thing CROSS JOIN LATERAL ringfence.import_customers(CASE kind WHEN 'customer' THEN 'By id' ELSE 'Company' END, rows => jsonb_build_array(jsonb_build_object('id', id)), dry_run => true) AS answer
 WHERE kind IN ('customer', 'company') GROUP BY kind ORDER BY kind;
SELECT v, action, reason FROM unnest(ARRAY['601-234-567', '601-234-568']) AS v, LATERAL ringfence.import_customers('By phone', rows => jsonb_build_array(jsonb_build_object('v', v)));
SELECT v, action, reason FROM unnest(ARRAY['lukasz@example.pl', 'nobody@example.pl']) AS v, LATERAL ringfence.import_customers('By mail', rows => jsonb_build_array(jsonb_build_object('v', v)), dry_run => true);
-- A text that is too long for an index is refused before PostgreSQL says where it has stored the row.
SET SESSION AUTHORIZATION boss_a;
SELECT attack.answer(format(what, (SELECT string_agg(md5(n::text), '') FROM generate_series(1, 120) AS n)))
  FROM unnest(ARRAY['INSERT INTO ringfence.ticket (subject, assignee) VALUES (''x'', %L)', 'INSERT INTO ringfence.ticket (subject, status) VALUES (''x'', %L)', 'UPDATE ringfence.ticket SET status = %L',
                    'INSERT INTO ringfence.interaction (kind, external_id) VALUES (''call'', %L)', 'INSERT INTO ringfence.import_template (name, mode) VALUES (%L, ''add'')',
                    'INSERT INTO ringfence.import_mapping (template_id, target, source) VALUES (''a0000000-0000-0000-0000-0000000001e7'', %L, ''x'')',
                    'INSERT INTO ringfence.script (name, project_id) SELECT %L, id FROM ringfence.project LIMIT 1', 'INSERT INTO ringfence.ticket_status (name) VALUES (%L)']) AS what;

-- A template of another project names fields that the session does not see: it is none, by name and by id.
SET SESSION AUTHORIZATION support_a;
INSERT INTO ringfence.import_template (id, name, mode, project_id) VALUES ('a0000000-0000-0000-0000-0000000001ef', 'CANARY of Support', 'add', (SELECT id FROM ringfence.project WHERE name = 'Support'));
INSERT INTO ringfence.import_mapping (template_id, target, source) VALUES ('a0000000-0000-0000-0000-0000000001ef', 'name', 'CANARY {{n}}');
SET SESSION AUTHORIZATION boss_a;
INSERT INTO ringfence.import_template (id, name, mode, project_id) VALUES ('a0000000-0000-0000-0000-0000000001ed', 'For all', 'add', NULL);
INSERT INTO ringfence.import_mapping (template_id, target, source) VALUES ('a0000000-0000-0000-0000-0000000001ed', 'name', 'For all {{n}}');
SET SESSION AUTHORIZATION sales_a;
SELECT name FROM ringfence.import_template WHERE name LIKE 'CANARY%' OR name = 'For all';
SELECT source FROM ringfence.import_mapping WHERE source LIKE 'CANARY%' OR source LIKE 'For all%';
-- The policy looks each mapping's template up: how often tells of mappings that the session does not see (229).
SELECT pg_stat_get_xact_numscans('ringfence.import_template_pkey'::regclass);
SELECT what, count(DISTINCT attack.answer(format(what, id))) = 1 AS alike, min(attack.answer(format(what, id))) AS answer
  FROM unnest('{a0000000-0000-0000-0000-0000000001ef,a0000000-0000-0000-0000-0000000001ee}'::uuid[]) AS id,
       unnest(ARRAY['SELECT ringfence.import_customers(%L, rows => ''[{"n": "x"}]''::jsonb)', 'UPDATE ringfence.import_template SET date_format = ''x'' WHERE id = %L',
                    'DELETE FROM ringfence.import_template WHERE id = %L', 'UPDATE ringfence.import_mapping SET source = ''x'' WHERE template_id = %L',
                    'DELETE FROM ringfence.import_mapping WHERE template_id = %L',
                    'INSERT INTO ringfence.import_mapping (template_id, target, source) VALUES (%L, ''address'', ''x'')']) WITH ORDINALITY AS tried (what, n)
 GROUP BY what, n ORDER BY n;
SELECT name, attack.answer(format('SELECT ringfence.import_customers(%L, rows => ''[{"n": "x"}]''::jsonb)', name)) FROM unnest(ARRAY['CANARY of Support', 'CANARY of nobody']) AS name;
-- One of no project is there for all who import; to write it takes the right in all projects.
SELECT action FROM ringfence.import_customers('For all', rows => '[{"n": "x"}]'::jsonb, dry_run => true);
UPDATE ringfence.import_template SET date_format = 'DD.MM.YYYY' WHERE name = 'For all';
SELECT date_format FROM ringfence.import_template WHERE name = 'For all';
DELETE FROM ringfence.import_mapping WHERE source LIKE 'For all%';
SELECT count(*) FROM ringfence.import_mapping WHERE source LIKE 'For all%';
INSERT INTO ringfence.import_mapping (template_id, target, source) VALUES ('a0000000-0000-0000-0000-0000000001ed', 'address', 'x');
INSERT INTO ringfence.import_template (name, mode, project_id) VALUES ('Mine for all', 'add', NULL);
INSERT INTO ringfence.import_template (name, mode, project_id) VALUES ('Mine', 'add', (SELECT id FROM ringfence.project WHERE name = 'Sales')) RETURNING name;

-- A relation that the session may not read, and one of PostgreSQL's.
RESET SESSION AUTHORIZATION;
CREATE TABLE attack.secret (id text);
INSERT INTO attack.secret VALUES ('CANARY');
SET SESSION AUTHORIZATION boss_a;
SELECT attack.answer(what) FROM unnest(ARRAY['SELECT ringfence.import_customers(''By id'', ''attack.secret'')', 'SELECT ringfence.import_customers(''Company'', ''pg_authid'')', 'SELECT ringfence.import_customers(''By phone'', ''ringfence.unique_value'')',
    'SELECT ringfence.import_customers(''By id'', ''ringfence.customer'')']) AS what;
SELECT count(*) FROM ringfence.customer WHERE address = 'mine' OR name LIKE 'CANARY%';

-- A condition of the caller's counts rows of other projects (222): one without a column, which PostgreSQL asks first, or one that hides in
-- a function or a comparison of ours. It meets no row that is not shown.
SET SESSION AUTHORIZATION support_a;
CREATE TEMP SEQUENCE hit;
CREATE FUNCTION attack.tick() RETURNS uuid LANGUAGE plpgsql COST 0.0001 AS $$BEGIN PERFORM nextval('hit'); RETURN gen_random_uuid(); END$$;
CREATE FUNCTION attack.equal(uuid, uuid) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS $$BEGIN PERFORM nextval('hit'); RETURN false; END$$;
CREATE OPERATOR attack.= (FUNCTION = attack.equal, LEFTARG = uuid, RIGHTARG = uuid);
CREATE FUNCTION attack.met(relation text, condition text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    shown bigint; met bigint;
BEGIN
    EXECUTE format('SELECT count(*) FROM ringfence.%I', relation) INTO shown;
    PERFORM setval('hit', 1, false);
    EXECUTE format('SELECT count(*) FROM ringfence.%I WHERE %s', relation, condition);
    SELECT CASE WHEN is_called THEN last_value ELSE 0 END INTO met FROM hit;
    RETURN met <= shown;
END $$;
CREATE FUNCTION attack.counting() RETURNS TABLE (relation text, condition text) LANGUAGE sql AS $$
    SELECT relation, condition FROM unnest('{ticket,interaction,response,channel,script,question,answer,project}'::text[]) AS relation, unnest(ARRAY[
        'nextval(''hit'') > 0', 'ringfence.works_in(attack.tick())', 'NOT ringfence.works_in(attack.tick())',
        'ringfence.has_right_in(''ticket.read'', attack.tick()) IS NOT NULL', 'ringfence.has_right_in(''ticket.read'', NULL) OR nextval(''hit'') > 0',
        'attack.tick() = ANY (ringfence.projects_with(''ticket.read''))', 'random() > 2 OR ringfence.works_in(attack.tick())',
        'gen_random_uuid() OPERATOR(attack.=) ANY (ringfence.projects_with(''ticket.read''))',
        '''00000000-0000-0000-0000-000000000000'' OPERATOR(attack.=) ANY (ringfence.projects_with(''ticket.read''))']) AS condition
     WHERE NOT attack.met(relation, condition) $$;
-- There is something to count: rows of Sales.
RESET SESSION AUTHORIZATION;
UPDATE ringfence.channel SET project_id = (SELECT p.id FROM ringfence.project AS p WHERE p.owner_id = channel.owner_id AND p.name = 'Sales') WHERE kind = 'phone' AND owner_id = 'aaaaaaaa-0000-0000-0000-000000000001';
SELECT count(*) > 0 AS tickets, (SELECT count(*) > 0 FROM ringfence.interaction WHERE project_id = p.id) AS interactions, (SELECT count(*) > 0 FROM ringfence.response WHERE project_id = p.id) AS responses,
       (SELECT count(*) > 0 FROM ringfence.channel WHERE project_id = p.id) AS channels, (SELECT count(*) > 0 FROM ringfence.answer WHERE project_id = p.id) AS answers
  FROM ringfence.project AS p JOIN ringfence.ticket AS t ON t.project_id = p.id WHERE p.name = 'Sales' AND p.owner_id = 'aaaaaaaa-0000-0000-0000-000000000001' GROUP BY p.id;
SET SESSION AUTHORIZATION support_a;
SELECT * FROM attack.counting();
SET enable_bitmapscan = off;
SELECT * FROM attack.counting();
SET enable_indexscan = off;
SET enable_indexonlyscan = off;
SELECT * FROM attack.counting();
SET enable_seqscan = off;
SET enable_bitmapscan = on;
SELECT * FROM attack.counting();
RESET ALL;

-- A session that writes interactions and reads none moves one to another project: its responses stay for who reads the project that it left (223).
SET SESSION AUTHORIZATION dba;
SELECT ringfence.grant_access('trainee_a', 'Company A', '{interaction.write}') \g /dev/null
SET SESSION AUTHORIZATION support_a;
SELECT id AS support FROM ringfence.project WHERE name = 'Support' \gset
SET SESSION AUTHORIZATION boss_a;
SELECT count(*) FROM ringfence.response WHERE project_id <> :'support';
SET SESSION AUTHORIZATION trainee_a;
SELECT count(*) FROM ringfence.interaction;
UPDATE ringfence.interaction SET project_id = :'support';
SET SESSION AUTHORIZATION sales_a;
SELECT count(*) FROM ringfence.interaction;
SELECT count(*) FROM ringfence.response;
SET SESSION AUTHORIZATION boss_a;
SELECT count(*) AS apart FROM ringfence.response AS r JOIN ringfence.interaction AS i ON i.id = r.interaction_id WHERE r.project_id IS DISTINCT FROM i.project_id;
SELECT attack.answer('SELECT ringfence.put_responses(ringfence.current_owner(), ''a0000000-0000-0000-0000-0000000000ca'', NULL)');

-- A value that does not fit into an index: the refusal tells on which page of the table, of all owners, the row would have been (225).
SELECT attack.answer(format(what, long)) FROM (SELECT string_agg(md5(n::text), '') AS long FROM generate_series(1, 200) AS n) AS value, unnest(ARRAY[
    'INSERT INTO ringfence.ticket (subject, assignee) VALUES (''x'', %L)', 'INSERT INTO ringfence.ticket (subject, status) VALUES (''x'', %L)', 'UPDATE ringfence.ticket SET assignee = %L', 'UPDATE ringfence.ticket SET status = %L',
    'INSERT INTO ringfence.import_mapping (template_id, target, source) VALUES (''a0000000-0000-0000-0000-0000000001e7'', %L, ''x'')', 'INSERT INTO ringfence.interaction (kind, external_id) VALUES (''call'', %L)',
    'INSERT INTO ringfence.script (name, project_id) SELECT %L, id FROM ringfence.project LIMIT 1', 'INSERT INTO ringfence.ticket_status (name) VALUES (%L)', 'INSERT INTO ringfence.import_template (name, mode) VALUES (%L, ''add'')']) AS what;

-- The response to a question keeps what it fills a masked field with, and shows it to who does not see the field (227): with field.unmask in
-- Sales, in Support, and nowhere. What filled a masked field that is dropped stays masked.
RESET SESSION AUTHORIZATION;
CREATE ROLE unmasks_sales LOGIN;
CREATE ROLE unmasks_nothing LOGIN;
SELECT ringfence.grant_access('unmasks_nothing', 'Company A', '{customer.read,customer.write,interaction.read,interaction.write}'),
       ringfence.grant_access('unmasks_sales', 'Company A', '{customer.read,customer.write,interaction.read,interaction.write}'),
       ringfence.grant_access('unmasks_sales', 'Company A', '{field.unmask}', 'Sales') \g /dev/null
SET SESSION AUTHORIZATION boss_a;
DELETE FROM ringfence.interaction;
SELECT ringfence.create_field('Pin', projects => '{Sales,Support}', is_masked => true) AS pin, ringfence.create_field('Plan', projects => '{Sales,Support}') AS plan \gset
INSERT INTO ringfence.answer (id, question_id, name, kind, field_id) SELECT id, 'a0000000-0000-0000-0000-00000000009e', name, 'text', field
  FROM (VALUES ('a0000000-0000-0000-0000-0000000000f1'::uuid, 'Its pin', :'pin'::uuid), ('a0000000-0000-0000-0000-0000000000f2', 'Its plan', :'plan'), ('a0000000-0000-0000-0000-0000000000f3', 'Other', NULL)) AS a (id, name, field);
SELECT count(ringfence.respond(call, answer, 'CANARY of ' || answer)) FROM ringfence.log_interaction('call', customer => 'a0000000-0000-0000-0000-000000000001', project => 'Sales') AS call,
    unnest('{a0000000-0000-0000-0000-0000000000f1,a0000000-0000-0000-0000-0000000000f2,a0000000-0000-0000-0000-0000000000f3}'::uuid[]) AS answer;
CREATE VIEW attack.answered WITH (security_invoker) AS SELECT string_agg(answer, ', ' ORDER BY answer) AS answered, (SELECT string_agg(name, ', ') FROM ringfence.project AS p WHERE p.id = r.project_id) AS project FROM ringfence.response AS r GROUP BY project_id;
GRANT SELECT ON attack.answered TO PUBLIC;
SELECT * FROM attack.answered;
SET SESSION AUTHORIZATION unmasks_nothing;
SELECT * FROM attack.answered;
SELECT count(*) FROM ringfence.response WHERE value LIKE '%f1';
UPDATE ringfence.response SET field_id = NULL, value = value;
BEGIN;
SELECT attack.answer('UPDATE ringfence.response SET value = ''lost'''), attack.answer('DELETE FROM ringfence.response');
ROLLBACK;
SELECT * FROM attack.answered;
CREATE TEMP SEQUENCE looked_at;
SELECT count(*) = (SELECT count(*) FROM ringfence.response WHERE nextval('looked_at') > 0) AS all_met FROM ringfence.response;
SELECT last_value FROM looked_at;
SET SESSION AUTHORIZATION unmasks_sales;
SELECT * FROM attack.answered;
SET SESSION AUTHORIZATION boss_a;
UPDATE ringfence.interaction SET project_id = :'support';
SELECT * FROM attack.answered;
SET SESSION AUTHORIZATION unmasks_sales;
SELECT * FROM attack.answered;
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.drop_field('Pin', 1) IS NOT NULL AS dropped;
SELECT * FROM attack.answered;
SET SESSION AUTHORIZATION unmasks_nothing;
SELECT * FROM attack.answered;

\c - postgres
DROP SCHEMA attack CASCADE;
DROP ROLE dialer, other_admin, unmasks_sales, unmasks_nothing;
