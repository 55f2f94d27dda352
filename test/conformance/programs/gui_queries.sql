-- version and identity
select version(), current_database() is not null as named, current_user, session_user, current_setting('server_version_num')::integer as number
-- session settings
select name, setting, unit, category, short_desc, context, vartype, enumvals, boot_val, pg_catalog.set_config('application_name', 'browser', false) is not null as named from pg_catalog.pg_settings where name in ('server_encoding', 'DateStyle', 'TimeZone', 'search_path', 'standard_conforming_strings') order by name
-- who may do what here
select r.rolname, r.rolsuper, r.rolcreatedb, r.rolcreaterole, r.rolcanlogin, pg_catalog.has_database_privilege(current_database(), 'CREATE') as creates, pg_catalog.pg_is_in_recovery() as standby, (select count(*) > 0 from pg_catalog.pg_stat_ssl where pid = pg_backend_pid()) as seen from pg_catalog.pg_roles r where r.rolname = current_user
-- databases
select db.oid <> 0 as has_oid, db.datname like 'gui%' or db.datname in ('postgres', 'template1', 'base') as ours, db.datallowconn, pg_catalog.pg_encoding_to_char(db.encoding) as encoding, pg_catalog.pg_get_userbyid(db.datdba) as owner, pg_catalog.shobj_description(db.oid, 'pg_database') as description, pg_catalog.has_database_privilege(db.oid, 'CONNECT') as may_connect, array_to_string(db.datacl::text[], ', ') as acl from pg_catalog.pg_database db left join pg_catalog.pg_tablespace ts on ts.oid = db.dattablespace order by db.datname
-- roles and memberships
select r.oid::text, r.rolname, r.rolconnlimit, r.rolvaliduntil, array(select b.rolname from pg_catalog.pg_auth_members m join pg_catalog.pg_roles b on m.roleid = b.oid where m.member = r.oid order by 1) as member_of, pg_catalog.shobj_description(r.oid, 'pg_authid') as description from pg_catalog.pg_roles r order by r.rolname
-- schemas
select n.oid, n.nspname, pg_catalog.pg_get_userbyid(n.nspowner) as owner, n.nspacl::text as acl, pg_catalog.obj_description(n.oid, 'pg_namespace') as description, pg_catalog.has_schema_privilege(n.oid, 'CREATE,USAGE') as usable from pg_catalog.pg_namespace n where n.nspname !~ '^pg_(toast|temp)' order by n.nspname
-- tables with sizes
select c.oid, c.relname, c.relkind, c.relpersistence, c.relhasindex, c.relrowsecurity, c.reltuples::bigint >= -1 as estimated, pg_catalog.pg_total_relation_size(c.oid) > 0 as sized, pg_catalog.pg_size_pretty(pg_catalog.pg_relation_size(c.oid)) is not null as pretty, d.description, array_to_string(c.reloptions, ', ') as options, (select count(*) from pg_catalog.pg_trigger t where t.tgrelid = c.oid and not t.tgisinternal) as triggers from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace left join pg_catalog.pg_description d on d.objoid = c.oid and d.objsubid = 0 and d.classoid = 'pg_class'::regclass where n.nspname = 'public' and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S') order by c.relname
-- columns
select c.relname, a.attnum, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod) as type, a.attnotnull, a.atthasdef, pg_catalog.pg_get_expr(ad.adbin, ad.adrelid, true) as default_value, a.attidentity, a.attgenerated, a.attstattarget, pg_catalog.col_description(c.oid, a.attnum) as description, co.collname, t.typcategory, dep.objid is not null as owned_sequence from pg_catalog.pg_attribute a join pg_catalog.pg_class c on a.attrelid = c.oid join pg_catalog.pg_type t on t.oid = a.atttypid left join pg_catalog.pg_attrdef ad on a.attrelid = ad.adrelid and a.attnum = ad.adnum left join pg_catalog.pg_collation co on co.oid = a.attcollation and a.attcollation <> t.typcollation left join pg_catalog.pg_depend dep on dep.refobjid = a.attrelid and dep.refobjsubid = a.attnum and dep.deptype in ('a', 'i') and dep.classid = 'pg_class'::regclass and dep.objsubid = 0 and dep.objid in (select oid from pg_catalog.pg_class where relkind = 'S') where c.relnamespace = 'public'::regnamespace and a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'v') order by c.relname, a.attnum
-- constraints
select c.oid, c.conname, c.contype, c.condeferrable, c.conrelid::regclass::text as rel, c.confrelid::regclass::text as referenced, pg_catalog.pg_get_constraintdef(c.oid, true) as definition, (select string_agg(a.attname, ',' order by k.n) from unnest(c.conkey) with ordinality k(attnum, n) join pg_catalog.pg_attribute a on a.attrelid = c.conrelid and a.attnum = k.attnum) as columns from pg_catalog.pg_constraint c where c.connamespace = 'public'::regnamespace order by c.conrelid, c.conname
-- foreign keys by information_schema
select tc.constraint_name, kcu.column_name, ccu.table_name as foreign_table, ccu.column_name as foreign_column, rc.update_rule, rc.delete_rule from information_schema.table_constraints tc join information_schema.key_column_usage kcu using (constraint_schema, constraint_name) join information_schema.constraint_column_usage ccu using (constraint_schema, constraint_name) join information_schema.referential_constraints rc using (constraint_schema, constraint_name) where tc.constraint_type = 'FOREIGN KEY' order by 1, 2
-- indexes
select i.indexrelid, i.indrelid::regclass::text as rel, ci.relname, i.indisunique, i.indisprimary, i.indisvalid, am.amname, pg_catalog.pg_get_indexdef(i.indexrelid) as definition, pg_catalog.pg_get_expr(i.indpred, i.indrelid, true) as predicate, (select array_agg(pg_catalog.pg_get_indexdef(i.indexrelid, k, true) order by k) from generate_subscripts(i.indkey, 1) g(k)) as keys, pg_catalog.pg_stat_get_numscans(i.indexrelid) >= 0 as scanned from pg_catalog.pg_index i join pg_catalog.pg_class ci on ci.oid = i.indexrelid join pg_catalog.pg_am am on am.oid = ci.relam where ci.relnamespace = 'public'::regnamespace order by ci.relname
-- views with text
select c.oid, c.relname, pg_catalog.pg_get_viewdef(c.oid, true) as definition, c.relkind, (select json_agg(json_build_object('name', r.rulename, 'event', r.ev_type) order by r.rulename) from pg_catalog.pg_rewrite r where r.ev_class = c.oid) as rules from pg_catalog.pg_class c where c.relkind in ('v', 'm') and c.relnamespace = 'public'::regnamespace order by 1
-- view dependencies
select distinct v.relname as view, d.refobjid::regclass::text as uses, a.attname from pg_catalog.pg_rewrite r join pg_catalog.pg_class v on v.oid = r.ev_class join pg_catalog.pg_depend d on d.objid = r.oid and d.classid = 'pg_rewrite'::regclass and d.refclassid = 'pg_class'::regclass join pg_catalog.pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid where v.relnamespace = 'public'::regnamespace order by 1, 2, 3
-- routines
select p.oid, p.proname, p.prokind, l.lanname, p.provolatile, p.prosecdef, p.proisstrict, pg_catalog.pg_get_function_identity_arguments(p.oid) as arguments, pg_catalog.pg_get_function_result(p.oid) as result, pg_catalog.pg_get_functiondef(p.oid) as definition, p.prosrc, p.proargnames, p.proargmodes::text, p.proallargtypes::text from pg_catalog.pg_proc p join pg_catalog.pg_language l on l.oid = p.prolang where p.pronamespace = 'public'::regnamespace order by p.proname
-- sequences
select s.seqrelid, c.relname, s.seqstart, s.seqincrement, s.seqmax, s.seqcache, s.seqcycle, pg_catalog.format_type(s.seqtypid, null) as type, q.last_value from pg_catalog.pg_sequence s join pg_catalog.pg_class c on c.oid = s.seqrelid left join pg_catalog.pg_sequences q on q.schemaname = 'public' and q.sequencename = c.relname order by c.relname
-- types
select t.oid, t.typname, t.typtype, t.typcategory, t.typrelid, t.typelem, t.typarray, t.typbasetype, pg_catalog.format_type(t.oid, t.typtypmod) as full_name, e.labels from pg_catalog.pg_type t left join (select enumtypid, array_agg(enumlabel::text order by enumsortorder) as labels from pg_catalog.pg_enum group by 1) e on e.enumtypid = t.oid where t.typnamespace = 'public'::regnamespace order by t.typname
-- all base types at start-up
select t.oid, t.typname, t.typlen, t.typbyval, t.typdelim, t.typinput::text, t.typoutput::text from pg_catalog.pg_type t where t.typtype in ('b', 'r', 'm') and t.typnamespace = 'pg_catalog'::regnamespace order by t.oid
-- triggers
select t.tgname, t.tgenabled, t.tgtype, pg_catalog.pg_get_triggerdef(t.oid, true) as definition, t.tgrelid::regclass::text from pg_catalog.pg_trigger t where not t.tgisinternal order by 1
-- policies and rules
select p.polname, p.polcmd, pg_catalog.pg_get_expr(p.polqual, p.polrelid) as using_, pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid) as check_ from pg_catalog.pg_policy p order by 1
-- rules
select schemaname, tablename, rulename, definition from pg_catalog.pg_rules where schemaname = 'public' order by 1, 2, 3
-- partitions and inheritance
select i.inhrelid::regclass::text, i.inhparent::regclass::text, i.inhseqno, pg_catalog.pg_get_expr(c.relpartbound, c.oid) as bound from pg_catalog.pg_inherits i join pg_catalog.pg_class c on c.oid = i.inhrelid order by 1
-- partition keys
select p.partrelid::regclass::text, p.partstrat, pg_catalog.pg_get_partkeydef(p.partrelid) from pg_catalog.pg_partitioned_table p order by 1
-- privileges of tables
select c.relname, a.grantor::regrole::text, a.grantee::regrole::text, a.privilege_type, a.is_grantable from pg_catalog.pg_class c, lateral pg_catalog.aclexplode(coalesce(c.relacl, pg_catalog.acldefault('r', c.relowner))) a where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' order by 1, 2, 3, 4
-- privileges by information_schema
select table_name, privilege_type, is_grantable from information_schema.role_table_grants where table_schema = 'public' order by 1, 2
-- tables by information_schema
select table_catalog is not null as named, table_schema, table_name, table_type, is_insertable_into from information_schema.tables where table_schema not in ('pg_catalog', 'information_schema') order by 2, 3
-- columns by information_schema
select table_name, ordinal_position, column_name, data_type, udt_name, character_maximum_length, numeric_precision, datetime_precision, column_default, is_nullable, is_identity, identity_generation from information_schema.columns where table_schema = 'public' order by 1, 2
-- routines by information_schema
select r.routine_name, r.routine_type, r.data_type, p.parameter_name, p.parameter_mode, p.data_type from information_schema.routines r left join information_schema.parameters p using (specific_schema, specific_name) where r.specific_schema = 'public' order by r.routine_name, p.ordinal_position
-- extensions
select e.extname, e.extversion, n.nspname, x.default_version, x.comment from pg_catalog.pg_extension e join pg_catalog.pg_namespace n on n.oid = e.extnamespace left join pg_catalog.pg_available_extensions x on x.name = e.extname order by 1
-- available extensions
select name, default_version, installed_version from pg_catalog.pg_available_extensions order by name
-- languages
select lanname, lanpltrusted, lanplcallfoid::regproc::text from pg_catalog.pg_language order by 1
-- tablespaces
select oid, spcname, pg_catalog.pg_tablespace_location(oid) as location, spcoptions from pg_catalog.pg_tablespace order by 1
-- casts and operators
select castsource::regtype::text, casttarget::regtype::text, castfunc::regproc::text, castcontext from pg_catalog.pg_cast order by 1, 2 limit 50
-- operators
select o.oprname, o.oprleft::regtype::text, o.oprright::regtype::text, o.oprcode::text from pg_catalog.pg_operator o where o.oprnamespace = 'pg_catalog'::regnamespace order by o.oid limit 50
-- collations
select collname, collprovider, collencoding from pg_catalog.pg_collation where collnamespace = 'pg_catalog'::regnamespace order by 1 limit 20
-- foreign data
select f.fdwname, s.srvname, s.srvtype from pg_catalog.pg_foreign_data_wrapper f left join pg_catalog.pg_foreign_server s on s.srvfdw = f.oid order by 1
-- event triggers and publications
select evtname, evtevent, evtenabled from pg_catalog.pg_event_trigger order by 1
-- publications
select p.pubname, p.puballtables, array_agg(t.tablename) as tables from pg_catalog.pg_publication p left join pg_catalog.pg_publication_tables t using (pubname) group by 1, 2 order by 1
-- statistics of tables
select relname, seq_scan >= 0 as scanned, n_tup_ins >= 0 as inserted, last_vacuum is null as vacuumed from pg_catalog.pg_stat_user_tables order by 1
-- dashboard: counts of the database
select numbackends > 0 as connected, xact_commit >= 0 as commits, blks_hit >= 0 as hits, deadlocks from pg_catalog.pg_stat_database where datname = current_database()
-- dashboard: sessions
select count(*) > 0 as some, bool_or(pid = pg_backend_pid()) as me, max(state) is not null as states from pg_catalog.pg_stat_activity where datname = current_database()
-- dashboard: locks
select l.locktype, l.mode, l.granted, l.relation::regclass::text from pg_catalog.pg_locks l where l.pid = pg_backend_pid() and l.locktype = 'relation' order by 4
-- dashboard: prepared transactions and replication
select (select count(*) from pg_catalog.pg_prepared_xacts) as prepared, (select count(*) from pg_catalog.pg_stat_replication) as replicas, (select count(*) from pg_catalog.pg_replication_slots) as slots
-- object search
select 'table' as kind, c.oid, c.relname as name from pg_catalog.pg_class c where c.relname ilike '%o%' and c.relnamespace = 'public'::regnamespace union all select 'routine', p.oid, p.proname from pg_catalog.pg_proc p where p.proname ilike '%add%' and p.pronamespace = 'public'::regnamespace order by 1, 3
-- keywords for completion
select upper(word) as word, catcode from pg_catalog.pg_get_keywords() order by word
-- recursive dependencies
with recursive parts as (select 'people'::regclass::oid as oid, 0 as depth union all select d.objid, p.depth + 1 from parts p join pg_catalog.pg_depend d on d.refobjid = p.oid and d.refclassid = 'pg_class'::regclass and d.classid = 'pg_class'::regclass where p.depth < 3) select distinct depth, oid::regclass::text from parts order by 1, 2
-- DDL of a table put together
select 'CREATE TABLE ' || quote_ident(c.relname) || ' (' || string_agg(quote_ident(a.attname) || ' ' || format_type(a.atttypid, a.atttypmod) || case when a.attnotnull then ' NOT NULL' else '' end, ', ' order by a.attnum) || ')' as ddl from pg_catalog.pg_class c join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace group by c.relname order by c.relname
-- first page of a table with its row id
select t.ctid::text, t.* from public.orders t order by t.id limit 5 offset 0
-- row count
select count(*) from public.orders
-- plan as JSON
explain (format json, costs off) select * from public.orders where person = 1
