// Opens the keys of sealed payloads and recordings, apart from the writer: for readers, and for erasure.
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileKeyProvider, type KeyProvider } from './master-key.ts';
import { type SessionKey, sessionKey } from './session-key.ts';

export interface KeyOpener {
  /** The key, or undefined when it was destroyed. */
  open(id: string): SessionKey | undefined;
  close(): void;
}

/** More than the sessions that speak at one time, or their keys are derived again and again. */
const remembered = 2_048;

/** Opens the keys of a ledger read-only. Also from another thread or process while the gateway runs. */
export function openKeyring(state: string, provider: KeyProvider = fileKeyProvider(state)): KeyOpener {
  const db = new DatabaseSync(join(state, 'keys.sqlite'), { readOnly: true, timeout: 5000 });
  const select = db.prepare('SELECT wrapped FROM keys WHERE id = ?');
  // Deriving costs more than looking up; a destroyed key must not live on here, so its row is looked at each time.
  const opened = new Map<string, SessionKey>();
  return {
    open(id) {
      const row = select.get(id) as { wrapped: Uint8Array } | undefined;
      if (!row) {
        opened.delete(id);
        return undefined;
      }
      let key = opened.get(id);
      if (!key) {
        key = sessionKey(id, provider.unwrap(Buffer.from(row.wrapped)));
        if (opened.size >= remembered) opened.delete(opened.keys().next().value!);
        opened.set(id, key);
      }
      return key;
    },
    close: () => db.close(),
  };
}

/**
 * Destroys one key: its payloads and its recording cannot be read again, and every proof stays valid (test:
 * verify.test.ts, "a destroyed key"). Returns whether there was such a key.
 */
export function destroyKey(state: string, id: string): boolean {
  const db = new DatabaseSync(join(state, 'keys.sqlite'), { timeout: 5000 });
  try {
    db.exec('PRAGMA synchronous = FULL; PRAGMA secure_delete = ON');
    const changed = db.prepare('DELETE FROM keys WHERE id = ?').run(id).changes === 1;
    // The write-ahead log of the database still holds the old page until it is emptied.
    db.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    return changed;
  } finally {
    db.close();
  }
}
