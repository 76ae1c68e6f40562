-- What benches/fields.rs finds, in a database of its own: an owner with 100,000 customers, who have 12 values each; owners with
-- 6,000 fields and with none; and the same customers in a table without row-level security and triggers, as an application
-- without tenants has it. The setting bench.scale divides the customers. The roles are those of benches/data.sql and two more.
SET client_min_messages = warning;
CREATE EXTENSION ringfence;

INSERT INTO ringfence.owner (id, name, country) VALUES
    ('00000000-0000-4000-8000-0000000000f1', 'Cards', 'TW'),
    ('00000000-0000-4000-8000-0000000000f2', 'Many fields', 'TW'),
    ('00000000-0000-4000-8000-0000000000f3', 'No fields', 'TW');
-- An application of one owner, which reads and writes; and one that defines fields, of the owners with many and with none. Roles belong to
-- the cluster, and two rooms make this data.
DO $roles$
BEGIN
    IF to_regrole('bench_cards') IS NULL THEN
        CREATE ROLE bench_cards LOGIN;
        CREATE ROLE bench_fields LOGIN;
    END IF;
END
$roles$;
SELECT ringfence.grant_access('bench_cards', 'Cards', '{admin}');
SELECT ringfence.grant_access('bench_fields', 'Many fields', '{admin}');
SELECT ringfence.grant_access('bench_fields', 'No fields', '{admin}');
GRANT USAGE ON SCHEMA ringfence TO bench_unbound;
GRANT SELECT ON ringfence.customer TO bench_unbound;

INSERT INTO ringfence.field (owner_id, id, name, type, options)
    SELECT '00000000-0000-4000-8000-0000000000f1', md5('field ' || n)::uuid, 'Field ' || n, type,
           CASE WHEN type ~ 'choice' THEN '{bronze,silver,gold,platinum}'::text[] END
      FROM unnest('{text,text,text,text,number,number,boolean,date,time,datetime,choice,choices}'::text[]) WITH ORDINALITY AS t (type, n);
INSERT INTO ringfence.field (owner_id, name, position)
    SELECT '00000000-0000-4000-8000-0000000000f2', 'Field ' || n, n FROM generate_series(1, 6000) AS n;
INSERT INTO ringfence.field_project (owner_id, field_id, project_id)
    SELECT field.owner_id, field.id, project.id FROM ringfence.field JOIN ringfence.project USING (owner_id) WHERE NOT field.is_system;

-- The values in the order of the fields; then as stored, and by name.
CREATE SCHEMA plain;
CREATE TABLE plain.drawn AS
    SELECT md5('customer ' || n)::uuid AS id, n,
           ARRAY[to_jsonb('Note ' || left(md5(n::text), 20)), to_jsonb('CT-' || n), to_jsonb('Street ' || n % 977 || ', Taipei'), to_jsonb(left(md5(n::text), 6)),
                 to_jsonb(n % 5000), to_jsonb((n % 9973)::numeric / 100), to_jsonb(n % 3 = 0), to_jsonb(date '1960-01-01' + n % 20000),
                 to_jsonb(time '00:00' + n % 1440 * interval '1 minute'), to_jsonb(to_char(timestamp '2026-01-01' + n * interval '1 minute', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')),
                 to_jsonb((1 + n % 4)::text), jsonb_build_array((1 + n % 2)::text, (3 + n % 2)::text)] AS "values"
      FROM generate_series(1, 100000 / current_setting('bench.scale')::integer) AS n;
INSERT INTO ringfence.customer (owner_id, id, name, phones, emails, address, language, attributes)
    SELECT '00000000-0000-4000-8000-0000000000f1', id, 'Customer ' || n, ARRAY['+8869' || lpad(n::text, 8, '0')], ARRAY['c' || n || '@example.com'],
           n || ' Example Street', 'en',
           (SELECT jsonb_object_agg(ringfence.storage_key(md5('field ' || place)::uuid), value) FROM unnest("values") WITH ORDINALITY AS v (value, place))
      FROM plain.drawn;
INSERT INTO ringfence.customer (owner_id, name) VALUES
    ('00000000-0000-4000-8000-0000000000f2', 'Of many fields'), ('00000000-0000-4000-8000-0000000000f3', 'Of no fields');

-- Every column that the table has, whichever come to be.
CREATE TABLE plain.customer (LIKE ringfence.customer);
INSERT INTO plain.customer
    SELECT copy.*
      FROM ringfence.customer JOIN plain.drawn USING (id)
     CROSS JOIN LATERAL (SELECT jsonb_object_agg('Field ' || place, value) AS by_name
                           FROM unnest("values") WITH ORDINALITY AS v (value, place)) AS named
     CROSS JOIN LATERAL jsonb_populate_record(customer, jsonb_build_object('attributes', by_name)) AS copy;
ALTER TABLE plain.customer ADD PRIMARY KEY (owner_id, id);
DROP TABLE plain.drawn;

-- The least that a view with an INSTEAD OF trigger costs: one that does nothing, and one that updates the table beneath.
CREATE VIEW plain.idle_card AS SELECT * FROM plain.customer;
CREATE FUNCTION plain.do_nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER do_nothing INSTEAD OF UPDATE ON plain.idle_card FOR EACH ROW EXECUTE FUNCTION plain.do_nothing();
CREATE VIEW plain.writing_card AS SELECT * FROM plain.customer;
CREATE FUNCTION plain.write() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE plain.customer SET attributes = NEW.attributes WHERE owner_id = OLD.owner_id AND id = OLD.id;
    RETURN NEW;
END $$;
CREATE TRIGGER write INSTEAD OF UPDATE ON plain.writing_card FOR EACH ROW EXECUTE FUNCTION plain.write();
GRANT USAGE ON SCHEMA plain TO bench_unbound;
GRANT SELECT, UPDATE ON ALL TABLES IN SCHEMA plain TO bench_unbound;
SET SESSION AUTHORIZATION bench_cards;
SELECT ringfence.create_report_view('Default', 'bench_cards');
RESET SESSION AUTHORIZATION;
