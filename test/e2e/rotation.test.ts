// A gateway whose key is rotated: refused while it runs, refused to start in between, and afterwards the sessions of both logs are found and replayed.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import pino from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Page, Replay, SessionDetail, SessionSummary } from '../../src/api/contract.ts';
import { serve } from '../../src/bin/serve.ts';
import { register as ledger } from '../../src/cli/ledger.ts';
import { type Io } from '../../src/cli/output.ts';
import { run } from '../../src/cli/run.ts';
import { loadConfig } from '../../src/config/config.ts';
import { verifyChain } from '../../src/ledger/verify-disk.ts';
import { startGateway, testIssuer } from '../peers/gateway.ts';
import { testPostgres, type TestPostgres } from '../peers/postgres.ts';

let folder: string;
let server: TestPostgres;
let token: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'rotation-'));
  server = await testPostgres();
}, 60_000);
afterAll(async () => {
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function session(port: number, sql: string): Promise<void> {
  const client = new pg.Client({ host: '127.0.0.1', port, user: 'x', password: token, database: 'shop' });
  await client.connect();
  await client.query(sql);
  await client.end();
}

async function rotate(): Promise<{ code: number; err: string }> {
  let err = '';
  const sink = (take: (text: string) => void) => ({ write: (text: string) => (take(text), true), isTTY: false });
  const io = {
    stdout: sink(() => undefined),
    stderr: sink((text) => (err += text)),
    env: {},
    now: Date.now,
    ask: async () => undefined,
  } as unknown as Io;
  const args = ['ledger', 'rotate', '--reason', 'routine', '--config', join(folder, 'countersign.yaml')];
  return { code: await run(args, { version: '0', commands: [ledger] }, io), err };
}

test('rotating the key of a gateway', { timeout: 60_000 }, async () => {
  const issuer = await testIssuer(folder);
  token = await issuer.token('bot', {});
  mkdirSync(join(folder, 'policies'));
  writeFileSync(join(folder, 'policies', 'all.cedar'), '@id("all")\npermit (principal, action, resource);\n');
  writeFileSync(join(folder, 'password'), server.password);
  const gateway = await startGateway(folder, {
    listeners: [{ protocol: 'postgres', port: 0, plaintext: 'loopback' }],
    issuers: [{ ...issuer.entry, principal: { kind: 'agent' } }],
    targets: [
      {
        name: 'shop',
        protocol: 'postgres',
        host: '127.0.0.1',
        port: server.port,
        database: 'postgres',
        tls: { mode: 'disable' },
        credential: { user: server.superuser, password: { file: 'password' } },
      },
    ],
  });
  await session(gateway.port, 'select 1 as before');
  const file = join(folder, 'countersign.yaml');
  writeFileSync(file, readFileSync(file, 'utf8').replace('test.example/gateway', 'test.example/gateway/2'));
  expect(await rotate()).toMatchObject({
    code: 1,
    err: expect.stringMatching(/Another gateway writes this ledger.*Stop it first/),
  });
  await gateway.stop();
  const start = () => serve(loadConfig(file), pino({ level: 'silent' }));
  await expect(start()).rejects.toThrow('move on to a new log with "countersign ledger rotate"');
  expect(await rotate()).toEqual({ code: 0, err: '' });

  const running = await start();
  await session(running.listeners[0]!.port, 'select 2 as behind');
  const get = async <T>(path: string): Promise<T> => {
    const answer = await fetch(`${running.consoleUrl}${path}`, { headers: { authorization: `Bearer ${token}` } });
    expect(answer.status).toBe(200);
    return (await answer.json()) as T;
  };
  await expect
    .poll(
      async () =>
        (await get<Page<SessionSummary>>('/api/sessions')).items.filter(({ closed }) => closed !== undefined).length,
      { timeout: 20_000 },
    )
    .toBe(2);
  const { items } = await get<Page<SessionSummary>>('/api/sessions');
  const found = new Map<string | undefined, string>();
  for (const { id } of items) {
    const { log } = await get<SessionDetail>(`/api/sessions/${id}`);
    const { events } = await get<Replay>(`/api/sessions/${id}/replay`);
    found.set(log, JSON.stringify(events));
  }
  expect(found.get('test.example/gateway')).toContain('select 1 as before');
  expect(found.get('test.example/gateway/2')).toContain('select 2 as behind');
  await running.stop('the test is over');

  const data = join(folder, 'data');
  const vkey = readFileSync(join(data, 'state', 'ledger.vkey'), 'utf8').trim();
  const logs = [join(data, 'ledger'), join(data, 'ledger-2')];
  const report = await verifyChain(logs, vkey, { recordings: join(data, 'recordings') });
  expect(report.failure).toBeUndefined();
  expect(report).toMatchObject({ ok: true, recordings: 2 });
  // Whoever sets the name back reaches neither log.
  writeFileSync(file, readFileSync(file, 'utf8').replace('test.example/gateway/2', 'test.example/gateway'));
  await expect(start()).rejects.toThrow('the configuration says test.example/gateway.');
});
