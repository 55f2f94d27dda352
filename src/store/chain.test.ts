// The store over logs that continue each other: the sessions of all of them are found, each with its log, and their content opens.
import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { fillLedger, type LedgerPlace, ledgerPlace } from '../../test/peers/ledger.ts';
import { openKeyring } from '../ledger/keyring.ts';
import { openLedger } from '../ledger/ledger.ts';
import { rotateLedger } from '../ledger/rotation.ts';
import { openPolicy } from '../policy/policy.ts';
import { loadPolicies } from '../policy/policy-set.ts';
import { backtestLedger } from './backtest.ts';
import { openProjector } from './projector.ts';
import { openStore } from './store.ts';

const folders = (place: LedgerPlace) => [place.folder, `${place.folder}-2`, `${place.folder}-3`];

async function chain(): Promise<LedgerPlace> {
  const place = await ledgerPlace();
  const signing = [place.state, join(place.state, 'log-2'), join(place.state, 'log-3')];
  for (const [at, folder] of folders(place).entries()) {
    if (at > 0) {
      await rotateLedger({
        ...place,
        folder: folders(place)[at - 1]!,
        signing: signing[at - 1]!,
        origin: `example.test/log/${at + 1}`,
        reason: 'routine',
        next: { folder, signing: signing[at]! },
        recordEnds: async () => undefined,
      });
    }
    const { ledger } = await openLedger({ ...place, folder, signing: signing[at]! });
    await fillLedger(ledger, at + 1, 6);
    await ledger.close();
  }
  return place;
}

const rows = (file: string) => {
  const db = new DatabaseSync(file, { readOnly: true });
  const all = ['sessions', 'statements', 'texts', 'minutes', 'progress'].map((table) =>
    db.prepare(`SELECT * FROM ${table} ORDER BY 1, 2`).all(),
  );
  db.close();
  return JSON.parse(JSON.stringify(all)) as unknown;
};

test('sessions of every log are found; a store made anew, or stopped anywhere, has the same rows', async () => {
  const place = await chain();
  const [first, second, third] = folders(place) as [string, string, string];
  const file = join(place.root, 'store.sqlite');
  const options = { ledger: third, earlier: [first, second], state: place.state, file };

  // The store as it was before the rotations goes on over them.
  const before = await openProjector({ ledger: first, state: place.state, file });
  await before.follow(() => undefined);
  before.close();
  const after = await openProjector(options);
  const told: number[] = [];
  await after.follow((_, next) => told.push(next));
  // What is told counts entries of the log that is written: of the others there is nothing to wait for.
  expect(told[0]).toBe(0);
  expect(after.next()).toBe(told.at(-1));
  after.close();
  const grown = rows(file);

  rmSync(file);
  for (let stops = 0; stops < 60; stops++) {
    const projector = await openProjector({ ...options, batch: 2 });
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
  }
  expect(rows(file)).toEqual(grown);

  const store = openStore({ ...options, failed: (message) => expect.fail(message) });
  const { items } = await store.sessions({ limit: 50 });
  expect(items).toHaveLength(6);
  const details = await Promise.all(items.map(({ id }) => store.session(id)));
  const logs = details.map((one) => one!.log);
  for (const [name, count] of [
    ['example.test/log', 1],
    ['example.test/log/2', 2],
    ['example.test/log/3', 3],
  ] as const)
    expect(logs.filter((log) => log === name)).toHaveLength(count);
  for (const { id } of items) {
    const { items: statements } = await store.statements(id, 0, 20);
    expect(statements.map(({ text }) => text)).toEqual([1, 2, 3, 4, 5, 6].map((n) => `select ${n}`));
  }
  await store.close();

  // Rows that were followed further than these logs go are of another chain.
  const shorter = join(place.root, 'shorter.sqlite');
  copyFileSync(file, shorter);
  const projector = await openProjector({ ledger: first, state: place.state, file: shorter });
  await projector.follow(() => undefined);
  projector.close();
  expect((rows(shorter) as unknown[][])[0]).toHaveLength(1);
  place.remove();
});

test('a backtest reads the logs before too', async () => {
  const place = await chain();
  const [first, second, third] = folders(place) as [string, string, string];
  const keys = openKeyring(place.state);
  const policy = loadPolicies([{ name: 'a.cedar', text: '@id("p") permit (principal, action, resource);' }], {
    ttlSeconds: 60,
  });
  const draft = openPolicy(policy, { methodFor: () => undefined as never });
  const read = (earlier?: readonly string[]) =>
    backtestLedger({ ledger: third, earlier, keys, draft, sessionMs: 1_000, since: 0 }).then(({ entries }) => entries);
  const [one, all] = [await read(), await read([first, second])];
  const alone = async (ledger: string) =>
    (await backtestLedger({ ledger, keys, draft, sessionMs: 1_000, since: 0 })).entries;
  expect(all).toBe(one + (await alone(first)) + (await alone(second)));
  keys.close();
  place.remove();
});
