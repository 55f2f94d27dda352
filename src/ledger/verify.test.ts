// The verifier against a ledger that somebody tampered with: in bytes, in files, and in what a dishonest writer signs.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fillLedger, type LedgerPlace, ledgerPlace } from '../../test/peers/ledger.ts';
import type { Draft } from '../domain/entry.ts';
import { openRecorder } from '../recordings/recorder.ts';
import { openKeyring } from './keyring.ts';
import { destroyKeys } from './keys-destruction.ts';
import { type Ledger, openLedger } from './ledger.ts';
import { readJournal } from './read-journal.ts';
import { verifyLedger } from './verify-disk.ts';
import { verifySummary } from './verify-summary.ts';
import { emptyRoot } from './hash.ts';
import { verifies } from '../../test/requirements.ts';

let place: LedgerPlace;
let recordings: string;
const key = { id: '' };

beforeAll(async () => {
  // Several segments, complete and partial tiles, two boots, one sealed recording.
  place = await ledgerPlace({ segmentEntries: 120 });
  recordings = join(place.root, 'recordings');
  mkdirSync(recordings);
  const one = await openLedger(place);
  await fillLedger(one.ledger, 2, 40);
  await one.ledger.close();
  const two = await openLedger(place);
  await fillLedger(two.ledger, 2, 45);
  const sessionKey = two.ledger.newKey();
  key.id = sessionKey.id;
  const session = 'recorded-1';
  const recorder = openRecorder({ folder: recordings, session, key: sessionKey });
  const payload = { who: { name: 'somebody' } };
  two.ledger.append({ type: 'session.open', session, facts: {}, payload }, 'written', sessionKey);
  recorder.write('client', 1, Buffer.from('select 1'));
  const recording = { ...(await recorder.seal()) };
  two.ledger.append({ type: 'session.seal', session, facts: { n: 0, recording } }, 'written');
  await two.ledger.close();
});
afterAll(() => place.remove());

const files = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => statSync(join(folder, name)).isFile());

function copy(): string {
  const to = join(place.root, `copy-${Math.random()}`);
  cpSync(place.folder, to, { recursive: true });
  return to;
}

test('the untouched ledger verifies, with its recordings', async () => {
  const report = await verifyLedger(place.folder, place.vkey, { recordings });
  expect(report.failure).toBeUndefined();
  expect(report).toMatchObject({ ok: true, recordings: 1, boots: 2, sessions: { sealed: 5 } });
  expect(report.size).toBeGreaterThan(300);
  expect(files(place.folder).filter((name) => name.startsWith('journal')).length).toBeGreaterThan(3);
});

test(verifies('nothing-missing', 'every changed byte of every file is found'), async () => {
  const folder = copy();
  const start = 80 + Math.floor(Math.random() * 211);
  let flips = 0;
  for (const name of files(folder)) {
    const path = join(folder, name);
    const good = readFileSync(path);
    // All bytes of the small files, every 211th of the large ones from a random one on.
    const step = good.length <= 512 ? 1 : 211;
    // The first bytes of each file always: headers of segments and frames.
    for (let i = 0; i < good.length; i = i < 79 || step === 1 ? i + 1 : i < start ? start : i + step) {
      const bad = Buffer.from(good);
      bad[i] = bad[i]! ^ (1 << (i % 8));
      writeFileSync(path, bad);
      const report = await verifyLedger(folder, place.vkey);
      if (report.ok) throw new Error(`byte ${i} of ${name} was changed and not found`);
      flips++;
    }
    writeFileSync(path, good);
  }
  expect((await verifyLedger(folder, place.vkey)).ok).toBe(true);
  expect(flips).toBeGreaterThan(1000);
}, 120_000);

test(verifies('nothing-missing', 'every removed, emptied, lengthened or added file is found, and named'), async () => {
  const folder = copy();
  for (const name of files(folder)) {
    const path = join(folder, name);
    const good = readFileSync(path);
    for (const change of [
      () => rmSync(path),
      () => writeFileSync(path, ''),
      () => writeFileSync(path, Buffer.concat([good, Buffer.from('x')])),
      () => writeFileSync(path, good.subarray(0, -1)),
    ]) {
      change();
      const report = await verifyLedger(folder, place.vkey);
      expect(report.ok, `${name} after ${change}`).toBe(false);
      expect(report.failure!.meaning.length).toBeGreaterThan(10);
      writeFileSync(path, good);
    }
  }
  for (const name of ['notes.txt', 'tile/0/001x', 'tile/9/000', 'tile/entries/009', 'journal/x', 'tile/0/000.p/300']) {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), 'x');
    expect((await verifyLedger(folder, place.vkey)).failure?.file, name).toBe(name);
    rmSync(join(folder, name));
  }
  expect((await verifyLedger(folder, place.vkey)).ok).toBe(true);
});

