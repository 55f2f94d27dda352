import type { Label } from '../domain/label.ts';
import type { Meaning } from '../domain/statement.ts';
import type { Catalogue } from './catalogue.ts';

/** What a SQL text does and returns. Cached by text, catalogue version and search path; never mutated. */
export interface Analysis {
  /** Effects of every part together, and the columns of every result set in order. */
  readonly meaning: Meaning;
  /** The text as it may be recorded: literals that belong to labelled columns are masked, passwords always. */
  readonly text: string;
  /** One for each statement of the text, in order; empty for a text without statements. */
  readonly parts: readonly Part[];
  /** It may change the catalogue or settings that our reading depends on: what follows waits for its end. */
  readonly barrier: boolean;
  /** Server texts (errors, notices) could quote a labelled value: they keep their code and lose their text when anything is masked. */
  readonly quotesLabelled: boolean;
  /** Numbers (from 1) of parameters whose values belong to labelled columns, or that could not be placed: recorded masked. */
  readonly sensitiveParameters: ReadonlySet<number>;
  /** Labels of the columns that the text touches (absent when it could touch any), and those that each parameter surely meets. */
  readonly near?: { readonly labels?: ReadonlySet<Label>; readonly parameters: ReadonlyMap<number, Met> };
  /** Values of the client's own that meet labelled columns; absent where none do. */
  readonly matches?: readonly Asked[];
}

/** What is compared by equality with one labelled column, or written into it. */
export interface Asked {
  readonly labels: readonly Label[];
  /** Values that stand in the text. */
  readonly values: number;
  /** Numbers (from 1) of parameters; with `array` each element counts. */
  readonly parameters: readonly { readonly number: number; readonly array: boolean }[];
  /** As many more as rows are written. */
  readonly rows: boolean;
}

/** Labels of the columns that a literal or parameter meets; `any` when they could not be told. */
export type Met = 'any' | ReadonlySet<Label>;

export interface Part {
  /** The parser's node name, such as `SelectStmt`. */
  readonly node: string;
  /** Index into `meaning.results`, for parts that return rows (text or binary) or copy out. */
  readonly result?: number;
  /** One for each column of that result, beside `meaning.results[result]`: what the server's description must agree with. */
  readonly columns: readonly Witness[];
  /** The result is of a cursor that nobody declared here: it has as many columns as the server says, each like the one that was read. */
  readonly anyColumns?: true;
  readonly copy?: Copy;
  readonly changes: Changes;
}

/** What RowDescription must say of a result column for it to be believed. */
export interface Witness {
  /** Set when the column is one base column unchanged: table OID and attribute number. */
  readonly origin?: { readonly table: number; readonly attribute: number };
  /** Type OID where the catalogue knows it. */
  readonly type?: number;
}

export interface Copy {
  readonly direction: 'in' | 'out';
  readonly format: 'text' | 'csv' | 'binary';
  readonly delimiter: string;
  readonly nullText: string;
  readonly quote: string;
  readonly escape: string;
  readonly header: boolean;
  /** For `in`: whether each column is labelled, in the order of the data; drives the masking of what is recorded. */
  readonly labelled: readonly boolean[];
  /** Beside `labelled`: the labels of each. */
  readonly labels?: readonly (Met | undefined)[];
}

export interface Changes {
  /** DDL, or a call that could contain it: the catalogue is read again before the next analysis. */
  readonly catalogue?: boolean;
  /** Settings set by name; `undefined` when reset. `unknown` when it could have set any. */
  readonly settings?: Readonly<Record<string, string | undefined>> | 'unknown';
  /** The settings (or some of them) end with the transaction: SET LOCAL. */
  readonly local?: boolean;
  readonly transaction?: 'begin' | 'commit' | 'rollback' | 'savepoint' | 'rollback-to' | 'release' | 'prepare';
  /** SQL-level PREPARE: the inner statement under its name. */
  readonly prepared?: { readonly name: string; readonly analysis: Analysis };
  /** SQL-level DEALLOCATE; `undefined` name means all. */
  readonly deallocated?: { readonly name?: string };
  /** DECLARE: the cursor's query under its name; `hold` when it outlives its transaction (WITH HOLD). */
  readonly cursor?: { readonly name: string; readonly analysis: Analysis; readonly hold?: boolean };
  readonly closedCursor?: { readonly name?: string };
  /** A body may have put another cursor behind any known name but the one of `except`, in which it ran. */
  readonly doubtedCursors?: { readonly except?: string };
  /** DISCARD ALL and the like: forget every prepared statement, cursor and setting. */
  readonly discard?: boolean;
}

/** All that a reading of SQL depends on besides the text. */
export interface Scope {
  readonly catalogue: Catalogue;
  /** Schemas in search order, `pg_catalog` and the session's temporary schema placed as the server does. */
  readonly searchPath: readonly string[];
  /** The role at the target, for `$user`. */
  readonly role: string;
  readonly prepared: ReadonlyMap<string, Analysis>;
  readonly cursors: ReadonlyMap<string, Analysis>;
  /** Calls ran that may have opened cursors under any name: what those return is not known. */
  readonly openCursors?: boolean;
}
