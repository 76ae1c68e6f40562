-- search: finds customers by an index that can be used under row-level security.

-- The index -----------------------------------------------------------------------------------------------------------

CREATE TYPE ringfence.search_keys;
CREATE FUNCTION ringfence.search_keys_in(cstring) RETURNS ringfence.search_keys
    LANGUAGE c IMMUTABLE PARALLEL SAFE STRICT AS 'MODULE_PATHNAME', 'search_keys_in_wrapper';
REVOKE ALL ON FUNCTION ringfence.search_keys_in(cstring) FROM PUBLIC;
COMMENT ON FUNCTION ringfence.search_keys_in(cstring) IS 'Error 22023: search_keys are not written by hand';
CREATE FUNCTION ringfence.search_keys_out(ringfence.search_keys) RETURNS cstring
    LANGUAGE c IMMUTABLE PARALLEL SAFE STRICT AS 'MODULE_PATHNAME', 'search_keys_out_wrapper';
REVOKE ALL ON FUNCTION ringfence.search_keys_out(ringfence.search_keys) FROM PUBLIC;
COMMENT ON FUNCTION ringfence.search_keys_out(ringfence.search_keys) IS 'Always the same text: search_keys are not read';
CREATE TYPE ringfence.search_keys (INPUT = ringfence.search_keys_in, OUTPUT = ringfence.search_keys_out, STORAGE = extended, ALIGNMENT = int4);
REVOKE ALL ON TYPE ringfence.search_keys FROM PUBLIC;
COMMENT ON TYPE ringfence.search_keys IS 'What the search index holds of a customer: hashes of (owner, field, part of a text). Opaque';

CREATE TYPE ringfence.search_query;
CREATE FUNCTION ringfence.search_query_in(cstring) RETURNS ringfence.search_query
    LANGUAGE c IMMUTABLE PARALLEL SAFE STRICT AS 'MODULE_PATHNAME', 'search_query_in_wrapper';
REVOKE ALL ON FUNCTION ringfence.search_query_in(cstring) FROM PUBLIC;
COMMENT ON FUNCTION ringfence.search_query_in(cstring) IS 'Error 22023: a search_query is made by ringfence.query() only';
CREATE FUNCTION ringfence.search_query_out(ringfence.search_query) RETURNS cstring
    LANGUAGE c IMMUTABLE PARALLEL SAFE STRICT AS 'MODULE_PATHNAME', 'search_query_out_wrapper';
REVOKE ALL ON FUNCTION ringfence.search_query_out(ringfence.search_query) FROM PUBLIC;
COMMENT ON FUNCTION ringfence.search_query_out(ringfence.search_query) IS 'Always the same text: a search_query is not read';
CREATE TYPE ringfence.search_query (INPUT = ringfence.search_query_in, OUTPUT = ringfence.search_query_out, STORAGE = extended, ALIGNMENT = int4);
REVOKE ALL ON TYPE ringfence.search_query FROM PUBLIC;
COMMENT ON TYPE ringfence.search_query IS 'What to look for, made by ringfence.query() for the owner and the fields of its session; finds nothing in a session that could not make it. Opaque';

-- LEAKPROOF, so that the planner may use the index under row-level security. This is true: the function hashes its
-- arguments and raises no error. Roles that write customers need EXECUTE, because PostgreSQL computes index expressions
-- as the role that writes. No role can read the result. The high cost keeps the planner from computing it for each row
-- of an owner.
CREATE FUNCTION ringfence.search_keys(
    owner_id uuid, name text, normal_phones text[], normal_emails text[], searchable jsonb, active_on date)
    RETURNS ringfence.search_keys
    LANGUAGE c IMMUTABLE LEAKPROOF PARALLEL SAFE STRICT COST 10000 AS 'MODULE_PATHNAME', 'search_keys_wrapper';
