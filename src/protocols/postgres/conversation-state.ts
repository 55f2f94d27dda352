// The state that the two directions of a conversation share, and the few things that both do with it.
import { Fault } from '../../domain/fault.ts';
import type { Mask } from '../../domain/mask.ts';
import type { WrittenBack } from '../../masking/written-back.ts';
import type { Permit } from '../../domain/permit.ts';
import type { Meaning, Outcome, Statement } from '../../domain/statement.ts';
import type { Analysis, Copy, Scope } from '../../sql/analysis.ts';
import type { Catalogue, LabelRule } from '../../sql/catalogue.ts';
import { encodeDescribe } from './codec-extended.ts';
import type { Framer } from './codec-framer.ts';
import { encodeFlush, encodeSync } from './codec-simple.ts';
import type { TransactionStatus } from './codec-status.ts';
import type { Writer } from './codec-writer.ts';
import type { Names } from './conversation-names.ts';
import type { Fifo } from './conversation-queue.ts';
import {
  type Doubt,
  type Ending,
  type Expected,
  type Portal,
  type Prepared,
  type Reading,
  type Step,
  type Work,
} from './conversation-queue.ts';
import type { CompileMask, CopyMasks } from './conversation-results.ts';
import { encodeRefusal, refusalOf } from './faults.ts';

/** What a conversation does to the world. Bytes are valid only during the call. Nothing here may call back before it returns. */
export interface Sink {
  toClient(bytes: Uint8Array): void;
  toTarget(bytes: Uint8Array, permit: Permit): void;
  /** Answered by `ruled`, once, also after `withdraw`. */
  ask(question: number, statement: Statement): void;
  withdraw(question: number): void;
  settle(permit: Permit, outcome: Outcome): void;
  /** What the client saw, or the data that it copied in: masked. */
  record(side: 'client' | 'target', bytes: Uint8Array): void;
  /** Read the target's catalogue again through the gateway's own connection; answered by `catalogueRead`. */
  readCatalogue(): void;
  /** Ask the target whether its catalogue changed, for a name that is not in it; answered by `catalogueRead` too. */
  checkCatalogue(): void;
  /** DDL of this session was committed. */
  catalogueChanged(): void;
  /** Interrupt what this session's link runs, by the target's own key; answered by `cancelTaken`. */
  cancelTarget(permit: Permit): void;
  pauseClient(): void;
  resumeClient(): void;
  /** What the target sends is not read until `resumeTarget`; what is under way may still come. */
  pauseTarget(): void;
  resumeTarget(): void;
  /** Once, at the end: both links close after what was written has left. */
  close(ending: Ending): void;
}

export interface ConversationOptions {
  /** Of the `connect` statement: carries what acts for nobody, such as Sync. */
  readonly permit: Permit;
  /** Throws Fault statement.not-understood. */
  analyse(sql: string, scope: Scope): Analysis;
  preview(meaning: Meaning): 'permit' | 'hold' | 'deny';
  readonly catalogue: Catalogue;
  /** Process id of the server that answers the gateway's own connection now: it can never be that of a session. */
  ownBackend?(): string | undefined;
  labels(): readonly LabelRule[];
  /** The target's database keeps its texts in UTF-8. Default: it does. */
  readonly utf8?: boolean;
  readonly compileMask: CompileMask;
  openCopyMasks(copy: Copy, columns: readonly CopyColumn[]): CopyMasks;
  /** Tells values that a mask made. Default: what can be told without the gateway's key. */
  readonly writtenBack?: WrittenBack;
  readonly limits?: Partial<ConversationLimits>;
}

export interface CopyColumn {
  readonly mask: Mask | null;
  readonly type: number | undefined;
}

export interface ConversationLimits {
  /** Bytes of client messages that may wait before reading stops. */
  readonly waitingBytes: number;
  /** Prepared statements, and portals, of one session. */
  readonly names: number;
  /** Longest message of a client in bytes; CopyData is not counted. */
  readonly messageBytes: number;
  /** Bytes of a withheld result after which the statement is cancelled. */
  readonly withheldBytes: number;
  /** Questions that may be open at once. */
  readonly questions: number;
  /** Answers that the target may owe before nothing more is sent to it. */
  readonly answers: number;
  /** Longest message of the target that is held whole; data that needs no masking passes on in pieces. */
  readonly wholeBytes: number;
  /** Bytes of what the gateway reads through the session's link for itself. */
  readonly readingBytes: number;
  /** Bytes of the texts of prepared statements. */
  readonly preparedBytes: number;
}

