// What a target runs by itself: triggers, rules, constraints, defaults, row policies, index expressions, referential actions,
// aggregates and event triggers. The catalogue keeps them as the server prints them, names fully qualified.

/** What reading or writing one relation sets off. Expressions are SQL text. */
export interface Firing {
  readonly triggers: readonly Trigger[];
  readonly rules: readonly Rule[];
  /** CHECK constraints, generated columns, and the expressions and predicates of indexes: evaluated for each row written. */
  readonly checks: readonly string[];
  /** Defaults of columns. */
  readonly defaults: readonly string[];
  /** Row security, when it is on. */
  readonly policies: readonly string[];
  /** Foreign keys of other relations that point here. */
  readonly referenced: readonly Reference[];
  /** Columns that cannot be null. */
  readonly notNull: ReadonlySet<string>;
}

export interface Trigger {
  readonly routine: number;
  readonly events: ReadonlySet<Event>;
  /** CREATE TRIGGER as the server prints it, where the trigger has a condition. */
  readonly condition?: string;
}

export interface Rule {
  readonly event: Event;
  /** CREATE RULE as the server prints it. */
  readonly text: string;
}

export interface Reference {
  /** The relation with the key. */
  readonly from: number;
  /** a no action, r restrict, c cascade, n set null, d set default. */
  readonly onDelete: string;
  readonly onUpdate: string;
}

export type Event = 'insert' | 'update' | 'delete' | 'truncate' | 'select';

export interface EventTrigger {
  /** ddl_command_start, ddl_command_end, sql_drop, table_rewrite. */
  readonly event: string;
  readonly routine: number;
}

export interface Fired {
  readonly relations: ReadonlyMap<number, Firing>;
  /** By OID of a domain: its CHECK constraints and its default. */
  readonly domains: ReadonlyMap<number, readonly string[]>;
  /** By OID of an aggregate that somebody made: the functions that it is of. */
  readonly aggregates: ReadonlyMap<number, readonly number[]>;
  /** By OID of a routine: the defaults of its arguments. */
  readonly argumentDefaults: ReadonlyMap<number, string>;
  readonly eventTriggers: readonly EventTrigger[];
}

/** One row each: kind, OID of the relation, type or aggregate, what, OID of a routine or relation, text. */
export const firingQuery = `
   select 'trigger', t.tgrelid::text, t.tgtype::text, t.tgfoid::text,
     case when t.tgqual is null then '' else pg_catalog.pg_get_triggerdef(t.oid) end
   from pg_catalog.pg_trigger t where not t.tgisinternal and t.tgenabled in ('O', 'A')
   union all select 'rule', r.ev_class::text, r.ev_type::text, '0', pg_catalog.pg_get_ruledef(r.oid)
   from pg_catalog.pg_rewrite r where r.rulename <> '_RETURN' and r.ev_enabled in ('O', 'A')
   union all select 'check', k.conrelid::text, '', '0', coalesce(pg_catalog.pg_get_expr(k.conbin, k.conrelid), '')
   from pg_catalog.pg_constraint k where k.contype = 'c' and k.conrelid <> 0
   union all select 'domain', k.contypid::text, '', '0', coalesce(pg_catalog.pg_get_expr(k.conbin, 0), '')
   from pg_catalog.pg_constraint k where k.contype = 'c' and k.contypid <> 0 and k.oid >= 16384
   union all select 'domain', t.oid::text, '', '0', pg_catalog.pg_get_expr(t.typdefaultbin, 0)
   from pg_catalog.pg_type t where t.typtype = 'd' and t.typdefaultbin is not null and t.oid >= 16384
   union all select 'reference', k.confrelid::text, k.confdeltype::text || k.confupdtype::text, k.conrelid::text, ''
   from pg_catalog.pg_constraint k where k.contype = 'f'
   union all select case when a.attgenerated = '' then 'default' else 'check' end, d.adrelid::text, '', '0',
     coalesce(pg_catalog.pg_get_expr(d.adbin, d.adrelid), '')
   from pg_catalog.pg_attrdef d join pg_catalog.pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum
   union all select 'index', i.indrelid::text, '', '0', pg_catalog.concat_ws(', ', pg_catalog.pg_get_expr(i.indexprs, i.indrelid),
     pg_catalog.pg_get_expr(i.indpred, i.indrelid))
   from pg_catalog.pg_index i where i.indexrelid >= 16384 and (i.indexprs is not null or i.indpred is not null)
   union all select 'policy', p.polrelid::text, p.polcmd::text, '0', pg_catalog.concat_ws(', ', pg_catalog.pg_get_expr(p.polqual, p.polrelid),
     pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid))
   from pg_catalog.pg_policy p join pg_catalog.pg_class c on c.oid = p.polrelid where c.relrowsecurity
   union all select 'aggregate', a.aggfnoid::pg_catalog.oid::text, '', f.routine::text, ''
   from pg_catalog.pg_aggregate a cross join lateral (values (a.aggtransfn::pg_catalog.oid), (a.aggfinalfn::pg_catalog.oid),
     (a.aggcombinefn::pg_catalog.oid), (a.aggserialfn::pg_catalog.oid), (a.aggdeserialfn::pg_catalog.oid), (a.aggmtransfn::pg_catalog.oid),
     (a.aggminvtransfn::pg_catalog.oid), (a.aggmfinalfn::pg_catalog.oid)) f(routine)
   where a.aggfnoid::pg_catalog.oid >= 16384 and f.routine <> 0
   union all select 'not null', a.attrelid::text, a.attname::text, '0', '' from pg_catalog.pg_attribute a
   where a.attnotnull and a.attnum > 0 and a.attrelid >= 16384
   union all select 'argument', p.oid::text, '', '0', pg_catalog.pg_get_expr(p.proargdefaults, 0)
   from pg_catalog.pg_proc p where p.proargdefaults is not null and p.oid >= 16384
   union all select 'event', '0', e.evtevent::text, e.evtfoid::text, ''
   from pg_catalog.pg_event_trigger e where e.evtenabled in ('O', 'A')
   order by 1, 2, 3, 4, 5`;

