// A log that another continues: the chain verifies from either end, and every way to break it is named.
import { createPrivateKey } from 'node:crypto';
import { cpSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Piece, putTogether, type Signing, takeApart } from '../../test/peers/forger.ts';
import { fillLedger, type LedgerPlace, ledgerPlace } from '../../test/peers/ledger.ts';
import { verifies } from '../../test/requirements.ts';
import { openRecorder } from '../recordings/recorder.ts';
import { recordOrphans } from '../session/gateway.ts';
import type { Entry } from './entry.ts';
import { createLedger, openLedger } from './ledger.ts';
import { type RotateOptions, rotateLedger } from './rotation.ts';
import { verifyChain, verifyLedger } from './verify-disk.ts';

let place: LedgerPlace;
let recordings: string;
const logs = () => [place.folder, `${place.folder}-2`, `${place.folder}-3`];
const signings = () => [place.state, join(place.state, 'log-2'), join(place.state, 'log-3')];

function rotation(number: number, options: Partial<RotateOptions> = {}): RotateOptions {
  return {
    ...place,
    folder: logs()[number - 2]!,
    signing: signings()[number - 2]!,
    origin: `example.test/log/${number}`,
    reason: 'routine',
    next: { folder: logs()[number - 1]!, signing: signings()[number - 1]! },
    recordEnds: recordOrphans,
    ...options,
  };
}

async function fill(number: number): Promise<void> {
  const { ledger } = await openLedger({ ...place, folder: logs()[number - 1]!, signing: signings()[number - 1]! });
  await fillLedger(ledger, 2, 20);
  const key = ledger.newKey();
  const session = `recorded-${number}`;
  ledger.append({ type: 'session.open', session, facts: {}, payload: { who: {} } }, 'written', key);
  const recorder = openRecorder({ folder: recordings, session, key });
  recorder.write('client', 1, Buffer.from('select 1'));
  const recording = { ...(await recorder.seal()) };
  ledger.append({ type: 'session.seal', session, facts: { n: 0, recording } }, 'written');
  await ledger.close();
}

beforeAll(async () => {
  place = await ledgerPlace({ segmentEntries: 40 });
  recordings = join(place.root, 'recordings');
  mkdirSync(recordings);
  for (const number of [1, 2, 3]) {
    if (number > 1) await rotateLedger(rotation(number));
    await fill(number);
  }
});
afterAll(() => place.remove());

const vkeyOf = (number: number) => readFileSync(join(signings()[number - 1]!, 'ledger.vkey'), 'utf8').trim();
const signingOf = (number: number): Signing => ({
  vkey: vkeyOf(number),
  key: createPrivateKey(readFileSync(join(signings()[number - 1]!, 'ledger.key'))),
});
const checkpointOf = (number: number) => readFileSync(join(logs()[number - 1]!, 'checkpoint'), 'utf8');

test(
  verifies('nothing-missing', 'three logs that continue each other verify with the key of any one of them'),
  async () => {
    const kept = [1, 2, 3].map(checkpointOf);
    for (const number of [1, 2, 3]) {
      const report = await verifyChain(logs(), vkeyOf(number), { recordings, kept });
      expect(report.failure).toBeUndefined();
      expect(report).toMatchObject({ ok: true, recordings: 3 });
      expect(report.logs.map(({ origin, continued }) => [origin, continued])).toEqual([
        ['example.test/log', 1],
        ['example.test/log/2', 1],
        ['example.test/log/3', 1],
      ]);
    }
  },
);

test('each log verifies by itself and says what it continues and what continues it', async () => {
  const report = await verifyLedger(logs()[1]!, vkeyOf(2));
  expect(report).toMatchObject({
    ok: true,
    predecessor: { origin: 'example.test/log', vkey: vkeyOf(1) },
    successor: { origin: 'example.test/log/3', vkey: vkeyOf(3), reason: 'routine' },
  });
  expect(report.types['log.successor']).toBe(1);
  const first = await verifyLedger(logs()[0]!, vkeyOf(1));
  expect(report.predecessor).toMatchObject({ size: first.size, root: first.root });
  expect(first.notYetUnderCheckpoint).toBe(0);
});

test('the ended log is never written again, by a gateway or by another rotation', async () => {
  await expect(openLedger(place)).rejects.toThrow('has ended; example.test/log/2 continues it');
  const before = checkpointOf(1);
  const elsewhere = { folder: join(place.root, 'other'), signing: join(place.root, 'other-state') };
  await expect(rotateLedger(rotation(2, { next: elsewhere }))).rejects.toThrow('Restore that folder');
  await expect(rotateLedger(rotation(2, { next: elsewhere, origin: 'example.test/x' }))).rejects.toThrow(
    'Set gateway.origin to that name',
  );
  expect(checkpointOf(1)).toBe(before);
});

