// Time stamps beside the log (docs/ledger-format.md, "Time stamps"): each is of the checkpoint that lies beside it, the log
// continues that checkpoint, and those that the log has recorded are there.
import { Damage, meaning } from './damage.ts';
import type { Folder } from './folder.ts';
import { sha256 } from './hash.ts';
import { type Checkpoint, formatCheckpoint, type NoteKey, NoteError } from './note.ts';
import { hexOf, isEqual, textOf } from './platform.ts';
import { readTimestamp } from './timestamp-token.ts';
import { openCheckpoint } from './verify-cosigned.ts';

/** A checkpoint that existed at a time, by the word of a time stamping authority. */
export interface Stamped {
  readonly size: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

export type StampedCheckpoint = Stamped & Checkpoint & { readonly sha256: string };

/** What an entry `checkpoint.timestamp` says, and where it stands. */
export interface RecordedStamp {
  readonly index: number;
  readonly size: number;
  readonly sha256: string;
}

const names = /^timestamps\/(0|[1-9]\d{0,14})\.(tsr|checkpoint)$/;

export const isTimestampFile = (path: string): boolean => names.test(path);

export const timestampFile = (size: number, kind: 'tsr' | 'checkpoint'): string => `timestamps/${size}.${kind}`;

/** All that lie in the folder, smallest first. A checkpoint without its time stamp is one that nobody answered. */
export async function readTimestamps(folder: Folder, key: NoteKey): Promise<StampedCheckpoint[]> {
  const stamps: StampedCheckpoint[] = [];
  for (const name of await folder.names('timestamps')) {
    const match = names.exec(`timestamps/${name}`);
    if (match?.[2] !== 'tsr') continue;
    const size = Number(match[1]);
    const [file, beside] = [timestampFile(size, 'tsr'), timestampFile(size, 'checkpoint')];
    const [bytes, note] = [await folder.read(file), await folder.read(beside)];
    if (!bytes) continue;
    if (!note) throw new Damage(beside, 'the checkpoint of a time stamp is missing', meaning.missing);
    const token = readTimestamp(bytes);
    if (!token) throw new Damage(file, 'it is no time stamp', meaning.changed);
    const checkpoint = openStamped(textOf(note), key, beside, size);
    if (!isEqual(token.imprint, sha256(formatCheckpoint(checkpoint)))) {
      throw new Damage(file, 'the time stamp is not of the checkpoint beside it', meaning.changed);
    }
    stamps.push({ ...checkpoint, at: token.at, sha256: hexOf(sha256(bytes)) });
  }
  return stamps.sort((a, b) => a.size - b.size);
}

function openStamped(note: string, key: NoteKey, file: string, size: number): Checkpoint {
  try {
    const checkpoint = openCheckpoint(note, key);
    if (checkpoint.size !== size) throw new NoteError(`it covers ${checkpoint.size} entries`);
    return checkpoint;
  } catch (cause) {
    if (!(cause instanceof NoteError)) throw cause;
    throw new Damage(file, `the checkpoint of a time stamp does not verify: ${cause.message}`, meaning.changed);
  }
}

/**
 * Every stamp that the log recorded under its checkpoint is there as it was recorded. One that is recorded beyond it may be on
 * its way still, in a copy: what lies beside the log is copied before the checkpoint and after the journal.
 */
export function checkRecorded(
  recorded: readonly RecordedStamp[],
  stamps: readonly StampedCheckpoint[],
  covered: number,
): void {
  const digests = new Map(stamps.map(({ size, sha256: digest }) => [size, digest]));
  for (const { index, size, sha256: digest } of recorded) {
    const file = timestampFile(size, 'tsr');
    if (!digests.has(size) && index >= covered) continue;
    if (!digests.has(size))
      throw new Damage(file, 'a time stamp is missing that the log recorded', meaning.missing, index);
    if (digests.get(size) !== digest)
      throw new Damage(file, 'the time stamp is not the one that the log recorded', meaning.changed, index);
  }
}
