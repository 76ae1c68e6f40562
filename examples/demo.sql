-- The story of Ms. Tsai. She is a customer of Company A and of Company B; the same call centre serves both.
\set QUIET on
\pset footer off
\set ECHO none
\echo
SELECT id AS company_b FROM ringfence.owner WHERE name = 'Company B' \gset
\echo '== One call centre, five owners. How many customers there are is for the superuser only to see:'
SELECT owner.name AS owner, owner.country, count(*) AS customers FROM ringfence.customer JOIN ringfence.owner ON owner.id = owner_id GROUP BY owner.id ORDER BY 3 DESC;

\echo '== An agent on Company A''s line, on a login role of its own, searches "Tsai":'
\set ECHO queries
\c - agent_a
SELECT name, phones, company, rank FROM ringfence.search_customers('Tsai Mei-Ling', 3);
\set ECHO none
\echo
\echo '== ... in small letters, and by her phone in three spellings:'
\set ECHO queries
SELECT name, phones, rank FROM ringfence.search_customers('tsai mei-ling', 3);
SELECT name, phones, matched FROM ringfence.search_customers('+886 912 345 678');
SELECT name, phones, matched FROM ringfence.search_customers('0912-345-678');
SELECT name, phones FROM ringfence.find_by_phone('(0912) 345678');
\set ECHO none

\echo
\echo '== An agent on Company B''s line has the same Ms. Tsai, and another record:'
\set ECHO queries
\c - agent_b
SELECT name, phones, address, attributes FROM ringfence.customer_card WHERE name = 'Tsai Mei-Ling';
SELECT name, phones FROM ringfence.find_by_phone('+886 912 345 678');
\set ECHO none

\echo
\echo '== One login role for all owners: the owner is selected for each transaction, and is gone with it.'
\set ECHO queries
\c - desk
BEGIN;
\o /dev/null
SELECT ringfence.enter('Company A');
\o
SELECT name, phones FROM ringfence.search_customers('tsai mei-ling 912345678');
COMMIT;
BEGIN;
\o /dev/null
SELECT ringfence.enter('Company B');
\o
SELECT name, phones FROM ringfence.search_customers('tsai mei-ling 912345678');
COMMIT;
SELECT count(*) FROM ringfence.customer;
\set ECHO none
\echo
\echo '== Within a transaction the owner cannot be changed, also not by an injected expression:'
\set ECHO queries
BEGIN;
SET LOCAL ringfence.owner = 'Company A';
SELECT count(*) FROM ringfence.customer;
SELECT count(*) FROM ringfence.customer WHERE set_config('ringfence.owner', 'Company B', true) <> '';
ROLLBACK;
\set ECHO none

\echo
\echo '== Nothing is written for another owner:'
\echo 'INSERT INTO ringfence.customer_card (owner_id, name) VALUES (<the id of Company B>, ''Planted'');'
\c - agent_a
INSERT INTO ringfence.customer_card (owner_id, name) VALUES (:'company_b', 'Planted');
\set ECHO queries
SET ringfence.owner = 'Company B';
SELECT count(*) FROM ringfence.customer;
RESET ringfence.owner;
\set ECHO none

\echo
\echo '== Sales and Support of Company A: one customer, the fields of the project at hand. The card number is masked.'
\set ECHO queries
\c - agent_a
SET ringfence.project = 'Support';
SELECT attributes, masked_fields FROM ringfence.customer_card WHERE id = (SELECT customer_id FROM ringfence.find_by_phone('0912345678'));
SET ringfence.project = 'Sales';
SELECT attributes, masked_fields FROM ringfence.customer_card WHERE id = (SELECT customer_id FROM ringfence.find_by_phone('0912345678'));
\c - seller_a
SELECT name, access FROM ringfence.visible_fields() WHERE NOT is_system;
UPDATE ringfence.customer_card SET attributes = attributes || '{"Router": "RX-999"}'
 WHERE id = (SELECT customer_id FROM ringfence.find_by_phone('0912345678'));
\set ECHO none

\echo
\echo '== A BI tool reads the view, with a role that reads:'
\set ECHO queries
\c - bi_a
SELECT attributes ->> 'Plan' AS plan, count(*) AS customers FROM ringfence.customer_card GROUP BY 1 ORDER BY 2 DESC;
UPDATE ringfence.customer_card SET name = 'x';
\set ECHO none

