// What one statement brought, in a form in which a recorded answer and one of now can be compared: counts, codes and digests of
// values as text. Masked columns are left out: what stood behind a mask nobody recorded.
import { createHash, type Hash } from 'node:crypto';
import type { Unkept } from '../../domain/recording-rule.ts';
import { Cells, type Field, rowsOf } from './codec-rows.ts';
import { binaryText } from './replay-cell.ts';
import { looksBinary } from './replay.ts';

export interface Answered {
  readonly results: readonly AnsweredResult[];
  readonly tags: readonly string[];
  /** As an outcome counts them: rows that came, and of statements that return none those of the tag. */
  readonly rows: number;
  /** SQLSTATE of an error. */
  readonly code?: string;
  readonly message?: string;
  /** Of COPY to the client: bytes and SHA-256 of all of it. */
  readonly copied?: Digested;
}

export interface Digested {
  readonly bytes: number;
  readonly sha256: string;
}

export interface AnsweredResult {
  readonly columns: readonly string[];
  readonly rows: number;
  /** Rows whose values are in the digests: fewer where a recording kept fewer. */
  readonly held: number;
  /** SHA-256 of the held rows in their order, and one that order does not change. */
  readonly ordered: string;
  readonly unordered: string;
  /** The first of them. */
  readonly sample: readonly (readonly (string | null)[])[];
  /** SHA-256 of all rows as messages. */
  readonly messages: string;
  /** Every description said text: `messages` of two such answers can be compared. */
  readonly plain: boolean;
}

const mostSamples = 5;
const shown = 200;
const space = 1n << 256n;

/** Columns of a result that are not compared. */
export type Hidden = (result: number) => ReadonlySet<number>;

class Result {
  readonly columns: readonly string[];
  rows = 0;
  held = 0;
  sum = 0n;
  readonly #ordered = createHash('sha256');
  readonly #messages = createHash('sha256');
  readonly sample: (string | null)[][] = [];
  unkept: Unkept | undefined;
  readonly fields: readonly Field[] | undefined;
  readonly known: boolean;

  constructor(fields: readonly Field[] | undefined, known: boolean) {
    this.fields = fields;
    this.known = known;
    this.columns = fields?.map((field) => field.name) ?? [];
  }

  add(message: Buffer, cells: (string | null)[] | undefined): void {
    this.rows++;
    this.#messages.update(message);
    if (!cells) return;
    this.held++;
    const line = JSON.stringify(cells);
    this.#ordered.update(`${line}\n`);
    this.sum = (this.sum + BigInt(`0x${createHash('sha256').update(line).digest('hex')}`)) % space;
    if (this.sample.length < mostSamples)
      this.sample.push(cells.map((cell) => (cell && cell.length > shown ? `${cell.slice(0, shown)}…` : cell)));
  }

  finish(): AnsweredResult {
    const { columns, held, sample, fields, known, unkept } = this;
    return {
      columns,
      rows: unkept?.rows ?? this.rows,
      held,
      ordered: this.#ordered.digest('hex'),
      unordered: this.sum.toString(16),
      sample,
      messages: unkept?.sha256 ?? this.#messages.digest('hex'),
      plain: known && fields !== undefined && fields.every((field) => field.format === 0),
    };
  }
}

/** Gathers the messages of one answer. */
export class Answer {
  readonly #results: Result[] = [];
  readonly #tags: string[] = [];
  readonly #hidden: Hidden;
  readonly #limits: (result: number) => number;
  readonly #cells = new Cells();
  #open: Result | undefined;
  #counted = 0;
  #code: string | undefined;
  #message: string | undefined;
  #copied: { bytes: number; readonly hash: Hash; unkept?: Unkept } | undefined;

  /** `limits`: rows of each result whose values count. */
  constructor(hidden: Hidden, limits: (result: number) => number = () => Number.POSITIVE_INFINITY) {
    this.#hidden = hidden;
    this.#limits = limits;
  }

  /** A description; `known` when it knows the formats of the rows. */
  describe(fields: readonly Field[], known: boolean): void {
    this.#open = new Result(fields, known);
    this.#results.push(this.#open);
  }

  get described(): boolean {
    return this.#open !== undefined;
  }

  row(buffer: Buffer, start: number, end: number): void {
    const open = this.#result();
    const message = buffer.subarray(start, end);
    if (open.held >= this.#limits(this.#results.length - 1)) return open.add(message, undefined);
    const count = this.#cells.read(buffer, start, end);
    const hidden = this.#hidden(this.#results.length - 1);
    const cells: (string | null)[] = [];
    for (let index = 0; index < count; index++) {
      const offset = this.#cells.offsets[index] as number;
      const length = this.#cells.lengths[index] as number;
      const field = open.fields?.[index];
      if (hidden.has(index)) cells.push('(masked)');
      else cells.push(length < 0 ? null : cellText(field, open.known, buffer.subarray(offset, offset + length)));
    }
    open.add(message, cells);
  }

  copied(data: Buffer): void {
    this.#copied ??= { bytes: 0, hash: createHash('sha256') };
    this.#copied.bytes += data.length;
    this.#copied.hash.update(data);
  }

  unkept(of: Unkept): void {
    if (of.of === 'rows') this.#result().unkept = of;
    else if (of.of === 'copy-out') this.#copied = { bytes: 0, hash: createHash('sha256'), unkept: of };
  }

  tag(tag: string): void {
    this.#tags.push(tag);
    if (!this.#open) this.#counted += rowsOf(tag);
    this.#open = undefined;
  }

  failed(code: string, message: string): void {
    this.#code = code;
    this.#message = message;
  }

  get rows(): number {
    return this.#results.reduce((sum, { unkept, rows }) => sum + (unkept?.rows ?? rows), 0);
  }

  finish(): Answered {
    const { bytes, hash, unkept } = this.#copied ?? {};
    const copied = unkept ?? (hash && { bytes: bytes as number, sha256: hash.digest('hex') });
    return {
      results: this.#results.map((result) => result.finish()),
      tags: this.#tags,
      rows: this.rows + this.#counted,
      ...(this.#code === undefined ? {} : { code: this.#code, message: this.#message ?? '' }),
      ...(copied && { copied: { bytes: copied.bytes, sha256: copied.sha256 } }),
    };
  }

  #result(): Result {
    if (!this.#open) {
      this.#open = new Result(undefined, false);
      this.#results.push(this.#open);
    }
    return this.#open;
  }
}

function cellText(field: Field | undefined, known: boolean, value: Buffer): string {
  const binary = field && known ? field.format === 1 : looksBinary(field?.type ?? 0, value);
  return binary ? binaryText(field?.type ?? 0, value) : value.toString('utf8');
}
