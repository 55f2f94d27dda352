// What a configuration refers to outside itself: files and environment variables, named and never read here.
import { accessSync, constants } from 'node:fs';
import { keyPath } from './problem.ts';

export interface Reference {
  /** Key path, such as `targets[0].credential.password`. */
  readonly key: string;
  readonly file?: string;
  readonly env?: string;
}

/** Every `{ file }` and `{ env }`, in the order of the configuration. */
export function references(value: unknown, path: readonly (string | number)[] = []): Reference[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => references(item, [...path, index]));
  if (value === null || typeof value !== 'object') return [];
  const entries = Object.entries(value);
  const [only] = entries;
  if (entries.length === 1 && only && typeof only[1] === 'string' && (only[0] === 'file' || only[0] === 'env'))
    return [{ key: keyPath(path), [only[0]]: only[1] }];
  return entries.flatMap(([key, part]) => references(part, [...path, key]));
}

/** Those that are not there: a file that cannot be read, a variable that is not set. Each with what to do. */
export function missingReferences(
  config: unknown,
  env: Readonly<Record<string, string | undefined>>,
): { readonly key: string; readonly message: string }[] {
  return references(config).flatMap(({ key, file, env: name }) => {
    if (name !== undefined && !env[name])
      return [{ key, message: `the environment has no ${name}: set it where the gateway runs` }];
    if (file === undefined) return [];
    try {
      accessSync(file, constants.R_OK);
      return [];
    } catch (error) {
      return [
        {
          key,
          message: `${file} cannot be read (${(error as NodeJS.ErrnoException).code}): create it, or correct the path`,
        },
      ];
    }
  });
}
