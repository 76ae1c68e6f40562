-- access: which role may act for which owner, in which project, with which rights.

CREATE TABLE ringfence.profile (
    owner_id    uuid NOT NULL DEFAULT ringfence.current_owner() REFERENCES ringfence.owner ON DELETE CASCADE,
    id          uuid NOT NULL DEFAULT ringfence.new_id(),
    name        text NOT NULL CHECK (ringfence.check_name(name)),
    description text,
    rights      text[] NOT NULL,
    is_system   boolean NOT NULL DEFAULT false,
    PRIMARY KEY (owner_id, id),
    UNIQUE (owner_id, name)
);
ALTER TABLE ringfence.profile OWNER TO ringfence_definer;
COMMENT ON TABLE ringfence.profile IS 'Named sets of rights, of one owner';
COMMENT ON COLUMN ringfence.profile.is_system IS 'A profile that every owner starts with';

SELECT ringfence.wall('ringfence.profile', 'access.manage', 'access.manage', 'access.manage');
SELECT ringfence.decide_from('ringfence.profile');
GRANT SELECT ON ringfence.profile TO ringfence_user;

CREATE TABLE ringfence.access (
    owner_id   uuid NOT NULL DEFAULT ringfence.current_owner() REFERENCES ringfence.owner ON DELETE CASCADE,
    id         uuid NOT NULL DEFAULT ringfence.new_id(),
    role       regrole NOT NULL,
    role_name  text NOT NULL,
    project_id uuid,
    rights     text[] NOT NULL,
    sources    text[],
    binding    text NOT NULL CHECK (binding IN ('transaction', 'session', 'token')),
    granted_at timestamptz NOT NULL DEFAULT now(),
    granted_by text NOT NULL DEFAULT ringfence.current_actor(),
    PRIMARY KEY (owner_id, id),
    UNIQUE NULLS NOT DISTINCT (owner_id, role, project_id),
    FOREIGN KEY (owner_id, project_id) REFERENCES ringfence.project ON DELETE CASCADE
);
ALTER TABLE ringfence.access OWNER TO ringfence_definer;
COMMENT ON TABLE ringfence.access IS 'Who may act for whom. It is written by grant_access() and revoke_access() only';
COMMENT ON COLUMN ringfence.access.role IS 'The role; entries of a role count for its members as privileges do';
COMMENT ON COLUMN ringfence.access.role_name IS
    'The role''s name when access was granted. An entry counts only while both agree: a new role that takes the name or the oid of a dropped one inherits nothing, and a renamed one is granted anew';
COMMENT ON COLUMN ringfence.access.project_id IS 'The project it is limited to; NULL: all projects of the owner';
COMMENT ON COLUMN ringfence.access.rights IS 'Names of rights and of profiles';
COMMENT ON COLUMN ringfence.access.sources IS 'Source systems the role may write as; NULL: any';
COMMENT ON COLUMN ringfence.access.binding IS 'How the owner must be selected: transaction, session or token';

SELECT ringfence.wall('ringfence.access', NULL, 'access.manage', 'access.manage');
-- Who manages access in one project sees the entries of that project.
CREATE POLICY may_read ON ringfence.access FOR SELECT TO PUBLIC USING (ringfence.has_right_in('access.manage', project_id));
SELECT ringfence.decide_from('ringfence.access');
GRANT SELECT ON ringfence.access TO ringfence_user;

