// Proofs of single records, made from tiles and checked with the public key alone.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fillLedger, type LedgerPlace, ledgerPlace } from '../../test/peers/ledger.ts';
import { verifies } from '../../test/requirements.ts';
import { openLedger } from './ledger.ts';
import { openNote, parseCheckpoint, parseVkey } from './note.ts';
import { continues } from './proof.ts';
import { readTiles, type TileReader } from './tile-reading.ts';
import { checkTlogProof, formatTlogProof, parseTlogProof } from './tlog-proof.ts';

let place: LedgerPlace;
let checkpoint: string;
let size: number;
let root: Buffer;
let tiles: TileReader;
const older: { size: number; root: Buffer }[] = [];

beforeAll(async () => {
  place = await ledgerPlace();
  const { ledger } = await openLedger(place);
  for (let round = 0; round < 4; round++) {
    await fillLedger(ledger, 1, 40 + round * 7);
    await ledger.checkpointNow();
    older.push(signed());
  }
  await ledger.close();
  checkpoint = readFileSync(join(place.folder, 'checkpoint'), 'utf8');
  ({ size, root } = signed());
  tiles = readTiles((path) => readFile(join(place.folder, path)), size);
});
afterAll(() => place.remove());

function signed() {
  const note = readFileSync(join(place.folder, 'checkpoint'), 'utf8');
  return parseCheckpoint(openNote(note, [parseVkey(place.vkey)]).text);
}

test(
  verifies('verifier.alone', 'every entry has a proof that its bytes, the proof and the key alone confirm'),
  async () => {
    const key = parseVkey(place.vkey);
    expect(size).toBeGreaterThan(300);
    for (let index = 0; index < size; index++) {
      const proof = formatTlogProof({ index, path: await tiles.inclusion(index), checkpoint });
      const entry = await tiles.entry(index);
      expect(checkTlogProof(proof, entry, key)).toEqual({ index, size });
      const changed = Buffer.from(entry);
      changed[changed.length - 2]! ^= 1;
      expect(() => checkTlogProof(proof, changed, key)).toThrow('does not stand at');
    }
  },
);

test(verifies('verifier.alone', 'a shell with openssl says the same of a proof as we do'), async () => {
  const script = new URL('../../scripts/check-proof.sh', import.meta.url).pathname;
  const file = (name: string) => join(place.root, name);
  const run = (proof: string, entry: Uint8Array, vkey = place.vkey) => {
    writeFileSync(file('proof'), proof);
    writeFileSync(file('entry'), entry);
    writeFileSync(file('vkey'), `${vkey}\n`);
    return spawnSync('sh', [script, file('proof'), file('entry'), file('vkey')], { encoding: 'utf8' });
  };
  const proofOf = async (index: number) => formatTlogProof({ index, path: await tiles.inclusion(index), checkpoint });
  for (const index of [0, 1, 2, 3, 127, 128, 255, 256, 257, size - 2, size - 1]) {
    const { status, stdout } = run(await proofOf(index), await tiles.entry(index));
    expect({ status, stdout }).toEqual({
      status: 0,
      stdout: `proven: the entry stands at ${index} of ${size} in the log example.test/log\n`,
    });
  }
  const proof = await proofOf(5);
  const entry = await tiles.entry(5);
  const other = await ledgerPlace();
  other.remove();
  const changed = Buffer.from(entry);
  changed[10]! ^= 1;
  const cut = proof.replace(/^(index 5\n)[^\n]+\n/m, '$1');
  for (const [why, result] of [
    ['does not stand at 5', run(proof, changed)],
    ['does not stand at 4', run(proof.replace('index 5', 'index 4'), entry)],
    ['the path is too', run(cut, entry)],
    ['beyond the checkpoint', run(proof.replace('index 5', `index ${size}`), entry)],
    ['the signature does not verify', run(proof, entry, other.vkey)],
    ['the signature does not verify', run(proof.replace(`\n${size}\n`, `\n${size + 1}\n`), entry)],
    ['is no tlog-proof', run(proof.replace('@v1', '@v2'), entry)],
  ] as const) {
    expect({ status: result.status, stdout: result.stdout }).toEqual({
      status: 1,
      stdout: expect.stringContaining(why),
    });
  }
  expect(spawnSync('sh', [script], { encoding: 'utf8' }).status).toBe(2);
});

test('a proof for another place, another log, or with a changed hash is refused', async () => {
  const key = parseVkey(place.vkey);
  const entry = await tiles.entry(5);
  const path = await tiles.inclusion(5);
  const proof = formatTlogProof({ index: 5, path, checkpoint });
  expect(parseTlogProof(proof)).toEqual({ index: 5, path, checkpoint });
  expect(checkTlogProof(proof.replace('\nindex', '\nextra AAAA\nindex'), entry, key).index).toBe(5);
  expect(() => checkTlogProof(proof.replace('index 5', 'index 4'), entry, key)).toThrow('does not stand at 4');
  expect(() => checkTlogProof(proof.replace('index 5', 'index 05'), entry, key)).toThrow('no index');
  const swapped = formatTlogProof({ index: 5, path: path.toReversed(), checkpoint });
  expect(() => checkTlogProof(swapped, entry, key)).toThrow('does not stand at');
  expect(() => checkTlogProof(proof.replace(/\n(\d+)\n/, '\n9$1\n'), entry, key)).toThrow('does not match');
  const other = await ledgerPlace();
  try {
    expect(() => checkTlogProof(proof, entry, parseVkey(other.vkey))).toThrow('no signature by a known key');
  } finally {
    other.remove();
  }
});

test('tiles prove that the log continues each of its older checkpoints', async () => {
  for (const before of older) {
    const path = await tiles.consistency(before.size);
    expect(continues(before.size, size, before.root, root, path)).toBe(true);
    const changed = Buffer.from(before.root);
    changed[0]! ^= 1;
    expect(continues(before.size, size, changed, root, path)).toBe(false);
  }
});
