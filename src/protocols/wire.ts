// Drives a sans-IO conversation between a client's link and its target: the one place where a hand-written protocol meets sockets,
// timers and promises. A protocol adds its own inputs and outputs around it.
import { Fault } from '../domain/fault.ts';
import type { Link } from '../domain/link.ts';
import type { Denial, Holding, Permit } from '../domain/permit.ts';
import type { Statement } from '../domain/statement.ts';
import type { Session, TargetLink, Wait } from './protocol.ts';

/** What every conversation takes in. None of them throws. */
export interface WireInputs {
  fromClient(chunk: Buffer): void;
  fromTarget(chunk: Buffer): void;
  held(question: number, holding: Holding): void;
  ruled(question: number, ruling: Permit | Denial | Fault): void;
  tick(): void;
  /** Something runs at the target, or waits for a ruling. */
  busy(): boolean;
  clientGone(): void;
  targetGone(): void;
  kill(fault: Fault): void;
}

/** What every conversation puts out. */
export interface WireOutputs {
  toClient(bytes: Uint8Array): void;
  toTarget(bytes: Uint8Array, permit: Permit): void;
  ask(question: number, statement: Statement): void;
  withdraw(question: number): void;
  settle: Session['settle'];
  record: Session['record'];
  pauseClient(): void;
  resumeClient(): void;
  /** What the target sends is not read until `resumeTarget`. */
  pauseTarget(): void;
  resumeTarget(): void;
  close(ending: { readonly fault: Fault | undefined; readonly cause: string }): void;
}

export interface Ends {
  /** The client's link, opened long ago: `clientData` and the others of the result are its sink from now on. */
  readonly client: Link;
  readonly target: Pick<TargetLink, 'open' | 'send' | 'pause' | 'resume' | 'end' | 'destroy'>;
  readonly session: Session;
  /** Last words to the target, sent when the conversation closes. */
  goodbye(): Uint8Array;
  readonly permit: Permit;
  /** Milliseconds between reminders of a hold. */
  readonly reminderMs: number;
  /** Milliseconds without anything under way after which the session ends. */
  readonly idleMs?: number;
  /** Milliseconds that a peer has to close its side after ours is closed. */
  readonly lingerMs: number;
}

export interface Wire {
  data(chunk: Buffer): void;
  drain(): void;
  end(): void;
  /** Resolves with the cause when both links are closed; never rejects. */
  readonly over: Promise<string>;
}

export function asFault(error: unknown): Fault {
  return error instanceof Fault
    ? error
    : new Fault('gateway.internal', 'The gateway met an internal error and ended this session.', error);
}

/** Looks in one idle time: a session ends at most a quarter later than its limit. */
const idleLooks = 4;

function idleWords(ms: number): string {
  return `The session was idle for ${Math.round(ms / 1_000)} seconds, the limit here.`;
}

/** One question under way. The signal is made only when a hold reads it. */
class Question implements Wait {
  #controller: AbortController | undefined;
  #withdrawn = false;
  readonly #held: (holding: Holding) => void;

  constructor(held: (holding: Holding) => void) {
    this.#held = held;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    if (this.#withdrawn) this.#controller.abort();
    return this.#controller.signal;
  }

  held(holding: Holding): void {
    this.#held(holding);
  }

  withdraw(): void {
    this.#withdrawn = true;
    this.#controller?.abort();
  }
}