export const defaultLimits: ConversationLimits = {
  waitingBytes: 1 << 20,
  names: 10_000,
  messageBytes: 64 << 20,
  withheldBytes: 1 << 20,
  questions: 1_000,
  answers: 10_000,
  wholeBytes: 32 << 20,
  readingBytes: 256 << 20,
  preparedBytes: 64 << 20,
};

/** Name under which the gateway's own messages stand in the session; a client that uses it is refused. */
export const reservedName = 'countersign gateway';

export interface Talk {
  readonly sink: Sink;
  readonly options: ConversationOptions;
  readonly limits: ConversationLimits;
  readonly client: Framer;
  readonly target: Framer;
  /** Messages of the client in order; the first `begun` of them have been looked at. */
  readonly steps: Fifo<Step>;
  begun: number;
  /** Bytes held by `steps`. */
  waiting: number;
  paused: boolean;
  readonly expected: Fifo<Expected>;
  readonly questions: Map<number, Step | 'cancel'>;
  lastQuestion: number;
  /** Process id of the server that answers this session, once it was read. */
  backend: string | undefined;
  readonly statements: Names<Prepared>;
  readonly portals: Names<Portal>;
  /** Bytes of statement texts, at least those that are kept. */
  preparedBytes: number;
  /** Works sent or permitted that have no outcome yet. */
  readonly works: Set<Work>;
  /** Number of the segment that the next client message belongs to: it ends with Sync or Query. */
  segment: number;
  /** Messages of this segment and earlier ones are not sent any more. */
  failedSegment: number;
  /** A message of this segment will be refused in its turn: what follows it need not be read. */
  refusedSegment: number;
  /** Extended messages were sent since the last Sync. */
  segmentOpen: boolean;
  flushed: boolean;
  status: TransactionStatus;
  /** Begun statements that must be over before the next one is read. */
  barriers: number;
  /** A COPY from the client may be running: nothing but its data may be sent. */
  copyGate: Expected | undefined;
  copyingIn: boolean;
  /** Masks of what is recorded of the COPY at hand; `null` when it is recorded as it is. */
  copyRecord: Pick<CopyMasks, 'push' | 'end'> | null;
  copyOut: CopyMasks | null;
  /** Syncs that the server ignored because it was copying; one may still be answered when its COPY failed first. */
  strayReady: number;
  /** A result was withheld: nothing reaches the client until the segment's end. */
  withheld: boolean;
  withheldBytes: number;
  /** In the middle of a message that is passed on in pieces. */
  streaming: boolean;
  streamingIn: boolean;
  /** Own messages that wait for the end of such a message. */
  deferred: Buffer[];
  catalogue: Catalogue;
  /** The newest one that the gateway's own connection gave. */
  shared: Catalogue;
  scope: Scope;
  /** Counts changes of what statements are read under. */
  scopeNumber: number;
  readonly preparedView: Map<string, Analysis>;
  readonly cursors: Map<string, { readonly analysis: Analysis; readonly hold: boolean }>;
  readonly cursorView: Map<string, Analysis>;
  needPath: boolean;
  /** A body that nobody read ran in this session (conversation-unread.ts). */
  unread: boolean;
  needCatalogue: boolean;
  /** Changed inside the transaction at hand: its end may take it back. */
  touchedPath: boolean;
  touchedCatalogue: boolean;
  /** The session has objects that only its own link sees. */
  temporary: boolean;
  reading: Reading | undefined;
  awaitingCatalogue: boolean;
  /** A description that disagrees waits for a catalogue of now; everything behind it waits as well. */
  doubt: Doubt | undefined;
  /** Cancels on their way to the target: one that comes late must not hit a reading of our own. */
  cancelling: number;
  /** Stands for seeing every labelled column of user schemas. */
  revealing: Meaning | undefined;
  /** The client said goodbye: the conversation ends once everything before that is answered. */
  leaving: boolean;
  ended: boolean;
  /** Bytes of the target that leave as they were read: `run[from, to)`. */
  run: Buffer | undefined;
  runFrom: number;
  runTo: number;
  readonly writer: Writer;
}

