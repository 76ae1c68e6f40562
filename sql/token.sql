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
COMMENT ON TABLE ringfence.signing_key_material IS 'The keys that tokens are verified with. Only add_signing_key() and drop_signing_key() write it; view signing_key shows all but the keys themselves';
COMMENT ON COLUMN ringfence.signing_key_material.id IS 'Identifies the key: after a key was dropped, its kid may name another one';
COMMENT ON COLUMN ringfence.signing_key_material.kid IS 'The key id that the header of a token names';
COMMENT ON COLUMN ringfence.signing_key_material.algorithm IS 'The only algorithm that the key is for: EdDSA, ES256, RS256 or HS256';
COMMENT ON COLUMN ringfence.signing_key_material.material IS 'The public key in PEM form, or the shared secret of HS256';

ALTER TABLE ringfence.signing_key_material ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY definer_only ON ringfence.signing_key_material FOR ALL TO ringfence_definer USING (true) WITH CHECK (true);
SELECT ringfence.decide_from('ringfence.signing_key_material');
-- Statistics would hold copies of keys, and the planner has no use for them.
ALTER TABLE ringfence.signing_key_material ALTER COLUMN material SET STATISTICS 0;

CREATE VIEW ringfence.signing_key WITH (security_barrier) AS
    SELECT kid, algorithm, added_at, added_by FROM ringfence.signing_key_material;
ALTER VIEW ringfence.signing_key OWNER TO ringfence_definer;
GRANT SELECT ON ringfence.signing_key TO ringfence_admin;
COMMENT ON VIEW ringfence.signing_key IS 'The keys that sign tokens, without the keys themselves. For ringfence_admin';
COMMENT ON COLUMN ringfence.signing_key.kid IS 'The key id that the header of a token names';
COMMENT ON COLUMN ringfence.signing_key.algorithm IS 'The only algorithm that the key is for';
COMMENT ON COLUMN ringfence.signing_key.added_by IS 'The role that added the key';

-- Not SECURITY DEFINER, for the same reason as grant_access().
CREATE FUNCTION ringfence.add_signing_key(kid text, algorithm text, key text) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'add_signing_key_wrapper';
REVOKE ALL ON FUNCTION ringfence.add_signing_key(text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.add_signing_key(text, text, text) TO ringfence_admin;
COMMENT ON FUNCTION ringfence.add_signing_key(text, text, text) IS
    'Adds a key that login() accepts tokens of: EdDSA, ES256 or RS256 with a public key in PEM form, or HS256 with a secret of at least 32 bytes. Error 22023: bad key or algorithm; 23505: the kid is taken';

CREATE FUNCTION ringfence.drop_signing_key(kid text) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'drop_signing_key_wrapper';
REVOKE ALL ON FUNCTION ringfence.drop_signing_key(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.drop_signing_key(text) TO ringfence_admin;
COMMENT ON FUNCTION ringfence.drop_signing_key(text) IS
    'Drops a key: every session that a token of it opened is refused from its next statement on. Error P0002: there is no such key';

CREATE FUNCTION ringfence.login(token text) RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'login_wrapper';
REVOKE ALL ON FUNCTION ringfence.login(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.login(text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.login(text) IS
    'Selects the owner of a signed token (JWT) as enter() does: claims owner, exp and optionally project, sub, source, nbf, role, database, rights. Error 28000: the token is refused; else as enter()';
