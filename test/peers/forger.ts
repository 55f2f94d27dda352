// A forger who knows the format: takes a ledger apart into its entries and writes another one, right in every hash, frame, chain,
// tile and, with the key, signature. What still gives him away is what the tests are about.
import type { KeyObject } from 'node:crypto';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { canonical } from '../../src/ledger/canonical.ts';
import { onDisk } from '../../src/ledger/disk-folder.ts';
import type { Entry } from '../../src/ledger/entry.ts';
import {
  type FrameRecord,
  frameHeaderSize,
  frameTrailer,
  segmentHeader,
  segmentName,
  writeFrameHeader,
} from '../../src/ledger/frame.ts';
import { leafHash } from '../../src/ledger/hash.ts';
import { readFrames, startOfJournal } from '../../src/ledger/journal-reading.ts';
import { formatCheckpoint, parseVkey, signNote } from '../../src/ledger/note.ts';
import { bundleRecord, rightEdge, tilePath, tileWidth } from '../../src/ledger/tile.ts';
import { addLeaf, emptyTree, rootOf } from '../../src/ledger/tree.ts';

export interface Piece {
  readonly entry: Entry;
  readonly sealed?: FrameRecord['sealed'];
}

export interface Signing {
  readonly vkey: string;
  readonly key: KeyObject;
}

/** Entries by segment. */
export async function takeApart(folder: string): Promise<Piece[][]> {
  const parts = new Map<number, Piece[]>();
  const cursor = startOfJournal();
  for await (const { records } of readFrames(onDisk(folder), cursor)) {
    const part = parts.get(cursor.segment) ?? [];
    parts.set(cursor.segment, part);
    for (const { entry, sealed } of records) {
      const kept = sealed && { ...sealed, bytes: Buffer.from(sealed.bytes) };
      part.push({ entry: JSON.parse(entry.toString()) as Entry, ...(kept ? { sealed: kept } : {}) });
    }
  }
  return [...parts.values()];
}

/**
 * Writes a ledger of these entries into a folder: the journal, one frame a segment, with seals that fit; the tiles; and with a
 * `signing` a checkpoint. Without one the checkpoint that is there stays.
 */
export function putTogether(
  folder: string,
  segments: readonly (readonly Piece[])[],
  signing: Signing | undefined,
  write: { readonly tiles: boolean } = { tiles: true },
): void {
  rmSync(join(folder, 'journal'), { recursive: true, force: true });
  mkdirSync(join(folder, 'journal'), { recursive: true });
  const leaves: Buffer[] = [];
  let trailer: Buffer = Buffer.alloc(32);
  let closed: Entry['x'] | undefined;
  for (const pieces of segments) {
    if (pieces.length === 0) continue;
    const first = leaves.length;
    const bodies: Buffer[] = [];
    for (const { entry, sealed } of pieces) {
      const right = entry.t === 'journal.seal' && closed ? { ...entry, x: closed } : entry;
      const bytes = Buffer.from(canonical(right as never));
      leaves.push(bytes);
      bodies.push(bundleRecord(bytes), sealedRecord(sealed));
    }
    const body = Buffer.concat(bodies);
    const header = Buffer.alloc(frameHeaderSize);
    writeFrameHeader(header, 0, { first, count: pieces.length, body: body.length });
    const frame = Buffer.concat([header, body]);
    const last = frameTrailer(trailer, frame);
    const file = Buffer.concat([segmentHeader(first, trailer), frame, last]);
    writeFileSync(join(folder, 'journal', segmentName(first)), file);
    trailer = last;
    closed = { first, entries: pieces.length, bytes: file.length, sha256: last.toString('hex') };
  }
  if (write.tiles) writeTiles(folder, leaves, signing);
}

function sealedRecord(sealed: FrameRecord['sealed']): Buffer {
  if (!sealed) return Buffer.alloc(1);
  const head = Buffer.alloc(1 + sealed.key.length + 10);
  head[0] = head.write(sealed.key, 1);
  head.writeUIntBE(sealed.position, 1 + sealed.key.length, 6);
  head.writeUInt32BE(sealed.bytes.length, 7 + sealed.key.length);
  return Buffer.concat([head, sealed.bytes]);
}

function writeTiles(folder: string, leaves: readonly Buffer[], signing: Signing | undefined): void {
  rmSync(join(folder, 'tile'), { recursive: true, force: true });
  const put = (path: string, bytes: Buffer | string) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), bytes);
  };
  const tree = emptyTree();
  for (const leaf of leaves)
    addLeaf(tree, leafHash(leaf), (level, n, tile) => put(tilePath({ level, n, width: tileWidth }), tile));
  for (let n = 0; n * tileWidth < leaves.length; n++) {
    const part = leaves.slice(n * tileWidth, (n + 1) * tileWidth);
    put(tilePath({ level: 'entries', n, width: part.length }), Buffer.concat(part.map(bundleRecord)));
  }
  for (const name of rightEdge(leaves.length)) {
    if (name.level === 'entries' || name.width === tileWidth) continue;
    put(tilePath(name), tree.levels[name.level]!.subarray(0, name.width * 32));
  }
  if (!signing) return;
  const vkey = parseVkey(signing.vkey);
  const text = formatCheckpoint({ origin: vkey.name, size: leaves.length, root: rootOf(tree) });
  put('checkpoint', signNote(text, vkey, signing.key));
}
