-- field: what an owner wants to know of its customers, project by project.

CREATE TABLE ringfence.field (
    owner_id      uuid NOT NULL DEFAULT ringfence.current_owner() REFERENCES ringfence.owner ON DELETE CASCADE,
    id            uuid NOT NULL DEFAULT ringfence.new_id(),
    name          text NOT NULL CHECK (ringfence.check_name(name)),
    description   text,
    type          text NOT NULL DEFAULT 'text'
                  CHECK (type IN ('text', 'number', 'boolean', 'date', 'time', 'datetime', 'choice', 'choices', 'phone', 'email')),
    options       text[] CHECK ((type IN ('choice', 'choices')) = (options IS NOT NULL)),
    retired_options text[],
    option_ids    integer[],
    max_length    integer,
    pattern       text,
    minimum       numeric,
    maximum       numeric,
    required      boolean NOT NULL DEFAULT false,
    is_unique     boolean NOT NULL DEFAULT false,
    is_masked     boolean NOT NULL DEFAULT false,
    is_searchable boolean NOT NULL DEFAULT false,
    is_system     boolean NOT NULL DEFAULT false,
    position      integer NOT NULL,
    PRIMARY KEY (owner_id, id),
    UNIQUE (owner_id, name),
    -- Values hold the id of their option, so retired options have ids too.
    CHECK (cardinality(coalesce(options, '{}')) + cardinality(coalesce(retired_options, '{}')) = cardinality(coalesce(option_ids, '{}')))
);
CREATE UNIQUE INDEX field_name_as_seen ON ringfence.field (owner_id, ringfence.name_as_seen(name));
COMMENT ON INDEX ringfence.field_name_as_seen IS 'No two fields of an owner have names that look the same';
COMMENT ON TABLE ringfence.field IS 'Definitions of fields; seen with field.manage. What a session may use of them is in visible_fields()';
COMMENT ON COLUMN ringfence.field.type IS 'text, number, boolean, date, time, datetime, choice, choices, phone or email';
COMMENT ON COLUMN ringfence.field.options IS 'The options of a choice that can be chosen, in order; changed by add_option(), rename_option(), retire_option()';
COMMENT ON COLUMN ringfence.field.retired_options IS 'Options that customers may still have, and that cannot be chosen any more';
COMMENT ON COLUMN ringfence.field.option_ids IS 'The ids of options, then of retired_options: what customers'' values hold';
COMMENT ON COLUMN ringfence.field.max_length IS 'Characters that a text may have; judged when a value is written, as all limits';
COMMENT ON COLUMN ringfence.field.pattern IS 'A regular expression that the whole of a text must match';
COMMENT ON COLUMN ringfence.field.minimum IS 'The smallest number';
COMMENT ON COLUMN ringfence.field.maximum IS 'The largest number';
COMMENT ON COLUMN ringfence.field.required IS 'Must be filled in every project that can write it; field_project.required: in that project';
COMMENT ON COLUMN ringfence.field.is_unique IS 'No two customers of the owner have the same value';
COMMENT ON COLUMN ringfence.field.is_masked IS 'Seen and written only with field.unmask';
COMMENT ON COLUMN ringfence.field.is_searchable IS 'search_customers() looks into it';
COMMENT ON COLUMN ringfence.field.is_system IS 'A column of customer, in every project; cannot be changed, bound or unbound';
COMMENT ON COLUMN ringfence.field.position IS 'Its place in a form';

SELECT ringfence.wall('ringfence.field', 'field.manage', 'field.manage', 'field.manage');
SELECT ringfence.decide_from('ringfence.field');
GRANT SELECT (owner_id, id, name, description, type, options, retired_options, option_ids, max_length, pattern, minimum, maximum, required,
              is_unique, is_masked, is_searchable, is_system, position),
      INSERT (owner_id, name, description, type, options, max_length, pattern, minimum, maximum, required, is_unique, is_masked,
              is_searchable, position),
      UPDATE (owner_id, name, description, max_length, pattern, minimum, maximum, required, is_unique, is_masked, is_searchable,
              position)
    ON ringfence.field TO ringfence_user;

