-- name: what rows are called, and their ids.

CREATE FUNCTION ringfence.new_id() RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL SAFE STRICT AS 'MODULE_PATHNAME', 'new_id_wrapper';
REVOKE ALL ON FUNCTION ringfence.new_id() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.new_id() TO ringfence_user, ringfence_admin;
COMMENT ON FUNCTION ringfence.new_id() IS 'A new id: UUIDv7 (RFC 9562)';

CREATE FUNCTION ringfence.check_name(name text) RETURNS boolean
    LANGUAGE c IMMUTABLE PARALLEL SAFE STRICT AS 'MODULE_PATHNAME', 'check_name_wrapper';
REVOKE ALL ON FUNCTION ringfence.check_name(text) FROM PUBLIC;
-- ringfence_tables: what deletes a project writes its channels as the owner of their table.
GRANT EXECUTE ON FUNCTION ringfence.check_name(text) TO ringfence_user, ringfence_admin, ringfence_tables;
COMMENT ON FUNCTION ringfence.check_name(text) IS 'True, or error 22023 that says why it cannot be the name of an owner, project, field or profile';

CREATE FUNCTION ringfence.name_as_seen(name text) RETURNS text
    LANGUAGE c IMMUTABLE PARALLEL SAFE STRICT AS 'MODULE_PATHNAME', 'name_as_seen_wrapper';
REVOKE ALL ON FUNCTION ringfence.name_as_seen(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.name_as_seen(text) TO ringfence_user, ringfence_admin, ringfence_tables;
COMMENT ON FUNCTION ringfence.name_as_seen(text) IS 'A name in composed form, without invisible characters, and with one kind of space; two names of an owner may not have the same';

CREATE FUNCTION ringfence.can_be_seen(name text) RETURNS boolean
    LANGUAGE c IMMUTABLE PARALLEL SAFE STRICT AS 'MODULE_PATHNAME', 'can_be_seen_wrapper';
REVOKE ALL ON FUNCTION ringfence.can_be_seen(text) FROM PUBLIC;
-- ringfence_tables calls it too: deleting a company updates its customers as the owner of their table, and an index is
-- checked as the owner of its table.
GRANT EXECUTE ON FUNCTION ringfence.can_be_seen(text) TO ringfence_user, ringfence_admin, ringfence_tables;
COMMENT ON FUNCTION ringfence.can_be_seen(text) IS 'Whether a name has more than spaces and invisible characters';
