// A forger who knows the format and frames, chains, hashes and even signs correctly: what still gives him away.
import { createPrivateKey } from 'node:crypto';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fillLedger, type LedgerPlace, ledgerPlace } from '../../test/peers/ledger.ts';
import { canonical } from './canonical.ts';
import { disk } from './disk.ts';
import type { Entry } from './entry.ts';
import {
  type FrameRecord,
  frameHeaderSize,
  frameTrailer,
  parseFrameHeader,
  segmentHeader,
  segmentHeaderSize,
  segmentName,
  writeFrameHeader,
} from './frame.ts';
import { leafHash } from './hash.ts';
import { onDisk } from './disk-folder.ts';
import { readFrames, startOfJournal } from './journal-reading.ts';
import { openKeyring } from './keyring.ts';
import { openLedger } from './ledger.ts';
import { takeLock } from './lock.ts';
import { formatCheckpoint, parseVkey, signNote } from './note.ts';
import { readJournal } from './read-journal.ts';
import { bundleRecord, rightEdge, tilePath, tileWidth } from './tile.ts';
import { addLeaf, emptyTree, rootOf } from './tree.ts';
import { verifyLedger } from './verify-disk.ts';
import { verifies } from '../../test/requirements.ts';

let place: LedgerPlace;
beforeAll(async () => {
  place = await ledgerPlace({ segmentEntries: 120 });
  for (let boot = 0; boot < 2; boot++) {
    const { ledger } = await openLedger(place);
    await fillLedger(ledger, 2, 40);
    await ledger.close();
  }
});
afterAll(() => place.remove());

interface Forgery {
  /** The entry that stands there instead; undefined removes it. */
  readonly entry?: (entry: Entry, index: number) => unknown;
  readonly record?: (record: FrameRecord) => FrameRecord;
  readonly signed: boolean;
  readonly tiles: boolean;
}

/** Writes the ledger again with something changed: one frame a segment, right in everything else. */
async function forge({ entry: change, record: alter, signed, tiles }: Forgery): Promise<string> {
  const folder = join(place.root, `forged-${Math.random()}`);
  cpSync(place.folder, folder, { recursive: true });
  rmSync(join(folder, 'journal'), { recursive: true });
  mkdirSync(join(folder, 'journal'));
  const segments = new Map<number, FrameRecord[]>();
  const cursor = startOfJournal();
  for await (const { records } of readFrames(onDisk(place.folder), cursor)) {
    segments.set(cursor.segment, [...(segments.get(cursor.segment) ?? []), ...records]);
  }
  let trailer: Buffer = Buffer.alloc(32);
  let next = 0;
  let closed: object | undefined;
  const leaves: Buffer[] = [];
  for (const records of segments.values()) {
    const first = next;
    const bodies: Buffer[] = [];
    for (const original of records) {
      let entry = JSON.parse(original.entry.toString()) as Entry;
      if (entry.t === 'journal.seal') entry = { ...entry, x: closed as Entry['x'] };
      const changed = change ? change(entry, original.index) : entry;
      if (changed === undefined) continue;
      const bytes = Buffer.from(canonical(changed as never));
      const { sealed } = alter ? alter(original) : original;
      const tail = sealed ? Buffer.alloc(1 + sealed.key.length + 10) : Buffer.alloc(1);
      if (sealed) {
        tail[0] = tail.write(sealed.key, 1);
        tail.writeUIntBE(sealed.position, 1 + sealed.key.length, 6);
        tail.writeUInt32BE(sealed.bytes.length, 7 + sealed.key.length);
      }
      bodies.push(bundleRecord(bytes), tail, sealed?.bytes ?? Buffer.alloc(0));
      leaves.push(bytes);
      next++;
    }
    const body = Buffer.concat(bodies);
    const header = Buffer.alloc(frameHeaderSize);
    writeFrameHeader(header, 0, { first, count: next - first, body: body.length });
    const frame = Buffer.concat([header, body]);
    const file = [segmentHeader(first, trailer), frame, frameTrailer(trailer, frame)];
    trailer = frameTrailer(trailer, frame);
    writeFileSync(join(folder, 'journal', segmentName(first)), Buffer.concat(file));
    closed = { first, entries: next - first, bytes: Buffer.concat(file).length, sha256: trailer.toString('hex') };
  }
  if (tiles) writeTiles(folder, leaves, signed);
  return folder;
}

