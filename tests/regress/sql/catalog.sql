-- Every table of the extension keeps the rules of the wall, read from the catalogs: a later table cannot forget one.
\set SHOW_CONTEXT never

-- The tables with an owner_id. A new one belongs here.
SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'owner_id' AND NOT a.attisdropped
 WHERE c.relnamespace = 'ringfence'::regnamespace AND c.relkind IN ('r', 'p') ORDER BY 1;

-- From here on, whatever is listed breaks a rule.
\pset tuples_only on

-- The keys that sign tokens are no owner's, and no role's to read: what is true of them is tested in attack_token.
\echo tables without an owner_id, other than owner itself
SELECT c.relname FROM pg_class c
 WHERE c.relnamespace = 'ringfence'::regnamespace AND c.relkind IN ('r', 'p') AND c.relname NOT IN ('owner', 'signing_key_material')
   AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'owner_id' AND NOT a.attisdropped);

\echo owner_id that is not uuid NOT NULL, the first column, and by default the current owner
SELECT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'owner_id'
  LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
 WHERE c.relnamespace = 'ringfence'::regnamespace AND c.relkind IN ('r', 'p')
   AND NOT coalesce(a.atttypid = 'uuid'::regtype AND a.attnotnull AND a.attnum = 1
                    AND pg_get_expr(d.adbin, d.adrelid) = 'ringfence.current_owner()', false);

\echo tables without row-level security, or without it for their owner
SELECT relname FROM pg_class WHERE relnamespace = 'ringfence'::regnamespace AND relkind IN ('r', 'p')
   AND NOT (relrowsecurity AND relforcerowsecurity);

\echo tables without exactly one restrictive policy, owner_wall, for all commands, to everybody, on both sides
SELECT c.relname, array_agg(p.polname) FROM pg_class c LEFT JOIN pg_policy p ON p.polrelid = c.oid AND NOT p.polpermissive
 WHERE c.relnamespace = 'ringfence'::regnamespace AND c.relkind IN ('r', 'p') AND c.relname <> 'signing_key_material'
 GROUP BY c.oid HAVING NOT coalesce(
     count(*) = 1 AND bool_and(p.polname = 'owner_wall' AND p.polcmd = '*' AND p.polroles = '{0}'
     AND ARRAY[pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)]
         = CASE c.relname WHEN 'owner' THEN ARRAY['(id = ANY (ringfence.owners_in_reach()))', 'ringfence.is_admin()']
                          ELSE ARRAY['(owner_id = ringfence.current_owner())', '(owner_id = ringfence.current_owner())'] END), false);

\echo tables without exactly one permissive policy for each command, to everybody, that does not name owner_id
SELECT c.relname, array_agg(p.polname) FROM pg_class c LEFT JOIN pg_policy p ON p.polrelid = c.oid AND p.polpermissive
 WHERE c.relnamespace = 'ringfence'::regnamespace AND c.relkind IN ('r', 'p') AND c.relname <> 'signing_key_material'
 GROUP BY c.oid HAVING NOT coalesce(
     array_agg(p.polcmd::text ORDER BY p.polcmd) = '{a,d,r,w}' AND bool_and(p.polroles = '{0}'
     AND concat(pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)) ~ 'ringfence\.'
     AND concat(pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)) !~ 'owner_id'), false);

\echo policies that depend on anything but their table, this extension and pg_catalog
SELECT p.polname, pg_describe_object(d.refclassid, d.refobjid, d.refobjsubid) FROM pg_policy p
  JOIN pg_depend d ON d.classid = 'pg_policy'::regclass AND d.objid = p.oid
  JOIN pg_class c ON c.oid = p.polrelid AND c.relnamespace = 'ringfence'::regnamespace
 WHERE NOT (d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid)
   AND NOT EXISTS (SELECT FROM pg_depend m WHERE m.classid = d.refclassid AND m.objid = d.refobjid AND m.deptype = 'e'
                      AND m.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'ringfence'));

\echo functions of policies that are not STABLE (ATTACKS 24)
SELECT DISTINCT f.oid::regprocedure FROM pg_policy p
  JOIN pg_depend d ON d.classid = 'pg_policy'::regclass AND d.objid = p.oid AND d.refclassid = 'pg_proc'::regclass
  JOIN pg_proc f ON f.oid = d.refobjid WHERE f.provolatile <> 's';