test('a rotation is refused while a gateway writes, and to a name that a log of the chain has', async () => {
  const next = { folder: join(place.root, 'ledger-4'), signing: join(place.state, 'log-4') };
  const of3 = { ...place, folder: logs()[2]!, signing: signings()[2]! };
  const wish = { ...rotation(3), ...of3, origin: 'example.test/log/4', next };
  const { ledger } = await openLedger(of3);
  await expect(rotateLedger(wish)).rejects.toThrow(/Another gateway writes this ledger: process \d+.*Stop it first/);
  await ledger.close();
  for (const origin of ['example.test/log', 'example.test/log/3'])
    await expect(rotateLedger({ ...wish, origin, earlier: logs().slice(0, 2) })).rejects.toThrow(
      'that there is already',
    );
  expect((await verifyChain(logs(), vkeyOf(1))).ok).toBe(true);
});

test('a log whose folder is gone is not begun anew', async () => {
  const folder = join(place.root, 'nowhere');
  await expect(openLedger({ ...place, folder })).rejects.toThrow('knows that there was one. Restore its newest copy');
  await expect(createLedger({ ...place, folder, origin: 'example.test/log' })).rejects.toThrow('already a ledger');
  const state = join(place.root, 'half');
  cpSync(place.state, state, { recursive: true });
  rmSync(join(state, 'lock.sqlite'));
  await expect(createLedger({ ...place, folder, state, origin: 'example.test/log' })).rejects.toThrow(
    'ledger.key exists',
  );
  await expect(openLedger({ ...place, folder, state: join(place.root, 'none') })).rejects.toThrow('Create one first');
});

test('sessions that a crash left open end in the log that they began in', async () => {
  const here = await ledgerPlace();
  const { ledger } = await openLedger(here);
  const copy = { ...here, folder: join(here.root, 'copy'), state: join(here.root, 'copied') };
  await ledger.append({ type: 'session.open', session: 'cut-off', facts: {}, payload: { who: {} } }, 'synced').durable;
  await ledger.checkpointNow();
  cpSync(here.folder, copy.folder, { recursive: true });
  cpSync(here.state, copy.state, { recursive: true });
  const next = { folder: join(here.root, 'copy-2'), signing: join(copy.state, 'log-2') };
  const { vkey } = await rotateLedger({ ...rotation(2), ...copy, signing: copy.state, next });
  const report = await verifyChain([copy.folder, next.folder], vkey);
  expect(report.failure).toBeUndefined();
  expect(report.logs[0]!.sessions).toEqual({ opened: 1, open: 0, sealed: 0, orphaned: 1 });
  await ledger.close();
  here.remove();
});

/** The chain with the entries of one log changed, signed anew with its own key. */
async function forged(number: number, change: (pieces: Piece[]) => Piece[]): Promise<string[]> {
  const copies = logs().map((_, index) => join(place.root, `forged-${Math.random()}-${index}`));
  for (const [index, folder] of logs().entries()) cpSync(folder, copies[index]!, { recursive: true });
  const pieces = change(await takeApart(copies[number - 1]!));
  putTogether(copies[number - 1]!, pieces, signingOf(number));
  return copies;
}

const facts = (type: string, change: (x: Entry['x']) => Entry['x']) => (pieces: Piece[]) =>
  pieces.map((one) => (one.entry.t === type ? { ...one, entry: { ...one.entry, x: change(one.entry.x) } } : one));
const behind = (make: (last: Entry) => Entry) => (pieces: Piece[]) => [
  ...pieces,
  { entry: make(pieces.at(-1)!.entry) },
];
const withoutLast = (pieces: Piece[]) => pieces.slice(0, -1);
const predecessor = (change: object) => (x: Entry['x']) => ({
  ...x,
  predecessor: { ...(x.predecessor as object), ...change },
});
const zeros = Buffer.alloc(32).toString('base64');

