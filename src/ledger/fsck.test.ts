// Every kind of damage that fsck names, and what repair does about it and what it does not.
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeAll, afterAll, describe, expect, test } from 'vitest';
import { fillLedger, type LedgerPlace, ledgerPlace } from '../../test/peers/ledger.ts';
import { openRecorder } from '../recordings/recorder.ts';
import type { Finding } from './finding.ts';
import { fsck, type FsckPlace } from './fsck.ts';
import { openLedger } from './ledger.ts';
import { repairLedger } from './repair.ts';
import { recordingFile } from './verify-recordings.ts';
import { verifyLedger } from './verify-disk.ts';

/** Built once: several segments, complete and partial tiles, a recording. */
let built: LedgerPlace;
let copies = 0;
let place: FsckPlace & { readonly vkey: string };
const session = 'recorded-session';

beforeAll(async () => {
  built = await ledgerPlace();
  const { ledger } = await openLedger(built);
  await fillLedger(ledger, 4, 80);
  const key = ledger.newKey();
  await ledger.append({ type: 'session.open', session, facts: {}, payload: { who: {} } }, 'written', key).durable;
  const recorder = openRecorder({ folder: join(built.root, 'recordings'), session, key });
  recorder.write('client', 1, Buffer.from('what was said'));
  const { chunks, bytes, root } = await recorder.seal();
  const seal = { n: 0, recording: { chunks, bytes, root } };
  await ledger.append({ type: 'session.seal', session, facts: seal }, 'synced').durable;
  await ledger.close();
});
afterAll(() => built.remove());

const fresh = () => {
  const top = join(built.root, `copy-${copies++}`);
  for (const name of ['ledger', 'state', 'recordings'])
    cpSync(join(built.root, name), join(top, name), { recursive: true });
  const at = (name: string) => join(top, name);
  return { folder: at('ledger'), state: at('state'), recordings: at('recordings'), vkey: built.vkey };
};
afterEach(() => rmSync(dirname(place.folder), { recursive: true, force: true }));

const file = (path: string) => join(place.folder, path);
const lastSegment = () => `journal/${readdirSync(file('journal')).sort().at(-1)!}`;
const flip = (path: string, at = 0.5) => {
  const bytes = readFileSync(path);
  bytes[Math.floor(bytes.length * at)]! ^= 1;
  writeFileSync(path, bytes);
};
const named = ({ findings }: { findings: readonly Finding[] }) => findings.map((one) => `${one.file}: ${one.what}`);

/** Everything that is evidence: nothing of it may change by itself. */
function evidence(): Record<string, string> {
  const found: Record<string, string> = {};
  for (const top of [join(place.folder, 'journal'), place.recordings!]) {
    for (const name of readdirSync(top, { recursive: true, encoding: 'utf8' })) {
      const bytes = existsSync(join(top, name)) ? tryRead(join(top, name)) : undefined;
      if (bytes) found[join(top, name)] = createHash('sha256').update(bytes).digest('hex');
    }
  }
  return found;
}

function tryRead(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}

test('a whole ledger agrees in everything, and repair has nothing to do', async () => {
  place = fresh();
  const seen: number[] = [];
  const report = await fsck({ ...place, progress: (entries) => seen.push(entries) });
  expect(named(report)).toEqual([]);
  expect(report).toMatchObject({ ok: true, signed: report.entries, notes: [] });
  expect(report.checked).toMatchObject({ recordings: 1, destroyedKeys: 0 });
  expect(report.checked.segments).toBeGreaterThan(3);
  expect(report.checked.tiles).toBeGreaterThan(6);
  expect(seen.at(-1)).toBe(report.entries);
  expect((await repairLedger(place)).repaired).toEqual([]);
});

