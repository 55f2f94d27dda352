// A gateway as it is configured: its checkpoints are time-stamped and mailed while it serves, and neither an authority nor a
// mail server that is away keeps it from starting or stopping.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { noteOf } from '../../src/ledger/receipt.ts';
import { verifyLedger } from '../../src/ledger/verify-disk.ts';
import { startGateway, testIssuer } from '../peers/gateway.ts';
import { mailServer } from '../peers/mail-server.ts';
import { timestampAuthority } from '../peers/timestamp-authority.ts';

const closing: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

async function configured(ledger: object) {
  const folder = mkdtempSync(join(tmpdir(), 'countersign-held-'));
  closing.push(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, 'policies'));
  writeFileSync(join(folder, 'policies', 'all.cedar'), '@id("all") permit (principal, action, resource);\n');
  const { entry } = await testIssuer(folder);
  return {
    folder,
    configuration: {
      listeners: [{ protocol: 'postgres', port: 0, plaintext: 'loopback' }],
      issuers: [{ ...entry, principal: { kind: 'agent' } }],
      targets: [
        {
          name: 'shop',
          protocol: 'postgres',
          host: '127.0.0.1',
          port: 1,
          database: 'shop',
          tls: { mode: 'disable' },
          credential: { user: 'x', password: { env: 'PATH' } },
        },
      ],
      policies: './policies',
      ledger,
    },
  };
}

test('stamped and mailed, as the verifier confirms', async () => {
  const authority = await timestampAuthority();
  const mail = await mailServer({ password: 'the-password' });
  closing.push(authority.stop, mail.stop);
  const { folder, configuration } = await configured({
    timestamps: { url: authority.url, ca: { file: authority.caFile }, everyHours: 1 },
    receipts: {
      to: ['auditor@example.com'],
      from: 'gateway@example.org',
      every: 'hourly',
      smtp: {
        host: 'localhost',
        port: mail.port,
        ca: { file: 'mail-ca.pem' },
        user: 'gw',
        password: { file: 'password' },
      },
    },
  });
  writeFileSync(join(folder, 'mail-ca.pem'), mail.ca);
  writeFileSync(join(folder, 'password'), 'the-password\n');
  const gateway = await startGateway(folder, configuration);
  await expect.poll(() => mail.mails.length, { timeout: 20_000 }).toBe(1);
  const vkey = readFileSync(join(folder, 'data', 'state', 'ledger.vkey'), 'utf8').trim();
  const looked = () => verifyLedger(gateway.ledger, vkey, { kept: [noteOf(mail.mails[0]!.raw)] });
  await expect.poll(async () => (await looked()).stamped.length, { timeout: 20_000 }).toBe(1);
  await gateway.stop();
  const report = await looked();
  expect(report).toMatchObject({ ok: true, continued: 1 });
  expect(report.types).toMatchObject({ 'checkpoint.timestamp': 1, 'checkpoint.receipt': 1 });
  expect(gateway.complaints).toEqual([]);
});

test('nobody there: it serves, says so, and stops at once', async () => {
  const { folder, configuration } = await configured({
    timestamps: { url: 'http://127.0.0.1:1/', ca: { file: 'ca.pem' } },
    receipts: {
      to: ['auditor@example.com'],
      from: 'gateway@example.org',
      smtp: { host: '127.0.0.1', port: 1, tls: 'none' },
    },
  });
  const authority = await timestampAuthority();
  closing.push(authority.stop);
  writeFileSync(join(folder, 'ca.pem'), authority.ca);
  const gateway = await startGateway(folder, configuration);
  await expect.poll(() => gateway.complaints.join('')).toMatch(/no time stamp/);
  await expect.poll(() => gateway.complaints.join('')).toMatch(/no receipt: the mail server did not take it/);
  await gateway.stop();
});
