-- proposal: what a session that may propose, and not write, has written to customer_card; for others to accept or reject.

CREATE TABLE ringfence.proposed_value (
    owner_id    uuid NOT NULL DEFAULT ringfence.current_owner() REFERENCES ringfence.owner ON DELETE CASCADE,
    id          uuid NOT NULL DEFAULT ringfence.new_id(),
    customer_id uuid,
    field_id    uuid,
    data        jsonb NOT NULL,
    proposed_at timestamptz NOT NULL DEFAULT now(),
    role_name   text NOT NULL,
    agent       text,
    source_id   uuid,
    state       text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'accepted', 'rejected')),
    decided_at  timestamptz,
    decided_by  text,
    reason      text,
    PRIMARY KEY (owner_id, id),
    FOREIGN KEY (owner_id, customer_id) REFERENCES ringfence.customer ON DELETE CASCADE,
    FOREIGN KEY (owner_id, field_id) REFERENCES ringfence.field ON DELETE CASCADE,
    CHECK ((customer_id IS NULL) = (field_id IS NULL))
);
CREATE INDEX proposed_value_customer ON ringfence.proposed_value (owner_id, customer_id) WHERE customer_id IS NOT NULL;
CREATE INDEX proposed_value_field ON ringfence.proposed_value (owner_id, field_id) WHERE field_id IS NOT NULL;
COMMENT ON TABLE ringfence.proposed_value IS 'Proposed values of customers, and new customers (without customer_id); no role can read or write it: view proposal shows what a session may see';
COMMENT ON COLUMN ringfence.proposed_value.data IS '"old" and "new", as they were shown; of a new customer its card, with custom values by the ids of their fields';
-- No role has a privilege on it. The rights are asked by the functions below, and by the triggers of customer_card.
SELECT ringfence.wall('ringfence.proposed_value', 'customer.read', 'customer.read', 'customer.read');

CREATE FUNCTION ringfence.store_proposal(customer uuid, field uuid, data jsonb, role_name text, agent text, source uuid) RETURNS void
    LANGUAGE sql VOLATILE
    BEGIN ATOMIC
        INSERT INTO ringfence.proposed_value (customer_id, field_id, data, role_name, agent, source_id)
        VALUES (store_proposal.customer, store_proposal.field, store_proposal.data, store_proposal.role_name, store_proposal.agent, store_proposal.source);
    END;
