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
    WITH field AS MATERIALIZED (
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
    -- Which entry of access may read and write which field.
    entry AS MATERIALIZED (
        SELECT g.role_name, g.project_id, g.sources, array_agg(g.right_name) AS rights,
               array_agg(DISTINCT g.profile) FILTER (WHERE g.profile IS NOT NULL AND g.right_name = 'customer.read') AS reading,
               array_agg(DISTINCT g.profile) FILTER (WHERE g.profile IS NOT NULL AND g.right_name = 'customer.write') AS writing
          FROM ringfence.granted_right AS g
         WHERE g.owner_id = ringfence.current_owner()
         GROUP BY g.role_name, g.project_id, g.sources),
    reach AS (
        SELECT f.field_id, e.role_name, e.reading, e.writing,
               'customer.read' = ANY (e.rights) AND (NOT f.is_masked OR 'field.unmask' = ANY (e.rights))
                   AND (f.is_system OR EXISTS (SELECT FROM place AS p WHERE p.field_id = f.field_id AND (e.project_id IS NULL OR p.project_id = e.project_id))) AS reads,
               'customer.write' = ANY (e.rights)
                   AND (f.authority IS NULL OR e.sources IS NULL OR f.authority = ANY (e.sources))
                   AND (f.is_system OR 'customer.read' = ANY (e.rights) AND (NOT f.is_masked OR 'field.unmask' = ANY (e.rights))
                        AND EXISTS (SELECT FROM place AS p WHERE p.field_id = f.field_id AND p.access = 'write' AND (e.project_id IS NULL OR p.project_id = e.project_id))) AS writes
          FROM field AS f CROSS JOIN entry AS e)
    SELECT ringfence.current_owner() AS owner_id, f.field_id, f.name AS field, f.authority, coalesce(writer.sources, '{}') AS written_by,
           CASE WHEN may.manage_fields AND NOT f.is_system THEN ARRAY(SELECT p.name FROM place AS p WHERE p.field_id = f.field_id ORDER BY 1) END AS read_in,
           CASE WHEN may.manage_fields AND NOT f.is_system THEN ARRAY(SELECT p.name FROM place AS p WHERE p.field_id = f.field_id AND p.access = 'write' ORDER BY 1) END AS written_in,
           CASE WHEN may.manage_access THEN ARRAY(SELECT DISTINCT unnest(r.reading) FROM reach AS r WHERE r.field_id = f.field_id AND r.reads ORDER BY 1) END AS reading_profiles,
           CASE WHEN may.manage_access THEN ARRAY(SELECT DISTINCT unnest(r.writing) FROM reach AS r WHERE r.field_id = f.field_id AND r.writes ORDER BY 1) END AS writing_profiles,
           CASE WHEN may.manage_access THEN ARRAY(SELECT DISTINCT r.role_name FROM reach AS r WHERE r.field_id = f.field_id AND r.reads ORDER BY 1) END AS reading_roles,
           CASE WHEN may.manage_access THEN ARRAY(SELECT DISTINCT r.role_name FROM reach AS r WHERE r.field_id = f.field_id AND r.writes ORDER BY 1) END AS writing_roles
      FROM field AS f
      LEFT JOIN writer ON writer.field_id = f.field_id
     CROSS JOIN (SELECT ringfence.has_right_in('field.manage', NULL) AS manage_fields,
                        -- Which projects have a field decides who reads it.
                        ringfence.has_right_in('access.manage', NULL) AND ringfence.has_right_in('field.manage', NULL) AS manage_access) AS may
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
COMMENT ON COLUMN ringfence.data_flow.authority IS 'The source with authority over the field: its own, or that over customers as a whole';
COMMENT ON COLUMN ringfence.data_flow.written_by IS 'Sources that have changed it in the last 30 days, by the history';
COMMENT ON COLUMN ringfence.data_flow.read_in IS 'Enabled projects that have it; NULL for a system field, which all have, and without field.manage';
COMMENT ON COLUMN ringfence.data_flow.reading_roles IS 'Roles that may read it; NULL without access.manage and field.manage in all projects';
COMMENT ON COLUMN ringfence.data_flow.writing_roles IS 'Roles that may write it, also by the sources that they may be; NULL as reading_roles';

-- Its caller is where_is(). Row-level security binds the definer by the rights of the session. Of what belongs to a field, only fields that the
-- session sees count.
CREATE FUNCTION ringfence.rows_of_customer(relation regclass, owner_column name, id_column name, customer uuid) RETURNS bigint
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $rows$
DECLARE
    found bigint;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_class AS c WHERE c.oid = relation AND c.relnamespace = 'ringfence'::regnamespace AND c.relowner = 'ringfence_tables'::regrole) THEN
        RETURN NULL;
    END IF;
    EXECUTE format('SELECT count(*) FROM %s AS found WHERE found.%I = ringfence.current_owner() AND found.%I = $1 %s', relation, owner_column, id_column,
                   CASE WHEN EXISTS (SELECT FROM pg_attribute AS a WHERE a.attrelid = relation AND a.attname = 'field_id' AND NOT a.attisdropped)
                        THEN 'AND found.field_id IN (SELECT f.field_id FROM ringfence.visible_fields(true) AS f)' ELSE '' END)
       INTO found USING customer;
    RETURN found;
