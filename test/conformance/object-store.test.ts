// The second place of the record in a real S3 server that checks signatures and keeps locks (test/peers/objects.ts). It makes a second
// version where others refuse `If-None-Match: *`, so this is also the proof that nothing here hangs on conditional writes.
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { openLedger } from '../../src/ledger/ledger.ts';
import { openKeyring } from '../../src/ledger/keyring.ts';
import { readJournal } from '../../src/ledger/read-journal.ts';
import { LevelFault } from '../../src/ledger/replica.ts';
import { verifyLedger } from '../../src/ledger/verify-disk.ts';
import { checkStore } from '../../src/objects/check.ts';
import type { ObjectStore, Version } from '../../src/objects/object-store.ts';
import { type Credentials, openS3 } from '../../src/objects/s3.ts';
import { openRecorder } from '../../src/recordings/recorder.ts';
import { fillLedger, type LedgerPlace, ledgerPlace } from '../peers/ledger.ts';
import { type TestObjects, testObjects } from '../peers/objects.ts';
import { copyAll, kill, openSecondPlace, restore, strangerVerifies } from '../peers/second-place.ts';

let peer: TestObjects;
beforeAll(async () => {
  peer = await testObjects();
  await peer.makeBucket('locked', 'locked');
  await peer.makeBucket('versioned', 'versioned');
  await peer.makeBucket('plain', 'plain');
}, 120_000);
afterAll(async () => {
  await peer?.stop();
}, 60_000);

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

let places = 0;
function storeIn(
  bucket: string,
  of: { credentials?: Credentials; now?: () => number; prefix?: string; fetch?: typeof fetch } = {},
): ObjectStore {
  const { endpoint, region } = peer;
  const credentials = async () => of.credentials ?? peer;
  return openS3({
    endpoint,
    region,
    bucket,
    prefix: of.prefix ?? `gw-${++places}/`,
    credentials,
    now: of.now ?? Date.now,
    fetch: of.fetch ?? fetch,
  });
}

async function fresh(): Promise<LedgerPlace> {
  const place = await ledgerPlace();
  ends.push(() => place.remove());
  return place;
}

test('a bucket is taken only as it is demanded', async () => {
  const lock = { days: 2 };
  const check = (store: ObjectStore) => checkStore(store, lock, 'tried', Date.now);
  expect(await check(storeIn('locked'))).toMatchObject({
    conditional: false,
    settings: { lock: true, versioning: true },
  });
  await expect(check(storeIn('versioned'))).rejects.toThrow('Object Lock is not on');
  await expect(check(storeIn('plain'))).rejects.toThrow('versioning is not on');
  await expect(check(storeIn('nobody'))).rejects.toThrow('there is no bucket nobody');
  expect(await checkStore(storeIn('versioned'), undefined, 'tried', Date.now)).toMatchObject({ conditional: false });
});

test('a wrong signature, a stranger and a wrong clock are told apart', async () => {
  const { accessKeyId } = peer;
  const wrong = { accessKeyId, secretAccessKey: 'wrong' };
  await expect(storeIn('locked', { credentials: wrong }).settings()).rejects.toMatchObject({
    code: 'SignatureDoesNotMatch',
  });
  await expect(storeIn('locked', { credentials: peer.stranger }).settings()).rejects.toMatchObject({
    code: 'AccessDenied',
  });
  const late = storeIn('locked', { now: () => Date.now() - 86_400_000 });
  await expect(late.settings()).rejects.toThrow('the clock of this machine');
});

test('what lies there cannot be destroyed, and the record says that it was tried', async () => {
  const place = await fresh();
  const store = storeIn('locked');
  const of = await openSecondPlace(place, store, 5_000);
  ends.push(of.close);
  of.objects.record((draft) => void of.ledger.append(draft, 'synced'));
  await vi.waitFor(() => expect(of.objects.state().probe).toBeDefined(), { timeout: 10_000 });
  const refused = { bypass: 'refused', delete: 'refused', overwrite: 'refused', shorten: 'refused', weaken: 'refused' };
  expect(of.objects.state().probe).toMatchObject({ ok: true, attempts: refused });
  await fillLedger(of.ledger, 2, 10);
  await copyAll(of);
  const all: Version[] = [];
  for await (const version of store.versions('ledger/')) all.push(version);
  expect(all.length).toBeGreaterThan(5);
  for (const { key, version } of all) {
    const kept = await store.retention(key, version);
    expect([key, kept?.mode]).toEqual([key, 'COMPLIANCE']);
    expect(kept!.until).toBeGreaterThan(Date.now() + 1.9 * 86_400_000);
    await expect(store.deleteVersion(key, version, true)).rejects.toMatchObject({ kind: 'refused' });
  }
  expect(of.told).toEqual([]);
});

