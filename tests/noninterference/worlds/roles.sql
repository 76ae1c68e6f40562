-- The roles of owner A's sessions. Roles belong to the cluster: both worlds have the same.
DO $roles$
DECLARE
    role_name text;
BEGIN
    FOREACH role_name IN ARRAY ARRAY['ni_agent', 'ni_supervisor', 'ni_admin', 'ni_trainee', 'ni_fields', 'ni_none', 'ni_both', 'ni_sales', 'ni_propose', 'ni_setup'] LOOP
        IF to_regrole(role_name) IS NULL THEN
            EXECUTE format('CREATE ROLE %I LOGIN', role_name);
        END IF;
    END LOOP;
END
$roles$;
GRANT ringfence_admin TO ni_setup;
-- It has the table privileges, and access to nothing.
GRANT ringfence_user TO ni_none;
