// What fsck finds and may be mended: files that are derived from the journal, the checkpoint file, the end that an interrupted writer
// left. Evidence is never rewritten, and what is cut off or replaced is put aside (test: fsck.test.ts).
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { disk, place as placeFile, syncFolders } from './disk.ts';
import type { Finding } from './finding.ts';
import { fsck, type FsckPlace, type FsckReport } from './fsck.ts';
import type { Mend } from './fsck-tiles.ts';
import { takeLock } from './lock.ts';
import { parseVkey } from './note.ts';
import { cutTornEnd, recoverJournal, signedSize } from './recovery.ts';

export interface Repaired extends FsckReport {
  /** What was wrong and is mended. The findings are what is left. */
  readonly repaired: readonly Finding[];
}

/** Takes the writer's lock, mends, and looks again. Fault when a gateway holds the lock, or there is none. */
export async function repairLedger(place: FsckPlace): Promise<Repaired> {
  const { folder, signing = place.state } = place;
  const lock = takeLock(signing, 'repair');
  try {
    const before = await fsck(place, lock);
    const todo = (what: Finding['repair']) => before.findings.some(({ repair }) => repair === what);
    await disk.makeFolder(join(signing, 'tmp'));
    if (todo('aside')) {
      const key = parseVkey(readFileSync(join(signing, 'ledger.vkey'), 'utf8').trim());
      await cutTornEnd(disk, folder, signing, await recoverJournal(folder, signedSize(key, lock.checkpoint())));
    }
    if (todo('rebuild')) await fsck(place, lock, mendTiles(place));
    const note = lock.checkpoint();
    if (todo('publish') && note !== undefined) await publish(place, note);
    const after = await fsck(place, lock);
    const left = new Set(after.findings.map(({ file, what }) => `${file}\n${what}`));
    const repaired = before.findings.filter(({ file, what }) => !left.has(`${file}\n${what}`));
    return { ...after, repaired };
  } finally {
    lock.release();
  }
}

function mendTiles({ folder, state, signing = state }: FsckPlace): Mend {
  return {
    async place(path, bytes) {
      await placeFile(disk, join(folder, path), join(signing, 'tmp', 'tile'), bytes, true);
      await syncFolders(disk, [dirname(join(folder, path))], folder);
    },
    remove: (path) => disk.remove(join(folder, path)),
  };
}

/** The old file is put aside, where there is one. */
async function publish({ folder, state, signing = state }: FsckPlace, note: string): Promise<void> {
  const path = join(folder, 'checkpoint');
  const temporary = join(signing, 'tmp', 'checkpoint');
  let old: Buffer | undefined;
  try {
    old = readFileSync(path);
  } catch {
    // There is none.
  }
  if (old) {
    const aside = join(signing, 'torn', `checkpoint-${Date.now()}`);
    await placeFile(disk, aside, temporary, old, true);
    await syncFolders(disk, [dirname(aside)], signing);
  }
  await placeFile(disk, path, temporary, Buffer.from(note), true);
  await disk.syncFolder(folder);
}
