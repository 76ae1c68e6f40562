-- Interactions (A4, B8): what was said with a customer, by project, and the call log.
\set SHOW_CONTEXT never
\set VERBOSITY default
\pset null (null)
SET SESSION AUTHORIZATION dba;
SELECT ringfence.assign_channel('Company A', 'phone', '0223456789', 'Sales') AS channel \gset
SELECT ringfence.grant_access('sales_a', 'Company A', '{agent}', 'Sales'), ringfence.grant_access('app_none', 'Company A', '{interaction.write}') \g /dev/null
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.create_field('Plan', 'choice', '{Sales}', options => '{gold,tin}'), ringfence.create_field('Fault', projects => '{Support}'),
       ringfence.create_field('Both', projects => '{Sales,Support}'), ringfence.create_field('Code', projects => '{Sales}', is_masked => true) \g /dev/null
UPDATE ringfence.customer_card SET attributes = '{"Plan": "gold", "Fault": "F7", "Both": "b", "Code": "1234"}' WHERE name = 'Tsai Mei-Ling';

SET SESSION AUTHORIZATION app_a;
SET ringfence.agent = 'anna';
SELECT ringfence.log_interaction('call', customer => 'a0000000-0000-0000-0000-000000000001', project => 'Sales', channel => :'channel', remote_address => '+886912345678',
    started_at => '2026-05-01 10:00+00', ended_at => '2026-05-01 10:05+00', disposition => 'sold', notes => 'Wants tea', external_id => 'call-1') AS call \gset
SELECT kind, direction, agent, remote_address, ended_at - started_at AS lasted, disposition, notes, external_id, (SELECT name FROM ringfence.project WHERE id = project_id) AS project, created_by
  FROM ringfence.interaction;
-- It counts as the customer's activity, and nothing else of the customer changes; so does a plain INSERT. What is earlier, or to come, does not.
SELECT last_activity_at, updated_by FROM ringfence.customer WHERE id = 'a0000000-0000-0000-0000-000000000001';
INSERT INTO ringfence.interaction (kind, customer_id, started_at) VALUES ('note', 'a0000000-0000-0000-0000-000000000001', '2026-05-02 10:00+00') RETURNING direction, agent;
SELECT last_activity_at FROM ringfence.customer WHERE id = 'a0000000-0000-0000-0000-000000000001';
SELECT ringfence.log_interaction('visit', 'out', 'a0000000-0000-0000-0000-000000000001', started_at => '2020-01-01') IS NOT NULL AS logged;
SELECT last_activity_at FROM ringfence.customer WHERE id = 'a0000000-0000-0000-0000-000000000001';
BEGIN;
SELECT ringfence.log_interaction('visit', 'out', 'a0000000-0000-0000-0000-000000000001', started_at => '2100-01-01') IS NOT NULL AS logged;
SELECT last_activity_at = now() AS active_now FROM ringfence.customer WHERE id = 'a0000000-0000-0000-0000-000000000001';
ROLLBACK;
-- Who may not write customers sets it too.
SET SESSION AUTHORIZATION app_none;
INSERT INTO ringfence.interaction (kind, customer_id, started_at) VALUES ('email', 'a0000000-0000-0000-0000-000000000003', '2026-05-03 10:00+00');
SELECT ringfence.log_interaction('email', customer => 'a0000000-0000-0000-0000-000000000002', started_at => '2026-05-03 11:00+00') IS NOT NULL AS logged;
SET SESSION AUTHORIZATION app_a;
SELECT id, last_activity_at FROM ringfence.customer ORDER BY id;
-- Customer and project of a ticket.
SELECT ringfence.open_ticket('a0000000-0000-0000-0000-000000000002', 'The kettle leaks', 'Support') AS ticket \gset
SELECT ringfence.log_interaction('call', ticket => :'ticket', external_id => 'call-2') IS NOT NULL AS logged;
SELECT c.name AS customer, p.name AS project FROM ringfence.interaction i JOIN ringfence.customer c ON c.id = i.customer_id JOIN ringfence.project p ON p.id = i.project_id WHERE external_id = 'call-2';

