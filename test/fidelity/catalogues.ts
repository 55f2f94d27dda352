// Catalogue queries in the manner of psql, graphical clients and reporting tools.
import type { Ordinary } from './ordinary.ts';

const of = (name: string) => `'public.${name}'::pg_catalog.regclass`;

export const catalogues: readonly Ordinary[] = [
  // psql
  {
    sql: `select n.nspname, c.relname, case c.relkind when 'r' then 'table' when 'p' then 'partitioned table' when 'v' then 'view' when 'm' then 'materialized view' when 'S' then 'sequence' end, pg_catalog.pg_get_userbyid(c.relowner) from pg_catalog.pg_class c left join pg_catalog.pg_namespace n on n.oid = c.relnamespace where c.relkind in ('r', 'p', 'v', 'm', 'S') and n.nspname <> 'pg_catalog' and n.nspname !~ '^pg_toast' and n.nspname <> 'information_schema' order by 1, 2`,
  },
  {
    sql: `select c.relname, pg_catalog.pg_size_pretty(pg_catalog.pg_table_size(c.oid)) as size, pg_catalog.obj_description(c.oid, 'pg_class') from pg_catalog.pg_class c where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace order by 1`,
    moving: true,
  },
  {
    sql: `select a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity, a.attgenerated, (select pg_catalog.pg_get_expr(d.adbin, d.adrelid, true) from pg_catalog.pg_attrdef d where d.adrelid = a.attrelid and d.adnum = a.attnum and a.atthasdef) from pg_catalog.pg_attribute a where a.attrelid = ${of('customers')} and a.attnum > 0 and not a.attisdropped order by a.attnum`,
  },
  {
    sql: `select c2.relname, i.indisprimary, i.indisunique, pg_catalog.pg_get_indexdef(i.indexrelid, 0, true), pg_catalog.pg_get_constraintdef(con.oid, true) from pg_catalog.pg_index i join pg_catalog.pg_class c2 on c2.oid = i.indexrelid left join pg_catalog.pg_constraint con on con.conindid = i.indexrelid and con.contype in ('p', 'u', 'x') where i.indrelid = ${of('customers')} order by 1`,
  },
  {
    sql: `select conname, pg_catalog.pg_get_constraintdef(r.oid, true) from pg_catalog.pg_constraint r where r.conrelid = ${of('orders')} and r.contype in ('f', 'c') order by 1`,
  },
  {
    sql: `select conname, conrelid::pg_catalog.regclass, pg_catalog.pg_get_constraintdef(oid, true) from pg_catalog.pg_constraint where confrelid = ${of('customers')} and contype = 'f' order by 1`,
  },
  {
    sql: `select t.tgname, pg_catalog.pg_get_triggerdef(t.oid, true), t.tgenabled from pg_catalog.pg_trigger t where t.tgrelid = ${of('products')} and not t.tgisinternal`,
  },
  { sql: `select pg_catalog.pg_get_viewdef(${of('customer_directory')}, true)` },
  {
    sql: `select pol.polname, pol.polcmd, pg_catalog.pg_get_expr(pol.polqual, pol.polrelid) from pg_catalog.pg_policy pol where pol.polrelid = ${of('orders')}`,
  },
  {
    sql: `select c.oid::pg_catalog.regclass, pg_catalog.pg_get_expr(c.relpartbound, c.oid) from pg_catalog.pg_class c join pg_catalog.pg_inherits i on c.oid = i.inhrelid where i.inhparent = ${of('events')} order by 1::text`,
  },
  {
    sql: `select p.proname, pg_catalog.pg_get_function_result(p.oid), pg_catalog.pg_get_function_arguments(p.oid), l.lanname, p.prosrc from pg_catalog.pg_proc p join pg_catalog.pg_language l on l.oid = p.prolang where p.pronamespace = 'public'::regnamespace order by 1`,
  },
  { sql: `select pg_catalog.pg_get_functiondef('order_total'::regproc)` },
  {
    sql: `select r.rolname, r.rolsuper, r.rolcanlogin, array(select b.rolname from pg_catalog.pg_auth_members m join pg_catalog.pg_roles b on m.roleid = b.oid where m.member = r.oid) from pg_catalog.pg_roles r where r.rolname !~ '^pg_' order by 1`,
  },
  {
    sql: `select d.datname, pg_catalog.pg_encoding_to_char(d.encoding), d.datcollate, d.datctype from pg_catalog.pg_database d order by 1`,
  },
  {
    sql: `select n.nspname, pg_catalog.pg_get_userbyid(n.nspowner), n.nspacl from pg_catalog.pg_namespace n where n.nspname !~ '^pg_' order by 1`,
  },
  {
    sql: `select n.nspname, c.relname, pg_catalog.array_to_string(c.relacl, E'\\n') from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace where c.relkind in ('r', 'v') and n.nspname = 'public' order by 2`,
  },
  {
    sql: `select e.extname, e.extversion, n.nspname from pg_catalog.pg_extension e left join pg_catalog.pg_namespace n on n.oid = e.extnamespace order by 1`,
  },
  {
    sql: `select t.typname, pg_catalog.format_type(t.oid, null), array(select e.enumlabel from pg_catalog.pg_enum e where e.enumtypid = t.oid order by e.enumsortorder) from pg_catalog.pg_type t where t.typnamespace = 'public'::regnamespace and t.typtype in ('e', 'd') order by 1`,
  },
  {
    sql: `select s.spcname, pg_catalog.pg_get_userbyid(s.spcowner), pg_catalog.pg_tablespace_location(s.oid) from pg_catalog.pg_tablespace s order by 1`,
  },
  { sql: `select s.stxname, s.stxkind from pg_catalog.pg_statistic_ext s` },
  {
    sql: `select pg_catalog.pg_describe_object(classid, objid, objsubid), deptype from pg_catalog.pg_depend where refobjid = ${of('customers')} order by 1, 2`,
  },
  {
    sql: `select name, setting from pg_catalog.pg_settings where source <> 'default' and source <> 'override' order by 1`,
    moving: true,
  },
  // DBeaver, pgAdmin, DataGrip
  { sql: `select db.oid, db.* from pg_catalog.pg_database db where db.datname = current_database()`, moving: true },
  {
    sql: `select n.oid, n.*, d.description from pg_catalog.pg_namespace n left outer join pg_catalog.pg_description d on d.objoid = n.oid and d.objsubid = 0 and d.classoid = 'pg_namespace'::regclass order by nspname`,
  },
  {
    sql: `select c.oid, c.*, d.description, pg_catalog.pg_get_expr(c.relpartbound, c.oid) as partition_expr, pg_catalog.pg_get_partkeydef(c.oid) as partition_key from pg_catalog.pg_class c left outer join pg_catalog.pg_description d on d.objoid = c.oid and d.objsubid = 0 and d.classoid = 'pg_class'::regclass where c.relnamespace = 'public'::regnamespace and c.relkind not in ('i', 'I', 'c') order by c.relname`,
    moving: true,
  },
  {
    sql: `select c.relname, a.*, pg_catalog.pg_get_expr(ad.adbin, ad.adrelid, true) as def_value, dsc.description, dep.objid from pg_catalog.pg_attribute a inner join pg_catalog.pg_class c on a.attrelid = c.oid left outer join pg_catalog.pg_attrdef ad on a.attrelid = ad.adrelid and a.attnum = ad.adnum left outer join pg_catalog.pg_description dsc on c.oid = dsc.objoid and a.attnum = dsc.objsubid left outer join pg_depend dep on dep.refobjid = a.attrelid and dep.deptype = 'i' and dep.refobjsubid = a.attnum and dep.classid = dep.refclassid where not a.attisdropped and c.relkind not in ('i', 'I', 'c') and c.oid = ${of('payments')} order by a.attnum`,
  },
  {
    sql: `select rel.relname, cls.relname as tablename, ind.indisclustered, pg_catalog.pg_get_expr(ind.indpred, ind.indrelid, true) as indconstraint, am.amname from pg_catalog.pg_index ind join pg_catalog.pg_class rel on rel.oid = ind.indexrelid join pg_catalog.pg_class cls on cls.oid = ind.indrelid join pg_catalog.pg_am am on am.oid = rel.relam where cls.relnamespace = 'public'::regnamespace order by 1`,
  },
  {
    sql: `select c.oid, c.conname, c.contype, c.conkey, c.confkey, c.confrelid::regclass::text, pg_catalog.pg_get_constraintdef(c.oid) from pg_catalog.pg_constraint c where c.connamespace = 'public'::regnamespace order by c.conname`,
  },
  {
    sql: `select 'session_stats' as chart_name, pg_catalog.row_to_json(t) as chart_data from (select (select count(*) from pg_catalog.pg_stat_activity where datname = current_database()) as "Total", (select count(*) from pg_catalog.pg_stat_activity where state = 'active') as "Active") t`,
    moving: true,
  },
  {
    sql: `select pid, datname, usename, application_name, client_addr, backend_start, xact_start, state, wait_event_type || ': ' || wait_event as wait_event, pg_catalog.pg_blocking_pids(pid) as blocking_pids, state_change, backend_type from pg_catalog.pg_stat_activity where datname = current_database() order by pid`,
    moving: true,
  },
  {
    sql: `select roles.oid, roles.rolname, roles.rolcanlogin, pg_catalog.shobj_description(roles.oid, 'pg_authid') as description from pg_catalog.pg_roles roles order by 2`,
  },
  {
    sql: `select pg_catalog.has_table_privilege('customers', 'select'), pg_catalog.has_schema_privilege('public', 'create'), pg_catalog.has_database_privilege(current_database(), 'temp')`,
  },
  {
    sql: `select x.oid::regclass::text, x.relkind from pg_catalog.pg_class x where x.oid = any (array[${of('orders')}::oid, ${of('customers')}::oid]) order by 1`,
  },
  { sql: `select current_database(), current_schemas(true), current_user, session_user, inet_server_port() is null` },
  {
    sql: `select t.oid::int8 as id, t.xmin as state_number, t.typname as type_name, t.typtype as kind, t.typarray, t.typrelid from pg_catalog.pg_type t where t.typnamespace = 'public'::regnamespace order by 1`,
  },
  // JDBC metadata
  {
    sql: `select null as table_cat, n.nspname as table_schem, c.relname as table_name, case when n.nspname ~ '^pg_' then 'SYSTEM TABLE' else 'TABLE' end as table_type, d.description as remarks from pg_catalog.pg_namespace n, pg_catalog.pg_class c left join pg_catalog.pg_description d on (c.oid = d.objoid and d.objsubid = 0 and d.classoid = 'pg_class'::regclass) where c.relnamespace = n.oid and n.nspname = 'public' and c.relkind in ('r', 'p') order by 4, 2, 3`,
  },
  {
    sql: `select * from (select n.nspname, c.relname, a.attname, a.atttypid, a.attnotnull, a.atttypmod, a.attlen, row_number() over (partition by a.attrelid order by a.attnum) as attnum, nullif(a.attidentity, '') as attidentity, t.typbasetype, t.typtype from pg_catalog.pg_namespace n join pg_catalog.pg_class c on (c.relnamespace = n.oid) join pg_catalog.pg_attribute a on (a.attrelid = c.oid) join pg_catalog.pg_type t on (a.atttypid = t.oid) where c.relkind in ('r', 'p', 'v', 'f', 'm') and a.attnum > 0 and not a.attisdropped and n.nspname like 'public') c order by nspname, c.relname, attnum`,
  },
  {
    sql: `select pkn.nspname, pkc.relname, pka.attname, fkn.nspname, fkc.relname, fka.attname, pos.n as key_seq, con.confupdtype, con.confdeltype, con.conname from pg_catalog.pg_namespace pkn, pg_catalog.pg_class pkc, pg_catalog.pg_attribute pka, pg_catalog.pg_namespace fkn, pg_catalog.pg_class fkc, pg_catalog.pg_attribute fka, pg_catalog.pg_constraint con, pg_catalog.generate_series(1, 4) pos(n) where pkn.oid = pkc.relnamespace and pkc.oid = pka.attrelid and pka.attnum = con.confkey[pos.n] and con.confrelid = pkc.oid and fkn.oid = fkc.relnamespace and fkc.oid = fka.attrelid and fka.attnum = con.conkey[pos.n] and con.conrelid = fkc.oid and con.contype = 'f' order by con.conname, pos.n`,
  },
  // information_schema
  {
    sql: `select table_schema, table_name, column_name, data_type, character_maximum_length, is_nullable, column_default from information_schema.columns where table_schema = 'public' order by table_name, ordinal_position`,
  },
  {
    sql: `select tc.constraint_name, tc.table_name, kcu.column_name, ccu.table_name as foreign_table, ccu.column_name as foreign_column from information_schema.table_constraints tc join information_schema.key_column_usage kcu using (constraint_schema, constraint_name) join information_schema.constraint_column_usage ccu using (constraint_schema, constraint_name) where tc.constraint_type = 'FOREIGN KEY' order by 1, 3, 5`,
  },
  {
    sql: `select routine_name, routine_type, data_type from information_schema.routines where specific_schema = 'public' order by 1`,
  },
  { sql: `select table_name, view_definition from information_schema.views where table_schema = 'public' order by 1` },
  {
    sql: `select grantee, table_name, privilege_type from information_schema.role_table_grants where table_name = 'customers' order by 1, 3`,
  },
  {
    sql: `select trigger_name, event_manipulation, event_object_table, action_statement from information_schema.triggers order by 1, 2`,
  },
  {
    sql: `select domain_name, data_type, numeric_precision from information_schema.domains where domain_schema = 'public'`,
  },
  // Metabase, Superset, Tableau, Grafana
  {
    sql: `select n.nspname as schema, c.relname as name, case c.relkind when 'r' then 'TABLE' when 'p' then 'PARTITIONED TABLE' when 'v' then 'VIEW' when 'm' then 'MATERIALIZED VIEW' end as type, d.description as description, stat.n_live_tup as estimated_row_count from pg_catalog.pg_class c inner join pg_catalog.pg_namespace n on c.relnamespace = n.oid left join pg_catalog.pg_description d on c.oid = d.objoid and d.objsubid = 0 left join pg_stat_user_tables stat on n.nspname = stat.schemaname and c.relname = stat.relname where c.relnamespace = n.oid and n.nspname !~ '^pg_' and n.nspname <> 'information_schema' and c.relkind in ('r', 'p', 'v', 'f', 'm') order by type, schema, name`,
    moving: true,
  },
  {
    sql: `with table_privileges as (select null as role, t.schemaname as schema, t.objectname as table, pg_catalog.has_table_privilege(current_user, '"' || t.schemaname || '"."' || t.objectname || '"', 'SELECT') as select, pg_catalog.has_table_privilege(current_user, '"' || t.schemaname || '"."' || t.objectname || '"', 'INSERT') as insert from (select schemaname, tablename as objectname from pg_catalog.pg_tables union select schemaname, viewname as objectname from pg_views union select schemaname, matviewname as objectname from pg_matviews) t where t.schemaname !~ '^pg_' and t.schemaname <> 'information_schema' and pg_catalog.has_schema_privilege(current_user, t.schemaname, 'usage')) select t.* from table_privileges t order by t.schema, t.table`,
  },
  {
    sql: `select substring("source"."city", 1, 1234) as "substring1", "source"."country" from (select "public"."customers"."city" as "city", "public"."customers"."country" as "country" from "public"."customers" limit 10000) as "source"`,
  },
  {
    sql: `select count(*) as "count", date_trunc('month', "public"."orders"."placed_at") as "placed_at" from "public"."orders" group by date_trunc('month', "public"."orders"."placed_at") order by date_trunc('month', "public"."orders"."placed_at") asc`,
  },
  {
    sql: `select "public"."customers"."id" as "id", "public"."customers"."name" as "name", "public"."customers"."email" as "email", "public"."customers"."born" as "born" from "public"."customers" limit 2000`,
    pii: ['email', 'born'],
  },
  {
    sql: `select count(distinct "public"."customers"."email") as "distinct_email", count("public"."customers"."phone") as "with_phone" from "public"."customers"`,
  },
  {
    sql: `select "orders"."state" as "state", sum("orders"."total") as "sum_total" from "public"."orders" "orders" where (("orders"."placed_at" >= '2026-01-01 00:00:00+00') and ("orders"."placed_at" < '2026-02-01 00:00:00+00')) group by 1 order by 1`,
  },
  {
    sql: `select city as city, sum(total) as "SUM(total)" from (select c.city, o.total from orders o join customers c on c.id = o.customer_id) as virtual_table group by city order by "SUM(total)" desc limit 1000`,
  },
  {
    sql: `select "t0"."yr", "t0"."state", count(*) over () as "rows" from (select cast(extract(year from "placed_at") as int) as "yr", "state" from "public"."orders" group by 1, 2) "t0" order by 1, 2`,
  },
  {
    sql: `select extract(epoch from date_trunc('day', at)) * 1000 as time, kind as metric, count(*) as value from events where at between '2026-01-01T00:00:00Z' and '2026-01-05T00:00:00Z' group by 1, 2 order by 1, 2`,
  },
  {
    sql: `select quote_ident(table_name) from information_schema.tables where quote_ident(table_schema) not in ('information_schema', 'pg_catalog') and table_type = 'BASE TABLE' order by table_name`,
  },
  {
    sql: `select table_name as name, count(*) as columns from information_schema.columns where table_schema = 'public' group by 1 having count(*) > 3 order by 2 desc, 1`,
  },
];
