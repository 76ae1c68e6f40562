-- An owner's whole life: what is assigned to it, and its deletion with counts before and proof after (C4, C5, C10, E9).
\set SHOW_CONTEXT never
\set VERBOSITY default
SET SESSION AUTHORIZATION dba;
SELECT ringfence.assign_channel('Company A', 'phone', '+886 2 1234 5678', 'Sales', 'Hotline') IS NOT NULL AS assigned;
SELECT ringfence.assign_channel('Company B', 'email', 'hello@example.pl') IS NOT NULL AS assigned;
RESET SESSION AUTHORIZATION;

-- A has a little of everything.
SET SESSION AUTHORIZATION boss_a;
SELECT ringfence.create_field('Plan', is_unique => true, projects => '{Sales}') IS NOT NULL AS made;
SELECT ringfence.create_field('Secret', is_masked => true, projects => '{Sales,Support}') IS NOT NULL AS made;
SELECT ringfence.create_report_view('Sales', 'sales_of_a');
UPDATE ringfence.customer_card SET attributes = '{"Plan": "gold", "Secret": "CANARY-A"}' WHERE name = 'Chen Wei';
SELECT ringfence.open_ticket(id, 'No tea', 'Sales') IS NOT NULL AS opened FROM ringfence.customer WHERE name = 'Chen Wei';
SELECT ringfence.open_ticket(id, 'Cold tea', 'Support') IS NOT NULL AS opened FROM ringfence.customer WHERE name = 'Tsai Mei-Ling';
SELECT ringfence.log_interaction('call', customer => customer_id, ticket => id, project => 'Sales') IS NOT NULL AS logged FROM ringfence.ticket WHERE subject = 'No tea';
SELECT ringfence.log_interaction('email', customer => id) IS NOT NULL AS logged FROM ringfence.customer;
SELECT ringfence.log_interaction('chat') IS NOT NULL AS logged;

-- C10: what is assigned to the owner.
SELECT kind, name, enabled FROM ringfence.owner_association ORDER BY kind, name;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION sales_a;
SELECT kind, name FROM ringfence.owner_association ORDER BY kind, name;
RESET SESSION AUTHORIZATION;

-- What B has, row by row, to compare with what it has in the end.
CREATE TABLE before AS SELECT relation::text FROM ringfence.tables_by_step();
CREATE FUNCTION rows_of(owner uuid, OUT relation text, OUT digest text) RETURNS SETOF record LANGUAGE plpgsql AS $$
BEGIN
    FOR relation IN SELECT b.relation FROM before AS b ORDER BY 1 LOOP
        EXECUTE format('SELECT md5(string_agg(t::text, ''|'' ORDER BY t::text COLLATE "C")) FROM %s t WHERE owner_id = $1', relation) INTO digest USING owner;
        RETURN NEXT;
    END LOOP;
END $$;
CREATE TABLE b_before AS SELECT * FROM rows_of('bbbbbbbb-0000-0000-0000-000000000002');
CREATE TABLE house_before AS SELECT * FROM rows_of('00000000-0000-0000-0000-000000000000');
-- The steps: no table is in a step after one that it refers to.
SELECT count(*) FROM pg_constraint AS key
  JOIN ringfence.tables_by_step() AS child ON child.relation = key.conrelid
  JOIN ringfence.tables_by_step() AS parent ON parent.relation = key.confrelid
 WHERE key.contype = 'f' AND child.step >= parent.step;
-- Every table with a column owner_id has a step.
SELECT attrelid::regclass FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
 WHERE attname = 'owner_id' AND relkind = 'r' AND relnamespace = 'ringfence'::regnamespace AND attrelid NOT IN (SELECT relation FROM ringfence.tables_by_step());

-- C5: the question, and the exact counts.
SET SESSION AUTHORIZATION dba;
SELECT ringfence.deletion_question('Company A');
SELECT ringfence.deletion_question('Company C');
SELECT relation, rows FROM ringfence.delete_owner_preview('Company A') WHERE rows > 0;
SELECT ringfence.deletion_question('Company D');
\echo :SQLSTATE
SELECT * FROM ringfence.delete_owner_preview(NULL);

-- Its name must be repeated exactly.
SELECT * FROM ringfence.delete_owner('Company A', 'company a');
\echo :SQLSTATE
SELECT * FROM ringfence.delete_owner('Company A', NULL);
SELECT * FROM ringfence.delete_owner('Company A', '');
SELECT * FROM ringfence.delete_owner('House', 'House');
\echo :SQLSTATE
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT * FROM ringfence.delete_owner('Company A', 'Company A');
\echo :SQLSTATE
ROLLBACK;

-- It can be undone as everything can.
BEGIN;
SELECT sum(deleted) > 0 AS deleted, sum(remaining) AS remaining FROM ringfence.delete_owner('Company A', 'Company A');
SELECT name FROM ringfence.owner ORDER BY name;
ROLLBACK;
RESET SESSION AUTHORIZATION;
SET SESSION AUTHORIZATION app_a;
SELECT count(*) FROM ringfence.customer;
RESET SESSION AUTHORIZATION;

-- A trigger that somebody has added keeps a row: nothing is deleted.
CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER keep BEFORE DELETE ON ringfence.interaction FOR EACH ROW WHEN (OLD.kind = 'chat') EXECUTE FUNCTION keep();
SET SESSION AUTHORIZATION dba;
SELECT * FROM ringfence.delete_owner('Company A', 'Company A');
\echo :SQLSTATE
RESET SESSION AUTHORIZATION;
DROP TRIGGER keep ON ringfence.interaction;

