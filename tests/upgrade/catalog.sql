-- All that the catalogs say of ringfence, a line for each property: what CREATE EXTENSION and ALTER EXTENSION UPDATE must leave alike.
-- Numbers (oids) appear nowhere; columns count by their order, since one that was dropped leaves a gap.
\set QUIET on
\pset format unaligned
\pset tuples_only on
SET search_path = pg_catalog;
SET timezone = 'UTC';

CREATE TEMP VIEW own_schema AS SELECT oid, nspname, nspowner, nspacl FROM pg_namespace WHERE nspname IN ('ringfence', 'ringfence_report');
CREATE TEMP VIEW own_class AS
    SELECT c.* FROM pg_class AS c WHERE c.relnamespace = 'ringfence'::regnamespace AND c.relkind NOT IN ('i', 'I', 't');
CREATE FUNCTION pg_temp.acl(acl aclitem[]) RETURNS text LANGUAGE sql BEGIN ATOMIC
    SELECT string_agg(format('%s%s=%s by %s', privilege_type, CASE WHEN is_grantable THEN '*' END, CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END, grantor::regrole), ', '
                      ORDER BY grantee::regrole::text, privilege_type, grantor::regrole::text)
      FROM aclexplode(acl);
END;
CREATE FUNCTION pg_temp.roles(roles oid[]) RETURNS text LANGUAGE sql
    RETURN (SELECT string_agg(CASE r WHEN 0 THEN 'PUBLIC' ELSE r::regrole::text END, ', ' ORDER BY 1) FROM unnest(roles) AS r);
-- Constraint triggers of PostgreSQL's have an oid in their name.
CREATE FUNCTION pg_temp.identity(class oid, object oid, sub integer) RETURNS text LANGUAGE sql
    RETURN (SELECT regexp_replace(format('%s %s', type, identity), '(RI_ConstraintTrigger_[ac]_|pg_toast_)[0-9]+', '\1n', 'g') FROM pg_identify_object(class, object, sub));

CREATE TEMP TABLE line (kind text, object text, property text);

INSERT INTO line SELECT 'extension', extname, concat_ws(' | ', extowner::regrole, extnamespace::regnamespace, extrelocatable, extversion) FROM pg_extension WHERE extname = 'ringfence';
INSERT INTO line SELECT 'kept in dumps', c.oid::regclass::text, concat('WHERE ', condition)
  FROM pg_extension CROSS JOIN LATERAL ROWS FROM (unnest(extconfig), unnest(extcondition)) AS kept (oid, condition) JOIN pg_class AS c ON c.oid = kept.oid WHERE extname = 'ringfence';
INSERT INTO line SELECT 'member', pg_temp.identity(d.classid, d.objid, d.objsubid), d.deptype::text FROM pg_depend AS d
 WHERE d.refclassid = 'pg_extension'::regclass AND d.refobjid = (SELECT oid FROM pg_extension WHERE extname = 'ringfence');
INSERT INTO line SELECT 'role', rolname, concat_ws(' | ', rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolreplication, rolbypassrls, rolconnlimit, shobj_description(oid, 'pg_authid'))
  FROM pg_roles WHERE rolname LIKE 'ringfence\_%';
INSERT INTO line SELECT 'membership', member::regrole::text, concat_ws(' | ', roleid::regrole, to_jsonb(m) - '{oid,roleid,member,grantor}'::text[], grantor::regrole) FROM pg_auth_members AS m
 WHERE member::regrole::text LIKE 'ringfence\_%' AND roleid::regrole::text LIKE 'ringfence\_%';
INSERT INTO line SELECT 'role setting', coalesce(nullif(setrole, 0)::regrole::text, 'all'), setting FROM pg_db_role_setting, unnest(setconfig) AS setting WHERE setting LIKE 'ringfence.%';

INSERT INTO line SELECT 'schema', nspname, concat_ws(' | ', nspowner::regrole, pg_temp.acl(nspacl)) FROM own_schema;
INSERT INTO line SELECT 'default privileges', defaclnamespace::regnamespace::text, concat_ws(' | ', defaclrole::regrole, defaclobjtype, pg_temp.acl(defaclacl)) FROM pg_default_acl WHERE defaclnamespace IN (SELECT oid FROM own_schema);
INSERT INTO line SELECT 'relation', oid::regclass::text,
       concat_ws(' | ', relkind, relowner::regrole, relpersistence, relreplident, relrowsecurity, relforcerowsecurity, relispartition, array_to_string(reloptions, ', '),
                 (SELECT amname FROM pg_am WHERE pg_am.oid = relam), (SELECT array_to_string(t.reloptions, ', ') FROM pg_class AS t WHERE t.oid = own_class.reltoastrelid))
  FROM own_class;
