// A resource's name read back. Names are written by `resourceName` (entities.ts).
import type { Resource } from '../domain/effect.ts';

/** What a name means where the record says no more: schema, relation and column, or a routine for what is called. */
export function resourceOf(action: string, name: string, target: string): Resource {
  if (name === target) return {};
  const [schema, second, third, ...more] = partsOf(name);
  if (schema === undefined || more.length > 0) return {};
  if (second === undefined) return { schema };
  if (action === 'sql:call') return third === undefined ? { schema, routine: second } : {};
  return third === undefined ? { schema, relation: second } : { schema, relation: second, column: third };
}

/** The parts of a name as `resourceName` writes it. */
function partsOf(name: string): string[] {
  return [...name.matchAll(/(?:^|\.)(?:"((?:[^"]|"")*)"|([^".]+))/g)].map(
    ([, quoted, plain]) => plain ?? quoted!.replaceAll('""', '"'),
  );
}
