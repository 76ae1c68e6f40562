-- Tickets (A4, A9, A11, B17): what an owner's agents have to do, by project.
\set SHOW_CONTEXT never
\set VERBOSITY default
\pset null (null)
SET SESSION AUTHORIZATION app_a;
SET ringfence.agent = 'anna';
SELECT name, is_closed, position, created_by FROM ringfence.ticket_status ORDER BY position;
SELECT ringfence.open_ticket('a0000000-0000-0000-0000-000000000001', 'The kettle leaks') IS NOT NULL AS opened;
SELECT ringfence.open_ticket('a0000000-0000-0000-0000-000000000001', 'Where is my order?', 'Sales', 'Order 17', 'high', NULL, 'jan') IS NOT NULL AS opened;
SELECT ringfence.open_ticket(NULL, 'A call without a name', (SELECT id::text FROM ringfence.project WHERE name = 'Support')) IS NOT NULL AS opened;
SELECT number, subject, t.description, status, priority, c.name AS customer, p.name AS project, assignee, closed_at, t.created_by
  FROM ringfence.ticket t LEFT JOIN ringfence.customer c ON c.id = t.customer_id LEFT JOIN ringfence.project p ON p.id = t.project_id ORDER BY number;
-- In the session's project where none is named.
SET ringfence.project = 'Support';
SELECT ringfence.open_ticket('a0000000-0000-0000-0000-000000000002', 'In the project at hand') IS NOT NULL AS opened;
INSERT INTO ringfence.ticket (subject) VALUES ('By a plain INSERT') RETURNING number, status, priority, (SELECT name FROM ringfence.project WHERE id = project_id) AS project;
RESET ringfence.project;

-- What is refused.
SELECT ringfence.open_ticket('a0000000-0000-0000-0000-00000000dead', 'x');
SELECT ringfence.open_ticket(NULL, 'x', 'Nothing');
SELECT ringfence.open_ticket(NULL, ' ');
SELECT ringfence.open_ticket(NULL, NULL);
SELECT ringfence.open_ticket(NULL, 'x', priority => 'now');
SELECT ringfence.open_ticket(NULL, 'x', channel => 'a0000000-0000-0000-0000-00000000dead');
INSERT INTO ringfence.ticket (subject, status) VALUES ('x', 'nothing');
-- No number is lost by that.
INSERT INTO ringfence.ticket (subject) SELECT 'Several at once ' || n FROM generate_series(1, 3) AS n RETURNING number;
BEGIN;
SELECT ringfence.open_ticket(NULL, 'Undone') IS NOT NULL;
SAVEPOINT s;
INSERT INTO ringfence.ticket (subject) VALUES ('Undone too') RETURNING number;
ROLLBACK TO s;
INSERT INTO ringfence.ticket (subject) VALUES ('Undone too') RETURNING number;
ROLLBACK;
INSERT INTO ringfence.ticket (subject) VALUES ('After what was undone') RETURNING number;

-- What the server keeps is not the client's to write, and no error: clients write all columns that they have read.
INSERT INTO ringfence.ticket (number, subject, created_at, created_by, updated_at, updated_by, closed_at)
    VALUES (1000, 'All columns', '2000-01-01', 'x', '2000-01-01', 'x', '2000-01-01') RETURNING number, created_at = now() AS created_now, created_by, closed_at;
UPDATE ringfence.ticket SET number = 2000, created_by = 'x', updated_by = 'x', closed_at = now(), description = 'd' WHERE subject = 'All columns'
    RETURNING number, created_by, updated_by, closed_at, description;
-- A status that is closed closes.
UPDATE ringfence.ticket SET status = 'solved' WHERE subject = 'The kettle leaks' RETURNING status, closed_at = now() AS closed_now;
UPDATE ringfence.ticket SET status = 'closed' WHERE subject = 'The kettle leaks' RETURNING status, closed_at IS NOT NULL AS closed;
UPDATE ringfence.ticket SET status = 'open' WHERE subject = 'The kettle leaks' RETURNING status, closed_at;
INSERT INTO ringfence.ticket (subject, status) VALUES ('Done at once', 'closed') RETURNING status, closed_at = now() AS closed_now;

