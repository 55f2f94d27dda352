/** A sensitivity class on a column: dotted, broad to narrow (`pii`, `pii.email`, `pci.pan`, `secret`). */
export type Label = string;

/** A base column of a target. */
export interface Column {
  readonly schema: string;
  readonly relation: string;
  readonly column: string;
}

export interface LabelledColumn extends Column {
  readonly labels: readonly Label[];
}
