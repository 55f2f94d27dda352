// Inclusion and consistency proofs: RFC 9162 §2.1.3 and §2.1.4 (vectors: test/vectors/merkle.test.ts).
import { hashSize, nodeHash } from './hash.ts';
import { type Bytes, isEqual } from './platform.ts';

/** Leaves [start, end). */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** Whether `path` proves that `leaf` stands at `index` in the tree of `size` leaves with this root. */
export function includes(index: number, size: number, leaf: Bytes, path: readonly Bytes[], root: Bytes): boolean {
  if (!position(index) || !position(size) || index >= size || !hashes([leaf, root, ...path])) return false;
  let fn = BigInt(index);
  let sn = BigInt(size) - 1n;
  let r = leaf;
  for (const p of path) {
    if (sn === 0n) return false;
    if ((fn & 1n) === 1n || fn === sn) {
      r = nodeHash(p, r);
      while ((fn & 1n) === 0n && fn !== 0n) {
        fn >>= 1n;
        sn >>= 1n;
      }
    } else {
      r = nodeHash(r, p);
    }
    fn >>= 1n;
    sn >>= 1n;
  }
  return sn === 0n && isEqual(r, root);
}

/** Whether `path` proves that the tree of `newSize` leaves continues the tree of `oldSize`. Nothing is consistent with size 0. */
export function continues(
  oldSize: number,
  newSize: number,
  oldRoot: Bytes,
  newRoot: Bytes,
  path: readonly Bytes[],
): boolean {
  if (!position(oldSize) || !position(newSize) || oldSize === 0 || oldSize > newSize) return false;
  if (oldSize === newSize) return path.length === 0 && isEqual(oldRoot, newRoot);
  if (!hashes([oldRoot, newRoot, ...path])) return false;
  if (path.length === 0) return false;
  let fn = BigInt(oldSize) - 1n;
  let sn = BigInt(newSize) - 1n;
  const steps = (fn & (fn + 1n)) === 0n ? [oldRoot, ...path] : path;
  while ((fn & 1n) === 1n) {
    fn >>= 1n;
    sn >>= 1n;
  }
  let fr = steps[0]!;
  let sr = steps[0]!;
  for (const c of steps.slice(1)) {
    if (sn === 0n) return false;
    if ((fn & 1n) === 1n || fn === sn) {
      fr = nodeHash(c, fr);
      sr = nodeHash(c, sr);
      while ((fn & 1n) === 0n && fn !== 0n) {
        fn >>= 1n;
        sn >>= 1n;
      }
    } else {
      sr = nodeHash(sr, c);
    }
    fn >>= 1n;
    sn >>= 1n;
  }
  return sn === 0n && isEqual(fr, oldRoot) && isEqual(sr, newRoot);
}

/** Subtrees whose roots are the inclusion path of `index`, leaf upwards. */
export function inclusionRanges(index: number, size: number): Range[] {
  const ranges: Range[] = [];
  let start = 0;
  let end = size;
  while (end - start > 1) {
    const middle = start + split(end - start);
    if (index < middle) {
      ranges.unshift({ start: middle, end });
      end = middle;
    } else {
      ranges.unshift({ start, end: middle });
      start = middle;
    }
  }
  return ranges;
}

/** Subtrees whose roots are the consistency path from `oldSize` to `newSize` (0 < oldSize <= newSize). */
export function consistencyRanges(oldSize: number, newSize: number): Range[] {
  const ranges: Range[] = [];
  let start = 0;
  let end = newSize;
  // The left border is known to the verifier only while nothing was cut off it: RFC 9162's flag `b`.
  let known = true;
  while (oldSize !== end) {
    const middle = start + split(end - start);
    if (oldSize <= middle) {
      ranges.unshift({ start: middle, end });
      end = middle;
    } else {
      ranges.unshift({ start, end: middle });
      start = middle;
      known = false;
    }
  }
  if (!known) ranges.unshift({ start, end });
  return ranges;
}

/** Cuts a range into complete subtrees, left to right, each at a multiple of its size; fold them from the right. */
export function perfectParts({ start, end }: Range): Range[] {
  const parts: Range[] = [];
  for (let at = start; at < end; ) {
    let size = 1;
    while (at % (size * 2) === 0 && at + size * 2 <= end) size *= 2;
    parts.push({ start: at, end: at + size });
    at += size;
  }
  return parts;
}

/** Largest power of two below `size`. */
function split(size: number): number {
  let k = 1;
  while (k * 2 < size) k *= 2;
  return k;
}

function position(n: number): boolean {
  return Number.isSafeInteger(n) && n >= 0;
}

function hashes(list: readonly Bytes[]): boolean {
  return list.every((h) => h.length === hashSize);
}
