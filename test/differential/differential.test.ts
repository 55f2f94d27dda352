// A share of what the nightly run compares: our reading of a text against what a real server does with it.
import { beforeAll, expect, test } from 'vitest';
import { loadParser } from '../../src/sql/parse.ts';
import { verifies } from '../requirements.ts';
import { playTexts } from './play.ts';

beforeAll(() => loadParser());

const count = Number(process.env.COUNTERSIGN_DIFFERENTIAL ?? 1_500);
const seed = Number(process.env.COUNTERSIGN_FUZZ_SEED ?? 20_261_121);

test(
  verifies('understood-or-refused', `${count} texts: split, named and judged as the server runs them, or refused`),
  async () => {
    const tally = await playTexts(count, seed);
    const { disagreements, ...counts } = tally;
    console.log(counts);
    expect(disagreements.slice(0, 40)).toEqual([]);
    expect(counts.texts).toBe(count);
    // Not by refusing everything, and not without having seen writes and readings.
    expect(counts.ran).toBeGreaterThan(count / 4);
    expect(counts.wrote).toBeGreaterThan(count / 50);
    expect(counts.readOnly).toBeGreaterThan(count / 10);
    expect(counts.strict).toBeLessThan(count / 10);
  },
  120_000 + count * 30,
);
