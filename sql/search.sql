-- search: finding customers under row-level security.

-- What judges one row. It is given rows that the wall has let through, and looks into visible fields only.
CREATE FUNCTION ringfence.match_customer(
    query text, id uuid, name text, phones text[], normal_phones text[], emails text[], normal_emails text[], attributes jsonb,
    OUT rank real, OUT matched text)
    RETURNS SETOF record
    LANGUAGE c STABLE PARALLEL SAFE STRICT ROWS 1 COST 1000 AS 'MODULE_PATHNAME', 'match_customer_wrapper';
REVOKE ALL ON FUNCTION ringfence.match_customer(text, uuid, text, text[], text[], text[], text[], jsonb) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.match_customer(text, uuid, text, text[], text[], text[], text[], jsonb) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.match_customer(text, uuid, text, text[], text[], text[], text[], jsonb) IS
    'How a customer matches a query: one row or none; part of search_customers()';

CREATE FUNCTION ringfence.search_cursor(query text, rank real, last_activity timestamptz, id uuid) RETURNS text
    LANGUAGE c IMMUTABLE PARALLEL SAFE STRICT AS 'MODULE_PATHNAME', 'search_cursor_wrapper';
REVOKE ALL ON FUNCTION ringfence.search_cursor(text, real, timestamptz, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.search_cursor(text, real, timestamptz, uuid) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.search_cursor(text, real, timestamptz, uuid) IS 'The place of a row in a search; part of search_customers()';

CREATE FUNCTION ringfence.read_search_cursor(
    query text, cursor text, OUT rank real, OUT last_activity timestamptz, OUT customer_id uuid)
    RETURNS SETOF record
    LANGUAGE c IMMUTABLE PARALLEL SAFE STRICT ROWS 1 AS 'MODULE_PATHNAME', 'read_search_cursor_wrapper';
REVOKE ALL ON FUNCTION ringfence.read_search_cursor(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.read_search_cursor(text, text) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.read_search_cursor(text, text) IS 'The place that a cursor names. Error 22023 if it is not one of this query; part of search_customers()';

CREATE FUNCTION ringfence.check_search(query text, max_rows integer, after text) RETURNS integer
    LANGUAGE c STABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'check_search_wrapper';
REVOKE ALL ON FUNCTION ringfence.check_search(text, integer, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.check_search(text, integer, text) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.check_search(text, integer, text) IS 'max_rows, or error 22023 for arguments that are not good; part of search_customers()';

-- Definer, because it searches in attributes. The definer is bound by the wall and by the rights of the session.
CREATE FUNCTION ringfence.search_customers(query text, max_rows integer DEFAULT 20, after text DEFAULT NULL)
    RETURNS TABLE (customer_id uuid, name text, phones text[], emails text[], company text, rank real, matched text, cursor text)
    LANGUAGE sql STABLE PARALLEL SAFE ROWS 20 SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    BEGIN ATOMIC
        SELECT found.id, found.name, found.phones, found.emails, company.name, found.rank, found.matched,
               ringfence.search_cursor(search_customers.query, found.rank, found.last_activity, found.id)
          FROM (SELECT customer.owner_id, customer.id, customer.name, customer.phones, customer.emails, customer.company_id,
                       coalesce(customer.last_activity_at, '-infinity') AS last_activity, match.rank, match.matched
                  FROM ringfence.customer
                 CROSS JOIN LATERAL ringfence.match_customer(
                       search_customers.query, customer.id, customer.name, customer.phones, customer.normal_phones,
                       customer.emails, customer.normal_emails, customer.attributes) AS match) AS found
          LEFT JOIN ringfence.company ON company.owner_id = found.owner_id AND company.id = found.company_id
          LEFT JOIN ringfence.read_search_cursor(search_customers.query, search_customers.after) AS page ON true
         WHERE search_customers.after IS NULL
            OR found.rank < page.rank
            OR (found.rank = page.rank AND found.last_activity < page.last_activity)
            OR (found.rank = page.rank AND found.last_activity = page.last_activity AND found.id > page.customer_id)
         ORDER BY found.rank DESC, found.last_activity DESC, found.id
         LIMIT ringfence.check_search(search_customers.query, search_customers.max_rows, search_customers.after);
    END;
ALTER FUNCTION ringfence.search_customers(text, integer, text) OWNER TO ringfence_definer;
REVOKE ALL ON FUNCTION ringfence.search_customers(text, integer, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.search_customers(text, integer, text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.search_customers(text, integer, text) IS
    'Customers of the session''s owner that match every word, best first: by id, phone, e-mail, name and visible searchable fields. Pass the cursor of the last row as after for the next page. Error 22023: bad max_rows, query too long, or a cursor of another query';

CREATE FUNCTION ringfence.find_by_phone(phone text)
    RETURNS TABLE (customer_id uuid, name text, phones text[], emails text[], company text, rank real, matched text, cursor text)
    LANGUAGE sql STABLE PARALLEL SAFE ROWS 2
    BEGIN ATOMIC
        SELECT customer.id, customer.name, customer.phones, customer.emails, company.name, 1.0::real,
               ringfence.phone_to_find(find_by_phone.phone), NULL::text
          FROM ringfence.customer
          LEFT JOIN ringfence.company ON company.owner_id = customer.owner_id AND company.id = customer.company_id
         -- Once, not for each row.
         WHERE (SELECT ringfence.phone_to_find(find_by_phone.phone)) = ANY (customer.normal_phones)
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
         WHERE (SELECT ringfence.email_to_find(find_by_email.email)) = ANY (customer.normal_emails)
         ORDER BY customer.last_activity_at DESC NULLS LAST, customer.id;
    END;
REVOKE ALL ON FUNCTION ringfence.find_by_email(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.find_by_email(text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.find_by_email(text) IS 'Customers of the session''s owner with that e-mail address; the most recently active first';
