// Forms that arguments of several commands take.
import { existsSync, readFileSync } from 'node:fs';

/** Of an option that may stand several times. */
export function collect(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

/** A key is given as its one line, or as the file that holds it. */
export function keyText(given: string): string {
  return existsSync(given) ? readFileSync(given, 'utf8') : given;
}
