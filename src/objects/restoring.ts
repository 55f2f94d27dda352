// A ledger folder rebuilt from the object store, as an act of its own: what was fetched must verify and continue what the writer
// remembers having signed, and the next start says in the record that it was restored.
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createLock, takeLock } from '../ledger/lock.ts';
import { parseCheckpoint, parseNote, parseVkey } from '../ledger/note.ts';
import { noteRestored, type Restored } from '../ledger/restored.ts';
import { openCheckpoint } from '../ledger/verify-cosigned.ts';
import { verifyLedger } from '../ledger/verify-disk.ts';
import type { VerifyReport } from '../ledger/verify.ts';
import { fetchLedger, type Fetched } from './fetching.ts';
import { Conflict, type ObjectStore } from './object-store.ts';

export interface RestoreOptions {
  readonly store: ObjectStore;
  readonly folder: string;
  readonly state: string;
  /** Where lock and signing key lie. */
  readonly signing: string;
  readonly recordings: string;
  /** Checkpoints of this log that somebody kept elsewhere; the restored one must continue them. */
  readonly kept?: readonly string[];
  readonly now: () => number;
}

/** Restores. A Conflict, and nothing changed, when it may not be. */
export async function restoreLedger(options: RestoreOptions): Promise<Restored & { readonly recordings: number }> {
  const { store, folder, state, signing } = options;
  if (existsSync(folder) && readdirSync(folder).length > 0)
    throw new Conflict(`${folder} is not empty: move what is left of the ledger away, and keep it for comparison`);
  for (const name of ['ledger.key', 'ledger.vkey'])
    if (!existsSync(join(signing, name)))
      throw new Conflict(
        `${join(signing, name)} is missing: restore the state folder from your backup first. Without the key this log can be read and not continued`,
      );
  const vkey = readFileSync(join(signing, 'ledger.vkey'), 'utf8').trim();
  mkdirSync(dirname(folder), { recursive: true, mode: 0o750 });
  const out = `${folder}.restoring`;
  rmSync(out, { recursive: true, force: true });
  try {
    const fetched = await fetchLedger(store, { out, recordings: true });
    const remembered = existsSync(join(signing, 'lock.sqlite')) ? rememberedIn(signing) : undefined;
    await mustVerify(out, vkey, fetched, [...(options.kept ?? []), ...(remembered === undefined ? [] : [remembered])]);
    const note = readFileSync(join(out, 'ledger', 'checkpoint'), 'utf8');
    const lock = bringLockUp(signing, note, fetched.size);
    if (existsSync(folder)) rmSync(folder, { recursive: true });
    const restored = { entries: fetched.entries, size: fetched.size, lock, at: options.now() };
    noteRestored(state, restored);
    renameSync(join(out, 'ledger'), folder);
    return { ...restored, recordings: keepRecordings(join(out, 'recordings'), options.recordings) };
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

function rememberedIn(signing: string): string | undefined {
  const lock = takeLock(signing, 'restore');
  try {
    return lock.checkpoint();
  } finally {
    lock.release();
  }
}

async function mustVerify(out: string, vkey: string, fetched: Fetched, kept: readonly string[]): Promise<void> {
  const report = await verifyLedger(join(out, 'ledger'), vkey, {
    kept: [...kept, ...signedBy(fetched.checkpoints, vkey)],
  });
  if (!report.ok) throw new Conflict(`what the object store holds does not verify: ${failureOf(report)}`);
}

function failureOf({ failure }: VerifyReport): string {
  return failure ? `${failure.file}: ${failure.what}. ${failure.meaning}` : 'no reason was given';
}

/** Checkpoints of the past that this log signed; others were put there by somebody else. */
export function signedBy(notes: readonly string[], vkey: string): string[] {
  const key = parseVkey(vkey);
  return notes.filter((note) => {
    try {
      return openCheckpoint(note, key).size > 0;
    } catch {
      return false;
    }
  });
}

/** The lock may only move forward, and only to a checkpoint that this log signed and that was just verified. */
function bringLockUp(signing: string, note: string, size: number): Restored['lock'] {
  const isNew = !existsSync(join(signing, 'lock.sqlite'));
  if (isNew) createLock(signing);
  const lock = takeLock(signing, 'restore');
  try {
    const before = lock.checkpoint();
    if (before !== undefined && parseCheckpoint(parseNote(before).text).size >= size) return 'kept';
    lock.swap(before, note);
    return isNew ? 'made' : 'advanced';
  } finally {
    lock.release();
  }
}

/** Recordings that are not here any more; what is here stays. */
function keepRecordings(from: string, to: string): number {
  let count = 0;
  for (const entry of existsSync(from) ? readdirSync(from, { recursive: true, withFileTypes: true }) : []) {
    if (!entry.isFile()) continue;
    const source = join(entry.parentPath, entry.name);
    const path = join(to, source.slice(from.length + 1));
    if (existsSync(path)) continue;
    mkdirSync(dirname(path), { recursive: true, mode: 0o750 });
    copyFileSync(source, path);
    count++;
  }
  return count;
}
