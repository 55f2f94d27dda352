// A real witness over HTTP, and a real ledger that shows it its checkpoints.
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHash, generateKeyPairSync } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { fillLedger, type LedgerPlace, ledgerPlace } from '../../test/peers/ledger.ts';
import { verifies } from '../../test/requirements.ts';
import type { Fault } from '../domain/fault.ts';
import { emptyRoot, sha256 } from '../ledger/hash.ts';
import { openLedger } from '../ledger/ledger.ts';
import { formatCheckpoint, formatVkey, openNote, parseVkey, signNote } from '../ledger/note.ts';
import { verifyLedger } from '../ledger/verify-disk.ts';
import { type Cosigning, openCosigning } from './cosigning.ts';
import { formatSubmission, parseSubmission } from './submission.ts';
import { createWitness, startWitness, type Witness } from './witness.ts';

let place: LedgerPlace;
let state: string;
let witness: Witness;
let cosigning: Cosigning;
const told: string[] = [];
const faults: Fault[] = [];

const start = () => {
  const logs = [parseVkey(place.vkey)];
  return startWitness({ state, address: '127.0.0.1', port: 0, logs, now: () => 1_800_000_000_000 });
};
const showing = (folder = place.folder) =>
  openCosigning({
    folder,
    temporary: join(place.state, 'tmp'),
    log: parseVkey(place.vkey),
    witnesses: [{ vkey: parseVkey(witness.vkey), url: witness.url }],
    everyMs: 60_000,
    fetch: globalThis.fetch,
    failed: (name, why) => void told.push(`${name}: ${why}`),
    rolledBack: (fault) => void faults.push(fault),
  });

async function grow(statements: number): Promise<void> {
  const { ledger } = await openLedger(place);
  await fillLedger(ledger, 1, statements);
  await ledger.close();
}

beforeEach(async () => {
  told.length = faults.length = 0;
  place = await ledgerPlace();
  state = join(mkdtempSync(join(tmpdir(), 'witness-')), 'state');
  createWitness(state, 'witness.example');
  witness = await start();
  await grow(20);
  cosigning = showing();
});
afterEach(async () => {
  await cosigning.close();
  await witness.close();
  place.remove();
  rmSync(state, { recursive: true });
});

const checkpoint = (folder = place.folder) => readFileSync(join(folder, 'checkpoint'), 'utf8');
const send = async (body: string) => {
  const reply = await fetch(`${witness.url}/add-checkpoint`, { method: 'POST', body });
  return { status: reply.status, type: reply.headers.get('content-type'), text: await reply.text() };
};

test('a growing log is cosigned, and what the witness saw is published by the hash of its name', async () => {
  for (const statements of [1, 150, 300]) {
    await grow(statements);
    expect(await cosigning.round()).toEqual(['witness.example']);
    const cosigned = readFileSync(join(place.folder, 'checkpoint.cosigned'), 'utf8');
    expect(cosigned.startsWith(checkpoint())).toBe(true);
    const keys = [parseVkey(place.vkey), parseVkey(witness.vkey)];
    expect(openNote(cosigned, keys).signers).toEqual(['example.test/log', 'witness.example']);
  }
  // Again, with nothing new; and by a log that has forgotten what the witness knows.
  expect(await cosigning.round()).toEqual(['witness.example']);
  await cosigning.close();
  cosigning = showing();
  expect(await cosigning.round()).toEqual(['witness.example']);
  expect(told).toEqual([]);
  const name = createHash('sha256').update('example.test/log').digest('hex');
  const seen = await (await fetch(`${witness.url}/${name}/checkpoint`)).text();
  expect(openNote(seen, [parseVkey(witness.vkey)]).text).toBe(openNote(checkpoint(), [parseVkey(place.vkey)]).text);
  expect((await fetch(`${witness.url}/${'0'.repeat(64)}/checkpoint`)).status).toBe(404);
});

