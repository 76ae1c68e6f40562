-- What every regression test finds: two owners who know the same Ms. Tsai, and roles as an installation has them.
-- Superuser only here: the tests themselves run as the roles below.
\set ON_ERROR_STOP on
SET client_min_messages = warning;

CREATE EXTENSION ringfence;

CREATE ROLE dba LOGIN;          -- administers owners and access
GRANT ringfence_admin TO dba;
CREATE ROLE app_a LOGIN;        -- an application of Company A only
CREATE ROLE app_b LOGIN;        -- an application of Company B only
CREATE ROLE app_ab LOGIN;       -- the call centre's application: works for both, one at a time
CREATE ROLE app_session LOGIN;  -- the same, on dedicated connections
CREATE ROLE app_token LOGIN;     -- for both, by token only
CREATE ROLE app_none LOGIN;     -- has the table privileges, and access to nothing
GRANT ringfence_user TO app_none;
CREATE ROLE boss_a LOGIN;       -- manages Company A's projects, fields and access
CREATE ROLE sales_a LOGIN;      -- works in Company A's project Sales only
CREATE ROLE support_a LOGIN;    -- works in Company A's project Support only
CREATE ROLE trainee_a LOGIN;    -- reads Company A
CREATE ROLE tickets_a LOGIN;    -- Company A's tickets, not its customers
CREATE ROLE stranger LOGIN;     -- no role of ringfence at all

INSERT INTO ringfence.owner (id, name, country) VALUES
    ('aaaaaaaa-0000-0000-0000-000000000001', 'Company A', 'TW'),
    ('bbbbbbbb-0000-0000-0000-000000000002', 'Company B', 'PL'),
    ('cccccccc-0000-0000-0000-000000000003', 'Company C', NULL);
INSERT INTO ringfence.project (owner_id, name) VALUES
    ('aaaaaaaa-0000-0000-0000-000000000001', 'Sales'),
    ('aaaaaaaa-0000-0000-0000-000000000001', 'Support'),
    ('bbbbbbbb-0000-0000-0000-000000000002', 'Sales'),
    ('bbbbbbbb-0000-0000-0000-000000000002', 'Secret');

SET ROLE dba;
SELECT ringfence.grant_access('app_a', 'Company A', '{agent}'),
       ringfence.grant_access('app_b', 'Company B', '{agent}'),
       ringfence.grant_access('app_ab', 'Company A', '{agent}'),
       ringfence.grant_access('app_ab', 'Company B', '{agent}'),
       ringfence.grant_access('app_session', 'Company A', '{agent}', binding => 'session'),
       ringfence.grant_access('app_session', 'Company B', '{agent}', binding => 'session'),
       ringfence.grant_access('app_token', 'Company A', '{supervisor}', binding => 'token'),
       ringfence.grant_access('app_token', 'Company B', '{agent}', binding => 'token'),
       ringfence.grant_access('boss_a', 'Company A', '{admin}'),
       ringfence.grant_access('sales_a', 'Company A', '{sales}', 'Sales'),
       ringfence.grant_access('support_a', 'Company A', '{agent}', 'Support'),
       ringfence.grant_access('trainee_a', 'Company A', '{trainee}'),
       ringfence.grant_access('tickets_a', 'Company A', '{support}') \g /dev/null
RESET ROLE;

SET ROLE app_a;
INSERT INTO ringfence.company (id, name) VALUES ('a0000000-0000-0000-0000-00000000000c', 'Formosa Tea');
INSERT INTO ringfence.customer_card (id, name, phones, emails, company_id, last_activity_at) VALUES
    ('a0000000-0000-0000-0000-000000000001', 'Tsai Mei-Ling', '{0912-345-678}', '{tsai@example.com}', 'a0000000-0000-0000-0000-00000000000c', '2026-03-01'),
    ('a0000000-0000-0000-0000-000000000002', 'Chen Wei', '{(02) 2345-6789}', '{chen@example.com}', NULL, '2026-02-01'),
    ('a0000000-0000-0000-0000-000000000003', '蔡美玲', '{}', '{}', NULL, NULL);
SET ROLE app_b;
INSERT INTO ringfence.company (id, name) VALUES ('b0000000-0000-0000-0000-00000000000c', 'CANARY-B Sp. z o.o.');
INSERT INTO ringfence.customer_card (id, name, phones, emails, address, company_id) VALUES
    ('b0000000-0000-0000-0000-000000000001', 'Tsai Mei-Ling', '{+886 912 345 678}', '{tsai@example.com}', 'CANARY-B', 'b0000000-0000-0000-0000-00000000000c'),
    ('b0000000-0000-0000-0000-000000000002', 'Łukasz Kowalski', '{601-234-567}', '{lukasz@example.pl}', 'CANARY-B', NULL);
RESET ROLE;

-- For tests of tokens: what an identity provider does elsewhere, with HS256 and a secret that these tests alone know.
CREATE EXTENSION pgcrypto;
CREATE FUNCTION base64url(bytes bytea) RETURNS text LANGUAGE sql IMMUTABLE STRICT
    RETURN rtrim(translate(encode(bytes, 'base64'), E'+/\n', '-_'), '=');
CREATE FUNCTION sign(header text, claims text, secret text DEFAULT 'a secret that the tests alone know') RETURNS text
    LANGUAGE sql IMMUTABLE
    BEGIN ATOMIC
        SELECT signed || '.' || base64url(hmac(signed::bytea, secret::bytea, 'sha256'))
          FROM (SELECT base64url(convert_to(header, 'UTF8')) || '.' || base64url(convert_to(claims, 'UTF8')) AS signed) AS t;
    END;
-- A good token for Company A, that expires in a minute; the claims given are added to its own, and NULL takes one away.
CREATE FUNCTION token(claims jsonb DEFAULT '{}', header jsonb DEFAULT '{}') RETURNS text LANGUAGE sql VOLATILE
    BEGIN ATOMIC
        SELECT sign(jsonb_strip_nulls('{"alg": "HS256", "kid": "test"}' || header)::text,
                    jsonb_strip_nulls(jsonb_build_object('owner', 'Company A', 'exp', floor(extract(epoch FROM clock_timestamp()))::bigint + 60) || claims)::text);
    END;

CREATE FUNCTION in_seconds(seconds bigint) RETURNS bigint LANGUAGE sql VOLATILE
    RETURN floor(extract(epoch FROM clock_timestamp()))::bigint + seconds;

SET ROLE dba;
SELECT ringfence.add_signing_key('test', 'HS256', 'a secret that the tests alone know') \g /dev/null
RESET ROLE;
