// Effects of what the target runs by itself when a relation is read, written or changed: triggers, rules, constraints, defaults,
// row policies, referential actions, event triggers. What can be read is read; what cannot is an unreadable call, and the policy decides.
import type { Action } from '../domain/effect.ts';
import type { Relation } from './catalogue.ts';
import type { Event, Firing } from './catalogue-firing.ts';
import { domainChecks, isSystem, readExpression, routineCall } from './effects-calls.ts';
import { parse, type Tree } from './parse.ts';
import { add, type Attributes, firing, type Names, noNames, type Reading, under } from './reading.ts';

/** An effect on a relation at any depth; passed in, because what fires writes again. */
export type Touch = (relation: Relation, action: Action, reading: Reading, attributes: Attributes) => void;

const events: Partial<Record<Action, Event>> = {
  'sql:insert': 'insert',
  'sql:update': 'update',
  'sql:delete': 'delete',
  'sql:truncate': 'truncate',
};

/** OLD and NEW stand for rows of the relation. */
const rowNames: Names = { ...noNames, ctes: new Set(['old', 'new']) };

/** Adds what a reading or writing of `relation` sets off. */
export function fire(relation: Relation, action: Action, reading: Reading, attributes: Attributes, touch: Touch): void {
  const known = reading.scope.catalogue.fired.relations.get(relation.oid);
  const event = events[action];
  if (reading.open.has(-relation.oid) || (event === undefined && action !== 'sql:read')) return;
  if (!known && reading.scope.catalogue.fired.domains.size === 0) return;
  reading.open.add(-relation.oid);
  try {
    // Also where it is only read: a literal that is compared with such a column is a value of its type.
    for (const column of relation.columns) domainChecks(column.type, reading);
    if (known) firing(reading, (fired) => run(known, action, event, fired, attributes, touch));
  } finally {
    reading.open.delete(-relation.oid);
  }
}

function run(
  known: Firing,
  action: Action,
  event: Event | undefined,
  reading: Reading,
  attributes: Attributes,
  touch: Touch,
): void {
  if (relationPolicies.has(action)) for (const text of known.policies) readExpression(text, reading);
  if (event === undefined) return;
  for (const trigger of known.triggers) {
    if (!trigger.events.has(event)) continue;
    if (trigger.condition !== undefined) condition(trigger.condition, reading);
    call(trigger.routine, reading);
  }
  for (const rule of known.rules) if (rule.event === event) readRule(rule.text, reading);
  if (event === 'insert' || event === 'update') for (const text of known.checks) readExpression(text, reading);
  // UPDATE … SET column = DEFAULT is rare, and nothing is lost when it is taken for granted.
  if (event === 'insert' || event === 'update') for (const text of known.defaults) readExpression(text, reading);
  for (const reference of known.referenced) {
    const from = reading.scope.catalogue.relations.get(reference.from);
    if (!from) continue;
    const how: Attributes = { hasWhere: true, cascade: true };
    if (event === 'truncate' && attributes['cascade']) touch(from, 'sql:truncate', reading, { cascade: true });
    if (event === 'delete' && reference.onDelete === 'c') touch(from, 'sql:delete', reading, how);
    else if (event === 'delete' && (reference.onDelete === 'n' || reference.onDelete === 'd'))
      touch(from, 'sql:update', reading, how);
    if (event === 'update' && ['c', 'n', 'd'].includes(reference.onUpdate)) touch(from, 'sql:update', reading, how);
  }
}

const relationPolicies: ReadonlySet<Action> = new Set<Action>(['sql:read', 'sql:insert', 'sql:update', 'sql:delete']);

/** DDL sets off event triggers; which of them depends on the command, and all that could are taken. */
export function fireEvents(reading: Reading): void {
  const { eventTriggers } = reading.scope.catalogue.fired;
  if (eventTriggers.length === 0) return;
  const drops = [...reading.effects.values()].some(({ action }) => action === 'sql:drop' || action === 'sql:alter');
  firing(reading, (fired) => {
    for (const { event, routine } of eventTriggers) {
      if ((event === 'sql_drop' || event === 'table_rewrite') && !drops) continue;
      if (event !== 'login') call(routine, fired);
    }
  });
}

function call(oid: number, reading: Reading): void {
  const routine = reading.scope.catalogue.functions.get(oid);
  if (!routine) add(reading, 'sql:call', { routine: 'trigger' }, { unreadable: true });
  else if (!isSystem(routine)) routineCall(routine, reading);
}

/** WHEN of a trigger, out of its CREATE TRIGGER. */
function condition(text: string, reading: Reading): void {
  within(text, reading, (tree, inside) => inside.walker.walk(tree.CreateTrigStmt?.whenClause, inside, rowNames));
}

function readRule(text: string, reading: Reading): void {
  within(text, reading, (tree, inside) => {
    inside.walker.walk(tree.RuleStmt?.whereClause, inside, rowNames);
    for (const act of (tree.RuleStmt?.actions ?? []) as Tree[]) inside.walker.statement(act, inside, rowNames);
  });
}

/** Text that the server prints with full names. */
function within(text: string, reading: Reading, read: (tree: Tree, inside: Reading) => void): void {
  const inside = under(reading, ['pg_catalog']);
  let trees: readonly Tree[];
  try {
    trees = parse(text).map((part) => part.tree);
  } catch {
    add(reading, 'sql:call', { routine: 'rule' }, { unreadable: true });
    return;
  }
  for (const tree of trees) read(tree, inside);
}