describe('what is derived is built again', () => {
  const cases: [string, () => void, string][] = [
    ['a changed tile', () => flip(file('tile/0/000')), 'tile/0/000: the file does not hold what the journal holds'],
    ['a changed bundle', () => flip(file('tile/entries/001')), 'tile/entries/001: the file does not hold'],
    ['a lost tile', () => rmSync(file('tile/0/001')), 'tile/0/001: the file is missing'],
    ['all tiles lost', () => rmSync(file('tile'), { recursive: true }), 'tile/1/000.p/2: the file is missing'],
    [
      'a torn partial tile beside its complete one',
      () => {
        mkdirSync(file('tile/0/000.p'));
        writeFileSync(file('tile/0/000.p/7'), 'torn');
      },
      'tile/0/000.p/7: the file does not hold',
    ],
    ['a lost checkpoint', () => rmSync(file('checkpoint')), 'checkpoint: there is no checkpoint'],
    ['a changed checkpoint', () => flip(file('checkpoint')), 'checkpoint: the checkpoint does not verify'],
  ];
  for (const [name, damage, what] of cases) {
    test(name, async () => {
      place = fresh();
      const before = evidence();
      const original = readFileSync(file('checkpoint'), 'utf8');
      damage();
      const report = await fsck(place);
      expect(named(report).join('\n')).toContain(what);
      expect(report.findings.every(({ repair }) => repair === 'rebuild' || repair === 'publish')).toBe(true);
      // Looking changes nothing.
      expect(named(await fsck(place))).toEqual(named(report));
      const mended = await repairLedger(place);
      expect(named(mended)).toEqual([]);
      expect(mended.repaired.length).toBe(report.findings.length);
      expect(evidence()).toEqual(before);
      expect(readFileSync(file('checkpoint'), 'utf8')).toBe(original);
      expect((await verifyLedger(place.folder, place.vkey, { recordings: place.recordings })).failure).toBeUndefined();
    });
  }

  test('an older checkpoint is replaced by the one in the lock, and put aside', async () => {
    place = fresh();
    const { ledger } = await openLedger({ ...built, folder: place.folder, state: place.state });
    const old = readFileSync(file('checkpoint'));
    await ledger.close();
    writeFileSync(file('checkpoint'), old);
    expect(named(await fsck(place))[0]).toMatch(/^checkpoint: the checkpoint covers \d+ entries/);
    expect(named(await repairLedger(place))).toEqual([]);
    const [aside] = readdirSync(join(place.state, 'torn'));
    expect(readFileSync(join(place.state, 'torn', aside!))).toEqual(old);
  });
});

test('the end that an interrupted writer left is put aside, not deleted, and the gateway starts after it', async () => {
  place = fresh();
  const { ledger } = await openLedger({ ...built, folder: place.folder, state: place.state });
  await ledger.append({ type: 'heartbeat', facts: {} }, 'synced').durable;
  const running = { ...place, folder: `${place.folder}-killed`, state: `${place.state}-killed` };
  cpSync(place.folder, running.folder, { recursive: true });
  cpSync(place.state, running.state, { recursive: true });
  await ledger.close();
  place = { ...running };
  const whole = readFileSync(file(lastSegment()));
  appendFileSync(file(lastSegment()), 'CSF1 and no more of it');
  const report = await fsck(place);
  expect(named(report)).toEqual([`${lastSegment()}: 22 bytes at the end are not a whole frame`]);
  const mended = await repairLedger(place);
  expect(named(mended)).toEqual([]);
  expect(mended.repaired.map(({ repair }) => repair)).toEqual(['aside']);
  expect(readFileSync(file(lastSegment()))).toEqual(whole);
  const [aside] = readdirSync(join(place.state, 'torn'));
  expect(readFileSync(join(place.state, 'torn', aside!), 'utf8')).toBe('CSF1 and no more of it');
  const again = await openLedger({ ...built, folder: place.folder, state: place.state });
  await again.ledger.close();
  expect((await fsck(place)).ok).toBe(true);
});

