// INSERT, UPDATE, DELETE, MERGE: where values go, and what RETURNING gives back.
import { carryInto } from './lineage-carry.ts';
import { list } from './lineage-expression.ts';
import { rangeVar } from './lineage-from.ts';
import { meetWritten } from './lineage-match.ts';
import { readWith, targets } from './lineage-query.ts';
import { anything, type Column, derived, nothing, sensitive, type Table, type Value } from './lineage-value.ts';
import { type Item, type Names, place, type Walk } from './lineage-walk.ts';
import type { Tree } from './parse.ts';

type Returning = NonNullable<Tree['ReturningClause']>;

/** Columns of RETURNING; undefined when the statement is no write or returns nothing. */
export function readWrite(walk: Walk, tree: Tree, outer: Names): Table | undefined {
  if (tree.InsertStmt) return insert(walk, tree.InsertStmt, outer);
  if (tree.UpdateStmt) return update(walk, tree.UpdateStmt, outer);
  if (tree.DeleteStmt) return remove(walk, tree.DeleteStmt, outer);
  if (tree.MergeStmt) return merge(walk, tree.MergeStmt, outer);
  return undefined;
}

/** What was written, by column name. */
type Written = Map<string, Value[]>;

function insert(walk: Walk, stmt: NonNullable<Tree['InsertStmt']>, outer: Names): Table | undefined {
  const names: Names = { items: [], outer, ctes: readWith(walk, stmt.withClause, outer) };
  const target = rangeVar(walk, stmt.relation!, { ...names, ctes: new Map() });
  const written: Written = new Map();
  const given = list(stmt.cols).map((column) => column.ResTarget?.name ?? '');
  const columns = given.length > 0 ? given : target.columns.map((column) => column.name);
  if (stmt.selectStmt) {
    const table = walk.query(stmt.selectStmt as Tree, names);
    const compares = stmt.onConflictClause !== undefined;
    table.columns.forEach((column, index) =>
      assign(walk, target, columns[index] ?? '*', column.value, written, compares),
    );
    if (table.rest) assign(walk, target, '*', table.rest, written);
  }
  const conflict = stmt.onConflictClause;
  if (conflict) {
    const excluded: Item = { ...after(target, written), name: 'excluded', bare: false };
    const both: Names = { ...names, items: [target, excluded] };
    walk.condition(conflict.infer?.whereClause as Tree | undefined, both);
    walk.condition(conflict.whereClause as Tree | undefined, both);
    for (const entry of list(conflict.targetList)) set(walk, target, entry, both, written);
  }
  return returning(walk, stmt.returningClause, target, [], written, names);
}

function update(walk: Walk, stmt: NonNullable<Tree['UpdateStmt']>, outer: Names): Table | undefined {
  const names: Names = { items: [], outer, ctes: readWith(walk, stmt.withClause, outer) };
  const target = rangeVar(walk, stmt.relation!, { ...names, ctes: new Map() });
  const others = from(walk, list(stmt.fromClause), { ...names, items: [target] });
  const all: Names = { ...names, items: [target, ...others] };
  const written: Written = new Map();
  walk.condition(stmt.whereClause as Tree | undefined, all);
  for (const entry of list(stmt.targetList)) set(walk, target, entry, all, written);
  return returning(walk, stmt.returningClause, target, others, written, names);
}

function remove(walk: Walk, stmt: NonNullable<Tree['DeleteStmt']>, outer: Names): Table | undefined {
  const names: Names = { items: [], outer, ctes: readWith(walk, stmt.withClause, outer) };
  const target = rangeVar(walk, stmt.relation!, { ...names, ctes: new Map() });
  const others = from(walk, list(stmt.usingClause), { ...names, items: [target] });
  walk.condition(stmt.whereClause as Tree | undefined, { ...names, items: [target, ...others] });
  return returning(walk, stmt.returningClause, target, others, new Map(), names);
}

