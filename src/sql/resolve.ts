// Names → what the server would find: search path, implicit pg_catalog, temporary schema (PostgreSQL manual 5.10.3–5.10.5).
// The grammar has folded and unquoted names already. What is not found is undefined: the caller treats it as anything.
import type { Catalogue, Relation, Routine, Type } from './catalogue.ts';
import type { Tree } from './parse.ts';

/** The part of a Scope that names depend on. */
export interface Naming {
  readonly catalogue: Catalogue;
  readonly searchPath: readonly string[];
  readonly role: string;
}

export interface Name {
  readonly schema?: string;
  readonly name: string;
}

/**
 * Schemas in the order in which the server looks: `$user` replaced, pg_catalog first unless it is listed. A session
 * that has a temporary schema MUST have it in its path (`pg_temp_3`); a bare `pg_temp` stands for any of them.
 */
export function searchOrder(scope: Naming): readonly string[] {
  const path = scope.searchPath.map((schema) => (schema === '$user' ? scope.role : schema));
  return path.includes('pg_catalog') ? path : ['pg_catalog', ...path];
}

/** A qualified or bare name from a list of String nodes; a database in front is dropped. Undefined when it is not a name. */
export function nameFrom(parts: readonly Tree[] | undefined): Name | undefined {
  const words = (parts ?? []).map((part) => part.String?.sval ?? '');
  const name = words.at(-1);
  if (name === undefined || name === '' || words.length > 3) return undefined;
  const schema = words.at(-2);
  return schema === undefined ? { name } : { schema, name };
}

/** Undefined also when more than one temporary schema could be meant. */
export function findRelation(scope: Naming, { schema, name }: Name): Relation | undefined {
  const { catalogue } = scope;
  const order = searchOrder(scope);
  const own = order.filter((entry) => /^pg_temp_\d+$/.test(entry));
  if (schema === 'pg_temp') return own.length === 1 ? catalogue.relationNamed(own[0]!, name) : undefined;
  if (schema !== undefined) return catalogue.relationNamed(schema, name);
  // The temporary schema comes first unless the path places it.
  const places = order.includes('pg_temp') ? order : [...own, ...order.filter((entry) => !own.includes(entry))];
  for (const entry of places) {
    if (entry === 'pg_temp') {
      if (own.length === 0 && temporaryNamed(catalogue, name)) return undefined;
      const found = own[0] === undefined ? undefined : catalogue.relationNamed(own[0], name);
      if (found) return found;
      continue;
    }
    const found = catalogue.relationNamed(entry, name);
    if (found) return found;
  }
  return undefined;
}

/** Every overload that the name could mean; functions are never looked for in the temporary schema without being told. */
export function findRoutines(scope: Naming, { schema, name }: Name): readonly Routine[] {
  if (schema !== undefined && !schema.startsWith('pg_temp')) return scope.catalogue.functionsNamed(schema, name);
  const places = schema === undefined ? searchOrder(scope).filter((entry) => !entry.startsWith('pg_temp')) : [];
  if (schema !== undefined)
    for (const entry of scope.catalogue.schemas.values()) if (entry.startsWith('pg_temp_')) places.push(entry);
  return [...new Set(places)].flatMap((entry) => scope.catalogue.functionsNamed(entry, name));
}

/** Those overloads that a call with so many arguments could mean. */
export function fitting(routines: readonly Routine[], count: number): readonly Routine[] {
  return routines.filter(
    (routine) =>
      (count <= routine.arguments.length && count >= routine.arguments.length - routine.defaults) ||
      (routine.variadic && count >= routine.arguments.length - 1 - routine.defaults),
  );
}

/** The type that a TypeName node's names mean, without array bounds. */
export function findType(scope: Naming, { schema, name }: Name): Type | undefined {
  if (schema !== undefined) return scope.catalogue.typeNamed(schema, name);
  const order = searchOrder(scope);
  const own = order.filter((entry) => /^pg_temp_\d+$/.test(entry));
  for (const entry of [...own, ...order]) {
    const found = scope.catalogue.typeNamed(entry, name);
    if (found) return found;
  }
  return undefined;
}

/** The schema in which the server makes a relation that is written without one: the first of the path that exists. */
export function creationSchema(scope: Naming): string | undefined {
  const schemas = new Set(scope.catalogue.schemas.values());
  return scope.searchPath
    .map((name) => (name === '$user' ? scope.role : name))
    .find((name) => name !== 'pg_catalog' && !name.startsWith('pg_temp') && schemas.has(name));
}

function temporaryNamed(catalogue: Catalogue, name: string): boolean {
  for (const schema of catalogue.schemas.values())
    if (/^pg_temp_\d+$/.test(schema) && catalogue.relationNamed(schema, name)) return true;
  return false;
}
