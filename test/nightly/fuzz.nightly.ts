// Fuzzing at length: COUNTERSIGN_FUZZ inputs (a million) for the codec and the conversation of PostgreSQL, a tenth as many statements
// for the analyser. Everything follows from the seed that is printed; COUNTERSIGN_FUZZ_SEED plays it again.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { catalogueQueries } from '../../src/sql/catalogue.ts';
import { openShop } from '../adversarial/lineage/shop.ts';
import { verifies } from '../requirements.ts';
import type { Told, Work } from './fuzz-worker.ts';

const inputs = Number(process.env.COUNTERSIGN_FUZZ ?? 1_000_000);
const seed = Number(process.env.COUNTERSIGN_FUZZ_SEED ?? Date.now() % 2 ** 31);
const kept = join(import.meta.dirname, '..', '..', 'test-results', 'fuzz');
/** An attempt that takes longer than this hangs, on however busy a machine. */
const longestMs = 60_000;
/** What caches and compiled code may grow by after the first two thousand. */
const mostGrowth = 96 << 20;

const say = (text: string) => process.stderr.write(`${text}\n`);

/** Plays attempts `from` to `to` in a thread and returns what they broke. */
function play(work: Omit<Work, 'at' | 'seed'>): Promise<string[]> {
  const { kind, from, to } = work;
  const at = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(new URL('./fuzz-worker.ts', import.meta.url), {
    workerData: { ...work, seed, at } satisfies Work,
    resourceLimits: { maxOldGenerationSizeMb: 1_024 },
  });
  const began = performance.now();
  const broken: string[] = [];
  let done = 0;
  let first: number | undefined;
  let heard = began;
  let said = began;
  return new Promise((resolve) => {
    const watch = setInterval(() => {
      const now = performance.now();
      if (now - said > 5_000) {
        said = now;
        const part = ((100 * done) / (to - from)).toFixed(0);
        say(`${kind}: ${done} of ${to - from} (${part} %) in ${((now - began) / 1000).toFixed(0)} s`);
      }
      if (now - heard > longestMs) {
        broken.push(`${kind} ${Atomics.load(at, 0)} of seed ${seed} does not end`);
        void worker.terminate();
      }
    }, 250);
    worker.on('message', (told: Told) => {
      heard = performance.now();
      done = told.done;
      if (told.found) {
        const { index, wrong, input } = told.found;
        const file = join(kept, `${kind}-${seed}-${index}.bin`);
        mkdirSync(kept, { recursive: true });
        writeFileSync(file, Buffer.from(input, 'base64'));
        broken.push(
          `${kind} ${index} of seed ${seed}: ${wrong}\nThe input is in ${file}: move it to test/fixtures/fuzz-corpus/found.`,
        );
      }
      if (told.memory !== undefined) {
        first ??= told.memory;
        if (told.memory - first > mostGrowth) broken.push(`${kind}: memory grew from ${first} to ${told.memory} bytes`);
      }
    });
    worker.on('error', (error) => broken.push(`${kind} ${Atomics.load(at, 0)} of seed ${seed}: ${String(error)}`));
    worker.on('exit', () => {
      clearInterval(watch);
      say(
        `${kind}: ${done} inputs of seed ${seed} in ${((performance.now() - began) / 1000).toFixed(1)} s, ${broken.length} findings`,
      );
      resolve(broken);
    });
  });
}

test(
  verifies('understood-or-refused', `${inputs} streams and conversations give messages, answers or a fault`),
  async () => {
    say(`seed ${seed}; COUNTERSIGN_FUZZ_SEED=${seed} plays the same again`);
    const half = Math.ceil(inputs / 2);
    const broken = await Promise.all([
      play({ kind: 'codec', from: 0, to: half }),
      play({ kind: 'dialogue', from: 0, to: inputs - half }),
    ]);
    expect(broken.flat()).toEqual([]);
  },
  120_000 + inputs * 5,
);

test(
  verifies('understood-or-refused', `${Math.ceil(inputs / 10)} damaged statements give an analysis or a fault`),
  async () => {
    const shop = await openShop();
    try {
      const catalogue: string[][][] = [];
      for (const text of catalogueQueries)
        catalogue.push((await shop.client.query({ text, rowMode: 'array' })).rows as string[][]);
      expect(await play({ kind: 'sql', from: 0, to: Math.ceil(inputs / 10), catalogue })).toEqual([]);
    } finally {
      await shop.stop();
    }
  },
  120_000 + inputs * 5,
);
