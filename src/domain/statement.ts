import type { Effect } from './effect.ts';
import type { TraceParent } from './trace.ts';
import type { Label, LabelledColumn } from './label.ts';

/**
 * The unit a policy judges. `connect` opens a session, `prepare` lets the target parse a text without running it,
 * `execute` runs it, `cancel` interrupts what runs.
 */
export type StatementKind = 'connect' | 'prepare' | 'execute' | 'cancel';

export interface Statement {
  readonly kind: StatementKind;
  /** As it may be recorded: literals that belong to labelled columns are already masked. */
  readonly text: string;
  /** Bound values as they may be recorded, in order; absent where the protocol has none. */
  readonly parameters?: readonly (string | null)[];
  /** SHA-256, hex, of the exact bytes that will run (text, then each parameter); computed only when asked, for approvals. */
  digest(): string;
  readonly meaning: Meaning;
  /** The trace that the client put it into; absent where it named none. */
  readonly trace?: TraceParent;
  /** Values of the client's own that it puts beside labelled columns; absent where there are none. */
  readonly guesses?: readonly Guess[];
}

/** Values that are compared with a labelled column by equality, or written into it: each asks one question about it. */
export interface Guess {
  readonly labels: readonly Label[];
  readonly values: number;
  /** As many more as rows are written. */
  readonly rows: boolean;
}

/** What a statement does and what it returns. The same object for the same meaning: decisions are cached by its identity. */
export interface Meaning {
  readonly effects: readonly Effect[];
  /** One list of columns for each result set the statement may return. */
  readonly results: readonly (readonly Output[])[];
  /** Columns that labelled values are copied into, with the labels that follow them; `*` is every column of the relation. */
  readonly carries?: readonly LabelledColumn[];
}

/** One column of a result set, traced back to the base columns its value may derive from. */
export interface Output {
  readonly name: string;
  /** Labelled base columns that the value may carry. */
  readonly sources: readonly LabelledColumn[];
  /** The value is one base column unchanged, so that its label's method fits it. */
  readonly direct: boolean;
  /** It could not be traced: it may carry anything the target holds. */
  readonly opaque: boolean;
}

/** How a statement ended, as far as the gateway saw it. */
export interface Outcome {
  readonly status: 'done' | 'failed' | 'skipped' | 'cancelled' | 'lost';
  /** The protocol's own code for a failure: an SQLSTATE, an exit code, an HTTP status. */
  readonly code?: string;
  /** The protocol's own word for what was done, such as PostgreSQL's command tag. */
  readonly tag?: string;
  readonly rows: number;
  /** Bytes sent to the client for this statement. */
  readonly bytes: number;
  readonly masked: readonly MaskedCells[];
}

export interface MaskedCells {
  readonly label: string;
  readonly method: string;
  readonly cells: number;
}
