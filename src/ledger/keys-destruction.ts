// Destroys data keys: what they sealed cannot be read again, and every proof stays valid. Nothing calls this but a shredding whose
// entry is durable, and the start that finishes one (shred.ts; test: architecture/destruction).
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/**
 * Deletes the rows of the keys and makes sure that their bytes are in no file of the database. Returns how many there were; rows
 * that are gone already are none. Throws when the bytes could not be removed: then it must be called again.
 */
export function destroyKeys(state: string, ids: readonly string[]): number {
  const db = new DatabaseSync(join(state, 'keys.sqlite'), { timeout: 5000 });
  try {
    // Deleted content is overwritten with zeros, on its page and on pages that become free.
    db.exec('PRAGMA synchronous = FULL; PRAGMA secure_delete = ON');
    const remove = db.prepare('DELETE FROM keys WHERE id = ?');
    let destroyed = 0;
    db.exec('BEGIN IMMEDIATE');
    try {
      for (const id of ids) destroyed += Number(remove.run(id).changes);
      db.exec('COMMIT');
    } catch (cause) {
      if (db.isTransaction) db.exec('ROLLBACK');
      throw cause;
    }
    emptyLog(db);
    return destroyed;
  } finally {
    db.close();
  }
}

/** Those of the keys whose rows are there. */
export function keysThere(state: string, ids: Iterable<string>): string[] {
  const db = new DatabaseSync(join(state, 'keys.sqlite'), { readOnly: true, timeout: 5000 });
  try {
    const select = db.prepare('SELECT 1 FROM keys WHERE id = ?');
    return [...ids].filter((id) => select.get(id) !== undefined);
  } finally {
    db.close();
  }
}

/** The write-ahead log of the database holds old pages until it is emptied; readers are in and out of it in no time. */
export function emptyLog(db: DatabaseSync): void {
  for (let attempt = 0; attempt < 100; attempt++) {
    const { busy } = db.prepare('PRAGMA wal_checkpoint(TRUNCATE)').get() as { busy: number };
    if (busy === 0) return;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
  }
  throw new Error('keys.sqlite is in use: its log could not be emptied');
}
