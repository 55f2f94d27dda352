// COPY in both directions: CopyData, CopyFail, and the responses that open a copy.
import { clientMessage, clientPeer, targetMessage, targetPeer } from './codec.ts';
import { Reader } from './codec-reader.ts';
import type { Writer } from './codec-writer.ts';

const fromClient = new Reader(clientPeer);
const fromTarget = new Reader(targetPeer);

/** CopyData's content is all that follows its header: `buffer[start + copyHeader, end)`. The same in both directions. */
export const copyHeader = 5;

export function encodeCopyData(writer: Writer, data: Uint8Array, start = 0, end = data.length): void {
  writer.open(clientMessage.copyData).bytes(data, start, end).close();
}

export function encodeCopyDone(writer: Writer): void {
  writer.open(clientMessage.copyDone).close();
}

/** The reason a client gives up its COPY. */
export function decodeCopyFail(buffer: Buffer, start: number, end: number): string {
  fromClient.over(buffer, start, end);
  const reason = fromClient.text();
  fromClient.done();
  return reason;
}

export function encodeCopyFail(writer: Writer, reason: string): void {
  writer.open(clientMessage.copyFail).text(reason).close();
}

export interface CopyResponse {
  /** 0: the whole copy is text; 1: binary. */
  readonly format: 0 | 1;
  readonly columns: readonly (0 | 1)[];
}

/** Decodes CopyInResponse, CopyOutResponse and CopyBothResponse. */
export function decodeCopyResponse(buffer: Buffer, start: number, end: number): CopyResponse {
  const reader = fromTarget.over(buffer, start, end);
  const format = reader.byte();
  const count = reader.count(2);
  const columns: (0 | 1)[] = [];
  for (let index = 0; index < count; index++) {
    const column = reader.int16();
    if (column !== 0 && column !== 1) return reader.fail(`opens a copy in format ${column}`);
    columns.push(column);
  }
  reader.done();
  if (format !== 0 && format !== 1) return reader.fail(`opens a copy in format ${format}`);
  return { format, columns };
}

export function encodeCopyResponse(writer: Writer, type: 'in' | 'out', response: CopyResponse): void {
  writer.open(type === 'in' ? targetMessage.copyInResponse : targetMessage.copyOutResponse);
  writer.byte(response.format).int16(response.columns.length);
  for (const column of response.columns) writer.int16(column);
  writer.close();
}
