// What a start finds: the journal read from its first frame, a torn end cut off, the store compared with the lock.
// Anything that an interrupted writer cannot have left is a refusal that names the first thing wrong.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { EntryType } from '../domain/entry.ts';
import { Fault } from '../domain/fault.ts';
import { onDisk } from './disk-folder.ts';
import { Damage, meaning } from './damage.ts';
import { type Disk, place, syncFolders } from './disk.ts';
import { parseEntry } from './entry.ts';
import { segmentHeaderSize, segmentName } from './frame.ts';
import { emptyRoot } from './hash.ts';
import type { ClosedSegment } from './journal.ts';
import { type Cursor, readFrames, segmentFile, segments, startOfJournal } from './journal-reading.ts';
import { type Milestone, milestoneSize, standsAt } from './milestone.ts';
import { type Orphan, trackOpenSessions } from './open-sessions.ts';
import { type Checkpoint, type NoteKey, openNote, parseCheckpoint } from './note.ts';
import { parseSuccessor, type Successor } from './succession.ts';

/** The last checkpoint that we signed, and the one in the folder. */
export interface Compared {
  readonly signed: Checkpoint;
  readonly published: Checkpoint | undefined;
}

export interface Found {
  readonly next: number;
  readonly trailer: Buffer;
  /** Time of the last entry. */
  readonly ts: number;
  readonly boot: string;
  readonly lastType: EntryType;
  /** The segment the log ends in, which the new boot closes with a seal. */
  readonly last: ClosedSegment;
  readonly tornBytes: number;
  /** Where the last whole frame ends. */
  readonly end: { readonly segment: number; readonly offset: number };
  readonly orphans: readonly Orphan[];
  /** The log has ended for good: its last entry names the one that continues it. */
  readonly successor?: Successor;
  /** Keys that entries say were destroyed. */
  readonly shredded: readonly string[];
}

/**
 * Reads the journal, from the milestone on where it stands as that left it, and changes nothing. Fault for any damage but a
 * torn end: an incomplete frame, or whatever a power cut
 * made of the last segment beyond the `signed` entries, where nobody can tell lost pages from cut ones anyway.
 */
export async function recoverJournal(folder: string, signed: number, milestone?: Milestone): Promise<Found> {
  const from = milestone && (await usable(folder, signed, milestone)) ? milestone : undefined;
  const cursor = from ? behind(from.last) : startOfJournal();
  const open = trackOpenSessions(from?.open);
  let ts = from?.ts ?? 0;
  let boot = from?.boot ?? '';
  let lastType: EntryType = from?.lastType ?? 'log.genesis';
  const shredded: string[] = [];
  let successor: Successor | undefined;
  let before: Found['last'] = from?.last ?? { first: 0, entries: 0, bytes: 0, trailer: cursor.trailer };
  try {
    for await (const { records, file } of readFrames(onDisk(folder), cursor)) {
      for (const { index, entry: bytes } of records) {
        const entry = parseEntry(bytes);
        if (typeof entry === 'string') throw refusal(new Damage(file, `the entry ${entry}`, meaning.changed, index));
        ts = entry.ts;
        boot = entry.boot;
        lastType = entry.t;
        open.note(entry.t, entry.sid, entry.sq, entry.k);
        if (successor) {
          const what = 'an entry stands after log.successor';
          throw refusal(new Damage(file, what, meaning.afterEnd, index));
        }
        if (entry.t === 'log.successor') {
          const named = parseSuccessor(entry.x);
          if (typeof named === 'string') {
            throw refusal(new Damage(file, `log.successor ${named}`, meaning.changed, index));
          }
          successor = named;
        }
        if (entry.t === 'retention.shred' && Array.isArray(entry.x.keys)) shredded.push(...(entry.x.keys as string[]));
      }
      before = {
        first: cursor.segment,
        entries: cursor.next - cursor.segment,
        bytes: cursor.offset,
        trailer: cursor.trailer,
      };
    }
  } catch (cause) {
    if (cause instanceof Fault) throw cause;
    // Whoever recorded its stop, or the end of the log, had everything on the device: nothing of it can be lost at the end.
    const torn = cause instanceof Damage && cursor.next >= signed && !ends.has(lastType);
    if (!torn || (await segments(onDisk(folder))).at(-1) !== cursor.segment) throw refusal(cause);
  }
  if (cursor.next === 0) {
    throw refusal(new Damage(segmentFile(0), 'the journal holds no entry', meaning.missing));
  }
  return {
    next: cursor.next,
    trailer: cursor.trailer,
    ts,
    boot,
    lastType,
    last: before,
    tornBytes: cursor.rest,
    end: { segment: cursor.segment, offset: cursor.offset },
    orphans: open.list(),
    ...(successor === undefined ? {} : { successor }),
    shredded,
  };
}

