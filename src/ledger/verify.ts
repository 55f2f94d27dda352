// The standalone verifier: a ledger folder and a public key, nothing else (guarantee 7). Everything is computed again
// from the journal; the first thing wrong is named (docs/ledger-format.md, "Verification").
import { checkKeys } from './destruction.ts';
import { Damage, type DamageKind, kindOf, meaning } from './damage.ts';
import { parseEntry } from './entry.ts';
import type { Folder } from './folder.ts';
import { hashSize } from './hash.ts';
import { type Cursor, readFrames, segmentFile, startOfJournal } from './journal-reading.ts';
import { type Checkpoint, formatVkey, type NoteKey, NoteError, parseVkey } from './note.ts';
import { allocate, base64Of, type Bytes, concat, isEqual, textOf } from './platform.ts';
import { openRules, type Rules } from './rules.ts';
import type { Gaps } from './silence.ts';
import type { Predecessor, Successor } from './succession.ts';
import { bundleRecord, parseTilePath, rightEdge, tilePath, tileWidth } from './tile.ts';
import { addEntry, emptyTree, rootOf, type Tree } from './tree.ts';
import { openCheckpoint, readCosigned, readNote, type Witnessed } from './verify-cosigned.ts';
import { checkRecordings } from './verify-recordings.ts';
import { checkRecorded, isTimestampFile, readTimestamps, type Stamped } from './verify-timestamps.ts';

export interface VerifyOptions {
  /** Recordings folder; without it recordings are not looked at. */
  readonly recordings?: Folder;
  /** Checkpoints of this log that somebody kept elsewhere: signed notes. What is there now must continue each of them. */
  readonly kept?: readonly string[];
  /** Verifier keys of witnesses that are trusted, and how many of them must have cosigned; default: all. */
  readonly witnesses?: readonly string[];
  readonly quorum?: number;
  /** Told now and then how many entries were read, and how many the checkpoint covers; waited for, so that a window can draw. */
  readonly progress?: (entries: number, of: number) => void | Promise<void>;
  /** Which keys the gateway still has, asked before and after; without it nobody can tell a destroyed key from one that is there. */
  readonly keys?: () => ReadonlySet<string>;
}

export interface VerifyFailure {
  /** Path inside the folder. */
  readonly file: string;
  readonly index?: number;
  readonly what: string;
  /** The kind of damage in one word. */
  readonly kind: DamageKind;
  /** What it means and what to do. */
  readonly meaning: string;
}

export interface VerifyReport {
  readonly ok: boolean;
  readonly origin: string;
  /** The key that it was verified with. */
  readonly vkey: string;
  /** Entries under the checkpoint, and its root in base64. */
  readonly size: number;
  readonly root: string;
  /** Entries in the journal; those beyond `size` are covered by its chain and not yet by a checkpoint. */
  readonly entries: number;
  readonly notYetUnderCheckpoint: number;
  readonly types: Readonly<Record<string, number>>;
  readonly sessions: {
    readonly opened: number;
    readonly open: number;
    readonly sealed: number;
    readonly orphaned: number;
  };
  /** When no gateway wrote, and when one that ran gave no heartbeat. No failure: somebody has to know why. */
  readonly gaps: Gaps;
  readonly boots: number;
  /** Keys destroyed by entries of the log, sessions whose content is gone with them, and holds in force. */
  readonly shredded: { readonly keys: number; readonly sessions: number; readonly holds: number };
  /** Whether the gateway's keys were compared with the log. */
  readonly keysCompared: boolean;
  /** Milliseconds since the epoch of the first and the last entry. */
  readonly from?: number;
  readonly to?: number;
  /** Recordings checked; absent when no folder was given. */
  readonly recordings?: number;
  /** Kept checkpoints that the log was seen to continue. */
  readonly continued: number;
  /** Checkpoints with a time stamp beside them. Whose it is, is for `openssl ts -verify` with the authority's certificate. */
  readonly stamped: readonly Stamped[];
  /** Absent when no witness was named. */
  readonly witnessed?: Witnessed;
  /** Entries that a kept or witnessed checkpoint pins: beyond them there is only the word of the key. */
  readonly pinned: number;
  /** The log that this one continues, and the one that continues it. */
  readonly predecessor?: Predecessor;
  readonly successor?: Successor;
  /** Payloads that were opened, and those whose key is gone; absent without the data keys. */
  readonly content?: { readonly opened: number; readonly erased: number };
  readonly failure?: VerifyFailure;
}

