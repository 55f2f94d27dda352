// How far the store's file says that it has followed the ledger, for who looks at it from outside.
import { existsSync } from 'node:fs';
import { openSqlite } from './sqlite.ts';

/** Entries that it shows; undefined when there is no store yet, or none that can be read: it is built again at a start. */
export function storePosition(file: string): number | undefined {
  if (!existsSync(file)) return undefined;
  try {
    const db = openSqlite(file, { readOnly: true });
    try {
      const row = db.prepare('SELECT next FROM progress WHERE id = 1').get() as { next?: number } | undefined;
      return row?.next;
    } finally {
      db.close();
    }
  } catch {
    return undefined;
  }
}
