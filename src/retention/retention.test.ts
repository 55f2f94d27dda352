// Retention over a real ledger and store: which rule, which hold, what is left; and who may never be shredded.
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { type LedgerPlace, ledgerPlace } from '../../test/peers/ledger.ts';
import type { Principal } from '../domain/principal.ts';
import { openKeyring } from '../ledger/keyring.ts';
import { rewrapKeys } from '../ledger/keys-rewrapping.ts';
import { keysIn } from '../ledger/keys-there.ts';
import { type Ledger, openLedger } from '../ledger/ledger.ts';
import { fileKeyProvider } from '../ledger/master-key.ts';
import { readJournal } from '../ledger/read-journal.ts';
import { verifyLedger } from '../ledger/verify-disk.ts';
import { recordingFile } from '../ledger/verify-recordings.ts';
import { openStore, type Store } from '../store/store.ts';
import { startDaily, untilNext } from './daily.ts';
import { openRetention, type Retention, type RetentionSettings } from './retention.ts';
import { isUnder, ruleFor } from './rules.ts';

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

const day = 86_400_000;
const dba = {
  issuer: 'https://id',
  subject: 'dana',
  name: 'Dana',
  kind: 'human',
  groups: ['dba'],
} as unknown as Principal;

interface World {
  readonly place: LedgerPlace;
  readonly ledger: Ledger;
  readonly store: Store;
  readonly retention: Retention;
  readonly recordings: string;
  readonly forgotten: string[];
  pass(days: number): void;
}

async function world(settings: RetentionSettings): Promise<World> {
  let passed = 0;
  const now = () => Date.now() + passed;
  const place = await ledgerPlace({ now });
  closers.push(() => place.remove());
  const { ledger } = await openLedger(place);
  closers.push(() => ledger.close());
  const failed = (message: string) => expect.fail(message);
  const store = openStore({ ledger: place.folder, state: place.state, file: join(place.root, 'store.sqlite'), failed });
  closers.push(() => store.close());
  closers.push(ledger.onAppend(store.advanced));
  const recordings = join(place.root, 'recordings');
  const forgotten: string[] = [];
  const retention = openRetention({
    ...settings,
    ledger,
    state: place.state,
    store,
    now,
    forget: (keys, sessions) => forgotten.push(...keys, ...sessions),
    removeRecording: async (session) => rmSync(join(recordings, recordingFile(session)), { force: true }),
  });
  return { place, ledger, store, retention, recordings, forgotten, pass: (days) => (passed += days * day) };
}

async function session(
  { ledger, recordings }: World,
  id: string,
  more: { target?: string; label?: string; who?: string; ends?: boolean } = {},
) {
  const { target = 'shop', label, who = 'bot', ends = true } = more;
  const key = ledger.newKey();
  const principal = { issuer: 'https://id', subject: who, name: who, kind: 'agent' };
  const open = { type: 'session.open', session: id, facts: { target, database: 'd', protocol: 'postgres' } } as const;
  ledger.append({ ...open, payload: { who: { principal } } }, 'written', key);
  const effects = [{ action: 'sql:read', resource: 'public.t', ...(label ? { labels: [label] } : {}) }];
  const facts = { d: 'permit', k: 'execute', r: [], e: ['sql:read'] };
  ledger.append(
    {
      type: 'statement.decision',
      session: id,
      sequence: 1,
      facts,
      payload: { what: { text: `select ${id}`, effects } },
    },
    'written',
    key,
  );
  const file = join(recordings, recordingFile(id));
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, 'ciphertext');
  if (ends) await ledger.append({ type: 'session.seal', session: id, facts: { n: 1 } }, 'synced', key).durable;
  return key.id;
}

const rules = [
  { id: 'personal', labels: ['pii'], days: 90, recordings: 'keep' as const },
  { id: 'books', targets: ['books'], days: 10, recordings: 'delete' as const },
  { id: 'rest', targets: ['shop'], days: 400, recordings: 'keep' as const },
];

const planned = async ({ retention }: World) =>
  Object.fromEntries((await retention.plan()).due.map(({ rule, sessions }) => [rule.id, sessions.map(({ id }) => id)]));
const there = ({ place }: World, key: string) => keysIn(place.state).has(key);

async function verified(of: World) {
  await of.ledger.checkpointNow();
  const report = await verifyLedger(of.place.folder, of.place.vkey, { keys: () => keysIn(of.place.state) });
  expect(report.failure).toBeUndefined();
  return report;
}

