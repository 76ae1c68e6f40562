-- wall: the one mechanism that keeps owners apart.

CREATE FUNCTION ringfence.require_right() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'require_right_wrapper';
REVOKE ALL ON FUNCTION ringfence.require_right() FROM PUBLIC;
COMMENT ON FUNCTION ringfence.require_right() IS
    'Trigger: error 42501 for a statement without the right that the trigger names, if row-level security binds the role';

CREATE FUNCTION ringfence.forget_decisions() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'forget_decisions_wrapper';
REVOKE ALL ON FUNCTION ringfence.forget_decisions() FROM PUBLIC;
COMMENT ON FUNCTION ringfence.forget_decisions() IS 'Trigger: tells every backend to decide again, since a table that access is decided from has changed';

-- Does all that makes a table of the extension safe. Only the extension's own scripts call it. No search_path can
-- mislead it, since regclass prints qualified names. The guard against DROP finds the tables in the catalog.
--
-- With a project_column a row takes the right in the project that the column names, or in all projects if it names none. The
-- condition is a list of projects, so that an index on (owner_id, project_column) finds the rows.
CREATE FUNCTION ringfence.wall(target regclass, read_right text, write_right text, delete_right text, project_column name DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $wall$
DECLARE
    held    text := 'ringfence.has_right(%1$L)';
    written text := 'ringfence.has_right(%1$L)';
BEGIN
    IF project_column IS NOT NULL THEN
        held := '%2$I = ANY (ringfence.projects_with(%1$L)) OR %2$I IS NULL AND ringfence.has_right_in(%1$L, NULL)';
        written := 'ringfence.has_right_in(%1$L, %2$I)';
    END IF;
    EXECUTE format('ALTER TABLE %s OWNER TO ringfence_tables', target);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO ringfence_definer', target);
    -- pg_dump keeps the rows.
    PERFORM pg_extension_config_dump(target, '');
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', target);

    -- A restrictive policy is ANDed with every policy that somebody adds later. The library finds the wall of a table by
    -- the name of this policy, and puts its condition before all others of a plan.
    EXECUTE format('CREATE POLICY owner_wall ON %s AS RESTRICTIVE FOR ALL TO PUBLIC '
                   'USING (owner_id = ringfence.current_owner()) WITH CHECK (owner_id = ringfence.current_owner())', target);

    -- The permissive policies ask for the right alone. If they named owner_id too, the planner would count its
    -- selectivity twice. They depend on the extension as the wall does, so DROP ... CASCADE cannot take the wall alone;
    -- row-level security without a policy allows nothing.
    IF read_right IS NOT NULL THEN
        EXECUTE format('CREATE POLICY may_read ON %s FOR SELECT TO PUBLIC USING (', target) || format(held, read_right, project_column) || ')';
    END IF;
    EXECUTE format('CREATE POLICY may_insert ON %s FOR INSERT TO PUBLIC WITH CHECK (', target) || format(written, write_right, project_column) || ')';
    EXECUTE format('CREATE POLICY may_update ON %s FOR UPDATE TO PUBLIC USING (', target) || format(held, write_right, project_column)
            || ') WITH CHECK (' || format(written, write_right, project_column) || ')';
    EXECUTE format('CREATE POLICY may_delete ON %s FOR DELETE TO PUBLIC USING (', target) || format(held, delete_right, project_column) || ')';

    PERFORM ringfence.require_rights_to_write(target, write_right, delete_right);
END
$wall$;
REVOKE ALL ON FUNCTION ringfence.wall(regclass, text, text, text, name) FROM PUBLIC;
COMMENT ON FUNCTION ringfence.wall(regclass, text, text, text, name) IS
    'Puts a new table of the extension behind the wall: owner, policies, triggers, dump. It needs a column owner_id; with a NULL read_right it makes no policy for reading';

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
    'Makes a statement that writes to a table or view without the right fail (42501), also if it finds no row';

CREATE FUNCTION ringfence.decide_from(target regclass) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $decide$
BEGIN
    EXECUTE format('CREATE TRIGGER forget_decisions AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON %s '
                   'FOR EACH STATEMENT EXECUTE FUNCTION ringfence.forget_decisions()', target);
    -- Logical replication fires only row triggers.
    EXECUTE format('CREATE TRIGGER forget_decisions_by_row AFTER INSERT OR UPDATE OR DELETE ON %s '
                   'FOR EACH ROW EXECUTE FUNCTION ringfence.forget_decisions()', target);
    -- They must fire also while a restore or replication has switched triggers off.
    EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER forget_decisions, ENABLE ALWAYS TRIGGER forget_decisions_by_row', target);
END
$decide$;
REVOKE ALL ON FUNCTION ringfence.decide_from(regclass) FROM PUBLIC;
COMMENT ON FUNCTION ringfence.decide_from(regclass) IS 'Marks a table as one that access is decided from';

-- For a table with the columns created_at, created_by, updated_at and updated_by. Applications write back all columns of a row that they have
-- read: their values of these columns are ignored.
CREATE FUNCTION ringfence.stamp_row() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $stamp$
BEGIN
    -- A restore, and a referential action, keep what is there.
    IF NOT row_security_active(TG_RELID) THEN
        RETURN NEW;
    END IF;
    NEW.updated_at := now();
    NEW.updated_by := ringfence.current_actor();
    IF TG_OP = 'INSERT' THEN
        NEW.created_at := NEW.updated_at;
        NEW.created_by := NEW.updated_by;
    ELSE
        NEW.created_at := OLD.created_at;
        NEW.created_by := OLD.created_by;
    END IF;
    RETURN NEW;
END
$stamp$;
REVOKE ALL ON FUNCTION ringfence.stamp_row() FROM PUBLIC;
COMMENT ON FUNCTION ringfence.stamp_row() IS 'Trigger: keeps created_at, created_by, updated_at and updated_by';