/** Bits of pg_trigger.tgtype. */
const triggerEvents: readonly (readonly [number, Event])[] = [
  [4, 'insert'],
  [8, 'delete'],
  [16, 'update'],
  [32, 'truncate'],
];
/** pg_rewrite.ev_type. */
const ruleEvents: Readonly<Record<string, Event>> = { 1: 'select', 2: 'update', 3: 'insert', 4: 'delete' };

type Lists = Omit<Firing, 'notNull'>;
type Filling = { -readonly [K in keyof Lists]: Lists[K][number][] } & { readonly notNull: Set<string> };

/** Rows of `firingQuery`. Throws an Error for a kind that it does not have. */
export function readFiring(rows: readonly (readonly string[])[]): Fired {
  const relations = new Map<number, Filling>();
  const domains = new Map<number, string[]>();
  const aggregates = new Map<number, number[]>();
  const argumentDefaults = new Map<number, string>();
  const eventTriggers: EventTrigger[] = [];
  const of = (oid: number): Filling => {
    const known = relations.get(oid);
    if (known) return known;
    const empty: Filling = {
      triggers: [],
      rules: [],
      checks: [],
      defaults: [],
      policies: [],
      referenced: [],
      notNull: new Set(),
    };
    relations.set(oid, empty);
    return empty;
  };
  for (const [kind, owner, what, other, text] of rows as (readonly [string, string, string, string, string])[]) {
    const oid = Number(owner);
    if (kind === 'trigger') {
      const events = new Set(triggerEvents.filter(([bit]) => (Number(what) & bit) !== 0).map(([, event]) => event));
      of(oid).triggers.push({ routine: Number(other), events, ...(text === '' ? {} : { condition: text }) });
    } else if (kind === 'rule') of(oid).rules.push({ event: ruleEvents[what] ?? 'select', text });
    else if (kind === 'check' || kind === 'index') of(oid).checks.push(text);
    else if (kind === 'default') of(oid).defaults.push(text);
    else if (kind === 'policy') of(oid).policies.push(text);
    else if (kind === 'reference')
      of(oid).referenced.push({ from: Number(other), onDelete: what[0] ?? 'a', onUpdate: what[1] ?? 'a' });
    else if (kind === 'domain') domains.set(oid, [...(domains.get(oid) ?? []), text]);
    else if (kind === 'aggregate') aggregates.set(oid, [...(aggregates.get(oid) ?? []), Number(other)]);
    else if (kind === 'not null') of(oid).notNull.add(what);
    else if (kind === 'argument') argumentDefaults.set(oid, text);
    else if (kind === 'event') eventTriggers.push({ event: what, routine: Number(other) });
    else throw new Error(`the catalogue has something that fires and is not known: ${kind}`);
  }
  return { relations, domains, aggregates, argumentDefaults, eventTriggers };
}
