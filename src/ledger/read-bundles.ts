// Entries from the bundles under the published checkpoint: what somebody has who was given the tiles alone.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Fault } from '../domain/fault.ts';
import { type Entry, parseEntry } from './entry.ts';
import { parseCheckpoint, parseNote } from './note.ts';
import { parseBundle, rightEdge, tilePath, tileWidth } from './tile.ts';

/** In order, from 0. Fault when a bundle is missing or not well formed; whether they are the log's is for `verify` to say. */
export async function* readBundles(folder: string): AsyncGenerator<{ index: number; entry: Entry }> {
  const { size } = parseCheckpoint(parseNote(await readFile(join(folder, 'checkpoint'), 'utf8')).text);
  const [last] = rightEdge(size);
  if (!last) return;
  for (let n = 0; n <= last.n; n++) {
    const width = n < last.n ? tileWidth : last.width;
    const path = tilePath({ level: 'entries', n, width });
    const bytes = await readFile(join(folder, path)).catch(() => undefined);
    const bundle = bytes && parseBundle(bytes);
    if (bundle?.length !== width) throw damaged(path);
    for (const [at, one] of bundle.entries()) {
      const entry = parseEntry(Buffer.from(one));
      if (typeof entry === 'string') throw damaged(path);
      yield { index: n * tileWidth + at, entry };
    }
  }
}

function damaged(path: string): Fault {
  return new Fault('ledger.unavailable', `${path} is missing or damaged. Run countersign verify.`);
}
