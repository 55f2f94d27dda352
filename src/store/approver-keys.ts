// Approvers' keys between starts, in the state folder. Not part of the projection: it decides whose signatures count.
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { ApproverKey } from '../approvals/approver-key.ts';
import type { KeptKeys } from '../approvals/approver-keys.ts';

/** One process writes it: the holder of the ledger's lock. */
export function openKeptKeys(state: string): KeptKeys & { close(): void } {
  const db = new DatabaseSync(join(state, 'approver-keys.sqlite'), { timeout: 5000 });
  db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
  db.exec(`CREATE TABLE IF NOT EXISTS approver_keys (
    id TEXT PRIMARY KEY, fingerprint TEXT NOT NULL UNIQUE, body TEXT NOT NULL, counter INTEGER NOT NULL DEFAULT 0) STRICT`);
  const select = db.prepare('SELECT body FROM approver_keys');
  const upsert = db.prepare(
    'INSERT INTO approver_keys (id, fingerprint, body) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET body = excluded.body',
  );
  const counter = db.prepare('SELECT counter FROM approver_keys WHERE id = ?');
  const count = db.prepare('UPDATE approver_keys SET counter = max(counter, ?) WHERE id = ?');
  return {
    all: () => select.all().map((row) => JSON.parse(row['body'] as string) as ApproverKey),
    put: (key) => void upsert.run(key.id, key.fingerprint, JSON.stringify(key)),
    counter: (id) => Number(counter.get(id)?.['counter'] ?? 0),
    count: (id, to) => void count.run(to, id),
    close: () => db.close(),
  };
}
