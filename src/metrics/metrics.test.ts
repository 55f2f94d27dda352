// Metrics over a real ledger and its store, scraped over HTTP.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { ledgerPlace } from '../../test/peers/ledger.ts';
import type { SinkStatus } from '../exports/exporter.ts';
import type { Entry } from '../ledger/entry.ts';
import { openLedger } from '../ledger/ledger.ts';
import { sampleItems } from '../events/sample.suite.ts';
import { openStore } from '../store/store.ts';
import { listenForScrapes } from './listener.ts';
import { openAppendTimes, openMetrics } from './metrics.ts';
import { openTally } from './tally.ts';

const closers: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

const sink: SinkStatus = {
  name: 'siem',
  to: 'http',
  state: 'failing',
  next: 1,
  receipted: 0,
  lag: 12,
  lagSeconds: 3.5,
  events: 1,
  failures: 4,
};
const idle = {
  version: '1.2.3',
  ledger: () => ({ entries: 9, state: 'healthy' as const, checkpoint: { size: 7, root: '', at: 1_000 } }),
  sessions: () => [
    { target: 'shop', waiting: 2 },
    { target: 'shop', waiting: 1 },
  ],
  exports: () => [sink],
  cosigned: () => 5,
  now: () => 4_500,
};

/** Lines of our own metrics, without histograms' buckets. */
const ours = (text: string) =>
  text.split('\n').filter((line) => line.startsWith('countersign_') && !line.includes('_bucket'));

test('entries add up, of this life only, and nothing that a client chose becomes a label', async () => {
  const place = await ledgerPlace();
  closers.push(() => place.remove());
  const times = openAppendTimes();
  const { ledger } = await openLedger({ ...place, timed: (what, ms) => times[what].add(ms / 1_000) });
  closers.push(() => ledger.close());
  const session = (id: string, target: string) =>
    ledger.append(
      { type: 'session.open', session: id, facts: { target }, payload: { who: { name: 'eve' } } },
      'written',
      ledger.newKey(),
    );
  session('before', 'shop');
  const metrics = openMetrics({ ...idle, ledger: () => ledger.status() }, times);
  const failed = (message: string) => expect.fail(message);
  const countFrom = ledger.status().entries + 1;
  const store = openStore({ ledger: place.folder, state: place.state, file: join(place.root, 's'), failed, countFrom });
  closers.push(() => store.close());
  closers.push(ledger.onAppend(store.advanced));
  store.onChange(({ gains }) => metrics.add(gains));
  session('now', 'shop');
  const put = (type: Entry['t'], sequence: number | undefined, facts: Entry['x']) =>
    ledger.append({ type, session: 'now', ...(sequence === undefined ? {} : { sequence }), facts }, 'written').durable;
  await put('statement.decision', 1, { d: 'permit', k: 'execute', e: ["sql:read'; drop"] });
  await put('statement.outcome', 1, {
    status: 'done',
    rows: 3,
    bytes: 90,
    masked: [{ label: 'pii.email', method: 'full', cells: 4 }],
  });
  await put('statement.decision', 2, { d: 'hold', approval: 'a', k: 'execute' });
  await put('statement.decision', 2, { d: 'deny', approval: 'a', k: 'execute', cause: 'refused' });
  await put('approval.resolution', undefined, { id: 'a', state: 'refused' });
  await put('statement.decision', 3, { d: 'permit', k: 'execute' });
  await put('statement.outcome', 3, { status: 'failed', code: '22012', rows: 0, bytes: 0, masked: [] });
  await put('statement.decision', 4, { d: 'permit', k: 'execute' });
  await put('statement.outcome', 4, { status: 'failed', code: 'eve!!', rows: 0, bytes: 0, masked: [] });
  await store.reached(ledger.status().entries);

  const listener = await listenForScrapes({ address: '127.0.0.1', port: 0 }, metrics.registry);
  closers.push(() => listener.close());
  const response = await fetch(`http://127.0.0.1:${listener.port}/metrics`);
  expect(response.headers.get('content-type')).toContain('text/plain; version=0.0.4');
  const text = await response.text();
  expect(ours(text)).toEqual(
    expect.arrayContaining([
      'countersign_sessions_opened_total{target="shop"} 1',
      'countersign_statements_total{target="shop",ruling="permit"} 3',
      'countersign_statements_total{target="shop",ruling="hold"} 1',
      'countersign_approvals_total{state="refused"} 1',
      'countersign_outcomes_total{target="shop",status="failed"} 2',
      'countersign_target_errors_total{target="shop",class="22"} 1',
      'countersign_target_errors_total{target="shop",class="other"} 1',
      'countersign_rows_total{target="shop"} 3',
      'countersign_masked_cells_total{label="pii.email"} 4',
      'countersign_sessions_open{target="shop"} 2',
      'countersign_holds_waiting 3',
      'countersign_ledger_healthy 1',
      'countersign_export_lag_entries{sink="siem"} 12',
      'countersign_export_failures{sink="siem"} 4',
      'countersign_ledger_cosigned_entries 5',
      'countersign_build_info{version="1.2.3"} 1',
    ]),
  );
  expect(text).not.toContain('ruling="deny"');
  expect(ours(text).join()).not.toMatch(/eve|drop/);
  expect(text).toContain('process_cpu_seconds_total');
  const written = Number(/countersign_ledger_write_seconds_count (\d+)/.exec(text)?.[1]);
  expect(written).toBeGreaterThan(5);
  expect(written).toBeLessThan(ledger.status().entries);
});

