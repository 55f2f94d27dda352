// Wrapped data keys. A session takes one from a pool that is already durable, so opening a session waits for no disk.
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Fault } from '../domain/fault.ts';
import type { KeyProvider } from './master-key.ts';
import { type SessionKey, sessionKey } from './session-key.ts';

export interface KeyPool {
  /** A key that nothing has used. Makes a batch on the spot when the pool has run dry. */
  take(): SessionKey;
  /** Forgets the keys that nobody took, and closes. */
  close(): void;
}

const batch = 64;
const low = 16;

/** Makes the key database of a new log. */
export function createKeys(state: string): void {
  const db = new DatabaseSync(join(state, 'keys.sqlite'));
  db.exec('PRAGMA journal_mode = WAL; PRAGMA secure_delete = ON');
  db.exec('CREATE TABLE keys (id TEXT PRIMARY KEY, wrapped BLOB NOT NULL) STRICT, WITHOUT ROWID');
  db.close();
}

/** Opens the pool of one boot. Keys left over from an earlier boot are never handed out: they may have been used. */
export function openKeyPool(state: string, provider: KeyProvider): KeyPool {
  const db = new DatabaseSync(join(state, 'keys.sqlite'), { timeout: 5000 });
  db.exec('PRAGMA synchronous = FULL; PRAGMA secure_delete = ON');
  const insert = db.prepare('INSERT INTO keys VALUES (?, ?)');
  const remove = db.prepare('DELETE FROM keys WHERE id = ?');
  const ready: { id: string; dek: Buffer }[] = [];
  let refilling = false;
  let closed = false;

  function refill(): void {
    refilling = false;
    if (closed) return;
    const made = Array.from({ length: batch }, () => ({
      id: randomBytes(12).toString('base64url'),
      dek: randomBytes(32),
    }));
    db.exec('BEGIN');
    try {
      for (const { id, dek } of made) insert.run(id, provider.wrap(dek));
      db.exec('COMMIT');
    } catch (cause) {
      // On some errors, a full disk among them, SQLite has rolled back by itself.
      if (db.isTransaction) db.exec('ROLLBACK');
      throw cause;
    }
    ready.push(...made);
  }
  function makeNow(): void {
    try {
      refill();
    } catch (cause) {
      throw unavailable(cause);
    }
  }

  try {
    makeNow();
  } catch (cause) {
    db.close();
    throw cause;
  }

  return {
    take() {
      if (ready.length === 0) makeNow();
      const { id, dek } = ready.pop()!;
      if (ready.length < low && !refilling) {
        refilling = true;
        setImmediate(() => {
          try {
            refill();
          } catch {
            // The pool is not empty yet: whoever finds it empty tries again and gets the error.
          }
        });
      }
      return sessionKey(id, dek);
    },
    close() {
      closed = true;
      try {
        db.exec('BEGIN');
        for (const { id } of ready) remove.run(id);
        db.exec('COMMIT');
      } finally {
        db.close();
      }
    },
  };
}

function unavailable(cause: unknown): Fault {
  return new Fault('ledger.unavailable', 'No key can be kept for a new session. Try again later.', cause);
}
