// Function calls: PostgreSQL's own carry their arguments, SQL functions are read, all others may return anything.
import type { Routine } from './catalogue.ts';
import { isSilent, isTotal, keepsArguments, pureRoutine, readsByName, unfolds } from './lineage-builtin.ts';
import { group, list, order, partial, rowOf, tableValues, windowValues } from './lineage-expression.ts';
import { elementsOf } from './lineage-match.ts';
import { anything, derived, either, nothing, type Table, type Value } from './lineage-value.ts';
import { type Names, place, type Walk } from './lineage-walk.ts';
import type { Tree } from './parse.ts';
import { findRoutines, fitting, nameFrom } from './resolve.ts';

type Call = NonNullable<Tree['FuncCall']>;

/** The result as one value; its `row` holds the columns when it has several. */
export function readCall(walk: Walk, call: Call, names: Names): Value {
  const name = nameFrom(call.funcname as Tree[]);
  const named = new Map<string, Value>();
  const values: Value[] = [];
  const trees = list(call.args);
  for (const tree of trees) {
    if (tree.NamedArgExpr)
      named.set(tree.NamedArgExpr.name ?? '', walk.expression(tree.NamedArgExpr.arg as Tree, names));
    else {
      const value = walk.expression(tree, names);
      values.push(value);
    }
  }
  const around: Value[] = [];
  if (call.agg_filter) around.push(walk.condition(call.agg_filter as Tree, names));
  for (const sort of list(call.agg_order)) {
    if (call.agg_within_group) values.push(walk.expression(sort.SortBy?.node as Tree, names));
    else order(walk, sort, names);
  }
  if (call.over) around.push(...windowValues(walk, call.over, names));
  const all = [...values, ...named.values()];
  if (call.agg_distinct) for (const value of all) group(walk, value);

  const routines = name ? findRoutines(walk.scope, name) : [];
  if (!name || routines.length === 0) return unreadable(walk, [...all, ...around]);
  const close = fitting(routines, values.length + named.size);
  // When no overload fits, the server may still take one that we do not know of.
  const candidates = close.length > 0 ? close : routines;
  const results: Value[] = [];
  // f(row) may also be the column f of the row.
  const projected =
    all.length === 1 ? all[0]!.row?.columns.find((column) => column.name === name.name)?.value : undefined;
  if (projected) results.push(derived([projected]));
  const system = candidates.filter(pureRoutine);
  if (system.length > 0) results.push(builtInResult(walk, name.name, system, all, call, trees));
  for (const routine of candidates) if (!pureRoutine(routine)) results.push(userResult(walk, routine, values, named));
  const [result] = results;
  let value = results.length === 1 ? result! : shapeOf(results);
  if (call.over || system.some((routine) => routine.volatility === 'v' || routine.kind === 'a' || routine.returnsSet))
    value = system[0]?.name === 'unnest' && trees.length === 1 ? elementsOf(trees[0]!, value) : opened(value);
  return around.length === 0
    ? value
    : { ...derived([value, ...around], value.type), ...(value.row ? { row: value.row } : {}) };
}

/** It has another value for each row. */
function opened(value: Value): Value {
  const spread = 'open';
  const { row } = value;
  if (!row) return { ...value, spread };
  const columns = row.columns.map((column) => ({ name: column.name, value: { ...column.value, spread } as Value }));
  return { ...value, spread, row: { columns, ...(row.rest ? { rest: { ...row.rest, spread } } : {}) } };
}

function shapeOf(results: readonly Value[]): Value {
  const merged = either(results);
  const rows = results.flatMap((value) => (value.row ? [value.row] : []));
  if (rows.length === 0) return merged;
  return { ...merged, direct: false, row: { columns: [], rest: derived(rows.flatMap(tableValues)) } };
}

function builtInResult(
  walk: Walk,
  name: string,
  routines: readonly Routine[],
  all: readonly Value[],
  call: Call,
  trees: readonly Tree[],
): Value {
  const type = sameType(routines);
  if (
    name === 'count' &&
    routines.every((routine) => routine.kind === 'a') &&
    all.every((value) => value.direct || value.entry || value.sources.length === 0)
  ) {
    for (const value of all) place(walk, value);
    return { ...(all.some((value) => value.opaque) ? anything : nothing), type: 20 };
  }
  const value = derived(all, type);
  if (keepsArguments(name)) for (const source of value.sources) walk.found.derives.add(source);
  // The number of rows tells, even when the rows are hidden.
  const sets = routines.some((routine) => routine.returnsSet);
  const unfolded = unfolds(name) && all.every((argument) => argument.direct || argument.sources.length === 0);
  if ((!isTotal(name) || sets) && !unfolded) partial(walk, value);
  if (isSilent(name)) return { ...nothing, ...(type === undefined ? {} : { type }) };
  if (readsByName(name)) {
    walk.found.opaque = true;
    return { ...derived([anything, value], type), row: shape(walk, routines[0]!, derived([anything, value])) };
  }
  const row =
    call.func_variadic || trees.length === 0
      ? shape(walk, routines[0]!, value)
      : polymorphic(walk, routines[0]!, value, all);
  return { ...value, ...(row ? { row } : {}) };
}