END
$rows$;
ALTER FUNCTION ringfence.rows_of_customer(regclass, name, name, uuid) OWNER TO ringfence_definer;
REVOKE ALL ON FUNCTION ringfence.rows_of_customer(regclass, name, name, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.rows_of_customer(regclass, name, name, uuid) TO ringfence_user;
COMMENT ON FUNCTION ringfence.rows_of_customer(regclass, name, name, uuid) IS 'How many rows of a table of the extension refer to a customer of the session''s owner; part of where_is()';

CREATE FUNCTION ringfence.where_customer_is(customer uuid, OUT is_there boolean, OUT changes bigint, OUT authority text, OUT readers text[]) RETURNS record
    LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $where$
BEGIN
    PERFORM ringfence.check_right('customer.read');
    SELECT true, ringfence.authority_over(NULL, c.source_id) INTO is_there, authority
      FROM ringfence.customer AS c WHERE c.owner_id = ringfence.current_owner() AND c.id = where_customer_is.customer;
    SELECT count(*) INTO changes FROM ringfence.seen_changes(where_customer_is.customer);
    IF ringfence.has_right_in('access.manage', NULL) THEN
        readers := ARRAY(SELECT DISTINCT g.role_name FROM ringfence.granted_right AS g
                          WHERE g.owner_id = ringfence.current_owner() AND g.right_name = 'customer.read' ORDER BY 1);
    END IF;
END
$where$;
ALTER FUNCTION ringfence.where_customer_is(uuid) OWNER TO ringfence_definer;
REVOKE ALL ON FUNCTION ringfence.where_customer_is(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.where_customer_is(uuid) TO ringfence_user;
COMMENT ON FUNCTION ringfence.where_customer_is(uuid) IS 'Whether the session''s owner has a customer, its changes, whose the record is, and who may read it; part of where_is()';

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
        RETURN QUERY SELECT 'ringfence.customer'::regclass, 'id'::name, 1::bigint, known.authority, known.readers;
    END IF;
    IF known.changes > 0 THEN
        RETURN QUERY SELECT 'ringfence.change'::regclass, 'customer_id'::name, known.changes, NULL::text, known.readers;
    END IF;
    FOR place IN
        SELECT key.conrelid::regclass AS relation, c.relnamespace = 'ringfence'::regnamespace AS is_ours, own.attname AS owner_column, id.attname AS id_column,
               ARRAY(SELECT DISTINCT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END
                       FROM (SELECT (aclexplode(c.relacl)).* UNION ALL
                             SELECT (aclexplode(t.attacl)).* FROM pg_attribute AS t WHERE t.attrelid = c.oid AND t.attacl IS NOT NULL) AS a
                      WHERE a.privilege_type = 'SELECT' AND a.grantee <> c.relowner ORDER BY 1) AS granted
          FROM pg_constraint AS key
          JOIN pg_class AS c ON c.oid = key.conrelid
         CROSS JOIN LATERAL unnest(key.conkey, key.confkey) AS pair (here, there)
          JOIN pg_attribute AS id ON id.attrelid = key.conrelid AND id.attnum = pair.here
          JOIN pg_attribute AS target ON target.attrelid = key.confrelid AND target.attnum = pair.there AND target.attname = 'id'
          LEFT JOIN LATERAL (
            SELECT a.attname FROM unnest(key.conkey, key.confkey) AS other (here, there)
              JOIN pg_attribute AS a ON a.attrelid = key.conrelid AND a.attnum = other.here
              JOIN pg_attribute AS b ON b.attrelid = key.confrelid AND b.attnum = other.there AND b.attname = 'owner_id') AS own ON true
         WHERE key.contype = 'f' AND key.confrelid = 'ringfence.customer'::regclass AND key.conparentid = 0
         ORDER BY key.conrelid::regclass::text COLLATE "C", id.attname
    LOOP
        relation := place.relation;
        column_name := place.id_column;
        authority := NULL;
        readers := CASE WHEN place.is_ours THEN known.readers ELSE place.granted END;
        rows := NULL;
        IF place.owner_column IS NULL THEN
            RETURN NEXT;
            CONTINUE;
        END IF;
        IF place.is_ours THEN
            rows := ringfence.rows_of_customer(place.relation, place.owner_column, place.id_column, customer);
        ELSE
            BEGIN
                EXECUTE format('SELECT count(*) FROM %s AS found WHERE found.%I OPERATOR(pg_catalog.=) ringfence.current_owner() AND found.%I OPERATOR(pg_catalog.=) $1',
                               place.relation, place.owner_column, place.id_column) INTO rows USING customer;
            EXCEPTION WHEN insufficient_privilege THEN
                rows := NULL;
            END;
        END IF;
        RETURN NEXT;
    END LOOP;
END
$where$;
REVOKE ALL ON FUNCTION ringfence.where_is(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.where_is(uuid) TO ringfence_user;
COMMENT ON FUNCTION ringfence.where_is(uuid) IS
    'Every table that refers to a customer by a foreign key, applications'' own too: how many rows (NULL: not the caller''s to read), whose the record is, and who may read. Error P0002: no such customer';
