// A disk that takes too long, and one that fills: when it is said, and when it is over.
import { afterEach, expect, test } from 'vitest';
import { type LedgerPlace, ledgerPlace } from '../../test/peers/ledger.ts';
import { type Disk, disk } from './disk.ts';
import { openLedger } from './ledger.ts';
import { openReserve, type RoomStatus } from './reserve.ts';
import { watchDisk, type WatchedDisk } from './slow-disk.ts';

let place: LedgerPlace | undefined;
let watched: WatchedDisk | undefined;
afterEach(() => {
  watched?.close();
  place?.remove();
});

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('it did not come to that');
    await new Promise((done) => setTimeout(done, 5));
  }
}

test('an operation that takes longer than it may is told while it lasts; what waits for it is recorded all the same', async () => {
  place = await ledgerPlace();
  const gate = Promise.withResolvers<void>();
  let held = false;
  const stuck: Disk = {
    ...disk,
    async sync(fd) {
      if (held) await gate.promise;
      await disk.sync(fd);
    },
  };
  const told: (string | undefined)[] = [];
  let clock = 0;
  watched = watchDisk(stuck, { slowMs: 400, now: () => clock, told: (slow) => void told.push(slow?.message) });
  const { ledger } = await openLedger({ ...place, disk: watched.disk });
  expect(watched.slow()).toBeUndefined();
  held = true;
  const waiting = ledger.append({ type: 'heartbeat', facts: {} }, 'synced');
  clock = 399;
  await new Promise((done) => setTimeout(done, 250));
  expect(watched.slow()).toBeUndefined();
  clock = 1_000;
  await until(() => watched!.slow() !== undefined);
  expect(watched.slow()).toMatchObject({ code: 'ledger.unavailable', refusedAt: 'written' });
  expect(watched.slow()!.message).toContain('disk of the gateway is slow');
  // The kernel still takes what must be said.
  await ledger.append({ type: 'heartbeat', facts: {} }, 'written').durable;
  gate.resolve();
  await waiting.durable;
  await until(() => watched!.slow() === undefined);
  expect(told).toEqual([expect.stringContaining('slow'), undefined]);
  await ledger.close();
});

test('below the reserve no session begins, on any of the disks, and above it they do again', async () => {
  const free: Record<string, number> = { ledger: 5_000, recordings: 900 };
  const told: RoomStatus[] = [];
  const reserve = await openReserve({
    folders: Object.keys(free),
    bytes: 1_000,
    everyMs: 5,
    free: async (folder) => free[folder]!,
    told: (status) => void told.push(status),
  });
  expect(reserve.status()).toEqual({ free: 900, reserve: 1_000, low: true });
  expect(reserve.fault()).toMatchObject({
    code: 'ledger.unavailable',
    message: expect.stringContaining('almost full'),
  });
  free.recordings = 1_000;
  await until(() => reserve.fault() === undefined);
  expect(told.map(({ low }) => low)).toEqual([true, false]);
  reserve.close();
});

test('a disk that does not say how full it is is not called full; a real one says it', async () => {
  const unknown = await openReserve({
    folders: ['x'],
    bytes: 1,
    free: () => Promise.reject(new Error('ENOSYS')),
    told: () => {},
  });
  expect(unknown.status()).toEqual({ reserve: 1, low: false });
  unknown.close();
  place = await ledgerPlace();
  const real = await openReserve({ folders: [place.folder, place.state], bytes: 1, told: () => {} });
  expect(real.status().free).toBeGreaterThan(1);
  expect(real.fault()).toBeUndefined();
  real.close();
});
