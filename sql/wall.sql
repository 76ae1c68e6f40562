-- wall: the one mechanism that keeps owners apart.

CREATE FUNCTION ringfence.require_right() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'require_right_wrapper';
REVOKE ALL ON FUNCTION ringfence.require_right() FROM PUBLIC;
COMMENT ON FUNCTION ringfence.require_right() IS
    'Trigger: error 42501 for a statement that writes without the right that the trigger names, where row-level security binds';

CREATE FUNCTION ringfence.forget_decisions() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'forget_decisions_wrapper';
REVOKE ALL ON FUNCTION ringfence.forget_decisions() FROM PUBLIC;
COMMENT ON FUNCTION ringfence.forget_decisions() IS 'Trigger: a table that access is decided from has changed; every backend decides anew';

-- All that a table of the extension needs to be safe: for the extension's own script. It has no search_path trick to fall for:
-- regclass prints qualified names. The guard against DROP knows all tables of the schema by itself.
CREATE FUNCTION ringfence.wall(target regclass, read_right text, write_right text, delete_right text) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $wall$
BEGIN
    EXECUTE format('ALTER TABLE %s OWNER TO ringfence_tables', target);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO ringfence_definer', target);
    -- pg_dump keeps the rows.
    PERFORM pg_extension_config_dump(target, '');
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', target);

    -- Restrictive, for all commands and to everybody: whatever policy is added later is ANDed with this one. The library finds the
    -- wall of a table by the name of this policy, and puts its condition before every other one of a plan.
    EXECUTE format('CREATE POLICY owner_wall ON %s AS RESTRICTIVE FOR ALL TO PUBLIC '
                   'USING (owner_id = ringfence.current_owner()) WITH CHECK (owner_id = ringfence.current_owner())', target);

    -- Permissive, and asking nothing but the right: the wall alone names owner_id, so that its selectivity counts once.
    -- They depend on the extension, as the wall does: a DROP ... CASCADE that takes the wall takes these too, and row-level
    -- security without a policy allows nothing.
    IF read_right IS NOT NULL THEN
        EXECUTE format('CREATE POLICY may_read ON %s FOR SELECT TO PUBLIC USING (ringfence.has_right(%L))', target, read_right);
    END IF;
    EXECUTE format('CREATE POLICY may_insert ON %s FOR INSERT TO PUBLIC WITH CHECK (ringfence.has_right(%L))', target, write_right);
    EXECUTE format('CREATE POLICY may_update ON %s FOR UPDATE TO PUBLIC USING (ringfence.has_right(%L)) WITH CHECK (ringfence.has_right(%L))',
                   target, write_right, write_right);
    EXECUTE format('CREATE POLICY may_delete ON %s FOR DELETE TO PUBLIC USING (ringfence.has_right(%L))', target, delete_right);

    PERFORM ringfence.require_rights_to_write(target, write_right, delete_right);
END
$wall$;
REVOKE ALL ON FUNCTION ringfence.wall(regclass, text, text, text) FROM PUBLIC;
COMMENT ON FUNCTION ringfence.wall(regclass, text, text, text) IS
    'Puts a new table of the extension, with a column owner_id, behind the wall: owner, policies, triggers, dump; a NULL read_right leaves the policy for reading to the caller';

CREATE FUNCTION ringfence.require_rights_to_write(target regclass, write_right text, delete_right text) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $require$
BEGIN
    EXECUTE format('CREATE TRIGGER require_right_to_write BEFORE INSERT OR UPDATE ON %s '
                   'FOR EACH STATEMENT EXECUTE FUNCTION ringfence.require_right(%L)', target, write_right);
    EXECUTE format('CREATE TRIGGER require_right_to_delete BEFORE DELETE ON %s '
                   'FOR EACH STATEMENT EXECUTE FUNCTION ringfence.require_right(%L)', target, delete_right);
END
$require$;
REVOKE ALL ON FUNCTION ringfence.require_rights_to_write(regclass, text, text) FROM PUBLIC;
COMMENT ON FUNCTION ringfence.require_rights_to_write(regclass, text, text) IS
    'Makes statements that write to a table or view without the right an error 42501, also where they meet no row';

CREATE FUNCTION ringfence.decide_from(target regclass) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $decide$
BEGIN
    EXECUTE format('CREATE TRIGGER forget_decisions AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON %s '
                   'FOR EACH STATEMENT EXECUTE FUNCTION ringfence.forget_decisions()', target);
    -- Rows that logical replication applies fire no trigger of a statement.
    EXECUTE format('CREATE TRIGGER forget_decisions_by_row AFTER INSERT OR UPDATE OR DELETE ON %s '
                   'FOR EACH ROW EXECUTE FUNCTION ringfence.forget_decisions()', target);
    -- Also where triggers are switched off, as a restore or replication does.
    EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER forget_decisions, ENABLE ALWAYS TRIGGER forget_decisions_by_row', target);
END
$decide$;
REVOKE ALL ON FUNCTION ringfence.decide_from(regclass) FROM PUBLIC;
COMMENT ON FUNCTION ringfence.decide_from(regclass) IS 'Marks a table as one that access is decided from';
