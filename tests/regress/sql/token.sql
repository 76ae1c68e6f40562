-- login() and the keys that tokens are signed with.
\set SHOW_CONTEXT never
CREATE FUNCTION who() RETURNS text LANGUAGE sql AS
    $$SELECT concat_ws(', ', role_name, owner_name, project_name, agent, source, bound) FROM ringfence.whoami()$$;

-- A token binds the transaction, as enter() does.
SET SESSION AUTHORIZATION app_token;
BEGIN;
SELECT ringfence.login(token());
SELECT who(), count(*) FROM ringfence.customer;
COMMIT;
SELECT count(*) FROM ringfence.customer;
BEGIN;
SELECT ringfence.login(token('{"owner": "bbbbbbbb-0000-0000-0000-000000000002", "sub": "eva", "source": "crm"}')) IS NOT NULL AS bound;
SELECT who(), count(*) FROM ringfence.customer;
ROLLBACK;
BEGIN;
SELECT ringfence.login(token('{"project": "Sales"}')) IS NOT NULL AS bound;
SELECT who();
ROLLBACK;
-- Of what a token does not say the settings may: the agent, the source. Not so of what it says.
BEGIN;
SET LOCAL ringfence.agent = 'set';
SET LOCAL ringfence.source = 'set';
SET LOCAL ringfence.project = 'Support';
SELECT ringfence.login(token()) IS NOT NULL AS bound;
SELECT who();
ROLLBACK;
BEGIN;
SET LOCAL ringfence.agent = 'set';
SET LOCAL ringfence.source = 'set';
SELECT ringfence.login(token('{"sub": "eva", "source": "crm"}')) IS NOT NULL AS bound;
SELECT who(), ringfence.current_actor();
ROLLBACK;
-- Alone it binds its own statement.
SELECT ringfence.login(token()), (SELECT count(*) FROM ringfence.customer);

-- Access with binding token is for login() alone.
BEGIN;
SET LOCAL ringfence.owner = 'Company A';
SELECT count(*) FROM ringfence.customer;
ROLLBACK;
SELECT ringfence.enter('Company A');
SET ringfence.owner = 'Company A';
SELECT count(*) FROM ringfence.customer;
RESET ringfence.owner;
-- The other bindings take a token too.
SET SESSION AUTHORIZATION app_ab;
BEGIN;
SELECT ringfence.login(token()) IS NOT NULL AS bound;
SELECT who();
ROLLBACK;
SET SESSION AUTHORIZATION app_session;
BEGIN;
SELECT ringfence.login(token()) IS NOT NULL AS bound;
SELECT who();
DECLARE c CURSOR WITH HOLD FOR SELECT name FROM ringfence.customer;
ROLLBACK;

-- A token gives nothing that the role has not, and may give less.
SET SESSION AUTHORIZATION app_token;
SELECT ringfence.login(token('{"owner": "Company C"}'));
SELECT ringfence.login(token('{"owner": "No Such Company"}'));
SELECT ringfence.login(token('{"project": "No Such Project"}'));
BEGIN;
SELECT ringfence.login(token('{"rights": ["customer.read", "owner.export"]}')) IS NOT NULL AS bound;
SELECT rights FROM ringfence.whoami();
SELECT count(*) FROM ringfence.customer;
SELECT ringfence.has_right('customer.read'), ringfence.has_right('customer.write'), ringfence.has_right_in('customer.write', NULL);
UPDATE ringfence.customer SET name = 'x';
ROLLBACK;
BEGIN;
SELECT ringfence.login(token('{"rights": []}')) IS NOT NULL AS bound;
SELECT rights FROM ringfence.whoami();
SELECT count(*) FROM ringfence.customer;
ROLLBACK;
SET SESSION AUTHORIZATION app_none;
SELECT ringfence.login(token());
SET SESSION AUTHORIZATION stranger;
SELECT ringfence.login(token());
RESET SESSION AUTHORIZATION;

-- Sources that the role may not act as.
INSERT INTO ringfence.source (owner_id, name) VALUES ('aaaaaaaa-0000-0000-0000-000000000001', 'crm'), ('aaaaaaaa-0000-0000-0000-000000000001', 'erp');
CREATE ROLE token_crm LOGIN;
SET ROLE dba;
SELECT ringfence.grant_access('token_crm', 'Company A', '{agent}', sources => '{crm}', binding => 'token');
RESET ROLE;
SET SESSION AUTHORIZATION token_crm;
BEGIN;
SELECT ringfence.login(token('{"source": "crm"}')) IS NOT NULL AS bound;
SELECT ringfence.current_source();
ROLLBACK;
SELECT ringfence.login(token('{"source": "erp"}'));
BEGIN;
SELECT ringfence.login(token()) IS NOT NULL AS bound;
SET LOCAL ringfence.source = 'erp';
SELECT ringfence.current_source();
ROLLBACK;
-- A role of one owner has no default where the access is for tokens.
SELECT count(*) FROM ringfence.customer;

