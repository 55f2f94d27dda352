// The policy folder's files, as `loadPolicies` takes them. Everything else in the folder is left alone.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Every `*.cedar` file directly in the folder, sorted by name. Throws what `readdirSync` throws. */
export function readPolicyFolder(folder: string): { readonly name: string; readonly text: string }[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.name.endsWith('.cedar') && !entry.isDirectory())
    .map(({ name }) => name)
    .sort()
    .map((name) => ({ name, text: readFileSync(join(folder, name), 'utf8') }));
}
