-- Times are the same in both worlds, and ids that were generated; nobody but owner A's roles is left with access.
SET session_replication_role = replica;
UPDATE ringfence.access SET id = setup.id(left(owner_id::text, 1) || ' access ' || role_name || coalesce(project_id::text, ''));
-- Whether a value that is not seen was set, changed or cleared is not seen either.
UPDATE ringfence.change SET id = setup.id(left(owner_id::text, 1) || ' change ' || customer_id || kind || coalesce(field_id::text, '')) WHERE field_id IS NULL OR kind = 'left_out';
UPDATE ringfence.change SET id = setup.id(left(owner_id::text, 1) || ' value ' || customer_id || field_id) WHERE field_id IS NOT NULL AND kind <> 'left_out';
UPDATE ringfence.proposed_value SET id = setup.id(left(owner_id::text, 1) || ' proposal ' || customer_id || field_id);
DELETE FROM ringfence.access WHERE role_name = 'ni_admin' AND owner_id <> setup.id('a owner');
DO $times$
DECLARE
    stamp record;
BEGIN
    FOR stamp IN SELECT attrelid::regclass AS target, attname FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
                  WHERE relnamespace = 'ringfence'::regnamespace AND relkind = 'r' AND atttypid = 'timestamptz'::regtype
                    AND attname NOT IN ('last_activity_at', 'purge_began_at') AND NOT attisdropped AND attgenerated = '' LOOP
        EXECUTE format('UPDATE %1$s SET %2$I = ''2025-02-03 04:05:06+00'' WHERE %2$I IS NOT NULL', stamp.target, stamp.attname);
    END LOOP;
END
$times$;
SET session_replication_role = origin;
-- Rows of one owner lie in the same order in both worlds.
DO $order$
DECLARE
    key record;
BEGIN
    FOR key IN SELECT indrelid::regclass AS target, relname AS name FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
                WHERE relnamespace = 'ringfence'::regnamespace AND indisprimary LOOP
        EXECUTE format('CLUSTER %s USING %I', key.target, key.name);
    END LOOP;
END
$order$;
DROP SCHEMA setup CASCADE;
