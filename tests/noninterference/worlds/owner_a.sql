-- Owner A, whose sessions are looked at, and owner C, of whom one role has access too: the same in both worlds.
BEGIN;
CALL setup.owner('a', 'Company A', 'TW');
CALL setup.owner('c', 'Company C', 'DE');
CALL setup.project('a', 'Sales');
CALL setup.project('a', 'Support');
CALL setup.project('a', 'Closed');
CALL setup.project('c', 'Sales');
CALL setup.project('c', 'Support');
CALL setup.channel('a', 'phone', '+886223456789', 'Sales');
CALL setup.channel('a', 'email', 'help@a.example', 'Support');
CALL setup.channel('a', 'chat', 'a', NULL);
CALL setup.channel('c', 'phone', '+4930123456', 'Sales');
INSERT INTO ringfence.profile (owner_id, id, name, description, rights)
    VALUES (setup.id('a owner'), setup.id('a profile reader'), 'reader', 'Reads', '{customer.read}'),
           (setup.id('a owner'), setup.id('a profile fields'), 'fields', 'Fields, not what is masked',
            '{customer.read,customer.write,customer.delete,field.manage,project.manage}');
INSERT INTO ringfence.source (owner_id, id, name)
    VALUES (setup.id('a owner'), setup.id('a source CRM'), 'CRM'), (setup.id('a owner'), setup.id('a source ERP'), 'ERP');
INSERT INTO ringfence.authority (owner_id, id, field_id, source_id)
    SELECT field.owner_id, setup.id('a authority language'), field.id, setup.id('a source CRM') FROM ringfence.field
     WHERE field.owner_id = setup.id('a owner') AND field.name = 'language';

SET LOCAL ROLE ni_setup;
SELECT ringfence.grant_access('ni_agent', 'Company A', '{agent}'),
       ringfence.grant_access('ni_supervisor', 'Company A', '{supervisor}'),
       ringfence.grant_access('ni_admin', 'Company A', '{admin}'),
       ringfence.grant_access('ni_trainee', 'Company A', '{trainee}'),
       ringfence.grant_access('ni_fields', 'Company A', '{fields}'),
       ringfence.grant_access('ni_both', 'Company A', '{agent}'),
       ringfence.grant_access('ni_both', 'Company C', '{supervisor}'),
       ringfence.grant_access('ni_sales', 'Company A', '{agent,customer.delete}', 'Sales'),
       ringfence.grant_access('ni_propose', 'Company A', '{customer.read,customer.propose,field.unmask}'),
       ringfence.grant_access('ni_admin', 'Company C', '{admin}');
COMMIT;

BEGIN;
SET LOCAL ROLE ni_admin;
SET LOCAL ringfence.owner = 'Company A';
CALL setup.field('a', 'ticket', 'text', '{Sales,Support}', is_searchable => true, is_unique => true);
CALL setup.field('a', 'note', 'text', '{Sales}', is_searchable => true);
CALL setup.field('a', 'ssn', 'text', '{Sales,Support}', is_masked => true, is_searchable => true, is_unique => true);
CALL setup.field('a', 'salary', 'number', '{Sales,Support}', is_masked => true);
CALL setup.field('a', 'budget', 'number', '{Sales}');
CALL setup.field('a', 'vip', 'boolean', '{Sales,Support}');
CALL setup.field('a', 'since', 'date', '{Sales}');
CALL setup.field('a', 'call_at', 'time', '{Support}');
CALL setup.field('a', 'met_at', 'datetime', '{Sales}');
CALL setup.field('a', 'plan', 'choice', '{Sales,Support}', '{basic,gold,platinum}');
CALL setup.field('a', 'tags', 'choices', '{Sales}', '{red,green,blue}');
CALL setup.field('a', 'mobile', 'phone', '{Sales}', is_searchable => true, is_unique => true);
CALL setup.field('a', 'second_mail', 'email', '{Sales}', is_searchable => true);
CALL setup.field('a', 'complaint', 'text', '{Support}', is_searchable => true);
CALL setup.field('a', 'loose', 'text', '{}');
SELECT ringfence.create_report_view('Sales', 'a_sales'), ringfence.create_report_view('Support', 'a_support'),
    ringfence.create_report_view('Sales', 'a_sales_calls', 'interaction'), ringfence.create_report_view('Support', 'a_support_calls', 'interaction');
INSERT INTO ringfence.company (name, description) SELECT 'Firm ' || n, 'A firm' FROM generate_series(1, 20) AS n;
COMMIT;

-- The ids of what was made without one.
SET session_replication_role = replica;
UPDATE ringfence.company SET id = setup.id('a company ' || name) WHERE owner_id = setup.id('a owner');
SET session_replication_role = origin;

