// Principals and resources as Cedar entities; ids as policies/schema.cedarschema describes them.
import type { EntityJson, EntityUidJson } from '@cedar-policy/cedar-wasm/nodejs';
import type { Resource } from '../domain/effect.ts';
import type { Label } from '../domain/label.ts';
import { type Principal, principalId } from '../domain/principal.ts';

const kinds = { agent: 'Agent', service: 'Service', human: 'Human' } as const;

/** Claims become tags, each a set of strings; the display name stays out, because it must not decide. */
export function principalEntity(principal: Principal): EntityJson {
  const tags: Record<string, string[]> = {};
  for (const [name, value] of Object.entries(principal.claims)) {
    tags[name] = (Array.isArray(value) ? value : [value]).map(String);
  }
  return {
    uid: { type: kinds[principal.kind], id: principalId(principal) },
    attrs: {
      issuer: principal.issuer,
      subject: principal.subject,
      ...(principal.owner === undefined ? {} : { owner: principal.owner }),
      ...(principal.email === undefined ? {} : { email: principal.email }),
      delegation: [
        ...new Set(principal.delegation.map((actor) => `${actor.issuer ?? principal.issuer}|${actor.subject}`)),
      ],
    },
    parents: [...new Set(principal.groups)].map((id) => ({ type: 'Group', id })),
    tags,
  };
}

/** The resource of an effect with all that it lies in; the first entity is the resource itself. */
export function resourceEntities(target: string, resource: Resource): [EntityJson, ...EntityJson[]] {
  const { relation, column, routine } = resource;
  const schema = resource.schema ?? '';
  const top = entity('Target', part(target), { name: target }, []);
  const above: EntityJson[] = [top];
  let path = part(target);
  if (resource.schema !== undefined) {
    path = `${part(target)}/${part(schema)}`;
    above.unshift(entity('Schema', path, { name: schema }, [above[0]!.uid]));
  } else if (relation !== undefined || column !== undefined || routine !== undefined) path = `${part(target)}/?`;
  if (routine !== undefined)
    return [entity('Routine', `${path}.${part(routine)}`, { name: routine, schema }, [above[0]!.uid]), ...above];
  if (relation !== undefined) {
    path = `${path}.${part(relation)}`;
    above.unshift(entity('Relation', path, { name: relation, schema }, [above[0]!.uid]));
  } else if (column !== undefined) path = `${path}.?`;
  if (column !== undefined) {
    const attributes = { name: column, relation: relation ?? '', schema, labels: withBroader(resource.labels ?? []) };
    return [entity('Column', `${path}.${part(column)}`, attributes, [above[0]!.uid]), ...above];
  }
  return above as [EntityJson, ...EntityJson[]];
}

/** For people: `public.orders.amount`, or the target's name where an effect is about all of it. */
export function resourceName(resource: Resource, target = ''): string {
  const parts = [resource.schema, resource.relation, resource.routine, resource.column].filter(
    (name) => name !== undefined,
  );
  return parts.length > 0 ? parts.map(part).join('.') : target;
}

/** `pii.email` is also `pii`. */
export function withBroader(labels: readonly Label[]): Label[] {
  const all = new Set<Label>();
  for (const label of labels)
    for (let end = label.length; end > 0; end = label.lastIndexOf('.', end - 1)) all.add(label.slice(0, end));
  return [...all];
}

function entity(type: string, id: string, attrs: EntityJson['attrs'], parents: EntityUidJson[]): EntityJson {
  return { uid: { type, id }, attrs, parents };
}

/** Quoted as SQL does, so that a dot or slash inside a name cannot imitate the structure of an id. */
function part(name: string): string {
  return /^[A-Za-z0-9_$-]+$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}
