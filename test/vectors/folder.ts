// Where the published vectors are.
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..', process.env.COUNTERSIGN_VECTORS ?? '../shared/vectors');

/** Path of a vector file or folder; an error that says what to set when there is none. */
export function vectors(...parts: string[]): string {
  const path = join(root, ...parts);
  if (!existsSync(path)) throw new Error(`${path} is missing: set COUNTERSIGN_VECTORS to the folder of test vectors`);
  return path;
}

/** All files below a folder that end so, sorted. */
export function filesBelow(folder: string, end: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(end) && statSync(join(folder, name)).isFile())
    .sort()
    .map((name) => join(folder, name));
}

export function text(path: string): string {
  return readFileSync(path, 'utf8');
}
