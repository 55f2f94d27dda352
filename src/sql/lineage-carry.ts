// Where a copy keeps its labels: the columns into which a statement puts labelled values, so that whoever may derive does not
// take the label off by it (ADR "Labels travel with copies"; tests: sql/lineage-carry, session/session "carried labels").
import type { LabelledColumn } from '../domain/label.ts';
import type { Relation, Type } from './catalogue.ts';
import { list } from './lineage-expression.ts';
import type { Table, Value } from './lineage-value.ts';
import type { Walk } from './lineage-walk.ts';
import { viewTree } from './names.ts';
import { kindOf, type Tree } from './parse.ts';
import { creationSchema, findRelation, nameFrom } from './resolve.ts';

type Range = NonNullable<Tree['RangeVar']>;

/** A relation by name; temporary ones of all sessions are one, `pg_temp`. */
interface Place {
  readonly schema: string;
  readonly relation: string;
}

/** The column `*` stands for every column of the relation. */
function carry(walk: Walk, { schema, relation }: Place, column: string, sources: readonly LabelledColumn[]): void {
  const labels = sources.flatMap((source) => source.labels);
  if (labels.length === 0) return;
  const place = schema.startsWith('pg_temp') ? 'pg_temp' : schema;
  const key = JSON.stringify([place, relation, column]);
  const before = walk.found.carries.get(key)?.labels ?? [];
  const all = [...new Set([...before, ...labels])].sort();
  walk.found.carries.set(key, { schema: place, relation, column, labels: all });
}

/** A value is written to a column; a view's rows lie in the table below it. */
export function carryInto(walk: Walk, relation: Relation | undefined, column: string, value: Value): void {
  if (!relation || value.sources.length === 0) return;
  const [below, name] = stored(walk, relation, column);
  carry(walk, placeOf(below), name, value.sources);
}

/** A relation is made of a query's columns. A materialised view is read through its query and needs no memory. */
export function carryNew(walk: Walk, range: Range, names: readonly string[], table: Table): void {
  const schema =
    range.schemaname ?? (range.relpersistence === 't' ? 'pg_temp' : (creationSchema(walk.scope) ?? 'public'));
  const place = { schema, relation: range.relname ?? '' };
  table.columns.forEach((column, index) => carry(walk, place, names[index] ?? column.name, column.value.sources));
}

/** What is stored keeps its labels under another name, or without what labelled it. */
function keep(walk: Walk, relation: Relation, to: (column: string) => Place & { readonly column: string }): void {
  for (const { name, value } of walk.relation(relation).columns) {
    if (value.sources.length === 0) continue;
    for (const source of value.sources) walk.found.derives.add(source);
    // Views are read through their query, wherever they go.
    if (relation.kind === 'v' || relation.kind === 'm') continue;
    const { column, ...place } = to(name);
    carry(walk, place, column, value.sources);
  }
}

/** Labels go by name: a rename or a move takes the values out from under theirs. */
export function renamed(walk: Walk, stmt: NonNullable<Tree['RenameStmt']>): void {
  const to = stmt.newname ?? '';
  if (stmt.renameType === 'OBJECT_SCHEMA') {
    for (const relation of walk.scope.catalogue.relations.values())
      if (relation.schema === stmt.subname)
        keep(walk, relation, (column) => ({ schema: to, relation: relation.name, column }));
    return;
  }
  if (stmt.renameType === 'OBJECT_DOMAIN' || stmt.renameType === 'OBJECT_TYPE')
    return typeMoved(walk, stmt.object as Tree | undefined);
  const relation = stmt.relation && relationOf(walk, stmt.relation);
  if (!relation) return;
  const one = stmt.subname || undefined;
  if (one === undefined) return keep(walk, relation, (column) => ({ schema: relation.schema, relation: to, column }));
  only(walk, relation, one, { ...placeOf(relation), column: to });
}

export function movedToSchema(walk: Walk, stmt: NonNullable<Tree['AlterObjectSchemaStmt']>): void {
  if (stmt.objectType === 'OBJECT_DOMAIN' || stmt.objectType === 'OBJECT_TYPE')
    return typeMoved(walk, stmt.object as Tree | undefined);
  const relation = stmt.relation && relationOf(walk, stmt.relation);
  if (relation) keep(walk, relation, (column) => ({ schema: stmt.newschema ?? '', relation: relation.name, column }));
}

