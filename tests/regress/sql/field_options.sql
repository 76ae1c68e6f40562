-- Options of choices: ordered, added, renamed without rewriting customers, and retired.
\set SHOW_CONTEXT never
\set VERBOSITY terse
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.create_field('Plan', 'choice', '{Sales}', options => '{basic,silver,gold}', is_searchable => true),
       ringfence.create_field('Tags', 'choices', '{Sales}', options => '{vip,late}') \g /dev/null
UPDATE ringfence.customer_card SET attributes = '{"Plan": "gold", "Tags": ["late", "vip"]}' WHERE name = 'Tsai Mei-Ling';
UPDATE ringfence.customer_card SET attributes = '{"Plan": "basic"}' WHERE name = 'Chen Wei';
RESET SESSION AUTHORIZATION;
-- What is stored: ids. Where the rows lie, and by whom they were written last.
SELECT name, attributes -> ringfence.storage_key((SELECT id FROM ringfence.field WHERE field.name = 'Plan')) AS plan,
       attributes -> ringfence.storage_key((SELECT id FROM ringfence.field WHERE field.name = 'Tags')) AS tags
  FROM ringfence.customer WHERE attributes <> '{}' ORDER BY name;
CREATE TABLE before AS SELECT id, ctid AS place, xmin::text AS writer FROM ringfence.customer;

SET SESSION AUTHORIZATION boss_a;
-- Added, at a place of one's own or last.
SELECT ringfence.add_option('Plan', 'platinum');
SELECT ringfence.add_option('Plan', 'starter', 1);
SELECT ringfence.add_option('Plan', 'bronze', 3);
SELECT name, options, retired_options, option_ids FROM ringfence.field WHERE name = 'Plan';
-- Renamed: the values follow, in search too.
SELECT ringfence.rename_option('Plan', 'gold', '金 gold');
SELECT ringfence.rename_option('Tags', 'vip', 'V.I.P.');
SELECT name, attributes FROM ringfence.customer_card WHERE attributes <> '{}' ORDER BY name;
SELECT name, matched FROM ringfence.search_customers('gold');
-- Retired: who has it keeps it, and may write it back; nobody else takes it.
SELECT ringfence.retire_option('Plan', 'basic');
SELECT ringfence.retire_option('Tags', 'late');
SELECT name, options FROM ringfence.visible_fields() WHERE name IN ('Plan', 'Tags');
SELECT name, attributes FROM ringfence.customer_card WHERE attributes <> '{}' ORDER BY name;
RESET SESSION AUTHORIZATION;
SELECT count(*) AS rewritten FROM ringfence.customer JOIN before USING (id) WHERE (customer.ctid, customer.xmin::text) <> (place, writer);
SET SESSION AUTHORIZATION sales_a;
UPDATE ringfence.customer_card SET attributes = attributes || '{"Tags": ["V.I.P."]}' WHERE name = 'Chen Wei' RETURNING attributes;
UPDATE ringfence.customer_card SET attributes = attributes || '{"Tags": ["late"]}' WHERE name = 'Tsai Mei-Ling' RETURNING attributes;
\set VERBOSITY default
UPDATE ringfence.customer_card SET attributes = attributes || '{"Tags": ["V.I.P.", "late"]}' WHERE name = 'Chen Wei';
UPDATE ringfence.customer_card SET attributes = attributes || '{"Plan": "basic"}' WHERE name = 'Tsai Mei-Ling';
UPDATE ringfence.customer_card SET attributes = attributes || '{"Plan": "gold"}' WHERE name = 'Tsai Mei-Ling';
\set VERBOSITY terse
UPDATE ringfence.customer_card SET attributes = '{"Plan": "platinum"}' WHERE name = 'Chen Wei' RETURNING attributes;
-- What has lost it does not get it back.
UPDATE ringfence.customer_card SET attributes = '{"Plan": "basic"}' WHERE name = 'Chen Wei';
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION boss_a;
-- It comes back when it is added again, with its id.
SELECT ringfence.add_option('Plan', 'basic', 1);
SELECT ringfence.retire_option('Plan', 'silver');
SELECT ringfence.rename_option('Plan', 'silver', 'tin');
SELECT options, retired_options, option_ids FROM ringfence.field WHERE name = 'Plan';
UPDATE ringfence.customer_card SET attributes = '{"Plan": "basic"}' WHERE name = 'Chen Wei' RETURNING attributes;
-- All may be retired.
SELECT ringfence.retire_option('Tags', 'V.I.P.');
SELECT name, options FROM ringfence.visible_fields() WHERE name = 'Tags';
SELECT attributes FROM ringfence.customer_card WHERE name = 'Tsai Mei-Ling';
-- What cannot be.
\set VERBOSITY terse
SELECT ringfence.add_option('Plan', 'platinum');
SELECT ringfence.add_option('Plan', ' x');
SELECT ringfence.add_option('Plan', NULL);
SELECT ringfence.rename_option('Plan', 'platinum', 'basic');
SELECT ringfence.rename_option('Plan', 'platinum', 'tin');
SELECT ringfence.rename_option('Plan', 'platinum', '');
SELECT ringfence.rename_option('Plan', 'nothing', 'x');
SELECT ringfence.retire_option('Plan', 'tin');
SELECT ringfence.add_option('Nothing', 'x');
SELECT ringfence.add_option('name', 'x');
UPDATE ringfence.field SET options = '{a}' WHERE name = 'Plan';
UPDATE ringfence.field SET option_ids = '{1}' WHERE name = 'Plan';
RESET SESSION AUTHORIZATION;
-- Who does not manage fields, and another owner.
SET SESSION AUTHORIZATION sales_a;
SELECT ringfence.add_option('Plan', 'x');
SELECT ringfence.rename_option('Plan', 'platinum', 'x');
SELECT ringfence.retire_option('Plan', 'platinum');
SELECT ringfence.choice_in_reach('Plan');
SELECT ringfence.store_options(NULL, '{a}', NULL, '{1}');
RESET SESSION AUTHORIZATION;
SELECT ringfence.grant_access('app_b', 'Company B', '{admin}');
SELECT id AS plan_of_a FROM ringfence.field WHERE name = 'Plan' \gset
SET SESSION AUTHORIZATION app_b;
\set VERBOSITY sqlstate
SELECT ringfence.add_option('Plan', 'x');
SELECT ringfence.add_option(:'plan_of_a', 'x');
SELECT ringfence.rename_option(:'plan_of_a', 'platinum', 'x');
RESET SESSION AUTHORIZATION;
SELECT options FROM ringfence.field WHERE name = 'Plan';
