// What is copied at leisure: closed segments whole, tiles, recordings, and last of all the checkpoint. So whatever lies under a
// checkpoint in the object store is there, and a start goes on from it without a memory of its own.
import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Json } from '../domain/entry.ts';
import { onDisk } from '../ledger/disk-folder.ts';
import { segmentFile, segments } from '../ledger/journal-reading.ts';
import { parseCheckpoint, parseNote } from '../ledger/note.ts';
import { readJournal } from '../ledger/read-journal.ts';
import { rightEdge, type TileName, tilePath, tileWidth } from '../ledger/tile.ts';
import { recordingFile } from '../ledger/verify-recordings.ts';
import { firstVersion, lockOf, putFirst, type Writing } from './first-version.ts';
import { Conflict } from './object-store.ts';
import { putFile } from './put-file.ts';
import { checkpointKey } from './standing.ts';

export interface RoundPlaces {
  /** Ledger folder. */
  readonly folder: string;
  readonly recordings: string;
}

export interface RoundFrom {
  /** Entries under the newest checkpoint in the store. */
  readonly size: number;
  /** Hashes of small files beside the checkpoint, as they were copied. */
  readonly beside: Map<string, string>;
}

export interface Round {
  /** Entries under the checkpoint that is there now. */
  readonly size: number;
  /** Recordings that a seal names and that are not in their folder. */
  readonly missing: readonly string[];
}

const attempts = 10;
const besideLimit = 1024 * 1024;

/** Copies everything under the checkpoint published here, if `copied` frames reach it; undefined when there is nothing new. */
export async function copyRound(
  to: Writing,
  { folder, recordings }: RoundPlaces,
  from: RoundFrom,
  copied: number,
): Promise<Round | undefined> {
  const edge = await readEdge(folder);
  if (edge && edge.size <= copied && edge.size > from.size) {
    await copySegments(to, folder, from.size, copied);
    for (const tile of completedBetween(from.size, edge.size)) {
      const path = tilePath(tile);
      await once(to, `ledger/${path}`, await readFile(join(folder, path)));
    }
    for (const { path, bytes } of edge.tiles) await once(to, `ledger/${path}`, bytes);
    const missing = await copyRecordings(to, folder, recordings, from.size, edge.size);
    // Stamps that are recorded under a checkpoint are there before it: the verifier demands them.
    await copyBeside(to, folder, from.beside, 'timestamps/');
    await to.store.put(checkpointKey, edge.note, lockOf(to));
    await copyBeside(to, folder, from.beside);
    return { size: edge.size, missing };
  }
  await copyBeside(to, folder, from.beside);
  return undefined;
}

async function once(to: Writing, key: string, bytes: Uint8Array): Promise<void> {
  if (!(await putFirst(to, key, bytes)))
    throw new Conflict(`${to.store.name}${key} is not what lies here. Another gateway writes to the same place.`);
}

/** The published checkpoint and the partial tiles of its right edge, which the next one replaces: read again when it did meanwhile. */
async function readEdge(folder: string) {
  for (let attempt = 1; ; attempt++) {
    try {
      const note = await readFile(join(folder, 'checkpoint'));
      const { size } = parseCheckpoint(parseNote(note.toString('utf8')).text);
      const partial = rightEdge(size).filter(({ width }) => width < tileWidth);
      const tiles: { path: string; bytes: Buffer }[] = [];
      for (const path of partial.map(tilePath)) tiles.push({ path, bytes: await readFile(join(folder, path)) });
      return { note, size, tiles };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      if (attempt === attempts) return undefined;
    }
  }
}

/** Complete tiles and bundles that a tree has at `to` entries and had not at `from`. */
export function completedBetween(from: number, to: number): TileName[] {
  const names: TileName[] = [];
  for (let level = 0, unit = tileWidth; unit <= to; level++, unit *= tileWidth) {
    for (let n = Math.floor(from / unit); n < Math.floor(to / unit); n++) {
      if (level === 0) names.push({ level: 'entries', n, width: tileWidth });
      names.push({ level, n, width: tileWidth });
    }
  }
  return names;
}

/** Segments that will not grow, from the one that holds `from` on. Their frames may be there as parts already. */
async function copySegments(to: Writing, folder: string, from: number, copied: number): Promise<void> {
  const all = await segments(onDisk(folder));
  const start = all.findLast((first) => first <= from) ?? 0;
  for (const [at, first] of all.entries()) {
    const next = all[at + 1];
    // One frame of the next one must be there: until then a power cut could make this one the last again.
    if (first < start || next === undefined || next >= copied) continue;
    await putFile(to, `ledger/${segmentFile(first)}`, join(folder, segmentFile(first)));
  }
}

async function copyRecordings(
  to: Writing,
  folder: string,
  recordings: string,
  from: number,
  upTo: number,
): Promise<string[]> {
  const missing: string[] = [];
  for await (const { index, entry } of readJournal(folder, from)) {
    if (index >= upTo) break;
    if (entry.t !== 'session.seal' && entry.t !== 'session.orphaned') continue;
    const { bytes } = (entry.x.recording ?? {}) as { readonly [key: string]: Json | undefined };
    if (entry.sid === undefined || typeof bytes !== 'number' || bytes === 0) continue;
    const name = recordingFile(entry.sid);
    const path = join(recordings, name);
    if (await stat(path).catch(() => undefined)) await putFile(to, `recordings/${name}`, path);
    else missing.push(entry.sid);
  }
  return missing;
}

/**
 * What others sign or stamp of checkpoints lies beside them: small files, copied whenever they are others than before. They are not
 * ours, so nothing of this log hangs on them, and what lies there under their names already is left as it is.
 */
async function copyBeside(to: Writing, folder: string, known: Map<string, string>, only = ''): Promise<void> {
  for (const path of [...(await filesIn(folder, '')), ...(await filesIn(folder, 'timestamps'))]) {
    if (!path.startsWith('checkpoint.') && !path.startsWith('timestamps/')) continue;
    if (!path.startsWith(only)) continue;
    const bytes = await readFile(join(folder, path)).catch(() => undefined);
    if (!bytes || bytes.length > besideLimit) continue;
    const seen = createHash('sha256').update(bytes).digest('hex');
    if (known.get(path) === seen) continue;
    const key = `ledger/${path}`;
    const there = path.startsWith('timestamps/') && (await firstVersion(to.store, key));
    if (!there) await to.store.put(key, bytes, lockOf(to));
    known.set(path, seen);
  }
}

async function filesIn(folder: string, path: string): Promise<string[]> {
  const entries = await readdir(join(folder, path), { withFileTypes: true }).catch(() => []);
  return entries.filter((entry) => entry.isFile()).map(({ name }) => (path === '' ? name : `${path}/${name}`));
}