\echo functions of policies without a support function: without one the library would be loaded when a plan is run, not when it is made
SELECT DISTINCT f.oid::regprocedure FROM pg_policy p
  JOIN pg_depend d ON d.classid = 'pg_policy'::regclass AND d.objid = p.oid AND d.refclassid = 'pg_proc'::regclass
  JOIN pg_proc f ON f.oid = d.refobjid WHERE f.prosupport = 0;

\echo primary keys that are not (owner_id, ...), and tables without one
SELECT c.relname FROM pg_class c LEFT JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary
 WHERE c.relnamespace = 'ringfence'::regnamespace AND c.relkind IN ('r', 'p') AND c.relname NOT IN ('owner', 'signing_key_material')
   AND NOT coalesce(i.indkey[0] = (SELECT attnum FROM pg_attribute WHERE attrelid = c.oid AND attname = 'owner_id'), false);

-- That on the role is how access is decided, and that on the address how contacts are routed, before an owner is known. No application role
-- may write an address.
\echo indexes and unique constraints that do not start with owner_id, or with keys hashed from it
SELECT i.indexrelid::regclass FROM pg_class c JOIN pg_index i ON i.indrelid = c.oid
 WHERE c.relnamespace = 'ringfence'::regnamespace AND c.relname NOT IN ('owner', 'signing_key_material')
   AND i.indexrelid NOT IN ('ringfence.access_role'::regclass, 'ringfence.channel_address'::regclass)
   AND i.indkey[0] <> (SELECT attnum FROM pg_attribute WHERE attrelid = c.oid AND attname = 'owner_id')
   AND NOT (i.indnatts = 1 AND NOT i.indisunique AND pg_get_indexdef(i.indexrelid, 1, false) LIKE 'ringfence.search\_keys(owner\_id, %');

\echo exclusion constraints
SELECT conname FROM pg_constraint WHERE connamespace = 'ringfence'::regnamespace AND contype = 'x';

\echo foreign keys that do not start with owner_id on both sides, or (by a NULL in it) can be left unchecked
SELECT f.conname FROM pg_constraint f
 WHERE f.connamespace = 'ringfence'::regnamespace AND f.contype = 'f'
   AND NOT coalesce(f.conkey[1] = (SELECT attnum FROM pg_attribute WHERE attrelid = f.conrelid AND attname = 'owner_id')
            AND (f.confrelid = 'ringfence.owner'::regclass
                 OR f.confkey[1] = (SELECT attnum FROM pg_attribute WHERE attrelid = f.confrelid AND attname = 'owner_id')), false);

\echo tables of which pg_dump would not keep the rows
SELECT c.oid::regclass FROM pg_class c, pg_extension e
 WHERE c.relnamespace = 'ringfence'::regnamespace AND c.relkind IN ('r', 'p') AND e.extname = 'ringfence' AND NOT coalesce(c.oid = ANY (e.extconfig), false);

\echo tables that do not belong to ringfence_tables, and anything else that does; views and definer functions that do not belong to the definer
SELECT oid::regclass, relowner::regrole FROM pg_class
 WHERE relnamespace = 'ringfence'::regnamespace AND relkind IN ('r', 'p', 'S', 'm') AND relowner <> 'ringfence_tables'::regrole;
SELECT oid::regclass FROM pg_class WHERE relowner = 'ringfence_tables'::regrole AND relkind NOT IN ('r', 'p', 'i', 'I', 't');
SELECT oid::regprocedure FROM pg_proc WHERE proowner = 'ringfence_tables'::regrole;
SELECT c.oid::regclass FROM pg_class c
 WHERE c.relnamespace = 'ringfence'::regnamespace AND c.relkind = 'v'
   AND NOT coalesce((c.reloptions @> '{security_barrier=true}' OR c.oid IN ('ringfence.customer_card'::regclass, 'ringfence.call_log'::regclass)) -- see sql/customer.sql
                    AND (c.reloptions @> '{security_invoker=true}' OR c.relowner = 'ringfence_definer'::regrole), false);
SELECT oid::regprocedure FROM pg_proc
 WHERE pronamespace = 'ringfence'::regnamespace AND prosecdef
   AND NOT coalesce(proowner = 'ringfence_definer'::regrole AND proconfig @> ARRAY['search_path=pg_catalog, pg_temp'], false);