describe('evidence is never rewritten', () => {
  const cases: [string, () => void, RegExp][] = [
    ['a changed journal', () => flip(file('journal/000000000001')), /journal\/000000000001: .*not as it was written/],
    [
      'a segment lost',
      () => rmSync(file(`journal/${readdirSync(file('journal')).sort()[2]!}`)),
      /are missing|is missing/,
    ],
    [
      'the end cut off',
      () => truncateSync(file(lastSegment()), readFileSync(file(lastSegment())).length - 40),
      /not a whole frame|were signed/,
    ],
    [
      'junk behind an orderly end',
      () => appendFileSync(file(lastSegment()), Buffer.alloc(60, 'x')),
      /not as it was written/,
    ],
    [
      'a changed recording',
      () => flip(join(place.recordings!, recordingFile(session))),
      /not the one that its session/,
    ],
    ['a lost recording', () => rmSync(join(place.recordings!, recordingFile(session))), /the recording is missing/],
    ['a strange recording', () => writeFileSync(join(place.recordings!, 'xy.rec'), 'x'), /no session of the ledger/],
    ['a strange file', () => writeFileSync(file('notes.txt'), 'x'), /notes.txt: this file does not belong/],
    ['a lost lock', () => rmSync(join(place.state, 'lock.sqlite')), /lock.sqlite: the lock cannot be read/],
    [
      'a damaged lock',
      () => writeFileSync(join(place.state, 'lock.sqlite'), 'x'.repeat(5000)),
      /lock.sqlite: the lock/,
    ],
    ['lost keys', () => rmSync(join(place.state, 'keys.sqlite')), /keys.sqlite: the key database is missing/],
    ['damaged keys', () => writeFileSync(join(place.state, 'keys.sqlite'), 'x'.repeat(9000)), /keys.sqlite: the key/],
    [
      'a forged cosigned checkpoint',
      () => writeFileSync(file('checkpoint.cosigned'), 'x'),
      /witnesses signed does not/,
    ],
  ];
  for (const [name, damage, what] of cases) {
    test(name, async () => {
      place = fresh();
      damage();
      const before = evidence();
      const report = await fsck(place);
      expect(named(report).join('\n')).toMatch(what);
      expect(report.findings.filter(({ repair }) => repair !== undefined)).toEqual([]);
      expect(report.findings.every((one) => one.meaning.length > 20)).toBe(true);
      const mended = await repairLedger(place).catch((error: Error) => error);
      if (mended instanceof Error) expect(mended.message).toContain('lock.sqlite');
      else expect(named(mended)).toEqual(named(report));
      expect(evidence()).toEqual(before);
    });
  }

  test('tiles that contradict a changed journal are kept, and said to be what may be right', async () => {
    place = fresh();
    flip(file('journal/000000000001'), 0.9);
    rmSync(file('tile/entries/001'));
    const report = await fsck(place);
    expect(report.findings.filter(({ repair }) => repair !== undefined)).toEqual([]);
    expect(report.notes.join('\n')).toContain('the tiles lead to the checkpoint that was signed');
    const tile = readFileSync(file('tile/0/000'));
    await repairLedger(place);
    expect(readFileSync(file('tile/0/000'))).toEqual(tile);
    expect(existsSync(file('tile/entries/001'))).toBe(false);
  });

  test('an older state folder is told, and nothing is published', async () => {
    place = fresh();
    const old = `${place.state}-old`;
    cpSync(place.state, old, { recursive: true });
    const { ledger } = await openLedger({ ...built, folder: place.folder, state: place.state });
    await ledger.close();
    const newest = readFileSync(file('checkpoint'));
    place = { ...place, state: old };
    expect(named(await fsck(place)).join()).toContain('not the last one that the lock saw signed');
    await repairLedger(place);
    expect(readFileSync(file('checkpoint'))).toEqual(newest);
  });

  test('damage in several places is named in all of them', async () => {
    place = fresh();
    const [, , second, third] = readdirSync(file('journal')).sort();
    flip(file(`journal/${second!}`));
    flip(file(`journal/${third!}`));
    writeFileSync(file('notes.txt'), 'x');
    const files = (await fsck(place)).findings.map((one) => one.file);
    expect(files).toEqual(expect.arrayContaining([`journal/${second}`, `journal/${third}`, 'notes.txt']));
  });
});

test('beside a live gateway it looks, and repair is refused by name', async () => {
  place = fresh();
  const { ledger } = await openLedger({ ...built, folder: place.folder, state: place.state });
  let done = false;
  const filling = fillLedger(ledger, 3, 80).finally(() => (done = true));
  let looks = 0;
  while (!done) {
    const report = await fsck({ folder: place.folder, state: place.state });
    expect(named(report)).toEqual([]);
    expect(report.heldBy).toContain(`process ${process.pid}`);
    looks++;
  }
  await filling;
  expect(looks).toBeGreaterThan(0);
  await expect(repairLedger(place)).rejects.toThrow('Stop it first');
  await ledger.close();
});
