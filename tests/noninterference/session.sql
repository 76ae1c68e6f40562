-- What programs of a session find, and would else make each time.
CREATE TEMP SEQUENCE hit;
CREATE TEMP TABLE mine (id int PRIMARY KEY, name text, phone text, customer uuid, day date, n numeric, texts text[]);
INSERT INTO mine SELECT n, (ARRAY['Tsai Mei-Ling', 'Jan Kowalski', 'Chen Wei', 'Company A', 'Company B', 'ticket', 'Sales'])[n % 7 + 1],
    '+48601234' || lpad((n % 50)::text, 3, '0'), NULL, '1980-01-01'::date + n, n, ARRAY['a', 'T-' || n] FROM generate_series(1, 30) AS n;
ANALYZE mine;
CREATE DOMAIN pg_temp.short AS text CHECK (length(value) < 12);
CREATE DOMAIN pg_temp.counted AS text CHECK (nextval('hit') > 0);
CREATE FUNCTION pg_temp.tell(text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS $$BEGIN RAISE NOTICE '%', $1; RETURN true; END$$;
CREATE FUNCTION pg_temp.tell_dear(text) RETURNS boolean LANGUAGE plpgsql STABLE COST 100000 AS $$BEGIN RAISE NOTICE '%', $1; RETURN true; END$$;
CREATE FUNCTION pg_temp.tell_strict(text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 1 AS $$BEGIN RAISE NOTICE 'strict %', $1; RETURN length($1) > 3; END$$;
CREATE FUNCTION pg_temp.hits() RETURNS bigint LANGUAGE sql VOLATILE COST 0.0001 AS $$SELECT nextval('hit')$$;
CREATE FUNCTION pg_temp.one_row(text) RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$BEGIN PERFORM nextval('hit'); RETURN $1 IS NOT NULL; END$$;
CREATE FUNCTION pg_temp.fails() RETURNS text LANGUAGE plpgsql VOLATILE AS $$BEGIN RAISE EXCEPTION 'reached' USING ERRCODE = 'ZZ001'; END$$;
CREATE FUNCTION pg_temp.inlined(text) RETURNS boolean LANGUAGE sql STABLE AS $$SELECT $1 = ANY ('{Jan Kowalski,Sales,ticket}'::text[])$$;
CREATE FUNCTION pg_temp.customers(text) RETURNS bigint LANGUAGE sql STABLE AS $$SELECT count(*) FROM ringfence.customer WHERE name = $1$$;
CREATE FUNCTION pg_temp.owner_is_there(text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$SELECT EXISTS (SELECT FROM ringfence.owner WHERE name = $1)$$;
CREATE FUNCTION pg_temp.owner_id(text) RETURNS uuid LANGUAGE plpgsql IMMUTABLE AS $$BEGIN RETURN (SELECT id FROM ringfence.owner WHERE name = $1); END$$;
CREATE FUNCTION pg_temp.owner_told(text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$BEGIN PERFORM FROM ringfence.owner WHERE name = $1 AND pg_temp.tell('owner ' || $1); RETURN FOUND; END$$;
CREATE FUNCTION pg_temp.lies() RETURNS uuid LANGUAGE plpgsql STABLE COST 0.0001 AS $$BEGIN RETURN CASE nextval('hit') % 2 WHEN 0 THEN ringfence.current_owner() ELSE overlay(overlay(md5('1 owner') PLACING '4' FROM 13) PLACING '1' FROM 1)::uuid END; END$$;
CREATE FUNCTION pg_temp.says_own() RETURNS uuid LANGUAGE plpgsql STABLE COST 0.0001 AS $$BEGIN RETURN ringfence.current_owner(); END$$;
CREATE FUNCTION pg_temp.seen(uuid) RETURNS SETOF text LANGUAGE sql STABLE ROWS 3 AS $$SELECT name FROM ringfence.customer_card WHERE company_id = $1$$;
CREATE FUNCTION pg_temp.on_mine() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
    RAISE NOTICE 'trigger: %', (SELECT count(*) FROM ringfence.customer WHERE name = NEW.name); RETURN NEW; END$$;
CREATE TRIGGER on_mine BEFORE INSERT ON mine FOR EACH ROW EXECUTE FUNCTION pg_temp.on_mine();
CREATE TEMP VIEW plain_view AS SELECT id, owner_id, name, address, normal_phones[1] AS phone, company_id FROM ringfence.customer;
CREATE TEMP VIEW barrier_view WITH (security_barrier) AS SELECT id, owner_id, name, phones, address FROM ringfence.customer WHERE name IS NOT NULL;
CREATE TEMP VIEW invoker_view WITH (security_invoker) AS SELECT id, name, attributes, company_id FROM ringfence.customer_card;
CREATE TEMP VIEW owner_view AS SELECT id, name, country, enabled FROM ringfence.owner
