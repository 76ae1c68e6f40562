-- history: who changed which datum of a customer, when, and from what to what.

-- By customer, so that its key is the only index: the history is written with each customer.
CREATE TABLE ringfence.change (
    owner_id    uuid NOT NULL DEFAULT ringfence.current_owner() REFERENCES ringfence.owner ON DELETE CASCADE,
    customer_id uuid NOT NULL,
    id          uuid NOT NULL DEFAULT ringfence.new_id(),
    field_id    uuid,
    at          timestamptz NOT NULL,
    kind        text NOT NULL,
    role_name   text NOT NULL,
    agent       text,
    source_id   uuid,
    data        jsonb,
    reason      text,
    PRIMARY KEY (owner_id, customer_id, id),
    CONSTRAINT change_kind CHECK (CASE WHEN field_id IS NULL THEN kind IN ('insert', 'delete', 'hand_over', 'merge', 'erase', 'left_out')
                                       ELSE kind IN ('set', 'change', 'clear', 'left_out') END),
    -- What is never forgotten has no values.
    CONSTRAINT change_values CHECK (data IS NULL OR jsonb_typeof(data) = 'object' AND (field_id IS NOT NULL OR kind = 'hand_over'))
);
-- For what was left out, and what is forgotten.
CREATE INDEX change_at ON ringfence.change (owner_id, at);
COMMENT ON TABLE ringfence.change IS 'The history of customers. A trigger of table customer writes it; no role can read or write it: history() shows what a session may see';
COMMENT ON COLUMN ringfence.change.field_id IS 'The field, custom or system; NULL: the customer as a whole';
COMMENT ON COLUMN ringfence.change.kind IS 'Of a field: set, change, clear, left_out. Of the customer: insert, delete, hand_over, merge, erase, left_out (its deletion)';
COMMENT ON COLUMN ringfence.change.data IS 'Values before and after, as they were shown: "old" and "new"';
-- No role has a privilege on it. The rights are asked of functions of the definer.
SELECT ringfence.wall('ringfence.change', 'customer.read', 'customer.read', 'customer.read');

CREATE FUNCTION ringfence.keep_history() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'keep_history';
REVOKE ALL ON FUNCTION ringfence.keep_history() FROM PUBLIC;
COMMENT ON FUNCTION ringfence.keep_history() IS 'Trigger: keeps the history of customers, as ringfence.keep_history says';
CREATE TRIGGER keep_history AFTER INSERT OR DELETE OR UPDATE OF owner_id, name, phones, emails, address, birth_date, language, company_id, attributes, source_id
    ON ringfence.customer FOR EACH ROW EXECUTE FUNCTION ringfence.keep_history();

CREATE TYPE ringfence.seen_change AS (
    id uuid, at timestamptz, field_id uuid, field text, kind text, old jsonb, new jsonb, is_masked boolean, role_name text, agent text, source text,
    reason text);
COMMENT ON TYPE ringfence.seen_change IS 'A change of a customer as history() shows it. "field" is NULL of the customer as a whole; "old" and "new" are NULL of a masked field';

-- A masked field shows that it was changed, and not whether it had a value. Other fields that the session does not see are left out.
CREATE FUNCTION ringfence.seen_changes(customer uuid, wanted uuid DEFAULT NULL) RETURNS SETOF ringfence.seen_change
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $seen$
#variable_conflict use_column
BEGIN
    PERFORM ringfence.check_right('customer.read');
    RETURN QUERY
        SELECT c.id, c.at, c.field_id, f.name,
               CASE WHEN f.access = 'masked' AND c.kind <> 'left_out' THEN 'change' ELSE c.kind END,
               CASE WHEN f.access IS DISTINCT FROM 'masked' THEN c.data -> 'old' END,
               CASE WHEN f.access IS DISTINCT FROM 'masked' THEN c.data -> 'new' END,
               coalesce(f.access = 'masked', false), c.role_name, c.agent, s.name, c.reason
          FROM ringfence.change AS c
          LEFT JOIN ringfence.visible_fields(false) AS f ON f.field_id = c.field_id
          LEFT JOIN ringfence.source AS s ON s.owner_id = c.owner_id AND s.id = c.source_id
         WHERE c.owner_id = ringfence.current_owner() AND c.customer_id = seen_changes.customer
           AND (c.field_id IS NULL OR f.field_id IS NOT NULL)
           AND (wanted IS NULL OR c.field_id = wanted OR c.kind = 'insert');
