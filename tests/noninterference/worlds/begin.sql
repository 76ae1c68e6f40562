-- What the rest of the set-up uses. As superuser.
SET client_min_messages = warning;
CREATE SCHEMA setup;

-- When a table was vacuumed or analysed last must not depend on chance.
DO $autovacuum$
DECLARE
    target regclass;
BEGIN
    FOR target IN SELECT oid FROM pg_class WHERE relnamespace = 'ringfence'::regnamespace AND relkind = 'r' LOOP
        EXECUTE format('ALTER TABLE %s SET (autovacuum_enabled = off)', target);
    END LOOP;
END
$autovacuum$;

-- An id that is the same in every database, and that no generated id (version 7) can be taken for.
CREATE FUNCTION setup.id(what text) RETURNS uuid LANGUAGE sql IMMUTABLE
    RETURN overlay(overlay(md5(what) PLACING '4' FROM 13) PLACING left(what, 1) FROM 1)::uuid;

-- An owner as provisioning makes it, but with ids that are the same in every database; `letter` is where it sorts.
CREATE PROCEDURE setup.owner(letter text, name text, country text) LANGUAGE plpgsql AS $owner$
DECLARE
    new_id CONSTANT uuid := setup.id(letter || ' owner');
BEGIN
    INSERT INTO ringfence.owner (id, name, description, country) VALUES (new_id, owner.name, 'The owner ' || owner.name, owner.country);
    SET LOCAL session_replication_role = replica;
    UPDATE ringfence.profile AS p SET id = setup.id(letter || ' profile ' || p.name) WHERE owner_id = new_id;
    UPDATE ringfence.field AS f SET id = setup.id(letter || ' field ' || f.name) WHERE owner_id = new_id;
    UPDATE ringfence.project AS p SET id = setup.id(letter || ' project ' || p.name) WHERE owner_id = new_id;
    SET LOCAL session_replication_role = origin;
END
$owner$;

CREATE PROCEDURE setup.project(letter text, name text) LANGUAGE plpgsql AS $project$
BEGIN
    INSERT INTO ringfence.project (owner_id, id, name, description)
        VALUES (setup.id(letter || ' owner'), setup.id(letter || ' project ' || name), name, 'The project ' || name);
END
$project$;

CREATE PROCEDURE setup.channel(letter text, kind text, address text, project text) LANGUAGE plpgsql AS $channel$
BEGIN
    INSERT INTO ringfence.channel (owner_id, id, kind, address, normal_address, project_id, name)
        VALUES (setup.id(letter || ' owner'), setup.id(letter || ' channel ' || address), kind, address, address,
                setup.id(letter || ' project ' || project), 'The channel ' || address);
END
$channel$;

-- Tickets with these numbers, of projects and customers in turn. `shift` changes what those of project Support say, and leaves some out of
-- those that who works in project Sales alone may not see.
CREATE PROCEDURE setup.tickets(letter text, first integer, last integer, subject text, shift integer) LANGUAGE plpgsql AS $tickets$
BEGIN
    INSERT INTO ringfence.ticket (owner_id, id, number, subject, status, customer_id, project_id, assignee)
        SELECT setup.id(letter || ' owner'), setup.id(letter || ' ticket ' || n), n,
               subject || ' ' || CASE n % 4 WHEN 1 THEN n + shift ELSE n END, CASE n % 3 WHEN 0 THEN 'closed' ELSE 'new' END, customer.id,
               CASE n % 4 WHEN 0 THEN setup.id(letter || ' project Sales') WHEN 1 THEN setup.id(letter || ' project Support') END, 'agent ' || n % 5
          FROM generate_series(first, last) AS n
          LEFT JOIN ringfence.customer ON customer.owner_id = setup.id(letter || ' owner') AND customer.id = setup.id(letter || ' customer ' || n)
         WHERE shift = 0 OR n % 8 NOT IN (1, 2);
END
$tickets$;

-- Interactions of projects and customers in turn, with external ids that collide, and some left out as tickets are; and a script of project Sales, with answers to it.
CREATE PROCEDURE setup.interactions(letter text, first integer, last integer, notes text, shift integer) LANGUAGE plpgsql AS $interactions$
#variable_conflict use_variable
DECLARE
    owner CONSTANT uuid := setup.id(letter || ' owner');
