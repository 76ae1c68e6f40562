-- From ringfence 0.1.0 to 0.2.0: ALTER EXTENSION ringfence UPDATE. What it leaves is what CREATE EXTENSION makes: tests/upgrade.sh compares.

-- Columns -------------------------------------------------------------------------------------------------------------

-- A trigger keeps active_on now.
ALTER TABLE ringfence.customer ALTER COLUMN active_on DROP EXPRESSION;
ALTER TABLE ringfence.customer ALTER COLUMN active_on SET DEFAULT '0001-01-01';
ALTER TABLE ringfence.customer SET (fillfactor = 90);

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

CREATE OR REPLACE FUNCTION ringfence.wall(target regclass, read_right text, write_right text, delete_right text) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
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
        EXECUTE format('CREATE POLICY may_read ON %s FOR SELECT TO PUBLIC USING (ringfence.has_right(%L))', target, read_right);
    END IF;
    EXECUTE format('CREATE POLICY may_insert ON %s FOR INSERT TO PUBLIC WITH CHECK (ringfence.has_right(%L))', target, write_right);
    EXECUTE format('CREATE POLICY may_update ON %s FOR UPDATE TO PUBLIC USING (ringfence.has_right(%L)) WITH CHECK (ringfence.has_right(%L))',
                   target, write_right, write_right);
    EXECUTE format('CREATE POLICY may_delete ON %s FOR DELETE TO PUBLIC USING (ringfence.has_right(%L))', target, delete_right);

    PERFORM ringfence.require_rights_to_write(target, write_right, delete_right);
END
$$;

CREATE TABLE ringfence.form_being_saved (
    owner_id uuid NOT NULL DEFAULT ringfence.current_owner() REFERENCES ringfence.owner ON DELETE CASCADE,
    form     text NOT NULL,
    PRIMARY KEY (owner_id, form)
);
SELECT ringfence.wall('ringfence.form_being_saved', 'customer.read', 'customer.write', 'customer.write');

CREATE OR REPLACE FUNCTION ringfence.adopt_report_views() RETURNS event_trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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
                        WHERE ours.nspname = 'ringfence' AND called.proname = 'reports')
    LOOP
        IF made.relowner <> to_regrole('ringfence_definer') THEN
            -- Only a superuser can change the owner.
            CONTINUE WHEN NOT (SELECT rolsuper FROM pg_roles WHERE rolname = current_user);
            EXECUTE format('ALTER VIEW %s OWNER TO ringfence_definer', made.name);
        END IF;
        EXECUTE format('GRANT SELECT ON %s TO ringfence_user', made.name);
    END LOOP;
END
$$;

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

CREATE OR REPLACE FUNCTION ringfence.check_field_change() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
    IF NOT row_security_active(TG_RELID) THEN
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
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
    -- A superuser who restores or repairs works for no owner.
    IF row_security_active(TG_RELID) THEN
        PERFORM ringfence.check_required(NEW.attributes);
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
    IF NOT row_security_active(TG_RELID) THEN
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

CREATE OR REPLACE FUNCTION ringfence.create_report_view(project text, name text DEFAULT NULL::text) RETURNS regclass
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
#variable_conflict use_column
DECLARE
    report ringfence.report_view;
    chosen text := create_report_view.name;
    name_hint CONSTANT text :=
        'Names of report views are unique in the database, and every role can read them. Leave out the name to get one that is free.';