/** What sessions of one log say of their recordings. */
export type Recorded = Pick<Rules, 'recordings' | 'open' | 'destruction'>;

/** Entries between two tellings of progress. */
const tellEvery = 2_048;

/** A live ledger may move under the verifier: then it looks again, this often. */
export const attempts = 5;

/**
 * Verifies a ledger. `vkey` is the verifier key's text, obtained from somewhere else than the folder. Damage is a
 * report with `ok: false`; a NoteError is thrown only for a malformed `vkey`, or a kept checkpoint that is none of this log.
 */
export async function verifyFolder(folder: Folder, vkey: string, options: VerifyOptions = {}): Promise<VerifyReport> {
  const key = parseVkey(vkey);
  const kept = (options.kept ?? []).map((note) => openCheckpoint(note, key)).sort((a, b) => a.size - b.size);
  for (let attempt = 1; ; attempt++) {
    const before = await stamp(folder);
    const { report } = await verifyOnce(folder, key, options, kept);
    if (report.ok || attempt === attempts || before === (await stamp(folder))) return report;
  }
}

/** Changes when a writer has been at work. */
export async function stamp(folder: Folder): Promise<string> {
  const names = await folder.names('journal');
  const last = names.toSorted().at(-1);
  const size = last === undefined ? 0 : await folder.size(`journal/${last}`);
  // One that is too long is not read, and named when the folder is.
  const checkpoint = await readNote(folder, 'checkpoint').catch(() => undefined);
  return `${checkpoint ? textOf(checkpoint) : ''}${names.length}/${size ?? 0}`;
}

/** One look at one log; `kept` are checkpoints of it, opened and in order of size. */
export async function verifyOnce(
  folder: Folder,
  key: NoteKey,
  options: VerifyOptions,
  kept: readonly Checkpoint[],
): Promise<{ report: VerifyReport; recorded: Recorded }> {
  const cursor = startOfJournal();
  const rules = openRules(key);
  let checkpoint: Checkpoint = { origin: key.name, size: 0, root: allocate(0) };
  let recordings: number | undefined;
  let continued = 0;
  let pinned = 0;
  let stamped: readonly Stamped[] = [];
  let witnessed: Witnessed | undefined;
  let failure: VerifyFailure | undefined;
  const before = options.keys?.();
  let keysCompared = false;
  try {
    checkpoint = await readCheckpoint(folder, key);
    const tiles = await listFiles(folder);
    const cosigned = await readCosigned(folder, key, options);
    witnessed = cosigned?.witnessed;
    const stamps = await readTimestamps(folder, key);
    const outside = [...kept, ...(cosigned ? [cosigned.checkpoint] : [])];
    const held = [...outside, ...stamps].sort((a, b) => a.size - b.size);
    await readEverything(folder, cursor, checkpoint, tiles, rules, held, options.progress);
    checkRecorded(rules.stamps, stamps, checkpoint.size);
    stamped = stamps.map(({ size, at }) => ({ size, at }));
    continued = kept.length;
    // A time stamp pins nothing here: whose it is was not checked.
    pinned = Math.max(0, ...outside.map(({ size }) => size));
    const deleted = rules.destruction.recordingsDeleted;
    if (options.recordings !== undefined) {
      recordings = await checkRecordings(options.recordings, rules.recordings, rules.open(), deleted);
    }
    // What continues a log may have destroyed its keys: then only both together can tell.
    keysCompared = before !== undefined && rules.summary().successor === undefined;
    if (keysCompared) checkKeys([rules.destruction], { before: before!, after: options.keys!() });
  } catch (cause) {
    if (!(cause instanceof Damage)) throw cause;
    failure = failureOf(cause);
  }
  const report: VerifyReport = {
    ok: failure === undefined,
    origin: key.name,
    vkey: formatVkey(key.name, key.key),
    size: checkpoint.size,
    root: base64Of(checkpoint.root),
    entries: cursor.next,
    notYetUnderCheckpoint: Math.max(0, cursor.next - checkpoint.size),
    ...rules.summary(),
    continued,
    pinned,
    stamped,
    keysCompared,
    ...(witnessed === undefined ? {} : { witnessed }),
    ...(recordings === undefined ? {} : { recordings }),
    ...(failure === undefined ? {} : { failure }),
  };
  return { report, recorded: rules };
}