-- What is refused.
SELECT ringfence.log_interaction('fax');
SELECT ringfence.log_interaction('call', 'sideways');
SELECT ringfence.log_interaction(NULL);
SELECT ringfence.log_interaction('call', customer => 'a0000000-0000-0000-0000-00000000dead');
SELECT ringfence.log_interaction('call', ticket => 'a0000000-0000-0000-0000-00000000dead');
SELECT ringfence.log_interaction('call', channel => 'a0000000-0000-0000-0000-00000000dead');
SELECT ringfence.log_interaction('call', project => 'Nothing');
SELECT ringfence.log_interaction('call', external_id => 'call-1');
SELECT ringfence.log_interaction('call', started_at => '2026-01-02', ended_at => '2026-01-01');
SELECT ringfence.log_interaction('call', external_id => repeat('x', 1001));
SELECT ringfence.log_interaction('call', NULL, started_at => NULL) IS NOT NULL AS with_defaults;

-- The call log shows of a customer the fields of the interaction's project only.
SELECT external_id, kind, customer_name, phones, attributes FROM ringfence.call_log ORDER BY started_at, external_id;
SELECT ringfence.log_interaction('call', customer => 'a0000000-0000-0000-0000-000000000001', project => 'Support', external_id => 'call-3') IS NOT NULL AS logged;
SELECT external_id, attributes FROM ringfence.call_log WHERE external_id LIKE 'call-%' ORDER BY 1;
SET SESSION AUTHORIZATION boss_a;
SELECT external_id, attributes FROM ringfence.call_log WHERE external_id LIKE 'call-%' ORDER BY 1;
SET ringfence.project = 'Sales';
SELECT external_id, attributes FROM ringfence.call_log WHERE external_id LIKE 'call-%' ORDER BY 1;
RESET ringfence.project;
SET SESSION AUTHORIZATION sales_a;
SELECT external_id, customer_name, attributes FROM ringfence.call_log;
SELECT count(*) FROM ringfence.interaction;
SET SESSION AUTHORIZATION trainee_a;
SELECT count(*) > 5 AS reads FROM ringfence.call_log;
SELECT ringfence.log_interaction('call');
-- Without the right to read customers there is none beside it.
SET SESSION AUTHORIZATION dba;
SELECT ringfence.grant_access('app_none', 'Company A', '{interaction.read}') \g /dev/null
SET SESSION AUTHORIZATION app_none;
SELECT external_id, customer_id, customer_name, attributes FROM ringfence.call_log WHERE external_id LIKE 'call-%' ORDER BY 1;
SET SESSION AUTHORIZATION tickets_a;
SELECT count(*) FROM ringfence.call_log;

-- Changed and deleted.
SET SESSION AUTHORIZATION app_a;
UPDATE ringfence.interaction SET ended_at = now(), disposition = 'done', created_by = 'x' WHERE external_id = 'call-2' RETURNING disposition, created_by, updated_by;
UPDATE ringfence.interaction SET ticket_id = 'a0000000-0000-0000-0000-00000000dead' WHERE external_id = 'call-2';
DELETE FROM ringfence.interaction WHERE external_id = 'call-2' RETURNING kind;
SET SESSION AUTHORIZATION boss_a;
DELETE FROM ringfence.customer WHERE id = 'a0000000-0000-0000-0000-000000000001';
SELECT external_id, customer_id, customer_name FROM ringfence.call_log WHERE external_id = 'call-1';
SET SESSION AUTHORIZATION dba;
SELECT ringfence.release_channel('phone', '+886223456789');
DELETE FROM ringfence.owner WHERE name = 'Company A';
SET SESSION AUTHORIZATION app_a;
-- Versions of PostgreSQL name the rest of the plan differently.
EXPLAIN (COSTS OFF) SELECT kind, customer_name FROM ringfence.call_log ORDER BY started_at DESC LIMIT 20 \g | grep -o 'Index Scan.*'