const breaks: [string, number, (pieces: Piece[]) => Piece[], string, string][] = [
  [
    'an entry after log.successor',
    1,
    behind((e) => ({ ...e, t: 'heartbeat', x: {} })),
    'an entry stands after log.successor',
    'afterEnd',
  ],
  [
    'a start after log.successor',
    1,
    behind((e) => ({ ...e, t: 'gateway.start', boot: 'again', x: {} })),
    'after log.successor',
    'afterEnd',
  ],
  [
    'two successors',
    1,
    behind((e) => ({ ...e, x: { ...e.x, origin: 'example.test/thief' } })),
    'a second log.successor',
    'forked',
  ],
  ['a log that ends without a successor', 1, withoutLast, 'names no successor', 'unchained'],
  [
    'another successor',
    1,
    facts('log.successor', () => ({ origin: 'example.test/log/3', vkey: vkeyOf(3), reason: 'routine' })),
    'names another successor',
    'forked',
  ],
  [
    'a successor that names its own log',
    1,
    facts('log.successor', () => ({ origin: 'example.test/log', vkey: vkeyOf(1), reason: 'routine' })),
    'names the log itself',
    'changed',
  ],
  [
    'a successor with the key of another name',
    1,
    facts('log.successor', (x) => ({ ...x, vkey: vkeyOf(3) })),
    'names the key of another log',
    'changed',
  ],
  [
    'a rewritten log before its successor',
    1,
    facts('statement.outcome', () => ({ rows: 9 })),
    'with another root or size',
    'rewritten',
  ],
  [
    'a genesis without predecessor',
    2,
    facts('log.genesis', ({ origin, vkey }) => ({ origin, vkey })),
    'names no predecessor',
    'unchained',
  ],
  [
    'a predecessor of another size',
    2,
    facts('log.genesis', predecessor({ size: 3 })),
    'with another root or size',
    'rewritten',
  ],
  [
    'a predecessor of another root',
    2,
    facts('log.genesis', predecessor({ root: zeros })),
    'with another root or size',
    'rewritten',
  ],
  [
    'a predecessor of another name',
    3,
    facts('log.genesis', (x) => predecessor({ origin: 'example.test/log', vkey: vkeyOf(1) })(x)),
    'the log continues example.test/log,',
    'unchained',
  ],
  [
    'a predecessor with a key that is none',
    2,
    facts('log.genesis', predecessor({ vkey: 'x' })),
    'names a key that is none',
    'changed',
  ],
  [
    'a genesis that names another key',
    2,
    facts('log.genesis', (x) => ({ ...x, vkey: vkeyOf(3) })),
    'names another key',
    'changed',
  ],
];
for (const [name, number, change, what, kind] of breaks) {
  test(verifies('nothing-missing', `a broken chain: ${name}`), async () => {
    const folders = await forged(number, change);
    const report = await verifyChain(folders, vkeyOf(1));
    expect(report.failure?.what).toContain(what);
    expect(report.failure?.kind).toBe(kind);
    // From the other end too, unless the log that is trusted is the one that was written anew.
    expect((await verifyChain(folders, vkeyOf(3))).ok).toBe(false);
    for (const folder of folders) rmSync(folder, { recursive: true });
  });
}

test('logs in the wrong order, one left out, one twice, one of a stranger', async () => {
  const [first, second, third] = logs() as [string, string, string];
  const failure = async (...folders: string[]) => (await verifyChain(folders, vkeyOf(1))).failure?.what;
  expect(await failure(second, first, third)).toBeDefined();
  expect(await failure(first, third)).toContain('names another successor');
  expect(await failure(first, second, second, third)).toContain('a second log named');
  expect(await failure(second, third)).toContain('none of these logs is example.test/log');
  expect((await verifyChain([second, third], vkeyOf(2))).ok).toBe(true);
  await expect(verifyChain([second, third], vkeyOf(2), { kept: [checkpointOf(1)] })).rejects.toThrow('none of these');
});

test('recordings of the other logs are known only together with these', async () => {
  expect((await verifyLedger(logs()[1]!, vkeyOf(2), { recordings })).failure?.kind).toBe('added');
  expect((await verifyChain(logs(), vkeyOf(2), { recordings })).ok).toBe(true);
});

test('a stolen key: the thief writes the end anew; a kept checkpoint, or the new log, tells where the true history ended', async () => {
  const receipt = checkpointOf(1);
  // The thief holds the old key: an end of his own, with a successor of his own, and no fault in itself.
  const [stolen, honest] = (await forged(1, (pieces) =>
    facts('log.successor', () => ({ origin: 'example.test/log/3', vkey: vkeyOf(3), reason: 'routine' }))(
      facts('statement.outcome', () => ({ rows: 9 }))(pieces),
    ),
  )) as [string, string];
  expect((await verifyLedger(stolen, vkeyOf(1))).ok).toBe(true);
  expect((await verifyLedger(stolen, vkeyOf(1), { kept: [receipt] })).failure?.kind).toBe('rewritten');
  expect((await verifyChain([stolen, honest], vkeyOf(2))).failure?.kind).toBe('forked');
  expect(await verifyLedger(place.folder, vkeyOf(1), { kept: [receipt] })).toMatchObject({
    ok: true,
    pinned: (await verifyLedger(place.folder, vkeyOf(1))).size,
  });
});
