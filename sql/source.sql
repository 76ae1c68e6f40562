-- source: the systems that write customers of an owner, such as CRM, ERP and ticketing.

CREATE TABLE ringfence.source (
    owner_id     uuid NOT NULL DEFAULT ringfence.current_owner() REFERENCES ringfence.owner ON DELETE CASCADE,
    id           uuid NOT NULL DEFAULT ringfence.new_id(),
    name         text NOT NULL CHECK (ringfence.check_name(name)),
    description  text,
    created_at   timestamptz NOT NULL DEFAULT now(),
    retired_at   timestamptz,
    -- No foreign key: no source is deleted alone, and pg_dump warns of a table that refers to itself.
    successor_id uuid,
    PRIMARY KEY (owner_id, id),
    UNIQUE (owner_id, name),
    CHECK ((retired_at IS NULL) = (successor_id IS NULL) AND successor_id <> id)
);
CREATE UNIQUE INDEX source_name_as_seen ON ringfence.source (owner_id, ringfence.name_as_seen(name));
COMMENT ON INDEX ringfence.source_name_as_seen IS 'No two sources of an owner have names that look the same';
COMMENT ON TABLE ringfence.source IS 'Systems that write customers of an owner';
COMMENT ON COLUMN ringfence.source.name IS 'Unique within the owner, and never changed: access names it, and a session sets ringfence.source to it';
COMMENT ON COLUMN ringfence.source.retired_at IS 'When the source stopped writing. No session can be a retired source';
COMMENT ON COLUMN ringfence.source.successor_id IS 'The source that has what belonged to this one';

SELECT ringfence.wall('ringfence.source', 'customer.read', 'source.manage', 'source.manage');
SELECT ringfence.decide_from('ringfence.source');
-- A name is not changed, since access goes by it. A source is not deleted, but retired.
GRANT SELECT (owner_id, id, name, description, created_at, retired_at, successor_id), INSERT (owner_id, name, description),
      UPDATE (owner_id, description)
    ON ringfence.source TO ringfence_user;

CREATE FUNCTION ringfence.create_source(name text, description text DEFAULT NULL) RETURNS uuid
    LANGUAGE sql VOLATILE
    BEGIN ATOMIC
        INSERT INTO ringfence.source (name, description) VALUES (create_source.name, create_source.description) RETURNING id;
    END;
REVOKE ALL ON FUNCTION ringfence.create_source(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.create_source(text, text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.create_source(text, text) IS
    'Adds a source system to the session''s owner, and returns its id. Needs source.manage. Error 23505: the name is taken; 22023: it cannot be a name';

CREATE FUNCTION ringfence.current_source_id() RETURNS uuid
    LANGUAGE c STABLE PARALLEL SAFE STRICT AS 'MODULE_PATHNAME', 'current_source_id_wrapper';
REVOKE ALL ON FUNCTION ringfence.current_source_id() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.current_source_id() TO ringfence_user, ringfence_admin;
COMMENT ON FUNCTION ringfence.current_source_id() IS
    'The id of the source system that the session writes as, or NULL. Error 42501: the access does not name it; P0002: the owner has no such source';
