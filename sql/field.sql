-- field: what an owner wants to know of its customers, project by project.

CREATE TABLE ringfence.field (
    owner_id      uuid NOT NULL DEFAULT ringfence.current_owner() REFERENCES ringfence.owner ON DELETE CASCADE,
    id            uuid NOT NULL DEFAULT ringfence.new_id(),
    name          text NOT NULL CHECK (ringfence.check_name(name)),
    description   text,
    type          text NOT NULL DEFAULT 'text'
                  CHECK (type IN ('text', 'number', 'boolean', 'date', 'time', 'datetime', 'choice', 'choices', 'phone', 'email')),
    options       text[] CHECK ((type IN ('choice', 'choices')) = (options IS NOT NULL)),
    required      boolean NOT NULL DEFAULT false,
    is_unique     boolean NOT NULL DEFAULT false,
    is_masked     boolean NOT NULL DEFAULT false,
    is_searchable boolean NOT NULL DEFAULT false,
    is_system     boolean NOT NULL DEFAULT false,
    position      integer NOT NULL,
    PRIMARY KEY (owner_id, id),
    UNIQUE (owner_id, name)
);
ALTER TABLE ringfence.field OWNER TO ringfence_tables;
GRANT SELECT, INSERT, UPDATE, DELETE ON ringfence.field TO ringfence_definer;
COMMENT ON TABLE ringfence.field IS 'Definitions of fields; seen with field.manage. What a session may use of them is in visible_fields()';
COMMENT ON COLUMN ringfence.field.type IS 'text, number, boolean, date, time, datetime, choice, choices, phone or email';
COMMENT ON COLUMN ringfence.field.options IS 'The values of a choice, in order';
COMMENT ON COLUMN ringfence.field.required IS 'Always false in this version';
COMMENT ON COLUMN ringfence.field.is_unique IS 'Always false in this version';
COMMENT ON COLUMN ringfence.field.is_masked IS 'Seen and written only with field.unmask';
COMMENT ON COLUMN ringfence.field.is_searchable IS 'search_customers() looks into it';
COMMENT ON COLUMN ringfence.field.is_system IS 'A column of customer, in every project; cannot be changed, bound or unbound';
COMMENT ON COLUMN ringfence.field.position IS 'Its place in a form';

SELECT ringfence.wall('ringfence.field', 'field.manage', 'field.manage', 'field.manage');
SELECT ringfence.decide_from('ringfence.field');
GRANT SELECT,
      INSERT (owner_id, name, description, type, options, is_masked, is_searchable, position),
      UPDATE (owner_id, name, description, is_masked, is_searchable, position)
    ON ringfence.field TO ringfence_user;

CREATE TABLE ringfence.field_project (
    owner_id   uuid NOT NULL DEFAULT ringfence.current_owner(),
    field_id   uuid NOT NULL,
    project_id uuid NOT NULL,
    access     text NOT NULL DEFAULT 'write' CHECK (access IN ('read', 'write')),
    PRIMARY KEY (owner_id, field_id, project_id),
    FOREIGN KEY (owner_id, field_id) REFERENCES ringfence.field ON DELETE CASCADE,
    FOREIGN KEY (owner_id, project_id) REFERENCES ringfence.project ON DELETE CASCADE
);
ALTER TABLE ringfence.field_project OWNER TO ringfence_tables;
GRANT SELECT, INSERT, UPDATE, DELETE ON ringfence.field_project TO ringfence_definer;
COMMENT ON TABLE ringfence.field_project IS 'Which field is seen in which project';
COMMENT ON COLUMN ringfence.field_project.access IS 'read: seen in the project, written elsewhere; write: seen and written';
CREATE INDEX field_project_project ON ringfence.field_project (owner_id, project_id);

SELECT ringfence.wall('ringfence.field_project', 'field.manage', 'field.manage', 'field.manage');
SELECT ringfence.decide_from('ringfence.field_project');
GRANT SELECT, INSERT (owner_id, field_id, project_id, access), UPDATE (access), DELETE ON ringfence.field_project TO ringfence_user;

