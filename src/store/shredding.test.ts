// What a shredding takes out of the store: every text that came from a sealed payload, from every table, the index and the files;
// the same rows that a store which is made anew has.
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, expect, test } from 'vitest';
import { type LedgerPlace, ledgerPlace } from '../../test/peers/ledger.ts';
import { type Ledger, openLedger } from '../ledger/ledger.ts';
import type { SessionKey } from '../ledger/session-key.ts';
import { shredKeys } from '../ledger/shred.ts';
import { openStore, type Store } from './store.ts';

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

interface World {
  readonly place: LedgerPlace;
  readonly file: string;
  readonly ledger: Ledger;
}

async function world(): Promise<World> {
  const place = await ledgerPlace();
  closers.push(() => place.remove());
  const { ledger } = await openLedger(place);
  closers.push(() => ledger.close());
  return { place, ledger, file: join(place.root, 'store.sqlite') };
}

async function open({ place, file, ledger }: World): Promise<Store> {
  const failed = (message: string) => expect.fail(message);
  const store = openStore({ ledger: place.folder, state: place.state, file, failed });
  closers.push(() => store.close());
  closers.push(ledger.onAppend(store.advanced));
  await store.reached(ledger.status().entries);
  return store;
}

const common = 'select now()';

/** A whole session whose every text holds a word of its own: statement, parameter, reason, names, request, vote. */
async function session(ledger: Ledger, id: string, word: string): Promise<SessionKey> {
  const key = ledger.newKey();
  const who = {
    principal: {
      issuer: 'https://issuer.test',
      subject: `${word}-subject`,
      name: `${word}-name`,
      groups: [`${word}-group`],
      owner: `${word}-owner`,
      kind: 'service',
    },
    claimed: { user: `${word}-user`, application: `${word}-application` },
  };
  const put = (draft: Parameters<Ledger['append']>[0]) => void ledger.append({ session: id, ...draft }, 'written', key);
  put({
    type: 'session.open',
    facts: { target: 'shop', database: 'shop', protocol: 'postgres', kind: 'service' },
    payload: { who },
  });
  const effects = [
    { action: 'sql:read', resource: `public.${word}_table.email`, labels: ['pii.email'] },
    { action: 'sql:read', resource: `public.${word}_other` },
    { action: 'sql:match', resource: `public.${word}_table.email` },
  ];
  const decide = (sequence: number, d: string, what: object, more: object = {}) =>
    put({
      type: 'statement.decision',
      sequence,
      facts: { d, k: 'execute', r: ['base'], e: ['sql:read', 'sql:match'], ...more },
      payload: { what: { effects, ...what } },
    });
  const settle = (sequence: number) =>
    put({
      type: 'statement.outcome',
      sequence,
      facts: { status: 'done', rows: 1, bytes: 1, masked: [{ cells: 2, label: 'pci.pan', method: 'full' }] },
    });
  decide(1, 'permit', { text: common });
  settle(1);
  decide(2, 'permit', { text: `select ${word}_text from ${word}_table`, parameters: [`${word}-parameter`] });
  settle(2);
  decide(3, 'deny', { text: `drop table ${word}_dropped`, reason: `${word}-reason`, advice: `${word}-advice` });
  decide(
    4,
    'permit',
    { text: common, shadow: { reason: `${word}-shadow`, masks: [1] } },
    { s: { d: 'deny', r: ['later'] } },
  );
  decide(5, 'permit', { text: `select '${word}_long${'x'.repeat(5_000)}'` });
  decide(6, 'hold', { text: `delete from ${word}_held`, hold: { group: 'dba', quorum: 1 } }, { approval: `a-${id}` });
  const facts = { id: `a-${id}`, digest: 'd', session: id, of: 6, group: 'dba', quorum: 1, expires: 1_800_000_000_000 };
  const request = {
    created: '2026-01-02T03:04:05.000Z',
    requester: { principal: `https://issuer.test|${word}-subject`, name: `${word}-name` },
    target: { name: 'shop', database: 'shop' },
    action: { text: `delete from ${word}_held`, parameters: [`${word}-bound`], effects },
    policy: { rules: [`${word}-rule`], advice: `${word}-advised` },
  };
  const about = (draft: Parameters<Ledger['append']>[0]) => void ledger.append(draft, 'written', key);
  about({ type: 'approval.request', facts, payload: { approval: { request, digest: 'd' } } });
  const vote = { voter: `https://issuer.test|${word}-voter`, voterName: `${word}-voter`, reason: `${word}-because` };
  about({ type: 'approval.vote', facts: { id: `a-${id}`, digest: 'd', answer: 'grant' }, payload: { approval: vote } });
  about({ type: 'approval.resolution', facts: { id: `a-${id}`, digest: 'd', state: 'granted' } });
  await ledger.append({ type: 'session.seal', session: id, facts: { n: 6, cause: 'closed' } }, 'synced').durable;
  return key;
}

