// The ledger as a whole: append, restart, refuse, fail. Crashes of the process: test/crash/ledger.test.ts.
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { fillLedger, type LedgerPlace, ledgerPlace } from '../../test/peers/ledger.ts';
import { type Disk, disk } from './disk.ts';
import { openKeyring } from './keyring.ts';
import { createLedger, type LedgerOptions, openLedger } from './ledger.ts';
import { openJournalTail, readJournal } from './read-journal.ts';
import { LevelFault, type Replica } from './replica.ts';
import { verifyLedger } from './verify-disk.ts';

const places: LedgerPlace[] = [];
afterEach(() => {
  for (const place of places.splice(0)) place.remove();
});

async function fresh(options: Partial<LedgerOptions> = {}): Promise<LedgerPlace> {
  const place = await ledgerPlace(options);
  places.push(place);
  return place;
}

async function verified(place: LedgerPlace) {
  const report = await verifyLedger(place.folder, place.vkey);
  expect(report.failure).toBeUndefined();
  return report;
}

test('what was appended is read back, verified, and continued by the next boot', async () => {
  const place = await fresh();
  const first = await openLedger(place);
  expect(first.orphans).toEqual([]);
  await fillLedger(first.ledger, 3, 60);
  await first.ledger.close();
  const report = await verified(place);
  expect(report).toMatchObject({ notYetUnderCheckpoint: 0, boots: 1, sessions: { open: 0, sealed: 3, orphaned: 0 } });
  const second = await openLedger(place);
  await fillLedger(second.ledger, 2, 80);
  await second.ledger.close();
  const again = await verified(place);
  expect(again.boots).toBe(2);
  expect(again.size).toBeGreaterThan(600);
  const keyring = openKeyring(place.state);
  let next = 0;
  for await (const { index, entry, payload } of readJournal(place.folder, 0, keyring)) {
    expect(index).toBe(next++);
    if (entry.t === 'statement.decision') expect(payload).toEqual({ what: { text: `select ${entry.sq}` } });
    if (entry.t === 'statement.outcome') expect(payload).toBeUndefined();
  }
  keyring.close();
  expect(next).toBe(again.size);
});

test('indices are dense and known at once; appends of one turn share one promise and one write', async () => {
  let writes = 0;
  const counting: Disk = { ...disk, write: (...args) => (writes++, disk.write(...args)) };
  const place = await fresh({ periodMs: 60_000 });
  const { ledger } = await openLedger({ ...place, disk: counting });
  writes = 0;
  const group = [1, 2, 3].map(() => ledger.append({ type: 'heartbeat', facts: {} }, 'written'));
  expect(group.map(({ index }) => index - group[0]!.index)).toEqual([0, 1, 2]);
  expect(new Set(group.map(({ durable }) => durable)).size).toBe(1);
  await group[0]!.durable;
  expect(writes).toBe(1);
  expect(ledger.status().entries).toBe(group[2]!.index + 1);
  await ledger.close();
});

test('written resolves after the write, synced after a sync that began after the write', async () => {
  const events: string[] = [];
  const watching: Disk = {
    ...disk,
    write: (...args) => (events.push('write'), disk.write(...args)),
    sync: async (fd) => (events.push('sync'), await disk.sync(fd), void events.push('synced')),
  };
  const place = await fresh({ periodMs: 60_000 });
  const { ledger } = await openLedger({ ...place, disk: watching });
  events.length = 0;
  await ledger.append({ type: 'heartbeat', facts: {} }, 'written').durable;
  expect(events).toEqual(['write']);
  const one = ledger.append({ type: 'heartbeat', facts: {} }, 'synced').durable.then(() => events.push('one'));
  await new Promise((resolve) => setImmediate(resolve));
  const two = ledger.append({ type: 'heartbeat', facts: {} }, 'synced').durable.then(() => events.push('two'));
  await Promise.all([one, two]);
  const at = (name: string) => events.lastIndexOf(name);
  expect(at('one')).toBeGreaterThan(events.indexOf('synced'));
  expect(at('two')).toBeGreaterThan(at('synced'));
  expect(at('sync')).toBeGreaterThan(at('write'));
  await ledger.close();
});

