// What is asked of the session: one statement with its recorded form and its exact bytes' digest.
import { createHash } from 'node:crypto';
import { traceComment } from '../../domain/trace.ts';
import type { Guess, Meaning, Statement, StatementKind } from '../../domain/statement.ts';
import type { Bind } from './codec-extended.ts';

export class Asked implements Statement {
  readonly kind: StatementKind;
  readonly text: string;
  readonly meaning: Meaning;
  readonly parameters?: readonly (string | null)[];
  readonly guesses?: readonly Guess[];
  readonly trace?: string;
  readonly #exact: string;
  readonly #bind: Bind | undefined;

  constructor(
    kind: StatementKind,
    text: string,
    meaning: Meaning,
    exact: string,
    bind?: Bind,
    parameters?: readonly (string | null)[],
    guesses?: readonly Guess[],
  ) {
    this.kind = kind;
    this.text = text;
    this.meaning = meaning;
    this.#exact = exact;
    this.#bind = bind;
    if (parameters !== undefined) this.parameters = parameters;
    if (guesses !== undefined) this.guesses = guesses;
    const named = traceComment(exact);
    if (named !== undefined) this.trace = named.trace;
  }

  /** SHA-256 over the text, then for each parameter its length as 4 bytes (−1 for NULL) and its bytes as sent. */
  digest(): string {
    const hash = createHash('sha256').update(this.#exact, 'utf8');
    const length = Buffer.alloc(4);
    for (const value of this.#bind?.parameters ?? []) {
      length.writeInt32BE(value === null ? -1 : value.length);
      hash.update(length);
      if (value !== null) hash.update(value);
    }
    return hash.digest('hex');
  }
}

export const connectMeaning: Meaning = { effects: [{ action: 'connect', resource: {} }], results: [] };
export const cancelMeaning: Meaning = { effects: [{ action: 'cancel', resource: {} }], results: [] };