test('the first rule that fits counts, and what none fits is kept', () => {
  const rule = (target: string, ...labels: string[]) => ruleFor(rules, { target, labels })?.id;
  expect(rule('shop', 'pii.email')).toBe('personal');
  expect(rule('books', 'pii')).toBe('personal');
  expect(rule('books', 'piiish')).toBe('books');
  expect(rule('shop')).toBe('rest');
  expect(rule('elsewhere', 'secret')).toBeUndefined();
  expect([isUnder('pii.email', 'pii.*'), isUnder('pii', 'pii.*'), isUnder('pii', 'pii'), isUnder('pi', 'pii')]).toEqual(
    [true, false, true, false],
  );
});

test('what is due is shredded under its rule, and nothing before its day', async () => {
  const of = await world({ rules });
  const keys = {
    personal: await session(of, 'personal', { label: 'pii.email' }),
    books: await session(of, 'books', { target: 'books' }),
    rest: await session(of, 'rest'),
    live: await session(of, 'live', { target: 'books', ends: false }),
    kept: await session(of, 'kept', { target: 'elsewhere' }),
  };
  of.pass(9.9);
  expect(await planned(of)).toEqual({});
  of.pass(0.2);
  expect(await planned(of)).toEqual({ books: ['books'] });
  expect(await of.retention.shred()).toMatchObject({ sessions: 1, keys: 1, rules: [{ rule: 'books', sessions: 1 }] });
  expect(there(of, keys.books)).toBe(false);
  // Its rule deletes the recording; the others keep theirs.
  expect(existsSync(join(of.recordings, recordingFile('books')))).toBe(false);
  of.pass(80);
  expect(await planned(of)).toEqual({ personal: ['personal'] });
  const { entries } = await of.retention.shred(dba);
  expect(existsSync(join(of.recordings, recordingFile('personal')))).toBe(true);
  expect(of.forgotten).toEqual([keys.books, 'books', keys.personal, 'personal']);
  expect(await of.retention.shred()).toMatchObject({ sessions: 0, keys: 0, entries: [] });
  of.pass(400);
  await of.retention.shred();
  expect([keys.live, keys.kept].map((key) => there(of, key))).toEqual([true, true]);
  expect(there(of, keys.rest)).toBe(false);
  const keyring = openKeyring(of.place.state);
  for await (const { index, entry, payload } of readJournal(of.place.folder, 0, keyring)) {
    if (index !== entries[0]) continue;
    expect(entry.x).toMatchObject({
      rule: 'personal',
      keys: [keys.personal],
      sessions: 1,
      by: 'person',
      recordings: 'kept',
    });
    expect(payload).toEqual({ admin: { by: 'https://id|dana', byName: 'Dana' } });
  }
  keyring.close();
  expect((await verified(of)).shredded).toMatchObject({ keys: 3, sessions: 3 });
});

test('held: a session is kept by its own hold, by its principal, its target and its time, until all are released', async () => {
  const of = await world({ rules: [{ id: 'all', days: 1, recordings: 'keep' }] });
  const started = Date.now();
  const key = await session(of, 's1', { who: 'eve' });
  const other = await session(of, 's2', { target: 'books', who: 'bob' });
  of.pass(2);
  const scopes = [
    { session: 's1' },
    { principal: 'https://id|eve' },
    { target: 'shop', from: started - 1, to: started + day },
  ];
  const placed = [];
  for (const scope of scopes) placed.push(await of.retention.hold(scope, 'a dispute', dba));
  const not = await of.retention.hold({ target: 'shop', from: started + day }, 'later', dba);
  expect((await of.retention.plan()).held).toEqual([
    { session: 's1', rule: 'all', holds: expect.arrayContaining(placed.map(({ id }) => id)) },
  ]);
  expect(await of.retention.shred()).toMatchObject({ sessions: 1, held: 1 });
  expect([there(of, key), there(of, other)]).toEqual([true, false]);
  const stored = (await of.store.session('s1'))!;
  expect(await of.retention.of(stored)).toMatchObject({ retention: { rule: 'all' }, holds: expect.any(Array) });
  for (const { id } of placed) {
    expect(await of.retention.shred()).toMatchObject({ sessions: 0 });
    expect(await of.retention.release(id, 'settled', dba)).toBe(true);
    expect(await of.retention.release(id, 'settled', dba)).toBe(false);
  }
  expect(await of.retention.release('nothing', 'x', dba)).toBe(false);
  expect(await of.retention.shred()).toMatchObject({ sessions: 1 });
  expect(there(of, key)).toBe(false);
  expect((await verified(of)).shredded).toEqual({ keys: 2, sessions: 2, holds: 1 });
  expect((await of.retention.holds()).find(({ id }) => id === not.id)).toMatchObject({ reason: 'later', by: 'Dana' });
});

