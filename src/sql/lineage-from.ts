// FROM: relations, subqueries, joins, functions, JSON_TABLE and XMLTABLE, as named lists of columns.
import type { Alias, JoinExpr, RangeFunction } from 'libpg-query';
import { findRoutines, findRelation, nameFrom } from './resolve.ts';
import { carried, group, list, partial, typeRow } from './lineage-expression.ts';
import { meetAll } from './lineage-match.ts';
import { outputName } from './lineage-output.ts';
import { starColumns } from './lineage-names.ts';
import { anything, type Column, derived, either, nothing, type Table, union, type Value } from './lineage-value.ts';
import type { Item, Names, Walk } from './lineage-walk.ts';
import type { Tree } from './parse.ts';

/** `names` holds the entries to the left, which functions and LATERAL may use. */
export function readFrom(walk: Walk, tree: Tree, names: Names): readonly Item[] {
  if (tree.RangeVar) return [rangeVar(walk, tree.RangeVar, names)];
  if (tree.JoinExpr) return join(walk, tree.JoinExpr, names);
  if (tree.RangeSubselect) {
    const { subquery, alias, lateral } = tree.RangeSubselect;
    const visible: Names = lateral ? names : { ...names, items: [] };
    const table = walk.query(subquery as Tree, { items: [], outer: visible, ctes: names.ctes });
    return [aliased(table, alias)];
  }
  if (tree.RangeFunction) return [rangeFunction(walk, tree.RangeFunction, names)];
  if (tree.RangeTableSample) {
    const { relation, args } = tree.RangeTableSample;
    for (const arg of list(args)) partial(walk, walk.expression(arg, names));
    return walk.from(relation as Tree, names);
  }
  if (tree.JsonTable) {
    const { columns, alias, ...rest } = tree.JsonTable;
    const value = partial(walk, derived(carried(walk, rest, names)));
    return [aliased({ columns: jsonColumns(walk, list(columns), value, names) }, alias)];
  }
  if (tree.RangeTableFunc) {
    const { columns, alias, docexpr, rowexpr, namespaces } = tree.RangeTableFunc;
    const value = partial(walk, derived(carried(walk, [docexpr, rowexpr, namespaces], names)));
    const listed = list(columns).map((column) => {
      const { colname, colexpr, coldefexpr } = column.RangeTableFuncCol!;
      return { name: colname ?? '', value: open(derived([value, ...carried(walk, [colexpr, coldefexpr], names)])) };
    });
    return [aliased({ columns: listed }, alias)];
  }
  walk.found.opaque = true;
  return [{ bare: true, columns: [], rest: anything }];
}

export function rangeVar(walk: Walk, range: NonNullable<Tree['RangeVar']>, names: Names): Item {
  const name = range.relname ?? '';
  const cte = range.schemaname ? undefined : names.ctes.get(name);
  if (cte) return { ...aliased(cte, range.alias), name: range.alias?.aliasname ?? name };
  const relation = findRelation(walk.scope, range.schemaname ? { schema: range.schemaname, name } : { name });
  if (!relation) {
    walk.found.opaque = true;
    const item = aliased({ columns: [], rest: anything }, range.alias);
    return { ...item, name: range.alias?.aliasname ?? name };
  }
  const item = aliased(walk.relation(relation), range.alias);
  if (range.alias) return { ...item, relation };
  return { ...item, name, schema: relation.schema, relation };
}

/** Renames the first columns as an alias asks. */
export function aliased(table: Table, alias: Alias | undefined): Item {
  const given = list(alias?.colnames).map((name) => name.String?.sval ?? '');
  const renamed = table.columns.map((column, index) =>
    given[index] === undefined ? column : { ...column, name: given[index] },
  );
  // Names beyond the known columns stand for unknown ones.
  for (let index = table.columns.length; table.rest && index < given.length; index++)
    renamed.push({ name: given[index]!, value: table.rest });
  return { ...table, columns: renamed, bare: true, ...(alias?.aliasname ? { name: alias.aliasname } : {}) };
}

function join(walk: Walk, node: JoinExpr, names: Names): readonly Item[] {
  const left = walk.from(node.larg as Tree, names);
  const right = walk.from(node.rarg as Tree, { ...names, items: [...names.items, ...left] });
  const both = [...left, ...right];
  const [leftColumns, rightColumns] = [starColumns(walk, left), starColumns(walk, right)];
  let using = list(node.usingClause).map((name) => name.String?.sval ?? '');
  if (node.isNatural)
    using = leftColumns
      .map((column) => column.name)
      .filter((name) => rightColumns.some((other) => other.name === name));
  const merged = using.map((name) => ({
    name,
    value: mergedColumn(walk, name, leftColumns, rightColumns, node.jointype),
  }));
  const others = (columns: readonly Column[]) => columns.filter((column) => !using.includes(column.name));
  if (node.quals) walk.condition(node.quals as Tree, { ...names, items: [...names.items, ...both] });
  if (using.length === 0 && !node.alias) return both;
  const columns = [...merged, ...others(leftColumns), ...others(rightColumns)];
  // Behind an alias the parts cannot be named; behind USING they can, but not bare.
  if (node.alias) return [aliased({ columns }, node.alias)];
  const joined: Item[] = [...both.map((item) => ({ ...item, bare: false })), { bare: true, columns }];
  return node.join_using_alias?.aliasname
    ? [...joined, { name: node.join_using_alias.aliasname, bare: false, columns: merged }]
    : joined;
}

