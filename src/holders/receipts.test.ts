// Receipts: on their way through a real mail server, through what mail does to texts, and as old checkpoints of the verifier.
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { fillLedger, type LedgerPlace, ledgerPlace } from '../../test/peers/ledger.ts';
import { type MailPeer, mailServer } from '../../test/peers/mail-server.ts';
import { disk } from '../ledger/disk.ts';
import { type Ledger, openLedger } from '../ledger/ledger.ts';
import { parseVkey } from '../ledger/note.ts';
import { noteOf } from '../ledger/receipt.ts';
import { verifyLedger } from '../ledger/verify-disk.ts';
import { nextTime } from './period.ts';
import { makeReceipt } from './receipt.ts';
import { openReceipts, type ReceiptsOptions } from './receipts.ts';

const closing: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

interface World {
  readonly place: LedgerPlace;
  readonly ledger: Ledger;
  readonly peer: MailPeer;
  readonly news: string[];
  open(options?: Partial<ReceiptsOptions>): void;
}

async function world(wish: Parameters<typeof mailServer>[0] = {}): Promise<World> {
  const peer = await mailServer(wish);
  const place = await ledgerPlace();
  const { ledger } = await openLedger(place);
  closing.push(
    () => peer.stop(),
    () => place.remove(),
    () => ledger.close(),
  );
  await fillLedger(ledger, 1, 20);
  await ledger.checkpointNow();
  const news: string[] = [];
  return {
    place,
    ledger,
    peer,
    news,
    open(options = {}) {
      const receipts = openReceipts({
        folder: place.folder,
        state: place.state,
        disk,
        ledger,
        server: { host: 'localhost', port: peer.port, tls: wish.tls ?? 'starttls', ca: peer.ca },
        from: 'countersign@example.org',
        to: ['auditor@example.com', 'second@example.com'],
        every: 'daily',
        retryMs: [20],
        now: Date.now,
        sent: (size) => news.push(`sent ${size}`),
        failed: (why) => news.push(why),
        ...options,
      });
      closing.push(() => receipts.close());
    },
  };
}

test('a receipt arrives over STARTTLS, is recorded, and pins the log for the verifier', async () => {
  const { place, ledger, peer, news, open } = await world();
  open();
  await expect.poll(() => news).toEqual([expect.stringMatching(/^sent \d+$/)]);
  const [mail] = peer.mails;
  expect(mail).toMatchObject({ secure: true, to: ['auditor@example.com', 'second@example.com'] });
  const kept = noteOf(mail!.raw);
  await ledger.close();
  const report = await verifyLedger(place.folder, place.vkey, { kept: [kept] });
  expect(report).toMatchObject({ ok: true, continued: 1, pinned: Number(news[0]!.slice(5)) });
  expect(report.types['checkpoint.receipt']).toBe(1);
  // Whom it went to stands in the sealed payload alone.
  const journal = readFileSync(join(place.folder, 'journal', '000000000001'), 'latin1');
  expect(journal).toContain('"t":"checkpoint.receipt"');
  expect(journal).not.toContain('auditor@example.com');
});

test('what a receipt counts is what was recorded since the one before', async () => {
  const { place, ledger } = await world();
  const log = parseVkey(place.vkey);
  const first = await makeReceipt(place.folder, log, { size: 0, at: 0 }, 1_000_000);
  expect(first.text).toMatch(/statement\.decision\s+20\n/);
  expect(first.text).toMatch(new RegExp(`all\\s+${first.size}\\n`));
  for (let i = 0; i < 7; i++) ledger.append({ type: 'heartbeat', facts: {} }, 'written');
  await ledger.checkpointNow();
  const before = { origin: first.origin, size: first.size, at: 1_000_000 };
  const second = await makeReceipt(place.folder, log, before, 2_000_000);
  expect(second.text).toMatch(/since 1970-01-01 00:16 UTC/);
  expect(second.text).toMatch(/heartbeat\s+7\n\s+all\s+7\n/);
  // A log under another name counts from its own beginning; one that lost entries gives no receipt.
  const other = await makeReceipt(place.folder, log, { ...before, origin: 'earlier' }, 2_000_000);
  expect(other.text).toMatch(new RegExp(`all\\s+${second.size}\\n`));
  await expect(makeReceipt(place.folder, log, { ...before, size: 9_999 }, 2_000_000)).rejects.toThrow('set back');
});