REVOKE ALL ON FUNCTION ringfence.search_keys(uuid, text, text[], text[], jsonb, date) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.search_keys(uuid, text, text[], text[], jsonb, date) TO ringfence_user, ringfence_tables;
COMMENT ON FUNCTION ringfence.search_keys(uuid, text, text[], text[], jsonb, date) IS 'What the search index holds of a customer';

CREATE FUNCTION ringfence.search_selectivity(internal, oid, internal, integer) RETURNS double precision
    LANGUAGE c STABLE PARALLEL SAFE STRICT AS 'MODULE_PATHNAME', 'search_selectivity_wrapper';
REVOKE ALL ON FUNCTION ringfence.search_selectivity(internal, oid, internal, integer) FROM PUBLIC;
COMMENT ON FUNCTION ringfence.search_selectivity(internal, oid, internal, integer) IS 'The same for every search, so that EXPLAIN tells nothing of how many rows match; internal';

CREATE FUNCTION ringfence.search_join_selectivity(internal, oid, internal, smallint, internal) RETURNS double precision
    LANGUAGE c STABLE PARALLEL SAFE STRICT AS 'MODULE_PATHNAME', 'search_join_selectivity_wrapper';
REVOKE ALL ON FUNCTION ringfence.search_join_selectivity(internal, oid, internal, smallint, internal) FROM PUBLIC;
COMMENT ON FUNCTION ringfence.search_join_selectivity(internal, oid, internal, smallint, internal) IS 'The same for every search whose query comes from another table; internal';

-- LEAKPROOF: it looks up numbers in a list, and raises no error. Whether the session may use the query does not depend
-- on the row.
CREATE FUNCTION ringfence.keys_match(keys ringfence.search_keys, query ringfence.search_query) RETURNS boolean
    LANGUAGE c STABLE LEAKPROOF PARALLEL SAFE STRICT COST 10 AS 'MODULE_PATHNAME', 'keys_match_wrapper';
REVOKE ALL ON FUNCTION ringfence.keys_match(ringfence.search_keys, ringfence.search_query) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.keys_match(ringfence.search_keys, ringfence.search_query) TO ringfence_user, ringfence_tables;
COMMENT ON FUNCTION ringfence.keys_match(ringfence.search_keys, ringfence.search_query) IS 'Operator @@@: whether a customer with these keys is looked for';
CREATE OPERATOR ringfence.@@@ (FUNCTION = ringfence.keys_match, LEFTARG = ringfence.search_keys, RIGHTARG = ringfence.search_query,
                               RESTRICT = ringfence.search_selectivity, JOIN = ringfence.search_join_selectivity);
COMMENT ON OPERATOR ringfence.@@@ (ringfence.search_keys, ringfence.search_query) IS 'Whether a customer with these keys is looked for; what the search index answers';

CREATE FUNCTION ringfence.customer_matches_support(internal) RETURNS internal
    LANGUAGE c STABLE PARALLEL SAFE STRICT AS 'MODULE_PATHNAME', 'customer_matches_support_wrapper';
REVOKE ALL ON FUNCTION ringfence.customer_matches_support(internal) FROM PUBLIC;
COMMENT ON FUNCTION ringfence.customer_matches_support(internal) IS 'Planner support: a search by the id of customer goes by the search index; internal';

-- LEAKPROOF for the reason given for keys_match(). It reads the customer with that id under row-level security.
CREATE FUNCTION ringfence.customer_matches(customer_id uuid, query ringfence.search_query) RETURNS boolean
    LANGUAGE c STABLE LEAKPROOF PARALLEL RESTRICTED STRICT COST 10000 SUPPORT ringfence.customer_matches_support
    AS 'MODULE_PATHNAME', 'customer_matches_wrapper';
REVOKE ALL ON FUNCTION ringfence.customer_matches(uuid, ringfence.search_query) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.customer_matches(uuid, ringfence.search_query) TO ringfence_user;
COMMENT ON FUNCTION ringfence.customer_matches(uuid, ringfence.search_query) IS 'Operator @@@: whether the customer with that id is looked for';
CREATE OPERATOR ringfence.@@@ (FUNCTION = ringfence.customer_matches, LEFTARG = uuid, RIGHTARG = ringfence.search_query,
                               RESTRICT = ringfence.search_selectivity, JOIN = ringfence.search_join_selectivity);
