// Frames on their way into the object store, in order, one write at a time: what gathers meanwhile goes with the next. The journal's
// files are the queue, so a store that is away costs disk and no memory. After any failure everything is compared anew.
import { Fault } from '../domain/fault.ts';
import type { NoteKey } from '../ledger/note.ts';
import { LevelFault, type Replica } from '../ledger/replica.ts';
import { putFirst, type Writing } from './first-version.ts';
import { following, nextPiece } from './journal-bytes.ts';
import { Conflict } from './object-store.ts';
import { partKey, type Place } from './part.ts';
import { compareWithStore, type Standing } from './standing.ts';

export interface ShippingOptions {
  /** Ledger folder. */
  readonly folder: string;
  readonly vkey: NoteKey;
  /** Checks the store, whenever it was lost. Throws what is wrong. */
  check(): Promise<Writing>;
  /** Longest time in milliseconds that a statement waits for its copy. */
  readonly waitMs: number;
  readonly retryMs?: number;
  readonly mostRetryMs?: number;
  now(): number;
  /** With what a comparison found, after one. */
  up(standing?: Standing): void;
  down(cause: Error): void;
  /** Somebody else writes in this place: for good. */
  conflict(fault: Fault): void;
}

export interface ShippingState {
  readonly state: 'up' | 'down' | 'conflict';
  /** Milliseconds since the epoch. */
  readonly since: number;
  readonly why?: string;
  /** Entries that are in the object store. */
  readonly copied: number;
  /** Entries on the local device that are not. */
  readonly backlog: number;
}

export interface Shipping extends Replica {
  state(): ShippingState;
  /** The store as it was checked last; undefined while it is away. */
  writing(): Writing | undefined;
  /** Tries once now; throws what is wrong. For a start. */
  attach(): Promise<void>;
  /** What lies there is not ours: found by whoever else writes there. */
  conflicted(error: Conflict): void;
  /** Resolves when what is synced is copied, or the store is away. */
  drain(): Promise<void>;
  close(): void;
}

interface Waiter {
  readonly upTo: number;
  readonly deadline: number;
  readonly promise: Promise<void>;
  resolve(): void;
  reject(fault: LevelFault): void;
}

export function openShipping(options: ShippingOptions): Shipping {
  const { folder, now, retryMs = 250, mostRetryMs = 5_000 } = options;
  let writing: Writing | undefined;
  let place: Place | undefined;
  let copied = 0;
  let synced = 0;
  let state: ShippingState['state'] = 'down';
  let since = now();
  let cause: Error = new Error('the object store has not been looked at yet');
  let waiters: Waiter[] = [];
  let running: Promise<void> | undefined;
  let patience: NodeJS.Timeout | undefined;
  let pause: (() => void) | undefined;
  let closed = false;

  function become(next: ShippingState['state'], why?: Error): void {
    const changed = state !== next;
    state = next;
    if (changed) since = now();
    if (why) cause = why;
  }

  async function attach(): Promise<void> {
    const checked = await options.check();
    const standing = await compareWithStore(checked.store, folder, options.vkey);
    writing = checked;
    place = standing.place;
    copied = place.next;
    become('up');
    options.up(standing);
    settle();
  }

  /** One write into the store; false when there is nothing to write. */
  async function step(to: Writing, from: Place): Promise<boolean> {
    const piece = await nextPiece(folder, from, synced);
    if (!piece) {
      const next = await following(folder, from.segment);
      if (next === undefined || next !== from.next) return false;
      place = { segment: next, offset: 0, next };
      return true;
    }
    if (!(await putFirst(to, partKey(piece.first), piece.bytes))) {
      // An earlier life may have written less under this name; the comparison knows what may be there.
      place = undefined;
      return true;
    }
    place = piece.after;
    return true;
  }

  async function run(): Promise<void> {
    for (let wait = retryMs; !closed; ) {
      try {
        if (!place || !writing) await attach();
        const more = await step(writing!, place!);
        wait = retryMs;
        if (place) copied = place.next;
        if (state !== 'up') {
          become('up');
          options.up();
        }
        settle();
        if (!more) return;
      } catch (error) {
        place = writing = undefined;
        if (error instanceof Conflict) return clash(error);
        lose('down', error as Error);
        if (closed) return;
        await rest(wait);
        wait = Math.min(wait * 2, mostRetryMs);
      }
    }
  }

  function clash(error: Conflict): void {
    const fault = new Fault('ledger.unavailable', error.message, error);
    place = writing = undefined;
    lose('conflict', fault);
    options.conflict(fault);
  }

  function rest(ms: number): Promise<void> {
    return new Promise((done) => {
      pause = () => {
        clearTimeout(timer);
        pause = undefined;
        done();
      };
      const timer = setTimeout(() => pause?.(), ms).unref();
    });
  }

  function lose(next: 'down' | 'conflict', error: Error): void {
    const before = state;
    become(next, error);
    if (before === 'up' && next === 'down' && !closed) options.down(error);
    const fault = new LevelFault(error);
    for (const waiter of waiters.splice(0)) waiter.reject(fault);
  }

  function settle(): void {
    while (waiters.length > 0 && waiters[0]!.upTo <= copied) waiters.shift()!.resolve();
  }

  function go(): void {
    if (closed || state === 'conflict') return;
    running ??= run().finally(() => {
      running = undefined;
      // What was synced after the last look at the files.
      if (state === 'up' && waiters.length > 0) go();
    });
  }

  /** Statements whose copy takes too long are refused, and so is what comes next until the store has answered. */
  function watch(): void {
    if (patience || waiters.length === 0) return;
    patience = setTimeout(
      () => {
        patience = undefined;
        if (waiters.length > 0 && waiters[0]!.deadline <= now())
          lose('down', new Error(`the object store took longer than ${options.waitMs} ms`));
        watch();
      },
      Math.max(1, waiters[0]!.deadline - now()),
    );
    patience.unref();
  }

  return {
    attach,
    writing: () => (state === 'up' ? writing : undefined),
    fault: () => (state === 'up' ? undefined : new LevelFault(cause)),
    copied(upTo) {
      synced = Math.max(synced, upTo);
      if (state !== 'up') {
        go();
        return Promise.reject(new LevelFault(cause));
      }
      if (upTo <= copied) return Promise.resolve();
      const last = waiters.at(-1);
      if (last && last.upTo >= upTo) return last.promise;
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      waiters.push({ upTo, deadline: now() + options.waitMs, promise, resolve, reject });
      watch();
      go();
      return promise;
    },
    state: () => ({
      state,
      since,
      ...(state === 'up' ? {} : { why: cause.message }),
      copied,
      backlog: Math.max(0, synced - copied),
    }),
    conflicted: clash,
    async drain() {
      if (state !== 'up') return;
      if (copied < synced) go();
      await running;
    },
    close() {
      closed = true;
      clearTimeout(patience);
      lose('down', new Error('the gateway is stopping'));
      place = writing = undefined;
      pause?.();
    },
  };
}
