// One client's conversation with its target after sign-in, without IO: bytes, rulings and ends in; bytes, questions and outcomes
// out through the sink. PostgreSQL 14–18, protocol 3.0 and 3.2 (manual, chapter 53). docs/protocols/postgresql.md lists every message.
import { Fault } from '../../domain/fault.ts';
import type { Denial, Holding, Permit } from '../../domain/permit.ts';
import type { Catalogue } from '../../sql/catalogue.ts';
import { clientMessage, clientPeer, targetPeer } from './codec.ts';
import { found, Framer } from './codec-framer.ts';
import { Writer } from './codec-writer.ts';
import { copyIn } from './conversation-copy.ts';
import { Names } from './conversation-names.ts';
import { type Doubt, Fifo, openStep, stage, type Step, stepCost } from './conversation-queue.ts';
import { startReading } from './conversation-reading.ts';
import { describedAgain, mayStream, reply, streamed } from './conversation-replies.ts';
import { grant, pump } from './conversation-requests.ts';
import { flushTarget } from './conversation-sending.ts';
import { setScope } from './conversation-scope.ts';
import {
  cancelTarget,
  type ConversationOptions,
  defaultLimits,
  emit,
  emitAside,
  end,
  flushRun,
  guarded,
  type Sink,
  type Talk,
} from './conversation-state.ts';
import { Asked, cancelMeaning } from './conversation-statement.ts';
import { type Refusal, refusalOf, refusalOfDenial } from './faults.ts';
import { encodeHoldNotice } from './notices.ts';

/** Inputs, in the order in which they happened. None throws; after the sink's `close` all are ignored. */
export interface Conversation {
  /** Bytes are valid only during the call. */
  fromClient(chunk: Buffer): void;
  fromTarget(chunk: Buffer): void;
  held(question: number, holding: Holding): void;
  ruled(question: number, ruling: Permit | Denial | Fault): void;
  /** A newer catalogue: the answer to `readCatalogue`, or news that it changed. */
  catalogueRead(catalogue: Catalogue): void;
  /** The catalogue is being checked: nothing is read until `catalogueRead`. */
  catalogueAwaited(): void;
  catalogueFailed(fault: Fault): void;
  /** A cancel request with this session's key came in. */
  cancelled(): void;
  /** The target has taken what `cancelTarget` asked for, or never will: one call for each. */
  cancelTaken(): void;
  /** Called every 30 seconds: clients are told again that they wait. */
  tick(): void;
  /** The target owes an answer, or a statement waits for its ruling. A COPY that waits for the client's data is not busy. */
  busy(): boolean;
  clientGone(): void;
  targetGone(): void;
  /** The session must end now. */
  kill(fault: Fault): void;
}

export function openConversation(sink: Sink, options: ConversationOptions): Conversation {
  const talk = openTalk(sink, options);
  // The search path that the server starts with is its own affair, so it is read before anything of the client.
  guarded(talk, () => startReading(talk, false));
  return {
    fromClient: (chunk) => guarded(talk, () => fromClient(talk, chunk)),
    fromTarget: (chunk) => guarded(talk, () => fromTarget(talk, chunk)),
    held: (question, holding) => guarded(talk, () => held(talk, question, holding)),
    ruled: (question, ruling) => {
      if (talk.ended) late(talk, question, ruling);
      else guarded(talk, () => ruled(talk, question, ruling));
    },
    catalogueRead: (catalogue) =>
      guarded(talk, () => {
        talk.awaitingCatalogue = false;
        const news = catalogue !== talk.shared;
        talk.shared = catalogue;
        // Own uncommitted or temporary objects are not in it: then it only says that something changed.
        if (talk.temporary || talk.touchedCatalogue) talk.needCatalogue ||= news;
        else setScope(talk, catalogue, talk.scope.searchPath, talk.scope.role);
        if (talk.doubt) decide(talk, talk.doubt);
        pump(talk);
      }),
    catalogueAwaited: () =>
      guarded(talk, () => {
        talk.awaitingCatalogue = true;
      }),
    catalogueFailed: (fault) => guarded(talk, () => end(talk, fault.code, fault)),
    cancelled: () => guarded(talk, () => cancelled(talk)),
    cancelTaken: () =>
      guarded(talk, () => {
        talk.cancelling--;
        pump(talk);
      }),
    busy: () => talk.questions.size > 0 || (talk.expected.length > 0 && !talk.copyingIn),
    tick: () =>
      guarded(talk, () => {
        // Never into the middle of a message, and never piling up behind one.
        if (talk.streaming) return;
        for (let index = 0; index < talk.begun; index++) {
          const holding = talk.steps.at(index)?.holding;
          if (holding) emitAside(talk, encodeHoldNotice(holding, true));
        }
      }),
    clientGone: () => guarded(talk, () => end(talk, 'client left', undefined)),
    targetGone: () =>
      guarded(talk, () => {
        if (talk.leaving) return end(talk, 'client left', undefined);
        end(talk, 'target left', new Fault('target.unreachable', 'The target closed the connection.'));
      }),
    kill: (fault) => guarded(talk, () => end(talk, fault.code, fault)),
  };
}

