// The queries by which a target's catalogue is read: PostgreSQL 14–18, text results, no NULLs, in this order. Run them on a
// connection of the gateway's own, in one transaction: the first one empties the search path, so that pg_get_viewdef and
// pg_get_expr name every schema except pg_catalog.
import { firingQuery } from './catalogue-firing.ts';

/** Characters of a column's comment that label rules look at. */
const longestComment = 4_096;

const keep = `n.nspname not like 'pg\\_toast%'`;

/** OIDs below are of the server's initial contents, which stay as they are as long as it runs. */
export const firstOwnOid = 16_384;

/** `from` restricts the four large ones to OIDs of a column. */
const queries = (from: (oid: string) => string): readonly string[] => [
  `select pg_catalog.set_config('search_path', '', false)`,
  `select n.oid::text, n.nspname::text from pg_catalog.pg_namespace n where ${keep} order by n.oid`,
  `select c.oid::text, c.relnamespace::text, c.relname::text, c.relkind::text, c.relrowsecurity::text,
     (exists (select 1 from pg_catalog.pg_trigger t where t.tgrelid = c.oid and not t.tgisinternal))::text,
     (exists (select 1 from pg_catalog.pg_rewrite r where r.ev_class = c.oid and r.rulename <> '_RETURN'))::text,
     pg_catalog.pg_get_userbyid(c.relowner)::text, c.reltype::text, c.relpersistence::text,
     case when c.relkind in ('v', 'm') and n.nspname not in ('pg_catalog', 'information_schema')
       then coalesce(pg_catalog.pg_get_viewdef(c.oid), '') else '' end
   from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
   where c.relkind in ('r', 'p', 'v', 'm', 'f', 'S', 'c') and ${keep}${from('c.oid')} order by c.oid`,
  `select a.attrelid::text, a.attnum::text, a.attname::text, a.atttypid::text, a.attisdropped::text, a.attgenerated::text,
     case when a.attgenerated <> '' then coalesce(pg_catalog.pg_get_expr(d.adbin, d.adrelid), '') else '' end,
     coalesce(pg_catalog.left(x.description, ${longestComment}), '')
   from pg_catalog.pg_attribute a join pg_catalog.pg_class c on c.oid = a.attrelid
   join pg_catalog.pg_namespace n on n.oid = c.relnamespace
   left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
   left join pg_catalog.pg_description x on x.objoid = a.attrelid and x.objsubid = a.attnum
     and x.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass
   where a.attnum > 0 and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S', 'c') and ${keep}${from('a.attrelid')} order by a.attrelid, a.attnum`,
  `select i.inhrelid::text, i.inhparent::text from pg_catalog.pg_inherits i order by i.inhrelid, i.inhseqno`,
  `select t.oid::text, t.typnamespace::text, t.typname::text, t.typtype::text, t.typelem::text, t.typbasetype::text,
     t.typrelid::text, t.typarray::text, (t.typcategory = 'A')::text
   from pg_catalog.pg_type t join pg_catalog.pg_namespace n on n.oid = t.typnamespace where ${keep}${from('t.oid')} order by t.oid`,
  `select p.oid::text, p.pronamespace::text, p.proname::text, p.prokind::text, p.provolatile::text, p.proretset::text,
     p.prorettype::text, p.proargtypes::text, p.pronargs::text, p.pronargdefaults::text, (p.provariadic <> 0)::text,
     coalesce(pg_catalog.array_to_json(p.proallargtypes)::text, ''), coalesce(pg_catalog.array_to_json(p.proargmodes)::text, ''),
     coalesce(pg_catalog.array_to_json(p.proargnames)::text, ''), l.lanname::text, coalesce(e.extname::text, ''),
     case when n.nspname in ('pg_catalog', 'information_schema') then '' when p.prosqlbody is null then coalesce(p.prosrc, '')
       else pg_catalog.pg_get_function_sqlbody(p.oid) end,
     (p.prosqlbody is not null)::text, p.prosecdef::text, coalesce(pg_catalog.array_to_json(p.proconfig)::text, '')
   from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
   join pg_catalog.pg_language l on l.oid = p.prolang
   left join pg_catalog.pg_depend x on x.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass and x.objid = p.oid
     and x.deptype = 'e' and x.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
   left join pg_catalog.pg_extension e on e.oid = x.refobjid
   where ${keep}${from('p.oid')} order by p.oid`,
  `select o.oprname::text, o.oprcode::pg_catalog.oid::text from pg_catalog.pg_operator o
   join pg_catalog.pg_namespace n on n.oid = o.oprnamespace where n.nspname <> 'pg_catalog' order by o.oid`,
  `select k.castsource::text, k.casttarget::text, k.castfunc::text from pg_catalog.pg_cast k
   where k.oid >= ${firstOwnOid} order by k.oid`,
  firingQuery,
];

/** Results go to `readCatalogue`, in order, one list of rows for each query. */
export const catalogueQueries: readonly string[] = queries(() => '');

/** The same without the server's initial contents: `readCatalogue` takes those from a catalogue that was read before. */
export const ownCatalogueQueries: readonly string[] = queries((oid) => ` and ${oid} >= ${firstOwnOid}`);

const versioned = [
  'pg_namespace',
  'pg_class',
  'pg_attribute',
  'pg_attrdef',
  'pg_inherits',
  'pg_rewrite',
  'pg_trigger',
  'pg_type',
  'pg_proc',
  'pg_operator',
  'pg_cast',
  'pg_constraint',
  'pg_index',
  'pg_policy',
  'pg_aggregate',
  'pg_event_trigger',
];

/** Only the comments of columns: the server ships thousands of others. */
const comments = `(select d.xmin from pg_catalog.pg_description d
  where d.classoid = 'pg_catalog.pg_class'::pg_catalog.regclass and d.objsubid > 0)`;

/**
 * One text value that changes with every committed DDL, for polling: each change of a catalogue row leaves the row with
 * the transaction id of the change (test: catalogue.test.ts). About ten thousand rows are read, a few milliseconds.
 */
export const catalogueVersionQuery = `select pg_catalog.string_agg(x.v, ' ') from (${[
  ...versioned.map((name) => `pg_catalog.${name}`),
  comments,
]
  .map(
    (source) =>
      `select pg_catalog.concat(pg_catalog.count(*), ':', pg_catalog.sum(pg_catalog.hashint8(t.xmin::pg_catalog.text::pg_catalog.int8))) as v from ${source} t`,
  )
  .join(' union all ')}) x`;
