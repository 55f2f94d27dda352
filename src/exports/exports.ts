// Event export as the rest of the gateway sees it: a thread that follows the record by itself, whose receipts are appended here.
import { Worker } from 'node:worker_threads';
import type { Ledger } from '../ledger/ledger.ts';
import type { SinkStatus } from './exporter.ts';
import type { FromExports, ToExports, WorkerOptions } from './exports-worker.ts';

export interface Exports {
  /** As the thread said last, about a second ago. */
  status(): readonly SinkStatus[];
  /** Sends a test event; resolves to why not, or nothing when it was taken. Undefined sink: rejects. */
  test(sink: string): Promise<string | undefined>;
  /** Delivers nothing more, has the last receipts recorded, and ends. Before the ledger closes. */
  close(): Promise<void>;
}

export interface ExportsOptions extends WorkerOptions {
  readonly append: Ledger['append'];
  /** For the log: a sink began to fail, or recovered. */
  told(sink: string, error: string | undefined): void;
}

/** How long a stop waits for what is under way; the rest is sent again after the next start. */
const patienceMs = 5_000;
const tests = 16;

export function openExports({ append, told, ...options }: ExportsOptions): Exports {
  const waiting = new Map<number, (failure: string | undefined) => void>();
  const failing = new Set<string>();
  let latest: readonly SinkStatus[] = [];
  let asked = 0;
  let closed = false;
  let worker: Worker;
  let again: NodeJS.Timeout | undefined;
  const gone = Promise.withResolvers<void>();

  function start(): void {
    const file = new URL(`./exports-worker.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url);
    worker = new Worker(file, { workerData: options satisfies WorkerOptions, name: 'exports' });
    worker.on('message', heard);
    worker.on('error', (cause: Error) => told('all', `the exports ended: ${cause.message}`));
    worker.on('exit', () => {
      for (const done of waiting.values()) done('the exports ended');
      waiting.clear();
      if (closed) gone.resolve();
      else again = setTimeout(start, 5_000).unref();
    });
  }

  function heard(message: FromExports): void {
    if (message.is === 'receipt') void record(message.id, message.receipt);
    if (message.is === 'tested') {
      waiting.get(message.id)?.(message.failure);
      waiting.delete(message.id);
    }
    if (message.is === 'status') {
      latest = message.sinks;
      for (const { name, error } of latest) {
        if ((error !== undefined) === failing.has(name)) continue;
        if (error === undefined) failing.delete(name);
        else failing.add(name);
        told(name, error);
      }
    }
  }

  async function record(id: number, receipt: object): Promise<void> {
    const tell = (message: ToExports) => worker.postMessage(message);
    try {
      await append({ type: 'export.receipt', facts: { ...receipt } }, 'written').durable;
      tell({ do: 'recorded', id });
    } catch (cause) {
      tell({ do: 'recorded', id, failure: (cause as Error).message });
    }
  }

  start();
  return {
    status: () => latest,
    test(sink) {
      if (waiting.size >= tests) return Promise.resolve('too many tests at once: try again in a moment');
      const id = ++asked;
      const { promise, resolve } = Promise.withResolvers<string | undefined>();
      waiting.set(id, resolve);
      worker.postMessage({ do: 'test', id, sink } satisfies ToExports);
      return promise;
    },
    async close() {
      if (closed) return;
      closed = true;
      clearTimeout(again);
      worker.postMessage({ do: 'close' } satisfies ToExports);
      const late = setTimeout(gone.resolve, patienceMs);
      await gone.promise;
      clearTimeout(late);
      await worker.terminate();
    },
  };
}
