// Time stamps of checkpoints by a real authority (`openssl ts`), one that misbehaves, and what the verifier makes of them.
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fillLedger, type LedgerPlace, ledgerPlace } from '../../test/peers/ledger.ts';
import { type Behaviour, type TimestampAuthority, timestampAuthority } from '../../test/peers/timestamp-authority.ts';
import { disk } from '../ledger/disk.ts';
import { type Ledger, openLedger } from '../ledger/ledger.ts';
import { readTimestamp } from '../ledger/timestamp-token.ts';
import { verifyLedger } from '../ledger/verify-disk.ts';
import { verifySummary } from '../ledger/verify-summary.ts';
import { authoritiesOf, judgeTimestamp, timestampRequest, type Wish } from './timestamp.ts';
import { openTimestamping, type TimestampingOptions } from './timestamping.ts';

let authority: TimestampAuthority;
beforeAll(async () => {
  authority = await timestampAuthority();
}, 60_000);
afterAll(() => authority.stop());

/** Opens time stamping and resolves with the first news of it. */
function once(place: LedgerPlace, ledger: Ledger, options: Partial<TimestampingOptions> = {}) {
  const news: string[] = [];
  const heard = Promise.withResolvers<string>();
  const tell = (what: string) => {
    news.push(what);
    heard.resolve(what);
  };
  const stamping = openTimestamping({
    folder: place.folder,
    temporary: join(place.state, 'tmp'),
    disk,
    ledger,
    url: authority.url,
    ca: authority.ca,
    everyMs: 3_600_000,
    patienceMs: 5_000,
    fetch: globalThis.fetch,
    now: Date.now,
    stamped: (size) => tell(`stamped ${size}`),
    failed: tell,
    ...options,
  });
  return { news, first: heard.promise, close: stamping.close };
}

async function stampedLedger(): Promise<LedgerPlace> {
  authority.behave('right');
  const place = await ledgerPlace();
  const { ledger } = await openLedger(place);
  await fillLedger(ledger, 1, 20);
  await ledger.checkpointNow();
  const { first, close } = once(place, ledger);
  expect(await first).toMatch(/^stamped \d+$/);
  await close();
  for (let i = 0; i < 5; i++) ledger.append({ type: 'heartbeat', facts: {} }, 'written');
  await ledger.close();
  return place;
}

describe('a checkpoint that was stamped', () => {
  let place: LedgerPlace;
  let size: string;
  beforeAll(async () => {
    place = await stampedLedger();
    size = readdirSync(join(place.folder, 'timestamps'))
      .find((name) => name.endsWith('.tsr'))!
      .replace('.tsr', '');
  }, 30_000);
  afterAll(() => place.remove());

  test('is reported by the verifier, and recorded', async () => {
    const report = await verifyLedger(place.folder, place.vkey);
    expect(report.failure).toBeUndefined();
    expect(report.stamped).toEqual([{ size: Number(size), at: expect.any(Number) }]);
    expect(Math.abs(report.stamped[0]!.at - Date.now())).toBeLessThan(60_000);
    expect(report.types['checkpoint.timestamp']).toBe(1);
    expect(verifySummary(report)).toContain(`Time stamps         1, the newest of ${size} entries`);
  });

  test('verifies with openssl alone, and not when its text is changed', () => {
    const [stamp, note] = [`${size}.tsr`, `${size}.checkpoint`].map((name) => join(place.folder, 'timestamps', name));
    const text = readFileSync(note!, 'utf8').split('\n\n')[0]!;
    const file = join(place.root, 'text');
    const verify = () =>
      spawnSync('openssl', ['ts', '-verify', '-data', file, '-in', stamp!, '-CAfile', authority.caFile], {
        encoding: 'utf8',
      });
    writeFileSync(file, `${text}\n`);
    expect(verify().stdout + verify().stderr).toContain('Verification: OK');
    writeFileSync(file, `${text}x\n`);
    expect(verify().status).not.toBe(0);
    const shown = execFileSync('openssl', ['ts', '-reply', '-in', stamp!, '-text'], { encoding: 'utf8' });
    const year = new Date(readTimestamp(readFileSync(stamp!))!.at).getUTCFullYear();
    expect(shown).toContain(`${year} GMT`);
  });

  const stamps = (folder: string, name: string) => join(folder, 'timestamps', name);
  const flip = (path: string, at: number) => {
    const bytes = readFileSync(path);
    bytes[at] = bytes[at]! ^ 1;
    writeFileSync(path, bytes);
  };
  const cases: [string, (folder: string) => void, RegExp][] = [
    [
      'removed',
      (f) => ['tsr', 'checkpoint'].forEach((kind) => rmSync(stamps(f, `${size}.${kind}`))),
      /missing that the log recorded/,
    ],
    ['without its checkpoint', (f) => rmSync(stamps(f, `${size}.checkpoint`)), /checkpoint of a time stamp is missing/],
    [
      'of another checkpoint',
      (f) => cpSync(join(f, 'checkpoint'), stamps(f, `${size}.checkpoint`)),
      /does not verify: it covers/,
    ],
    [
      'with a changed signature',
      (f) => flip(stamps(f, `${size}.tsr`), readFileSync(stamps(f, `${size}.tsr`)).length - 1),
      /not the one that the log recorded/,
    ],
    [
      'of another checkpoint, and not recorded',
      (f) => {
        const now = readFileSync(join(f, 'checkpoint'), 'utf8').split('\n')[1]!;
        cpSync(join(f, 'checkpoint'), stamps(f, `${now}.checkpoint`));
        cpSync(stamps(f, `${size}.tsr`), stamps(f, `${now}.tsr`));
      },
      /not of the checkpoint beside it/,
    ],
    ['that is none', (f) => writeFileSync(stamps(f, `${size}.tsr`), 'x'), /no time stamp/],
    [
      'under another size',
      (f) => {
        for (const kind of ['tsr', 'checkpoint']) renameSync(stamps(f, `${size}.${kind}`), stamps(f, `7.${kind}`));
      },
      /does not verify: it covers/,
    ],
    ['with a stranger beside it', (f) => writeFileSync(stamps(f, '07.tsr'), ''), /does not belong/],
  ];
  test.each(cases)('%s: the verifier names it', async (_name, damage, named) => {
    const folder = join(place.root, `copy-${Math.random()}`);
    cpSync(place.folder, folder, { recursive: true });
    damage(folder);
    const { failure } = await verifyLedger(folder, place.vkey);
    expect(failure?.file).toContain('timestamps/');
    expect(failure?.what).toMatch(named);
  });

  test('every changed byte of it is found', async () => {
    const folder = join(place.root, 'flipped');
    cpSync(place.folder, folder, { recursive: true });
    for (const name of readdirSync(join(folder, 'timestamps'))) {
      const path = stamps(folder, name);
      const length = readFileSync(path).length;
      for (let at = 0; at < length; at += 17) {
        flip(path, at);
        expect((await verifyLedger(folder, place.vkey)).ok, `byte ${at} of ${name}`).toBe(false);
        flip(path, at);
      }
    }
    expect((await verifyLedger(folder, place.vkey)).ok).toBe(true);
  });
});

