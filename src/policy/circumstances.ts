// The context of a Cedar request: what a statement's circumstances are, and which of them a policy reads (DESIGN §4).
import type { CedarValueJson, PolicyJson } from '@cedar-policy/cedar-wasm/nodejs';
import type { Effect } from '../domain/effect.ts';
import type { StatementKind } from '../domain/statement.ts';
import { effectAttributes } from './schema.ts';

export interface Circumstances {
  readonly database: string;
  readonly kind: StatementKind;
  /** Nobody is there to see what the statement does. */
  readonly unattended: boolean;
  /** Milliseconds since the epoch. */
  readonly time: number;
}

/** Attributes outside the schema stay out; one of the wrong type is passed on, so that Cedar refuses the request. */
export function circumstancesOf(effect: Effect, of: Circumstances): Record<string, CedarValueJson> {
  const context: Record<string, CedarValueJson> = {};
  for (const [name, value] of Object.entries(effect.attributes ?? {})) {
    if (Object.hasOwn(effectAttributes, name)) context[name] = value;
  }
  context['database'] = of.database;
  context['kind'] = of.kind;
  context['unattended'] = of.unattended;
  context['time'] = { __extn: { fn: 'datetime', arg: new Date(of.time).toISOString() } };
  return context;
}

/** Names of the context attributes that a policy reads; `undefined` when it uses the context as a whole. */
export function contextAttributes(policy: PolicyJson): ReadonlySet<string> | undefined {
  const names = new Set<string>();
  let whole = false;
  const walk = (node: unknown): void => {
    if (Array.isArray(node)) return node.forEach(walk);
    if (node === null || typeof node !== 'object') return;
    for (const [key, value] of Object.entries(node)) {
      const access =
        (key === '.' || key === 'has') && typeof value === 'object'
          ? (value as { left?: unknown; attr?: unknown })
          : undefined;
      if (access && isContext(access.left)) {
        const first = Array.isArray(access.attr) ? access.attr[0] : access.attr;
        if (typeof first === 'string') names.add(first);
        else whole = true;
      } else if (key === 'Var' && value === 'context') whole = true;
      else walk(value);
    }
  };
  walk(policy.conditions);
  return whole ? undefined : names;
}

function isContext(node: unknown): boolean {
  return typeof node === 'object' && node !== null && (node as { Var?: unknown }).Var === 'context';
}
