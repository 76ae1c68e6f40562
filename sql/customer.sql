-- customer: the people, and the companies they belong to, each of one owner.

CREATE TABLE ringfence.company (
    owner_id    uuid NOT NULL DEFAULT ringfence.current_owner() REFERENCES ringfence.owner,
    id          uuid NOT NULL DEFAULT ringfence.new_id(),
    name        text NOT NULL CHECK (ringfence.can_be_seen(name)),
    description text,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (owner_id, id)
);
COMMENT ON TABLE ringfence.company IS 'Companies that customers belong to';
SELECT ringfence.wall('ringfence.company', 'customer.read', 'customer.write', 'customer.delete');
-- By column: a privilege on the whole table would let currtid2() tell of hidden rows.
GRANT SELECT (owner_id, id, name, description, created_at), INSERT (owner_id, id, name, description),
      UPDATE (owner_id, name, description), DELETE
    ON ringfence.company TO ringfence_user;

CREATE TABLE ringfence.customer (
    owner_id         uuid NOT NULL DEFAULT ringfence.current_owner() REFERENCES ringfence.owner,
    id               uuid NOT NULL DEFAULT ringfence.new_id(),
    -- A longer name does not fit into an index.
    name             text NOT NULL CHECK (octet_length(name) <= 2500 AND ringfence.can_be_seen(name)),
    phones           text[] NOT NULL DEFAULT '{}',
    emails           text[] NOT NULL DEFAULT '{}',
    address          text,
    birth_date       date,
    language         text,
    company_id       uuid,
    attributes       jsonb NOT NULL DEFAULT '{}',
    created_at       timestamptz NOT NULL DEFAULT now(),
    created_by       text NOT NULL DEFAULT ringfence.current_actor(),
    updated_at       timestamptz NOT NULL DEFAULT now(),
    updated_by       text NOT NULL DEFAULT ringfence.current_actor(),
    last_activity_at timestamptz,
    normal_phones    text[] NOT NULL DEFAULT '{}',
    normal_emails    text[] NOT NULL DEFAULT '{}',
    searchable       jsonb NOT NULL DEFAULT '{}',
    -- Not GENERATED: PostgreSQL would parse the expression for each statement. That takes longer than an UPDATE of one
    -- row.
    active_on        date NOT NULL DEFAULT '0001-01-01',
    source_id        uuid DEFAULT ringfence.current_source_id(),
    PRIMARY KEY (owner_id, id),
    FOREIGN KEY (owner_id, company_id) REFERENCES ringfence.company ON DELETE SET NULL (company_id),
    FOREIGN KEY (owner_id, source_id) REFERENCES ringfence.source
-- Room for new versions of rows on their page: where no indexed column changes, PostgreSQL then writes no index entry.
) WITH (fillfactor = 90);
COMMENT ON TABLE ringfence.customer IS 'Customers. A person known to two owners is two customers. Applications write through customer_card';
COMMENT ON COLUMN ringfence.customer.attributes IS 'Values of custom fields, by field; no application role can read or write it: the way to them is customer_card';
COMMENT ON COLUMN ringfence.customer.phones IS 'As typed';
COMMENT ON COLUMN ringfence.customer.emails IS 'As typed';
COMMENT ON COLUMN ringfence.customer.normal_phones IS 'The numbers in phones, in E.164 by the owner''s country; texts that are no number, as they are written. Kept by a trigger';
COMMENT ON COLUMN ringfence.customer.normal_emails IS 'The e-mails in lower case, with their domains in Unicode, kept by a trigger';
COMMENT ON COLUMN ringfence.customer.searchable IS 'What is searched of attributes, kept by a trigger; no application role can read or write it';
COMMENT ON COLUMN ringfence.customer.active_on IS 'The day of last_activity_at in UTC, as the search index holds it, kept by a trigger; 0001-01-01: never';
COMMENT ON COLUMN ringfence.customer.created_by IS 'ringfence.agent, else the role';
COMMENT ON COLUMN ringfence.customer.updated_by IS 'ringfence.agent, else the role';
CREATE INDEX customer_company ON ringfence.customer (owner_id, company_id) WHERE company_id IS NOT NULL;
COMMENT ON COLUMN ringfence.customer.source_id IS 'The source system that the record belongs to: that of the session that inserted it; NULL: none';
CREATE INDEX customer_source ON ringfence.customer (owner_id, source_id) WHERE source_id IS NOT NULL;
COMMENT ON INDEX ringfence.customer_source IS 'The customers of a source';
COMMENT ON INDEX ringfence.customer_company IS 'The customers of a company: deleting a company looks them up';
-- Pages of lists. Without these indexes all customers of the owner would be read and sorted.
CREATE INDEX customer_by_name ON ringfence.customer (owner_id, name, id);
COMMENT ON INDEX ringfence.customer_by_name IS 'Lists in the order of names';
CREATE INDEX customer_by_creation ON ringfence.customer (owner_id, created_at, id);
COMMENT ON INDEX ringfence.customer_by_creation IS 'Lists in the order of entry, the first or the last first';
CREATE INDEX customer_by_activity ON ringfence.customer (owner_id, last_activity_at, id);
COMMENT ON INDEX ringfence.customer_by_activity IS 'Lists in the order of activity: DESC begins with customers that never were active';
CREATE INDEX customer_by_latest ON ringfence.customer (owner_id, last_activity_at DESC NULLS LAST, id);
COMMENT ON INDEX ringfence.customer_by_latest IS 'Lists in the order of activity, with customers last that never were active: the order of a search';
SELECT ringfence.wall('ringfence.customer', 'customer.read', 'customer.write', 'customer.delete');