BEGIN
    PERFORM ringfence.check_right('field.manage');
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
        chosen := format('project_%s', translate(report.project_id::text, '-', ''));
    END IF;
    IF EXISTS (SELECT FROM ringfence.report_view AS made WHERE made.owner_id = report.owner_id AND made.project_id = report.project_id) THEN
        RAISE EXCEPTION 'project "%" already has a report view', left(create_report_view.project, 200)
            USING ERRCODE = 'duplicate_table', HINT = 'The view follows the fields of its project by itself. ringfence.drop_report_view() drops it.';
    END IF;
    -- An abandoned view of that name, which is not dropped yet, is reused.
    IF EXISTS (SELECT FROM pg_class AS taken WHERE taken.oid = to_regclass(format('ringfence_report.%I', chosen))
                  AND NOT (taken.relkind = 'v' AND taken.relowner = current_user::regrole
                           AND coalesce(obj_description(taken.oid, 'pg_class') = 'Abandoned: dropped when nobody uses it', false))) THEN
        RAISE EXCEPTION 'report view "%" already exists', chosen
            USING ERRCODE = 'duplicate_table', HINT = name_hint;
    END IF;
    INSERT INTO ringfence.report_view AS made (project_id, name, is_current) VALUES (report.project_id, chosen, false) RETURNING made.* INTO report;
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
$$;
ALTER FUNCTION ringfence.create_report_view(project text, name text) OWNER TO ringfence_definer;

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

CREATE OR REPLACE FUNCTION ringfence.drop_field(field text, customers bigint DEFAULT NULL::bigint) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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
    UPDATE ringfence.customer AS c SET attributes = c.attributes - key WHERE c.owner_id = target.owner_id AND c.attributes ? key;
    RETURN held;
END
$$;
ALTER FUNCTION ringfence.drop_field(field text, customers bigint) OWNER TO ringfence_definer;

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

CREATE OR REPLACE FUNCTION ringfence.keep_house_owner() RETURNS trigger
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
    IF OLD.id = '00000000-0000-0000-0000-000000000000'::uuid THEN
        RAISE EXCEPTION 'the house owner cannot be deleted'
            USING ERRCODE = 'object_not_in_prerequisite_state',
                  HINT = 'It holds the contacts that belong to no company. Disable it if you do not want one: UPDATE ringfence.owner SET enabled = false.';
    END IF;
    RETURN OLD;
END
$$;

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

CREATE OR REPLACE FUNCTION ringfence.kept_report_columns(report ringfence.report_view, old_view regclass, INOUT ids uuid[], INOUT names text[], INOUT calls text[], types text[], OUT places integer[], OUT former text[]) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    fixed     CONSTANT integer := cardinality(ringfence.report_fixed_columns());
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

CREATE OR REPLACE FUNCTION ringfence.make_report_view(report ringfence.report_view, anew boolean DEFAULT false) RETURNS void
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    SET lock_timeout TO '5ms'
    AS $$
DECLARE
    fixed    CONSTANT text[] := ringfence.report_fixed_columns();
    view     CONSTANT text := format('ringfence_report.%I', report.name);
    old_view CONSTANT regclass := to_regclass(view);
    wanted   record;
    made     record;
    crowded  boolean;
    replace  boolean := old_view IS NOT NULL;
BEGIN
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
                 WHERE known.owner_id = report.owner_id AND known.project_id = report.project_id;
            END IF;
            RETURN;
        END IF;
        PERFORM ringfence.rename_report_columns(old_view, made.places, made.former, made.names);
    END IF;

    EXECUTE format('CREATE OR REPLACE VIEW %s WITH (security_barrier = true) AS SELECT id AS customer_id, %s', view, array_to_string(fixed[2:], ', '))
            || coalesce((SELECT string_agg(format(', %s AS %I', made.calls[place], made.names[place]), '' ORDER BY place)
                           FROM generate_subscripts(made.calls, 1) AS place), '')
            -- Repeats the condition of the wall, so that the view keeps other owners out even if its owner is changed.
            || format(' FROM ringfence.customer WHERE owner_id = ringfence.current_owner() AND ringfence.reports(%L, %L)',
                      report.project_id, report.name);
    EXECUTE format('COMMENT ON VIEW %s IS %L', view, 'The customers with the fields of a project; takes the right customer.read there');
    EXECUTE format('GRANT SELECT ON %s TO ringfence_user', view);
    UPDATE ringfence.report_view AS known SET fields = made.ids, is_current = true
     WHERE known.owner_id = report.owner_id AND known.project_id = report.project_id;
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

