// The kept inputs: `client`, `target` and `start` hold one valid message of every kind, `dialogues` whole conversations (dialogue.ts),
// and `found` what once broke something; its files are named after what they are an input for, such as `codec-…` or `dialogue-…`.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = join(import.meta.dirname, '..', 'fixtures', 'fuzz-corpus');

export interface Kept {
  /** Without `.bin`. */
  readonly name: string;
  readonly bytes: Buffer;
}

export function kept(part: 'client' | 'target' | 'start' | 'dialogues' | 'found'): Kept[] {
  const path = join(folder, part);
  if (!existsSync(path)) return [];
  return readdirSync(path)
    .filter((name) => name.endsWith('.bin'))
    .toSorted()
    .map((name) => ({ name: name.slice(0, -4), bytes: readFileSync(join(path, name)) }));
}
