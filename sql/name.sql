-- name: what rows are called, and their ids.

CREATE FUNCTION ringfence.new_id() RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL SAFE STRICT AS 'MODULE_PATHNAME', 'new_id_wrapper';
REVOKE ALL ON FUNCTION ringfence.new_id() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.new_id() TO ringfence_user, ringfence_admin;
COMMENT ON FUNCTION ringfence.new_id() IS 'A new id: UUIDv7 (RFC 9562)';

CREATE FUNCTION ringfence.check_name(name text) RETURNS boolean
    LANGUAGE c IMMUTABLE PARALLEL SAFE STRICT AS 'MODULE_PATHNAME', 'check_name_wrapper';
REVOKE ALL ON FUNCTION ringfence.check_name(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.check_name(text) TO ringfence_user, ringfence_admin;
COMMENT ON FUNCTION ringfence.check_name(text) IS 'True, or error 22023 that says why it cannot be the name of an owner, project, field or profile';
