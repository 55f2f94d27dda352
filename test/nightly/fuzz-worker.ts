// Runs attempts one after the other in a thread of its own, so that one which never ends, or eats memory, is seen from outside.
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parentPort, workerData } from 'node:worker_threads';
import { codecAttempt, dialogueAttempt } from './inputs.ts';
import { openSqlAttempts } from './statements.ts';

export interface Work {
  readonly kind: 'codec' | 'dialogue' | 'sql';
  readonly seed: number;
  readonly from: number;
  readonly to: number;
  /** Rows of the catalogue's queries, for `sql`. */
  readonly catalogue?: readonly (readonly (readonly string[])[])[];
  /** Number of the attempt that runs; the first cell. */
  readonly at: Int32Array;
}

export interface Told {
  /** Attempts done so far. */
  readonly done: number;
  /** Bytes of heap and buffers after a collection, at the beginning and from time to time. */
  readonly memory?: number;
  readonly found?: { readonly index: number; readonly wrong: string; readonly input: string };
  readonly over?: boolean;
}

const { kind, seed, from, to, catalogue, at } = workerData as Work;
const tell = (told: Told) => parentPort!.postMessage(told);
const attempt =
  kind === 'codec' ? codecAttempt : kind === 'dialogue' ? dialogueAttempt : await openSqlAttempts(catalogue!);

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;
const memory = () => {
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
};

// A trace is taken for each of the many Faults otherwise; what is found is run again with them.
const traces = Error.stackTraceLimit;
let told = performance.now();
let measured = told;
let found = 0;
for (let index = from; index < to && found < 20; index++) {
  Atomics.store(at, 0, index);
  Error.stackTraceLimit = 0;
  const { bytes, run } = attempt(seed, index);
  if ((await run()) !== undefined) {
    Error.stackTraceLimit = traces;
    tell({
      done: index - from,
      found: { index, wrong: (await attempt(seed, index).run()) ?? 'only once', input: bytes.toString('base64') },
    });
    found++;
  }
  const now = performance.now();
  // The first measure comes when caches and compiled code are there.
  if (index - from === 2_000 || now - measured > 10_000) {
    measured = now;
    tell({ done: index - from, memory: memory() });
  }
  if (now - told > 500) {
    told = now;
    tell({ done: index - from });
  }
}
tell({ done: to - from, memory: memory(), over: true });