function mergedColumn(
  walk: Walk,
  name: string,
  left: readonly Column[],
  right: readonly Column[],
  type: JoinExpr['jointype'],
): Value {
  const of = (columns: readonly Column[]) => {
    const found = columns.filter((column) => column.name === name || column.name === '*').map((column) => column.value);
    if (found.length === 0) walk.found.opaque = true;
    return found.length === 0 ? anything : either(found);
  };
  const [mine, theirs] = [of(left), of(right)];
  // Joining is equality: a computed side is tested by which rows match.
  for (const side of [mine, theirs]) group(walk, side);
  meetAll(walk, [mine, theirs]);
  if (type === 'JOIN_FULL') {
    const { origin: _origin, ...value } = either([mine, theirs]);
    return value;
  }
  const main = type === 'JOIN_RIGHT' ? theirs : mine;
  const { origin, ...value } = main;
  // A common type other than the column's own hides the column from the description.
  const same = mine.type !== undefined && mine.type === theirs.type && mine.domain === theirs.domain;
  return {
    ...value,
    sources: union([mine.sources, theirs.sources]),
    opaque: mine.opaque || theirs.opaque,
    ...(same && origin ? { origin } : {}),
  };
}

function rangeFunction(walk: Walk, node: RangeFunction, names: Names): Item {
  const entries = list(node.functions).map((entry) => {
    const [call, definitions] = list(entry.List?.items);
    return { call: call!, definitions: list(definitions?.List?.items ?? (node.coldeflist as Tree[] | undefined)) };
  });
  const alias = node.alias?.aliasname;
  const columns: Column[] = [];
  let rest: Value | undefined;
  for (const { call, definitions } of entries) {
    const table = functionTable(walk, call, definitions, names, entries.length === 1 ? alias : undefined);
    columns.push(...table.columns);
    rest = table.rest ?? rest;
  }
  if (node.ordinality) columns.push({ name: 'ordinality', value: { ...nothing, type: 20, spread: 'open' } });
  const item = aliased(rest ? { columns, rest } : { columns }, node.alias);
  return alias === undefined ? { ...item, name: outputName(entries[0]?.call ?? {}) } : item;
}

function functionTable(
  walk: Walk,
  call: Tree,
  definitions: readonly Tree[],
  names: Names,
  alias: string | undefined,
): Table {
  // unnest(a, b) in FROM is one unnest for each.
  const args = list(call.FuncCall?.args);
  if (call.FuncCall && args.length > 1 && outputName(call) === 'unnest') {
    const each = args.map((arg) =>
      functionTable(walk, { FuncCall: { ...call.FuncCall!, args: [arg] } } as Tree, [], names, undefined),
    );
    return { columns: each.flatMap((table) => table.columns) };
  }
  const value = walk.expression(call, names);
  if (definitions.length > 0)
    return {
      columns: definitions.map((definition) => ({
        name: definition.ColumnDef?.colname ?? '',
        value: derived([value]),
      })),
    };
  const row = value.row ?? typeRow(walk, value);
  if (row) return row;
  return { columns: [{ name: resultName(walk, call) ?? alias ?? outputName(call), value }] };
}

/** A single named OUT parameter names the column. */
function resultName(walk: Walk, call: Tree): string | undefined {
  const name = call.FuncCall && nameFrom(call.FuncCall.funcname as Tree[]);
  const names = new Set(name ? findRoutines(walk.scope, name).map((routine) => routine.outputs[0]?.name ?? '') : []);
  const [only] = names;
  return names.size === 1 && only !== '' ? only : undefined;
}

function jsonColumns(walk: Walk, columns: readonly Tree[], value: Value, names: Names): Column[] {
  return columns.flatMap((column) => {
    const { name, coltype, columns: nested, on_empty, on_error } = column.JsonTableColumn!;
    if (coltype === 'JTC_NESTED') return jsonColumns(walk, list(nested), value, names);
    if (coltype === 'JTC_FOR_ORDINALITY') return [{ name: name ?? '', value: open(nothing) }];
    return [{ name: name ?? '', value: open(derived([value, ...carried(walk, [on_empty, on_error], names)])) }];
  });
}

const open = (value: Value): Value => ({ ...value, spread: 'open' });