test('a removed middle segment, and a removed end, are found', async () => {
  const folder = copy();
  const names = readdirSync(join(folder, 'journal')).sort();
  renameSync(join(folder, 'journal', names[2]!), join(folder, 'kept'));
  rmSync(join(folder, 'kept'));
  expect((await verifyLedger(folder, place.vkey)).failure).toMatchObject({
    what: expect.stringContaining('are missing'),
  });
  const other = copy();
  rmSync(join(other, 'journal', names.at(-1)!));
  expect((await verifyLedger(other, place.vkey)).failure?.what).toContain('the checkpoint covers');
});

test('the wrong key, and the checkpoint of another log, do not verify', async () => {
  const other = await ledgerPlace();
  expect((await verifyLedger(place.folder, other.vkey)).failure?.file).toBe('checkpoint');
  const folder = copy();
  cpSync(join(other.folder, 'checkpoint'), join(folder, 'checkpoint'));
  expect((await verifyLedger(folder, place.vkey)).failure?.file).toBe('checkpoint');
  await expect(verifyLedger(folder, 'nonsense')).rejects.toThrow('verifier key');
  other.remove();
});

test('a destroyed key takes the content and leaves every proof', async () => {
  const copyOfState = join(place.root, 'state-copy');
  cpSync(place.state, copyOfState, { recursive: true });
  expect(destroyKeys(copyOfState, [key.id])).toBe(1);
  expect(destroyKeys(copyOfState, [key.id])).toBe(0);
  const keyring = openKeyring(copyOfState);
  const payloads = [];
  for await (const { entry, payload } of readJournal(place.folder, 0, keyring)) {
    if (entry.k === key.id) payloads.push(payload);
  }
  keyring.close();
  expect(payloads).toEqual(['shredded']);
  expect((await verifyLedger(place.folder, place.vkey, { recordings })).ok).toBe(true);
});

test('a changed, removed or foreign recording is found', async () => {
  const path = join(recordings, 're', 'recorded-1.rec');
  const good = readFileSync(path);
  const check = async () => (await verifyLedger(place.folder, place.vkey, { recordings })).failure;
  writeFileSync(path, good.subarray(0, -1));
  expect((await check())?.file).toBe(join('re', 'recorded-1.rec'));
  rmSync(path);
  expect((await check())?.what).toContain('missing');
  writeFileSync(path, good);
  writeFileSync(join(recordings, 're', 'other.rec'), good);
  expect((await check())?.what).toContain('no session');
  rmSync(join(recordings, 're', 'other.rec'));
  expect(await check()).toBeUndefined();
});

