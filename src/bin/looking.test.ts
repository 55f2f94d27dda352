// A look at a target: who is there twice and not ours is found; each look is on record, also one that failed.
import { expect, test } from 'vitest';
import type { Draft } from '../domain/entry.ts';
import { Fault } from '../domain/fault.ts';
import type { ActiveSession } from '../reconcile/activity.ts';
import { type Looking, openLooking } from './looking.ts';

const row = (pid: number, role: string, database: string, port: number) => [
  String(pid),
  role,
  database,
  'psql',
  '10.0.0.9',
  String(port),
  '1800000000000',
  'client backend',
];

async function world(looks: (string | null)[][][] | Fault, work: (looking: Looking) => Promise<void>) {
  const drafts: Draft[] = [];
  const found: (readonly ActiveSession[])[] = [];
  const failed: unknown[] = [];
  let at = 0;
  const looking = openLooking({
    ledger: {
      append(draft) {
        drafts.push(draft);
        return { index: drafts.length, durable: Promise.resolve() };
      },
    },
    targets: [{ name: 'shop', role: 'app', databases: ['shop'], expected: ['monitor'], everyMs: 3_600_000 }],
    async connect() {
      if (looks instanceof Fault) throw looks;
      return { query: async () => looks[Math.min(at++, looks.length - 1)]!, close: () => undefined };
    },
    ours: () => new Map([[7, 5000]]),
    found: (_target, foreign) => found.push(foreign),
    failed: (_target, cause) => failed.push(cause),
    now: () => 5,
    graceMs: 1,
  });
  await work(looking);
  looking.close();
  return { drafts, found, failed };
}

const ours = row(7, 'app', 'shop', 5000);
const fine = [ours, row(8, 'monitor', 'shop', 1), row(9, 'other', 'elsewhere', 2)];

test('ours, expected and other databases are no finding', async () => {
  const { drafts, found } = await world([fine], async (looking) => {
    await looking.look('shop');
    expect(looking.last('shop')).toEqual({ at: 5, ok: true, onlyInTarget: 0 });
  });
  expect(found).toEqual([]);
  expect(drafts.map(({ type, facts }) => [type, facts])).toEqual([
    [
      'reconcile.result',
      {
        target: 'shop',
        ok: true,
        sources: ['activity'],
        live: { atTarget: 3, matched: 1, expected: 1, elsewhere: 1, onlyInTarget: 0 },
      },
    ],
  ]);
});

test('who is there twice is found: our role from another port, another role in our database', async () => {
  const around = [row(11, 'app', 'shop', 77), row(12, 'dba', 'shop', 78), row(7, 'app', 'elsewhere', 5001)];
  const { drafts, found } = await world([[...fine, ...around]], (looking) => looking.look('shop'));
  expect(found[0]!.map(({ pid }) => pid)).toEqual([11, 12, 7]);
  expect(drafts[0]!.facts).toMatchObject({ ok: false, live: { onlyInTarget: 3 } });
  expect(JSON.stringify(drafts[0]!.facts)).not.toContain('10.0.0.9');
  expect(JSON.stringify(drafts[0]!.payload)).toContain('10.0.0.9');
});

test('who is gone at the second look was on the way in or out', async () => {
  const { drafts, found } = await world([[...fine, row(11, 'app', 'shop', 77)], fine], (looking) =>
    looking.look('shop'),
  );
  expect(found).toEqual([]);
  expect(drafts[0]!.facts).toMatchObject({ ok: true });
});

test('a target that cannot be asked is on record as such', async () => {
  const { drafts, failed } = await world(new Fault('target.unreachable', 'away'), (looking) => looking.look('shop'));
  expect(failed.length).toBe(1);
  expect(drafts[0]!.facts).toEqual({ target: 'shop', ok: false, sources: ['activity'], failed: 'target.unreachable' });
});
