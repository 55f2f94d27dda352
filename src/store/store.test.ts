// The store over a real ledger: what was appended is found, a deleted or spoilt file is rebuilt equal.
import { copyFileSync, existsSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, expect, test } from 'vitest';
import { type LedgerPlace, ledgerPlace } from '../../test/peers/ledger.ts';
import { verifies } from '../../test/requirements.ts';
import type { Json } from '../domain/entry.ts';
import { destroyKeys } from '../ledger/keys-destruction.ts';
import { type Ledger, openLedger } from '../ledger/ledger.ts';
import type { SessionKey } from '../ledger/session-key.ts';
import type { StoreChanges } from './follower.ts';
import { readBundles } from '../ledger/read-bundles.ts';
import { readJournal } from '../ledger/read-journal.ts';
import { openRecount } from '../ledger/recount.ts';
import { storePopulation } from './population.ts';
import { openProjector } from './projector.ts';
import { erased } from './erased.ts';
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

function open({ place, file, ledger }: World, told: Partial<Parameters<typeof openStore>[0]> = {}): Store {
  const failed = (message: string) => expect.fail(message);
  const store = openStore({ ledger: place.folder, state: place.state, file, failed, ...told });
  closers.push(() => store.close());
  closers.push(ledger.onAppend(store.advanced));
  return store;
}

async function followed(world: World, store: Store): Promise<Store> {
  await store.reached(world.ledger.status().entries);
  return store;
}

const principal = (name: string) => ({
  issuer: 'https://issuer.test',
  subject: name,
  name,
  kind: 'agent',
  groups: ['ci'],
  owner: 'dana@x.test',
});

function openSession(ledger: Ledger, id: string, name = 'reporter', target = 'shop'): SessionKey {
  const key = ledger.newKey();
  const who = { principal: principal(name), claimed: { user: 'root', application: 'psql' } };
  ledger.append(
    { type: 'session.open', session: id, facts: { target, database: 'shop', protocol: 'postgres' }, payload: { who } },
    'written',
    key,
  );
  return key;
}

function decide(
  ledger: Ledger,
  key: SessionKey,
  session: string,
  sequence: number,
  text: string,
  d = 'permit',
  more: { [key: string]: Json } = {},
): void {
  const what = {
    text,
    effects: [{ action: 'sql:read', resource: 'public.orders' }],
    ...(d === 'deny' ? { reason: 'no', advice: 'stop' } : {}),
  };
  ledger.append(
    {
      type: 'statement.decision',
      session,
      sequence,
      facts: { d, k: 'execute', r: ['base'], e: ['sql:read'], ...more },
      payload: { what },
    },
    'written',
    key,
  );
}

function settle(ledger: Ledger, session: string, sequence: number, cells = 0): Promise<void> {
  const masked = cells > 0 ? [{ label: 'pii.email', method: 'partial', cells }] : [];
  return ledger.append(
    {
      type: 'statement.outcome',
      session,
      sequence,
      facts: { status: 'done', tag: 'SELECT 3', rows: 3, bytes: 90, masked },
    },
    'written',
  ).durable;
}

test('what shadow policies would have decided stands beside the statement', async () => {
  const of = await world();
  const store = open(of);
  const key = openSession(of.ledger, 's1');
  decide(of.ledger, key, 's1', 1, 'select 1', 'permit', { s: { d: 'deny', r: ['later'] } });
  decide(of.ledger, key, 's1', 2, 'select 2');
  await settle(of.ledger, 's1', 2);
  await followed(of, store);
  const { items } = await store.statements('s1', 0, 10);
  expect(items.map(({ ruling, shadow }) => ({ ruling, shadow }))).toEqual([
    { ruling: 'permit', shadow: { ruling: 'deny', rules: ['later'] } },
    { ruling: 'permit', shadow: undefined },
  ]);
});