function merge(walk: Walk, stmt: NonNullable<Tree['MergeStmt']>, outer: Names): Table | undefined {
  const names: Names = { items: [], outer, ctes: readWith(walk, stmt.withClause, outer) };
  const target = rangeVar(walk, stmt.relation!, { ...names, ctes: new Map() });
  const source = walk.from(stmt.sourceRelation as Tree, names);
  const all: Names = { ...names, items: [...source, target] };
  const written: Written = new Map();
  walk.condition(stmt.joinCondition as Tree, all);
  for (const { MergeWhenClause: clause } of list(stmt.mergeWhenClauses)) {
    if (!clause) continue;
    walk.condition(clause.condition as Tree | undefined, all);
    const entries = list(clause.targetList);
    const values = list(clause.values);
    if (clause.commandType === 'CMD_UPDATE') for (const entry of entries) set(walk, target, entry, all, written);
    else
      values.forEach((value, index) => {
        const name = entries.length > 0 ? entries[index]?.ResTarget?.name : target.columns[index]?.name;
        assign(walk, target, name ?? '*', walk.expression(value, all), written);
      });
  }
  return returning(walk, stmt.returningClause, target, source, written, names, true);
}

function from(walk: Walk, entries: readonly Tree[], names: Names): readonly Item[] {
  let items: readonly Item[] = [];
  for (const entry of entries) items = [...items, ...walk.from(entry, { ...names, items })];
  return items;
}

function set(walk: Walk, target: Item, entry: Tree, names: Names, written: Written): void {
  const { name, val } = entry.ResTarget!;
  assign(walk, target, name ?? '*', walk.expression(val as Tree, names), written);
}

/** A labelled value may go only where all its labels are. Literals belong to the column that they are written to. */
export function assign(walk: Walk, target: Item, name: string, value: Value, written: Written, compares = false): void {
  const column = target.columns.find((candidate) => candidate.name === name)?.value;
  const labels = new Set(column?.sources.flatMap((source) => source.labels));
  for (const source of column?.sources ?? []) walk.found.touches.add(source);
  const loose = value.sources.filter((source) => !source.labels.every((label) => labels.has(label)));
  for (const source of loose) walk.found.derives.add(source);
  if (loose.length > 0) carryInto(walk, target.relation, name, { ...value, sources: loose });
  if (column) meetWritten(walk, column, value, compares);
  place(walk, value, sensitive(value) || column === undefined || sensitive(column), column ?? anything);
  written.set(name, [...(written.get(name) ?? []), value]);
}

/** The row as it is after the write: it may carry what was written. */
function after(target: Item, written: Written): Item {
  const unknown = written.get('*') ?? [];
  const columns = target.columns.map(({ name, value }): Column => {
    const values = [...(written.get(name) ?? []), ...unknown].filter(
      (entry) => entry.opaque || entry.sources.some((source) => !value.sources.includes(source)),
    );
    if (values.length === 0) return { name, value };
    const { origin } = value;
    return { name, value: { ...derived([value, ...values], value.type), ...(origin ? { origin } : {}), literals: [] } };
  });
  return { ...target, columns };
}

function returning(
  walk: Walk,
  clause: Returning | undefined,
  target: Item,
  others: readonly Item[],
  written: Written,
  names: Names,
  sourceFirst = false,
): Table | undefined {
  if (!clause) return undefined;
  let now = after(target, written);
  if (target.relation?.rules) {
    // A rule may return anything in its place.
    walk.found.opaque = true;
    now = { ...now, columns: now.columns.map(({ name, value }) => ({ name, value: derived([anything, value]) })) };
  }
  const named = (option: string, fallback: string) =>
    list(clause.options).find((entry) => entry.ReturningOption?.option === option)?.ReturningOption?.value ?? fallback;
  const row = (name: string, item: Item): Item => ({
    columns: item.columns,
    ...(item.rest ? { rest: item.rest } : {}),
    name,
    bare: false,
    ...(item.relation ? { relation: item.relation } : {}),
  });
  const hidden = [
    row(named('RETURNING_OPTION_OLD', 'old'), before(target, now)),
    row(named('RETURNING_OPTION_NEW', 'new'), now),
  ];
  const taken = new Set([now, ...others].map((item) => item.name));
  const items = [
    ...(sourceFirst ? [...others, now] : [now, ...others]),
    ...hidden.filter((item) => !taken.has(item.name)),
  ];
  return { columns: targets(walk, list(clause.exprs), { ...names, items }) };
}

/** OLD is what was there; under a rule it, too, may be anything. */
function before(target: Item, now: Item): Item {
  return target.relation?.rules ? now : target;
}

/** Columns of a result, as one value each would have when written under new names: nothing keeps its label there. */
export function copyOut(walk: Walk, table: Table): void {
  for (const value of [...table.columns.map((column) => column.value), table.rest ?? nothing]) {
    for (const source of value.sources) walk.found.derives.add(source);
    place(walk, value);
  }
}