// What a writer may not do even with the key in its hand: each list of entries is signed and well formed.
const open: Draft = { type: 'session.open', session: 's-1', facts: {} };
const decision = (sequence: number, d = 'permit'): Draft => ({
  type: 'statement.decision',
  session: 's-1',
  sequence,
  facts: { d },
});
const outcome = (sequence: number): Draft => ({ type: 'statement.outcome', session: 's-1', sequence, facts: {} });
const seal = (n: number): Draft => ({ type: 'session.seal', session: 's-1', facts: { n } });
const ruled = (recording: string): Draft => ({ ...open, facts: { recording } });
const some = (bytes: number, status = 'done'): Draft[] => [
  decision(1),
  { ...outcome(1), facts: { bytes, status } },
  decision(2, 'deny'),
];
const stamp = (target: number, rule: string) => ({
  bytes: 0,
  chunks: 0,
  root: emptyRoot.toString('hex'),
  kept: { client: 0, target },
  rule,
});
const stamped = (recording: object): Draft => ({
  type: 'session.seal',
  session: 's-1',
  facts: { recording: recording as Draft['facts'] },
});
const cases: [string, Draft[], string | undefined][] = [
  [
    'a whole session',
    [open, decision(1), outcome(1), decision(2), decision(3), outcome(3), outcome(2), seal(3)],
    undefined,
  ],
  [
    'a held statement is decided again',
    [open, decision(1, 'hold'), decision(2), decision(1), outcome(1), seal(2)],
    undefined,
  ],
  [
    'outcomes without a number of their own',
    [open, decision(1), { ...outcome(1), sequence: undefined }, seal(1)],
    undefined,
  ],
  ['a gap', [open, decision(1), decision(3)], 'sequence number 2'],
  ['a start above one', [open, decision(2)], 'sequence number 1'],
  ['a repeated decision', [open, decision(1), decision(1)], 'decided twice'],
  [
    'outcomes that reached what their decisions asked for, or more',
    [
      open,
      { ...decision(1), facts: { d: 'permit', a: 'written', k: 'connect' } },
      { ...decision(2), facts: { d: 'permit', a: 'written' } },
      { ...outcome(2), facts: { l: 'synced' } },
      { ...decision(3), facts: { d: 'permit', a: 'replicated' } },
      { ...outcome(3), facts: { l: 'replicated' } },
      { ...seal(3), facts: { n: 3, l: 'written' } },
    ],
    undefined,
  ],
  [
    'a statement that was let through too early',
    [open, { ...decision(1), facts: { d: 'permit', a: 'synced' } }, { ...outcome(1), facts: { l: 'written' } }],
    'statement 1 of the session was let through before its record was synced',
  ],
  [
    'a session that was let through too early',
    [
      open,
      { ...decision(1), facts: { d: 'permit', a: 'replicated', k: 'connect' } },
      { ...seal(1), facts: { n: 1, l: 'synced' } },
    ],
    'the session was let through before its record was replicated',
  ],
  [
    'a level that there is not',
    [open, { ...decision(1), facts: { d: 'permit', a: 'written' } }, { ...outcome(1), facts: { l: 'certain' } }],
    'let through before its record',
  ],
  ['two outcomes', [open, decision(1), outcome(1), outcome(1)], 'or a second one'],
  ['an outcome of a statement that nobody decided', [open, decision(1), outcome(2)], 'no decision'],
  ['an outcome of a denied statement', [open, decision(1, 'deny'), outcome(1)], 'without a permit'],
  ['an outcome of a held statement', [open, decision(1, 'hold'), outcome(1)], 'without a permit'],
  ['a seal that counts more', [open, decision(1), seal(2)], 'sealed with 2'],
  ['a seal that counts less', [open, decision(1), decision(2), seal(1)], 'sealed with 1'],
  ['a statement after the seal', [open, seal(0), decision(1)], 'after its end'],
  ['a statement without a session', [decision(1)], 'not opened'],
  ['a session opened twice', [open, open], 'a second time'],
  ['a session opened again', [open, seal(0), open], 'a second time'],
  ['a decision without a number', [open, { ...decision(1), sequence: undefined }], 'no sequence'],
  ['a second genesis', [{ type: 'log.genesis', facts: { origin: 'example.test/log' } }], 'a second time'],
  ['a false start', [{ type: 'gateway.start', facts: {} }], 'wrong boot'],
  ['a false seal of a segment', [{ type: 'journal.seal', facts: { first: 0 } }], 'did not end'],
  ['a recording kept as its rule says', [ruled('rows 10'), ...some(900), stamped(stamp(900, 'rows 10'))], undefined],
  [
    'a recording that accounts for what it left out',
    [
      ruled('rows 10'),
      ...some(900),
      stamped({ ...stamp(100, 'rows 10'), unkept: { client: 0, rows: 8, target: 800 } }),
    ],
    undefined,
  ],
  ['what was lost is owed to nobody', [ruled('full'), ...some(900, 'lost'), stamped(stamp(0, 'full'))], undefined],
  ['a rule that there is not', [ruled('some'), stamped(stamp(0, 'some'))], 'no rule that there is'],
  ['a seal under no rule', [ruled('full'), stamped({ ...stamp(0, 'full'), rule: undefined })], 'sealed under no rule'],
  ['a seal under another rule', [ruled('full'), stamped(stamp(0, 'digest'))], 'sealed under the rule digest'],
  ['a rule that nobody opened', [open, stamped(stamp(0, 'full'))], 'opened under no rule'],
  ['a seal that does not count', [ruled('full'), stamped({ ...stamp(0, 'full'), kept: undefined })], 'does not say'],
  [
    'a full recording that left something out',
    [ruled('full'), ...some(900), stamped({ ...stamp(900, 'full'), unkept: { client: 0, rows: 1, target: 1 } })],
    'less than its rule',
  ],
  [
    'a recording that holds less',
    [ruled('full'), ...some(900), stamped(stamp(899, 'full'))],
    'less than the 900 bytes',
  ],
  ['work after the stop', [{ type: 'gateway.stop', facts: {} }], 'after recording its stop'],
];
const receipt = (first: number, next: number, events: number): Draft => ({
  type: 'export.receipt',
  facts: { sink: 'siem', first, next, events, digest: 'ab'.repeat(32), acknowledged: 1 },
});
cases.push(
  ['a receipt of what stands before it', [receipt(0, 3, 2)], undefined],
  ['a receipt of what does not stand there yet', [receipt(0, 99, 2)], 'do not stand before it'],
  ['a receipt of nothing', [receipt(2, 2, 0)], 'do not stand before it'],
  ['a receipt of more events than entries', [receipt(0, 2, 3)], 'do not stand before it'],
);
const reached: Draft = { type: 'session.target', session: 's-1', facts: { pid: 7 } };
const beat = (count: number): Draft => ({ type: 'heartbeat', facts: { open: count } });
const connect: Draft = { ...decision(1), facts: { d: 'permit', k: 'connect' } };
cases.push(
  ['heartbeats that count', [beat(0), open, beat(1), seal(0), beat(0)], undefined],
  ['a heartbeat that counts less', [open, beat(0)], 'counts 0 open sessions and the log has 1'],
  ['a heartbeat that counts more', [open, seal(0), beat(1)], 'counts 1 open sessions and the log has 0'],
  ['the process that serves', [open, connect, reached, decision(2), seal(2)], undefined],
  ['a statement before the process that serves', [open, connect, decision(2)], 'before the process that serves'],
  ['a denial needs no process', [open, { ...connect, facts: { d: 'deny', k: 'connect' } }, seal(1)], undefined],
  ['two processes', [open, connect, reached, reached], 'a second process'],
  ['a process without a session', [reached], 'not opened'],
  ['a connection of the gateway’s own', [{ ...reached, session: undefined }], undefined],
);
for (const [name, drafts, what] of cases) {
  test(`rules: ${name}`, async () => {
    const here = await ledgerPlace();
    const asks = drafts.some((draft) => draft === connect) ? ['0123456789abcdef'] : undefined;
    const { ledger } = await openLedger({ ...here, asks });
    for (const draft of drafts) ledger.append(draft, 'written');
    await ledger.close();
    const report = await verifyLedger(here.folder, here.vkey);
    if (what === undefined) expect(report.failure).toBeUndefined();
    else expect(report.failure?.what).toContain(what);
    here.remove();
  });
}

