// Query, the messages without a body, and FunctionCall: client to target.
import { clientMessage, clientPeer } from './codec.ts';
import { Reader } from './codec-reader.ts';
import type { Writer } from './codec-writer.ts';

const reader = new Reader(clientPeer);

/** The text of a Query message. */
export function decodeQuery(buffer: Buffer, start: number, end: number): string {
  reader.over(buffer, start, end);
  const text = reader.text();
  reader.done();
  return text;
}

export function encodeQuery(writer: Writer, text: string): void {
  writer.open(clientMessage.query).text(text).close();
}

/** Checks a message that has no body: Sync, Flush, Terminate, CopyDone. */
export function decodeEmpty(buffer: Buffer, start: number, end: number): void {
  reader.over(buffer, start, end).done();
}

export function encodeSync(writer: Writer): void {
  writer.open(clientMessage.sync).close();
}

export function encodeFlush(writer: Writer): void {
  writer.open(clientMessage.flush).close();
}

export function encodeTerminate(writer: Writer): void {
  writer.open(clientMessage.terminate).close();
}

export interface FunctionCall {
  /** OID of the function. */
  readonly routine: number;
  readonly arguments: number;
}

/** Checked through and through although the gateway refuses it: what is refused must still be framed. */
export function decodeFunctionCall(buffer: Buffer, start: number, end: number): FunctionCall {
  reader.over(buffer, start, end);
  const routine = reader.uint32();
  const formats = reader.count(2);
  for (let index = 0; index < formats; index++) reader.int16();
  const count = reader.count(4);
  for (let index = 0; index < count; index++) {
    const length = reader.length();
    if (length > 0) reader.skip(length);
  }
  reader.int16();
  reader.done();
  return { routine, arguments: count };
}
