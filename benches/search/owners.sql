-- What the search room's databases have beside ringfence: the roles that are compared, and what the rest of it needs.
CREATE EXTENSION ringfence;
CREATE EXTENSION pg_trgm;
CREATE EXTENSION btree_gin;

-- Roles are the cluster's, and there are several databases.
DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY '{search_agent,search_hand,search_unbound}'::text[] LOOP
        IF to_regrole(wanted) IS NULL THEN
            EXECUTE format('CREATE ROLE %I LOGIN', wanted);
        END IF;
    END LOOP;
END
$$;
ALTER ROLE search_unbound BYPASSRLS;

CREATE SCHEMA bench;
GRANT USAGE ON SCHEMA bench TO search_agent, search_hand, search_unbound;

-- Under which names an owner's searchable values are stored.
CREATE TABLE bench.searched (owner_id uuid PRIMARY KEY, contract text, city text, plan text, plans jsonb);

-- What is searched of custom values, as people see it: options by name.
CREATE FUNCTION bench.shown_values(attributes jsonb, keys bench.searched) RETURNS text[]
    LANGUAGE sql IMMUTABLE
    RETURN array_remove(ARRAY[attributes ->> keys.contract, attributes ->> keys.city,
                              keys.plans ->> ((attributes ->> keys.plan)::integer - 1)], NULL);