INSERT INTO line SELECT 'relation acl', oid::regclass::text, pg_temp.acl(relacl) FROM own_class;
INSERT INTO line SELECT 'column', format('%s.%s', c.oid::regclass, a.attname),
       concat_ws(' | ', row_number() OVER (PARTITION BY c.oid ORDER BY a.attnum), format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attstorage, a.attcompression, a.attidentity, a.attgenerated,
                 nullif(a.attcollation, 0)::regcollation, to_jsonb(a) ->> 'attstattarget', (SELECT string_agg(o, ', ') FROM unnest(a.attoptions) AS o WHERE o NOT LIKE 'pg\_attver=%'), a.attislocal, pg_temp.acl(a.attacl), pg_get_expr(d.adbin, d.adrelid))
  FROM own_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum;
INSERT INTO line SELECT 'system column acl', format('%s.%s', c.oid::regclass, a.attname), pg_temp.acl(a.attacl)
  FROM own_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum < 0 AND a.attacl IS NOT NULL;
INSERT INTO line SELECT 'constraint', format('%s on %s', conname, coalesce(nullif(conrelid, 0)::regclass::text, contypid::regtype::text)),
       concat_ws(' | ', contype, condeferrable, condeferred, convalidated, connoinherit, pg_get_constraintdef(oid)) FROM pg_constraint WHERE connamespace = 'ringfence'::regnamespace;
INSERT INTO line SELECT 'index', i.indexrelid::regclass::text,
       concat_ws(' | ', c.relowner::regrole, indisvalid, indisready, indislive, indisclustered, indisreplident, indimmediate, pg_get_indexdef(i.indexrelid), array_to_string(c.reloptions, ', '),
                 (SELECT string_agg(concat(attnum, ':', to_jsonb(a) ->> 'attstattarget'), ' ' ORDER BY attnum) FROM pg_attribute AS a WHERE a.attrelid = i.indexrelid))
  FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid WHERE c.relnamespace = 'ringfence'::regnamespace;
INSERT INTO line SELECT 'policy', format('%s on %s', polname, polrelid::regclass),
       concat_ws(' | ', polpermissive, polcmd, pg_temp.roles(polroles), 'USING ' || pg_get_expr(polqual, polrelid), 'CHECK ' || pg_get_expr(polwithcheck, polrelid))
  FROM pg_policy WHERE polrelid IN (SELECT oid FROM own_class);
INSERT INTO line SELECT 'trigger', regexp_replace(format('%s on %s', tgname, tgrelid::regclass), '(RI_ConstraintTrigger_[ac]_)[0-9]+', '\1n'),
       concat_ws(' | ', tgenabled, tgdeferrable, tginitdeferred, tgisinternal, regexp_replace(pg_get_triggerdef(oid), '(RI_ConstraintTrigger_[ac]_)[0-9]+', '\1n'))
  FROM pg_trigger WHERE tgrelid IN (SELECT oid FROM own_class);
INSERT INTO line SELECT 'rule', format('%s on %s', rulename, ev_class::regclass), concat_ws(' | ', ev_enabled, pg_get_ruledef(oid)) FROM pg_rewrite WHERE ev_class IN (SELECT oid FROM own_class);
INSERT INTO line SELECT 'sequence', seqrelid::regclass::text, concat_ws(' | ', format_type(seqtypid, NULL), seqstart, seqincrement, seqmax, seqmin, seqcache, seqcycle) FROM pg_sequence WHERE seqrelid IN (SELECT oid FROM own_class);
INSERT INTO line SELECT 'statistics', format('%s on %s', stxname, stxrelid::regclass), concat_ws(' | ', stxowner::regrole, pg_get_statisticsobjdef(oid), to_jsonb(s) ->> 'stxstattarget')
  FROM pg_statistic_ext AS s WHERE stxnamespace = 'ringfence'::regnamespace;
INSERT INTO line SELECT 'inheritance', inhrelid::regclass::text, concat_ws(' | ', inhparent::regclass, inhseqno) FROM pg_inherits WHERE inhrelid IN (SELECT oid FROM own_class);
INSERT INTO line SELECT 'function', oid::regprocedure::text,
       concat_ws(' | ', proowner::regrole, prokind, prosecdef, proleakproof, proisstrict, proretset, provolatile, proparallel, procost, prorows, nullif(prosupport, 0)::regprocedure,
                 array_to_string(proconfig, ', '), pg_temp.acl(proacl), CASE WHEN prokind <> 'a' THEN pg_get_functiondef(oid) END)
  FROM pg_proc WHERE pronamespace = 'ringfence'::regnamespace;
INSERT INTO line SELECT 'type', oid::regtype::text,
       concat_ws(' | ', typowner::regrole, typtype, typcategory, typispreferred, typlen, typbyval, typalign, typstorage, typdelim, typnotnull, typdefault, nullif(typcollation, 0)::regcollation, pg_temp.acl(typacl),
                 typinput, typoutput, typreceive, typsend, typmodin, typmodout, typanalyze, typsubscript, nullif(typelem, 0)::regtype, nullif(typbasetype, 0)::regtype,
                 (SELECT string_agg(enumlabel, ', ' ORDER BY enumsortorder) FROM pg_enum WHERE enumtypid = t.oid))
  FROM pg_type AS t WHERE typnamespace = 'ringfence'::regnamespace;
