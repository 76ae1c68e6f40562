-- report: views for BI, of the customers and of the interactions of a project, with a typed column for each field of the project.
--
-- A report view publishes the names of its fields, because PostgreSQL shows all views and their columns to every role.
-- It publishes no rows: the wall judges them whenever the view is read. The name of a view must be unique in the whole
-- database, so by default it is made of the project's id.

CREATE SCHEMA ringfence_report;
COMMENT ON SCHEMA ringfence_report IS 'Report views, made by ringfence.create_report_view()';
REVOKE ALL ON SCHEMA ringfence_report FROM PUBLIC;
GRANT USAGE ON SCHEMA ringfence_report TO ringfence_user;
GRANT USAGE, CREATE ON SCHEMA ringfence_report TO ringfence_definer;

CREATE TABLE ringfence.report_view (
    owner_id   uuid NOT NULL DEFAULT ringfence.current_owner(),
    project_id uuid NOT NULL,
    name       text NOT NULL,
    -- In the order of the view's columns, after those that all report views have. NULL stands for a dropped field.
    fields     uuid[] NOT NULL DEFAULT '{}',
    is_current boolean NOT NULL DEFAULT true,
    of         text NOT NULL DEFAULT 'customer' CHECK (of IN ('customer', 'interaction')),
    PRIMARY KEY (owner_id, project_id, of),
    FOREIGN KEY (owner_id, project_id) REFERENCES ringfence.project ON DELETE CASCADE
);
COMMENT ON TABLE ringfence.report_view IS 'Which project has report views; written by create_report_view() and drop_report_view() only';
COMMENT ON COLUMN ringfence.report_view.name IS 'The view in schema ringfence_report';
COMMENT ON COLUMN ringfence.report_view.fields IS 'The fields that its columns show';
COMMENT ON COLUMN ringfence.report_view.is_current IS
    'false: the view was in use when its fields changed, and still has its former columns; renew_report_views() tries again';
COMMENT ON COLUMN ringfence.report_view.of IS 'What its rows are: customer or interaction';
SELECT ringfence.wall('ringfence.report_view', NULL, 'field.manage', 'field.manage');
CREATE POLICY may_read ON ringfence.report_view FOR SELECT TO PUBLIC USING (ringfence.works_in(project_id));
-- By column: a privilege on the whole table would let currtid2() tell of hidden rows.
GRANT SELECT (owner_id, project_id, name, fields, is_current, of) ON ringfence.report_view TO ringfence_user;

-- The views are made of these functions. Each returns only what the session sees in that project, whatever object it is
-- given.

CREATE FUNCTION ringfence.reports(project_id uuid, view_name text) RETURNS boolean
    LANGUAGE c STABLE PARALLEL SAFE STRICT SUPPORT ringfence.has_right_support AS 'MODULE_PATHNAME', 'reports_wrapper';