BEGIN
    INSERT INTO ringfence.interaction (owner_id, id, kind, customer_id, ticket_id, project_id, agent, started_at, notes, external_id)
        SELECT owner, setup.id(letter || ' interaction ' || n), CASE n % 3 WHEN 0 THEN 'email' ELSE 'call' END, customer.id, ticket.id,
               CASE n % 4 WHEN 0 THEN setup.id(letter || ' project Sales') WHEN 1 THEN setup.id(letter || ' project Support') END, 'agent ' || n % 5,
               '2025-01-01 10:00+00', notes || ' ' || CASE n % 4 WHEN 1 THEN n + shift ELSE n END,
               -- An external id is unique within the owner: it tells that it is taken.
               CASE WHEN n % 8 NOT IN (1, 2) THEN 'call-' || n END
          FROM generate_series(first, last) AS n
          LEFT JOIN ringfence.customer ON customer.owner_id = owner AND customer.id = setup.id(letter || ' customer ' || n)
          LEFT JOIN ringfence.ticket ON ticket.owner_id = owner AND ticket.id = setup.id(letter || ' ticket ' || n)
         WHERE shift = 0 OR n % 8 NOT IN (1, 2);
    INSERT INTO ringfence.script (owner_id, id, project_id, name)
        VALUES (owner, setup.id(letter || ' script'), setup.id(letter || ' project Sales'), 'Selling') ON CONFLICT DO NOTHING;
    INSERT INTO ringfence.question (owner_id, id, script_id, project_id, position, text)
        VALUES (owner, setup.id(letter || ' question'), setup.id(letter || ' script'), setup.id(letter || ' project Sales'), 1, notes || '?') ON CONFLICT DO NOTHING;
    INSERT INTO ringfence.answer (owner_id, id, script_id, project_id, question_id, position, name)
        VALUES (owner, setup.id(letter || ' answer'), setup.id(letter || ' script'), setup.id(letter || ' project Sales'), setup.id(letter || ' question'), 1, notes)
        ON CONFLICT DO NOTHING;
    INSERT INTO ringfence.response (owner_id, id, interaction_id, project_id, question_id, answer_id, question, answer, value)
        SELECT owner, setup.id(letter || ' response ' || interaction.id), interaction.id, interaction.project_id, setup.id(letter || ' question'), setup.id(letter || ' answer'), notes || '?', notes, interaction.notes
          FROM ringfence.interaction WHERE interaction.owner_id = owner ON CONFLICT DO NOTHING;
END
$interactions$;

-- A template that imports names and phones, and looks customers up by phone.
CREATE PROCEDURE setup.import(letter text, constant text) LANGUAGE plpgsql AS $import$
BEGIN
    INSERT INTO ringfence.import_template (owner_id, id, name, project_id, mode, match_field)
        VALUES (setup.id(letter || ' owner'), setup.id(letter || ' template'), 'Import', NULL, 'upsert', 'phone');
    INSERT INTO ringfence.import_mapping (owner_id, template_id, position, target, source)
        VALUES (setup.id(letter || ' owner'), setup.id(letter || ' template'), 1, 'name', constant || ' {{n}}'), (setup.id(letter || ' owner'), setup.id(letter || ' template'), 2, 'phones', '{{p}}');
END
$import$;

-- By the SQL of who manages fields, then with an id that is the same in every database, then bound.
CREATE PROCEDURE setup.field(letter text, name text, type text, projects text[], options text[] DEFAULT NULL,
                             is_masked boolean DEFAULT false, is_searchable boolean DEFAULT false, is_unique boolean DEFAULT false)
    LANGUAGE plpgsql AS $field$
DECLARE
    project text;
    made    uuid;
BEGIN
    made := ringfence.create_field(name, type, '{}', 'The field ' || name, options, is_masked, is_searchable, is_unique => is_unique);
    RESET ROLE;
    SET LOCAL session_replication_role = replica;
    UPDATE ringfence.field AS f SET id = setup.id(letter || ' field ' || f.name) WHERE f.id = made;
    SET LOCAL session_replication_role = origin;
    SET LOCAL ROLE ni_admin;
    FOREACH project IN ARRAY projects LOOP
        PERFORM ringfence.bind_field(name, project);
    END LOOP;
END
$field$;
GRANT USAGE ON SCHEMA setup TO PUBLIC;
