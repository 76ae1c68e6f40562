-- import: customers from files, by templates that say which column goes where. A file is read by the client (psql's \copy into a temporary
-- table, or rows as JSON); what is done here is done with the rights of the session, row by row.

CREATE TABLE ringfence.import_template (
    owner_id    uuid NOT NULL DEFAULT ringfence.current_owner(),
    id          uuid NOT NULL DEFAULT ringfence.new_id(),
    name        text NOT NULL CHECK (ringfence.check_name(name)),
    project_id  uuid DEFAULT ringfence.current_project(),
    mode        text NOT NULL DEFAULT 'upsert' CHECK (mode IN ('add', 'update', 'upsert')),
    match_field text,
    date_format text NOT NULL DEFAULT 'YYYY-MM-DD',
    created_at  timestamptz NOT NULL DEFAULT now(),
    created_by  text NOT NULL DEFAULT ringfence.current_actor(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    updated_by  text NOT NULL DEFAULT ringfence.current_actor(),
    PRIMARY KEY (owner_id, id),
    UNIQUE (owner_id, name),
    CONSTRAINT import_template_match_check CHECK (mode = 'add' OR match_field IS NOT NULL),
    FOREIGN KEY (owner_id) REFERENCES ringfence.owner ON DELETE CASCADE,
    FOREIGN KEY (owner_id, project_id) REFERENCES ringfence.project ON DELETE CASCADE
);
COMMENT ON TABLE ringfence.import_template IS 'How a file becomes customers';
COMMENT ON COLUMN ringfence.import_template.project_id IS 'The project whose fields it fills; NULL: those of the session';
COMMENT ON COLUMN ringfence.import_template.mode IS 'add: rows of customers that are there are rejected; update: those of customers that are not; upsert: none';
COMMENT ON COLUMN ringfence.import_template.match_field IS 'How a row finds its customer: id, phone, email, or a unique field by name';
COMMENT ON COLUMN ringfence.import_template.date_format IS 'How dates are written in the file, as in to_date(); ISO dates are always read';
CREATE INDEX import_template_project ON ringfence.import_template (owner_id, project_id) WHERE project_id IS NOT NULL;
COMMENT ON INDEX ringfence.import_template_project IS 'The templates of a project: deleting a project looks them up';

CREATE FUNCTION ringfence.import_parts(source text) RETURNS text[]
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $parts$
DECLARE
    rest    text := source;
    literal text := '';
    parts   text[] := '{}';
    opened  integer;
    closed  integer;
BEGIN
    LOOP
        opened := strpos(rest, '{{');
        EXIT WHEN opened = 0 OR opened IS NULL;
        IF opened > 1 AND substr(rest, opened - 1, 1) = '\' THEN
            literal := literal || left(rest, opened - 2) || '{{';
            rest := substr(rest, opened + 2);
            CONTINUE;
        END IF;
        closed := strpos(substr(rest, opened + 2), '}}');
        IF closed = 0 THEN
            RAISE EXCEPTION 'a column is not closed in "%"', left(source, 200)
                USING ERRCODE = 'invalid_parameter_value', HINT = 'Write columns as {{Column}}. For two braces that are no column write \{{.';
        END IF;
        literal := literal || left(rest, opened - 1);
        IF literal <> '' THEN
            parts := parts || ('=' || literal);
            literal := '';
        END IF;
        parts := parts || ('{' || substr(rest, opened + 2, closed - 1));
        rest := substr(rest, opened + closed + 3);
    END LOOP;
    literal := literal || rest;
    RETURN CASE WHEN literal <> '' THEN parts || ('=' || literal) ELSE parts END;
END
$parts$;
REVOKE ALL ON FUNCTION ringfence.import_parts(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.import_parts(text) TO ringfence_user, ringfence_tables;
COMMENT ON FUNCTION ringfence.import_parts(text) IS 'The parts of a source: constants with = in front, and columns with { in front. Error 22023: a {{ that is not closed';

CREATE TABLE ringfence.import_mapping (
    owner_id    uuid NOT NULL DEFAULT ringfence.current_owner(),
    template_id uuid NOT NULL,
    position    integer NOT NULL,
    -- A longer text does not fit into an index, and PostgreSQL's error would tell where the row is stored.
    target      text NOT NULL CHECK (octet_length(target) <= 1000),
    source      text NOT NULL CHECK (ringfence.import_parts(source) IS NOT NULL),
    on_empty    text NOT NULL DEFAULT 'leave' CHECK (on_empty IN ('leave', 'clear')),
    created_at  timestamptz NOT NULL DEFAULT now(),
    created_by  text NOT NULL DEFAULT ringfence.current_actor(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    updated_by  text NOT NULL DEFAULT ringfence.current_actor(),
    PRIMARY KEY (owner_id, template_id, position),
    FOREIGN KEY (owner_id, template_id) REFERENCES ringfence.import_template ON DELETE CASCADE
);
CREATE UNIQUE INDEX import_mapping_target ON ringfence.import_mapping (owner_id, template_id, target) WHERE target NOT IN ('phones', 'emails');
COMMENT ON INDEX ringfence.import_mapping_target IS 'Only phones and e-mails come from several places';
COMMENT ON TABLE ringfence.import_mapping IS 'The mappings of a template: each fills a column or field of the customer from a text with columns of the file';
COMMENT ON COLUMN ringfence.import_mapping.position IS 'Its place; without one it comes last';
COMMENT ON COLUMN ringfence.import_mapping.target IS 'id, name, phones, emails, address, birth_date, language, company_id, or a custom field by name';
COMMENT ON COLUMN ringfence.import_mapping.source IS 'A text with {{Column}}, several or none; \{{ is two braces';
COMMENT ON COLUMN ringfence.import_mapping.on_empty IS 'The effect of an empty cell on an existing customer: leave the value, or clear it';

-- A template names fields of its project. One of no project is for all who import; to write it takes the right in all projects.
SELECT ringfence.wall('ringfence.import_template', NULL, 'import.run', 'import.run', 'project_id');
CREATE POLICY may_read ON ringfence.import_template FOR SELECT TO PUBLIC
    USING (ringfence.has_right('import.run') AND (project_id IS NULL OR ringfence.has_right_in('import.run', project_id)));

CREATE FUNCTION ringfence.reads_template(template_id uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL SAFE SUPPORT ringfence.has_right_support SET search_path = pg_catalog, pg_temp AS $reads$
BEGIN
    RETURN EXISTS (SELECT FROM ringfence.import_template AS t WHERE t.owner_id = ringfence.current_owner() AND t.id = template_id);
END
$reads$;
REVOKE ALL ON FUNCTION ringfence.reads_template(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.reads_template(uuid) TO ringfence_user, ringfence_definer;
COMMENT ON FUNCTION ringfence.reads_template(uuid) IS 'Whether the session sees that import template; part of the policies of import_mapping';

CREATE FUNCTION ringfence.writes_template(template_id uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE PARALLEL SAFE SUPPORT ringfence.has_right_support SET search_path = pg_catalog, pg_temp AS $writes$
BEGIN
    RETURN EXISTS (SELECT FROM ringfence.import_template AS t
                    WHERE t.owner_id = ringfence.current_owner() AND t.id = template_id AND ringfence.has_right_in('import.run', t.project_id));
END
$writes$;
REVOKE ALL ON FUNCTION ringfence.writes_template(uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.writes_template(uuid) TO ringfence_user, ringfence_definer;
COMMENT ON FUNCTION ringfence.writes_template(uuid) IS 'Whether the session may change that import template; part of the policies of import_mapping';

SELECT ringfence.wall('ringfence.import_mapping', NULL, 'import.run', 'import.run');
CREATE POLICY may_read ON ringfence.import_mapping FOR SELECT TO PUBLIC USING (ringfence.has_right('import.run') AND ringfence.reads_template(template_id));
ALTER POLICY may_insert ON ringfence.import_mapping WITH CHECK (ringfence.writes_template(template_id));
ALTER POLICY may_update ON ringfence.import_mapping USING (ringfence.writes_template(template_id)) WITH CHECK (ringfence.writes_template(template_id));
ALTER POLICY may_delete ON ringfence.import_mapping USING (ringfence.writes_template(template_id));
GRANT SELECT (owner_id, id, name, project_id, mode, match_field, date_format, created_at, created_by, updated_at, updated_by),
      INSERT (owner_id, id, name, project_id, mode, match_field, date_format, created_at, created_by, updated_at, updated_by),
      UPDATE (owner_id, name, project_id, mode, match_field, date_format, created_at, created_by, updated_at, updated_by), DELETE
    ON ringfence.import_template TO ringfence_user;
GRANT SELECT (owner_id, template_id, position, target, source, on_empty, created_at, created_by, updated_at, updated_by),
      INSERT (owner_id, template_id, position, target, source, on_empty, created_at, created_by, updated_at, updated_by),
      UPDATE (owner_id, template_id, position, target, source, on_empty, created_at, created_by, updated_at, updated_by), DELETE
    ON ringfence.import_mapping TO ringfence_user;
CREATE TRIGGER stamp_row BEFORE INSERT OR UPDATE ON ringfence.import_template FOR EACH ROW EXECUTE FUNCTION ringfence.stamp_row();
CREATE TRIGGER stamp_row BEFORE INSERT OR UPDATE ON ringfence.import_mapping FOR EACH ROW EXECUTE FUNCTION ringfence.stamp_row();

CREATE FUNCTION ringfence.place_import_mapping() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $place$
BEGIN
    -- One error for a template that is not there, and for one that the session may not change.
    IF row_security_active(TG_RELID) AND NOT ringfence.writes_template(NEW.template_id) THEN
        RAISE EXCEPTION 'import template "%" cannot be changed in this session', NEW.template_id
            USING ERRCODE = 'insufficient_privilege',
                  HINT = 'SELECT id, name FROM ringfence.import_template lists templates. Changing one takes the right "import.run" in its project, or in all projects.';
    END IF;
    IF NEW.position IS NULL THEN
        SELECT least(coalesce(max(mapping.position), 0)::bigint + 1, 2147483647) INTO NEW.position
            FROM ringfence.import_mapping AS mapping WHERE mapping.owner_id = NEW.owner_id AND mapping.template_id = NEW.template_id;
    END IF;
    RETURN NEW;
END
$place$;
REVOKE ALL ON FUNCTION ringfence.place_import_mapping() FROM PUBLIC;
COMMENT ON FUNCTION ringfence.place_import_mapping() IS 'Trigger: a mapping without a position comes last. Error 42501: a template that the session may not change';
CREATE TRIGGER place_import_mapping BEFORE INSERT ON ringfence.import_mapping
    FOR EACH ROW EXECUTE FUNCTION ringfence.place_import_mapping();

-- Cells ------------------------------------------------------------------------------------------------------------------

-- In PL/pgSQL, whose simple expressions cost less for each cell than a query does.
CREATE FUNCTION ringfence.import_cell(cells jsonb, parts text[]) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $cell$
DECLARE
    around    CONSTANT text := E' \t\r\n\u00A0\uFEFF';
    part      text;
    found     text;
    made      text := '';
    columns   integer := 0;
    is_filled boolean := false;
BEGIN
    FOREACH part IN ARRAY parts LOOP
        IF left(part, 1) = '{' THEN
            columns := columns + 1;
            found := cells ->> substr(part, 2);
            is_filled := is_filled OR btrim(found, around) <> '';
            made := made || coalesce(found, '');
        ELSE
            made := made || substr(part, 2);
        END IF;
    END LOOP;
    -- A constant around columns that are all empty is no value.
    RETURN CASE WHEN is_filled OR columns = 0 THEN nullif(btrim(made, around), '') END;
END
$cell$;
REVOKE ALL ON FUNCTION ringfence.import_cell(jsonb, text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.import_cell(jsonb, text[]) TO ringfence_user;
COMMENT ON FUNCTION ringfence.import_cell(jsonb, text[]) IS 'The value of a mapping for a row; NULL if all its columns are empty. Part of import_customers()';

CREATE FUNCTION ringfence.import_number(cell text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $number$
DECLARE
    digits text := translate(cell, E' \u00A0\u202F''’_', '');
BEGIN
    -- The last of two kinds of separators is that of the decimals.
    IF strpos(digits, ',') > 0 AND strpos(digits, '.') > 0 THEN
        digits := CASE WHEN strpos(reverse(digits), ',') < strpos(reverse(digits), '.') THEN translate(digits, ',.', '.') ELSE replace(digits, ',', '') END;
    ELSE
        digits := replace(digits, ',', '.');
    END IF;
    RETURN CASE WHEN digits ~ '^[-+]?([0-9]{1,100}([.][0-9]{0,100})?|[.][0-9]{1,100})([eE][-+]?[0-9]{1,3})?$' THEN digits::numeric::text END;
END
$number$;
REVOKE ALL ON FUNCTION ringfence.import_number(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.import_number(text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.import_number(text) IS 'A number as spreadsheets write it, with either decimal separator; NULL if it is none. Part of import_customers()';

CREATE FUNCTION ringfence.import_phone(cell text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $phone$
DECLARE
    plain CONSTANT text := ltrim(btrim(cell, E' \t\r\n\u00A0\uFEFF'), '''’');
BEGIN
    -- A spreadsheet that takes a phone for a number writes 4155552671.0 or 4.15555E9, and one that does not an apostrophe first.
    RETURN CASE WHEN plain ~ '^[0-9]{3,30}[.]0+$' THEN split_part(plain, '.', 1)
                WHEN plain ~ '^[0-9]([.,][0-9]{1,20})?[eE][+]?[0-9]{1,2}$' THEN trunc(ringfence.import_number(plain)::numeric)::text
                ELSE plain END;
END
$phone$;
REVOKE ALL ON FUNCTION ringfence.import_phone(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.import_phone(text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.import_phone(text) IS 'The phone of a cell, without the changes that spreadsheets make; part of import_customers()';

CREATE FUNCTION ringfence.import_list(cell text) RETURNS text[]
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $list$
BEGIN
    IF cell !~ E'[;,/、\r\n]' THEN
        RETURN CASE WHEN btrim(cell, E' \t\u00A0') <> '' THEN ARRAY[btrim(cell, E' \t\u00A0')] ELSE '{}' END;
    END IF;
    RETURN ARRAY(SELECT btrim(item, E' \t\u00A0') FROM regexp_split_to_table(cell, E'[;,/、\r\n]+') WITH ORDINALITY AS items (item, place)
                  WHERE btrim(item, E' \t\u00A0') <> '' ORDER BY place);
END
$list$;
REVOKE ALL ON FUNCTION ringfence.import_list(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.import_list(text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.import_list(text) IS 'The items of a cell; part of import_customers()';

-- It catches errors, which no parallel worker can.
CREATE FUNCTION ringfence.import_date(cell text, date_format text) RETURNS text
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $date$
DECLARE
    day date;
BEGIN
    IF cell ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$' THEN
        RETURN cell;
    END IF;
    BEGIN
        day := to_date(cell, date_format);
    EXCEPTION WHEN data_exception THEN
        day := NULL;
    END;
    -- to_date() reads whatever it can of a text: only what it would write back is a date. Leading zeros do not count.
    IF regexp_replace(to_char(day, date_format), '\m0+([0-9])', '\1', 'g') IS DISTINCT FROM regexp_replace(cell, '\m0+([0-9])', '\1', 'g') THEN
        RAISE EXCEPTION '"%" is not a date of the form %', left(cell, 200), date_format USING ERRCODE = 'invalid_datetime_format',
              HINT = 'Set date_format of the template to the form that the file has.';
    END IF;
    RETURN to_char(day, 'YYYY-MM-DD');
END
$date$;
REVOKE ALL ON FUNCTION ringfence.import_date(text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.import_date(text, text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.import_date(text, text) IS 'A date in ISO form, or of the form that is named, in ISO form. Error 22007: neither. Part of import_customers()';

CREATE FUNCTION ringfence.import_value(cell text, type text, date_format text) RETURNS jsonb
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $value$
BEGIN
    -- What is none of the type is for the field to refuse.
    RETURN CASE
        WHEN cell IS NULL THEN 'null'
        WHEN type = 'number' THEN coalesce(to_jsonb(ringfence.import_number(cell)::numeric), to_jsonb(cell))
        WHEN type = 'boolean' AND lower(cell) IN ('true', 'yes', 'y', 'x', '1', '1.0') THEN 'true'
        WHEN type = 'boolean' AND lower(cell) IN ('false', 'no', 'n', '0', '0.0') THEN 'false'
        WHEN type = 'date' THEN to_jsonb(ringfence.import_date(cell, date_format))
        WHEN type = 'phone' THEN to_jsonb(ringfence.import_phone(cell))
        WHEN type = 'choices' THEN to_jsonb(ringfence.import_list(cell))
        ELSE to_jsonb(cell) END;
END
$value$;
REVOKE ALL ON FUNCTION ringfence.import_value(text, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.import_value(text, text, text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.import_value(text, text, text) IS 'A cell as the value of a custom field of that type; part of import_customers()';

CREATE FUNCTION ringfence.nearest_name(asked text, names text[]) RETURNS text
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $nearest$
DECLARE
    one      CONSTANT text := left(lower(asked), 100);
    other    text;
    name     text;
    best     text;
    least_so_far integer := greatest(2, length(one) / 3) + 1;
    above    integer[];
    row      integer[];
BEGIN
    FOREACH name IN ARRAY coalesce(names, '{}') LOOP
        other := left(lower(name), 100);
        -- Letters to insert, leave out or change (Levenshtein).
        above := ARRAY(SELECT generate_series(0, length(other)));
        FOR i IN 1..length(one) LOOP
            row := ARRAY[i];
            FOR j IN 1..length(other) LOOP
                row := row || least(above[j + 1] + 1, row[j] + 1, above[j] + CASE WHEN substr(one, i, 1) = substr(other, j, 1) THEN 0 ELSE 1 END);
            END LOOP;
            above := row;
        END LOOP;
        IF above[length(other) + 1] < least_so_far THEN
            least_so_far := above[length(other) + 1];
            best := name;
        END IF;
    END LOOP;
    RETURN best;
END
$nearest$;
REVOKE ALL ON FUNCTION ringfence.nearest_name(text, text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.nearest_name(text, text[]) TO ringfence_user;
COMMENT ON FUNCTION ringfence.nearest_name(text, text[]) IS 'The name that is most like the one that was asked for, or NULL; part of import_customers()';

-- Rows -------------------------------------------------------------------------------------------------------------------

-- With ringfence.on_foreign_datum = 'skip' the report of an import names what was left out: data of another source that should have become
-- different, and are as they were.
CREATE FUNCTION ringfence.left_out_of(before ringfence.customer_card, given ringfence.customer_card) RETURNS text
    LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $left$
DECLARE
    record uuid;
    card   jsonb;
BEGIN
    IF current_setting('ringfence.on_foreign_datum') <> 'skip' THEN
        RETURN NULL;
    END IF;
    SELECT c.source_id, to_jsonb(seen) INTO record, card
      FROM ringfence.customer_card AS seen
      JOIN ringfence.customer AS c ON c.owner_id = seen.owner_id AND c.id = seen.id
     WHERE seen.owner_id = ringfence.current_owner() AND seen.id = given.id;
    RETURN (
        SELECT 'left out, because of another source: ' || string_agg(quote_ident(f.name), ', ' ORDER BY NOT f.is_system, f."position", f.name)
          FROM ringfence.visible_fields(true) AS f
         CROSS JOIN LATERAL (SELECT CASE WHEN f.is_system THEN to_jsonb(before) -> f.name ELSE before.attributes -> f.name END,
                                    CASE WHEN f.is_system THEN to_jsonb(given) -> f.name ELSE given.attributes -> f.name END,
                                    CASE WHEN f.is_system THEN card -> f.name ELSE card -> 'attributes' -> f.name END) AS datum (was, wanted, is_now)
         WHERE ringfence.authority_over(f.field_id, record) IS DISTINCT FROM ringfence.current_source()
           AND ringfence.authority_over(f.field_id, record) IS NOT NULL
           AND coalesce(nullif(datum.wanted, '[]'), 'null') <> coalesce(nullif(datum.was, '[]'), 'null')
           AND coalesce(nullif(datum.is_now, '[]'), 'null') = coalesce(nullif(datum.was, '[]'), 'null'));
END
$left$;
REVOKE ALL ON FUNCTION ringfence.left_out_of(ringfence.customer_card, ringfence.customer_card) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.left_out_of(ringfence.customer_card, ringfence.customer_card) TO ringfence_definer;
COMMENT ON FUNCTION ringfence.left_out_of(ringfence.customer_card, ringfence.customer_card) IS 'Which data of a card were not written, because they belong to another source; part of import_customers()';

-- Definer, because it looks up unique values, as save_customer(); the rights of the session bind it.
CREATE FUNCTION ringfence.import_card(card jsonb, mode text, match_field text, OUT action text, OUT customer_id uuid, OUT reason text) RETURNS record
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $card$
DECLARE
    given ringfence.customer_card;
    saved ringfence.customer_card;
    same  uuid[];
BEGIN
    PERFORM ringfence.check_right('customer.read'), ringfence.check_right('customer.write');
    given := jsonb_populate_record(NULL::ringfence.customer_card, card);
    same := CASE WHEN match_field IS NOT NULL THEN ringfence.customers_like(given, match_field) END;
    action := 'rejected';
    IF cardinality(same) > 1 THEN
        -- A look-up stops at the second: all are named.
        IF match_field IN ('phone', 'phones') THEN
            same := ARRAY(SELECT DISTINCT c.id FROM unnest(ringfence.normal_phones(given.phones, ringfence.current_owner())) AS form
                           CROSS JOIN LATERAL ringfence.find_by_phone(form) AS found JOIN ringfence.customer AS c ON c.id = found.customer_id
                           WHERE c.owner_id = ringfence.current_owner() AND form = ANY (c.normal_phones));
        ELSIF match_field IN ('email', 'emails') THEN
            same := ARRAY(SELECT DISTINCT c.id FROM unnest(ringfence.normal_emails(given.emails)) AS form
                           CROSS JOIN LATERAL ringfence.find_by_email(form) AS found JOIN ringfence.customer AS c ON c.id = found.customer_id
                           WHERE c.owner_id = ringfence.current_owner() AND form = ANY (c.normal_emails));
        END IF;
        SELECT format('several customers have this %s: %s', quote_ident(match_field), string_agg(format('%s (%s)', left(c.name, 100), c.id), ', ' ORDER BY c.name, c.id))
          INTO reason FROM ringfence.customer AS c WHERE c.owner_id = ringfence.current_owner() AND c.id = ANY (same);
        RETURN;
    ELSIF cardinality(same) = 1 AND mode = 'add' THEN
        SELECT format('a customer has this %s already: %s (%s)', quote_ident(match_field), left(c.name, 100), c.id)
          INTO reason FROM ringfence.customer AS c WHERE c.owner_id = ringfence.current_owner() AND c.id = same[1];
        RETURN;
    ELSIF cardinality(same) = 1 THEN
        -- What the row does not name is written as it is: nobody may change it in between.
        PERFORM FROM ringfence.customer AS c WHERE c.owner_id = ringfence.current_owner() AND c.id = same[1] FOR UPDATE;
        SELECT * INTO saved FROM ringfence.customer_card AS c WHERE c.owner_id = ringfence.current_owner() AND c.id = same[1];
        IF NOT FOUND THEN
            reason := format('the customer with this %s was deleted meanwhile', quote_ident(match_field));
            RETURN;
        END IF;
        customer_id := saved.id;
        given := jsonb_populate_record(saved, card - 'attributes');
        given.phones := coalesce(given.phones, '{}');
        given.emails := coalesce(given.emails, '{}');
        given.attributes := jsonb_strip_nulls(saved.attributes || coalesce(card -> 'attributes', '{}'));
        IF (given.name, given.phones, given.emails, given.address, given.birth_date, given.language, given.company_id, given.attributes)
           IS NOT DISTINCT FROM (saved.name, saved.phones, saved.emails, saved.address, saved.birth_date, saved.language, saved.company_id, saved.attributes) THEN
            action := 'unchanged';
            RETURN;
        END IF;
        UPDATE ringfence.customer_card AS c
           SET name = given.name, phones = given.phones, emails = given.emails, address = given.address, birth_date = given.birth_date,
               language = given.language, company_id = given.company_id, attributes = given.attributes
         WHERE c.owner_id = ringfence.current_owner() AND c.id = saved.id;
        action := 'updated';
        reason := ringfence.left_out_of(saved, given);
        IF reason IS NOT NULL THEN
            SELECT * INTO given FROM ringfence.customer_card AS c WHERE c.owner_id = ringfence.current_owner() AND c.id = saved.id;
            IF (given.name, given.phones, given.emails, given.address, given.birth_date, given.language, given.company_id, given.attributes)
               IS NOT DISTINCT FROM (saved.name, saved.phones, saved.emails, saved.address, saved.birth_date, saved.language, saved.company_id, saved.attributes) THEN
                action := 'unchanged';
            END IF;
        END IF;
        RETURN;
    ELSIF mode = 'update' THEN
        reason := format('no customer has this %s', quote_ident(match_field));
        RETURN;
    END IF;
    IF given.name IS NULL THEN
        reason := 'the row has no name, and no customer to update';
        RETURN;
    END IF;
    INSERT INTO ringfence.customer_card AS c (id, name, phones, emails, address, birth_date, language, company_id, attributes)
        VALUES (given.id, given.name, given.phones, given.emails, given.address, given.birth_date, given.language, given.company_id,
                jsonb_strip_nulls(given.attributes))
        RETURNING c.id INTO customer_id;
    IF customer_id IS NULL THEN
        reason := 'not inserted: the name belongs to another source, or a trigger suppressed the row';
        RETURN;
    END IF;
    action := 'inserted';
    given.id := customer_id;
    reason := ringfence.left_out_of(NULL, given);
END
$card$;
ALTER FUNCTION ringfence.import_card(jsonb, text, text) OWNER TO ringfence_definer;
REVOKE ALL ON FUNCTION ringfence.import_card(jsonb, text, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.import_card(jsonb, text, text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.import_card(jsonb, text, text) IS 'One customer of an import: inserted, updated, unchanged or rejected, with the reason; part of import_customers()';

-- Definer, as import_card(). It inserts the first rows of a list: as many as are no customers yet, and are not alike among themselves.
CREATE FUNCTION ringfence.import_new(cards jsonb[], match_field text) RETURNS uuid[]
    LANGUAGE plpgsql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $new$
DECLARE
    card  jsonb;
    given ringfence.customer_card;
    forms text[];
    seen  text[] := '{}';
    ids   uuid[] := '{}';
    made  bigint;
BEGIN
    PERFORM ringfence.check_right('customer.read'), ringfence.check_right('customer.write');
    FOREACH card IN ARRAY cards LOOP
        IF match_field IS NOT NULL THEN
            given := jsonb_populate_record(NULL::ringfence.customer_card, card);
            IF match_field IN ('phone', 'phones', 'email', 'emails') THEN
                forms := ringfence.matched_forms(given, match_field);
                EXIT WHEN forms && seen;
                seen := seen || forms;
            END IF;
            EXIT WHEN cardinality(ringfence.customers_like(given, match_field)) > 0;
        END IF;
        EXIT WHEN card ->> 'name' IS NULL;
        ids := ids || coalesce((card ->> 'id')::uuid, ringfence.new_id());
    END LOOP;
    IF ids = '{}' THEN
        RETURN ids;
    END IF;
    -- The work that the triggers of customer_card do for each row, for all rows together.
    INSERT INTO ringfence.customer (owner_id, id, name, phones, emails, address, birth_date, language, company_id, attributes)
        SELECT ringfence.current_owner(), new.id, one.name, coalesce(one.phones, '{}'), coalesce(one.emails, '{}'), one.address, one.birth_date,
               one.language, one.company_id, ringfence.write_attributes('{}', '{}', coalesce(jsonb_strip_nulls(one.attributes), '{}'))
          FROM unnest(cards[:cardinality(ids)], ids) AS new (card, id)
         CROSS JOIN LATERAL jsonb_populate_record(NULL::ringfence.customer_card, new.card) AS one
         WHERE ringfence.gather_search_keys();
    GET DIAGNOSTICS made = ROW_COUNT;
    PERFORM ringfence.write_search_keys();
    PERFORM ringfence.keep_unique_values(new.id, new.attributes) FROM ringfence.customer AS new
      WHERE new.owner_id = ringfence.current_owner() AND new.id = ANY (ids) AND EXISTS (SELECT FROM ringfence.unique_forms(new.attributes));
    -- A trigger of the DBA's has suppressed a row. Inserting the rows one by one finds it.
    IF made <> cardinality(ids) THEN
        RAISE EXCEPTION 'not all rows were inserted' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN ids;
END
$new$;
ALTER FUNCTION ringfence.import_new(jsonb[], text) OWNER TO ringfence_definer;
REVOKE ALL ON FUNCTION ringfence.import_new(jsonb[], text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.import_new(jsonb[], text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.import_new(jsonb[], text) IS 'Inserts the first cards of a list, up to one of a customer that is there, and returns their ids; part of import_customers()';

CREATE FUNCTION ringfence.plain_import_card(cells jsonb, targets text[], types text[], parts text[], lengths integer[], clears boolean[]) RETURNS jsonb
    LANGUAGE c IMMUTABLE PARALLEL SAFE STRICT AS 'MODULE_PATHNAME', 'plain_import_card_wrapper';
REVOKE ALL ON FUNCTION ringfence.plain_import_card(jsonb, text[], text[], text[], integer[], boolean[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.plain_import_card(jsonb, text[], text[], text[], integer[], boolean[]) TO ringfence_user;
COMMENT ON FUNCTION ringfence.plain_import_card(jsonb, text[], text[], text[], integer[], boolean[]) IS
    'The card that a row makes, or NULL where a cell takes a second look, by import_card_of(); part of import_customers()';

CREATE FUNCTION ringfence.import_card_of(cells jsonb, targets text[], types text[], sources text[], clears boolean[], date_format text) RETURNS jsonb
    LANGUAGE plpgsql STABLE PARALLEL UNSAFE SET search_path = pg_catalog, pg_temp AS $of$
DECLARE
    cell  text;
    items text[];
    card  jsonb := '{}';
    own   jsonb := '{}';
BEGIN
    FOR n IN 1..cardinality(targets) LOOP
        cell := ringfence.import_cell(cells, sources[n]::text[]);
        CONTINUE WHEN cell IS NULL AND NOT clears[n];
        CASE types[n]
        WHEN 'phones' THEN
            items := ringfence.import_list(coalesce(cell, ''));
            FOR place IN 1..cardinality(items) LOOP
                items[place] := ringfence.import_phone(items[place]);
            END LOOP;
            card := jsonb_set(card, '{phones}', coalesce(card -> 'phones', '[]') || to_jsonb(items));
        WHEN 'emails' THEN
            card := jsonb_set(card, '{emails}', coalesce(card -> 'emails', '[]') || to_jsonb(ringfence.import_list(coalesce(cell, ''))));
        WHEN 'birth_date' THEN
            card := card || jsonb_build_object('birth_date', ringfence.import_date(cell, date_format));
        WHEN 'id', 'name', 'address', 'language', 'company_id' THEN
            card := card || jsonb_build_object(targets[n], cell);
        ELSE
            own := own || jsonb_build_object(targets[n], ringfence.import_value(cell, substr(types[n], 7), date_format));
        END CASE;
    END LOOP;
    RETURN CASE WHEN own <> '{}' THEN card || jsonb_build_object('attributes', own) ELSE card END;
END
$of$;
REVOKE ALL ON FUNCTION ringfence.import_card_of(jsonb, text[], text[], text[], boolean[], text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.import_card_of(jsonb, text[], text[], text[], boolean[], text) TO ringfence_user;
COMMENT ON FUNCTION ringfence.import_card_of(jsonb, text[], text[], text[], boolean[], text) IS 'The card that a row makes, its cells read as spreadsheets write them; part of import_customers()';

CREATE FUNCTION ringfence.show_import_progress(relation oid, rows bigint) RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE STRICT AS 'MODULE_PATHNAME', 'show_import_progress_wrapper';
REVOKE ALL ON FUNCTION ringfence.show_import_progress(oid, bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.show_import_progress(oid, bigint) TO ringfence_user;
COMMENT ON FUNCTION ringfence.show_import_progress(oid, bigint) IS 'Shows in pg_stat_progress_copy how far an import is; part of import_customers()';

CREATE FUNCTION ringfence.end_import_progress() RETURNS void
    LANGUAGE c VOLATILE PARALLEL UNSAFE STRICT AS 'MODULE_PATHNAME', 'end_import_progress_wrapper';
REVOKE ALL ON FUNCTION ringfence.end_import_progress() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.end_import_progress() TO ringfence_user;
COMMENT ON FUNCTION ringfence.end_import_progress() IS 'An import is over; part of import_customers()';

CREATE FUNCTION ringfence.import_rows(template text, source regclass, rows jsonb, strict boolean, OUT line bigint, OUT action text, OUT customer_id uuid, OUT reason text)
    RETURNS SETOF record
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $import$
#variable_conflict use_variable
DECLARE
    system_targets CONSTANT text[] := '{id,name,phones,emails,address,birth_date,language,company_id}';
    chosen   ringfence.import_template;
    mapping  record;
    columns  text[];
    targets  text[] := '{}';
    types    text[] := '{}';
    sources  text[] := '{}';
    all_parts text[] := '{}';
    lengths  integer[] := '{}';
    clears   boolean[] := '{}';
    parts    text[];
    part     text;
    nearest  text;
    code     text;
    hint     text;
    broken   text;
    done     record;
    -- Rows are read in batches of this size: the cells of each, and its card if plain_import_card() makes it.
    most     CONSTANT integer := 500;
    input    refcursor;
    cells    jsonb;
    rows_of_batch jsonb[];
    cards    jsonb[];
    place    integer;
    -- The number of new customers that are inserted together. It doubles each time that succeeds.
    together integer := 64;
    -- So that each row tells what was left out of it.
    one_by_one boolean;
    up_to    integer;
    made     uuid[];
BEGIN
    PERFORM ringfence.check_right('import.run'), ringfence.check_right('customer.read'), ringfence.check_right('customer.write');
    -- Not an error of each row.
    PERFORM ringfence.current_source();
    one_by_one := current_setting('ringfence.on_foreign_datum') = 'skip';
    SELECT t.* INTO chosen FROM ringfence.import_template AS t
     WHERE t.owner_id = ringfence.current_owner() AND (t.name = template OR t.id::text = lower(template));
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no import template "%" is in reach', left(template, 200)
            USING ERRCODE = 'no_data_found', HINT = 'SELECT name FROM ringfence.import_template lists the templates of the owner.';
    END IF;
    IF chosen.project_id IS NOT NULL AND (ringfence.current_project() <> chosen.project_id OR NOT ringfence.has_right_in('import.run', chosen.project_id)) THEN
        RAISE EXCEPTION 'import template "%" belongs to another project', chosen.name
            USING ERRCODE = 'insufficient_privilege', HINT = 'Select the project of the template, or no project. The session needs the right "import.run" there.';
    END IF;
    IF source IS NOT NULL THEN
        columns := ARRAY(SELECT attname::text FROM pg_attribute WHERE attrelid = source AND attnum > 0 AND NOT attisdropped ORDER BY attnum);
    ELSIF jsonb_typeof(rows) = 'array' AND NOT jsonb_path_exists(rows, 'strict $[*] ? (@.type() != "object")') THEN
        columns := ARRAY(SELECT DISTINCT key FROM jsonb_array_elements(rows) AS given CROSS JOIN LATERAL jsonb_object_keys(given.value) AS key ORDER BY key);
    ELSE
        RAISE EXCEPTION 'rows must be a JSON array of objects' USING ERRCODE = 'invalid_parameter_value', HINT = 'Give them as in [{"Name": "Tsai"}].';
    END IF;

    IF rows = '[]' THEN
        RETURN;
    END IF;
    FOR mapping IN SELECT m.target, m.source, m.on_empty FROM ringfence.import_mapping AS m
                    WHERE m.owner_id = ringfence.current_owner() AND m.template_id = chosen.id ORDER BY m.position LOOP
        parts := ringfence.import_parts(mapping.source);
        -- A file that begins with a byte order mark has it in the name of its first column.
        parts := ARRAY(SELECT CASE WHEN left(piece, 1) = '{' AND substr(piece, 2) <> ALL (columns) AND E'\uFEFF' || substr(piece, 2) = ANY (columns)
                                   THEN E'{\uFEFF' || substr(piece, 2) ELSE piece END
                         FROM unnest(parts) WITH ORDINALITY AS pieces (piece, place) ORDER BY place);
        FOREACH part IN ARRAY parts LOOP
            IF left(part, 1) = '{' AND substr(part, 2) <> ALL (columns) THEN
                nearest := ringfence.nearest_name(substr(part, 2), columns[:1000]);
                RAISE EXCEPTION 'the source has no column "%"', left(substr(part, 2), 200)
                    USING ERRCODE = 'undefined_column',
                          DETAIL = format('The columns are: %s.', (SELECT string_agg(left(name, 200), ', ') FROM unnest(columns[:100]) AS name)),
                          HINT = CASE WHEN nearest IS NOT NULL THEN format('Did you mean {{%s}}? ', nearest) ELSE '' END || 'Names of columns are compared exactly, case included.';
            END IF;
        END LOOP;
        IF mapping.target = ANY (system_targets) THEN
            types := types || mapping.target;
        ELSE
            types := types || (SELECT 'field ' || f.type FROM ringfence.visible_fields() AS f
                                WHERE f.name = mapping.target AND NOT f.is_system AND f.access = 'write'
                                  AND (chosen.project_id IS NULL OR ringfence.writes_field_in(f.field_id, chosen.project_id)));
            IF cardinality(types) = cardinality(targets) OR types[cardinality(targets) + 1] IS NULL THEN
                RAISE EXCEPTION 'field "%" cannot be written in this session', left(mapping.target, 200)
                    USING ERRCODE = 'insufficient_privilege', HINT = 'SELECT * FROM ringfence.visible_fields() lists the fields of this session and how they may be used.';
            END IF;
        END IF;
        targets := targets || mapping.target;
        -- Each list of parts as one text: arrays of arrays must be of one length.
        sources := sources || parts::text;
        all_parts := all_parts || parts;
        lengths := lengths || cardinality(parts);
        clears := clears || (mapping.on_empty = 'clear');
    END LOOP;
    IF cardinality(targets) = 0 THEN
        RAISE EXCEPTION 'import template "%" has no mapping', chosen.name USING ERRCODE = 'object_not_in_prerequisite_state';
    END IF;

    line := 0;
    OPEN input FOR EXECUTE CASE WHEN source IS NOT NULL THEN format('SELECT to_jsonb(row_of_source) FROM %s AS row_of_source', source)
                                ELSE 'SELECT value FROM jsonb_array_elements($1)' END USING rows;
    LOOP
        PERFORM ringfence.show_import_progress(coalesce(source, 0::oid), line);
        rows_of_batch := '{}';
        cards := '{}';
        FOR n IN 1..most LOOP
            FETCH input INTO cells;
            EXIT WHEN NOT FOUND;
            rows_of_batch := rows_of_batch || cells;
            cards := cards || ringfence.plain_import_card(cells, targets, types, all_parts, lengths, clears);
        END LOOP;
        EXIT WHEN cardinality(cards) = 0;
        place := 1;
        WHILE place <= cardinality(cards) LOOP
            IF together >= 8 AND NOT one_by_one AND chosen.mode <> 'update' AND cards[place] IS NOT NULL THEN
                up_to := place;
                WHILE up_to - place + 1 < together AND cards[up_to + 1] IS NOT NULL LOOP
                    up_to := up_to + 1;
                END LOOP;
                BEGIN
                    made := ringfence.import_new(cards[place:up_to], chosen.match_field);
                EXCEPTION WHEN data_exception OR integrity_constraint_violation OR insufficient_privilege OR no_data_found OR cardinality_violation OR program_limit_exceeded THEN
                    -- The rows go one by one now, which finds the bad one and its error.
                    made := '{}';
                    together := together / 4;
                END;
                action := 'inserted';
                reason := NULL;
                FOREACH customer_id IN ARRAY made LOOP
                    line := line + 1;
                    RETURN NEXT;
                END LOOP;
                place := place + cardinality(made);
                IF made <> '{}' THEN
                    together := least(2 * together, most);
                    CONTINUE;
                END IF;
            END IF;
            line := line + 1;
            BEGIN
                done := ringfence.import_card(
                    coalesce(cards[place], ringfence.import_card_of(rows_of_batch[place], targets, types, sources, clears, chosen.date_format)),
                    chosen.mode, chosen.match_field);
                action := done.action;
                customer_id := done.customer_id;
                reason := done.reason;
                IF action = 'rejected' AND strict THEN
                    RAISE EXCEPTION '%', reason USING ERRCODE = 'integrity_constraint_violation';
                END IF;
            EXCEPTION WHEN data_exception OR integrity_constraint_violation OR insufficient_privilege OR no_data_found OR cardinality_violation OR program_limit_exceeded THEN
                GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE, reason = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT, broken = CONSTRAINT_NAME;
                action := 'rejected';
                customer_id := NULL;
                reason := CASE broken
                    WHEN 'customer_owner_id_company_id_fkey' THEN 'there is no such company'
                    WHEN 'customer_name_check' THEN 'the name of a customer must have a visible character, and at most 2500 bytes'
                    WHEN 'customer_pkey' THEN 'there is a customer with this id already'
                    ELSE replace(reason, 'the card has no', 'the row has no') || CASE WHEN hint LIKE 'Expected %' THEN '. ' || hint ELSE '' END END;
                IF strict THEN
                    RAISE EXCEPTION 'line %: %', line, reason USING ERRCODE = code, HINT = 'With strict nothing is imported if one row is rejected.';
                END IF;
            END;
            together := CASE action WHEN 'inserted' THEN least(2 * together, most) ELSE greatest(together / 2, 1) END;
            place := place + 1;
            RETURN NEXT;
        END LOOP;
    END LOOP;
    CLOSE input;
    PERFORM ringfence.end_import_progress();
END
$import$;
REVOKE ALL ON FUNCTION ringfence.import_rows(text, regclass, jsonb, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.import_rows(text, regclass, jsonb, boolean) TO ringfence_user;
COMMENT ON FUNCTION ringfence.import_rows(text, regclass, jsonb, boolean) IS 'Imports the rows of a relation, or rows as JSON; part of import_customers()';

CREATE FUNCTION ringfence.import_or_try(template text, source regclass, rows jsonb, strict boolean, dry_run boolean, OUT line bigint, OUT action text, OUT customer_id uuid, OUT reason text)
    RETURNS SETOF record
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $try$
BEGIN
    IF NOT coalesce(dry_run, false) THEN
        RETURN QUERY SELECT * FROM ringfence.import_rows(template, source, rows, coalesce(strict, false));
        RETURN;
    END IF;
    BEGIN
        FOR line, action, customer_id, reason IN SELECT * FROM ringfence.import_rows(template, source, rows, coalesce(strict, false)) LOOP
            customer_id := CASE WHEN action <> 'inserted' THEN customer_id END;
            RETURN NEXT;
        END LOOP;
        RAISE EXCEPTION USING ERRCODE = 'RFDRY', MESSAGE = 'undone';
    EXCEPTION WHEN SQLSTATE 'RFDRY' THEN
        -- What was tried is undone.
        NULL;
    END;
END
$try$;
REVOKE ALL ON FUNCTION ringfence.import_or_try(text, regclass, jsonb, boolean, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.import_or_try(text, regclass, jsonb, boolean, boolean) TO ringfence_user;
COMMENT ON FUNCTION ringfence.import_or_try(text, regclass, jsonb, boolean, boolean) IS 'Imports, or tries to and undoes it; part of import_customers()';

CREATE FUNCTION ringfence.import_customers(template text, source regclass, strict boolean DEFAULT false, dry_run boolean DEFAULT false,
    OUT line bigint, OUT action text, OUT customer_id uuid, OUT reason text) RETURNS SETOF record
    LANGUAGE sql VOLATILE ROWS 1000
    BEGIN ATOMIC
        SELECT * FROM ringfence.import_or_try(template, source, NULL, strict, dry_run);
    END;
REVOKE ALL ON FUNCTION ringfence.import_customers(text, regclass, boolean, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.import_customers(text, regclass, boolean, boolean) TO ringfence_user;
COMMENT ON FUNCTION ringfence.import_customers(text, regclass, boolean, boolean) IS
    'Imports the rows of a relation by a template, and returns a result for each. A bad row is rejected, or with strict the whole import. Error P0002: no such template; 42703: no such column';

CREATE FUNCTION ringfence.import_customers(template text, rows jsonb, strict boolean DEFAULT false, dry_run boolean DEFAULT false,
    OUT line bigint, OUT action text, OUT customer_id uuid, OUT reason text) RETURNS SETOF record
    LANGUAGE sql VOLATILE ROWS 1000
    BEGIN ATOMIC
        SELECT * FROM ringfence.import_or_try(template, NULL, coalesce(rows, 'null'), strict, dry_run);
    END;
REVOKE ALL ON FUNCTION ringfence.import_customers(text, jsonb, boolean, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.import_customers(text, jsonb, boolean, boolean) TO ringfence_user;
COMMENT ON FUNCTION ringfence.import_customers(text, jsonb, boolean, boolean) IS 'The same of an array of JSON objects';

-- A literal without a type goes here: PostgreSQL prefers text.
CREATE FUNCTION ringfence.import_customers(template text, source text, strict boolean DEFAULT false, dry_run boolean DEFAULT false,
    OUT line bigint, OUT action text, OUT customer_id uuid, OUT reason text) RETURNS SETOF record
    LANGUAGE sql VOLATILE ROWS 1000
    BEGIN ATOMIC
        SELECT * FROM ringfence.import_or_try(template, source::regclass, NULL, strict, dry_run);
    END;
REVOKE ALL ON FUNCTION ringfence.import_customers(text, text, boolean, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ringfence.import_customers(text, text, boolean, boolean) TO ringfence_user;
COMMENT ON FUNCTION ringfence.import_customers(text, text, boolean, boolean) IS 'The same of a relation by its name';
