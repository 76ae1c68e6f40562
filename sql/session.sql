-- session: which owner, project and rights the session works with.
--
-- All these functions run as the caller. They do not read the tables with the caller's privileges: the library reads the
-- tables that access is decided from, under the latest snapshot, and judges the settings by them. The functions are
-- STABLE, not IMMUTABLE, since a kept plan outlives the choice of an owner. A parallel worker gets its leader's context.
--
-- current_owner() and has_right() keep PostgreSQL's default privilege, EXECUTE for everybody. Policies call them for
-- everybody, and PostgreSQL would check a grant at the start of every scan. A role without access learns nothing from
-- them: they raise error 42501, and naming them takes USAGE on the schema.

-- Every function that a policy calls has this support function. The planner calls it, and so loads the library with its
-- hooks before the statement runs.
CREATE FUNCTION ringfence.has_right_support(internal) RETURNS internal
    LANGUAGE c IMMUTABLE PARALLEL SAFE STRICT AS 'MODULE_PATHNAME', 'has_right_support_fast';
REVOKE ALL ON FUNCTION ringfence.has_right_support(internal) FROM PUBLIC;
COMMENT ON FUNCTION ringfence.has_right_support(internal) IS 'Planner support of the functions that policies call';

CREATE FUNCTION ringfence.current_owner() RETURNS uuid
    LANGUAGE c STABLE PARALLEL SAFE STRICT SUPPORT ringfence.has_right_support AS 'MODULE_PATHNAME', 'current_owner_fast';
COMMENT ON FUNCTION ringfence.current_owner() IS
    'The owner that this session works for. Error 42501: none is selected, or no access; 55000: it is disabled; 25001: the transaction has used another one';