-- All columns except attributes and what only the index needs. Columns that triggers keep can be read, not written.
GRANT SELECT (owner_id, id, name, phones, emails, address, birth_date, language, company_id, created_at, created_by,
              updated_at, updated_by, last_activity_at, normal_phones, normal_emails, source_id),
      INSERT (owner_id, id, name, phones, emails, address, birth_date, language, company_id, last_activity_at),
      UPDATE (owner_id, name, phones, emails, address, birth_date, language, company_id, last_activity_at),
      DELETE
    ON ringfence.customer TO ringfence_user;

-- SECURITY DEFINER, because normal_phones() answers for any owner. Its result goes into the row, and the wall then
-- judges the row.
CREATE FUNCTION ringfence.keep_normal_forms() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $keep$
BEGIN
    NEW.normal_phones := coalesce(ringfence.normal_phones(NEW.phones, NEW.owner_id), '{}');
    NEW.normal_emails := coalesce(ringfence.normal_emails(NEW.emails), '{}');
    RETURN NEW;
END
$keep$;
ALTER FUNCTION ringfence.keep_normal_forms() OWNER TO ringfence_definer;
REVOKE ALL ON FUNCTION ringfence.keep_normal_forms() FROM PUBLIC;
COMMENT ON FUNCTION ringfence.keep_normal_forms() IS 'Trigger: keeps the normal forms of phones and e-mails';
CREATE TRIGGER keep_normal_forms BEFORE INSERT OR UPDATE OF owner_id, phones, emails ON ringfence.customer
    FOR EACH ROW EXECUTE FUNCTION ringfence.keep_normal_forms();

CREATE FUNCTION ringfence.stamp_update() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'stamp_update_wrapper';
REVOKE ALL ON FUNCTION ringfence.stamp_update() FROM PUBLIC;
COMMENT ON FUNCTION ringfence.stamp_update() IS 'Trigger: keeps updated_at and updated_by';
CREATE TRIGGER stamp_update BEFORE UPDATE OF owner_id, name, phones, emails, address, birth_date, language, company_id, attributes
    ON ringfence.customer FOR EACH ROW EXECUTE FUNCTION ringfence.stamp_update();

CREATE FUNCTION ringfence.keep_active_on() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'keep_active_on';
REVOKE ALL ON FUNCTION ringfence.keep_active_on() FROM PUBLIC;
COMMENT ON FUNCTION ringfence.keep_active_on() IS 'Trigger: keeps active_on';
-- As a generated column would be: on each write, also in a replica, and after all other triggers, which may set last_activity_at. PostgreSQL
-- calls triggers in the order of their names.
CREATE TRIGGER zz_keep_active_on BEFORE INSERT OR UPDATE ON ringfence.customer
    FOR EACH ROW EXECUTE FUNCTION ringfence.keep_active_on();
ALTER TABLE ringfence.customer ENABLE ALWAYS TRIGGER zz_keep_active_on;

-- A national number reads differently under another country.
CREATE FUNCTION ringfence.renew_normal_phones() RETURNS void
    LANGUAGE sql VOLATILE
    BEGIN ATOMIC
        UPDATE ringfence.customer
            SET normal_phones = ringfence.normal_phones(customer.phones, customer.owner_id)
            WHERE customer.phones OPERATOR(pg_catalog.<>) '{}'::text[];
    END;