CREATE OR REPLACE FUNCTION ringfence.report_columns(report ringfence.report_view, old_view regclass, OUT ids uuid[], OUT names text[], OUT calls text[], OUT types text[]) RETURNS record
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
DECLARE
    fixed CONSTANT text[] := ringfence.report_fixed_columns();
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
$$;

CREATE OR REPLACE FUNCTION ringfence.report_fixed_columns() RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN '{customer_id,name,phones,emails,address,birth_date,language,company_id,created_at,updated_at,last_activity_at}'::text[];

CREATE OR REPLACE FUNCTION ringfence.report_gone_column(place integer) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN format('(gone %s)'::text, place);

CREATE OR REPLACE FUNCTION ringfence.retype_field(field text, type text, options text[] DEFAULT NULL::text[]) RETURNS bigint
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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
    UPDATE ringfence.customer AS c
       SET attributes = ringfence.convert_value(c.attributes, target.id, target.type, target.options || target.retired_options,
                                                target.option_ids, retype_field.type, named, ids)
     WHERE c.owner_id = target.owner_id AND c.attributes ? key;
    GET DIAGNOSTICS converted = ROW_COUNT;
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
$$;
ALTER FUNCTION ringfence.retype_field(field text, type text, options text[]) OWNER TO ringfence_definer;

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

CREATE OR REPLACE FUNCTION ringfence.tidy_report_views() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
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
        SELECT * INTO report FROM ringfence.report_view AS made WHERE made.owner_id = NEW.owner_id AND made.project_id = NEW.project_id;
        IF FOUND THEN
            PERFORM ringfence.make_report_view(report, anew => true);
        END IF;
    END IF;
    RETURN NULL;
EXCEPTION WHEN OTHERS THEN
    RETURN NULL;
END
$$;
ALTER FUNCTION ringfence.tidy_report_views() OWNER TO ringfence_definer;

CREATE OR REPLACE FUNCTION ringfence.try_to_renew_report_view(report ringfence.report_view) RETURNS boolean
    LANGUAGE plpgsql
    SET search_path TO 'pg_catalog', 'pg_temp'
    AS $$
BEGIN
    PERFORM ringfence.make_report_view(report);
    RETURN true;
