// One result set on its way back: is the server's description the one that was read from the text, and which cells are rewritten.
import { Fault } from '../../domain/fault.ts';
import type { Mask } from '../../domain/mask.ts';
import type { MaskedCells, Output } from '../../domain/statement.ts';
import type { Part, Witness } from '../../sql/analysis.ts';
import type { Catalogue } from '../../sql/catalogue.ts';
import { targetMessage } from './codec.ts';
import { Cells, type Field } from './codec-rows.ts';
import type { Writer } from './codec-writer.ts';

/** Hides one value: its bytes in the wire format, or `null` for NULL, to the same. Compiled by src/masking. */
export type MaskValue = (value: Buffer | null) => Buffer | null;
export type CompileMask = (mask: Mask, type: number | undefined, format: 0 | 1) => MaskValue;

/** Masks of one COPY stream, whose bytes may be cut anywhere. Throws a Fault for what it cannot read. Made by src/masking. */
export interface CopyMasks {
  /** What may leave now; the rest waits for more. */
  push(chunk: Buffer): Buffer;
  /** What is left at the end. */
  end(): Buffer;
  /** Adds the cells hidden so far, and starts counting anew. */
  collect(into: MaskedCells[]): void;
}

/**
 * Why the description must not be believed, or `undefined` when it agrees: as many columns as were read; where one was read
 * as a base column, that very column; and no labelled column that was not read as a source (DESIGN §5, second witness).
 */
export function disagreement(
  fields: readonly Field[],
  outputs: readonly Output[] | undefined,
  witnesses: readonly Witness[],
  catalogue: Catalogue,
): string | undefined {
  if (outputs === undefined) return 'the statement was not read as one that returns rows';
  if (fields.length !== outputs.length) {
    return `the target describes ${fields.length} columns where ${outputs.length} were read`;
  }
  for (let index = 0; index < fields.length; index++) {
    const field = fields[index] as Field;
    const output = outputs[index] as Output;
    const origin = witnesses[index]?.origin;
    const number = `column ${index + 1}`;
    if (origin && (origin.table !== field.table || origin.attribute !== field.attribute)) {
      return `${number} comes from another place than was read`;
    }
    if (field.table === 0 || output.opaque) continue;
    const labels = labelsOf(catalogue, field.table, field.attribute);
    if (labels.length === 0) continue;
    const read = new Set(output.sources.flatMap((source) => source.labels));
    if (!labels.every((label) => read.has(label))) return `${number} carries a label that was not read`;
  }
  return undefined;
}

function labelsOf(catalogue: Catalogue, table: number, attribute: number): readonly string[] {
  return catalogue.relations.get(table)?.columns.find((column) => column.attribute === attribute)?.labels ?? [];
}

/** As many columns as the server describes, where only one was read that stands for all. */
export function spread<T>(columns: readonly T[], part: Part | undefined, count: number): readonly T[] {
  const [only] = columns;
  return part?.anyColumns && only !== undefined ? Array.from({ length: count }, () => only) : columns;
}

/** The rewriting of one result set's rows; reused row after row. */
export class RowMasks {
  readonly #columns: readonly (MaskValue | null)[];
  readonly #masks: readonly (Mask | null)[];
  readonly #counts: number[];
  readonly #cells = new Cells();

  constructor(
    masks: readonly (Mask | null)[],
    fields: readonly Field[],
    format: (index: number) => 0 | 1,
    compile: CompileMask,
  ) {
    this.#masks = masks;
    this.#columns = masks.map((mask, index) => mask && compile(mask, fields[index]?.type, format(index)));
    this.#counts = masks.map(() => 0);
  }

  /** Appends the DataRow in `buffer[start, end)` with its cells masked. Throws a Fault for a row of another shape. */
  rewrite(buffer: Buffer, start: number, end: number, writer: Writer): void {
    const count = this.#cells.read(buffer, start, end);
    if (count !== this.#columns.length) {
      throw new Fault('target.protocol', 'The target sent a row with another number of columns than it described.');
    }
    const { offsets, lengths } = this.#cells;
    writer.open(targetMessage.dataRow).int16(count);
    for (let index = 0; index < count; index++) {
      const length = lengths[index] as number;
      const offset = offsets[index] as number;
      const mask = this.#columns[index];
      if (mask) {
        const masked = mask(length < 0 ? null : buffer.subarray(offset, offset + length));
        if (length >= 0) this.#counts[index] = (this.#counts[index] as number) + 1;
        writer.value(masked);
      } else if (length < 0) writer.int32(-1);
      else writer.int32(length).bytes(buffer, offset, offset + length);
    }
    writer.close();
  }

  /** Adds the number of cells hidden so far to `into`, by label and method, and starts counting anew. */
  collect(into: MaskedCells[]): void {
    for (let index = 0; index < this.#counts.length; index++) {
      const cells = this.#counts[index] as number;
      const mask = this.#masks[index];
      if (cells === 0 || !mask) continue;
      this.#counts[index] = 0;
      const at = into.findIndex((entry) => entry.label === mask.label && entry.method === mask.method);
      if (at < 0) into.push({ label: mask.label, method: mask.method, cells });
      else into[at] = { label: mask.label, method: mask.method, cells: (into[at] as MaskedCells).cells + cells };
    }
  }
}

/** Masks of a result set that has `columns` columns, or `null` when none applies. Throws a Fault when they do not fit it. */
export function masksFor(
  masks: readonly (readonly (Mask | null)[])[],
  result: number,
  columns: number,
  part?: Part,
): readonly (Mask | null)[] | null {
  const own = masks[result] && spread(masks[result], part, columns);
  if (own === undefined || own.length === 0) return null;
  if (own.length !== columns) {
    throw new Fault('result.withheld', 'The masks of this result do not fit its columns, so it was withheld.');
  }
  return own.some((mask) => mask !== null) ? own : null;
}
