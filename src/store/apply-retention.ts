// Retention in rows: labels by session, keys outside sessions, holds; and what a shredding takes out of every table, the same that a
// store which is made anew would never have had (test: store/shredding.test.ts).
import type { Json } from '../domain/entry.ts';
import { erased } from './erased.ts';
import type { HoldPlaced, RetentionOperation, Shredded } from './project-retention.ts';
import type { Sqlite } from './sqlite.ts';
import type { TextRows } from './text-rows.ts';

export interface RetentionRows {
  label(session: string, labels: readonly string[]): void;
  /** Writes what `label` gathered. */
  writeLabels(): void;
  /** Sessions that changed. */
  apply(operation: RetentionOperation): readonly string[];
}

export function openRetentionRows(db: Sqlite, texts: TextRows): RetentionRows {
  let met = new Map<string, Set<string>>();
  const run = (sql: string, ...values: readonly (string | number | null | undefined)[]) =>
    db.prepare(sql).run(...values.map((value) => value ?? null));
  const all = (sql: string, ...values: readonly (string | number)[]) =>
    db.prepare(sql).all(...values) as Record<string, string | number | null>[];

  function writeLabels(): void {
    for (const [session, labels] of met)
      for (const label of labels)
        run('INSERT INTO session_labels VALUES (?, ?) ON CONFLICT DO NOTHING', session, label);
    met = new Map();
  }

  function hold(of: HoldPlaced): void {
    run(
      `INSERT INTO holds (id, at, entry, session, principal, lost, target, "from", "to", reason, "by")
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
      of.id,
      of.at,
      of.entry,
      of.session,
      of.principal,
      of.lost ? 1 : 0,
      of.target,
      of.from,
      of.to,
      of.reason,
      of.by,
    );
  }

  function shred({ keys, at, entry, rule, deleted }: Shredded): string[] {
    const sessions: string[] = [];
    const freed = new Set<number>();
    for (const key of keys) {
      const row = db.prepare('SELECT id FROM sessions WHERE key = ?').get(key) as { id: string } | undefined;
      if (!row) {
        run('DELETE FROM process_keys WHERE key = ?', key);
        continue;
      }
      sessions.push(row.id);
      run(
        `UPDATE sessions SET principal = ?, principal_name = ?, issuer = ?, subject = ?, "groups" = '[]', owner = NULL, claimed = '{}',
          shredded = ?, shred_rule = ?, shred_entry = ?, shred_deleted = ? WHERE id = ?`,
        `${erased}|${erased}`,
        erased,
        erased,
        erased,
        at,
        rule,
        entry,
        deleted ? 1 : 0,
        row.id,
      );
      run('DELETE FROM session_labels WHERE session = ?', row.id);
      eraseStatements(row.id, freed);
      eraseApprovals(row.id);
    }
    texts.remove(freed);
    run('UPDATE progress SET scrub = 1');
    return sessions;
  }

  function eraseStatements(session: string, freed: Set<number>): void {
    const nothing = texts.id(erased);
    for (const row of all('SELECT sequence, text, effects, shadow FROM statements WHERE session = ?', session)) {
      if (row.text !== nothing) freed.add(row.text as number);
      const actions = (JSON.parse(row.effects as string) as { action: string }[]).map(({ action }) => action);
      const effects = [...new Set(actions)].map((action) => ({ action, resource: erased }));
      run(
        `UPDATE statements SET text = ?, parameters = NULL, reason = NULL, advice = NULL, effects = ?, shadow = ?
          WHERE session = ? AND sequence = ?`,
        nothing,
        JSON.stringify(effects),
        row.shadow === null ? null : shadowWithout(row.shadow as string),
        session,
        row.sequence as number,
      );
    }
  }

  function eraseApprovals(session: string): void {
    const cleared = [erased, erased, erased, erased, erased];
    for (const { id } of all('SELECT id FROM approvals WHERE session = ?', session)) {
      run(
        `UPDATE approvals SET requester = ?, requester_name = ?, target = ?, "database" = ?, text = ?, parameters = NULL,
          effects = '[]', rules = '[]', advice = '', created = asked WHERE id = ?`,
        ...cleared,
        id as string,
      );
      run(
        "UPDATE votes SET voter = ? || ' ' || entry, voter_name = ? || ' ' || entry, reason = NULL WHERE approval = ?",
        erased,
        erased,
        id as string,
      );
    }
  }

  return {
    label(session, labels) {
      let of = met.get(session);
      if (!of) met.set(session, (of = new Set()));
      for (const label of labels) of.add(label);
    },
    writeLabels,
    apply(operation) {
      switch (operation.do) {
        case 'use-key':
          run(
            `INSERT INTO process_keys (key, first, last, lasting) VALUES (?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET
              last = excluded.last, lasting = max(lasting, excluded.lasting)`,
            operation.key,
            operation.at,
            operation.at,
            operation.lasting ? 1 : 0,
          );
          return [];
        case 'hold':
          hold(operation.hold);
          return [];
        case 'release':
          run(
            'UPDATE holds SET released = ?, release_entry = ? WHERE id = ?',
            operation.at,
            operation.entry,
            operation.id,
          );
          return [];
        case 'shred':
          return shred(operation.shredding);
      }
    },
  };
}

/** Ruling and rules stand in the clear; the words do not. */
function shadowWithout(shadow: string): string {
  const { ruling, rules } = JSON.parse(shadow) as { ruling: Json; rules: Json };
  return JSON.stringify({ ruling, rules });
}
