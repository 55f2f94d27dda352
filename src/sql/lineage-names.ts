// Column references: innermost names first, as the server's colNameToVar and transformColumnRef look them up.
import type { ColumnRef } from 'libpg-query';
import { anything, derived, either, nothing, notYet, type Value, whole } from './lineage-value.ts';
import type { Item, Names, Walk } from './lineage-walk.ts';
import type { Tree } from './parse.ts';

const systemColumns: Readonly<Record<string, readonly [attribute: number, type: number]>> = {
  ctid: [-1, 27],
  xmin: [-2, 28],
  cmin: [-3, 29],
  xmax: [-4, 28],
  cmax: [-5, 29],
  tableoid: [-6, 26],
};

export function readColumnRef(walk: Walk, ref: ColumnRef, names: Names): Value {
  const fields = (ref.fields ?? []) as Tree[];
  const words = fields.map((field) => field.String?.sval ?? '');
  const star = fields.at(-1)?.A_Star !== undefined;
  if (fields.length === 1 && star) return whole({ columns: starColumns(walk, names.items) });
  if (fields.length === 1) return bareColumn(walk, words[0]!, names);
  const [column, relation, schema] = words.slice(-3).reverse() as [string, string, string | undefined];
  const item = itemNamed(names, relation, schema);
  if (!item) {
    // In a function's body, `function.argument`.
    const argument = star ? undefined : walk.argumentsOf?.named.get(column);
    return argument ?? unresolved(walk);
  }
  if (star) return { ...whole(item), entry: true };
  return itemColumn(item, column) ?? functionOfRow(walk, item);
}

function bareColumn(walk: Walk, name: string, names: Names): Value {
  for (let level: Names | undefined = names; level; level = level.outer) {
    const found = level.items.filter((item) => item.bare).flatMap((item) => itemColumn(item, name, true) ?? []);
    if (found.length > 0) return found.length === 1 ? found[0]! : either(found);
    const rests = level.items.flatMap((item) => (item.bare && item.rest ? [item.rest] : []));
    if (rests.length > 0) {
      if (rests.every((rest) => rest === notYet)) return notYet;
      walk.found.opaque = true;
      return derived(rests);
    }
  }
  const argument = walk.argumentsOf?.named.get(name);
  if (argument) return argument;
  const item = itemNamed(names, name, undefined);
  return item ? rowValue(item) : unresolved(walk);
}

/** The whole row as one value: attribute 0 of its relation in RowDescription. */
function rowValue(item: Item): Value {
  if (!item.relation) return { ...whole(item), entry: true };
  return { ...whole(item, item.relation.rowType), entry: true, origin: { table: item.relation.oid, attribute: 0 } };
}

function itemColumn(item: Item, name: string, listedOnly = false): Value | undefined {
  const found = item.columns.filter((column) => column.name === name);
  if (found.length > 0) return found.length === 1 ? found[0]!.value : either(found.map((column) => column.value));
  const own = systemColumns[name];
  if (own && item.relation)
    return { ...nothing, type: own[1], spread: 'open', origin: { table: item.relation.oid, attribute: own[0] } };
  return listedOnly ? undefined : item.rest;
}

/** `t.name` where no column has that name calls the function `name(t)`. */
function functionOfRow(walk: Walk, item: Item): Value {
  walk.found.opaque = true;
  return derived([anything, whole(item)]);
}

/** The nearest entry of that name; a schema is only known of relations without alias. */
export function itemNamed(names: Names, name: string, schema: string | undefined): Item | undefined {
  for (let level: Names | undefined = names; level; level = level.outer) {
    const found = level.items.filter((item) => item.name === name && (schema === undefined || item.schema === schema));
    if (found.length === 1) return found[0];
    if (found.length > 1) return { name, bare: false, columns: [], rest: derived(found.map((item) => whole(item))) };
  }
  return undefined;
}

/** The columns of `*`; what cannot be listed becomes one column. */
export function starColumns(walk: Walk, items: readonly Item[]): Item['columns'] {
  return items
    .filter((item) => item.bare)
    .flatMap((item) => {
      if (!item.rest) return item.columns;
      walk.found.opaque = true;
      return [...item.columns, { name: '*', value: item.rest }];
    });
}

function unresolved(walk: Walk): Value {
  walk.found.opaque = true;
  return anything;
}
