// Names in a text → what the catalogue knows of them, in the server's order of search. What is not found keeps the name as
// written and says so: the server may know more than we read.
import type { RangeVar, TypeName } from 'libpg-query';
import type { Resource } from '../domain/effect.ts';
import type { Scope } from './analysis.ts';
import type { CatalogueColumn, Relation, Routine, Type } from './catalogue.ts';
import { parse, type Tree } from './parse.ts';
import { findRelation, findRoutines, findType } from './resolve.ts';

export interface NamedRelation {
  readonly schema?: string;
  readonly relation: string;
  readonly unresolved: boolean;
  readonly oid?: number;
  readonly kind?: Relation['kind'];
  /** User triggers or rules make a write (and, with rules, a read) do more than the text says. */
  readonly fires: boolean;
  readonly rules: boolean;
  readonly entry?: Relation;
}

/** Limit of partitions named one by one; a statement on more of them names the parent alone. */
const maxKin = 64;

export function relationNamed(range: Pick<RangeVar, 'schemaname' | 'relname'>, scope: Scope): NamedRelation {
  const name = range.relname ?? '';
  const found = findRelation(scope, range.schemaname ? { schema: range.schemaname, name } : { name });
  if (found) return knownRelation(found);
  return {
    ...(range.schemaname ? { schema: range.schemaname } : {}),
    relation: name,
    unresolved: true,
    fires: false,
    rules: false,
  };
}

export function knownRelation(entry: Relation): NamedRelation {
  return {
    schema: entry.schema,
    relation: entry.name,
    unresolved: false,
    oid: entry.oid,
    kind: entry.kind,
    fires: entry.triggers || entry.rules,
    rules: entry.rules,
    entry,
  };
}

export function resourceOf(relation: NamedRelation): Resource {
  return relation.schema === undefined
    ? { relation: relation.relation }
    : { schema: relation.schema, relation: relation.relation };
}

/** Parents, or children and partitions, at any distance. */
export function kinOf(relation: NamedRelation, scope: Scope, direction: 'up' | 'down'): readonly NamedRelation[] {
  const next = (entry: Relation) => (direction === 'up' ? entry.parents : entry.children);
  if (!relation.entry || next(relation.entry).length === 0) return [];
  const found = new Set<number>();
  const queue = [...next(relation.entry)];
  while (queue.length > 0) {
    const oid = queue.pop()!;
    if (found.has(oid)) continue;
    if (found.size >= maxKin) return [];
    found.add(oid);
    const entry = scope.catalogue.relations.get(oid);
    if (entry) queue.push(...next(entry));
  }
  return [...found].flatMap((oid) => {
    const entry = scope.catalogue.relations.get(oid);
    return entry ? [knownRelation(entry)] : [];
  });
}

export function columnsOf(relation: NamedRelation): ReadonlySet<string> | undefined {
  if (!relation.entry) return undefined;
  let columns = columnCache.get(relation.entry);
  if (!columns)
    columnCache.set(relation.entry, (columns = new Set(relation.entry.columns.map((column) => column.name))));
  return columns;
}
const columnCache = new WeakMap<Relation, ReadonlySet<string>>();

/** Columns by attribute number, as COPY and INSERT without a column list take them. */
export function columnsInOrder(entry: Relation): readonly CatalogueColumn[] {
  return [...entry.columns].sort((a, b) => a.attribute - b.attribute);
}

/** The query of a user's view. Reading a materialised view reads its stored rows, yet they came from there. */
export function viewTree(relation: NamedRelation): Tree | undefined {
  const entry = relation.entry;
  if (entry?.definition === undefined) return undefined;
  let tree = viewCache.get(entry);
  if (!tree) {
    tree = parse(entry.definition)[0]?.tree;
    if (tree) viewCache.set(entry, tree);
  }
  return tree;
}
const viewCache = new WeakMap<Relation, Tree>();

/** Every routine that a call by this name could reach: the best match of the server is among them. */
export function routinesNamed(names: readonly string[], scope: Scope): readonly Routine[] {
  const schema = names.at(-2);
  const name = names.at(-1) ?? '';
  return findRoutines(scope, schema === undefined ? { name } : { schema, name });
}

export function typeNamed(type: TypeName | undefined, scope: Scope): Type | undefined {
  return typeByNames(strings(type?.names), scope);
}

export function typeByNames(names: readonly string[], scope: Scope): Type | undefined {
  const schema = names.at(-2);
  const name = names.at(-1);
  return name === undefined ? undefined : findType(scope, schema === undefined ? { name } : { schema, name });
}

export function strings(list: readonly unknown[] | undefined): readonly string[] {
  return ((list ?? []) as Tree[]).map((item) => item.String?.sval ?? '');
}
