// A ledger with an object store as its second place, opened as the gateway opens it; rounds are asked for by the test.
import { cpSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type Ledger, openLedger } from '../../src/ledger/ledger.ts';
import { parseVkey } from '../../src/ledger/note.ts';
import { type VerifyReport } from '../../src/ledger/verify.ts';
import { verifyLedger } from '../../src/ledger/verify-disk.ts';
import { type Fetched, fetchLedger } from '../../src/objects/fetching.ts';
import type { ObjectStore } from '../../src/objects/object-store.ts';
import { type ObjectReplica, openObjectReplica } from '../../src/objects/object-replica.ts';
import { restoreLedger } from '../../src/objects/restoring.ts';
import type { LedgerPlace } from './ledger.ts';

export interface SecondPlace {
  readonly objects: ObjectReplica;
  readonly ledger: Ledger;
  readonly recordings: string;
  /** What the operator would have been told. */
  readonly told: string[];
  close(): Promise<void>;
}

export async function openSecondPlace(place: LedgerPlace, store: ObjectStore, waitMs = 1_000): Promise<SecondPlace> {
  const told: string[] = [];
  const recordings = join(place.root, 'recordings');
  mkdirSync(recordings, { recursive: true });
  const objects = openObjectReplica({
    store,
    folder: place.folder,
    recordings,
    vkey: parseVkey(place.vkey),
    lock: { days: 2 },
    waitMs,
    checkpointMs: 3_600_000,
    probeMs: 3_600_000,
    retryMs: 20,
    now: Date.now,
    tell: {
      up: () => told.push('up'),
      down: (why) => told.push(`down ${why.message}`),
      roundFailed: (why) => told.push(`round ${why.message}`),
      missing: (sessions) => told.push(`missing ${sessions.length}`),
      notDenied: (attempts) => told.push(`not denied ${JSON.stringify(attempts)}`),
      conflict: (fault) => told.push(`conflict ${fault.message}`),
    },
  });
  await objects.attach().catch((error: unknown) => told.push(`attach ${(error as Error).message}`));
  const { ledger } = await openLedger({ ...place, replica: objects.replica });
  let closed = false;
  const close = async () => {
    if (closed) return;
    closed = true;
    await ledger.close();
    await objects.close(500);
  };
  return { objects, ledger, recordings, told, close };
}

/** Resolves once everything recorded so far, under a checkpoint, was copied. */
export async function copyAll({ ledger, objects }: SecondPlace): Promise<void> {
  await ledger.checkpointNow();
  await objects.round();
}

/** What a stranger with the bucket and the public key finds. */
export async function strangerVerifies(
  store: ObjectStore,
  place: LedgerPlace,
  recordings = false,
): Promise<{ readonly fetched: Fetched; readonly report: VerifyReport }> {
  const out = join(place.root, `fetched-${Math.random()}`);
  const fetched = await fetchLedger(store, { out, recordings });
  const wish = { kept: fetched.checkpoints, ...(recordings ? { recordings: join(out, 'recordings') } : {}) };
  return { fetched, report: await verifyLedger(join(out, 'ledger'), place.vkey, wish) };
}

export function restore(store: ObjectStore, place: LedgerPlace) {
  const { folder, state } = place;
  return restoreLedger({
    store,
    folder,
    state,
    signing: state,
    recordings: join(place.root, 'recordings'),
    now: Date.now,
  });
}

/** As if the process had been killed: the state is as of now. `silence` sees to it that nothing more reaches the store. */
export async function kill(
  of: SecondPlace,
  { state, root }: LedgerPlace,
  silence: (on: boolean) => unknown,
): Promise<void> {
  cpSync(state, join(root, 'killed'), { recursive: true });
  await silence(true);
  await of.close();
  await silence(false);
  rmSync(state, { recursive: true });
  renameSync(join(root, 'killed'), state);
}
