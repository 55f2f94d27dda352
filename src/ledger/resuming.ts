// A ledger that comes back by itself after its disk failed. While it cannot record, nothing is appended and so nothing is sent
// (guarantee 1); then it is opened anew, by the same recovery as at a start, and everything goes on in a new boot.
import { Fault } from '../domain/fault.ts';
import { type Ledger, type LedgerOptions, openLedger } from './ledger.ts';
import type { Orphan } from './open-sessions.ts';
import type { SessionKey } from './session-key.ts';

export interface ResumingOptions {
  /** Milliseconds before the first try to come back; each later one waits twice as long, up to `mostRetryMs`. */
  readonly retryMs?: number;
  readonly mostRetryMs?: number;
  /** The ledger has stopped. Resolves when everything that wrote to it has ended; it is opened anew after that. */
  failed(fault: Fault): Promise<void>;
  /** It could not come back yet. */
  stillFailing(fault: Fault): void;
  /** It records again. Sessions that the failure cut off are to have their end recorded; a rejection counts as another failure. */
  resumed(ledger: Ledger, orphans: readonly Orphan[]): Promise<void>;
}

/** Opens a log for writing as `openLedger` does, which fails when it cannot; what fails later is mended. */
export async function openResumingLedger(
  options: LedgerOptions,
  resuming: ResumingOptions,
): Promise<{ ledger: Ledger; orphans: Orphan[] }> {
  const { retryMs = 1_000, mostRetryMs = 30_000 } = resuming;
  const listeners = new Map<(upTo: number) => void, () => void>();
  /** Which life a key belongs to: what a session of an earlier one still has to say must not reach the log behind its end. */
  const lives = new WeakMap<SessionKey, Ledger>();
  let down: Fault | undefined;
  let closing = false;
  let timer: NodeJS.Timeout | undefined;
  let coming: Promise<void> = Promise.resolve();

  let running = false;
  const openOne = () => openLedger({ ...options, stopped });
  const opened = await openOne();
  let current = opened.ledger;
  running = current.status().state === 'healthy';

  function stopped(fault: Fault): void {
    // A life that ends before it began is told by its own rejection: at the start, and in `comeBack`.
    if (!running || down || closing) return;
    down = fault;
    coming = resuming.failed(fault).catch(() => undefined);
    again(retryMs);
  }

  function again(ms: number): void {
    if (closing) return;
    timer = setTimeout(() => {
      coming = coming.then(() => comeBack(Math.min(ms * 2, mostRetryMs)));
    }, ms);
  }

  async function comeBack(nextMs: number): Promise<void> {
    if (closing) return;
    try {
      await current.close();
      const found = await openOne();
      current = found.ledger;
      if (closing) return;
      for (const listener of listeners.keys()) listeners.set(listener, current.onAppend(listener));
      await resuming.resumed(current, found.orphans);
      if (current.status().state === 'stopped') throw down;
      down = undefined;
    } catch (cause) {
      down = cause instanceof Fault ? cause : unavailable(cause);
      resuming.stillFailing(down);
      again(nextMs);
    }
  }

  const ledger: Ledger = {
    origin: current.origin,
    vkey: current.vkey,
    get boot() {
      return current.boot;
    },
    newKey() {
      if (down) throw down;
      const key = current.newKey();
      lives.set(key, current);
      return key;
    },
    processKeys: () => current.processKeys(),
    append(draft, level, key) {
      if (down) throw down;
      if (key !== undefined && lives.get(key) !== current) throw unavailable(undefined);
      return current.append(draft, level, key);
    },
    reached: (index) => current.reached(index),
    status() {
      const status = current.status();
      return down ? { ...status, state: 'stopped', fault: down.message } : status;
    },
    onAppend(listener) {
      listeners.set(listener, current.onAppend(listener));
      return () => {
        listeners.get(listener)?.();
        listeners.delete(listener);
      };
    },
    checkpointNow: () => (down ? Promise.reject(down) : current.checkpointNow()),
    async close() {
      closing = true;
      clearTimeout(timer);
      await coming;
      await current.close();
    },
  };
  return { ledger, orphans: opened.orphans };
}

function unavailable(cause: unknown): Fault {
  return new Fault('ledger.unavailable', 'The gateway cannot record, so it does not act. Try again later.', cause);
}