CREATE FUNCTION ringfence.grant_access(role_name text, owner text, rights text[], project text DEFAULT NULL, sources text[] DEFAULT NULL, binding text DEFAULT 'transaction')
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'grant_access_wrapper';
ALTER FUNCTION ringfence.grant_access(text, text, text[], text, text[], text) OWNER TO ringfence_definer;
REVOKE ALL ON FUNCTION ringfence.grant_access(text, text, text[], text, text[], text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.grant_access(text, text, text[], text, text[], text) TO ringfence_admin, ringfence_user;
COMMENT ON FUNCTION ringfence.grant_access(text, text, text[], text, text[], text) IS
    'Says what a role may do for an owner, in one project or (NULL) in all, and grants it ringfence_user. Rights may name profiles. A second call for the same role, owner and project replaces the first. For ringfence_admin, and within its own owner and rights for a session with access.manage';

CREATE FUNCTION ringfence.revoke_access(role_name text, owner text, project text DEFAULT NULL)
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'revoke_access_wrapper';
ALTER FUNCTION ringfence.revoke_access(text, text, text) OWNER TO ringfence_definer;
REVOKE ALL ON FUNCTION ringfence.revoke_access(text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.revoke_access(text, text, text) TO ringfence_admin, ringfence_user;
COMMENT ON FUNCTION ringfence.revoke_access(text, text, text) IS
    'Takes back what grant_access() gave for an owner: in one project, or (NULL) everywhere. Other sessions lose it at their next statement';

-- The part of grant_access() that is SQL. Callable by the definer only: inside grant_access(), behind the wall of the owner.
CREATE FUNCTION ringfence.store_access(role oid, role_name text, project_id uuid, rights text[], sources text[], binding text) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $store$
#variable_conflict use_column
DECLARE
    replaced text[];
BEGIN
    IF NOT pg_has_role(store_access.role, 'ringfence_user', 'MEMBER') THEN
        EXECUTE format('GRANT ringfence_user TO %I', store_access.role_name);
    END IF;
    DELETE FROM ringfence.access
        WHERE access.role OPERATOR(pg_catalog.=) store_access.role::regrole
          AND access.project_id IS NOT DISTINCT FROM store_access.project_id
        RETURNING access.rights INTO replaced;
    INSERT INTO ringfence.access (role, role_name, project_id, rights, sources, binding)
        VALUES (store_access.role::regrole, store_access.role_name, store_access.project_id,
                store_access.rights, store_access.sources, store_access.binding);
    IF replaced IS NOT NULL THEN
        RAISE NOTICE 'access of role "%" is replaced', store_access.role_name USING DETAIL = format('Its rights were: %s.', array_to_string(replaced, ', '));
    END IF;
END
$store$;
REVOKE ALL ON FUNCTION ringfence.store_access(oid, text, uuid, text[], text[], text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.store_access(oid, text, uuid, text[], text[], text) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.store_access(oid, text, uuid, text[], text[], text) IS 'Part of grant_access(); internal';

-- By name: entries of a role that was dropped can be removed too.
CREATE FUNCTION ringfence.remove_access(role_name text, project_id uuid) RETURNS bigint
    LANGUAGE sql VOLATILE
    BEGIN ATOMIC
        WITH removed AS (
            DELETE FROM ringfence.access
                WHERE access.role_name OPERATOR(pg_catalog.=) remove_access.role_name
                  AND (remove_access.project_id IS NULL OR access.project_id OPERATOR(pg_catalog.=) remove_access.project_id)
                RETURNING 1)
        SELECT count(*) FROM removed;
    END;
REVOKE ALL ON FUNCTION ringfence.remove_access(text, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.remove_access(text, uuid) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.remove_access(text, uuid) IS 'Part of revoke_access(); internal';

CREATE FUNCTION ringfence.provision_access() RETURNS void
    LANGUAGE sql VOLATILE
    BEGIN ATOMIC
        INSERT INTO ringfence.profile (name, description, rights, is_system) VALUES
            ('agent', 'Works with customers, tickets and interactions',
             '{customer.read,customer.write,ticket.read,ticket.write,interaction.read,interaction.write}', true),
            ('supervisor', 'An agent who also deletes, imports, sees masked fields and maintains scripts',
             '{customer.read,customer.write,customer.delete,ticket.read,ticket.write,ticket.delete,interaction.read,interaction.write,field.unmask,script.manage,import.run}', true),
            ('sales', 'Customers and their transactions',
             '{customer.read,customer.write,interaction.read,interaction.write}', true),
            ('support', 'Tickets only',
             '{ticket.read,ticket.write}', true),
            ('sponsor', 'The owner''s own people and BI: reads',
             '{customer.read,ticket.read,interaction.read}', true),
            ('trainee', 'Reads, and cannot damage a record',
             '{customer.read,ticket.read,interaction.read}', true),
            ('admin', 'Everything within the owner',
             '{customer.read,customer.write,customer.delete,ticket.read,ticket.write,ticket.delete,interaction.read,interaction.write,field.manage,field.unmask,project.manage,channel.manage,script.manage,import.run,access.manage,owner.export}', true);
    END;
REVOKE ALL ON FUNCTION ringfence.provision_access() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.provision_access() TO ringfence_definer;
COMMENT ON FUNCTION ringfence.provision_access() IS 'Provisions the profiles of a new owner; internal';
CREATE TRIGGER provision_access AFTER INSERT ON ringfence.owner
    FOR EACH ROW EXECUTE FUNCTION ringfence.as_owner('provision_access');
