// Merkle tree hashing: RFC 6962 §2.1 (the same in RFC 9162 §2.1).
import { allocate, type Bytes, copyInto, copyOf, sha256, sha256Into } from './platform.ts';

export { isSha256At, sha256, sha256Into } from './platform.ts';

export const hashSize = 32;

/** Root of the tree with no leaves. */
export const emptyRoot: Bytes = sha256('');

// One-shot hashing of a prefixed copy costs less than a hash object; safe because nothing here is asynchronous.
let leafInput = allocate(16 * 1024);
const nodeInput = allocate(1 + 2 * hashSize).fill(1);

/** SHA-256(0x00 ‖ entry). */
export function leafHash(entry: Uint8Array): Bytes {
  return sha256(asLeaf(entry));
}

/** The same, written at a place of a buffer. */
export function leafHashInto(target: Bytes, at: number, entry: Uint8Array): void {
  sha256Into(target, at, asLeaf(entry));
}

function asLeaf(entry: Uint8Array): Bytes {
  if (entry.length + 1 > leafInput.length) leafInput = allocate(2 * entry.length);
  leafInput[0] = 0;
  leafInput.set(entry, 1);
  return leafInput.subarray(0, entry.length + 1);
}

/** SHA-256(0x01 ‖ left ‖ right). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Bytes {
  nodeInput.set(left, 1);
  nodeInput.set(right, 1 + hashSize);
  return sha256(nodeInput);
}

/** `nodeHash` of the two hashes that stand at `from` in a run of them, written at `to` of the same run. */
export function nodeHashWithin(run: Bytes, from: number, to: number): void {
  copyInto(nodeInput, 1, run, from, from + 2 * hashSize);
  sha256Into(run, to, nodeInput);
}

/** Root over a list of leaf hashes; the split is the largest power of two below the count. */
export function treeHash(leaves: readonly Uint8Array[]): Bytes {
  if (leaves.length === 0) return emptyRoot;
  let acc: Uint8Array | undefined;
  let end = leaves.length;
  // The binary digits of the count, smallest first, are the complete subtrees from right to left.
  for (let size = 1; end > 0; size *= 2) {
    if (end % (2 * size) === 0) continue;
    const peak = perfectHash(leaves, end - size, size);
    acc = acc === undefined ? peak : nodeHash(peak, acc);
    end -= size;
  }
  return copyOf(acc!);
}

function perfectHash(leaves: readonly Uint8Array[], start: number, size: number): Uint8Array {
  let row = leaves.slice(start, start + size);
  while (row.length > 1) {
    const above: Uint8Array[] = [];
    for (let i = 0; i < row.length; i += 2) above.push(nodeHash(row[i]!, row[i + 1]!));
    row = above;
  }
  return row[0]!;
}
