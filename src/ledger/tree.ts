// A Merkle tree that grows at its right edge and hands out each tile when it is complete (c2sp.org/tlog-tiles).
import { emptyRoot, hashSize, leafHashInto, nodeHash, nodeHashWithin } from './hash.ts';
import { allocate, type Bytes, copyInto, copyOf } from './platform.ts';
import { tileWidth } from './tile.ts';

/** The right edge: the incomplete tile of each level. Everything left of it has been emitted. */
export interface Tree {
  size: number;
  /** Bytes of the incomplete tile of each level, `counts[level]` hashes long. */
  readonly levels: Bytes[];
  readonly counts: number[];
  /** Complete tiles emitted at each level. */
  readonly emitted: number[];
}

export type Emit = (level: number, n: number, tile: Bytes) => void;

export function emptyTree(): Tree {
  return { size: 0, levels: [], counts: [], emitted: [] };
}

/** Adds one leaf hash; `emit` gets each tile that becomes complete, bottom up. The tile's bytes are the callee's. */
export function addLeaf(tree: Tree, leaf: Uint8Array, emit: Emit): void {
  room(tree, 0).set(leaf, tree.counts[0]! * hashSize);
  added(tree, emit);
}

/** Adds the leaf hash of an entry. */
export function addEntry(tree: Tree, entry: Uint8Array, emit: Emit): void {
  leafHashInto(room(tree, 0), tree.counts[0]! * hashSize, entry);
  added(tree, emit);
}

/** The incomplete tile of a level. */
function room(tree: Tree, level: number): Bytes {
  if (level === tree.levels.length) {
    tree.levels.push(allocate(tileWidth * hashSize));
    tree.counts.push(0);
    tree.emitted.push(0);
  }
  return tree.levels[level]!;
}

/** A hash was put at the end of the bottom tile: what became complete goes up. */
function added(tree: Tree, emit: Emit): void {
  tree.size++;
  for (let level = 0; ; level++) {
    const count = (tree.counts[level] = tree.counts[level]! + 1);
    if (count < tileWidth) return;
    const tile = tree.levels[level]!;
    tree.levels[level] = allocate(tileWidth * hashSize);
    tree.counts[level] = 0;
    emit(level, tree.emitted[level]!++, tile);
    room(tree, level + 1).set(perfect(tile, 0, tileWidth), tree.counts[level + 1]! * hashSize);
  }
}

/** A tree of a size that ends at a complete bottom tile, from the right-edge tiles above the bottom one. */
export function resumeTree(size: number, edge: (level: number, n: number, width: number) => Bytes): Tree {
  const tree = emptyTree();
  tree.size = size;
  for (let level = 0, count = size; count > 0; level++, count = Math.floor(count / tileWidth)) {
    const width = count % tileWidth;
    const tile = allocate(tileWidth * hashSize);
    if (width > 0) copyInto(tile, 0, edge(level, Math.floor(count / tileWidth), width), 0, width * hashSize);
    tree.levels.push(tile);
    tree.counts.push(width);
    tree.emitted.push(Math.floor(count / tileWidth));
  }
  return tree;
}

/** Root over everything added so far: the complete subtrees folded from right to left. */
export function rootOf(tree: Tree): Bytes {
  let acc: Bytes | undefined;
  for (let level = 0; level < tree.levels.length; level++) {
    const tile = tree.levels[level]!;
    let end = tree.counts[level]!;
    for (let size = 1; end > 0; size *= 2) {
      if (end % (2 * size) === 0) continue;
      const peak = perfect(tile, end - size, size);
      acc = acc === undefined ? peak : nodeHash(peak, acc);
      end -= size;
    }
  }
  return acc ?? emptyRoot;
}

/** Root of `size` hashes (a power of two) of a tile, from `start`. */
export function perfect(tile: Bytes, start: number, size: number): Bytes {
  const row = copyOf(tile.subarray(start * hashSize, (start + size) * hashSize));
  for (let width = size; width > 1; width /= 2) {
    for (let i = 0; i < width; i += 2) nodeHashWithin(row, i * hashSize, (i / 2) * hashSize);
  }
  return row.subarray(0, hashSize);
}
