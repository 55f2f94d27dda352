// A part: whole frames of one segment as they lie in the journal, under the index of its first entry. One position of the log can
// be written once, so two writers of one log meet at the same name (docs/ledger-format.md, "In an object store").
import { frameHeaderSize, parseFrameHeader, parseSegmentHeader, segmentHeaderSize } from '../ledger/frame.ts';
import { hashSize, isSha256At } from '../ledger/hash.ts';
import { segmentName } from '../ledger/frame.ts';

/** A place in the journal, between two frames. */
export interface Place {
  /** First index of the segment. */
  readonly segment: number;
  /** Bytes of the segment before it; 0 is before its header. */
  readonly offset: number;
  /** Index of the entry that comes next. */
  readonly next: number;
}

export const partFolder = 'ledger/parts/';
export const segmentFolder = 'ledger/journal/';

export function partKey(first: number): string {
  return partFolder + segmentName(first);
}

/** Index in the name of a part or segment; undefined for any other name. */
export function indexOf(key: string): number | undefined {
  const name = /^ledger\/(?:parts|journal)\/(\d{12})$/.exec(key)?.[1];
  return name === undefined ? undefined : Number(name);
}

/** Bytes that stand before what is read: the last trailer, with which its chain begins. */
export const before = hashSize;

/**
 * How much of `bytes` is whole frames that continue the place, and where they end. `bytes` begins with the 32 bytes before the
 * place, or with the segment's header. Stops before a frame that is not whole, that goes beyond `upTo`, or that does not
 * continue the chain.
 */
export function wholeFrames(
  bytes: Buffer,
  place: Place,
  upTo: number,
): { readonly end: number; readonly next: number } {
  let next = place.next;
  let at = before;
  let header = false;
  if (place.offset === 0) {
    if (bytes.length < segmentHeaderSize) return { end: 0, next };
    if (parseSegmentHeader(bytes.subarray(0, segmentHeaderSize))?.first !== place.segment) return { end: 0, next };
    at = segmentHeaderSize;
    header = true;
  }
  const start = header ? 0 : at;
  let end = start;
  while (bytes.length - at >= frameHeaderSize) {
    const frame = parseFrameHeader(bytes.subarray(at, at + frameHeaderSize));
    if (!frame || frame.first !== next || frame.first + frame.count > upTo) break;
    const trailer = at + frameHeaderSize + frame.body;
    // The header of a segment ends with the trailer before it, so the chain is one run of bytes here too.
    if (trailer + hashSize > bytes.length || !isSha256At(bytes, trailer, bytes.subarray(at - hashSize, trailer))) break;
    at = end = trailer + hashSize;
    next = frame.first + frame.count;
  }
  return { end, next };
}
