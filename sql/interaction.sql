-- interaction: what was said, written or done with a customer. It belongs to a project as a ticket does.

CREATE TABLE ringfence.interaction (
    owner_id       uuid NOT NULL DEFAULT ringfence.current_owner() REFERENCES ringfence.owner,
    id             uuid NOT NULL DEFAULT ringfence.new_id(),
    kind           text NOT NULL CHECK (kind IN ('call', 'email', 'chat', 'message', 'visit', 'note')),
    direction      text NOT NULL DEFAULT 'in' CHECK (direction IN ('in', 'out')),
    customer_id    uuid,
    ticket_id      uuid,
    project_id     uuid DEFAULT ringfence.current_project(),
    channel_id     uuid,
    agent          text NOT NULL DEFAULT ringfence.current_actor(),
    remote_address text,
    started_at     timestamptz NOT NULL DEFAULT now(),
    answered_at    timestamptz,
    ended_at       timestamptz,
    disposition    text,
    notes          text,
    -- A longer text does not fit into an index, and PostgreSQL's error would tell where the row is stored.
    external_id    text CHECK (octet_length(external_id) <= 1000),
    created_at     timestamptz NOT NULL DEFAULT now(),
    created_by     text NOT NULL DEFAULT ringfence.current_actor(),
    updated_at     timestamptz NOT NULL DEFAULT now(),
    updated_by     text NOT NULL DEFAULT ringfence.current_actor(),
    PRIMARY KEY (owner_id, id),
    UNIQUE (owner_id, external_id),
    FOREIGN KEY (owner_id, customer_id) REFERENCES ringfence.customer ON DELETE SET NULL (customer_id),
    FOREIGN KEY (owner_id, ticket_id) REFERENCES ringfence.ticket ON DELETE SET NULL (ticket_id),
    FOREIGN KEY (owner_id, project_id) REFERENCES ringfence.project ON DELETE SET NULL (project_id),
    FOREIGN KEY (owner_id, channel_id) REFERENCES ringfence.channel ON DELETE SET NULL (channel_id),
    CONSTRAINT interaction_times_check CHECK (answered_at >= started_at AND ended_at >= started_at AND ended_at >= answered_at)
);
COMMENT ON TABLE ringfence.interaction IS 'Calls, letters, chats, visits and notes, each with a customer or with somebody unknown';
COMMENT ON COLUMN ringfence.interaction.kind IS 'call, email, chat, message, visit or note';
COMMENT ON COLUMN ringfence.interaction.direction IS 'in: from the customer; out: to the customer';
COMMENT ON COLUMN ringfence.interaction.project_id IS 'A session that holds the right in this project sees the interaction; one of no project takes the right in all projects';
COMMENT ON COLUMN ringfence.interaction.agent IS 'The agent of the interaction; if none is named, ringfence.agent, else the role';
COMMENT ON COLUMN ringfence.interaction.remote_address IS 'The number or address of the customer, as it was shown';
COMMENT ON COLUMN ringfence.interaction.disposition IS 'How it ended, in the words of the application';
COMMENT ON COLUMN ringfence.interaction.external_id IS 'The id that the switch or another system gave it; unique within the owner';
COMMENT ON COLUMN ringfence.interaction.created_by IS 'ringfence.agent, else the role';
COMMENT ON COLUMN ringfence.interaction.updated_by IS 'ringfence.agent, else the role';
CREATE INDEX interaction_by_project ON ringfence.interaction (owner_id, project_id, started_at, id);
COMMENT ON INDEX ringfence.interaction_by_project IS 'The interactions of a project, in their order';
CREATE INDEX interaction_by_customer ON ringfence.interaction (owner_id, customer_id, started_at, id) WHERE customer_id IS NOT NULL;
COMMENT ON INDEX ringfence.interaction_by_customer IS 'The interactions with a customer, in their order';
CREATE INDEX interaction_by_start ON ringfence.interaction (owner_id, started_at, id);
COMMENT ON INDEX ringfence.interaction_by_start IS 'Lists in the order of time, the first or the last first';
CREATE INDEX interaction_by_ticket ON ringfence.interaction (owner_id, ticket_id, started_at, id) WHERE ticket_id IS NOT NULL;
COMMENT ON INDEX ringfence.interaction_by_ticket IS 'The interactions about a ticket, in their order';
CREATE INDEX interaction_channel ON ringfence.interaction (owner_id, channel_id) WHERE channel_id IS NOT NULL;
COMMENT ON INDEX ringfence.interaction_channel IS 'The interactions on a channel: releasing it looks them up';