test('each wrong submission has the answer of the specification, and changes nothing', async () => {
  await cosigning.round();
  const size = openSize(checkpoint());
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const stranger = parseVkey(formatVkey('example.test/log', publicKey));
  const other = parseVkey(formatVkey('other.test/log', publicKey));
  const note = (of: typeof stranger, at: number, root = sha256('x')) =>
    signNote(formatCheckpoint({ origin: of.name, size: at, root }), of, privateKey);
  const body = (oldSize: number, signed: string, proof: Buffer[] = []) =>
    formatSubmission({ oldSize, proof, checkpoint: signed });
  for (const bad of ['', 'old 1', 'old x\n\n', `old -1\n\n${checkpoint()}`, `old 01\n\n${checkpoint()}`])
    expect((await send(bad)).status, bad).toBe(400);
  expect((await send(`old ${size}\nAAAA\n\n${checkpoint()}`)).status).toBe(400);
  expect(
    (
      await send(
        body(
          size,
          checkpoint(),
          Array.from({ length: 64 }, () => sha256('x')),
        ),
      )
    ).status,
  ).toBe(400);
  expect((await send(body(0, note(other, 5)))).status).toBe(404);
  expect((await send(body(size, note(stranger, size)))).status).toBe(403);
  expect((await send(body(size + 1, checkpoint()))).status).toBe(400);
  expect(await send(body(0, checkpoint()))).toEqual({ status: 409, type: 'text/x.tlog.size', text: `${size}\n` });
  expect((await send(body(size, checkpoint(), [sha256('x')]))).status).toBe(422);
  expect((await send('x'.repeat(100_000))).status).toBe(413);
  expect((await send(body(size, checkpoint()))).status).toBe(200);
  expect(parseSubmission(body(3, checkpoint(), [sha256('x')]))).toEqual({
    oldSize: 3,
    proof: [sha256('x')],
    checkpoint: checkpoint(),
  });
});

test('an empty log has the empty root, and no other', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const key = parseVkey(formatVkey('empty.test/log', publicKey));
  const folder = join(state, 'second');
  createWitness(folder, 'second.example');
  const second = await startWitness({ state: folder, address: '127.0.0.1', port: 0, logs: [key], now: Date.now });
  const submit = async (root: Buffer) => {
    const note = signNote(formatCheckpoint({ origin: key.name, size: 0, root }), key, privateKey);
    const submission = formatSubmission({ oldSize: 0, proof: [], checkpoint: note });
    return (await fetch(`${second.url}/add-checkpoint`, { method: 'POST', body: submission })).status;
  };
  expect(await submit(sha256('x'))).toBe(422);
  expect(await submit(emptyRoot)).toBe(200);
  await second.close();
});

test(verifies('nothing-missing', 'what a witness saw binds the operator, even with the signing key'), async () => {
  await cosigning.round();
  const witnesses = [witness.vkey];
  const report = await verifyLedger(place.folder, place.vkey, { witnesses });
  expect(report).toMatchObject({ ok: true, witnessed: { by: [{ name: 'witness.example', at: 1_800_000_000 }] } });
  // Two others that nobody asked: all must have cosigned, unless a quorum says otherwise.
  const { publicKey } = generateKeyPairSync('ed25519');
  const absent = formatVkey('absent.example', publicKey, 'witness');
  const both = { witnesses: [witness.vkey, absent] };
  expect((await verifyLedger(place.folder, place.vkey, both)).failure?.what).toContain('1 of 2 witnesses');
  expect((await verifyLedger(place.folder, place.vkey, { ...both, quorum: 1 })).ok).toBe(true);
  expect((await verifyLedger(place.folder, place.vkey, { witnesses: [witness.vkey, witness.vkey] })).ok).toBe(false);

  // The file that the operator can write to: without it the witnesses' word is missing, with another one it does not fit.
  const cosigned = readFileSync(join(place.folder, 'checkpoint.cosigned'), 'utf8');
  rmSync(join(place.folder, 'checkpoint.cosigned'));
  expect((await verifyLedger(place.folder, place.vkey, { witnesses })).failure?.what).toContain('0 of 1 witnesses');
  expect((await verifyLedger(place.folder, place.vkey)).ok).toBe(true);
  const rolledBack = join(place.root, 'rolled-back');
  cpSync(place.folder, rolledBack, { recursive: true });
  await grow(30);
  await cosigning.round();
  cpSync(join(place.folder, 'checkpoint.cosigned'), join(rolledBack, 'checkpoint.cosigned'));
  expect((await verifyLedger(rolledBack, place.vkey, { witnesses })).failure?.what).toContain('that was kept covers');
  writeFileSync(join(place.folder, 'checkpoint.cosigned'), cosigned.replace(/(.)\n$/, 'A\n'));
  expect((await verifyLedger(place.folder, place.vkey, { witnesses })).failure?.file).toBe('checkpoint.cosigned');
});

