// The store: finds sessions, statements and approvals. A projection of the ledger; deleting its file loses nothing (DESIGN §8).
import { Worker } from 'node:worker_threads';
import { type Follower, type FollowerOptions, startFollower, type StoreChanges, workerFile } from './follower.ts';
import type { Reads } from './reads.ts';
import { readNames } from './read-names.ts';
import type { Answer, Ask } from './reads-worker.ts';

export interface Store extends Reads, Omit<Follower, 'close'> {
  /** Told after each batch of entries that the store has taken in. Returns what takes the listener off again. */
  onChange(listener: (changes: StoreChanges) => void): () => void;
  close(): Promise<void>;
}

export interface StoreOptions extends Omit<FollowerOptions, 'changed'> {
  /** Longest wait for one read, in milliseconds. */
  readonly readMs?: number;
}

/** The store cannot answer now: it is busy, or not there yet. Safe to show. */
export class StoreUnavailable extends Error {
  constructor(cause?: unknown) {
    super('The record cannot be searched right now. Try again in a moment.', { cause });
    this.name = 'StoreUnavailable';
  }
}

/** Reads waiting at once; more are turned away. */
const mostReads = 64;

/** Opens the store and starts following the ledger. Reads wait for the first look at the ledger. */
export function openStore(options: StoreOptions): Store {
  const listeners = new Set<(changes: StoreChanges) => void>();
  const changed = (changes: StoreChanges) => {
    for (const listener of listeners) listener(changes);
  };
  const { ledger, earlier, state, keys, file, batch, countFrom, failed } = options;
  const follower = startFollower({ ledger, earlier, state, keys, file, batch, countFrom, failed, changed });
  const reader = openReader(file, options.readMs ?? 10_000, follower.ready);
  const reads = Object.fromEntries(
    readNames.map((name) => [name, (...values: readonly unknown[]) => reader.ask(name, values)]),
  ) as unknown as Reads;
  return {
    ...reads,
    ready: follower.ready,
    advanced: follower.advanced,
    reached: follower.reached,
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    async close() {
      await reader.close();
      await follower.close();
    },
  };
}

function openReader(file: string, readMs: number, ready: Promise<void>) {
  interface Waiting {
    done(value: unknown): void;
    fail(cause: unknown): void;
  }
  const waiting = new Map<number, Waiting>();
  let worker: Worker | undefined;
  let asked = 0;
  let closed = false;

  function start(): Worker {
    const started = new Worker(workerFile('reads-worker'), { workerData: { file }, name: 'reads' });
    started.on('message', (answer: Answer) => {
      const one = waiting.get(answer.id);
      if ('failure' in answer) one?.fail(new StoreUnavailable(answer.failure));
      else one?.done(answer.value);
    });
    started.on('error', (cause) => drop(started, cause));
    started.on('exit', () => drop(started, 'the reader ended'));
    return started;
  }

  /** A reader that died, or is lost in one search, is replaced at the next read. */
  function drop(lost: Worker, cause: unknown): void {
    if (worker !== lost) return;
    worker = undefined;
    void lost.terminate();
    for (const one of waiting.values()) one.fail(new StoreUnavailable(cause));
  }

  return {
    async ask(name: keyof Reads, values: readonly unknown[]): Promise<unknown> {
      if (closed || waiting.size >= mostReads) throw new StoreUnavailable();
      const id = ++asked;
      const { promise, resolve: done, reject: fail } = Promise.withResolvers<unknown>();
      let asking: Worker | undefined;
      const late = setTimeout(() => {
        const cause = `no answer to ${name} in ${readMs} ms`;
        if (asking) drop(asking, cause);
        fail(new StoreUnavailable(cause));
      }, readMs);
      waiting.set(id, { done, fail });
      try {
        await Promise.race([ready, promise]);
        if (closed) throw new StoreUnavailable('closing');
        asking = worker ??= start();
        asking.postMessage({ id, name, values } satisfies Ask);
        return await promise;
      } finally {
        clearTimeout(late);
        waiting.delete(id);
      }
    },
    async close(): Promise<void> {
      closed = true;
      const last = worker;
      worker = undefined;
      for (const one of waiting.values()) one.fail(new StoreUnavailable('closing'));
      last?.postMessage('close');
      await last?.terminate();
    },
  };
}
