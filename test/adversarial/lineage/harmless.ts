// What people and tools ask all day: nothing of it may be masked, held for a probe, or called opaque. The file only grows.
const relation = "(select oid from pg_catalog.pg_class where relname = 'orders' limit 1)";

export const harmless: readonly string[] = [
  'select 1',
  'select version()',
  'select current_user, session_user, current_database(), current_schema()',
  'select now(), current_timestamp, current_date, clock_timestamp()',
  'select pg_backend_pid(), inet_server_port(), pg_is_in_recovery()',
  "select current_setting('server_version_num'), current_setting('search_path')",
  'show search_path',
  'show all',
  'select count(*) from people',
  'select count(*), max(id), min(name) from people',
  'select id, name, note, mood from people',
  "select id, name from people where name ilike '%a%' order by name limit 10 offset 0",
  "select id from people where email = 'a@b.example'",
  "select name from people where ssn in ('1', '2', '3')",
  'select name from people where email is not null and vip is not null',
  'select p.name, count(o.id), sum(o.amount) from people p left join orders o on o.person = p.id group by p.name order by 2 desc',
  "select p.name, o.* from people p join orders o on o.person = p.id where o.status = 'paid'",
  'select o.status, avg(o.amount), percentile_cont(0.5) within group (order by o.amount) from orders o group by rollup (o.status)',
  "select date_trunc('day', placed) as day, count(*) from orders group by 1 order by 1",
  'select id, amount * 2 as double, amount / 3, amount % 2, -amount from orders',
  "select id, amount::int, placed::date, status::varchar(10), '5'::int from orders",
  "select id, case when amount > 15 then 'big' else 'small' end from orders",
  'select row_number() over (partition by person order by placed), lag(amount) over w from orders window w as (order by id)',
  "select id, placed + interval '1 day', age(placed), extract(epoch from placed), to_char(amount, '999') from orders",
  'with recursive n as (select 1 as i union all select i + 1 from n where i < 5) select i from n',
  'with totals as (select person, sum(amount) as total from orders group by person) select p.name, t.total from totals t join people p on p.id = t.person',
  'select * from orders where id in (select id from orders where amount > 10) and exists (select 1 from people where people.id = orders.person)',
  'select * from generate_series(1, 3) as g(n)',
  "select * from generate_series('2026-01-01'::date, '2026-01-03'::date, interval '1 day') d",
  'select key, value from json_each_text(\'{"a": 1}\')',
  "select x from unnest(array['a', 'b']) as x",
  'select row_to_json(o), to_jsonb(o), json_agg(o) from orders o group by o.id',
  'select o from orders o',
  'select distinct status from orders order by status',
  'select status from orders union select kind from events order by 1',
  'select kind, at from events',
  'select id, breed from dogs',
  'select * from counted',
  'select id, name from directory',
  'select * from guesses order by n',
  "select md5(name), upper(name), length(name), substr(name, 1, 2), name || 'x' from people",
  "select string_agg(name, ', ' order by id), array_agg(distinct name) from people",
  'select (select count(*) from orders), exists(select 1 from people)',
  "select format('%s-%s', id, status), coalesce(status, 'none'), nullif(status, 'x') from orders",
  "insert into guesses values ('a', 1), ('b', 2)",
  'insert into sinks (id, public) select id + 1000, status from orders returning id, public',
  "update orders set status = 'done' where id = 1 returning *",
  "delete from guesses where guess = 'zzz' returning n",
  "update people set email = 'new@mail.example' where id = 1 returning id, name",
  'explain select * from orders where amount > 10',
  'select gen_random_uuid(), random() > 2',
  // What psql asks for \l, \du, \dn, \dt, \d, \di, \df, \dx, \dT.
  `select d.datname, pg_catalog.pg_get_userbyid(d.datdba), pg_catalog.pg_encoding_to_char(d.encoding), d.datcollate,
     pg_catalog.array_to_string(d.datacl, E'\\n') from pg_catalog.pg_database d order by 1`,
  `select r.rolname, r.rolsuper, r.rolinherit, r.rolcreaterole, r.rolcreatedb, r.rolcanlogin, r.rolconnlimit, r.rolvaliduntil,
     r.rolreplication, r.rolbypassrls from pg_catalog.pg_roles r where r.rolname !~ '^pg_' order by 1`,
  `select n.nspname, pg_catalog.pg_get_userbyid(n.nspowner) from pg_catalog.pg_namespace n
     where n.nspname !~ '^pg_' and n.nspname <> 'information_schema' order by 1`,
  `select n.nspname, c.relname, case c.relkind when 'r' then 'table' when 'v' then 'view' end, pg_catalog.pg_get_userbyid(c.relowner)
     from pg_catalog.pg_class c left join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     left join pg_catalog.pg_am am on am.oid = c.relam
     where c.relkind in ('r', 'p', 'v') and n.nspname <> 'pg_catalog' and n.nspname !~ '^pg_toast'
       and pg_catalog.pg_table_is_visible(c.oid) order by 1, 2`,
  `select c.oid, n.nspname, c.relname from pg_catalog.pg_class c left join pg_catalog.pg_namespace n on n.oid = c.relnamespace
     where c.relname operator(pg_catalog.~) '^(people)$' collate pg_catalog.default and pg_catalog.pg_table_is_visible(c.oid) order by 2, 3`,
  `select c.relchecks, c.relkind, c.relhasindex, c.relhasrules, c.relhastriggers, c.relrowsecurity, c.relforcerowsecurity, false,
     c.relispartition, '', c.reltablespace, case when c.reloftype = 0 then '' else c.reloftype::pg_catalog.regtype::pg_catalog.text end,
     c.relpersistence, c.relreplident, am.amname from pg_catalog.pg_class c
     left join pg_catalog.pg_class tc on (c.reltoastrelid = tc.oid) left join pg_catalog.pg_am am on (c.relam = am.oid)
     where c.oid = ${relation}`,
  `select a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull,
     (select c.collname from pg_catalog.pg_collation c, pg_catalog.pg_type t where c.oid = a.attcollation and t.oid = a.atttypid
       and a.attcollation <> t.typcollation) as attcollation, a.attidentity, a.attgenerated
     from pg_catalog.pg_attribute a where a.attrelid = ${relation} and a.attnum > 0 and not a.attisdropped order by a.attnum`,
  `select c2.relname, i.indisprimary, i.indisunique, i.indisclustered, i.indisvalid, pg_catalog.pg_get_indexdef(i.indexrelid, 0, true),
     pg_catalog.pg_get_constraintdef(con.oid, true), contype, condeferrable, condeferred, i.indisreplident, c2.reltablespace
     from pg_catalog.pg_class c, pg_catalog.pg_class c2, pg_catalog.pg_index i
     left join pg_catalog.pg_constraint con on (conrelid = i.indrelid and conindid = i.indexrelid and contype in ('p', 'u', 'x'))
     where c.oid = ${relation} and c.oid = i.indrelid and i.indexrelid = c2.oid order by i.indisprimary desc, c2.relname`,
  `select true as sametable, conname, pg_catalog.pg_get_constraintdef(r.oid, true) as condef, conrelid::pg_catalog.regclass as ontable
     from pg_catalog.pg_constraint r where r.conrelid = ${relation} and r.contype = 'f' and conparentid = 0 order by conname`,
  `select c.oid::pg_catalog.regclass, c.relkind, inhdetachpending, pg_catalog.pg_get_expr(c.relpartbound, c.oid)
     from pg_catalog.pg_class c, pg_catalog.pg_inherits i where c.oid = i.inhrelid and i.inhparent = ${relation} order by c.oid`,
  `select n.nspname, p.proname, pg_catalog.pg_get_function_result(p.oid), pg_catalog.pg_get_function_arguments(p.oid),
     case p.prokind when 'a' then 'agg' when 'w' then 'window' when 'p' then 'proc' else 'func' end
     from pg_catalog.pg_proc p left join pg_catalog.pg_namespace n on n.oid = p.pronamespace
     where pg_catalog.pg_function_is_visible(p.oid) and n.nspname <> 'pg_catalog' order by 1, 2, 4`,
  `select e.extname, e.extversion, n.nspname, d.description from pg_catalog.pg_extension e
     left join pg_catalog.pg_namespace n on n.oid = e.extnamespace
     left join pg_catalog.pg_description d on d.objoid = e.oid and d.classoid = 'pg_catalog.pg_extension'::pg_catalog.regclass order by 1`,
  `select n.nspname, pg_catalog.format_type(t.oid, null), pg_catalog.obj_description(t.oid, 'pg_type') from pg_catalog.pg_type t
     left join pg_catalog.pg_namespace n on n.oid = t.typnamespace where t.typtype = 'e' order by 1, 2`,
  `select table_schema, table_name, column_name, data_type, is_nullable from information_schema.columns
     where table_schema = 'public' order by table_name, ordinal_position`,
  "select table_name from information_schema.tables where table_schema not in ('pg_catalog', 'information_schema')",
  `select t.oid, t.typname, t.typelem, t.typdelim, t.typinput, r.rngsubtype, t.typtype, t.typbasetype
     from pg_type as t left join pg_range as r on oid = rngtypid where t.typname in ('int4', 'text') or t.typtype in ('r', 'e', 'd')`,
  "select pid, state, usename, wait_event, backend_start, now() - xact_start from pg_stat_activity where state = 'active'",
  'select relname, n_live_tup, seq_scan, last_vacuum from pg_stat_user_tables order by n_live_tup desc',
  'select pg_size_pretty(pg_total_relation_size(oid)), relname from pg_class order by pg_total_relation_size(oid) desc limit 5',
  // What a JDBC driver asks for primary keys.
  `select ct.relname, a.attname, (information_schema._pg_expandarray(i.indkey)).n as key_seq, ci.relname from pg_catalog.pg_class ct
     join pg_catalog.pg_attribute a on ct.oid = a.attrelid join pg_catalog.pg_index i on a.attrelid = i.indrelid
     join pg_catalog.pg_class ci on ci.oid = i.indexrelid where i.indisprimary limit 3`,
  'select locktype, mode, granted, pid from pg_locks',
  'select name, setting, unit from pg_settings order by name',
];
