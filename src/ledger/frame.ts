// Journal segments and frames as bytes (docs/ledger-format.md, "Journal"): one frame is one group commit.
import { readUint16, readUint32, readUint48, readUint64, writeUint32, writeUint64 } from './big-endian.ts';
import { hashSize, sha256 } from './hash.ts';
import { allocate, type Bytes, concat, copyOf, crc32, latin1 } from './platform.ts';

/** Segment header: magic, u64 first index, trailer of the last frame of the segment before. */
export const segmentHeaderSize = 8 + 8 + hashSize;
/** Frame header: magic, u64 first index, u32 entries, u32 body bytes, CRC-32 of what stands before it. */
export const frameHeaderSize = 4 + 8 + 4 + 4 + 4;
/** Largest body; a longer length can only be damage. */
export const bodyLimit = 64 * 1024 * 1024;

const segmentMagic = 'CSJRNL1\n';
const frameMagic = 0x43534631; // CSF1

export interface FrameHeader {
  readonly first: number;
  readonly count: number;
  readonly body: number;
}

/** Name of the segment that starts at an index. */
export function segmentName(first: number): string {
  return String(first).padStart(12, '0');
}

export function segmentHeader(first: number, previous: Bytes): Bytes {
  const header = allocate(segmentHeaderSize);
  for (let i = 0; i < segmentMagic.length; i++) header[i] = segmentMagic.charCodeAt(i);
  writeUint64(header, first, 8);
  header.set(previous, 16);
  return header;
}

/** Reads a segment header; undefined when it is not one. */
export function parseSegmentHeader(bytes: Bytes): { first: number; previous: Bytes } | undefined {
  if (latin1(bytes, 0, 8) !== segmentMagic) return undefined;
  return { first: readUint64(bytes, 8), previous: copyOf(bytes.subarray(16, segmentHeaderSize)) };
}

/** Writes a frame header at `at`. */
export function writeFrameHeader(buffer: Bytes, at: number, { first, count, body }: FrameHeader): void {
  writeUint32(buffer, frameMagic, at);
  writeUint64(buffer, first, at + 4);
  writeUint32(buffer, count, at + 12);
  writeUint32(buffer, body, at + 16);
  writeUint32(buffer, crc32(buffer.subarray(at, at + 20)), at + 20);
}

/** Reads a frame header; undefined when it is damaged, which the CRC tells apart from a frame that is cut short. */
export function parseFrameHeader(bytes: Bytes): FrameHeader | undefined {
  if (readUint32(bytes, 0) !== frameMagic || readUint32(bytes, 20) !== crc32(bytes.subarray(0, 20))) return undefined;
  const header = { first: readUint64(bytes, 4), count: readUint32(bytes, 12), body: readUint32(bytes, 16) };
  return header.count > 0 && header.body <= bodyLimit ? header : undefined;
}

/** SHA-256(previous trailer ‖ header ‖ body). */
export function frameTrailer(previous: Bytes, frame: Bytes): Bytes {
  return sha256(concat([previous, frame]));
}

/** One entry of a frame with its sealed payload. */
export interface FrameRecord {
  readonly index: number;
  readonly entry: Bytes;
  /** Absent when the entry has no payload. */
  readonly sealed?: { readonly key: string; readonly position: number; readonly bytes: Bytes };
}

/** Records of a frame's body, or undefined when they do not fill it exactly. The buffers are views. */
export function parseBody(body: Bytes, first: number, count: number): FrameRecord[] | undefined {
  const records: FrameRecord[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + 3 > body.length) return undefined;
    const entryEnd = at + 2 + readUint16(body, at);
    if (entryEnd + 1 > body.length) return undefined;
    const entry = body.subarray(at + 2, entryEnd);
    const keyLength = body[entryEnd]!;
    at = entryEnd + 1;
    if (keyLength === 0) {
      records.push({ index: first + i, entry });
      continue;
    }
    if (at + keyLength + 10 > body.length) return undefined;
    const key = latin1(body, at, at + keyLength);
    at += keyLength;
    const position = readUint48(body, at);
    const end = at + 10 + readUint32(body, at + 6);
    if (end > body.length) return undefined;
    records.push({ index: first + i, entry, sealed: { key, position, bytes: body.subarray(at + 10, end) } });
    at = end;
  }
  return at === body.length ? records : undefined;
}
