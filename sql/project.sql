-- project: the projects of an owner.

CREATE TABLE ringfence.project (
    owner_id    uuid NOT NULL DEFAULT ringfence.current_owner() REFERENCES ringfence.owner ON DELETE CASCADE,
    id          uuid NOT NULL DEFAULT ringfence.new_id(),
    name        text NOT NULL CHECK (ringfence.check_name(name)),
    description text,
    enabled     boolean NOT NULL DEFAULT true,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (owner_id, id),
    UNIQUE (owner_id, name)
);
CREATE UNIQUE INDEX project_name_as_seen ON ringfence.project (owner_id, ringfence.name_as_seen(name));
COMMENT ON INDEX ringfence.project_name_as_seen IS 'No two projects of an owner have names that look the same';
COMMENT ON TABLE ringfence.project IS 'Projects of an owner; a role sees those that it works in';
COMMENT ON COLUMN ringfence.project.name IS 'Unique within the owner; a session may set ringfence.project to it';
COMMENT ON COLUMN ringfence.project.enabled IS 'Only an enabled project can be selected';

SELECT ringfence.wall('ringfence.project', NULL, 'project.manage', 'project.manage');
CREATE POLICY may_read ON ringfence.project FOR SELECT TO PUBLIC USING (ringfence.works_in(id));
SELECT ringfence.decide_from('ringfence.project');

GRANT SELECT (owner_id, id, name, description, enabled, created_at),
      INSERT (owner_id, name, description, enabled), UPDATE (owner_id, name, description, enabled), DELETE
    ON ringfence.project TO ringfence_user;

CREATE FUNCTION ringfence.project_in_reach(project text) RETURNS uuid
    LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'project_in_reach_wrapper';
REVOKE ALL ON FUNCTION ringfence.project_in_reach(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.project_in_reach(text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.project_in_reach(text) IS 'The project with that id or exact name. Error P0002: the role works in no such project';

CREATE FUNCTION ringfence.provision_project() RETURNS void
    LANGUAGE sql VOLATILE
    BEGIN ATOMIC
        INSERT INTO ringfence.project (name, description) VALUES ('Default', 'The project every owner starts with');
    END;
REVOKE ALL ON FUNCTION ringfence.provision_project() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.provision_project() TO ringfence_definer;
COMMENT ON FUNCTION ringfence.provision_project() IS 'Provisions the project of a new owner; internal';
CREATE TRIGGER provision_project AFTER INSERT ON ringfence.owner
    FOR EACH ROW EXECUTE FUNCTION ringfence.as_owner('provision_project');
