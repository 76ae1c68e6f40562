-- life: an owner's whole life: what is assigned to it, and its deletion, with counts before and proof after.
--
-- Which tables have rows of an owner is read from the catalog, so that a table of a later version is not forgotten.

-- Tables of the extension, and those that a superuser has walled as they are. Anybody could give a table of their own a policy of that name, and a
-- trigger that runs as who deletes from it: such a table does not belong to ringfence_tables.
--
-- A table that refers to others is in a step before them. Tables that refer to each other in a circle are in one step.
CREATE FUNCTION ringfence.tables_by_step(OUT relation regclass, OUT step integer, OUT in_circle boolean) RETURNS SETOF record
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $tables$
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
     ORDER BY 2, placed.oid::regclass::text
$tables$;
REVOKE ALL ON FUNCTION ringfence.tables_by_step() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.tables_by_step() TO ringfence_definer;
COMMENT ON FUNCTION ringfence.tables_by_step() IS 'The tables that have rows of owners, in the order in which rows can be deleted; internal';

CREATE FUNCTION ringfence.qualified_name(relation regclass) RETURNS text
    LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $name$
    SELECT format('%I.%I', named.nspname, class.relname)
      FROM pg_class AS class JOIN pg_namespace AS named ON named.oid = class.relnamespace WHERE class.oid = relation
$name$;
REVOKE ALL ON FUNCTION ringfence.qualified_name(regclass) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.qualified_name(regclass) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.qualified_name(regclass) IS 'The name of a relation with that of its schema; internal';

-- The functions below are called as the definer, behind the wall of one owner. They name the owner all the same: a superuser may have switched
-- row-level security off on a table.
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
    ), all_counted AS (
        SELECT * FROM counted
        UNION ALL SELECT 11, total - sum(counted.rows), 'other row', 'other rows', true FROM counted
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
CREATE FUNCTION ringfence.delete_batch(step integer, batch integer) RETURNS integer
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $batch$
DECLARE
    own       CONSTANT uuid := ringfence.current_owner();
    this_step CONSTANT integer := coalesce(step, 1);
    tables    regclass[];
    circular  boolean;
    gone      bigint;
BEGIN
    SELECT array_agg(found.relation ORDER BY found.relation::text), bool_or(found.in_circle) INTO tables, circular
      FROM ringfence.tables_by_step() AS found WHERE found.step = this_step;
    IF tables IS NULL THEN
        -- After the last step. Should there be rows again, begin with them.
        RETURN (SELECT min(found.step) FROM ringfence.tables_by_step() AS found
                  JOIN ringfence.count_rows() AS counted ON counted.relation = ringfence.qualified_name(found.relation) WHERE counted.rows > 0);
    END IF;
    IF circular THEN
        SELECT sum(number) INTO gone FROM unnest(ringfence.delete_step(tables)) AS number;
    ELSE
        EXECUTE format('DELETE FROM %1$s WHERE owner_id = $1 AND ctid = ANY (ARRAY(SELECT ctid FROM %1$s WHERE owner_id = $1 LIMIT $2))', tables[1])
            USING own, batch;
        GET DIAGNOSTICS gone = ROW_COUNT;
    END IF;
    IF gone = 0 AND EXISTS (SELECT FROM ringfence.count_rows() AS counted, unnest(tables) AS place
                             WHERE counted.relation = ringfence.qualified_name(place) AND counted.rows > 0) THEN
        RAISE EXCEPTION 'rows of % cannot be deleted', ringfence.qualified_name(tables[1])
            USING ERRCODE = 'object_not_in_prerequisite_state', HINT = 'A trigger that was added to the table may keep them.';
    END IF;
    IF gone > 0 THEN
        RAISE NOTICE 'deleted % rows of %', gone, (SELECT string_agg(ringfence.qualified_name(place), ', ') FROM unnest(tables) AS place);
    END IF;
    RETURN CASE WHEN circular OR gone < batch THEN this_step + 1 ELSE this_step END;
END
$batch$;
REVOKE ALL ON FUNCTION ringfence.delete_batch(integer, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.delete_batch(integer, integer) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.delete_batch(integer, integer) IS 'Deletes a batch of the owner''s rows, and returns the step of the next, or NULL; internal';

CREATE FUNCTION ringfence.begin_purge(owner text, confirm text, batch integer) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'begin_purge_wrapper';
REVOKE ALL ON FUNCTION ringfence.begin_purge(text, text, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.begin_purge(text, text, integer) TO ringfence_admin;
COMMENT ON FUNCTION ringfence.begin_purge(text, text, integer) IS 'Part of purge_owner(): disables the owner for good';

CREATE FUNCTION ringfence.purge_batch(owner text, confirm text, batch integer, step integer) RETURNS integer
    LANGUAGE c VOLATILE PARALLEL UNSAFE AS 'MODULE_PATHNAME', 'purge_batch_wrapper';
REVOKE ALL ON FUNCTION ringfence.purge_batch(text, text, integer, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.purge_batch(text, text, integer, integer) TO ringfence_admin;
COMMENT ON FUNCTION ringfence.purge_batch(text, text, integer, integer) IS 'Part of purge_owner(): deletes a batch, and returns the step of the next, or NULL when the owner is gone';

-- No SET clause: a procedure that has one cannot commit. So it names no operator.
CREATE PROCEDURE ringfence.purge_owner(owner text, confirm text, batch integer DEFAULT 10000)
    LANGUAGE plpgsql AS $purge$
DECLARE
    step integer;
BEGIN
    PERFORM ringfence.begin_purge(owner, confirm, batch);
    COMMIT;
    LOOP
        step := ringfence.purge_batch(owner, confirm, batch, step);
        COMMIT;
        EXIT WHEN step IS NULL;
    END LOOP;
END
$purge$;
REVOKE ALL ON PROCEDURE ringfence.purge_owner(text, text, integer) FROM PUBLIC;
GRANT EXECUTE ON PROCEDURE ringfence.purge_owner(text, text, integer) TO ringfence_admin;
COMMENT ON PROCEDURE ringfence.purge_owner(text, text, integer) IS
    'Deletes a very large owner in batches, with a commit after each: it is gone for everybody at once, and a second call goes on where a crash ended the first';

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
