-- access: which role may act for which owner, in which project, with which rights.

CREATE TABLE ringfence.profile (
    owner_id    uuid NOT NULL DEFAULT ringfence.current_owner() REFERENCES ringfence.owner ON DELETE CASCADE,
    id          uuid NOT NULL DEFAULT ringfence.new_id(),
    -- The name of a right has a point, that of a profile has none: so a list can hold both.
    name        text NOT NULL CHECK (ringfence.check_name(name) AND strpos(name, '.') = 0),
    description text,
    rights      text[] NOT NULL CHECK (array_position(rights, NULL) IS NULL),
    is_system   boolean NOT NULL DEFAULT false,
    PRIMARY KEY (owner_id, id),
    UNIQUE (owner_id, name)
);
CREATE UNIQUE INDEX profile_name_as_seen ON ringfence.profile (owner_id, ringfence.name_as_seen(name));
COMMENT ON INDEX ringfence.profile_name_as_seen IS 'No two profiles of an owner have names that look the same';
COMMENT ON TABLE ringfence.profile IS 'Named sets of rights, of one owner';
COMMENT ON COLUMN ringfence.profile.is_system IS 'A profile that every owner starts with';

SELECT ringfence.wall('ringfence.profile', 'access.manage', 'access.manage', 'access.manage');
SELECT ringfence.decide_from('ringfence.profile');
GRANT SELECT (owner_id, id, name, description, rights, is_system), INSERT (owner_id, name, description, rights),
      UPDATE (description, rights), DELETE ON ringfence.profile TO ringfence_user;

-- To change a profile is to change the access of everybody who has it. So the rules are those of granting.
CREATE FUNCTION ringfence.check_profile() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $check$
DECLARE
    right_name text;
BEGIN
    IF NOT row_security_active(TG_RELID) OR ringfence.is_deleting_owner() THEN
        RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    IF NOT ringfence.has_right_in('access.manage', NULL) THEN
        RAISE EXCEPTION 'this session may not change profiles, because it manages access in single projects only'
            USING ERRCODE = 'insufficient_privilege', HINT = 'Changing a profile requires the right "access.manage" in all projects of the owner.';
    END IF;
    IF TG_OP <> 'INSERT' AND OLD.is_system THEN
        RAISE EXCEPTION 'built-in profile "%" cannot be changed', OLD.name
            USING ERRCODE = 'insufficient_privilege', HINT = 'Make a profile of your own with ringfence.create_profile().';
    END IF;
    -- Rights that a change takes away are not checked: the caller could have revoked them one by one.
    IF TG_OP <> 'DELETE' THEN
        FOREACH right_name IN ARRAY coalesce(NEW.rights, '{}') LOOP
            IF NOT ringfence.has_right_in(right_name, NULL) THEN
                RAISE EXCEPTION 'right "%" cannot be granted by a session that does not hold it', left(right_name, 200)
                    USING ERRCODE = 'insufficient_privilege', HINT = 'Granting a right takes the same right in all projects of the owner.';
            END IF;
        END LOOP;
        RETURN NEW;
    END IF;
    IF EXISTS (SELECT FROM ringfence.access WHERE access.owner_id = OLD.owner_id AND OLD.name = ANY (access.rights)) THEN
        RAISE EXCEPTION 'profile "%" is in use', OLD.name
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = format('SELECT role_name FROM ringfence.access WHERE %L = ANY (rights) lists the roles that have the profile.', OLD.name);
    END IF;
    RETURN OLD;
END
$check$;
REVOKE ALL ON FUNCTION ringfence.check_profile() FROM PUBLIC;
COMMENT ON FUNCTION ringfence.check_profile() IS
    'Trigger: error 42501 for a change of a built-in profile or a right that the session does not hold, 22023 for an unknown right, 55000 for the deletion of a profile in use';
CREATE TRIGGER check_profile BEFORE INSERT OR UPDATE OR DELETE ON ringfence.profile
    FOR EACH ROW EXECUTE FUNCTION ringfence.check_profile();

