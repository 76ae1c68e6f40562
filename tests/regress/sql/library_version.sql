-- ATTACKS 124: a library of another version than the installed SQL refuses, and nothing is shown.
\set SHOW_CONTEXT never
UPDATE pg_extension SET extversion = '0.0.9' WHERE extname = 'ringfence';
\c - app_a
SELECT count(*) FROM ringfence.customer;
\echo :SQLSTATE
SELECT count(*) FROM ringfence.customer_card;
SELECT count(*) FROM ringfence.search_customers('tsai');
SELECT ringfence.enter('Company A');
-- And the other way round: a session, or a server, that still has the former library.
\c - postgres
UPDATE pg_extension SET extversion = '10.0.0' WHERE extname = 'ringfence';
\c - app_a
SELECT count(*) FROM ringfence.customer;
\c - postgres
UPDATE pg_extension SET extversion = (SELECT default_version FROM pg_available_extensions WHERE name = 'ringfence') WHERE extname = 'ringfence';
\c - app_a
SELECT count(*) FROM ringfence.customer;