EXCEPTION
    WHEN lock_not_available THEN
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
REVOKE ALL ON FUNCTION ringfence.kept_report_columns(report ringfence.report_view, old_view regclass, INOUT ids uuid[], INOUT names text[], INOUT calls text[], types text[], OUT places integer[], OUT former text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION ringfence.kept_report_columns(report ringfence.report_view, old_view regclass, INOUT ids uuid[], INOUT names text[], INOUT calls text[], types text[], OUT places integer[], OUT former text[]) TO ringfence_definer;
REVOKE ALL ON FUNCTION ringfence.lock_field(field text) FROM PUBLIC;
GRANT ALL ON FUNCTION ringfence.lock_field(field text) TO ringfence_definer;
REVOKE ALL ON FUNCTION ringfence.matched_forms(card ringfence.customer_card, match_field text) FROM PUBLIC;
GRANT ALL ON FUNCTION ringfence.matched_forms(card ringfence.customer_card, match_field text) TO ringfence_definer;
REVOKE ALL ON FUNCTION ringfence.rename_report_columns(old_view regclass, places integer[], former text[], names text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION ringfence.rename_report_columns(old_view regclass, places integer[], former text[], names text[]) TO ringfence_definer;
REVOKE ALL ON FUNCTION ringfence.report_column_name(field_name text, taken text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION ringfence.report_column_name(field_name text, taken text[]) TO ringfence_definer;
REVOKE ALL ON FUNCTION ringfence.report_columns(report ringfence.report_view, old_view regclass, OUT ids uuid[], OUT names text[], OUT calls text[], OUT types text[]) FROM PUBLIC;
GRANT ALL ON FUNCTION ringfence.report_columns(report ringfence.report_view, old_view regclass, OUT ids uuid[], OUT names text[], OUT calls text[], OUT types text[]) TO ringfence_definer;
REVOKE ALL ON FUNCTION ringfence.report_fixed_columns() FROM PUBLIC;
GRANT ALL ON FUNCTION ringfence.report_fixed_columns() TO ringfence_definer;
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
COMMENT ON FUNCTION ringfence.create_report_view(project text, name text) IS 'Creates a view of the customers of a project, with a column for each field. Needs field.manage. Error P0002: no such project; 42P07: the view or its name exists; 22023: invalid name';
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
COMMENT ON FUNCTION ringfence.kept_report_columns(report ringfence.report_view, old_view regclass, INOUT ids uuid[], INOUT names text[], INOUT calls text[], types text[], OUT places integer[], OUT former text[]) IS 'The columns of a report view that is changed in place: its columns keep their places, and new ones come behind them. Internal';
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
COMMENT ON FUNCTION ringfence.report_columns(report ringfence.report_view, old_view regclass, OUT ids uuid[], OUT names text[], OUT calls text[], OUT types text[]) IS 'The fields of a project as columns of its report view: their ids, names, expressions and types; internal';
COMMENT ON FUNCTION ringfence.report_fixed_columns() IS 'The columns that every report view begins with; internal';
COMMENT ON FUNCTION ringfence.report_gone_column(place integer) IS 'The name of a report view''s column in that place whose field is gone; internal';
COMMENT ON FUNCTION ringfence.require_right() IS 'Trigger: error 42501 for a statement without the right that the trigger names, if row-level security binds the role';
COMMENT ON FUNCTION ringfence.require_rights_to_write(target regclass, write_right text, delete_right text) IS 'Makes a statement that writes to a table or view without the right fail (42501), also if it finds no row';
COMMENT ON FUNCTION ringfence.retype_field(field text, type text, options text[]) IS 'Gives a field another type, converts its values, and returns how many. Error 22023: no such type, or values do not convert; 23505: not unique; P0002: no such field; 42501: rights are missing';
COMMENT ON FUNCTION ringfence.revoke_access(role_name text, owner text, project text) IS 'Takes back what grant_access() gave for an owner, in one project or (NULL) everywhere. Running sessions lose it at their next statement';
COMMENT ON FUNCTION ringfence.search_customers(query text, max_rows integer, after text) IS 'Customers of the session''s owner that match every word, best first. For the next page, pass the last row''s cursor as after. Error 22023: bad max_rows, query too long, or a cursor of another search';
COMMENT ON FUNCTION ringfence.visible_fields(for_form boolean, OUT field_id uuid, OUT name text, OUT description text, OUT type text, OUT options text[], OUT required boolean, OUT access text, OUT "position" integer, OUT is_system boolean, OUT shared_with integer, OUT is_masked boolean, OUT is_unique boolean, OUT max_length integer, OUT pattern text, OUT minimum numeric, OUT maximum numeric) IS 'The fields of this session in the order of a form; without a project, those of all its projects. With for_form => false also those that are masked for it, with access "masked"';
COMMENT ON FUNCTION ringfence.wait_for_savers(card ringfence.customer_card, match_field text) IS 'Waits for sessions of the owner that save the same phone or e-mail, and keeps later ones waiting; false: the card has none to match by. Part of save_customer()';
COMMENT ON FUNCTION ringfence.wall(target regclass, read_right text, write_right text, delete_right text) IS 'Puts a new table of the extension behind the wall: owner, policies, triggers, dump. It needs a column owner_id; with a NULL read_right it makes no policy for reading';
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

-- At last: open sessions decide anew, and those that still have the former library say so.
UPDATE ringfence.owner SET name = name WHERE false;
