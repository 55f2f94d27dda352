// Locks between starts, in the state folder. Not part of the projection: they decide who comes in.
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Lock } from '../domain/lock.ts';
import type { KeptLocks } from '../session/locks.ts';

/** One process writes it: the holder of the ledger's lock. */
export function openKeptLocks(state: string): KeptLocks & { close(): void } {
  const db = new DatabaseSync(join(state, 'locks.sqlite'), { timeout: 5000 });
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
  db.exec('CREATE TABLE IF NOT EXISTS locks (id TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT');
  const select = db.prepare('SELECT body FROM locks');
  const upsert = db.prepare('INSERT INTO locks VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body');
  const remove = db.prepare('DELETE FROM locks WHERE id = ?');
  return {
    all: () => select.all().map((row) => JSON.parse(row['body'] as string) as Lock),
    put: (lock) => void upsert.run(lock.id, JSON.stringify(lock)),
    remove: (id) => void remove.run(id),
    close: () => db.close(),
  };
}
