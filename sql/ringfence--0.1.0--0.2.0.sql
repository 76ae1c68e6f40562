-- From ringfence 0.1.0 to 0.2.0: ALTER EXTENSION ringfence UPDATE. What it leaves is what CREATE EXTENSION makes: tests/upgrade.sh compares.

-- Columns -------------------------------------------------------------------------------------------------------------

-- A trigger keeps active_on now.
ALTER TABLE ringfence.customer ALTER COLUMN active_on DROP EXPRESSION;
ALTER TABLE ringfence.customer ALTER COLUMN active_on SET DEFAULT '0001-01-01';
ALTER TABLE ringfence.customer SET (fillfactor = 90);
ALTER TABLE ringfence.owner ADD COLUMN purge_began_at timestamptz;
ALTER TABLE ringfence.owner ADD CONSTRAINT owner_purge CHECK (purge_began_at IS NULL OR NOT enabled AND id <> '00000000-0000-0000-0000-000000000000');
COMMENT ON COLUMN ringfence.owner.purge_began_at IS 'When purge_owner() began to delete the owner; calling it again goes on. A superuser may set it to NULL: what is deleted by then stays so';
GRANT SELECT (purge_began_at) ON ringfence.owner TO ringfence_user, ringfence_admin;

-- Functions and triggers ----------------------------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION ringfence.decide_from(target regclass) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
    EXECUTE format('CREATE TRIGGER forget_decisions AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON %s '
                   'FOR EACH STATEMENT EXECUTE FUNCTION ringfence.forget_decisions()', target);
    -- Logical replication fires only row triggers.
    EXECUTE format('CREATE TRIGGER forget_decisions_by_row AFTER INSERT OR UPDATE OR DELETE ON %s '
                   'FOR EACH ROW EXECUTE FUNCTION ringfence.forget_decisions()', target);
    -- They must fire also while a restore or replication has switched triggers off.
    EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER forget_decisions, ENABLE ALWAYS TRIGGER forget_decisions_by_row', target);
END
$$;