test('a checkpoint covers only what is on the device', async () => {
  const place = await fresh();
  let hold: Promise<void> | undefined;
  const slow: Disk = { ...disk, sync: async (fd) => (await hold, await disk.sync(fd)) };
  const { ledger } = await openLedger({ ...place, disk: slow, periodMs: 3_600_000 });
  const go = Promise.withResolvers<void>();
  hold = go.promise;
  ledger.append({ type: 'heartbeat', facts: { n: 1 } }, 'written');
  const signing = ledger.checkpointNow();
  // Its sync has begun when the next entry is written.
  await new Promise((turn) => setImmediate(turn));
  await ledger.append({ type: 'heartbeat', facts: { n: 2 } }, 'written').durable;
  const after = ledger.status().entries;
  go.resolve();
  await signing;
  expect(ledger.status().checkpoint?.size).toBe(after - 1);
  hold = undefined;
  await ledger.close();
});

test('replicated waits for the sync of the group, then for the copy of all of it', async () => {
  const place = await fresh();
  const asked: number[] = [];
  let copying: Promise<void> | undefined;
  let down = false;
  const replica: Replica = {
    fault: () => (down ? new LevelFault() : undefined),
    copied: async (upTo) => {
      asked.push(upTo);
      if (down) throw new LevelFault();
      await copying;
    },
  };
  const { ledger } = await openLedger({ ...place, replica, periodMs: 3_600_000 });
  const go = Promise.withResolvers<void>();
  copying = go.promise;
  asked.length = 0;
  const first = ledger.append({ type: 'heartbeat', facts: {} }, 'replicated');
  const second = ledger.append({ type: 'heartbeat', facts: {} }, 'replicated');
  expect(second.durable).toBe(first.durable);
  let done = false;
  const waiting = second.durable.then(() => (done = true));
  await ledger.append({ type: 'heartbeat', facts: {} }, 'synced').durable;
  expect(done).toBe(false);
  expect(asked).toEqual([second.index + 1]);
  // A checkpoint over it waits as well: what was signed can be restored.
  const signing = ledger.checkpointNow();
  await new Promise((turn) => setTimeout(turn, 50));
  expect(ledger.status().checkpoint?.size).toBeLessThanOrEqual(first.index);
  go.resolve();
  await signing;
  expect(ledger.status().checkpoint?.size).toBeGreaterThan(second.index);
  await waiting;
  down = true;
  const before = ledger.status().entries;
  expect(() => ledger.append({ type: 'heartbeat', facts: {} }, 'replicated')).toThrow(LevelFault);
  await ledger.append({ type: 'heartbeat', facts: {} }, 'written').durable;
  expect(ledger.status().entries).toBe(before + 1);
  // Nobody waits for what is away.
  await ledger.checkpointNow();
  expect(ledger.status().checkpoint?.size).toBe(before + 1);
  await ledger.close();
  // Without a second place the level is refused, never taken for a lesser one.
  const { ledger: alone } = await openLedger(place);
  expect(() => alone.append({ type: 'heartbeat', facts: {} }, 'replicated')).toThrow(LevelFault);
  await alone.close();
});

test('what is too long is refused and leaves no trace; large payloads are kept', async () => {
  const place = await fresh();
  const { ledger } = await openLedger(place);
  const before = ledger.append({ type: 'heartbeat', facts: {} }, 'written').index;
  expect(() => ledger.append({ type: 'heartbeat', facts: { a: 'x'.repeat(8192) } }, 'written')).toThrow('8192');
  expect(() => ledger.append({ type: 'heartbeat', facts: { a: 'ä'.repeat(4100) } }, 'written')).toThrow('8192');
  const huge = { what: { text: 'x'.repeat(16 * 1024 * 1024) } };
  expect(() => ledger.append({ type: 'heartbeat', facts: {}, payload: huge }, 'written')).toThrow('too long');
  expect(() => ledger.append({ type: 'heartbeat', session: '../x', facts: {} }, 'written')).toThrow('session id');
  const text = 'é'.repeat(6 * 1024 * 1024);
  for (const n of [1, 2]) {
    const { index, durable } = ledger.append({ type: 'heartbeat', facts: {}, payload: { what: { text } } }, 'written');
    expect(index).toBe(before + n);
    await durable;
  }
  await ledger.close();
  const keyring = openKeyring(place.state);
  for await (const { payload } of readJournal(place.folder, before + 2, keyring)) {
    expect(payload).toEqual({ what: { text } });
    break;
  }
  keyring.close();
  await verified(place);
});