SELECT ringfence.wall('ringfence.interaction', 'interaction.read', 'interaction.write', 'interaction.write', 'project_id');
GRANT SELECT (owner_id, id, kind, direction, customer_id, ticket_id, project_id, channel_id, agent, remote_address, started_at, answered_at,
              ended_at, disposition, notes, external_id, created_at, created_by, updated_at, updated_by),
      INSERT (owner_id, id, kind, direction, customer_id, ticket_id, project_id, channel_id, agent, remote_address, started_at, answered_at,
              ended_at, disposition, notes, external_id, created_at, created_by, updated_at, updated_by),
      UPDATE (owner_id, kind, direction, customer_id, ticket_id, project_id, channel_id, agent, remote_address, started_at, answered_at,
              ended_at, disposition, notes, external_id, created_at, created_by, updated_at, updated_by),
      DELETE
    ON ringfence.interaction TO ringfence_user;
CREATE TRIGGER stamp_row BEFORE INSERT OR UPDATE ON ringfence.interaction
    FOR EACH ROW EXECUTE FUNCTION ringfence.stamp_row();

-- A ticket of another project is none that the session can name, whether it exists or not.
CREATE FUNCTION ringfence.check_interaction() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $check$
DECLARE
    about record;
BEGIN
    IF NOT row_security_active(TG_RELID) THEN
        RETURN NEW;
    END IF;
    NEW.direction := coalesce(NEW.direction, 'in');
    NEW.started_at := coalesce(NEW.started_at, now());
    NEW.agent := coalesce(NEW.agent, ringfence.current_actor());
    IF NEW.ticket_id IS NULL OR TG_OP = 'UPDATE' AND NEW.ticket_id IS NOT DISTINCT FROM OLD.ticket_id THEN
        RETURN NEW;
    END IF;
    SELECT ticket.customer_id, ticket.project_id INTO about
      FROM ringfence.ticket WHERE ticket.owner_id = ringfence.current_owner() AND ticket.id = NEW.ticket_id;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no ticket "%" is in reach', NEW.ticket_id
            USING ERRCODE = 'no_data_found', HINT = 'SELECT id, number FROM ringfence.ticket lists the tickets that this session sees.';
    END IF;
    IF TG_OP = 'INSERT' THEN
        NEW.customer_id := coalesce(NEW.customer_id, about.customer_id);
        NEW.project_id := coalesce(NEW.project_id, about.project_id);
    END IF;
    RETURN NEW;
END
$check$;
REVOKE ALL ON FUNCTION ringfence.check_interaction() FROM PUBLIC;
COMMENT ON FUNCTION ringfence.check_interaction() IS
    'Trigger: fills in what a new interaction leaves out, customer and project from its ticket. Error P0002: a ticket that the session does not see';
CREATE TRIGGER check_interaction BEFORE INSERT OR UPDATE ON ringfence.interaction
    FOR EACH ROW EXECUTE FUNCTION ringfence.check_interaction();

-- In PL/pgSQL, which keeps the plan: PostgreSQL would read and plan a function of SQL for each interaction.
CREATE FUNCTION ringfence.touch_customer(owner_id uuid, customer_id uuid, moment timestamptz) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $touch$
BEGIN
    UPDATE ringfence.customer AS active SET last_activity_at = least(touch_customer.moment, now())
     WHERE active.owner_id = touch_customer.owner_id AND active.id = touch_customer.customer_id
       AND (active.last_activity_at IS NULL OR active.last_activity_at < least(touch_customer.moment, now()));