test('the disk is lost: everything acknowledged at replicated comes back, with recordings, and the log goes on', async () => {
  const place = await fresh();
  let cut = false;
  const line: typeof fetch = (url, init) => (cut ? Promise.reject(new TypeError('cut')) : fetch(url, init));
  const store = storeIn('locked', { fetch: line });
  const of = await openSecondPlace(place, store, 5_000);
  ends.push(of.close);
  // One recording that is sent in pieces.
  const key = of.ledger.newKey();
  const session = 'abcdef-large';
  of.ledger.append(
    { type: 'session.open', session, facts: { target: 'shop' }, payload: { who: { name: 'x' } } },
    'written',
    key,
  );
  const recorder = openRecorder({ folder: of.recordings, session, key });
  for (let n = 0; n < 72; n++) {
    recorder.write('target', n, randomBytes(250_000));
    if (recorder.full) await recorder.drained();
  }
  const recording = { ...(await recorder.seal()) };
  of.ledger.append({ type: 'session.seal', session, facts: { n: 0, recording } }, 'written');
  await fillLedger(of.ledger, 3, 60);
  await copyAll(of);
  const acknowledged: number[] = [];
  for (let n = 0; n < 30; n++) {
    const { index, durable } = of.ledger.append({ type: 'heartbeat', facts: { n } }, 'replicated');
    await durable;
    acknowledged.push(index);
  }
  await kill(of, place, (on) => {
    cut = on;
  });
  rmSync(place.folder, { recursive: true });
  rmSync(of.recordings, { recursive: true });

  const restored = await restore(store, place);
  expect(restored.entries).toBeGreaterThan(acknowledged.at(-1)!);
  expect(restored.recordings).toBe(1);
  const beats = new Map<number, unknown>();
  const keys = openKeyring(place.state);
  for await (const { index, entry } of readJournal(place.folder, 0, keys)) beats.set(index, entry.x.n);
  keys.close();
  expect(acknowledged.map((index) => beats.get(index))).toEqual(acknowledged.map((_, n) => n));
  const again = await openSecondPlace(place, store, 5_000);
  ends.push(again.close);
  await again.ledger.append({ type: 'heartbeat', facts: {} }, 'replicated').durable;
  await copyAll(again);
  expect(again.told).toEqual([]);
  const { report } = await strangerVerifies(store, place, true);
  expect(report).toMatchObject({ ok: true, recordings: 1 });
  await again.close();
  expect(await verifyLedger(place.folder, place.vkey, { recordings: of.recordings })).toMatchObject({ ok: true });
});

test('the command line verifies a log from the bucket and the public key alone', async () => {
  const place = await fresh();
  const prefix = `cli-${++places}/`;
  const store = storeIn('versioned', { prefix });
  const of = await openSecondPlace(place, storeIn('locked', { prefix }), 5_000);
  ends.push(of.close);
  await fillLedger(of.ledger, 6, 30);
  await copyAll(of);
  const size = of.ledger.status().checkpoint!.size;
  const { endpoint, region, accessKeyId, secretAccessKey } = peer;
  const env = {
    ...process.env,
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
  };
  const run = (...args: string[]) =>
    promisify(execFile)(process.execPath, ['src/bin/countersign.ts', ...args], { env }).catch(
      (error: { code: number; stdout: string; stderr: string }) => error,
    );
  const good = await run('verify', `s3://locked/${prefix}`, '--key', place.vkey, '--json');
  expect(JSON.parse(good.stdout)).toMatchObject({ ok: true, size });
  const out = join(place.root, 'out');
  expect((await run('ledger', 'fetch', `s3://locked/${prefix}`, '--out', out)).stdout).toContain(
    'under the checkpoint',
  );
  expect(await verifyLedger(join(out, 'ledger'), place.vkey)).toMatchObject({ ok: true, size });
  expect(await run('verify', `s3://versioned/${prefix}`, '--key', place.vkey)).toMatchObject({ code: 1 });
  expect(await store.get('ledger/checkpoint')).toBeUndefined();
}, 60_000);

