-- merge: two records of one person become one.

-- In all projects, also where the session has no right over tickets and interactions.
CREATE FUNCTION ringfence.move_at_desk(duplicate uuid, keep uuid) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $desk$
BEGIN
    UPDATE ringfence.ticket AS t SET customer_id = keep WHERE t.owner_id = ringfence.current_owner() AND t.customer_id = duplicate;
    UPDATE ringfence.interaction AS i SET customer_id = keep WHERE i.owner_id = ringfence.current_owner() AND i.customer_id = duplicate;
END
$desk$;
REVOKE ALL ON FUNCTION ringfence.move_at_desk(uuid, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.move_at_desk(uuid, uuid) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.move_at_desk(uuid, uuid) IS 'Gives the tickets and interactions of a customer to another; part of merge_customers()';

CREATE FUNCTION ringfence.references_to_customers(OUT owner_of_table oid, OUT statement text) RETURNS SETOF record
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $references$
    SELECT c.relowner,
           format('UPDATE %s SET %2$I = $3 WHERE %3$I OPERATOR(pg_catalog.=) $1 AND %2$I OPERATOR(pg_catalog.=) $2', c.oid::regclass, own.id, own.owner_id)
      FROM pg_constraint AS key
      JOIN pg_class AS c ON c.oid = key.conrelid
     CROSS JOIN LATERAL (
        SELECT max(here.attname::text) FILTER (WHERE there.attname = 'id') AS id, max(here.attname::text) FILTER (WHERE there.attname = 'owner_id') AS owner_id
          FROM unnest(key.conkey, key.confkey) AS pair (here, there)
          JOIN pg_attribute AS here ON here.attrelid = key.conrelid AND here.attnum = pair.here
          JOIN pg_attribute AS there ON there.attrelid = key.confrelid AND there.attnum = pair.there) AS own
     WHERE key.contype = 'f' AND key.conparentid = 0 AND key.confrelid = 'ringfence.customer'::regclass AND c.relowner <> 'ringfence_tables'::regrole
     ORDER BY c.oid, key.oid
$references$;
REVOKE ALL ON FUNCTION ringfence.references_to_customers() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.references_to_customers() TO ringfence_definer;
COMMENT ON FUNCTION ringfence.references_to_customers() IS 'Statements that give rows of applications'' tables of customer $2 of owner $1 to customer $3, and as whom they run. Part of merge_customers()';

CREATE FUNCTION ringfence.move_references(duplicate uuid, keep uuid) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE STRICT AS 'MODULE_PATHNAME', 'move_references_wrapper';
REVOKE ALL ON FUNCTION ringfence.move_references(uuid, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.move_references(uuid, uuid) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.move_references(uuid, uuid) IS
    'Gives what refers to a customer to another: tickets, interactions, and rows of applications'' tables, as their owners. Part of merge_customers()';

-- The session deletes one customer and changes the other: its rights, and the authority of its source, count for both.
CREATE FUNCTION ringfence.merge_customers(keep uuid, duplicate uuid) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET ringfence.on_foreign_datum = 'error' AS $merge$
DECLARE
    owner    CONSTANT uuid := ringfence.current_owner();
    needed   text;
    kept     ringfence.customer;
    gone     ringfence.customer;
    all_phones text[];
    all_emails text[];
    combined jsonb;
BEGIN
    -- Whoever merges decides which values stay, also of fields of all projects.
    FOREACH needed IN ARRAY '{customer.read,customer.write,customer.delete,field.unmask}'::text[] LOOP
        IF NOT ringfence.has_right_in(needed, NULL) THEN
            RAISE EXCEPTION 'merging customers takes the right "%" in all projects', needed
                USING ERRCODE = 'insufficient_privilege', HINT = 'SELECT * FROM ringfence.whoami() lists the rights that the session holds.';
        END IF;
    END LOOP;
    IF keep IS NULL OR duplicate IS NULL OR keep = duplicate THEN
        RAISE EXCEPTION 'merging takes two customers' USING ERRCODE = 'invalid_parameter_value', HINT = 'The first is kept, the second is merged into it.';
    END IF;
    -- A snapshot of before would not show what others have written since.
    IF current_setting('transaction_isolation') <> 'read committed' THEN
        RAISE EXCEPTION 'customers are merged in READ COMMITTED' USING ERRCODE = 'active_sql_transaction', HINT = 'BEGIN ISOLATION LEVEL READ COMMITTED;';
    END IF;
    PERFORM FROM ringfence.customer AS c WHERE c.owner_id = owner AND c.id IN (keep, duplicate) ORDER BY c.id FOR UPDATE;
    SELECT c.* INTO kept FROM ringfence.customer AS c WHERE c.owner_id = owner AND c.id = keep;
    SELECT c.* INTO gone FROM ringfence.customer AS c WHERE c.owner_id = owner AND c.id = duplicate;
    IF kept.id IS NULL OR gone.id IS NULL THEN
        RAISE EXCEPTION 'no two customers with these ids are in reach' USING ERRCODE = 'no_data_found';
    END IF;

    PERFORM ringfence.move_references(duplicate, keep);
    UPDATE ringfence.proposed_value AS p SET customer_id = keep WHERE p.owner_id = owner AND p.customer_id = duplicate;
    DELETE FROM ringfence.customer AS c WHERE c.owner_id = owner AND c.id = duplicate;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the duplicate was not deleted: a trigger suppressed it' USING ERRCODE = 'triggered_action_exception',
            HINT = 'Ask a database administrator which trigger of table ringfence.customer does so.';
    END IF;
    -- How the duplicate came and went is no creation of the customer that stays.
    UPDATE ringfence.change AS c
       SET customer_id = keep, kind = CASE WHEN c.kind IN ('insert', 'delete') THEN 'merge' ELSE c.kind END,
           reason = CASE WHEN c.kind IN ('insert', 'delete') THEN format('%s of customer %s', c.kind, duplicate) ELSE c.reason END
     WHERE c.owner_id = owner AND c.customer_id = duplicate;

    -- A phone or an e-mail that is there in another spelling is not added.
    all_phones := kept.phones || ARRAY(
        SELECT added.phone FROM unnest(gone.phones) WITH ORDINALITY AS added (phone, place)
         WHERE added.phone <> ALL (kept.phones) AND NOT ringfence.normal_phones(ARRAY[added.phone], owner) && kept.normal_phones ORDER BY added.place);
    all_emails := kept.emails || ARRAY(
        SELECT added.email FROM unnest(gone.emails) WITH ORDINALITY AS added (email, place)
         WHERE added.email <> ALL (kept.emails) AND NOT ringfence.normal_emails(ARRAY[added.email]) && kept.normal_emails ORDER BY added.place);
    combined := gone.attributes || kept.attributes;
    UPDATE ringfence.customer AS c
       SET phones = all_phones, emails = all_emails, address = coalesce(kept.address, gone.address),
           birth_date = coalesce(kept.birth_date, gone.birth_date), language = coalesce(kept.language, gone.language),
           company_id = coalesce(kept.company_id, gone.company_id), attributes = combined, last_activity_at = greatest(kept.last_activity_at, gone.last_activity_at)
     WHERE c.owner_id = owner AND c.id = keep;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the customer was not merged: a trigger suppressed it' USING ERRCODE = 'triggered_action_exception',
            HINT = 'Ask a database administrator which trigger of table ringfence.customer does so.';
    END IF;
    PERFORM ringfence.keep_unique_values(keep, combined);
END
$merge$;
ALTER FUNCTION ringfence.merge_customers(uuid, uuid) OWNER TO ringfence_definer;
REVOKE ALL ON FUNCTION ringfence.merge_customers(uuid, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.merge_customers(uuid, uuid) TO ringfence_user;
COMMENT ON FUNCTION ringfence.merge_customers(uuid, uuid) IS
    'Merges the second customer into the first, with all that refers to it. Needs customer.* and field.unmask in all projects. Error P0002: no such customers; 42501: data of another source';
