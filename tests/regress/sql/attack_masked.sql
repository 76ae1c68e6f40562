-- Attacks on masked values by who manages fields, and reads and writes customers, but does not see masked values: what tells how many
-- customers have one, or destroys them (B10, B16).
\set SHOW_CONTEXT never
\set VERBOSITY terse
\pset null -
CREATE ROLE manager_masked LOGIN;
CREATE ROLE manager_masked_sales LOGIN;
SET client_min_messages = warning;
-- Exactly these rights; and the same with field.unmask in one project, which is not in all.
SELECT ringfence.grant_access('manager_masked', 'Company A', '{field.manage,customer.read,customer.write}'),
       ringfence.grant_access('manager_masked_sales', 'Company A', '{field.manage,customer.read,customer.write}'),
       ringfence.grant_access('manager_masked_sales', 'Company A', '{field.unmask}', 'Sales') \g /dev/null
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.create_field('Card', projects => '{Sales,Support}', is_masked => true, is_unique => true),
       ringfence.create_field('Pin', 'number', '{Sales,Support}', is_masked => true, is_searchable => true),
       ringfence.create_field('Kind', 'choice', '{Sales,Support}', is_masked => true, options => '{gold,silver}'),
       ringfence.create_field('Never', projects => '{Sales,Support}', is_masked => true),
       ringfence.create_field('Seen', projects => '{Sales,Support}') \g /dev/null
UPDATE ringfence.customer_card SET attributes = '{"Card": "4111", "Pin": 1, "Kind": "gold", "Seen": "x"}' WHERE name = 'Chen Wei';
UPDATE ringfence.customer_card SET attributes = '{"Card": "4112", "Pin": 1, "Kind": "silver"}' WHERE name = 'Tsai Mei-Ling';
RESET SESSION AUTHORIZATION;

