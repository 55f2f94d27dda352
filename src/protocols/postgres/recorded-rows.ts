// A recording under a rule that keeps less than everything: of each result its first rows, or none, and a digest of the whole.
// It sees what is recorded, so what is masked already, and cuts it into messages once more; `full` never comes here.
import { createHash, type Hash } from 'node:crypto';
import type { RecordingRule, Unkept } from '../../domain/recording-rule.ts';
import { clientMessage, clientPeer, targetMessage, targetPeer } from './codec.ts';
import { copyHeader } from './codec-copy.ts';
import { type Found, found, Framer } from './codec-framer.ts';
import { lineEnds, type RowEnds, tupleEnds } from './recorded-copy.ts';

export interface RecordedRows {
  record(side: 'client' | 'target', bytes: Buffer): void;
  /** Nothing more comes: what was left out of an unfinished result is told. */
  end(): void;
}

/** Takes what is kept, in the order of the stream; bytes are valid only during the call. */
export interface RecordedRowsSink {
  record(side: 'client' | 'target', bytes: Uint8Array): void;
  unkept(of: Unkept): void;
}

/** A result at hand. */
interface Result {
  readonly of: Unkept['of'];
  readonly hash: Hash;
  /** Of a COPY. */
  readonly ends: RowEnds | undefined;
  rows: number;
  bytes: number;
  keptBytes: number;
}

/** What may stand between two rows of a result. */
const aside: ReadonlySet<number> = new Set([
  targetMessage.noticeResponse,
  targetMessage.notificationResponse,
  targetMessage.parameterStatus,
]);
const data: ReadonlySet<number> = new Set([
  targetMessage.dataRow,
  targetMessage.copyData,
  targetMessage.functionCallResponse,
]);

/**
 * A result is what one answer brings: one statement of a query's text, one Execute, one COPY. What a client fetches in pieces
 * has the rule applied to each (test: recorded-rows, "fetched in pieces").
 */
export function openRecordedRows(rule: Exclude<RecordingRule, 'full'>, sink: RecordedRowsSink): RecordedRows {
  const limit = rule === 'digest' ? 0 : rule.rows;
  const target = new Framer({ peer: targetPeer, stream: (type) => data.has(type) });
  const client = new Framer({ peer: clientPeer, stream: (type) => type === clientMessage.copyData });
  const header = Buffer.alloc(copyHeader);
  header[0] = targetMessage.copyData;
  let result: Result | undefined;
  // Neighbours are told of as one: rows are small and many.
  let kept: Buffer = header;
  let keptFrom = 0;
  let keptTo = 0;
  let hashed: Buffer = header;
  let hashedFrom = 0;
  let hashedTo = 0;

  function keep(buffer: Buffer, start: number, end: number): void {
    if (kept === buffer && keptTo === start && keptFrom < keptTo) {
      keptTo = end;
      return;
    }
    flushKept();
    kept = buffer;
    keptFrom = start;
    keptTo = end;
  }

  function flushKept(): void {
    if (keptFrom < keptTo) sink.record('target', kept.subarray(keptFrom, keptTo));
    keptFrom = keptTo = 0;
  }

  function digest(of: Result, buffer: Buffer, start: number, end: number): void {
    of.bytes += end - start;
    if (hashed === buffer && hashedTo === start && hashedFrom < hashedTo) {
      hashedTo = end;
      return;
    }
    flushHashed();
    hashed = buffer;
    hashedFrom = start;
    hashedTo = end;
  }

  function flushHashed(): void {
    if (hashedFrom < hashedTo) result?.hash.update(hashed.subarray(hashedFrom, hashedTo));
    hashedFrom = hashedTo = 0;
  }

  function open(of: Unkept['of'], ends?: RowEnds): Result {
    close();
    return (result = { of, hash: createHash('sha256'), ends, rows: 0, bytes: 0, keptBytes: 0 });
  }

  function close(): void {
    flushHashed();
    if (result === undefined) return;
    const { of, ends, bytes, keptBytes, hash } = result;
    const rows = ends ? ends.rows : result.rows;
    result = undefined;
    if (keptBytes === bytes) return;
    flushKept();
    sink.unkept({ of, rows, bytes, keptRows: Math.min(rows, limit), keptBytes, sha256: hash.digest('hex') });
  }

  /** Rows are whole messages, also in the digest; a large one comes in pieces. */
  function row(of: Unkept['of'], kind: Found, buffer: Buffer, start: number, end: number): void {
    const at = result?.of === of ? result : open(of);
    if (kind === found.message || kind === found.begin) at.rows++;
    digest(at, buffer, start, end);
    if (at.rows > limit) return;
    at.keptBytes += end - start;
    keep(buffer, start, end);
  }

  /** The data of a COPY is one stream: how it was cut into messages is not kept. */
  function copied(side: 'client' | 'target', buffer: Buffer, start: number, end: number): void {
    if (start === end) return;
    const of = side === 'target' ? 'copy-out' : 'copy-in';
    const at = result?.of === of ? result : open(of, lineEnds(limit));
    digest(at, buffer, start, end);
    const taken = (at.ends as RowEnds).take(buffer.subarray(start, end));
    const count = limit === 0 ? 0 : taken;
    if (count === 0) return;
    at.keptBytes += count;
    header.writeInt32BE(count + 4, 1);
    flushKept();
    sink.record(side, header);
    sink.record(side, buffer.subarray(start, start + count));
  }

  function fromTarget(kind: Found): void {
    const { type, buffer, start, end } = target;
    switch (type) {
      case targetMessage.dataRow:
        return row('rows', kind, buffer, start, end);
      case targetMessage.functionCallResponse:
        return row('function', kind, buffer, start, end);
      case targetMessage.copyData:
        return copied('target', buffer, pastHeader(kind, start), end);
    }
    if (!aside.has(type)) close();
    keep(buffer, start, end);
    const copy = type === targetMessage.copyOutResponse ? 'copy-out' : 'copy-in';
    if (type === targetMessage.copyOutResponse || type === targetMessage.copyInResponse)
      open(copy, buffer[start + copyHeader] === 1 ? tupleEnds(limit) : lineEnds(limit));
  }

  return {
    record(side, bytes) {
      const framer = side === 'target' ? target : client;
      framer.push(bytes);
      for (let kind = framer.next(); kind !== found.nothing; kind = framer.next()) {
        if (side === 'target') fromTarget(kind);
        else copied('client', framer.buffer, pastHeader(kind, framer.start), framer.end);
      }
      flushHashed();
      flushKept();
    },
    end: close,
  };
}

function pastHeader(kind: Found, start: number): number {
  return kind === found.message || kind === found.begin ? start + copyHeader : start;
}
