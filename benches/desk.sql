-- What benches/desk.rs finds, in a database of its own: four owners with 20,000 customers each, 1,000 phone lines between them, and 100,000
-- tickets of the first owner in ten projects. Schema plain has the same rows as an application without tenants has them: the same indexes, and
-- neither row-level security nor triggers. The setting bench.scale divides customers and tickets.
SET client_min_messages = warning;
CREATE EXTENSION ringfence;

CREATE ROLE bench_switch LOGIN;  -- asks route()
GRANT ringfence_router TO bench_switch;
CREATE ROLE bench_desk LOGIN;    -- the agents' application, for the four owners
CREATE ROLE bench_desk_1 LOGIN;  -- one of the first owner alone
CREATE ROLE bench_desk_2 LOGIN;
CREATE ROLE bench_desk_3 LOGIN;
CREATE ROLE bench_desk_4 LOGIN;
CREATE ROLE bench_sales LOGIN;   -- one of the first owner's project Sales
CREATE ROLE bench_plain LOGIN;   -- one of the tables without row-level security

INSERT INTO ringfence.owner (id, name, country)
    SELECT ('00000000-0000-4000-8000-0000000000d' || n)::uuid, 'Desk ' || n, 'TW' FROM generate_series(1, 4) AS n;
INSERT INTO ringfence.project (owner_id, name)
    SELECT owner.id, project.name FROM ringfence.owner, unnest('{Sales,Support}'::text[]) AS project (name);
INSERT INTO ringfence.project (owner_id, name)
    SELECT '00000000-0000-4000-8000-0000000000d1', 'Project ' || n FROM generate_series(3, 10) AS n;
SELECT ringfence.grant_access('bench_desk', owner.name, '{agent}') FROM ringfence.owner;
SELECT ringfence.grant_access('bench_desk_' || n, 'Desk ' || n, '{admin}') FROM generate_series(1, 4) AS n;
SELECT ringfence.grant_access('bench_sales', 'Desk 1', '{agent}', 'Sales');

SELECT ringfence.assign_channel('Desk ' || 1 + n % 4, 'phone', '+8862223' || 10000 + n, 'Sales') FROM generate_series(0, 999) AS n;
INSERT INTO ringfence.customer (owner_id, id, name, phones, emails, address, language)
    SELECT ('00000000-0000-4000-8000-0000000000d' || owner)::uuid, md5(owner || ' customer ' || n)::uuid, 'Customer ' || n,
           ARRAY['+8869' || lpad(n::text, 8, '0')], ARRAY['c' || n || '@example.com'], n || ' Example Street', 'en'
      FROM generate_series(1, 4) AS owner, generate_series(1, 20000 / current_setting('bench.scale')::integer) AS n;
INSERT INTO ringfence.ticket (owner_id, id, number, subject, status, priority, customer_id, project_id, created_at, created_by, updated_at, updated_by)
    SELECT project.owner_id, md5('ticket ' || n)::uuid, n, 'Ticket ' || n, 'new', 'normal',
           md5('1 customer ' || 1 + n % (20000 / current_setting('bench.scale')::integer))::uuid, project.id,
           timestamptz '2026-01-01' + n * interval '1 minute', 'bench', timestamptz '2026-01-01' + n * interval '1 minute', 'bench'
      FROM generate_series(1, 100000 / current_setting('bench.scale')::integer) AS n
      JOIN (SELECT *, row_number() OVER (ORDER BY name) AS place FROM ringfence.project
             WHERE owner_id = '00000000-0000-4000-8000-0000000000d1' AND (name ~ '^Project' OR name IN ('Sales', 'Support'))) AS project
        ON project.place = 1 + n % 10;

CREATE SCHEMA plain;
GRANT USAGE ON SCHEMA plain TO bench_plain, bench_switch;
CREATE TABLE plain.line (address text PRIMARY KEY, owner_id uuid NOT NULL, owner_name text NOT NULL, channel_id uuid NOT NULL, project_id uuid, project_name text);
INSERT INTO plain.line
    SELECT channel.normal_address, owner.id, owner.name, channel.id, project.id, project.name
      FROM ringfence.channel JOIN ringfence.owner ON owner.id = channel.owner_id LEFT JOIN ringfence.project ON project.id = channel.project_id;
CREATE TABLE plain.ticket (LIKE ringfence.ticket INCLUDING INDEXES);
INSERT INTO plain.ticket SELECT * FROM ringfence.ticket;
-- What is written while it is measured.
CREATE TABLE plain.new_ticket (LIKE ringfence.ticket INCLUDING INDEXES);
CREATE SEQUENCE plain.ticket_number;
ALTER TABLE plain.new_ticket ALTER number SET DEFAULT nextval('plain.ticket_number'), ALTER id SET DEFAULT gen_random_uuid(),
    ALTER status SET DEFAULT 'new', ALTER priority SET DEFAULT 'normal', ALTER created_at SET DEFAULT now(), ALTER created_by SET DEFAULT current_user,
    ALTER updated_at SET DEFAULT now(), ALTER updated_by SET DEFAULT current_user;
CREATE TABLE plain.new_customer (LIKE ringfence.customer INCLUDING INDEXES);

-- As an application keeps calls by hand: its indexes without the one of ringfence's search, and foreign keys.
CREATE TABLE plain.customer (LIKE ringfence.customer, phone text, PRIMARY KEY (owner_id, id)) WITH (fillfactor = 90);
INSERT INTO plain.customer SELECT customer.*, customer.normal_phones[1] FROM ringfence.customer;
CREATE INDEX ON plain.customer (owner_id, phone);
CREATE INDEX ON plain.customer (owner_id, name, id);
CREATE INDEX ON plain.customer (owner_id, created_at, id);
CREATE INDEX ON plain.customer (owner_id, last_activity_at, id);
CREATE INDEX ON plain.customer (owner_id, last_activity_at DESC NULLS LAST, id);
CREATE TABLE plain.interaction (LIKE ringfence.interaction INCLUDING INDEXES, FOREIGN KEY (owner_id, customer_id) REFERENCES plain.customer);
ALTER TABLE plain.interaction ALTER id SET DEFAULT gen_random_uuid(), ALTER direction SET DEFAULT 'in', ALTER agent SET DEFAULT current_user,
    ALTER started_at SET DEFAULT now(), ALTER created_at SET DEFAULT now(), ALTER created_by SET DEFAULT current_user,
    ALTER updated_at SET DEFAULT now(), ALTER updated_by SET DEFAULT current_user;
CREATE TABLE plain.question (LIKE ringfence.question, PRIMARY KEY (owner_id, id));
CREATE TABLE plain.answer (LIKE ringfence.answer, PRIMARY KEY (owner_id, id));
CREATE TABLE plain.response (LIKE ringfence.response INCLUDING INDEXES, FOREIGN KEY (owner_id, interaction_id) REFERENCES plain.interaction,
    FOREIGN KEY (owner_id, question_id) REFERENCES plain.question, FOREIGN KEY (owner_id, answer_id) REFERENCES plain.answer);
ALTER TABLE plain.response ALTER id SET DEFAULT gen_random_uuid(), ALTER created_at SET DEFAULT now(), ALTER created_by SET DEFAULT current_user,
    ALTER updated_at SET DEFAULT now(), ALTER updated_by SET DEFAULT current_user;
GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA plain TO bench_plain;
GRANT USAGE ON SEQUENCE plain.ticket_number TO bench_plain;
GRANT SELECT ON plain.line TO bench_switch;