async function fill(ledger: Ledger): Promise<void> {
  const key = openSession(ledger, 's1');
  decide(ledger, key, 's1', 1, '', 'permit', { k: 'connect' });
  decide(ledger, key, 's1', 2, 'select id, email from customers');
  await settle(ledger, 's1', 2, 3);
  decide(ledger, key, 's1', 3, 'drop table customers', 'deny');
  decide(ledger, key, 's1', 4, 'delete from orders where id = 7', 'hold', { approval: 'a1' });
  const request = {
    created: '2026-01-02T03:04:05.000Z',
    requester: { principal: 'https://issuer.test|reporter', name: 'reporter' },
    target: { name: 'shop', database: 'shop' },
    action: { text: 'delete from orders where id = 7', effects: [{ action: 'sql:delete', resource: 'public.orders' }] },
    policy: { rules: ['hold-deletes'], advice: 'wait' },
  };
  const facts = { id: 'a1', digest: 'd1', session: 's1', of: 4, group: 'dba', quorum: 1, expires: 1_800_000_000_000 };
  ledger.append({ type: 'approval.request', facts, payload: { approval: { request, digest: 'd1' } } }, 'synced', key);
  const vote = { voter: 'https://issuer.test|dana', voterName: 'Dana', reason: 'fine' };
  ledger.append(
    { type: 'approval.vote', facts: { id: 'a1', answer: 'grant' }, payload: { approval: vote } },
    'synced',
    key,
  );
  ledger.append({ type: 'approval.resolution', facts: { id: 'a1', state: 'granted' } }, 'synced', key);
  ledger.append(
    { type: 'statement.decision', session: 's1', sequence: 4, facts: { d: 'permit', k: 'execute', approval: 'a1' } },
    'written',
    key,
  );
  await settle(ledger, 's1', 4);
  const other = openSession(ledger, 's2', 'migrator', 'billing');
  decide(ledger, other, 's2', 1, 'select customer_email from customer_directory');
  const seal = { n: 4, cause: 'the client left', recording: { chunks: 1, bytes: 512, root: 'x' } };
  await ledger.append({ type: 'session.seal', session: 's1', facts: seal }, 'written').durable;
}

test('what was appended is found, with counters, decisions, outcomes and votes', async () => {
  const of = await world();
  const store = open(of);
  await fill(of.ledger);
  await followed(of, store);
  const { items } = await store.sessions({ limit: 10 });
  expect(items.map((item) => item.id).sort()).toEqual(['s1', 's2']);
  const one = await store.session('s1');
  expect(one).toMatchObject({
    statements: 4,
    held: 1,
    denied: 1,
    maskedCells: 3,
    cause: 'the client left',
    recordedBytes: 512,
    protocol: 'postgres',
    owner: 'dana@x.test',
    claimed: { user: 'root', application: 'psql' },
  });
  expect(one!.sealEntry).toBeGreaterThan(one!.openEntry);
  const { items: statements } = await store.statements('s1', 0, 10);
  expect(statements.map((row) => [row.sequence, row.ruling, row.text])).toEqual([
    [1, 'permit', ''],
    [2, 'permit', 'select id, email from customers'],
    [3, 'deny', 'drop table customers'],
    [4, 'hold', 'delete from orders where id = 7'],
  ]);
  expect(statements[1]!.outcome).toMatchObject({
    status: 'done',
    rows: 3,
    tag: 'SELECT 3',
    masked: [{ label: 'pii.email', cells: 3 }],
  });
  expect(statements[2]).toMatchObject({ reason: 'no', advice: 'stop' });
  expect(statements[3]).toMatchObject({ approval: 'a1', outcome: { status: 'done' } });
  const approval = await store.approval('a1');
  expect(approval).toMatchObject({
    state: 'granted',
    group: 'dba',
    sequence: 4,
    created: Date.parse('2026-01-02T03:04:05.000Z'),
    votes: [{ voterName: 'Dana', answer: 'grant', reason: 'fine' }],
  });
  expect(await store.counters(Date.now() - 3_600_000)).toEqual({ live: 1, statements: 5, denials: 1, maskedCells: 3 });
  expect(statSync(of.file).mode & 0o777).toBe(0o600);
});