function openTalk(sink: Sink, options: ConversationOptions): Talk {
  const limits = { ...defaultLimits, ...options.limits };
  const preparedView = new Map();
  const cursorView = new Map();
  const talk: Talk = {
    sink,
    options,
    limits,
    client: new Framer({
      peer: clientPeer,
      limit: limits.messageBytes,
      limits: { [clientMessage.copyData]: 0x3fff_ffff },
      // Pieces of one row can be passed on while they come, unless the record needs them whole to mask them.
      stream(type, length) {
        if (type !== clientMessage.copyData) return false;
        if (talk.copyingIn && talk.copyRecord === null && talk.steps.length === 0) return true;
        if (length <= limits.messageBytes) return false;
        throw new Fault(
          'client.limit',
          `The client announced COPY data of ${length} bytes in one message; here at most ${limits.messageBytes} are accepted. Send it in smaller messages.`,
        );
      },
    }),
    target: new Framer({ peer: targetPeer, stream: (type, length) => mayStream(talk, type, length) }),
    steps: new Fifo(),
    begun: 0,
    waiting: 0,
    paused: false,
    expected: new Fifo(),
    questions: new Map(),
    lastQuestion: 0,
    statements: new Names(),
    portals: new Names(),
    backend: undefined,
    preparedBytes: 0,
    works: new Set(),
    segment: 1,
    failedSegment: 0,
    refusedSegment: 0,
    segmentOpen: false,
    flushed: false,
    status: 'I',
    barriers: 0,
    copyGate: undefined,
    copyingIn: false,
    copyRecord: null,
    copyOut: null,
    strayReady: 0,
    withheld: false,
    withheldBytes: 0,
    streaming: false,
    streamingIn: false,
    deferred: [],
    catalogue: options.catalogue,
    shared: options.catalogue,
    scope: { catalogue: options.catalogue, searchPath: [], role: '', prepared: preparedView, cursors: cursorView },
    scopeNumber: 1,
    preparedView,
    cursors: new Map(),
    cursorView,
    needPath: true,
    unread: false,
    needCatalogue: false,
    touchedPath: false,
    touchedCatalogue: false,
    temporary: false,
    reading: undefined,
    awaitingCatalogue: false,
    doubt: undefined,
    cancelling: 0,
    revealing: undefined,
    leaving: false,
    ended: false,
    run: undefined,
    runFrom: 0,
    runTo: 0,
    writer: new Writer(),
  };
  return talk;
}

function fromClient(talk: Talk, chunk: Buffer): void {
  const { client } = talk;
  client.push(chunk);
  // One copy of what a chunk holds serves all its messages: each is a view of it.
  let source: Buffer | undefined;
  let copy: Buffer = chunk;
  let base = 0;
  for (let it = client.next(); it !== found.nothing; it = client.next()) {
    const { type, buffer, start, end: stop } = client;
    if (it !== found.message) {
      streamIn(talk, it, buffer.subarray(start, stop));
      continue;
    }
    const copies =
      type === clientMessage.copyData || type === clientMessage.copyDone || type === clientMessage.copyFail;
    if (copies && talk.steps.length === 0 && (talk.copyingIn || talk.copyGate === undefined)) {
      copyIn(talk, type, buffer.subarray(start, stop));
      continue;
    }
    if (source !== buffer) {
      source = buffer;
      base = start;
      copy = Buffer.from(buffer.subarray(start));
    }
    const step = openStep(type, copy.subarray(start - base, stop - base));
    talk.steps.push(step);
    talk.waiting += stop - start + stepCost;
    if (type === clientMessage.terminate && leaves(talk)) return;
  }
  pump(talk);
}

function streamIn(talk: Talk, it: number, bytes: Buffer): void {
  talk.streamingIn = it !== found.end;
  talk.sink.toTarget(bytes, talk.copyGate?.work?.permit ?? talk.options.permit);
  talk.sink.record('client', bytes);
}

/** A client that says goodbye while people still decide has left. */
function leaves(talk: Talk): boolean {
  for (let index = 0; index < talk.begun; index++) {
    if (talk.steps.at(index)?.holding === undefined) continue;
    end(talk, 'client left', undefined);
    return true;
  }
  return false;
}

