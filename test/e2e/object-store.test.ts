// A whole gateway whose writes demand `replicated`: what a client of PostgreSQL sees while the object store is there, away and back.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { verifyLedger } from '../../src/ledger/verify-disk.ts';
import { fetchLedger } from '../../src/objects/fetching.ts';
import { openS3 } from '../../src/objects/s3.ts';
import { startGateway, type TestGateway, testIssuer } from '../peers/gateway.ts';
import { type ObjectsDouble, objectsDouble } from '../peers/objects-double.ts';
import { type TestPostgres, testPostgres } from '../peers/postgres.ts';
import { verifies } from '../requirements.ts';

const folder = mkdtempSync(join(tmpdir(), 'countersign-objects-'));
let server: TestPostgres;
let double: ObjectsDouble;
let gateway: TestGateway;
let consolePort: number;
let token: string;
const configuration = () => ({
  listeners: [{ protocol: 'postgres', port: 0, plaintext: 'loopback' }],
  issuers: [],
  targets: [
    {
      name: 'shop',
      protocol: 'postgres',
      host: '127.0.0.1',
      port: server.port,
      database: 'postgres',
      tls: { mode: 'disable' },
      credential: { user: server.superuser, password: { file: 'password' } },
      ack: { read: 'written', write: 'replicated' },
    },
  ],
  ledger: {
    objects: {
      endpoint: double.endpoint,
      bucket: double.bucket,
      prefix: 'gw/',
      accessKeyId: { file: 'id' },
      secretAccessKey: { file: 'secret' },
      lock: { mode: 'compliance', days: 3 },
      waitSeconds: 1,
      checkpointSeconds: 1,
    },
  },
});

beforeAll(async () => {
  [server, double] = await Promise.all([testPostgres(), objectsDouble({ conditional: false })]);
  const admin = new pg.Client({
    port: server.port,
    host: '127.0.0.1',
    user: server.superuser,
    password: server.password,
    database: 'postgres',
  });
  await admin.connect();
  await admin.query('create table orders (id int)');
  await admin.end();
  mkdirSync(join(folder, 'policies'));
  writeFileSync(join(folder, 'policies', 'all.cedar'), '@id("all") permit (principal, action, resource);');
  for (const [name, text] of [
    ['password', server.password],
    ['id', 'AK'],
    ['secret', 'very-secret-key'],
  ] as const)
    writeFileSync(join(folder, name), text);
  const issuer = await testIssuer(folder);
  token = await issuer.token('mig', { groups: [] });
  const principal = { kind: 'agent', name: 'sub' };
  gateway = await startGateway(folder, { ...configuration(), issuers: [{ ...issuer.entry, principal }] });
  consolePort = gateway.console;
}, 120_000);
afterAll(async () => {
  await gateway?.stop();
  await server?.stop();
  await double?.stop().catch(() => undefined);
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

async function connect(): Promise<pg.Client> {
  const client = new pg.Client({ host: '127.0.0.1', port: gateway.port, user: 'x', password: token, database: 'shop' });
  client.on('error', () => {});
  await client.connect();
  return client;
}
const status = async () => {
  const answer = await fetch(`http://127.0.0.1:${consolePort}/api/ledger`, {
    headers: { authorization: `Bearer ${token}` },
  });
  return (await answer.json()) as { objects: Record<string, unknown> };
};

test(verifies(
  'ledger.down-stops',
  'while the object store is away only what demands it is refused, and the session goes on',
), async () => {
  // The store is not taken away while the start still tries what it lets itself be done to.
  await vi.waitFor(async () => expect((await status()).objects).toHaveProperty('probe'), {
    timeout: 10_000,
    interval: 50,
  });
  const client = await connect();
  await client.query('insert into orders values (1)');
  const parts = () => double.keys().filter((key) => key.includes('/parts/')).length;
  const before = parts();
  await client.query('insert into orders values (2)');
  expect(parts()).toBeGreaterThan(before);

  double.trouble = () => ({ status: 503, code: 'SlowDown' });
  const refused = await client.query('insert into orders values (3)').then(
    () => undefined,
    (error: { code: string; severity: string; hint: string }) => error,
  );
  expect(refused).toMatchObject({ code: '57P03', severity: 'ERROR', hint: expect.stringContaining('Retry it later') });
  expect((await client.query('select id from orders order by id')).rows).toEqual([{ id: 1 }, { id: 2 }]);
  await expect(client.query('insert into orders values (4)')).rejects.toMatchObject({ code: '57P03' });
  expect((await status()).objects).toMatchObject({ state: 'down', why: expect.stringContaining('SlowDown') });
  // In a transaction it is as after any other error of a statement.
  await client.query('begin');
  await expect(client.query('insert into orders values (5)')).rejects.toMatchObject({ code: '57P03' });
  await expect(client.query('select 1')).rejects.toMatchObject({ code: '25P02' });
  await client.query('rollback');

  double.trouble = undefined;
  await vi.waitFor(async () => expect((await status()).objects).toMatchObject({ state: 'up', backlog: 0 }), {
    timeout: 10_000,
    interval: 100,
  });
  await client.query('insert into orders values (6)');
  expect((await client.query('select id from orders order by id')).rows).toEqual([{ id: 1 }, { id: 2 }, { id: 6 }]);
  await client.end();
  expect(gateway.complaints.filter((line) => line.includes('does not take the record'))).toHaveLength(1);
  expect(gateway.complaints.join('\n')).not.toContain('very-secret-key');
}, 30_000);

test('what the start looked at and the probe are shown; a stranger verifies the bucket after a stop', async () => {
  expect((await status()).objects).toMatchObject({
    store: 's3://record/gw/',
    probe: { ok: true, attempts: { delete: 'refused', overwrite: 'refused', shorten: 'refused' } },
  });
  await gateway.stop();
  const store = openS3({
    endpoint: double.endpoint,
    region: 'us-east-1',
    bucket: double.bucket,
    prefix: 'gw/',
    credentials: async () => ({ accessKeyId: 'AK', secretAccessKey: 'x' }),
  });
  const out = join(folder, 'out');
  await fetchLedger(store, { out, recordings: true });
  const local = await verifyLedger(gateway.ledger, gateway.vkey);
  const there = await verifyLedger(join(out, 'ledger'), gateway.vkey, { recordings: join(out, 'recordings') });
  expect(there).toMatchObject({ ok: true, size: local.size, root: local.root, recordings: 1 });
  expect(there.types['storage.probe']).toBe(1);
});