REVOKE ALL ON FUNCTION ringfence.reports(uuid, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.reports(uuid, text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.reports(uuid, text) IS
    'Whether the session reads customers in that project, and has no other selected. Error 55000 where row-level security does not guard that view; part of report views';

CREATE FUNCTION ringfence.reports_interactions(project_id uuid, view_name text) RETURNS boolean
    LANGUAGE c STABLE PARALLEL SAFE STRICT SUPPORT ringfence.has_right_support AS 'MODULE_PATHNAME', 'reports_interactions_wrapper';
REVOKE ALL ON FUNCTION ringfence.reports_interactions(uuid, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.reports_interactions(uuid, text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.reports_interactions(uuid, text) IS 'As reports(), for a report view of interactions: the policies of table interaction ask for interaction.read';

CREATE FUNCTION ringfence.report_text(stored jsonb, project_id uuid, field_id uuid) RETURNS text
    LANGUAGE c STABLE PARALLEL SAFE STRICT AS 'MODULE_PATHNAME', 'report_text_fast';
REVOKE ALL ON FUNCTION ringfence.report_text(jsonb, uuid, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.report_text(jsonb, uuid, uuid) TO ringfence_user;
COMMENT ON FUNCTION ringfence.report_text(jsonb, uuid, uuid) IS 'A field of type text, choice, phone or email, or NULL; part of report views';

CREATE FUNCTION ringfence.report_texts(stored jsonb, project_id uuid, field_id uuid) RETURNS text[]
    LANGUAGE c STABLE PARALLEL SAFE STRICT AS 'MODULE_PATHNAME', 'report_texts_fast';
REVOKE ALL ON FUNCTION ringfence.report_texts(jsonb, uuid, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.report_texts(jsonb, uuid, uuid) TO ringfence_user;
COMMENT ON FUNCTION ringfence.report_texts(jsonb, uuid, uuid) IS 'A field of type choices, or NULL; part of report views';

CREATE FUNCTION ringfence.report_number(stored jsonb, project_id uuid, field_id uuid) RETURNS numeric
    LANGUAGE c STABLE PARALLEL SAFE STRICT AS 'MODULE_PATHNAME', 'report_number_fast';
REVOKE ALL ON FUNCTION ringfence.report_number(jsonb, uuid, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.report_number(jsonb, uuid, uuid) TO ringfence_user;
COMMENT ON FUNCTION ringfence.report_number(jsonb, uuid, uuid) IS 'A field of type number, or NULL; part of report views';

CREATE FUNCTION ringfence.report_boolean(stored jsonb, project_id uuid, field_id uuid) RETURNS boolean
    LANGUAGE c STABLE PARALLEL SAFE STRICT AS 'MODULE_PATHNAME', 'report_boolean_fast';
REVOKE ALL ON FUNCTION ringfence.report_boolean(jsonb, uuid, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.report_boolean(jsonb, uuid, uuid) TO ringfence_user;
COMMENT ON FUNCTION ringfence.report_boolean(jsonb, uuid, uuid) IS 'A field of type boolean, or NULL; part of report views';

CREATE FUNCTION ringfence.report_date(stored jsonb, project_id uuid, field_id uuid) RETURNS date
    LANGUAGE c STABLE PARALLEL SAFE STRICT AS 'MODULE_PATHNAME', 'report_date_fast';
REVOKE ALL ON FUNCTION ringfence.report_date(jsonb, uuid, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.report_date(jsonb, uuid, uuid) TO ringfence_user;
COMMENT ON FUNCTION ringfence.report_date(jsonb, uuid, uuid) IS 'A field of type date, or NULL; part of report views';

CREATE FUNCTION ringfence.report_time(stored jsonb, project_id uuid, field_id uuid) RETURNS time
    LANGUAGE c STABLE PARALLEL SAFE STRICT AS 'MODULE_PATHNAME', 'report_time_fast';
REVOKE ALL ON FUNCTION ringfence.report_time(jsonb, uuid, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.report_time(jsonb, uuid, uuid) TO ringfence_user;
COMMENT ON FUNCTION ringfence.report_time(jsonb, uuid, uuid) IS 'A field of type time, or NULL; part of report views';

CREATE FUNCTION ringfence.report_datetime(stored jsonb, project_id uuid, field_id uuid) RETURNS timestamptz
    LANGUAGE c STABLE PARALLEL SAFE STRICT AS 'MODULE_PATHNAME', 'report_datetime_fast';
REVOKE ALL ON FUNCTION ringfence.report_datetime(jsonb, uuid, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.report_datetime(jsonb, uuid, uuid) TO ringfence_user;
COMMENT ON FUNCTION ringfence.report_datetime(jsonb, uuid, uuid) IS 'A field of type datetime, or NULL; part of report views';

-- Making the views ----------------------------------------------------------------------------------------------------
-- These functions run as the definer. Only the definer may create in the schema. It owns the views, and the wall binds
-- it like every role.
--
-- Any session may name any view of the schema, even one that it may not read, and so hold a lock on it until its
-- transaction ends. While an owner's fields change, the writers of that owner wait. So the change must not itself wait
-- for a session of another owner: these functions wait at most 5 ms for a view. A view that is in use keeps its columns
-- until later.
--
-- A view is not dropped while a statement runs. The statement may use the view or a value of its row type, and would
-- end in an internal error. Until the transaction ends, a view is changed in place, and the columns of dropped fields
-- stay.

CREATE FUNCTION ringfence.report_function(type text, OUT function_name text, OUT column_type text)
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    BEGIN ATOMIC
        SELECT CASE report_function.type WHEN 'number' THEN 'report_number' WHEN 'boolean' THEN 'report_boolean'
                   WHEN 'date' THEN 'report_date' WHEN 'time' THEN 'report_time' WHEN 'datetime' THEN 'report_datetime'
                   WHEN 'choices' THEN 'report_texts' ELSE 'report_text' END,
               CASE report_function.type WHEN 'number' THEN 'numeric' WHEN 'boolean' THEN 'boolean'
                   WHEN 'date' THEN 'date' WHEN 'time' THEN 'time without time zone' WHEN 'datetime' THEN 'timestamp with time zone'
                   WHEN 'choices' THEN 'text[]' ELSE 'text' END;
    END;
REVOKE ALL ON FUNCTION ringfence.report_function(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.report_function(text) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.report_function(text) IS 'What shows a field of that type in a report view, and as which SQL type; internal';

CREATE FUNCTION ringfence.statement_is_running() RETURNS boolean
    LANGUAGE c VOLATILE PARALLEL RESTRICTED STRICT AS 'MODULE_PATHNAME', 'statement_is_running_wrapper';
REVOKE ALL ON FUNCTION ringfence.statement_is_running() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.statement_is_running() TO ringfence_definer;
COMMENT ON FUNCTION ringfence.statement_is_running() IS
    'Whether a statement of the client is running: not when its transaction ends. Internal';

CREATE FUNCTION ringfence.has_dependents(view regclass) RETURNS boolean
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $has$
BEGIN
    RETURN EXISTS (
        SELECT FROM pg_depend
         WHERE deptype <> 'i'
           AND (refclassid = 'pg_class'::regclass AND refobjid = view
                OR refclassid = 'pg_type'::regclass AND refobjid IN
                   (SELECT unnest(ARRAY[type.oid, type.typarray]) FROM pg_type AS type WHERE type.typrelid = view))
           -- Its own rule.
           AND NOT (classid = 'pg_rewrite'::regclass AND objid IN (SELECT oid FROM pg_rewrite WHERE ev_class = view)));
END
$has$;
REVOKE ALL ON FUNCTION ringfence.has_dependents(regclass) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.has_dependents(regclass) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.has_dependents(regclass) IS 'Whether something depends on the view; internal';

CREATE FUNCTION ringfence.report_fixed_columns(of text) RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE report_fixed_columns.of
        WHEN 'interaction' THEN
            '{interaction_id,kind,direction,started_at,answered_at,ended_at,agent,remote_address,disposition,notes,external_id,channel_id,ticket_id,customer_id,customer_name,phones,emails,company_id}'::text[]
        ELSE '{customer_id,name,phones,emails,address,birth_date,language,company_id,created_at,updated_at,last_activity_at}'::text[] END;
REVOKE ALL ON FUNCTION ringfence.report_fixed_columns(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.report_fixed_columns(text) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.report_fixed_columns(text) IS 'The columns that every report view of customers, or of interactions, begins with; internal';

-- Repeats the condition of the wall, so that a view keeps other owners out even if its owner is changed.
CREATE FUNCTION ringfence.report_rows(report ringfence.report_view) RETURNS text
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

CREATE FUNCTION ringfence.report_gone_column(place integer) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN pg_catalog.format('(gone %s)', report_gone_column.place);
REVOKE ALL ON FUNCTION ringfence.report_gone_column(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.report_gone_column(integer) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.report_gone_column(integer) IS 'The name of a report view''s column in that place whose field is gone; internal';

-- A column's name has at most 63 bytes, and no two columns of a view have the same.
CREATE FUNCTION ringfence.report_column_name(field_name text, taken text[]) RETURNS text
    LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $name$
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
$name$;
REVOKE ALL ON FUNCTION ringfence.report_column_name(text, text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.report_column_name(text, text[]) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.report_column_name(text, text[]) IS 'The name of a field''s column in a report view in which these names are taken; internal';

CREATE FUNCTION ringfence.report_columns(
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

CREATE FUNCTION ringfence.kept_report_columns(
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

CREATE FUNCTION ringfence.rename_report_columns(old_view regclass, places integer[], former text[], names text[]) RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $rename$
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
$rename$;
REVOKE ALL ON FUNCTION ringfence.rename_report_columns(regclass, integer[], text[], text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.rename_report_columns(regclass, integer[], text[], text[]) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.rename_report_columns(regclass, integer[], text[], text[]) IS 'Gives the columns in these places of a report view other names; internal';

-- Without anew, the view is changed in place. Columns keep their places and take their new names. Columns of new fields
-- come after them. Columns of dropped fields stay, empty and renamed.
--
-- With anew, a view whose columns would differ is dropped and created again. If something depends on it, this happens
-- only if it has no room for more columns: any role can create something that depends on a view, even on one that it
-- may not read, and that must not keep an owner from changing its fields.
CREATE FUNCTION ringfence.make_report_view(report ringfence.report_view, anew boolean DEFAULT false) RETURNS void
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

CREATE FUNCTION ringfence.try_to_renew_report_view(report ringfence.report_view) RETURNS boolean
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $try$
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
$try$;
REVOKE ALL ON FUNCTION ringfence.try_to_renew_report_view(ringfence.report_view) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.try_to_renew_report_view(ringfence.report_view) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.try_to_renew_report_view(ringfence.report_view) IS
    'Renews a report view, or returns false where it is in use or not the definer''s; internal';

-- A view that is no longer needed is marked by a comment, and no role may read it. It is dropped when no statement runs
-- and no session uses it.
CREATE FUNCTION ringfence.drop_abandoned_report_views() RETURNS void
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp SET lock_timeout = '5ms' AS $drop$
DECLARE
    abandoned regclass;
BEGIN
    FOR abandoned IN
        SELECT oid FROM pg_class
         WHERE relnamespace = 'ringfence_report'::regnamespace AND relkind = 'v' AND relowner = current_user::regrole
           AND obj_description(oid, 'pg_class') = 'Abandoned: dropped when nobody uses it'
         ORDER BY relname
    LOOP
        BEGIN
            EXECUTE format('DROP VIEW %s CASCADE', abandoned);
        EXCEPTION WHEN lock_not_available THEN
            NULL;
        END;
    END LOOP;
END
$drop$;
REVOKE ALL ON FUNCTION ringfence.drop_abandoned_report_views() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.drop_abandoned_report_views() TO ringfence_definer;
COMMENT ON FUNCTION ringfence.drop_abandoned_report_views() IS 'Drops the report views that are not needed any more, with what was made of them, as far as nobody uses them; internal';

-- Runs at the end of a transaction that changed report views. The session may no longer work for the owner by then. An
-- error here must not fail the transaction: the next one tries again.
CREATE FUNCTION ringfence.tidy_report_views() RETURNS trigger
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
CREATE CONSTRAINT TRIGGER tidy_report_views AFTER UPDATE OR DELETE ON ringfence.report_view
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ringfence.tidy_report_views();

CREATE FUNCTION ringfence.create_report_view(project text, name text, of text) RETURNS regclass
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

CREATE FUNCTION ringfence.create_report_view(project text, name text DEFAULT NULL) RETURNS regclass
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

CREATE FUNCTION ringfence.drop_report_view(project text, of text) RETURNS void
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

CREATE FUNCTION ringfence.drop_report_view(project text) RETURNS void
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

-- Also runs when the project or its owner is deleted: then as a referential action, while no owner is selected. So it
-- reads no table of the extension.
CREATE FUNCTION ringfence.remove_report_view() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $remove$
DECLARE
    view CONSTANT regclass := to_regclass(format('ringfence_report.%I', OLD.name));
BEGIN
    IF (SELECT relowner FROM pg_class WHERE oid = view) = current_user::regrole THEN
        EXECUTE format('REVOKE ALL ON %s FROM ringfence_user', view);
        EXECUTE format('COMMENT ON VIEW %s IS %L', view, 'Abandoned: dropped when nobody uses it');
    END IF;
    RETURN NULL;
END
$remove$;
ALTER FUNCTION ringfence.remove_report_view() OWNER TO ringfence_definer;
REVOKE ALL ON FUNCTION ringfence.remove_report_view() FROM PUBLIC;
COMMENT ON FUNCTION ringfence.remove_report_view() IS 'Trigger: nobody reads a report view that is no longer registered';
CREATE TRIGGER remove_report_view AFTER DELETE ON ringfence.report_view
    FOR EACH ROW EXECUTE FUNCTION ringfence.remove_report_view();

CREATE FUNCTION ringfence.renew_report_views() RETURNS void
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

CREATE FUNCTION ringfence.follow_fields() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $follow$
BEGIN
    -- Not for a superuser, nor when a whole owner is deleted, whose views go with its projects.
    IF row_security_active(TG_RELID) AND (SELECT owner_id FROM ringfence.whoami()) IS NOT NULL THEN
        PERFORM ringfence.renew_report_views();
    END IF;
    RETURN NULL;
END
$follow$;
REVOKE ALL ON FUNCTION ringfence.follow_fields() FROM PUBLIC;
COMMENT ON FUNCTION ringfence.follow_fields() IS 'Trigger: report views follow the fields';
-- Not for rows that a referential action deletes. Then the field, project or owner is deleted, and has triggers of its
-- own. PostgreSQL 18 would run this trigger as the owner of the tables, which must not run code of the extension.
CREATE TRIGGER follow_fields AFTER INSERT OR UPDATE OF field_id, project_id, position OR DELETE ON ringfence.field_project
    FOR EACH STATEMENT WHEN (current_user <> 'ringfence_tables') EXECUTE FUNCTION ringfence.follow_fields();
CREATE TRIGGER follow_fields AFTER UPDATE OF name, type, position OR DELETE ON ringfence.field
    FOR EACH STATEMENT WHEN (current_user <> 'ringfence_tables') EXECUTE FUNCTION ringfence.follow_fields();

-- A dump holds report views as ordinary views. Restored without owners or privileges, they would belong to the
-- superuser. Row-level security does not bind a superuser, so reading them would be an error.
CREATE FUNCTION ringfence.adopt_report_views() RETURNS event_trigger
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
CREATE EVENT TRIGGER ringfence_adopt_report_views ON ddl_command_end WHEN TAG IN ('CREATE VIEW')
    EXECUTE FUNCTION ringfence.adopt_report_views();
-- Also if triggers are switched off, as in a parallel restore.
ALTER EVENT TRIGGER ringfence_adopt_report_views ENABLE ALWAYS;
COMMENT ON EVENT TRIGGER ringfence_adopt_report_views IS 'Report views belong to the definer, however they are restored';
