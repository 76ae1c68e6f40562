-- customer_card is no security barrier, so that lists go by an index: functions of the caller still meet no row before the wall has let it
-- through, and nothing of a value but what the session may see.
\set VERBOSITY terse
\set HIDE_TOAST_COMPRESSION on
SET ROLE boss_a;
SELECT ringfence.create_field('Card', projects => '{Sales,Support}', is_masked => true) \g /dev/null
SELECT ringfence.create_field('City', projects => '{Sales,Support}') \g /dev/null
SELECT ringfence.create_field('Fault', projects => '{Support}') \g /dev/null
UPDATE ringfence.customer_card SET attributes = jsonb_build_object('Card', '4111 CANARY-MASKED', 'City', 'Taipei', 'Fault', 'CANARY-HIDDEN') WHERE id = 'a0000000-0000-0000-0000-000000000001';
RESET ROLE;
GRANT CREATE ON SCHEMA public TO PUBLIC;
SET ROLE sales_a;
-- Cheaper than whatever a policy asks, and telling of all that it is given.
CREATE FUNCTION public.tells(anyelement) RETURNS boolean LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 0.0001
    AS 'BEGIN RAISE NOTICE ''%'', $1; RETURN true; END';
CREATE FUNCTION public.same(text, text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 0.0001
    AS 'BEGIN RAISE NOTICE ''% = %'', $1, $2; RETURN $1 = $2; END';
CREATE OPERATOR public.=== (FUNCTION = public.same, LEFTARG = text, RIGHTARG = text, RESTRICT = eqsel, JOIN = eqjoinsel);
\set tsai 'id = ''a0000000-0000-0000-0000-000000000001'''

\echo as a condition, in a list, in what is shown, in a join, in an aggregate, behind an OR
SELECT count(*) FROM ringfence.customer_card WHERE public.tells(name);
SELECT name FROM ringfence.customer_card WHERE public.tells(attributes) AND :tsai ORDER BY name LIMIT 3;
SELECT public.tells(attributes), attributes ? 'Card' AS card, masked_fields FROM ringfence.customer_card WHERE :tsai;
SELECT count(*) FROM ringfence.customer_card AS a JOIN ringfence.customer_card AS b ON public.tells(a.attributes || b.attributes) AND a.id = b.id;
SELECT count(*) FROM ringfence.project AS p LEFT JOIN ringfence.customer_card AS c ON public.tells(c.attributes) AND c.name OPERATOR(public.===) p.name;
SELECT count(*) FROM ringfence.customer_card WHERE owner_id <> 'aaaaaaaa-0000-0000-0000-000000000001' OR public.tells(name);
SELECT max(name) FILTER (WHERE public.tells(attributes)) FROM ringfence.customer_card WHERE :tsai;
SELECT name FROM ringfence.customer_card ORDER BY public.tells(attributes), name LIMIT 1;
SELECT count(*) FROM ringfence.customer_card AS c WHERE public.tells(to_jsonb(c) - '{created_at,updated_at}'::text[]) AND :tsai;

\echo the owner or the value of another, named by the caller
SELECT count(*) FROM ringfence.customer_card WHERE owner_id = 'bbbbbbbb-0000-0000-0000-000000000002' AND public.tells(name);
SELECT count(*) FROM ringfence.customer_card WHERE address = 'CANARY-B' AND public.tells(address);
SELECT count(*) FROM ringfence.customer_card WHERE attributes->>'Card' = '4111 CANARY-MASKED' OR attributes->>'Fault' = 'CANARY-HIDDEN';
SELECT count(*) FROM ringfence.customer_card WHERE 1 / (name <> 'Łukasz Kowalski')::int = 1;

\echo locked, written and removed by what the function says
SELECT name FROM ringfence.customer_card WHERE public.tells(attributes) AND :tsai FOR UPDATE;
BEGIN;
UPDATE ringfence.customer_card SET language = 'zh' WHERE public.tells(attributes) AND :tsai RETURNING public.tells(attributes), language;
DELETE FROM ringfence.customer_card WHERE public.tells(attributes) RETURNING name;
ROLLBACK;

\echo without the right, without an owner: no row, and nothing is told
RESET ROLE;
SET ROLE tickets_a;
SELECT count(*) FROM ringfence.customer_card WHERE public.tells(name);
SELECT count(*) FROM (SELECT FROM ringfence.customer_card WHERE public.tells(attributes) ORDER BY name LIMIT 20) AS page;
SET ROLE app_none;
SELECT count(*) FROM ringfence.customer_card WHERE public.tells(name);

\echo whoever sees the value sees it
RESET ROLE;
SET ROLE boss_a;
SELECT count(*) FROM ringfence.customer_card WHERE public.tells(attributes) AND :tsai;
RESET ROLE;
DROP OPERATOR public.=== (text, text);
DROP FUNCTION public.tells(anyelement), public.same(text, text);