\echo
\echo '== Ms. Tsai calls. The switch asks whose line it is, before any owner is selected:'
\set ECHO queries
\c - switchboard
SELECT owner_name, project_name FROM ringfence.route('phone', '0800-080-080');
SELECT owner_name, project_name FROM ringfence.route('phone', 'sip:+48221234567@pbx.example;user=phone');
\set ECHO none
\echo
\echo '== The agent takes the call for Company A: finds her, opens a ticket, asks what the script says, and logs the call:'
\set ECHO queries
\c - desk
BEGIN;
\o /dev/null
SELECT ringfence.enter('Company A', 'Support', 'anna');
\o
SELECT name, phones FROM ringfence.find_by_phone('+886 912 345 678');
\set ECHO none
SELECT customer_id AS customer_a FROM ringfence.find_by_phone('0912345678') \gset
\echo 'SELECT ringfence.open_ticket(<Ms. Tsai>, ''No connection'', priority => ''high'');'
SELECT ringfence.open_ticket(:'customer_a', 'No connection', priority => 'high') AS ticket_a \gset
\set ECHO queries
SELECT subject, status, priority, created_by FROM ringfence.ticket WHERE priority = 'high' ORDER BY number DESC LIMIT 1;
SELECT question, answer, kind, field_name FROM ringfence.script_form('No connection');
\set ECHO none
\echo 'SELECT ringfence.log_interaction(''call'', customer => <Ms. Tsai>, ticket => <the ticket>, remote_address => ''+886912345678'');'
SELECT ringfence.log_interaction('call', customer => :'customer_a', ticket => :'ticket_a', remote_address => '+886912345678') AS call_a \gset
\echo 'SELECT ringfence.respond(<the call>, <each answer>, ''RX-999'');'
SELECT answer_id AS answer_a FROM ringfence.script_form('No connection') WHERE kind = 'text' \gset
SELECT count(ringfence.respond(:'call_a', answer_id, 'RX-999')) FROM ringfence.script_form('No connection') WHERE answer <> 'No' \g /dev/null
\set ECHO queries
SELECT question, answer, value FROM ringfence.response ORDER BY id;
SELECT kind, agent, customer_name, attributes FROM ringfence.call_log ORDER BY started_at DESC LIMIT 1;
COMMIT;
\set ECHO none
\echo
\echo '== Then she calls Company B, and the same agent answers. What was opened and said for Company A is not there, by no id:'
\set ECHO queries
BEGIN;
\o /dev/null
SELECT ringfence.enter('Company B', 'Retention', 'anna');
\o
SELECT customer.name, customer.phones, count(interaction.id) AS interactions FROM ringfence.find_by_phone('+886 912 345 678') AS customer
  LEFT JOIN ringfence.interaction USING (customer_id) GROUP BY 1, 2;
\set ECHO none
\echo 'SELECT ringfence.open_ticket(<Ms. Tsai of Company A>, ''Wants to leave'');'
SAVEPOINT here;
SELECT ringfence.open_ticket(:'customer_a', 'Wants to leave');
ROLLBACK TO here;
\echo 'SELECT ringfence.log_interaction(''call'', ticket => <the ticket of Company A>);'
SELECT ringfence.log_interaction('call', ticket => :'ticket_a');
ROLLBACK TO here;
\echo 'SELECT ringfence.respond(<the call of Company A>, <the answer of Company A>, ''RX-1'');'
SELECT ringfence.respond(:'call_a', :'answer_a', 'RX-1');
ROLLBACK TO here;
\set ECHO queries
SELECT * FROM ringfence.script_form('No connection');
ROLLBACK TO here;
SELECT ringfence.open_ticket(NULL, 'x', 'Support');
ROLLBACK TO here;
SELECT question, answer, field_name FROM ringfence.script_form('Wants to leave');
COMMIT;
\set ECHO none

\echo
\echo '== Whose datum is it? Her agent corrects her name. The history tells who did, and the database where else she is:'
\set ECHO queries
\c - agent_a
BEGIN;
UPDATE ringfence.customer_card SET name = 'Tsai Mei-Lin' WHERE id = (SELECT customer_id FROM ringfence.find_by_phone('0912345678'));
SELECT h.field, h.old, h.new, h.role_name FROM ringfence.find_by_phone('0912345678') AS found, ringfence.history(found.customer_id, 'name') AS h;
SELECT w.relation, w.column_name, w.rows FROM ringfence.find_by_phone('0912345678') AS found, ringfence.where_is(found.customer_id) AS w;
ROLLBACK;
\set ECHO none

\echo
\echo '== Who am I, and may I?'
\set ECHO queries
\c - agent_a
SELECT role_name, owner_name, bound, rights FROM ringfence.whoami();