/** Changes of a table after which a label would not be found any more: the rows keep their values. */
export function loosened(walk: Walk, relation: Relation, command: NonNullable<Tree['AlterTableCmd']>): void {
  const { catalogue } = walk.scope;
  switch (command.subtype) {
    // What was labelled through its expression is a plain column from now on.
    case 'AT_DropExpression':
    case 'AT_SetExpression':
      return only(walk, relation, command.name ?? '', { ...placeOf(relation), column: command.name ?? '' });
    case 'AT_AlterColumnType':
      if (catalogue.labelledBy.type)
        only(walk, relation, command.name ?? '', { ...placeOf(relation), column: command.name ?? '' });
      return;
    case 'AT_DropInherit':
      return keep(walk, relation, (column) => ({ ...placeOf(relation), column }));
    case 'AT_DetachPartition': {
      const range = (command.def as Tree | undefined)?.PartitionCmd?.name;
      const part = range && relationOf(walk, range);
      for (const one of part ? [relation, part] : [relation])
        keep(walk, one, (column) => ({ ...placeOf(one), column }));
      return;
    }
  }
}

/** Where a rule reads comments, a new comment may take a label off: on purpose, so nothing is carried. */
export function commented(walk: Walk, stmt: NonNullable<Tree['CommentStmt']>): void {
  if (stmt.objtype !== 'OBJECT_COLUMN' || !walk.scope.catalogue.labelledBy.comment) return;
  const path = list(((stmt.object as Tree | undefined)?.List?.items ?? []) as Tree[]);
  const name = nameFrom(path.slice(0, -1));
  const relation = name && findRelation(walk.scope, name);
  if (relation) drop(walk, relation, path.at(-1)?.String?.sval ?? '');
}

/** A column of the table, and what else of it the label comes from or goes to. */
function only(walk: Walk, relation: Relation, name: string, to: Place & { readonly column: string }): void {
  const value = drop(walk, relation, name);
  if (value && relation.kind !== 'v' && relation.kind !== 'm') carry(walk, to, to.column, value.sources);
}

function drop(walk: Walk, relation: Relation, name: string): Value | undefined {
  const value = walk.relation(relation).columns.find((column) => column.name === name)?.value;
  for (const source of value?.sources ?? []) walk.found.derives.add(source);
  return value;
}

/** Where rules go by type, every labelled column of it, or of what is built on it, could lose its label. */
function typeMoved(walk: Walk, object: Tree | undefined): void {
  const { catalogue } = walk.scope;
  if (!catalogue.labelledBy.type) return;
  const names = object?.List ? (object.List.items as Tree[]) : (object?.TypeName?.names as Tree[] | undefined);
  const wanted = nameFrom(names)?.name;
  const built = (type: Type | undefined, depth = 0): boolean =>
    type !== undefined &&
    depth < 32 &&
    (type.name === wanted || built(catalogue.types.get(type.element || type.base), depth + 1));
  for (const relation of catalogue.relations.values())
    for (const column of relation.columns)
      if (column.labels.length > 0 && built(catalogue.types.get(column.type)))
        only(walk, relation, column.name, { ...placeOf(relation), column: column.name });
}

function relationOf(walk: Walk, range: Range): Relation | undefined {
  const name = range.relname ?? '';
  return findRelation(walk.scope, range.schemaname ? { schema: range.schemaname, name } : { name });
}

function placeOf({ schema, name }: Relation): Place {
  return { schema, relation: name };
}

/** The table column behind a column of a view that the server can write through: one table, the column named plainly. */
function stored(walk: Walk, relation: Relation, column: string, depth = 0): [Relation, string] {
  const tree =
    relation.kind === 'v' && depth < 24
      ? viewTree({ ...placeOf(relation), unresolved: false, fires: false, rules: false, entry: relation })
      : undefined;
  const from = tree && kindOf(tree) === 'SelectStmt' ? list(tree.SelectStmt!.fromClause) : [];
  const range = from.length === 1 ? from[0]!.RangeVar : undefined;
  const below = range && relationOf({ ...walk, scope: { ...walk.scope, searchPath: ['pg_catalog'] } }, range);
  if (!below) return [relation, column];
  if (column === '*') return stored(walk, below, '*', depth + 1);
  const index = relation.columns.findIndex((one) => one.name === column);
  const value = list(tree!.SelectStmt!.targetList)[index]?.ResTarget?.val as Tree | undefined;
  const name = list(value?.ColumnRef?.fields).at(-1)?.String?.sval;
  return name === undefined ? [relation, column] : stored(walk, below, name, depth + 1);
}