CREATE TABLE ringfence.field_project (
    owner_id   uuid NOT NULL DEFAULT ringfence.current_owner(),
    field_id   uuid NOT NULL,
    project_id uuid NOT NULL,
    access     text NOT NULL DEFAULT 'write' CHECK (access IN ('read', 'write')),
    required   boolean NOT NULL DEFAULT false,
    position   integer,
    PRIMARY KEY (owner_id, field_id, project_id),
    FOREIGN KEY (owner_id, field_id) REFERENCES ringfence.field ON DELETE CASCADE,
    FOREIGN KEY (owner_id, project_id) REFERENCES ringfence.project ON DELETE CASCADE
);
COMMENT ON TABLE ringfence.field_project IS 'Which field is seen in which project';
COMMENT ON COLUMN ringfence.field_project.access IS 'read: seen in the project, written elsewhere; write: seen and written';
COMMENT ON COLUMN ringfence.field_project.required IS 'Must be filled in this project, by whoever can write it there';
COMMENT ON COLUMN ringfence.field_project.position IS 'Its place in a form of this project; NULL: that of the field';
CREATE INDEX field_project_project ON ringfence.field_project (owner_id, project_id);

SELECT ringfence.wall('ringfence.field_project', 'field.manage', 'field.manage', 'field.manage');
SELECT ringfence.decide_from('ringfence.field_project');
GRANT SELECT (owner_id, field_id, project_id, access, required, position),
      INSERT (owner_id, field_id, project_id, access, required, position), UPDATE (access, required, position), DELETE
    ON ringfence.field_project TO ringfence_user;

CREATE FUNCTION ringfence.check_pattern(pattern text) RETURNS boolean
    LANGUAGE c IMMUTABLE PARALLEL SAFE STRICT AS 'MODULE_PATHNAME', 'check_pattern_wrapper';
