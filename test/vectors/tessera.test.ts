// transparency-dev/tessera: a whole small log with every checkpoint, tile and bundle it ever published.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { leafHash, treeHash } from '../../src/ledger/hash.ts';
import { openNote, parseCheckpoint, parseVkey } from '../../src/ledger/note.ts';
import { parseBundle, rightEdge, tilePath } from '../../src/ledger/tile.ts';
import { addLeaf, emptyTree, rootOf } from '../../src/ledger/tree.ts';
import { text, vectors } from './folder.ts';

const folder = vectors('tessera', 'testdata', 'log');
const key = parseVkey('example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx');
const checkpoint = (name: string) => parseCheckpoint(openNote(text(join(folder, name)), [key]).text);

test('the log verifies at every size: signature, bundle, tile, root', () => {
  const latest = checkpoint('checkpoint');
  expect(latest.size).toBe(15);
  const tree = emptyTree();
  const entries: Buffer[] = [];
  for (let size = 1; size <= latest.size; size++) {
    for (const name of rightEdge(size)) {
      const bytes = readFileSync(join(folder, tilePath(name)));
      if (name.level === 'entries') {
        const all = parseBundle(bytes)!;
        expect(all).toHaveLength(size);
        entries.splice(0, entries.length, ...all);
      } else {
        expect(bytes).toEqual(Buffer.concat(entries.map(leafHash)));
      }
    }
    addLeaf(tree, leafHash(entries[size - 1]!), () => {});
    expect(treeHash(entries.map(leafHash))).toEqual(rootOf(tree));
    const published = checkpoint(`checkpoint.${size}`);
    if (size === latest.size) expect(published).toEqual(latest);
    expect(published).toEqual({ origin: 'example.com/log/testdata', size, root: rootOf(tree) });
  }
  const state = JSON.parse(text(join(folder, '.state', 'treeState')));
  expect(state).toEqual({ size: latest.size, root: latest.root.toString('base64') });
  expect(entries[0]!.toString()).toBe('one');
  expect(checkpoint('checkpoint.0')).toMatchObject({ size: 0, root: rootOf(emptyTree()) });
});
