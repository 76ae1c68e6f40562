-- authority: which source system may change which datum of an owner's customers.
--
-- The authority over a datum is that of its field, else that of the customer's record (customer.source_id), else that of
-- customers as a whole. Without one, everybody with the right may write it. A retired source's authority is its
-- successor's. Reading is not affected.
--
-- To delete a customer is to change all its data. Of fields that the session does not see it must not learn whether there is
-- a value, so that an authority over such a field counts for each customer.

CREATE TABLE ringfence.authority (
    owner_id  uuid NOT NULL DEFAULT ringfence.current_owner(),
    id        uuid NOT NULL DEFAULT ringfence.new_id(),
    field_id  uuid,
    source_id uuid NOT NULL,
    PRIMARY KEY (owner_id, id),
    UNIQUE NULLS NOT DISTINCT (owner_id, field_id),
    FOREIGN KEY (owner_id, field_id) REFERENCES ringfence.field ON DELETE CASCADE,
    FOREIGN KEY (owner_id, source_id) REFERENCES ringfence.source ON DELETE CASCADE
);
CREATE INDEX authority_source ON ringfence.authority (owner_id, source_id);
COMMENT ON TABLE ringfence.authority IS 'Which source may change which field of customers. Only set_authority() writes it';
COMMENT ON COLUMN ringfence.authority.field_id IS 'The field, custom or system; NULL: the customer as a whole';

SELECT ringfence.wall('ringfence.authority', 'source.manage', 'source.manage', 'source.manage');
SELECT ringfence.decide_from('ringfence.authority');
GRANT SELECT (owner_id, id, field_id, source_id) ON ringfence.authority TO ringfence_user;

CREATE FUNCTION ringfence.source_in_reach(source text) RETURNS uuid
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $find$
DECLARE
    found_id uuid;
BEGIN
    SELECT s.id INTO found_id FROM ringfence.source AS s
     WHERE s.owner_id = ringfence.current_owner() AND s.retired_at IS NULL AND (s.name = source OR s.id::text = lower(source));
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no source "%" is in reach', left(source, 200)
            USING ERRCODE = 'no_data_found', HINT = 'SELECT name FROM ringfence.source WHERE retired_at IS NULL lists the sources of the owner.';
    END IF;
    RETURN found_id;