BEGIN;
SET LOCAL ROLE ni_admin;
SET LOCAL ringfence.owner = 'Company A';
SET LOCAL ringfence.source = 'CRM';
INSERT INTO ringfence.customer_card (id, name, phones, emails, address, birth_date, language, company_id, last_activity_at, attributes)
SELECT setup.id('a customer ' || n), person.name, person.phones, person.emails, person.address, person.born, person.language,
       CASE WHEN n % 3 = 0 THEN setup.id('a company Firm ' || n % 20 + 1) END, person.active,
       jsonb_strip_nulls(jsonb_build_object(
           'ticket', CASE WHEN n % 2 = 0 THEN 'T-' || n END, 'note', CASE WHEN n % 4 = 0 THEN 'note ' || n % 7 END,
           'ssn', CASE WHEN ssn_of.shown THEN 'S' || ssn_of.shift + n END, 'salary', CASE WHEN ssn_of.shown THEN ssn_of.shift + n % 10 END,
           'budget', CASE WHEN n % 5 = 0 THEN n * 10 END, 'vip', CASE WHEN n % 6 = 0 THEN n % 4 = 0 END,
           'since', CASE WHEN n % 7 = 0 THEN '2024-01-' || lpad((n % 28 + 1)::text, 2, '0') END,
           'plan', CASE n % 4 WHEN 0 THEN 'basic' WHEN 1 THEN 'gold' END, 'tags', CASE WHEN n % 5 = 1 THEN '["red", "blue"]'::jsonb END,
           'mobile', CASE WHEN n % 10 = 0 THEN '0912 000 ' || lpad(n::text, 3, '0') END,
           'complaint', CASE WHEN complaint_of.shown THEN 'complaint ' || complaint_of.shift + n % 9 END))
  FROM generate_series(1, :customers) AS n
 CROSS JOIN LATERAL setup.person(n) AS person
 -- What a second kind of run changes: values that most sessions may not see.
 CROSS JOIN LATERAL (SELECT :masked_shift AS shift, (n + :masked_shift) % 3 <> 0 AS shown) AS ssn_of
 CROSS JOIN LATERAL (SELECT :hidden_shift AS shift, (n + :hidden_shift) % 4 <> 0 AS shown) AS complaint_of;
COMMIT;
-- What was changed, left out and proposed of such values.
INSERT INTO ringfence.authority (owner_id, id, field_id, source_id)
    SELECT field.owner_id, setup.id('a authority ' || field.name), field.id, setup.id('a source ERP') FROM ringfence.field
     WHERE field.owner_id = setup.id('a owner') AND field.name IN ('ssn', 'complaint');
CREATE FUNCTION setup.other(attributes jsonb, n integer, masked_shift integer, hidden_shift integer) RETURNS jsonb LANGUAGE sql AS $$
    SELECT attributes || jsonb_build_object(
        'ssn', CASE WHEN NOT attributes ? 'ssn' OR (n + masked_shift) % 2 = 0 THEN 'other ' || masked_shift + n END,
        'complaint', CASE WHEN NOT attributes ? 'complaint' OR (n + hidden_shift) % 2 = 0 THEN 'other ' || hidden_shift + n END)
$$;
GRANT EXECUTE ON FUNCTION setup.other(jsonb, integer, integer, integer) TO PUBLIC;
BEGIN;
SET LOCAL ROLE ni_admin;
SET LOCAL ringfence.owner = 'Company A';
SET LOCAL ringfence.source = 'ERP';
UPDATE ringfence.customer_card AS c SET attributes = setup.other(c.attributes, n, :masked_shift, :hidden_shift)
  FROM generate_series(1, 15) AS n WHERE c.id = setup.id('a customer ' || n);
SET LOCAL ringfence.source = 'CRM';
SET LOCAL ringfence.on_foreign_datum = 'skip';
UPDATE ringfence.customer_card AS c SET attributes = setup.other(c.attributes, n, :masked_shift, :hidden_shift)
  FROM generate_series(16, 25) AS n WHERE c.id = setup.id('a customer ' || n);
COMMIT;
BEGIN;
SET LOCAL ROLE ni_propose;
SET LOCAL ringfence.owner = 'Company A';
UPDATE ringfence.customer_card AS c SET attributes = setup.other(c.attributes, n, :masked_shift, :hidden_shift), address = 'proposed ' || n
  FROM generate_series(26, 30) AS n WHERE c.id = setup.id('a customer ' || n);
SET LOCAL ROLE ni_setup;
SELECT ringfence.grant_access('ni_propose', 'Company A', '{customer.read,customer.propose}');
COMMIT;
-- Most customers belong to no source.
SET session_replication_role = replica;
UPDATE ringfence.customer SET source_id = NULL WHERE owner_id = setup.id('a owner') AND right(id::text, 1) > '1';
SET session_replication_role = origin;
BEGIN;
SET LOCAL ROLE ni_admin;
SET LOCAL ringfence.owner = 'Company C';
INSERT INTO ringfence.customer_card (id, name, phones, emails, address, birth_date, language, last_activity_at)
SELECT setup.id('c customer ' || n), person.name, person.phones, person.emails, person.address, person.born, person.language, person.active
  FROM generate_series(1, 20) AS n CROSS JOIN LATERAL setup.person(n) AS person;
COMMIT;
CALL setup.tickets('a', 1, 60, 'Ticket', :hidden_shift);
CALL setup.tickets('c', 1, 10, 'Ticket', 0);
CALL setup.import('a', 'Imported');
CALL setup.interactions('a', 1, 60, 'Note', :hidden_shift);
CALL setup.interactions('c', 1, 10, 'Note', 0);
-- One that is disabled, though a role has access.
BEGIN;
CALL setup.owner('d', 'Company D', 'FR');
SET LOCAL ROLE ni_setup;
SELECT ringfence.grant_access('ni_agent', 'Company D', '{agent}');
RESET ROLE;
UPDATE ringfence.owner SET enabled = false WHERE name = 'Company D';
UPDATE ringfence.project SET enabled = false WHERE name = 'Closed';
COMMIT;
