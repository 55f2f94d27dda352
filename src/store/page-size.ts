// How much stands on one page: statements may be a mebibyte each, so rows are counted by their size as well.

/** Characters of statements on one page. */
const pageCharacters = 4 * 1024 * 1024;

/** The first of the rows that fit on a page together; at least one. */
export function fit<Row extends { readonly size: number }>(rows: readonly Row[]): Row[] {
  let sum = 0;
  const last = rows.findIndex(({ size }) => (sum += size) > pageCharacters);
  return last < 0 ? [...rows] : rows.slice(0, Math.max(1, last));
}
