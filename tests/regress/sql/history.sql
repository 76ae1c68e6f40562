-- History: who changed what of a customer, as far as the reader sees it now.
\set SHOW_CONTEXT never
\pset null -
CREATE ROLE history_crm LOGIN;
CREATE ROLE history_lead LOGIN;
SET ROLE dba;
SELECT ringfence.grant_access('history_crm', 'Company A', '{agent}', sources => '{CRM}'),
       ringfence.grant_access('history_lead', 'Company A', '{supervisor}') \g /dev/null
RESET ROLE;
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.create_source('CRM') \g /dev/null
SELECT ringfence.create_field('Plan', 'choice', projects => '{Sales}', options => '{silver,gold}') \g /dev/null
SELECT ringfence.create_field('Case', projects => '{Support}') \g /dev/null
SELECT ringfence.create_field('Tax', projects => '{Sales,Support}') \g /dev/null
RESET SESSION AUTHORIZATION;

SET SESSION AUTHORIZATION app_a;
SET ringfence.agent = 'Ewa';
INSERT INTO ringfence.customer_card (id, name, phones, attributes) VALUES ('a0000000-0000-0000-0000-0000000000d1', 'Lin Yi', '{0911}', '{"Plan": "silver"}');
SET ringfence.agent = 'Adam';
UPDATE ringfence.customer_card SET name = 'Lin Yi-Ling', phones = '{0911,0922}', birth_date = '1990-02-03', attributes = attributes || '{"Plan": "gold", "Case": "C-1", "Tax": "T-1"}' WHERE name = 'Lin Yi';
-- Writing what is there is no change; nor is what the server keeps.
UPDATE ringfence.customer_card SET name = name, last_activity_at = '2026-01-01' WHERE name = 'Lin Yi-Ling';
RESET ringfence.agent;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION history_crm;
SET ringfence.source = 'CRM';
UPDATE ringfence.customer SET phones = '{}', address = 'Taipei' WHERE name = 'Lin Yi-Ling';
RESET ringfence.source;
RESET SESSION AUTHORIZATION;
UPDATE ringfence.customer SET language = 'zh' WHERE name = 'Lin Yi-Ling';
SET SESSION AUTHORIZATION app_a;
SELECT field, kind, old, new, is_masked, role_name, agent, source FROM ringfence.history('a0000000-0000-0000-0000-0000000000d1') ORDER BY at, id;
SELECT kind, old, new FROM ringfence.history('a0000000-0000-0000-0000-0000000000d1', 'phones');
SELECT field, role_name, agent, source FROM ringfence.creators('a0000000-0000-0000-0000-0000000000d1');
SELECT value, source, authority, created_by, changed_by, changed_at IS NOT NULL AS changed FROM ringfence.datum('a0000000-0000-0000-0000-0000000000d1', 'name');
SELECT value, source, authority, created_by, changed_by FROM ringfence.datum('a0000000-0000-0000-0000-0000000000d1', 'address');
SELECT value, created_by, changed_by FROM ringfence.datum('a0000000-0000-0000-0000-0000000000d1', 'Plan');
SELECT value, created_by, changed_by FROM ringfence.datum('a0000000-0000-0000-0000-0000000000d1', 'phones');
SELECT * FROM ringfence.datum('a0000000-0000-0000-0000-0000000000d1', 'No such field');
SELECT * FROM ringfence.datum('c0000000-0000-0000-0000-00000000dead', 'name');
RESET SESSION AUTHORIZATION;

-- In a project: its fields.
SET SESSION AUTHORIZATION support_a;
SELECT field, kind, old, new FROM ringfence.history('a0000000-0000-0000-0000-0000000000d1') ORDER BY at, id;
SELECT field FROM ringfence.creators('a0000000-0000-0000-0000-0000000000d1');
RESET SESSION AUTHORIZATION;

-- Masked now: also what was written before.
SET SESSION AUTHORIZATION boss_a;
UPDATE ringfence.field SET is_masked = true WHERE name = 'Tax';
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION app_a;
SELECT field, kind, old, new, is_masked FROM ringfence.history('a0000000-0000-0000-0000-0000000000d1', 'Tax');
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION history_lead;
SELECT field, kind, old, new, is_masked FROM ringfence.history('a0000000-0000-0000-0000-0000000000d1', 'Tax');
RESET SESSION AUTHORIZATION;

