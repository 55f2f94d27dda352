// A place in the journal from which a start may go on: what reading everything before it would have found. Made at each start and at each
// new segment, kept beside the lock's checkpoint once that covers it, and signed like it. A start that has none, or does not find the
// journal as the milestone left it, reads everything (ADR 0038; test: "it finds what a reading of everything finds").
import { type EntryType, entryTypes } from '../domain/entry.ts';
import { Damage, meaning } from './damage.ts';
import type { Folder } from './folder.ts';
import { parseSegmentHeader, segmentHeaderSize } from './frame.ts';
import { hashSize } from './hash.ts';
import type { ClosedSegment } from './journal.ts';
import { segmentFile, segments } from './journal-reading.ts';
import { type NoteKey, openNote } from './note.ts';
import type { Orphan } from './open-sessions.ts';
import { allocate, isEqual } from './platform.ts';

export interface Milestone {
  /** The segment that ends here. */
  readonly last: ClosedSegment;
  /** Time, boot and type of its last entry. */
  readonly ts: number;
  readonly boot: string;
  readonly lastType: EntryType;
  /** Sessions that are open here. */
  readonly open: readonly Orphan[];
}

/** Entries before it. */
export function milestoneSize({ last }: Milestone): number {
  return last.first + last.entries;
}

const title = 'countersign.milestone/v1';

/** Its text, to be signed with the log's key; no checkpoint looks like it. */
export function formatMilestone(origin: string, { last, ...rest }: Milestone): string {
  const body = { ...rest, last: { ...last, trailer: Buffer.from(last.trailer).toString('hex') } };
  return `${title}\n${origin}\n${JSON.stringify(body)}\n`;
}

/** Undefined for anything but a milestone of this log: it only saves time. */
export function parseMilestone(note: string, vkey: NoteKey): Milestone | undefined {
  try {
    const [first, origin, json] = openNote(note, [vkey]).text.split('\n');
    if (first !== title || origin !== vkey.name) return undefined;
    const body = JSON.parse(json!) as Omit<Milestone, 'last'> & { last: { trailer: string } & ClosedSegment };
    const trailer = Buffer.from(body.last.trailer as unknown as string, 'hex');
    if (trailer.length !== hashSize || !entryTypes.includes(body.lastType)) return undefined;
    return { ...body, last: { ...body.last, trailer } };
  } catch {
    return undefined;
  }
}

/**
 * Whether the journal stands there as the milestone left it: every segment up to it follows the one before by its header and by the
 * last trailer in its file, and the one that ends there has its length and its trailer. False where it may have been repaired since;
 * Damage where segments that are closed for good are missing, cut or of another log.
 */
export async function standsAt(folder: Folder, { last }: Milestone): Promise<boolean> {
  const firsts = (await segments(folder)).filter((first) => first <= last.first);
  if (firsts.at(-1) !== last.first) throw missing(last.first);
  let trailer = allocate(hashSize);
  for (const first of firsts) {
    const file = segmentFile(first);
    const handle = await folder.open(file);
    if (!handle) throw missing(first);
    try {
      const header = allocate(segmentHeaderSize);
      const end = allocate(hashSize);
      await handle.read(header, 0, header.length, 0);
      const parsed = parseSegmentHeader(header);
      if (parsed?.first !== first || !isEqual(parsed.previous, trailer))
        throw new Damage(file, 'the segment does not continue the one before', meaning.changed, first);
      // The last one may have grown a torn end, which the reading of what is new looks at.
      const size = first === last.first ? last.bytes : handle.size;
      if (handle.size < size) throw new Damage(file, 'the segment was cut short', meaning.missing, first);
      if (handle.size > size) return false;
      await handle.read(end, 0, hashSize, size - hashSize);
      trailer = end;
    } finally {
      await handle.close();
    }
  }
  if (!isEqual(trailer, last.trailer))
    throw new Damage(segmentFile(last.first), 'the segment is not as it was when it was closed', meaning.changed);
  return true;
}

function missing(first: number): Damage {
  return new Damage(segmentFile(first), 'the segment is missing', meaning.missing, first);
}
