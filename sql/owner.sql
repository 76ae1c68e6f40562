-- owner: the companies that the installation serves.

CREATE TABLE ringfence.owner (
    id          uuid PRIMARY KEY DEFAULT ringfence.new_id(),
    name        text NOT NULL UNIQUE CHECK (ringfence.check_name(name)),
    description text,
    enabled     boolean NOT NULL DEFAULT true,
    country     text,
    created_at  timestamptz NOT NULL DEFAULT now(),
    purge_began_at timestamptz,
    CONSTRAINT owner_purge CHECK (purge_began_at IS NULL OR NOT enabled AND id <> '00000000-0000-0000-0000-000000000000')
);
ALTER TABLE ringfence.owner OWNER TO ringfence_tables;
CREATE UNIQUE INDEX owner_name_as_seen ON ringfence.owner (ringfence.name_as_seen(name));
COMMENT ON INDEX ringfence.owner_name_as_seen IS 'No two owners of the installation have names that look the same';
GRANT SELECT, INSERT, UPDATE, DELETE ON ringfence.owner TO ringfence_definer;
SELECT pg_extension_config_dump('ringfence.owner', '');
COMMENT ON TABLE ringfence.owner IS 'The contracting companies. An INSERT also makes the owner''s system fields, profiles and first project';
COMMENT ON COLUMN ringfence.owner.id IS 'UUIDv7; all zero for the house owner, which holds the contacts of no company';
COMMENT ON COLUMN ringfence.owner.name IS 'Unique in the installation; a session may set ringfence.owner to it';
COMMENT ON COLUMN ringfence.owner.enabled IS 'Only an enabled owner can be selected; disabling one keeps its data';
COMMENT ON COLUMN ringfence.owner.country IS 'ISO 3166-1 alpha-2; phone numbers without a country code are read as of this country';

COMMENT ON COLUMN ringfence.owner.purge_began_at IS 'When purge_owner() began to delete the owner; calling it again goes on. A superuser may set it to NULL: what is deleted by then stays so';

-- The wall of this table has a condition of its own: there is no owner_id, and a role sees each owner that it may
-- select, before it selects one. The function returns a list, so that a scan of the primary key reads these owners and
-- no others. The cost is that of making the list, so that the planner makes it once, for the index, and not for each row.
CREATE FUNCTION ringfence.owners_in_reach() RETURNS uuid[]
    LANGUAGE c STABLE PARALLEL SAFE STRICT COST 10000 SUPPORT ringfence.has_right_support AS 'MODULE_PATHNAME', 'owners_in_reach';
REVOKE ALL ON FUNCTION ringfence.owners_in_reach() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.owners_in_reach() TO ringfence_user, ringfence_admin;
COMMENT ON FUNCTION ringfence.owners_in_reach() IS 'The enabled owners that the role has access to; all owners for ringfence_admin';

CREATE FUNCTION ringfence.is_admin() RETURNS boolean
    LANGUAGE c STABLE PARALLEL SAFE STRICT SUPPORT ringfence.has_right_support AS 'MODULE_PATHNAME', 'is_admin_wrapper';
REVOKE ALL ON FUNCTION ringfence.is_admin() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.is_admin() TO ringfence_user, ringfence_admin;
COMMENT ON FUNCTION ringfence.is_admin() IS 'Whether the session''s role has the privileges of ringfence_admin';

ALTER TABLE ringfence.owner ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY owner_wall ON ringfence.owner AS RESTRICTIVE FOR ALL TO PUBLIC
    USING (id = ANY (ringfence.owners_in_reach())) WITH CHECK (ringfence.is_admin());
-- Always true. It names a function of the extension, so that DROP ... CASCADE takes this policy together with the wall.
CREATE POLICY may_read ON ringfence.owner FOR SELECT TO PUBLIC USING (ringfence.is_admin() IS NOT NULL);
CREATE POLICY may_insert ON ringfence.owner FOR INSERT TO PUBLIC WITH CHECK (ringfence.is_admin());
CREATE POLICY may_update ON ringfence.owner FOR UPDATE TO PUBLIC USING (ringfence.is_admin()) WITH CHECK (ringfence.is_admin());
CREATE POLICY may_delete ON ringfence.owner FOR DELETE TO PUBLIC USING (ringfence.is_admin());

-- The grant is by column, as everywhere. A grant on the table would allow ctid and currtid2(), which tell of rows that
-- the wall hides.
GRANT SELECT (id, name, description, enabled, country, created_at, purge_began_at) ON ringfence.owner TO ringfence_user, ringfence_admin;
GRANT INSERT (name, description, enabled, country), UPDATE (name, description, enabled, country), DELETE
    ON ringfence.owner TO ringfence_admin;

CREATE FUNCTION ringfence.check_owner() RETURNS trigger
    LANGUAGE c SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'check_owner_wrapper';
ALTER FUNCTION ringfence.check_owner() OWNER TO ringfence_definer;
REVOKE ALL ON FUNCTION ringfence.check_owner() FROM PUBLIC;
COMMENT ON FUNCTION ringfence.check_owner() IS 'Trigger: error 22023 for a bad name or country, 54000 if there are ringfence.max_owners owners';
CREATE TRIGGER check_owner BEFORE INSERT OR UPDATE OF country ON ringfence.owner
    FOR EACH ROW EXECUTE FUNCTION ringfence.check_owner();

