// The page that verifies a ledger, opened as a file in a real browser without a network: good ledgers, damaged ones, and
// whatever else a stranger may do with it.
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { openLedger } from '../../src/ledger/ledger.ts';
import { leafHash } from '../../src/ledger/hash.ts';
import { rotateLedger } from '../../src/ledger/rotation.ts';
import { readTiles } from '../../src/ledger/tile-reading.ts';
import { formatTlogProof } from '../../src/ledger/tlog-proof.ts';
import { openRecorder } from '../../src/recordings/recorder.ts';
import { launch, type Look, type Opened, openWindow } from '../peers/browser.ts';
import { fillLedger, type LedgerPlace, ledgerPlace } from '../peers/ledger.ts';
import { zipOf } from '../peers/zip.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const address = pathToFileURL(resolve(import.meta.dirname, '../../dist/verify.html')).href;
const desktop: Look = { width: 1280, height: 900, theme: 'light' };

let place: LedgerPlace;
let data: string;
let browser: Browser;
const opened: Opened[] = [];
const asked: string[] = [];

beforeAll(async () => {
  browser = await launch();
  // Several segments and tiles, a session with a recording; ledger and recordings in one folder.
  place = await ledgerPlace({ segmentEntries: 200 });
  const { ledger } = await openLedger(place);
  await fillLedger(ledger, 3, 120);
  const key = ledger.newKey();
  const session = 'recorded-1';
  const recordings = join(place.root, 'recordings');
  mkdirSync(recordings);
  const recorder = openRecorder({ folder: recordings, session, key });
  ledger.append({ type: 'session.open', session, facts: {}, payload: { who: { name: 'somebody' } } }, 'written', key);
  recorder.write('client', 1, Buffer.from('select 1'));
  ledger.append(
    { type: 'session.seal', session, facts: { n: 0, recording: { ...(await recorder.seal()) } } },
    'written',
  );
  await ledger.close();
  data = join(place.root, 'data');
  cpSync(place.folder, join(data, 'ledger'), { recursive: true });
  cpSync(recordings, join(data, 'recordings'), { recursive: true });
}, 60_000);

afterEach(async () => {
  const said = opened.flatMap(({ complaints }) => complaints.said);
  await Promise.all(opened.splice(0).map(({ context }) => context.close()));
  expect(said).toEqual([]);
  expect(asked.splice(0)).toEqual([]);
});

afterAll(async () => {
  await browser?.close();
  place?.remove();
});

/** The page, from its file, with the network off; anything else that it asks for is noted. */
async function openPage(look: Look = desktop): Promise<Page> {
  const one = await openWindow(browser, look);
  opened.push(one);
  await one.context.setOffline(true);
  one.page.on('request', (request) => {
    if (request.url() !== address && !request.url().startsWith('blob:')) asked.push(request.url());
  });
  await one.page.goto(address);
  return one.page;
}

async function verify(page: Page, folder: string, key = place.vkey): Promise<string> {
  await page.locator('#folder').setInputFiles(folder);
  await page.getByLabel('Verifier key, one line').fill(key);
  await page.getByRole('button', { name: 'Verify' }).click();
  return resultOf(page);
}

async function resultOf(page: Page): Promise<string> {
  const result = page.locator('#result');
  await result.waitFor({ timeout: 60_000 });
  return result.innerText();
}

function copy(): string {
  const folder = mkdtempSync(join(place.root, 'copy-'));
  cpSync(data, folder, { recursive: true });
  return folder;
}

async function hasNoViolation(page: Page, what: string): Promise<void> {
  // The page's own policy lets nothing in: the checker comes by the debugger's way.
  await page.evaluate(axe);
  const violations = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
    };
    return (await axe.run()).violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
  });
  expect(violations, what).toEqual([]);
}

test('it is one file that may load nothing', () => {
  const html = readFileSync(resolve(import.meta.dirname, '../../dist/verify.html'), 'utf8');
  expect(html).toContain(`content="default-src 'none'; script-src 'sha256-`);
  expect(html).not.toMatch(/unsafe|https?:\/\/(?!(www\.)?w3\.org)/);
  expect(html.match(/<(script|style|link|img|iframe)\b/g)).toEqual(['<style', '<script']);
});

test('a good ledger, with its recordings', async () => {
  const page = await openPage();
  const workers: string[] = [];
  page.on('worker', (worker) => workers.push(worker.url()));
  const text = await verify(page, data);
  expect(workers).toEqual([expect.stringMatching(/^blob:/)]);
  expect(text).toContain('✓ Verified');
  expect(text).toMatch(/Recordings\s+1 checked/);
  expect(text).toMatch(/4 opened: 4 sealed, 0 open/);
  expect(text).toMatch(/statement\.decision\s+360/);
  expect(text).toContain('none given');
  await expect.poll(() => page.evaluate('document.activeElement?.id')).toBe('result');
});