describe('a server that does not take it', () => {
  test('greylisting: it is tried again until it is taken, and recorded once', async () => {
    const { place, ledger, peer, news, open } = await world();
    peer.refusals.push(451, 451, 450, 450);
    open();
    await expect.poll(() => news.at(-1), { timeout: 5_000 }).toMatch(/^sent/);
    expect(news.slice(0, -1)).toEqual([expect.stringContaining('45'), expect.stringContaining('45')]);
    expect(peer.mails).toHaveLength(1);
    await ledger.close();
    expect((await verifyLedger(place.folder, place.vkey)).types['checkpoint.receipt']).toBe(1);
  });

  test('one recipient refused: all are tried again', async () => {
    const { peer, news, open } = await world();
    peer.refusals.push(550);
    open();
    await expect.poll(() => news.at(-1), { timeout: 5_000 }).toMatch(/^sent/);
    expect(news[0]).toContain('refused 1 of 2');
    expect(peer.mails.at(-1)!.to).toHaveLength(2);
  });

  test('a wrong password: it is told without the password, which the server repeats', async () => {
    const { place, ledger, peer, news, open } = await world({ password: 'right-one' });
    const server = { host: 'localhost', port: peer.port, tls: 'starttls', ca: peer.ca, user: 'gw' } as const;
    open({ server: { ...server, password: () => Promise.resolve('secret-but-wrong') } });
    await expect.poll(() => news.length).toBeGreaterThan(1);
    expect(news.join('\n')).toContain('EAUTH, 535');
    expect(news.join('\n')).not.toContain('secret');
    open({ server: { ...server, password: () => Promise.resolve('right-one') } });
    await expect.poll(() => peer.mails.length).toBe(1);
    expect(peer.mails[0]!.user).toBe('gw');
    await ledger.close();
    expect((await verifyLedger(place.folder, place.vkey)).ok).toBe(true);
  });

  test.each([
    ['a certificate of a stranger', {}, { ca: undefined }],
    ['no STARTTLS where it is demanded', { tls: 'none' }, { tls: 'starttls' }],
  ] as const)('%s: nothing is sent', async (_name, wish, change) => {
    const { peer, news, open } = await world(wish);
    const server = { host: 'localhost', port: peer.port, tls: 'starttls' as const, ca: peer.ca, ...change };
    open({ server, retryMs: [60_000] });
    await expect.poll(() => news).toEqual([expect.stringContaining('did not take it')]);
    expect(peer.mails).toEqual([]);
  });

  test('implicit TLS, and loopback without', async () => {
    for (const tls of ['implicit', 'none'] as const) {
      const { peer, news, open } = await world({ tls });
      open();
      await expect.poll(() => news).toEqual([expect.stringMatching(/^sent/)]);
      expect(peer.mails[0]!.secure).toBe(tls === 'implicit');
    }
  });
});

test('after a start the next one is due at its time', async () => {
  const { peer, news, open, place } = await world();
  writeFileSync(
    join(place.state, 'last-receipt.json'),
    JSON.stringify({ origin: 'example.test/log', size: 1, at: Date.now() }),
  );
  open({ every: 'monthly' });
  await new Promise((wait) => setTimeout(wait, 100));
  expect({ news, mails: peer.mails.length }).toEqual({ news: [], mails: 0 });
});

