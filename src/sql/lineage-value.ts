// What an expression's value may carry: labelled base columns, literals of the text, and how it relates to one column.
import type { LabelledColumn } from '../domain/label.ts';
import type { CatalogueColumn, Relation } from './catalogue.ts';

/** A place in the statement's own text: UTF-8 byte offset of a constant, or number of a parameter. */
export type Literal =
  /** `elements`: how many values an array literal holds. */
  | { readonly location: number; readonly elements?: number }
  /** `array`: each element of the bound array counts as a value. */
  | { readonly parameter: number; readonly array?: true };

export interface Value {
  /** Labelled base columns whose value may be in it. One object a column, so that identity is equality. */
  readonly sources: readonly LabelledColumn[];
  /** It may carry anything. */
  readonly opaque: boolean;
  /** One base column unchanged. */
  readonly direct: boolean;
  /** What RowDescription says of it when it is a result column. */
  readonly origin?: { readonly table: number; readonly attribute: number };
  /** Type OID, where known. */
  readonly type?: number;
  /** Fields, when it is a row whose shape is known. */
  readonly row?: Table;
  /** It is a whole entry of FROM, so that naming a field names its column. */
  readonly entry?: true;
  /** Declared type, where it is a domain over `type`. */
  readonly domain?: number;
  readonly literals: readonly Literal[];
  /** Absent: one value for the whole statement. listed: one of its literals. open: any number of values (lineage-match.ts). */
  readonly spread?: 'listed' | 'open';
}

export interface Column {
  readonly name: string;
  readonly value: Value;
}

/** Columns of a query or a row; `rest` is what a column not listed would carry, when there may be such. */
export interface Table {
  readonly columns: readonly Column[];
  readonly rest?: Value;
}

export const nothing: Value = { sources: [], opaque: false, direct: false, literals: [] };
export const anything: Value = { sources: [], opaque: true, direct: false, literals: [] };

/** A column of a recursive query that was not read yet: no alternative among others. */
export const notYet: Value = { ...nothing };

/** A value computed from others. */
export function derived(values: readonly Value[], type?: number): Value {
  const sources = union(values.map((value) => value.sources));
  const literals = values.length === 1 ? values[0]!.literals : values.flatMap((value) => value.literals);
  const opaque = values.some((value) => value.opaque);
  const spread = spreadOf(values);
  return {
    sources,
    opaque,
    direct: false,
    literals,
    ...(type === undefined ? {} : { type }),
    ...(spread && { spread }),
  };
}

/** Two lists together can be every pair of theirs. */
function spreadOf(values: readonly Value[]): Value['spread'] {
  let spread: Value['spread'];
  for (const value of values) {
    if (value.spread === undefined) continue;
    if (value.spread === 'open' || spread !== undefined) return 'open';
    spread = value.spread;
  }
  return spread;
}

/** One of several values: CASE results, set operations, the rounds of a recursive query. */
export function either(all: readonly Value[]): Value {
  const values = all.filter((value) => value !== notYet);
  const [first] = values;
  if (first === undefined) return nothing;
  if (values.length === 1) return first;
  const merged = derived(values, values.every((value) => value.type === first.type) ? first.type : undefined);
  const labels = labelsOf(first);
  const spread = values.some((value) => value.spread === 'open') ? 'open' : 'listed';
  return { ...merged, direct: values.every((value) => value.direct && labelsOf(value) === labels), spread };
}

/** The same value without its fields, its origin and its literals: how it looks from outside of a view or function. */
export function stored(value: Value): Value {
  const { origin: _origin, row: _row, ...rest } = value;
  return { ...rest, literals: [] };
}

/** Every column of a row, and whatever else it may have. */
export function whole(table: Table, type?: number): Value {
  const values = table.columns.map((column) => column.value);
  return { ...derived(table.rest ? [...values, table.rest] : values, type), row: table, literals: [] };
}

export function union(lists: readonly (readonly LabelledColumn[])[]): readonly LabelledColumn[] {
  const filled = lists.filter((list) => list.length > 0);
  if (filled.length < 2) return filled[0] ?? [];
  return [...new Set(filled.flat())];
}

/** Carries a labelled value, or may. */
export function sensitive(value: Value): boolean {
  return value.opaque || value.sources.length > 0;
}

const known = new WeakMap<CatalogueColumn, LabelledColumn>();

/** The labelled column as domain knows it; the same object for the same column of the same catalogue. */
export function labelled(relation: Relation, column: CatalogueColumn): LabelledColumn {
  let found = known.get(column);
  if (!found) {
    found = { schema: relation.schema, relation: relation.name, column: column.name, labels: column.labels };
    known.set(column, found);
  }
  return found;
}

function labelsOf(value: Value): string {
  return [...new Set(value.sources.flatMap((source) => source.labels))].sort().join('\0');
}