-- C4: all of it.
SET SESSION AUTHORIZATION dba;
CREATE TEMPORARY TABLE preview AS SELECT * FROM ringfence.delete_owner_preview('Company A');
CREATE TEMPORARY TABLE deletion AS SELECT * FROM ringfence.delete_owner('Company A', 'Company A');
SELECT count(*) FILTER (WHERE preview.rows IS DISTINCT FROM deletion.deleted) AS differ, sum(remaining) AS remaining
  FROM preview FULL JOIN deletion USING (relation);
SELECT * FROM ringfence.delete_owner('Company A', 'Company A');
SELECT name FROM ringfence.owner ORDER BY name;
RESET SESSION AUTHORIZATION;
-- And nothing else.
SELECT relation FROM b_before FULL JOIN rows_of('bbbbbbbb-0000-0000-0000-000000000002') AS now USING (relation) WHERE b_before.digest IS DISTINCT FROM now.digest;
SELECT relation FROM house_before FULL JOIN rows_of('00000000-0000-0000-0000-000000000000') AS now USING (relation) WHERE house_before.digest IS DISTINCT FROM now.digest;
SELECT relation FROM rows_of('aaaaaaaa-0000-0000-0000-000000000001') WHERE digest IS NOT NULL;
SELECT relname FROM pg_class WHERE relnamespace = 'ringfence_report'::regnamespace;
SELECT ringfence.assign_channel('Company B', 'phone', '+886 2 1234 5678') IS NOT NULL AS the_address_is_free;

-- Tables that refer to each other in a circle, and to themselves, as a later version may have them.
CREATE TABLE team (owner_id uuid NOT NULL DEFAULT ringfence.current_owner() REFERENCES ringfence.owner, id int, lead int NOT NULL, PRIMARY KEY (owner_id, id));
CREATE TABLE member (owner_id uuid NOT NULL DEFAULT ringfence.current_owner() REFERENCES ringfence.owner, id int, team int NOT NULL, mentor int, PRIMARY KEY (owner_id, id),
                     FOREIGN KEY (owner_id, team) REFERENCES team, FOREIGN KEY (owner_id, mentor) REFERENCES member);
ALTER TABLE team ADD FOREIGN KEY (owner_id, lead) REFERENCES member DEFERRABLE INITIALLY DEFERRED;
CREATE TABLE badge (owner_id uuid NOT NULL DEFAULT ringfence.current_owner(), member int, PRIMARY KEY (owner_id, member), FOREIGN KEY (owner_id, member) REFERENCES member);
BEGIN;
INSERT INTO team SELECT id, 1, 1 FROM ringfence.owner;
INSERT INTO member SELECT id, 1, 1, 2 FROM ringfence.owner UNION ALL SELECT id, 2, 1, 1 FROM ringfence.owner;
INSERT INTO badge SELECT id, 1 FROM ringfence.owner;
COMMIT;
-- pg_extension_config_dump() is for scripts of extensions, so this is what wall() does, as far as it matters here.
DO $$ DECLARE place text; BEGIN
    FOREACH place IN ARRAY '{team,member,badge}'::text[] LOOP
        EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', place);
        EXECUTE format('CREATE POLICY owner_wall ON %s AS RESTRICTIVE USING (owner_id = ringfence.current_owner())', place);
        EXECUTE format('CREATE POLICY everything ON %s USING (true)', place);
        EXECUTE format('GRANT ALL ON %s TO ringfence_definer', place);
        EXECUTE format('ALTER TABLE %s OWNER TO ringfence_tables', place);
    END LOOP;
END $$;
GRANT USAGE ON SCHEMA public TO ringfence_definer, ringfence_tables;
SELECT relation, step - min(step) OVER () AS step, in_circle FROM ringfence.tables_by_step() WHERE relation::text IN ('team', 'member', 'badge') ORDER BY step, relation::text;
SET SESSION AUTHORIZATION dba;
SELECT relation, deleted, remaining FROM ringfence.delete_owner('Company C', 'Company C') WHERE relation LIKE 'public.%';

-- In batches. The owner is disabled at once, and for good.
SELECT name, purge_began_at FROM ringfence.owner WHERE name = 'Company B';
CALL ringfence.purge_owner('Company B', 'Company A');
\echo :SQLSTATE
CALL ringfence.purge_owner('Company B', 'Company B', 0);
SELECT ringfence.begin_purge('Company B', 'Company B', 1);
SELECT enabled, purge_began_at IS NOT NULL AS began FROM ringfence.owner WHERE name = 'Company B';
UPDATE ringfence.owner SET enabled = true WHERE name = 'Company B';
\echo :SQLSTATE
UPDATE ringfence.owner SET purge_began_at = NULL WHERE name = 'Company B';
SET SESSION AUTHORIZATION app_b;
SELECT count(*) FROM ringfence.customer;
\echo :SQLSTATE
SET SESSION AUTHORIZATION dba;
SELECT ringfence.purge_batch('Company B', 'Company B', 1, NULL);
CALL ringfence.purge_owner('Company B', 'Company B', 3);
SELECT name FROM ringfence.owner ORDER BY name;
BEGIN;
CALL ringfence.purge_owner('Company B', 'Company B');
ROLLBACK;
SELECT ringfence.create_owner('Company B') IS NOT NULL AS comes_back;
SELECT ringfence.purge_batch('Company B', 'Company B', 1, NULL);
\echo :SQLSTATE
RESET SESSION AUTHORIZATION;
SELECT relation FROM rows_of('bbbbbbbb-0000-0000-0000-000000000002') WHERE digest IS NOT NULL;
