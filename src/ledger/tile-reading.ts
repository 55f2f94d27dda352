// Proofs from a ledger's tiles alone, as a stranger with the folder, or its address, would make them (c2sp.org/tlog-tiles). What is read is not
// believed here: whoever gets a proof checks it against a signed root.
import { Fault } from '../domain/fault.ts';
import { hashSize, nodeHash } from './hash.ts';
import { consistencyRanges, inclusionRanges, perfectParts, type Range } from './proof.ts';
import { parseBundle, tilePath, tileWidth } from './tile.ts';
import { perfect } from './tree.ts';

export interface TileReader {
  /** The bytes of an entry. */
  entry(index: number): Promise<Buffer>;
  /** Root of the first `count` entries, of at least one. */
  root(count: number): Promise<Buffer>;
  /** Sibling hashes from the leaf upwards (RFC 9162 §2.1.3.1). */
  inclusion(index: number): Promise<Buffer[]>;
  /** Hashes that prove that the tree continues its own first `oldSize` entries (RFC 9162 §2.1.4.1); none for 0 and the whole. */
  consistency(oldSize: number): Promise<Buffer[]>;
}

const levelBits = Math.log2(tileWidth);

/**
 * Reads the tiles of a tree of `size` entries; `read` gets a path inside the ledger. Faults with `ledger.unavailable` where a
 * tile is missing or cut short.
 */
export function readTiles(read: (path: string) => Promise<Buffer>, size: number): TileReader {
  const kept = new Map<string, Promise<Buffer>>();

  /** A tile at least `width` wide: exactly that partial one, or the complete one that superseded it. */
  function tile(level: number | 'entries', n: number, width: number): Promise<Buffer> {
    const path = tilePath({ level, n, width });
    let found = kept.get(path);
    if (found === undefined) {
      found = read(path)
        .catch(() => read(tilePath({ level, n, width: tileWidth })))
        .catch((cause: unknown) => {
          throw damaged(path, 'cannot be read', cause);
        });
      kept.set(path, found);
    }
    return found;
  }

  /** Hashes of a level that tiles of this tree hold in tile `n`. */
  const widthOf = (level: number, n: number) =>
    Math.min(tileWidth, Math.floor(size / tileWidth ** level) - n * tileWidth);

  /** A complete subtree: 2^k entries from a multiple of 2^k. It lies within one tile. */
  async function complete({ start, end }: Range): Promise<Buffer> {
    const level = Math.floor(Math.log2(end - start) / levelBits);
    const unit = tileWidth ** level;
    const at = start / unit;
    const n = Math.floor(at / tileWidth);
    const width = widthOf(level, n);
    const bytes = await tile(level, n, width);
    if (bytes.length < width * hashSize) throw damaged(tilePath({ level, n, width }), 'is too short');
    return perfect(bytes, at % tileWidth, (end - start) / unit);
  }

  async function subtree(range: Range): Promise<Buffer> {
    const roots = await Promise.all(perfectParts(range).map(complete));
    return roots.reduceRight((right, left) => nodeHash(left, right));
  }

  return {
    async entry(index) {
      const n = Math.floor(index / tileWidth);
      const width = widthOf(0, n);
      const path = tilePath({ level: 'entries', n, width });
      const entry = parseBundle(await tile('entries', n, width))?.[index % tileWidth];
      if (!entry) throw damaged(path, 'does not hold its entries');
      return entry;
    },
    root: (count) => subtree({ start: 0, end: count }),
    inclusion: (index) => Promise.all(inclusionRanges(index, size).map(subtree)),
    consistency: (oldSize) =>
      oldSize === 0 || oldSize === size
        ? Promise.resolve([])
        : Promise.all(consistencyRanges(oldSize, size).map(subtree)),
  };
}

function damaged(path: string, what: string, cause?: unknown): Fault {
  return new Fault('ledger.unavailable', `${path} ${what}. Verify the ledger to see what is wrong with it.`, cause);
}
