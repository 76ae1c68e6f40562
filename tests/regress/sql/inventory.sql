-- Every function, relation and grant of the extension, with who may use it. Whatever is new, or may be used by
-- somebody new, makes this test fail: look at it as an attacker would, then add it to the expected output.
\set SHOW_CONTEXT never

-- Who may run which function, and as whom it runs.
SELECT p.oid::regprocedure AS function, l.lanname AS language,
       CASE WHEN p.prosecdef THEN p.proowner::regrole::text ELSE 'caller' END AS runs_as,
       p.provolatile AS volatile, p.proparallel AS parallel,
       (SELECT string_agg(a.grantee::regrole::text, ', ' ORDER BY a.grantee::regrole::text)
          FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a WHERE a.grantee <> p.proowner AND a.grantee <> 10) AS executable_by
  FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
 WHERE p.pronamespace = 'ringfence'::regnamespace ORDER BY p.oid::regprocedure::text COLLATE "C";

-- Who may do what with which relation.
SELECT c.relname AS relation, c.relkind AS kind, a.grantee::regrole AS grantee,
       string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type) AS privileges
  FROM pg_class c CROSS JOIN LATERAL aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) a
 WHERE c.relnamespace = 'ringfence'::regnamespace AND c.relkind NOT IN ('i', 'c') AND a.grantee NOT IN (c.relowner, 10)
 GROUP BY c.relname, c.relkind, a.grantee ORDER BY c.relname COLLATE "C", a.grantee::regrole::text;

-- And with which columns.
SELECT c.relname AS relation, a.grantee::regrole AS grantee, a.privilege_type AS privilege,
       string_agg(t.attname, ', ' ORDER BY t.attnum) AS columns
  FROM pg_class c JOIN pg_attribute t ON t.attrelid = c.oid CROSS JOIN LATERAL aclexplode(t.attacl) a
 WHERE c.relnamespace = 'ringfence'::regnamespace
 GROUP BY c.relname, a.grantee, a.privilege_type ORDER BY c.relname COLLATE "C", a.grantee::regrole::text, a.privilege_type;

-- The schemas.
SELECT n.nspname AS schema, a.grantee::regrole AS grantee, a.privilege_type FROM pg_namespace n CROSS JOIN LATERAL aclexplode(n.nspacl) a
 WHERE n.nspname LIKE 'ringfence%' AND a.grantee <> 10 ORDER BY 1, a.grantee::regrole::text, 3;

-- Policies and triggers.
SELECT c.relname AS table, p.polname AS policy, p.polcmd AS command,
       pg_get_expr(p.polqual, p.polrelid) AS using, pg_get_expr(p.polwithcheck, p.polrelid) AS with_check
  FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid
 WHERE c.relnamespace = 'ringfence'::regnamespace AND p.polname <> 'owner_wall' ORDER BY c.relname COLLATE "C", p.polname COLLATE "C";
SELECT c.relname AS table, t.tgname AS trigger, t.tgenabled AS enabled, t.tgfoid::regproc AS function, encode(t.tgargs, 'escape') AS arguments
  FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
 WHERE c.relnamespace = 'ringfence'::regnamespace AND NOT t.tgisinternal ORDER BY c.relname COLLATE "C", t.tgname COLLATE "C";
SELECT evtname, evtevent, evtenabled, evttags, evtfoid::regproc FROM pg_event_trigger ORDER BY 1;

-- Anything else that the extension made.
SELECT pg_describe_object(d.classid, d.objid, 0) FROM pg_depend d
 WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
   AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'ringfence')
   AND d.classid NOT IN ('pg_class'::regclass, 'pg_proc'::regclass, 'pg_type'::regclass) ORDER BY 1;

-- Settings, and who may set them.
LOAD 'ringfence';
SELECT name, context, vartype, setting, boot_val FROM pg_settings WHERE name LIKE 'ringfence.%' ORDER BY name;