CREATE FUNCTION ringfence.create_profile(name text, rights text[], description text DEFAULT NULL) RETURNS uuid
    LANGUAGE sql VOLATILE
    BEGIN ATOMIC
        INSERT INTO ringfence.profile (name, rights, description)
        VALUES (create_profile.name, create_profile.rights, create_profile.description)
        RETURNING id;
    END;
REVOKE ALL ON FUNCTION ringfence.create_profile(text, text[], text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.create_profile(text, text[], text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.create_profile(text, text[], text) IS
    'Adds a profile to the session''s owner, and returns its id. Needs access.manage. Error 42501: more rights than the session holds; 22023: unknown right; 23505: the name is taken';

CREATE FUNCTION ringfence.drop_profile(name text) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $drop$
BEGIN
    DELETE FROM ringfence.profile AS p WHERE p.owner_id = ringfence.current_owner() AND p.name = drop_profile.name;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no profile "%" is in reach', left(name, 200) USING ERRCODE = 'no_data_found';
    END IF;
END
$drop$;
REVOKE ALL ON FUNCTION ringfence.drop_profile(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.drop_profile(text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.drop_profile(text) IS
    'Removes a profile of the session''s owner. Needs access.manage. Error P0002: there is none; 55000: it is in use; 42501: it is built in';

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
    granted_by text NOT NULL DEFAULT current_user,
    PRIMARY KEY (owner_id, id),
    UNIQUE NULLS NOT DISTINCT (owner_id, role, project_id),
    FOREIGN KEY (owner_id, project_id) REFERENCES ringfence.project ON DELETE CASCADE
);
COMMENT ON TABLE ringfence.access IS 'Which role may work for which owner. Only grant_access() and revoke_access() write it';
COMMENT ON COLUMN ringfence.access.role IS 'The role; its members inherit the access as they inherit privileges';
COMMENT ON COLUMN ringfence.access.role_name IS
    'The role''s name when access was granted. An entry counts only while the role has this name, so that a new role inherits nothing from a dropped one';
COMMENT ON COLUMN ringfence.access.project_id IS 'The only project that the entry is for; NULL: all projects of the owner';
COMMENT ON COLUMN ringfence.access.rights IS 'Names of rights and of profiles';
COMMENT ON COLUMN ringfence.access.sources IS 'Source systems that the role may write as; NULL: any';
COMMENT ON COLUMN ringfence.access.granted_by IS 'The role that granted the access, whatever ringfence.agent says';
COMMENT ON COLUMN ringfence.access.binding IS 'How the owner must be selected: transaction, session or token';

SELECT ringfence.wall('ringfence.access', NULL, 'access.manage', 'access.manage');
-- A session that manages access in one project sees the entries of that project.
CREATE POLICY may_read ON ringfence.access FOR SELECT TO PUBLIC USING (ringfence.has_right_in('access.manage', project_id));
SELECT ringfence.decide_from('ringfence.access');
GRANT SELECT (owner_id, id, role, role_name, project_id, rights, sources, binding, granted_at, granted_by) ON ringfence.access TO ringfence_user;
-- The library reads a session's entries by its role, before any owner is known.
CREATE INDEX access_role ON ringfence.access (role);
COMMENT ON INDEX ringfence.access_role IS 'Finds the entries of a role for all owners; a session is judged by these entries alone';

-- Not SECURITY DEFINER: it must see whether the session's own role calls it, or a function that runs as another role.
-- It becomes the definer itself, for the one statement that stores the entry.
CREATE FUNCTION ringfence.grant_access(role_name text, owner text, rights text[], project text DEFAULT NULL, sources text[] DEFAULT NULL, binding text DEFAULT 'transaction')
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'grant_access_wrapper';
REVOKE ALL ON FUNCTION ringfence.grant_access(text, text, text[], text, text[], text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.grant_access(text, text, text[], text, text[], text) TO ringfence_admin, ringfence_user;
COMMENT ON FUNCTION ringfence.grant_access(text, text, text[], text, text[], text) IS
    'Gives a role rights, by name or by profile, for an owner in one project or (NULL) in all, and replaces what it had there. For ringfence_admin, and for a session with access.manage';

CREATE FUNCTION ringfence.revoke_access(role_name text, owner text, project text DEFAULT NULL)
    RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'revoke_access_wrapper';
REVOKE ALL ON FUNCTION ringfence.revoke_access(text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.revoke_access(text, text, text) TO ringfence_admin, ringfence_user;
COMMENT ON FUNCTION ringfence.revoke_access(text, text, text) IS
    'Takes back what grant_access() gave for an owner, in one project or (NULL) everywhere. Running sessions lose it at their next statement';

CREATE FUNCTION ringfence.explain_access(role_name text, owner text,
    OUT right_name text, OUT held boolean, OUT given_to text, OUT project text, OUT binding text, OUT reason text)
    RETURNS SETOF record
    LANGUAGE c STABLE PARALLEL RESTRICTED ROWS 20 AS 'MODULE_PATHNAME', 'explain_access_wrapper';
REVOKE ALL ON FUNCTION ringfence.explain_access(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.explain_access(text, text) TO ringfence_admin, ringfence_user;
COMMENT ON FUNCTION ringfence.explain_access(text, text) IS
    'Tells for each right whether a role holds it for an owner, and by which entry or why not. For ringfence_admin, and for a session with access.manage within its owner';

-- The part of grant_access() that is SQL. Only the definer can call it: inside grant_access(), behind the wall of the owner.
CREATE FUNCTION ringfence.store_access(role oid, role_name text, project_id uuid, rights text[], sources text[], binding text, granted_by text) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $store$
#variable_conflict use_column
DECLARE
    replaced text[];
BEGIN
    -- Since PostgreSQL 16 the grant says whether a role inherits. A role that does not inherit gets a grant that does.
    IF current_setting('server_version_num')::integer >= 160000 THEN
        IF NOT pg_has_role(store_access.role, 'ringfence_user', 'USAGE') THEN
            EXECUTE format('GRANT ringfence_user TO %I WITH INHERIT TRUE', store_access.role_name);
        END IF;
    ELSIF NOT pg_has_role(store_access.role, 'ringfence_user', 'MEMBER') THEN
        EXECUTE format('GRANT ringfence_user TO %I', store_access.role_name);
    END IF;
    DELETE FROM ringfence.access
        WHERE access.owner_id = ringfence.current_owner()
          AND access.role = store_access.role::regrole
          AND access.project_id IS NOT DISTINCT FROM store_access.project_id
        RETURNING access.rights INTO replaced;
    INSERT INTO ringfence.access (role, role_name, project_id, rights, sources, binding, granted_by)
        VALUES (store_access.role::regrole, store_access.role_name, store_access.project_id,
                store_access.rights, store_access.sources, store_access.binding, store_access.granted_by);
    IF replaced IS NOT NULL THEN
        RAISE NOTICE 'access of role "%" is replaced', store_access.role_name USING DETAIL = format('Its rights were: %s.', array_to_string(replaced, ', '));
    END IF;
END
$store$;
REVOKE ALL ON FUNCTION ringfence.store_access(oid, text, uuid, text[], text[], text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.store_access(oid, text, uuid, text[], text[], text, text) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.store_access(oid, text, uuid, text[], text[], text, text) IS 'Part of grant_access(); internal';

-- It takes a name, so that entries of a dropped role can be removed too.
CREATE FUNCTION ringfence.remove_access(role_name text, project_id uuid) RETURNS bigint
    LANGUAGE sql VOLATILE
    BEGIN ATOMIC
        WITH removed AS (
            DELETE FROM ringfence.access
                WHERE access.owner_id OPERATOR(pg_catalog.=) ringfence.current_owner()
                  AND access.role_name OPERATOR(pg_catalog.=) remove_access.role_name
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
             '{customer.read,customer.write,customer.delete,ticket.read,ticket.write,ticket.delete,interaction.read,interaction.write,field.manage,field.unmask,project.manage,channel.manage,script.manage,import.run,access.manage,owner.export,source.manage,customer.propose}', true);
    END;
REVOKE ALL ON FUNCTION ringfence.provision_access() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.provision_access() TO ringfence_definer;
COMMENT ON FUNCTION ringfence.provision_access() IS 'Provisions the profiles of a new owner; internal';
CREATE TRIGGER provision_access AFTER INSERT ON ringfence.owner
    FOR EACH ROW EXECUTE FUNCTION ringfence.as_owner('provision_access');
