-- token: the keys that sign tokens.

-- Of the installation, not of an owner: so it has no owner_id, and no wall. Nobody but the definer reads it, whatever
-- else a role may read (pg_read_all_data): row-level security is forced, and lets the definer through alone.
CREATE TABLE ringfence.signing_key_material (
    id        uuid PRIMARY KEY DEFAULT ringfence.new_id(),
    kid       text NOT NULL UNIQUE,
    algorithm text NOT NULL,
    material  text NOT NULL,
    added_at  timestamptz NOT NULL DEFAULT now(),
    added_by  text NOT NULL
);
ALTER TABLE ringfence.signing_key_material OWNER TO ringfence_tables;
GRANT SELECT, INSERT, DELETE ON ringfence.signing_key_material TO ringfence_definer;
SELECT pg_extension_config_dump('ringfence.signing_key_material', '');
COMMENT ON TABLE ringfence.signing_key_material IS 'The keys that tokens are verified with. Written by add_signing_key() and drop_signing_key() only; view signing_key shows what may be seen';
COMMENT ON COLUMN ringfence.signing_key_material.id IS 'The key itself; a kid may be used again for another one';
COMMENT ON COLUMN ringfence.signing_key_material.kid IS 'The key id that the header of a token names';
COMMENT ON COLUMN ringfence.signing_key_material.algorithm IS 'The only algorithm it is for: EdDSA, ES256, RS256 or HS256';
COMMENT ON COLUMN ringfence.signing_key_material.material IS 'The public key in PEM form; for HS256 the shared secret';

ALTER TABLE ringfence.signing_key_material ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY definer_only ON ringfence.signing_key_material FOR ALL TO ringfence_definer USING (true) WITH CHECK (true);
SELECT ringfence.decide_from('ringfence.signing_key_material');
-- Statistics would be a copy of the keys. The planner has no use for them.
ALTER TABLE ringfence.signing_key_material ALTER COLUMN material SET STATISTICS 0;

CREATE VIEW ringfence.signing_key WITH (security_barrier) AS
    SELECT kid, algorithm, added_at, added_by FROM ringfence.signing_key_material;
ALTER VIEW ringfence.signing_key OWNER TO ringfence_definer;
GRANT SELECT ON ringfence.signing_key TO ringfence_admin;
COMMENT ON VIEW ringfence.signing_key IS 'The keys that sign tokens, without the keys themselves. For ringfence_admin';
COMMENT ON COLUMN ringfence.signing_key.kid IS 'The key id that the header of a token names';
COMMENT ON COLUMN ringfence.signing_key.algorithm IS 'The only algorithm it is for';
COMMENT ON COLUMN ringfence.signing_key.added_by IS 'The role that added it';

-- Not SECURITY DEFINER, for the reason of grant_access().
CREATE FUNCTION ringfence.add_signing_key(kid text, algorithm text, key text) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'add_signing_key_wrapper';
REVOKE ALL ON FUNCTION ringfence.add_signing_key(text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.add_signing_key(text, text, text) TO ringfence_admin;
COMMENT ON FUNCTION ringfence.add_signing_key(text, text, text) IS
    'Lets tokens count that are signed with this key: algorithm EdDSA, ES256 or RS256 with a public key in PEM form, or HS256 with a secret of at least 32 bytes. Pass the key as a parameter. Error 22023: no such key or algorithm; 23505: the kid is taken';

CREATE FUNCTION ringfence.drop_signing_key(kid text) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'drop_signing_key_wrapper';
REVOKE ALL ON FUNCTION ringfence.drop_signing_key(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.drop_signing_key(text) TO ringfence_admin;
COMMENT ON FUNCTION ringfence.drop_signing_key(text) IS
    'Tokens signed with this key count no more, at the next statement of every session. Error P0002: there is no such key';

CREATE FUNCTION ringfence.login(token text) RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'login_wrapper';
REVOKE ALL ON FUNCTION ringfence.login(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.login(text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.login(text) IS
    'As enter(), by a signed token (JWT) with claims owner, exp and optionally project, sub, source, nbf, role, database, rights; returns the owner''s id. Pass the token as a parameter. Error 28000: the token is not good; else as enter()';
