-- Attacks on erasure (ATTACKS 315 to 317): a person who is erased is nowhere, and nobody else is touched.
\set SHOW_CONTEXT never
\pset null -
SET client_min_messages = warning;
CREATE ROLE erasure_trainee LOGIN;
CREATE ROLE erasure_officer LOGIN;
CREATE ROLE erasure_boss_b LOGIN;
SET ROLE dba;
SELECT ringfence.grant_access('erasure_trainee', 'Company A', '{customer.read,customer.propose}'),
       -- No right over tickets, interactions or masked fields.
       ringfence.grant_access('erasure_officer', 'Company A', '{customer.read,customer.delete,source.manage}'),
       ringfence.grant_access('erasure_boss_b', 'Company B', '{admin}') \g /dev/null
RESET ROLE;
CREATE SCHEMA attack;
-- In which tables a word is.
CREATE FUNCTION attack.tables_with(word text) RETURNS TABLE (relation regclass, rows bigint) LANGUAGE plpgsql AS $$
BEGIN
    FOR relation IN SELECT oid FROM pg_class WHERE relnamespace = 'ringfence'::regnamespace AND relkind = 'r' ORDER BY relname LOOP
        EXECUTE format('SELECT count(*) FROM %s AS t WHERE t::text LIKE ''%%'' || $1 || ''-%%''', relation) INTO rows USING word;
        IF rows > 0 THEN
            RETURN NEXT;
        END IF;
    END LOOP;
END $$;

SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.create_source('CRM'), ringfence.create_source('ERP'), ringfence.set_authority('CRM', 'address'),
       ringfence.create_field('Contract', projects => '{Sales}', is_unique => true), ringfence.create_field('Tax', projects => '{Support}', is_masked => true) \g /dev/null
INSERT INTO ringfence.script (name, project_id) SELECT 'Asking', id FROM ringfence.project WHERE name = 'Sales';
INSERT INTO ringfence.question (script_id, text, position) SELECT id, 'Which contract?', 1 FROM ringfence.script WHERE name = 'Asking';
INSERT INTO ringfence.answer (question_id, name, kind, field_id) SELECT q.id, 'Contract', 'text', f.id
  FROM ringfence.question AS q, ringfence.field AS f WHERE q.text = 'Which contract?' AND f.name = 'Contract';
SET ringfence.source = 'CRM';
INSERT INTO ringfence.customer_card (id, name, phones, emails, address, attributes)
    VALUES ('a0000000-0000-0000-0000-0000000000e1', 'GHOST-name', '{GHOST-0911}', '{canary@GHOST-e.example}', 'GHOST-street', '{"Contract": "GHOST-1", "Tax": "GHOST-2"}');
UPDATE ringfence.customer_card SET name = 'GHOST-name again', phones = '{}', address = 'GHOST-road', attributes = '{"Contract": "GHOST-3", "Tax": "GHOST-4"}' WHERE name = 'GHOST-name';
RESET ringfence.source;
-- Left out: the history has both values.
SET ringfence.source = 'ERP';
SET ringfence.on_foreign_datum = 'skip';
UPDATE ringfence.customer_card SET address = 'GHOST-lane' WHERE name = 'GHOST-name again';
RESET ringfence.on_foreign_datum;
RESET ringfence.source;
SELECT ringfence.open_ticket('a0000000-0000-0000-0000-0000000000e1', 'GHOST-subject', 'Sales') AS ticket \gset
UPDATE ringfence.ticket SET description = 'GHOST-description' WHERE id = :'ticket';
SELECT ringfence.log_interaction('call', customer => 'a0000000-0000-0000-0000-0000000000e1', project => 'Sales', remote_address => 'GHOST-0911', external_id => 'GHOST-id') AS call \gset
SELECT ringfence.log_interaction('note', customer => 'a0000000-0000-0000-0000-0000000000e1', project => 'Support') AS note \gset
UPDATE ringfence.interaction SET notes = 'GHOST-notes', disposition = 'GHOST-disposition' WHERE id IN (:'call', :'note');
INSERT INTO ringfence.interaction (kind, ticket_id, notes) VALUES ('note', :'ticket', 'GHOST-about the ticket');
SET ringfence.source = 'CRM';
SELECT ringfence.respond(:'call', answer_id, 'GHOST-5') FROM ringfence.script_form('Asking') \g /dev/null
RESET ringfence.source;
-- Of somebody else: nothing of it may go.
SELECT ringfence.open_ticket('a0000000-0000-0000-0000-000000000002', 'other subject', 'Sales') AS other \gset
SELECT ringfence.log_interaction('call', customer => 'a0000000-0000-0000-0000-000000000002', project => 'Sales', remote_address => 'other 0911') \g /dev/null
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION erasure_trainee;
UPDATE ringfence.customer_card SET language = 'GHOST-tongue' WHERE id = 'a0000000-0000-0000-0000-0000000000e1';
UPDATE ringfence.customer_card SET attributes = attributes || '{"Contract": "GHOST-6"}' WHERE id = 'a0000000-0000-0000-0000-0000000000e1';
UPDATE ringfence.customer_card SET birth_date = '1990-01-01' WHERE id = 'a0000000-0000-0000-0000-0000000000e1';
INSERT INTO ringfence.customer_card (id, name, address) VALUES
    ('a0000000-0000-0000-0000-0000000000e2', 'GHOST-accepted', 'GHOST-house'), ('a0000000-0000-0000-0000-0000000000e3', 'GHOST-rejected', NULL),
    ('a0000000-0000-0000-0000-0000000000e4', 'GHOST-open', NULL);
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION boss_a;
SET ringfence.source = 'CRM';
SELECT ringfence.accept_proposal(id) IS NOT NULL FROM ringfence.proposal WHERE new ->> 'name' = 'GHOST-accepted' \g /dev/null
RESET ringfence.source;
SELECT ringfence.reject_proposal(id, 'GHOST-reason') FROM ringfence.proposal WHERE new ->> 'name' = 'GHOST-rejected' OR field = 'language' \g /dev/null
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION erasure_boss_b;
INSERT INTO ringfence.customer_card (name) VALUES ('CANARY of B');
SELECT ringfence.open_ticket(id, 'CANARY of B', 'Sales') FROM ringfence.customer WHERE name = 'CANARY of B' \g /dev/null
RESET SESSION AUTHORIZATION;
SELECT relation FROM attack.tables_with('GHOST');

