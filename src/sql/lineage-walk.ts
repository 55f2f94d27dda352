// One reading of one statement: what names mean where, what was found so far, and the readers that call one another.
// The readers live in files of their own and meet only in lineage.ts.
import type { Label, LabelledColumn } from '../domain/label.ts';
import type { Met, Scope } from './analysis.ts';
import type { Relation, Routine } from './catalogue.ts';
import { sensitive, type Table, type Value } from './lineage-value.ts';
import type { Tree } from './parse.ts';

/** An entry of FROM, or the target of a write. */
export interface Item extends Table {
  /** Its alias, or the relation's name; a join without alias has none. */
  readonly name?: string;
  /** Set for a relation without alias: it may be written with its schema. */
  readonly schema?: string;
  /** Its columns can be written bare and are part of `*`. */
  readonly bare: boolean;
  /** System columns exist. */
  readonly relation?: Relation;
}

export interface Names {
  readonly items: readonly Item[];
  readonly outer?: Names;
  readonly ctes: ReadonlyMap<string, Table>;
  /** WINDOW clause: what the order in each named window tells. */
  readonly windows?: ReadonlyMap<string, Value>;
}

export const noNames: Names = { items: [], ctes: new Map() };

/** What meets one labelled column. */
export interface Match {
  /** Constants of the text by their place, with the number of values that each holds. */
  readonly locations: Map<number, number>;
  /** Parameters by number; true where each element of an array counts. */
  readonly parameters: Map<number, boolean>;
  /** More values than can be told from the text. */
  open: boolean;
  /** As many values as rows are written. */
  rows: boolean;
}

export interface Found {
  readonly probes: Set<LabelledColumn>;
  readonly derives: Set<LabelledColumn>;
  readonly matches: Map<LabelledColumn, Match>;
  /** A function that is not read here was given any number of values. */
  openCall: boolean;
  readonly touches: Set<LabelledColumn>;
  /** Columns that labelled values are put into, with the labels that come with them. */
  readonly carries: Map<string, LabelledColumn>;
  /** Literals that meet labelled columns, and those that surely do not; the others could not be placed. */
  readonly sensitive: { readonly locations: Set<number>; readonly parameters: Set<number> };
  readonly placed: { readonly locations: Set<number>; readonly parameters: Set<number> };
  /** Of the sensitive ones, the labels that each surely meets. */
  readonly meets: { readonly locations: Map<number, Met>; readonly parameters: Map<number, Met> };
  /** Something somewhere could not be resolved or read. */
  opaque: boolean;
  /** Expressions and queries read so far, function bodies among them, and readings of recursive queries. */
  steps: number;
  bodies: number;
  rounds: number;
}

export interface Surroundings {
  readonly scope: Scope;
  readonly found: Found;
  /** Views and functions that are being read, so that recursion ends. */
  readonly inside: readonly number[];
  /** Values of `$n` and of named arguments inside a function's body; none in the statement's own text. */
  readonly argumentsOf?: { readonly numbered: readonly Value[]; readonly named: ReadonlyMap<string, Value> };
  /** The text being read is not the client's: constants in it have no place in the statement. */
  readonly foreign: boolean;
}

export interface Walk extends Surroundings {
  /** The same readers over other surroundings. */
  fork(changes: Partial<Surroundings>): Walk;
  query(tree: Tree, names: Names): Table;
  expression(tree: Tree, names: Names): Value;
  /** Reads a condition: what it tests beyond equality is a probe. Returns what its outcome tells. */
  condition(tree: Tree | undefined, names: Names): Value;
  from(tree: Tree, names: Names): readonly Item[];
  call(call: NonNullable<Tree['FuncCall']>, names: Names): Value;
  relation(relation: Relation): Table;
  routine(routine: Routine, values: readonly Value[], named: ReadonlyMap<string, Value>): Table | undefined;
  write(tree: Tree, names: Names): Table | undefined;
}

export function probe(walk: Walk, value: Value): void {
  for (const source of value.sources) walk.found.probes.add(source);
  place(walk, value);
}

/** Says of a value's literals whether they meet labelled columns: those of the value itself, and what it is written to. */
export function place(
  walk: Walk,
  value: Value,
  meetsLabelled: boolean = sensitive(value),
  target: Value = value,
): void {
  const { meets, placed, sensitive: found } = walk.found;
  const into = meetsLabelled ? found : placed;
  const any = value.opaque || target.opaque;
  for (const literal of value.literals) {
    const [kind, at] =
      'location' in literal ? (['locations', literal.location] as const) : (['parameters', literal.parameter] as const);
    into[kind].add(at);
    if (meetsLabelled) meet(meets[kind], at, any ? 'any' : [value, target]);
  }
}

function meet(into: Map<number, Met>, at: number, values: 'any' | readonly Value[]): void {
  const before = into.get(at);
  if (values === 'any' || before === 'any') {
    into.set(at, 'any');
    return;
  }
  const labels = new Set<Label>(before);
  for (const { sources } of values) for (const source of sources) for (const label of source.labels) labels.add(label);
  into.set(at, labels);
}

export function emptyFound(): Found {
  const places = () => ({ locations: new Set<number>(), parameters: new Set<number>() });
  return {
    probes: new Set(),
    derives: new Set(),
    matches: new Map(),
    openCall: false,
    touches: new Set(),
    carries: new Map(),
    sensitive: places(),
    placed: places(),
    meets: { locations: new Map(), parameters: new Map() },
    opaque: false,
    steps: 0,
    bodies: 0,
    rounds: 0,
  };
}