COMMENT ON OPERATOR ringfence.@@@ (uuid, ringfence.search_query) IS 'Whether the customer with that id is looked for';

CREATE FUNCTION ringfence.search_extract_value(ringfence.search_keys, internal, internal) RETURNS internal
    LANGUAGE c IMMUTABLE PARALLEL SAFE STRICT AS 'MODULE_PATHNAME', 'search_extract_value_wrapper';
REVOKE ALL ON FUNCTION ringfence.search_extract_value(ringfence.search_keys, internal, internal) FROM PUBLIC;
COMMENT ON FUNCTION ringfence.search_extract_value(ringfence.search_keys, internal, internal) IS 'GIN support; internal';
-- GIN requires these functions in an operator class, even to write. Our access method scans without them.
CREATE FUNCTION ringfence.search_not_by_gin(ringfence.search_keys, internal, smallint, internal, internal, internal, internal) RETURNS internal
    LANGUAGE c STABLE PARALLEL SAFE STRICT AS 'MODULE_PATHNAME', 'search_not_by_gin_wrapper';
REVOKE ALL ON FUNCTION ringfence.search_not_by_gin(ringfence.search_keys, internal, smallint, internal, internal, internal, internal) FROM PUBLIC;
COMMENT ON FUNCTION ringfence.search_not_by_gin(ringfence.search_keys, internal, smallint, internal, internal, internal, internal) IS 'GIN support; not called, and else error 0A000';
CREATE FUNCTION ringfence.search_not_by_gin(internal, smallint, ringfence.search_keys, integer, internal, internal, internal, internal) RETURNS boolean
    LANGUAGE c STABLE PARALLEL SAFE STRICT AS 'MODULE_PATHNAME', 'search_not_by_gin_wrapper';
REVOKE ALL ON FUNCTION ringfence.search_not_by_gin(internal, smallint, ringfence.search_keys, integer, internal, internal, internal, internal) FROM PUBLIC;
COMMENT ON FUNCTION ringfence.search_not_by_gin(internal, smallint, ringfence.search_keys, integer, internal, internal, internal, internal) IS 'GIN support; not called, and else error 0A000';

-- PostgreSQL's GIN with another scan: it reads the shortest posting list, and looks up only the rows of that list in
-- the other lists.
CREATE FUNCTION ringfence.search_access_method(internal) RETURNS index_am_handler
    LANGUAGE c AS 'MODULE_PATHNAME', 'search_access_method';
REVOKE ALL ON FUNCTION ringfence.search_access_method(internal) FROM PUBLIC;
COMMENT ON FUNCTION ringfence.search_access_method(internal) IS 'Handler of access method ringfence_search; internal';
CREATE ACCESS METHOD ringfence_search TYPE INDEX HANDLER ringfence.search_access_method;
COMMENT ON ACCESS METHOD ringfence_search IS 'GIN for search keys, with a scan of its own and no list of pending entries';

CREATE OPERATOR CLASS ringfence.search_keys_ops DEFAULT FOR TYPE ringfence.search_keys USING ringfence_search AS
    OPERATOR 1 ringfence.@@@ (ringfence.search_keys, ringfence.search_query),
    FUNCTION 1 pg_catalog.btint8cmp(bigint, bigint),
    FUNCTION 2 ringfence.search_extract_value(ringfence.search_keys, internal, internal),
    FUNCTION 3 ringfence.search_not_by_gin(ringfence.search_keys, internal, smallint, internal, internal, internal, internal),
    FUNCTION 4 ringfence.search_not_by_gin(internal, smallint, ringfence.search_keys, integer, internal, internal, internal, internal),
    STORAGE bigint;
