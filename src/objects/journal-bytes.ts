// The journal's own bytes, read where they lie: the files are the queue of what is still to be copied, however long that is.
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { frameHeaderSize, parseFrameHeader, segmentHeaderSize } from '../ledger/frame.ts';
import { hashSize } from '../ledger/hash.ts';
import { onDisk } from '../ledger/disk-folder.ts';
import { segmentFile, segments } from '../ledger/journal-reading.ts';
import { before, type Place, wholeFrames } from './part.ts';

export interface Piece {
  /** Whole frames, with the segment's header where they begin it. */
  readonly bytes: Buffer;
  readonly first: number;
  readonly after: Place;
}

/** Bytes of a part, unless one frame alone has more. */
export const partBytes = 8 * 1024 * 1024;

/** The next frames after a place, not beyond entry `upTo` and `most` bytes; undefined when there are none. */
export async function nextPiece(
  folder: string,
  place: Place,
  upTo: number,
  most: number = partBytes,
): Promise<Piece | undefined> {
  const handle = await open(join(folder, segmentFile(place.segment)), 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (!handle) return undefined;
  try {
    const from = place.offset === 0 ? 0 : place.offset - before;
    const size = (await handle.stat()).size;
    const read = async (length: number): Promise<Buffer> => {
      const bytes = Buffer.allocUnsafe(Math.max(0, Math.min(length, size - from)));
      let filled = 0;
      while (filled < bytes.length) {
        const { bytesRead } = await handle.read(bytes, filled, bytes.length - filled, from + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return bytes.subarray(0, filled);
    };
    const head = place.offset === 0 ? segmentHeaderSize : before;
    let bytes = await read(most + before);
    let found = wholeFrames(bytes, place, upTo);
    if (found.next === place.next) {
      // Perhaps one frame is larger than a part.
      const frame =
        bytes.length >= head + frameHeaderSize && parseFrameHeader(bytes.subarray(head, head + frameHeaderSize));
      if (!frame) return undefined;
      const whole = head + frameHeaderSize + frame.body + hashSize;
      if (whole <= bytes.length || from + whole > size) return undefined;
      bytes = await read(whole);
      found = wholeFrames(bytes, place, upTo);
      if (found.next === place.next) return undefined;
    }
    const start = place.offset === 0 ? 0 : before;
    const { end, next } = found;
    return {
      bytes: bytes.subarray(start, end),
      first: place.next,
      after: { segment: place.segment, offset: from + end, next },
    };
  } finally {
    await handle.close();
  }
}

/** The segment that follows one, once there is one: from then on it will not grow. */
export async function following(folder: string, segment: number): Promise<number | undefined> {
  return (await segments(onDisk(folder))).find((first) => first > segment);
}

/** A file in pieces of a size that S3 takes. */
export async function* piecesOf(path: string, pieceBytes: number): AsyncGenerator<Buffer> {
  const handle = await open(path, 'r');
  try {
    for (let at = 0; ; ) {
      const piece = Buffer.alloc(pieceBytes);
      let filled = 0;
      while (filled < piece.length) {
        const { bytesRead } = await handle.read(piece, filled, piece.length - filled, at + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      at += filled;
      if (filled > 0) yield piece.subarray(0, filled);
      if (filled < piece.length) return;
    }
  } finally {
    await handle.close();
  }
}