test('two gateways with one log: the second one is refused, although the store takes both', async () => {
  const place = await fresh();
  const store = storeIn('locked');
  const of = await openSecondPlace(place, store, 5_000);
  ends.push(of.close);
  await fillLedger(of.ledger, 1, 10);
  await copyAll(of);
  const twin = { ...place, folder: join(place.root, 'twin', 'ledger'), state: join(place.root, 'twin', 'state') };
  mkdirSync(join(place.root, 'twin'));
  cpSync(place.folder, twin.folder, { recursive: true });
  cpSync(place.state, twin.state, { recursive: true });
  // The twin writes under the next name before we do.
  const second = await openLedger(twin);
  await second.ledger.close();
  const other = await openSecondPlace(twin, store, 5_000);
  ends.push(other.close);
  await other.ledger.append({ type: 'heartbeat', facts: {} }, 'replicated').durable;
  await expect(of.ledger.append({ type: 'heartbeat', facts: {} }, 'replicated').durable).rejects.toBeInstanceOf(
    LevelFault,
  );
  await vi.waitFor(() => expect(of.objects.state().state).toBe('conflict'), { timeout: 10_000 });
  expect(of.told).toEqual([expect.stringContaining('another gateway writes')]);
});

test('a part that somebody writes before us is not taken for ours', async () => {
  const place = await fresh();
  const store = storeIn('locked');
  const of = await openSecondPlace(place, store, 5_000);
  ends.push(of.close);
  const next = String(of.objects.state().copied).padStart(12, '0');
  await of.ledger.append({ type: 'heartbeat', facts: {} }, 'replicated').durable;
  await copyAll(of);
  const copied = String(of.objects.state().copied).padStart(12, '0');
  expect(copied).not.toBe(next);
  await store.put(`ledger/parts/${copied}`, Buffer.from('another history'));
  await expect(of.ledger.append({ type: 'heartbeat', facts: {} }, 'replicated').durable).rejects.toBeInstanceOf(
    LevelFault,
  );
  expect(of.told).toEqual([expect.stringContaining('another gateway writes')]);
});

test('what is written over older parts later changes nothing for who verifies', async () => {
  const place = await fresh();
  const store = storeIn('locked');
  const of = await openSecondPlace(place, store, 5_000);
  ends.push(of.close);
  for (let n = 0; n < 5; n++) await of.ledger.append({ type: 'heartbeat', facts: { n } }, 'replicated').durable;
  await copyAll(of);
  const parts = new Set<string>();
  for await (const { key } of store.versions('ledger/parts/')) parts.add(key);
  expect(parts.size).toBeGreaterThan(4);
  for (const key of parts) await store.put(key, Buffer.from('another history'));
  const { fetched, report } = await strangerVerifies(store, place);
  expect(report).toMatchObject({ ok: true });
  expect([...fetched.touched].sort()).toEqual([...parts].sort());
});

test('a server that dies and comes back is taken up again', async () => {
  const place = await fresh();
  const of = await openSecondPlace(place, storeIn('locked'), 5_000);
  ends.push(of.close);
  await of.ledger.append({ type: 'heartbeat', facts: {} }, 'replicated').durable;
  await peer.away();
  await expect(of.ledger.append({ type: 'heartbeat', facts: {} }, 'replicated').durable).rejects.toBeInstanceOf(
    LevelFault,
  );
  await of.ledger.append({ type: 'heartbeat', facts: {} }, 'synced').durable;
  await peer.back();
  await vi.waitFor(() => expect(of.objects.state().state).toBe('up'), { timeout: 20_000 });
  await of.ledger.append({ type: 'heartbeat', facts: {} }, 'replicated').durable;
  expect(of.told).toEqual([expect.stringContaining('cannot be reached (ECONN'), 'up']);
}, 60_000);