/** Starts the conversation that `open` makes. */
export function drive(ends: Ends, open: (outputs: WireOutputs) => WireInputs): Wire {
  const { client, target, session } = ends;
  const questions = new Map<number, Question>();
  let clientOpen = true;
  let targetOpen = true;
  let closed = false;
  let cause = 'client left';
  let reminder: NodeJS.Timeout | undefined;
  // Reading from the client stops for two reasons: too much waits here, or the target is slow.
  let clientFull = false;
  let targetSlow = false;
  let clientSlow = false;
  // So does reading from the target: the conversation looks something up first, or the client is slow.
  let targetHeld = false;
  // Cleared with the link: a timer keeps all that the session held, its own catalogue included (test: wire).
  let targetLingers: NodeJS.Timeout | undefined;
  let clientLingers: NodeJS.Timeout | undefined;
  // Looked at by the clock of the idle limit, so that a chunk costs no timer.
  let active = true;
  let quiet = 0;
  let resolveOver: (cause: string) => void = () => undefined;
  const over = new Promise<string>((resolve) => {
    resolveOver = resolve;
  });

  const checkOver = (): void => {
    if (!clientOpen && !targetOpen) resolveOver(cause);
  };
  const ended = (): void => conversation.kill(asFault(session.ended.reason));

  const outputs: WireOutputs = {
    toClient(bytes) {
      if (!clientOpen || client.write(bytes)) return;
      clientSlow = true;
      target.pause();
    },
    toTarget(bytes, permit) {
      if (!targetOpen || target.send(bytes, permit)) return;
      targetSlow = true;
      client.pause();
    },
    ask(number, statement) {
      const question = new Question((holding) => {
        reminder ??= setInterval(() => clientSlow || conversation.tick(), ends.reminderMs).unref();
        conversation.held(number, holding);
      });
      questions.set(number, question);
      session.submit(statement, question).then(
        (ruling) => {
          questions.delete(number);
          conversation.ruled(number, ruling);
        },
        (error) => {
          questions.delete(number);
          conversation.ruled(number, asFault(error));
        },
      );
    },
    withdraw: (number) => questions.get(number)?.withdraw(),
    settle: (permit, outcome) => session.settle(permit, outcome),
    record: (side, bytes) => session.record(side, bytes),
    pauseClient() {
      clientFull = true;
      client.pause();
    },
    resumeClient() {
      clientFull = false;
      if (!targetSlow) client.resume();
    },
    pauseTarget() {
      targetHeld = true;
      target.pause();
    },
    resumeTarget() {
      targetHeld = false;
      if (!clientSlow) target.resume();
    },
    close(ending) {
      closed = true;
      cause = ending.cause;
      clearInterval(reminder);
      clearInterval(idle);
      session.ended.removeEventListener('abort', ended);
      if (targetOpen) {
        try {
          target.send(ends.goodbye(), ends.permit);
        } catch {
          // The session has ended already, and with it the right to send.
        }
        target.end();
        targetLingers = setTimeout(() => target.destroy(), ends.lingerMs).unref();
      }
      if (clientOpen) {
        client.end();
        client.resume();
        clientLingers = setTimeout(() => client.destroy(), ends.lingerMs).unref();
      }
    },
  };
  const conversation = open(outputs);
  const idle = ends.idleMs === undefined ? undefined : setInterval(lookIdle, ends.idleMs / idleLooks).unref();
  // What runs or waits for people is not idle; a client that does not take its result is (test: limits/idle).
  function lookIdle(): void {
    const before = active;
    active = false;
    if (before || (!clientSlow && conversation.busy())) quiet = 0;
    else if (++quiet >= idleLooks) conversation.kill(new Fault('session.idle', idleWords(ends.idleMs ?? 0)));
  }
  session.ended.addEventListener('abort', ended);
  target.open({
    data: (chunk) => {
      active = true;
      if (!closed) conversation.fromTarget(chunk);
    },
    drain() {
      targetSlow = false;
      if (!clientFull) client.resume();
    },
    end() {
      targetOpen = false;
      clearTimeout(targetLingers);
      conversation.targetGone();
      checkOver();
    },
  });
  if (session.ended.aborted) ended();

  return {
    data: (chunk) => {
      active = true;
      if (!closed) conversation.fromClient(chunk);
    },
    drain() {
      active = true;
      clientSlow = false;
      if (!targetHeld) target.resume();
    },
    end() {
      clientOpen = false;
      clearTimeout(clientLingers);
      conversation.clientGone();
      checkOver();
    },
    over,
  };
}