REVOKE ALL ON FUNCTION ringfence.store_proposal(uuid, uuid, jsonb, text, text, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.store_proposal(uuid, uuid, jsonb, text, text, uuid) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.store_proposal(uuid, uuid, jsonb, text, text, uuid) IS 'Keeps a proposal; part of customer_card';

-- A masked field shows that something is proposed for it, without values. Fields that the session does not see are left out.
CREATE FUNCTION ringfence.proposals_in_reach()
    RETURNS TABLE (owner_id uuid, id uuid, customer_id uuid, field text, old jsonb, new jsonb, proposed_at timestamptz, role_name text, agent text,
                   source text, state text, decided_at timestamptz, decided_by text, reason text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $proposals$
#variable_conflict use_column
BEGIN
    PERFORM ringfence.check_right('customer.read');
    RETURN QUERY
        SELECT p.owner_id, p.id, p.customer_id, f.name,
               CASE WHEN f.access <> 'masked' THEN p.data -> 'old' END,
               CASE WHEN p.field_id IS NULL THEN (p.data -> 'new') || jsonb_build_object('attributes', coalesce(
                        (SELECT jsonb_object_agg(seen.name, given.value)
                           FROM jsonb_each(p.data #> '{new,attributes}') AS given
                           JOIN ringfence.visible_fields(true) AS seen ON seen.field_id::text = given.key), '{}'))
                    WHEN f.access <> 'masked' THEN p.data -> 'new' END,
               p.proposed_at, p.role_name, p.agent, s.name, p.state, p.decided_at, p.decided_by, p.reason
          FROM ringfence.proposed_value AS p
          LEFT JOIN ringfence.visible_fields(false) AS f ON f.field_id = p.field_id
          LEFT JOIN ringfence.source AS s ON s.owner_id = p.owner_id AND s.id = p.source_id
         WHERE p.owner_id = ringfence.current_owner() AND (p.field_id IS NULL OR f.field_id IS NOT NULL)
         ORDER BY p.proposed_at, p.id;
END
$proposals$;
ALTER FUNCTION ringfence.proposals_in_reach() OWNER TO ringfence_definer;
REVOKE ALL ON FUNCTION ringfence.proposals_in_reach() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.proposals_in_reach() TO ringfence_user;
COMMENT ON FUNCTION ringfence.proposals_in_reach() IS 'The rows of view proposal. Error 42501 without customer.read';

CREATE VIEW ringfence.proposal WITH (security_invoker = true, security_barrier = true) AS SELECT * FROM ringfence.proposals_in_reach();
GRANT SELECT ON ringfence.proposal TO ringfence_user;
COMMENT ON VIEW ringfence.proposal IS 'What sessions that may propose have written to customer_card, as far as this session sees the fields';
COMMENT ON COLUMN ringfence.proposal.customer_id IS 'NULL: a new customer, whose card is "new"';
COMMENT ON COLUMN ringfence.proposal.state IS 'open, accepted or rejected';

-- One error for a proposal that is not there, of another owner, decided, or of a field that the session does not see.
CREATE FUNCTION ringfence.open_proposal(proposal uuid) RETURNS ringfence.proposed_value
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $open$
DECLARE
    found_row ringfence.proposed_value;
BEGIN
    PERFORM ringfence.check_right('customer.read'), ringfence.check_right('customer.write');
    SELECT p.* INTO found_row FROM ringfence.proposed_value AS p
     WHERE p.owner_id = ringfence.current_owner() AND p.id = open_proposal.proposal AND p.state = 'open'
       AND (p.field_id IS NULL OR p.field_id IN (SELECT f.field_id FROM ringfence.visible_fields(true) AS f))
       FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no open proposal with this id is in reach' USING ERRCODE = 'no_data_found', HINT = 'SELECT * FROM ringfence.proposal lists them.';
    END IF;
    RETURN found_row;
END
$open$;
REVOKE ALL ON FUNCTION ringfence.open_proposal(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.open_proposal(uuid) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.open_proposal(uuid) IS 'An open proposal of a field that the session sees, locked. Error P0002: there is none; 42501: rights are missing. Internal';

CREATE FUNCTION ringfence.accept_proposal(proposal uuid) RETURNS uuid
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $accept$
DECLARE
    accepted ringfence.proposed_value := ringfence.open_proposal(proposal);
    field    record;
    card     ringfence.customer_card;
    given    ringfence.customer_card;
    held     jsonb;
BEGIN
    IF accepted.customer_id IS NULL THEN
        -- They would be lost otherwise.
        IF EXISTS (SELECT FROM jsonb_object_keys(accepted.data #> '{new,attributes}') AS key
                    WHERE key NOT IN (SELECT seen.field_id::text FROM ringfence.visible_fields(true) AS seen)) THEN
            RAISE EXCEPTION 'the proposal has values that this session may not write'
                USING ERRCODE = 'insufficient_privilege', HINT = 'Have it accepted by a session that sees more fields.';
        END IF;
        given := jsonb_populate_record(NULL::ringfence.customer_card, (accepted.data -> 'new') || jsonb_build_object('attributes', coalesce(
            (SELECT jsonb_object_agg(seen.name, each.value)
               FROM jsonb_each(accepted.data #> '{new,attributes}') AS each
               JOIN ringfence.visible_fields(true) AS seen ON seen.field_id::text = each.key), '{}')));
        INSERT INTO ringfence.customer_card (id, name, phones, emails, address, birth_date, language, company_id, attributes)
        VALUES (given.id, given.name, given.phones, given.emails, given.address, given.birth_date, given.language, given.company_id, given.attributes);
        accepted.customer_id := given.id;
    ELSE
        field := ringfence.known_field(accepted.field_id::text);
        SELECT c.* INTO card FROM ringfence.customer_card AS c WHERE c.owner_id = ringfence.current_owner() AND c.id = accepted.customer_id;
        held := CASE WHEN field.is_system THEN to_jsonb(card) -> field.name ELSE card.attributes -> field.name END;
        IF coalesce(nullif(held, '[]'), 'null') IS DISTINCT FROM coalesce(accepted.data -> 'old', 'null') THEN
            RAISE EXCEPTION 'the value has changed since the proposal was made'
                USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Look at both. Then write the one that is right, and reject the proposal.';
        END IF;
        given := card;
        IF field.is_system THEN
            given := jsonb_populate_record(card, jsonb_build_object(field.name, accepted.data -> 'new'));
        ELSE
            given.attributes := card.attributes || jsonb_build_object(field.name, accepted.data -> 'new');
        END IF;
        UPDATE ringfence.customer_card AS c
           SET name = given.name, phones = given.phones, emails = given.emails, address = given.address, birth_date = given.birth_date,
               language = given.language, company_id = given.company_id, attributes = given.attributes
         WHERE c.owner_id = ringfence.current_owner() AND c.id = accepted.customer_id;
    END IF;
    UPDATE ringfence.proposed_value AS p SET state = 'accepted', decided_at = now(), decided_by = ringfence.current_actor()
     WHERE p.owner_id = accepted.owner_id AND p.id = accepted.id;
    RETURN accepted.customer_id;
END
$accept$;
ALTER FUNCTION ringfence.accept_proposal(uuid) OWNER TO ringfence_definer;
REVOKE ALL ON FUNCTION ringfence.accept_proposal(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.accept_proposal(uuid) TO ringfence_user;
COMMENT ON FUNCTION ringfence.accept_proposal(uuid) IS
    'Writes what is proposed, as this session may write it, and returns the customer''s id. Needs customer.read and customer.write. Error P0002: no open proposal; 55000: the value has changed since';

CREATE FUNCTION ringfence.reject_proposal(proposal uuid, reason text DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $reject$
DECLARE
    rejected ringfence.proposed_value := ringfence.open_proposal(proposal);
BEGIN
    UPDATE ringfence.proposed_value AS p
       SET state = 'rejected', decided_at = now(), decided_by = ringfence.current_actor(), reason = reject_proposal.reason
     WHERE p.owner_id = rejected.owner_id AND p.id = rejected.id;
END
$reject$;
ALTER FUNCTION ringfence.reject_proposal(uuid, text) OWNER TO ringfence_definer;
REVOKE ALL ON FUNCTION ringfence.reject_proposal(uuid, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.reject_proposal(uuid, text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.reject_proposal(uuid, text) IS 'Closes a proposal without writing it, for a reason. Needs customer.read and customer.write. Error P0002: no open proposal';
