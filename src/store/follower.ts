// The projector as the rest of the gateway sees it: told how far the ledger is, telling what changed.
import { Worker } from 'node:worker_threads';
import type { Gain } from '../metrics/tally.ts';
import type { FromProjector, ToProjector } from './projector-worker.ts';
import type { ProjectorOptions } from './projector.ts';

export interface StoreChanges {
  /** Sessions that opened or ended. */
  readonly sessions: readonly string[];
  /** Sessions with new statements or outcomes, and their latest. */
  readonly statements: readonly (readonly [session: string, latest: number])[];
  readonly approvals: readonly string[];
  /** Entries that the store shows now. */
  readonly next: number;
  /** What they add up to, for the metrics. */
  readonly gains: readonly Gain[];
}

export interface FollowerOptions extends ProjectorOptions {
  changed(changes: StoreChanges): void;
  /** The store could not follow; it is tried again a second later. For the log. */
  failed(message: string): void;
}

export interface Follower {
  /** Resolves when the ledger was followed to its end once, or could not be. */
  readonly ready: Promise<void>;
  /** The ledger has this many entries now. Costs a comparison; the worker is told at most every 50 ms, under load every 400. */
  advanced(entries: number): void;
  /** Resolves when the store shows this many entries; rejects after `ms`. */
  reached(entries: number, ms?: number): Promise<void>;
  close(): Promise<void>;
}

/** Between a quiet time and the first look, in milliseconds. */
const pace = 50;
/** Between looks that found much: larger batches cost less an entry. */
const busyPace = 400;
/** Entries of one look from which on the ledger is busy. */
const busyEntries = 200;
/** Between attempts while the store cannot follow. */
const patience = 1_000;

/** Starts following at once. */
export function startFollower(options: FollowerOptions): Follower {
  const { changed, failed, ...workerData } = options;
  const worker = new Worker(workerFile('projector-worker'), { workerData, name: 'projector' });
  const tell = (message: ToProjector) => worker.postMessage(message);
  const waiting = new Set<{ entries: number; done(): void }>();
  let known = 0;
  let shown = 0;
  /** Entries that the present look brought. */
  let gained = 0;
  let timer: NodeJS.Timeout | undefined;
  let pause = pace;
  let ended = false;
  const { promise: ready, resolve: first } = Promise.withResolvers<void>();
  const { promise: gone, resolve: leave } = Promise.withResolvers<void>();

  function schedule(): void {
    if (timer || ended) return;
    timer = setTimeout(() => {
      timer = undefined;
      tell({ do: 'follow' });
    }, pause);
    timer.unref();
  }

  worker.on('message', (message: FromProjector) => {
    if (message.is === 'changed' || message.is === 'idle') {
      gained += message.next - shown;
      shown = message.next;
    }
    if (message.is === 'changed') changed(message);
    if (message.is === 'idle') {
      pause = gained >= busyEntries ? busyPace : pace;
      gained = 0;
    }
    if (message.is === 'failed') {
      failed(message.message);
      pause = patience;
      schedule();
    }
    if (message.is === 'idle' || message.is === 'failed') first();
    if (message.is === 'closed') leave();
    for (const one of waiting) if (one.entries <= shown) one.done();
  });
  worker.on('error', (cause: Error) => failed(cause.message));
  worker.on('exit', () => {
    ended = true;
    first();
    leave();
  });
  tell({ do: 'follow' });

  return {
    ready,
    advanced(entries) {
      if (entries <= known) return;
      known = entries;
      schedule();
    },
    async reached(entries, ms = 10_000) {
      if (shown >= entries) return;
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const one = { entries, done: resolve };
      const late = setTimeout(
        () => reject(new Error(`The store shows ${shown} of ${entries} entries after ${ms} ms.`)),
        ms,
      );
      waiting.add(one);
      try {
        tell({ do: 'follow' });
        await promise;
      } finally {
        clearTimeout(late);
        waiting.delete(one);
      }
    },
    async close() {
      clearTimeout(timer);
      if (ended) return;
      ended = true;
      tell({ do: 'close' });
      await gone;
      await worker.terminate();
    },
  };
}

/** A worker's entry beside this file, sources or compiled. */
export function workerFile(name: string): URL {
  return new URL(`./${name}.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url);
}
