// A start that reads only what is new finds the same as one that reads everything, and refuses what it can see.
import {
  appendFileSync,
  cpSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, expect, test } from 'vitest';
import { fillLedger, type LedgerPlace, ledgerPlace } from '../../test/peers/ledger.ts';
import { keysThere } from './keys-destruction.ts';
import { takeLock } from './lock.ts';
import { openLedger } from './ledger.ts';
import { parseMilestone } from './milestone.ts';
import { parseVkey } from './note.ts';
import { type Found, recoverJournal } from './recovery.ts';
import { verifyLedger } from './verify-disk.ts';

const places: LedgerPlace[] = [];
afterEach(() => {
  for (const place of places.splice(0)) place.remove();
});

/** A log of some segments with a session left open, stopped in order or not. */
async function log(how: 'stopped' | 'crashed'): Promise<LedgerPlace> {
  const place = await ledgerPlace({ periodMs: 1 });
  places.push(place);
  const { ledger } = await openLedger(place);
  const key = ledger.newKey();
  const facts = { d: 'permit', k: 'execute' };
  ledger.append(
    { type: 'session.open', session: 'open-1', facts: {}, payload: { who: { name: 'x' } } },
    'written',
    key,
  );
  ledger.append({ type: 'statement.decision', session: 'open-1', sequence: 1, facts }, 'written', key);
  await fillLedger(ledger, 4, 100);
  ledger.append({ type: 'statement.decision', session: 'open-1', sequence: 2, facts }, 'written', key);
  await ledger.checkpointNow();
  if (how === 'stopped') await ledger.close();
  return place;
}

function kept(place: LedgerPlace) {
  const lock = takeLock(place.state, 'test');
  try {
    const note = lock.milestone();
    return note === undefined ? undefined : parseMilestone(note, parseVkey(place.vkey));
  } finally {
    lock.release();
  }
}

const segmentsOf = (place: LedgerPlace) => readdirSync(join(place.folder, 'journal')).sort();
const path = (place: LedgerPlace, name: string) => join(place.folder, 'journal', name);

test('it finds what a reading of everything finds, from the last segment on', async () => {
  const place = await log('stopped');
  const milestone = kept(place)!;
  expect(milestone.last.first + milestone.last.entries).toBe(Number(segmentsOf(place).at(-1)));
  const size = statSync(path(place, segmentsOf(place)[0]!)).size;
  const whole = await recoverJournal(place.folder, 0);
  const found = await recoverJournal(place.folder, whole.next, milestone);
  const plain = (of: Found) => JSON.parse(JSON.stringify({ ...of, trailer: Buffer.from(of.trailer).toString('hex') }));
  expect(plain(found)).toEqual(plain(whole));
  expect(found.orphans).toEqual([{ session: 'open-1', sequence: 2, key: expect.any(String) }]);
  // Bytes inside a segment that was closed for good are not read by a start: `verify` reads them.
  const bytes = readFileSync(path(place, segmentsOf(place)[0]!));
  bytes[size >> 1]! ^= 1;
  writeFileSync(path(place, segmentsOf(place)[0]!), bytes);
  expect((await recoverJournal(place.folder, whole.next, milestone)).next).toBe(whole.next);
  await expect(recoverJournal(place.folder, whole.next)).rejects.toThrow('damaged');
  expect((await verifyLedger(place.folder, place.vkey)).ok).toBe(false);
});

test('each start continues, sessions that were open become orphans once, and the log verifies', async () => {
  const place = await log('crashed');
  // The one that crashed still has its lock here: another place is its copy.
  const copy = await ledgerPlace({ periodMs: 1 });
  places.push(copy);
  for (const name of ['ledger', 'state'] as const) {
    rmSync(join(copy.root, name), { recursive: true });
    cpSync(join(place.root, name), join(copy.root, name), { recursive: true });
  }
  for (let start = 0; start < 3; start++) {
    const { ledger, orphans } = await openLedger(copy);
    expect(orphans).toEqual(start === 0 ? [{ session: 'open-1', sequence: 2, key: expect.any(String) }] : []);
    for (const { session, sequence } of orphans)
      ledger.append({ type: 'session.orphaned', session, facts: { n: sequence } }, 'synced');
    await fillLedger(ledger, 1, 20 + start * 90);
    await ledger.close();
  }
  expect((await verifyLedger(copy.folder, place.vkey)).failure).toBeUndefined();
});

