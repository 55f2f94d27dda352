// SELECT, VALUES, set operations and WITH: from the entries of FROM to the columns of the result.
import { distinct } from './lineage-condition.ts';
import { endsInStar, group, list, order, partial, typeRow, windowValues } from './lineage-expression.ts';
import { meetAll } from './lineage-match.ts';
import { starColumns } from './lineage-names.ts';
import { outputName } from './lineage-output.ts';
import { anything, type Column, derived, either, nothing, notYet, type Table, type Value } from './lineage-value.ts';
import { emptyFound, type Item, type Names, place, probe, type Walk } from './lineage-walk.ts';
import type { Tree } from './parse.ts';

/** Readings of recursive queries in one statement. */
const maxRounds = 1000;

type Select = NonNullable<Tree['SelectStmt']>;
type With = NonNullable<Tree['WithClause']>;

/** `names` are those of the statement around it. A write gives what it RETURNs. */
export function readQuery(walk: Walk, tree: Tree, names: Names): Table {
  if (tree.SelectStmt) return select(walk, tree.SelectStmt, names);
  const written = walk.write(tree, names);
  if (written) return written;
  if (tree.InsertStmt || tree.UpdateStmt || tree.DeleteStmt || tree.MergeStmt) return { columns: [] };
  walk.found.opaque = true;
  return { columns: [], rest: anything };
}

function select(walk: Walk, stmt: Select, outer: Names): Table {
  const ctes = readWith(walk, stmt.withClause, outer);
  const outside: Names = { items: [], outer, ctes };
  const setOperation = stmt.op !== undefined && stmt.op !== 'SETOP_NONE';
  let names = outside;
  let table: Table;
  if (setOperation) table = combine(walk, stmt, outside);
  else if (stmt.valuesLists) table = values(walk, list(stmt.valuesLists), outside);
  else {
    let items: readonly Item[] = [];
    for (const entry of list(stmt.fromClause)) items = [...items, ...walk.from(entry, { ...outside, items })];
    names = { ...outside, items };
    walk.condition(stmt.whereClause as Tree | undefined, names);
    const windows = new Map<string, Value>();
    for (const entry of list(stmt.windowClause)) {
      const body = entry.WindowDef!;
      const told = windowValues(walk, body.name === undefined ? body : { ...body, name: undefined as never }, {
        ...names,
        windows,
      });
      windows.set(body.name ?? '', derived(told));
    }
    names = { ...names, windows };
    table = { columns: targets(walk, list(stmt.targetList), names) };
    for (const entry of list(stmt.groupClause)) groupBy(walk, entry, table, names);
    walk.condition(stmt.havingClause as Tree | undefined, names);
  }
  const sorted = list(stmt.distinctClause);
  if (sorted.length > 0) {
    const on = sorted.filter((entry) => Object.keys(entry).length > 0);
    if (on.length === 0)
      distinct(
        walk,
        table.columns.map((column) => column.value),
      );
    for (const entry of on) group(walk, sortKey(walk, entry, table, names, true) ?? walk.expression(entry, names));
  }
  for (const entry of list(stmt.sortClause)) {
    const value = sortKey(walk, (entry.SortBy?.node as Tree | undefined) ?? entry, table, names, true);
    if (!value) order(walk, entry, names);
    else if (value.sources.length > 0) probe(walk, value);
  }
  // How many rows come back tells what the limit was.
  for (const limit of [stmt.limitCount, stmt.limitOffset])
    if (limit) {
      const value = partial(walk, walk.expression(limit as Tree, names));
      if (value.sources.length === 0) place(walk, value);
    }
  return table;
}

