// Proofs of single records, made from tiles and checked with the public key alone.
import { readFileSync } from 'node:fs';
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
