-- channel: the addresses that customers reach an owner at, and which owner an address belongs to.

-- An address belongs to one owner of the installation. Only ringfence_admin assigns one: whoever could try addresses would learn others'.
CREATE TABLE ringfence.channel (
    owner_id       uuid NOT NULL DEFAULT ringfence.current_owner() REFERENCES ringfence.owner ON DELETE CASCADE,
    id             uuid NOT NULL DEFAULT ringfence.new_id(),
    kind           text NOT NULL CHECK (kind IN ('phone', 'email', 'chat', 'messenger', 'web')),
    address        text NOT NULL,
    normal_address text NOT NULL COLLATE "C",
    project_id     uuid,
    name           text CHECK (ringfence.check_name(name)),
    enabled        boolean NOT NULL DEFAULT true,
    created_at     timestamptz NOT NULL DEFAULT now(),
    created_by     text NOT NULL DEFAULT ringfence.current_actor(),
    updated_at     timestamptz NOT NULL DEFAULT now(),
    updated_by     text NOT NULL DEFAULT ringfence.current_actor(),
    PRIMARY KEY (owner_id, id),
    FOREIGN KEY (owner_id, project_id) REFERENCES ringfence.project ON DELETE SET NULL (project_id)
);
CREATE INDEX channel_project ON ringfence.channel (owner_id, project_id) WHERE project_id IS NOT NULL;
COMMENT ON INDEX ringfence.channel_project IS 'The channels of a project: deleting a project looks them up';
CREATE UNIQUE INDEX channel_address ON ringfence.channel (normal_address, kind COLLATE "C");
COMMENT ON INDEX ringfence.channel_address IS 'An address belongs to one owner of the installation: route() looks it up before an owner is known';
COMMENT ON TABLE ringfence.channel IS 'Addresses that customers reach an owner at; assign_channel() and release_channel() of ringfence_admin write the addresses';
COMMENT ON COLUMN ringfence.channel.kind IS 'phone, email, chat, messenger or web';
COMMENT ON COLUMN ringfence.channel.address IS 'As it was assigned';
COMMENT ON COLUMN ringfence.channel.normal_address IS 'The form that route() compares, unique in the installation; a phone in E.164 by the owner''s country';
COMMENT ON COLUMN ringfence.channel.project_id IS 'The project that a contact on this channel belongs to';
COMMENT ON COLUMN ringfence.channel.enabled IS 'route() finds only enabled channels';
COMMENT ON COLUMN ringfence.channel.created_by IS 'ringfence.agent, else the role';
COMMENT ON COLUMN ringfence.channel.updated_by IS 'ringfence.agent, else the role';

SELECT ringfence.wall('ringfence.channel', NULL, 'channel.manage', 'channel.manage');
-- Whoever works for the owner sees the channels of all projects together, and those of the projects that it works in.
CREATE POLICY may_read ON ringfence.channel FOR SELECT TO PUBLIC USING (project_id IS NULL OR ringfence.works_in(project_id));
SELECT ringfence.decide_from('ringfence.channel');
GRANT SELECT (owner_id, id, kind, address, normal_address, project_id, name, enabled, created_at, created_by, updated_at, updated_by),
      UPDATE (project_id, name, enabled)
    ON ringfence.channel TO ringfence_user;
CREATE TRIGGER stamp_row BEFORE UPDATE OF project_id, name, enabled ON ringfence.channel
    FOR EACH ROW EXECUTE FUNCTION ringfence.stamp_row();

CREATE FUNCTION ringfence.assign_channel(owner text, kind text, address text, project text DEFAULT NULL, name text DEFAULT NULL) RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'assign_channel_wrapper';
REVOKE ALL ON FUNCTION ringfence.assign_channel(text, text, text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.assign_channel(text, text, text, text, text) TO ringfence_admin;
COMMENT ON FUNCTION ringfence.assign_channel(text, text, text, text, text) IS
    'Gives an address to an owner, and to one of its projects or none; returns the channel''s id. Error 23505: the address is taken; 22023: not an address of that kind; P0002: no such owner or project';

CREATE FUNCTION ringfence.release_channel(kind text, address text) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'release_channel_wrapper';
REVOKE ALL ON FUNCTION ringfence.release_channel(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.release_channel(text, text) TO ringfence_admin;
COMMENT ON FUNCTION ringfence.release_channel(text, text) IS 'Deletes the channel with that address, in any spelling. Error P0002: there is none; 21000: the spelling means several';

CREATE FUNCTION ringfence.route(kind text, address text,
    OUT owner_id uuid, OUT owner_name text, OUT channel_id uuid, OUT project_id uuid, OUT project_name text)
    RETURNS SETOF record
    LANGUAGE c STABLE PARALLEL RESTRICTED ROWS 1 AS 'MODULE_PATHNAME', 'route_fast';
REVOKE ALL ON FUNCTION ringfence.route(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.route(text, text) TO ringfence_router;
COMMENT ON FUNCTION ringfence.route(text, text) IS
    'The owner and project that an address belongs to, in any spelling, before an owner is selected: one row, or none where it is unknown, ambiguous or disabled. Error 22023: no such kind';

-- A national number reads differently under another country.
CREATE FUNCTION ringfence.channel_form(kind text, address text, owner_id uuid) RETURNS text
    LANGUAGE c STABLE PARALLEL SAFE STRICT AS 'MODULE_PATHNAME', 'channel_form_wrapper';
REVOKE ALL ON FUNCTION ringfence.channel_form(text, text, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.channel_form(text, text, uuid) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.channel_form(text, text, uuid) IS 'The form of an address that route() compares, by the country of its owner. Error 22023: not an address of that kind. Internal';

CREATE FUNCTION ringfence.renew_channels() RETURNS void
    LANGUAGE sql VOLATILE
    BEGIN ATOMIC
        UPDATE ringfence.channel
            SET normal_address = ringfence.channel_form(channel.kind, channel.address, channel.owner_id)
            WHERE channel.kind OPERATOR(pg_catalog.=) 'phone';
    END;
REVOKE ALL ON FUNCTION ringfence.renew_channels() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.renew_channels() TO ringfence_definer;
COMMENT ON FUNCTION ringfence.renew_channels() IS 'Reads all phone addresses of an owner again after its country changed; internal';
CREATE TRIGGER renew_channels AFTER UPDATE OF country ON ringfence.owner
    FOR EACH ROW WHEN (OLD.country IS DISTINCT FROM NEW.country)
    EXECUTE FUNCTION ringfence.as_owner('renew_channels');
