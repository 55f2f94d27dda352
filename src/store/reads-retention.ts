// What retention reads from the store: what is due, what is held, what is gone.
import type { HoldPlaced } from './project-retention.ts';
import { type Kysely, sql } from 'kysely';
import type { Place } from './cursor.ts';
import type { Schema } from './schema.ts';

/** A session that ended and whose content is there. */
export interface KeptSession {
  readonly id: string;
  readonly key: string;
  readonly principal: string;
  readonly target: string;
  readonly opened: number;
  readonly closed: number;
  readonly labels: readonly string[];
}

/** A key of what was said outside sessions. */
export interface ProcessKey {
  readonly key: string;
  readonly first: number;
  readonly last: number;
}

export interface StoredHold extends HoldPlaced {
  readonly released?: number;
}

export interface RetentionReads {
  /** Sessions with content that ended before a time, oldest end first, those after a place. */
  expiring(wish: {
    readonly closedBefore: number;
    readonly after?: Place;
    readonly limit: number;
  }): Promise<readonly KeptSession[]>;
  /** Keys outside sessions that were last used before a time, without those of acts that others are judged by. */
  processKeys(lastBefore: number): Promise<readonly ProcessKey[]>;
  /** All that were ever placed, newest first; `released` tells which are over. */
  holds(): Promise<readonly StoredHold[]>;
  shredded(): Promise<{ readonly sessions: number; readonly last?: number }>;
  /** The newest sessions whose recordings were to be deleted. */
  deletedRecordings(limit: number): Promise<readonly string[]>;
}

export function openRetentionReads(db: Kysely<Schema>): RetentionReads {
  return {
    async expiring({ closedBefore, after, limit }) {
      let query = db
        .selectFrom('sessions')
        .select(['id', 'key', 'principal', 'target', 'opened', 'closed'])
        .where('shredded', 'is', null)
        .where('closed', 'is not', null)
        .where('closed', '<', closedBefore)
        .where('key', 'is not', null)
        .orderBy('closed')
        .orderBy('id')
        .limit(limit);
      if (after) query = query.where(sql<boolean>`(closed, id) > (${after.at}, ${after.id})`);
      const rows = await query.execute();
      const labels = await labelsOf(
        db,
        rows.map(({ id }) => id),
      );
      return rows.map((row) => ({
        ...row,
        key: row.key!,
        closed: row.closed!,
        labels: labels.get(row.id) ?? [],
      }));
    },

    processKeys: (lastBefore) =>
      db
        .selectFrom('process_keys')
        .select(['key', 'first', 'last'])
        .where('lasting', '=', 0)
        .where('last', '<', lastBefore)
        .orderBy('last')
        .orderBy('key')
        .execute(),

    async holds() {
      const rows = await db.selectFrom('holds').selectAll().orderBy('at', 'desc').orderBy('id').execute();
      return rows.map(
        (row): StoredHold => ({
          id: row.id,
          at: row.at,
          entry: row.entry,
          ...given('session', row.session),
          ...given('principal', row.principal),
          lost: row.lost === 1,
          ...given('target', row.target),
          ...given('from', row.from),
          ...given('to', row.to),
          reason: row.reason,
          by: row.by,
          ...given('released', row.released),
        }),
      );
    },

    async shredded() {
      const { sessions, last } = await db
        .selectFrom('sessions')
        .select((of) => [of.fn.countAll<number>().as('sessions'), of.fn.max('shredded').as('last')])
        .where('shredded', 'is not', null)
        .executeTakeFirstOrThrow();
      return { sessions, ...given('last', last) };
    },

    async deletedRecordings(limit) {
      const rows = await db
        .selectFrom('sessions')
        .select('id')
        .where('shredded', 'is not', null)
        .where('shred_deleted', '=', 1)
        .orderBy('shredded', 'desc')
        .limit(limit)
        .execute();
      return rows.map(({ id }) => id);
    },
  };
}

export async function labelsOf(db: Kysely<Schema>, sessions: readonly string[]): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>();
  if (sessions.length === 0) return found;
  const rows = await db
    .selectFrom('session_labels')
    .selectAll()
    .where('session', 'in', sessions)
    .orderBy('session')
    .orderBy('label')
    .execute();
  for (const { session, label } of rows) found.set(session, [...(found.get(session) ?? []), label]);
  return found;
}

export function given<Name extends string, Value>(name: Name, value: Value | null): { [key in Name]?: Value } {
  return (value === null ? {} : { [name]: value }) as { [key in Name]?: Value };
}