-- What row-level security does not bind (a superuser, a referential action) may change system fields too.
CREATE FUNCTION ringfence.check_field_change() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $check$
BEGIN
    IF NOT row_security_active(TG_RELID) THEN
        RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
    END IF;
    IF OLD.is_system THEN
        RAISE EXCEPTION 'system field "%" cannot be changed', OLD.name
            USING ERRCODE = 'insufficient_privilege', HINT = 'System fields are the same in every project of every owner.';
    END IF;
    -- Managing fields is not seeing values (B16): whoever lets a mask fall must be able to see behind it everywhere.
    IF TG_OP = 'UPDATE' AND OLD.is_masked AND NOT NEW.is_masked AND NOT ringfence.has_right_in('field.unmask', NULL) THEN
        RAISE EXCEPTION 'field "%" cannot be unmasked without the right "field.unmask"', OLD.name
            USING ERRCODE = 'insufficient_privilege', HINT = 'It takes the right in all projects of the owner.';
    END IF;
    RETURN CASE WHEN TG_OP = 'DELETE' THEN OLD ELSE NEW END;
END
$check$;
REVOKE ALL ON FUNCTION ringfence.check_field_change() FROM PUBLIC;
COMMENT ON FUNCTION ringfence.check_field_change() IS 'Trigger: error 42501 on changing a system field (B7), or unmasking a field without field.unmask (B10)';
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
    -- Whoever restores or repairs as superuser knows what it does; and a field that is not there is for the foreign key.
    IF NOT row_security_active(TG_RELID) THEN
        RETURN NEW;
    END IF;
    SELECT * INTO bound FROM ringfence.field WHERE field.owner_id = NEW.owner_id AND field.id = NEW.field_id;
    IF bound.is_system THEN
        RAISE EXCEPTION 'system field "%" cannot be bound', bound.name
            USING ERRCODE = 'insufficient_privilege', HINT = 'System fields are in every project.';
    END IF;
    IF bound.is_masked AND ringfence.has_right_in('field.unmask', NEW.project_id) AND NOT ringfence.has_right_in('field.unmask', NULL) THEN
        RAISE EXCEPTION 'masked field "%" cannot be bound to a project by a session that sees masked fields only there', bound.name
            USING ERRCODE = 'insufficient_privilege', HINT = 'It takes the right "field.unmask" in all projects of the owner, or in none.';
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
COMMENT ON FUNCTION ringfence.check_binding() IS 'Trigger: error 42501 on binding a system field (B7), or a masked one to see it; NOTICE on sharing one (B6)';
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

-- Functions ------------------------------------------------------------------------------------------------------------
-- They run as the caller: table privileges, the wall and the rights decide, as for a plain INSERT or DELETE.

CREATE FUNCTION ringfence.visible_fields(
    OUT field_id uuid, OUT name text, OUT description text, OUT type text, OUT options text[], OUT required boolean,
    OUT access text, OUT "position" integer, OUT is_system boolean)
    RETURNS SETOF record
    LANGUAGE c STABLE PARALLEL SAFE STRICT ROWS 30 AS 'MODULE_PATHNAME', 'visible_fields_wrapper';
REVOKE ALL ON FUNCTION ringfence.visible_fields() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.visible_fields() TO ringfence_user;
COMMENT ON FUNCTION ringfence.visible_fields() IS
    'The fields of this session in the order of a form: system fields, then the custom fields of its project, or with none selected of all projects it works in';

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
        RAISE EXCEPTION 'no field "%" is in reach', field
            USING ERRCODE = 'no_data_found', HINT = 'SELECT name FROM ringfence.field lists the fields of the owner.';
    END IF;
    RETURN found_id;