test('filters and pages', async () => {
  const of = await world();
  const store = open(of);
  await fill(of.ledger);
  for (let n = 0; n < 25; n++)
    openSession(of.ledger, `p${String(n).padStart(2, '0')}`, n % 2 ? 'odd' : 'even', `t${n % 3}`);
  await of.ledger.checkpointNow();
  await followed(of, store);
  const ids = async (filter: object) => (await store.sessions({ limit: 100, ...filter })).items.map((item) => item.id);
  expect(await ids({ state: 'ended' })).toEqual(['s1']);
  expect((await ids({ state: 'live' })).length).toBe(26);
  expect((await ids({ target: 't0' })).length).toBe(9);
  expect((await ids({ only: 'https://issuer.test|odd' })).length).toBe(12);
  expect((await ids({ principal: 'eve' })).length).toBe(13);
  expect(await ids({ principal: '%' })).toEqual([]);
  expect(await ids({ ruling: 'deny' })).toEqual(['s1']);
  expect(await ids({ ruling: 'hold' })).toEqual(['s1']);
  expect((await ids({ ruling: 'permit' })).sort()).toEqual(['s1', 's2']);
  expect(await ids({ text: 'DROP cust' })).toEqual(['s1']);
  expect(await ids({ text: 'customer_em' })).toEqual(['s2']);
  expect(await ids({ text: 'drop" OR "select' })).toEqual([]);
  expect(await ids({ text: '***' })).toEqual([]);
  const seen: string[] = [];
  for (let before: string | undefined, more = true; more; ) {
    const { parseCursor } = await import('./cursor.ts');
    const page = await store.sessions({ limit: 4, before: before === undefined ? undefined : parseCursor(before) });
    expect(page.items.length).toBeLessThanOrEqual(4);
    seen.push(...page.items.map((item) => item.id));
    before = page.next;
    more = before !== undefined;
  }
  expect(seen).toEqual(await ids({}));
  const first = await store.statements('s1', 0, 3);
  expect([first.items.length, first.next]).toEqual([3, '3']);
  expect((await store.statements('s1', 3, 3)).items.map((row) => row.sequence)).toEqual([4]);
  expect((await store.approvals({ resolved: true, limit: 5, visible: { principal: 'x', groups: [] } })).items).toEqual(
    [],
  );
  expect(
    (await store.approvals({ resolved: true, limit: 5, visible: { principal: 'x', groups: ['dba'] } })).items.length,
  ).toBe(1);
  expect(
    (
      await store.approvals({
        resolved: true,
        limit: 5,
        visible: { principal: 'https://issuer.test|reporter', groups: [] },
      })
    ).items.length,
  ).toBe(1);
});

/** Every row of every table. */
function dump(file: string): unknown {
  const db = new DatabaseSync(file, { readOnly: true });
  const tables = ['sessions', 'statements', 'texts', 'approvals', 'votes', 'minutes', 'progress'];
  const rows = Object.fromEntries(
    tables.map((table) => [table, db.prepare(`SELECT * FROM ${table} ORDER BY 1, 2`).all()]),
  );
  db.close();
  return JSON.parse(JSON.stringify(rows));
}

test('a deleted, spoilt or foreign store is rebuilt with equal rows; a restart goes on where it was', async () => {
  const of = await world();
  await fill(of.ledger);
  await (await followed(of, open(of))).close();
  const before = dump(of.file);
  const again = async () => {
    await (await followed(of, open(of))).close();
    expect(dump(of.file)).toEqual(before);
  };
  await again();
  rmSync(of.file);
  await again();
  writeFileSync(of.file, 'this is no database, and long enough to be looked at'.repeat(100));
  await again();
  const foreign = await world();
  await fill(foreign.ledger);
  for (let n = 0; n < 40; n++) openSession(foreign.ledger, `f${n}`);
  await foreign.ledger.checkpointNow();
  await (await followed(foreign, open(foreign))).close();
  copyFileSync(foreign.file, of.file);
  expect(dump(of.file)).not.toEqual(before);
  await again();
});

test('a period counted again from leaf headers, journal or bundles, is what the rows come to', async () => {
  const of = await world();
  const from = Date.now();
  await fill(of.ledger);
  const store = await followed(of, open(of));
  await of.ledger.checkpointNow();
  const entries = of.ledger.status().entries;
  for (const [first, last] of [
    [0, Number.MAX_SAFE_INTEGER],
    [from, Date.now() + 1],
    [0, from],
  ] as const) {
    const counts = await Promise.all(
      [readJournal(of.place.folder, 0), readBundles(of.place.folder)].map(async (items) => {
        const recount = openRecount(first, last);
        for await (const { entry, index } of items) if (index < entries) recount.entry(entry, index);
        return recount.end();
      }),
    );
    expect(counts[0]).toEqual(counts[1]);
    expect(storePopulation(of.file, first, last)).toEqual({ next: entries, population: counts[0]!.population });
    if (first === 0 && last > from) {
      expect(counts[0]!.entries).toBe(entries);
      expect(counts[0]!.population).toMatchObject({
        sessionsOpened: 2,
        sessionsEnded: 1,
        held: 1,
        denied: 1,
        votes: 1,
      });
    }
  }
  await store.close();
});

