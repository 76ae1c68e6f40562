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
    CHECK (field_id IS NULL OR customer_id IS NOT NULL),
    CHECK ((state = 'open') = (decided_at IS NULL)),
    CONSTRAINT proposed_value_form CHECK (jsonb_typeof(data) = 'object'
        AND (field_id IS NOT NULL OR state <> 'open' OR jsonb_typeof(data -> 'new') = 'object' AND coalesce(jsonb_typeof(data #> '{new,attributes}'), 'object') = 'object'))
);
CREATE INDEX proposed_value_customer ON ringfence.proposed_value (owner_id, customer_id) WHERE customer_id IS NOT NULL;
CREATE INDEX proposed_value_field ON ringfence.proposed_value (owner_id, field_id) WHERE field_id IS NOT NULL;
CREATE INDEX proposed_value_new_customer ON ringfence.proposed_value (owner_id, (data #>> '{new,id}')) WHERE customer_id IS NULL;
COMMENT ON TABLE ringfence.proposed_value IS 'Proposed values of customers, and new customers (without field_id). No role can read or write it: view proposal shows what a session may see';
COMMENT ON COLUMN ringfence.proposed_value.customer_id IS 'NULL: a new customer that is not accepted';
COMMENT ON COLUMN ringfence.proposed_value.data IS '"old" and "new", as they were shown. Of an open new customer its card, with custom values by the ids of their fields; of a rejected one its id; of an accepted one empty';
-- No role has a privilege on it. The rights are asked by the functions below, and by the triggers of customer_card.
SELECT ringfence.wall('ringfence.proposed_value', 'customer.read', 'customer.read', 'customer.read');

CREATE FUNCTION ringfence.store_proposal(customer uuid, field uuid, data jsonb, role_name text, agent text, source uuid) RETURNS void
    LANGUAGE sql VOLATILE
    BEGIN ATOMIC
        INSERT INTO ringfence.proposed_value (customer_id, field_id, data, role_name, agent, source_id)
        SELECT store_proposal.customer, store_proposal.field, store_proposal.data, store_proposal.role_name, store_proposal.agent, store_proposal.source
         -- A value that is proposed a second time is one proposal.
         WHERE NOT EXISTS (SELECT FROM ringfence.proposed_value AS same
                            WHERE same.owner_id = ringfence.current_owner() AND same.customer_id = store_proposal.customer
                              AND same.field_id = store_proposal.field AND same.data = store_proposal.data AND same.state = 'open'
                              AND same.role_name = store_proposal.role_name AND same.agent IS NOT DISTINCT FROM store_proposal.agent
                              AND same.source_id IS NOT DISTINCT FROM store_proposal.source);
    END;
REVOKE ALL ON FUNCTION ringfence.store_proposal(uuid, uuid, jsonb, text, text, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.store_proposal(uuid, uuid, jsonb, text, text, uuid) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.store_proposal(uuid, uuid, jsonb, text, text, uuid) IS 'Keeps a proposal; part of customer_card';

CREATE FUNCTION ringfence.card_by_names(card jsonb) RETURNS jsonb
    LANGUAGE sql STABLE
    BEGIN ATOMIC
        SELECT card_by_names.card || jsonb_build_object('attributes', coalesce(
            (SELECT jsonb_object_agg(f.name, given.value)
               FROM jsonb_each(card_by_names.card -> 'attributes') AS given
               JOIN ringfence.visible_fields(true) AS f ON f.field_id::text = given.key), '{}'));
    END;
REVOKE ALL ON FUNCTION ringfence.card_by_names(jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.card_by_names(jsonb) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.card_by_names(jsonb) IS 'The card of a proposed new customer, with custom values by the names of their fields. Internal';

-- A card in part would be accepted in part.
CREATE FUNCTION ringfence.sees_card(card jsonb) RETURNS boolean
    LANGUAGE sql STABLE
    BEGIN ATOMIC
        SELECT NOT EXISTS (SELECT FROM jsonb_object_keys(sees_card.card -> 'attributes') AS given (field_id)
                            WHERE given.field_id NOT IN (SELECT f.field_id::text FROM ringfence.visible_fields(true) AS f));
    END;
REVOKE ALL ON FUNCTION ringfence.sees_card(jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.sees_card(jsonb) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.sees_card(jsonb) IS 'Whether the session sees all fields of which a proposed new customer has values. Internal';

-- A masked field shows that something is proposed for it, without values. Fields that the session does not see are left out,
-- and so are new customers that have values of such fields, or of masked ones.
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
               CASE WHEN p.field_id IS NULL THEN CASE WHEN p.state = 'open' THEN ringfence.card_by_names(p.data -> 'new') END
                    WHEN f.access <> 'masked' THEN p.data -> 'new' END,
               p.proposed_at, p.role_name, p.agent, s.name, p.state, p.decided_at, p.decided_by, p.reason
          FROM ringfence.proposed_value AS p
          LEFT JOIN ringfence.visible_fields(false) AS f ON f.field_id = p.field_id
          LEFT JOIN ringfence.source AS s ON s.owner_id = p.owner_id AND s.id = p.source_id
         WHERE p.owner_id = ringfence.current_owner()
           AND CASE WHEN p.field_id IS NULL THEN ringfence.sees_card(p.data -> 'new') ELSE f.field_id IS NOT NULL END
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
COMMENT ON COLUMN ringfence.proposal.customer_id IS 'NULL: a new customer, whose card is "new" until it is accepted or rejected';
COMMENT ON COLUMN ringfence.proposal.field IS 'NULL: a new customer';
COMMENT ON COLUMN ringfence.proposal.state IS 'open, accepted or rejected';

-- One error for a proposal that is not there, of another owner, decided, or of a field that the session does not see.
CREATE FUNCTION ringfence.open_proposal(proposal uuid) RETURNS ringfence.proposed_value
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $open$
DECLARE
    found_row ringfence.proposed_value;
BEGIN
    PERFORM ringfence.check_right('customer.read'), ringfence.check_right('customer.write');
    -- The customer first, as who deletes or erases it locks them.
    PERFORM FROM ringfence.customer AS c
      WHERE c.owner_id = ringfence.current_owner()
        AND c.id = (SELECT p.customer_id FROM ringfence.proposed_value AS p WHERE p.owner_id = ringfence.current_owner() AND p.id = open_proposal.proposal)
        FOR UPDATE;
    SELECT p.* INTO found_row FROM ringfence.proposed_value AS p
     WHERE p.owner_id = ringfence.current_owner() AND p.id = open_proposal.proposal AND p.state = 'open'
       AND CASE WHEN p.field_id IS NULL THEN ringfence.sees_card(p.data -> 'new')
                ELSE p.field_id IN (SELECT f.field_id FROM ringfence.visible_fields(true) AS f) END
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

-- With 'skip' a datum of another source would be left out, and the proposal be lost.
CREATE FUNCTION ringfence.accept_proposal(proposal uuid) RETURNS uuid
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET ringfence.on_foreign_datum = 'error' AS $accept$
DECLARE
    accepted ringfence.proposed_value := ringfence.open_proposal(proposal);
    field    record;
    card     ringfence.customer_card;
    given    ringfence.customer_card;
    held     jsonb;
BEGIN
    IF accepted.field_id IS NULL THEN
        given := jsonb_populate_record(NULL::ringfence.customer_card, ringfence.card_by_names(accepted.data -> 'new'));
        INSERT INTO ringfence.customer_card (id, name, phones, emails, address, birth_date, language, company_id, attributes)
        VALUES (given.id, given.name, given.phones, given.emails, given.address, given.birth_date, given.language, given.company_id, given.attributes);
        accepted.customer_id := given.id;
    ELSE
        SELECT f.name, f.is_system INTO field FROM ringfence.visible_fields(true) AS f WHERE f.field_id = accepted.field_id;
        -- From here on no other session changes the customer.
        PERFORM FROM ringfence.customer AS c WHERE c.owner_id = ringfence.current_owner() AND c.id = accepted.customer_id FOR UPDATE;
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
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the proposal was not written: a trigger suppressed it' USING ERRCODE = 'triggered_action_exception',
            HINT = 'Ask a database administrator which trigger of table ringfence.customer does so.';
    END IF;
    -- The values of a new customer are the customer's now, and are erased with it.
    UPDATE ringfence.proposed_value AS p
       SET state = 'accepted', decided_at = now(), decided_by = ringfence.current_actor(), customer_id = accepted.customer_id,
           data = CASE WHEN p.field_id IS NULL THEN '{}' ELSE p.data END
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
       SET state = 'rejected', decided_at = now(), decided_by = ringfence.current_actor(), reason = reject_proposal.reason,
           -- Of somebody who does not become a customer nothing is kept but the id, by which erase_customer() finds the row.
           data = CASE WHEN p.field_id IS NULL THEN jsonb_build_object('new', jsonb_build_object('id', p.data #> '{new,id}')) ELSE p.data END
     WHERE p.owner_id = rejected.owner_id AND p.id = rejected.id;
END
$reject$;
ALTER FUNCTION ringfence.reject_proposal(uuid, text) OWNER TO ringfence_definer;
REVOKE ALL ON FUNCTION ringfence.reject_proposal(uuid, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.reject_proposal(uuid, text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.reject_proposal(uuid, text) IS 'Closes a proposal without writing it, for a reason. The card of a proposed new customer is deleted. Needs customer.read and customer.write. Error P0002: no open proposal';

CREATE FUNCTION ringfence.forget_proposals(before timestamptz) RETURNS void
    LANGUAGE sql VOLATILE
    BEGIN ATOMIC
        DELETE FROM ringfence.proposed_value AS p WHERE p.owner_id = ringfence.current_owner() AND p.decided_at < forget_proposals.before;
    END;
REVOKE ALL ON FUNCTION ringfence.forget_proposals(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.forget_proposals(timestamptz) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.forget_proposals(timestamptz) IS 'Deletes proposals that were decided before that time; part of forget_history()';

CREATE FUNCTION ringfence.forget_proposed(field_id uuid) RETURNS void
    LANGUAGE sql VOLATILE
    BEGIN ATOMIC
        UPDATE ringfence.proposed_value AS p SET data = p.data #- ARRAY['new', 'attributes', forget_proposed.field_id::text]
         WHERE p.owner_id = ringfence.current_owner() AND p.field_id IS NULL
           AND p.data #> ARRAY['new', 'attributes', forget_proposed.field_id::text] IS NOT NULL;
    END;
REVOKE ALL ON FUNCTION ringfence.forget_proposed(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.forget_proposed(uuid) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.forget_proposed(uuid) IS 'Takes the values of a field out of proposed new customers; part of drop_field()';
