-- Pages of lists, as applications ask for them: read by an index in their order, of customers and of cards, and not sorted.
\set VERBOSITY terse
SET ROLE app_a;
SET ringfence.owner = 'Company A';
-- The plan of a list, without the conditions of its scan.
\set page 'EXPLAIN (COSTS OFF) SELECT id, name, phones FROM ringfence.'
\set card 'EXPLAIN (COSTS OFF) SELECT * FROM ringfence.customer_card '

\echo by name, by entry, by activity
:page customer ORDER BY name LIMIT 20 \g |$PG_ABS_SRCDIR/plan.sh
:page customer ORDER BY name DESC LIMIT 20 \g |$PG_ABS_SRCDIR/plan.sh
:page customer ORDER BY created_at DESC LIMIT 20 \g |$PG_ABS_SRCDIR/plan.sh
:page customer ORDER BY last_activity_at DESC LIMIT 20 \g |$PG_ABS_SRCDIR/plan.sh
:page customer ORDER BY last_activity_at DESC NULLS LAST LIMIT 20 \g |$PG_ABS_SRCDIR/plan.sh
:card ORDER BY name LIMIT 20 \g |$PG_ABS_SRCDIR/plan.sh
:card ORDER BY name DESC LIMIT 20 \g |$PG_ABS_SRCDIR/plan.sh
:card ORDER BY created_at DESC LIMIT 20 \g |$PG_ABS_SRCDIR/plan.sh
:card ORDER BY last_activity_at DESC LIMIT 20 \g |$PG_ABS_SRCDIR/plan.sh
:card ORDER BY last_activity_at DESC NULLS LAST LIMIT 20 \g |$PG_ABS_SRCDIR/plan.sh

\echo further pages: behind a row, and by number
:page customer WHERE (name, id) > ('Chen Wei', 'a0000000-0000-0000-0000-000000000002') ORDER BY name, id LIMIT 20 \g |$PG_ABS_SRCDIR/plan.sh
:card WHERE (name, id) > ('Chen Wei', 'a0000000-0000-0000-0000-000000000002') ORDER BY name, id LIMIT 20 \g |$PG_ABS_SRCDIR/plan.sh
:card WHERE (created_at, id) < (now(), 'a0000000-0000-0000-0000-000000000002') ORDER BY created_at DESC, id DESC LIMIT 20 \g |$PG_ABS_SRCDIR/plan.sh
:card WHERE (last_activity_at, id) < (now(), 'a0000000-0000-0000-0000-000000000002') ORDER BY last_activity_at DESC, id DESC LIMIT 20 \g |$PG_ABS_SRCDIR/plan.sh
:card ORDER BY name, id LIMIT 20 OFFSET 100 \g |$PG_ABS_SRCDIR/plan.sh

\echo what they show
SELECT name FROM ringfence.customer_card ORDER BY name COLLATE "C" LIMIT 2;
SELECT name FROM ringfence.customer_card ORDER BY name LIMIT 2;
SELECT name FROM ringfence.customer_card WHERE (name, id) > ('Chen Wei', 'a0000000-0000-0000-0000-000000000002') ORDER BY name, id LIMIT 2;
SELECT name, last_activity_at IS NULL AS never FROM ringfence.customer_card ORDER BY last_activity_at DESC NULLS LAST, id;

\echo a name finds room in an index, and a longer one is refused: an index would tell where in the table it is
INSERT INTO ringfence.customer_card (name) SELECT string_agg(md5(n::text), '') FROM generate_series(1, 78) AS n;
INSERT INTO ringfence.customer_card (name) SELECT left(string_agg(md5(n::text), ''), 2501) FROM generate_series(1, 79) AS n;
INSERT INTO ringfence.customer_card (name) VALUES (repeat('x', 100000));
