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
  /** Bytes to write instead of the entry's canonical text. */
  readonly raw?: Buffer;
  /** First index of the segment, and of the frame, that it stood in; one without goes where the one before it goes. */
  readonly segment?: number;
  readonly frame?: number;
}

export interface Signing {
  readonly vkey: string;
  readonly key: KeyObject;
}

/** Every entry with its sealed payload, and where it stood. */
export async function takeApart(folder: string): Promise<Piece[]> {
  const pieces: Piece[] = [];
  const cursor = startOfJournal();
  for await (const { records, first } of readFrames(onDisk(folder), cursor)) {
    for (const { entry, sealed } of records) {
      const kept = sealed && { ...sealed, bytes: Buffer.from(sealed.bytes) };
      const place = { segment: cursor.segment, frame: first };
      pieces.push({ entry: JSON.parse(entry.toString()) as Entry, ...place, ...(kept ? { sealed: kept } : {}) });
    }
  }
  return pieces;
}

/** Runs of pieces that belong together. */
function runs(pieces: readonly Piece[], by: 'segment' | 'frame'): Piece[][] {
  const parts: Piece[][] = [];
  let now: number | undefined;
  for (const piece of pieces) {
    if (parts.length === 0 || (piece[by] !== undefined && piece[by] !== now)) parts.push([]);
    now = piece[by] ?? now;
    parts.at(-1)!.push(piece);
  }
  return parts;
}

/**
 * Writes a ledger of these pieces into a folder: the journal, with seals that fit; the tiles; and with a `signing` a checkpoint.
 * Without one the checkpoint that is there stays. Pieces that nobody changed give the very bytes that they were taken from.
 */
export function putTogether(folder: string, pieces: readonly Piece[], signing: Signing | undefined): void {
  rmSync(join(folder, 'journal'), { recursive: true, force: true });
  mkdirSync(join(folder, 'journal'), { recursive: true });
  const leaves: Buffer[] = [];
  let trailer: Buffer = Buffer.alloc(32);
  let closed: Entry['x'] | undefined;
  for (const segment of runs(pieces, 'segment')) {
    const first = leaves.length;
    const file = [segmentHeader(first, trailer)];
    for (const records of runs(segment, 'frame')) {
      const header = Buffer.alloc(frameHeaderSize);
      const from = leaves.length;
      const bodies: Buffer[] = [];
      for (const { entry, sealed, raw } of records) {
        const right = entry.t === 'journal.seal' && closed ? { ...entry, x: closed } : entry;
        const bytes = raw ?? Buffer.from(canonical(right as never));
        leaves.push(bytes);
        bodies.push(bundleRecord(bytes), sealedRecord(sealed));
      }
      const body = Buffer.concat(bodies);
      writeFrameHeader(header, 0, { first: from, count: records.length, body: body.length });
      const frame = Buffer.concat([header, body]);
      trailer = frameTrailer(trailer, frame);
      file.push(frame, trailer);
    }
    const bytes = Buffer.concat(file);
    writeFileSync(join(folder, 'journal', segmentName(first)), bytes);
    closed = { first, entries: leaves.length - first, bytes: bytes.length, sha256: trailer.toString('hex') };
  }
  writeTiles(folder, leaves, signing);
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
