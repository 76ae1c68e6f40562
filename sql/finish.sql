-- finish: what all rooms must be made for: the house owner, and the guard against DROP.

-- A restore brings the house owner with the dump's rows. pg_dump's scripts set row_security to off.
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