REVOKE ALL ON FUNCTION ringfence.check_pattern(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.check_pattern(text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.check_pattern(text) IS 'True, or error 22023 that says why it cannot be the pattern of a field';

CREATE FUNCTION ringfence.check_field_limits(definition ringfence.field) RETURNS void
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

CREATE FUNCTION ringfence.check_field_definition() RETURNS trigger
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
CREATE TRIGGER check_field_definition BEFORE INSERT OR UPDATE ON ringfence.field
    FOR EACH ROW EXECUTE FUNCTION ringfence.check_field_definition();

-- A superuser and a referential action may change system fields too: row-level security does not bind them.
CREATE FUNCTION ringfence.check_field_change() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $check$
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
$check$;
REVOKE ALL ON FUNCTION ringfence.check_field_change() FROM PUBLIC;
COMMENT ON FUNCTION ringfence.check_field_change() IS
    'Trigger: error 42501 on changing a system field, and without field.unmask on unmasking a field or changing whether a masked one is searched';
CREATE TRIGGER check_field_change BEFORE UPDATE OR DELETE ON ringfence.field
    FOR EACH ROW EXECUTE FUNCTION ringfence.check_field_change();

CREATE FUNCTION ringfence.place_field() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $place$
BEGIN
    IF NEW.position IS NULL THEN
        SELECT least(coalesce(max(field.position), 0)::bigint + 1, 2147483647) INTO NEW.position
            FROM ringfence.field WHERE field.owner_id = NEW.owner_id;
    END IF;
    RETURN NEW;
END
$place$;
REVOKE ALL ON FUNCTION ringfence.place_field() FROM PUBLIC;
COMMENT ON FUNCTION ringfence.place_field() IS 'Trigger: a field without a position comes last';
CREATE TRIGGER place_field BEFORE INSERT ON ringfence.field
    FOR EACH ROW EXECUTE FUNCTION ringfence.place_field();

CREATE FUNCTION ringfence.check_binding() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $check$
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
$check$;
REVOKE ALL ON FUNCTION ringfence.check_binding() FROM PUBLIC;
COMMENT ON FUNCTION ringfence.check_binding() IS 'Trigger: error 42501 on binding a system field, or a masked one to see it; NOTICE on sharing one';
CREATE TRIGGER check_binding BEFORE INSERT ON ringfence.field_project
    FOR EACH ROW EXECUTE FUNCTION ringfence.check_binding();

CREATE FUNCTION ringfence.provision_field() RETURNS void
    LANGUAGE sql VOLATILE
    BEGIN ATOMIC
        INSERT INTO ringfence.field (name, description, type, is_searchable, is_system, position) VALUES
            ('name', 'Name', 'text', true, true, 1),
            ('phones', 'Phone numbers', 'phone', true, true, 2),
            ('emails', 'E-mail addresses', 'email', true, true, 3),
            ('address', 'Address', 'text', false, true, 4),
            ('birth_date', 'Date of birth', 'date', false, true, 5),
            ('language', 'Language', 'text', false, true, 6),
            ('company_id', 'Company', 'text', false, true, 7);
    END;
REVOKE ALL ON FUNCTION ringfence.provision_field() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.provision_field() TO ringfence_definer;
COMMENT ON FUNCTION ringfence.provision_field() IS 'Provisions the system fields of a new owner; internal';
CREATE TRIGGER provision_field AFTER INSERT ON ringfence.owner
    FOR EACH ROW EXECUTE FUNCTION ringfence.as_owner('provision_field');

-- Functions -----------------------------------------------------------------------------------------------------------
-- They run as the caller: table privileges, the wall and the rights decide, as for a plain INSERT or DELETE.

CREATE FUNCTION ringfence.visible_fields(
    for_form boolean DEFAULT true,
    OUT field_id uuid, OUT name text, OUT description text, OUT type text, OUT options text[], OUT required boolean,
    OUT access text, OUT "position" integer, OUT is_system boolean, OUT shared_with integer, OUT is_masked boolean,
    OUT is_unique boolean, OUT max_length integer, OUT pattern text, OUT minimum numeric, OUT maximum numeric)
    RETURNS SETOF record
    LANGUAGE c STABLE PARALLEL SAFE STRICT ROWS 30 AS 'MODULE_PATHNAME', 'visible_fields_wrapper';
REVOKE ALL ON FUNCTION ringfence.visible_fields(boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.visible_fields(boolean) TO ringfence_user;
COMMENT ON FUNCTION ringfence.visible_fields(boolean) IS
    'The fields of this session in the order of a form; without a project, those of all its projects. With for_form => false also those that are masked for it, with access "masked"';

CREATE FUNCTION ringfence.field_in_reach(field text) RETURNS uuid
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $find$
DECLARE
    found_id uuid;
BEGIN
    PERFORM ringfence.check_right('field.manage');
    -- Names are never UUIDs, so at most one of the two matches.
    SELECT f.id INTO found_id FROM ringfence.field AS f
        WHERE f.owner_id = ringfence.current_owner() AND (f.name = field OR f.id::text = lower(field));
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no field "%" is in reach', left(field, 200)
            USING ERRCODE = 'no_data_found', HINT = 'SELECT name FROM ringfence.field lists the fields of the owner.';
    END IF;
    RETURN found_id;
END
$find$;
REVOKE ALL ON FUNCTION ringfence.field_in_reach(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.field_in_reach(text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.field_in_reach(text) IS 'The field with that id or exact name. Error 42501 without field.manage, P0002 if there is none';

CREATE FUNCTION ringfence.bind_field(
    field text, project text, access text DEFAULT 'write', required boolean DEFAULT NULL, at_position integer DEFAULT NULL)
    RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $bind$
DECLARE
    found_field   uuid;
    found_project uuid;
BEGIN
    IF access IS NULL OR access NOT IN ('read', 'write') THEN
        RAISE EXCEPTION 'unknown access "%"', left(access, 200) USING ERRCODE = 'invalid_parameter_value', HINT = 'Use ''read'' or ''write''.';
    END IF;
    found_field := ringfence.field_in_reach(field);
    found_project := ringfence.project_in_reach(project);
    INSERT INTO ringfence.field_project AS bound (field_id, project_id, access, required, position)
        VALUES (found_field, found_project, bind_field.access,
                coalesce(bind_field.required, false), bind_field.at_position)
        ON CONFLICT (owner_id, field_id, project_id) DO UPDATE
        SET access = excluded.access,
            required = coalesce(bind_field.required, bound.required),
            position = coalesce(bind_field.at_position, bound.position);
END
$bind$;
REVOKE ALL ON FUNCTION ringfence.bind_field(text, text, text, boolean, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.bind_field(text, text, text, boolean, integer) TO ringfence_user;
COMMENT ON FUNCTION ringfence.bind_field(text, text, text, boolean, integer) IS
    'Shows a field in a project, to read or to write; NULL keeps required and the position. Needs field.manage. Error P0002: no such field or project';

CREATE FUNCTION ringfence.unbind_field(field text, project text) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $unbind$
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
$unbind$;
REVOKE ALL ON FUNCTION ringfence.unbind_field(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.unbind_field(text, text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.unbind_field(text, text) IS
    'Hides a field in a project; values are kept. Needs field.manage. Error P0002: no such field or project, or not bound';

CREATE FUNCTION ringfence.check_field_type(type text, options text[]) RETURNS void
    LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'check_field_type_wrapper';
REVOKE ALL ON FUNCTION ringfence.check_field_type(text, text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.check_field_type(text, text[]) TO ringfence_user;
COMMENT ON FUNCTION ringfence.check_field_type(text, text[]) IS 'Error 22023 for a type that does not exist, or options that do not go with it';

CREATE FUNCTION ringfence.create_field(
    name text, type text DEFAULT 'text', projects text[] DEFAULT '{}', description text DEFAULT NULL,
    options text[] DEFAULT NULL, is_masked boolean DEFAULT false, is_searchable boolean DEFAULT false,
    at_position integer DEFAULT NULL, required boolean DEFAULT false, is_unique boolean DEFAULT false,
    max_length integer DEFAULT NULL, pattern text DEFAULT NULL, minimum numeric DEFAULT NULL, maximum numeric DEFAULT NULL)
    RETURNS uuid
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $create$
#variable_conflict use_column
DECLARE
    project text;
BEGIN
    PERFORM ringfence.check_field_type(create_field.type, create_field.options);
    INSERT INTO ringfence.field (name, type, description, options, is_masked, is_searchable, position, required, is_unique,
                                 max_length, pattern, minimum, maximum)
        VALUES (create_field.name, create_field.type, create_field.description, nullif(create_field.options, '{}'),
                coalesce(create_field.is_masked, false), coalesce(create_field.is_searchable, false), create_field.at_position,
                coalesce(create_field.required, false), coalesce(create_field.is_unique, false), create_field.max_length,
                create_field.pattern, create_field.minimum, create_field.maximum);
    FOREACH project IN ARRAY coalesce(create_field.projects, '{}') LOOP
        PERFORM ringfence.bind_field(create_field.name, project);
    END LOOP;
    RETURN ringfence.field_in_reach(create_field.name);
END
$create$;
REVOKE ALL ON FUNCTION ringfence.create_field(text, text, text[], text, text[], boolean, boolean, integer, boolean, boolean, integer, text, numeric, numeric) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.create_field(text, text, text[], text, text[], boolean, boolean, integer, boolean, boolean, integer, text, numeric, numeric) TO ringfence_user;
COMMENT ON FUNCTION ringfence.create_field(text, text, text[], text, text[], boolean, boolean, integer, boolean, boolean, integer, text, numeric, numeric) IS
    'Creates a field of the session''s owner, binds it to these projects, and returns its id. Needs field.manage. Error 22023: wrong type, options or limits; 23505: the name is taken';

CREATE FUNCTION ringfence.rename_field(field text, new_name text) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $rename$
DECLARE
    found_id CONSTANT uuid := ringfence.field_in_reach(field);
BEGIN
    UPDATE ringfence.field AS renamed SET name = new_name
     WHERE renamed.owner_id = ringfence.current_owner() AND renamed.id = found_id;
END
$rename$;
REVOKE ALL ON FUNCTION ringfence.rename_field(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.rename_field(text, text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.rename_field(text, text) IS
    'Gives a field another name; rewrites no customer. Needs field.manage. Error P0002: no such field; 42501: a system field; 23505: the name is taken; 22023: it cannot be a name';

-- Options -------------------------------------------------------------------------------------------------------------
-- SECURITY DEFINER, because only the definer may write options and their ids. The wall and field.manage still apply.

CREATE FUNCTION ringfence.choice_in_reach(field text) RETURNS ringfence.field
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $find$
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
$find$;
REVOKE ALL ON FUNCTION ringfence.choice_in_reach(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.choice_in_reach(text) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.choice_in_reach(text) IS 'The field with that id or name, locked. Error 22023 if it has no options; else as field_in_reach(). Internal';

CREATE FUNCTION ringfence.store_options(target ringfence.field, options text[], retired text[], ids integer[]) RETURNS void
    LANGUAGE sql VOLATILE
    BEGIN ATOMIC
        UPDATE ringfence.field AS changed
           SET options = store_options.options, retired_options = nullif(store_options.retired, '{}'), option_ids = store_options.ids
         WHERE changed.owner_id = (store_options.target).owner_id AND changed.id = (store_options.target).id;
    END;
REVOKE ALL ON FUNCTION ringfence.store_options(ringfence.field, text[], text[], integer[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.store_options(ringfence.field, text[], text[], integer[]) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.store_options(ringfence.field, text[], text[], integer[]) IS 'Stores the options of a field with their ids; internal';

CREATE FUNCTION ringfence.add_option(field text, option text, at_position integer DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $add$
DECLARE
    target  ringfence.field := ringfence.choice_in_reach(field);
    names   text[] := target.options;
    retired text[] := coalesce(target.retired_options, '{}');
    ids     integer[] := target.option_ids;
    place   integer := least(greatest(coalesce(at_position, cardinality(names) + 1), 1), cardinality(names) + 1);
    was     integer := array_position(retired, option);
    new_id  integer;
BEGIN
    IF option = ANY (names) THEN
        RAISE EXCEPTION 'field "%" has option "%" already', target.name, left(option, 200) USING ERRCODE = 'unique_violation';
    END IF;
    IF was IS NOT NULL THEN
        new_id := ids[cardinality(names) + was];
        ids := ids[:cardinality(names) + was - 1] || ids[cardinality(names) + was + 1:];
        retired := retired[:was - 1] || retired[was + 1:];
    ELSE
        SELECT coalesce(max(id), 0) + 1 INTO new_id FROM unnest(ids) AS id;
    END IF;
    PERFORM ringfence.store_options(target, names[:place - 1] || option || names[place:], retired, ids[:place - 1] || new_id || ids[place:]);
END
$add$;
ALTER FUNCTION ringfence.add_option(text, text, integer) OWNER TO ringfence_definer;
REVOKE ALL ON FUNCTION ringfence.add_option(text, text, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.add_option(text, text, integer) TO ringfence_user;
COMMENT ON FUNCTION ringfence.add_option(text, text, integer) IS
    'Adds an option to a choice, at that place or (NULL) as the last; brings back a retired one. Needs field.manage. Error 22023: not a choice or an option; 23505: it exists; P0002: no such field';

CREATE FUNCTION ringfence.rename_option(field text, option text, new_name text) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $rename$
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
$rename$;
ALTER FUNCTION ringfence.rename_option(text, text, text) OWNER TO ringfence_definer;
REVOKE ALL ON FUNCTION ringfence.rename_option(text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.rename_option(text, text, text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.rename_option(text, text, text) IS
    'Renames an option; no customer is rewritten. Needs field.manage, for a masked field also field.unmask. Error 22023: not a choice or an option; P0002: no such field or option';

CREATE FUNCTION ringfence.retire_option(field text, option text) RETURNS void
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $retire$
DECLARE
    target  ringfence.field := ringfence.choice_in_reach(field);
    names   text[] := target.options;
    retired text[] := coalesce(target.retired_options, '{}');
    ids     integer[] := target.option_ids;
    place   integer := array_position(names, option);
BEGIN
    IF place IS NULL THEN
        RAISE EXCEPTION 'field "%" has no option "%" that can be chosen', target.name, left(option, 200) USING ERRCODE = 'no_data_found';
    END IF;
    PERFORM ringfence.store_options(target, names[:place - 1] || names[place + 1:], retired || option,
                                    ids[:place - 1] || ids[place + 1:] || ids[place]);
END
$retire$;
ALTER FUNCTION ringfence.retire_option(text, text) OWNER TO ringfence_definer;
REVOKE ALL ON FUNCTION ringfence.retire_option(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.retire_option(text, text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.retire_option(text, text) IS
    'Takes an option out of what can be chosen; customers that have it keep it. Needs field.manage. Error 22023: not a choice; P0002: no such field or option';

-- Views ---------------------------------------------------------------------------------------------------------------

CREATE VIEW ringfence.unassigned_field WITH (security_invoker = true, security_barrier = true) AS
    SELECT field.owner_id, field.id AS field_id, field.name, field.type, field.description
      FROM ringfence.field
     WHERE NOT field.is_system
       AND NOT EXISTS (SELECT FROM ringfence.field_project
                        WHERE field_project.owner_id = field.owner_id AND field_project.field_id = field.id);
GRANT SELECT ON ringfence.unassigned_field TO ringfence_user;
COMMENT ON VIEW ringfence.unassigned_field IS 'Fields that are bound to no project';

CREATE FUNCTION ringfence.storage_key(field_id uuid) RETURNS text
    LANGUAGE c IMMUTABLE PARALLEL SAFE STRICT AS 'MODULE_PATHNAME', 'storage_key_wrapper';
REVOKE ALL ON FUNCTION ringfence.storage_key(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.storage_key(uuid) TO ringfence_user;
COMMENT ON FUNCTION ringfence.storage_key(uuid) IS 'The key under which customer.attributes holds the values of a field: its id in base 64';

-- Not security_invoker: it counts in attributes, which callers may not read. The wall binds its owner, the definer.
CREATE VIEW ringfence.shared_field WITH (security_barrier = true) AS
    SELECT field.owner_id, field.id AS field_id, field.name AS field, bound.projects,
           -- Counting customers with a masked value requires the right to see it: counted before and after a customer
           -- is deleted, the number would tell whether that customer had one.
           CASE WHEN ringfence.has_right('customer.read') AND (NOT field.is_masked OR ringfence.has_right_in('field.unmask', NULL)) THEN
               (SELECT count(*) FROM ringfence.customer
                 WHERE customer.owner_id = field.owner_id AND customer.attributes ? ringfence.storage_key(field.id))
           END AS customers
      FROM ringfence.field
      JOIN (SELECT field_project.owner_id, field_project.field_id, array_agg(project.name ORDER BY project.name) AS projects
              FROM ringfence.field_project
              JOIN ringfence.project ON project.owner_id = field_project.owner_id AND project.id = field_project.project_id
             GROUP BY field_project.owner_id, field_project.field_id
            HAVING count(*) > 1) AS bound
        ON bound.owner_id = field.owner_id AND bound.field_id = field.id;
ALTER VIEW ringfence.shared_field OWNER TO ringfence_definer;
GRANT SELECT ON ringfence.shared_field TO ringfence_user;
COMMENT ON VIEW ringfence.shared_field IS 'Fields that several projects share, with the projects and how many customers have a value';
COMMENT ON COLUMN ringfence.shared_field.customers IS 'Customers that have a value; NULL without the right customer.read, and of a masked field without field.unmask in all projects';
