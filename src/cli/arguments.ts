// Forms that arguments of several commands take.
import { existsSync, readFileSync } from 'node:fs';
import { InvalidArgumentError } from 'commander';

/** Of an option that may stand several times. */
export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

/** A key is given as its one line, or as the file that holds it. */
export function keyText(given: string): string {
  return existsSync(given) ? readFileSync(given, 'utf8') : given;
}

const day = 86_400_000;
const units = { s: 1_000, m: 60_000, h: 3_600_000, d: day, w: 7 * day } as const;

/** A length before now, in milliseconds, or a time. */
export function when(value: string): number | Date {
  const length = /^(\d{1,6})([smhdw])$/.exec(value);
  if (length) return Number(length[1]) * units[length[2] as keyof typeof units];
  const at = new Date(value);
  if (!/^\d{4}-\d\d-\d\d/.test(value) || Number.isNaN(at.getTime()))
    throw new InvalidArgumentError('write a length such as 30d, or a time such as 2026-01-31T00:00Z');
  return at;
}

/** Milliseconds since the epoch. */
export function timeOf(value: number | Date, now: number): number {
  return typeof value === 'number' ? now - value : value.getTime();
}

/** Parser of an option's value: a whole number from 0. */
export function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('Write a whole number.');
  return Number(text);
}
