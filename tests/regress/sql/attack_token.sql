-- ATTACKS 17 and 145 to 154, tokens and membership: what cannot be forged, kept, replayed elsewhere, read or taken over.
\set SHOW_CONTEXT never
\set VERBOSITY sqlstate
-- What login() says to a token. The binding is undone, the latch is not.
CREATE FUNCTION outcome(token text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM ringfence.login(token);
    RAISE EXCEPTION 'bound to %', (SELECT owner_name FROM ringfence.whoami()) USING ERRCODE = 'RF000';
EXCEPTION WHEN OTHERS THEN RETURN CASE sqlstate WHEN 'RF000' THEN sqlerrm ELSE sqlstate || ': ' || sqlerrm END;
END $$;
-- Waits for the token to expire: the only thing that takes its time here.
CREATE FUNCTION wait_until_expired() RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    FOR n IN 1..100000000 LOOP PERFORM ringfence.current_owner(); END LOOP;
    RETURN 'never';
EXCEPTION WHEN invalid_authorization_specification THEN RETURN sqlerrm;
END $$;

\echo 17: no key, no login; and no way around by an unsigned setting
SET SESSION AUTHORIZATION app_token;
SET ringfence.owner = 'Company A';
SELECT count(*) FROM ringfence.customer;
SET ringfence.token = 'x';
RESET ringfence.owner;
RESET SESSION AUTHORIZATION;
BEGIN;
SET LOCAL SESSION AUTHORIZATION dba;
SELECT ringfence.drop_signing_key('test');
SET LOCAL SESSION AUTHORIZATION app_token;
SELECT outcome(token());
ROLLBACK;

\echo 145: algorithms, keys, signatures, encodings
SET SESSION AUTHORIZATION app_token;
\pset tuples_only on
SELECT what, outcome(token) FROM (VALUES
    ('good', token()),
    ('alg none', token('{}', '{"alg": "none"}')),
    ('alg None', token('{}', '{"alg": "None"}')),
    ('alg none, no signature', base64url('{"alg": "none", "kid": "test"}') || '.' || split_part(token(), '.', 2) || '.'),
    ('no signature', regexp_replace(token(), '[^.]*$', '')),
    ('no third part', regexp_replace(token(), '\.[^.]*$', '')),
    ('another secret', sign('{"alg": "HS256", "kid": "test"}', '{"owner": "Company A", "exp": 1}', 'another secret')),
    ('the empty secret', sign('{"alg": "HS256", "kid": "test"}', '{"owner": "Company A", "exp": 1}', '')),
    ('a claim changed', replace(token(), split_part(token(), '.', 2), base64url('{"owner": "Company B", "exp": 1}'))),
    ('the header changed', replace(token(), split_part(token(), '.', 1), base64url('{"kid": "test", "alg": "HS256"}'))),
    ('padded', token() || '='),
    ('not canonical', left(token(), -1) || translate(right(token(), 1), 'AEIMQUYcgkosw048', 'BFJNRVZdhlptx159')),
    ('a space before', ' ' || token()),
    ('a line end after', token() || E'\n'),
    ('standard alphabet', translate(token('{"sub": "???>>>???"}'), '-_', '+/') || '+'),
    ('kid as a path', token('{}', '{"kid": "../../../dev/null"}')),
    ('kid as SQL', token('{}', '{"kid": "test'' OR true --"}')),
    ('kid in another case', token('{}', '{"kid": "TEST"}')),
    ('kid of another type', token('{}', '{"kid": 7}')),
    ('its own key in the header', token('{}', '{"kid": "x", "jwk": {"kty": "oct", "k": "AAAA"}}')),
    ('a claim twice', sign('{"alg": "HS256", "kid": "test"}', '{"owner": "Company A", "owner": "Company B", "exp": 1}')),
    ('alg twice', sign('{"alg": "none", "kid": "test", "alg": "HS256"}', '{"owner": "Company A", "exp": 1}')),
    ('not an object', sign('{"alg": "HS256", "kid": "test"}', '["Company A"]')),
    ('not JSON', sign('{"alg": "HS256", "kid": "test"}', '{owner: 1}')),
    ('more after the object', sign('{"alg": "HS256", "kid": "test"}', '{"owner": "Company A", "exp": 1} {}')),
    ('deep', sign('{"alg": "HS256", "kid": "test"}', '{"owner": ' || repeat('[', 900) || repeat(']', 900) || ', "exp": 1}')),
    ('exp NaN', sign('{"alg": "HS256", "kid": "test"}', '{"owner": "Company A", "exp": NaN}')),
    ('exp Infinity', sign('{"alg": "HS256", "kid": "test"}', '{"owner": "Company A", "exp": Infinity}')),
    ('exp 1e99', sign('{"alg": "HS256", "kid": "test"}', '{"owner": "Company A", "exp": 1e99}')),
    ('exp 2^63', sign('{"alg": "HS256", "kid": "test"}', '{"owner": "Company A", "exp": 9223372036854775808}')),
    ('exp 2^63-1', sign('{"alg": "HS256", "kid": "test"}', '{"owner": "Company A", "exp": 9223372036854775807}')),
    ('exp -2^63', sign('{"alg": "HS256", "kid": "test"}', '{"owner": "Company A", "exp": -9223372036854775808}')),
    ('nbf -2^63', token('{"nbf": -9223372036854775808}')),
    ('exp true', token('{"exp": true}')),
    ('exp [1]', token('{"exp": [9999999999]}'))
) AS t (what, token);
\pset tuples_only off

\echo 146: exp is required, and is checked by the clock in every statement, not by now()
SELECT outcome(token('{"exp": null}'));
-- With half a minute of leeway this one counts for one to two seconds more, and the transaction began before.
BEGIN;
SELECT ringfence.login(token(jsonb_build_object('exp', in_seconds(-28)))) IS NOT NULL AS bound;
DECLARE c CURSOR FOR SELECT name FROM ringfence.customer ORDER BY name COLLATE "C";
FETCH 1 FROM c;
PREPARE q AS SELECT count(*) FROM ringfence.customer;
SELECT wait_until_expired();
SAVEPOINT s;
SELECT count(*) FROM ringfence.customer;
ROLLBACK TO s;
SAVEPOINT s;
EXECUTE q;
ROLLBACK TO s;
SAVEPOINT s;
FETCH 1 FROM c;
ROLLBACK TO s;
SAVEPOINT s;
INSERT INTO ringfence.customer_card (name) VALUES ('late');
ROLLBACK TO s;
SAVEPOINT s;
SELECT ringfence.login(token());
ROLLBACK TO s;
ROLLBACK;
DEALLOCATE q;

\echo 147: a token may be bound to a role and a database; within its life it can be presented again, by whoever has it and a role with access
SELECT outcome(token('{"role": "app_ab"}')), outcome(token('{"role": "APP_TOKEN"}')), outcome(token('{"role": "app_token"}'));
SELECT outcome(token('{"database": "other"}'));
BEGIN;
SELECT token() AS t \gset
SELECT outcome(:'t'), outcome(:'t');
COMMIT;
SELECT outcome(:'t');
RESET SESSION AUTHORIZATION;
-- The role is the one after SET ROLE, also inside of a function that runs as somebody else.
GRANT app_token TO app_none;
CREATE FUNCTION login_as_definer(token text) RETURNS uuid LANGUAGE sql SECURITY DEFINER AS 'SELECT ringfence.login(token)';
ALTER FUNCTION login_as_definer(text) OWNER TO app_token;
SET SESSION AUTHORIZATION app_none;
SELECT outcome(token('{"role": "app_token"}'));
BEGIN;
SET LOCAL ROLE app_token;
SELECT outcome(token('{"role": "app_token"}'));
ROLLBACK;
RESET SESSION AUTHORIZATION;
REVOKE app_token FROM app_none;
SET SESSION AUTHORIZATION app_none;
SELECT login_as_definer(token());
RESET SESSION AUTHORIZATION;
DROP FUNCTION login_as_definer;

\echo 148: the owner is the one of the token, whatever is set and whoever asks
SET SESSION AUTHORIZATION app_ab;
\pset tuples_only on
SELECT format('SELECT %L, set_config(''ringfence.owner'', %L, false), outcome(token(''{"owner": "%s"}''))', asked, set_to, asked)
  FROM (VALUES ('Company A'), ('Company B'), ('Company C')) AS a (set_to), (VALUES ('Company A'), ('Company B'), ('Company C')) AS b (asked) \gexec
\pset tuples_only off
RESET ringfence.owner;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION app_token;
BEGIN;
SELECT ringfence.login(token()) IS NOT NULL AS bound;
SET ringfence.owner = 'Company B';
SELECT owner_name FROM ringfence.whoami();
ROLLBACK;
BEGIN;
SELECT ringfence.login(token()) IS NOT NULL AS bound;
RESET ALL;
SELECT owner_name FROM ringfence.whoami();
ROLLBACK;
BEGIN;
SELECT ringfence.login(token()) IS NOT NULL AS bound;
SELECT count(*) FROM ringfence.customer WHERE set_config('ringfence.owner', 'Company B', false) <> '';
SELECT count(*) FROM ringfence.customer WHERE ringfence.login(token('{"owner": "Company B"}')) IS NOT NULL;
ROLLBACK;
RESET SESSION AUTHORIZATION;

\echo 149: nothing of it is left after the transaction
SET SESSION AUTHORIZATION app_token;
BEGIN;
SELECT ringfence.login(token()) IS NOT NULL AS bound;
ROLLBACK;
SELECT count(*) FROM ringfence.customer;
BEGIN;
SELECT ringfence.login(token()) IS NOT NULL AS bound;
SELECT 1/0;
COMMIT;
SELECT count(*) FROM ringfence.customer;
\c - app_token
BEGIN;
SELECT ringfence.login(token()) IS NOT NULL AS bound;
COMMIT;
DISCARD ALL;
SELECT count(*) FROM ringfence.customer;
DO $$BEGIN PERFORM ringfence.login(token()); COMMIT; PERFORM count(*) FROM ringfence.customer; END$$;

\c - postgres

\echo 151: keys are read by nobody, not even through what else a role may read
CREATE ROLE token_reader LOGIN;
GRANT pg_read_all_data, pg_write_all_data, pg_monitor, ringfence_admin, ringfence_user TO token_reader;
SET SESSION AUTHORIZATION token_reader;
SELECT count(*) FROM ringfence.signing_key_material;
COPY ringfence.signing_key_material TO STDOUT;
SELECT kid, algorithm FROM ringfence.signing_key;
INSERT INTO ringfence.signing_key_material (kid, algorithm, material, added_by) VALUES ('x', 'HS256', repeat('x', 32), 'x');
UPDATE ringfence.signing_key_material SET material = repeat('x', 32);
DELETE FROM ringfence.signing_key_material;
SELECT count(*) FROM pg_stats WHERE tablename = 'signing_key_material';
RESET SESSION AUTHORIZATION;
ANALYZE ringfence.signing_key_material;
SELECT attname FROM pg_stats WHERE tablename = 'signing_key_material' AND (most_common_vals IS NOT NULL OR histogram_bounds IS NOT NULL) AND attname = 'material';
SELECT kid FROM ringfence.signing_key_material;
DROP ROLE token_reader;
SET SESSION AUTHORIZATION app_none;
SELECT count(*) FROM ringfence.signing_key_material;
SELECT count(*) FROM ringfence.signing_key;
RESET SESSION AUTHORIZATION;

\echo 152: who signs is for ringfence_admin to say, not for an owner
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.add_signing_key('mine', 'HS256', repeat('x', 32));
SELECT ringfence.drop_signing_key('test');
RESET SESSION AUTHORIZATION;

\echo 153: no token in code that runs for whoever maintains a table
SET SESSION AUTHORIZATION app_token;
CREATE FUNCTION pg_temp.peek(x integer) RETURNS text LANGUAGE plpgsql IMMUTABLE SET search_path = public AS $$BEGIN RETURN outcome(token()); END$$;
CREATE TEMP TABLE bait (x integer);
INSERT INTO bait VALUES (1);
CREATE INDEX ON bait (pg_temp.peek(x));
ANALYZE bait;
SELECT most_common_vals, histogram_bounds FROM pg_stats WHERE tablename LIKE 'bait%' AND attname = 'peek';
SET enable_seqscan = off;
SELECT pg_temp.peek(x) FROM bait;
RESET enable_seqscan;
RESET SESSION AUTHORIZATION;

\echo 154: clocks at their ends
SET SESSION AUTHORIZATION app_token;
SELECT outcome(token(jsonb_build_object('exp', in_seconds(-31)))), outcome(token(jsonb_build_object('exp', in_seconds(-25)))),
       outcome(token(jsonb_build_object('nbf', in_seconds(40)))), outcome(token(jsonb_build_object('nbf', in_seconds(28))));
RESET SESSION AUTHORIZATION;
SET ringfence.max_token_lifetime = 2147483647;
SET SESSION AUTHORIZATION app_token;
SELECT outcome(token('{"exp": 4102444800}'));
SELECT outcome(token('{"exp": 9223372036854775807}'));
RESET SESSION AUTHORIZATION;
RESET ringfence.max_token_lifetime;