/** The columns of a target list or RETURNING list. */
export function targets(walk: Walk, trees: readonly Tree[], names: Names): Column[] {
  return trees.flatMap((tree): readonly Column[] => {
    const { name, val } = tree.ResTarget!;
    const expression = val as Tree;
    if (endsInStar(expression)) {
      if (expression.ColumnRef?.fields?.length === 1) return starColumns(walk, names.items);
      const value = walk.expression(expression, names);
      const fields = value.row ?? typeRow(walk, value) ?? { columns: [], rest: derived([anything, value]) };
      return starColumns(walk, [{ ...fields, bare: true }]);
    }
    const value = walk.expression(expression, names);
    return [{ name: name ?? outputName(expression), value: value.entry ? bare(value, true) : value }];
  });
}

/** Result column that an ORDER BY, GROUP BY or DISTINCT ON entry means by position or name. */
function sortKey(walk: Walk, tree: Tree, table: Table, names: Names, outputFirst: boolean): Value | undefined {
  const position = tree.A_Const?.ival;
  if (position) {
    place(walk, walk.expression(tree, names), false);
    return table.columns[(position.ival ?? 0) - 1]?.value ?? table.rest ?? nothing;
  }
  const fields = (tree.ColumnRef?.fields ?? []) as Tree[];
  const name = fields.length === 1 ? fields[0]?.String?.sval : undefined;
  if (name === undefined) return undefined;
  const inFrom = names.items.some((item) => item.bare && item.columns.some((column) => column.name === name));
  if (inFrom && !outputFirst) return undefined;
  const found = table.columns.filter((column) => column.name === name).map((column) => column.value);
  return found.length === 0 ? undefined : either(found);
}

function groupBy(walk: Walk, tree: Tree, table: Table, names: Names): void {
  if (tree.GroupingSet) {
    for (const entry of list(tree.GroupingSet.content)) groupBy(walk, entry, table, names);
    return;
  }
  if (tree.RowExpr) {
    for (const entry of list(tree.RowExpr.args)) groupBy(walk, entry, table, names);
    return;
  }
  group(walk, sortKey(walk, tree, table, names, false) ?? walk.expression(tree, names));
}

function values(walk: Walk, rows: readonly Tree[], names: Names): Table {
  const columns: Value[][] = [];
  for (const row of rows)
    list(row.List?.items).forEach((item, index) => {
      (columns[index] ??= []).push(walk.expression(item, names));
    });
  return { columns: columns.map((column, index) => ({ name: `column${index + 1}`, value: bare(either(column)) })) };
}

/** A value once it is a column of a query. The server describes those of VALUES and of set operations without their origin. */
function bare({ origin, row, entry: _entry, ...value }: Value, described = false): Value {
  return { ...value, ...(described && origin ? { origin } : {}), ...(described && row ? { row } : {}) };
}

function combine(walk: Walk, stmt: Select, names: Names): Table {
  const left = select(walk, stmt.larg as Select, names);
  const right = select(walk, stmt.rarg as Select, names);
  const arms = [left, right];
  const rests = arms.flatMap((arm) => (arm.rest ? [arm.rest] : []));
  // Comparing whole rows tests computed columns; UNION ALL alone compares nothing.
  if (stmt.op !== 'SETOP_UNION' || !stmt.all)
    for (const arm of arms)
      distinct(
        walk,
        arm.columns.map((column) => column.value),
      );
  const columns = left.columns.map((column, index) => {
    const other = right.columns[index]?.value ?? right.rest ?? anything;
    if (stmt.op !== 'SETOP_UNION' || !stmt.all) meetAll(walk, [column.value, other]);
    // EXCEPT returns rows of its left arm; the right one only removes.
    const value =
      stmt.op === 'SETOP_EXCEPT'
        ? { ...column.value, type: either([column.value, other]).type }
        : either([column.value, other]);
    return { name: column.name, value: bare(value as Value) };
  });
  return rests.length === 0 ? { columns } : { columns, rest: derived(rests) };
}