describe('what mail does to a text', async () => {
  const { place } = await world();
  const { text } = await makeReceipt(place.folder, parseVkey(place.vkey), { size: 0, at: 0 }, Date.now());
  const note = readFileSync(join(place.folder, 'checkpoint'), 'utf8');
  const folder = mkdtempSync(join(place.root, '..', 'receipt-'));
  cpSync(place.folder, join(folder, 'ledger'), { recursive: true });
  const quotedPrintable = (of: string) =>
    of
      .replace(/[=\u0080-\uffff]/gu, (char) =>
        [...Buffer.from(char)].map((byte) => `=${byte.toString(16).toUpperCase()}`).join(''),
      )
      .replace(/(.{40})(?=.)/g, '$1=\r\n');
  const ways: [string, (of: string) => string][] = [
    ['nothing', (of) => of],
    ['other line ends', (of) => of.replaceAll('\n', '\r\n')],
    ['quoted-printable', quotedPrintable],
    ['quoting', (of) => of.replace(/^/gm, '> ')],
    [
      'quoting twice, narrow',
      (of) =>
        of
          .replace(/([^\s-]{30})/g, '$1\n')
          .replaceAll(' ', '\n')
          .replace(/^/gm, '> > '),
    ],
    ['one long line', (of) => of.replaceAll('\n', ' ')],
    [
      'base64',
      (of) =>
        `Content-Transfer-Encoding: base64\r\n\r\n${Buffer.from(of)
          .toString('base64')
          .replace(/(.{76})/g, '$1\r\n')}\r\n`,
    ],
    ['HTML', (of) => `<html><p>${of.replaceAll('\n', '<br class="x">')}</p></html>`],
    ['leading and trailing spaces', (of) => of.replace(/^/gm, '   ').replace(/$/gm, '  ')],
    [
      'a header and another mail before it',
      (of) =>
        `From: a\r\n\r\n-----BEGIN COUNTERSIGN CHECKPOINT-----\nAAAA\n-----END COUNTERSIGN CHECKPOINT-----\n${of}`,
    ],
  ];
  test.each(ways)('%s', (_name, way) => {
    expect(noteOf(way(text))).toBe(note);
  });

  test('a changed receipt is not believed', async () => {
    const begin = text.indexOf('CHECKPOINT-----\n') + 16;
    for (let at = begin; at < begin + 100; at += 9) {
      const changed = text.slice(0, at) + (text[at] === 'A' ? 'B' : 'A') + text.slice(at + 1);
      await expect(verifyLedger(join(folder, 'ledger'), place.vkey, { kept: [noteOf(changed)] })).rejects.toThrow();
    }
    rmSync(folder, { recursive: true });
  });

  test('no line of it is longer than mail likes', () => {
    expect(text.split('\n').filter((line) => line.length > 76)).toEqual([]);
    // oxlint-disable-next-line no-control-regex -- plain ASCII
    expect(text).toMatch(/^[\n -~]*$/);
  });
});

test('times: the next one, in UTC', () => {
  const next = (period: Parameters<typeof nextTime>[0], after: string) =>
    new Date(nextTime(period, Date.parse(after))).toISOString();
  expect(next('hourly', '2026-05-05T10:00:00Z')).toBe('2026-05-05T11:00:00.000Z');
  expect(next('daily', '2026-05-05T05:59:59Z')).toBe('2026-05-05T06:00:00.000Z');
  expect(next('daily', '2026-05-05T06:00:00Z')).toBe('2026-05-06T06:00:00.000Z');
  expect(next('weekly', '2026-05-05T06:00:00Z')).toBe('2026-05-11T06:00:00.000Z');
  expect(next('weekly', '2026-05-11T05:00:00Z')).toBe('2026-05-11T06:00:00.000Z');
  expect(next('monthly', '2026-12-01T06:00:00Z')).toBe('2027-01-01T06:00:00.000Z');
  expect(next('monthly', '2026-12-01T05:00:00Z')).toBe('2026-12-01T06:00:00.000Z');
});