-- What a session learns of a statement that is undone: its result or error, all of it, and the rows that PostgreSQL counts for it.
CREATE FUNCTION public.learned(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text; detail text; hint text;
    before bigint := pg_stat_get_xact_tuples_updated('ringfence.customer'::regclass::oid) + pg_stat_get_xact_tuples_deleted('ringfence.unique_value'::regclass::oid)
                     + pg_stat_get_xact_tuples_inserted('ringfence.unique_value'::regclass::oid);
BEGIN
    EXECUTE statement INTO result;
    RETURN format('done: %s, %s written', result, pg_stat_get_xact_tuples_updated('ringfence.customer'::regclass::oid) + pg_stat_get_xact_tuples_deleted('ringfence.unique_value'::regclass::oid)
                     + pg_stat_get_xact_tuples_inserted('ringfence.unique_value'::regclass::oid) - before);
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(' | ', SQLSTATE, SQLERRM, nullif(detail, ''), nullif(hint, ''));
END $$;
GRANT EXECUTE ON FUNCTION public.learned(text) TO PUBLIC;
CREATE TABLE public.attempt (n integer PRIMARY KEY, statement text);
INSERT INTO public.attempt SELECT row_number() OVER (), replace(form, '%', field) FROM unnest('{Card,Pin,Kind,Never}'::text[]) WITH ORDINALITY AS f (field, place), unnest(ARRAY[
    'SELECT ringfence.drop_field(''%'')', 'SELECT ringfence.drop_field(''%'', 0)', 'SELECT ringfence.drop_field(''%'', 1)', 'SELECT ringfence.drop_field(''%'', 2)',
    'SELECT ringfence.retype_field(''%'', ''number'')', 'SELECT ringfence.retype_field(''%'', ''text'')', 'SELECT ringfence.retype_field(''%'', ''choice'', ''{gold}'')',
    'UPDATE ringfence.field SET is_unique = NOT is_unique WHERE name = ''%'' RETURNING is_unique',
    'UPDATE ringfence.field SET is_unique = NOT is_unique, is_masked = false WHERE name = ''%'' RETURNING is_unique',
    'UPDATE ringfence.field SET is_searchable = NOT is_searchable WHERE name = ''%'' RETURNING is_searchable',
    'UPDATE ringfence.field SET is_masked = false WHERE name = ''%'' RETURNING is_masked',
    'UPDATE ringfence.field SET required = true WHERE name = ''%'' RETURNING required',
    'UPDATE ringfence.field SET max_length = 1, pattern = ''x'' WHERE name = ''%'' RETURNING max_length',
    'SELECT ringfence.rename_option(''%'', ''gold'', ''tin'')', 'SELECT ringfence.retire_option(''%'', ''gold'')', 'SELECT ringfence.add_option(''%'', ''bronze'')',
    'SELECT customers FROM ringfence.shared_field WHERE field = ''%''',
    'SELECT ringfence.rename_field(''%'', ''Other'')', 'SELECT ringfence.unbind_field(''%'', ''Sales'')',
    'DELETE FROM ringfence.field WHERE name = ''%'' RETURNING name',
    'UPDATE ringfence.customer_card SET attributes = attributes || ''{"%": null}'' RETURNING name',
    'UPDATE ringfence.customer_card SET attributes = ''{}'' WHERE name = ''Chen Wei'' RETURNING attributes']) WITH ORDINALITY AS s (form, form_place);
GRANT SELECT ON public.attempt TO PUBLIC;
CREATE TABLE public.learning (role text, state text, n integer, learned text);
GRANT INSERT ON public.learning TO PUBLIC;

-- Each attempt is undone, so that all meet the same; in three states: as it is, of one customer less, and of none with a value.
CREATE PROCEDURE public.learn(state text) LANGUAGE plpgsql AS $$
DECLARE
    tried record; learned text;
BEGIN
    FOR tried IN SELECT * FROM public.attempt ORDER BY n LOOP
        BEGIN
            learned := public.learned(tried.statement);
            RAISE EXCEPTION USING ERRCODE = 'RF000';
        EXCEPTION WHEN SQLSTATE 'RF000' THEN
            INSERT INTO public.learning VALUES (session_user, state, tried.n, learned);
        END;
    END LOOP;
END $$;
GRANT EXECUTE ON PROCEDURE public.learn(text) TO PUBLIC;
SET SESSION AUTHORIZATION manager_masked;
CALL public.learn('all');
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION manager_masked_sales;
CALL public.learn('all');
RESET SESSION AUTHORIZATION;
SELECT n, learned FROM public.learning WHERE role = 'manager_masked' AND n % 4 IN (1, 3) ORDER BY n;
-- The states differ in masked values alone.
BEGIN;
SET LOCAL ROLE boss_a;
UPDATE ringfence.customer_card SET attributes = attributes - '{Card,Pin,Kind}'::text[] WHERE name = 'Tsai Mei-Ling';
RESET ROLE;
SET LOCAL SESSION AUTHORIZATION manager_masked;
CALL public.learn('one');
RESET SESSION AUTHORIZATION;
SET LOCAL SESSION AUTHORIZATION manager_masked_sales;
CALL public.learn('one');
RESET SESSION AUTHORIZATION;
COMMIT;
SET SESSION AUTHORIZATION boss_a;
UPDATE ringfence.customer_card SET attributes = attributes - '{Card,Pin,Kind}'::text[];
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION manager_masked;
CALL public.learn('none');
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION manager_masked_sales;
CALL public.learn('none');
RESET SESSION AUTHORIZATION;
-- Who sees nothing masked learns the same in all states.
SELECT role, attempt.statement, string_agg(state || ': ' || learned, ' / ') AS told
  FROM public.learning JOIN public.attempt USING (n) WHERE role = 'manager_masked'
 GROUP BY role, n, attempt.statement HAVING count(DISTINCT learned) > 1 ORDER BY n;
-- Who sees it in one project touches no values either; what it may read it reads there.
SELECT count(*) FROM public.learning JOIN public.attempt USING (n)
 WHERE role = 'manager_masked_sales' AND statement ~ 'drop_field|retype|is_unique|is_searchable|is_masked|rename_option' AND learned !~ '^(42501|22023 [|] field .* has no options)';
SELECT DISTINCT learned FROM public.learning JOIN public.attempt USING (n) WHERE role = 'manager_masked_sales' AND statement ~ 'shared_field';
-- An unmasked field is theirs.
SET SESSION AUTHORIZATION manager_masked;
SELECT customers FROM ringfence.shared_field WHERE field = 'Seen';
SELECT ringfence.drop_field('Seen', 1);
RESET SESSION AUTHORIZATION;
-- And who sees masked values counts and drops them.
SET SESSION AUTHORIZATION boss_a;
UPDATE ringfence.customer_card SET attributes = '{"Card": "4111", "Kind": "gold"}' WHERE name = 'Chen Wei';
SELECT field, customers FROM ringfence.shared_field ORDER BY field;
SELECT ringfence.rename_option('Kind', 'gold', 'tin');
UPDATE ringfence.field SET is_searchable = true WHERE name = 'Kind';
SELECT ringfence.drop_field('Card', 1);
RESET SESSION AUTHORIZATION;
DROP TABLE public.learning, public.attempt;
DROP OWNED BY manager_masked, manager_masked_sales;
DROP ROLE manager_masked, manager_masked_sales;
