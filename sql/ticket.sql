-- ticket: what is to be done for a customer. A ticket belongs to a project, or to none; a session sees those of the projects in which it
-- holds ticket.read, and those of no project with the right in all projects.

CREATE TABLE ringfence.ticket_status (
    owner_id   uuid NOT NULL DEFAULT ringfence.current_owner() REFERENCES ringfence.owner ON DELETE CASCADE,
    name       text NOT NULL CHECK (ringfence.check_name(name)),
    is_closed  boolean NOT NULL DEFAULT false,
    position   integer NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL DEFAULT ringfence.current_actor(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    updated_by text NOT NULL DEFAULT ringfence.current_actor(),
    PRIMARY KEY (owner_id, name)
);
CREATE UNIQUE INDEX ticket_status_name_as_seen ON ringfence.ticket_status (owner_id, ringfence.name_as_seen(name));
COMMENT ON INDEX ringfence.ticket_status_name_as_seen IS 'No two statuses of an owner have names that look the same';
COMMENT ON TABLE ringfence.ticket_status IS 'The statuses that an owner''s tickets have. Renaming one renames it in all tickets';
COMMENT ON COLUMN ringfence.ticket_status.is_closed IS 'A ticket that gets the status is closed';
COMMENT ON COLUMN ringfence.ticket_status.position IS 'Its place in a list; a new ticket has the first status that is not closed';

SELECT ringfence.wall('ringfence.ticket_status', NULL, 'project.manage', 'project.manage');
CREATE POLICY may_read ON ringfence.ticket_status FOR SELECT TO PUBLIC
    USING (ringfence.has_right('ticket.read') OR ringfence.has_right('ticket.write') OR ringfence.has_right('project.manage'));
GRANT SELECT (owner_id, name, is_closed, position, created_at, created_by, updated_at, updated_by),
      INSERT (owner_id, name, is_closed, position, created_at, created_by, updated_at, updated_by),
      UPDATE (owner_id, name, is_closed, position, created_at, created_by, updated_at, updated_by), DELETE
    ON ringfence.ticket_status TO ringfence_user;
CREATE TRIGGER stamp_row BEFORE INSERT OR UPDATE ON ringfence.ticket_status
    FOR EACH ROW EXECUTE FUNCTION ringfence.stamp_row();

CREATE FUNCTION ringfence.place_ticket_status() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $place$
BEGIN
    IF NEW.position IS NULL THEN
        SELECT least(coalesce(max(status.position), 0)::bigint + 1, 2147483647) INTO NEW.position
            FROM ringfence.ticket_status AS status WHERE status.owner_id = NEW.owner_id;
    END IF;
    RETURN NEW;
END
$place$;
REVOKE ALL ON FUNCTION ringfence.place_ticket_status() FROM PUBLIC;
COMMENT ON FUNCTION ringfence.place_ticket_status() IS 'Trigger: a status without a position comes last';
CREATE TRIGGER place_ticket_status BEFORE INSERT ON ringfence.ticket_status
    FOR EACH ROW EXECUTE FUNCTION ringfence.place_ticket_status();

CREATE FUNCTION ringfence.provision_ticket_status() RETURNS void
    LANGUAGE sql VOLATILE
    BEGIN ATOMIC
        INSERT INTO ringfence.ticket_status (name, is_closed, position) VALUES
            ('new', false, 1), ('open', false, 2), ('pending', false, 3), ('solved', true, 4), ('closed', true, 5);
    END;
REVOKE ALL ON FUNCTION ringfence.provision_ticket_status() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.provision_ticket_status() TO ringfence_definer;
COMMENT ON FUNCTION ringfence.provision_ticket_status() IS 'Provisions the ticket statuses of a new owner; internal';
CREATE TRIGGER provision_ticket_status AFTER INSERT ON ringfence.owner
    FOR EACH ROW EXECUTE FUNCTION ringfence.as_owner('provision_ticket_status');

CREATE TABLE ringfence.ticket (
    owner_id    uuid NOT NULL DEFAULT ringfence.current_owner() REFERENCES ringfence.owner,
    id          uuid NOT NULL DEFAULT ringfence.new_id(),
    number      bigint NOT NULL,
    subject     text NOT NULL CHECK (ringfence.can_be_seen(subject)),
    description text,
    -- Longer texts do not fit into an index, and PostgreSQL's error would tell where the row is stored.
    status      text NOT NULL CHECK (octet_length(status) <= 1000),
    priority    text NOT NULL DEFAULT 'normal' CHECK (priority IN ('low', 'normal', 'high', 'urgent')),
    customer_id uuid,
    project_id  uuid DEFAULT ringfence.current_project(),
    channel_id  uuid,
    assignee    text CHECK (octet_length(assignee) <= 1000),
    closed_at   timestamptz,
    created_at  timestamptz NOT NULL DEFAULT now(),
    created_by  text NOT NULL DEFAULT ringfence.current_actor(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    updated_by  text NOT NULL DEFAULT ringfence.current_actor(),
    PRIMARY KEY (owner_id, id),
    UNIQUE (owner_id, number),
    FOREIGN KEY (owner_id, status) REFERENCES ringfence.ticket_status ON UPDATE CASCADE,
    FOREIGN KEY (owner_id, customer_id) REFERENCES ringfence.customer ON DELETE SET NULL (customer_id),
    FOREIGN KEY (owner_id, project_id) REFERENCES ringfence.project ON DELETE SET NULL (project_id),
    FOREIGN KEY (owner_id, channel_id) REFERENCES ringfence.channel ON DELETE SET NULL (channel_id)
);
COMMENT ON TABLE ringfence.ticket IS 'Tasks for customers';
COMMENT ON COLUMN ringfence.ticket.number IS 'Counts the owner''s tickets from 1; given by the server, and never to a second ticket';
COMMENT ON COLUMN ringfence.ticket.status IS 'One of ticket_status; a new ticket has the first that is not closed';
COMMENT ON COLUMN ringfence.ticket.priority IS 'low, normal, high or urgent';
COMMENT ON COLUMN ringfence.ticket.project_id IS 'A session that holds the right in this project sees the ticket; a ticket of no project takes the right in all projects';
COMMENT ON COLUMN ringfence.ticket.assignee IS 'The user who works on the ticket, by the name that the application uses';
COMMENT ON COLUMN ringfence.ticket.closed_at IS 'When it got a status that is closed; kept by the server';
COMMENT ON COLUMN ringfence.ticket.created_by IS 'ringfence.agent, else the role';
COMMENT ON COLUMN ringfence.ticket.updated_by IS 'ringfence.agent, else the role';
CREATE INDEX ticket_by_project ON ringfence.ticket (owner_id, project_id, created_at, id);
COMMENT ON INDEX ringfence.ticket_by_project IS 'The tickets of a project, in the order of entry';
CREATE INDEX ticket_by_customer ON ringfence.ticket (owner_id, customer_id, created_at, id) WHERE customer_id IS NOT NULL;
COMMENT ON INDEX ringfence.ticket_by_customer IS 'The tickets of a customer, in the order of entry';
CREATE INDEX ticket_by_creation ON ringfence.ticket (owner_id, created_at, id);
COMMENT ON INDEX ringfence.ticket_by_creation IS 'Lists in the order of entry, the first or the last first';
CREATE INDEX ticket_by_status ON ringfence.ticket (owner_id, status, created_at, id);
COMMENT ON INDEX ringfence.ticket_by_status IS 'The tickets of a status, in the order of entry; changing a status looks them up';
CREATE INDEX ticket_by_assignee ON ringfence.ticket (owner_id, assignee, created_at, id) WHERE assignee IS NOT NULL;
COMMENT ON INDEX ringfence.ticket_by_assignee IS 'The tickets of an agent, in the order of entry';
CREATE INDEX ticket_channel ON ringfence.ticket (owner_id, channel_id) WHERE channel_id IS NOT NULL;
COMMENT ON INDEX ringfence.ticket_channel IS 'The tickets from a channel: releasing it looks them up';

SELECT ringfence.wall('ringfence.ticket', 'ticket.read', 'ticket.write', 'ticket.delete', 'project_id');
GRANT SELECT (owner_id, id, number, subject, description, status, priority, customer_id, project_id, channel_id, assignee, closed_at,
              created_at, created_by, updated_at, updated_by),
      INSERT (owner_id, id, number, subject, description, status, priority, customer_id, project_id, channel_id, assignee, closed_at,
              created_at, created_by, updated_at, updated_by),
      UPDATE (owner_id, number, subject, description, status, priority, customer_id, project_id, channel_id, assignee, closed_at,
              created_at, created_by, updated_at, updated_by),
      DELETE
    ON ringfence.ticket TO ringfence_user;
CREATE TRIGGER stamp_row BEFORE INSERT OR UPDATE ON ringfence.ticket
    FOR EACH ROW EXECUTE FUNCTION ringfence.stamp_row();

-- Definer, because a session that only writes tickets may set a status.
CREATE FUNCTION ringfence.keep_ticket() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $keep$
DECLARE
    closed boolean;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        NEW.number := OLD.number;
        NEW.closed_at := OLD.closed_at;
        NEW.status := coalesce(NEW.status, OLD.status);
        IF NEW.status = OLD.status THEN
            RETURN NEW;
        END IF;
    ELSE
        NEW.closed_at := NULL;
        NEW.priority := coalesce(NEW.priority, 'normal');
        IF NEW.status IS NULL THEN
            SELECT status.name INTO NEW.status FROM ringfence.ticket_status AS status
             WHERE status.owner_id = ringfence.current_owner() AND NOT status.is_closed ORDER BY status.position, status.name LIMIT 1;
            RETURN NEW;
        END IF;
    END IF;
    SELECT status.is_closed INTO closed FROM ringfence.ticket_status AS status
     WHERE status.owner_id = ringfence.current_owner() AND status.name = NEW.status;
    NEW.closed_at := CASE WHEN closed THEN coalesce(NEW.closed_at, now()) END;
    RETURN NEW;
END
$keep$;
ALTER FUNCTION ringfence.keep_ticket() OWNER TO ringfence_definer;
REVOKE ALL ON FUNCTION ringfence.keep_ticket() FROM PUBLIC;
COMMENT ON FUNCTION ringfence.keep_ticket() IS 'Trigger: keeps number and closed_at; a ticket without a status gets the first that is not closed';
-- Not in a referential action, which runs as the owner of the table, nor for a superuser who restores.
CREATE TRIGGER keep_ticket BEFORE INSERT OR UPDATE ON ringfence.ticket
    FOR EACH ROW WHEN (row_security_active('ringfence.ticket'::regclass)) EXECUTE FUNCTION ringfence.keep_ticket();

-- Numbers --------------------------------------------------------------------------------------------------------------
-- An owner's tickets are counted by a row of the owner's. Who inserts one holds that row until the transaction ends, so that there is no gap
-- if it is undone; other owners have rows of their own.

CREATE TABLE ringfence.ticket_counter (
    owner_id        uuid NOT NULL DEFAULT ringfence.current_owner() PRIMARY KEY REFERENCES ringfence.owner ON DELETE CASCADE,
    taken_by        xid8 NOT NULL,
    highest_deleted bigint NOT NULL DEFAULT 0
);
COMMENT ON TABLE ringfence.ticket_counter IS 'A transaction that numbers tickets of an owner locks the owner''s row; no application role can read or write it';
COMMENT ON COLUMN ringfence.ticket_counter.taken_by IS 'The transaction that locked it last: written once in a transaction, so that many tickets leave one version of the row';
COMMENT ON COLUMN ringfence.ticket_counter.highest_deleted IS 'The highest number of a ticket that was deleted as the last: it is not given again';
SELECT ringfence.wall('ringfence.ticket_counter', 'ticket.read', 'ticket.write', 'ticket.delete');

CREATE FUNCTION ringfence.highest_ticket_number(owner_id uuid) RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE STRICT AS 'MODULE_PATHNAME', 'highest_ticket_number_wrapper';
REVOKE ALL ON FUNCTION ringfence.highest_ticket_number(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.highest_ticket_number(uuid) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.highest_ticket_number(uuid) IS 'The highest number of an owner''s tickets, of all projects, also of those that this statement has inserted; 0 if there is none. Internal';

CREATE FUNCTION ringfence.next_ticket_number(owner_id uuid) RETURNS bigint
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $next$
#variable_conflict use_column
DECLARE
    deleted bigint;
BEGIN
    INSERT INTO ringfence.ticket_counter AS counter (owner_id, taken_by) VALUES (next_ticket_number.owner_id, pg_current_xact_id())
        ON CONFLICT (owner_id) DO UPDATE SET taken_by = excluded.taken_by WHERE counter.taken_by <> excluded.taken_by;
    SELECT counter.highest_deleted INTO deleted FROM ringfence.ticket_counter AS counter
     WHERE counter.owner_id = next_ticket_number.owner_id FOR UPDATE;
    RETURN greatest(deleted, ringfence.highest_ticket_number(next_ticket_number.owner_id)) + 1;
END
$next$;
REVOKE ALL ON FUNCTION ringfence.next_ticket_number(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.next_ticket_number(uuid) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.next_ticket_number(uuid) IS 'The number of an owner''s next ticket; other transactions that want one wait until this one ends. Internal';

CREATE FUNCTION ringfence.never_reuse_ticket_number(owner_id uuid, number bigint) RETURNS void
    LANGUAGE sql VOLATILE
    BEGIN ATOMIC
        -- There is no row yet where all tickets were loaded with their numbers.
        INSERT INTO ringfence.ticket_counter AS counter (owner_id, taken_by, highest_deleted)
            VALUES (never_reuse_ticket_number.owner_id, pg_catalog.pg_current_xact_id(), never_reuse_ticket_number.number)
            ON CONFLICT (owner_id) DO UPDATE SET highest_deleted = greatest(counter.highest_deleted, excluded.highest_deleted);
    END;
REVOKE ALL ON FUNCTION ringfence.never_reuse_ticket_number(uuid, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.never_reuse_ticket_number(uuid, bigint) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.never_reuse_ticket_number(uuid, bigint) IS 'Keeps the number of a ticket that is deleted as the last from being given again; internal';

CREATE FUNCTION ringfence.number_ticket() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'number_ticket_wrapper';
REVOKE ALL ON FUNCTION ringfence.number_ticket() FROM PUBLIC;
COMMENT ON FUNCTION ringfence.number_ticket() IS 'Trigger: gives a new ticket the owner''s next number, and keeps that of one that is deleted';
CREATE TRIGGER number_ticket BEFORE INSERT OR DELETE ON ringfence.ticket
    FOR EACH ROW EXECUTE FUNCTION ringfence.number_ticket();

CREATE FUNCTION ringfence.open_ticket(
    customer uuid, subject text, project text DEFAULT NULL, description text DEFAULT NULL, priority text DEFAULT 'normal',
    channel uuid DEFAULT NULL, assignee text DEFAULT NULL)
    RETURNS uuid
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $open$
DECLARE
    made CONSTANT uuid := ringfence.new_id();
BEGIN
    INSERT INTO ringfence.ticket (id, subject, description, priority, customer_id, project_id, channel_id, assignee)
        VALUES (made, subject, description, priority, customer,
                CASE WHEN project IS NULL THEN ringfence.current_project() ELSE ringfence.project_in_reach(project) END, channel, assignee);
    RETURN made;
END
$open$;
REVOKE ALL ON FUNCTION ringfence.open_ticket(uuid, text, text, text, text, uuid, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.open_ticket(uuid, text, text, text, text, uuid, text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.open_ticket(uuid, text, text, text, text, uuid, text) IS
    'Opens a ticket for a customer, in a project by name or id, or in the session''s, and returns its id. Needs ticket.write there. Error 23503: no such customer or channel; P0002: no such project';

CREATE FUNCTION ringfence.erase_tickets(customer uuid) RETURNS void
    LANGUAGE sql VOLATILE
    BEGIN ATOMIC
        UPDATE ringfence.ticket AS t SET subject = '(erased)', description = NULL
         WHERE t.owner_id = ringfence.current_owner() AND t.customer_id = erase_tickets.customer;
    END;
REVOKE ALL ON FUNCTION ringfence.erase_tickets(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.erase_tickets(uuid) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.erase_tickets(uuid) IS 'Clears what the tickets of a customer say. They stay, with their numbers. Part of erase_customer()';
