// What a policy can apply to, as far as its structure tells: kinds of principals, actions, resources, and conditions that must
// all hold. `coversReach` answers true only where it is certain.
import type { PolicyJson } from '@cedar-policy/cedar-wasm/nodejs';
import { actionsIn } from './schema.ts';

export interface Reach {
  readonly principal: Side;
  readonly actions: ReadonlySet<string>;
  readonly resource: Side & {
    /** The target that the resource must be or lie in, by its plain name. */
    readonly target?: string;
  };
  /** Canonical texts of the conditions; all of them must hold. */
  readonly conjuncts: ReadonlySet<string>;
  /** Labels that the resource must carry. */
  readonly labels: readonly string[];
}

interface Side {
  readonly types: ReadonlySet<string>;
  /** Ids that it must be, or lie in. */
  readonly within?: { readonly exact: boolean; readonly type: string; readonly id: string };
}

const principals = ['Agent', 'Service', 'Human'];
const resources = ['Target', 'Schema', 'Relation', 'Column', 'Routine'];

export function reachOf(policy: PolicyJson): Reach {
  const terms: unknown[] = [];
  for (const { kind, body } of policy.conditions) split(body, kind === 'when', terms);
  const resource = sideOf(policy.resource as Scope, resources);
  const target = resource.within && /^[A-Za-z0-9_$-]+/.exec(resource.within.id)?.[0];
  return {
    principal: sideOf(policy.principal as Scope, principals),
    actions: actionsOf(policy.action as Scope),
    resource: target === undefined ? resource : { ...resource, target },
    conjuncts: new Set(terms.map((term) => JSON.stringify(term))),
    labels: terms.flatMap(labelIn),
  };
}

/** Whether everything that `inner` applies to is something that `outer` applies to. */
export function coversReach(outer: Reach, inner: Reach): boolean {
  return (
    coversSide(outer.principal, inner.principal) &&
    [...inner.actions].every((action) => outer.actions.has(action)) &&
    coversSide(outer.resource, inner.resource) &&
    [...outer.conjuncts].every((term) => inner.conjuncts.has(term))
  );
}

function coversSide(outer: Side, inner: Side): boolean {
  if (![...inner.types].every((type) => outer.types.has(type))) return false;
  if (!outer.within) return true;
  if (!inner.within) return false;
  const [out, is] = [outer.within, inner.within];
  if (out.type === is.type && out.id === is.id) return !out.exact || is.exact;
  // Ids are paths, with quotes around whatever could imitate one (entities.ts).
  return !out.exact && out.type !== 'Group' && (is.id.startsWith(`${out.id}/`) || is.id.startsWith(`${out.id}.`));
}

interface Uid {
  readonly type: string;
  readonly id: string;
}
interface Scope {
  readonly op: 'All' | '==' | 'in' | 'is';
  readonly entity?: Uid;
  readonly entities?: readonly Uid[];
  readonly entity_type?: string;
  readonly in?: { readonly entity: Uid };
}

function sideOf(scope: Scope, all: readonly string[]): Side {
  const { op, entity, entity_type: type } = scope;
  if (op === '==') return { types: new Set([entity!.type]), within: { exact: true, ...entity! } };
  if (op === 'in') return { types: new Set(all), within: { exact: false, ...entity! } };
  if (op === 'is')
    return { types: new Set([type!]), ...(scope.in ? { within: { exact: false, ...scope.in.entity } } : {}) };
  return { types: new Set(all) };
}

function actionsOf({ op, entity, entities }: Scope): ReadonlySet<string> {
  if (op === 'All') return new Set(actionsIn());
  return new Set((entities ?? [entity!]).flatMap(({ id }) => (op === '==' ? [id] : actionsIn(id))));
}

/** `a && b` asks for both; `unless { a || b }` for neither. */
function split(node: unknown, wanted: boolean, into: unknown[]): void {
  const parts = node as Partial<Record<'&&' | '||' | '!', { left?: unknown; right?: unknown; arg?: unknown }>>;
  const both = wanted ? parts['&&'] : parts['||'];
  if (both) {
    split(both.left, wanted, into);
    split(both.right, wanted, into);
  } else if (parts['!']) split(parts['!'].arg, !wanted, into);
  else into.push(wanted ? node : { '!': { arg: node } });
}

function labelIn(term: unknown): string[] {
  const { contains } = term as { contains?: { left: unknown; right: { Value?: unknown } } };
  if (JSON.stringify(contains?.left) !== '{".":{"left":{"Var":"resource"},"attr":"labels"}}') return [];
  return typeof contains!.right.Value === 'string' ? [contains!.right.Value] : [];
}
