// COPY streams, masked cell by cell: PostgreSQL manual, COPY, "File Formats". The bytes may be cut anywhere; what is not of
// the declared form is a Fault, never passed on. A cell that is not masked leaves as it came.
import { Fault } from '../domain/fault.ts';
import type { Mask } from '../domain/mask.ts';
import type { MaskedCells } from '../domain/statement.ts';
import { BinaryRows } from './copy-binary.ts';
import { csvSyntax, LineRows, textSyntax } from './copy-lines.ts';
import { maskedBack } from './copy-held.ts';
import { compileMask, type MaskValue } from './method.ts';
import { keyless, type Place, type WrittenBack } from './written-back.ts';

/** The form of the stream; an analysis's `Copy` fits. */
export interface CopyForm {
  readonly format: 'text' | 'csv' | 'binary';
  readonly delimiter: string;
  readonly nullText: string;
  readonly quote: string;
  readonly escape: string;
  readonly header: boolean;
}

export interface CopyColumn {
  readonly mask: Mask | null;
  readonly type: number | undefined;
}

export interface CopyMasks {
  /** What may leave now; the rest waits for more. Throws a Fault for what is not of the declared form. */
  push(chunk: Buffer): Buffer;
  /** What is left at the end. */
  end(): Buffer;
  /** Adds the cells hidden so far, and starts counting anew. */
  collect(into: MaskedCells[]): void;
}

/** `key` is the deployment's, for hashes. Columns are those of the data, in order. */
export function openCopyMasks(form: CopyForm, columns: readonly CopyColumn[], key: Buffer): CopyMasks {
  const counts = columns.map(() => 0);
  const format = form.format === 'binary' ? 1 : 0;
  const masks = columns.map(({ mask, type }, index) => {
    if (!mask) return null;
    const hide = compileMask(mask, type, format, key);
    return (value: Buffer | null): Buffer | null => {
      if (value !== null) counts[index] = counts[index]! + 1;
      return hide(value);
    };
  });
  const rows = openRows(form, masks);
  return {
    push: (chunk) => rows.push(chunk),
    end: () => rows.end(),
    collect(into) {
      columns.forEach(({ mask }, index) => {
        const cells = counts[index]!;
        if (!mask || cells === 0) return;
        counts[index] = 0;
        const at = into.findIndex((entry) => entry.label === mask.label && entry.method === mask.method);
        const before = into[at];
        if (before) into[at] = { ...before, cells: before.cells + cells };
        else into.push({ label: mask.label, method: mask.method, cells });
      });
    },
  };
}

/**
 * What is kept of data that a client copies in: values for labelled columns become NULL. Throws a Fault for a value that is itself the
 * work of a mask, because copying it in would destroy what it hides (test: copy-in, "a masked value"). A column without a label has no place.
 */
export function openCopyRecord(
  form: CopyForm,
  places: readonly (Place | null)[],
  back: WrittenBack = keyless,
): Pick<CopyMasks, 'push' | 'end'> {
  const format = form.format === 'binary' ? 1 : 0;
  return openRows(
    form,
    places.map((place) => {
      if (place === null) return null;
      return (value) => {
        if (value !== null && back.value(value, format, 0, place) !== undefined) throw maskedBack();
        return null;
      };
    }),
  );
}

function openRows(form: CopyForm, masks: readonly (MaskValue | null)[]): BinaryRows | LineRows {
  if (form.format === 'binary') return new BinaryRows(masks);
  for (const mark of [form.delimiter, ...(form.format === 'csv' ? [form.quote, form.escape] : [])])
    if (Buffer.byteLength(mark) !== 1)
      throw new Fault(
        'result.withheld',
        'The COPY uses a delimiter, quote or escape that is not one byte. Use another one.',
      );
  return new LineRows(form, masks, form.format === 'csv' ? csvSyntax(form) : textSyntax(form));
}
