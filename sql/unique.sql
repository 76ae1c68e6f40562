-- unique: values that no two customers of an owner may have, and fields that change together with all their values.
--
-- Values are compared in this form: a text trimmed and in NFC, with its case kept; a phone in E.164 by the owner's
-- country; an e-mail in lower case; a number by its value; a choice by its option. A text of spaces only is no value.

CREATE TABLE ringfence.unique_value (
    owner_id    uuid NOT NULL DEFAULT ringfence.current_owner(),
    field_id    uuid NOT NULL,
    -- SHA-256, because a value may be too long for an index, and a masked value should not be stored a second time.
    digest      bytea NOT NULL,
    customer_id uuid NOT NULL,
    PRIMARY KEY (owner_id, field_id, digest),
    FOREIGN KEY (owner_id, field_id) REFERENCES ringfence.field ON DELETE CASCADE,
    FOREIGN KEY (owner_id, customer_id) REFERENCES ringfence.customer ON DELETE CASCADE
);
COMMENT ON TABLE ringfence.unique_value IS 'Which customer has which value of a unique field; no application role can read or write it';
COMMENT ON COLUMN ringfence.unique_value.digest IS 'SHA-256 of the form in which values are compared';
CREATE INDEX unique_value_customer ON ringfence.unique_value (owner_id, customer_id);
SELECT ringfence.wall('ringfence.unique_value', 'customer.read', 'customer.write', 'customer.write');

CREATE FUNCTION ringfence.has_unique_fields() RETURNS boolean
    LANGUAGE c STABLE PARALLEL RESTRICTED STRICT AS 'MODULE_PATHNAME', 'has_unique_fields_wrapper';
REVOKE ALL ON FUNCTION ringfence.has_unique_fields() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.has_unique_fields() TO ringfence_definer;
COMMENT ON FUNCTION ringfence.has_unique_fields() IS 'Whether the session''s owner has unique fields; part of customer_card';

CREATE FUNCTION ringfence.unique_forms(stored jsonb, OUT field_id uuid, OUT form text) RETURNS SETOF record
    LANGUAGE c STABLE PARALLEL RESTRICTED STRICT ROWS 2 AS 'MODULE_PATHNAME', 'unique_forms_wrapper';