END
$touch$;
REVOKE ALL ON FUNCTION ringfence.touch_customer(uuid, uuid, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.touch_customer(uuid, uuid, timestamptz) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.touch_customer(uuid, uuid, timestamptz) IS 'Sets when a customer was last active, unless that is later; internal';

CREATE FUNCTION ringfence.note_activity() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'note_activity_wrapper';
REVOKE ALL ON FUNCTION ringfence.note_activity() FROM PUBLIC;
COMMENT ON FUNCTION ringfence.note_activity() IS 'Trigger: an interaction updates the last activity of its customer, also if the session has no right over customers';
CREATE TRIGGER note_activity AFTER INSERT OR UPDATE OF customer_id, started_at ON ringfence.interaction
    FOR EACH ROW WHEN (NEW.customer_id IS NOT NULL) EXECUTE FUNCTION ringfence.note_activity();

CREATE FUNCTION ringfence.log_interaction(
    kind text, direction text DEFAULT 'in', customer uuid DEFAULT NULL, ticket uuid DEFAULT NULL, project text DEFAULT NULL,
    channel uuid DEFAULT NULL, remote_address text DEFAULT NULL, started_at timestamptz DEFAULT now(), ended_at timestamptz DEFAULT NULL,
    disposition text DEFAULT NULL, notes text DEFAULT NULL, external_id text DEFAULT NULL)
    RETURNS uuid
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $log$
#variable_conflict use_variable
DECLARE
    made CONSTANT uuid := ringfence.new_id();
BEGIN
    INSERT INTO ringfence.interaction (id, kind, direction, customer_id, ticket_id, project_id, channel_id, remote_address, started_at, ended_at,
                                       disposition, notes, external_id)
        VALUES (made, kind, direction, customer, ticket,
                CASE WHEN project IS NULL THEN ringfence.current_project() ELSE ringfence.project_in_reach(project) END,
                channel, remote_address, started_at, ended_at, disposition, notes, external_id);
    RETURN made;
END
$log$;
REVOKE ALL ON FUNCTION ringfence.log_interaction(text, text, uuid, uuid, text, uuid, text, timestamptz, timestamptz, text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.log_interaction(text, text, uuid, uuid, text, uuid, text, timestamptz, timestamptz, text, text, text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.log_interaction(text, text, uuid, uuid, text, uuid, text, timestamptz, timestamptz, text, text, text) IS
    'Keeps an interaction, and returns its id. Needs interaction.write in its project. Error 23503: no such customer or channel; P0002: no such ticket or project; 23505: the external id is taken';

-- The call log -----------------------------------------------------------------------------------------------------------

CREATE FUNCTION ringfence.attributes_in(stored jsonb, project_id uuid) RETURNS jsonb
    LANGUAGE c STABLE PARALLEL SAFE STRICT AS 'MODULE_PATHNAME', 'attributes_in_wrapper';
REVOKE ALL ON FUNCTION ringfence.attributes_in(jsonb, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.attributes_in(jsonb, uuid) TO ringfence_user;
COMMENT ON FUNCTION ringfence.attributes_in(jsonb, uuid) IS 'Stored values of the fields that this session sees in that project, by field name; part of call_log';

-- Not security_invoker: it reads attributes, which callers may not. Not a barrier, for the reasons that customer_card is none.
CREATE VIEW ringfence.call_log AS
    SELECT interaction.owner_id, interaction.id AS interaction_id, interaction.kind, interaction.direction, interaction.started_at,
           interaction.answered_at, interaction.ended_at, interaction.agent, interaction.remote_address, interaction.disposition,
           interaction.notes, interaction.external_id, interaction.project_id, interaction.channel_id, interaction.ticket_id,
           customer.id AS customer_id, customer.name AS customer_name, customer.phones, customer.emails,
           ringfence.attributes_in(customer.attributes, interaction.project_id) AS attributes
      FROM ringfence.interaction
      LEFT JOIN ringfence.customer ON customer.owner_id = interaction.owner_id AND customer.id = interaction.customer_id;
ALTER VIEW ringfence.call_log OWNER TO ringfence_definer;
GRANT SELECT ON ringfence.call_log TO ringfence_user;
COMMENT ON VIEW ringfence.call_log IS 'Interactions with their customer, and of the customer''s custom values those of the interaction''s project that this session sees';
COMMENT ON COLUMN ringfence.call_log.attributes IS 'Custom values by field name; NULL without a customer or a project';

CREATE FUNCTION ringfence.erase_interactions(customer uuid) RETURNS void
    LANGUAGE sql VOLATILE
    BEGIN ATOMIC
        UPDATE ringfence.interaction AS i SET remote_address = NULL, disposition = NULL, notes = NULL, external_id = NULL
         WHERE i.owner_id = ringfence.current_owner()
           AND (i.customer_id = erase_interactions.customer
                OR i.customer_id IS NULL AND i.ticket_id IN (SELECT t.id FROM ringfence.ticket AS t
                                                              WHERE t.owner_id = ringfence.current_owner() AND t.customer_id = erase_interactions.customer));
    END;
REVOKE ALL ON FUNCTION ringfence.erase_interactions(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.erase_interactions(uuid) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.erase_interactions(uuid) IS 'Clears what the interactions with a customer say, and those about its tickets. They stay, to be counted. Part of erase_customer()';