test('time never runs backwards, even when the clock does', async () => {
  let now = 1_800_000_000_000;
  const place = await fresh({ now: () => now });
  const { ledger } = await openLedger(place);
  now -= 5000;
  await ledger.append({ type: 'heartbeat', facts: {} }, 'written').durable;
  await ledger.close();
  now -= 5000;
  await (await openLedger(place)).ledger.close();
  expect((await verified(place)).to).toBe(1_800_000_000_000);
});

test('heartbeats count the open sessions, and carry the facts they are given', async () => {
  const place = await fresh({ heartbeatMs: 5, heartbeat: () => ({ depth: 3 }) });
  const { ledger } = await openLedger(place);
  await new Promise<void>((resolve) => {
    const off = ledger.onAppend(() => (off(), resolve()));
  });
  await ledger.close();
  const beats = [];
  for await (const { entry } of readJournal(place.folder, 0)) if (entry.t === 'heartbeat') beats.push(entry.x);
  expect(beats[0]).toEqual({ depth: 3, open: 0 });
});

test('a reader that follows sees every entry once while the writer goes on', async () => {
  const place = await fresh();
  const { ledger } = await openLedger(place);
  const tail = openJournalTail(place.folder);
  let next = 0;
  const follow = async () => {
    for await (const { index } of tail.read(next)) expect(index).toBe(next++);
  };
  const filling = fillLedger(ledger, 4, 100);
  let done = false;
  void filling.then(() => (done = true));
  while (!done) {
    await follow();
    await new Promise((resolve) => setImmediate(resolve));
  }
  await ledger.close();
  await follow();
  expect(next).toBe((await verified(place)).entries);
});

test('creating is explicit, and never replaces a log', async () => {
  const place = await fresh();
  await expect(createLedger({ ...place, origin: 'again' })).rejects.toThrow('already a ledger');
  await expect(openLedger({ ...place, folder: join(place.root, 'elsewhere') })).rejects.toThrow('is gone');
  expect(statSync(join(place.state, 'ledger.key')).mode & 0o077).toBe(0);
  expect(statSync(join(place.state, 'master.key')).mode & 0o077).toBe(0);
});

test('sessions without an end are returned as orphans, with their last sequence number', async () => {
  const place = await fresh();
  const { ledger } = await openLedger(place);
  const key = ledger.newKey();
  ledger.append({ type: 'session.open', session: 's-1', facts: {}, payload: { who: {} } }, 'written', key);
  ledger.append({ type: 'statement.decision', session: 's-1', sequence: 1, facts: { d: 'permit' } }, 'written', key);
  ledger.append({ type: 'statement.decision', session: 's-1', sequence: 2, facts: { d: 'permit' } }, 'written', key);
  await ledger.close();
  expect((await verified(place)).sessions.open).toBe(1);
  const next = await openLedger(place);
  expect(next.orphans).toEqual([{ session: 's-1', sequence: 2, key: key.id }]);
  next.ledger.append({ type: 'session.orphaned', session: 's-1', facts: { n: 2 } }, 'written');
  await next.ledger.close();
  expect((await verified(place)).sessions).toEqual({ opened: 1, open: 0, sealed: 0, orphaned: 1 });
  const last = await openLedger(place);
  expect(last.orphans).toEqual([]);
  await last.ledger.close();
});