REVOKE ALL ON FUNCTION ringfence.unique_forms(jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.unique_forms(jsonb) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.unique_forms(jsonb) IS 'Stored values of unique fields in the form in which they are compared; part of customer_card';

CREATE FUNCTION ringfence.unique_form(stored jsonb, field_id uuid, type text) RETURNS text
    LANGUAGE c STABLE PARALLEL RESTRICTED STRICT AS 'MODULE_PATHNAME', 'unique_form_wrapper';
REVOKE ALL ON FUNCTION ringfence.unique_form(jsonb, uuid, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.unique_form(jsonb, uuid, text) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.unique_form(jsonb, uuid, text) IS 'The same for one field, whether it is unique yet or not; internal';

CREATE FUNCTION ringfence.refuse_duplicate(field_id uuid) RETURNS boolean
    LANGUAGE c STABLE PARALLEL RESTRICTED STRICT AS 'MODULE_PATHNAME', 'refuse_duplicate_wrapper';
REVOKE ALL ON FUNCTION ringfence.refuse_duplicate(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.refuse_duplicate(uuid) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.refuse_duplicate(uuid) IS 'Error 23505 for a unique field; part of customer_card';

-- The triggers of customer_card call this as the definer. If two sessions write the same value at once, the second
-- waits for the first at the primary key, and is refused if the first commits.
CREATE FUNCTION ringfence.keep_unique_values(customer_id uuid, stored jsonb) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $keep$
#variable_conflict use_column
DECLARE
    refused uuid;
BEGIN
    DELETE FROM ringfence.unique_value AS old
     WHERE old.owner_id = ringfence.current_owner() AND old.customer_id = keep_unique_values.customer_id
       AND NOT EXISTS (SELECT FROM ringfence.unique_forms(keep_unique_values.stored) AS form
                        WHERE form.field_id = old.field_id AND sha256(convert_to(form.form, 'UTF8')) = old.digest);
    -- Always in the same order, so that two sessions cannot deadlock.
    INSERT INTO ringfence.unique_value (field_id, digest, customer_id)
        SELECT form.field_id, sha256(convert_to(form.form, 'UTF8')), keep_unique_values.customer_id
          FROM ringfence.unique_forms(keep_unique_values.stored) AS form
         ORDER BY 1
        ON CONFLICT (owner_id, field_id, digest) DO NOTHING;
    SELECT form.field_id INTO refused
      FROM ringfence.unique_forms(keep_unique_values.stored) AS form
     WHERE NOT EXISTS (SELECT FROM ringfence.unique_value AS kept
                        WHERE kept.owner_id = ringfence.current_owner() AND kept.field_id = form.field_id
                          AND kept.digest = sha256(convert_to(form.form, 'UTF8'))
                          AND kept.customer_id = keep_unique_values.customer_id)
     LIMIT 1;
    IF FOUND THEN
        PERFORM ringfence.refuse_duplicate(refused);
    END IF;
END
$keep$;
REVOKE ALL ON FUNCTION ringfence.keep_unique_values(uuid, jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.keep_unique_values(uuid, jsonb) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.keep_unique_values(uuid, jsonb) IS 'Error 23505 if another customer of the owner has a value that must be unique; part of customer_card';

-- Phones and e-mails that are being saved ------------------------------------------------------------------------------

-- They are not unique, so no key keeps two sessions from inserting the same customer at once. Who is about to insert one by
-- its phone or e-mail inserts the form here and deletes it at once: another session of the owner that does the same waits until
-- this transaction ends. No row is ever left.
CREATE TABLE ringfence.form_being_saved (
    owner_id uuid NOT NULL DEFAULT ringfence.current_owner() REFERENCES ringfence.owner ON DELETE CASCADE,
    form     text NOT NULL,
    PRIMARY KEY (owner_id, form)
);
COMMENT ON TABLE ringfence.form_being_saved IS 'Always empty: sessions that save the same new phone or e-mail wait for each other here; no application role can read or write it';
SELECT ringfence.wall('ringfence.form_being_saved', 'customer.read', 'customer.write', 'customer.write');

-- Many customers have the same placeholder ("0", "000-000-000", "none"): it identifies nobody.
CREATE FUNCTION ringfence.matched_forms(card ringfence.customer_card, match_field text) RETURNS text[]
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $forms$
    SELECT CASE
        WHEN match_field IN ('phone', 'phones') THEN
            ARRAY(SELECT phone FROM unnest(ringfence.normal_phones(card.phones, ringfence.current_owner())) AS phone
                   WHERE phone !~ '^(\+[1-9][0-9]{0,2})?0+$')
        WHEN match_field IN ('email', 'emails') THEN
            ARRAY(SELECT email FROM unnest(ringfence.normal_emails(card.emails)) AS email WHERE email ~ '.@.')
        ELSE '{}' END
$forms$;
REVOKE ALL ON FUNCTION ringfence.matched_forms(ringfence.customer_card, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.matched_forms(ringfence.customer_card, text) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.matched_forms(ringfence.customer_card, text) IS 'The phones or e-mails of a card by which a customer can be told, in normal form; part of save_customer()';

CREATE FUNCTION ringfence.wait_for_savers(card ringfence.customer_card, match_field text) RETURNS boolean
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $wait$
DECLARE
    forms CONSTANT text[] := ringfence.matched_forms(card, match_field);
BEGIN
    IF forms = '{}' THEN
        RETURN false;
    END IF;
    -- In one order, so that two sessions never wait for each other.
    INSERT INTO ringfence.form_being_saved (form) SELECT form FROM unnest(forms) AS form ORDER BY form COLLATE "C";
    DELETE FROM ringfence.form_being_saved AS own WHERE own.owner_id = ringfence.current_owner() AND own.form = ANY (forms);
    RETURN true;
END
$wait$;
REVOKE ALL ON FUNCTION ringfence.wait_for_savers(ringfence.customer_card, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.wait_for_savers(ringfence.customer_card, text) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.wait_for_savers(ringfence.customer_card, text) IS
    'Waits for sessions of the owner that save the same phone or e-mail, and keeps later ones waiting; false: the card has none to match by. Part of save_customer()';

-- A field and its values ----------------------------------------------------------------------------------------------

CREATE FUNCTION ringfence.lock_definitions() RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE STRICT AS 'MODULE_PATHNAME', 'lock_definitions_wrapper';
REVOKE ALL ON FUNCTION ringfence.lock_definitions() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.lock_definitions() TO ringfence_definer;
COMMENT ON FUNCTION ringfence.lock_definitions() IS
    'Keeps who writes custom values of the session''s owner waiting until the transaction ends; readers and other owners are not. Error 25001 in REPEATABLE READ and above. Internal';

-- The right to manage fields is no right to see or change values. A function that counts or rewrites values requires
-- those rights too.
CREATE FUNCTION ringfence.check_rights_over_values(of_masked boolean) RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $check$
DECLARE
    needed text;
BEGIN
    FOREACH needed IN ARRAY ARRAY['field.manage', 'customer.read', 'customer.write'] || CASE WHEN of_masked THEN ARRAY['field.unmask'] END LOOP
        IF NOT ringfence.has_right_in(needed, NULL) THEN
            RAISE EXCEPTION 'changing a field together with its values requires the right "%"', needed
                USING ERRCODE = 'insufficient_privilege', HINT = 'The session needs this right in all projects of the owner.';
        END IF;
    END LOOP;
END
$check$;
REVOKE ALL ON FUNCTION ringfence.check_rights_over_values(boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.check_rights_over_values(boolean) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.check_rights_over_values(boolean) IS 'Error 42501 for a session that may not change a field together with its values; internal';

CREATE FUNCTION ringfence.fill_unique_values(field_id uuid, field_name text, type text) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $fill$
#variable_conflict use_column
DECLARE
    duplicates bigint;
BEGIN
    DELETE FROM ringfence.unique_value AS old
     WHERE old.owner_id = ringfence.current_owner() AND old.field_id = fill_unique_values.field_id;
    SELECT count(*) INTO duplicates
      FROM (SELECT FROM ringfence.customer
             WHERE customer.attributes ? ringfence.storage_key(fill_unique_values.field_id)
             GROUP BY ringfence.unique_form(customer.attributes, fill_unique_values.field_id, fill_unique_values.type)
            HAVING count(*) > 1
               AND ringfence.unique_form(customer.attributes, fill_unique_values.field_id, fill_unique_values.type) IS NOT NULL) AS held;
    IF duplicates > 0 THEN
        RAISE EXCEPTION 'duplicate values in field "%": %', fill_unique_values.field_name, duplicates
            USING ERRCODE = 'unique_violation', HINT = 'This many values occur in more than one customer. Change them first.';
    END IF;
    INSERT INTO ringfence.unique_value (field_id, digest, customer_id)
        SELECT fill_unique_values.field_id, sha256(convert_to(held.form, 'UTF8')), held.id
          -- Locked, so that no customer is deleted before its value is stored.
          FROM (SELECT customer.id, ringfence.unique_form(customer.attributes, fill_unique_values.field_id, fill_unique_values.type) AS form
                  FROM ringfence.customer
                 WHERE customer.attributes ? ringfence.storage_key(fill_unique_values.field_id)
                   FOR KEY SHARE) AS held
         WHERE held.form IS NOT NULL;
END
$fill$;
REVOKE ALL ON FUNCTION ringfence.fill_unique_values(uuid, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.fill_unique_values(uuid, text, text) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.fill_unique_values(uuid, text, text) IS 'Reads the values of a field that becomes unique. Error 23505 that counts those that several customers have; internal';

CREATE FUNCTION ringfence.switch_unique() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $switch$
BEGIN
    PERFORM ringfence.check_rights_over_values(OLD.is_masked OR NEW.is_masked);
    PERFORM ringfence.lock_definitions();
    IF NEW.is_unique THEN
        PERFORM ringfence.fill_unique_values(NEW.id, NEW.name, NEW.type);
    ELSE
        DELETE FROM ringfence.unique_value AS kept WHERE kept.owner_id = NEW.owner_id AND kept.field_id = NEW.id;
    END IF;
    RETURN NEW;
END
$switch$;
ALTER FUNCTION ringfence.switch_unique() OWNER TO ringfence_definer;
REVOKE ALL ON FUNCTION ringfence.switch_unique() FROM PUBLIC;
COMMENT ON FUNCTION ringfence.switch_unique() IS 'Trigger: a field becomes unique, or is so no longer. Error 23505: it has values that several customers have; 42501 without the rights over them';
CREATE TRIGGER switch_unique AFTER UPDATE OF is_unique ON ringfence.field
    FOR EACH ROW WHEN (OLD.is_unique <> NEW.is_unique) EXECUTE FUNCTION ringfence.switch_unique();

-- Phones compare by the owner's country.
CREATE FUNCTION ringfence.renew_unique_phones() RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $renew$
DECLARE
    phone ringfence.field;
BEGIN
    FOR phone IN SELECT * FROM ringfence.field WHERE field.is_unique AND field.type = 'phone' LOOP
        PERFORM ringfence.lock_definitions();
        PERFORM ringfence.fill_unique_values(phone.id, phone.name, phone.type);
    END LOOP;
EXCEPTION WHEN unique_violation THEN
    -- The error names no field: administrators of owners must not learn which fields they have.
    RAISE EXCEPTION 'under this country, unique phone fields would have duplicates'
        USING ERRCODE = 'unique_violation', HINT = 'First change the numbers that are equal under this country, or make the field not unique.';
END
$renew$;
REVOKE ALL ON FUNCTION ringfence.renew_unique_phones() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.renew_unique_phones() TO ringfence_definer;
COMMENT ON FUNCTION ringfence.renew_unique_phones() IS 'Reads the values of unique fields of type phone again after the owner''s country changed; internal';
CREATE TRIGGER renew_unique_phones AFTER UPDATE OF country ON ringfence.owner
    FOR EACH ROW WHEN (OLD.country IS DISTINCT FROM NEW.country)
    EXECUTE FUNCTION ringfence.as_owner('renew_unique_phones');

CREATE FUNCTION ringfence.lock_field(field text) RETURNS ringfence.field
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $lock$
DECLARE
    found_id CONSTANT uuid := ringfence.field_in_reach(field);
    target   ringfence.field;
BEGIN
    PERFORM ringfence.check_rights_over_values(false);
    PERFORM ringfence.lock_definitions();
    SELECT * INTO STRICT target FROM ringfence.field AS f
     WHERE f.owner_id = ringfence.current_owner() AND f.id = found_id FOR UPDATE;
    -- It may have been masked while this session waited.
    PERFORM ringfence.check_rights_over_values(target.is_masked);
    RETURN target;
END
$lock$;
REVOKE ALL ON FUNCTION ringfence.lock_field(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.lock_field(text) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.lock_field(text) IS
    'Locks a field that changes together with its values, and returns it. Error P0002: no such field; 42501 without the rights over its values; part of drop_field() and retype_field()';

CREATE FUNCTION ringfence.drop_field(field text, customers bigint DEFAULT NULL) RETURNS bigint
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $drop$
DECLARE
    target CONSTANT ringfence.field := ringfence.lock_field(field);
    key    CONSTANT text := ringfence.storage_key(target.id);
    held   bigint;
BEGIN
    SELECT count(*) INTO held FROM ringfence.customer AS c WHERE c.owner_id = target.owner_id AND c.attributes ? key;
    IF held > 0 AND NOT target.is_system AND drop_field.customers IS DISTINCT FROM held THEN
        RAISE EXCEPTION 'cannot drop field "%", because this many customers have a value of it: %', target.name, held
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  DETAIL = 'Dropping the field deletes these values.',
                  HINT = format('To delete them for good: SELECT ringfence.drop_field(%L, %s);', target.name, held);
    END IF;
    DELETE FROM ringfence.field AS f WHERE f.owner_id = target.owner_id AND f.id = target.id;
    PERFORM ringfence.exempt_own_work(field => target.id);
    UPDATE ringfence.customer AS c SET attributes = c.attributes - key WHERE c.owner_id = target.owner_id AND c.attributes ? key;
    PERFORM ringfence.exempt_own_work();
    -- Values that are deleted for good are not kept in the history.
    DELETE FROM ringfence.change AS old WHERE old.owner_id = target.owner_id AND old.field_id = target.id;
    PERFORM ringfence.forget_proposed(target.id);
    RETURN held;
END
$drop$;
ALTER FUNCTION ringfence.drop_field(text, bigint) OWNER TO ringfence_definer;
REVOKE ALL ON FUNCTION ringfence.drop_field(text, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.drop_field(text, bigint) TO ringfence_user;
COMMENT ON FUNCTION ringfence.drop_field(text, bigint) IS
    'Drops a field and its values, and returns how many customers had one. If any has, error 55000 unless this number is given. Error P0002: no such field; 42501: a system field, or rights are missing';

CREATE FUNCTION ringfence.convert_value(
    stored jsonb, field_id uuid, from_type text, from_options text[], from_ids integer[], to_type text, to_options text[], to_ids integer[])
    RETURNS jsonb
    LANGUAGE c STABLE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'convert_value_wrapper';
REVOKE ALL ON FUNCTION ringfence.convert_value(jsonb, uuid, text, text[], integer[], text, text[], integer[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.convert_value(jsonb, uuid, text, text[], integer[], text, text[], integer[]) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.convert_value(jsonb, uuid, text, text[], integer[], text, text[], integer[]) IS
    'Stored values with that of one field converted to another type; NULL where it does not convert. Part of retype_field()';

CREATE FUNCTION ringfence.retype_field(field text, type text, options text[] DEFAULT NULL) RETURNS bigint
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $retype$
#variable_conflict use_column
DECLARE
    target     CONSTANT ringfence.field := ringfence.lock_field(retype_field.field);
    key        CONSTANT text := ringfence.storage_key(target.id);
    named      text[] := retype_field.options;
    ids        integer[];
    failing    bigint;
    converted  bigint;
BEGIN
    IF target.is_system THEN
        RAISE EXCEPTION 'system field "%" cannot be changed', target.name
            USING ERRCODE = 'insufficient_privilege', HINT = 'System fields are the same in every project of every owner.';
    END IF;
    IF named IS NULL AND retype_field.type IN ('choice', 'choices') THEN
        named := target.options || target.retired_options;
        ids := target.option_ids;
    ELSIF named IS NOT NULL THEN
        ids := ARRAY(SELECT generate_series(1, cardinality(named)));
    END IF;
    PERFORM ringfence.check_field_type(retype_field.type, named);
    SELECT count(*) INTO failing FROM ringfence.customer AS c
     WHERE c.owner_id = target.owner_id AND c.attributes ? key
       AND ringfence.convert_value(c.attributes, target.id, target.type, target.options || target.retired_options, target.option_ids,
                                   retype_field.type, named, ids) IS NULL;
    IF failing > 0 THEN
        RAISE EXCEPTION 'field "%" cannot become type "%", because this many values do not convert: %', target.name, retype_field.type, failing
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Change these values first; nothing has been changed.';
    END IF;
    -- The form of the values changes, and not what they say.
    PERFORM ringfence.exempt_own_work(field => target.id);
    UPDATE ringfence.customer AS c
       SET attributes = ringfence.convert_value(c.attributes, target.id, target.type, target.options || target.retired_options,
                                                target.option_ids, retype_field.type, named, ids)
     WHERE c.owner_id = target.owner_id AND c.attributes ? key;
    GET DIAGNOSTICS converted = ROW_COUNT;
    PERFORM ringfence.exempt_own_work();
    -- Options that were kept are retired as before.
    UPDATE ringfence.field AS f
       SET type = retype_field.type,
           options = CASE WHEN retype_field.options IS NULL THEN named[:cardinality(target.options)] ELSE named END,
           retired_options = CASE WHEN retype_field.options IS NULL AND named IS NOT NULL THEN target.retired_options END,
           option_ids = ids,
           max_length = CASE WHEN retype_field.type = target.type THEN f.max_length END,
           pattern = CASE WHEN retype_field.type = target.type THEN f.pattern END,
           minimum = CASE WHEN retype_field.type = target.type THEN f.minimum END,
           maximum = CASE WHEN retype_field.type = target.type THEN f.maximum END
     WHERE f.owner_id = target.owner_id AND f.id = target.id;
    IF target.is_unique THEN
        PERFORM ringfence.fill_unique_values(target.id, target.name, retype_field.type);
    END IF;
    RETURN converted;
END
$retype$;
ALTER FUNCTION ringfence.retype_field(text, text, text[]) OWNER TO ringfence_definer;
REVOKE ALL ON FUNCTION ringfence.retype_field(text, text, text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.retype_field(text, text, text[]) TO ringfence_user;
COMMENT ON FUNCTION ringfence.retype_field(text, text, text[]) IS
    'Gives a field another type, converts its values, and returns how many. Error 22023: no such type, or values do not convert; 23505: not unique; P0002: no such field; 42501: rights are missing';
