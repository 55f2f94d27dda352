// Ids of the keys that a gateway has, for a verifier that compares them with the log. Reads no key: ids stand in the clear.
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** Of the database, or of the state folder that holds `keys.sqlite`. Throws the error of the file system or the database. */
export function keysIn(path: string): ReadonlySet<string> {
  const file = statSync(path).isDirectory() ? join(path, 'keys.sqlite') : path;
  statSync(file);
  const db = new DatabaseSync(file, { readOnly: true, timeout: 5000 });
  try {
    return new Set(
      db
        .prepare('SELECT id FROM keys')
        .all()
        .map(({ id }) => String(id)),
    );
  } finally {
    db.close();
  }
}