describe('one writer, and no way back', () => {
  test('a second writer is refused and told who holds the lock', async () => {
    const place = await fresh();
    const { ledger } = await openLedger(place);
    await expect(openLedger(place)).rejects.toThrow(`process ${process.pid}`);
    await ledger.close();
    await (await openLedger(place)).ledger.close();
  });

  test('an older copy of the folder is refused', async () => {
    const place = await fresh();
    const one = await openLedger(place);
    await fillLedger(one.ledger, 1, 20);
    await one.ledger.close();
    cpSync(place.folder, join(place.root, 'old'), { recursive: true });
    const two = await openLedger(place);
    await fillLedger(two.ledger, 1, 20);
    await two.ledger.close();
    cpSync(place.folder, join(place.root, 'new'), { recursive: true });
    rmSync(place.folder, { recursive: true });
    cpSync(join(place.root, 'old'), place.folder, { recursive: true });
    await expect(openLedger(place)).rejects.toThrow('rolled back');
    rmSync(place.folder, { recursive: true });
    cpSync(join(place.root, 'new'), place.folder, { recursive: true });
    await (await openLedger(place)).ledger.close();
    await verified(place);
  });

  test('an older copy of the state is refused', async () => {
    const place = await fresh();
    cpSync(place.state, join(place.root, 'old'), { recursive: true });
    const { ledger } = await openLedger(place);
    await ledger.close();
    rmSync(place.state, { recursive: true });
    cpSync(join(place.root, 'old'), place.state, { recursive: true });
    await expect(openLedger(place)).rejects.toThrow('not the last one signed');
  });

  test('a lost lock is refused, not made anew', async () => {
    const place = await fresh();
    rmSync(join(place.state, 'lock.sqlite'));
    await expect(openLedger(place)).rejects.toThrow('lock.sqlite is missing');
  });

  test('a journal changed under its tiles is refused, and the tiles are left as evidence', async () => {
    const place = await fresh({ segmentEntries: 10_000 });
    const { ledger } = await openLedger(place);
    await fillLedger(ledger, 3, 100);
    await ledger.close();
    const name = readdirSync(join(place.folder, 'journal')).at(-1)!;
    const path = join(place.folder, 'journal', name);
    const bytes = readFileSync(path);
    bytes[bytes.length >> 1]! ^= 1;
    writeFileSync(path, bytes);
    const tiles = readFileSync(join(place.folder, 'tile/0/000'));
    await expect(openLedger(place)).rejects.toThrow(/damaged: journal.*not as it was written/);
    expect(readFileSync(join(place.folder, 'tile/0/000'))).toEqual(tiles);
  });
});

describe('recovery', () => {
  test('a torn last frame is cut off and said so; zeros after a power loss likewise', async () => {
    for (const rest of ['CSF1', Buffer.alloc(100)]) {
      const place = await fresh();
      const { ledger } = await openLedger(place);
      await fillLedger(ledger, 1, 5);
      await ledger.close();
      const name = readdirSync(join(place.folder, 'journal')).at(-1)!;
      appendFileSync(join(place.folder, 'journal', name), rest);
      const report = await verifyLedger(place.folder, place.vkey);
      expect(report.failure?.meaning).toContain('Starting the gateway recovers');
      const next = await openLedger(place);
      await next.ledger.close();
      await verified(place);
      let torn: unknown;
      for await (const { entry } of readJournal(place.folder, 0)) {
        if (entry.t === 'gateway.start') torn = (entry.x.previous as Record<string, unknown>).torn;
      }
      expect(torn).toBe(rest.length);
    }
  });

  test('anything else at the end is a refusal that names it', async () => {
    const place = await fresh();
    await (await openLedger(place)).ledger.close();
    const name = readdirSync(join(place.folder, 'journal')).at(-1)!;
    appendFileSync(join(place.folder, 'journal', name), Buffer.alloc(100, 'x'));
    await expect(openLedger(place)).rejects.toThrow(`journal/${name}`);
  });

  test('lost tiles and a lost checkpoint are built again from the journal', async () => {
    const place = await fresh();
    const { ledger } = await openLedger(place);
    await fillLedger(ledger, 4, 100);
    await ledger.close();
    const tile = readFileSync(join(place.folder, 'tile/0/000'));
    rmSync(join(place.folder, 'tile'), { recursive: true });
    await (await openLedger(place)).ledger.close();
    await verified(place);
    expect(readFileSync(join(place.folder, 'tile/0/000'))).toEqual(tile);
    rmSync(join(place.folder, 'tile/entries'), { recursive: true });
    rmSync(join(place.folder, 'checkpoint'));
    await (await openLedger(place)).ledger.close();
    await verified(place);
  });

  test('a segment that got no frame is started again', async () => {
    const place = await fresh();
    const { ledger } = await openLedger(place);
    const { entries } = ledger.status();
    await ledger.close();
    const next = String(entries + 1).padStart(12, '0');
    writeFileSync(join(place.folder, 'journal', next), 'CSJ');
    await (await openLedger(place)).ledger.close();
    await verified(place);
  });
});

