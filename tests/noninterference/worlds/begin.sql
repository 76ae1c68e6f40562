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
