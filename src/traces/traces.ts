// Traces as the rest of the gateway sees them: a thread that is started and ended.
import { Worker } from 'node:worker_threads';
import type { TracesOptions } from './traces-worker.ts';

const patienceMs = 3_000;

/** Resolves `close` when what was recorded by then was sent, or the collector did not take it in time. */
export function openTraces(options: TracesOptions, failed: (why: string) => void): { close(): Promise<void> } {
  const file = new URL(`./traces-worker.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url);
  const worker = new Worker(file, { workerData: options, name: 'traces' });
  const gone = new Promise<void>((done) => worker.once('exit', () => done()));
  worker.on('error', (cause: Error) => failed(cause.message));
  return {
    async close() {
      worker.postMessage('close');
      const late = new Promise<void>((done) => void setTimeout(done, patienceMs).unref());
      await Promise.race([gone, late]);
      await worker.terminate();
    },
  };
}