describe('failing disks', () => {
  // Each operation fails once in both ways: nothing was kept, and everything was kept but the failure was reported.
  const operations = [
    'write',
    'sync',
    'syncNow',
    'open',
    'writeAll',
    'makeFolder',
    'rename',
    'remove',
    'syncFolder',
  ] as const;
  for (const operation of operations) {
    for (const kept of [false, true]) {
      test(`${operation} fails, ${kept ? 'though it was done' : 'and nothing was done'}: stop, and recover at the next start`, async () => {
        const place = await fresh({ segmentEntries: 40 });
        let armed = false;
        const failing: Disk = {
          ...disk,
          [operation]: (...args: unknown[]) => {
            const run = () => (disk[operation] as (...args: unknown[]) => unknown)(...args);
            if (!armed) return run();
            armed = false;
            const error = new Error('EIO');
            const result = kept ? run() : undefined;
            const asynchronous = !['write', 'open', 'syncNow'].includes(operation);
            if (!asynchronous) throw error;
            return Promise.resolve(result).then(() => Promise.reject(error));
          },
        };
        const { ledger } = await openLedger({ ...place, disk: failing, periodMs: 1 });
        const acknowledged: number[] = [];
        let fault: unknown;
        armed = true;
        for (let i = 0; i < 2000 && !fault; i++) {
          try {
            const { index, durable } = ledger.append({ type: 'heartbeat', facts: { i } }, 'synced');
            await durable;
            acknowledged.push(index);
          } catch (cause) {
            fault = cause;
          }
        }
        expect(fault).toMatchObject({ code: 'ledger.unavailable' });
        expect(ledger.status().state).toBe('stopped');
        expect(() => ledger.append({ type: 'heartbeat', facts: {} }, 'written')).toThrow('cannot record');
        await expect(ledger.checkpointNow()).rejects.toMatchObject({ code: 'ledger.unavailable' });
        await ledger.close();
        const next = await openLedger(place);
        await next.ledger.close();
        const report = await verified(place);
        expect(report.size).toBeGreaterThan(acknowledged.at(-1) ?? 0);
        const seen = new Set<number>();
        for await (const { index, entry } of readJournal(place.folder, 0)) if (entry.t === 'heartbeat') seen.add(index);
        for (const index of acknowledged) expect(seen.has(index)).toBe(true);
      });
    }
  }

  test('a short write stops the ledger', async () => {
    const place = await fresh();
    let short = false;
    const failing: Disk = { ...disk, write: (fd, b, o, n) => disk.write(fd, b, o, short ? n - 7 : n) };
    const { ledger } = await openLedger({ ...place, disk: failing });
    short = true;
    await expect(ledger.append({ type: 'heartbeat', facts: {} }, 'written').durable).rejects.toThrow('cannot record');
    await ledger.close();
    await (await openLedger(place)).ledger.close();
    await verified(place);
  });
});

test('the state folder lies beside the ledger: nothing secret is in what an auditor gets', async () => {
  const place = await fresh();
  const { ledger } = await openLedger(place);
  await fillLedger(ledger, 1, 3);
  await ledger.close();
  mkdirSync(join(place.root, 'copy'));
  cpSync(place.folder, join(place.root, 'copy'), { recursive: true });
  rmSync(place.folder, { recursive: true });
  rmSync(place.state, { recursive: true });
  expect((await verifyLedger(join(place.root, 'copy'), place.vkey)).ok).toBe(true);
  for (const name of readdirSync(join(place.root, 'copy'), { recursive: true, encoding: 'utf8' })) {
    const path = join(place.root, 'copy', name);
    if (!statSync(path).isFile()) continue;
    expect(readFileSync(path).includes('select 1'), name).toBe(false);
    expect(readFileSync(path).includes('gent'), name).toBe(false);
  }
  expect(existsSync(place.state)).toBe(false);
  truncateSync(join(place.root, 'copy', 'checkpoint'), 3);
  expect((await verifyLedger(join(place.root, 'copy'), place.vkey)).failure?.file).toBe('checkpoint');
});
