// Merkle tree hashing: RFC 6962 §2.1 (the same in RFC 9162 §2.1).
import { hash } from 'node:crypto';

export const hashSize = 32;

/** SHA-256 of some bytes or of a UTF-8 text. */
export function sha256(data: Uint8Array | string): Buffer {
  return hash('sha256', data, 'buffer');
}

/**
 * The same, written at a place of a buffer, which may lie in the data itself. By way of a string: a buffer of its own
 * for the result costs twice the hashing (docs/performance.md).
 */
export function sha256Into(target: Buffer, at: number, data: Uint8Array): void {
  target.write(hash('sha256', data, 'binary'), at, hashSize, 'latin1');
}

/** Root of the tree with no leaves. */
export const emptyRoot: Buffer = sha256('');

// One-shot hashing of a prefixed copy costs less than a hash object; safe because nothing here is asynchronous.
let leafInput = Buffer.alloc(16 * 1024);
const nodeInput = Buffer.alloc(1 + 2 * hashSize, 1);

/** Whether the hash of some bytes stands at a place of a buffer. */
export function isSha256At(buffer: Buffer, at: number, data: Uint8Array): boolean {
  return hash('sha256', data, 'binary') === buffer.toString('latin1', at, at + hashSize);
}

/** SHA-256(0x00 ‖ entry). */
export function leafHash(entry: Uint8Array): Buffer {
  return sha256(asLeaf(entry));
}

/** The same, written at a place of a buffer. */
export function leafHashInto(target: Buffer, at: number, entry: Uint8Array): void {
  sha256Into(target, at, asLeaf(entry));
}

function asLeaf(entry: Uint8Array): Buffer {
  if (entry.length + 1 > leafInput.length) leafInput = Buffer.alloc(2 * entry.length);
  leafInput[0] = 0;
  leafInput.set(entry, 1);
  return leafInput.subarray(0, entry.length + 1);
}

/** SHA-256(0x01 ‖ left ‖ right). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Buffer {
  nodeInput.set(left, 1);
  nodeInput.set(right, 1 + hashSize);
  return sha256(nodeInput);
}

/** `nodeHash` of the two hashes that stand at `from` in a run of them, written at `to` of the same run. */
export function nodeHashWithin(run: Buffer, from: number, to: number): void {
  run.copy(nodeInput, 1, from, from + 2 * hashSize);
  sha256Into(run, to, nodeInput);
}

/** Root over a list of leaf hashes; the split is the largest power of two below the count. */
export function treeHash(leaves: readonly Uint8Array[]): Buffer {
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
  return Buffer.from(acc!);
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