export function failureOf({ file, index, message: what, meaning }: Damage): VerifyFailure {
  return { file, ...(index === undefined ? {} : { index }), what, kind: kindOf(meaning), meaning };
}

async function readCheckpoint(folder: Folder, key: NoteKey): Promise<Checkpoint> {
  const bytes = await readNote(folder, 'checkpoint');
  if (!bytes) throw new Damage('checkpoint', 'there is no checkpoint', meaning.missing);
  try {
    return openCheckpoint(textOf(bytes), key);
  } catch (cause) {
    if (!(cause instanceof NoteError)) throw cause;
    throw new Damage('checkpoint', `the checkpoint does not verify: ${cause.message}`, meaning.unsigned);
  }
}

const fixed: ReadonlySet<string> = new Set(['checkpoint', 'checkpoint.cosigned']);

/** Widths of the tile files there are, by tile. Damage for any file that has no place in a ledger. */
async function listFiles(folder: Folder): Promise<Map<string, number[]>> {
  const tiles = new Map<string, number[]>();
  for (const { path, plain } of await folder.walk()) {
    const tile = parseTilePath(path);
    if (plain && tile) {
      const key = tilePath({ ...tile, width: tileWidth });
      tiles.set(key, [...(tiles.get(key) ?? []), tile.width]);
    } else if (!plain || !(fixed.has(path) || isTimestampFile(path) || /^journal\/\d{12}$/.test(path))) {
      throw new Damage(path, 'this file does not belong to a ledger', meaning.added);
    }
  }
  return tiles;
}

async function readEverything(
  folder: Folder,
  cursor: Cursor,
  checkpoint: Checkpoint,
  tiles: Map<string, number[]>,
  rules: Rules,
  kept: readonly Checkpoint[],
  progress: VerifyOptions['progress'],
): Promise<void> {
  let told = 0;
  const tree = emptyTree();
  let nextKept = 0;
  const seen = new Set<number>();
  let bundle: Bytes[] = [];
  const complete: [number, number, Bytes][] = [];
  const emit = (level: number, n: number, tile: Bytes) => complete.push([level, n, tile]);
  const check = (level: number | 'entries', n: number, bytes: Bytes[]) => checkTile(folder, tiles, level, n, bytes);
  for await (const frame of readFrames(folder, cursor)) {
    seen.add(cursor.segment);
    for (const { index, entry: bytes, sealed } of frame.records) {
      const entry = parseEntry(bytes);
      if (typeof entry === 'string') throw new Damage(frame.file, `the entry ${entry}`, meaning.changed, index);
      rules.entry(entry, index, frame.file, cursor, sealed?.key);
      bundle.push(bundleRecord(bytes));
      addEntry(tree, bytes, emit);
      if (bundle.length === tileWidth) {
        await check('entries', (index + 1) / tileWidth - 1, bundle);
        bundle = [];
      }
      for (const [level, n, tile] of complete.splice(0)) await check(level, n, cells(tile, tileWidth));
      if (tree.size === checkpoint.size && !isEqual(rootOf(tree), checkpoint.root)) {
        // Which one it was, a root alone does not tell; what was kept narrows it down.
        const from = kept[nextKept - 1]?.size ?? 0;
        const what = `its root is not the root of the entries: one of ${from} to ${index} was changed`;
        throw new Damage('checkpoint', what, meaning.changed, index);
      }
      for (; kept[nextKept] && kept[nextKept]!.size <= tree.size; nextKept++) {
        const { size, root } = kept[nextKept]!;
        if (size > 0 && !isEqual(rootOf(tree), root)) {
          const what = `its first ${size} entries are not those of the checkpoint that was kept`;
          throw new Damage('journal', what, meaning.rewritten);
        }
      }
    }
    rules.frame(cursor);
    if (progress && cursor.next - told >= tellEvery) {
      told = cursor.next;
      await progress(told, checkpoint.size);
    }
  }
  checkEnd(cursor, checkpoint, seen);
  if (kept[nextKept]) {
    const what = `the journal ends after ${cursor.next} entries, a checkpoint that was kept covers ${kept[nextKept]!.size}`;
    throw new Damage('journal', what, meaning.rolledBack, cursor.next);
  }
  const last = (count: number) => Math.floor(count / tileWidth);
  await check('entries', last(tree.size), bundle);
  for (let level = 0; level < tree.levels.length; level++) {
    await check(level, tree.emitted[level]!, cells(tree.levels[level]!, tree.counts[level]!));
  }
  await checkComplete(folder, tiles, tree, checkpoint);
  rules.end();
}

