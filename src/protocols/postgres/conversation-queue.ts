// What waits: messages of the client that may not be sent yet, and answers of the target that are still to come.
import type { Fault } from '../../domain/fault.ts';
import type { Holding, Permit } from '../../domain/permit.ts';
import type { MaskedCells } from '../../domain/statement.ts';
import type { Analysis } from '../../sql/analysis.ts';
import type { Format } from './codec-extended.ts';
import type { Field } from './codec-rows.ts';
import type { RowMasks } from './conversation-results.ts';
import type { Refusal } from './faults.ts';

/** First in, first out, without moving what is left at each step. */
export class Fifo<T> {
  #items: T[] = [];
  #head = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  /** The item at `index` from the front. */
  at(index: number): T | undefined {
    return this.#items[this.#head + index];
  }

  shift(): T | undefined {
    if (this.#head === this.#items.length) return undefined;
    const item = this.#items[this.#head] as T;
    this.#items[this.#head++] = undefined as T;
    if (this.#head === this.#items.length) {
      if (this.#head > 1024) this.#items = [];
      else this.#items.length = 0;
      this.#head = 0;
    } else if (this.#head > 1024) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  /** Takes out the item at `index` from the front. */
  remove(index: number): void {
    this.#items.splice(this.#head + index, 1);
  }
}

/** A prepared statement as the server holds it under a name. */
export interface Prepared {
  /** The text that was sent; for SQL-level PREPARE the whole statement that prepared it. */
  readonly text: string;
  /** Set for SQL-level PREPARE: which part of `text` prepared it. */
  readonly part?: number;
  /** For SQL-level PREPARE: nothing else stands in `text`. */
  readonly alone?: boolean;
  /** Parameter types, as the client named them and then as the server described them; 0 or absent is unknown. */
  types: readonly number[];
  analysis: Analysis;
  /** What `analysis` was read under. */
  scope: number;
  /** Set once a description was asked for under `analysis`. */
  describing: Analysis | undefined;
  fields: readonly Field[] | undefined;
}

/** A bound portal: one execution of a statement, with one permit, however many Execute messages fetch it. */
export interface Portal {
  readonly name: string;
  readonly prepared: Prepared;
  readonly analysis: Analysis;
  readonly results: readonly Format[];
  work: Work | undefined;
  /** A description will have come before its rows. */
  described: boolean;
  /** Set by the description: `null` when rows leave as they are. */
  masks: RowMasks | null | undefined;
}

/** One permitted statement from its sending to its outcome. */
export interface Work {
  readonly permit: Permit;
  readonly analysis: Analysis;
  sent: boolean;
  settled: boolean;
  /** The client was given an error in place of its result. */
  withheld: boolean;
  rows: number;
  bytes: number;
  tag: string | undefined;
  masked: MaskedCells[];
}

export function openWork(permit: Permit, analysis: Analysis): Work {
  return {
    permit,
    analysis,
    sent: false,
    settled: false,
    withheld: false,
    rows: 0,
    bytes: 0,
    tag: undefined,
    masked: [],
  };
}

/** raw: not looked at. asked: waits for its ruling. ready: may be sent when its turn comes. */
export const stage = { raw: 0, asked: 1, ready: 2 } as const;
export type Stage = (typeof stage)[keyof typeof stage];

/** One message of the client on its way to the target. */
export interface Step {
  readonly type: number;
  /** The whole message, owned by the step. */
  readonly bytes: Buffer;
  stage: Stage;
  segment: number;
  /** Number of its question, 0 when none was asked. */
  question: number;
  holding: Holding | undefined;
  work: Work | undefined;
  /** Answered with this instead of being sent. */
  refusal: Refusal | undefined;
  analysis: Analysis | undefined;
  name: string;
  prepared: Prepared | undefined;
  portal: Portal | undefined;
  /** What follows may only be read once this one is over. */
  barrier: boolean;
  /** Its segment failed: it is not sent, whatever is ruled. */
  dropped: boolean;
  /** The catalogue was looked at once more for a name that it did not have. */
  lookedAgain: boolean;
  /** For FunctionCall: how its result comes. */
  call: CalledResult | undefined;
  /** Names the unnamed portal of a failed transaction, which nobody bound. */
  left: boolean;
}

export interface CalledResult {
  /** OID of its type; 0 is unknown. */
  readonly type: number;
  readonly format: Format;
}

/** What a waiting message costs beside its bytes: counted with them, so that many small ones are as bounded as a large one. */
export const stepCost = 256;

export function openStep(type: number, bytes: Buffer): Step {
  return {
    type,
    bytes,
    stage: stage.raw,
    segment: 0,
    question: 0,
    holding: undefined,
    work: undefined,
    refusal: undefined,
    analysis: undefined,
    name: '',
    prepared: undefined,
    portal: undefined,
    barrier: false,
    dropped: false,
    lookedAgain: false,
    left: false,
    call: undefined,
  };
}

export const answer = {
  query: 0,
  parse: 1,
  bind: 2,
  describeStatement: 3,
  describePortal: 4,
  execute: 5,
  close: 6,
  sync: 7,
  /** Of a message that must fail, so that the server's transaction fails as it would with an error of its own. */
  failure: 8,
  /** Of the gateway's own reading through this link. */
  own: 9,
  /** Of a message about a portal that failed before it was ours: it can only be an error or nothing at all. */
  left: 10,
  /** Of FunctionCall. */
  call: 11,
} as const;
export type AnswerKind = (typeof answer)[keyof typeof answer];

/** What the target still owes, in order. */
export interface Expected {
  readonly kind: AnswerKind;
  readonly segment: number;
  readonly work: Work | undefined;
  readonly analysis: Analysis | undefined;
  readonly name: string;
  readonly prepared: Prepared | undefined;
  readonly portal: Portal | undefined;
  readonly call: CalledResult | undefined;
  /** The client did not ask for it: nothing of it is passed on. */
  readonly swallow: boolean;
  /** For `failure`: what the client is told; `undefined` when it was told before. Else in place of the error of a COPY that we gave up. */
  refusal: Refusal | undefined;
  /** For `close`: whether a statement is closed. */
  readonly ofStatement: boolean;
  readonly barrier: boolean;
  /** For `query`: index of the part whose answer comes next. For `call`: 1 once it has returned. */
  part: number;
  /** For `query`: masks of the result at hand, `null` when rows leave as they are, `undefined` before its description. */
  masks: RowMasks | null | undefined;
  /** The target began a COPY to the client, as the text says, and has not ended it. */
  copiesOut: boolean;
  failed: boolean;
}

export function expectation(kind: AnswerKind, segment: number, more: Partial<Expected> = {}): Expected {
  return {
    kind,
    segment,
    work: more.work,
    analysis: more.analysis,
    name: more.name ?? '',
    prepared: more.prepared,
    portal: more.portal,
    call: more.call,
    swallow: more.swallow ?? false,
    refusal: more.refusal,
    ofStatement: more.ofStatement ?? false,
    barrier: more.barrier ?? false,
    part: 0,
    masks: undefined,
    copiesOut: false,
    failed: false,
  };
}

/** A reading of the gateway's own through the session's link, while its answers come. */
export interface Reading {
  readonly catalogue: boolean;
  /** Its last query asks what stands behind the names of prepared statements. */
  readonly names: boolean;
  readonly queries: number;
  /** Ends with ReadyForQuery; otherwise with the last CloseComplete, in the middle of a segment of the client. */
  readonly synced: boolean;
  readonly results: string[][][];
  /** Bytes of its answers so far. */
  bytes: number;
  closes: number;
}

/** A description of a result that waits for a catalogue of now. */
export interface Doubt {
  readonly entry: Expected;
  readonly fields: readonly Field[];
  /** The message, for the client if it is believed after all. */
  readonly bytes: Buffer;
}

/** The end of a conversation: what the client is told, and why the record says that it ended. */
export interface Ending {
  readonly fault: Fault | undefined;
  readonly cause: string;
}
