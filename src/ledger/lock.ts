// One writer for a log, and no way back: an exclusively locked database with the last signed checkpoint in it.
// Trusted and small. Losing it loses the protection against a folder that was rolled back, so it is never recreated.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Fault } from '../domain/fault.ts';

export interface Lock {
  /** The last checkpoint that was signed; undefined before the first. */
  checkpoint(): string | undefined;
  /** Compare and swap; throws when the stored checkpoint is not `from`. Durable when it returns. */
  swap(from: string | undefined, to: string): void;
  /** The newest milestone, as `keep` was given it. */
  milestone(): string | undefined;
  /** Keys that were destroyed by entries before it: whatever brings them back, the next start destroys them again. */
  shredded(): string[];
  /** Keeps a milestone, and what was destroyed since the one before; durable when it returns. */
  keep(milestone: string, shredded: readonly string[]): void;
  release(): void;
}

const milestoneTables = `CREATE TABLE IF NOT EXISTS milestone (id INTEGER PRIMARY KEY CHECK (id = 1), note TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS shredded (key TEXT PRIMARY KEY) STRICT, WITHOUT ROWID`;

/** SQLITE_BUSY. */
const busy = 5;

/** Makes the lock of a new log. */
export function createLock(state: string): void {
  const db = new DatabaseSync(join(state, 'lock.sqlite'));
  db.exec('CREATE TABLE head (id INTEGER PRIMARY KEY CHECK (id = 1), checkpoint TEXT) STRICT');
  db.exec('INSERT INTO head VALUES (1, NULL)');
  db.close();
}

/** Takes the lock until `release` or the end of the process, however it ends. Fault when somebody else holds it. */
export function takeLock(state: string, boot: string): Lock {
  const path = join(state, 'lock.sqlite');
  if (!existsSync(path)) {
    throw new Fault(
      'ledger.unavailable',
      `${path} is missing. It protects the ledger against being rolled back. Restore it together with the ledger.`,
    );
  }
  const db = new DatabaseSync(path, { timeout: 0 });
  try {
    // Held from the first write until the database is closed; the kernel frees it when the process dies.
    db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = FULL; BEGIN EXCLUSIVE');
    // Locks of logs that were made before there were milestones have no place for one.
    db.exec(`${milestoneTables}; COMMIT`);
    writeFileSync(holderFile(state), `process ${process.pid} on ${hostname()}, boot ${boot}\n`);
  } catch (cause) {
    db.close();
    if ((cause as { errcode?: number }).errcode !== busy) {
      throw new Fault(
        'ledger.unavailable',
        `${path} cannot be locked. Look at the disk and at the folder's rights.`,
        cause,
      );
    }
    throw new Fault(
      'ledger.unavailable',
      `Another gateway writes this ledger: ${holder(state)}. Stop it first.`,
      cause,
    );
  }
  const read = db.prepare('SELECT checkpoint FROM head WHERE id = 1');
  const readMilestone = db.prepare('SELECT note FROM milestone WHERE id = 1');
  const keepMilestone = db.prepare('INSERT OR REPLACE INTO milestone VALUES (1, ?)');
  const readShredded = db.prepare('SELECT key FROM shredded');
  const addShredded = db.prepare('INSERT OR IGNORE INTO shredded VALUES (?)');
  const update = db.prepare('UPDATE head SET checkpoint = ? WHERE id = 1 AND checkpoint IS ?');
  return {
    checkpoint() {
      const row = read.get() as { checkpoint: string | null } | undefined;
      if (!row) throw new Fault('ledger.unavailable', `${path} is damaged: it has no row.`);
      return row.checkpoint ?? undefined;
    },
    swap(from, to) {
      if (update.run(to, from ?? null).changes !== 1) throw new Error('the last checkpoint is not the one we signed');
    },
    milestone: () => (readMilestone.get() as { note: string } | undefined)?.note,
    shredded: () => (readShredded.all() as { key: string }[]).map(({ key }) => key),
    keep(milestone, shredded) {
      db.exec('BEGIN');
      for (const key of shredded) addShredded.run(key);
      keepMilestone.run(milestone);
      db.exec('COMMIT');
    },
    release() {
      db.close();
    },
  };
}

export type PeekedLock =
  | { readonly is: 'free'; readonly checkpoint: string | undefined }
  | { readonly is: 'held'; readonly by: string }
  | { readonly is: 'damaged'; readonly why: string };

/** What the lock says, without taking it. A held one says nothing but who holds it. */
export function peekLock(state: string): PeekedLock {
  const path = join(state, 'lock.sqlite');
  if (!existsSync(path)) return { is: 'damaged', why: 'it is missing' };
  const db = new DatabaseSync(path, { timeout: 0 });
  try {
    const row = db.prepare('SELECT checkpoint FROM head WHERE id = 1').get() as
      | { checkpoint: string | null }
      | undefined;
    if (!row) return { is: 'damaged', why: 'it has no row' };
    return { is: 'free', checkpoint: row.checkpoint ?? undefined };
  } catch (cause) {
    if ((cause as { errcode?: number }).errcode === busy) return { is: 'held', by: holder(state) };
    return { is: 'damaged', why: (cause as Error).message };
  } finally {
    db.close();
  }
}

function holderFile(state: string): string {
  return join(state, 'holder');
}

function holder(state: string): string {
  try {
    return readFileSync(holderFile(state), 'utf8').trim();
  } catch {
    return 'a process that left no name';
  }
}
