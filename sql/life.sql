-- life: an owner's whole life: what is assigned to it, and its deletion, with counts before and proof after.
--
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