END
$find$;
REVOKE ALL ON FUNCTION ringfence.field_in_reach(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.field_in_reach(text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.field_in_reach(text) IS 'The field with that id or exact name. Error 42501 without field.manage, P0002 if there is none';

CREATE FUNCTION ringfence.bind_field(field text, project text, access text DEFAULT 'write') RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $bind$
BEGIN
    IF access IS NULL OR access NOT IN ('read', 'write') THEN
        RAISE EXCEPTION 'unknown access "%"', access USING ERRCODE = 'invalid_parameter_value', HINT = 'Use ''read'' or ''write''.';
    END IF;
    INSERT INTO ringfence.field_project AS bound (field_id, project_id, access)
        VALUES (ringfence.field_in_reach(field), ringfence.project_in_reach(project), bind_field.access)
        ON CONFLICT (owner_id, field_id, project_id) DO UPDATE SET access = excluded.access;
END
$bind$;
REVOKE ALL ON FUNCTION ringfence.bind_field(text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.bind_field(text, text, text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.bind_field(text, text, text) IS
    'Shows a field in a project, to read or to write; a NOTICE tells with which projects it is then shared. Needs field.manage. Error P0002: no such field or project';

CREATE FUNCTION ringfence.unbind_field(field text, project text) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $unbind$
BEGIN
    DELETE FROM ringfence.field_project AS bound
        WHERE bound.owner_id = ringfence.current_owner()
          AND bound.field_id = ringfence.field_in_reach(field)
          AND bound.project_id = ringfence.project_in_reach(project);
    IF NOT FOUND THEN
        RAISE EXCEPTION 'field "%" is not bound to project "%"', field, project USING ERRCODE = 'no_data_found';
    END IF;
END
$unbind$;
REVOKE ALL ON FUNCTION ringfence.unbind_field(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.unbind_field(text, text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.unbind_field(text, text) IS
    'Hides a field in a project; values are kept. Needs field.manage. Error P0002: no such field or project, or not bound';

CREATE FUNCTION ringfence.create_field(
    name text, type text DEFAULT 'text', projects text[] DEFAULT '{}', description text DEFAULT NULL,
    options text[] DEFAULT NULL, is_masked boolean DEFAULT false, is_searchable boolean DEFAULT false,
    at_position integer DEFAULT NULL)
    RETURNS uuid
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $create$
#variable_conflict use_column
DECLARE
    new_id  uuid := ringfence.new_id();
    project text;
BEGIN
    IF create_field.type IS NULL OR create_field.type NOT IN
       ('text', 'number', 'boolean', 'date', 'time', 'datetime', 'choice', 'choices', 'phone', 'email') THEN
        RAISE EXCEPTION 'unknown field type "%"', create_field.type
            USING ERRCODE = 'invalid_parameter_value',
                  HINT = 'The types are: text, number, boolean, date, time, datetime, choice, choices, phone, email.';
    END IF;
    IF (create_field.type IN ('choice', 'choices')) <> (coalesce(cardinality(create_field.options), 0) > 0) THEN
        RAISE EXCEPTION 'options do not go with type "%"', create_field.type
            USING ERRCODE = 'invalid_parameter_value', HINT = 'A choice needs at least one option, other types take none.';
    END IF;
    INSERT INTO ringfence.field (name, type, description, options, is_masked, is_searchable, position)
        VALUES (create_field.name, create_field.type, create_field.description, nullif(create_field.options, '{}'),
                coalesce(create_field.is_masked, false), coalesce(create_field.is_searchable, false), create_field.at_position);
    FOREACH project IN ARRAY coalesce(create_field.projects, '{}') LOOP
        PERFORM ringfence.bind_field(create_field.name, project);
    END LOOP;
    RETURN ringfence.field_in_reach(create_field.name);
END
$create$;
REVOKE ALL ON FUNCTION ringfence.create_field(text, text, text[], text, text[], boolean, boolean, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.create_field(text, text, text[], text, text[], boolean, boolean, integer) TO ringfence_user;
COMMENT ON FUNCTION ringfence.create_field(text, text, text[], text, text[], boolean, boolean, integer) IS
    'Creates a field of the session''s owner, bound to the projects named, and returns its id. Only the name must be given (B2). Needs field.manage';

-- Views ----------------------------------------------------------------------------------------------------------------

CREATE VIEW ringfence.unassigned_field WITH (security_invoker = true, security_barrier = true) AS
    SELECT field.owner_id, field.id AS field_id, field.name, field.type, field.description
      FROM ringfence.field
     WHERE NOT field.is_system
       AND NOT EXISTS (SELECT FROM ringfence.field_project
                        WHERE field_project.owner_id = field.owner_id AND field_project.field_id = field.id);
GRANT SELECT ON ringfence.unassigned_field TO ringfence_user;
COMMENT ON VIEW ringfence.unassigned_field IS 'Fields that are bound to no project (B4)';

CREATE FUNCTION ringfence.storage_key(field_id uuid) RETURNS text
    LANGUAGE c IMMUTABLE PARALLEL SAFE STRICT AS 'MODULE_PATHNAME', 'storage_key_wrapper';
REVOKE ALL ON FUNCTION ringfence.storage_key(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.storage_key(uuid) TO ringfence_user;
COMMENT ON FUNCTION ringfence.storage_key(uuid) IS 'The key under which customer.attributes holds the values of a field: its id in base 64';

-- Not security_invoker: it counts in attributes, which callers may not read. The wall binds its owner, the definer.
CREATE VIEW ringfence.shared_field WITH (security_barrier = true) AS
    SELECT field.owner_id, field.id AS field_id, field.name AS field, bound.projects,
           CASE WHEN ringfence.has_right('customer.read') THEN
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
COMMENT ON VIEW ringfence.shared_field IS 'Fields that several projects share, with the projects and how many customers have a value (B6)';
COMMENT ON COLUMN ringfence.shared_field.customers IS 'Customers that have a value; NULL without the right customer.read';
