// Keys die after an entry that says so, and never otherwise: what the ledger does, what a start finishes, what a verifier finds.
import { cpSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, test } from 'vitest';
import { type LedgerPlace, ledgerPlace } from '../../test/peers/ledger.ts';
import type { Draft } from '../domain/entry.ts';
import { openKeyring } from './keyring.ts';
import { keysIn } from './keys-there.ts';
import { type Ledger, openLedger } from './ledger.ts';
import { readJournal } from './read-journal.ts';
import type { SessionKey } from './session-key.ts';
import { shredKeys } from './shred.ts';
import type { VerifyReport } from './verify.ts';
import { verifyLedger } from './verify-disk.ts';

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

async function opened(more: object = {}): Promise<{ place: LedgerPlace; ledger: Ledger }> {
  const place = await ledgerPlace();
  closers.push(() => place.remove());
  const { ledger } = await openLedger({ ...place, ...more });
  closers.push(() => ledger.close());
  return { place, ledger };
}

async function session(ledger: Ledger, id: string, target = 'shop', ends = true): Promise<SessionKey> {
  const key = ledger.newKey();
  ledger.append(
    { type: 'session.open', session: id, facts: { target }, payload: { who: { name: 'Ada' } } },
    'written',
    key,
  );
  if (ends) await ledger.append({ type: 'session.seal', session: id, facts: { n: 0 } }, 'synced', key).durable;
  return key;
}

const facts = { rule: 'short', sessions: 1, from: 1, to: 2, recordings: 'kept', by: 'schedule' } as const;
const shred = ({ place, ledger }: { place: LedgerPlace; ledger: Ledger }, ...keys: SessionKey[]) =>
  shredKeys(ledger, place.state, { ...facts, keys: keys.map(({ id }) => id), sessions: keys.length });

const verify = async ({ place, ledger }: { place: LedgerPlace; ledger: Ledger }): Promise<VerifyReport> => {
  await ledger.checkpointNow();
  return verifyLedger(place.folder, place.vkey, { keys: () => keysIn(place.state) });
};

test('the entry stands before the key is gone, and every proof stays', async () => {
  const of = await opened();
  const [one, two] = [await session(of.ledger, 'one'), await session(of.ledger, 'two')];
  await shred(of, one);
  const report = await verify(of);
  expect(report.failure).toBeUndefined();
  expect(report).toMatchObject({ ok: true, keysCompared: true, shredded: { keys: 1, sessions: 1, holds: 0 } });
  const keyring = openKeyring(of.place.state);
  const found: unknown[] = [];
  for await (const { entry, payload } of readJournal(of.place.folder, 0, keyring))
    if (entry.k === one.id || entry.k === two.id) found.push(payload);
  keyring.close();
  expect(found).toEqual(['shredded', { who: { name: 'Ada' } }]);
});

test('what cannot be recorded destroys nothing', async () => {
  const of = await opened();
  const key = await session(of.ledger, 'one');
  await of.ledger.close();
  await expect(shred(of, key)).rejects.toThrow();
  expect(keysIn(of.place.state).has(key.id)).toBe(true);
});

test('a key lives until its entry is durable, and goes on living when it cannot be', async () => {
  const of = await opened();
  const key = await session(of.ledger, 'one');
  const disk = Promise.withResolvers<void>();
  const slow = { append: () => ({ index: 7, durable: disk.promise }) };
  const shredding = shredKeys(slow, of.place.state, { ...facts, keys: [key.id] });
  shredding.catch(() => undefined);
  await new Promise((done) => setImmediate(done));
  expect(keysIn(of.place.state).has(key.id)).toBe(true);
  disk.reject(new Error('EIO'));
  await expect(shredding).rejects.toThrow('EIO');
  expect(keysIn(of.place.state).has(key.id)).toBe(true);
});

test('a key that is gone without an entry is named, and so is one that came back', async () => {
  const of = await opened();
  const [one, two] = [await session(of.ledger, 'one'), await session(of.ledger, 'two')];
  const copy = join(of.place.root, 'old-state');
  cpSync(of.place.state, copy, { recursive: true });
  await shred(of, one);
  const db = new DatabaseSync(join(of.place.state, 'keys.sqlite'));
  db.prepare('DELETE FROM keys WHERE id = ?').run(two.id);
  db.close();
  expect((await verify(of)).failure).toMatchObject({
    file: 'keys.sqlite',
    kind: 'destroyed',
    what: `the key ${two.id} of session two is gone, and no entry says that it was destroyed`,
  });
  expect((await verifyLedger(of.place.folder, of.place.vkey)).ok).toBe(true);
  const old = await verifyLedger(of.place.folder, of.place.vkey, { keys: () => keysIn(copy) });
  expect(old.failure?.what).toMatch(/the key .* of session one was destroyed by entry \d+ and is there/);
});

test('a start finishes what was recorded and not done', async () => {
  const of = await opened();
  const key = await session(of.ledger, 'one');
  await of.ledger.append({ type: 'retention.shred', facts: { ...facts, keys: [key.id] } }, 'synced').durable;
  await of.ledger.close();
  expect(keysIn(of.place.state).has(key.id)).toBe(true);
  const { ledger } = await openLedger(of.place);
  closers.push(() => ledger.close());
  expect(keysIn(of.place.state).has(key.id)).toBe(false);
  expect((await verify({ ...of, ledger })).failure).toBeUndefined();
});

