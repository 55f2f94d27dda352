// One event of a session's replay: what was asked, and what came back as the client saw it. Times are milliseconds since
// the epoch. Protocols decode recordings into these; the API passes them on (src/api/contract.ts).
export type ReplayEvent =
  | {
      readonly at: number;
      readonly kind: 'statement';
      readonly sequence: number;
      readonly text: string;
      readonly parameters?: readonly (string | null)[];
    }
  | {
      readonly at: number;
      readonly kind: 'result';
      readonly columns: readonly string[];
      readonly rows: readonly (readonly (string | null)[])[];
      /** Rows that the client saw. */
      readonly total: number;
      readonly unkept?: NotKept;
    }
  | { readonly at: number; readonly kind: 'done'; readonly tag: string }
  | {
      readonly at: number;
      readonly kind: 'error';
      readonly severity: string;
      readonly code: string;
      readonly message: string;
      readonly detail?: string;
      readonly hint?: string;
    }
  | {
      readonly at: number;
      readonly kind: 'notice';
      readonly severity: string;
      readonly message: string;
      readonly hint?: string;
    }
  | {
      readonly at: number;
      readonly kind: 'copy';
      readonly direction: 'in' | 'out';
      readonly bytes: number;
      readonly preview: string;
      readonly unkept?: NotKept;
    }
  | { readonly at: number; readonly kind: 'other'; readonly name: string };

/** What the recording does not hold, and why; the digest is of the whole (docs/replay.md). */
export interface NotKept {
  /** The rule that the recording was kept under. */
  readonly rule: string;
  readonly rows: number;
  readonly bytes: number;
  readonly sha256: string;
}