CREATE FUNCTION ringfence.enter(owner text, project text DEFAULT NULL, agent text DEFAULT NULL) RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'enter_wrapper';
REVOKE ALL ON FUNCTION ringfence.enter(text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.enter(text, text, text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.enter(text, text, text) IS
    'Selects an owner by id or exact name, and a project or none, until the transaction ends; returns the owner''s id. Error 25001: another one was entered; else as current_owner()';

-- PostgreSQL prefers text: a literal or parameter without a type calls the function above.
CREATE FUNCTION ringfence.enter(owner uuid, project text DEFAULT NULL, agent text DEFAULT NULL) RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'enter_by_id_wrapper';
REVOKE ALL ON FUNCTION ringfence.enter(uuid, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.enter(uuid, text, text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.enter(uuid, text, text) IS 'As enter(text), by the owner''s id';

CREATE FUNCTION ringfence.current_project() RETURNS uuid
    LANGUAGE c STABLE PARALLEL SAFE STRICT AS 'MODULE_PATHNAME', 'current_project_wrapper';
REVOKE ALL ON FUNCTION ringfence.current_project() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.current_project() TO ringfence_user, ringfence_admin;
COMMENT ON FUNCTION ringfence.current_project() IS
    'The selected project, or NULL. Error P0002: the role works in no such project; 55000: it is disabled';

CREATE FUNCTION ringfence.current_agent() RETURNS text
    LANGUAGE c STABLE PARALLEL SAFE STRICT AS 'MODULE_PATHNAME', 'current_agent_wrapper';
REVOKE ALL ON FUNCTION ringfence.current_agent() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.current_agent() TO ringfence_user, ringfence_admin;
COMMENT ON FUNCTION ringfence.current_agent() IS 'The application''s user as set in ringfence.agent, or NULL. It says who writes, and gives no rights';

CREATE FUNCTION ringfence.current_source() RETURNS text
    LANGUAGE c STABLE PARALLEL SAFE STRICT AS 'MODULE_PATHNAME', 'current_source_wrapper';
REVOKE ALL ON FUNCTION ringfence.current_source() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.current_source() TO ringfence_user, ringfence_admin;
COMMENT ON FUNCTION ringfence.current_source() IS
    'The source system as set in ringfence.source, or NULL. Error 42501: the role''s access does not name it; P0002: the owner has no such source';

CREATE FUNCTION ringfence.current_actor() RETURNS text
    LANGUAGE c STABLE PARALLEL SAFE STRICT AS 'MODULE_PATHNAME', 'current_actor_wrapper';
REVOKE ALL ON FUNCTION ringfence.current_actor() FROM PUBLIC;
-- ringfence_tables calls it too: a referential action that clears a customer's company sets its updated_by.
GRANT EXECUTE ON FUNCTION ringfence.current_actor() TO ringfence_user, ringfence_admin, ringfence_tables;
COMMENT ON FUNCTION ringfence.current_actor() IS 'Who is writing, for created_by and updated_by: ringfence.agent if it is set, else the role';

CREATE FUNCTION ringfence.has_right(right_name text) RETURNS boolean
    LANGUAGE c STABLE PARALLEL SAFE STRICT SUPPORT ringfence.has_right_support AS 'MODULE_PATHNAME', 'has_right_fast';
COMMENT ON FUNCTION ringfence.has_right(text) IS
    'Whether the session holds the right for its owner, in its project if one is selected. Error 22023: no such right; else as current_owner()';

CREATE FUNCTION ringfence.check_right(right_name text) RETURNS boolean
    LANGUAGE c STABLE PARALLEL SAFE STRICT AS 'MODULE_PATHNAME', 'check_right_wrapper';
REVOKE ALL ON FUNCTION ringfence.check_right(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.check_right(text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.check_right(text) IS 'True, or error 42501 without the right';

CREATE FUNCTION ringfence.has_right_in(right_name text, project_id uuid) RETURNS boolean
    LANGUAGE c STABLE PARALLEL SAFE SUPPORT ringfence.has_right_support AS 'MODULE_PATHNAME', 'has_right_in_fast';
REVOKE ALL ON FUNCTION ringfence.has_right_in(text, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.has_right_in(text, uuid) TO ringfence_user, ringfence_admin;
COMMENT ON FUNCTION ringfence.has_right_in(text, uuid) IS
    'Whether the role holds the right in that project of its owner (NULL: in all projects), whichever project is selected';

CREATE FUNCTION ringfence.projects_with(right_name text) RETURNS uuid[]
    LANGUAGE c STABLE PARALLEL SAFE STRICT SUPPORT ringfence.has_right_support AS 'MODULE_PATHNAME', 'projects_with_fast';
REVOKE ALL ON FUNCTION ringfence.projects_with(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.projects_with(text) TO ringfence_user, ringfence_admin;
COMMENT ON FUNCTION ringfence.projects_with(text) IS
    'The projects of the session''s owner in which its role holds the right, whichever is selected. Error 22023: no such right; else as current_owner()';

CREATE FUNCTION ringfence.works_in(project_id uuid) RETURNS boolean
    LANGUAGE c STABLE PARALLEL SAFE STRICT SUPPORT ringfence.has_right_support AS 'MODULE_PATHNAME', 'works_in_wrapper';
REVOKE ALL ON FUNCTION ringfence.works_in(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.works_in(uuid) TO ringfence_user, ringfence_admin;
COMMENT ON FUNCTION ringfence.works_in(uuid) IS 'Whether the role has access to that project of its owner, whichever project is selected';

CREATE FUNCTION ringfence.whoami(
    OUT role_name text, OUT owner_id uuid, OUT owner_name text, OUT project_id uuid, OUT project_name text,
    OUT agent text, OUT source text, OUT rights text[], OUT bound text)
    RETURNS SETOF record
    LANGUAGE c STABLE PARALLEL SAFE STRICT ROWS 1 AS 'MODULE_PATHNAME', 'whoami_wrapper';
REVOKE ALL ON FUNCTION ringfence.whoami() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.whoami() TO ringfence_user, ringfence_admin;
COMMENT ON FUNCTION ringfence.whoami() IS
    'The session''s role, owner, project, agent, source and rights, and how the owner was selected: setting, default, enter, token, or NULL for none';
