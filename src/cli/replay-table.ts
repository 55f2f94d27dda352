// A recorded result as lines that fit a terminal. Cells and columns that do not fit are marked, never dropped in silence.
import { visible } from '../domain/safe-text.ts';
import { cut, widthOf } from './text-width.ts';

const gap = 2;
/** No column is made narrower than this. */
const least = 8;

export interface FittedTable {
  readonly head: string;
  readonly rows: readonly string[];
  /** What was cut; undefined when all of it fits. */
  readonly mark?: string;
}

export function fitTable(
  columns: readonly string[],
  rows: readonly (readonly (string | null)[])[],
  width: number,
): FittedTable {
  const count = Math.max(columns.length, ...rows.map((row) => row.length), 0);
  const heads = Array.from({ length: count }, (_, index) => visible(columns[index] ?? ''));
  const cells = rows.map((row) =>
    Array.from({ length: count }, (_, index) => (row[index] == null ? 'NULL' : visible(row[index]))),
  );
  const natural = heads.map((head, index) =>
    Math.max(1, widthOf(head), ...cells.map((row) => widthOf(row[index] as string))),
  );
  const { widths, shown } = fit(natural, width);
  let cutCells = 0;
  const line = (texts: readonly string[]): string =>
    widths
      .map((room, index) => {
        const text = texts[index] as string;
        const fitted = cut(text, room);
        if (fitted !== text) cutCells++;
        return index === widths.length - 1 ? fitted : fitted + ' '.repeat(room - widthOf(fitted) + gap);
      })
      .join('')
      .trimEnd();
  const head = line(heads);
  const lines = cells.map(line);
  const marks = [
    ...(shown < count ? [`columns that do not fit: ${heads.slice(shown).join(', ')}`] : []),
    ...(cutCells > 0 ? [`${cutCells} values cut at …`] : []),
  ];
  return { head, rows: lines, ...(marks.length > 0 && { mark: `${marks.join('; ')}; --json has them whole` }) };
}

/** Widths of the columns that fit; the widest give way first. */
function fit(natural: readonly number[], width: number): { widths: number[]; shown: number } {
  for (let shown = natural.length; shown > 1; shown--) {
    const room = width - gap * (shown - 1);
    const some = natural.slice(0, shown);
    if (some.reduce((sum, one) => sum + Math.min(one, least), 0) > room) continue;
    let limit = Math.max(...some);
    const total = () => some.reduce((sum, one) => sum + Math.min(one, Math.max(limit, least)), 0);
    while (total() > room) limit--;
    return { widths: some.map((one) => Math.min(one, Math.max(limit, least))), shown };
  }
  return { widths: natural.slice(0, 1).map((one) => Math.min(one, width)), shown: Math.min(1, natural.length) };
}
