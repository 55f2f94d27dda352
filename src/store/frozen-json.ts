// JSON of values that come again and again: most entries say what another one said.
import type { Json } from '../domain/entry.ts';

const written = new WeakMap<object, string>();

/** JSON of a value; of a frozen one it is written once. */
export function json(value: Json): string {
  if (typeof value !== 'object' || value === null || !Object.isFrozen(value)) return JSON.stringify(value);
  let text = written.get(value);
  if (text === undefined) written.set(value, (text = JSON.stringify(value)));
  return text;
}
