// Our own published vectors: made again to the byte, played by our code, and by implementations that we did not write.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { textOf, type Vector, vectors } from './generate.ts';
import { play } from './play.ts';

const folder = import.meta.dirname;
const made = await vectors();
const lists = Object.keys(made).map((name): [string, Vector[]] => [
  name,
  JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')),
]);

test('are made again to the byte', () => {
  for (const [name, list] of Object.entries(made))
    expect(readFileSync(join(folder, `${name}.json`), 'utf8')).toBe(textOf(list));
});

test('are good and bad of each kind, and at least 20 bad logs', () => {
  for (const [, list] of lists)
    for (const good of [true, false]) expect(list.some((vector) => vector.good === good)).toBe(true);
  const logs = lists.find(([name]) => name === 'logs')![1];
  expect(logs.filter(({ good }) => !good).length).toBeGreaterThanOrEqual(20);
});

for (const [name, list] of lists) {
  describe(name, () => {
    for (const vector of list) {
      test(`${vector.good ? 'good' : 'bad'}: ${vector.name}`, async () => {
        const wrong = await play(vector);
        if (vector.good) expect(wrong).toBeUndefined();
        else expect(wrong).toContain(vector.complaint);
      });
    }
  });
}

const python = spawnSync('python3', ['--version']).status === 0;

test.runIf(python)(
  'a verifier in Python, written from docs/ledger-format.md alone, says the same of every vector',
  { timeout: 120_000 },
  () => {
    const { status, stdout, stderr } = spawnSync('python3', [join(folder, 'verify.py'), folder], {
      encoding: 'utf8',
      maxBuffer: 1 << 24,
    });
    expect(stderr).toBe('');
    expect(stdout.trim().split('\n').slice(-40).join('\n')).toContain(
      `${lists.flatMap(([, list]) => list).length} vectors, 0 judged otherwise`,
    );
    expect(status).toBe(0);
  },
);
