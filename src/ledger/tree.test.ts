// Laws of trees, tiles and proofs; vectors of others are in test/vectors.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { emptyRoot, leafHash, nodeHash, sha256, treeHash } from './hash.ts';
import { consistencyRanges, continues, includes, inclusionRanges, perfectParts, type Range } from './proof.ts';
import { bundleRecord, parseBundle, parseTilePath, rightEdge, tilePath } from './tile.ts';
import { addLeaf, emptyTree, perfect, resumeTree, rootOf } from './tree.ts';

const leaves = Array.from({ length: 1100 }, (_, i) => leafHash(Buffer.from(`leaf ${i}`)));

/** RFC 6962 §2.1, word for word. */
function mth(list: readonly Buffer[]): Buffer {
  if (list.length === 0) return sha256('');
  if (list.length === 1) return list[0]!;
  let k = 1;
  while (k * 2 < list.length) k *= 2;
  return nodeHash(mth(list.slice(0, k)), mth(list.slice(k)));
}

const rangeRoot = ({ start, end }: Range) => mth(leaves.slice(start, end));

test('RFC 6962 test values', () => {
  expect(emptyRoot.toString('hex')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  expect(leafHash(Buffer.alloc(0)).toString('hex')).toBe(
    '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  );
});

test('the growing tree, the list and the definition agree at every size, and every tile is emitted once', () => {
  const tree = emptyTree();
  const tiles = new Map<string, Buffer>();
  leaves.forEach((leaf, i) => {
    addLeaf(tree, leaf, (level, n, tile) => tiles.set(`${level}/${n}`, tile));
    if (i % 37 !== 0 && i % 256 > 2) return;
    const expected = mth(leaves.slice(0, i + 1));
    expect(rootOf(tree)).toEqual(expected);
    expect(treeHash(leaves.slice(0, i + 1))).toEqual(expected);
  });
  expect([...tiles.keys()]).toEqual(['0/0', '0/1', '0/2', '0/3']);
  expect(tiles.get('0/2')).toEqual(Buffer.concat(leaves.slice(512, 768)));
});

test('a tree resumed from its right edge goes on like one that never stopped', () => {
  for (const size of [0, 256, 512, 1024]) {
    const resumed = resumeTree(size, (level, _n, width) => {
      expect(level).toBe(1);
      return Buffer.concat(Array.from({ length: width }, (_, i) => mth(leaves.slice(i * 256, (i + 1) * 256))));
    });
    for (const leaf of leaves.slice(size)) addLeaf(resumed, leaf, () => {});
    expect(rootOf(resumed)).toEqual(mth(leaves));
  }
});

test('inclusion proofs hold for their leaf and for nothing else', () => {
  const size = fc.integer({ min: 1, max: 300 });
  fc.assert(
    fc.property(size, fc.nat(), fc.nat(), (n, a, b) => {
      const index = a % n;
      const root = mth(leaves.slice(0, n));
      const path = inclusionRanges(index, n).map(rangeRoot);
      expect(includes(index, n, leaves[index]!, path, root)).toBe(true);
      expect(includes(index, n, leaves[index + 1]!, path, root)).toBe(false);
      if (b % n !== index) expect(includes(b % n, n, leaves[index]!, path, root)).toBe(false);
      expect(includes(index, n, leaves[index]!, [...path, root], root)).toBe(false);
      if (path.length > 0) expect(includes(index, n, leaves[index]!, path.slice(1), root)).toBe(false);
    }),
    { numRuns: 60 },
  );
});

test('consistency proofs hold between every two sizes and not for another root', () => {
  const size = fc.integer({ min: 1, max: 300 });
  fc.assert(
    fc.property(size, size, (a, b) => {
      const [m, n] = a < b ? [a, b] : [b, a];
      const path = consistencyRanges(m, n).map(rangeRoot);
      const old = mth(leaves.slice(0, m));
      const root = mth(leaves.slice(0, n));
      expect(continues(m, n, old, root, path)).toBe(true);
      expect(continues(m, n, sha256('x'), root, path)).toBe(false);
      expect(continues(m, n, old, sha256('x'), path)).toBe(false);
      expect(continues(0, n, emptyRoot, root, [])).toBe(false);
    }),
    { numRuns: 60 },
  );
});

test('a range folds from its complete parts, and a tile gives their roots', () => {
  const tile = Buffer.concat(leaves.slice(0, 256));
  for (const { start, end } of [
    { start: 0, end: 200 },
    { start: 128, end: 199 },
    { start: 255, end: 256 },
  ]) {
    const parts = perfectParts({ start, end }).map((part) => perfect(tile, part.start, part.end - part.start));
    expect(parts.reduceRight((acc, part) => nodeHash(part, acc))).toEqual(rangeRoot({ start, end }));
  }
});

test('tile names are those of the specification, and no others are read', () => {
  expect(tilePath({ level: 0, n: 1_234_067, width: 256 })).toBe('tile/0/x001/x234/067');
  expect(tilePath({ level: 'entries', n: 1000, width: 17 })).toBe('tile/entries/x001/000.p/17');
  const names = fc.record({
    level: fc.oneof(fc.nat(63), fc.constant('entries' as const)),
    n: fc.nat(2 ** 31),
    width: fc.integer({ min: 1, max: 256 }),
  });
  fc.assert(fc.property(names, (name) => void expect(parseTilePath(tilePath(name))).toEqual(name)));
  for (const bad of [
    'tile/00/000',
    'tile/0/0',
    'tile/0/000.p/0',
    'tile/0/000.p/256',
    'tile/0/000.p/01',
    'tile/0/x000/000',
    'tile/entries/../000',
    'checkpoint',
  ]) {
    expect(parseTilePath(bad), bad).toBeUndefined();
  }
});

test('the right edge of 70,000 leaves is the one the specification shows', () => {
  expect(rightEdge(70_000)).toEqual([
    { level: 'entries', n: 273, width: 112 },
    { level: 0, n: 273, width: 112 },
    { level: 1, n: 1, width: 17 },
    { level: 2, n: 0, width: 1 },
  ]);
  expect(rightEdge(256).map(tilePath)).toEqual(['tile/entries/000', 'tile/0/000', 'tile/1/000.p/1']);
});

test('bundles are decoded to what was encoded, and to nothing when cut', () => {
  const entries = [Buffer.from('one'), Buffer.alloc(0), Buffer.from('three')];
  const bundle = Buffer.concat(entries.map(bundleRecord));
  expect(parseBundle(bundle)).toEqual(entries);
  expect(parseBundle(bundle.subarray(0, -1))).toBeUndefined();
});