\echo functions whose body is looked up in the search_path of the caller
SELECT p.oid::regprocedure FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang
 WHERE p.pronamespace = 'ringfence'::regnamespace AND l.lanname <> 'c' AND p.prosqlbody IS NULL AND p.prokind <> 'p' -- a procedure with a SET clause cannot commit
   AND NOT coalesce(p.proconfig @> ARRAY['search_path=pg_catalog, pg_temp'], false);

-- Those two only: policies call them for everybody, see sql/session.sql.
\echo functions that everybody may execute, beside current_owner and has_right
SELECT p.oid::regprocedure FROM pg_proc p
 WHERE p.pronamespace = 'ringfence'::regnamespace
   AND p.oid NOT IN ('ringfence.current_owner()'::regprocedure, 'ringfence.has_right(text)'::regprocedure)
   AND EXISTS (SELECT FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) WHERE grantee = 0);

\echo functions declared LEAKPROOF: those that src/search/opclass.rs gives the reasons for
SELECT oid::regprocedure FROM pg_proc WHERE pronamespace = 'ringfence'::regnamespace AND proleakproof ORDER BY oid::regprocedure::text;

\echo objects without a comment
SELECT pg_describe_object(d.classid, d.objid, 0) FROM pg_depend d
 WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
   AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'ringfence')
   AND d.classid IN ('pg_class'::regclass, 'pg_proc'::regclass, 'pg_namespace'::regclass, 'pg_event_trigger'::regclass,
                     'pg_operator'::regclass, 'pg_opclass'::regclass, 'pg_opfamily'::regclass, 'pg_type'::regclass)
   AND obj_description(d.objid, d.classid::regclass::text) IS NULL
   -- The row types' and indexes' comments are their tables', and an array type's its element's.
   AND NOT EXISTS (SELECT FROM pg_type t WHERE t.oid = d.objid AND d.classid = 'pg_type'::regclass AND (t.typrelid <> 0 OR t.typelem <> 0))
   AND NOT EXISTS (SELECT FROM pg_class WHERE oid = d.objid AND relkind IN ('c', 'i', 't'));

\echo comments of more than 200 characters
SELECT pg_describe_object(c.classoid, c.objoid, c.objsubid), length(c.description) FROM pg_description c
  JOIN pg_depend d ON d.classid = c.classoid AND d.objid = c.objoid AND d.objsubid = 0
 WHERE d.refclassid = 'pg_extension'::regclass AND d.deptype = 'e'
   AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'ringfence')
   AND length(c.description) > 200 ORDER BY 1;

-- By column: ctid and currtid2() take the privilege on the table, and tell of rows that the wall hides.
\echo tables that are not read by column
SELECT c.oid::regclass, a.grantee::regrole FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) a
 WHERE c.relnamespace = 'ringfence'::regnamespace AND c.relkind IN ('r', 'p') AND a.privilege_type = 'SELECT'
   AND a.grantee NOT IN (c.relowner, 'ringfence_definer'::regrole);

-- But for values that no application role may read, SELECT * works.
\echo tables that are read, and columns of them that are not
SELECT c.oid::regclass, a.attname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
 WHERE c.relnamespace = 'ringfence'::regnamespace AND c.relkind IN ('r', 'p') AND has_any_column_privilege('ringfence_user', c.oid, 'SELECT')
   AND NOT has_column_privilege('ringfence_user', c.oid, a.attnum, 'SELECT') ORDER BY c.relname, a.attnum;

-- A statement's trigger alone would not hear of rows that logical replication applies.
\echo tables that decisions are made from, without triggers that tell of it in every case
SELECT c.oid::regclass FROM pg_class c JOIN pg_trigger t ON t.tgrelid = c.oid AND t.tgfoid = 'ringfence.forget_decisions()'::regprocedure
 GROUP BY c.oid HAVING array_agg(concat(t.tgenabled, t.tgtype & 1) ORDER BY t.tgtype & 1) <> '{A0,A1}';

\echo the definer: what it may not have, whom it may not have as a member, and of what it may be one
SELECT rolname FROM pg_roles WHERE rolname LIKE 'ringfence\_%'
   AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication OR rolcanlogin);
SELECT member::regrole FROM pg_auth_members WHERE roleid IN ('ringfence_definer'::regrole, 'ringfence_tables'::regrole);
SELECT roleid::regrole FROM pg_auth_members WHERE member = 'ringfence_tables'::regrole;
SELECT roleid::regrole FROM pg_auth_members WHERE member = 'ringfence_definer'::regrole AND roleid <> 'ringfence_user'::regrole;
