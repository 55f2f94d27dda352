// Masks as a record keeps them: only the columns that are masked, each with its place.
import type { Masks } from '../domain/decision.ts';
import type { MaskMethod } from '../domain/mask.ts';

export interface MaskRow {
  readonly result: number;
  readonly column: number;
  readonly label: string;
  readonly method: MaskMethod;
  /** The method's parameter where it has one. */
  readonly parameter?: string;
  readonly whole: boolean;
}

/** Masked columns of each result, in the order of columns. */
export function maskSummary(masks: Masks): MaskRow[] {
  return masks.flatMap((columns, result) =>
    columns.flatMap((mask, column) => {
      if (!mask) return [];
      const parameter = mask.value ?? mask.to ?? mask.keep ?? mask.size;
      const row = { column, label: mask.label, method: mask.method, result, whole: mask.whole };
      return [parameter === undefined ? row : { ...row, parameter: String(parameter) }];
    }),
  );
}
