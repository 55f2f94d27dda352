// Somebody is cut off while a statement runs: the connection ends, and at the target the statement is given up and not kept.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startWorld, type World } from '../../src/demo/world.ts';
import { verifies } from '../requirements.ts';

let folder: string;
let world: World;
let target: pg.Client;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'countersign-cut-off-'));
  world = await startWorld(folder, () => undefined);
  const { user, password } = world.superuser;
  target = new pg.Client({ host: '127.0.0.1', port: world.ports.target, user, password, database: 'shop' });
  await target.connect();
}, 120_000);
afterAll(async () => {
  await target?.end();
  await world?.stop();
  await rm(folder, { recursive: true, force: true });
});

async function call<T>(path: string, body: object): Promise<T> {
  const response = await fetch(world.consoleUrl + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${await world.provider.tokenFor('dana')}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  expect(response.ok, path).toBe(true);
  return (await response.json()) as T;
}

/** A client with a long statement under way at the target. */
async function running(text: string) {
  const client = new pg.Client({
    host: '127.0.0.1',
    port: world.ports.plain,
    user: 'reporting-agent',
    password: await world.provider.tokenFor('reporting-agent'),
    database: 'shop',
  });
  const lost = new Promise<void>((done) => client.once('end', done));
  client.on('error', () => {});
  await client.connect();
  const failed = client.query(text).then(
    () => undefined,
    (error: pg.DatabaseError) => error,
  );
  await expect.poll(active, { timeout: 10_000 }).toBe(1);
  return { lost, failed };
}

const active = async () => {
  const text = `select count(*)::int as n from pg_stat_activity where usename = 'shop_app' and state = 'active' and query like '%pg_sleep%'`;
  return (await target.query<{ n: number }>(text)).rows[0]!.n;
};
const status = async (id: number) =>
  (await target.query<{ status: string }>('select status from orders where id = $1', [id])).rows[0]!.status;

/** Would go on for a minute, and be kept, if only its connection were closed. */
const change = (id: number) =>
  `with slow as materialized (select pg_sleep(60)) update orders set status = 'late' from slow where id = ${id}`;

test(verifies('hold.exactly-once', 'a lock ends what runs at the target, and nothing of it is kept'), async () => {
  const before = await status(1);
  const { lost, failed } = await running(change(1));
  const { lock, ended } = await call<{ lock: { id: string }; ended: number }>('/api/locks', {
    kind: 'owner',
    value: 'dana@shop.example',
    reason: 'left',
  });
  expect(ended).toBe(1);
  await lost;
  expect(await failed).toMatchObject({ code: '57P01', message: expect.stringContaining('left') });
  await expect.poll(active, { timeout: 5_000 }).toBe(0);
  expect(await status(1)).toBe(before);
  await call(`/api/locks/${lock.id}/lift`, {});
});

test('so does ending the session', async () => {
  const before = await status(2);
  const { lost } = await running(change(2));
  const response = await fetch(`${world.consoleUrl}/api/sessions?state=live`, {
    headers: { authorization: `Bearer ${await world.provider.tokenFor('dana')}` },
  });
  const { items } = (await response.json()) as { items: { id: string }[] };
  expect(items).toHaveLength(1);
  await call(`/api/sessions/${items[0]!.id}/kill`, { reason: 'enough' });
  await lost;
  await expect.poll(active, { timeout: 5_000 }).toBe(0);
  expect(await status(2)).toBe(before);
});