test('checkpoints that were kept, and a log that was set back', async () => {
  const now = readFileSync(join(place.folder, 'checkpoint'));
  const page = await openPage();
  await page.getByText('What you kept, and witnesses').click();
  await page.getByLabel('Checkpoints or receipts').setInputFiles({ name: 'kept', mimeType: 'text/plain', buffer: now });
  expect(await verify(page, data)).toContain('1, and the log continues each');

  const shorter = await ledgerPlace();
  const folder = copy();
  const { ledger } = await openLedger(place);
  await fillLedger(ledger, 1, 5);
  await ledger.close();
  const later = readFileSync(join(place.folder, 'checkpoint'));
  await page
    .getByLabel('Checkpoints or receipts')
    .setInputFiles({ name: 'kept', mimeType: 'text/plain', buffer: later });
  const text = await verify(page, folder);
  expect(text).toContain('✗ Not verified');
  expect(text).toContain('a checkpoint that was kept covers');
  shorter.remove();
});

describe('damage is named', () => {
  const flip = (path: string, at: number) => {
    const bytes = readFileSync(path);
    bytes[at] = bytes[at]! ^ 1;
    writeFileSync(path, bytes);
  };
  const cases: [string, (folder: string) => void, RegExp][] = [
    [
      'a changed byte of the journal',
      (f) => flip(join(f, 'ledger/journal/000000000000'), 300),
      /journal\/000000000000/,
    ],
    ['a changed tile', (f) => flip(join(f, 'ledger/tile/0/000'), 64), /tile\/0\/000[\s\S]*Entry\s+0/],
    ['a removed bundle', (f) => rmSync(join(f, 'ledger/tile/entries/001')), /tile\/entries\/001/],
    [
      'a removed segment',
      (f) => rmSync(join(f, 'ledger/journal', readdirSync(join(f, 'ledger/journal')).sort()[1]!)),
      /are missing/,
    ],
    ['a changed checkpoint', (f) => flip(join(f, 'ledger/checkpoint'), 30), /checkpoint does not verify|not a number/],
    ['a removed checkpoint', (f) => rmSync(join(f, 'ledger/checkpoint')), /there is no checkpoint/i],
    ['a changed recording', (f) => flip(join(f, 'recordings/re/recorded-1.rec'), 70), /re\/recorded-1\.rec/],
    [
      'a file that does not belong',
      (f) => writeFileSync(join(f, 'ledger/<img src=x onerror=alert(1)>\u202e.txt'), 'x'),
      /<img src=x onerror=alert\(1\)>\\u\{202e\}\.txt/,
    ],
  ];
  test.each(cases)('%s', async (_name, damage, named) => {
    const folder = copy();
    damage(folder);
    const page = await openPage();
    const text = await verify(page, folder);
    expect(text).toContain('✗ Not verified');
    expect(text).toMatch(named);
    expect(await page.locator('#result img').count()).toBe(0);
  });
});

test('what cannot be verified at all says why', async () => {
  const page = await openPage();
  await page.getByRole('button', { name: 'Verify' }).click();
  expect(await resultOf(page)).toContain('Pick the folder');
  expect(await verify(page, data, 'nonsense')).toContain('not of the form');
  expect(await verify(page, join(data, 'recordings'))).toContain('There is no ledger in it');
});

test('logs that continue each other, and the same twice', async () => {
  const old = await ledgerPlace();
  const first = await openLedger(old);
  await fillLedger(first.ledger, 1, 5);
  await first.ledger.close();
  const both = join(old.root, 'both');
  const next = { folder: join(both, 'next'), signing: join(old.state, 'next') };
  await rotateLedger({ ...old, next, origin: 'example.test/next', reason: 'routine', recordEnds: async () => {} });
  cpSync(old.folder, join(both, 'old'), { recursive: true });
  const page = await openPage();
  const text = await verify(page, both, old.vkey);
  expect(text).toMatch(/✓ Verified[\s\S]*example\.test\/next and the 1 before it/);
  expect(await page.getByRole('heading', { level: 2, name: 'example.test/log' }).count()).toBe(1);
  await hasNoViolation(page, 'two logs');
  rmSync(join(both, 'old', 'tile', '0'), { recursive: true });
  expect(await verify(page, both, old.vkey)).toMatch(/✗ Not verified[\s\S]*both\/old\/tile\/0/);
  const two = copy();
  cpSync(join(two, 'ledger'), join(two, 'second'), { recursive: true });
  expect(await verify(page, two)).toContain('✗ Not verified');
  old.remove();
});

