// Which labelled base columns may reach each result column, and where a statement tests or copies them (DESIGN §5).
import type { LabelledColumn } from '../domain/label.ts';
import type { Output } from '../domain/statement.ts';
import type { Scope, Witness } from './analysis.ts';
import type { Tree } from './parse.ts';

export interface Lineage {
  /** One for each column of the result; absent when the statement returns no rows. A `*` that cannot be expanded is one opaque column. */
  readonly outputs?: readonly Output[];
  /** Beside `outputs`. */
  readonly witnesses: readonly Witness[];
  /** Labelled columns that a condition, an order, or an operation that can fail tells something about: `sql:probe`. */
  readonly probes: readonly LabelledColumn[];
  /** Labelled columns whose value goes where its label does not follow: `sql:derive`. */
  readonly derives: readonly LabelledColumn[];
  /** Every labelled column that the statement names or reaches: server texts could quote it. */
  readonly touches: readonly LabelledColumn[];
  /** Something could not be resolved or read: anything may be reached. */
  readonly opaque: boolean;
  readonly literals: Literals;
  /** COPY … FROM: whether each column of the data is labelled. */
  readonly copyLabelled?: readonly boolean[];
}

/** Constants (UTF-8 byte offsets in the text that was parsed) and parameters (numbers). What is in neither set could not be placed. */
export interface Literals {
  /** Compared with, assigned to or combined with labelled columns. */
  readonly sensitive: { readonly locations: ReadonlySet<number>; readonly parameters: ReadonlySet<number> };
  /** Meets unlabelled columns only. */
  readonly placed: { readonly locations: ReadonlySet<number>; readonly parameters: ReadonlySet<number> };
}

/** Reads one statement (a tree of `parse`). Total: what it does not understand is opaque. Throws nothing of its own. */
export type ReadLineage = (tree: Tree, scope: Scope) => Lineage;
