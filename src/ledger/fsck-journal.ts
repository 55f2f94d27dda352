// One reading of the whole journal for fsck: chain, order, tree, tiles. It goes on behind damage with the next segment, so that all
// of it is named and not only the first.
import { Damage, meaning } from './damage.ts';
import { parseEntry } from './entry.ts';
import type { Finding } from './finding.ts';
import type { TileCheck } from './fsck-tiles.ts';
import type { Folder } from './folder.ts';
import { hashSize } from './hash.ts';
import { cursorAt, readFrames, segmentFile, segments, startOfJournal } from './journal-reading.ts';
import type { Checkpoint, NoteKey } from './note.ts';
import { type Bytes, isEqual } from './platform.ts';
import { openRules, type Rules } from './rules.ts';
import { bundleRecord, tileWidth } from './tile.ts';
import { addEntry, emptyTree, rootOf } from './tree.ts';

export interface JournalState {
  readonly entries: number;
  readonly segments: number;
  /** Whether the entries lead to the signed checkpoint. */
  readonly leads: boolean;
  /** Whether all of it could be read, up to a torn end. */
  readonly whole: boolean;
  readonly rules: Rules;
  /** Ids of the keys that seal payloads. */
  readonly keys: ReadonlySet<string>;
}

export interface JournalCheck {
  readonly folder: Folder;
  readonly key: NoteKey;
  readonly signed: Checkpoint;
  readonly tiles: TileCheck;
  /** A writer is at work: an unfinished end is its business. */
  readonly live: boolean;
  found(finding: Finding): void;
  progress?(entries: number): void;
}

export async function checkJournal(of: JournalCheck): Promise<JournalState> {
  const { folder, signed, tiles } = of;
  const rules = openRules(of.key);
  const tree = emptyTree();
  const keys = new Set<string>();
  const complete: [number, number, Bytes][] = [];
  let bundle: Bytes[] = [];
  let cursor = startOfJournal();
  let lastType = '';
  let leads = signed.size === 0;
  let broken = false;
  /** Rules are about all that stands before: after the first that is broken they have nothing more to say. */
  let ordered = true;

  function obey(check: () => void): void {
    if (!ordered || broken) return;
    try {
      check();
    } catch (cause) {
      ordered = false;
      of.found(findingOf(cause));
    }
  }

  for (;;) {
    try {
      for await (const { records, file } of readFrames(folder, cursor)) {
        for (const { index, entry: bytes, sealed } of records) {
          if (sealed) keys.add(sealed.key);
          if (broken) continue;
          const entry = parseEntry(bytes);
          if (typeof entry === 'string') {
            obey(() => {
              throw new Damage(file, `the entry ${entry}`, meaning.changed, index);
            });
          } else {
            lastType = entry.t;
            obey(() => rules.entry(entry, index, file, cursor, sealed?.key));
          }
          bundle.push(bundleRecord(bytes));
          addEntry(tree, bytes, (level, n, tile) => complete.push([level, n, tile]));
          if (bundle.length === tileWidth) {
            await tiles.check('entries', (index + 1) / tileWidth - 1, bundle);
            bundle = [];
          }
          for (const [level, n, tile] of complete.splice(0)) await tiles.check(level, n, cells(tile, tileWidth));
          if (tree.size === signed.size) leads = isEqual(rootOf(tree), signed.root);
        }
        obey(() => rules.frame(cursor));
        of.progress?.(cursor.next);
      }
      break;
    } catch (cause) {
      const finding = findingOf(cause);
      const next = (await segments(folder)).find((first) => first > cursor.segment);
      // As a start judges it: recovery.ts.
      const torn: boolean = !broken && next === undefined && cursor.next >= signed.size && lastType !== 'gateway.stop';
      of.found(torn ? tornFinding(segmentFile(cursor.segment), cursor.next, finding.what) : finding);
      broken ||= !torn;
      const following = next === undefined ? undefined : await cursorAt(folder, next);
      if (!following) break;
      cursor = following;
    }
  }
  if (!broken && !of.live && cursor.rest > 0 && lastType !== '') {
    const what = `${cursor.rest} bytes at the end are not a whole frame`;
    of.found(tornFinding(segmentFile(cursor.segment), cursor.next, what));
  }
  if (!broken) {
    await tiles.check('entries', Math.floor(tree.size / tileWidth), bundle);
    for (const [level, tile] of tree.levels.entries()) {
      await tiles.check(level, tree.emitted[level]!, cells(tile, tree.counts[level]!));
    }
    tiles.end();
    if (tree.size < signed.size) {
      const what = `the journal ends after ${tree.size} entries, ${signed.size} were signed`;
      of.found({ file: segmentFile(cursor.segment), index: tree.size, what, meaning: meaning.missing });
    } else if (!leads) {
      const what = 'the journal does not lead to the checkpoint that was signed';
      of.found({ file: 'journal', what, meaning: meaning.changed });
    }
  }
  return { entries: cursor.next, segments: (await segments(folder)).length, leads, whole: !broken, rules, keys };
}

function findingOf(cause: unknown): Finding {
  if (!(cause instanceof Damage)) throw cause;
  const { file, index, message: what } = cause;
  return { file, ...(index === undefined ? {} : { index }), what, meaning: cause.meaning };
}

function tornFinding(file: string, index: number, what: string): Finding {
  return { file, index, what, meaning: meaning.torn, repair: 'aside' };
}

function cells(tile: Bytes, count: number): Bytes[] {
  return Array.from({ length: count }, (_, i) => tile.subarray(i * hashSize, (i + 1) * hashSize));
}
