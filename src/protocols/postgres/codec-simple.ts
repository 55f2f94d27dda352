// Query, the messages without a body, and FunctionCall: client to target; and its answer.
import { clientMessage, clientPeer, targetMessage, targetPeer } from './codec.ts';
import { readFormats, type Format } from './codec-extended.ts';
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
  /** By the rule of `Bind.formats`. */
  readonly formats: readonly Format[];
  /** Arguments in order; NULL is `null`. Views into the message. */
  readonly values: readonly (Buffer | null)[];
  readonly result: Format;
}

export function decodeFunctionCall(buffer: Buffer, start: number, end: number): FunctionCall {
  reader.over(buffer, start, end);
  const routine = reader.uint32();
  const formats = readFormats(reader);
  const count = reader.count(4);
  if (formats.length > 1 && formats.length !== count)
    reader.fail(`holds ${formats.length} formats for ${count} arguments`);
  const values: (Buffer | null)[] = [];
  for (let index = 0; index < count; index++) {
    const length = reader.length();
    values.push(length < 0 ? null : reader.bytes(length));
  }
  const result = reader.int16();
  if (result !== 0 && result !== 1) return reader.fail(`asks for format ${result}; 0 (text) and 1 (binary) exist`);
  reader.done();
  return { routine, formats, values, result };
}

export function encodeFunctionCall(writer: Writer, call: FunctionCall): void {
  writer.open(clientMessage.functionCall).int32(call.routine).int16(call.formats.length);
  for (const format of call.formats) writer.int16(format);
  writer.int16(call.values.length);
  for (const value of call.values) writer.value(value);
  writer.int16(call.result).close();
}

const fromTarget = new Reader(targetPeer);

/** The value that a called function returned; NULL is `null`. A view into the message. */
export function decodeFunctionCallResponse(buffer: Buffer, start: number, end: number): Buffer | null {
  fromTarget.over(buffer, start, end);
  const length = fromTarget.length();
  const value = length < 0 ? null : fromTarget.bytes(length);
  fromTarget.done();
  return value;
}

export function encodeFunctionCallResponse(writer: Writer, value: Uint8Array | null): void {
  writer.open(targetMessage.functionCallResponse).value(value).close();
}