END
$find$;
REVOKE ALL ON FUNCTION ringfence.source_in_reach(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.source_in_reach(text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.source_in_reach(text) IS 'The source with that id or exact name that is not retired. Error P0002: there is none';

-- One error for a field that is hidden or missing. A masked one is found: that it is there is no secret.
CREATE FUNCTION ringfence.known_field(field text, OUT id uuid, OUT name text, OUT is_masked boolean, OUT is_system boolean) RETURNS record
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $find$
BEGIN
    SELECT f.field_id, f.name, f.access = 'masked', f.is_system INTO id, name, is_masked, is_system
      FROM ringfence.visible_fields(false) AS f WHERE f.name = field OR f.field_id::text = lower(field);
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no field "%" is in reach', left(field, 200)
            USING ERRCODE = 'insufficient_privilege',
                  HINT = 'SELECT * FROM ringfence.visible_fields() lists the fields of this session and how they may be used.';
    END IF;
END
$find$;
REVOKE ALL ON FUNCTION ringfence.known_field(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.known_field(text) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.known_field(text) IS 'The field with that id or exact name that the session sees, or that is masked for it. Error 42501: there is none. Internal';

-- SECURITY DEFINER, because no role may write the table.
CREATE FUNCTION ringfence.set_authority(source text, field text DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $set$
DECLARE
    found_source uuid;
    found_field  uuid;
BEGIN
    PERFORM ringfence.check_right('source.manage'), ringfence.check_right('customer.read');
    IF set_authority.source IS NOT NULL THEN
        found_source := ringfence.source_in_reach(set_authority.source);
    END IF;
    IF set_authority.field IS NOT NULL THEN
        found_field := (ringfence.known_field(set_authority.field)).id;
    END IF;
    IF found_source IS NULL THEN
        DELETE FROM ringfence.authority AS a
         WHERE a.owner_id = ringfence.current_owner() AND a.field_id IS NOT DISTINCT FROM found_field;
    ELSE
        INSERT INTO ringfence.authority AS a (field_id, source_id) VALUES (found_field, found_source)
            ON CONFLICT (owner_id, field_id) DO UPDATE SET source_id = excluded.source_id;
    END IF;
END
$set$;
ALTER FUNCTION ringfence.set_authority(text, text) OWNER TO ringfence_definer;
REVOKE ALL ON FUNCTION ringfence.set_authority(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.set_authority(text, text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.set_authority(text, text) IS
    'Gives a source the authority over a field, or (NULL) over customers as a whole; a NULL source takes it away. Needs source.manage and customer.read. Error P0002: no such source; 42501: no such field';

CREATE FUNCTION ringfence.hand_over(customer uuid, source text) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $hand$
DECLARE
    found_source uuid;
BEGIN
    PERFORM ringfence.check_right('source.manage'), ringfence.check_right('customer.read'), ringfence.check_right('customer.write');
    IF hand_over.source IS NOT NULL THEN
        found_source := ringfence.source_in_reach(hand_over.source);
    END IF;
    UPDATE ringfence.customer AS c SET source_id = found_source
     WHERE c.owner_id = ringfence.current_owner() AND c.id = hand_over.customer;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no customer with this id is in reach' USING ERRCODE = 'no_data_found';
    END IF;
END
$hand$;
ALTER FUNCTION ringfence.hand_over(uuid, text) OWNER TO ringfence_definer;
REVOKE ALL ON FUNCTION ringfence.hand_over(uuid, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.hand_over(uuid, text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.hand_over(uuid, text) IS
    'Gives the record of a customer to another source, or (NULL) to none. Needs source.manage, customer.read and customer.write. Error P0002: no such customer or source';

-- No customer is written: whatever belongs to the source is its successor's from now on, also a customer that a session of
-- the source is just inserting.
CREATE FUNCTION ringfence.retire_source(source text, successor text) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $retire$
DECLARE
    found_source    uuid;
    found_successor uuid;
BEGIN
    PERFORM ringfence.check_right('source.manage'), ringfence.check_right('customer.read');
    -- In one order, so that two sessions neither deadlock nor retire two sources in favour of each other.
    PERFORM FROM ringfence.source AS s WHERE s.owner_id = ringfence.current_owner() ORDER BY s.id FOR UPDATE;
    found_source := ringfence.source_in_reach(retire_source.source);
    found_successor := ringfence.source_in_reach(retire_source.successor);
    IF found_source = found_successor THEN
        RAISE EXCEPTION 'a source cannot be its own successor' USING ERRCODE = 'invalid_parameter_value';
    END IF;
    UPDATE ringfence.source AS s SET retired_at = now(), successor_id = found_successor
     WHERE s.owner_id = ringfence.current_owner() AND s.id = found_source;
END
$retire$;
ALTER FUNCTION ringfence.retire_source(text, text) OWNER TO ringfence_definer;
REVOKE ALL ON FUNCTION ringfence.retire_source(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.retire_source(text, text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.retire_source(text, text) IS
    'Ends a source: no session can write as it from now on, and its data are the successor''s. Needs source.manage and customer.read. Error P0002: no such source; 22023: both are one';

CREATE FUNCTION ringfence.authority_over(field_id uuid, record_source uuid) RETURNS text
    LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'authority_over_wrapper';
REVOKE ALL ON FUNCTION ringfence.authority_over(uuid, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.authority_over(uuid, uuid) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.authority_over(uuid, uuid) IS 'The name of the source with authority over a field of a customer whose record belongs to that source; internal';

CREATE FUNCTION ringfence.exempt_own_work(customer uuid DEFAULT NULL, field uuid DEFAULT NULL) RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'exempt_own_work_wrapper';
REVOKE ALL ON FUNCTION ringfence.exempt_own_work(uuid, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.exempt_own_work(uuid, uuid) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.exempt_own_work(uuid, uuid) IS
    'Until called without arguments, statements of the caller that delete this customer, or change values of this field, are neither judged nor kept in history. Internal';

-- Its name sorts before those of the triggers that keep normal forms: they must see what is left out.
CREATE FUNCTION ringfence.judge_authority() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'judge_authority';
REVOKE ALL ON FUNCTION ringfence.judge_authority() FROM PUBLIC;
COMMENT ON FUNCTION ringfence.judge_authority() IS 'Trigger: error 42501 for a change of a datum of another source, or with ringfence.on_foreign_datum = ''skip'' leaves it out with a warning';
CREATE TRIGGER judge_authority BEFORE INSERT OR DELETE OR UPDATE OF name, phones, emails, address, birth_date, language, company_id, attributes
    ON ringfence.customer FOR EACH ROW EXECUTE FUNCTION ringfence.judge_authority();
