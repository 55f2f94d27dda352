// The same populations as src/ledger/recount.ts, counted from the store's rows.
import type { Population } from '../ledger/recount.ts';
import { openSqlite } from './sqlite.ts';

export interface StorePopulation {
  /** Entries of the ledger that the store shows. */
  readonly next: number;
  readonly population: Population;
}

/** Times in milliseconds since the epoch: from inclusive, to exclusive. */
export function storePopulation(file: string, from: number, to: number): StorePopulation {
  const db = openSqlite(file, { readOnly: true });
  try {
    db.raw.exec('BEGIN');
    const where = (table: string, at: string, condition = '1 = 1') => {
      const query = db.raw.prepare(
        `SELECT count(*) AS n FROM ${table} WHERE ${condition} AND ${at} >= ? AND ${at} < ?`,
      );
      return Number(query.get(from, to)!['n']);
    };
    return {
      next: Number(db.raw.prepare('SELECT next FROM progress').get()?.['next'] ?? 0),
      population: {
        sessionsOpened: where('sessions', 'opened'),
        sessionsEnded: where('sessions', 'closed', 'orphaned = 0'),
        sessionsOrphaned: where('sessions', 'closed', 'orphaned = 1'),
        statements: where('statements', 'at'),
        held: where('statements', 'at', "ruling = 'hold'"),
        denied: where('statements', 'at', "ruling = 'deny'"),
        outcomes: where('statements', "json_extract(outcome, '$.at')", 'outcome IS NOT NULL'),
        votes: where('votes', 'at'),
      },
    };
  } finally {
    db.close();
  }
}