REVOKE ALL ON FUNCTION ringfence.renew_normal_phones() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.renew_normal_phones() TO ringfence_definer;
COMMENT ON FUNCTION ringfence.renew_normal_phones() IS 'Reads all phones of an owner again after its country changed; internal';
CREATE TRIGGER renew_normal_phones AFTER UPDATE OF country ON ringfence.owner
    FOR EACH ROW WHEN (OLD.country IS DISTINCT FROM NEW.country)
    EXECUTE FUNCTION ringfence.as_owner('renew_normal_phones');

-- An application can insert into the table itself, without custom values. That must not get round required fields.
CREATE FUNCTION ringfence.check_required(stored jsonb) RETURNS boolean
    LANGUAGE c STABLE PARALLEL RESTRICTED STRICT AS 'MODULE_PATHNAME', 'check_required_wrapper';
REVOKE ALL ON FUNCTION ringfence.check_required(jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.check_required(jsonb) TO ringfence_user;
COMMENT ON FUNCTION ringfence.check_required(jsonb) IS
    'True, or error 23502 if stored values lack one that this session can write and must; part of table customer';

CREATE FUNCTION ringfence.check_new_customer() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $check$
DECLARE
    is_filled boolean;
BEGIN
    -- A superuser who restores or repairs works for no owner.
    IF row_security_active(TG_RELID) THEN
        -- An assignment, which unlike PERFORM runs no statement of its own.
        is_filled := ringfence.check_required(NEW.attributes);
    END IF;
    RETURN NEW;
END
$check$;
REVOKE ALL ON FUNCTION ringfence.check_new_customer() FROM PUBLIC;
COMMENT ON FUNCTION ringfence.check_new_customer() IS 'Trigger: error 23502 for a new customer without a value that the session must fill';
CREATE TRIGGER check_new_customer BEFORE INSERT ON ringfence.customer
    FOR EACH ROW EXECUTE FUNCTION ringfence.check_new_customer();

-- customer_card ------------------------------------------------------------------------------------------------------

-- These functions show and take only the values of fields that the session sees, whatever object they are given.
CREATE FUNCTION ringfence.visible_attributes(stored jsonb) RETURNS jsonb
    LANGUAGE c STABLE PARALLEL SAFE STRICT AS 'MODULE_PATHNAME', 'visible_attributes_fast';
REVOKE ALL ON FUNCTION ringfence.visible_attributes(jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.visible_attributes(jsonb) TO ringfence_user;
COMMENT ON FUNCTION ringfence.visible_attributes(jsonb) IS 'Stored values as this session sees them, by field name; part of customer_card';

CREATE FUNCTION ringfence.masked_fields() RETURNS text[]
    LANGUAGE c STABLE PARALLEL SAFE STRICT AS 'MODULE_PATHNAME', 'masked_fields_wrapper';
REVOKE ALL ON FUNCTION ringfence.masked_fields() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.masked_fields() TO ringfence_user;
COMMENT ON FUNCTION ringfence.masked_fields() IS 'Names of the fields that are masked for this session; part of customer_card';

CREATE FUNCTION ringfence.write_attributes(stored jsonb, before jsonb, after jsonb) RETURNS jsonb
    LANGUAGE c STABLE PARALLEL RESTRICTED STRICT AS 'MODULE_PATHNAME', 'write_attributes_wrapper';
REVOKE ALL ON FUNCTION ringfence.write_attributes(jsonb, jsonb, jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.write_attributes(jsonb, jsonb, jsonb) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.write_attributes(jsonb, jsonb, jsonb) IS 'Stored values after what the session sees was changed from before to after; part of customer_card';

-- Not security_invoker: the view reads attributes, which callers may not read. It belongs to the definer, whom the wall
-- binds like every role.
--
-- No security_barrier: the view has no condition of its own, so no function of the caller can run before it. The
-- policies of the table keep rows out. They stay with the table and are judged first (src/wall/order.rs). A function of
-- the caller gets only the values of these expressions. PostgreSQL plans a barrier apart from the query, without the
-- query's ORDER BY and LIMIT, and would sort all customers of the owner for one page.
CREATE VIEW ringfence.customer_card AS
    SELECT owner_id, id, name, phones, emails, address, birth_date, language, company_id,
           ringfence.visible_attributes(attributes) AS attributes,
           (SELECT ringfence.masked_fields()) AS masked_fields,
           created_at, created_by, updated_at, updated_by, last_activity_at
      FROM ringfence.customer;
ALTER VIEW ringfence.customer_card OWNER TO ringfence_definer;
ALTER VIEW ringfence.customer_card ALTER COLUMN owner_id SET DEFAULT ringfence.current_owner();
ALTER VIEW ringfence.customer_card ALTER COLUMN id SET DEFAULT ringfence.new_id();
GRANT SELECT, INSERT, UPDATE, DELETE ON ringfence.customer_card TO ringfence_user;
COMMENT ON VIEW ringfence.customer_card IS 'Customers with the custom values that this session sees. SELECT, INSERT, UPDATE, DELETE and COPY FROM work on it';
COMMENT ON COLUMN ringfence.customer_card.attributes IS 'Custom values by field name; on writing, what is left out is removed, and what is not seen is kept';
COMMENT ON COLUMN ringfence.customer_card.masked_fields IS 'Fields that exist here but are masked for this session';

-- SECURITY DEFINER, because applications may not write attributes. src/customer/card.rs decides what they write.
CREATE FUNCTION ringfence.insert_customer_card() RETURNS trigger
    LANGUAGE c SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'insert_customer_card';
ALTER FUNCTION ringfence.insert_customer_card() OWNER TO ringfence_definer;
REVOKE ALL ON FUNCTION ringfence.insert_customer_card() FROM PUBLIC;
COMMENT ON FUNCTION ringfence.insert_customer_card() IS 'Trigger: INSERT and COPY FROM on customer_card';
CREATE TRIGGER insert_customer_card INSTEAD OF INSERT ON ringfence.customer_card
    FOR EACH ROW EXECUTE FUNCTION ringfence.insert_customer_card();

CREATE FUNCTION ringfence.update_customer_card() RETURNS trigger
    LANGUAGE c SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'update_customer_card';
ALTER FUNCTION ringfence.update_customer_card() OWNER TO ringfence_definer;
REVOKE ALL ON FUNCTION ringfence.update_customer_card() FROM PUBLIC;
COMMENT ON FUNCTION ringfence.update_customer_card() IS 'Trigger: UPDATE on customer_card';
CREATE TRIGGER update_customer_card INSTEAD OF UPDATE ON ringfence.customer_card
    FOR EACH ROW EXECUTE FUNCTION ringfence.update_customer_card();

CREATE FUNCTION ringfence.delete_customer_card() RETURNS trigger
    LANGUAGE c SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'delete_customer_card';
ALTER FUNCTION ringfence.delete_customer_card() OWNER TO ringfence_definer;
REVOKE ALL ON FUNCTION ringfence.delete_customer_card() FROM PUBLIC;
COMMENT ON FUNCTION ringfence.delete_customer_card() IS 'Trigger: DELETE on customer_card';
CREATE TRIGGER delete_customer_card INSTEAD OF DELETE ON ringfence.customer_card
    FOR EACH ROW EXECUTE FUNCTION ringfence.delete_customer_card();

SELECT ringfence.require_rights_to_write('ringfence.customer_card', 'customer.write', 'customer.delete');
-- What a session writes that may propose, and not write, becomes proposals.
DROP TRIGGER require_right_to_write ON ringfence.customer_card;
CREATE TRIGGER require_right_to_write BEFORE INSERT OR UPDATE ON ringfence.customer_card
    FOR EACH STATEMENT EXECUTE FUNCTION ringfence.require_right('customer.write', 'customer.propose');

-- Inserts or updates in one call, since ON CONFLICT does not work on a view with triggers. SECURITY DEFINER, because it
-- looks up unique values. If another session writes the same customer first, it looks again.
CREATE FUNCTION ringfence.save_customer(card jsonb, match_field text DEFAULT NULL, OUT customer_id uuid, OUT action text) RETURNS record
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $save$
DECLARE
    kept_by_server CONSTANT text[] := '{masked_fields,created_at,created_by,updated_at,updated_by}';
    writable       CONSTANT text[] := '{owner_id,id,name,phones,emails,address,birth_date,language,company_id,attributes,last_activity_at}';
    unknown        text;
    given          ringfence.customer_card;
    same           uuid[];
    taken          text;
    tries          integer := 0;
    has_waited     boolean := false;
BEGIN
    PERFORM ringfence.check_right('customer.read'), ringfence.check_right('customer.write');
    IF card IS NULL OR jsonb_typeof(card) <> 'object' THEN
        RAISE EXCEPTION 'a card must be a JSON object' USING ERRCODE = 'invalid_parameter_value', HINT = 'Give it as in {"name": "Tsai", "phones": ["0912345678"]}.';
    END IF;
    SELECT string_agg(format('"%s"', left(key, 200)), ', ') INTO unknown
      FROM (SELECT key FROM jsonb_object_keys(card) AS key WHERE key <> ALL (writable || kept_by_server) LIMIT 10) AS unknown_key;
    IF unknown IS NOT NULL THEN
        RAISE EXCEPTION 'unknown key of a card: %', unknown
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'The keys are the columns of customer_card. Values of custom fields stand in "attributes", by field name.';
    END IF;
    IF jsonb_typeof(card -> 'phones') NOT IN ('array', 'null') OR jsonb_typeof(card -> 'emails') NOT IN ('array', 'null') THEN
        RAISE EXCEPTION 'phones and emails of a card must be arrays' USING ERRCODE = 'invalid_parameter_value', HINT = 'Give them as in {"phones": ["0912345678"]}.';
    END IF;
    given := jsonb_populate_record(NULL::ringfence.customer_card, card - kept_by_server);
    IF jsonb_typeof(given.attributes) <> 'object' THEN
        -- This raises the error.
        PERFORM ringfence.write_attributes('{}', '{}', given.attributes);
    END IF;

    LOOP
        same := ringfence.customers_like(given, match_field);
        IF cardinality(same) > 1 THEN
            RAISE EXCEPTION 'several customers have this %', quote_ident(left(match_field, 200))
                USING ERRCODE = 'cardinality_violation', HINT = 'Find out which of them is meant, and save by its id.';
        END IF;
        IF cardinality(same) = 1 THEN
            IF given.id <> same[1] THEN
                RAISE EXCEPTION 'the id and the % of the card belong to different customers', quote_ident(left(match_field, 200))
                    USING ERRCODE = 'invalid_parameter_value', HINT = 'Leave the id out, or save by the id.';
            END IF;
            UPDATE ringfence.customer_card AS saved SET
                owner_id         = coalesce(given.owner_id, saved.owner_id),
                name             = CASE WHEN card ? 'name' THEN given.name ELSE saved.name END,
                phones           = CASE WHEN card ? 'phones' THEN given.phones ELSE saved.phones END,
                emails           = CASE WHEN card ? 'emails' THEN given.emails ELSE saved.emails END,
                address          = CASE WHEN card ? 'address' THEN given.address ELSE saved.address END,
                birth_date       = CASE WHEN card ? 'birth_date' THEN given.birth_date ELSE saved.birth_date END,
                language         = CASE WHEN card ? 'language' THEN given.language ELSE saved.language END,
                company_id       = CASE WHEN card ? 'company_id' THEN given.company_id ELSE saved.company_id END,
                attributes       = saved.attributes || coalesce(given.attributes, '{}'),
                last_activity_at = CASE WHEN card ? 'last_activity_at' THEN given.last_activity_at ELSE saved.last_activity_at END
             WHERE saved.owner_id = ringfence.current_owner() AND saved.id = same[1];
            IF FOUND THEN
                customer_id := same[1];
                action := 'updated';
                RETURN;
            END IF;
            -- Another session has deleted the customer meanwhile: look again.
        ELSIF NOT has_waited AND ringfence.wait_for_savers(given, match_field) THEN
            -- Another session may just have inserted this customer: look again.
            has_waited := true;
        ELSE
            BEGIN
                INSERT INTO ringfence.customer_card AS saved
                    (owner_id, id, name, phones, emails, address, birth_date, language, company_id, attributes, last_activity_at)
                VALUES
                    (given.owner_id, given.id, given.name, given.phones, given.emails, given.address, given.birth_date, given.language,
                     given.company_id, given.attributes, given.last_activity_at)
                RETURNING saved.id INTO customer_id;
                -- A trigger of others may have kept it from being written.
                action := CASE WHEN FOUND THEN 'inserted' END;
                RETURN;
            EXCEPTION WHEN unique_violation THEN
                -- Either another session has just inserted this customer, and the next round updates it, or another
                -- customer has another value of the card.
                IF tries > 0 OR same IS NULL THEN
                    GET STACKED DIAGNOSTICS taken = CONSTRAINT_NAME;
                    -- A customer has this id, but the snapshot of this transaction is too old to see it.
                    IF taken = 'customer_pkey' AND NOT EXISTS (SELECT FROM ringfence.customer AS seen WHERE seen.id = given.id) THEN
                        RAISE EXCEPTION 'another session has saved this customer'
                            USING ERRCODE = 'serialization_failure', HINT = 'Save it again in a new transaction.';
                    END IF;
                    RAISE;
                END IF;
            END;
        END IF;
        tries := tries + 1;
        IF tries > 2 THEN
            RAISE EXCEPTION 'the customer is being changed by other sessions'
                USING ERRCODE = 'serialization_failure', HINT = 'Save it again.';
        END IF;
    END LOOP;
END
$save$;
ALTER FUNCTION ringfence.save_customer(jsonb, text) OWNER TO ringfence_definer;
REVOKE ALL ON FUNCTION ringfence.save_customer(jsonb, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.save_customer(jsonb, text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.save_customer(jsonb, text) IS
    'Updates the one customer with the id, phone, e-mail or unique field of the card, or inserts it. Keys that are not given stay as they are. Error 21000: several have it; 22023: unknown key or field';

-- Returns NULL if there is nothing to look for: without match_field, a card without id is a new customer.
CREATE FUNCTION ringfence.customers_like(card ringfence.customer_card, match_field text) RETURNS uuid[]
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $like$
DECLARE
    form     text;
    unique_field record;
    same     uuid[] := '{}';
BEGIN
    IF match_field IS NULL AND card.id IS NULL THEN
        RETURN NULL;
    END IF;
    CASE coalesce(match_field, 'id')
    WHEN 'id' THEN
        IF card.id IS NULL THEN
            RAISE EXCEPTION 'the card has no id' USING ERRCODE = 'invalid_parameter_value';
        END IF;
        RETURN ARRAY(SELECT customer.id FROM ringfence.customer WHERE customer.owner_id = ringfence.current_owner() AND customer.id = card.id);
    WHEN 'phone', 'phones' THEN
        FOREACH form IN ARRAY ringfence.matched_forms(card, match_field) LOOP
            same := same || ARRAY(SELECT customer.id FROM ringfence.find_by_phone(form) AS found JOIN ringfence.customer ON customer.id = found.customer_id
                                   WHERE customer.owner_id = ringfence.current_owner() AND form = ANY (customer.normal_phones)
                                     AND customer.id <> ALL (same) LIMIT 2);
        END LOOP;
    WHEN 'email', 'emails' THEN
        FOREACH form IN ARRAY ringfence.matched_forms(card, match_field) LOOP
            same := same || ARRAY(SELECT customer.id FROM ringfence.find_by_email(form) AS found JOIN ringfence.customer ON customer.id = found.customer_id
                                   WHERE customer.owner_id = ringfence.current_owner() AND form = ANY (customer.normal_emails)
                                     AND customer.id <> ALL (same) LIMIT 2);
        END LOOP;
    ELSE
        -- One error for a field that is masked, hidden or missing.
        SELECT field_id, is_unique INTO unique_field FROM ringfence.visible_fields() WHERE name = match_field;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'no field "%" is in reach', left(match_field, 200)
                USING ERRCODE = 'insufficient_privilege',
                      HINT = 'SELECT * FROM ringfence.visible_fields() lists the fields of this session and how they may be used.';
        ELSIF NOT unique_field.is_unique THEN
            RAISE EXCEPTION 'field "%" is not unique', left(match_field, 200)
                USING ERRCODE = 'invalid_parameter_value', HINT = 'Save by id, phone, email, or a field that is unique.';
        END IF;
        SELECT unique_form.form INTO form
          FROM ringfence.unique_forms(ringfence.write_attributes('{}', '{}', jsonb_build_object(match_field, card.attributes -> match_field))) AS unique_form
         WHERE unique_form.field_id = unique_field.field_id;
        same := ARRAY(SELECT value.customer_id FROM ringfence.unique_value AS value
                       WHERE value.owner_id = ringfence.current_owner() AND value.field_id = unique_field.field_id
                         AND value.digest = sha256(convert_to(form, 'UTF8')));
    END CASE;
    -- Otherwise each call would insert another customer.
    IF form IS NULL THEN
        RAISE EXCEPTION 'the card has no value of "%"', left(match_field, 200)
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Give one, or save without match_field to insert a new customer.';
    END IF;
    RETURN same;
END
$like$;
REVOKE ALL ON FUNCTION ringfence.customers_like(ringfence.customer_card, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.customers_like(ringfence.customer_card, text) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.customers_like(ringfence.customer_card, text) IS 'Customers with the id, phone, e-mail or unique value of a card; part of save_customer()';