-- One binding a transaction, and none after another owner was used.
SET SESSION AUTHORIZATION app_token;
BEGIN;
SELECT ringfence.login(token()) IS NOT NULL AS bound;
SELECT ringfence.login(token());
ROLLBACK;
BEGIN;
SELECT ringfence.login(token()) IS NOT NULL AS bound;
SELECT ringfence.login(token('{"owner": "Company B"}'));
ROLLBACK;
BEGIN;
SELECT ringfence.login(token()) IS NOT NULL AS bound;
SELECT ringfence.enter('Company B');
ROLLBACK;
SET SESSION AUTHORIZATION app_ab;
BEGIN;
SELECT ringfence.enter('Company B') IS NOT NULL AS bound;
SELECT ringfence.login(token());
ROLLBACK;
BEGIN;
SET LOCAL ringfence.owner = 'Company B';
SELECT count(*) FROM ringfence.customer;
SELECT ringfence.login(token());
ROLLBACK;
-- A failed one binds nothing.
BEGIN;
SAVEPOINT s;
SELECT ringfence.login(token('{"exp": 1}'));
ROLLBACK TO s;
SELECT count(*) FROM ringfence.customer;
ROLLBACK;
SET SESSION AUTHORIZATION app_token;
BEGIN;
SAVEPOINT s;
SELECT ringfence.login(token()) IS NOT NULL AS bound;
ROLLBACK TO s;
SELECT count(*) FROM ringfence.customer;
ROLLBACK;
BEGIN;
SELECT ringfence.login(token()) IS NOT NULL AS bound;
SAVEPOINT s;
SELECT 1/0;
ROLLBACK TO s;
SELECT who();
ROLLBACK;

-- What is wrong is said, and nothing of the token.
SELECT ringfence.login(NULL);
SELECT ringfence.login('');
SELECT ringfence.login('abc');
SELECT ringfence.login('a.b.c');
SELECT ringfence.login(token() || '.x');
SELECT ringfence.login(repeat('x', 9000));
SELECT ringfence.login(token('{}', '{"kid": null}'));
SELECT ringfence.login(token('{}', '{"kid": "other"}'));
SELECT ringfence.login(token('{}', '{"alg": "none"}'));
SELECT ringfence.login(token('{}', '{"alg": "HS512"}'));
SELECT ringfence.login(token('{}', '{"alg": "RS256"}'));
SELECT ringfence.login(token('{}', '{"typ": "JOSE"}'));
SELECT ringfence.login(token('{}', '{"crit": ["exp"]}'));
SELECT ringfence.login(token() || 'x');
SELECT ringfence.login(token('{"owner": null}'));
SELECT ringfence.login(token('{"owner": ""}'));
SELECT ringfence.login(token('{"owner": ["Company A"]}'));
SELECT ringfence.login(token('{"exp": null}'));
SELECT ringfence.login(token('{"exp": "1"}'));
SELECT ringfence.login(token('{"exp": 1.5}'));
SELECT ringfence.login(token('{"exp": 1}'));
SELECT ringfence.login(token(jsonb_build_object('exp', in_seconds(3700))));
SELECT ringfence.login(token(jsonb_build_object('nbf', in_seconds(100))));
SELECT ringfence.login(token('{"nbf": "soon"}'));
SELECT ringfence.login(token('{"role": "app_ab"}'));
SELECT ringfence.login(token('{"database": "postgres"}'));
SELECT ringfence.login(token('{"rights": "customer.read"}'));
SELECT ringfence.login(token('{"rights": ["customer.reed"]}'));
SELECT ringfence.login(token('{"aud": "billing"}'));
SELECT ringfence.login(token('{"sub": 7}'));
SELECT ringfence.login(sign('{"alg": "HS256", "kid": "test"}', '{"owner": "Company A", "exp": 99999999999, "sub": null}'));
-- And what is right is not refused: the role, the database, an audience, clocks that differ by less than half a minute.
SELECT ringfence.login(token(jsonb_build_object('role', 'app_token', 'database', current_database(), 'aud', 'ringfence'))) IS NOT NULL AS bound;
SELECT ringfence.login(token('{"aud": ["billing", "ringfence"], "iss": "me", "iat": 1, "anything": {"else": [1]}}', '{"typ": "jwt", "x": 1}')) IS NOT NULL AS bound;
SELECT ringfence.login(token(jsonb_build_object('exp', in_seconds(-20), 'nbf', in_seconds(20)))) IS NOT NULL AS bound;
SELECT ringfence.login(token(jsonb_build_object('exp', in_seconds(3610)))) IS NOT NULL AS bound;
RESET SESSION AUTHORIZATION;
-- How far ahead a token may expire is the superuser's to say.
SET ringfence.max_token_lifetime = '1 min';
SET SESSION AUTHORIZATION app_token;
SELECT ringfence.login(token(jsonb_build_object('exp', in_seconds(120))));
SET ringfence.max_token_lifetime = '1 d';
RESET SESSION AUTHORIZATION;
RESET ringfence.max_token_lifetime;