/** json_populate_record(null::t, …) and unnest(t[]) have the fields of their argument's type. */
function polymorphic(walk: Walk, routine: Routine, value: Value, all: readonly Value[]): Table | undefined {
  if (![2283, 5077, 2776, 5079].includes(routine.returnType)) return shape(walk, routine, value);
  for (const argument of all) {
    const type = argument.type === undefined ? undefined : walk.scope.catalogue.types.get(argument.type);
    const element = type && type.element !== 0 ? walk.scope.catalogue.types.get(type.element) : type;
    if (element && element.relation !== 0) return rowOf(walk, element.relation, value);
  }
  return undefined;
}

/** The columns of a routine's result, each carrying the value; undefined when it is a single one. */
export function shape(walk: Walk, routine: Routine, value: Value): Table | undefined {
  const plain = derived([value]);
  if (routine.outputs.length > 1)
    return {
      columns: routine.outputs.map((output, index) => ({
        name: output.name === '' ? `column${index + 1}` : output.name,
        value: derived([plain], concrete(output.type)),
      })),
    };
  const type = walk.scope.catalogue.types.get(routine.outputs[0]?.type ?? routine.returnType);
  if (type && type.relation !== 0) return rowOf(walk, type.relation, plain);
  if (routine.returnType === 2249 && routine.outputs.length === 0) return { columns: [], rest: plain };
  return undefined;
}

/** Type OIDs that the call decides are not known. */
const concrete = (type: number): number | undefined =>
  [2276, 2277, 2283, 2776, 3500, 3831, 4537, 4538, 5077, 5078, 5079, 5080].includes(type) ? undefined : type;

function sameType(routines: readonly Routine[]): number | undefined {
  const type = routines[0]!.returnType;
  if (routines[0]!.outputs.length > 1 || routines.some((routine) => routine.returnType !== type)) return undefined;
  return concrete(type);
}

function userResult(walk: Walk, routine: Routine, values: readonly Value[], named: ReadonlyMap<string, Value>): Value {
  const body = walk.routine(routine, values, named);
  const passed = derived([...values, ...named.values()]);
  if (!body) {
    // What it does with its arguments cannot be seen.
    for (const source of passed.sources) walk.found.derives.add(source);
    if (passed.spread === 'open') walk.found.openCall = true;
    walk.found.opaque = true;
    const value = derived([anything, passed], concrete(routine.returnType));
    const row = shape(walk, routine, value);
    return row ? { ...value, row } : value;
  }
  const carriedByAll = derived(tableValues(body));
  const row = shape(walk, routine, carriedByAll);
  if (!row) {
    const [only] = body.columns;
    const single = body.columns.length === 1 && !body.rest ? only!.value : carriedByAll;
    return returned(single, concrete(routine.returnType));
  }
  // A body that returns as many columns as the declaration has gives them one by one; else the row as a whole.
  const matched = body.columns.length === row.columns.length && !body.rest;
  const columns = row.columns.map((column, index) => {
    return {
      name: column.name,
      value: returned(matched ? body.columns[index]!.value : column.value, column.value.type),
    };
  });
  return {
    ...carriedByAll,
    row: row.rest ? { columns: body.columns, ...(body.rest ? { rest: body.rest } : {}) } : { columns },
  };
}

/** A result is of the declared type: cast to another one it is no longer the column itself, texts aside. */
function returned(value: Value, type: number | undefined): Value {
  const { origin: _origin, row: _row, type: own, direct, ...rest } = value;
  const same =
    own === type || (own !== undefined && type !== undefined && [25, 1043].includes(own) && [25, 1043].includes(type));
  return { ...rest, direct: direct && same, ...(type === undefined ? {} : { type }) };
}

function unreadable(walk: Walk, values: readonly Value[]): Value {
  walk.found.opaque = true;
  const value = derived([anything, ...values]);
  for (const source of value.sources) walk.found.derives.add(source);
  return { ...value, row: { columns: [], rest: value } };
}