test('a hold that is placed while a shredding waits is heard first or last, never between', async () => {
  const of = await world({ rules: [{ id: 'all', days: 1, recordings: 'keep' }] });
  const keys = await Promise.all(['a', 'b', 'c'].map((id) => session(of, id)));
  of.pass(2);
  const held = of.retention.hold({ target: 'shop' }, 'now', dba);
  const shredded = of.retention.shred();
  await held;
  expect(await shredded).toMatchObject({ sessions: 0, held: 3 });
  expect(keys.every((key) => there(of, key))).toBe(true);
  await verified(of);
});

test('what was recorded outside sessions goes a day at a time, but for acts that others are judged by', async () => {
  const of = await world({ rules: [], gatewayDays: 30 });
  const say = async (type: 'evidence.access' | 'policy.version') =>
    of.ledger.append({ type, facts: {}, payload: { admin: { by: 'someone' } } }, 'synced').durable;
  await say('evidence.access');
  await say('policy.version');
  of.pass(1);
  await say('evidence.access');
  of.pass(29.5);
  expect(await of.retention.shred()).toMatchObject({ sessions: 0, days: 1, keys: 1 });
  of.pass(1.5);
  const hold = await of.retention.hold({ principal: 'https://id|someone' }, 'a dispute', dba);
  expect(await of.retention.plan()).toMatchObject({ process: [], heldDays: 0 });
  // The key of the second day still seals: nothing was said since.
  expect(of.ledger.processKeys()).toHaveLength(2);
  await say('evidence.access');
  expect(await of.retention.plan()).toMatchObject({ process: [], heldDays: 1 });
  await of.retention.release(hold.id, 'settled', dba);
  expect(await of.retention.shred()).toMatchObject({ days: 1 });
  const payloads: unknown[] = [];
  const keyring = openKeyring(of.place.state);
  for await (const { entry, payload } of readJournal(of.place.folder, 0, keyring))
    if (entry.t === 'evidence.access' || entry.t === 'policy.version') payloads.push(payload);
  keyring.close();
  const kept = { admin: { by: 'someone' } };
  expect(payloads).toEqual(['shredded', kept, 'shredded', kept]);
  await verified(of);
});

test('rewrapping moves every key to a new wrapping key, says so, and the old bytes are gone', async () => {
  const of = await world({ rules: [] });
  const keys = await Promise.all(['a', 'b', 'c'].map((id) => session(of, id)));
  const provider = fileKeyProvider(of.place.state);
  const before = provider.label;
  const report = await rewrapKeys({
    ledger: of.ledger,
    state: of.place.state,
    provider,
    fresh: true,
    who: { by: 'x' },
  });
  expect(report).toMatchObject({ to: provider.label, failed: 0 });
  expect(report.keys).toBeGreaterThanOrEqual(3);
  expect(provider.label).not.toBe(before);
  expect(await rewrapKeys({ ledger: of.ledger, state: of.place.state, provider, who: { by: 'x' } })).toMatchObject({
    keys: 0,
  });
  const keyring = openKeyring(of.place.state);
  expect((await keyring.open(keys)).size).toBe(3);
  const found: unknown[] = [];
  for await (const { entry } of readJournal(of.place.folder, 0))
    if (entry.t === 'keys.rewrap') found.push(entry.x.phase);
  keyring.close();
  expect(found).toEqual(['begun', 'done', 'begun', 'done']);
  await of.store.reached(of.ledger.status().entries);
  expect((await of.store.statements('a', 0, 5)).items[0]!.text).toBe('select a');
  await verified(of);
});

test('the daily run comes at its time, whatever became of the one before', async () => {
  expect(untilNext('03:30', 3 * 3_600_000)).toBe(30 * 60_000);
  expect(untilNext('03:30', day + 4 * 3_600_000)).toBe(23.5 * 3_600_000);
  const calls: { call(): void; ms: number }[] = [];
  const told: unknown[] = [];
  const run = startDaily({
    retention: { shred: () => Promise.reject(new Error('busy')) },
    at: '03:30',
    now: () => 3 * 3_600_000,
    timers: { set: (call, ms) => calls.push({ call, ms }), clear: (timer) => told.push(timer) },
    done: () => expect.fail('it failed'),
    failed: (error) => told.push((error as Error).message),
  });
  calls[0]!.call();
  await expect.poll(() => told).toEqual(['busy']);
  expect(calls).toHaveLength(2);
  run.close();
  expect(told).toEqual(['busy', 2]);
});
