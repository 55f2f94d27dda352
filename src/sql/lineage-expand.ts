// Behind a name: the columns of a relation, of a view through its definition, of a generated column through its
// expression, and of an SQL function through its body.
import type { CatalogueColumn, Relation, Routine } from './catalogue.ts';
import { anything, derived, labelled, nothing, stored, type Table, union, type Value } from './lineage-value.ts';
import { emptyFound, noNames, type Walk } from './lineage-walk.ts';
import { parse, type Tree } from './parse.ts';

/** Views over views, functions in functions: deeper than this nobody writes, and what is there is opaque. */
const maxDepth = 24;

/** Bodies read for one statement: functions that call two others each would double with every level. */
const maxBodies = 1000;

interface Expanded {
  readonly table: Table;
  /** What the definition's own conditions test: a server's text could quote it. */
  readonly tests: Walk['found']['probes'];
}

const expanded = new WeakMap<Relation, Expanded>();

/** Columns with their origin as RowDescription gives it: a view's columns are its own. */
export function readRelation(walk: Walk, relation: Relation): Table {
  let entry = expanded.get(relation);
  if (!entry) {
    if (walk.inside.includes(relation.oid) || walk.inside.length > maxDepth) {
      walk.found.opaque = true;
      return { columns: relation.columns.map((column) => ({ name: column.name, value: anything })) };
    }
    // A definition names everything but pg_catalog in full, so it means the same for everybody.
    const inner = walk.fork({
      scope: { ...walk.scope, searchPath: ['pg_catalog'] },
      found: emptyFound(),
      inside: [...walk.inside, relation.oid],
      foreign: true,
    });
    entry = { table: { columns: columnsOf(inner, relation) }, tests: inner.found.probes };
    expanded.set(relation, entry);
  }
  for (const source of entry.tests) walk.found.touches.add(source);
  return entry.table;
}

function columnsOf(walk: Walk, relation: Relation): Table['columns'] {
  const definition = relation.definition === undefined ? undefined : definitionOf(walk, relation.definition);
  return relation.columns.map((column, index) => {
    const inner = definition ? (definition.columns[index]?.value ?? anything) : generated(walk, relation, column);
    const own = column.labels.length > 0 ? [labelled(relation, column)] : [];
    const carried = inner ? stored(inner) : nothing;
    const value: Value = {
      sources: union([own, carried.sources]),
      opaque: carried.opaque,
      direct: inner ? carried.direct : true,
      type: column.baseType,
      ...(column.type === column.baseType ? {} : { domain: column.type }),
      origin: { table: relation.oid, attribute: column.attribute },
      literals: [],
      spread: 'open',
    };
    return { name: column.name, value };
  });
}

function definitionOf(walk: Walk, text: string): Table | undefined {
  const tree = parsed(text)?.[0];
  if (!tree) return { columns: [] };
  const table = walk.query(tree, noNames);
  // A definition whose columns cannot be counted gives no column to trust.
  return table.rest || table.columns.some((column) => column.name === '*') ? { columns: [] } : table;
}

function generated(walk: Walk, relation: Relation, column: CatalogueColumn): Value | undefined {
  if (column.generated === undefined) return undefined;
  const tree = parsed(`select ${column.generated}`)?.[0];
  const target = tree?.SelectStmt?.targetList?.[0] as Tree | undefined;
  if (!target) return anything;
  const columns = relation.columns
    .filter((other) => other.generated === undefined)
    .map((other) => ({
      name: other.name,
      value: { ...nothing, direct: true, sources: other.labels.length > 0 ? [labelled(relation, other)] : [] },
    }));
  const item = { bare: true, name: relation.name, columns };
  return derived([walk.expression(target.ResTarget!.val as Tree, { ...noNames, items: [item] })]);
}

const texts = new Map<string, readonly Tree[] | undefined>();

/** Definitions and bodies are few and repeat; bounded so that a target cannot fill the memory. */
function parsed(text: string): readonly Tree[] | undefined {
  if (texts.has(text)) return texts.get(text);
  let trees: readonly Tree[] | undefined;
  try {
    trees = parse(text).map((statement) => statement.tree);
  } catch {
    trees = undefined;
  }
  if (texts.size > 2000) texts.clear();
  texts.set(text, trees);
  return trees;
}

/** What an SQL function returns, read from its body; undefined when it cannot be read. */
export function readRoutine(
  walk: Walk,
  routine: Routine,
  values: readonly Value[],
  named: ReadonlyMap<string, Value>,
): Table | undefined {
  if (routine.language !== 'sql' || routine.body === undefined || (routine.kind !== 'f' && routine.kind !== 'p'))
    return undefined;
  if (walk.inside.includes(routine.oid) || walk.inside.length > maxDepth || ++walk.found.bodies > maxBodies)
    return undefined;
  const trees = routine.atomic ? atomicBody(routine.body) : parsed(routine.body);
  if (!trees) return undefined;
  const numbered = routine.arguments.map(
    (_, index) => named.get(routine.argumentNames[index] ?? '') ?? values[index] ?? nothing,
  );
  if (routine.variadic) numbered[numbered.length - 1] = derived(values.slice(numbered.length - 1));
  const names = new Map<string, Value>();
  numbered.forEach((value, index) => {
    const name = routine.argumentNames[index];
    if (name) names.set(name, value);
  });
  const path = routine.settings.find((setting) => setting.startsWith('search_path='));
  const searchPath =
    path === undefined ? (routine.atomic ? ['pg_catalog'] : walk.scope.searchPath) : pathOf(path.slice(12));
  const inner = walk.fork({
    scope: { ...walk.scope, searchPath },
    inside: [...walk.inside, routine.oid],
    foreign: true,
    argumentsOf: {
      numbered: numbered.map(unclaimed),
      named: new Map([...names].map(([name, value]) => [name, unclaimed(value)])),
    },
  });
  let last: Table = { columns: [] };
  for (const tree of trees) {
    const returns = tree.SelectStmt ?? tree.InsertStmt ?? tree.UpdateStmt ?? tree.DeleteStmt ?? tree.MergeStmt;
    if (!returns) return undefined;
    last = inner.query(tree, noNames);
  }
  return last;
}

const unclaimed = ({ origin: _origin, ...value }: Value): Value => value;

function pathOf(setting: string): string[] {
  return setting
    .split(',')
    .map((part) => part.trim().replace(/^"(.*)"$/, '$1'))
    .filter((part) => part !== '');
}

/** BEGIN ATOMIC … END and RETURN are parsed as part of a definition. */
function atomicBody(body: string): readonly Tree[] | undefined {
  const definition = parsed(`create function f() returns void language sql ${body}`)?.[0]?.CreateFunctionStmt;
  const content = definition?.sql_body as Tree | undefined;
  if (!content) return undefined;
  if (content.ReturnStmt)
    return [
      { SelectStmt: { targetList: [{ ResTarget: { val: content.ReturnStmt.returnval } }], op: 'SETOP_NONE' } } as Tree,
    ];
  return ((content.List?.items ?? []) as Tree[]).flatMap((part) => (part.List?.items ?? [part]) as Tree[]);
}
