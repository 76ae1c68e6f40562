-- A caller whose search_path is full of impostors: operators, functions, aggregates, types, casts and relations of its own that are
-- named like PostgreSQL's and like ours, and come first. Whatever we offer is called under it. An impostor tells whom it runs as: it
-- may run as its owner, who could as well call it, and as nobody else.
\set SHOW_CONTEXT never
\set VERBOSITY terse
\pset tuples_only on
\pset format unaligned
SET client_min_messages = warning;
CREATE ROLE impostor LOGIN;
GRANT ringfence_admin, ringfence_router TO impostor;
SELECT ringfence.grant_access('impostor', 'Company A', '{admin}') \g /dev/null
-- Its owner's other hand: without the role of an administrator, access is managed within the owner.
CREATE ROLE impostor_within LOGIN;
SELECT ringfence.grant_access('impostor_within', 'Company A', '{admin}') \g /dev/null
CREATE SCHEMA evil AUTHORIZATION impostor;
GRANT USAGE ON SCHEMA evil TO PUBLIC;
CREATE TABLE public.planted (kind text, count bigint);
CREATE TABLE public.calls (place integer GENERATED ALWAYS AS IDENTITY, call text);
GRANT ALL ON public.planted, public.calls TO PUBLIC;

-- Another role's function that does not fix its search_path: what the impostors are for.
CREATE ROLE careless;
CREATE FUNCTION public.careless() RETURNS void LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    -- A catalog of one row.
    PERFORM count(*), now() FROM pg_ts_parser WHERE prsname = 'default' AND lower('X'::text) LIKE 'x';
    PERFORM '00000000-0000-0000-0000-000000000000'::uuid;
END
$$;
ALTER FUNCTION public.careless() OWNER TO careless;