COMMENT ON OPERATOR CLASS ringfence.search_keys_ops USING ringfence_search IS 'Search keys in an index that can be used under row-level security';
COMMENT ON OPERATOR FAMILY ringfence.search_keys_ops USING ringfence_search IS 'Search keys in an index that can be used under row-level security';

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

-- The values of searchable fields have a column of their own, so that a change to any other value does not touch the
-- index. The column depends on the definition of the fields alone, not on what the writing session sees. A query has
-- only keys of the fields that its session sees.
CREATE FUNCTION ringfence.searchable_values(attributes jsonb, owner_id uuid) RETURNS jsonb
    LANGUAGE c STABLE PARALLEL RESTRICTED STRICT AS 'MODULE_PATHNAME', 'searchable_values_wrapper';
REVOKE ALL ON FUNCTION ringfence.searchable_values(jsonb, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.searchable_values(jsonb, uuid) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.searchable_values(jsonb, uuid) IS 'Of a customer''s custom values those of searchable fields; internal';

CREATE FUNCTION ringfence.keep_searchable() RETURNS trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'keep_searchable_wrapper';
REVOKE ALL ON FUNCTION ringfence.keep_searchable() FROM PUBLIC;
COMMENT ON FUNCTION ringfence.keep_searchable() IS 'Trigger: keeps what is searched of custom values. Not while a dump is restored, which brings it before the fields';
CREATE TRIGGER keep_searchable BEFORE INSERT ON ringfence.customer
    FOR EACH ROW WHEN (NEW.attributes <> '{}' AND pg_catalog.current_setting('row_security') = 'on')
    EXECUTE FUNCTION ringfence.keep_searchable();
CREATE TRIGGER keep_searchable_update BEFORE UPDATE OF owner_id, attributes ON ringfence.customer
    FOR EACH ROW EXECUTE FUNCTION ringfence.keep_searchable();

-- When a field becomes searchable, its existing values go into the index. When its type changes, they are indexed by
-- the new type.
CREATE FUNCTION ringfence.renew_searchable() RETURNS trigger
    LANGUAGE c SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS 'MODULE_PATHNAME', 'renew_searchable_wrapper';
ALTER FUNCTION ringfence.renew_searchable() OWNER TO ringfence_definer;
REVOKE ALL ON FUNCTION ringfence.renew_searchable() FROM PUBLIC;
COMMENT ON FUNCTION ringfence.renew_searchable() IS 'Trigger: values of a field that becomes searchable, or is of another type, go into the search index';
CREATE TRIGGER renew_searchable AFTER UPDATE OF is_searchable, type ON ringfence.field
    FOR EACH ROW WHEN (NEW.is_searchable AND (NOT OLD.is_searchable OR NEW.type <> OLD.type) AND NOT NEW.is_system)
    EXECUTE FUNCTION ringfence.renew_searchable();

-- The normal forms of numbers in fields of type phone depend on the owner's country, as those of phones do.
CREATE FUNCTION ringfence.renew_searchable_phones() RETURNS void
    LANGUAGE sql VOLATILE
    BEGIN ATOMIC
        UPDATE ringfence.customer
            SET searchable = ringfence.searchable_values(customer.attributes, customer.owner_id)
            WHERE customer.searchable OPERATOR(pg_catalog.<>) '{}'::jsonb
              AND EXISTS (SELECT FROM ringfence.field
                           WHERE field.type OPERATOR(pg_catalog.=) 'phone' AND field.is_searchable AND NOT field.is_system);
    END;
REVOKE ALL ON FUNCTION ringfence.renew_searchable_phones() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.renew_searchable_phones() TO ringfence_definer;
COMMENT ON FUNCTION ringfence.renew_searchable_phones() IS 'Reads the numbers in searchable fields of an owner again after its country changed; internal';
CREATE TRIGGER renew_searchable_phones AFTER UPDATE OF country ON ringfence.owner
    FOR EACH ROW WHEN (OLD.country IS DISTINCT FROM NEW.country)
    EXECUTE FUNCTION ringfence.as_owner('renew_searchable_phones');

CREATE INDEX customer_search ON ringfence.customer
    USING ringfence_search (ringfence.search_keys(owner_id, name, normal_phones, normal_emails, searchable, active_on) ringfence.search_keys_ops);
COMMENT ON INDEX ringfence.customer_search IS 'Search. Its keys are hashed from owner_id: owners share no posting list';
-- Statistics of the keys do not help the planner, and ANALYZE would take long to compute keys for a sample of rows.
ALTER INDEX ringfence.customer_search ALTER COLUMN 1 SET STATISTICS 0;

-- Queries -------------------------------------------------------------------------------------------------------------
-- Whatever the text, the query is for the session's own owner and the fields that the session sees.

CREATE FUNCTION ringfence.query(query text) RETURNS ringfence.search_query
    LANGUAGE c STABLE PARALLEL SAFE STRICT AS 'MODULE_PATHNAME', 'query_wrapper';
REVOKE ALL ON FUNCTION ringfence.query(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.query(text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.query(text) IS 'What to look for with @@@, in the fields that the session sees. Error 22023: the query is too long';

-- If query() is called with a column or a subquery, the planner calls this function instead. LEAKPROOF, so that the
-- planner may use the index under row-level security for queries from another table: no text raises an error.
CREATE FUNCTION ringfence.query_of_column(query text) RETURNS ringfence.search_query
    LANGUAGE c STABLE LEAKPROOF PARALLEL SAFE STRICT AS 'MODULE_PATHNAME', 'query_of_column_wrapper';
REVOKE ALL ON FUNCTION ringfence.query_of_column(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.query_of_column(text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.query_of_column(text) IS 'As query(), for a text that is too long a query that finds nothing; part of matches()';

-- PostgreSQL inlines this function: it becomes a condition of the query that calls it.
CREATE FUNCTION ringfence.matches(customer_id uuid, query text) RETURNS boolean
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN customer_id OPERATOR(ringfence.@@@) ringfence.query(query);
REVOKE ALL ON FUNCTION ringfence.matches(uuid, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.matches(uuid, text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.matches(uuid, text) IS
    'A condition for an application''s own SQL, answered by the search index: WHERE ringfence.matches(id, ''tsai''). Error 22023: the query is too long';

CREATE FUNCTION ringfence.phone_query(normal_phones text[]) RETURNS ringfence.search_query
    LANGUAGE c STABLE PARALLEL SAFE STRICT AS 'MODULE_PATHNAME', 'phone_query_wrapper';
REVOKE ALL ON FUNCTION ringfence.phone_query(text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.phone_query(text[]) TO ringfence_user;
COMMENT ON FUNCTION ringfence.phone_query(text[]) IS 'What to look for to find a phone in one of these normal forms; part of find_by_phone()';

CREATE FUNCTION ringfence.email_query(normal_email text) RETURNS ringfence.search_query
    LANGUAGE c STABLE PARALLEL SAFE STRICT AS 'MODULE_PATHNAME', 'email_query_wrapper';
REVOKE ALL ON FUNCTION ringfence.email_query(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.email_query(text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.email_query(text) IS 'What to look for to find an e-mail address in normal form; part of find_by_email()';

-- Searching -----------------------------------------------------------------------------------------------------------

-- SECURITY DEFINER, because it searches in custom values. The wall and the rights of the session bind the definer too.
-- A pooled connection keeps plans for all sessions that it serves. So this function plans its statements with settings
-- of its own, not with those of the session.
CREATE FUNCTION ringfence.search_customers(query text, max_rows integer DEFAULT 20, after text DEFAULT NULL)
    RETURNS TABLE (customer_id uuid, name text, phones text[], emails text[], company text, rank real, matched text, cursor text)
    LANGUAGE c STABLE PARALLEL RESTRICTED ROWS 20 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS 'MODULE_PATHNAME', 'search_customers_wrapper';
ALTER FUNCTION ringfence.search_customers(text, integer, text) OWNER TO ringfence_definer;
REVOKE ALL ON FUNCTION ringfence.search_customers(text, integer, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.search_customers(text, integer, text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.search_customers(text, integer, text) IS
    'Customers of the session''s owner that match every word, best first. For the next page, pass the last row''s cursor as after. Error 22023: bad max_rows, query too long, or a cursor of another search';

CREATE FUNCTION ringfence.find_by_phone(phone text)
    RETURNS TABLE (customer_id uuid, name text, phones text[], emails text[], company text, rank real, matched text, cursor text)
    LANGUAGE sql STABLE PARALLEL SAFE ROWS 2
    BEGIN ATOMIC
        SELECT customer.id, customer.name, customer.phones, customer.emails, company.name, 1.0::real,
               (SELECT form FROM unnest(ringfence.phones_to_find(find_by_phone.phone)) WITH ORDINALITY AS best (form, n)
                 WHERE form = ANY (customer.normal_phones) ORDER BY n LIMIT 1), NULL::text
          FROM ringfence.customer
          LEFT JOIN ringfence.company ON company.owner_id = customer.owner_id AND company.id = customer.company_id
         WHERE customer.id OPERATOR(ringfence.@@@) ringfence.phone_query(ringfence.phones_to_find(find_by_phone.phone))
           -- The index goes by the last digits only. A subquery, so that it runs once and not for each row.
           AND customer.normal_phones OPERATOR(pg_catalog.&&) (SELECT ringfence.phones_to_find(find_by_phone.phone))
         ORDER BY customer.last_activity_at DESC NULLS LAST, customer.id;
    END;
REVOKE ALL ON FUNCTION ringfence.find_by_phone(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.find_by_phone(text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.find_by_phone(text) IS 'Customers of the session''s owner with that phone number, in whatever format either was typed; the most recently active first';

CREATE FUNCTION ringfence.find_by_email(email text)
    RETURNS TABLE (customer_id uuid, name text, phones text[], emails text[], company text, rank real, matched text, cursor text)
    LANGUAGE sql STABLE PARALLEL SAFE ROWS 2
    BEGIN ATOMIC
        SELECT customer.id, customer.name, customer.phones, customer.emails, company.name, 1.0::real,
               ringfence.email_to_find(find_by_email.email), NULL::text
          FROM ringfence.customer
          LEFT JOIN ringfence.company ON company.owner_id = customer.owner_id AND company.id = customer.company_id
         WHERE customer.id OPERATOR(ringfence.@@@) ringfence.email_query(ringfence.email_to_find(find_by_email.email))
           AND (SELECT ringfence.email_to_find(find_by_email.email)) = ANY (customer.normal_emails)
         ORDER BY customer.last_activity_at DESC NULLS LAST, customer.id;
    END;
REVOKE ALL ON FUNCTION ringfence.find_by_email(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.find_by_email(text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.find_by_email(text) IS 'Customers of the session''s owner with that e-mail address; the most recently active first';

-- Upkeep --------------------------------------------------------------------------------------------------------------

CREATE FUNCTION ringfence.search_status(
    OUT index_bytes bigint, OUT table_bytes bigint, OUT "rows" bigint, OUT entry_pages bigint, OUT posting_pages bigint,
    OUT is_valid boolean)
    RETURNS SETOF record
    LANGUAGE c STABLE PARALLEL RESTRICTED STRICT ROWS 1 AS 'MODULE_PATHNAME', 'search_status_wrapper';
REVOKE ALL ON FUNCTION ringfence.search_status() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.search_status() TO ringfence_admin;
COMMENT ON FUNCTION ringfence.search_status() IS
    'Size of the search index and of its table, pages by kind, and the rows that PostgreSQL takes it to have. Error 42501 for others than ringfence_admin: it is of all owners together';
