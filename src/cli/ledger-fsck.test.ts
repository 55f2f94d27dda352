// countersign ledger fsck as a command line: its words, its JSON, its exit codes.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { register as ledger } from './ledger.ts';
import type { Io } from './output.ts';
import { run } from './run.ts';

const folder = mkdtempSync(join(tmpdir(), 'fsck-'));
const config = join(folder, 'countersign.yaml');
afterAll(() => rmSync(folder, { recursive: true }));
beforeAll(async () => {
  writeFileSync(
    config,
    `version: 1
gateway: { name: gw, origin: example.org/gw }
listeners: [{ protocol: postgres, port: 6432, plaintext: loopback }]
console: { url: "http://127.0.0.1:8080" }
issuers: [{ name: one, issuer: "https://one.example", audience: c, jwks: { file: one.json }, principal: { kind: agent } }]
targets: [{ name: shop, protocol: postgres, host: db, database: shop, credential: { user: u, password: { env: SHOP_PASSWORD } } }]
`,
  );
  expect((await line(['ledger', 'init'])).code).toBe(0);
});

async function line(args: readonly string[]) {
  const written = { out: '', err: '' };
  const io: Io = {
    stdout: { write: (text) => void (written.out += text) },
    stderr: { write: (text) => void (written.err += text) },
    env: { COUNTERSIGN_CONFIG: config },
    now: Date.now,
  };
  return { code: await run(args, { version: '9.9.9', commands: [ledger] }, io), ...written };
}

test('a whole ledger: exit 0, in words and as JSON', async () => {
  const said = await line(['ledger', 'fsck']);
  expect(said).toMatchObject({ code: 0, err: '' });
  expect(said.out).toContain('everything agrees');
  expect(said.out).toContain('example.org/gw');
  const json = await line(['ledger', 'fsck', '--json']);
  expect(json.code).toBe(0);
  expect(JSON.parse(json.out)).toMatchObject({ ok: true, entries: 1, signed: 1, findings: [] });
});

test('damage: exit 1 and what to do; mended: exit 0 and what was', async () => {
  const checkpoint = join(folder, 'data', 'ledger', 'checkpoint');
  const good = readFileSync(checkpoint, 'utf8');
  rmSync(checkpoint);
  const said = await line(['ledger', 'fsck']);
  expect(said.code).toBe(1);
  expect(said.out).toContain('checkpoint: there is no checkpoint');
  expect(said.out).toContain('countersign ledger fsck --repair publishes it again');
  const json = await line(['ledger', 'fsck', '--json', '--no-recordings']);
  expect(json.code).toBe(1);
  expect(JSON.parse(json.out).findings).toMatchObject([{ file: 'checkpoint', repair: 'publish' }]);
  const mended = await line(['ledger', 'fsck', '--repair']);
  expect(mended.code).toBe(0);
  expect(mended.out).toContain('mended      checkpoint: there is no checkpoint');
  expect(readFileSync(checkpoint, 'utf8')).toBe(good);
});

test('no ledger: exit 2 and where it was looked for', async () => {
  const elsewhere = join(folder, 'elsewhere.yaml');
  writeFileSync(elsewhere, readFileSync(config, 'utf8').replace('version: 1', 'version: 1\ndata: ./nowhere'));
  const said = await line(['ledger', 'fsck', '--config', elsewhere]);
  expect(said.code).toBe(2);
  expect(said.err).toContain('nowhere');
});