test(
  verifies('nothing-missing', 'an older copy of ledger and state together: the witness knows more, and says so'),
  async () => {
    const copy = join(place.root, 'copy');
    cpSync(place.folder, copy, { recursive: true });
    await grow(50);
    await cosigning.round();
    await cosigning.close();
    cosigning = showing(copy);
    expect(await cosigning.round()).toEqual([]);
    expect(faults.map((fault) => fault.message)).toEqual([expect.stringContaining('it was rolled back')]);
    expect(existsSync(join(copy, 'checkpoint.cosigned'))).toBe(false);
  },
);

test('what was seen survives a restart; a state serves one witness; a missing memory is refused', async () => {
  await cosigning.round();
  await expect(start()).rejects.toThrow('Another witness uses');
  await witness.close();
  witness = await start();
  expect((await send(formatSubmission({ oldSize: 0, proof: [], checkpoint: checkpoint() }))).status).toBe(409);
  expect(() => createWitness(state, 'again.example')).toThrow('already a witness');
  const lost = join(state, 'lost');
  mkdirSync(lost);
  cpSync(join(state, 'witness.key'), join(lost, 'witness.key'));
  writeFileSync(join(lost, 'witness.vkey'), witness.vkey);
  const none = { state: lost, address: '127.0.0.1', port: 0, logs: [], now: Date.now };
  await expect(startWitness(none)).rejects.toThrow('seen.sqlite is missing');
});

test('a witness that claims to have seen more, without our signature under it, stops nobody', async () => {
  await cosigning.close();
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const stranger = parseVkey(formatVkey('example.test/log', publicKey));
  const shown = signNote(
    formatCheckpoint({ origin: stranger.name, size: 9_999, root: sha256('x') }),
    stranger,
    privateKey,
  );
  for (const status of [409, 422]) {
    told.length = 0;
    cosigning = openCosigning({
      folder: place.folder,
      temporary: join(place.state, 'tmp'),
      log: parseVkey(place.vkey),
      witnesses: [{ vkey: parseVkey(witness.vkey), url: witness.url }],
      everyMs: 60_000,
      fetch: async (url) =>
        String(url).endsWith('/add-checkpoint') ? new Response('9999\n', { status }) : new Response(shown),
      failed: (name, reason) => void told.push(`${name}: ${reason}`),
      rolledBack: (fault) => void faults.push(fault),
    });
    expect(await cosigning.round()).toEqual([]);
    expect(told).toEqual([expect.stringContaining('no signature by a known key')]);
    await cosigning.close();
  }
  expect(faults).toEqual([]);
});

test('a witness that lies, or cannot be reached, is passed over and told of', async () => {
  await cosigning.close();
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const liar = parseVkey(formatVkey('witness.example', publicKey));
  for (const [answer, why] of [
    [signNote('other\n', liar, privateKey).split('\n').at(-2)!, 'no signature by a known key'],
    ['nonsense', 'malformed'],
  ] as const) {
    told.length = 0;
    cosigning = openCosigning({
      folder: place.folder,
      temporary: join(place.state, 'tmp'),
      log: parseVkey(place.vkey),
      witnesses: [{ vkey: parseVkey(witness.vkey), url: witness.url }],
      everyMs: 60_000,
      fetch: async () => new Response(`${answer}\n`),
      failed: (name, reason) => void told.push(`${name}: ${reason}`),
      rolledBack: (fault) => void faults.push(fault),
    });
    expect(await cosigning.round()).toEqual([]);
    expect(told).toEqual([expect.stringContaining(why)]);
  }
  expect(existsSync(join(place.folder, 'checkpoint.cosigned'))).toBe(false);
});

function openSize(note: string): number {
  return Number(note.split('\n')[1]);
}