-- Statuses are the owner's own to change.
INSERT INTO ringfence.ticket_status (name) VALUES ('mine');
SET SESSION AUTHORIZATION boss_a;
INSERT INTO ringfence.ticket_status (name) VALUES ('waiting for the factory') RETURNING position, is_closed;
INSERT INTO ringfence.ticket_status (name) VALUES ('open');
INSERT INTO ringfence.ticket_status (name) VALUES (E'open\u200B');
UPDATE ringfence.ticket_status SET name = 'opened', position = 0 WHERE name = 'open' RETURNING name, updated_by;
SELECT status, count(*) FROM ringfence.ticket GROUP BY 1 ORDER BY 1;
DELETE FROM ringfence.ticket_status WHERE name = 'opened';
DELETE FROM ringfence.ticket_status WHERE name = 'pending';
INSERT INTO ringfence.ticket (subject) VALUES ('With the first status') RETURNING status;

-- By project: an agent of project P sees P's tickets and no others; those of no project take the right in all projects.
SELECT p.name AS project, count(*) FROM ringfence.ticket t LEFT JOIN ringfence.project p ON p.id = t.project_id GROUP BY 1 ORDER BY 1;
SET SESSION AUTHORIZATION dba;
SELECT ringfence.grant_access('sales_a', 'Company A', '{agent}', 'Sales');
SET SESSION AUTHORIZATION sales_a;
SELECT number, subject FROM ringfence.ticket ORDER BY number;
SELECT count(*) FROM ringfence.ticket WHERE project_id IS NULL;
UPDATE ringfence.ticket SET description = 'seen' RETURNING number;
DELETE FROM ringfence.ticket;
SELECT ringfence.open_ticket(NULL, 'Of all projects');
SELECT ringfence.open_ticket(NULL, 'Of another project', 'Support');
SELECT ringfence.open_ticket(NULL, 'Of my project', 'Sales') IS NOT NULL AS opened;
INSERT INTO ringfence.ticket (subject, project_id) VALUES ('Of my project', (SELECT id FROM ringfence.project)) RETURNING number;
UPDATE ringfence.ticket SET project_id = NULL WHERE subject = 'Of my project';
-- The number counts all tickets of the owner: it is the same for all projects.
SET SESSION AUTHORIZATION support_a;
SELECT count(*), count(*) FILTER (WHERE subject = 'Of my project') FROM ringfence.ticket;
-- Who holds the right in two projects sees those of both.
SET SESSION AUTHORIZATION dba;
SELECT ringfence.grant_access('sales_a', 'Company A', '{ticket.read}', 'Support');
SET SESSION AUTHORIZATION sales_a;
SELECT p.name, count(*) FROM ringfence.ticket t JOIN ringfence.project p ON p.id = t.project_id GROUP BY 1 ORDER BY 1;
UPDATE ringfence.ticket SET description = 'written' RETURNING (SELECT name FROM ringfence.project WHERE id = project_id) AS project;
SET SESSION AUTHORIZATION trainee_a;
UPDATE ringfence.ticket SET description = 'x';
INSERT INTO ringfence.ticket (subject) VALUES ('x');
SELECT count(*) > 10 AS reads FROM ringfence.ticket;
-- Who only writes, writes.
SET SESSION AUTHORIZATION dba;
SELECT ringfence.grant_access('app_none', 'Company A', '{ticket.write}');
SET SESSION AUTHORIZATION app_none;
INSERT INTO ringfence.ticket (subject, status) VALUES ('By who only writes', 'closed');
SELECT ringfence.open_ticket(NULL, 'By who only writes') IS NOT NULL AS opened;
SELECT count(*) FROM ringfence.ticket;
SET SESSION AUTHORIZATION boss_a;
SELECT count(DISTINCT number) = max(number) AND min(number) = 1 AS dense, count(*) FILTER (WHERE status = 'closed' AND closed_at IS NOT NULL) AS closed FROM ringfence.ticket;

-- A number is never given again.
SELECT max(number) AS last FROM ringfence.ticket \gset
DELETE FROM ringfence.ticket WHERE number > :last - 2;
INSERT INTO ringfence.ticket (subject) VALUES ('x') RETURNING number - :last AS after_the_last;
DELETE FROM ringfence.ticket WHERE number = 2;
INSERT INTO ringfence.ticket (subject) VALUES ('x') RETURNING number - :last AS after_the_last;
DELETE FROM ringfence.ticket;
INSERT INTO ringfence.ticket (subject) VALUES ('x') RETURNING number - :last AS after_the_last;