test('docs/metrics.md lists every metric of ours with its labels, and no other', async () => {
  const { registry } = openMetrics(idle, openAppendTimes());
  const known = (await registry.getMetricsAsJSON())
    .map(({ name }) => name)
    .filter((name) => name.startsWith('countersign_'));
  const rows = [...readFileSync('docs/metrics.md', 'utf8').matchAll(/^\| `(\w+)` \| (\w+) \| ([\w, ]*)\|/gm)];
  expect(rows.map(([, name]) => name).sort()).toEqual([...known].sort());
  for (const [, name, type, labels] of rows) {
    const metric = registry.getSingleMetric(name!) as unknown as { type?: string; labelNames: string[] };
    expect([name, metric.labelNames.join(', ')]).toEqual([name, labels!.trim()]);
    expect((await registry.getMetricsAsJSON()).find((one) => one.name === name)?.type).toBe(type);
  }
});

test('beyond the token nobody reads, and there is nothing else', async () => {
  const { registry } = openMetrics(idle, openAppendTimes());
  const listener = await listenForScrapes({ address: '127.0.0.1', port: 0, token: 'let-me-in' }, registry);
  closers.push(() => listener.close());
  const url = `http://127.0.0.1:${listener.port}`;
  const get = async (path: string, authorization?: string, method = 'GET') =>
    (await fetch(url + path, { method, headers: authorization ? { authorization } : {} })).status;
  expect(await get('/metrics')).toBe(401);
  expect(await get('/metrics', 'Bearer let-me-out')).toBe(401);
  expect(await get('/metrics', 'let-me-in')).toBe(401);
  expect(await get('/metrics', 'Bearer let-me-in')).toBe(200);
  expect(await get('/metrics?x', 'Bearer let-me-in')).toBe(200);
  expect(await get('/', 'Bearer let-me-in')).toBe(404);
  expect(await get('/metrics', 'Bearer let-me-in', 'POST')).toBe(405);
});

test('counting any entry throws nothing, and the series of one metric are bounded', () => {
  const tally = openTally();
  for (const { entry } of sampleItems()) tally.add(entry);
  const [first] = sampleItems();
  for (let label = 0; label < 5_000; label++) {
    const x = { masked: [{ label: `l${label}`, cells: 1 }], status: 'done' };
    tally.add({ ...first!.entry, t: 'statement.outcome', x });
  }
  const labels = tally.take().filter(([what]) => what === 'masked_cells');
  expect(labels.length).toBeLessThanOrEqual(501);
  expect(labels.reduce((sum, [, , by]) => sum + by, 0)).toBe(5_002);
  expect(tally.take()).toEqual([]);
});
