// Whether the key database can be believed, without opening a key.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

export type KeysState = { readonly wrong: string } | { readonly ids: ReadonlySet<string> };

/** Safe beside a running gateway. */
export function checkKeys(state: string): KeysState {
  const path = join(state, 'keys.sqlite');
  if (!existsSync(path)) return { wrong: 'the key database is missing' };
  const db = new DatabaseSync(path, { timeout: 5000 });
  try {
    const [row] = db.prepare('PRAGMA integrity_check(1)').all() as { integrity_check: string }[];
    if (row?.integrity_check !== 'ok') return { wrong: `the key database is damaged: ${row?.integrity_check}` };
    return { ids: new Set((db.prepare('SELECT id FROM keys').all() as { id: string }[]).map(({ id }) => id)) };
  } catch (cause) {
    return { wrong: `the key database cannot be read: ${(cause as Error).message}` };
  } finally {
    db.close();
  }
}