test('a ZIP, picked and dropped; a damaged one', async () => {
  const files: Record<string, Buffer> = {};
  for (const name of readdirSync(data, { recursive: true, encoding: 'utf8' })) {
    if (statSync(join(data, name)).isFile()) files[`audit/${name}`] = readFileSync(join(data, name));
  }
  const zip = zipOf(files);
  const page = await openPage();
  await page.getByLabel('Verifier key, one line').fill(place.vkey);
  const pick = async (buffer: Buffer) => {
    await page.locator('#zip').setInputFiles({ name: 'audit.zip', mimeType: 'application/zip', buffer });
    await page.getByRole('button', { name: 'Verify' }).click();
    return resultOf(page);
  };
  expect(await pick(zip)).toMatch(/✓ Verified[\s\S]*1 checked/);
  expect(await pick(zip.subarray(0, -30))).toContain('not a ZIP');
  const changed = { ...files, 'audit/ledger/tile/0/000': Buffer.alloc(8192) };
  expect(await pick(zipOf(changed))).toMatch(/✗ Not verified[\s\S]*tile\/0\/000/);
  await page.evaluate(`
    const transfer = new DataTransfer();
    const bytes = Uint8Array.from(atob('${zip.toString('base64')}'), (char) => char.charCodeAt(0));
    transfer.items.add(new File([bytes], 'dropped.zip'));
    document.getElementById('drop').dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true }));
  `);
  await page.getByText('dropped.zip (').waitFor();
  await page.getByRole('button', { name: 'Verify' }).click();
  expect(await resultOf(page)).toMatch(/✓ Verified[\s\S]*1 checked/);
});

test('one record by its proof', async () => {
  const checkpoint = readFileSync(join(place.folder, 'checkpoint'), 'utf8');
  const size = Number(checkpoint.split('\n')[1]);
  const tiles = readTiles(async (path) => readFileSync(join(place.folder, path)), size);
  const entry = await tiles.entry(14);
  const proof = formatTlogProof({ index: 14, path: await tiles.inclusion(14), checkpoint });
  expect(leafHash(entry).length).toBe(32);
  const page = await openPage();
  await page.getByLabel('Verifier key, one line').fill(place.vkey);
  await page.getByText('Check one record').click();
  const check = async (bytes: Buffer) => {
    await page
      .getByLabel('Proof (.tlog-proof)')
      .setInputFiles({ name: 'p', mimeType: 'text/plain', buffer: Buffer.from(proof) });
    await page.getByLabel('Entry (.json)').setInputFiles({ name: 'e', mimeType: 'text/plain', buffer: bytes });
    await page.getByRole('button', { name: 'Check the record' }).click();
    await page.locator('#proof-result:not(:empty)').waitFor();
    return page.locator('#proof-result').innerText();
  };
  expect(await check(entry)).toContain(`✓ Proven: the entry stands at 14 of ${size}`);
  await page.locator('#proof-result').evaluate((node) => node.replaceChildren());
  expect(await check(Buffer.concat([entry, Buffer.from(' ')]))).toContain('✗ Not proven');
});

test('by keyboard alone', async () => {
  const page = await openPage();
  await page.locator('#folder').setInputFiles(data);
  const reached: string[] = [];
  for (let i = 0; i < 12 && reached.at(-1) !== 'verify'; i++) {
    await page.keyboard.press('Tab');
    reached.push(await page.evaluate<string>('document.activeElement.id || document.activeElement.tagName'));
    if (reached.at(-1) === 'key') await page.keyboard.type(place.vkey);
  }
  expect(reached).toEqual(['pick-folder', 'pick-zip', 'key', 'SUMMARY', 'verify']);
  await page.keyboard.press('Enter');
  expect(await resultOf(page)).toContain('✓ Verified');
});

test('without a worker it is done in slices', async () => {
  const one = await openWindow(browser, desktop);
  opened.push(one);
  await one.page.addInitScript('globalThis.Worker = class { constructor() { throw new Error("none"); } }');
  await one.page.goto(address);
  expect(await verify(one.page, data)).toContain('✓ Verified');
});

describe.each([
  ['desktop', 1280, 900],
  ['phone', 390, 844],
] as const)('on a %s', (name, width, height) => {
  test.each(['light', 'dark'] as const)('%s: nothing is wrong for anyone', async (theme) => {
    const page = await openPage({ width, height, theme });
    await page.getByText('What you kept, and witnesses').click();
    await page.getByText('Check one record').click();
    await hasNoViolation(page, 'before');
    const folder = copy();
    rmSync(join(folder, 'ledger/tile/0/000'));
    for (const [state, path] of [
      ['bad', folder],
      ['good', data],
    ] as const) {
      await verify(page, path);
      await hasNoViolation(page, state);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
      const pictures = process.env.COUNTERSIGN_PICTURES;
      if (pictures)
        await page.screenshot({ path: join(pictures, `verify-${name}-${theme}-${state}.png`), fullPage: true });
    }
  });
});