function writeTiles(folder: string, leaves: Buffer[], signed: boolean): void {
  rmSync(join(folder, 'tile'), { recursive: true });
  const put = (path: string, bytes: Buffer) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), bytes);
  };
  const tree = emptyTree();
  for (const leaf of leaves)
    addLeaf(tree, leafHash(leaf), (level, n, tile) => put(tilePath({ level, n, width: tileWidth }), tile));
  for (let n = 0; n * tileWidth < leaves.length; n++) {
    const part = leaves.slice(n * tileWidth, (n + 1) * tileWidth);
    put(tilePath({ level: 'entries', n, width: part.length }), Buffer.concat(part.map(bundleRecord)));
  }
  for (const name of rightEdge(leaves.length)) {
    if (name.level === 'entries' || name.width === tileWidth) continue;
    put(tilePath(name), tree.levels[name.level]!.subarray(0, name.width * 32));
  }
  if (!signed) return;
  const key = createPrivateKey(readFileSync(join(place.state, 'ledger.key')));
  const text = formatCheckpoint({ origin: 'example.test/log', size: leaves.length, root: rootOf(tree) });
  put('checkpoint', Buffer.from(signNote(text, parseVkey(place.vkey), key)));
}

const failure = async (folder: string) => (await verifyLedger(folder, place.vkey)).failure;

test('the same entries framed otherwise verify: the forger is as good as the writer', async () => {
  // The seals of segments change with their frames, so the tree does too: this needs the key.
  expect(await failure(await forge({ signed: true, tiles: true }))).toBeUndefined();
});

const at = (type: string, change: (entry: Entry) => unknown) => {
  let done = false;
  return (entry: Entry) => {
    if (done || entry.t !== type) return entry;
    done = true;
    return change(entry);
  };
};

test('without the key, a changed fact changes the root, and a start refuses it and leaves the tiles alone', async () => {
  const entry = at('statement.outcome', (e) => ({ ...e, x: { rows: 1000 } }));
  expect(await failure(await forge({ entry, signed: false, tiles: true }))).toMatchObject({ file: 'checkpoint' });
  for (const checkpoint of ['kept', 'removed']) {
    const folder = await forge({
      entry: at('statement.outcome', (e) => ({ ...e, x: { rows: 1000 } })),
      signed: false,
      tiles: false,
    });
    const tile = readFileSync(join(folder, 'tile/0/000'));
    if (checkpoint === 'removed') rmSync(join(folder, 'checkpoint'));
    await expect(openLedger({ ...place, folder })).rejects.toThrow('The ledger is damaged');
    // A start that has no milestone reads everything, and comes to another root.
    const without: typeof takeLock = (state, boot) => ({ ...takeLock(state, boot), milestone: () => undefined });
    await expect(openLedger({ ...place, folder, takeLock: without })).rejects.toThrow(
      'does not lead to the checkpoint',
    );
    expect(readFileSync(join(folder, 'tile/0/000'))).toEqual(tile);
    expect(readFileSync(join(folder, 'tile/entries/000')).length).toBeGreaterThan(0);
  }
});

/** Removes from the last boot, whose start does not tell: there the sequence has to. */
const last = (type: string) => {
  let boots = 0;
  let done = false;
  return (entry: Entry) => {
    if (entry.t === 'gateway.start') boots++;
    if (boots < 2 || done || entry.t !== type) return entry;
    done = true;
    return undefined;
  };
};

const signedCases: [string, Forgery['entry'], string][] = [
  ['time that runs backwards', at('session.seal', (e) => ({ ...e, ts: e.ts + 3_600_000 })), 'time runs backwards'],
  [
    'a start that skips entries',
    at('gateway.start', (e) => ({ ...e, x: { ...e.x, previous: { ...(e.x.previous as object), last: 7 } } })),
    'does not continue',
  ],
  [
    'a start that lies about the end',
    at('gateway.start', (e) => ({ ...e, x: { ...e.x, previous: { ...(e.x.previous as object), ended: 'stopped' } } })),
    'otherwise',
  ],
  ['another boot without a start', at('session.open', (e) => ({ ...e, boot: 'other' })), 'without recording its start'],
  ['another key than the payload has', at('statement.decision', (e) => ({ ...e, k: 'other' })), 'does not belong'],
  ['a removed seal of a segment', at('journal.seal', () => undefined), 'not sealed'],
  ['a removed statement', last('statement.decision'), 'has no decision'],
  ['a genesis of another log', at('log.genesis', (e) => ({ ...e, x: { ...e.x, origin: 'other' } })), 'another log'],
];
for (const [name, entry, what] of signedCases) {
  test(verifies('nothing-missing', `even with the key: ${name}`), async () => {
    expect((await failure(await forge({ entry, signed: true, tiles: true })))?.what).toContain(what);
  });
}

