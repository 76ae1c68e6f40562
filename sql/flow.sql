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
