// Sessions, statements and requests in words for a terminal. Nothing is cut silently, and nothing that agents wrote steers it.
import type { EffectRow, StatementRow } from '../api/contract.ts';
import type { NotKept } from '../domain/replay-event.ts';
import { type Cell, type Io, printLine, type Tone } from './output.ts';

export function moment(at: number | undefined): string {
  return at === undefined ? '' : new Date(at).toISOString().replace('.000Z', 'Z');
}

/** How long from one time to another, in its two largest units. */
export function span(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3_600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ] as const;
  const shown = parts.filter(([count]) => count > 0).slice(0, 2);
  return shown.length === 0 ? '0s' : shown.map(([count, unit]) => `${count}${unit}`).join(' ');
}

const tones: Readonly<Record<string, Tone>> = {
  permit: 'green',
  granted: 'green',
  hold: 'yellow',
  pending: 'yellow',
  deny: 'red',
  refused: 'red',
};

/** A ruling or state, coloured by what it means. */
export function ruled(word: string): Cell {
  const tone = tones[word];
  return tone ? { text: word, tone } : word;
}

/** Names and values under each other; values that are absent are left out. */
export function printFacts(io: Io, facts: readonly (readonly [name: string, value: string | undefined])[]): void {
  const width = Math.max(...facts.map(([name]) => name.length));
  for (const [name, value] of facts) if (value !== undefined) printLine(io, `${name.padEnd(width)}  ${value}`);
}

/** A text in full, line for line, indented. */
export function printText(io: Io, text: string): void {
  for (const line of text.split('\n')) printLine(io, `    ${line}`);
}

export function effectWords(effect: EffectRow): string {
  const attributes = Object.entries(effect.attributes ?? {}).map(([name, value]) => `${name}=${value}`);
  return `${effect.action} on ${effect.resource}${attributes.length > 0 ? ` (${attributes.join(', ')})` : ''}`;
}

/** Bound values as they were recorded. */
export function printParameters(io: Io, parameters: readonly (string | null)[] | undefined): void {
  parameters?.forEach((value, at) =>
    printLine(io, `    $${at + 1} = ${value === null ? 'NULL' : JSON.stringify(value)}`),
  );
}

export function outcomeWords(outcome: StatementRow['outcome']): string {
  if (!outcome) return '';
  const { status, tag, code, rows, masked } = outcome;
  const cells = masked.map((one) => `${one.cells} ${one.label} masked`);
  return [
    status === 'done' ? (tag ?? 'done') : [status, code].filter(Boolean).join(' '),
    `${rows} rows`,
    ...cells,
  ].join(', ');
}

/** What shadow policies would have made of it. */
export function shadowWords(shadow: StatementRow['shadow']): string {
  if (!shadow) return '';
  const masks = shadow.masks === undefined ? '' : `, ${shadow.masks} columns masked`;
  return `shadow: ${shadow.ruling}${shadow.rules.length > 0 ? ` by ${shadow.rules.join(', ')}` : ''}${masks}`;
}

/** What a recording does not hold of one result. */
export function unkeptWords({ rows, bytes, rule, sha256 }: NotKept): string {
  return `… and ${rows.toLocaleString('en')} more rows, ${bytes.toLocaleString('en')} bytes, not kept under the rule ${rule}; SHA-256 of all: ${sha256}`;
}
