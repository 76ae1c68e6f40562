-- Proposals: who may propose writes nothing; who may write accepts or rejects.
\set SHOW_CONTEXT never
\pset null -
CREATE ROLE proposal_trainee LOGIN;
CREATE ROLE proposal_lead LOGIN;
CREATE ROLE proposal_sales LOGIN;
SET ROLE dba;
SELECT ringfence.grant_access('proposal_trainee', 'Company A', '{customer.read,customer.propose}'),
       ringfence.grant_access('proposal_lead', 'Company A', '{supervisor}'),
       ringfence.grant_access('proposal_sales', 'Company A', '{sales}', 'Sales') \g /dev/null
RESET ROLE;
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.create_field('Plan', 'choice', projects => '{Sales}', options => '{silver,gold}') \g /dev/null
SELECT ringfence.create_field('Case', projects => '{Support}') \g /dev/null
SELECT ringfence.create_field('Tax', projects => '{Sales}', is_masked => true) \g /dev/null
SELECT ringfence.create_field('Score', 'number', projects => '{}') \g /dev/null
SELECT ringfence.bind_field('Score', 'Sales', 'read') \g /dev/null
UPDATE ringfence.customer_card SET attributes = '{"Plan": "silver", "Tax": "T-1"}' WHERE name = 'Chen Wei';
RESET SESSION AUTHORIZATION;

SET SESSION AUTHORIZATION proposal_trainee;
SET ringfence.agent = 'Ola';
UPDATE ringfence.customer_card SET name = 'Chen Wei-Ting', phones = '{0911}', attributes = attributes || '{"Plan": "gold", "Case": "C-1"}' WHERE name = 'Chen Wei' RETURNING name, phones, attributes;
UPDATE ringfence.customer_card SET language = 'zh', address = NULL WHERE name = 'Tsai Mei-Ling' RETURNING name, language;
UPDATE ringfence.customer_card SET name = name, last_activity_at = now() WHERE name = 'Tsai Mei-Ling' RETURNING last_activity_at;
UPDATE ringfence.customer_card SET attributes = '{}' WHERE name = 'Chen Wei' RETURNING attributes;
INSERT INTO ringfence.customer_card (id, name, phones, attributes) VALUES ('a0000000-0000-0000-0000-0000000000f1', 'Proposed', '{0922}', '{"Plan": "gold", "Case": "C-9"}') RETURNING id, name;
-- What cannot be is refused at once.
UPDATE ringfence.customer_card SET attributes = attributes || '{"Plan": "bronze"}' WHERE name = 'Chen Wei';
UPDATE ringfence.customer_card SET attributes = attributes || '{"Tax": "T-2"}' WHERE name = 'Chen Wei';
UPDATE ringfence.customer_card SET attributes = attributes || '{"Score": 1}' WHERE name = 'Chen Wei';
UPDATE ringfence.customer_card SET attributes = attributes || '{"No such field": 1}' WHERE name = 'Chen Wei';
INSERT INTO ringfence.customer_card (name, attributes) VALUES ('X', '{"Tax": "T-3"}');
INSERT INTO ringfence.customer_card (owner_id, name) VALUES ('bbbbbbbb-0000-0000-0000-000000000002', 'X');
UPDATE ringfence.customer_card SET id = 'c0000000-0000-0000-0000-00000000dead' WHERE name = 'Chen Wei';
-- Nothing else can be written.
UPDATE ringfence.customer SET name = 'X';
INSERT INTO ringfence.customer (name) VALUES ('X');
DELETE FROM ringfence.customer_card;
SELECT ringfence.save_customer('{"name": "X"}');
INSERT INTO ringfence.company (name) VALUES ('X');
SELECT ringfence.accept_proposal(id) FROM ringfence.proposal LIMIT 1;
SELECT ringfence.reject_proposal(id, 'no') FROM ringfence.proposal LIMIT 1;
SELECT name, phones, attributes FROM ringfence.customer_card ORDER BY name;
SELECT count(*) FROM ringfence.customer AS c, ringfence.history(c.id) AS h WHERE h.role_name = 'proposal_trainee';
SELECT customer_id, field, old, new, role_name, agent, state FROM ringfence.proposal;
RESET ringfence.agent;
RESET SESSION AUTHORIZATION;