INSERT INTO line SELECT 'operator', oid::regoperator::text,
       concat_ws(' | ', oprowner::regrole, oprcanmerge, oprcanhash, oprresult::regtype, nullif(oprcom, 0)::regoperator, nullif(oprnegate, 0)::regoperator, oprcode, oprrest, oprjoin)
  FROM pg_operator WHERE oprnamespace = 'ringfence'::regnamespace;
INSERT INTO line SELECT 'operator class', format('%s for %s', opcname, amname),
       concat_ws(' | ', opcowner::regrole, opcintype::regtype, opcdefault, nullif(opckeytype, 0)::regtype, (SELECT opfname FROM pg_opfamily WHERE pg_opfamily.oid = opcfamily))
  FROM pg_opclass JOIN pg_am ON pg_am.oid = opcmethod WHERE opcnamespace = 'ringfence'::regnamespace;
INSERT INTO line SELECT 'operator family', format('%s for %s', opfname, amname), opfowner::regrole FROM pg_opfamily JOIN pg_am ON pg_am.oid = opfmethod WHERE opfnamespace = 'ringfence'::regnamespace;
INSERT INTO line SELECT 'operator of a family', opfname, concat_ws(' | ', amoplefttype::regtype, amoprighttype::regtype, amopstrategy, amoppurpose, amopopr::regoperator, nullif(amopsortfamily, 0))
  FROM pg_amop JOIN pg_opfamily AS f ON f.oid = amopfamily WHERE opfnamespace = 'ringfence'::regnamespace;
INSERT INTO line SELECT 'function of a family', opfname, concat_ws(' | ', amproclefttype::regtype, amprocrighttype::regtype, amprocnum, amproc::regprocedure)
  FROM pg_amproc JOIN pg_opfamily AS f ON f.oid = amprocfamily WHERE opfnamespace = 'ringfence'::regnamespace;
INSERT INTO line SELECT 'access method', amname, concat_ws(' | ', amtype, amhandler) FROM pg_am WHERE amhandler::text LIKE 'ringfence.%';
INSERT INTO line SELECT 'cast', format('%s to %s', castsource::regtype, casttarget::regtype), concat_ws(' | ', nullif(castfunc, 0)::regprocedure, castcontext, castmethod)
  FROM pg_cast AS c WHERE EXISTS (SELECT FROM pg_type AS t WHERE t.oid IN (castsource, casttarget) AND t.typnamespace = 'ringfence'::regnamespace);
INSERT INTO line SELECT 'collation', collname, collowner::regrole::text FROM pg_collation WHERE collnamespace = 'ringfence'::regnamespace;
INSERT INTO line SELECT 'event trigger', evtname, concat_ws(' | ', evtowner::regrole, evtevent, evtenabled, array_to_string(evttags, ', '), evtfoid::regprocedure) FROM pg_event_trigger WHERE evtname LIKE 'ringfence%';

-- Comments, dependencies and what dumps take for the privileges that an object began with: of everything that is named for ringfence.
INSERT INTO line SELECT 'comment', pg_temp.identity(classoid, objoid, objsubid), description FROM pg_description WHERE pg_temp.identity(classoid, objoid, objsubid) ~ 'ringfence';
INSERT INTO line SELECT 'label', pg_temp.identity(classoid, objoid, objsubid), concat_ws(' | ', provider, label) FROM pg_seclabel WHERE pg_temp.identity(classoid, objoid, objsubid) ~ 'ringfence';
INSERT INTO line SELECT 'initial privileges', pg_temp.identity(classoid, objoid, objsubid), concat_ws(' | ', privtype, pg_temp.acl(initprivs))
  FROM pg_init_privs WHERE pg_temp.identity(classoid, objoid, objsubid) ~ 'ringfence';
INSERT INTO line SELECT 'dependency', dependent, concat_ws(' | ', deptype, referenced)
  FROM (SELECT pg_temp.identity(classid, objid, objsubid), pg_temp.identity(refclassid, refobjid, refobjsubid), deptype FROM pg_depend WHERE classid <> 0) AS d (dependent, referenced, deptype)
 WHERE dependent ~ 'ringfence' OR referenced ~ 'ringfence';
INSERT INTO line SELECT 'dependency on a role', dependent, concat_ws(' | ', deptype, refobjid::regrole)
  FROM (SELECT pg_temp.identity(classid, objid, objsubid), deptype, refobjid FROM pg_shdepend
         WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND refclassid = 'pg_authid'::regclass) AS d (dependent, deptype, refobjid)
 WHERE dependent ~ 'ringfence';

SELECT line FROM (SELECT DISTINCT concat(kind, ' | ', object, ' | ', replace(property, E'\n', E'\n    ')) FROM line) AS l (line) ORDER BY line COLLATE "C";
