// A whole gateway whose ledger cannot be written for a while: clients are told in their own protocol, nothing reaches the target,
// and it goes on by itself when it can be written again.
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startWorld, type World } from '../../src/demo/world.ts';
import { verifyLedger } from '../../src/ledger/verify-disk.ts';
import { verifies } from '../requirements.ts';

let folder: string;
let world: World;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'countersign-down-'));
  world = await startWorld(folder, () => {});
}, 120_000);
afterAll(async () => {
  await world?.stop();
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

async function connect(): Promise<pg.Client> {
  const client = new pg.Client({
    host: '127.0.0.1',
    port: world.ports.plain,
    user: 'down',
    password: await world.provider.tokenFor('migration-agent'),
    database: 'shop',
  });
  client.on('error', () => {});
  await client.connect();
  return client;
}

const told = async (work: Promise<unknown>): Promise<string> =>
  work.then(
    () => 'done',
    (error: { code?: string; message: string }) => error.code ?? error.message,
  );

test(verifies(
  'ledger.down-stops',
  'a gateway that cannot write its ledger says 57P03, and serves again without a restart',
), async () => {
  const ledger = join(folder, 'data', 'ledger');
  const pid = world.gateway().pid;
  const working = await connect();
  const idle = await connect();
  await working.query('select 1');

  // A folder in the place of the file: no checkpoint can be put there, as on a disk that is full or read-only.
  rmSync(join(ledger, 'checkpoint'));
  mkdirSync(join(ledger, 'checkpoint'));
  // Between two statements the word comes unasked.
  const unasked: (string | undefined)[] = [];
  for (const client of [working, idle])
    client.on('error', (error) => unasked.push((error as { code?: string }).code ?? error.message));
  let last = 'done';
  for (let tries = 0; tries < 200 && last === 'done'; tries++) {
    last = await told(working.query('select 2'));
    await sleep(50);
  }
  expect([last, ...unasked]).toContain('57P03');
  for (let tries = 0; tries < 100 && unasked.length < 1; tries++) await sleep(50);
  expect(unasked).toContain('57P03');
  expect(await told(connect())).toBe('57P03');
  await sleep(2_500);
  expect(await told(connect())).toBe('57P03');
  expect(await told(idle.query('select 3'))).not.toBe('done');

  rmSync(join(ledger, 'checkpoint'), { recursive: true });
  let fresh: pg.Client | undefined;
  for (let tries = 0; tries < 200 && !fresh; tries++) {
    fresh = await connect().catch(() => undefined);
    if (!fresh) await sleep(100);
  }
  expect((await fresh!.query('select 4 as four')).rows).toEqual([{ four: 4 }]);
  await fresh!.end();
  expect(world.gateway().pid).toBe(pid);
  expect(world.gateway().exitCode).toBeNull();

  await world.stopGateway('SIGTERM');
  const vkey = readFileSync(join(folder, 'data', 'state', 'ledger.vkey'), 'utf8').trim();
  const report = await verifyLedger(ledger, vkey, { recordings: join(folder, 'data', 'recordings') });
  expect(report.failure).toBeUndefined();
  // Both sessions that it cut off have an end.
  expect(report.sessions).toMatchObject({ open: 0 });
  expect(report.sessions.orphaned).toBeGreaterThanOrEqual(2);
}, 120_000);

test(verifies(
  'ledger.down-stops',
  'with less room than it keeps no session begins, and the client is told why',
), async () => {
  await world.stopGateway('SIGTERM');
  // More than any disk of these tests has.
  appendFileSync(world.config, 'ledger: { reserveMegabytes: 1048576 }\n');
  await world.startGateway();
  const refusal = await connect().then(
    () => undefined,
    (error: { code?: string; message: string }) => error,
  );
  expect(refusal).toMatchObject({ code: '57P03', message: expect.stringContaining('almost full') });
}, 60_000);