const shredding = (keys: readonly SessionKey[]) => ({
  rule: 'short',
  keys: keys.map(({ id }) => id),
  sessions: keys.length,
  from: 1,
  to: 2,
  recordings: 'kept' as const,
  by: 'schedule' as const,
});

/** Every row, with the texts that ids stand for: ids depend on what else was there. */
function dump(file: string): unknown {
  const db = new DatabaseSync(file, { readOnly: true });
  const tables = ['sessions', 'approvals', 'votes', 'minutes', 'session_labels', 'process_keys', 'holds'];
  const rows = Object.fromEntries(
    tables.map((table) => [table, db.prepare(`SELECT * FROM ${table} ORDER BY 1, 2`).all()]),
  );
  const statements = db
    .prepare('SELECT s.*, t.text AS content FROM statements s JOIN texts t ON t.id = s.text ORDER BY session, sequence')
    .all()
    .map((row) => ({ ...row, text: undefined }));
  const texts = db.prepare('SELECT text FROM texts ORDER BY text').all();
  db.close();
  return JSON.parse(JSON.stringify({ ...rows, statements, texts }));
}

const bytes = (file: string) =>
  Buffer.concat(
    readdirSync(join(file, '..'))
      .filter((name) => name.startsWith('store.sqlite'))
      .map((name) => readFileSync(join(file, '..', name))),
  ).toString('latin1');

test('every text of a shredded session leaves the rows, the index and the files; the others stay', async () => {
  const of = await world();
  const gone = [await session(of.ledger, 'gone1', 'zebra'), await session(of.ledger, 'gone2', 'zebra')];
  await session(of.ledger, 'stays', 'walrus');
  const store = await open(of);
  expect((await store.sessions({ text: 'zebra_text', limit: 10 })).items).toHaveLength(2);
  expect(bytes(of.file).includes('zebra')).toBe(true);
  const entry = await shredKeys(of.ledger, of.place.state, shredding(gone));
  await store.reached(of.ledger.status().entries);
  expect((await store.sessions({ text: 'zebra_text', limit: 10 })).items).toEqual([]);
  expect((await store.sessions({ text: 'walrus_text', limit: 10 })).items).toHaveLength(1);
  // The same text of two sessions is one row: it stays for the one that is left.
  expect((await store.sessions({ text: 'now', limit: 10 })).items.map(({ id }) => id)).toEqual(['stays']);
  expect(JSON.stringify(dump(of.file))).not.toContain('zebra');
  expect(JSON.stringify(dump(of.file))).toContain('walrus-because');
  await expect.poll(() => bytes(of.file).includes('zebra')).toBe(false);
  expect(bytes(of.file).includes('walrus')).toBe(true);
  expect(await store.session('gone1')).toMatchObject({
    principalName: '(erased)',
    principalKind: 'service',
    target: 'shop',
    statements: 6,
    shredded: { rule: 'short', entry },
  });
  expect((await store.session('stays'))!.shredded).toBeUndefined();
});

test('a store that is made anew after the shredding has the same rows, in whatever batches', async () => {
  const of = await world();
  const first = await session(of.ledger, 'gone1', 'zebra');
  await session(of.ledger, 'stays', 'walrus');
  const store = await open(of);
  await shredKeys(of.ledger, of.place.state, shredding([first]));
  await store.reached(of.ledger.status().entries);
  await store.close();
  const before = dump(of.file);
  for (const batch of [undefined, 1, 3]) {
    rmSync(of.file);
    const again = openStore({
      ledger: of.place.folder,
      state: of.place.state,
      file: of.file,
      batch,
      failed: expect.fail,
    });
    await again.reached(of.ledger.status().entries);
    await again.close();
    expect(dump(of.file)).toEqual(before);
  }
});

test('a statement and its shredding in one batch leave nothing', async () => {
  const of = await world();
  const key = await session(of.ledger, 'gone1', 'zebra');
  // As it is read by a follower that was behind: the key is still there when the entries are read.
  const { durable } = of.ledger.append(
    { type: 'retention.shred', facts: { ...shredding([key]), keys: [key.id] } },
    'synced',
  );
  await durable;
  await (await open(of)).close();
  expect(JSON.stringify(dump(of.file))).not.toContain('zebra');
  expect(bytes(of.file).includes('zebra')).toBe(false);
});

test('labels of a session are those it named and those it was shown, until it is shredded', async () => {
  const of = await world();
  const key = await session(of.ledger, 's1', 'zebra');
  const store = await open(of);
  const due = async () =>
    (await store.expiring({ closedBefore: Date.now() + 1, limit: 10 })).map(({ id, labels }) => ({ id, labels }));
  expect(await due()).toEqual([{ id: 's1', labels: ['pci.pan', 'pii.email'] }]);
  await shredKeys(of.ledger, of.place.state, shredding([key]));
  await store.reached(of.ledger.status().entries);
  expect(await due()).toEqual([]);
});