CREATE FUNCTION ringfence.close_owner(owner_id uuid) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE STRICT AS 'MODULE_PATHNAME', 'close_owner_wrapper';
REVOKE ALL ON FUNCTION ringfence.close_owner(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.close_owner(uuid) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.close_owner(uuid) IS 'Keeps sessions from working for an owner until the transaction ends, and waits for those that have written; internal';

CREATE FUNCTION ringfence.keep_house_owner() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $keep$
BEGIN
    IF OLD.id = '00000000-0000-0000-0000-000000000000'::uuid THEN
        RAISE EXCEPTION 'the house owner cannot be deleted'
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'It holds the contacts that belong to no company. Disable it if you do not want one: UPDATE ringfence.owner SET enabled = false.';
    END IF;
    -- History that another session is writing has no key that would wait, and would stay without an owner.
    IF NOT ringfence.is_deleting_owner() THEN
        PERFORM ringfence.close_owner(OLD.id);
    END IF;
    RETURN OLD;
END
$keep$;
ALTER FUNCTION ringfence.keep_house_owner() OWNER TO ringfence_definer;
REVOKE ALL ON FUNCTION ringfence.keep_house_owner() FROM PUBLIC;
COMMENT ON FUNCTION ringfence.keep_house_owner() IS 'Trigger: error 55000 on deleting the house owner; waits for the sessions that write for another';
CREATE TRIGGER keep_house_owner BEFORE DELETE ON ringfence.owner
    FOR EACH ROW EXECUTE FUNCTION ringfence.keep_house_owner();

-- For triggers that keep what an owner cannot be without.
CREATE FUNCTION ringfence.is_deleting_owner() RETURNS boolean
    LANGUAGE c STABLE PARALLEL RESTRICTED STRICT AS 'MODULE_PATHNAME', 'is_deleting_owner_wrapper';
REVOKE ALL ON FUNCTION ringfence.is_deleting_owner() FROM PUBLIC;
-- ringfence_tables calls it too: a referential action deletes fields and profiles with their owner.
GRANT EXECUTE ON FUNCTION ringfence.is_deleting_owner() TO ringfence_user, ringfence_admin, ringfence_tables, ringfence_definer;
COMMENT ON FUNCTION ringfence.is_deleting_owner() IS 'Whether delete_owner() or purge_owner() is deleting rows in this session; for triggers';

-- Part of its rows may be gone. A superuser may think better of it.
CREATE FUNCTION ringfence.keep_purge() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $keep$
BEGIN
    IF OLD.purge_began_at IS NOT NULL AND row_security_active(TG_RELID)
       AND (NEW.enabled OR NEW.purge_began_at IS DISTINCT FROM OLD.purge_began_at) THEN
        RAISE EXCEPTION 'owner "%" is being deleted', OLD.name
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'CALL ringfence.purge_owner(...) goes on deleting it.';
    END IF;
    RETURN NEW;
END
$keep$;
REVOKE ALL ON FUNCTION ringfence.keep_purge() FROM PUBLIC;
COMMENT ON FUNCTION ringfence.keep_purge() IS 'Trigger: error 55000 on enabling an owner that purge_owner() has begun to delete';
CREATE TRIGGER keep_purge BEFORE UPDATE OF enabled, purge_began_at ON ringfence.owner
    FOR EACH ROW EXECUTE FUNCTION ringfence.keep_purge();

-- A room provisions its part of a new owner with a trigger of its own on this table:
--     CREATE TRIGGER provision_<room> AFTER INSERT ON ringfence.owner
--         FOR EACH ROW EXECUTE FUNCTION ringfence.as_owner('provision_<room>');
-- It runs as the definer, behind the wall of the new owner, and so can insert rows of that owner only.
CREATE FUNCTION ringfence.as_owner() RETURNS trigger
    LANGUAGE c SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'as_owner_wrapper';
ALTER FUNCTION ringfence.as_owner() OWNER TO ringfence_definer;
REVOKE ALL ON FUNCTION ringfence.as_owner() FROM PUBLIC;
COMMENT ON FUNCTION ringfence.as_owner() IS 'Trigger: runs the function that it names for the owner of the row; does nothing while a dump is restored';

SELECT ringfence.decide_from('ringfence.owner');

CREATE FUNCTION ringfence.create_owner(name text, description text DEFAULT NULL, country text DEFAULT NULL, enabled boolean DEFAULT true)
    RETURNS uuid
    LANGUAGE sql VOLATILE PARALLEL UNSAFE
    BEGIN ATOMIC
        INSERT INTO ringfence.owner (name, description, country, enabled)
        VALUES (create_owner.name, create_owner.description, create_owner.country, coalesce(create_owner.enabled, true))
        RETURNING id;
    END;
REVOKE ALL ON FUNCTION ringfence.create_owner(text, text, text, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.create_owner(text, text, text, boolean) TO ringfence_admin;
COMMENT ON FUNCTION ringfence.create_owner(text, text, text, boolean) IS
    'Creates an owner with all that it needs, and returns its id. Error 22023: bad name or country; 23502: no name; 23505: the name is taken; 54000: too many owners';
