// Journal segments and frames as bytes (docs/ledger-format.md, "Journal"): one frame is one group commit.
import { crc32 } from 'node:zlib';
import { hashSize, sha256 } from './hash.ts';

/** Segment header: magic, u64 first index, trailer of the last frame of the segment before. */
export const segmentHeaderSize = 8 + 8 + hashSize;
/** Frame header: magic, u64 first index, u32 entries, u32 body bytes, CRC-32 of what stands before it. */
export const frameHeaderSize = 4 + 8 + 4 + 4 + 4;
/** Largest body; a longer length can only be damage. */
export const bodyLimit = 64 * 1024 * 1024;

const segmentMagic = Buffer.from('CSJRNL1\n', 'latin1');
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

export function segmentHeader(first: number, previous: Buffer): Buffer {
  const header = Buffer.alloc(segmentHeaderSize);
  segmentMagic.copy(header);
  writeIndex(header, first, 8);
  previous.copy(header, 16);
  return header;
}

/** Reads a segment header; undefined when it is not one. */
export function parseSegmentHeader(bytes: Buffer): { first: number; previous: Buffer } | undefined {
  if (!bytes.subarray(0, 8).equals(segmentMagic)) return undefined;
  return { first: readIndex(bytes, 8), previous: Buffer.from(bytes.subarray(16, segmentHeaderSize)) };
}

/** Writes a frame header at `at`. */
export function writeFrameHeader(buffer: Buffer, at: number, { first, count, body }: FrameHeader): void {
  buffer.writeUInt32BE(frameMagic, at);
  writeIndex(buffer, first, at + 4);
  buffer.writeUInt32BE(count, at + 12);
  buffer.writeUInt32BE(body, at + 16);
  buffer.writeUInt32BE(crc32(buffer.subarray(at, at + 20)), at + 20);
}

/** Reads a frame header; undefined when it is damaged, which the CRC tells apart from a frame that is cut short. */
export function parseFrameHeader(bytes: Buffer): FrameHeader | undefined {
  if (bytes.readUInt32BE(0) !== frameMagic || bytes.readUInt32BE(20) !== crc32(bytes.subarray(0, 20))) return undefined;
  const header = { first: readIndex(bytes, 4), count: bytes.readUInt32BE(12), body: bytes.readUInt32BE(16) };
  return header.count > 0 && header.body <= bodyLimit ? header : undefined;
}

/** SHA-256(previous trailer ‖ header ‖ body). */
export function frameTrailer(previous: Buffer, frame: Buffer): Buffer {
  return sha256(Buffer.concat([previous, frame]));
}

/** One entry of a frame with its sealed payload. */
export interface FrameRecord {
  readonly index: number;
  readonly entry: Buffer;
  /** Absent when the entry has no payload. */
  readonly sealed?: { readonly key: string; readonly position: number; readonly bytes: Buffer };
}

/** Records of a frame's body, or undefined when they do not fill it exactly. The buffers are views. */
export function parseBody(body: Buffer, first: number, count: number): FrameRecord[] | undefined {
  const records: FrameRecord[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + 3 > body.length) return undefined;
    const entryEnd = at + 2 + body.readUInt16BE(at);
    if (entryEnd + 1 > body.length) return undefined;
    const entry = body.subarray(at + 2, entryEnd);
    const keyLength = body[entryEnd]!;
    at = entryEnd + 1;
    if (keyLength === 0) {
      records.push({ index: first + i, entry });
      continue;
    }
    if (at + keyLength + 10 > body.length) return undefined;
    const key = body.toString('latin1', at, at + keyLength);
    at += keyLength;
    const position = body.readUIntBE(at, 6);
    const end = at + 10 + body.readUInt32BE(at + 6);
    if (end > body.length) return undefined;
    records.push({ index: first + i, entry, sealed: { key, position, bytes: body.subarray(at + 10, end) } });
    at = end;
  }
  return at === body.length ? records : undefined;
}

function writeIndex(buffer: Buffer, index: number, at: number): void {
  buffer.writeUInt32BE(Math.floor(index / 0x1_0000_0000), at);
  buffer.writeUInt32BE(index >>> 0, at + 4);
}

function readIndex(buffer: Buffer, at: number): number {
  return buffer.readUInt32BE(at) * 0x1_0000_0000 + buffer.readUInt32BE(at + 4);
}
