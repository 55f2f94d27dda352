// From journal to tiles and signed checkpoint. Start-up runs this same code from the last checkpoint on, or from nothing
// when the tiles are lost (docs/ledger-format.md, "Sequencing").
import type { KeyObject } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { Fault } from '../domain/fault.ts';
import { type Disk, place, syncFolders } from './disk.ts';
import { onDisk } from './disk-folder.ts';
import { hashSize } from './hash.ts';
import { type Cursor, cursorAt, readBlocks } from './journal-reading.ts';
import type { Lock } from './lock.ts';
import { compareWithLock, type Found, refusal } from './recovery.ts';
import { type Checkpoint, formatCheckpoint, type NoteKey, signNote } from './note.ts';
import { bundleRecord, rightEdge, tilePath, tileWidth } from './tile.ts';
import { addEntry, emptyTree, resumeTree, rootOf, type Tree } from './tree.ts';

export interface SequencerOptions {
  readonly folder: string;
  readonly state: string;
  readonly disk: Disk;
  readonly lock: Lock;
  readonly vkey: NoteKey;
  readonly signer: KeyObject;
}

export interface Sequencer {
  readonly tree: Tree;
  /**
   * Whether the journal leads to this checkpoint. Writes the complete tiles on the way when `repair` is set, which is
   * for a journal that has been seen to lead there.
   */
  reaches(checkpoint: Checkpoint, repair: boolean): Promise<boolean>;
  /** Brings tiles in step with the journal up to `size` entries and publishes a checkpoint for it. */
  publish(size: number): Promise<{ size: number; root: Buffer }>;
}

interface TileFile {
  readonly path: string;
  readonly bytes: Uint8Array;
  readonly full: boolean;
}

/** Complete tiles and bundles written at the same time. */
const parallel = 16;
/** Entries handled before other work gets its turn. */
const slice = 256;

/** Starts at `size` entries (a multiple of 256) from the tiles in the folder, or at 0. */
export function openSequencer(options: SequencerOptions, size: number): Sequencer {
  const { folder, disk } = options;
  const tree = size === 0 ? emptyTree() : resumeTree(size, (level, n, width) => edgeTile(folder, level, n, width));
  let bundle: Buffer[] = [];
  let cursor: Cursor | undefined;
  let temporary = 0;
  /** Folders that have new names in them. */
  const renamed = new Set<string>();

  async function put({ path, bytes, full }: TileFile): Promise<void> {
    // Only what no later start checks against the root must be on the device: the complete tiles.
    await place(disk, join(folder, path), join(options.state, 'tmp', String(temporary++)), bytes, full);
    if (!full) return;
    renamed.add(dirname(join(folder, path)));
    await clear(join(folder, `${path}.p`), undefined);
  }

  /** Removes superseded partial tiles of one tile, all but the newest. */
  async function clear(partials: string, keep: string | undefined): Promise<void> {
    const names = existsSync(partials) ? await readdir(partials) : [];
    for (const name of names) if (name !== keep) await disk.remove(join(partials, name));
    if (keep === undefined && names.length > 0) await disk.remove(partials);
  }

  async function follow(upTo: number, repair: boolean): Promise<void> {
    cursor ??= await cursorAt(onDisk(folder), tree.size);
    if (tree.size >= upTo) return;
    let pending: TileFile[] = [];
    let handled = 0;
    for await (const frames of readBlocks(onDisk(folder), cursor!)) {
      for (const { records } of frames) {
        for (const { index, entry } of records) {
          if (index < tree.size) continue;
          bundle.push(bundleRecord(entry));
          if (bundle.length === tileWidth) {
            const n = Math.floor(index / tileWidth);
            const path = tilePath({ level: 'entries', n, width: tileWidth });
            pending.push({ path, bytes: Buffer.concat(bundle), full: true });
            bundle = [];
          }
          addEntry(tree, entry, (level, n, tile) => {
            pending.push({ path: tilePath({ level, n, width: tileWidth }), bytes: tile, full: true });
          });
          if (++handled % slice === 0) await turn();
        }
        if (pending.length >= parallel || tree.size >= upTo) {
          if (repair) await Promise.all(pending.map(put));
          pending = [];
        }
        if (tree.size >= upTo) return;
      }
    }
    if (tree.size < upTo) throw new Error(`the journal ends at ${tree.size}, before ${upTo}`);
  }

  return {
    tree,
    async reaches(checkpoint, repair) {
      await follow(checkpoint.size, repair);
      return tree.size === checkpoint.size && rootOf(tree).equals(checkpoint.root);
    },
    async publish(upTo) {
      await follow(upTo, true);
      const root = rootOf(tree);
      const edge = rightEdge(tree.size).filter(({ width }) => width < tileWidth);
      for (const name of edge) {
        const bytes =
          name.level === 'entries'
            ? Buffer.concat(bundle)
            : tree.levels[name.level]!.subarray(0, name.width * hashSize);
        await put({ path: tilePath(name), bytes, full: false });
      }
      await syncFolders(disk, renamed, folder);
      renamed.clear();
      const size = tree.size;
      const note = signNote(formatCheckpoint({ origin: options.vkey.name, size, root }), options.vkey, options.signer);
      // The commit point: from here on this process and every later one stands by this root.
      options.lock.swap(options.lock.checkpoint(), note);
      await place(disk, join(folder, 'checkpoint'), join(options.state, 'tmp', 'checkpoint'), Buffer.from(note), true);
      await disk.syncFolder(folder);
      for (const name of edge) {
        const path = join(folder, tilePath(name));
        await clear(dirname(path), String(name.width));
      }
      return { size, root };
    },
  };
}

/** A sequencer at the last signed checkpoint, proven to reproduce its root; from nothing when the tiles cannot. */
export async function resumeSequencer(shared: SequencerOptions, found: Found | undefined): Promise<Sequencer> {
  if (!found) return openSequencer(shared, 0);
  const { signed, published } = compareWithLock(shared.folder, shared.vkey, shared.lock.checkpoint(), found.next);
  if (published) {
    try {
      const sequencer = openSequencer(shared, signed.size - (signed.size % tileWidth));
      if (await sequencer.reaches(signed, false)) return sequencer;
    } catch {
      // Tiles of the right edge are missing or short: they are rebuilt below.
    }
  }
  // First without writing: tiles that contradict a changed journal are evidence, not something to repair.
  try {
    if (await openSequencer(shared, 0).reaches(signed, false)) {
      const sequencer = openSequencer(shared, 0);
      await sequencer.reaches(signed, true);
      return sequencer;
    }
  } catch (cause) {
    throw refusal(cause);
  }
  throw new Fault(
    'ledger.unavailable',
    `The journal does not lead to the checkpoint of ${signed.size} entries that was signed. Restore the newest copy of the ledger.`,
  );
}

/** A tile of the right edge, from a file at least as wide; throws when there is none. */
function edgeTile(folder: string, level: number, n: number, width: number): Buffer {
  const full = join(folder, tilePath({ level, n, width: tileWidth }));
  const tile = readFileSync(existsSync(full) ? full : join(folder, tilePath({ level, n, width })));
  if (tile.length < width * hashSize) throw new Error('a tile is too short');
  return tile.subarray(0, width * hashSize);
}