/** Sends bytes of our own to the client, behind what was read before them, and records them. */
export function emit(talk: Talk, bytes: Uint8Array): void {
  flushRun(talk);
  talk.sink.toClient(bytes);
  talk.sink.record('target', bytes);
}

/** Sends what does not answer a message: never into the middle of one. */
export function emitAside(talk: Talk, bytes: Buffer): void {
  if (talk.streaming) talk.deferred.push(bytes);
  else emit(talk, bytes);
}

export function flushRun(talk: Talk): void {
  const { run } = talk;
  if (run === undefined) return;
  const bytes = run.subarray(talk.runFrom, talk.runTo);
  talk.run = undefined;
  talk.sink.toClient(bytes);
  talk.sink.record('target', bytes);
}

/** The only place where an outcome is reported: exactly once for each permit (test: every permit gets one outcome). */
export function settle(talk: Talk, work: Work | undefined, status: Outcome['status'], code?: string): void {
  if (work === undefined || work.settled) return;
  work.settled = true;
  talk.works.delete(work);
  talk.sink.settle(work.permit, {
    status,
    rows: work.rows,
    bytes: work.bytes,
    masked: work.masked,
    ...(code === undefined ? (work.withheld ? { code: '42501' } : {}) : { code }),
    ...(work.tag === undefined ? {} : { tag: work.tag }),
  });
}

/** The portal is gone: what it ran so far is its outcome. */
export function closePortal(talk: Talk, portal: Portal | undefined): void {
  if (portal === undefined) return;
  talk.cursorView.delete(portal.name);
  const { work } = portal;
  if (work === undefined || work.settled) return;
  portal.masks?.collect(work.masked);
  settle(talk, work, work.sent ? 'done' : 'skipped');
}

/** No more messages of `segment` are sent. What was sent before is still answered, so its names stay proposed until then. */
export function stopSegment(talk: Talk, segment: number): void {
  if (segment > talk.failedSegment) talk.failedSegment = segment;
}

/** No message of `segment` will be answered any more. */
export function closeSegment(talk: Talk, segment: number): void {
  talk.statements.fail(segment);
  talk.portals.fail(segment);
}

/** A message that must fail at the server, whatever state it is in: it describes a portal that does not exist. */
export function sendFailure(talk: Talk): void {
  encodeDescribe(talk.writer, { of: 'portal', name: reservedName });
  talk.sink.toTarget(talk.writer.take(), talk.options.permit);
}

export function sendSync(talk: Talk): void {
  encodeSync(talk.writer);
  talk.sink.toTarget(talk.writer.take(), talk.options.permit);
}

export function cancelTarget(talk: Talk, permit: Permit): void {
  talk.cancelling++;
  talk.sink.cancelTarget(permit);
}

export function sendFlush(talk: Talk): void {
  encodeFlush(talk.writer);
  talk.sink.toTarget(talk.writer.take(), talk.options.permit);
}

/** Ends the conversation: the client is told once, every permit gets its outcome, every question is withdrawn. */
export function end(talk: Talk, cause: string, fault: Fault | undefined): void {
  if (talk.ended) return;
  flushRun(talk);
  // A fatal error cannot be put into the middle of a message: then the link just closes.
  if (fault && !talk.streaming) {
    const refusal = refusalOf(fault);
    const bytes = encodeRefusal({ ...refusal, severity: 'FATAL' });
    talk.sink.toClient(bytes);
    talk.sink.record('target', bytes);
  }
  talk.ended = true;
  for (const [question, step] of talk.questions) if (step !== 'cancel') talk.sink.withdraw(question);
  for (const work of talk.works) settle(talk, work, work.sent ? 'lost' : 'skipped');
  talk.sink.close({ fault, cause });
}

/** Runs one input; whatever it throws ends the conversation and nothing else. */
export function guarded(talk: Talk, input: () => void): void {
  if (talk.ended) return;
  try {
    input();
  } catch (error) {
    if (error instanceof Fault) end(talk, error.code, error);
    else
      end(
        talk,
        'gateway.internal',
        new Fault('gateway.internal', 'The gateway met an internal error and ended this session.', error),
      );
  }
}
