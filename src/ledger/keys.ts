// Wrapped data keys. A session takes one from a pool that is already durable, so opening a session waits for no disk and no
// network. While the provider does not answer the pool drains; empty, it refuses, and it fills again by itself.
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Fault } from '../domain/fault.ts';
import type { KeyProvider } from './key-provider.ts';
import { type SessionKey, sessionKey } from './session-key.ts';

export interface KeyPool {
  /**
   * A key that nothing has used. Where the provider is this machine a dry pool is filled on the spot; where it is not, it throws
   * Fault('ledger.unavailable').
   */
  take(): SessionKey;
  status(): KeyStatus;
  /** Forgets the keys that nobody took, and closes. */
  close(): void;
}

export interface KeyStatus {
  /** Label of the wrapping key. */
  readonly provider: string;
  /** Keys that are wrapped, durable and unused. */
  readonly ready: number;
  /** What the provider last said, while it does not wrap. */
  readonly failing?: Fault;
}

export interface KeyPoolOptions {
  readonly state: string;
  readonly provider: KeyProvider;
  /** Told when the provider begins to fail, and when it answers again. */
  readonly told?: (status: KeyStatus) => void;
  /** Keys that must be ready; below it more are made. */
  readonly low?: number;
  /** Milliseconds before the first of the repeated attempts; doubled each time up to `mostRetryMs`. */
  readonly retryMs?: number;
  readonly mostRetryMs?: number;
}

/** Keys of one request, and what must be left when the next is made. A provider far away gets more notice. */
const near = { batch: 64, low: 16 };
const far = { batch: 128, low: 384 };

/** Makes the key database of a new log. */
export function createKeys(state: string): void {
  const db = new DatabaseSync(join(state, 'keys.sqlite'));
  db.exec('PRAGMA journal_mode = WAL; PRAGMA secure_delete = ON');
  db.exec('CREATE TABLE keys (id TEXT PRIMARY KEY, wrapped BLOB NOT NULL) STRICT, WITHOUT ROWID');
  db.close();
}

/** Opens the pool of one boot, filled. Keys left over from an earlier boot are never handed out: they may have been used. */
export async function openKeyPool(options: KeyPoolOptions): Promise<KeyPool> {
  const { state, provider, told, retryMs = 1_000, mostRetryMs = 30_000 } = options;
  const { batch } = provider.wrapNow ? near : far;
  const low = options.low ?? (provider.wrapNow ? near : far).low;
  const db = new DatabaseSync(join(state, 'keys.sqlite'), { timeout: 5000 });
  db.exec('PRAGMA synchronous = FULL; PRAGMA secure_delete = ON');
  const insert = db.prepare('INSERT INTO keys VALUES (?, ?)');
  const remove = db.prepare('DELETE FROM keys WHERE id = ?');
  const ready: { id: string; dek: Buffer }[] = [];
  let filling = false;
  let closed = false;
  let failing: Fault | undefined;
  let timer: NodeJS.Timeout | undefined;
  const status = (): KeyStatus => ({
    provider: provider.label,
    ready: ready.length,
    ...(failing ? { failing } : {}),
  });

  const fresh = () =>
    Array.from({ length: batch }, () => ({ id: randomBytes(12).toString('base64url'), dek: randomBytes(32) }));

  function keep(made: ReturnType<typeof fresh>, wrapped: readonly Buffer[]): void {
    db.exec('BEGIN IMMEDIATE');
    try {
      for (const [at, { id }] of made.entries()) insert.run(id, wrapped[at]!);
      db.exec('COMMIT');
    } catch (cause) {
      // On some errors, a full disk among them, SQLite has rolled back by itself.
      if (db.isTransaction) db.exec('ROLLBACK');
      throw unwritable(cause);
    }
    ready.push(...made);
  }

  async function fillOnce(): Promise<void> {
    const made = fresh();
    const wrapped = await provider.wrap(made);
    if (!closed) keep(made, wrapped);
  }

  /** Until enough are there, however often the provider fails meanwhile. One at a time. */
  function fill(waitMs = 0, nextMs = retryMs): void {
    if (filling || closed || ready.length >= low) return;
    filling = true;
    timer = setTimeout(() => void attempt(nextMs), waitMs);
    timer.unref();
  }

  async function attempt(nextMs: number): Promise<void> {
    try {
      await fillOnce();
      filling = false;
      if (failing) {
        failing = undefined;
        told?.(status());
      }
      fill();
    } catch (cause) {
      filling = false;
      const first = failing === undefined;
      failing = cause instanceof Fault ? cause : unwritable(cause);
      if (first && !closed) told?.(status());
      fill(nextMs, Math.min(nextMs * 2, mostRetryMs));
    }
  }

  try {
    do await fillOnce();
    while (ready.length < low);
  } catch (cause) {
    closed = true;
    // Rows that a first request left are of no harm: what no entry names seals nothing.
    db.close();
    throw cause;
  }

  return {
    take() {
      if (ready.length === 0 && provider.wrapNow) {
        const made = fresh();
        keep(made, made.map(provider.wrapNow));
      }
      const key = ready.pop();
      if (ready.length < low) fill();
      if (!key) {
        throw new Fault(
          'ledger.unavailable',
          'No key is ready to seal what would be recorded, and the key provider does not answer. Try again in a moment.',
          failing?.cause,
        );
      }
      return sessionKey(key.id, key.dek);
    },
    status,
    close() {
      closed = true;
      clearTimeout(timer);
      try {
        db.exec('BEGIN IMMEDIATE');
        for (const { id } of ready) remove.run(id);
        db.exec('COMMIT');
      } finally {
        db.close();
      }
    },
  };
}

function unwritable(cause: unknown): Fault {
  return new Fault('ledger.unavailable', 'No key can be kept for a new session. Try again later.', cause);
}
