// What a database holds, place by place, as a superuser sees it: rows of every relation, and every catalogue in which a client's text
// or a value could come to rest.
import type pg from 'pg';

export interface State {
  /** All of it; equal texts are equal states. */
  readonly text: string;
  /** Relation and column → the values there. */
  readonly places: ReadonlyMap<string, string>;
}

const catalogues: Readonly<Record<string, string>> = {
  namespaces: 'select nspname, nspowner::regrole, nspacl from pg_namespace where nspname !~ $$^pg_(toast_)?temp_$$',
  relations: `select c.oid::regclass, relname, relkind, relowner::regrole, relacl, reloptions, relrowsecurity, relpersistence, relispartition,
    case when relkind in ('v', 'm') then pg_get_viewdef(c.oid) end as definition from pg_class c where c.oid >= 16384 and relnamespace::regnamespace::text !~ '^pg_'`,
  columns: `select attrelid::regclass, attname, atttypid::regtype, attnotnull, attidentity, attgenerated, attisdropped, attacl, attoptions, attmissingval
    from pg_attribute join pg_class c on c.oid = attrelid where attrelid >= 16384 and attnum > 0 and relnamespace::regnamespace::text !~ '^pg_'`,
  defaults: 'select adrelid::regclass, adnum, pg_get_expr(adbin, adrelid) as expression from pg_attrdef',
  constraints:
    'select conname, conrelid::regclass, contypid::regtype, pg_get_constraintdef(oid) as definition from pg_constraint',
  indexes:
    'select indexrelid::regclass, pg_get_indexdef(indexrelid) as definition from pg_index where indexrelid >= 16384',
  triggers: 'select pg_get_triggerdef(oid) as definition, tgenabled from pg_trigger where not tgisinternal',
  rules: `select pg_get_ruledef(oid) as definition from pg_rewrite where oid >= 16384 and rulename <> '_RETURN'`,
  event_triggers: 'select evtname, evtevent, evtfoid::regproc, evtenabled from pg_event_trigger',
  routines:
    'select oid::regprocedure, proname, prosrc, prosqlbody is null as text, proconfig, proacl, prosecdef, proowner::regrole from pg_proc where oid >= 16384',
  types: `select oid::regtype, typname, typdefault, typtype from pg_type where oid >= 16384 and typtype <> 'c' and typcategory <> 'A' and typnamespace::regnamespace::text !~ '^pg_'`,
  enums: 'select enumtypid::regtype, enumlabel from pg_enum',
  casts: 'select castsource::regtype, casttarget::regtype, castfunc::regproc from pg_cast where oid >= 16384',
  operators: 'select oid::regoperator, oprcode from pg_operator where oid >= 16384',
  policies: 'select polname, polrelid::regclass, pg_get_expr(polqual, polrelid) as using from pg_policy',
  statistics: 'select stxname, pg_get_statisticsobjdef(oid) as definition from pg_statistic_ext',
  comments: 'select objoid >= 16384 as own, objsubid, description from pg_description where objoid >= 16384',
  shared_comments: 'select description from pg_shdescription',
  security_labels: 'select provider, label from pg_seclabel',
  settings: 'select setdatabase <> 0 as here, setrole::regrole, setconfig from pg_db_role_setting',
  roles: 'select rolname, rolsuper, rolcanlogin, rolcreaterole, rolvaliduntil, rolconfig from pg_roles',
  members: 'select roleid::regrole, member::regrole from pg_auth_members where oid >= 16384',
  large_objects: 'select m.oid, pageno, data from pg_largeobject_metadata m left join pg_largeobject on loid = m.oid',
  servers: 'select srvname, srvoptions from pg_foreign_server',
  publications: 'select pubname, puballtables from pg_publication',
  extensions: 'select extname from pg_extension',
  prepared: 'select gid from pg_prepared_xacts where database = current_database()',
  replication: 'select slot_name, slot_type from pg_replication_slots',
  dictionaries: 'select dictname, dictinitoption from pg_ts_dict where oid >= 16384',
};

const literal = (value: string) => `$state$${value}$state$`;
const fixed = Object.entries(catalogues)
  .map(
    ([name, query]) => `select ${literal(`catalogue ${name}`)}, query_to_xml(${literal(query)}, true, true, '')::text`,
  )
  .join('\nunion all\n');
const rows = `select c.oid::regclass::text, query_to_xml(format('select * from only %s', c.oid::regclass), true, true, '')::text
  from pg_class c where relkind in ('r', 'm', 'S') and relnamespace::regnamespace::text !~ '^(pg_|information_schema)'`;

export async function readState(client: pg.Client): Promise<State> {
  const answer = await client.query<[string, string]>({ text: `${rows}\nunion all\n${fixed}`, rowMode: 'array' });
  const found = answer.rows.map(([name, xml]) => {
    // Rows have no order of their own.
    const lines = xml.split(/\n(?=<row)/).toSorted();
    return [name, lines] as const;
  });
  const places = new Map<string, string>();
  for (const [name, lines] of found)
    for (const line of lines)
      for (const [, column, value] of line.matchAll(/<([^\s>]+)[^>]*>([^<]*)<\/\1>/g)) {
        const place = `${name}.${column}`;
        places.set(place, `${places.get(place) ?? ''}${value}\n`);
      }
  const text = found
    .map(([name, lines]) => `${name}\n${lines.join('\n')}`)
    .toSorted()
    .join('\n');
  return { text, places };
}