function fromTarget(talk: Talk, chunk: Buffer): void {
  talk.target.push(chunk);
  if (talk.doubt) return talk.target.keep();
  readTarget(talk);
  pump(talk);
}

/** The description that was doubted is looked at again; then what came behind it. */
function decide(talk: Talk, doubt: Doubt): void {
  talk.doubt = undefined;
  if (describedAgain(talk, doubt)) emit(talk, doubt.bytes);
  talk.sink.resumeTarget();
  readTarget(talk);
}

function readTarget(talk: Talk): void {
  const { target } = talk;
  for (let it = target.next(); it !== found.nothing; it = target.next()) {
    const { type, buffer, start, end: stop } = target;
    let leave: boolean;
    if (it === found.message) leave = reply(talk, type, buffer, start, stop);
    else {
      if (it === found.begin) talk.streaming = streamed(talk, type, target.size);
      leave = talk.streaming;
    }
    if (talk.ended) return;
    if (talk.doubt) {
      flushRun(talk);
      return target.keep();
    }
    if (leave) {
      if (talk.run === buffer && talk.runTo === start) talk.runTo = stop;
      else {
        flushRun(talk);
        talk.run = buffer;
        talk.runFrom = start;
        talk.runTo = stop;
      }
    }
    if (it === found.end) {
      talk.streaming = false;
      for (const bytes of talk.deferred.splice(0)) emit(talk, bytes);
    }
  }
  flushRun(talk);
}

function held(talk: Talk, question: number, holding: Holding): void {
  const step = talk.questions.get(question);
  if (step === undefined || step === 'cancel' || step.dropped || step.stage !== stage.asked) return;
  step.holding = holding;
  emitAside(talk, encodeHoldNotice(holding, false));
  // What ran before it in the same segment need not wait as well.
  flushTarget(talk);
  for (let index = 0; index < talk.steps.length; index++) {
    if (talk.steps.at(index)?.type === clientMessage.terminate) return end(talk, 'client left', undefined);
  }
}

function ruled(talk: Talk, question: number, ruling: Permit | Denial | Fault): void {
  const step = talk.questions.get(question);
  if (step === undefined) return;
  talk.questions.delete(question);
  if (ruling instanceof Fault) {
    // A limit concerns this statement; with anything else neither the ledger nor the session can go on.
    if (ruling.code !== 'client.limit' || step === 'cancel') return end(talk, ruling.code, ruling);
    if (!step.dropped) answerWith(step, { ...refusalOf(ruling), severity: 'ERROR' });
    return pump(talk);
  }
  if (step === 'cancel') {
    if (!ruling.granted) return;
    if (running(talk)) cancelTarget(talk, ruling);
    talk.sink.settle(ruling, { status: 'done', rows: 0, bytes: 0, masked: [] });
    return;
  }
  if (!ruling.granted) {
    if (!step.dropped) answerWith(step, refusalOfDenial(ruling, step.analysis?.meaning.effects));
  } else grant(talk, step, ruling);
  pump(talk);
}

/** Rulings that come after the end: what was permitted was not sent. */
function late(talk: Talk, question: number, ruling: Permit | Denial | Fault): void {
  if (!talk.questions.delete(question) || ruling instanceof Fault || !ruling.granted) return;
  talk.sink.settle(ruling, { status: 'skipped', rows: 0, bytes: 0, masked: [] });
}

function answerWith(step: Step, refusal: Refusal): void {
  step.refusal = refusal;
  step.holding = undefined;
  step.stage = stage.ready;
}

function running(talk: Talk): boolean {
  for (let index = 0; index < talk.expected.length; index++)
    if (talk.expected.at(index)?.work?.settled === false) return true;
  return false;
}

const cancelledRefusal: Refusal = {
  severity: 'ERROR',
  code: '57014',
  message: 'canceling statement due to user request',
};

function cancelled(talk: Talk): void {
  if (running(talk)) {
    // One is enough for what runs, however often the client asks.
    for (const asked of talk.questions.values()) if (asked === 'cancel') return;
    const question = ++talk.lastQuestion;
    talk.questions.set(question, 'cancel');
    talk.sink.ask(question, new Asked('cancel', '', cancelMeaning, ''));
    return;
  }
  const step = talk.steps.at(0);
  if (step === undefined || talk.begun === 0 || step.stage !== stage.asked) return;
  // It was not sent: its request is withdrawn, and a permit that comes all the same is not used.
  talk.sink.withdraw(step.question);
  talk.questions.set(step.question, { ...step, dropped: true });
  answerWith(step, cancelledRefusal);
  pump(talk);
}
