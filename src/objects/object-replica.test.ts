// The second place over a store that fails on demand. The same over a real S3 server: test/conformance/object-store.test.ts.
import { cpSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { fillLedger, type LedgerPlace, ledgerPlace } from '../../test/peers/ledger.ts';
import { type ObjectsDouble, objectsDouble, type Request } from '../../test/peers/objects-double.ts';
import {
  copyAll,
  kill,
  openSecondPlace,
  restore,
  type SecondPlace,
  strangerVerifies,
} from '../../test/peers/second-place.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { parseVkey } from '../ledger/note.ts';
import { LevelFault } from '../ledger/replica.ts';
import { readJournal } from '../ledger/read-journal.ts';
import { verifyLedger } from '../ledger/verify-disk.ts';
import { checkStore } from './check.ts';
import { Conflict, type ObjectStore } from './object-store.ts';
import { openS3 } from './s3.ts';
import { compareWithStore } from './standing.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

interface World extends SecondPlace {
  readonly place: LedgerPlace;
  readonly double: ObjectsDouble;
  readonly store: ObjectStore;
}

const storeOf = (double: ObjectsDouble, requestMs = 400): ObjectStore =>
  openS3({
    endpoint: double.endpoint,
    region: 'x',
    bucket: double.bucket,
    prefix: 'gw/',
    requestMs,
    credentials: async () => ({ accessKeyId: 'a', secretAccessKey: 'b' }),
  });

async function fresh(of: Partial<ObjectsDouble['is']> = {}): Promise<{ place: LedgerPlace; double: ObjectsDouble }> {
  const place = await ledgerPlace();
  ends.push(() => place.remove());
  const double = await objectsDouble(of);
  ends.push(() => double.stop().catch(() => undefined));
  return { place, double };
}

async function open({ place, double }: { place: LedgerPlace; double: ObjectsDouble }, waitMs?: number): Promise<World> {
  const store = storeOf(double);
  const opened = await openSecondPlace(place, store, waitMs);
  ends.push(opened.close);
  return { ...opened, place, double, store };
}

const beat = (ledger: Ledger, n = 0) => ledger.append({ type: 'heartbeat', facts: { n } }, 'replicated');
const until = (what: () => boolean) => vi.waitFor(() => expect(what()).toBe(true), { timeout: 5_000, interval: 10 });

const verified = (of: World) => strangerVerifies(of.store, of.place);

describe.each([
  { conditional: true, strangeEtags: false },
  { conditional: false, strangeEtags: false },
  { conditional: false, strangeEtags: true },
])('a store with %o', (kind) => {
  test('what was acknowledged at replicated is there, and a stranger verifies it from there alone', async () => {
    const of = await open(await fresh(kind));
    await fillLedger(of.ledger, 8, 30);
    const { index, durable } = beat(of.ledger);
    await durable;
    await copyAll(of);
    const { fetched, report } = await verified(of);
    expect(report).toMatchObject({ ok: true, size: of.ledger.status().checkpoint!.size });
    expect(fetched.entries).toBeGreaterThan(index);
    expect(fetched.entries).toBeGreaterThan(450);
    // Some segments are there whole, the last one in parts.
    expect(of.double.keys().filter((key) => key.startsWith('gw/ledger/journal/')).length).toBeGreaterThan(1);
    expect(of.told).toEqual([]);
  });

  test('the local folder is lost: restored from there it verifies, goes on, and says so', async () => {
    const first = await open(await fresh(kind));
    await fillLedger(first.ledger, 3, 30);
    await copyAll(first);
    let last = 0;
    for (let n = 0; n < 20; n++) {
      const { index, durable } = beat(first.ledger, n);
      await durable;
      last = index;
    }
    await sever(first);
    rmSync(first.place.folder, { recursive: true });
    const { place } = first;
    const restored = await restore(first.store, place);
    expect(restored.entries).toBeGreaterThan(last);
    const again = await open(first);
    await beat(again.ledger, 99).durable;
    await again.close();
    expect(await verifyLedger(place.folder, place.vkey)).toMatchObject({ ok: true });
    expect((await verified(again)).report).toMatchObject({ ok: true });
    const starts = [];
    for await (const { entry } of readJournal(place.folder, 0))
      if (entry.t === 'gateway.start') starts.push(entry.x.restored);
    expect(starts).toEqual([undefined, expect.objectContaining({ entries: restored.entries, lock: restored.lock })]);
    expect(again.told).toEqual([]);
  });

  test('a gateway that comes back goes on where it was, and puts nothing twice', async () => {
    const first = await open(await fresh(kind));
    await fillLedger(first.ledger, 8, 30);
    await first.close();
    const before = new Set(first.double.keys());
    const second = await open(first);
    await beat(second.ledger).durable;
    await second.objects.round();
    const parts = second.double.keys().filter((key) => /\/(parts|journal)\//.test(key));
    for (const key of parts) expect([key, second.double.stored(key).length]).toEqual([key, 1]);
    expect(parts.some((key) => !before.has(key))).toBe(true);
    expect((await verified(second)).report).toMatchObject({ ok: true });
  });
});

const sever = (of: World) =>
  kill(of, of.place, (on) => {
    of.double.trouble = on ? () => 'reset' : undefined;
  });

describe('a store that fails', () => {
  const troubles = [
    ['asks to slow down', { status: 503, code: 'SlowDown' }],
    ['forbids', { status: 403, code: 'AccessDenied' }],
    ['says that the clock is wrong', { status: 403, code: 'RequestTimeTooSkewed' }],
    ['lost its bucket', { status: 404, code: 'NoSuchBucket' }],
    ['resets', 'reset'],
    ['does it and resets', 'done-and-reset'],
    ['hangs', 'hang'],
  ] as const;
  test.each(troubles)('%s: only replicated is refused, and it comes back by itself', async (_, trouble) => {
    const of = await open(await fresh(), 300);
    await beat(of.ledger).durable;
    of.double.trouble = () => trouble;
    await expect(beat(of.ledger).durable).rejects.toBeInstanceOf(LevelFault);
    expect(of.objects.state()).toMatchObject({ state: 'down' });
    expect(() => beat(of.ledger)).toThrow(LevelFault);
    await of.ledger.append({ type: 'heartbeat', facts: {} }, 'synced').durable;
    await of.ledger.checkpointNow();
    expect(of.objects.state().backlog).toBeGreaterThan(0);
    of.double.trouble = undefined;
    await until(() => of.objects.state().state === 'up');
    await beat(of.ledger).durable;
    expect(of.objects.state().backlog).toBe(0);
    expect(of.told.map((line) => line.split(' ')[0])).toEqual(['down', 'up']);
    await copyAll(of);
    expect((await verified(of)).report).toMatchObject({ ok: true });
  });

  test('an answer that is cut short is not taken for the whole', async () => {
    const { double } = await fresh();
    const store = storeOf(double);
    await store.put('some', Buffer.alloc(1_000));
    double.trouble = () => 'truncate';
    await expect(store.get('some')).rejects.toMatchObject({ kind: 'unreachable' });
    const all = async () => {
      for await (const _ of store.versions('')) continue;
    };
    await expect(all()).rejects.toMatchObject({ kind: 'unreachable' });
  });

  test('one failure is tried again and nobody notices', async () => {
    const of = await open(await fresh());
    let failures = 1;
    of.double.trouble = ({ method }) =>
      method === 'PUT' && failures-- > 0 ? { status: 500, code: 'InternalError' } : undefined;
    await beat(of.ledger).durable;
    expect(of.told).toEqual([]);
  });

  test('away at the start, it is taken when it comes; what came before is copied', async () => {
    const place = await fresh();
    await place.double.away();
    const of = await open(place);
    expect(of.told[0]).toContain('ECONNREFUSED');
    expect(() => beat(of.ledger)).toThrow(LevelFault);
    await fillLedger(of.ledger, 8, 30);
    await of.ledger.checkpointNow();
    await of.double.back();
    await until(() => of.objects.state().state === 'up');
    await beat(of.ledger).durable;
    await copyAll(of);
    expect((await verified(of)).report).toMatchObject({ ok: true, size: of.ledger.status().checkpoint!.size });
  });

  test('what lies there in parts of many segments is taken up again', async () => {
    const of = await open(await fresh());
    await fillLedger(of.ledger, 8, 30);
    await beat(of.ledger).durable;
    of.double.trouble = () => 'reset';
    await expect(beat(of.ledger).durable).rejects.toBeInstanceOf(LevelFault);
    of.double.trouble = undefined;
    await until(() => of.objects.state().state === 'up');
    await beat(of.ledger).durable;
    expect(of.told.map((line) => line.split(' ')[0])).toEqual(['down', 'up']);
  });

  test('a bucket that was emptied is filled again from here', async () => {
    const of = await open(await fresh());
    await fillLedger(of.ledger, 8, 30);
    await beat(of.ledger).durable;
    of.double.trouble = () => ({ status: 404, code: 'NoSuchBucket' });
    await beat(of.ledger).durable.catch(() => undefined);
    of.double.empty();
    of.double.trouble = undefined;
    await until(() => of.objects.state().state === 'up');
    await beat(of.ledger).durable;
    await copyAll(of);
    expect((await verified(of)).report).toMatchObject({ ok: true });
  });

  test('statements that wait share few writes, and memory stays with the files', async () => {
    const of = await open(await fresh({ latencyMs: 20 }), 5_000);
    const puts = () => of.double.log.filter((line) => line.startsWith('PUT gw/ledger/parts/')).length;
    const before = puts();
    for (let turn = 0; turn < 50; turn++) {
      for (let n = 0; n < 20; n++) void beat(of.ledger, n).durable;
      await sleep(1);
    }
    await beat(of.ledger).durable;
    expect(puts() - before).toBeLessThan(25);
  });
});

describe('somebody else writes there', () => {
  test('a copy of this gateway that goes on elsewhere is noticed by whoever comes second', async () => {
    const of = await open(await fresh());
    await beat(of.ledger).durable;
    const copied = of.objects.state().copied;
    const key = `gw/ledger/parts/${String(copied).padStart(12, '0')}`;
    of.double.put(key, Buffer.from('another history'));
    await expect(beat(of.ledger).durable).rejects.toBeInstanceOf(LevelFault);
    await until(() => of.objects.state().state === 'conflict');
    expect(of.told).toEqual([expect.stringContaining('rolled back, or another gateway')]);
    // It stays so: what lies there is evidence.
    expect(() => beat(of.ledger)).toThrow(LevelFault);
  });

  test('a ledger that was rolled back with its state does not start', async () => {
    const first = await open(await fresh());
    await fillLedger(first.ledger, 2, 10);
    await first.close();
    const old = join(first.place.root, 'old');
    mkdirSync(old);
    const copy = (from: string, to: string) => {
      for (const name of ['ledger', 'state']) {
        rmSync(join(to, name), { recursive: true, force: true });
        cpSync(join(from, name), join(to, name), { recursive: true });
      }
    };
    copy(first.place.root, old);
    const second = await open(first);
    await beat(second.ledger).durable;
    await second.close();
    copy(old, first.place.root);
    const store = storeOf(first.double);
    await expect(compareWithStore(store, first.place.folder, parseVkey(first.place.vkey))).rejects.toThrow(Conflict);
  });

  test('so does one whose last frames lie there and no checkpoint over them yet', async () => {
    const of = await open(await fresh());
    await beat(of.ledger).durable;
    const old = join(of.place.root, 'old');
    cpSync(of.place.folder, old, { recursive: true });
    const before = of.double.keys();
    for (let n = 0; n < 2; n++) await beat(of.ledger).durable;
    await sever(of);
    const compare = () => compareWithStore(of.store, old, parseVkey(of.place.vkey));
    await expect(compare()).rejects.toThrow('is not what the ledger here holds');
    // The name that comes next was removed, those behind it still tell.
    of.double.drop(of.double.keys().find((key) => key.includes('/parts/') && !before.includes(key))!);
    await expect(compare()).rejects.toThrow('that are not here');
  });

  test('the prefix of another log is refused', async () => {
    const first = await open(await fresh());
    await fillLedger(first.ledger, 1, 10);
    await first.ledger.checkpointNow();
    await first.close();
    const other = await ledgerPlace();
    ends.push(() => other.remove());
    const second = await open({ place: other, double: first.double });
    expect(second.told[0]).toMatch(/attach .*(another log|rolled back)/);
  });

  test('what was put over a part later, or hidden, changes nothing for who fetches', async () => {
    const of = await open(await fresh());
    await fillLedger(of.ledger, 8, 30);
    await copyAll(of);
    const touched = of.double.keys().filter((key) => /\/(parts|journal|tile)\//.test(key));
    for (const [at, key] of touched.entries())
      if (at % 2 === 0) of.double.put(key, Buffer.from('another history'));
      else
        await fetch(`${of.double.endpoint}/record/${key}`, { method: 'DELETE', headers: forged }).then((r) =>
          expect(r.status).toBe(204),
        );
    const { fetched, report } = await verified(of);
    expect(report).toMatchObject({ ok: true });
    expect(fetched.touched.length).toBeGreaterThan(3);
  });

  test('an older checkpoint put over the newest is not taken for it', async () => {
    const of = await open(await fresh());
    await fillLedger(of.ledger, 1, 10);
    await copyAll(of);
    const old = of.double.stored('gw/ledger/checkpoint').at(-1)!.bytes;
    await fillLedger(of.ledger, 0, 0);
    await beat(of.ledger).durable;
    await copyAll(of);
    of.double.put('gw/ledger/checkpoint', old);
    expect((await verified(of)).report).toMatchObject({ ok: true, size: of.ledger.status().checkpoint!.size });
  });

  test('a part that is missing is named', async () => {
    const of = await open(await fresh());
    await beat(of.ledger).durable;
    await beat(of.ledger).durable;
    await copyAll(of);
    const parts = of.double.keys().filter((key) => key.includes('/parts/'));
    of.double.drop(parts.at(-2)!);
    await expect(verified(of)).rejects.toThrow('lacks what comes before entry');
  });
});

const forged = {
  authorization: 'AWS4-HMAC-SHA256 x',
  'x-amz-content-sha256': 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
};

describe('restoring', () => {
  test('never over a folder that holds something, and not without the key', async () => {
    const of = await open(await fresh());
    await copyAll(of);
    await sever(of);
    await expect(restore(of.store, of.place)).rejects.toThrow('is not empty');
    renameSync(of.place.folder, `${of.place.folder}.old`);
    renameSync(join(of.place.state, 'ledger.key'), join(of.place.root, 'key'));
    await expect(restore(of.store, of.place)).rejects.toThrow('ledger.key is missing');
    expect(existsSync(of.place.folder)).toBe(false);
  });

  test('refused when the writer signed more than the store holds: that would be a roll-back', async () => {
    const of = await open(await fresh());
    await copyAll(of);
    of.double.trouble = () => 'reset';
    await of.ledger.append({ type: 'heartbeat', facts: {} }, 'synced').durable;
    await of.ledger.checkpointNow();
    await sever(of);
    rmSync(of.place.folder, { recursive: true });
    await expect(restore(of.store, of.place)).rejects.toThrow('does not verify');
    expect(existsSync(of.place.folder)).toBe(false);
  });

  test('with a lost lock it is made anew from what verified, and the record says so', async () => {
    const of = await open(await fresh());
    await fillLedger(of.ledger, 1, 10);
    await copyAll(of);
    await sever(of);
    rmSync(of.place.folder, { recursive: true });
    rmSync(join(of.place.state, 'lock.sqlite'));
    expect(await restore(of.store, of.place)).toMatchObject({ lock: 'made' });
    const again = await open(of);
    await beat(again.ledger).durable;
    expect(again.told).toEqual([]);
  });
});

describe('what is looked at', () => {
  const check = (double: ObjectsDouble) => checkStore(storeOf(double), { days: 2 }, 'tried', Date.now);

  test('a bucket that is as demanded', async () => {
    const double = await objectsDouble();
    ends.push(() => double.stop());
    expect(await check(double)).toMatchObject({ conditional: true, settings: { lock: true, versioning: true } });
    double.is.conditional = false;
    double.is.lock = false;
    expect((await checkStore(storeOf(double), undefined, 'again', Date.now)).conditional).toBe(false);
  });

  test.each([
    ['versioning', { versioning: false }, 'versioning is not on'],
    ['lock', { lock: false }, 'Object Lock is not on'],
    ['lockLies', { lockLies: true }, 'does not keep it'],
    ['exists', { exists: false }, 'there is no bucket'],
  ] as const)('what is demanded and not there is a refusal in words: %s', async (_, is, words) => {
    const double = await objectsDouble(is);
    ends.push(() => double.stop());
    await expect(check(double)).rejects.toThrow(words);
  });

  async function probes(of: World) {
    const found = [];
    for await (const { entry } of readJournal(of.place.folder, 0)) if (entry.t === 'storage.probe') found.push(entry.x);
    return found;
  }
  const refused = { bypass: 'refused', delete: 'refused', overwrite: 'refused', shorten: 'refused', weaken: 'refused' };

  test('that nothing can be destroyed is tried at the start and is on the record', async () => {
    const of = await open(await fresh());
    of.objects.record((draft) => void of.ledger.append(draft, 'synced'));
    await until(() => of.objects.state().probe !== undefined);
    await of.ledger.append({ type: 'heartbeat', facts: {} }, 'synced').durable;
    expect(await probes(of)).toEqual([
      { attempts: refused, conditional: true, days: 2, ok: true, settings: expect.stringMatching(/^[0-9a-f]{64}$/) },
    ]);
    expect(of.told).toEqual([]);
    // Tried on an object that exists for it, and nothing else was touched.
    expect(of.double.log.filter((line) => line.startsWith('DELETE'))).toEqual(
      Array.from({ length: 2 }, () => expect.stringMatching(/^DELETE gw\/probe\//)),
    );
  });

  test.each([
    ['delete', (request: Request) => request.method === 'DELETE'],
    ['shorten', (request: Request) => request.query.has('retention')],
  ] as const)('a store that lets something through raises an alarm: %s', async (attempt, through) => {
    const place = await fresh();
    const of = await open(place);
    // The lock gives way once the bucket was checked.
    place.double.is.denies = (request) => !through(request);
    of.objects.record((draft) => void of.ledger.append(draft, 'synced'));
    await until(() => of.objects.state().probe !== undefined);
    expect(of.objects.state().probe).toMatchObject({ ok: false, attempts: { [attempt]: 'done' } });
    expect(of.told).toEqual([expect.stringContaining(`"${attempt}":"done"`)]);
    await of.ledger.append({ type: 'heartbeat', facts: {} }, 'synced').durable;
    expect(await probes(of)).toEqual([expect.objectContaining({ ok: false })]);
  });

  test('an attempt that could not be made is no proof', async () => {
    const of = await open(await fresh());
    of.double.trouble = ({ method }) => (method === 'DELETE' ? { status: 500, code: 'InternalError' } : undefined);
    of.objects.record((draft) => void of.ledger.append(draft, 'synced'));
    await until(() => of.objects.state().probe !== undefined);
    expect(of.objects.state().probe).toMatchObject({
      ok: false,
      attempts: { delete: 'unknown', overwrite: 'refused' },
    });
    // And it is made again at the next look, which is not a day away.
    of.double.trouble = undefined;
    of.objects.record((draft) => void of.ledger.append(draft, 'synced'));
    await until(() => of.objects.state().probe?.ok === true);
  });
});
