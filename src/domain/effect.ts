import type { Label } from './label.ts';

/** What a statement does to a resource. `sql:write` and `sql:ddl` are Cedar action groups, not members. */
export const actions = [
  'connect',
  'cancel',
  'sql:read',
  'sql:reveal',
  'sql:insert',
  'sql:update',
  'sql:delete',
  'sql:truncate',
  'sql:create',
  'sql:alter',
  'sql:drop',
  'sql:grant',
  'sql:call',
  'sql:copy_program',
  'sql:file_read',
  'sql:file_write',
  'sql:session',
  'sql:transaction',
  'sql:lock',
  'sql:maintain',
  'sql:notify',
  'sql:listen',
  'sql:derive',
  'sql:probe',
  'sql:match',
  'sql:unknown',
] as const;
export type Action = (typeof actions)[number];

/** What is acted on. Absent parts mean the whole of the level above: no schema means the target itself. */
export interface Resource {
  readonly schema?: string;
  readonly relation?: string;
  readonly column?: string;
  /** A function or procedure of `schema`. */
  readonly routine?: string;
  /** Labels of a column resource. */
  readonly labels?: readonly Label[];
}

export interface Effect {
  readonly action: Action;
  readonly resource: Resource;
  readonly attributes?: Readonly<Record<string, boolean | number | string>>;
}

/** Actions that cannot change anything at the target; every other one is acknowledged at the target's `write` level. */
const readOnly: ReadonlySet<Action> = new Set<Action>([
  'connect',
  'cancel',
  'sql:read',
  'sql:reveal',
  'sql:probe',
  'sql:match',
  'sql:session',
  'sql:transaction',
  'sql:listen',
]);

export function changesState(effects: readonly Effect[]): boolean {
  for (const effect of effects) if (!readOnly.has(effect.action)) return true;
  return false;
}