/** The CTEs visible inside: those around, and the statement's own. */
export function readWith(walk: Walk, clause: With | undefined, names: Names): Names['ctes'] {
  if (!clause) return names.ctes;
  const entries = list(clause.ctes).map((entry) => entry.CommonTableExpr!);
  const around = new Map(names.ctes);
  if (!clause.recursive) {
    for (const entry of entries)
      around.set(entry.ctename ?? '', readCte(walk, entry, { items: [], outer: names, ctes: new Map(around) }));
    return around;
  }
  // Every one may name every other: read them all until nothing new appears, then once more for good.
  for (const entry of entries) around.set(entry.ctename ?? '', renamed({ columns: [], rest: notYet }, entry));
  let before = '';
  for (let round = 0; round < 16; round++) {
    const { steps, bodies, rounds } = walk.found;
    // Recursive queries within recursive queries multiply (test: lineage.test.ts).
    if (rounds >= maxRounds) throw new RangeError('the recursive queries are nested too deeply to trace');
    const scratch = walk.fork({ found: { ...emptyFound(), steps, bodies, rounds: rounds + 1 } });
    for (const entry of entries)
      around.set(
        entry.ctename ?? '',
        repeated(readCte(scratch, entry, { items: [], outer: names, ctes: new Map(around) })),
      );
    walk.found.steps = scratch.found.steps;
    walk.found.bodies = scratch.found.bodies;
    walk.found.rounds = scratch.found.rounds;
    const now = entries.map((entry) => signature(around.get(entry.ctename ?? '')!)).join('\n');
    if (now === before) {
      for (const entry of entries)
        around.set(
          entry.ctename ?? '',
          repeated(readCte(walk, entry, { items: [], outer: names, ctes: new Map(around) })),
        );
      return around;
    }
    before = now;
  }
  walk.found.opaque = true;
  for (const entry of entries) around.set(entry.ctename ?? '', { columns: [], rest: anything });
  return around;
}

/** How often a recursive query adds to its rows cannot be told. */
function repeated(table: Table): Table {
  return {
    ...table,
    columns: table.columns.map(({ name, value }) => ({
      name,
      value: value === notYet ? value : { ...value, spread: 'open' },
    })),
  };
}

type Cte = NonNullable<Tree['CommonTableExpr']>;

function readCte(walk: Walk, entry: Cte, names: Names): Table {
  const table = renamed(walk.query(entry.ctequery as Tree, names), entry);
  const extra: Column[] = [];
  const of = (columns: readonly unknown[] | undefined) => {
    const wanted = new Set(list(columns).map((name) => name.String?.sval));
    return derived(table.columns.filter((column) => wanted.has(column.name)).map((column) => column.value));
  };
  if (entry.search_clause)
    extra.push({ name: entry.search_clause.search_seq_column ?? '', value: of(entry.search_clause.search_col_list) });
  if (entry.cycle_clause) {
    const told = of(entry.cycle_clause.cycle_col_list);
    extra.push({ name: entry.cycle_clause.cycle_mark_column ?? '', value: told });
    extra.push({ name: entry.cycle_clause.cycle_path_column ?? '', value: told });
  }
  return extra.length === 0 ? table : { ...table, columns: [...table.columns, ...extra] };
}

function renamed(table: Table, entry: Cte): Table {
  const given = list(entry.aliascolnames).map((name) => name.String?.sval ?? '');
  const columns = table.columns.map((column, index) =>
    given[index] === undefined ? column : { ...column, name: given[index] },
  );
  for (let index = columns.length; table.rest && index < given.length; index++)
    columns.push({ name: given[index]!, value: table.rest });
  return { ...table, columns };
}

function signature(table: Table): string {
  return [...table.columns, ...(table.rest ? [{ name: '*', value: table.rest }] : [])]
    .map(({ name, value }) => [
      name,
      value.opaque,
      value.direct,
      value.type,
      value.sources.map((s) => `${s.schema}.${s.relation}.${s.column}`).sort(),
    ])
    .map((part) => JSON.stringify(part))
    .join('|');
}