/** The journal reaches the checkpoint, ends in a whole frame, and has no segment that nobody read. */
function checkEnd(cursor: Cursor, checkpoint: Checkpoint, seen: Set<number>): void {
  const file = segmentFile(cursor.segment);
  if (cursor.next < checkpoint.size) {
    const what = `the journal ends after ${cursor.next} entries, the checkpoint covers ${checkpoint.size}`;
    throw new Damage(file, what, meaning.missing, cursor.next);
  }
  if (cursor.rest > 0)
    throw new Damage(file, `${cursor.rest} bytes at the end are not a whole frame`, meaning.torn, cursor.next);
  if (!seen.has(cursor.segment)) throw new Damage(file, 'the segment holds no frame', meaning.torn, cursor.next);
  if (checkpoint.size === 0) throw new Damage('checkpoint', 'the checkpoint covers nothing', meaning.missing);
}

/** Every file there is of one tile or bundle, complete or partial, against what the journal says it holds. */
async function checkTile(
  folder: Folder,
  tiles: Map<string, number[]>,
  level: number | 'entries',
  n: number,
  parts: Bytes[],
): Promise<void> {
  for (const width of tiles.get(tilePath({ level, n, width: tileWidth })) ?? []) {
    const path = tilePath({ level, n, width });
    // Wider than the journal was when it was read: the writer went on meanwhile, or the end was cut; both show elsewhere.
    const size = await folder.size(path);
    if (size === undefined) continue;
    const wanted = concat(parts.slice(0, width));
    // What is too long is not read.
    const bytes = size === wanted.length ? await folder.read(path) : allocate(0);
    if (!bytes) continue;
    if (width > parts.length || !isEqual(bytes, wanted)) {
      const index = typeof level === 'number' && level > 0 ? undefined : n * tileWidth;
      throw new Damage(path, 'the file does not hold what the journal holds', meaning.changed, index);
    }
  }
}

/** Each tile and bundle that the checkpoint needs exists, at least as wide; and none lies beyond the journal. */
async function checkComplete(
  folder: Folder,
  tiles: Map<string, number[]>,
  tree: Tree,
  checkpoint: Checkpoint,
): Promise<void> {
  for (const { level, n: last, width } of rightEdge(checkpoint.size)) {
    for (let n = 0; n <= last; n++) {
      const wanted = n < last ? tileWidth : width;
      const path = tilePath({ level, n, width: wanted });
      const widest = Math.max(0, ...(tiles.get(tilePath({ level, n, width: tileWidth })) ?? []));
      if (widest < wanted) throw new Damage(path, 'the file is missing', meaning.missing, undefined);
    }
  }
  const widths = new Map(rightEdge(tree.size).map(({ level, n, width }) => [level, n * tileWidth + width]));
  for (const [key, list] of tiles) {
    const { level, n } = parseTilePath(key)!;
    for (const width of list) {
      if (n * tileWidth + width <= (widths.get(level) ?? 0)) continue;
      const path = tilePath({ level, n, width });
      if ((await folder.size(path)) !== undefined) {
        throw new Damage(path, 'the journal has no entries for this file', meaning.missing);
      }
    }
  }
}

function cells(tile: Bytes, count: number): Bytes[] {
  return Array.from({ length: count }, (_, i) => tile.subarray(i * hashSize, (i + 1) * hashSize));
}