/** What a later start may go on from. A log that has ended is read whole: what it says of its successor stands in it. */
export function milestoneOf({ last, ts, boot, lastType, orphans, successor }: Found): Milestone | undefined {
  return successor ? undefined : { last, ts, boot, lastType, open: orphans };
}

async function usable(folder: string, signed: number, milestone: Milestone): Promise<boolean> {
  if (milestoneSize(milestone) > signed) return false;
  try {
    return await standsAt(onDisk(folder), milestone);
  } catch (cause) {
    throw refusal(cause);
  }
}

function behind({ first, entries, bytes, trailer }: ClosedSegment): Cursor {
  return { segment: first, offset: bytes, next: first + entries, trailer, rest: 0 };
}

/** What is written last, by whoever ends in order. */
const ends: ReadonlySet<EntryType> = new Set(['gateway.stop', 'log.successor']);
const orderly: ReadonlySet<EntryType> = new Set([...ends, 'log.genesis']);

/**
 * Puts a torn end aside and cuts it off, and makes what is left durable before anything is written after it. After a failed sync the kernel may
 * believe pages to be on the device that are not, so the bytes that were read go into a new file in the old one's place.
 */
export async function cutTornEnd(
  on: Disk,
  folder: string,
  state: string,
  { end, lastType, tornBytes, next }: Found,
): Promise<void> {
  const path = join(folder, segmentFile(end.segment));
  const temporary = join(state, 'tmp', 'segment');
  if (tornBytes > 0) {
    // It was never acknowledged, and it is not ours to destroy.
    const aside = join(state, 'torn', `${segmentName(end.segment)}-${end.offset}-${next}`);
    await place(on, aside, temporary, readFileSync(path).subarray(end.offset), true);
    await syncFolders(on, [dirname(aside)], state);
  }
  // A segment without a frame is named like the one that the next boot will start.
  if (end.offset <= segmentHeaderSize) {
    await on.remove(path);
  } else {
    if (tornBytes === 0 && orderly.has(lastType)) return;
    await place(on, path, temporary, readFileSync(path).subarray(0, end.offset), true);
  }
  await on.syncFolder(dirname(path));
}

/** Entries under the last checkpoint that was signed, as the lock remembers it; infinite when that cannot be read, so that nothing is cut. */
export function signedSize(vkey: NoteKey, locked: string | undefined): number {
  try {
    return locked === undefined ? 0 : checkpointOf(locked, vkey, 'lock.sqlite').size;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/**
 * Compares the published checkpoint with the lock's, which is what we know we signed. Behind is repaired by publishing
 * again; ahead, different, forged or a journal shorter than the lock's checkpoint is a rollback or a fork: Fault.
 */
export function compareWithLock(folder: string, vkey: NoteKey, locked: string | undefined, entries: number): Compared {
  const signed = locked === undefined ? undefined : checkpointOf(locked, vkey, 'lock.sqlite');
  const path = join(folder, 'checkpoint');
  const published = existsSync(path) ? checkpointOf(readFileSync(path, 'utf8'), vkey, 'checkpoint') : undefined;
  const back = 'It was rolled back, or its state folder was. Restore the newest copy of both; nothing was changed.';
  if (!signed) {
    if (!published) return { signed: { origin: vkey.name, size: 0, root: emptyRoot }, published };
    throw new Fault('ledger.unavailable', `The ledger has a checkpoint that its state does not know. ${back}`);
  }
  if (entries < signed.size) {
    throw new Fault('ledger.unavailable', `The journal holds ${entries} entries, ${signed.size} were signed. ${back}`);
  }
  if (
    published &&
    (published.size > signed.size || (published.size === signed.size && !published.root.equals(signed.root)))
  ) {
    throw new Fault('ledger.unavailable', `The published checkpoint is not the last one signed. ${back}`);
  }
  return { signed, published };
}

function checkpointOf(note: string, vkey: NoteKey, where: string): Checkpoint {
  try {
    const checkpoint = parseCheckpoint(openNote(note, [vkey]).text);
    if (checkpoint.origin !== vkey.name) throw new Error('it names another log');
    return checkpoint;
  } catch (cause) {
    const why = (cause as Error).message;
    throw new Fault(
      'ledger.unavailable',
      `The checkpoint in ${where} is not valid: ${why}. Restore it from a copy.`,
      cause,
    );
  }
}

/** A refusal to start, from damage. Says what is wrong and what to do. */
export function refusal(cause: unknown): Fault {
  if (!(cause instanceof Damage)) return new Fault('ledger.unavailable', 'The ledger cannot be read.', cause);
  const at = cause.index === undefined ? '' : ` at entry ${cause.index}`;
  return new Fault(
    'ledger.unavailable',
    `The ledger is damaged: ${cause.file}${at}: ${cause.message}. ${cause.meaning}`,
    cause,
  );
}
