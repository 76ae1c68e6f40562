-- Loads the sample data as an application role: one owner a transaction, customers by COPY into customer_card.
\set ON_ERROR_STOP on
SET ROLE manager;
-- Who was active in September, with a number that is always the same, and one of the owner's projects.
CREATE TEMP VIEW contact AS
    SELECT customer.id, customer.name, phones, last_activity_at, ('x' || left(md5(customer.name || phones::text), 7))::bit(28)::integer AS seed, project.id AS project_id
      FROM ringfence.customer
     CROSS JOIN LATERAL (SELECT id FROM ringfence.project ORDER BY md5(customer.name || phones::text || project.name) LIMIT 1) AS project
     WHERE last_activity_at >= '2026-09-01 00:00+00' AND last_activity_at < '2026-10-01 00:00+00';

BEGIN;
SELECT ringfence.enter('Company A') \g /dev/null
CREATE TEMP TABLE loaded_company (id uuid, name text) ON COMMIT DELETE ROWS;
\copy loaded_company FROM 'examples/data/company_a_company.csv' CSV HEADER
INSERT INTO ringfence.company (id, name) SELECT id, name FROM loaded_company;
\copy ringfence.customer_card (name, phones, emails, address, birth_date, language, company_id, last_activity_at, attributes) FROM 'examples/data/company_a_customer.csv' CSV HEADER
\ir calls.sql
COMMIT;

BEGIN;
SELECT ringfence.enter('Company B') \g /dev/null
\copy loaded_company FROM 'examples/data/company_b_company.csv' CSV HEADER
INSERT INTO ringfence.company (id, name) SELECT id, name FROM loaded_company;
\copy ringfence.customer_card (name, phones, emails, address, birth_date, language, company_id, last_activity_at, attributes) FROM 'examples/data/company_b_customer.csv' CSV HEADER
\ir calls.sql
COMMIT;

BEGIN;
SELECT ringfence.enter('Denki Service') \g /dev/null
\copy loaded_company FROM 'examples/data/denki_company.csv' CSV HEADER
INSERT INTO ringfence.company (id, name) SELECT id, name FROM loaded_company;
\copy ringfence.customer_card (name, phones, emails, address, birth_date, language, company_id, last_activity_at, attributes) FROM 'examples/data/denki_customer.csv' CSV HEADER
\ir calls.sql
COMMIT;

BEGIN;
SELECT ringfence.enter('Casa Italiana') \g /dev/null
\copy loaded_company FROM 'examples/data/casa_company.csv' CSV HEADER
INSERT INTO ringfence.company (id, name) SELECT id, name FROM loaded_company;
\copy ringfence.customer_card (name, phones, emails, address, birth_date, language, company_id, last_activity_at, attributes) FROM 'examples/data/casa_customer.csv' CSV HEADER
\ir calls.sql
COMMIT;

BEGIN;
SELECT ringfence.enter('Зв''язок') \g /dev/null
\copy loaded_company FROM 'examples/data/zvyazok_company.csv' CSV HEADER
INSERT INTO ringfence.company (id, name) SELECT id, name FROM loaded_company;
\copy ringfence.customer_card (name, phones, emails, address, birth_date, language, company_id, last_activity_at, attributes) FROM 'examples/data/zvyazok_customer.csv' CSV HEADER
\ir calls.sql
COMMIT;
RESET ROLE;
