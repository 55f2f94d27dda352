// Reading the journal while it may be growing: frames in order, each checked against the chain.
import { type FileHandle, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Damage, meaning } from './damage.ts';
import {
  type FrameRecord,
  frameHeaderSize,
  frameTrailer,
  parseBody,
  parseFrameHeader,
  parseSegmentHeader,
  segmentHeaderSize,
  segmentName,
} from './frame.ts';
import { hashSize } from './hash.ts';

/** How far a reader has come. Moved on by `readFrames` frame by frame, so that reading can go on where it ended. */
export interface Cursor {
  /** First index of the segment. */
  segment: number;
  /** Bytes of the segment read so far; 0 before its header. */
  offset: number;
  /** Index of the next entry. */
  next: number;
  /** Trailer of the last frame. */
  trailer: Buffer;
  /** Bytes after the last whole frame, seen when reading ended. */
  rest: number;
}

export interface Frame {
  readonly first: number;
  readonly records: readonly FrameRecord[];
  /** Segment file, for messages. */
  readonly file: string;
}

/** The place before the first entry of a log. */
export function startOfJournal(): Cursor {
  return { segment: 0, offset: 0, next: 0, trailer: Buffer.alloc(hashSize), rest: 0 };
}

/**
 * A cursor at the start of the segment that holds `from`, believing its header's word for the segment before it;
 * undefined when there is no journal. Whoever must know reads from the start.
 */
export async function cursorAt(folder: string, from: number): Promise<Cursor | undefined> {
  const first = (await segments(folder)).findLast((start) => start <= from);
  if (first === undefined) return undefined;
  const handle = await open(join(folder, segmentFile(first)), 'r');
  try {
    const header = Buffer.alloc(segmentHeaderSize);
    await handle.read(header, 0, header.length, 0);
    const trailer = parseSegmentHeader(header)?.previous ?? Buffer.alloc(hashSize);
    return { segment: first, offset: 0, next: first, trailer, rest: 0 };
  } finally {
    await handle.close();
  }
}

const block = 1024 * 1024;

/**
 * Frames from the cursor to the last whole frame there is now. Ends quietly at an incomplete frame at the end of the
 * last segment (`cursor.rest` tells); Damage for everything else that is not as it was written.
 */
export async function* readFrames(folder: string, cursor: Cursor): AsyncGenerator<Frame> {
  for (;;) {
    yield* readSegment(folder, cursor);
    const following = (await segments(folder)).find((first) => first > cursor.segment);
    if (following === undefined) return;
    // The segment may have grown between its end and the look at the folder; now it is closed.
    yield* readSegment(folder, cursor);
    const file = segmentFile(cursor.segment);
    if (cursor.rest > 0) throw new Damage(file, 'the segment ends inside a frame', meaning.missing, cursor.next);
    if (following !== cursor.next) {
      throw new Damage(
        file,
        `entries from ${cursor.next} to ${following - 1} are missing`,
        meaning.missing,
        cursor.next,
      );
    }
    cursor.segment = following;
    cursor.offset = 0;
  }
}

/** First indices of the segments there are, ascending. Names that are not segments are somebody else's matter. */
export async function segments(folder: string): Promise<number[]> {
  const names = await readdir(join(folder, 'journal'));
  return names
    .filter((name) => /^\d{12}$/.test(name))
    .map(Number)
    .sort((a, b) => a - b);
}

/** Path of a segment inside the ledger folder. */
export function segmentFile(first: number): string {
  return `journal/${segmentName(first)}`;
}

async function* readSegment(folder: string, cursor: Cursor): AsyncGenerator<Frame> {
  const file = segmentFile(cursor.segment);
  let handle: FileHandle;
  try {
    handle = await open(join(folder, file), 'r');
  } catch {
    throw new Damage(file, 'the segment is missing', meaning.missing, cursor.next);
  }
  try {
    const size = (await handle.stat()).size;
    const source = reader(handle, cursor.offset, size);
    cursor.rest = size - cursor.offset;
    if (cursor.offset === 0) {
      const bytes = await source.take(segmentHeaderSize);
      if (!bytes) return;
      const header = parseSegmentHeader(bytes);
      if (!header || header.first !== cursor.segment || header.first !== cursor.next) {
        throw new Damage(file, 'the segment header is not as it was written', meaning.changed, cursor.next);
      }
      if (!header.previous.equals(cursor.trailer)) {
        throw new Damage(file, 'the segment does not continue the one before', meaning.changed, cursor.next);
      }
      cursor.offset = segmentHeaderSize;
      cursor.rest = size - cursor.offset;
    }
    for (;;) {
      const frame = await readFrame(source, file, cursor, size);
      if (!frame) return;
      yield frame;
    }
  } finally {
    await handle.close();
  }
}

async function readFrame(source: Source, file: string, cursor: Cursor, size: number): Promise<Frame | undefined> {
  const head = await source.peek(frameHeaderSize);
  if (!head) return undefined;
  const changed = () => new Damage(file, 'a frame is not as it was written', meaning.changed, cursor.next);
  const header = parseFrameHeader(head);
  if (!header) {
    if (await source.zeros()) return undefined;
    throw changed();
  }
  const length = frameHeaderSize + header.body;
  const bytes = await source.take(length + hashSize);
  if (!bytes) return undefined;
  const frame = bytes.subarray(0, length);
  const trailer = bytes.subarray(length);
  if (!frameTrailer(cursor.trailer, frame).equals(trailer)) {
    // Power loss can leave the length of a file and lose its last bytes; a trailer is never all zeros.
    if (cursor.offset + bytes.length === size && trailer.every((byte) => byte === 0)) return undefined;
    throw changed();
  }
  const records = parseBody(frame.subarray(frameHeaderSize), header.first, header.count);
  if (!records || header.first !== cursor.next) throw changed();
  cursor.offset += bytes.length;
  cursor.next = header.first + header.count;
  cursor.trailer = Buffer.from(trailer);
  cursor.rest = size - cursor.offset;
  return { first: header.first, records, file };
}

interface Source {
  /** The next bytes without moving on; undefined when there are fewer. */
  peek(length: number): Promise<Buffer | undefined>;
  take(length: number): Promise<Buffer | undefined>;
  /** Whether all that is left is zeros. */
  zeros(): Promise<boolean>;
}

/** Buffered reading of [start, size) of a file. Buffers handed out stay valid. */
function reader(handle: FileHandle, start: number, size: number): Source {
  let held: Buffer = Buffer.alloc(0);
  let at = start;
  async function peek(length: number): Promise<Buffer | undefined> {
    if (held.length < length) {
      if (size - at < length) return undefined;
      const next = Buffer.allocUnsafe(Math.min(size - at, Math.max(length, block)));
      held.copy(next);
      let filled = held.length;
      while (filled < next.length) {
        const { bytesRead } = await handle.read(next, filled, next.length - filled, at + filled);
        if (bytesRead === 0) return undefined;
        filled += bytesRead;
      }
      held = next;
    }
    return held.subarray(0, length);
  }
  return {
    peek,
    async take(length) {
      const bytes = await peek(length);
      if (!bytes) return undefined;
      held = held.subarray(length);
      at += length;
      return bytes;
    },
    async zeros() {
      for (let from = at; from < size; from += block) {
        const bytes = Buffer.alloc(Math.min(block, size - from));
        await handle.read(bytes, 0, bytes.length, from);
        if (!bytes.every((byte) => byte === 0)) return false;
      }
      return true;
    },
  };
}
