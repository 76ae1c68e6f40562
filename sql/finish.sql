-- What comes after all rooms: the house owner, the guard against dropping, and what pg_dump keeps.

-- In a restore, which pg_dump's scripts run with row_security off, the dump brings the house owner with its rows.
DO $house$
BEGIN
    IF current_setting('row_security') OPERATOR(pg_catalog.=) 'on' THEN
        INSERT INTO ringfence.owner (id, name, description)
            VALUES ('00000000-0000-0000-0000-000000000000', 'House', 'Contacts of no company');
    END IF;
END
$house$;

CREATE FUNCTION ringfence.guard_drop() RETURNS event_trigger
    LANGUAGE c AS 'MODULE_PATHNAME', 'guard_drop_wrapper';
REVOKE ALL ON FUNCTION ringfence.guard_drop() FROM PUBLIC;
COMMENT ON FUNCTION ringfence.guard_drop() IS
    'Event trigger: loads the library, whose hook refuses (55000) to drop customers'' data unless ringfence.allow_drop is on';
CREATE EVENT TRIGGER ringfence_guard_drop ON ddl_command_start WHEN TAG IN ('DROP EXTENSION', 'DROP OWNED')
    EXECUTE FUNCTION ringfence.guard_drop();
ALTER EVENT TRIGGER ringfence_guard_drop ENABLE ALWAYS;
COMMENT ON EVENT TRIGGER ringfence_guard_drop IS 'Keeps DROP EXTENSION ringfence and DROP OWNED from deleting customers'' data by mistake';

SELECT pg_extension_config_dump('ringfence.owner', '');
SELECT pg_extension_config_dump('ringfence.project', '');
SELECT pg_extension_config_dump('ringfence.profile', '');
SELECT pg_extension_config_dump('ringfence.access', '');
SELECT pg_extension_config_dump('ringfence.signing_key_material', '');
SELECT pg_extension_config_dump('ringfence.field', '');
SELECT pg_extension_config_dump('ringfence.field_project', '');
SELECT pg_extension_config_dump('ringfence.company', '');
SELECT pg_extension_config_dump('ringfence.customer', '');
SELECT pg_extension_config_dump('ringfence.unique_value', '');
SELECT pg_extension_config_dump('ringfence.report_view', '');
