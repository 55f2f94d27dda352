// Events, metrics and traces of a gateway as it is served: a traced statement is found in all three, and in the ledger.
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startWorld, type World } from '../../src/demo/world.ts';
import { openKeyring } from '../../src/ledger/keyring.ts';
import { readJournal } from '../../src/ledger/read-journal.ts';
import { freePort } from '../peers/postgres.ts';
import { type HttpReceiver, httpReceiver } from '../peers/receivers.ts';

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
const ofStatement = `00-${traceId}-00f067aa0ba902b7-01`;
const ofSession = '00-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-bbbbbbbbbbbbbbbb-01';
let folder: string;
let world: World;
let receiver: HttpReceiver;
let metrics: number;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'countersign-outlets-'));
  receiver = await httpReceiver();
  world = await startWorld(folder, () => {});
  await world.stopGateway('SIGTERM');
  metrics = await freePort();
  const more = { metrics: { port: metrics }, traces: { otlp: `${receiver.url}/v1/traces` } };
  appendFileSync(
    world.config,
    Object.entries(more)
      .map(([key, value]) => `${key}: ${JSON.stringify(value)}\n`)
      .join(''),
  );
  await world.startGateway();
  const client = new pg.Client({
    host: '127.0.0.1',
    port: world.ports.plain,
    user: 'x',
    password: await world.provider.tokenFor('reporting-agent'),
    database: 'shop',
    options: `-c countersign.traceparent=${ofSession}`,
  });
  await client.connect();
  await client.query(`select city from customers where id = 1 /*route='/a',traceparent='${ofStatement}'*/`);
  await client.query('select count(*) from orders');
  expect((await client.query("select current_setting('countersign.traceparent', true) as set")).rows[0]).toEqual({
    set: null,
  });
  await client.end();
}, 120_000);

afterAll(async () => {
  await world?.stop();
  await receiver?.close();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

interface Sent {
  readonly resourceSpans: {
    readonly scopeSpans: {
      readonly spans: {
        readonly traceId: string;
        readonly parentSpanId: string;
        readonly name: string;
        readonly links: object[];
      }[];
    }[];
  }[];
}

test('metrics count what was done', async () => {
  const scrape = async () => (await fetch(`http://127.0.0.1:${metrics}/metrics`)).text();
  await expect.poll(scrape, { timeout: 10_000 }).toContain('countersign_outcomes_total{target="shop",status="done"} 3');
  const text = await scrape();
  expect(text).toContain('countersign_sessions_opened_total{target="shop"} 1');
  expect(text).toContain('countersign_export_lag_entries{sink="archive"}');
  expect(text).toMatch(/countersign_ledger_write_seconds_count [1-9]/);
});

test('spans lie below those of the client, the statement before the session', async () => {
  await world.stopGateway('SIGTERM');
  const spans = receiver.received
    .flatMap(({ body }) => (JSON.parse(body) as Sent).resourceSpans)
    .flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans));
  expect(spans.map((span) => [span.traceId, span.parentSpanId, span.name, span.links?.length ?? 0])).toEqual([
    [traceId, '00f067aa0ba902b7', 'SELECT public.customers', 1],
    ['a'.repeat(32), 'b'.repeat(16), 'SELECT public.orders', 0],
    ['a'.repeat(32), 'b'.repeat(16), expect.any(String), 0],
  ]);
  expect(JSON.stringify(spans)).not.toContain('id = 1');
});

test('the ledger holds the ids and the text without the comment', async () => {
  const keyring = openKeyring(join(folder, 'data', 'state'));
  const found: unknown[] = [];
  for await (const { entry, payload } of readJournal(join(folder, 'data', 'ledger'), 0, keyring))
    if (entry.t === 'statement.decision' && entry.x.k === 'execute')
      found.push([entry.x.tr, (payload as { what: { text: string } }).what.text.trimEnd()]);
  keyring.close();
  expect(found.slice(0, 2)).toEqual([
    [ofStatement, 'select city from customers where id = 1'],
    [ofSession, 'select count(*) from orders'],
  ]);
});
