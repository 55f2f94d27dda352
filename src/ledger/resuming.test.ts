// A disk that fails and comes back, under a ledger that comes back with it.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { type LedgerPlace, ledgerPlace } from '../../test/peers/ledger.ts';
import { verifies } from '../../test/requirements.ts';
import type { Fault } from '../domain/fault.ts';
import { type Disk, disk } from './disk.ts';
import type { Ledger } from './ledger.ts';
import { readJournal } from './read-journal.ts';
import { openResumingLedger } from './resuming.ts';
import { verifyLedger } from './verify-disk.ts';

let place: LedgerPlace;
afterEach(() => place.remove());

/** A disk that refuses one operation while `broken` names it. */
function fragile() {
  const state = { broken: undefined as keyof Disk | undefined, code: 'ENOSPC' };
  const fails = () => Object.assign(new Error(state.code), { code: state.code });
  const asynchronous = new Set<keyof Disk>(['sync', 'writeAll', 'makeFolder', 'rename', 'syncFolder', 'remove']);
  const wrapped = Object.fromEntries(
    (Object.keys(disk) as (keyof Disk)[]).map((name) => [
      name,
      (...args: unknown[]) => {
        if (state.broken !== name) return (disk[name] as (...all: unknown[]) => unknown)(...args);
        if (asynchronous.has(name)) return Promise.reject(fails());
        throw fails();
      },
    ]),
  );
  return { state, disk: wrapped as unknown as Disk };
}

async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('it did not come to that');
    await new Promise((done) => setTimeout(done, 5));
  }
}

const heartbeat = { type: 'heartbeat', facts: {} } as const;
const open = (session: string) =>
  ({ type: 'session.open', session, facts: {}, payload: { who: { name: 'a' } } }) as const;

for (const [operation, code] of [
  ['write', 'ENOSPC'],
  ['sync', 'EIO'],
  ['rename', 'EROFS'],
] as const) {
  test(
    verifies('ledger.down-stops', `${operation} fails with ${code}: nothing is recorded, and it comes back by itself`),
    async () => {
      place = await ledgerPlace();
      const { state, disk: failing } = fragile();
      const told: string[] = [];
      const ended: string[] = [];
      const { ledger } = await openResumingLedger(
        { ...place, disk: failing },
        {
          retryMs: 10,
          async failed(fault: Fault) {
            told.push(`failed ${fault.code}`);
          },
          stillFailing: (fault: Fault) => void told.push(`still ${fault.code}`),
          async resumed(again: Ledger, orphans) {
            for (const { session, sequence } of orphans) {
              ended.push(session);
              await again.append({ type: 'session.orphaned', session, facts: { n: sequence } }, 'synced').durable;
            }
          },
        },
      );
      const boot = ledger.boot;
      const seen: number[] = [];
      ledger.onAppend((upTo) => seen.push(upTo));
      const key = ledger.newKey();
      await ledger.append(open('cut-off'), 'synced', key).durable;

      state.code = code;
      state.broken = operation;
      const failing1 = ledger.append(heartbeat, 'synced').durable;
      // A checkpoint is placed a moment later than the entry is durable.
      if (operation !== 'rename') await expect(failing1).rejects.toMatchObject({ code: 'ledger.unavailable' });
      await until(() => ledger.status().state === 'stopped');
      expect(() => ledger.append(heartbeat, 'written')).toThrow('cannot record');
      expect(() => ledger.newKey()).toThrow('cannot record');
      await expect(ledger.checkpointNow()).rejects.toThrow('cannot record');
      await until(() => told.length >= 3);
      expect(told.slice(0, 3)).toEqual([
        'failed ledger.unavailable',
        'still ledger.unavailable',
        'still ledger.unavailable',
      ]);
      expect(ledger.status().fault).toContain('cannot record');

      state.broken = undefined;
      await until(() => ledger.status().state === 'healthy');
      expect(ledger.boot).not.toBe(boot);
      expect(ended).toEqual(['cut-off']);
      // What the session of the former life still says comes after its end, and must not be in the log.
      expect(() =>
        ledger.append({ type: 'session.seal', session: 'cut-off', facts: { n: 0 } }, 'written', key),
      ).toThrow('cannot record');
      const before = seen.at(-1)!;
      await ledger.append(open('later'), 'synced', ledger.newKey()).durable;
      await ledger.append({ type: 'session.seal', session: 'later', facts: { n: 0 } }, 'synced').durable;
      expect(seen.at(-1)).toBe(before + 2);
      await ledger.close();
      const report = await verifyLedger(place.folder, place.vkey);
      expect(report.failure).toBeUndefined();
      // Tries that failed have left no boot behind, or one that says how it ended.
      expect(report.sessions).toEqual({ opened: 2, open: 0, sealed: 1, orphaned: 1 });
    },
  );
}

test('after a failed sync the bytes go into a new file: the old one’s pages may be lost though the kernel calls them clean', async () => {
  place = await ledgerPlace();
  const { state, disk: failing } = fragile();
  const idle = { retryMs: 5, failed: async () => {}, stillFailing: () => {}, resumed: async () => {} };
  const { ledger } = await openResumingLedger({ ...place, disk: failing }, idle);
  await ledger.append(heartbeat, 'synced').durable;
  const entries: number[] = [];
  for await (const { index } of readJournal(place.folder, 0)) entries.push(index);
  const segment = join(place.folder, 'journal', '000000000001');
  const inode = statSync(segment).ino;
  state.broken = 'sync';
  await expect(ledger.append(heartbeat, 'synced').durable).rejects.toThrow('cannot record');
  state.broken = undefined;
  await until(() => ledger.status().state === 'healthy');
  expect(statSync(segment).ino).not.toBe(inode);
  await ledger.close();
  expect((await verifyLedger(place.folder, place.vkey)).failure).toBeUndefined();
});

test('closing while it is down ends the tries, and leaves a log that the next start takes up', async () => {
  place = await ledgerPlace();
  const { state, disk: failing } = fragile();
  const still: Fault[] = [];
  const { ledger } = await openResumingLedger(
    { ...place, disk: failing },
    { retryMs: 5, failed: async () => {}, stillFailing: (fault) => void still.push(fault), resumed: async () => {} },
  );
  state.broken = 'write';
  await expect(ledger.append(heartbeat, 'synced').durable).rejects.toThrow('cannot record');
  await until(() => still.length > 0);
  await ledger.close();
  const tries = still.length;
  await new Promise((done) => setTimeout(done, 100));
  expect(still.length).toBe(tries);
  const none = { failed: async () => {}, stillFailing: () => {}, resumed: async () => {} };
  const next = await openResumingLedger(place, none);
  await next.ledger.close();
  expect((await verifyLedger(place.folder, place.vkey)).failure).toBeUndefined();
});