test('following in small batches, with restarts between, gives the same rows', async () => {
  const of = await world();
  await fill(of.ledger);
  await (await followed(of, open(of))).close();
  const before = dump(of.file);
  rmSync(of.file);
  const options = { ledger: of.place.folder, state: of.place.state, file: of.file, batch: 3 };
  for (let stops = 0; ; stops++) {
    const projector = await openProjector(options);
    let batches = 0;
    const stopped = await projector
      .follow(() => {
        if (++batches === 2) throw new Error('stop here');
      })
      .then(
        () => false,
        () => true,
      );
    projector.close();
    if (!stopped) break;
    expect(stops).toBeLessThan(20);
  }
  expect(dump(of.file)).toEqual(before);
});

test('a page of long statements ends before its limit, and the next one goes on', async () => {
  const of = await world();
  const key = openSession(of.ledger, 's1');
  for (let n = 1; n <= 12; n++) {
    decide(of.ledger, key, 's1', n, `select ${n}, '${'x'.repeat(999_990)}'`);
    await settle(of.ledger, 's1', n);
  }
  const store = await followed(of, open(of));
  const seen: number[] = [];
  let pages = 0;
  for (let after: number | undefined = 0; after !== undefined; pages++) {
    const { items, next }: Awaited<ReturnType<Store['statements']>> = await store.statements('s1', after, 100);
    seen.push(...items.map((row) => row.sequence));
    after = next === undefined ? undefined : Number(next);
  }
  expect([pages, seen]).toEqual([3, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]]);
});

test('live events name what changed', async () => {
  const of = await world();
  const told: StoreChanges[] = [];
  const store = open(of);
  store.onChange((changes) => told.push(changes));
  await followed(of, store);
  told.length = 0;
  await fill(of.ledger);
  await followed(of, store);
  expect(new Set(told.flatMap((changes) => changes.sessions))).toEqual(new Set(['s1', 's2']));
  expect(
    Math.max(
      ...told.flatMap((changes) =>
        changes.statements.filter(([session]) => session === 's1').map(([, latest]) => latest),
      ),
    ),
  ).toBe(4);
  expect(told.flatMap((changes) => changes.approvals)).toContain('a1');
  expect(told.at(-1)!.next).toBe(of.ledger.status().entries);
});

test('an orphaned session ends, and its open request is withdrawn', async () => {
  const of = await world();
  const key = openSession(of.ledger, 's1');
  decide(of.ledger, key, 's1', 1, 'delete from orders', 'hold', { approval: 'a9' });
  of.ledger.append(
    {
      type: 'approval.request',
      facts: { id: 'a9', session: 's1', of: 1, group: 'dba', quorum: 1, expires: 1 },
      payload: { approval: {} },
    },
    'synced',
    key,
  );
  of.ledger.append(
    { type: 'session.orphaned', session: 's1', facts: { n: 1, cause: 'the gateway ended before the session did' } },
    'synced',
  );
  const store = await followed(of, open(of));
  expect(await store.session('s1')).toMatchObject({ cause: 'the gateway ended before the session did' });
  expect((await store.session('s1'))!.closed).toBeGreaterThan(0);
  expect(await store.approval('a9')).toMatchObject({ state: 'withdrawn' });
});

test('a destroyed key leaves rows without content when the store is rebuilt', async () => {
  const of = await world();
  const key = openSession(of.ledger, 's1', 'secret-name');
  decide(of.ledger, key, 's1', 1, 'select 1 as secret_text');
  await settle(of.ledger, 's1', 1);
  await (await followed(of, open(of))).close();
  destroyKeys(of.place.state, [key.id]);
  rmSync(of.file);
  const store = await followed(of, open(of));
  const row = (await store.statements('s1', 0, 5)).items[0]!;
  expect(row).toMatchObject({ text: erased, ruling: 'permit', effects: [{ action: 'sql:read' }] });
  await store.close();
  expect(JSON.stringify(dump(of.file))).not.toContain('secret');
});

test(verifies('bounded', 'reads of the store are turned away beyond a limit, and after the end'), async () => {
  const of = await world();
  await fill(of.ledger);
  const store = await followed(of, open(of));
  const many = await Promise.allSettled(Array.from({ length: 80 }, () => store.session('s1')));
  expect(many.filter((one) => one.status === 'fulfilled').length).toBe(64);
  await store.close();
  await expect(store.session('s1')).rejects.toThrow('Try again');
  expect(existsSync(of.file)).toBe(true);
});
