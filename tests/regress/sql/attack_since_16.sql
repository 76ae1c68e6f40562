-- What came with PostgreSQL 16: memberships without INHERIT or without SET. Access of a role counts for those who have its privileges without a
-- SET ROLE, from the moment that they have them, and no longer.
\set SHOW_CONTEXT never
\set VERBOSITY terse
SET client_min_messages = warning;
CREATE ROLE team16;
CREATE ROLE no_inherit16 LOGIN;
CREATE ROLE no_set16 LOGIN;
CREATE ROLE neither16 LOGIN;
CREATE ROLE admin_option16 LOGIN;
CREATE ROLE dba16 LOGIN;
SELECT ringfence.grant_access('team16', 'Company A', '{agent}') \g /dev/null
GRANT team16 TO no_inherit16 WITH INHERIT FALSE, SET TRUE;
GRANT team16 TO no_set16 WITH INHERIT TRUE, SET FALSE;
GRANT team16 TO neither16 WITH INHERIT FALSE, SET FALSE;
GRANT team16 TO admin_option16 WITH ADMIN TRUE, INHERIT FALSE, SET FALSE;
GRANT ringfence_user TO no_inherit16, no_set16, neither16, admin_option16, dba16;
GRANT ringfence_admin TO dba16 WITH INHERIT FALSE, SET TRUE;

\echo *** without INHERIT: nothing, until SET ROLE, and nothing after it
\c - no_inherit16
SELECT count(*) FROM ringfence.customer;
SET ringfence.owner = 'Company A';
SELECT count(*) FROM ringfence.customer;
SELECT name FROM ringfence.owner;
SET ROLE team16;
SELECT count(*) FROM ringfence.customer;
SET ringfence.owner = 'Company B';
SELECT count(*) FROM ringfence.customer;
RESET ringfence.owner;
RESET ROLE;
SELECT count(*) FROM ringfence.customer;
SELECT count(*) FROM ringfence.customer_card;
BEGIN; SET LOCAL ROLE team16; SELECT count(*) FROM ringfence.customer; RESET ROLE; SELECT count(*) FROM ringfence.customer; ROLLBACK;

\echo *** without SET: what is inherited
\c - no_set16
SELECT count(*) FROM ringfence.customer;
SET ROLE team16;
\echo *** with neither, and with the ADMIN option alone: nothing
\c - neither16
SELECT count(*) FROM ringfence.customer;
SELECT name FROM ringfence.owner;
\c - admin_option16
SELECT count(*) FROM ringfence.customer;
-- Who has that option may give the rest; then it counts at once.
GRANT team16 TO admin_option16 WITH INHERIT TRUE;
SELECT count(*) FROM ringfence.customer;

\echo *** another session changes the option: an open session hears of it in its next statement
\c - no_set16
\setenv PGUSER postgres
SELECT count(*) FROM ringfence.customer;
\! psql -qX -d regress_attack_since_16 -c "GRANT team16 TO no_set16 WITH INHERIT FALSE"
SELECT count(*) FROM ringfence.customer;
\! psql -qX -d regress_attack_since_16 -c "GRANT team16 TO no_set16 WITH INHERIT TRUE"
SELECT count(*) FROM ringfence.customer;

\echo *** who can become an administrator is none yet
\c - dba16
SELECT name FROM ringfence.owner;
SELECT ringfence.grant_access('no_set16', 'Company B', '{agent}');
SELECT ringfence.create_owner('Another');
SET ROLE ringfence_admin;
SELECT count(*) FROM ringfence.owner;
RESET ROLE;
SELECT name FROM ringfence.owner;

\echo *** who creates roles, and may give ringfence_user, gives no access with it, and not the internal roles
\c - postgres
SET client_min_messages = warning;
CREATE ROLE creator16 LOGIN CREATEROLE;
GRANT ringfence_user TO creator16 WITH ADMIN TRUE, INHERIT FALSE, SET FALSE;
\c - creator16
CREATE ROLE child16 LOGIN;
GRANT ringfence_user TO child16;
GRANT ringfence_definer TO child16;
GRANT ringfence_tables TO child16;
GRANT ringfence_admin TO child16;
GRANT team16 TO child16;
SELECT ringfence.grant_access('child16', 'Company A', '{agent}');
\c - child16
SELECT count(*) FROM ringfence.customer;

\echo *** grant_access() to a role that inherits nothing by default: it gets what it needs
\c - postgres
CREATE ROLE plain16 LOGIN NOINHERIT;
SELECT ringfence.grant_access('plain16', 'Company A', '{agent}') \g /dev/null
\c - plain16
SELECT count(*) FROM ringfence.customer;
SELECT SYSTEM_USER IS NULL OR SYSTEM_USER NOT LIKE '%Company%' AS system_user_tells_nothing;

\c - postgres
SET client_min_messages = warning;
SELECT format('DROP OWNED BY %I; DROP ROLE %1$I', rolname) FROM pg_roles WHERE rolname LIKE '%16' ORDER BY rolname = 'creator16', rolname \gexec
