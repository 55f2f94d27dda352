// How far the object store has come, compared with the journal here. Nothing is remembered between lives: the names in the bucket
// say it, and what they hold must be what the journal holds. Everything else is a Conflict: a fork, a roll-back, another log.
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { segmentName } from '../ledger/frame.ts';
import { onDisk } from '../ledger/disk-folder.ts';
import { segmentFile, segments } from '../ledger/journal-reading.ts';
import { type Checkpoint, NoteError, type NoteKey, openNote, parseCheckpoint } from '../ledger/note.ts';
import { readTiles } from '../ledger/tile-reading.ts';
import { isContent } from './first-version.ts';
import { following, nextPiece } from './journal-bytes.ts';
import { Conflict, type ObjectStore, type Version } from './object-store.ts';
import { indexOf, partFolder, type Place, segmentFolder } from './part.ts';

export const checkpointKey = 'ledger/checkpoint';

export interface Standing {
  /** Everything before it is in the object store. */
  readonly place: Place;
  /** The newest checkpoint there; everything under it is there too, tiles and recordings included. */
  readonly checkpoint: Checkpoint | undefined;
}

const rolledBack =
  'The ledger here was rolled back, or another gateway writes to the same place. Restore it from the object store (countersign ledger restore), or give this one a prefix of its own.';

/** Compares; throws a Conflict when the two are not one log. */
export async function compareWithStore(store: ObjectStore, folder: string, vkey: NoteKey): Promise<Standing> {
  const checkpoint = await checkpointIn(store, vkey);
  const here = await segments(onDisk(folder));
  const size = checkpoint?.size ?? 0;
  const start = here.findLast((first) => first <= size) ?? 0;
  const after = start === 0 ? undefined : segmentName(start - 1);
  const whole = await firstVersions(store, segmentFolder, after);
  const parts = await firstVersions(store, partFolder, after);

  let place: Place = { segment: start, offset: 0, next: start };
  for (;;) {
    const segment = whole.get(place.segment);
    const next = await following(folder, place.segment);
    if (segment && place.offset === 0) {
      const bytes = await stat(join(folder, segmentFile(place.segment))).catch(() => undefined);
      if (next === undefined || bytes?.size !== segment.size) throw new Conflict(differs(store, segment.key));
      place = { segment: next, offset: 0, next };
      continue;
    }
    if (place.offset > 0 && next === place.next) {
      place = { segment: next, offset: 0, next };
      continue;
    }
    const part = parts.get(place.next);
    if (!part) break;
    const piece = await nextPiece(folder, place, Number.POSITIVE_INFINITY, part.size);
    if (!piece || !(await isContent(store, part, piece.bytes))) throw new Conflict(differs(store, part.key));
    place = piece.after;
  }
  for (const index of [...whole.keys(), ...parts.keys()])
    if (index >= place.next)
      throw new Conflict(`${store.name} holds entries from ${index} on that are not here. ${rolledBack}`);
  if (place.next < size)
    throw new Conflict(
      `${store.name} has a checkpoint of ${size} entries, ${place.next} of them are here. ${rolledBack}`,
    );
  if (checkpoint) await continuesHere(store, folder, vkey, checkpoint);
  return { place, checkpoint };
}

/** The newest checkpoint in the store; a Conflict when it is not by this log. */
async function checkpointIn(store: ObjectStore, vkey: NoteKey): Promise<Checkpoint | undefined> {
  const note = await store.get(checkpointKey);
  if (!note) return undefined;
  try {
    const checkpoint = parseCheckpoint(openNote(note.toString('utf8'), [vkey]).text);
    if (checkpoint.origin === vkey.name) return checkpoint;
  } catch (error) {
    if (!(error instanceof NoteError)) throw error;
  }
  throw new Conflict(`${store.name} holds the checkpoint of another log. Give this one a prefix of its own.`);
}

/** The published checkpoint here continues the one there, as far as it has come again after a start. */
async function continuesHere(store: ObjectStore, folder: string, vkey: NoteKey, there: Checkpoint): Promise<void> {
  const note = await readFile(join(folder, 'checkpoint'), 'utf8').catch(() => undefined);
  if (note === undefined) return;
  const { size } = parseCheckpoint(openNote(note, [vkey]).text);
  if (size < there.size || there.size === 0) return;
  const root = await readTiles((path) => readFile(join(folder, path)), size).root(there.size);
  if (!root.equals(there.root))
    throw new Conflict(
      `${store.name} has a checkpoint of ${there.size} entries that this ledger does not continue. ${rolledBack}`,
    );
}

async function firstVersions(
  store: ObjectStore,
  folder: string,
  after: string | undefined,
): Promise<Map<number, Version>> {
  const found = new Map<number, Version>();
  for await (const version of store.versions(folder, after === undefined ? undefined : folder + after)) {
    const index = indexOf(version.key);
    // The oldest comes last.
    if (index !== undefined && !version.marker) found.set(index, version);
  }
  return found;
}

function differs(store: ObjectStore, key: string): string {
  return `${store.name}${key} is not what the ledger here holds. ${rolledBack}`;
}