-- Who reads one project sees what is proposed for its fields.
SET SESSION AUTHORIZATION proposal_sales;
SELECT field, old, new FROM ringfence.proposal;
SELECT ringfence.accept_proposal(p.id) IS NOT NULL AS accepted FROM ringfence.proposal AS p WHERE field = 'phones';
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION app_b;
SELECT count(*) FROM ringfence.proposal;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION tickets_a;
SELECT count(*) FROM ringfence.proposal;
RESET SESSION AUTHORIZATION;

SET SESSION AUTHORIZATION proposal_lead;
SET ringfence.agent = 'Lead';
SELECT ringfence.accept_proposal(id) AS customer FROM ringfence.proposal WHERE field IN ('name', 'Case') AND state = 'open' ORDER BY field;
SELECT ringfence.accept_proposal(id) AS customer FROM ringfence.proposal WHERE customer_id IS NULL;
SELECT ringfence.reject_proposal(id, 'She said Polish') FROM ringfence.proposal WHERE field = 'language' \g /dev/null
SELECT name, phones, language, attributes FROM ringfence.customer_card ORDER BY name;
SELECT field, kind, old, new, role_name, agent FROM ringfence.history('a0000000-0000-0000-0000-000000000002') WHERE agent = 'Lead';
-- Decided is decided, and what has changed meanwhile is not overwritten.
SELECT ringfence.accept_proposal(id) FROM ringfence.proposal WHERE field = 'name';
UPDATE ringfence.customer_card SET attributes = attributes - 'Plan' WHERE name = 'Chen Wei-Ting';
SELECT ringfence.accept_proposal(id) FROM ringfence.proposal WHERE field = 'Plan' AND new IS NOT NULL;
SELECT ringfence.accept_proposal('c0000000-0000-0000-0000-00000000dead');
RESET ringfence.agent;
SELECT field, old, new, state, decided_by, reason FROM ringfence.proposal;
RESET SESSION AUTHORIZATION;

-- A proposal goes with its customer, and with its field.
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.drop_field('Case', 2);
SELECT ringfence.erase_customer(id, 'asked for') FROM ringfence.customer WHERE name = 'Chen Wei-Ting' \g /dev/null
SELECT field, state FROM ringfence.proposal;
RESET SESSION AUTHORIZATION;
-- With a source: what is proposed for a datum of another source is refused when it is accepted.
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.create_source('CRM'), ringfence.set_authority('CRM', 'address') \g /dev/null
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION proposal_trainee;
UPDATE ringfence.customer_card SET address = 'Taipei' WHERE name = 'Tsai Mei-Ling';
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION proposal_lead;
SELECT ringfence.accept_proposal(id) FROM ringfence.proposal WHERE field = 'address';
SELECT state FROM ringfence.proposal WHERE field = 'address';
RESET SESSION AUTHORIZATION;
-- Also where a session leaves such data out: the proposal stays open, and nobody is told that a customer was made.
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.set_authority('CRM', 'name') \g /dev/null
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION proposal_trainee;
INSERT INTO ringfence.customer_card (name) VALUES ('Left out');
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION proposal_lead;
SET ringfence.on_foreign_datum = 'skip';
SELECT ringfence.accept_proposal(id) FROM ringfence.proposal WHERE field = 'address';
SELECT ringfence.accept_proposal(id) FROM ringfence.proposal WHERE new ->> 'name' = 'Left out';
SHOW ringfence.on_foreign_datum;
SELECT field, state FROM ringfence.proposal WHERE field = 'address' OR new ->> 'name' = 'Left out';
RESET SESSION AUTHORIZATION;
-- A trigger of the installation's own that suppresses a row does not lose the proposal either.
CREATE FUNCTION public.suppress() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER suppress BEFORE INSERT OR UPDATE ON ringfence.customer FOR EACH ROW EXECUTE FUNCTION public.suppress();
SET SESSION AUTHORIZATION boss_a;
SET ringfence.source = 'CRM';
SELECT ringfence.accept_proposal(id) FROM ringfence.proposal WHERE field = 'address';
SELECT ringfence.accept_proposal(id) FROM ringfence.proposal WHERE new ->> 'name' = 'Left out';
SELECT field, state FROM ringfence.proposal WHERE field = 'address' OR new ->> 'name' = 'Left out';
RESET SESSION AUTHORIZATION;
DROP TRIGGER suppress ON ringfence.customer;
DROP FUNCTION public.suppress();
-- Roles belong to the cluster.
\c - postgres
SET client_min_messages = warning;
DROP OWNED BY proposal_trainee, proposal_lead, proposal_sales;
DROP ROLE proposal_trainee, proposal_lead, proposal_sales;
