-- erasure: a person is forgotten.

-- While the rows are locked, no session adds a ticket or an interaction of the customer, or a response to one.
CREATE FUNCTION ringfence.erase_at_desk(customer uuid) RETURNS boolean
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $desk$
BEGIN
    PERFORM FROM ringfence.customer AS c WHERE c.owner_id = ringfence.current_owner() AND c.id = customer FOR UPDATE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM FROM ringfence.ticket AS t WHERE t.owner_id = ringfence.current_owner() AND t.customer_id = customer FOR UPDATE;
    PERFORM FROM ringfence.interaction AS i
      WHERE i.owner_id = ringfence.current_owner()
        AND (i.customer_id = customer
             OR i.customer_id IS NULL AND i.ticket_id IN (SELECT t.id FROM ringfence.ticket AS t WHERE t.owner_id = ringfence.current_owner() AND t.customer_id = customer))
        FOR UPDATE;
    PERFORM ringfence.erase_responses(customer);
    PERFORM ringfence.erase_interactions(customer);
    PERFORM ringfence.erase_tickets(customer);
    RETURN true;
END
$desk$;
REVOKE ALL ON FUNCTION ringfence.erase_at_desk(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.erase_at_desk(uuid) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.erase_at_desk(uuid) IS 'Locks a customer, and clears what its responses, interactions and tickets say. False: there is no such customer. Part of erase_customer()';

-- In all projects, also where the session has no right over tickets and interactions: it has the right to erase.
CREATE FUNCTION ringfence.erase_from_desk(customer uuid) RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE STRICT AS 'MODULE_PATHNAME', 'erase_from_desk_wrapper';
REVOKE ALL ON FUNCTION ringfence.erase_from_desk(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.erase_from_desk(uuid) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.erase_from_desk(uuid) IS 'Runs erase_at_desk() with all rights within the owner. Part of erase_customer()';

-- Whose the data are does not matter: the person has the right to it.
CREATE FUNCTION ringfence.erase_customer(customer uuid, reason text) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $erase$
DECLARE
    is_known  boolean NOT NULL := false;
    was_there boolean NOT NULL := false;
BEGIN
    PERFORM ringfence.check_right('customer.read'), ringfence.check_right('customer.delete'), ringfence.check_right('source.manage');
    IF reason IS NULL OR NOT ringfence.can_be_seen(reason) OR length(reason) > 1000 THEN
        RAISE EXCEPTION 'a customer is erased for a reason' USING ERRCODE = 'invalid_parameter_value', HINT = 'Give one of at most 1000 characters, without data of the person.';
    END IF;
    -- A snapshot of before would not show what others have written since.
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'a customer is erased in READ COMMITTED' USING ERRCODE = 'active_sql_transaction', HINT = 'BEGIN ISOLATION LEVEL READ COMMITTED;';
    END IF;
    is_known := ringfence.erase_from_desk(erase_customer.customer);
    IF is_known THEN
        PERFORM ringfence.exempt_own_work(customer => erase_customer.customer);
        DELETE FROM ringfence.customer AS c WHERE c.owner_id = ringfence.current_owner() AND c.id = erase_customer.customer;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'the customer was not erased: a trigger suppressed it' USING ERRCODE = 'triggered_action_exception',
                HINT = 'Ask a database administrator which trigger of table ringfence.customer does so.';
        END IF;
        PERFORM ringfence.exempt_own_work();
        was_there := true;
    END IF;
    DELETE FROM ringfence.change AS c
     WHERE c.owner_id = ringfence.current_owner() AND c.customer_id = erase_customer.customer AND c.kind <> 'erase';
    is_known := is_known OR FOUND;
    -- Of one that was deleted before, or that was only proposed.
    DELETE FROM ringfence.proposed_value AS p
     WHERE p.owner_id = ringfence.current_owner() AND p.customer_id IS NULL AND p.data #>> '{new,id}' = erase_customer.customer::text;
    is_known := is_known OR FOUND;
    IF NOT is_known THEN
        RAISE EXCEPTION 'no customer with this id is in reach' USING ERRCODE = 'no_data_found';
    END IF;
    IF NOT was_there THEN
        RAISE WARNING 'only what the history and proposals have of this id is erased'
            USING DETAIL = 'There is no customer with this id. If it was deleted, its tickets and interactions have lost it, and still say what they said.',
                  HINT = 'Erase customers, and do not delete them first.';
    END IF;
    PERFORM ringfence.note_erased_customer(erase_customer.customer, erase_customer.reason);
END
$erase$;
ALTER FUNCTION ringfence.erase_customer(uuid, text) OWNER TO ringfence_definer;
REVOKE ALL ON FUNCTION ringfence.erase_customer(uuid, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.erase_customer(uuid, text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.erase_customer(uuid, text) IS
    'Erases a customer of whatever source, its history, and what its tickets and interactions say; keeps who did it and why. Needs customer.read, customer.delete, source.manage. Error P0002, 22023, 25001';
