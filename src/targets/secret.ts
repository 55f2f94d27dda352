// Resolves a reference to a secret at the moment it is needed; configuration and logs hold the reference only.
import { readFile } from 'node:fs/promises';

export type SecretReference =
  | { readonly env: string }
  | { readonly file: string }
  /** For tests and the demo: the secret itself. */
  | { readonly value: string };

/** Rejects naming the reference, never the value. A file's surrounding white space is not part of the secret. */
export async function secret(reference: SecretReference): Promise<string> {
  if ('value' in reference) return reference.value;
  if ('env' in reference) {
    const value = process.env[reference.env];
    if (!value) throw new Error(`the secret ${describeSecret(reference)} is empty: set it before starting`);
    return value;
  }
  let text: string;
  try {
    text = (await readFile(reference.file, 'utf8')).trim();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unreadable';
    throw new Error(
      `the secret ${describeSecret(reference)} cannot be read (${code}): check that the file exists and its mode`,
      { cause: error },
    );
  }
  if (text === '') throw new Error(`the secret ${describeSecret(reference)} is empty: write it into the file`);
  return text;
}

/** The reference in words, safe to show. */
export function describeSecret(reference: SecretReference): string {
  if ('env' in reference) return `in environment variable ${reference.env}`;
  return 'file' in reference ? `in file ${reference.file}` : 'given as a value';
}
