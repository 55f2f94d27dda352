// An attacker with full write access to everything that is stored, against a verifier that holds the public key and one old checkpoint.
// Each attack is found and named: file, and class. What cannot be found with so little is declared in README.md and found with more.
import { DatabaseSync } from 'node:sqlite';
import { cpSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { destroyKeys } from '../../../src/ledger/keys-destruction.ts';
import { openLedger } from '../../../src/ledger/ledger.ts';
import { openKeyring } from '../../../src/ledger/keyring.ts';
import { verifyLedger } from '../../../src/ledger/verify-disk.ts';
import type { VerifyFailure } from '../../../src/ledger/verify.ts';
import { openProjector } from '../../../src/store/projector.ts';
import { type Piece, putTogether, takeApart } from '../../peers/forger.ts';
import { verifies } from '../../requirements.ts';
import type { Named } from './attack.ts';
import { fileAttacks } from './files.ts';
import { forgedAttacks } from './forged.ts';
import { openPlace, type Place, type Storage } from './place.ts';
import { recordingAttacks } from './recordings.ts';

let place: Place;
beforeAll(async () => {
  place = await openPlace();
});
afterAll(() => place.remove());

const verify = (on: Storage, kept: readonly string[] = [place.kept]) =>
  verifyLedger(on.ledger, place.vkey, { recordings: on.recordings, kept });

function named(failure: VerifyFailure | undefined, { kind, file, what }: Named): void {
  expect(failure, 'the attack was not found').toBeDefined();
  expect(failure!.what).toContain(what);
  expect({ kind: failure!.kind, file: failure!.file }).toEqual({ kind, file: expect.stringMatching(`^${file}`) });
  // A class in words, and what to do.
  expect(failure!.meaning.length).toBeGreaterThan(30);
}

test('control: what nobody attacked verifies, and so does what the forger writes without a change', async () => {
  expect(await verify(place)).toMatchObject({ ok: true, continued: 1, recordings: 6, pinned: place.keptSize });
  const on = place.copy();
  expect((await verify(on, [place.kept, place.newest])).failure).toBeUndefined();
  const before = readFileSync(join(on.ledger, 'journal', readdirSync(join(on.ledger, 'journal'))[1]!));
  putTogether(on.ledger, await takeApart(on.ledger), place.signing);
  expect(readFileSync(join(on.ledger, 'journal', readdirSync(join(on.ledger, 'journal'))[1]!))).toEqual(before);
  expect((await verify(on, [place.kept, place.newest])).failure).toBeUndefined();
});

describe('files', () => {
  for (const { name, run, found } of [...fileAttacks, ...recordingAttacks]) {
    test(verifies('nothing-missing', `storage: ${name}`), async () => {
      const on = place.copy();
      await run(on, place);
      named((await verify(on)).failure, found);
      rmSync(on.root, { recursive: true });
    });
  }
});

async function forged(change: (pieces: Piece[], place: Place) => Piece[], stolen: boolean): Promise<Storage> {
  const on = place.copy();
  putTogether(on.ledger, change(await takeApart(on.ledger), place), stolen ? place.signing : undefined);
  return on;
}

describe('another history', () => {
  for (const { name, change, withoutKey, withKey } of forgedAttacks) {
    test(verifies('nothing-missing', `storage, without the log's key: ${name}`), async () => {
      const on = await forged(change, false);
      named((await verify(on)).failure, withoutKey);
      rmSync(on.root, { recursive: true });
    });
    if (withKey) {
      test(verifies('nothing-missing', `storage, with the log's key: ${name}`), async () => {
        const on = await forged(change, true);
        named((await verify(on)).failure, withKey);
        rmSync(on.root, { recursive: true });
      });
    } else {
      test(`storage, with the log's key, a declared limit: ${name} behind what was kept; a newer checkpoint finds it`, async () => {
        const on = await forged(change, true);
        expect((await verify(on)).failure).toBeUndefined();
        expect((await verify(on)).pinned).toBe(place.keptSize);
        const { failure } = await verify(on, [place.kept, place.newest]);
        expect(['rewritten', 'rolledBack']).toContain(failure?.kind);
        rmSync(on.root, { recursive: true });
      });
    }
  }
});

describe('declared limits', () => {
  /** Ciphertext of a payload garbled, by index of its entry. */
  const garbled = (index: number) => (pieces: Piece[]) =>
    pieces.map((piece, at) => {
      if (at !== index) return piece;
      const bytes = Buffer.from(piece.sealed!.bytes);
      bytes[bytes.length - 4]! ^= 1;
      return { ...piece, sealed: { ...piece.sealed!, bytes } };
    });
  const payloads = async () => (await takeApart(place.ledger)).flatMap(({ sealed }, index) => (sealed ? [index] : []));

  test(verifies('nothing-missing', 'storage: a payload garbled in a segment that is closed'), async () => {
    const [first] = await payloads();
    const on = await forged(garbled(first!), false);
    named((await verify(on)).failure, { kind: 'rewritten', file: 'journal', what: 'are not those of the checkpoint' });
  });

  test('a payload garbled in the last segment: only whoever has the data keys sees it, and it cannot be made to say another thing', async () => {
    const last = (await payloads()).at(-1)!;
    const on = await forged(garbled(last), false);
    expect((await verify(on)).failure).toBeUndefined();
    const opener = openKeyring(on.state);
    const { failure } = await verifyLedger(on.ledger, place.vkey, { kept: [place.kept], opener });
    named(failure, { kind: 'changed', file: 'journal/', what: 'differs from its commitment in the group "what"' });
    expect(failure!.index).toBe(last);
    opener.close();
  });

  test(verifies('nothing-missing', 'storage: ciphertexts of two statements of a session swapped'), async () => {
    const swap = (pieces: Piece[]) => {
      const [a, b] = pieces.flatMap(({ entry }, at) => (entry.t === 'statement.decision' ? [at] : [])).slice(-2) as [
        number,
        number,
      ];
      return pieces.map((piece, at) =>
        at === a
          ? { ...piece, sealed: pieces[b]!.sealed! }
          : at === b
            ? { ...piece, sealed: pieces[a]!.sealed! }
            : piece,
      );
    };
    const on = await forged(swap, false);
    const opener = openKeyring(on.state);
    const { failure } = await verifyLedger(on.ledger, place.vkey, { kept: [place.kept], opener });
    named(failure, { kind: 'changed', file: 'journal/', what: 'the payload' });
    opener.close();
  });

  test('a key destroyed without an entry: the public verifier cannot see keys; with them, what is gone is counted', async () => {
    const on = place.copy();
    const [piece] = (await takeApart(on.ledger)).filter(({ entry }) => entry.t === 'session.open');
    expect(destroyKeys(on.state, [piece!.sealed!.key])).toBe(1);
    expect((await verify(on)).ok).toBe(true);
    const opener = openKeyring(on.state);
    const { content } = await verifyLedger(on.ledger, place.vkey, { opener });
    expect(content!.erased).toBeGreaterThan(30);
    opener.close();
  });

  test('the store is evidence of nothing: whatever its rows say, the ledger makes them again', async () => {
    const on = place.copy();
    const db = new DatabaseSync(on.store);
    const all = () => JSON.stringify(db.prepare('SELECT * FROM statements ORDER BY session, sequence').all());
    const before = all();
    db.exec("UPDATE statements SET ruling = 'permit'; DELETE FROM sessions WHERE principal_name = 'ada'");
    expect(all()).not.toBe(before);
    db.close();
    expect((await verify(on)).ok).toBe(true);
    rmSync(on.store);
    const projector = await openProjector({ ledger: on.ledger, state: on.state, file: on.store });
    await projector.follow(() => undefined);
    projector.close();
    const again = new DatabaseSync(on.store, { readOnly: true });
    expect(JSON.stringify(again.prepare('SELECT * FROM statements ORDER BY session, sequence').all())).toBe(before);
    expect(again.prepare("SELECT count(*) AS n FROM sessions WHERE principal_name = 'ada'").get()).toEqual({ n: 1 });
    again.close();
  });

  test('a public key that the attacker exchanged beside the ledger convinces nobody who has it from elsewhere', async () => {
    const on = place.copy();
    cpSync(join(place.stranger.state, 'ledger.vkey'), join(on.state, 'ledger.vkey'));
    expect((await verify(on)).ok).toBe(true);
    const theirs = readFileSync(join(on.state, 'ledger.vkey'), 'utf8').trim();
    named((await verifyLedger(on.ledger, theirs)).failure, {
      kind: 'unsigned',
      file: 'checkpoint',
      what: 'no signature by a known key',
    });
    await expect(openLedger({ folder: on.ledger, state: on.state, gateway: 'gw-a' })).rejects.toThrow('signing key');
  });
});
