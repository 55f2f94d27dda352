// What witnesses signed of a log, against the keys of those that are trusted (docs/ledger-format.md, "Witnesses").
import { Damage, meaning } from './damage.ts';
import type { Folder } from './folder.ts';
import { type Checkpoint, cosignedAt, type NoteKey, NoteError, openNote, parseCheckpoint, parseVkey } from './note.ts';
import { type Bytes, textOf } from './platform.ts';

/** Whose cosignatures count, as verifier keys, and how many there must be; default: all. */
interface Trust {
  readonly witnesses?: readonly string[];
  readonly quorum?: number;
}

/** What witnesses signed: they saw these entries at that time, and nothing that contradicts them before. */
export interface Witnessed {
  readonly size: number;
  readonly by: readonly { readonly name: string /** Seconds since the epoch. */; readonly at: number }[];
}

/** NoteError when the note is not a checkpoint of this log. */
export function openCheckpoint(note: string, key: NoteKey): Checkpoint {
  const checkpoint = parseCheckpoint(openNote(note, [key]).text);
  if (checkpoint.origin !== key.name) throw new NoteError(`it is of the log "${checkpoint.origin}"`);
  return checkpoint;
}

/** Longest note that is read: three lines, and as many signatures as a note may have. */
const noteLimit = 64 * 1024;

/** A signed note of a ledger; undefined when there is none. Damage for what is too long to be one, which is not read. */
export async function readNote(folder: Folder, file: string): Promise<Bytes | undefined> {
  const size = await folder.size(file);
  if (size === undefined) return undefined;
  if (size > noteLimit) throw new Damage(file, `${size} bytes are too many for a checkpoint`, meaning.changed);
  return folder.read(file);
}

/** The checkpoint that witnesses signed, where there is one; Damage when there are fewer of the trusted ones than there must be. */
export async function readCosigned(
  folder: Folder,
  key: NoteKey,
  { witnesses = [], quorum = witnesses.length }: Trust,
): Promise<{ checkpoint: Checkpoint; witnessed?: Witnessed } | undefined> {
  const file = 'checkpoint.cosigned';
  const bytes = await readNote(folder, file);
  const note = bytes && textOf(bytes);
  const trusted = witnesses.map(parseVkey);
  const by: { name: string; at: number }[] = [];
  let checkpoint: Checkpoint | undefined;
  try {
    checkpoint = note === undefined ? undefined : openCheckpoint(note, key);
    for (const name of note === undefined ? [] : openNote(note, [key, ...trusted]).signers) {
      const witness = trusted.find((one) => one.name === name);
      if (witness) by.push({ name, at: cosignedAt(note!, witness) ?? 0 });
    }
  } catch (cause) {
    if (!(cause instanceof NoteError)) throw cause;
    throw new Damage(file, `it does not verify: ${cause.message}`, meaning.changed);
  }
  const different = new Set(by.map(({ name }) => name)).size;
  if (different < quorum) {
    const what = `${different} of ${witnesses.length} witnesses cosigned, ${quorum} must have`;
    throw new Damage(file, what, 'Ask the witnesses for the newest checkpoint that they saw, and compare.');
  }
  if (!checkpoint) return undefined;
  return witnesses.length === 0 ? { checkpoint } : { checkpoint, witnessed: { size: checkpoint.size, by } };
}
