// countersign verify s3://…: the log is fetched into a folder of its own, verified there, and the folder is removed.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isObjectPlace, openObjectPlace, orExit } from './object-place.ts';
import type { Io } from './output.ts';
import { touchedWords } from './ledger-fetch.ts';

export interface Brought {
  /** Folders in the order that was given, with those that were fetched in the places of their names. */
  readonly folders: readonly string[];
  readonly recordings: string | undefined;
  /** Checkpoints that the places held over time and that this log signed. */
  readonly kept: readonly string[];
  remove(): void;
}

/** Brings what lies in object stores; folders stay what they are. */
export async function bring(
  folders: readonly string[],
  recordings: string | undefined,
  key: string,
  io: Io,
): Promise<Brought> {
  const wanted = [...folders, ...(recordings === undefined ? [] : [recordings])];
  if (!wanted.some(isObjectPlace)) return { folders, recordings, kept: [], remove() {} };
  const root = mkdtempSync(join(tmpdir(), 'countersign-verify-'));
  const remove = () => rmSync(root, { recursive: true, force: true });
  try {
    const [{ fetchLedger }, { signedBy }] = await Promise.all([
      import('../objects/fetching.ts'),
      import('../objects/restoring.ts'),
    ]);
    const kept: string[] = [];
    const at = new Map<string, string>();
    for (const place of new Set(wanted.filter(isObjectPlace))) {
      const out = join(root, String(at.size));
      const store = await openObjectPlace(place, io);
      const fetched = await orExit(fetchLedger(store, { out, recordings: place === recordings }));
      if (fetched.touched.length > 0) io.stderr.write(`${touchedWords(fetched.touched)}\n`);
      kept.push(...signedBy(fetched.checkpoints, key));
      at.set(place, out);
    }
    const here = (name: string, part: string) => (at.has(name) ? join(at.get(name)!, part) : name);
    return {
      folders: folders.map((folder) => here(folder, 'ledger')),
      recordings: recordings === undefined ? undefined : here(recordings, 'recordings'),
      kept,
      remove,
    };
  } catch (error) {
    remove();
    throw error;
  }
}
