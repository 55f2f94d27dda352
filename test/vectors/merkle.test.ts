// transparency-dev/merkle: 98 inclusion and 98 consistency proofs, good and bad.
import { relative } from 'node:path';
import { describe, expect, test } from 'vitest';
import { continues, includes } from '../../src/ledger/proof.ts';
import { filesBelow, text, vectors } from './folder.ts';

const hash = (value: string) => Buffer.from(value, 'base64');
const hashes = (list: string[] | null) => (list ?? []).map(hash);
const folder = vectors('merkle', 'testdata');

describe('inclusion', () => {
  const files = filesBelow(vectors('merkle', 'testdata', 'inclusion'), '.json');
  test('there are 98', () => expect(files).toHaveLength(98));
  for (const file of files) {
    const v = JSON.parse(text(file));
    test(`${relative(folder, file)}: ${v.desc}`, () => {
      expect(includes(v.leafIdx, v.treeSize, hash(v.leafHash), hashes(v.proof), hash(v.root))).toBe(!v.wantErr);
    });
  }
});

describe('consistency', () => {
  const files = filesBelow(vectors('merkle', 'testdata', 'consistency'), '.json');
  test('there are 98', () => expect(files).toHaveLength(98));
  for (const file of files) {
    const v = JSON.parse(text(file));
    test(`${relative(folder, file)}: ${v.desc}`, () => {
      expect(continues(v.size1, v.size2, hash(v.root1), hash(v.root2), hashes(v.proof))).toBe(!v.wantErr);
    });
  }
});
