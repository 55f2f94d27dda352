// Parse, Bind, Describe, Execute and Close: the extended query protocol, client to target.
import { clientMessage, clientPeer } from './codec.ts';
import { Reader } from './codec-reader.ts';
import type { Writer } from './codec-writer.ts';

const reader = new Reader(clientPeer);

export interface Parse {
  readonly name: string;
  readonly text: string;
  /** Parameter type OIDs; 0 leaves one to the server. */
  readonly types: readonly number[];
}

export function decodeParse(buffer: Buffer, start: number, end: number): Parse {
  reader.over(buffer, start, end);
  const name = reader.text();
  const text = reader.text();
  const count = reader.count(4);
  const types: number[] = [];
  for (let index = 0; index < count; index++) types.push(reader.uint32());
  reader.done();
  return { name, text, types };
}

export function encodeParse(writer: Writer, parse: Parse): void {
  writer.open(clientMessage.parse).text(parse.name).text(parse.text).int16(parse.types.length);
  for (const type of parse.types) writer.int32(type);
  writer.close();
}

export type Format = 0 | 1;

export interface Bind {
  readonly portal: string;
  readonly statement: string;
  /** None: all text; one: for all; else one for each parameter. */
  readonly formats: readonly Format[];
  /** Parameters in order; NULL is `null`. Views into the message: what must survive the turn is copied. */
  readonly parameters: readonly (Buffer | null)[];
  /** Formats of the result's columns, with the same rule. */
  readonly results: readonly Format[];
}

/** Of parameters, results or arguments. */
export function readFormats(reader: Reader): Format[] {
  const count = reader.count(2);
  const list: Format[] = [];
  for (let index = 0; index < count; index++) {
    const format = reader.int16();
    if (format !== 0 && format !== 1) return reader.fail(`asks for format ${format}; 0 (text) and 1 (binary) exist`);
    list.push(format);
  }
  return list;
}

export function decodeBind(buffer: Buffer, start: number, end: number): Bind {
  reader.over(buffer, start, end);
  const portal = reader.text();
  const statement = reader.text();
  const given = readFormats(reader);
  const count = reader.count(4);
  if (given.length > 1 && given.length !== count) {
    reader.fail(`holds ${given.length} formats for ${count} parameters`);
  }
  const parameters: (Buffer | null)[] = [];
  for (let index = 0; index < count; index++) {
    const length = reader.length();
    parameters.push(length < 0 ? null : reader.bytes(length));
  }
  const results = readFormats(reader);
  reader.done();
  return { portal, statement, formats: given, parameters, results };
}

export interface BindWritten {
  readonly portal: string;
  readonly statement: string;
  readonly formats: readonly Format[];
  readonly parameters: readonly (Uint8Array | null)[];
  readonly results: readonly Format[];
}

export function encodeBind(writer: Writer, bind: BindWritten): void {
  writer.open(clientMessage.bind).text(bind.portal).text(bind.statement).int16(bind.formats.length);
  for (const format of bind.formats) writer.int16(format);
  writer.int16(bind.parameters.length);
  for (const parameter of bind.parameters) writer.value(parameter);
  writer.int16(bind.results.length);
  for (const format of bind.results) writer.int16(format);
  writer.close();
}

/** Format of the column or parameter at `index`, by the rule of `Bind.formats`. */
export function formatAt(list: readonly Format[], index: number): Format {
  return list.length === 0 ? 0 : ((list.length === 1 ? list[0] : list[index]) ?? 0);
}

/** What Describe and Close name: a prepared statement or a portal. */
export interface Named {
  readonly of: 'statement' | 'portal';
  readonly name: string;
}

/** Decodes Describe and Close, which have the same body. */
export function decodeNamed(buffer: Buffer, start: number, end: number): Named {
  reader.over(buffer, start, end);
  const kind = reader.byte();
  if (kind !== 0x53 && kind !== 0x50) reader.fail(`names neither a statement nor a portal`);
  const name = reader.text();
  reader.done();
  return { of: kind === 0x53 ? 'statement' : 'portal', name };
}

function encodeNamed(writer: Writer, type: number, named: Named): void {
  writer
    .open(type)
    .byte(named.of === 'statement' ? 0x53 : 0x50)
    .text(named.name)
    .close();
}

export function encodeDescribe(writer: Writer, named: Named): void {
  encodeNamed(writer, clientMessage.describe, named);
}

export function encodeClose(writer: Writer, named: Named): void {
  encodeNamed(writer, clientMessage.close, named);
}

export interface Execute {
  readonly portal: string;
  /** Rows to return before the portal is suspended; 0 or less is no limit, as the server reads it. */
  readonly limit: number;
}

export function decodeExecute(buffer: Buffer, start: number, end: number): Execute {
  reader.over(buffer, start, end);
  const portal = reader.text();
  const limit = reader.int32();
  reader.done();
  return { portal, limit };
}

export function encodeExecute(writer: Writer, execute: Execute): void {
  writer.open(clientMessage.execute).text(execute.portal).int32(execute.limit).close();
}
