-- What every benchmark finds: 20 owners, 200,000 customers, the largest owner with 28 % of them (as 1/1, 1/2, 1/3 ...),
-- and the same rows in a table with hand-written row-level security, to compare with. BENCH_SCALE divides the customers.
\set ON_ERROR_STOP on
SET client_min_messages = warning;
\set scale 1
\getenv scale BENCH_SCALE

CREATE EXTENSION ringfence;

CREATE ROLE bench_agent LOGIN;    -- an application that serves several owners
CREATE ROLE bench_single LOGIN;   -- an application of the largest owner alone
CREATE ROLE bench_unbound LOGIN BYPASSRLS;
GRANT ringfence_user TO bench_unbound;
-- Two ways to write the policy by hand; the benchmark takes the faster one.
CREATE ROLE bench_hand_direct LOGIN;
CREATE ROLE bench_hand_subquery LOGIN;

INSERT INTO ringfence.owner (id, name, country)
    SELECT ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, 'Owner ' || n, (ARRAY['TW', 'PL', 'JP', 'IT', 'UA'])[1 + n % 5]
      FROM generate_series(1, 20) AS n;
SELECT ringfence.grant_access('bench_agent', name, '{agent}') FROM ringfence.owner WHERE name LIKE 'Owner %' \g /dev/null
SELECT ringfence.grant_access('bench_single', 'Owner 1', '{agent}') \g /dev/null

-- The same rows in each run, the owners mixed on every page.
SELECT setseed(0.5) \g /dev/null
INSERT INTO ringfence.customer (owner_id, id, name, phones, emails, address, language, last_activity_at)
    WITH share AS (
        SELECT array_agg(upto ORDER BY upto) AS upto
          FROM (SELECT sum(1.0 / n) OVER (ORDER BY n) / sum(1.0 / n) OVER () AS upto FROM generate_series(1, 20) AS n) AS step
    ), drawn AS (
        SELECT n, 1 + width_bucket(random()::numeric, (SELECT upto FROM share)) AS owner, md5('customer ' || n) AS hash
          FROM generate_series(1, 200000 / :scale) AS n
    )
    SELECT ('00000000-0000-4000-8000-' || lpad(least(owner, 20)::text, 12, '0'))::uuid, hash::uuid,
           (ARRAY['Tsai', 'Chen', 'Kowalska', 'Nowak', 'Sato', 'Rossi', 'Shevchenko', 'Wang', 'Lin', 'Bianchi'])[1 + n % 10] || ' '
               || (ARRAY['Mei-Ling', 'Wei', 'Anna', 'Piotr', 'Yuki', 'Giulia', 'Oksana', 'Jun', 'Hao', 'Marco', 'Lea'])[1 + n % 11]
               || ' ' || left(hash, 6),
           ARRAY['+8869' || lpad((n % 100000000)::text, 8, '0')],
           ARRAY['c' || n || '@example.com'],
           n || ' Example Street', 'en',
           timestamptz '2026-01-01' + n * interval '1 minute'
      FROM drawn;

CREATE SCHEMA by_hand;
CREATE TABLE by_hand.customer (LIKE ringfence.customer);
INSERT INTO by_hand.customer SELECT * FROM ringfence.customer;
ALTER TABLE by_hand.customer ADD PRIMARY KEY (owner_id, id), ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY direct ON by_hand.customer TO bench_hand_direct USING (owner_id = current_setting('app.owner')::uuid);
CREATE POLICY subquery ON by_hand.customer TO bench_hand_subquery USING (owner_id = (SELECT current_setting('app.owner'))::uuid);
GRANT USAGE ON SCHEMA by_hand TO bench_hand_direct, bench_hand_subquery;
-- By column, as on ringfence.customer: what that costs is no matter of the policies, which are compared here.
GRANT SELECT (owner_id, id, name, phones, emails, address, birth_date, language, company_id, created_at, created_by,
              updated_at, updated_by, last_activity_at, normal_phones, normal_emails) ON by_hand.customer TO bench_hand_direct, bench_hand_subquery;

VACUUM (FREEZE, ANALYZE);
CHECKPOINT;