-- What is kept: a superuser says.
SET ringfence.keep_history = 'who';
SET SESSION AUTHORIZATION app_a;
UPDATE ringfence.customer_card SET address = 'Tainan' WHERE name = 'Lin Yi-Ling';
SELECT field, kind, old, new FROM ringfence.history('a0000000-0000-0000-0000-0000000000d1', 'address');
RESET SESSION AUTHORIZATION;
SET ringfence.keep_history = 'none';
SET SESSION AUTHORIZATION app_a;
UPDATE ringfence.customer_card SET address = 'Hualien' WHERE name = 'Lin Yi-Ling';
SELECT count(*) FROM ringfence.history('a0000000-0000-0000-0000-0000000000d1', 'address');
RESET SESSION AUTHORIZATION;
RESET ringfence.keep_history;

-- A transaction that is undone leaves nothing.
SET SESSION AUTHORIZATION app_a;
BEGIN;
UPDATE ringfence.customer_card SET address = 'Nowhere' WHERE name = 'Lin Yi-Ling';
ROLLBACK;
SELECT count(*) FROM ringfence.history('a0000000-0000-0000-0000-0000000000d1', 'address');
RESET SESSION AUTHORIZATION;

-- Retyped, the history shows the values as they were; dropped, they are gone from it.
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.rename_field('Plan', 'Tariff'), ringfence.rename_option('Tariff', 'gold', 'golden'), ringfence.retype_field('Tariff', 'text') \g /dev/null
SELECT field, kind, old, new FROM ringfence.history('a0000000-0000-0000-0000-0000000000d1', 'Tariff');
SELECT ringfence.drop_field('Tariff', 1);
SELECT count(*) FROM ringfence.history('a0000000-0000-0000-0000-0000000000d1') WHERE new = '"gold"';
RESET SESSION AUTHORIZATION;
SELECT count(*) FROM ringfence.change WHERE data -> 'new' = '"gold"';

-- Deleted: the history says by whom, and stays until it is forgotten.
SET SESSION AUTHORIZATION history_lead;
DELETE FROM ringfence.customer_card WHERE name = 'Lin Yi-Ling';
SELECT kind, role_name FROM ringfence.history('a0000000-0000-0000-0000-0000000000d1') WHERE field IS NULL ORDER BY at, id;
-- It takes the right over sources to erase, since the traces of what was done go too.
SELECT ringfence.erase_customer('a0000000-0000-0000-0000-0000000000d1', 'to hide it');
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION boss_a;
-- Erased: nothing but that, by whom and why. Also after it was deleted.
SELECT ringfence.erase_customer('a0000000-0000-0000-0000-0000000000d1', NULL);
SELECT ringfence.erase_customer('a0000000-0000-0000-0000-0000000000d1', 'asked for by letter');
SELECT field, kind, old, new, role_name, reason FROM ringfence.history('a0000000-0000-0000-0000-0000000000d1');
SELECT ringfence.erase_customer('a0000000-0000-0000-0000-0000000000d1', 'again');
SELECT ringfence.erase_customer('a0000000-0000-0000-0000-000000000001', 'asked for by telephone');
SELECT count(*) FROM ringfence.customer WHERE name = 'Tsai Mei-Ling';
SELECT field, kind, reason FROM ringfence.history('a0000000-0000-0000-0000-000000000001');
RESET SESSION AUTHORIZATION;

-- Retention.
SET SESSION AUTHORIZATION app_a;
UPDATE ringfence.customer_card SET address = 'Taipei' WHERE name = 'Chen Wei';
SELECT ringfence.forget_history(now() + interval '1 hour');
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.forget_history('2020-01-01');
SELECT ringfence.forget_history(now() + interval '1 hour') > 0 AS forgotten;
SELECT count(*) FROM ringfence.history('a0000000-0000-0000-0000-000000000002');
SELECT kind FROM ringfence.history('a0000000-0000-0000-0000-000000000001');
-- What the history does not tell, nobody is named for.
SELECT field, role_name, agent, source FROM ringfence.creators('a0000000-0000-0000-0000-000000000002');
SELECT value, created_by, changed_by FROM ringfence.datum('a0000000-0000-0000-0000-000000000002', 'address');
RESET SESSION AUTHORIZATION;
SELECT count(*) FROM ringfence.change WHERE owner_id = 'bbbbbbbb-0000-0000-0000-000000000002';
-- Roles belong to the cluster.
\c - postgres
SET client_min_messages = warning;
DROP OWNED BY history_crm, history_lead;
DROP ROLE history_crm, history_lead;