test(
  verifies('nothing-missing', 'even with the key and a faultless forgery: whoever kept one checkpoint finds it'),
  async () => {
    const now = readFileSync(join(place.folder, 'checkpoint'), 'utf8');
    const kept = [now];
    expect(await verifyLedger(place.folder, place.vkey, { kept })).toMatchObject({ ok: true, continued: 1 });
    const entry = at('statement.outcome', (e) => ({ ...e, x: { rows: 1000 } }));
    const rewritten = await forge({ entry, signed: true, tiles: true });
    expect(await failure(rewritten)).toBeUndefined();
    expect((await verifyLedger(rewritten, place.vkey, { kept })).failure).toMatchObject({
      what: expect.stringContaining('are not those of the checkpoint that was kept'),
      meaning: expect.stringContaining('another history'),
    });
    // One that goes on from the forgery, and one kept of it beside the true one.
    const both = [readFileSync(join(rewritten, 'checkpoint'), 'utf8'), now];
    expect((await verifyLedger(place.folder, place.vkey, { kept: both })).ok).toBe(false);
  },
);

test(
  verifies('nothing-missing', 'an older copy in the place of the log: whoever kept a newer checkpoint finds it'),
  async () => {
    const older = await ledgerPlace();
    try {
      const first = await openLedger(older);
      await fillLedger(first.ledger, 1, 5);
      await first.ledger.close();
      const copy = join(older.root, 'older');
      cpSync(older.folder, copy, { recursive: true });
      const second = await openLedger(older);
      await fillLedger(second.ledger, 1, 5);
      await second.ledger.close();
      const kept = [copy, older.folder].map((folder) => readFileSync(join(folder, 'checkpoint'), 'utf8'));
      expect(await verifyLedger(older.folder, older.vkey, { kept })).toMatchObject({ ok: true, continued: 2 });
      expect(await verifyLedger(copy, older.vkey)).toMatchObject({ ok: true });
      expect((await verifyLedger(copy, older.vkey, { kept })).failure?.what).toContain(
        'a checkpoint that was kept covers',
      );
      await expect(verifyLedger(copy, place.vkey, { kept })).rejects.toThrow('no signature by a known key');
    } finally {
      older.remove();
    }
  },
);

test('a payload changed under a valid chain differs from its commitment', async () => {
  const record = (r: FrameRecord): FrameRecord => {
    if (!r.sealed) return r;
    const bytes = Buffer.from(r.sealed.bytes);
    // Inside the quoted text: the plaintext stays JSON.
    bytes[bytes.length - 4]! ^= 1;
    return { ...r, sealed: { ...r.sealed, bytes } };
  };
  const folder = await forge({ record, signed: true, tiles: true });
  const keyring = openKeyring(place.state);
  const read = async () => {
    for await (const { index } of readJournal(folder, 0, keyring)) void index;
  };
  await expect(read()).rejects.toThrow('differs from its commitment');
  keyring.close();
});

/** Offset of a frame in the middle of the longest segment. */
function middleFrame(folder: string): { path: string; bytes: Buffer; at: number; end: number } {
  const paths = readdirSync(join(folder, 'journal')).map((name) => join(folder, 'journal', name));
  const path = paths.toSorted((a, b) => readFileSync(b).length - readFileSync(a).length)[0]!;
  const bytes = readFileSync(path);
  let at = segmentHeaderSize;
  for (let i = 0; i < 5; i++)
    at += frameHeaderSize + parseFrameHeader(bytes.subarray(at, at + frameHeaderSize))!.body + 32;
  const { body } = parseFrameHeader(bytes.subarray(at, at + frameHeaderSize))!;
  return { path, bytes, at, end: at + frameHeaderSize + body + 32 };
}

test('damage in the middle is never taken for a torn end: nothing acknowledged is cut off', async () => {
  const damages: ((frame: ReturnType<typeof middleFrame>) => void)[] = [
    ({ bytes, at }) => bytes.writeUInt32BE(60 * 1024 * 1024, at + 16),
    ({ bytes, end }) => bytes.fill(0, end - 32, end),
    ({ bytes, at }) => bytes.fill(0, at, at + frameHeaderSize),
  ];
  const single = await ledgerPlace({ segmentEntries: 10_000 });
  const { ledger } = await openLedger(single);
  await fillLedger(ledger, 1, 30);
  await ledger.close();
  for (const damage of damages) {
    const folder = join(single.root, `damaged-${Math.random()}`);
    cpSync(single.folder, folder, { recursive: true });
    const frame = middleFrame(folder);
    damage(frame);
    writeFileSync(frame.path, frame.bytes);
    await expect(openLedger({ ...single, folder })).rejects.toThrow('not as it was written');
    expect(readFileSync(frame.path)).toEqual(frame.bytes);
    expect((await verifyLedger(folder, single.vkey)).failure?.meaning).not.toContain('recovers');
  }
  single.remove();
});

test('a new segment counts as synced only once its name is durable', async () => {
  const here = await ledgerPlace();
  let named = false;
  const watching = {
    ...disk,
    syncFolder: (path: string) => ((named ||= path.endsWith('journal')), disk.syncFolder(path)),
  };
  const { ledger } = await openLedger({ ...here, disk: watching });
  expect(named).toBe(true);
  await ledger.close();
  here.remove();
});