test('silence is named: a boot without heartbeats, the time between boots, and how each ended', async () => {
  let now = 1_800_000_000_000;
  const minute = 60_000;
  const here = await ledgerPlace({ now: () => now, heartbeatMs: 10 * minute });
  const boot = async (steps: (ledger: Ledger) => void) => {
    const { ledger } = await openLedger(here);
    steps(ledger);
    await ledger.close();
  };
  const start = now;
  await boot((ledger) => {
    for (const wait of [10, 30, 31]) {
      now += wait * minute;
      ledger.append(beat(0), 'written');
    }
    now += 29 * minute;
  });
  const stopped = now;
  now += 5 * minute;
  const again = now;
  await boot(() => {
    now += 60 * minute;
  });
  const report = await verifyLedger(here.folder, here.vkey);
  expect(report.failure).toBeUndefined();
  expect(report.sessions.opened).toBe(0);
  expect(report.gaps).toMatchObject({ silent: 2, down: 1 });
  expect(report.gaps.listed.map(({ kind, from, to }) => [kind, from, to])).toEqual([
    ['silent', start + 40 * minute, start + 71 * minute],
    ['stopped', stopped, again],
    ['silent', again, again + 60 * minute],
  ]);
  expect(verifySummary(report)).toContain('2 gaps of more than three intervals');
  here.remove();
});

test('a live ledger verifies while it is written', async () => {
  const here = await ledgerPlace({ periodMs: 5 });
  const { ledger } = await openLedger(here);
  const filling = fillLedger(ledger, 6, 100);
  for (let i = 0; i < 5; i++) {
    const report = await verifyLedger(here.folder, here.vkey);
    if (report.failure) expect(report.failure.meaning).toContain('Starting the gateway recovers');
  }
  await filling;
  await ledger.close();
  expect((await verifyLedger(here.folder, here.vkey)).ok).toBe(true);
  here.remove();
});

test(verifies('verifier.alone', 'the command: 0 verified, 1 not, 2 usage'), () => {
  const command = new URL('../bin/verify.ts', import.meta.url).pathname;
  const run = (...args: string[]) => spawnSync(process.execPath, [command, ...args], { encoding: 'utf8' });
  const good = run(place.folder, '--key', join(place.state, 'ledger.vkey'), '--recordings', recordings);
  expect(good.stderr).toBe('');
  expect(good.status).toBe(0);
  expect(good.stdout).toContain('Verified\n');
  const json = run(place.folder, '--key', place.vkey, '--json');
  expect(JSON.parse(json.stdout)).toMatchObject({ ok: true });
  const folder = copy();
  rmSync(join(folder, 'tile/0/000'));
  const bad = run(folder, '--key', place.vkey);
  expect(bad.status).toBe(1);
  expect(bad.stdout).toContain('NOT VERIFIED');
  expect(bad.stdout).toContain('tile/0/000');
  expect(run(folder).status).toBe(2);
  expect(run(folder, '--key', 'nonsense').status).toBe(2);
  expect(run(folder, '--no-such').status).toBe(2);
  expect(run('nowhere', '--key', place.vkey).status).toBe(2);
  expect(run('--help').status).toBe(0);
});