\c - impostor
SET client_min_messages = warning;
SET search_path = pg_catalog;
CREATE FUNCTION evil.tell(impostor text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF CURRENT_USER OPERATOR(pg_catalog.<>) SESSION_USER THEN
        RAISE WARNING 'impostor % runs as %', impostor, CURRENT_USER;
    END IF;
    RETURN true;
END
$$;
-- Each does what it is named for once it has told.
DO $$
DECLARE
    made record;
    kinds bigint[] := '{0,0,0,0}';
    pseudo CONSTANT text := '^(internal|cstring|trigger|event_trigger|record|_record|any|unknown|language_handler|fdw_handler|index_am_handler|tsm_handler|table_am_handler|pg_ddl_command)$';
BEGIN
    FOR made IN SELECT o.oid, o.oprname, l.typname AS l, r.typname AS r, t.typname AS result
                  FROM pg_operator o LEFT JOIN pg_type l ON l.oid = o.oprleft JOIN pg_type r ON r.oid = o.oprright JOIN pg_type t ON t.oid = o.oprresult
                 WHERE o.oprnamespace = 'pg_catalog'::regnamespace AND coalesce(l.typname, '') !~ pseudo AND r.typname !~ pseudo AND t.typname !~ pseudo LOOP
        EXECUTE format('CREATE FUNCTION evil.%I(%s pg_catalog.%I) RETURNS pg_catalog.%I LANGUAGE plpgsql AS %L', 'operator_' || made.oid,
                       CASE WHEN made.l IS NOT NULL THEN format('pg_catalog.%I, ', made.l) END, made.r, made.result,
                       format('BEGIN PERFORM evil.tell(%L); RETURN %s OPERATOR(pg_catalog.%s) %s; END', 'operator ' || made.oprname,
                              CASE WHEN made.l IS NOT NULL THEN '$1' END, made.oprname, CASE WHEN made.l IS NOT NULL THEN '$2' ELSE '$1' END));
        EXECUTE format('CREATE OPERATOR evil.%s (FUNCTION = evil.%I, %s RIGHTARG = pg_catalog.%I)', made.oprname, 'operator_' || made.oid,
                       CASE WHEN made.l IS NOT NULL THEN format('LEFTARG = pg_catalog.%I, ', made.l) END, made.r);
        kinds[1] := kinds[1] + 1;
    END LOOP;

    FOR made IN SELECT p.proname, n.nspname, r.typname AS result, p.proretset, p.pronargs,
                       (SELECT string_agg(format('%I.%I', s.nspname, a.typname), ', ' ORDER BY u.place)
                          FROM unnest(p.proargtypes) WITH ORDINALITY AS u(type, place) JOIN pg_type a ON a.oid = u.type JOIN pg_namespace s ON s.oid = a.typnamespace) AS arguments
                  FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_type r ON r.oid = p.prorettype
                 WHERE n.nspname IN ('pg_catalog', 'ringfence') AND p.prokind = 'f' AND p.provariadic = 0 AND p.proallargtypes IS NULL
                   AND r.typnamespace = 'pg_catalog'::regnamespace AND r.typname !~ pseudo
                   AND NOT EXISTS (SELECT FROM unnest(p.proargtypes) AS u(type) JOIN pg_type a ON a.oid = u.type WHERE a.typname ~ pseudo OR a.typname = 'void' OR NOT has_type_privilege(a.oid, 'USAGE')) LOOP
        BEGIN
            EXECUTE format('CREATE FUNCTION evil.%I(%s) RETURNS %s pg_catalog.%I LANGUAGE plpgsql AS %L', made.proname, made.arguments,
                           CASE WHEN made.proretset THEN 'SETOF' END, made.result,
                           format('BEGIN PERFORM evil.tell(%L); %s %I.%I(%s); END', 'function ' || made.proname,
                                  CASE WHEN made.proretset THEN 'RETURN QUERY SELECT * FROM' WHEN made.result = 'void' THEN 'PERFORM' ELSE 'RETURN' END,
                                  made.nspname, made.proname, (SELECT string_agg('$' || n, ', ' ORDER BY n) FROM generate_series(1, made.pronargs) AS n)));
            kinds[2] := kinds[2] + 1;
        EXCEPTION WHEN duplicate_function OR invalid_function_definition THEN
        END;
    END LOOP;

    -- The catalogs and our tables, in a schema and among the session's temporary relations, which come first unasked.
    FOR made IN SELECT format('%I.%I', n.nspname, c.relname) AS relation, c.relname,
                       (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_attribute a
                         WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.atttypid <> 'anyarray'::regtype) AS columns
                  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                 WHERE c.relnamespace IN ('pg_catalog'::regnamespace, 'ringfence'::regnamespace) AND c.relkind IN ('r', 'v') AND c.relname !~ '^pg_statistic' LOOP
        -- For everybody: who may not read it would get an error, and not be told of.
        EXECUTE format('CREATE VIEW evil.%I AS SELECT %s FROM %s WHERE evil.tell(%L)', made.relname, made.columns, made.relation, 'relation ' || made.relname);
        EXECUTE format('CREATE VIEW pg_temp.%I AS SELECT %s FROM %s WHERE evil.tell(%L)', made.relname, made.columns, made.relation, 'temporary relation ' || made.relname);
        EXECUTE format('GRANT ALL ON evil.%I, pg_temp.%I TO PUBLIC', made.relname, made.relname);
        kinds[3] := kinds[3] + 1;
    END LOOP;

    -- And the types that we use.
    FOR made IN SELECT unnest('{text,uuid,jsonb,name,oid,regrole,regclass,date,timestamptz,bytea,bool,int4,int8,float4,float8,numeric}'::text[]) AS typname LOOP
        EXECUTE format('CREATE DOMAIN evil.%I AS pg_catalog.%I CHECK (evil.tell(%L))', made.typname, made.typname, 'type ' || made.typname);
        EXECUTE format('CREATE DOMAIN pg_temp.%I AS pg_catalog.%I CHECK (evil.tell(%L))', made.typname, made.typname, 'temporary type ' || made.typname);
        kinds[4] := kinds[4] + 1;
    END LOOP;
    INSERT INTO public.planted SELECT unnest('{operators,functions,relations,types}'::text[]), unnest(kinds);
END
$$;
-- Those that take "any", or are aggregates.
CREATE FUNCTION evil.format(text, text) RETURNS text LANGUAGE plpgsql AS $$BEGIN PERFORM evil.tell('function format'); RETURN pg_catalog.format($1, $2); END$$;
CREATE FUNCTION evil.format(text, text, text) RETURNS text LANGUAGE plpgsql AS $$BEGIN PERFORM evil.tell('function format'); RETURN pg_catalog.format($1, $2, $3); END$$;
CREATE FUNCTION evil.format(text, anynonarray) RETURNS text LANGUAGE plpgsql AS $$BEGIN PERFORM evil.tell('function format'); RETURN pg_catalog.format($1, $2); END$$;
CREATE FUNCTION evil.concat(text, text) RETURNS text LANGUAGE plpgsql AS $$BEGIN PERFORM evil.tell('function concat'); RETURN pg_catalog.concat($1, $2); END$$;
CREATE FUNCTION evil.jsonb_build_object(text, anyelement) RETURNS jsonb LANGUAGE plpgsql AS $$BEGIN PERFORM evil.tell('function jsonb_build_object'); RETURN pg_catalog.jsonb_build_object($1, $2); END$$;
CREATE FUNCTION evil.counted(bigint) RETURNS bigint LANGUAGE plpgsql AS $$BEGIN PERFORM evil.tell('aggregate count'); RETURN $1 OPERATOR(pg_catalog.+) 1; END$$;
CREATE AGGREGATE evil.count(*) (SFUNC = evil.counted, STYPE = bigint, INITCOND = '0');
CREATE FUNCTION evil.counted(bigint, anyelement) RETURNS bigint LANGUAGE plpgsql AS $$BEGIN PERFORM evil.tell('aggregate count'); RETURN $1 OPERATOR(pg_catalog.+) 1; END$$;
CREATE AGGREGATE evil.count(anyelement) (SFUNC = evil.counted, STYPE = bigint, INITCOND = '0');
CREATE FUNCTION evil.kept(anyelement, anyelement) RETURNS anyelement LANGUAGE plpgsql AS $$BEGIN PERFORM evil.tell('aggregate max'); RETURN greatest($1, $2); END$$;
CREATE AGGREGATE evil.max(integer) (SFUNC = evil.kept, STYPE = integer);
CREATE AGGREGATE evil.max(smallint) (SFUNC = evil.kept, STYPE = smallint);
CREATE AGGREGATE evil.max(bigint) (SFUNC = evil.kept, STYPE = bigint);
CREATE FUNCTION evil.joined(text, text, text) RETURNS text LANGUAGE plpgsql AS $$BEGIN PERFORM evil.tell('aggregate string_agg'); RETURN pg_catalog.concat($1, $3, $2); END$$;
CREATE AGGREGATE evil.string_agg(text, text) (SFUNC = evil.joined, STYPE = text);
CREATE FUNCTION evil.listed(anyarray, anynonarray) RETURNS anyarray LANGUAGE plpgsql AS $$BEGIN PERFORM evil.tell('aggregate array_agg'); RETURN pg_catalog.array_append($1, $2); END$$;
CREATE AGGREGATE evil.array_agg(anynonarray) (SFUNC = evil.listed, STYPE = anyarray);
-- And what any text, id, name or oid can silently become, with operators that want it.
CREATE TYPE evil.thing AS (content text);
DO $$
DECLARE
    source text;
    operator text;
BEGIN
    FOREACH source IN ARRAY '{text,uuid,name,oid,jsonb}'::text[] LOOP
        EXECUTE format('CREATE FUNCTION evil.%I(pg_catalog.%I) RETURNS evil.thing LANGUAGE plpgsql AS %L', 'thing_of_' || source, source,
                       format('BEGIN PERFORM evil.tell(%L); RETURN ROW(NULL); END', 'cast of ' || source));
        EXECUTE format('CREATE CAST (pg_catalog.%I AS evil.thing) WITH FUNCTION evil.%I(pg_catalog.%I) AS IMPLICIT', source, 'thing_of_' || source, source);
    END LOOP;
    FOREACH operator IN ARRAY '{=,<>,<,>,||,?,->,@>,~~}'::text[] LOOP
        EXECUTE format('CREATE FUNCTION evil.%I(evil.thing, evil.thing) RETURNS pg_catalog.bool LANGUAGE plpgsql AS %L', 'thing ' || operator,
                       format('BEGIN PERFORM evil.tell(%L); RETURN true; END', 'operator ' || operator || ' of things'));
        EXECUTE format('CREATE OPERATOR evil.%s (FUNCTION = evil.%I, LEFTARG = evil.thing, RIGHTARG = evil.thing)', operator, 'thing ' || operator);
    END LOOP;
END
$$;
SELECT kind FROM public.planted WHERE count > CASE kind WHEN 'operators' THEN 700 WHEN 'functions' THEN 1500 WHEN 'relations' THEN 100 ELSE 10 END;

SET search_path = evil, pg_temp, pg_catalog, public;
\echo *** The impostors are found where a function does not fix its search_path
SELECT public.careless();

\echo *** Whatever is offered: each in a transaction of its own, with its SQLSTATE where it fails
CREATE FUNCTION pg_temp.try(call pg_catalog.text) RETURNS pg_catalog.text LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE call;
    RETURN 'done';
EXCEPTION WHEN OTHERS THEN
    RETURN SQLSTATE;
END
$$;
INSERT INTO public.calls (call) VALUES
    ('SELECT ringfence.current_owner(), ringfence.current_project(), ringfence.current_agent(), ringfence.current_source(), ringfence.current_actor()'),
    ('SELECT ringfence.has_right(''customer.read''), ringfence.check_right(''customer.read''), ringfence.has_right_in(''customer.read'', NULL)'),
    ('SELECT * FROM ringfence.whoami()'),
    ('SELECT ringfence.enter(''Company A'', ''Sales'', ''agent'')'),
    ('SELECT ringfence.enter(''Company B'')'),
    ('SELECT ringfence.works_in(id) FROM ringfence.project'),
    ('SELECT ringfence.owners_in_reach(), ringfence.is_admin()'),
    ('SELECT ringfence.new_id(), ringfence.check_name(''x''), ringfence.name_as_seen(''x''), ringfence.can_be_seen(''x''), ringfence.check_pattern(''[a-z]''), ringfence.check_required(''{}''), ringfence.check_field_limits(NULL)'),
    ('SELECT ringfence.add_signing_key(''impostor'', ''HS256'', ''a secret that nobody else here knows'')'),
    ('SELECT ringfence.login(''eyJhbGciOiJIUzI1NiIsImtpZCI6ImltcG9zdG9yIn0.e30.c2lnbmF0dXJl'')'),
    ('SELECT ringfence.drop_signing_key(''impostor'')'),
    ('SELECT * FROM ringfence.signing_key'),
    ('SELECT ringfence.create_owner(''Impostor Ltd'', ''d'', ''PL'')'),
    ('INSERT INTO ringfence.owner (name, country) VALUES (''Impostor Inc'', ''TW'')'),
    ('UPDATE ringfence.owner SET country = ''TW'', description = ''x'' WHERE name = ''Impostor Ltd'''),
    ('UPDATE ringfence.owner SET country = ''PL'' WHERE name = ''Company A'''),
    ('SELECT ringfence.create_owner(''Impostor GmbH'')'),
    ('SELECT ringfence.deletion_question(''Impostor GmbH''), ringfence.is_deleting_owner()'),
    ('SELECT * FROM ringfence.delete_owner_preview(''Impostor GmbH'')'),
    ('SELECT * FROM ringfence.delete_owner(''Impostor GmbH'', ''Impostor GmbH'')'),
    ('SELECT * FROM ringfence.load_owner(''pg_class'')'),
    ('SELECT * FROM ringfence.export_owner(''Company A'')'),
    ('SELECT ringfence.begin_purge(''Impostor Inc'', ''Impostor Inc'', 100)'),
    ('SELECT ringfence.purge_batch(''Impostor Inc'', ''Impostor Inc'', 100, ''{}'')'),
    ('CALL ringfence.purge_owner(''Impostor Inc'', ''Impostor Inc'')'),
    ('DELETE FROM ringfence.owner WHERE name = ''Impostor Inc'''),
    ('DELETE FROM ringfence.owner WHERE name = ''House'''),
    ('SELECT * FROM ringfence.owner'),
    ('SELECT ringfence.grant_access(''app_none'', ''Impostor Ltd'', ''{agent}'')'),
    ('SELECT ringfence.grant_access(''app_none'', ''Impostor Ltd'', ''{sales,customer.delete}'', sources => ''{crm}'', binding => ''session'')'),
    ('SELECT * FROM ringfence.explain_access(''app_none'', ''Impostor Ltd'')'),
    ('SELECT * FROM ringfence.health()'),
    ('SELECT ringfence.preloaded_by(), ringfence.ringfence_version(), count(*) FROM ringfence.holes_of_server(150000)'),
    ('SELECT ringfence.revoke_access(''app_none'', ''Impostor Ltd'')'),
    ('SELECT * FROM ringfence.access'),
    ('SELECT ringfence.create_profile(''Impostors'', ''{customer.read}'', ''d'')'),
    ('INSERT INTO ringfence.profile (name, rights) VALUES (''More impostors'', ''{customer.read}'')'),
    ('UPDATE ringfence.profile SET rights = ''{customer.write}'' WHERE name = ''Impostors'''),
    ('SELECT ringfence.drop_profile(''Impostors'')'),
    ('DELETE FROM ringfence.profile WHERE name = ''More impostors'''),
    ('SELECT * FROM ringfence.profile'),
    ('INSERT INTO ringfence.project (name) VALUES (''Impostures'')'),
    ('UPDATE ringfence.project SET description = ''x'' WHERE name = ''Impostures'''),
    ('SELECT ringfence.project_in_reach(''Impostures'')'),
    ('SELECT * FROM ringfence.project'),
    ('SELECT ringfence.check_field_type(''choice'', ''{a}'')'),
    ('SELECT ringfence.create_field(''Plan'', ''choice'', ''{Sales,Support}'', options => ''{gold,tin}'', is_searchable => true)'),
    ('SELECT ringfence.create_field(''Contract'', projects => ''{Sales}'', is_unique => true, pattern => ''[A-Z]+'', max_length => 20)'),
    ('SELECT ringfence.create_field(''Phone'', ''phone'', ''{Sales}'', is_unique => true)'),
    ('SELECT ringfence.create_field(''Size'', ''number'', minimum => 1, maximum => 9)'),
    ('INSERT INTO ringfence.field (name, type) VALUES (''Note'', ''text'')'),
    ('SELECT ringfence.bind_field(''Size'', ''Sales'', ''write'', true, 3)'),
    ('SELECT ringfence.unbind_field(''Size'', ''Sales'')'),
    ('INSERT INTO ringfence.field_project (field_id, project_id, access) SELECT ringfence.field_in_reach(''Note''), ringfence.project_in_reach(''Sales''), ''write'''),
    ('UPDATE ringfence.field_project SET position = 7 WHERE field_id = ringfence.field_in_reach(''Note'')'),
    ('SELECT ringfence.create_report_view(''Sales'', ''impostor_sales'')'),
    ('INSERT INTO ringfence.customer_card (name, phones, emails, attributes) VALUES (''Impostor'', ''{0912345670}'', ''{i@example.com}'', ''{"Plan": "gold", "Contract": "ABC", "Phone": "0912345671", "Note": "n"}'')'),
    ('SELECT ringfence.save_customer(''{"id": "a0000000-0000-0000-0000-00000000000a", "name": "Impostor by id"}'')'),
    ('SELECT ringfence.save_customer(''{"name": "Impostor", "phones": ["0912345670"], "address": "x"}'', ''phone'')'),
    ('SELECT ringfence.save_customer(''{"name": "Impostor", "emails": ["i@example.com"]}'', ''email'')'),
    ('SELECT ringfence.save_customer(''{"name": "Impostor", "attributes": {"Contract": "ABC"}}'', ''Contract'')'),
    ('SELECT ringfence.save_customer(''{"name": "Impostor", "no key": 1}'')'),
    ('SELECT ringfence.enter(''aaaaaaaa-0000-0000-0000-000000000001''::uuid)'),
    ('UPDATE ringfence.customer_card SET attributes = attributes || ''{"Plan": "tin", "Contract": "ABD"}'', address = ''x'' WHERE name = ''Impostor'''),
    ('UPDATE ringfence.customer_card SET attributes = attributes || ''{"Contract": "ABE"}'' WHERE name = ''Impostor'''),
    ('UPDATE ringfence.owner SET country = ''TW'' WHERE name = ''Company A'''),
    ('SELECT * FROM ringfence.customer_card'),
    ('SELECT * FROM ringfence_report.impostor_sales'),
    ('SELECT ringfence.rename_field(''Note'', ''Notes'')'),
    ('UPDATE ringfence.field SET description = ''x'', is_searchable = true WHERE name = ''Contract'''),
    ('UPDATE ringfence.field SET is_unique = false WHERE name = ''Contract'''),
    ('UPDATE ringfence.field SET is_unique = true WHERE name = ''Contract'''),
    ('SELECT ringfence.add_option(''Plan'', ''brass'', 1)'),
    ('SELECT ringfence.rename_option(''Plan'', ''brass'', ''copper'')'),
    ('SELECT ringfence.retire_option(''Plan'', ''copper'')'),
    ('SELECT ringfence.retype_field(''Size'', ''text'')'),
    ('SELECT ringfence.renew_report_views()'),
    ('SELECT * FROM ringfence.visible_fields(), ringfence.unassigned_field, ringfence.owner_association, ringfence.shared_field, ringfence.report_view, ringfence.field, ringfence.field_project'),
    ('SELECT ringfence.visible_attributes(''{}''), ringfence.masked_fields(), ringfence.storage_key(ringfence.field_in_reach(''Plan''))'),
    ('SELECT ringfence.report_text(''{}'', p, f), ringfence.report_texts(''{}'', p, f), ringfence.report_number(''{}'', p, f), ringfence.report_boolean(''{}'', p, f), ringfence.report_date(''{}'', p, f), ringfence.report_time(''{}'', p, f), ringfence.report_datetime(''{}'', p, f) FROM (SELECT ringfence.project_in_reach(''Sales'') AS p, ringfence.field_in_reach(''Plan'') AS f) AS ids'),
    ('SELECT ringfence.reports(ringfence.project_in_reach(''Sales''), ''sales'')'),
    ('SELECT * FROM ringfence.search_customers(''impostor abd'')'),
    ('SELECT c.id, ringfence.query_of_column(c.name) FROM ringfence.customer AS c WHERE ringfence.matches(c.id, c.name)'),
    ('SELECT * FROM ringfence.search_customers(''tsia mei'')'),
    ('SELECT * FROM ringfence.search_customers(''0912345670'')'),
    ('SELECT * FROM ringfence.find_by_phone(''0912345670''), ringfence.find_by_email(''i@example.com'')'),
    ('SELECT id FROM ringfence.customer WHERE ringfence.matches(id, ''impostor'')'),
    ('SELECT id FROM ringfence.customer WHERE ringfence.customer_matches(id, ringfence.query(''impostor'')) OR ringfence.customer_matches(id, ringfence.phone_query(ringfence.phones_to_find(''0912345670'') || ringfence.phone_to_find(''0912345670''))) OR ringfence.customer_matches(id, ringfence.email_query(ringfence.email_to_find(''i@example.com'')))'),
    ('SELECT ringfence.keys_match(ringfence.search_keys(owner_id, name, normal_phones, normal_emails, ''{}'', NULL), ringfence.query(''impostor'')) FROM ringfence.customer'),
    ('SELECT * FROM ringfence.search_status()'),
    ('INSERT INTO ringfence.company (name) VALUES (''Impostors United'')'),
    ('UPDATE ringfence.company SET description = ''x'' WHERE name = ''Impostors United'''),
    ('INSERT INTO ringfence.customer (name, phones) VALUES (''Impostor II'', ''{0912345671}'')'),
    ('UPDATE ringfence.customer SET company_id = (SELECT id FROM ringfence.company WHERE name = ''Impostors United'') WHERE name = ''Impostor II'''),
    ('DELETE FROM ringfence.company WHERE name = ''Impostors United'''),
    ('DELETE FROM ringfence.customer WHERE name = ''Impostor II'''),
    ('SELECT ringfence.drop_field(''Notes'', 1)'),
    ('DELETE FROM ringfence.field_project WHERE field_id = ringfence.field_in_reach(''Plan'')'),
    ('SELECT ringfence.drop_field(''Size'')'),
    ('SELECT ringfence.create_source(''Impostor CRM'', ''d''), ringfence.create_source(''Impostor ERP'')'),
    ('INSERT INTO ringfence.source (name) VALUES (''Impostor shop'')'),
    ('UPDATE ringfence.source SET description = ''x'''),
    ('SELECT ringfence.source_in_reach(''Impostor CRM''), ringfence.current_source_id()'),
    ('SELECT ringfence.set_authority(''Impostor CRM'', ''name''), ringfence.set_authority(''Impostor ERP'')'),
    ('SELECT * FROM ringfence.source, ringfence.authority'),
    ('UPDATE ringfence.customer_card SET name = ''x'', address = ''y'' WHERE name = ''Impostor'''),
    ('UPDATE ringfence.customer SET name = ''x'' WHERE name = ''Impostor'''),
    ('SELECT ringfence.hand_over(id, ''Impostor ERP'') FROM ringfence.customer WHERE name = ''Impostor'''),
    ('SELECT ringfence.retire_source(''Impostor ERP'', ''Impostor shop'')'),
    ('SELECT h.*, c.*, d.* FROM ringfence.customer AS own, ringfence.history(own.id, ''name'') AS h, ringfence.creators(own.id) AS c, ringfence.datum(own.id, ''Plan'') AS d'),
    ('SELECT * FROM ringfence.left_out()'),
    ('SELECT * FROM ringfence.data_flow, ringfence.flow_of_data()'),
    ('SELECT w.*, ringfence.where_customer_is(own.id), ringfence.rows_of_customer(keys.of_values, own.id), ringfence.query_by_keys(keys.of_values), ringfence.right_to_read(''ringfence.ticket''), ringfence.roles_with(''customer.read'') FROM ringfence.customer AS own, ringfence.where_is(own.id) AS w, LATERAL (SELECT array_agg(k.oid) AS of_values FROM pg_constraint AS k WHERE k.confrelid = ''ringfence.customer''::regclass AND k.conrelid = ''ringfence.unique_value''::regclass) AS keys'),
    ('SELECT * FROM ringfence.proposal, ringfence.proposals_in_reach()'),
    ('SELECT ringfence.accept_proposal(id), ringfence.reject_proposal(id, ''x'') FROM ringfence.proposal'),
    ('SELECT ringfence.accept_proposal(ringfence.new_id())'),
    ('SELECT ringfence.reject_proposal(ringfence.new_id(), ''x'')'),
    ('SELECT ringfence.set_authority(NULL, ''name''), ringfence.set_authority(NULL), ringfence.hand_over(id, NULL) FROM ringfence.customer WHERE name = ''Impostor'''),
    ('SELECT ringfence.merge_customers(id, id) FROM ringfence.customer WHERE name = ''Impostor by id'''),
    ('SELECT ringfence.erase_customer(id, ''x'') FROM ringfence.customer WHERE name = ''Impostor by id'''),
    ('SELECT ringfence.forget_history(''2000-01-01'')'),
    ('DELETE FROM ringfence.customer_card WHERE name = ''Impostor'''),
    ('SELECT ringfence.drop_report_view(''Sales'')'),
    ('SELECT ringfence.assign_channel(''Company A'', ''phone'', ''0223456789'', ''Sales'', ''Impostor line'')'),
    ('SELECT ringfence.assign_channel(''Company B'', ''phone'', ''0223456789'')'),
    ('SELECT * FROM ringfence.route(''phone'', ''02 2345 6789'') AS one, ringfence.route(''email'', ''nobody+x@example.com'') AS other'),
    ('SELECT * FROM ringfence.channel'),
    ('UPDATE ringfence.channel SET name = ''x'', project_id = NULL WHERE name = ''Impostor line'''),
    ('UPDATE ringfence.owner SET country = ''JP'' WHERE name = ''Company A'''),
    ('UPDATE ringfence.owner SET country = ''TW'' WHERE name = ''Company A'''),
    ('SELECT ringfence.release_channel(''phone'', ''+886223456789'')'),
    ('INSERT INTO ringfence.import_template (id, name, mode, match_field, date_format) VALUES (''a0000000-0000-0000-0000-0000000001e7'', ''Imports'', ''upsert'', ''phone'', ''DD.MM.YYYY'')'),
    ('UPDATE ringfence.import_template SET name = ''Impostures'' WHERE name = ''Imports'''),
    ('INSERT INTO ringfence.import_mapping (template_id, target, source) SELECT ''a0000000-0000-0000-0000-0000000001e7'', unnest(ARRAY[''name'', ''phones'', ''birth_date'', ''address'', ''emails'']), unnest(ARRAY[''{{n}} x'', ''{{p}}'', ''{{d}}'', ''x'', ''{{e}}''])'),
    ('UPDATE ringfence.import_mapping SET on_empty = ''clear'' WHERE target = ''birth_date'''),
    ('SELECT * FROM ringfence.import_template, ringfence.import_mapping'),
    ('SELECT * FROM ringfence.import_customers(''Impostures'', rows => ''[{"n": "Imported", "p": "0912000111; 4.5E9", "d": "1.2.1990", "e": "i2@example.com"}, {"n": "Imported", "p": "0912000111", "d": "", "e": null}]''::pg_catalog.jsonb)'),
    ('SELECT * FROM ringfence.import_customers(''Impostures'', rows => ''[{"m": 1}]''::pg_catalog.jsonb)'),
    ('SELECT ringfence.import_parts(''a{{b}}''), ringfence.import_cell(''{"b": "1"}'', ''{=a,"{b"}''), ringfence.import_number(''1,5''), ringfence.import_phone(''1.0''), ringfence.import_list(''a;b''), ringfence.import_date(''1.2.1990'', ''DD.MM.YYYY''), ringfence.import_value(''1'', ''number'', ''DD''), ringfence.nearest_name(''a'', ''{b,A}'')'),
    ('SELECT ringfence.import_card(''{"name": "Carded", "phones": ["0912000112"]}'', ''upsert'', ''phone''), ringfence.show_import_progress(0, 1), ringfence.end_import_progress()'),
    ('SELECT * FROM ringfence.import_rows(''Impostures'', NULL, ''[]'', false)'),
    ('SELECT ringfence.import_new(ARRAY[''{"name": "Carded too", "phones": ["0912000114"]}''::pg_catalog.jsonb], ''phone'')'),
    ('SELECT ringfence.plain_import_card(''{"b": "1"}'', ''{name}'', ''{name}'', ''{"{b"}'', ''{1}'', ''{t}''), ringfence.import_card_of(''{"b": "1,5;2"}'', ''{f,phones,birth_date}'', ''{"field number",phones,birth_date}'', ''{"{\"{b\"}","{\"{b\"}","{=1.2.1990}"}'', ''{t,t,t}'', ''DD.MM.YYYY'')'),
    ('SELECT ringfence.reads_template(''a0000000-0000-0000-0000-0000000001e7''), ringfence.writes_template(''a0000000-0000-0000-0000-0000000001e7'')'),
    ('SELECT ringfence.create_report_view(''Sales'', ''impostor_calls'', ''interaction'')'),
    ('SELECT * FROM ringfence_report.impostor_calls'),
    ('SELECT ringfence.drop_report_view(''Sales'', ''interaction'')'),
    ('SELECT * FROM ringfence.import_or_try(''Impostures'', NULL, ''[{"n": "Tried", "p": "0912000113", "d": "", "e": ""}]'', false, true)'),
    ('DELETE FROM ringfence.customer_card WHERE name IN (''Imported x'', ''Carded'', ''Carded too'')'),
    ('DELETE FROM ringfence.import_mapping'),
    ('DELETE FROM ringfence.import_template'),
    ('INSERT INTO ringfence.ticket_status (name, is_closed) VALUES (''imposed'', true)'),
    ('UPDATE ringfence.ticket_status SET name = ''imposed upon'' WHERE name = ''imposed'''),
    ('SELECT ringfence.open_ticket(NULL, ''Impostor'', ''Sales'', ''d'', ''high'', NULL, ''jan'')'),
    ('SELECT ringfence.open_ticket(''a0000000-0000-0000-0000-000000000001'', ''Impostor II'')'),
    ('INSERT INTO ringfence.ticket (subject, status) VALUES (''Impostor III'', ''imposed upon'')'),
    ('UPDATE ringfence.ticket SET status = ''open'', description = ''x'' WHERE subject = ''Impostor III'''),
    ('SELECT * FROM ringfence.ticket, ringfence.ticket_status'),
    ('SELECT ringfence.projects_with(''ticket.read'')'),
    ('SELECT ringfence.sees_values_of(ringfence.field_in_reach(''Plan''), ringfence.project_in_reach(''Sales''))'),
    ('SELECT ringfence.sees_values_of(NULL, NULL)'),
    ('INSERT INTO ringfence.interaction (id, kind, ticket_id) SELECT ''a0000000-0000-0000-0000-0000000000ca'', ''call'', id FROM ringfence.ticket WHERE subject = ''Impostor II'''),
    ('SELECT ringfence.log_interaction(''call'', ''in'', ''a0000000-0000-0000-0000-000000000001'', NULL, ''Sales'', NULL, ''1'', now(), now(), ''d'', ''n'', ''e'')'),
    ('UPDATE ringfence.interaction SET project_id = ringfence.project_in_reach(''Sales'') WHERE kind = ''call'''),
    ('SELECT * FROM ringfence.interaction, ringfence.call_log'),
    ('SELECT ringfence.attributes_in(''{}'', ringfence.project_in_reach(''Sales'')), ringfence.writes_field_in(ringfence.field_in_reach(''Plan''), ringfence.project_in_reach(''Sales''))'),
    ('INSERT INTO ringfence.script (id, name, project_id) VALUES (''a0000000-0000-0000-0000-00000000005c'', ''Impositions'', ringfence.project_in_reach(''Sales''))'),
    ('UPDATE ringfence.script SET name = ''Impositions II'' WHERE name = ''Impositions'''),
    ('INSERT INTO ringfence.question (id, script_id, text) VALUES (''a0000000-0000-0000-0000-00000000009e'', ''a0000000-0000-0000-0000-00000000005c'', ''Who?'')'),
    ('UPDATE ringfence.question SET text = ''Who are you?'''),
    ('INSERT INTO ringfence.answer (id, question_id, kind, name) VALUES (''a0000000-0000-0000-0000-0000000000a5'', ''a0000000-0000-0000-0000-00000000009e'', ''text'', ''Impostor'')'),
    ('UPDATE ringfence.answer SET next_question_id = question_id, field_id = (SELECT id FROM ringfence.field WHERE name = ''Contract'')'),
    ('SELECT * FROM ringfence.script_form(''Impositions II'')'),
    ('SELECT ringfence.respond(''a0000000-0000-0000-0000-0000000000ca'', ''a0000000-0000-0000-0000-0000000000a5'', ''IMPOSTOR'')'),
    ('INSERT INTO ringfence.response (interaction_id, answer_id, value) VALUES (''a0000000-0000-0000-0000-0000000000ca'', ''a0000000-0000-0000-0000-0000000000a5'', ''IMPOSTORS'')'),
    ('UPDATE ringfence.response SET value = ''x'''),
    ('SELECT * FROM ringfence.response, ringfence.answer, ringfence.question, ringfence.script'),
    ('UPDATE ringfence.interaction SET project_id = NULL'),
    ('DELETE FROM ringfence.response WHERE value = ''IMPOSTORS'''),
    ('DELETE FROM ringfence.answer'),
    ('DELETE FROM ringfence.question'),
    ('DELETE FROM ringfence.script'),
    ('DELETE FROM ringfence.interaction'),
    ('DELETE FROM ringfence.ticket'),
    ('DELETE FROM ringfence.ticket_status WHERE name = ''imposed upon'''),
    ('DELETE FROM ringfence.project WHERE name = ''Impostures'''),
    ('EXPLAIN (ANALYZE, VERBOSE, COSTS OFF) SELECT * FROM ringfence.customer_card');
SELECT pg_catalog.format('SELECT pg_temp.try(%L), %L', call, call) FROM public.calls ORDER BY place USING OPERATOR(pg_catalog.<) \gexec

\echo *** And of who manages access within the owner
\c - impostor_within
SET client_min_messages = warning;
SET search_path = evil, pg_catalog;
SELECT ringfence.grant_access('app_a', 'Company A', '{agent}');
SELECT ringfence.grant_access('app_a', 'Company A', '{sales}', 'Sales', '{crm}');
SELECT ringfence.revoke_access('app_a', 'Company A', 'Sales');
SELECT pg_catalog.count(*) OPERATOR(pg_catalog.>) 10 FROM ringfence.explain_access('app_a', 'Company A');
SELECT ringfence.revoke_access('app_a', 'Company A');

\echo *** Functions that are offered and were not called
\c - postgres
SELECT p.oid::regprocedure FROM pg_proc p
 WHERE p.pronamespace = 'ringfence'::regnamespace AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)
   AND EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner)))
                WHERE grantee IN (0, 'ringfence_user'::regrole, 'ringfence_admin'::regrole, 'ringfence_router'::regrole))
   AND NOT EXISTS (SELECT FROM public.calls WHERE position(format('ringfence.%I(', p.proname) IN call) > 0);
\echo *** Commands on relations that are allowed and were not tried
SELECT c.oid::regclass, command FROM pg_class c, (VALUES ('SELECT', 'FROM '), ('INSERT', 'INSERT INTO '), ('UPDATE', 'UPDATE '), ('DELETE', 'DELETE FROM ')) AS v(command, beginning)
 WHERE c.relnamespace = 'ringfence'::regnamespace AND c.relkind IN ('r', 'v') AND c.relname <> 'signing_key'
   AND (CASE WHEN command <> 'DELETE' THEN has_any_column_privilege('impostor', c.oid, command) END OR has_table_privilege('impostor', c.oid, command)) IS TRUE
   AND NOT EXISTS (SELECT FROM public.calls WHERE call LIKE '%' || beginning || 'ringfence.' || c.relname || '%' OR command = 'SELECT' AND call LIKE '%, ringfence.' || c.relname || '%');

SET client_min_messages = warning;
DROP OWNED BY impostor, impostor_within, careless CASCADE;
DROP ROLE impostor, impostor_within, careless;