-- Keys: who may add and drop them, and what is one.
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.add_signing_key('k', 'HS256', repeat('k', 32));
SELECT ringfence.drop_signing_key('test');
SELECT * FROM ringfence.signing_key;
SET SESSION AUTHORIZATION dba;
SELECT ringfence.add_signing_key(NULL, 'HS256', repeat('k', 32));
SELECT ringfence.add_signing_key('', 'HS256', repeat('k', 32));
SELECT ringfence.add_signing_key(E'a\nb', 'HS256', repeat('k', 32));
SELECT ringfence.add_signing_key('k', 'none', repeat('k', 32));
SELECT ringfence.add_signing_key('k', 'HS256', NULL);
SELECT ringfence.add_signing_key('k', 'HS256', repeat('k', 31));
SELECT ringfence.add_signing_key('k', 'EdDSA', repeat('k', 32));
SELECT ringfence.add_signing_key('test', 'HS256', repeat('k', 32));
\set ed25519 '-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAFzOUtwZGu/mE/T1uGr7VF9am4kmWfEKpbFfoOGdVvro=\n-----END PUBLIC KEY-----\n'
\set p256 '-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEdMfLRMfuIuMx1cwrDtauJqUYuoVX\nlaIcmzCVyZFi9hePtoLYOVcIxsitRdD5rG+kAy+DUAr787mVQEXHD7+VfA==\n-----END PUBLIC KEY-----\n'
\set p384 '-----BEGIN PUBLIC KEY-----\nMHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEUoQfbBZwVatqEtH9J8fRZ1ldHzASimMn\nArONTxE0Qnu2Z+UbZ6rLwiUzvAlDjErTDk78jfFGv6XkG3+dOoxZlH8u5Pw3M/Ka\n7FBPJyGeUX1jiKXGUzvL5vhUod2xPc4r\n-----END PUBLIC KEY-----\n'
\set rsa1024 '-----BEGIN PUBLIC KEY-----\nMIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDT0R/2jjwJXwPhpjzge7UmFoUw\nd9U2/LMZzKEWsTZPaPiIivtnH3/B7DvuUyZVHWxDq/6dUtawYdsR8QCyk2RWJ6Z6\nQEesd9eXvseUA5AI8aBQnQZCVr194Bx0y173jVpGeRsVaFGmzZUOmFzprI59Hlnm\n6Lp5EkoiTjqsKVFRRwIDAQAB\n-----END PUBLIC KEY-----\n'
SELECT ringfence.add_signing_key('ed', 'EdDSA', :'ed25519');
SELECT ringfence.add_signing_key('es', 'ES256', :'p256');
SELECT ringfence.add_signing_key('k', 'ES256', :'ed25519');
SELECT ringfence.add_signing_key('k', 'EdDSA', :'p256');
SELECT ringfence.add_signing_key('k', 'RS256', :'p256');
SELECT ringfence.add_signing_key('k', 'ES256', :'p384');
SELECT ringfence.add_signing_key('k', 'RS256', :'rsa1024');
SELECT ringfence.add_signing_key('k', 'HS256', :'ed25519');
SELECT ringfence.add_signing_key('k', 'EdDSA', :'ed25519' || :'ed25519');
SELECT ringfence.add_signing_key('k', 'EdDSA', replace(:'ed25519', 'PUBLIC', 'PRIVATE'));
SELECT ringfence.add_signing_key('k', 'EdDSA', replace(:'ed25519', 'MCow', 'MCox'));
SELECT ringfence.add_signing_key('k', 'EdDSA', replace(:'ed25519', 'MCowBQYDK2VwAyEAFzOUtwZGu/mE/T1uGr7VF9am4kmWfEKpbFfoOGdVvro=', 'MA4wBQYDK2VwAwUAFzOUtw=='));
SELECT kid, algorithm, added_by FROM ringfence.signing_key ORDER BY kid;
SELECT ringfence.drop_signing_key('ed');
SELECT ringfence.drop_signing_key('ed');
SELECT ringfence.drop_signing_key('es');
RESET SESSION AUTHORIZATION;
-- Not by a function of somebody else that an administrator happens to call.
CREATE FUNCTION token_trap() RETURNS void LANGUAGE sql SECURITY DEFINER AS $$SELECT ringfence.add_signing_key('trap', 'HS256', repeat('k', 32))$$;
ALTER FUNCTION token_trap() OWNER TO token_crm;
GRANT ringfence_admin TO token_crm;
SET SESSION AUTHORIZATION dba;
SELECT token_trap();
RESET SESSION AUTHORIZATION;
DROP OWNED BY token_crm;
DROP ROLE token_crm;
