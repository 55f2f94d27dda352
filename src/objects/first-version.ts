// Writing what must not be written twice. With conditional writes the store refuses; without them the oldest version of a name is
// what counts, and it is read back: whoever comes second sees what the first one wrote.
import { createHash } from 'node:crypto';
import { ObjectFault, type ObjectStore, type PutOptions, type Version } from './object-store.ts';

export interface Writing {
  readonly store: ObjectStore;
  /** The store refuses a second write of the same name; probed at the start. */
  readonly conditional: boolean;
  /** When what is written now may be deleted; absent without Object Lock. */
  retainUntil?(): number;
}

export function lockOf({ retainUntil }: Writing): PutOptions {
  return retainUntil ? { retainUntil: retainUntil() } : {};
}

/** The oldest version of a name with content; undefined when there is none. */
export async function firstVersion(store: ObjectStore, key: string): Promise<Version | undefined> {
  let first: Version | undefined;
  for await (const version of store.versions(key)) if (version.key === key && !version.marker) first = version;
  return first;
}

/** Writes an object unless there is one; resolves with whether the first version of that name is these bytes. */
export async function putFirst(writing: Writing, key: string, bytes: Uint8Array): Promise<boolean> {
  const { store, conditional } = writing;
  let written: string | undefined;
  try {
    written = await store.put(key, bytes, { ...lockOf(writing), onlyNew: conditional });
    if (conditional) return true;
  } catch (error) {
    if (!(error instanceof ObjectFault) || error.kind !== 'exists') throw error;
  }
  const first = await firstVersion(store, key);
  if (!first) throw new ObjectFault('garbled', 'NotListed', `the object store does not list ${key}, which it took`);
  return first.version === written || isContent(store, first, bytes);
}

/** Whether a version holds these bytes; its content is read only where the store's own hash does not say so. */
export async function isContent(store: ObjectStore, version: Version, bytes: Uint8Array): Promise<boolean> {
  if (version.size !== bytes.length) return false;
  if (version.etag === createHash('md5').update(bytes).digest('hex')) return true;
  return (await store.get(version.key, version.version))?.equals(bytes) ?? false;
}
