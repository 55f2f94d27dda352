// Result sets: RowDescription, ParameterDescription, DataRow, CommandComplete; target to client.
import { targetMessage, targetPeer } from './codec.ts';
import { Reader } from './codec-reader.ts';
import type { Writer } from './codec-writer.ts';

const reader = new Reader(targetPeer);

export interface Field {
  readonly name: string;
  /** OID of the table and number of the attribute that the column is, else 0. */
  readonly table: number;
  readonly attribute: number;
  readonly type: number;
  /** Bytes, negative where it varies. */
  readonly size: number;
  readonly modifier: number;
  /** 0 text, 1 binary; 0 also where a statement is described before its formats are known. */
  readonly format: 0 | 1;
}

export function decodeRowDescription(buffer: Buffer, start: number, end: number): readonly Field[] {
  reader.over(buffer, start, end);
  const count = reader.count(19);
  const fields: Field[] = [];
  for (let index = 0; index < count; index++) {
    const name = reader.text();
    const table = reader.uint32();
    const attribute = reader.int16();
    const type = reader.uint32();
    const size = reader.int16();
    const modifier = reader.int32();
    const format = reader.int16();
    if (format !== 0 && format !== 1) return reader.fail(`describes a column in format ${format}`);
    fields.push({ name, table, attribute, type, size, modifier, format });
  }
  reader.done();
  return fields;
}

export function encodeRowDescription(writer: Writer, fields: readonly Field[]): void {
  writer.open(targetMessage.rowDescription).int16(fields.length);
  for (const field of fields) {
    writer.text(field.name).int32(field.table).int16(field.attribute).int32(field.type);
    writer.int16(field.size).int32(field.modifier).int16(field.format);
  }
  writer.close();
}

/** Type OIDs of a prepared statement's parameters. */
export function decodeParameterDescription(buffer: Buffer, start: number, end: number): readonly number[] {
  reader.over(buffer, start, end);
  const count = reader.count(4);
  const types: number[] = [];
  for (let index = 0; index < count; index++) types.push(reader.uint32());
  reader.done();
  return types;
}

export function encodeParameterDescription(writer: Writer, types: readonly number[]): void {
  writer.open(targetMessage.parameterDescription).int16(types.length);
  for (const type of types) writer.int32(type);
  writer.close();
}

/**
 * The cells of one DataRow, read again and again into the same arrays so that a row costs no allocation.
 * `lengths[i]` is −1 for NULL; otherwise cell i is `buffer[offsets[i], offsets[i] + lengths[i])`.
 */
export class Cells {
  count = 0;
  offsets = new Int32Array(32);
  lengths = new Int32Array(32);

  /** Throws Fault target.protocol when a cell does not fit or bytes are left over. */
  read(buffer: Buffer, start: number, end: number): number {
    reader.over(buffer, start, end);
    const count = reader.count(4);
    if (count > this.offsets.length) {
      this.offsets = new Int32Array(count);
      this.lengths = new Int32Array(count);
    }
    for (let index = 0; index < count; index++) {
      const length = reader.length();
      this.lengths[index] = length;
      this.offsets[index] = reader.offset;
      if (length > 0) reader.skip(length);
    }
    reader.done();
    this.count = count;
    return count;
  }
}

export function encodeDataRow(writer: Writer, cells: readonly (Uint8Array | null)[]): void {
  writer.open(targetMessage.dataRow).int16(cells.length);
  for (const cell of cells) writer.value(cell);
  writer.close();
}

/** The command tag, such as `INSERT 0 3`. */
export function decodeCommandComplete(buffer: Buffer, start: number, end: number): string {
  reader.over(buffer, start, end);
  const tag = reader.text();
  reader.done();
  return tag;
}

export function encodeCommandComplete(writer: Writer, tag: string): void {
  writer.open(targetMessage.commandComplete).text(tag).close();
}

/** Rows that a command tag counts; 0 for tags without a count. */
export function rowsOf(tag: string): number {
  const count = /^(?:INSERT \d+|DELETE|UPDATE|MERGE|SELECT|MOVE|FETCH|COPY) (\d+)$/.exec(tag)?.[1];
  return count === undefined ? 0 : Number(count);
}
