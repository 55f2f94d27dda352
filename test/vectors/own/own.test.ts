// Our own published vectors: made again to the byte, played by our code, and by implementations that we did not write.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import canonicalize from 'canonicalize';
import { describe, expect, test } from 'vitest';
import { forgedAttacks } from '../../adversarial/storage/forged.ts';
import { openPlace } from '../../adversarial/storage/place.ts';
import { putTogether, takeApart } from '../../peers/forger.ts';
import { verifyLedger } from '../../../src/ledger/verify-disk.ts';
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

describe('implementations that we did not write', () => {
  const openssl = (args: string[], input?: Buffer) => spawnSync('openssl', args, { input });
  const list = (name: string) => lists.find(([one]) => one === name)![1];

  test('openssl: the signature of the checkpoint, and no other', () => {
    const at = mkdtempSync(join(tmpdir(), 'openssl-'));
    for (const { note, keys, name } of list('notes').slice(0, 5) as unknown as {
      note: string;
      keys: string[];
      name: string;
    }[]) {
      const [text, lines] = note.split(/\n\n(?=— )/) as [string, string];
      const raw = Buffer.from(keys[0]!.split('+').slice(2).join('+'), 'base64').subarray(1);
      writeFileSync(join(at, 'key'), Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), raw]));
      writeFileSync(join(at, 'text'), `${text}\n`);
      writeFileSync(join(at, 'signature'), Buffer.from(lines.split('\n')[0]!.split(' ')[2]!, 'base64').subarray(4));
      const args = ['pkeyutl', '-verify', '-pubin', '-inkey', join(at, 'key'), '-keyform', 'DER', '-rawin'];
      const { status } = openssl([...args, '-in', join(at, 'text'), '-sigfile', join(at, 'signature')]);
      expect([name, status]).toEqual([name, /another size|changed signature/.test(name) ? 1 : 0]);
    }
    rmSync(at, { recursive: true });
  });

  test('openssl: SHA-256 of the leaves is the tile', () => {
    const [good] = list('tiles') as unknown as { bundle: string; tile: string }[];
    const bundle = Buffer.from(good!.bundle, 'hex');
    let hashes = '';
    for (let at = 0; at < bundle.length; at += 2 + bundle.readUInt16BE(at)) {
      const leaf = Buffer.concat([Buffer.of(0), bundle.subarray(at + 2, at + 2 + bundle.readUInt16BE(at))]);
      hashes += openssl(['dgst', '-sha256', '-binary'], leaf).stdout.toString('hex');
    }
    expect(hashes).toBe(good!.tile);
  });

  test('canonicalize: the same text for each value, and for each entry', () => {
    for (const { input, output, good } of list('canonical') as unknown as {
      input: string;
      output: string;
      good: boolean;
    }[])
      expect(canonicalize(JSON.parse(input)) === output).toBe(good);
    for (const { entry, good } of list('entries') as unknown as { entry: string; good: boolean }[])
      if (good) expect(canonicalize(JSON.parse(entry))).toBe(entry);
  });
});

test('a verifier in Python, written from docs/ledger-format.md alone, says the same of every vector', {
  timeout: 120_000,
}, () => {
  const { status, stdout, stderr } = spawnSync('python3', [join(folder, 'verify.py'), folder], {
    encoding: 'utf8',
    maxBuffer: 1 << 24,
  });
  expect(stderr).toBe('');
  expect(stdout.trim().split('\n').slice(-40).join('\n')).toContain(
    `${lists.flatMap(([, list]) => list).length} vectors, 0 judged otherwise`,
  );
  expect(status).toBe(0);
});

test('it verifies what the gateway wrote, and finds what was changed in it', { timeout: 120_000 }, async () => {
  const place = await openPlace();
  const run = (on: string, kept: string) => {
    const file = join(place.root, 'kept');
    writeFileSync(file, kept);
    const args = [join(folder, 'verify.py'), '--log', on, '--key', place.vkey, '--kept', file];
    const { status, stdout } = spawnSync('python3', args, { encoding: 'utf8' });
    return { status, stdout };
  };
  expect(run(place.ledger, place.kept)).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/^verified: example.test\/log with \d{3} entries/),
  });
  for (const { name, change } of forgedAttacks) {
    const on = place.copy();
    putTogether(on.ledger, change(await takeApart(on.ledger), place), place.signing);
    // The same verdict as ours; and with the newest checkpoint nothing is left that cannot be found.
    const { ok } = await verifyLedger(on.ledger, place.vkey, { kept: [place.kept] });
    expect([name, run(on.ledger, place.kept).status]).toEqual([name, ok ? 0 : 1]);
    if (ok) expect([name, run(on.ledger, place.newest).status]).toEqual([name, 1]);
    rmSync(on.root, { recursive: true });
  }
  place.remove();
});
