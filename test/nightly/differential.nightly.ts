// Our reading of texts against what a real server does with them, at length: COUNTERSIGN_DIFFERENTIAL texts (a hundred thousand).
// COUNTERSIGN_FUZZ_SEED plays a run again.
import { beforeAll, expect, test } from 'vitest';
import { loadParser } from '../../src/sql/parse.ts';
import { playTexts } from '../differential/play.ts';
import { verifies } from '../requirements.ts';

beforeAll(() => loadParser());

const count = Number(process.env.COUNTERSIGN_DIFFERENTIAL ?? 100_000);
const seed = Number(process.env.COUNTERSIGN_FUZZ_SEED ?? Date.now() % 2 ** 31);
const say = (text: string) => process.stderr.write(`${text}\n`);

test(
  verifies('understood-or-refused', `${count} texts: split, named and judged as a real server runs them, or refused`),
  async () => {
    say(`seed ${seed}; COUNTERSIGN_FUZZ_SEED=${seed} plays the same again`);
    const began = performance.now();
    const { disagreements, ...counts } = await playTexts(count, seed, ({ texts, disagreements: found }) =>
      say(
        `differential: ${texts} of ${count} in ${((performance.now() - began) / 1_000).toFixed(0)} s, ${found.length} findings`,
      ),
    );
    say(JSON.stringify(counts));
    expect(disagreements).toEqual([]);
    expect(counts.texts).toBe(count);
    expect(counts.ran).toBeGreaterThan(count / 4);
  },
  120_000 + count * 60,
);