test('a segment that is missing, cut, exchanged or of another time is refused', async () => {
  const refused = async (change: (place: LedgerPlace, names: string[]) => void) => {
    const place = await log('stopped');
    change(place, segmentsOf(place));
    const what = await openLedger(place).then(
      async ({ ledger }) => (await ledger.close(), 'started'),
      (error: Error) => error.message,
    );
    expect(what).toContain('The ledger is damaged');
  };
  await refused((place, names) => rmSync(path(place, names[1]!)));
  await refused((place, names) => rmSync(path(place, names.at(-2)!)));
  await refused((place, names) =>
    writeFileSync(path(place, names[2]!), readFileSync(path(place, names[2]!)).subarray(0, -7)),
  );
  await refused((place, names) => {
    renameSync(path(place, names[1]!), path(place, 'x'));
    renameSync(path(place, names[2]!), path(place, names[1]!));
    renameSync(path(place, 'x'), path(place, names[2]!));
  });
  await refused((place, names) => {
    const at = path(place, names.at(-2)!);
    const bytes = readFileSync(at);
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync(at, bytes);
  });
});

test('without a milestone that is ours, or where the journal is not as it left it, everything is read', async () => {
  const place = await log('stopped');
  const change = (note: string | undefined) => {
    const db = new DatabaseSync(join(place.state, 'lock.sqlite'));
    const before = (db.prepare('SELECT note FROM milestone').get() as { note: string }).note;
    if (note === undefined) db.exec('DELETE FROM milestone');
    else db.prepare('UPDATE milestone SET note = ?').run(note);
    db.close();
    return before;
  };
  const note = change(undefined);
  expect(kept(place)).toBeUndefined();
  await (await openLedger(place)).ledger.close();
  change(note.replace('open-1', 'open-2'));
  expect(kept(place)).toBeUndefined();
  change(readFileSync(join(place.folder, 'checkpoint'), 'utf8'));
  expect(kept(place)).toBeUndefined();
  change(note);
  const milestone = kept(place)!;
  const whole = await recoverJournal(place.folder, 0);
  // Not covered by what was signed; and a segment that has grown since.
  expect((await recoverJournal(place.folder, 10, milestone)).next).toBe(whole.next);
  appendFileSync(path(place, segmentsOf(place).find((name) => Number(name) === milestone.last.first)!), 'x');
  await expect(recoverJournal(place.folder, whole.next, milestone)).rejects.toThrow('inside a frame');
  const db = new DatabaseSync(join(place.state, 'lock.sqlite'));
  db.exec('DROP TABLE milestone');
  db.close();
  expect(kept(place)).toBeUndefined();
});

test('what was destroyed before the milestone is destroyed again when a backup brings it back', async () => {
  const place = await ledgerPlace({ periodMs: 1 });
  places.push(place);
  const first = await openLedger(place);
  const key = first.ledger.newKey();
  first.ledger.append(
    { type: 'session.open', session: 's', facts: {}, payload: { who: { name: 'x' } } },
    'written',
    key,
  );
  await first.ledger.append({ type: 'session.seal', session: 's', facts: { n: 0 } }, 'synced').durable;
  await first.ledger.close();
  const backup = join(place.root, 'backup');
  cpSync(join(place.state, 'keys.sqlite'), backup);
  const second = await openLedger(place);
  await second.ledger.append({ type: 'retention.shred', facts: { keys: [key.id] } }, 'synced').durable;
  await fillLedger(second.ledger, 3, 100);
  await second.ledger.close();
  expect(kept(place)!.last.first).toBeGreaterThan(0);
  for (let start = 0; start < 2; start++) {
    cpSync(backup, join(place.state, 'keys.sqlite'));
    for (const suffix of ['-wal', '-shm']) rmSync(join(place.state, `keys.sqlite${suffix}`), { force: true });
    expect(keysThere(place.state, [key.id])).toEqual([key.id]);
    await (await openLedger(place)).ledger.close();
    expect(keysThere(place.state, [key.id])).toEqual([]);
  }
});