\echo 315: it is nowhere any more, in whatever project and whoever erases it
SET SESSION AUTHORIZATION erasure_officer;
SELECT ringfence.erase_customer(id, 'asked for by letter') FROM (VALUES ('a0000000-0000-0000-0000-0000000000e1'::uuid), ('a0000000-0000-0000-0000-0000000000e2'),
       ('a0000000-0000-0000-0000-0000000000e4')) AS erased (id);
-- Of one that was rejected the id was kept, to find the reason by.
SELECT ringfence.erase_customer('a0000000-0000-0000-0000-0000000000e3', 'asked for by letter');
SELECT ringfence.erase_customer('a0000000-0000-0000-0000-0000000000e5', 'nobody');
RESET SESSION AUTHORIZATION;
SELECT * FROM attack.tables_with('GHOST');
SELECT count(*) FROM ringfence.change WHERE customer_id::text LIKE 'a0000000-0000-0000-0000-0000000000e_' AND kind <> 'erase';
SELECT count(*) FROM ringfence.proposed_value WHERE data <> '{}' AND owner_id = 'aaaaaaaa-0000-0000-0000-000000000001';
-- What happened can still be counted.
SELECT subject, description, customer_id FROM ringfence.ticket WHERE owner_id = 'aaaaaaaa-0000-0000-0000-000000000001' ORDER BY number;
SELECT kind, project_id IS NOT NULL AS project, customer_id IS NOT NULL AS customer, remote_address, disposition, notes, external_id FROM ringfence.interaction WHERE owner_id = 'aaaaaaaa-0000-0000-0000-000000000001' ORDER BY 1, 2, 3;
SELECT count(*) FROM ringfence.response;
SELECT count(*) FROM ringfence.customer AS c JOIN ringfence.ticket AS t ON t.customer_id = c.id WHERE c.name = 'CANARY of B' AND t.subject = c.name;

\echo 315: what a deletion has cut loose is not found, and the caller is told
SET SESSION AUTHORIZATION boss_a;
SET client_min_messages = warning;
INSERT INTO ringfence.customer_card (id, name) VALUES ('a0000000-0000-0000-0000-0000000000e6', 'Deleted');
DELETE FROM ringfence.customer_card WHERE name = 'Deleted';
SELECT ringfence.erase_customer('a0000000-0000-0000-0000-0000000000e6', 'asked for by letter');
-- Nor is there an old snapshot.
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT ringfence.erase_customer('a0000000-0000-0000-0000-000000000002', 'asked for by letter');
ROLLBACK;
RESET SESSION AUTHORIZATION;

\echo 316: to erase takes the rights over customers and over sources, in all projects, and reaches no other owner
SET SESSION AUTHORIZATION trainee_a;
SELECT ringfence.erase_customer('a0000000-0000-0000-0000-000000000002', 'x');
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION sales_a;
SELECT ringfence.erase_customer('a0000000-0000-0000-0000-000000000002', 'x');
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION erasure_officer;
SELECT ringfence.erase_customer(id, 'x') FROM (VALUES ('b0000000-0000-0000-0000-000000000001'::uuid)) AS of_b (id);
SELECT ringfence.erase_customer('c0000000-0000-0000-0000-00000000dead', 'x');
SELECT ringfence.erase_from_desk('a0000000-0000-0000-0000-000000000002');
SELECT ringfence.erase_at_desk('a0000000-0000-0000-0000-000000000002');
SELECT ringfence.erase_tickets('a0000000-0000-0000-0000-000000000002');
SELECT ringfence.erase_interactions('a0000000-0000-0000-0000-000000000002');
SELECT ringfence.erase_responses('a0000000-0000-0000-0000-000000000002');
RESET SESSION AUTHORIZATION;

\echo 317: what a dropped field had is not in a proposed card either, and what was decided long ago is forgotten with the history
SET SESSION AUTHORIZATION erasure_trainee;
INSERT INTO ringfence.customer_card (name, attributes) VALUES ('Somebody', '{"Contract": "GHOST-7"}');
UPDATE ringfence.customer_card SET address = 'GHOST-alley' WHERE name = 'Chen Wei';
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.drop_field('Contract');
SELECT new - 'id' AS new FROM ringfence.proposal WHERE field IS NULL AND state = 'open';
SELECT ringfence.accept_proposal(id) IS NOT NULL AS accepted FROM ringfence.proposal WHERE field IS NULL AND state = 'open';
SELECT ringfence.reject_proposal(id) FROM ringfence.proposal WHERE field = 'address';
SELECT ringfence.forget_history(now() + interval '1 hour') > 0 AS forgotten;
RESET SESSION AUTHORIZATION;
SELECT relation FROM attack.tables_with('GHOST');
SELECT state FROM ringfence.proposed_value;
DROP SCHEMA attack CASCADE;
-- Roles belong to the cluster.
\c - postgres
SET client_min_messages = warning;
DROP OWNED BY erasure_trainee, erasure_officer, erasure_boss_b;
DROP ROLE erasure_trainee, erasure_officer, erasure_boss_b;