DROP FUNCTION ringfence.wall(regclass, text, text, text);
CREATE FUNCTION ringfence.wall(target regclass, read_right text, write_right text, delete_right text, project_column name DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $wall$
DECLARE
    held    text := 'ringfence.has_right(%1$L)';
    written text := 'ringfence.has_right(%1$L)';
BEGIN
    IF project_column IS NOT NULL THEN
        held := '%2$I = ANY (ringfence.projects_with(%1$L)) OR %2$I IS NULL AND ringfence.has_right_in(%1$L, NULL)';
        written := 'ringfence.has_right_in(%1$L, %2$I)';
    END IF;
    EXECUTE format('ALTER TABLE %s OWNER TO ringfence_tables', target);
    EXECUTE format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO ringfence_definer', target);
    -- pg_dump keeps the rows.
    PERFORM pg_extension_config_dump(target, '');
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', target);

    -- A restrictive policy is ANDed with every policy that somebody adds later. The library finds the wall of a table by
    -- the name of this policy, and puts its condition before all others of a plan.
    EXECUTE format('CREATE POLICY owner_wall ON %s AS RESTRICTIVE FOR ALL TO PUBLIC '
                   'USING (owner_id = ringfence.current_owner()) WITH CHECK (owner_id = ringfence.current_owner())', target);

    -- The permissive policies ask for the right alone. If they named owner_id too, the planner would count its
    -- selectivity twice. They depend on the extension as the wall does, so DROP ... CASCADE cannot take the wall alone;
    -- row-level security without a policy allows nothing.
    IF read_right IS NOT NULL THEN
        EXECUTE format('CREATE POLICY may_read ON %s FOR SELECT TO PUBLIC USING (', target) || format(held, read_right, project_column) || ')';
    END IF;
    EXECUTE format('CREATE POLICY may_insert ON %s FOR INSERT TO PUBLIC WITH CHECK (', target) || format(written, write_right, project_column) || ')';
    EXECUTE format('CREATE POLICY may_update ON %s FOR UPDATE TO PUBLIC USING (', target) || format(held, write_right, project_column)
            || ') WITH CHECK (' || format(written, write_right, project_column) || ')';
    EXECUTE format('CREATE POLICY may_delete ON %s FOR DELETE TO PUBLIC USING (', target) || format(held, delete_right, project_column) || ')';

    PERFORM ringfence.require_rights_to_write(target, write_right, delete_right);
END
$wall$;
REVOKE ALL ON FUNCTION ringfence.wall(regclass, text, text, text, name) FROM PUBLIC;
COMMENT ON FUNCTION ringfence.wall(regclass, text, text, text, name) IS
    'Puts a new table of the extension behind the wall: owner, policies, triggers, dump. It needs a column owner_id; with a NULL read_right it makes no policy for reading';

CREATE TABLE ringfence.form_being_saved (
    owner_id uuid NOT NULL DEFAULT ringfence.current_owner() REFERENCES ringfence.owner ON DELETE CASCADE,
    form     text NOT NULL,
    PRIMARY KEY (owner_id, form)
);
SELECT ringfence.wall('ringfence.form_being_saved', 'customer.read', 'customer.write', 'customer.write');

CREATE OR REPLACE FUNCTION ringfence.check_binding() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    bound  ringfence.field;
    others text;
BEGIN
    -- A superuser who restores or repairs may do this. If the field is not there, the foreign key refuses the row.
    IF NOT row_security_active(TG_RELID) THEN
        RETURN NEW;
    END IF;
    SELECT * INTO bound FROM ringfence.field WHERE field.owner_id = NEW.owner_id AND field.id = NEW.field_id;
    IF bound.is_system THEN
        RAISE EXCEPTION 'system field "%" cannot be bound', bound.name
            USING ERRCODE = 'insufficient_privilege', HINT = 'System fields are in every project.';
    END IF;
    IF bound.is_masked AND ringfence.has_right_in('field.unmask', NEW.project_id) AND NOT ringfence.has_right_in('field.unmask', NULL) THEN
        RAISE EXCEPTION 'this session may not bind masked field "%", because it sees masked fields in this project but not in all', bound.name
            USING ERRCODE = 'insufficient_privilege', HINT = 'Bind it as a role that has the right "field.unmask" in all projects of the owner, or lacks it in this project.';
    END IF;
    SELECT string_agg(format('"%s"', project.name), ', ' ORDER BY project.name) INTO others
        FROM ringfence.field_project
        JOIN ringfence.project ON project.owner_id = field_project.owner_id AND project.id = field_project.project_id
        WHERE field_project.owner_id = NEW.owner_id AND field_project.field_id = NEW.field_id
          AND field_project.project_id <> NEW.project_id;
    IF others IS NOT NULL THEN
        RAISE NOTICE 'field "%" is shared with %', bound.name, others
            USING DETAIL = 'A shared field has one value: a change made in one project shows in all.';
    END IF;
    RETURN NEW;
END
$$;

CREATE OR REPLACE FUNCTION ringfence.check_field_limits(definition ringfence.field) RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $check$
DECLARE
    option   text;
    problem  text;
    every    CONSTANT text[] := definition.options || definition.retired_options;
BEGIN
    FOREACH option IN ARRAY coalesce(every, '{}') LOOP
        IF option IS NULL OR NOT ringfence.can_be_seen(option) OR option <> btrim(option) OR length(option) > 200 OR option ~ '[[:cntrl:]]' THEN
            RAISE EXCEPTION 'invalid option "%"', left(option, 200)
                USING ERRCODE = 'invalid_parameter_value',
                      HINT = 'An option has 1 to 200 characters, of which at least one is visible and none a control character. It has no space at either end.';
        END IF;
    END LOOP;
    SELECT min(name) INTO option FROM unnest(every) AS name GROUP BY ringfence.name_as_seen(name) HAVING count(*) > 1 LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'option "%" is there twice', left(option, 200)
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Retired options count too; add_option() brings one back.';
    END IF;
    problem := CASE
        WHEN definition.type <> 'text' AND num_nonnulls(definition.max_length, definition.pattern) > 0 THEN 'max_length and pattern are for type "text"'
        WHEN definition.type <> 'number' AND num_nonnulls(definition.minimum, definition.maximum) > 0 THEN 'minimum and maximum are for type "number"'
        WHEN definition.max_length < 1 THEN 'max_length must be at least 1'
        WHEN definition.minimum = 'NaN' OR definition.maximum = 'NaN' OR definition.minimum > definition.maximum THEN 'minimum must not be greater than maximum'
    END;
    IF problem IS NOT NULL THEN
        RAISE EXCEPTION 'the limits do not fit: %', problem USING ERRCODE = 'invalid_parameter_value';
    END IF;
    PERFORM ringfence.check_pattern(definition.pattern);
END
$check$;
REVOKE ALL ON FUNCTION ringfence.check_field_limits(ringfence.field) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.check_field_limits(ringfence.field) TO ringfence_user;
COMMENT ON FUNCTION ringfence.check_field_limits(ringfence.field) IS 'Error 22023 for options or limits that a field cannot have; internal';

CREATE OR REPLACE FUNCTION ringfence.check_field_definition() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $check$
BEGIN
    IF NEW.options IS NOT NULL AND NEW.option_ids IS NULL THEN
        NEW.option_ids := ARRAY(SELECT generate_series(1, cardinality(NEW.options || NEW.retired_options)));
    END IF;
    PERFORM ringfence.check_field_limits(NEW);
    RETURN NEW;
END
$check$;
REVOKE ALL ON FUNCTION ringfence.check_field_definition() FROM PUBLIC;
COMMENT ON FUNCTION ringfence.check_field_definition() IS 'Trigger: gives options their ids; error 22023 for options or limits that cannot be';

CREATE OR REPLACE FUNCTION ringfence.check_field_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
    IF NOT row_security_active(TG_RELID) OR ringfence.is_deleting_owner() THEN
        RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    IF OLD.is_system THEN
        RAISE EXCEPTION 'system field "%" cannot be changed', OLD.name
            USING ERRCODE = 'insufficient_privilege', HINT = 'System fields are the same in every project of every owner.';
    END IF;
    -- The right to manage fields is no right to see values. Only a session that sees masked values in all projects may
    -- unmask a field.
    IF TG_OP = 'UPDATE' AND OLD.is_masked AND NOT NEW.is_masked AND NOT ringfence.has_right_in('field.unmask', NULL) THEN
        RAISE EXCEPTION 'field "%" cannot be unmasked without the right "field.unmask"', OLD.name
            USING ERRCODE = 'insufficient_privilege', HINT = 'The session needs this right in all projects of the owner.';
    END IF;
    -- Making a field searchable writes every customer that has a value. PostgreSQL's statistics of the session tell how
    -- many those are.
    IF TG_OP = 'UPDATE' AND OLD.is_masked AND NEW.is_searchable <> OLD.is_searchable AND NOT ringfence.has_right_in('field.unmask', NULL) THEN
        RAISE EXCEPTION 'changing is_searchable of masked field "%" requires the right "field.unmask"', OLD.name
            USING ERRCODE = 'insufficient_privilege', HINT = 'The session needs this right in all projects of the owner.';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END
$$;

CREATE OR REPLACE FUNCTION ringfence.check_field_type(type text, options text[]) RETURNS void
    LANGUAGE c IMMUTABLE PARALLEL SAFE
    AS 'MODULE_PATHNAME', 'check_field_type_wrapper';

CREATE OR REPLACE FUNCTION ringfence.check_new_customer() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
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
$$;

CREATE OR REPLACE FUNCTION ringfence.check_profile() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    right_name text;
BEGIN
    IF NOT row_security_active(TG_RELID) OR ringfence.is_deleting_owner() THEN
        RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    IF NOT ringfence.has_right_in('access.manage', NULL) THEN
        RAISE EXCEPTION 'this session may not change profiles, because it manages access in single projects only'
            USING ERRCODE = 'insufficient_privilege', HINT = 'Changing a profile requires the right "access.manage" in all projects of the owner.';
    END IF;
    IF TG_OP <> 'INSERT' AND OLD.is_system THEN
        RAISE EXCEPTION 'built-in profile "%" cannot be changed', OLD.name
            USING ERRCODE = 'insufficient_privilege', HINT = 'Make a profile of your own with ringfence.create_profile().';
    END IF;
    -- Rights that a change takes away are not checked: the caller could have revoked them one by one.
    IF TG_OP <> 'DELETE' THEN
        FOREACH right_name IN ARRAY coalesce(NEW.rights, '{}') LOOP
            IF NOT ringfence.has_right_in(right_name, NULL) THEN
                RAISE EXCEPTION 'right "%" cannot be granted by a session that does not hold it', left(right_name, 200)
                    USING ERRCODE = 'insufficient_privilege', HINT = 'Granting a right takes the same right in all projects of the owner.';
            END IF;
        END LOOP;
        RETURN NEW;
    END IF;
    IF EXISTS (SELECT FROM ringfence.access WHERE access.owner_id = OLD.owner_id AND OLD.name = ANY (access.rights)) THEN
        RAISE EXCEPTION 'profile "%" is in use', OLD.name
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = format('SELECT role_name FROM ringfence.access WHERE %L = ANY (rights) lists the roles that have the profile.', OLD.name);
    END IF;
    RETURN OLD;
END
$$;

CREATE OR REPLACE FUNCTION ringfence.check_rights_over_values(of_masked boolean) RETURNS void
    LANGUAGE plpgsql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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
$$;

CREATE OR REPLACE FUNCTION ringfence.choice_in_reach(field text) RETURNS ringfence.field
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    -- Called first, not in the condition: if the wall hides all rows, PostgreSQL never evaluates a condition on them.
    found_id    CONSTANT uuid := ringfence.field_in_reach(field);
    found_field ringfence.field;
BEGIN
    SELECT * INTO found_field FROM ringfence.field AS f
     WHERE f.owner_id = ringfence.current_owner() AND f.id = found_id
       FOR UPDATE;
    IF found_field.options IS NULL THEN
        RAISE EXCEPTION 'field "%" has no options', found_field.name
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Only fields of type "choice" or "choices" have options.';
    END IF;
    RETURN found_field;
END
$$;


CREATE OR REPLACE FUNCTION ringfence.customers_like(card ringfence.customer_card, match_field text) RETURNS uuid[]
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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
$$;

CREATE OR REPLACE FUNCTION ringfence.delete_customer_card() RETURNS trigger
    LANGUAGE c SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS 'MODULE_PATHNAME', 'delete_customer_card';
ALTER FUNCTION ringfence.delete_customer_card() OWNER TO ringfence_definer;

CREATE OR REPLACE FUNCTION ringfence.fill_unique_values(field_id uuid, field_name text, type text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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
$$;

CREATE OR REPLACE FUNCTION ringfence.follow_fields() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
    -- Not for a superuser, nor when a whole owner is deleted, whose views go with its projects.
    IF row_security_active(TG_RELID) AND (SELECT owner_id FROM ringfence.whoami()) IS NOT NULL THEN
        PERFORM ringfence.renew_report_views();
    END IF;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION ringfence.insert_customer_card() RETURNS trigger
    LANGUAGE c SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS 'MODULE_PATHNAME', 'insert_customer_card';
ALTER FUNCTION ringfence.insert_customer_card() OWNER TO ringfence_definer;

CREATE OR REPLACE FUNCTION ringfence.keep_active_on() RETURNS trigger
    LANGUAGE c
    AS 'MODULE_PATHNAME', 'keep_active_on';

CREATE FUNCTION ringfence.close_owner(owner_id uuid) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE STRICT AS 'MODULE_PATHNAME', 'close_owner_wrapper';
REVOKE ALL ON FUNCTION ringfence.close_owner(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.close_owner(uuid) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.close_owner(uuid) IS 'Keeps sessions from working for an owner until the transaction ends, and waits for those that have written; internal';

CREATE OR REPLACE FUNCTION ringfence.keep_house_owner() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
    IF OLD.id = '00000000-0000-0000-0000-000000000000'::uuid THEN
        RAISE EXCEPTION 'the house owner cannot be deleted'
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'It holds the contacts that belong to no company. Disable it if you do not want one: UPDATE ringfence.owner SET enabled = false.';
    END IF;
    -- History that another session is writing has no key that would wait, and would stay without an owner.
    IF NOT ringfence.is_deleting_owner() THEN
        PERFORM ringfence.close_owner(OLD.id);
    END IF;
    RETURN OLD;
END
$$;
ALTER FUNCTION ringfence.keep_house_owner() OWNER TO ringfence_definer;
REVOKE ALL ON FUNCTION ringfence.keep_house_owner() FROM PUBLIC;
COMMENT ON FUNCTION ringfence.keep_house_owner() IS 'Trigger: error 55000 on deleting the house owner; waits for the sessions that write for another';

CREATE OR REPLACE FUNCTION ringfence.keep_unique_values(customer_id uuid, stored jsonb) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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
$$;

CREATE OR REPLACE FUNCTION ringfence.lock_field(field text) RETURNS ringfence.field
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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
$$;

CREATE OR REPLACE FUNCTION ringfence.matched_forms(card ringfence.customer_card, match_field text) RETURNS text[]
    LANGUAGE sql STABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $_$
    SELECT CASE
        WHEN match_field IN ('phone', 'phones') THEN
            ARRAY(SELECT phone FROM unnest(ringfence.normal_phones(card.phones, ringfence.current_owner())) AS phone
                   WHERE phone !~ '^(\+[1-9][0-9]{0,2})?0+$')
        WHEN match_field IN ('email', 'emails') THEN
            ARRAY(SELECT email FROM unnest(ringfence.normal_emails(card.emails)) AS email WHERE email ~ '.@.')
        ELSE '{}' END
$_$;

CREATE OR REPLACE FUNCTION ringfence.project_in_reach(project text) RETURNS uuid
    LANGUAGE c STABLE
    AS 'MODULE_PATHNAME', 'project_in_reach_wrapper';

CREATE OR REPLACE FUNCTION ringfence.rename_option(field text, option text, new_name text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    target  ringfence.field := ringfence.choice_in_reach(field);
    names   text[] := target.options;
    retired text[] := coalesce(target.retired_options, '{}');
    place   integer := array_position(names, option);
    was     integer := array_position(retired, option);
BEGIN
    -- Renaming changes what customers' values show. If the field is masked, this requires the right to see them.
    IF target.is_masked AND NOT ringfence.has_right_in('field.unmask', NULL) THEN
        RAISE EXCEPTION 'options of masked field "%" cannot be renamed without the right "field.unmask"', target.name
            USING ERRCODE = 'insufficient_privilege', HINT = 'The session needs this right in all projects of the owner.';
    END IF;
    IF place IS NOT NULL THEN
        names[place] := new_name;
    ELSIF was IS NOT NULL THEN
        retired[was] := new_name;
    ELSE
        RAISE EXCEPTION 'field "%" has no option "%"', target.name, left(option, 200) USING ERRCODE = 'no_data_found';
    END IF;
    PERFORM ringfence.store_options(target, names, retired, target.option_ids);
END
$$;
ALTER FUNCTION ringfence.rename_option(field text, option text, new_name text) OWNER TO ringfence_definer;

CREATE OR REPLACE FUNCTION ringfence.rename_report_columns(old_view regclass, places integer[], former text[], names text[]) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    gone text;
BEGIN
    -- Out of the way of each other first, then to their names.
    FOR n IN 1 .. cardinality(former) LOOP
        gone := ringfence.report_gone_column(places[n]);
        IF former[n] <> names[n] AND former[n] <> gone THEN
            EXECUTE format('ALTER VIEW %s RENAME COLUMN %I TO %I', old_view, former[n], gone);
        END IF;
    END LOOP;
    FOR n IN 1 .. cardinality(former) LOOP
        gone := ringfence.report_gone_column(places[n]);
        IF former[n] <> names[n] AND names[n] <> gone THEN
            EXECUTE format('ALTER VIEW %s RENAME COLUMN %I TO %I', old_view, gone, names[n]);
        END IF;
    END LOOP;
END
$$;

CREATE OR REPLACE FUNCTION ringfence.renew_unique_phones() RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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
$$;

CREATE OR REPLACE FUNCTION ringfence.report_column_name(field_name text, taken text[]) RETURNS text
    LANGUAGE plpgsql IMMUTABLE
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    chosen text := field_name;
    suffix integer := 1;
BEGIN
    LOOP
        WHILE octet_length(chosen) > 63 LOOP
            chosen := left(chosen, -1);
        END LOOP;
        EXIT WHEN chosen <> ALL (taken);
        suffix := suffix + 1;
        chosen := CASE WHEN length(field_name) < 40 THEN format('%s %s', field_name, suffix)
                       ELSE left(field_name, length(chosen) - 4) || format(' %s', suffix) END;
    END LOOP;
    RETURN chosen;
END
$$;

CREATE OR REPLACE FUNCTION ringfence.report_gone_column(place integer) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN format('(gone %s)'::text, place);

CREATE OR REPLACE FUNCTION ringfence.save_customer(card jsonb, match_field text DEFAULT NULL::text, OUT customer_id uuid, OUT action text) RETURNS record
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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
$$;
ALTER FUNCTION ringfence.save_customer(card jsonb, match_field text, OUT customer_id uuid, OUT action text) OWNER TO ringfence_definer;

CREATE OR REPLACE FUNCTION ringfence.store_access(role oid, role_name text, project_id uuid, rights text[], sources text[], binding text, granted_by text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
DECLARE
    replaced text[];
BEGIN
    -- Since PostgreSQL 16 the grant says whether a role inherits. A role that does not inherit gets a grant that does.
    IF current_setting('server_version_num')::integer >= 160000 THEN
        IF NOT pg_has_role(store_access.role, 'ringfence_user', 'USAGE') THEN
            EXECUTE format('GRANT ringfence_user TO %I WITH INHERIT TRUE', store_access.role_name);
        END IF;
    ELSIF NOT pg_has_role(store_access.role, 'ringfence_user', 'MEMBER') THEN
        EXECUTE format('GRANT ringfence_user TO %I', store_access.role_name);
    END IF;
    DELETE FROM ringfence.access
        WHERE access.owner_id = ringfence.current_owner()
          AND access.role = store_access.role::regrole
          AND access.project_id IS NOT DISTINCT FROM store_access.project_id
        RETURNING access.rights INTO replaced;
    INSERT INTO ringfence.access (role, role_name, project_id, rights, sources, binding, granted_by)
        VALUES (store_access.role::regrole, store_access.role_name, store_access.project_id,
                store_access.rights, store_access.sources, store_access.binding, store_access.granted_by);
    IF replaced IS NOT NULL THEN
        RAISE NOTICE 'access of role "%" is replaced', store_access.role_name USING DETAIL = format('Its rights were: %s.', array_to_string(replaced, ', '));
    END IF;
END
$$;


CREATE OR REPLACE FUNCTION ringfence.try_to_renew_report_view(report ringfence.report_view) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
    PERFORM ringfence.make_report_view(report);
    RETURN true;
EXCEPTION
    -- In use, or a view of another project has the name.
    WHEN lock_not_available OR duplicate_table THEN
        RETURN false;
    -- The view was given to another role. Whoever reads it gets an error that says how to repair it.
    WHEN insufficient_privilege THEN
        IF (SELECT relowner FROM pg_class WHERE oid = to_regclass(format('ringfence_report.%I', report.name))) = current_user::regrole THEN
            RAISE;
        END IF;
        RETURN false;
END
$$;

CREATE OR REPLACE FUNCTION ringfence.unbind_field(field text, project text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    -- Found before the statement. Within it, the plan would choose which call runs first, and so which error is raised.
    found_field   CONSTANT uuid := ringfence.field_in_reach(field);
    found_project CONSTANT uuid := ringfence.project_in_reach(project);
BEGIN
    DELETE FROM ringfence.field_project AS bound
        WHERE bound.owner_id = ringfence.current_owner() AND bound.field_id = found_field AND bound.project_id = found_project;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'field "%" is not bound to project "%"', left(field, 200), left(project, 200) USING ERRCODE = 'no_data_found';
    END IF;
END
$$;

CREATE OR REPLACE FUNCTION ringfence.update_customer_card() RETURNS trigger
    LANGUAGE c SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS 'MODULE_PATHNAME', 'update_customer_card';
ALTER FUNCTION ringfence.update_customer_card() OWNER TO ringfence_definer;

CREATE OR REPLACE FUNCTION ringfence.wait_for_savers(card ringfence.customer_card, match_field text) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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
$$;

CREATE OR REPLACE TRIGGER zz_keep_active_on BEFORE INSERT OR UPDATE ON ringfence.customer FOR EACH ROW EXECUTE FUNCTION ringfence.keep_active_on();
ALTER TABLE ringfence.customer ENABLE ALWAYS TRIGGER zz_keep_active_on;

-- Privileges --------------------------------------------------------------------------------------------------------------

REVOKE ALL ON FUNCTION ringfence.keep_active_on() FROM PUBLIC;
REVOKE ALL ON FUNCTION ringfence.lock_field(field text) FROM PUBLIC;
GRANT ALL ON FUNCTION ringfence.lock_field(field text) TO ringfence_definer;
REVOKE ALL ON FUNCTION ringfence.matched_forms(card ringfence.customer_card, match_field text) FROM PUBLIC;
GRANT ALL ON FUNCTION ringfence.matched_forms(card ringfence.customer_card, match_field text) TO ringfence_definer;
REVOKE ALL ON FUNCTION ringfence.rename_report_columns(old_view regclass, places integer[], former text[], names text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION ringfence.rename_report_columns(old_view regclass, places integer[], former text[], names text[]) TO ringfence_definer;
REVOKE ALL ON FUNCTION ringfence.report_column_name(field_name text, taken text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION ringfence.report_column_name(field_name text, taken text[]) TO ringfence_definer;
REVOKE ALL ON FUNCTION ringfence.report_gone_column(place integer) FROM PUBLIC;
GRANT ALL ON FUNCTION ringfence.report_gone_column(place integer) TO ringfence_definer;
REVOKE ALL ON FUNCTION ringfence.wait_for_savers(card ringfence.customer_card, match_field text) FROM PUBLIC;
GRANT ALL ON FUNCTION ringfence.wait_for_savers(card ringfence.customer_card, match_field text) TO ringfence_definer;

-- Comments ------------------------------------------------------------------------------------------------------------

COMMENT ON FUNCTION ringfence.add_option(field text, option text, at_position integer) IS 'Adds an option to a choice, at that place or (NULL) as the last; brings back a retired one. Needs field.manage. Error 22023: not a choice or an option; 23505: it exists; P0002: no such field';
COMMENT ON FUNCTION ringfence.add_signing_key(kid text, algorithm text, key text) IS 'Adds a key that login() accepts tokens of: EdDSA, ES256 or RS256 with a public key in PEM form, or HS256 with a secret of at least 32 bytes. Error 22023: bad key or algorithm; 23505: the kid is taken';
COMMENT ON FUNCTION ringfence.as_owner() IS 'Trigger: runs the function that it names for the owner of the row; does nothing while a dump is restored';
COMMENT ON FUNCTION ringfence.bind_field(field text, project text, access text, required boolean, at_position integer) IS 'Shows a field in a project, to read or to write; NULL keeps required and the position. Needs field.manage. Error P0002: no such field or project';
COMMENT ON FUNCTION ringfence.check_owner() IS 'Trigger: error 22023 for a bad name or country, 54000 if there are ringfence.max_owners owners';
COMMENT ON FUNCTION ringfence.check_profile() IS 'Trigger: error 42501 for a change of a built-in profile or a right that the session does not hold, 22023 for an unknown right, 55000 for the deletion of a profile in use';
COMMENT ON FUNCTION ringfence.has_right_support(internal) IS 'Planner support of the functions that policies call';
COMMENT ON FUNCTION ringfence.current_owner() IS 'The owner that this session works for. Error 42501: none is selected, or no access; 55000: it is disabled; 25001: the transaction has used another one';
COMMENT ON FUNCTION ringfence.create_field(name text, type text, projects text[], description text, options text[], is_masked boolean, is_searchable boolean, at_position integer, required boolean, is_unique boolean, max_length integer, pattern text, minimum numeric, maximum numeric) IS 'Creates a field of the session''s owner, binds it to these projects, and returns its id. Needs field.manage. Error 22023: wrong type, options or limits; 23505: the name is taken';
COMMENT ON TABLE ringfence.owner IS 'The contracting companies. An INSERT also makes the owner''s system fields, profiles and first project';
COMMENT ON COLUMN ringfence.owner.name IS 'Unique in the installation; a session may set ringfence.owner to it';
COMMENT ON COLUMN ringfence.owner.enabled IS 'Only an enabled owner can be selected; disabling one keeps its data';
COMMENT ON COLUMN ringfence.owner.country IS 'ISO 3166-1 alpha-2; phone numbers without a country code are read as of this country';
COMMENT ON FUNCTION ringfence.create_owner(name text, description text, country text, enabled boolean) IS 'Creates an owner with all that it needs, and returns its id. Error 22023: bad name or country; 23502: no name; 23505: the name is taken; 54000: too many owners';
COMMENT ON FUNCTION ringfence.current_actor() IS 'Who is writing, for created_by and updated_by: ringfence.agent if it is set, else the role';
COMMENT ON FUNCTION ringfence.current_agent() IS 'The application''s user as set in ringfence.agent, or NULL. It says who writes, and gives no rights';
COMMENT ON FUNCTION ringfence.current_project() IS 'The selected project, or NULL. Error P0002: the role works in no such project; 55000: it is disabled';
COMMENT ON COLUMN ringfence.customer.active_on IS 'The day of last_activity_at in UTC, as the search index holds it, kept by a trigger; 0001-01-01: never';
COMMENT ON FUNCTION ringfence.drop_field(field text, customers bigint) IS 'Drops a field and its values, and returns how many customers had one. If any has, error 55000 unless this number is given. Error P0002: no such field; 42501: a system field, or rights are missing';
COMMENT ON FUNCTION ringfence.drop_signing_key(kid text) IS 'Drops a key: every session that a token of it opened is refused from its next statement on. Error P0002: there is no such key';
COMMENT ON FUNCTION ringfence.enter(owner text, project text, agent text) IS 'Selects an owner by id or exact name, and a project or none, until the transaction ends; returns the owner''s id. Error 25001: another one was entered; else as current_owner()';
COMMENT ON FUNCTION ringfence.explain_access(role_name text, owner text, OUT right_name text, OUT held boolean, OUT given_to text, OUT project text, OUT binding text, OUT reason text) IS 'Tells for each right whether a role holds it for an owner, and by which entry or why not. For ringfence_admin, and for a session with access.manage within its owner';
COMMENT ON FUNCTION ringfence.find_by_email(email text) IS 'Customers of the session''s owner with that e-mail address; the most recently active first';
COMMENT ON FUNCTION ringfence.phones_to_find(phone text) IS 'The forms that a phone may have in customer.normal_phones, likeliest first, by the country of the session''s owner: WHERE normal_phones && phones_to_find(...)';
COMMENT ON FUNCTION ringfence.forget_decisions() IS 'Trigger: tells every backend to decide again, since a table that access is decided from has changed';
COMMENT ON FUNCTION ringfence.grant_access(role_name text, owner text, rights text[], project text, sources text[], binding text) IS 'Gives a role rights, by name or by profile, for an owner in one project or (NULL) in all, and replaces what it had there. For ringfence_admin, and for a session with access.manage';
COMMENT ON FUNCTION ringfence.has_dependents(view regclass) IS 'Whether something depends on the view; internal';
COMMENT ON FUNCTION ringfence.has_right_in(right_name text, project_id uuid) IS 'Whether the role holds the right in that project of its owner (NULL: in all projects), whichever project is selected';
COMMENT ON FUNCTION ringfence.holes_of_server(version_num integer, OUT cve text, OUT description text, OUT mended_in integer) IS 'The known holes in row-level security of a PostgreSQL version (server_version_num), and the first version without each';
COMMENT ON FUNCTION ringfence.preloaded_by() IS 'The setting that loads the library before a session''s first statement: shared_preload_libraries, session_preload_libraries, or NULL for none. Part of health()';
COMMENT ON FUNCTION ringfence.health(OUT "check" text, OUT ok boolean, OUT detail text) IS 'Checks that the installation is as it was made, and that the server has no known hole in row-level security; column detail says what to do';
COMMENT ON FUNCTION ringfence.keep_active_on() IS 'Trigger: keeps active_on';
COMMENT ON FUNCTION ringfence.lock_field(field text) IS 'Locks a field that changes together with its values, and returns it. Error P0002: no such field; 42501 without the rights over its values; part of drop_field() and retype_field()';
COMMENT ON FUNCTION ringfence.login(token text) IS 'Selects the owner of a signed token (JWT) as enter() does: claims owner, exp and optionally project, sub, source, nbf, role, database, rights. Error 28000: the token is refused; else as enter()';
COMMENT ON FUNCTION ringfence.matched_forms(card ringfence.customer_card, match_field text) IS 'The phones or e-mails of a card by which a customer can be told, in normal form; part of save_customer()';
COMMENT ON FUNCTION ringfence.matches(customer_id uuid, query text) IS 'A condition for an application''s own SQL, answered by the search index: WHERE ringfence.matches(id, ''tsai''). Error 22023: the query is too long';
COMMENT ON FUNCTION ringfence.name_as_seen(name text) IS 'A name in composed form, without invisible characters, and with one kind of space; two names of an owner may not have the same';
COMMENT ON FUNCTION ringfence.normal_emails(emails text[]) IS 'E-mail addresses in the form that look-ups compare. Error 23514: more than 64 addresses. Internal';
COMMENT ON FUNCTION ringfence.owners_in_reach() IS 'The enabled owners that the role has access to; all owners for ringfence_admin';
COMMENT ON FUNCTION ringfence.project_in_reach(project text) IS 'The project with that id or exact name. Error P0002: the role works in no such project';
COMMENT ON TABLE ringfence.project IS 'Projects of an owner; a role sees those that it works in';
COMMENT ON COLUMN ringfence.project.name IS 'Unique within the owner; a session may set ringfence.project to it';
COMMENT ON TABLE ringfence.access IS 'Which role may work for which owner. Only grant_access() and revoke_access() write it';
COMMENT ON COLUMN ringfence.access.role IS 'The role; its members inherit the access as they inherit privileges';
COMMENT ON COLUMN ringfence.access.role_name IS 'The role''s name when access was granted. An entry counts only while the role has this name, so that a new role inherits nothing from a dropped one';
COMMENT ON COLUMN ringfence.access.project_id IS 'The only project that the entry is for; NULL: all projects of the owner';
COMMENT ON COLUMN ringfence.access.sources IS 'Source systems that the role may write as; NULL: any';
COMMENT ON COLUMN ringfence.access.granted_by IS 'The role that granted the access, whatever ringfence.agent says';
COMMENT ON FUNCTION ringfence.rename_option(field text, option text, new_name text) IS 'Renames an option; no customer is rewritten. Needs field.manage, for a masked field also field.unmask. Error 22023: not a choice or an option; P0002: no such field or option';
COMMENT ON FUNCTION ringfence.rename_report_columns(old_view regclass, places integer[], former text[], names text[]) IS 'Gives the columns in these places of a report view other names; internal';
COMMENT ON FUNCTION ringfence.report_column_name(field_name text, taken text[]) IS 'The name of a field''s column in a report view in which these names are taken; internal';
COMMENT ON FUNCTION ringfence.report_gone_column(place integer) IS 'The name of a report view''s column in that place whose field is gone; internal';
COMMENT ON FUNCTION ringfence.require_right() IS 'Trigger: error 42501 for a statement without the right that the trigger names, if row-level security binds the role';
COMMENT ON FUNCTION ringfence.require_rights_to_write(target regclass, write_right text, delete_right text) IS 'Makes a statement that writes to a table or view without the right fail (42501), also if it finds no row';
COMMENT ON FUNCTION ringfence.retype_field(field text, type text, options text[]) IS 'Gives a field another type, converts its values, and returns how many. Error 22023: no such type, or values do not convert; 23505: not unique; P0002: no such field; 42501: rights are missing';
COMMENT ON FUNCTION ringfence.revoke_access(role_name text, owner text, project text) IS 'Takes back what grant_access() gave for an owner, in one project or (NULL) everywhere. Running sessions lose it at their next statement';
COMMENT ON FUNCTION ringfence.search_customers(query text, max_rows integer, after text) IS 'Customers of the session''s owner that match every word, best first. For the next page, pass the last row''s cursor as after. Error 22023: bad max_rows, query too long, or a cursor of another search';
COMMENT ON FUNCTION ringfence.visible_fields(for_form boolean, OUT field_id uuid, OUT name text, OUT description text, OUT type text, OUT options text[], OUT required boolean, OUT access text, OUT "position" integer, OUT is_system boolean, OUT shared_with integer, OUT is_masked boolean, OUT is_unique boolean, OUT max_length integer, OUT pattern text, OUT minimum numeric, OUT maximum numeric) IS 'The fields of this session in the order of a form; without a project, those of all its projects. With for_form => false also those that are masked for it, with access "masked"';
COMMENT ON FUNCTION ringfence.wait_for_savers(card ringfence.customer_card, match_field text) IS 'Waits for sessions of the owner that save the same phone or e-mail, and keeps later ones waiting; false: the card has none to match by. Part of save_customer()';
COMMENT ON FUNCTION ringfence.whoami(OUT role_name text, OUT owner_id uuid, OUT owner_name text, OUT project_id uuid, OUT project_name text, OUT agent text, OUT source text, OUT rights text[], OUT bound text) IS 'The session''s role, owner, project, agent, source and rights, and how the owner was selected: setting, default, enter, token, or NULL for none';
COMMENT ON FUNCTION ringfence.works_in(project_id uuid) IS 'Whether the role has access to that project of its owner, whichever project is selected';
COMMENT ON TABLE ringfence.form_being_saved IS 'Always empty: sessions that save the same new phone or e-mail wait for each other here; no application role can read or write it';
COMMENT ON TABLE ringfence.signing_key_material IS 'The keys that tokens are verified with. Only add_signing_key() and drop_signing_key() write it; view signing_key shows all but the keys themselves';
COMMENT ON COLUMN ringfence.signing_key_material.id IS 'Identifies the key: after a key was dropped, its kid may name another one';
COMMENT ON COLUMN ringfence.signing_key_material.algorithm IS 'The only algorithm that the key is for: EdDSA, ES256, RS256 or HS256';
COMMENT ON COLUMN ringfence.signing_key_material.material IS 'The public key in PEM form, or the shared secret of HS256';
COMMENT ON COLUMN ringfence.signing_key.algorithm IS 'The only algorithm that the key is for';
COMMENT ON COLUMN ringfence.signing_key.added_by IS 'The role that added the key';
COMMENT ON INDEX ringfence.access_role IS 'Finds the entries of a role for all owners; a session is judged by these entries alone';

-- Report views of interactions -----------------------------------------------------------------------------------------
ALTER TABLE ringfence.report_view ADD COLUMN of text NOT NULL DEFAULT 'customer' CHECK (of IN ('customer', 'interaction'));
ALTER TABLE ringfence.report_view DROP CONSTRAINT report_view_pkey, ADD CONSTRAINT report_view_pkey PRIMARY KEY (owner_id, project_id, of);
COMMENT ON TABLE ringfence.report_view IS 'Which project has report views; written by create_report_view() and drop_report_view() only';
COMMENT ON COLUMN ringfence.report_view.of IS 'What its rows are: customer or interaction';
GRANT SELECT (of) ON ringfence.report_view TO ringfence_user;

CREATE OR REPLACE FUNCTION ringfence.reports_interactions(project_id uuid, view_name text) RETURNS boolean
    LANGUAGE c STABLE PARALLEL SAFE STRICT SUPPORT ringfence.has_right_support AS 'MODULE_PATHNAME', 'reports_interactions_wrapper';
REVOKE ALL ON FUNCTION ringfence.reports_interactions(uuid, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.reports_interactions(uuid, text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.reports_interactions(uuid, text) IS 'As reports(), for a report view of interactions: the policies of table interaction ask for interaction.read';

CREATE OR REPLACE FUNCTION ringfence.report_fixed_columns(of text) RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE report_fixed_columns.of
        WHEN 'interaction' THEN
            '{interaction_id,kind,direction,started_at,answered_at,ended_at,agent,remote_address,disposition,notes,external_id,channel_id,ticket_id,customer_id,customer_name,phones,emails,company_id}'::text[]
        ELSE '{customer_id,name,phones,emails,address,birth_date,language,company_id,created_at,updated_at,last_activity_at}'::text[] END;
REVOKE ALL ON FUNCTION ringfence.report_fixed_columns(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.report_fixed_columns(text) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.report_fixed_columns(text) IS 'The columns that every report view of customers, or of interactions, begins with; internal';

CREATE OR REPLACE FUNCTION ringfence.report_rows(report ringfence.report_view) RETURNS text
    LANGUAGE sql STABLE
    BEGIN ATOMIC
        SELECT CASE (report_rows.report).of
            WHEN 'interaction' THEN
                pg_catalog.format('FROM ringfence.interaction AS i LEFT JOIN ringfence.customer AS c ON c.owner_id = i.owner_id AND c.id = i.customer_id '
                                  'WHERE i.owner_id = ringfence.current_owner() AND i.project_id = %1$L AND ringfence.reports_interactions(%1$L, %2$L)',
                                  (report_rows.report).project_id, (report_rows.report).name)
            ELSE pg_catalog.format('FROM ringfence.customer WHERE owner_id = ringfence.current_owner() AND ringfence.reports(%1$L, %2$L)',
                                   (report_rows.report).project_id, (report_rows.report).name) END;
    END;
REVOKE ALL ON FUNCTION ringfence.report_rows(ringfence.report_view) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.report_rows(ringfence.report_view) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.report_rows(ringfence.report_view) IS 'The rows of a report view, as SQL; internal';

CREATE OR REPLACE FUNCTION ringfence.report_columns(
    report ringfence.report_view, old_view regclass, OUT ids uuid[], OUT names text[], OUT calls text[], OUT types text[])
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $columns$
DECLARE
    fixed CONSTANT text[] := ringfence.report_fixed_columns(report.of);
    -- Also the names that columns would have whose fields are gone, should the view keep them.
    taken text[] := fixed || ARRAY(SELECT ringfence.report_gone_column(attnum) FROM pg_attribute
                                    WHERE attrelid = old_view AND attnum > cardinality(fixed));
    bound record;
BEGIN
    ids := '{}';
    names := '{}';
    calls := '{}';
    types := '{}';
    FOR bound IN
        SELECT field.id, field.name, made.function_name, made.column_type
          FROM ringfence.field_project
          JOIN ringfence.field ON field.owner_id = field_project.owner_id AND field.id = field_project.field_id
         CROSS JOIN LATERAL ringfence.report_function(field.type) AS made
         WHERE field_project.owner_id = report.owner_id AND field_project.project_id = report.project_id
         ORDER BY coalesce(field_project.position, field.position), field.name
         -- PostgreSQL's own limit is 1664 columns; more fields than fit must not keep one from being bound.
         LIMIT 1200
    LOOP
        ids := ids || bound.id;
        names := names || ringfence.report_column_name(bound.name, taken || names);
        calls := calls || format('ringfence.%I(attributes, %L, %L)', bound.function_name, report.project_id, bound.id);
        types := types || bound.column_type;
    END LOOP;
END
$columns$;
REVOKE ALL ON FUNCTION ringfence.report_columns(ringfence.report_view, regclass) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.report_columns(ringfence.report_view, regclass) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.report_columns(ringfence.report_view, regclass) IS 'The fields of a project as columns of its report view: their ids, names, expressions and types; internal';

CREATE OR REPLACE FUNCTION ringfence.kept_report_columns(
    report ringfence.report_view, old_view regclass, INOUT ids uuid[], INOUT names text[], INOUT calls text[], types text[],
    -- Of the columns that the view has now: their places, and their names.
    OUT places integer[], OUT former text[])
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $kept$
DECLARE
    fixed     CONSTANT integer := cardinality(ringfence.report_fixed_columns(report.of));
    new_ids   CONSTANT uuid[] := ids;
    new_names CONSTANT text[] := names;
    new_calls CONSTANT text[] := calls;
    old       record;
    n         integer;
BEGIN
    ids := '{}';
    names := '{}';
    calls := '{}';
    places := '{}';
    former := '{}';
    FOR old IN
        SELECT attname::text AS name, attnum AS place, format_type(atttypid, atttypmod) AS column_type
          FROM pg_attribute WHERE attrelid = old_view AND attnum > fixed ORDER BY attnum
    LOOP
        n := array_position(new_ids, report.fields[old.place - fixed]);
        IF types[n] = old.column_type THEN
            ids := ids || new_ids[n];
            names := names || new_names[n];
            calls := calls || new_calls[n];
        ELSE
            ids := ids || NULL::uuid;
            names := names || ringfence.report_gone_column(old.place);
            calls := calls || format('NULL::%s', old.column_type);
        END IF;
        places := places || old.place;
        former := former || old.name;
    END LOOP;
    FOR n IN 1 .. cardinality(new_ids) LOOP
        IF array_position(ids, new_ids[n]) IS NULL THEN
            ids := ids || new_ids[n];
            names := names || new_names[n];
            calls := calls || new_calls[n];
        END IF;
    END LOOP;
END
$kept$;
REVOKE ALL ON FUNCTION ringfence.kept_report_columns(ringfence.report_view, regclass, uuid[], text[], text[], text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.kept_report_columns(ringfence.report_view, regclass, uuid[], text[], text[], text[]) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.kept_report_columns(ringfence.report_view, regclass, uuid[], text[], text[], text[]) IS
    'The columns of a report view that is changed in place: its columns keep their places, and new ones come behind them. Internal';

CREATE FUNCTION ringfence.default_report_name(project_id uuid, of text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN pg_catalog.format('project_%s%s', pg_catalog.translate(default_report_name.project_id::text, '-', ''),
                             CASE default_report_name.of WHEN 'interaction' THEN '_interactions' ELSE '' END);
REVOKE ALL ON FUNCTION ringfence.default_report_name(uuid, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.default_report_name(uuid, text) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.default_report_name(uuid, text) IS 'The name that the report view of a project has if none is given; internal';

CREATE FUNCTION ringfence.is_abandoned_report_view(view regclass) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $abandoned$
    SELECT EXISTS (SELECT FROM pg_class WHERE oid = view AND relkind = 'v' AND relowner = 'ringfence_definer'::regrole
                      AND obj_description(oid, 'pg_class') = 'Abandoned: dropped when nobody uses it')
$abandoned$;
REVOKE ALL ON FUNCTION ringfence.is_abandoned_report_view(regclass) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.is_abandoned_report_view(regclass) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.is_abandoned_report_view(regclass) IS 'Whether a report view is no longer needed, and only not dropped yet; internal';

-- An abandoned view of that name, which is not dropped yet, is reused.
CREATE FUNCTION ringfence.report_name_is_taken(name text) RETURNS boolean
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $taken$
    SELECT EXISTS (SELECT FROM pg_class WHERE oid = to_regclass(format('ringfence_report.%I', name)) AND NOT ringfence.is_abandoned_report_view(oid))
$taken$;
REVOKE ALL ON FUNCTION ringfence.report_name_is_taken(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.report_name_is_taken(text) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.report_name_is_taken(text) IS 'Whether no new report view can have that name; internal';

CREATE OR REPLACE FUNCTION ringfence.make_report_view(report ringfence.report_view, anew boolean DEFAULT false) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET lock_timeout = '5ms' AS $make$
DECLARE
    fixed    CONSTANT text[] := ringfence.report_fixed_columns(report.of);
    view     CONSTANT text := format('ringfence_report.%I', report.name);
    old_view CONSTANT regclass := to_regclass(view);
    wanted   record;
    made     record;
    crowded  boolean;
    replace  boolean := old_view IS NOT NULL;
BEGIN
    -- A view of another project may have taken the name since this one was told apart from all others.
    IF ringfence.report_name_is_taken(report.name) AND position(report.project_id::text IN pg_get_viewdef(old_view)) = 0 THEN
        RAISE EXCEPTION 'report view "%" already exists', report.name USING ERRCODE = 'duplicate_table';
    END IF;
    SELECT * INTO wanted FROM ringfence.report_columns(report, old_view);
    made := wanted;
    IF old_view IS NOT NULL THEN
        -- What depends on the view may not use up the columns that it can have.
        SELECT max(attnum) + cardinality(wanted.ids) > 1600 INTO crowded FROM pg_attribute WHERE attrelid = old_view;
        IF anew THEN
            IF ARRAY(SELECT attname::text FROM pg_attribute WHERE attrelid = old_view AND attnum > cardinality(fixed) ORDER BY attnum) = wanted.names
               AND report.fields = wanted.ids AND report.is_current
               -- Looked up, since DROP would lock what depends on the view before it finds that it may not.
               OR ringfence.has_dependents(old_view) AND NOT crowded AND report.is_current THEN
                RETURN;
            END IF;
            IF crowded OR NOT ringfence.has_dependents(old_view) THEN
                EXECUTE format('DROP VIEW %s CASCADE', view);
                replace := false;
            END IF;
        ELSIF crowded THEN
            RAISE EXCEPTION 'report view "%" has no room for more columns', report.name USING ERRCODE = 'lock_not_available';
        END IF;
    END IF;
    IF replace THEN
        SELECT * INTO made FROM ringfence.kept_report_columns(report, old_view, wanted.ids, wanted.names, wanted.calls, wanted.types);
        -- If its fields and their names are the same, the view needs no lock. The order of its columns changes at the
        -- end of the transaction.
        IF report.is_current AND made.ids = report.fields AND made.names = made.former THEN
            IF made.names <> wanted.names THEN
                UPDATE ringfence.report_view AS known SET fields = made.ids
                 WHERE known.owner_id = report.owner_id AND known.project_id = report.project_id AND known.of = report.of;
            END IF;
            RETURN;
        END IF;
        PERFORM ringfence.rename_report_columns(old_view, made.places, made.former, made.names);
    END IF;

    EXECUTE format('CREATE %s VIEW %s WITH (security_barrier = true) AS SELECT ', CASE WHEN replace THEN 'OR REPLACE' ELSE '' END, view)
            || (SELECT string_agg(CASE WHEN report.of = 'customer' THEN CASE fixed_column WHEN 'customer_id' THEN 'id AS customer_id' ELSE fixed_column END
                                       ELSE CASE fixed_column WHEN 'interaction_id' THEN 'i.id AS interaction_id' WHEN 'customer_id' THEN 'c.id AS customer_id'
                                                WHEN 'customer_name' THEN 'c.name AS customer_name' ELSE fixed_column END END, ', ' ORDER BY place)
                  FROM unnest(fixed) WITH ORDINALITY AS begins (fixed_column, place))
            || coalesce((SELECT string_agg(format(', %s AS %I', made.calls[place], made.names[place]), '' ORDER BY place)
                           FROM generate_subscripts(made.calls, 1) AS place), '')
            || ' ' || ringfence.report_rows(report);
    EXECUTE format('COMMENT ON VIEW %s IS %L', view,
                   CASE report.of WHEN 'customer' THEN 'The customers with the fields of a project; takes the right customer.read there'
                        ELSE 'The interactions of a project with the fields of their customers; takes the rights interaction.read and customer.read there' END);
    EXECUTE format('GRANT SELECT ON %s TO ringfence_user', view);
    UPDATE ringfence.report_view AS known SET fields = made.ids, is_current = true
     WHERE known.owner_id = report.owner_id AND known.project_id = report.project_id AND known.of = report.of;
END
$make$;
REVOKE ALL ON FUNCTION ringfence.make_report_view(ringfence.report_view, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.make_report_view(ringfence.report_view, boolean) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.make_report_view(ringfence.report_view, boolean) IS
    'Makes or renews a report view. Error 55P03 if the view is in use; internal';

CREATE OR REPLACE FUNCTION ringfence.tidy_report_views() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $tidy$
DECLARE
    report ringfence.report_view;
BEGIN
    -- SET CONSTRAINTS can make this run in the middle of a statement, and cursors WITH HOLD are still open at the end
    -- of the transaction.
    IF ringfence.statement_is_running() OR EXISTS (SELECT FROM pg_cursors WHERE is_holdable) THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'DELETE' THEN
        PERFORM ringfence.drop_abandoned_report_views();
    ELSIF ringfence.has_right('field.manage') THEN
        -- NEW may be out of date: the row may have changed again since.
        SELECT * INTO report FROM ringfence.report_view AS made WHERE made.owner_id = NEW.owner_id AND made.project_id = NEW.project_id AND made.of = NEW.of;
        IF FOUND THEN
            PERFORM ringfence.make_report_view(report, anew => true);
        END IF;
    END IF;
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    RETURN NULL;
END
$tidy$;
ALTER FUNCTION ringfence.tidy_report_views() OWNER TO ringfence_definer;
REVOKE ALL ON FUNCTION ringfence.tidy_report_views() FROM PUBLIC;
COMMENT ON FUNCTION ringfence.tidy_report_views() IS 'Trigger, when a transaction ends: report views that changed get just the columns of their fields, and those that are not needed go';

CREATE OR REPLACE FUNCTION ringfence.create_report_view(project text, name text, of text) RETURNS regclass
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $create$
#variable_conflict use_column
DECLARE
    report ringfence.report_view;
    chosen text := create_report_view.name;
    name_hint CONSTANT text :=
        'Names of report views are unique in the database, and every role can read them. Leave out the name to get one that is free.';
BEGIN
    PERFORM ringfence.check_right('field.manage');
    report.of := create_report_view.of;
    IF report.of IS NULL OR report.of NOT IN ('customer', 'interaction') THEN
        RAISE EXCEPTION 'there is no report view of "%"', left(report.of, 200)
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Use ''customer'' or ''interaction''.';
    END IF;
    report.owner_id := ringfence.current_owner();
    report.project_id := ringfence.project_in_reach(create_report_view.project);
    PERFORM ringfence.lock_definitions();
    IF chosen IS NOT NULL THEN
        PERFORM ringfence.check_name(chosen);
        IF octet_length(chosen) > 63 OR chosen LIKE 'project\_%' THEN
            RAISE EXCEPTION 'a report view cannot have the name "%"', left(chosen, 200)
                USING ERRCODE = 'invalid_parameter_value', HINT = 'A name has at most 63 bytes and does not begin with "project_".';
        END IF;
    ELSE
        chosen := ringfence.default_report_name(report.project_id, report.of);
    END IF;
    IF EXISTS (SELECT FROM ringfence.report_view AS made WHERE made.owner_id = report.owner_id AND made.project_id = report.project_id AND made.of = report.of) THEN
        RAISE EXCEPTION 'project "%" already has a report view', left(create_report_view.project, 200)
            USING ERRCODE = 'duplicate_table', HINT = 'The view follows the fields of its project by itself. ringfence.drop_report_view() drops it.';
    END IF;
    IF ringfence.report_name_is_taken(chosen) THEN
        RAISE EXCEPTION 'report view "%" already exists', chosen
            USING ERRCODE = 'duplicate_table', HINT = name_hint;
    END IF;
    INSERT INTO ringfence.report_view AS made (project_id, name, is_current, of) VALUES (report.project_id, chosen, false, report.of) RETURNING made.* INTO report;
    BEGIN
        PERFORM ringfence.make_report_view(report);
    EXCEPTION WHEN lock_not_available OR unique_violation OR duplicate_table THEN
        -- Another transaction makes a view of that name, or uses one that was dropped.
        RAISE EXCEPTION 'report view "%" is in use by another session', chosen
            USING ERRCODE = 'duplicate_table', HINT = name_hint;
    END;
    RAISE NOTICE 'every role of the database can read the names of the columns of view "%"', chosen
        USING DETAIL = 'The columns are named after the fields. Only sessions that may read customers in the project see rows.';
    RETURN format('ringfence_report.%I', chosen)::regclass;
END
$create$;
ALTER FUNCTION ringfence.create_report_view(text, text, text) OWNER TO ringfence_definer;
REVOKE ALL ON FUNCTION ringfence.create_report_view(text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.create_report_view(text, text, text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.create_report_view(text, text, text) IS
    'The same of the customers of a project, or of its interactions. Error 22023 also: of is neither customer nor interaction';

CREATE OR REPLACE FUNCTION ringfence.create_report_view(project text, name text DEFAULT NULL) RETURNS regclass
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $create$
BEGIN
    RETURN ringfence.create_report_view(project, name, 'customer');
END
$create$;
ALTER FUNCTION ringfence.create_report_view(text, text) OWNER TO ringfence_definer;
REVOKE ALL ON FUNCTION ringfence.create_report_view(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.create_report_view(text, text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.create_report_view(text, text) IS
    'Creates a view of the customers of a project, with a column for each field. Needs field.manage. Error P0002: no such project; 42P07: the view or its name exists; 22023: invalid name';

CREATE OR REPLACE FUNCTION ringfence.drop_report_view(project text, of text) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $drop$
DECLARE
    found_id uuid;
BEGIN
    PERFORM ringfence.check_right('field.manage');
    found_id := ringfence.project_in_reach(project);
    DELETE FROM ringfence.report_view AS made
     WHERE made.owner_id = ringfence.current_owner() AND made.project_id = found_id AND made.of = drop_report_view.of;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'project "%" has no report view', left(project, 200) USING ERRCODE = 'no_data_found';
    END IF;
END
$drop$;
ALTER FUNCTION ringfence.drop_report_view(text, text) OWNER TO ringfence_definer;
REVOKE ALL ON FUNCTION ringfence.drop_report_view(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.drop_report_view(text, text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.drop_report_view(text, text) IS 'The same of the view of the project''s customers, or of its interactions';

CREATE OR REPLACE FUNCTION ringfence.drop_report_view(project text) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $drop$
BEGIN
    PERFORM ringfence.drop_report_view(project, 'customer');
END
$drop$;
ALTER FUNCTION ringfence.drop_report_view(text) OWNER TO ringfence_definer;
REVOKE ALL ON FUNCTION ringfence.drop_report_view(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.drop_report_view(text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.drop_report_view(text) IS
    'Drops the report view of a project''s customers, and what was made of it. Needs field.manage. Error P0002: no such project, or it has none';

CREATE OR REPLACE FUNCTION ringfence.renew_report_views() RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $renew$
DECLARE
    report ringfence.report_view;
BEGIN
    IF NOT ringfence.has_right('field.manage') THEN
        RETURN;
    END IF;
    FOR report IN SELECT * FROM ringfence.report_view AS made WHERE made.owner_id = ringfence.current_owner() ORDER BY made.project_id, made.of LOOP
        IF NOT ringfence.try_to_renew_report_view(report) THEN
            UPDATE ringfence.report_view AS made SET is_current = false
             WHERE made.owner_id = report.owner_id AND made.project_id = report.project_id AND made.of = report.of;
            RAISE WARNING 'report view "%" does not follow its fields yet', report.name
                USING DETAIL = 'It is in use, or another view has its name, or it does not belong to ringfence_definer. Columns of fields that are gone are empty, and those of new fields are missing.',
                      HINT = 'It follows at the next change of a field, or when ringfence.renew_report_views() is called.';
        END IF;
    END LOOP;
END
$renew$;
ALTER FUNCTION ringfence.renew_report_views() OWNER TO ringfence_definer;
REVOKE ALL ON FUNCTION ringfence.renew_report_views() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.renew_report_views() TO ringfence_user;
COMMENT ON FUNCTION ringfence.renew_report_views() IS
    'Renews the report views of the session''s owner after its fields changed; takes the right field.manage. Triggers call it, and a session may call it where report_view.is_current is false';

CREATE OR REPLACE FUNCTION ringfence.adopt_report_views() RETURNS event_trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $adopt$
DECLARE
    made record;
BEGIN
    FOR made IN
        SELECT view.oid::regclass AS name, view.relowner
          FROM pg_event_trigger_ddl_commands() AS command
          JOIN pg_class AS view ON command.classid = 'pg_class'::regclass AND view.oid = command.objid AND view.relkind = 'v'
          JOIN pg_namespace AS schema ON schema.oid = view.relnamespace AND schema.nspname = 'ringfence_report'
         WHERE EXISTS (SELECT FROM pg_depend AS depends
                         JOIN pg_rewrite AS rule ON depends.classid = 'pg_rewrite'::regclass AND rule.oid = depends.objid AND rule.ev_class = view.oid
                         JOIN pg_proc AS called ON depends.refclassid = 'pg_proc'::regclass AND called.oid = depends.refobjid
                         JOIN pg_namespace AS ours ON ours.oid = called.pronamespace
                        WHERE ours.nspname = 'ringfence' AND called.proname IN ('reports', 'reports_interactions'))
    LOOP
        IF made.relowner <> to_regrole('ringfence_definer') THEN
            -- Only a superuser can change the owner.
            CONTINUE WHEN NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user);
            EXECUTE format('ALTER VIEW %s OWNER TO ringfence_definer', made.name);
        END IF;
        EXECUTE format('GRANT SELECT ON %s TO ringfence_user', made.name);
    END LOOP;
END
$adopt$;
REVOKE ALL ON FUNCTION ringfence.adopt_report_views() FROM PUBLIC;
COMMENT ON FUNCTION ringfence.adopt_report_views() IS 'Event trigger: a report view that a superuser restores belongs to the definer, and ringfence_user may name it';

-- The service desk ----------------------------------------------------------------------------------------------------

CREATE OR REPLACE FUNCTION ringfence.has_right_in(right_name text, project_id uuid) RETURNS boolean
    LANGUAGE c STABLE PARALLEL SAFE SUPPORT ringfence.has_right_support AS 'MODULE_PATHNAME', 'has_right_in_fast';
CREATE FUNCTION ringfence.projects_with(right_name text) RETURNS uuid[]
    LANGUAGE c STABLE PARALLEL SAFE STRICT SUPPORT ringfence.has_right_support AS 'MODULE_PATHNAME', 'projects_with_fast';
REVOKE ALL ON FUNCTION ringfence.projects_with(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.projects_with(text) TO ringfence_user, ringfence_admin;
COMMENT ON FUNCTION ringfence.projects_with(text) IS
    'The projects of the session''s owner in which its role holds the right, whichever is selected. Error 22023: no such right; else as current_owner()';

CREATE FUNCTION ringfence.gather_search_keys() RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'gather_search_keys_wrapper';
REVOKE ALL ON FUNCTION ringfence.gather_search_keys() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.gather_search_keys() TO ringfence_definer;
COMMENT ON FUNCTION ringfence.gather_search_keys() IS 'True: lets the search keys of what the running statement inserts wait, as those of a COPY do; internal';

CREATE FUNCTION ringfence.write_search_keys() RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'write_search_keys_wrapper';
REVOKE ALL ON FUNCTION ringfence.write_search_keys() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.write_search_keys() TO ringfence_definer;
COMMENT ON FUNCTION ringfence.write_search_keys() IS 'Writes the search keys that wait; internal';


-- For a table with the columns created_at, created_by, updated_at and updated_by. Applications write back all columns of a row that they have
-- read: their values of these columns are ignored.
CREATE FUNCTION ringfence.stamp_row() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $stamp$
BEGIN
    -- A restore, and a referential action, keep what is there.
    IF NOT row_security_active(TG_RELID) THEN
        RETURN NEW;
    END IF;
    NEW.updated_at := now();
    NEW.updated_by := ringfence.current_actor();
    IF TG_OP = 'INSERT' THEN
        NEW.created_at := NEW.updated_at;
        NEW.created_by := NEW.updated_by;
    ELSE
        NEW.created_at := OLD.created_at;
        NEW.created_by := OLD.created_by;
    END IF;
    RETURN NEW;
END
$stamp$;
REVOKE ALL ON FUNCTION ringfence.stamp_row() FROM PUBLIC;
COMMENT ON FUNCTION ringfence.stamp_row() IS 'Trigger: keeps created_at, created_by, updated_at and updated_by';

GRANT EXECUTE ON FUNCTION ringfence.check_name(text) TO ringfence_tables;

-- channel: the addresses that customers reach an owner at, and which owner an address belongs to.

-- An address belongs to one owner of the installation. Only ringfence_admin assigns one: whoever could try addresses would learn others'.
CREATE TABLE ringfence.channel (
    owner_id       uuid NOT NULL DEFAULT ringfence.current_owner() REFERENCES ringfence.owner ON DELETE CASCADE,
    id             uuid NOT NULL DEFAULT ringfence.new_id(),
    kind           text NOT NULL CHECK (kind IN ('phone', 'email', 'chat', 'messenger', 'web')),
    address        text NOT NULL,
    normal_address text NOT NULL COLLATE "C",
    project_id     uuid,
    name           text CHECK (ringfence.check_name(name)),
    enabled        boolean NOT NULL DEFAULT true,
    created_at     timestamptz NOT NULL DEFAULT now(),
    created_by     text NOT NULL DEFAULT ringfence.current_actor(),
    updated_at     timestamptz NOT NULL DEFAULT now(),
    updated_by     text NOT NULL DEFAULT ringfence.current_actor(),
    PRIMARY KEY (owner_id, id),
    FOREIGN KEY (owner_id, project_id) REFERENCES ringfence.project ON DELETE SET NULL (project_id)
);
CREATE INDEX channel_project ON ringfence.channel (owner_id, project_id) WHERE project_id IS NOT NULL;
COMMENT ON INDEX ringfence.channel_project IS 'The channels of a project: deleting a project looks them up';
CREATE UNIQUE INDEX channel_address ON ringfence.channel (normal_address, kind COLLATE "C");
COMMENT ON INDEX ringfence.channel_address IS 'An address belongs to one owner of the installation: route() looks it up before an owner is known';
COMMENT ON TABLE ringfence.channel IS 'Addresses that customers reach an owner at; assign_channel() and release_channel() of ringfence_admin write the addresses';
COMMENT ON COLUMN ringfence.channel.kind IS 'phone, email, chat, messenger or web';
COMMENT ON COLUMN ringfence.channel.address IS 'As it was assigned';
COMMENT ON COLUMN ringfence.channel.normal_address IS 'The form that route() compares, unique in the installation; a phone in E.164 by the owner''s country';
COMMENT ON COLUMN ringfence.channel.project_id IS 'The project that a contact on this channel belongs to';
COMMENT ON COLUMN ringfence.channel.enabled IS 'route() finds only enabled channels';
COMMENT ON COLUMN ringfence.channel.created_by IS 'ringfence.agent, else the role';
COMMENT ON COLUMN ringfence.channel.updated_by IS 'ringfence.agent, else the role';

SELECT ringfence.wall('ringfence.channel', NULL, 'channel.manage', 'channel.manage');
-- Whoever works for the owner sees the channels of all projects together, and those of the projects that it works in.
CREATE POLICY may_read ON ringfence.channel FOR SELECT TO PUBLIC USING (project_id IS NULL OR ringfence.works_in(project_id));
SELECT ringfence.decide_from('ringfence.channel');
GRANT SELECT (owner_id, id, kind, address, normal_address, project_id, name, enabled, created_at, created_by, updated_at, updated_by),
      UPDATE (project_id, name, enabled)
    ON ringfence.channel TO ringfence_user;
CREATE TRIGGER stamp_row BEFORE UPDATE OF project_id, name, enabled ON ringfence.channel
    FOR EACH ROW EXECUTE FUNCTION ringfence.stamp_row();

CREATE FUNCTION ringfence.assign_channel(owner text, kind text, address text, project text DEFAULT NULL, name text DEFAULT NULL) RETURNS uuid
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'assign_channel_wrapper';
REVOKE ALL ON FUNCTION ringfence.assign_channel(text, text, text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.assign_channel(text, text, text, text, text) TO ringfence_admin;
COMMENT ON FUNCTION ringfence.assign_channel(text, text, text, text, text) IS
    'Gives an address to an owner, and to one of its projects or none; returns the channel''s id. Error 23505: the address is taken; 22023: not an address of that kind; P0002: no such owner or project';

CREATE FUNCTION ringfence.release_channel(kind text, address text) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'release_channel_wrapper';
REVOKE ALL ON FUNCTION ringfence.release_channel(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.release_channel(text, text) TO ringfence_admin;
COMMENT ON FUNCTION ringfence.release_channel(text, text) IS 'Deletes the channel with that address, in any spelling. Error P0002: there is none; 21000: the spelling means several';

CREATE FUNCTION ringfence.route(kind text, address text,
    OUT owner_id uuid, OUT owner_name text, OUT channel_id uuid, OUT project_id uuid, OUT project_name text)
    RETURNS SETOF record
    LANGUAGE c STABLE PARALLEL RESTRICTED ROWS 1 AS 'MODULE_PATHNAME', 'route_fast';
REVOKE ALL ON FUNCTION ringfence.route(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.route(text, text) TO ringfence_router;
COMMENT ON FUNCTION ringfence.route(text, text) IS
    'The owner and project that an address belongs to, in any spelling, before an owner is selected: one row, or none where it is unknown, ambiguous or disabled. Error 22023: no such kind';

-- A national number reads differently under another country.
CREATE FUNCTION ringfence.channel_form(kind text, address text, owner_id uuid) RETURNS text
    LANGUAGE c STABLE PARALLEL SAFE STRICT AS 'MODULE_PATHNAME', 'channel_form_wrapper';
REVOKE ALL ON FUNCTION ringfence.channel_form(text, text, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.channel_form(text, text, uuid) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.channel_form(text, text, uuid) IS 'The form of an address that route() compares, by the country of its owner. Error 22023: not an address of that kind. Internal';

CREATE FUNCTION ringfence.renew_channels() RETURNS void
    LANGUAGE sql VOLATILE
    BEGIN ATOMIC
        UPDATE ringfence.channel
            SET normal_address = ringfence.channel_form(channel.kind, channel.address, channel.owner_id)
            WHERE channel.kind OPERATOR(pg_catalog.=) 'phone';
    END;
REVOKE ALL ON FUNCTION ringfence.renew_channels() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.renew_channels() TO ringfence_definer;
COMMENT ON FUNCTION ringfence.renew_channels() IS 'Reads all phone addresses of an owner again after its country changed; internal';
CREATE TRIGGER renew_channels AFTER UPDATE OF country ON ringfence.owner
    FOR EACH ROW WHEN (OLD.country IS DISTINCT FROM NEW.country)
    EXECUTE FUNCTION ringfence.as_owner('renew_channels');

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

-- script: questions that an agent goes through with a customer, and what was answered. A script belongs to a project, and its answers may be
-- bound to fields of that project, which they fill.

CREATE TABLE ringfence.script (
    owner_id   uuid NOT NULL DEFAULT ringfence.current_owner(),
    id         uuid NOT NULL DEFAULT ringfence.new_id(),
    project_id uuid NOT NULL DEFAULT ringfence.current_project(),
    name       text NOT NULL CHECK (ringfence.check_name(name)),
    enabled    boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL DEFAULT ringfence.current_actor(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    updated_by text NOT NULL DEFAULT ringfence.current_actor(),
    PRIMARY KEY (owner_id, id),
    UNIQUE (owner_id, id, project_id),
    UNIQUE (owner_id, project_id, name),
    FOREIGN KEY (owner_id, project_id) REFERENCES ringfence.project ON DELETE CASCADE
);
COMMENT ON TABLE ringfence.script IS 'Scripts: questions with their possible answers';
COMMENT ON COLUMN ringfence.script.name IS 'Unique within the project';
COMMENT ON COLUMN ringfence.script.enabled IS 'Only an enabled script has a form';

-- Each names its script and project, so that no foreign key can lead into those of another.
CREATE TABLE ringfence.question (
    owner_id   uuid NOT NULL DEFAULT ringfence.current_owner(),
    id         uuid NOT NULL DEFAULT ringfence.new_id(),
    script_id  uuid NOT NULL,
    project_id uuid NOT NULL,
    position   integer NOT NULL,
    text       text NOT NULL CHECK (ringfence.can_be_seen(text)),
    required   boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    created_by text NOT NULL DEFAULT ringfence.current_actor(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    updated_by text NOT NULL DEFAULT ringfence.current_actor(),
    PRIMARY KEY (owner_id, id),
    UNIQUE (owner_id, script_id, id),
    FOREIGN KEY (owner_id, script_id, project_id) REFERENCES ringfence.script (owner_id, id, project_id) ON UPDATE CASCADE ON DELETE CASCADE
);
COMMENT ON TABLE ringfence.question IS 'The questions of scripts';
COMMENT ON COLUMN ringfence.question.project_id IS 'That of the script; kept by the server';
COMMENT ON COLUMN ringfence.question.position IS 'Its place in the script; without one it comes last';
COMMENT ON COLUMN ringfence.question.required IS 'For the application: whether it must be answered';
CREATE INDEX question_by_script ON ringfence.question (owner_id, script_id, position);
COMMENT ON INDEX ringfence.question_by_script IS 'The questions of a script, in their order';

CREATE TABLE ringfence.answer (
    owner_id         uuid NOT NULL DEFAULT ringfence.current_owner(),
    id               uuid NOT NULL DEFAULT ringfence.new_id(),
    script_id        uuid NOT NULL,
    project_id       uuid NOT NULL,
    question_id      uuid NOT NULL,
    position         integer NOT NULL,
    kind             text NOT NULL DEFAULT 'choice' CHECK (kind IN ('choice', 'text')),
    name             text NOT NULL CHECK (ringfence.can_be_seen(name)),
    field_id         uuid,
    next_question_id uuid,
    created_at       timestamptz NOT NULL DEFAULT now(),
    created_by       text NOT NULL DEFAULT ringfence.current_actor(),
    updated_at       timestamptz NOT NULL DEFAULT now(),
    updated_by       text NOT NULL DEFAULT ringfence.current_actor(),
    PRIMARY KEY (owner_id, id),
    FOREIGN KEY (owner_id, script_id, project_id) REFERENCES ringfence.script (owner_id, id, project_id) ON UPDATE CASCADE ON DELETE CASCADE,
    FOREIGN KEY (owner_id, script_id, question_id) REFERENCES ringfence.question (owner_id, script_id, id) ON DELETE CASCADE,
    FOREIGN KEY (owner_id, field_id) REFERENCES ringfence.field ON DELETE SET NULL (field_id),
    -- When the transaction ends: questions may lead to each other, and a script is deleted as a whole.
    CONSTRAINT answer_next_question_fkey FOREIGN KEY (owner_id, script_id, next_question_id)
        REFERENCES ringfence.question (owner_id, script_id, id) DEFERRABLE INITIALLY DEFERRED
);
COMMENT ON TABLE ringfence.answer IS 'The possible answers to questions of scripts';
COMMENT ON COLUMN ringfence.answer.script_id IS 'That of the question; kept by the server';
COMMENT ON COLUMN ringfence.answer.project_id IS 'That of the script; kept by the server';
COMMENT ON COLUMN ringfence.answer.position IS 'Its place among the answers; without one it comes last';
COMMENT ON COLUMN ringfence.answer.kind IS 'choice: the answer is its name; text: the agent types it';
COMMENT ON COLUMN ringfence.answer.field_id IS 'The custom field of the script''s project that the answer fills';
COMMENT ON COLUMN ringfence.answer.next_question_id IS 'The question of the same script that comes after this answer; NULL: the script ends';
CREATE INDEX answer_by_question ON ringfence.answer (owner_id, question_id, position);
COMMENT ON INDEX ringfence.answer_by_question IS 'The answers to a question, in their order';
CREATE INDEX answer_by_script ON ringfence.answer (owner_id, script_id);
COMMENT ON INDEX ringfence.answer_by_script IS 'The answers of a script: deleting it, or one of its questions, looks them up';
CREATE INDEX answer_field ON ringfence.answer (owner_id, field_id) WHERE field_id IS NOT NULL;
COMMENT ON INDEX ringfence.answer_field IS 'The answers that fill a field: dropping it looks them up';

CREATE TABLE ringfence.response (
    owner_id       uuid NOT NULL DEFAULT ringfence.current_owner(),
    id             uuid NOT NULL DEFAULT ringfence.new_id(),
    interaction_id uuid NOT NULL,
    project_id     uuid,
    question_id    uuid,
    answer_id      uuid,
    -- Not a foreign key: what filled a masked field that is dropped stays masked.
    field_id       uuid,
    question       text NOT NULL,
    answer         text NOT NULL,
    value          text NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    created_by     text NOT NULL DEFAULT ringfence.current_actor(),
    updated_at     timestamptz NOT NULL DEFAULT now(),
    updated_by     text NOT NULL DEFAULT ringfence.current_actor(),
    PRIMARY KEY (owner_id, id),
    FOREIGN KEY (owner_id, interaction_id) REFERENCES ringfence.interaction ON DELETE CASCADE,
    FOREIGN KEY (owner_id, project_id) REFERENCES ringfence.project ON DELETE SET NULL (project_id),
    FOREIGN KEY (owner_id, question_id) REFERENCES ringfence.question ON DELETE SET NULL (question_id),
    FOREIGN KEY (owner_id, answer_id) REFERENCES ringfence.answer ON DELETE SET NULL (answer_id)
);
COMMENT ON TABLE ringfence.response IS 'The answers that were given in interactions. A response does not change when its script changes';
COMMENT ON COLUMN ringfence.response.project_id IS 'The project of the interaction, kept by the server. A session that sees the interaction sees the response, unless it fills a masked field';
COMMENT ON COLUMN ringfence.response.question_id IS 'NULL: the question has been deleted';
COMMENT ON COLUMN ringfence.response.answer_id IS 'NULL: the answer has been deleted';
COMMENT ON COLUMN ringfence.response.field_id IS 'The field that the answer fills, kept by the server. If the field is masked, the response takes field.unmask';
COMMENT ON COLUMN ringfence.response.question IS 'The question as it was asked; kept by the server';
COMMENT ON COLUMN ringfence.response.answer IS 'The name of the answer as it was then; kept by the server';
COMMENT ON COLUMN ringfence.response.value IS 'The name of the choice, or the text that the agent typed';
CREATE INDEX response_by_interaction ON ringfence.response (owner_id, interaction_id, id);
COMMENT ON INDEX ringfence.response_by_interaction IS 'The responses of an interaction, in their order';
CREATE INDEX response_project ON ringfence.response (owner_id, project_id);
COMMENT ON INDEX ringfence.response_project IS 'The responses of a project';
CREATE INDEX response_question ON ringfence.response (owner_id, question_id) WHERE question_id IS NOT NULL;
COMMENT ON INDEX ringfence.response_question IS 'The responses to a question: deleting it looks them up';
CREATE INDEX response_answer ON ringfence.response (owner_id, answer_id) WHERE answer_id IS NOT NULL;
COMMENT ON INDEX ringfence.response_answer IS 'The responses with an answer: deleting it looks them up';

-- Whoever works in a project sees its scripts.
SELECT ringfence.wall('ringfence.script', NULL, 'script.manage', 'script.manage', 'project_id');
CREATE POLICY may_read ON ringfence.script FOR SELECT TO PUBLIC USING (ringfence.works_in(project_id));
SELECT ringfence.wall('ringfence.question', NULL, 'script.manage', 'script.manage', 'project_id');
CREATE POLICY may_read ON ringfence.question FOR SELECT TO PUBLIC USING (ringfence.works_in(project_id));
SELECT ringfence.wall('ringfence.answer', NULL, 'script.manage', 'script.manage', 'project_id');
CREATE POLICY may_read ON ringfence.answer FOR SELECT TO PUBLIC USING (ringfence.works_in(project_id));

CREATE FUNCTION ringfence.sees_values_of(field_id uuid, project_id uuid) RETURNS boolean
    LANGUAGE c STABLE PARALLEL SAFE SUPPORT ringfence.has_right_support AS 'MODULE_PATHNAME', 'sees_values_of_wrapper';
REVOKE ALL ON FUNCTION ringfence.sees_values_of(uuid, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.sees_values_of(uuid, uuid) TO ringfence_user, ringfence_admin;
COMMENT ON FUNCTION ringfence.sees_values_of(uuid, uuid) IS
    'True if the field is NULL or not masked, or the session holds field.unmask in that project (NULL: in all). A field that does not exist counts as masked. Part of scripts';
SELECT ringfence.wall('ringfence.response', NULL, 'interaction.write', 'interaction.write', 'project_id');
-- The policies that wall() makes, with one more condition. A session does not read a response that fills a masked field, nor can it count or
-- lose such responses by an UPDATE or DELETE.
CREATE POLICY may_read ON ringfence.response FOR SELECT TO PUBLIC
    USING ((project_id = ANY (ringfence.projects_with('interaction.read')) OR project_id IS NULL AND ringfence.has_right_in('interaction.read', NULL))
           AND ringfence.sees_values_of(field_id, project_id));
ALTER POLICY may_update ON ringfence.response
    USING ((project_id = ANY (ringfence.projects_with('interaction.write')) OR project_id IS NULL AND ringfence.has_right_in('interaction.write', NULL))
           AND ringfence.sees_values_of(field_id, project_id));
ALTER POLICY may_delete ON ringfence.response
    USING ((project_id = ANY (ringfence.projects_with('interaction.write')) OR project_id IS NULL AND ringfence.has_right_in('interaction.write', NULL))
           AND ringfence.sees_values_of(field_id, project_id));

GRANT SELECT (owner_id, id, project_id, name, enabled, created_at, created_by, updated_at, updated_by),
      INSERT (owner_id, id, project_id, name, enabled, created_at, created_by, updated_at, updated_by),
      UPDATE (owner_id, project_id, name, enabled, created_at, created_by, updated_at, updated_by), DELETE
    ON ringfence.script TO ringfence_user;
GRANT SELECT (owner_id, id, script_id, project_id, position, text, required, created_at, created_by, updated_at, updated_by),
      INSERT (owner_id, id, script_id, project_id, position, text, required, created_at, created_by, updated_at, updated_by),
      UPDATE (owner_id, script_id, project_id, position, text, required, created_at, created_by, updated_at, updated_by), DELETE
    ON ringfence.question TO ringfence_user;
GRANT SELECT (owner_id, id, script_id, project_id, question_id, position, kind, name, field_id, next_question_id, created_at, created_by, updated_at, updated_by),
      INSERT (owner_id, id, script_id, project_id, question_id, position, kind, name, field_id, next_question_id, created_at, created_by, updated_at, updated_by),
      UPDATE (owner_id, script_id, project_id, question_id, position, kind, name, field_id, next_question_id, created_at, created_by, updated_at, updated_by), DELETE
    ON ringfence.answer TO ringfence_user;
GRANT SELECT (owner_id, id, interaction_id, project_id, question_id, answer_id, field_id, question, answer, value, created_at, created_by, updated_at, updated_by),
      INSERT (owner_id, id, interaction_id, project_id, question_id, answer_id, field_id, question, answer, value, created_at, created_by, updated_at, updated_by),
      UPDATE (owner_id, interaction_id, project_id, question_id, answer_id, field_id, question, answer, value, created_at, created_by, updated_at, updated_by), DELETE
    ON ringfence.response TO ringfence_user;
CREATE TRIGGER stamp_row BEFORE INSERT OR UPDATE ON ringfence.script FOR EACH ROW EXECUTE FUNCTION ringfence.stamp_row();
CREATE TRIGGER stamp_row BEFORE INSERT OR UPDATE ON ringfence.question FOR EACH ROW EXECUTE FUNCTION ringfence.stamp_row();
CREATE TRIGGER stamp_row BEFORE INSERT OR UPDATE ON ringfence.answer FOR EACH ROW EXECUTE FUNCTION ringfence.stamp_row();
CREATE TRIGGER stamp_row BEFORE INSERT OR UPDATE ON ringfence.response FOR EACH ROW EXECUTE FUNCTION ringfence.stamp_row();

-- What is defined ---------------------------------------------------------------------------------------------------------

CREATE FUNCTION ringfence.keep_question() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $keep$
BEGIN
    IF NOT row_security_active(TG_RELID) THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        NEW.script_id := OLD.script_id;
        NEW.project_id := OLD.project_id;
    ELSE
        SELECT script.project_id INTO NEW.project_id
          FROM ringfence.script WHERE script.owner_id = ringfence.current_owner() AND script.id = NEW.script_id;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'no script "%" is in reach', NEW.script_id
                USING ERRCODE = 'no_data_found', HINT = 'SELECT id, name FROM ringfence.script lists the scripts of this session''s projects.';
        END IF;
    END IF;
    NEW.required := coalesce(NEW.required, false);
    IF NEW.position IS NULL THEN
        SELECT least(coalesce(max(question.position), 0)::bigint + 1, 2147483647) INTO NEW.position
          FROM ringfence.question WHERE question.owner_id = ringfence.current_owner() AND question.script_id = NEW.script_id;
    END IF;
    RETURN NEW;
END
$keep$;
REVOKE ALL ON FUNCTION ringfence.keep_question() FROM PUBLIC;
COMMENT ON FUNCTION ringfence.keep_question() IS 'Trigger: a question has the project of its script, and without a position comes last. Error P0002: a script that the session does not see';
CREATE TRIGGER keep_question BEFORE INSERT OR UPDATE ON ringfence.question
    FOR EACH ROW EXECUTE FUNCTION ringfence.keep_question();

CREATE FUNCTION ringfence.writes_field_in(field_id uuid, project_id uuid) RETURNS boolean
    LANGUAGE c STABLE PARALLEL SAFE STRICT AS 'MODULE_PATHNAME', 'writes_field_in_wrapper';
REVOKE ALL ON FUNCTION ringfence.writes_field_in(uuid, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.writes_field_in(uuid, uuid) TO ringfence_user;
COMMENT ON FUNCTION ringfence.writes_field_in(uuid, uuid) IS 'Whether that custom field is bound to that project, and this session may write it there; part of scripts';

CREATE FUNCTION ringfence.keep_answer() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $keep$
BEGIN
    IF NOT row_security_active(TG_RELID) THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        NEW.script_id := OLD.script_id;
        NEW.project_id := OLD.project_id;
        NEW.question_id := OLD.question_id;
    ELSE
        SELECT question.script_id, question.project_id INTO NEW.script_id, NEW.project_id
          FROM ringfence.question WHERE question.owner_id = ringfence.current_owner() AND question.id = NEW.question_id;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'no question "%" is in reach', NEW.question_id
                USING ERRCODE = 'no_data_found', HINT = 'SELECT id, text FROM ringfence.question lists the questions of this session''s projects.';
        END IF;
    END IF;
    NEW.kind := coalesce(NEW.kind, 'choice');
    IF NEW.position IS NULL THEN
        SELECT least(coalesce(max(answer.position), 0)::bigint + 1, 2147483647) INTO NEW.position
          FROM ringfence.answer WHERE answer.owner_id = ringfence.current_owner() AND answer.question_id = NEW.question_id;
    END IF;
    -- Masked, not bound to the project, and not there at all: one refusal.
    IF NEW.field_id IS NOT NULL AND (TG_OP = 'INSERT' OR NEW.field_id IS DISTINCT FROM OLD.field_id)
       AND NOT ringfence.writes_field_in(NEW.field_id, NEW.project_id) THEN
        RAISE EXCEPTION 'field "%" cannot be written in the project of this script', NEW.field_id
            USING ERRCODE = 'insufficient_privilege',
                  HINT = 'An answer fills a custom field that is bound to the project of its script, and that this session may write there.';
    END IF;
    RETURN NEW;
END
$keep$;
REVOKE ALL ON FUNCTION ringfence.keep_answer() FROM PUBLIC;
COMMENT ON FUNCTION ringfence.keep_answer() IS
    'Trigger: an answer has the script and project of its question. Error P0002: a question that the session does not see; 42501: a field that cannot be written in the script''s project';
CREATE TRIGGER keep_answer BEFORE INSERT OR UPDATE ON ringfence.answer
    FOR EACH ROW EXECUTE FUNCTION ringfence.keep_answer();

-- What is asked and answered ----------------------------------------------------------------------------------------------

CREATE FUNCTION ringfence.script_form(
    script text,
    OUT question_id uuid, OUT question_position integer, OUT question text, OUT required boolean,
    OUT answer_id uuid, OUT answer_position integer, OUT answer text, OUT kind text, OUT next_question_id uuid,
    OUT field_name text, OUT field_type text, OUT field_options text[], OUT field_access text)
    RETURNS SETOF record
    LANGUAGE plpgsql STABLE ROWS 20 SET search_path = pg_catalog, pg_temp AS $form$
#variable_conflict use_column
DECLARE
    found_script uuid;
    selected     CONSTANT uuid := ringfence.current_project();
BEGIN
    -- Two projects may have scripts of one name: that of the selected project goes before.
    SELECT s.id INTO found_script FROM ringfence.script AS s
     WHERE s.owner_id = ringfence.current_owner() AND s.enabled AND (s.name = script_form.script OR s.id::text = lower(script_form.script))
     ORDER BY s.project_id IS DISTINCT FROM selected, s.id LIMIT 1;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no script "%" is in reach', left(script_form.script, 200)
            USING ERRCODE = 'no_data_found', HINT = 'SELECT name FROM ringfence.script WHERE enabled lists the scripts of this session''s projects.';
    END IF;
    RETURN QUERY
        SELECT q.id, q.position, q.text, q.required, a.id, a.position, a.name, a.kind, a.next_question_id, f.name, f.type, f.options, f.access
          FROM ringfence.question AS q
          JOIN ringfence.answer AS a ON a.owner_id = q.owner_id AND a.question_id = q.id
          LEFT JOIN ringfence.visible_fields() AS f ON f.field_id = a.field_id
         WHERE q.owner_id = ringfence.current_owner() AND q.script_id = found_script AND (a.field_id IS NULL OR f.field_id IS NOT NULL)
         ORDER BY q.position, q.id, a.position, a.id;
END
$form$;
REVOKE ALL ON FUNCTION ringfence.script_form(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.script_form(text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.script_form(text) IS
    'A script by name or id: a row for each possible answer, with the field that it fills. It leaves out answers whose field this session does not see. Error P0002: no such script';

CREATE FUNCTION ringfence.keep_response() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $keep$
DECLARE
    about  record;
    chosen record;
    filled record;
    given  jsonb;
BEGIN
    IF NOT row_security_active(TG_RELID) THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        -- What was answered can be corrected in its value, and the field is not written again.
        NEW.interaction_id := OLD.interaction_id;
        NEW.question_id := OLD.question_id;
        NEW.answer_id := OLD.answer_id;
        NEW.field_id := OLD.field_id;
        NEW.question := OLD.question;
        NEW.answer := OLD.answer;
        -- put_responses() writes it.
        IF current_user <> 'ringfence_definer' THEN
            NEW.project_id := OLD.project_id;
        END IF;
        RETURN NEW;
    END IF;
    -- Locked, so that it does not go to another project before this response can go with it.
    SELECT i.project_id, i.customer_id INTO about
      FROM ringfence.interaction AS i WHERE i.owner_id = ringfence.current_owner() AND i.id = NEW.interaction_id FOR SHARE;
    IF NOT FOUND THEN
        -- One that the session sees and may not write is refused by the policy of responses.
        SELECT i.project_id, i.customer_id INTO about
          FROM ringfence.interaction AS i WHERE i.owner_id = ringfence.current_owner() AND i.id = NEW.interaction_id
           AND NOT ringfence.has_right_in('interaction.write', i.project_id);
    END IF;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no interaction "%" is in reach', NEW.interaction_id
            USING ERRCODE = 'no_data_found', HINT = 'SELECT id FROM ringfence.interaction lists the interactions that this session sees.';
    END IF;
    SELECT a.question_id, a.project_id, a.kind, a.name, a.field_id, q.text INTO chosen
      FROM ringfence.answer AS a JOIN ringfence.question AS q ON q.owner_id = a.owner_id AND q.id = a.question_id
     WHERE a.owner_id = ringfence.current_owner() AND a.id = NEW.answer_id;
    -- The answer to a question of another project's script, or one that fills a field which the session does not see, is none here.
    IF FOUND AND chosen.field_id IS NOT NULL THEN
        SELECT f.name, f.type INTO filled FROM ringfence.visible_fields() AS f WHERE f.field_id = chosen.field_id;
    END IF;
    IF NOT FOUND OR chosen.project_id IS DISTINCT FROM coalesce(about.project_id, chosen.project_id) THEN
        RAISE EXCEPTION 'no answer "%" is in reach', NEW.answer_id
            USING ERRCODE = 'no_data_found', HINT = 'ringfence.script_form() lists the answers of a script of the interaction''s project.';
    END IF;
    NEW.project_id := about.project_id;
    NEW.question_id := chosen.question_id;
    NEW.field_id := chosen.field_id;
    NEW.question := chosen.text;
    NEW.answer := chosen.name;
    IF chosen.kind = 'choice' THEN
        NEW.value := chosen.name;
    ELSIF NEW.value IS NULL THEN
        RAISE EXCEPTION 'the answer "%" needs a value', left(chosen.name, 200)
            USING ERRCODE = 'invalid_parameter_value', HINT = 'Pass the customer''s answer as the argument "value".';
    END IF;
    IF chosen.field_id IS NOT NULL AND about.customer_id IS NOT NULL THEN
        -- A number or a truth that is none is for the field to refuse, by its own error.
        given := CASE
            WHEN filled.type = 'number' AND pg_catalog.btrim(NEW.value) ~ '^[-+]?([0-9]{1,200}([.][0-9]{0,200})?|[.][0-9]{1,200})$' THEN to_jsonb(btrim(NEW.value)::numeric)
            WHEN filled.type = 'boolean' AND lower(btrim(NEW.value)) IN ('true', 'yes', 'false', 'no') THEN to_jsonb(lower(btrim(NEW.value)) IN ('true', 'yes'))
            ELSE to_jsonb(NEW.value) END;
        UPDATE ringfence.customer_card AS card
           SET attributes = card.attributes || jsonb_build_object(filled.name,
               CASE WHEN filled.type <> 'choices' THEN given
                    WHEN coalesce(card.attributes -> filled.name, '[]') ? NEW.value THEN card.attributes -> filled.name
                    ELSE coalesce(card.attributes -> filled.name, '[]') || given END)
         WHERE card.owner_id = ringfence.current_owner() AND card.id = about.customer_id;
    END IF;
    RETURN NEW;
END
$keep$;
REVOKE ALL ON FUNCTION ringfence.keep_response() FROM PUBLIC;
COMMENT ON FUNCTION ringfence.keep_response() IS
    'Trigger: a response keeps question and answer as texts, and fills the answer''s field. Error P0002: an interaction or answer that the session does not see; else those of customer_card';
CREATE TRIGGER keep_response BEFORE INSERT OR UPDATE ON ringfence.response
    FOR EACH ROW EXECUTE FUNCTION ringfence.keep_response();

CREATE FUNCTION ringfence.respond(interaction uuid, answer uuid, value text DEFAULT NULL) RETURNS uuid
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $respond$
#variable_conflict use_variable
DECLARE
    made CONSTANT uuid := ringfence.new_id();
BEGIN
    INSERT INTO ringfence.response (id, interaction_id, answer_id, value) VALUES (made, interaction, answer, value);
    RETURN made;
END
$respond$;
REVOKE ALL ON FUNCTION ringfence.respond(uuid, uuid, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.respond(uuid, uuid, text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.respond(uuid, uuid, text) IS
    'Keeps an answer, fills its field of the interaction''s customer, and returns the response''s id. Needs interaction.write. Error P0002: no such interaction or answer; 22023: not a value of the field';

CREATE FUNCTION ringfence.put_responses(owner_id uuid, interaction_id uuid, project_id uuid) RETURNS void
    LANGUAGE sql VOLATILE
    BEGIN ATOMIC
        UPDATE ringfence.response AS moved SET project_id = put_responses.project_id
         WHERE moved.owner_id OPERATOR(pg_catalog.=) put_responses.owner_id
           AND moved.interaction_id OPERATOR(pg_catalog.=) put_responses.interaction_id
           AND moved.project_id IS DISTINCT FROM put_responses.project_id;
    END;
REVOKE ALL ON FUNCTION ringfence.put_responses(uuid, uuid, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.put_responses(uuid, uuid, uuid) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.put_responses(uuid, uuid, uuid) IS 'Puts the responses of an interaction into a project; internal';

CREATE FUNCTION ringfence.move_responses() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'move_responses_wrapper';
REVOKE ALL ON FUNCTION ringfence.move_responses() FROM PUBLIC;
COMMENT ON FUNCTION ringfence.move_responses() IS 'Trigger: the responses of an interaction go to its project with it, whether the session sees them or not';
-- Where a project is deleted, its interactions and its responses lose it alike.
CREATE TRIGGER move_responses AFTER UPDATE OF project_id ON ringfence.interaction
    FOR EACH ROW WHEN (OLD.project_id IS DISTINCT FROM NEW.project_id AND row_security_active('ringfence.interaction'::regclass))
    EXECUTE FUNCTION ringfence.move_responses();

CREATE FUNCTION ringfence.erase_responses(customer uuid) RETURNS void
    LANGUAGE sql VOLATILE
    BEGIN ATOMIC
        DELETE FROM ringfence.response AS r USING ringfence.interaction AS i
         WHERE r.owner_id = ringfence.current_owner() AND i.owner_id = r.owner_id AND i.id = r.interaction_id
           AND (i.customer_id = erase_responses.customer
                OR i.customer_id IS NULL AND i.ticket_id IN (SELECT t.id FROM ringfence.ticket AS t
                                                              WHERE t.owner_id = ringfence.current_owner() AND t.customer_id = erase_responses.customer));
    END;
REVOKE ALL ON FUNCTION ringfence.erase_responses(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.erase_responses(uuid) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.erase_responses(uuid) IS 'Deletes the responses in the interactions with a customer. Part of erase_customer()';

-- import: customers from files, by templates that say which column goes where. A file is read by the client (psql's \copy into a temporary
-- table, or rows as JSON); what is done here is done with the rights of the session, row by row.

CREATE TABLE ringfence.import_template (
    owner_id    uuid NOT NULL DEFAULT ringfence.current_owner(),
    id          uuid NOT NULL DEFAULT ringfence.new_id(),
    name        text NOT NULL CHECK (ringfence.check_name(name)),
    project_id  uuid DEFAULT ringfence.current_project(),
    mode        text NOT NULL DEFAULT 'upsert' CHECK (mode IN ('add', 'update', 'upsert')),
    match_field text,
    date_format text NOT NULL DEFAULT 'YYYY-MM-DD',
    created_at  timestamptz NOT NULL DEFAULT now(),
    created_by  text NOT NULL DEFAULT ringfence.current_actor(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    updated_by  text NOT NULL DEFAULT ringfence.current_actor(),
    PRIMARY KEY (owner_id, id),
    UNIQUE (owner_id, name),
    CONSTRAINT import_template_match_check CHECK (mode = 'add' OR match_field IS NOT NULL),
    FOREIGN KEY (owner_id) REFERENCES ringfence.owner ON DELETE CASCADE,
    FOREIGN KEY (owner_id, project_id) REFERENCES ringfence.project ON DELETE CASCADE
);
COMMENT ON TABLE ringfence.import_template IS 'How a file becomes customers';
COMMENT ON COLUMN ringfence.import_template.project_id IS 'The project whose fields it fills; NULL: those of the session';
COMMENT ON COLUMN ringfence.import_template.mode IS 'add: rows of customers that are there are rejected; update: those of customers that are not; upsert: none';
COMMENT ON COLUMN ringfence.import_template.match_field IS 'How a row finds its customer: id, phone, email, or a unique field by name';
COMMENT ON COLUMN ringfence.import_template.date_format IS 'How dates are written in the file, as in to_date(); ISO dates are always read';
CREATE INDEX import_template_project ON ringfence.import_template (owner_id, project_id) WHERE project_id IS NOT NULL;
COMMENT ON INDEX ringfence.import_template_project IS 'The templates of a project: deleting a project looks them up';

CREATE FUNCTION ringfence.import_parts(source text) RETURNS text[]
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $parts$
DECLARE
    rest    text := source;
    literal text := '';
    parts   text[] := '{}';
    opened  integer;
    closed  integer;
BEGIN
    LOOP
        opened := strpos(rest, '{{');
        EXIT WHEN opened = 0 OR opened IS NULL;
        IF opened > 1 AND substr(rest, opened - 1, 1) = '\' THEN
            literal := literal || left(rest, opened - 2) || '{{';
            rest := substr(rest, opened + 2);
            CONTINUE;
        END IF;
        closed := strpos(substr(rest, opened + 2), '}}');
        IF closed = 0 THEN
            RAISE EXCEPTION 'a column is not closed in "%"', left(source, 200)
                USING ERRCODE = 'invalid_parameter_value', HINT = 'Write columns as {{Column}}. For two braces that are no column write \{{.';
        END IF;
        literal := literal || left(rest, opened - 1);
        IF literal <> '' THEN
            parts := parts || ('=' || literal);
            literal := '';
        END IF;
        parts := parts || ('{' || substr(rest, opened + 2, closed - 1));
        rest := substr(rest, opened + closed + 3);
    END LOOP;
    literal := literal || rest;
    RETURN CASE WHEN literal <> '' THEN parts || ('=' || literal) ELSE parts END;
END
$parts$;
REVOKE ALL ON FUNCTION ringfence.import_parts(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.import_parts(text) TO ringfence_user, ringfence_tables;
COMMENT ON FUNCTION ringfence.import_parts(text) IS 'The parts of a source: constants with = in front, and columns with { in front. Error 22023: a {{ that is not closed';

CREATE TABLE ringfence.import_mapping (
    owner_id    uuid NOT NULL DEFAULT ringfence.current_owner(),
    template_id uuid NOT NULL,
    position    integer NOT NULL,
    -- A longer text does not fit into an index, and PostgreSQL's error would tell where the row is stored.
    target      text NOT NULL CHECK (octet_length(target) <= 1000),
    source      text NOT NULL CHECK (ringfence.import_parts(source) IS NOT NULL),
    on_empty    text NOT NULL DEFAULT 'leave' CHECK (on_empty IN ('leave', 'clear')),
    created_at  timestamptz NOT NULL DEFAULT now(),
    created_by  text NOT NULL DEFAULT ringfence.current_actor(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    updated_by  text NOT NULL DEFAULT ringfence.current_actor(),
    PRIMARY KEY (owner_id, template_id, position),
    FOREIGN KEY (owner_id, template_id) REFERENCES ringfence.import_template ON DELETE CASCADE
);
CREATE UNIQUE INDEX import_mapping_target ON ringfence.import_mapping (owner_id, template_id, target) WHERE target NOT IN ('phones', 'emails');
COMMENT ON INDEX ringfence.import_mapping_target IS 'Only phones and e-mails come from several places';
COMMENT ON TABLE ringfence.import_mapping IS 'The mappings of a template: each fills a column or field of the customer from a text with columns of the file';
COMMENT ON COLUMN ringfence.import_mapping.position IS 'Its place; without one it comes last';
COMMENT ON COLUMN ringfence.import_mapping.target IS 'id, name, phones, emails, address, birth_date, language, company_id, or a custom field by name';
COMMENT ON COLUMN ringfence.import_mapping.source IS 'A text with {{Column}}, several or none; \{{ is two braces';
COMMENT ON COLUMN ringfence.import_mapping.on_empty IS 'The effect of an empty cell on an existing customer: leave the value, or clear it';

-- A template names fields of its project. One of no project is for all who import; to write it takes the right in all projects.
SELECT ringfence.wall('ringfence.import_template', NULL, 'import.run', 'import.run', 'project_id');
CREATE POLICY may_read ON ringfence.import_template FOR SELECT TO PUBLIC
    USING (ringfence.has_right('import.run') AND (project_id IS NULL OR ringfence.has_right_in('import.run', project_id)));

CREATE FUNCTION ringfence.reads_template(template_id uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL SAFE SUPPORT ringfence.has_right_support SET search_path = pg_catalog, pg_temp AS $reads$
BEGIN
    RETURN EXISTS (SELECT FROM ringfence.import_template AS t WHERE t.owner_id = ringfence.current_owner() AND t.id = template_id);
END
$reads$;
REVOKE ALL ON FUNCTION ringfence.reads_template(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.reads_template(uuid) TO ringfence_user, ringfence_definer;
COMMENT ON FUNCTION ringfence.reads_template(uuid) IS 'Whether the session sees that import template; part of the policies of import_mapping';

CREATE FUNCTION ringfence.writes_template(template_id uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL SAFE SUPPORT ringfence.has_right_support SET search_path = pg_catalog, pg_temp AS $writes$
BEGIN
    RETURN EXISTS (SELECT FROM ringfence.import_template AS t
                    WHERE t.owner_id = ringfence.current_owner() AND t.id = template_id AND ringfence.has_right_in('import.run', t.project_id));
END
$writes$;
REVOKE ALL ON FUNCTION ringfence.writes_template(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.writes_template(uuid) TO ringfence_user, ringfence_definer;
COMMENT ON FUNCTION ringfence.writes_template(uuid) IS 'Whether the session may change that import template; part of the policies of import_mapping';

SELECT ringfence.wall('ringfence.import_mapping', NULL, 'import.run', 'import.run');
CREATE POLICY may_read ON ringfence.import_mapping FOR SELECT TO PUBLIC USING (ringfence.has_right('import.run') AND ringfence.reads_template(template_id));
ALTER POLICY may_insert ON ringfence.import_mapping WITH CHECK (ringfence.writes_template(template_id));
ALTER POLICY may_update ON ringfence.import_mapping USING (ringfence.writes_template(template_id)) WITH CHECK (ringfence.writes_template(template_id));
ALTER POLICY may_delete ON ringfence.import_mapping USING (ringfence.writes_template(template_id));
GRANT SELECT (owner_id, id, name, project_id, mode, match_field, date_format, created_at, created_by, updated_at, updated_by),
      INSERT (owner_id, id, name, project_id, mode, match_field, date_format, created_at, created_by, updated_at, updated_by),
      UPDATE (owner_id, name, project_id, mode, match_field, date_format, created_at, created_by, updated_at, updated_by), DELETE
    ON ringfence.import_template TO ringfence_user;
GRANT SELECT (owner_id, template_id, position, target, source, on_empty, created_at, created_by, updated_at, updated_by),
      INSERT (owner_id, template_id, position, target, source, on_empty, created_at, created_by, updated_at, updated_by),
      UPDATE (owner_id, template_id, position, target, source, on_empty, created_at, created_by, updated_at, updated_by), DELETE
    ON ringfence.import_mapping TO ringfence_user;
CREATE TRIGGER stamp_row BEFORE INSERT OR UPDATE ON ringfence.import_template FOR EACH ROW EXECUTE FUNCTION ringfence.stamp_row();
CREATE TRIGGER stamp_row BEFORE INSERT OR UPDATE ON ringfence.import_mapping FOR EACH ROW EXECUTE FUNCTION ringfence.stamp_row();

CREATE FUNCTION ringfence.place_import_mapping() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $place$
BEGIN
    -- One error for a template that is not there, and for one that the session may not change.
    IF row_security_active(TG_RELID) AND NOT ringfence.writes_template(NEW.template_id) THEN
        RAISE EXCEPTION 'import template "%" cannot be changed in this session', NEW.template_id
            USING ERRCODE = 'insufficient_privilege',
                  HINT = 'SELECT id, name FROM ringfence.import_template lists templates. Changing one takes the right "import.run" in its project, or in all projects.';
    END IF;
    IF NEW.position IS NULL THEN
        SELECT least(coalesce(max(mapping.position), 0)::bigint + 1, 2147483647) INTO NEW.position
            FROM ringfence.import_mapping AS mapping WHERE mapping.owner_id = NEW.owner_id AND mapping.template_id = NEW.template_id;
    END IF;
    RETURN NEW;
END
$place$;
REVOKE ALL ON FUNCTION ringfence.place_import_mapping() FROM PUBLIC;
COMMENT ON FUNCTION ringfence.place_import_mapping() IS 'Trigger: a mapping without a position comes last. Error 42501: a template that the session may not change';
CREATE TRIGGER place_import_mapping BEFORE INSERT ON ringfence.import_mapping
    FOR EACH ROW EXECUTE FUNCTION ringfence.place_import_mapping();

-- Cells ------------------------------------------------------------------------------------------------------------------

-- In PL/pgSQL, whose simple expressions cost less for each cell than a query does.
CREATE FUNCTION ringfence.import_cell(cells jsonb, parts text[]) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $cell$
DECLARE
    around    CONSTANT text := E' \t\r\n\u00A0\uFEFF';
    part      text;
    found     text;
    made      text := '';
    columns   integer := 0;
    is_filled boolean := false;
BEGIN
    FOREACH part IN ARRAY parts LOOP
        IF left(part, 1) = '{' THEN
            columns := columns + 1;
            found := cells ->> substr(part, 2);
            is_filled := is_filled OR btrim(found, around) <> '';
            made := made || coalesce(found, '');
        ELSE
            made := made || substr(part, 2);
        END IF;
    END LOOP;
    -- A constant around columns that are all empty is no value.
    RETURN CASE WHEN is_filled OR columns = 0 THEN nullif(btrim(made, around), '') END;
END
$cell$;
REVOKE ALL ON FUNCTION ringfence.import_cell(jsonb, text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.import_cell(jsonb, text[]) TO ringfence_user;
COMMENT ON FUNCTION ringfence.import_cell(jsonb, text[]) IS 'The value of a mapping for a row; NULL if all its columns are empty. Part of import_customers()';

CREATE FUNCTION ringfence.import_number(cell text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $number$
DECLARE
    digits text := translate(cell, E' \u00A0\u202F''’_', '');
BEGIN
    -- The last of two kinds of separators is that of the decimals.
    IF strpos(digits, ',') > 0 AND strpos(digits, '.') > 0 THEN
        digits := CASE WHEN strpos(reverse(digits), ',') < strpos(reverse(digits), '.') THEN translate(digits, ',.', '.') ELSE replace(digits, ',', '') END;
    ELSE
        digits := replace(digits, ',', '.');
    END IF;
    RETURN CASE WHEN digits ~ '^[-+]?([0-9]{1,100}([.][0-9]{0,100})?|[.][0-9]{1,100})([eE][-+]?[0-9]{1,3})?$' THEN digits::numeric::text END;
END
$number$;
REVOKE ALL ON FUNCTION ringfence.import_number(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.import_number(text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.import_number(text) IS 'A number as spreadsheets write it, with either decimal separator; NULL if it is none. Part of import_customers()';

CREATE FUNCTION ringfence.import_phone(cell text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $phone$
DECLARE
    plain CONSTANT text := ltrim(btrim(cell, E' \t\r\n\u00A0\uFEFF'), '''’');
BEGIN
    -- A spreadsheet that takes a phone for a number writes 4155552671.0 or 4.15555E9, and one that does not an apostrophe first.
    RETURN CASE WHEN plain ~ '^[0-9]{3,30}[.]0+$' THEN split_part(plain, '.', 1)
                WHEN plain ~ '^[0-9]([.,][0-9]{1,20})?[eE][+]?[0-9]{1,2}$' THEN trunc(ringfence.import_number(plain)::numeric)::text
                ELSE plain END;
END
$phone$;
REVOKE ALL ON FUNCTION ringfence.import_phone(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.import_phone(text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.import_phone(text) IS 'The phone of a cell, without the changes that spreadsheets make; part of import_customers()';

CREATE FUNCTION ringfence.import_list(cell text) RETURNS text[]
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $list$
BEGIN
    IF cell !~ E'[;,/、\r\n]' THEN
        RETURN CASE WHEN btrim(cell, E' \t\u00A0') <> '' THEN ARRAY[btrim(cell, E' \t\u00A0')] ELSE '{}' END;
    END IF;
    RETURN ARRAY(SELECT btrim(item, E' \t\u00A0') FROM regexp_split_to_table(cell, E'[;,/、\r\n]+') WITH ORDINALITY AS items (item, place)
                  WHERE btrim(item, E' \t\u00A0') <> '' ORDER BY place);
END
$list$;
REVOKE ALL ON FUNCTION ringfence.import_list(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.import_list(text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.import_list(text) IS 'The items of a cell; part of import_customers()';

-- It catches errors, which no parallel worker can.
CREATE FUNCTION ringfence.import_date(cell text, date_format text) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $date$
DECLARE
    day date;
BEGIN
    IF cell ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' THEN
        RETURN cell;
    END IF;
    BEGIN
        day := to_date(cell, date_format);
    EXCEPTION WHEN data_exception THEN
        day := NULL;
    END;
    -- to_date() reads whatever it can of a text: only what it would write back is a date. Leading zeros do not count.
    IF regexp_replace(to_char(day, date_format), '\m0+([0-9])', '\1', 'g') IS DISTINCT FROM regexp_replace(cell, '\m0+([0-9])', '\1', 'g') THEN
        RAISE EXCEPTION '"%" is not a date of the form %', left(cell, 200), date_format USING ERRCODE = 'invalid_datetime_format',
              HINT = 'Set date_format of the template to the form that the file has.';
    END IF;
    RETURN to_char(day, 'YYYY-MM-DD');
END
$date$;
REVOKE ALL ON FUNCTION ringfence.import_date(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.import_date(text, text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.import_date(text, text) IS 'A date in ISO form, or of the form that is named, in ISO form. Error 22007: neither. Part of import_customers()';

CREATE FUNCTION ringfence.import_value(cell text, type text, date_format text) RETURNS jsonb
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $value$
BEGIN
    -- What is none of the type is for the field to refuse.
    RETURN CASE
        WHEN cell IS NULL THEN 'null'
        WHEN type = 'number' THEN coalesce(to_jsonb(ringfence.import_number(cell)::numeric), to_jsonb(cell))
        WHEN type = 'boolean' AND lower(cell) IN ('true', 'yes', 'y', 'x', '1', '1.0') THEN 'true'
        WHEN type = 'boolean' AND lower(cell) IN ('false', 'no', 'n', '0', '0.0') THEN 'false'
        WHEN type = 'date' THEN to_jsonb(ringfence.import_date(cell, date_format))
        WHEN type = 'phone' THEN to_jsonb(ringfence.import_phone(cell))
        WHEN type = 'choices' THEN to_jsonb(ringfence.import_list(cell))
        ELSE to_jsonb(cell) END;
END
$value$;
REVOKE ALL ON FUNCTION ringfence.import_value(text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.import_value(text, text, text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.import_value(text, text, text) IS 'A cell as the value of a custom field of that type; part of import_customers()';

CREATE FUNCTION ringfence.nearest_name(asked text, names text[]) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $nearest$
DECLARE
    one      CONSTANT text := left(lower(asked), 100);
    other    text;
    name     text;
    best     text;
    least_so_far integer := greatest(2, length(one) / 3) + 1;
    above    integer[];
    row      integer[];
BEGIN
    FOREACH name IN ARRAY coalesce(names, '{}') LOOP
        other := left(lower(name), 100);
        -- Letters to insert, leave out or change (Levenshtein).
        above := ARRAY(SELECT generate_series(0, length(other)));
        FOR i IN 1..length(one) LOOP
            row := ARRAY[i];
            FOR j IN 1..length(other) LOOP
                row := row || least(above[j + 1] + 1, row[j] + 1, above[j] + CASE WHEN substr(one, i, 1) = substr(other, j, 1) THEN 0 ELSE 1 END);
            END LOOP;
            above := row;
        END LOOP;
        IF above[length(other) + 1] < least_so_far THEN
            least_so_far := above[length(other) + 1];
            best := name;
        END IF;
    END LOOP;
    RETURN best;
END
$nearest$;
REVOKE ALL ON FUNCTION ringfence.nearest_name(text, text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.nearest_name(text, text[]) TO ringfence_user;
COMMENT ON FUNCTION ringfence.nearest_name(text, text[]) IS 'The name that is most like the one that was asked for, or NULL; part of import_customers()';

-- Rows -------------------------------------------------------------------------------------------------------------------

-- With ringfence.on_foreign_datum = 'skip' the report of an import names what was left out: data of another source that should have become
-- different, and are as they were.
CREATE FUNCTION ringfence.left_out_of(before ringfence.customer_card, given ringfence.customer_card) RETURNS text
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $left$
DECLARE
    record uuid;
    card   jsonb;
BEGIN
    IF current_setting('ringfence.on_foreign_datum') <> 'skip' THEN
        RETURN NULL;
    END IF;
    SELECT c.source_id, to_jsonb(seen) INTO record, card
      FROM ringfence.customer_card AS seen
      JOIN ringfence.customer AS c ON c.owner_id = seen.owner_id AND c.id = seen.id
     WHERE seen.owner_id = ringfence.current_owner() AND seen.id = given.id;
    RETURN (
        SELECT 'left out, because of another source: ' || string_agg(quote_ident(f.name), ', ' ORDER BY NOT f.is_system, f."position", f.name)
          FROM ringfence.visible_fields(true) AS f
         CROSS JOIN LATERAL (SELECT CASE WHEN f.is_system THEN to_jsonb(before) -> f.name ELSE before.attributes -> f.name END,
                                    CASE WHEN f.is_system THEN to_jsonb(given) -> f.name ELSE given.attributes -> f.name END,
                                    CASE WHEN f.is_system THEN card -> f.name ELSE card -> 'attributes' -> f.name END) AS datum (was, wanted, is_now)
         WHERE ringfence.authority_over(f.field_id, record) IS DISTINCT FROM ringfence.current_source()
           AND ringfence.authority_over(f.field_id, record) IS NOT NULL
           AND coalesce(nullif(datum.wanted, '[]'), 'null') <> coalesce(nullif(datum.was, '[]'), 'null')
           AND coalesce(nullif(datum.is_now, '[]'), 'null') = coalesce(nullif(datum.was, '[]'), 'null'));
END
$left$;
REVOKE ALL ON FUNCTION ringfence.left_out_of(ringfence.customer_card, ringfence.customer_card) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.left_out_of(ringfence.customer_card, ringfence.customer_card) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.left_out_of(ringfence.customer_card, ringfence.customer_card) IS 'Which data of a card were not written, because they belong to another source; part of import_customers()';

-- Definer, because it looks up unique values, as save_customer(); the rights of the session bind it.
CREATE FUNCTION ringfence.import_card(card jsonb, mode text, match_field text, OUT action text, OUT customer_id uuid, OUT reason text) RETURNS record
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $card$
DECLARE
    given ringfence.customer_card;
    saved ringfence.customer_card;
    same  uuid[];
BEGIN
    PERFORM ringfence.check_right('customer.read'), ringfence.check_right('customer.write');
    given := jsonb_populate_record(NULL::ringfence.customer_card, card);
    same := CASE WHEN match_field IS NOT NULL THEN ringfence.customers_like(given, match_field) END;
    action := 'rejected';
    IF cardinality(same) > 1 THEN
        -- A look-up stops at the second: all are named.
        IF match_field IN ('phone', 'phones') THEN
            same := ARRAY(SELECT DISTINCT c.id FROM unnest(ringfence.normal_phones(given.phones, ringfence.current_owner())) AS form
                           CROSS JOIN LATERAL ringfence.find_by_phone(form) AS found JOIN ringfence.customer AS c ON c.id = found.customer_id
                           WHERE c.owner_id = ringfence.current_owner() AND form = ANY (c.normal_phones));
        ELSIF match_field IN ('email', 'emails') THEN
            same := ARRAY(SELECT DISTINCT c.id FROM unnest(ringfence.normal_emails(given.emails)) AS form
                           CROSS JOIN LATERAL ringfence.find_by_email(form) AS found JOIN ringfence.customer AS c ON c.id = found.customer_id
                           WHERE c.owner_id = ringfence.current_owner() AND form = ANY (c.normal_emails));
        END IF;
        SELECT format('several customers have this %s: %s', quote_ident(match_field), string_agg(format('%s (%s)', left(c.name, 100), c.id), ', ' ORDER BY c.name, c.id))
          INTO reason FROM ringfence.customer AS c WHERE c.owner_id = ringfence.current_owner() AND c.id = ANY (same);
        RETURN;
    ELSIF cardinality(same) = 1 AND mode = 'add' THEN
        SELECT format('a customer has this %s already: %s (%s)', quote_ident(match_field), left(c.name, 100), c.id)
          INTO reason FROM ringfence.customer AS c WHERE c.owner_id = ringfence.current_owner() AND c.id = same[1];
        RETURN;
    ELSIF cardinality(same) = 1 THEN
        -- What the row does not name is written as it is: nobody may change it in between.
        PERFORM FROM ringfence.customer AS c WHERE c.owner_id = ringfence.current_owner() AND c.id = same[1] FOR UPDATE;
        SELECT * INTO saved FROM ringfence.customer_card AS c WHERE c.owner_id = ringfence.current_owner() AND c.id = same[1];
        IF NOT FOUND THEN
            reason := format('the customer with this %s was deleted meanwhile', quote_ident(match_field));
            RETURN;
        END IF;
        customer_id := saved.id;
        given := jsonb_populate_record(saved, card - 'attributes');
        given.phones := coalesce(given.phones, '{}');
        given.emails := coalesce(given.emails, '{}');
        given.attributes := jsonb_strip_nulls(saved.attributes || coalesce(card -> 'attributes', '{}'));
        IF (given.name, given.phones, given.emails, given.address, given.birth_date, given.language, given.company_id, given.attributes)
           IS NOT DISTINCT FROM (saved.name, saved.phones, saved.emails, saved.address, saved.birth_date, saved.language, saved.company_id, saved.attributes) THEN
            action := 'unchanged';
            RETURN;
        END IF;
        UPDATE ringfence.customer_card AS c
           SET name = given.name, phones = given.phones, emails = given.emails, address = given.address, birth_date = given.birth_date,
               language = given.language, company_id = given.company_id, attributes = given.attributes
         WHERE c.owner_id = ringfence.current_owner() AND c.id = saved.id;
        action := 'updated';
        reason := ringfence.left_out_of(saved, given);
        IF reason IS NOT NULL THEN
            SELECT * INTO given FROM ringfence.customer_card AS c WHERE c.owner_id = ringfence.current_owner() AND c.id = saved.id;
            IF (given.name, given.phones, given.emails, given.address, given.birth_date, given.language, given.company_id, given.attributes)
               IS NOT DISTINCT FROM (saved.name, saved.phones, saved.emails, saved.address, saved.birth_date, saved.language, saved.company_id, saved.attributes) THEN
                action := 'unchanged';
            END IF;
        END IF;
        RETURN;
    ELSIF mode = 'update' THEN
        reason := format('no customer has this %s', quote_ident(match_field));
        RETURN;
    END IF;
    IF given.name IS NULL THEN
        reason := 'the row has no name, and no customer to update';
        RETURN;
    END IF;
    INSERT INTO ringfence.customer_card AS c (id, name, phones, emails, address, birth_date, language, company_id, attributes)
        VALUES (given.id, given.name, given.phones, given.emails, given.address, given.birth_date, given.language, given.company_id,
                jsonb_strip_nulls(given.attributes))
        RETURNING c.id INTO customer_id;
    IF customer_id IS NULL THEN
        reason := 'not inserted: the name belongs to another source, or a trigger suppressed the row';
        RETURN;
    END IF;
    action := 'inserted';
    given.id := customer_id;
    reason := ringfence.left_out_of(NULL, given);
END
$card$;
ALTER FUNCTION ringfence.import_card(jsonb, text, text) OWNER TO ringfence_definer;
REVOKE ALL ON FUNCTION ringfence.import_card(jsonb, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.import_card(jsonb, text, text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.import_card(jsonb, text, text) IS 'One customer of an import: inserted, updated, unchanged or rejected, with the reason; part of import_customers()';

-- Definer, as import_card(). It inserts the first rows of a list: as many as are no customers yet, and are not alike among themselves.
CREATE FUNCTION ringfence.import_new(cards jsonb[], match_field text) RETURNS uuid[]
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $new$
DECLARE
    card  jsonb;
    given ringfence.customer_card;
    forms text[];
    seen  text[] := '{}';
    ids   uuid[] := '{}';
    made  bigint;
BEGIN
    PERFORM ringfence.check_right('customer.read'), ringfence.check_right('customer.write');
    FOREACH card IN ARRAY cards LOOP
        IF match_field IS NOT NULL THEN
            given := jsonb_populate_record(NULL::ringfence.customer_card, card);
            IF match_field IN ('phone', 'phones', 'email', 'emails') THEN
                forms := ringfence.matched_forms(given, match_field);
                EXIT WHEN forms && seen;
                seen := seen || forms;
            END IF;
            EXIT WHEN cardinality(ringfence.customers_like(given, match_field)) > 0;
        END IF;
        EXIT WHEN card ->> 'name' IS NULL;
        ids := ids || coalesce((card ->> 'id')::uuid, ringfence.new_id());
    END LOOP;
    IF ids = '{}' THEN
        RETURN ids;
    END IF;
    -- The work that the triggers of customer_card do for each row, for all rows together.
    INSERT INTO ringfence.customer (owner_id, id, name, phones, emails, address, birth_date, language, company_id, attributes)
        SELECT ringfence.current_owner(), new.id, one.name, coalesce(one.phones, '{}'), coalesce(one.emails, '{}'), one.address, one.birth_date,
               one.language, one.company_id, ringfence.write_attributes('{}', '{}', coalesce(jsonb_strip_nulls(one.attributes), '{}'))
          FROM unnest(cards[:cardinality(ids)], ids) AS new (card, id)
         CROSS JOIN LATERAL jsonb_populate_record(NULL::ringfence.customer_card, new.card) AS one
         WHERE ringfence.gather_search_keys();
    GET DIAGNOSTICS made = ROW_COUNT;
    PERFORM ringfence.write_search_keys();
    PERFORM ringfence.keep_unique_values(new.id, new.attributes) FROM ringfence.customer AS new
      WHERE new.owner_id = ringfence.current_owner() AND new.id = ANY (ids) AND EXISTS (SELECT FROM ringfence.unique_forms(new.attributes));
    -- A trigger of the DBA's has suppressed a row. Inserting the rows one by one finds it.
    IF made <> cardinality(ids) THEN
        RAISE EXCEPTION 'not all rows were inserted' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN ids;
END
$new$;
ALTER FUNCTION ringfence.import_new(jsonb[], text) OWNER TO ringfence_definer;
REVOKE ALL ON FUNCTION ringfence.import_new(jsonb[], text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.import_new(jsonb[], text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.import_new(jsonb[], text) IS 'Inserts the first cards of a list, up to one of a customer that is there, and returns their ids; part of import_customers()';

CREATE FUNCTION ringfence.plain_import_card(cells jsonb, targets text[], types text[], parts text[], lengths integer[], clears boolean[]) RETURNS jsonb
    LANGUAGE c IMMUTABLE PARALLEL SAFE STRICT AS 'MODULE_PATHNAME', 'plain_import_card_wrapper';
REVOKE ALL ON FUNCTION ringfence.plain_import_card(jsonb, text[], text[], text[], integer[], boolean[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.plain_import_card(jsonb, text[], text[], text[], integer[], boolean[]) TO ringfence_user;
COMMENT ON FUNCTION ringfence.plain_import_card(jsonb, text[], text[], text[], integer[], boolean[]) IS
    'The card that a row makes, or NULL where a cell takes a second look, by import_card_of(); part of import_customers()';

CREATE FUNCTION ringfence.import_card_of(cells jsonb, targets text[], types text[], sources text[], clears boolean[], date_format text) RETURNS jsonb
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $of$
DECLARE
    cell  text;
    items text[];
    card  jsonb := '{}';
    own   jsonb := '{}';
BEGIN
    FOR n IN 1..cardinality(targets) LOOP
        cell := ringfence.import_cell(cells, sources[n]::text[]);
        CONTINUE WHEN cell IS NULL AND NOT clears[n];
        CASE types[n]
        WHEN 'phones' THEN
            items := ringfence.import_list(coalesce(cell, ''));
            FOR place IN 1..cardinality(items) LOOP
                items[place] := ringfence.import_phone(items[place]);
            END LOOP;
            card := jsonb_set(card, '{phones}', coalesce(card -> 'phones', '[]') || to_jsonb(items));
        WHEN 'emails' THEN
            card := jsonb_set(card, '{emails}', coalesce(card -> 'emails', '[]') || to_jsonb(ringfence.import_list(coalesce(cell, ''))));
        WHEN 'birth_date' THEN
            card := card || jsonb_build_object('birth_date', ringfence.import_date(cell, date_format));
        WHEN 'id', 'name', 'address', 'language', 'company_id' THEN
            card := card || jsonb_build_object(targets[n], cell);
        ELSE
            own := own || jsonb_build_object(targets[n], ringfence.import_value(cell, substr(types[n], 7), date_format));
        END CASE;
    END LOOP;
    RETURN CASE WHEN own <> '{}' THEN card || jsonb_build_object('attributes', own) ELSE card END;
END
$of$;
REVOKE ALL ON FUNCTION ringfence.import_card_of(jsonb, text[], text[], text[], boolean[], text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.import_card_of(jsonb, text[], text[], text[], boolean[], text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.import_card_of(jsonb, text[], text[], text[], boolean[], text) IS 'The card that a row makes, its cells read as spreadsheets write them; part of import_customers()';

CREATE FUNCTION ringfence.show_import_progress(relation oid, rows bigint) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE STRICT AS 'MODULE_PATHNAME', 'show_import_progress_wrapper';
REVOKE ALL ON FUNCTION ringfence.show_import_progress(oid, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.show_import_progress(oid, bigint) TO ringfence_user;
COMMENT ON FUNCTION ringfence.show_import_progress(oid, bigint) IS 'Shows in pg_stat_progress_copy how far an import is; part of import_customers()';

CREATE FUNCTION ringfence.end_import_progress() RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE STRICT AS 'MODULE_PATHNAME', 'end_import_progress_wrapper';
REVOKE ALL ON FUNCTION ringfence.end_import_progress() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.end_import_progress() TO ringfence_user;
COMMENT ON FUNCTION ringfence.end_import_progress() IS 'An import is over; part of import_customers()';

CREATE FUNCTION ringfence.import_rows(template text, source regclass, rows jsonb, strict boolean, OUT line bigint, OUT action text, OUT customer_id uuid, OUT reason text)
    RETURNS SETOF record
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $import$
#variable_conflict use_variable
DECLARE
    system_targets CONSTANT text[] := '{id,name,phones,emails,address,birth_date,language,company_id}';
    chosen   ringfence.import_template;
    mapping  record;
    columns  text[];
    targets  text[] := '{}';
    types    text[] := '{}';
    sources  text[] := '{}';
    all_parts text[] := '{}';
    lengths  integer[] := '{}';
    clears   boolean[] := '{}';
    parts    text[];
    part     text;
    nearest  text;
    code     text;
    hint     text;
    broken   text;
    done     record;
    -- Rows are read in batches of this size: the cells of each, and its card if plain_import_card() makes it.
    most     CONSTANT integer := 500;
    input    refcursor;
    cells    jsonb;
    rows_of_batch jsonb[];
    cards    jsonb[];
    place    integer;
    -- The number of new customers that are inserted together. It doubles each time that succeeds.
    together integer := 64;
    -- So that each row tells what was left out of it.
    one_by_one boolean;
    up_to    integer;
    made     uuid[];
BEGIN
    PERFORM ringfence.check_right('import.run'), ringfence.check_right('customer.read'), ringfence.check_right('customer.write');
    -- Not an error of each row.
    PERFORM ringfence.current_source();
    one_by_one := current_setting('ringfence.on_foreign_datum') = 'skip';
    SELECT t.* INTO chosen FROM ringfence.import_template AS t
     WHERE t.owner_id = ringfence.current_owner() AND (t.name = template OR t.id::text = lower(template));
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no import template "%" is in reach', left(template, 200)
            USING ERRCODE = 'no_data_found', HINT = 'SELECT name FROM ringfence.import_template lists the templates of the owner.';
    END IF;
    IF chosen.project_id IS NOT NULL AND (ringfence.current_project() <> chosen.project_id OR NOT ringfence.has_right_in('import.run', chosen.project_id)) THEN
        RAISE EXCEPTION 'import template "%" belongs to another project', chosen.name
            USING ERRCODE = 'insufficient_privilege', HINT = 'Select the project of the template, or no project. The session needs the right "import.run" there.';
    END IF;
    IF source IS NOT NULL THEN
        columns := ARRAY(SELECT attname::text FROM pg_attribute WHERE attrelid = source AND attnum > 0 AND NOT attisdropped ORDER BY attnum);
    ELSIF jsonb_typeof(rows) = 'array' AND NOT jsonb_path_exists(rows, 'strict $[*] ? (@.type() != "object")') THEN
        columns := ARRAY(SELECT DISTINCT key FROM jsonb_array_elements(rows) AS given CROSS JOIN LATERAL jsonb_object_keys(given.value) AS key ORDER BY key);
    ELSE
        RAISE EXCEPTION 'rows must be a JSON array of objects' USING ERRCODE = 'invalid_parameter_value', HINT = 'Give them as in [{"Name": "Tsai"}].';
    END IF;

    IF rows = '[]' THEN
        RETURN;
    END IF;
    FOR mapping IN SELECT m.target, m.source, m.on_empty FROM ringfence.import_mapping AS m
                    WHERE m.owner_id = ringfence.current_owner() AND m.template_id = chosen.id ORDER BY m.position LOOP
        parts := ringfence.import_parts(mapping.source);
        -- A file that begins with a byte order mark has it in the name of its first column.
        parts := ARRAY(SELECT CASE WHEN left(piece, 1) = '{' AND substr(piece, 2) <> ALL (columns) AND E'\uFEFF' || substr(piece, 2) = ANY (columns)
                                   THEN E'{\uFEFF' || substr(piece, 2) ELSE piece END
                         FROM unnest(parts) WITH ORDINALITY AS pieces (piece, place) ORDER BY place);
        FOREACH part IN ARRAY parts LOOP
            IF left(part, 1) = '{' AND substr(part, 2) <> ALL (columns) THEN
                nearest := ringfence.nearest_name(substr(part, 2), columns[:1000]);
                RAISE EXCEPTION 'the source has no column "%"', left(substr(part, 2), 200)
                    USING ERRCODE = 'undefined_column',
                          DETAIL = format('The columns are: %s.', (SELECT string_agg(left(name, 200), ', ') FROM unnest(columns[:100]) AS name)),
                          HINT = CASE WHEN nearest IS NOT NULL THEN format('Did you mean {{%s}}? ', nearest) ELSE '' END || 'Names of columns are compared exactly, case included.';
            END IF;
        END LOOP;
        IF mapping.target = ANY (system_targets) THEN
            types := types || mapping.target;
        ELSE
            types := types || (SELECT 'field ' || f.type FROM ringfence.visible_fields() AS f
                                WHERE f.name = mapping.target AND NOT f.is_system AND f.access = 'write'
                                  AND (chosen.project_id IS NULL OR ringfence.writes_field_in(f.field_id, chosen.project_id)));
            IF cardinality(types) = cardinality(targets) OR types[cardinality(targets) + 1] IS NULL THEN
                RAISE EXCEPTION 'field "%" cannot be written in this session', left(mapping.target, 200)
                    USING ERRCODE = 'insufficient_privilege', HINT = 'SELECT * FROM ringfence.visible_fields() lists the fields of this session and how they may be used.';
            END IF;
        END IF;
        targets := targets || mapping.target;
        -- Each list of parts as one text: arrays of arrays must be of one length.
        sources := sources || parts::text;
        all_parts := all_parts || parts;
        lengths := lengths || cardinality(parts);
        clears := clears || (mapping.on_empty = 'clear');
    END LOOP;
    IF cardinality(targets) = 0 THEN
        RAISE EXCEPTION 'import template "%" has no mapping', chosen.name USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;

    line := 0;
    OPEN input FOR EXECUTE CASE WHEN source IS NOT NULL THEN format('SELECT to_jsonb(row_of_source) FROM %s AS row_of_source', source)
                                ELSE 'SELECT value FROM jsonb_array_elements($1)' END USING rows;
    LOOP
        PERFORM ringfence.show_import_progress(coalesce(source, 0::oid), line);
        rows_of_batch := '{}';
        cards := '{}';
        FOR n IN 1..most LOOP
            FETCH input INTO cells;
            EXIT WHEN NOT FOUND;
            rows_of_batch := rows_of_batch || cells;
            cards := cards || ringfence.plain_import_card(cells, targets, types, all_parts, lengths, clears);
        END LOOP;
        EXIT WHEN cardinality(cards) = 0;
        place := 1;
        WHILE place <= cardinality(cards) LOOP
            IF together >= 8 AND NOT one_by_one AND chosen.mode <> 'update' AND cards[place] IS NOT NULL THEN
                up_to := place;
                WHILE up_to - place + 1 < together AND cards[up_to + 1] IS NOT NULL LOOP
                    up_to := up_to + 1;
                END LOOP;
                BEGIN
                    made := ringfence.import_new(cards[place:up_to], chosen.match_field);
                EXCEPTION WHEN data_exception OR integrity_constraint_violation OR insufficient_privilege OR no_data_found OR cardinality_violation OR program_limit_exceeded THEN
                    -- The rows go one by one now, which finds the bad one and its error.
                    made := '{}';
                    together := together / 4;
                END;
                action := 'inserted';
                reason := NULL;
                FOREACH customer_id IN ARRAY made LOOP
                    line := line + 1;
                    RETURN NEXT;
                END LOOP;
                place := place + cardinality(made);
                IF made <> '{}' THEN
                    together := least(2 * together, most);
                    CONTINUE;
                END IF;
            END IF;
            line := line + 1;
            BEGIN
                done := ringfence.import_card(
                    coalesce(cards[place], ringfence.import_card_of(rows_of_batch[place], targets, types, sources, clears, chosen.date_format)),
                    chosen.mode, chosen.match_field);
                action := done.action;
                customer_id := done.customer_id;
                reason := done.reason;
                IF action = 'rejected' AND strict THEN
                    RAISE EXCEPTION '%', reason USING ERRCODE = 'integrity_constraint_violation';
                END IF;
            EXCEPTION WHEN data_exception OR integrity_constraint_violation OR insufficient_privilege OR no_data_found OR cardinality_violation OR program_limit_exceeded THEN
                GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, reason = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT, broken = CONSTRAINT_NAME;
                action := 'rejected';
                customer_id := NULL;
                reason := CASE broken
                    WHEN 'customer_owner_id_company_id_fkey' THEN 'there is no such company'
                    WHEN 'customer_name_check' THEN 'the name of a customer must have a visible character, and at most 2500 bytes'
                    WHEN 'customer_pkey' THEN 'there is a customer with this id already'
                    ELSE replace(reason, 'the card has no', 'the row has no') || CASE WHEN hint LIKE 'Expected %' THEN '. ' || hint ELSE '' END END;
                IF strict THEN
                    RAISE EXCEPTION 'line %: %', line, reason USING ERRCODE = code, HINT = 'With strict nothing is imported if one row is rejected.';
                END IF;
            END;
            together := CASE action WHEN 'inserted' THEN least(2 * together, most) ELSE greatest(together / 2, 1) END;
            place := place + 1;
            RETURN NEXT;
        END LOOP;
    END LOOP;
    CLOSE input;
    PERFORM ringfence.end_import_progress();
END
$import$;
REVOKE ALL ON FUNCTION ringfence.import_rows(text, regclass, jsonb, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.import_rows(text, regclass, jsonb, boolean) TO ringfence_user;
COMMENT ON FUNCTION ringfence.import_rows(text, regclass, jsonb, boolean) IS 'Imports the rows of a relation, or rows as JSON; part of import_customers()';

CREATE FUNCTION ringfence.import_or_try(template text, source regclass, rows jsonb, strict boolean, dry_run boolean, OUT line bigint, OUT action text, OUT customer_id uuid, OUT reason text)
    RETURNS SETOF record
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $try$
BEGIN
    IF NOT coalesce(dry_run, false) THEN
        RETURN QUERY SELECT * FROM ringfence.import_rows(template, source, rows, coalesce(strict, false));
        RETURN;
    END IF;
    BEGIN
        FOR line, action, customer_id, reason IN SELECT * FROM ringfence.import_rows(template, source, rows, coalesce(strict, false)) LOOP
            customer_id := CASE WHEN action <> 'inserted' THEN customer_id END;
            RETURN NEXT;
        END LOOP;
        RAISE EXCEPTION USING ERRCODE = 'RFDRY', MESSAGE = 'undone';
    EXCEPTION WHEN SQLSTATE 'RFDRY' THEN
        -- What was tried is undone.
        NULL;
    END;
END
$try$;
REVOKE ALL ON FUNCTION ringfence.import_or_try(text, regclass, jsonb, boolean, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.import_or_try(text, regclass, jsonb, boolean, boolean) TO ringfence_user;
COMMENT ON FUNCTION ringfence.import_or_try(text, regclass, jsonb, boolean, boolean) IS 'Imports, or tries to and undoes it; part of import_customers()';

CREATE FUNCTION ringfence.import_customers(template text, source regclass, strict boolean DEFAULT false, dry_run boolean DEFAULT false,
    OUT line bigint, OUT action text, OUT customer_id uuid, OUT reason text) RETURNS SETOF record
    LANGUAGE sql VOLATILE ROWS 1000
    BEGIN ATOMIC
        SELECT * FROM ringfence.import_or_try(template, source, NULL, strict, dry_run);
    END;
REVOKE ALL ON FUNCTION ringfence.import_customers(text, regclass, boolean, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.import_customers(text, regclass, boolean, boolean) TO ringfence_user;
COMMENT ON FUNCTION ringfence.import_customers(text, regclass, boolean, boolean) IS
    'Imports the rows of a relation by a template, and returns a result for each. A bad row is rejected, or with strict the whole import. Error P0002: no such template; 42703: no such column';

CREATE FUNCTION ringfence.import_customers(template text, rows jsonb, strict boolean DEFAULT false, dry_run boolean DEFAULT false,
    OUT line bigint, OUT action text, OUT customer_id uuid, OUT reason text) RETURNS SETOF record
    LANGUAGE sql VOLATILE ROWS 1000
    BEGIN ATOMIC
        SELECT * FROM ringfence.import_or_try(template, NULL, coalesce(rows, 'null'), strict, dry_run);
    END;
REVOKE ALL ON FUNCTION ringfence.import_customers(text, jsonb, boolean, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.import_customers(text, jsonb, boolean, boolean) TO ringfence_user;
COMMENT ON FUNCTION ringfence.import_customers(text, jsonb, boolean, boolean) IS 'The same of an array of JSON objects';

-- A literal without a type goes here: PostgreSQL prefers text.
CREATE FUNCTION ringfence.import_customers(template text, source text, strict boolean DEFAULT false, dry_run boolean DEFAULT false,
    OUT line bigint, OUT action text, OUT customer_id uuid, OUT reason text) RETURNS SETOF record
    LANGUAGE sql VOLATILE ROWS 1000
    BEGIN ATOMIC
        SELECT * FROM ringfence.import_or_try(template, source::regclass, NULL, strict, dry_run);
    END;
REVOKE ALL ON FUNCTION ringfence.import_customers(text, text, boolean, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.import_customers(text, text, boolean, boolean) TO ringfence_user;
COMMENT ON FUNCTION ringfence.import_customers(text, text, boolean, boolean) IS 'The same of a relation by its name';

-- What an owner that is made now begins with.
INSERT INTO ringfence.ticket_status (owner_id, name, is_closed, position, created_by, updated_by)
    SELECT owner.id, status.name, status.is_closed, status.position, current_user, current_user
      FROM ringfence.owner CROSS JOIN (VALUES ('new', false, 1), ('open', false, 2), ('pending', false, 3), ('solved', true, 4), ('closed', true, 5))
           AS status (name, is_closed, position);

-- An owner's life ------------------------------------------------------------------------------------------------------

-- For triggers that keep what an owner cannot be without.
CREATE FUNCTION ringfence.is_deleting_owner() RETURNS boolean
    LANGUAGE c STABLE PARALLEL RESTRICTED STRICT AS 'MODULE_PATHNAME', 'is_deleting_owner_wrapper';
REVOKE ALL ON FUNCTION ringfence.is_deleting_owner() FROM PUBLIC;
-- ringfence_tables calls it too: a referential action deletes fields and profiles with their owner.
GRANT EXECUTE ON FUNCTION ringfence.is_deleting_owner() TO ringfence_user, ringfence_admin, ringfence_tables, ringfence_definer;
COMMENT ON FUNCTION ringfence.is_deleting_owner() IS 'Whether delete_owner() or purge_owner() is deleting rows in this session; for triggers';

-- Part of its rows may be gone. A superuser may think better of it.
CREATE FUNCTION ringfence.keep_purge() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $keep$
BEGIN
    IF OLD.purge_began_at IS NOT NULL AND row_security_active(TG_RELID)
       AND (NEW.enabled OR NEW.purge_began_at IS DISTINCT FROM OLD.purge_began_at) THEN
        RAISE EXCEPTION 'owner "%" is being deleted', OLD.name
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'CALL ringfence.purge_owner(...) goes on deleting it.';
    END IF;
    RETURN NEW;
END
$keep$;
REVOKE ALL ON FUNCTION ringfence.keep_purge() FROM PUBLIC;
COMMENT ON FUNCTION ringfence.keep_purge() IS 'Trigger: error 55000 on enabling an owner that purge_owner() has begun to delete';
CREATE TRIGGER keep_purge BEFORE UPDATE OF enabled, purge_began_at ON ringfence.owner
    FOR EACH ROW EXECUTE FUNCTION ringfence.keep_purge();

-- Which tables have rows of an owner is read from the catalog, so that a table of a later version is not forgotten.

-- Tables of the extension, and those that a superuser has walled as they are. Anybody could give a table of their own a policy of that name, and a
-- trigger that runs as who deletes from it: such a table does not belong to ringfence_tables.
--
-- A table that refers to others is in a step before them. Tables that refer to each other in a circle are in one step.
-- A table of the extension's whose wall is damaged is no reason to leave out its rows, of which then nobody would know: it is an error.
CREATE FUNCTION ringfence.require_whole_walls() RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $whole$
DECLARE
    damaged text;
    hiding  text;
BEGIN
    SELECT string_agg(class.oid::regclass::text, ', ' ORDER BY class.relname) INTO damaged
      FROM pg_class AS class
      JOIN pg_attribute AS owner_id ON owner_id.attrelid = class.oid AND owner_id.attname = 'owner_id' AND NOT owner_id.attisdropped
     WHERE class.relkind IN ('r', 'p') AND NOT class.relispartition
       AND (class.relowner = 'ringfence_tables'::regrole
            OR class.oid IN (SELECT objid FROM pg_depend JOIN pg_extension AS extension ON extension.oid = refobjid AND extension.extname = 'ringfence'
                              WHERE classid = 'pg_class'::regclass AND refclassid = 'pg_extension'::regclass AND deptype = 'e'))
       AND NOT (class.relrowsecurity AND class.relforcerowsecurity AND class.relowner = 'ringfence_tables'::regrole
                AND EXISTS (SELECT FROM pg_policy AS wall
                             WHERE wall.polrelid = class.oid AND wall.polname = 'owner_wall' AND NOT wall.polpermissive
                               AND wall.polcmd = '*' AND wall.polroles = '{0}'));
    -- It binds the extension's own role too, which would then export and delete some of the rows, and count no others.
    IF damaged IS NULL THEN
        SELECT string_agg(format('%I on %s', policy.polname, policy.polrelid::regclass), ', ' ORDER BY policy.polname) INTO hiding
          FROM pg_policy AS policy
          JOIN pg_class AS class ON class.oid = policy.polrelid AND class.relowner = 'ringfence_tables'::regrole
         WHERE NOT policy.polpermissive AND policy.polname <> 'owner_wall'
           AND EXISTS (SELECT FROM unnest(policy.polroles) AS bound WHERE bound = 0 OR pg_has_role('ringfence_definer', bound, 'USAGE'));
        IF hiding IS NOT NULL THEN
            RAISE EXCEPTION 'policies hide rows of an owner from the extension: %', hiding
                USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'Give the policy to roles of applications that are not above ringfence_user: ALTER POLICY ... TO app.';
        END IF;
    END IF;
    IF damaged IS NOT NULL THEN
        RAISE EXCEPTION 'the wall of % is damaged', damaged
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'ringfence.health() tells how to mend it.';
    END IF;
END
$whole$;
REVOKE ALL ON FUNCTION ringfence.require_whole_walls() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.require_whole_walls() TO ringfence_definer;
COMMENT ON FUNCTION ringfence.require_whole_walls() IS 'Error 55000 if a table of owners is not behind the wall, or hides rows from the extension; internal';

CREATE FUNCTION ringfence.tables_by_step(OUT relation regclass, OUT step integer, OUT in_circle boolean) RETURNS SETOF record
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $tables$
BEGIN
    PERFORM ringfence.require_whole_walls();
    RETURN QUERY
    WITH RECURSIVE walled AS (
        SELECT class.oid
          FROM pg_class AS class
          JOIN pg_policy AS wall ON wall.polrelid = class.oid AND wall.polname = 'owner_wall' AND NOT wall.polpermissive
          JOIN pg_attribute AS owner_id ON owner_id.attrelid = class.oid AND owner_id.attname = 'owner_id' AND NOT owner_id.attisdropped
         WHERE class.relkind IN ('r', 'p') AND NOT class.relispartition AND class.relrowsecurity AND class.relforcerowsecurity
           AND class.relowner = 'ringfence_tables'::regrole
    ), refers AS (
        SELECT conrelid AS child, confrelid AS parent
          FROM pg_constraint
         WHERE contype = 'f' AND conrelid IN (SELECT oid FROM walled) AND confrelid IN (SELECT oid FROM walled)
    ), above AS (
        SELECT child, parent FROM refers
        UNION
        SELECT above.child, refers.parent FROM above JOIN refers ON refers.child = above.parent
    ), placed AS (
        -- All that is above a table is also above the tables that refer to it. So those have more above them, but for a circle, where all have the same.
        SELECT walled.oid, count(above.parent) AS ancestors,
               coalesce(bool_or(above.parent = walled.oid), false) AS in_circle,
               CASE WHEN bool_or(above.parent = walled.oid)
                    THEN (SELECT min(other.child) FROM above AS other JOIN above AS back ON back.child = walled.oid AND back.parent = other.child
                           WHERE other.parent = walled.oid)
                    ELSE walled.oid END AS circle
          FROM walled LEFT JOIN above ON above.child = walled.oid
         GROUP BY walled.oid)
    SELECT placed.oid::regclass,
           dense_rank() OVER (ORDER BY placed.ancestors DESC, named.nspname, class.relname, placed.circle)::integer,
           placed.in_circle
      FROM placed
      JOIN pg_class AS class ON class.oid = placed.circle
      JOIN pg_namespace AS named ON named.oid = class.relnamespace
     ORDER BY 2, placed.oid::regclass::text;
END
$tables$;
REVOKE ALL ON FUNCTION ringfence.tables_by_step() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.tables_by_step() TO ringfence_definer;
COMMENT ON FUNCTION ringfence.tables_by_step() IS 'The tables that have rows of owners, in the order in which rows can be deleted; error 55000 if the wall of one is damaged. Internal';

-- Rows of a table without a wall cannot be counted by owner. They may refer to an owner's rows: then they keep these from being deleted. But they must not
-- be deleted or changed with them, uncounted.
CREATE FUNCTION ringfence.refuse_references_from_outside() RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $refuse$
DECLARE
    outside record;
BEGIN
    SELECT conname, conrelid::regclass AS child, confrelid::regclass AS parent INTO outside
      FROM pg_constraint
     WHERE contype = 'f' AND conparentid = 0 AND confdeltype IN ('c', 'n', 'd')
       AND (confrelid = 'ringfence.owner'::regclass OR confrelid IN (SELECT found.relation FROM ringfence.tables_by_step() AS found))
       AND conrelid NOT IN (SELECT found.relation FROM ringfence.tables_by_step() AS found)
     LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'table %, which is not behind the wall, would lose rows with %', outside.child, outside.parent
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = format('They cannot be counted. Make foreign key %I one without ON DELETE CASCADE, SET NULL or SET DEFAULT.', outside.conname);
    END IF;
END
$refuse$;
REVOKE ALL ON FUNCTION ringfence.refuse_references_from_outside() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.refuse_references_from_outside() TO ringfence_definer;
COMMENT ON FUNCTION ringfence.refuse_references_from_outside() IS 'Error 55000 if a table without a wall would lose rows with those of an owner; internal';

CREATE FUNCTION ringfence.qualified_name(relation regclass) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $name$
    SELECT format('%I.%I', named.nspname, class.relname)
      FROM pg_class AS class JOIN pg_namespace AS named ON named.oid = class.relnamespace WHERE class.oid = relation
$name$;
REVOKE ALL ON FUNCTION ringfence.qualified_name(regclass) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.qualified_name(regclass) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.qualified_name(regclass) IS 'The name of a relation with that of its schema; internal';

-- The functions below are called as the definer, behind the wall of one owner. They name the owner all the same: a superuser may have changed
-- the policy.
CREATE FUNCTION ringfence.count_rows(OUT relation text, OUT rows bigint) RETURNS SETOF record
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $count$
DECLARE
    own   CONSTANT uuid := ringfence.current_owner();
    place regclass;
BEGIN
    FOR place IN SELECT found.relation FROM ringfence.tables_by_step() AS found ORDER BY found.step LOOP
        EXECUTE format('SELECT count(*) FROM %s WHERE owner_id = $1', place) INTO rows USING own;
        relation := ringfence.qualified_name(place);
        RETURN NEXT;
    END LOOP;
END
$count$;
REVOKE ALL ON FUNCTION ringfence.count_rows() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.count_rows() TO ringfence_definer;
COMMENT ON FUNCTION ringfence.count_rows() IS 'How many rows each table has of the owner; internal';

CREATE FUNCTION ringfence.describe_rows() RETURNS text
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $describe$
DECLARE
    own       CONSTANT uuid := ringfence.current_owner();
    total     bigint;
    said      text;
BEGIN
    SELECT sum(counted.rows) INTO total FROM ringfence.count_rows() AS counted;
    WITH kinds AS (
        SELECT count(*) FILTER (WHERE kind = 'call') AS calls, count(*) FILTER (WHERE kind = 'email') AS emails,
               count(*) FILTER (WHERE kind NOT IN ('call', 'email')) AS others
          FROM ringfence.interaction WHERE owner_id = own
    ), counted (place, rows, one, many, holds) AS (
        SELECT 1, (SELECT count(*) FROM ringfence.customer WHERE owner_id = own), 'customer', 'customers', true
        UNION ALL SELECT 2, (SELECT count(*) FROM ringfence.company WHERE owner_id = own), 'company', 'companies', true
        UNION ALL SELECT 3, (SELECT count(*) FROM ringfence.ticket WHERE owner_id = own), 'ticket', 'tickets', true
        UNION ALL SELECT 4, kinds.calls, 'call', 'calls', true FROM kinds
        UNION ALL SELECT 5, kinds.emails, 'e-mail', 'e-mails', true FROM kinds
        UNION ALL SELECT 6, kinds.others, 'other interaction', 'other interactions', true FROM kinds
        UNION ALL SELECT 7, (SELECT count(*) FROM ringfence.project WHERE owner_id = own), 'project', 'projects', true
        UNION ALL SELECT 8, (SELECT count(*) FROM ringfence.field WHERE owner_id = own AND NOT is_system), 'field', 'fields', true
        UNION ALL SELECT 9, (SELECT count(*) FROM ringfence.channel WHERE owner_id = own), 'channel', 'channels', true
        UNION ALL SELECT 10, (SELECT count(*) FROM ringfence.access WHERE owner_id = own), 'grant of access', 'grants of access', true
        UNION ALL SELECT 11, (SELECT count(*) FROM ringfence.source WHERE owner_id = own), 'source', 'sources', true
        UNION ALL SELECT 12, (SELECT count(*) FROM ringfence.proposed_value WHERE owner_id = own), 'proposal', 'proposals', true
        UNION ALL SELECT 13, (SELECT count(*) FROM ringfence.change WHERE owner_id = own), 'change in the history', 'changes in the history', true
    ), all_counted AS (
        SELECT * FROM counted
        UNION ALL SELECT 14, total - sum(counted.rows), 'other row', 'other rows', true FROM counted
    ), phrases AS (
        SELECT place, to_char(rows, 'FM999,999,999,999,999,999') || ' ' || CASE rows WHEN 1 THEN one ELSE many END AS phrase
          FROM all_counted WHERE rows > 0
    )
    SELECT coalesce(string_agg(phrase, ', ' ORDER BY place) FILTER (WHERE place < last), '')
           || CASE WHEN count(*) > 1 THEN ' and ' ELSE '' END || max(phrase) FILTER (WHERE place = last)
      INTO said
      FROM phrases, (SELECT max(place) AS last FROM phrases) AS ending;
    RETURN said;
END
$describe$;
REVOKE ALL ON FUNCTION ringfence.describe_rows() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.describe_rows() TO ringfence_definer;
COMMENT ON FUNCTION ringfence.describe_rows() IS 'What an owner has, in words; internal';

CREATE FUNCTION ringfence.delete_owner_preview(owner text, OUT relation text, OUT rows bigint) RETURNS SETOF record
    LANGUAGE c STABLE PARALLEL UNSAFE ROWS 30 AS 'MODULE_PATHNAME', 'delete_owner_preview_wrapper';
REVOKE ALL ON FUNCTION ringfence.delete_owner_preview(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.delete_owner_preview(text) TO ringfence_admin;
COMMENT ON FUNCTION ringfence.delete_owner_preview(text) IS 'How many rows each table has of an owner, in the order in which delete_owner() deletes them. Error P0002: no such owner';

CREATE FUNCTION ringfence.deletion_question(owner text) RETURNS text
    LANGUAGE c STABLE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'deletion_question_wrapper';
REVOKE ALL ON FUNCTION ringfence.deletion_question(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.deletion_question(text) TO ringfence_admin;
COMMENT ON FUNCTION ringfence.deletion_question(text) IS 'What to ask a person before an owner is deleted, with all that it has in exact counts. Error P0002: no such owner';

-- Deletes from the tables of a step at once. PostgreSQL checks foreign keys at the end of a statement, when the rows of a circle are gone.
CREATE FUNCTION ringfence.delete_step(tables regclass[]) RETURNS bigint[]
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $step$
DECLARE
    own     CONSTANT uuid := ringfence.current_owner();
    number  bigint;
    deleted bigint[];
BEGIN
    IF cardinality(tables) = 1 THEN
        EXECUTE format('DELETE FROM %s WHERE owner_id = $1', tables[1]) USING own;
        GET DIAGNOSTICS number = ROW_COUNT;
        RETURN ARRAY[number];
    END IF;
    EXECUTE (SELECT 'WITH ' || string_agg(format('d%s AS (DELETE FROM %s WHERE owner_id = $1 RETURNING 1)', place, relation), ', ' ORDER BY place)
                    || ' SELECT ARRAY[' || string_agg(format('(SELECT count(*) FROM d%s)', place), ', ' ORDER BY place) || ']'
               FROM unnest(tables) WITH ORDINALITY AS each (relation, place))
       INTO deleted USING own;
    RETURN deleted;
END
$step$;
REVOKE ALL ON FUNCTION ringfence.delete_step(regclass[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.delete_step(regclass[]) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.delete_step(regclass[]) IS 'Deletes all rows of the owner from these tables, and returns how many; internal';

CREATE FUNCTION ringfence.delete_rows(OUT relation text, OUT deleted bigint, OUT remaining bigint) RETURNS SETOF record
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $delete$
DECLARE
    counted CONSTANT jsonb := (SELECT jsonb_object_agg(before.relation, before.rows) FROM ringfence.count_rows() AS before);
    gone    jsonb := '{}';
    tables  regclass[];
    numbers bigint[];
BEGIN
    PERFORM ringfence.refuse_references_from_outside();
    FOR tables IN SELECT array_agg(found.relation ORDER BY found.relation::text) FROM ringfence.tables_by_step() AS found GROUP BY found.step ORDER BY found.step LOOP
        numbers := ringfence.delete_step(tables);
        FOR n IN 1 .. cardinality(tables) LOOP
            gone := gone || jsonb_build_object(ringfence.qualified_name(tables[n]), numbers[n]);
        END LOOP;
    END LOOP;
    FOR relation, remaining IN SELECT after.relation, after.rows FROM ringfence.count_rows() AS after LOOP
        deleted := gone -> relation;
        IF remaining <> 0 OR deleted IS DISTINCT FROM (counted -> relation)::bigint THEN
            RAISE EXCEPTION 'the rows that were deleted from % are not those that were counted', relation
                USING ERRCODE = 'object_not_in_prerequisite_state',
                      DETAIL = format('Counted: %s; deleted: %s; left: %s.', counted -> relation, deleted, remaining),
                      HINT = 'Nothing is deleted. A trigger that was added to the table, or a role that row-level security does not bind, may have changed its rows.';
        END IF;
        RETURN NEXT;
    END LOOP;
END
$delete$;
REVOKE ALL ON FUNCTION ringfence.delete_rows() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.delete_rows() TO ringfence_definer;
COMMENT ON FUNCTION ringfence.delete_rows() IS 'Deletes all rows of the owner. Error 55000: not those that were counted. Internal';

-- Not SECURITY DEFINER: it must see whether the session's own role calls it, or a function that runs as another role.
CREATE FUNCTION ringfence.delete_owner(owner text, confirm text, OUT relation text, OUT deleted bigint, OUT remaining bigint) RETURNS SETOF record
    LANGUAGE c VOLATILE PARALLEL UNSAFE ROWS 30 AS 'MODULE_PATHNAME', 'delete_owner_wrapper';
REVOKE ALL ON FUNCTION ringfence.delete_owner(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.delete_owner(text, text) TO ringfence_admin;
COMMENT ON FUNCTION ringfence.delete_owner(text, text) IS
    'Deletes an owner and every row of it, if its name is repeated. Error 22023: it is not; P0002: no such owner; 55000: the house owner, or not what was counted; 25001: not in READ COMMITTED';

-- The parts of purge_owner(). Each batch is a transaction.
CREATE FUNCTION ringfence.disable_for_purge() RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $disable$
BEGIN
    PERFORM ringfence.refuse_references_from_outside();
    UPDATE ringfence.owner SET enabled = false, purge_began_at = coalesce(purge_began_at, clock_timestamp()) WHERE id = ringfence.current_owner();
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the owner cannot be disabled'
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'A trigger that was added to table ringfence.owner may keep it.';
    END IF;
END
$disable$;
REVOKE ALL ON FUNCTION ringfence.disable_for_purge() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.disable_for_purge() TO ringfence_definer;
COMMENT ON FUNCTION ringfence.disable_for_purge() IS 'Notes that an owner is being deleted in batches; internal';

-- A position is the number of a step, and within the step the key of the row that was deleted last. So no batch reads again what those before it have
-- left dead.
CREATE FUNCTION ringfence.delete_batch("position" jsonb, batch integer) RETURNS jsonb
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $batch$
DECLARE
    own       CONSTANT uuid := ringfence.current_owner();
    this_step CONSTANT integer := coalesce(("position" ->> 'step')::integer, 1);
    after     CONSTANT jsonb := "position" -> 'after';
    -- How many rows the batches before have deleted since the beginning of the table.
    before    CONSTANT bigint := coalesce(("position" ->> 'gone')::bigint, 0);
    tables    regclass[];
    circular  boolean;
    keys      text;
    bounds    text := '';
    until     jsonb;
    gone      bigint;
    is_left   boolean;
BEGIN
    SELECT array_agg(found.relation ORDER BY found.relation::text), bool_or(found.in_circle) INTO tables, circular
      FROM ringfence.tables_by_step() AS found WHERE found.step = this_step;
    IF tables IS NULL THEN
        -- After the last step. Should there be rows again, begin with them.
        RETURN (SELECT jsonb_build_object('step', min(found.step)) FROM ringfence.tables_by_step() AS found
                  JOIN ringfence.count_rows() AS counted ON counted.relation = ringfence.qualified_name(found.relation)
                 WHERE counted.rows > 0 HAVING count(*) > 0);
    END IF;
    IF circular THEN
        SELECT sum(number) INTO gone FROM unnest(ringfence.delete_step(tables)) AS number;
    ELSE
        SELECT string_agg(format('%I', attname), ', ' ORDER BY n) INTO keys
          FROM pg_index, unnest(indkey) WITH ORDINALITY AS key (attnum, n) JOIN pg_attribute USING (attnum)
         WHERE indrelid = tables[1] AND indisprimary AND attrelid = tables[1] AND attname <> 'owner_id';
        IF keys IS NOT NULL THEN
            IF after IS NOT NULL THEN
                bounds := format(' AND (%1$s) > (SELECT %1$s FROM jsonb_populate_record(NULL::%2$s, $2))', keys, tables[1]);
            END IF;
            EXECUTE format('SELECT to_jsonb(last) FROM (SELECT %1$s FROM %2$s WHERE owner_id = $1%3$s ORDER BY %1$s OFFSET $3 - 1 LIMIT 1) AS last',
                           keys, tables[1], bounds)
               INTO until USING own, after, batch;
            IF until IS NOT NULL THEN
                bounds := bounds || format(' AND (%1$s) <= (SELECT %1$s FROM jsonb_populate_record(NULL::%2$s, $3))', keys, tables[1]);
            END IF;
        END IF;
        EXECUTE format('DELETE FROM %s WHERE owner_id = $1%s', tables[1], bounds) USING own, after, until;
        GET DIAGNOSTICS gone = ROW_COUNT;
    END IF;
    IF gone > 0 THEN
        RAISE NOTICE 'deleted % rows of %', gone, (SELECT string_agg(ringfence.qualified_name(place), ', ') FROM unnest(tables) AS place);
    END IF;
    IF until IS NOT NULL THEN
        RETURN jsonb_build_object('step', this_step, 'after', until, 'gone', before + gone);
    END IF;
    EXECUTE (SELECT 'SELECT ' || string_agg(format('EXISTS (SELECT FROM %s WHERE owner_id = $1)', place), ' OR ') FROM unnest(tables) AS place)
       INTO is_left USING own;
    IF is_left AND before + gone = 0 THEN
        RAISE EXCEPTION 'rows of % cannot be deleted', ringfence.qualified_name(tables[1])
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'A trigger that was added to the table may keep them.';
    END IF;
    RETURN jsonb_build_object('step', CASE WHEN is_left THEN this_step ELSE this_step + 1 END);
END
$batch$;
REVOKE ALL ON FUNCTION ringfence.delete_batch(jsonb, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.delete_batch(jsonb, integer) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.delete_batch(jsonb, integer) IS 'Deletes a batch of the owner''s rows, and returns the position of the next, or NULL; internal';

CREATE FUNCTION ringfence.begin_purge(owner text, confirm text, batch integer) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'begin_purge_wrapper';
REVOKE ALL ON FUNCTION ringfence.begin_purge(text, text, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.begin_purge(text, text, integer) TO ringfence_admin;
COMMENT ON FUNCTION ringfence.begin_purge(text, text, integer) IS 'Part of purge_owner(): disables the owner for good';

CREATE FUNCTION ringfence.purge_batch(owner text, confirm text, batch integer, "position" jsonb) RETURNS jsonb
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'purge_batch_wrapper';
REVOKE ALL ON FUNCTION ringfence.purge_batch(text, text, integer, jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.purge_batch(text, text, integer, jsonb) TO ringfence_admin;
COMMENT ON FUNCTION ringfence.purge_batch(text, text, integer, jsonb) IS 'Part of purge_owner(): deletes a batch, and returns the position of the next, or NULL when the owner is gone';

-- No SET clause: a procedure that has one cannot commit. So it names no operator.
CREATE PROCEDURE ringfence.purge_owner(owner text, confirm text, batch integer DEFAULT 10000)
    LANGUAGE plpgsql AS $purge$
DECLARE
    place pg_catalog.jsonb;
BEGIN
    PERFORM ringfence.begin_purge(owner, confirm, batch);
    COMMIT;
    LOOP
        place := ringfence.purge_batch(owner, confirm, batch, place);
        COMMIT;
        EXIT WHEN place IS NULL;
    END LOOP;
END
$purge$;
REVOKE ALL ON PROCEDURE ringfence.purge_owner(text, text, integer) FROM PUBLIC;
GRANT EXECUTE ON PROCEDURE ringfence.purge_owner(text, text, integer) TO ringfence_admin;
COMMENT ON PROCEDURE ringfence.purge_owner(text, text, integer) IS
    'Deletes a very large owner in batches, with a commit after each: it is gone for everybody at once, and a second call goes on where a crash ended the first';

-- Where triggers do not fire, nobody waits for a deletion: on a subscriber, or under session_replication_role = replica. No session sees rows of an owner
-- that is no more, and only a role that row-level security does not bind can look for them.
CREATE FUNCTION ringfence.rows_without_owner(OUT relation text, OUT rows bigint) RETURNS SETOF record
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $without$
DECLARE
    place regclass;
BEGIN
    IF row_security_active('ringfence.owner'::regclass) THEN
        RAISE EXCEPTION 'only a superuser or a role with BYPASSRLS sees rows of no owner' USING ERRCODE = 'insufficient_privilege';
    END IF;
    FOR place IN SELECT found.relation FROM ringfence.tables_by_step() AS found ORDER BY found.step LOOP
        EXECUTE format('SELECT count(*) FROM %s AS row WHERE NOT EXISTS (SELECT FROM ringfence.owner WHERE owner.id = row.owner_id)', place) INTO rows;
        IF rows > 0 THEN
            relation := ringfence.qualified_name(place);
            RETURN NEXT;
        END IF;
    END LOOP;
END
$without$;
REVOKE ALL ON FUNCTION ringfence.rows_without_owner() FROM PUBLIC;
COMMENT ON FUNCTION ringfence.rows_without_owner() IS 'Tables with rows of owners that are no more, and how many: for a superuser, after a deletion while a subscription applied changes';

-- Whatever the session sees of each.
CREATE VIEW ringfence.owner_association WITH (security_invoker = true, security_barrier = true) AS
    SELECT owner_id, 'project'::text AS kind, id, name, NULL::uuid AS project_id, enabled FROM ringfence.project
    UNION ALL
    SELECT owner_id, 'channel', id, coalesce(name, address), project_id, enabled FROM ringfence.channel
    UNION ALL
    SELECT owner_id, 'script', id, name, project_id, enabled FROM ringfence.script
    UNION ALL
    SELECT owner_id, 'report', NULL, name, project_id, true FROM ringfence.report_view
    UNION ALL
    SELECT owner_id, 'access', id, role_name, project_id, true FROM ringfence.access;
ALTER VIEW ringfence.owner_association OWNER TO ringfence_definer;
GRANT SELECT ON ringfence.owner_association TO ringfence_user;
COMMENT ON VIEW ringfence.owner_association IS 'What is assigned to the session''s owner: projects, channels, scripts, report views, and roles with access';
COMMENT ON COLUMN ringfence.owner_association.kind IS 'project, channel, script, report or access';
COMMENT ON COLUMN ringfence.owner_association.id IS 'The id in the table of that kind; a report view has none';
COMMENT ON COLUMN ringfence.owner_association.name IS 'Its name: of a channel without one the address, of access the role';

-- Export and load -----------------------------------------------------------------------------------------------------

-- Every line carries a checksum of itself and of all lines before it. So a line that is damaged, missing, moved or there twice is told by its number.
-- It guards against accidents. Whoever changes a file on purpose can compute it: what a file may do is decided elsewhere.
CREATE FUNCTION ringfence.line_checksum(before text, place bigint, relation text, line jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN encode(substr(sha256(convert_to(concat_ws(' ', before, place, relation, line), 'UTF8')), 1, 8), 'hex');
REVOKE ALL ON FUNCTION ringfence.line_checksum(text, bigint, text, jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.line_checksum(text, bigint, text, jsonb) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.line_checksum(text, bigint, text, jsonb) IS 'What a line of an export has to carry; internal';

-- The columns that a line has. The owner is that of the first line. A role has another number in another installation.
CREATE FUNCTION ringfence.exported_columns(relation regclass) RETURNS text[]
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $columns$
    SELECT array_agg(attname::text ORDER BY attname COLLATE "C")
      FROM pg_attribute
     WHERE attrelid = relation AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
       AND attname <> 'owner_id' AND NOT (relation = 'ringfence.access'::regclass AND attname = 'role')
$columns$;
REVOKE ALL ON FUNCTION ringfence.exported_columns(regclass) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.exported_columns(regclass) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.exported_columns(regclass) IS 'The columns of a table that an export has; internal';

-- The settings are those that change how PostgreSQL writes a value.
CREATE FUNCTION ringfence.export_rows(version text, OUT "position" bigint, OUT relation text, OUT line jsonb) RETURNS SETOF record
    LANGUAGE plpgsql STABLE
    SET search_path = pg_catalog, pg_temp SET TimeZone = 'UTC' SET DateStyle = 'ISO' SET IntervalStyle = 'postgres' SET bytea_output = 'hex'
    SET extra_float_digits = 1 AS $export$
DECLARE
    own      CONSTANT uuid := ringfence.current_owner();
    place    regclass;
    ordering text;
    checksum text := '';
BEGIN
    "position" := 1;
    relation := 'ringfence.owner';
    -- One that is being deleted is not exported.
    SELECT to_jsonb(exported) - 'purge_began_at' || jsonb_build_object('format', 1, 'version', export_rows.version)
      INTO line FROM ringfence.owner AS exported WHERE exported.id = own;
    checksum := ringfence.line_checksum(checksum, "position", relation, line);
    line := line || jsonb_build_object('checksum', checksum);
    RETURN NEXT;
    FOR place IN SELECT found.relation FROM ringfence.tables_by_step() AS found ORDER BY found.step DESC, found.relation::text LOOP
        relation := ringfence.qualified_name(place);
        -- The same in a database with another collation.
        SELECT string_agg(format('%I', attname) || CASE WHEN attcollation <> 0 THEN ' COLLATE "C"' ELSE '' END, ', ' ORDER BY n) INTO ordering
          FROM pg_index, unnest(indkey) WITH ORDINALITY AS key (attnum, n)
          JOIN pg_attribute USING (attnum)
         WHERE indrelid = place AND indisprimary AND attrelid = place;
        FOR line IN EXECUTE format('SELECT jsonb_build_object(%s) FROM %s WHERE owner_id = $1 ORDER BY %s',
                                   (SELECT string_agg(format('%1$L, %1$I', name), ', ') FROM unnest(ringfence.exported_columns(place)) AS name),
                                   place, ordering) USING own LOOP
            "position" := "position" + 1;
            checksum := ringfence.line_checksum(checksum, "position", relation, line);
            line := line || jsonb_build_object('checksum', checksum);
            RETURN NEXT;
        END LOOP;
    END LOOP;
    "position" := "position" + 1;
    relation := 'end';
    line := jsonb_build_object('lines', "position");
    line := line || jsonb_build_object('checksum', ringfence.line_checksum(checksum, "position", relation, line));
    RETURN NEXT;
END
$export$;
REVOKE ALL ON FUNCTION ringfence.export_rows(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.export_rows(text) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.export_rows(text) IS 'All rows of the owner as lines that load_owner() takes; internal';

CREATE FUNCTION ringfence.export_owner(owner text, OUT "position" bigint, OUT relation text, OUT line jsonb) RETURNS SETOF record
    LANGUAGE c STABLE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'export_owner';
REVOKE ALL ON FUNCTION ringfence.export_owner(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.export_owner(text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.export_owner(text) IS
    'All that the session''s owner has, as lines that load_owner() takes. Needs owner.export, and field.unmask in all projects if a field is masked. Error P0002: not the session''s owner';

-- Parts of load_owner(), called as the definer for the owner that is loaded. Triggers do not run: they would write today's date, and number
-- tickets anew. The wall and the constraints judge each row. When all are in, check_loaded_rows() looks at the rest.
CREATE FUNCTION ringfence.at_line(place bigint) RETURNS bigint
    LANGUAGE c VOLATILE PARALLEL UNSAFE STRICT AS 'MODULE_PATHNAME', 'at_line_wrapper';
REVOKE ALL ON FUNCTION ringfence.at_line(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.at_line(bigint) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.at_line(bigint) IS 'Notes which line of an export is being loaded, for the error that it may cause, and returns its number; internal';

CREATE FUNCTION ringfence.refuse_line(place bigint, reason text) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $refuse$
BEGIN
    RAISE EXCEPTION 'line % of the export cannot be loaded: %', place, reason
        USING ERRCODE = 'bad_copy_file_format', HINT = 'Nothing is loaded. Load the lines as export_owner() gave them, all of them, with their positions.';
END
$refuse$;
REVOKE ALL ON FUNCTION ringfence.refuse_line(bigint, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.refuse_line(bigint, text) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.refuse_line(bigint, text) IS 'Error 22P04 for a line of an export; internal';

CREATE FUNCTION ringfence.load_first_line(relation text, text text, version text, new_name text, OUT id uuid, OUT name text, OUT country text, OUT checksum text)
    RETURNS record
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $first$
#variable_conflict use_variable
DECLARE
    line CONSTANT jsonb := text::jsonb;
BEGIN
    IF relation IS DISTINCT FROM 'ringfence.owner' OR jsonb_typeof(line) IS DISTINCT FROM 'object' THEN
        PERFORM ringfence.refuse_line(1, 'it is not the first line of an export');
    END IF;
    checksum := ringfence.line_checksum('', 1, relation, line - 'checksum');
    IF checksum IS DISTINCT FROM line ->> 'checksum' THEN
        PERFORM ringfence.refuse_line(1, 'it is damaged, or not the first line of an export');
    ELSIF line ->> 'version' IS DISTINCT FROM version OR line -> 'format' IS DISTINCT FROM '1' THEN
        PERFORM ringfence.refuse_line(1, format('the export was made by version %s of ringfence', coalesce(left(line ->> 'version', 20), '(unknown)')));
    END IF;
    id := line ->> 'id';
    name := coalesce(new_name, line ->> 'name');
    country := line ->> 'country';
END
$first$;
REVOKE ALL ON FUNCTION ringfence.load_first_line(text, text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.load_first_line(text, text, text, text) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.load_first_line(text, text, text, text) IS 'Reads which owner an export is of; internal';

CREATE FUNCTION ringfence.load_owner_row(line jsonb, name text) RETURNS void
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp AS $owner$
    INSERT INTO ringfence.owner
        SELECT * FROM jsonb_populate_record(NULL::ringfence.owner,
            load_owner_row.line - 'purge_began_at' || jsonb_build_object('id', ringfence.current_owner(), 'name', load_owner_row.name))
$owner$;
REVOKE ALL ON FUNCTION ringfence.load_owner_row(jsonb, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.load_owner_row(jsonb, text) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.load_owner_row(jsonb, text) IS 'Inserts the owner that an export is of; internal';

CREATE FUNCTION ringfence.load_lines(first bigint, positions bigint[], relations text[], texts text[], before text) RETURNS text
    LANGUAGE plpgsql VOLATILE
    SET search_path = pg_catalog, pg_temp SET TimeZone = 'UTC' SET DateStyle = 'ISO' AS $load$
#variable_conflict use_variable
DECLARE
    place    bigint;
    checksum text := before;
    relation text;
    target   regclass;
    names    text[];
    rows     jsonb[] := '{}';
    numbers  bigint[] := '{}';
    line     jsonb;
    row      jsonb;
BEGIN
    FOR n IN 1 .. cardinality(texts) LOOP
        place := ringfence.at_line(first + n - 1);
        IF positions[n] IS DISTINCT FROM place THEN
            PERFORM ringfence.refuse_line(place, 'it is missing, or a line is there twice');
        END IF;
        line := texts[n]::jsonb;
        IF relations[n] IS NULL OR jsonb_typeof(line) IS DISTINCT FROM 'object' THEN
            PERFORM ringfence.refuse_line(place, 'it is damaged');
        END IF;
        row := line - 'checksum';
        checksum := ringfence.line_checksum(checksum, place, relations[n], row);
        IF checksum IS DISTINCT FROM line ->> 'checksum' THEN
            PERFORM ringfence.refuse_line(place, 'it is damaged, or not in its place');
        END IF;
        IF relations[n] IS DISTINCT FROM relation THEN
            PERFORM ringfence.insert_rows(target, rows, numbers);
            relation := relations[n];
            rows := '{}';
            numbers := '{}';
            SELECT found.relation, ringfence.exported_columns(found.relation) INTO target, names
              FROM ringfence.tables_by_step() AS found WHERE ringfence.qualified_name(found.relation) = relation;
            IF target IS NULL THEN
                PERFORM ringfence.refuse_line(place, 'there is no such table of owners here');
            END IF;
        END IF;
        IF ARRAY(SELECT key FROM jsonb_object_keys(row) AS key ORDER BY key COLLATE "C") <> names THEN
            PERFORM ringfence.refuse_line(place, 'its columns are not those of the table');
        END IF;
        IF target = 'ringfence.access'::regclass THEN
            IF NOT ringfence.prepare_role(row ->> 'role_name') THEN
                CONTINUE;
            END IF;
            row := row || jsonb_build_object('role', quote_ident(row ->> 'role_name'));
        ELSIF target = 'ringfence.report_view'::regclass THEN
            PERFORM ringfence.check_report_name(row ->> 'name', (row ->> 'project_id')::uuid, row ->> 'of');
        END IF;
        rows := rows || row;
        numbers := numbers || place;
    END LOOP;
    PERFORM ringfence.insert_rows(target, rows, numbers);
    RETURN checksum;
END
$load$;
REVOKE ALL ON FUNCTION ringfence.load_lines(bigint, bigint[], text[], text[], text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.load_lines(bigint, bigint[], text[], text[], text) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.load_lines(bigint, bigint[], text[], text[], text) IS 'Inserts the rows of some lines of an export, and returns the checksum of the last; internal';

-- Whatever a line says, the row is of the owner that is loaded. RETURNING a column lets the policies for reading judge the new rows: a row of a project that the
-- owner does not have would be seen by nobody, not even by what looks at the foreign keys in the end.
CREATE FUNCTION ringfence.insert_rows(target regclass, rows jsonb[], numbers bigint[]) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $insert$
DECLARE
    own   CONSTANT uuid := ringfence.current_owner();
    names text[];
    count bigint;
BEGIN
    IF rows = '{}' THEN
        RETURN;
    END IF;
    names := ringfence.exported_columns(target) || CASE WHEN target = 'ringfence.access'::regclass THEN '{role}' ELSE '{}' END::text[];
    EXECUTE format('WITH inserted AS (INSERT INTO %1$s (owner_id, %2$s) SELECT $1, %3$s FROM unnest($2, $3) AS line (line, place), '
                   'jsonb_populate_record(NULL::%1$s, CASE WHEN ringfence.at_line(line.place) > 0 THEN line.line END) AS row RETURNING owner_id) '
                   'SELECT count(*) FROM inserted', target,
                   (SELECT string_agg(format('%I', name), ', ') FROM unnest(names) AS name),
                   (SELECT string_agg(format('row.%I', name), ', ') FROM unnest(names) AS name))
       INTO count USING own, rows, numbers;
    IF count <> cardinality(rows) THEN
        RAISE EXCEPTION 'rows of % cannot be loaded', target
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'A trigger that was added to the table may keep them out.';
    END IF;
END
$insert$;
REVOKE ALL ON FUNCTION ringfence.insert_rows(regclass, jsonb[], bigint[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.insert_rows(regclass, jsonb[], bigint[]) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.insert_rows(regclass, jsonb[], bigint[]) IS 'Inserts rows of the owner, from lines with these numbers; internal';

CREATE FUNCTION ringfence.works_for_another(role oid) RETURNS boolean
    LANGUAGE c STABLE PARALLEL UNSAFE STRICT AS 'MODULE_PATHNAME', 'works_for_another_wrapper';
REVOKE ALL ON FUNCTION ringfence.works_for_another(oid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.works_for_another(oid) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.works_for_another(oid) IS 'Whether a role has access to another owner than the one that is loaded; internal';

-- A file is not the word of an administrator. In this installation a role of that name may be somebody else. So a role gets access from a file only
-- if nobody works for another owner by it, who would have no default owner any more.
CREATE FUNCTION ringfence.prepare_role(role_name text) RETURNS boolean
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $prepare$
#variable_conflict use_variable
DECLARE
    known  record;
    reason text;
BEGIN
    SELECT * INTO known FROM pg_roles WHERE rolname = role_name;
    reason := CASE
        WHEN known.rolname IS NULL THEN 'There is no such role.'
        WHEN known.rolsuper OR known.rolbypassrls OR role_name ~ '^(ringfence|pg)_' THEN 'Row-level security does not bind this role, or it is one of the system.'
        WHEN pg_has_role('ringfence_user', known.oid, 'MEMBER') THEN 'All roles that work for owners are members of it.'
        WHEN EXISTS (SELECT FROM pg_roles AS member
                      WHERE NOT member.rolsuper AND pg_has_role(member.oid, known.oid, 'MEMBER') AND ringfence.works_for_another(member.oid))
            THEN 'The role works for another owner, or one of its members does.'
    END;
    IF reason IS NOT NULL THEN
        RAISE WARNING 'the access of role "%" is not loaded', left(role_name, 200)
            USING DETAIL = reason, HINT = 'ringfence.grant_access() gives access to a role.';
        RETURN false;
    END IF;
    -- As store_access() does.
    IF current_setting('server_version_num')::integer >= 160000 THEN
        IF NOT pg_has_role(known.oid, 'ringfence_user', 'USAGE') THEN
            EXECUTE format('GRANT ringfence_user TO %I WITH INHERIT TRUE', role_name);
        END IF;
    ELSIF NOT pg_has_role(known.oid, 'ringfence_user', 'MEMBER') THEN
        EXECUTE format('GRANT ringfence_user TO %I', role_name);
    END IF;
    RETURN true;
END
$prepare$;
REVOKE ALL ON FUNCTION ringfence.prepare_role(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.prepare_role(text) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.prepare_role(text) IS 'Whether access of a role is loaded, which then gets the privileges of applications; internal';

-- The rules of create_report_view(): a name is unique in the database, and each project has names of its own.
CREATE FUNCTION ringfence.check_report_name(name text, project_id uuid, of text) RETURNS void
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $check$
BEGIN
    IF name IS DISTINCT FROM ringfence.default_report_name(project_id, of) THEN
        PERFORM ringfence.check_name(name);
        IF octet_length(name) > 63 OR name LIKE 'project\_%' THEN
            RAISE EXCEPTION 'a report view cannot have the name "%"', left(name, 200) USING ERRCODE = 'invalid_parameter_value';
        END IF;
    END IF;
    IF ringfence.report_name_is_taken(name) THEN
        RAISE EXCEPTION 'report view "%" already exists', name USING ERRCODE = 'duplicate_table';
    END IF;
END
$check$;
REVOKE ALL ON FUNCTION ringfence.check_report_name(text, uuid, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.check_report_name(text, uuid, text) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.check_report_name(text, uuid, text) IS 'Error 22023 or 42P07 for a report view that cannot be loaded under that name; internal';

-- The names that report views have by default are made of the ids of projects.
CREATE FUNCTION ringfence.is_project_of_another(project_id uuid) RETURNS boolean
    LANGUAGE c STABLE PARALLEL UNSAFE STRICT AS 'MODULE_PATHNAME', 'is_project_of_another_wrapper';
REVOKE ALL ON FUNCTION ringfence.is_project_of_another(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.is_project_of_another(uuid) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.is_project_of_another(uuid) IS 'Whether another owner than the one that is loaded has a project with that id; internal';

CREATE FUNCTION ringfence.system_rows() RETURNS jsonb
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
    RETURN jsonb_build_object(
        'fields', (SELECT jsonb_agg(to_jsonb(field) - '{owner_id,id}'::text[] ORDER BY name)
                     FROM ringfence.field WHERE owner_id = ringfence.current_owner() AND is_system),
        'profiles', (SELECT jsonb_agg(to_jsonb(profile) - '{owner_id,id}'::text[] ORDER BY name)
                       FROM ringfence.profile WHERE owner_id = ringfence.current_owner() AND is_system));
REVOKE ALL ON FUNCTION ringfence.system_rows() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.system_rows() TO ringfence_definer;
COMMENT ON FUNCTION ringfence.system_rows() IS 'The fields and profiles that every owner has, as the owner has them; internal';

CREATE FUNCTION ringfence.refuse_loaded(relation text, reason text, id uuid) RETURNS void
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $refuse$
BEGIN
    RAISE EXCEPTION 'the export cannot be loaded: a row of % %', relation, reason
        USING ERRCODE = 'bad_copy_file_format', DETAIL = coalesce('Its id is ' || id || '.', ''),
              HINT = 'Nothing is loaded. Load the lines as export_owner() gave them.';
END
$refuse$;
REVOKE ALL ON FUNCTION ringfence.refuse_loaded(text, text, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.refuse_loaded(text, text, uuid) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.refuse_loaded(text, text, uuid) IS 'Error 22P04 for a row that was loaded; internal';

-- What foreign keys and the triggers of the tables would have seen to: rows that are referred to, data that is derived from other data, definitions.
CREATE FUNCTION ringfence.check_loaded_rows(system_rows jsonb) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $check$
DECLARE
    own     CONSTANT uuid := ringfence.current_owner();
    -- The numbers of tickets go on from the highest.
    highest CONSTANT bigint := 4611686018427387904;
    key     record;
    orphan  jsonb;
BEGIN
    FOR key IN SELECT conrelid::regclass AS child, confrelid::regclass AS parent, conname,
                      (SELECT string_agg(format('parent.%I = child.%I', theirs.attname, ours.attname), ' AND ')
                         FROM unnest(conkey, confkey) AS pair (our_number, their_number)
                         JOIN pg_attribute AS ours ON ours.attrelid = conrelid AND ours.attnum = our_number
                         JOIN pg_attribute AS theirs ON theirs.attrelid = confrelid AND theirs.attnum = their_number) AS same,
                      (SELECT string_agg(format('child.%I IS NOT NULL', attname), ' AND ') FROM pg_attribute WHERE attrelid = conrelid AND attnum = ANY (conkey)) AS given
                 FROM pg_constraint
                WHERE contype = 'f' AND conparentid = 0 AND conrelid IN (SELECT found.relation FROM ringfence.tables_by_step() AS found) LOOP
        EXECUTE format('SELECT to_jsonb(child) - ''owner_id'' FROM %s AS child WHERE child.owner_id = $1 AND %s AND NOT EXISTS (SELECT FROM %s AS parent WHERE %s) LIMIT 1',
                       key.child, key.given, key.parent, key.same) INTO orphan USING own;
        IF orphan IS NOT NULL THEN
            RAISE EXCEPTION 'a row of % refers to a row of % that the export does not have', key.child, key.parent
                USING ERRCODE = 'foreign_key_violation', DETAIL = left(orphan::text, 500);
        END IF;
    END LOOP;
    IF EXISTS (
        WITH RECURSIVE reached AS (
            SELECT s.id FROM ringfence.source AS s WHERE s.owner_id = own AND s.retired_at IS NULL
            UNION
            SELECT s.id FROM reached JOIN ringfence.source AS s ON s.owner_id = own AND s.successor_id = reached.id)
        SELECT FROM ringfence.source AS s WHERE s.owner_id = own AND s.id NOT IN (SELECT reached.id FROM reached)) THEN
        RAISE EXCEPTION 'the export cannot be loaded: a retired source has no successor'
            USING ERRCODE = 'bad_copy_file_format', HINT = 'Nothing is loaded.';
    END IF;
    IF ringfence.system_rows() IS DISTINCT FROM system_rows THEN
        RAISE EXCEPTION 'the export cannot be loaded: its system fields and built-in profiles are not those that every owner has'
            USING ERRCODE = 'bad_copy_file_format', HINT = 'Nothing is loaded.';
    END IF;
    PERFORM ringfence.refuse_loaded('ringfence.project', 'has an id that is taken', project.id)
       FROM ringfence.project WHERE project.owner_id = own AND ringfence.is_project_of_another(project.id);
    PERFORM ringfence.refuse_loaded('ringfence.field', 'has options that are not told apart', field.id)
       FROM ringfence.field
      WHERE field.owner_id = own
        AND (SELECT count(DISTINCT option) FROM unnest(field.option_ids) AS option) <> cardinality(coalesce(field.option_ids, '{}'));
    PERFORM ringfence.check_field_limits(field) FROM ringfence.field WHERE field.owner_id = own;
    PERFORM ringfence.refuse_loaded('ringfence.field_project', 'binds a system field', bound.field_id)
       FROM ringfence.field_project AS bound
       JOIN ringfence.field ON field.owner_id = bound.owner_id AND field.id = bound.field_id AND field.is_system
      WHERE bound.owner_id = own;
    PERFORM ringfence.has_right_in(right_name, NULL) FROM ringfence.profile, unnest(profile.rights) AS right_name WHERE profile.owner_id = own;
    PERFORM ringfence.refuse_loaded('ringfence.access', 'has no rights', access.id)
       FROM ringfence.access
      WHERE access.owner_id = own AND (access.rights = '{}' OR array_position(access.rights, NULL) IS NOT NULL);
    PERFORM ringfence.has_right_in(right_name, NULL)
       FROM ringfence.access, unnest(access.rights) AS right_name
      WHERE access.owner_id = own
        AND NOT EXISTS (SELECT FROM ringfence.profile WHERE profile.owner_id = own AND profile.name = right_name);
    PERFORM ringfence.refuse_loaded('ringfence.channel', 'has another normal_address than its address gives', channel.id)
       FROM ringfence.channel
      WHERE channel.owner_id = own AND channel.normal_address IS DISTINCT FROM ringfence.channel_form(channel.kind, channel.address, own);
    PERFORM ringfence.refuse_loaded('ringfence.customer', 'has other normal_phones, normal_emails or searchable than its values give', customer.id)
       FROM ringfence.customer
      CROSS JOIN LATERAL (SELECT CASE WHEN customer.attributes = '{}' THEN '{}' ELSE ringfence.searchable_values(customer.attributes, own) END) AS given (searchable)
      WHERE customer.owner_id = own
        AND (customer.normal_phones IS DISTINCT FROM coalesce(ringfence.normal_phones(customer.phones, own), '{}')
             -- A customer of 0.1.0 may have more than the 64 that are allowed now. The first 64 are looked up.
             OR customer.normal_emails IS DISTINCT FROM coalesce(ringfence.normal_emails(customer.emails[:64]), '{}')
             OR customer.searchable IS DISTINCT FROM given.searchable
                -- What was searched before its field became one that is not searched stays until the customer's values change.
                AND customer.searchable - ARRAY(
                    SELECT held FROM jsonb_object_keys(customer.searchable) AS held
                     WHERE EXISTS (SELECT FROM ringfence.field
                                    WHERE field.owner_id = own AND NOT field.is_searchable AND customer.attributes ? ringfence.storage_key(field.id)
                                      AND starts_with(held, ringfence.storage_key(field.id)))) IS DISTINCT FROM given.searchable);
    PERFORM ringfence.refuse_loaded('ringfence.unique_value', 'is not that of its customer, or is missing', coalesce(due.customer_id, kept.customer_id))
       FROM (SELECT form.field_id, sha256(convert_to(form.form, 'UTF8')) AS digest, customer.id AS customer_id
               FROM ringfence.customer, ringfence.unique_forms(customer.attributes) AS form
              WHERE customer.owner_id = own AND customer.attributes <> '{}') AS due
       FULL JOIN (SELECT * FROM ringfence.unique_value WHERE unique_value.owner_id = own) AS kept
         ON kept.field_id = due.field_id AND kept.digest = due.digest AND kept.customer_id = due.customer_id
      WHERE due.field_id IS NULL OR kept.field_id IS NULL;
    PERFORM ringfence.refuse_loaded('ringfence.ticket', 'has a number that no ticket can have', ticket.id)
       FROM ringfence.ticket WHERE ticket.owner_id = own AND NOT ticket.number BETWEEN 1 AND highest;
    PERFORM ringfence.refuse_loaded('ringfence.ticket_counter', 'has a number that no ticket can have', NULL)
       FROM ringfence.ticket_counter AS counter WHERE counter.owner_id = own AND NOT counter.highest_deleted BETWEEN 0 AND highest;
    PERFORM ringfence.refuse_loaded('ringfence.response', 'is not of the project of its interaction', response.id)
       FROM ringfence.response
       JOIN ringfence.interaction ON interaction.owner_id = response.owner_id AND interaction.id = response.interaction_id
      WHERE response.owner_id = own AND response.project_id IS DISTINCT FROM interaction.project_id;
    PERFORM ringfence.refuse_loaded('ringfence.form_being_saved', 'is there, and the table is always empty', NULL)
       FROM ringfence.form_being_saved AS form WHERE form.owner_id = own;
END
$check$;
REVOKE ALL ON FUNCTION ringfence.check_loaded_rows(jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.check_loaded_rows(jsonb) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.check_loaded_rows(jsonb) IS 'Error 23503, 22P04 or 22023 for loaded rows that foreign keys and the tables'' own triggers would not have let pass; internal';

CREATE FUNCTION ringfence.load_last_line(place bigint, relation text, text text, before text) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $last$
#variable_conflict use_variable
DECLARE
    line CONSTANT jsonb := text::jsonb;
BEGIN
    IF relation IS DISTINCT FROM 'end' OR jsonb_typeof(line) IS DISTINCT FROM 'object' OR line -> 'lines' IS DISTINCT FROM to_jsonb(place)
       OR ringfence.line_checksum(before, place, relation, line - 'checksum') IS DISTINCT FROM line ->> 'checksum' THEN
        PERFORM ringfence.refuse_line(place, 'the export does not end here');
    END IF;
END
$last$;
REVOKE ALL ON FUNCTION ringfence.load_last_line(bigint, text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.load_last_line(bigint, text, text, text) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.load_last_line(bigint, text, text, text) IS 'Error 22P04 if an export does not end here; internal';

-- Report views are made last. While a session uses a view of that name that was left by a deletion, it cannot be made yet.
CREATE FUNCTION ringfence.finish_load() RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $finish$
DECLARE
    own    CONSTANT uuid := ringfence.current_owner();
    report ringfence.report_view;
    given  text;
BEGIN
    UPDATE ringfence.report_view AS loaded SET is_current = false WHERE loaded.owner_id = own;
    FOR report IN SELECT * FROM ringfence.report_view AS loaded WHERE loaded.owner_id = own ORDER BY loaded.name LOOP
        PERFORM ringfence.check_report_name(report.name, report.project_id, report.of);
        BEGIN
            PERFORM ringfence.make_report_view(report);
        EXCEPTION WHEN lock_not_available THEN
            RAISE WARNING 'report view "%" is in use, and is not made yet', report.name
                USING HINT = 'A session with the right field.manage makes it by ringfence.renew_report_views().';
        END;
    END LOOP;
    SELECT string_agg(format('%s: %s', quote_ident(access.role_name), array_to_string(access.rights, ', '))
                      || CASE WHEN access.project_id IS NULL THEN '' ELSE ' in one project' END, '; ' ORDER BY access.role_name, access.id)
      INTO given FROM ringfence.access WHERE access.owner_id = own;
    IF given IS NOT NULL THEN
        RAISE NOTICE 'the export gives access to roles of this server'
            USING DETAIL = given, HINT = 'ringfence.revoke_access() takes back what you do not want.';
    END IF;
END
$finish$;
REVOKE ALL ON FUNCTION ringfence.finish_load() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.finish_load() TO ringfence_definer;
COMMENT ON FUNCTION ringfence.finish_load() IS 'Makes the report views of a loaded owner, and tells which roles have access to it; internal';

CREATE FUNCTION ringfence.load_owner(lines regclass, name text DEFAULT NULL, OUT relation text, OUT rows bigint) RETURNS SETOF record
    LANGUAGE c VOLATILE PARALLEL UNSAFE ROWS 30 AS 'MODULE_PATHNAME', 'load_owner_wrapper';
REVOKE ALL ON FUNCTION ringfence.load_owner(regclass, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.load_owner(regclass, text) TO ringfence_admin;
COMMENT ON FUNCTION ringfence.load_owner(regclass, text) IS
    'Makes an owner of the lines of export_owner(), from a relation with position, relation and line, under the same ids. Error 22P04: a line is damaged, missing or moved; 23505: an id or name is taken';

-- Stored forms --------------------------------------------------------------------------------------------------------

-- Phones, e-mails and searchable values are read better than before: those that read otherwise are stored anew.
UPDATE ringfence.customer AS stored
   SET normal_phones = read.phones, normal_emails = read.emails, searchable = read.searchable
  FROM (SELECT owner_id, id, ringfence.normal_phones(phones, owner_id) AS phones,
               -- A customer of 0.1.0 may have more than the 64 that are allowed now. The first 64 were looked up.
               ringfence.normal_emails(emails[:64]) AS emails,
               ringfence.searchable_values(attributes, owner_id) AS searchable
          FROM ringfence.customer) AS read
 WHERE stored.owner_id OPERATOR(pg_catalog.=) read.owner_id AND stored.id OPERATOR(pg_catalog.=) read.id
   AND (stored.normal_phones, stored.normal_emails, stored.searchable) IS DISTINCT FROM (read.phones, read.emails, read.searchable);

-- Traditional and simplified Chinese have one form now, so the keys of such texts are others.
REINDEX INDEX ringfence.customer_search;

-- So are the forms of unique phones. Two that were different may be the same number now: then the upgrade goes on, and says so.
CREATE TRIGGER renew_unique_phones_once AFTER UPDATE OF description ON ringfence.owner
    FOR EACH ROW EXECUTE FUNCTION ringfence.as_owner('renew_unique_phones');
DO $renew$
DECLARE
    renewed ringfence.owner;
BEGIN
    FOR renewed IN SELECT * FROM ringfence.owner LOOP
        BEGIN
            UPDATE ringfence.owner SET description = description WHERE id = renewed.id;
        EXCEPTION WHEN unique_violation THEN
            RAISE WARNING 'unique phone numbers of owner "%" are not renewed: %', renewed.name, SQLERRM
                USING HINT = 'Make the field not unique, change the numbers that are the same, and make it unique again.';
        END;
    END LOOP;
END
$renew$;
DROP TRIGGER renew_unique_phones_once ON ringfence.owner;

-- Sources, authority, history and flow --------------------------------------------------------------------------------

-- source: the systems that write customers of an owner, such as CRM, ERP and ticketing.

CREATE TABLE ringfence.source (
    owner_id     uuid NOT NULL DEFAULT ringfence.current_owner() REFERENCES ringfence.owner ON DELETE CASCADE,
    id           uuid NOT NULL DEFAULT ringfence.new_id(),
    name         text NOT NULL CHECK (ringfence.check_name(name)),
    description  text,
    created_at   timestamptz NOT NULL DEFAULT now(),
    retired_at   timestamptz,
    -- No foreign key: no source is deleted alone, and pg_dump warns of a table that refers to itself.
    successor_id uuid,
    PRIMARY KEY (owner_id, id),
    UNIQUE (owner_id, name),
    CHECK ((retired_at IS NULL) = (successor_id IS NULL) AND successor_id <> id)
);
CREATE UNIQUE INDEX source_name_as_seen ON ringfence.source (owner_id, ringfence.name_as_seen(name));
COMMENT ON INDEX ringfence.source_name_as_seen IS 'No two sources of an owner have names that look the same';
COMMENT ON TABLE ringfence.source IS 'Systems that write customers of an owner';
COMMENT ON COLUMN ringfence.source.name IS 'Unique within the owner, and never changed: access names it, and a session sets ringfence.source to it';
COMMENT ON COLUMN ringfence.source.retired_at IS 'When the source stopped writing. No session can be a retired source';
COMMENT ON COLUMN ringfence.source.successor_id IS 'The source that has what belonged to this one';

SELECT ringfence.wall('ringfence.source', 'customer.read', 'source.manage', 'source.manage');
SELECT ringfence.decide_from('ringfence.source');
-- A name is not changed, since access goes by it. A source is not deleted, but retired.
GRANT SELECT (owner_id, id, name, description, created_at, retired_at, successor_id), INSERT (owner_id, name, description),
      UPDATE (owner_id, description)
    ON ringfence.source TO ringfence_user;

CREATE FUNCTION ringfence.create_source(name text, description text DEFAULT NULL) RETURNS uuid
    LANGUAGE sql VOLATILE
    BEGIN ATOMIC
        INSERT INTO ringfence.source (name, description) VALUES (create_source.name, create_source.description) RETURNING id;
    END;
REVOKE ALL ON FUNCTION ringfence.create_source(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.create_source(text, text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.create_source(text, text) IS
    'Adds a source system to the session''s owner, and returns its id. Needs source.manage. Error 23505: the name is taken; 22023: it cannot be a name';

CREATE FUNCTION ringfence.current_source_id() RETURNS uuid
    LANGUAGE c STABLE PARALLEL SAFE STRICT AS 'MODULE_PATHNAME', 'current_source_id_wrapper';
REVOKE ALL ON FUNCTION ringfence.current_source_id() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.current_source_id() TO ringfence_user, ringfence_admin;
COMMENT ON FUNCTION ringfence.current_source_id() IS
    'The id of the source system that the session writes as, or NULL. Error 42501: the access does not name it; P0002: the owner has no such source';

-- The default is set afterwards: it is for new customers.
ALTER TABLE ringfence.customer ADD COLUMN source_id uuid;
ALTER TABLE ringfence.customer ALTER COLUMN source_id SET DEFAULT ringfence.current_source_id();
ALTER TABLE ringfence.customer ADD FOREIGN KEY (owner_id, source_id) REFERENCES ringfence.source;
COMMENT ON COLUMN ringfence.customer.source_id IS 'The source system that the record belongs to: that of the session that inserted it; NULL: none';
CREATE INDEX customer_source ON ringfence.customer (owner_id, source_id) WHERE source_id IS NOT NULL;
COMMENT ON INDEX ringfence.customer_source IS 'The customers of a source';
GRANT SELECT (source_id) ON ringfence.customer TO ringfence_user;

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

-- flow: where data of customers come from, who may read and write them, and where a person's data are.

-- Rights that an entry of access gives, with those of its profiles. Row-level security shows the entries that the session may see.
CREATE VIEW ringfence.granted_right WITH (security_barrier = true) AS
    SELECT a.owner_id, a.role_name, a.project_id, a.sources, granted.right_name, granted.profile
      FROM ringfence.access AS a
      -- An entry counts only while its role has this name.
      JOIN pg_catalog.pg_roles AS r ON r.oid = a.role::oid AND r.rolname = a.role_name
     CROSS JOIN LATERAL (
        SELECT named AS right_name, NULL::text AS profile FROM unnest(a.rights) AS named WHERE strpos(named, '.') > 0
        UNION
        SELECT unnest(p.rights), p.name FROM ringfence.profile AS p WHERE p.owner_id = a.owner_id AND p.name = ANY (a.rights)) AS granted;
ALTER VIEW ringfence.granted_right OWNER TO ringfence_definer;
COMMENT ON VIEW ringfence.granted_right IS 'The rights that entries of access give, by themselves or by a profile; part of data_flow';

-- Of the projects field.manage tells, of profiles and roles access.manage: without these rights the columns are NULL.
CREATE FUNCTION ringfence.flow_of_data()
    RETURNS TABLE (owner_id uuid, field_id uuid, field text, authority text, written_by text[], read_in text[], written_in text[],
                   reading_profiles text[], writing_profiles text[], reading_roles text[], writing_roles text[])
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $flow$
#variable_conflict use_column
BEGIN
    PERFORM ringfence.check_right('customer.read');
    RETURN QUERY
    WITH may AS MATERIALIZED (
        SELECT ringfence.has_right_in('field.manage', NULL) AS manage_fields,
               -- Which projects have a field decides who reads it.
               ringfence.has_right_in('access.manage', NULL) AND ringfence.has_right_in('field.manage', NULL) AS manage_access),
    field AS MATERIALIZED (
        SELECT f.field_id, f.name, f.is_system, f.is_masked, f."position", ringfence.authority_over(f.field_id, NULL) AS authority
          FROM ringfence.visible_fields(false) AS f),
    writer AS MATERIALIZED (
        SELECT c.field_id, array_agg(DISTINCT s.name ORDER BY s.name) AS sources
          FROM ringfence.change AS c
          JOIN ringfence.source AS s ON s.owner_id = c.owner_id AND s.id = c.source_id
         WHERE c.owner_id = ringfence.current_owner() AND c.at >= now() - interval '30 days' AND c.kind IN ('set', 'change', 'clear')
         GROUP BY c.field_id),
    place AS MATERIALIZED (
        SELECT b.field_id, b.project_id, p.name, b.access
          FROM ringfence.field_project AS b
          JOIN ringfence.project AS p ON p.owner_id = b.owner_id AND p.id = b.project_id
         WHERE b.owner_id = ringfence.current_owner() AND p.enabled),
    -- The rights of each role, also by the roles that it is a member of.
    held AS MATERIALIZED (
        SELECT member.rolname AS role_name, g.project_id, g.sources, g.right_name, g.profile
          FROM ringfence.granted_right AS g
          LEFT JOIN ringfence.project AS p ON p.owner_id = g.owner_id AND p.id = g.project_id
          JOIN pg_roles AS granted ON granted.rolname = g.role_name
          JOIN pg_roles AS member ON NOT member.rolsuper AND pg_has_role(member.oid, granted.oid, 'MEMBER')
         WHERE (SELECT m.manage_access FROM may AS m)
           AND g.owner_id = ringfence.current_owner() AND (g.project_id IS NULL OR p.enabled)),
    -- In each project a role has what its entries give there, together; without one (NULL) what they give anywhere.
    reach AS MATERIALIZED (
        SELECT h.role_name, s.project_id,
               bool_or(h.right_name = 'customer.read') AS reads, bool_or(h.right_name = 'customer.write') AS writes,
               bool_or(h.right_name = 'field.unmask') AS unmasks,
               bool_or(h.right_name = 'customer.write' AND h.sources IS NULL) AS writes_for_any_source,
               array_agg(allowed.source) FILTER (WHERE h.right_name = 'customer.write') AS sources,
               array_agg(DISTINCT h.profile) FILTER (WHERE h.profile IS NOT NULL AND h.right_name = 'customer.read') AS reading,
               array_agg(DISTINCT h.profile) FILTER (WHERE h.profile IS NOT NULL AND h.right_name = 'customer.write') AS writing
          FROM held AS h
          JOIN (SELECT NULL::uuid AS project_id UNION ALL SELECT DISTINCT p.project_id FROM place AS p) AS s
            ON s.project_id IS NULL OR h.project_id IS NULL OR h.project_id = s.project_id
          LEFT JOIN LATERAL unnest(h.sources) AS allowed (source) ON true
         GROUP BY h.role_name, s.project_id),
    use AS MATERIALIZED (
        SELECT f.field_id, r.role_name, r.reading, r.writing,
               r.reads AND (NOT f.is_masked OR r.unmasks) AS reads,
               r.writes AND (f.authority IS NULL OR r.writes_for_any_source OR f.authority = ANY (r.sources))
                   AND (f.is_system OR p.access = 'write' AND r.reads AND (NOT f.is_masked OR r.unmasks)) AS writes
          FROM field AS f
          LEFT JOIN place AS p ON p.field_id = f.field_id AND NOT f.is_system
          JOIN reach AS r ON CASE WHEN f.is_system THEN r.project_id IS NULL ELSE r.project_id = p.project_id END)
    SELECT ringfence.current_owner() AS owner_id, f.field_id, f.name AS field, f.authority, coalesce(writer.sources, '{}') AS written_by,
           CASE WHEN may.manage_fields AND NOT f.is_system THEN ARRAY(SELECT p.name FROM place AS p WHERE p.field_id = f.field_id ORDER BY 1) END AS read_in,
           CASE WHEN may.manage_fields AND NOT f.is_system THEN ARRAY(SELECT p.name FROM place AS p WHERE p.field_id = f.field_id AND p.access = 'write' ORDER BY 1) END AS written_in,
           CASE WHEN may.manage_access THEN ARRAY(SELECT DISTINCT unnest(u.reading) FROM use AS u WHERE u.field_id = f.field_id AND u.reads ORDER BY 1) END AS reading_profiles,
           CASE WHEN may.manage_access THEN ARRAY(SELECT DISTINCT unnest(u.writing) FROM use AS u WHERE u.field_id = f.field_id AND u.writes ORDER BY 1) END AS writing_profiles,
           CASE WHEN may.manage_access THEN ARRAY(SELECT DISTINCT u.role_name::text COLLATE "C" FROM use AS u WHERE u.field_id = f.field_id AND u.reads ORDER BY 1) END AS reading_roles,
           CASE WHEN may.manage_access THEN ARRAY(SELECT DISTINCT u.role_name::text COLLATE "C" FROM use AS u WHERE u.field_id = f.field_id AND u.writes ORDER BY 1) END AS writing_roles
      FROM field AS f
      LEFT JOIN writer ON writer.field_id = f.field_id
     CROSS JOIN may
     ORDER BY NOT f.is_system, f."position", f.name;
END
$flow$;
ALTER FUNCTION ringfence.flow_of_data() OWNER TO ringfence_definer;
REVOKE ALL ON FUNCTION ringfence.flow_of_data() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.flow_of_data() TO ringfence_user;
COMMENT ON FUNCTION ringfence.flow_of_data() IS 'The rows of view data_flow. Error 42501 without customer.read';
CREATE VIEW ringfence.data_flow WITH (security_invoker = true, security_barrier = true) AS SELECT * FROM ringfence.flow_of_data();
GRANT SELECT ON ringfence.data_flow TO ringfence_user;
COMMENT ON VIEW ringfence.data_flow IS 'For each field that the session sees: whose it is, which sources have changed it lately, and in which projects and by whom it is read and written';
COMMENT ON COLUMN ringfence.data_flow.authority IS 'The source with authority over the field: its own, or that over customers as a whole, which the source of a customer''s record precedes';
COMMENT ON COLUMN ringfence.data_flow.written_by IS 'Sources that have changed it in the last 30 days, by the history';
COMMENT ON COLUMN ringfence.data_flow.read_in IS 'Enabled projects that have it; NULL for a system field, which all have, and without field.manage';
COMMENT ON COLUMN ringfence.data_flow.reading_roles IS 'Roles that may read it, also by a role that they are members of; NULL without access.manage and field.manage in all projects';
COMMENT ON COLUMN ringfence.data_flow.writing_roles IS 'Roles that may write it, also by the sources that they may be; NULL as reading_roles';

-- The right that shows the rows of a table of the extension. NULL: the table is not the extension's, or nobody reads it.
CREATE FUNCTION ringfence.right_to_read(relation regclass) RETURNS text
    LANGUAGE sql STABLE
    BEGIN ATOMIC
        SELECT CASE c.relname WHEN 'ticket' THEN 'ticket.read'
                              WHEN 'interaction' THEN 'interaction.read' WHEN 'response' THEN 'interaction.read'
                              WHEN 'customer' THEN 'customer.read' WHEN 'change' THEN 'customer.read'
                              WHEN 'unique_value' THEN 'customer.read' WHEN 'proposed_value' THEN 'customer.read' END
          FROM pg_catalog.pg_class AS c
         WHERE c.oid = right_to_read.relation AND c.relnamespace = 'ringfence'::regnamespace AND pg_catalog.pg_get_userbyid(c.relowner) = 'ringfence_tables';
    END;
REVOKE ALL ON FUNCTION ringfence.right_to_read(regclass) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.right_to_read(regclass) TO ringfence_user, ringfence_definer;
COMMENT ON FUNCTION ringfence.right_to_read(regclass) IS 'The right that shows the rows of a table of the extension that refers to customers; part of where_is()';

CREATE FUNCTION ringfence.roles_with(right_name text) RETURNS text[]
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $roles$
BEGIN
    IF NOT ringfence.has_right_in('access.manage', NULL) THEN
        RETURN NULL;
    END IF;
    RETURN ARRAY(SELECT DISTINCT member.rolname::text COLLATE "C"
                   FROM ringfence.granted_right AS g
                   JOIN pg_roles AS granted ON granted.rolname = g.role_name
                   JOIN pg_roles AS member ON NOT member.rolsuper AND pg_has_role(member.oid, granted.oid, 'MEMBER')
                  WHERE g.owner_id = ringfence.current_owner() AND g.right_name = roles_with.right_name ORDER BY 1);
END
$roles$;
ALTER FUNCTION ringfence.roles_with(text) OWNER TO ringfence_definer;
REVOKE ALL ON FUNCTION ringfence.roles_with(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.roles_with(text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.roles_with(text) IS 'The roles that have a right in some project of the session''s owner, also by a role that they are members of; NULL without access.manage. Part of where_is()';

-- A query for the rows that refer to customer $1 by these foreign keys: the first is of the table that is counted, the last refers to
-- table customer. Of the extension's
-- rows that belong to a field, those of fields that the session sees count. NULL if the keys are no such chain.
CREATE FUNCTION ringfence.query_by_keys(keys oid[]) RETURNS text
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $query$
DECLARE
    target    oid := 'ringfence.customer'::regclass;
    key       record;
    pair      record;
    condition text := '';
    joined    text;
BEGIN
    FOR n IN REVERSE coalesce(cardinality(keys), 0)..1 LOOP
        SELECT c.conrelid, c.confrelid, c.conkey, c.confkey INTO key FROM pg_constraint AS c WHERE c.oid = keys[n] AND c.contype = 'f';
        IF NOT FOUND OR key.confrelid <> target THEN
            RETURN NULL;
        END IF;
        joined := '';
        FOR pair IN SELECT here.attname AS here, there.attname AS there
                      FROM unnest(key.conkey, key.confkey) AS columns (here, there)
                      JOIN pg_attribute AS here ON here.attrelid = key.conrelid AND here.attnum = columns.here
                      JOIN pg_attribute AS there ON there.attrelid = key.confrelid AND there.attnum = columns.there LOOP
            joined := joined || CASE WHEN n < cardinality(keys) THEN format(' AND t%s.%I = t%s.%I', n, pair.here, n + 1, pair.there)
                                     WHEN pair.there = 'owner_id' THEN format(' AND t%s.%I = ringfence.current_owner()', n, pair.here)
                                     WHEN pair.there = 'id' THEN format(' AND t%s.%I = $1', n, pair.here) END;
        END LOOP;
        -- A key that does not name the owner could count rows of another owner.
        IF n = cardinality(keys) AND (joined IS NULL OR joined NOT LIKE '%current_owner()%' OR joined NOT LIKE '%$1%') THEN
            RETURN NULL;
        END IF;
        condition := CASE WHEN n = cardinality(keys) THEN joined
                          ELSE format(' AND EXISTS (SELECT FROM %s AS t%s WHERE true%s%s)', target::regclass, n + 1, joined, condition) END;
        target := key.conrelid;
    END LOOP;
    IF ringfence.right_to_read(target) IS NOT NULL
       AND EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = target AND a.attname = 'field_id' AND NOT a.attisdropped) THEN
        condition := condition || ' AND (t1.field_id IS NULL OR t1.field_id IN (SELECT f.field_id FROM ringfence.visible_fields(true) AS f))';
    END IF;
    RETURN format('SELECT count(*) FROM %s AS t1 WHERE true', target::regclass) || condition;
END
$query$;
REVOKE ALL ON FUNCTION ringfence.query_by_keys(oid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.query_by_keys(oid[]) TO ringfence_user, ringfence_definer;
COMMENT ON FUNCTION ringfence.query_by_keys(oid[]) IS 'Builds the query for rows that refer to a customer by a chain of foreign keys; part of where_is()';

-- Row-level security binds the definer by the rights of the session: without the right in all projects it would count some of the rows
-- only.
CREATE FUNCTION ringfence.rows_of_customer(keys oid[], customer uuid) RETURNS bigint
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $rows$
DECLARE
    query text;
    found bigint;
BEGIN
    IF keys IS NULL OR keys = '{}' OR EXISTS (
        SELECT FROM unnest(keys) AS named (key) LEFT JOIN pg_constraint AS c ON c.oid = named.key
         WHERE ringfence.has_right_in(ringfence.right_to_read(c.conrelid), NULL) IS NOT TRUE) THEN
        RETURN NULL;
    END IF;
    query := ringfence.query_by_keys(keys);
    IF query IS NOT NULL THEN
        EXECUTE query INTO found USING customer;
    END IF;
    RETURN found;
END
$rows$;
ALTER FUNCTION ringfence.rows_of_customer(oid[], uuid) OWNER TO ringfence_definer;
REVOKE ALL ON FUNCTION ringfence.rows_of_customer(oid[], uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.rows_of_customer(oid[], uuid) TO ringfence_user;
COMMENT ON FUNCTION ringfence.rows_of_customer(oid[], uuid) IS 'How many rows of a table of the extension refer to a customer by a chain of foreign keys. NULL: the session may not read all of them. Part of where_is()';

CREATE FUNCTION ringfence.where_customer_is(customer uuid, OUT is_there boolean, OUT changes bigint, OUT authority text) RETURNS record
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $where$
BEGIN
    PERFORM ringfence.check_right('customer.read');
    SELECT true, ringfence.authority_over(NULL, c.source_id) INTO is_there, authority
      FROM ringfence.customer AS c WHERE c.owner_id = ringfence.current_owner() AND c.id = where_customer_is.customer;
    SELECT count(*) INTO changes FROM ringfence.seen_changes(where_customer_is.customer);
END
$where$;
ALTER FUNCTION ringfence.where_customer_is(uuid) OWNER TO ringfence_definer;
REVOKE ALL ON FUNCTION ringfence.where_customer_is(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.where_customer_is(uuid) TO ringfence_user;
COMMENT ON FUNCTION ringfence.where_customer_is(uuid) IS 'Whether the session''s owner has a customer, its changes, and whose the record is; part of where_is()';

-- Not SECURITY DEFINER: applications' own tables are read with the privileges of the caller.
CREATE FUNCTION ringfence.where_is(customer uuid)
    RETURNS TABLE (relation regclass, column_name name, rows bigint, authority text, readers text[])
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $where$
#variable_conflict use_column
DECLARE
    known record := ringfence.where_customer_is(customer);
    place record;
BEGIN
    IF known.is_there IS NULL AND known.changes = 0 THEN
        RAISE EXCEPTION 'no customer with this id is in reach' USING ERRCODE = 'no_data_found';
    END IF;
    IF known.is_there THEN
        RETURN QUERY SELECT 'ringfence.customer'::regclass, 'id'::name, 1::bigint, known.authority, ringfence.roles_with('customer.read');
    END IF;
    IF known.changes > 0 THEN
        RETURN QUERY SELECT 'ringfence.change'::regclass, 'customer_id'::name, known.changes, NULL::text, ringfence.roles_with('customer.read');
    END IF;
    -- Each key that leads to table customer, by the shortest way.
    FOR place IN
        WITH RECURSIVE way AS (
            SELECT key.oid AS key, key.conrelid, ARRAY[key.oid] AS keys
              FROM pg_constraint AS key
             WHERE key.contype = 'f' AND key.confrelid = 'ringfence.customer'::regclass AND key.conparentid = 0
            UNION ALL
            SELECT key.oid, key.conrelid, key.oid || way.keys
              FROM way
              JOIN pg_constraint AS key ON key.contype = 'f' AND key.confrelid = way.conrelid AND key.conparentid = 0
             WHERE key.oid <> ALL (way.keys) AND key.conrelid <> 'ringfence.customer'::regclass AND cardinality(way.keys) < 4)
        SELECT DISTINCT ON (key.conrelid::regclass::text COLLATE "C", columns.name)
               key.conrelid::regclass AS relation, columns.name AS column_name, way.keys, ringfence.right_to_read(key.conrelid) AS right_name,
               ARRAY(SELECT DISTINCT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END
                       FROM (SELECT (aclexplode(c.relacl)).* UNION ALL
                             SELECT (aclexplode(t.attacl)).* FROM pg_attribute AS t WHERE t.attrelid = c.oid AND t.attacl IS NOT NULL) AS a
                      WHERE a.privilege_type = 'SELECT' AND a.grantee <> c.relowner ORDER BY 1) AS granted
          FROM way
          JOIN pg_constraint AS key ON key.oid = way.key
          JOIN pg_class AS c ON c.oid = key.conrelid
         CROSS JOIN LATERAL (
            SELECT a.attname AS name FROM unnest(key.conkey, key.confkey) AS pair (here, there)
              JOIN pg_attribute AS a ON a.attrelid = key.conrelid AND a.attnum = pair.here
              JOIN pg_attribute AS b ON b.attrelid = key.confrelid AND b.attnum = pair.there AND b.attname <> 'owner_id'
             ORDER BY b.attname <> 'id' LIMIT 1) AS columns
         ORDER BY key.conrelid::regclass::text COLLATE "C", columns.name, cardinality(way.keys), way.keys
    LOOP
        relation := place.relation;
        column_name := place.column_name;
        authority := NULL;
        rows := NULL;
        IF place.right_name IS NOT NULL THEN
            readers := ringfence.roles_with(place.right_name);
            rows := ringfence.rows_of_customer(place.keys, customer);
        ELSE
            readers := place.granted;
            -- A policy is code of the table's owner, and would run with the rights of the caller.
            IF NOT EXISTS (
                SELECT FROM pg_constraint AS key
                  JOIN pg_class AS c ON c.oid = key.conrelid AND c.relrowsecurity AND ringfence.right_to_read(c.oid) IS NULL
                  JOIN pg_roles AS r ON r.oid = c.relowner
                 WHERE key.oid = ANY (place.keys) AND NOT r.rolsuper AND r.rolname <> current_user) THEN
                BEGIN
                    EXECUTE coalesce(ringfence.query_by_keys(place.keys), 'SELECT NULL::bigint') INTO rows USING customer;
                EXCEPTION WHEN OTHERS THEN
                    -- The caller may not read the table, or a policy fails.
                    rows := NULL;
                END;
            END IF;
        END IF;
        RETURN NEXT;
    END LOOP;
END
$where$;
REVOKE ALL ON FUNCTION ringfence.where_is(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.where_is(uuid) TO ringfence_user;
COMMENT ON FUNCTION ringfence.where_is(uuid) IS
    'Every table that foreign keys lead from to a customer, applications'' own too: how many rows (NULL: not the caller''s to read), whose the record is, and who may read. Error P0002: no such customer';

DROP TRIGGER require_right_to_write ON ringfence.customer_card;
CREATE TRIGGER require_right_to_write BEFORE INSERT OR UPDATE ON ringfence.customer_card
    FOR EACH STATEMENT EXECUTE FUNCTION ringfence.require_right('customer.write', 'customer.propose');

CREATE OR REPLACE FUNCTION ringfence.drop_field(field text, customers bigint DEFAULT NULL) RETURNS bigint
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

CREATE OR REPLACE FUNCTION ringfence.retype_field(field text, type text, options text[] DEFAULT NULL) RETURNS bigint
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

CREATE OR REPLACE FUNCTION ringfence.provision_access() RETURNS void
    LANGUAGE sql VOLATILE
    BEGIN ATOMIC
        INSERT INTO ringfence.profile (name, description, rights, is_system) VALUES
            ('agent', 'Works with customers, tickets and interactions',
             '{customer.read,customer.write,ticket.read,ticket.write,interaction.read,interaction.write}', true),
            ('supervisor', 'An agent who also deletes, imports, sees masked fields and maintains scripts',
             '{customer.read,customer.write,customer.delete,ticket.read,ticket.write,ticket.delete,interaction.read,interaction.write,field.unmask,script.manage,import.run}', true),
            ('sales', 'Customers and their transactions',
             '{customer.read,customer.write,interaction.read,interaction.write}', true),
            ('support', 'Tickets only',
             '{ticket.read,ticket.write}', true),
            ('sponsor', 'The owner''s own people and BI: reads',
             '{customer.read,ticket.read,interaction.read}', true),
            ('trainee', 'Reads, and cannot damage a record',
             '{customer.read,ticket.read,interaction.read}', true),
            ('admin', 'Everything within the owner',
             '{customer.read,customer.write,customer.delete,ticket.read,ticket.write,ticket.delete,interaction.read,interaction.write,field.manage,field.unmask,project.manage,channel.manage,script.manage,import.run,access.manage,owner.export,source.manage,customer.propose}', true);
    END;

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

-- The sources that access names are the owner's. One whose name cannot be a source's was never of use to anybody.
DO $sources$
DECLARE
    named record;
BEGIN
    FOR named IN SELECT DISTINCT a.owner_id, s.name FROM ringfence.access AS a CROSS JOIN LATERAL unnest(a.sources) AS s (name) WHERE s.name IS NOT NULL LOOP
        BEGIN
            INSERT INTO ringfence.source (owner_id, name) VALUES (named.owner_id, named.name);
        EXCEPTION WHEN invalid_parameter_value OR unique_violation OR check_violation OR program_limit_exceeded THEN
            RAISE WARNING 'source "%", which access names, is not made: %', left(named.name, 200), SQLERRM;
        END;
    END LOOP;
END
$sources$;

-- Profile admin has every right of the owner.
UPDATE ringfence.profile SET rights = rights || '{source.manage,customer.propose}'::text[] WHERE is_system AND name = 'admin';

COMMENT ON FUNCTION ringfence.current_source() IS
    'The source system as set in ringfence.source, or NULL. Error 42501: the role''s access does not name it; P0002: the owner has no such source';

-- It looks at the triggers of authority and history, too.
CREATE OR REPLACE FUNCTION ringfence.health(OUT "check" text, OUT ok boolean, OUT detail text) RETURNS SETOF record
    LANGUAGE sql STABLE PARALLEL RESTRICTED ROWS 8
    BEGIN ATOMIC
        SELECT 'library', ringfence.ringfence_version() = extversion,
               format('The library is version %s, the installed SQL %s.', ringfence.ringfence_version(), extversion)
               || CASE WHEN ringfence.ringfence_version() <> extversion THEN ' As superuser: ALTER EXTENSION ringfence UPDATE; or install the library of the other version.' ELSE '' END
          FROM pg_extension WHERE extname = 'ringfence'
        UNION ALL
        SELECT 'preload', ringfence.preloaded_by() IS NOT NULL,
               coalesce(ringfence.preloaded_by() || ' loads the library.',
                        'Put ringfence into session_preload_libraries or shared_preload_libraries: the library guards a session only once it is loaded.')
        UNION ALL
        SELECT 'server', count(*) = 0,
               format('PostgreSQL %s', current_setting('server_version')) || CASE count(*) WHEN 0 THEN ' has no known hole in row-level security.' ELSE
                   format(' has known holes; update to %s.%s or later. ', max(hole.mended_in) / 10000, max(hole.mended_in) % 10000)
                   || string_agg(format('%s: %s', hole.cve, hole.description), '; ' ORDER BY hole.cve DESC) || '.' END
          FROM ringfence.holes_of_server(current_setting('server_version_num')::integer) AS hole
        UNION ALL
        SELECT 'walls', count(*) = 0,
               coalesce('These tables lack row-level security, its FORCE, or the policy owner_wall: ' || string_agg(bare.relname, ', ' ORDER BY bare.relname)
                        || '. As superuser: ALTER TABLE ... ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; and CREATE POLICY owner_wall as the other tables have it.',
                        'Every table is behind the wall.')
          FROM pg_class AS bare
         WHERE bare.relnamespace = 'ringfence'::regnamespace AND bare.relkind IN ('r', 'p')
           AND NOT (bare.relrowsecurity AND bare.relforcerowsecurity
                    AND (bare.relname = 'signing_key_material'
                         OR EXISTS (SELECT FROM pg_policy AS wall WHERE wall.polrelid = bare.oid AND wall.polname = 'owner_wall' AND NOT wall.polpermissive)))
        UNION ALL
        SELECT 'roles', count(*) = 0,
               coalesce('These internal roles have members, or more privileges than they need: ' || string_agg(internal.rolname, ', ' ORDER BY internal.rolname) || '. Take LOGIN, SUPERUSER, BYPASSRLS and their members away.',
                        'The internal roles are as they were made.')
          FROM pg_roles AS internal
         WHERE internal.rolname IN ('ringfence_definer', 'ringfence_tables')
           AND (internal.rolsuper OR internal.rolbypassrls OR internal.rolcanlogin OR EXISTS (SELECT FROM pg_auth_members AS member WHERE member.roleid = internal.oid))
        UNION ALL
        SELECT 'event triggers', count(*) FILTER (WHERE evtenabled <> 'A') = 0 AND count(*) = 2,
               format('%s of 2 are enabled ALWAYS.', count(*) FILTER (WHERE evtenabled = 'A'))
               || CASE WHEN count(*) FILTER (WHERE evtenabled = 'A') < 2
                       THEN ' As superuser: ALTER EVENT TRIGGER ... ENABLE ALWAYS for ringfence_guard_drop and ringfence_adopt_report_views.' ELSE '' END
          FROM pg_event_trigger WHERE evtname IN ('ringfence_guard_drop', 'ringfence_adopt_report_views')
        UNION ALL
        SELECT 'authority and history', count(*) = 2,
               CASE count(*) WHEN 2 THEN 'Both triggers of table customer are enabled.' ELSE
                   'Triggers judge_authority and keep_history of table customer are not both enabled: data of other sources can be changed, or changes are not kept. As superuser: ALTER TABLE ringfence.customer ENABLE TRIGGER ...; if one is missing, restore it from the SQL of the extension.' END
          FROM pg_trigger AS judged
         WHERE judged.tgrelid = 'ringfence.customer'::regclass AND judged.tgname IN ('judge_authority', 'keep_history')
           AND judged.tgenabled IN ('O', 'A') AND NOT judged.tgisinternal
        UNION ALL
        SELECT 'search index', coalesce(bool_and(found.indisvalid), false),
               CASE WHEN bool_and(found.indisvalid) THEN 'It is there and valid.' ELSE 'It is missing or not valid: searches read all customers of the owner. REINDEX INDEX CONCURRENTLY ringfence.customer_search;' END
          FROM pg_index AS found WHERE found.indexrelid = to_regclass('ringfence.customer_search');
    END;

-- At last: open sessions decide anew, and those that still have the former library say so.
UPDATE ringfence.owner SET name = name WHERE false;