-- A ticket outlives its customer, project and channel.
SET SESSION AUTHORIZATION dba;
SELECT ringfence.assign_channel('Company A', 'phone', '0223456789') AS channel \gset
SET SESSION AUTHORIZATION boss_a;
INSERT INTO ringfence.customer_card (name) VALUES ('Gone soon') RETURNING id AS customer \gset
INSERT INTO ringfence.project (name) VALUES ('Over soon');
SELECT ringfence.open_ticket(:'customer', 'Left over', 'Over soon', channel => :'channel') IS NOT NULL AS opened;
DELETE FROM ringfence.customer WHERE id = :'customer';
DELETE FROM ringfence.project WHERE name = 'Over soon';
SET SESSION AUTHORIZATION dba;
SELECT ringfence.release_channel('phone', '0223456789');
SET SESSION AUTHORIZATION boss_a;
SELECT subject, customer_id, project_id, channel_id FROM ringfence.ticket WHERE subject = 'Left over';
-- An owner that has tickets is not deleted by mistake; a new one starts at 1.
SET SESSION AUTHORIZATION dba;
SELECT ringfence.create_owner('Company D') IS NOT NULL AS created;
SELECT ringfence.grant_access('boss_a', 'Company D', '{admin}');
SET SESSION AUTHORIZATION boss_a;
BEGIN;
SET LOCAL ringfence.owner = 'Company D';
INSERT INTO ringfence.ticket (subject) VALUES ('The first') RETURNING number, status;
COMMIT;
SET SESSION AUTHORIZATION dba;
DELETE FROM ringfence.owner WHERE name = 'Company D';
SET SESSION AUTHORIZATION boss_a;
BEGIN;
SET LOCAL ringfence.owner = 'Company D';
DELETE FROM ringfence.ticket;
COMMIT;
SET SESSION AUTHORIZATION dba;
DELETE FROM ringfence.owner WHERE name = 'Company D';

-- A superuser who restores writes what is there.
RESET SESSION AUTHORIZATION;
INSERT INTO ringfence.ticket (owner_id, number, subject, status, created_by, closed_at, project_id)
    VALUES ('bbbbbbbb-0000-0000-0000-000000000002', 41, 'Restored', 'closed', 'x', '2020-01-01', NULL) RETURNING number, created_by, closed_at IS NOT NULL AS closed;
SET SESSION AUTHORIZATION app_b;
INSERT INTO ringfence.ticket (subject) VALUES ('The next') RETURNING number;

-- A project's tickets are read by an index, whether the session names the project or not.
SET SESSION AUTHORIZATION sales_a;
EXPLAIN (COSTS OFF) SELECT subject FROM ringfence.ticket;
EXPLAIN (COSTS OFF) SELECT subject FROM ringfence.ticket WHERE project_id = '11111111-1111-1111-1111-111111111111' ORDER BY created_at DESC, id DESC LIMIT 50;
EXPLAIN (COSTS OFF) SELECT subject FROM ringfence.ticket ORDER BY created_at DESC, id DESC LIMIT 50;
EXPLAIN (COSTS OFF) SELECT subject FROM ringfence.ticket WHERE number = 7;
EXPLAIN (COSTS OFF) SELECT subject FROM ringfence.ticket WHERE customer_id = 'a0000000-0000-0000-0000-000000000001';
EXPLAIN (COSTS OFF) UPDATE ringfence.ticket SET subject = 'x';

-- Tickets that were loaded with their numbers: these are not given again either.
SET SESSION AUTHORIZATION dba;
SELECT ringfence.create_owner('Company E') IS NOT NULL AS created;
SELECT ringfence.grant_access('boss_a', 'Company E', '{admin}');
RESET SESSION AUTHORIZATION;
INSERT INTO ringfence.ticket (owner_id, subject, status, number, project_id, created_by, updated_by)
    SELECT id, 'Loaded', 'new', 41, NULL, 'loader', 'loader' FROM ringfence.owner WHERE name = 'Company E';
SET SESSION AUTHORIZATION boss_a;
BEGIN;
SET LOCAL ringfence.owner = 'Company E';
DELETE FROM ringfence.ticket;
INSERT INTO ringfence.ticket (subject) VALUES ('After it') RETURNING number;
ROLLBACK;
