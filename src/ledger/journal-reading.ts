// Reading the journal while it may be growing: frames in order, each checked against the chain.
import { Damage, meaning } from './damage.ts';
import type { Folder, OpenFile } from './folder.ts';
import {
  bodyLimit,
  type FrameRecord,
  frameHeaderSize,
  frameTrailer,
  parseBody,
  parseFrameHeader,
  parseSegmentHeader,
  segmentHeaderSize,
  segmentName,
} from './frame.ts';
import { hashSize, isSha256At } from './hash.ts';
import { allocate, allocateDirty, type Bytes, copyInto, isEqual } from './platform.ts';

/** How far a reader has come. Moved on by `readFrames` frame by frame, so that reading can go on where it ended. */
export interface Cursor {
  /** First index of the segment. */
  segment: number;
  /** Bytes of the segment read so far; 0 before its header. */
  offset: number;
  /** Index of the next entry. */
  next: number;
  /** Trailer of the last frame. */
  trailer: Bytes;
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
  return { segment: 0, offset: 0, next: 0, trailer: allocate(hashSize), rest: 0 };
}

/**
 * A cursor at the start of the segment that holds `from`, believing its header's word for the segment before it;
 * undefined when there is no journal. Whoever must know reads from the start.
 */
export async function cursorAt(folder: Folder, from: number): Promise<Cursor | undefined> {
  const first = (await segments(folder)).findLast((start) => start <= from);
  if (first === undefined) return undefined;
  const handle = await folder.open(segmentFile(first));
  if (!handle) return undefined;
  try {
    const header = allocate(segmentHeaderSize);
    await handle.read(header, 0, header.length, 0);
    const trailer = parseSegmentHeader(header)?.previous ?? allocate(hashSize);
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
export async function* readFrames(folder: Folder, cursor: Cursor): AsyncGenerator<Frame> {
  for await (const frames of readBlocks(folder, cursor)) yield* frames;
}

/**
 * The same, with the frames of each block read as one iteration: what waits for nothing costs no promise. A block's
 * frames must be taken before the next block is asked for; whoever stops in the middle has the cursor where it stopped.
 */
export async function* readBlocks(folder: Folder, cursor: Cursor): AsyncGenerator<Iterable<Frame>> {
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
export async function segments(folder: Folder): Promise<number[]> {
  const names = await folder.names('journal');
  return names
    .filter((name) => /^\d{12}$/.test(name))
    .map(Number)
    .sort((a, b) => a - b);
}

/** Path of a segment inside the ledger folder. */
export function segmentFile(first: number): string {
  return `journal/${segmentName(first)}`;
}

async function* readSegment(folder: Folder, cursor: Cursor): AsyncGenerator<Iterable<Frame>> {
  const file = segmentFile(cursor.segment);
  const handle = await folder.open(file);
  if (!handle) throw new Damage(file, 'the segment is missing', meaning.missing, cursor.next);
  try {
    const { size } = handle;
    const window: Window = { bytes: allocate(0), at: 0, start: cursor.offset, size };
    cursor.rest = size - cursor.offset;
    if (cursor.offset === 0) {
      if (!(await fill(handle, window, segmentHeaderSize))) return;
      const header = parseSegmentHeader(window.bytes.subarray(0, segmentHeaderSize));
      if (!header || header.first !== cursor.segment || header.first !== cursor.next) {
        throw new Damage(file, 'the segment header is not as it was written', meaning.changed, cursor.next);
      }
      if (!isEqual(header.previous, cursor.trailer)) {
        throw new Damage(file, 'the segment does not continue the one before', meaning.changed, cursor.next);
      }
      cursor.offset = window.at = segmentHeaderSize;
      cursor.rest = size - cursor.offset;
    }
    while (await fill(handle, window, frameHeaderSize)) {
      const header = parseFrameHeader(window.bytes.subarray(window.at, window.at + frameHeaderSize));
      if (!header) {
        if (await zerosFrom(handle, window)) return;
        throw changed(file, cursor);
      }
      if (!(await fill(handle, window, frameHeaderSize + header.body + hashSize))) return;
      const before = cursor.offset;
      yield framesIn(window, file, cursor);
      // The last bytes of the file looked like a frame that power loss cut short.
      if (cursor.offset === before) return;
    }
  } finally {
    await handle.close();
  }
}

/** Bytes of a segment in memory. Buffers handed out stay valid: a window is filled anew, never overwritten. */
interface Window {
  bytes: Bytes;
  /** Everything before this has been taken. */
  at: number;
  /** Where in the file `bytes` begins. */
  start: number;
  readonly size: number;
}

/** Sees to it that `length` bytes are at hand; false when the file had fewer when it was opened. */
async function fill(handle: OpenFile, window: Window, length: number): Promise<boolean> {
  const held = window.bytes.length - window.at;
  if (held >= length) return true;
  const from = window.start + window.at;
  if (window.size - from < length) return false;
  const next = allocateDirty(Math.min(window.size - from, Math.max(length, block)));
  copyInto(next, 0, window.bytes, window.at, window.bytes.length);
  for (let filled = held; filled < next.length; ) {
    const came = await handle.read(next, filled, next.length - filled, from + filled);
    if (came === 0) return false;
    filled += came;
  }
  window.bytes = next;
  window.at = 0;
  window.start = from;
  return true;
}

/** The whole frames of a window, each checked against the chain. Stops before the first that is not whole. */
function* framesIn(window: Window, file: string, cursor: Cursor): Generator<Frame> {
  const { bytes, size } = window;
  // Once a frame of this window was checked its trailer stands right before the next one, and both are hashed as one run.
  let chained = false;
  while (bytes.length - window.at >= frameHeaderSize) {
    const header = parseFrameHeader(bytes.subarray(window.at, window.at + frameHeaderSize));
    if (!header) return;
    const end = window.at + frameHeaderSize + header.body;
    const after = end + hashSize;
    if (after > bytes.length) return;
    const isChained = chained
      ? isSha256At(bytes, end, bytes.subarray(window.at - hashSize, end))
      : isEqual(frameTrailer(cursor.trailer, bytes.subarray(window.at, end)), bytes.subarray(end, after));
    if (!isChained) {
      // Power loss can leave the length of a file and lose its last bytes; a trailer is never all zeros.
      const last = window.start + after === size;
      if (last && bytes.subarray(end, after).every((byte) => byte === 0)) return;
      throw changed(file, cursor);
    }
    const records = parseBody(bytes.subarray(window.at + frameHeaderSize, end), header.first, header.count);
    if (!records || header.first !== cursor.next) throw changed(file, cursor);
    window.at = after;
    chained = true;
    cursor.offset = window.start + after;
    cursor.next = header.first + header.count;
    cursor.trailer = bytes.subarray(end, after);
    cursor.rest = size - cursor.offset;
    yield { first: header.first, records, file };
  }
}

function changed(file: string, cursor: Cursor): Damage {
  return new Damage(file, 'a frame is not as it was written', meaning.changed, cursor.next);
}

/** Whether all that is left of the file is zeros. */
async function zerosFrom(handle: OpenFile, { start, at, size }: Window): Promise<boolean> {
  // More than one frame was never on its way.
  if (size - start - at > frameHeaderSize + bodyLimit + hashSize) return false;
  const zeros = allocate(block);
  for (let from = start + at; from < size; from += block) {
    const bytes = allocate(Math.min(block, size - from));
    await handle.read(bytes, 0, bytes.length, from);
    if (!isEqual(bytes, zeros.subarray(0, bytes.length))) return false;
  }
  return true;
}
