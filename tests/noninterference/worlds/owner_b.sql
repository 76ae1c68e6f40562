-- A neighbour, made to collide with owner A: the same names, phones, e-mails, fields, unique values, projects and profiles, and
-- what A must never read. `letter` is where its ids sort; its customers are those from `first` to `last`.
BEGIN;
CALL setup.owner(:'letter', :'name', 'PL');
CALL setup.project(:'letter', 'Sales');
CALL setup.project(:'letter', 'Support');
CALL setup.project(:'letter', 'CANARY project');
CALL setup.channel(:'letter', 'phone', '+8862234567' || ascii(:'letter'), 'Sales');
CALL setup.channel(:'letter', 'email', 'CANARY@' || :'letter' || '.example', NULL);
INSERT INTO ringfence.profile (owner_id, id, name, description, rights)
    VALUES (setup.id(:'letter' || ' owner'), setup.id(:'letter' || ' profile reader'), 'reader', 'CANARY profile', '{customer.read,ticket.read}');
INSERT INTO ringfence.source (owner_id, id, name)
    VALUES (setup.id(:'letter' || ' owner'), setup.id(:'letter' || ' source CRM'), 'CRM'), (setup.id(:'letter' || ' owner'), setup.id(:'letter' || ' source CANARY'), 'CANARY source'),
           -- One that programs may name.
           (setup.id(:'letter' || ' owner'), setup.id(:'letter' || ' source Billing'), 'Billing');
SET LOCAL ROLE ni_setup;
SELECT ringfence.grant_access('ni_admin', :'name', '{admin}');
COMMIT;
BEGIN;
SET LOCAL ROLE ni_admin;
SELECT set_config('ringfence.owner', :'name', true);
CALL setup.field(:'letter', 'ticket', 'text', '{Sales,Support}', is_searchable => true, is_unique => true);
CALL setup.field(:'letter', 'note', 'text', '{Sales}', is_searchable => true);
CALL setup.field(:'letter', 'ssn', 'text', '{Sales}', is_searchable => true, is_unique => true);
CALL setup.field(:'letter', 'budget', 'text', '{Support}', is_masked => true);
CALL setup.field(:'letter', 'vip', 'choice', '{Sales}', '{yes,no}');
CALL setup.field(:'letter', 'CANARY field', 'text', '{Sales}');
CALL setup.field(:'letter', 'loose', 'text', '{}');
INSERT INTO ringfence.company (name, description) SELECT 'Firm ' || n, 'CANARY firm' FROM generate_series(1, 40) AS n;
COMMIT;
CALL setup.import(:'letter', 'CANARY');
SET session_replication_role = replica;
UPDATE ringfence.company SET id = setup.id(:'letter' || ' company ' || name) WHERE owner_id = setup.id(:'letter' || ' owner');
SET session_replication_role = origin;
