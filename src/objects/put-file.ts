// A local file that will not change any more, into the object store: whole when it is small, in pieces when it is not.
import { readFile, stat } from 'node:fs/promises';
import { firstVersion, lockOf, putFirst, type Writing } from './first-version.ts';
import { piecesOf } from './journal-bytes.ts';
import { Conflict, ObjectFault } from './object-store.ts';

/** Of one piece, and of the largest file that is sent whole: what is held in memory. */
const pieceBytes = 16 * 1024 * 1024;

/** Copies a file unless it is there. A Conflict when something else is, seen by its length. */
export async function putFile(writing: Writing, key: string, path: string): Promise<void> {
  const { store, conditional } = writing;
  const { size } = await stat(path);
  const other = () =>
    new Conflict(`${store.name}${key} is not what lies here. Another gateway writes to the same place.`);
  const there = await firstVersion(store, key);
  if (there) {
    if (there.size !== size) throw other();
    return;
  }
  if (size <= pieceBytes) {
    if (!(await putFirst(writing, key, await readFile(path)))) throw other();
    return;
  }
  try {
    const written = await store.putPieces(key, piecesOf(path, pieceBytes), {
      ...lockOf(writing),
      onlyNew: conditional,
    });
    if (conditional) return;
    if ((await firstVersion(store, key))?.version !== written) throw other();
  } catch (error) {
    if (!(error instanceof ObjectFault) || error.kind !== 'exists') throw error;
    if ((await firstVersion(store, key))?.size !== size) throw other();
  }
}