describe('an authority that misbehaves', () => {
  const cases: [Behaviour, RegExp][] = [
    ['down', /answered 503/],
    ['garbage', /not a time stamp/],
    ['endless', /too long/],
    ['two-purposes', /not for time stamps alone/],
    ['not-critical', /not for time stamps alone/],
    ['swapped', /does not name its certificate/],
    ['stranger', /certificate/],
  ];
  test.each(cases)('%s: nothing is kept of it, and it is asked again', async (how, why) => {
    authority.behave(how);
    const place = await ledgerPlace();
    const { ledger } = await openLedger(place);
    const stamping = once(place, ledger, { retryMs: [20] });
    expect(await stamping.first).toMatch(why);
    const before = authority.asked();
    await expect.poll(() => authority.asked()).toBeGreaterThan(before);
    expect(existsSync(join(place.folder, 'timestamps'))).toBe(false);
    authority.behave('right');
    await expect.poll(() => stamping.news.at(-1), { timeout: 5_000 }).toMatch(/^stamped/);
    await stamping.close();
    await ledger.close();
    expect((await verifyLedger(place.folder, place.vkey)).failure).toBeUndefined();
    place.remove();
  });

  test('an answer to another request is refused', async () => {
    authority.behave('replays');
    const place = await ledgerPlace();
    const { ledger } = await openLedger(place);
    const stamping = once(place, ledger, { everyMs: 1, retryMs: [20] });
    await stamping.first;
    await expect.poll(() => stamping.news.find((what) => /answers another|something else/.test(what))).toBeDefined();
    await stamping.close();
    await ledger.close();
    place.remove();
  });

  test('an answer to the same text and another nonce is refused', async () => {
    authority.behave('right');
    const wish = { text: Buffer.from('a checkpoint\n'), nonce: Buffer.from('00112233', 'hex') };
    const reply = await fetch(authority.url, { method: 'POST', body: new Uint8Array(timestampRequest(wish)) });
    const answer = Buffer.from(await reply.arrayBuffer());
    const authorities = authoritiesOf(authority.ca);
    const judge = (of: Wish) => judgeTimestamp(answer, of, authorities, Date.now());
    expect(await judge(wish)).toEqual({ at: expect.any(Number), tsa: expect.stringMatching(/^[0-9a-f]{64}$/) });
    await expect(judge({ ...wish, nonce: Buffer.from('00112234', 'hex') })).rejects.toThrow('another request');
    await expect(judge({ ...wish, text: Buffer.from('another\n') })).rejects.toThrow('something else');
  });

  test('a clock that is far away is refused', async () => {
    authority.behave('right');
    const place = await ledgerPlace();
    const { ledger } = await openLedger(place);
    const stamping = once(place, ledger, { now: () => Date.now() + 3_600_000, retryMs: [60_000] });
    expect(await stamping.first).toContain('far from ours');
    await stamping.close();
    await ledger.close();
    place.remove();
  });
});

test('after a start the next one is due when the last one is old enough', async () => {
  const place = await stampedLedger();
  const { ledger } = await openLedger(place);
  const before = authority.asked();
  const stamping = once(place, ledger);
  await new Promise((wait) => setTimeout(wait, 100));
  expect(authority.asked()).toBe(before);
  await stamping.close();
  await ledger.close();
  place.remove();
});

test('a stamp that is recorded beyond the checkpoint may be on its way; under it, it must be there', async () => {
  const place = await ledgerPlace({ periodMs: 60_000 });
  const { ledger } = await openLedger(place);
  await ledger.checkpointNow();
  const facts = { size: 1, at: 0, sha256: '00', tsa: '00' };
  await ledger.append({ type: 'checkpoint.timestamp', facts }, 'synced').durable;
  expect((await verifyLedger(place.folder, place.vkey)).failure).toBeUndefined();
  await ledger.checkpointNow();
  expect((await verifyLedger(place.folder, place.vkey)).failure?.what).toContain('missing that the log recorded');
  await ledger.close();
  place.remove();
});