test('what is said outside sessions has a key a day, and acts that others are judged by have their own', async () => {
  const day = 86_400_000;
  let now = (Math.ceil(Date.now() / day) + 5) * day;
  const of = await opened({ now: () => now });
  const keys: (string | undefined)[] = [];
  const put = async (draft: Draft) => {
    const { index, durable } = of.ledger.append({ ...draft, payload: { admin: { by: 'x' } } }, 'written');
    await durable;
    for await (const item of readJournal(of.place.folder, index)) {
      keys.push(item.entry.k);
      break;
    }
  };
  await put({ type: 'evidence.access', facts: {} });
  await put({ type: 'session.kill', facts: {} });
  await put({ type: 'policy.version', facts: {} });
  now += day;
  await put({ type: 'evidence.access', facts: {} });
  await put({ type: 'retention.hold', facts: { id: 'h' } });
  const [first, second, lasting, third, held] = keys;
  expect(first).toBe(second);
  expect(lasting).toBe(held);
  expect(new Set([first, lasting, third]).size).toBe(3);
  expect([...of.ledger.processKeys()].sort()).toEqual([lasting, third].sort());
});

describe('what no honest gateway writes', () => {
  const cases: Record<string, { write(of: { place: LedgerPlace; ledger: Ledger }): Promise<unknown>; what: string }> = {
    'an open session': {
      write: async (of) => shred(of, await session(of.ledger, 'one', 'shop', false)),
      what: 'was shredded while it was open',
    },
    'a key twice': {
      async write(of) {
        const key = await session(of.ledger, 'one');
        await shred(of, key);
        await shred(of, key);
      },
      what: 'was shredded before',
    },
    'a key that sealed nothing': { write: (of) => shred(of, of.ledger.newKey()), what: 'sealed nothing before' },
    'a key that seals on': {
      async write(of) {
        const key = await session(of.ledger, 'one');
        await shred(of, key);
        of.ledger.append({ type: 'approval.vote', facts: {}, payload: { approval: { id: 'a' } } }, 'written', key);
      },
      what: 'says was destroyed',
    },
    'a held session': {
      async write(of) {
        const key = await session(of.ledger, 'one');
        of.ledger.append({ type: 'retention.hold', facts: { id: 'h1', session: 'one' } }, 'synced');
        await shred(of, key);
      },
      what: 'in spite of the hold h1',
    },
    'a session of a held target': {
      async write(of) {
        const key = await session(of.ledger, 'one', 'books');
        of.ledger.append({ type: 'retention.hold', facts: { id: 'h1', target: 'books', from: 0 } }, 'synced');
        await shred(of, key);
      },
      what: 'in spite of the hold h1',
    },
    'a release of nothing': {
      write: (of) => of.ledger.append({ type: 'retention.release', facts: { id: 'h9' } }, 'synced').durable,
      what: 'not in force',
    },
  };
  for (const [name, { write, what }] of Object.entries(cases)) {
    test(name, async () => {
      const of = await opened();
      await write(of);
      expect((await verify(of)).failure?.what).toContain(what);
    });
  }

  test('holds that do not fit, and those that were released, keep nothing', async () => {
    const of = await opened();
    const key = await session(of.ledger, 'one', 'shop');
    const hold = (id: string, more: object) =>
      of.ledger.append({ type: 'retention.hold', facts: { id, ...more } }, 'synced');
    hold('other', { session: 'two' });
    hold('target', { target: 'books' });
    hold('later', { from: Date.now() + 60_000 });
    hold('gone', { session: 'one' });
    of.ledger.append({ type: 'retention.release', facts: { id: 'gone' } }, 'synced');
    await shred(of, key);
    expect(await verify(of)).toMatchObject({ ok: true, shredded: { keys: 1, sessions: 1, holds: 3 } });
  });
});

test('a recording that an entry says was deleted may be gone; any other may not', async () => {
  const of = await opened();
  const recording = { chunks: 1, bytes: 10, root: 'ab' };
  const recordings = join(of.place.root, 'recordings');
  mkdirSync(recordings);
  const put = async (id: string) => {
    const key = of.ledger.newKey();
    of.ledger.append({ type: 'session.open', session: id, facts: {}, payload: { who: { name: 'x' } } }, 'written', key);
    await of.ledger.append({ type: 'session.orphaned', session: id, facts: { n: 0, recording } }, 'synced').durable;
    return key;
  };
  const key = await put('one');
  const check = async () => {
    await of.ledger.checkpointNow();
    return verifyLedger(of.place.folder, of.place.vkey, { recordings });
  };
  expect((await check()).failure?.what).toContain('the recording is missing');
  await shredKeys(of.ledger, of.place.state, { ...facts, keys: [key.id], recordings: 'deleted' });
  expect((await check()).failure).toBeUndefined();
  await shred(of, await put('two'));
  expect((await check()).failure?.what).toContain('the recording is missing');
});
