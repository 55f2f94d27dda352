// countersign ledger status against the HTTP API's answers.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { LedgerStatus } from '../api/contract.ts';
import { register as ledger } from './ledger.ts';
import type { Io } from './output.ts';
import { run } from './run.ts';

const now = 1_800_000_000_000;
const healthy: LedgerStatus = {
  origin: 'example.org/gw',
  vkey: 'example.org/gw+1a2b3c4d+AX',
  entries: 1_000,
  checkpoint: { size: 990, root: 'cm9vdA==', at: now - 65_000 },
  state: 'healthy',
  keys: { provider: 'file', ready: 64 },
  retention: { rules: 0, holds: 0, shredded: { sessions: 0 } },
  disk: { free: 3 * 1024 ** 3, reserve: 256 * 1024 ** 2, low: false },
  witnesses: [{ name: 'witness.example', at: now - 30_000, size: 980 }, { name: 'other.example' }],
};
let answer: LedgerStatus = healthy;
let server: Server;
beforeAll(async () => {
  server = createServer((_, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(answer));
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
});
afterAll(() => void server.close());

async function status(...args: string[]) {
  const written = { out: '', err: '' };
  const io: Io = {
    stdout: { write: (text) => void (written.out += text) },
    stderr: { write: (text) => void (written.err += text) },
    env: { COUNTERSIGN_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, COUNTERSIGN_TOKEN: 'token' },
    now: () => now,
  };
  const code = await run(['ledger', 'status', ...args], { version: '9.9.9', commands: [ledger] }, io);
  return { code, ...written };
}

test('says entries, the age of the checkpoint, witnesses and room', async () => {
  answer = healthy;
  const said = await status();
  expect(said.code).toBe(0);
  expect(said.out).toContain('healthy');
  expect(said.out).toContain('1000, 10 not yet under a checkpoint');
  expect(said.out).toContain('of 990 entries, signed 1m 5s ago');
  expect(said.out).toContain('witness.example signed 980 entries 30s ago');
  expect(said.out).toContain('other.example has not signed yet');
  expect(said.out).toContain('3,072 MiB free, 256 MiB are kept');
  expect(JSON.parse((await status('--json')).out)).toEqual(healthy);
});

test.each([
  [
    { state: 'stopped', fault: 'The gateway cannot record.' },
    'stopped: nothing is forwarded',
    'The gateway cannot record.',
  ],
  [{ disk: { reserve: 1, low: false, slow: 'It has not answered for 6 s.' } }, 'slow: nothing new', 'for 6 s'],
  [{ disk: { free: 1, reserve: 2, low: true } }, 'almost full: no session begins', '0 MiB free'],
] as const)('exit 1 and the reason: %j', async (changed, first, more) => {
  answer = { ...healthy, ...changed };
  const said = await status();
  expect(said.code).toBe(1);
  expect(said.out).toContain(first);
  expect(said.out).toContain(more);
  expect((await status('--json')).code).toBe(1);
});

test('a copy that is behind and a probe that went through are told', async () => {
  const at = now - 3_600_000;
  const attempts = { delete: 'done', bypass: 'unknown', overwrite: 'refused' } as const;
  const objects = { store: 's3://record/gw/', since: at, copied: 980, backlog: 20, checkpoint: 970 };
  answer = { ...healthy, objects: { ...objects, state: 'down', why: 'it fails', probe: { at, ok: false, attempts } } };
  const said = await status();
  expect(said.out).toContain('s3://record/gw/: down, 20 entries behind');
  expect(said.out).toContain('it fails');
  expect(said.out).toContain('ALARM, not refused: delete done, bypass unknown, 1h');
  answer = {
    ...healthy,
    objects: { ...objects, state: 'up', probe: { at, ok: true, attempts: { delete: 'refused' } } },
  };
  expect((await status()).out).toContain('every attempt to destroy was refused, 1h');
});