END
$seen$;
REVOKE ALL ON FUNCTION ringfence.seen_changes(uuid, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.seen_changes(uuid, uuid) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.seen_changes(uuid, uuid) IS 'The changes of a customer, or of one of its fields and how it was inserted, as this session sees them now; part of history()';

CREATE FUNCTION ringfence.history(customer uuid, field text DEFAULT NULL) RETURNS SETOF ringfence.seen_change
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $history$
#variable_conflict use_column
DECLARE
    wanted uuid;
BEGIN
    PERFORM ringfence.check_right('customer.read');
    IF history.field IS NOT NULL THEN
        wanted := (ringfence.known_field(history.field)).id;
    END IF;
    RETURN QUERY
        SELECT c.* FROM ringfence.seen_changes(history.customer, wanted) AS c
         WHERE wanted IS NULL OR c.field_id = wanted
         ORDER BY c.at, c.id;
END
$history$;
ALTER FUNCTION ringfence.history(uuid, text) OWNER TO ringfence_definer;
REVOKE ALL ON FUNCTION ringfence.history(uuid, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.history(uuid, text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.history(uuid, text) IS
    'The changes of a customer, or of one of its fields, the oldest first, as far as this session sees the fields now. Error 42501: no such field, or no customer.read';

-- A masked field, a hidden one and a missing one are the same error.
CREATE FUNCTION ringfence.datum(customer uuid, field text, OUT value jsonb, OUT source text, OUT authority text,
                                OUT created_by text, OUT changed_by text, OUT changed_at timestamptz) RETURNS record
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $datum$
DECLARE
    wanted record;
    record record;
    change ringfence.seen_change;
    made   ringfence.seen_change;
    last   ringfence.seen_change;
BEGIN
    PERFORM ringfence.check_right('customer.read');
    wanted := ringfence.known_field(datum.field);
    IF wanted.is_masked THEN
        RAISE EXCEPTION 'no field "%" is in reach', left(datum.field, 200)
            USING ERRCODE = 'insufficient_privilege',
                  HINT = 'SELECT * FROM ringfence.visible_fields() lists the fields of this session and how they may be used.';
    END IF;
    SELECT CASE WHEN wanted.is_system THEN to_jsonb(card) -> wanted.name ELSE card.attributes -> wanted.name END AS value,
           c.source_id
      INTO record
      FROM ringfence.customer_card AS card
      JOIN ringfence.customer AS c ON c.owner_id = card.owner_id AND c.id = card.id
     WHERE card.owner_id = ringfence.current_owner() AND card.id = datum.customer;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no customer with this id is in reach' USING ERRCODE = 'no_data_found';
    END IF;
    value := nullif(nullif(record.value, 'null'), '[]');
    authority := ringfence.authority_over(wanted.id, record.source_id);
    FOR change IN SELECT * FROM ringfence.seen_changes(datum.customer, wanted.id) AS c
                   WHERE c.kind <> 'left_out' ORDER BY c.at, c.id LOOP
        -- Whoever filled the empty field made the datum: by inserting the customer, if nothing later is kept.
        IF change.kind IN ('insert', 'set') THEN
            made := change;
        END IF;
        last := change;
    END LOOP;
    IF value IS NOT NULL THEN
        created_by := coalesce(made.agent, made.role_name);
    END IF;
    IF value IS NOT NULL OR last.kind <> 'insert' THEN
        source := last.source;
        changed_by := coalesce(last.agent, last.role_name);
        changed_at := last.at;
    END IF;
END
$datum$;
ALTER FUNCTION ringfence.datum(uuid, text) OWNER TO ringfence_definer;
REVOKE ALL ON FUNCTION ringfence.datum(uuid, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.datum(uuid, text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.datum(uuid, text) IS
    'A value of a customer, the source that wrote it, the one with authority over it, and who created and last changed it, as far as history tells. Error P0002: no such customer; 42501: no such field';

-- Whoever gave an empty field its value has created the datum. A field without such a change was filled when the customer was
-- inserted, if that is still in the history: what is older is deleted first. Else nobody is named.
CREATE FUNCTION ringfence.creators(customer uuid)
    RETURNS TABLE (field text, role_name text, agent text, source text, at timestamptz)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $creators$
#variable_conflict use_column
BEGIN
    PERFORM ringfence.check_right('customer.read');
    RETURN QUERY
        WITH card AS (
            SELECT to_jsonb(seen) AS columns, seen.attributes
              FROM ringfence.customer_card AS seen
             WHERE seen.owner_id = ringfence.current_owner() AND seen.id = creators.customer),
        change AS MATERIALIZED (SELECT * FROM ringfence.seen_changes(creators.customer)),
        made AS (
            SELECT DISTINCT ON (c.field_id) c.* FROM change AS c WHERE c.kind IN ('set', 'insert') ORDER BY c.field_id, c.at DESC, c.id DESC)
        SELECT f.name, by.role_name, by.agent, by.source, by.at
          FROM card
         CROSS JOIN ringfence.visible_fields(true) AS f
          LEFT JOIN LATERAL (SELECT m.* FROM made AS m WHERE m.field_id = f.field_id OR m.field_id IS NULL
                              ORDER BY m.field_id NULLS LAST LIMIT 1) AS by ON true
         WHERE coalesce(CASE WHEN f.is_system THEN card.columns -> f.name ELSE card.attributes -> f.name END, 'null') NOT IN ('null', '[]')
         ORDER BY f."position", f.name;
END
$creators$;
ALTER FUNCTION ringfence.creators(uuid) OWNER TO ringfence_definer;
REVOKE ALL ON FUNCTION ringfence.creators(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.creators(uuid) TO ringfence_user;
COMMENT ON FUNCTION ringfence.creators(uuid) IS 'For each value of a customer that this session sees: who created it, for which source, and when; NULL where the history does not tell';

CREATE FUNCTION ringfence.left_out(since timestamptz DEFAULT now() - interval '1 day')
    RETURNS TABLE (at timestamptz, customer_id uuid, field text, old jsonb, new jsonb, is_masked boolean,
                   role_name text, agent text, source text, authority text)
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $left$
#variable_conflict use_column
BEGIN
    PERFORM ringfence.check_right('customer.read');
    RETURN QUERY
        SELECT c.at, c.customer_id, f.name,
               CASE WHEN f.access <> 'masked' THEN c.data -> 'old' END, CASE WHEN f.access <> 'masked' THEN c.data -> 'new' END,
               coalesce(f.access = 'masked', false), c.role_name, c.agent, s.name,
               -- A new customer would have been its writer's.
               ringfence.authority_over(c.field_id, CASE WHEN kept.id IS NULL THEN c.source_id ELSE kept.source_id END)
          FROM ringfence.change AS c
          LEFT JOIN ringfence.visible_fields(false) AS f ON f.field_id = c.field_id
          LEFT JOIN ringfence.source AS s ON s.owner_id = c.owner_id AND s.id = c.source_id
          LEFT JOIN ringfence.customer AS kept ON kept.owner_id = c.owner_id AND kept.id = c.customer_id
         WHERE c.owner_id = ringfence.current_owner() AND c.kind = 'left_out' AND c.at >= left_out.since
           AND (c.field_id IS NULL OR f.field_id IS NOT NULL)
         ORDER BY c.at, c.customer_id, c.id;
END
$left$;
ALTER FUNCTION ringfence.left_out(timestamptz) OWNER TO ringfence_definer;
REVOKE ALL ON FUNCTION ringfence.left_out(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.left_out(timestamptz) TO ringfence_user;
COMMENT ON FUNCTION ringfence.left_out(timestamptz) IS
    'What ringfence.on_foreign_datum = ''skip'' has left out since then: the value that stayed, the one not written, by whom, and whose it is now. Without a field: the deletion of a customer';

CREATE FUNCTION ringfence.forget_history(before timestamptz) RETURNS bigint
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $forget$
DECLARE
    forgotten bigint;
BEGIN
    PERFORM ringfence.check_right('customer.read'), ringfence.check_right('source.manage');
    DELETE FROM ringfence.change AS c
     WHERE c.owner_id = ringfence.current_owner() AND c.at < forget_history.before AND c.kind <> 'erase';
    GET DIAGNOSTICS forgotten = ROW_COUNT;
    PERFORM ringfence.forget_proposals(forget_history.before);
    RAISE LOG '"%" has deleted % changes of owner % from the history, of the time before %',
        ringfence.current_actor(), forgotten, ringfence.current_owner(), forget_history.before;
    RETURN forgotten;
END
$forget$;
ALTER FUNCTION ringfence.forget_history(timestamptz) OWNER TO ringfence_definer;
REVOKE ALL ON FUNCTION ringfence.forget_history(timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.forget_history(timestamptz) TO ringfence_user;
COMMENT ON FUNCTION ringfence.forget_history(timestamptz) IS
    'Deletes the owner''s history before that time, and proposals decided before it, and returns how many changes those were; that a customer was erased is kept. Needs customer.read and source.manage';

CREATE FUNCTION ringfence.note_erased_customer(customer uuid, reason text) RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE STRICT AS 'MODULE_PATHNAME', 'note_erased_customer_wrapper';
REVOKE ALL ON FUNCTION ringfence.note_erased_customer(uuid, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.note_erased_customer(uuid, text) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.note_erased_customer(uuid, text) IS 'Keeps in the history that a customer was erased, and why. Part of erase_customer()';
